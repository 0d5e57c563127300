/**
 * Refers to a value without keeping it alive.
 *
 * {@link deref} returns `Some` of the referent while the referent is alive, and `None`
 * after the referent has been collected. Use a weak reference to refer to a large object
 * that other code owns, to refer from a child to its parent, or to run a callback after a
 * collection ({@link onCollect}).
 *
 * Unlike the host's `WeakRef`, this module shares one reference per referent among all
 * callers, and its references compare and hash as their referents do. {@link get} fails
 * with a typed error, and a test can replace the heap and decide when a referent is
 * collected.
 *
 * Creating or reading a reference keeps a live referent alive until the end of the turn.
 * The functions of this module refuse a reference that another copy of the package has
 * created, with a `TypeError` that says so.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import type { Inspectable } from "effect/Inspectable"
import * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import * as Scope from "effect/Scope"
import type { Covariant } from "effect/Types"
import { Heap } from "./Heap.ts"
import { Base } from "./internal/base.ts"
import * as Callbacks from "./internal/callbacks.ts"
import * as Equality from "./internal/equality.ts"
import { guard } from "./internal/guard.ts"
import { holdDuring, holding } from "./internal/hold.ts"
import { host } from "./internal/host.ts"
import { printed } from "./internal/print.ts"
import * as Referent from "./internal/referent.ts"
import { refuse } from "./internal/refuse.ts"
import { DeadReferenceError, type NotWeakReferenceableError, UnhashableError } from "./WeakError.ts"
import type { WeakProxy } from "./WeakProxy.ts"

const TypeId = "~effect-weakref/WeakRef"

/**
 * Refers to an `A` without keeping it alive. Dereferencing returns a `B`, which is the
 * referent itself unless a subclass of {@link Class} returns another value.
 *
 * **When to use**
 *
 * Use to refer to an object whose lifetime other code decides.
 *
 * **Details**
 *
 * Two live references are equal if their referents are equal by `Equal.equals`. A dead
 * reference is equal only to itself.
 *
 * The hash of a reference is the hash of its referent, and stays available after the
 * collection if any reference computed it earlier. Otherwise, hashing a dead reference
 * throws `UnhashableError`.
 *
 * **Gotchas**
 *
 * Effect caches the result of a comparison, so two references that compared equal once
 * stay equal for `Equal.equals`, even after they are dead. {@link equals} checks each
 * time whether both are alive.
 *
 * **Example** (From referent to reference and back)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const image = { name: "sunset", pixels: new Uint8Array(1024) }
 *   const ref = yield* WeakRef.make(image)
 *   return Option.map(WeakRef.deref(ref), (image) => image.name)
 * })
 *
 * Effect.runSync(program) // => Option.some("sunset")
 * ```
 *
 * @see {@link make} for creating a reference
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.ref | Python, weakref.ref} for the source of the semantics
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface WeakRef<out A extends WeakKey, out B = A> extends Equal.Equal, Pipeable, Inspectable {
  readonly [TypeId]: {
    readonly _A: Covariant<A>
    readonly _B: Covariant<B>
  }
  deref(): Option.Option<B>
}

/**
 * Checks whether a value is a weak reference that this copy of the library created, be it
 * an instance of a subclass.
 *
 * **When to use**
 *
 * Use to narrow an unknown value before you pass it to a function of this module.
 *
 * **Details**
 *
 * If a program loads this library twice, the guard of each copy returns `false` for
 * references that the other copy created. Costs O(1), and never dereferences the
 * reference.
 *
 * **Example** (Recognizing a reference)
 *
 * ```ts import.meta.vitest
 * import { WeakRef } from "effect-weakref"
 *
 * WeakRef.isWeakRef(WeakRef.makeUnsafe({})) // => true
 * WeakRef.isWeakRef(new globalThis.WeakRef({})) // => false
 * ```
 *
 * @see {@link isAlive} for checking whether the referent is alive
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isWeakRef = (u: unknown): u is WeakRef<WeakKey, unknown> => guard(() => u instanceof WeakRefImpl)

// A symbol, so that a subclass can use any field name. Only the references of this copy of the package have it.
const referent: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/WeakRef/referent")

abstract class WeakRefImpl<A extends WeakKey, B = A> extends Base implements WeakRef<A, B> {
  /** @internal */
  declare [Referent.record]: Referent.ReferentRecord<A> | Referent.Entry;

  /** @internal */
  [referent](): A | undefined {
    // A shared reference, which may have an entry instead of a record, overrides this.
    return (this[Referent.record] as Referent.ReferentRecord<A>).deref()
  }

  get [TypeId](): WeakRef<A, B>[typeof TypeId] {
    // The property tells the compiler the variance. No program reads it.
    return TypeId as never
  }

  deref(): Option.Option<B> {
    // The cast is safe: a class that dereferences to another value overrides this.
    return Option.fromUndefinedOr(this[referent]()) as Option.Option<never>
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return isWeakRef(that) && equals(this, that)
  }

  [Hash.symbol](): number {
    const { hash } = Referent.stateOf(this)
    if (hash !== undefined) return hash
    const target = this[referent]()
    if (target === undefined) throw new UnhashableError()
    const made = Equality.hash(target)
    // The code of the user that hashed the referent may have made the record.
    return Referent.stateOf(this).hash = made
  }

  toJSON(): unknown {
    const value = Option.map(
      Option.fromUndefinedOr(this[referent]()),
      (referent) => Equality.isShort(referent) ? referent : printed(referent)
    )
    return { _id: "WeakRef", value: value.toJSON() }
  }
}

/** Throws if the reference belongs to another copy of the package. */
const implOf = <A extends WeakKey, B>(self: WeakRef<A, B>): WeakRefImpl<A, B> =>
  // There is no other implementation of the interface.
  (self as WeakRefImpl<A, B> | undefined)?.[referent] === undefined ? refuse(self, TypeId) : self as WeakRefImpl<A, B>

/** Returns the referent of a reference. It is not what `deref` returns if a subclass dereferences to another value. */
const referentOf = <A extends WeakKey>(self: WeakRef<A, unknown>): A | undefined => implOf(self)[referent]()

/** Returns the heap of a shared reference. */
const heapOf = (self: WeakRefImpl<WeakKey, unknown>): Heap =>
  // The cast is safe: `sharedClass` makes the class.
  (self.constructor as ReturnType<typeof sharedClass>).heap

/** Returns the record of a reference's referent. Dereferences a reference that has no record yet. */
const recordOf = <A extends WeakKey>(self: WeakRef<A, unknown>): Referent.ReferentRecord<A> => {
  const impl = implOf(self)
  const known = Referent.stateOf(impl)
  return Referent.isRecord(known) ? known : Referent.late(impl[referent](), heapOf(impl))
}

/** Returns the class of the references that {@link makeUnsafe} returns. They are weak references of the heap. */
const sharedClass = (heap: Heap) => {
  // Of an instance, because a constructor that returns another object may have an empty prototype.
  const { deref } = new heap.WeakRef({})
  const read = (self: Referent.SharedReference): unknown => {
    try {
      return deref.call(self)
    } catch {
      // A `Proxy` of the reference, as reactive stores make it, has no internal slots.
      const known = self[Referent.record]
      return Referent.isRecord(known) ? known.deref() : deref.call(known.deref())
    }
  }
  return class<A extends WeakKey> extends WeakRefImpl<A> {
    static readonly heap = heap

    override [referent](): A | undefined {
      return read(this) as A | undefined
    }
  }
}

/** A reference that is not shared. A subclass decides what `deref` returns. */
abstract class OwnReference<A extends WeakKey, B> extends WeakRefImpl<A, B> {
  abstract override deref(): Option.Option<B>

  constructor(target: A, heap: Heap = host) {
    super()
    const self = Referent.of(target, heap)
    this[Referent.record] = self
    Referent.own(self, this)
  }

  /** Returns the referent itself, even if `deref` returns another value. Dereferences. */
  protected referent(): Option.Option<A> {
    return Option.fromUndefinedOr(this[referent]())
  }
}

class PlainReference<A extends WeakKey> extends OwnReference<A, A> {
  override deref(): Option.Option<A> {
    return this.referent()
  }
}

/**
 * Represents an instance of a subclass, which has more fields than a `WeakRef<A>`, or
 * dereferences to a `B`.
 *
 * **When to use**
 *
 * Use as the type of an instance of any subclass.
 *
 * @see {@link WeakRef} for the interface of all references
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Class<A extends WeakKey, B = A> = OwnReference<A, B>

/**
 * Provides the base class of references that have more fields, or that dereference to a
 * value that is not their referent.
 *
 * **When to use**
 *
 * Extend `Class<A>` to add fields, or `Class<A, B>` to dereference to a `B`, for which
 * the compiler requires a `deref` method in the subclass.
 *
 * **Details**
 *
 * `new` uses the host's heap unless you pass another heap. It throws
 * `NotWeakReferenceableError` if the target cannot be weakly referenced. An instance is
 * never the shared reference that {@link make} returns. Instances compare and hash like
 * other references, and {@link count} and {@link all} include them.
 *
 * {@link deref}, {@link get}, {@link use} and {@link pin} call the instance's `deref`,
 * whereas {@link isAlive}, {@link equals} and {@link onCollect} use the referent itself.
 * Each instance costs O(1), and one registration with the engine.
 *
 * **Gotchas**
 *
 * A field that refers to the referent, even indirectly, keeps the referent alive for as
 * long as the program holds the reference.
 *
 * **Example** (A reference that counts how often it is dereferenced)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * class ExtendedRef<A extends WeakKey> extends WeakRef.Class<A, readonly [A, number]> {
 *   private counter = 0
 *   readonly annotations: { readonly label: string }
 *
 *   constructor(target: A, annotations: { readonly label: string }) {
 *     super(target)
 *     this.annotations = annotations
 *   }
 *
 *   override deref() {
 *     return Option.map(this.referent(), (target) => [target, ++this.counter] as const)
 *   }
 * }
 *
 * const target = { id: 1 }
 * const ref = new ExtendedRef(target, { label: "first" })
 * WeakRef.deref(ref) // => Option.some([target, 1])
 * WeakRef.deref(ref) // => Option.some([target, 2])
 * ref.annotations.label // => "first"
 * ```
 *
 * @see {@link makeUnsafe} for the shared reference
 * @see {@link https://docs.python.org/3/library/weakref.html#example | Python, weakref example: ExtendedRef} for the source of the semantics
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export const Class: {
  new<A extends WeakKey>(target: A, heap?: Heap): PlainReference<A>
  new<A extends WeakKey, B>(target: A, heap?: Heap): OwnReference<A, B>
  // `PlainReference` implements both forms. The compiler makes a subclass of the second form define `deref`.
} = PlainReference as never

/**
 * Refers weakly to a value, and strongly to a key, which stays available after the value
 * has been collected. `WeakValueMap.valueRefs` returns references of this class.
 *
 * **When to use**
 *
 * Use to find out which entry a dead reference belonged to.
 *
 * **Details**
 *
 * `new` uses the host's heap unless you pass another heap. It throws
 * `NotWeakReferenceableError` if the target cannot be weakly referenced. Each instance
 * costs O(1), and one registration with the engine.
 *
 * **Gotchas**
 *
 * A key that refers to the referent, even indirectly, keeps the referent alive for as
 * long as the program holds the reference.
 *
 * **Example** (Reading the key)
 *
 * ```ts import.meta.vitest
 * import { WeakRef } from "effect-weakref"
 *
 * const ref = new WeakRef.KeyedRef("sunset", { pixels: 12 })
 * ref.key // => "sunset"
 * ```
 *
 * @see {@link Class} for references with other fields
 * @see {@link https://github.com/python/cpython/blob/main/Lib/weakref.py | CPython, weakref.KeyedRef} for the source of the semantics
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export class KeyedRef<out K, A extends WeakKey> extends Class<A> {
  declare readonly key: K

  constructor(key: K, target: A, heap?: Heap) {
    super(target, heap)
    this.key = key
  }
}

/**
 * Creates a weak reference to a target, or returns the shared reference if the program
 * holds it already.
 *
 * **When to use**
 *
 * Use inside an Effect program, so that a test can replace the heap, or use
 * {@link makeUnsafe} in synchronous code.
 *
 * **Details**
 *
 * While the program holds a reference, which the library itself holds weakly, a second
 * call with the same target and heap returns the same object. Fails with
 * `NotWeakReferenceableError` if the target cannot be weakly referenced, for example if
 * it is a string. Costs O(1), and one weak reference of the engine for each target.
 *
 * **Example** (References are shared)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const first = yield* WeakRef.make(target)
 *   const second = yield* WeakRef.make(target)
 *   return first === second
 * })
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @see {@link deref} for getting the target
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = <A extends WeakKey>(target: A): Effect.Effect<WeakRef<A>, NotWeakReferenceableError> =>
  Referent.make(target, makeUnsafe)

/**
 * Creates a weak reference synchronously, on the host's heap unless you pass another
 * heap.
 *
 * **When to use**
 *
 * Use in synchronous code, or use {@link make} inside an Effect program, so that a test
 * can replace the heap.
 *
 * **Details**
 *
 * Returns the shared reference, as {@link make} does, and throws
 * `NotWeakReferenceableError` if the target cannot be weakly referenced. Costs O(1), and
 * one weak reference of the engine for each target.
 *
 * **Gotchas**
 *
 * `WeakRef.makeUnsafe(this)` in a constructor uses the host's heap, even if the program
 * runs with a `TestHeap`. Then `TestHeap.collect` does not collect the referent of this
 * reference. Pass the heap to the constructor, or create the reference in an effect.
 *
 * **Example** (Creating a reference in synchronous code)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * const target = { id: 1 }
 * const ref = WeakRef.makeUnsafe(target)
 * WeakRef.deref(ref) // => Option.some(target)
 * ```
 *
 * @see {@link make} for the same in an effect
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const makeUnsafe = <A extends WeakKey>(target: A, heap: Heap = host): WeakRef<A> =>
  // The cast is safe: a referent has only one shared reference, of its own type.
  Referent.shared(target, heap, sharedClass) as unknown as WeakRef<A>

/**
 * Keeps `dependent` alive at least as long as `owner`.
 *
 * **When to use**
 *
 * Use if an owner needs an object that nothing else holds, and the owner has no property
 * for this object. Examples are a listener that must live as long as the object that it
 * watches, and the function of a `WeakMethod`.
 *
 * **Details**
 *
 * An owner can have several dependents, and a dependent can have several owners. A second
 * call with the same pair has no effect. `keepAlive` does not keep the owner alive, even
 * if the dependent refers to the owner. No function can release the dependent before the
 * owner is collected. A dependent that cannot be weakly referenced, for example a string,
 * is ignored.
 *
 * Fails with `NotWeakReferenceableError` if the owner cannot be weakly referenced. Costs
 * O(1), and does not dereference anything.
 *
 * **Example** (A listener that lives as long as its button)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakMethod, WeakRef } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const button = { label: "Save" }
 *   const onClick = () => "saved"
 *   // The method holds the function weakly. From now on the button keeps the function alive.
 *   const listener = yield* WeakMethod.make(button, onClick)
 *   yield* WeakRef.keepAlive(button, onClick)
 *   return yield* WeakMethod.invoke(listener)
 * })
 *
 * Effect.runSync(program) // => "saved"
 * ```
 *
 * @see {@link pin} for keeping a referent alive until a Scope closes
 * @see {@link keepAliveUnsafe} for the same in synchronous code
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const keepAlive: {
  (dependent: unknown): (owner: WeakKey) => Effect.Effect<void, NotWeakReferenceableError>
  (owner: WeakKey, dependent: unknown): Effect.Effect<void, NotWeakReferenceableError>
} = dual(
  2,
  (owner: WeakKey, dependent: unknown): Effect.Effect<void, NotWeakReferenceableError> =>
    Referent.make(owner, (owner, heap) => keepAliveUnsafe(owner, dependent, heap))
)

/**
 * Keeps `dependent` alive at least as long as `owner`, synchronously. Uses the host's
 * heap unless you pass another heap.
 *
 * **When to use**
 *
 * Use in synchronous code, or use {@link keepAlive} inside an Effect program.
 *
 * **Details**
 *
 * Throws `NotWeakReferenceableError` if the owner cannot be weakly referenced. Costs
 * O(1), and does not dereference anything.
 *
 * **Example** (A helper that lives as long as its owner)
 *
 * ```ts import.meta.vitest
 * import { WeakRef } from "effect-weakref"
 *
 * const owner = {}
 * const helper = { owner }
 * const ref = WeakRef.makeUnsafe(helper)
 * WeakRef.keepAliveUnsafe(owner, helper)
 * WeakRef.isAlive(ref) // => true
 * ```
 *
 * @see {@link keepAlive} for the same in an effect
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const keepAliveUnsafe = (owner: WeakKey, dependent: unknown, heap: Heap = host): void =>
  Referent.keepAlive(owner, dependent, heap)

/**
 * Checks whether the referent is alive, that is, whether it has not been collected.
 *
 * **When to use**
 *
 * Use if you do not need the referent itself.
 *
 * **Details**
 *
 * Dereferences, but never calls the `deref` of a subclass, and so never throws. Costs
 * O(1), with one `deref` of the engine.
 *
 * **Example** (Checking whether a referent is alive)
 *
 * ```ts import.meta.vitest
 * import { WeakRef } from "effect-weakref"
 *
 * const target = {}
 * WeakRef.isAlive(WeakRef.makeUnsafe(target)) // => true
 * ```
 *
 * @see {@link deref} for getting the referent
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isAlive = (self: WeakRef<WeakKey, unknown>): boolean => referentOf(self) !== undefined

/**
 * Returns `Some` of the referent, or `None` if the referent has been collected.
 *
 * **When to use**
 *
 * Use in synchronous code, or if you expect some references to be dead.
 *
 * **Details**
 *
 * The result keeps the referent alive for as long as the program holds it. On the host's
 * heap, the result never changes from `Some` to `None` within one turn, but a `TestHeap`
 * can collect within a turn, as in the example. Throws only if the `deref` of a subclass
 * throws. Costs O(1), with one `deref` of the engine.
 *
 * **Example** (Dereferencing before and after collection)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const target = { id: 1 }
 *   const ref = yield* WeakRef.make(target)
 *   const before = WeakRef.deref(ref)
 *   yield* TestHeap.collect(target)
 *   return [Option.isSome(before), Option.isSome(WeakRef.deref(ref))]
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [true, false]
 * ```
 *
 * @see {@link get} for an effect that fails if the reference is dead
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const deref = <A extends WeakKey, B>(self: WeakRef<A, B>): Option.Option<B> => implOf(self).deref()

/**
 * Succeeds with the referent, or fails with `DeadReferenceError` if the referent has been
 * collected.
 *
 * **When to use**
 *
 * Use if the program cannot continue without the referent, and needs the referent only in
 * this turn. Use {@link use} or {@link pin} to hold the referent longer.
 *
 * **Details**
 *
 * Dereferences each time the effect runs, and the result keeps the referent alive for as
 * long as the program holds it. Costs O(1), with one `deref` of the engine.
 *
 * **Example** (Getting the referent)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * const target = { id: 1 }
 * const ref = WeakRef.makeUnsafe(target)
 * Effect.runSync(WeakRef.get(ref)) // => { id: 1 }
 * ```
 *
 * @see {@link deref} for an `Option`
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const get = <A extends WeakKey, B>(self: WeakRef<A, B>): Effect.Effect<B, DeadReferenceError> =>
  whileAlive(self, (value) => Effect.succeed(value))

/** Calls `f` with the result of `deref` and with the referent. They differ if a subclass overrides `deref`. */
const whileAlive = <B, C, E, R>(
  self: WeakRef<WeakKey, B>,
  f: (value: B, referent: WeakKey | undefined) => Effect.Effect<C, E, R>
): Effect.Effect<C, E | DeadReferenceError, R> =>
  Effect.suspend((): Effect.Effect<C, E | DeadReferenceError, R> => {
    const impl = implOf(self)
    const value = impl.deref()
    return Option.isNone(value)
      ? Effect.fail(new DeadReferenceError({ kind: "WeakRef" }))
      : f(value.value, impl[referent]())
  })

/**
 * Runs an effect with the referent, and keeps the referent alive until the effect has
 * ended.
 *
 * **When to use**
 *
 * Use if the effect takes longer than one turn.
 *
 * **Details**
 *
 * If the referent has been collected, fails with `DeadReferenceError` and does not call
 * `f`, and otherwise fails if the effect of `f` fails. Costs O(1), and dereferences only
 * when the effect starts.
 *
 * **Example** (Holding the referent across turns)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * const target = { id: 1 }
 * const ref = WeakRef.makeUnsafe(target)
 * const program = WeakRef.use(ref, (target) => Effect.as(Effect.yieldNow, target.id))
 *
 * await Effect.runPromise(program) // => 1
 * ```
 *
 * @see {@link pin} for holding the referent until a Scope closes
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const use: {
  <B, C, E, R>(
    f: (value: B) => Effect.Effect<C, E, R>
  ): <A extends WeakKey>(self: WeakRef<A, B>) => Effect.Effect<C, E | DeadReferenceError, R>
  <A extends WeakKey, B, C, E, R>(
    self: WeakRef<A, B>,
    f: (value: B) => Effect.Effect<C, E, R>
  ): Effect.Effect<C, E | DeadReferenceError, R>
} = dual(2, <A extends WeakKey, B, C, E, R>(
  self: WeakRef<A, B>,
  f: (value: B) => Effect.Effect<C, E, R>
): Effect.Effect<C, E | DeadReferenceError, R> => whileAlive(self, (value, referent) => holdDuring(f(value), referent)))

/**
 * Runs an effect, and keeps a value reachable until the effect has ended.
 *
 * **When to use**
 *
 * Use if the collection of an object releases something that the effect uses, for example
 * a file handle that a `Finalizer` closes. In
 * `getFile.pipe(Effect.flatMap((file) => file.read()))`, nothing refers to `file` after
 * `read` has started, so the finalizer may close the file while it is read.
 *
 * **Details**
 *
 * An object is reachable until its last use, not until the end of the block or of the
 * method that uses it. This function adds a last use after the effect, whether the effect
 * succeeds, fails or is interrupted. Java calls this `Reference.reachabilityFence`, and
 * .NET calls it `GC.KeepAlive`. Costs O(1), never dereferences, and adds no error.
 *
 * **Gotchas**
 *
 * The effect that this function returns also refers to the value, so whoever keeps that
 * effect keeps the value.
 *
 * **Example** (Reading a file that a finalizer closes)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer, WeakRef } from "effect-weakref"
 *
 * interface Handle {
 *   isOpen: boolean
 * }
 *
 * const close = (handle: Handle) => Effect.sync(() => handle.isOpen = false)
 *
 * const open = Effect.gen(function*() {
 *   const handle: Handle = { isOpen: true }
 *   const file = { read: Effect.as(Effect.sleep("1 millis"), handle) }
 *   yield* Finalizer.makeWith(file, handle, close)
 *   return file
 * })
 *
 * const program = Effect.gen(function*() {
 *   const file = yield* open
 *   const handle = yield* WeakRef.holdWhile(file.read, file)
 *   return handle.isOpen
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => true
 * ```
 *
 * @see {@link use} for the same with the referent of a reference
 * @see {@link https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/ref/Reference.html#reachabilityFence(java.lang.Object) | Java, Reference.reachabilityFence} for the source of the semantics
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const holdWhile: {
  (value: unknown): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(effect: Effect.Effect<A, E, R>, value: unknown): Effect.Effect<A, E, R>
} = /*#__PURE__*/ dual(
  2,
  <A, E, R>(effect: Effect.Effect<A, E, R>, value: unknown): Effect.Effect<A, E, R> => holdDuring(effect, value)
)

/**
 * Succeeds with the referent, and keeps it alive until the Scope closes.
 *
 * **When to use**
 *
 * Use if several effects of one Scope need the referent.
 *
 * **Details**
 *
 * Fails with `DeadReferenceError` if the referent has been collected. Costs O(1), and
 * dereferences only when the effect starts.
 *
 * **Example** (Pinning a referent for the life of a Scope)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * const target = { id: 1 }
 * const ref = WeakRef.makeUnsafe(target)
 * const program = Effect.gen(function*() {
 *   const pinned = yield* WeakRef.pin(ref)
 *   yield* Effect.yieldNow
 *   return pinned.id
 * })
 *
 * await Effect.runPromise(Effect.scoped(program)) // => 1
 * ```
 *
 * @see {@link use} for holding the referent during one effect
 * @see {@link keepAlive} for holding an object as long as another object lives
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const pin = <A extends WeakKey, B>(self: WeakRef<A, B>): Effect.Effect<B, DeadReferenceError, Scope.Scope> =>
  whileAlive(
    self,
    (value, referent) =>
      Effect.flatMap(Scope.Scope, (scope) => Effect.as(Scope.addFinalizer(scope, holding(referent)), value))
  )

/**
 * Represents the registration of one callback, as {@link onCollect} returns it.
 *
 * **When to use**
 *
 * Use to cancel the callback with {@link cancel} before its Scope closes. A program that
 * never cancels the callback does not have to hold its registration.
 *
 * **Details**
 *
 * `WeakMethod.onCollect` and `WeakProxy.onCollect` return the same type, which compares
 * by identity. Printing it shows whether the callback waits, has started, or has ended
 * without starting. A registration that has ended holds neither the callback nor its
 * services.
 *
 * @see {@link cancel} for cancelling the callback
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface Callback extends Pipeable, Inspectable {
  readonly [Callbacks.CallbackTypeId]: typeof Callbacks.CallbackTypeId
}

/**
 * Checks whether a value is a {@link Callback} that this copy of the library created.
 *
 * **When to use**
 *
 * Use to narrow an unknown value before you pass it to {@link cancel}.
 *
 * **Details**
 *
 * Costs O(1), and never dereferences and never throws.
 *
 * **Example** (Recognizing a registration)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const ref = yield* WeakRef.make({})
 *   const callback = yield* WeakRef.onCollect(ref, () => Effect.void)
 *   return [WeakRef.isCallback(callback), WeakRef.isCallback(ref)]
 * })
 *
 * Effect.runSync(Effect.scoped(program)) // => [true, false]
 * ```
 *
 * @see {@link isWeakRef} for recognizing references
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isCallback = (u: unknown): u is Callback => guard(() => u instanceof Callbacks.CallbackImpl)

/**
 * Registers a callback that runs in the background after the referent has been collected.
 * The callback is unregistered by {@link cancel}, when the Scope closes, or when its
 * owner has been collected.
 *
 * **When to use**
 *
 * Use to react to a collection, for example to update a count or a cache. To release a
 * resource, use a `Finalizer`, because it also runs when the Scope closes. Pass an
 * `owner` if the callback belongs to an object and has no purpose without it, as a
 * callback that is a bound method does in Python.
 *
 * **Details**
 *
 * All references to a referent are dead before its first callback runs. The callbacks of
 * one referent run one after the other, the newest first. Callbacks of references,
 * proxies, methods and finalizers belong to the same sequence. Each callback runs with
 * the services of the effect that registered it. If a callback fails, dies or is
 * interrupted, the failure is reported as unhandled, and the next callback runs. Many
 * callbacks are spread over several turns of the event loop.
 *
 * With an owner, the callback receives the owner and then the reference. The registration
 * does not keep the owner alive, not even if the callback or its services refer to the
 * owner, because an ephemeron of the owner holds them. After the owner has been
 * collected, the callback never runs, and nothing of the registration is left in the
 * Scope.
 *
 * If the referent is dead already, the callback starts at once in the background. If the
 * Scope is closed already, the callback never runs. Closing the Scope neither waits for a
 * callback that has started nor interrupts it. If this effect is interrupted, the
 * callback is either registered completely or not at all.
 *
 * The registration holds the reference, but not the referent. Dies with
 * `NotWeakReferenceableError` if the owner cannot be weakly referenced, and never fails
 * otherwise. Costs O(1), with one `deref` of the referent and of the owner, and one
 * registration with the engine per referent, even if many callbacks are registered and
 * unregistered.
 *
 * **Gotchas**
 *
 * - Without an owner, the callback receives only the dead reference, not the referent.
 * - A callback that captures the referent keeps the referent alive until the Scope closes
 *   or the owner is collected, and never runs. A callback that is written inside another
 *   function captures what any function beside it captures.
 * - A callback that never ends blocks the older callbacks of the same referent for ever,
 *   so run long work in a forked fiber.
 * - An engine may run a callback late, or never, for example because the process ends
 *   first.
 *
 * **Example** (Running callbacks after a collection)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const log: Array<string> = []
 *
 * const program = Effect.gen(function*() {
 *   const target = { id: 1 }
 *   const ref = yield* WeakRef.make(target)
 *   yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push("first")))
 *   yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push("second")))
 *   yield* TestHeap.collectAndFinalize(target)
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program)
 * log // => ["second", "first"]
 * ```
 *
 * **Example** (A callback that belongs to an object)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * class Registry {
 *   forgotten = 0
 *
 *   watch(target: object) {
 *     return Effect.flatMap(WeakRef.make(target), WeakRef.onCollect(Registry.forget, { owner: this }))
 *   }
 *
 *   private static forget(registry: Registry) {
 *     return Effect.sync(() => registry.forgotten++)
 *   }
 * }
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const registry = new Registry()
 *   yield* registry.watch(target)
 *   yield* TestHeap.collectAndFinalize(target)
 *   return registry.forgotten
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program) // => 1
 * ```
 *
 * @see {@link cancel} for unregistering the callback
 * @see {@link isAlive} for checking without a callback
 * @see {@link https://tc39.es/ecma262/#sec-finalization-registry-objects | ECMAScript, FinalizationRegistry objects} for what an engine promises
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const onCollect: {
  <O extends WeakKey, Self extends WeakRef<WeakKey, unknown>, X, E, R>(
    f: (owner: O, ref: Self) => Effect.Effect<X, E, R>,
    options: { readonly owner: O }
  ): (self: Self) => Effect.Effect<Callback, never, R | Scope.Scope>
  <Self extends WeakRef<WeakKey, unknown>, X, E, R>(
    f: (ref: Self) => Effect.Effect<X, E, R>
  ): (self: Self) => Effect.Effect<Callback, never, R | Scope.Scope>
  <Self extends WeakRef<WeakKey, unknown>, O extends WeakKey, X, E, R>(
    self: Self,
    f: (owner: O, ref: Self) => Effect.Effect<X, E, R>,
    options: { readonly owner: O }
  ): Effect.Effect<Callback, never, R | Scope.Scope>
  <Self extends WeakRef<WeakKey, unknown>, X, E, R>(
    self: Self,
    f: (ref: Self) => Effect.Effect<X, E, R>
  ): Effect.Effect<Callback, never, R | Scope.Scope>
} = /*#__PURE__*/ Callbacks.onCollectOf((self: WeakRef<WeakKey, unknown>) => [recordOf(self)])

/**
 * Cancels a callback of {@link onCollect}, and succeeds with `true` if the callback will
 * not run, or with `false` if it has started already.
 *
 * **When to use**
 *
 * Use if the reason for the callback ends before its Scope closes.
 *
 * **Details**
 *
 * Also cancels a callback whose referent has been collected and that has not started, and
 * succeeds with `true` if the callback was cancelled before or ended with its Scope or
 * its owner. Afterwards nothing of the registration is left in the Scope, and registering
 * and cancelling any number of callbacks of a live referent leaves no memory in use.
 * Costs O(1), never fails, and does not interrupt a callback that has started.
 *
 * **Example** (Cancelling a callback)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * let calls = 0
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const ref = yield* WeakRef.make(target)
 *   const callback = yield* WeakRef.onCollect(ref, () => Effect.sync(() => calls++))
 *   const isCancelled = yield* WeakRef.cancel(callback)
 *   yield* TestHeap.collectAndFinalize(target)
 *   return [isCancelled, calls]
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program) // => [true, 0]
 * ```
 *
 * @see {@link onCollect} for registering a callback
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const cancel = (callback: Callback): Effect.Effect<boolean> => Effect.sync(() => Callbacks.cancel(callback))

/**
 * Checks whether the referent of a reference is this very value.
 *
 * **When to use**
 *
 * Use to find the reference of an object, for example in a list of listeners.
 * {@link equals} cannot do that, because it is also `true` for two equal objects.
 *
 * **Details**
 *
 * Compares by identity, and uses the referent itself even if a subclass overrides
 * `deref`. Returns `false` if the referent has been collected. Costs O(1) and does not
 * dereference, so it does not keep the referent alive. Never hashes, and never throws for
 * a value of any kind.
 *
 * **Example** (Telling equal objects apart)
 *
 * ```ts import.meta.vitest
 * import { WeakRef } from "effect-weakref"
 *
 * const one = { id: 1 }
 * const ref = WeakRef.makeUnsafe(one)
 * WeakRef.refersTo(ref, one) // => true
 * WeakRef.refersTo(ref, { id: 1 }) // => false
 * ```
 *
 * @see {@link equals} for a comparison of what the referents contain
 * @see {@link https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/ref/Reference.html#refersTo(T) | Java, Reference.refersTo} for the source of the semantics
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const refersTo: {
  (value: unknown): (self: WeakRef<WeakKey, unknown>) => boolean
  (self: WeakRef<WeakKey, unknown>, value: unknown): boolean
} = /*#__PURE__*/ dual(
  2,
  (self: WeakRef<WeakKey, unknown>, value: unknown): boolean => {
    const impl = implOf(self)
    return Referent.isOf(Referent.stateOf(impl), value, heapOf(impl))
  }
)

/**
 * Checks whether two arguments are the same reference, or refer to live referents that
 * are equal by `Equal.equals`.
 *
 * **When to use**
 *
 * Use instead of `Equal.equals` if the references may be dead.
 *
 * **Details**
 *
 * Checks each time whether both referents are alive, and returns `false` if one of two
 * different references is dead, unlike `Equal.equals`, which may throw. Costs as much as
 * `Equal.equals` of the referents, and dereferences both of them.
 *
 * **Gotchas**
 *
 * - Opaque objects, such as DOM nodes and Blobs, compare by identity.
 * - Effect caches the hash of an object and the result of a comparison. If a referent
 *   changes later, the result may stay the same.
 * - Throws `UnhashableError` if `Equal.equals` has to hash a referent that has no hash,
 *   for example a weak proxy.
 *
 * **Example** (Comparing before and after a collection)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const one = { id: 1 }
 *   const other = { id: 1 }
 *   const ref = yield* WeakRef.make(one)
 *   const that = yield* WeakRef.make(other)
 *   const before = WeakRef.equals(ref, that)
 *   yield* TestHeap.collect(one)
 *   return [before, WeakRef.equals(ref, that), WeakRef.equals(ref, ref)]
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [true, false, true]
 * ```
 *
 * @see {@link WeakRef} for the equality and the hash of references
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const equals: {
  (that: WeakRef<WeakKey, unknown>): (self: WeakRef<WeakKey, unknown>) => boolean
  (self: WeakRef<WeakKey, unknown>, that: WeakRef<WeakKey, unknown>): boolean
} = dual(2, (self: WeakRef<WeakKey, unknown>, that: WeakRef<WeakKey, unknown>): boolean => {
  if (self === that) return true
  const target = referentOf(self)
  const thatTarget = referentOf(that)
  return thatTarget !== undefined && Equality.equals(target, thatTarget)
})

/**
 * Counts the weak references and proxies of the target on the heap of the context.
 *
 * **When to use**
 *
 * Use in tests and diagnostics, for example to find out whether a cache still refers to
 * an object.
 *
 * **Details**
 *
 * Counts the shared reference, the shared proxy and every instance of {@link Class} and
 * its subclasses. A reference that nobody holds is counted until it has been collected.
 * Does not count methods, finalizers, or entries of collections. Returns 0 for a value
 * that cannot be weakly referenced.
 *
 * Costs O(number of references), and dereferences each of the references, but not the
 * target. Never fails, whatever the target is.
 *
 * **Example** (Counting references)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const none = yield* WeakRef.count(target)
 *   const ref = yield* WeakRef.make(target)
 *   const same = yield* WeakRef.make(target)
 *   return [none, yield* WeakRef.count(target), ref === same]
 * })
 *
 * Effect.runSync(program) // => [0, 1, true]
 * ```
 *
 * @see {@link all} for the references themselves
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.getweakrefcount | Python, weakref.getweakrefcount} for the source of the semantics
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const count = (target: WeakKey): Effect.Effect<number> => Effect.map(all(target), (refs) => refs.length)

/**
 * Returns the weak references and proxies of the target on the heap of the context.
 *
 * **When to use**
 *
 * Use in tests and diagnostics, for example to find out whether a cache still refers to
 * an object.
 *
 * **Details**
 *
 * Returns the shared reference, the shared proxy, then the instances of {@link Class} and
 * its subclasses from the oldest to the newest. The list includes instances whose `deref`
 * does not return the referent. A reference that nobody holds is listed until it has been
 * collected. Costs O(number of references), dereferences the references, but not the
 * target, and never fails.
 *
 * **Example** (Listing references)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const ref = yield* WeakRef.make(target)
 *   const keyed = new WeakRef.KeyedRef("key", target)
 *   const all = yield* WeakRef.all(target)
 *   return [all.length, all[0] === ref, all[1] === keyed]
 * })
 *
 * Effect.runSync(program) // => [2, true, true]
 * ```
 *
 * @see {@link count} for their number
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.getweakrefs | Python, weakref.getweakrefs} for the source of the semantics
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const all = <A extends WeakKey>(
  target: A
): Effect.Effect<ReadonlyArray<WeakRef<A> | WeakProxy<Extract<A, object>>>> =>
  Effect.map(
    Heap,
    (heap) =>
      // A record lists only references and proxies of its own referent.
      Referent.all(target, heap) as Array<WeakKey & (WeakRef<A> | WeakProxy<Extract<A, object>>)>
  )
