import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Equal, Exit, Fiber, Hash, pipe, Ref } from "effect"
import { EventEmitter, getEventListeners } from "node:events"
import { inspect } from "node:util"
import { vi } from "vitest"
import { WeakError, WeakListeners } from "../src/index.ts"
import { nextTurn } from "../src/internal/host.ts"
import { TestHeap } from "../src/testing/index.ts"
import { countingHeap } from "./support/countingHeap.ts"
import { testDual } from "./support/dual.ts"
import { reportsOf } from "./support/reports.ts"
import { onBothHeaps } from "./support/worlds.ts"

class View {
  readonly name: string
  readonly seen: Array<unknown> = []
  constructor(name = "view") {
    this.name = name
  }
  update(event: unknown): number {
    return this.seen.push(event)
  }
}

const see = (view: View, event: unknown): void => void view.seen.push(event)

const hub = () => {
  const { collect, finalize, heap } = TestHeap.makeUnsafe()
  return { collect, finalize, heap, listeners: WeakListeners.makeUnsafe<unknown>(heap) }
}

const notReceivers = [undefined, null, 0, "text", true, 1n, Symbol.for("registered")] as unknown as ReadonlyArray<
  WeakKey
>

describe("WeakListeners", () => {
  describe("add", () => {
    it.effect("accepts objects, functions and symbols as receivers", () =>
      Effect.gen(function*() {
        const listeners = yield* WeakListeners.make<string>()
        const got: Array<unknown> = []
        const receivers = [new View(), () => {}, Symbol("mine")]
        for (const receiver of receivers) {
          yield* WeakListeners.add(listeners, receiver, (self, event) => void got.push(self, event))
        }
        yield* WeakListeners.publish(listeners, "event")
        assert.deepStrictEqual(got, receivers.flatMap((receiver) => [receiver, "event"]))
      }))

    it.effect("fails for a value that cannot be weakly referenced, and adds nothing", () =>
      Effect.gen(function*() {
        const listeners = yield* WeakListeners.make<unknown>()
        for (const value of notReceivers) {
          for (
            const adding of [
              WeakListeners.add(listeners, value, () => {}),
              WeakListeners.addMethod(listeners, value as unknown as Set<unknown>, "add")
            ]
          ) {
            const error = yield* Effect.flip(adding)
            assert.instanceOf(error, WeakError.NotWeakReferenceableError)
            assert.strictEqual(error.value, value)
          }
          assert.throws(
            () => WeakListeners.addUnsafe(listeners, value, () => {}),
            WeakError.NotWeakReferenceableError
          )
          assert.throws(
            () => WeakListeners.addMethodUnsafe(listeners, value as unknown as Set<unknown>, "add"),
            WeakError.NotWeakReferenceableError
          )
          assert.isFalse(WeakListeners.remove(listeners, value))
        }
        assert.strictEqual(WeakListeners.size(listeners), 0)
      }))

    it.effect("dies with a TypeError if the listener is not a function", () =>
      Effect.gen(function*() {
        const listeners = yield* WeakListeners.make<unknown>()
        const view = new View()
        const f = "update" as unknown as () => void
        const exit = yield* Effect.exit(WeakListeners.add(listeners, view, f))
        assert.isTrue(Exit.hasDies(exit))
        assert.throws(
          () => WeakListeners.addUnsafe(listeners, view, f),
          TypeError,
          `A listener must be a function, but it is "update"`
        )
        assert.strictEqual(WeakListeners.size(listeners), 0)
      }))

    it.effect("adds several functions of one receiver, and each of them once", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const [a, b] = [new View("a"), new View("b")]
        const log: Array<string> = []
        const f = (view: View) => void log.push(`f ${view.name}`)
        const g = (view: View) => void log.push(`g ${view.name}`)
        const first = yield* WeakListeners.add(listeners, a, f)
        yield* WeakListeners.add(listeners, b, f)
        yield* WeakListeners.add(listeners, a, g)
        assert.strictEqual(yield* WeakListeners.add(listeners, a, f), first)
        assert.strictEqual(WeakListeners.addUnsafe(listeners, a, f), first)
        assert.strictEqual(WeakListeners.size(listeners), 3)
        yield* WeakListeners.publish(listeners, 1)
        assert.deepStrictEqual(log, ["f a", "f b", "g a"])
      }))

    it.effect("tells receivers apart by identity", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const [a, b] = [{ n: 1 }, { n: 1 }]
        const f = () => {}
        yield* WeakListeners.add(listeners, a, f)
        yield* WeakListeners.add(listeners, b, f)
        assert.strictEqual(WeakListeners.size(listeners), 2)
        assert.isFalse(WeakListeners.remove(listeners, { n: 1 }))
        assert.isTrue(WeakListeners.remove(listeners, b))
        assert.strictEqual(WeakListeners.size(listeners), 1)
      }))

    it.effect("runs a returned effect with the services of add", () =>
      Effect.gen(function*() {
        class Name extends Context.Service<Name, string>()("Name") {}
        const Level = Context.Reference<string>("Level", { defaultValue: () => "none" })
        const { listeners } = hub()
        const view = new View()
        const record = (self: View) =>
          Effect.gen(function*() {
            self.seen.push(`${yield* Name} ${yield* Level}`)
          })
        yield* WeakListeners.add(listeners, view, record).pipe(Effect.provideService(Name, "added"))
        yield* WeakListeners.publish(listeners, 1).pipe(
          Effect.provideService(Name, "published"),
          Effect.provideService(Level, "publisher")
        )
        // The publisher's services are only seen if `add` had none of that kind.
        assert.deepStrictEqual(view.seen, ["added publisher"])
      }))

    it.effect("waits in a program that was added by runSync", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const view = new View()
        Effect.runSync(
          WeakListeners.add(listeners, view, (self, event) =>
            Effect.andThen(
              Effect.yieldNow,
              Effect.sync(() => see(self, event))
            ))
        )
        yield* WeakListeners.publish(listeners, 1)
        assert.deepStrictEqual(view.seen, [1])
      }))
  })

  describe("addMethod", () => {
    it.effect("calls the method with the receiver as this", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const view = new View()
        const listener = yield* WeakListeners.addMethod(listeners, view, "update")
        assert.strictEqual(yield* WeakListeners.addMethod(listeners, view, "update"), listener)
        assert.strictEqual(WeakListeners.addMethodUnsafe(listeners, view, "update"), listener)
        yield* WeakListeners.publish(listeners, 1)
        assert.deepStrictEqual(view.seen, [1])
      }))

    it.effect("tells a method from the same function with the receiver as argument", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const calls: Array<ReadonlyArray<unknown>> = []
        const receiver = {
          f(...args: ReadonlyArray<unknown>): void {
            calls.push(args)
          }
        }
        yield* WeakListeners.addMethod(listeners, receiver, "f")
        yield* WeakListeners.add(listeners, receiver, receiver.f)
        yield* WeakListeners.publish(listeners, 1)
        assert.deepStrictEqual(calls, [[1], [receiver, 1]])
      }))

    it.effect("reads the key once, when the effect runs", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const log: Array<string> = []
        const receiver = { f: () => void log.push("first") }
        const adding = WeakListeners.addMethod(listeners, receiver, "f")
        receiver.f = () => void log.push("second")
        yield* adding
        receiver.f = () => void log.push("third")
        yield* WeakListeners.publish(listeners, 1)
        assert.deepStrictEqual(log, ["second"])
      }))

    it.effect("fails if the property is not a function", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const receiver = new View("Ada")
        // @ts-expect-error: rejected at compile time already
        const error = yield* Effect.flip(WeakListeners.addMethod(listeners, receiver, "name"))
        assert.deepInclude(error, { value: "Ada", property: "name" })
        assert.strictEqual(WeakListeners.size(listeners), 0)
      }))
  })

  describe("remove and stop", () => {
    it.effect("remove takes out all listeners of a receiver, stop takes out one", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const [a, b] = [new View("a"), new View("b")]
        const log: Array<string> = []
        const fs = ["1", "2", "3"].map((n) => (view: View) => void log.push(view.name + n))
        const handles = fs.map((f) => WeakListeners.addUnsafe(listeners, a, f))
        fs.forEach((f) => WeakListeners.addUnsafe(listeners, b, f))
        assert.isTrue(WeakListeners.stop(handles[0]!))
        assert.isFalse(WeakListeners.stop(handles[0]!))
        yield* WeakListeners.publish(listeners, 0)
        assert.deepStrictEqual(log.splice(0), ["a2", "a3", "b1", "b2", "b3"])
        assert.isTrue(WeakListeners.remove(listeners, b))
        assert.isFalse(WeakListeners.remove(listeners, b))
        yield* WeakListeners.publish(listeners, 0)
        assert.deepStrictEqual(log.splice(0), ["a2", "a3"])
        assert.isTrue(WeakListeners.stop(handles[2]!))
        assert.isTrue(WeakListeners.stop(handles[1]!))
        assert.isFalse(WeakListeners.remove(listeners, a))
        assert.strictEqual(WeakListeners.size(listeners), 0)
        WeakListeners.addUnsafe(listeners, a, fs[0]!)
        yield* WeakListeners.publish(listeners, 0)
        assert.deepStrictEqual(log, ["a1"])
        assert.isFalse(handles.some(WeakListeners.stop))
      }))

    it("stop tolerates a receiver that has been collected", () => {
      const { collect, finalize, listeners } = hub()
      const view = new View()
      const handles = [see, () => {}].map((f) => WeakListeners.addUnsafe(listeners, view, f))
      collect(view)
      assert.deepStrictEqual(handles.map(WeakListeners.stop), [true, true])
      assert.strictEqual(WeakListeners.size(listeners), 0)
      finalize()
      assert.deepStrictEqual(handles.map(WeakListeners.stop), [false, false])
    })
  })

  describe("publish", () => {
    onBothHeaps("reaches every live receiver, and the hub forgets the others", (world) =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const listeners = yield* WeakListeners.make<string>()
        for (const name of ["a", "b", "c"]) {
          yield* world.with(name, (receiver) =>
            WeakListeners.add(listeners, receiver, (self, event) => void log.push(`${self.name} ${event}`)))
        }
        yield* WeakListeners.publish(listeners, "1")
        yield* world.die("b")
        yield* WeakListeners.publish(listeners, "2")
        assert.deepStrictEqual(log, ["a 1", "b 1", "c 1", "a 2", "c 2"])
        assert.strictEqual(WeakListeners.size(listeners), 2)
      }))

    onBothHeaps(
      "keeps neither receivers nor functions that capture them, nor services that hold them",
      (world) =>
        Effect.gen(function*() {
          class Holder extends Context.Service<Holder, { readonly held: object }>()("Holder") {}
          const listeners = yield* WeakListeners.make<string>()
          const log: Array<string> = []
          yield* world.with("a", (a) =>
            // The function and the service both hold the receiver.
            WeakListeners.add(
              listeners,
              a,
              () => Effect.map(Holder, ({ held }) => void log.push(a.name + String(held === a)))
            ).pipe(
              Effect.provideService(Holder, { held: a })
            ))
          yield* WeakListeners.publish(listeners, "1")
          yield* world.die("a")
          yield* WeakListeners.publish(listeners, "2")
          assert.deepStrictEqual(log, ["atrue"])
          assert.strictEqual(WeakListeners.size(listeners), 0)
        })
    )

    it.effect("skips a receiver that is collected during publish", () =>
      Effect.gen(function*() {
        const { collect, listeners } = hub()
        const log: Array<string> = []
        const [a, b, c] = [new View("a"), new View("b"), new View("c")]
        WeakListeners.addUnsafe(listeners, a, () => {
          log.push("a")
          collect(b)
        })
        WeakListeners.addUnsafe(listeners, b, () => void log.push("b"))
        WeakListeners.addUnsafe(listeners, c, () => void log.push("c"))
        yield* WeakListeners.publish(listeners, 1)
        assert.deepStrictEqual(log, ["a", "c"])
      }))

    it.effect("does not call a listener that is removed before its turn, and no listener that is added", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const log: Array<string> = []
        const [a, b, c] = [new View("a"), new View("b"), new View("c")]
        const logged = (view: View) => void log.push(view.name)
        WeakListeners.addUnsafe(listeners, a, (self) => {
          log.push(self.name)
          WeakListeners.remove(listeners, self)
          WeakListeners.remove(listeners, b)
          WeakListeners.stop(ofC)
          WeakListeners.addUnsafe(listeners, b, logged)
          WeakListeners.addUnsafe(listeners, new View("new"), logged)
        })
        WeakListeners.addUnsafe(listeners, b, logged)
        const ofC = WeakListeners.addUnsafe(listeners, c, logged)
        WeakListeners.addUnsafe(listeners, c, (view) => void log.push(`${view.name}2`))
        yield* WeakListeners.publish(listeners, 1)
        assert.deepStrictEqual(log.splice(0), ["a", "c2"])
        yield* WeakListeners.publish(listeners, 2)
        assert.deepStrictEqual(log, ["c2", "b", "new"])
      }))

    it.effect("a nested publish reaches all listeners before the outer one goes on", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const log: Array<string> = []
        const [a, b] = [new View("a"), new View("b")]
        WeakListeners.addUnsafe(listeners, a, (_, event) => {
          log.push(`a ${event}`)
          return event === 1 ? WeakListeners.publish(listeners, 2) : undefined
        })
        WeakListeners.addUnsafe(listeners, b, (_, event) => void log.push(`b ${event}`))
        yield* WeakListeners.publish(listeners, 1)
        assert.deepStrictEqual(log, ["a 1", "a 2", "b 2", "b 1"])
      }))

    it.effect("waits for each effect before it calls the next listener", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const log: Array<string> = []
        const gate = yield* Deferred.make<void>()
        const [a, b] = [new View("a"), new View("b")]
        WeakListeners.addUnsafe(listeners, a, () =>
          Deferred.await(gate).pipe(Effect.andThen(Effect.sync(() =>
            void log.push("a")
          ))))
        WeakListeners.addUnsafe(listeners, b, () => void log.push("b"))
        const fiber = yield* Effect.forkChild(WeakListeners.publish(listeners, 1), { startImmediately: true })
        yield* Effect.yieldNow
        assert.deepStrictEqual(log, [])
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(log, ["a", "b"])
      }))

    it.effect("reports every failure, and stops nobody", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const view = new View()
        WeakListeners.addUnsafe(listeners, view, () => {
          throw new Error("thrown")
        })
        WeakListeners.addUnsafe(listeners, view, () => Effect.fail(new Error("failed")))
        WeakListeners.addUnsafe(listeners, view, () => Effect.die(new Error("died")))
        WeakListeners.addUnsafe(listeners, view, () => Effect.interrupt)
        WeakListeners.addUnsafe(listeners, view, see)
        const reports = yield* reportsOf(WeakListeners.publish(listeners, 1))
        assert.deepStrictEqual(reports.slice(0, 3), ["Error: thrown", "Error: failed", "Error: died"])
        assert.deepStrictEqual(view.seen, [1])
      }))

    it.effect("an interruption stops the running effect and the rest", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const [a, b] = [new View("a"), new View("b")]
        const interrupted = yield* Ref.make(false)
        WeakListeners.addUnsafe(listeners, a, () => Effect.onInterrupt(Effect.never, () => Ref.set(interrupted, true)))
        WeakListeners.addUnsafe(listeners, b, see)
        const fiber = yield* Effect.forkChild(WeakListeners.publish(listeners, 1), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        assert.isTrue(yield* Ref.get(interrupted))
        assert.deepStrictEqual(b.seen, [])
      }))

    it.effect("publishes afresh each time the effect runs", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const [a, b] = [new View(), new View()]
        const publishing = WeakListeners.publish(listeners, 1)
        WeakListeners.addUnsafe(listeners, a, see)
        yield* publishing
        WeakListeners.addUnsafe(listeners, b, see)
        yield* publishing
        assert.deepStrictEqual([a.seen, b.seen], [[1, 1], [1]])
      }))

    it.effect("yields to other fibers", () =>
      Effect.gen(function*() {
        const { listeners } = hub()
        const views = Array.from({ length: 10_000 }, () => new View())
        let calls = 0
        views.forEach((view) => WeakListeners.addUnsafe(listeners, view, () => void calls++))
        const fiber = yield* Effect.forkChild(WeakListeners.publish(listeners, 1), { startImmediately: true })
        assert.isBelow(calls, views.length)
        yield* Fiber.join(fiber)
        assert.strictEqual(calls, views.length)
      }))
  })

  describe("listen", () => {
    const targets = {
      EventTarget: () => {
        const target = new EventTarget()
        return {
          target,
          emit: () => void target.dispatchEvent(new Event("data")),
          count: () => getEventListeners(target, "data").length
        }
      },
      EventEmitter: () => {
        const target = new EventEmitter().setMaxListeners(0)
        return { target, emit: () => void target.emit("data"), count: () => target.listenerCount("data") }
      }
    }

    describe.each(["EventTarget", "EventEmitter"] as const)("to an %s", (kind) => {
      onBothHeaps("leaves the target after the receiver has been collected", (world) =>
        Effect.gen(function*() {
          const { count, emit, target } = targets[kind]()
          const log: Array<string> = []
          for (const name of ["a", "b"]) {
            yield* world.with(name, (receiver) =>
              WeakListeners.listen(target, "data", receiver, (self) => void log.push(self.name)))
          }
          assert.strictEqual(count(), 2)
          emit()
          yield* world.die("a")
          assert.strictEqual(count(), 1)
          emit()
          assert.deepStrictEqual(log, ["a", "b", "b"])
        }))

      onBothHeaps(
        "keeps neither a function that captures its receiver nor services that hold it",
        (world) =>
          Effect.gen(function*() {
            class Holder extends Context.Service<Holder, { readonly held: object }>()("Holder") {}
            const { count, emit, target } = targets[kind]()
            let calls = 0
            yield* world.with("a", (a) =>
              WeakListeners.listen(target, "data", a, () =>
                Effect.map(Holder, ({ held }) =>
                  void (calls += +(held === a))))
                .pipe(Effect.provideService(Holder, { held: a })))
            emit()
            yield* world.die("a")
            assert.deepStrictEqual([calls, count()], [1, 0])
          })
      )

      it.effect("leaves the target at the next event, if that comes before the clean-up", () =>
        Effect.gen(function*() {
          const { count, emit, target } = targets[kind]()
          const view = new View()
          yield* WeakListeners.listen(target, "data", view, see)
          yield* TestHeap.collect(view)
          assert.strictEqual(count(), 1)
          emit()
          assert.deepStrictEqual([count(), view.seen], [0, []])
          yield* TestHeap.finalize
        }).pipe(Effect.provide(TestHeap.layer)))

      it.effect("stops by hand, and then leaves nothing in the registry", () =>
        Effect.gen(function*() {
          const { count, emit, target } = targets[kind]()
          const view = new View()
          const listener = yield* WeakListeners.listen(target, "data", view, see)
          emit()
          assert.isTrue(WeakListeners.stop(listener))
          assert.isFalse(WeakListeners.stop(listener))
          emit()
          assert.deepStrictEqual([count(), view.seen.length], [0, 1])
          yield* TestHeap.collect(view)
          assert.strictEqual(yield* TestHeap.pending, 0)
        }).pipe(Effect.provide(TestHeap.layer)))

      it("leaves nothing in the registry if all listeners of a receiver stop, in any order", () => {
        for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2]]) {
          const { collect, heap, pending } = TestHeap.makeUnsafe()
          const { count, emit, target } = targets[kind]()
          const view = new View()
          const listeners = order.map(() => WeakListeners.listenUnsafe(target, "data", view, see, { heap }))
          order.forEach((index, stopped) => {
            emit()
            assert.deepStrictEqual([count(), view.seen.splice(0).length], [3 - stopped, 3 - stopped])
            assert.isTrue(WeakListeners.stop(listeners[index]!))
            assert.isFalse(WeakListeners.stop(listeners[index]!))
          })
          emit()
          assert.deepStrictEqual([count(), view.seen.length], [0, 0])
          collect(view)
          assert.strictEqual(pending(), 0)
        }
      })

      it("does not call a listener that another listener stops during the event", () => {
        const { emit, target } = targets[kind]()
        const [a, b] = [new View(), new View()]
        WeakListeners.listenUnsafe(target, "data", a, () => {
          WeakListeners.stop(ofB)
        })
        const ofB = WeakListeners.listenUnsafe(target, "data", b, see)
        emit()
        assert.deepStrictEqual(b.seen, [])
      })

      it("adds one listener per call", () => {
        const { count, emit, target } = targets[kind]()
        const view = new View()
        WeakListeners.listenUnsafe(target, "data", view, see)
        WeakListeners.listenUnsafe(target, "data", view, see)
        emit()
        assert.deepStrictEqual([count(), view.seen.length], [2, 2])
      })
    })

    it("passes all arguments of an emitter, and throws what the function throws", () => {
      const emitter = new EventEmitter()
      const type = Symbol("type")
      const view = new View()
      WeakListeners.listenUnsafe(emitter, type, view, (self, ...args: ReadonlyArray<unknown>) => {
        self.seen.push(...args)
        if (args.length === 0) throw new Error("thrown")
      })
      emitter.emit(type, 1, 2, 3)
      assert.deepStrictEqual(view.seen, [1, 2, 3])
      assert.throws(() => emitter.emit(type), "thrown")
    })

    it("returns to the target what the function returns, except for an effect", () => {
      const listeners: Array<() => unknown> = []
      const target = { on: (_: string, listener: () => unknown) => void listeners.push(listener), off: () => {} }
      const view = new View()
      // An untyped program can return anything.
      const results = [5, Effect.void] as ReadonlyArray<unknown> as ReadonlyArray<Effect.Effect<void>>
      for (const result of results) WeakListeners.listenUnsafe(target, "data", view, () => result)
      assert.deepStrictEqual(listeners.map((listener) => listener()), [5, undefined])
    })

    it.effect("runs a returned effect in the background, and reports its failure", () =>
      Effect.gen(function*() {
        class Name extends Context.Service<Name, string>()("Name") {}
        const emitter = new EventEmitter()
        const view = new View()
        const reports = yield* reportsOf(Effect.gen(function*() {
          yield* WeakListeners.listen(emitter, "data", view, (self) =>
            Effect.flatMap(Name, (name) =>
              Effect.fail(new Error(`${name} ${self.name}`)))).pipe(
              Effect.provideService(Name, "my")
            )
          emitter.emit("data")
        }))
        assert.deepStrictEqual(reports, ["Error: my view"])
      }))

    it("passes capture and passive on, and removes with them", () => {
      const calls: Array<ReadonlyArray<unknown>> = []
      const target = {
        addEventListener: (...args: ReadonlyArray<unknown>) => void calls.push(["add", ...args]),
        removeEventListener: (...args: ReadonlyArray<unknown>) => void calls.push(["remove", ...args])
      }
      const options = { capture: true, passive: false, once: true }
      WeakListeners.stop(WeakListeners.listenUnsafe(target, "data", new View(), see, options))
      const [added, removed] = calls
      assert.deepStrictEqual(added!.slice(3), [{ capture: true, passive: false }])
      assert.deepStrictEqual(removed!.slice(1), added!.slice(1))
    })

    it("uses on and off, or on and removeListener, without options", () => {
      const calls: Array<ReadonlyArray<unknown>> = []
      const method = (name: string) => (...args: ReadonlyArray<unknown>) => void calls.push([name, args.length])
      for (
        const target of [{ on: method("on"), off: method("off") }, {
          on: method("on"),
          removeListener: method("removeListener")
        }]
      ) {
        WeakListeners.stop(WeakListeners.listenUnsafe(target, "data", new View(), see, { capture: true }))
      }
      assert.deepStrictEqual(calls, [["on", 2], ["off", 2], ["on", 2], ["removeListener", 2]])
    })

    it.effect("refuses what is no target and no receiver, and leaves nothing behind", () =>
      Effect.gen(function*() {
        const notTargets: ReadonlyArray<unknown> = [null, undefined, 1, "text", {}, { on: () => {} }, {
          addEventListener: () => {}
        }]
        for (const target of notTargets) {
          assert.throws(
            () => WeakListeners.listenUnsafe(target as EventTarget, "data", new View(), see),
            TypeError,
            "A target must have addEventListener and removeEventListener, or on and off, but it is"
          )
        }
        const target = new EventTarget()
        for (const value of notReceivers) {
          const error = yield* Effect.flip(WeakListeners.listen(target, "data", value, () => {}))
          assert.strictEqual(error.value, value)
        }
        const exit = yield* Effect.exit(WeakListeners.listen(target, "data", new View(), "f" as unknown as () => void))
        assert.isTrue(Exit.hasDies(exit))
        assert.strictEqual(getEventListeners(target, "data").length, 0)
        const view = new View()
        const throwing = {
          on: () => {
            throw new Error("closed")
          },
          off: () => {}
        }
        assert.isTrue(Exit.hasDies(yield* Effect.exit(WeakListeners.listen(throwing, "data", view, see))))
        yield* TestHeap.collect(view)
        assert.strictEqual(yield* TestHeap.pending, 0)
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("reports what a target throws during the clean-up, and cleans up the rest", () =>
      Effect.gen(function*() {
        let removed = 0
        const target = {
          on: () => {},
          off: () => {
            if (removed++ === 0) throw new Error("cannot remove")
          }
        }
        const [a, b] = [new View(), new View()]
        yield* WeakListeners.listen(target, "data", a, see)
        yield* WeakListeners.listen(target, "data", b, see)
        const log = vi.spyOn(console, "log").mockImplementation(() => {})
        yield* TestHeap.collectAndFinalize(a, b)
        assert.strictEqual(removed, 2)
        assert.match(String(log.mock.calls), /cannot remove/)
        log.mockRestore()
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("works data last, and with a function as receiver", () =>
      Effect.gen(function*() {
        const emitter = new EventEmitter()
        const receiver = () => {}
        const got: Array<unknown> = []
        const f = (self: () => void, event: string) => void got.push(self === receiver, event)
        yield* WeakListeners.listen(emitter, "data", receiver, f)
        yield* pipe(emitter, WeakListeners.listen("data", receiver, f))
        yield* pipe(emitter, WeakListeners.listen("data", receiver, f, {}))
        emitter.emit("data", "x")
        assert.deepStrictEqual(got, [true, "x", true, "x", true, "x"])
      }))
  })

  it.effect("works data last", () =>
    Effect.gen(function*() {
      const { listeners } = hub()
      const [a, b, c, d] = [new View(), new View(), new View(), new View()]
      yield* pipe(listeners, WeakListeners.add(a, see))
      pipe(listeners, WeakListeners.addUnsafe(b, see))
      yield* pipe(listeners, WeakListeners.addMethod(c, "update"))
      pipe(listeners, WeakListeners.addMethodUnsafe(d, "update"))
      yield* listeners.pipe(WeakListeners.publish<unknown>(1))
      assert.deepStrictEqual([a, b, c, d].map(({ seen }) => seen), [[1], [1], [1], [1]])
      assert.isTrue(pipe(listeners, WeakListeners.remove(a)))
    }))

  it("is inspectable, and equal to itself only", () => {
    const { listeners } = hub()
    const view = new View()
    const listener = WeakListeners.addUnsafe(listeners, view, see)
    assert.deepStrictEqual(listeners.toJSON(), { _id: "WeakListeners", size: 1 })
    assert.strictEqual(JSON.stringify(listeners), `{"_id":"WeakListeners","size":1}`)
    assert.strictEqual(inspect(listeners), `{ _id: 'WeakListeners', size: 1 }`)
    assert.include(String(listeners), "WeakListeners")
    assert.deepStrictEqual(listener.toJSON(), { _id: "Listener" })
    const other = WeakListeners.makeUnsafe()
    for (const [one, another] of [[listeners, other], [listener, WeakListeners.addUnsafe(other, view, see)]] as const) {
      assert.deepStrictEqual([Equal.equals(one, one), Equal.equals(one, another)], [true, false])
      // The hashes differ, so that Effect does not call the method.
      assert.deepStrictEqual([one[Equal.symbol](one), one[Equal.symbol](another)], [true, false])
    }
    assert.isTrue(listener["~effect-weakref/Listener"])
    assert.isNumber(Hash.hash(listeners))
    assert.strictEqual(listener.pipe(WeakListeners.stop), true)
  })

  it.effect("recognizes the hubs of this copy only, and refuses others with a TypeError that says so", () =>
    Effect.gen(function*() {
      const listeners = WeakListeners.makeUnsafe<unknown>()
      assert.isTrue(WeakListeners.isWeakListeners(listeners))
      vi.resetModules()
      const copy = yield* Effect.promise(() => import("../src/WeakListeners.ts"))
      const theirs = copy.makeUnsafe<unknown>()
      const revoked = Proxy.revocable({}, {})
      revoked.revoke()
      for (const other of [null, undefined, 1, {}, new Set(), theirs, revoked.proxy]) {
        assert.isFalse(WeakListeners.isWeakListeners(other))
      }
      const view = new View()
      const message = "This WeakListeners was created by another copy of effect-weakref"
      assert.throws(() => WeakListeners.addUnsafe(theirs, view, see), TypeError, message)
      assert.throws(() => WeakListeners.addMethodUnsafe(theirs, view, "update"), TypeError, message)
      assert.throws(() => WeakListeners.remove(theirs, view), TypeError, message)
      assert.throws(() => WeakListeners.size(theirs), TypeError, message)
      for (
        const effect of [
          WeakListeners.publish(theirs, 1),
          WeakListeners.add(theirs, view, see),
          WeakListeners.addMethod(theirs, view, "update")
        ]
      ) {
        assert.include(String(yield* Effect.exit(effect)), message)
      }
      const listener = copy.addUnsafe(theirs, view, see)
      assert.throws(() => WeakListeners.stop(listener), TypeError, "This Listener was created by another copy")
      assert.throws(() => WeakListeners.size(1 as never), TypeError, "Expected a WeakListeners, but got 1")
      assert.throws(() => WeakListeners.size(revoked.proxy as never), TypeError)
      assert.strictEqual(copy.size(theirs), 1)
    }))
})

describe("a hub", () => {
  it("leaves nothing in its registry if all listeners of a receiver are gone, in any order", () => {
    for (const how of ["remove", "stop", "stop backwards"] as const) {
      const { collect, heap, pending } = TestHeap.makeUnsafe()
      const hub = WeakListeners.makeUnsafe<number>(heap)
      const [view, other] = [new View(), new View()]
      const seen: Array<string> = []
      const listeners = [0, 1, 2].map((n) =>
        WeakListeners.addUnsafe(hub, view, (_, event) => void seen.push(`${n} ${event}`))
      )
      WeakListeners.addUnsafe(hub, other, (_, event) => void seen.push(`other ${event}`))
      Effect.runSync(WeakListeners.publish(hub, 1))
      assert.deepStrictEqual(seen.splice(0), ["0 1", "1 1", "2 1", "other 1"])
      if (how === "remove") {
        assert.deepStrictEqual([WeakListeners.remove(hub, view), WeakListeners.remove(hub, view)], [true, false])
      } else {
        for (const listener of how === "stop" ? listeners : listeners.toReversed()) {
          assert.deepStrictEqual([WeakListeners.stop(listener), WeakListeners.stop(listener)], [true, false])
        }
      }
      assert.strictEqual(WeakListeners.size(hub), 1)
      collect(view)
      assert.strictEqual(pending(), 0)
      Effect.runSync(WeakListeners.publish(hub, 2))
      assert.deepStrictEqual(seen, ["other 2"])
    }
  })
})

testDual("WeakListeners")

describe("the registrations of listeners", () => {
  /** A heap that counts the registrations of each registry, and the calls of `unregister`. */
  const counting = () => {
    const { heap, made, ...control } = countingHeap()
    const unregistered: Array<boolean> = []
    class Registry<T> extends heap.FinalizationRegistry<T> {
      override unregister(token: WeakKey): boolean {
        const result = super.unregister(token)
        unregistered.push(result)
        return result
      }
    }
    return { ...control, heap: { ...heap, FinalizationRegistry: Registry }, made, unregistered }
  }

  it("of a hub are one for each receiver, until its last listener has ended", () => {
    const { heap, made, unregistered } = counting()
    const listeners = WeakListeners.makeUnsafe<unknown>(heap)
    const [a, b] = [new View("a"), new View("b")]
    const [one, two] = [
      WeakListeners.addUnsafe(listeners, a, see),
      WeakListeners.addMethodUnsafe(listeners, a, "update")
    ]
    WeakListeners.addUnsafe(listeners, b, see)
    assert.deepStrictEqual(made, [2])
    WeakListeners.stop(one)
    assert.deepStrictEqual(unregistered, [])
    WeakListeners.stop(two)
    WeakListeners.remove(listeners, b)
    assert.deepStrictEqual([unregistered, made, WeakListeners.size(listeners)], [[true, true], [2], 0])
  })

  it("of a target are one for each listener, in one registry for each target", () => {
    const { heap, made, unregistered } = counting()
    const [first, second] = [new EventTarget(), new EventTarget()]
    const receiver = new View()
    const listen = (target: EventTarget) => WeakListeners.listenUnsafe(target, "data", receiver, see, { heap })
    const listener = listen(first)
    listen(first)
    assert.deepStrictEqual(made, [2])
    listen(second)
    listen(first)
    assert.deepStrictEqual(made, [3, 1])
    assert.isTrue(WeakListeners.stop(listener))
    assert.isFalse(WeakListeners.stop(listener))
    assert.deepStrictEqual(unregistered, [true])
  })

  it("are cleaned up in several turns: 2,048 of a hub, and 256 of a target", async () => {
    const { collect, finalize, heap } = counting()
    const turn = () => new Promise<void>((resolve) => nextTurn(resolve))
    const listeners = WeakListeners.makeUnsafe<unknown>(heap)
    const receivers = Array.from({ length: 2050 }, () => new View())
    for (const receiver of receivers) WeakListeners.addUnsafe(listeners, receiver, see)
    collect(...receivers)
    finalize()
    assert.strictEqual(WeakListeners.size(listeners), 2)
    await turn()
    assert.strictEqual(WeakListeners.size(listeners), 0)

    let removed = 0
    const target = { on: () => {}, off: () => void removed++ }
    const others = Array.from({ length: 258 }, () => new View())
    for (const receiver of others) WeakListeners.listenUnsafe(target, "data", receiver, see, { heap })
    collect(...others)
    finalize()
    assert.strictEqual(removed, 256)
    await turn()
    assert.strictEqual(removed, 258)
  })

  it("of a target are gone if the target throws", () => {
    const { heap, made } = counting()
    const target = { on: () => assert.fail("refused"), off: () => {} }
    assert.throws(() => WeakListeners.listenUnsafe(target, "data", new View(), see, { heap }), "refused")
    assert.deepStrictEqual(made, [])
  })

  it("of a target end with their receivers, and a target that throws is reported", () => {
    const { collect, finalize, heap } = counting()
    const removed: Array<unknown> = []
    const target = {
      on: () => {},
      off: (type: string) => {
        removed.push(type)
        if (type === "b") throw new Error("off failed")
      }
    }
    const receivers = ["a", "b", "c"].map((type) => {
      const receiver = new View(type)
      WeakListeners.listenUnsafe(target, type, receiver, see, { heap })
      return receiver
    })
    const log = vi.spyOn(console, "log").mockImplementation(() => {})
    for (const receiver of receivers) {
      collect(receiver)
      finalize()
    }
    const logged = log.mock.calls.map(String)
    log.mockRestore()
    assert.deepStrictEqual(removed, ["a", "b", "c"])
    assert.lengthOf(logged, 1)
    assert.include(logged[0], "off failed")
  })
})

describe("a target", () => {
  it("is called through the first pair of methods that it has, with options only if it takes them", () => {
    const calls: Array<ReadonlyArray<unknown>> = []
    const record = (name: string) => (type: unknown, listener: unknown, ...rest: ReadonlyArray<unknown>) =>
      void calls.push([name, type, typeof listener, ...rest])
    const names = ["addEventListener", "removeEventListener", "on", "off", "removeListener"]
    const targetOf = (...has: ReadonlyArray<string>) =>
      Object.fromEntries(has.map((name) => [name, record(name)])) as unknown as EventEmitter
    const use = (target: EventEmitter) => {
      const listener = WeakListeners.listenUnsafe(target, "data", new View(), see, { capture: true })
      assert.isTrue(WeakListeners.stop(listener))
      return calls.splice(0)
    }
    assert.deepStrictEqual(use(targetOf(...names)), [
      ["addEventListener", "data", "function", { capture: true }],
      ["removeEventListener", "data", "function", { capture: true }]
    ])
    const emitted = [["on", "data", "function"], ["off", "data", "function"]]
    assert.deepStrictEqual(use(targetOf("on", "off", "removeListener")), emitted)
    assert.deepStrictEqual(use(targetOf("on", "off")), emitted)
    assert.deepStrictEqual(use(targetOf("on", "off", "addEventListener")), emitted)
    assert.deepStrictEqual(use(targetOf("on", "removeListener")), [emitted[0]!, ["removeListener", "data", "function"]])
    for (const has of [[], ["on"], ["off"], ["addEventListener"], ["removeEventListener", "on"]]) {
      assert.throws(
        () => use(targetOf(...has)),
        TypeError,
        "A target must have addEventListener and removeEventListener, or on and off, but it is [object Object]"
      )
    }
    for (const target of [null, undefined, 1, "text"]) {
      assert.throws(() => use(target as unknown as EventEmitter), TypeError, "A target must have addEventListener")
    }
    const receiver = 1 as unknown as object
    assert.throws(
      () => WeakListeners.listenUnsafe(targetOf(...names) as EventEmitter, "data", receiver, () => {}),
      WeakError.NotWeakReferenceableError
    )
    assert.deepStrictEqual(calls, [])
  })
})
