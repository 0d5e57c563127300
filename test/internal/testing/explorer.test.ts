/** Explores programs that ask the collector directly. `test/testing/TestHeap.explore.test.ts` explores programs of users. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { vi } from "vitest"
import type { ExploredCollector } from "../../../src/internal/testing/exploredCollector.ts"
import * as Explorer from "../../../src/internal/testing/explorer.ts"
import { parse } from "../../../src/internal/testing/schedule.ts"

/** The collector of the run. */
class Heap extends Context.Service<Heap, ExploredCollector>()("test/Heap") {}

const settings = (change: Partial<Explorer.Settings> = {}): Explorer.Settings => ({
  maxSchedules: 100,
  seed: "seed",
  lateUnregister: false,
  turns: "task",
  timeout: 1000,
  isInternal: () => false,
  services: (collector) => ({ context: Context.make(Heap, collector), release: () => {} }),
  ...change
})

/** Releases this many targets, reads each of them, and returns a text with 0 for each that is alive and 1 for each that is dead. */
const reads = (count: number) =>
  Effect.map(Heap, (heap) => {
    const targets = Array.from({ length: count }, (_, id) => ({ id: id + 1 }))
    for (const target of targets) heap.mayCollect(target)
    return targets.map((target) => heap.read(target, 0) ? "0" : "1").join("")
  })

/** Notes the results of the runs. */
const noting = <A, E, R>(program: Effect.Effect<A, E, R>) => {
  const seen: Array<A> = []
  return { seen, program: Effect.tap(program, (result) => Effect.sync(() => seen.push(result))) }
}

const explore = <A, E>(program: Effect.Effect<A, E, Heap>, change?: Partial<Explorer.Settings>) =>
  // Each run provides the service.
  Effect.runPromise(Explorer.explore(program, settings(change)) as Effect.Effect<Explorer.Result>)

const replay = <A, E>(program: Effect.Effect<A, E, Heap>, schedule: string, change?: Partial<Explorer.Settings>) =>
  Effect.runPromise(
    Explorer.replay(program, parse(schedule)!, settings(change)) as Effect.Effect<Exit.Exit<A, E> | Explorer.Failed>
  )

const failed = (result: Explorer.Result | Exit.Exit<unknown, unknown>): Explorer.Failed => {
  assert.strictEqual(result._tag, "Failed")
  return result as Explorer.Failed
}
const messageOf = (result: Explorer.Result | Exit.Exit<unknown, unknown>): string => {
  const error = Cause.squash(failed(result).cause)
  return error instanceof Error ? error.message : String(error)
}

const nextTask = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

const failIf = (fails: (result: string) => boolean, count: number) =>
  Effect.flatMap(reads(count), (result) => fails(result) ? Effect.fail(result) : Effect.succeed(result))

const passed = (change: Partial<Explorer.Passed>): Explorer.Passed => ({
  _tag: "Passed",
  schedules: 1,
  choices: 0,
  gaps: [],
  unreleased: [],
  ...change
})

describe("explore", () => {
  it("runs every schedule once, those with fewer steps first", async () => {
    const { program, seen } = noting(reads(3))
    assert.deepStrictEqual(await explore(program), passed({ schedules: 8, choices: 3 }))
    assert.deepStrictEqual(seen, ["000", "100", "010", "001", "110", "101", "011", "111"])
  })

  it("is complete if there are exactly as many schedules as it may run, and not if there is one more", async () => {
    for (const count of [1, 2, 3]) {
      const schedules = 2 ** count
      const all = await explore(reads(count), { maxSchedules: schedules })
      assert.deepStrictEqual(all, passed({ schedules, choices: count }))
      const some = await explore(reads(count), { maxSchedules: schedules - 1 })
      assert.deepStrictEqual(
        some,
        passed({
          schedules: schedules - 1,
          choices: count,
          gaps: [`there are more than ${schedules - 1} schedules (maxSchedules)`]
        })
      )
    }
  })

  it("takes the schedules in order in every second run, and samples in the others, if there are too many", async () => {
    const { program, seen } = noting(reads(10))
    const result = await explore(program, { maxSchedules: 20 })
    assert.deepStrictEqual(
      result,
      passed({ schedules: 20, choices: 10, gaps: ["there are more than 20 schedules (maxSchedules)"] })
    )
    const zeros = "0".repeat(10)
    const singles = Array.from({ length: 10 }, (_, index) => `${zeros.slice(0, index)}1${zeros.slice(index + 1)}`)
    // Sampling begins with the fifth run, because more than 16 schedules wait for the other 16 runs.
    const inOrder = (_: string, index: number) => index < 4 || index % 2 === 1
    assert.deepStrictEqual(seen.filter(inOrder), [zeros, ...singles, "1100000000"])
    // These depend on the random numbers of Effect.
    assert.deepStrictEqual(
      seen.filter((result, index) => !inOrder(result, index)),
      [
        "0000000011",
        "1000000110",
        "0001000011",
        "0010101010",
        "1000001000",
        "0001001100",
        "1010011110",
        "1001001100"
      ]
    )
    const again = noting(reads(10))
    await explore(again.program, { maxSchedules: 20 })
    assert.deepStrictEqual(again.seen, seen)
    const other = noting(reads(10))
    await explore(other.program, { maxSchedules: 20, seed: "another seed" })
    assert.notDeepEqual(other.seen, seen)
  })

  it("counts each schedule once, even if it meets the same ones again", async () => {
    // These depend on the random numbers of Effect. A run that repeats a schedule does not count.
    const runs = {
      8: "0000 1000 0100 0010 1110 0001 0101 1100",
      10: "0000 1000 0100 0010 0001 1011 1100 0111 1010 0111 1001",
      12: "0000 1000 0100 0010 0001 1100 1010 0111 1001 0011 0110 1101",
      14: "0000 1000 0100 0010 0001 1100 1010 1001 0110 0101 0011 0111 1110 1011"
    }
    for (const [maxSchedules, expected] of Object.entries(runs)) {
      const { program, seen } = noting(reads(4))
      const result = await explore(program, { maxSchedules: Number(maxSchedules) })
      assert.strictEqual(seen.join(" "), expected)
      assert.strictEqual(result.schedules, Number(maxSchedules))
      assert.strictEqual(new Set(seen).size, Number(maxSchedules))
    }
  })

  it("reports the first failure, after it has seen the failure again", async () => {
    const { program, seen } = noting(Effect.result(failIf((result) => result === "011", 3)))
    const result = failed(await explore(Effect.flatMap(program, Effect.fromResult)))
    assert.deepStrictEqual(result, {
      _tag: "Failed",
      reason: "Failure",
      schedules: 7,
      schedule: "1:deref#2,2:deref#3",
      trace: `turn 1: {id: 2} is collected before "deref"; {id: 3} is collected before "deref"`,
      unreleased: [],
      cause: Cause.fail("011")
    })
    // It does not shorten the schedule, which is already a shortest one.
    assert.lengthOf(seen, 8)
  })

  it("shortens a failing schedule that was sampled", async () => {
    const fails = (result: string) => result[8] === "1" && result[9] === "1"
    const { program, seen } = noting(Effect.result(failIf(fails, 10)))
    const result = failed(await explore(Effect.flatMap(program, Effect.fromResult), { maxSchedules: 40 }))
    assert.strictEqual(result.schedule, "8:deref#9,9:deref#10")
    assert.deepStrictEqual(result.cause, Cause.fail("0000000011"))
    assert.isAbove(result.schedules, 1)
    // It removes one step at a time. A run without one of the last two steps passes.
    const found = seen.findIndex((result) => result._tag === "Failure")
    assert.deepStrictEqual(seen.slice(found).map((result) => result._tag === "Failure" ? result.failure : ""), [
      "1001101011",
      "0001101011",
      "0000101011",
      "0000001011",
      "0000000011",
      "",
      "",
      "0000000011"
    ])
  })

  it("fails if the program is not deterministic", async () => {
    let runs = 0
    const other = { id: "other" }
    const changing = Effect.map(Heap, (heap) => {
      runs++
      const [a, b] = [{ id: 1 }, { id: 2 }]
      heap.mayCollect(a)
      heap.mayCollect(b)
      const result = [heap.read(runs === 1 ? a : b, 0), heap.read(runs === 1 ? b : a, 0)]
      heap.read(other, 0)
      return result
    })
    const result = failed(await explore(changing))
    assert.strictEqual(result.reason, "NonDeterminism")
    assert.strictEqual(
      messageOf(result),
      "The program is not deterministic: choice 0 was between nothing and deref#1, then between nothing and deref#2. " +
        "Look for random numbers, real clocks, and variables that outlive a run"
    )
    // After the difference it takes the first options.
    assert.strictEqual(result.schedule, "")
    assert.strictEqual(result.schedules, 1)
    assert.strictEqual(runs, 2)
  })

  it("fails if a choice has more options than before, or fewer", async () => {
    for (const [first, second] of [[1, 2], [2, 1]] as const) {
      let runs = 0
      const changing = Effect.map(Heap, (heap) => {
        runs++
        for (let id = 0; id < (runs === 1 ? first : second); id++) {
          const target = { id }
          heap.register(target, () => {}, id)
          heap.mayCollect(target)
        }
        heap.next(false)
      })
      const result = failed(await explore(changing))
      const options = (count: number) => ["nothing", "cleanup#1", "cleanup#2"].slice(0, count + 1).join(" and ")
      assert.include(messageOf(result), `choice 0 was between ${options(first)}, then between ${options(second)}. Look`)
    }
  })

  it("says so if the program uses what an earlier run has made", async () => {
    let earlier: ExploredCollector | undefined
    let runs = 0
    const changing = Effect.map(Heap, (heap) => {
      runs++
      earlier ??= heap
      const [a, b] = [{ id: 1 }, { id: 2 }]
      for (const target of runs === 1 ? [a, b] : [b]) heap.mayCollect(target)
      void earlier.receiver
      return runs === 1 ? heap.read(b, 0) : heap.read(b, 0)
    })
    const message = messageOf(await explore(changing))
    assert.strictEqual(
      message,
      "The program is not deterministic: choice 0 was between nothing and deref#2, then between nothing and deref#1. " +
        "The run uses a WeakRef, a WeakMap or a FinalizationRegistry that an earlier run has made, because a variable " +
        "of a module keeps it. Make it inside the program, or load the module again in each run"
    )
  })

  it("fails if a failure does not happen again, or a run ends early", async () => {
    let runs = 0
    const once = Effect.flatMap(reads(1), (result) => ++runs === 2 ? Effect.fail("once") : Effect.succeed(result))
    const result = failed(await explore(once))
    assert.strictEqual(result.reason, "NonDeterminism")
    assert.strictEqual(result.schedules, 2)
    assert.match(
      messageOf(result),
      /^The program is not deterministic: the schedule failed once, and passed when it was run again\. /
    )
    let later = 0
    const shorter = Effect.flatMap(Heap, () => reads(++later === 1 ? 2 : 0))
    assert.match(
      messageOf(await explore(shorter)),
      /^The program is not deterministic: the run ended after 0 choices, before 0:deref#1\. /
    )
  })

  it("lists the weak targets of the run that has the most, and the first of these", async () => {
    const names = (count: number, name: string) => Array.from({ length: count }, (_, id) => ({ [name]: id }))
    const targets = [names(1, "a"), names(3, "b"), names(3, "c"), names(2, "d")]
    let runs = 0
    const program = Effect.flatMap(Heap, (heap) => {
      for (const target of targets[runs++]!) heap.read(target, 0)
      return reads(2)
    })
    const result = await explore(program)
    assert.deepStrictEqual(result, passed({ schedules: 4, choices: 2, unreleased: ["{b: 0}", "{b: 1}", "{b: 2}"] }))
  })

  it("lists ten weak targets, and says how many more there are", async () => {
    const withTargets = (count: number) =>
      Effect.flatMap(Heap, (heap) => {
        for (let id = 0; id < count; id++) heap.read({ weak: id }, 0)
        return reads(1)
      })
    const ten = Array.from({ length: 10 }, (_, id) => `{weak: ${id}}`)
    assert.deepStrictEqual((await explore(withTargets(10))).unreleased, ten)
    assert.deepStrictEqual((await explore(withTargets(11))).unreleased, [...ten, "and 1 more"])
    assert.deepStrictEqual((await explore(withTargets(11), { isInternal: () => true })).unreleased, [])
  })

  it("says why it may not show everything", async () => {
    const [a, b] = [{ id: "a" }, { id: "b" }]
    const program = Effect.map(Heap, (heap) => {
      heap.mayCollect(a)
      heap.mayCollect(b)
      heap.usesHost("WeakRef", a)
      heap.usesHost("FinalizationRegistry", b)
      heap.usesOtherHeap = true
      for (const gap of ["turn", "pending", "earlier WeakRef"] as const) heap.gaps.add(gap)
      heap.read(a, 0)
    })
    const gapsOf = async (turns: "task" | "job") => (await explore(program, { turns }) as Explorer.Passed).gaps
    const others = [
      "pending had too many clean-ups to count",
      "the program reads a WeakRef that an earlier run has made",
      `a WeakRef of the host's heap refers to {id: "a"}`,
      `a FinalizationRegistry of the host's heap has {id: "b"}`,
      "the program uses another TestHeap, and explore decides only on its own"
    ]
    assert.deepStrictEqual(await gapsOf("task"), [
      "while clean-ups were due, the program continued after something that is neither a timer nor a step of Effect, " +
      "and turns may have passed unnoticed",
      ...others
    ])
    assert.deepStrictEqual(await gapsOf("job"), [
      "while clean-ups were due, the program continued after an await, and jobs without weak primitives are not noticed",
      ...others
    ])
  })

  it("leaves the microtasks of a run behind it before the next one begins", async () => {
    const log: Array<string> = []
    let runs = 0
    const leaving = (program: Effect.Effect<string, string, Heap>) =>
      Effect.suspend(() => {
        const run = ++runs
        log.push(`run ${run}`)
        void Promise.resolve().then(() => {}).then(() => {}).then(() => log.push(`end ${run}`))
        return program
      })
    const expected = () => Array.from({ length: runs }, (_, index) => [`run ${index + 1}`, `end ${index + 1}`]).flat()
    await explore(leaving(failIf((result) => result === "01", 2)))
    await nextTask()
    assert.strictEqual(runs, 4)
    assert.deepStrictEqual(log, expected())
    await explore(leaving(failIf((result) => result.endsWith("11"), 10)), { maxSchedules: 40 })
    await nextTask()
    assert.isAbove(runs, 10)
    assert.deepStrictEqual(log, expected())
  })

  it("runs one program after the other, and a program inside of a program at once", async () => {
    let running = 0
    const alone = Effect.gen(function*() {
      running++
      const result = yield* reads(1)
      yield* Effect.yieldNow
      assert.strictEqual(running, 1)
      running--
      return result
    })
    const results = await Promise.all([explore(alone), explore(alone)])
    assert.deepStrictEqual(results, [passed({ schedules: 2, choices: 1 }), passed({ schedules: 2, choices: 1 })])
    const inner: Array<Explorer.Result> = []
    const nested = Effect.gen(function*() {
      inner.push(yield* Explorer.explore(reads(1), settings()))
      return yield* reads(1)
    })
    assert.deepStrictEqual(await explore(nested), results[0])
    assert.deepStrictEqual(inner, results)
  })

  it("counts the turns of a fiber, even if it uses no weak primitive in them", async () => {
    const turns: Array<number> = []
    const yielding = Effect.flatMap(Heap, (heap) =>
      Effect.gen(function*() {
        for (let turn = 0; turn < 3; turn++) {
          turns.push(heap.turn)
          yield* Effect.yieldNow
        }
        return yield* reads(1)
      }))
    await explore(yielding)
    assert.deepStrictEqual(turns, [1, 2, 3, 1, 2, 3])
  })

  it("releases what each run has installed, even if the run is interrupted", async () => {
    let [made, released] = [0, 0]
    const services: Explorer.Settings["services"] = (collector) => {
      made++
      return { context: Context.make(Heap, collector), release: () => released++ }
    }
    await explore(reads(1), { services })
    assert.deepStrictEqual([made, released], [2, 2])
    let interrupted = 0
    const endless = Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
    const fiber = Effect.runFork(Explorer.explore(endless, settings({ services })))
    await Effect.runPromise(Fiber.interrupt(fiber))
    assert.deepStrictEqual([made, released, interrupted], [3, 3, 1])
    // The lock is free again.
    assert.strictEqual((await explore(reads(1))).schedules, 2)
  })
})

describe("explore fails without a choice, and says that", () => {
  const layerInside =
    "The program makes another TestHeap: remove Effect.provide(TestHeap.layer) from it, because explore provides the heap"
  const otherHeaps =
    "Code that reads the global constructors needs TestHeap.install() at the beginning of the program, and must be " +
    "loaded after it if it reads them when it is loaded. A makeUnsafe constructor needs the heap as its argument"
  const noTarget =
    "the program releases no target. Call TestHeap.mayCollect(target) where the program drops its last strong reference to it"
  const a = { id: "a" }
  const b = { id: "b" }
  const rows: ReadonlyArray<readonly [why: string, program: (heap: ExploredCollector) => unknown]> = [
    [noTarget, () => {}],
    [`${noTarget}. It refers weakly to {id: "a"}, {id: "b"}`, (heap) => {
      heap.read(a, 0)
      heap.read(b, 0)
    }],
    [layerInside, (heap) => heap.usesOtherHeap = true],
    [
      `a WeakRef of the host's heap refers to {id: "a"}, a FinalizationRegistry of the host's heap has {id: "b"}, ` +
      `and explore decides only on its own heap. ${otherHeaps}`,
      (heap) => {
        for (const target of [a, b]) heap.mayCollect(target)
        heap.usesHost("WeakRef", a)
        heap.usesHost("FinalizationRegistry", b)
      }
    ],
    [
      `no WeakRef and no FinalizationRegistry of the explored heap has {id: "a"}, {id: "b"}. ${otherHeaps}`,
      (heap) => {
        for (const target of [a, b]) heap.mayCollect(target)
      }
    ],
    [
      `no WeakRef and no FinalizationRegistry of the explored heap has {id: "a"}. ${layerInside}. ` +
      `It refers weakly to {id: "b"}`,
      (heap) => {
        heap.mayCollect(a)
        heap.read(b, 0)
        heap.usesOtherHeap = true
      }
    ],
    [
      "the program ends in its first turn, which keeps the targets. Call TestHeap.turn after TestHeap.mayCollect",
      (heap) => {
        heap.keep(a)
        heap.mayCollect(a)
      }
    ],
    [
      `after a turn has ended, the program neither reads a WeakRef of {id: "a"} nor waits for a clean-up. ` +
      "Targets that are held again, or whose owner is alive, are not collected",
      (heap) => {
        heap.keep(a)
        heap.mayCollect(a)
        return new Promise((resolve) => setTimeout(resolve, 1))
      }
    ]
  ]
  for (const [why, program] of rows) {
    it(`${why}`, async () => {
      const run = Effect.flatMap(Heap, (heap) => Effect.promise(async () => program(heap)))
      const result = failed(await explore(run))
      assert.deepStrictEqual([result.reason, result.schedules, result.schedule], ["NoChoice", 1, ""])
      assert.strictEqual(result.trace, "nothing is collected")
      assert.strictEqual(
        messageOf(result),
        `The exploration shows nothing, because the collector has no choice: ${why}`
      )
    })
  }
})

describe("A program that does not end", () => {
  const limit = { timeout: 20 }
  const endless = (after: Effect.Effect<unknown, never, Heap>) => Effect.andThen(after, Effect.never)
  const prefix = "The program does not end: it did not end in 20 ms"

  it("fails after the time limit", async () => {
    const result = failed(await explore(endless(Effect.void), limit))
    assert.deepStrictEqual([result.reason, result.schedules], ["Endless", 1])
    assert.strictEqual(messageOf(result), prefix)
  })

  it("may wait for a clean-up", async () => {
    const waiting = Effect.map(Heap, (heap) => {
      const target = {}
      heap.register(target, () => {}, 1)
      heap.mayCollect(target)
    })
    assert.strictEqual(
      messageOf(await explore(endless(waiting), limit)),
      `${prefix}. If it waits for a clean-up, note that an engine may never run one: call TestHeap.finalize`
    )
  })

  it("may sleep on a TestClock", async () => {
    const sleeping = Effect.provide(Effect.sleep(1000), TestClock.layer())
    const onTestClock =
      ". If it sleeps, note that its clock is a TestClock: adjust the clock in the program, or provide a real Clock"
    assert.strictEqual(messageOf(await explore(sleeping, limit)), prefix + onTestClock)
    assert.strictEqual(messageOf(await explore(Effect.sleep(100_000), limit)), prefix)
    // A fiber that has ended does not sleep.
    const ended = Effect.provide(Effect.void, TestClock.layer())
    const child = Effect.andThen(Effect.forkChild(ended), Effect.andThen(Effect.yieldNow, Effect.never))
    assert.strictEqual(messageOf(await explore(child, limit)), prefix)
  })

  it("fails after many turns", async () => {
    let last = 0
    const turning = Effect.flatMap(
      Heap,
      (heap) =>
        Effect.forever(Effect.flatMap(Effect.promise(() => Promise.resolve()), () =>
          Effect.sync(() => {
            last = heap.turn
          })))
    )
    const result = failed(await explore(turning, { turns: "job", timeout: 60_000 }))
    assert.strictEqual(result.reason, "Endless")
    assert.strictEqual(messageOf(result), "The program does not end: it did not end in 10000 turns")
    assert.strictEqual(last, 10_000)
  })

  it("fails even if it cannot be interrupted, or is replayed with steps that it does not reach", async () => {
    const stubborn = Effect.uninterruptible(Effect.never)
    assert.strictEqual(failed(await explore(stubborn, limit)).reason, "Endless")
    const result = failed(await replay(stubborn, "5:deref#1", limit))
    assert.deepStrictEqual([result.reason, result.schedules], ["Endless", 1])
  })

  it("is interrupted if a clean-up throws, and the first error is reported", async () => {
    const throwing = Effect.map(Heap, (heap) => {
      for (const held of [1, 2]) {
        const target = { held }
        heap.register(target, () => {
          throw new Error(`clean-up ${held}`)
        }, held)
        heap.collect(target)
      }
    })
    const interrupted = endless(throwing)
    for (const program of [interrupted, Effect.uninterruptible(endless(throwing)), throwing]) {
      // A program that can be interrupted ends at once, and not at its time limit.
      const timeout = program === interrupted ? 100_000 : 20
      const result = await replay(program, program === throwing ? "" : "0:cleanup#1", { timeout })
      assert.isTrue(Exit.isExit(result))
      assert.deepStrictEqual(result, Exit.die(new Error("clean-up 1")) as typeof result)
    }
  })
})

describe("replay", () => {
  it("returns the result of the program under the schedule", async () => {
    assert.deepStrictEqual(await replay(reads(3), "0:deref#1,2:deref#3"), Exit.succeed("101"))
    assert.deepStrictEqual(await replay(failIf((result) => result === "01", 2), "1:deref#2"), Exit.fail("01"))
    assert.deepStrictEqual(await replay(reads(2), ""), Exit.succeed("00"))
  })

  it("fails if the program has no such choice, and then takes the first options", async () => {
    const { program, seen } = noting(reads(2))
    const result = failed(await replay(program, "0:deref#9,1:deref#2"))
    assert.deepStrictEqual(
      [result.reason, result.schedules, result.schedule, result.trace],
      ["NonDeterminism", 1, "", "nothing is collected"]
    )
    assert.match(messageOf(result), /: choice 0 is between nothing and deref#1, not deref#9\. Look/)
    assert.deepStrictEqual(seen, ["00"])
    assert.match(
      messageOf(await replay(program, "2:deref#1")),
      /: the run ended after 2 choices, before 2:deref#1\. Look/
    )
    // The first difference is the one that counts.
    assert.match(messageOf(await replay(program, "0:deref#9,2:deref#1")), /: choice 0 is between/)
  })
})

describe("The time", () => {
  /** Loads the explorer on a host whose clock and timers are made up. */
  const load = async (change: { readonly now?: () => number }) => {
    const cleared: Array<unknown> = []
    const set: Array<readonly [unknown, unknown]> = []
    const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, now: Date.now }
    vi.resetModules()
    try {
      globalThis.setTimeout = ((f: () => void, millis: number) => {
        const timer = real.setTimeout(f, millis)
        set.push([timer, millis])
        return timer
      }) as typeof setTimeout
      globalThis.clearTimeout = (timer) => {
        cleared.push(timer)
        real.clearTimeout(timer)
      }
      Date.now = change.now ?? Date.now
      const loaded = await import("../../../src/internal/testing/explorer.ts")
      set.length = 0
      return { cleared, loaded, set }
    } finally {
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout })
      Date.now = real.now
    }
  }

  it("of each run is limited by a timer, which is cleared when the run ends", async () => {
    const { cleared, loaded, set } = await load({})
    await Effect.runPromise(loaded.explore(reads(2), settings({ timeout: 1234 })) as Effect.Effect<Explorer.Result>)
    assert.deepStrictEqual(set.map(([, millis]) => millis), [1234, 1234, 1234, 1234])
    assert.deepStrictEqual(cleared, set.map(([timer]) => timer))
  })

  it("for shortening a schedule is half of that", async () => {
    let time = 0
    const { loaded, set } = await load({ now: () => time++ })
    const fails = (result: string) => result.split("1").length > 6
    const runsOf = async (timeout: number) => {
      set.length = 0
      const { program, seen } = noting(Effect.result(failIf(fails, 12)))
      await Effect.runPromise(
        loaded.explore(
          Effect.flatMap(program, Effect.fromResult),
          settings({ maxSchedules: 50, timeout })
        ) as Effect.Effect<Explorer.Result>
      )
      const found = seen.findIndex((result) => result._tag === "Failure")
      // Without the run that found the failure, and the one that confirms it.
      return { runs: seen.length - found - 2, limits: set.slice(found + 1, -1).map(([, millis]) => millis) }
    }
    assert.deepStrictEqual(await runsOf(1), { runs: 0, limits: [] })
    assert.deepStrictEqual(await runsOf(10), { runs: 4, limits: [4, 3, 2, 1] })
  })
})
