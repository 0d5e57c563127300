/**
 * Four packages from npm, as they are published, explored through `install`: the same four laws for each, and what
 * was found. A package that mends what is pinned here makes its test fail.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createRequire } from "node:module"
import { TestHeap } from "../../src/testing/index.ts"

const require = createRequire(import.meta.url)

// Some have no types.
const load = (name: string): Promise<any> => import(/* @vite-ignore */ name)

/** Of what a package keeps weakly: for a weak set, an element is its own key. */
interface Collection {
  readonly add: (key: string, value: object) => void
  /** Not if the collection can be asked by the value alone. */
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
  "what has says, get says in the same turn": (make) =>
    Effect.gen(function*() {
      const collection = make()
      if (collection.has === undefined || collection.get === undefined) return
      yield* entry(collection)
      const has = collection.has("key")
      const value = collection.get("key")
      if (has !== (value !== undefined)) return yield* Effect.fail(`has says ${has}, get finds ${String(value)}`)
    }),
  "clear leaves nothing": (make) =>
    Effect.gen(function*() {
      const collection = make()
      yield* entry(collection)
      collection.clear()
      if (collection.size() > 0) return yield* Effect.fail(`size is ${collection.size()}`)
    }),
  "an iteration shows what lives": (make) =>
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

/** What the exploration of each law comes to. */
const findings = (make: () => Promise<() => Collection>, options?: TestHeap.ExploreOptions) =>
  Effect.map(
    Effect.forEach(Object.entries(laws), ([name, law]) =>
      explore(law, make, options).pipe(
        Effect.map(({ exhaustive }) => exhaustive ? "holds" : "was sampled"),
        Effect.catch((error) => Effect.succeed(`${error.trace}: ${error.message.split("\n")[0]!.split("Error: ")[1]}`)),
        Effect.map((found) => [name, found] as const)
      )),
    Object.fromEntries
  )

const holding = Object.fromEntries(Object.keys(laws).map((name) => [name, "holds"]))

// The first turn ends when the package is loaded.
const dead = `turn 3: {id: 1} is collected before "deref"`
const lateCleanUp = {
  "an entry outlives the clean-up of its predecessor":
    `${dead}; turn 4: its clean-up runs, although it was unregistered: the second entry is gone`
}

// Each module reads the globals when it makes a collection, unless the comment says otherwise.
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

  it.effect("weakref's WeakValueMap holds, unless a clean-up may come after unregister", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* findings(weakrefMap), holding)
      assert.deepStrictEqual(yield* findings(weakrefMap, { lateUnregister: true }), { ...holding, ...lateCleanUp })
    }))

  it.effect("weakref's IterableWeakSet does not clear what is dead", () =>
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
      assert.deepStrictEqual(found, { ...holding, "clear leaves nothing": `${dead}: size is 1` })
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
        // Its iterators return the weak references.
        values: () => [...map.values()].map((ref: WeakRef<object>) => ref.deref())
      }
    }
  }

  it.effect("weak-value iterates over dead references, and takes no clean-up after unregister", () =>
    Effect.gen(function*() {
      const found = { ...holding, "an iteration shows what lives": `${dead}: it shows undefined` }
      assert.deepStrictEqual(yield* findings(weakValue), found)
      assert.deepStrictEqual(yield* findings(weakValue, { lateUnregister: true }), { ...found, ...lateCleanUp })
    }))

  const showsAndLeavesDead = {
    ...holding,
    "clear leaves nothing": `${dead}: size is 1`,
    "an iteration shows what lives": `${dead}: it shows undefined`
  }

  // It reads the globals when it is loaded, so each run loads it anew.
  const iterableWeak = (): any => {
    delete require.cache[require.resolve("iterable-weak")]
    return require("iterable-weak")
  }

  it.effect("iterable-weak's IterableWeakSet iterates over what is dead, and does not clear it", () =>
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

  it.effect("iterable-weak's IterableWeakMap iterates over what is dead, and does not clear it", () =>
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

  it.effect("weak-lru-cache has keys whose values are dead, and its clean-ups look before they delete", () =>
    Effect.gen(function*() {
      const found = {
        ...holding,
        "what has says, get says in the same turn": `${dead}: has says true, get finds undefined`,
        "an iteration shows what lives": `${dead}: it shows undefined`
      }
      assert.deepStrictEqual(yield* findings(lru({})), found)
      assert.deepStrictEqual(yield* findings(lru({}), { lateUnregister: true }), found)
    }))

  it.effect("weak-lru-cache with deferRegister loses a value that leaves the strong part, although it lives", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* findings(lru({ deferRegister: true })), {
        "an entry outlives the clean-up of its predecessor": "nothing is collected: the second entry is gone",
        "what has says, get says in the same turn": "nothing is collected: has says true, get finds undefined",
        "clear leaves nothing": "holds",
        "an iteration shows what lives": "nothing is collected: it shows undefined"
      })
    }))
})
