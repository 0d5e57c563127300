/**
 * Ends what the host or another part of the program keeps for a cache that was collected without
 * having been closed: its metrics and its invalidations.
 */
import type { Heap } from "../../Heap.ts"
import { makeRegistry } from "../registry.ts"

/** One registry for each heap, because a registry that has been collected cleans up nothing. */
const registries = /*#__PURE__*/ new WeakMap<Heap, FinalizationRegistry<() => void>>()

/** Calls `end` after the cache has been collected, unless the returned function is called before. `end` must not hold the cache. */
export const whenDropped = (heap: Heap, cache: object, end: () => void): () => void => {
  let registry = registries.get(heap)
  if (registry === undefined) registries.set(heap, registry = makeRegistry(heap, (end) => end()))
  registry.register(cache, end, end)
  return () => void registry.unregister(end)
}
