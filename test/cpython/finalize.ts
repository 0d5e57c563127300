import { assert } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as library from "../../src/index.ts"
import { collectThoroughly, collectUntil } from "../support/realHeap.ts"
import { reportsOf } from "../support/reports.ts"
import { cannot, effect, log, onBothHeaps, Plain, sync, type Table } from "./entry.ts"

const { Finalizer, WeakRef } = library

export const FinalizeTestCase: Table<"FinalizeTestCase"> = {
  test_finalize: onBothHeaps((world) =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const add = Effect.as(says("called"), 199)
      const expectDead = Effect.fnUntraced(function*(finalizer: library.Finalizer.Finalizer<WeakKey, number, never>) {
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        assert.deepStrictEqual(yield* Finalizer.peek(finalizer), Option.none())
        assert.deepStrictEqual(yield* Finalizer.detach(finalizer), Option.none())
        assert.isFalse(Finalizer.isAlive(finalizer))
      })
      const expectContent = (name: "peek" | "detach", finalizer: library.Finalizer.Finalizer<object, number, never>) =>
        world.with("a", (a) =>
          Effect.map(Finalizer[name](finalizer), (content) => {
            assert.isTrue(Option.exists(content, ({ target }) => target === a))
            assert.isTrue(Option.exists(content, ({ effect }) => Effect.isEffect(effect)))
          }))

      const run = yield* world.with("a", (a) => Finalizer.make(a, add))
      assert.isTrue(Finalizer.isAlive(run))
      yield* expectContent("peek", run)
      assert.deepStrictEqual(yield* Finalizer.run(run), Option.some(199))
      yield* expectDead(run)
      assert.deepStrictEqual(lines.splice(0), ["called"])

      const detached = yield* world.with("a", (a) => Finalizer.make(a, add))
      yield* expectContent("peek", detached)
      yield* expectContent("detach", detached)
      yield* expectDead(detached)
      assert.deepStrictEqual(lines.splice(0), [])

      const collected = yield* world.with("a", (a) => Finalizer.make(a, add))
      yield* world.die("a")
      yield* expectDead(collected)
      assert.deepStrictEqual(lines, ["called"])
    })
  ),

  test_arg_errors: cannot("An effect takes no arguments, and JavaScript has no keyword arguments"),

  test_order: onBothHeaps((world) =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const make = (name: string) => world.with("a", (a) => Finalizer.make(a, says(name)))
      yield* Effect.asVoid(make("f1"))
      const f2 = yield* make("f2")
      const f3 = yield* make("f3")
      yield* Effect.asVoid(make("f4"))
      const f5 = yield* make("f5")
      // A finalizer stays alive even if nothing holds it.
      yield* collectThoroughly
      assert.deepStrictEqual([f2, f3, f5].map(Finalizer.isAlive), [true, true, true])

      yield* world.with("a", () => Effect.map(Finalizer.detach(f5), (content) => assert.isTrue(Option.isSome(content))))
      assert.isFalse(Finalizer.isAlive(f5))
      yield* Finalizer.run(f5)
      yield* says("A")
      yield* Finalizer.run(f3)
      assert.isFalse(Finalizer.isAlive(f3))
      yield* says("B")
      yield* Finalizer.run(f3)
      yield* says("C")
      yield* world.die("a")
      assert.isFalse(Finalizer.isAlive(f2))
      yield* says("D")
      yield* Finalizer.run(f2)
      assert.deepStrictEqual(lines, ["A", "f3", "B", "C", "f4", "f2", "f1", "D"])
    })
  ),

  test_all_freed: effect(() =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const kept = new Set<Plain>()
      const make = () => {
        const target = new Plain()
        kept.add(target)
        const callback = () => says("called")
        return Effect.map(
          Finalizer.make(target, Effect.suspend(callback)),
          (finalizer) => [WeakRef.makeUnsafe(finalizer), WeakRef.makeUnsafe(callback)] as const
        )
      }
      const refs = yield* Effect.suspend(make)
      yield* collectThoroughly
      assert.isTrue(refs.every(WeakRef.isAlive))
      kept.clear()
      assert.isTrue(yield* collectUntil(() => !refs.some(WeakRef.isAlive)))
      assert.deepStrictEqual(lines, ["called"])
    })
  ),

  test_atexit: effect(() =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const kept = new Plain()
      // A finalizer that another finalizer creates at exit runs next.
      const failing = Effect.gen(function*() {
        yield* says("f3 error")
        yield* Finalizer.make(kept, says("g1"))
        return yield* Effect.fail(new Error("division by zero"))
      })
      const reports = yield* reportsOf(Effect.scoped(Effect.gen(function*() {
        const f1 = yield* Finalizer.make(kept, says("f1 foobar"))
        const f2 = yield* Finalizer.make(kept, says("f2 foobar"))
        const f3 = yield* Finalizer.make(kept, failing)
        const f4 = yield* Finalizer.make(kept, says("f4 foobar"))
        yield* Finalizer.setAtExit(f2, false)
        assert.deepStrictEqual([f1, f2, f3, f4].map(Finalizer.atExit), [true, false, true, true])
      })))
      assert.deepStrictEqual(lines, ["f4 foobar", "f3 error", "g1", "f1 foobar"])
      assert.deepStrictEqual(reports, ["Error: division by zero"])
    })
  )
}

export const ModuleTestCase: Table<"ModuleTestCase"> = {
  test_names: sync(() => {
    assert.includeMembers(Object.keys(library), [
      "Finalizer",
      "WeakKeyMap",
      "WeakMethod",
      "WeakProxy",
      "WeakRef",
      "WeakSet",
      "WeakValueMap"
    ])
  })
}
