/** Finds the small changes of a source file that the tests should notice. */
import ts from "typescript6"

export interface Mutant {
  readonly start: number
  readonly end: number
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

/** Returns every mutant of a file, in the order of the text. Types, imports and comments have none. */
export const mutantsOf = (file: string, text: string): ReadonlyArray<Mutant> => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true)
  const mutants: Array<Mutant> = []
  const add = (start: number, end: number, replacement: string): void => {
    const original = text.slice(start, end)
    if (original === replacement) return
    const line = source.getLineAndCharacterOfPosition(start).line + 1
    mutants.push({ start, end, line, original, replacement })
  }
  const replace = (node: ts.Node, replacement: string): void => add(node.getStart(), node.getEnd(), replacement)

  const visit = (node: ts.Node): void => {
    if (
      ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node) ||
      ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isModuleDeclaration(node)
    ) return
    if (ts.isBinaryExpression(node)) {
      for (const other of operators.get(node.operatorToken.getText()) ?? []) replace(node.operatorToken, other)
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
    } else if (ts.isNumericLiteral(node)) {
      replace(node, node.text === "0" ? "1" : node.text === "1" ? "0" : `(${node.text} + 1)`)
    } else if (ts.isStringLiteral(node) && isValue(node)) {
      replace(node, node.text === "" ? "\"mutated\"" : "\"\"")
    } else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) {
      replace(node, "[]")
    } else if (ts.isPropertyAccessExpression(node) && ts.isCallExpression(node.parent)) {
      const other = methods.get(node.name.text)
      if (other !== undefined) replace(node.name, other)
    } else if (ts.isExpressionStatement(node) && !isSuperCall(node.expression)) {
      replace(node, "{}")
    } else if (ts.isReturnStatement(node) && node.expression === undefined) {
      replace(node, "{}")
    } else if (ts.isBreakStatement(node) || ts.isContinueStatement(node)) {
      replace(node, "{}")
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return mutants
}

/** Whether a text can change what a program does. Sentences are messages, and names of properties are no values. */
const isValue = (node: ts.StringLiteral): boolean =>
  !/\s/.test(node.text) && !(ts.isPropertyAssignment(node.parent) && node.parent.name === node) &&
  !ts.isPropertySignature(node.parent) && !ts.isLiteralTypeNode(node.parent)

const isSuperCall = (node: ts.Expression): boolean =>
  ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword
