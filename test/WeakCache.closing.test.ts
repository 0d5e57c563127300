/** How a `WeakCache` closes: in which order, with which results, and what its finalizers may still do. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { WeakCache } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

interface Handle {
  readonly key: string
}

type Cache = WeakCache.WeakCache<string, Handle>

const effect = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope | TestHeap.TestHeap>): void => {
  it.effect(name, () => Effect.suspend(test).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
}

const settle = Effect.repeat(Effect.yieldNow, { times: 10 })

/** A cache in its own Scope, whose resources log when they open and close. */
const opened = (
  onClose: (cache: Cache, key: string, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<unknown>,
  lookup: (cache: Cache, key: string) => Effect.Effect<unknown> = () => Effect.void,
  timeToLive = Infinity
) =>
  Effect.gen(function*() {
    const log: Array<string> = []
    const scope = yield* Scope.make()
    const cache: Cache = yield* WeakCache.makeScoped({
      lookup: (key: string): Effect.Effect<string, never, Scope.Scope> =>
        Effect.suspend(() => lookup(cache, key)).pipe(
          Effect.andThen(Effect.addFinalizer((exit) => {
            log.push(`close ${key}`)
            return Effect.asVoid(onClose(cache, key, exit))
          })),
          Effect.as(key)
        ),
      handle: (key): Handle => ({ key }),
      capacity: 10,
      timeToLive
    }).pipe(Scope.provide(scope))
    return { cache, log, scope }
  })

const defectsOf = <A, E>(exit: Exit.Exit<A, E>): Array<string> =>
  Exit.isSuccess(exit)
    ? []
    : exit.cause.reasons.map((reason) => Cause.isDieReason(reason) ? String(reason.defect) : reason._tag)

effect(
  "the resource of a handle in the strong front stays open if a test collects the handle",
  () =>
    Effect.gen(function*() {
      const { cache, log } = yield* opened(() => Effect.void)
      const handle = yield* WeakCache.get(cache, "a")
      yield* WeakCache.trim(cache, 0)
      yield* WeakCache.get(cache, "a")
      yield* TestHeap.collectAndFinalize(handle)
      assert.deepStrictEqual(log, [])
    })
)

effect("invalidateAll closes the resources in the order of their entries", () =>
  Effect.gen(function*() {
    const { cache, log } = yield* opened(() => Effect.void)
    for (const key of ["a", "b", "c"]) yield* WeakCache.get(cache, key)
    yield* WeakCache.invalidateAll(cache)
    assert.deepStrictEqual(log, ["close a", "close b", "close c"])
  }))

describe("closing", () => {
  for (const timeToLive of [Infinity, 0]) {
    effect(
      `closes what finalizers load, and what the finalizers of that load, with a time to live of ${timeToLive}`,
      () =>
        Effect.gen(function*() {
          const ended: Array<string> = []
          const next: Record<string, string> = { a: "b", b: "c", c: "d" }
          const { cache, log, scope } = yield* opened(
            (cache, key) =>
              key in next
                ? Effect.map(Effect.exit(WeakCache.get(cache, next[key]!)), (exit) => ended.push(`${key} ${exit._tag}`))
                : Effect.void,
            undefined,
            timeToLive
          )
          yield* WeakCache.get(cache, "a")
          yield* Scope.close(scope, Exit.void)
          assert.deepStrictEqual(log, ["close a", "close b", "close c", "close d"])
          assert.deepStrictEqual(ended, ["a Success", "b Success", "c Success"])
          const { invalidated, loads, size, strong, unstored } = yield* WeakCache.stats(cache)
          assert.deepStrictEqual([loads, size, strong], [4, 0, 0])
          assert.deepStrictEqual([invalidated, unstored], timeToLive === 0 ? [0, 4] : [4, 0])
        })
    )
  }

  effect("interrupts a lookup that a finalizer has started and left", () =>
    Effect.gen(function*() {
      const { cache, scope } = yield* opened(
        (cache, key) =>
          key === "a"
            ? Effect.forkDetach(WeakCache.get(cache, "hang"), { startImmediately: true })
            : Effect.void,
        (_, key) => key === "hang" ? Effect.never : Effect.void
      )
      yield* WeakCache.get(cache, "a")
      yield* Scope.close(scope, Exit.void)
      const { interrupted, misses, size } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([misses, interrupted, size], [2, 1, 0])
    }))

  effect(
    "interrupts a lookup that a finalizer has started and outdated, even if a lookup closes the cache",
    () =>
      Effect.gen(function*() {
        const scopes: Array<Scope.Closeable> = []
        const { cache, scope } = yield* opened(
          (cache, key) =>
            key === "a"
              ? Effect.andThen(
                Effect.forkDetach(WeakCache.get(cache, "hang"), { startImmediately: true }),
                WeakCache.invalidate(cache, "hang")
              )
              : Effect.void,
          (_, key) =>
            key === "hang"
              ? Effect.never
              : key === "close"
              ? Effect.uninterruptible(Scope.close(scopes[0]!, Exit.void))
              : Effect.void
        )
        scopes.push(scope)
        yield* WeakCache.get(cache, "a")
        yield* Effect.exit(WeakCache.get(cache, "close"))
        yield* settle
        const { interrupted, misses } = yield* WeakCache.stats(cache)
        assert.deepStrictEqual([misses, interrupted], [3, 2])
      })
  )

  effect("fails with the defects of all finalizers, also of those that run later", () =>
    Effect.gen(function*() {
      const { cache, scope } = yield* opened((cache, key) =>
        Effect.andThen(key === "a" ? WeakCache.get(cache, "c") : Effect.void, Effect.die(key))
      )
      for (const key of ["a", "b"]) yield* WeakCache.get(cache, key)
      assert.sameMembers(defectsOf(yield* Effect.exit(Scope.close(scope, Exit.void))), ["a", "b", "c"])
    }))

  effect("gives its own exit to the finalizers", () =>
    Effect.gen(function*() {
      for (const given of [Exit.void, Exit.fail("no")]) {
        const exits: Array<unknown> = []
        const { cache, scope } = yield* opened((_, key, exit) => Effect.sync(() => exits.push([key, exit])))
        yield* WeakCache.get(cache, "a")
        yield* WeakCache.get(cache, "b")
        yield* WeakCache.invalidate(cache, "b")
        yield* Scope.close(scope, given)
        assert.deepStrictEqual(exits, [["b", Exit.void], ["a", given]])
      }
    }))

  effect(
    "interrupts all its lookups first, waits for their ends, and then closes its resources",
    () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const ended: Array<string> = []
        const { cache, log, scope } = yield* opened(
          () => Effect.void,
          (_, key) =>
            key === "a"
              ? Effect.void
              : Effect.onInterrupt(
                Effect.never,
                () => Effect.andThen(Deferred.await(gate), Effect.sync(() => void ended.push(key)))
              )
        )
        yield* WeakCache.get(cache, "a")
        const waiting = yield* Effect.forEach(
          ["x", "y"],
          (key) => Effect.forkChild(WeakCache.get(cache, key), { startImmediately: true })
        )
        yield* settle
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* settle
        assert.deepStrictEqual(
          waiting.map((fiber) => fiber.pollUnsafe()),
          waiting.map(() => Exit.failCause(Cause.interrupt(closing.id)))
        )
        assert.deepStrictEqual(log, [])
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(closing)
        assert.deepStrictEqual([ended, log], [["x", "y"], ["close a"]])
        assert.strictEqual((yield* WeakCache.stats(cache)).interrupted, 2)
      })
  )

  effect("is open for its finalizers for a second", () =>
    Effect.gen(function*() {
      for (const [millis, expected] of [[999, "Success"], [1001, "Failure"]] as const) {
        const exits: Array<string> = []
        const { cache, log, scope } = yield* opened((cache, key) =>
          key === "b"
            ? Effect.void
            : Effect.sleep(millis).pipe(
              Effect.andThen(Effect.exit(WeakCache.get(cache, "b"))),
              Effect.map((exit) => exits.push(exit._tag))
            )
        )
        yield* WeakCache.get(cache, "a")
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* settle
        yield* TestClock.adjust(millis - 1)
        assert.deepStrictEqual(exits, [])
        yield* TestClock.adjust(1)
        yield* Fiber.join(closing)
        assert.deepStrictEqual(exits, [expected])
        assert.deepStrictEqual(log, expected === "Success" ? ["close a", "close b"] : ["close a"])
        assert.strictEqual(yield* WeakCache.size(cache), 0)
      }
    }))

  effect("interrupts after a second the lookups for which its finalizers wait", () =>
    Effect.gen(function*() {
      const exits: Array<string> = []
      const { cache, log, scope } = yield* opened(
        (cache, key) =>
          key === "a"
            ? Effect.map(Effect.exit(WeakCache.get(cache, "hang")), (exit) => exits.push(exit._tag))
            : Effect.void,
        (_, key) => key === "hang" ? Effect.never : Effect.void
      )
      yield* WeakCache.get(cache, "a")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      yield* TestClock.adjust(999)
      assert.deepStrictEqual([exits, closing.pollUnsafe()], [[], undefined])
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.deepStrictEqual([exits, log], [["Failure"], ["close a"]])
      const { interrupted, size } = yield* WeakCache.stats(cache)
      assert.deepStrictEqual([interrupted, size], [1, 0])
    }))

  effect(
    "closes the resources that a slow finalizer has loaded before the second was over",
    () =>
      Effect.gen(function*() {
        const { cache, log, scope } = yield* opened((cache, key) =>
          key === "a" ? Effect.andThen(WeakCache.get(cache, "b"), Effect.sleep("2 seconds")) : Effect.die(key)
        )
        yield* WeakCache.get(cache, "a")
        const closing = yield* Effect.forkChild(Effect.exit(Scope.close(scope, Exit.void)))
        yield* settle
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(defectsOf(yield* Fiber.join(closing)), ["b"])
        assert.deepStrictEqual(log, ["close a", "close b"])
      })
  )

  effect("waits for a finalizer that an earlier invalidation has started", () =>
    Effect.gen(function*() {
      const closed: Array<string> = []
      const { cache, scope } = yield* opened((_, key) =>
        Effect.andThen(Effect.sleep(500), Effect.sync(() => void closed.push(key)))
      )
      yield* WeakCache.get(cache, "a")
      yield* Effect.forkChild(WeakCache.invalidate(cache, "a"), { startImmediately: true })
      yield* settle
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      yield* TestClock.adjust(499)
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(closed, ["a"])
    }))

  effect("starts no refresh for a finalizer that reads", () =>
    Effect.gen(function*() {
      const loaded: Array<string> = []
      const scope = yield* Scope.make()
      const cache: Cache = yield* WeakCache.makeScoped({
        lookup: (key: string): Effect.Effect<string, never, Scope.Scope> =>
          Effect.acquireRelease(
            Effect.sync(() => {
              loaded.push(key)
              return key
            }),
            () =>
              key === "a"
                ? Effect.repeat(Effect.andThen(WeakCache.get(cache, "b"), Effect.sleep(200)), { times: 2 })
                : Effect.void
          ),
        handle: (key): Handle => ({ key }),
        refreshAfter: 100,
        capacity: 10
      }).pipe(Scope.provide(scope))
      yield* WeakCache.get(cache, "a")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust(600)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(loaded, ["a", "b"])
    }))

  effect("is not open for a fiber that belongs to no finalizer", () =>
    Effect.gen(function*() {
      const { cache, scope } = yield* opened(() => Effect.sleep(500))
      yield* WeakCache.get(cache, "a")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      for (
        const operation of [
          WeakCache.has(cache, "a"),
          WeakCache.get(cache, "b"),
          WeakCache.set(cache, "b", { key: "b" })
        ]
      ) {
        assert.deepStrictEqual(defectsOf(yield* Effect.exit(operation)), ["Interrupt"])
      }
      yield* TestClock.adjust(500)
      yield* Fiber.join(closing)
    }))
})
