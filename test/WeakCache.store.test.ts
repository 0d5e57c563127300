/** What a `WeakCache` stores, weighs, registers and reports, step by step. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Equal, Exit, Fiber, Hash, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Heap, WeakCache } from "../src/index.ts"
import { endTurn } from "../src/internal/weakCache/turn.ts"
import { LeakDetector, TestHeap } from "../src/testing/index.ts"
import { countingHeap } from "./support/countingHeap.ts"

interface Doc {
  readonly key: string
  weight: number
}

const docOf = (key: string, weight = 1): Doc => ({ key, weight })
const lookup = (key: string) => Effect.sync(() => docOf(key))
const weigh = (doc: Doc) => doc.weight

const effect = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope | TestHeap.TestHeap>): void => {
  it.effect(name, () => Effect.suspend(test).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
}

const settle = Effect.repeat(Effect.yieldNow, { times: 10 })

const keys = (count: number) => Array.from({ length: count }, (_, n) => `k${n}`)

const sumsOf = <K, A extends WeakKey, E, R>(cache: WeakCache.WeakCache<K, A, E, R>) =>
  Effect.map(WeakCache.stats(cache), ({ size, strong, weight }) => [size, strong, weight])

describe("the same value, set again,", () => {
  effect("has its new weight, in and outside the strong front", () =>
    Effect.gen(function*() {
      const removed: Array<string> = []
      const cache = yield* WeakCache.make({
        lookup,
        weigh,
        maxWeight: 10,
        onRemoval: (key, cause) => Effect.sync(() => void removed.push(`${key} ${cause}`))
      })
      const doc = docOf("a")
      // Each step: the weight, and then the size, the entries and the weight of the front.
      for (const [weight, ...expected] of [[1, 1, 1, 1], [3, 1, 1, 3], [11, 1, 0, 0], [12, 1, 0, 0], [2, 1, 1, 2]]) {
        doc.weight = weight!
        yield* WeakCache.set(cache, "a", doc)
        assert.deepStrictEqual(yield* sumsOf(cache), expected)
        assert.deepStrictEqual(yield* WeakCache.peek(cache, "a"), Option.some(doc))
      }
      yield* settle
      assert.deepStrictEqual(removed, [])
      const { replaced, sets } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([sets, replaced], [5, 4])
    }))

  effect("is removed if its time to live is zero now", () =>
    Effect.gen(function*() {
      for (const capacity of [0, 3]) {
        const removed: Array<string> = []
        let timeToLive = 1000
        const cache = yield* WeakCache.makeWith(lookup, {
          capacity,
          timeToLive: () => timeToLive,
          onRemoval: (key, cause) => Effect.sync(() => void removed.push(`${key} ${cause}`))
        })
        const doc = docOf("a")
        yield* WeakCache.set(cache, "a", doc)
        timeToLive = 0
        yield* WeakCache.set(cache, "a", doc)
        yield* settle
        assert.deepStrictEqual(removed, ["a replaced"])
        const { replaced, sets, size, unstored } = yield* WeakCache.stats(cache)
        assert.deepStrictEqual([sets, replaced, unstored, size], [2, 1, 1, 0])
      }
    }))

  effect(
    "has one resource for each lookup that returned it, and all of them close with it",
    () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        let opened = 0
        const doc = docOf("a")
        const cache = yield* WeakCache.makeScoped({
          lookup: (_: string) =>
            Effect.acquireRelease(Effect.sync(() => ++opened), (id) => Effect.sync(() => void log.push(`close ${id}`))),
          handle: () => doc,
          capacity: 3
        })
        yield* WeakCache.get(cache, "a")
        yield* WeakCache.refresh(cache, "a")
        assert.deepStrictEqual([opened, log], [2, []])
        yield* WeakCache.set(cache, "a", doc)
        assert.deepStrictEqual(log, [])
        yield* WeakCache.invalidate(cache, "a")
        assert.deepStrictEqual(log, ["close 2"])
        yield* TestHeap.collectAndFinalize(doc)
        assert.deepStrictEqual(log, ["close 2", "close 1"])
      })
  )
})

describe("an entry that leaves the strong front", () => {
  effect("keeps its weight, its times and its resource", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const cache = yield* WeakCache.makeScoped({
        lookup: (key: string) =>
          Effect.acquireRelease(Effect.succeed(key), () => Effect.sync(() => void log.push(`close ${key}`))),
        handle: (key): Doc => docOf(key, 3),
        weigh: (doc) => (doc as Doc).weight,
        maxWeight: 10,
        timeToLive: "1 minute"
      })
      yield* WeakCache.get(cache, "a")
      for (let round = 0; round < 3; round++) {
        yield* WeakCache.trim(cache, 0)
        assert.deepStrictEqual(yield* sumsOf(cache), [1, 0, 0])
        yield* WeakCache.get(cache, "a")
        assert.deepStrictEqual(yield* sumsOf(cache), [1, 1, 3])
      }
      yield* TestClock.adjust("59999 millis")
      assert.isTrue(yield* WeakCache.has(cache, "a"))
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual([...yield* sumsOf(cache), ...log], [0, 0, 0, "close a"])
    }))

  effect("with a weight alone enters it with the same weight again", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup, weigh, maxWeight: 10 })
      for (const key of ["a", "b", "c"]) yield* WeakCache.set(cache, key, docOf(key, 4))
      assert.deepStrictEqual(yield* sumsOf(cache), [3, 2, 8])
      for (const key of ["a", "b", "c", "a"]) {
        yield* WeakCache.get(cache, key)
        assert.deepStrictEqual(yield* sumsOf(cache), [3, 2, 8])
      }
    }))
})

describe("the timer", () => {
  effect("wakes for idle values and for expired ones, whichever comes first", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup, capacity: 5, idleTimeToLive: 20, timeToLive: 50 })
      yield* WeakCache.get(cache, "a")
      yield* TestClock.adjust(10)
      yield* WeakCache.get(cache, "b")
      const sums: Array<unknown> = []
      for (const millis of [9, 1, 9, 1, 19, 1, 9, 1]) {
        yield* TestClock.adjust(millis)
        sums.push((yield* sumsOf(cache)).slice(0, 2))
      }
      assert.deepStrictEqual(sums, [[2, 2], [2, 1], [2, 1], [2, 0], [2, 0], [1, 0], [1, 0], [0, 0]])
      const { demoted, expired } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([demoted, expired], [2, 2])
    }))
})

describe("the sleep of the timer", () => {
  for (const operation of ["trim", "setCapacity"] as const) {
    effect(`ends when ${operation} leaves nothing that can be idle`, () =>
      Effect.gen(function*() {
        let sleeps = 0
        const clock: Clock.Clock = {
          ...(yield* Clock.Clock),
          sleep: () =>
            Effect.suspend(() => (sleeps++, Effect.onInterrupt(Effect.never, () => Effect.sync(() => void sleeps--))))
        }
        const cache = yield* WeakCache.make({ lookup, capacity: 3, idleTimeToLive: "1 minute" }).pipe(
          Effect.provideService(Clock.Clock, clock)
        )
        for (const key of ["a", "b"]) yield* WeakCache.get(cache, key)
        yield* settle
        for (const [capacity, expected] of [[1, 1], [0, 0]] as const) {
          yield* operation === "trim" ? WeakCache.trim(cache, capacity) : WeakCache.setCapacity(cache, capacity)
          yield* settle
          assert.strictEqual(sleeps, expected)
        }
      }))
  }
})

describe("registrations", () => {
  const counted = Effect.gen(function*() {
    const { heap, ...control } = countingHeap()
    const cache = yield* WeakCache.make({ lookup }).pipe(Effect.provideService(Heap.Heap, heap))
    return { cache, ...control }
  })

  effect("are renewed when the stale ones outnumber the others by more than eight", () =>
    Effect.gen(function*() {
      for (const [count, expected] of [[8, [8]], [9, [9, 0]], [20, [20, 5]]] as const) {
        const { cache, made } = yield* counted
        const kept = yield* Effect.forEach(keys(count), (key) => WeakCache.get(cache, key))
        for (const key of keys(count)) yield* WeakCache.invalidate(cache, key)
        assert.deepStrictEqual(made, [...expected])
        assert.lengthOf(kept, count)
      }
    }))

  effect("of open resources are renewed once each", () =>
    Effect.gen(function*() {
      const { heap, made } = countingHeap()
      const cache = yield* WeakCache.makeScoped({ lookup: Effect.succeed<string>, handle: docOf }).pipe(
        Effect.provideService(Heap.Heap, heap)
      )
      const kept = yield* Effect.forEach(keys(20), (key) => WeakCache.get(cache, key))
      for (const key of keys(20)) yield* WeakCache.invalidate(cache, key)
      // An entry with a resource counts twice.
      assert.deepStrictEqual(made, [20, 2])
      assert.lengthOf(kept, 20)
    }))

  effect("that have been cleaned up do not count as stale", () =>
    Effect.gen(function*() {
      const { cache, collect, finalize, made } = yield* counted
      const first = yield* Effect.forEach(keys(20), (key) => WeakCache.get(cache, key))
      collect(...first.slice(10))
      yield* Effect.promise(async () => finalize())
      assert.strictEqual(yield* WeakCache.size(cache), 10)
      for (const key of keys(10)) yield* WeakCache.invalidate(cache, key)
      // Ten were left, of which the tenth made more than eight stale.
      assert.deepStrictEqual(made, [20, 0])
    }))

  effect("of an earlier registry do not count for the new one", () =>
    Effect.gen(function*() {
      const { cache, collect, finalize, made } = yield* counted
      const first = yield* Effect.forEach(keys(20), (key) => WeakCache.get(cache, key))
      for (const key of keys(15)) yield* WeakCache.invalidate(cache, key)
      assert.deepStrictEqual(made, [20, 5])
      collect(...first)
      yield* Effect.promise(async () => finalize())
      assert.strictEqual(yield* WeakCache.size(cache), 0)
      const second = yield* Effect.forEach(keys(20), (key) => WeakCache.get(cache, key))
      for (const key of keys(15)) yield* WeakCache.invalidate(cache, key)
      assert.deepStrictEqual(made, [20, 25, 5])
      assert.lengthOf(second, 20)
    }))
})

describe("an entry that was removed", () => {
  for (const operation of ["invalidate", "refresh", "set"] as const) {
    it.live(`by ${operation} does not hold its key, although its value lives`, () =>
      Effect.gen(function*() {
        const values: Array<object> = []
        const cache = yield* WeakCache.make({
          lookup: (_: object) =>
            Effect.sync(() => {
              const value = {}
              values.push(value)
              return value
            })
        })
        yield* LeakDetector.expectCollected(Effect.gen(function*() {
          const key = { large: true }
          yield* WeakCache.get(cache, key)
          if (operation === "refresh") yield* WeakCache.refresh(cache, key)
          if (operation === "set") yield* WeakCache.set(cache, key, {})
          yield* WeakCache.invalidate(cache, key)
          return key
        }))
        assert.lengthOf(values, operation === "refresh" ? 2 : 1)
      }).pipe(Effect.scoped))
  }

  it.live("by closing the cache does not hold its key, although its value and the cache live", () =>
    Effect.gen(function*() {
      const value = {}
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.make({ lookup: (_: object) => Effect.succeed(value) }).pipe(Scope.provide(scope))
      yield* LeakDetector.expectCollected(Effect.gen(function*() {
        const key = { large: true }
        yield* WeakCache.get(cache, key)
        yield* Scope.close(scope, Exit.void)
        return key
      }))
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))
})

describe("the clean-up of a collected value", () => {
  effect("ends after the resource is closed and the removal is reported", () =>
    Effect.gen(function*() {
      for (const slow of ["finalizer", "report", "none"]) {
        const gate = yield* Deferred.make<void>()
        const log: Array<string> = []
        const act = (name: string) =>
          Effect.andThen(slow === name ? Deferred.await(gate) : Effect.void, Effect.sync(() => void log.push(name)))
        const cache = yield* WeakCache.makeScoped({
          lookup: (key: string) => Effect.acquireRelease(Effect.succeed(key), () => act("finalizer")),
          handle: docOf,
          onRemoval: () => act("report")
        })
        const doc = yield* WeakCache.get(cache, "a")
        const cleaning = yield* Effect.forkChild(TestHeap.collectAndFinalize(doc), { startImmediately: true })
        yield* settle
        assert.strictEqual(cleaning.pollUnsafe() === undefined, slow !== "none")
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(cleaning)
        assert.sameMembers(log, ["finalizer", "report"])
      }
    }))
})

describe("a key whose comparison calls the cache", () => {
  effect("and starts a lookup of the same key: the set value wins", () =>
    Effect.gen(function*() {
      let compare = () => {}
      class Id implements Equal.Equal {
        readonly id: number
        constructor(id: number) {
          this.id = id
        }
        [Equal.symbol](that: Equal.Equal): boolean {
          compare()
          return that instanceof Id && this.id === that.id
        }
        [Hash.symbol](): number {
          return 7
        }
      }
      const gate = yield* Deferred.make<void>()
      const cache = yield* WeakCache.make({
        lookup: (_: Id) => Effect.as(Deferred.await(gate), docOf("lookup")),
        capacity: 5
      })
      yield* WeakCache.set(cache, new Id(1), docOf("one"))
      const key = new Id(2)
      let getting: Fiber.Fiber<Doc> | undefined
      compare = () => {
        compare = () => {}
        Effect.runSync(WeakCache.invalidateAll(cache))
        getting = Effect.runFork(WeakCache.get(cache, key))
      }
      const set = docOf("set")
      yield* WeakCache.set(cache, key, set)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(getting!)).key, "lookup")
      assert.deepStrictEqual(yield* WeakCache.peek(cache, key), Option.some(set))
      const { size, unstored } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([size, unstored], [1, 1])
    }))

  effect("is not hashed or compared for the result of a get that it has started", () =>
    Effect.gen(function*() {
      let calls = 0
      class Id implements Equal.Equal {
        [Equal.symbol](that: Equal.Equal): boolean {
          calls++
          return this === that
        }
        [Hash.symbol](): number {
          calls++
          return 7
        }
      }
      for (const mode of ["get", "invalidated get"]) {
        const cache: WeakCache.WeakCache<Id, Doc> = yield* WeakCache.make({
          lookup: (key: Id) =>
            Effect.andThen(
              mode === "invalidated get" ? WeakCache.invalidate(cache, key) : Effect.void,
              Effect.sync(() => {
                calls = 0
                return docOf("a")
              })
            ),
          capacity: 5
        })
        const key = new Id()
        yield* WeakCache.set(cache, new Id(), docOf("other"))
        yield* WeakCache.get(cache, key)
        assert.strictEqual(calls, 0, mode)
      }
    }))
})

describe("invalidateAll", () => {
  effect("reports each value for its own reason", () =>
    Effect.gen(function*() {
      const removed: Array<string> = []
      let now = 0
      const clock: Clock.Clock = { ...(yield* Clock.Clock), monotonicTimeNanosUnsafe: () => BigInt(now) * 1_000_000n }
      const cache = yield* WeakCache.makeWith(lookup, {
        timeToLive: (_, key) => key === "short" ? 10 : 1000,
        onRemoval: (key, cause) => Effect.sync(() => void removed.push(`${key} ${cause}`))
      }).pipe(Effect.provideService(Clock.Clock, clock))
      const [dead] = yield* Effect.forEach(["dead", "short", "live"], (key) => WeakCache.get(cache, key))
      yield* TestHeap.collect(dead!)
      now = 10
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["live"])
      assert.strictEqual(yield* WeakCache.size(cache), 3)
      yield* WeakCache.invalidateAll(cache)
      yield* settle
      assert.deepStrictEqual(removed, ["dead collected", "short expired", "live invalidated"])
      const { collected, expired, invalidated, size } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([collected, expired, invalidated, size], [1, 1, 1, 0])
    }))
})

describe("one turn", () => {
  const bounds: ReadonlyArray<
    readonly [
      name: string,
      count: number,
      make: Effect.Effect<WeakCache.WeakCache<string, Doc>, never, Scope.Scope>
    ]
  > = [
    ["64 values", 64, WeakCache.make({ lookup })],
    ["64 values more than the front has", 64 + 5, WeakCache.make({ lookup, capacity: 5 })],
    ["16 resources", 16, WeakCache.makeScoped({ lookup: Effect.succeed<string>, handle: (key) => docOf(key) })],
    [
      "what weighs as much as the front, and one value more",
      3 + 4,
      WeakCache.make({ lookup: (key: string) => Effect.sync(() => docOf(key, 3)), weigh, maxWeight: 10 })
    ]
  ]
  const acts: Record<string, (cache: WeakCache.WeakCache<string, Doc>, key: string) => Effect.Effect<unknown>> = {
    get: (cache, key) => WeakCache.get(cache, key),
    refresh: (cache, key) => WeakCache.refresh(cache, key)
  }
  for (const [name, count, make] of bounds) {
    for (const [operation, act] of Object.entries(acts)) {
      it.live(`of ${operation} has ${name}, and the next one waits for the next turn`, () =>
        Effect.gen(function*() {
          const cache = yield* make
          yield* endTurn
          const fibers = keys(count + 1).map((key) => Effect.runFork(act(cache, key)))
          const isDone = () => fibers.map((fiber) => fiber.pollUnsafe() !== undefined)
          assert.deepStrictEqual(isDone(), fibers.map((_, n) => n < count))
          yield* endTurn
          yield* Effect.forEach(fibers, Fiber.join)
        }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
    }
  }

  it.live("of set has 64 values, and a fiber of runSync any number", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup })
      yield* endTurn
      const fibers = keys(65).map((key) => Effect.runFork(WeakCache.set(cache, key, docOf(key))))
      assert.deepStrictEqual(fibers.map((fiber) => fiber.pollUnsafe() === undefined), fibers.map((_, n) => n === 64))
      for (const key of keys(200)) {
        Effect.runSync(WeakCache.set(cache, key, docOf(key)))
        assert.strictEqual(Effect.runSync(WeakCache.get(cache, `${key} too`)).key, `${key} too`)
      }
      yield* Effect.forEach(fibers, Fiber.join)
    }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
})
