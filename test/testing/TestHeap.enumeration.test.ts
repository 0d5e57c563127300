/**
 * Compares `explore` with an enumeration of everything that a collector may do. The enumeration tries every
 * possible step of the collector before every operation, even if the program cannot see the difference. It
 * shares no code with the explorer: it computes with values, and uses no heap.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import * as fc from "fast-check"
import { TestHeap } from "../../src/testing/index.ts"

type OfTarget =
  | "make"
  | "deref"
  | "mayCollect"
  | "hold"
  | "register"
  /** Registers a clean-up that reads the next target. */
  | "registerReader"
  | "unregister"
  /** The target retains the next one. */
  | "retains"

type OfHeap =
  /** The next task begins. */
  | "task"
  /** The next job begins, in the same task. */
  | "await"
  /** The callback of a timer runs, and the task goes on in its next job. Precedes `task` where jobs are turns. */
  | "timer"
  | "pending"
  | "finalize"
  | "finalizeOne"

type Operation = { readonly kind: OfTarget; readonly target: number } | { readonly kind: OfHeap }

type Script = ReadonlyArray<Operation>

interface Setting {
  readonly targets: number
  readonly lateUnregister: boolean
  readonly turns: "task" | "job"
  /** Whether the program is an async function. */
  readonly plain: boolean
}

/** The results that the program sees, in order. Each clean-up is logged with the name of its registration. */
type Log = ReadonlyArray<string>

/** Makes a program for a script. It passes its log to `check` at its end. */
const programOf = (
  script: Script,
  { plain, targets, turns }: Setting,
  check: (log: Log) => void,
  /** Whether a job in which nothing else happens uses a weak primitive, so that `explore` notices the job. */
  touch = true
) =>
  Effect.gen(function*() {
    const { heap } = yield* TestHeap.TestHeap
    const services = yield* Effect.context<TestHeap.TestHeap>()
    const now = <A>(effect: Effect.Effect<A, never, TestHeap.TestHeap>): A => Effect.runSyncWith(services)(effect)
    const log: Array<string> = []
    const values = Array.from({ length: targets }, (_, id) => ({ id }))
    const tokens = values.map(() => ({}))
    const refs: Array<WeakRef<object> | undefined> = values.map(() => undefined)
    const read = (target: number) => refs[target]?.deref() === undefined ? "dead" : "alive"
    const registry = new heap.FinalizationRegistry<{ name: string; reads: number | undefined }>(({ name, reads }) =>
      log.push(`clean up ${name}${reads === undefined ? "" : ` ${read(reads)}`}`)
    )
    const touched = new heap.WeakMap()
    const ofTarget = (kind: OfTarget, target: number, index: number): void => {
      const next = (target + 1) % targets
      const value = values[target]!
      const name = `${target}/${index}`
      switch (kind) {
        case "make":
          refs[target] ??= new heap.WeakRef(value)
          return
        case "deref":
          log.push(`${target}: ${read(target)}`)
          return
        case "mayCollect":
          return now(TestHeap.mayCollect(value))
        case "hold":
          return now(TestHeap.hold(value))
        case "retains":
          return now(TestHeap.retains(value, values[next]!))
        case "register":
          return registry.register(value, { name, reads: undefined }, tokens[target])
        case "registerReader":
          return registry.register(value, { name, reads: next }, tokens[target])
        case "unregister":
          log.push(`unregister ${registry.unregister(tokens[target]!)}`)
      }
    }
    /** Returns `undefined` if the operation is a step between turns. */
    const ofHeap = (kind: OfHeap): Effect.Effect<void, never, TestHeap.TestHeap> | undefined => {
      switch (kind) {
        case "pending":
          return Effect.map(TestHeap.pending, (count) => void log.push(`pending ${count}`))
        case "finalize":
          return Effect.map(TestHeap.finalize, () => void log.push("finalized"))
        case "finalizeOne":
          return Effect.map(TestHeap.finalizeOne, (ran) => void log.push(`one: ${ran}`))
      }
      return undefined
    }
    const afterStep = (kind: OfHeap) => {
      if (touch) touched.has(services)
      log.push(kind)
    }
    if (plain) {
      const steps = async (done: (effect: Effect.Effect<void>) => void) => {
        for (const [index, operation] of script.entries()) {
          if ("target" in operation) {
            ofTarget(operation.kind, operation.target, index)
            continue
          }
          const effect = ofHeap(operation.kind)
          if (effect !== undefined) {
            now(effect)
          } else if (operation.kind !== "timer") {
            await (operation.kind === "await" ? null : new Promise<void>((resolve) =>
              setImmediate(() => {
                if (turns === "job") afterStep("timer")
                resolve()
              })
            ))
            afterStep(operation.kind)
          }
        }
        done(Effect.sync(() => check(log.slice())))
      }
      // Resumes in the last job of the function. `Effect.promise` would resume in the next one.
      yield* Effect.callback<void>((resume) => void steps(resume))
    } else {
      for (const [index, operation] of script.entries()) {
        if ("target" in operation) {
          ofTarget(operation.kind, operation.target, index)
          continue
        }
        const effect = ofHeap(operation.kind)
        if (effect !== undefined) {
          yield* effect
        } else {
          yield* operation.kind === "await" ? Effect.promise(() => Promise.resolve()) : TestHeap.turn
          afterStep(operation.kind)
        }
      }
      check(log.slice())
    }
  })

interface Registration {
  readonly name: string
  /** Was made in the present life of the target, in the life before it, or earlier. */
  readonly of: "present" | "lost" | "older"
  readonly reads: number | undefined
  /** Whether `unregister` came too late. */
  readonly late: boolean
}

interface Value {
  readonly mayBeCollected: boolean
  readonly kept: boolean
  /** Whether there is a reference, and whether it was made in the present life, in the life before it, or earlier. */
  readonly reference: "none" | "present" | "lost" | "older"
  /** Whether the program has not seen yet that the last life has ended. */
  readonly diedUnseen: boolean
  readonly registrations: ReadonlyArray<Registration>
  /** Whether it retains the next target, as long as both are alive. */
  readonly retainsNext: boolean
}

type State = ReadonlyArray<Value>

const older = (life: "present" | "lost" | "older") => life === "present" ? "lost" : "older"

const die = (value: Value): Value => ({
  mayBeCollected: false,
  kept: false,
  diedUnseen: true,
  reference: value.reference === "none" ? "none" : older(value.reference),
  registrations: value.registrations.map((registration) => ({ ...registration, of: older(registration.of) })),
  retainsNext: false
})

/** Every state after one collection, which collects some targets together. */
const collections = (state: State): ReadonlyArray<State> => {
  const count = state.length
  const states: Array<State> = []
  for (let set = 1; set < 2 ** count; set++) {
    const dies = (target: number) => (set & (1 << (target % count))) !== 0
    const possible = state.every((value, target) =>
      !dies(target) ||
      (value.mayBeCollected && !value.kept &&
        (dies(target + count - 1) || !state[(target + count - 1) % count]!.retainsNext))
    )
    if (!possible) continue
    states.push(
      state.map((value, target) =>
        dies(target) ? die(value) : { ...value, retainsNext: value.retainsNext && !dies(target + 1) }
      )
    )
  }
  return states
}

/** Adds the steps of a script that a plain program takes where jobs are turns. */
const spelled = (script: Script, { plain, turns }: Setting): Script =>
  plain && turns === "job"
    ? script.flatMap((operation) => operation.kind === "task" ? [{ kind: "timer" }, operation] : [operation])
    : script

type Outcome = readonly [state: State, shown?: string]

/** Returns every possible outcome of an operation. */
const operate = (
  kind: OfTarget,
  target: number,
  name: string,
  state: State,
  setting: Setting
): ReadonlyArray<Outcome> => {
  const value = state[target]!
  const next = (target + 1) % state.length
  const become = (after: Value) => state.with(target, after)
  switch (kind) {
    case "deref":
      if (value.reference === "present") return [[become({ ...value, kept: true }), `${target}: alive`]]
      return [[become(value.reference === "lost" ? { ...value, diedUnseen: false } : value), `${target}: dead`]]
    case "mayCollect":
      return [[become(value.diedUnseen ? value : { ...value, mayBeCollected: true })]]
    case "unregister": {
      const had = value.registrations.some(({ late }) => !late)
      // An engine may have queued each clean-up before, and may ignore `unregister`.
      let left: ReadonlyArray<ReadonlyArray<Registration>> = [[]]
      for (const registration of value.registrations) {
        const stays = left.map((others) => [...others, { ...registration, late: true }])
        if (registration.late) left = stays
        else if (setting.lateUnregister && registration.of !== "present") left = [...left, ...stays]
      }
      return left.map((registrations) => [become({ ...value, registrations }), `unregister ${had}`])
    }
    case "make":
      // The reference is made only once.
      if (value.reference !== "none") return [[state]]
  }
  // The program passes the target, so it is alive. If it died, the program has seen this, and uses it as a new object.
  if (value.diedUnseen) return []
  switch (kind) {
    case "hold":
      return [[become({ ...value, mayBeCollected: false })]]
    case "make":
      return [[become({ ...value, reference: "present", kept: true })]]
    case "retains":
      return state[next]!.diedUnseen ? [] : [[become({ ...value, retainsNext: true })]]
    case "register":
    case "registerReader": {
      const reads = kind === "register" ? undefined : next
      return [[become({
        ...value,
        registrations: [...value.registrations, { name, of: "present", reads, late: false }]
      })]]
    }
  }
}

/** Runs each clean-up that may run now, in a turn of its own. */
const cleanUps = (state: State): ReadonlyArray<readonly [state: State, shown: string]> =>
  state.flatMap((value, target) =>
    value.registrations.filter(({ of }) => of !== "present").map((registration) => {
      const { name, of, reads } = registration
      const registrations = value.registrations.filter((other) => other !== registration)
      let after = state.with(target, {
        ...value,
        registrations,
        diedUnseen: value.diedUnseen && of === "older"
      })
      if (reads === undefined) return [after, `clean up ${name}`]
      const read = after[reads]!
      if (read.reference === "lost") after = after.with(reads, { ...read, diedUnseen: false })
      return [after, `clean up ${name} ${read.reference === "present" ? "alive" : "dead"}`]
    })
  )

const endTurn = (state: State): State => state.map((value) => ({ ...value, kept: false }))

/** Returns `undefined` if there is too much to enumerate. */
const everything = (script: Script, setting: Setting): ReadonlySet<string> | undefined => {
  const logs = new Set<string>()
  const seen = new Set<string>()
  const isNew = (...state: ReadonlyArray<unknown>): boolean => seen.size < seen.add(JSON.stringify(state)).size

  const isTooMuch = () => logs.size > limit || seen.size > 20 * limit

  const step = (at: number, state: State, log: Log): void => {
    if (isTooMuch() || !isNew("step", at, state, log)) return
    for (const after of collections(state)) step(at, after, log)
    const operation = script[at]
    if (operation === undefined) {
      logs.add(JSON.stringify(log))
      return
    }
    if ("target" in operation) {
      const { kind, target } = operation
      for (const [after, shown] of operate(kind, target, `${target}/${at}`, state, setting)) {
        step(at + 1, after, shown === undefined ? log : [...log, shown])
      }
      return
    }
    switch (operation.kind) {
      case "pending": {
        const count = state.flatMap(({ registrations }) => registrations).filter(({ of }) => of !== "present").length
        return step(at + 1, state, [...log, `pending ${count}`])
      }
      case "await":
        if (setting.turns === "task") return step(at + 1, state, [...log, "await"])
    }
    between(at, operation.kind, endTurn(state), log)
  }

  /** The program waits for the collector. */
  const between = (at: number, kind: OfHeap, state: State, log: Log): void => {
    if (isTooMuch() || !isNew("between", at, state, log)) return
    for (const after of collections(state)) between(at, kind, after, log)
    const ran = cleanUps(state)
    for (const [after, shown] of ran) {
      if (kind === "finalizeOne") step(at + 1, after, [...log, shown, "one: true"])
      else between(at, kind, after, [...log, shown])
    }
    if (kind === "finalize" || kind === "finalizeOne") {
      if (ran.length === 0) step(at + 1, state, [...log, kind === "finalize" ? "finalized" : "one: false"])
    } else {
      step(at + 1, state, [...log, kind])
    }
  }

  const unused: Value = {
    mayBeCollected: false,
    kept: false,
    reference: "none",
    diedUnseen: false,
    registrations: [],
    retainsNext: false
  }
  step(0, Array.from({ length: setting.targets }, () => unused), [])
  return isTooMuch() ? undefined : logs
}

/** Scripts with more behaviours are left out, because they take too long. */
const limit = 60

const isOfHeap = (kind: Operation["kind"]): kind is OfHeap =>
  ["task", "await", "pending", "finalize", "finalizeOne"].includes(kind)

/**
 * Generates scripts. Most begin with operations without which the others have no effect. In the last part, the
 * program does not pass targets to the heap, because it may have seen only by a count that they are dead.
 */
const scripts = (
  targets: number,
  kinds: ReadonlyArray<Operation["kind"]>,
  last: ReadonlyArray<Operation["kind"]>,
  maxLength: number
): fc.Arbitrary<Script> => {
  const operation = (kinds: ReadonlyArray<Operation["kind"]>) =>
    fc.record({ kind: fc.constantFrom(...kinds), target: fc.nat({ max: targets - 1 }) }).map(({ kind, target }) =>
      isOfHeap(kind) ? { kind } : { kind, target }
    )
  const beginning = fc.tuple(
    ...Array.from(
      { length: targets },
      (_, target) =>
        fc.subarray(["make", "register", "registerReader", "retains", "mayCollect"] as const, { minLength: 2 }).map((
          begun
        ) => begun.filter((kind) => kinds.includes(kind)).map((kind) => ({ kind, target })))
    )
  )
  if (last.length === 0) {
    return fc.tuple(beginning, fc.array(operation(kinds), { maxLength })).map((parts): Script => parts.flat(2))
  }
  const releasing = fc.subarray(Array.from({ length: targets }, (_, target) => target), { minLength: targets - 1 })
    .map((released): Script => released.map((target) => ({ kind: "mayCollect", target })))
  return fc.tuple(
    beginning,
    fc.array(operation(kinds), { maxLength: maxLength / 2 }),
    releasing,
    fc.constant<Script>([{ kind: "task" }]),
    fc.array(operation(last), { minLength: 1, maxLength })
  ).map((parts): Script => parts.flat(2))
}

const reads = ["make", "deref", "deref", "deref", "mayCollect", "task", "task", "await"] as const
const cleaning = [...reads, "hold", "register", "registerReader", "unregister", "task", "mayCollect"] as const
const counting = [
  "deref",
  "mayCollect",
  "task",
  "task",
  "pending",
  "pending",
  "finalize",
  "finalizeOne",
  "unregister"
] as const
const retaining = ["make", "register", "registerReader", "retains"] as const

/** The kinds of programs, with the number of targets. */
const kinds = {
  "reads": { arbitrary: scripts(3, reads, [], 12), targets: 3 },
  "reads and clean-ups": { arbitrary: scripts(2, cleaning, [], 11), targets: 2 },
  "targets that retain others": {
    arbitrary: scripts(3, retaining, [...reads.slice(1), "mayCollect", "unregister"], 8),
    targets: 3
  },
  "counts": { arbitrary: scripts(2, cleaning, counting, 6), targets: 2 },
  "counts, and targets that retain others": { arbitrary: scripts(3, retaining, counting, 6), targets: 3 }
}

const settings = fc.record({
  lateUnregister: fc.boolean(),
  turns: fc.constantFrom("task", "job"),
  plain: fc.boolean()
})

const run = <A>(effect: Effect.Effect<A, TestHeap.ScheduleError>) => Effect.runPromise(effect)

/** `RUNS=10000` compares more programs. */
const numRuns = Number(process.env["RUNS"] ?? 200)

/** Seconds on an idle machine. */
const timeout = numRuns * 1_000

describe("TestHeap.explore", () => {
  for (const [name, { arbitrary, targets }] of Object.entries(kinds)) {
    it(`shows each behaviour of the enumeration once: ${name}`, async () => {
      let compared = 0
      await fc.assert(
        fc.asyncProperty(arbitrary, settings, async (short, options) => {
          const setting = { targets, ...options }
          const script = spelled(short, setting)
          const expected = everything(script, setting)
          if (expected === undefined) return fc.pre(false)
          const logs: Array<Log> = []
          const program = programOf(script, setting, (log) => logs.push(log))
          const result = await run(Effect.result(TestHeap.explore(program, options)))
          const actual = logs.map((log) => JSON.stringify(log))
          assert.deepStrictEqual(actual.toSorted(), [...expected].toSorted())
          if (result._tag === "Failure") {
            assert.strictEqual(result.failure.reason, "NoChoice")
            assert.strictEqual(expected.size, 1)
          } else {
            assert.strictEqual(result.success.schedules, expected.size)
            // After an await, `explore` cannot know how many jobs have passed.
            assert.isTrue(result.success.exhaustive || options.turns === "job")
            compared++
          }
        }),
        { numRuns }
      )
      // About a quarter of the programs offers a choice.
      assert.isAbove(compared, numRuns / 8)
    }, timeout)
  }

  it("is not exhaustive if it misses a behaviour, because it did not notice a job", async () => {
    let missed = 0
    await fc.assert(
      fc.asyncProperty(kinds["reads and clean-ups"].arbitrary, fc.constantFrom("task", "job"), async (short, turns) => {
        const setting = { targets: 2, lateUnregister: false, turns, plain: true } as const
        const script = spelled(short, setting)
        const expected = everything(script, setting)
        if (expected === undefined) return fc.pre(false)
        const logs = new Set<string>()
        const program = programOf(script, setting, (log) => logs.add(JSON.stringify(log)), false)
        const result = await run(Effect.result(TestHeap.explore(program, { turns })))
        for (const log of logs) assert.isTrue(expected.has(log), log)
        if (logs.size === expected.size) return
        missed++
        assert.strictEqual(turns, "job")
        assert.isFalse(result._tag === "Success" && result.success.exhaustive)
      }),
      { numRuns }
    )
    assert.isAbove(missed, 0)
  }, timeout)

  it("finds a bug that was planted in a random program, and replays it", async () => {
    let found = 0
    const kind = fc.constantFrom(...Object.values(kinds))
    await fc.assert(
      fc.asyncProperty(
        kind.chain(({ arbitrary, targets }) => fc.tuple(arbitrary, fc.constant(targets))),
        settings,
        fc.nat(),
        async ([short, targets], options, at) => {
          const setting = { ...options, targets }
          const script = spelled(short, setting)
          const expected = [...everything(script, setting) ?? []]
          fc.pre(expected.length > 0)
          const bug = expected[at % expected.length]!
          const program = programOf(script, setting, (log) => {
            if (JSON.stringify(log) === bug) throw new Error(bug)
          })
          const error = await run(
            Effect.flip(TestHeap.explore(program, options) as Effect.Effect<never, TestHeap.ScheduleError>)
          )
          assert.strictEqual(error.reason, "Failure")
          assert.include(error.message, bug)
          const again = await Effect.runPromiseExit(TestHeap.replay(program, error.schedule))
          assert.isTrue(Exit.isFailure(again) && String(Cause.squash(again.cause)).includes(bug))
          found++
        }
      ),
      { numRuns }
    )
    assert.strictEqual(found, numRuns)
  }, timeout)
})
