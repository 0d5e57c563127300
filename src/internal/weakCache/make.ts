/**
 * Checks the options of the `WeakCache` constructors and creates the cache.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { format } from "effect/Formatter"
import * as Scope from "effect/Scope"
import { Heap } from "../../Heap.ts"
import type { Options } from "../../WeakCache.ts"
import { isSynchronous, withSchedulerOf } from "../effectInternals.ts"
import * as Invalidations from "./invalidations.ts"
import type { LookupFunction } from "./lookups.ts"
import * as Metrics from "./metrics.ts"
import { checkCapacity, WeakCacheImpl } from "./weakCache.ts"

/** Returns a function that always returns the same duration. Throws if the duration is invalid. */
export const always = (input: Duration.Input) => {
  const duration = Duration.fromInputUnsafe(input)
  return () => duration
}

/**
 * `RCache` are the services that the operations of the cache require, and `RMake` those that creating it requires.
 * The public constructors decide which of them are the services of the lookup.
 */
export const make = <Key, A extends WeakKey, E, RCache, RMake, IE, IR>(
  lookup: LookupFunction<Key, A, E>,
  timeToLive: ((exit: Exit.Exit<A, E>, key: Key) => Duration.Input) | undefined,
  options: Options<Key, A, IE, IR> & {
    readonly requireServicesAt?: "lookup" | "construction" | undefined
  }
): Effect.Effect<WeakCacheImpl<Key, A, E, RCache>, IE, RMake | Exclude<IR, Scope.Scope> | Scope.Scope> =>
  Effect.contextWith((fiberContext: Context.Context<RMake | Scope.Scope>) => {
    const context = inTurns(fiberContext)
    checkOptions<Key, A, IE, IR>(lookup.run, options)
    const { capacity, compare, invalidations, maxWeight, name, onRemoval, requireServicesAt, weigh } = options
    const idleTimeToLive = millisOf(options.idleTimeToLive)
    const refreshAfter = millisOf(options.refreshAfter)
    const scope = Context.get(context, Scope.Scope)
    const isBounded = maxWeight !== undefined || options.idleTimeToLive !== undefined
    const heap = Context.get(context, Heap)
    const metrics = name === undefined ? undefined : Metrics.make(name, context)
    const cache = new WeakCacheImpl<Key, A, E, RCache>({
      heap,
      clock: Context.get(context, Clock.Clock),
      context,
      lookup,
      requiresServices: requireServicesAt === "lookup",
      timeToLive,
      capacity: capacity ?? (isBounded ? Infinity : 0),
      maxWeight: maxWeight ?? Infinity,
      weigh,
      idleTimeToLive,
      refreshAfter,
      compare,
      onRemoval,
      onLoad: metrics?.recordLoad
    })
    const create = (subscription: Invalidations.Subscription<Key> | undefined) =>
      Effect.suspend(() => {
        metrics?.publish(heap, cache)
        const following = subscription && Invalidations.start(
          heap,
          cache,
          invalidations!,
          subscription,
          Context.omit(Scope.Scope)(context)
        )
        const close = (exit: Exit.Exit<unknown, unknown>) =>
          Effect.suspend(() => {
            metrics?.remove()
            const closing = cache.close(exit)
            return following === undefined ? closing : following.stop(closing)
          })
        return Effect.as(Scope.addFinalizerExit(scope, close), cache)
      })
    return invalidations === undefined
      ? create(undefined)
      : Effect.uninterruptibleMask((restore) => Effect.flatMap(Invalidations.subscribe(invalidations, restore), create))
  })

/** Removes the scheduler of `Effect.runSync`, because fibers that yield to it never let the event loop run. */
const inTurns = <R>(context: Context.Context<R>): Context.Context<R> =>
  isSynchronous(context) ? withSchedulerOf(context, Context.empty()) : context

/** Throws if the duration is invalid. */
const millisOf = (input: Duration.Input | undefined): number =>
  input === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(input))

/** Throws if an option is invalid. Programs without types may give a function `weigh` without `maxWeight`. */
const checkOptions = <Key, A extends WeakKey, IE, IR>(
  lookup: unknown,
  options: Options<Key, A, IE, IR>
): void => {
  const { capacity, compare, invalidations, maxWeight, name, onRemoval, weigh } = options
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
  Invalidations.check(invalidations)
}
