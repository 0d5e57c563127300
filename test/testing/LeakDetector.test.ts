import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit } from "effect"
import { Finalizer, WeakError, WeakRef } from "../../src/index.ts"
import { LeakDetector } from "../../src/testing/index.ts"
import { isBun, skip } from "../support/host.ts"

const assertPath = (error: LeakDetector.LeakError, expected: RegExp): void =>
  assert.match(error.message.split("\n")[1] ?? error.message, expected)

describe("expectCollected", { timeout: 120_000 }, () => {
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
      const error = yield* Effect.flip(LeakDetector.expectCollected(
        Effect.sync(() => {
          const value = {}
          held.push(value)
          return value
        }),
        { retainers: false }
      ))
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
  it("its message and that of a GrowthError are own properties, so that the stack has them in every engine", () => {
    const errors = [
      new LeakDetector.LeakError({ rounds: 3, retainers: [] }),
      new LeakDetector.GrowthError({ repeat: 2, growth: [{ name: "Session", before: 1, after: 3 }] })
    ]
    for (const error of errors) {
      assert.isTrue(Object.hasOwn(error, "message"))
      assert.include(error.stack, error.message)
    }
  })

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
      if (isBun) return skip("takes the heap snapshot away")
      const real = process.getBuiltinModule
      const held: Array<object> = []
      const make = Effect.sync(() => held[held.push({}) - 1]!)
      const error = yield* Effect.ensuring(
        Effect.suspend(() => {
          Reflect.set(process, "getBuiltinModule", () => undefined)
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

describe("LeakError.message", () => {
  const rows: ReadonlyArray<
    readonly [expected: string, ...retainers: ReadonlyArray<readonly [string, string, string]>]
  > = [
    ["globalThis.app.users[1]", ["property", "globalThis", "app"], ["property", "Object", "users"], [
      "element",
      "Array",
      "[1]"
    ]],
    ["Array[0][1]", ["element", "Array", "[0]"], ["element", "Object", "[1]"]],
    ["Array[0] → List[1]", ["element", "Array", "[0]"], ["element", "List", "[1]"]],
    ["Bus.a → Vault.b", ["property", "Bus", "a"], ["property", "Vault", "b"]],
    ["Map → entry 1 → Object.b", ["entry", "Map", "entry 1"], ["property", "Object", "b"]],
    ["variable x captured by closure f", ["closure", "closure f", "variable x"]],
    ["listener \"data\" of Bus", ["listener", "Bus", "listener \"data\""]],
    ["variable cache of module m.ts", ["module", "module m.ts", "variable cache"]],
    ["Promise reaction", ["promise", "Promise", "reaction"]],
    ["Scope finalizer", ["scope", "Scope", "finalizer"]],
    ["Scope", ["scope", "Scope", "fiber"]],
    ["suspended fiber", ["fiber", "suspended fiber", "context"]],
    ["suspended fiber → variable x", ["fiber", "suspended fiber", "variable x"]],
    ["suspended generator → variable x", ["generator", "suspended generator", "variable x"]],
    ["suspended generator", ["generator", "suspended generator", "local variable"]],
    ["timer (setTimeout) → arguments", ["timer", "timer (setTimeout)", "arguments"]],
    ["timer (setTimeout)", ["timer", "timer (setTimeout)", "callback"]],
    ["bound function f → argument 1", ["function", "bound function f", "argument 1"]],
    ["the engine's Code → deopt", ["engine", "the engine's Code", "deopt"]]
  ]
  for (const [expected, ...retainers] of rows) {
    it(`prints: ${expected}`, () => {
      const error = new LeakDetector.LeakError({
        rounds: 1,
        retainers: retainers.map(([kind, holder, via]) => ({ holder, via, kind }) as LeakDetector.Retainer)
      })
      assert.strictEqual(
        error.message,
        `The value is still reachable after 1 collections. This path retains it:\n  ${expected} → value`
      )
    })
  }

  it("says what to do without a path", () => {
    const messageOf = (rounds: number, reason?: string) =>
      new LeakDetector.LeakError({ rounds, retainers: [], reason }).message
    const look = "Look for closures, caches, listeners and suspended fibers that hold it. No path is known"
    assert.strictEqual(messageOf(0), "This host cannot force a collection. Run it with --expose-gc")
    assert.strictEqual(
      messageOf(2),
      `The value is still reachable after 2 collections. ${look}: the search was switched off`
    )
    assert.strictEqual(messageOf(1, "why"), `The value is still reachable after 1 collections. ${look}: why`)
  })
})

describe("GrowthError.message", () => {
  it("names each class, or says that the host cannot count", () => {
    const growth = [{ name: "A", before: 1, after: 3 }, { name: "B", before: 0, after: 2 }]
    assert.strictEqual(
      new LeakDetector.GrowthError({ repeat: 2, growth }).message,
      "After 2 repetitions more instances are alive: A 1 → 3, B 0 → 2"
    )
    assert.strictEqual(
      new LeakDetector.GrowthError({ repeat: 0, growth: [] }).message,
      "This host cannot count the instances of a class after a collection. Run the test on Node"
    )
  })
})

describe("expectNoGrowth", { timeout: 120_000 }, () => {
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

  it.effect("does not count what the runs of the warm-up cache", () =>
    Effect.gen(function*() {
      const recent: Array<Session> = []
      let runs = 0
      const bounded = Effect.sync(() => {
        runs++
        recent.push(new Session())
        if (recent.length > 20) recent.shift()
      })
      yield* LeakDetector.expectNoGrowth(bounded, { classes: [Session], repeat: 5, warmup: 20 })
      assert.strictEqual(runs, 25)
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
      for (const warmup of [0, -1, 1.5]) {
        const error = yield* defectOf({ classes: [Session], warmup })
        assert.instanceOf(error, RangeError)
        assert.include(error.message, `warmup must be a positive integer, but it is ${warmup}`)
      }
    }))

  it.effect("fails with a GrowthError whose repeat is 0 if the host has no snapshot", () =>
    Effect.gen(function*() {
      if (isBun) return skip("takes the heap snapshot away")
      const real = process.getBuiltinModule
      const error = yield* Effect.ensuring(
        Effect.suspend(() => {
          Reflect.set(process, "getBuiltinModule", () => undefined)
          return Effect.flip(LeakDetector.expectNoGrowth(Effect.void, { classes: [Session] }))
        }),
        Effect.sync(() => Reflect.set(process, "getBuiltinModule", real))
      )
      assert.instanceOf(error, LeakDetector.GrowthError)
      assert.strictEqual(error.repeat, 0)
      assert.include(error.message, "cannot count the instances")
    }))
})
