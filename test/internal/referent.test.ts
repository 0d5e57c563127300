import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, type Fiber, Hash, Option } from "effect"
import * as Referent from "../../src/internal/referent.ts"
import * as Ring from "../../src/internal/ring.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { UnhashableError } from "../../src/WeakError.ts"
import * as WeakRef from "../../src/WeakRef.ts"
import { countingHeap } from "../support/countingHeap.ts"
import { collectUntil } from "../support/realHeap.ts"

/** Makes a class of callbacks with names, and the list of those that have started. */
const namedCallbacks = () => {
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
    override start(): undefined {
      started.push(this.name)
    }
  }
  return { Named, started }
}

describe("referent", () => {
  it.effect("removing a callback twice changes the list only once", () =>
    Effect.gen(function*() {
      const { Named, started } = namedCallbacks()
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

  it("registers each referent once, in one registry of the heap", () => {
    const { collect, finalize, heap, made } = countingHeap()
    const { Named, started } = namedCallbacks()
    const targets = { a: {}, b: {} }
    for (const name of ["a", "b"] as const) {
      for (let n = 1; n < 4; n++) Referent.listen(Referent.of(targets[name], heap), new Named(`${name}${n}`))
    }
    assert.deepStrictEqual(made, [2])
    collect(targets.b)
    finalize()
    collect(targets.a)
    finalize()
    assert.deepStrictEqual(started, ["b3", "b2", "b1", "a3", "a2", "a1"])
    for (const ref of [{}, {}]) Referent.own(Referent.of({}, heap), ref)
    assert.deepStrictEqual(made, [2, 2])
  })

  it("holds one value for each key of an owner, and nothing after the last was released", () => {
    const { collect, heap } = TestHeap.makeUnsafe()
    const [owner, other] = [{}, {}]
    const self = Referent.of(owner, heap)
    const [one, two] = [{}, {}]
    assert.isUndefined(Referent.release(self, one))
    Referent.hold(self, one, "one")
    Referent.hold(self, two, "two")
    Referent.hold(Referent.of(other, heap), one, "other")
    assert.deepStrictEqual([Referent.release(self, one), Referent.release(self, one)], ["one", undefined])
    assert.strictEqual(self.records.heldFor?.get(owner)?.size, 1)
    assert.strictEqual(Referent.release(self, two), "two")
    assert.isFalse(self.records.heldFor?.has(owner))
    const dead = Referent.of(other, heap)
    collect(other)
    Referent.hold(dead, one, "late")
    assert.isUndefined(Referent.release(dead, one))
    assert.isUndefined(Referent.release(Referent.of({}, heap), one))
  })

  it("makes one class of records for each heap", () => {
    const [first, second] = [TestHeap.makeUnsafe().heap, TestHeap.makeUnsafe().heap]
    const classOf = (heap: typeof first) => Referent.of({}, heap).constructor
    assert.strictEqual(classOf(first), classOf(first))
    assert.notStrictEqual(classOf(first), classOf(second))
  })

  it("holds all dependents of an owner", () => {
    const { heap } = TestHeap.makeUnsafe()
    const [owner, one, two] = [{}, {}, () => {}]
    for (const dependent of [one, 1, two, "text", one]) Referent.keepAlive(owner, dependent, heap)
    assert.deepStrictEqual(Referent.of(owner, heap).records.dependents?.get(owner), new Set([one, two]))
    const other = {}
    Referent.keepAlive(other, two, heap)
    assert.strictEqual(Referent.of(owner, heap).records.dependents?.get(owner)?.size, 2)
  })

  describe("own references", () => {
    it.effect("are listed with their referent until they are collected", () =>
      Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const target = {}
        const referent = Referent.of(target, heap)
        const refs = [{ n: 1 }, { n: 2 }, { n: 3 }]
        for (const ref of refs) Referent.own(referent, ref)
        assert.deepStrictEqual(Referent.all(target, heap), refs)
        yield* TestHeap.collect(refs[1]!)
        assert.deepStrictEqual(Referent.all(target, heap), [refs[0]!, refs[2]!])
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

  describe("shared references", () => {
    // A shared reference has no record until something needs it, so each order of events must lead to one record.
    const withHeap = (f: (heap: TestHeap.TestHeap["Service"]) => Effect.Effect<void, never, TestHeap.TestHeap>) =>
      Effect.flatMap(TestHeap.TestHeap, f).pipe(Effect.provide(TestHeap.layer))

    it.effect("get the record that is made after them, and keep its hash", () =>
      withHeap(({ heap }) =>
        Effect.gen(function*() {
          const target = { n: 1 }
          const shared = WeakRef.makeUnsafe(target, heap)
          const own = new WeakRef.Class(target, heap)
          const hash = Hash.hash(own)
          assert.strictEqual(WeakRef.makeUnsafe(target, heap), shared)
          assert.sameMembers(Referent.all(target, heap), [shared, own])
          yield* TestHeap.collect(target)
          assert.strictEqual(Hash.hash(shared), hash)
        })
      ))

    it.effect("get the record that was made before them, and keep its hash", () =>
      withHeap(({ heap }) =>
        Effect.gen(function*() {
          const target = { n: 1 }
          const hash = Hash.hash(new WeakRef.Class(target, heap))
          const shared = WeakRef.makeUnsafe(target, heap)
          yield* TestHeap.collect(target)
          assert.strictEqual(Hash.hash(shared), hash)
        })
      ))

    it.effect.each([false, true])(
      "pass the hash on to the references that are made after them, with a record: %s",
      (hasRecord) =>
        withHeap(({ heap }) =>
          Effect.gen(function*() {
            const target = { n: 1 }
            const first = WeakRef.makeUnsafe(target, heap)
            const hash = Hash.hash(first)
            yield* TestHeap.collect(first)
            const later = [WeakRef.makeUnsafe(target, heap), ...hasRecord ? [new WeakRef.Class(target, heap)] : []]
            assert.notInclude(later, first)
            yield* TestHeap.collect(target)
            for (const ref of later) assert.strictEqual(Hash.hash(ref), hash)
          })
        )
    )

    it.effect.each([false, true])(
      "are made again after they were collected, with a record: %s",
      (hasRecord) =>
        withHeap(({ heap }) =>
          Effect.gen(function*() {
            const target = { n: 1 }
            const first = WeakRef.makeUnsafe(target, heap)
            if (hasRecord) Hash.hash(first)
            yield* TestHeap.collect(first)
            assert.deepStrictEqual(Referent.all(target, heap), [])
            const record = Referent.of(target, heap)
            const second = WeakRef.makeUnsafe(target, heap)
            assert.notStrictEqual(second, first)
            assert.strictEqual(WeakRef.makeUnsafe(target, heap), second)
            assert.strictEqual(Referent.of(target, heap), record)
            assert.isTrue(WeakRef.refersTo(second, target))
            assert.deepStrictEqual(Referent.all(target, heap), [second])
          })
        )
    )

    it.effect("whose referent dies before they have a record behave as dead references", () =>
      withHeap(({ heap }) =>
        Effect.gen(function*() {
          const target = { n: 1 }
          const shared = WeakRef.makeUnsafe(target, heap)
          yield* TestHeap.collect(target)
          assert.isFalse(WeakRef.isAlive(shared))
          assert.throws(() => Hash.hash(shared), UnhashableError)
          assert.isFalse(WeakRef.equals(shared, WeakRef.makeUnsafe({ n: 1 }, heap)))
          assert.isFalse(WeakRef.refersTo(shared, target))
          let started = 0
          yield* Effect.scoped(Effect.andThen(
            WeakRef.onCollect(shared, () => Effect.sync(() => started++)),
            Effect.yieldNow
          ))
          assert.strictEqual(started, 1)
        })
      ))

    it.effect("can be frozen before the referent has a record", () =>
      withHeap(({ heap }) =>
        Effect.gen(function*() {
          const target = { n: 1 }
          const shared = Object.freeze(WeakRef.makeUnsafe(target, heap))
          const record = Referent.of(target, heap)
          const hash = Hash.hash(shared)
          assert.strictEqual(record.hash, hash)
          assert.isTrue(WeakRef.refersTo(shared, target))
          assert.strictEqual(WeakRef.makeUnsafe(target, heap), shared)
          let started = 0
          yield* Effect.scoped(Effect.andThen(
            WeakRef.onCollect(shared, () => Effect.sync(() => started++)),
            TestHeap.collectAndFinalize(target)
          ))
          assert.strictEqual(started, 1)
        })
      ))

    it.effect.each([false, true])(
      "can be read through a Proxy, with a record: %s",
      (hasRecord) =>
        withHeap(({ heap }) =>
          Effect.gen(function*() {
            for (const each of [heap, { WeakRef: globalThis.WeakRef, WeakMap, FinalizationRegistry }]) {
              const target = { n: 1 }
              if (hasRecord) Referent.of(target, each)
              const shared = WeakRef.makeUnsafe(target, each)
              const proxy = new Proxy(shared, {})
              assert.isTrue(WeakRef.isAlive(proxy))
              assert.deepStrictEqual([proxy.deref(), WeakRef.deref(proxy)], [Option.some(target), Option.some(target)])
              assert.isTrue(WeakRef.equals(proxy, shared) && WeakRef.refersTo(proxy, target))
              assert.strictEqual(Hash.hash(proxy), Hash.hash(shared))
              yield* TestHeap.collect(target)
              if (each === heap) assert.isFalse(WeakRef.isAlive(proxy))
            }
          })
        )
    )

    it.effect("share their hash with a reference that is made while the referent is hashed", () =>
      withHeap(({ heap }) =>
        Effect.gen(function*() {
          class Target implements Equal.Equal {
            [Equal.symbol](that: Equal.Equal): boolean {
              return this === that
            }
            [Hash.symbol](): number {
              this.own = new WeakRef.Class<Target>(this, heap)
              return 7
            }
            own: WeakRef.WeakRef<Target> | undefined = undefined
          }
          const target = new Target()
          const hash = Hash.hash(WeakRef.makeUnsafe(target, heap))
          yield* TestHeap.collect(target)
          assert.strictEqual(Hash.hash(target.own), hash)
        })
      ))

    it.each([
      new Proxy(globalThis.WeakRef, { construct: (target, [referent]: [object]) => new target(referent) }),
      // A function whose prototype has no `deref`, as a test may replace a constructor.
      function(referent: object) {
        return new globalThis.WeakRef(referent)
      }
    ])("work on a heap whose constructors return another object", (constructor) => {
      const heap = { WeakRef: constructor as WeakRefConstructor, WeakMap, FinalizationRegistry }
      const target = { n: 1 }
      const shared = WeakRef.makeUnsafe(target, heap)
      assert.isTrue(WeakRef.isWeakRef(shared))
      assert.strictEqual(WeakRef.makeUnsafe(target, heap), shared)
      assert.deepStrictEqual(WeakRef.deref(shared), Option.some(target))
      assert.isTrue(WeakRef.refersTo(shared, target))
      assert.deepStrictEqual(Referent.all(target, heap), [shared])
      assert.strictEqual(Hash.hash(shared), Hash.hash(WeakRef.makeUnsafe({ n: 1 })))
    })
  })
})
