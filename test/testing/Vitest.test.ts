import { assert, describe } from "@effect/vitest"
import * as EffectVitest from "@effect/vitest"
import { Effect } from "effect"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { WeakRef } from "../../src/index.ts"
import type * as Laws from "../../src/testing/Laws.ts"
import { LawError } from "../../src/testing/Laws.ts"
import { matchers } from "../../src/testing/Matchers.ts"
import * as TestHeap from "../../src/testing/TestHeap.ts"
import * as Vitest from "../../src/testing/Vitest.ts"
import { hasNode, isBun, isNode, skip } from "../support/host.ts"

const { expect, it } = Vitest

const program = <A, E>(read: (ref: WeakRef.WeakRef<object>) => Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const user = { id: 1 }
    const ref = yield* WeakRef.make(user)
    yield* TestHeap.mayCollect(user)
    yield* TestHeap.turn
    return yield* read(ref)
  })

const right = program((ref) => Effect.sync(() => WeakRef.isAlive(ref)))
const wrong = program(WeakRef.get)

interface Registered {
  readonly variant: string
  readonly name: string
  readonly timeout: number
  readonly run: (context?: { readonly signal?: AbortSignal }) => Promise<void>
}

/** An `it` that only remembers its tests, so that a test can run them and see them fail. */
const makeRecorder = () => {
  const tests: Array<Registered> = []
  const register = (variant: string) =>
  (
    name: string,
    { timeout }: { readonly timeout: number },
    run: (context: { readonly signal?: AbortSignal }) => Promise<void>
  ) => void tests.push({ variant, name, timeout, run: (context = {}) => run(context) })
  const recorder = Object.assign(register("it"), {
    skip: register("skip"),
    only: register("only"),
    fails: register("fails"),
    skipIf: (condition: unknown) => register(`skipIf ${condition}`),
    runIf: (condition: unknown) => register(`runIf ${condition}`),
    other: "other"
  })
  return { tests, it: Vitest.makeMethods(recorder) }
}

const failureOf = async (test: Registered | undefined): Promise<Error> => {
  try {
    await test!.run()
  } catch (error) {
    assert.instanceOf(error, Error)
    return error as Error
  }
  throw new Error("the test passed")
}

const makeLaw = (name: string, check: Laws.Law["check"]): Laws.Law => ({ name, check })

describe("explore", () => {
  it.explore("runs a program as a test", right)
  it.explore.fails("has the variants of it", wrong)
  it.explore.skipIf(true)("skips a test", wrong)
  it.explore.runIf(false)("does not run a test", wrong)

  it("registers one test, whose time limit is longer than that of the exploration", () => {
    const { it, tests } = makeRecorder()
    it.explore("first", right)
    it.explore("second", right, { timeout: "2 seconds" })
    it.explore("third", right, { timeout: "2 seconds", testTimeout: "4 seconds" })
    assert.deepStrictEqual(tests.map(({ name, timeout }) => [name, timeout]), [
      ["first", 65_000],
      ["second", 62_000],
      ["third", 4_000]
    ])
  })

  it("registers with the variant that was called", () => {
    const { it, tests } = makeRecorder()
    it.explore.skip("a", right)
    it.explore.only("b", right)
    it.explore.fails("c", right)
    it.explore.skipIf(1)("d", right)
    it.explore.runIf(2)("e", right)
    assert.deepStrictEqual(tests.map(({ variant }) => variant), ["skip", "only", "fails", "skipIf 1", "runIf 2"])
  })

  it("prints the schedule, the events, the failure and the replay, in this order", async () => {
    const { it, tests } = makeRecorder()
    it.explore("reads a dead reference", wrong)
    const error = await failureOf(tests[0])
    const { schedule, trace } = await Effect.runPromise(Effect.flip(TestHeap.explore(wrong)))
    assert.strictEqual(error.name, "ScheduleError")
    const parts = [
      "The program fails",
      schedule,
      trace,
      "DeadReferenceError",
      `TestHeap.replay(program, "${schedule}")`
    ]
    const positions = parts.map((part) => error.message.indexOf(part))
    assert.isTrue(positions.every((position) => position >= 0), error.message)
    assert.deepStrictEqual(positions, [...positions].sort((a, b) => a - b))
    assert.strictEqual((error.cause as { readonly _tag: string })._tag, "DeadReferenceError")
    assert.deepStrictEqual(Object.keys(error).filter((key) => key !== "name"), [])
  })

  it("points to the line that made the test", async () => {
    const { it, tests } = makeRecorder()
    it.explore("reads a dead reference", wrong)
    const error = await failureOf(tests[0])
    const head = `ScheduleError: ${error.message}\n`
    assert.isTrue(error.stack!.startsWith(head))
    // An older engine cannot capture the caller.
    if ("captureStackTrace" in Error) assert.include(error.stack!.slice(head.length).split("\n")[0]!, "Vitest.test.ts")
  })

  it("prints an exact report", async () => {
    const { it, tests } = makeRecorder()
    it.explore("reads a dead reference", wrong)
    it.explore("fails always", program(() => Effect.fail("always")))
    it.explore("has no choice", Effect.void)
    const { schedule, schedules, trace } = await Effect.runPromise(Effect.flip(TestHeap.explore(wrong)))
    const report = (lines: ReadonlyArray<string>) => lines.join("\n")
    const dead = await failureOf(tests[0])
    assert.strictEqual(
      dead.message,
      report([
        `The program fails under this schedule. Schedules that ran: ${schedules}`,
        "",
        `Schedule: ${schedule}`,
        `Trace:    ${trace}`,
        `Then:     DeadReferenceError: ${(dead.cause as Error).message}`,
        `Replay:   TestHeap.replay(program, "${schedule}")`
      ])
    )
    const always = await failureOf(tests[1])
    assert.strictEqual(
      always.message,
      report([
        "The program fails under this schedule. Schedules that ran: 1",
        "",
        "Schedule: nothing is collected",
        "Trace:    nothing is collected",
        "Then:     Error: always",
        `Replay:   TestHeap.replay(program, "")`
      ])
    )
    assert.strictEqual(always.cause, "always")
    const none = await failureOf(tests[2])
    assert.match(none.message, /^[^]*mayCollect/)
    assert.isFalse(Object.hasOwn(none, "cause"))
  })

  it("says that a program does not end", async () => {
    const { it, tests } = makeRecorder()
    it.explore("waits", program((ref) => WeakRef.isAlive(ref) ? Effect.void : Effect.never), { timeout: 50 })
    const error = await failureOf(tests[0])
    assert.match(error.message, /^The program does not end \(Endless\)/)
    assert.isUndefined(error.cause)
  })

  it("prints other reasons with the message of the error", async () => {
    const { it, tests } = makeRecorder()
    const counts = () => {
      let runs = 0
      return program((ref) => Effect.sync(() => runs++ === 0 && WeakRef.isAlive(ref)))
    }
    it.explore("counts", counts())
    const error = await failureOf(tests[0])
    const { message } = await Effect.runPromise(Effect.flip(TestHeap.explore(counts())))
    assert.match(message, /not deterministic/)
    assert.deepStrictEqual([error.name, error.message, error.cause], ["ScheduleError", message, undefined])
  })

  it("passes its options to explore", async () => {
    const { it, tests } = makeRecorder()
    it.explore("one schedule", wrong, { maxSchedules: 1 })
    await tests[0]!.run()
  })

  it("interrupts the program when the runner cancels the test", async () => {
    const { it, tests } = makeRecorder()
    let interrupted = false
    const waits = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (interrupted = true)))
    it.explore("waits", program(() => waits), { timeout: "1 minute" })
    const controller = new AbortController()
    const running = tests[0]!.run({ signal: controller.signal })
    await new Promise((resolve) => setTimeout(resolve, 10))
    controller.abort()
    await running.then(() => assert.fail("the test passed"), () => {})
    assert.isTrue(interrupted)
  })
})

describe("laws", () => {
  it.laws([makeLaw("makes a test of each law", () => Effect.void)])

  it("registers one test for each law, and passes the options", async () => {
    const { it, tests } = makeRecorder()
    const seen: Array<unknown> = []
    const check = (options?: Laws.CheckOptions) => Effect.sync(() => void seen.push(options))
    it.laws([makeLaw("a", check), makeLaw("b", check)], { numRuns: 3, seed: 1, testTimeout: "1 second" })
    it.laws([makeLaw("c", check)])
    assert.deepStrictEqual(tests.map(({ name, timeout }) => [name, timeout]), [["a", 1000], ["b", 1000], ["c", 60_000]])
    for (const test of tests) await test.run()
    assert.deepStrictEqual(seen, [{ numRuns: 3, seed: 1 }, { numRuns: 3, seed: 1 }, {}])
  })

  it("fails with the message of the law, and with the error that broke it", async () => {
    const { it, tests } = makeRecorder()
    const cause = new RangeError("too many")
    const broken = new LawError({ law: "a", counterexample: [], trace: ["step"], seed: 1, path: "0", cause })
    it.laws([makeLaw("a", () => Effect.fail(broken))])
    const error = await failureOf(tests[0])
    assert.strictEqual(error.name, "LawError")
    assert.strictEqual(error.message, broken.message)
    assert.strictEqual(error.cause, cause)
  })
})

describe("makeMethods", () => {
  it("keeps what the given it can do, and does not change it", () => {
    const { it: methods } = makeRecorder()
    assert.strictEqual(methods.other, "other")
    const both = Vitest.makeMethods(EffectVitest.it)
    assert.strictEqual(both.effect, EffectVitest.it.effect)
    assert.isFunction(both.explore)
    assert.isFalse("explore" in EffectVitest.it)
  })
})

describe("toBeCollected", () => {
  const kept: Array<object> = []
  const keep = () => {
    const value = {}
    kept.push(value)
    return value
  }
  const quick = { rounds: 3, retainers: false }

  it("passes if the object of a function, a promise or an effect is collected", async () => {
    await expect(() => ({})).toBeCollected()
    await expect(async () => ({})).toBeCollected()
    await expect(Effect.sync(() => ({}))).toBeCollected()
  })

  it("fails if something retains the object", async () => {
    await expect(expect(keep).toBeCollected(quick)).rejects.toThrow("still reachable after 3 collections")
    await expect(expect(Effect.sync(keep)).toBeCollected(quick)).rejects.toThrow("still reachable")
  })

  it("names the path that retains the object", async () => {
    if (isBun || !hasNode) return skip("needs a path of retainers")
    await expect(expect(keep).toBeCollected({ rounds: 2 })).rejects.toThrow(/This path retains it:\n.* → value/)
  }, 60_000)

  it("can be negated, and then searches no path", async () => {
    await expect(keep).not.toBeCollected({ rounds: 2 })
    const { message, pass } = await matchers.toBeCollected.call({ isNot: true }, keep, { rounds: 2 })
    assert.isFalse(pass)
    assert.match(message(), /the search was switched off/)
    await expect(expect(() => ({})).not.toBeCollected()).rejects.toThrow("The value was collected, but")
  })

  it("has a message for each outcome", async () => {
    const collected = await matchers.toBeCollected.call({}, () => ({}))
    assert.isTrue(collected.pass)
    assert.strictEqual(collected.message(), "The value was collected, but the test expects that something retains it")
    const retained = await matchers.toBeCollected.call({}, keep, { rounds: 1, retainers: false })
    assert.isFalse(retained.pass)
    assert.match(retained.message(), /^The value is still reachable after 1 collections/)
  })

  it("fails either way if the host cannot collect", async () => {
    if (isBun || !hasNode) return skip("takes the collector away")
    const { gc } = globalThis
    const { getBuiltinModule } = process
    globalThis.gc = undefined
    process.getBuiltinModule = () => {
      throw new Error("not on this host")
    }
    try {
      for (const isNot of [false, true]) {
        const { message, pass } = await matchers.toBeCollected.call({ isNot }, () => ({}))
        assert.strictEqual(pass, isNot)
        assert.match(message(), /cannot force a collection/)
      }
    } finally {
      globalThis.gc = gc
      process.getBuiltinModule = getBuiltinModule
    }
  })

  it("fails with the error of the function or of the effect", async () => {
    const thrown = new RangeError("no value")
    const throws = () => {
      throw thrown
    }
    await expect(expect(throws).toBeCollected()).rejects.toBe(thrown)
    await expect(expect(Effect.fail(thrown)).toBeCollected()).rejects.toBe(thrown)
  })

  it("refuses the object itself, and a function that returns no object", async () => {
    await expect(expect({}).toBeCollected()).rejects.toThrow("takes a function or an effect that creates the object")
    await expect(expect(() => 1).toBeCollected()).rejects.toThrow(/weakly/)
  })
})

describe("in the output of vitest", () => {
  it("a failure shows the schedule, the events, the replay and the line of the test", () => {
    if (!isNode) return skip("starts Node")
    // Vitest 5 needs it to print a failure. Node 20 has none.
    if (!("groupBy" in Map)) return skip("the engine has no Map.groupBy")
    // The configuration must find the sources, so the files lie in this project.
    const folder = fs.mkdtempSync(path.join(import.meta.dirname, "run-"))
    const root = path.resolve(import.meta.dirname, "../..")
    try {
      fs.writeFileSync(path.join(folder, "vitest.config.mjs"), "export default { test: { testTimeout: 60_000 } }")
      fs.writeFileSync(
        path.join(folder, "a.test.ts"),
        `import { Effect } from "effect"
import { WeakRef } from "${root}/src/index.ts"
import * as TestHeap from "${root}/src/testing/TestHeap.ts"
import { it } from "${root}/src/testing/Vitest.ts"
it.explore("wrong", Effect.gen(function*() {
  const user = { id: 1 }
  const ref = yield* WeakRef.make(user)
  yield* TestHeap.mayCollect(user)
  yield* TestHeap.turn
  return yield* WeakRef.get(ref)
}))
`
      )
      const { status, stderr, stdout } = childProcess.spawnSync(
        process.execPath,
        [path.join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", folder, "--config", "vitest.config.mjs"],
        { encoding: "utf8", env: { ...process.env, NO_COLOR: "1", CI: "1", TEST_REPORT: "" } }
      )
      const output = stdout + stderr
      assert.strictEqual(status, 1, output)
      assert.match(
        output,
        /ScheduleError: The program fails[^]*Schedule: [^]*Trace: [^]*is collected before[^]*Replay: [^]*a\.test\.ts:5:4/
      )
    } finally {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }, 60_000)
})
