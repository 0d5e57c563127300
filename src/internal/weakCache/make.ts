/**
 * Checks the options of the `WeakCache` constructors and creates the cache.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { format } from "effect/Formatter"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import { Heap } from "../../Heap.ts"
import type { Options } from "../../WeakCache.ts"
import type { Load } from "./entry.ts"
import * as Invalidations from "./invalidations.ts"
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
  options: Options<Key, A, any, any>
): Effect.Effect<any, any, any> =>
  Effect.contextWith((fiberContext: Context.Context<any>) => {
    const context = inTurns(fiberContext)
    const idleTimeToLive = checkOptions(lookup, options)
    const { capacity, compare, invalidations, maxWeight, name, onRemoval, weigh } = options
    const scope = Context.get(context, Scope.Scope)
    const isBounded = maxWeight !== undefined || options.idleTimeToLive !== undefined
    const heap = Context.get(context, Heap)
    const metrics = name === undefined ? undefined : Metrics.make(name, context)
    const cache = new WeakCacheImpl<Key, A, E>({
      heap,
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
const inTurns = (context: Context.Context<any>): Context.Context<any> =>
  Context.get(context, Scheduler.Scheduler).executionMode === "sync"
    ? Context.omit(Scheduler.Scheduler)(context)
    : context

/** Throws if an option is invalid. Returns the idle time to live in milliseconds. */
const checkOptions = <Key, A extends WeakKey>(lookup: unknown, options: Options<Key, A, any, any>): number => {
  const { capacity, compare, idleTimeToLive, invalidations, maxWeight, name, onRemoval, weigh } = options
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
  return idleTimeToLive === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(idleTimeToLive))
}
