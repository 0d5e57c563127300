/** When the entries of the strong front were last used, for a `WeakCache` with an idle time to live. */
import { type Expiring, ExpiryQueue } from "./expiry.ts"

/** The last use of an entry. */
export class Idle<X> implements Expiring {
  readonly entry: X
  usedAt: number
  expiresAt: number
  place = -1

  constructor(entry: X, usedAt: number, expiresAt: number) {
    this.entry = entry
    this.usedAt = usedAt
    this.expiresAt = expiresAt
  }
}

/** The entries by the time when they will have been idle for too long. A use moves no entry; its time is corrected when it is due. */
export class IdleQueue<X extends { idle: Idle<X> | undefined }> {
  readonly #timeToLive: number
  readonly #queue = new ExpiryQueue<Idle<X>>()

  constructor(timeToLive: number) {
    this.#timeToLive = timeToLive
  }

  /** A time at which an entry may be due, or `Infinity` if the queue is empty. No entry is due before. O(1). */
  get wakesAt(): number {
    return this.#queue.first?.expiresAt ?? Infinity
  }

  /** O(log n). */
  add(entry: X, now: number): void {
    this.#queue.add(entry.idle = new Idle(entry, now, now + this.#timeToLive))
  }

  /** O(log n). Does nothing if the entry is not in the queue. */
  remove(entry: X | undefined): void {
    if (entry?.idle === undefined) return
    this.#queue.remove(entry.idle)
    entry.idle = undefined
  }

  /** Returns an entry that has been idle for too long. O(log n) for each entry that was used since its time was last corrected. */
  due(now: number): X | undefined {
    for (;;) {
      const { first } = this.#queue
      if (first === undefined || now < first.expiresAt) return undefined
      const expiresAt = first.usedAt + this.#timeToLive
      if (now >= expiresAt) return first.entry
      this.#queue.remove(first)
      first.expiresAt = expiresAt
      this.#queue.add(first)
    }
  }
}
