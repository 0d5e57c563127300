/**
 * Finds the examples in doc comments and Markdown: every code block that opens with "ts import.meta.vitest".
 *
 * An example keeps its line numbers, because all other lines become empty. So the line numbers of a parser, a type
 * checker or a stack trace are those of the original file.
 */
import { MagicString } from "magic-string"
import * as fs from "node:fs"
import * as path from "node:path"
import { type ESTree, parseSync, Visitor } from "vite"

export const root = path.resolve(import.meta.dirname, "../..")

export interface Example {
  readonly file: string
  readonly line: number
  readonly source: string
}

export const directory = path.join(root, ".doctest")

/** Returns the path of the module that contains only this example. */
export const modulePath = ({ file, line }: Example): string => path.join(directory, `${file}.${line}.ts`)

export const all = (): ReadonlyArray<Example> =>
  ["src", ".", "docs", "ai-docs"].flatMap(sources).toSorted()
    .flatMap((file) => find(file, fs.readFileSync(path.join(root, file), "utf8")))

/** Returns the files of a folder. Does not use `fs.globSync`, which Node 20 does not have. */
const sources = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(path.join(root, folder), { recursive: folder === "src", encoding: "utf8" })
    .filter((file) => file.endsWith(folder === "src" ? ".ts" : ".md"))
    .map((file) => path.join(folder, file))

const fence = /^(\s*(?:\* ?)?)```(\w*)\s*(.*)$/

export const find = (file: string, text: string): ReadonlyArray<Example> => {
  const examples: Array<Example> = []
  const lines = text.split("\n")
  for (let start = 0; start < lines.length; start++) {
    const open = fence.exec(lines[start]!)
    if (open === null) continue
    const [, margin, language, info] = open as unknown as [string, string, string, string]
    const end = lines.findIndex((line, index) => index > start && fence.test(line))
    if (end === -1) throw new Error(`${file}:${start + 1}: this code block is never closed`)
    if (/^(ts|typescript)$/.test(language)) {
      if (info !== "import.meta.vitest") {
        throw new Error(`${file}:${start + 1}: this example is not run: open it with "\`\`\`ts import.meta.vitest"`)
      }
      const code = lines.map((line, index) =>
        index > start && index < end ? " ".repeat(margin.length) + line.slice(margin.length) : ""
      )
      examples.push({ file, line: start + 1, source: code.join("\n") })
    }
    start = end
  }
  return examples
}

const expectation = /^\s*=>\s*(?:throws (\w+)|(.*))$/

/**
 * Turns `expression // => expected` and `expression // => throws ErrorName` into assertions.
 */
export const compile = ({ file, source }: Example) => {
  const fail = (offset: number, message: string): never => {
    throw new Error(`${file}:${source.slice(0, offset).split("\n").length}: ${message}`)
  }
  const { comments, errors, program } = parseSync("example.ts", source)
  for (const error of errors) fail(error.labels[0]?.start ?? 0, error.message)

  const expressions: Array<ESTree.Span> = []
  new Visitor({ ExpressionStatement: (node) => void expressions.push(node.expression) }).visit(program)

  const output = new MagicString(source)
  for (const comment of comments) {
    const match = comment.type === "Line" ? expectation.exec(comment.value) : null
    if (match === null) continue
    const [, errorName, expected] = match
    const expression = expressions.find(({ end }) =>
      end <= comment.start && /^;? *$/.test(source.slice(end, comment.start))
    )
    if (expression === undefined) {
      return fail(comment.start, `"// =>" must follow an expression statement, on its last line`)
    }
    if (expected !== undefined && parseSync("expected.ts", `(${expected})`).errors.length > 0) {
      return fail(comment.start, `"${expected}" is not an expression`)
    }
    const { end, start } = expression
    const [open, close] = errorName === undefined
      ? ["doctest.equals(", `, (${expected}))`]
      : /\bawait\b/.test(source.slice(start, end))
      ? ["await doctest.rejects(async () => (", `), "${errorName}")`]
      : ["doctest.throws(() => (", `), "${errorName}")`]
    // Overwrites the first character, so that a stack trace shows the line of the example.
    output.update(start, start + 1, open + source[start])
    output.overwrite(end, comment.end, close)
  }
  output.append(`\nimport * as doctest from ${JSON.stringify(path.join(import.meta.dirname, "assert.ts"))}\n`)
  return {
    code: output.toString(),
    map: output.generateMap({ source: path.join(root, file), hires: true, includeContent: true })
  }
}
