/**
 * Maps weak keys to strong values, in entries that end when their key has been collected.
 *
 * Use a `WeakKeyMap` to store data about objects that other code owns, for example the
 * state of a request or the listeners of a node. The entries are ephemerons: a value that
 * refers to its own key, directly or through other entries, does not keep the key alive.
 * Unlike the native `WeakMap`, this map iterates in insertion order, counts its entries,
 * and can compare keys by structure. It is synchronous and mutable, like
 * `MutableHashMap`.
 *
 * Where costs are stated, n is the number of entries, including dead entries that are not
 * reclaimed yet, and m is the size of the other map or iterable. Hashing a key counts as
 * constant time, and a key object that is already in the map is found without hashing it.
 * An operation that dereferences keeps the keys that it reads alive to the end of the
 * turn. Removing entries renews the registrations of the map from time to time, which
 * dereferences all keys.
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
import { WeakKeyTable } from "./internal/keyTable.ts"
import { refuse } from "./internal/refuse.ts"
import type { NotWeakReferenceableError } from "./WeakError.ts"
import { makeUnsafe as makeRef, type WeakRef } from "./WeakRef.ts"

const TypeId = "~effect-weakref/WeakKeyMap"

/**
 * Represents a map from weak keys to strong values.
 *
 * **When to use**
 *
 * Use to attach data to objects that other code owns.
 *
 * **Details**
 *
 * Keys compare by reference, as in a native `WeakMap`. Pass `{ compare: "structural" }`
 * to compare them by structure (see {@link Options}). A key can be an object, a function,
 * or a symbol that is not registered with `Symbol.for`.
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
 * With structural comparison, an entry lives only as long as the key that it was first
 * set with. An equal key does not keep the entry alive.
 *
 * **Example** (Counting visits of pages)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const visits = yield* WeakKeyMap.make<object, number>()
 *   const page = { path: "/" }
 *   WeakKeyMap.set(visits, page, 1)
 *   WeakKeyMap.modify(visits, page, (n) => n + 1)
 *   const before = WeakKeyMap.get(visits, page)
 *   yield* TestHeap.collectAndFinalize(page)
 *   return [before, WeakKeyMap.size(visits)] as const
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [Option.some(2), 0]
 * ```
 *
 * @see {@link make} for the constructor
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakKeyDictionary | Python, weakref.WeakKeyDictionary} for the source of the semantics
 * @see {@link https://doi.org/10.1145/263698.263733 | Hayes, Ephemerons: a new finalization mechanism} for ephemerons, which Python's dictionary lacks
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface WeakKeyMap<in out K extends WeakKey, in out V> extends Iterable<[K, V]>, Pipeable, Inspectable {
  readonly [TypeId]: typeof TypeId
  [Symbol.iterator](): MapIterator<[K, V]>
  /** @internal */
  readonly [table]: WeakKeyTable<K, V>
}

/**
 * Describes how a `WeakKeyMap` compares its keys, and how much it hashes.
 *
 * **When to use**
 *
 * Use as the type of options that you pass on to a constructor.
 *
 * **Details**
 *
 * `compare: "reference"` is the default: two keys are the same key only if they are the
 * same object, as in a native `WeakMap`. The map never hashes a key, never reads its
 * properties, and finds it in O(1).
 *
 * `compare: "structural"` compares keys as `Equal.equals` does, except that an opaque
 * object, such as a DOM node, a `Blob`, a promise or a stream, is only equal to itself,
 * even inside another key. An operation on a key object that the map does not contain
 * hashes the key: it reads the whole object, its getters included, so do not change such
 * a key afterwards. An entry keeps the key that it was first set with, and ends when that
 * key has been collected.
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
 * Checks whether a value is a `WeakKeyMap` of this library.
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
 * import { WeakKeyMap } from "effect-weakref"
 *
 * WeakKeyMap.isWeakKeyMap(WeakKeyMap.makeUnsafe()) // => true
 * WeakKeyMap.isWeakKeyMap(new Map()) // => false
 * ```
 *
 * @see {@link make} for the constructor
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isWeakKeyMap = (u: unknown): u is WeakKeyMap<WeakKey, unknown> => guard(() => u instanceof WeakKeyMapImpl)

// The hot functions below do not use `dual`. `internal/collection.ts` has the reason.
type AnyMap = WeakKeyMap<WeakKey, unknown>

class WeakKeyMapImpl<K extends WeakKey, V> extends Collection<[K, V], WeakKeyTable<K, V>> implements WeakKeyMap<K, V> {
  get [TypeId](): typeof TypeId {
    return TypeId
  }

  override get [name](): string {
    return "WeakKeyMap"
  }

  override [Symbol.iterator](): MapIterator<[K, V]> {
    return this[table].entries()
  }
}

/** Returns the table. Throws if the map belongs to another copy of the package. */
const tableOf = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): WeakKeyTable<K, V> =>
  // A program without types can pass anything.
  (self as WeakKeyMap<K, V> | undefined)?.[table] ?? refuse(self, TypeId)

/**
 * Creates an empty map on the heap of the context.
 *
 * **When to use**
 *
 * Use in effects, so that a test can replace the heap.
 *
 * **Details**
 *
 * Keys compare by reference, unless {@link Options} say otherwise. If `compare` is
 * unknown, the effect dies with a `TypeError`. Costs O(1), and nothing is registered with
 * the engine yet.
 *
 * **Example** (Creating a map in an effect)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const ada = { name: "Ada" }
 *   const ages = yield* WeakKeyMap.make<{ readonly name: string }, number>()
 *   return WeakKeyMap.has(WeakKeyMap.set(ages, ada, 36), ada)
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
export const make = <K extends WeakKey, V>(options?: Options): Effect.Effect<WeakKeyMap<K, V>> =>
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
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const key = { id: 1 }
 * const byReference = WeakKeyMap.makeUnsafe<object, string>()
 * WeakKeyMap.set(byReference, key, "one")
 * WeakKeyMap.has(byReference, { id: 1 }) // => false
 *
 * const byStructure = WeakKeyMap.makeUnsafe<object, string>({ compare: "structural" })
 * WeakKeyMap.set(byStructure, key, "one")
 * WeakKeyMap.has(byStructure, { id: 1 }) // => true
 * ```
 *
 * @see {@link make} to take the heap from the context
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const makeUnsafe = <K extends WeakKey, V>(options?: Options, heap: Heap = host): WeakKeyMap<K, V> => {
  keepHot(TypeId, () => new WeakKeyMapImpl(new WeakKeyTable(host, "reference")))
  return new WeakKeyMapImpl(new WeakKeyTable<K, V>(heap, options?.compare ?? "reference"))
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
 * Fails with `NotWeakReferenceableError` if a key cannot be a referent, and dies with an
 * error of the iterable itself. If two entries have equal keys, the map keeps the first
 * key and the last value. Costs O(m), where m is the number of entries of the iterable.
 *
 * **Example** (Creating a map from entries)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = Effect.runSync(WeakKeyMap.fromIterable([[ada, 36]]))
 * WeakKeyMap.get(ages, ada) // => Option.some(36)
 * ```
 *
 * @see {@link setAll} to add entries to a map
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const fromIterable = <K extends WeakKey, V>(
  entries: Iterable<readonly [K, V]>,
  options?: Options
): Effect.Effect<WeakKeyMap<K, V>, NotWeakReferenceableError> =>
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
 * Costs O(1), and dereferences only if keys compare by structure and this key object is
 * not in the map.
 *
 * **Example** (Looking up a key)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.get(ages, ada) // => Option.some(36)
 * WeakKeyMap.get(ages, { name: "Bob" }) // => Option.none()
 * ```
 *
 * @see {@link has} to check without reading the value
 * @see {@link getOrSet} to insert a missing value
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export function get<K1 extends K, K extends WeakKey = K1>(key: K1): <V>(self: WeakKeyMap<K, V>) => Option.Option<V>
export function get<K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): Option.Option<V>
export function get(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return later(get, self)
  return tableOf(self as AnyMap).get(key as WeakKey)
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
 * Costs O(1), and dereferences only if keys compare by structure and this key object is
 * not in the map.
 *
 * **Example** (Checking a key)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.has(ages, ada) // => true
 * ```
 *
 * @see {@link get} for the value
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export function has<K1 extends K, K extends WeakKey = K1>(key: K1): <V>(self: WeakKeyMap<K, V>) => boolean
export function has<K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): boolean
export function has(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return later(has, self)
  return tableOf(self as AnyMap).has(key as WeakKey)
}

/**
 * Sets the value of a key, and returns the map.
 *
 * **When to use**
 *
 * Use to attach a value to an object for as long as the object lives.
 *
 * **Details**
 *
 * If an equal key is in the map, its entry keeps its key and its position, and otherwise
 * the new entry becomes the last one. Throws `NotWeakReferenceableError` and changes
 * nothing if the key cannot be a referent. Costs O(1), amortized, and dereferences only
 * if keys compare by structure and this key object is not in the map.
 *
 * **Gotchas**
 *
 * Structural comparison runs user code: `Equal` and `Hash` implementations, and getters.
 * If that code changes the map, the operation looks up the key again, and throws an error
 * after 100 attempts.
 *
 * **Example** (Setting and replacing a value)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.set(ages, ada, 41)
 * WeakKeyMap.size(ages) // => 1
 * ```
 *
 * @see {@link setAll} for many entries
 * @see {@link getOrSet} to keep a live value
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export function set<K1 extends K, V1 extends V, K extends WeakKey = K1, V = V1>(
  key: K1,
  value: V1
): (self: WeakKeyMap<K, V>) => WeakKeyMap<K, V>
export function set<K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K, value: V): WeakKeyMap<K, V>
export function set(self: unknown, key?: unknown, value?: unknown): unknown {
  if (arguments.length === 2) return later(set, self, key)
  tableOf(self as AnyMap).set(key as WeakKey, value)
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
 * value. Costs O(1), amortized, and may dereference the keys that it compares.
 *
 * **Example** (Removing an entry)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.remove(ages, ada)
 * WeakKeyMap.has(ages, ada) // => false
 * ```
 *
 * @see {@link pop} to get the value
 * @see {@link clear} to remove everything
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export function remove<K1 extends K, K extends WeakKey = K1>(key: K1): <V>(self: WeakKeyMap<K, V>) => WeakKeyMap<K, V>
export function remove<K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): WeakKeyMap<K, V>
export function remove(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return later(remove, self)
  tableOf(self as AnyMap).remove(key as WeakKey)
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
 * Costs O(1), amortized, and dereferences the key of the entry.
 *
 * **Example** (Removing and returning a value)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.pop(ages, ada) // => Option.some(36)
 * WeakKeyMap.pop(ages, ada) // => Option.none()
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
  <K1 extends K, K extends WeakKey = K1>(key: K1): <V>(self: WeakKeyMap<K, V>) => Option.Option<V>
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): Option.Option<V>
} = dual(2, <K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): Option.Option<V> => tableOf(self).pop(key))

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
 * the first call after a collection, and dereferences the key that it returns.
 *
 * **Example** (Emptying a map from its oldest entry on)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const bob = { name: "Bob" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.set(ages, bob, 41)
 * WeakKeyMap.popEntry(ages) // => Option.some([ada, 36])
 * WeakKeyMap.popEntry(ages) // => Option.some([bob, 41])
 * WeakKeyMap.popEntry(ages) // => Option.none()
 * ```
 *
 * @see {@link pop} for the entry of a key
 * @see {@link isEmpty} as the condition of a loop
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const popEntry = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): Option.Option<[K, V]> =>
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
 * key.
 *
 * **Example** (Removing all entries)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.size(WeakKeyMap.clear(ages)) // => 0
 * ```
 *
 * @see {@link remove} for one entry
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const clear = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): WeakKeyMap<K, V> => {
  tableOf(self).clear()
  return self
}

/**
 * Returns the value of a key, or calls `make` and inserts its result if there is no live
 * entry.
 *
 * **When to use**
 *
 * Use to attach a value to an object the first time that it is needed.
 *
 * **Details**
 *
 * If `make` itself sets the same key, the first value stays, and every caller receives
 * it. Throws `NotWeakReferenceableError` if the key cannot be a referent, and inserts
 * nothing if `make` throws. Costs O(1), amortized, and dereferences only if keys compare
 * by structure and this key object is not in the map.
 *
 * **Example** (Numbering objects)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ids = WeakKeyMap.makeUnsafe<object, number>()
 * let next = 0
 * const idOf = (key: object) => WeakKeyMap.getOrSet(ids, key, () => next++)
 *
 * const ada = {}
 * const bob = {}
 * const all = [idOf(ada), idOf(bob), idOf(ada)]
 * all // => [0, 1, 0]
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
  <K1 extends K, V1 extends V, K extends WeakKey = K1, V = V1>(
    key: K1,
    make: () => V1
  ): (self: WeakKeyMap<K, V>) => V
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K, make: () => V): V
} = dual(
  3,
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K, make: () => V): V => tableOf(self).getOrSet(key, make)
)

/**
 * Replaces the value of a key with the result of `f`, and returns the map.
 *
 * **When to use**
 *
 * Use to change a value that exists, for example to increase a counter, or use
 * {@link modifyAt} to insert and remove as well.
 *
 * **Details**
 *
 * Does nothing if there is no live entry, and changes nothing if `f` throws. If `f`
 * removes the entry, the result of `f` becomes a new entry. Costs O(1), amortized, and
 * dereferences only if keys compare by structure and this key object is not in the map.
 *
 * **Example** (Replacing a value)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.modify(ages, ada, (age) => age + 1)
 * WeakKeyMap.get(ages, ada) // => Option.some(37)
 * ```
 *
 * @see {@link modifyAt} to insert or remove as well
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const modify: {
  <K1 extends K, V, K extends WeakKey = K1>(
    key: K1,
    f: (value: V) => V
  ): (self: WeakKeyMap<K, V>) => WeakKeyMap<K, V>
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K, f: (value: V) => V): WeakKeyMap<K, V>
} = dual(
  3,
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K, f: (value: V) => V): WeakKeyMap<K, V> => {
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
 * if `f` returns a value for a key that cannot be a referent. Costs O(1), amortized, and
 * may dereference the keys that it compares.
 *
 * **Example** (Changing and removing an entry)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * const birthday = Option.map((age: number) => age + 1)
 * WeakKeyMap.modifyAt(ages, ada, birthday)
 * WeakKeyMap.get(ages, ada) // => Option.some(37)
 * WeakKeyMap.modifyAt(ages, ada, () => Option.none())
 * WeakKeyMap.has(ages, ada) // => false
 * ```
 *
 * @see {@link modify} to change a live entry only
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const modifyAt: {
  <K1 extends K, V, K extends WeakKey = K1>(
    key: K1,
    f: (value: Option.Option<V>) => Option.Option<V>
  ): (self: WeakKeyMap<K, V>) => WeakKeyMap<K, V>
  <K extends WeakKey, V>(
    self: WeakKeyMap<K, V>,
    key: K,
    f: (value: Option.Option<V>) => Option.Option<V>
  ): WeakKeyMap<K, V>
} = dual(3, <K extends WeakKey, V>(
  self: WeakKeyMap<K, V>,
  key: K,
  f: (value: Option.Option<V>) => Option.Option<V>
): WeakKeyMap<K, V> => {
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
 * `NotWeakReferenceableError` if a key cannot be a referent, or the error of the iterable
 * or of a comparison, and sets nothing if it throws. Costs O(m), amortized, and may
 * dereference the keys that it compares.
 *
 * **Example** (Adding the entries of a native map)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const bob = { name: "Bob" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.setAll(ages, new Map([[bob, 41]]))
 * Array.from(WeakKeyMap.values(ages)) // => [36, 41]
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
  <K1 extends K, V1 extends V, K extends WeakKey = K1, V = V1>(
    entries: Iterable<readonly [K1, V1]>
  ): (self: WeakKeyMap<K, V>) => WeakKeyMap<K, V>
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, entries: Iterable<readonly [K, V]>): WeakKeyMap<K, V>
} = dual(
  2,
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, entries: Iterable<readonly [K, V]>): WeakKeyMap<K, V> => {
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
 * the comparison of the first map. Costs O(n + m), and dereferences every live key of
 * both maps.
 *
 * **Example** (Joining two maps)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const [ada, bob] = [{ name: "Ada" }, { name: "Bob" }]
 * const self = WeakKeyMap.set(WeakKeyMap.makeUnsafe<{ readonly name: string }, number>(), ada, 36)
 * const that = WeakKeyMap.set(WeakKeyMap.makeUnsafe<{ readonly name: string }, number>(), bob, 41)
 * WeakKeyMap.size(WeakKeyMap.union(self, that)) // => 2
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
  <K extends WeakKey, V>(that: WeakKeyMap<K, V>): (self: WeakKeyMap<K, V>) => WeakKeyMap<K, V>
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, that: WeakKeyMap<K, V>): WeakKeyMap<K, V>
} = dual(
  2,
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, that: WeakKeyMap<K, V>): WeakKeyMap<K, V> => setAll(copy(self), that)
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
 * live key.
 *
 * **Example** (Copying a map)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * const copy = WeakKeyMap.copy(ages)
 * WeakKeyMap.clear(ages)
 * WeakKeyMap.has(copy, ada) // => true
 * ```
 *
 * @see {@link copyWith} to copy the values as well
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const copy = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): WeakKeyMap<K, V> => copyWith(self, (value) => value)

/**
 * Returns a new map with the same keys, and the results of `f` as values.
 *
 * **When to use**
 *
 * Use to copy the values as well, for example for a deep copy.
 *
 * **Details**
 *
 * The copy has the same heap and the same comparison. Costs O(n), and dereferences every
 * live key.
 *
 * **Example** (Copying with other values)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * const copy = WeakKeyMap.copyWith(ages, (age) => age + 1)
 * Array.from(WeakKeyMap.values(copy)) // => [37]
 * ```
 *
 * @see {@link copy} to share the values
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const copyWith: {
  <V, V2>(f: (value: V) => V2): <K extends WeakKey>(self: WeakKeyMap<K, V>) => WeakKeyMap<K, V2>
  <K extends WeakKey, V, V2>(self: WeakKeyMap<K, V>, f: (value: V) => V2): WeakKeyMap<K, V2>
} = dual(2, <K extends WeakKey, V, V2>(self: WeakKeyMap<K, V>, f: (value: V) => V2): WeakKeyMap<K, V2> => {
  const { compare, heap } = tableOf(self)
  const that = makeUnsafe<K, V2>({ compare }, heap)
  for (const [key, value] of self) tableOf(that).set(key, f(value))
  return that
})

/**
 * Returns an iterator of the keys of the live entries.
 *
 * **When to use**
 *
 * Use to visit the objects that have an entry.
 *
 * **Details**
 *
 * Iterates in insertion order. The iterator never throws and never yields a dead entry,
 * even if entries are collected, inserted or removed between two steps. It inherits from
 * the native iterator prototype, with `map` and `filter` if the host has them. All steps
 * together cost O(n), and each step dereferences the key that it reaches.
 *
 * **Gotchas**
 *
 * A paused iterator holds no referent, but if the map grows meanwhile, it keeps the old
 * storage alive, as the iterator of a native `Map` does. Drop the iterator when you no
 * longer need it.
 *
 * **Example** (Listing the keys)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * Array.from(WeakKeyMap.keys(ages), (key) => key.name) // => ["Ada"]
 * ```
 *
 * @see {@link entries} for keys and values
 * @see {@link keyRefs} for references that you can store
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const keys = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): MapIterator<K> => tableOf(self).keys()

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
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * Array.from(WeakKeyMap.values(ages)) // => [36]
 * ```
 *
 * @see {@link entries} for keys and values
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const values = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): MapIterator<V> => tableOf(self).values()

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
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * Array.from(WeakKeyMap.entries(ages)) // => [[ada, 36]]
 * ```
 *
 * @see {@link forEach} for the fastest loop
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const entries = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): MapIterator<[K, V]> => tableOf(self).entries()

/**
 * Returns an iterator of references to the live keys.
 *
 * **When to use**
 *
 * Use to visit the keys in a later turn without holding them.
 *
 * **Details**
 *
 * Iterates as {@link keys} does, and yields the same shared references that
 * `WeakRef.make` returns. All steps together cost O(n), and each step dereferences a key.
 *
 * **Example** (Visiting the keys later)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakKeyMap, WeakRef } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * const refs = Array.from(WeakKeyMap.keyRefs(ages))
 * refs.map(WeakRef.deref) // => [Option.some(ada)]
 * ```
 *
 * @see {@link keys} for the keys themselves
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakKeyDictionary.keyrefs | Python, WeakKeyDictionary.keyrefs} for the source of the semantics
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const keyRefs = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): MapIterator<WeakRef<K>> =>
  tableOf(self).map((key) => makeRef(key, tableOf(self).heap))

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
 * creates no pairs. Costs O(n), and dereferences every live key.
 *
 * **Example** (Visiting all entries)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * const seen: Array<string> = []
 * WeakKeyMap.forEach(ages, (value, key) => seen.push(`${key.name} is ${value}`))
 * seen // => ["Ada is 36"]
 * ```
 *
 * @see {@link entries} to stop early
 *
 * @category traversing
 * @stability stable
 * @since 0.1.0
 */
export const forEach: {
  <K extends WeakKey, V>(f: (value: V, key: K) => void): (self: WeakKeyMap<K, V>) => void
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, f: (value: V, key: K) => void): void
} = dual(2, <K extends WeakKey, V>(self: WeakKeyMap<K, V>, f: (value: V, key: K) => void): void => {
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
 * {@link count}. Costs O(1), and does not dereference any key.
 *
 * **Example** (Counting entries)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.size(ages) // => 1
 * ```
 *
 * @see {@link count} for the exact number
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const size = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): number => tableOf(self).size

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
 * the key that it finds.
 *
 * **Example** (Checking for entries)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.isEmpty(ages) // => false
 * WeakKeyMap.isEmpty(WeakKeyMap.clear(ages)) // => true
 * ```
 *
 * @see {@link count} for the number
 * @see {@link size} for an upper bound without dereferencing
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isEmpty = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): boolean => tableOf(self).isEmpty()

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
 * Costs O(n), and dereferences every key, so all keys stay alive to the end of the turn.
 *
 * **Example** (Counting live entries)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.count(ages) // => 1
 * ```
 *
 * @see {@link size} for an upper bound in O(1)
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const count = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): number => tableOf(self).count()

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
 * every live key of both maps.
 *
 * **Gotchas**
 *
 * `Equal.equals` compares two maps by identity, because a `WeakKeyMap` is mutable.
 *
 * **Example** (Comparing contents)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const one = Effect.runSync(WeakKeyMap.fromIterable([[ada, 36]]))
 * const two = Effect.runSync(WeakKeyMap.fromIterable([[ada, 36]]))
 * WeakKeyMap.equals(one, two) // => true
 * ```
 *
 * @see {@link has} for one key
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const equals: {
  <K extends WeakKey, V>(that: WeakKeyMap<K, V>): (self: WeakKeyMap<K, V>) => boolean
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, that: WeakKeyMap<K, V>): boolean
} = dual(
  2,
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, that: WeakKeyMap<K, V>): boolean => tableOf(self).equals(tableOf(that))
)
