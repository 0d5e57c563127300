/**
 * Refers to a value without keeping it alive.
 *
 * A `WeakRef<A>` dereferences to `Some` of its referent while the referent lives,
 * and to `None` once it has been collected. Use one to name a large object that
 * other code owns, to point from a child to its parent, or to learn of a collection
 * with {@link onCollect}. Unlike the host's `WeakRef`, references here are shared,
 * compare by referent, have a hash, and fail with a typed error. They run on a heap
 * that a test can collect by hand.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import { type Inspectable, toJson } from "effect/Inspectable"
import * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import * as Scope from "effect/Scope"
import type { Covariant } from "effect/Types"
import { Heap } from "./Heap.ts"
import { Base } from "./internal/base.ts"
import * as Callbacks from "./internal/callbacks.ts"
import { host } from "./internal/heap.ts"
import { holdDuring, holding } from "./internal/hold.ts"
import * as Referent from "./internal/referent.ts"
import { DeadReferenceError, type NotWeakReferenceableError, UnhashableError } from "./WeakError.ts"
import type { WeakProxy } from "./WeakProxy.ts"

const TypeId = "~effect-weakref/WeakRef"

/**
 * A weak reference to an `A`, which dereferences to a `B`. The two are the same
 * unless a subclass of {@link Class} says otherwise.
 *
 * **When to use**
 *
 * Use to refer to an object whose lifetime other code decides.
 *
 * **Details**
 *
 * Two references whose referents are alive are equal if their referents are, by
 * `Equal.equals`. A dead reference is equal only to itself. The hash of a reference
 * is the hash of its referent. It is kept after death if it was computed before,
 * through any reference to the referent. If it is first needed after death, it throws
 * `UnhashableError`. References have no order.
 *
 * **Gotchas**
 *
 * Effect remembers that two objects compared equal. A pair of references that
 * compared equal once stays equal for `Equal.equals`, even when they are dead.
 * {@link equals} asks again whether both are alive.
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
 * @stability experimental
 * @category models
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
 * Checks whether a value is a weak reference of this copy of the library. Instances
 * of subclasses are weak references too.
 *
 * **When to use**
 *
 * Use to narrow an unknown value before you pass it to a function of this module.
 *
 * **Details**
 *
 * If a program loads this library twice, the guard of each copy returns `false` for
 * the references of the other, because their functions cannot read each other's
 * references. Never dereferences the referent. Cost: O(1).
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
 * @see {@link isAlive} for asking whether the referent lives
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isWeakRef = (u: unknown): u is WeakRef<WeakKey, unknown> => u instanceof Reference

const record: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/WeakRef/record")

const variance = {
  _A: (_: never) => _,
  _B: (_: never) => _
}

abstract class Reference<A extends WeakKey, B = A> extends Base implements WeakRef<A, B> {
  /**
   * A symbol, so that a subclass can name its fields as it likes.
   *
   * @internal
   */
  declare [record]: Referent.Referent<A>

  get [TypeId](): WeakRef<A, B>[typeof TypeId] {
    return variance
  }

  abstract deref(): Option.Option<B>

  [Equal.symbol](that: Equal.Equal): boolean {
    return isWeakRef(that) && equals(this, that)
  }

  [Hash.symbol](): number {
    const self = this[record]
    if (self.hash === undefined) {
      const target = self.deref()
      if (target === undefined) throw new UnhashableError()
      self.hash = Hash.hash(target)
    }
    return self.hash
  }

  toJSON(): unknown {
    return { _id: "WeakRef", value: toJson(Option.fromUndefinedOr(this[record].deref())) }
  }
}

/** Returns the record of a reference's referent. */
const recordOf = <A extends WeakKey>(self: WeakRef<A, unknown>): Referent.Referent<A> =>
  // There is no other implementation of the interface.
  (self as Reference<A, unknown>)[record]

/**
 * The class of the references that {@link makeUnsafe} returns. The heap's `WeakRef`
 * constructs them, so that they are one step from the referent instead of two.
 */
const sharedClass = (heap: Heap) => {
  const { deref } = heap.WeakRef.prototype
  return class<A extends WeakKey> extends Reference<A> {
    override deref(): Option.Option<A> {
      const target = deref.call(this)
      return target === undefined ? Option.none() : Option.some(target as A)
    }
  }
}

const construct = <A extends WeakKey>(target: A, self: Referent.Referent<A>): Reference<A> => {
  const { records } = self
  if (records.Shared === undefined) {
    records.Shared = sharedClass(records.heap)
    const kept = {}
    records.kept.push(construct(kept, Referent.of(kept, records.heap)))
  }
  const made: Reference<A> = Reflect.construct(records.heap.WeakRef, [target], records.Shared)
  made[record] = self
  return made
}

/** A reference that is not shared. What it dereferences to is up to its subclass. */
abstract class OwnReference<A extends WeakKey, B> extends Reference<A, B> {
  constructor(target: A, heap: Heap = host) {
    super()
    const self = Referent.of(target, heap)
    this[record] = self
    Referent.own(self, this)
  }

  /** Returns the referent itself, whatever `deref` returns. Dereferences. */
  protected referent(): Option.Option<A> {
    return Option.fromUndefinedOr(this[record].deref())
  }
}

class PlainReference<A extends WeakKey> extends OwnReference<A, A> {
  override deref(): Option.Option<A> {
    return this.referent()
  }
}

/**
 * A reference that carries annotations, or that dereferences to something else than
 * its referent: a `B` instead of an `A`.
 *
 * **When to use**
 *
 * Use as the type of an instance of any subclass.
 *
 * @see {@link WeakRef} for the interface of all references
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Class<A extends WeakKey, B = A> = OwnReference<A, B>

/**
 * The class to extend for references that carry annotations, or that dereference to
 * something else than their referent.
 *
 * **When to use**
 *
 * Extend `Class<A>` to add fields. Extend `Class<A, B>` to dereference to a `B`: then
 * the subclass has to define `deref`, and does not compile without it.
 *
 * **Details**
 *
 * `new` throws `NotWeakReferenceableError` if the target cannot be weakly referenced.
 * An instance is never the shared reference that {@link make} returns. It compares and
 * hashes like any reference, and {@link count} and {@link all} list it. {@link deref},
 * {@link get}, {@link use} and {@link pin} call the instance's `deref`.
 * {@link isAlive}, {@link equals} and {@link onCollect} look at the referent itself.
 * Cost: O(1), and one registration with the engine for each instance.
 *
 * **Gotchas**
 *
 * An annotation that reaches the referent keeps it alive for as long as the program
 * holds the reference.
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
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export const Class: {
  new<A extends WeakKey>(target: A, heap?: Heap): PlainReference<A>
  new<A extends WeakKey, B>(target: A, heap?: Heap): OwnReference<A, B>
  // A subclass of the second form defines `deref` itself, which the compiler checks: `PlainReference` serves both.
} = PlainReference as never

/**
 * A weak reference that carries a strong key. `WeakValueMap.valueRefs` returns
 * references of this class, so that the key is known even after the value has been
 * collected.
 *
 * **When to use**
 *
 * Use to find out which entry a dead reference belonged to.
 *
 * **Details**
 *
 * `new` throws `NotWeakReferenceableError` if the target cannot be weakly referenced.
 * Cost: O(1).
 *
 * **Gotchas**
 *
 * A key that reaches the referent keeps it alive for as long as the program holds the
 * reference.
 *
 * **Example** (The key outlives the referent)
 *
 * ```ts import.meta.vitest
 * import { WeakRef } from "effect-weakref"
 *
 * const ref = new WeakRef.KeyedRef("sunset", { pixels: 12 })
 * ref.key // => "sunset"
 * ```
 *
 * @see {@link Class} for references with other annotations
 * @see {@link https://github.com/python/cpython/blob/main/Lib/weakref.py | CPython, weakref.KeyedRef} for the source of the semantics
 *
 * @stability experimental
 * @category models
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
 * Creates a weak reference to a target, or returns the one that the program already
 * holds.
 *
 * **When to use**
 *
 * Use inside an Effect program. Use {@link makeUnsafe} in synchronous code.
 *
 * **Details**
 *
 * Two references made from the same target on the same heap are the same object, for
 * as long as the program holds it. The library holds it weakly. Fails with
 * `NotWeakReferenceableError` if the target is a primitive or a registered symbol.
 * Cost: O(1). Like a dereference, it keeps the target alive until the end of the turn.
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
 * @see {@link deref} for getting the target back
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = <A extends WeakKey>(target: A): Effect.Effect<WeakRef<A>, NotWeakReferenceableError> =>
  Referent.make(target, makeUnsafe)

/**
 * Creates a weak reference synchronously. Uses the host's heap unless you pass
 * another.
 *
 * **When to use**
 *
 * Use in synchronous code. Use {@link make} inside an Effect program, so that a test
 * can replace the heap.
 *
 * **Details**
 *
 * Throws `NotWeakReferenceableError` if the target is a primitive or a registered
 * symbol. References are shared as those of {@link make} are. Cost: O(1).
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
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = <A extends WeakKey>(target: A, heap: Heap = host): WeakRef<A> => {
  const self = Referent.of(target, heap)
  // Only the shared reference of this very referent is stored there, below.
  const shared = self.sharedRef?.deref() as WeakRef<A> | undefined
  if (shared !== undefined) return shared
  const made = construct(target, self)
  self.sharedRef = new heap.WeakRef(made)
  return made
}

/**
 * Keeps `dependent` alive for at least as long as `owner` lives.
 *
 * **When to use**
 *
 * Use if an object needs another one that nobody else holds, and has no property to
 * hold it with. Examples are a listener that must live as long as the object that it
 * watches, and the function of a `WeakMethod`.
 *
 * **Details**
 *
 * An owner can have several dependents, and a dependent several owners. The same pair
 * counts once. The owner is not kept alive, even if the dependent refers to it. Nothing
 * takes the dependent back: it lives until the owner is collected. A primitive
 * dependent is ignored, because it cannot be collected.
 *
 * Fails with `NotWeakReferenceableError` if the owner cannot be weakly referenced.
 * Dereferences nothing. Cost: O(1).
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
 *   // The method holds the function weakly, and nobody else holds it: the button does from now on.
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
 * @stability experimental
 * @category combinators
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
 * Keeps `dependent` alive for at least as long as `owner` lives, synchronously. Uses
 * the host's heap unless you pass another.
 *
 * **When to use**
 *
 * Use in synchronous code. Use {@link keepAlive} inside an Effect program.
 *
 * **Details**
 *
 * Throws `NotWeakReferenceableError` if the owner cannot be weakly referenced. Cost:
 * O(1).
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
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const keepAliveUnsafe = (owner: WeakKey, dependent: unknown, heap: Heap = host): void =>
  Referent.keepAlive(owner, dependent, heap)

/**
 * Checks whether the referent has not been collected.
 *
 * **When to use**
 *
 * Use if you need the answer, and not the referent.
 *
 * **Details**
 *
 * Dereferences: a referent that is alive stays alive until the end of the turn. Never
 * calls the `deref` of a subclass. Never throws. Cost: O(1).
 *
 * **Example** (Asking whether a referent lives)
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
 * @stability experimental
 * @category predicates
 * @since 0.1.0
 */
export const isAlive = (self: WeakRef<WeakKey, unknown>): boolean => recordOf(self).deref() !== undefined

/**
 * Returns `Some` of the referent, or `None` once it has been collected.
 *
 * **When to use**
 *
 * Use in synchronous code, and if a dead reference is an ordinary case.
 *
 * **Details**
 *
 * Dereferences: the referent lives until the end of the turn, and as long as the
 * program holds the result. Within one turn the answer never changes from `Some` to
 * `None`. Never throws, unless the `deref` of a subclass does. Cost: O(1), one `deref`
 * of the engine.
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
 * @stability experimental
 * @category getters
 * @since 0.1.0
 */
export const deref = <A extends WeakKey, B>(self: WeakRef<A, B>): Option.Option<B> => self.deref()

/**
 * Succeeds with the referent, or fails with `DeadReferenceError` if it has been
 * collected.
 *
 * **When to use**
 *
 * Use if the program cannot go on without the referent, and needs it only in this
 * turn. Use {@link use} or {@link pin} to hold it longer.
 *
 * **Details**
 *
 * Dereferences each time that the effect runs. The referent lives until the end of the
 * turn, and as long as the program holds the result. Cost: O(1).
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
 * @stability experimental
 * @category getters
 * @since 0.1.0
 */
export const get = <A extends WeakKey, B>(self: WeakRef<A, B>): Effect.Effect<B, DeadReferenceError> =>
  whileAlive(self, (value) => Effect.succeed(value))

/** Calls `f` with the value of the reference and with the referent, which `f` may have to hold. */
const whileAlive = <B, C, E, R>(
  self: WeakRef<WeakKey, B>,
  f: (value: B, referent: WeakKey | undefined) => Effect.Effect<C, E, R>
): Effect.Effect<C, E | DeadReferenceError, R> =>
  Effect.suspend((): Effect.Effect<C, E | DeadReferenceError, R> => {
    const value = self.deref()
    return Option.isNone(value)
      ? Effect.fail(new DeadReferenceError({ kind: "WeakRef" }))
      : f(value.value, recordOf(self).deref())
  })

/**
 * Runs an effect with the referent, and keeps the referent alive until that effect has
 * ended.
 *
 * **When to use**
 *
 * Use if the effect takes longer than one turn.
 *
 * **Details**
 *
 * Fails with `DeadReferenceError` if the referent has been collected. Then `f` is not
 * called. Fails as the effect of `f` does. Dereferences once. Cost: O(1).
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
 * @stability experimental
 * @category combinators
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
 * Succeeds with the referent, and keeps it alive until the Scope closes.
 *
 * **When to use**
 *
 * Use if several effects of one Scope need the referent.
 *
 * **Details**
 *
 * Fails with `DeadReferenceError` if the referent has been collected. Dereferences
 * once. Cost: O(1).
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
 * @see {@link keepAlive} for holding an object for the life of another
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const pin = <A extends WeakKey, B>(self: WeakRef<A, B>): Effect.Effect<B, DeadReferenceError, Scope.Scope> =>
  whileAlive(
    self,
    (value, referent) =>
      Effect.flatMap(Scope.Scope, (scope) => Effect.as(Scope.addFinalizer(scope, holding(referent)), value))
  )

/**
 * Registers a callback for the life of the Scope. It runs in the background when the
 * referent has been collected.
 *
 * **When to use**
 *
 * Use to learn of a collection, for example to update a count or a cache. Use a
 * `Finalizer` to release a resource, because the Scope runs it in any case.
 *
 * **Details**
 *
 * When a referent has been collected, all references to it are dead before the first
 * callback runs. The callbacks registered for it run from the newest to the oldest, one
 * after the other: those of references, proxies, methods and finalizers alike. Each
 * runs with the services that it was registered with. If a callback fails, dies or is
 * interrupted, this is reported as unhandled, and the next one runs. Many callbacks run
 * in slices, so that the event loop turns in between.
 *
 * If the referent is dead already, the callback runs at once in the background. When
 * the Scope closes, the callback is unregistered. The close neither waits for a callback
 * that has begun nor interrupts it. An interruption of this effect leaves the callback
 * registered or not, and nothing else in the Scope.
 *
 * The registration holds the reference, but not the referent. Dereferences. Never
 * fails. Cost: O(1), and one registration with the engine per referent, however many
 * callbacks come and go.
 *
 * **Gotchas**
 *
 * - The callback gets the dead reference, not the referent.
 * - A callback that captures the referent keeps it alive, and so never runs.
 * - A callback that never ends blocks the older callbacks of the same referent for ever.
 *   Fork what takes long.
 * - An engine may run a callback late, or never if the process ends first.
 *
 * **Example** (Learning of a collection)
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
 * @see {@link isAlive} for asking instead of waiting
 * @see {@link https://tc39.es/ecma262/#sec-finalization-registry-objects | ECMAScript, FinalizationRegistry objects} for what an engine promises
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const onCollect: {
  <Self extends WeakRef<WeakKey, unknown>, X, E, R>(
    f: (ref: Self) => Effect.Effect<X, E, R>
  ): (self: Self) => Effect.Effect<void, never, R | Scope.Scope>
  <Self extends WeakRef<WeakKey, unknown>, X, E, R>(
    self: Self,
    f: (ref: Self) => Effect.Effect<X, E, R>
  ): Effect.Effect<void, never, R | Scope.Scope>
} = dual(2, <Self extends WeakRef<WeakKey, unknown>, X, E, R>(
  self: Self,
  f: (ref: Self) => Effect.Effect<X, E, R>
): Effect.Effect<void, never, R | Scope.Scope> => Callbacks.onCollect(Effect.suspend(() => f(self)), recordOf(self)))

/**
 * Checks whether two references are equal: they are the same reference, or both
 * referents are alive and equal by `Equal.equals`.
 *
 * **When to use**
 *
 * Use instead of `Equal.equals` if the references may be dead.
 *
 * **Details**
 *
 * Unlike `Equal.equals` of the references, it asks each time whether both referents are
 * alive, and a dead reference does not make it throw. Dereferences both. Cost: that of
 * `Equal.equals` of the referents.
 *
 * **Gotchas**
 *
 * It compares the referents with `Equal.equals`. Effect remembers the hash of an object
 * and that two objects compared equal, so a later change of a referent may not change
 * the answer. It throws `UnhashableError` if a referent is a weak proxy.
 *
 * **Example** (Equality before and after death)
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
 * @stability experimental
 * @category predicates
 * @since 0.1.0
 */
export const equals: {
  (that: WeakRef<WeakKey, unknown>): (self: WeakRef<WeakKey, unknown>) => boolean
  (self: WeakRef<WeakKey, unknown>, that: WeakRef<WeakKey, unknown>): boolean
} = dual(2, (self: WeakRef<WeakKey, unknown>, that: WeakRef<WeakKey, unknown>): boolean => {
  if (self === that) return true
  const target = recordOf(self).deref()
  if (target === undefined) return false
  const thatTarget = recordOf(that).deref()
  return thatTarget !== undefined && Equal.equals(target, thatTarget)
})

/**
 * Counts the weak references and proxies to the target that the program still holds,
 * on the heap of the context.
 *
 * **When to use**
 *
 * Use in tests and diagnostics.
 *
 * **Details**
 *
 * Counts the shared reference, the shared proxy and every instance of a subclass of
 * {@link Class}. Does not count the entries of collections, methods and finalizers.
 * Returns 0 for a value that cannot be weakly referenced. Dereferences the references,
 * but not the target: each reference lives until the end of the turn. Never fails. Cost:
 * O(number of references).
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
 * @stability experimental
 * @category getters
 * @since 0.1.0
 */
export const count = (target: WeakKey): Effect.Effect<number> => Effect.map(all(target), (refs) => refs.length)

/**
 * Returns the weak references and proxies to the target that the program still holds,
 * on the heap of the context.
 *
 * **When to use**
 *
 * Use in tests and diagnostics.
 *
 * **Details**
 *
 * Returns the shared reference, the shared proxy, then the instances of subclasses of
 * {@link Class} from the oldest to the newest. An instance whose class changes what
 * dereferencing returns is in the list too. Dereferences the references, but not the
 * target. Never fails. Cost: O(number of references).
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
 * @stability experimental
 * @category getters
 * @since 0.1.0
 */
export const all = <A extends WeakKey>(
  target: A
): Effect.Effect<ReadonlyArray<WeakRef<A> | WeakProxy<Extract<A, object>>>> =>
  Effect.map(
    Heap,
    (heap) =>
      // A record lists nothing but references and proxies of its own referent.
      Referent.held(Referent.find(target, heap)) as Array<WeakKey & (WeakRef<A> | WeakProxy<Extract<A, object>>)>
  )
