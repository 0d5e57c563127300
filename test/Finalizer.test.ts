import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Equal, Exit, Fiber, Hash, Logger, Option, Scope } from "effect"
import * as fc from "fast-check"
import { inspect } from "node:util"
import { Finalizer, WeakError, WeakRef } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { collectThoroughly, collectUntil, heapInUse } from "./support/realHeap.ts"
import { reportsOf } from "./support/reports.ts"
import { onBothHeaps } from "./support/worlds.ts"

describe("Finalizer", () => {
  describe("on collection", () => {
    onBothHeaps("runs once, in the background, with the services of make", (world) =>
      Effect.gen(function*() {
        class Name extends Context.Service<Name, string>()("test/Name") {}
        const log: Array<string> = []
        const finalizer = yield* world.with("a", (a) => Finalizer.make(a, Effect.map(Name, (name) => log.push(name))))
          .pipe(Effect.provideService(Name, "of make"))
        assert.isTrue(Finalizer.isAlive(finalizer))
        yield* world.die("a")
        assert.deepStrictEqual(log, ["of make"])
        assert.isFalse(Finalizer.isAlive(finalizer))
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        assert.deepStrictEqual(yield* Finalizer.detach(finalizer), Option.none())
        assert.deepStrictEqual(yield* Finalizer.peek(finalizer), Option.none())
        assert.deepStrictEqual(log, ["of make"])
      }))

    onBothHeaps("runs although nobody holds the finalizer", (world) =>
      Effect.gen(function*() {
        let runs = 0
        yield* Effect.asVoid(world.with("a", (a) => Finalizer.make(a, Effect.sync(() => runs++))))
        yield* collectThoroughly
        assert.strictEqual(runs, 0)
        yield* world.die("a")
        assert.strictEqual(runs, 1)
      }))

    onBothHeaps("reports a failure, and does not run again at the end", (world) =>
      Effect.gen(function*() {
        let runs = 0
        const failing = Effect.suspend(() => {
          runs++
          return Effect.fail(new Error("failed"))
        })
        const reports = yield* reportsOf(Effect.scoped(Effect.gen(function*() {
          yield* Effect.asVoid(world.with("a", (a) => Finalizer.make(a, failing)))
          yield* world.die("a")
        })))
        assert.deepStrictEqual(reports, ["Error: failed"])
        assert.strictEqual(runs, 1)
      }))

    it.effect("is alive, but gives nothing, between collection and its run", () =>
      Effect.gen(function*() {
        let runs = 0
        const target = {}
        const finalizer = yield* Finalizer.make(target, Effect.sync(() => runs++))
        yield* TestHeap.collect(target)
        assert.isTrue(Finalizer.isAlive(finalizer))
        assert.deepStrictEqual(yield* Finalizer.peek(finalizer), Option.none())
        assert.deepStrictEqual(yield* Finalizer.detach(finalizer), Option.none())
        assert.strictEqual(runs, 0)
        yield* TestHeap.finalize
        assert.strictEqual(runs, 1)
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("a run by hand between collection and finalization is the only one", () =>
      Effect.gen(function*() {
        let runs = 0
        const target = {}
        const finalizer = yield* Finalizer.make(target, Effect.sync(() => ++runs))
        yield* TestHeap.collect(target)
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.some(1))
        yield* TestHeap.finalize
        assert.strictEqual(runs, 1)
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
  })

  describe("run", () => {
    it.effect("gives the result the first time, and nothing ever after", () =>
      Effect.gen(function*() {
        const target = {}
        const finalizer = yield* Finalizer.make(target, Effect.succeed("done"))
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.some("done"))
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        assert.isFalse(Finalizer.isAlive(finalizer))
      }).pipe(Effect.scoped))

    it.effect("passes the failure on to the caller, once", () =>
      Effect.gen(function*() {
        const target = {}
        const finalizer = yield* Finalizer.make(target, Effect.fail("failed"))
        const reports = yield* reportsOf(Effect.gen(function*() {
          assert.deepStrictEqual(yield* Effect.exit(Finalizer.run(finalizer)), Exit.fail("failed"))
          assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        }))
        assert.deepStrictEqual(reports, [])
      }).pipe(Effect.scoped))

    it.effect("is the only run of two at the same time, and the other does not wait", () =>
      Effect.gen(function*() {
        const target = {}
        const gate = yield* Deferred.make<void>()
        let runs = 0
        const finalizer = yield* Finalizer.make(target, Effect.andThen(Deferred.await(gate), Effect.sync(() => ++runs)))
        const first = yield* Effect.forkChild(Finalizer.run(finalizer), { startImmediately: true })
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        assert.isFalse(Finalizer.isAlive(finalizer))
        yield* Deferred.succeed(gate, void 0)
        assert.deepStrictEqual(yield* Fiber.join(first), Option.some(1))
      }).pipe(Effect.scoped))

    it.effect("interrupted, was the only run, and the Scope does not wait for it", () =>
      Effect.gen(function*() {
        const target = {}
        const scope = yield* Scope.make()
        let runs = 0
        const effect = Effect.suspend(() => {
          runs++
          return Effect.never
        })
        const finalizer = yield* Scope.provide(Finalizer.make(target, effect), scope)
        const running = yield* Effect.forkChild(Finalizer.run(finalizer), { startImmediately: true })
        yield* Fiber.interrupt(running)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(runs, 1)
        assert.isFalse(Finalizer.isAlive(finalizer))
      }))
  })

  describe("detach and peek", () => {
    onBothHeaps("give the target and the effect; detached, it never runs", (world) =>
      Effect.gen(function*() {
        let runs = 0
        yield* Effect.scoped(Effect.gen(function*() {
          const finalizer = yield* world.with("a", (a) => Finalizer.make(a, Effect.sync(() => ++runs)))
          const name = Effect.map(Finalizer.peek(finalizer), Option.map(({ target }) => target.name))
          assert.deepStrictEqual(yield* name, Option.some("a"))
          assert.isTrue(Finalizer.isAlive(finalizer))
          const effect = Effect.map(Finalizer.detach(finalizer), Option.map(({ effect }) => effect))
          const detached = Option.getOrThrow(yield* effect)
          assert.isFalse(Finalizer.isAlive(finalizer))
          assert.deepStrictEqual(yield* name, Option.none())
          assert.deepStrictEqual(yield* effect, Option.none())
          assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
          yield* world.die("a")
          assert.strictEqual(runs, 0)
          assert.strictEqual(yield* detached, 1)
        }))
        assert.strictEqual(runs, 1)
      }))
  })

  describe("at the end of the Scope", () => {
    it.effect("runs those alive in reverse order of creation, among the Scope's own finalizers", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const says = (text: string) => Effect.sync(() => log.push(text))
        const targets = [{}, {}, {}]
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Finalizer.make(targets[0]!, says("first"))
          yield* Effect.addFinalizer(() => says("connection closed"))
          yield* Finalizer.make(targets[1]!, says("second, over the connection"))
          const third = yield* Finalizer.make(targets[2]!, says("third"))
          yield* Finalizer.run(third)
        }))
        assert.deepStrictEqual(log, ["third", "second, over the connection", "connection closed", "first"])
      }))

    it.effect("awaits them one after the other, and reports what fails", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const targets = [{}, {}, {}]
        const slow = (text: string) => Effect.andThen(Effect.yieldNow, Effect.sync(() => log.push(text)))
        const reports = yield* reportsOf(Effect.scoped(Effect.gen(function*() {
          yield* Finalizer.make(targets[0]!, slow("first"))
          yield* Finalizer.make(targets[1]!, Effect.fail(new Error("failed")))
          yield* Finalizer.make(targets[2]!, slow("third"))
        })))
        assert.deepStrictEqual(log, ["third", "first"])
        assert.deepStrictEqual(reports, ["Error: failed"])
      }))

    it.effect("lets those without atExit die unrun", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const says = (text: string) => Effect.sync(() => log.push(text))
        const targets = [{}, {}, {}]
        const finalizers = yield* Effect.scoped(Effect.gen(function*() {
          const one = yield* Finalizer.make(targets[0]!, says("one"), { atExit: false })
          const two = yield* Finalizer.make(targets[1]!, says("two"))
          const three = yield* Finalizer.make(targets[2]!, says("three"), { atExit: false })
          assert.deepStrictEqual([one, two, three].map(Finalizer.atExit), [false, true, false])
          yield* Finalizer.setAtExit(two, false)
          yield* three.pipe(Finalizer.setAtExit(true))
          assert.deepStrictEqual([one, two, three].map(Finalizer.atExit), [false, false, true])
          return [one, two, three]
        }))
        assert.deepStrictEqual(log, ["three"])
        assert.deepStrictEqual(finalizers.map(Finalizer.isAlive), [false, false, false])
        assert.deepStrictEqual(finalizers.map(Finalizer.atExit), [false, false, false])
      }))

    onBothHeaps("with atExit off it still runs on collection", (world) =>
      Effect.gen(function*() {
        let runs = 0
        yield* Effect.asVoid(world.with("a", (a) => Finalizer.make(a, Effect.sync(() => runs++), { atExit: false })))
        yield* world.die("a")
        assert.strictEqual(runs, 1)
      }))

    it.effect("awaits a run under way instead of interrupting it", () =>
      Effect.gen(function*() {
        const target = {}
        const gate = yield* Deferred.make<void>()
        const log: Array<string> = []
        const scope = yield* Scope.make()
        const effect = Effect.andThen(Deferred.await(gate), Effect.sync(() => log.push("run")))
        const finalizer = yield* Scope.provide(Finalizer.make(target, effect, { atExit: false }), scope)
        const running = yield* Effect.forkChild(Finalizer.run(finalizer), { startImmediately: true })
        const closing = yield* Effect.forkChild(
          Effect.andThen(Scope.close(scope, Exit.void), Effect.sync(() => log.push("closed"))),
          { startImmediately: true }
        )
        yield* Effect.yieldNow
        assert.deepStrictEqual(log, [])
        yield* Deferred.succeed(gate, void 0)
        yield* Fiber.join(running)
        yield* Fiber.join(closing)
        assert.deepStrictEqual(log, ["run", "closed"])
      }))

    it.effect("awaits a run that a collection started", () =>
      Effect.gen(function*() {
        const target = {}
        const gate = yield* Deferred.make<void>()
        const log: Array<string> = []
        const scope = yield* Scope.make()
        const effect = Effect.andThen(Deferred.await(gate), Effect.sync(() => log.push("run")))
        yield* Scope.provide(Finalizer.make(target, effect), scope)
        yield* TestHeap.collect(target)
        const finalizing = yield* Effect.forkChild(TestHeap.finalize, { startImmediately: true })
        const closing = yield* Effect.forkChild(
          Effect.andThen(Scope.close(scope, Exit.void), Effect.sync(() => log.push("closed"))),
          { startImmediately: true }
        )
        yield* Effect.yieldNow
        yield* Deferred.succeed(gate, void 0)
        yield* Fiber.join(finalizing)
        yield* Fiber.join(closing)
        assert.deepStrictEqual(log, ["run", "closed"])
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("trap: an effect that closes its own Scope does not wait for itself", () =>
      Effect.gen(function*() {
        const target = {}
        const scope = yield* Scope.make()
        const finalizer = yield* Scope.provide(Finalizer.make(target, Scope.close(scope, Exit.void)), scope)
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.some(void 0))
        assert.strictEqual(scope.state._tag, "Closed")
      }))

    it.effect("runs at once where the Scope is closed already", () =>
      Effect.gen(function*() {
        const target = {}
        const scope = yield* Scope.make()
        yield* Scope.close(scope, Exit.void)
        let runs = 0
        const run = Effect.sync(() => runs++)
        const alive = yield* Scope.provide(Finalizer.make(target, run), scope)
        const unrun = yield* Scope.provide(Finalizer.make(target, run, { atExit: false }), scope)
        assert.strictEqual(runs, 1)
        assert.deepStrictEqual([alive, unrun].map(Finalizer.isAlive), [false, false])
        yield* TestHeap.collect(target)
        assert.strictEqual(yield* TestHeap.pending, 0)
      }).pipe(Effect.provide(TestHeap.layer)))
  })

  describe("make", () => {
    it.effect("fails with the value that cannot be a target, and registers nothing", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const error = yield* Effect.flip(
          Scope.provide(Finalizer.make("text" as unknown as WeakKey, Effect.void), scope)
        )
        assert.instanceOf(error, WeakError.NotWeakReferenceableError)
        assert.strictEqual(error.value, "text")
        assert.strictEqual(scope.state._tag, "Empty")
      }))

    it.effect("never keeps the target", () =>
      Effect.gen(function*() {
        const refs: Array<WeakRef.WeakRef<object>> = []
        const finalizer = yield* Effect.suspend(() => {
          const target = {}
          refs.push(WeakRef.makeUnsafe(target))
          return Finalizer.make(target, Effect.void)
        })
        assert.isTrue(yield* collectUntil(() => !WeakRef.isAlive(refs[0]!)))
        assert.isTrue(yield* collectUntil(() => !Finalizer.isAlive(finalizer)))
      }).pipe(Effect.scoped))

    it.effect("trap: an effect that captures its target keeps it until the Scope closes", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const refs: Array<WeakRef.WeakRef<object>> = []
        yield* Effect.asVoid(Effect.suspend(() => {
          const target = { closed: false }
          refs.push(WeakRef.makeUnsafe(target))
          return Scope.provide(Finalizer.make(target, Effect.sync(() => target.closed = true)), scope)
        }))
        yield* collectThoroughly
        assert.isTrue(WeakRef.isAlive(refs[0]!))
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(yield* collectUntil(() => !WeakRef.isAlive(refs[0]!)))
      }))

    it.effect("inspects, compares by identity, and knows its own", () =>
      Effect.gen(function*() {
        const target = {}
        const one = yield* Finalizer.make(target, Effect.void)
        const other = yield* Finalizer.make(target, Effect.void)
        assert.deepStrictEqual(one.toJSON(), { _id: "Finalizer", status: "alive", atExit: true })
        assert.include(inspect(one), "alive")
        assert.include(one.toString(), "Finalizer")
        assert.isTrue(Equal.equals(one, one))
        assert.isFalse(Equal.equals(one, other))
        assert.strictEqual(Hash.hash(one), Hash.hash(one))
        assert.isTrue(Finalizer.isFinalizer(one))
        assert.isFalse(Finalizer.isFinalizer({}))
        assert.isTrue(one.pipe(Finalizer.isAlive))
      }).pipe(Effect.scoped))
  })

  describe("trap: a million finalizers through one open Scope", () => {
    it.effect("made and run, leave nothing in the Scope", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        let runs = 0
        const run = Effect.sync(() => runs++)
        const round = Scope.provide(
          Effect.suspend(() => Effect.flatMap(Finalizer.make({}, run), Finalizer.run)),
          scope
        )
        yield* Effect.repeat(round, { times: 9_999 })
        const before = yield* heapInUse
        yield* Effect.repeat(round, { times: 989_999 })
        assert.strictEqual(runs, 1_000_000)
        assert.strictEqual(scope.state._tag, "Empty")
        assert.isBelow((yield* heapInUse) - before, 4_000_000)
      }), 60_000)

    it.effect("made and collected, leave nothing in the Scope", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        let runs = 0
        const run = Effect.sync(() => runs++)
        const round = Scope.provide(Effect.suspend(() => Effect.asVoid(Finalizer.make({}, run))), scope)
        const before = yield* heapInUse
        yield* Effect.repeat(round, { times: 99_999 })
        assert.isTrue(yield* collectUntil(() => runs === 100_000))
        assert.strictEqual(scope.state._tag, "Empty")
        assert.isBelow((yield* heapInUse) - before, 4_000_000)
      }), 60_000)
  })

  describe("exactly once under every interleaving", () => {
    /** What can happen to one finalizer, in any order; `step` lets a run under way come to its end. */
    const Event = fc.constantFrom("collect", "finalize", "run", "fork run", "detach", "close", "step", "atExit off")
    type Event = ReturnType<typeof Event.generate>["value_"]

    const script = (events: ReadonlyArray<Event>, slow: boolean, outcome: "succeed" | "fail" | "die") =>
      Effect.gen(function*() {
        const target = {}
        const gate = yield* Deferred.make<void>()
        const scope = yield* Scope.make()
        let started = 0
        let ended = 0
        const effect = Effect.gen(function*() {
          started++
          if (slow) yield* Deferred.await(gate)
          ended++
          if (outcome === "fail") return yield* Effect.fail("failed")
          if (outcome === "die") return yield* Effect.die("died")
          return "done"
        })
        const finalizer = yield* Scope.provide(Finalizer.make(target, effect), scope)
        const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
        const fork = (effect: Effect.Effect<unknown, unknown>) =>
          Effect.map(Effect.forkChild(effect, { startImmediately: true }), (fiber) => void fibers.push(fiber))
        const testHeap = yield* TestHeap.TestHeap
        // The model: the first claim wins, and what kind it was.
        let claimed: "run" | "detach" | undefined
        let collected = false
        let finalizable = false
        let atExit = true
        let closed = false
        for (const event of events) {
          const startedBefore = started
          switch (event) {
            case "collect": {
              if (!collected) {
                yield* testHeap.collect(target)
                finalizable = true
              }
              collected = true
              break
            }
            case "finalize": {
              yield* fork(testHeap.finalize)
              if (finalizable && claimed === undefined) claimed = "run"
              finalizable = false
              break
            }
            case "run":
            case "fork run": {
              yield* fork(Effect.exit(Finalizer.run(finalizer)))
              claimed ??= "run"
              break
            }
            case "detach": {
              const detached = yield* Finalizer.detach(finalizer)
              assert.strictEqual(Option.isSome(detached), claimed === undefined && !collected)
              if (Option.isSome(detached)) claimed = "detach"
              break
            }
            case "atExit off": {
              yield* Finalizer.setAtExit(finalizer, false)
              atExit = false
              break
            }
            case "close": {
              if (!closed) {
                yield* fork(Scope.close(scope, Exit.void))
                claimed ??= atExit ? "run" : "detach"
              }
              closed = true
              break
            }
            case "step": {
              yield* Deferred.succeed(gate, void 0)
              yield* Effect.yieldNow
              break
            }
          }
          assert.isAtMost(started - startedBefore, 1)
          assert.strictEqual(started, claimed === "run" ? 1 : 0, `after ${event}`)
          assert.strictEqual(Finalizer.isAlive(finalizer), claimed === undefined, `after ${event}`)
        }
        yield* Deferred.succeed(gate, void 0)
        yield* Scope.close(scope, Exit.void)
        yield* testHeap.finalize
        yield* Fiber.awaitAll(fibers)
        if (claimed === undefined) claimed = atExit ? "run" : "detach"
        assert.strictEqual(started, claimed === "run" ? 1 : 0)
        assert.strictEqual(ended, started)
        assert.isFalse(Finalizer.isAlive(finalizer))
        assert.strictEqual(yield* testHeap.pending, 0)
      }).pipe(Effect.provideService(Logger.CurrentLoggers, new Set()), Effect.provide(TestHeap.layer))

    it("of collection, run, detach and the Scope closing", () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(Event, { maxLength: 12 }),
          fc.boolean(),
          fc.constantFrom("succeed", "fail", "die"),
          (events, slow, outcome) => Effect.runPromise(script(events, slow, outcome))
        ),
        { numRuns: 2_000 }
      ), 60_000)
  })
})
