import { assert, describe, it, vi } from "@effect/vitest"
import { Clock, Context, Effect } from "effect"
import { TestClock } from "effect/testing"
import { timeOf, Timer } from "../../../src/internal/weakCache/timer.ts"
import { TestHeap } from "../../../src/testing/index.ts"

/** A clock of the host at a time that the test moves, and timers that the test fires. */
const fakeHost = <A>(
  timeout: number | object,
  run: (host: {
    readonly clock: Clock.Clock
    /** The delays of the timers that wait. */
    readonly delays: () => ReadonlyArray<number>
    readonly fire: () => void
  }) => A
): A => {
  const clock = Context.get(Context.empty(), Clock.Clock)
  const waiting = new Map<unknown, { readonly wake: () => void; readonly millis: number }>()
  const time = vi.spyOn(clock, "monotonicTimeNanosUnsafe").mockReturnValue(0n)
  vi.stubGlobal("setTimeout", (wake: () => void, millis: number) => {
    assert.strictEqual(waiting.size, 0, "one timer sleeps at a time")
    waiting.set(timeout, { wake, millis })
    return timeout
  })
  vi.stubGlobal("clearTimeout", (timeout: unknown) => waiting.delete(timeout))
  try {
    return run({
      clock,
      delays: () => Array.from(waiting.values(), ({ millis }) => millis),
      fire: () => {
        const { wake } = waiting.get(timeout)!
        waiting.delete(timeout)
        wake()
      }
    })
  } finally {
    time.mockRestore()
    vi.unstubAllGlobals()
  }
}

/** A sleeper that returns these times, one after the other. */
const sleeperOf = (...times: ReadonlyArray<number>) => {
  const left = [...times]
  return { wakes: () => times.length - left.length, removeExpired: () => left.shift()! }
}

describe("Timer", () => {
  it("sleeps until the earliest time, and then until the time that the sleeper returns", () => {
    fakeHost({}, ({ clock, delays, fire }) => {
      const { heap } = TestHeap.makeUnsafe()
      const timer = new Timer(heap, clock, Context.empty())
      const sleeper = sleeperOf(70, -5, Infinity)
      assert.deepStrictEqual(delays(), [])
      timer.wakeAt(50, sleeper)
      assert.deepStrictEqual(delays(), [50])
      timer.wakeAt(60, sleeper)
      timer.wakeAt(50, sleeper)
      assert.deepStrictEqual(delays(), [50])
      // A timer of the host must not fire before the time.
      timer.wakeAt(39.2, sleeper)
      assert.deepStrictEqual(delays(), [40])
      fire()
      assert.deepStrictEqual([sleeper.wakes(), ...delays()], [1, 70])
      timer.wakeAt(80, sleeper)
      assert.deepStrictEqual(delays(), [70])
      fire()
      assert.deepStrictEqual([sleeper.wakes(), ...delays()], [2, 0])
      fire()
      assert.deepStrictEqual([sleeper.wakes(), ...delays()], [3])
      timer.wakeAt(2 ** 40, sleeper)
      assert.deepStrictEqual(delays(), [2 ** 31 - 1])
    })
  })

  it("can be stopped, and then sleeps again", () => {
    fakeHost(7, ({ clock, delays }) => {
      const timer = new Timer(TestHeap.makeUnsafe().heap, clock, Context.empty())
      timer.stop()
      const sleeper = sleeperOf(Infinity)
      timer.wakeAt(50, sleeper)
      timer.stop()
      assert.deepStrictEqual(delays(), [])
      timer.wakeAt(90, sleeper)
      assert.deepStrictEqual(delays(), [90])
    })
  })

  it("does not wake a sleeper that has been collected", () => {
    fakeHost({}, ({ clock, delays, fire }) => {
      const { collect, heap } = TestHeap.makeUnsafe()
      const timer = new Timer(heap, clock, Context.empty())
      const sleeper = sleeperOf(10, 20)
      timer.wakeAt(5, sleeper)
      collect(sleeper)
      fire()
      assert.deepStrictEqual([sleeper.wakes(), ...delays()], [0])
    })
  })

  it("lets a process of Node or Deno end", () => {
    const unref = vi.fn<(timeout?: number) => void>()
    const unrefTimer = vi.fn<(timeout?: number) => void>()
    vi.stubGlobal("Deno", { unrefTimer })
    for (const timeout of [{ unref }, {}, 7]) {
      fakeHost(timeout, ({ clock, delays }) => {
        vi.stubGlobal("Deno", { unrefTimer })
        new Timer(TestHeap.makeUnsafe().heap, clock, Context.empty()).wakeAt(5, sleeperOf())
        assert.deepStrictEqual(delays(), [5])
      })
    }
    assert.lengthOf(unref.mock.calls, 1)
    assert.deepStrictEqual(unrefTimer.mock.calls, [[7]])
    // A browser has neither.
    fakeHost(7, ({ clock, delays }) => {
      new Timer(TestHeap.makeUnsafe().heap, clock, Context.empty()).wakeAt(5, sleeperOf())
      assert.deepStrictEqual(delays(), [5])
    })
  })

  it.effect("sleeps by another clock, and in the next task if the time has come", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const context = yield* Effect.context<never>()
      const timer = new Timer(TestHeap.makeUnsafe().heap, clock, context)
      const sleeper = sleeperOf(Infinity, Infinity, Infinity)
      yield* TestClock.adjust(1000)
      assert.strictEqual(timeOf(clock), 1000)
      timer.wakeAt(1010, sleeper)
      yield* TestClock.adjust(9)
      assert.strictEqual(sleeper.wakes(), 0)
      yield* TestClock.adjust(1)
      assert.strictEqual(sleeper.wakes(), 1)
      for (const time of [1010, 900]) {
        timer.wakeAt(time, sleeper)
        const before = sleeper.wakes()
        yield* Effect.repeat(Effect.yieldNow, { times: 5 })
        assert.strictEqual(sleeper.wakes(), before + 1)
      }
      timer.wakeAt(1020, sleeper)
      timer.stop()
      yield* TestClock.adjust(100)
      assert.strictEqual(sleeper.wakes(), 3)
    }))
})
