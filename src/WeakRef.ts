/**
 * A weak reference: a way to a value that does not keep the value alive.
 *
 * `WeakRef<A>` refers to its referent without holding it. Dereferencing gives
 * `Some` of the referent while it lives and `None` once it has been collected.
 * Use one to name a large object without owning it, to look back from a child
 * to its parent, or to learn of a collection with {@link onCollect}. Compared
 * with the host's `WeakRef`, references here are shared, compare by referent,
 * hash, fail with a typed error, and run on a heap that a test can collect by
 * hand.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import { type Inspectable, toJson } from "effect/Inspectable"
import * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import * as Scope from "effect/Scope"
import type { Covariant } from "effect/Types"
import { Heap, host } from "./Heap.ts"
import { Base } from "./internal/base.ts"
import * as Referent from "./internal/referent.ts"
import { DeadReferenceError, type NotWeakReferenceableError, UnhashableError } from "./WeakError.ts"
import type { WeakProxy } from "./WeakProxy.ts"

const TypeId = "~effect-weakref/WeakRef"

/** @internal */
export const record: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/WeakRef/record")

/**
 * A weak reference to an `A`, which dereferences to a `B`. The two are the same
 * unless a subclass of {@link Class} says otherwise.
 *
 * **Details**
 *
 * Equality: two references whose referents are alive are equal when the
 * referents are, by `Equal.equals`; a dead one is equal only to itself. The hash
 * is the referent's; it is kept after death once it was taken through any of the
 * referent's references, and first asked for after death it throws
 * `UnhashableError`. References have no order.
 *
 * **Gotchas**
 *
 * Effect remembers what `Equal.equals` answered for a pair of objects, so a pair
 * of references that once compared equal keeps comparing equal there, also when
 * dead. {@link equals} is exact at each moment.
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
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.ref | Python, weakref.ref} for the source of the semantics
 *
 * @category models
 * @since 0.1.0
 */
export interface WeakRef<out A extends WeakKey, out B = A> extends Equal.Equal, Pipeable, Inspectable {
  readonly [TypeId]: {
    readonly _A: Covariant<A>
    readonly _B: Covariant<B>
  }
  /** @internal */
  readonly [record]: Referent.Referent<A>
  deref(): Option.Option<B>
}

/**
 * Checks whether a value is a weak reference of this library, subclass instances
 * included. It does not dereference.
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
 * @category guards
 * @since 0.1.0
 */
export const isWeakRef = (u: unknown): u is WeakRef<WeakKey, unknown> => hasProperty(u, TypeId)

const variance = {
  _A: (_: never) => _,
  _B: (_: never) => _
}

abstract class Reference<A extends WeakKey, B = A> extends Base implements WeakRef<A, B> {
  /** @internal */
  declare [record]: Referent.Referent<A>

  constructor(self: Referent.Referent<A>) {
    super()
    this[record] = self
  }

  get [TypeId](): WeakRef<A, B>[typeof TypeId] {
    return variance
  }

  deref(): Option.Option<B> {
    // In a class that is not extended B is A; one that is overrides this where it is not.
    return Option.fromUndefinedOr(this[record].deref() as B | undefined)
  }

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

/**
 * What {@link makeUnsafe} gives: constructed by the heap's `WeakRef`, a reference
 * by its prototype. It is one step from its referent, not two.
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

/**
 * The class to extend for a reference that carries annotations, or that changes
 * what dereferencing gives: the second type parameter.
 *
 * **Details**
 *
 * `new` is synchronous and throws `NotWeakReferenceableError` where the target
 * cannot be a referent. An instance is never the shared reference that
 * {@link make} gives; it compares and hashes like any reference, and
 * {@link count} and {@link all} know it. Every function of this module that
 * dereferences calls the instance's `deref`, except {@link isAlive} and
 * {@link equals}, which look at the referent itself.
 *
 * **Gotchas**
 *
 * An annotation that reaches the referent keeps it alive for as long as the
 * reference itself is held.
 *
 * **Example** (A reference that counts how often it is asked)
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
 * @see {@link https://docs.python.org/3/library/weakref.html#example | Python, weakref example: ExtendedRef} for the source of the semantics
 *
 * @category models
 * @since 0.1.0
 */
export class Class<A extends WeakKey, B = A> extends Reference<A, B> {
  constructor(target: A, heap: Heap = host) {
    super(Referent.of(target, heap))
    Referent.own(this[record], this)
  }

  /** The referent itself, whatever `deref` makes of it. Dereferences. */
  protected referent(): Option.Option<A> {
    return Option.fromUndefinedOr(this[record].deref())
  }
}

/**
 * A weak reference that carries a strong key: what `WeakValueMap.valueRefs`
 * yields, so that the key of a value is known also after its death.
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
 * @see {@link https://github.com/python/cpython/blob/main/Lib/weakref.py | CPython, weakref.KeyedRef} for the source of the semantics
 *
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
 * Creates a weak reference, or gives the one that the program already holds.
 *
 * **When to use**
 *
 * Use inside an Effect program. {@link makeUnsafe} is the synchronous form.
 *
 * **Details**
 *
 * Two references made from the same target on the same heap are the same object
 * for as long as the program holds it. It is itself held weakly. Fails with
 * `NotWeakReferenceableError` where the target is a primitive or a registered
 * symbol. Cost: O(1). The engine keeps the target to the end of the turn, as
 * after dereferencing.
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
 * @category constructors
 * @since 0.1.0
 */
export const make = <A extends WeakKey>(target: A): Effect.Effect<WeakRef<A>, NotWeakReferenceableError> =>
  Referent.make(target, makeUnsafe)

/**
 * Creates a weak reference synchronously, on the host's heap unless another is
 * given. Throws `NotWeakReferenceableError` where {@link make} fails with it.
 *
 * **Example** (Creating a reference outside of Effect)
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
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = <A extends WeakKey>(target: A, heap: Heap = host): WeakRef<A> => {
  const self = Referent.of(target, heap)
  // Only shared references of this very referent are put there, below.
  const shared = self.sharedRef?.deref() as WeakRef<A> | undefined
  if (shared !== undefined) return shared
  const made: Reference<A> = Reflect.construct(heap.WeakRef, [target], self.records.Shared ??= sharedClass(heap))
  made[record] = self
  self.sharedRef = new heap.WeakRef(made)
  return made
}

/**
 * Whether the referent has not been collected. Dereferences: what is alive now
 * stays alive to the end of the turn.
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
 * @category getters
 * @since 0.1.0
 */
export const isAlive = (self: WeakRef<WeakKey, unknown>): boolean => self[record].deref() !== undefined

/**
 * Dereferences: `Some` of the referent, or `None` once it has been collected.
 *
 * **Details**
 *
 * Cost: O(1), one `deref` of the engine. It keeps the referent to the end of the
 * turn; within one turn it never changes from `Some` to `None`.
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
 * @category getters
 * @since 0.1.0
 */
export const deref = <A extends WeakKey, B>(self: WeakRef<A, B>): Option.Option<B> => self.deref()

/**
 * Dereferences in an effect: succeeds with the referent, or fails with
 * `DeadReferenceError`.
 *
 * **Details**
 *
 * Each run dereferences anew. The referent is held to the end of the turn, and
 * then by whoever uses the result; {@link use} and {@link pin} hold it longer.
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
 * @category getters
 * @since 0.1.0
 */
export const get = <A extends WeakKey, B>(self: WeakRef<A, B>): Effect.Effect<B, DeadReferenceError> =>
  hold(self, (value) => Effect.succeed(value))

/**
 * `holding` does nothing, but the fiber or Scope that remembers to run it holds
 * the referent until then.
 */
const hold = <B, C, E, R>(
  self: WeakRef<WeakKey, B>,
  f: (value: B, holding: Effect.Effect<unknown>) => Effect.Effect<C, E, R>
): Effect.Effect<C, E | DeadReferenceError, R> =>
  Effect.suspend((): Effect.Effect<C, E | DeadReferenceError, R> => {
    const value = self.deref()
    return Option.isNone(value)
      ? Effect.fail(new DeadReferenceError())
      : f(value.value, Effect.succeed(self[record].deref()))
  })

/**
 * Runs an effect with the referent, which stays alive until that effect has
 * ended, however many turns it takes.
 *
 * **Details**
 *
 * Fails with `DeadReferenceError` where the referent is dead already; then `f` is
 * not called. Dereferences.
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
 * @category operations
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
): Effect.Effect<C, E | DeadReferenceError, R> => hold(self, (value, holding) => Effect.ensuring(f(value), holding)))

/**
 * Dereferences, and keeps the referent alive until the Scope closes.
 *
 * **Details**
 *
 * Fails with `DeadReferenceError` where the referent is dead already.
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
 * @category operations
 * @since 0.1.0
 */
export const pin = <A extends WeakKey, B>(self: WeakRef<A, B>): Effect.Effect<B, DeadReferenceError, Scope.Scope> =>
  hold(
    self,
    (value, holding) => Effect.flatMap(Scope.Scope, (scope) => Effect.as(Scope.addFinalizer(scope, holding), value))
  )

/**
 * Registers a callback for the life of the Scope: an effect that runs in the
 * background when the referent has been collected.
 *
 * **Details**
 *
 * On collection all references to the referent read as dead first. Then the
 * callbacks registered for it, through references, proxies, methods and
 * finalizers alike, run from the newest to the oldest, one after the other, each
 * with the services that it was registered with. One that fails, dies or is
 * interrupted is reported as unhandled and does not stop the next. Registered on
 * a dead reference, a callback runs at once in the background. Closing the Scope
 * unregisters; it neither waits for a callback that has begun nor interrupts it.
 *
 * The registration, not the caller, holds the reference; neither holds the
 * referent. Cost: O(1), and one registration with the engine per referent,
 * however many callbacks come and go. Dereferences.
 *
 * **Gotchas**
 *
 * The callback is given the dead reference, not the referent. A callback whose
 * closure captures the referent keeps it alive, and so never runs. An engine may
 * run it late, or never when the process ends first: a resource that must be
 * released wants a `Finalizer`.
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
 * @see {@link https://tc39.es/ecma262/#sec-finalization-registry-objects | ECMAScript, FinalizationRegistry objects} for what an engine promises
 *
 * @category operations
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
): Effect.Effect<void, never, R | Scope.Scope> => Referent.onCollect(Effect.suspend(() => f(self)), self[record]))

/**
 * Whether two references are equal at this moment: both alive and their
 * referents equal by `Equal.equals`, or the same reference.
 *
 * **Details**
 *
 * Unlike `Equal.equals` on the references themselves it neither remembers an
 * earlier answer nor throws for a dead reference. Dereferences both.
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
 * @category equality
 * @since 0.1.0
 */
export const equals: {
  (that: WeakRef<WeakKey, unknown>): (self: WeakRef<WeakKey, unknown>) => boolean
  (self: WeakRef<WeakKey, unknown>, that: WeakRef<WeakKey, unknown>): boolean
} = dual(2, (self: WeakRef<WeakKey, unknown>, that: WeakRef<WeakKey, unknown>): boolean => {
  if (self === that) return true
  const target = self[record].deref()
  return target !== undefined && Equal.equals(target, that[record].deref())
})

/**
 * How many weak references and proxies to the target the program still holds, on
 * the heap of the context.
 *
 * **When to use**
 *
 * Use in tests and diagnostics.
 *
 * **Details**
 *
 * Counts the shared reference, the shared proxy and every instance of a subclass
 * of {@link Class}; not the entries of collections, methods and finalizers. A
 * value that cannot be a referent has none. Cost: O(their number). Dereferences
 * the references, not the target: each lives to the end of the turn.
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
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.getweakrefcount | Python, weakref.getweakrefcount} for the source of the semantics
 *
 * @category diagnostics
 * @since 0.1.0
 */
export const count = (target: WeakKey): Effect.Effect<number> => Effect.map(all(target), (refs) => refs.length)

/**
 * The weak references and proxies to the target that the program still holds:
 * the shared reference, the shared proxy, then the instances of subclasses from
 * the oldest to the newest. Those of a subclass that changes what dereferencing
 * gives are listed too, and their own class says what that is.
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
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.getweakrefs | Python, weakref.getweakrefs} for the source of the semantics
 *
 * @category diagnostics
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
