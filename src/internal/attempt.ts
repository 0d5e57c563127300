import * as Effect from "effect/Effect"
import { NotWeakReferenceableError } from "../WeakError.ts"

/**
 * Runs a synchronous function as an effect. The effect fails if the function throws a
 * `NotWeakReferenceableError`. It dies if the function throws another value.
 */
export const attempt = <A>(f: () => A): Effect.Effect<A, NotWeakReferenceableError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(f())
    } catch (error) {
      if (error instanceof NotWeakReferenceableError) return Effect.fail(error)
      throw error
    }
  })
