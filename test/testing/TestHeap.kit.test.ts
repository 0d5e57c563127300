/** Tests that `explore` says the truth about programs that people write: it never passes for the wrong reason. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { Finalizer, WeakRef, WeakSet } from "../../src/index.ts"
import { TestHeap } from "../../src/testing/index.ts"

const errorOf = <A, E, R>(program: Effect.Effect<A, E, R>, options?: TestHeap.ExploreOptions) =>
  Effect.flip(TestHeap.explore(program, options))

const isAlive = (ref: WeakRef.WeakRef<WeakKey>): string => WeakRef.isAlive(ref) ? "alive" : "dead"

/** Returns the different results of a program, which must not repeat. */
const results = Effect.fnUntraced(
  function*<A, E, R>(program: Effect.Effect<A, E, R>, options?: TestHeap.ExploreOptions) {
    const seen: Array<string> = []
    yield* TestHeap.explore(Effect.map(program, (result) => seen.push(String(result))), options)
    assert.strictEqual(new Set(seen).size, seen.length, seen.join("; "))
    return seen.toSorted()
  }
)

const host = {
  WeakRef: globalThis.WeakRef,
  WeakMap: globalThis.WeakMap,
  FinalizationRegistry: globalThis.FinalizationRegistry
}

const globals = () => ({
  WeakRef: globalThis.WeakRef,
  WeakMap: globalThis.WeakMap,
  FinalizationRegistry: globalThis.FinalizationRegistry
})

describe("an exploration without a choice fails, and says why, if", () => {
  const why = Effect.fnUntraced(function*<A, E, R>(program: Effect.Effect<A, E, R>) {
    const error = yield* errorOf(program)
    assert.deepInclude(error, { reason: "NoChoice", schedule: "", trace: "nothing is collected", schedules: 1 })
    return error
  })

  it.effect("the program does nothing", () =>
    Effect.gen(function*() {
      assert.match((yield* why(Effect.void)).message, /releases no target. Call TestHeap.mayCollect/)
      assert.match((yield* why(Effect.yieldNow)).message, /releases no target. Call TestHeap.mayCollect/)
    }))

  it.effect("the program fails at once, which is reported instead", () =>
    Effect.gen(function*() {
      const error = yield* errorOf(Effect.fail("always"))
      assert.deepInclude(error, { reason: "Failure", trace: "nothing is collected", schedule: "", schedules: 1 })
    }))

  it.effect("it releases no target, and then names its weak targets", () =>
    Effect.gen(function*() {
      const error = yield* why(Effect.gen(function*() {
        const ref = yield* WeakRef.make({ id: 1 })
        yield* TestHeap.turn
        return isAlive(ref)
      }))
      assert.match(error.message, /releases no target.* It refers weakly to \{id: 1\}$/)
      assert.deepStrictEqual(error.unreleased, ["{id: 1}"])
    }))

  it.effect("it never ends a turn", () =>
    Effect.gen(function*() {
      const error = yield* why(Effect.gen(function*() {
        const target = { id: 1 }
        const ref = yield* WeakRef.make(target)
        yield* TestHeap.mayCollect(target)
        return isAlive(ref)
      }))
      assert.match(error.message, /ends in its first turn, which keeps the targets. Call TestHeap.turn/)
    }))

  it.effect("it provides TestHeap.layer itself, around everything or around the constructors", () =>
    Effect.gen(function*() {
      const inside = Effect.gen(function*() {
        const target = { id: 1 }
        const ref = yield* WeakRef.make(target)
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        return isAlive(ref)
      }).pipe(Effect.provide(TestHeap.layer))
      assert.match((yield* why(inside)).message, /remove Effect.provide\(TestHeap.layer\)/)
      const constructors = Effect.gen(function*() {
        const target = { id: 1 }
        const ref = yield* Effect.provide(WeakRef.make(target), TestHeap.layer)
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        return isAlive(ref)
      })
      assert.match((yield* why(constructors)).message, /has \{id: 1\}.*remove Effect.provide\(TestHeap.layer\)/)
    }))

  it.effect("its references are on the host's heap", () =>
    Effect.gen(function*() {
      const onHost = (make: (target: object) => () => unknown) =>
        Effect.gen(function*() {
          const target = { id: 1 }
          const read = make(target)
          yield* TestHeap.mayCollect(target)
          yield* TestHeap.turn
          return read()
        })
      const unsafe = onHost((target) => {
        const ref = WeakRef.makeUnsafe(target)
        return () => WeakRef.isAlive(ref)
      })
      const global = onHost((target) => {
        const ref = new globalThis.WeakRef(target)
        return () => ref.deref()
      })
      const registry = onHost((target) => {
        new globalThis.FinalizationRegistry(() => {}).register(target, 0)
        return () => {}
      })
      for (const program of [unsafe, global, registry]) {
        const { message } = yield* why(program)
        assert.include(message, "of the host's heap")
        assert.include(message, "TestHeap.install()")
        assert.include(message, "A makeUnsafe constructor needs the heap")
      }
    }))

  it.effect("nothing refers weakly to its targets", () =>
    Effect.gen(function*() {
      const { message } = yield* why(Effect.andThen(TestHeap.mayCollect({ id: 1 }), TestHeap.turn))
      assert.include(message, "no WeakRef and no FinalizationRegistry of the explored heap has {id: 1}")
    }))

  it.effect("the owner of its target is alive", () =>
    Effect.gen(function*() {
      const { message } = yield* why(Effect.gen(function*() {
        const target = { id: 1 }
        const ref = yield* WeakRef.make(target)
        yield* TestHeap.retains({ owner: true }, target)
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        return isAlive(ref)
      }))
      assert.include(message, "whose owner is alive")
    }))

  it.effect("but a replay of such a program succeeds", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* TestHeap.replay(Effect.succeed(1), ""), 1)
    }))
})

describe("an exploration is not exhaustive if", () => {
  it.effect("the host's heap refers to one of its targets", () =>
    Effect.gen(function*() {
      // As a registry that a module made before `install`.
      const registry = new globalThis.FinalizationRegistry(() => {})
      const program = Effect.gen(function*() {
        yield* TestHeap.install()
        const target = { id: 1 }
        const ref = new globalThis.WeakRef(target)
        registry.register(target, 0)
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        return ref.deref()
      })
      const { exhaustive, gaps } = yield* TestHeap.explore(program)
      assert.deepStrictEqual({ exhaustive, gaps }, {
        exhaustive: false,
        gaps: ["a FinalizationRegistry of the host's heap has {id: 1}"]
      })
    }))

  it.effect("is not exhaustive if a part of the program has a TestHeap of its own", () =>
    Effect.gen(function*() {
      const part = Effect.gen(function*() {
        const target = { id: 1 }
        const ref = yield* WeakRef.make(target)
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        return WeakRef.isAlive(ref)
      })
      assert.isTrue((yield* TestHeap.explore(part)).exhaustive)
      const { exhaustive, gaps } = yield* TestHeap.explore(
        Effect.andThen(part, Effect.provide(part, TestHeap.layer))
      )
      assert.deepStrictEqual({ exhaustive, gaps }, {
        exhaustive: false,
        gaps: ["the program uses another TestHeap, and explore decides only on its own"]
      })
    }))
})

describe("Explored", () => {
  it.effect("counts the choices of the longest run", () =>
    Effect.gen(function*() {
      const program = (count: number) =>
        Effect.gen(function*() {
          const targets = Array.from({ length: count }, (_, id) => ({ id }))
          const refs = yield* Effect.forEach(targets, WeakRef.make)
          yield* TestHeap.mayCollect(...targets)
          yield* TestHeap.turn
          return refs.map(isAlive)
        })
      assert.strictEqual((yield* TestHeap.explore(program(1))).choices, 1)
      assert.strictEqual((yield* TestHeap.explore(program(3))).choices, 3)
    }))

  it.effect("lists what the code under test refers to weakly and the program never releases", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        // The code under test keeps values in objects of its own, which it holds weakly.
        const boxes = new Map<string, globalThis.WeakRef<object>>()
        const value = { id: 1 }
        boxes.set("key", new heap.WeakRef({ box: value }))
        const kept = { kept: true }
        new heap.FinalizationRegistry(() => {}).register(kept, 0)
        const ref = new heap.WeakRef(value)
        // Nothing sees whether this is alive.
        const unseen = new heap.WeakRef({ unseen: true })
        yield* TestHeap.mayCollect(value)
        yield* TestHeap.turn
        boxes.get("key")?.deref()
        return [ref.deref(), unseen]
      })
      const { unreleased } = yield* TestHeap.explore(program)
      assert.deepStrictEqual(unreleased, ["{kept: true}", "{box: …}"])
    }))

  it.effect("does not list the library's own weak targets", () =>
    Effect.gen(function*() {
      const target = { id: 1 }
      const program = Effect.gen(function*() {
        const ref = yield* WeakRef.make(target)
        const set = yield* WeakSet.fromIterable([target])
        yield* Finalizer.make(target, Effect.void)
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        if (!WeakRef.isAlive(ref)) return
        assert.strictEqual(yield* WeakRef.make(target), ref)
        return WeakSet.has(set, target)
      })
      assert.deepStrictEqual((yield* TestHeap.explore(program)).unreleased, [])
    }))

  it.effect("lists ten, and says how many more there are", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const target = { id: 0 }
        const refs = yield* Effect.forEach(
          [target, ...Array.from({ length: 12 }, (_, id) => ({ id: id + 1 }))],
          WeakRef.make
        )
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        return refs.map(isAlive)
      })
      const { unreleased } = yield* TestHeap.explore(program)
      assert.lengthOf(unreleased, 11)
      assert.strictEqual(unreleased[10], "and 2 more")
    }))
})

describe("the time limit", () => {
  /** Measures in timers that fire one after the other, because other processes may use the processor. */
  const millisOf = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.gen(function*() {
      let ticks = 0
      const timer = setInterval(() => ticks++, 10)
      yield* effect
      clearInterval(timer)
      return ticks * 10
    })

  const waiting = (wait: Effect.Effect<unknown>) =>
    Effect.gen(function*() {
      const target = { id: 1 }
      const ref = yield* WeakRef.make(target)
      yield* TestHeap.mayCollect(target)
      yield* TestHeap.turn
      if (!WeakRef.isAlive(ref)) yield* wait
    })

  for (
    const [name, wait] of Object.entries({
      "a program that waits": Effect.never,
      "a program that cannot be interrupted": Effect.uninterruptible(Effect.never),
      "a program that has a turn now and then": Effect.forever(
        Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 5))
      )
    })
  ) {
    it.effect(`holds for ${name}`, () =>
      Effect.gen(function*() {
        const millis = yield* millisOf(Effect.gen(function*() {
          const error = yield* errorOf(waiting(wait), { timeout: 200 })
          assert.strictEqual(error.reason, "Endless")
          assert.include(error.message, "The program does not end: it did not end in 200 ms")
          assert.include(error.message, `Schedule: "0:deref#1"`)
        }))
        assert.isBelow(millis, 390)
      }))
  }

  it.effect("gives a hint if the program sleeps on a TestClock", () =>
    Effect.gen(function*() {
      const sleeping = waiting(Effect.sleep("1 second"))
      for (const program of [sleeping, waiting(Effect.provide(Effect.sleep("1 second"), TestClock.layer()))]) {
        assert.include((yield* errorOf(program, { timeout: 50 })).message, "its clock is a TestClock: adjust the clock")
      }
      const inChild = waiting(Effect.all([Effect.void, Effect.sleep("1 second")], { concurrency: "unbounded" }))
      assert.include((yield* errorOf(inChild, { timeout: 50 })).message, "its clock is a TestClock")
    }))

  it("gives no hint on a real clock", async () => {
    const error = await Effect.runPromise(errorOf(waiting(Effect.never), { timeout: 50 }))
    assert.notInclude(error.message, "TestClock")
  })

  it.effect("is shorter than the limit of a test by default", () =>
    Effect.gen(function*() {
      const millis = yield* millisOf(errorOf(waiting(Effect.never)))
      assert.isBelow(millis, 4_900)
    }), 30_000)
})

describe("install", () => {
  const program = (turns: number, end: Effect.Effect<unknown> = Effect.void) =>
    Effect.gen(function*() {
      yield* TestHeap.install()
      const target = {}
      const ref = new globalThis.WeakRef(target)
      yield* TestHeap.mayCollect(target)
      yield* TestHeap.turn
      ref.deref()
      for (let turn = 0; turn < turns; turn++) yield* TestHeap.turn
      yield* end
    }).pipe(Effect.scoped)

  it.effect("is undone after a program that does not end, even if it cannot be interrupted", () =>
    Effect.gen(function*() {
      const error = yield* errorOf(program(0, Effect.uninterruptible(Effect.never)), { timeout: 50 })
      assert.strictEqual(error.reason, "Endless")
      assert.deepStrictEqual(globals(), host)
    }))

  it.live("cannot be called by a program that goes on after its run is over", () =>
    Effect.gen(function*() {
      let late: Exit.Exit<void> | undefined
      const going = Effect.uninterruptible(Effect.gen(function*() {
        yield* program(0)
        yield* Effect.sleep(100)
        late = yield* Effect.exit(Effect.scoped(TestHeap.install()))
      }))
      yield* errorOf(going, { timeout: 30 })
      yield* Effect.sleep(150)
      assert.include(String(late), "the run to which this test heap belongs is over")
      assert.deepStrictEqual(globals(), host)
    }))

  it.effect("is undone after two explorations at once, which run one after the other", () =>
    Effect.gen(function*() {
      for (const group of [[1, 0], [0, 3], [3, 3], [1, 4, 2]]) {
        const explored = yield* Effect.all(group.map((turns) => TestHeap.explore(program(turns))), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(explored.map(({ exhaustive, schedules }) => exhaustive && schedules), group.map(() => 2))
        assert.deepStrictEqual(globals(), host)
      }
    }))

  it.effect("is undone after an exploration that is interrupted", () =>
    Effect.gen(function*() {
      const { setTimeout } = globalThis
      const fiber = yield* Effect.forkChild(TestHeap.explore(program(0, Effect.never)), { startImmediately: true })
      yield* Effect.repeat(Effect.yieldNow, { times: 5 })
      assert.notStrictEqual(globalThis.WeakRef, host.WeakRef)
      assert.notStrictEqual(globalThis.setTimeout, setTimeout)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(globals(), host)
      assert.strictEqual(globalThis.setTimeout, setTimeout)
    }))

  it.live("is undone after an exploration that is interrupted, but whose program cannot be interrupted", () =>
    Effect.gen(function*() {
      const endless = TestHeap.explore(program(0, Effect.uninterruptible(Effect.never)), { timeout: 200 })
      const ended = yield* Effect.timeoutOption(endless, 30)
      assert.deepStrictEqual(ended, Option.none())
      assert.deepStrictEqual(globals(), host)
    }))

  it.effect("may overlap with another one, which ends in any order", () =>
    Effect.gen(function*() {
      const target: Record<string, unknown> = { WeakRef: "mine" }
      const one = yield* TestHeap.TestHeap
      const two = TestHeap.makeUnsafe().service
      const scopeOf = (service: TestHeap.TestHeap["Service"]) =>
        Effect.forkChild(
          Effect.provideService(
            Effect.scoped(Effect.andThen(TestHeap.install(target), Effect.never)),
            TestHeap.TestHeap,
            service
          ),
          { startImmediately: true }
        )
      for (const firstFirst of [true, false]) {
        const [a, b] = [yield* scopeOf(one), yield* scopeOf(two)]
        assert.strictEqual(target["WeakRef"], two.heap.WeakRef)
        yield* Fiber.interrupt(firstFirst ? a : b)
        assert.strictEqual(target["WeakRef"], firstFirst ? two.heap.WeakRef : one.heap.WeakRef)
        yield* Fiber.interrupt(firstFirst ? b : a)
        assert.deepStrictEqual(target, { WeakRef: "mine" })
      }
    }).pipe(Effect.provide(TestHeap.layer)))
})

it.effect("an exploration inside of a program works", () =>
  Effect.gen(function*() {
    const inner = Effect.gen(function*() {
      const target = {}
      const ref = yield* WeakRef.make(target)
      yield* TestHeap.mayCollect(target)
      yield* TestHeap.turn
      return isAlive(ref)
    })
    const program = Effect.gen(function*() {
      const { schedules } = yield* TestHeap.explore(inner)
      return `${schedules} ${yield* inner}`
    })
    assert.deepStrictEqual(yield* results(program), ["2 alive", "2 dead"])
  }))

it.live("the timers of a host are hooked even if they are accessors, and are then as before", () =>
  Effect.gen(function*() {
    const before = Object.getOwnPropertyDescriptor(globalThis, "setTimeout")!
    const { setTimeout } = globalThis
    // As in Deno.
    const accessor = { get: () => setTimeout, set: () => {}, enumerable: true, configurable: true }
    Object.defineProperty(globalThis, "setTimeout", accessor)
    const seen: Array<string> = []
    const program = Effect.gen(function*() {
      const { heap } = yield* TestHeap.TestHeap
      let runs = 0
      const target = {}
      const registry = new heap.FinalizationRegistry(() => runs++)
      registry.register(target, 0)
      yield* TestHeap.mayCollect(target)
      yield* Effect.promise(async () => {
        const log: Array<number> = []
        for (let i = 0; i < 2; i++) {
          await new Promise((resolve) => globalThis.setTimeout(resolve, 1))
          log.push(runs)
        }
        seen.push(log.join())
      })
    })
    const { exhaustive } = yield* TestHeap.explore(program)
    const after = Object.getOwnPropertyDescriptor(globalThis, "setTimeout")
    Object.defineProperty(globalThis, "setTimeout", before)
    assert.deepStrictEqual(after, accessor)
    assert.isTrue(exhaustive)
    assert.deepStrictEqual(seen.toSorted(), ["0,0", "0,1", "1,1"])
  }))

describe("a registry, a reference or a map at the level of a module", () => {
  it.effect("serves each run, if it is a registry or a map that the first run has made", () =>
    Effect.gen(function*() {
      let registry: globalThis.FinalizationRegistry<Array<string>> | undefined
      let names: globalThis.WeakMap<object, string> | undefined
      const program = Effect.gen(function*() {
        yield* TestHeap.install()
        // As a module does that the program imports: it is loaded only once.
        registry ??= new globalThis.FinalizationRegistry<Array<string>>((log) => log.push("clean-up"))
        names ??= new globalThis.WeakMap()
        const log: Array<string> = []
        const target = {}
        registry.register(target, log, target)
        names.set(target, "target")
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        log.push(String(names.get(target)))
        if (log.length === 1) registry.unregister(target)
        yield* TestHeap.turn
        return log.join()
      })
      assert.deepStrictEqual(yield* results(program), ["clean-up,undefined", "target"])
      assert.deepStrictEqual(yield* results(program), ["clean-up,undefined", "target"])
      const { schedule } = yield* errorOf(
        Effect.flatMap(program, (log) => log === "target" ? Effect.void : Effect.fail(log))
      )
      assert.strictEqual(
        yield* Effect.flip(TestHeap.replay(Effect.flatMap(program, Effect.fail), schedule)),
        "clean-up,undefined"
      )
    }))

  it.effect("is explained, if it is a reference", () =>
    Effect.gen(function*() {
      let ref: globalThis.WeakRef<object> | undefined
      const program = Effect.gen(function*() {
        yield* TestHeap.install()
        const target = { id: 1 }
        ref ??= new globalThis.WeakRef(target)
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        return ref.deref()
      })
      const error = yield* errorOf(program)
      assert.strictEqual(error.reason, "NonDeterminism")
      assert.include(error.message, "an earlier run has made, because a variable of a module keeps it")
      assert.notInclude(error.message, "random numbers")
    }))
})

describe("a clean-up that is left at the end", () => {
  const leaving = (cleanUp: (held: string) => unknown, ...held: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const { heap } = yield* TestHeap.TestHeap
      const registry = new heap.FinalizationRegistry(cleanUp)
      const other = { id: 0 }
      const ref = new heap.WeakRef(other)
      yield* TestHeap.mayCollect(other)
      yield* TestHeap.turn
      ref.deref()
      for (const [index, name] of held.entries()) {
        const target = { id: index + 1 }
        registry.register(target, name)
        yield* TestHeap.mayCollect(target)
      }
    })

  it.effect("runs, and fails the run if it throws, or if its promise rejects in the same task", () =>
    Effect.gen(function*() {
      const error = new Error("at the end")
      for (
        const cleanUp of [() => {
          throw error
        }, async () => {
          await Promise.resolve()
          throw error
        }]
      ) {
        const program = leaving(cleanUp, "a")
        const failed = yield* errorOf(program)
        assert.strictEqual(Cause.squash(failed.cause), error)
        assert.deepInclude(failed, {
          schedule: "",
          trace: "after the end: {id: 1} is collected and its clean-up runs"
        })
        assert.isTrue(Exit.hasDies(yield* Effect.exit(TestHeap.replay(program, failed.schedule))))
      }
    }))

  it.effect("runs after earlier ones, and makes no schedule", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const { schedules } = yield* TestHeap.explore(leaving((held) => log.push(held), "a", "b"))
      assert.strictEqual(schedules, 2)
      assert.deepStrictEqual(log, ["a", "b", "a", "b"])
    }))
})

it.effect("a failure under a schedule is reported if its target is a revoked proxy, or cannot be printed", () =>
  Effect.gen(function*() {
    const makers = {
      "an object that cannot be printed": () => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        return [proxy, revoke] as const
      },
      "a function that cannot be printed": () => {
        const { proxy, revoke } = Proxy.revocable(() => {}, {})
        return [proxy, revoke] as const
      }
    }
    for (const [name, make] of Object.entries(makers)) {
      const program = Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const [target, revoke] = make()
        const ref = new heap.WeakRef(target)
        const log: Array<unknown> = []
        const registry = new heap.FinalizationRegistry((held) => log.push(held))
        const held = Proxy.revocable({}, {})
        registry.register(target, held.proxy)
        registry.register(target, "second")
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        revoke()
        held.revoke()
        yield* TestHeap.turn
        ref.deref()
        if (log.length === 2) return yield* Effect.fail(held.proxy)
      })
      const error = yield* errorOf(program)
      assert.strictEqual(error.reason, "Failure")
      assert.include(error.trace, name)
      assert.include(error.message, error.trace)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(TestHeap.replay(program, error.schedule))))
    }
  }))

it.effect("a failure names each of its reasons, even if one of them cannot be printed", () =>
  Effect.gen(function*() {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const cause = Cause.fromReasons([
      ...Cause.fail(proxy).reasons,
      ...Cause.die(new Error("a printable reason")).reasons,
      ...Cause.fail("and a text").reasons,
      ...Cause.die(new RangeError()).reasons,
      ...Cause.fail({ code: 1 }).reasons,
      ...Cause.interrupt().reasons
    ])
    const error = yield* errorOf(Effect.failCause(cause))
    const [first] = error.message.split("\n")
    assert.match(first!, /^[^;]+; a printable reason; and a text; RangeError; \{"?code"?: ?1\}; it is interrupted$/)
  }))

describe("retains", () => {
  const pair = Effect.gen(function*() {
    const dependent = { name: "dependent" }
    const owner = { name: "owner", dependent }
    const refs = { owner: yield* WeakRef.make(owner), dependent: yield* WeakRef.make(dependent) }
    yield* TestHeap.retains(owner, dependent)
    yield* TestHeap.mayCollect(owner, dependent)
    yield* TestHeap.turn
    return { owner, dependent, refs }
  })

  it.effect("keeps the dependent alive as long as the owner", () =>
    Effect.gen(function*() {
      const program = (first: "owner" | "dependent") =>
        Effect.map(pair, ({ refs }) => {
          const second = first === "owner" ? "dependent" : "owner"
          return `${first} ${isAlive(refs[first])}, ${second} ${isAlive(refs[second])}`
        })
      assert.deepStrictEqual(yield* results(program("owner")), [
        "owner alive, dependent alive",
        "owner dead, dependent alive",
        "owner dead, dependent dead"
      ])
      assert.deepStrictEqual(yield* results(program("dependent")), [
        "dependent alive, owner alive",
        "dependent alive, owner dead",
        "dependent dead, owner dead"
      ])
    }))

  it.effect("names the owner first in a trace", () =>
    Effect.gen(function*() {
      const program = Effect.flatMap(pair, ({ refs }) => WeakRef.get(refs.dependent))
      assert.strictEqual(
        (yield* errorOf(program)).trace,
        `turn 2: {name: "owner", dependent: …} is collected before "deref"; {name: "dependent"} is collected before "deref"`
      )
    }))

  it.effect("ends with the owner, and with the dependent", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const { dependent, owner, refs } = yield* pair
        yield* TestHeap.collect(owner)
        yield* TestHeap.hold(owner)
        yield* TestHeap.mayCollect(dependent)
        return isAlive(refs.dependent)
      })
      assert.deepStrictEqual(yield* results(program), ["alive", "dead"])
    }))

  it.effect("holds for targets that retain each other, and over others", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
        const refs = yield* Effect.forEach([a, b, c], WeakRef.make)
        yield* TestHeap.retains(a, b)
        yield* TestHeap.retains(b, a)
        yield* TestHeap.retains(b, c)
        yield* TestHeap.mayCollect(a, b, c)
        yield* TestHeap.turn
        return refs.toReversed().map(isAlive).join()
      })
      assert.deepStrictEqual(yield* results(program), [
        "alive,alive,alive",
        "alive,dead,dead",
        "dead,dead,dead"
      ])
    }))

  it.effect("only checks its arguments outside of explore", () =>
    Effect.gen(function*() {
      const dependent = {}
      const ref = yield* WeakRef.make(dependent)
      yield* TestHeap.retains({}, dependent)
      yield* TestHeap.collect(dependent)
      assert.isFalse(WeakRef.isAlive(ref))
      for (const [owner, target] of [[1, {}], [{}, 1]]) {
        const exit = yield* Effect.exit(TestHeap.retains(owner as WeakKey, target as WeakKey))
        assert.isTrue(Exit.hasDies(exit))
      }
    }).pipe(Effect.provide(TestHeap.layer)))
})

describe("pending and finalize", () => {
  /** Registers two clean-ups of one target and one of another, and releases both. */
  const three = Effect.gen(function*() {
    const { heap } = yield* TestHeap.TestHeap
    const log: Array<string> = []
    const registry = new heap.FinalizationRegistry<string>((held) => log.push(held))
    const [a, b] = [{ id: "a" }, { id: "b" }]
    registry.register(a, "a1", a)
    registry.register(a, "a2", a)
    registry.register(b, "b", b)
    const refs = { a: new heap.WeakRef(a), b: new heap.WeakRef(b) }
    yield* TestHeap.mayCollect(a, b)
    yield* TestHeap.turn
    log.push("|")
    return { log, registry, refs, a, b }
  })

  it.effect("show each count once, and agree with what follows", () =>
    Effect.gen(function*() {
      const counting = Effect.gen(function*() {
        const { log } = yield* three
        if (log.length > 1) return "earlier"
        const first = yield* TestHeap.pending
        const again = yield* TestHeap.pending
        return `${first} ${again >= first}`
      })
      const seen = new Set<string>()
      yield* TestHeap.explore(Effect.map(counting, (result) => seen.add(result)))
      assert.deepStrictEqual([...seen].toSorted(), ["0 true", "1 true", "2 true", "3 true", "earlier"])
      const consistent = Effect.gen(function*() {
        const { log, refs } = yield* three
        const count = yield* TestHeap.pending
        const before = log.length
        if (refs.b.deref() !== undefined && count === 3 + 1 - before) return yield* Effect.fail("b is alive and queued")
        while (yield* TestHeap.finalizeOne);
        if (log.length - before < count) return yield* Effect.fail("fewer have run")
        if ((yield* TestHeap.pending) < 0) return yield* Effect.fail("negative")
      })
      assert.isTrue((yield* TestHeap.explore(consistent)).exhaustive)
    }))

  it.effect("agree about a clean-up that was unregistered too late", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const { a, log, registry } = yield* three
        if (log.length > 1) return "earlier"
        registry.unregister(a)
        log.length = 0
        const count = yield* TestHeap.pending
        yield* TestHeap.finalize
        const late = log.filter((name) => name !== "b").length
        if (late > count) return yield* Effect.fail(`${late} have run, ${count} were queued`)
        const left = yield* TestHeap.pending
        return `${count}: ${log.toSorted()}${left > 0 ? "+" : ""}`
      })
      const seen = new Set<string>()
      yield* TestHeap.explore(Effect.map(program, (result) => seen.add(result)), { lateUnregister: true })
      assert.deepStrictEqual([...seen].toSorted(), [
        "0: ",
        "0: +",
        "0: b",
        "1: a1",
        "1: a1+",
        "1: a1,b",
        "1: a2",
        "1: a2+",
        "1: a2,b",
        "1: b",
        "2: a1,a2",
        "2: a1,a2+",
        "2: a1,a2,b",
        "2: a1,b",
        "2: a2,b",
        "3: a1,a2,b",
        "earlier"
      ])
    }))

  /** Returns the trace and the schedule of the first run whose result is `wanted`. */
  const traceOf = Effect.fnUntraced(function*<R>(
    program: Effect.Effect<string, never, R>,
    wanted: string,
    options?: TestHeap.ExploreOptions
  ) {
    const failing = Effect.flatMap(program, (result) => result === wanted ? Effect.fail(result) : Effect.void)
    const { schedule, trace } = yield* errorOf(failing, options)
    assert.strictEqual(yield* Effect.flip(TestHeap.replay(failing, schedule)), wanted)
    return [schedule, trace]
  })

  it.effect("are told exactly in traces", () =>
    Effect.gen(function*() {
      const counting = Effect.gen(function*() {
        const { log } = yield* three
        return `${log.join("")}${yield* TestHeap.pending}`
      })
      assert.deepStrictEqual(yield* traceOf(counting, "|0"), ["", "nothing is collected"])
      assert.deepStrictEqual(yield* traceOf(counting, "|1"), [
        "1:count#1",
        `turn 2: {id: "b"} is collected before "pending"`
      ])
      assert.deepStrictEqual(yield* traceOf(counting, "|2"), [
        "1:count#2",
        `turn 2: {id: "a"} is collected before "pending"`
      ])
      assert.deepStrictEqual(yield* traceOf(counting, "|3"), [
        "1:count#3",
        `turn 2: {id: "a"} is collected before "pending"; {id: "b"} is collected before "pending"`
      ])
      assert.deepStrictEqual(yield* traceOf(counting, "a1|1"), [
        "0:cleanup#1",
        `turn 2: {id: "a"} is collected and its clean-up runs with "a1"`
      ])
      const finalizing = Effect.gen(function*() {
        const { log } = yield* three
        yield* TestHeap.finalize
        return log.join("")
      })
      assert.deepStrictEqual(yield* traceOf(finalizing, "|"), ["", "nothing is collected"])
      assert.deepStrictEqual(yield* traceOf(finalizing, "|b"), [
        "1:cleanup#3",
        `turn 3: {id: "b"} is collected and its clean-up runs`
      ])
      assert.deepStrictEqual(yield* traceOf(finalizing, "|a2ba1"), [
        "1:cleanup#2,2:cleanup#3",
        `turn 3: {id: "a"} is collected and its clean-up runs with "a2"; ` +
        `turn 4: {id: "b"} is collected and its clean-up runs`
      ])
      const late = Effect.gen(function*() {
        const { a, log, registry } = yield* three
        registry.unregister(a)
        return `${log.join("")}${yield* TestHeap.pending}`
      })
      assert.deepStrictEqual(yield* traceOf(late, "|3", { lateUnregister: true }), [
        "late,1:count#3",
        `turn 2: {id: "a"} is collected before "pending"; {id: "b"} is collected before "pending"`
      ])
      assert.deepStrictEqual(yield* traceOf(late, "|1", { lateUnregister: true }), [
        "late,1:count#1",
        `turn 2: "pending" counts 1 clean-up`
      ])
    }))

  it.effect("leave open which clean-ups are queued, until the program can see it", () =>
    Effect.gen(function*() {
      const program = (read: boolean) =>
        Effect.gen(function*() {
          const { heap } = yield* TestHeap.TestHeap
          const registry = new heap.FinalizationRegistry<string>(() => {})
          const targets = [{ id: 1 }, { id: 2 }, { id: 3 }]
          const refs = targets.map((target) => new heap.WeakRef(target))
          // So that the boundary of the turn is no choice.
          yield* TestHeap.turn
          for (const target of targets) registry.register(target, "")
          yield* TestHeap.mayCollect(...targets)
          const count = yield* TestHeap.pending
          return read ? `${count} ${refs.map((ref) => ref.deref() === undefined ? "dead" : "alive")}` : String(count)
        })
      assert.deepStrictEqual(yield* results(program(false)), ["0", "1", "2", "3"])
      // One or two may have died after the count.
      const seen = yield* results(program(true))
      assert.lengthOf(seen, 8 + 7 + 4 + 1)
      for (const outcome of seen) {
        assert.isAtLeast(outcome.split("dead").length - 1, Number(outcome[0]))
      }
    }))

  it.effect("decide at once if there is too much to count, and then the exploration is not exhaustive", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const registry = new heap.FinalizationRegistry<string>(() => {})
        yield* TestHeap.turn
        for (let id = 0; id < 13; id++) {
          const target = { id }
          registry.register(target, "")
          yield* TestHeap.mayCollect(target)
        }
        return yield* TestHeap.pending
      })
      const counts = new Set<number>()
      const { exhaustive, gaps } = yield* TestHeap.explore(
        Effect.map(program, (count) => counts.add(count)),
        { maxSchedules: 200 }
      )
      assert.isFalse(exhaustive)
      assert.include(gaps, "pending had too many clean-ups to count")
      assert.include([...counts], 0)
      assert.isAbove(counts.size, 5)
    }))

  it.effect("do not repeat a behaviour while finalize waits for promises", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const log: Array<string> = []
        const registry = new heap.FinalizationRegistry<string>(async (held) => {
          await Promise.resolve()
          log.push(held)
        })
        const targets = ["a", "b"].map((id) => ({ id }))
        for (const target of targets) registry.register(target, target.id)
        yield* TestHeap.mayCollect(...targets)
        yield* TestHeap.finalize
        return log.join("")
      })
      assert.deepStrictEqual(yield* results(program), ["", "a", "ab", "b", "ba"])
    }))
})

it("the constructors have their names, whatever a bundler makes of the classes", () => {
  const { heap } = TestHeap.makeUnsafe()
  for (const name of ["WeakRef", "WeakMap", "FinalizationRegistry"] as const) {
    assert.deepStrictEqual(
      Object.getOwnPropertyDescriptor(heap[name], "name"),
      Object.getOwnPropertyDescriptor(globalThis[name], "name")
    )
    assert.strictEqual(String(Object.create(heap[name].prototype)), `[object ${name}]`)
  }
})
