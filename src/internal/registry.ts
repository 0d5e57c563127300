/**
 * Finalization registries, and clean-ups that do not block the event loop. An
 * engine runs all clean-ups of a registry in one turn, even a million.
 */
import type { Heap } from "../Heap.ts"
import { host, nextTurn } from "./heap.ts"

/** Held for as long as the module is, so that no engine can collect it. */
let sentinel: FinalizationRegistry<undefined> | undefined

/**
 * Works around a bug of V8 before version 14 (Node 20, 22 and 24). If a registry
 * is collected while it is the only one that waits for its clean-up, V8 never runs
 * a clean-up again, not even those of other libraries.
 *
 * The sentinel registers a new object each time its last one has been collected.
 * After every full collection it waits for a clean-up too, so that another registry
 * is never the only one. The bug stops the engine as a whole, therefore one
 * sentinel on the host's heap protects custom heaps as well.
 */
const startSentinel = (): void => {
  const registry = new host.FinalizationRegistry<undefined>(() => registry.register({}, undefined))
  registry.register({}, undefined)
  sentinel = registry
}

/**
 * Creates a finalization registry. All registries of the library are created here,
 * because dropping a registry is safe only while the sentinel exists.
 */
export const makeRegistry = <T>(heap: Heap, cleanup: (held: T) => unknown): FinalizationRegistry<T> => {
  if (sentinel === undefined) startSentinel()
  return new heap.FinalizationRegistry<T>(cleanup)
}

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
      registry: makeRegistry<T>(heap, (held) => {
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
