/** Tests which values `WeakCache` keeps alive on the real heap. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { EventEmitter } from "node:events"
import { WeakCache } from "../src/index.ts"
import { collector } from "../src/internal/host.ts"
import { LeakDetector } from "../src/testing/index.ts"
import { collectThoroughly, collectUntil, growthPerRun } from "./support/realHeap.ts"

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

describe("the cache removes", () => {
  scopedLive("dead values, even if removals have renewed the registry", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup, capacity: 1 })
      const held = yield* Effect.forEach(["a", "b", "c"], (key) => WeakCache.get(cache, key))
      for (let i = 0; i < 100; i++) {
        yield* WeakCache.set(cache, "x", { key: `x ${i}` })
        yield* WeakCache.get(cache, "a")
      }
      yield* WeakCache.trim(cache, 0)
      yield* collectThoroughly
      assert.isAtLeast(yield* WeakCache.size(cache), held.splice(0).length)
      assert.isTrue(yield* collectUntil(() => Effect.runSync(WeakCache.size(cache)) === 0))
    }))
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

  /** What a lookup can leave behind that refers to its fiber. */
  const leftovers: Record<string, (key: string) => Effect.Effect<unknown, never, Scope.Scope>> = {
    "a listener of Effect.callback": (key) =>
      Effect.callback<EventEmitter>((resume) => {
        const socket = Object.assign(new EventEmitter(), { key })
        socket.once("error", () => resume(Effect.die("error")))
        socket.once("connect", () => resume(Effect.succeed(socket)))
        queueMicrotask(() => socket.emit("connect"))
      }).pipe(Effect.tap((socket) => Effect.addFinalizer(() => Effect.sync(() => socket.removeAllListeners())))),
    "a scoped log annotation": (key) => Effect.annotateLogsScoped({ key }),
    "a child fiber in the Scope": () => Effect.forkScoped(Effect.never),
    "a finalizer that refers to the fiber": () =>
      Effect.withFiber((fiber) => Effect.addFinalizer(() => Effect.sync(() => fiber.id))),
    "a detached fiber that refers to the fiber": () =>
      Effect.withFiber((fiber) => Effect.forkDetach(Effect.ensuring(Effect.never, Effect.sync(() => fiber.id))))
  }
  for (const [name, leave] of Object.entries(leftovers)) {
    scopedLive(`closes the resource of a lookup that leaves ${name} behind`, () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const cache = yield* WeakCache.makeScoped({
          lookup: (key: string) => Effect.andThen(leave(key), open(log)(key)),
          handle: (resource) => ({ resource })
        })
        yield* Effect.forEach(["a", "b", "c"], (key) => Effect.asVoid(WeakCache.get(cache, key)), { discard: true })
        assert.isTrue(yield* collectUntil(() => log.length === 3), `closed ${log}`)
      }))

    scopedLive(`a value of a lookup that leaves ${name} behind is collected`, () =>
      Effect.gen(function*() {
        const scope = yield* Effect.scope
        const cache = yield* WeakCache.make({
          lookup: (key: string) => Effect.as(Scope.provide(leave(key), scope), { key })
        })
        yield* LeakDetector.expectCollected(WeakCache.get(cache, "a"))
      }))
  }

  scopedLive("a resource does not keep the services of its first caller", () =>
    Effect.gen(function*() {
      class Previous extends Context.Service<Previous, object>()("Previous") {}
      const log: Array<string> = []
      const cache = yield* WeakCache.makeScoped({ lookup: open(log), handle: (resource) => ({ resource }) })
      const refreshes = 20
      yield* Effect.gen(function*() {
        let handle: object = yield* WeakCache.get(cache, "a")
        for (let n = 0; n < refreshes; n++) {
          handle = yield* WeakCache.refresh(cache, "a").pipe(Effect.provideService(Previous, handle))
        }
      })
      assert.isTrue(yield* collectUntil(() => log.length === refreshes + 1), `closed ${log.length}`)
    }))

  scopedLive("use keeps the resource open until the effect has ended", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.makeScoped({
        lookup: (_: string) =>
          Effect.acquireRelease(
            Effect.sync(() => ({ isOpen: true })),
            (resource) => Effect.sync(() => void (resource.isOpen = false))
          ),
        // The method does not refer to the handle.
        handle: (resource) => ({ query: Effect.andThen(collectThoroughly, Effect.sync(() => resource.isOpen)) })
      })
      assert.isTrue(yield* WeakCache.use(cache, "a", (handle) => handle.query))
      const isOpen = yield* Effect.all(
        ["b", "c"].map((key) =>
          cache.pipe(WeakCache.use(key, (handle) => Effect.andThen(Effect.yieldNow, handle.query)))
        ),
        { concurrency: 2 }
      )
      assert.deepStrictEqual(isOpen, [true, true])
    }))

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
  /** Runs a loop of operations that never leaves its turn by itself. Returns the most megabytes in use. */
  const peakOf = (operation: (n: number) => Effect.Effect<unknown>) =>
    Effect.gen(function*() {
      const collect = collector()!
      const megabytes = () => process.memoryUsage().arrayBuffers / 1e6
      yield* collectThoroughly
      const before = megabytes()
      let peak = 0
      for (let n = 1; n <= 300; n++) {
        yield* operation(n)
        if (n % 20 !== 0) continue
        collect()
        peak = Math.max(peak, megabytes() - before)
      }
      return peak
    })
  const megabyte = (n: number) => ({ n, data: new Uint8Array(1e6) })

  for (
    const [kind, lookup] of [
      ["synchronous", (n: number) => Effect.sync(() => megabyte(n))],
      ["resolved at once", (n: number) => Effect.promise(async () => megabyte(n))]
    ] as const
  ) {
    for (
      const [bound, options] of [
        ["the capacity", { capacity: 5 }],
        ["a weight", { maxWeight: 5, weigh: () => 1 }],
        ["nothing", {}]
      ] as const
    ) {
      scopedLive(
        `a busy loop of lookups that are ${kind} stays within bounds, with ${bound}`,
        () =>
          Effect.gen(function*() {
            const cache = yield* WeakCache.make({ lookup, ...options })
            assert.isBelow(yield* peakOf((n) => WeakCache.get(cache, n)), 150, "megabytes of 300")
          })
      )
    }
  }

  scopedLive("a busy loop of set and refresh stays within bounds", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup: (n: number) => Effect.sync(() => megabyte(n)), capacity: 5 })
      assert.isBelow(yield* peakOf((n) => Effect.suspend(() => WeakCache.set(cache, n, megabyte(n)))), 150)
      assert.isBelow(yield* peakOf((n) => WeakCache.refresh(cache, -n)), 150)
    }))

  scopedLive("a busy loop of reads that refresh in the background stays within bounds", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({
        lookup: (n: number) => Effect.sync(() => megabyte(n)),
        refreshAfter: 0
      })
      assert.isBelow(yield* peakOf(() => WeakCache.get(cache, 0)), 150, "megabytes of 300")
    }))

  scopedLive("many keys leave nothing behind", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({
        lookup: (n: number) => Effect.sync(() => ({ n })),
        capacity: 100,
        timeToLive: "1 hour"
      })
      const keys = 20_000
      let next = 0
      const flood = Effect.gen(function*() {
        for (const end = next + keys; next < end; next++) {
          yield* WeakCache.get(cache, next)
          if (next % 1000 === 0) yield* collectUntil(() => true, 1)
        }
        yield* collectUntil(() => Effect.runSync(WeakCache.size(cache)) <= 100)
      })
      // A retained entry takes more than 100 bytes.
      const limit = 5 * keys
      assert.isBelow(yield* growthPerRun(flood, limit), limit)
      assert.strictEqual(yield* WeakCache.size(cache), 100)
    }), 120_000)
})
