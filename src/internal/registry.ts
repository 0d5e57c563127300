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

export interface Registry<in T> {
  /** Registrations whose referents are not known to be dead. */
  readonly size: number
  register(referent: WeakKey, held: T): void
}

/** `cleanup` must not see a referent; what it returns is for heaps that wait for it. */
export const makeRegistry = <T>(heap: Heap, room: number, cleanup: (held: T) => unknown): Registry<T> => {
  let open: Shard<T> | undefined
  // A registry that nobody holds is never cleaned up.
  let full: Set<Shard<T>> | undefined
  let size = 0

  // No referent is in sight here: what the clean-up's closure sees, the registry would keep alive.
  const makeShard = (): Shard<T> => {
    const shard: Shard<T> = {
      registry: new heap.FinalizationRegistry<T>((held) => {
        size--
        shard.waiting--
        if (shard.waiting === 0) full?.delete(shard)
        return cleanup(held)
      }),
      room,
      waiting: 0
    }
    return shard
  }

  return {
    get size() {
      return size
    },
    register(referent, held) {
      open ??= makeShard()
      open.registry.register(referent, held)
      open.waiting++
      size++
      if (--open.room > 0) return
      full ??= new Set()
      full.add(open)
      open = undefined
    }
  }
}
