/** Measures the nanoseconds per operation, with a thousand operations per turn. */
import { Bench } from "tinybench"
import type { Measurement } from "../measurement.ts"
import { turn } from "./heap.ts"

/** An operation that runs repeatedly on the data 0 to `n` - 1. */
export interface Operation {
  readonly name: string
  /** How often the operation runs on all data, at least. Two passes are needed to include rare work. */
  readonly passes?: number
  /** Runs before each pass. */
  readonly start?: () => void | Promise<void>
  readonly run: (from: number, to: number) => void
}

export const perTurn = 1000

/** The minimum number of turns, so that most turns run optimized code even for few data. */
const leastTurns = 500

/** Returns the median of the turns, and their mean. Unlike the median, the mean includes rare work. */
export const measureOperation = async (n: number, operation: Operation): Promise<Measurement> => {
  const { name, passes = 1, run, start } = operation
  const turns = Math.max(passes * n / perTurn, leastTurns)
  let position = n
  const bench = new Bench({ iterations: turns, time: 0, warmupIterations: 20, warmupTime: 0, throws: true })
  bench.add(name, () => {
    run(position, position + perTurn)
    position += perTurn
  }, {
    async: false,
    beforeEach: async () => {
      if (position + perTurn > n) {
        position = 0
        await start?.()
      }
      await turn()
    }
  })
  const [task] = await bench.run()
  const { result } = task!
  if (result.state !== "completed") throw new Error(`${name}: ${result.state}`)
  return {
    name,
    unit: "ns",
    value: result.latency.p50 * 1e6 / perTurn,
    mean: result.latency.mean * 1e6 / perTurn
  }
}
