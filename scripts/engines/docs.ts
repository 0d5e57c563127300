/** Writes the tables of `docs/engines.md` and of the README. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "./install.ts"
import type { Row } from "./main.ts"
import { perReason } from "./report.ts"

const [begin, end] = ["<!-- engines: begin -->", "<!-- engines: end -->"]

const line = (cells: ReadonlyArray<string | number>): string => `| ${cells.join(" | ")} |`

const table = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string | number>>): string =>
  [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n")

const number = (n: number): string => n.toLocaleString("en")

const results = (rows: ReadonlyArray<Row>, withDate: boolean): string =>
  table(
    ["Engine", "Version", "Tests", "Passed", "Failed", "Skipped", ...withDate ? ["Date"] : []],
    rows.map(({ date, engine, failed, missing, passed, skipped, tests, version }) =>
      missing === undefined
        ? [engine, version, tests, ...[passed, failed, skipped.length].map(number), ...withDate ? [date] : []]
        : [engine, `did not run: ${missing}`, "", "", "", "", ...withDate ? [date] : []]
    )
  )

const reasons = (rows: ReadonlyArray<Row>): string => {
  const counts = rows.map(({ skipped }) => new Map(perReason(skipped)))
  const all = [...new Set(counts.flatMap((count) => [...count.keys()]))]
  const total = (reason: string) => counts.reduce((sum, count) => sum + (count.get(reason) ?? 0), 0)
  return table(
    ["The test or file …", ...rows.map(({ engine }) => engine)],
    all.toSorted((a, b) => total(b) - total(a)).map((reason) =>
      [reason].concat(counts.map((count) => String(count.get(reason) ?? "")))
    )
  )
}

const failures = (rows: ReadonlyArray<Row>): string => {
  const all = rows.flatMap(({ engine, failures }) => failures.map((name) => `- ${engine}: ${name}`))
  return all.length === 0 ? "" : `\nWhat failed:\n\n${all.join("\n")}\n`
}

const replace = (name: string, text: string): void => {
  const file = path.join(root, name)
  const before = fs.readFileSync(file, "utf8")
  const [from, to] = [before.indexOf(begin), before.indexOf(end)]
  if (from === -1 || to === -1) throw new Error(`${name} has no place for the table`)
  fs.writeFileSync(file, `${before.slice(0, from + begin.length)}\n\n${text}\n${before.slice(to)}`)
}

export const writeTables = (rows: ReadonlyArray<Row>): void => {
  replace("README.md", `${results(rows, false)}\n`)
  replace(
    "docs/engines.md",
    `${results(rows, true)}
${failures(rows)}
What was skipped, and how often. A file that does not run at all counts once.

${reasons(rows.filter(({ skipped }) => skipped.length > 0))}
`
  )
  childProcess.execFileSync(path.join(root, "node_modules/.bin/dprint"), ["fmt", "README.md", "docs/engines.md"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32"
  })
}
