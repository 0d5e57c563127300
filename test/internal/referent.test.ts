import { assert, describe, it } from "@effect/vitest"
import { Effect, type Fiber } from "effect"
import * as Referent from "../../src/internal/referent.ts"
import * as Ring from "../../src/internal/ring.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { collectUntil } from "../support/realHeap.ts"

describe("referent", () => {
  it.effect("removing a callback twice changes the list only once", () =>
    Effect.gen(function*() {
      const started: Array<string> = []
      class Named extends Referent.Callback {
        readonly name: string
        constructor(name: string) {
          super()
          this.name = name
        }
        override toJSON(): unknown {
          return this.name
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
      Ring.remove(middle!)
      Ring.remove(oldest!)
      Ring.remove(middle!)
      const late = new Named("late")
      Referent.listen(referent, late)
      yield* collect(target)
      yield* finalize
      assert.deepStrictEqual(started, ["late", "newest"])
    }))
  it.effect("a callback that is inserted into the list of a dead referent starts at once", () =>
    Effect.gen(function*() {
      let starts = 0
      class Counting extends Referent.Callback {
        override toJSON(): unknown {
          return starts
        }
        override start(): Fiber.Fiber<unknown> {
          starts++
          return Effect.runFork(Effect.void)
        }
      }
      const { heap } = yield* TestHeap.TestHeap
      const target = {}
      const referent = Referent.of(target, heap)
      yield* TestHeap.collect(target)
      Referent.listen(referent, new Counting())
      assert.strictEqual(starts, 1)
    }).pipe(Effect.provide(TestHeap.layer)))

  describe("own references", () => {
    it.effect("are listed with their referent until they are collected", () =>
      Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const target = {}
        const referent = Referent.of(target, heap)
        const refs = [{ n: 1 }, { n: 2 }, { n: 3 }]
        for (const ref of refs) Referent.own(referent, ref)
        assert.deepStrictEqual(Referent.held(referent), refs)
        yield* TestHeap.collect(refs[1]!)
        assert.deepStrictEqual(Referent.held(referent), [refs[0]!, refs[2]!])
        assert.strictEqual(referent.ownRefs?.size, 3)
        yield* TestHeap.finalize
        assert.strictEqual(referent.ownRefs?.size, 2)
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("are registered in shards, and full registries are released", () =>
      Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const registries: Array<globalThis.WeakRef<object>> = []
        class Watched<T> extends heap.FinalizationRegistry<T> {
          constructor(cleanup: (held: T) => void) {
            super(cleanup)
            registries.push(new globalThis.WeakRef(this))
          }
        }
        const target = {}
        const referent = Referent.of(target, { ...heap, FinalizationRegistry: Watched })
        const own = (n: number) => {
          const refs = Array.from({ length: n }, (_, i) => ({ i }))
          for (const ref of refs) Referent.own(referent, ref)
          return refs
        }
        for (let i = 0; i < 10; i++) yield* TestHeap.collectAndFinalize(...own(10_000))
        assert.isAbove(registries.length, 2)
        assert.strictEqual(referent.ownRefs?.size, 0)
        // The registry that still has room is not released.
        const alive = () => registries.filter((registry) => registry.deref() !== undefined).length
        assert.isTrue(yield* collectUntil(() => alive() <= 1))
      }).pipe(Effect.provide(TestHeap.layer)))
  })
})
