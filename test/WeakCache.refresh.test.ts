/** Refreshes of `WeakCache`: shared, outdated by newer events, failing, and in the background. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Option, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { WeakCache } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

interface Doc {
  readonly version: number
}

const effect = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope | TestHeap.TestHeap>): void => {
  it.effect(name, () => Effect.suspend(test).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
}

const settle = Effect.repeat(Effect.yieldNow, { times: 10 })

/** A lookup whose first run ends at once, and whose later runs end when the test says how. */
const versions = () => {
  const ends: Array<Deferred.Deferred<Doc, string>> = []
  let lookups = 0
  const lookup = (_: string): Effect.Effect<Doc, string> =>
    Effect.suspend(() => {
      const version = ++lookups
      if (version === 1) return Effect.succeed({ version })
      const end = Deferred.makeUnsafe<Doc, string>()
      ends.push(end)
      return Deferred.await(end)
    })
  const succeed = (index: number, version: number) => Deferred.succeed(ends[index]!, { version })
  const fail = (index: number) => Deferred.fail(ends[index]!, "down")
  return { lookup, lookups: () => lookups, succeed, fail }
}

const versionOf = (cache: WeakCache.WeakCache<string, Doc, string>) =>
  Effect.map(WeakCache.peek(cache, "k"), Option.match({ onNone: () => 0, onSome: ({ version }) => version }))

describe("refresh", () => {
  effect("a hundred concurrent refreshes of a key share one lookup", () =>
    Effect.gen(function*() {
      const { lookup, lookups, succeed } = versions()
      const cache = yield* WeakCache.make({ lookup, capacity: 10 })
      yield* WeakCache.get(cache, "k")
      const fiber = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 100 }, () => WeakCache.refresh(cache, "k")), { concurrency: "unbounded" })
      )
      yield* settle
      assert.strictEqual(lookups(), 2)
      yield* succeed(0, 2)
      assert.strictEqual(new Set(yield* Fiber.join(fiber)).size, 1)
      assert.strictEqual((yield* WeakCache.stats(cache)).loads, 2)
    }))

  effect(
    "concurrent refreshes of a missing key share one lookup, and a get waits for it",
    () =>
      Effect.gen(function*() {
        const { lookup, lookups, succeed } = versions()
        const cache = yield* WeakCache.make({ lookup, capacity: 10 })
        yield* WeakCache.get(cache, "other")
        const fiber = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 100 }, (_, i) => i),
            (i) => i === 50 ? WeakCache.get(cache, "k") : WeakCache.refresh(cache, "k"),
            { concurrency: "unbounded" }
          )
        )
        yield* settle
        assert.strictEqual(lookups(), 2)
        yield* succeed(0, 2)
        assert.strictEqual(new Set(yield* Fiber.join(fiber)).size, 1)
      })
  )

  effect("joins a running refresh whose old value has expired", () =>
    Effect.gen(function*() {
      const { lookup, lookups, succeed } = versions()
      const cache = yield* WeakCache.make({ lookup, capacity: 10, timeToLive: "1 minute" })
      yield* WeakCache.get(cache, "k")
      const refreshes = [yield* Effect.forkChild(WeakCache.refresh(cache, "k"))]
      yield* TestClock.adjust("1 minute")
      refreshes.push(yield* Effect.forkChild(WeakCache.refresh(cache, "k")))
      yield* settle
      assert.strictEqual(lookups(), 2)
      yield* succeed(0, 2)
      assert.deepStrictEqual(yield* Fiber.joinAll(refreshes), [{ version: 2 }, { version: 2 }])
    }))

  effect(
    "runs its own lookup while a get runs one, because what the get reads may be older",
    () =>
      Effect.gen(function*() {
        const { lookup, succeed } = versions()
        const cache = yield* WeakCache.make({ lookup, capacity: 10 })
        yield* WeakCache.get(cache, "other")
        const get = yield* Effect.forkChild(WeakCache.get(cache, "k"))
        yield* settle
        const refresh = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
        yield* settle
        yield* succeed(1, 3)
        assert.strictEqual((yield* Fiber.join(refresh)).version, 3)
        yield* succeed(0, 2)
        assert.strictEqual((yield* Fiber.join(get)).version, 2)
        assert.strictEqual(yield* versionOf(cache), 3)
      })
  )

  effect(
    "interrupting one of two refreshes leaves the other waiting, and the last ends the lookup",
    () =>
      Effect.gen(function*() {
        const { lookup } = versions()
        const cache = yield* WeakCache.make({ lookup, capacity: 10 })
        yield* WeakCache.get(cache, "k")
        const one = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
        const two = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
        yield* settle
        yield* Fiber.interrupt(one)
        assert.strictEqual((yield* WeakCache.stats(cache)).interrupted, 0)
        yield* Fiber.interrupt(two)
        assert.strictEqual((yield* WeakCache.stats(cache)).interrupted, 1)
        assert.strictEqual(yield* versionOf(cache), 1)
      })
  )

  const newer: Record<
    string,
    readonly [
      act: (cache: WeakCache.WeakCache<string, Doc, string>) => Effect.Effect<unknown, string>,
      version: number
    ]
  > = {
    "set": [(cache) => WeakCache.set(cache, "k", { version: 100 }), 100],
    "invalidate": [(cache) => WeakCache.invalidate(cache, "k"), 0],
    "invalidateAll": [(cache) => WeakCache.invalidateAll(cache), 0],
    "matching invalidateWhen": [(cache) => WeakCache.invalidateWhen(cache, "k", () => true), 0],
    "invalidateWhen that does not match": [(cache) => WeakCache.invalidateWhen(cache, "k", () => false), 2],
    "set of another key": [(cache) => WeakCache.set(cache, "other", { version: 100 }), 2]
  }
  for (const [name, [act, expected]] of Object.entries(newer)) {
    // `invalidateWhen` waits for the lookup of a missing value.
    for (const before of name.includes("When") ? ["a value"] : ["a value", "no value"]) {
      effect(`a ${name} during the refresh of ${before} is newer than the result`, () =>
        Effect.gen(function*() {
          const { lookup, succeed } = versions()
          const cache = yield* WeakCache.make({ lookup, capacity: 10 })
          yield* WeakCache.get(cache, "k")
          if (before === "no value") yield* WeakCache.invalidate(cache, "k")
          const fiber = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
          yield* settle
          yield* act(cache)
          yield* succeed(0, 2)
          assert.strictEqual((yield* Fiber.join(fiber)).version, 2, "the caller of refresh")
          assert.strictEqual(yield* versionOf(cache), expected)
          assert.strictEqual((yield* WeakCache.stats(cache)).unstored, expected === 2 ? 0 : 1)
        }))
    }
  }

  effect(
    "of two overlapping refreshes, the one that began later wins, even if it ends first",
    () =>
      Effect.gen(function*() {
        const { lookup, succeed } = versions()
        const cache = yield* WeakCache.make({ lookup, capacity: 10 })
        yield* WeakCache.get(cache, "k")
        const older = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
        yield* settle
        // The older refresh is outdated, so the next one does not share its lookup.
        yield* WeakCache.set(cache, "k", { version: 50 })
        const newer = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
        yield* settle
        yield* succeed(1, 3)
        assert.strictEqual((yield* Fiber.join(newer)).version, 3)
        yield* succeed(0, 2)
        assert.strictEqual((yield* Fiber.join(older)).version, 2)
        assert.strictEqual(yield* versionOf(cache), 3)
      })
  )

  effect("a failure leaves the value, and its caller sees the failure", () =>
    Effect.gen(function*() {
      const { fail, lookup } = versions()
      const cache = yield* WeakCache.make({ lookup, capacity: 10 })
      const first = yield* WeakCache.get(cache, "k")
      const fiber = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
      yield* settle
      yield* fail(0)
      assert.strictEqual(yield* Effect.flip(Fiber.join(fiber)), "down")
      assert.strictEqual(yield* WeakCache.get(cache, "k"), first)
      assert.strictEqual((yield* WeakCache.stats(cache)).failures, 1)
    }))

  effect(
    "a failure leaves a value that is held only weakly, and is cached if the value has been collected",
    () =>
      Effect.gen(function*() {
        for (const isCollected of [false, true]) {
          const { fail, lookup } = versions()
          const cache = yield* WeakCache.make({ lookup, capacity: 10 })
          const first = yield* WeakCache.get(cache, "k")
          yield* WeakCache.trim(cache, 0)
          const fiber = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
          yield* settle
          if (isCollected) yield* TestHeap.collectAndFinalize(first)
          yield* fail(0)
          yield* Fiber.await(fiber)
          const exit = yield* Effect.exit(WeakCache.get(cache, "k"))
          assert.deepStrictEqual(exit, isCollected ? Exit.fail("down") : Exit.succeed(first))
        }
      })
  )

  effect("a get whose value died during the refresh shares the lookup of the refresh", () =>
    Effect.gen(function*() {
      const { lookup, lookups, succeed } = versions()
      const cache = yield* WeakCache.make({ lookup })
      const first = yield* WeakCache.get(cache, "k")
      const refreshing = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
      yield* settle
      yield* TestHeap.collectAndFinalize(first)
      const getting = yield* Effect.forkChild(WeakCache.get(cache, "k"))
      const asking = yield* Effect.forkChild(WeakCache.getOption(cache, "k"))
      yield* settle
      yield* succeed(0, 2)
      const value = yield* Fiber.join(refreshing)
      assert.strictEqual(yield* Fiber.join(getting), value)
      assert.deepStrictEqual(yield* Fiber.join(asking), Option.some(value))
      assert.strictEqual(lookups(), 2)
    }))
})

describe("refreshAfter", () => {
  const make = (lookup: (key: string) => Effect.Effect<Doc, string>, capacity = 10) =>
    WeakCache.make({ lookup, capacity, refreshAfter: "1 minute" })

  effect("tries again only after the same time if a refresh has failed", () =>
    Effect.gen(function*() {
      const { fail, lookup, lookups } = versions()
      const cache = yield* make(lookup)
      const read = WeakCache.get(cache, "k")
      yield* read
      yield* TestClock.adjust("1 minute")
      yield* read
      yield* fail(0)
      yield* settle
      yield* TestClock.adjust("59 seconds")
      yield* read
      assert.strictEqual(lookups(), 2)
      yield* TestClock.adjust("1 second")
      yield* read
      assert.strictEqual(lookups(), 3)
    }))

  effect("refreshes no cached failure", () =>
    Effect.gen(function*() {
      let lookups = 0
      const cache = yield* make(() => Effect.fail(`down ${++lookups}`))
      for (let n = 0; n < 2; n++) {
        assert.strictEqual(yield* Effect.flip(WeakCache.get(cache, "k")), "down 1")
        yield* TestClock.adjust("1 hour")
      }
      assert.strictEqual(lookups, 1)
    }))

  effect("serves an old value at once, and refreshes it in the background, once", () =>
    Effect.gen(function*() {
      const { lookup, lookups, succeed } = versions()
      const cache = yield* make(lookup)
      yield* WeakCache.get(cache, "k")
      yield* TestClock.adjust("59 seconds")
      yield* WeakCache.get(cache, "k")
      assert.strictEqual(lookups(), 1)
      yield* TestClock.adjust("1 second")
      for (let n = 0; n < 5; n++) assert.strictEqual((yield* WeakCache.get(cache, "k")).version, 1)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* WeakCache.get(cache, "k")).version, 1)
      assert.strictEqual(lookups(), 2)
      yield* succeed(0, 2)
      yield* settle
      assert.strictEqual((yield* WeakCache.get(cache, "k")).version, 2)
      assert.strictEqual(lookups(), 2, "the new value is new")
      const { hits, replaced } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([hits, replaced], [8, 1])
    }))

  effect("refreshes a value outside the strong front, and with use", () =>
    Effect.gen(function*() {
      const { lookup, lookups } = versions()
      const cache = yield* make(lookup, 0)
      const first = yield* WeakCache.get(cache, "k")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* WeakCache.use(cache, "k", Effect.succeed), first)
      assert.strictEqual(lookups(), 2)
    }))

  effect(
    "does not refresh for getOption, getSuccess, has and peek, which never start a lookup",
    () =>
      Effect.gen(function*() {
        const { lookup, lookups } = versions()
        const cache = yield* make(lookup)
        yield* WeakCache.get(cache, "k")
        yield* TestClock.adjust("1 minute")
        yield* WeakCache.getOption(cache, "k")
        yield* WeakCache.getSuccess(cache, "k")
        yield* WeakCache.has(cache, "k")
        yield* WeakCache.peek(cache, "k")
        yield* WeakCache.get(cache, "other").pipe(Effect.forkChild)
        yield* settle
        assert.strictEqual(lookups(), 2, "only the lookup of the other key")
      })
  )

  effect("a failure keeps the value, and is tried again after the same time", () =>
    Effect.gen(function*() {
      const { fail, lookup, lookups } = versions()
      const cache = yield* make(lookup)
      yield* WeakCache.get(cache, "k")
      for (const attempt of [1, 2, 3]) {
        yield* TestClock.adjust("1 minute")
        for (let n = 0; n < 3; n++) assert.strictEqual((yield* WeakCache.get(cache, "k")).version, 1)
        assert.strictEqual(lookups(), 1 + attempt)
        yield* fail(attempt - 1)
        yield* settle
        assert.strictEqual((yield* WeakCache.get(cache, "k")).version, 1)
        assert.strictEqual((yield* WeakCache.stats(cache)).failures, attempt)
      }
    }))

  effect("a key that was due does not run again when another key is read", () =>
    Effect.gen(function*() {
      for (const isGet of [true, false]) {
        const { fail, lookup, lookups } = versions()
        const cache = yield* make(lookup)
        yield* WeakCache.get(cache, "k")
        yield* TestClock.adjust("1 minute")
        yield* WeakCache.set(cache, "fresh", { version: 9 })
        yield* isGet ? WeakCache.get(cache, "k") : WeakCache.getOption(cache, "k")
        if (isGet) yield* fail(0)
        yield* settle
        const before = lookups()
        yield* WeakCache.get(cache, "fresh")
        assert.strictEqual(lookups(), before)
        assert.strictEqual(before, isGet ? 2 : 1)
      }
    }))

  effect(
    "a value that is removed while its read waits for the next turn is not refreshed",
    () =>
      Effect.gen(function*() {
        for (const removes of [true, false]) {
          const { lookup, lookups } = versions()
          const cache = yield* make(lookup)
          yield* WeakCache.get(cache, "k")
          yield* TestClock.adjust("1 minute")
          // Fills the turn, so that the read has to wait.
          const other = yield* WeakCache.make({ lookup: () => Effect.sync(() => ({})) })
          for (let n = 0; n < 64; n++) Effect.runSync(WeakCache.get(other, n))
          const reading = Effect.runFork(WeakCache.get(cache, "k"))
          if (removes) Effect.runSync(WeakCache.invalidate(cache, "k"))
          assert.strictEqual((yield* Fiber.join(reading)).version, 1)
          assert.strictEqual(lookups(), removes ? 1 : 2)
        }
      })
  )

  effect("a refresh that joins the background one can be interrupted without ending it", () =>
    Effect.gen(function*() {
      const { lookup, lookups, succeed } = versions()
      const cache = yield* make(lookup)
      yield* WeakCache.get(cache, "k")
      yield* TestClock.adjust("1 minute")
      yield* WeakCache.get(cache, "k")
      const joined = yield* Effect.forkChild(WeakCache.refresh(cache, "k"))
      yield* settle
      yield* Fiber.interrupt(joined)
      yield* succeed(0, 2)
      yield* settle
      assert.deepStrictEqual([lookups(), yield* versionOf(cache)], [2, 2])
    }))

  effect(
    "an expired value is loaded again, and closing interrupts the background refresh",
    () =>
      Effect.gen(function*() {
        const { lookup, lookups } = versions()
        const stats = yield* Effect.scoped(Effect.gen(function*() {
          const cache = yield* WeakCache.make({
            lookup,
            capacity: 10,
            refreshAfter: "1 minute",
            timeToLive: "2 minutes"
          })
          yield* WeakCache.get(cache, "k")
          yield* TestClock.adjust("1 minute")
          yield* WeakCache.get(cache, "k")
          yield* TestClock.adjust("1 minute")
          assert.isFalse(yield* WeakCache.has(cache, "k"))
          const waiting = yield* Effect.forkChild(WeakCache.get(cache, "k"))
          yield* settle
          assert.strictEqual(lookups(), 2, "the get shares the refresh")
          assert.isUndefined(waiting.pollUnsafe())
          return WeakCache.stats(cache)
        }))
        assert.strictEqual((yield* stats).interrupted, 1)
      })
  )
})

describe("the services of a lookup", () => {
  class Previous extends Context.Service<Previous, object>()("Previous") {}
  const Hint = Context.Reference<string>("Hint", { defaultValue: () => "none" })

  const seen = (mode: "lookup" | "construction") =>
    Effect.gen(function*() {
      const contexts: Array<Context.Context<never>> = []
      const cache = yield* WeakCache.makeScoped({
        lookup: (_: string) => Effect.map(Effect.context<never>(), (context) => contexts.push(context)),
        handle: () => ({}),
        requireServicesAt: mode
      })
      yield* WeakCache.get(cache, "k").pipe(
        Effect.provideService(Previous, {}),
        Effect.provideService(Hint, "caller"),
        Effect.annotateLogs("caller", "yes")
      )
      return contexts[0]!
    })

  effect("of makeScoped are those of make, and of the caller only what logs and traces", () =>
    Effect.gen(function*() {
      const context = yield* seen("construction")
      assert.isTrue(Option.isNone(Context.getOption(context, Previous)))
      assert.strictEqual(Context.get(context, Hint), "none")
      assert.include(JSON.stringify(context), "\"caller\":\"yes\"")
    }))

  effect("of makeScoped are those of the caller too, with requireServicesAt lookup", () =>
    Effect.gen(function*() {
      const context = yield* seen("lookup")
      assert.isTrue(Option.isSome(Context.getOption(context, Previous)))
      assert.strictEqual(Context.get(context, Hint), "caller")
    }))
})
