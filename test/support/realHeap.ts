/**
 * Helpers for tests on the real heap. They force collections and wait with a
 * bound, and never look at a clock.
 */
import { Effect } from "effect"
import { collectGarbage } from "../../src/Heap.ts"

/**
 * Collects until the condition holds, and says whether it came to hold. Garbage
 * must be out of sight of whoever waits: make it in a plain function of its own,
 * because the locals of generators and async functions live as long as they do.
 */
export const collectUntil = (condition: () => boolean, rounds = 50): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    for (let round = 0; round < rounds; round++) {
      yield* collectGarbage
      if (condition()) return true
    }
    return false
  })

/** Collects a few times, so that what could have happened has. */
export const collectThoroughly: Effect.Effect<void> = Effect.asVoid(collectUntil(() => false, 5))

const bytesInUse: Effect.Effect<number> = Effect.map(collectThoroughly, () => {
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
})

/** Bytes of the heap in use after collection. Collects until that frees no more: Node 24 needs several times. */
export const heapInUse: Effect.Effect<number> = Effect.gen(function*() {
  let bytes = yield* bytesInUse
  for (let round = 0; round < 10; round++) {
    const before = bytes
    bytes = yield* bytesInUse
    if (bytes > before * 0.99) break
  }
  return bytes
})
