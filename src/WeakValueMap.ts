/**
 * A map with strong keys and weak values: an entry goes when its value has been
 * collected.
 *
 * A `WeakValueMap` names objects without owning them: a cache of large objects
 * that lasts for as long as somebody uses them, an index from ids to objects,
 * the one live instance of each name. It is synchronous and mutable, as
 * `MutableHashMap` is, and iterates in insertion order.
 *
 * Costs are given in n, the number of entries not yet reclaimed, and count a
 * hash of the key as constant; a lookup by the very key object, or by a
 * primitive, does not hash. An operation that dereferences keeps the values that
 * it sees to the end of the turn.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { format } from "effect/Formatter"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import { type Inspectable, toJson } from "effect/Inspectable"
import type * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import { Heap } from "./Heap.ts"
import { Base } from "./internal/base.ts"
import { host } from "./internal/heap.ts"
import { fill, type Options, WeakValueTable } from "./internal/weakTable.ts"
import type { NotWeakReferenceableError } from "./WeakError.ts"
import { KeyedRef } from "./WeakRef.ts"

const TypeId = "~effect-weakref/WeakValueMap"

/** @internal */
export const table: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/WeakValueMap/table")

/**
 * A map from strong keys of any type to weak values.
 *
 * **Details**
 *
 * Keys compare with `Equal.equals`, or by identity with
 * `{ compare: "reference" }`. Two maps are `Equal` when they are the same
 * object; {@link equals} compares their entries.
 *
 * **Gotchas**
 *
 * The map holds its keys: a key that reaches its own value keeps the value, and
 * so itself, in the map.
 *
 * **Example** (Naming objects that somebody else owns)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
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
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakValueDictionary | Python, weakref.WeakValueDictionary} for the source of the semantics
 *
 * @category models
 * @since 0.1.0
 */
export interface WeakValueMap<in out K, in out V extends WeakKey> extends Iterable<[K, V]>, Pipeable, Inspectable {
  readonly [TypeId]: typeof TypeId
  /** @internal */
  readonly [table]: WeakValueTable<K, V>
}

/**
 * Checks whether a value is a `WeakValueMap`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isWeakValueMap = (u: unknown): u is WeakValueMap<unknown, WeakKey> => hasProperty(u, TypeId)

// The hot functions below are written out where `dual` would stand: all that it
// makes share one call site, which engines then cannot inline.
type AnyMap = WeakValueMap<unknown, WeakKey>

class WeakValueMapImpl<K, V extends WeakKey> extends Base implements WeakValueMap<K, V> {
  /** @internal */
  declare readonly [table]: WeakValueTable<K, V>

  constructor(entries: WeakValueTable<K, V>) {
    super()
    this[table] = entries
  }

  get [TypeId](): typeof TypeId {
    return TypeId
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this[table][Symbol.iterator]()
  }

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }

  toJSON(): unknown {
    return { _id: "WeakValueMap", values: toJson(Array.from(this)) }
  }

  override toString(): string {
    return `WeakValueMap(${format(Array.from(this))})`
  }
}

/**
 * Creates an empty map on the heap of the context.
 *
 * **Details**
 *
 * With `{ compare: "reference" }` keys compare by identity and are never hashed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <K, V extends WeakKey>(options?: Options): Effect.Effect<WeakValueMap<K, V>> =>
  Effect.map(Heap, (heap) => makeUnsafe(options, heap))

/**
 * Creates an empty map synchronously, on the host's heap unless another is given.
 *
 * **Example** (Keys compared by identity)
 *
 * ```ts import.meta.vitest
 * import { WeakValueMap } from "effect-weakref"
 *
 * const value = {}
 * const byStructure = WeakValueMap.makeUnsafe<object, object>()
 * WeakValueMap.set(byStructure, { id: 1 }, value)
 * WeakValueMap.has(byStructure, { id: 1 }) // => true
 *
 * const byIdentity = WeakValueMap.makeUnsafe<object, object>({ compare: "reference" })
 * WeakValueMap.set(byIdentity, { id: 1 }, value)
 * WeakValueMap.has(byIdentity, { id: 1 }) // => false
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = <K, V extends WeakKey>(options?: Options, heap: Heap = host): WeakValueMap<K, V> =>
  new WeakValueMapImpl(new WeakValueTable<K, V>(heap, options))

/**
 * Creates a map from entries, all or nothing: fails with
 * `NotWeakReferenceableError`, and leaves nothing behind, where a value cannot be
 * a referent. Of two entries with equal keys the later gives the value.
 *
 * **Example** (From entries)
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
 * @category constructors
 * @since 0.1.0
 */
export const fromIterable = <K, V extends WeakKey>(
  entries: Iterable<readonly [K, V]>,
  options?: Options
): Effect.Effect<WeakValueMap<K, V>, NotWeakReferenceableError> =>
  Effect.flatMap(Heap, (heap) => {
    const self = makeUnsafe<K, V>(options, heap)
    return Effect.as(fill(() => self[table].setAll(entries)), self)
  })

/**
 * Looks a value up: `None` where there is no entry, or its value has been
 * collected. O(1). Dereferences.
 *
 * **Example** (Looking up)
 *
 * ```ts import.meta.vitest
 * import { Option, pipe } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakValueMap.makeUnsafe<string, { readonly name: string }>()
 * WeakValueMap.set(people, "ada", ada)
 * WeakValueMap.get(people, "ada") // => Option.some(ada)
 * pipe(people, WeakValueMap.get("bob")) // => Option.none()
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export function get<K1 extends K, K = K1>(key: K1): <V extends WeakKey>(self: WeakValueMap<K, V>) => Option.Option<V>
export function get<K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): Option.Option<V>
export function get(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return (that: AnyMap) => that[table].get(self)
  return (self as AnyMap)[table].get(key)
}

/**
 * Whether there is an entry with a live value. O(1). Dereferences.
 *
 * @category getters
 * @since 0.1.0
 */
export function has<K1 extends K, K = K1>(key: K1): <V extends WeakKey>(self: WeakValueMap<K, V>) => boolean
export function has<K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): boolean
export function has(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return (that: AnyMap) => that[table].has(self)
  return (self as AnyMap)[table].has(key)
}

/**
 * Sets the value of a key, and gives the map.
 *
 * **Details**
 *
 * Where an equal key has a live value, that entry keeps its key and its place and
 * gets the new value; otherwise the entry comes last. Throws
 * `NotWeakReferenceableError` where the value cannot be a referent, and then
 * changes nothing. O(1), amortized.
 *
 * @category operations
 * @since 0.1.0
 */
export function set<K1 extends K, V1 extends V, K = K1, V extends WeakKey = V1>(
  key: K1,
  value: V1
): (self: WeakValueMap<K, V>) => WeakValueMap<K, V>
export function set<K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K, value: V): WeakValueMap<K, V>
export function set(self: unknown, key?: unknown, value?: unknown): unknown {
  if (arguments.length === 2) return (that: AnyMap) => set(that, self, key as WeakKey)
  ;(self as AnyMap)[table].set(key, value as WeakKey)
  return self
}

/**
 * Removes the entry of a key, if there is one, and gives the map. Nothing of the
 * entry is left behind. O(1), amortized.
 *
 * @category operations
 * @since 0.1.0
 */
export function remove<K1 extends K, K = K1>(
  key: K1
): <V extends WeakKey>(self: WeakValueMap<K, V>) => WeakValueMap<K, V>
export function remove<K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): WeakValueMap<K, V>
export function remove(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return (that: AnyMap) => remove(that, self)
  ;(self as AnyMap)[table].remove(key)
  return self
}

/**
 * Removes the entry of a key and gives its value, if it had a live one. O(1),
 * amortized. Dereferences.
 *
 * **Example** (Taking a value out)
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
 * @category operations
 * @since 0.1.0
 */
export const pop: {
  <K1 extends K, K = K1>(key: K1): <V extends WeakKey>(self: WeakValueMap<K, V>) => Option.Option<V>
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): Option.Option<V>
} = dual(2, <K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K): Option.Option<V> => self[table].pop(key))

/**
 * Removes the oldest live entry and gives it; `None` where there is none. O(1),
 * amortized over the entries that died before it. Dereferences.
 *
 * @category operations
 * @since 0.1.0
 */
export const popEntry = <K, V extends WeakKey>(self: WeakValueMap<K, V>): Option.Option<[K, V]> =>
  self[table].popEntry()

/**
 * Removes all entries, and gives the map. O(n) in time, nothing left behind.
 *
 * @category operations
 * @since 0.1.0
 */
export const clear = <K, V extends WeakKey>(self: WeakValueMap<K, V>): WeakValueMap<K, V> => {
  self[table].clear()
  return self
}

/**
 * Gives the live value of a key; where there is none, makes one, sets it and
 * gives it. O(1), amortized. Dereferences.
 *
 * **Details**
 *
 * Throws `NotWeakReferenceableError` where what was made cannot be a referent.
 *
 * **Example** (One live instance of each name)
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
 * @category operations
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
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, key: K, make: () => V): V => self[table].getOrSet(key, make)
)

/**
 * Replaces the live value of a key by what `f` makes of it, if there is one, and
 * gives the map. O(1), amortized. Dereferences.
 *
 * @category operations
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
    self[table].modify(key, f)
    return self
  }
)

/**
 * Sets, replaces or removes the entry of a key: `f` is given the live value, if
 * there is one, and gives the new one, or `None` for no entry. Gives the map.
 * O(1), amortized. Dereferences.
 *
 * @category operations
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
  self[table].modifyAt(key, f)
  return self
})

/**
 * Sets all entries in turn, and gives the map: all or nothing, as
 * {@link fromIterable}, but it throws. The newcomer wins. O(their number),
 * amortized.
 *
 * @category operations
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
    self[table].setAll(entries)
    return self
  }
)

/**
 * A new map with the live entries of both, on the first one's heap and comparing
 * as it does; where both have a key, the second one's value wins. O(n + m).
 * Dereferences.
 *
 * **Example** (The newcomer wins)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 *
 * const one = { id: 1 }
 * const two = { id: 2 }
 * const self = WeakValueMap.makeUnsafe<string, { readonly id: number }>()
 * WeakValueMap.set(self, "a", one)
 * const that = WeakValueMap.makeUnsafe<string, { readonly id: number }>()
 * WeakValueMap.set(that, "a", two)
 * WeakValueMap.get(WeakValueMap.union(self, that), "a") // => Option.some(two)
 * ```
 *
 * @category operations
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
 * A new map with the live entries, on the same heap and comparing in the same
 * way. O(n). Dereferences.
 *
 * @category operations
 * @since 0.1.0
 */
export const copy = <K, V extends WeakKey>(self: WeakValueMap<K, V>): WeakValueMap<K, V> => copyWith(self, (key) => key)

/**
 * A new map with the same values under keys that `f` makes of the old ones: the
 * hook for a deep copy, which copies what the map holds strongly. O(n).
 * Dereferences.
 *
 * @category operations
 * @since 0.1.0
 */
export const copyWith: {
  <K, K2>(f: (key: K) => K2): <V extends WeakKey>(self: WeakValueMap<K, V>) => WeakValueMap<K2, V>
  <K, V extends WeakKey, K2>(self: WeakValueMap<K, V>, f: (key: K) => K2): WeakValueMap<K2, V>
} = dual(2, <K, V extends WeakKey, K2>(self: WeakValueMap<K, V>, f: (key: K) => K2): WeakValueMap<K2, V> => {
  const { compare, heap } = self[table]
  const that = makeUnsafe<K2, V>({ compare }, heap)
  for (const [key, value] of self) that[table].set(f(key), value)
  return that
})

/**
 * The keys of the live entries, in insertion order. Iterating never throws and
 * never yields a dead entry, whatever is collected, added or removed meanwhile.
 * O(n) for all. Each step dereferences.
 *
 * **Gotchas**
 *
 * An iterator that waits keeps no referent, but as with a native `Map` it keeps the
 * storage that the map outgrows meanwhile, and the keys in it: drop it when you are done.
 *
 * @category getters
 * @since 0.1.0
 */
export const keys = <K, V extends WeakKey>(self: WeakValueMap<K, V>): IterableIterator<K> => self[table].keys()

/**
 * The live values, in insertion order, as {@link keys}.
 *
 * @category getters
 * @since 0.1.0
 */
export const values = <K, V extends WeakKey>(self: WeakValueMap<K, V>): IterableIterator<V> => self[table].values()

/**
 * The live entries, in insertion order, as {@link keys}; what iterating over the
 * map itself gives.
 *
 * @category getters
 * @since 0.1.0
 */
export const entries = <K, V extends WeakKey>(self: WeakValueMap<K, V>): IterableIterator<[K, V]> =>
  self[table][Symbol.iterator]()

/**
 * References to the live values, each with its key, in insertion order. They do
 * not keep the values: a list of them can be gone through in a later turn.
 *
 * **Example** (Going through a map later)
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
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakValueDictionary.valuerefs | Python, WeakValueDictionary.valuerefs} for the source of the semantics
 *
 * @category getters
 * @since 0.1.0
 */
export const valueRefs = <K, V extends WeakKey>(self: WeakValueMap<K, V>): IterableIterator<KeyedRef<K, V>> =>
  self[table].map((key, value) => new KeyedRef(key, value, self[table].heap))

/**
 * Calls `f` with each live value and its key, in insertion order, as {@link keys}
 * iterates.
 *
 * @category operations
 * @since 0.1.0
 */
export const forEach: {
  <K, V extends WeakKey>(f: (value: V, key: K) => void): (self: WeakValueMap<K, V>) => void
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, f: (value: V, key: K) => void): void
} = dual(2, <K, V extends WeakKey>(self: WeakValueMap<K, V>, f: (value: V, key: K) => void): void => {
  for (const [key, value] of self) f(value, key)
})

/**
 * How many entries are not yet reclaimed: an upper bound of {@link count}. O(1).
 * It does not dereference.
 *
 * @category getters
 * @since 0.1.0
 */
export const size = <K, V extends WeakKey>(self: WeakValueMap<K, V>): number => self[table].size

/**
 * Whether there is no live entry, exactly. O(n) at worst, O(1) where the oldest
 * entry lives. Dereferences.
 *
 * @category getters
 * @since 0.1.0
 */
export const isEmpty = <K, V extends WeakKey>(self: WeakValueMap<K, V>): boolean => self[table].isEmpty()

/**
 * How many entries are alive, exactly. O(n). Dereferences.
 *
 * @category getters
 * @since 0.1.0
 */
export const count = <K, V extends WeakKey>(self: WeakValueMap<K, V>): number => self[table].count()

/**
 * Whether two maps have the same live entries, in any order: keys as the first
 * map compares them; values by `Equal.equals`, or by identity where the first map
 * compares by reference. O(n + m). Dereferences.
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
 * @category equality
 * @since 0.1.0
 */
export const equals: {
  <K, V extends WeakKey>(that: WeakValueMap<K, V>): (self: WeakValueMap<K, V>) => boolean
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, that: WeakValueMap<K, V>): boolean
} = dual(
  2,
  <K, V extends WeakKey>(self: WeakValueMap<K, V>, that: WeakValueMap<K, V>): boolean => self[table].equals(that[table])
)
