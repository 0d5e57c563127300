import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"

/** Runs a thousand operations as one effect, as a fiber would that has them to do and does not yield in between. */
export const runInOneTurn: <A, E>(effect: Effect.Effect<A, E>) => A = Effect.runSyncWith(
  Context.make(Scheduler.PreventSchedulerYield, true)
)
