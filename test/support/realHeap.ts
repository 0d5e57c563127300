/**
 * Forces collections for tests on the real heap. Waits for a limited number of
 * rounds, and never reads a clock.
 */
import { Effect } from "effect"
import { collectGarbage } from "../../src/Heap.ts"
import { hasNode, isBun, skip } from "./host.ts"

/**
 * Collects until the condition holds. Succeeds with `false` if it does not hold after
 * the last round.
 *
 * Create the values that must be collected in a separate plain function, because the
 * local variables of a generator or an async function stay alive until it ends.
 */
export const collectUntil = (condition: () => boolean, rounds = 50): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    for (let round = 0; round < rounds; round++) {
      yield* collectGarbage
      if (condition()) return true
    }
    return false
  })

/** How many referents a test needs, if JavaScriptCore may keep some of them. */
export const many = 100

/** How many of `many` referents may survive. JavaScriptCore keeps what looks like a pointer on its stack. */
export const tolerated = isBun ? 10 : 0

/** Collects several times, so that all values that can be collected have been collected. */
export const collectThoroughly: Effect.Effect<void> = Effect.asVoid(collectUntil(() => false, 5))

/** Collects, and succeeds with the number of bytes in use, including array buffers. */
const bytesInUse: Effect.Effect<number> = Effect.map(collectThoroughly, () => {
  if (!hasNode) return skip("measures memory")
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
})

/** Collects until a collection frees no more, and succeeds with the bytes in use. Node 24 needs several collections. */
export const heapInUse: Effect.Effect<number> = Effect.gen(function*() {
  let bytes = yield* bytesInUse
  for (let round = 0; round < 10; round++) {
    const before = bytes
    bytes = yield* bytesInUse
    if (bytes > before * 0.99) break
  }
  return bytes
})

/**
 * Runs an effect up to three times, and succeeds with the bytes by which the heap grew least. What the effect
 * leaks, it leaks each time. A growth that happens once is the engine's own.
 */
export const leastGrowth = <E, R>(effect: Effect.Effect<unknown, E, R>, limit: number): Effect.Effect<number, E, R> =>
  Effect.gen(function*() {
    let least = Infinity
    let before = yield* heapInUse
    for (let run = 0; run < 3 && least >= limit; run++) {
      yield* effect
      const after = yield* heapInUse
      least = Math.min(least, after - before)
      before = after
    }
    return least
  })
