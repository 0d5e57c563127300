/** Measures finalizers and callbacks: making them, running them by hand, and running them after a collection. */
import type { Finalizers } from "../contenders.ts"
import type { Measurement } from "../measurement.ts"
import { collect, drain, heapInUse, turn } from "./heap.ts"
import { type Operation, perTurn } from "./operations.ts"

export const contenders: Readonly<Record<string, Readonly<Record<string, () => Promise<Finalizers>>>>> = {
  "Finalizer": {
    "effect-weakref": async () => (await import("../library/finalizers.ts")).finalizers,
    floor: async () => (await import("../floor/finalizers.ts")).finalizers,
    "by hand": async () => (await import("../peers/byHandFinalizers.ts")).finalizers
  },
  "WeakRef.onCollect": {
    "effect-weakref": async () => (await import("../library/callbacks.ts")).callbacks,
    floor: async () => (await import("../floor/callbacks.ts")).callbacks
  },
  "WeakRef.onCollect of one referent": {
    "effect-weakref": async () => (await import("../library/callbacks.ts")).callbacks,
    floor: async () => (await import("../floor/emptyCallback.ts")).callbacks
  }
}

const eachItsOwn = (n: number): Array<object> => Array.from({ length: n }, (_, i) => ({ i }))

/** The targets of a subject in which several finalizers have the same target. */
export const targetsOf: Readonly<Record<string, (n: number) => Array<object>>> = {
  "WeakRef.onCollect of one referent": (n) => {
    const target = {}
    return Array.from({ length: n }, () => target)
  }
}

export const operationsOf = ({ close, make, open, run }: Finalizers, n: number): ReadonlyArray<Operation> => {
  const targets = eachItsOwn(n)
  const handles: Array<unknown> = Array.from({ length: n })
  const release = () => {}
  let owner: unknown
  const reopen = () => {
    if (owner !== undefined) close(owner)
    owner = open()
  }
  const operations: Array<Operation> = [{
    name: "make",
    start: reopen,
    run: (from, to) => make(owner, targets, release, handles, from, to)
  }]
  if (run !== undefined) {
    operations.push({
      name: "run",
      start: async () => {
        reopen()
        for (let from = 0; from < n; from += perTurn) {
          make(owner, targets, release, handles, from, from + perTurn)
          await turn()
        }
      },
      run: (from, to) => run(owner, handles, from, to)
    })
  }
  return operations
}

/** The engine may still hold the last targets when the others are collected. */
const few = 10

/** Measures the collection of `n` targets that die at once, and the run of their callbacks. */
export const measureCost = async (
  { close, make, open }: Finalizers,
  n: number,
  targetsOf = eachItsOwn
): Promise<Array<Measurement>> => {
  let released = 0
  const release = () => {
    released++
  }
  const owner = open()
  const fill = async (targets: Array<object>) => {
    for (let from = 0; from < targets.length; from += perTurn) {
      make(owner, targets, release, [], from, from + perTurn)
      await turn()
    }
  }
  const areReleased = (count: number) => released >= count - few
  // Lets the engine optimize the code first.
  await fill(targetsOf(20_000))
  while (!areReleased(20_000)) await collect()

  const empty = await heapInUse()
  const targets = targetsOf(n)
  const before = await heapInUse()
  await fill(targets)
  const full = await heapInUse()
  targets.length = 0
  released = 0
  const death = await collect()
  const { longestTurn, time } = await drain(() => areReleased(n))
  const after = await heapInUse()
  close(owner)
  if (released < n) throw new Error(`${released} of ${n} released`)

  return [
    { name: "bytes each", unit: "bytes", value: (full - before) / n },
    { name: "bytes left by each", unit: "bytes", value: (after - empty) / n },
    { name: "full collection, all dying", unit: "ms", value: death },
    { name: "collected and run", unit: "per second", value: n / time * 1000 },
    { name: "longest turn of the clean-up", unit: "ms", value: longestTurn }
  ]
}
