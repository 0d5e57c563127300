/**
 * Runs a small program for each module of this library under every schedule.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Exit, Option, Result, Scope } from "effect"
import { Finalizer, WeakKeyMap, WeakMethod, WeakProxy, WeakRef, WeakSet, WeakValueMap } from "../../src/index.ts"
import { TestHeap } from "../../src/testing/index.ts"

const holds = <E, R>(name: string, program: Effect.Effect<unknown, E, R>) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      const { exhaustive, schedules } = yield* TestHeap.explore(program) as Effect.Effect<
        TestHeap.Explored,
        TestHeap.ScheduleError
      >
      assert.isTrue(exhaustive)
      assert.isAbove(schedules, 1)
    }))

/** Enough turns for a clean-up to run to its end. */
const turns = Effect.repeat(TestHeap.turn, { times: 2 })

describe("under every schedule", () => {
  holds(
    "a dead WeakRef stays dead, and a live one stays alive until the end of the turn",
    Effect.gen(function*() {
      const target = { id: 1 }
      const ref = yield* WeakRef.make(target)
      yield* TestHeap.mayCollect(target)
      let dead = false
      for (let turn = 0; turn < 3; turn++) {
        yield* TestHeap.turn
        const alive = WeakRef.isAlive(ref)
        assert.strictEqual(Option.isSome(WeakRef.deref(ref)), alive)
        assert.isFalse(dead && alive)
        dead = !alive
      }
    })
  )

  holds(
    "the callbacks of a referent run newest first, at most once, and only after its collection",
    Effect.gen(function*() {
      const target = { id: 1 }
      const log: Array<string> = []
      const ref = yield* WeakRef.make(target)
      for (const name of ["oldest", "middle", "newest"]) {
        yield* WeakRef.onCollect(ref, () => Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(name))))
      }
      yield* TestHeap.mayCollect(target)
      yield* turns
      const before = log.length
      const alive = WeakRef.isAlive(ref)
      assert.isTrue(alive ? before === 0 : true)
      assert.deepStrictEqual(log, ["newest", "middle", "oldest"].slice(0, before))
      yield* TestHeap.finalize
      yield* Effect.repeat(TestHeap.turn, { times: 6 })
      // If the target was alive, it may have been collected since then.
      assert.deepStrictEqual(log, ["newest", "middle", "oldest"].slice(0, alive ? log.length : 3))
    })
  )

  holds(
    "use holds the referent while the effect runs",
    Effect.gen(function*() {
      const target = { id: 1 }
      const ref = yield* WeakRef.make(target)
      yield* TestHeap.mayCollect(target)
      yield* TestHeap.turn
      const used = WeakRef.use(ref, (held) =>
        Effect.gen(function*() {
          yield* TestHeap.hold(held)
          yield* turns
          assert.isTrue(WeakRef.isAlive(ref))
          yield* TestHeap.mayCollect(held)
        }))
      const result = yield* Effect.result(used)
      if (Result.isFailure(result)) assert.strictEqual(result.failure._tag, "DeadReferenceError")
    })
  )

  holds(
    "a WeakProxy works, or throws that its referent is dead",
    Effect.gen(function*() {
      const target = { id: 1, double: (n: number) => 2 * n }
      const proxy = yield* WeakProxy.make(target)
      yield* TestHeap.mayCollect(target)
      let dead = false
      for (let turn = 0; turn < 2; turn++) {
        yield* TestHeap.turn
        const id = Result.try(() => proxy.id)
        const doubled = Result.try(() => proxy.double(21))
        assert.strictEqual(Result.isSuccess(doubled), Result.isSuccess(id))
        if (Result.isSuccess(id)) {
          assert.strictEqual(id.success, 1)
          assert.deepStrictEqual(doubled, Result.succeed(42))
          assert.isFalse(dead)
        } else {
          dead = true
        }
      }
    })
  )

  holds(
    "a WeakMethod calls its receiver if it is alive, and otherwise returns None",
    Effect.gen(function*() {
      const receiver = {
        id: 1,
        read() {
          return this.id
        }
      }
      const method = yield* WeakMethod.make(receiver, "read")
      yield* TestHeap.mayCollect(receiver)
      for (let turn = 0; turn < 2; turn++) {
        yield* TestHeap.turn
        const alive = WeakMethod.isAlive(method)
        const bound = WeakMethod.deref(method)
        assert.deepStrictEqual(Option.map(bound, (read) => read()), alive ? Option.some(1) : Option.none())
      }
    })
  )

  holds(
    "a Finalizer runs exactly once, because of a collection, of run or of its Scope",
    Effect.gen(function*() {
      const target = { id: 1 }
      let runs = 0
      const scope = yield* Scope.make()
      const finalizer = yield* Scope.provide(
        Finalizer.make(target, Effect.andThen(Effect.yieldNow, Effect.sync(() => ++runs))),
        scope
      )
      yield* TestHeap.mayCollect(target)
      yield* TestHeap.turn
      yield* Effect.all([Finalizer.run(finalizer), Scope.close(scope, Exit.void)], { concurrency: "unbounded" })
      assert.strictEqual(runs, 1)
      yield* turns
      assert.strictEqual(runs, 1)
      assert.isFalse(Finalizer.isAlive(finalizer))
    })
  )

  holds(
    "a detached Finalizer does not run",
    Effect.gen(function*() {
      const target = { id: 1 }
      let runs = 0
      const finalizer = yield* Finalizer.make(target, Effect.sync(() => runs++))
      yield* TestHeap.mayCollect(target)
      yield* TestHeap.turn
      const detached = yield* Finalizer.detach(finalizer)
      yield* turns
      // `detach` returns `None` if the target is dead, because the effect runs or has run.
      assert.isAtMost(runs, Option.isSome(detached) ? 0 : 1)
    })
  )

  for (const compare of ["reference", "structural"] as const) {
    holds(
      `an entry of a WeakValueMap outlives the clean-up of its predecessor (${compare})`,
      Effect.gen(function*() {
        const map = yield* WeakValueMap.make<string, object>({ compare })
        const first = { id: 1 }
        WeakValueMap.set(map, "key", first)
        yield* TestHeap.mayCollect(first)
        yield* TestHeap.turn
        const found = WeakValueMap.get(map, "key")
        assert.strictEqual(WeakValueMap.has(map, "key"), Option.isSome(found))
        const second = { id: 2 }
        WeakValueMap.set(map, "key", second)
        yield* turns
        assert.deepStrictEqual(WeakValueMap.get(map, "key"), Option.some(second))
        assert.deepStrictEqual([...WeakValueMap.entries(map)], [["key", second]])
        assert.strictEqual(WeakValueMap.size(map), 1)
      })
    )

    holds(
      `a WeakKeyMap yields its live entries, in insertion order (${compare})`,
      Effect.gen(function*() {
        const keys = [{ id: 1 }, { id: 2 }]
        const map = yield* WeakKeyMap.fromIterable(keys.map((key) => [key, key.id] as const), { compare })
        yield* TestHeap.mayCollect(...keys)
        for (let turn = 0; turn < 2; turn++) {
          yield* TestHeap.turn
          const shown = [...WeakKeyMap.entries(map)]
          assert.deepStrictEqual(shown.map(([key]) => key.id), shown.map(([, id]) => id))
          assert.deepStrictEqual(shown.map(([, id]) => id), shown.map(([, id]) => id).toSorted())
          assert.strictEqual(WeakKeyMap.count(map), shown.length)
          assert.isAtLeast(WeakKeyMap.size(map), shown.length)
        }
        const live = WeakKeyMap.count(map)
        yield* TestHeap.finalize
        assert.isAtMost(WeakKeyMap.size(map), live)
      })
    )

    holds(
      `an element of a WeakSet that was removed and added again outlives the clean-up of another element (${compare})`,
      Effect.gen(function*() {
        const [stays, dies] = [{ id: 1 }, { id: 2 }]
        const set = yield* WeakSet.fromIterable([stays, dies], { compare })
        yield* TestHeap.mayCollect(dies)
        yield* TestHeap.turn
        WeakSet.remove(set, stays)
        WeakSet.add(set, stays)
        yield* TestHeap.turn
        assert.isTrue(WeakSet.has(set, stays))
        const shown = [...WeakSet.values(set)]
        assert.isTrue(shown.includes(stays))
        assert.strictEqual(shown.length, WeakSet.count(set))
        const live = WeakSet.count(set)
        yield* TestHeap.finalize
        assert.isAtMost(WeakSet.size(set), live)
      })
    )
  }

  holds(
    "an equal key replaces a dead key in a structural WeakKeyMap",
    Effect.gen(function*() {
      class Key {
        readonly id = 1
      }
      const first = new Key()
      const map = yield* WeakKeyMap.make<Key, string>({ compare: "structural" })
      WeakKeyMap.set(map, first, "first")
      yield* TestHeap.mayCollect(first)
      yield* TestHeap.turn
      const second = new Key()
      WeakKeyMap.set(map, second, "second")
      assert.isTrue(Equal.equals(first, second))
      // If the first key is alive, its entry keeps this key. Otherwise the entry has the second key.
      assert.deepStrictEqual(WeakKeyMap.get(map, second), Option.some("second"))
      yield* turns
      const live = WeakKeyMap.count(map)
      yield* TestHeap.finalize
      assert.isAtMost(WeakKeyMap.size(map), live)
    })
  )
})
