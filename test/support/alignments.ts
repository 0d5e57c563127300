/**
 * Interrupts an effect at every step at which its fiber can yield. An alignment is a
 * number of steps that the fiber makes before it yields, and a number of yields
 * before the interruption.
 */
import { Context, Effect, Fiber, Scheduler } from "effect"

/** Effect hangs if a fiber may make fewer steps than this before it yields. */
const leastSteps = 3

const mostSteps = 24

/** Runs `script` once for every alignment. `interrupted` runs an effect and interrupts it at the current alignment. */
export const atEveryAlignment = <E, R>(
  script: (interrupted: (effect: Effect.Effect<unknown, unknown>) => Effect.Effect<void>) => Effect.Effect<void, E, R>
): Effect.Effect<void, E, R> =>
  Effect.gen(function*() {
    for (let steps = leastSteps; steps <= mostSteps; steps++) {
      for (let yields = 0; yields <= mostSteps; yields++) {
        yield* script((effect) =>
          Effect.gen(function*() {
            const context = yield* Effect.context<never>()
            const fiber = Effect.runForkWith(Context.add(context, Scheduler.MaxOpsBeforeYield, steps))(effect)
            for (let i = 0; i < yields; i++) yield* Effect.yieldNow
            yield* Fiber.interrupt(fiber)
          })
        )
      }
    }
    // The default number of steps. The effect starts shortly before the fiber yields.
    for (let before = 2030; before <= 2050; before++) {
      yield* script((effect) =>
        Effect.gen(function*() {
          const context = yield* Effect.context<never>()
          let padded = effect
          for (let i = 0; i < before; i++) padded = Effect.andThen(Effect.void, padded)
          const fiber = Effect.runForkWith(context)(padded)
          yield* Fiber.interrupt(fiber)
        })
      )
    }
  })
