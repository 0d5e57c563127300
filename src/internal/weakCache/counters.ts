/**
 * The counters of a `WeakCache`. `Stats` in `WeakCache.ts` explains each counter and the two sums
 * that hold at every moment.
 */
import type { RemovalCause } from "../../WeakCache.ts"

export class Counters {
  hits = 0
  misses = 0
  sets = 0
  loads = 0
  failures = 0
  interrupted = 0
  collected = 0
  expired = 0
  replaced = 0
  invalidated = 0
  unstored = 0
  demoted = 0
  /** The values in the table. */
  size = 0

  /** Counts a value that leaves the table. O(1). */
  removed(cause: RemovalCause): void {
    this.size--
    this[cause]++
  }
}
