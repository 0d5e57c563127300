/**
 * Explores ten published npm packages through `install`, with the same laws for each. The tests expect the
 * bugs that were found. If a package fixes a bug, its test fails.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createRequire } from "node:module"
import { TestHeap } from "../../src/testing/index.ts"

const require = createRequire(import.meta.url)

// Some packages have no types.
const load = (name: string): Promise<any> => import(/* @vite-ignore */ name)

/** Adapts a weak collection of a package. For a weak set, the element is its own key. */
interface Collection {
  readonly add: (key: string, value: object) => void
  /** Is missing if the collection finds entries only by their weak value. */
  readonly get?: (key: string) => unknown
  readonly has?: (key: string) => boolean
  readonly clear: () => void
  readonly size: () => number
  readonly values: () => Iterable<unknown>
}

type Law = (make: () => Collection) => Effect.Effect<void, string, TestHeap.TestHeap>

const entry = (collection: Collection) =>
  Effect.gen(function*() {
    const first = { id: 1 }
    collection.add("key", first)
    yield* TestHeap.mayCollect(first)
    yield* TestHeap.turn
  })

const laws: Record<string, Law> = {
  "an entry outlives the clean-up of its predecessor": (make) =>
    Effect.gen(function*() {
      const collection = make()
      if (collection.get === undefined) return
      yield* entry(collection)
      if (collection.get("key") !== undefined) return
      const second = { id: 2 }
      collection.add("key", second)
      yield* TestHeap.turn
      if (collection.get("key") !== second) return yield* Effect.fail("the second entry is gone")
    }),
  "has and get agree in the same turn": (make) =>
    Effect.gen(function*() {
      const collection = make()
      if (collection.has === undefined || collection.get === undefined) return
      yield* entry(collection)
      const has = collection.has("key")
      const value = collection.get("key")
      if (has !== (value !== undefined)) return yield* Effect.fail(`has says ${has}, get finds ${String(value)}`)
    }),
  "clear removes every entry": (make) =>
    Effect.gen(function*() {
      const collection = make()
      yield* entry(collection)
      collection.clear()
      if (collection.size() > 0) return yield* Effect.fail(`size is ${collection.size()}`)
    }),
  "an entry that was added after clear outlives the clean-ups of before": (make) =>
    Effect.gen(function*() {
      const collection = make()
      if (collection.get === undefined) return
      yield* entry(collection)
      collection.clear()
      const second = { id: 2 }
      collection.add("key", second)
      yield* TestHeap.turn
      if (collection.get("key") !== second) return yield* Effect.fail("the second entry is gone")
    }),
  "size counts the entries when all clean-ups have run": (make) =>
    Effect.gen(function*() {
      const collection = make()
      if (collection.get === undefined) return
      yield* entry(collection)
      if (collection.get("key") !== undefined) return
      const second = { id: 2 }
      collection.add("key", second)
      yield* TestHeap.finalize
      if (collection.size() !== 1) return yield* Effect.fail(`size is ${collection.size()}`)
    }),
  "an iteration yields live values": (make) =>
    Effect.gen(function*() {
      const collection = make()
      yield* entry(collection)
      for (const value of collection.values()) {
        if (value === undefined) return yield* Effect.fail("it shows undefined")
      }
    })
}

const explore = (law: Law, make: () => Promise<() => Collection>, options?: TestHeap.ExploreOptions) =>
  TestHeap.explore(
    Effect.gen(function*() {
      yield* TestHeap.install()
      yield* law(yield* Effect.promise(make))
    }),
    options
  )

/** Returns the result of the exploration of each law. */
const findings = (make: () => Promise<() => Collection>, options?: TestHeap.ExploreOptions) =>
  Effect.map(
    Effect.forEach(Object.entries(laws), ([name, law]) =>
      explore(law, make, options).pipe(
        Effect.map(({ exhaustive }) => exhaustive ? "holds" : "was sampled"),
        Effect.catch((error) =>
          Effect.succeed(
            error.reason === "NoChoice" ? "does not apply" : `${error.trace}: ${error.message.split("\n")[0]}`
          )
        ),
        Effect.map((found) => [name, found] as const)
      )),
    Object.fromEntries
  )

const holding = Object.fromEntries(Object.keys(laws).map((name) => [name, "holds"]))

/** Laws that say nothing about a set, so that the collector has no choice. */
const onlyOfMaps = {
  "an entry outlives the clean-up of its predecessor": "does not apply",
  "an entry that was added after clear outlives the clean-ups of before": "does not apply",
  "size counts the entries when all clean-ups have run": "does not apply",
  "has and get agree in the same turn": "does not apply"
}

const dead = `turn 2: {id: 1} is collected before "deref"`
const late = "turn 3: its clean-up runs, although it was unregistered"
const goneAfterClear = {
  "an entry that was added after clear outlives the clean-ups of before":
    "turn 3: {id: 1} is collected and its clean-up runs: the second entry is gone"
}
const lateCleanUp = {
  "an entry outlives the clean-up of its predecessor": `${dead}; ${late}: the second entry is gone`,
  "size counts the entries when all clean-ups have run": `${dead}; ${late}: size is 0`
}

// Each package reads the globals when it makes a collection, unless a comment says otherwise.
describe("packages under TestHeap.explore", () => {
  const weakrefMap = async () => {
    const { WeakValueMap } = await load("weakref")
    return () => {
      const map = new WeakValueMap()
      return {
        add: (key: string, value: object) => map.set(key, value),
        get: (key: string) => map.get(key),
        has: (key: string) => map.has(key),
        clear: () => map.clear(),
        size: () => map.size,
        values: () => map.values()
      }
    }
  }

  it.effect("weakref's WeakValueMap obeys the laws, unless a clean-up may run after unregister", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* findings(weakrefMap), holding)
      assert.deepStrictEqual(yield* findings(weakrefMap, { lateUnregister: true }), {
        ...holding,
        ...lateCleanUp,
        "an entry that was added after clear outlives the clean-ups of before":
          "turn 3: the clean-up of {id: 1} runs, although it was unregistered: the second entry is gone"
      })
    }))

  it.effect("weakref's IterableWeakSet does not clear dead elements", () =>
    Effect.gen(function*() {
      const found = yield* findings(async () => {
        const { IterableWeakSet } = await load("weakref")
        return () => {
          const set = new IterableWeakSet()
          return {
            add: (_, value) => set.add(value),
            clear: () => set.clear(),
            size: () => set.size,
            values: () => set
          }
        }
      })
      assert.deepStrictEqual(found, { ...holding, ...onlyOfMaps, "clear removes every entry": `${dead}: size is 1` })
    }))

  const weakValue = async () => {
    const { default: WeakValue } = await load("weak-value")
    return () => {
      const map = new WeakValue()
      return {
        add: (key: string, value: object) => map.set(key, value),
        get: (key: string) => map.get(key),
        has: (key: string) => map.has(key),
        clear: () => map.clear(),
        size: () => map.size,
        // The iterators of weak-value yield the weak references.
        values: () => [...map.values()].map((ref: WeakRef<object>) => ref.deref())
      }
    }
  }

  it.effect("weak-value iterates over dead references, and loses an entry if a clean-up runs after unregister", () =>
    Effect.gen(function*() {
      const found = {
        ...holding,
        ...goneAfterClear,
        "an iteration yields live values": `${dead}: it shows undefined`
      }
      assert.deepStrictEqual(yield* findings(weakValue), found)
      assert.deepStrictEqual(yield* findings(weakValue, { lateUnregister: true }), { ...found, ...lateCleanUp })
    }))

  const showsAndLeavesDead = {
    ...holding,
    ...onlyOfMaps,
    "clear removes every entry": `${dead}: size is 1`,
    "an iteration yields live values": `${dead}: it shows undefined`
  }

  // This package reads the globals when it is loaded. So each run loads it again.
  const iterableWeak = (): any => {
    delete require.cache[require.resolve("iterable-weak")]
    return require("iterable-weak")
  }

  it.effect("iterable-weak's IterableWeakSet iterates over dead elements, and does not clear them", () =>
    Effect.gen(function*() {
      const found = yield* findings(async () => {
        const { IterableWeakSet } = iterableWeak()
        return () => {
          const set = new IterableWeakSet()
          return {
            add: (_, value) => set.add(value),
            clear: () => set.clear(),
            size: () => set.size,
            values: () => set
          }
        }
      })
      assert.deepStrictEqual(found, showsAndLeavesDead)
    }))

  it.effect("iterable-weak's IterableWeakMap iterates over dead entries, and does not clear them", () =>
    Effect.gen(function*() {
      const found = yield* findings(async () => {
        const { IterableWeakMap } = iterableWeak()
        return () => {
          const map = new IterableWeakMap()
          return {
            add: (key, value) => map.set(value, key),
            clear: () => map.clear(),
            size: () => map.size,
            values: () => map.keys()
          }
        }
      })
      assert.deepStrictEqual(found, showsAndLeavesDead)
    }))

  const lru = (options: object) => async () => {
    const { WeakLRUCache } = await load("weak-lru-cache")
    return () => {
      const cache = new WeakLRUCache({ expirer: false, ...options })
      return {
        add: (key: string, value: object) => cache.setValue(key, value),
        get: (key: string) => cache.getValue(key),
        has: (key: string) => cache.has(key),
        clear: () => cache.clear(),
        size: () => cache.size,
        values: () => [...cache.keys()].map((key) => cache.getValue(key))
      }
    }
  }

  it.effect("weak-lru-cache has keys with dead values, but late clean-ups delete no new entry", () =>
    Effect.gen(function*() {
      const found = {
        ...holding,
        "has and get agree in the same turn": `${dead}: has says true, get finds undefined`,
        "an iteration yields live values": `${dead}: it shows undefined`
      }
      assert.deepStrictEqual(yield* findings(lru({})), found)
      assert.deepStrictEqual(yield* findings(lru({}), { lateUnregister: true }), found)
    }))

  it.effect("weak-lru-cache with deferRegister does not find a live value that left its strong part", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* findings(lru({ deferRegister: true })), {
        "an entry outlives the clean-up of its predecessor": "nothing is collected: the second entry is gone",
        "has and get agree in the same turn": "nothing is collected: has says true, get finds undefined",
        "clear removes every entry": "holds",
        "an entry that was added after clear outlives the clean-ups of before":
          "nothing is collected: the second entry is gone",
        "size counts the entries when all clean-ups have run": "holds",
        "an iteration yields live values": "nothing is collected: it shows undefined"
      })
    }))

  it.effect("weak-identity-map counts an entry twice if it replaces one whose value is dead", () =>
    Effect.gen(function*() {
      const found = yield* findings(async () => {
        const { WeakIdentityMap } = await load("weak-identity-map")
        return () => mapOf(new WeakIdentityMap())
      })
      assert.deepStrictEqual(found, {
        ...holding,
        "size counts the entries when all clean-ups have run": `${dead}: size is 2`
      })
    }))

  it.effect("@cspell/strong-weak-map, which has no clean-ups, obeys the laws", () =>
    Effect.gen(function*() {
      const found = yield* findings(async () => {
        const { StrongWeakMap } = await load("@cspell/strong-weak-map")
        return () => mapOf(new StrongWeakMap())
      })
      // It neither reads nor registers anything in `clear`.
      assert.deepStrictEqual(found, {
        ...holding,
        "clear removes every entry": "does not apply",
        "an entry that was added after clear outlives the clean-ups of before": "does not apply"
      })
    }))

  it.effect("weak-ref-collections' WeakRefMap loses an entry that was added after clear", () =>
    Effect.gen(function*() {
      const make = async () => {
        const { WeakRefMap } = await load("weak-ref-collections")
        return () => mapOf(new WeakRefMap())
      }
      const found = { ...holding, ...goneAfterClear }
      assert.deepStrictEqual(yield* findings(make), found)
      assert.deepStrictEqual(yield* findings(make, { lateUnregister: true }), { ...found, ...lateCleanUp })
    }))

  it.effect("weak-ref-collections' WeakRefSet obeys the laws", () =>
    Effect.gen(function*() {
      const make = async () => {
        const { WeakRefSet } = await load("weak-ref-collections")
        return () => {
          const set = new WeakRefSet()
          return {
            add: (_: string, value: object) => set.add(value),
            clear: () => set.clear(),
            size: () => set.size,
            values: () => set
          }
        }
      }
      assert.deepStrictEqual(yield* findings(make), { ...holding, ...onlyOfMaps })
      assert.deepStrictEqual(yield* findings(make, { lateUnregister: true }), { ...holding, ...onlyOfMaps })
    }))

  it.effect("iterable-weak-map's clear leaves every key", () =>
    Effect.gen(function*() {
      const found = yield* findings(async () => {
        const { IterableWeakMap } = await load("iterable-weak-map")
        return () => {
          const map = new IterableWeakMap()
          return {
            add: (key, value) => map.set(value, key),
            clear: () => map.clear(),
            size: () => map.size,
            values: () => [...map].map(([key]) => key)
          }
        }
      })
      assert.deepStrictEqual(found, {
        ...holding,
        ...onlyOfMaps,
        "clear removes every entry": "nothing is collected: size is 1"
      })
    }))

  it.effect("frail-map refers weakly to objects of its own, so explore has no choice, and names them", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(TestHeap.explore(Effect.gen(function*() {
        yield* TestHeap.install()
        const { FrailMap } = yield* Effect.promise(() => load("frail-map"))
        const map = new FrailMap()
        const value = { id: 1 }
        map.set("key", value)
        yield* TestHeap.mayCollect(value)
        yield* TestHeap.turn
        if (map.get("key") !== value) return yield* Effect.fail("the entry is gone")
      })))
      assert.strictEqual(error.reason, "NoChoice")
      assert.deepStrictEqual(error.unreleased, ["{data: …}"])
      assert.match(
        error.message,
        /no WeakRef and no FinalizationRegistry .* has \{id: 1\}.* refers weakly to \{data: …\}$/
      )
    }))

  it.effect("frail-map loses a value that the program holds", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        yield* TestHeap.install()
        const { FrailMap } = yield* Effect.promise(() => load("frail-map"))
        const map = new FrailMap()
        const value = { id: 1 }
        // Catches the object that the map makes, because only the map could name it.
        const boxes: Array<object> = []
        globalThis.WeakRef = class<A extends WeakKey> extends heap.WeakRef<A> {
          constructor(target: A) {
            super(target)
            if (typeof target === "object") boxes.push(target)
          }
        }
        map.set("key", value)
        yield* TestHeap.mayCollect(...boxes)
        yield* TestHeap.turn
        if (map.get("key") !== value) return yield* Effect.fail("the entry is gone")
      })
      const { message, trace } = yield* Effect.flip(TestHeap.explore(program))
      assert.match(message, /^the entry is gone/)
      assert.strictEqual(trace, `turn 2: {data: …} is collected before "deref"`)
    }))

  // This package reads the globals when it is loaded. So each run loads it again.
  const wryCaches = (): any => {
    delete require.cache[require.resolve("@wry/caches")]
    return require("@wry/caches")
  }

  /** Keys are weak. A full cache drops its oldest key, even if this key is dead and its clean-up is queued. */
  const fullWeakCache = Effect.gen(function*() {
    yield* TestHeap.install()
    const { WeakCache } = wryCaches()
    const disposed: Array<string> = []
    const cache = new WeakCache(1, (value: string) => disposed.push(value))
    const [first, second] = [{ id: 1 }, { id: 2 }]
    cache.set(first, "first")
    // In a microtask, the cache lets its key go, and registers it.
    yield* TestHeap.turn
    yield* TestHeap.mayCollect(first)
    yield* TestHeap.turn
    cache.set(second, "second")
    cache.clean()
    yield* TestHeap.turn
    if (cache.get(second) !== "second") return yield* Effect.fail("the second entry is gone")
    if (cache.size !== 1) return yield* Effect.fail(`size is ${cache.size}`)
    if (disposed.join() !== "first") return yield* Effect.fail(`disposed of ${disposed.join()}`)
  })

  it.effect("@wry/caches' WeakCache counts wrong if a clean-up runs after unregister", () =>
    Effect.gen(function*() {
      assert.isTrue((yield* TestHeap.explore(fullWeakCache)).exhaustive)
      const { message, trace } = yield* Effect.flip(TestHeap.explore(fullWeakCache, { lateUnregister: true }))
      assert.match(message, /^size is 0/)
      assert.strictEqual(
        trace,
        `turn 3: {id: 1} is collected before "deref"; turn 4: its clean-up runs, although it was unregistered`
      )
    }))
})

/** Adapts a map whose methods have the names of `Map`. */
const mapOf = (map: Map<string, object>): Collection => ({
  add: (key, value) => map.set(key, value),
  get: (key) => map.get(key),
  has: (key) => map.has(key),
  clear: () => map.clear(),
  size: () => map.size,
  values: () => map.values()
})
