/** What lookups leave behind: exits, counters and errors. One behaviour per test, on the test heap and the test clock. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Metric, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { WeakCache } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

interface Doc {
  readonly name: string
}

const effect = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope | TestHeap.TestHeap>): void => {
  it.effect(name, () => Effect.suspend(test).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
}

/** Keys that begin with "fail" fail, and keys that begin with "wait" wait for ever. */
const lookup = (name: string): Effect.Effect<Doc, string> =>
  name.startsWith("fail") ? Effect.fail(name) : name.startsWith("wait") ? Effect.never : Effect.sync(() => ({ name }))

type Cache = WeakCache.WeakCache<string, Doc, string>

const reasonsOf = <A, E>(exit: Exit.Exit<A, E>): ReadonlyArray<unknown> =>
  Exit.isSuccess(exit)
    ? ["success"]
    : exit.cause.reasons.map((reason) =>
      Cause.isFailReason(reason)
        ? `fail ${reason.error}`
        : Cause.isDieReason(reason)
        ? `die ${(reason.defect as Error).message}`
        : "interrupt"
    )

const interrupted = (get: Effect.Effect<unknown, string>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(get, { startImmediately: true })
    yield* Fiber.interrupt(fiber)
  })

const settled = Effect.repeat(Effect.yieldNow, { times: 10 })

const wait = (millis: number) => TestClock.adjust(millis)

describe("stats", () => {
  const { get, getOption, getSuccess, has, invalidate, invalidateWhen, peek, refresh, set, setCapacity, trim } =
    WeakCache
  const loaded = (cache: Cache) => get(cache, "a")
  const other = { name: "other" }
  const isOther = (doc: Doc) => doc === other
  type Step = (cache: Cache) => Effect.Effect<unknown, string>
  const cases: ReadonlyArray<
    readonly [
      name: string,
      steps: ReadonlyArray<Step>,
      expected: Partial<WeakCache.Stats>,
      options?: Partial<{ capacity: number; timeToLive: number; idleTimeToLive: number }>
    ]
  > = [
    ["nothing", [], {}],
    ["a load", [loaded], { misses: 1, loads: 1, size: 1, strong: 1, weight: 1 }],
    ["a hit", [loaded, loaded], { hits: 1, misses: 1, loads: 1, size: 1, strong: 1, weight: 1 }],
    ["a load without capacity", [loaded], { misses: 1, loads: 1, size: 1 }, { capacity: 0 }],
    ["a hit without capacity", [loaded, loaded], { hits: 1, misses: 1, loads: 1, size: 1 }, { capacity: 0 }],
    ["a load that is not stored", [loaded], { misses: 1, loads: 1, unstored: 1 }, { timeToLive: 0 }],
    ["a failure", [get("fail")], { misses: 1, failures: 1, strong: 1, weight: 1 }],
    ["a failure again", [get("fail"), get("fail")], { hits: 1, misses: 1, failures: 1, strong: 1, weight: 1 }],
    ["a failure without capacity", [get("fail")], { misses: 1, failures: 1 }, { capacity: 0 }],
    ["an interruption", [(cache) => interrupted(get(cache, "wait"))], { misses: 1, interrupted: 1 }],
    ["getOption of nothing", [getOption("a")], { misses: 1 }],
    ["getOption of a value", [loaded, getOption("a")], { hits: 1, misses: 1, loads: 1, size: 1, strong: 1, weight: 1 }],
    ["getSuccess of nothing", [getSuccess("a")], { misses: 1 }],
    [
      "getSuccess of a value",
      [loaded, getSuccess("a")],
      { hits: 1, misses: 1, loads: 1, size: 1, strong: 1, weight: 1 }
    ],
    ["peek and has", [peek("a"), has("a")], {}],
    ["peek and has of a value", [loaded, peek("a"), has("a")], { misses: 1, loads: 1, size: 1, strong: 1, weight: 1 }],
    ["a set", [set("a", other)], { sets: 1, size: 1, strong: 1, weight: 1 }],
    ["a set that is not stored", [set("a", other)], { sets: 1, unstored: 1 }, { timeToLive: 0 }],
    [
      "a set of another value",
      [loaded, set("a", other)],
      { misses: 1, loads: 1, sets: 1, replaced: 1, size: 1, strong: 1, weight: 1 }
    ],
    [
      "a set of the same value",
      [set("a", other), set("a", other)],
      { sets: 2, replaced: 1, size: 1, strong: 1, weight: 1 }
    ],
    [
      "a set of the same value without capacity",
      [set("a", other), set("a", other)],
      { sets: 2, replaced: 1, size: 1 },
      { capacity: 0 }
    ],
    ["a set instead of a failure", [get("fail"), set("fail", other)], {
      misses: 1,
      failures: 1,
      sets: 1,
      size: 1,
      strong: 1,
      weight: 1
    }],
    ["a refresh of nothing", [refresh("a")], { loads: 1, size: 1, strong: 1, weight: 1 }],
    [
      "a refresh of a value",
      [loaded, refresh("a")],
      { misses: 1, loads: 2, replaced: 1, size: 1, strong: 1, weight: 1 }
    ],
    ["an invalidation of nothing", [invalidate("a")], {}],
    ["an invalidation", [loaded, invalidate("a")], { misses: 1, loads: 1, invalidated: 1 }],
    ["an invalidation of a failure", [get("fail"), invalidate("fail")], { misses: 1, failures: 1 }],
    ["an invalidation when it does not match", [loaded, invalidateWhen("a", isOther)], {
      misses: 1,
      loads: 1,
      size: 1,
      strong: 1,
      weight: 1
    }],
    ["an invalidation when it matches", [set("a", other), invalidateWhen("a", isOther)], { sets: 1, invalidated: 1 }],
    [
      "an invalidation of everything",
      [loaded, get("b"), get("fail"), WeakCache.invalidateAll],
      { misses: 3, loads: 2, failures: 1, invalidated: 2 }
    ],
    ["an eviction", [loaded, get("b")], { misses: 2, loads: 2, demoted: 1, size: 2, strong: 1, weight: 1 }, {
      capacity: 1
    }],
    ["an eviction of a failure", [get("fail"), get("b")], {
      misses: 2,
      loads: 1,
      failures: 1,
      demoted: 1,
      size: 1,
      strong: 1,
      weight: 1
    }, { capacity: 1 }],
    ["a trim", [loaded, get("b"), trim(1)], { misses: 2, loads: 2, demoted: 1, size: 2, strong: 1, weight: 1 }],
    ["a lower capacity", [loaded, get("b"), setCapacity(0), get("c")], { misses: 3, loads: 3, demoted: 2, size: 3 }],
    ["the end of its time to live", [loaded, () => wait(50)], { misses: 1, loads: 1, expired: 1 }, { timeToLive: 50 }],
    ["a read after its time to live", [loaded, () => wait(50), loaded], {
      misses: 2,
      loads: 2,
      expired: 1,
      size: 1,
      strong: 1,
      weight: 1
    }, { timeToLive: 50 }],
    ["an idle time of a millisecond", [setCapacity(2), loaded], {
      misses: 1,
      loads: 1,
      size: 1,
      strong: 1,
      weight: 1
    }, { idleTimeToLive: 1 }],
    ["an idle time of zero", [setCapacity(2), loaded], { misses: 1, loads: 1, size: 1 }, { idleTimeToLive: 0 }],
    ["the end of its idle time", [loaded, () => wait(50)], { misses: 1, loads: 1, demoted: 1, size: 1 }, {
      idleTimeToLive: 50
    }]
  ]
  for (const [name, steps, expected, options] of cases) {
    effect(`count ${name}`, () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({ lookup, capacity: 3, ...options })
        for (const step of steps) yield* Effect.exit(step(cache))
        const stats = yield* WeakCache.stats(cache)
        const counted = Object.fromEntries(Object.entries(stats).filter(([, count]) => count !== 0))
        assert.deepStrictEqual(counted, { ...expected })
      }))
  }
})

describe("a closed cache", () => {
  const operations: Record<string, (cache: Cache) => Effect.Effect<unknown, string>> = {
    get: WeakCache.get("a"),
    getOption: WeakCache.getOption("a"),
    getSuccess: WeakCache.getSuccess("a"),
    peek: WeakCache.peek("a"),
    has: WeakCache.has("a"),
    set: WeakCache.set("a", { name: "a" }),
    refresh: WeakCache.refresh("a"),
    invalidate: WeakCache.invalidate("a"),
    invalidateWhen: WeakCache.invalidateWhen("a", () => true),
    invalidateAll: WeakCache.invalidateAll,
    trim: WeakCache.trim(1),
    setCapacity: WeakCache.setCapacity(1)
  }
  for (const [name, operation] of Object.entries(operations)) {
    effect(`interrupts ${name}, and stays empty`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const cache: Cache = yield* WeakCache.make({ lookup, capacity: 3 }).pipe(Scope.provide(scope))
        const before = yield* Effect.exit(operation(cache))
        assert.deepStrictEqual(reasonsOf(before), ["success"])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(reasonsOf(yield* Effect.exit(operation(cache))), ["interrupt"])
        assert.strictEqual(yield* WeakCache.size(cache), 0)
        assert.deepStrictEqual([...yield* WeakCache.keys(cache)], [])
        const { size, strong, weight } = yield* WeakCache.stats(cache)
        assert.deepStrictEqual([size, strong, weight], [0, 0, 0])
      }))
  }
})

describe("a lookup that fails", () => {
  effect("has the failure of its finalizers too", () =>
    Effect.gen(function*() {
      for (const dies of [false, true]) {
        const cache = yield* WeakCache.makeScoped({
          lookup: (name: string) =>
            Effect.addFinalizer(() => dies ? Effect.die(new Error("close")) : Effect.void).pipe(
              Effect.andThen(lookup(name))
            ),
          handle: (doc) => ({ doc }),
          capacity: 3
        })
        const exit = yield* Effect.exit(WeakCache.get(cache, "fail"))
        assert.deepStrictEqual(reasonsOf(exit), dies ? ["fail fail", "die close"] : ["fail fail"])
      }
    }))

  effect(
    "with a value that cannot be held weakly or a weight that is none is a defect that says so",
    () =>
      Effect.gen(function*() {
        const primitive = yield* WeakCache.make({ lookup: () => Effect.succeed(5 as unknown as Doc) })
        const [reason] = reasonsOf(yield* Effect.exit(WeakCache.get(primitive, "a")))
        assert.match(String(reason), /^die .*weak/i)
        const heavy = yield* WeakCache.make({ lookup, maxWeight: 5, weigh: () => -1 })
        assert.deepStrictEqual(reasonsOf(yield* Effect.exit(WeakCache.get(heavy, "a"))), [
          "die weigh must return a non-negative number, got -1 for \"a\""
        ])
      })
  )
})

describe("a lookup that waits for itself", () => {
  effect("dies with an error that names both keys, however long the circle is", () =>
    Effect.gen(function*() {
      for (const length of [1, 2, 3]) {
        const cache: WeakCache.WeakCache<number, Doc> = yield* WeakCache.make({
          lookup: (key: number): Effect.Effect<Doc> => Effect.suspend(() => WeakCache.get(cache, (key + 1) % length))
        })
        const exit = yield* Effect.exit(WeakCache.get(cache, 0))
        assert.deepStrictEqual(reasonsOf(exit), [
          `die The lookup of 0 waits for itself: it gets ${1 % length} from the cache`
        ])
        // Nothing is left of the lookups, so that another get starts again.
        assert.strictEqual(yield* WeakCache.size(cache), 0)
        assert.deepStrictEqual(reasonsOf(yield* Effect.exit(WeakCache.get(cache, 0))), reasonsOf(exit))
        assert.strictEqual((yield* WeakCache.stats(cache)).failures, 2 * length)
      }
    }))
})

describe("the waiters of one lookup", () => {
  effect("receive one value, and the last one to leave interrupts the lookup", () =>
    Effect.gen(function*() {
      for (const leaving of [0, 1, 2, 3]) {
        let open = (_: Doc) => {}
        let isInterrupted = false
        const cache = yield* WeakCache.make({
          lookup: (_: string) =>
            Effect.callback<Doc>((resume) => {
              open = (doc) => resume(Effect.succeed(doc))
              return Effect.sync(() => void (isInterrupted = true))
            })
        })
        const fibers = yield* Effect.forEach([1, 2, 3], () =>
          Effect.forkChild(WeakCache.get(cache, "a"), { startImmediately: true }))
        for (const fiber of fibers.slice(0, leaving)) {
          yield* Fiber.interrupt(fiber)
        }
        assert.strictEqual(isInterrupted, leaving === 3)
        const doc = { name: "a" }
        open(doc)
        const exits = yield* Effect.forEach(fibers, Fiber.await)
        assert.deepStrictEqual(exits.map(reasonsOf), [1, 2, 3].map((n) => [n <= leaving ? "interrupt" : "success"]))
        const { interrupted, loads, misses, size } = yield* WeakCache.stats(cache)
        assert.deepStrictEqual([interrupted, loads, misses, size], leaving === 3 ? [1, 0, 3, 0] : [0, 1, 3, 1])
        assert.deepStrictEqual(
          yield* WeakCache.peek(cache, "a"),
          leaving === 3 ? Option.none() : Option.some(doc)
        )
      }
    }))
})

describe("a lookup that dies", () => {
  const named = (name: string, message: string) => Object.assign(new Error(message), { name })
  const overflow = new RangeError("Maximum call stack size exceeded")
  const cases: ReadonlyArray<readonly [name: string, exit: Exit.Exit<never, unknown>, isCached: boolean]> = [
    ["because the stack was full", Exit.die(overflow), false],
    ["because the stack of Firefox was full", Exit.die(named("InternalError", "too much recursion")), false],
    [
      "because the stack was full, and for another reason",
      Exit.failCause(
        Cause.combine(Cause.fail("no"), Cause.die(overflow))
      ),
      false
    ],
    ["with another range error", Exit.die(new RangeError("Invalid array length")), true],
    ["with another error of the engine", Exit.die(named("InternalError", "out of memory")), true],
    ["with an error of the program that has the same message", Exit.die(new Error(overflow.message)), true],
    ["with an object that looks like the error", Exit.die({ name: overflow.name, message: overflow.message }), true],
    ["with another defect", Exit.die("stack"), true],
    ["with nothing", Exit.die(undefined), true]
  ]
  for (
    const [name, exit, isCached] of [...cases, ["never, and fails with the error", Exit.fail(overflow), true]] as const
  ) {
    effect(`${name} is ${isCached ? "cached" : "looked up again"}`, () =>
      Effect.gen(function*() {
        let lookups = 0
        const cache = yield* WeakCache.make({
          lookup: (_: string): Effect.Effect<Doc, unknown> => Effect.suspend(() => (lookups++, exit)),
          capacity: 3
        })
        for (let n = 0; n < 2; n++) assert.deepStrictEqual(yield* Effect.exit(WeakCache.get(cache, "a")), exit)
        assert.strictEqual(lookups, isCached ? 1 : 2)
        const { failures, hits, strong } = yield* WeakCache.stats(cache)
        assert.deepStrictEqual([failures, hits, strong], isCached ? [1, 1, 1] : [2, 0, 0])
      }))
  }
})

describe("a lookup that dies under other lookups", () => {
  effect("is not cached if there are so many that the stack may have been full", () =>
    Effect.gen(function*() {
      for (
        const [outer, isCached] of [[0, true], [1, true], [31, true], [32, false], [40, false], [3, true]] as const
      ) {
        let deaths = 0
        const cache: WeakCache.WeakCache<number, object> = yield* WeakCache.make({
          lookup: (key: number): Effect.Effect<object> =>
            key > 0
              ? Effect.as(Effect.exit(WeakCache.get(cache, key - 1)), { key })
              : Effect.suspend(() => Effect.die(`death ${++deaths}`)),
          capacity: 100
        })
        Effect.runSyncExit(WeakCache.get(cache, outer))
        assert.strictEqual(deaths, 1)
        yield* Effect.exit(WeakCache.get(cache, 0))
        assert.strictEqual(deaths, isCached ? 1 : 2, `${outer}`)
        const { failures, size } = yield* WeakCache.stats(cache)
        assert.deepStrictEqual([failures, size], [deaths, outer])
      }
    }))

  effect("is not cached if others have been so many since the outermost lookup began", () =>
    Effect.gen(function*() {
      let deaths = 0
      const cache: WeakCache.WeakCache<number, object> = yield* WeakCache.make({
        lookup: (key: number): Effect.Effect<object> =>
          key === 0
            ? Effect.suspend(() => Effect.die(`death ${++deaths}`))
            : key === 100
            ? Effect.as(Effect.andThen(WeakCache.get(cache, 40), Effect.exit(WeakCache.get(cache, 0))), { key })
            : key > 1
            ? Effect.as(WeakCache.get(cache, key - 1), { key })
            : Effect.succeed({ key }),
        capacity: 100
      })
      Effect.runSyncExit(WeakCache.get(cache, 100))
      assert.strictEqual(deaths, 1)
      for (let n = 0; n < 2; n++) yield* Effect.exit(WeakCache.get(cache, 0))
      // Now cached, because this lookup was alone.
      assert.strictEqual(deaths, 2)
    }))
})

describe("a lookup whose fiber cannot start, as when the stack is full", () => {
  const setup = Effect.gen(function*() {
    let starts = true
    const metrics = {
      recordFiberStart: () => {
        if (!starts) throw new RangeError("Maximum call stack size exceeded")
      },
      recordFiberEnd: () => {}
    }
    const cache = yield* WeakCache.make({ lookup: (name: string) => Effect.sync((): Doc => ({ name })), capacity: 10 })
    /** Runs an effect in which no new fiber starts. */
    const withoutFibers = (operation: Effect.Effect<unknown>) =>
      Effect.exit(Effect.suspend(() => {
        starts = false
        return operation
      })).pipe(
        Effect.tap(() => Effect.sync(() => starts = true)),
        Effect.provideService(Metric.FiberRuntimeMetrics, metrics)
      )
    return { cache, withoutFibers }
  })

  effect("leaves no entry, and is a failure", () =>
    Effect.gen(function*() {
      const { cache, withoutFibers } = yield* setup
      for (const name of ["a", "b", "c"]) {
        assert.match(String(yield* withoutFibers(WeakCache.get(cache, name))), /call stack/)
      }
      assert.strictEqual(yield* WeakCache.size(cache), 0)
      const { failures, loads, misses } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([misses, loads, failures], [3, 0, 3])
    }))

  effect("ends when another lookup starts, which finds its own key only", () =>
    Effect.gen(function*() {
      const { cache, withoutFibers } = yield* setup
      for (const name of ["a", "b"]) yield* withoutFibers(WeakCache.get(cache, name))
      assert.deepStrictEqual(yield* WeakCache.get(cache, "c"), { name: "c" })
      assert.deepStrictEqual((yield* WeakCache.stats(cache)).failures, 2)
      assert.deepStrictEqual(yield* WeakCache.get(cache, "a"), { name: "a" })
    }))

  effect("breaks neither its key nor a refresh", () =>
    Effect.gen(function*() {
      const { cache, withoutFibers } = yield* setup
      yield* withoutFibers(WeakCache.get(cache, "a"))
      assert.deepStrictEqual(yield* WeakCache.get(cache, "a"), { name: "a" })
      yield* withoutFibers(WeakCache.refresh(cache, "a"))
      const before = yield* WeakCache.get(cache, "a")
      assert.notStrictEqual(yield* WeakCache.refresh(cache, "a"), before)
      assert.strictEqual((yield* WeakCache.stats(cache)).failures, 2)
    }))
})

describe("a get that is interrupted", () => {
  effect(
    "ends after its lookup, unless others wait for the lookup or the get is inside of a lookup",
    () =>
      Effect.gen(function*() {
        for (const where of ["alone", "with another", "in a lookup"] as const) {
          const gate = yield* Deferred.make<void>()
          const cache: WeakCache.WeakCache<string, Doc> = yield* WeakCache.make({
            lookup: (name: string): Effect.Effect<Doc> =>
              name === "outer"
                ? Effect.as(WeakCache.get(cache, "slow"), { name })
                : Effect.as(Effect.onInterrupt(Effect.never, () => Deferred.await(gate)), { name })
          })
          const get = WeakCache.get(cache, where === "in a lookup" ? "outer" : "slow")
          const fiber = yield* Effect.forkChild(get, { startImmediately: true })
          const other = where === "with another" ? yield* Effect.forkChild(get, { startImmediately: true }) : undefined
          yield* settled
          fiber.interruptUnsafe()
          yield* settled
          assert.strictEqual(fiber.pollUnsafe() === undefined, where === "alone", where)
          other?.interruptUnsafe()
          yield* Deferred.succeed(gate, undefined)
          yield* settled
          assert.isDefined(fiber.pollUnsafe())
          const { interrupted } = yield* WeakCache.stats(cache)
          assert.strictEqual(interrupted, where === "in a lookup" ? 2 : 1)
        }
      })
  )
})

describe("a lookup that cannot be interrupted", () => {
  effect("delays the end of the cache, which closes its resource at once", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const exits: Array<Exit.Exit<unknown, unknown>> = []
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.makeScoped({
        lookup: (name: string) =>
          Effect.acquireRelease(Effect.as(Deferred.await(gate), name), (_, exit) =>
            Effect.sync(() => void exits.push(exit))),
        handle: (name): Doc => ({ name }),
        capacity: 3
      }).pipe(Scope.provide(scope))
      const getting = yield* Effect.forkChild(WeakCache.get(cache, "a"), { startImmediately: true })
      yield* settled
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* settled
      assert.deepStrictEqual(reasonsOf(yield* Fiber.await(getting)), ["interrupt"])
      assert.deepStrictEqual([exits.length, closing.pollUnsafe()], [0, undefined])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(closing)
      assert.lengthOf(exits, 1)
      const { loads, size, unstored } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([loads, size, unstored], [0, 0, 0])
    }))
})
