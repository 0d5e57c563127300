import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** Sleeps in one fiber until the next expiry. Has no fiber if no expiry is scheduled. */
export class Timer {
  private readonly clock: Clock.Clock
  private readonly context: Context.Context<never>
  /** Releases expired entries. Returns the next wake-up time, or `Infinity`. */
  private readonly wake: () => number
  private fiber: Fiber.Fiber<void> | undefined = undefined
  private wakesAt = Infinity

  constructor(clock: Clock.Clock, context: Context.Context<never>, wake: () => number) {
    this.clock = clock
    this.context = context
    this.wake = wake
  }

  /** Schedules a wake-up at a time, unless the timer wakes earlier. */
  wakeAt(time: number): void {
    if (time >= this.wakesAt) return
    this.stop()
    this.wakesAt = time
    this.fiber = Effect.runForkWith(this.context)(this.sleeping)
  }

  stop(): void {
    const { fiber } = this
    this.fiber = undefined
    this.wakesAt = Infinity
    fiber?.interruptUnsafe()
  }

  private readonly sleeping: Effect.Effect<void> = Effect.suspend(() => {
    const delay = this.wakesAt - this.clock.currentTimeMillisUnsafe()
    return Effect.flatMap(delay > 0 ? this.clock.sleep(Duration.millis(delay)) : Effect.yieldNow, () => {
      this.wakesAt = this.wake()
      if (this.wakesAt !== Infinity) return this.sleeping
      this.fiber = undefined
      return Effect.void
    })
  })
}
