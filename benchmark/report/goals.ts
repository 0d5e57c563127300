/** Compares the results with the goals. */
import { growing, nativeMap, oneReferent } from "../plan.ts"
import { caches, engine, floor, library, pattern, several, severalSubjects, subjects } from "../subjects.ts"
import { find, ratioOf, ratioToFloor, type Result, type Results, valueOf } from "./results.ts"

export interface Goal {
  readonly name: string
  readonly limit: string
  /** The largest figure that meets the goal, if a figure must not be larger. */
  readonly most?: number
  /** The figures of the goal, the worst first. */
  readonly figures: ReadonlyArray<Figure>
  readonly met: boolean | undefined
}

export interface Figure {
  readonly of: string
  readonly value: number
}

const n = 100_000
const million = 1_000_000
const operations = { measure: "operations", n } as const
const cost = { measure: "cost", n: million } as const

const collections = Object.keys(subjects).filter((subject) => subject !== caches)
/** The subjects in which a look-up uses the same object or a primitive. */
const byTheSame = collections.filter((subject) => !subject.includes("equal"))

const atMost = (name: string, limit: number, unit: string, figures: ReadonlyArray<Partial<Figure>>): Goal => {
  const known = figures.filter((figure): figure is Figure => figure.value !== undefined)
    .toSorted((a, b) => b.value - a.value)
  return {
    name,
    limit: `≤ ${limit}${unit}`,
    most: limit,
    figures: known,
    met: known.length === 0 ? undefined : known[0]!.value <= limit
  }
}

const overFloor = (
  results: Results,
  name: string,
  limit: number,
  rows: ReadonlyArray<Partial<Result>>,
  of: "value" | "mean" = "value"
): Goal =>
  atMost(
    name,
    limit,
    " × floor",
    rows.map((row) => ({ of: `${row.subject}, ${row.name}`, value: ratioToFloor(results, row, of)! }))
  )

const value = (results: Results, row: Partial<Result>): number | undefined => {
  const result = find(results, row)
  return result === undefined ? undefined : valueOf(result)
}

export const judge = (results: Results): ReadonlyArray<Goal> => {
  const each = (subjects: ReadonlyArray<string>, ...names: ReadonlyArray<string>) =>
    subjects.flatMap((subject) => names.map((name) => ({ measure: "operations", n, subject, name } as const)))
  const dying = { ...cost, name: "full collection, all dying" }
  const gone = { ...cost, name: "death and clean-up" }
  const longestTurn = { measure: "cost", name: "longest turn of the clean-up" } as const
  const keyMap = "WeakKeyMap by reference"
  const proxy = { measure: "operations", subject: "WeakProxy", name: "call a method" } as const
  const throughput = value(results, { ...cost, subject: "Finalizer", contender: library, name: "collected and run" })

  return [
    overFloor(results, "WeakRef.deref", 1.15, [{ ...operations, subject: "WeakRef", name: "deref" }]),
    overFloor(results, "get, same object or primitive key", 1.2, each(byTheSame, "get hit", "get miss")),
    overFloor(results, "set new", 1.25, each(collections, "set new")),
    // Uses the mean, because these operations sometimes renew registrations, which the median does not include.
    overFloor(results, "overwrite and remove", 1.5, each(collections, "overwrite", "remove"), "mean"),
    atMost(
      "overwrite and remove: growth of memory",
      1,
      " byte an entry",
      collections.map((subject) => ({
        of: subject,
        value: value(results, { measure: "cost", n, subject, contender: library, name: "growth by churn" })!
      }))
    ),
    overFloor(results, "iterate", 1.2, each(collections, "iterate")),
    overFloor(
      results,
      "bytes an entry",
      1.2,
      collections.map((subject) => ({ measure: "cost", n, subject, name: "bytes an entry" }))
    ),
    overFloor(results, "1,000,000 die: pause", 1.5, growing.map((subject) => ({ ...dying, subject }))),
    overFloor(results, "1,000,000 die: pause and clean-up", 1.5, growing.map((subject) => ({ ...gone, subject }))),
    atMost(
      `1,000,000 die: pause, to the ${pattern}'s`,
      0.1,
      " ×",
      [{
        of: keyMap,
        value: ratioOf(
          find(results, { ...dying, subject: keyMap, contender: library }),
          find(results, { ...dying, subject: keyMap, contender: pattern })
        )!
      }]
    ),
    overFloor(
      results,
      "full collection, 1,000,000 alive",
      1.3,
      growing.map((subject) => ({ ...cost, subject, name: "full collection, all alive" }))
    ),
    {
      name: "finalizers collected and run, a second",
      limit: "≥ 300000",
      figures: throughput === undefined ? [] : [{ of: "Finalizer", value: throughput }],
      met: throughput === undefined ? undefined : throughput >= 300_000
    },
    atMost("longest turn while 1,000,000 finalizers drain", 50, " ms", [{
      of: "Finalizer",
      value: value(results, {
        ...cost,
        subject: "Finalizer",
        contender: library,
        name: "longest turn of the clean-up"
      })!
    }]),
    ...([["get hit", 1.2], ["set new", 1.25], ["iterate", 1.2], ["forEach", 1.2]] as const).map(([operation, limit]) =>
      overFloor(
        results,
        `${operation}, after full collections`,
        limit,
        severalSubjects.map((subject) => ({
          measure: "after collections",
          subject: several,
          name: `${subject}: ${operation}`
        }))
      )
    ),
    atMost(
      "1,000,000 entries die: longest turn, to an empty callback's",
      1.2,
      " ×",
      growing.map((subject) => ({
        of: subject,
        value: ratioOf(
          find(results, { ...longestTurn, n: million, subject, contender: library }),
          find(results, { ...longestTurn, n: million, subject, contender: engine })
        )!
      }))
    ),
    overFloor(results, "500,000 callbacks of one referent: longest turn, to an empty callback's", 1.2, [
      { ...longestTurn, n: 500_000, subject: oneReferent }
    ]),
    atMost("bytes of a finalizer", 500, " bytes", [{
      of: "Finalizer",
      value: value(results, { ...cost, subject: "Finalizer", contender: library, name: "bytes each" })!
    }]),
    atMost("call a method, to a plain Proxy", 2, " ×", [{
      of: "WeakProxy",
      value: ratioOf(
        find(results, { ...proxy, contender: library }),
        find(results, { ...proxy, contender: "plain Proxy" })
      )!
    }]),
    atMost(
      "growth from 1,000 to 1,000,000 entries, to the floor's",
      // Even two measurements of the same code differ by as much.
      1.15,
      " ×",
      growing.flatMap((subject) =>
        ["set new", "get hit", "get miss", "iterate", "overwrite", "remove"].map((name) => ({
          of: `${subject}, ${name}`,
          value: growthOf(results, subject, name)!
        }))
      )
    ),
    atMost("get hit of a key map: growth from 1,000 to 1,000,000 entries, to a native WeakMap's", 1.15, " ×", [{
      of: keyMap,
      value: growthOf(results, keyMap, "get hit", nativeMap)!
    }])
  ].filter(({ figures }) => figures.length > 0)
}

const growthOf = (results: Results, subject: string, name: string, to = floor): number | undefined => {
  const ratio = (n: number) => {
    const row = { measure: "operations", subject, name, n } as const
    return ratioOf(find(results, { ...row, contender: library }), find(results, { ...row, contender: to }))
  }
  const [large, small] = [ratio(million), ratio(1000)]
  return large === undefined || small === undefined ? undefined : large / small
}
