/**
 * Counts what the caches of the program demote in one turn. A language rule keeps the referent of a
 * `WeakRef` to the end of the turn that created or read the reference. So a loop that never leaves
 * its turn would keep everything that it loads, whatever the bounds of the strong front are.
 */
import * as Effect from "effect/Effect"
import { nextTurn } from "../host.ts"

/** How many values one turn may demote. Small, because values can be large and a turn costs little. */
const most = 64

/** A resource counts as so many values, because it is held until a clean-up after the turn, and then until its Scope is closed. */
const ofResource = 4

/** What all caches have demoted in this turn, because a loop can load from many of them. */
let demoted = 0

/** Increases with each turn in which something is demoted, so that a cache notices that its weight is out of date. */
let turn = 0

const reset = (): void => {
  demoted = 0
  turn++
}

/** What one cache demotes in a turn. */
export class Turn {
  readonly #maxWeight: number
  #turn = -1
  #weight = 0

  constructor(maxWeight: number) {
    // A bound of zero means that the cache holds nothing. It must not end the turn after each value.
    this.#maxWeight = maxWeight > 0 ? maxWeight : Infinity
  }

  /** Counts a value that is now held weakly. O(1). */
  add(weight: number, hasResource: boolean): void {
    if (demoted === 0) nextTurn(reset)
    demoted += hasResource ? ofResource : 1
    if (this.#turn !== turn) {
      this.#turn = turn
      this.#weight = 0
    }
    this.#weight += weight
  }

  /** O(1). */
  get isFull(): boolean {
    return demoted >= most || (this.#weight > this.#maxWeight && this.#turn === turn)
  }
}

/** Waits until the turn has ended. */
export const endTurn: Effect.Effect<void> = /*#__PURE__*/ Effect.callback((resume) =>
  nextTurn(() => {
    reset()
    resume(Effect.void)
  })
)
