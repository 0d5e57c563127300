/**
 * Counts what a `WeakCache` demotes in one turn. A language rule keeps the referent of a `WeakRef`
 * to the end of the turn that created or read the reference. So a loop that never leaves its turn
 * would keep everything that it loads, whatever the bounds of the strong front are.
 */
import * as Effect from "effect/Effect"
import { nextTurn } from "../host.ts"

/** How many values one turn may demote. Small, because values can be large and a turn costs little. */
const most = 64

export class Turn {
  private readonly maxWeight: number
  private demoted = 0
  private weight = 0

  constructor(maxWeight: number) {
    // A bound of zero means that the cache holds nothing. It must not end the turn after each value.
    this.maxWeight = maxWeight > 0 ? maxWeight : Infinity
  }

  /** Counts a value that is now held weakly. O(1). */
  add(weight: number): void {
    if (this.demoted++ === 0) nextTurn(this.reset)
    this.weight += weight
  }

  /** O(1). */
  get isFull(): boolean {
    return this.demoted >= most || this.weight > this.maxWeight
  }

  /** Waits until the turn has ended. */
  readonly end: Effect.Effect<void> = Effect.callback((resume) =>
    nextTurn(() => {
      this.reset()
      resume(Effect.void)
    })
  )

  private readonly reset = (): void => {
    this.demoted = 0
    this.weight = 0
  }
}
