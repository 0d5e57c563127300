/**
 * Stores objects weakly in a set, which an element leaves when it has been collected.
 *
 * Use a `WeakSet` to remember objects without owning them. Unlike the native `WeakSet`,
 * this set iterates in insertion order, counts its elements, can compare them by
 * structure, and has operations such as union and intersection. It is synchronous and
 * mutable, like `MutableHashSet`.
 *
 * Operations on two sets accept any iterable as the second operand, even the set itself,
 * and compare its elements as the set does. If the iterable or a comparison throws, the
 * operation throws the same error and changes nothing. An operation that returns a new
 * set gives it the heap and the comparison of the first operand.
 *
 * Where costs are stated, n is the number of elements, including dead elements that are
 * not reclaimed yet, and m is the size of the second operand. Hashing an element counts
 * as constant time, and an element that is already in the set is found without hashing
 * it. An operation that dereferences keeps the elements that it reads alive to the end of
 * the turn. Removing elements renews the registrations of the set from time to time,
 * which dereferences all of them.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type { Inspectable } from "effect/Inspectable"
import * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import { Heap } from "./Heap.ts"
import { attempt } from "./internal/attempt.ts"
import { Collection, keepHot, later, name, table } from "./internal/collection.ts"
import { guard } from "./internal/guard.ts"
import { host } from "./internal/host.ts"
import { WeakElementTable } from "./internal/keyTable.ts"
import { refuse } from "./internal/refuse.ts"
import type { NotWeakReferenceableError } from "./WeakError.ts"
import { makeUnsafe as makeRef, type WeakRef } from "./WeakRef.ts"

const TypeId = "~effect-weakref/WeakSet"

/**
 * Represents a set whose elements are held weakly.
 *
 * **When to use**
 *
 * Use to remember which objects are in some state, for example seen or subscribed,
 * without owning them.
 *
 * **Details**
 *
 * Elements compare by reference, as in a native `WeakSet`. Pass
 * `{ compare: "structural" }` to compare them by structure (see {@link Options}). An
 * element can be an object, a function, or a symbol that is not registered with
 * `Symbol.for`.
 *
 * Two sets are `Equal` only if they are the same object, so use {@link equals} to compare
 * their elements.
 *
 * Printing and JSON show the first 20 elements and say how many more there are, at most.
 * An opaque object prints as its tag, and long texts and deep structures are cut, so a
 * set of DOM nodes prints in no time.
 *
 * **Example** (Remembering pages)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakSet } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const seen = yield* WeakSet.make<object>()
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
 * @see {@link make} for the constructor
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakSet | Python, weakref.WeakSet} for the source of the semantics
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface WeakSet<in out A extends WeakKey> extends Iterable<A>, Pipeable, Inspectable {
  readonly [TypeId]: typeof TypeId
  [Symbol.iterator](): MapIterator<A>
  /** @internal */
  readonly [table]: WeakElementTable<A>
}

/**
 * Describes how a `WeakSet` compares its elements, and how much it hashes.
 *
 * **When to use**
 *
 * Use as the type of options that you pass on to a constructor.
 *
 * **Details**
 *
 * `compare: "reference"` is the default: two elements are the same only if they are the
 * same object, as in a native `WeakSet`. The set never hashes an element, never reads its
 * properties, and finds it in O(1).
 *
 * `compare: "structural"` compares elements as `Equal.equals` does, except that an opaque
 * object, such as a DOM node, a `Blob`, a promise or a stream, is only equal to itself,
 * even inside another element. An operation on an element that the set does not contain
 * hashes the element: it reads the whole object, its getters included, so do not change
 * such an element afterwards. The set keeps the first of several equal elements, until
 * that element has been collected.
 *
 * **Gotchas**
 *
 * - Any other `compare` throws a `TypeError` when the set is created.
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
 * Checks whether a value is a `WeakSet` of this library.
 *
 * **When to use**
 *
 * Use to narrow an unknown value to a set, for example in an options object.
 *
 * **Details**
 *
 * Returns `false` for a native `WeakSet`, and for a set of another copy of this package.
 * Costs O(1), whatever the value is.
 *
 * **Example** (Checking values)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * WeakSet.isWeakSet(WeakSet.makeUnsafe()) // => true
 * WeakSet.isWeakSet(new Set()) // => false
 * ```
 *
 * @see {@link make} for the constructor
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isWeakSet = (u: unknown): u is WeakSet<WeakKey> => guard(() => u instanceof WeakSetImpl)

// The hot functions below do not use `dual`. `internal/collection.ts` has the reason.
type AnySet = WeakSet<WeakKey>

class WeakSetImpl<A extends WeakKey> extends Collection<A, WeakElementTable<A>> implements WeakSet<A> {
  get [TypeId](): typeof TypeId {
    return TypeId
  }

  override get [name](): string {
    return "WeakSet"
  }

  override [Symbol.iterator](): MapIterator<A> {
    return this[table].keys()
  }
}

/** Returns the table. Throws if the set belongs to another copy of the package. */
const tableOf = <A extends WeakKey>(self: WeakSet<A>): WeakElementTable<A> =>
  // A program without types can pass anything.
  (self as WeakSet<A> | undefined)?.[table] ?? refuse(self, TypeId)

/**
 * Creates an empty set on the heap of the context.
 *
 * **When to use**
 *
 * Use in effects, so that a test can replace the heap.
 *
 * **Details**
 *
 * Elements compare by reference, unless {@link Options} say otherwise. If `compare` is
 * unknown, the effect dies with a `TypeError`. Costs O(1), and nothing is registered with
 * the engine yet.
 *
 * **Example** (Creating a set in an effect)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakSet } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const ada = { name: "Ada" }
 *   const people = yield* WeakSet.make<object>()
 *   return WeakSet.has(WeakSet.add(people, ada), ada)
 * })
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @see {@link makeUnsafe} for synchronous code
 * @see {@link fromIterable} to start with elements
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = <A extends WeakKey>(options?: Options): Effect.Effect<WeakSet<A>> =>
  Effect.map(Heap, (heap) => makeUnsafe(options, heap))

/**
 * Creates an empty set synchronously, on the host's heap by default.
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
 * **Example** (Comparing elements by reference and by structure)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const element = { id: 1 }
 * const byReference = WeakSet.add(WeakSet.makeUnsafe<object>(), element)
 * WeakSet.has(byReference, { id: 1 }) // => false
 *
 * const byStructure = WeakSet.add(WeakSet.makeUnsafe<object>({ compare: "structural" }), element)
 * WeakSet.has(byStructure, { id: 1 }) // => true
 * ```
 *
 * @see {@link make} to take the heap from the context
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const makeUnsafe = <A extends WeakKey>(options?: Options, heap: Heap = host): WeakSet<A> => {
  keepHot(TypeId, () => new WeakSetImpl(new WeakElementTable(host, "reference")))
  return new WeakSetImpl(new WeakElementTable<A>(heap, options?.compare ?? "reference"))
}

/**
 * Creates a set from the elements of an iterable.
 *
 * **When to use**
 *
 * Use inside an Effect program if the elements exist already. {@link addAll} adds
 * elements to a set that exists.
 *
 * **Details**
 *
 * Fails with `NotWeakReferenceableError` if an element cannot be a referent, and dies
 * with an error of the iterable itself. The set keeps the first of several equal
 * elements. Costs O(m), where m is the number of elements of the iterable.
 *
 * **Example** (Creating a set from elements)
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
 * @see {@link addAll} to add elements to a set
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const fromIterable = <A extends WeakKey>(
  elements: Iterable<A>,
  options?: Options
): Effect.Effect<WeakSet<A>, NotWeakReferenceableError> =>
  Effect.flatMap(Heap, (heap) => {
    const self = makeUnsafe<A>(options, heap)
    return Effect.as(attempt(() => tableOf(self).fillElements(elements)), self)
  })

/**
 * Adds an element to the set, and returns the set.
 *
 * **When to use**
 *
 * Use to remember an object. The set does not keep the object alive, so something else
 * must hold it.
 *
 * **Details**
 *
 * If an equal element is in the set, the set keeps that element and its position. Throws
 * `NotWeakReferenceableError` and changes nothing if the element cannot be a referent.
 * Costs O(1), amortized, and dereferences only if elements compare by structure and this
 * element is not in the set.
 *
 * **Gotchas**
 *
 * Structural comparison runs user code: `Equal` and `Hash` implementations, and getters.
 * If that code changes the set, the operation looks up the element again, and throws an
 * error after 100 attempts.
 *
 * **Example** (Adding an element)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.add(self, c)
 * Array.from(self, (element) => element.id) // => ["a", "b", "c"]
 * ```
 *
 * @see {@link addAll} for many elements
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export function add<A1 extends A, A extends WeakKey = A1>(element: A1): (self: WeakSet<A>) => WeakSet<A>
export function add<A extends WeakKey>(self: WeakSet<A>, element: A): WeakSet<A>
export function add(self: unknown, element?: unknown): unknown {
  if (arguments.length === 1) return later(add, self)
  tableOf(self as AnySet).add(element as WeakKey)
  return self
}

/**
 * Checks whether a live equal element is in the set.
 *
 * **When to use**
 *
 * Use to ask whether an object is remembered, without changing the set.
 *
 * **Details**
 *
 * Costs O(1), and dereferences only if elements compare by structure and this element is
 * not in the set.
 *
 * **Example** (Checking an element)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.has(self, a) // => true
 * WeakSet.has(self, c) // => false
 * ```
 *
 * @see {@link isSuperset} for many elements
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export function has<A1 extends A, A extends WeakKey = A1>(element: A1): (self: WeakSet<A>) => boolean
export function has<A extends WeakKey>(self: WeakSet<A>, element: A): boolean
export function has(self: unknown, element?: unknown): unknown {
  if (arguments.length === 1) return later(has, self)
  return tableOf(self as AnySet).has(element as WeakKey)
}

/**
 * Removes an element, or the element that is equal to it, and returns the set.
 *
 * **When to use**
 *
 * Use to forget an object before it is collected.
 *
 * **Details**
 *
 * Does nothing if no equal element is in the set. Costs O(1), amortized, and may
 * dereference the elements that it compares.
 *
 * **Example** (Removing an element)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.remove(self, a)
 * Array.from(self, (element) => element.id) // => ["b"]
 * ```
 *
 * @see {@link removeAll} for many elements
 * @see {@link clear} to remove everything
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export function remove<A1 extends A, A extends WeakKey = A1>(element: A1): (self: WeakSet<A>) => WeakSet<A>
export function remove<A extends WeakKey>(self: WeakSet<A>, element: A): WeakSet<A>
export function remove(self: unknown, element?: unknown): unknown {
  if (arguments.length === 1) return later(remove, self)
  tableOf(self as AnySet).remove(element as WeakKey)
  return self
}

/**
 * Removes the oldest live element and returns it, or returns `None` if there is none.
 *
 * **When to use**
 *
 * Use to work through a set from its oldest element on, for example a queue of dirty
 * objects.
 *
 * **Details**
 *
 * Removes the dead elements before it as well. Costs O(1), amortized, but O(n) at worst
 * in the first call after a collection, and dereferences what it returns.
 *
 * **Example** (Emptying a set from its oldest element on)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.pop(self) // => Option.some(a)
 * WeakSet.pop(self) // => Option.some(b)
 * WeakSet.pop(self) // => Option.none()
 * ```
 *
 * @see {@link remove} for a given element
 * @see {@link isEmpty} as the condition of a loop
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const pop = <A extends WeakKey>(self: WeakSet<A>): Option.Option<A> =>
  Option.map(tableOf(self).popEntry(), ([element]) => element)

/**
 * Removes all elements from the set, and returns the set.
 *
 * **When to use**
 *
 * Use to start again with the same set, which other parts of the program may hold.
 *
 * **Details**
 *
 * Costs O(n), and does not dereference any element.
 *
 * **Example** (Removing all elements)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.size(WeakSet.clear(self)) // => 0
 * ```
 *
 * @see {@link remove} for one element
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const clear = <A extends WeakKey>(self: WeakSet<A>): WeakSet<A> => {
  tableOf(self).clear()
  return self
}

/**
 * Adds all elements of an iterable, and returns the set.
 *
 * **When to use**
 *
 * Use to add many elements, of which either all or none are added.
 *
 * **Details**
 *
 * Throws `NotWeakReferenceableError` and adds nothing if an element cannot be a referent.
 * Costs O(m), amortized, and may dereference the elements that it compares.
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
 * @see {@link union} for a new set
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const addAll: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => {
  tableOf(self).addAll(that)
  return self
})

/**
 * Removes all elements that are not in the second operand, and returns the set.
 *
 * **When to use**
 *
 * Use to keep only what another collection has, in the same set.
 *
 * **Details**
 *
 * Costs O(n + m), and dereferences every live element of the set.
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
 * @see {@link intersection} for a new set
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const retainAll: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => {
  tableOf(self).retainAll(that)
  return self
})

/**
 * Removes all elements that are in the second operand, and returns the set.
 *
 * **When to use**
 *
 * Use to forget many objects at once, in the same set.
 *
 * **Details**
 *
 * Costs O(m), amortized, and dereferences the elements that it removes.
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
 * @see {@link difference} for a new set
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const removeAll: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => {
  tableOf(self).removeAll(that)
  return self
})

/**
 * Removes the elements that are in the second operand, adds its other elements, and
 * returns the set.
 *
 * **When to use**
 *
 * Use to reverse a selection, in the same set.
 *
 * **Details**
 *
 * An element that the operand repeats is toggled once. Throws `NotWeakReferenceableError`
 * and changes nothing if an element cannot be a referent. Costs O(m), amortized, and
 * dereferences the elements that it compares.
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
 * @see {@link symmetricDifference} for a new set
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const toggleAll: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => {
  tableOf(self).toggleAll(that)
  return self
})

/**
 * Returns a new set with the elements of both operands.
 *
 * **When to use**
 *
 * Use to combine two sets and keep both, because {@link addAll} changes the set itself.
 *
 * **Details**
 *
 * Throws as {@link addAll} does. Costs O(n + m), and dereferences every live element of
 * the set.
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
 * @see {@link addAll} to change the set
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const union: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => addAll(copy(self), that))

/**
 * Returns a new set with the elements that both operands have.
 *
 * **When to use**
 *
 * Use to find what two collections share and keep both, because {@link retainAll} changes
 * the set itself.
 *
 * **Details**
 *
 * Costs O(n + m), and dereferences every live element of the set.
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
 * @see {@link retainAll} to change the set
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const intersection: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => retainAll(copy(self), that))

/**
 * Returns a new set with the elements that are not in the second operand.
 *
 * **When to use**
 *
 * Use to find what the other collection lacks and keep both, because {@link removeAll}
 * changes the set itself.
 *
 * **Details**
 *
 * Costs O(n + m), and dereferences every live element of the set.
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
 * @see {@link removeAll} to change the set
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const difference: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => removeAll(copy(self), that))

/**
 * Returns a new set with the elements that exactly one operand has.
 *
 * **When to use**
 *
 * Use to find what has changed between two collections, because {@link toggleAll} changes
 * the set itself.
 *
 * **Details**
 *
 * Throws as {@link toggleAll} does. Costs O(n + m), and dereferences every live element
 * of the set.
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
 * @see {@link toggleAll} to change the set
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const symmetricDifference: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => WeakSet<A>
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A>
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): WeakSet<A> => toggleAll(copy(self), that))

/**
 * Checks whether every live element is in the second operand.
 *
 * **When to use**
 *
 * Use to check that everything in the set is allowed by another collection.
 *
 * **Details**
 *
 * Reads the whole iterable, dereferences every live element of the set, and costs O(n +
 * m).
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
 * @see {@link isSuperset} for the other direction
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isSubset: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => {
  const { shared } = tableOf(self).compareWith(that)
  return shared === count(self)
})

/**
 * Checks whether the set has all elements of the second operand.
 *
 * **When to use**
 *
 * Use to check that the set has everything that another collection needs.
 *
 * **Details**
 *
 * Stops at the first element that the set lacks, and so never returns for an endless
 * iterable whose elements are all in the set. Costs O(m), and may dereference the
 * elements that it compares.
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
 * @see {@link isSubset} for the other direction
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isSuperset: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(
  2,
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => tableOf(self).hasAll(that)
)

/**
 * Checks whether every live element is in the second operand, and the operand has at
 * least one other element.
 *
 * **When to use**
 *
 * Use if the set must lack something of the other collection, whereas {@link isSubset}
 * accepts equal operands.
 *
 * **Details**
 *
 * Reads the whole iterable, dereferences every live element of the set, and costs O(n +
 * m).
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
 * @see {@link isSubset} to accept equal contents
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isProperSubset: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => {
  const { hasMore, shared } = tableOf(self).compareWith(that)
  return shared === count(self) && hasMore
})

/**
 * Checks whether the set has all elements of the second operand, and at least one other
 * live element.
 *
 * **When to use**
 *
 * Use if the set must have more than the other collection, whereas {@link isSuperset}
 * accepts equal operands.
 *
 * **Details**
 *
 * Stops at the first element that the set lacks. Costs O(n + m), and dereferences every
 * live element of the set.
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
 * @see {@link isSuperset} to accept equal contents
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isProperSuperset: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => {
  const { hasMore, shared } = tableOf(self).compareWith(that, true)
  return !hasMore && shared < count(self)
})

/**
 * Checks whether the set has no element of the second operand.
 *
 * **When to use**
 *
 * Use to check that two collections exclude each other.
 *
 * **Details**
 *
 * Stops at the first element that the set has, and so never returns for an endless
 * iterable without such an element. Costs O(m), and may dereference the elements that it
 * compares.
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
 * @see {@link intersection} for the common elements
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isDisjoint: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(
  2,
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => !tableOf(self).hasAny(that)
)

/**
 * Returns a new set with the same live elements.
 *
 * **When to use**
 *
 * Use to change a set and keep the original.
 *
 * **Details**
 *
 * Costs O(n), and dereferences every live element of the set.
 *
 * **Example** (Copying a set)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * const copy = WeakSet.copy(self)
 * WeakSet.clear(self)
 * WeakSet.has(copy, a) // => true
 * ```
 *
 * @see {@link union} to add elements to the copy
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const copy = <A extends WeakKey>(self: WeakSet<A>): WeakSet<A> => {
  const { compare, heap } = tableOf(self)
  return addAll(makeUnsafe<A>({ compare }, heap), self)
}

/**
 * Checks whether the set and the second operand have the same live elements, in any
 * order.
 *
 * **When to use**
 *
 * Use to compare the elements of two collections, because `Equal.equals` compares only
 * the identity of two sets.
 *
 * **Details**
 *
 * The second operand may repeat elements, and the comparison stops at the first element
 * that the set lacks. Costs O(n + m), and dereferences every live element of the set.
 *
 * **Gotchas**
 *
 * `Equal.equals` compares two sets by identity, because a `WeakSet` is mutable.
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
 * @see {@link isSubset} to accept further elements in the second operand
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const equals: {
  <A1 extends A, A extends WeakKey = A1>(that: Iterable<A1>): (self: WeakSet<A>) => boolean
  <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, that: Iterable<A>): boolean => {
  const { hasMore, shared } = tableOf(self).compareWith(that, true)
  return !hasMore && shared === count(self)
})

/**
 * Returns an iterator of the live elements, like the `Symbol.iterator` method of the set.
 *
 * **When to use**
 *
 * Use to visit the elements with the helpers of iterators. A `for` loop over the set
 * itself does the same.
 *
 * **Details**
 *
 * Iterates in insertion order. The iterator never throws and never yields a dead element,
 * even if elements are collected, added or removed between two steps. It inherits from
 * the native iterator prototype, with `map` and `filter` if the host has them. All steps
 * together cost O(n), and each step dereferences the element that it yields.
 *
 * **Gotchas**
 *
 * A paused iterator holds no referent, but if the set grows meanwhile, it keeps the old
 * storage alive, as the iterator of a native `Set` does. Drop the iterator when you no
 * longer need it.
 *
 * **Example** (Listing the elements)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * Array.from(WeakSet.values(self), (element) => element.id) // => ["a", "b"]
 * ```
 *
 * @see {@link refs} for references that you can store
 * @see {@link forEach} for the fastest loop
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const values = <A extends WeakKey>(self: WeakSet<A>): MapIterator<A> => tableOf(self).keys()

/**
 * Calls a function with each live element, in insertion order.
 *
 * **When to use**
 *
 * Use to visit every element in the fastest way.
 *
 * **Details**
 *
 * Tolerates changes of the set as {@link values} does. Costs O(n), and dereferences every
 * live element.
 *
 * **Example** (Visiting all elements)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * const seen: Array<string> = []
 * WeakSet.forEach(self, (element) => seen.push(element.id))
 * seen // => ["a", "b"]
 * ```
 *
 * @see {@link values} to stop early
 *
 * @category traversing
 * @stability stable
 * @since 0.1.0
 */
export const forEach: {
  <A extends WeakKey>(f: (element: A) => void): (self: WeakSet<A>) => void
  <A extends WeakKey>(self: WeakSet<A>, f: (element: A) => void): void
} = dual(2, <A extends WeakKey>(self: WeakSet<A>, f: (element: A) => void): void => {
  tableOf(self).forEachElement(f)
})

/**
 * Returns an iterator of references to the live elements.
 *
 * **When to use**
 *
 * Use to visit the elements in a later turn without holding them.
 *
 * **Details**
 *
 * Iterates as {@link values} does, and yields the same shared references that
 * `WeakRef.make` returns. All steps together cost O(n), and each step dereferences an
 * element.
 *
 * **Example** (Visiting the elements later)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakRef, WeakSet } from "effect-weakref"
 *
 * const ada = { name: "Ada" }
 * const people = WeakSet.add(WeakSet.makeUnsafe<object>(), ada)
 * const refs = Array.from(WeakSet.refs(people))
 * refs.map(WeakRef.deref) // => [Option.some(ada)]
 * ```
 *
 * @see {@link values} for the elements themselves
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const refs = <A extends WeakKey>(self: WeakSet<A>): MapIterator<WeakRef<A>> =>
  tableOf(self).map((element) => makeRef(element, tableOf(self).heap))

/**
 * Returns the number of elements that the clean-up has not reclaimed yet.
 *
 * **When to use**
 *
 * Use for statistics, or to decide whether the collection is worth a walk, because
 * {@link count} is exact but slow.
 *
 * **Details**
 *
 * Includes dead elements until their clean-up runs, so the result is an upper bound of
 * {@link count}. Costs O(1), and does not dereference any element.
 *
 * **Example** (Counting elements)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.size(self) // => 2
 * ```
 *
 * @see {@link count} for the exact number
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const size = <A extends WeakKey>(self: WeakSet<A>): number => tableOf(self).size

/**
 * Checks whether the set has no live element, and is exact.
 *
 * **When to use**
 *
 * Use as the condition of a loop over {@link pop}.
 *
 * **Details**
 *
 * Each call of `isEmpty` or {@link pop} continues where the last call stopped, so a loop
 * over both takes linear time. Costs O(1), amortized, but O(n) at worst in the first call
 * after a collection, and while many dead elements are not reclaimed. It dereferences the
 * element that it finds.
 *
 * **Example** (Checking for elements)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.isEmpty(self) // => false
 * WeakSet.isEmpty(WeakSet.clear(self)) // => true
 * ```
 *
 * @see {@link count} for the number
 * @see {@link size} for an upper bound without dereferencing
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isEmpty = <A extends WeakKey>(self: WeakSet<A>): boolean => tableOf(self).isEmpty()

/**
 * Returns the exact number of live elements, which it counts one by one.
 *
 * **When to use**
 *
 * Use in tests and reports, but prefer {@link size}, an upper bound that costs nothing,
 * in a hot path.
 *
 * **Details**
 *
 * Costs O(n), and dereferences every element, so all of them stay alive to the end of the
 * turn.
 *
 * **Example** (Counting live elements)
 *
 * ```ts import.meta.vitest
 * import { WeakSet } from "effect-weakref"
 *
 * const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
 * const self = WeakSet.addAll(WeakSet.makeUnsafe<{ readonly id: string }>(), [a, b])
 * WeakSet.count(self) // => 2
 * ```
 *
 * @see {@link size} for an upper bound in O(1)
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const count = <A extends WeakKey>(self: WeakSet<A>): number => tableOf(self).count()
