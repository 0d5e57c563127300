import { Cause, Effect, Logger } from "effect"

/** Runs an effect, and succeeds with the first line of each failure that was reported as unhandled. */
export const reportsOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Array<string>, E, R> => {
  const reports: Array<string> = []
  const logger = Logger.make<unknown, void>(({ cause }) => {
    reports.push(Cause.pretty(cause).split("\n")[0]!)
  })
  return Effect.as(Effect.provide(effect, Logger.layer([logger])), reports)
}
