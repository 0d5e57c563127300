/**
 * Programs that could stop every finalizer of the process on V8 before version
 * 14. Each one makes the library drop registries that wait for their clean-up.
 *
 * They use no test runner, because a stopped engine stays stopped: every scenario
 * needs a process of its own, and the oldest engines have no vitest.
 */
import { WeakKeyMap, WeakSet, WeakValueMap } from "../../src/index.ts"

const gc = (): void => (globalThis as unknown as { readonly gc: () => void }).gc()

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

const objects = (n: number): Array<object> => Array.from({ length: n }, (_, id) => ({ id }))

/** Fills a collection with objects that nothing else holds, in a turn that ends before this returns. */
const fill = async (add: (element: object) => void, n = 1000): Promise<void> => {
  objects(n).forEach(add)
  await turn()
}

export const scenarios: Record<string, () => Promise<void>> = {
  "clear a set whose elements died in this turn": async () => {
    const set = WeakSet.makeUnsafe<object>()
    await fill((element) => WeakSet.add(set, element))
    gc()
    WeakSet.clear(set)
    gc()
  },
  "clear a key map whose keys died in this turn": async () => {
    const map = WeakKeyMap.makeUnsafe<object, number>()
    await fill((key) => WeakKeyMap.set(map, key, 1))
    gc()
    WeakKeyMap.clear(map)
    gc()
  },
  "clear a value map whose values died in this turn": async () => {
    const map = WeakValueMap.makeUnsafe<number, object>()
    let key = 0
    await fill((value) => WeakValueMap.set(map, key++, value))
    gc()
    WeakValueMap.clear(map)
    gc()
  },
  "renew the registry of a set by removals": async () => {
    const set = WeakSet.makeUnsafe<object>()
    await fill((element) => WeakSet.add(set, element))
    gc()
    const element = {}
    for (let i = 0; i < 10_000; i++) WeakSet.remove(WeakSet.add(set, element), element)
    gc()
  },
  "churn a cache in long turns": async () => {
    const cache = WeakValueMap.makeUnsafe<number, object>()
    let key = 0
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 20_000; i++) {
        WeakValueMap.set(cache, key++ % 30_000, { round })
        if (i % 3 === 0) WeakValueMap.remove(cache, i)
        if (i % 5000 === 0) gc()
      }
      if (round % 4 === 3) await turn()
    }
  },
  "drop a whole collection that waits for its clean-up": async () => {
    const held: Array<unknown> = []
    const set = () => {
      const set = WeakSet.makeUnsafe<object>()
      held.push(set)
      return set
    }
    await fill((element) => WeakSet.add(held.length === 0 ? set() : held[0] as WeakSet.WeakSet<object>, element))
    gc()
    held.length = 0
    gc()
  },
  "drop many short-lived collections": async () => {
    const held: Array<unknown> = []
    const makeMany = () => {
      for (let i = 0; i < 100; i++) {
        const set = WeakSet.makeUnsafe<object>()
        const map = WeakKeyMap.makeUnsafe<object, object>({ compare: "structural" })
        const values = WeakValueMap.makeUnsafe<object, object>()
        for (const element of objects(20)) {
          WeakSet.add(set, element)
          WeakKeyMap.set(map, element, {})
          WeakValueMap.set(values, {}, element)
        }
        held.push(set, map, values)
      }
    }
    for (let round = 0; round < 5; round++) {
      makeMany()
      await turn()
      gc()
      held.length = 0
      gc()
    }
  }
}

/** Runs a scenario, and then counts how many of 100 finalizers of the user's own run. */
export const survivors = async (scenario: () => Promise<void>): Promise<number> => {
  let finalized = 0
  const registry = new FinalizationRegistry(() => finalized++)
  await scenario()
  const register = () => objects(100).forEach((target) => registry.register(target, undefined))
  register()
  for (let round = 0; round < 50 && finalized < 100; round++) {
    await turn()
    gc()
  }
  // The registry must live to the end, or nobody would call it.
  void registry
  return finalized
}
