import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Context,
  Deferred,
  Effect,
  Equal,
  Exit,
  Fiber,
  Hash,
  Layer,
  Logger,
  ManagedRuntime,
  Option,
  Scheduler,
  Scope
} from "effect"
import * as fc from "fast-check"
import { inspect } from "node:util"
import { vi } from "vitest"
import { Finalizer, Heap, WeakError, WeakProxy, WeakRef } from "../src/index.ts"
import { nextTurn } from "../src/internal/host.ts"
import { TestHeap } from "../src/testing/index.ts"
import { atEveryAlignment } from "./support/alignments.ts"
import { testDual } from "./support/dual.ts"
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

    onBothHeaps("runs even if nobody holds the finalizer", (world) =>
      Effect.gen(function*() {
        let runs = 0
        yield* Effect.asVoid(world.with("a", (a) => Finalizer.make(a, Effect.sync(() => runs++))))
        yield* collectThoroughly
        assert.strictEqual(runs, 0)
        yield* world.die("a")
        assert.strictEqual(runs, 1)
      }))

    onBothHeaps("reports a failure, and does not run again when the Scope closes", (world) =>
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

    it.effect("is alive between collection and its run, but returns no target", () =>
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

    it.effect("runs at once if the target is collected while make registers it", () =>
      Effect.gen(function*() {
        let runs = 0
        const { heap } = yield* TestHeap.TestHeap
        const dying: Heap.Heap = {
          ...heap,
          WeakRef: class<A extends WeakKey> extends heap.WeakRef<A> {
            override deref(): A | undefined {
              return undefined
            }
          }
        }
        const finalizer = yield* Finalizer.make({}, Effect.sync(() => runs++)).pipe(
          Effect.provideService(Heap.Heap, dying)
        )
        yield* Effect.yieldNow
        assert.strictEqual(runs, 1)
        assert.isFalse(Finalizer.isAlive(finalizer))
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("runs only once if run is called between collection and finalization", () =>
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
    it.effect("returns the result the first time, and None afterwards", () =>
      Effect.gen(function*() {
        const target = {}
        const finalizer = yield* Finalizer.make(target, Effect.succeed("done"))
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.some("done"))
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        assert.isFalse(Finalizer.isAlive(finalizer))
      }).pipe(Effect.scoped))

    it.effect("prefers the services of make, and has the others of its caller", () =>
      Effect.gen(function*() {
        class Name extends Context.Service<Name, string>()("test/Name") {}
        const Level = Context.Reference<string>("test/Level", { defaultValue: () => "none" })
        const target = {}
        const names = Effect.gen(function*() {
          return [yield* Name, yield* Level]
        })
        const finalizer = yield* Finalizer.make(target, names).pipe(Effect.provideService(Name, "of make"))
        const found = yield* Finalizer.run(finalizer).pipe(
          Effect.provideService(Name, "of run"),
          Effect.provideService(Level, "of run")
        )
        assert.deepStrictEqual(found, Option.some(["of make", "of run"]))
      }).pipe(Effect.scoped))

    it.effect("holds no run that has ended, even if a fiber of this run starts the next", () =>
      Effect.gen(function*() {
        const targets = [{}, {}]
        // A fiber that outlives its run remains part of this run, which has ended when the second begins.
        const runs = Effect.contextWith((context: Context.Context<never>) => {
          const run = context.mapUnsafe.get("effect-weakref/Finalizer/Runs") as { readonly outer: unknown } | undefined
          return Effect.succeed([run !== undefined, run?.outer])
        })
        const second = yield* Finalizer.make(targets[1]!, runs)
        const ended = yield* Deferred.make<void>()
        const later = Effect.andThen(Deferred.await(ended), Finalizer.run(second))
        const first = yield* Finalizer.make(targets[0]!, Effect.forkDetach(later))
        const fiber = Option.getOrThrow(yield* Finalizer.run(first))
        yield* Deferred.succeed(ended, undefined)
        assert.deepStrictEqual(yield* Fiber.join(fiber), Option.some([true, undefined]))
      }).pipe(Effect.scoped))

    it.effect("fails once with the error of the effect, and reports nothing", () =>
      Effect.gen(function*() {
        const target = {}
        const finalizer = yield* Finalizer.make(target, Effect.fail("failed"))
        const reports = yield* reportsOf(Effect.gen(function*() {
          assert.deepStrictEqual(yield* Effect.exit(Finalizer.run(finalizer)), Exit.fail("failed"))
          assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        }))
        assert.deepStrictEqual(reports, [])
      }).pipe(Effect.scoped))

    it.effect("runs once if two fibers run it at the same time, and the second does not wait", () =>
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

    it.effect("is the only run even if it is interrupted, and the Scope does not wait for it", () =>
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
    onBothHeaps(
      "return the target and the effect, and a detached finalizer never runs",
      (world) =>
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
        })
    )
  })

  describe("when the Scope closes", () => {
    it.effect("runs the finalizers that are alive in reverse order, among the Scope's own finalizers", () =>
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

    it.effect("waits for each finalizer before the next, and reports failures", () =>
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

    it.effect("does not run a finalizer with atExit: false", () =>
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

    onBothHeaps("runs a finalizer with atExit: false on collection", (world) =>
      Effect.gen(function*() {
        let runs = 0
        yield* Effect.asVoid(world.with("a", (a) => Finalizer.make(a, Effect.sync(() => runs++), { atExit: false })))
        yield* world.die("a")
        assert.strictEqual(runs, 1)
      }))

    it.effect("waits for a run that has started, and does not interrupt it", () =>
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

    it.effect("waits for a run that a collection started", () =>
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

    it.effect("runs at once if the Scope is closed already, unless atExit is false", () =>
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

    it.effect("never keeps the target alive", () =>
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

    it.effect("trap: an effect that captures its target keeps it alive until the Scope closes", () =>
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

    it.effect("prints its status, compares by identity, and is recognized by isFinalizer", () =>
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

    it("differs from another finalizer even if both have the same hash", () => {
      const target = {}
      const random = vi.spyOn(Math, "random").mockReturnValue(0.5)
      const [one, other] = [1, 2].map(() => Finalizer.makeUnsafe(target, Effect.void))
      assert.strictEqual(Hash.hash(one), Hash.hash(other))
      random.mockRestore()
      assert.isFalse(Equal.equals(one, other))
    })
  })

  describe("makeUnsafe", () => {
    it.effect("registers on the given heap, without a Scope", () =>
      Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        let runs = 0
        const target = {}
        const finalizer = Finalizer.makeUnsafe(target, Effect.sync(() => runs++), { heap })
        assert.isTrue(Finalizer.isAlive(finalizer))
        yield* TestHeap.collectAndFinalize(target)
        assert.strictEqual(runs, 1)
        assert.isFalse(Finalizer.isAlive(finalizer))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("registers in the given Scope, and leaves it when the finalizer has run or is detached", () =>
      Effect.gen(function*() {
        const scope = Scope.makeUnsafe()
        const targets = [{}, {}, {}]
        const log: Array<number> = []
        const [first, second] = targets.map((target, n) =>
          Finalizer.makeUnsafe(target, Effect.sync(() => log.push(n)), { scope })
        )
        yield* Finalizer.run(first!)
        yield* Finalizer.detach(second!)
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(log, [0, 2])
        assert.strictEqual(targets.length, 3)
      }))

    it.effect("in a closed Scope runs at once, or never if atExit is false", () =>
      Effect.gen(function*() {
        const scope = Scope.makeUnsafe()
        yield* Scope.close(scope, Exit.void)
        const target = {}
        const log: Array<string> = []
        const [yes, no] = [true, false].map((atExit) =>
          Finalizer.makeUnsafe(target, Effect.sync(() => log.push(String(atExit))), { scope, atExit })
        )
        yield* Effect.yieldNow
        assert.deepStrictEqual(log, ["true"])
        assert.deepStrictEqual([Finalizer.isAlive(yes!), Finalizer.isAlive(no!)], [false, false])
      }))
  })

  describe("cancel", () => {
    it.effect("returns true once, and then the effect never runs", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const target = {}
        let runs = 0
        const finalizer = yield* Scope.provide(Finalizer.make(target, Effect.sync(() => runs++)), scope)
        assert.isTrue(yield* Finalizer.cancel(finalizer))
        assert.isFalse(yield* Finalizer.cancel(finalizer))
        assert.isFalse(Finalizer.isAlive(finalizer))
        assert.strictEqual(scope.state._tag, "Empty")
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(runs, 0)
      }))

    it.effect("returns false during the run, which goes on", () =>
      Effect.gen(function*() {
        const target = {}
        const gate = yield* Deferred.make<void>()
        const finalizer = yield* Finalizer.make(target, Effect.as(Deferred.await(gate), "done"))
        const running = yield* Effect.forkChild(Finalizer.run(finalizer), { startImmediately: true })
        assert.isFalse(yield* Finalizer.cancel(finalizer))
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(yield* Fiber.join(running), Option.some("done"))
      }).pipe(Effect.scoped))
  })

  describe("trap: many finalizers through one open Scope", () => {
    it.effect("leave nothing in the Scope after they have run", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        let runs = 0
        const run = Effect.sync(() => runs++)
        const round = Scope.provide(
          Effect.suspend(() => Effect.flatMap(Finalizer.make({}, run), Finalizer.run)),
          scope
        )
        // V8 before 14 never shrinks a WeakMap. Collect in between, so that its size does not depend on the collector's timing.
        const hundredThousand = Effect.andThen(Effect.repeat(round, { times: 99_999 }), heapInUse)
        const before = yield* hundredThousand
        yield* hundredThousand
        const after = yield* hundredThousand
        assert.strictEqual(runs, 300_000)
        assert.strictEqual(scope.state._tag, "Empty")
        assert.isBelow(after - before, 4_000_000)
      }), 120_000)

    it.effect("leave nothing in the Scope after their targets were collected", () =>
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

  describe("interrupted", () => {
    it.effect(
      "run leaves the finalizer alive or has started the effect, at any step",
      () =>
        Effect.gen(function*() {
          const outcomes = { alive: 0, ran: 0 }
          yield* atEveryAlignment((interrupted) =>
            Effect.gen(function*() {
              const target = {}
              const scope = yield* Scope.make()
              let runs = 0
              const effect = Effect.suspend(() => {
                runs++
                return Effect.yieldNow
              })
              const finalizer = yield* Scope.provide(Finalizer.make(target, effect), scope)
              yield* interrupted(Finalizer.run(finalizer))
              assert.strictEqual(Finalizer.isAlive(finalizer), runs === 0)
              outcomes[runs === 0 ? "alive" : "ran"]++
              yield* Scope.close(scope, Exit.void)
              assert.strictEqual(runs, 1)
              assert.isFalse(Finalizer.isAlive(finalizer))
            })
          )
          // Both outcomes occurred.
          assert.isAbove(outcomes.alive, 10)
          assert.isAbove(outcomes.ran, 10)
        }),
      60_000
    )

    it.effect("make leaves a registered finalizer or none, at any step", () =>
      Effect.gen(function*() {
        const outcomes = { made: 0, nothing: 0 }
        yield* atEveryAlignment((interrupted) =>
          Effect.gen(function*() {
            const target = {}
            const scope = yield* Scope.make()
            let runs = 0
            yield* interrupted(Scope.provide(Finalizer.make(target, Effect.sync(() => runs++)), scope))
            const isMade = scope.state._tag === "Open"
            outcomes[isMade ? "made" : "nothing"]++
            yield* TestHeap.collectAndFinalize(target)
            assert.strictEqual(runs, isMade ? 1 : 0)
            assert.strictEqual(scope.state._tag, "Empty")
          })
        )
        assert.isAbove(outcomes.made, 10)
        assert.isAbove(outcomes.nothing, 10)
      }).pipe(Effect.provide(TestHeap.layer)), 60_000)

    it.effect("a fiber that runs many finalizers still yields", () =>
      Effect.gen(function*() {
        const target = {}
        let turns = 0
        const counting = yield* Effect.forkChild(Effect.forever(Effect.andThen(
          Effect.sync(() => turns++),
          Effect.yieldNow
        )))
        for (let i = 0; i < 5_000; i++) {
          yield* Effect.flatMap(Finalizer.make(target, Effect.void), Finalizer.run)
        }
        yield* Fiber.interrupt(counting)
        assert.isAbove(turns, 5)
      }).pipe(Effect.scoped))
  })

  describe("that closes its own Scope from another fiber", () => {
    /** Checks whether the fiber ends by itself within a hundred yields. Interrupts the fiber if it does not. */
    const ends = (fiber: Fiber.Fiber<unknown, unknown>) =>
      Effect.gen(function*() {
        for (let i = 0; i < 100 && fiber.pollUnsafe() === undefined; i++) yield* Effect.yieldNow
        const ended = fiber.pollUnsafe() !== undefined
        fiber.interruptUnsafe()
        return ended
      })

    const closers = {
      "a parallel Scope": (scope: Scope.Closeable) => Scope.close(scope, Exit.void),
      "a forked close": (scope: Scope.Closeable) =>
        Effect.flatMap(Effect.forkChild(Scope.close(scope, Exit.void)), Fiber.join),
      "a detached close": (scope: Scope.Closeable) =>
        Effect.flatMap(Effect.forkDetach(Scope.close(scope, Exit.void)), Fiber.join),
      "a fork of a fork": (scope: Scope.Closeable) =>
        Effect.flatMap(
          Effect.forkChild(Effect.flatMap(Effect.forkChild(Scope.close(scope, Exit.void)), Fiber.join)),
          Fiber.join
        ),
      "a close with the services of the effect": (scope: Scope.Closeable) =>
        Effect.flatMap(
          Effect.context<never>(),
          (context) => Effect.promise(() => Effect.runPromiseWith(context)(Scope.close(scope, Exit.void)))
        ),
      "a finalizer of another Scope": (scope: Scope.Closeable) =>
        Effect.scoped(Effect.flatMap(Finalizer.make(scope, Scope.close(scope, Exit.void)), Finalizer.run))
    }

    it.effect.each(Object.keys(closers) as Array<keyof typeof closers>)(
      "does not wait for itself: %s",
      (name) =>
        Effect.gen(function*() {
          for (const how of ["run", "collected"]) {
            const target = {}
            const scope = yield* Scope.make("parallel")
            // A second finalizer, so that the Scope has to fork.
            yield* Scope.provide(Finalizer.make(target, Effect.void), scope)
            const finalizer = yield* Scope.provide(Finalizer.make(target, closers[name](scope)), scope)
            if (how === "collected") yield* TestHeap.collect(target)
            const running = yield* Effect.forkChild(how === "run" ? Finalizer.run(finalizer) : TestHeap.finalize)
            assert.isTrue(yield* ends(running), how)
            assert.isFalse(Finalizer.isAlive(finalizer))
            assert.strictEqual(scope.state._tag, "Closed")
          }
        }).pipe(Effect.provide(TestHeap.layer))
    )

    /** Creates a runtime. One of its layers makes a finalizer that disposes the runtime. */
    const runtimeWith = (
      target: object,
      heap: Heap.Heap,
      dispose: (runtime: ManagedRuntime.ManagedRuntime<never, never>) => Effect.Effect<void>
    ) => {
      const log: Array<string> = []
      const layers = Layer.mergeAll(
        Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => log.push("released")))),
        Layer.effectDiscard(Effect.orDie(Finalizer.make(target, Effect.suspend(() => dispose(runtime)))))
      )
      const runtime: ManagedRuntime.ManagedRuntime<never, never> = ManagedRuntime.make(
        Layer.provide(layers, Layer.succeed(Heap.Heap, heap))
      )
      return { log, runtime }
    }

    it.effect("does not wait for itself: a ManagedRuntime that is disposed on collection", () =>
      Effect.gen(function*() {
        const target = {}
        const { heap } = yield* TestHeap.TestHeap
        const { log, runtime } = runtimeWith(target, heap, (runtime) => runtime.disposeEffect)
        yield* Effect.promise(() => runtime.runPromise(Effect.void))
        yield* TestHeap.collect(target)
        const running = yield* Effect.forkChild(TestHeap.finalize)
        assert.isTrue(yield* ends(running))
        assert.deepStrictEqual(log, ["released"])
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("trap: waits for ever if dispose() closes a ManagedRuntime in another fiber", () =>
      Effect.gen(function*() {
        const target = {}
        const { heap } = yield* TestHeap.TestHeap
        const { runtime } = runtimeWith(target, heap, (runtime) => Effect.promise(() => runtime.dispose()))
        yield* Effect.promise(() => runtime.runPromise(Effect.void))
        yield* TestHeap.collect(target)
        const running = yield* Effect.forkChild(TestHeap.finalize)
        assert.isFalse(yield* ends(running))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("trap: waits for ever for a fiber that it did not start", () =>
      Effect.gen(function*() {
        const target = {}
        const scope = yield* Scope.make()
        const go = yield* Deferred.make<void>()
        const closing = yield* Effect.forkChild(Effect.andThen(Deferred.await(go), Scope.close(scope, Exit.void)))
        const effect = Effect.andThen(Deferred.succeed(go, void 0), Fiber.join(closing))
        const finalizer = yield* Scope.provide(Finalizer.make(target, effect), scope)
        const running = yield* Effect.forkChild(Finalizer.run(finalizer))
        assert.isFalse(yield* ends(running))
        yield* Effect.yieldNow
      }))

    it.effect("waits if the fiber that closes the Scope belongs to the run of another finalizer", () =>
      Effect.gen(function*() {
        const target = {}
        const scope = yield* Scope.make()
        const gate = yield* Deferred.make<void>()
        const log: Array<string> = []
        const slow = yield* Scope.provide(
          Finalizer.make(target, Effect.andThen(Deferred.await(gate), Effect.sync(() => log.push("slow")))),
          scope
        )
        const running = yield* Effect.forkChild(Finalizer.run(slow), { startImmediately: true })
        const closing = yield* Effect.forkChild(
          Effect.scoped(Effect.flatMap(
            Finalizer.make(
              target,
              Effect.andThen(Scope.close(scope, Exit.void), Effect.sync(() => log.push("closed")))
            ),
            Finalizer.run
          )),
          { startImmediately: true }
        )
        yield* Effect.yieldNow
        yield* Deferred.succeed(gate, void 0)
        yield* Fiber.joinAll([running, closing])
        assert.deepStrictEqual(log, ["slow", "closed"])
      }))
  })

  describe("once it is dead", () => {
    it.effect.each(["run", "detached", "closed"])(
      "holds neither its effect nor its services nor its Scope: %s",
      (how) =>
        Effect.gen(function*() {
          class Big extends Context.Service<Big, { readonly big: boolean }>()("test/Big") {}
          const target = {}
          const probes: Array<globalThis.WeakRef<object>> = []
          const make = (): Effect.Effect<Finalizer.Finalizer<object>, WeakError.NotWeakReferenceableError> => {
            const service = { big: true }
            const captured = { big: true }
            const scope = Scope.makeUnsafe()
            probes.push(...[service, captured, scope].map((object) => new globalThis.WeakRef(object)))
            return Finalizer.make(target, Effect.sync(() => captured)).pipe(
              Effect.provideService(Big, service),
              Scope.provide(scope)
            )
          }
          const finalizer = yield* Effect.suspend(make)
          yield* collectThoroughly
          assert.isTrue(probes.every((probe) => probe.deref() !== undefined))
          if (how === "run") yield* Effect.asVoid(Finalizer.run(finalizer))
          if (how === "detached") yield* Effect.asVoid(Finalizer.detach(finalizer))
          if (how === "closed") {
            yield* Effect.suspend(() => Scope.close(probes[2]!.deref() as Scope.Closeable, Exit.void))
          }
          assert.isTrue(yield* collectUntil(() => probes.every((probe) => probe.deref() === undefined)))
          assert.isFalse(Finalizer.isAlive(finalizer))
        })
    )

    it.effect("is not held by the finalizers that its effect created", () =>
      Effect.gen(function*() {
        const target = {}
        const probes: Array<globalThis.WeakRef<object>> = []
        const scope = yield* Scope.make()
        const generation = (n: number): Effect.Effect<void> =>
          Finalizer.make(target, Effect.suspend(() => n === 0 ? Effect.void : generation(n - 1))).pipe(
            Effect.tap((finalizer) => Effect.sync(() => void probes.push(new globalThis.WeakRef(finalizer)))),
            Effect.tap((finalizer) => n === 0 ? Effect.void : Finalizer.run(finalizer)),
            Effect.asVoid,
            Effect.orDie,
            Scope.provide(scope)
          )
        yield* generation(10)
        assert.lengthOf(probes, 11)
        assert.isTrue(yield* collectUntil(() => probes.slice(0, 10).every((probe) => probe.deref() === undefined)))
        assert.isDefined(probes[10]!.deref())
        yield* Scope.close(scope, Exit.void)
      }))
  })

  describe("made by Effect.runSync", () => {
    const mode = Effect.map(Scheduler.Scheduler, (scheduler) => scheduler.executionMode)

    it.effect("uses the scheduler of the program that runs it, not the scheduler of runSync", () =>
      Effect.gen(function*() {
        const target = {}
        const context = yield* Effect.context<TestHeap.TestHeap>()
        const modes: Array<string> = []
        const scope = Scope.makeUnsafe()
        const make = () =>
          Effect.runSyncWith(context)(Scope.provide(
            Finalizer.make(target, Effect.map(mode, (mode) => modes.push(mode))),
            scope
          ))
        yield* Finalizer.run(make())
        const detached = Option.getOrThrow(yield* Finalizer.detach(make()))
        yield* detached.effect
        Effect.runSync(Finalizer.run(make()))
        make()
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(modes, ["async", "async", "sync", "async"])
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("does not block the event loop while its effect yields in the background", () =>
      Effect.gen(function*() {
        const target = {}
        const context = yield* Effect.context<TestHeap.TestHeap>()
        const scope = Scope.makeUnsafe()
        let turns = 0
        const tick = () => {
          turns++
          if (turns < 1_000) setImmediate(tick)
        }
        const effect = Effect.forEach(Array.from({ length: 100 }), () => Effect.yieldNow, { discard: true })
        let turnsAtEnd = 0
        const ended = Effect.andThen(effect, Effect.sync(() => turnsAtEnd = turns))
        Effect.runSyncWith(context)(Scope.provide(Finalizer.make(target, ended), scope))
        Effect.runSyncWith(context)(Scope.provide(
          WeakRef.onCollect(WeakRef.makeUnsafe(target, (yield* TestHeap.TestHeap).heap), () => ended),
          scope
        ))
        setImmediate(tick)
        yield* TestHeap.collectAndFinalize(target)
        assert.isAbove(turnsAtEnd, 50)
        turns = 1_000
      }).pipe(Effect.provide(TestHeap.layer)))
  })

  describe("that fails with a value that cannot be printed", () => {
    /** Each operation on a revoked proxy throws. */
    const revokedProxy = (): object => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    }

    const values = {
      "a revoked proxy": (value: object) => Effect.fail(value),
      "a revoked proxy as a defect": (value: object) => Effect.die(value),
      "a revoked proxy that is thrown": (value: object) =>
        Effect.sync(() => {
          throw value
        }),
      "an error caused by a revoked proxy": (value: object) => Effect.fail(new Error("outer", { cause: value }))
    }

    it.effect.each(Object.keys(values) as Array<keyof typeof values>)(
      "reports the failure, and closes the Scope: %s",
      (name) =>
        Effect.gen(function*() {
          const failing = values[name](revokedProxy())
          const target = {}
          const scope = yield* Scope.make()
          const ref = yield* WeakRef.make(target)
          let ran = false
          const reports = yield* reportsOf(Effect.gen(function*() {
            yield* Scope.provide(Finalizer.make({}, Effect.sync(() => ran = true)), scope)
            yield* Scope.provide(Finalizer.make({}, failing), scope)
            yield* Scope.provide(WeakRef.onCollect(ref, () => failing), scope)
            yield* TestHeap.collectAndFinalize(target)
            assert.deepStrictEqual(yield* Effect.exit(Scope.close(scope, Exit.void)), Exit.void)
          }))
          assert.isTrue(ran)
          assert.lengthOf(reports, 2)
          for (const report of reports) assert.include(report, "cannot be printed")
          if (name === "an error caused by a revoked proxy") assert.include(reports[0], "outer")
        }).pipe(Effect.provide(TestHeap.layer))
    )

    it.effect("prints a dead weak proxy, which can be printed", () =>
      Effect.gen(function*() {
        const referent = {}
        const proxy = yield* WeakProxy.make(referent)
        yield* TestHeap.collect(referent)
        const reports = yield* reportsOf(Effect.scoped(Finalizer.make({}, Effect.fail(proxy))))
        assert.lengthOf(reports, 1)
        assert.include(reports[0], "WeakProxy: collected")
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("reports the failures of the same cause that can be printed", () =>
      Effect.gen(function*() {
        const target = {}
        const both = Effect.failCause(
          Cause.fromReasons([Cause.makeFailReason(new Error("plain")), Cause.makeDieReason(revokedProxy())])
        )
        const texts: Array<string> = []
        const logger = Logger.make<unknown, void>(({ cause }) => void texts.push(Cause.pretty(cause)))
        yield* Effect.scoped(Finalizer.make(target, both)).pipe(Effect.provide(Logger.layer([logger])))
        assert.lengthOf(texts, 1)
        assert.include(texts[0], "plain")
        assert.include(texts[0], "cannot be printed")
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("closes the Scope even if the logger always throws", () =>
      Effect.gen(function*() {
        const target = {}
        let calls = 0
        const logger = Logger.make<unknown, void>(() => {
          calls++
          throw new Error("broken logger")
        })
        const closing = Effect.scoped(Finalizer.make(target, Effect.fail("failed")))
        assert.isTrue(Exit.isSuccess(yield* Effect.exit(Effect.provide(closing, Logger.layer([logger])))))
        assert.strictEqual(calls, 2)
      }))
  })

  it("isFinalizer returns false for finalizers of another copy of the library", async () => {
    const target = {}
    const scope = Scope.makeUnsafe()
    vi.resetModules()
    const other = await import("../src/index.ts")
    assert.notStrictEqual(other.Finalizer.isFinalizer, Finalizer.isFinalizer)
    const made = Effect.runSync(Scope.provide(Finalizer.make(target, Effect.void), scope))
    const madeByOther = Effect.runSync(Scope.provide(other.Finalizer.make(target, Effect.void), scope))
    assert.deepStrictEqual([made, madeByOther].map(Finalizer.isFinalizer), [true, false])
    assert.deepStrictEqual([made, madeByOther].map(other.Finalizer.isFinalizer), [false, true])
  })

  describe("under every interleaving", () => {
    /** The events of one finalizer. They occur in random order. `step` lets a run that has started end. */
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
        // The model. `claimed` is the kind of the first claim: later claims have no effect.
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

    it("runs at most once, on collection, by run, or when the Scope closes", () =>
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

testDual("Finalizer")

it.effect("two runs that overlap at any step share one result: the other has none", () =>
  Effect.gen(function*() {
    const outcomes = { first: 0, second: 0 }
    for (let steps = 3; steps <= 24; steps++) {
      for (let yields = 0; yields <= 8; yields++) {
        let runs = 0
        const finalizer = Finalizer.makeUnsafe({ steps }, Effect.sync(() => ++runs), { scope: Scope.makeUnsafe() })
        const context = Context.add(yield* Effect.context<never>(), Scheduler.MaxOpsBeforeYield, steps)
        const fiber = Effect.runForkWith(context)(Finalizer.run(finalizer))
        for (let n = 0; n < yields; n++) yield* Effect.yieldNow
        const second = yield* Effect.exit(Finalizer.run(finalizer))
        const first = yield* Fiber.await(fiber)
        const isFirst = Exit.isSuccess(first) && Option.isSome(first.value)
        const results = [Exit.succeed(Option.some(1)), Exit.succeed(Option.none())]
        assert.deepStrictEqual([first, second], isFirst ? results : results.toReversed())
        assert.strictEqual(runs, 1)
        outcomes[isFirst ? "first" : "second"]++
      }
    }
    // Both outcomes occurred.
    assert.isAbove(outcomes.first, 0)
    assert.isAbove(outcomes.second, 0)
  }))

it("the effects of many collected targets start in several turns, 2,048 in each", async () => {
  const { collect, finalize, heap } = TestHeap.makeUnsafe()
  const targets = Array.from({ length: 4100 }, () => ({}))
  let runs = 0
  const counts: Array<number> = []
  for (const target of targets) Finalizer.makeUnsafe(target, Effect.sync(() => runs++), { heap })
  collect(...targets)
  finalize()
  for (let turn = 0; turn < 3; turn++) {
    counts.push(runs)
    await new Promise<void>((resolve) => nextTurn(resolve))
  }
  assert.deepStrictEqual(counts, [2048, 4096, 4100])
})

it.effect("a Scope that closes leaves out a finalizer that has ended in the meantime", () =>
  Effect.gen(function*() {
    const log: Array<string> = []
    const scope = yield* Scope.make()
    const make = (name: string, options?: { readonly atExit: boolean }) =>
      Finalizer.make({}, Effect.sync(() => log.push(name)), options).pipe(Scope.provide(scope))
    const [cancelled, without, done] = [yield* make("cancelled"), yield* make("without"), yield* make("done")]
    const last = Effect.all([
      Finalizer.cancel(cancelled),
      Finalizer.setAtExit(without, false),
      Finalizer.cancel(without),
      Finalizer.run(done),
      Effect.sync(() => log.push("last"))
    ])
    yield* Finalizer.make({}, last).pipe(Scope.provide(scope))
    assert.deepStrictEqual(yield* Effect.exit(Scope.close(scope, Exit.void)), Exit.void)
    assert.deepStrictEqual(log, ["done", "last"])
    for (const finalizer of [cancelled, without, done]) assert.isFalse(Finalizer.isAlive(finalizer))
  }))

it.effect("a run that has begun is the only one, even if its target is collected meanwhile", () =>
  Effect.gen(function*() {
    const gate = yield* Deferred.make<void>()
    let runs = 0
    const reports = yield* reportsOf(Effect.gen(function*() {
      const target = {}
      const effect = Effect.andThen(Effect.sync(() => ++runs), Deferred.await(gate))
      const finalizer = yield* Finalizer.make(target, effect)
      const fiber = yield* Effect.forkChild(Finalizer.run(finalizer), { startImmediately: true })
      yield* TestHeap.collectAndFinalize(target)
      assert.deepStrictEqual([runs, Finalizer.isAlive(finalizer)], [1, false])
      assert.deepInclude(finalizer.toJSON(), { status: "running" })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
    }))
    assert.deepStrictEqual([runs, reports], [1, []])
  }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
