/** One behaviour of `WeakCache` per test, on the test heap and the test clock. */
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Clock,
  Context,
  Data,
  Deferred,
  Effect,
  Equal,
  Exit,
  Fiber,
  Formatter,
  Hash,
  Option,
  pipe,
  Scheduler,
  Scope
} from "effect"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import { vi } from "vitest"
import { Heap, WeakCache, WeakError } from "../src/index.ts"
import { Key } from "../src/testing/Arbitraries.ts"
import { TestHeap } from "../src/testing/index.ts"
import { countingHeap } from "./support/countingHeap.ts"
import { testDual } from "./support/dual.ts"
import { reportsOf } from "./support/reports.ts"

interface Doc {
  readonly name: string
  readonly version: number
}

/** Returns a lookup that creates a new document for each call, and counts its calls. */
const documents = () => {
  let version = 0
  const lookup = (name: string): Effect.Effect<Doc> => Effect.sync(() => ({ name, version: ++version }))
  return { lookup, loads: () => version }
}

/** Returns a lookup that waits until the test releases it. */
const gated = () => {
  const state = { started: 0, interrupted: 0, open: Deferred.makeUnsafe<void>() }
  const lookup = (name: string): Effect.Effect<Doc> =>
    Effect.suspend(() => {
      const version = ++state.started
      return Effect.as(Deferred.await(state.open), { name, version })
    }).pipe(Effect.onInterrupt(() => Effect.sync(() => void state.interrupted++)))
  return { lookup, state, release: Effect.suspend(() => Deferred.succeed(state.open, undefined)) }
}

const removals = () => {
  const log: Array<string> = []
  const onRemoval = (key: unknown, cause: WeakCache.RemovalCause) => Effect.sync(() => void log.push(`${key} ${cause}`))
  return { log, onRemoval }
}

const effect = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope | TestHeap.TestHeap>): void => {
  it.effect(name, () => Effect.suspend(test).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
}

const settle = Effect.repeat(Effect.yieldNow, { times: 10 })

const strongOf = <K, A extends WeakKey, E, R>(cache: WeakCache.WeakCache<K, A, E, R>) =>
  Effect.map(WeakCache.stats(cache), (stats) => stats.strong)

/** The statistics of a new cache. */
const nothing: WeakCache.Stats = {
  hits: 0,
  misses: 0,
  sets: 0,
  loads: 0,
  failures: 0,
  interrupted: 0,
  collected: 0,
  expired: 0,
  replaced: 0,
  invalidated: 0,
  unstored: 0,
  demoted: 0,
  size: 0,
  strong: 0,
  weight: 0
}

const defectOf = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(self), (exit) => {
    assert.isTrue(Exit.isFailure(exit), "succeeded")
    return Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
  })

describe("one value per key", () => {
  effect("get loads once, and returns the same object", () =>
    Effect.gen(function*() {
      const { loads, lookup } = documents()
      const cache = yield* WeakCache.make({ lookup })
      const first = yield* WeakCache.get(cache, "a")
      assert.strictEqual(yield* WeakCache.get(cache, "a"), first)
      assert.strictEqual(loads(), 1)
    }))

  effect("a value that left the strong front is returned as long as it lives", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), capacity: 1 })
      const a = yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "b")
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
    }))

  effect("by default the cache keeps nothing alive", () =>
    Effect.gen(function*() {
      const { loads, lookup } = documents()
      const cache = yield* WeakCache.make({ lookup })
      const a = yield* WeakCache.get(cache, "a")
      assert.strictEqual(yield* strongOf(cache), 0)
      yield* TestHeap.collect(a)
      yield* WeakCache.get(cache, "a")
      assert.strictEqual(loads(), 2)
    }))

  effect("a value in the strong front is returned even after the heap has collected it", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), capacity: 1 })
      const a = yield* WeakCache.get(cache, "a")
      yield* TestHeap.collectAndFinalize(a)
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
    }))

  effect("structural keys are the default", () =>
    Effect.gen(function*() {
      class Id extends Data.Class<{ readonly id: number }> {}
      const { loads } = documents()
      const cache = yield* WeakCache.make({ lookup: (key: Id) => Effect.succeed({ key }) })
      const one = yield* WeakCache.get(cache, new Id({ id: 1 }))
      assert.strictEqual(yield* WeakCache.get(cache, new Id({ id: 1 })), one)
      assert.strictEqual(loads(), 0)
      yield* TestHeap.collectAndFinalize(one)
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  effect("with compare reference, keys compare by identity and are not hashed", () =>
    Effect.gen(function*() {
      const key = { [Hash.symbol]: () => assert.fail("hashed"), [Equal.symbol]: () => assert.fail("compared") }
      const cache = yield* WeakCache.make({ lookup: (key: object) => Effect.succeed({ key }), compare: "reference" })
      const one = yield* WeakCache.get(cache, key)
      assert.strictEqual(yield* WeakCache.get(cache, key), one)
      assert.isFalse(yield* WeakCache.has(cache, { ...key }))
      yield* WeakCache.invalidate(cache, key)
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  for (const key of [NaN, -0, undefined, null, Symbol("key")]) {
    effect(`takes ${String(key)} as a key`, () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({ lookup: (key: unknown) => Effect.succeed({ key }) })
        const value = yield* WeakCache.get(cache, key)
        assert.strictEqual(yield* WeakCache.get(cache, key), value)
      }))
  }
})

describe("the strong front", () => {
  effect("keeps the most recently used values", () =>
    Effect.gen(function*() {
      const { loads, lookup } = documents()
      const cache = yield* WeakCache.make({ lookup, capacity: 2 })
      const a = yield* WeakCache.get(cache, "a")
      const b = yield* WeakCache.get(cache, "b")
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "c")
      yield* TestHeap.collectAndFinalize(a, b)
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
      assert.strictEqual(loads(), 3)
      yield* WeakCache.get(cache, "b")
      assert.strictEqual(loads(), 4)
    }))

  effect("a value that is used again enters the strong front again", () =>
    Effect.gen(function*() {
      const { loads, lookup } = documents()
      const cache = yield* WeakCache.make({ lookup, capacity: 1 })
      const a = yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "b")
      yield* WeakCache.get(cache, "a")
      yield* TestHeap.collectAndFinalize(a)
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
      assert.strictEqual(loads(), 2)
    }))

  const reads: Record<string, (cache: WeakCache.WeakCache<string, Doc>) => Effect.Effect<unknown>> = {
    getOption: WeakCache.getOption("a"),
    getSuccess: WeakCache.getSuccess("a")
  }
  for (const [name, use] of Object.entries(reads)) {
    effect(`${name} marks a value as used`, () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({ ...documents(), capacity: 2 })
        const a = yield* WeakCache.get(cache, "a")
        const b = yield* WeakCache.get(cache, "b")
        yield* use(cache)
        yield* WeakCache.get(cache, "c")
        yield* TestHeap.collect(a, b)
        assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["a", "c"])
      }))
  }

  effect("has does not mark a value as used", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), capacity: 2 })
      const a = yield* WeakCache.get(cache, "a")
      const b = yield* WeakCache.get(cache, "b")
      yield* WeakCache.has(cache, "a")
      yield* WeakCache.get(cache, "c")
      yield* TestHeap.collect(a, b)
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["b", "c"])
    }))

  effect("leaving the strong front is not a removal", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), capacity: 1, onRemoval })
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "b")
      yield* settle
      assert.deepStrictEqual(log, [])
      assert.strictEqual((yield* WeakCache.stats(cache)).demoted, 1)
    }))

  effect("a read keeps an entry in the strong front", () =>
    Effect.gen(function*() {
      for (const timeToLive of [Infinity, "1 minute"] as const) {
        // A failure leaves the cache together with the strong front.
        const cache = yield* WeakCache.make<string, object, string>({ lookup: Effect.fail, capacity: 2, timeToLive })
        for (const key of ["a", "b", "a", "c"]) yield* Effect.exit(WeakCache.get(cache, key))
        assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["a", "c"])
      }
    }))

  effect("a value has its weight again when it is back in the strong front", () =>
    Effect.gen(function*() {
      for (const weight of [0, 1, 3]) {
        const weigh = (value: Doc) => value.name === "a" ? weight : 2
        const cache = yield* WeakCache.make({ ...documents(), capacity: 1, maxWeight: 10, weigh })
        for (const key of ["a", "b", "a"]) yield* WeakCache.get(cache, key)
        assert.strictEqual((yield* WeakCache.stats(cache)).weight, weight)
      }
    }))

  effect("the total weight bounds the strong front", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({
        lookup: (weight: number) => Effect.succeed({ weight }),
        maxWeight: 10,
        weigh: (value) => value.weight
      })
      for (const weight of [1, 2, 3, 4]) yield* WeakCache.get(cache, weight)
      assert.strictEqual(yield* strongOf(cache), 4)
      yield* WeakCache.get(cache, 5)
      assert.strictEqual(yield* strongOf(cache), 2)
    }))

  effect(
    "a value heavier than maxWeight does not enter the strong front and evicts nothing",
    () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({
          lookup: (weight: number) => Effect.succeed({ weight }),
          maxWeight: 10,
          weigh: (value) => value.weight
        })
        yield* WeakCache.get(cache, 9)
        const heavy = yield* WeakCache.get(cache, 11)
        assert.strictEqual(yield* WeakCache.get(cache, 11), heavy)
        assert.strictEqual(yield* strongOf(cache), 1)
      })
  )

  effect("a key that collides with another stays when the other is invalidated", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup: ({ id }: Key) => Effect.succeed({ id }), capacity: 9 })
      const [one, three, five] = yield* Effect.forEach([1, 3, 5], (id) => WeakCache.get(cache, new Key(id)))
      yield* WeakCache.invalidate(cache, new Key(3))
      assert.strictEqual(yield* WeakCache.get(cache, new Key(1)), one)
      yield* WeakCache.invalidate(cache, new Key(1))
      assert.strictEqual(yield* WeakCache.get(cache, new Key(5)), five)
      assert.notStrictEqual(yield* WeakCache.get(cache, new Key(3)), three)
      assert.strictEqual(yield* WeakCache.size(cache), 2)
    }))

  for (const maxWeight of [0, 0.5]) {
    effect(`a maxWeight of ${maxWeight} keeps what weighs as much, and nothing heavier`, () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({
          lookup: (weight: number) => Effect.succeed({ weight }),
          maxWeight,
          weigh: (value) => value.weight
        })
        for (const [weight, strong] of [[maxWeight, 1], [maxWeight + 0.25, 1], [0, maxWeight === 0 ? 1 : 2]] as const) {
          yield* WeakCache.get(cache, weight)
          assert.strictEqual(yield* strongOf(cache), strong)
        }
      }))
  }

  effect("weighs a value once", () =>
    Effect.gen(function*() {
      let weighed = 0
      const cache = yield* WeakCache.make({ ...documents(), maxWeight: 1, weigh: () => ++weighed })
      const a = yield* WeakCache.get(cache, "a")
      yield* WeakCache.trim(cache, 0)
      yield* WeakCache.trim(cache, 1)
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
      assert.strictEqual(weighed, 1)
    }))

  for (
    const [name, weigh] of [
      ["throws", (): number => {
        throw new Error("weigh failed")
      }],
      ["returns NaN", () => NaN],
      ["returns a negative number", () => -1]
    ] as const
  ) {
    effect(`a weigh that ${name} is a defect of get and set, and nothing is stored`, () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({ ...documents(), maxWeight: 10, weigh })
        for (const operation of [WeakCache.get(cache, "a"), WeakCache.set(cache, "a", { name: "a", version: 0 })]) {
          assert.match(String(yield* defectOf(operation)), /weigh/)
          assert.strictEqual(yield* WeakCache.size(cache), 0)
        }
        assert.deepStrictEqual(yield* WeakCache.stats(cache), {
          ...nothing,
          misses: 1,
          failures: 1
        })
      }))
  }

  effect("a weigh that fails during a refresh leaves the old value", () =>
    Effect.gen(function*() {
      let weight = 1
      const cache = yield* WeakCache.make({ ...documents(), maxWeight: 10, weigh: () => weight })
      const a = yield* WeakCache.get(cache, "a")
      weight = NaN
      assert.match(String(yield* defectOf(WeakCache.refresh(cache, "a"))), /weigh/)
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
    }))

  effect("trim demotes the least recently used values once, and the capacity stays", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), capacity: 3 })
      for (const key of ["a", "b", "c"]) yield* WeakCache.get(cache, key)
      yield* WeakCache.trim(cache, 1)
      assert.strictEqual(yield* strongOf(cache), 1)
      for (const key of ["d", "e", "f"]) yield* WeakCache.get(cache, key)
      assert.strictEqual(yield* strongOf(cache), 3)
      assert.strictEqual(yield* WeakCache.size(cache), 6)
    }))

  effect(
    "setCapacity bounds the strong front from now on, and can raise the bound again",
    () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({ ...documents(), capacity: 10 })
        for (const key of ["a", "b", "c"]) yield* WeakCache.get(cache, key)
        yield* WeakCache.setCapacity(cache, 1)
        assert.strictEqual(yield* strongOf(cache), 1)
        yield* WeakCache.get(cache, "d")
        assert.strictEqual(yield* strongOf(cache), 1)
        yield* pipe(cache, WeakCache.setCapacity(2))
        yield* WeakCache.get(cache, "e")
        assert.strictEqual(yield* strongOf(cache), 2)
      })
  )

  effect("setCapacity rejects an invalid capacity", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make(documents())
      for (const capacity of [-1, 0.5, NaN]) {
        assert.instanceOf(yield* defectOf(WeakCache.setCapacity(cache, capacity)), RangeError)
      }
    }))

  effect("trim rejects an invalid capacity", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make(documents())
      for (const capacity of [-1, NaN, 1.5]) {
        assert.instanceOf(yield* defectOf(WeakCache.trim(cache, capacity)), RangeError)
      }
    }))
})

describe("sharing lookups", () => {
  effect(
    "get and getOption find a value that is stored while their fiber yields between two steps",
    () =>
      Effect.gen(function*() {
        for (let steps = 0; steps < 20; steps++) {
          const { lookup, release, state } = gated()
          const cache = yield* WeakCache.make({ lookup, capacity: 1 })
          yield* Effect.forkChild(WeakCache.get(cache, "a"), { startImmediately: true })
          const readers = yield* Effect.all([WeakCache.get(cache, "a"), WeakCache.getOption(cache, "a")], {
            concurrency: 2
          }).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, 3), Effect.forkChild)
          yield* Effect.repeat(Effect.yieldNow, { times: steps })
          yield* release
          const [value, option] = yield* Fiber.join(readers)
          assert.deepStrictEqual([state.started, option], [1, Option.some(value)])
        }
      })
  )

  effect("concurrent gets of a missing key share one lookup", () =>
    Effect.gen(function*() {
      const { lookup, release, state } = gated()
      const cache = yield* WeakCache.make({ lookup })
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(WeakCache.get(cache, "a")))
      yield* settle
      yield* release
      const values = yield* Fiber.joinAll(fibers)
      assert.strictEqual(new Set(values).size, 1)
      assert.strictEqual(state.started, 1)
    }))

  effect("interrupting one waiter leaves the others waiting", () =>
    Effect.gen(function*() {
      const { lookup, release, state } = gated()
      const cache = yield* WeakCache.make({ lookup })
      const first = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      const second = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* settle
      yield* Fiber.interrupt(first)
      assert.strictEqual(state.interrupted, 0)
      yield* release
      assert.strictEqual((yield* Fiber.join(second)).version, 1)
    }))

  effect(
    "interrupting the last waiter interrupts the lookup, and the next get starts another",
    () =>
      Effect.gen(function*() {
        const { lookup, release, state } = gated()
        const cache = yield* WeakCache.make({ lookup })
        const fibers = yield* Effect.forEach([1, 2], () => Effect.forkChild(WeakCache.get(cache, "a")))
        yield* settle
        yield* Fiber.interruptAll(fibers)
        assert.strictEqual(state.interrupted, 1)
        assert.isFalse(yield* WeakCache.has(cache, "a"))
        yield* release
        assert.strictEqual((yield* WeakCache.get(cache, "a")).version, 2)
      })
  )

  effect("a waiter can be interrupted at any step without a wrong count of waiters", () =>
    Effect.gen(function*() {
      for (let steps = 0; steps < 12; steps++) {
        const { lookup, state } = gated()
        const cache = yield* WeakCache.make({ lookup })
        const fiber = yield* Effect.forkChild(WeakCache.get(cache, "a"))
        yield* Effect.repeat(Effect.yieldNow, { times: steps })
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(state.interrupted, state.started, `after ${steps} steps`)
        assert.strictEqual(yield* WeakCache.size(cache), 0)
      }
    }))

  effect("a get during the finalizers of an interrupted lookup starts a new lookup", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      let started = 0
      const cache = yield* WeakCache.make({
        lookup: (key: string) =>
          Effect.suspend(() => {
            if (++started > 1) return Effect.succeed({ key })
            return Effect.onInterrupt(Effect.never, () => Deferred.await(gate))
          })
      })
      const first = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* settle
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(first))
      yield* settle
      assert.strictEqual((yield* WeakCache.get(cache, "a")).key, "a")
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(interrupting)
      assert.isTrue(yield* WeakCache.has(cache, "a"))
    }))

  effect("with capacity 0, every waiter receives the value", () =>
    Effect.gen(function*() {
      const { lookup, release } = gated()
      const cache = yield* WeakCache.make({ lookup })
      const fibers = yield* Effect.forEach([1, 2], () => Effect.forkChild(WeakCache.getOption(cache, "a")))
      const loader = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* settle
      const late = yield* Effect.forkChild(WeakCache.getOption(cache, "a"))
      yield* settle
      yield* release
      const value = yield* Fiber.join(loader)
      assert.deepStrictEqual(yield* Fiber.joinAll(fibers), [Option.none(), Option.none()])
      assert.deepStrictEqual(yield* Fiber.join(late), Option.some(value))
    }))

  effect("the lookup runs outside of the fiber of the first waiter", () =>
    Effect.gen(function*() {
      const ids: Array<number> = []
      const cache = yield* WeakCache.make({
        lookup: (key: string) => Effect.withFiber((fiber) => Effect.sync(() => (ids.push(fiber.id), { key })))
      })
      yield* Effect.withFiber((fiber) => {
        ids.push(fiber.id)
        return WeakCache.get(cache, "a")
      })
      assert.notStrictEqual(ids[0], ids[1])
    }))

  effect("a lookup may get another key", () =>
    Effect.gen(function*() {
      const cache: WeakCache.WeakCache<number, { readonly sum: number }> = yield* WeakCache.make({
        lookup: (n: number): Effect.Effect<{ readonly sum: number }> =>
          n === 0
            ? Effect.succeed({ sum: 0 })
            : Effect.map(WeakCache.get(cache, n - 1), ({ sum }) => ({ sum: sum + n }))
      })
      assert.strictEqual((yield* WeakCache.get(cache, 100)).sum, 5050)
    }))

  for (const [name, pause] of [["at once", Effect.void], ["later", Effect.yieldNow]] as const) {
    effect(`a lookup that gets its own key ${name} dies instead of waiting forever`, () =>
      Effect.gen(function*() {
        const cache: WeakCache.WeakCache<string, object> = yield* WeakCache.make({
          lookup: (key: string): Effect.Effect<object> => Effect.andThen(pause, WeakCache.get(cache, key))
        })
        assert.match(String(yield* defectOf(WeakCache.get(cache, "a"))), /lookup of "?a"? waits for itself/)
      }))
  }

  effect("lookups that wait for each other die instead of waiting forever", () =>
    Effect.gen(function*() {
      const other = (key: string) => key === "a" ? "b" : "a"
      const cache: WeakCache.WeakCache<string, object> = yield* WeakCache.make({
        lookup: (key: string): Effect.Effect<object> =>
          Effect.andThen(Effect.yieldNow, WeakCache.get(cache, other(key)))
      })
      assert.match(String(yield* defectOf(WeakCache.get(cache, "a"))), /waits for itself/)
    }))

  effect("a lookup that waits for its own key in a child fiber can time out", () =>
    Effect.gen(function*() {
      const cache: WeakCache.WeakCache<string, { readonly option: Option.Option<object> }> = yield* WeakCache.make({
        lookup: (key: string): Effect.Effect<{ readonly option: Option.Option<object> }> =>
          Effect.map(Effect.timeoutOption(WeakCache.get(cache, key), "1 second"), (option) => ({ option }))
      })
      const fiber = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual((yield* Fiber.join(fiber)).option, Option.none())
    }))

  effect("a lookup function that throws is a defect, and stores nothing", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({
        lookup: (_: string): Effect.Effect<Doc> => {
          throw new Error("no lookup")
        }
      })
      assert.match(String(yield* defectOf(WeakCache.get(cache, "a"))), /no lookup/)
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  effect("a lookup that returns a primitive is a defect, and stores nothing", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({
        lookup: (_: string) => Effect.succeed("text" as unknown as object),
        capacity: 1
      })
      assert.instanceOf(yield* defectOf(WeakCache.get(cache, "a")), WeakError.NotWeakReferenceableError)
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))
})

describe("failures", () => {
  const failing = () => {
    let calls = 0
    return { calls: () => calls, lookup: (key: string) => Effect.suspend(() => Effect.fail(`${key} ${++calls}`)) }
  }

  effect("a failure is cached in the strong front", () =>
    Effect.gen(function*() {
      const { calls, lookup } = failing()
      const cache = yield* WeakCache.make<string, object, string>({ lookup, capacity: 1 })
      assert.strictEqual(yield* Effect.flip(WeakCache.get(cache, "a")), "a 1")
      assert.strictEqual(yield* Effect.flip(WeakCache.get(cache, "a")), "a 1")
      assert.strictEqual(calls(), 1)
      assert.isTrue(yield* WeakCache.has(cache, "a"))
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["a"])
      assert.deepStrictEqual([...yield* WeakCache.entries(cache)], [])
    }))

  effect("a failure that leaves the strong front is removed", () =>
    Effect.gen(function*() {
      const { calls, lookup } = failing()
      const cache = yield* WeakCache.make<string, object, string>({ lookup, capacity: 1 })
      yield* Effect.flip(WeakCache.get(cache, "a"))
      yield* Effect.flip(WeakCache.get(cache, "b"))
      assert.isFalse(yield* WeakCache.has(cache, "a"))
      assert.strictEqual(yield* WeakCache.size(cache), 1)
      assert.strictEqual(calls(), 2)
    }))

  effect("with capacity 0, a failure is not cached", () =>
    Effect.gen(function*() {
      const { calls, lookup } = failing()
      const cache = yield* WeakCache.make<string, object, string>({ lookup })
      yield* Effect.flip(WeakCache.get(cache, "a"))
      yield* Effect.flip(WeakCache.get(cache, "a"))
      assert.strictEqual(calls(), 2)
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  effect("a failure can have a different time to live than a value", () =>
    Effect.gen(function*() {
      const { calls, lookup } = failing()
      const cache = yield* WeakCache.makeWith<string, object, string>(lookup, {
        capacity: 1,
        timeToLive: (exit) => Exit.isSuccess(exit) ? "1 hour" : "1 second"
      })
      yield* Effect.flip(WeakCache.get(cache, "a"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* WeakCache.size(cache), 0)
      yield* Effect.flip(WeakCache.get(cache, "a"))
      assert.strictEqual(calls(), 2)
    }))

  effect("a removed failure is not reported", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make<string, object, string>({ ...failing(), capacity: 1, onRemoval })
      yield* Effect.flip(WeakCache.get(cache, "a"))
      yield* WeakCache.invalidate(cache, "a")
      yield* settle
      assert.deepStrictEqual(log, [])
      assert.strictEqual((yield* WeakCache.stats(cache)).failures, 1)
    }))
})

describe("time", () => {
  effect("an expired value is not returned, even if it is alive", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), timeToLive: "1 minute" })
      const a = yield* WeakCache.get(cache, "a")
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
      yield* TestClock.adjust("1 second")
      assert.notStrictEqual(yield* WeakCache.get(cache, "a"), a)
    }))

  effect("an expired value is not returned, even before the timer has run", () =>
    Effect.gen(function*() {
      let now = 0
      const clock: Clock.Clock = {
        ...yield* Clock.clockWith(Effect.succeed),
        monotonicTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
        sleep: () => Effect.never
      }
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), capacity: 10, timeToLive: "1 minute", onRemoval }).pipe(
        Effect.provideService(Clock.Clock, clock)
      )
      const values = yield* Effect.forEach(["a", "b", "c", "d", "e"], (key) => WeakCache.get(cache, key))
      now = 60_000
      assert.notStrictEqual(yield* WeakCache.get(cache, "a"), values[0])
      assert.isFalse(yield* WeakCache.has(cache, "b"))
      assert.deepStrictEqual(yield* WeakCache.getSuccess(cache, "c"), Option.none())
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["a"])
      assert.strictEqual(Array.from(yield* WeakCache.values(cache)).length, 1)
      yield* WeakCache.invalidateAll(cache)
      yield* settle
      assert.deepStrictEqual(log.sort(), [
        "a expired",
        "a invalidated",
        "b expired",
        "c expired",
        "d expired",
        "e expired"
      ])
    }))

  effect("the timer releases an expired value without a read", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), capacity: 10, timeToLive: "1 minute", onRemoval })
      yield* WeakCache.get(cache, "a")
      yield* TestClock.adjust("30 seconds")
      yield* WeakCache.get(cache, "b")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* WeakCache.size(cache), 1)
      assert.strictEqual(yield* strongOf(cache), 1)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* WeakCache.size(cache), 0)
      assert.deepStrictEqual(log, ["a expired", "b expired"])
      assert.strictEqual((yield* WeakCache.stats(cache)).expired, 2)
    }))

  effect("setting the same value extends its time to live, and a read does not", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), timeToLive: "1 minute", onRemoval })
      const a = yield* WeakCache.get(cache, "a")
      yield* TestClock.adjust("40 seconds")
      yield* WeakCache.set(cache, "a", a)
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
      yield* TestClock.adjust("20 seconds")
      assert.isFalse(yield* WeakCache.has(cache, "a"))
      assert.deepStrictEqual(log, ["a expired"])
    }))

  effect("a value with a weight and no time to live does not keep others from expiring", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.makeWith(documents().lookup, {
        maxWeight: 10,
        weigh: () => 2,
        timeToLive: (_, key) => key === "a" ? "1 minute" : Infinity
      })
      for (const key of ["a", "b"]) yield* WeakCache.get(cache, key)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* WeakCache.size(cache), 1)
    }))

  effect("setting the same value without a time to live ends its time to live", () =>
    Effect.gen(function*() {
      const times = [60_000, Infinity]
      const cache = yield* WeakCache.makeWith(documents().lookup, { capacity: 1, timeToLive: () => times.shift()! })
      const a = yield* WeakCache.get(cache, "a")
      yield* WeakCache.set(cache, "a", a)
      yield* TestClock.adjust("1 hour")
      assert.isTrue(yield* WeakCache.has(cache, "a"))
    }))

  effect(
    "after setting the same value and invalidating it, no expiry is left for the next value",
    () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({ ...documents(), timeToLive: "1 minute" })
        const a = yield* WeakCache.get(cache, "a")
        yield* TestClock.adjust("10 seconds")
        yield* WeakCache.set(cache, "a", a)
        yield* WeakCache.invalidate(cache, "a")
        yield* TestClock.adjust("40 seconds")
        const second = yield* WeakCache.get(cache, "a")
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(yield* WeakCache.get(cache, "a"), second)
      })
  )

  effect("a result whose time to live is zero is returned, but not cached", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.makeWith(documents().lookup, { capacity: 10, timeToLive: () => 0 })
      assert.strictEqual((yield* WeakCache.get(cache, "a")).version, 1)
      assert.strictEqual((yield* WeakCache.get(cache, "a")).version, 2)
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  effect("a timeToLive that throws is a defect, and nothing is stored", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.makeWith(documents().lookup, {
        capacity: 10,
        timeToLive: () => {
          throw new Error("no time")
        }
      })
      assert.match(String(yield* defectOf(WeakCache.get(cache, "a"))), /no time/)
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  effect("an idle value leaves the strong front, and is returned as long as it lives", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), idleTimeToLive: "1 minute", onRemoval })
      const a = yield* WeakCache.get(cache, "a")
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* strongOf(cache), 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* strongOf(cache), 0)
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
      assert.strictEqual(yield* strongOf(cache), 1)
      assert.deepStrictEqual(log, [])
    }))

  effect(
    "an idle time of a millisecond keeps a value for a millisecond, and one of zero keeps none",
    () =>
      Effect.gen(function*() {
        for (const [idleTimeToLive, strong] of [["1 millis", 1], ["0 millis", 0]] as const) {
          const cache = yield* WeakCache.make({ ...documents(), idleTimeToLive })
          yield* WeakCache.get(cache, "a")
          assert.strictEqual(yield* strongOf(cache), strong)
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(yield* strongOf(cache), 0)
        }
      })
  )

  effect("a read restarts the idle time", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), idleTimeToLive: "1 minute" })
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "b")
      yield* TestClock.adjust("40 seconds")
      yield* WeakCache.get(cache, "a")
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(yield* strongOf(cache), 1)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* strongOf(cache), 0)
    }))

  effect("an earlier expiry wakes the timer earlier", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.makeWith((seconds: number) => Effect.succeed({ seconds }), {
        timeToLive: (_, seconds) => `${seconds} seconds`
      })
      for (const seconds of [50, 10, 30, 20, 40]) yield* WeakCache.get(cache, seconds)
      for (let left = 4; left >= 0; left--) {
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* WeakCache.size(cache), left)
      }
    }))

  effect("all of many values that expire at the same time are released", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({
        lookup: (n: number) => Effect.succeed({ n }),
        capacity: 10_000,
        timeToLive: "1 second"
      })
      for (let n = 0; n < 10_000; n++) yield* WeakCache.get(cache, n)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  it.effect("one timer sleeps at a time, and none if no entry expires", () =>
    Effect.gen(function*() {
      let sleeping = 0
      let most = 0
      const clock = yield* TestClock.testClockWith(Effect.succeed)
      const counting: typeof clock = {
        ...clock,
        sleep: (duration) =>
          Effect.suspend(() => {
            most = Math.max(most, ++sleeping)
            return Effect.ensuring(clock.sleep(duration), Effect.sync(() => void sleeping--))
          })
      }
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.makeWith((seconds: number) => Effect.succeed({ seconds }), {
        idleTimeToLive: "15 seconds",
        timeToLive: (_, seconds) => seconds === 0 ? Infinity : `${seconds} seconds`
      }).pipe(Effect.provideService(Clock.Clock, counting), Scope.provide(scope))
      assert.strictEqual(sleeping, 0)
      for (const seconds of [50, 10, 0, 30]) yield* WeakCache.get(cache, seconds)
      yield* settle
      assert.strictEqual(sleeping, 1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(sleeping, 0)
      yield* WeakCache.get(cache, 5)
      yield* settle
      assert.strictEqual(sleeping, 1)
      yield* WeakCache.invalidate(cache, 5)
      yield* settle
      assert.strictEqual(sleeping, 0)
      yield* WeakCache.get(cache, 5)
      yield* Scope.close(scope, Exit.void)
      yield* settle
      assert.strictEqual(sleeping, 0)
      assert.strictEqual(most, 1)
    }))
})

describe("removal", () => {
  effect("the heap's clean-up reports the cause collected", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), onRemoval })
      const a = yield* WeakCache.get(cache, "a")
      yield* TestHeap.collect(a)
      yield* settle
      assert.deepStrictEqual(log, [])
      assert.strictEqual(yield* WeakCache.size(cache), 1)
      yield* TestHeap.finalize
      assert.deepStrictEqual(log, ["a collected"])
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  effect(
    "an operation that finds the value dead reports collected once, before the clean-up",
    () =>
      Effect.gen(function*() {
        const { log, onRemoval } = removals()
        const cache = yield* WeakCache.make({ ...documents(), onRemoval })
        yield* TestHeap.collect(yield* WeakCache.get(cache, "a"))
        assert.isFalse(yield* WeakCache.has(cache, "a"))
        yield* settle
        assert.deepStrictEqual(log, ["a collected"])
        yield* TestHeap.finalize
        yield* settle
        assert.deepStrictEqual(log, ["a collected"])
      })
  )

  effect("collected is not reported if the key has a new value, and the new value stays", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), onRemoval })
      yield* TestHeap.collect(yield* WeakCache.get(cache, "a"))
      const second = yield* WeakCache.get(cache, "a")
      yield* TestHeap.finalize
      yield* settle
      assert.deepStrictEqual(log, [])
      assert.strictEqual(yield* WeakCache.get(cache, "a"), second)
      assert.strictEqual((yield* WeakCache.stats(cache)).collected, 1)
    }))

  effect(
    "collected is not reported if the key receives a new value before the report runs",
    () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const gate = yield* Deferred.make<void>()
        const cache = yield* WeakCache.make({
          ...documents(),
          onRemoval: (key, cause) =>
            Effect.andThen(Effect.sync(() => log.push(`${key} ${cause}`)), Deferred.await(gate))
        })
        const [a, b] = [yield* WeakCache.get(cache, "a"), yield* WeakCache.get(cache, "b")]
        yield* WeakCache.invalidate(cache, "a")
        yield* settle
        yield* TestHeap.collect(b)
        const finalizing = yield* Effect.forkChild(TestHeap.finalize)
        yield* settle
        yield* WeakCache.get(cache, "b")
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(finalizing)
        assert.deepStrictEqual(log, ["a invalidated"])
        assert.isDefined(a)
      })
  )

  effect("set reports the cause replaced", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), onRemoval })
      yield* WeakCache.get(cache, "a")
      const value = { name: "a", version: 7 }
      yield* WeakCache.set(cache, "a", value)
      assert.strictEqual(yield* WeakCache.get(cache, "a"), value)
      yield* settle
      assert.deepStrictEqual(log, ["a replaced"])
    }))

  effect("setting the same value reports no removal", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), capacity: 2, onRemoval })
      const a = yield* WeakCache.get(cache, "a")
      yield* WeakCache.set(cache, "a", a)
      yield* settle
      assert.deepStrictEqual(log, [])
      assert.strictEqual((yield* WeakCache.stats(cache)).size, 1)
      assert.strictEqual(yield* strongOf(cache), 1)
    }))

  effect(
    "refresh reports the cause replaced, and the clean-up of the old value changes nothing",
    () =>
      Effect.gen(function*() {
        const { log, onRemoval } = removals()
        const cache = yield* WeakCache.make({ ...documents(), onRemoval })
        const old = yield* WeakCache.get(cache, "a")
        const fresh = yield* WeakCache.refresh(cache, "a")
        yield* TestHeap.collectAndFinalize(old)
        yield* settle
        assert.strictEqual(yield* WeakCache.get(cache, "a"), fresh)
        assert.deepStrictEqual(log, ["a replaced"])
      })
  )

  effect("invalidate, invalidateWhen and invalidateAll report the cause invalidated", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const cache = yield* WeakCache.make({ ...documents(), onRemoval })
      const values = yield* Effect.forEach(["a", "b", "c", "d"], (key) => WeakCache.get(cache, key))
      yield* WeakCache.invalidate(cache, "a")
      assert.isFalse(yield* WeakCache.invalidateWhen(cache, "b", (value) => value.version === 1))
      assert.isTrue(yield* WeakCache.invalidateWhen(cache, "b", (value) => value === values[1]))
      yield* WeakCache.invalidateAll(cache)
      yield* settle
      assert.deepStrictEqual(log, ["a invalidated", "b invalidated", "c invalidated", "d invalidated"])
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  for (
    const [name, remove] of Object.entries<(cache: WeakCache.WeakCache<string, Doc>) => Effect.Effect<unknown>>({
      invalidate: WeakCache.invalidate("a"),
      refresh: WeakCache.refresh("a"),
      set: WeakCache.set("a", { name: "a", version: 9 })
    })
  ) {
    effect(`${name} leaves nothing for the clean-up of the old value`, () =>
      Effect.gen(function*() {
        const { log, onRemoval } = removals()
        const cache = yield* WeakCache.make({ ...documents(), onRemoval })
        const a = yield* WeakCache.get(cache, "a")
        yield* remove(cache)
        yield* settle
        const [stats, removed] = [yield* WeakCache.stats(cache), log.slice()]
        yield* TestHeap.collectAndFinalize(a)
        yield* settle
        assert.deepStrictEqual(yield* WeakCache.stats(cache), stats)
        assert.deepStrictEqual(log, removed)
      }))
  }

  effect("invalidateWhen removes an entry that its predicate demotes or promotes", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), capacity: 1 })
      const values = yield* Effect.forEach(["a", "b"], (key) => WeakCache.get(cache, key))
      const acts = [WeakCache.get(cache, "a"), WeakCache.trim(cache, 0), WeakCache.get(cache, "b")]
      for (const key of ["a", "b"]) {
        const removes = WeakCache.invalidateWhen(cache, key, () =>
          acts.every((act) =>
            Effect.runSyncExit(act)._tag === "Success"
          ))
        assert.isTrue(yield* removes)
        assert.isFalse(yield* WeakCache.has(cache, key))
      }
      const replaces = WeakCache.invalidateWhen(cache, "a", () => {
        Effect.runSync(WeakCache.set(cache, "a", { name: "a", version: 9 }))
        return true
      })
      yield* WeakCache.set(cache, "a", values[0]!)
      assert.isFalse(yield* replaces)
      assert.isTrue(yield* WeakCache.has(cache, "a"))
      // This value was never held weakly before.
      yield* WeakCache.get(cache, "c")
      const demotes = WeakCache.invalidateWhen(cache, "c", () => {
        Effect.runSync(WeakCache.trim(cache, 0))
        return true
      })
      assert.isTrue(yield* demotes)
    }))

  describe("registrations", () => {
    effect("of removed values are dropped, and those of live values stay", () =>
      Effect.gen(function*() {
        const { collect, finalize, heap, made } = countingHeap()
        const cache = yield* WeakCache.make({ ...documents(), capacity: 1 }).pipe(
          Effect.provideService(Heap.Heap, heap)
        )
        const kept = yield* Effect.forEach(["a", "b", "c"], (key) => WeakCache.get(cache, key))
        for (let i = 0; i < 1000; i++) {
          yield* WeakCache.set(cache, "x", { name: "x", version: i })
          yield* WeakCache.get(cache, "a")
        }
        assert.isBelow(Math.max(...made), 30)
        assert.isBelow(made.reduce((sum, count) => sum + count, 0), 3000)
        yield* WeakCache.get(cache, "c")
        yield* WeakCache.trim(cache, 0)
        assert.strictEqual(yield* WeakCache.size(cache), 4)
        collect(...kept)
        finalize()
        const { collected, size } = yield* WeakCache.stats(cache)
        assert.deepStrictEqual([collected, size], [3, 1])
      }))

    effect("are renewed beside values that were never held weakly", () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({ ...documents(), capacity: 1 })
        for (let id = 0; id < 20; id++) {
          yield* WeakCache.get(cache, `${id}`)
          yield* WeakCache.invalidate(cache, `${id - 1}`)
        }
        assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["19"])
      }))

    effect("a value that leaves the strong front again is registered once", () =>
      Effect.gen(function*() {
        const { heap, made } = countingHeap()
        const cache = yield* WeakCache.make({ ...documents(), capacity: 1 }).pipe(
          Effect.provideService(Heap.Heap, heap)
        )
        for (let i = 0; i < 100; i++) yield* Effect.forEach(["a", "b"], (key) => WeakCache.get(cache, key))
        assert.deepStrictEqual(made, [2])
      }))

    effect(
      "renewing them reclaims dead values at once, and closes the resources of replaced handles",
      () =>
        Effect.gen(function*() {
          const { collect, heap } = countingHeap()
          const log: Array<string> = []
          const cache = yield* WeakCache.makeScoped({
            lookup: (key: string) =>
              Effect.acquireRelease(Effect.succeed({ key }), () => Effect.sync(() => void log.push(key))),
            handle: (resource) => ({ resource })
          }).pipe(Effect.provideService(Heap.Heap, heap))
          const replaced = yield* WeakCache.get(cache, "replaced")
          yield* WeakCache.set(cache, "replaced", { resource: { key: "new" } })
          const dead = yield* WeakCache.get(cache, "dead")
          const live = yield* WeakCache.get(cache, "live")
          collect(replaced, dead)
          for (let i = 0; i < 100; i++) yield* WeakCache.set(cache, "x", { resource: { key: `x ${i}` } })
          yield* settle
          assert.sameMembers(log, ["replaced", "dead"])
          assert.strictEqual((yield* WeakCache.stats(cache)).collected, 1)
          assert.strictEqual(yield* WeakCache.get(cache, "live"), live)
        })
    )
  })

  effect("onRemoval effects run one after the other, outside of the calling fiber", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const cache = yield* WeakCache.make({
        ...documents(),
        capacity: 10,
        onRemoval: (key) =>
          Effect.sync(() => log.push(`start ${key}`)).pipe(
            Effect.andThen(Effect.sleep("1 second")),
            Effect.andThen(Effect.sync(() => void log.push(`end ${key}`)))
          )
      })
      for (const key of ["a", "b"]) yield* WeakCache.get(cache, key)
      yield* WeakCache.invalidateAll(cache)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["start a", "end a", "start b", "end b"])
    }))

  it.live("onRemoval runs on the scheduler of make, unless that is the scheduler of runSync", () =>
    Effect.gen(function*() {
      const own = new Scheduler.MixedScheduler()
      for (const given of [own, new Scheduler.MixedScheduler("sync")]) {
        const seen = yield* Deferred.make<Scheduler.Scheduler>()
        const cache = yield* WeakCache.make({
          ...documents(),
          onRemoval: () => Effect.flatMap(Scheduler.Scheduler, (scheduler) => Deferred.succeed(seen, scheduler))
        }).pipe(Effect.provideService(Scheduler.Scheduler, given))
        yield* WeakCache.get(cache, "a")
        yield* WeakCache.invalidate(cache, "a")
        const scheduler = yield* Deferred.await(seen)
        assert.deepStrictEqual([scheduler === given, scheduler.executionMode], [given === own, "async"])
      }
    }).pipe(Effect.scoped))

  effect("an onRemoval that fails, dies or throws does not stop the next one", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const cache = yield* WeakCache.make({
        ...documents(),
        capacity: 10,
        onRemoval: (key) => {
          log.push(key)
          if (key === "a") throw new Error("thrown")
          return key === "b" ? Effect.die(new Error("died")) : Effect.void
        }
      })
      for (const key of ["a", "b", "c"]) yield* WeakCache.get(cache, key)
      yield* WeakCache.invalidateAll(cache)
      yield* settle
      assert.deepStrictEqual(log, ["a", "b", "c"])
    }))

  it.effect("failures of onRemoval are logged", () =>
    Effect.gen(function*() {
      const reports = yield* reportsOf(Effect.scoped(Effect.gen(function*() {
        const cache = yield* WeakCache.make({
          ...documents(),
          capacity: 1,
          onRemoval: () => Effect.die(new Error("died"))
        })
        yield* WeakCache.get(cache, "a")
        yield* WeakCache.invalidate(cache, "a")
        yield* settle
      })))
      assert.deepStrictEqual(reports, ["Error: died"])
    }))

  effect("an onRemoval may call the cache", () =>
    Effect.gen(function*() {
      const cache: WeakCache.WeakCache<string, Doc> = yield* WeakCache.make({
        ...documents(),
        capacity: 1,
        onRemoval: (key): Effect.Effect<void> => Effect.asVoid(WeakCache.get(cache, `${key}!`))
      })
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.invalidate(cache, "a")
      yield* settle
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["a!"])
    }))

  effect("a weigh may call the cache", () =>
    Effect.gen(function*() {
      const cache: WeakCache.WeakCache<string, Doc> = yield* WeakCache.make({
        ...documents(),
        maxWeight: 10,
        weigh: (value, key) => {
          if (value.version === 1) Effect.runSync(WeakCache.invalidate(cache, key))
          return 1
        }
      })
      assert.strictEqual((yield* WeakCache.get(cache, "a")).version, 1)
      assert.strictEqual((yield* WeakCache.get(cache, "a")).version, 2)
      assert.strictEqual((yield* WeakCache.get(cache, "a")).version, 2)
    }))
})

describe("set, refresh and invalidate during a lookup", () => {
  effect(
    "set during a lookup stores the set value, and waiters receive the result of the lookup",
    () =>
      Effect.gen(function*() {
        const { lookup, release } = gated()
        const cache = yield* WeakCache.make({ lookup })
        const waiting = yield* Effect.forkChild(WeakCache.get(cache, "a"))
        yield* settle
        const value = { name: "set", version: 0 }
        yield* WeakCache.set(cache, "a", value)
        yield* release
        assert.strictEqual((yield* Fiber.join(waiting)).version, 1)
        assert.strictEqual(yield* WeakCache.get(cache, "a"), value)
      })
  )

  effect(
    "after invalidate during a lookup, waiters receive the result, and it is not stored",
    () =>
      Effect.gen(function*() {
        const { lookup, release } = gated()
        const cache = yield* WeakCache.make({ lookup, capacity: 10 })
        const waiting = yield* Effect.forkChild(WeakCache.get(cache, "a"))
        yield* settle
        yield* WeakCache.invalidate(cache, "a")
        yield* release
        assert.strictEqual((yield* Fiber.join(waiting)).version, 1)
        assert.isFalse(yield* WeakCache.has(cache, "a"))
      })
  )

  effect("get returns the old value until a refresh ends", () =>
    Effect.gen(function*() {
      const { lookup, release } = gated()
      const cache = yield* WeakCache.make({ lookup, capacity: 10 })
      const old = { name: "old", version: 0 }
      yield* WeakCache.set(cache, "a", old)
      const refreshing = yield* Effect.forkChild(WeakCache.refresh(cache, "a"))
      yield* settle
      assert.strictEqual(yield* WeakCache.get(cache, "a"), old)
      yield* release
      assert.strictEqual(yield* WeakCache.get(cache, "a"), yield* Fiber.join(refreshing))
    }))

  effect("refresh of a missing key shares its lookup with get", () =>
    Effect.gen(function*() {
      const { lookup, release, state } = gated()
      const cache = yield* WeakCache.make({ lookup })
      const refreshing = yield* Effect.forkChild(WeakCache.refresh(cache, "a"))
      const getting = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* settle
      yield* release
      assert.strictEqual(yield* Fiber.join(getting), yield* Fiber.join(refreshing))
      assert.strictEqual(state.started, 1)
    }))

  effect("interrupting a refresh keeps the old value", () =>
    Effect.gen(function*() {
      const { lookup, state } = gated()
      const cache = yield* WeakCache.make({ lookup, capacity: 10 })
      const old = { name: "old", version: 0 }
      yield* WeakCache.set(cache, "a", old)
      const refreshing = yield* Effect.forkChild(WeakCache.refresh(cache, "a"))
      yield* settle
      yield* Fiber.interrupt(refreshing)
      assert.strictEqual(state.interrupted, 1)
      assert.strictEqual(yield* WeakCache.get(cache, "a"), old)
    }))

  for (
    const [name, invalidate] of [
      ["invalidate", (cache: WeakCache.WeakCache<string, Doc>) => WeakCache.invalidate(cache, "a")],
      ["invalidateAll", (cache: WeakCache.WeakCache<string, Doc>) => WeakCache.invalidateAll(cache)]
    ] as const
  ) {
    effect(`after ${name} during a refresh, the result is returned, but not stored`, () =>
      Effect.gen(function*() {
        const { lookup, release } = gated()
        const cache = yield* WeakCache.make({ lookup, capacity: 10 })
        yield* WeakCache.set(cache, "a", { name: "old", version: 0 })
        const refreshing = yield* Effect.forkChild(WeakCache.refresh(cache, "a"))
        yield* settle
        yield* invalidate(cache)
        yield* release
        assert.strictEqual((yield* Fiber.join(refreshing)).version, 1)
        assert.isFalse(yield* WeakCache.has(cache, "a"))
      }))
  }

  effect(
    "invalidateWhen waits for a lookup, and does not remove a value that replaced the result",
    () =>
      Effect.gen(function*() {
        const { lookup, release } = gated()
        const cache = yield* WeakCache.make({ lookup, capacity: 10 })
        const getting = yield* Effect.forkChild(WeakCache.get(cache, "a"))
        yield* settle
        const invalidating = yield* Effect.forkChild(WeakCache.invalidateWhen(cache, "a", () => true))
        yield* settle
        yield* WeakCache.set(cache, "a", { name: "set", version: 0 })
        yield* release
        assert.isFalse(yield* Fiber.join(invalidating))
        assert.isTrue(yield* WeakCache.has(cache, "a"))
        yield* Fiber.join(getting)
      })
  )

  effect("invalidateWhen removes the result of the lookup that it waited for", () =>
    Effect.gen(function*() {
      const { lookup, release } = gated()
      const cache = yield* WeakCache.make({ lookup, capacity: 10 })
      yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* settle
      const invalidating = yield* Effect.forkChild(WeakCache.invalidateWhen(cache, "a", (doc) => doc.version === 1))
      yield* settle
      yield* release
      assert.isTrue(yield* Fiber.join(invalidating))
      assert.isFalse(yield* WeakCache.has(cache, "a"))
    }))

  effect("set of a primitive is a defect, and changes nothing", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make(documents())
      const a = yield* WeakCache.get(cache, "a")
      const error = yield* defectOf(WeakCache.set(cache, "a", 1 as unknown as Doc))
      assert.instanceOf(error, WeakError.NotWeakReferenceableError)
      assert.strictEqual(yield* WeakCache.get(cache, "a"), a)
    }))
})

describe("makeScoped", () => {
  const resources = () => {
    const log: Array<string> = []
    let id = 0
    const lookup = (key: string) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const name = `${key}${++id}`
          log.push(`open ${name}`)
          return { name }
        }),
        ({ name }) => Effect.sync(() => void log.push(`close ${name}`))
      )
    const handle = (resource: { readonly name: string }) => ({ resource })
    return { log, lookup, handle }
  }

  effect("the resource closes once when its handle is collected", () =>
    Effect.gen(function*() {
      const { log, ...options } = resources()
      const cache = yield* WeakCache.makeScoped(options)
      const handle = yield* WeakCache.get(cache, "a")
      assert.strictEqual(yield* WeakCache.get(cache, "a"), handle)
      yield* TestHeap.collectAndFinalize(handle)
      assert.deepStrictEqual(log, ["open a1", "close a1"])
      yield* WeakCache.invalidateAll(cache)
      assert.deepStrictEqual(log, ["open a1", "close a1"])
    }))

  effect("the resource is closed when invalidate returns", () =>
    Effect.gen(function*() {
      const { log, ...options } = resources()
      const cache = yield* WeakCache.makeScoped({ ...options, capacity: 1 })
      const handle = yield* WeakCache.get(cache, "a")
      yield* WeakCache.invalidate(cache, "a")
      assert.deepStrictEqual(log, ["open a1", "close a1"])
      yield* TestHeap.collectAndFinalize(handle)
      assert.deepStrictEqual(log, ["open a1", "close a1"])
    }))

  effect("the resource closes when its handle expires, without a read", () =>
    Effect.gen(function*() {
      const { log, ...options } = resources()
      const cache = yield* WeakCache.makeScoped({ ...options, timeToLive: "1 minute" })
      yield* WeakCache.get(cache, "a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["open a1", "close a1"])
    }))

  effect("the time to live of a handle can depend on its key", () =>
    Effect.gen(function*() {
      const { log, ...options } = resources()
      const timeToLive = (_: unknown, key: string) => key === "a" ? "1 minute" as const : "2 minutes" as const
      const cache = yield* WeakCache.makeScoped({ ...options, timeToLive, capacity: 2 })
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "b")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["open a1", "open b2", "close a1"])
    }))

  effect("a handle that is the resource itself is refused, and the resource closes", () =>
    Effect.gen(function*() {
      const { log, lookup } = resources()
      const cache = yield* WeakCache.makeScoped({ lookup, handle: (resource): object => resource })
      const exit = yield* Effect.exit(WeakCache.get(cache, "a"))
      assert.match(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), /^TypeError: handle returned the resource/)
      assert.deepStrictEqual(log, ["open a1", "close a1"])
    }))

  effect("the resource closes when the cache closes", () =>
    Effect.gen(function*() {
      const { log, ...options } = resources()
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.makeScoped({ ...options, capacity: 1 }).pipe(Scope.provide(scope))
      const handle = yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "b")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([...log].sort(), ["close a1", "close b2", "open a1", "open b2"])
      yield* TestHeap.collectAndFinalize(handle)
      assert.strictEqual(log.length, 4)
    }))

  for (
    const [name, replace] of [
      ["refresh", (cache: WeakCache.WeakCache<string, object>) => WeakCache.refresh(cache, "a")],
      ["set", (cache: WeakCache.WeakCache<string, object>) => WeakCache.set(cache, "a", {})]
    ] as const
  ) {
    for (const capacity of [0, 2]) {
      effect(
        `a handle that ${name} replaced keeps its resource until it is collected (capacity ${capacity})`,
        () =>
          Effect.gen(function*() {
            const { log, lookup } = resources()
            const cache = yield* WeakCache.makeScoped({
              lookup,
              handle: (resource): object => ({ resource }),
              capacity
            })
            const old = yield* WeakCache.get(cache, "a")
            yield* replace(cache)
            assert.notInclude(log, "close a1")
            yield* TestHeap.collectAndFinalize(old)
            assert.deepStrictEqual(log.filter((line) => line === "close a1"), ["close a1"])
            assert.notInclude(log, "close a2")
          })
      )
    }
  }

  effect("a replaced handle's resource closes with the cache", () =>
    Effect.gen(function*() {
      const { log, ...options } = resources()
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.makeScoped(options).pipe(Scope.provide(scope))
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.refresh(cache, "a")
      yield* Scope.close(scope, Exit.void)
      assert.includeMembers(log, ["close a1", "close a2"])
    }))

  effect("a handle whose time to live is zero keeps its resource until it is collected", () =>
    Effect.gen(function*() {
      const { log, ...options } = resources()
      const cache = yield* WeakCache.makeScoped({ ...options, timeToLive: 0 })
      const handle = yield* WeakCache.get(cache, "a")
      assert.deepStrictEqual(log, ["open a1"])
      yield* TestHeap.collectAndFinalize(handle)
      assert.deepStrictEqual(log, ["open a1", "close a1"])
    }))

  effect(
    "a handle that was invalidated during its lookup keeps its resource until it is collected",
    () =>
      Effect.gen(function*() {
        const { log, handle, lookup } = resources()
        const cache = yield* WeakCache.makeScoped({
          lookup: (key: string) => Effect.andThen(Effect.sleep("1 second"), lookup(key)),
          handle,
          capacity: 2
        })
        const getting = yield* Effect.forkChild(WeakCache.get(cache, "a"))
        yield* settle
        yield* WeakCache.invalidate(cache, "a")
        yield* TestClock.adjust("1 second")
        const value = yield* Fiber.join(getting)
        assert.deepStrictEqual(log, ["open a1"])
        yield* TestHeap.collectAndFinalize(value)
        assert.deepStrictEqual(log, ["open a1", "close a1"])
      })
  )

  effect("a lookup that fails or is interrupted closes its Scope at once", () =>
    Effect.gen(function*() {
      const { log, handle, lookup } = resources()
      const cache = yield* WeakCache.makeScoped({
        lookup: (key: string) => Effect.andThen(lookup(key), key === "never" ? Effect.never : Effect.fail("failed")),
        handle,
        capacity: 2
      })
      assert.strictEqual(yield* Effect.flip(WeakCache.get(cache, "a")), "failed")
      assert.deepStrictEqual(log, ["open a1", "close a1"])
      const fiber = yield* Effect.forkChild(WeakCache.get(cache, "never"))
      yield* settle
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(log.slice(2), ["open never2", "close never2"])
    }))

  for (
    const [name, handle] of [
      ["throws", (): object => {
        throw new Error("no handle")
      }],
      ["returns a primitive", () => "text" as unknown as object]
    ] as const
  ) {
    effect(`a handle function that ${name} is a defect, and the resource closes`, () =>
      Effect.gen(function*() {
        const { log, lookup } = resources()
        const cache = yield* WeakCache.makeScoped({ lookup, handle })
        yield* defectOf(WeakCache.get(cache, "a"))
        assert.deepStrictEqual(log, ["open a1", "close a1"])
        assert.strictEqual(yield* WeakCache.size(cache), 0)
      }))
  }

  effect(
    "collection, invalidation, expiry and closing at the same time close the resource once",
    () =>
      Effect.gen(function*() {
        let closed = 0
        const scope = yield* Scope.make()
        const cache = yield* WeakCache.makeScoped({
          lookup: (key: string) =>
            Effect.acquireRelease(
              Effect.succeed({ key }),
              () => Effect.andThen(Effect.yieldNow, Effect.sync(() => closed++))
            ),
          handle: (resource) => ({ resource }),
          timeToLive: "1 second"
        }).pipe(Scope.provide(scope))
        const handle = yield* WeakCache.get(cache, "a")
        yield* TestHeap.collect(handle)
        yield* Effect.all([
          TestHeap.finalize,
          TestClock.adjust("1 second"),
          Effect.exit(WeakCache.invalidate(cache, "a")),
          Scope.close(scope, Exit.void)
        ], { concurrency: "unbounded" })
        assert.strictEqual(closed, 1)
      })
  )

  effect("closing the cache waits for a resource that is being closed in the background", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      let closed = false
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.makeScoped({
        lookup: (key: string) =>
          Effect.acquireRelease(
            Effect.succeed({ key }),
            () => Effect.andThen(Deferred.await(gate), Effect.sync(() => void (closed = true)))
          ),
        handle: (resource) => ({ resource }),
        timeToLive: "1 second"
      }).pipe(Scope.provide(scope))
      yield* WeakCache.get(cache, "a")
      yield* TestClock.adjust("1 second")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      assert.isUndefined(closing.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(closing)
      assert.isTrue(closed)
    }))

  it.effect("a finalizer that dies is logged in the background, and is a defect of invalidate", () =>
    Effect.gen(function*() {
      const reports = yield* reportsOf(
        Effect.gen(function*() {
          const cache = yield* WeakCache.makeScoped({
            lookup: (key: string) => Effect.acquireRelease(Effect.succeed({ key }), () => Effect.die(new Error(key))),
            handle: (resource) => ({ resource })
          })
          const a = yield* WeakCache.get(cache, "a")
          yield* WeakCache.get(cache, "b")
          yield* TestHeap.collectAndFinalize(a)
          assert.match(String(yield* defectOf(WeakCache.invalidate(cache, "b"))), /b/)
        }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
      )
      assert.deepStrictEqual(reports, ["Error: a"])
    }))
})

describe("closing", () => {
  effect("by a weigh leaves nothing stored", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const weigh = () => {
        Effect.runSync(Scope.close(scope, Exit.void))
        return 1
      }
      const cache = yield* WeakCache.make({ ...documents(), maxWeight: 10, weigh }).pipe(Scope.provide(scope))
      const exit = yield* Effect.exit(WeakCache.set(cache, "a", { name: "a", version: 1 }))
      assert.isTrue(Exit.hasInterrupts(exit))
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  effect("interrupts lookups and their waiters", () =>
    Effect.gen(function*() {
      const { lookup, state } = gated()
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.make({ lookup }).pipe(Scope.provide(scope))
      const waiting = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(state.interrupted, 1)
      const exit = yield* Fiber.await(waiting)
      assert.isTrue(Exit.hasInterrupts(exit))
    }))

  effect("clears the cache, so that the clean-ups of its values do nothing", () =>
    Effect.gen(function*() {
      const { log, onRemoval } = removals()
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.make({ ...documents(), capacity: 1, onRemoval }).pipe(Scope.provide(scope))
      const a = yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "b")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* WeakCache.size(cache), 0)
      yield* TestHeap.collectAndFinalize(a)
      yield* settle
      assert.deepStrictEqual(log, [])
      const { size, strong } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([size, strong], [0, 0])
    }))

  effect("counts no cached failure as an invalidated value", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.make<string, object, string>({ lookup: Effect.fail, capacity: 1 }).pipe(
        Scope.provide(scope)
      )
      yield* Effect.exit(WeakCache.get(cache, "a"))
      yield* Scope.close(scope, Exit.void)
      const { invalidated, size } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([invalidated, size], [0, 0])
    }))

  effect("operations on a closed cache interrupt, and views are empty", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.make({ ...documents(), capacity: 1 }).pipe(Scope.provide(scope))
      yield* WeakCache.get(cache, "a")
      yield* Scope.close(scope, Exit.void)
      const operations: Record<string, Effect.Effect<unknown>> = {
        get: WeakCache.get(cache, "a"),
        getOption: WeakCache.getOption(cache, "a"),
        getSuccess: WeakCache.getSuccess(cache, "a"),
        set: WeakCache.set(cache, "a", { name: "a", version: 0 }),
        has: WeakCache.has(cache, "a"),
        refresh: WeakCache.refresh(cache, "a"),
        invalidate: WeakCache.invalidate(cache, "a"),
        invalidateWhen: WeakCache.invalidateWhen(cache, "a", () => true),
        invalidateAll: WeakCache.invalidateAll(cache),
        trim: WeakCache.trim(cache, 1)
      }
      for (const [name, operation] of Object.entries(operations)) {
        assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(operation)), name)
      }
      for (const view of [WeakCache.keys(cache), WeakCache.values(cache), WeakCache.entries(cache)]) {
        assert.deepStrictEqual([...yield* view], [])
      }
    }))

  effect("waits for running onRemoval effects", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.make({
        ...documents(),
        capacity: 1,
        onRemoval: (key) => Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => void log.push(key)))
      }).pipe(Scope.provide(scope))
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.invalidate(cache, "a")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(log, ["a"])
    }))

  effect("an onRemoval or a lookup that closes the cache does not wait for itself", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      let closed = false
      const cache = yield* WeakCache.make({
        ...documents(),
        capacity: 1,
        onRemoval: () => Effect.andThen(Scope.close(scope, Exit.void), Effect.sync(() => void (closed = true)))
      }).pipe(Scope.provide(scope))
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.invalidate(cache, "a")
      yield* settle
      assert.isTrue(closed)
      assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(WeakCache.get(cache, "a"))))

      const second = yield* Scope.make()
      const closing = yield* WeakCache.make({
        lookup: (key: string) => Effect.as(Scope.close(second, Exit.void), { key })
      }).pipe(Scope.provide(second))
      assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(WeakCache.get(closing, "a"))))
    }))
})

describe("services", () => {
  class Prefix extends Context.Service<Prefix, string>()("Prefix") {}

  effect("the lookup has the services of make", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({
        lookup: (key: string) => Effect.map(Prefix, (prefix) => ({ name: prefix + key }))
      }).pipe(Effect.provideService(Prefix, "made "))
      assert.strictEqual((yield* WeakCache.get(cache, "a")).name, "made a")
      assert.strictEqual(
        (yield* WeakCache.get(cache, "b").pipe(Effect.provideService(Prefix, "got "))).name,
        "got b"
      )
    }))

  for (const constructor of ["make", "makeWith"] as const) {
    effect(`a lookup of ${constructor} has the references of its caller`, () =>
      Effect.gen(function*() {
        const Level = Context.Reference<string>("test/Level", { defaultValue: () => "none" })
        const lookup = (key: string) => Effect.map(Level, (level) => ({ key, level }))
        const make = constructor === "make" ? WeakCache.make({ lookup }) : WeakCache.makeWith(lookup, {})
        const value = yield* WeakCache.get(yield* make, "a").pipe(Effect.provideService(Level, "of get"))
        assert.strictEqual(value.level, "of get")
      }))
  }

  effect("with requireServicesAt lookup, the lookup has the services of get", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({
        lookup: (key: string) => Effect.map(Prefix, (prefix) => ({ name: prefix + key })),
        requireServicesAt: "lookup"
      })
      assert.strictEqual((yield* WeakCache.get(cache, "a").pipe(Effect.provideService(Prefix, "got "))).name, "got a")
    }))

  effect(
    "with requireServicesAt lookup, a scoped lookup has the services of get and its own Scope",
    () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.makeScoped({
          lookup: (key: string) =>
            Effect.gen(function*() {
              const prefix = yield* Prefix
              yield* Effect.addFinalizer(() => Effect.void)
              return { name: prefix + key }
            }),
          handle: (resource) => ({ resource }),
          requireServicesAt: "lookup"
        })
        const { resource } = yield* WeakCache.get(cache, "a").pipe(Effect.provideService(Prefix, "got "))
        assert.strictEqual(resource.name, "got a")
      })
  )
})

describe("statistics", () => {
  effect("stats counts the events of the cache", () =>
    Effect.gen(function*() {
      let fail = false
      const cache = yield* WeakCache.makeWith(
        (key: string) => Effect.suspend(() => fail ? Effect.fail("failed") : Effect.succeed({ key })),
        { capacity: 2, timeToLive: (_, key) => key === "short" ? "1 second" : Infinity }
      )
      for (const key of ["a", "a", "b", "c", "short"]) yield* WeakCache.get(cache, key)
      const a = yield* WeakCache.get(cache, "a")
      yield* WeakCache.getSuccess(cache, "missing")
      fail = true
      yield* Effect.flip(WeakCache.get(cache, "x"))
      yield* Effect.flip(WeakCache.get(cache, "x"))
      yield* WeakCache.trim(cache, 0)
      yield* TestHeap.collectAndFinalize(a)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* WeakCache.stats(cache), {
        ...nothing,
        hits: 3,
        misses: 6,
        sets: 0,
        loads: 4,
        failures: 1,
        interrupted: 0,
        collected: 1,
        expired: 1,
        replaced: 0,
        invalidated: 0,
        unstored: 0,
        demoted: 6,
        size: 2,
        strong: 0,
        weight: 0
      })
    }))
})

describe("options", () => {
  const aFunction = "must be a function, got"
  const aCapacity = "must be a non-negative integer or Infinity, got"
  const aWeight = "must be a non-negative number, got"
  const aName = "must be a non-empty string, got"
  const bad: ReadonlyArray<readonly [option: string, value: unknown, message: string]> = [
    ["lookup", undefined, `TypeError: lookup ${aFunction} undefined`],
    ["lookup", 1, `TypeError: lookup ${aFunction} 1`],
    ["capacity", -1, `RangeError: capacity ${aCapacity} -1`],
    ["capacity", NaN, `RangeError: capacity ${aCapacity} NaN`],
    ["capacity", 1.5, `RangeError: capacity ${aCapacity} 1.5`],
    ["capacity", "10", `RangeError: capacity ${aCapacity} "10"`],
    ["maxWeight", -1, `RangeError: maxWeight ${aWeight} -1`],
    ["maxWeight", NaN, `RangeError: maxWeight ${aWeight} NaN`],
    ["maxWeight", 10, "TypeError: maxWeight and weigh must be given together"],
    ["weigh", () => 1, "TypeError: maxWeight and weigh must be given together"],
    ["weigh", 1, `TypeError: weigh ${aFunction} 1`],
    ["onRemoval", 1, `TypeError: onRemoval ${aFunction} 1`],
    ["compare", "identity", "TypeError: compare must be \"structural\" or \"reference\", got \"identity\""],
    ["name", "", `TypeError: name ${aName} ""`],
    ["name", 1, `TypeError: name ${aName} 1`],
    ["invalidations", 1, "TypeError: invalidations must be a Stream, or an Effect that returns one, got 1"]
  ]
  for (const [option, value, message] of bad) {
    effect(
      `rejects ${option} ${Formatter.format(value)} with an error that says what it must be`,
      () =>
        Effect.gen(function*() {
          const options = { lookup: documents().lookup, [option]: value } as {
            readonly lookup: (key: string) => Effect.Effect<Doc>
          }
          assert.strictEqual(String(yield* defectOf(WeakCache.make(options))), message)
        })
    )
  }

  effect("accepts the bounds of each option", () =>
    Effect.gen(function*() {
      for (
        const options of [
          { capacity: 0 },
          { capacity: Infinity },
          { maxWeight: 0, weigh: () => 1 },
          { maxWeight: Infinity, weigh: () => 1 },
          { compare: "structural" },
          { compare: "reference" },
          { timeToLive: Infinity, idleTimeToLive: Infinity, refreshAfter: Infinity }
        ] as const
      ) {
        const cache = yield* WeakCache.make({ ...documents(), ...options })
        assert.deepStrictEqual(yield* WeakCache.stats(cache), nothing)
      }
    }))

  effect("makeScoped rejects a handle that is not a function", () =>
    Effect.gen(function*() {
      const options = { lookup: documents().lookup, handle: 1 as unknown as (doc: Doc) => object }
      assert.match(String(yield* defectOf(WeakCache.makeScoped(options))), /handle must be a function/)
    }))

  effect("maxWeight or idleTimeToLive without capacity keeps any number of values", () =>
    Effect.gen(function*() {
      const byWeight = yield* WeakCache.make({ ...documents(), maxWeight: 100, weigh: () => 1 })
      const byTime = yield* WeakCache.make({ ...documents(), idleTimeToLive: "1 minute" })
      for (let key = 0; key < 50; key++) {
        yield* WeakCache.get(byWeight, String(key))
        yield* WeakCache.get(byTime, String(key))
      }
      assert.deepStrictEqual([yield* strongOf(byWeight), yield* strongOf(byTime)], [50, 50])
    }))

  effect("an idle time of zero keeps nothing alive", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), capacity: 10, idleTimeToLive: 0 })
      yield* WeakCache.get(cache, "a")
      assert.strictEqual(yield* strongOf(cache), 0)
    }))
})

describe("iterables", () => {
  effect("keys, values and entries yield what is alive and fresh, in insertion order", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make(documents())
      const a = yield* WeakCache.get(cache, "a")
      const b = yield* WeakCache.get(cache, "b")
      const c = yield* WeakCache.get(cache, "c")
      yield* TestHeap.collect(b)
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["a", "c"])
      assert.deepStrictEqual([...yield* WeakCache.values(cache)], [a, c])
      assert.deepStrictEqual([...yield* WeakCache.entries(cache)], [["a", a], ["c", c]])
      assert.strictEqual(yield* WeakCache.size(cache), 3)
    }))

  effect("keys includes a running lookup, and values does not", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup: (_: string): Effect.Effect<object> => Effect.never })
      yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* settle
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["a"])
      assert.deepStrictEqual([...yield* WeakCache.values(cache)], [])
      assert.isTrue(yield* WeakCache.has(cache, "a"))
      assert.deepStrictEqual(yield* WeakCache.getSuccess(cache, "a"), Option.none())
    }))

  effect("an iterable tolerates removal during iteration", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), capacity: 10 })
      for (const key of ["a", "b", "c"]) yield* WeakCache.get(cache, key)
      const seen: Array<string> = []
      for (const key of yield* WeakCache.keys(cache)) {
        seen.push(key)
        yield* WeakCache.invalidate(cache, "b")
      }
      assert.deepStrictEqual(seen, ["a", "c"])
    }))

  effect("is pipeable and printable", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), capacity: 2 })
      yield* pipe(cache, WeakCache.get("a"))
      yield* cache.pipe(WeakCache.set("b", { name: "b", version: 2 }))
      const json = { _id: "WeakCache", capacity: 2, size: 2, strong: 2 }
      assert.deepStrictEqual(JSON.parse(JSON.stringify(cache)), json)
      assert.include(inspect(cache), "WeakCache")
      assert.include(String(cache), "WeakCache")
      assert.isTrue(Equal.equals(cache, cache))
      assert.isTrue(Equal.isEqual(cache) && cache[Equal.symbol](cache))
      assert.isFalse(Equal.equals(cache, yield* WeakCache.make(documents())))
    }))

  effect("every operation has its data-last form", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents(), capacity: 2 })
      const a = yield* pipe(cache, WeakCache.get("a"))
      assert.deepStrictEqual(yield* pipe(cache, WeakCache.getOption("a")), Option.some(a))
      assert.deepStrictEqual(yield* pipe(cache, WeakCache.getSuccess("a")), Option.some(a))
      assert.isTrue(yield* pipe(cache, WeakCache.has("a")))
      assert.isTrue(yield* pipe(cache, WeakCache.invalidateWhen("a", (doc: Doc) => doc === a)))
      assert.strictEqual((yield* pipe(cache, WeakCache.refresh("a"))).version, 2)
      yield* pipe(cache, WeakCache.invalidate("a"))
      assert.isFalse(yield* WeakCache.has(cache, "a"))
    }))
})

describe("heaps and copies", () => {
  effect("uses the heap of the context", () =>
    Effect.gen(function*() {
      const heap = yield* Heap.Heap
      let refs = 0
      const counting: Heap.Heap = {
        ...heap,
        WeakRef: class<A extends WeakKey> extends heap.WeakRef<A> {
          constructor(target: A) {
            super(target)
            refs++
          }
        } as WeakRefConstructor
      }
      const cache = yield* WeakCache.make(documents()).pipe(Effect.provideService(Heap.Heap, counting))
      yield* WeakCache.get(cache, "a")
      assert.strictEqual(refs, 1)
    }))

  it.effect("isWeakCache returns false for other values and for a cache of another copy of the package", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make(documents())
      for (const value of [undefined, null, 1, {}, new Map(), { "~effect-weakref/WeakCache": {} }]) {
        assert.isFalse(WeakCache.isWeakCache(value))
      }
      assert.isTrue(WeakCache.isWeakCache(cache))
      vi.resetModules()
      const other = yield* Effect.promise(() => import("../src/WeakCache.ts"))
      assert.notStrictEqual(other.isWeakCache, WeakCache.isWeakCache)
      assert.isFalse(other.isWeakCache(cache))
      // By this key, the other copy says whose cache it is.
      assert.property(cache, "~effect-weakref/WeakCache")
    }).pipe(Effect.scoped))
})

testDual("WeakCache")
