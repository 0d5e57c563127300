/**
 * The entries of a `WeakCache` that expire, in a binary heap ordered by expiry time.
 * Every entry stores its index, so that an entry can be removed in O(log n).
 */

export interface Expiring {
  /** A number while the item is in the heap. */
  expiresAt: number | undefined
  /** The index in the heap, or -1. */
  place: number
}

export class ExpiryQueue<X extends Expiring> {
  readonly #items: Array<X> = []

  /** Returns the entry that expires first. O(1). */
  get first(): X | undefined {
    return this.#items[0]
  }

  /** O(log n). */
  add(item: X): void {
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  /** O(log n). Does nothing if the entry is not in the queue. */
  remove(item: X): void {
    const { place } = item
    if (place === -1) return
    item.place = -1
    const last = this.#items.pop()!
    if (last === item) return
    this.#rise(last, place)
    this.#sink(last, last.place)
  }

  #rise(item: X, place: number): void {
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.#items[parent]!
      if (above.expiresAt! <= item.expiresAt!) break
      this.#put(above, place)
      place = parent
    }
    this.#put(item, place)
  }

  #sink(item: X, place: number): void {
    const { length } = this.#items
    for (;;) {
      let child = 2 * place + 1
      if (child >= length) break
      if (child + 1 < length && this.#items[child + 1]!.expiresAt! < this.#items[child]!.expiresAt!) child++
      const below = this.#items[child]!
      if (below.expiresAt! >= item.expiresAt!) break
      this.#put(below, place)
      place = child
    }
    this.#put(item, place)
  }

  #put(item: X, place: number): void {
    this.#items[place] = item
    item.place = place
  }
}
