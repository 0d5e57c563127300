import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Equal, Exit, Fiber, Scope } from "effect"
import { Finalizer, type Heap, WeakMethod, WeakProxy, WeakRef } from "../src/index.ts"
import { LeakDetector, TestHeap } from "../src/testing/index.ts"
import { hasNode, isBun, skip } from "./support/host.ts"
import { collectThoroughly, collectUntil, growthPerRun } from "./support/realHeap.ts"
import { type Named, onBothHeaps } from "./support/worlds.ts"

class Owner {
  readonly seen: Array<unknown> = []
  readonly listener = (ref: unknown) => Effect.sync(() => this.seen.push(ref))
  method() {}
}

const record = (owner: Owner, ref: unknown) => Effect.sync(() => owner.seen.push(ref))

describe("WeakRef.onCollect", () => {
  describe("cancel", () => {
    onBothHeaps("prevents the callback, before the collection and in the Scope", (world) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const ref = yield* world.with("a", WeakRef.make)
        let calls = 0
        const count = Effect.sync(() => calls++)
        const one = yield* Scope.provide(WeakRef.onCollect(ref, () => count), scope)
        const other = yield* Scope.provide(WeakRef.onCollect(ref, () => count), scope)
        assert.isTrue(yield* WeakRef.cancel(one))
        assert.isTrue(yield* WeakRef.cancel(one))
        yield* world.die("a")
        assert.strictEqual(calls, 1)
        assert.isFalse(yield* WeakRef.cancel(other))
        assert.strictEqual(scope.state._tag, "Empty")
      }))

    it.effect("prevents the callback between the collection and its run", () =>
      Effect.gen(function*() {
        const target = {}
        const ref = yield* WeakRef.make(target)
        const callback = yield* WeakRef.onCollect(ref, () => Effect.die("called"))
        yield* TestHeap.collect(target)
        assert.isTrue(yield* WeakRef.cancel(callback))
        yield* TestHeap.finalize
        assert.deepStrictEqual(JSON.parse(JSON.stringify(callback)), { _id: "Callback", status: "ended" })
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("is true after the Scope has closed, and false while the callback runs", () =>
      Effect.gen(function*() {
        const [a, b] = [{}, {}]
        const scope = yield* Scope.make()
        const ended = yield* Scope.provide(WeakRef.onCollect(yield* WeakRef.make(a), () => Effect.void), scope)
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(yield* WeakRef.cancel(ended))
        assert.isTrue(
          yield* WeakRef.cancel(
            yield* Scope.provide(WeakRef.onCollect(yield* WeakRef.make(a), () => Effect.void), scope)
          )
        )
        const running = yield* WeakRef.onCollect(yield* WeakRef.make(b), () => Effect.never)
        yield* TestHeap.collect(b)
        const finalizing = yield* Effect.forkChild(TestHeap.finalize, { startImmediately: true })
        assert.isFalse(yield* WeakRef.cancel(running))
        yield* Fiber.interrupt(finalizing)
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("cancels callbacks of methods and proxies", () =>
      Effect.gen(function*() {
        const target = new Owner()
        const method = yield* WeakMethod.make(target, "method")
        const proxy = yield* WeakProxy.make(target)
        const callbacks = [
          yield* WeakMethod.onCollect(method, () => Effect.die("called")),
          yield* WeakProxy.onCollect(proxy, () => Effect.die("called"))
        ]
        assert.isTrue(callbacks.every(WeakRef.isCallback))
        for (const callback of callbacks) assert.isTrue(yield* WeakRef.cancel(callback))
        yield* TestHeap.collectAndFinalize(target, target.method)
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("releases the callback, even if the program keeps the handle", () =>
      Effect.gen(function*() {
        const target = {}
        const ref = WeakRef.makeUnsafe(target)
        const register = () => {
          const captured = { big: true }
          return [WeakRef.onCollect(ref, () => Effect.succeed(captured)), new globalThis.WeakRef(captured)] as const
        }
        const cancelled = yield* Effect.suspend(() => {
          const [effect, probe] = register()
          return Effect.map(effect, (callback) => ({ callback, probe }))
        })
        yield* WeakRef.cancel(cancelled.callback)
        assert.isTrue(yield* collectUntil(() => cancelled.probe.deref() === undefined))
        assert.isTrue(WeakRef.isCallback(cancelled.callback) && WeakRef.refersTo(ref, target))
      }).pipe(Effect.scoped))

    it.effect("trap: registering and cancelling in one Scope does not grow", () =>
      Effect.gen(function*() {
        const target = {}
        const owner = new Owner()
        const ref = WeakRef.makeUnsafe(target)
        const cycle = Effect.gen(function*() {
          yield* WeakRef.cancel(yield* WeakRef.onCollect(ref, () => Effect.void))
          yield* WeakRef.cancel(yield* WeakRef.onCollect(ref, record, { owner }))
        })
        const cycles = Effect.repeat(cycle, { times: 9_999 })
        // Eight bytes for each cycle. A callback that stays takes at least fifty.
        const limit = 10_000 * 8
        assert.isBelow(yield* growthPerRun(cycles, limit), limit)
        assert.isTrue(WeakRef.refersTo(ref, target) && owner.seen.length === 0)
      }).pipe(Effect.scoped))
  })

  describe("with an owner", () => {
    onBothHeaps("passes the owner and the reference", (world) =>
      Effect.gen(function*() {
        const owner = new Owner()
        const ref = yield* world.with("a", WeakRef.make)
        yield* WeakRef.onCollect(ref, record, { owner })
        yield* ref.pipe(WeakRef.onCollect(record, { owner }))
        yield* world.die("a")
        assert.isTrue(owner.seen.length === 2 && owner.seen.every((seen) => seen === ref))
      }))

    it.effect("passes the method or the proxy", () =>
      Effect.gen(function*() {
        const target = { run() {} }
        const owner = new Owner()
        const method = yield* WeakMethod.make(target, "run")
        const proxy = yield* WeakProxy.make(target)
        yield* WeakMethod.onCollect(method, record, { owner })
        yield* WeakProxy.onCollect(record, { owner })(proxy)
        yield* TestHeap.collectAndFinalize(target)
        assert.isTrue(owner.seen[0] === proxy && owner.seen[1] === method)
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    class Service extends Context.Service<Service, Owner>()("Service") {}

    it.effect("does not keep the owner alive, even if the callback or its services refer to the owner", () =>
      Effect.gen(function*() {
        const target = {}
        const ref = WeakRef.makeUnsafe(target)
        const scope = yield* Scope.make()
        const register = () => {
          const owner = new Owner()
          const effects = [
            WeakRef.onCollect(ref, record, { owner }),
            WeakRef.onCollect(ref, () => owner.listener(ref), { owner }),
            Effect.provideService(WeakRef.onCollect(ref, () => Service, { owner }), Service, owner)
          ]
          return [Effect.all(effects), new globalThis.WeakRef(owner)] as const
        }
        const probes = yield* Effect.forEach(Array.from({ length: 20 }), () =>
          Effect.suspend(() => {
            const [effect, probe] = register()
            return Effect.as(Scope.provide(effect, scope), probe)
          }))
        assert.isTrue(yield* collectUntil(() => probes.every((probe) => probe.deref() === undefined)))
        // The registrations have ended with their owners.
        assert.isTrue(yield* collectUntil(() => scope.state._tag === "Empty"))
        assert.isTrue(WeakRef.refersTo(ref, target))
      }))

    it.effect("ends with the owner, and leaves nothing in the Scope", () =>
      Effect.gen(function*() {
        const [target, owner] = [{}, new Owner()]
        const scope = yield* Scope.make()
        const ref = yield* WeakRef.make(target)
        const callback = yield* Scope.provide(WeakRef.onCollect(ref, record, { owner }), scope)
        yield* TestHeap.collectAndFinalize(owner)
        assert.strictEqual(scope.state._tag, "Empty")
        yield* TestHeap.collectAndFinalize(target)
        assert.isTrue(yield* WeakRef.cancel(callback))
        assert.lengthOf(owner.seen, 0)
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("never runs if the owner is collected at the same time, in either order of the clean-ups", () =>
      Effect.gen(function*() {
        for (const first of ["target", "owner"]) {
          const [target, owner] = [{}, new Owner()]
          const scope = yield* Scope.make()
          const ref = yield* WeakRef.make(target)
          yield* Scope.provide(WeakRef.onCollect(ref, record, { owner }), scope)
          yield* first === "target" ? TestHeap.collect(target, owner) : TestHeap.collect(owner, target)
          yield* TestHeap.finalize
          assert.lengthOf(owner.seen, 0)
          assert.strictEqual(scope.state._tag, "Empty")
        }
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("dies if the owner cannot be weakly referenced, and registers nothing", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const ref = yield* WeakRef.make({})
        for (const owner of ["text", "", 0, null, false] as Array<any>) {
          const exit = yield* Effect.exit(Scope.provide(WeakRef.onCollect(ref, record, { owner }), scope))
          assert.isTrue(Exit.isFailure(exit) && Exit.hasDies(exit))
          assert.include(Exit.isFailure(exit) && Cause.pretty(exit.cause), "cannot be weakly referenced here")
          assert.strictEqual(scope.state._tag, "Empty")
        }
      }).pipe(Effect.provide(TestHeap.layer)))
  })
})

describe("equality", () => {
  it("compares opaque objects by identity", () => {
    const [one, other] = [new Blob(["one"]), new Blob(["two"])]
    const [ref, that] = [WeakRef.makeUnsafe(one), WeakRef.makeUnsafe(other)]
    assert.isFalse(WeakRef.equals(ref, that))
    assert.isFalse(Equal.equals(ref, that))
    assert.isFalse(WeakMethod.equals(WeakMethod.makeUnsafe(one, "text"), WeakMethod.makeUnsafe(other, "text")))
    assert.isFalse(WeakProxy.equals(WeakProxy.makeUnsafe(one), other))
  })
})

describe("refersTo", () => {
  it.effect("compares by identity, and is false for a dead reference", () =>
    Effect.gen(function*() {
      const [one, same] = [{ id: 1 }, { id: 1 }]
      const ref = yield* WeakRef.make(one)
      assert.isTrue(WeakRef.equals(ref, yield* WeakRef.make(same)))
      assert.deepStrictEqual([one, same, 1, undefined, null].map((value) => WeakRef.refersTo(ref, value)), [
        true,
        false,
        false,
        false,
        false
      ])
      assert.isTrue(WeakRef.refersTo(one)(ref))
      yield* TestHeap.collect(one)
      assert.isFalse(WeakRef.refersTo(ref, one))
    }).pipe(Effect.provide(TestHeap.layer)))

  it("does not dereference, even before the referent has a record", () => {
    const { collect, heap } = TestHeap.makeUnsafe()
    let derefs = 0
    const counting: Heap.Heap = {
      ...heap,
      WeakRef: class<A extends WeakKey> extends heap.WeakRef<A> {
        override deref() {
          derefs++
          return super.deref()
        }
      }
    }
    const [target, other] = [{}, {}]
    const ref = WeakRef.makeUnsafe(target, counting)
    derefs = 0
    assert.deepStrictEqual([target, other, 1].map((value) => WeakRef.refersTo(ref, value)), [true, false, false])
    assert.strictEqual(derefs, 0)
    WeakProxy.makeUnsafe(target, counting)
    derefs = 0
    assert.deepStrictEqual([target, other, 1].map((value) => WeakRef.refersTo(ref, value)), [true, false, false])
    assert.strictEqual(derefs, 0)
    collect(target)
    assert.isFalse(WeakRef.refersTo(ref, target))
  })

  it.effect("does not dereference, so the referent can be collected in the same turn", () =>
    Effect.gen(function*() {
      const fill = () => Array.from({ length: 100 }, () => WeakRef.makeUnsafe({}))
      const refs = fill()
      const probe = {}
      assert.isTrue(
        yield* collectUntil(() => refs.every((ref) => !WeakRef.refersTo(ref, probe)) && !refs.some(WeakRef.isAlive))
      )
    }))

  it.effect("of a method compares the receiver and the function, by key or by itself", () =>
    Effect.gen(function*() {
      class View {
        readonly title = "Inbox"
        method() {}
        listener() {}
      }
      const [one, other] = [new View(), new View()]
      const method = yield* WeakMethod.make(one, "method")
      assert.isTrue(WeakMethod.equals(method, yield* WeakMethod.make(other, "method")))
      assert.isTrue(WeakMethod.refersTo(method, one, "method"))
      assert.isTrue(WeakMethod.refersTo(method, one, one.method))
      assert.isTrue(method.pipe(WeakMethod.refersTo(one, "method")))
      assert.isFalse(WeakMethod.refersTo(method, other, "method"))
      assert.isFalse(WeakMethod.refersTo(method, one, "listener"))
      yield* TestHeap.collect(one)
      assert.isFalse(WeakMethod.refersTo(method, one, "method"))
    }).pipe(Effect.provide(TestHeap.layer)))
})

describe("holdWhile", () => {
  it.effect("keeps a value until the effect has ended, however it ends", () =>
    Effect.gen(function*() {
      for (const end of ["success", "failure", "interruption"] as const) {
        let resume: (effect: Effect.Effect<void, string>) => void = () => {}
        const start = () => {
          const value: Named = { name: end }
          const wait = Effect.callback<void, string>((callback) => {
            resume = callback
          })
          return [Effect.runFork(WeakRef.holdWhile(wait, value)), new globalThis.WeakRef(value)] as const
        }
        const [fiber, probe] = start()
        yield* collectThoroughly
        assert.isDefined(probe.deref())
        if (end === "interruption") yield* Fiber.interrupt(fiber)
        else resume(end === "success" ? Effect.void : Effect.fail("failed"))
        yield* Fiber.await(fiber)
        resume = () => {}
        assert.isTrue(yield* collectUntil(() => probe.deref() === undefined), end)
      }
    }))

  it.effect("returns the result of the effect, in both forms", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* WeakRef.holdWhile(Effect.succeed(1), {}), 1)
      assert.strictEqual(yield* Effect.flip(Effect.fail("error").pipe(WeakRef.holdWhile({}))), "error")
    }))
})

describe("Finalizer", () => {
  interface Port {
    readonly name: string
  }
  const closed: Array<string> = []
  const close = ({ name }: Port) => Effect.sync(() => closed.push(name))

  onBothHeaps("makeWith passes what it holds, and keeps the target by nothing", (world) =>
    Effect.gen(function*() {
      closed.length = 0
      const finalizer = yield* world.with("a", (target) => Finalizer.makeWith(target, { name: "a" }, close))
      yield* world.die("a")
      assert.deepStrictEqual(closed, ["a"])
      assert.isFalse(Finalizer.isAlive(finalizer))
    }))

  it.effect("makeWith calls its function only when the effect starts, and dies if the function throws", () =>
    Effect.gen(function*() {
      const finalizer = yield* Finalizer.makeWith({}, 1, (): Effect.Effect<void> => {
        throw new Error("thrown")
      })
      const exit = yield* Effect.exit(Finalizer.run(finalizer))
      assert.isTrue(Exit.isFailure(exit) && Exit.hasDies(exit))
      const target = {}
      const own = yield* Effect.exit(Finalizer.makeWith(target, target, () => Effect.void))
      assert.isTrue(Exit.isFailure(own) && Exit.hasDies(own))
    }).pipe(Effect.scoped))

  it.effect(
    "trap: an effect inside the generator that sees the target keeps the target, and the detector shows why",
    () =>
      Effect.gen(function*() {
        if (!hasNode) return skip("reads the heap of Node")
        const scope = yield* Scope.make()
        const leaking = (card: object) =>
          Effect.gen(function*() {
            const port = { name: "port" }
            // The effect names only the port, but what it captures keeps the generator, which keeps the card.
            yield* Finalizer.make(card, Effect.sync(() => closed.push(port.name)))
            return card
          })
        const correct = (card: object) => Effect.as(Finalizer.makeWith(card, { name: "port" }, close), card)
        const start = (f: (card: object) => Effect.Effect<object, unknown, Scope.Scope>) =>
          LeakDetector.expectCollected(Effect.suspend(() => Scope.provide(f({ title: "Weather" }), scope)), {
            rounds: 5
          })
        yield* start(correct)
        const error = yield* Effect.flip(start(leaking))
        assert.instanceOf(error, LeakDetector.LeakError)
        // Bun has no path of retainers.
        if (!isBun) assert.match(error.message, /card/)
        yield* Scope.close(scope, Exit.void)
        // A heap snapshot takes long on a busy machine.
      }),
    120_000
  )

  it.effect("makeUnsafe runs after a collection, with or without a Scope", () =>
    Effect.gen(function*() {
      const { heap } = yield* TestHeap.TestHeap
      const scope = yield* Scope.make()
      closed.length = 0
      const [a, b, c, d] = [{}, {}, {}, {}]
      const without = Finalizer.makeUnsafe(a, close({ name: "a" }), { heap })
      const within = Finalizer.makeUnsafe(b, close({ name: "b" }), { heap, scope })
      assert.deepStrictEqual([without, within].map(Finalizer.atExit), [false, true])
      Finalizer.makeUnsafe(c, close({ name: "c" }), { heap, scope })
      Finalizer.makeUnsafe(d, close({ name: "d" }), { heap, scope, atExit: false })
      yield* TestHeap.collectAndFinalize(a, b)
      assert.sameMembers(closed, ["a", "b"])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(closed.slice(2), ["c"])
      Finalizer.makeUnsafe(a, close({ name: "late" }), { heap, scope })
      assert.isFalse(
        Finalizer.isAlive(Finalizer.makeUnsafe(a, close({ name: "never" }), { heap, scope, atExit: false }))
      )
      assert.deepStrictEqual(closed.slice(2), ["c", "late"])
      const wrong: any = "text"
      assert.throws(() => Finalizer.makeUnsafe(wrong, Effect.void, { scope }))
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("cancel works before and after a collection, and only once", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const [a, b, c] = [{}, {}, {}]
      const make = (target: object) => Scope.provide(Finalizer.make(target, Effect.die("run")), scope)
      const finalizers = [yield* make(a), yield* make(b)]
      yield* TestHeap.collect(b)
      for (const finalizer of finalizers) {
        assert.isTrue(yield* Finalizer.cancel(finalizer))
        assert.isFalse(yield* Finalizer.cancel(finalizer))
      }
      yield* TestHeap.collectAndFinalize(a)
      assert.strictEqual(scope.state._tag, "Empty")
      const ran = yield* Scope.provide(Finalizer.make(c, Effect.void), scope)
      yield* Finalizer.run(ran)
      assert.isFalse(yield* Finalizer.cancel(ran))
    }).pipe(Effect.provide(TestHeap.layer)))
})
