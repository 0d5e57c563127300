/** Writes generated tables into Markdown files, between two comments that name the table. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")

const line = (cells: ReadonlyArray<string | number>): string => `| ${cells.join(" | ")} |`

export const table = (
  header: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string | number>>
): string => [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n")

/** Replaces the text between `<!-- name: begin -->` and `<!-- name: end -->`. */
export const replaceBetween = (file: string, name: string, text: string): void => {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const before = fs.readFileSync(path.join(root, file), "utf8")
  const [from, to] = [before.indexOf(begin), before.indexOf(end)]
  if (from === -1 || to === -1) throw new Error(`${file} has no place for ${name}`)
  fs.writeFileSync(path.join(root, file), `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`)
}

export const formatFiles = (...files: ReadonlyArray<string>): void => {
  childProcess.execFileSync(path.join(root, "node_modules/.bin/dprint"), ["fmt", ...files], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32"
  })
}
