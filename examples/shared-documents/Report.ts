import type { Report } from "./driver.ts"

/** A table of one column per run. */
export const table = (reports: ReadonlyArray<Report>): string => {
  const rows: ReadonlyArray<readonly [string, (report: Report) => string]> = [
    ["requests", ({ requests }) => count(requests)],
    ["  answered from memory", ({ counts }) => percent(counts.fromMemory, counts.requests)],
    ["  of the others, from the store", ({ counts }) => percent(counts.fromStore, counts.lookups)],
    ["  rendered", ({ counts }) => count(counts.renders)],
    ["  renders saved", ({ counts }) => percent(counts.requests - counts.renders, counts.requests)],
    ["  rendered because the store was down", ({ counts }) => count(counts.withoutStore)],
    ["memory of each process", ({ memory }) => `${memory.map((bytes) => (bytes / 1e6).toFixed(0)).join(", ")} MB`],
    ["documents in memory, all processes", ({ counts }) => count(counts.alive)],
    ["changes", ({ changes }) => count(changes)],
    ["  staleness, median", ({ staleness }) => millis(staleness.median)],
    ["  staleness, 99th percentile", ({ staleness }) => millis(staleness.p99)],
    [
      "  staleness without Redis, longest",
      ({ redis, stalenessInOutage }) => redis ? millis(stalenessInOutage.max) : "-"
    ],
    ["  invalidations resumed after", ({ resumedAfter }) => resumedAfter === undefined ? "-" : millis(resumedAfter)],
    [`stale answers after the bound`, ({ bound, staleAfterBound }) => `${staleAfterBound} (${millis(bound)})`],
    ["wrong answers", ({ wrong }) => count(wrong)],
    ["failed requests of live processes", ({ failed }) => count(failed)]
  ]
  const header = ["", ...reports.map(({ redis }) => redis ? "Redis" : "embedded")]
  const lines = [header].concat(rows.map(([name, of]) => [name].concat(reports.map(of))))
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) => line.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
    .map((line) => line.join("  ").trimEnd())
    .join("\n")
}

const count = (n: number): string => n.toLocaleString("en")
const percent = (part: number, whole: number): string => whole === 0 ? "-" : `${(100 * part / whole).toFixed(1)} %`
const millis = (n: number): string => `${n.toFixed(0)} ms`
