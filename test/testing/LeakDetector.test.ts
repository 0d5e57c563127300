import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect } from "effect"
import { Finalizer, WeakRef } from "../../src/index.ts"
import { LeakDetector } from "../../src/testing/index.ts"

describe("LeakDetector", () => {
  it.effect("succeeds with a value that nobody holds", () =>
    LeakDetector.expectCollected(Effect.sync(() => ({ name: "garbage" }))))

  it.effect("succeeds with a value that was held while its effect ran", () =>
    LeakDetector.expectCollected(Effect.gen(function*() {
      const value = { name: "garbage" }
      yield* Effect.yieldNow
      yield* WeakRef.make(value)
      return value
    })))

  it.effect("fails with a value that is held", () =>
    Effect.gen(function*() {
      const held: Array<object> = []
      const error = yield* Effect.flip(LeakDetector.expectCollected(Effect.sync(() => {
        const value = {}
        held.push(value)
        return value
      })))
      assert.instanceOf(error, LeakDetector.LeakError)
      assert.isAbove(error.rounds, 0)
      assert.include(error.message, "still reachable")
      assert.lengthOf(held, 1)
    }))

  it.effect("finds a value that a suspended fiber holds", () =>
    Effect.gen(function*() {
      const holding = Effect.gen(function*() {
        const made = yield* Deferred.make<object>()
        yield* Effect.forkScoped(Effect.gen(function*() {
          const value = { name: "held by a fiber" }
          yield* Deferred.succeed(made, value)
          yield* Effect.never
          return value
        }))
        return yield* Deferred.await(made)
      })
      const error = yield* Effect.flip(LeakDetector.expectCollected(holding))
      assert.instanceOf(error, LeakDetector.LeakError)
      yield* LeakDetector.expectCollected(Effect.scoped(holding))
    }))

  it.effect("finds a finalizer that captures its target", () =>
    Effect.gen(function*() {
      const capturing = Effect.suspend(() => {
        const target = { closed: false }
        return Effect.as(Finalizer.make(target, Effect.sync(() => target.closed = true)), target)
      })
      assert.instanceOf(yield* Effect.flip(LeakDetector.expectCollected(capturing)), LeakDetector.LeakError)
      yield* LeakDetector.expectCollected(Effect.suspend(() => {
        const target = {}
        return Effect.as(Finalizer.make(target, Effect.void), target)
      }))
    }))

  it.effect("passes on the failure and the services of the effect", () =>
    Effect.gen(function*() {
      class Name extends Context.Service<Name, string>()("test/Name") {}
      const make = Effect.flatMap(Name, (name) =>
        name === "bad" ? Effect.fail("mine" as const) : Effect.succeed({ name }))
      const error = yield* Effect.flip(Effect.provideService(LeakDetector.expectCollected(make), Name, "bad"))
      assert.strictEqual(error, "mine")
      yield* Effect.provideService(LeakDetector.expectCollected(make), Name, "good")
    }))
})
