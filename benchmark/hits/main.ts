/** Prints how many reads the strong front of `WeakCache` finds, beside LRU, the optimum and peers: `npm run bench:hits -- [DIR]`. */
import { formatTable } from "../report/table.ts"
import { effectCache, lru, lruCache, optimum, type Policy, strongFront } from "./policies.ts"
import { generatedTraces, type Trace, tracesOf } from "./traces.ts"

const [directory] = process.argv.slice(2)

/** The parts of the distinct keys that a cache holds. */
const parts = [0.01, 0.02, 0.05, 0.1, 0.2]

const peers: Readonly<Record<string, Policy>> = { "lru-cache": lruCache, "Effect's Cache": effectCache }

interface Result {
  readonly trace: string
  readonly capacity: number
  /** Hit ratios in percent. */
  readonly ratios: ReadonlyArray<number>
}

const measure = ({ keys, name }: Trace): Array<Result> => {
  const distinct = new Set(keys).size
  const capacities = new Set(parts.map((part) => Math.max(1, Math.round(part * distinct))))
  return Array.from(capacities, (capacity) => ({
    trace: name,
    capacity,
    ratios: [lru, strongFront, optimum, ...Object.values(peers)].map((policy) =>
      100 * policy(keys, capacity) / keys.length
    )
  }))
}

const print = (title: string, traces: ReadonlyArray<Trace>): void => {
  if (traces.length === 0) return
  const results = traces.flatMap(measure)
  const rows = results.map(({ capacity, ratios, trace }) => {
    const [ofLru, ofFront, ofOptimum] = ratios as [number, number, number]
    return {
      trace,
      capacity,
      ratios,
      closed: (ofFront - ofLru) / Math.max(ofOptimum - ofLru, 1e-9),
      change: ofFront - ofLru
    }
  })
  const mean = (of: (row: typeof rows[number]) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length
  console.log(`${title}: hits in percent of the reads`)
  console.log(formatTable(
    ["trace", "capacity", "LRU", "WeakCache", "optimum", ...Object.keys(peers), "gap closed"],
    [
      ...rows.map(({ capacity, closed, ratios, trace }) => [
        trace,
        capacity.toLocaleString("en"),
        ...ratios.map((ratio) => ratio.toFixed(1)),
        closed.toFixed(2)
      ]),
      [
        "mean",
        "",
        ...rows[0]!.ratios.map((_, n) => mean(({ ratios }) => ratios[n]!).toFixed(1)),
        mean((row) => row.closed).toFixed(2)
      ]
    ]
  ))
  const worst = rows.reduce((a, b) => a.change < b.change ? a : b)
  console.log(
    `The largest loss to LRU: ${Math.max(0, -worst.change).toFixed(1)} points (${worst.trace}, ${worst.capacity}).\n`
  )
}

print("Generated traces", generatedTraces())
if (directory !== undefined) print(`Traces of ${directory}`, tracesOf(directory))
