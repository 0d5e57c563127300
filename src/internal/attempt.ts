import * as Effect from "effect/Effect"
import { NotWeakReferenceableError } from "../WeakError.ts"

/**
 * Runs a synchronous function as an effect. A `NotWeakReferenceableError` that
 * it throws is the failure of the effect; everything else that it throws is a
 * defect.
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
