/** How a `WeakCache` measures time, and what its timer keeps alive. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { spawnSync } from "node:child_process"
import * as path from "node:path"
import { WeakCache } from "../src/index.ts"
import { LeakDetector, TestHeap } from "../src/testing/index.ts"
import { collectUntil } from "./support/realHeap.ts"

const live = Context.get(Context.empty(), Clock.Clock)

const lookup = (id: number) => Effect.sync(() => ({ id }))

/** A clock whose wall time and monotonic time the test moves separately. It records its sleeps. */
const manualClock = () => {
  const state = { wall: 1_000_000, monotonic: 0, sleeps: new Array<number>(), open: 0 }
  const nanos = () => BigInt(Math.round(state.monotonic * 1e6))
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => state.wall,
    currentTimeMillis: Effect.sync(() => state.wall),
    currentTimeNanosUnsafe: () => BigInt(state.wall) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(state.wall) * 1_000_000n),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: () => Effect.never
  }
  return { state, clock }
}

describe("time to live", () => {
  it.effect("is measured by the monotonic time of the clock, whatever the wall clock says", () =>
    Effect.gen(function*() {
      const { clock, state } = manualClock()
      const cache = yield* WeakCache.make({ lookup, capacity: 5, timeToLive: "1 minute" }).pipe(
        Effect.provideService(Clock.Clock, clock)
      )
      const value = yield* WeakCache.get(cache, 1)
      state.wall += 3_600_000
      state.monotonic += 59_999
      assert.strictEqual(yield* WeakCache.get(cache, 1), value)
      state.wall -= 7_200_000
      state.monotonic += 1
      assert.isFalse(yield* WeakCache.has(cache, 1))
      assert.notStrictEqual(yield* WeakCache.get(cache, 1), value)
    }).pipe(Effect.scoped))

  it.effect("of less than a millisecond is exact", () =>
    Effect.gen(function*() {
      const { clock, state } = manualClock()
      const cache = yield* WeakCache.make({ lookup, capacity: 5, timeToLive: "300 micros" }).pipe(
        Effect.provideService(Clock.Clock, clock)
      )
      yield* WeakCache.get(cache, 1)
      state.monotonic += 0.299
      assert.isTrue(yield* WeakCache.has(cache, 1))
      state.monotonic += 0.001
      assert.isFalse(yield* WeakCache.has(cache, 1))
    }).pipe(Effect.scoped))

  it.effect("releases a value at its time on the test clock, without a read", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup, capacity: 5, timeToLive: "1 minute" })
      yield* WeakCache.get(cache, 1)
      yield* TestClock.adjust("30 seconds")
      yield* WeakCache.get(cache, 2)
      yield* TestClock.adjust("29999 millis")
      assert.strictEqual(yield* WeakCache.size(cache), 2)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* WeakCache.size(cache), 1)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }).pipe(Effect.scoped))

  it.live("releases a value at its time on the host's clock", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup, capacity: 5, timeToLive: "20 millis" })
      yield* WeakCache.get(cache, 1)
      for (let n = 0; n < 500 && (yield* WeakCache.size(cache)) > 0; n++) yield* Effect.sleep("10 millis")
      assert.strictEqual(yield* WeakCache.size(cache), 0)
    }).pipe(Effect.scoped))

  it.live("sleeps for no longer than a timer of the host can", () =>
    Effect.gen(function*() {
      const delays: Array<unknown> = []
      const { setTimeout } = globalThis
      Reflect.set(globalThis, "setTimeout", (f: () => void, millis: number) => {
        delays.push(millis)
        return setTimeout(f, millis)
      })
      const set = (timeToLive: string) =>
        Effect.gen(function*() {
          const cache = yield* WeakCache.make({ lookup, capacity: 5, timeToLive: timeToLive as "1 hour" })
          yield* WeakCache.set(cache, 1, { id: 1 })
        }).pipe(Effect.scoped)
      yield* Effect.ensuring(
        Effect.andThen(set("100 days"), set("1 hour")),
        Effect.sync(() => Reflect.set(globalThis, "setTimeout", setTimeout))
      )
      assert.isTrue(delays.includes(2 ** 31 - 1))
      assert.isTrue(delays.includes(3_600_000))
    }))

  it.live("of many values lets other tasks run, even in a cache that Effect.runSync has made", () =>
    Effect.gen(function*() {
      const make = WeakCache.make({ lookup, capacity: Infinity, timeToLive: "300 millis" })
      const cache = Effect.runSync(Effect.provideService(make, Scope.Scope, Scope.makeUnsafe()))
      for (let id = 0; id < 50_000; id++) Effect.runSync(WeakCache.set(cache, id, { id }))
      const sizes = new Set<number>()
      for (let n = 0; n < 100_000 && !sizes.has(0); n++) {
        yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
        sizes.add(yield* WeakCache.size(cache))
      }
      assert.isTrue(sizes.has(0))
      assert.isAbove(sizes.size, 5)
    }))

  it.effect("of many values at the same time lets other fibers run in between", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup, capacity: Infinity, timeToLive: "1 minute" })
      for (let id = 0; id < 10_000; id++) yield* WeakCache.set(cache, id, { id })
      const sizes = new Set<number>()
      const step = Effect.andThen(Effect.yieldNow, Effect.map(WeakCache.size(cache), (size) => sizes.add(size)))
      const watching = yield* Effect.forkChild(Effect.repeat(step, { until: () => sizes.has(0) }))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(watching)
      assert.isAbove(sizes.size, 2)
    }).pipe(Effect.scoped))

  it("does not keep a finished process alive", () => {
    const program = path.join(import.meta.dirname, "openCache", "program.ts")
    const { signal, status, stderr } = spawnSync(process.execPath, [program], {
      encoding: "utf8",
      timeout: 25_000,
      killSignal: "SIGKILL"
    })
    assert.deepStrictEqual([signal, status], [null, 0], stderr)
  })
})

describe("a cache that was dropped without being closed", () => {
  it.effect("is not woken by its timer after it has been collected", () =>
    Effect.gen(function*() {
      let expired = 0
      const cache = yield* WeakCache.make({
        lookup,
        capacity: 5,
        timeToLive: "1 minute",
        onRemoval: () => Effect.sync(() => void expired++)
      }).pipe(Effect.provideService(Scope.Scope, Scope.makeUnsafe()))
      yield* WeakCache.get(cache, 1)
      yield* TestHeap.collect(cache)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(expired, 0)
    }).pipe(Effect.provide(TestHeap.layer)))

  for (
    const [what, options] of [
      ["a time to live", { timeToLive: "1 hour" }],
      ["an idle time to live", { idleTimeToLive: "1 hour" }],
      ["a name", { name: "dropped" }]
    ] as const
  ) {
    it.live(`can be collected although it has ${what}`, () =>
      LeakDetector.expectCollected(Effect.gen(function*() {
        const cache = yield* WeakCache.make({ lookup, capacity: 5, ...options }).pipe(
          Effect.provideService(Scope.Scope, Scope.makeUnsafe())
        )
        yield* WeakCache.get(cache, 1)
        return cache
      })))

    it.live(`can be collected although it has ${what}, on another clock`, () =>
      LeakDetector.expectCollected(
        Effect.gen(function*() {
          const cache = yield* WeakCache.make({ lookup, capacity: 5, ...options }).pipe(
            Effect.provideService(Scope.Scope, Scope.makeUnsafe())
          )
          yield* WeakCache.get(cache, 1)
          return cache
        }).pipe(
          Effect.provideService(Clock.Clock, { ...manualClock().clock, sleep: (duration) => live.sleep(duration) })
        )
      ))
  }
})

describe("an idle time to live", () => {
  it.live("is over at its time on the host's clock, and then the value can be collected", () =>
    Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup, idleTimeToLive: "20 millis" })
      yield* Effect.asVoid(WeakCache.get(cache, 1))
      yield* Effect.sleep("100 millis")
      assert.isTrue(yield* collectUntil(() => Effect.runSync(WeakCache.size(cache)) === 0))
    }).pipe(Effect.scoped))
})
