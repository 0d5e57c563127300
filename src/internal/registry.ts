/**
 * Creates finalization registries, and spreads their clean-ups over turns. An engine
 * runs all clean-ups of one registry in one turn, even a million. That would block
 * the event loop.
 */
import type { Heap } from "../Heap.ts"
import { host, nextTurn } from "./host.ts"

/** The registry that `startSentinel` creates. This variable keeps it alive. */
let sentinel: FinalizationRegistry<undefined> | undefined

/**
 * Works around a bug of V8 before version 14 (Node 20, 22 and 24). If a registry
 * is collected while only its clean-up is due, V8 never runs a clean-up again. This
 * includes the clean-ups of other libraries.
 *
 * The sentinel is a registry that is never collected. It registers a new object each
 * time its last object has been collected, so its own clean-up is due after every full
 * collection. Then no other registry is the only one with a due clean-up. The bug
 * stops the whole engine, so one sentinel on the host's heap protects custom heaps too.
 */
export const startSentinel = (): void => {
  if (sentinel !== undefined) return
  const registry = new host.FinalizationRegistry<undefined>(() => registry.register({}, undefined))
  registry.register({}, undefined)
  sentinel = registry
}

/**
 * Creates a finalization registry, and starts the sentinel if there is none. Use this
 * function for every registry that can be collected, because such a registry is safe
 * only while the sentinel exists.
 */
export const makeRegistry = <T>(heap: Heap, cleanup: (held: T) => unknown): FinalizationRegistry<T> => {
  startSentinel()
  return new heap.FinalizationRegistry<T>(cleanup)
}

interface Shard<T> {
  readonly registry: FinalizationRegistry<T>
  /** How many more registrations the registry takes. */
  room: number
  /** Registrations whose clean-up has not run yet. */
  waiting: number
}

/** Registers a referent. A registration cannot be cancelled. */
export type Register<in T> = (referent: WeakKey, held: T) => void

/**
 * Returns a function that spreads its registrations over many registries. Use it for
 * long clean-ups, because an engine cleans up one registry per turn. Each registry takes
 * `room` registrations. Do not use it for millions of long-lived referents, because
 * many registries make a collection slower.
 *
 * `cleanup` must not hold a referent. If it returns a promise, a heap can await it.
 */
export const inShards = <T>(heap: Heap, room: number, cleanup: (held: T) => unknown): Register<T> => {
  let open: Shard<T> | undefined
  // Keeps full shards alive until their clean-ups have run. An engine never cleans up a registry that has been collected.
  let full: Set<Shard<T>> | undefined

  // Defined outside the function below, so that the clean-up cannot capture `referent` and keep it alive.
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
 * Returns a clean-up that runs `cleanup` at once for the first `atOnce` calls of a
 * turn. The other calls wait, and run in later turns, at most `room` in each turn. A
 * call that waits returns a promise, so that a heap can await it. Use it for short
 * clean-ups.
 */
export const inSlices = <T>(
  room: number,
  cleanup: (held: T) => void,
  atOnce = room
): (held: T) => Promise<void> | undefined => {
  const waiting: Array<Array<T>> = []
  // The last slice of `waiting`. Allocated at its full length, because an array that grows copies its elements.
  let open: Array<T> = []
  let used = room
  let left = atOnce
  let cleaned: Promise<void> | undefined

  // A microtask runs after the engine has called the clean-up for all dead referents of the registry.
  const refill = async () => {
    await undefined
    left = atOnce
  }

  const cleanWaiting = async () => {
    for (;;) {
      await new Promise<void>((resolve) => nextTurn(resolve))
      // `forEach` skips the unused rest of a slice.
      waiting.shift()!.forEach(cleanup)
      if (waiting.length === 0) break
    }
    // Keeps no cleaned-up slice alive.
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
    // Starts a new slice if `open` is full, or if it has been cleaned up already.
    if (used === room || waiting.length === 0) {
      waiting.push(open = new Array(room))
      used = 0
    }
    open[used++] = held
    return cleaned ??= cleanWaiting()
  }
}
