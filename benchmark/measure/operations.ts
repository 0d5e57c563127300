/** Nanoseconds an operation, a thousand operations a turn. */
import { Bench } from "tinybench"
import type { Measurement } from "../measurement.ts"
import { turn } from "./heap.ts"

/** Operations of one kind, on the data with the numbers 0 to `n` - 1, over and over. */
export interface Operation {
  readonly name: string
  /** How often all data are gone through, at least: twice where it takes that long for all that can happen to have. */
  readonly passes?: number
  /** Before number 0. */
  readonly start?: () => void | Promise<void>
  readonly run: (from: number, to: number) => void
}

export const perTurn = 1000

/** So that the most are of code that is as fast as it gets, also where the data are few. */
const leastTurns = 500

/** The median of the turns, and their mean: the one leaves out what happens seldom, the other nothing. */
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

/** The median of a few runs of `n` operations, each in one turn, after the code is warm. */
export const measureLongTurn = async (n: number, operation: Operation): Promise<Measurement> => {
  const { name, run, start } = operation
  const bench = new Bench({ iterations: 5, time: 0, warmupIterations: 2, warmupTime: 0, throws: true })
  bench.add(name, () => run(0, n), {
    async: false,
    beforeEach: async () => {
      await start?.()
      await turn()
    }
  })
  const [task] = await bench.run()
  const { result } = task!
  if (result.state !== "completed") throw new Error(`${name}: ${result.state}`)
  return { name, unit: "ns", value: result.latency.p50 * 1e6 / n }
}
