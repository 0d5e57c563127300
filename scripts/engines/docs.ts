/** Writes the tables of `docs/engines.md` and of the README. */
import { formatFiles, replaceBetween, table } from "../markdown.ts"
import type { Row } from "./main.ts"
import { perReason } from "./report.ts"

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

export const writeTables = (rows: ReadonlyArray<Row>): void => {
  replaceBetween("README.md", "engines", results(rows, false))
  replaceBetween(
    "docs/engines.md",
    "engines",
    `${results(rows, true)}
${failures(rows)}
What was skipped, and how often. A file that does not run at all counts once.

${reasons(rows.filter(({ skipped }) => skipped.length > 0))}`
  )
  formatFiles("README.md", "docs/engines.md")
}
