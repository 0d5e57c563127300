/**
 * Clean-ups that let the event loop breathe. An engine cleans a registry up in
 * one go, however much has died at once.
 */
import { type Heap, nextTurn } from "../Heap.ts"

interface Shard<T> {
  readonly registry: FinalizationRegistry<T>
  room: number
  waiting: number
}

/** Registers a referent. There is no way back. */
export type Register<in T> = (referent: WeakKey, held: T) => void

/**
 * For clean-ups that take long: one registry takes `room` registrations and the
 * next takes over, because an engine cleans another one up in a later turn. Not
 * for millions that live long: many registries make a collection slower.
 *
 * `cleanup` must not see a referent; what it returns is for heaps that wait for it.
 */
export const inShards = <T>(heap: Heap, room: number, cleanup: (held: T) => unknown): Register<T> => {
  let open: Shard<T> | undefined
  // A registry that nobody holds is never cleaned up.
  let full: Set<Shard<T>> | undefined

  // No referent is in sight here: what the clean-up's closure sees, the registry would keep alive.
  const makeShard = (): Shard<T> => {
    const shard: Shard<T> = {
      registry: new heap.FinalizationRegistry<T>((held) => {
        shard.waiting--
        if (shard.waiting === 0) full?.delete(shard)
        return cleanup(held)
      }),
      room,
      waiting: 0
    }
    return shard
  }

  return (referent, held) => {
    open ??= makeShard()
    open.registry.register(referent, held)
    open.waiting++
    if (--open.room > 0) return
    full ??= new Set()
    full.add(open)
    open = undefined
  }
}

/** For clean-ups that are short: what is more than `room` in one turn waits for the next ones. */
export const inSlices = <T>(room: number, cleanup: (held: T) => void): (held: T) => void => {
  const waiting: Array<T> = []
  let left = room
  const refill = () => {
    left = room
  }
  const next = () => {
    waiting.splice(-room).forEach(cleanup)
    if (waiting.length > 0) nextTurn(next)
  }
  return (held) => {
    // The microtasks come when the engine is through with all.
    if (left === room) void Promise.resolve().then(refill)
    if (left > 0) {
      left--
      cleanup(held)
    } else if (waiting.push(held) === 1) {
      nextTurn(next)
    }
  }
}
