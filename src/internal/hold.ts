import * as Effect from "effect/Effect"

/**
 * Creates an effect that only refers to a value. A fiber or a Scope that runs the
 * effect later holds the value until it runs the effect.
 */
export const holding = (value: unknown): Effect.Effect<unknown> => Effect.succeed(value)

/** Runs an effect while its fiber holds a value. */
export const holdDuring = <A, E, R>(effect: Effect.Effect<A, E, R>, value: unknown): Effect.Effect<A, E, R> =>
  Effect.ensuring(effect, holding(value))
