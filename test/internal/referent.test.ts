import { assert, describe, it } from "@effect/vitest"
import { Effect, type Fiber } from "effect"
import * as Referent from "../../src/internal/referent.ts"
import { TestHeap } from "../../src/testing/index.ts"

describe("referent", () => {
  it.effect("a callback that is taken out again takes no other out, and brings none back", () =>
    Effect.gen(function*() {
      const started: Array<string> = []
      class Named extends Referent.Callback {
        readonly name: string
        constructor(name: string) {
          super()
          this.name = name
        }
        override start(): Fiber.Fiber<unknown> {
          started.push(this.name)
          return Effect.runFork(Effect.void)
        }
      }
      const { collect, finalize, heap } = TestHeap.makeUnsafe().service
      const target = {}
      const referent = Referent.of(target, heap)
      const [oldest, middle, newest] = ["oldest", "middle", "newest"].map((name) => new Named(name))
      for (const callback of [oldest!, middle!, newest!]) Referent.listen(referent, callback)
      Referent.unlisten(middle!)
      Referent.unlisten(oldest!)
      Referent.unlisten(middle!)
      const late = new Named("late")
      Referent.listen(referent, late)
      yield* collect(target)
      yield* finalize
      assert.deepStrictEqual(started, ["late", "newest"])
    }))
})
