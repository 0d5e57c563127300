/**
 * Checks the options of the `WeakCache` constructors and creates the cache.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { format } from "effect/Formatter"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Heap } from "../../Heap.ts"
import type { Options } from "../../WeakCache.ts"
import type { Load } from "./entry.ts"
import * as Metrics from "./metrics.ts"
import { checkCapacity, WeakCacheImpl } from "./weakCache.ts"

/** Returns a function that always returns the same duration. Throws if the duration is invalid. */
export const always = (input: Duration.Input) => {
  const duration = Duration.fromInputUnsafe(input)
  return () => duration
}

export const make = <Key, A extends WeakKey, E>(
  lookup: (key: Key, load: Load<Key, A, E>) => Effect.Effect<A, E, any>,
  timeToLive: ((exit: Exit.Exit<A, E>, key: Key) => Duration.Input) | undefined,
  options: Options<Key, A>
): Effect.Effect<any, never, any> =>
  Effect.contextWith((context: Context.Context<any>) => {
    const idleTimeToLive = checkOptions(lookup, options)
    const { capacity, compare, invalidations, maxWeight, name, onRemoval, weigh } = options
    const scope = Context.get(context, Scope.Scope)
    const isBounded = maxWeight !== undefined || options.idleTimeToLive !== undefined
    const cache = new WeakCacheImpl<Key, A, E>({
      heap: Context.get(context, Heap),
      clock: Context.get(context, Clock.Clock),
      context,
      lookup,
      timeToLive,
      capacity: capacity ?? (isBounded ? Infinity : 0),
      maxWeight: maxWeight ?? Infinity,
      weigh,
      idleTimeToLive,
      compare: compare ?? "structural",
      onRemoval,
      onLoad: name === undefined ? undefined : Metrics.loadTime(name, context)
    })
    const metrics = name === undefined ? undefined : Metrics.publish(name, context, () => cache.stats())
    const close = (exit: Exit.Exit<unknown, unknown>) =>
      Effect.suspend(() => {
        metrics?.remove()
        return cache.close(exit)
      })
    const closing = Scope.addFinalizerExit(scope, close)
    return Effect.as(
      invalidations === undefined
        ? closing
        : Effect.andThen(closing, Effect.forkIn(invalidating(cache, invalidations), scope)),
      cache
    )
  })

/** Throws if an option is invalid. Returns the idle time to live in milliseconds. */
const checkOptions = <Key, A extends WeakKey>(lookup: unknown, options: Options<Key, A>): number => {
  const { capacity, compare, idleTimeToLive, maxWeight, name, onRemoval, weigh } = options
  for (const [option, value] of Object.entries({ lookup, onRemoval, weigh })) {
    if (value !== undefined && typeof value !== "function") {
      throw new TypeError(`${option} must be a function, got ${format(value)}`)
    }
  }
  if (lookup === undefined) throw new TypeError("lookup must be a function, got undefined")
  if (capacity !== undefined) checkCapacity(capacity)
  if (maxWeight !== undefined && !(maxWeight >= 0)) {
    throw new RangeError(`maxWeight must be a non-negative number, got ${format(maxWeight)}`)
  }
  if ((maxWeight === undefined) !== (weigh === undefined)) {
    throw new TypeError("maxWeight and weigh must be given together")
  }
  if (compare !== undefined && compare !== "structural" && compare !== "reference") {
    throw new TypeError(`compare must be "structural" or "reference", got ${format(compare)}`)
  }
  if (name !== undefined && (typeof name !== "string" || name === "")) {
    throw new TypeError(`name must be a non-empty string, got ${format(name)}`)
  }
  return idleTimeToLive === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(idleTimeToLive))
}

/** Invalidates the keys of the stream. If the stream fails, runs the stream again after a delay. */
const invalidating = <Key, A extends WeakKey, E>(
  cache: WeakCacheImpl<Key, A, E>,
  keys: Stream.Stream<Key, unknown>,
  delay = firstDelay
): Effect.Effect<void> => {
  let next = delay
  return Stream.runForEach(keys, (key) => {
    next = firstDelay
    return cache.invalidate(key)
  }).pipe(
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.interrupt
        : Effect.logError("The invalidations stream of a WeakCache failed. All entries are removed", cause).pipe(
          Effect.andThen(cache.invalidateAll),
          Effect.andThen(Effect.sleep(next)),
          Effect.andThen(Effect.suspend(() => invalidating(cache, keys, Math.min(2 * next, lastDelay))))
        )
    )
  )
}

const firstDelay = 100
const lastDelay = 10_000
