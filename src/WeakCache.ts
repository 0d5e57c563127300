/**
 * A cache that never forgets a value that somebody still uses, and keeps alive by
 * itself only as much as you allow.
 *
 * A `WeakCache` holds its values weakly, and the most recently used ones strongly
 * as well, up to a number, a weight and an idle time: the **strong front**. A value
 * that leaves the strong front stays in the cache for as long as the program uses
 * it elsewhere. So two parts of a program that hold the value of one key always hold
 * the same object, and the cache never loads a second copy beside a living one.
 *
 * The functions are those of Effect's `Cache`, with the same shapes and meanings. A
 * program moves from one to the other by changing the import and the options of
 * {@link make}.
 *
 * Costs are given in n, the number of entries, and count a hash of the key as
 * constant. An operation that dereferences keeps the values that it reads alive to
 * the end of the turn.
 *
 * @stability unstable
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { format } from "effect/Formatter"
import { dual } from "effect/Function"
import type { Inspectable } from "effect/Inspectable"
import * as Iterable_ from "effect/Iterable"
import type * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import type { Predicate } from "effect/Predicate"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Invariant } from "effect/Types"
import { guard } from "./internal/guard.ts"
import type { Load } from "./internal/weakCache/entry.ts"
import * as Make from "./internal/weakCache/make.ts"
import { WeakCacheImpl } from "./internal/weakCache/weakCache.ts"

const TypeId = "~effect-weakref/WeakCache"

/**
 * A cache from keys to objects, with a lookup that fails with `E` and needs `R`.
 *
 * **When to use**
 *
 * Use for values that are large or that have an identity: parsed documents, open
 * handles, entities. Use Effect's `Cache` for values that are small or that are not
 * objects, and for a cache that must forget a value that is still in use.
 *
 * **Details**
 *
 * Two caches are `Equal` if they are the same object.
 *
 * **Gotchas**
 *
 * The cache holds its keys. A key that reaches its own value keeps the value alive.
 *
 * **Example** (Sharing a value for as long as it is used)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   let loads = 0
 *   const documents = yield* WeakCache.make({
 *     lookup: (name: string) => Effect.sync(() => ({ name, version: ++loads }))
 *   })
 *
 *   const first = yield* WeakCache.get(documents, "design")
 *   const second = yield* WeakCache.get(documents, "design")
 *   const shared = first === second
 *
 *   // Nobody uses the document any more.
 *   yield* TestHeap.collectAndFinalize(first)
 *   const third = yield* WeakCache.get(documents, "design")
 *   return [shared, third.version]
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program) // => [true, 2]
 * ```
 *
 * @see {@link make} to create a cache
 * @see {@link makeScoped} for resources that must be closed
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface WeakCache<in out Key, in out A extends WeakKey, in out E = never, in out R = never>
  extends Pipeable, Inspectable
{
  readonly [TypeId]: {
    readonly _Key: Invariant<Key>
    readonly _A: Invariant<A>
    readonly _E: Invariant<E>
    readonly _R: Invariant<R>
  }
}

/**
 * Why a value left the cache.
 *
 * **Details**
 *
 * - `"collected"`: the garbage collector took the value. The cause is reported by the
 *   heap's clean-up, and only if the key has no new entry by then.
 * - `"expired"`: its `timeToLive` was over.
 * - `"replaced"`: `set` or `refresh` put another result in its place.
 * - `"invalidated"`: `invalidate`, `invalidateWhen`, `invalidateAll`, or a key from `invalidations`.
 *
 * Leaving the strong front is not a removal, and neither is closing the cache.
 *
 * @see {@link Options} for `onRemoval`, which receives the cause
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type RemovalCause = "collected" | "expired" | "replaced" | "invalidated"

/**
 * What {@link stats} returns: counts since the cache was made, and two sizes.
 *
 * @see {@link stats} to read them
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Stats {
  /** Gets that a finished lookup answered, cached failures included. */
  readonly hits: number
  /** Gets that started a lookup or waited for one, and reads that found nothing. */
  readonly misses: number
  /** Lookups that succeeded. */
  readonly loads: number
  /** Lookups that failed. An interrupted lookup counts neither as a load nor as a failure. */
  readonly failures: number
  /** Values that the garbage collector took. */
  readonly collected: number
  /** Values whose time to live was over. */
  readonly expired: number
  /** Entries that left the strong front because of its bounds, idle time included. */
  readonly evicted: number
  /** Values that are not known to be collected. */
  readonly alive: number
  /** Entries in the strong front, cached failures included. */
  readonly strong: number
}

/**
 * The options that all constructors take.
 *
 * **Details**
 *
 * If none of `capacity`, `maxWeight` and `idleTimeToLive` is given, the cache keeps
 * nothing alive by itself. If only `maxWeight` or `idleTimeToLive` is given, the number
 * of values that the cache keeps alive has no bound of its own.
 *
 * Constructors die with a `RangeError` or `TypeError` that names the option if an
 * option makes no sense.
 *
 * @see {@link make} for a fixed time to live
 * @see {@link makeWith} for a time to live that depends on the result
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options<Key, A extends WeakKey> {
  /** How many entries the cache keeps alive, most recently used first: an integer, or `Infinity`. */
  readonly capacity?: number | undefined
  /**
   * How much the values that the cache keeps alive may weigh together. A value that is
   * heavier alone is cached weakly, and evicts nothing. Needs `weigh`. A cached failure weighs 1.
   */
  readonly maxWeight?: number | undefined
  /**
   * Called once for every value that is stored. If `weigh` throws, or returns `NaN` or a negative
   * number, nothing is stored, and `get`, `refresh` or `set` dies with that error.
   */
  readonly weigh?: ((value: NoInfer<A>, key: NoInfer<Key>) => number) | undefined
  /** How long the cache keeps an unused value alive. Afterwards the value is cached weakly. */
  readonly idleTimeToLive?: Duration.Input | undefined
  /** How keys compare: by `Equal.equals` (`"structural"`, the default) or by identity (`"reference"`). */
  readonly compare?: "structural" | "reference" | undefined
  /**
   * Runs in the background after a value has left the cache. The effects run one after the other, in
   * the order of the removals. A failure is reported and harmless. Closing the cache waits for them.
   */
  readonly onRemoval?: ((key: NoInfer<Key>, cause: RemovalCause) => Effect.Effect<void>) | undefined
  /**
   * Keys to invalidate, for example from Redis pub/sub. If the stream fails, the failure is reported, the
   * whole cache is invalidated, because keys may have been missed, and the stream is run again after a
   * delay that doubles from 100 milliseconds up to 10 seconds. A stream that ends is not run again.
   */
  readonly invalidations?: Stream.Stream<NoInfer<Key>, unknown> | undefined
  /**
   * Publishes metrics under this name: `<name>_hits`, `_misses`, `_loads`, `_failures`, `_collected`, `_expired`,
   * `_evicted`, `_alive`, `_strong` and `_load_time`. Two caches need two names.
   */
  readonly name?: string | undefined
}

// The public interface hides the implementation, which every cache is.
const impl = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): WeakCacheImpl<Key, A, E> =>
  self as unknown as WeakCacheImpl<Key, A, E>

/**
 * Checks whether a value is a `WeakCache`.
 *
 * **Details**
 *
 * Returns `false` for a cache of another copy of this package, whose functions would
 * not work with it.
 *
 * **Example** (Telling caches from other values)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const cache = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }) })
 *   return [WeakCache.isWeakCache(cache), WeakCache.isWeakCache(new Map())]
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => [true, false]
 * ```
 *
 * @see {@link make} to create a cache
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isWeakCache = (u: unknown): u is WeakCache<unknown, WeakKey, unknown, unknown> =>
  guard(() => u instanceof WeakCacheImpl)

/**
 * Creates a cache whose values all have the same time to live.
 *
 * **Details**
 *
 * The lookup runs in a fiber of its own. Concurrent gets of a missing key share
 * one lookup. Interrupting one of them leaves the others waiting, and interrupting
 * the last one interrupts the lookup.
 *
 * A lookup that fails is cached like a value, but in the strong front only: without
 * a strong front, failures are not cached.
 *
 * A value past its `timeToLive` is not served, even if it is alive. One timer for the
 * whole cache releases what expires at that time, touched or not. The timer and all
 * expiry use the `Clock` of the fiber that creates the cache.
 *
 * Closing the Scope interrupts the lookups, stops the timer and clears the cache.
 * After that, every operation on the cache interrupts.
 *
 * As in `Cache`, `requireServicesAt: "lookup"` takes the services of the lookup from each
 * `get` instead of from `make`.
 *
 * **Gotchas**
 *
 * Inside the lookup of a key, getting the same key waits for itself. The cache detects
 * this if the fiber of the lookup waits, even through other keys, and dies. It cannot
 * detect a wait in a child fiber.
 *
 * **Example** (Keeping the most recently used values alive)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({
 *     lookup: (id: number) => Effect.succeed({ id, name: `user ${id}` }),
 *     capacity: 2,
 *     timeToLive: "10 minutes"
 *   })
 *   for (const id of [1, 2, 3]) yield* WeakCache.get(users, id)
 *   const { loads, strong } = yield* WeakCache.stats(users)
 *   return { loads, strong }
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => { loads: 3, strong: 2 }
 * ```
 *
 * @see {@link makeWith} for a time to live that depends on the result
 * @see {@link makeScoped} for resources that must be closed
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  Key,
  A extends WeakKey,
  E = never,
  R = never,
  ServiceMode extends "lookup" | "construction" = never
>(
  options: Options<Key, A> & {
    readonly lookup: (key: Key) => Effect.Effect<A, E, R>
    readonly timeToLive?: Duration.Input | undefined
    readonly requireServicesAt?: ServiceMode | undefined
  }
): Effect.Effect<
  WeakCache<Key, A, E, "lookup" extends ServiceMode ? R : never>,
  never,
  ("lookup" extends ServiceMode ? never : R) | Scope.Scope
> => {
  const { lookup, timeToLive, ...others } = options
  return makeWith<Key, A, E, R, ServiceMode>(lookup, {
    ...others,
    timeToLive: timeToLive === undefined ? undefined : Make.always(timeToLive)
  })
}

/**
 * Creates a cache whose time to live depends on the result of the lookup and on the key.
 *
 * **When to use**
 *
 * Use to cache failures for a shorter time than values, or some values longer than others.
 *
 * **Details**
 *
 * `timeToLive` is called once for every result, including failures. A result whose time
 * to live is zero is returned, but not cached. If `timeToLive` throws, the `get` dies with
 * that error, and nothing is cached.
 *
 * **Example** (Caching failures for a shorter time)
 *
 * ```ts import.meta.vitest
 * import { Effect, Exit } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const pages = yield* WeakCache.makeWith(
 *     (path: string) => path === "/missing" ? Effect.fail("NotFound") : Effect.succeed({ path }),
 *     {
 *       capacity: 100,
 *       timeToLive: (exit) => Exit.isSuccess(exit) ? "1 hour" : "1 second"
 *     }
 *   )
 *   return yield* Effect.flip(WeakCache.get(pages, "/missing"))
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => "NotFound"
 * ```
 *
 * @see {@link make} for a fixed time to live
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const makeWith = <
  Key,
  A extends WeakKey,
  E = never,
  R = never,
  ServiceMode extends "lookup" | "construction" = never
>(
  lookup: (key: Key) => Effect.Effect<A, E, R>,
  options: Options<Key, A> & {
    readonly timeToLive?: ((exit: Exit.Exit<A, E>, key: Key) => Duration.Input) | undefined
    readonly requireServicesAt?: ServiceMode | undefined
  }
): Effect.Effect<
  WeakCache<Key, A, E, "lookup" extends ServiceMode ? R : never>,
  never,
  ("lookup" extends ServiceMode ? never : R) | Scope.Scope
> => Make.make(lookup, options.timeToLive, options)

/**
 * Creates a cache of resources. The Scope of a resource closes when the handle of the
 * resource has been collected, has expired, or is invalidated, or when the cache closes.
 *
 * **When to use**
 *
 * Use for resources that several parts of a program share, and that should stay open
 * exactly as long as somebody uses them: connections, file handles, subscriptions. Use
 * `ScopedCache` if a resource must close when it is evicted, even in use. Use `RcMap` if
 * the users can bring a Scope and the release must not wait for the garbage collector.
 *
 * **Details**
 *
 * The lookup acquires a resource in a Scope of its own, and `handle` wraps the resource in
 * an object, which is the value of the cache. The handle refers to the resource; the resource
 * must not refer to the handle.
 *
 * The Scope closes exactly once. Invalidating waits until it is closed. A handle that was
 * replaced by `set` or `refresh`, or whose time to live was zero, keeps its resource open
 * until it is collected. Closing the cache closes all resources.
 *
 * **Gotchas**
 *
 * The handle cannot be the resource itself. The finalizers of a Scope hold the resource, as in
 * `Effect.acquireRelease(acquire, (resource) => …)`, and the cache holds the Scope. A resource
 * that is its own handle is therefore never collected, and its Scope closes only by invalidation, by
 * time, or with the cache.
 *
 * The garbage collector may be late. Bound the number of open resources by `timeToLive` or by a
 * limit of the resource if that matters.
 *
 * **Example** (Closing a resource when nobody uses its handle)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const closed: Array<string> = []
 * const open = (name: string) =>
 *   Effect.acquireRelease(
 *     Effect.succeed({ name }),
 *     (file) => Effect.sync(() => closed.push(file.name))
 *   )
 *
 * const program = Effect.gen(function*() {
 *   const files = yield* WeakCache.makeScoped({
 *     lookup: open,
 *     handle: (file) => ({ read: () => `contents of ${file.name}` })
 *   })
 *   const handle = yield* WeakCache.get(files, "a.txt")
 *   const contents = handle.read()
 *   yield* TestHeap.collectAndFinalize(handle)
 *   return contents
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program) // => "contents of a.txt"
 * closed // => ["a.txt"]
 * ```
 *
 * @see {@link make} for values that need no closing
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const makeScoped = <
  Key,
  Res,
  A extends WeakKey,
  E = never,
  R = never,
  ServiceMode extends "lookup" | "construction" = never
>(
  options: Options<Key, A> & {
    readonly lookup: (key: Key) => Effect.Effect<Res, E, R>
    readonly handle: (resource: Res) => A
    readonly timeToLive?: Duration.Input | ((exit: Exit.Exit<A, E>, key: Key) => Duration.Input) | undefined
    readonly requireServicesAt?: ServiceMode | undefined
  }
): Effect.Effect<
  WeakCache<Key, A, E, "lookup" extends ServiceMode ? Exclude<R, Scope.Scope> : never>,
  never,
  ("lookup" extends ServiceMode ? never : Exclude<R, Scope.Scope>) | Scope.Scope
> => {
  const { handle, lookup, timeToLive } = options
  const acquire = (key: Key, load: Load<Key, A, E>) => {
    const acquired = lookup(key)
    const scope = load.scope = Scope.makeUnsafe()
    return Effect.map(Scope.provide(acquired, scope), handle)
  }
  return Effect.suspend(() => {
    if (typeof handle !== "function") throw new TypeError(`handle must be a function, got ${format(handle)}`)
    return Make.make(
      acquire,
      timeToLive === undefined || typeof timeToLive === "function" ? timeToLive : Make.always(timeToLive),
      options
    )
  })
}

/**
 * Returns the value of a key, and runs the lookup if the cache has no living, fresh value.
 *
 * **Details**
 *
 * Marks the value as the most recently used. A value that had left the strong front enters
 * it again. Fails as the lookup failed, for as long as the failure is cached. Dies with
 * `NotWeakReferenceableError` if the lookup returns a value that cannot be weakly
 * referenced. O(1). Dereferences if the value is not in the strong front.
 *
 * **Example** (Getting a value)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }) })
 *   const one = yield* WeakCache.get(users, 1)
 *   const again = yield* users.pipe(WeakCache.get(1))
 *   return one === again
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => true
 * ```
 *
 * @see {@link getOption} to read without starting a lookup
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const get: {
  <Key1 extends Key, Key = Key1>(
    key: Key1
  ): <A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<A, E, R>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<A, E, R>
} = dual(
  2,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<A, E, R> => impl(self).get(key)
)

/**
 * Returns the value of a key if the cache has an entry, and waits for a lookup that runs.
 * Never starts a lookup.
 *
 * **Details**
 *
 * Returns `None` if there is no entry. Fails if the lookup failed. Marks the value as
 * the most recently used. O(1). Dereferences.
 *
 * **Example** (Reading without a lookup)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }) })
 *   return yield* WeakCache.getOption(users, 1)
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => Option.none()
 * ```
 *
 * @see {@link getSuccess} to read without waiting
 * @see {@link get} to run the lookup
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const getOption: {
  <Key1 extends Key, Key = Key1>(
    key: Key1
  ): <A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<Option.Option<A>, E>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<Option.Option<A>, E>
} = dual(
  2,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<Option.Option<A>, E> =>
    impl(self).getOption(key)
)

/**
 * Returns the value of a key if its lookup has succeeded. Never starts a lookup, never
 * waits and never fails.
 *
 * **Details**
 *
 * Returns `None` for a lookup that runs or failed. Marks the value as the most recently
 * used. O(1). Dereferences.
 *
 * **Example** (Reading without waiting)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }) })
 *   const user = yield* WeakCache.get(users, 1)
 *   const cached = yield* WeakCache.getSuccess(users, 1)
 *   return Option.contains(cached, user)
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => true
 * ```
 *
 * @see {@link getOption} to wait for a lookup that runs
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const getSuccess: {
  <Key1 extends Key, Key = Key1>(
    key: Key1
  ): <A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<Option.Option<A>>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<Option.Option<A>>
} = dual(
  2,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<Option.Option<A>> =>
    impl(self).getSuccess(key)
)

/**
 * Stores a value under a key, without a lookup.
 *
 * **Details**
 *
 * Replaces the value that the key has. Fibers that wait for a running lookup of the key
 * still receive the result of the lookup, which is not stored. Dies with
 * `NotWeakReferenceableError` if the value cannot be weakly referenced, and then changes
 * nothing. O(1), and O(log n) if values expire.
 *
 * **Example** (Storing a value)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id, name: "" }) })
 *   const ada = { id: 1, name: "Ada" }
 *   yield* WeakCache.set(users, 1, ada)
 *   return (yield* WeakCache.get(users, 1)) === ada
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => true
 * ```
 *
 * @see {@link refresh} to replace a value by running the lookup
 *
 * @stability unstable
 * @category mutations
 * @since 0.1.0
 */
export const set: {
  <Key1 extends Key, A1 extends A, Key = Key1, A extends WeakKey = A1>(
    key: Key1,
    value: A1
  ): <E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<void>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key, value: A): Effect.Effect<void>
} = dual(
  3,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key, value: A): Effect.Effect<void> =>
    impl(self).set(key, value)
)

/**
 * Checks whether the cache has an entry for a key: a living, fresh value, a cached failure,
 * or a lookup that runs.
 *
 * **Details**
 *
 * Does not mark the value as used. O(1). Dereferences if the value is not in the strong front.
 *
 * **Example** (Checking for an entry)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   yield* WeakCache.get(users, 1)
 *   return [yield* WeakCache.has(users, 1), yield* WeakCache.has(users, 2)]
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => [true, false]
 * ```
 *
 * @see {@link getSuccess} to read the value as well
 *
 * @stability unstable
 * @category predicates
 * @since 0.1.0
 */
export const has: {
  <Key1 extends Key, Key = Key1>(
    key: Key1
  ): <A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<boolean>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<boolean>
} = dual(
  2,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<boolean> => impl(self).has(key)
)

/**
 * Runs the lookup of a key, replaces what the key has by the result, and returns the result.
 *
 * **Details**
 *
 * The old value is served until the lookup is over. As in `Cache`, a lookup that fails replaces the
 * old value by the failure, and the last of several refreshes to end is stored. Interrupting the
 * refresh keeps the old value. A result whose key was invalidated meanwhile is returned, but not
 * stored, because it may be out of date.
 *
 * **Example** (Loading a new version)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   let version = 0
 *   const pages = yield* WeakCache.make({
 *     lookup: (path: string) => Effect.sync(() => ({ path, version: ++version })),
 *     capacity: 10
 *   })
 *   yield* WeakCache.get(pages, "/")
 *   yield* WeakCache.refresh(pages, "/")
 *   return (yield* WeakCache.get(pages, "/")).version
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => 2
 * ```
 *
 * @see {@link invalidate} to load again only when the key is next used
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const refresh: {
  <Key1 extends Key, Key = Key1>(
    key: Key1
  ): <A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<A, E, R>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<A, E, R>
} = dual(
  2,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<A, E, R> =>
    impl(self).refresh(key)
)

/**
 * Removes the entry of a key: the next `get` runs the lookup.
 *
 * **Details**
 *
 * Does nothing if there is no entry. Fibers that wait for a running lookup of the key still receive its result,
 * which is not stored. In a cache of {@link makeScoped}, waits until the resource is closed. O(1), and
 * O(log n) if values expire.
 *
 * **Example** (Removing an entry)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   const before = yield* WeakCache.get(users, 1)
 *   yield* WeakCache.invalidate(users, 1)
 *   return before === (yield* WeakCache.get(users, 1))
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => false
 * ```
 *
 * @see {@link invalidateWhen} to decide by the value
 * @see {@link invalidateAll} to remove all entries
 *
 * @stability unstable
 * @category mutations
 * @since 0.1.0
 */
export const invalidate: {
  <Key1 extends Key, Key = Key1>(
    key: Key1
  ): <A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<void>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<void>
} = dual(
  2,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<void> =>
    impl(self).invalidate(key)
)

/**
 * Removes the entry of a key if its value satisfies a predicate, and returns whether it was removed.
 *
 * **Details**
 *
 * Waits for a lookup that runs. Returns `false` if there is no entry, if the lookup failed, if the predicate
 * throws, or if the entry was replaced meanwhile. Does not mark the value as used.
 *
 * **Example** (Removing an old version)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const pages = yield* WeakCache.make({
 *     lookup: (path: string) => Effect.succeed({ path, version: 1 }),
 *     capacity: 10
 *   })
 *   yield* WeakCache.get(pages, "/")
 *   return yield* WeakCache.invalidateWhen(pages, "/", (page) => page.version < 2)
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => true
 * ```
 *
 * @see {@link invalidate} to remove an entry in any case
 *
 * @stability unstable
 * @category mutations
 * @since 0.1.0
 */
export const invalidateWhen: {
  <Key1 extends Key, A extends WeakKey, Key = Key1>(
    key: Key1,
    f: Predicate<A>
  ): <E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<boolean>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key, f: Predicate<A>): Effect.Effect<boolean>
} = dual(
  3,
  <Key, A extends WeakKey, E, R>(
    self: WeakCache<Key, A, E, R>,
    key: Key,
    f: Predicate<A>
  ): Effect.Effect<boolean> => impl(self).invalidateWhen(key, f)
)

/**
 * Removes all entries, running lookups included.
 *
 * **Details**
 *
 * In a cache of {@link makeScoped}, closes all resources of these entries at the same time, and waits for them. O(n).
 *
 * **Example** (Removing all entries)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   yield* WeakCache.get(users, 1)
 *   yield* WeakCache.invalidateAll(users)
 *   return yield* WeakCache.size(users)
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => 0
 * ```
 *
 * @see {@link trim} to stop keeping values alive without removing them
 *
 * @stability unstable
 * @category mutations
 * @since 0.1.0
 */
export const invalidateAll = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<void> =>
  impl(self).invalidateAll

/**
 * Returns the number of entries, including running lookups, cached failures, and values that are
 * collected but not yet cleaned up. O(1). Does not dereference.
 *
 * **Example** (Counting entries)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   yield* WeakCache.get(users, 1)
 *   return yield* WeakCache.size(users)
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => 1
 * ```
 *
 * @see {@link stats} for the number of living values
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const size = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<number> =>
  Effect.sync(() => impl(self).size())

/**
 * Returns the keys of the entries that {@link has} would find, in insertion order.
 *
 * **Details**
 *
 * The iterable reads the cache as it is iterated, and tolerates insertion and removal meanwhile.
 * O(n) for all. Each step dereferences.
 *
 * **Example** (Listing the keys)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   yield* WeakCache.get(users, 1)
 *   yield* WeakCache.get(users, 2)
 *   return Array.from(yield* WeakCache.keys(users))
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => [1, 2]
 * ```
 *
 * @see {@link entries} for keys and values
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const keys = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<Iterable<Key>> =>
  Effect.sync(() => impl(self).keys())

/**
 * Returns the living, fresh values, in insertion order of their keys.
 *
 * **Details**
 *
 * Running lookups and cached failures have no value. The iterable reads the cache as {@link keys} does.
 *
 * **Example** (Listing the values)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   yield* WeakCache.get(users, 1)
 *   return Array.from(yield* WeakCache.values(users), (user) => user.id)
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => [1]
 * ```
 *
 * @see {@link entries} for keys and values
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const values = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<Iterable<A>> =>
  Effect.map(entries(self), Iterable_.map(([, value]) => value))

/**
 * Returns the living, fresh values with their keys, in insertion order.
 *
 * **Details**
 *
 * Running lookups and cached failures have no value. The iterable reads the cache as {@link keys} does.
 *
 * **Example** (Listing the entries)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   yield* WeakCache.get(users, 1)
 *   return Array.from(yield* WeakCache.entries(users))
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => [[1, { id: 1 }]]
 * ```
 *
 * @see {@link keys} for the keys, including those without a value
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const entries = <Key, A extends WeakKey, E, R>(
  self: WeakCache<Key, A, E, R>
): Effect.Effect<Iterable<[Key, A]>> => Effect.sync(() => impl(self).pairs())

/**
 * Sets the number of entries that the cache keeps alive from now on, and evicts the least recently
 * used entries above that number.
 *
 * **When to use**
 *
 * Use when memory is short: `trim(cache, 0)` lets go of every value that nobody else uses. Call it again with the
 * old capacity when there is room.
 *
 * **Details**
 *
 * Removes no value: a value that is still used elsewhere is still served. Cached failures that are evicted are gone.
 * Dies with a `RangeError` if the capacity is not an integer, is negative, or is `NaN`. O(number of evicted entries).
 *
 * **Example** (Letting go of unused values)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   yield* WeakCache.get(users, 1)
 *   yield* WeakCache.trim(users, 0)
 *   return (yield* WeakCache.stats(users)).strong
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => 0
 * ```
 *
 * @see {@link invalidateAll} to remove all entries
 *
 * @stability unstable
 * @category mutations
 * @since 0.1.0
 */
export const trim: {
  (capacity: number): <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<void>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, capacity: number): Effect.Effect<void>
} = dual(
  2,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, capacity: number): Effect.Effect<void> =>
    impl(self).trim(capacity)
)

/**
 * Returns counts of what the cache has done, and its sizes. O(1). Does not dereference.
 *
 * **Details**
 *
 * Works on a closed cache as well, whose sizes are 0.
 *
 * **Example** (Reading the hit rate)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   for (const id of [1, 1, 1, 2]) yield* WeakCache.get(users, id)
 *   const { hits, misses } = yield* WeakCache.stats(users)
 *   return hits / (hits + misses)
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => 0.5
 * ```
 *
 * @see {@link Options} for `name`, which publishes the same numbers as metrics
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const stats = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<Stats> =>
  Effect.sync(() => impl(self).stats())
