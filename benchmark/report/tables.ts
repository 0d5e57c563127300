/** Prints the results as text. */
import { styleText } from "node:util"
import { library } from "../subjects.ts"
import type { Goal } from "./goals.ts"
import { ratioToFloor, type Result, type Results, valueOf, valuesOf } from "./results.ts"
import { spread } from "./statistics.ts"
import { formatTable } from "./table.ts"

/** Prints one table for each subject, measure and number of entries, with one column per contender. */
export const resultTables = (results: Results): string =>
  Array.from(Map.groupBy(results, ({ measure, n, subject }) => `${subject}: ${measure}, ${n.toLocaleString("en")}`))
    .map(([title, rows]) => `${styleText("bold", title)}\n${resultTable(rows)}`)
    .join("\n\n")

const resultTable = (results: Results): string => {
  const contenders = Array.from(new Set(results.map(({ contender }) => contender)))
    .sort((a, b) => rank(a) - rank(b))
  const rows = Array.from(Map.groupBy(results, ({ name }) => name), ([name, row]) => [
    `${name}, ${row[0]!.unit}`,
    ...contenders.map((contender) => formatValue(row.find((result) => result.contender === contender))),
    formatRatio(ratioToFloor(row, { name })),
    formatRatio(ratioToFloor(row, { name }, "mean"))
  ])
  return formatTable(["", ...contenders, "× floor", "by means"], rows)
}

const rank = (contender: string): number => contender === library ? 0 : contender === "floor" ? 1 : 2

const formatValue = (result: Result | undefined): string => {
  if (result === undefined) return ""
  const noise = result.samples.length > 1 ? ` ±${Math.round(100 * spread(valuesOf(result)))}%` : ""
  return formatNumber(valueOf(result)) + noise
}

export const formatNumber = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(Math.abs(value) >= 10 ? 1 : 2)

const formatRatio = (ratio: number | undefined): string => ratio === undefined ? "" : ratio.toFixed(2)

export const goalTable = (goals: ReadonlyArray<Goal>): string =>
  formatTable(
    ["goal", "limit", "measured", "", "where"],
    goals.map(({ figures: [worst, ...others], limit, met, name }) => [
      name,
      limit,
      others.length === 0
        ? formatNumber(worst!.value)
        : `${formatNumber(others.at(-1)!.value)} – ${formatNumber(worst!.value)}`,
      met === true ? styleText("green", "met") : styleText("red", "missed"),
      others.length === 0 ? "" : `worst: ${worst!.of}`
    ])
  )
