import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Clock,
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Random,
  Scheduler,
  Scope
} from "effect"
import { TestClock } from "effect/testing"
import { Heap, LeakMonitor, WeakError } from "../src/index.ts"
import { isAnyRunning, stackAbove } from "../src/internal/leakMonitor.ts"
import { TestHeap } from "../src/testing/index.ts"
import { countingHeap } from "./support/countingHeap.ts"
import { isNode, skip } from "./support/host.ts"
import { collectThoroughly, collectUntil } from "./support/realHeap.ts"
import { reportsOf } from "./support/reports.ts"

/** Collects only the sentinel, so that the monitor counts one collection. */
const collection = Effect.flatMap(
  LeakMonitor.sentinel,
  (sentinel) => TestHeap.collectAndFinalize(...Option.toArray(sentinel))
)

const collections = (times: number) => Effect.repeat(collection, { times: times - 1 })

/** Runs a script on a test heap under a monitor without patience, and returns the leaks that the monitor reported. */
const leaksOf = <E>(
  script: Effect.Effect<unknown, E, TestHeap.TestHeap>,
  options: Partial<LeakMonitor.Options> = {},
  seed = 0
): Effect.Effect<Array<LeakMonitor.Leak>, E> => {
  const leaks: Array<LeakMonitor.Leak> = []
  const monitor = LeakMonitor.layer({
    level: "all",
    patience: 0,
    onLeak: (leak) => Effect.sync(() => void leaks.push(leak)),
    ...options
  })
  return Effect.as(Effect.provide(Effect.provide(script, monitor), TestHeap.layerWith({ seed })), leaks)
}

const kindsOf = (leaks: ReadonlyArray<LeakMonitor.Leak>) => leaks.map(({ kind, name }) => `${kind} ${name}`)

/** A frame of this file, in the form of V8 or of SpiderMonkey. A page has the address of the file with a query. */
const here = /^(?: {4}at |.*@).*LeakMonitor\.test\.ts(?:\?.*)?:\d+:\d+\)?$/

const track = (value: WeakKey, name = "value") => LeakMonitor.track(value, { name })

describe("NotClosed", () => {
  it.effect("is reported if the object is collected while its Scope is open", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.scoped(Effect.gen(function*() {
        const value = yield* track({}, "connection")
        yield* TestHeap.collectAndFinalize(value)
      })))
      assert.deepStrictEqual(kindsOf(leaks), ["NotClosed connection"])
    }))

  it.effect("is reported once, and not again when the Scope closes", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.gen(function*() {
        yield* Effect.scoped(Effect.flatMap(track({}), (value) => TestHeap.collectAndFinalize(value)))
        yield* collections(5)
      }))
      assert.deepStrictEqual(kindsOf(leaks), ["NotClosed value"])
    }))

  it.effect("is not reported if the Scope closes first", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.gen(function*() {
        const value = yield* Effect.scoped(track({}))
        yield* TestHeap.collectAndFinalize(value)
        yield* collections(5)
      }))
      assert.deepStrictEqual(leaks, [])
    }))

  it.effect("is not reported if the clean-up of the object runs after the Scope has closed", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.gen(function*() {
        yield* Effect.scoped(Effect.flatMap(track({}), (value) => TestHeap.collect(value)))
        yield* TestHeap.finalize
        yield* collections(5)
      }))
      assert.deepStrictEqual(leaks, [])
    }))

  it.effect("is reported only for the collected objects of a Scope", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.scoped(Effect.gen(function*() {
        const values = [{}, {}, {}, {}]
        for (const [index, value] of values.entries()) yield* track(value, String(index))
        yield* TestHeap.collectAndFinalize(values[1]!)
        yield* TestHeap.collectAndFinalize(values[3]!)
      })))
      assert.deepStrictEqual(kindsOf(leaks), ["NotClosed 1", "NotClosed 3"])
    }))

  it.effect("is reported for functions and symbols too", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.scoped(Effect.gen(function*() {
        const f = yield* track(() => 1, "function")
        const symbol = yield* track(Symbol("mine"), "symbol")
        yield* TestHeap.collectAndFinalize(f)
        yield* TestHeap.collectAndFinalize(symbol)
      })))
      assert.sameMembers(kindsOf(leaks), ["NotClosed function", "NotClosed symbol"])
    }))
})

describe("patience", () => {
  const patient = { patience: "1 minute" } as const

  it.effect("is one minute by default", () =>
    Effect.gen(function*() {
      const seen: Array<number> = []
      const leaks: Array<LeakMonitor.Leak> = []
      const monitor = LeakMonitor.layer({ level: "all", onLeak: (leak) => Effect.sync(() => void leaks.push(leak)) })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* TestHeap.collectAndFinalize(yield* track({}))
        for (const step of ["59 seconds", "1 seconds", "1 hour"] as const) {
          yield* TestClock.adjust(step)
          seen.push(leaks.length)
        }
      })).pipe(Effect.provide(monitor), Effect.provide(TestHeap.layer))
      assert.deepStrictEqual(seen, [0, 1, 1])
    }))

  it.effect("passes for each object from its own collection", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const leaks: Array<LeakMonitor.Leak> = []
      const script = Effect.scoped(Effect.gen(function*() {
        const [a, b, c] = [yield* track({}, "a"), yield* track({}, "b"), yield* track({}, "c")]
        yield* TestHeap.collectAndFinalize(a)
        yield* TestClock.adjust("20 seconds")
        yield* TestHeap.collectAndFinalize(b)
        yield* TestClock.adjust("40 seconds")
        seen.push(kindsOf(leaks).join())
        yield* TestClock.adjust("20 seconds")
        seen.push(kindsOf(leaks).join())
        // The timer has ended, and starts again.
        yield* TestClock.adjust("1 hour")
        yield* TestHeap.collectAndFinalize(c)
        yield* TestClock.adjust("1 minute")
        seen.push(kindsOf(leaks).join())
      }))
      yield* leaksOf(script, { ...patient, onLeak: (leak) => Effect.sync(() => void leaks.push(leak)) })
      assert.deepStrictEqual(seen, ["NotClosed a", "NotClosed a,NotClosed b", "NotClosed a,NotClosed b,NotClosed c"])
    }))

  it.effect("is measured by one timer, which ends with the monitor", () =>
    Effect.gen(function*() {
      const sleeps = { begun: 0, interrupted: 0 }
      const clock: Clock.Clock = {
        ...yield* Clock.Clock,
        sleep: () =>
          Effect.onInterrupt(
            Effect.andThen(Effect.sync(() => void sleeps.begun++), Effect.never),
            () => Effect.sync(() => void sleeps.interrupted++)
          )
      }
      const script = Effect.scoped(Effect.gen(function*() {
        for (const name of ["a", "b", "c"]) {
          yield* TestHeap.collectAndFinalize(yield* track({}, name))
          yield* Effect.yieldNow
        }
        assert.deepStrictEqual(sleeps, { begun: 1, interrupted: 0 })
      }))
      yield* Effect.provideService(leaksOf(script, patient), Clock.Clock, clock)
      assert.deepStrictEqual(sleeps, { begun: 1, interrupted: 1 })
    }))

  it.effect("passes for each object even if it has passed before the timer starts", () =>
    Effect.gen(function*() {
      let nanos = 0n
      const clock: Clock.Clock = { ...yield* Clock.Clock, monotonicTimeNanosUnsafe: () => nanos += 60_000_000_000n }
      const script = Effect.scoped(Effect.gen(function*() {
        for (const name of ["a", "b"]) yield* TestHeap.collectAndFinalize(yield* track({}, name))
      }))
      const leaks = yield* Effect.provideService(leaksOf(script, patient), Clock.Clock, clock)
      assert.deepStrictEqual(kindsOf(leaks), ["NotClosed a", "NotClosed b"])
    }))

  it.effect("forgives a Scope that closes before it has passed, and others not", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(
        Effect.gen(function*() {
          const late = yield* Scope.make()
          yield* TestHeap.collectAndFinalize(yield* Scope.provide(track({}, "late"), late))
          yield* Effect.scoped(Effect.gen(function*() {
            yield* TestHeap.collectAndFinalize(yield* track({}, "early"))
            yield* TestClock.adjust("59 seconds")
          }))
          yield* TestClock.adjust("1 hour")
          yield* Scope.close(late, Exit.void)
          yield* collections(5)
        }),
        patient
      )
      assert.deepStrictEqual(kindsOf(leaks), ["NotClosed late"])
    }))

  it.effect("never passes if it is infinite", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(
        Effect.scoped(Effect.gen(function*() {
          yield* TestHeap.collectAndFinalize(yield* track({}))
          yield* TestClock.adjust("1000 days")
        })),
        { patience: "Infinity" }
      )
      assert.deepStrictEqual(leaks, [])
    }))

  it.effect("ends with the monitor", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const leaks = yield* leaksOf(
        Effect.flatMap(Scope.provide(track({}), scope), (value) => TestHeap.collectAndFinalize(value)),
        patient
      )
      yield* TestClock.adjust("1 hour")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(leaks, [])
    }))
})

describe("NotReleased", () => {
  it.effect("is reported at the third collection after the Scope closed, and not before", () =>
    Effect.gen(function*() {
      const seen: Array<number> = []
      const leaks = yield* leaksOf(Effect.gen(function*() {
        const { state } = yield* Effect.scoped(track({ state: 1 })) as Effect.Effect<{ readonly state: number }>
        for (let round = 0; round < 5; round++) {
          yield* collection
          seen.push(state)
        }
      }))
      assert.deepStrictEqual(kindsOf(leaks), ["NotReleased value"])
      const rounds: Array<number> = []
      for (const times of [1, 2, 3, 4]) {
        const after = yield* leaksOf(Effect.andThen(Effect.scoped(track({})), collections(times)))
        rounds.push(after.length)
      }
      assert.deepStrictEqual(rounds, [0, 0, 1, 1])
      assert.lengthOf(seen, 5)
    }))

  it.effect("does not count the collections before the Scope closed", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.gen(function*() {
        yield* Effect.scoped(Effect.andThen(track({}), collections(5)))
        yield* collections(2)
      }))
      assert.deepStrictEqual(leaks, [])
    }))

  it.effect("is not reported if the object is dead at the third collection, even before its clean-up", () =>
    Effect.gen(function*() {
      // Some seeds run the sentinel's clean-up first, others the object's.
      for (let seed = 0; seed < 8; seed++) {
        const script = Effect.gen(function*() {
          const value = yield* Effect.scoped(track({}))
          yield* collections(2)
          for (const sentinel of Option.toArray(yield* LeakMonitor.sentinel)) yield* TestHeap.collect(sentinel, value)
          yield* TestHeap.finalize
        })
        assert.deepStrictEqual(yield* leaksOf(script, {}, seed), [])
      }
    }))

  it.effect("is reported once for a Scope that is closed twice", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Scope.provide(track({}), scope)
        yield* Scope.close(scope, Exit.void)
        yield* collections(2)
        yield* Scope.close(scope, Exit.void)
        yield* collections(5)
      }))
      assert.deepStrictEqual(kindsOf(leaks), ["NotReleased value"])
    }))

  it.effect("counts from the call of track if the Scope is already closed", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Scope.close(scope, Exit.void)
        yield* collections(3)
        yield* Scope.provide(track({}, "one"), scope)
        yield* Scope.provide(track({}, "two"), scope)
        yield* collections(2)
        yield* collection
      }))
      assert.deepStrictEqual(kindsOf(leaks), ["NotReleased one", "NotReleased two"])
    }))

  it.effect("counts collections separately for each Scope", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(Effect.gen(function*() {
        yield* Effect.scoped(track({}, "early"))
        yield* collection
        yield* Effect.scoped(track({}, "late"))
        yield* collections(2)
      }))
      assert.deepStrictEqual(kindsOf(leaks), ["NotReleased early"])
    }))
})

describe("track", () => {
  it.effect("returns the value", () =>
    Effect.gen(function*() {
      const value = { id: 1 }
      assert.strictEqual(yield* LeakMonitor.track(value, { name: "off" }), value)
      yield* leaksOf(Effect.scoped(Effect.map(track(value), (tracked) => assert.strictEqual(tracked, value))))
    }))

  it.effect("does nothing without a layer", () =>
    Effect.gen(function*() {
      const registered: Array<unknown> = []
      class Registry<T> extends FinalizationRegistry<T> {
        override register(target: WeakKey, held: T) {
          registered.push(held)
          super.register(target, held)
        }
      }
      const scope = yield* Scope.make()
      yield* Scope.provide(track({}), scope).pipe(
        Effect.provideService(Heap.Heap, { WeakRef, WeakMap, FinalizationRegistry: Registry })
      )
      assert.deepStrictEqual(registered, [])
      assert.strictEqual(scope.state._tag, "Empty")
    }))

  for (const value of [1, "text", null, undefined, true, 1n, Symbol.for("registered")]) {
    for (const level of ["off", "all"] as const) {
      it.effect(`dies with NotWeakReferenceableError for ${String(value)} at the level "${level}"`, () =>
        Effect.gen(function*() {
          const exit = yield* Effect.exit(Effect.scoped(track(value as unknown as WeakKey))).pipe(
            Effect.provide(LeakMonitor.layer({ level }))
          )
          const error = Exit.isFailure(exit) && Cause.squash(exit.cause)
          assert.instanceOf(error, WeakError.NotWeakReferenceableError)
        }))
    }
  }

  it.effect("adds one finalizer to the Scope for any number of objects", () =>
    leaksOf(Effect.gen(function*() {
      const scope = yield* Scope.make()
      for (let index = 0; index < 10; index++) yield* Scope.provide(track({}), scope)
      assert.isTrue(scope.state._tag === "Open" && scope.state.finalizers === undefined)
      yield* Scope.close(scope, Exit.void)
    })))

  it.effect("names the place of the call", () =>
    Effect.gen(function*() {
      const openConnection = Effect.fn(function*(value: object) {
        return yield* LeakMonitor.track(value, { name: "connection" })
      })
      const leaks = yield* leaksOf(Effect.scoped(
        Effect.flatMap(openConnection({}), (value) => TestHeap.collectAndFinalize(value))
      ))
      assert.match(leaks[0]!.stack.split("\n")[0]!, here)
      assert.isAtMost(leaks[0]!.stack.split("\n").length, 2)
      assert.notInclude(leaks[0]!.stack, "src/LeakMonitor.ts")
    }))

  it.effect("names the place of the run if the effect was made outside of a fiber", () =>
    Effect.gen(function*() {
      const value = {}
      const makeEffect = () => track(value)
      const made = yield* Effect.promise(() => Promise.resolve().then(makeEffect))
      const leaks = yield* leaksOf(Effect.scoped(Effect.andThen(made, TestHeap.collectAndFinalize(value))))
      assert.match(leaks[0]!.stack, /^ {4}at |^.*@/)
      assert.notInclude(leaks[0]!.stack, "makeEffect")
    }))

  it.effect("leaves Error.stackTraceLimit as it was", () =>
    Effect.gen(function*() {
      const before = Error.stackTraceLimit
      yield* Effect.ensuring(
        Effect.suspend(() => {
          Error.stackTraceLimit = 37
          return Effect.map(leaksOf(Effect.scoped(track({}))), () => assert.strictEqual(Error.stackTraceLimit, 37))
        }),
        Effect.sync(() => void (Error.stackTraceLimit = before))
      )
    }))

  it.effect("tracks completely or not at all if it is interrupted at any step", () =>
    Effect.gen(function*() {
      const outcomes = new Set<string>()
      const alignments = [2, 3, 4, 5].flatMap((ops) => [0, 1, 2, 3, 4, 5, 6].map((steps) => [ops, steps] as const))
      for (const [ops, steps] of alignments) {
        const value = {}
        const leaks = yield* leaksOf(Effect.gen(function*() {
          const scope = yield* Scope.make()
          // The fiber yields after every few operations, so that the interruption can come between any two.
          const tracking = Scope.provide(Effect.suspend(() => track(value)), scope).pipe(
            Effect.provideService(Scheduler.MaxOpsBeforeYield, ops)
          )
          const fiber = yield* Effect.forkChild(tracking)
          for (let step = 0; step < steps; step++) yield* Effect.yieldNow
          yield* Fiber.interrupt(fiber)
          yield* track({}, "next").pipe(Scope.provide(scope))
          yield* Scope.close(scope, Exit.void)
          yield* collections(3)
        }))
        outcomes.add(kindsOf(leaks).join())
      }
      assert.sameMembers([...outcomes], ["NotReleased next", "NotReleased value,NotReleased next"])
    }))

  it.effect("returns the value even if the monitor stops at any step", () =>
    Effect.gen(function*() {
      const outcomes = new Set<string>()
      for (const ops of [4, 5, 6, 7]) {
        for (let steps = 0; steps < 7; steps++) {
          const { inMonitor, stop } = yield* startMonitor()
          const scope = yield* Scope.make()
          const value = {}
          const tracking = inMonitor(Scope.provide(Effect.suspend(() => track(value)), scope)).pipe(
            Effect.provideService(Scheduler.MaxOpsBeforeYield, ops)
          )
          const fiber = yield* Effect.forkChild(tracking)
          for (let step = 0; step < steps; step++) yield* Effect.yieldNow
          yield* stop
          outcomes.add(scope.state._tag)
          assert.strictEqual(yield* Fiber.join(fiber), value)
          yield* Scope.close(scope, Exit.void)
        }
      }
      assert.sameMembers([...outcomes], ["Empty", "Open"])
    }).pipe(Effect.provide(TestHeap.layer)))
})

/** Builds a monitor in a Scope of its own, so that a test can stop it. */
const startMonitor = (options: Partial<LeakMonitor.Options> = {}) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(LeakMonitor.layer({ level: "all", ...options }), scope)
    return {
      inMonitor: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideContext(effect, context),
      stop: Scope.close(scope, Exit.void)
    }
  })

describe("layer", () => {
  it.effect("provides the level", () =>
    Effect.gen(function*() {
      const level = Effect.map(LeakMonitor.LeakMonitor, ({ level }) => level)
      assert.strictEqual(yield* level, "off")
      for (const expected of ["off", "sampled", "all"] as const) {
        assert.strictEqual(yield* Effect.provide(level, LeakMonitor.layer({ level: expected })), expected)
      }
    }))

  it("has the key of every copy and version of the library", () =>
    assert.strictEqual(LeakMonitor.LeakMonitor.key, "effect-weakref/LeakMonitor"))

  it.effect("switches an outer monitor off if the program provides another service", () =>
    Effect.gen(function*() {
      const service = { level: "all" as const, monitor: "its own" }
      const leaks = yield* leaksOf(
        Effect.scoped(Effect.flatMap(track({}), (value) => TestHeap.collectAndFinalize(value))).pipe(
          Effect.provideService(LeakMonitor.LeakMonitor, service)
        )
      )
      assert.deepStrictEqual(leaks, [])
    }))

  it.effect("at the level off, switches an outer monitor off", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(
        Effect.provide(
          Effect.scoped(Effect.flatMap(track({}), (value) => TestHeap.collectAndFinalize(value))),
          LeakMonitor.layer({ level: "off" })
        )
      )
      assert.deepStrictEqual(leaks, [])
    }))

  const leaked = (runs: number) =>
    Effect.gen(function*() {
      for (let index = 0; index < runs; index++) yield* Effect.scoped(track({}, String(index)))
      yield* collections(3)
    })

  const indexesOf = (leaks: ReadonlyArray<LeakMonitor.Leak>) => leaks.map(({ name }) => Number(name))

  it.effect("at the level sampled, draws the runs between two samples from Random", () =>
    Effect.gen(function*() {
      // With `every: 2`, a draw in [1 - 2^-n, 1 - 2^-(n+1)) skips n runs.
      const draws = [0, 0.5, 0.25, 0.75, 0.4, 0.9, 0.99]
      const skipped = [0, 1, 0, 2, 0, 3, 6]
      const random = { nextDoubleUnsafe: () => draws.shift() ?? 0, nextIntUnsafe: () => 0 }
      const leaks = yield* Effect.provideService(
        leaksOf(leaked(20), { level: "sampled", every: 2 }),
        Random.Random,
        random
      )
      let next = -1
      const expected = skipped.map((skip) => next += skip + 1)
      assert.deepStrictEqual(indexesOf(leaks), [...expected, 19])
    }))

  for (const every of [2, 7, 100]) {
    it.effect(`at the level sampled, tracks one run in ${every}, of every call site`, () =>
      Effect.gen(function*() {
        const runs = 200 * every
        const indexes = indexesOf(
          yield* Random.withSeed(leaksOf(leaked(runs), { level: "sampled", every }), `every ${every}`)
        )
        // The seed makes the count exact. These bounds are four standard deviations, so that a new generator passes too.
        assert.isAbove(indexes.length, 200 - 4 * Math.sqrt(200))
        assert.isBelow(indexes.length, 200 + 4 * Math.sqrt(200))
        for (const stride of [2, every]) {
          assert.strictEqual(new Set(indexes.map((index) => index % stride)).size > 1, true)
        }
      }))
  }

  it.effect("at the level sampled, tracks one run in 100 by default", () =>
    Effect.gen(function*() {
      // With `every: 100`, this draw skips 100 runs, and with any other number fewer or more.
      const draws = [1 - 0.99 ** 100.5]
      const random = { nextDoubleUnsafe: () => draws.shift() ?? 0, nextIntUnsafe: () => 0 }
      const leaks = yield* Effect.provideService(leaksOf(leaked(102), { level: "sampled" }), Random.Random, random)
      assert.deepStrictEqual(indexesOf(leaks), [100, 101])
    }))

  it.effect("at the level sampled, one in one is every run", () =>
    Effect.gen(function*() {
      assert.lengthOf(yield* leaksOf(leaked(30), { level: "sampled", every: 1 }), 30)
    }))

  it.effect("at the level all, draws nothing from Random", () =>
    Effect.gen(function*() {
      let draws = 0
      const random = { nextDoubleUnsafe: () => draws++, nextIntUnsafe: () => draws++ }
      yield* Effect.provideService(leaksOf(leaked(3)), Random.Random, random)
      assert.strictEqual(draws, 0)
    }))

  it.effect("at the level all, ignores every", () =>
    Effect.gen(function*() {
      const leaks = yield* leaksOf(
        Effect.andThen(Effect.repeat(Effect.scoped(track({})), { times: 4 }), collections(3)),
        { every: 5 }
      )
      assert.lengthOf(leaks, 5)
    }))

  it.effect("dies if an option is invalid", () =>
    Effect.gen(function*() {
      const defectOf = (options: unknown) =>
        Effect.map(
          Effect.exit(Effect.provide(Effect.void, LeakMonitor.layer(options as LeakMonitor.Options))),
          (exit) => Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        )
      for (
        const [options, message] of [
          [{ level: "some" }, "TypeError: level must be \"off\", \"sampled\" or \"all\", but it is \"some\""],
          [{ level: "all", patience: "soon" }, "TypeError: patience must be a duration, but it is \"soon\""],
          [{ level: "all", patience: null }, "TypeError: patience must be a duration, but it is null"],
          [{ level: "all", patience: -1 }, "RangeError: patience must not be negative, but it is -1ms"],
          ...[0, -1, 1.5, NaN].map((every) =>
            [
              { level: "sampled", every },
              `RangeError: every must be a positive integer, but it is ${every}`
            ] as const
          )
        ] as const
      ) assert.strictEqual(String(yield* defectOf(options)), message)
    }))

  it.effect("logs a warning with the name and the stack by default", () =>
    Effect.gen(function*() {
      const messages: Array<string> = []
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
        messages.push(`${logLevel} ${String(message)}`)
      })
      yield* Effect.scoped(Effect.gen(function*() {
        yield* TestHeap.collectAndFinalize(yield* track({}, "connection"))
        yield* Effect.scoped(track({}, "file"))
        yield* collections(3)
      })).pipe(
        Effect.provide(LeakMonitor.layer({ level: "all", patience: 0 })),
        Effect.provide(Logger.layer([logger])),
        Effect.provide(TestHeap.layer)
      )
      assert.lengthOf(messages, 2)
      assert.match(messages[0]!, /^Warn "connection" was collected, but the Scope .* is still open/)
      assert.match(messages[1]!, /^Warn "file" is still alive three full collections after its Scope closed/)
      for (const message of messages) assert.match(message.split("\n")[1]!, here)
    }))

  it.effect("runs onLeak with the services that it was built with", () =>
    Effect.gen(function*() {
      class Tenant extends Context.Reference<string>("test/Tenant", { defaultValue: () => "nobody" }) {}
      const tenants: Array<string> = []
      const monitor = LeakMonitor.layer({
        level: "all",
        patience: 0,
        onLeak: () => Effect.map(Tenant, (tenant) => void tenants.push(tenant))
      }).pipe(Layer.provide(Layer.succeed(Tenant, "the layer's")))
      yield* Effect.scoped(Effect.flatMap(track({}), (value) => TestHeap.collectAndFinalize(value))).pipe(
        Effect.provideService(Tenant, "the caller's"),
        Effect.provide(monitor),
        Effect.provide(TestHeap.layer)
      )
      assert.deepStrictEqual(tenants, ["the layer's"])
    }))

  it.effect("runs onLeak asynchronously, even if runSync built the layer", () =>
    Effect.gen(function*() {
      const testHeap = TestHeap.makeUnsafe()
      const modes: Array<string> = []
      const onLeak = () => Effect.map(Scheduler.Scheduler, ({ executionMode }) => void modes.push(executionMode))
      const layer = LeakMonitor.layer({ level: "all", patience: 0, onLeak }).pipe(
        Layer.provide(Layer.succeed(Heap.Heap, testHeap.heap))
      )
      const scope = Scope.makeUnsafe()
      const value = {}
      const context = Effect.runSync(Layer.buildWithScope(layer, scope))
      Effect.runSync(Effect.provideContext(Scope.provide(track(value), scope), context))
      testHeap.collect(value)
      testHeap.finalize()
      yield* Effect.yieldNow
      assert.deepStrictEqual(modes, ["async"])
      yield* Scope.close(scope, Exit.void)
    }))

  it.effect("logs a failure of onLeak and continues", () =>
    Effect.gen(function*() {
      let leaks = 0
      const reports = yield* reportsOf(leaksOf(
        Effect.gen(function*() {
          yield* Effect.scoped(Effect.andThen(track({}, "one"), track({}, "two")))
          yield* collections(3)
          yield* Effect.scoped(track({}, "three"))
          yield* collections(3)
        }),
        {
          onLeak: ({ name }) => {
            leaks++
            if (name === "one") throw new Error("thrown")
            return name === "two" ? Effect.die(new Error("died")) : Effect.void
          }
        }
      ))
      assert.strictEqual(leaks, 3)
      assert.deepStrictEqual(reports, ["Error: thrown", "Error: died"])
    }))

  it.effect("stops when its Scope closes, and interrupts a running onLeak", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const started = yield* Deferred.make<void>()
      const kept = {}
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        LeakMonitor.layer({
          level: "all",
          patience: 0,
          onLeak: ({ name }) =>
            Effect.sync(() => events.push(`started ${name}`)).pipe(
              Effect.andThen(Deferred.succeed(started, undefined)),
              Effect.andThen(Effect.never),
              Effect.onInterrupt(() => Effect.sync(() => events.push("interrupted")))
            )
        }),
        scope
      )
      const tracked = yield* Scope.make()
      const inMonitor = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideContext(effect, context)
      yield* inMonitor(Scope.provide(track(kept, "first"), tracked))
      yield* TestHeap.collect(kept)
      const finalizing = yield* Effect.forkChild(TestHeap.finalize)
      yield* Deferred.await(started)
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(finalizing)
      assert.deepStrictEqual(events, ["started first", "interrupted"])

      // From now on, the monitor tracks, counts and reports nothing.
      const later = yield* Scope.make()
      yield* inMonitor(Scope.provide(track(kept, "later"), later))
      assert.strictEqual(later.state._tag, "Empty")
      yield* inMonitor(Scope.provide(track(kept, "second"), tracked))
      yield* TestHeap.collectAndFinalize(kept)
      yield* Scope.close(tracked, Exit.void)
      assert.deepStrictEqual(yield* inMonitor(LeakMonitor.sentinel), Option.none())
      assert.lengthOf(events, 2)
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("closes a Scope whose objects it tracked after it has stopped", () =>
    Effect.gen(function*() {
      const { inMonitor, stop } = yield* startMonitor()
      yield* Effect.scoped(Effect.andThen(inMonitor(track({})), stop))
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("reports nothing more after onLeak has stopped the monitor", () =>
    Effect.gen(function*() {
      for (const kind of ["NotClosed", "NotReleased"] as const) {
        const leaks: Array<LeakMonitor.Leak> = []
        const { inMonitor, stop } = yield* startMonitor({
          onLeak: (leak) =>
            Effect.sync(() => {
              leaks.push(leak)
              Effect.runFork(stop)
            })
        })
        const both = Effect.zip(track({}, "one"), track({}, "two"))
        yield* inMonitor(
          kind === "NotClosed"
            ? Effect.scoped(
              Effect.flatMap(both, (values) => TestHeap.collectAndFinalize(...values)).pipe(
                Effect.andThen(TestClock.adjust("1 minute"))
              )
            )
            : Effect.andThen(Effect.scoped(both), collections(3))
        )
        assert.deepStrictEqual(leaks.map((leak) => leak.kind), [kind])
      }
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("has one registry for each heap, whatever is tracked by how many monitors", () =>
    Effect.gen(function*() {
      const { heap, made } = countingHeap()
      const monitor = LeakMonitor.layer({ level: "all" })
      const twice = Effect.andThen(Effect.scoped(track({})), Effect.scoped(track({})))
      for (let n = 0; n < 2; n++) {
        yield* Effect.provideService(Effect.provide(twice, monitor, { local: true }), Heap.Heap, heap)
      }
      // Three sentinels and a probe for each monitor.
      assert.deepStrictEqual(made, [2 * (3 + 1 + 2)])
    }))

  it.effect("runs several monitors side by side", () =>
    Effect.gen(function*() {
      const outer: Array<string> = []
      const inner: Array<string> = []
      const into = (list: Array<string>) =>
        LeakMonitor.layer({ level: "all", patience: 0, onLeak: ({ name }) => Effect.sync(() => void list.push(name)) })
      yield* Effect.gen(function*() {
        const scope = yield* Scope.make()
        const value = yield* Scope.provide(track({}, "outer"), scope)
        yield* Effect.provide(
          Effect.flatMap(Scope.provide(track({}, "inner"), scope), (value) => TestHeap.collectAndFinalize(value)),
          into(inner)
        )
        yield* TestHeap.collectAndFinalize(value)
      }).pipe(Effect.provide(into(outer)), Effect.provide(TestHeap.layer))
      assert.deepStrictEqual([outer, inner], [["outer"], ["inner"]])
    }))
})

describe("the monitor", () => {
  it.effect("runs from the start of its layer to the end, and several are counted", () =>
    Effect.gen(function*() {
      const seen = [isAnyRunning()]
      const monitor = LeakMonitor.layer({ level: "all" })
      const see = Effect.sync(() => seen.push(isAnyRunning()))
      yield* Effect.provide(Effect.andThen(Effect.provide(see, monitor, { local: true }), see), monitor)
      yield* see
      assert.deepStrictEqual(seen, [false, true, true, false])
    }))

  it("names at most two frames above a function, and nothing without a stack", () => {
    // JavaScriptCore leaves out a frame whose last act was a call, and SpiderMonkey has no limit of frames.
    if (!isNode) return skip("compares with the stacks of V8")
    const { captureStackTrace, prepareStackTrace, stackTraceLimit } = Error
    const inner = () => stackAbove(inner)
    const outer = () => inner()
    const lines = outer().split("\n")
    assert.isAtMost(lines.length, 2)
    for (const line of lines) assert.match(line, /^ {4}at |@/)
    try {
      Error.prepareStackTrace = () => undefined
      assert.strictEqual(outer(), "")
      Error.prepareStackTrace = () => "frame@file"
      assert.strictEqual(outer(), "frame@file")
      Error.prepareStackTrace = prepareStackTrace
      Object.assign(Error, { captureStackTrace: undefined })
      for (const line of outer().split("\n")) assert.match(line, /^ {4}at |@/)
    } finally {
      Object.assign(Error, { captureStackTrace, prepareStackTrace, stackTraceLimit })
    }
  })

  it.effect("names the place of each sample, even if most runs are no samples", () =>
    Effect.gen(function*() {
      const draws = [0.5, 0.5, 0.75, 0]
      const random = { nextDoubleUnsafe: () => draws.shift() ?? 0, nextIntUnsafe: () => 0 }
      const script = Effect.gen(function*() {
        for (let n = 0; n < 7; n++) yield* Effect.scoped(LeakMonitor.track({ n }, { name: String(n) }))
        yield* collections(3)
      })
      const leaks = yield* Effect.provideService(
        leaksOf(script, { level: "sampled", every: 2 }),
        Random.Random,
        random
      )
      assert.deepStrictEqual(leaks.map(({ name }) => name), ["1", "3", "6"])
      for (const { stack } of leaks) assert.match(stack.split("\n")[0]!, here)
    }))

  it.effect("forgets what it no longer watches", () =>
    Effect.gen(function*() {
      const { collect, finalize, heap } = TestHeap.makeUnsafe()
      const records: Array<globalThis.WeakRef<object>> = []
      class Registry<T> extends heap.FinalizationRegistry<T> {
        override register(target: WeakKey, held: T, token?: WeakKey): void {
          if ("closedAt" in (held as object)) records.push(new globalThis.WeakRef(held as object))
          super.register(target, held, token)
        }
      }
      const scope = yield* Scope.make()
      const forgotten = () => {
        const record = records.pop()!
        assert.lengthOf(records, 0)
        return collectUntil(() => record.deref() === undefined)
      }
      yield* Effect.gen(function*() {
        // Collected in an open Scope, by a monitor that never loses its patience.
        const open = yield* Scope.provide(track({}), scope)
        collect(open)
        finalize()
        assert.isTrue(yield* forgotten())
        // Collected after its Scope has closed.
        const closed = yield* Effect.scoped(track({}))
        collect(closed)
        finalize()
        assert.isTrue(yield* forgotten())
      }).pipe(
        Effect.provide(LeakMonitor.layer({ level: "all", patience: "Infinity" })),
        Effect.provideService(Heap.Heap, { ...heap, FinalizationRegistry: Registry })
      )
      yield* Scope.close(scope, Exit.void)
    }))
})

describe("sentinel", () => {
  /** A test heap that remembers every object that a registry registers. */
  const observed = () => {
    const testHeap = TestHeap.makeUnsafe()
    const registered: Array<WeakKey> = []
    class Registry<T> extends testHeap.heap.FinalizationRegistry<T> {
      override register(target: WeakKey, held: T, token?: WeakKey) {
        registered.push(target)
        super.register(target, held, token)
      }
    }
    const layer = Layer.succeed(Heap.Heap, { ...testHeap.heap, FinalizationRegistry: Registry })
    /** Dies in the next collection of any kind, as everything does that was just allocated. */
    const collectProbe = (): boolean => {
      const probes = registered.splice(0).filter((target) => !sentinels.has(target))
      for (const probe of probes) testHeap.collect(probe)
      testHeap.finalize()
      return probes.length > 0
    }
    const sentinels = new Set<WeakKey>()
    const collectSentinel = Effect.map(LeakMonitor.sentinel, (sentinel) => {
      for (const target of Option.toArray(sentinel)) testHeap.collect(target)
      testHeap.finalize()
    })
    return { collectProbe, collectSentinel, layer, registered, sentinels }
  }

  it.effect("is not counted if the monitor let it go before the Scope closed", () =>
    Effect.gen(function*() {
      const leaks: Array<string> = []
      const monitor = LeakMonitor.layer({
        level: "all",
        onLeak: ({ kind, name }) => Effect.sync(() => void leaks.push(`${kind} ${name}`))
      })
      const { collectProbe, collectSentinel, layer, registered, sentinels } = observed()
      yield* Effect.gen(function*() {
        const tracked = { id: 1 }
        // The monitor made three sentinels first, and then the probe.
        for (const sentinel of registered.splice(0, 3)) sentinels.add(sentinel)
        assert.isTrue(collectProbe())
        assert.isTrue(collectProbe())
        assert.isFalse(collectProbe())
        yield* Effect.scoped(track(tracked, "held"))
        for (let round = 0; round < 3; round++) yield* collectSentinel
        assert.deepStrictEqual(leaks, [])
        yield* collectSentinel
        assert.deepStrictEqual(leaks, ["NotReleased held"])
      }).pipe(Effect.provide(monitor), Effect.provide(layer))
    }))

  it.effect("is the oldest of three, which are let go one after the other, when they are old", () =>
    Effect.gen(function*() {
      const leaks: Array<string> = []
      const monitor = LeakMonitor.layer({
        level: "all",
        onLeak: ({ name }) => Effect.sync(() => void leaks.push(name))
      })
      const { collectProbe, collectSentinel, layer, registered, sentinels } = observed()
      yield* Effect.gen(function*() {
        const made = registered.splice(0, 3)
        for (const sentinel of made) sentinels.add(sentinel)
        assert.deepStrictEqual([collectProbe(), collectProbe(), collectProbe()], [true, true, false])
        // A new sentinel needs a probe to grow old, but not one for each.
        const seen: Array<WeakKey | undefined> = []
        for (const count of [2, 1]) {
          seen.push(Option.getOrUndefined(yield* LeakMonitor.sentinel))
          yield* collectSentinel
          assert.lengthOf(registered.splice(0), count)
        }
        seen.push(Option.getOrUndefined(yield* LeakMonitor.sentinel))
        assert.deepStrictEqual(seen.map((sentinel) => made.indexOf(sentinel!)), [0, 1, 2])
        yield* Effect.scoped(track({}, "held"))
        for (let round = 0; round < 3; round++) yield* collectSentinel
        // The third sentinel is not counted, because it was let go before the Scope closed.
        assert.deepStrictEqual(leaks, [])
        yield* collectSentinel
        assert.deepStrictEqual(leaks, ["held"])
      }).pipe(Effect.provide(monitor), Effect.provide(layer))
    }))

  it.effect("is not replaced after the monitor has stopped", () =>
    Effect.gen(function*() {
      const { collectProbe, layer, registered } = observed()
      yield* Effect.provide(Effect.void, LeakMonitor.layer({ level: "all" })).pipe(Effect.provide(layer))
      // Collects the sentinels too.
      assert.isTrue(collectProbe())
      assert.deepStrictEqual(registered, [])
    }))

  it.effect("is at least as old as any tracked object on the real heap", () =>
    Effect.gen(function*() {
      const leaks: Array<string> = []
      const collect = globalThis.gc as undefined | ((options?: { readonly type: "minor" }) => void)
      if (collect === undefined || "Bun" in globalThis) return
      const holder: { session?: object | undefined } = { session: { user: 1 } }
      collect()
      collect()
      yield* Effect.gen(function*() {
        yield* Effect.scoped(Effect.suspend(() => Effect.asVoid(track(holder.session!, "session"))))
        holder.session = undefined
        for (let round = 0; round < 12; round++) {
          yield* inLaterTask
          collect({ type: "minor" })
          yield* inLaterTask
        }
      }).pipe(Effect.provide(LeakMonitor.layer({
        level: "all",
        onLeak: ({ kind, name }) => Effect.sync(() => void leaks.push(`${kind} ${name}`))
      })))
      assert.deepStrictEqual(leaks, [])
    }))
})

/** Waits long enough for the engine to run its clean-ups, which it does in tasks of their own. */
const inLaterTask = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 2)))

describe("on the real heap", () => {
  const collecting = (leaks: Array<string>) =>
    LeakMonitor.layer({
      level: "all",
      patience: 0,
      onLeak: ({ kind, name }) => Effect.sync(() => void leaks.push(`${kind} ${name}`))
    })

  it.effect("an object that is dropped in an open Scope is NotClosed", () =>
    Effect.gen(function*() {
      const leaks: Array<string> = []
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Effect.suspend(() => Effect.asVoid(track({ dropped: true }, "dropped")))
        assert.isTrue(yield* collectUntil(() => leaks.length > 0))
      })).pipe(Effect.provide(collecting(leaks)))
      assert.deepStrictEqual(leaks, ["NotClosed dropped"])
    }))

  it.effect("an object that is held after its Scope closed is NotReleased", () =>
    Effect.gen(function*() {
      const leaks: Array<string> = []
      const held = { id: 1 }
      yield* Effect.gen(function*() {
        yield* Effect.scoped(track(held, "held"))
        assert.isTrue(yield* collectUntil(() => leaks.length > 0))
      }).pipe(Effect.provide(collecting(leaks)))
      assert.deepStrictEqual(leaks, ["NotReleased held"])
      assert.strictEqual(held.id, 1)
    }))

  it.effect("an object that is released is not reported, even if it is a method's receiver", () =>
    Effect.gen(function*() {
      const leaks: Array<string> = []
      class Connection {
        readonly open = true
        track() {
          return LeakMonitor.track(this, { name: "connection" })
        }
      }
      yield* Effect.gen(function*() {
        for (let index = 0; index < 20; index++) {
          yield* Effect.scoped(Effect.suspend(() => Effect.asVoid(new Connection().track())))
        }
        yield* collectThoroughly
      }).pipe(Effect.provide(collecting(leaks)))
      assert.deepStrictEqual(leaks, [])
    }))

  it.effect("the monitor forgets a report that has ended", () =>
    Effect.gen(function*() {
      const fibers: Array<globalThis.WeakRef<object>> = []
      const monitor = LeakMonitor.layer({
        level: "all",
        patience: 0,
        onLeak: () => Effect.withFiber((fiber) => Effect.sync(() => void fibers.push(new globalThis.WeakRef(fiber))))
      })
      yield* Effect.scoped(Effect.gen(function*() {
        for (let n = 0; n < 10; n++) yield* Effect.suspend(() => Effect.asVoid(track({})))
        assert.isTrue(yield* collectUntil(() => fibers.some((fiber) => fiber.deref() === undefined)))
      })).pipe(Effect.provide(monitor))
    }))

  it.effect("neither the monitor nor the Scope keeps a tracked object alive", () =>
    Effect.gen(function*() {
      const leaks: Array<string> = []
      let probe: globalThis.WeakRef<object> | undefined
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Effect.suspend(() => {
          const value = {}
          probe = new globalThis.WeakRef(value)
          return Effect.asVoid(track(value))
        })
        assert.isTrue(yield* collectUntil(() => probe!.deref() === undefined))
      })).pipe(Effect.provide(collecting(leaks)))
    }))
})

it.effect("a test heap waits for the reports of a collection", () =>
  Effect.gen(function*() {
    const leaks: Array<string> = []
    const onLeak = ({ kind, name }: LeakMonitor.Leak) =>
      Effect.promise(() => new Promise<void>((resolve) => void setTimeout(resolve, 1))).pipe(
        Effect.andThen(Effect.sync(() => void leaks.push(`${kind} ${name}`)))
      )
    yield* leaksOf(
      Effect.gen(function*() {
        const held = [yield* Effect.scoped(track({}, "a")), yield* Effect.scoped(track({}, "b"))]
        yield* collections(3)
        assert.deepStrictEqual(leaks, ["NotReleased a", "NotReleased b"])
        assert.lengthOf(held, 2)
        // The records have ended, so the clean-ups of the objects report nothing more.
        yield* TestHeap.collectAndFinalize(...held)
        yield* collections(3)
        assert.lengthOf(leaks, 2)
      }),
      { onLeak }
    )
    leaks.length = 0
    yield* leaksOf(
      Effect.gen(function*() {
        yield* Effect.scoped(Effect.flatMap(track({}, "c"), (value) => TestHeap.collectAndFinalize(value)))
        assert.deepStrictEqual(leaks, ["NotClosed c"])
        yield* Effect.scoped(track({}, "d"))
        yield* collections(3)
        assert.deepStrictEqual(leaks, ["NotClosed c", "NotReleased d"])
      }),
      { onLeak }
    )
  }))
