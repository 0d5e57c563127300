/**
 * Caches objects weakly, so that a value stays in the cache while the program uses it.
 *
 * A `WeakCache` holds some values strongly, namely those that are most likely to be used
 * again, and all other values weakly. The strongly held values are the **strong front**,
 * which a capacity, a total weight and an idle time bound. A value that leaves the strong
 * front is **demoted**: it stays in the cache until it is collected. So a full front
 * never makes the cache load a second copy of a value that is still in use. Only expiry,
 * `set`, `refresh`, invalidation and closing the cache remove a live value.
 *
 * Most functions have the names, types and meanings of Effect's `Cache`, and
 * `docs/caching.md` of the package lists the differences.
 *
 * Costs assume that hashing a key takes constant time, and n is the number of entries. An
 * operation that dereferences keeps the values that it reads alive until the end of the
 * turn.
 *
 * @stability experimental
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
import { holdDuring } from "./internal/hold.ts"
import { refuse } from "./internal/refuse.ts"
import * as Make from "./internal/weakCache/make.ts"
import { WeakCacheImpl } from "./internal/weakCache/weakCache.ts"

const TypeId = "~effect-weakref/WeakCache"

/**
 * Represents a cache from keys to objects, which are held weakly unless they are in the
 * strong front.
 *
 * **When to use**
 *
 * Use for objects that are large or that have an identity, such as parsed documents, open
 * handles or entities. Use Effect's `Cache` for small values and primitives. Also use
 * `Cache` if the capacity must bound values that are still in use.
 *
 * **Details**
 *
 * The lookup of the cache fails with `E`, and the operations that run the lookup require
 * `R`. A cache is only `Equal` to itself.
 *
 * **Gotchas**
 *
 * The cache holds its keys strongly, so a key that refers to its own value keeps the
 * value alive.
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
 *   // The program no longer uses the document.
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
 * @category models
 * @stability experimental
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
 * Describes why a value left the cache, for the callback `onRemoval`.
 *
 * **When to use**
 *
 * Use in the callback `onRemoval` to tell why a value left, for example to count those
 * that expired.
 *
 * **Details**
 *
 * - `"collected"`: the garbage collector collected the value, which nobody used any more.
 * - `"expired"`: the `timeToLive` of the value ended before anything else removed it.
 * - `"replaced"`: `set` or `refresh` replaced the value by another result.
 * - `"invalidated"`: `invalidate`, `invalidateWhen`, `invalidateAll` or the
 *   `invalidations` stream removed the value.
 *
 * The heap's clean-up reports `"collected"`, unless an operation removes the dead value
 * earlier and reports this cause. The cause is not reported if the key has an entry
 * again.
 *
 * Some events report no cause: a value leaves the strong front, a cached failure is
 * removed, or the cache closes.
 *
 * @see {@link Options} for `onRemoval`, which receives the cause
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type RemovalCause = "collected" | "expired" | "replaced" | "invalidated"

/**
 * Describes the result of {@link stats}: counters since the cache was created, and three
 * sizes.
 *
 * **When to use**
 *
 * Use as the type of the counters that {@link stats} returns, for example in a report.
 *
 * **Details**
 *
 * Two sums hold at every moment, even after the cache has closed:
 *
 * - `hits + misses` is the number of reads by `get`, `getOption`, `getSuccess` and `use`.
 * - `sets + loads` is `size + collected + expired + replaced + invalidated + unstored`,
 *   because every value that came in is still there or has left for one of these reasons.
 *
 * Every lookup that has ended is counted once, in `loads`, `failures` or `interrupted`.
 *
 * @see {@link stats} to read them
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Stats {
  /** Reads that found a value or a cached failure. */
  readonly hits: number
  /** Reads that started a lookup, waited for a lookup, or found nothing. */
  readonly misses: number
  /** Values that `set` received. */
  readonly sets: number
  /** Lookups that succeeded. */
  readonly loads: number
  /** Lookups that failed or died, including a lookup whose value the cache refused. */
  readonly failures: number
  /** Lookups that were interrupted. */
  readonly interrupted: number
  /** Values that were collected. */
  readonly collected: number
  /** Values whose time to live ended. */
  readonly expired: number
  /** Values that `set` or `refresh` replaced, even if the new value was the same object. */
  readonly replaced: number
  /** Values that were invalidated, or that were in the cache when it closed. */
  readonly invalidated: number
  /** Values that were never stored, because the time to live was zero or something newer had happened to the key. */
  readonly unstored: number
  /** Entries that left the strong front because of a bound, the idle time or `trim`. */
  readonly demoted: number
  /** Values in the cache, including collected values that have not been cleaned up yet. */
  readonly size: number
  /** Entries in the strong front, including cached failures. */
  readonly strong: number
  /** The total weight of the strong front. Each entry weighs 1 if the cache has no `weigh`. */
  readonly weight: number
}

/**
 * Configures all constructors, except for the bound by weight.
 *
 * **When to use**
 *
 * Use as the type of options that several caches of a program share.
 *
 * @see {@link Options} for all options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface CommonOptions<Key, IE = never, IR = Scope.Scope> {
  /**
   * The maximum number of entries in the strong front: a non-negative integer, or
   * `Infinity`. Up to 16 entries, the front demotes the least recently used entry. A
   * larger front also counts uses, so that a scan or a long loop of keys that are rarely
   * read does not push out those that are read often (W-TinyLFU). There, a new entry can
   * leave before an old one.
   */
  readonly capacity?: number | undefined
  /** How long an unused entry stays in the strong front. After this time, the cache holds the value only weakly. */
  readonly idleTimeToLive?: Duration.Input | undefined
  /**
   * The age at which a value is refreshed. A `get` or `use` of an older value returns it
   * at once and starts the lookup in the background. The result replaces the value. If
   * the lookup fails, the failure is counted in {@link Stats}, the value stays, and the
   * next attempt starts after the same time. A value that nobody reads is not refreshed.
   */
  readonly refreshAfter?: Duration.Input | undefined
  /** Compares keys by `Equal.equals` (`"structural"`, the default) or by identity (`"reference"`). */
  readonly compare?: "structural" | "reference" | undefined
  /**
   * Runs in the background after a value has left the cache. The effects run one after
   * the other, in the order of the removals, but an effect delays the next one by at most
   * one second. A failure is logged and does not stop the next effect. Closing the cache
   * waits up to a second for these effects.
   */
  readonly onRemoval?: ((key: NoInfer<Key>, cause: RemovalCause) => Effect.Effect<void>) | undefined
  /**
   * Keys to invalidate, for example from Redis pub/sub. Give an effect that subscribes
   * and returns the stream: the constructor runs it before it returns the cache, so no
   * key is lost, and fails with its error. A plain stream subscribes some time after the
   * constructor has returned, so keys that are published before are lost.
   *
   * If the stream fails, dies or is interrupted, the cache logs this and subscribes
   * again. Then it removes all entries, because it may have missed keys. The delay before
   * each attempt doubles from 100 milliseconds up to 10 seconds, and a key resets it. A
   * stream that ends is logged and not run again. Invalidation does not wait for the
   * finalizers of resources, and logs a finalizer that fails.
   */
  readonly invalidations?:
    | Stream.Stream<NoInfer<Key>, unknown>
    | Effect.Effect<Stream.Stream<NoInfer<Key>, unknown>, IE, IR>
    | undefined
  /**
   * Publishes the numbers of {@link Stats} as the metrics `weak_cache_hits`,
   * `weak_cache_misses` and so on, and the duration of lookups as the timer
   * `weak_cache_load_time`, in milliseconds. Each has the attribute `cache` with this
   * name. The metrics of caches with one name are sums. They disappear when the last of
   * these caches is closed, or is collected without having been closed.
   */
  readonly name?: string | undefined
}

/**
 * Bounds the strong front by weight: both options, or none.
 *
 * **When to use**
 *
 * Use to bound the memory that the cache keeps alive, if the values differ in size.
 *
 * **Details**
 *
 * A value that is heavier than `maxWeight` is cached weakly, and demotes no other value,
 * whereas a cached failure weighs 1.
 *
 * @see {@link Options} for the other options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type Weights<Key, A extends WeakKey> =
  | { readonly maxWeight?: undefined; readonly weigh?: undefined }
  | {
    /** The maximum total weight of the strong front. */
    readonly maxWeight: number
    /**
     * Returns the weight of a value, and is called once for every value that a lookup
     * returns or `set` receives. If `weigh` throws, or returns `NaN` or a negative
     * number, the value is not stored, and `get`, `refresh` or `set` dies with the error
     * of `weigh`, or with a `RangeError`.
     */
    readonly weigh: (value: NoInfer<A>, key: NoInfer<Key>) => number
  }

/**
 * Configures all constructors of a cache, except for its time to live.
 *
 * **When to use**
 *
 * Use as the type of options that you pass on to a constructor.
 *
 * **Details**
 *
 * The default of `capacity` is 0, so the cache keeps no value alive. If `maxWeight` or
 * `idleTimeToLive` is given, the default is `Infinity`.
 *
 * Constructors die with a `RangeError` or `TypeError` that names an invalid option. An
 * invalid duration causes the error of Effect's `Duration` instead. If `timeToLive` is
 * invalid, `make` throws this error and does not return an effect.
 *
 * @see {@link make} for a fixed time to live
 * @see {@link makeWith} for a time to live that depends on the result
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type Options<Key, A extends WeakKey, IE = never, IR = Scope.Scope> =
  & CommonOptions<Key, IE, IR>
  & Weights<Key, A>

// Every cache is a `WeakCacheImpl`. The public interface hides that class.
const impl = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): WeakCacheImpl<Key, A, E, R> =>
  self instanceof WeakCacheImpl ? self : refuse(self, TypeId)

/**
 * Checks whether a value is a `WeakCache` of this library.
 *
 * **When to use**
 *
 * Use to narrow an unknown value to a cache, for example in an options object.
 *
 * **Details**
 *
 * Returns `false` for a cache of another copy of this package, because the functions of
 * this copy do not work with that cache. Costs O(1), whatever the value is.
 *
 * **Example** (Recognizing a cache)
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
 * @category guards
 * @stability experimental
 * @since 0.1.0
 */
export const isWeakCache = (u: unknown): u is WeakCache<unknown, WeakKey, unknown, unknown> =>
  guard(() => u instanceof WeakCacheImpl)

/**
 * Creates a cache in which all results have the same time to live.
 *
 * **When to use**
 *
 * Use unless the time to live depends on the result, or the cached values must be closed.
 *
 * **Details**
 *
 * Concurrent `get`s of a missing key share one lookup, which runs in its own fiber.
 * Interrupting one `get` does not affect the others, but interrupting the last one
 * interrupts the lookup.
 *
 * A failure of the lookup is cached, but only in the strong front. With a capacity of 0,
 * failures are not cached. A stack overflow is never cached, because it says nothing
 * about the key.
 *
 * The cache does not return an expired value, even if the value is alive. One timer per
 * cache removes values when they expire. Expiry uses the `Clock` of the fiber that
 * creates the cache.
 *
 * Values that a synchronous loop loads stay alive until the end of its turn, even outside
 * the strong front, because engines keep the referents of weak references for so long. If
 * caches have demoted 64 values in a turn, or this cache more than its `maxWeight`, the
 * next lookup, `refresh` or `set` first lets the turn end, and a lookup that ends waits
 * too. So the bounds hold in a busy loop.
 *
 * The lookup, `weigh`, `onRemoval` and finalizers may call the cache, fail, die or hang.
 * They never run in the middle of an operation.
 *
 * Closing the Scope interrupts the lookups and their waiters, stops the timer and clears
 * the cache. It waits for the ends of the lookups and finalizers, unless one of them
 * closes the Scope itself, and up to a second for `onRemoval`. Finalizers that call the
 * cache meanwhile still find it open. After that, {@link size} returns 0, {@link keys},
 * {@link values} and {@link entries} return empty iterables, {@link stats} still works,
 * and all other operations interrupt.
 *
 * By default `make` requires the services of the lookup. With
 * `requireServicesAt: "lookup"`, as in `Cache`, the operations that run the lookup
 * require these services. Creating a cache costs O(1), and a cache in which values expire
 * starts one timer.
 *
 * **Gotchas**
 *
 * A lookup that gets its own key waits for itself. Then `get` dies, even if the wait goes
 * through the lookups of other keys. The cache cannot detect a child fiber of the lookup
 * that waits for the key.
 *
 * `Effect.runSync` cannot wait for another turn, so a loop of
 * `Effect.runSync(WeakCache.get(…))` keeps everything that it loads in one turn.
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
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const make = <
  Key,
  A extends WeakKey,
  E = never,
  R = never,
  ServiceMode extends "lookup" | "construction" = never,
  IE = never,
  IR = never
>(
  options: Options<Key, A, IE, IR> & {
    readonly lookup: (key: Key) => Effect.Effect<A, E, R>
    readonly timeToLive?: Duration.Input | undefined
    readonly requireServicesAt?: ServiceMode | undefined
  }
): Effect.Effect<
  WeakCache<Key, A, E, "lookup" extends ServiceMode ? R : never>,
  IE,
  ("lookup" extends ServiceMode ? never : R) | Exclude<IR, Scope.Scope> | Scope.Scope
> => {
  const { lookup, timeToLive } = options
  return Make.make(
    { isScoped: false, run: lookup },
    timeToLive === undefined ? undefined : Make.always(timeToLive),
    options
  )
}

/**
 * Creates a cache in which the time to live depends on the result of the lookup and on
 * the key.
 *
 * **When to use**
 *
 * Use to cache failures for a shorter time than values, or some values longer than
 * others.
 *
 * **Details**
 *
 * The cache calls `timeToLive` once for every result, including failures. A result whose
 * time to live is zero is returned, but not cached. If `timeToLive` throws, the result is
 * not cached, and `get`, `refresh` or `set` dies with that error. Creating a cache costs
 * O(1), and `timeToLive` is called once for each result of a lookup.
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
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const makeWith = <
  Key,
  A extends WeakKey,
  E = never,
  R = never,
  ServiceMode extends "lookup" | "construction" = never,
  IE = never,
  IR = never
>(
  lookup: (key: Key) => Effect.Effect<A, E, R>,
  options: Options<Key, A, IE, IR> & {
    readonly timeToLive?: ((exit: Exit.Exit<A, E>, key: Key) => Duration.Input) | undefined
    readonly requireServicesAt?: ServiceMode | undefined
  }
): Effect.Effect<
  WeakCache<Key, A, E, "lookup" extends ServiceMode ? R : never>,
  IE,
  ("lookup" extends ServiceMode ? never : R) | Exclude<IR, Scope.Scope> | Scope.Scope
> => Make.make({ isScoped: false, run: lookup }, options.timeToLive, options)

// Marks a resource in the types of `makeScoped`, so that a `handle` that returns the resource does not compile.
declare const resourceMark: unique symbol
type Resource<Res> = Res & { readonly [resourceMark]?: true }
type NotResource = { readonly [resourceMark]?: never }

/**
 * Creates a cache of resources that closes a resource when its handle is collected,
 * expires or is invalidated.
 *
 * **When to use**
 *
 * Use for resources that several parts of a program share, such as connections, file
 * handles or subscriptions. Work with them through {@link use}, which keeps the handle
 * reachable until the work has ended. An object is reachable until its last use, not
 * until the end of the block or of its own method. A full front never closes a resource
 * whose handle is in use. Use `ScopedCache` if eviction must close such a resource. Use
 * `RcMap` if every user has a Scope, because `RcMap` does not wait for the garbage
 * collector.
 *
 * **Details**
 *
 * The lookup acquires each resource in its own Scope. `handle` wraps the resource in an
 * object, and the cache stores this handle as the value. The resource must not refer to
 * the handle.
 *
 * A resource keeps the services of `make`. From the operation that ran its lookup it
 * keeps the settings for logs and traces, and with `requireServicesAt: "lookup"` all
 * services, because its finalizers may need them. To keep less, provide the services to
 * the lookup itself.
 *
 * Each Scope closes exactly once, and invalidation waits until it is closed. If `set` or
 * `refresh` replaces a handle, or if its time to live is zero, the resource stays open
 * until the handle is collected. Closing the cache closes all resources. Creating a cache
 * costs O(1), and each entry costs a Scope and a finalizer more than one of {@link make}.
 *
 * **Gotchas**
 *
 * The handle cannot be the resource itself: this does not compile, and `get` dies with a
 * `TypeError`. The cache holds the Scope, and the finalizers of the Scope hold the
 * resource, as in `Effect.acquireRelease(acquire, (resource) => …)`. A resource that is
 * its own handle is therefore not collected before its Scope closes.
 *
 * The garbage collector may run late, so set `timeToLive`, or limit the number of open
 * resources in the lookup, if the delay matters. In a busy loop, a resource stays open
 * until a clean-up after its turn, so the cache ends the turn after 16 demoted handles.
 * Even then, as many resources stay open as were opened since the last collection.
 *
 * **Example** (Using a resource)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const connect = (host: string) =>
 *   Effect.acquireRelease(
 *     Effect.succeed({ query: (sql: string) => Effect.as(Effect.sleep("10 millis"), `${host}: ${sql}`) }),
 *     () => Effect.log("closed")
 *   )
 *
 * const program = Effect.gen(function*() {
 *   const connections = yield* WeakCache.makeScoped({
 *     lookup: connect,
 *     handle: (connection) => ({ query: (sql: string) => connection.query(sql) })
 *   })
 *   // With `get`, the connection could be closed during the query.
 *   return yield* WeakCache.use(connections, "db1", (handle) => handle.query("select 1"))
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => "db1: select 1"
 * ```
 *
 * **Example** (Closing a resource after its handle is collected)
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
 * @see {@link use} to work with a resource
 * @see {@link make} for values that do not have to be closed
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const makeScoped = <
  Key,
  Res,
  A extends WeakKey,
  E = never,
  R = never,
  ServiceMode extends "lookup" | "construction" = never,
  IE = never,
  IR = never
>(
  options: Options<Key, A, IE, IR> & {
    readonly lookup: (key: Key) => Effect.Effect<Res, E, R>
    readonly handle: (resource: Resource<Res>) => A & NotResource
    readonly timeToLive?: Duration.Input | ((exit: Exit.Exit<A, E>, key: Key) => Duration.Input) | undefined
    readonly requireServicesAt?: ServiceMode | undefined
  }
): Effect.Effect<
  WeakCache<Key, A, E, "lookup" extends ServiceMode ? Exclude<R, Scope.Scope> : never>,
  IE,
  ("lookup" extends ServiceMode ? never : Exclude<R, Scope.Scope>) | Exclude<IR, Scope.Scope> | Scope.Scope
> => {
  const { handle, lookup, timeToLive } = options
  const wrap = (resource: Res): A => {
    // The mark exists only in the type.
    const value: A = handle(resource as Resource<Res>)
    if (!Object.is(value, resource)) return value
    throw new TypeError(
      "handle returned the resource itself. The resource is held until its Scope closes, so it would never be closed: return an object that refers to the resource"
    )
  }
  return Effect.suspend(() => {
    for (const [name, option] of Object.entries({ handle, lookup })) {
      if (typeof option !== "function") throw new TypeError(`${name} must be a function, got ${format(option)}`)
    }
    return Make.make(
      { isScoped: true, run: (key: Key, scope: Scope.Scope) => Effect.map(Scope.provide(lookup(key), scope), wrap) },
      timeToLive === undefined || typeof timeToLive === "function" ? timeToLive : Make.always(timeToLive),
      options
    )
  })
}

/**
 * Returns the value of a key, and runs the lookup if the key has no live, unexpired
 * value.
 *
 * **When to use**
 *
 * Use for every read that should load a missing value.
 *
 * **Details**
 *
 * Marks the value as the most recently used. A value outside the strong front enters the
 * strong front again, unless the value alone exceeds a bound. Fails with the cached
 * failure if there is one. Starts a refresh in the background if the value is older than
 * `refreshAfter`. Dies with `NotWeakReferenceableError` if the lookup returns a value
 * that cannot be weakly referenced. Costs O(1), and dereferences the value if it is not
 * in the strong front.
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
 * @see {@link use} to keep the value reachable while an effect works with it
 * @see {@link getOption} to read without starting a lookup
 *
 * @category getters
 * @stability experimental
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
 * Returns the value of a key, or waits for its running lookup, but never starts a lookup.
 *
 * **When to use**
 *
 * Use if a missing value should not be loaded, but a lookup that runs already is worth
 * the wait.
 *
 * **Details**
 *
 * Returns `None` if there is no entry, fails if the lookup failed, and marks the value as
 * the most recently used. Costs O(1), and dereferences the value if it is not in the
 * strong front.
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
 * @category getters
 * @stability experimental
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
 * Returns the value of a key if the cache has one. Never starts a lookup, never waits and
 * never fails.
 *
 * **When to use**
 *
 * Use to read a value that is there already, and count the read as a use of the value.
 *
 * **Details**
 *
 * Returns `None` for a running lookup and for a cached failure, and marks the value as
 * the most recently used. Costs O(1), and dereferences the value if it is not in the
 * strong front.
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
 * @see {@link getOption} to wait for a running lookup
 *
 * @category getters
 * @stability experimental
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
 * Returns the value of a key if the cache has one, without any effect on the cache.
 *
 * **When to use**
 *
 * Use for diagnostics, and to look at a value without keeping it in the strong front.
 *
 * **Details**
 *
 * Never starts a lookup, never waits and never fails. Unlike {@link getSuccess}, counts
 * neither a hit nor a miss, does not mark the value as used, and starts no refresh.
 * Returns `None` for a running lookup and for a cached failure. Costs O(1), and
 * dereferences the value if it is not in the strong front.
 *
 * **Example** (Looking without using)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   yield* WeakCache.get(users, 1)
 *   const peeked = yield* WeakCache.peek(users, 1)
 *   const { hits } = yield* WeakCache.stats(users)
 *   return [Option.isSome(peeked), hits]
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => [true, 0]
 * ```
 *
 * @see {@link getSuccess} to read the value and mark it as used
 *
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const peek: {
  <Key1 extends Key, Key = Key1>(
    key: Key1
  ): <A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<Option.Option<A>>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<Option.Option<A>>
} = dual(
  2,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, key: Key): Effect.Effect<Option.Option<A>> =>
    impl(self).peek(key)
)

/**
 * Gets the value of a key, and keeps it reachable until the effect that uses it has
 * ended.
 *
 * **When to use**
 *
 * Use in a cache of {@link makeScoped}, whenever an effect works with a handle. An object
 * is reachable only until its last use, not until the end of the block or of its own
 * method. With {@link get}, the engine can collect the handle during `handle.query()`,
 * and then the cache closes the connection under the query.
 *
 * **Details**
 *
 * Reads, counts and fails as {@link get} does. The value stays reachable even if the
 * effect fails, or while it is being interrupted. A value that expires or is invalidated
 * meanwhile is closed all the same. Costs O(1), and dereferences the value if it is not
 * in the strong front.
 *
 * **Example** (Querying a shared connection)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const open = (host: string) =>
 *   Effect.acquireRelease(
 *     Effect.succeed({ query: (sql: string) => Effect.succeed(`${host}: ${sql}`) }),
 *     () => Effect.log("closed")
 *   )
 *
 * const program = Effect.gen(function*() {
 *   const connections = yield* WeakCache.makeScoped({
 *     lookup: open,
 *     handle: ({ query }) => ({ query })
 *   })
 *   return yield* WeakCache.use(connections, "db1", (handle) => handle.query("select 1"))
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => "db1: select 1"
 * ```
 *
 * @see {@link get} for values whose collection releases nothing
 *
 * @category combinators
 * @stability experimental
 * @since 0.1.0
 */
export const use: {
  <Key1 extends Key, A extends WeakKey, B, E2, R2, Key = Key1>(
    key: Key1,
    f: (value: A) => Effect.Effect<B, E2, R2>
  ): <E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<B, E | E2, R | R2>
  <Key, A extends WeakKey, E, R, B, E2, R2>(
    self: WeakCache<Key, A, E, R>,
    key: Key,
    f: (value: A) => Effect.Effect<B, E2, R2>
  ): Effect.Effect<B, E | E2, R | R2>
} = dual(
  3,
  <Key, A extends WeakKey, E, R, B, E2, R2>(
    self: WeakCache<Key, A, E, R>,
    key: Key,
    f: (value: A) => Effect.Effect<B, E2, R2>
  ): Effect.Effect<B, E | E2, R | R2> =>
    Effect.flatMap(get(self, key), (value) => holdDuring(Effect.suspend(() => f(value)), value))
)

/**
 * Stores a value under a key, without a lookup.
 *
 * **When to use**
 *
 * Use to store a value that the program has made or received without a lookup.
 *
 * **Details**
 *
 * Replaces the previous value of the key. Fibers that wait for a running lookup or
 * refresh of the key still receive its result, but the cache does not store this result,
 * because the value that was set is newer. Dies with `NotWeakReferenceableError` if the
 * value cannot be weakly referenced, and then changes nothing. Costs O(1), or O(log n) if
 * values expire, and dereferences the previous value if it is not in the strong front.
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
 * @category mutations
 * @stability experimental
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
 * Checks whether the cache has an entry for a key.
 *
 * **When to use**
 *
 * Use to ask whether {@link get} would answer without a new lookup.
 *
 * **Details**
 *
 * Returns `true` for a live, unexpired value, for a cached failure and for a running
 * lookup, and does not mark the value as used. Costs O(1), and dereferences the value if
 * it is not in the strong front.
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
 * @see {@link getSuccess} to read the value
 *
 * @category predicates
 * @stability experimental
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
 * Runs the lookup of a key, stores its result and returns the result.
 *
 * **When to use**
 *
 * Use to load a value again, for example after a change of its source, while others still
 * read the old value.
 *
 * **Details**
 *
 * Other reads receive the old value until the lookup ends. Concurrent refreshes of a key
 * share one lookup, but do not share the lookup of a `get` that is already running,
 * because what it reads may be older. If the lookup fails, `refresh` fails, and the old
 * value stays. If all refreshes are interrupted, the lookup is interrupted, and the old
 * value stays.
 *
 * What is newest wins. If `set` or `invalidateAll` is called during the refresh, or if
 * `invalidate` or `invalidateWhen` removes the entry, `refresh` returns the result of its
 * lookup, but the cache does not store this result. Costs O(1), or O(log n) if values
 * expire, and dereferences the value if it is not in the strong front.
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
 * @see {@link invalidate} to run the lookup at the next use of the key
 *
 * @category combinators
 * @stability experimental
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
 * Removes the entry of a key, so that the next `get` runs the lookup.
 *
 * **When to use**
 *
 * Use after the source of a value has changed, so that the next read loads the value
 * again.
 *
 * **Details**
 *
 * Does nothing if there is no entry. Fibers that wait for a running lookup of the key
 * still receive its result, but the cache does not store this result. In a cache of
 * {@link makeScoped}, waits until the resource is closed. Costs O(1), or O(log n) if
 * values expire, and dereferences the value if it is not in the strong front.
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
 * @category mutations
 * @stability experimental
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
 * Removes the entry of a key if its value satisfies a predicate, and returns whether the
 * entry was removed.
 *
 * **When to use**
 *
 * Use if only some versions of a value are wrong, for example those that are older than a
 * change.
 *
 * **Details**
 *
 * Waits for a running lookup. Returns `false` if there is no entry, if the lookup failed,
 * if the predicate throws, or if the entry was removed during the wait. Does not mark the
 * value as used. Costs O(1), or O(log n) if values expire, and dereferences the value if
 * it is not in the strong front.
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
 * @see {@link invalidate} to remove an entry without a condition
 *
 * @category mutations
 * @stability experimental
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
 * Removes all entries, including those of running lookups.
 *
 * **When to use**
 *
 * Use after a change that concerns all values, for example of a setting or of the current
 * user.
 *
 * **Details**
 *
 * In a cache of {@link makeScoped}, closes the resources of these entries concurrently
 * and waits for them. Costs O(n), and does not dereference any value.
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
 * @see {@link trim} to release values without removing them
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const invalidateAll = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<void> =>
  impl(self).invalidateAll

/**
 * Returns the number of entries that are not reclaimed yet.
 *
 * **When to use**
 *
 * Use for statistics, because the result is an upper bound of the number of live values.
 *
 * **Details**
 *
 * Includes running lookups, cached failures, and collected values whose clean-up has not
 * run. Costs O(1), and does not dereference any value.
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
 * @see {@link stats} for the number of values that are not known to be collected
 *
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const size = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<number> =>
  Effect.sync(() => impl(self).size())

/**
 * Returns the keys for which {@link has} returns `true`, in insertion order.
 *
 * **When to use**
 *
 * Use to visit the keys whose value is available without a lookup.
 *
 * **Details**
 *
 * A key moves to the end if another value replaces its value. The iterable reads the
 * cache during iteration, and tolerates insertion and removal. A full iteration costs
 * O(n), and dereferences the values that are not in the strong front.
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
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const keys = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<Iterable<Key>> =>
  Effect.sync(() => impl(self).keys())

/**
 * Returns the live, unexpired values, in the order of {@link keys}.
 *
 * **When to use**
 *
 * Use to visit the values that are available without a lookup.
 *
 * **Details**
 *
 * Skips running lookups and cached failures. Like the iterable of {@link keys}, the
 * iterable reads the cache during iteration, at the same cost.
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
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const values = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<Iterable<A>> =>
  Effect.map(entries(self), Iterable_.map(([, value]) => value))

/**
 * Returns the live, unexpired values with their keys, in the order of {@link keys}.
 *
 * **When to use**
 *
 * Use to visit keys and values together, for example to write them to a snapshot.
 *
 * **Details**
 *
 * Skips running lookups and cached failures. Like the iterable of {@link keys}, the
 * iterable reads the cache during iteration, at the same cost.
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
 * @see {@link keys} to include the keys of running lookups and cached failures
 *
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const entries = <Key, A extends WeakKey, E, R>(
  self: WeakCache<Key, A, E, R>
): Effect.Effect<Iterable<[Key, A]>> => Effect.sync(() => impl(self).pairs())

/**
 * Demotes entries of the strong front, once, until `capacity` entries are left. Begins
 * with those that a full front would demote first.
 *
 * **When to use**
 *
 * Use when memory is short, for example `trim(cache, 0)`, which lets go of every value
 * that only the cache holds.
 *
 * **Details**
 *
 * The capacity stays, so later reads fill the strong front again. Does not remove values:
 * the cache still returns a demoted value that the program uses elsewhere. Removes cached
 * failures that leave the front. Dies with a `RangeError` unless the number is a
 * non-negative integer or `Infinity`. Costs O(number of demoted entries), and does not
 * dereference any value.
 *
 * **Example** (Releasing unused values)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   const strong = Effect.map(WeakCache.stats(users), (stats) => stats.strong)
 *   yield* WeakCache.get(users, 1)
 *   yield* WeakCache.trim(users, 0)
 *   const trimmed = yield* strong
 *   yield* WeakCache.get(users, 2)
 *   return [trimmed, yield* strong]
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => [0, 1]
 * ```
 *
 * @see {@link setCapacity} to bound the strong front from now on
 * @see {@link invalidateAll} to remove all entries
 *
 * @category mutations
 * @stability experimental
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
 * Sets the capacity of the strong front from now on, and demotes the entries above it.
 *
 * **When to use**
 *
 * Use to adapt a cache to the memory that a program may use. Raise the capacity again
 * later, if memory allows.
 *
 * **Details**
 *
 * Bounds the front beside `maxWeight` and `idleTimeToLive`, which stay, and does not
 * remove values. Dies with a `RangeError` unless the capacity is a non-negative integer
 * or `Infinity`. Costs O(number of demoted entries), and does not dereference any value.
 *
 * **Example** (Shrinking a cache)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakCache } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const users = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 10 })
 *   yield* WeakCache.setCapacity(users, 1)
 *   for (const id of [1, 2, 3]) yield* WeakCache.get(users, id)
 *   return (yield* WeakCache.stats(users)).strong
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => 1
 * ```
 *
 * @see {@link trim} to release values once
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const setCapacity: {
  (capacity: number): <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>) => Effect.Effect<void>
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, capacity: number): Effect.Effect<void>
} = dual(
  2,
  <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>, capacity: number): Effect.Effect<void> =>
    impl(self).setCapacity(capacity)
)

/**
 * Returns the counters and sizes of the cache.
 *
 * **When to use**
 *
 * Use to choose the bounds of the cache, and to watch it in production.
 *
 * **Details**
 *
 * Also works on a closed cache, whose sizes are 0. Costs O(1), and does not dereference
 * any value.
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
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const stats = <Key, A extends WeakKey, E, R>(self: WeakCache<Key, A, E, R>): Effect.Effect<Stats> =>
  Effect.sync(() => impl(self).stats())
