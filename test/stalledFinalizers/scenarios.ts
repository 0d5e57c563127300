/**
 * Programs that could stop all finalizers of the process on V8 before version 14. The
 * sentinel of `internal/registry.ts` prevents that. Each program makes the library drop
 * registries whose clean-up is due.
 *
 * The scenarios use no test runner, because vitest does not run on the oldest engines.
 * Each scenario needs its own process, because a stopped engine stays stopped.
 */
import { WeakKeyMap, WeakSet, WeakValueMap } from "../../src/index.ts"

const gc = (): void => (globalThis as unknown as { readonly gc: () => void }).gc()

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

const objects = (n: number): Array<object> => Array.from({ length: n }, (_, id) => ({ id }))

/** Adds new objects to a collection. Nothing else holds them when the returned promise resolves. */
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
  "drop a collection whose clean-up is due": async () => {
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

/** Runs a scenario, and then counts how many of 100 finalizers of another registry run. */
export const survivors = async (scenario: () => Promise<void>): Promise<number> => {
  const waiting = new Set(Array.from({ length: 100 }, (_, id) => id))
  const registry = new FinalizationRegistry<number>((id) => waiting.delete(id))
  await scenario()
  const register = () => objects(100).forEach((target, id) => registry.register(target, id))
  register()
  for (let round = 0; round < 50 && waiting.size > 0; round++) {
    await turn()
    gc()
  }
  // Keeps the registry alive, because an engine never cleans up a registry that has been collected.
  void registry
  return 100 - waiting.size
}
