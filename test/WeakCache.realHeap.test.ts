/** Tests which values `WeakCache` keeps alive on the real heap. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { WeakCache } from "../src/index.ts"
import { LeakDetector } from "../src/testing/index.ts"
import { collectThoroughly, collectUntil, heapInUse } from "./support/realHeap.ts"

interface Doc {
  readonly key: string
}

const lookup = (key: string): Effect.Effect<Doc> => Effect.sync(() => ({ key }))
const slow = (key: string): Effect.Effect<Doc> => Effect.andThen(Effect.yieldNow, lookup(key))

const scopedLive = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope>, timeout?: number) =>
  it.live(name, () => Effect.scoped(Effect.suspend(test)), timeout)

type Cache = WeakCache.WeakCache<string, Doc>

/** Every way in which a value enters the cache. */
const entrances: Record<string, (cache: Cache) => Effect.Effect<Doc>> = {
  "get": (cache) => WeakCache.get(cache, "a"),
  "a shared get": (cache) =>
    Effect.map(Effect.all([WeakCache.get(cache, "a"), WeakCache.get(cache, "a")], { concurrency: 2 }), ([a]) => a),
  "a get beside one that is interrupted": (cache) =>
    Effect.gen(function*() {
      const interrupted = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      const waiting = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* Fiber.interrupt(interrupted)
      return yield* Fiber.join(waiting)
    }),
  "getOption beside get": (cache) =>
    Effect.map(
      Effect.all([WeakCache.get(cache, "a"), WeakCache.getOption(cache, "a")], { concurrency: 2 }),
      ([a]) => a
    ),
  "refresh": (cache) => Effect.andThen(WeakCache.get(cache, "a"), WeakCache.refresh(cache, "a")),
  "set": (cache) =>
    Effect.suspend(() => {
      const doc = { key: "set" }
      return Effect.as(WeakCache.set(cache, "a", doc), doc)
    }),
  "a hit": (cache) => Effect.andThen(WeakCache.get(cache, "a"), WeakCache.get(cache, "a"))
}

describe("the cache releases", () => {
  for (const [name, enter] of Object.entries(entrances)) {
    for (const [kind, load] of [["at once", lookup], ["later", slow]] as const) {
      scopedLive(`a value from ${name}, loaded ${kind}`, () =>
        Effect.gen(function*() {
          const cache = yield* WeakCache.make({ lookup: load })
          yield* LeakDetector.expectCollected(enter(cache))
          assert.isTrue(yield* collectUntil(() => Effect.runSync(WeakCache.size(cache)) === 0))
        }))

      scopedLive(
        `a value from ${name}, loaded ${kind}, after the value left the strong front`,
        () =>
          Effect.gen(function*() {
            const cache = yield* WeakCache.make({ lookup: load, capacity: 1, timeToLive: "1 hour" })
            yield* LeakDetector.expectCollected(
              Effect.tap(enter(cache), () => Effect.asVoid(WeakCache.get(cache, "other")))
            )
          })
      )
    }
  }

  const exits: Record<string, (cache: Cache) => Effect.Effect<unknown>> = {
    "invalidate": (cache) => WeakCache.invalidate(cache, "a"),
    "invalidateAll": (cache) => WeakCache.invalidateAll(cache),
    "invalidateWhen": (cache) => WeakCache.invalidateWhen(cache, "a", () => true),
    "refresh": (cache) => WeakCache.refresh(cache, "a"),
    "set": (cache) => WeakCache.set(cache, "a", { key: "other" }),
    "trim": (cache) => WeakCache.trim(cache, 0)
  }
  for (const [name, leave] of Object.entries(exits)) {
    scopedLive(`a value in the strong front after ${name}`, () =>
      Effect.gen(function*() {
        const cache = yield* WeakCache.make({
          lookup,
          capacity: 10,
          timeToLive: "1 hour",
          idleTimeToLive: "1 hour",
          name: "leaks",
          onRemoval: () => Effect.void
        })
        // Two neighbours in the list of the strong front.
        yield* WeakCache.get(cache, "before")
        yield* LeakDetector.expectCollected(
          Effect.tap(WeakCache.get(cache, "a"), () => Effect.andThen(WeakCache.get(cache, "after"), leave(cache)))
        )
      }))
  }

  scopedLive("a value that a running lookup has waited for", () =>
    Effect.gen(function*() {
      const cache: Cache = yield* WeakCache.make({
        lookup: (key: string): Effect.Effect<Doc> =>
          key === "outer" ? Effect.andThen(Effect.asVoid(WeakCache.get(cache, "inner")), Effect.never) : slow(key)
      })
      yield* Effect.forkChild(WeakCache.get(cache, "outer"))
      yield* LeakDetector.expectCollected(WeakCache.get(cache, "inner"))
    }))

  scopedLive("an expired value, without a read", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup, capacity: 10, timeToLive: "20 millis" })
      yield* LeakDetector.expectCollected(Effect.tap(WeakCache.get(cache, "a"), () => Effect.sleep("40 millis")))
    }))

  scopedLive("an idle value, without a read", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup, idleTimeToLive: "20 millis" })
      yield* LeakDetector.expectCollected(Effect.tap(WeakCache.get(cache, "a"), () => Effect.sleep("40 millis")))
    }))

  it.live("all values after its Scope has closed, even if the cache is held", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.make({ lookup, capacity: 10 }).pipe(Scope.provide(scope))
      yield* LeakDetector.expectCollected(
        Effect.tap(WeakCache.get(cache, "a"), () => Scope.close(scope, Exit.void))
      )
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }))

  it.live("a closed cache can be collected", () =>
    LeakDetector.expectCollected(
      Effect.scoped(Effect.gen(function*() {
        const cache = yield* WeakCache.make({ lookup, capacity: 10, timeToLive: "1 hour", name: "dropped" })
        yield* WeakCache.get(cache, "a")
        return cache
      }))
    ))
})

describe("the cache keeps", () => {
  scopedLive("the values of the strong front", () =>
    Effect.gen(function*() {
      let loads = 0
      const cache = yield* WeakCache.make({
        lookup: (key: string) => Effect.sync(() => ({ key, load: ++loads })),
        capacity: 2
      })
      for (const key of ["a", "b", "c"]) yield* WeakCache.get(cache, key)
      yield* collectThoroughly
      yield* WeakCache.get(cache, "b")
      yield* WeakCache.get(cache, "c")
      assert.strictEqual(loads, 3)
      yield* WeakCache.get(cache, "a")
      assert.strictEqual(loads, 4)
    }))

  scopedLive("a value for a waiter that has not run yet", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const cache = yield* WeakCache.make({ lookup: (key: string) => Effect.as(Deferred.await(gate), { key }) })
      const waiting = yield* Effect.forkChild(WeakCache.get(cache, "a"))
      yield* Effect.yieldNow
      yield* Deferred.succeed(gate, undefined)
      yield* collectThoroughly
      assert.strictEqual((yield* Fiber.join(waiting)).key, "a")
    }))
})

describe("makeScoped", () => {
  /** The finalizer holds the resource, as most finalizers do. */
  const open = (log: Array<string>) => (key: string) =>
    Effect.acquireRelease(Effect.sync(() => ({ key })), (resource) => Effect.sync(() => void log.push(resource.key)))

  scopedLive("closes the resource once when its handle has been collected", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const cache = yield* WeakCache.makeScoped({ lookup: open(log), handle: (resource) => ({ resource }) })
      yield* LeakDetector.expectCollected(WeakCache.get(cache, "a"))
      assert.isTrue(yield* collectUntil(() => log.length > 0))
      yield* collectThoroughly
      assert.deepStrictEqual(log, ["a"])
    }))

  it.live("closes the resource once if the handle dies while the cache closes", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.makeScoped({
        lookup: (key: string) =>
          Effect.acquireRelease(
            Effect.sync(() => ({ key })),
            (resource) => Effect.andThen(Effect.yieldNow, Effect.sync(() => void log.push(resource.key)))
          ),
        handle: (resource) => ({ resource })
      }).pipe(Scope.provide(scope))
      const keys = Array.from({ length: 100 }, (_, n) => String(n))
      yield* Effect.forEach(keys, (key) => Effect.asVoid(WeakCache.get(cache, key)), { discard: true })
      const collecting = yield* Effect.forkChild(collectUntil(() => log.length > 0))
      yield* collectUntil(() => log.length > 0, 1)
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(collecting)
      yield* collectThoroughly
      assert.deepStrictEqual([...log].sort(), [...keys].sort())
    }))

  scopedLive("a replaced handle's resource closes when the handle has been collected", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const cache = yield* WeakCache.makeScoped({
        lookup: open(log),
        handle: (resource) => ({ resource }),
        capacity: 2
      })
      yield* LeakDetector.expectCollected(
        Effect.tap(WeakCache.get(cache, "a"), () => Effect.asVoid(WeakCache.refresh(cache, "a")))
      )
      assert.isTrue(yield* collectUntil(() => log.length > 0))
      assert.deepStrictEqual(log, ["a"])
    }))
})

describe("memory", () => {
  scopedLive("many keys leave nothing behind", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({
        lookup: (n: number) => Effect.sync(() => ({ n })),
        capacity: 100,
        timeToLive: "1 hour"
      })
      const keys = 50_000
      const flood = (from: number) =>
        Effect.gen(function*() {
          for (let n = from; n < from + keys; n++) {
            yield* WeakCache.get(cache, n)
            if (n % 1000 === 0) yield* collectUntil(() => true, 1)
          }
          yield* collectUntil(() => Effect.runSync(WeakCache.size(cache)) <= 100)
          return yield* heapInUse
        })
      const first = yield* flood(0)
      yield* flood(100_000)
      const third = yield* flood(200_000)
      // A retained entry takes more than 100 bytes.
      assert.isBelow((third - first) / (2 * keys), 5, "bytes per key")
      assert.strictEqual(yield* WeakCache.size(cache), 100)
    }), 120_000)
})
