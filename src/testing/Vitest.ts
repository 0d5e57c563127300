/**
 * Runs explorations, laws and checks for leaks as tests of vitest.
 *
 * `it.explore` makes a test of a program that `TestHeap.explore` runs under every
 * schedule, and `it.laws` makes one test of each law. Importing this module also adds the
 * matcher `toBeCollected` to vitest's `expect`. A failure prints the schedule, the events
 * and how to replay them.
 *
 * This module needs `vitest`, an optional peer dependency, so the index
 * `effect-weakref/testing` does not export it. Import it as
 * `effect-weakref/testing/Vitest`.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as vitest from "vitest"
import type { CheckOptions, Law, LawError } from "./Laws.ts"
import type { Assertions } from "./Matchers.ts"
import { matchers } from "./Matchers.ts"
import * as TestHeap from "./TestHeap.ts"

declare module "vitest" {
  // The names of the type parameters are those of vitest.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> extends Assertions {}
}

vitest.expect.extend({ ...matchers })

/**
 * Configures a test of {@link Explore}, and how vitest runs it.
 *
 * **When to use**
 *
 * Use as the type of options that several tests share.
 *
 * **Details**
 *
 * The options are those of `TestHeap.explore`, and `testTimeout`: how long the whole test
 * may take. By default, this is a minute longer than `timeout`, so an exploration that
 * does not end is reported as such, and not as a test that timed out.
 *
 * **Example** (Limiting an exploration)
 *
 * ```ts import.meta.vitest
 * import type * as Vitest from "effect-weakref/testing/Vitest"
 *
 * const options: Vitest.ExploreOptions = { maxSchedules: 100, timeout: "1 second", testTimeout: "10 seconds" }
 * options.maxSchedules // => 100
 * ```
 *
 * @see {@link Explore} for the function that takes the options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface ExploreOptions extends TestHeap.ExploreOptions {
  readonly testTimeout?: Duration.Input | undefined
}

/**
 * Configures the tests of {@link CheckLaws}, and how vitest runs them.
 *
 * **When to use**
 *
 * Use as the type of options that several tests share.
 *
 * **Details**
 *
 * The options are those of a law's `check`, and `testTimeout`: how long the test of one
 * law may take. The default is 60 seconds, because some laws force collections.
 *
 * **Example** (Checking more programs)
 *
 * ```ts import.meta.vitest
 * import type * as Vitest from "effect-weakref/testing/Vitest"
 *
 * const options: Vitest.LawsOptions = { numRuns: 1000, testTimeout: "2 minutes" }
 * options.numRuns // => 1000
 * ```
 *
 * @see {@link CheckLaws} for the function that takes the options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface LawsOptions extends CheckOptions {
  readonly testTimeout?: Duration.Input | undefined
}

/**
 * Describes the function that makes a test of a program, which runs under every schedule.
 *
 * **When to use**
 *
 * Use as the type of `it.explore` in a wrapper of your own.
 *
 * @see {@link it} for an example
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Explore {
  <A, E>(
    name: string,
    program: Effect.Effect<A, E, TestHeap.TestHeap | Scope.Scope>,
    options?: ExploreOptions
  ): void
}

/**
 * Describes the function that makes one test of each law.
 *
 * **When to use**
 *
 * Use as the type of `it.laws` in a wrapper of your own.
 *
 * @see {@link it} for an example
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface CheckLaws {
  (laws: ReadonlyArray<Law>, options?: LawsOptions): void
}

/**
 * Describes a function and its variants, which are those of vitest's `it`.
 *
 * **When to use**
 *
 * Use as the type of `skip`, `only` and the other variants of a method in a wrapper of
 * your own.
 *
 * @see {@link Methods} for the functions
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type WithVariants<Function> = Function & {
  readonly skip: Function
  readonly only: Function
  readonly fails: Function
  readonly skipIf: (condition: unknown) => Function
  readonly runIf: (condition: unknown) => Function
}

/**
 * Describes what this module adds to vitest's `it`.
 *
 * **When to use**
 *
 * Use as the type of an `it` that {@link makeMethods} has extended.
 *
 * @see {@link makeMethods} to add it to another `it`
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Methods {
  readonly explore: WithVariants<Explore>
  readonly laws: WithVariants<CheckLaws>
}

/** The part of vitest's `it` that the methods use. The `it` of `@effect/vitest` has it too. */
type Register = (
  name: string,
  options: { readonly timeout: number },
  test: (context: Pick<Effect.RunOptions, "signal">) => Promise<void>
) => unknown

interface Runner extends Register {
  readonly skip: Register
  readonly only: Register
  readonly fails: Register
  readonly skipIf: (condition: unknown) => Register
  readonly runIf: (condition: unknown) => Register
}

/**
 * Returns an `it` that has the methods of this module beside its own.
 *
 * **When to use**
 *
 * Use to add `explore` and `laws` to the `it` of `@effect/vitest`, or to one with
 * fixtures.
 *
 * **Details**
 *
 * The result behaves like the given `it` in everything else, and the given `it` does not
 * change. Costs O(1), before any test runs.
 *
 * **Example** (Adding the methods to the `it` of `@effect/vitest`)
 *
 * ```ts import.meta.vitest
 * import * as EffectVitest from "@effect/vitest"
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 * import * as Vitest from "effect-weakref/testing/Vitest"
 *
 * const it = Vitest.makeMethods(EffectVitest.it)
 *
 * it.effect("adds", () => Effect.sync(() => EffectVitest.expect(1 + 1).toBe(2)))
 *
 * it.explore(
 *   "reads a user that may be gone",
 *   Effect.gen(function*() {
 *     const user = { id: 1 }
 *     const ref = yield* WeakRef.make(user)
 *     yield* TestHeap.mayCollect(user)
 *     yield* TestHeap.turn
 *     WeakRef.deref(ref)
 *   })
 * )
 * ```
 *
 * @see {@link Methods} for what they do
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const makeMethods = <It extends object>(it: It): It & Methods => {
  // Each `it` of vitest has these members, and the types of its own tests do not matter here.
  const runner = it as unknown as Runner
  const methods: Methods = { explore: withVariants(runner, explore), laws: withVariants(runner, checkLaws) }
  return new Proxy(it, {
    get: (target, property, receiver) =>
      Object.hasOwn(methods, property) ? Reflect.get(methods, property) : Reflect.get(target, property, receiver)
    // The proxy has the members of both.
  }) as It & Methods
}

const withVariants = <Function extends object>(
  runner: Runner,
  make: (register: Register) => Function
): WithVariants<Function> =>
  Object.assign(make(runner), {
    skip: make(runner.skip),
    only: make(runner.only),
    fails: make(runner.fails),
    skipIf: (condition: unknown) => make(runner.skipIf(condition)),
    runIf: (condition: unknown) => make(runner.runIf(condition))
  })

const explore = (register: Register): Explore => {
  const test: Explore = (name, program, { testTimeout, ...options } = {}) => {
    const site = callSite(test)
    const timeout = millis(testTimeout, millis(options.timeout, 5_000) + 60_000)
    register(
      name,
      { timeout },
      (context) =>
        run(Effect.catch(TestHeap.explore(program, options), (error) => fail(exploration(error), site)), context)
    )
  }
  return test
}

const checkLaws = (register: Register): CheckLaws => {
  const test: CheckLaws = (laws, { testTimeout, ...options } = {}) => {
    const site = callSite(test)
    for (const law of laws) {
      register(
        law.name,
        { timeout: millis(testTimeout, 60_000) },
        (context) => run(Effect.catch(law.check(options), (error) => fail(lawReport(error), site)), context)
      )
    }
  }
  return test
}

const millis = (duration: Duration.Input | undefined, fallback: number): number =>
  duration === undefined ? fallback : Duration.toMillis(Duration.fromInputUnsafe(duration))

const run = (
  effect: Effect.Effect<unknown>,
  { signal }: Pick<Effect.RunOptions, "signal">
): Promise<void> => Effect.runPromise(Effect.asVoid(effect), signal === undefined ? {} : { signal })

/** What a test prints. */
interface Report {
  readonly name: string
  readonly message: string
  readonly cause: unknown
}

/** Prints the schedule, the events and how to replay them, in this order. */
const exploration = (error: TestHeap.ScheduleError): Report => {
  const { _tag, cause, reason, schedule, schedules, trace } = error
  const failure = Cause.squash(cause)
  if (reason !== "Failure" && reason !== "Endless") return { name: _tag, message: error.message, cause: undefined }
  const lines = [
    `The program ${
      reason === "Failure" ? "fails" : "does not end (Endless)"
    } under this schedule. Schedules that ran: ${schedules}`,
    "",
    `Schedule: ${schedule === "" ? "nothing is collected" : schedule}`,
    `Trace:    ${trace.replaceAll("\n", "\n          ")}`,
    `Then:     ${failure instanceof Error ? `${failure.name}: ${failure.message}` : Cause.pretty(cause)}`,
    `Replay:   TestHeap.replay(program, ${JSON.stringify(schedule)})`
  ]
  return { name: _tag, message: lines.join("\n"), cause: reason === "Failure" ? failure : undefined }
}

const lawReport = ({ _tag, cause, message }: LawError): Report => ({ name: _tag, message, cause })

/** Returns the lines of a stack trace that begin with the caller of a function. */
const callSite = (callee: object): string => {
  const site: { stack?: string } = {}
  const { captureStackTrace } = Error as { captureStackTrace?: (target: object, callee: object) => void }
  captureStackTrace?.(site, callee)
  // The stacks of V8 begin with a line that is not a frame, and those of other engines do not.
  return site.stack?.split("\n").filter((line) => /^\s+at |@/.test(line)).join("\n") ?? ""
}

/**
 * Dies with an error that the runner prints with the line of the test. The error has no
 * further fields, because the runner would print them after the message.
 */
const fail = ({ cause, message, name }: Report, site: string): Effect.Effect<never> =>
  Effect.suspend(() => {
    const error = new Error(message, cause === undefined ? {} : { cause })
    error.name = name
    // An assignment would add an enumerable property in SpiderMonkey, which has the stack in the prototype.
    Object.defineProperty(error, "stack", { value: `${name}: ${message}\n${site}`, writable: true, configurable: true })
    return Effect.die(error)
  })

/**
 * Provides vitest's `it` with the methods `explore` and `laws`.
 *
 * **When to use**
 *
 * Use to explore a program, or to check the laws of a weak data type, in a test of
 * vitest.
 *
 * **Details**
 *
 * - `it.explore(name, program, options?)` makes a test that runs `TestHeap.explore`. If
 *   the program fails under a schedule, the test prints this schedule, the events, the
 *   failure, and the call that replays them.
 * - `it.laws(laws, options?)` makes one test of each law, with the name of the law, and a
 *   broken law prints its shortest counterexample.
 *
 * Since this module was imported, `expect` has the matcher `toBeCollected`.
 *
 * Both methods have the variants `skip`, `only`, `fails`, `skipIf` and `runIf`. A test
 * that the runner cancels interrupts its program. Cost: that of `TestHeap.explore`, or of
 * the law's `check`.
 *
 * **Gotchas**
 *
 * `it.explore` provides the heap and a Scope. Provide what else the program needs before
 * you pass it, but no layer of `TestHeap`, because it would hide the explored heap.
 *
 * **Example** (Expecting that a session is released)
 *
 * ```ts import.meta.vitest
 * import { expect, it } from "effect-weakref/testing/Vitest"
 *
 * it("releases its session", async () => {
 *   await expect(() => ({ user: "Ann" })).toBeCollected()
 * })
 * ```
 *
 * **Example** (Exploring a program and checking laws)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 * import * as Laws from "effect-weakref/testing/Laws"
 * import { it } from "effect-weakref/testing/Vitest"
 *
 * it.explore(
 *   "reads a user that may be gone",
 *   Effect.gen(function*() {
 *     const user = { id: 1 }
 *     const ref = yield* WeakRef.make(user)
 *     yield* TestHeap.mayCollect(user)
 *     yield* TestHeap.turn
 *     WeakRef.deref(ref)
 *   })
 * )
 *
 * it.laws(Laws.reference((heap) => (referent) => new heap.WeakRef(referent)))
 * ```
 *
 * @see {@link makeMethods} to add the methods to another `it`
 *
 * @category testing
 * @stability experimental
 * @since 0.1.0
 */
export const it: vitest.TestAPI & Methods = makeMethods(vitest.it)

/** Vitest's `expect`, which has the matcher `toBeCollected` of `Matchers` since this module was imported. */
export { expect } from "vitest"
