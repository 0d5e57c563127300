/**
 * Estimates how often keys were used that are no longer there. A count-min sketch with counters of 4 bits:
 * it may estimate too high, never too low, and forgets by halving all counters.
 */

/** The highest count. */
export const mostUses = 15

const seeds = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const

export class FrequencySketch {
  /** Two counters in each byte. */
  #table = new Uint8Array(1024)
  /** The number of counters, less one. A power of two less one. */
  #mask = 2047

  /** Returns the estimated count of a hash. */
  estimate(hash: number): number {
    let count: number = mostUses
    for (let row = 0; row < 4; row++) {
      const counter = this.#read(this.#indexOf(hash, row))
      if (counter < count) count = counter
    }
    return count
  }

  /** Raises the count of a hash, unless it is as high. */
  raise(hash: number, count: number): void {
    for (let row = 0; row < 4; row++) {
      const index = this.#indexOf(hash, row)
      const counter = this.#read(index)
      if (counter >= count) continue
      const shift = (index & 1) << 2
      const place = index >> 1
      this.#table[place] = (this.#table[place]! & ~(15 << shift)) | (count << shift)
    }
  }

  /** Halves all counts. O(size of the table). */
  halve(): void {
    const table = this.#table
    for (let n = 0; n < table.length; n++) table[n] = (table[n]! >> 1) & 0x77
  }

  /** Makes room for a number of keys. Keeps all counts, because both halves of a doubled table get the old counters. */
  reserve(keys: number): void {
    while (this.#mask < countersPerKey * keys) {
      const table = this.#table
      this.#table = new Uint8Array(2 * table.length)
      this.#table.set(table, 0)
      this.#table.set(table, table.length)
      this.#mask = 2 * this.#mask + 1
    }
  }

  #read(index: number): number {
    return (this.#table[index >> 1]! >> ((index & 1) << 2)) & 15
  }

  #indexOf(hash: number, row: number): number {
    let h = Math.imul(hash ^ (hash >>> 15), seeds[row]!)
    h ^= h >>> 17
    h = Math.imul(h, 0x9e3779b1)
    return ((h ^ (h >>> 15)) & this.#mask)
  }
}

/** Enough that few keys share all four counters. */
const countersPerKey = 16
