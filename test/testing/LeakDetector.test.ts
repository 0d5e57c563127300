import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Scope } from "effect"
import { EventEmitter } from "node:events"
import { Finalizer, WeakError, WeakRef } from "../../src/index.ts"
import { LeakDetector } from "../../src/testing/index.ts"

class Leaky {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Creates a value that `keep` holds, and returns the error of `expectCollected`. */
const leakThrough = (keep: (value: Leaky) => void): Effect.Effect<LeakDetector.LeakError> =>
  Effect.flip(LeakDetector.expectCollected(
    Effect.sync(() => {
      const value = new Leaky("leaked")
      keep(value)
      return value
    }),
    { rounds: 1 }
  )).pipe(Effect.catch(() => Effect.die(new Error("The value was collected"))))

const kindsOf = (error: LeakDetector.LeakError) => error.retainers.map(({ kind }) => kind)

const assertPath = (error: LeakDetector.LeakError, expected: RegExp): void =>
  assert.match(error.message.split("\n")[1] ?? error.message, expected)

/** A global object with a known name, for leaks. Emptied after each test. */
const onGlobal = <A, E, R>(
  name: string,
  use: (hold: (holder: unknown) => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.ensuring(
    Effect.suspend(() => use((holder) => Reflect.set(globalThis, name, holder))),
    Effect.sync(() => Reflect.deleteProperty(globalThis, name))
  )

describe("expectCollected", () => {
  it.effect("succeeds for a value that nothing holds", () =>
    LeakDetector.expectCollected(Effect.sync(() => ({ name: "garbage" }))))

  it.effect("succeeds for a value that was held only while the effect ran", () =>
    LeakDetector.expectCollected(Effect.gen(function*() {
      const value = { name: "garbage" }
      yield* Effect.yieldNow
      yield* WeakRef.make(value)
      return value
    })))

  it.effect("fails for a value that is held", () =>
    Effect.gen(function*() {
      const held: Array<object> = []
      const error = yield* Effect.flip(LeakDetector.expectCollected(Effect.sync(() => {
        const value = {}
        held.push(value)
        return value
      })))
      assert.instanceOf(error, LeakDetector.LeakError)
      assert.strictEqual(error.rounds, 20)
      assert.include(error.message, "still reachable after 20 collections")
      assert.lengthOf(held, 1)
    }))

  it.effect("finds a value that a suspended fiber holds", () =>
    Effect.gen(function*() {
      const holding = Effect.gen(function*() {
        const made = yield* Deferred.make<object>()
        yield* Effect.forkScoped(Effect.gen(function*() {
          const value = { name: "held by a fiber" }
          yield* Deferred.succeed(made, value)
          yield* Effect.never
          return value
        }))
        return yield* Deferred.await(made)
      })
      const error = yield* Effect.flip(LeakDetector.expectCollected(holding, { rounds: 5, retainers: false }))
      assert.instanceOf(error, LeakDetector.LeakError)
      yield* LeakDetector.expectCollected(Effect.scoped(holding))
    }))

  it.effect("finds a finalizer that captures its target", () =>
    Effect.gen(function*() {
      const capturing = Effect.suspend(() => {
        const target = { closed: false }
        return Effect.as(Finalizer.make(target, Effect.sync(() => target.closed = true)), target)
      })
      const options = { rounds: 5, retainers: false }
      assert.instanceOf(yield* Effect.flip(LeakDetector.expectCollected(capturing, options)), LeakDetector.LeakError)
      yield* LeakDetector.expectCollected(Effect.suspend(() => {
        const target = {}
        return Effect.as(Finalizer.make(target, Effect.void), target)
      }))
    }))

  it.effect("has the failure and the services of the effect", () =>
    Effect.gen(function*() {
      class Name extends Context.Service<Name, string>()("test/Name") {}
      const make = Effect.flatMap(Name, (name) =>
        name === "bad" ? Effect.fail("mine" as const) : Effect.succeed({ name }))
      const error = yield* Effect.flip(Effect.provideService(LeakDetector.expectCollected(make), Name, "bad"))
      assert.strictEqual(error, "mine")
      yield* Effect.provideService(LeakDetector.expectCollected(make), Name, "good")
    }))

  it.effect("forces the given number of collections", () =>
    Effect.gen(function*() {
      const held: Array<object> = []
      const make = Effect.sync(() => held[held.push({}) - 1]!)
      const error = yield* Effect.flip(LeakDetector.expectCollected(make, { rounds: 3, retainers: false }))
      assert.instanceOf(error, LeakDetector.LeakError)
      assert.strictEqual(error.rounds, 3)
    }))

  for (const rounds of [0, -1, 1.5, NaN, Infinity, "3"]) {
    it.effect(`dies with a RangeError if rounds is ${JSON.stringify(rounds)}`, () =>
      Effect.gen(function*() {
        const make = Effect.sync(() => ({}))
        const exit = yield* Effect.exit(LeakDetector.expectCollected(make, { rounds: rounds as number }))
        assert.isTrue(Exit.isFailure(exit))
        const error = Exit.isFailure(exit) && Cause.squash(exit.cause)
        assert.instanceOf(error, RangeError)
        assert.include(error.message, `rounds must be a positive integer, but it is ${rounds}`)
      }))
  }

  for (const value of [5, "text", undefined, null, Symbol.for("registered")]) {
    it.effect(`dies with NotWeakReferenceableError if untyped code returns ${String(value)}`, () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(LeakDetector.expectCollected(Effect.succeed(value as unknown as object)))
        const error = Exit.isFailure(exit) && Cause.squash(exit.cause)
        assert.instanceOf(error, WeakError.NotWeakReferenceableError)
        assert.strictEqual(error.value, value)
      }))
  }
})

describe("LeakError", () => {
  it.effect("has no retainers if the search is switched off", () =>
    Effect.gen(function*() {
      const held: Array<object> = []
      const make = Effect.sync(() => held[held.push({}) - 1]!)
      const error = yield* Effect.flip(LeakDetector.expectCollected(make, { rounds: 1, retainers: false }))
      assert.instanceOf(error, LeakDetector.LeakError)
      assert.deepStrictEqual(error.retainers, [])
      assert.include(error.message, "the search was switched off")
    }))

  it.effect("has a reason if the host offers no snapshot", () =>
    Effect.gen(function*() {
      const real = process.getBuiltinModule
      const held: Array<object> = []
      const make = Effect.sync(() => held[held.push({}) - 1]!)
      const error = yield* Effect.ensuring(
        Effect.suspend(() => {
          Reflect.set(process, "getBuiltinModule", undefined)
          return Effect.flip(LeakDetector.expectCollected(make, { rounds: 1 }))
        }),
        Effect.sync(() => Reflect.set(process, "getBuiltinModule", real))
      )
      assert.instanceOf(error, LeakDetector.LeakError)
      assert.deepStrictEqual(error.retainers, [])
      assert.include(error.message, "this host offers no heap snapshot")
    }))

  it("prints properties joined, and quotes names that are not identifiers", () => {
    const error = new LeakDetector.LeakError({
      rounds: 1,
      retainers: [
        { holder: "globalThis", via: "app", kind: "property" },
        { holder: "Object", via: "the cache", kind: "property" },
        { holder: "Array", via: "[2]", kind: "element" },
        { holder: "Vault", via: "#hidden", kind: "property" },
        { holder: "Object", via: "Symbol(secret)", kind: "property" }
      ]
    })
    assertPath(error, /^ {2}globalThis\.app\["the cache"\]\[2\] → Vault\.#hidden\[Symbol\(secret\)\] → value$/)
  })
})

describe("the retaining path", { timeout: 120_000 }, () => {
  it.effect("of a closure names the variable, the function and its place", () =>
    onGlobal("leakedThrough", (hold) =>
      Effect.gen(function*() {
        const error = yield* leakThrough((value) =>
          hold(function holder() {
            return value
          })
        )
        assert.deepStrictEqual(kindsOf(error), ["property", "closure"])
        assertPath(
          error,
          /^ {2}globalThis\.leakedThrough → variable value captured by closure holder \(test\/testing\/LeakDetector\.test\.ts:\d+:\d+\) → value$/
        )
      })))

  it.effect("of a Map names the key", () =>
    onGlobal("leakedThrough", (hold) =>
      Effect.gen(function*() {
        const byString = yield* leakThrough((value) => hold(new Map<unknown, object>([["other", {}], ["k", value]])))
        assert.deepStrictEqual(byString.retainers, [
          { holder: "globalThis", via: "leakedThrough", kind: "property" },
          { holder: "Map", via: "entry \"k\"", kind: "entry" }
        ])
        assertPath(byString, /^ {2}globalThis\.leakedThrough → Map → entry "k" → value$/)
        const byNumber = yield* leakThrough((value) => hold(new Map<number, object>([[1, {}], [42, value]])))
        assertPath(byNumber, /Map → entry 42 → value$/)
        const asKey = yield* leakThrough((value) => hold(new Map([[value, 1]])))
        assertPath(asKey, /Map → key → value$/)
        const inSet = yield* leakThrough((value) => hold({ deep: [0, new Set([1, value])] }))
        assertPath(inSet, /globalThis\.leakedThrough\.deep\[1\] → Set → element → value$/)
      })))

  it.effect("of a listener names the event and the emitter", () =>
    onGlobal("leakedThrough", (hold) =>
      Effect.gen(function*() {
        class Bus extends EventEmitter {}
        const one = yield* leakThrough((value) => hold(new Bus().on("data", () => value)))
        assertPath(one, /^ {2}globalThis\.leakedThrough → listener "data" of Bus → variable value captured by closure /)
        assert.include(kindsOf(one), "listener")
        const several = yield* leakThrough((value) =>
          hold(new EventEmitter().on("data", () => {}).on("data", () => value))
        )
        assertPath(several, /→ listener "data" of EventEmitter → variable value captured by closure /)
        const onTarget = yield* leakThrough((value) => {
          const target = new EventTarget()
          target.addEventListener("boom", () => value)
          hold(target)
        })
        assertPath(onTarget, /→ listener "boom" of EventTarget → variable value captured by closure /)
      })))

  it.effect("of a timer begins with the timer", () =>
    Effect.gen(function*() {
      const started: Array<NodeJS.Timeout | NodeJS.Immediate> = []
      const timeout = yield* leakThrough((value) => {
        started.push(setTimeout(function onTime() {
          return value
        }, 1_000_000))
      })
      assertPath(timeout, /timer \(setTimeout\) → variable value captured by closure onTime \(.*\) → value$/)
      assert.include(kindsOf(timeout), "timer")
      const interval = yield* leakThrough((value) => void started.push(setInterval(() => value, 1_000_000)))
      assertPath(interval, /timer \(setInterval\) → variable value captured by closure .* → value$/)
      const withArguments = yield* leakThrough((value) => {
        started.push(setTimeout((argument: Leaky) => argument, 1_000_000, value))
      })
      assertPath(withArguments, /timer \(setTimeout\) → arguments → value$/)
      for (const timer of started) clearTimeout(timer as NodeJS.Timeout)
    }))

  it.effect("of a Promise names the reaction or the result", () =>
    onGlobal("leakedThrough", (hold) =>
      Effect.gen(function*() {
        const reaction = yield* leakThrough((value) => {
          const never = new Promise<void>(() => {})
          void never.then(function react() {
            return value
          })
          hold(never)
        })
        assertPath(
          reaction,
          /^ {2}globalThis\.leakedThrough → Promise reaction → variable value captured by closure react /
        )
        assert.include(kindsOf(reaction), "promise")
        const result = yield* leakThrough((value) => hold(Promise.resolve(value)))
        assertPath(result, /^ {2}globalThis\.leakedThrough → Promise result → value$/)
      })))

  it.effect("of a suspended generator or async function names it", () =>
    onGlobal("leakedThrough", (hold) =>
      Effect.gen(function*() {
        function* walk(value: Leaky) {
          yield 1
          yield value
        }
        const generator = yield* leakThrough((value) => {
          const steps = walk(value)
          steps.next()
          hold(steps)
        })
        assertPath(generator, /^ {2}globalThis\.leakedThrough → suspended generator "walk" → value$/)
        assert.include(kindsOf(generator), "generator")

        const load = async (value: Leaky, gate: Promise<void>) => {
          await gate
          return value
        }
        const asynchronous = yield* leakThrough((value) => {
          const gate = new Promise<void>(() => {})
          void load(value, gate)
          hold(gate)
        })
        assertPath(asynchronous, /Promise reaction → suspended async function "load" → value$/)
      })))

  it.effect("of a suspended fiber names what it runs", () =>
    onGlobal("leakedThrough", (hold) =>
      Effect.gen(function*() {
        const gate = Deferred.makeUnsafe<void>()
        hold(gate)
        const loadUser = Effect.fn("loadUser")(function*(value: Leaky) {
          yield* Deferred.await(gate)
          return value
        })
        const named = yield* leakThrough((value) => void Effect.runFork(loadUser(value)))
        assertPath(
          named,
          /^ {2}globalThis\.leakedThrough → .*suspended fiber of "loadUser" → suspended generator .*→ value$/
        )
        assert.include(kindsOf(named), "fiber")

        const inSpan = yield* leakThrough((value) => {
          Effect.runFork(Effect.withSpan(Effect.as(Deferred.await(gate), value), "saveUser"))
        })
        assertPath(inSpan, /suspended fiber of "saveUser" → value$/)

        const byGenerator = yield* leakThrough((value) => {
          Effect.runFork(Effect.gen(function* deleteUser() {
            const local = value
            yield* Deferred.await(gate)
            return local
          }))
        })
        assertPath(byGenerator, /suspended fiber of "deleteUser" → suspended generator "deleteUser"/)
        yield* Deferred.succeed(gate, undefined)
      })))

  it.effect("of a Scope names the place of the finalizer", () =>
    onGlobal("leakedThrough", (hold) =>
      Effect.gen(function*() {
        const acquired = yield* leakThrough((value) => {
          const scope = Scope.makeUnsafe()
          const acquire = Effect.acquireRelease(Effect.succeed(value), () => Effect.void)
          Effect.runSync(Scope.provide(acquire, scope))
          hold(scope)
        })
        assertPath(
          acquired,
          /^ {2}globalThis\.leakedThrough → Scope finalizer registered at test\/testing\/LeakDetector\.test\.ts:\d+:\d+ → value$/
        )
        assert.deepStrictEqual(kindsOf(acquired), ["property", "scope"])

        const captured = yield* leakThrough((value) => {
          const scope = Scope.makeUnsafe()
          Effect.runSync(Scope.addFinalizer(scope, Effect.void))
          Effect.runSync(Scope.addFinalizer(scope, Effect.sync(() => value)))
          hold(scope)
        })
        assertPath(captured, /Scope finalizer registered at .* → variable value captured by closure /)
      })))

  it.effect("follows no weak edge", () =>
    onGlobal("strongHolder", (hold) =>
      onGlobal("weakHolders", (holdWeakly) =>
        Effect.gen(function*() {
          // Each weak edge on its own would give a shorter path.
          const error = yield* leakThrough((value) => {
            const registry = new FinalizationRegistry(() => {})
            registry.register(value, "held", value)
            holdWeakly([
              new globalThis.WeakRef(value),
              new globalThis.WeakSet([value]),
              new globalThis.WeakMap<object, unknown>([[value, 1], [{}, value]]),
              registry,
              WeakRef.makeUnsafe(value)
            ])
            hold({ one: { two: { three: { four: { five: { six: [value] } } } } } })
          })
          assertPath(error, /^ {2}globalThis\.strongHolder\.one\.two\.three\.four\.five\.six\[0\] → value$/)
        }))))

  it.effect("goes through an entry of a WeakMap if its key and its map are reachable", () =>
    onGlobal("theKey", (holdKey) =>
      onGlobal("theMap", (holdMap) =>
        Effect.gen(function*() {
          const error = yield* leakThrough((value) => {
            const key = {}
            holdKey(key)
            holdMap(new WeakMap([[key, value]]))
          })
          assertPath(error, /^ {2}globalThis\.theKey → WeakMap → value for the key Object → value$/)
        }))))

  it.effect("leads to the value and not to another instance of its class", () =>
    onGlobal("first", (holdFirst) =>
      onGlobal("second", (holdSecond) =>
        Effect.gen(function*() {
          const others = Array.from({ length: 100 }, (_, index) => new Leaky(`other ${index}`))
          const errors = yield* Effect.all([
            leakThrough((value) => holdFirst({ others, value })),
            leakThrough((value) => holdSecond({ value, others }))
          ], { concurrency: "unbounded" })
          assertPath(errors[0], /^ {2}globalThis\.first\.value → value$/)
          assertPath(errors[1], /^ {2}globalThis\.second\.value → value$/)
        }))))

  it.effect("does not hold the value", () =>
    onGlobal("leakedThrough", (hold) =>
      Effect.gen(function*() {
        let probe: globalThis.WeakRef<Leaky> | undefined
        const error = yield* leakThrough((value) => {
          probe = new globalThis.WeakRef(value)
          hold(new Map([["k", value]]))
        })
        assert.lengthOf(error.retainers, 2)
        hold(undefined)
        // By now only the inspector or the error could hold the value.
        yield* LeakDetector.expectCollected(Effect.sync(() => probe!.deref() ?? {}))
        assert.lengthOf(error.retainers, 2)
      })))
})

describe("expectNoGrowth", () => {
  class Session {
    readonly name = "session"
  }

  it.effect("succeeds if the instances are released", () =>
    LeakDetector.expectNoGrowth(Effect.sync(() => new Session()), { classes: [Session] }))

  it.effect("names the class, the count before and the count after", () =>
    Effect.gen(function*() {
      class Connection {
        readonly name = "connection"
      }
      const held: Array<unknown> = []
      const error = yield* Effect.flip(LeakDetector.expectNoGrowth(
        Effect.sync(() => void held.push(new Session(), new Session())),
        { classes: [Connection, Session], repeat: 7 }
      ))
      assert.instanceOf(error, LeakDetector.GrowthError)
      assert.strictEqual(error.repeat, 7)
      assert.deepStrictEqual(error.growth, [{ name: "Session", before: 2, after: 16 }])
      assert.include(error.message, "Session 2 → 16")
      assert.lengthOf(held, 16)
    }))

  it.effect("does not count what the first run caches", () =>
    Effect.gen(function*() {
      let cached: Session | undefined
      let runs = 0
      yield* LeakDetector.expectNoGrowth(
        Effect.sync(() => {
          runs++
          return cached ??= new Session()
        }),
        { classes: [Session] }
      )
      assert.strictEqual(runs, 11)
      assert.instanceOf(cached, Session)
    }))

  it.effect("fails with the failure of the effect", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(LeakDetector.expectNoGrowth(Effect.fail("mine"), { classes: [Session] }))
      assert.strictEqual(error, "mine")
    }))

  it.effect("dies if an option is invalid", () =>
    Effect.gen(function*() {
      const defectOf = (options: unknown) =>
        Effect.map(
          Effect.exit(LeakDetector.expectNoGrowth(Effect.void, options as LeakDetector.GrowthOptions)),
          (exit) => Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        )
      assert.instanceOf(yield* defectOf({ classes: [] }), TypeError)
      assert.instanceOf(yield* defectOf({ classes: ["Session"] }), TypeError)
      assert.instanceOf(yield* defectOf({ classes: [() => {}] }), TypeError)
      assert.instanceOf(yield* defectOf({ classes: [Session], repeat: 0 }), RangeError)
    }))

  it.effect("counts by name in a heap snapshot if the host has no queryObjects", () =>
    Effect.gen(function*() {
      class NamedOnlyHere {
        readonly name = "namedonlyhere"
      }
      const held: Array<unknown> = []
      const real = process.getBuiltinModule
      const without = (name: string) => name === "node:v8" ? {} : Reflect.apply(real, process, [name])
      const error = yield* Effect.ensuring(
        Effect.suspend(() => {
          Reflect.set(process, "getBuiltinModule", without)
          const leak = Effect.sync(() => void held.push(new NamedOnlyHere()))
          return Effect.flip(LeakDetector.expectNoGrowth(leak, { classes: [NamedOnlyHere], repeat: 3 }))
        }),
        Effect.sync(() => Reflect.set(process, "getBuiltinModule", real))
      )
      assert.instanceOf(error, LeakDetector.GrowthError)
      assert.deepStrictEqual(error.growth.map(({ after, before, name }) => [name, after - before]), [[
        "NamedOnlyHere",
        3
      ]])
      assert.lengthOf(held, 4)
    }))
})
