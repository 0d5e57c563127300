/**
 * The timer of a `WeakCache`. Times are the monotonic times of the `Clock`, in milliseconds.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Heap } from "../../Heap.ts"

/** Returns the monotonic time of a clock. */
export const timeOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/** What the timer wakes up. */
export interface Sleeper {
  /** Removes one slice of what is due. Returns the next wake-up time: now or earlier if more is due, `Infinity` if nothing waits. */
  removeExpired(): number
}

export class Timer {
  readonly #heap: Heap
  readonly #clock: Clock.Clock
  readonly #sleep: (millis: number, wake: () => void) => () => void
  /** Weak, because a timer that sleeps must not keep alive a cache that the program dropped without closing it. */
  #sleeper: WeakRef<Sleeper> | undefined = undefined
  #cancel: (() => void) | undefined = undefined
  #wakesAt = Infinity

  /** The context must not refer to the sleeper. */
  constructor(heap: Heap, clock: Clock.Clock, context: Context.Context<never>) {
    this.#heap = heap
    this.#clock = clock
    this.#sleep = clock === Context.get(Context.empty(), Clock.Clock) ? sleepOnHost : sleepBy(clock, context)
  }

  /** Schedules a wake-up at a time, unless the timer wakes earlier. All calls have the same sleeper. */
  wakeAt(time: number, sleeper: Sleeper): void {
    if (time >= this.#wakesAt) return
    this.#sleeper ??= new this.#heap.WeakRef(sleeper)
    this.#cancel?.()
    this.#wakesAt = time
    this.#cancel = this.#sleep(time - timeOf(this.#clock), this.#wake)
  }

  stop(): void {
    const cancel = this.#cancel
    this.#cancel = undefined
    this.#wakesAt = Infinity
    cancel?.()
  }

  readonly #wake = (): void => {
    this.#cancel = undefined
    const sleeper = this.#sleeper!.deref()
    if (sleeper === undefined) return
    const next = sleeper.removeExpired()
    this.stop()
    this.wakeAt(next, sleeper)
  }
}

/** Sleeps by the clock in the context, for example by a `TestClock`. */
const sleepBy = (clock: Clock.Clock, context: Context.Context<never>) => (millis: number, wake: () => void) => {
  const slept = millis > 0 ? clock.sleep(Duration.millis(millis)) : Effect.yieldNow
  const fiber = Effect.runForkWith(context)(Effect.flatMap(slept, () => Effect.sync(wake)))
  return () => fiber.interruptUnsafe()
}

interface Host {
  setTimeout(f: () => void, millis: number): number | { unref?(): void }
  clearTimeout(timeout: number | object): void
  readonly Deno?: { unrefTimer?(timeout: number): void }
}

// The library is compiled without DOM and Node types. `Host` describes the globals that this file uses.
const host = globalThis as unknown as Host

/** Hosts run a longer timeout at once. */
const longest = 2 ** 31 - 1

/** Sleeps without keeping the process alive. The clock's own `sleep` would keep a finished process alive. */
const sleepOnHost = (millis: number, wake: () => void): () => void => {
  const timeout = host.setTimeout(wake, Math.min(Math.max(0, Math.ceil(millis)), longest))
  if (typeof timeout === "number") host.Deno?.unrefTimer?.(timeout)
  else timeout.unref?.()
  return () => host.clearTimeout(timeout)
}
