/**
 * A map with weak keys and strong values: an entry goes when its key has been
 * collected.
 *
 * A `WeakKeyMap` attaches data to objects that somebody else owns: what is known
 * of a request, the listeners of a node, the result computed from a document. It
 * holds ephemerons: a value that reaches its own key, directly or through other
 * entries, does not keep it. It is synchronous and mutable, as `MutableHashMap`
 * is, and, other than the host's `WeakMap`, it iterates, in insertion order,
 * counts, and can compare keys by structure.
 *
 * Costs are given in n, the number of entries not yet reclaimed, and count a
 * hash of the key as constant; a lookup by the very key object does not hash. An
 * operation that dereferences keeps the keys that it sees to the end of the turn.
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
import { fill, type Options, WeakKeyTable } from "./internal/weakTable.ts"
import type { NotWeakReferenceableError } from "./WeakError.ts"
import { makeUnsafe as makeRef, type WeakRef } from "./WeakRef.ts"

const TypeId = "~effect-weakref/WeakKeyMap"

/** @internal */
export const table: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/WeakKeyMap/table")

/**
 * A map from weak keys to strong values that belong to them.
 *
 * **Details**
 *
 * Keys compare with `Equal.equals`, or by identity with
 * `{ compare: "reference" }`; by identity they are never hashed, so that a key
 * can be something whose structure must not be walked, such as a socket or a DOM
 * node. An entry lives as long as the key that it was first set with: setting an
 * equal key replaces the value, not the key. Two maps are `Equal` when they are
 * the same object; {@link equals} compares their entries.
 *
 * **Gotchas**
 *
 * With structural comparison, an equal key that you made only to look something
 * up does not keep the entry; the key that it was first set with does.
 *
 * **Example** (Data about objects that somebody else owns)
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
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakKeyDictionary | Python, weakref.WeakKeyDictionary} for the source of the semantics
 * @see {@link https://doi.org/10.1145/263698.263733 | Hayes, Ephemerons: a new finalization mechanism} for what Python's dictionary lacks
 *
 * @category models
 * @since 0.1.0
 */
export interface WeakKeyMap<in out K extends WeakKey, in out V> extends Iterable<[K, V]>, Pipeable, Inspectable {
  readonly [TypeId]: typeof TypeId
  /** @internal */
  readonly [table]: WeakKeyTable<K, V>
}

/**
 * Checks whether a value is a `WeakKeyMap`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isWeakKeyMap = (u: unknown): u is WeakKeyMap<WeakKey, unknown> => hasProperty(u, TypeId)

// The hot functions below are written out where `dual` would stand: all that it
// makes share one call site, which engines then cannot inline.
type AnyMap = WeakKeyMap<WeakKey, unknown>

class WeakKeyMapImpl<K extends WeakKey, V> extends Base implements WeakKeyMap<K, V> {
  /** @internal */
  declare readonly [table]: WeakKeyTable<K, V>

  constructor(entries: WeakKeyTable<K, V>) {
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
    return { _id: "WeakKeyMap", values: toJson(Array.from(this)) }
  }

  override toString(): string {
    return `WeakKeyMap(${format(Array.from(this))})`
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
export const make = <K extends WeakKey, V>(options?: Options): Effect.Effect<WeakKeyMap<K, V>> =>
  Effect.map(Heap, (heap) => makeUnsafe(options, heap))

/**
 * Creates an empty map synchronously, on the host's heap unless another is given.
 *
 * **Example** (Keys compared by identity)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const key = { id: 1 }
 * const byStructure = WeakKeyMap.makeUnsafe<object, string>()
 * WeakKeyMap.set(byStructure, key, "one")
 * WeakKeyMap.has(byStructure, { id: 1 }) // => true
 *
 * const byIdentity = WeakKeyMap.makeUnsafe<object, string>({ compare: "reference" })
 * WeakKeyMap.set(byIdentity, key, "one")
 * WeakKeyMap.has(byIdentity, { id: 1 }) // => false
 * WeakKeyMap.has(byIdentity, key) // => true
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = <K extends WeakKey, V>(options?: Options, heap: Heap = host): WeakKeyMap<K, V> =>
  new WeakKeyMapImpl(new WeakKeyTable<K, V>(heap, options))

/**
 * Creates a map from entries, all or nothing: fails with
 * `NotWeakReferenceableError`, and leaves nothing behind, where a key cannot be a
 * referent. Of two entries with equal keys the later gives the value.
 *
 * **Example** (From entries)
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
 * @category constructors
 * @since 0.1.0
 */
export const fromIterable = <K extends WeakKey, V>(
  entries: Iterable<readonly [K, V]>,
  options?: Options
): Effect.Effect<WeakKeyMap<K, V>, NotWeakReferenceableError> =>
  Effect.flatMap(Heap, (heap) => {
    const self = makeUnsafe<K, V>(options, heap)
    return Effect.as(fill(() => self[table].setAll(entries)), self)
  })

/**
 * Looks a value up: `None` where there is no entry. O(1). It dereferences only
 * where the key itself is not in the map and an equal one may be.
 *
 * **Example** (Looking up)
 *
 * ```ts import.meta.vitest
 * import { Option, pipe } from "effect"
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const ages = WeakKeyMap.makeUnsafe<{ readonly name: string }, number>()
 * WeakKeyMap.set(ages, ada, 36)
 * WeakKeyMap.get(ages, ada) // => Option.some(36)
 * pipe(ages, WeakKeyMap.get({ name: "Bob" })) // => Option.none()
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export function get<K1 extends K, K extends WeakKey = K1>(key: K1): <V>(self: WeakKeyMap<K, V>) => Option.Option<V>
export function get<K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): Option.Option<V>
export function get(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return (that: AnyMap) => that[table].get(self as WeakKey)
  return (self as AnyMap)[table].get(key as WeakKey)
}

/**
 * Whether there is an entry. O(1). Dereferences as {@link get} does.
 *
 * @category getters
 * @since 0.1.0
 */
export function has<K1 extends K, K extends WeakKey = K1>(key: K1): <V>(self: WeakKeyMap<K, V>) => boolean
export function has<K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): boolean
export function has(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return (that: AnyMap) => that[table].has(self as WeakKey)
  return (self as AnyMap)[table].has(key as WeakKey)
}

/**
 * Sets the value of a key, and gives the map.
 *
 * **Details**
 *
 * Where there is an equal key, that entry keeps its key and its place and gets the
 * new value; otherwise the entry comes last. Throws `NotWeakReferenceableError`
 * where the key cannot be a referent, and then changes nothing. O(1), amortized.
 *
 * @category operations
 * @since 0.1.0
 */
export function set<K1 extends K, V1 extends V, K extends WeakKey = K1, V = V1>(
  key: K1,
  value: V1
): (self: WeakKeyMap<K, V>) => WeakKeyMap<K, V>
export function set<K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K, value: V): WeakKeyMap<K, V>
export function set(self: unknown, key?: unknown, value?: unknown): unknown {
  if (arguments.length === 2) return (that: AnyMap) => set(that, self as WeakKey, key)
  ;(self as AnyMap)[table].set(key as WeakKey, value)
  return self
}

/**
 * Removes the entry of a key, if there is one, and gives the map. Nothing of the
 * entry is left behind. O(1), amortized.
 *
 * @category operations
 * @since 0.1.0
 */
export function remove<K1 extends K, K extends WeakKey = K1>(key: K1): <V>(self: WeakKeyMap<K, V>) => WeakKeyMap<K, V>
export function remove<K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): WeakKeyMap<K, V>
export function remove(self: unknown, key?: unknown): unknown {
  if (arguments.length === 1) return (that: AnyMap) => remove(that, self as WeakKey)
  ;(self as AnyMap)[table].remove(key as WeakKey)
  return self
}

/**
 * Removes the entry of a key and gives its value, if there was one. O(1),
 * amortized. Dereferences the key.
 *
 * **Example** (Taking a value out)
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
 * @category operations
 * @since 0.1.0
 */
export const pop: {
  <K1 extends K, K extends WeakKey = K1>(key: K1): <V>(self: WeakKeyMap<K, V>) => Option.Option<V>
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): Option.Option<V>
} = dual(2, <K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K): Option.Option<V> => self[table].pop(key))

/**
 * Removes the oldest live entry and gives it; `None` where there is none. O(1),
 * amortized over the entries that died before it. Dereferences.
 *
 * @category operations
 * @since 0.1.0
 */
export const popEntry = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): Option.Option<[K, V]> => self[table].popEntry()

/**
 * Removes all entries, and gives the map. O(n) in time, nothing left behind.
 *
 * @category operations
 * @since 0.1.0
 */
export const clear = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): WeakKeyMap<K, V> => {
  self[table].clear()
  return self
}

/**
 * Gives the value of a key; where there is none, makes one, sets it and gives it.
 * O(1), amortized. Throws `NotWeakReferenceableError` where the key cannot be a
 * referent.
 *
 * **Example** (An id for each object)
 *
 * ```ts import.meta.vitest
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const ids = WeakKeyMap.makeUnsafe<object, number>({ compare: "reference" })
 * let next = 0
 * const idOf = (key: object) => WeakKeyMap.getOrSet(ids, key, () => next++)
 *
 * const ada = {}
 * const bob = {}
 * const all = [idOf(ada), idOf(bob), idOf(ada)]
 * all // => [0, 1, 0]
 * ```
 *
 * @category operations
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
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, key: K, make: () => V): V => self[table].getOrSet(key, make)
)

/**
 * Replaces the value of a key by what `f` makes of it, if there is one, and gives
 * the map. O(1), amortized.
 *
 * @category operations
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
    self[table].modify(key, f)
    return self
  }
)

/**
 * Sets, replaces or removes the entry of a key: `f` is given the value, if there
 * is one, and gives the new one, or `None` for no entry. Gives the map. O(1),
 * amortized.
 *
 * @category operations
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
  <K1 extends K, V1 extends V, K extends WeakKey = K1, V = V1>(
    entries: Iterable<readonly [K1, V1]>
  ): (self: WeakKeyMap<K, V>) => WeakKeyMap<K, V>
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, entries: Iterable<readonly [K, V]>): WeakKeyMap<K, V>
} = dual(
  2,
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, entries: Iterable<readonly [K, V]>): WeakKeyMap<K, V> => {
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
 * import { WeakKeyMap } from "effect-weakref"
 *
 * const key = {}
 * const self = WeakKeyMap.makeUnsafe<object, number>()
 * WeakKeyMap.set(self, key, 1)
 * const that = WeakKeyMap.makeUnsafe<object, number>()
 * WeakKeyMap.set(that, key, 2)
 * WeakKeyMap.get(WeakKeyMap.union(self, that), key) // => Option.some(2)
 * ```
 *
 * @category operations
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
 * A new map with the live entries, on the same heap and comparing in the same
 * way. O(n). Dereferences.
 *
 * @category operations
 * @since 0.1.0
 */
export const copy = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): WeakKeyMap<K, V> => copyWith(self, (value) => value)

/**
 * A new map with the same keys and values that `f` makes of the old ones: the
 * hook for a deep copy, which copies what the map holds strongly. O(n).
 * Dereferences.
 *
 * @category operations
 * @since 0.1.0
 */
export const copyWith: {
  <V, V2>(f: (value: V) => V2): <K extends WeakKey>(self: WeakKeyMap<K, V>) => WeakKeyMap<K, V2>
  <K extends WeakKey, V, V2>(self: WeakKeyMap<K, V>, f: (value: V) => V2): WeakKeyMap<K, V2>
} = dual(2, <K extends WeakKey, V, V2>(self: WeakKeyMap<K, V>, f: (value: V) => V2): WeakKeyMap<K, V2> => {
  const { compare, heap } = self[table]
  const that = makeUnsafe<K, V2>({ compare }, heap)
  for (const [key, value] of self) that[table].set(key, f(value))
  return that
})

/**
 * The live keys, in insertion order. Iterating never throws and
 * never yields a dead entry, whatever is collected, added or removed meanwhile.
 * O(n) for all. Each step dereferences.
 *
 * **Gotchas**
 *
 * An iterator that waits keeps no referent, but as with a native `Map` it keeps the
 * storage that the map outgrows meanwhile: drop it when you are done.
 *
 * @category getters
 * @since 0.1.0
 */
export const keys = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): IterableIterator<K> => self[table].keys()

/**
 * The values of the live keys, in insertion order, as {@link keys}.
 *
 * @category getters
 * @since 0.1.0
 */
export const values = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): IterableIterator<V> => self[table].values()

/**
 * The live entries, in insertion order, as {@link keys}; what iterating over the
 * map itself gives.
 *
 * @category getters
 * @since 0.1.0
 */
export const entries = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): IterableIterator<[K, V]> =>
  self[table][Symbol.iterator]()

/**
 * References to the live keys, in insertion order. They do not keep the keys: a
 * list of them can be gone through in a later turn.
 *
 * **Example** (Going through the keys later)
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
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakKeyDictionary.keyrefs | Python, WeakKeyDictionary.keyrefs} for the source of the semantics
 *
 * @category getters
 * @since 0.1.0
 */
export const keyRefs = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): IterableIterator<WeakRef<K>> =>
  self[table].map((key) => makeRef(key, self[table].heap))

/**
 * Calls `f` with each value and its live key, in insertion order, as {@link keys}
 * iterates.
 *
 * @category operations
 * @since 0.1.0
 */
export const forEach: {
  <K extends WeakKey, V>(f: (value: V, key: K) => void): (self: WeakKeyMap<K, V>) => void
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, f: (value: V, key: K) => void): void
} = dual(2, <K extends WeakKey, V>(self: WeakKeyMap<K, V>, f: (value: V, key: K) => void): void => {
  for (const [key, value] of self) f(value, key)
})

/**
 * How many entries are not yet reclaimed: an upper bound of {@link count}. O(1).
 * It does not dereference.
 *
 * @category getters
 * @since 0.1.0
 */
export const size = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): number => self[table].size

/**
 * Whether there is no live entry, exactly. O(n) at worst, O(1) where the oldest
 * entry lives. Dereferences.
 *
 * @category getters
 * @since 0.1.0
 */
export const isEmpty = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): boolean => self[table].isEmpty()

/**
 * How many entries are alive, exactly. O(n). Dereferences.
 *
 * @category getters
 * @since 0.1.0
 */
export const count = <K extends WeakKey, V>(self: WeakKeyMap<K, V>): number => self[table].count()

/**
 * Whether two maps have the same live entries, in any order: keys as the first
 * map compares them; values by `Equal.equals`, or by identity where the first map
 * compares by reference. O(n + m). Dereferences.
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
 * @category equality
 * @since 0.1.0
 */
export const equals: {
  <K extends WeakKey, V>(that: WeakKeyMap<K, V>): (self: WeakKeyMap<K, V>) => boolean
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, that: WeakKeyMap<K, V>): boolean
} = dual(
  2,
  <K extends WeakKey, V>(self: WeakKeyMap<K, V>, that: WeakKeyMap<K, V>): boolean => self[table].equals(that[table])
)
