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

/** Registers a referent. A registration cannot be taken back. */
export type Register<in T> = (referent: WeakKey, held: T) => void

/**
 * Spreads long clean-ups over registries, and so over turns: an engine cleans up
 * one registry per turn. Each registry takes `room` registrations. Do not use it
 * for millions of referents that live long, because many registries make a
 * collection slower.
 *
 * `cleanup` must not hold a referent. A heap can await what it returns.
 */
export const inShards = <T>(heap: Heap, room: number, cleanup: (held: T) => unknown): Register<T> => {
  let open: Shard<T> | undefined
  // A registry that nobody holds is never cleaned up.
  let full: Set<Shard<T>> | undefined

  // Declared outside of the function below, because the registry holds what the clean-up closes over.
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

/**
 * Spreads short clean-ups over turns. `atOnce` of them run in the turn in which the
 * engine calls the clean-ups, and the others wait for the next turns: `room` in
 * each. Returns a promise if a clean-up waits, so that a heap can await it.
 */
export const inSlices = <T>(
  room: number,
  cleanup: (held: T) => void,
  atOnce = room
): (held: T) => Promise<void> | undefined => {
  const waiting: Array<Array<T>> = []
  // Allocated at its full length, because an array that grows copies its elements.
  let open: Array<T> = []
  let used = room
  let left = atOnce
  let cleaned: Promise<void> | undefined

  // Microtasks run after the engine has called the clean-up for all dead referents of the registry.
  const refill = async () => {
    await undefined
    left = atOnce
  }

  const cleanWaiting = async () => {
    for (;;) {
      await new Promise<void>((resolve) => nextTurn(resolve))
      // Skips the rest of a slice that is not full.
      waiting.shift()!.forEach(cleanup)
      if (waiting.length === 0) break
    }
    // Hold nothing that was cleaned up.
    open = []
    used = room
    cleaned = undefined
  }

  return (held) => {
    if (left > 0) {
      if (left === atOnce) void refill()
      left--
      cleanup(held)
      return undefined
    }
    // The slice that is being filled is the last one that waits. It may be cleaned up already.
    if (used === room || waiting.length === 0) {
      waiting.push(open = new Array(room))
      used = 0
    }
    open[used++] = held
    return cleaned ??= cleanWaiting()
  }
}
