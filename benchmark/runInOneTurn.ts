import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"

/** Runs an effect of many operations in one turn, because its fiber never yields. */
export const runInOneTurn: <A, E>(effect: Effect.Effect<A, E>) => A = Effect.runSyncWith(
  Context.make(Scheduler.PreventSchedulerYield, true)
)
