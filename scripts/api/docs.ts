/**
 * Fails if a public module exports a value without a public type, or if the doc block of
 * an export is incomplete: a function says when to use it and what it costs, a type says
 * when to use it, and all blocks have one width and one order of tags. `-- --fix` corrects
 * the width and the order. The first check reads the build, and the others the sources.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import ts from "typescript6"
import { format } from "./blocks.ts"
import { modules, root } from "./modules.ts"

/** Effect's categories: those that its sources use at least ten times. */
const categories: ReadonlySet<string> = (() => {
  const counts = new Map<string, number>()
  const folder = path.join(root, "node_modules/effect/src")
  for (const file of fs.readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue
    for (const [, category] of fs.readFileSync(path.join(folder, file), "utf8").matchAll(/@category (.+)/g)) {
      counts.set(category!, (counts.get(category!) ?? 0) + 1)
    }
  }
  return new Set(Array.from(counts).filter(([, count]) => count >= 10).map(([category]) => category))
})()

const program = ts.createProgram(modules.map(({ source }) => source), {
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.NodeNext,
  types: []
})
const checker = program.getTypeChecker()

const failures: Array<string> = []

const exportsOf = (file: string, program: ts.Program): ReadonlyArray<ts.Symbol> => {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
  return module === undefined ? [] : checker.getExportsOfModule(module)
}

/** What the cost of an operation looks like: `O(n)`, or a sentence with the word. */
const cost = /O\(|\bcosts?\b/i

/** Returns what is wrong with a doc block. A type needs no verb, example or cost. */
const problemsOf = (block: ts.JSDoc, isFunction: boolean): ReadonlyArray<string> => {
  const text = block.getText()
  const tag = (name: string): string | undefined => {
    const found = block.tags?.find(({ tagName }) => tagName.text === name)
    return found === undefined ? undefined : (ts.getTextOfJSDocComment(found.comment) ?? "").trim()
  }
  const [, first = ""] = /^\/\*\*[\s*]*(\S+)/.exec(text) ?? []
  const category = tag("category")
  const problems: ReadonlyArray<readonly [wrong: boolean, problem: string]> = [
    [!isVerb(first) && isFunction, `the summary starts with "${first}" instead of a verb ("Returns")`],
    [!text.includes("**When to use**"), "no **When to use**"],
    [isFunction && !cost.test(text), "no cost"],
    [isFunction && !text.includes("```ts import.meta.vitest"), "no example"],
    [block.tags?.every(({ tagName }) => tagName.text !== "see") ?? true, "no @see"],
    [category === undefined, "no @category"],
    [category !== undefined && !categories.has(category), `@category ${category} is not one of Effect's categories`],
    [!/^(stable|unstable|experimental)$/.test(tag("stability") ?? ""), "no @stability"],
    [!/^\d+\.\d+\.\d+$/.test(tag("since") ?? ""), "no @since"]
  ]
  return problems.filter(([wrong]) => wrong).map(([, problem]) => problem)
}

/** Whether a word looks like a verb in the third person singular, such as "Returns". The list has the exceptions. */
const isVerb = (word: string): boolean =>
  /^[A-Z][a-z]+[a-rt-z]s$/.test(word) &&
  !/^(As|Is|Was|Has|Its|This|Thus|Always|Sometimes|Perhaps|Others|Values|Keys|Entries|References|Finalizers|Callbacks)$/
    .test(word)

const blockOf = (declaration: ts.Declaration): ts.JSDoc | undefined => {
  const host = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  return ts.getJSDocCommentsAndTags(host).findLast(ts.isJSDoc)
}

let functions = 0
let others = 0
for (const { source } of modules) {
  const content = fs.readFileSync(source, "utf8")
  const formatted = format(content)
  if (content !== formatted && process.argv.includes("--fix")) fs.writeFileSync(source, formatted)
  else if (content !== formatted) {
    const lines = formatted.split("\n")
    const line = content.split("\n").findIndex((text, index) => text !== lines[index])
    failures.push(
      `${path.relative(root, source)}:${
        line + 1
      }: the width or the order of tags differs: run "npm run check:docs -- --fix"`
    )
  }
}
const unformatted = failures.length
for (const { source } of modules) {
  for (const exported of exportsOf(source, program)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const declarations = symbol.declarations ?? []
    // Skips the modules that index.ts exports, and functions that another module declares.
    const [declaration] = declarations
    if (declaration === undefined || declaration.getSourceFile().fileName !== source) continue
    const isFunction = (symbol.flags & (ts.SymbolFlags.Variable | ts.SymbolFlags.Function)) !== 0 &&
      checker.getTypeOfSymbol(symbol).getCallSignatures().length > 0
    const blocks = declarations.map(blockOf).filter((block) => block !== undefined)
    if (blocks.some((block) => block.tags?.some(({ tagName }) => tagName.text === "internal"))) continue
    if (isFunction) functions++
    else others++
    const problems = blocks.length === 0 ? ["no doc block"] : problemsOf(blocks[0]!, isFunction)
    if (problems.length === 0) continue
    const { line } = declaration.getSourceFile().getLineAndCharacterOfPosition(declaration.getStart())
    failures.push(`${path.relative(root, source)}:${line + 1} ${symbol.name}: ${problems.join("; ")}`)
  }
}
const incomplete = failures.length - unformatted

const built = ts.createProgram(modules.map(({ declarations }) => declarations), {
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.NodeNext,
  types: []
})
for (const { declarations, javascript, source } of modules) {
  if (!fs.existsSync(javascript)) throw new Error(`${javascript} is not built: run "npm run build" first`)
  const typed = new Set(exportsOf(declarations, built).map(({ name }) => name))
  for (const name of Object.keys(await import(pathToFileURL(javascript).href))) {
    if (typed.has(name)) continue
    failures.push(`${path.relative(root, source)} ${name}: is exported without a public type: move it to src/internal`)
  }
}

console.log(failures.join("\n"))
console.log(
  `${functions} public functions and ${others} types and constants: ${incomplete} without a complete doc block, ` +
    `${unformatted} modules with another width or order of tags, ` +
    `${failures.length - incomplete - unformatted} values exported without a public type`
)
if (failures.length > 0) process.exitCode = 1
