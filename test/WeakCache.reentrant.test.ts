/** What happens to `WeakCache` when code of the user calls it from a lookup, a finalizer or an `onRemoval`. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Equal, Exit, Fiber, Hash, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { WeakCache } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

interface Doc {
  readonly key: string
}

const effect = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope | TestHeap.TestHeap>): void => {
  it.effect(name, () => Effect.suspend(test).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
}

const settle = Effect.repeat(Effect.yieldNow, { times: 10 })

/** Checks the two sums of the statistics. */
const addsUp = <A extends WeakKey, E, R>(cache: WeakCache.WeakCache<string, A, E, R>) =>
  Effect.map(
    WeakCache.stats(cache),
    ({ collected, expired, invalidated, loads, replaced, sets, size, unstored }) =>
      assert.strictEqual(sets + loads, size + collected + expired + replaced + invalidated + unstored)
  )

/** A cache of resources that logs which are open. */
const resources = (
  onClose: (
    cache: WeakCache.WeakCache<string, { readonly resource: Doc }>,
    key: string,
    id: number
  ) => Effect.Effect<unknown>,
  options: { readonly timeToLive?: string; readonly capacity?: number } = {}
) =>
  Effect.suspend(() => {
    const open = new Set<number>()
    let opened = 0
    type Cache = WeakCache.WeakCache<string, { readonly resource: Doc }>
    let cache: Cache | undefined
    return Effect.map(
      WeakCache.makeScoped({
        lookup: (key: string) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              const id = ++opened
              open.add(id)
              return { key, id }
            }),
            ({ id }) =>
              Effect.andThen(
                Effect.sync(() => open.delete(id)),
                Effect.suspend(() => onClose(cache!, key, id))
              )
          ),
        handle: (resource: Doc) => ({ resource }),
        capacity: options.capacity ?? 10,
        timeToLive: options.timeToLive === "1 second" ? "1 second" : undefined
      }),
      (made) => {
        cache = made
        return { cache: made, open, opened: () => opened }
      }
    )
  })

describe("a finalizer that calls the cache", () => {
  const calls: Record<
    string,
    (cache: WeakCache.WeakCache<string, { readonly resource: Doc }>, key: string) => Effect.Effect<unknown>
  > = {
    get: (cache, key) => WeakCache.get(cache, key),
    refresh: (cache, key) => WeakCache.refresh(cache, key),
    set: (cache, key) => WeakCache.set(cache, key, { resource: { key } }),
    has: (cache, key) => WeakCache.has(cache, key),
    invalidate: (cache, key) => WeakCache.invalidate(cache, key),
    invalidateAll: (cache) => WeakCache.invalidateAll(cache)
  }
  for (const [name, call] of Object.entries(calls)) {
    effect(
      `with ${name}, after its own key has expired, leaves one entry for the key and nothing open`,
      () =>
        Effect.gen(function*() {
          const { cache, open } = yield* resources((cache, key, id) => id === 1 ? call(cache, key) : Effect.void, {
            timeToLive: "1 second"
          })
          yield* WeakCache.get(cache, "k")
          // The read finds the expired value before the timer does.
          const fiber = yield* Effect.forkChild(TestClock.adjust("1 second"))
          yield* WeakCache.get(cache, "k")
          yield* Fiber.join(fiber)
          yield* settle
          const { size, strong } = yield* WeakCache.stats(cache)
          assert.isAtMost(size, 1)
          assert.isAtMost(strong, 1)
          yield* addsUp(cache)
          yield* WeakCache.invalidateAll(cache)
          yield* settle
          assert.deepStrictEqual([...open], [])
          yield* addsUp(cache)
        })
    )

    effect(`with ${name}, while the cache closes, is not cut off`, () =>
      Effect.gen(function*() {
        const ended: Array<number> = []
        const scope = yield* Scope.make()
        const { cache, open, opened } = yield* resources((cache, key, id) =>
          id > 2
            ? Effect.void
            : Effect.andThen(call(cache, key === "a" ? "b" : "a"), Effect.sync(() => void ended.push(id)))
        ).pipe(Scope.provide(scope))
        yield* WeakCache.get(cache, "a")
        yield* WeakCache.get(cache, "b")
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(ended.sort(), [1, 2])
        assert.deepStrictEqual([...open], [], `${opened()} opened`)
        assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(WeakCache.get(cache, "a"))))
        yield* addsUp(cache)
        assert.strictEqual((yield* WeakCache.stats(cache)).size, 0)
      }))
  }

  effect(
    "that loads its key again whenever it runs does not keep the cache from closing",
    () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { cache, open } = yield* resources((cache, key) => Effect.exit(WeakCache.get(cache, key))).pipe(
          Scope.provide(scope)
        )
        yield* WeakCache.get(cache, "a")
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual([...open], [])
      })
  )
})

describe("a lookup that calls the cache for its own key", () => {
  for (const when of ["when it is called", "while it runs"] as const) {
    effect(
      `and sets it ${when}: the set value is stored, and get returns the result of the lookup`,
      () =>
        Effect.gen(function*() {
          const cache: WeakCache.WeakCache<string, Doc> = yield* WeakCache.make({
            lookup: (key: string) => {
              const set = WeakCache.set(cache, key, { key: "set" })
              if (when === "while it runs") return Effect.as(set, { key: "lookup" })
              Effect.runSync(set)
              return Effect.succeed({ key: "lookup" })
            },
            capacity: 10
          })
          assert.strictEqual((yield* WeakCache.get(cache, "a")).key, "lookup")
          assert.strictEqual((yield* WeakCache.get(cache, "a")).key, "set")
          const { size, strong, unstored } = yield* WeakCache.stats(cache)
          assert.deepStrictEqual([size, strong, unstored], [1, 1, 1])
          yield* WeakCache.invalidateAll(cache)
          assert.strictEqual((yield* WeakCache.stats(cache)).strong, 0)
          yield* addsUp(cache)
        })
    )
  }

  effect("and invalidates it: the result is not stored", () =>
    Effect.gen(function*() {
      const cache: WeakCache.WeakCache<string, Doc> = yield* WeakCache.make({
        lookup: (key: string) => Effect.as(WeakCache.invalidate(cache, key), { key }),
        capacity: 10
      })
      yield* WeakCache.get(cache, "a")
      assert.isFalse(yield* WeakCache.has(cache, "a"))
      yield* addsUp(cache)
    }))
})

describe("a key that sets itself while it is compared", () => {
  class Id implements Equal.Equal {
    readonly id: number
    readonly compare: () => void
    constructor(id: number, compare: () => void) {
      this.id = id
      this.compare = compare
    }
    [Equal.symbol](that: Equal.Equal): boolean {
      this.compare()
      return that instanceof Id && this.id === that.id
    }
    [Hash.symbol](): number {
      return 7
    }
  }

  for (const operation of ["set", "refresh"] as const) {
    effect(`by ${operation}, has one entry, and the earlier value does not come back`, () =>
      Effect.gen(function*() {
        const removals: Array<WeakCache.RemovalCause> = []
        const inner = { key: "inner" }
        const outer = { key: "outer" }
        let compare = () => {}
        const cache = yield* WeakCache.make({
          lookup: (_: Id) => Effect.succeed(outer),
          capacity: 3,
          onRemoval: (_, cause) => Effect.sync(() => void removals.push(cause))
        })
        yield* WeakCache.set(cache, new Id(1, () => compare()), { key: "one" })
        yield* WeakCache.set(cache, new Id(2, () => compare()), { key: "two" })
        const key = new Id(3, () => {})
        compare = () => {
          compare = () => {}
          Effect.runSync(WeakCache.set(cache, key, inner))
        }
        yield* operation === "set" ? WeakCache.set(cache, key, outer) : WeakCache.refresh(cache, key)
        for (const capacity of [3, 2, 1, 0]) {
          yield* WeakCache.trim(cache, capacity)
          const { size, strong } = yield* WeakCache.stats(cache)
          assert.strictEqual(size, yield* WeakCache.size(cache))
          assert.isAtMost(strong, capacity)
          assert.deepStrictEqual(yield* WeakCache.peek(cache, key), Option.some(outer))
        }
        yield* settle
        assert.include(removals, "replaced")
      }))
  }
})

describe("lookups that start lookups", () => {
  const chain = Effect.gen(function*() {
    const cache: WeakCache.WeakCache<number, { readonly depth: number }> = yield* WeakCache.make({
      lookup: (depth: number): Effect.Effect<{ readonly depth: number }> =>
        depth === 0
          ? Effect.succeed({ depth })
          : Effect.map(WeakCache.get(cache, depth - 1), (inner) => ({ depth: inner.depth + 1 })),
      capacity: 10
    })
    return cache
  })

  effect("may be nested deeper than the stack", () =>
    Effect.gen(function*() {
      const cache = yield* chain
      assert.strictEqual((yield* WeakCache.get(cache, 20_000)).depth, 20_000)
    }))

  effect("that overflow the stack of runSync fail, and break no key", () =>
    Effect.gen(function*() {
      const cache = yield* chain
      const depth = 20_000
      const exit = Effect.runSyncExit(WeakCache.get(cache, depth))
      assert.isTrue(Exit.isFailure(exit))
      for (let key = depth; key >= 0; key -= 1000) assert.strictEqual((yield* WeakCache.get(cache, key)).depth, key)
    }))
})

describe("closing ends", () => {
  const cycles: Record<string, (other: Effect.Effect<Doc>) => Effect.Effect<unknown, unknown>> = {
    forkChild: (other) => Effect.flatMap(Effect.forkChild(other), Fiber.join),
    all: (other) => Effect.all([other, Effect.never], { concurrency: 2 }),
    timeout: (other) => Effect.timeout(other, "1 hour"),
    race: (other) => Effect.race(other, Effect.never),
    uninterruptible: (other) =>
      Effect.flatMap(
        Effect.forkChild(other),
        (fiber) => Effect.onInterrupt(Fiber.join(fiber), () => Effect.asVoid(Fiber.interrupt(fiber)))
      )
  }
  for (const [name, wait] of Object.entries(cycles)) {
    for (const interrupted of [true, false]) {
      effect(
        `after a cycle of lookups through ${name}, ${interrupted ? "whose get was interrupted" : "with a waiting get"}`,
        () =>
          Effect.gen(function*() {
            const scope = yield* Scope.make()
            const cache: WeakCache.WeakCache<string, Doc> = yield* WeakCache.make({
              lookup: (key: string): Effect.Effect<Doc> =>
                Effect.as(
                  Effect.orDie(wait(Effect.suspend(() => WeakCache.get(cache, key === "a" ? "b" : "a")))),
                  { key }
                )
            }).pipe(Scope.provide(scope))
            const fiber = yield* Effect.forkChild(WeakCache.get(cache, "a"))
            yield* settle
            if (interrupted) yield* Fiber.interrupt(fiber)
            yield* settle
            yield* Scope.close(scope, Exit.void)
            assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
          })
      )
    }
  }

  for (const by of ["itself", "a child", "a grandchild"] as const) {
    const via = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      by === "itself"
        ? effect
        : by === "a child"
        ? Effect.flatMap(Effect.forkChild(effect), Fiber.join)
        : Effect.flatMap(Effect.forkChild(Effect.flatMap(Effect.forkChild(effect), Fiber.join)), Fiber.join)

    effect(`if a lookup closes the cache by ${by}`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const cache = yield* WeakCache.make({
          lookup: (key: string) => Effect.as(via(Scope.close(scope, Exit.void)), { key })
        }).pipe(Scope.provide(scope))
        const exit = yield* Effect.exit(WeakCache.get(cache, "a"))
        assert.isTrue(Exit.hasInterrupts(exit))
      }))

    effect(`if the lookup of another lookup closes the cache by ${by}`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const cache: WeakCache.WeakCache<string, Doc> = yield* WeakCache.make({
          lookup: (key: string): Effect.Effect<Doc> =>
            key === "outer"
              ? via(WeakCache.get(cache, "inner"))
              : Effect.as(via(Scope.close(scope, Exit.void)), { key })
        }).pipe(Scope.provide(scope))
        assert.isTrue(Exit.isFailure(yield* Effect.exit(WeakCache.get(cache, "outer"))))
      }))

    effect(`if the finalizer of an invalidated resource closes the cache by ${by}`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { cache, open } = yield* resources((_, key) =>
          key === "a" ? via(Scope.close(scope, Exit.void)) : Effect.void
        ).pipe(Scope.provide(scope))
        yield* WeakCache.get(cache, "b")
        yield* WeakCache.get(cache, "a")
        yield* WeakCache.invalidate(cache, "a")
        assert.deepStrictEqual([...open], [])
      }))

    effect(`if a finalizer invalidates a key whose finalizer closes the cache by ${by}`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { cache, open } = yield* resources((cache, key) =>
          key === "a" ? WeakCache.invalidate(cache, "b") : via(Scope.close(scope, Exit.void))
        ).pipe(Scope.provide(scope))
        yield* WeakCache.get(cache, "a")
        yield* WeakCache.get(cache, "b")
        yield* WeakCache.invalidate(cache, "a")
        assert.deepStrictEqual([...open], [])
      }))
  }

  for (
    const [name, hanging] of [["never", Effect.never], [
      "uninterruptible",
      Effect.uninterruptible(Effect.never)
    ]] as const
  ) {
    effect(`with an onRemoval that hangs (${name}), after a second`, () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const scope = yield* Scope.make()
        const cache = yield* WeakCache.make({
          lookup: (key: string) => Effect.succeed({ key }),
          capacity: 10,
          onRemoval: (key) => key === "hang" ? hanging : Effect.sync(() => void log.push(key))
        }).pipe(Scope.provide(scope))
        for (const key of ["a", "hang", "b"]) yield* WeakCache.get(cache, key)
        yield* WeakCache.invalidateAll(cache)
        yield* settle
        assert.deepStrictEqual(log, ["a"])
        yield* TestClock.adjust("1 second")
        yield* settle
        assert.deepStrictEqual(log, ["a", "b"], "the one that hangs delays the next by a second")
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* settle
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(closing)
      }))
  }
})

describe("a finalizer that hangs", () => {
  effect("delays only its own invalidation", () =>
    Effect.gen(function*() {
      const { cache, open } = yield* resources((_, key) => key === "hang" ? Effect.never : Effect.void).pipe(
        Scope.provide(yield* Scope.make())
      )
      for (const key of ["hang", "a", "b"]) yield* WeakCache.get(cache, key)
      const hanging = yield* Effect.forkDetach(WeakCache.invalidate(cache, "hang"))
      yield* settle
      yield* WeakCache.invalidate(cache, "a")
      assert.isUndefined(hanging.pollUnsafe())
      yield* Effect.forkDetach(WeakCache.invalidateAll(cache))
      yield* settle
      assert.deepStrictEqual([...open], [])
      assert.strictEqual((yield* WeakCache.get(cache, "hang")).resource.key, "hang")
    }))
})

describe("nested lookups", () => {
  type Numbers = WeakCache.WeakCache<number, { readonly key: number }>
  /** A cache in which the lookup of each key gets the key before. */
  const chain = (
    through: (get: Effect.Effect<{ readonly key: number }>) => Effect.Effect<unknown>,
    first: Effect.Effect<unknown> = Effect.void
  ) =>
    Effect.gen(function*() {
      const cache: Numbers = yield* WeakCache.make({
        lookup: (key: number): Effect.Effect<{ readonly key: number }> =>
          Effect.as(key === 0 ? first : through(Effect.suspend(() => WeakCache.get(cache, key - 1))), { key }),
        capacity: 10
      })
      return cache
    })
  const ways: Record<string, (get: Effect.Effect<unknown>) => Effect.Effect<unknown>> = {
    "in the same fiber": (get) => get,
    "in a child": (get) => Effect.flatMap(Effect.forkChild(get, { startImmediately: true }), Fiber.join),
    "with a timeout": (get) => Effect.timeoutOption(get, "1 hour"),
    "in a race": (get) => Effect.raceFirst(get, Effect.never)
  }
  for (const [name, through] of Object.entries(ways)) {
    effect(`${name}, 2,000 deep, are all interrupted with the last waiter`, () =>
      Effect.gen(function*() {
        let interrupted = 0
        const cache = yield* chain(through, Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++)))
        const fiber = yield* Effect.forkDetach(WeakCache.get(cache, 2000))
        while ((yield* WeakCache.size(cache)) <= 2000) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        yield* Effect.repeat(Effect.yieldNow, { times: 1000, until: () => interrupted > 0 })
        assert.deepStrictEqual([interrupted, yield* WeakCache.size(cache)], [1, 0])
      }))

    effect(`${name}, leave no entry and no broken key if the stack overflows`, () =>
      Effect.gen(function*() {
        const cache = yield* chain(through)
        for (let round = 0; round < 3; round++) {
          const exit = Effect.runSyncExit(WeakCache.get(cache, 20_000 + round))
          assert.match(
            Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "",
            /RangeError: Maximum call stack size exceeded|InternalError: too much recursion/
          )
          assert.strictEqual(yield* WeakCache.size(cache), 0)
        }
        const { failures, interrupted, loads, misses } = yield* WeakCache.stats(cache)
        assert.strictEqual(loads, 0)
        // A lookup that could not start any more is a miss only.
        assert.isAtLeast(misses, failures + interrupted)
        assert.strictEqual((yield* WeakCache.get(cache, 500)).key, 500)
      }))
  }

  effect(
    "that wait for each other in detached fibers, which they interrupt and await, end with the cache",
    () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const cache: WeakCache.WeakCache<string, Doc> = yield* WeakCache.make({
          lookup: (key: string): Effect.Effect<Doc> =>
            Effect.callback((resume) => {
              const fiber = Effect.runFork(WeakCache.get(cache, key === "a" ? "b" : "a"))
              fiber.addObserver(resume)
              return Fiber.interrupt(fiber)
            })
        }).pipe(Scope.provide(scope))
        const fiber = yield* Effect.forkChild(WeakCache.get(cache, "a"), { startImmediately: true })
        yield* settle
        yield* Fiber.interrupt(fiber)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* WeakCache.size(cache), 0)
      })
  )
})

describe("waiters", () => {
  effect("inside of a lookup do not wait for the end of a lookup that they interrupt", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const cache: WeakCache.WeakCache<string, Doc> = yield* WeakCache.make({
        lookup: (key: string): Effect.Effect<Doc> =>
          key === "outer"
            ? Effect.map(Effect.timeoutOption(WeakCache.get(cache, "slow"), "1 second"), () => ({ key }))
            : Effect.as(Effect.onInterrupt(Effect.never, () => Deferred.await(gate)), { key })
      })
      const fiber = yield* Effect.forkChild(WeakCache.get(cache, "outer"))
      yield* settle
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).key, "outer")
      yield* Deferred.succeed(gate, undefined)
    }))

  effect(
    "receive the exit of a lookup whose function throws, and the key can be loaded again",
    () =>
      Effect.gen(function*() {
        let throws = true
        const cache = yield* WeakCache.make({
          lookup: (key: string) => {
            if (throws) throw new Error("not an effect")
            return Effect.succeed({ key })
          },
          capacity: 10
        })
        const exit = yield* Effect.exit(WeakCache.get(cache, "a"))
        assert.strictEqual(Exit.isFailure(exit) && String(Cause.squash(exit.cause)), "Error: not an effect")
        throws = false
        assert.strictEqual((yield* WeakCache.get(cache, "a")).key, "a")
        const { failures, loads, misses } = yield* WeakCache.stats(cache)
        assert.deepStrictEqual([failures, loads, misses], [1, 1, 2])
      })
  )
})
