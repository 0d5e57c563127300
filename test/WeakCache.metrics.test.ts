/** The metrics of a `WeakCache` that has a name. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Metric, Scope } from "effect"
import { TestClock } from "effect/testing"
import { WeakCache } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

const documents = { lookup: (id: number) => Effect.succeed({ id }), capacity: 9 }

/** Reads the counts and values of all metrics, as `hits{cache} 1`. */
const read = Effect.map(Metric.snapshot, (metrics) =>
  metrics.map(({ attributes, id, state }) => {
    const value = "count" in state ? state.count : "value" in state ? state.value : undefined
    const { cache, time_unit: _, ...others } = attributes ?? {}
    return [id.replace("weak_cache_", "") + (cache === undefined ? "" : `{${cache}}`), value, ...Object.values(others)]
      .join(" ")
  }))

const readOnly = (...ids: ReadonlyArray<string>) =>
  Effect.map(read, (lines) => lines.filter((line) => ids.includes(line.split("{")[0]!)))

/** Runs a test with its own registry. */
const effect = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope | TestHeap.TestHeap>): void => {
  it.effect(name, () =>
    Effect.suspend(test).pipe(
      Effect.scoped,
      Effect.provide(TestHeap.layer),
      Effect.provideService(Metric.MetricRegistry, new Map())
    ))
}

const open = (name: string, scope: Scope.Scope = Scope.makeUnsafe()) =>
  WeakCache.make({ ...documents, name }).pipe(Effect.provideService(Scope.Scope, scope))

describe("metrics", () => {
  effect("have counters that only grow", () =>
    Effect.gen(function*() {
      yield* open("docs")
      const states = (yield* Metric.snapshot).filter(({ type }) => type === "Counter").map(({ state }) => state)
      assert.lengthOf(states, 12)
      assert.isTrue(states.every((state) => "incremental" in state && state.incremental))
    }))

  effect("are the same for attributes in another order, and others for other attributes", () =>
    Effect.gen(function*() {
      const pairs = [["a", "1"], ["b", "2"], ["c", "3"]] as const
      const openWith = (entries: ReadonlyArray<readonly [string, string]>) =>
        Effect.provideService(open("docs"), Metric.CurrentMetricAttributes, Object.fromEntries(entries))
      const caches = [yield* openWith(pairs), yield* openWith(pairs.toReversed()), yield* openWith(pairs.slice(1))]
      for (const cache of caches) yield* WeakCache.get(cache, 1)
      const misses = (yield* Metric.snapshot).filter(({ id }) => id === "weak_cache_misses")
      assert.deepStrictEqual(misses.map(({ state }) => "count" in state && state.count).toSorted(), [1, 2])
    }))

  effect("have one name each, and the name of the cache as an attribute", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const cache = yield* WeakCache.make({ ...documents, capacity: 1, name: "docs" })
        for (const id of [1, 1, 2]) yield* WeakCache.get(cache, id)
        yield* WeakCache.set(cache, 2, { id: 2 })
        assert.deepStrictEqual(yield* read, [
          "hits{docs} 1",
          "misses{docs} 2",
          "sets{docs} 1",
          "loads{docs} 2",
          "failures{docs} 0",
          "interrupted{docs} 0",
          "collected{docs} 0",
          "expired{docs} 0",
          "replaced{docs} 1",
          "invalidated{docs} 0",
          "unstored{docs} 0",
          "demoted{docs} 1",
          "size{docs} 2",
          "strong{docs} 1",
          "weight{docs} 1",
          "load_time{docs} 2"
        ])
      }))
      assert.deepStrictEqual(yield* read, [])
    }))

  effect("of a cache without a name do not exist", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make(documents)
      yield* WeakCache.get(cache, 1)
      assert.deepStrictEqual(yield* read, [])
    }))

  effect("have the numbers of stats", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ ...documents, name: "docs" })
      for (const id of [1, 2, 1]) yield* WeakCache.get(cache, id)
      yield* WeakCache.invalidate(cache, 1)
      const stats = yield* WeakCache.stats(cache)
      const ids = Object.keys(stats)
      assert.sameMembers(yield* readOnly(...ids), Object.entries(stats).map(([id, n]) => `${id}{docs} ${n}`))
    }))

  effect("of one name are summed, and disappear with the last cache", () =>
    Effect.gen(function*() {
      const [scope1, scope2] = [Scope.makeUnsafe(), Scope.makeUnsafe()]
      const [one, two] = [yield* open("shared", scope1), yield* open("shared", scope2)]
      for (const id of [1, 2, 3]) yield* WeakCache.get(one, id)
      yield* WeakCache.get(two, 1)
      const ids = ["misses", "size", "load_time"]
      assert.deepStrictEqual(yield* readOnly(...ids), ["misses{shared} 4", "size{shared} 4", "load_time{shared} 4"])
      yield* Scope.close(scope1, Exit.void)
      // A counter does not fall, because a dashboard would take that for a restart.
      assert.deepStrictEqual(yield* readOnly(...ids), ["misses{shared} 4", "size{shared} 1", "load_time{shared} 4"])
      yield* Scope.close(scope2, Exit.void)
      assert.deepStrictEqual(yield* read, [])
      yield* open("shared")
      assert.deepStrictEqual(yield* readOnly(...ids), ["misses{shared} 0", "size{shared} 0"])
    }))

  effect("of different names are separate", () =>
    Effect.gen(function*() {
      const scope = Scope.makeUnsafe()
      const [one, two] = [yield* open("one", scope), yield* open("two")]
      yield* WeakCache.get(one, 1)
      yield* WeakCache.get(two, 1)
      assert.deepStrictEqual(yield* readOnly("misses"), ["misses{one} 1", "misses{two} 1"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* readOnly("misses", "load_time"), ["misses{two} 1", "load_time{two} 1"])
    }))

  effect(
    "of different registries, and of different attributes of the context, are separate",
    () =>
      Effect.gen(function*() {
        const tenant = (tenant: string) => Effect.provideService(Metric.CurrentMetricAttributes, { tenant })
        const elsewhere = Effect.provideService(Metric.MetricRegistry, new Map())
        const [a, b, c] = [
          yield* open("docs").pipe(tenant("a")),
          yield* open("docs").pipe(tenant("b")),
          yield* elsewhere(open("docs"))
        ]
        yield* WeakCache.get(a, 1)
        yield* WeakCache.get(a, 2)
        yield* WeakCache.get(b, 1)
        yield* WeakCache.get(c, 1)
        assert.deepStrictEqual(yield* readOnly("misses", "load_time"), [
          "misses{docs} 2 a",
          "misses{docs} 1 b",
          "load_time{docs} 2 a",
          "load_time{docs} 1 b"
        ])
      })
  )

  effect(
    "load_time is a timer in milliseconds, which measures successful and failed lookups",
    () =>
      Effect.gen(function*() {
        const lookup = (millis: number) =>
          Effect.andThen(Effect.sleep(millis), millis > 100 ? Effect.succeed({ millis }) : Effect.fail("failed"))
        const cache = yield* WeakCache.make({ lookup, name: "slow" })
        yield* TestClock.adjust("1 minute")
        const fibers = yield* Effect.forEach(
          [250, 50],
          (millis) => Effect.forkChild(Effect.exit(WeakCache.get(cache, millis)))
        )
        yield* TestClock.adjust("250 millis")
        yield* Fiber.awaitAll(fibers)
        const timer = (yield* Metric.snapshot).find(({ id }) => id === "weak_cache_load_time")
        assert.isTrue(timer?.type === "Histogram" && timer.state.sum === 300 && timer.state.count === 2)
        assert.strictEqual(timer?.attributes?.["time_unit"], "milliseconds")
      })
  )

  effect(
    "load_time does not come back with a lookup that a finalizer starts while the cache closes",
    () =>
      Effect.gen(function*() {
        const scope = Scope.makeUnsafe()
        let loads = 0
        const cache: WeakCache.WeakCache<string, object> = yield* WeakCache.makeScoped({
          lookup: (key: string) =>
            Effect.acquireRelease(
              Effect.sync(() => ({ loads: ++loads })),
              () => key === "last" ? Effect.void : Effect.asVoid(WeakCache.get(cache, "last"))
            ),
          handle: (resource): object => ({ resource }),
          name: "late"
        }).pipe(Effect.provideService(Scope.Scope, scope))
        yield* WeakCache.get(cache, "first")
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(loads, 2)
        assert.deepStrictEqual(yield* read, [])
      })
  )

  effect("forget a cache that was collected before anybody read them", () =>
    Effect.gen(function*() {
      const [dropped, other] = [yield* open("docs"), yield* open("docs")]
      yield* WeakCache.get(dropped, 1)
      yield* WeakCache.get(other, 1)
      yield* TestHeap.collect(dropped)
      assert.deepStrictEqual(yield* readOnly("misses", "size"), ["misses{docs} 1", "size{docs} 1"])
      yield* TestHeap.finalize
      assert.deepStrictEqual(yield* readOnly("misses", "size"), ["misses{docs} 1", "size{docs} 1"])
    }))

  effect(
    "of a newer cache stay if a cache is closed whose metrics have disappeared already",
    () =>
      Effect.gen(function*() {
        const scope = Scope.makeUnsafe()
        yield* TestHeap.collectAndFinalize(yield* open("docs", scope))
        yield* WeakCache.get(yield* open("docs"), 1)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* readOnly("misses", "load_time"), ["misses{docs} 1", "load_time{docs} 1"])
      })
  )

  effect("disappear after a cache that was never closed has been collected", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* open("dropped"), yield* open("dropped")]
      for (const id of [1, 2]) yield* WeakCache.get(one, id)
      yield* WeakCache.get(two, 1)
      yield* read
      yield* TestHeap.collect(one)
      const ids = ["misses", "size"]
      assert.deepStrictEqual(yield* readOnly(...ids), ["misses{dropped} 3", "size{dropped} 1"])
      yield* TestHeap.finalize
      assert.deepStrictEqual(yield* readOnly(...ids), ["misses{dropped} 3", "size{dropped} 1"])
      yield* TestHeap.collectAndFinalize(two)
      assert.deepStrictEqual(yield* read, [])
    }))
})
