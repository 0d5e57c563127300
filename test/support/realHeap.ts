/**
 * Forces collections for tests on the real heap. Waits for a limited number of
 * rounds, and never reads a clock.
 */
import { Effect, Fiber } from "effect"
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
 * Runs an effect again and again, and succeeds with the bytes by which the heap grew for each run. Each reading is after
 * twice as many runs as there were before it, because a table that leaks grows only when its number of entries
 * has doubled. If the heap grew by the limit or more, reads once more, because the engine itself grows once.
 */
export const growthPerRun = <E, R>(effect: Effect.Effect<unknown, E, R>, limit: number): Effect.Effect<number, E, R> =>
  Effect.gen(function*() {
    yield* effect
    let growth = Infinity
    let before = yield* heapInUse
    for (let runs = 2; runs <= 6 && growth >= limit; runs *= 3) {
      // Deno keeps about 400 bytes for each wait of a fiber until the fiber ends, so each run has a fiber of its own.
      for (let run = 0; run < runs; run++) yield* Fiber.join(yield* Effect.forkChild(effect))
      const after = yield* heapInUse
      growth = (after - before) / runs
      before = after
    }
    return growth
  })
