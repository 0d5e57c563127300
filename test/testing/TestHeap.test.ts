import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber } from "effect"
import * as fc from "fast-check"
import { Finalizer, Heap, WeakKeyMap, WeakRef, WeakSet, WeakValueMap } from "../../src/index.ts"
import { TestHeap } from "../../src/testing/index.ts"

describe("TestHeap", () => {
  it.effect("collects the given targets at once, and nothing else", () =>
    Effect.gen(function*() {
      const [a, b, c] = [{}, {}, {}]
      const refs = yield* Effect.forEach([a, b, c], WeakRef.make)
      assert.deepStrictEqual(refs.map(WeakRef.isAlive), [true, true, true])
      yield* TestHeap.collect(a, b)
      assert.deepStrictEqual(refs.map(WeakRef.isAlive), [false, false, true])
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("runs clean-ups in the order of the seed, which is 0 without one", () =>
    Effect.gen(function*() {
      const orderOf = (layer: typeof TestHeap.layer) =>
        Effect.gen(function*() {
          const targets = Array.from({ length: 12 }, () => ({}))
          const order: Array<number> = []
          yield* Effect.forEach(targets, (target, id) => Finalizer.make(target, Effect.sync(() => order.push(id))))
          yield* TestHeap.collectAndFinalize(...targets)
          return order.join()
        }).pipe(Effect.scoped, Effect.provide(layer))
      const order = yield* orderOf(TestHeap.layer)
      assert.strictEqual(yield* orderOf(TestHeap.layerWith({ seed: 0 })), order)
      assert.notStrictEqual(yield* orderOf(TestHeap.layerWith({ seed: 1 })), order)
    }))

  it.effect("replaces the heap of every effectful constructor", () =>
    Effect.gen(function*() {
      const target = {}
      const ref = yield* WeakRef.make(target)
      const keys = yield* WeakKeyMap.make<object, number>()
      const values = yield* WeakValueMap.fromIterable([["key", target]])
      const set = yield* WeakSet.fromIterable([target])
      let runs = 0
      yield* Finalizer.make(target, Effect.sync(() => runs++))
      WeakKeyMap.set(keys, target, 1)
      yield* TestHeap.collect(target)
      assert.isFalse(WeakRef.isAlive(ref))
      assert.deepStrictEqual([WeakKeyMap.count(keys), WeakValueMap.count(values), WeakSet.count(set)], [0, 0, 0])
      assert.deepStrictEqual([WeakKeyMap.size(keys), WeakValueMap.size(values), WeakSet.size(set)], [1, 1, 1])
      assert.strictEqual(yield* TestHeap.pending, 4)
      assert.strictEqual(runs, 0)
      yield* TestHeap.finalize
      assert.deepStrictEqual([WeakKeyMap.size(keys), WeakValueMap.size(values), WeakSet.size(set)], [0, 0, 0])
      assert.strictEqual(yield* TestHeap.pending, 0)
      assert.strictEqual(runs, 1)
    }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

  it.effect("finalize waits until its finalizers have ended", () =>
    Effect.gen(function*() {
      const target = {}
      const gate = yield* Deferred.make<void>()
      const log: Array<string> = []
      yield* Finalizer.make(target, Effect.andThen(Deferred.await(gate), Effect.sync(() => log.push("finalizer"))))
      yield* TestHeap.collect(target)
      const fiber = yield* Effect.forkChild(
        Effect.andThen(TestHeap.finalize, Effect.sync(() => log.push("finalized"))),
        { startImmediately: true }
      )
      yield* Effect.yieldNow
      assert.deepStrictEqual(log, [])
      yield* Deferred.succeed(gate, void 0)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(log, ["finalizer", "finalized"])
    }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

  it.effect("finalize runs clean-ups that are queued in the meantime", () =>
    Effect.gen(function*() {
      const [a, b] = [{}, {}]
      const testHeap = yield* TestHeap.TestHeap
      const log: Array<string> = []
      yield* Finalizer.make(a, Effect.andThen(testHeap.collect(b), Effect.sync(() => log.push("a"))))
      yield* Finalizer.make(b, Effect.sync(() => log.push("b")))
      yield* TestHeap.collectAndFinalize(a)
      assert.deepStrictEqual(log, ["a", "b"])
    }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

  it.effect("treats a target that is used again after its collection as a new object", () =>
    Effect.gen(function*() {
      const target = {}
      const first = yield* WeakRef.make(target)
      yield* TestHeap.collect(target)
      const second = yield* WeakRef.make(target)
      assert.notStrictEqual(first, second)
      assert.deepStrictEqual([WeakRef.isAlive(first), WeakRef.isAlive(second)], [false, true])
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("refuses a target that cannot be a referent, and then collects none", () =>
    Effect.gen(function*() {
      const target = {}
      const ref = yield* WeakRef.make(target)
      const exit = yield* Effect.exit(TestHeap.collect(target, "text" as unknown as WeakKey))
      assert.isTrue(Exit.hasDies(exit))
      assert.isTrue(WeakRef.isAlive(ref))
    }).pipe(Effect.provide(TestHeap.layer)))

  const orderOf = (seed: string | number) =>
    Effect.gen(function*() {
      const log: Array<number> = []
      const targets = Array.from({ length: 8 }, (_, id) => ({ id }))
      yield* Effect.forEach(targets, (target, index) => Finalizer.make(target, Effect.sync(() => log.push(index))))
      yield* TestHeap.collectAndFinalize(...targets)
      return log
    }).pipe(Effect.scoped, Effect.provide(TestHeap.layerWith({ seed })))

  it.effect("orders the clean-ups of different referents by its seed", () =>
    Effect.gen(function*() {
      const orders = yield* Effect.forEach(Array.from({ length: 20 }, (_, seed) => seed), orderOf)
      const again = yield* Effect.forEach(Array.from({ length: 20 }, (_, seed) => seed), orderOf)
      assert.deepStrictEqual(orders, again)
      assert.isAbove(new Set(orders.map((order) => order.join())).size, 10)
      for (const order of orders) {
        assert.deepStrictEqual(order.toSorted((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7])
      }
    }))

  it.effect("finalizeOne runs one clean-up, and waits until it has ended", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const targets = [{ id: "a" }, { id: "b" }, { id: "c" }]
      for (const target of targets) {
        const { id } = target
        yield* Finalizer.make(target, Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(id))))
      }
      assert.isFalse(yield* TestHeap.finalizeOne)
      yield* TestHeap.collect(...targets)
      for (let left = 2; left >= 0; left--) {
        assert.isTrue(yield* TestHeap.finalizeOne)
        assert.strictEqual(yield* TestHeap.pending, left)
        assert.lengthOf(log, 3 - left)
      }
      assert.isFalse(yield* TestHeap.finalizeOne)
      assert.deepStrictEqual(log.toSorted(), ["a", "b", "c"])
    }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

  it("finalizeOne waits for nothing if the clean-up returns no promise", () => {
    const cleaned: Array<number> = []
    const program = Effect.gen(function*() {
      const target = {}
      const { FinalizationRegistry } = yield* Heap.Heap
      const registry = new FinalizationRegistry<number>((held) => cleaned.push(held))
      registry.register(target, 1)
      yield* TestHeap.collect(target)
      return yield* TestHeap.finalizeOne
    })
    assert.isTrue(Effect.runSync(Effect.provide(program, TestHeap.layer)))
    assert.deepStrictEqual(cleaned, [1])
  })

  it.effect("finalizeOne dies with the error of its clean-up, and leaves the others queued", () =>
    Effect.gen(function*() {
      const { FinalizationRegistry } = yield* Heap.Heap
      const registry = new FinalizationRegistry(() => {
        throw new Error("thrown")
      })
      const targets = [{}, {}]
      for (const target of targets) registry.register(target, undefined)
      yield* TestHeap.collect(...targets)
      assert.isTrue(Exit.hasDies(yield* Effect.exit(TestHeap.finalizeOne)))
      assert.strictEqual(yield* TestHeap.pending, 1)
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("finalize runs all clean-ups, and dies with the first error", () =>
    Effect.gen(function*() {
      const { FinalizationRegistry } = yield* Heap.Heap
      for (const count of [1, 2, 3]) {
        const thrown: Array<Error> = []
        const registry = new FinalizationRegistry<number>((held) => {
          thrown.push(new Error(`thrown ${held}`))
          throw thrown.at(-1)!
        })
        const targets = Array.from({ length: count }, () => ({}))
        targets.forEach((target, index) => registry.register(target, index))
        yield* TestHeap.collect(...targets)
        const exit = yield* Effect.exit(TestHeap.finalize)
        assert.strictEqual(Exit.isFailure(exit) && Cause.squash(exit.cause), thrown[0])
        assert.lengthOf(thrown, count)
      }
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("mayCollect and hold only check their targets outside of explore", () =>
    Effect.gen(function*() {
      const target = {}
      const ref = yield* WeakRef.make(target)
      yield* TestHeap.mayCollect(target)
      yield* TestHeap.turn
      yield* TestHeap.hold(target)
      assert.isTrue(WeakRef.isAlive(ref))
      for (const state of [TestHeap.mayCollect, TestHeap.hold]) {
        assert.isTrue(Exit.hasDies(yield* Effect.exit(state(target, 1 as unknown as WeakKey))))
      }
    }).pipe(Effect.provide(TestHeap.layer)))

  describe("without effects", () => {
    it("collects and cleans up synchronously", () => {
      const { collect, finalize, finalizeOne, heap, pending } = TestHeap.makeUnsafe()
      const log: Array<string> = []
      const registry = new heap.FinalizationRegistry<string>((held) => log.push(held))
      const targets = [{}, {}, {}]
      targets.forEach((target, index) => registry.register(target, `target ${index}`))
      const refs = targets.map((target) => new heap.WeakRef(target))
      assert.isFalse(finalizeOne())
      collect(...targets)
      assert.deepStrictEqual(refs.map((ref) => ref.deref()), [undefined, undefined, undefined])
      assert.strictEqual(pending(), 3)
      assert.isTrue(finalizeOne())
      assert.lengthOf(log, 1)
      finalize()
      assert.strictEqual(pending(), 0)
      assert.deepStrictEqual(log.toSorted(), ["target 0", "target 1", "target 2"])
    })

    it("throws the first error of a clean-up after all have run", () => {
      const { collect, finalize, finalizeOne, heap } = TestHeap.makeUnsafe()
      let runs = 0
      const registry = new heap.FinalizationRegistry<number>(() => {
        throw new Error(`run ${++runs}`)
      })
      const targets = [{}, {}, {}]
      for (const target of targets) registry.register(target, 0)
      collect(...targets)
      assert.throws(finalizeOne, "run 1")
      assert.throws(finalize, "run 2")
      assert.strictEqual(runs, 3)
    })

    it("refuses a target that cannot be a referent, and then collects none", () => {
      const { collect, heap } = TestHeap.makeUnsafe()
      const target = {}
      const ref = new heap.WeakRef(target)
      assert.throws(() => collect(target, "text" as unknown as WeakKey), "cannot be weakly referenced")
      assert.strictEqual(ref.deref(), target)
    })

    it.effect("has the same heap for effects", () =>
      Effect.gen(function*() {
        const testHeap = TestHeap.makeUnsafe()
        const target = {}
        const ref = yield* Effect.provideService(WeakRef.make(target), Heap.Heap, testHeap.heap)
        yield* testHeap.service.collect(target)
        assert.isFalse(WeakRef.isAlive(ref))
        assert.strictEqual(testHeap.service.heap, testHeap.heap)
      }))
  })

  describe("install", () => {
    const globals = () =>
      ["WeakRef", "WeakMap", "FinalizationRegistry"].map((name) => Object.getOwnPropertyDescriptor(globalThis, name))

    it.effect("replaces the globals with the constructors until the Scope closes", () =>
      Effect.gen(function*() {
        const before = globals()
        yield* Effect.scoped(Effect.gen(function*() {
          const { heap } = yield* TestHeap.TestHeap
          yield* TestHeap.install()
          assert.deepStrictEqual(
            [globalThis.WeakRef, globalThis.WeakMap, globalThis.FinalizationRegistry],
            [heap.WeakRef, heap.WeakMap, heap.FinalizationRegistry]
          )
          for (const descriptor of globals()) {
            assert.deepInclude(descriptor, { writable: true, enumerable: false, configurable: true })
          }
          const target = {}
          const ref = new globalThis.WeakRef(target)
          yield* TestHeap.collect(target)
          assert.isUndefined(ref.deref())
        }))
        assert.deepStrictEqual(globals(), before)
        yield* Effect.exit(Effect.scoped(Effect.andThen(TestHeap.install(), Effect.die("in the Scope"))))
        assert.deepStrictEqual(globals(), before)
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("restores the properties of any object exactly, even if they were inherited or accessors", () =>
      Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const target = Object.create({ WeakMap: "inherited" }, {
          WeakRef: { get: () => "accessor", enumerable: true, configurable: true },
          FinalizationRegistry: { value: "value", writable: false, configurable: true }
        })
        const before = Object.getOwnPropertyDescriptors(target)
        yield* Effect.scoped(Effect.gen(function*() {
          yield* TestHeap.install(target)
          assert.deepStrictEqual({ ...heap }, {
            WeakRef: target.WeakRef,
            WeakMap: target.WeakMap,
            FinalizationRegistry: target.FinalizationRegistry
          })
        }))
        assert.deepStrictEqual(Object.getOwnPropertyDescriptors(target), before)
        assert.strictEqual(target.WeakMap, "inherited")
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("can be nested", () =>
      Effect.gen(function*() {
        const [outer, inner] = [TestHeap.makeUnsafe(), TestHeap.makeUnsafe()]
        const install = ({ service }: TestHeap.SyncTestHeap, target: object) =>
          Effect.provideService(TestHeap.install(target), TestHeap.TestHeap, service)
        const target: { WeakRef?: unknown } = {}
        yield* Effect.scoped(Effect.gen(function*() {
          yield* install(outer, target)
          yield* Effect.scoped(install(inner, target))
          assert.strictEqual(target.WeakRef, outer.heap.WeakRef)
        }))
        assert.deepStrictEqual(Reflect.ownKeys(target), [])
      }))

    it.effect("refuses an object whose properties cannot be replaced, and then replaces none", () =>
      Effect.gen(function*() {
        const fixed = Object.defineProperty({ WeakRef: 1 }, "WeakMap", { value: 2, configurable: false })
        for (const target of [Object.freeze({}), fixed]) {
          const exit = yield* Effect.exit(Effect.scoped(TestHeap.install(target)))
          assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof TypeError)
        }
        assert.strictEqual(fixed.WeakRef, 1)
        const noObject = yield* Effect.exit(Effect.scoped(TestHeap.install("text" as unknown as object)))
        assert.include(String(Exit.isFailure(noObject) && Cause.squash(noObject.cause)), "the target must be an object")
      }).pipe(Effect.provide(TestHeap.layer)))
  })

  describe("the primitives behave like the engine's", () => {
    it.effect("WeakMap", () =>
      Effect.gen(function*() {
        const { WeakMap } = yield* Heap.Heap
        const [a, b] = [{}, {}]
        const map = new WeakMap<object, number>([[a, 1]])
        assert.deepStrictEqual([map.get(a), map.has(a), map.get(b), map.has(b)], [1, true, undefined, false])
        assert.strictEqual(map.set(b, 2), map)
        assert.isTrue(map.delete(b))
        assert.isFalse(map.delete(b))
        assert.strictEqual(map.getOrInsert(b, 3), 3)
        assert.strictEqual(map.getOrInsertComputed(b, () => 4), 3)
        yield* TestHeap.collect(a)
        assert.deepStrictEqual([map.get(a), map.has(a), map.delete(a)], [undefined, false, false])
        assert.throws(() => map.set("text" as unknown as object, 1), TypeError)
        assert.strictEqual(Object.prototype.toString.call(map), "[object WeakMap]")
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("WeakRef", () =>
      Effect.gen(function*() {
        const { WeakRef } = yield* Heap.Heap
        const target = {}
        const ref = new WeakRef(target)
        assert.strictEqual(ref.deref(), target)
        assert.throws(() => new WeakRef("text" as unknown as object), TypeError)
        assert.strictEqual(Object.prototype.toString.call(ref), "[object WeakRef]")
        yield* TestHeap.collect(target)
        assert.isUndefined(ref.deref())
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("FinalizationRegistry", () =>
      Effect.gen(function*() {
        const { FinalizationRegistry } = yield* Heap.Heap
        const log: Array<string> = []
        const registry = new FinalizationRegistry<string>((held) => {
          log.push(held)
          if (held === "throws") throw new Error("thrown")
        })
        const [a, b, c, token] = [{}, {}, {}, {}]
        registry.register(a, "a")
        registry.register(a, "a again")
        registry.register(b, "unregistered alive", token)
        assert.isTrue(registry.unregister(token))
        assert.isFalse(registry.unregister(token))
        registry.register(c, "unregistered dead", token)
        registry.register(c, "throws")
        assert.throws(() => registry.register(1 as unknown as object, "bad"), TypeError)
        yield* TestHeap.collect(a, b, c)
        assert.isTrue(registry.unregister(token))
        assert.isTrue(Exit.hasDies(yield* Effect.exit(TestHeap.finalize)))
        assert.deepStrictEqual(log.toSorted(), ["a", "a again", "throws"])
        yield* TestHeap.collectAndFinalize(a, b, c)
        assert.lengthOf(log, 3)
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("a clean-up may return a promise, and finalize waits for it", () =>
      Effect.gen(function*() {
        const { FinalizationRegistry } = yield* Heap.Heap
        let ended = false
        const registry = new FinalizationRegistry(async () => {
          await Promise.resolve()
          ended = true
        })
        const target = {}
        registry.register(target, undefined)
        yield* TestHeap.collectAndFinalize(target)
        assert.isTrue(ended)
      }).pipe(Effect.provide(TestHeap.layer)))
  })

  it("an unregistered clean-up never runs, for every order of events", () => {
    const Event = fc.constantFrom("register", "unregister", "collect", "finalize")
    fc.assert(
      fc.property(fc.array(Event, { maxLength: 12 }), fc.integer(), (events, seed) => {
        const { collect, finalize, heap } = TestHeap.makeUnsafe({ seed })
        const [target, token] = [{}, {}]
        let runs = 0
        let expected = 0
        let registered = 0
        let queued = 0
        const registry = new heap.FinalizationRegistry(() => runs++)
        for (const event of events) {
          if (event === "register") {
            registry.register(target, undefined, token)
            registered++
          } else if (event === "unregister") {
            assert.strictEqual(registry.unregister(token), registered + queued > 0)
            registered = queued = 0
          } else if (event === "collect") {
            collect(target)
            queued += registered
            registered = 0
          } else {
            finalize()
            expected += queued
            queued = 0
          }
          assert.strictEqual(runs, expected)
        }
      }),
      { numRuns: 1_000 }
    )
  })
})
