/** Finds the small changes of a source file that the tests should notice, and compiles them in behind a switch. */
import ts from "typescript6"

export interface Mutant {
  /** What the switch replaces: an expression, a statement, or the name of a method with the dot before it. */
  readonly kind: "expression" | "statement" | "method"
  readonly start: number
  readonly end: number
  /** What stands there instead. */
  readonly code: string
  readonly line: number
  readonly original: string
  readonly replacement: string
}

const operators: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  ["===", ["!=="]],
  ["!==", ["==="]],
  ["<", ["<=", ">="]],
  ["<=", ["<", ">"]],
  [">", [">=", "<="]],
  [">=", [">", "<"]],
  ["+", ["-"]],
  ["-", ["+"]],
  ["*", ["/"]],
  ["/", ["*"]],
  ["&&", ["||"]],
  ["||", ["&&"]],
  ["??", ["&&"]],
  ["+=", ["-="]],
  ["-=", ["+="]],
  ["??=", ["="]]
])

const methods: ReadonlyMap<string, string> = new Map([
  ["every", "some"],
  ["some", "every"],
  ["min", "max"],
  ["max", "min"],
  ["push", "unshift"],
  ["pop", "shift"],
  ["shift", "pop"]
])

const sourceOf = (file: string, text: string) => ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true)

/** Returns every mutant of a file, in the order of the text. Types, imports and comments have none. */
export const mutantsOf = (file: string, text: string): ReadonlyArray<Mutant> => {
  const source = sourceOf(file, text)
  const mutants = new Map<string, Mutant>()
  const add = (mutant: Omit<Mutant, "line">, at: number): void => {
    if (mutant.original === mutant.replacement) return
    const key = JSON.stringify([mutant.start, mutant.end, mutant.code])
    if (mutants.has(key)) return
    mutants.set(key, { ...mutant, line: source.getLineAndCharacterOfPosition(at).line + 1 })
  }
  const replace = (node: ts.Node, replacement: string, kind: Mutant["kind"] = "expression"): void => {
    const [start, end] = [node.getStart(), node.getEnd()]
    add({ kind, start, end, code: replacement, original: text.slice(start, end), replacement }, start)
  }

  const visit = (node: ts.Node): void => {
    if (
      ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node) ||
      ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isModuleDeclaration(node)
    ) return
    if (ts.isBinaryExpression(node)) {
      const { left, operatorToken, right } = node
      const original = operatorToken.getText()
      for (const replacement of operators.get(original) ?? []) {
        const code = replacement.endsWith("=") && !/^[=!<>]=/.test(replacement)
          ? `${left.getText()} ${replacement} ${right.getText()}`
          : `(${left.getText()}) ${replacement} (${right.getText()})`
        const [start, end] = [node.getStart(), node.getEnd()]
        add({ kind: "expression", start, end, code, original, replacement }, operatorToken.getStart())
      }
    } else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
      replace(node, node.operand.getText())
    } else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      const text = node.getText()
      if (text.includes("++")) replace(node, text.replace("++", "--"))
      else if (text.includes("--")) replace(node, text.replace("--", "++"))
    } else if (ts.isIfStatement(node)) {
      replace(node.expression, "true")
      replace(node.expression, "false")
    } else if (ts.isWhileStatement(node)) {
      replace(node.expression, "false")
    } else if (ts.isForStatement(node) && node.condition !== undefined) {
      replace(node.condition, "false")
    } else if (ts.isConditionalExpression(node)) {
      replace(node, node.whenTrue.getText())
      replace(node, node.whenFalse.getText())
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) {
      replace(node, "false")
    } else if (node.kind === ts.SyntaxKind.FalseKeyword) {
      replace(node, "true")
    } else if (ts.isNumericLiteral(node) && !isName(node)) {
      replace(node, node.text === "0" ? "1" : node.text === "1" ? "0" : `(${node.text} + 1)`)
    } else if (ts.isStringLiteral(node) && !isName(node) && !/\s/.test(node.text)) {
      // A text with spaces is a message.
      replace(node, node.text === "" ? "\"mutated\"" : "\"\"")
    } else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0 && !isPattern(node)) {
      replace(node, "[]")
    } else if (ts.isPropertyAccessExpression(node) && ts.isCallExpression(node.parent)) {
      const original = node.name.text
      const replacement = methods.get(original)
      const [start, end] = [node.expression.getEnd(), node.name.getEnd()]
      if (replacement !== undefined) {
        add({ kind: "method", start, end, code: replacement, original, replacement }, node.name.getStart())
      }
    } else if (ts.isExpressionStatement(node) && !isSuperCall(node.expression)) {
      replace(node, "{}", "statement")
    } else if (ts.isReturnStatement(node) && node.expression === undefined) {
      replace(node, "{}", "statement")
    } else if (ts.isBreakStatement(node) || ts.isContinueStatement(node)) {
      replace(node, "{}", "statement")
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return [...mutants.values()].toSorted((a, b) => a.start - b.start)
}

/** Whether a literal names a property. */
const isName = (node: ts.Node): boolean => (node.parent as { readonly name?: ts.Node }).name === node

const isPattern = (node: ts.Node): boolean =>
  ts.isBinaryExpression(node.parent) && node.parent.left === node &&
  node.parent.operatorToken.kind === ts.SyntaxKind.EqualsToken

const isSuperCall = (node: ts.Expression): boolean =>
  ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword

/** A range of the text that is written differently, with the mutants that have this range. */
interface Range {
  readonly kind: Mutant["kind"] | "block"
  readonly start: number
  readonly end: number
  readonly mutants: Array<readonly [id: number, mutant: Mutant]>
}

/** Compiles mutants into a file. `$mutant(id)` says whether the mutant with this number is active. */
export const withSwitches = (
  file: string,
  text: string,
  mutants: ReadonlyArray<readonly [id: number, mutant: Mutant]>
): string => {
  const ranges = new Map<string, Range>()
  const rangeOf = (kind: Range["kind"], start: number, end: number): Range => {
    const key = `${kind} ${start} ${end}`
    const found = ranges.get(key) ?? { kind, start, end, mutants: [] }
    ranges.set(key, found)
    return found
  }
  for (const [id, mutant] of mutants) rangeOf(mutant.kind, mutant.start, mutant.end).mutants.push([id, mutant])
  // The sources have no semicolons, and a statement that begins with a parenthesis would continue the line before it.
  const starts = new Set(mutants.map(([, { start }]) => start))
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node) && starts.has(node.getStart()) && !isSuperCall(node.expression)) {
      rangeOf("block", node.getStart(), node.getEnd())
    }
    ts.forEachChild(node, visit)
  }
  visit(sourceOf(file, text))

  const depth = ["block", "statement", "expression", "method"]
  const sorted = [...ranges.values()].toSorted((a, b) =>
    a.start - b.start || b.end - a.end || depth.indexOf(a.kind) - depth.indexOf(b.kind)
  )
  let next = 0
  const write = (start: number, end: number): string => {
    let written = ""
    let at = start
    while (next < sorted.length && sorted[next]!.start < end) {
      const range = sorted[next++]!
      written += text.slice(at, range.start) + writeRange(range)
      at = range.end
    }
    return written + text.slice(at, end)
  }
  const writeRange = ({ end, kind, mutants, start }: Range): string => {
    const inner = write(start, end)
    const first = mutants.map(([id]) => `$mutant(${id})`)
    if (kind === "block") return `{ ${inner} }`
    if (kind === "statement") return `{ if (${first.join(" || ")}) {} else { ${inner} } }`
    const choices = mutants.map(([, { code }], index) =>
      `${first[index]} ? ${kind === "method" ? JSON.stringify(code) : `(${code})`} : `
    ).join("")
    if (kind === "expression") return `(${choices}(${inner}))`
    return `${inner.startsWith("?.") ? "?." : ""}[${choices}${JSON.stringify(mutants[0]![1].original)}]`
  }
  return write(0, text.length)
}
