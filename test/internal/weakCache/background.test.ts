import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Background, Removals } from "../../../src/internal/weakCache/background.ts"
import { Work, workOf } from "../../../src/internal/weakCache/work.ts"
import { reportsOf } from "../../support/reports.ts"

const settle = Effect.repeat(Effect.yieldNow, { times: 10 })

describe("Background.idle", () => {
  it.effect("resolves when the last of several fibers has ended", () =>
    Effect.gen(function*() {
      const background = new Background(Context.empty())
      // A function, because the type of a property does not change between two reads.
      const idleNow = () => background.idle
      assert.isUndefined(idleNow())
      const gates = [Deferred.makeUnsafe<void>(), Deferred.makeUnsafe<void>()] as const
      const fibers = gates.map((gate) => background.run(Deferred.await(gate)))
      const idle = idleNow()
      assert.isDefined(idle)
      assert.strictEqual(idleNow(), idle)
      let isIdle = false
      void idle.then(() => isIdle = true)
      for (const [index, gate] of gates.entries()) {
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.await(fibers[index]!)
        yield* Effect.promise(() => Promise.resolve())
        yield* settle
        assert.strictEqual(isIdle, index === 1)
      }
      assert.isUndefined(idleNow())
    }))

  it.effect("begins again with the next fiber", () =>
    Effect.gen(function*() {
      const background = new Background(Context.empty())
      let before: Promise<void> | undefined
      for (let round = 0; round < 2; round++) {
        const gate = Deferred.makeUnsafe<void>()
        background.run(Deferred.await(gate))
        const { idle } = background
        assert.notStrictEqual(idle, before)
        before = idle
        yield* Deferred.succeed(gate, undefined)
        yield* Effect.promise(() => idle!)
        assert.isUndefined(background.idle)
      }
    }))

  it("is undefined if a fiber ends at once", () => {
    const background = new Background(Context.empty())
    background.run(Effect.void)
    assert.isUndefined(background.idle)
    assert.deepStrictEqual(background.others(undefined), [])
  })
})

describe("Background.others", () => {
  it.effect("are the fibers that do not wait for the work, in the order of their start", () =>
    Effect.gen(function*() {
      const background = new Background(Context.empty())
      const [outer, inner] = [new Work(), new Work()]
      const hanging = Effect.never
      const first = background.run(hanging)
      const ofOuter = background.run(hanging, { work: outer })
      const ofInner = background.run(hanging, { work: inner, parent: outer })
      const last = background.run(hanging)
      assert.deepStrictEqual(background.others(undefined), [first, ofOuter, ofInner, last])
      assert.deepStrictEqual(background.others(outer), [first, ofInner, last])
      assert.deepStrictEqual(background.others(inner), [first, last])
      assert.deepStrictEqual([inner.isRunning, inner.parent], [true, outer])
      yield* Fiber.interrupt(ofInner)
      assert.deepStrictEqual([inner.isRunning, inner.parent], [false, undefined])
      assert.deepStrictEqual(background.others(undefined), [first, ofOuter, last])
      yield* Fiber.interruptAll([first, ofOuter, last])
      assert.deepStrictEqual(background.others(undefined), [])
    }))
})

/** Removals whose effects the test ends, and what has begun. */
const removals = (options: {
  readonly context?: Context.Context<never>
  readonly keys?: ReadonlyArray<string>
  readonly effect?: (name: string) => Effect.Effect<void>
} = {}) => {
  const background = new Background(options.context ?? Context.empty())
  const begun: Array<string> = []
  const removals = new Removals<string>(
    background,
    (key, cause) =>
      Effect.suspend(() => {
        begun.push(`${key} ${cause}`)
        return options.effect?.(key) ?? Effect.void
      }),
    (key) => options.keys?.includes(key) ?? false
  )
  return { background, begun, removals }
}

describe("Removals", () => {
  it.effect("start nothing without an onRemoval", () =>
    Effect.gen(function*() {
      const background = new Background(Context.empty())
      const removals = new Removals<string>(background, undefined, () => false)
      removals.report("a", "expired")
      assert.deepStrictEqual(background.others(undefined), [])
      yield* removals.end(undefined)
    }))

  it.effect("report in another task, in order, in one fiber at a time, and again later", () =>
    Effect.gen(function*() {
      const { background, begun, removals: own } = removals()
      for (let round = 0; round < 2; round++) {
        own.report("a", "expired")
        own.report("b", "collected")
        assert.lengthOf(background.others(undefined), 1)
        assert.deepStrictEqual(begun.splice(0), [])
        yield* settle
        assert.deepStrictEqual(begun.splice(0), ["a expired", "b collected"])
        assert.deepStrictEqual(background.others(undefined), [])
      }
    }))

  it.effect("report what is removed meanwhile after the others", () =>
    Effect.gen(function*() {
      const gate = Deferred.makeUnsafe<void>()
      const { begun, removals: own } = removals({
        effect: (key) => key === "a" ? Effect.asVoid(Deferred.await(gate)) : Effect.void
      })
      own.report("a", "expired")
      own.report("b", "expired")
      yield* settle
      own.report("c", "replaced")
      yield* settle
      assert.deepStrictEqual(begun, ["a expired"])
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.deepStrictEqual(begun, ["a expired", "b expired", "c replaced"])
    }))

  it.effect("do not say that a key was collected which has a new entry", () =>
    Effect.gen(function*() {
      const { begun, removals: own } = removals({ keys: ["a"] })
      own.report("a", "collected")
      own.report("a", "expired")
      own.report("b", "collected")
      yield* settle
      assert.deepStrictEqual(begun, ["a expired", "b collected"])
    }))

  it.effect("wait a second for an effect that hangs, and then run the next one beside it", () =>
    Effect.gen(function*() {
      const { background, begun, removals: own } = removals({
        context: yield* Effect.context<never>(),
        effect: (key) => key === "a" ? Effect.never : Effect.void
      })
      own.report("a", "expired")
      own.report("b", "expired")
      yield* TestClock.adjust(999)
      yield* settle
      assert.deepStrictEqual(begun, ["a expired"])
      yield* TestClock.adjust(1)
      yield* settle
      assert.deepStrictEqual(begun, ["a expired", "b expired"])
      assert.lengthOf(background.others(undefined), 1)
      // The end interrupts it after another second.
      const end = yield* Effect.forkChild(own.end(undefined), { startImmediately: true })
      yield* TestClock.adjust(999)
      yield* settle
      assert.isUndefined(end.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* settle
      assert.isDefined(end.pollUnsafe())
      assert.deepStrictEqual(background.others(undefined), [])
    }))

  it.effect("end as soon as no effect runs, and without those that wait for the work that ends them", () =>
    Effect.gen(function*() {
      const gate = Deferred.makeUnsafe<void>()
      let work: Work | undefined
      const { background, removals: own } = removals({
        effect: () =>
          Effect.withFiber((fiber) => {
            work = workOf(fiber)
            return Effect.asVoid(Deferred.await(gate))
          })
      })
      own.report("a", "expired")
      yield* settle
      // The work waits for itself, and the fiber that reports waits for it.
      yield* own.end(work)
      assert.lengthOf(background.others(undefined), 2)
      const end = yield* Effect.forkChild(own.end(undefined), { startImmediately: true })
      yield* settle
      assert.isUndefined(end.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.isDefined(end.pollUnsafe())
    }))

  it.effect("report a failure, and go on", () =>
    Effect.gen(function*() {
      const begun: Array<string> = []
      const reports = yield* reportsOf(Effect.gen(function*() {
        const { background, removals: own, ...rest } = removals({
          context: yield* Effect.context<never>(),
          effect: (key) => key === "a" ? Effect.die(new Error("boom")) : Effect.void
        })
        own.report("a", "expired")
        own.report("b", "expired")
        yield* settle
        begun.push(...rest.begun)
        assert.deepStrictEqual(background.others(undefined), [])
      }))
      assert.deepStrictEqual([begun, reports], [["a expired", "b expired"], ["Error: boom"]])
    }))
})
