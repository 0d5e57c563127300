import { assert } from "@effect/vitest"
import { Effect, Equal, Exit, Hash, Option, Scope } from "effect"
import { WeakError, WeakMethod, WeakRef } from "../../src/index.ts"
import { collectUntil, many, tolerated } from "../support/realHeap.ts"
import type { World } from "../support/worlds.ts"
import { effect, log, Obj, onBothHeapsOf, sync, type Table } from "./entry.ts"

/**
 * Creates a test that runs on both heaps. Its referents are functions, and receivers
 * that are equal if the first letters of their names are equal.
 */
const onBothHeaps = onBothHeapsOf((name): object => name.startsWith("function") ? method() : new Obj({ arg: name[0] }))

const method = () =>
  function(this: Obj) {
    return `method of ${this.arg}`
  }
type Method = ReturnType<typeof method>

const weakMethod = (world: World<object>, receiver: string, name: string) =>
  world.withAll([receiver, name], ([receiver, method]) => WeakMethod.make(receiver as Obj, method as Method))

/** Tests that the callback runs once, at the first of the two deaths. */
const callbackWhenDead = (first: string, second: string) =>
  onBothHeaps((world) =>
    Effect.gen(function*() {
      const calls: Array<unknown> = []
      const weak = yield* weakMethod(world, "object", "function")
      yield* WeakMethod.onCollect(weak, (given) => Effect.sync(() => void calls.push(given)))
      yield* world.die(first)
      assert.strictEqual(calls.length, 1)
      assert.strictEqual(calls[0], weak)
      yield* world.die(second)
      assert.strictEqual(calls.length, 1)
    })
  )

const deadOnceDies = (name: string) =>
  onBothHeaps((world) =>
    Effect.gen(function*() {
      const weak = yield* weakMethod(world, "object", "function")
      assert.isTrue(WeakMethod.isAlive(weak))
      assert.strictEqual(yield* WeakMethod.invoke(weak), "method of o")
      yield* world.die(name)
      assert.isFalse(WeakMethod.isAlive(weak))
      assert.deepStrictEqual(WeakMethod.deref(weak), Option.none())
      assert.instanceOf(yield* Effect.flip(WeakMethod.invoke(weak)), WeakError.DeadReferenceError)
    })
  )

export const WeakMethodTestCase: Table<"WeakMethodTestCase"> = {
  test_alive: sync(() => {
    const object = new Obj({ arg: 1 })
    const itself = Object.assign(new Obj({ arg: 2 }), {
      self() {
        return this
      }
    })
    const weak = WeakMethod.makeUnsafe(object, "some_method")
    assert.isTrue(WeakMethod.isWeakMethod(weak))
    assert.isFalse(WeakRef.isWeakRef(weak))
    assert.isFunction(Option.getOrThrow(WeakMethod.deref(weak)))
    assert.strictEqual(Option.getOrThrow(WeakMethod.deref(weak))(), 4)
    assert.strictEqual(Option.getOrThrow(WeakMethod.deref(WeakMethod.makeUnsafe(itself, "self")))(), itself)
  }),

  test_object_dead: deadOnceDies("object"),
  test_method_dead: deadOnceDies("function"),
  test_callback_when_object_dead: callbackWhenDead("object", "function"),
  test_callback_when_method_dead: callbackWhenDead("function", "object"),

  test_no_cycles: effect(() =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const object = new Obj({ arg: 1 })
      const scope = yield* Scope.make()
      const make = () => {
        const weak = WeakMethod.makeUnsafe(object, "some_method")
        return Effect.as(WeakMethod.onCollect(weak, () => says("called")), WeakRef.makeUnsafe(weak))
      }
      const refs = yield* Scope.provide(Effect.replicateEffect(Effect.suspend(make), many), scope)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* collectUntil(() => refs.filter(WeakRef.isAlive).length <= tolerated))
      assert.deepStrictEqual(lines, [])
      assert.strictEqual(object.some_method(), 4)
    })
  ),

  test_equality: onBothHeaps((world) =>
    Effect.gen(function*() {
      const expectGroups = (groups: ReadonlyArray<ReadonlyArray<WeakMethod.WeakMethod<Obj, [], string>>>) => {
        for (const group of groups) {
          for (const self of group) {
            for (const those of groups) {
              for (const that of those) assert.strictEqual(WeakMethod.equals(self, that), group === those)
            }
          }
        }
      }
      const a = yield* weakMethod(world, "1, x", "function some")
      const b = yield* weakMethod(world, "1, y", "function some")
      const c = yield* weakMethod(world, "1, x", "function other")
      const d = yield* weakMethod(world, "1, y", "function other")
      const e = yield* weakMethod(world, "2, z", "function some")
      const f = yield* weakMethod(world, "2, z", "function other")
      expectGroups([[a, b], [c, d], [e], [f]])
      assert.isFalse(Equal.equals(a, c))
      yield* world.with("function some", (some) => Effect.sync(() => assert.isFalse(Equal.equals(a, some))))
      yield* world.die("1, x", "1, y", "2, z")
      expectGroups([[a], [b], [c], [d], [e], [f]])
    })
  ),

  test_hashing: onBothHeaps((world) =>
    Effect.gen(function*() {
      const a = yield* weakMethod(world, "1, x", "function some")
      const b = yield* weakMethod(world, "1, y", "function some")
      const c = yield* weakMethod(world, "1, y", "function other")
      const hash = Hash.hash(a)
      assert.strictEqual(Hash.hash(b), hash)
      yield* world.die("1, x", "1, y")
      assert.deepStrictEqual([a, b].map((weak) => weak[Hash.symbol]()), [hash, hash])
      assert.throws(() => Hash.hash(c), WeakError.UnhashableError)
    })
  )
}
