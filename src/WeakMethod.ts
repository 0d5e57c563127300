/**
 * Refers weakly to a method of an object: to the receiver and the function at once.
 *
 * `object.method.bind(object)` keeps the object alive. A `WeakRef` to it is dead soon,
 * because nobody else holds the bound function. A `WeakMethod` holds the receiver and
 * the function weakly, and binds them when you use it. Use one to register a listener
 * that must not keep its object alive.
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
import { isFunction, isPropertyKey } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Contravariant, Covariant } from "effect/Types"
import { type Heap, isWeakReferenceable } from "./Heap.ts"
import { Base } from "./internal/base.ts"
import * as Callbacks from "./internal/callbacks.ts"
import { host } from "./internal/heap.ts"
import * as Referent from "./internal/referent.ts"
import { DeadReferenceError, NotWeakReferenceableError, UnhashableError } from "./WeakError.ts"

const TypeId = "~effect-weakref/WeakMethod"

/**
 * A weak reference to a method of an `A`, which takes `Args` and returns a `B`.
 *
 * **When to use**
 *
 * Use to call a method of an object whose lifetime other code decides.
 *
 * **Details**
 *
 * A `WeakMethod` is dead as soon as its receiver or its function has been collected.
 *
 * Two methods that are alive are equal if their functions are the same and their
 * receivers are equal by `Equal.equals`. A dead method is equal only to itself. The
 * hash is computed from both. It is kept after death if it was computed before. If it
 * is first needed after death, it throws `UnhashableError`.
 *
 * **Gotchas**
 *
 * - The function is held as weakly as the receiver. A method of a class lives as long as
 *   the class, and a function that is a property of the receiver as long as the receiver.
 *   But nobody holds a function made on the spot: by an arrow, by `bind`, or by an
 *   accessor that makes a new one at each read. Such a method may be dead soon. Let
 *   `WeakRef.keepAlive(receiver, method)` hold the function.
 * - A function that captures its receiver keeps it alive for as long as somebody holds
 *   the function: `make(receiver, () => receiver.update())`. Let the function use `this`.
 * - Effect remembers that two objects compared equal. A pair that compared equal once
 *   stays equal for `Equal.equals`, even when dead. {@link equals} asks again whether
 *   both are alive.
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
 * @stability experimental
 * @category models
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
 * Checks whether a value is a `WeakMethod` of this copy of the library.
 *
 * **When to use**
 *
 * Use to narrow an unknown value before you pass it to a function of this module.
 *
 * **Details**
 *
 * If a program loads this library twice, the guard of each copy returns `false` for the
 * methods of the other, because their functions cannot read each other's methods. Never
 * dereferences. Cost: O(1).
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
 * @see {@link isAlive} for asking whether the method can be called
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isWeakMethod = (u: unknown): u is WeakMethod<WeakKey, never, unknown> => u instanceof Bound

/**
 * A function that can run on an `A`.
 *
 * **When to use**
 *
 * Use to constrain a function that you pass on to {@link make}.
 *
 * @see {@link MethodKey} for the keys of such functions
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type MethodOf<A> = (this: A, ...args: never) => unknown

/**
 * The keys of the methods of an `A`, including optional methods.
 *
 * **When to use**
 *
 * Use to constrain a key that you pass on to {@link make}.
 *
 * @see {@link MethodOf} for the functions under these keys
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type MethodKey<A> = keyof {
  [K in keyof A as [Extract<A[K], MethodOf<A>>] extends [never] ? never : K]: never
}

/**
 * The arguments and the result of a function: a union of the last four signatures if it
 * is overloaded.
 *
 * **When to use**
 *
 * Use to write the type of a {@link WeakMethod} of a given function.
 *
 * @see {@link make} for where it is used
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Call<F> = F extends {
  (this: never, ...args: infer Args1 extends ReadonlyArray<unknown>): infer B1
  (this: never, ...args: infer Args2 extends ReadonlyArray<unknown>): infer B2
  (this: never, ...args: infer Args3 extends ReadonlyArray<unknown>): infer B3
  (this: never, ...args: infer Args4 extends ReadonlyArray<unknown>): infer B4
}
  // A function with fewer signatures matches each of these with one that it has.
  ? [args: Args1, result: B1] | [args: Args2, result: B2] | [args: Args3, result: B3] | [args: Args4, result: B4]
  : never

const variance = {
  _A: (_: never) => _,
  _Args: (_: unknown) => _,
  _B: (_: never) => _
}

class Bound<A extends WeakKey, Args extends ReadonlyArray<unknown>, B> extends Base implements WeakMethod<A, Args, B> {
  readonly receiver: Referent.Referent<A>
  readonly method: Referent.Referent<MethodOf<A>>
  #hash: number | undefined

  constructor(receiver: Referent.Referent<A>, method: Referent.Referent<MethodOf<A>>) {
    super()
    this.receiver = receiver
    this.method = method
    this.#hash = undefined
  }

  get [TypeId](): WeakMethod<A, Args, B>[typeof TypeId] {
    return variance
  }

  /** Calls `f` if both are alive, and otherwise `onDead`. Dereferences. */
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
      (receiver, method) => Hash.combine(Hash.hash(receiver), Hash.random(method))
    )
  }

  toJSON(): unknown {
    return {
      _id: "WeakMethod",
      receiver: toJson(Option.fromUndefinedOr(this.receiver.deref())),
      method: toJson(Option.map(Option.fromUndefinedOr(this.method.deref()), (method) => method.name))
    }
  }
}

const unhashable = (): never => {
  throw new UnhashableError()
}

const stateOf = <A extends WeakKey, Args extends ReadonlyArray<unknown>, B>(
  self: WeakMethod<A, Args, B>
): Bound<A, Args, B> =>
  // There is no other implementation of the interface.
  self as Bound<A, Args, B>

/**
 * Creates a weak reference to a method: to the function under a key, or to a function
 * that takes the receiver as `this`.
 *
 * **When to use**
 *
 * Use inside an Effect program. Use {@link makeUnsafe} in synchronous code.
 *
 * **Details**
 *
 * Reads the key once, now. Inherited methods and accessors are found too. Accepts all
 * signatures of an overloaded method (see {@link Call}). Each call returns a new
 * `WeakMethod`. Fails with `NotWeakReferenceableError` if the receiver cannot be weakly
 * referenced, or if there is no function. The error says what was found instead. An
 * accessor that throws is a defect. Cost: O(1). The receiver and the function live until
 * the end of the turn.
 *
 * **Example** (By key and by function)
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
 * **Example** (A property that is not a function)
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
 * @stability experimental
 * @category constructors
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
 * pass another.
 *
 * **When to use**
 *
 * Use in synchronous code. Use {@link make} inside an Effect program, so that a test can
 * replace the heap.
 *
 * **Details**
 *
 * Throws `NotWeakReferenceableError` if {@link make} would fail with it, and what an
 * accessor throws. Cost: O(1).
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
 * @stability experimental
 * @category constructors
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

/** The signature of the constructor says what the method takes and returns. */
type Untyped<A extends WeakKey> = WeakMethod<A, ReadonlyArray<unknown>, never>

const bind = <A extends WeakKey>(
  receiver: A,
  keyOrMethod: PropertyKey | MethodOf<A>,
  heap: Heap
): Untyped<A> => {
  if (!isWeakReferenceable(receiver)) throw new NotWeakReferenceableError({ value: receiver })
  const isKey = isPropertyKey(keyOrMethod)
  const method: unknown = isKey ? receiver[keyOrMethod as keyof A] : keyOrMethod
  if (isFunction(method)) return new Bound(Referent.of(receiver, heap), Referent.of(method as MethodOf<A>, heap))
  const error = { value: method, expected: "function" } as const
  throw new NotWeakReferenceableError(isKey ? { ...error, property: keyOrMethod } : error)
}

/**
 * Checks whether neither the receiver nor the function has been collected.
 *
 * **When to use**
 *
 * Use if you need the answer, and not the method.
 *
 * **Details**
 *
 * Dereferences both: what is alive stays alive until the end of the turn. Never throws.
 * Cost: O(1).
 *
 * **Example** (Asking whether a method lives)
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
 * @stability experimental
 * @category predicates
 * @since 0.1.0
 */
export const isAlive = (self: WeakMethod<WeakKey, never, unknown>): boolean =>
  stateOf(self).match(() => false, () => true)

/**
 * Returns `Some` of the function, bound to its receiver, or `None` once either has been
 * collected.
 *
 * **When to use**
 *
 * Use to pass the method to code that expects a function.
 *
 * **Details**
 *
 * Each call returns a new bound function. The bound function keeps the receiver and the
 * function alive for as long as the program holds it. Never throws. Cost: O(1), two
 * `deref`s of the engine.
 *
 * **Example** (Binding for as long as it is needed)
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
 * @stability experimental
 * @category getters
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
 * Use to call a listener that may be gone.
 *
 * **Details**
 *
 * Dereferences and calls each time that the effect runs. What the method throws is a
 * defect. A promise or an effect that the method returns is a result like any other:
 * flatten it to wait for it. Nothing holds the receiver after the call has returned.
 * Cost: O(1) and the call.
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
 * @stability experimental
 * @category combinators
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
 * Registers a callback for the life of the Scope. It runs in the background, once, when
 * the receiver or the function has been collected, whichever comes first.
 *
 * **When to use**
 *
 * Use to take a listener out of a list when its object is gone.
 *
 * **Details**
 *
 * The callback gets the dead method. It takes its turn among the callbacks of the value
 * that was collected. Services, failures, the Scope, interruption and cost are those of
 * `WeakRef.onCollect`. Dereferences. Never fails.
 *
 * **Gotchas**
 *
 * A callback that captures the receiver or the function keeps it alive. A callback that
 * never ends blocks the older callbacks of the same value for ever.
 *
 * **Example** (Learning that a listener is gone)
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
 * @see {@link isAlive} for asking instead of waiting
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const onCollect: {
  <Self extends WeakMethod<WeakKey, never, unknown>, X, E, R>(
    f: (method: Self) => Effect.Effect<X, E, R>
  ): (self: Self) => Effect.Effect<void, never, R | Scope.Scope>
  <Self extends WeakMethod<WeakKey, never, unknown>, X, E, R>(
    self: Self,
    f: (method: Self) => Effect.Effect<X, E, R>
  ): Effect.Effect<void, never, R | Scope.Scope>
} = dual(2, <Self extends WeakMethod<WeakKey, never, unknown>, X, E, R>(
  self: Self,
  f: (method: Self) => Effect.Effect<X, E, R>
): Effect.Effect<void, never, R | Scope.Scope> => {
  const { method, receiver } = stateOf(self)
  return Callbacks.onCollect(Effect.suspend(() => f(self)), receiver, method)
})

/**
 * Checks whether two methods are equal: they are the same `WeakMethod`, or both are
 * alive, their functions are the same, and their receivers are equal by `Equal.equals`.
 *
 * **When to use**
 *
 * Use instead of `Equal.equals` if the methods may be dead.
 *
 * **Details**
 *
 * Unlike `Equal.equals` of the methods, it asks each time whether both are alive, and a
 * dead method does not make it throw. Dereferences both. Cost: that of `Equal.equals` of
 * the receivers.
 *
 * **Gotchas**
 *
 * Effect remembers the hash of an object and that two objects compared equal, so a later
 * change of a receiver may not change the answer. It throws `UnhashableError` if a
 * receiver is a weak proxy.
 *
 * **Example** (Equal methods)
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
 * @stability experimental
 * @category predicates
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
        (thatReceiver, thatMethod) => method === thatMethod && Equal.equals(receiver, thatReceiver)
      ))
)
