/**
 * A set with weak elements: an element goes when it has been collected.
 *
 * A `WeakSet` remembers which objects are in some state (seen, open, subscribed)
 * without owning them. Compared with the host's `WeakSet` it iterates, in
 * insertion order, counts, can compare elements by structure, and has the set
 * algebra. It is synchronous and mutable, as `MutableHashSet` is.
 *
 * Wherever a second operand is taken it may be any iterable, the set itself
 * included; its elements are looked up as the first set compares. Costs are given
 * in n, the number of elements not yet reclaimed, and m, the length of the second
 * operand, and count a hash as constant; a lookup by the very element does not
 * hash. An operation that dereferences keeps the elements that it sees to the end
 * of the turn.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { format } from "effect/Formatter"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import { type Inspectable, toJson } from "effect/Inspectable"
import * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import { Heap } from "./Heap.ts"
import { Base } from "./internal/base.ts"
import { host } from "./internal/heap.ts"
import { fill, type Options, WeakElementTable } from "./internal/weakTable.ts"
import type { NotWeakReferenceableError } from "./WeakError.ts"
import { makeUnsafe as makeRef, type WeakRef } from "./WeakRef.ts"

const TypeId = "~effect-weakref/WeakSet"

/** @internal */
export const table: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/WeakSet/table")

/**
 * A set of weak elements.
 *
 * **Details**
 *
 * Elements compare with `Equal.equals`, or by identity with
 * `{ compare: "reference" }`; by identity they are never hashed. Two sets are
 * `Equal` when they are the same object; {@link equals} compares their elements.
 *
 * **Example** (Remembering without owning)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakSet } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const seen = yield* WeakSet.make<object>({ compare: "reference" })
 *   const page = { path: "/" }
 *   WeakSet.add(seen, page)
 *   const before = WeakSet.has(seen, page)
 *   yield* TestHeap.collect(page)
 *   return [before, WeakSet.isEmpty(seen)]
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [true, true]
 * ```
 *
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakSet | Python, weakref.WeakSet} for the source of the semantics
 *
 * @category models
 * @since 0.1.0
 */
export interface WeakSet<in out A extends WeakKey> extends Iterable<A>, Pipeable, Inspectable {
  readonly [TypeId]: typeof TypeId
  /** @internal */
  readonly [table]: WeakElementTable<A>
}

/**
 * Checks whether a value is a `WeakSet` of this library.
 *
 * @category guards
 * @since 0.1.0
 */
export const isWeakSet = (u: unknown): u is WeakSet<WeakKey> => hasProperty(u, TypeId)

// The hot functions below are written out where `dual` would stand: all that it
// makes share one call site, which engines then cannot inline.
type AnySet = WeakSet<WeakKey>

class WeakSetImpl<A extends WeakKey> extends Base implements WeakSet<A> {
  /** @internal */
  declare readonly [table]: WeakElementTable<A>

  constructor(elements: WeakElementTable<A>) {
    super()
    this[table] = elements
  }

  get [TypeId](): typeof TypeId {
    return TypeId
  }

  [Symbol.iterator](): IterableIterator<A> {
    return this[table].keys()
  }

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }

  toJSON(): unknown {
    return { _id: "WeakSet", values: toJson(Array.from(this)) }
  }

  override toString(): string {
    return `WeakSet(${format(Array.from(this))})`
  }
}

/**
 * Creates an empty set on the heap of the context.
 *
 * **Details**
 *
 * With `{ compare: "reference" }` elements compare by identity and are never
 * hashed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A extends WeakKey>(options?: Options): Effect.Effect<WeakSet<A>> =>
  Effect.map(Heap, (heap) => makeUnsafe(options, heap))

/**
 * Creates an empty set synchronously, on the host's heap unless another is given.
 *
 * **Example** (Elements compared by structure and by identity)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const element = { id: 1 }
 * const byStructure = WeakSet.makeUnsafe<object>()
 * WeakSet.add(byStructure, element)
 * WeakSet.has(byStructure, { id: 1 }) // => true
 *
 * const byIdentity = WeakSet.makeUnsafe<object>({ compare: "reference" })
 * WeakSet.add(byIdentity, element)
 * WeakSet.has(byIdentity, { id: 1 }) // => false
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = <A extends WeakKey>(options?: Options, heap: Heap = host): WeakSet<A> =>
  new WeakSetImpl(new WeakElementTable<A>(heap, options))

/**
 * Creates a set from elements, all or nothing: fails with
 * `NotWeakReferenceableError`, and leaves nothing behind, where one cannot be a
 * referent. Of equal elements the first is kept.
 *
 * **Example** (From elements)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakSet } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = Effect.runSync(WeakSet.fromIterable([ada, ada]))
 * WeakSet.count(people) // => 1
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromIterable = <A extends WeakKey>(
  elements: Iterable<A>,
  options?: Options
): Effect.Effect<WeakSet<A>, NotWeakReferenceableError> =>
  Effect.flatMap(Heap, (heap) => {
    const self = makeUnsafe<A>(options, heap)
    return Effect.as(fill(() => self[table].addAll(elements)), self)
  })

/**
 * Adds an element, and gives the set. Where there is an equal one, that one
 * stays. Throws `NotWeakReferenceableError` where the element cannot be a
 * referent, and then changes nothing. O(1), amortized.
 *
 * @category operations
 * @since 0.1.0
 */
export function add<A1 extends A, A extends WeakKey = A1>(element: A1): (self: WeakSet<A>) => WeakSet<A>
export function add<A extends WeakKey>(self: WeakSet<A>, element: A): WeakSet<A>
export function add(self: unknown, element?: unknown): unknown {
  if (arguments.length === 1) return (that: AnySet) => add(that, self as WeakKey)
  ;(self as AnySet)[table].add(element as WeakKey)
  return self
}

/**
 * Whether there is an equal element. O(1). It dereferences only where the element
 * itself is not in the set and an equal one may be.
 *
 * @category getters
 * @since 0.1.0
 */
export function has<A1 extends A, A extends WeakKey = A1>(element: A1): (self: WeakSet<A>) => boolean
export function has<A extends WeakKey>(self: WeakSet<A>, element: A): boolean
export function has(self: unknown, element?: unknown): unknown {
  if (arguments.length === 1) return (that: AnySet) => that[table].has(self as WeakKey)
  return (self as AnySet)[table].has(element as WeakKey)
}

/**
 * Removes an element, if there is an equal one, and gives the set. Nothing is
 * left behind. O(1), amortized.
 *
 * @category operations
 * @since 0.1.0
 */
export function remove<A1 extends A, A extends WeakKey = A1>(element: A1): (self: WeakSet<A>) => WeakSet<A>
export function remove<A extends WeakKey>(self: WeakSet<A>, element: A): WeakSet<A>
export function remove(self: unknown, element?: unknown): unknown {
  if (arguments.length === 1) return (that: AnySet) => remove(that, self as WeakKey)
  ;(self as AnySet)[table].remove(element as WeakKey)
  return self
}

/**
 * Removes the oldest live element and gives it; `None` where there is none. O(1),
 * amortized over the elements that died before it. Dereferences.
 *
 * **Example** (Taking elements out)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakSet } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakSet.add(WeakSet.makeUnsafe<object>(), ada)
 * WeakSet.pop(people) // => Option.some(ada)
 * WeakSet.pop(people) // => Option.none()
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const pop = <A extends WeakKey>(self: WeakSet<A>): Option.Option<A> =>
  Option.map(self[table].popEntry(), ([element]) => element)

/**
 * Removes all elements, and gives the set. O(n) in time, nothing left behind.
 *
 * @category operations
 * @since 0.1.0
 */
export const clear = <A extends WeakKey>(self: WeakSet<A>): WeakSet<A> => {
  self[table].clear()
  return self
}

/**
 * Adds all elements, and gives the set: union in place. All or nothing: throws
 * `NotWeakReferenceableError` where one cannot be a referent. O(m), amortized.
 *
 * **Example** (Union in place)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.addAll(self, [b, c])
 * Array.from(self, (element) => element.id) // => ["a", "b", "c"]
 * ```
 *
 * @category set operations
 * @since 0.1.0
 */
export const addAll: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => {
  self[table].addAll(that)
  return self
})

/**
 * Keeps only the elements that are among the others, and gives the set:
 * intersection in place. O(n + m). Dereferences.
 *
 * **Example** (Intersection in place)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.retainAll(self, [b, c])
 * Array.from(self, (element) => element.id) // => ["b"]
 * ```
 *
 * @category set operations
 * @since 0.1.0
 */
export const retainAll: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => {
  self[table].retainAll(that)
  return self
})

/**
 * Removes the elements that are among the others, and gives the set: difference in
 * place. O(m), amortized.
 *
 * **Example** (Difference in place)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.removeAll(self, [b, c])
 * Array.from(self, (element) => element.id) // => ["a"]
 * ```
 *
 * @category set operations
 * @since 0.1.0
 */
export const removeAll: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => {
  self[table].removeAll(that)
  return self
})

/**
 * Removes the elements that are among the others and adds the others that are not
 * in the set, and gives the set: symmetric difference in place. All or nothing:
 * throws `NotWeakReferenceableError` where one to be added cannot be a referent.
 * O(m), amortized.
 *
 * **Example** (Symmetric difference in place)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.toggleAll(self, [b, c])
 * Array.from(self, (element) => element.id) // => ["a", "c"]
 * ```
 *
 * @category set operations
 * @since 0.1.0
 */
export const toggleAll: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => {
  self[table].toggleAll(that)
  return self
})

/**
 * A new set with the elements of both, on the first one's heap and comparing as it does.
 * O(n + m). Dereferences.
 *
 * **Example** (Union)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * Array.from(WeakSet.union(self, [b, c]), (element) => element.id) // => ["a", "b", "c"]
 * ```
 *
 * @category set operations
 * @since 0.1.0
 */
export const union: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => addAll(copy(self), that))

/**
 * A new set with the elements that are among the others too, on the first one's heap and comparing as it does.
 * O(n + m). Dereferences.
 *
 * **Example** (Intersection)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * Array.from(WeakSet.intersection(self, [b, c]), (element) => element.id) // => ["b"]
 * ```
 *
 * @category set operations
 * @since 0.1.0
 */
export const intersection: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => retainAll(copy(self), that))

/**
 * A new set with the elements that are not among the others, on the first one's heap and comparing as it does.
 * O(n + m). Dereferences.
 *
 * **Example** (Difference)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * Array.from(WeakSet.difference(self, [b, c]), (element) => element.id) // => ["a"]
 * ```
 *
 * @category set operations
 * @since 0.1.0
 */
export const difference: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => removeAll(copy(self), that))

/**
 * A new set with the elements that are in only one of the two, on the first one's heap and comparing as it does.
 * O(n + m). Dereferences.
 *
 * **Example** (Symmetric difference)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * Array.from(WeakSet.symmetricDifference(self, [b, c]), (element) => element.id) // => ["a", "c"]
 * ```
 *
 * @category set operations
 * @since 0.1.0
 */
export const symmetricDifference: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => toggleAll(copy(self), that))

/**
 * Whether every live element is among the others. O(n + m). Dereferences.
 *
 * **Example** (Subset)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.isSubset(self, [a, b, c]) // => true
 * WeakSet.isSubset(self, [b, c]) // => false
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSubset: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => {
  const { shared } = self[table].compareWith(that)
  return shared === count(self)
})

/**
 * Whether every one of the others is in the set. O(n + m). Dereferences.
 *
 * **Example** (Superset)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.isSuperset(self, [b]) // => true
 * WeakSet.isSuperset(self, [b, c]) // => false
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSuperset: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(
  2,
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean =>
    self[table].compareWith(that).missing.length === 0
)

/**
 * Whether every live element is among the others, and they have one more. O(n + m). Dereferences.
 *
 * **Example** (Proper subset)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.isProperSubset(self, [a, b, c]) // => true
 * WeakSet.isProperSubset(self, [a, b]) // => false
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isProperSubset: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => {
  const { missing, shared } = self[table].compareWith(that)
  return shared === count(self) && missing.length > 0
})

/**
 * Whether every one of the others is in the set, and it has one more live element.
 * O(n + m). Dereferences.
 *
 * **Example** (Proper superset)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.isProperSuperset(self, [a]) // => true
 * WeakSet.isProperSuperset(self, [a, b]) // => false
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isProperSuperset: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => {
  const { missing, shared } = self[table].compareWith(that)
  return missing.length === 0 && shared < count(self)
})

/**
 * Whether no live element is among the others. O(n + m). Dereferences.
 *
 * **Example** (Disjoint sets)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.isDisjoint(self, [c]) // => true
 * WeakSet.isDisjoint(self, [b, c]) // => false
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isDisjoint: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(
  2,
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => self[table].compareWith(that).shared === 0
)

/**
 * A new set with the live elements, on the same heap and comparing in the same
 * way. O(n). Dereferences.
 *
 * @category operations
 * @since 0.1.0
 */
export const copy = <A extends WeakKey>(self: WeakSet<A>): WeakSet<A> => {
  const { compare, heap } = self[table]
  return addAll(makeUnsafe<A>({ compare }, heap), self)
}

/**
 * Whether the live elements and the others are the same, in any order and however
 * often the others have them. O(n + m). Dereferences.
 *
 * **Example** (Comparing contents)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.equals(self, [b, a]) // => true
 * WeakSet.equals(self, [a]) // => false
 * ```
 *
 * @category equality
 * @since 0.1.0
 */
export const equals: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => {
  const { missing, shared } = self[table].compareWith(that)
  return missing.length === 0 && shared === count(self)
})

/**
 * The live elements, in insertion order; what iterating over the set itself gives.
 * Iterating never throws and never yields a dead element, whatever is collected,
 * added or removed meanwhile. O(n) for all. Each step dereferences.
 *
 * **Gotchas**
 *
 * An iterator that waits keeps no referent, but as with a native `Map` it keeps the
 * storage that the set outgrows meanwhile: drop it when you are done.
 *
 * @category getters
 * @since 0.1.0
 */
export const values = <A extends WeakKey>(self: WeakSet<A>): IterableIterator<A> => self[table].keys()

/**
 * Calls `f` with each live element, in insertion order, as {@link values} iterates.
 *
 * @category operations
 * @since 0.1.0
 */
export const forEach: {
  <A extends WeakKey>(f: (element: A) => void): (self: WeakSet<A>) => void
  <A extends WeakKey>(self: WeakSet<A>, f: (element: A) => void): void
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, f: (element: A) => void): void => {
  for (const element of self) f(element)
})

/**
 * References to the live elements, in insertion order. They do not keep the
 * elements: a list of them can be gone through in a later turn.
 *
 * @category getters
 * @since 0.1.0
 */
export const refs = <A extends WeakKey>(self: WeakSet<A>): IterableIterator<WeakRef<A>> =>
  self[table].map((element) => makeRef(element, self[table].heap))

/**
 * How many elements are not yet reclaimed: an upper bound of {@link count}. O(1).
 * It does not dereference.
 *
 * @category getters
 * @since 0.1.0
 */
export const size = <A extends WeakKey>(self: WeakSet<A>): number => self[table].size

/**
 * Whether there is no live element, exactly. O(n) at worst, O(1) where the oldest
 * element lives. Dereferences.
 *
 * @category getters
 * @since 0.1.0
 */
export const isEmpty = <A extends WeakKey>(self: WeakSet<A>): boolean => self[table].isEmpty()

/**
 * How many elements are alive, exactly. O(n). Dereferences.
 *
 * @category getters
 * @since 0.1.0
 */
export const count = <A extends WeakKey>(self: WeakSet<A>): number => self[table].count()
