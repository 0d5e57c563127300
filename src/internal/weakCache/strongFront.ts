/**
 * The entries whose values a `WeakCache` holds strongly, ordered by their last use. The
 * entries form a linked list, so that marking an entry as used costs O(1) and allocates nothing.
 */

/** An entry of the list. The cache holds the value of an entry strongly only while the entry is in the list. */
export interface Link {
  newer: Link | undefined
  older: Link | undefined
  /** The part of `maxWeight` that the entry uses. */
  weight: number
}

export class StrongFront<L extends Link> {
  declare capacity: number
  declare readonly maxWeight: number
  declare size: number
  declare weight: number
  declare private newest: L | undefined
  declare oldest: L | undefined

  constructor(capacity: number, maxWeight: number) {
    this.capacity = capacity
    this.maxWeight = maxWeight
    this.size = 0
    this.weight = 0
    this.newest = undefined
    this.oldest = undefined
  }

  /** Returns `false` if an entry alone exceeds a bound. This entry must not evict other entries. */
  admits(link: L): boolean {
    return this.capacity > 0 && link.weight <= this.maxWeight
  }

  isOver(): boolean {
    return this.size > this.capacity || this.weight > this.maxWeight
  }

  add(link: L): void {
    link.older = this.newest
    if (this.newest === undefined) this.oldest = link
    else this.newest.newer = link
    this.newest = link
    this.size++
    this.weight += link.weight
  }

  remove(link: L): void {
    // Only this class sets the links, and all linked entries are `L`.
    const newer = link.newer as L | undefined
    const older = link.older as L | undefined
    if (newer === undefined) this.newest = older
    else newer.older = older
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    // A removed entry must not hold its former neighbours.
    link.newer = link.older = undefined
    this.size--
    // Reset the sum in an empty list, because sums of fractions are inexact.
    this.weight = this.size === 0 ? 0 : this.weight - link.weight
  }

  /** Marks an entry of the list as the most recently used. */
  use(link: L): void {
    const { newer } = link
    if (newer === undefined) return
    const older = link.older as L | undefined
    newer.older = older
    if (older === undefined) this.oldest = newer as L
    else older.newer = newer
    link.newer = undefined
    link.older = this.newest
    this.newest!.newer = link
    this.newest = link
  }
}
