import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { readFile } from "node:fs/promises"
import { scheduler } from "node:timers/promises"
import { Finalizer, WeakError, WeakRef, WeakValueMap } from "../../src/index.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { hasMessageInStack } from "../support/host.ts"

const errorOf = <A, E, R>(program: Effect.Effect<A, E, R>, options?: TestHeap.ExploreOptions) =>
  Effect.flip(TestHeap.explore(program, options))

/** Returns the different results of a program, and the number of schedules for each result. */
const results = Effect.fnUntraced(
  function*<A, E, R>(program: Effect.Effect<A, E, R>, options?: TestHeap.ExploreOptions) {
    const counts: Record<string, number> = {}
    const counted = Effect.map(program, (result) => {
      const key = String(result)
      counts[key] = (counts[key] ?? 0) + 1
    })
    const explored = yield* TestHeap.explore(counted, options)
    // After an await, `explore` does not know how many jobs have passed.
    assert.isTrue(explored.exhaustive || options?.turns === "job")
    assert.strictEqual(explored.schedules, Object.values(counts).reduce((sum, count) => sum + count, 0))
    return counts
  }
)

/** Refers to a target, releases the target, and ends the turn. */
const released = <A extends WeakKey>(target: A) =>
  Effect.gen(function*() {
    const ref = yield* WeakRef.make(target)
    yield* TestHeap.mayCollect(target)
    yield* TestHeap.turn
    return ref
  })

/** An async function that takes some jobs, but no further task. */
const asynchronously = async (jobs: number): Promise<void> => {
  for (let job = 0; job < jobs; job++) await Promise.resolve()
}

const isAlive = (ref: WeakRef.WeakRef<WeakKey>): string => WeakRef.isAlive(ref) ? "alive" : "dead"

describe("TestHeap.explore", () => {
  /** Has the bug of nodejs/node #59910, oven-sh/bun #43088, denostack/weakref #1 and weak-value #1. */
  const cache = (cleanUp: (refs: Map<string, globalThis.WeakRef<object>>, key: string) => void) =>
    Effect.gen(function*() {
      const { heap } = yield* TestHeap.TestHeap
      const refs = new Map<string, globalThis.WeakRef<object>>()
      const registry = new heap.FinalizationRegistry<string>((key) => cleanUp(refs, key))
      const set = (key: string, value: object) => {
        refs.set(key, new heap.WeakRef(value))
        registry.register(value, key)
      }
      const first = { id: 1 }
      set("key", first)
      yield* TestHeap.mayCollect(first)
      yield* TestHeap.turn
      if (refs.get("key")?.deref() !== undefined) return
      const second = { id: 2 }
      set("key", second)
      yield* TestHeap.turn
      if (refs.get("key")?.deref() !== second) return yield* Effect.fail("the new entry is gone")
    })

  const broken = cache((refs, key) => refs.delete(key))
  const fixed = cache((refs, key) => {
    if (refs.get(key)?.deref() === undefined) refs.delete(key)
  })

  it.effect("finds a clean-up that deletes the entry that replaced its own", () =>
    Effect.gen(function*() {
      const error = yield* errorOf(broken)
      assert.strictEqual(error.reason, "Failure")
      assert.strictEqual(error.trace, `turn 2: {id: 1} is collected before "deref"; turn 3: its clean-up runs`)
      assert.strictEqual(error.schedule, "1:deref#1,2:cleanup#1")
      assert.deepStrictEqual(error.cause, Cause.fail("the new entry is gone"))
      assert.strictEqual(
        error.message,
        "the new entry is gone\n" +
          `Schedule: "1:deref#1,2:cleanup#1"\n` +
          `Trace: turn 2: {id: 1} is collected before "deref"; turn 3: its clean-up runs\n` +
          `Replay: TestHeap.replay(program, "1:deref#1,2:cleanup#1")\n` +
          "Never released, so never collected: {id: 2}"
      )
      assert.strictEqual(yield* Effect.flip(TestHeap.replay(broken, error.schedule)), "the new entry is gone")
      assert.isTrue(Object.hasOwn(error, "message"))
      if (hasMessageInStack) assert.include(error.stack, error.message)
      assert.deepStrictEqual(yield* TestHeap.explore(fixed), {
        schedules: 4,
        choices: 3,
        exhaustive: true,
        gaps: [],
        unreleased: ["{id: 2}"]
      })
      yield* TestHeap.replay(fixed, error.schedule)
    }))

  it.effect("tries 1,492 schedules for three targets and ten reads", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const targets = [{ id: 1 }, { id: 2 }, { id: 3 }]
        const map = yield* WeakValueMap.fromIterable(targets.map((target) => [target.id, target] as const))
        yield* TestHeap.mayCollect(...targets)
        for (let turn = 0; turn < 3; turn++) {
          yield* TestHeap.turn
          for (const { id } of targets) WeakValueMap.get(map, id)
        }
        WeakValueMap.get(map, 1)
      })
      const { exhaustive, schedules } = yield* TestHeap.explore(program)
      assert.deepStrictEqual({ exhaustive, schedules }, { exhaustive: true, schedules: 1492 })
    }))

  describe("a turn", () => {
    const deaths = { "alive alive": 1, "alive dead": 1, "dead dead": 1 }

    /** Reads a file. Deno reads it in the same task, without leaving the microtasks. */
    const inAnotherTask = (): Promise<unknown> =>
      "Deno" in globalThis ? scheduler.wait(1) : readFile(new URL(import.meta.url))

    const twoReads = <E, R>(between: Effect.Effect<unknown, E, R>) =>
      Effect.gen(function*() {
        const ref = yield* released({})
        const first = isAlive(ref)
        yield* between
        return `${first} ${isAlive(ref)}`
      })

    it.effect("keeps a dereferenced target alive until its end", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* results(twoReads(Effect.void)), { "alive alive": 1, "dead dead": 1 })
      }))

    it.effect("keeps the target of a new reference alive until its end", () =>
      Effect.gen(function*() {
        const program = Effect.gen(function*() {
          const target = {}
          const ref = yield* WeakRef.make(target)
          yield* TestHeap.mayCollect(target)
          const first = isAlive(ref)
          yield* TestHeap.turn
          return `${first} ${isAlive(ref)}`
        })
        assert.deepStrictEqual(yield* results(program), { "alive alive": 1, "alive dead": 1 })
      }))

    it.effect("ends when the program yields", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* results(twoReads(TestHeap.turn)), deaths)
        assert.deepStrictEqual(yield* results(twoReads(Effect.yieldNow)), deaths)
      }))

    it.effect("goes on after a resolved promise, unless each job is a turn", () =>
      Effect.gen(function*() {
        const resolved = twoReads(Effect.promise(() => Promise.resolve()))
        assert.deepStrictEqual(yield* results(resolved), { "alive alive": 1, "dead dead": 1 })
        assert.deepStrictEqual(yield* results(resolved, { turns: "job" }), deaths)
      }))

    it.effect("ends at a promise of another task", () =>
      Effect.gen(function*() {
        const read = twoReads(Effect.promise(inAnotherTask))
        assert.deepStrictEqual(yield* results(read), deaths)
      }))

    it.effect("ends at a timer", () =>
      Effect.gen(function*() {
        const timer = Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 1))
        assert.deepStrictEqual(yield* results(twoReads(timer)), deaths)
      }))

    it.effect("ends at a sleep on a TestClock", () =>
      Effect.gen(function*() {
        const sleep = Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(Effect.sleep("1 hour"))
          yield* TestClock.adjust("1 hour")
          yield* Fiber.join(fiber)
        })
        const program = Effect.provide(twoReads(sleep), TestClock.layer())
        assert.deepStrictEqual(yield* results(program), deaths)
      }))

    it.effect("ends for all fibers, which interleave as they do outside of explore", () =>
      Effect.gen(function*() {
        const interleaved = (log: Array<string>, ref: WeakRef.WeakRef<WeakKey>) =>
          Effect.all(
            ["a", "b"].map((name) =>
              Effect.gen(function*() {
                for (let i = 0; i < 2; i++) {
                  log.push(name + i)
                  WeakRef.isAlive(ref)
                  yield* Effect.yieldNow
                }
              })
            ),
            { concurrency: "unbounded" }
          )
        const outside: Array<string> = []
        yield* interleaved(outside, yield* WeakRef.make({}))
        const logs = yield* results(Effect.gen(function*() {
          const log: Array<string> = []
          yield* interleaved(log, yield* released({}))
          return log.join()
        }))
        assert.deepStrictEqual(Object.keys(logs), [outside.join()])
      }))

    const plainReads = (between: () => unknown) =>
      Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const target = {}
        const ref = new heap.WeakRef(target)
        yield* TestHeap.mayCollect(target)
        yield* TestHeap.turn
        return yield* Effect.promise(async () => {
          const log: Array<string> = []
          for (let i = 0; i < 2; i++) {
            if (i > 0) await between()
            log.push(ref.deref() === undefined ? "dead" : "alive")
          }
          return log.join(" ")
        })
      })

    it.effect("goes on after an await in code without effects, unless each job is a turn", () =>
      Effect.gen(function*() {
        const kept = { "alive alive": 1, "dead dead": 1 }
        // oxlint-disable-next-line unicorn/no-thenable
        const thenable = { then: (resolve: () => void) => resolve() }
        for (const between of [() => null, () => Promise.resolve(), () => thenable, () => asynchronously(5)]) {
          assert.deepStrictEqual(yield* results(plainReads(between)), kept)
          assert.deepStrictEqual(yield* results(plainReads(between), { turns: "job" }), deaths)
        }
      }))

    it.effect("ends in code without effects at whatever begins another task", () =>
      Effect.gen(function*() {
        for (
          const between of [
            () => new Promise((resolve) => setTimeout(resolve, 1)),
            () => new Promise((resolve) => setImmediate(resolve)),
            () => scheduler.wait(1),
            inAnotherTask,
            () =>
              new Promise<void>((resolve) => {
                const { port1, port2 } = new MessageChannel()
                port1.addEventListener("message", () => {
                  port1.close()
                  resolve()
                })
                port1.start()
                port2.postMessage(0)
              })
          ]
        ) {
          for (const turns of ["task", "job"] as const) {
            assert.deepStrictEqual(yield* results(plainReads(between), { turns }), deaths)
          }
        }
      }))

    /** Logs how many clean-ups have run, in code that uses no weak primitive after its first turn. */
    const watching = (between: () => unknown) =>
      Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const target = {}
        let runs = 0
        const registry = new heap.FinalizationRegistry(() => runs++)
        registry.register(target, 0)
        yield* TestHeap.mayCollect(target)
        return yield* Effect.promise(async () => {
          const log = [runs]
          for (let i = 0; i < 2; i++) {
            await between()
            log.push(runs)
          }
          return log.join("")
        })
      })

    const explored = Effect.fnUntraced(
      function*(program: ReturnType<typeof watching>, options?: TestHeap.ExploreOptions) {
        const seen = new Set<string>()
        const { exhaustive, gaps } = yield* TestHeap.explore(Effect.map(program, (log) => seen.add(log)), options)
        return { seen: [...seen].toSorted(), exhaustive, gaps }
      }
    )

    it.effect("is noticed if it uses no weak primitive", () =>
      Effect.gen(function*() {
        for (
          const between of [
            () => new Promise((resolve) => setTimeout(resolve, 1)),
            () => new Promise((resolve) => setImmediate(resolve)),
            () =>
              new Promise<void>((resolve) => {
                const timer = setInterval(() => {
                  clearInterval(timer)
                  resolve()
                }, 1)
              })
          ]
        ) {
          assert.deepStrictEqual(yield* explored(watching(between)), {
            seen: ["000", "001", "011"],
            exhaustive: true,
            gaps: []
          })
        }
        const { setImmediate: after } = globalThis
        assert.strictEqual(after.name, "setImmediate")
      }))

    it.effect("makes the exploration incomplete if it cannot be noticed", () =>
      Effect.gen(function*() {
        const file = yield* explored(watching(inAnotherTask))
        assert.deepStrictEqual(file, {
          seen: ["000", "011"],
          exhaustive: false,
          gaps: [
            "while clean-ups were due, the program continued after something that is neither a timer nor a step of Effect, " +
            "and turns may have passed unnoticed"
          ]
        })
        const job = yield* explored(watching(() => null), { turns: "job" })
        assert.isFalse(job.exhaustive)
        assert.include(job.gaps[0], "jobs without weak primitives are not noticed")
        // No clean-up is due any more when the program waits for the file.
        const early = Effect.gen(function*() {
          yield* Effect.promise(inAnotherTask)
          return isAlive(yield* released({}))
        })
        assert.deepStrictEqual(yield* results(early), { alive: 1, dead: 1 })
      }))

    it.effect("does not count timers that others set", () =>
      Effect.gen(function*() {
        let ticks = 0
        const timer = setInterval(() => ticks++, 1)
        const program = twoReads(Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 10)))
        assert.deepStrictEqual(yield* results(program), deaths)
        clearInterval(timer)
        assert.isAbove(ticks, 0)
      }))
  })

  describe("a clean-up", () => {
    /** Logs the clean-ups of two targets, turn by turn. */
    const cleanUps = (turns: number) =>
      Effect.gen(function*() {
        const { heap } = yield* TestHeap.TestHeap
        const log: Array<string> = []
        const registry = new heap.FinalizationRegistry<string>((held) => log.push(held))
        const targets = [{}, {}]
        registry.register(targets[0]!, "a")
        registry.register(targets[1]!, "b")
        yield* TestHeap.mayCollect(...targets)
        for (let turn = 0; turn < turns; turn++) {
          yield* TestHeap.turn
          log.push("|")
        }
        return log.join("")
      })

    it.effect("runs early, late, in any order, one at a time, or never", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(
          Object.keys(yield* results(cleanUps(1))).toSorted(),
          ["ab|", "a|", "ba|", "b|", "|"].toSorted()
        )
        assert.deepStrictEqual(
          Object.keys(yield* results(cleanUps(2))).toSorted(),
          ["a|b|", "a||", "ab||", "b|a|", "b||", "ba||", "|a|", "|ab|", "|b|", "|ba|", "||"].toSorted()
        )
      }))

    it.effect("is a turn of its own", () =>
      Effect.gen(function*() {
        const program = Effect.gen(function*() {
          const { heap } = yield* TestHeap.TestHeap
          const [a, b] = [{ name: "a" }, { name: "b" }]
          const log: Array<string> = []
          const ref = new heap.WeakRef(b)
          const registry = new heap.FinalizationRegistry<string>(() => {
            const first = seen()
            log.push(`${first} ${seen()}`)
          })
          const seen = () => ref.deref() === undefined ? "dead" : "alive"
          registry.register(a, "")
          yield* TestHeap.mayCollect(a, b)
          void Promise.resolve().then(() => log.push(`then ${seen()}`))
          yield* TestHeap.turn
          return log.join()
        })
        // The job of the promise belongs to the turn of the program, so it comes before the clean-up.
        assert.deepStrictEqual(Object.keys(yield* results(program)).toSorted(), [
          "then alive",
          "then alive,alive alive",
          "then alive,dead dead"
        ])
        const jobs = yield* results(program, { turns: "job" })
        assert.deepStrictEqual(Object.keys(jobs).toSorted(), [
          "alive alive,then alive",
          "alive alive,then dead",
          "dead dead,then dead",
          "then alive",
          "then alive,alive alive",
          "then alive,dead dead",
          "then dead",
          "then dead,dead dead"
        ])
      }))

    it.effect("counts as the same choice as an identical clean-up of the same target", () =>
      Effect.gen(function*() {
        const program = (held: ReadonlyArray<string>) =>
          Effect.gen(function*() {
            const { heap } = yield* TestHeap.TestHeap
            const log: Array<string> = []
            const registry = new heap.FinalizationRegistry<string>((held) => log.push(held))
            const target = {}
            for (const name of held) registry.register(target, name)
            yield* TestHeap.mayCollect(target)
            yield* TestHeap.turn
            return log.join()
          })
        assert.deepStrictEqual(yield* results(program(["a", "a"])), { "": 1, "a": 1, "a,a": 1 })
        assert.deepStrictEqual(yield* results(program(["a", "b"])), { "": 1, "a": 1, "b": 1, "a,b": 1, "b,a": 1 })
      }))

    it.effect("is a choice of its own if another target has the same clean-up", () =>
      Effect.gen(function*() {
        const program = Effect.gen(function*() {
          const { heap } = yield* TestHeap.TestHeap
          const targets = [{}, {}]
          const refs = targets.map((target) => new heap.WeakRef(target))
          let runs = 0
          const registry = new heap.FinalizationRegistry<string>(() => runs++)
          for (const target of targets) registry.register(target, "same")
          yield* TestHeap.mayCollect(...targets)
          yield* TestHeap.turn
          return [runs, ...refs.map((ref) => ref.deref() === undefined ? "dead" : "alive")].join()
        })
        assert.deepStrictEqual(Object.keys(yield* results(program)).toSorted(), [
          "0,alive,alive",
          "0,alive,dead",
          "0,dead,alive",
          "0,dead,dead",
          "1,alive,dead",
          "1,dead,alive",
          "1,dead,dead",
          "2,dead,dead"
        ])
      }))

    it.effect("fails the run if it throws or if its promise rejects", () =>
      Effect.gen(function*() {
        const thrower = (cleanUp: () => unknown) =>
          Effect.gen(function*() {
            const { heap } = yield* TestHeap.TestHeap
            const registry = new heap.FinalizationRegistry(cleanUp)
            const target = { id: 1 }
            registry.register(target, 0)
            yield* TestHeap.mayCollect(target)
            yield* TestHeap.turn
            yield* TestHeap.turn
          })
        const error = new Error("from the clean-up")
        for (
          const cleanUp of [() => {
            throw error
          }, () => Promise.reject(error)]
        ) {
          const failed = yield* errorOf(thrower(cleanUp))
          assert.strictEqual(Cause.squash(failed.cause), error)
          assert.strictEqual(failed.trace, "after the end: {id: 1} is collected and its clean-up runs")
          assert.isTrue(Exit.hasDies(yield* Effect.exit(TestHeap.replay(thrower(cleanUp), failed.schedule))))
        }
      }))

    const unregistering = Effect.gen(function*() {
      const { heap } = yield* TestHeap.TestHeap
      const log: Array<string> = []
      const registry = new heap.FinalizationRegistry<string>((held) => log.push(held))
      const target = { id: 1 }
      const ref = new heap.WeakRef(target)
      registry.register(target, "clean-up", target)
      yield* TestHeap.mayCollect(target)
      yield* TestHeap.turn
      log.length = 0
      log.push(String(registry.unregister(target)))
      yield* TestHeap.turn
      log.push(ref.deref() === undefined ? "dead" : "alive")
      yield* TestHeap.turn
      return log.join()
    })

    it.effect("does not run after unregister, unless lateUnregister is true", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(Object.keys(yield* results(unregistering)).toSorted(), [
          "false,dead",
          "true,alive",
          "true,dead"
        ])
        assert.deepStrictEqual(Object.keys(yield* results(unregistering, { lateUnregister: true })).toSorted(), [
          "false,dead",
          "true,alive",
          "true,clean-up,dead",
          "true,dead",
          "true,dead,clean-up"
        ])
      }))

    it.effect("that runs late is marked in the trace and in the schedule, so replay needs no option", () =>
      Effect.gen(function*() {
        const program = Effect.flatMap(
          unregistering,
          (log) => log === "true,clean-up,dead" ? Effect.fail("late") : Effect.void
        )
        yield* TestHeap.explore(program)
        const { schedule, trace } = yield* errorOf(program, { lateUnregister: true })
        assert.strictEqual(trace, "turn 3: the clean-up of {id: 1} runs, although it was unregistered")
        assert.strictEqual(schedule, "late,1:cleanup#1")
        assert.strictEqual(yield* Effect.flip(TestHeap.replay(program, schedule)), "late")
      }))
  })

  it.effect("lets the program run clean-ups itself, in every order", () =>
    Effect.gen(function*() {
      const program = (finalize: Effect.Effect<unknown, never, TestHeap.TestHeap>) =>
        Effect.gen(function*() {
          const log: Array<string> = []
          const targets = [{ id: "a" }, { id: "b" }]
          for (const target of targets) {
            const { id } = target
            yield* Finalizer.make(target, Effect.sync(() => log.push(id)), { atExit: false })
          }
          yield* TestHeap.mayCollect(...targets)
          yield* finalize
          return log.join("")
        })
      assert.deepStrictEqual(yield* results(program(TestHeap.finalize)), { "": 1, "a": 1, "b": 1, "ab": 1, "ba": 1 })
      assert.deepStrictEqual(yield* results(program(TestHeap.finalizeOne)), { "": 1, "a": 1, "b": 1 })
      const counted = Effect.map(TestHeap.pending, String)
      assert.deepStrictEqual(
        yield* results(Effect.gen(function*() {
          const target = {}
          yield* Finalizer.make(target, Effect.void)
          yield* TestHeap.mayCollect(target)
          const first = yield* counted
          yield* TestHeap.turn
          return `${first} ${yield* counted}`
        })),
        // The first turn keeps the target. Then its clean-up has run, or it is alive, or its clean-up is queued.
        { "0 0": 2, "0 1": 1 }
      )
    }))

  it.effect("does not collect a target that is held again, or that collect has collected before", () =>
    Effect.gen(function*() {
      const holding = Effect.gen(function*() {
        const target = {}
        const ref = yield* released(target)
        const first = isAlive(ref)
        yield* TestHeap.hold(target)
        yield* TestHeap.turn
        return `${first} ${isAlive(ref)}`
      })
      // A target that is dead stays dead.
      assert.deepStrictEqual(yield* results(holding), { "alive alive": 1, "dead dead": 1 })
      const collecting = Effect.gen(function*() {
        const target = {}
        const ref = yield* released(target)
        const other = yield* released({})
        yield* TestHeap.collect(target)
        const again = yield* WeakRef.make(target)
        yield* TestHeap.turn
        return `${isAlive(ref)} ${isAlive(again)} ${isAlive(other)}`
      })
      assert.deepStrictEqual(yield* results(collecting), { "dead alive alive": 1, "dead alive dead": 1 })
    }))

  describe("reports", () => {
    it.effect("a shortest schedule, even if the program fails earlier under longer ones", () =>
      Effect.gen(function*() {
        const program = Effect.gen(function*() {
          const targets = [{ id: 1 }, { id: 2 }, { id: 3 }]
          const refs = yield* Effect.forEach(targets, WeakRef.make)
          yield* TestHeap.mayCollect(...targets)
          const dead: Array<number> = []
          for (let turn = 0; turn < 3; turn++) {
            yield* TestHeap.turn
            dead.push(refs.filter((ref) => !WeakRef.isAlive(ref)).length)
          }
          if (dead[0] === 3 || dead[2] === 2) return yield* Effect.fail("too many")
        })
        const { trace } = yield* errorOf(program)
        assert.strictEqual(trace, `turn 2: {id: 1} is collected before "deref"; {id: 2} is collected before "deref"`)
      }))

    const nameOf = Effect.fnUntraced(function*(...targets: ReadonlyArray<WeakKey>) {
      const program = Effect.gen(function*() {
        const refs = yield* Effect.forEach(targets, (target) => WeakRef.make(target))
        yield* TestHeap.mayCollect(...targets)
        yield* TestHeap.turn
        if (!refs.some(WeakRef.isAlive)) return yield* Effect.fail("dead")
      })
      return (yield* errorOf(program)).trace.replaceAll(` is collected before "deref"`, "").replace("turn 2: ", "")
    })

    it.effect("readable names of targets", () =>
      Effect.gen(function*() {
        class Image {
          readonly name = "sunset"
        }
        const named = function load() {}
        assert.strictEqual(
          yield* nameOf({ id: 1, name: "a", nested: {}, list: [] }),
          `{id: 1, name: "a", nested: …, list: …}`
        )
        assert.strictEqual(yield* nameOf(Symbol("mine")), "Symbol(mine)")
        assert.strictEqual(yield* nameOf(named), "function load")
        assert.strictEqual(yield* nameOf(() => {}), "a function")
        assert.strictEqual(yield* nameOf(new Image()), `Image({"name":"sunset"})`)
        assert.strictEqual(yield* nameOf({}, {}), "{} (number 1); {} (number 2)")
        assert.isBelow((yield* nameOf({ text: "x".repeat(1_000_000) })).length, 100)
        const throwing = Object.defineProperty({}, "getter", { enumerable: true, get: () => assert.fail("was read") })
        assert.strictEqual(yield* nameOf(throwing), "{getter: undefined}")
      }))

    it.effect("which of several clean-ups has run", () =>
      Effect.gen(function*() {
        const program = Effect.gen(function*() {
          const { heap } = yield* TestHeap.TestHeap
          const log: Array<string> = []
          const registry = new heap.FinalizationRegistry<string>((held) => log.push(held))
          const [a, b] = [{ id: "a" }, { id: "b" }]
          registry.register(a, "first")
          registry.register(a, "second")
          registry.register(b, "third")
          yield* TestHeap.mayCollect(a, b)
          yield* TestHeap.turn
          if (log.join() === "second,third,first") return yield* Effect.fail("this order")
        })
        assert.strictEqual(
          (yield* errorOf(program)).trace,
          `turn 2: {id: "a"} is collected and its clean-up runs with "second"; ` +
            `turn 3: {id: "b"} is collected and its clean-up runs; turn 4: the clean-up of {id: "a"} runs with "first"`
        )
      }))

    it.effect("a program that is not deterministic", () =>
      Effect.gen(function*() {
        let runs = 0
        const changing = Effect.gen(function*() {
          const ref = yield* released({ id: 1 })
          if (++runs % 2 === 0) yield* TestHeap.mayCollect({ id: 2 })
          for (let read = 0; read < runs; read++) {
            WeakRef.isAlive(ref)
            yield* TestHeap.turn
          }
          yield* released({ id: 3 })
          if (runs % 2 === 0) WeakRef.isAlive(yield* released({ id: 4 }))
        })
        const error = yield* errorOf(changing)
        assert.strictEqual(error.reason, "NonDeterminism")
        assert.match(error.message, /^The program is not deterministic: .*\. Look for random numbers, /)
      }))

    it.effect("a program that reads another target at an earlier choice", () =>
      Effect.gen(function*() {
        let runs = 0
        const changing = Effect.gen(function*() {
          const targets = [{ id: 1 }, { id: 2 }, { id: 3 }]
          const [a, b, c] = yield* Effect.forEach(targets, WeakRef.make)
          yield* TestHeap.mayCollect(...targets)
          yield* TestHeap.turn
          WeakRef.isAlive(runs++ === 0 ? a! : c!)
          WeakRef.isAlive(b!)
        })
        const error = yield* errorOf(changing)
        assert.strictEqual(error.reason, "NonDeterminism")
        assert.include(error.message, "choice 0 was between nothing and deref#1, then between nothing and deref#3")
      }))

    it.effect("a failure that does not happen again", () =>
      Effect.gen(function*() {
        let runs = 0
        const once = Effect.suspend(() => ++runs === 1 ? Effect.fail("once") : Effect.void)
        const error = yield* errorOf(once)
        assert.strictEqual(error.reason, "NonDeterminism")
        assert.include(error.message, "the schedule failed once, and passed when it was run again")
      }))

    it.effect("a program that waits for a clean-up that never runs", () =>
      Effect.gen(function*() {
        let interrupted = 0
        const waiting = Effect.gen(function*() {
          const target = {}
          const ended = yield* Deferred.make<void>()
          yield* Finalizer.make(target, Deferred.succeed(ended, void 0), { atExit: false })
          yield* TestHeap.mayCollect(target)
          yield* Effect.onInterrupt(Deferred.await(ended), () => Effect.sync(() => interrupted++))
        })
        const error = yield* errorOf(waiting, { timeout: "20 millis" })
        assert.strictEqual(error.reason, "Endless")
        assert.include(
          error.message,
          "The program does not end: it did not end in 20 ms. If it sleeps, note that its clock"
        )
        assert.include(
          error.message,
          ". If it waits for a clean-up, note that an engine may never run one: call TestHeap.fin"
        )
        // An endless schedule is not confirmed.
        assert.strictEqual(interrupted, 1)
      }))

    it.effect("a program that reads until its target is dead", () =>
      Effect.gen(function*() {
        const looking = Effect.gen(function*() {
          const ref = yield* released({})
          while (WeakRef.isAlive(ref)) yield* TestHeap.turn
        })
        // Ten thousand turns of a page can take longer than the default.
        const error = yield* errorOf(looking, { timeout: "25 seconds" })
        assert.strictEqual(error.reason, "Endless")
        assert.include(error.message, "it did not end in 10000 turns")
      }))
  })

  describe("maxSchedules", () => {
    /** 3 ** 7 = 2187 schedules. */
    const many = (check: (dead: ReadonlyArray<number>) => Effect.Effect<void, string>) =>
      Effect.gen(function*() {
        const targets = Array.from({ length: 7 }, (_, id) => ({ id }))
        const refs = yield* Effect.forEach(targets, WeakRef.make)
        yield* TestHeap.mayCollect(...targets)
        const dead: Array<number> = []
        for (let turn = 0; turn < 2; turn++) {
          yield* TestHeap.turn
          refs.forEach((ref, id) => WeakRef.isAlive(ref) || dead.push(id))
        }
        yield* check(dead)
      })

    it.effect("does not limit a program that has exactly so many schedules", () =>
      Effect.gen(function*() {
        const program = many(() => Effect.void)
        const all = { schedules: 2187, choices: 14, exhaustive: true, gaps: [], unreleased: [] }
        assert.deepStrictEqual(yield* TestHeap.explore(program), all)
        assert.deepStrictEqual(yield* TestHeap.explore(program, { maxSchedules: 2187 }), all)
      }))

    it.effect("reports that there are more schedules, even if it is 1", () =>
      Effect.gen(function*() {
        const explored = yield* TestHeap.explore(released({}).pipe(Effect.map(isAlive)), { maxSchedules: 1 })
        assert.deepStrictEqual(explored, {
          schedules: 1,
          choices: 1,
          exhaustive: false,
          gaps: ["there are more than 1 schedules (maxSchedules)"],
          unreleased: []
        })
      }))

    it.effect("samples the other schedules by the seed", () =>
      Effect.gen(function*() {
        const sample = Effect.fnUntraced(function*(seed: string) {
          const logs: Array<string> = []
          const program = many((dead) => Effect.sync(() => void logs.push(dead.join(""))))
          const explored = yield* TestHeap.explore(program, { maxSchedules: 200, seed })
          assert.deepInclude(explored, { schedules: 200, choices: 14, exhaustive: false })
          return logs
        })
        const [first, again, other] = [yield* sample("a"), yield* sample("a"), yield* sample("b")]
        assert.deepStrictEqual(again, first)
        assert.notDeepEqual(other, first)
        // Counts each schedule once, even if a sample repeats it.
        assert.strictEqual(new Set(first).size, 200)
        assert.isAtMost(first.length, 400)
        // Includes all schedules with one event, and some schedules with many events.
        for (let id = 0; id < 7; id++) assert.include(first, String(id))
        assert.isAbove(Math.max(...first.map((log) => log.length)), 8)
      }))

    it.effect("shortens a failing schedule that was sampled", () =>
      Effect.gen(function*() {
        const program = many((dead) =>
          [1, 3, 5, 6].every((id) => dead.includes(id)) ? Effect.fail("these four") : Effect.void
        )
        for (const seed of ["a", "b", "c"]) {
          const { schedule, schedules, trace } = yield* errorOf(program, { maxSchedules: 200, seed })
          assert.isAtMost(schedules, 200)
          assert.strictEqual(schedule.split(",").length, 4)
          assert.deepStrictEqual(trace.match(/id: \d/g)?.toSorted(), ["id: 1", "id: 3", "id: 5", "id: 6"])
          assert.strictEqual(yield* Effect.flip(TestHeap.replay(program, schedule)), "these four")
        }
      }))
  })

  describe("each run", () => {
    it.effect("has its own heap and Scope, and the services of the caller", () =>
      Effect.gen(function*() {
        const heaps = new Set<unknown>()
        const log: Array<string> = []
        const program = Effect.gen(function*() {
          heaps.add((yield* TestHeap.TestHeap).heap)
          yield* Effect.addFinalizer(() => Effect.sync(() => log.push("closed")))
          log.push(isAlive(yield* released({})))
        })
        yield* TestHeap.explore(program)
        assert.deepStrictEqual(log, ["alive", "closed", "dead", "closed"])
        assert.strictEqual(heaps.size, 2)
      }))

    it.effect("is interrupted when the exploration is interrupted", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const program = Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.push("interrupted")))
        const fiber = yield* Effect.forkChild(TestHeap.explore(program), { startImmediately: true })
        yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(log, ["interrupted"])
      }))
  })

  it.effect("refuses what is no target, in mayCollect, hold and retains", () =>
    Effect.gen(function*() {
      const [value, other] = ["text" as unknown as object, {}]
      const operations = [
        TestHeap.mayCollect(other, value),
        TestHeap.hold(other, value),
        TestHeap.retains(value, other),
        TestHeap.retains(other, value)
      ]
      for (const operation of operations) {
        const error = yield* errorOf(operation)
        assert.deepInclude(error, { reason: "Failure", schedules: 1 })
        assert.instanceOf(Cause.squash(error.cause), WeakError.NotWeakReferenceableError)
        const exit = yield* Effect.exit(Effect.provide(operation, TestHeap.layer))
        assert.instanceOf(Exit.isFailure(exit) && Cause.squash(exit.cause), WeakError.NotWeakReferenceableError)
      }
    }))

  it.effect("prints an exact message, with the targets that were never released", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const [one, two] = [{ id: 1 }, { id: 2 }]
        const refs = [yield* WeakRef.make(one), yield* WeakRef.make(two)]
        yield* TestHeap.mayCollect(one)
        yield* TestHeap.turn
        if (!WeakRef.isAlive(refs[0]!)) return yield* Effect.fail("it is dead")
        return WeakRef.isAlive(refs[1]!)
      })
      const error = yield* errorOf(program)
      assert.strictEqual(
        error.message,
        [
          "it is dead",
          `Schedule: "0:deref#1"`,
          `Trace: turn 2: {id: 1} is collected before "deref"`,
          `Replay: TestHeap.replay(program, "0:deref#1")`
        ].join("\n")
      )
      const always = yield* errorOf(Effect.flatMap(program, () => Effect.fail("always")))
      assert.strictEqual(
        always.message,
        [
          "always",
          `Schedule: ""`,
          "Trace: nothing is collected",
          `Replay: TestHeap.replay(program, "")`,
          "Never released, so never collected: {id: 2}"
        ].join("\n")
      )
    }))

  it.effect("dies with a TypeError if an option is wrong", () =>
    Effect.gen(function*() {
      const refused: ReadonlyArray<readonly [object, string]> = [
        [{ maxSchedules: 0 }, "maxSchedules must be a positive integer, but it is 0"],
        [{ maxSchedules: 1.5 }, "maxSchedules must be a positive integer, but it is 1.5"],
        [{ maxSchedules: "1" }, "maxSchedules must be a positive integer, but it is \"1\""],
        [{ seed: {} }, "seed must be a string or a number, but it is {}"],
        [{ lateUnregister: 1 }, "lateUnregister must be a boolean, but it is 1"],
        [{ turns: "microtask" }, `turns must be "task" or "job", but it is "microtask"`],
        [{ timeout: 0 }, "timeout must be a positive duration of less than 24 days, but it is 0"],
        [{ timeout: "soon" }, "timeout must be a positive duration of less than 24 days, but it is \"soon\""],
        [{ timeout: 2 ** 31 }, "timeout must be a positive duration of less than 24 days, but it is 2147483648"],
        [{ timeout: "30 days" }, "timeout must be a positive duration of less than 24 days, but it is \"30 days\""]
      ]
      for (const [options, message] of refused) {
        const exit = yield* Effect.exit(TestHeap.explore(Effect.void, options))
        assert.isTrue(Exit.hasDies(exit))
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.instanceOf(error, TypeError)
        assert.strictEqual((error as TypeError).message, `TestHeap.explore: ${message}`)
      }
    }))
})

describe("TestHeap.explore, with options at their bounds", () => {
  it.effect("accepts the smallest and the largest", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        WeakRef.isAlive(yield* released({}))
      })
      for (const timeout of [1000, 2 ** 31 - 1]) yield* TestHeap.explore(program, { timeout, maxSchedules: 1 })
      // The program may end or not in a millisecond.
      const exit = yield* Effect.exit(TestHeap.explore(program, { timeout: 1, maxSchedules: 1 }))
      assert.isFalse(Exit.hasDies(exit))
    }))
})

describe("TestHeap.replay", () => {
  const program = Effect.gen(function*() {
    const ref = yield* released({ id: 1 })
    return Option.isSome(WeakRef.deref(ref))
  })

  it.effect("returns the result of the program under the schedule", () =>
    Effect.gen(function*() {
      assert.isTrue(yield* TestHeap.replay(program, ""))
      assert.isFalse(yield* TestHeap.replay(program, "0:deref#1"))
    }))

  it.effect("fails if the text is not a schedule", () =>
    Effect.gen(function*() {
      for (
        const text of ["nonsense", "1", "1:deref", "deref#1", "1:deref#1 2:deref#1", "2:deref#1,1:deref#1", "0:eval#1"]
      ) {
        const error = yield* Effect.flip(TestHeap.replay(program, text))
        assert.deepInclude(error, { _tag: "ScheduleError", reason: "Malformed", schedule: text })
        assert.deepInclude(error, { trace: "", schedules: 0, unreleased: [] })
        assert.include(error.message, "is not a schedule")
      }
      // A program without types can pass anything.
      for (const text of [undefined, 5] as Array<any>) {
        const error = yield* Effect.flip(TestHeap.replay(program, text))
        assert.strictEqual(error.message, `${text} is not a schedule. Use the schedule that TestHeap.explore reports`)
      }
    }))

  it.effect("fails if the schedule belongs to another program", () =>
    Effect.gen(function*() {
      for (const text of ["0:deref#2", "0:cleanup#1", "3:deref#1"]) {
        const error = yield* Effect.flip(TestHeap.replay(program, text))
        assert.deepInclude(error, { _tag: "ScheduleError", reason: "NonDeterminism", schedule: text })
      }
    }))
})
