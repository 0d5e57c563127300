/**
 * The entries that a `WeakCache` keeps alive, least recently used first: a linked
 * list through the entries, so that a use costs O(1) and allocates nothing.
 */

/** An entry of the list. Its value is held strongly if, and only if, the entry is in the list. */
export interface Link {
  newer: Link | undefined
  older: Link | undefined
  /** Counts against `maxWeight`. */
  weight: number
}

export class StrongFront<L extends Link> {
  declare capacity: number
  declare readonly maxWeight: number
  declare size: number
  declare private weight: number
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

  /** Returns `false` for an entry that would not fit even alone: it must not push out the others. */
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
    // Only this class links, and it links nothing but `L`.
    const newer = link.newer as L | undefined
    const older = link.older as L | undefined
    if (newer === undefined) this.newest = older
    else newer.older = older
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    // An entry outside the list must not hold its old neighbours.
    link.newer = link.older = undefined
    this.size--
    // Weights may be fractions, whose sums do not cancel out exactly.
    this.weight = this.size === 0 ? 0 : this.weight - link.weight
  }

  /** Makes an entry of the list the most recently used. */
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
