/**
 * Maps strong keys to weak values, in entries that end when their value has been
 * collected.
 *
 * Use a `WeakValueMap` to find objects by name without owning them, for example as a
 * cache, as an index from ids to objects, or to keep one live instance per name. The map
 * is synchronous and mutable, like `MutableHashMap`, and iterates in insertion order.
 *
 * Where costs are stated, n is the number of entries, including dead entries that are not
 * reclaimed yet, and m is the size of the other map or iterable. Hashing a key counts as
 * constant time. The map never hashes a primitive, and finds a key object that is already
 * in the map without hashing it. An operation that dereferences keeps the values that it
 * reads alive to the end of the turn. Replacing or removing entries renews the
 * registrations of the map from time to time, which dereferences all values.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type { Inspectable } from "effect/Inspectable"
import type * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import { Heap } from "./Heap.ts"
import { attempt } from "./internal/attempt.ts"
import { Collection, keepHot, later, name, table } from "./internal/collection.ts"
import { guard } from "./internal/guard.ts"
import { host } from "./internal/host.ts"
import { refuse } from "./internal/refuse.ts"
import { WeakValueTable } from "./internal/valueTable.ts"
import type { NotWeakReferenceableError } from "./WeakError.ts"
import { KeyedRef } from "./WeakRef.ts"

const TypeId = "~effect-weakref/WeakValueMap"

/**
 * Represents a map from strong keys of any type to weak values.
 *
 * **When to use**
 *
 * Use to find objects by name without owning them.
 *
 * **Details**
 *
 * Keys compare by their contents, or by identity with `{ compare: "reference" }` (see
 * {@link Options}). A value can be an object, a function, or a symbol that is not
 * registered with `Symbol.for`.
 *
 * Two maps are `Equal` only if they are the same object, so use {@link equals} to compare
 * their entries.
 *
 * Printing and JSON show the first 20 entries and say how many more there are, at most.
 * An opaque object prints as its tag, and long texts and deep structures are cut, so a
 * map of DOM nodes prints in no time.
 *
 * **Gotchas**
 *
 * The map holds its keys strongly, so a key that refers to its own value keeps the value
 * alive, and the entry never ends.
 *
 * **Example** (Finding images by name)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const images = yield* WeakValueMap.make<string, { readonly width: number }>()
 *   const sunset = { width: 4096 }
 *   WeakValueMap.set(images, "sunset", sunset)
 *   const before = WeakValueMap.has(images, "sunset")
 *   yield* TestHeap.collect(sunset)
 *   return [before, WeakValueMap.has(images, "sunset")]
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [true, false]
 * ```
 *
 * @see {@link make} for the constructor
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakValueDictionary | Python, weakref.WeakValueDictionary} for the source of the semantics
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface WeakValueMap<in out K, in out V extends WeakKey> extends Iterable<[K, V]>, Pipeable, Inspectable {
  readonly [TypeId]: typeof TypeId
  [Symbol.iterator](): MapIterator<[K, V]>
  /** @internal */
  readonly [table]: WeakValueTable<K, V>
}

/**
 * Describes how a `WeakValueMap` compares its keys, and how much it hashes.
 *
 * **When to use**
 *
 * Use as the type of options that you pass on to a constructor.
 *
 * **Details**
 *
 * `compare: "structural"` is the default, because keys usually are plain data. It
 * compares keys as `Equal.equals` does, except that an opaque object, such as a DOM node,
 * a `Blob`, a promise or a stream, is only equal to itself, even inside another key. An
 * operation on a key object that the map does not contain hashes the key: it reads the
 * whole object, its getters included, so do not change such a key afterwards. The map
 * never hashes strings, numbers and other primitives.
 *
 * `compare: "reference"` compares keys by identity, as a native `Map` does, and never
 * hashes them.
 *
 * **Gotchas**
 *
 * - Any other `compare` throws a `TypeError` when the map is created.
 * - An opaque object is an instance of a native class or of a class with
 *   `Symbol.toStringTag`, an event emitter, or a promise of any library, unless it
 *   implements `Equal`. Arrays, maps, sets, dates, regular expressions, buffers and
 *   errors are compared by their contents.
 * - Instances of your own classes are compared by their properties. State in private
 *   fields is not seen, so implement `Equal`, or mark such an object with
 *   `Equal.byReference`.
 * - An object that implements `Equal`, such as a `HashMap`, decides itself how its parts
 *   are compared.
 *
 * @see {@link makeUnsafe} for a constructor that takes these options
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Options {
  readonly compare?: "structural" | "reference" | undefined
}

/**
 * Checks whether a value is a `WeakValueMap` of this library.
 *
 * **When to use**
 *
 * Use to narrow an unknown value to a map, for example in an options object.
 *
 * **Details**
 *
 * Returns `false` for a map of another copy of this package. Costs O(1), whatever the
 * value is.
 *
 * **Example** (Checking values)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * WeakValueMap.isWeakValueMap(WeakValueMap.makeUnsafe()) // => true
 * WeakValueMap.isWeakValueMap(new Map()) // => false
 * ```
 *
 * @see {@link make} for the constructor
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isWeakValueMap = (u: unknown): u is WeakValueMap<unknown, WeakKey> =>
  guard(() => u instanceof WeakValueMapImpl)

// The hot functions below do not use `dual`. `internal/collection.ts` has the reason.
type AnyMap = WeakValueMap<unknown, WeakKey>

class WeakValueMapImpl<K, V extends WeakKey> extends Collection<[K, V], WeakValueTable<K, V>>
  implements WeakValueMap<K, V>
{
  get [TypeId](): typeof TypeId {
    return TypeId
  }

  override get [name](): string {
    return "WeakValueMap"
  }

  override [Symbol.iterator](): MapIterator<[K, V]> {
    return this[table].entries()
  }
}

/** Returns the table. Throws if the map belongs to another copy of the package. */
const tableOf = <K, V extends WeakKey>(self: WeakValueMap<K, V>): WeakValueTable<K, V> =>
  // A program without types can pass anything.
  (self as WeakValueMap<K, V> | undefined)?.[table] ?? refuse(self, TypeId)

/**
 * Creates an empty map on the heap of the context.
 *
 * **When to use**
 *
 * Use in effects, so that a test can replace the heap.
 *
 * **Details**
 *
 * Keys compare by structure, unless {@link Options} say otherwise. If `compare` is
 * unknown, the effect dies with a `TypeError`. Costs O(1), and nothing is registered with
 * the engine yet.
 *
 * **Example** (Creating a map in an effect)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const ada = { name: "Ada" }
 *   const people = yield* WeakValueMap.make<string, { readonly name: string }>()
 *   return WeakValueMap.has(WeakValueMap.set(people, "ada", ada), "ada")
 * })
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @see {@link makeUnsafe} for synchronous code
 * @see {@link fromIterable} to start with entries
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = <K, V extends WeakKey>(options?: Options): Effect.Effect<WeakValueMap<K, V>> =>
  Effect.map(Heap, (heap) => makeUnsafe(options, heap))

/**
 * Creates an empty map synchronously, on the host's heap by default.
 *
 * **When to use**
 *
 * Use in module scope and in code without effects.
 *
 * **Details**
 *
 * Throws a `TypeError` if `compare` is unknown. Costs O(1), and nothing is registered
 * with the engine yet.
 *
 * **Example** (Comparing keys by reference and by structure)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const value = {}
 * const byStructure = WeakValueMap.makeUnsafe<object, object>()
 * WeakValueMap.set(byStructure, { id: 1 }, value)
 * WeakValueMap.has(byStructure, { id: 1 }) // => true
 *
 * const byReference = WeakValueMap.makeUnsafe<object, object>({ compare: "reference" })
 * WeakValueMap.set(byReference, { id: 1 }, value)
 * WeakValueMap.has(byReference, { id: 1 }) // => false
 * ```
 *
 * @see {@link make} to take the heap from the context
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const makeUnsafe = <K, V extends WeakKey>(options?: Options, heap: Heap = host): WeakValueMap<K, V> => {
  keepHot(TypeId, () => new WeakValueMapImpl(new WeakValueTable(host, "structural")))
  return new WeakValueMapImpl(new WeakValueTable<K, V>(heap, options?.compare ?? "structural"))
}

/**
 * Creates a map from the entries of an iterable.
 *
 * **When to use**
 *
 * Use inside an Effect program if the entries exist already. {@link setAll} adds entries
 * to a map that exists.
 *
 * **Details**
 *
 * Fails with `NotWeakReferenceableError` if a value cannot be a referent, and dies with
 * an error of the iterable itself. If two entries have equal keys, the map keeps the
 * first key and the last value. Costs O(m), where m is the number of entries of the
 * iterable.
 *
 * **Example** (Creating a map from entries)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = Effect.runSync(WeakValueMap.fromIterable([["ada", ada]]))
 * WeakValueMap.get(people, "ada") // => Option.some(ada)
 * ```
 *
 * @see {@link setAll} to add entries to a map
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const fromIterable = <K, V extends WeakKey>(
  entries: Iterable<readonly [K, V]>,
  options?: Options
): Effect.Effect<WeakValueMap<K, V>, NotWeakReferenceableError> =>
  Effect.flatMap(Heap, (heap) => {
    const self = makeUnsafe<K, V>(options, heap)
    return Effect.as(attempt(() => tableOf(self).fill(entries)), self)
  })

/**
 * Returns the value of a key, or `None` if there is no live entry.
 *
 * **When to use**
 *
 * Use to look up a value without inserting one. {@link getOrSet} inserts a value if there
 * is none.
 *
 * **Details**
 *
 * Costs O(1), and dereferences the value of the entry.
 *
 * **Example** (Looking up a key)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.get(people, "ada") // => Option.some(ada)
 * WeakValueMap.get(people, "bob") // => Option.none()
 * ```
 *
 * @see {@link has} to check without reading the value
 * @see {@link getOrSet} to insert a missing value
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export function get<K1 extends K, K = K1>(key: K1): <V extends WeakKey>(self: WeakValueMap<K, V>) => Option.Option<V>
export function get<K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): Option.Option<V>
export function get(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return later(get, self)
  return tableOf(self as AnyMap).get(key)
}

/**
 * Checks whether a key has a live entry.
 *
 * **When to use**
 *
 * Use to ask whether there is an entry. Use {@link get} if you then need the value,
 * because the entry may end between the two calls.
 *
 * **Details**
 *
 * Costs O(1), and dereferences the value of the entry.
 *
 * **Example** (Checking a key)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.has(people, "ada") // => true
 * ```
 *
 * @see {@link get} for the value
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export function has<K1 extends K, K = K1>(key: K1): <V extends WeakKey>(self: WeakValueMap<K, V>) => boolean
export function has<K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): boolean
export function has(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return later(has, self)
  return tableOf(self as AnyMap).has(key)
}

/**
 * Sets the value of a key, and returns the map.
 *
 * **When to use**
 *
 * Use to register an object under a key. The map does not keep the object alive, so
 * something else must hold it.
 *
 * **Details**
 *
 * If an equal key has a live value, its entry keeps its key and its position, and
 * otherwise the new entry becomes the last one. The key -0 becomes 0, as in a native
 * `Map`. Throws `NotWeakReferenceableError` and changes nothing if the value cannot be a
 * referent. Costs O(1), amortized, and may dereference the value that it replaces.
 *
 * **Gotchas**
 *
 * - A loop that inserts objects and never leaves its turn of the event loop keeps all of
 *   them: the language keeps the referent of a weak reference alive until the turn in
 *   which the reference was made or read has ended. Collections do not help, so let the
 *   turn end now and then, for example by waiting for a timer.
 * - Structural comparison runs user code: `Equal` and `Hash` implementations, and
 *   getters. If that code changes the map, the operation looks up the key again, and
 *   throws an error after 100 attempts.
 *
 * **Example** (Setting and replacing a value)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.set(people, "ada", { name: "Ada Lovelace" })
 * WeakValueMap.size(people) // => 1
 * ```
 *
 * @see {@link setAll} for many entries
 * @see {@link getOrSet} to keep a live value
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export function set<K1 extends K, V1 extends V, K = K1, V extends WeakKey = V1>(
  key: K1,
  value: V1
): (self: WeakValueMap<K, V>) => WeakValueMap<K, V>
export function set<K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K, value: V): WeakValueMap<K, V>
export function set(self: unknown, key?: unknown, value?: unknown): unknown {
  if (arguments.length === 2) return later(set, self, key)
  tableOf(self as AnyMap).set(key, value as WeakKey)
  return self
}

/**
 * Removes the entry of a key, and returns the map.
 *
 * **When to use**
 *
 * Use to end an entry before the collector ends it, or use {@link pop} if you need its
 * value.
 *
 * **Details**
 *
 * Does nothing if there is no entry, and afterwards the map holds neither the key nor the
 * value. Costs O(1), amortized, and may dereference the value.
 *
 * **Example** (Removing an entry)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.remove(people, "ada")
 * WeakValueMap.has(people, "ada") // => false
 * ```
 *
 * @see {@link pop} to get the value
 * @see {@link clear} to remove everything
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export function remove<K1 extends K, K = K1>(
  key: K1
): <V extends WeakKey>(self: WeakValueMap<K, V>) => WeakValueMap<K, V>
export function remove<K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): WeakValueMap<K, V>
export function remove(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return later(remove, self)
  tableOf(self as AnyMap).remove(key)
  return self
}

/**
 * Removes the entry of a key, and returns its value, or `None` if there is no live entry.
 *
 * **When to use**
 *
 * Use to take a value over: afterwards only the caller has it.
 *
 * **Details**
 *
 * Costs O(1), amortized, and dereferences the value of the entry.
 *
 * **Example** (Removing and returning a value)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.pop(people, "ada") // => Option.some(ada)
 * WeakValueMap.pop(people, "ada") // => Option.none()
 * ```
 *
 * @see {@link remove} to ignore the value
 * @see {@link popEntry} for the oldest entry
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const pop: {
  <K1 extends K, K = K1>(key: K1): <V extends WeakKey>(self: WeakValueMap<K, V>) => Option.Option<V>
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): Option.Option<V>
} = dual(2, <K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): Option.Option<V> => tableOf(self).pop(key))

/**
 * Removes the oldest live entry and returns it, or returns `None` if there is none.
 *
 * **When to use**
 *
 * Use to work through a map from its oldest entry on, for example a queue of jobs.
 *
 * **Details**
 *
 * Removes the dead entries before it as well. Costs O(1), amortized, but O(n) at worst in
 * the first call after a collection, and dereferences the value that it returns.
 *
 * **Example** (Emptying a map from its oldest entry on)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const bob = { name: "Bob" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.set(people, "bob", bob)
 * WeakValueMap.popEntry(people) // => Option.some(["ada", ada])
 * WeakValueMap.popEntry(people) // => Option.some(["bob", bob])
 * WeakValueMap.popEntry(people) // => Option.none()
 * ```
 *
 * @see {@link pop} for the entry of a key
 * @see {@link isEmpty} as the condition of a loop
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const popEntry = <K, V extends WeakKey>(self: WeakValueMap<K, V>): Option.Option<[K, V]> =>
  tableOf(self).popEntry()

/**
 * Removes all entries from the map, and returns the map.
 *
 * **When to use**
 *
 * Use to start again with the same map, which other parts of the program may hold.
 *
 * **Details**
 *
 * Afterwards the map holds no key and no value. Costs O(n), and does not dereference any
 * value.
 *
 * **Example** (Removing all entries)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.size(WeakValueMap.clear(people)) // => 0
 * ```
 *
 * @see {@link remove} for one entry
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const clear = <K, V extends WeakKey>(self: WeakValueMap<K, V>): WeakValueMap<K, V> => {
  tableOf(self).clear()
  return self
}

/**
 * Returns the value of a key, or calls `make` and inserts its result if there is no live
 * entry.
 *
 * **When to use**
 *
 * Use to keep one live instance for each key, as `WeakMemo.family` does for one function.
 *
 * **Details**
 *
 * If `make` itself sets the same key, the first value stays, and every caller receives
 * it. Throws `NotWeakReferenceableError` if the made value cannot be a referent, and
 * inserts nothing if `make` throws. Costs O(1), amortized, and dereferences the value
 * that it returns.
 *
 * **Example** (Keeping one live instance of each name)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const channels = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * const channel = (name: string) => WeakValueMap.getOrSet(channels, name, () => ({ name }))
 *
 * const news = channel("news")
 * channel("news") === news // => true
 * ```
 *
 * @see {@link get} to look up a value without inserting
 * @see {@link set} to replace a value
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const getOrSet: {
  <K1 extends K, V1 extends V, K = K1, V extends WeakKey = V1>(
    key: K1,
    make: () => V1
  ): (self: WeakValueMap<K, V>) => V
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K, make: () => V): V
} = dual(
  3,
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K, make: () => V): V => tableOf(self).getOrSet(key, make)
)

/**
 * Replaces the value of a key with the result of `f`, and returns the map.
 *
 * **When to use**
 *
 * Use to change a value that exists, for example to replace an old version, or use
 * {@link modifyAt} to insert and remove as well.
 *
 * **Details**
 *
 * Does nothing if there is no live entry, and changes nothing if `f` throws. If `f`
 * removes the entry, the result of `f` becomes a new entry. Costs O(1), amortized, and
 * dereferences the old value.
 *
 * **Example** (Replacing a value)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * const lovelace = { name: "Ada Lovelace" }
 * WeakValueMap.modify(people, "ada", () => lovelace)
 * WeakValueMap.get(people, "ada") // => Option.some(lovelace)
 * ```
 *
 * @see {@link modifyAt} to insert or remove as well
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const modify: {
  <K1 extends K, V extends WeakKey, K = K1>(
    key: K1,
    f: (value: V) => V
  ): (self: WeakValueMap<K, V>) => WeakValueMap<K, V>
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K, f: (value: V) => V): WeakValueMap<K, V>
} = dual(
  3,
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K, f: (value: V) => V): WeakValueMap<K, V> => {
    tableOf(self).modify(key, f)
    return self
  }
)

/**
 * Updates the entry of a key with the result of `f`, and returns the map.
 *
 * **When to use**
 *
 * Use if the new value depends on whether there is an old one, or use {@link modify} to
 * change only values that exist.
 *
 * **Details**
 *
 * `f` receives the value, or `None` if there is no live entry, and returns the new value,
 * or `None` to remove the entry. Throws `NotWeakReferenceableError` and changes nothing
 * if the new value cannot be a referent. Costs O(1), amortized, and dereferences the old
 * value.
 *
 * **Example** (Changing and removing an entry)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.modifyAt(people, "bob", () => Option.some(ada))
 * WeakValueMap.has(people, "bob") // => true
 * WeakValueMap.modifyAt(people, "bob", () => Option.none())
 * WeakValueMap.has(people, "bob") // => false
 * ```
 *
 * @see {@link modify} to change a live entry only
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const modifyAt: {
  <K1 extends K, V extends WeakKey, K = K1>(
    key: K1,
    f: (value: Option.Option<V>) => Option.Option<V>
  ): (self: WeakValueMap<K, V>) => WeakValueMap<K, V>
  <K, V extends WeakKey>(
    self: WeakValueMap<K, V>,
    key: K,
    f: (value: Option.Option<V>) => Option.Option<V>
  ): WeakValueMap<K, V>
} = dual(3, <K, V extends WeakKey>(
  self: WeakValueMap<K, V>,
  key: K,
  f: (value: Option.Option<V>) => Option.Option<V>
): WeakValueMap<K, V> => {
  tableOf(self).modifyAt(key, f)
  return self
})

/**
 * Sets all entries of an iterable, and returns the map.
 *
 * **When to use**
 *
 * Use to set many entries, of which either all or none are set.
 *
 * **Details**
 *
 * Sets the entries in order, so the last value of a key wins. Throws
 * `NotWeakReferenceableError` if a value cannot be a referent, or the error of the
 * iterable or of a comparison, and sets nothing if it throws. Costs O(m), amortized, and
 * may dereference the values that it replaces.
 *
 * **Example** (Adding the entries of a native map)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const bob = { name: "Bob" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.setAll(people, new Map([["bob", bob]]))
 * Array.from(WeakValueMap.keys(people)) // => ["ada", "bob"]
 * ```
 *
 * @see {@link set} for one entry
 * @see {@link union} for a new map
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const setAll: {
  <K1 extends K, V1 extends V, K = K1, V extends WeakKey = V1>(
    entries: Iterable<readonly [K1, V1]>
  ): (self: WeakValueMap<K, V>) => WeakValueMap<K, V>
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, entries: Iterable<readonly [K, V]>): WeakValueMap<K, V>
} = dual(
  2,
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, entries: Iterable<readonly [K, V]>): WeakValueMap<K, V> => {
    tableOf(self).setAll(entries)
    return self
  }
)

/**
 * Returns a new map with the live entries of both maps.
 *
 * **When to use**
 *
 * Use to combine two maps and keep both, because {@link setAll} changes the map itself.
 *
 * **Details**
 *
 * If both maps have a key, the value of the second map wins. The new map has the heap and
 * the comparison of the first map. Costs O(n + m), and dereferences every live value of
 * both maps.
 *
 * **Example** (Joining two maps)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const [ada, bob] = [{ name: "Ada" }, { name: "Bob" }]
 * const self = WeakValueMap.set(WeakValueMap.makeUnsafe<string, { readonly name: string }>(), "ada", ada)
 * const that = WeakValueMap.set(WeakValueMap.makeUnsafe<string, { readonly name: string }>(), "bob", bob)
 * WeakValueMap.size(WeakValueMap.union(self, that)) // => 2
 * ```
 *
 * @see {@link setAll} to change the first map
 * @see {@link copy} for one map
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const union: {
  <K, V extends WeakKey>(that: WeakValueMap<K, V>): (self: WeakValueMap<K, V>) => WeakValueMap<K, V>
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, that: WeakValueMap<K, V>): WeakValueMap<K, V>
} = dual(
  2,
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, that: WeakValueMap<K, V>): WeakValueMap<K, V> =>
    setAll(copy(self), that)
)

/**
 * Returns a new map with the same live entries.
 *
 * **When to use**
 *
 * Use to change a map and keep the original.
 *
 * **Details**
 *
 * The copy has the same heap and the same comparison. Costs O(n), and dereferences every
 * live value.
 *
 * **Example** (Copying a map)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * const copy = WeakValueMap.copy(people)
 * WeakValueMap.clear(people)
 * WeakValueMap.has(copy, "ada") // => true
 * ```
 *
 * @see {@link copyWith} to copy the keys as well
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const copy = <K, V extends WeakKey>(self: WeakValueMap<K, V>): WeakValueMap<K, V> => copyWith(self, (key) => key)

/**
 * Returns a new map with the same values, and the results of `f` as keys.
 *
 * **When to use**
 *
 * Use to copy the keys as well, for example for a deep copy of the keys.
 *
 * **Details**
 *
 * The copy has the same heap and the same comparison. Costs O(n), and dereferences every
 * live value.
 *
 * **Example** (Copying with other keys)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * const copy = WeakValueMap.copyWith(people, (name) => name.toUpperCase())
 * Array.from(WeakValueMap.keys(copy)) // => ["ADA"]
 * ```
 *
 * @see {@link copy} to share the keys
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const copyWith: {
  <K, K2>(f: (key: K) => K2): <V extends WeakKey>(self: WeakValueMap<K, V>) => WeakValueMap<K2, V>
  <K, V extends WeakKey, K2>(self: WeakValueMap<K, V>, f: (key: K) => K2): WeakValueMap<K2, V>
} = dual(2, <K, V extends WeakKey, K2>(self: WeakValueMap<K, V>, f: (key: K) => K2): WeakValueMap<K2, V> => {
  const { compare, heap } = tableOf(self)
  const that = makeUnsafe<K2, V>({ compare }, heap)
  for (const [key, value] of self) tableOf(that).set(f(key), value)
  return that
})

/**
 * Returns an iterator of the keys of the live entries.
 *
 * **When to use**
 *
 * Use to visit the keys whose value is live.
 *
 * **Details**
 *
 * Iterates in insertion order. The iterator never throws and never yields a dead entry,
 * even if entries are collected, inserted or removed between two steps. It inherits from
 * the native iterator prototype, with `map` and `filter` if the host has them. All steps
 * together cost O(n), and each step dereferences the value that it reaches.
 *
 * **Gotchas**
 *
 * A paused iterator holds no referent, but if the map grows meanwhile, it keeps the old
 * storage and its keys alive, as the iterator of a native `Map` does. Drop the iterator
 * when you no longer need it.
 *
 * **Example** (Listing the keys)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * Array.from(WeakValueMap.keys(people)) // => ["ada"]
 * ```
 *
 * @see {@link entries} for keys and values
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const keys = <K, V extends WeakKey>(self: WeakValueMap<K, V>): MapIterator<K> => tableOf(self).keys()

/**
 * Returns an iterator of the values of the live entries.
 *
 * **When to use**
 *
 * Use to visit the values without their keys.
 *
 * **Details**
 *
 * Iterates as {@link keys} does, at the same cost.
 *
 * **Example** (Listing the values)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * Array.from(WeakValueMap.values(people), ({ name }) => name) // => ["Ada"]
 * ```
 *
 * @see {@link entries} for keys and values
 * @see {@link valueRefs} for references that you can store
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const values = <K, V extends WeakKey>(self: WeakValueMap<K, V>): MapIterator<V> => tableOf(self).values()

/**
 * Returns an iterator of the live entries, like the `Symbol.iterator` method of the map.
 *
 * **When to use**
 *
 * Use to visit keys and values with the helpers of iterators. A `for` loop over the map
 * itself does the same.
 *
 * **Details**
 *
 * Iterates as {@link keys} does, at the same cost.
 *
 * **Example** (Listing the entries)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * Array.from(WeakValueMap.entries(people)) // => [["ada", ada]]
 * ```
 *
 * @see {@link forEach} for the fastest loop
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const entries = <K, V extends WeakKey>(self: WeakValueMap<K, V>): MapIterator<[K, V]> => tableOf(self).entries()

/**
 * Returns an iterator of references to the live values, each with its key.
 *
 * **When to use**
 *
 * Use to visit the values in a later turn without holding them.
 *
 * **Details**
 *
 * Iterates as {@link keys} does, and each step creates a new `WeakRef.KeyedRef`. All
 * steps together cost O(n), with one registration with the engine for each reference.
 *
 * **Example** (Visiting the values later)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * const refs = Array.from(WeakValueMap.valueRefs(people))
 * refs.map((ref) => ref.key) // => ["ada"]
 * ```
 *
 * @see {@link values} for the values themselves
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakValueDictionary.valuerefs | Python, WeakValueDictionary.valuerefs} for the source of the semantics
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const valueRefs = <K, V extends WeakKey>(self: WeakValueMap<K, V>): MapIterator<KeyedRef<K, V>> =>
  tableOf(self).map((key, value) => new KeyedRef(key, value, tableOf(self).heap))

/**
 * Calls `f` with the value and the key of each live entry.
 *
 * **When to use**
 *
 * Use to visit every entry in the fastest way.
 *
 * **Details**
 *
 * Iterates as {@link keys} does, and faster than a loop over {@link entries}, because it
 * creates no pairs. Costs O(n), and dereferences every live value.
 *
 * **Example** (Visiting all entries)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * const seen: Array<string> = []
 * WeakValueMap.forEach(people, (value, key) => seen.push(`${key} is ${value.name}`))
 * seen // => ["ada is Ada"]
 * ```
 *
 * @see {@link entries} to stop early
 *
 * @category traversing
 * @stability stable
 * @since 0.1.0
 */
export const forEach: {
  <K, V extends WeakKey>(f: (value: V, key: K) => void): (self: WeakValueMap<K, V>) => void
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, f: (value: V, key: K) => void): void
} = dual(2, <K, V extends WeakKey>(self: WeakValueMap<K, V>, f: (value: V, key: K) => void): void => {
  tableOf(self).forEach(f)
})

/**
 * Returns the number of entries that the clean-up has not reclaimed yet.
 *
 * **When to use**
 *
 * Use for statistics, or to decide whether the collection is worth a walk, because
 * {@link count} is exact but slow.
 *
 * **Details**
 *
 * Includes dead entries until their clean-up runs, so the result is an upper bound of
 * {@link count}. Costs O(1), and does not dereference any value.
 *
 * **Example** (Counting entries)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.size(people) // => 1
 * ```
 *
 * @see {@link count} for the exact number
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const size = <K, V extends WeakKey>(self: WeakValueMap<K, V>): number => tableOf(self).size

/**
 * Checks whether the map has no live entry, and is exact.
 *
 * **When to use**
 *
 * Use as the condition of a loop over {@link popEntry}.
 *
 * **Details**
 *
 * Each call of `isEmpty` or {@link popEntry} continues where the last call stopped, so a
 * loop over both takes linear time. Costs O(1), amortized, but O(n) at worst in the first
 * call after a collection, and while many dead entries are not reclaimed. It dereferences
 * the value that it finds.
 *
 * **Example** (Checking for entries)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.isEmpty(people) // => false
 * WeakValueMap.isEmpty(WeakValueMap.clear(people)) // => true
 * ```
 *
 * @see {@link count} for the number
 * @see {@link size} for an upper bound without dereferencing
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isEmpty = <K, V extends WeakKey>(self: WeakValueMap<K, V>): boolean => tableOf(self).isEmpty()

/**
 * Returns the exact number of live entries, which it counts one by one.
 *
 * **When to use**
 *
 * Use in tests and reports, but prefer {@link size}, an upper bound that costs nothing,
 * in a hot path.
 *
 * **Details**
 *
 * Costs O(n), and dereferences every value, so all values stay alive to the end of the
 * turn.
 *
 * **Example** (Counting live entries)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.count(people) // => 1
 * ```
 *
 * @see {@link size} for an upper bound in O(1)
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const count = <K, V extends WeakKey>(self: WeakValueMap<K, V>): number => tableOf(self).count()

/**
 * Checks whether two maps have the same live entries, in any order.
 *
 * **When to use**
 *
 * Use to compare the entries of two maps, because `Equal.equals` compares only the
 * identity of two maps.
 *
 * **Details**
 *
 * Compares keys with the comparison of the first map, and values as structural keys, or
 * by identity if the first map compares by reference. Costs O(n + m), and dereferences
 * every live value of both maps.
 *
 * **Gotchas**
 *
 * `Equal.equals` compares two maps by identity, because a `WeakValueMap` is mutable.
 *
 * **Example** (Comparing contents)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const one = Effect.runSync(WeakValueMap.fromIterable([["ada", ada]]))
 * const two = Effect.runSync(WeakValueMap.fromIterable([["ada", ada]]))
 * WeakValueMap.equals(one, two) // => true
 * ```
 *
 * @see {@link has} for one key
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const equals: {
  <K, V extends WeakKey>(that: WeakValueMap<K, V>): (self: WeakValueMap<K, V>) => boolean
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, that: WeakValueMap<K, V>): boolean
} = dual(
  2,
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, that: WeakValueMap<K, V>): boolean =>
    tableOf(self).equals(tableOf(that))
)
