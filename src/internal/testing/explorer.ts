/**
 * Stateless model checking: runs a program under one schedule after the other.
 *
 * A schedule lists the choices that did not take the first option. To run a schedule,
 * the explorer makes the same choices again, and then always takes the first option.
 * Schedules with fewer steps run first, so the first schedule that fails is a shortest one.
 *
 * If there are too many schedules, every second run takes random options instead of the
 * first option. If such a run fails, the explorer shortens its schedule.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as Semaphore from "effect/Semaphore"
import { ExploredCollector, type Turns } from "./exploredCollector.ts"
import { names, print, type Schedule, type Step, trace } from "./schedule.ts"
import { attachHooks, detachHooks } from "./turns.ts"

export interface Settings {
  readonly maxSchedules: number
  readonly seed: string | number
  readonly lateUnregister: boolean
  readonly turns: Turns
  /** How long a run may take, in milliseconds. */
  readonly timeout: number
  /** Whether the library has made the target for itself. */
  readonly isInternal: (target: WeakKey) => boolean
  /** Creates the services of one run, and a function that takes back what the run has installed. */
  readonly services: (collector: ExploredCollector) => {
    readonly context: Context.Context<never>
    readonly release: () => void
  }
}

/** The result of an exploration. */
export type Result = Passed | Failed

export interface Passed {
  readonly _tag: "Passed"
  readonly schedules: number
  readonly choices: number
  readonly gaps: ReadonlyArray<string>
  readonly unreleased: ReadonlyArray<string>
}

export interface Failed {
  readonly _tag: "Failed"
  readonly reason: "Failure" | "NonDeterminism" | "Endless" | "NoChoice"
  readonly schedules: number
  readonly schedule: string
  readonly trace: string
  readonly cause: Cause.Cause<unknown>
  readonly unreleased: ReadonlyArray<string>
}

interface Run<A, E> {
  readonly choices: Choices
  readonly collector: ExploredCollector
  readonly exit: Exit.Exit<A, E>
  /** Why the run was stopped, if it did not end. */
  readonly endless: string | undefined
}

/** A schedule that has not run yet: the steps of an earlier run, and one more step. */
interface Pending {
  readonly steps: ReadonlyArray<Step>
  /** The options of each choice in the earlier run. */
  readonly expected: ReadonlyArray<ReadonlyArray<string>>
}

/** The option that a run takes after the last step of its schedule. */
type Otherwise = "first" | Random.Random

class Choices {
  /** The options of every choice so far. */
  readonly made: Array<ReadonlyArray<string>> = []
  /** The choices so far that did not take the first option. */
  readonly steps: Array<Step> = []
  /** How this run differs from the run that the schedule was made from. */
  divergence: string | undefined = undefined

  protected readonly pending: Pending
  protected next = 0
  private readonly otherwise: Otherwise

  constructor(pending: Pending, otherwise: Otherwise = "first") {
    this.pending = pending
    this.otherwise = otherwise
  }

  readonly choose = (options: ReadonlyArray<string>): number => {
    const at = this.made.length
    this.made.push(options)
    const choice = this.divergence === undefined ? this.optionAt(at, options) : 0
    if (choice > 0) this.steps.push({ at, option: options[choice]! })
    return choice
  }

  protected optionAt(at: number, options: ReadonlyArray<string>): number {
    const { expected, steps } = this.pending
    const step = steps[this.next]
    if (step === undefined) {
      return this.otherwise === "first" ? 0 : Math.floor(this.otherwise.nextDoubleUnsafe() * options.length)
    }
    const before = expected[at]
    if (before !== undefined && !areSame(before, options)) {
      this.divergence = `choice ${at} was between ${list(before)}, then between ${list(options)}`
      return 0
    }
    if (step.at !== at) return 0
    this.next++
    const choice = options.indexOf(step.option)
    if (choice === -1) this.divergence = `choice ${at} is between ${list(options)}, not ${step.option}`
    return Math.max(choice, 0)
  }

  /** Notes a divergence if the run has ended before the last step of its schedule. */
  end(): void {
    const step = this.pending.steps[this.next]
    if (step !== undefined && this.divergence === undefined) {
      this.divergence = `the run ended after ${this.made.length} choices, before ${step.at}:${step.option}`
    }
  }

  get pendingAfter(): ReadonlyArray<Pending> {
    const from = this.pending.steps.length === 0 ? 0 : this.pending.steps.at(-1)!.at + 1
    return this.made.slice(from).flatMap((options, index) =>
      options.slice(1).map((option) => ({
        steps: [...this.pending.steps, { at: from + index, option }],
        expected: this.made
      }))
    )
  }
}

/** Takes the options of a schedule in their order, but at any choice that offers them. */
class LenientChoices extends Choices {
  protected override optionAt(_at: number, options: ReadonlyArray<string>): number {
    const choice = options.indexOf(this.pending.steps[this.next]?.option ?? "")
    if (choice < 1) return 0
    this.next++
    return choice
  }

  override end(): void {}
}

const list = (options: ReadonlyArray<string>): string =>
  options.map((option) => option === "" ? "nothing" : option).join(" and ")

const areSame = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((option, index) => option === b[index])

/** A run with more turns counts as endless. */
const maxTurns = 10_000

/** Lets the collector, and `onFiber`, know that a fiber of the program runs. */
const schedulerOf = (
  collector: ExploredCollector,
  onFiber: (fiber: Fiber.Fiber<unknown, unknown>) => void,
  scheduler: Scheduler.Scheduler
): Scheduler.Scheduler => ({
  executionMode: scheduler.executionMode,
  // Effect calls this before every operation of every fiber.
  shouldYield(fiber) {
    collector.enter()
    onFiber(fiber)
    return scheduler.shouldYield(fiber)
  },
  makeDispatcher: () => scheduler.makeDispatcher()
})

/** Only one run at a time, because programs replace globals, and the timers of one run are not turns of another. */
const lock = /*#__PURE__*/ Semaphore.makeUnsafe(1)

/** Whether the effect belongs to a run, which holds the lock. */
const Running = /*#__PURE__*/ Context.Reference<boolean>("effect-weakref/testing/Running", {
  defaultValue: () => false
})

const runOnce = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  choices: Choices,
  settings: Settings
): Effect.Effect<Run<A, E>, never, R> =>
  Effect.contextWith((outer: Context.Context<R>) => {
    const run = Effect.callback<Run<A, E>>((resume) => {
      let fiber: Fiber.Fiber<A, E> | undefined
      let thrown: Exit.Exit<never> | undefined
      let endless: string | undefined
      const collector = new ExploredCollector({
        choose: choices.choose,
        onError: (error) => {
          thrown ??= Exit.die(error)
          fiber?.interruptUnsafe()
        },
        onTurn: (turn) => {
          if (turn > maxTurns) giveUp(`it did not end in ${maxTurns} turns`)
        },
        lateUnregister: settings.lateUnregister,
        turns: settings.turns
      })
      const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
      const onFiber = (fiber: Fiber.Fiber<unknown, unknown>) => void fibers.add(fiber)
      const timer = setTimeout(
        () => giveUp(`it did not end in ${settings.timeout} ms${hint(collector, fibers)}`),
        settings.timeout
      )

      const giveUp = (why: string) => {
        endless = why
        fiber?.interruptUnsafe()
        end(Exit.die(new Error(`The program does not end: ${endless}`)))
      }
      let onEnd: (() => void) | undefined
      const end = (exit: Exit.Exit<A, E>) => {
        clearTimeout(timer)
        collector.stop()
        services.release()
        // A run that was stopped has not reached all steps of its schedule.
        if (endless === undefined) choices.end()
        // If a clean-up has thrown, the program was interrupted, and need not end.
        resume(
          Effect.succeed({
            choices,
            collector,
            exit: thrown ?? exit,
            endless: thrown === undefined ? endless : undefined
          })
        )
        onEnd?.()
      }
      const services = settings.services(collector)
      const context = Context.merge(outer, services.context).pipe(
        Context.add(Running, true),
        Context.add(Scheduler.Scheduler, schedulerOf(collector, onFiber, Context.get(outer, Scheduler.Scheduler)))
      )
      // The context has every service that the program needs, and `scoped` adds the Scope.
      fiber = Effect.runForkWith(context)(Effect.scoped(program) as Effect.Effect<A, E>)
      fiber.addObserver((exit) => {
        if (endless !== undefined) return
        if (Exit.isSuccess(exit) && thrown === undefined) collector.finish(() => end(exit))
        else end(exit)
      })
      // A program that cannot be interrupted ends with its time limit.
      return Effect.callback<void>((interrupted) => {
        onEnd = () => interrupted(Effect.void)
        fiber!.interruptUnsafe()
      })
    })
    return Context.get(outer, Running) ? run : lock.withPermit(run)
  })

// The library compiles without the types of a host. A program may replace the globals by fake timers.
const { clearTimeout, setTimeout } = globalThis as unknown as {
  readonly setTimeout: (f: () => void, millis: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
}
const { now } = Date

/** Says what a program that does not end may wait for. */
const hint = (collector: ExploredCollector, fibers: Iterable<Fiber.Fiber<unknown, unknown>>): string => {
  const isOnTestClock = [...fibers].some((fiber) =>
    fiber.pollUnsafe() === undefined && "adjust" in Context.get(fiber.context, Clock.Clock)
  )
  return (isOnTestClock
    ? ". If it sleeps, note that its clock is a TestClock: adjust the clock in the program, or provide a real Clock"
    : "") +
    (collector.isWaiting
      ? ". If it waits for a clean-up, note that an engine may never run one: call TestHeap.finalize"
      : "")
}

/** Attaches the hooks that notice turns, for as long as the effect runs. */
const withHooks = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(Effect.sync(attachHooks), () => effect, () => Effect.sync(detachHooks))

const failureOf = (run: Run<unknown, unknown>, settings: Settings, schedules: number): Failed | undefined => {
  const { choices, endless, exit } = run
  if (choices.divergence !== undefined) return nonDeterminism(run, settings, schedules, choices.divergence)
  if (Exit.isSuccess(exit)) return undefined
  const reason = endless === undefined ? "Failure" : "Endless"
  return { ...describe(run, settings, schedules), reason, cause: exit.cause }
}

const nonDeterminism = (
  run: Run<unknown, unknown>,
  settings: Settings,
  schedules: number,
  why: string
): Failed => {
  const advice = run.collector.usesEarlier
    ? "The run uses a WeakRef, a WeakMap or a FinalizationRegistry that an earlier run has made, because a variable of a " +
      "module keeps it. Make it inside the program, or load the module again in each run"
    : "Look for random numbers, real clocks, and variables that outlive a run"
  return {
    ...describe(run, settings, schedules),
    reason: "NonDeterminism",
    cause: Cause.die(new Error(`The program is not deterministic: ${why}. ${advice}`))
  }
}

// Formats every target, so it is called only for a run that failed.
const describe = ({ choices, collector }: Run<unknown, unknown>, settings: Settings, schedules: number) => ({
  _tag: "Failed" as const,
  schedules,
  schedule: print({ ...settings, steps: choices.steps }),
  trace: trace(collector.events, collector.targets),
  unreleased: unreleasedOf(collector, settings)
})

/** Names the weak targets that were never released. Shows only the first. */
const unreleasedOf = (collector: ExploredCollector, { isInternal }: Settings): ReadonlyArray<string> => {
  const { targets } = collector
  const unreleased = collector.unreleased.filter((target) => !isInternal(target))
  const nameOf = names([...targets, ...unreleased])
  const shown = unreleased.slice(0, maxNames).map(nameOf)
  return unreleased.length > maxNames ? [...shown, `and ${unreleased.length - maxNames} more`] : shown
}

const maxNames = 10

const listOf = (targets: ReadonlyArray<WeakKey>): string => {
  const nameOf = names(targets)
  return targets.map(nameOf).join(", ")
}

/** What the runs of an exploration have seen, apart from their results. */
class Findings {
  choices = 0
  private most: ExploredCollector | undefined
  private readonly gaps = new Set<string>()

  add({ choices, collector }: Run<unknown, unknown>, settings: Settings): void {
    this.choices = Math.max(this.choices, choices.made.length)
    if (this.most === undefined || collector.unreleased.length > this.most.unreleased.length) this.most = collector
    for (const gap of collector.gaps) this.gaps.add(gaps[gap](settings))
    for (const gap of hostUses(collector)) this.gaps.add(gap)
    if (collector.usesOtherHeap) this.gaps.add("the program uses another TestHeap, and explore decides only on its own")
  }

  passed(schedules: number, isComplete: boolean, settings: Settings): Passed {
    const limit = `there are more than ${settings.maxSchedules} schedules (maxSchedules)`
    return {
      _tag: "Passed",
      schedules,
      choices: this.choices,
      gaps: [...isComplete ? [] : [limit], ...this.gaps],
      unreleased: unreleasedOf(this.most!, settings)
    }
  }

  noChoice(schedules: number, settings: Settings): Failed {
    // Without a choice, there was only one run.
    const collector = this.most!
    return {
      _tag: "Failed",
      reason: "NoChoice",
      schedules,
      schedule: print({ ...settings, steps: [] }),
      trace: trace([], []),
      unreleased: unreleasedOf(collector, settings),
      cause: Cause.die(
        new Error(
          `The exploration shows nothing, because the collector has no choice: ${whyNoChoice(collector, settings)}`
        )
      )
    }
  }
}

const gaps: Record<"turn" | "pending" | "earlier WeakRef", (settings: Settings) => string> = {
  turn: ({ turns }) =>
    turns === "job"
      ? "while clean-ups were due, the program continued after an await, and jobs without weak primitives are not noticed"
      : "while clean-ups were due, the program continued after something that is neither a timer nor a step of Effect, " +
        "and turns may have passed unnoticed",
  pending: () => "pending had too many clean-ups to count",
  "earlier WeakRef": () => "the program reads a WeakRef that an earlier run has made"
}

const hostUses = (collector: ExploredCollector): ReadonlyArray<string> => {
  const { onHost } = collector
  const nameOf = names(onHost.map(([target]) => target))
  return onHost.map(([target, kind]) =>
    kind === "WeakRef"
      ? `a WeakRef of the host's heap refers to ${nameOf(target)}`
      : `a FinalizationRegistry of the host's heap has ${nameOf(target)}`
  )
}

const otherHeaps =
  "Code that reads the global constructors needs TestHeap.install() at the beginning of the program, and must be " +
  "loaded after it if it reads them when it is loaded. A makeUnsafe constructor needs the heap as its argument"

const layerInside =
  "The program makes another TestHeap: remove Effect.provide(TestHeap.layer) from it, because explore provides the heap"

/** Finds the likely reason why the collector had no choice. */
const whyNoChoice = (collector: ExploredCollector, settings: Settings): string => {
  const { targets, unused } = collector
  const unreleased = unreleasedOf(collector, settings)
  const uses = hostUses(collector)
  // What the code under test has made for itself may be what it loses.
  const made = unreleased.length === 0 ? "" : `. It refers weakly to ${unreleased.join(", ")}`
  if (targets.length === 0) {
    if (collector.usesOtherHeap) return layerInside
    return "the program releases no target. Call TestHeap.mayCollect(target) where the program drops its last strong " +
      `reference to it${made}`
  }
  if (uses.length > 0) return `${uses.join(", ")}, and explore decides only on its own heap. ${otherHeaps}`
  if (unused.length > 0) {
    const other = collector.usesOtherHeap ? layerInside : otherHeaps
    return `no WeakRef and no FinalizationRegistry of the explored heap has ${listOf(unused)}. ${other}${made}`
  }
  if (collector.turn === 1) {
    return "the program ends in its first turn, which keeps the targets. Call TestHeap.turn after TestHeap.mayCollect"
  }
  return `after a turn has ended, the program neither reads a WeakRef of ${
    listOf(targets)
  } nor waits for a clean-up. ` +
    "Targets that are held again, or whose owner is alive, are not collected"
}

/** Runs the program under one schedule. Returns `Failed` if the run cannot follow the schedule, or does not end. */
export const replay = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  schedule: Schedule,
  settings: Settings
): Effect.Effect<Exit.Exit<A, E> | Failed, never, R> =>
  Effect.map(
    withHooks(runOnce(program, new Choices({ steps: schedule.steps, expected: [] }), settings)),
    (run) => {
      const failed = failureOf(run, settings, 1)
      return failed === undefined || failed.reason === "Failure" ? run.exit : failed
    }
  )

/** Runs the program under every schedule, or under `maxSchedules` of them. */
export const explore = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  settings: Settings
): Effect.Effect<Result, never, R> =>
  withHooks(Effect.gen(function*() {
    const random = yield* Random.withSeed(Effect.map(Random.Random, (random) => random), settings.seed)
    const findings = new Findings()
    /** Ordered by the number of steps. */
    const pending: Array<Pending> = [{ steps: [], expected: [] }]
    const tried = new Set<string>()
    let first = 0
    let attempts = 0
    /** Whether there are too many schedules to run them all. */
    let sampling = false

    while (first < pending.length && tried.size < settings.maxSchedules && attempts < 2 * settings.maxSchedules) {
      const left = settings.maxSchedules - tried.size
      if (pending.length - first > left) sampling = true
      // Every second run continues a random pending schedule with random choices.
      // The other runs take the pending schedules in order.
      const sampled = sampling && attempts++ % 2 === 1
      const index = sampled ? first + Math.floor(random.nextDoubleUnsafe() * (pending.length - first)) : first++
      const next = pending[index]!
      if (!sampled && sampling && tried.has(key(next.steps))) continue
      const choices = new Choices(next, sampled ? random : undefined)
      const run = yield* runOnce(program, choices, settings)
      tried.add(key(choices.steps))
      findings.add(run, settings)
      const failed = failureOf(run, settings, tried.size)
      if (failed !== undefined) {
        // To run an endless program again would take the whole time again.
        if (failed.reason !== "Failure") return failed
        const steps = sampled ? yield* shorten(program, choices.steps, settings) : choices.steps
        return yield* confirm(program, steps, settings, tried.size)
      }
      // To save memory, adds no schedules while `pending` has more than two schedules for each remaining run.
      if (!sampled && !(sampling && pending.length - first > 2 * left)) {
        for (const after of choices.pendingAfter) pending.push(after)
      }
      // Lets the microtasks of this run end before the next run.
      yield* Effect.yieldNow
    }
    return findings.choices === 0
      ? findings.noChoice(tried.size, settings)
      : findings.passed(tried.size, !sampling && first === pending.length, settings)
  }))

const key = (steps: ReadonlyArray<Step>): string => JSON.stringify(steps)

/** Runs a failed schedule again. If it passes now, the program is not deterministic. */
const confirm = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  steps: ReadonlyArray<Step>,
  settings: Settings,
  schedules: number
): Effect.Effect<Failed, never, R> =>
  Effect.gen(function*() {
    yield* Effect.yieldNow
    const run = yield* runOnce(program, new Choices({ steps, expected: [] }), settings)
    const why = "the schedule failed once, and passed when it was run again"
    return failureOf(run, settings, schedules) ?? nonDeterminism(run, settings, schedules, why)
  })

/** Removes steps from a failing schedule as long as it still fails, and as long as there is time. */
const shorten = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  steps: ReadonlyArray<Step>,
  settings: Settings
): Effect.Effect<ReadonlyArray<Step>, never, R> =>
  Effect.gen(function*() {
    const deadline = now() + settings.timeout / 2
    let shortest = steps
    for (let index = 0; index < shortest.length;) {
      yield* Effect.yieldNow
      const timeout = deadline - now()
      if (timeout < 1) break
      const choices = new LenientChoices({ steps: shortest.toSpliced(index, 1), expected: [] })
      const failed = failureOf(yield* runOnce(program, choices, { ...settings, timeout }), settings, 1)
      if (failed?.reason === "Failure" && choices.steps.length < shortest.length) {
        shortest = choices.steps
        index = 0
      } else {
        index++
      }
    }
    return shortest
  })
