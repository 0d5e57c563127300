/**
 * Asks TypeScript's language service about every function of the built package, as an
 * editor does. Fails unless hovering shows documentation, signature help shows it for
 * each overload, and "go to definition" leads to the sources.
 */
import * as fs from "node:fs"
import { SourceMap } from "node:module"
import * as path from "node:path"
import ts from "typescript6"
import { modules, root } from "./modules.ts"

const options: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.NodeNext,
  types: []
}

/** A file name in the package, so that imports resolve to `dist` through `exports`. The file is never written. */
const probe = path.join(root, "probe.ts")

const serviceFor = (text: string): ts.LanguageService => {
  const read = (file: string): string | undefined =>
    file === probe ? text : fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined
  return ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [probe],
    getScriptVersion: () => "1",
    getScriptSnapshot: (file) => {
      const text = read(file)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (file) => file === probe || fs.existsSync(file),
    readFile: read,
    directoryExists: ts.sys.directoryExists,
    realpath: fs.realpathSync
  })
}

const imports = modules.map(({ specifier }, i) => `import * as M${i} from "${specifier}"\n`).join("")

interface PublicFunction {
  readonly name: string
  readonly access: string
  readonly isClass: boolean
  readonly symbol: ts.Symbol
  readonly signatures: ReadonlyArray<ts.Signature>
}

const functionsOf = (program: ts.Program): ReadonlyArray<PublicFunction> => {
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(probe)!
  return file.statements.flatMap((statement, i) => {
    const { moduleSpecifier } = statement as ts.ImportDeclaration
    const module = checker.getSymbolAtLocation(moduleSpecifier)
    if (module === undefined) throw new Error(`${modules[i]!.specifier} is not built: run "npm run build" first`)
    return checker.getExportsOfModule(module).flatMap((exported): Array<PublicFunction> => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      if (!(symbol.flags & (ts.SymbolFlags.Variable | ts.SymbolFlags.Function | ts.SymbolFlags.Class))) return []
      const type = checker.getTypeOfSymbolAtLocation(symbol, file)
      const isClass = type.getCallSignatures().length === 0
      // What another package declares has the documentation of that package, such as the `it` of vitest and its `expect`.
      const signatures = (isClass ? type.getConstructSignatures() : type.getCallSignatures())
        .filter(({ declaration }) => !/node_modules\/(vitest|.*chai)/.test(declaration?.getSourceFile().fileName ?? ""))
      if (signatures.length === 0) return []
      const { specifier } = modules[i]!
      return [{ name: `${specifier}.${exported.name}`, access: `M${i}.${exported.name}`, isClass, symbol, signatures }]
    })
  })
}

const failures: Array<string> = []
const fail = (name: string, problem: string): void => void failures.push(`${name}: ${problem}`)
const isEmpty = (parts: ReadonlyArray<ts.SymbolDisplayPart> | undefined): boolean =>
  ts.displayPartsToString(parts as Array<ts.SymbolDisplayPart>).trim() === ""

/** The program names each function once, and calls it once for each of its signatures. */
const functions = functionsOf(serviceFor(imports).getProgram()!)
let text = imports
const at = functions.map(({ access, isClass, signatures }) => {
  const write = (code: string, offset: number): number => {
    const position = text.length + offset
    text += `${code}\n`
    return position
  }
  const bare = write(access, access.length)
  const calls = signatures.map(({ parameters }) => {
    const start = isClass ? `new ${access}(` : `${access}(`
    const name = write(`${start}${parameters.map(() => "0 as any").join(", ")})`, start.length - 1)
    return { name, parenthesis: name + 1 }
  })
  return { bare, calls }
})

const service = serviceFor(text)
let overloads = 0
for (const [i, { isClass, name, signatures }] of functions.entries()) {
  const { bare, calls } = at[i]!
  const isDocumented = (position: number): boolean =>
    !isEmpty(service.getQuickInfoAtPosition(probe, position - 1)?.documentation)
  if (!isDocumented(bare)) fail(name, "nothing on hover")
  for (const [j, call] of calls.entries()) {
    overloads++
    // A class has its own doc block, but may have the constructor of its base class.
    if (!isClass && !isDocumented(call.name)) fail(name, `nothing on hover over a call of signature ${j + 1}`)
  }
  const help = service.getSignatureHelpItems(probe, calls[0]!.parenthesis, undefined)
  if (help === undefined) {
    fail(name, "no signature help")
  } else if (!isClass) {
    if (help.items.length !== signatures.length) {
      fail(name, `signature help shows ${help.items.length} of ${signatures.length} signatures`)
    }
    for (const [j, { documentation }] of help.items.entries()) {
      if (isEmpty(documentation)) fail(name, `nothing in signature help of signature ${j + 1}`)
    }
  }
}

/** Fails unless the declaration map maps each name and each signature to the same text in the sources. */
const checkMap = (name: string, node: ts.Node): void => {
  const file = node.getSourceFile()
  const map = `${file.fileName}.map`
  if (!fs.existsSync(map)) return
  const { character, line } = file.getLineAndCharacterOfPosition(node.getStart(file))
  const payload = JSON.parse(fs.readFileSync(map, "utf8"))
  const entry = new SourceMap(payload).findEntry(line, character)
  if (!("originalLine" in entry)) return fail(name, `${map}: line ${line + 1} leads nowhere`)
  const source = fs.readFileSync(path.resolve(path.dirname(map), entry.originalSource), "utf8").split("\n")
  const found = source[entry.originalLine]?.slice(entry.originalColumn) ?? ""
  const wanted = ts.isIdentifier(node) ? node.text : node.getText(file)[0]!
  if (entry.generatedLine !== line || !found.startsWith(wanted)) {
    fail(name, `${map}: line ${line + 1} leads to "${found.slice(0, 40)}" instead of "${wanted}"`)
  }
}

for (const { name, signatures, symbol } of functions) {
  for (const declaration of symbol.declarations ?? []) {
    const identifier = ts.getNameOfDeclaration(declaration)
    if (identifier !== undefined) checkMap(name, identifier)
  }
  for (const { declaration } of signatures) {
    if (declaration !== undefined && ts.isCallSignatureDeclaration(declaration)) checkMap(name, declaration)
  }
}

const undocumented = new Set(failures.map((failure) => failure.split(": ", 1)[0]))
const good = functions.length - undocumented.size
console.log(failures.join("\n"))
console.log(
  `Editors document ${good} of ${functions.length} public functions (${
    (100 * good / functions.length).toFixed(0)
  } %), ` +
    `with ${overloads} signatures`
)
if (failures.length > 0) process.exitCode = 1
