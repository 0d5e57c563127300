import { Cause, Effect, Logger } from "effect"

/** What was reported as unhandled while the effect ran: the first line of each report. */
export const reportsOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Array<string>, E, R> => {
  const reports: Array<string> = []
  const logger = Logger.make<unknown, void>(({ cause }) => {
    reports.push(Cause.pretty(cause).split("\n")[0]!)
  })
  return Effect.as(Effect.provide(effect, Logger.layer([logger])), reports)
}
