/**
 * A weak reference to a method of an object: to the receiver and the function at
 * once.
 *
 * `object.method.bind(object)` keeps the object, and a `WeakRef` to it is dead at
 * once, because nobody else holds the bound function. A `WeakMethod` holds the
 * receiver and the function weakly and binds them when it is used. Use one to
 * register a listener that must not keep its object alive.
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
import { hasProperty, isFunction, isPropertyKey } from "effect/Predicate"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Contravariant, Covariant } from "effect/Types"
import { Heap, host, isWeakReferenceable } from "./Heap.ts"
import { Base } from "./internal/base.ts"
import * as Referent from "./internal/referent.ts"
import { DeadReferenceError, NotWeakReferenceableError, UnhashableError } from "./WeakError.ts"

const TypeId = "~effect-weakref/WeakMethod"

/**
 * A weak reference to a method of an `A`, which takes `Args` and gives a `B`.
 *
 * **Details**
 *
 * It is dead as soon as its receiver or its function has been collected.
 *
 * Equality: two methods that are alive are equal when their receivers are, by
 * `Equal.equals`, and their functions are the same; a dead one is equal only to
 * itself. The hash is made of both; it is kept after death once taken, and first
 * asked for after death it throws `UnhashableError`.
 *
 * **Gotchas**
 *
 * - The function is held as weakly as the receiver. A method of a class lives with
 *   the class, and a function that is a property of the receiver with the receiver;
 *   but a function made on the spot, by an arrow, by `bind`, or by an accessor that
 *   makes a new one at each read, is held by nobody and may be dead at once.
 * - A function that captures its receiver keeps it alive for as long as somebody
 *   holds the function: `make(receiver, () => receiver.update())`. Let it use
 *   `this`.
 * - Effect remembers what `Equal.equals` answered for a pair of objects, so a pair
 *   that once compared equal keeps comparing equal there, also when dead.
 *   {@link equals} is exact at each moment.
 *
 * **Example** (Listeners that do not keep their objects)
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
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.WeakMethod | Python, weakref.WeakMethod} for the source of the semantics
 *
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
 * Checks whether a value is a `WeakMethod`. It does not dereference.
 *
 * @category guards
 * @since 0.1.0
 */
export const isWeakMethod = (u: unknown): u is WeakMethod<WeakKey, never, unknown> => hasProperty(u, TypeId)

/**
 * A function that can run on an `A`.
 *
 * @category models
 * @since 0.1.0
 */
export type MethodOf<A> = (this: A, ...args: never) => unknown

/**
 * The keys under which an `A` has a function, optional ones included.
 *
 * @category models
 * @since 0.1.0
 */
export type MethodKey<A> = keyof {
  [K in keyof A as [Extract<A[K], MethodOf<A>>] extends [never] ? never : K]: never
}

/**
 * What a function takes and gives: of an overloaded one each of its last four
 * signatures, of a generic one what TypeScript makes of it.
 *
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

  /** Calls `f` with both while they live. Dereferences. */
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
 * Creates a weak reference to a method, given by its key or as a function that
 * takes the receiver as `this`.
 *
 * **When to use**
 *
 * Use inside an Effect program. {@link makeUnsafe} is the synchronous form.
 *
 * **Details**
 *
 * A key is looked up once, here, inherited methods and accessors included. Of an
 * overloaded method all signatures are accepted (see {@link Call}). Fails with
 * `NotWeakReferenceableError`, which says what was found, where the receiver
 * cannot be a referent or there is no function. Each call gives a new
 * `WeakMethod`. Cost: O(1).
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
 * **Example** (A key that is no function)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakMethod } from "effect-weakref"
 *
 * // @ts-expect-error: rejected at compile time already
 * const error = Effect.runSync(Effect.flip(WeakMethod.make({ name: "Ada" }, "name")))
 * error.value // => "Ada"
 * ```
 *
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
  Effect.flatMap(Heap, (heap) => Effect.fromResult(bind(receiver, keyOrMethod, heap)))

/**
 * Creates a weak reference to a method synchronously, on the host's heap unless
 * another is given. Throws `NotWeakReferenceableError` where {@link make} fails
 * with it.
 *
 * **Example** (Creating a weak method outside of Effect)
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
): Untyped<A> => Result.getOrThrow(bind(receiver, keyOrMethod, heap))

/** A method that takes and gives whatever the signature of its constructor says. */
type Untyped<A extends WeakKey> = WeakMethod<A, ReadonlyArray<unknown>, never>

const bind = <A extends WeakKey>(
  receiver: A,
  keyOrMethod: PropertyKey | MethodOf<A>,
  heap: Heap
): Result.Result<Untyped<A>, NotWeakReferenceableError> => {
  if (!isWeakReferenceable(receiver)) return Result.fail(new NotWeakReferenceableError({ value: receiver }))
  const method = isPropertyKey(keyOrMethod) ? receiver[keyOrMethod as keyof A] : keyOrMethod
  return isFunction(method)
    ? Result.succeed(new Bound(Referent.of(receiver, heap), Referent.of(method as MethodOf<A>, heap)))
    : Result.fail(new NotWeakReferenceableError({ value: method }))
}

/**
 * Whether neither the receiver nor the function has been collected. Dereferences
 * both: what is alive now stays alive to the end of the turn.
 *
 * @category getters
 * @since 0.1.0
 */
export const isAlive = (self: WeakMethod<WeakKey, never, unknown>): boolean =>
  stateOf(self).match(() => false, () => true)

/**
 * Dereferences: `Some` of the function, bound to its receiver, or `None` once
 * either has been collected.
 *
 * **Details**
 *
 * Whoever keeps the bound function keeps the receiver and the function with it.
 * Each call gives a new one. Cost: O(1), two `deref`s of the engine.
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
 * Calls the method: succeeds with what it returns, or fails with
 * `DeadReferenceError` where the receiver or the function has been collected. What
 * the method throws is a defect.
 *
 * **Details**
 *
 * Each run dereferences and calls anew. A promise or an effect that the method
 * returns is a result like any other; flatten it to wait for it. Nothing holds the
 * receiver after the call has returned.
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
 * @category operations
 * @since 0.1.0
 */
export const invoke = <A extends WeakKey, Args extends ReadonlyArray<unknown>, B>(
  self: WeakMethod<A, Args, B>,
  ...args: Args
): Effect.Effect<B, DeadReferenceError> =>
  Effect.suspend(() =>
    stateOf(self).match<Effect.Effect<B, DeadReferenceError>>(
      () => Effect.fail(new DeadReferenceError()),
      (receiver, method) => Effect.succeed(Reflect.apply(method as (...args: Args) => B, receiver, args))
    )
  )

/**
 * Registers a callback for the life of the Scope: an effect that runs in the
 * background, once, when the receiver or the function has been collected,
 * whichever comes first.
 *
 * **Details**
 *
 * What is said of `WeakRef.onCollect` holds here too: the callback takes its turn
 * among those of the value that was collected, from the newest to the oldest, and
 * is given the dead method.
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
 * @category operations
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
  return Referent.onCollect(Effect.suspend(() => f(self)), receiver, method)
})

/**
 * Whether two methods are equal at this moment: both alive, their receivers equal
 * by `Equal.equals` and their functions the same; or the same `WeakMethod`.
 *
 * **Details**
 *
 * Unlike `Equal.equals` on the methods themselves it neither remembers an earlier
 * answer nor throws for a dead one. Dereferences both.
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
 * @category equality
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
