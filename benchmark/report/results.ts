/** All that was measured, and how one finds one's way in it. */
import type { Job, Measurement } from "../measurement.ts"
import { floor, library } from "../subjects.ts"
import { median } from "./statistics.ts"

/** One measurement of one contender, in each round. */
export interface Result extends Job, Pick<Measurement, "name" | "unit"> {
  readonly samples: Array<Sample>
}

export interface Sample extends Pick<Measurement, "value" | "mean"> {
  readonly round: number
}

export type Results = ReadonlyArray<Result>

export const find = (results: Results, row: Partial<Result>): Result | undefined =>
  results.find((result) => isOf(result, row))

export const findAll = (results: Results, row: Partial<Result>): Results =>
  results.filter((result) => isOf(result, row))

const isOf = (result: Result, row: Partial<Result>): boolean =>
  Object.entries(row).every(([key, value]) => result[key as keyof Result] === value)

/** The same row of another contender. */
export const sibling = (results: Results, { measure, n, name, subject }: Result, contender: string) =>
  find(results, { contender, measure, n, name, subject })

export const valuesOf = ({ samples }: Result): Array<number> => samples.map(({ value }) => value)

export const valueOf = (result: Result): number => median(valuesOf(result))

/** Of two contenders round by round, so that what the machine did besides in one of them is on both sides. */
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

/** This library to the floor. */
export const ratioToFloor = (
  results: Results,
  row: Partial<Result>,
  of: "value" | "mean" = "value"
): number | undefined =>
  ratioOf(find(results, { ...row, contender: library }), find(results, { ...row, contender: floor }), of)

/** As JSON with one line for each row, so that a new measurement is as long a change as it has rows. */
export const formatResults = (written: Readonly<Record<string, unknown>>): string => {
  const fields = Object.entries(written).map(([key, value]) =>
    `  ${JSON.stringify(key)}: ` +
    (Array.isArray(value) && value.length > 0
      ? `[\n${value.map((row) => `    ${JSON.stringify(row)}`).join(",\n")}\n  ]`
      : JSON.stringify(value))
  )
  return `{\n${fields.join(",\n")}\n}\n`
}
