/**
 * Matchers for the `expect` of vitest and jest.
 *
 * The matcher `toBeCollected` fails if a value stays reachable after it was used, and its
 * message names the path that retains the value. `effect-weakref/testing/Vitest` adds the
 * matchers to vitest's `expect`. This module imports no test runner, so it serves jest
 * too.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Options } from "./LeakDetector.ts"
import * as LeakDetector from "./LeakDetector.ts"

/**
 * Describes the assertions that {@link matchers} add to `expect`.
 *
 * **When to use**
 *
 * Use to declare the matchers for jest, because `effect-weakref/testing/Vitest` declares
 * them for vitest.
 *
 * **Details**
 *
 * In a project with `@types/jest`, this declaration gives `expect` the matchers:
 *
 * declare global { namespace jest { interface Matchers<R> extends Matchers.Assertions {}
 * } }
 *
 * @see {@link matchers} for the implementation
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Assertions {
  /** Expects that a function or an effect creates an object which nothing retains. Await the result. */
  toBeCollected(options?: Options): Promise<void>
}

/**
 * Describes what a matcher returns to its test runner.
 *
 * **When to use**
 *
 * Use to wrap a matcher of this module in one of your own.
 *
 * @see {@link matchers} for the matchers
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
}

/**
 * Defines the matchers of this module, for `expect.extend` of jest or vitest.
 *
 * **When to use**
 *
 * Use in the set-up file of a jest project. In vitest, import
 * `effect-weakref/testing/Vitest` instead, which extends `expect` itself.
 *
 * **Details**
 *
 * `toBeCollected` takes a function that creates an object and returns it, or a promise of
 * it, or an effect that does. It forces collections as `LeakDetector.expectCollected`
 * does, with the same options and the same cost. If the object stays reachable, the
 * message names the path that retains it, a path that `not.toBeCollected` does not
 * search. If the function or the effect fails, so does the test, with that error.
 *
 * **Gotchas**
 *
 * - Await the assertion, because a test that does not wait for it cannot fail.
 * - Do not pass the object, because `expect(object)` keeps it alive, so the matcher
 *   throws a `TypeError`.
 * - Start the runner with `--expose-gc`, or on Node, where `node:v8` can switch it on.
 * - A search for the path can take seconds. Raise the time limit of a test that is
 *   expected to fail.
 *
 * **Example** (Calling a matcher as a runner does)
 *
 * ```ts import.meta.vitest
 * import { matchers } from "effect-weakref/testing/Matchers"
 *
 * const released = await matchers.toBeCollected.call({ isNot: false }, () => ({ id: 1 }))
 * released.pass // => true
 *
 * const sessions: Array<object> = []
 * const login = () => {
 *   const session = { id: 1 }
 *   sessions.push(session)
 *   return session
 * }
 *
 * const kept = await matchers.toBeCollected.call({ isNot: false }, login, { rounds: 3, retainers: false })
 * kept.pass // => false
 * ```
 *
 * @see {@link Assertions} for the types of the assertions
 *
 * @category testing
 * @stability experimental
 * @since 0.1.0
 */
export const matchers: {
  readonly toBeCollected: (
    this: { readonly isNot?: boolean | undefined },
    received: unknown,
    options?: Options
  ) => Promise<MatcherResult>
} = {
  async toBeCollected(received, options) {
    const isNot = this.isNot === true
    const make = creator(received)
    const exit = await Effect.runPromise(
      Effect.catchIf(
        Effect.as(
          LeakDetector.expectCollected(make, { ...options, retainers: !isNot && options?.retainers }),
          undefined
        ),
        (error): error is LeakDetector.LeakError => error instanceof LeakDetector.LeakError,
        Effect.succeed
      )
    )
    // A host that cannot collect says nothing about the value, so the negated assertion fails too.
    if (exit?.rounds === 0) return { pass: isNot, message: () => exit.message }
    return {
      pass: exit === undefined,
      message: () => exit?.message ?? "The value was collected, but the test expects that something retains it"
    }
  }
}

const creator = (received: unknown): Effect.Effect<object, unknown> => {
  // An effect that needs services fails when it runs.
  if (Effect.isEffect(received)) return received as Effect.Effect<object, unknown>
  if (typeof received === "function") {
    // `expectCollected` checks what the function returns.
    return Effect.tryPromise({ try: async () => await received() as object, catch: (error) => error })
  }
  throw new TypeError(
    "toBeCollected takes a function or an effect that creates the object: " +
      "expect(() => makeObject()).toBeCollected(). The test would keep an object that it passes itself"
  )
}
