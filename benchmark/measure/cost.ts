/** Measures the cost of the entries of a collection: while they are alive, when they die together, and afterwards. */
import type { Collection } from "../contenders.ts"
import type { Measurement } from "../measurement.ts"
import { median } from "../report/statistics.ts"
import type { Subject } from "../subjects.ts"
import { collect, drain, heapInUse, inTurns } from "./heap.ts"

export const measureCost = async (
  { holds, make, remove, set, size }: Collection,
  subject: Subject,
  n: number
): Promise<Array<Measurement>> => {
  const empty = await heapInUse()
  const keys = subject.keys(n)
  const values = subject.values(n)
  const before = await heapInUse()
  const self = make()
  await inTurns(n, (i) => set(self, keys[i], values[i]))
  const full = await heapInUse()

  const bytes: Measurement = { name: "bytes an entry", unit: "bytes", value: (full - before) / n }
  // Keeps the collection alive until here.
  if (holds && size(self) !== n) throw new Error("Entries are missing")
  if (holds) return [bytes]

  const live: Array<number> = []
  for (let round = 0; round < 5; round++) live.push(await collect())

  const growth = n > 100_000 ? [] : await measureGrowth(async () => {
    await inTurns(n, (i) => set(self, keys[i], values[n - 1 - i]))
    await inTurns(n, (i) => set(self, keys[i], values[i]))
    await inTurns(n, (i) => {
      remove(self, keys[i])
      set(self, keys[i], values[i])
    })
  })

  keys.length = 0
  values.length = 0
  const death = await collect()
  const { longestTurn, time } = await drain(() => size(self) === 0)
  const after = await heapInUse()
  // Keeps the collection alive until here.
  if (size(self) !== 0) throw new Error("Entries came back")

  return [
    bytes,
    ...growth.map((bytes): Measurement => ({ name: "growth by churn", unit: "bytes", value: bytes / n })),
    { name: "bytes left by an entry", unit: "bytes", value: (after - empty) / n },
    { name: "full collection, all alive", unit: "ms", value: median(live) },
    { name: "full collection, all dying", unit: "ms", value: death },
    { name: "longest turn of the clean-up", unit: "ms", value: longestTurn },
    { name: "death and clean-up", unit: "ms", value: death + time }
  ]
}

/** Measures how much the heap grows by repeated changes, after the first repetitions. */
const measureGrowth = async (churn: () => Promise<void>): Promise<[number]> => {
  for (let round = 0; round < 2; round++) await churn()
  const before = await heapInUse()
  for (let round = 0; round < 2; round++) await churn()
  return [await heapInUse() - before]
}
