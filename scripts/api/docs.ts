/**
 * Fails if a public module exports a value without a public type, or a function without
 * a complete doc block. The first check reads the build, and the second the sources.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import ts from "typescript6"
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

/** Returns what is wrong with a doc block. */
const problemsOf = (block: ts.JSDoc): ReadonlyArray<string> => {
  const text = block.getText()
  const tag = (name: string): string | undefined => {
    const found = block.tags?.find(({ tagName }) => tagName.text === name)
    return found === undefined ? undefined : (ts.getTextOfJSDocComment(found.comment) ?? "").trim()
  }
  const [, first = ""] = /^\/\*\*[\s*]*(\S+)/.exec(text) ?? []
  const category = tag("category")
  const problems: ReadonlyArray<readonly [wrong: boolean, problem: string]> = [
    [!isVerb(first), `the summary starts with "${first}" instead of a verb ("Returns")`],
    [!text.includes("```ts import.meta.vitest"), "no example"],
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
for (const { source } of modules) {
  for (const exported of exportsOf(source, program)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const declarations = symbol.declarations ?? []
    // Skips the modules that index.ts exports, and functions that another module declares.
    const [declaration] = declarations
    if (declaration === undefined || declaration.getSourceFile().fileName !== source) continue
    if (!(symbol.flags & (ts.SymbolFlags.Variable | ts.SymbolFlags.Function))) continue
    if (checker.getTypeOfSymbol(symbol).getCallSignatures().length === 0) continue
    const blocks = declarations.map(blockOf).filter((block) => block !== undefined)
    if (blocks.some((block) => block.tags?.some(({ tagName }) => tagName.text === "internal"))) continue
    functions++
    const problems = blocks.length === 0 ? ["no doc block"] : problemsOf(blocks[0]!)
    if (problems.length === 0) continue
    const { line } = declaration.getSourceFile().getLineAndCharacterOfPosition(declaration.getStart())
    failures.push(`${path.relative(root, source)}:${line + 1} ${symbol.name}: ${problems.join("; ")}`)
  }
}
const incomplete = failures.length

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
  `${functions - incomplete} of ${functions} public functions have a complete doc block; ` +
    `${failures.length - incomplete} values are exported without a public type`
)
if (failures.length > 0) process.exitCode = 1
