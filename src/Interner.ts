/**
 * Replaces equal objects by one shared instance, and holds this instance weakly.
 *
 * Use an interner to save memory if a program receives equal immutable objects
 * repeatedly, for example parsed types, paths or tags. Interned objects can be compared
 * with `===`. An element that the program no longer uses is collected, and the next equal
 * object becomes the shared instance.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type { Inspectable } from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import { Heap } from "./Heap.ts"
import { Base } from "./internal/base.ts"
import { equalsStrictly } from "./internal/equality.ts"
import { guard } from "./internal/guard.ts"
import { host } from "./internal/host.ts"
import { WeakElementTable } from "./internal/keyTable.ts"
import { outlineParts } from "./internal/outline.ts"
import { refuse } from "./internal/refuse.ts"

const TypeId = "~effect-weakref/Interner"

/**
 * Represents a mutable set of weakly held elements, one for each group of equal objects.
 *
 * **When to use**
 *
 * Use for immutable objects that a program receives again and again, for example parsed
 * types, paths or tags.
 *
 * **Details**
 *
 * Elements are compared by their contents, or by their `Equal` and `Hash`. Because an
 * interner replaces objects, two objects are equal only if they and their corresponding
 * parts have the same prototype: an instance of one class never stands in for an instance
 * of another class. An opaque object, such as a DOM node, a `Blob` or a promise, is only
 * equal to itself.
 *
 * An interner is only equal to itself, and printing or JSON shows its first 20 elements
 * and how many more there are, at most.
 *
 * **Gotchas**
 *
 * - Do not change an element, because the interner then no longer finds it.
 * - State in private fields is not seen, so implement `Equal` in a class that has some.
 * - A `WeakProxy` cannot be an element, because a `WeakProxy` has no hash.
 *
 * **Example** (Sharing equal objects)
 *
 * ```ts import.meta.vitest
 * import { Interner } from "effect-weakref"
 *
 * const paths = Interner.makeUnsafe<ReadonlyArray<string>>()
 * const first = Interner.intern(paths, ["usr", "bin"])
 * const second = Interner.intern(paths, ["usr", "bin"])
 * first === second // => true
 * ```
 *
 * @see {@link intern} to replace an object by the shared instance
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Interner<in out A extends WeakKey> extends Pipeable, Inspectable {
  readonly [TypeId]: { readonly _A: (_: A) => A }
}

/**
 * Checks whether a value is an `Interner` of this library.
 *
 * **When to use**
 *
 * Use to narrow an unknown value to an interner, for example in an options object.
 *
 * **Details**
 *
 * Returns `false` for an interner of another copy of this package. Costs O(1), and never
 * throws for a value of any kind.
 *
 * **Example** (Recognizing an interner)
 *
 * ```ts import.meta.vitest
 * import { Interner } from "effect-weakref"
 *
 * Interner.isInterner(Interner.makeUnsafe()) // => true
 * Interner.isInterner(new Set()) // => false
 * ```
 *
 * @see {@link makeUnsafe} to create an interner
 *
 * @category guards
 * @stability experimental
 * @since 0.1.0
 */
export const isInterner = (u: unknown): u is Interner<WeakKey> => guard(() => u instanceof InternerImpl)

/** Unites only values of the same prototype, because the program receives the element instead of its own value. */
class InternerTable<A extends WeakKey> extends WeakElementTable<A> {
  protected override areEqual(self: A, that: A): boolean {
    return equalsStrictly(self, that)
  }
}

class InternerImpl<A extends WeakKey> extends Base implements Interner<A> {
  readonly #table: InternerTable<A>

  constructor(heap: Heap) {
    super()
    this.#table = new InternerTable(heap, "structural")
  }

  get [TypeId](): Interner<A>[typeof TypeId] {
    return variance
  }

  intern(a: A): A {
    return this.#table.intern(a)
  }

  has(a: A): boolean {
    return this.#table.has(a)
  }

  get size(): number {
    return this.#table.size
  }

  toJSON(): unknown {
    return { _id: "Interner", ...outlineParts(this, this.#table.keys(), () => this.#table.size) }
  }
}

const variance = { _A: <A>(_: A) => _ }

/** Returns the implementation. Every `Interner` is an `InternerImpl`. */
const impl = <A extends WeakKey>(self: Interner<A>): InternerImpl<A> =>
  self instanceof InternerImpl ? self as InternerImpl<A> : refuse(self, TypeId)

/**
 * Creates an empty interner that uses the heap of the context.
 *
 * **When to use**
 *
 * Use inside an Effect program, so that a test can replace the heap, or use
 * {@link makeUnsafe} in synchronous code.
 *
 * **Details**
 *
 * Costs O(1), and nothing is registered with the engine before the first element.
 *
 * **Example** (Interning in a program)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Interner } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const tags = yield* Interner.make<{ readonly name: string }>()
 *   return Interner.intern(tags, { name: "new" }) === Interner.intern(tags, { name: "new" })
 * })
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @see {@link makeUnsafe} for the synchronous form
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const make = <A extends WeakKey>(): Effect.Effect<Interner<A>> => Effect.map(Heap, (heap) => makeUnsafe<A>(heap))

/**
 * Creates an empty interner synchronously, on the host's heap unless you pass another
 * heap.
 *
 * **When to use**
 *
 * Use outside of an Effect program, for example for a constant of a module. {@link make}
 * is the effectful form and reads the heap from the context.
 *
 * **Details**
 *
 * Costs O(1), and nothing is registered with the engine before the first element.
 *
 * **Example** (Interning in synchronous code)
 *
 * ```ts import.meta.vitest
 * import { Interner } from "effect-weakref"
 *
 * const points = Interner.makeUnsafe<{ readonly x: number }>()
 * const point = { x: 1 }
 * Interner.intern(points, point) === point // => true
 * Interner.intern(points, { x: 1 }) === point // => true
 * ```
 *
 * @see {@link make} for the effectful form
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const makeUnsafe = <A extends WeakKey>(heap: Heap = host): Interner<A> => new InternerImpl<A>(heap)

/**
 * Returns the live element that is equal to an object, or inserts the object if there is
 * none.
 *
 * **When to use**
 *
 * Use before you store or compare an immutable object, so that equal objects share one
 * instance. To share the result of an expensive construction by a key, use
 * `WeakMemo.family`.
 *
 * **Details**
 *
 * The interner does not keep the result alive. After an element has been collected, the
 * next equal object becomes the element.
 *
 * Throws `NotWeakReferenceableError` if the object is a primitive or a registered symbol.
 * Also throws the errors of the object's `Equal` and `Hash`. If `intern` throws, it does
 * not insert the object. `Equal` and `Hash` may call `intern` again: the element that is
 * inserted first stays, and every caller receives it.
 *
 * Costs O(1) with one hash, and one comparison for each element with the same hash.
 * Dereferences only the elements that it compares.
 *
 * **Example** (Interning data first and data last)
 *
 * ```ts import.meta.vitest
 * import { pipe } from "effect"
 * import { Interner } from "effect-weakref"
 *
 * const points = Interner.makeUnsafe<{ readonly x: number }>()
 * const point = Interner.intern(points, { x: 1 })
 * pipe(points, Interner.intern({ x: 1 })) === point // => true
 * ```
 *
 * @see {@link has} for a check that inserts nothing
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const intern: {
  <A1 extends A, A extends WeakKey = A1>(a: A1): (self: Interner<A>) => A
  <A extends WeakKey>(self: Interner<A>, a: A): A
} = dual(2, <A extends WeakKey>(self: Interner<A>, a: A): A => impl(self).intern(a))

/**
 * Checks whether there is a live element that is equal to an object.
 *
 * **When to use**
 *
 * Use to check without inserting, or use {@link intern} if you need the element.
 *
 * **Details**
 *
 * Throws the errors of the object's `Equal` and `Hash`. Costs as much as {@link intern},
 * and dereferences only the elements that it compares.
 *
 * **Example** (Looking for an equal element)
 *
 * ```ts import.meta.vitest
 * import { Interner } from "effect-weakref"
 *
 * const points = Interner.makeUnsafe<{ readonly x: number }>()
 * const point = Interner.intern(points, { x: 1 })
 * Interner.has(points, { x: point.x }) // => true
 * Interner.has(points, { x: 2 }) // => false
 * ```
 *
 * @see {@link intern} to get the element
 *
 * @category predicates
 * @stability experimental
 * @since 0.1.0
 */
export const has: {
  <A1 extends A, A extends WeakKey = A1>(a: A1): (self: Interner<A>) => boolean
  <A extends WeakKey>(self: Interner<A>, a: A): boolean
} = dual(2, <A extends WeakKey>(self: Interner<A>, a: A): boolean => impl(self).has(a))

/**
 * Returns the number of elements that are not reclaimed yet.
 *
 * **When to use**
 *
 * Use for statistics, because the result is only an upper bound of the number of live
 * elements.
 *
 * **Details**
 *
 * Counts collected elements until their clean-up has run. Costs O(1), and does not
 * dereference any element.
 *
 * **Example** (Counting distinct objects)
 *
 * ```ts import.meta.vitest
 * import { Interner } from "effect-weakref"
 *
 * const points = Interner.makeUnsafe<{ readonly x: number }>()
 * const kept = [1, 2, 1].map((x) => Interner.intern(points, { x }))
 * kept.length // => 3
 * Interner.size(points) // => 2
 * ```
 *
 * @see {@link has} to look for one element
 *
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const size = <A extends WeakKey>(self: Interner<A>): number => impl(self).size
