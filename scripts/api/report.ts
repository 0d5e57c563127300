/**
 * Compares the public declarations of the build with the report in `api/`, and prints the
 * difference if there is one. `npm run check:api -- --store` writes the report instead.
 *
 * A module's file has its declarations without comments, sorted by name, so that moving a
 * function changes nothing. `internal.api.txt` has what the public types name of the
 * internal modules.
 */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import ts from "typescript6"
import { modules, root } from "./modules.ts"

const dist = path.join(root, "dist")
const program = ts.createProgram(modules.map(({ declarations }) => declarations), {
  noEmit: true,
  allowImportingTsExtensions: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.NodeNext,
  types: []
})
const checker = program.getTypeChecker()
const printer = ts.createPrinter({ removeComments: true })

/** Returns what the statements sort by. Imports come first. */
const keyOf = (statement: ts.Statement): string => {
  // An import or an export is no declaration, and has no name.
  const declaration = ts.isVariableStatement(statement)
    ? statement.declarationList.declarations[0]!
    : statement as ts.Statement & ts.Declaration
  const name = ts.getNameOfDeclaration(declaration)?.getText()
  return name ?? ` ${statement.getText()}`
}

const print = (statements: Iterable<ts.Statement>): string =>
  Array.from(statements, (statement) => ({
    key: keyOf(statement),
    text: printer.printNode(ts.EmitHint.Unspecified, statement, statement.getSourceFile())
  })).toSorted((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
    .map(({ key, text }) => key.startsWith(" ") ? text : `\n${text}`)
    .join("\n").trimStart()

/** The statements of the internal modules that a public declaration names, also through others. */
const internal = new Map<ts.SourceFile, Set<ts.Statement>>()

const isInternal = (file: ts.SourceFile): boolean => path.relative(dist, file.fileName).startsWith("internal")

const statementOf = (node: ts.Node): ts.Statement =>
  ts.isSourceFile(node.parent) ? node as ts.Statement : statementOf(node.parent)

const visit = (node: ts.Node): void => {
  if (ts.isIdentifier(node)) {
    const symbol = checker.getSymbolAtLocation(node)
    const target = symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias
      ? checker.getAliasedSymbol(symbol)
      : symbol
    for (const declaration of target?.declarations ?? []) {
      const file = declaration.getSourceFile()
      if (ts.isSourceFile(declaration) || !isInternal(file)) continue
      const statements = internal.get(file) ?? new Set()
      internal.set(file, statements)
      const statement = statementOf(declaration)
      if (!statements.has(statement)) {
        statements.add(statement)
        visit(statement)
      }
    }
  }
  ts.forEachChild(node, visit)
}

const reports = new Map<string, string>()
for (const { declarations, specifier } of modules) {
  const source = program.getSourceFile(declarations)
  if (source === undefined) throw new Error(`${declarations} does not exist: run \`npm run build\` first`)
  const name = path.relative(dist, declarations).replace(".d.ts", "").replaceAll(path.sep, "-")
  reports.set(`${name}.api.txt`, `${specifier}\n\n${print(source.statements)}\n`)
  // An import may name more than its module uses. `export *` names all.
  source.statements.filter((statement) => !ts.isImportDeclaration(statement)).forEach(visit)
}
reports.set(
  "internal.api.txt",
  Array.from(internal, ([file, statements]) => `${path.relative(dist, file.fileName)}\n\n${print(statements)}\n`)
    .toSorted().join("\n")
)

const stored = path.join(root, "api")
const write = (folder: string): void => {
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder)
  for (const [name, text] of reports) fs.writeFileSync(path.join(folder, name), text)
}

if (process.argv.includes("--store")) write(stored)
else {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "effect-weakref-api-"))
  try {
    const built = path.join(temporary, "built")
    write(built)
    const { error, status, stdout } = childProcess.spawnSync(
      "git",
      ["diff", "--no-index", "--no-prefix", stored, built],
      { encoding: "utf8" }
    )
    if (error !== undefined) throw error
    if (status === 0) console.log(`The public declarations of ${modules.length} modules are those of api/`)
    else {
      console.error(`${stdout}\nThe public declarations have changed: \`npm run check:api -- --store\` accepts them`)
      process.exitCode = 1
    }
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true })
  }
}
