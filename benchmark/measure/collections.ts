/**
 * The operations of a collection. All visit the entries in insertion order, because this keeps memory access fast. Slow
 * memory access would hide the differences between contenders.
 */
import type { Collection } from "../contenders.ts"
import type { Subject } from "../subjects.ts"
import { inTurns } from "./heap.ts"
import type { Operation } from "./operations.ts"

/** Keeps the last result, so that the engine cannot remove an operation as unused. */
export const kept: { value: unknown } = { value: undefined }

export const operationsOf = (collection: Collection, subject: Subject, n: number): ReadonlyArray<Operation> => {
  const { get, iterate, make, remove, set } = collection
  const keys = subject.keys(n)
  const values = subject.values(n)
  const others = subject.values(n)
  const probes = subject.probes(keys)
  const missing = subject.keys(n + 1000).slice(n)

  let self = make()
  let isFull = false
  let iterator: Iterator<unknown> | undefined
  const empty = () => {
    self = make()
    isFull = false
  }
  const fill = async () => {
    if (isFull) return
    empty()
    await inTurns(n, (i) => set(self, keys[i], values[i]))
    isFull = true
  }

  const operations: Array<Operation> = [{
    name: "set new",
    start: empty,
    run: (from, to) => {
      for (let i = from; i < to; i++) kept.value = set(self, keys[i], values[i])
    }
  }, {
    name: "get hit",
    start: fill,
    run: (from, to) => {
      for (let i = from; i < to; i++) kept.value = get(self, probes[i])
    }
  }, {
    name: "get miss",
    start: fill,
    run: (from, to) => {
      for (let i = from; i < to; i++) kept.value = get(self, missing[i % 1000])
    }
  }]
  if (iterate !== undefined) {
    operations.push({
      name: "iterate",
      start: async () => {
        await fill()
        iterator = iterate(self)
      },
      run: (from, to) => {
        for (let i = from; i < to; i++) kept.value = iterator!.next().value
      }
    })
  }
  let round = 0
  operations.push({
    name: "overwrite",
    passes: 2,
    start: async () => {
      await fill()
      round++
    },
    run: (from, to) => {
      const replacements = round % 2 === 0 ? values : others
      for (let i = from; i < to; i++) kept.value = set(self, probes[i], replacements[i])
    }
  }, {
    name: "remove",
    start: async () => {
      await fill()
      isFull = false
    },
    run: (from, to) => {
      for (let i = from; i < to; i++) kept.value = remove(self, probes[i])
    }
  })
  return operations
}
