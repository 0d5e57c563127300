/**
 * A `FinalizationRegistry` that lets the event loop breathe. An engine cleans a
 * registry up in one go and another one in a later turn; here a registry takes
 * so many registrations and no more, and the next takes over.
 */
import type { Heap } from "../Heap.ts"

interface Shard<T> {
  readonly registry: FinalizationRegistry<T>
  room: number
  waiting: number
}

export class Registry<T> {
  declare private readonly heap: Heap
  declare private readonly cleanup: (held: T) => unknown
  declare private readonly room: number
  /** A registry that nobody holds is never cleaned up. */
  declare private readonly shards: Set<Shard<T>>
  declare private open: Shard<T> | undefined
  /** Registrations whose referents are not known to be dead. */
  declare size: number

  /** `cleanup` must not see a referent; what it returns is for heaps that wait for it. */
  constructor(heap: Heap, room: number, cleanup: (held: T) => unknown) {
    this.heap = heap
    this.cleanup = cleanup
    this.room = room
    this.shards = new Set()
    this.open = undefined
    this.size = 0
  }

  register(referent: WeakKey, held: T): void {
    let shard = this.open
    if (shard === undefined || shard.room === 0) this.open = shard = this.makeShard(shard)
    shard.registry.register(referent, held)
    shard.room--
    shard.waiting++
    this.size++
  }

  // No referent is in sight here: what the clean-up's closure sees, the registry would keep alive.
  private makeShard(full: Shard<T> | undefined): Shard<T> {
    if (full?.waiting === 0) this.shards.delete(full)
    const shard: Shard<T> = {
      registry: new this.heap.FinalizationRegistry<T>((held) => {
        this.size--
        shard.waiting--
        if (shard.waiting === 0 && shard !== this.open) this.shards.delete(shard)
        return this.cleanup(held)
      }),
      room: this.room,
      waiting: 0
    }
    this.shards.add(shard)
    return shard
  }
}
