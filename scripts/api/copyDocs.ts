/**
 * Copies the doc block of each overloaded function onto every call signature in the
 * declarations of the build. An editor shows the block of the signature that a call
 * uses, and ignores the block of the constant or of the first overload.
 */
import * as fs from "node:fs"
import ts from "typescript6"
import { modules } from "./modules.ts"

interface Insertion {
  readonly line: number
  readonly text: string
}

const insertionsOf = (file: ts.SourceFile): ReadonlyArray<Insertion> => {
  const insertions: Array<Insertion> = []
  const copy = (block: string, signature: ts.Node): void => {
    if (blockOf(signature) !== undefined) return
    const { character, line } = file.getLineAndCharacterOfPosition(signature.getStart(file))
    const indent = " ".repeat(character)
    // Inserts whole lines only. Then the declaration map needs only as many empty lines.
    if (file.text.slice(file.getPositionOfLineAndCharacter(line, 0), signature.getStart(file)) !== indent) {
      throw new Error(`${file.fileName}:${line + 1}: a call signature must start its line`)
    }
    insertions.push({
      line,
      text: block.split("\n").map((text) => indent + text.trim().replace(/^\*/, " *")).join("\n")
    })
  }
  const functions = new Map<string, string>()
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) {
      const block = blockOf(statement)
      const [{ type }] = statement.declarationList.declarations as unknown as [ts.VariableDeclaration]
      if (block === undefined || type === undefined || !ts.isTypeLiteralNode(type)) continue
      for (const member of type.members) if (ts.isCallSignatureDeclaration(member)) copy(block, member)
    }
    if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) {
      const block = blockOf(statement) ?? functions.get(statement.name.text)
      if (block === undefined) continue
      functions.set(statement.name.text, block)
      copy(block, statement)
    }
  }
  return insertions
}

const blockOf = (node: ts.Node): string | undefined => ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc)?.getText()

for (const { declarations } of modules) {
  const text = fs.readFileSync(declarations, "utf8")
  const file = ts.createSourceFile(declarations, text, ts.ScriptTarget.Latest, true)
  const lines = text.split("\n")
  const map = JSON.parse(fs.readFileSync(`${declarations}.map`, "utf8"))
  const mappings: Array<string> = map.mappings.split(";")
  for (const { line, text } of insertionsOf(file).toReversed()) {
    lines.splice(line, 0, text)
    mappings.splice(line, 0, ...text.split("\n").map(() => ""))
  }
  fs.writeFileSync(declarations, lines.join("\n"))
  fs.writeFileSync(`${declarations}.map`, JSON.stringify({ ...map, mappings: mappings.join(";") }))
}
