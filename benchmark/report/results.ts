/** The measurements, and functions that look them up. */
import type { Job, Measurement } from "../measurement.ts"
import { floor, library } from "../subjects.ts"
import { median } from "./statistics.ts"

/** The samples of one measurement of one contender. */
export interface Result extends Job, Pick<Measurement, "name" | "unit"> {
  readonly samples: Array<Sample>
}

export interface Sample extends Pick<Measurement, "value" | "mean"> {
  readonly round: number
}

export type Results = ReadonlyArray<Result>

export const find = (results: Results, row: Partial<Result>): Result | undefined =>
  results.find((result) => isOf(result, row))

const isOf = (result: Result, row: Partial<Result>): boolean =>
  Object.entries(row).every(([key, value]) => result[key as keyof Result] === value)

export const valuesOf = ({ samples }: Result): Array<number> => samples.map(({ value }) => value)

export const valueOf = (result: Result): number => median(valuesOf(result))

/** Returns the median of the ratios within each round, so that other programs disturb both contenders equally. */
export const ratioOf = (
  a: Result | undefined,
  b: Result | undefined,
  of: "value" | "mean" = "value"
): number | undefined => {
  if (a === undefined || b === undefined) return undefined
  const ratios = a.samples.flatMap((sample) => {
    const other = b.samples.find(({ round }) => round === sample.round)
    const [above, below] = [sample[of], other?.[of]]
    return above === undefined || below === undefined ? [] : [above / below]
  })
  return ratios.length === 0 ? undefined : median(ratios)
}

/** Returns the ratio of this library to the floor. */
export const ratioToFloor = (
  results: Results,
  row: Partial<Result>,
  of: "value" | "mean" = "value"
): number | undefined =>
  ratioOf(find(results, { ...row, contender: library }), find(results, { ...row, contender: floor }), of)

/** Prints the results as JSON with one line for each row, so that diffs are short. */
export const formatResults = (written: Readonly<Record<string, unknown>>): string => {
  const fields = Object.entries(written).map(([key, value]) =>
    `  ${JSON.stringify(key)}: ` +
    (Array.isArray(value) && value.length > 0
      ? `[\n${value.map((row) => `    ${JSON.stringify(row)}`).join(",\n")}\n  ]`
      : JSON.stringify(value))
  )
  return `{\n${fields.join(",\n")}\n}\n`
}
