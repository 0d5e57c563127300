/**
 * Measures operations as in an application: several kinds of collection in one process, with full collections of the
 * heap between them. V8 discards optimized code when a hidden class that the code embeds dies.
 */
import type { Collection } from "../contenders.ts"
import type { Measurement } from "../measurement.ts"
import { median } from "../report/statistics.ts"
import type { Subject } from "../subjects.ts"
import { kept } from "./collections.ts"
import { collect, turn } from "./heap.ts"

/** The first rounds are not counted, because their code is not optimized yet. */
const warmUp = 10
const rounds = 20

interface Contestant {
  readonly name: string
  readonly subject: Subject
  readonly collection: Collection
}

export const measureAfterCollections = async (
  contestants: ReadonlyArray<Contestant>,
  n: number
): Promise<Array<Measurement>> => {
  const samples = new Map<string, Array<number>>()
  const prepared = contestants.map(({ collection, name, subject }) => {
    const keys = subject.keys(n)
    return { name, collection, keys, probes: subject.probes(keys), values: subject.values(n) }
  })
  for (let round = 0; round < warmUp + rounds; round++) {
    for (const { collection, keys, name, probes, values } of prepared) {
      const { forEach, get, loop, make, set } = collection
      // No variable of this function holds the collection when the heap is collected, except in its own round.
      const self = make()
      const operations: Readonly<Record<string, () => void>> = {
        "set new": () => {
          for (let i = 0; i < n; i++) kept.value = set(self, keys[i], values[i])
        },
        "get hit": () => {
          for (let i = 0; i < n; i++) kept.value = get(self, probes[i])
        },
        iterate: () => loop!(self, kept),
        forEach: () =>
          forEach!(self, (value) => {
            kept.value = value
          })
      }
      for (const [operation, run] of Object.entries(operations)) {
        kept.value = undefined
        await collect()
        await turn()
        const start = performance.now()
        run()
        const time = performance.now() - start
        if (round < warmUp) continue
        const key = `${name}: ${operation}`
        const times = samples.get(key) ?? []
        times.push(time * 1e6 / n)
        samples.set(key, times)
      }
    }
  }
  return Array.from(samples, ([name, times]): Measurement => ({ name, unit: "ns", value: median(times) }))
}
