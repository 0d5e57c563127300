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
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { ExploredCollector } from "./exploredCollector.ts"
import { print, type Schedule, type Step, trace } from "./schedule.ts"

export interface Settings {
  readonly maxSchedules: number
  readonly seed: string | number
  readonly lateUnregister: boolean
  /** How long a run may wait without a new turn, in milliseconds. */
  readonly timeout: number
  /** Creates the services of one run. */
  readonly services: (collector: ExploredCollector) => Context.Context<never>
}

/** The result of an exploration. */
export type Result =
  | { readonly _tag: "Passed"; readonly schedules: number; readonly exhaustive: boolean }
  | Failed

export interface Failed {
  readonly _tag: "Failed"
  readonly reason: "Failure" | "NonDeterminism" | "Endless"
  readonly schedules: number
  readonly schedule: string
  readonly trace: string
  readonly cause: Cause.Cause<unknown>
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

  constructor(pending: Pending, otherwise: Otherwise) {
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
    const before = at > step.at ? undefined : expected[at]
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

const turnsOf = (collector: ExploredCollector, scheduler: Scheduler.Scheduler): Scheduler.Scheduler => ({
  executionMode: scheduler.executionMode,
  // Effect calls this before every operation of every fiber. The first call after an asynchronous step begins a turn.
  shouldYield(fiber) {
    collector.enter()
    return scheduler.shouldYield(fiber)
  },
  makeDispatcher: () => scheduler.makeDispatcher()
})

const runOnce = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  choices: Choices,
  settings: Settings
): Effect.Effect<Run<A, E>, never, R> =>
  Effect.contextWith((outer: Context.Context<R>) =>
    Effect.callback<Run<A, E>>((resume) => {
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
        lateUnregister: settings.lateUnregister
      })
      // Gives up if no turn has begun since the timer started.
      let turn = 0
      const watch = () => {
        if (collector.turn === turn) return giveUp(`it waited for ${settings.timeout} ms, and nothing happened`)
        turn = collector.turn
        timer = host.setTimeout(watch, settings.timeout)
      }
      let timer = host.setTimeout(watch, settings.timeout)

      const giveUp = (why: string) => {
        endless = why
        fiber?.interruptUnsafe()
        end(Exit.die(new Error(`The program does not end: ${why}`)))
      }
      const end = (exit: Exit.Exit<A, E>) => {
        host.clearTimeout(timer)
        collector.stop()
        choices.end()
        resume(Effect.succeed({ choices, collector, exit: endless === undefined ? thrown ?? exit : exit, endless }))
      }
      const context = Context.merge(outer, settings.services(collector)).pipe(
        Context.add(Scheduler.Scheduler, turnsOf(collector, Context.get(outer, Scheduler.Scheduler)))
      )
      // The context has every service that the program needs, and `scoped` adds the Scope.
      fiber = Effect.runForkWith(context)(Effect.scoped(program) as Effect.Effect<A, E>)
      fiber.addObserver((exit) => {
        if (endless === undefined) end(exit)
      })
      return Fiber.interrupt(fiber)
    })
  )

// The library compiles without the types of a host.
const host = globalThis as unknown as {
  readonly setTimeout: (f: () => void, millis: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
}

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
): Failed => ({ ...describe(run, settings, schedules), reason: "NonDeterminism", cause: Cause.die(new Error(why)) })

// Formats every target, so it is called only for a run that failed.
const describe = ({ choices, collector }: Run<unknown, unknown>, settings: Settings, schedules: number) => ({
  _tag: "Failed" as const,
  schedules,
  schedule: print({ lateUnregister: settings.lateUnregister, steps: choices.steps }),
  trace: trace(collector.events, collector.targets)
})

/** Runs the program under one schedule. Returns `Failed` if the run cannot follow the schedule, or does not end. */
export const replay = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  schedule: Schedule,
  settings: Settings
): Effect.Effect<Exit.Exit<A, E> | Failed, never, R> =>
  Effect.map(
    runOnce(program, new Choices({ steps: schedule.steps, expected: [] }, "first"), settings),
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
  Effect.gen(function*() {
    const random = yield* Random.withSeed(Effect.map(Random.Random, (random) => random), settings.seed)
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
      const choices = new Choices(next, sampled ? random : "first")
      const run = yield* runOnce(program, choices, settings)
      tried.add(key(choices.steps))
      const failed = failureOf(run, settings, tried.size)
      if (failed !== undefined) {
        return failed.reason === "NonDeterminism"
          ? failed
          : yield* confirm(
            program,
            sampled ? yield* shorten(program, choices.steps, settings) : choices.steps,
            settings,
            tried.size
          )
      }
      // To save memory, adds no schedules while `pending` has more than two schedules for each remaining run.
      if (!sampled && !(sampling && pending.length - first > 2 * left)) {
        for (const after of choices.pendingAfter) pending.push(after)
      }
      // Lets the microtasks of this run end before the next run.
      yield* Effect.yieldNow
    }
    return { _tag: "Passed", schedules: tried.size, exhaustive: !sampling && first === pending.length }
  })

const key = (steps: ReadonlyArray<Step>): string => print({ lateUnregister: false, steps })

/** Runs a failed schedule again. If it passes now, the program is not deterministic. */
const confirm = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  steps: ReadonlyArray<Step>,
  settings: Settings,
  schedules: number
): Effect.Effect<Failed, never, R> =>
  Effect.gen(function*() {
    yield* Effect.yieldNow
    const run = yield* runOnce(program, new Choices({ steps, expected: [] }, "first"), settings)
    const why = "the schedule failed once, and passed when it was run again"
    return failureOf(run, settings, schedules) ?? nonDeterminism(run, settings, schedules, why)
  })

/** Removes steps from a failing schedule as long as it still fails. */
const shorten = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  steps: ReadonlyArray<Step>,
  settings: Settings
): Effect.Effect<ReadonlyArray<Step>, never, R> =>
  Effect.gen(function*() {
    let shortest = steps
    for (let index = 0; index < shortest.length;) {
      yield* Effect.yieldNow
      const choices = new LenientChoices({ steps: shortest.toSpliced(index, 1), expected: [] }, "first")
      const failed = failureOf(yield* runOnce(program, choices, settings), settings, 1)
      if (failed !== undefined && choices.steps.length < shortest.length) {
        shortest = choices.steps
        index = 0
      } else {
        index++
      }
    }
    return shortest
  })
