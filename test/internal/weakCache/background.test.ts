import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber } from "effect"
import { Background } from "../../../src/internal/weakCache/background.ts"

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
      for (let round = 0; round < 2; round++) {
        const gate = Deferred.makeUnsafe<void>()
        background.run(Deferred.await(gate))
        const { idle } = background
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
