/**
 * The contract between `internal/effectInternals.ts` and Effect. If a test fails with a new
 * version of Effect, the module has to follow that version.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Scheduler, Scope } from "effect"
import {
  addToScope,
  isClosed,
  isSynchronous,
  removeFromScope,
  setOpCount,
  withSchedulerOf
} from "../../src/internal/effectInternals.ts"

/** A copy of the state of a Scope, with the number of its finalizers instead of the finalizers. */
const shapeOf = ({ state }: Scope.Scope): unknown =>
  state._tag !== "Open" ? { _tag: state._tag } : {
    _tag: state._tag,
    keys: Object.keys(state).toSorted(),
    single: [typeof state.finalizerKey, typeof state.finalizer],
    several: state.finalizers && [...state.finalizers].map(([key, finalizer]) => [typeof key, typeof finalizer])
  }

describe("effectInternals", () => {
  describe("the state of a Scope", () => {
    it("changes as Effect itself changes it", () => {
      const [ours, theirs] = [Scope.makeUnsafe(), Scope.makeUnsafe()]
      assert.deepStrictEqual(shapeOf(ours), { _tag: "Empty" })
      for (let i = 0; i < 4; i++) {
        addToScope(ours, {}, () => Effect.void)
        Effect.runSync(Scope.addFinalizer(theirs, Effect.void))
        assert.deepStrictEqual(shapeOf(ours), shapeOf(theirs))
      }
    })

    it("is emptied as Effect empties it after a child Scope has closed", () => {
      for (const count of [1, 2, 3]) {
        const [ours, theirs] = [Scope.makeUnsafe(), Scope.makeUnsafe()]
        const keys = Array.from({ length: count }, () => ({}))
        const children = keys.map(() => Scope.forkUnsafe(theirs))
        for (const key of keys) addToScope(ours, key, () => Effect.void)
        for (let i = 0; i < count; i++) {
          removeFromScope(ours, keys[i]!)
          Effect.runSync(Scope.close(children[i]!, Exit.void))
          assert.deepStrictEqual(shapeOf(ours), shapeOf(theirs))
        }
        assert.deepStrictEqual(shapeOf(ours), { _tag: "Empty" })
      }
    })

    it("is mixed with Effect's own finalizers, which run in reverse order with the exit", () => {
      for (const strategy of ["sequential", "parallel"] as const) {
        const scope = Scope.makeUnsafe(strategy)
        const log: Array<unknown> = []
        const removed = {}
        addToScope(scope, {}, (exit) => Effect.sync(() => log.push(["a", exit])))
        Effect.runSync(Scope.addFinalizer(scope, Effect.sync(() => log.push("b"))))
        addToScope(scope, removed, () => Effect.sync(() => log.push("removed")))
        Effect.runSync(Scope.addFinalizerExit(scope, (exit) => Effect.sync(() => log.push(["c", exit]))))
        removeFromScope(scope, removed)
        removeFromScope(scope, removed)
        assert.isFalse(isClosed(scope))
        Effect.runSync(Scope.close(scope, Exit.succeed(1)))
        assert.deepStrictEqual(log, [["c", Exit.succeed(1)], "b", ["a", Exit.succeed(1)]])
        assert.isTrue(isClosed(scope))
      }
    })

    it("is closed from the start of the close, and then no longer changes", () => {
      const scope = Scope.makeUnsafe()
      const key = {}
      addToScope(scope, key, () =>
        Effect.sync(() => {
          assert.isTrue(isClosed(scope))
          addToScope(scope, {}, () => Effect.die("added"))
          removeFromScope(scope, key)
        }))
      Effect.runSync(Scope.close(scope, Exit.void))
      const closed = { ...scope.state }
      assert.strictEqual(closed._tag, "Closed")
      const other = Scope.makeUnsafe()
      Effect.runSync(Scope.close(other, Exit.void))
      assert.hasAllKeys(closed, Object.keys(other.state))
      addToScope(scope, key, () => Effect.void)
      removeFromScope(scope, key)
      assert.deepStrictEqual(Object.entries(scope.state), Object.entries(closed))
    })

    it("keeps its finalizers if another key is removed", () => {
      const scope = Scope.makeUnsafe()
      const [one, two] = [{}, {}]
      removeFromScope(scope, one)
      assert.deepStrictEqual(shapeOf(scope), { _tag: "Empty" })
      addToScope(scope, one, () => Effect.void)
      const single = shapeOf(scope)
      removeFromScope(scope, two)
      assert.deepStrictEqual(shapeOf(scope), single)
      addToScope(scope, two, () => Effect.void)
      removeFromScope(scope, {})
      assert.isTrue(scope.state._tag === "Open" && scope.state.finalizers?.size === 2)
    })
  })

  describe("the steps of a fiber", () => {
    /** Returns how many steps a fiber makes before it yields, if `set` is called in its first step. */
    const stepsBeforeYield = (set: (fiber: Fiber.Fiber<unknown, unknown>) => void): number => {
      let steps = 0
      const step = Effect.sync(() => steps++)
      const first = Effect.withFiber((fiber) => {
        set(fiber)
        return Effect.void
      })
      let rest: Effect.Effect<unknown> = Effect.void
      for (let i = 0; i < 100; i++) rest = Effect.andThen(step, rest)
      const context = Context.make(Scheduler.MaxOpsBeforeYield, 20)
      const fiber = Effect.runForkWith(context)(Effect.andThen(first, rest))
      const result = steps
      fiber.interruptUnsafe()
      return result
    }

    it("decide when it yields, so a lower count postpones the yield and a higher count hastens it", () => {
      const usual = stepsBeforeYield(() => {})
      assert.isAbove(usual, 1)
      assert.isBelow(usual, 100)
      assert.isAbove(stepsBeforeYield((fiber) => setOpCount(fiber, -20)), usual)
      assert.isBelow(stepsBeforeYield((fiber) => setOpCount(fiber, 18)), usual)
    })

    it("are counted in currentOpCount from the start of a run", () => {
      const counts = Effect.runSync(Effect.gen(function*() {
        const count = Effect.withFiber((fiber) => Effect.succeed(fiber.currentOpCount))
        return [yield* count, yield* count]
      }))
      assert.isAbove(counts[1]!, counts[0]!)
      assert.isBelow(counts[1]!, 20)
    })

    it("a count of -1 lets the next effect start without a yield, so that an interruption cannot come before it", () => {
      for (let max = 3; max < 40; max++) {
        let claimed = false
        let started = false
        let effect: Effect.Effect<unknown> = Effect.withFiber((fiber) => {
          claimed = true
          setOpCount(fiber, -1)
          return Effect.sync(() => started = true)
        })
        for (let i = 0; i < 10; i++) effect = Effect.andThen(Effect.void, effect)
        const fiber = Effect.runForkWith(Context.make(Scheduler.MaxOpsBeforeYield, max))(effect)
        assert.strictEqual(started, claimed)
        fiber.interruptUnsafe()
      }
    })
  })

  describe("the scheduler", () => {
    it("of Effect.runSync is synchronous, and the default one is not", () => {
      const context = Effect.context<never>()
      assert.isTrue(isSynchronous(Effect.runSync(context)))
      assert.isFalse(isSynchronous(Context.empty()))
    })

    it("can be replaced, so that a fiber yields to the event loop", async () => {
      const context = withSchedulerOf(Effect.runSync(Effect.context<never>()), Context.empty())
      assert.isFalse(isSynchronous(context))
      const fiber = Effect.runForkWith(context)(Effect.yieldNow)
      await undefined
      assert.isUndefined(fiber.pollUnsafe())
      await Effect.runPromise(Fiber.await(fiber))
    })
  })
})
