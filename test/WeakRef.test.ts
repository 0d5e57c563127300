import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Equal, Exit, Fiber, Hash, Option, Scope } from "effect"
import * as fc from "fast-check"
import { inspect } from "node:util"
import { vi } from "vitest"
import { Finalizer, Heap, WeakError, WeakMethod, WeakProxy, WeakRef } from "../src/index.ts"
import { callbacksPerTurn } from "../src/internal/referent.ts"
import { TestHeap } from "../src/testing/index.ts"
import { atEveryAlignment } from "./support/alignments.ts"
import { testDual } from "./support/dual.ts"
import { collectThoroughly, collectUntil, heapInUse, many, tolerated } from "./support/realHeap.ts"
import { reportsOf } from "./support/reports.ts"
import { type Named, onBothHeaps } from "./support/worlds.ts"

class ExtendedRef<A extends WeakKey> extends WeakRef.Class<A, readonly [A, number]> {
  private counter = 0
  readonly annotations: Readonly<Record<string, unknown>>

  constructor(target: A, annotations: Readonly<Record<string, unknown>>, heap?: Heap.Heap) {
    super(target, heap)
    this.annotations = annotations
  }

  override deref() {
    return Option.map(this.referent(), (target) => [target, ++this.counter] as const)
  }
}

/** Makes references whose referents nothing holds. */
const manyRefs = () => Array.from({ length: many }, (_, id) => WeakRef.makeUnsafe<Named>({ name: `${id}` }))

describe("WeakRef", () => {
  describe("make", () => {
    onBothHeaps("dereferences to its referent until the referent is collected", (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        assert.deepStrictEqual(Option.map(WeakRef.deref(ref), (a) => a.name), Option.some("a"))
        assert.isTrue(WeakRef.isAlive(ref))
        yield* world.die("a")
        assert.deepStrictEqual(WeakRef.deref(ref), Option.none())
        assert.isFalse(WeakRef.isAlive(ref))
      }))

    onBothHeaps("shares one reference per referent", (world) =>
      Effect.gen(function*() {
        const first = yield* world.with("a", WeakRef.make)
        const second = yield* world.with("a", WeakRef.make)
        const other = yield* world.with("b", WeakRef.make)
        assert.strictEqual(first, second)
        assert.notStrictEqual<unknown>(first, other)
      }))

    it.effect("makes one reference per heap for the same referent", () =>
      Effect.gen(function*() {
        const target = {}
        const onTestHeap = yield* WeakRef.make(target)
        assert.notStrictEqual(onTestHeap, WeakRef.makeUnsafe(target))
        yield* TestHeap.collect(target)
        assert.isFalse(WeakRef.isAlive(onTestHeap))
        assert.isTrue(WeakRef.isAlive(WeakRef.makeUnsafe(target)))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("fails for a value that cannot be weakly referenced, and creates no reference", () =>
      Effect.gen(function*() {
        for (const value of [undefined, null, 0, "text", true, 1n, Symbol.for("registered")]) {
          const error = yield* Effect.flip(WeakRef.make(value as unknown as WeakKey))
          assert.instanceOf(error, WeakError.NotWeakReferenceableError)
          assert.strictEqual(error.value, value)
          assert.include(error.message, "cannot be weakly referenced")
          assert.throws(() => WeakRef.makeUnsafe(value as unknown as WeakKey), WeakError.NotWeakReferenceableError)
          assert.throws(() => new WeakRef.Class(value as unknown as WeakKey), WeakError.NotWeakReferenceableError)
          assert.strictEqual(yield* WeakRef.count(value as unknown as WeakKey), 0)
        }
      }))

    it("refers to functions and symbols", () => {
      const symbol = Symbol("mine")
      const f = () => 1
      assert.deepStrictEqual(WeakRef.deref(WeakRef.makeUnsafe(symbol)), Option.some(symbol))
      assert.strictEqual(Option.getOrThrow(WeakRef.deref(WeakRef.makeUnsafe(f))), f)
      assert.strictEqual(WeakRef.deref(WeakRef.makeUnsafe(Symbol.iterator)).pipe(Option.getOrThrow), Symbol.iterator)
    })
  })

  describe("get, use and pin", () => {
    onBothHeaps("succeed with the referent, and fail after it has been collected", (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        let calls = 0
        const use = WeakRef.use(ref, (a) => Effect.sync(() => (calls++, a.name)))
        const all = Effect.all({
          get: Effect.map(WeakRef.get(ref), (a) => a.name),
          use,
          pin: Effect.scoped(Effect.map(WeakRef.pin(ref), (a) => a.name))
        })
        assert.deepStrictEqual(yield* all, { get: "a", use: "a", pin: "a" })
        yield* world.die("a")
        for (const effect of [WeakRef.get(ref), use, Effect.scoped(WeakRef.pin(ref))]) {
          const error = yield* Effect.flip(effect as Effect.Effect<unknown, WeakError.DeadReferenceError>)
          assert.instanceOf(error, WeakError.DeadReferenceError)
        }
        assert.strictEqual(calls, 1)
      }))

    it.effect("use holds the referent until its effect has ended", () =>
      Effect.gen(function*() {
        const ref = WeakRef.makeUnsafe({ name: "a" })
        const latch = yield* Deferred.make<void>()
        // The effect itself does not hold the referent.
        const fiber = yield* Effect.forkChild(WeakRef.use(ref, () => Deferred.await(latch)), { startImmediately: true })
        yield* collectThoroughly
        assert.isTrue(WeakRef.isAlive(ref))
        yield* Deferred.succeed(latch, void 0)
        yield* Fiber.join(fiber)
        assert.isTrue(yield* collectUntil(() => !WeakRef.isAlive(ref)))
      }))

    it.effect("use releases the referent when it is interrupted", () =>
      Effect.gen(function*() {
        const ref = WeakRef.makeUnsafe({ name: "a" })
        const fiber = yield* Effect.forkChild(WeakRef.use(ref, () => Effect.never), { startImmediately: true })
        yield* collectThoroughly
        assert.isTrue(WeakRef.isAlive(ref))
        yield* Fiber.interrupt(fiber)
        assert.isTrue(yield* collectUntil(() => !WeakRef.isAlive(ref)))
      }))

    it.effect("use fails with the error of its effect", () =>
      Effect.gen(function*() {
        const target = {}
        const error = yield* Effect.flip(WeakRef.use(WeakRef.makeUnsafe(target), () => Effect.fail("mine")))
        assert.strictEqual(error, "mine")
      }))

    it.effect("pin holds the referent until the Scope closes", () =>
      Effect.gen(function*() {
        const refs = manyRefs()
        const scope = yield* Scope.make()
        yield* Effect.forEach(refs, (ref) => Scope.provide(WeakRef.pin(ref), scope), { discard: true })
        yield* collectThoroughly
        assert.isTrue(refs.every(WeakRef.isAlive))
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(yield* collectUntil(() => refs.filter(WeakRef.isAlive).length <= tolerated))
      }))

    it.effect("use and pin hold the referent of a subclass that dereferences to another value", () =>
      Effect.gen(function*() {
        class LengthRef extends WeakRef.Class<Array<number>, number> {
          override deref() {
            return Option.map(this.referent(), (target) => target.length)
          }
        }
        const ref = new LengthRef([1, 2, 3])
        const scope = yield* Scope.make()
        assert.strictEqual(yield* Scope.provide(WeakRef.pin(ref), scope), 3)
        yield* collectThoroughly
        assert.isTrue(WeakRef.isAlive(ref))
        const fiber = yield* Effect.forkChild(WeakRef.use(ref, () => Effect.never), { startImmediately: true })
        yield* Scope.close(scope, Exit.void)
        yield* collectThoroughly
        assert.isTrue(WeakRef.isAlive(ref))
        yield* Fiber.interrupt(fiber)
        assert.isTrue(yield* collectUntil(() => !WeakRef.isAlive(ref)))
      }))
  })

  describe("onCollect", () => {
    onBothHeaps(
      "runs callbacks from the newest to the oldest, across references and finalizers",
      (world) =>
        Effect.gen(function*() {
          const log: Array<string> = []
          const says = (text: string) => Effect.sync(() => log.push(text))
          const ref = yield* world.with("a", WeakRef.make)
          const keyed = yield* Effect.flatMap(
            Heap.Heap,
            (heap) => world.with("a", (a) => Effect.sync(() => new WeakRef.KeyedRef("key", a, heap)))
          )
          yield* WeakRef.onCollect(ref, () => says("first"))
          yield* world.with("a", (a) => Finalizer.make(a, says("second")))
          yield* WeakRef.onCollect(keyed, (ref) => says(`third ${ref.key}`))
          yield* Effect.asVoid(world.with("a", (a) => Finalizer.make(a, says("fourth"))))
          yield* ref.pipe(WeakRef.onCollect(() => says("fifth")))
          yield* world.die("a")
          assert.deepStrictEqual(log, ["fifth", "fourth", "third key", "second", "first"])
        })
    )

    onBothHeaps(
      "runs a callback with its dead reference, after all references are dead",
      (world) =>
        Effect.gen(function*() {
          const ref = yield* world.with("a", WeakRef.make)
          const other = yield* Effect.flatMap(
            Heap.Heap,
            (heap) => world.with("a", (a) => Effect.sync(() => new WeakRef.Class(a, heap)))
          )
          const seen: Array<boolean> = []
          yield* WeakRef.onCollect(
            ref,
            (given) => Effect.sync(() => seen.push(given === ref, WeakRef.isAlive(given), WeakRef.isAlive(other)))
          )
          yield* world.die("a")
          assert.deepStrictEqual(seen, [true, false, false])
        })
    )

    onBothHeaps(
      "reports a callback that fails, dies, throws or is interrupted, and runs the next callback",
      (world) =>
        Effect.gen(function*() {
          const ref = yield* world.with("a", WeakRef.make)
          let ran = false
          const reports = yield* reportsOf(Effect.gen(function*() {
            yield* WeakRef.onCollect(ref, () => Effect.sync(() => ran = true))
            yield* WeakRef.onCollect(ref, () => Effect.interrupt)
            yield* WeakRef.onCollect(ref, (): Effect.Effect<void> => {
              throw new Error("thrown")
            })
            yield* WeakRef.onCollect(ref, () => Effect.die(new Error("died")))
            yield* WeakRef.onCollect(ref, () => Effect.fail(new Error("failed")))
            yield* world.die("a")
          }))
          assert.isTrue(ran)
          assert.deepStrictEqual(reports.slice(0, 3), ["Error: failed", "Error: died", "Error: thrown"])
          assert.include(reports[3], "interrupted")
          assert.lengthOf(reports, 4)
        })
    )

    onBothHeaps(
      "runs the next callback after a callback whose fiber was interrupted",
      (world) =>
        Effect.gen(function*() {
          const ref = yield* world.with("a", WeakRef.make)
          const log: Array<string> = []
          yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push("next")))
          yield* WeakRef.onCollect(ref, () =>
            Effect.withFiber((fiber) => {
              fiber.interruptUnsafe()
              return Effect.yieldNow
            }))
          yield* reportsOf(world.die("a"))
          assert.deepStrictEqual(log, ["next"])
        })
    )

    onBothHeaps("runs each callback with the services that it was registered with", (world) =>
      Effect.gen(function*() {
        class Name extends Context.Service<Name, string>()("test/Name") {}
        const ref = yield* world.with("a", WeakRef.make)
        const log: Array<string> = []
        const callback = () => Effect.map(Name, (name) => log.push(name))
        yield* Effect.provideService(WeakRef.onCollect(ref, callback), Name, "one")
        yield* Effect.provideService(WeakRef.onCollect(ref, callback), Name, "two")
        yield* world.die("a")
        assert.deepStrictEqual(log, ["two", "one"])
      }))

    onBothHeaps("unregisters a callback when its Scope closes", (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        const log: Array<string> = []
        yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push("outer 1")))
        yield* Effect.scoped(WeakRef.onCollect(ref, () => Effect.sync(() => log.push("inner"))))
        yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push("outer 2")))
        yield* world.die("a")
        assert.deepStrictEqual(log, ["outer 2", "outer 1"])
      }))

    onBothHeaps("runs a callback at once if the reference is dead already", (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        yield* world.die("a")
        const ran = yield* Deferred.make<boolean>()
        yield* WeakRef.onCollect(ref, (ref) => Deferred.succeed(ran, WeakRef.isAlive(ref)))
        assert.isFalse(yield* Deferred.await(ran))
      }))

    onBothHeaps("does not run a callback if its Scope is closed already", (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        const scope = yield* Scope.make()
        yield* Scope.close(scope, Exit.void)
        let ran = false
        const callback = () => Effect.sync(() => ran = true)
        yield* Scope.provide(WeakRef.onCollect(ref, callback), scope)
        yield* world.die("a")
        yield* Scope.provide(WeakRef.onCollect(ref, callback), scope)
        assert.isFalse(ran)
      }))

    onBothHeaps("lets a callback unregister later callbacks", (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        const log: Array<string> = []
        const scope = yield* Scope.make()
        yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push("first")))
        yield* Scope.provide(WeakRef.onCollect(ref, () => Effect.sync(() => log.push("second"))), scope)
        yield* WeakRef.onCollect(ref, () =>
          Effect.andThen(Scope.close(scope, Exit.void), Effect.sync(() => log.push("third"))))
        yield* world.die("a")
        assert.deepStrictEqual(log, ["third", "first"])
      }))

    it("runs the registered callbacks in order after random registrations and removals (property)", () =>
      fc.assert(
        fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 40 }), (script) => {
          const { collect, finalize, heap } = TestHeap.makeUnsafe()
          const target = {}
          const ref = WeakRef.makeUnsafe(target, heap)
          const log: Array<number> = []
          // The model: the registered callbacks, newest first. Each step registers a callback, or closes the Scope of one.
          const registered: Array<{ readonly id: number; readonly scope: Scope.Closeable }> = []
          script.forEach((step, id) => {
            const [removed] = step < 5 ? registered.splice(step, 1) : []
            if (removed !== undefined) return Effect.runSync(Scope.close(removed.scope, Exit.void))
            const scope = Scope.makeUnsafe()
            Effect.runSync(Scope.provide(WeakRef.onCollect(ref, () => Effect.sync(() => log.push(id))), scope))
            registered.unshift({ id, scope })
          })
          collect(target)
          finalize()
          assert.deepStrictEqual(log, registered.map(({ id }) => id))
        }),
        { numRuns: 1_000 }
      ))

    it.effect(
      "leaves a registered callback or none if it is interrupted at any step",
      () =>
        Effect.gen(function*() {
          const outcomes = { registered: 0, nothing: 0 }
          yield* atEveryAlignment((interrupted) =>
            Effect.gen(function*() {
              const target = {}
              const scope = yield* Scope.make()
              let runs = 0
              const ref = yield* WeakRef.make(target)
              yield* interrupted(Scope.provide(WeakRef.onCollect(ref, () => Effect.sync(() => runs++)), scope))
              const isRegistered = scope.state._tag === "Open"
              outcomes[isRegistered ? "registered" : "nothing"]++
              yield* TestHeap.collectAndFinalize(target)
              assert.strictEqual(runs, isRegistered ? 1 : 0)
              assert.strictEqual(scope.state._tag, "Empty")
            })
          )
          assert.isAbove(outcomes.registered, 10)
          assert.isAbove(outcomes.nothing, 10)
        }).pipe(Effect.provide(TestHeap.layer)),
      60_000
    )

    it.effect("adds one finalizer to the Scope, and removes it after the callback has run", () =>
      Effect.gen(function*() {
        const target = {}
        const ref = yield* WeakRef.make(target)
        const log: Array<string> = []
        const scope = yield* Scope.make()
        const says = (text: string) => Scope.addFinalizer(scope, Effect.sync(() => log.push(text)))
        const register = Scope.provide(WeakRef.onCollect(ref, () => Effect.void), scope)
        // Registers in an empty Scope, in a Scope with one finalizer, and in a Scope with several finalizers.
        yield* register
        yield* says("first")
        yield* register
        yield* says("second")
        yield* register
        assert.strictEqual(scope.state._tag === "Open" ? scope.state.finalizers?.size : 0, 5)
        yield* TestHeap.collectAndFinalize(target)
        assert.strictEqual(scope.state._tag === "Open" ? scope.state.finalizers?.size : 0, 2)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(log, ["second", "first"])
        const other = yield* Scope.make()
        const another = {}
        for (const target of [{}, another, another]) {
          const ref = yield* WeakRef.make(target)
          yield* Scope.provide(WeakRef.onCollect(ref, () => Effect.void), other)
          if (target !== another) yield* TestHeap.collectAndFinalize(target)
        }
        assert.strictEqual(other.state._tag, "Open")
        yield* TestHeap.collectAndFinalize(another)
        assert.strictEqual(other.state._tag, "Empty")
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("trap: a callback that never ends blocks only the older callbacks of its referent", () =>
      Effect.gen(function*() {
        const [one, other] = [{}, {}]
        const log: Array<string> = []
        const ref = yield* WeakRef.make(one)
        yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push("older")))
        yield* WeakRef.onCollect(ref, () => Effect.never)
        yield* WeakRef.onCollect(yield* WeakRef.make(other), () => Effect.sync(() => log.push("other")))
        yield* TestHeap.collect(one, other)
        yield* Effect.forkChild(TestHeap.finalize)
        for (let i = 0; i < 20; i++) yield* Effect.yieldNow
        assert.deepStrictEqual(log, ["other"])
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect.each([1, 4])(
      "spreads many callbacks over several turns, and keeps their order (%i referents)",
      (n) =>
        Effect.gen(function*() {
          const each = 3 * callbacksPerTurn / n
          const targets = Array.from({ length: n }, () => ({}))
          const perTurn: Array<number> = [0]
          const ended: Array<Array<number>> = []
          for (const target of targets) {
            const ref = yield* WeakRef.make(target)
            const order: Array<number> = []
            ended.push(order)
            for (let i = 0; i < each; i++) {
              yield* WeakRef.onCollect(ref, () =>
                Effect.sync(() => {
                  order.push(i)
                  perTurn[perTurn.length - 1]!++
                }))
            }
          }
          // Starts in a timer. The slices run in timers too, so `watch` runs between the slices.
          yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve)))
          let watching = true
          const watch = () => {
            perTurn.push(0)
            if (watching) setImmediate(watch)
          }
          setImmediate(watch)
          yield* TestHeap.collectAndFinalize(...targets)
          watching = false
          const newestFirst = Array.from({ length: each }, (_, i) => each - 1 - i)
          for (const order of ended) assert.deepStrictEqual(order, newestFirst)
          assert.isAtMost(Math.max(...perTurn), callbacksPerTurn)
        }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
    )

    it.effect("runs all callbacks even if a test has replaced the timers", () =>
      Effect.gen(function*() {
        const target = {}
        let runs = 0
        const ref = yield* WeakRef.make(target)
        for (let i = 0; i < callbacksPerTurn + 1; i++) {
          yield* WeakRef.onCollect(ref, () => Effect.sync(() => runs++))
        }
        vi.useFakeTimers({ toFake: ["setTimeout", "setImmediate"] })
        yield* Effect.addFinalizer(() => Effect.sync(() => vi.useRealTimers()))
        yield* TestHeap.collectAndFinalize(target)
        assert.strictEqual(runs, callbacksPerTurn + 1)
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    onBothHeaps("stays registered even if nobody holds the reference", (world) =>
      Effect.gen(function*() {
        const log: Array<string> = []
        yield* Effect.flatMap(
          world.with("a", WeakRef.make),
          WeakRef.onCollect(() => Effect.sync(() => log.push("ran")))
        )
        yield* collectThoroughly
        yield* world.die("a")
        assert.deepStrictEqual(log, ["ran"])
      }))

    it.effect("runs the callbacks of one referent in sequence, without delaying the callbacks of another referent", () =>
      Effect.gen(function*() {
        const [a, b] = [{ name: "a" }, { name: "b" }]
        const log: Array<string> = []
        const gate = yield* Deferred.make<void>()
        const refA = yield* WeakRef.make(a)
        const refB = yield* WeakRef.make(b)
        yield* WeakRef.onCollect(refA, () => Effect.sync(() => log.push("a1")))
        yield* WeakRef.onCollect(refA, () => Effect.andThen(Deferred.await(gate), Effect.sync(() => log.push("a2"))))
        yield* WeakRef.onCollect(refB, () => Effect.sync(() => log.push("b")))
        yield* TestHeap.collect(a, b)
        const finalizing = yield* Effect.forkChild(TestHeap.finalize, { startImmediately: true })
        yield* Effect.yieldNow
        assert.deepStrictEqual(log, ["b"])
        yield* Deferred.succeed(gate, void 0)
        yield* Fiber.join(finalizing)
        assert.deepStrictEqual(log, ["b", "a2", "a1"])
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("runs a callback at once if it is registered between collection and finalization", () =>
      Effect.gen(function*() {
        const target = {}
        const log: Array<string> = []
        const ref = yield* WeakRef.make(target)
        yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push("registered alive")))
        yield* TestHeap.collect(target)
        yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push("registered dead")))
        assert.deepStrictEqual(log, ["registered dead"])
        yield* TestHeap.finalize
        assert.deepStrictEqual(log, ["registered dead", "registered alive"])
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("trap: a callback that captures the referent keeps it alive", () =>
      Effect.gen(function*() {
        const captureIn = (ref: WeakRef.WeakRef<Named>, name: string) => {
          const target = Option.getOrThrow(WeakRef.deref(ref))
          return WeakRef.onCollect(ref, () => Effect.succeed([target, name]))
        }
        const refs = manyRefs()
        const scope = yield* Scope.make()
        yield* Effect.forEach(refs, (ref) => Scope.provide(captureIn(ref, "held"), scope), { discard: true })
        yield* collectThoroughly
        assert.isTrue(refs.every(WeakRef.isAlive))
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(yield* collectUntil(() => refs.filter(WeakRef.isAlive).length <= tolerated))
      }))

    it.effect("trap: an open Scope does not hold callbacks that have run", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const target = {}
        for (let i = 0; i < 100; i++) {
          const ref = yield* WeakRef.make(target)
          yield* Scope.provide(WeakRef.onCollect(ref, () => Effect.void), scope)
          yield* TestHeap.collectAndFinalize(target)
        }
        assert.strictEqual(scope.state._tag, "Empty")
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("trap: registers a referent with the engine only once for many callbacks", () =>
      Effect.gen(function*() {
        let registrations = 0
        class CountingRegistry<T> extends FinalizationRegistry<T> {
          override register(target: WeakKey, held: T, token?: WeakKey) {
            registrations++
            super.register(target, held, token)
          }
        }
        const target = {}
        const script = Effect.gen(function*() {
          const ref = yield* WeakRef.make(target)
          for (let i = 0; i < 1000; i++) {
            yield* Effect.scoped(WeakRef.onCollect(ref, () => Effect.void))
            yield* Effect.scoped(Finalizer.make(target, Effect.void))
          }
        })
        yield* Effect.provideService(script, Heap.Heap, {
          ...Heap.Heap.defaultValue(),
          FinalizationRegistry: CountingRegistry
        })
        assert.strictEqual(registrations, 1)
      }))

    it.effect(
      "trap: registering and unregistering callbacks on a long-lived referent leaks no memory",
      () =>
        Effect.gen(function*() {
          const target = {}
          const ref = WeakRef.makeUnsafe(target)
          const round = Effect.scoped(WeakRef.onCollect(ref, () => Effect.void))
          const rounds = (n: number) => Effect.repeat(round, { times: n })
          yield* rounds(1_000)
          const before = yield* heapInUse
          yield* rounds(100_000)
          assert.isBelow((yield* heapInUse) - before, 1_000_000)
        }),
      120_000
    )
  })

  describe("equality", () => {
    onBothHeaps(
      "compares live referents, and compares by identity after one has been collected",
      (world) =>
        Effect.gen(function*() {
          const heap = yield* Heap.Heap
          const refOf = (name: string, key: string) =>
            world.with(name, (target) => Effect.sync(() => new WeakRef.KeyedRef(key, target, heap)))
          const shared = yield* world.with("a", WeakRef.make)
          const own = yield* refOf("a", "own")
          const other = yield* refOf("b", "other")
          assert.isTrue(WeakRef.equals(shared, own))
          assert.isTrue(shared.pipe(WeakRef.equals(own)))
          assert.isFalse(WeakRef.equals(shared, other))
          yield* world.die("a")
          assert.isFalse(WeakRef.equals(shared, own))
          assert.isTrue(WeakRef.equals(shared, shared))
          assert.isFalse(WeakRef.equals(shared, other))
          assert.isFalse(WeakRef.equals(other, shared))
        })
    )

    it("compares referents by structure", () => {
      const [one, same, other] = [{ id: 1 }, { id: 1 }, { id: 2 }]
      assert.isTrue(Equal.equals(WeakRef.makeUnsafe(one), WeakRef.makeUnsafe(same)))
      assert.isFalse(Equal.equals(WeakRef.makeUnsafe(one), WeakRef.makeUnsafe(other)))
      assert.isFalse(Equal.equals(WeakRef.makeUnsafe(one), one))
    })

    it.effect("Equal.equals stays true after a referent has been collected, unlike WeakRef.equals", () =>
      Effect.gen(function*() {
        const [one, same] = [{ id: 1 }, { id: 1 }]
        const ref = yield* WeakRef.make(one)
        const that = yield* WeakRef.make(same)
        assert.isTrue(Equal.equals(ref, that))
        yield* TestHeap.collect(one)
        assert.isTrue(Equal.equals(ref, that))
        assert.isFalse(WeakRef.equals(ref, that))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("Equal.equals compares by identity if a reference was hashed before it died", () =>
      Effect.gen(function*() {
        const [one, same] = [{ id: 1 }, { id: 1 }]
        const ref = yield* WeakRef.make(one)
        const that = yield* WeakRef.make(same)
        Hash.hash(ref)
        yield* TestHeap.collect(one)
        assert.isFalse(Equal.equals(ref, that))
        assert.isTrue(Equal.equals(ref, ref))
      }).pipe(Effect.provide(TestHeap.layer)))
  })

  describe("equals, as documented", () => {
    it("stays true after a referent has changed, because Effect caches the result", () => {
      const [one, same] = [{ id: 1 }, { id: 1 }]
      const [ref, that] = [WeakRef.makeUnsafe(one), WeakRef.makeUnsafe(same)]
      assert.isTrue(WeakRef.equals(ref, that))
      one.id = 2
      assert.isTrue(WeakRef.equals(ref, that))
    })

    it("throws if a referent is a weak proxy", () => {
      const target = {}
      const ref = WeakRef.makeUnsafe<object>(WeakProxy.makeUnsafe(target))
      assert.throws(() => WeakRef.equals(ref, WeakRef.makeUnsafe(target)), WeakError.UnhashableError)
    })
  })

  describe("hash", () => {
    onBothHeaps(
      "is the hash of the referent, and stays available if it was computed before the collection",
      (world) =>
        Effect.gen(function*() {
          const ref = yield* world.with("a", WeakRef.make)
          const hash = yield* world.with("a", (a) => Effect.sync(() => Hash.hash(a)))
          assert.strictEqual(Hash.hash(ref), hash)
          yield* world.die("a")
          assert.strictEqual(Hash.hash(ref), hash)
          assert.strictEqual(ref[Hash.symbol](), hash)
        })
    )

    onBothHeaps(
      "stays available to all references if one of them computed it",
      (world) =>
        Effect.gen(function*() {
          const heap = yield* Heap.Heap
          const ref = yield* world.with("a", WeakRef.make)
          const own = yield* world.with("a", (a) => Effect.sync(() => new WeakRef.Class(a, heap)))
          const hash = Hash.hash(ref)
          yield* world.die("a")
          assert.strictEqual(Hash.hash(own), hash)
        })
    )

    onBothHeaps("throws if it is first computed after the collection", (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        const other = yield* world.with("b", WeakRef.make)
        yield* world.die("a")
        assert.throws(() => Hash.hash(ref), WeakError.UnhashableError)
        assert.throws(() => Equal.equals(ref, other), WeakError.UnhashableError)
        assert.isFalse(WeakRef.equals(ref, other))
      }))
  })

  describe("Class", () => {
    onBothHeaps(
      "lets a subclass add fields and override deref",
      (world) =>
        Effect.gen(function*() {
          const heap = yield* Heap.Heap
          const ref = yield* world.with("a", (a) => Effect.sync(() => new ExtendedRef(a, { color: "red" }, heap)))
          const shared = yield* world.with("a", WeakRef.make)
          assert.notStrictEqual<unknown>(ref, shared)
          assert.strictEqual(ref.annotations["color"], "red")
          const ask = Effect.map(WeakRef.get(ref), ([a, n]) => [a.name, n])
          assert.deepStrictEqual(yield* Effect.all([ask, ask]), [["a", 1], ["a", 2]])
          assert.isTrue(WeakRef.equals(ref, shared))
          assert.isTrue(WeakRef.isWeakRef(ref))
          let annotation: unknown
          yield* WeakRef.onCollect(ref, (ref) => Effect.sync(() => annotation = ref.annotations["color"]))
          yield* world.die("a")
          assert.strictEqual(annotation, "red")
          assert.isTrue(Option.isNone(WeakRef.deref(ref)))
        })
    )

    onBothHeaps("KeyedRef keeps its key after its referent has been collected", (world) =>
      Effect.gen(function*() {
        const heap = yield* Heap.Heap
        const ref = yield* world.with("a", (a) => Effect.sync(() => new WeakRef.KeyedRef({ id: 7 }, a, heap)))
        assert.strictEqual(Option.getOrThrow(WeakRef.deref(ref)).name, "a")
        yield* world.die("a")
        assert.deepStrictEqual(ref.key, { id: 7 })
        assert.isTrue(Option.isNone(WeakRef.deref(ref)))
      }))
  })

  describe("keepAlive", () => {
    onBothHeaps("fails with an owner that cannot be weakly referenced", (world) =>
      Effect.gen(function*() {
        for (const owner of [undefined, null, 1, "text", Symbol.for("registered")]) {
          const error = yield* Effect.flip(WeakRef.keepAlive(owner as unknown as WeakKey, {}))
          assert.strictEqual(error.value, owner)
          assert.throws(
            () => WeakRef.keepAliveUnsafe(owner as unknown as WeakKey, {}),
            WeakError.NotWeakReferenceableError
          )
        }
        yield* world.with("a", (a) => WeakRef.keepAlive(a, "text"))
      }))

    onBothHeaps(
      "does not keep an owner alive even if its dependents refer to it",
      (world) =>
        Effect.gen(function*() {
          const ref = yield* world.with("a", WeakRef.make)
          yield* world.with("a", (a) => WeakRef.keepAlive(a, { owner: a }))
          yield* world.with("a", (a) => WeakRef.keepAlive(a, a))
          // The reference holds the record of the owner. The record must not hold the dependents.
          assert.isTrue(WeakRef.isAlive(ref))
          yield* world.die("a")
          assert.isFalse(WeakRef.isAlive(ref))
        })
    )

    it.effect("holds several dependents for as long as the owner lives (real heap)", () =>
      Effect.gen(function*() {
        const owner: { target: object | undefined } = { target: {} }
        const keep = (dependent: object) => {
          WeakRef.keepAliveUnsafe(owner.target!, dependent)
          return new globalThis.WeakRef(dependent)
        }
        const probes = [keep({ n: 1 }), keep({ n: 2 }), keep(() => 3)]
        const ownerRef = WeakRef.makeUnsafe(owner.target!)
        yield* collectThoroughly
        assert.isTrue(probes.every((probe) => probe.deref() !== undefined))
        owner.target = undefined
        assert.isTrue(yield* collectUntil(() => probes.every((probe) => probe.deref() === undefined)))
        assert.isFalse(WeakRef.isAlive(ownerRef))
      }))

    it.effect("holds a dependent of two owners until both are gone (real heap)", () =>
      Effect.gen(function*() {
        const owners: Array<object | undefined> = [{}, {}]
        const make = () => {
          const dependent = {}
          for (const owner of owners) WeakRef.keepAliveUnsafe(owner!, dependent)
          return WeakRef.makeUnsafe(dependent)
        }
        const ref = make()
        owners[0] = undefined
        yield* collectThoroughly
        assert.isTrue(WeakRef.isAlive(ref))
        owners[1] = undefined
        assert.isTrue(yield* collectUntil(() => !WeakRef.isAlive(ref)))
      }))

    it.effect("holds the function of a weak method, which may refer to the receiver (real heap)", () =>
      Effect.gen(function*() {
        const owner: { target: { readonly n: number } | undefined } = { target: { n: 1 } }
        const make = () => {
          const receiver = owner.target!
          const method = () => receiver.n + 1
          WeakRef.keepAliveUnsafe(receiver, method)
          return WeakMethod.makeUnsafe(receiver, method)
        }
        const method = make()
        yield* collectThoroughly
        assert.strictEqual(yield* WeakMethod.invoke(method), 2)
        owner.target = undefined
        assert.isTrue(yield* collectUntil(() => !WeakMethod.isAlive(method)))
      }))

    it.effect("uses an ephemeron of the heap of the context, and stores each pair once", () =>
      Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const sets: Array<unknown> = []
        class Watched<K extends WeakKey, V> extends heap.WeakMap<K, V> {
          override set(key: K, value: V): this {
            if (value instanceof Set) sets.push(value)
            return super.set(key, value)
          }
        }
        const owner = {}
        const dependent = {}
        const twice = Effect.andThen(WeakRef.keepAlive(owner, dependent), WeakRef.keepAlive(dependent)(owner))
        yield* Effect.provideService(twice, Heap.Heap, { ...heap, WeakMap: Watched })
        assert.deepStrictEqual(sets, [new Set([dependent])])
      }).pipe(Effect.provide(TestHeap.layer)))
  })

  describe("count and all", () => {
    it.effect("list the references that have not been collected", () =>
      Effect.gen(function*() {
        const target = {}
        assert.deepStrictEqual(yield* WeakRef.all(target), [])
        const shared = yield* WeakRef.make(target)
        const own = new WeakRef.Class(target, yield* Heap.Heap)
        assert.deepStrictEqual(yield* WeakRef.all(target), [shared, own])
        yield* TestHeap.collect(shared)
        assert.deepStrictEqual(yield* WeakRef.all(target), [own])
        assert.notStrictEqual(yield* WeakRef.make(target), shared)
        assert.strictEqual(yield* WeakRef.count(target), 2)
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("omit a reference that has been collected (real heap)", () =>
      Effect.gen(function*() {
        const target = {}
        const makeThree = () => {
          WeakRef.makeUnsafe(target)
          return new WeakRef.Class(target) === new WeakRef.Class(target)
        }
        assert.isFalse(makeThree())
        let count = yield* WeakRef.count(target)
        assert.strictEqual(count, 3)
        for (let round = 0; round < 50 && count > 0; round++) {
          yield* Heap.collectGarbage
          count = yield* WeakRef.count(target)
        }
        assert.strictEqual(count, 0)
      }))

    it.effect("trap: a million references to one referent leak no memory", () =>
      Effect.gen(function*() {
        const target = {}
        const make = (n: number) => {
          let made: unknown
          for (let i = 0; i < n; i++) made = new WeakRef.Class(target)
          return made === undefined
        }
        assert.isFalse(make(1_000))
        const before = yield* heapInUse
        for (let turn = 0; turn < 100; turn++) {
          make(10_000)
          yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        }
        assert.isBelow((yield* heapInUse) - before, 1_000_000)
      }), 120_000)
  })

  describe("inspection", () => {
    it.effect("prints the referent, or None", () =>
      Effect.gen(function*() {
        const target = { id: 1 }
        const ref = yield* WeakRef.make(target)
        assert.deepStrictEqual(ref.toJSON(), {
          _id: "WeakRef",
          value: { _id: "Option", _tag: "Some", value: { id: 1 } }
        })
        assert.include(ref.toString(), "\"id\":1")
        assert.include(inspect(ref), "id: 1")
        yield* TestHeap.collect(target)
        assert.deepStrictEqual(ref.toJSON(), { _id: "WeakRef", value: { _id: "Option", _tag: "None" } })
        assert.include(inspect(ref), "None")
      }).pipe(Effect.provide(TestHeap.layer)))

    it("isWeakRef recognizes references", () => {
      for (const value of [undefined, null, 1, {}, new globalThis.WeakRef({})]) assert.isFalse(WeakRef.isWeakRef(value))
      assert.isTrue(WeakRef.isWeakRef(WeakRef.makeUnsafe({})))
    })

    it("isWeakRef returns false for references of another copy of the library", async () => {
      const target = {}
      vi.resetModules()
      const other = await import("../src/index.ts")
      const refs = [WeakRef.makeUnsafe(target), new WeakRef.KeyedRef(1, target)]
      const refsOfOther = [other.WeakRef.makeUnsafe(target), new other.WeakRef.KeyedRef(1, target)]
      assert.deepStrictEqual([...refs, ...refsOfOther].map(WeakRef.isWeakRef), [true, true, false, false])
      assert.deepStrictEqual([...refs, ...refsOfOther].map(other.WeakRef.isWeakRef), [false, false, true, true])
      assert.isFalse(Equal.equals(refs[0], refsOfOther[0]))
    })

    it("a subclass can use any field name", () => {
      class Own extends WeakRef.Class<object> {
        readonly record = "mine"
        readonly self = "mine"
      }
      const target = {}
      assert.isTrue(WeakRef.equals(new Own(target), WeakRef.makeUnsafe(target)))
    })
  })
})

testDual("WeakRef")
