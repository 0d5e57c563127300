/**
 * Is this value collectable on the real heap?
 *
 * A `TestHeap` says what happens when a value is collected; it cannot say whether
 * the program lets go of it. This module can: it forces collections of the host's
 * heap until the value is gone, and fails when it stays.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { collectGarbage } from "../Heap.ts"
import { host } from "../internal/heap.ts"

/**
 * The value was still reachable after all rounds of collection, or the host
 * offers no way to ask for one.
 *
 * @category errors
 * @since 0.1.0
 */
export class LeakError extends Data.TaggedError("LeakError")<{
  /** How many collections were made in vain; 0 where the host makes none. */
  readonly rounds: number
}> {
  override get message(): string {
    return this.rounds === 0
      ? "This host offers no way to ask for a collection: run it with --expose-gc"
      : `The value is still reachable after ${this.rounds} collections: look for closures, caches, listeners and suspended fibers that hold it`
  }
}

/**
 * Runs an effect that makes an object and lets go of it, and succeeds when the
 * object has been collected; fails with `LeakError` when it stays.
 *
 * **When to use**
 *
 * Use in a test, to show that what is done with an object does not keep it: that
 * a cache is weak, that a listener is removed, that a finalizer does not capture
 * its target.
 *
 * **Details**
 *
 * The effect runs once, and its result is held weakly as soon as it is there. Then
 * the host is asked for full collections, at most twenty, each in a turn of its
 * own. What the effect's Scope holds counts as held while that Scope is open.
 * Cost: twenty full collections where there is a leak.
 *
 * **Gotchas**
 *
 * What the effect's own closures hold stays for as long as the effect is held: an
 * object made outside of it, and only returned by it, is a leak of the test. The
 * locals of a generator that is still suspended are held too.
 *
 * **Example** (A weak map lets go)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 * import { LeakDetector } from "effect-weakref/testing"
 *
 * const strong = new Map<string, object>()
 * const weak = WeakValueMap.makeUnsafe<string, object>()
 *
 * const cachedIn = (set: (key: string, value: object) => void) =>
 *   Effect.sync(() => {
 *     const value = {}
 *     set("key", value)
 *     return value
 *   })
 *
 * const held = LeakDetector.expectCollected(cachedIn((key, value) => strong.set(key, value)))
 * const error = await Effect.runPromise(Effect.flip(held))
 * error._tag // => "LeakError"
 *
 * await Effect.runPromise(LeakDetector.expectCollected(cachedIn((key, value) => WeakValueMap.set(weak, key, value))))
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const expectCollected = <A extends object, E, R>(
  make: Effect.Effect<A, E, R>
): Effect.Effect<void, LeakError | E, R> => Effect.flatMap(Effect.map(make, weaken), (ref) => awaitCollection(ref, 1))

const weaken = <A extends object>(value: A): WeakRef<A> => new host.WeakRef(value)

const maxRounds = 20

const awaitCollection = (ref: WeakRef<object>, round: number): Effect.Effect<void, LeakError> =>
  Effect.flatMap(collectGarbage, (collected) => {
    if (!collected) return Effect.fail(new LeakError({ rounds: 0 }))
    if (ref.deref() === undefined) return Effect.void
    if (round === maxRounds) return Effect.fail(new LeakError({ rounds: round }))
    return awaitCollection(ref, round + 1)
  })
