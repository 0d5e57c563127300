/**
 * Refers weakly to a method of an object, that is, to a receiver and a function.
 *
 * Use a `WeakMethod` to register a listener that must not keep its object alive. A
 * `WeakMethod` holds the receiver and the function weakly, and binds the function to the
 * receiver at each use. The function that `object.method.bind(object)` returns keeps the
 * object alive. A `WeakRef` to a bound function soon becomes dead, because nothing else
 * holds the bound function.
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
import { isFunction, isPropertyKey } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Contravariant, Covariant } from "effect/Types"
import { type Heap, isWeakReferenceable } from "./Heap.ts"
import { Base } from "./internal/base.ts"
import * as Callbacks from "./internal/callbacks.ts"
import * as Equality from "./internal/equality.ts"
import { guard } from "./internal/guard.ts"
import { host } from "./internal/host.ts"
import { notMethod } from "./internal/method.ts"
import { outline } from "./internal/outline.ts"
import * as Referent from "./internal/referent.ts"
import { refuse } from "./internal/refuse.ts"
import { DeadReferenceError, NotWeakReferenceableError, UnhashableError } from "./WeakError.ts"
import type { Callback } from "./WeakRef.ts"

const TypeId = "~effect-weakref/WeakMethod"

/**
 * Refers weakly to a method of an `A` that takes `Args` and returns a `B`.
 *
 * **When to use**
 *
 * Use to call a method of an object whose lifetime other code decides.
 *
 * **Details**
 *
 * A `WeakMethod` is dead as soon as its receiver or its function has been collected.
 *
 * Two live methods are equal if their functions are identical and their receivers are
 * equal by `Equal.equals`. A dead method is equal only to itself.
 *
 * The hash is computed from the receiver and the function. A hash that was computed while
 * the method was alive stays available afterwards. If there is no such hash, hashing a
 * dead method throws `UnhashableError`.
 *
 * **Gotchas**
 *
 * - The function is held weakly, too. A class keeps its methods alive, and a receiver
 *   keeps the functions in its properties alive, but nothing keeps an arrow function, the
 *   result of `bind`, or a function that an accessor creates at each read, if you pass it
 *   to `make` and hold it nowhere else. The `WeakMethod` may then soon become dead,
 *   unless you call `WeakRef.keepAlive` with the receiver and the function.
 * - A function that captures its receiver, as in
 *   `make(receiver, () => receiver.update())`, keeps the receiver alive for as long as
 *   somebody holds the function, so use `this` in the function.
 * - Effect caches the result of a comparison, so two methods that compared equal once
 *   stay equal for `Equal.equals`, even after they are dead. {@link equals} checks each
 *   time whether both are alive.
 *
 * **Example** (Listeners that do not keep their objects alive)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakMethod } from "effect-weakref"
 *
 * class Counter {
 *   #count = 0
 *   add(n: number): number {
 *     return this.#count += n
 *   }
 * }
 *
 * const program = Effect.gen(function*() {
 *   const counter = new Counter()
 *   const listener = yield* WeakMethod.make(counter, "add")
 *   yield* WeakMethod.invoke(listener, 2)
 *   return yield* WeakMethod.invoke(listener, 3)
 * })
 *
 * Effect.runSync(program) // => 5
 * ```
 *
 * @see {@link make} for creating a weak method
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakMethod | Python, weakref.WeakMethod} for the source of the semantics
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export interface WeakMethod<out A extends WeakKey, in Args extends ReadonlyArray<unknown>, out B>
  extends Equal.Equal, Pipeable, Inspectable
{
  readonly [TypeId]: {
    readonly _A: Covariant<A>
    readonly _Args: Contravariant<Args>
    readonly _B: Covariant<B>
  }
}

/**
 * Checks whether a value is a `WeakMethod` that this copy of the library created.
 *
 * **When to use**
 *
 * Use to narrow an unknown value before you pass it to a function of this module.
 *
 * **Details**
 *
 * If a program loads this library twice, the guard of each copy returns `false` for
 * methods that the other copy created, and the functions of one copy refuse methods of
 * the other with a `TypeError` that says so. Costs O(1), and never dereferences the
 * method.
 *
 * **Example** (Recognizing a weak method)
 *
 * ```ts import.meta.vitest
 * import { WeakMethod } from "effect-weakref"
 *
 * const set = new Set([1])
 * WeakMethod.isWeakMethod(WeakMethod.makeUnsafe(set, "has")) // => true
 * WeakMethod.isWeakMethod(set.has) // => false
 * ```
 *
 * @see {@link isAlive} for checking whether the method can be called
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isWeakMethod = (u: unknown): u is WeakMethod<WeakKey, never, unknown> =>
  guard(() => u instanceof WeakMethodImpl)

/**
 * Describes a function that accepts an `A` as its `this`.
 *
 * **When to use**
 *
 * Use to constrain a function that you pass to {@link make}.
 *
 * @see {@link MethodKey} for the keys of such functions
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type MethodOf<A> = (this: A, ...args: never) => unknown

/**
 * Contains the keys of the methods of an `A`, including optional methods.
 *
 * **When to use**
 *
 * Use to constrain a key that you pass to {@link make}.
 *
 * @see {@link MethodOf} for the functions under these keys
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type MethodKey<A> = keyof {
  [K in keyof A as [Extract<A[K], MethodOf<A>>] extends [never] ? never : K]: never
}

/**
 * Extracts the arguments and the result of a function. For an overloaded function, the
 * type is a union over the last four signatures.
 *
 * **When to use**
 *
 * Use to write the type of a {@link WeakMethod} of a given function.
 *
 * @see {@link make} for the constructor that returns these types
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type Call<F> = F extends {
  (this: never, ...args: infer Args1 extends ReadonlyArray<unknown>): infer B1
  (this: never, ...args: infer Args2 extends ReadonlyArray<unknown>): infer B2
  (this: never, ...args: infer Args3 extends ReadonlyArray<unknown>): infer B3
  (this: never, ...args: infer Args4 extends ReadonlyArray<unknown>): infer B4
}
  // A function with fewer than four signatures matches several of these patterns with the same signature.
  ? [args: Args1, result: B1] | [args: Args2, result: B2] | [args: Args3, result: B3] | [args: Args4, result: B4]
  : never

const variance = {
  _A: (_: never) => _,
  _Args: (_: unknown) => _,
  _B: (_: never) => _
}

class WeakMethodImpl<A extends WeakKey, Args extends ReadonlyArray<unknown>, B> extends Base
  implements WeakMethod<A, Args, B>
{
  readonly receiver: Referent.ReferentRecord<A>
  readonly method: Referent.ReferentRecord<MethodOf<A>>
  #hash: number | undefined

  constructor(receiver: Referent.ReferentRecord<A>, method: Referent.ReferentRecord<MethodOf<A>>) {
    super()
    this.receiver = receiver
    this.method = method
  }

  get [TypeId](): WeakMethod<A, Args, B>[typeof TypeId] {
    return variance
  }

  /** Calls `f` if the receiver and the function are alive. Otherwise calls `onDead`. Dereferences both. */
  match<C>(onDead: () => C, f: (receiver: A, method: MethodOf<A>) => C): C {
    const receiver = this.receiver.deref()
    const method = this.method.deref()
    return receiver === undefined || method === undefined ? onDead() : f(receiver, method)
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return isWeakMethod(that) && equals(this, that)
  }

  [Hash.symbol](): number {
    return this.#hash ??= this.match(
      unhashable,
      (receiver, method) => Hash.combine(Equality.hash(receiver), Hash.random(method))
    )
  }

  toJSON(): unknown {
    return {
      _id: "WeakMethod",
      receiver: outline(Option.fromUndefinedOr(this.receiver.deref())),
      method: outline(Option.map(Option.fromUndefinedOr(this.method.deref()), (method) => method.name))
    }
  }
}

const unhashable = (): never => {
  throw new UnhashableError()
}

const stateOf = <A extends WeakKey, Args extends ReadonlyArray<unknown>, B>(
  self: WeakMethod<A, Args, B>
): WeakMethodImpl<A, Args, B> =>
  // The cast is safe: there is no other implementation of the interface in this copy of the package.
  self instanceof WeakMethodImpl ? self as WeakMethodImpl<A, Args, B> : refuse(self, TypeId)

/**
 * Creates a weak reference to a method, which is a key of the receiver, or a function
 * that takes the receiver as `this`.
 *
 * **When to use**
 *
 * Use inside an Effect program, so that a test can replace the heap, or use
 * {@link makeUnsafe} in synchronous code.
 *
 * **Details**
 *
 * Reads the key once, when the effect runs, and finds inherited methods and accessors.
 * Accepts the last four signatures of an overloaded method (see {@link Call}). Each run
 * creates a new `WeakMethod`, unlike `WeakRef.make`, which shares references.
 *
 * Fails with `NotWeakReferenceableError` if the receiver cannot be weakly referenced, or
 * if the method is not a function. The `value` of the error is the rejected receiver, or
 * the value that is not a function. If an accessor throws, the effect dies with the
 * thrown value. Costs O(1), with one weak reference to the receiver and one to the
 * function.
 *
 * **Example** (Creating a method by key and by function)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakMethod } from "effect-weakref"
 *
 * function label(this: { readonly name: string }, greeting: string): string {
 *   return `${greeting}, ${this.name}`
 * }
 *
 * const person = { name: "Ada", label }
 * const program = Effect.gen(function*() {
 *   const byKey = yield* WeakMethod.make(person, "label")
 *   const byFunction = yield* WeakMethod.make(person, label)
 *   return [yield* WeakMethod.invoke(byKey, "Hello"), WeakMethod.equals(byKey, byFunction)]
 * })
 *
 * Effect.runSync(program) // => ["Hello, Ada", true]
 * ```
 *
 * **Example** (Passing a property that is not a function)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakMethod } from "effect-weakref"
 *
 * // @ts-expect-error: rejected at compile time already
 * const error = Effect.runSync(Effect.flip(WeakMethod.make({ name: "Ada" }, "name")))
 * error.value // => "Ada"
 * error.property // => "name"
 * ```
 *
 * @see {@link invoke} for calling the method
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make: {
  <A extends WeakKey, K extends MethodKey<A>>(
    receiver: A,
    key: K
  ): Effect.Effect<
    WeakMethod<A, Call<Extract<A[K & keyof A], MethodOf<A>>>[0], Call<Extract<A[K & keyof A], MethodOf<A>>>[1]>,
    NotWeakReferenceableError
  >
  <A extends WeakKey, F extends MethodOf<A>>(
    receiver: A,
    method: F
  ): Effect.Effect<WeakMethod<A, Call<F>[0], Call<F>[1]>, NotWeakReferenceableError>
} = <A extends WeakKey>(
  receiver: A,
  keyOrMethod: PropertyKey | MethodOf<A>
): Effect.Effect<Untyped<A>, NotWeakReferenceableError> =>
  Referent.make(receiver, (receiver, heap) => bind(receiver, keyOrMethod, heap))

/**
 * Creates a weak reference to a method synchronously. Uses the host's heap unless you
 * pass another heap.
 *
 * **When to use**
 *
 * Use in synchronous code, or use {@link make} inside an Effect program, so that a test
 * can replace the heap.
 *
 * **Details**
 *
 * Throws `NotWeakReferenceableError` in the cases in which {@link make} fails with this
 * error, and rethrows what an accessor throws. Costs O(1), with one weak reference to the
 * receiver and one to the function.
 *
 * **Example** (Creating a weak method in synchronous code)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakMethod } from "effect-weakref"
 *
 * const map = new Map([["a", 1]])
 * const get = WeakMethod.makeUnsafe(map, "get")
 * Option.map(WeakMethod.deref(get), (get) => get("a")) // => Option.some(1)
 * ```
 *
 * @see {@link make} for the same in an effect
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const makeUnsafe: {
  <A extends WeakKey, K extends MethodKey<A>>(
    receiver: A,
    key: K,
    heap?: Heap
  ): WeakMethod<A, Call<Extract<A[K & keyof A], MethodOf<A>>>[0], Call<Extract<A[K & keyof A], MethodOf<A>>>[1]>
  <A extends WeakKey, F extends MethodOf<A>>(
    receiver: A,
    method: F,
    heap?: Heap
  ): WeakMethod<A, Call<F>[0], Call<F>[1]>
} = <A extends WeakKey>(
  receiver: A,
  keyOrMethod: PropertyKey | MethodOf<A>,
  heap: Heap = host
): Untyped<A> => bind(receiver, keyOrMethod, heap)

/** The overloads of `make` and `makeUnsafe` add the types of the arguments and the result. */
type Untyped<A extends WeakKey> = WeakMethod<A, ReadonlyArray<unknown>, never>

const bind = <A extends WeakKey>(
  receiver: A,
  keyOrMethod: PropertyKey | MethodOf<A>,
  heap: Heap
): Untyped<A> => {
  if (!isWeakReferenceable(receiver)) throw new NotWeakReferenceableError({ value: receiver })
  const isKey = isPropertyKey(keyOrMethod)
  const method: unknown = isKey ? receiver[keyOrMethod as keyof A] : keyOrMethod
  if (isFunction(method)) {
    return new WeakMethodImpl(Referent.of(receiver, heap), Referent.of(method as MethodOf<A>, heap))
  }
  throw isKey
    ? notMethod(method, keyOrMethod)
    : new NotWeakReferenceableError({ value: method, expected: "function" })
}

/**
 * Checks whether the receiver and the function are both alive.
 *
 * **When to use**
 *
 * Use if you do not need the function itself.
 *
 * **Details**
 *
 * Dereferences the receiver and the function, so they stay alive until the end of the
 * turn. Costs O(1), with two `deref`s of the engine, and never throws.
 *
 * **Example** (Checking whether a method is alive)
 *
 * ```ts import.meta.vitest
 * import { WeakMethod } from "effect-weakref"
 *
 * const set = new Set([1])
 * WeakMethod.isAlive(WeakMethod.makeUnsafe(set, "has")) // => true
 * ```
 *
 * @see {@link deref} for getting the function
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isAlive = (self: WeakMethod<WeakKey, never, unknown>): boolean =>
  stateOf(self).match(() => false, () => true)

/**
 * Returns `Some` of the function, bound to its receiver, or `None` if the receiver or the
 * function has been collected.
 *
 * **When to use**
 *
 * Use to pass the method to code that expects a function.
 *
 * **Details**
 *
 * Each call returns a new bound function, which keeps the receiver and the function alive
 * for as long as the program holds it. Throws only if `bind` throws, for example because
 * the function is a dead weak proxy. Costs O(1), with two `deref`s of the engine.
 *
 * **Example** (Binding a method before and after a collection)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakMethod } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const set = new Set([1])
 *   const has = yield* WeakMethod.make(set, "has")
 *   const before = Option.map(WeakMethod.deref(has), (has) => has(1))
 *   yield* TestHeap.collect(set)
 *   return [before, WeakMethod.deref(has)]
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [Option.some(true), Option.none()]
 * ```
 *
 * @see {@link invoke} for calling the method in an effect
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const deref = <A extends WeakKey, Args extends ReadonlyArray<unknown>, B>(
  self: WeakMethod<A, Args, B>
): Option.Option<(...args: Args) => B> =>
  stateOf(self).match<Option.Option<(...args: Args) => B>>(
    Option.none,
    (receiver, method) => Option.some(Reflect.apply(Function.prototype.bind, method, [receiver]))
  )

/**
 * Calls the method and succeeds with its result. Fails with `DeadReferenceError` if the
 * receiver or the function has been collected.
 *
 * **When to use**
 *
 * Use to call a listener whose object may have been collected.
 *
 * **Details**
 *
 * Dereferences and calls the method each time the effect runs, and does not hold the
 * receiver after the call has returned. If the method throws, the effect dies with the
 * thrown value. If the method returns a promise or an effect, `invoke` succeeds with this
 * value and does not wait for its result, so use `Effect.flatten` to run a returned
 * effect. Costs O(1), with two `deref`s of the engine, and what the call costs.
 *
 * **Example** (Calling a method of a dead object)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakMethod } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const set = new Set([1])
 *   const has = yield* WeakMethod.make(set, "has")
 *   const before = yield* WeakMethod.invoke(has, 1)
 *   yield* TestHeap.collect(set)
 *   const error = yield* Effect.flip(WeakMethod.invoke(has, 1))
 *   return [before, error._tag]
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [true, "DeadReferenceError"]
 * ```
 *
 * @see {@link deref} for a bound function
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const invoke = <A extends WeakKey, Args extends ReadonlyArray<unknown>, B>(
  self: WeakMethod<A, Args, B>,
  ...args: Args
): Effect.Effect<B, DeadReferenceError> =>
  Effect.suspend(() =>
    stateOf(self).match<Effect.Effect<B, DeadReferenceError>>(
      () => Effect.fail(new DeadReferenceError({ kind: "WeakMethod" })),
      (receiver, method) => Effect.succeed(Reflect.apply(method as (...args: Args) => B, receiver, args))
    )
  )

/**
 * Registers a callback that runs once, in the background, after the receiver or the
 * function has been collected. The callback is unregistered when the Scope closes.
 *
 * **When to use**
 *
 * Use to remove a listener from a list after its object has been collected.
 *
 * **Details**
 *
 * The callback receives the dead method, and before it the owner if there is one. It runs
 * in sequence with the other callbacks of the value that was collected, the newest first.
 * The owner, services, failures, the Scope, interruption and cost are as for
 * `WeakRef.onCollect`, and `WeakRef.cancel` cancels the callback. Never fails, and
 * dereferences the receiver and the function once.
 *
 * **Gotchas**
 *
 * - A callback that captures the receiver or the function keeps the captured value alive
 *   until the Scope closes.
 * - A callback that never ends blocks the older callbacks of the same value for ever.
 *
 * **Example** (Running a callback after a collection)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakMethod } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * let calls = 0
 *
 * const program = Effect.gen(function*() {
 *   const set = new Set([1])
 *   const has = yield* WeakMethod.make(set, "has")
 *   yield* WeakMethod.onCollect(has, () => Effect.sync(() => calls++))
 *   yield* TestHeap.collectAndFinalize(set, set.has)
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program)
 * calls // => 1
 * ```
 *
 * @see {@link isAlive} for checking without a callback
 *
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const onCollect: {
  <O extends WeakKey, Self extends WeakMethod<WeakKey, never, unknown>, X, E, R>(
    f: (owner: O, method: Self) => Effect.Effect<X, E, R>,
    options: { readonly owner: O }
  ): (self: Self) => Effect.Effect<Callback, never, R | Scope.Scope>
  <Self extends WeakMethod<WeakKey, never, unknown>, X, E, R>(
    f: (method: Self) => Effect.Effect<X, E, R>
  ): (self: Self) => Effect.Effect<Callback, never, R | Scope.Scope>
  <Self extends WeakMethod<WeakKey, never, unknown>, O extends WeakKey, X, E, R>(
    self: Self,
    f: (owner: O, method: Self) => Effect.Effect<X, E, R>,
    options: { readonly owner: O }
  ): Effect.Effect<Callback, never, R | Scope.Scope>
  <Self extends WeakMethod<WeakKey, never, unknown>, X, E, R>(
    self: Self,
    f: (method: Self) => Effect.Effect<X, E, R>
  ): Effect.Effect<Callback, never, R | Scope.Scope>
} = /*#__PURE__*/ Callbacks.onCollectOf((self: WeakMethod<WeakKey, never, unknown>) => {
  const { method, receiver } = stateOf(self)
  return [receiver, method]
})

/**
 * Checks whether a `WeakMethod` refers to this very receiver and this very function. Pass
 * the function itself, or its key in the receiver.
 *
 * **When to use**
 *
 * Use to find the listener of an object, for example to remove it from a list.
 * {@link equals} cannot do that, because it is also `true` for the methods of two equal
 * receivers.
 *
 * **Details**
 *
 * Compares by identity, and reads the key only if the receiver is the same. Returns
 * `false` if the method is dead. Costs O(1) and does not dereference, so it does not keep
 * the receiver or the function alive. Throws only if an accessor of the receiver throws.
 *
 * **Example** (Removing the listener of one of two equal views)
 *
 * ```ts import.meta.vitest
 * import { WeakMethod } from "effect-weakref"
 *
 * class View {
 *   readonly title = "Inbox"
 *   update() {}
 * }
 *
 * const [one, other] = [new View(), new View()]
 * const listeners = [one, other].map((view) => WeakMethod.makeUnsafe(view, "update"))
 * const index = listeners.findIndex(WeakMethod.refersTo(other, "update"))
 * index // => 1
 * ```
 *
 * @see {@link equals} for a comparison of what the receivers contain
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const refersTo: {
  <A extends WeakKey>(
    receiver: A,
    keyOrMethod: MethodKey<A> | MethodOf<A>
  ): (self: WeakMethod<WeakKey, never, unknown>) => boolean
  <A extends WeakKey>(
    self: WeakMethod<WeakKey, never, unknown>,
    receiver: A,
    keyOrMethod: MethodKey<A> | MethodOf<A>
  ): boolean
} = /*#__PURE__*/ dual(
  3,
  <A extends WeakKey>(
    self: WeakMethod<WeakKey, never, unknown>,
    receiver: A,
    keyOrMethod: PropertyKey | MethodOf<A>
  ): boolean => {
    const state = stateOf(self)
    if (!Referent.isOf(state.receiver, receiver)) return false
    return Referent.isOf(state.method, isPropertyKey(keyOrMethod) ? receiver[keyOrMethod as keyof A] : keyOrMethod)
  }
)

/**
 * Checks whether two arguments are the same `WeakMethod`, or are live methods with the
 * same function and with receivers that are equal by `Equal.equals`.
 *
 * **When to use**
 *
 * Use instead of `Equal.equals` if the methods may be dead.
 *
 * **Details**
 *
 * Checks each time whether both methods are alive, and returns `false` if one of two
 * different methods is dead, unlike `Equal.equals`, which may throw. Costs as much as
 * `Equal.equals` of the receivers, and dereferences both methods.
 *
 * **Gotchas**
 *
 * - Opaque objects, such as DOM nodes and Blobs, compare by identity.
 * - Effect caches the hash of an object and the result of a comparison. If a receiver
 *   changes later, the result may stay the same.
 * - Throws `UnhashableError` if `Equal.equals` has to hash a receiver that has no hash,
 *   for example a weak proxy.
 *
 * **Example** (Comparing methods)
 *
 * ```ts import.meta.vitest
 * import { WeakMethod } from "effect-weakref"
 *
 * const set = new Set([1])
 * const has = WeakMethod.makeUnsafe(set, "has")
 * WeakMethod.equals(has, WeakMethod.makeUnsafe(set, "has")) // => true
 * WeakMethod.equals(has, WeakMethod.makeUnsafe(set, "add")) // => false
 * ```
 *
 * @see {@link WeakMethod} for the equality and the hash of methods
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const equals: {
  (that: WeakMethod<WeakKey, never, unknown>): (self: WeakMethod<WeakKey, never, unknown>) => boolean
  (self: WeakMethod<WeakKey, never, unknown>, that: WeakMethod<WeakKey, never, unknown>): boolean
} = dual(
  2,
  (self: WeakMethod<WeakKey, never, unknown>, that: WeakMethod<WeakKey, never, unknown>): boolean =>
    self === that ||
    stateOf(self).match(() => false, (receiver, method) =>
      stateOf(that).match(
        () => false,
        (thatReceiver, thatMethod) => method === thatMethod && Equality.equals(receiver, thatReceiver)
      ))
)
