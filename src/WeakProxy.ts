/**
 * Creates weak proxies: objects that forward every operation to a referent
 * without keeping the referent alive.
 *
 * A `WeakRef` must be dereferenced before each use. A `WeakProxy<A>` is used as if
 * it were the `A`: reads, writes, calls, `new`, iteration, `instanceof`, spread and
 * conversions go to the referent. After the referent has been collected, they throw
 * `DeadReferenceError`. Use a weak proxy to pass an object to code that expects the
 * object itself and must not own it, for example the parent to its child, or an
 * event source to its listener.
 *
 * `docs/proxies.md` lists every difference between a proxy and its referent.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import { isFunction, isObjectKeyword } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Heap } from "./Heap.ts"
import * as Callbacks from "./internal/callbacks.ts"
import { host } from "./internal/heap.ts"
import { holdDuring } from "./internal/hold.ts"
import * as Referent from "./internal/referent.ts"
import { isRevoked, ReferentTraps, trapsOf } from "./internal/traps.ts"
import { type DeadReferenceError, NotWeakReferenceableError } from "./WeakError.ts"

/** Exists in the types only. */
declare const TypeId: unique symbol

/**
 * Marks a type as a weak proxy. A spread copy of a property that has only a setter is `undefined`, so `{ ...proxy }`
 * loses the mark. The private member of a class would be lost too, but no class is assignable to a `Record`.
 */
type Brand = { set [TypeId](brand: "WeakProxy") }

/**
 * An object that forwards every operation to an `A` and does not keep the `A`
 * alive.
 *
 * **Details**
 *
 * Methods run on the referent itself. So built-ins with internal slots and classes
 * with private fields work. A method is the same function each time it is read.
 *
 * A property that refers to the referent, and a method that returns `this`, yield
 * the proxy instead. When the proxy is assigned to a property of the referent, the
 * referent is stored.
 *
 * After the referent has been collected, every operation throws
 * `DeadReferenceError`, which names the operation and the property. Printing does
 * not throw: `util.inspect` and the string tag say that the referent has been
 * collected. `typeof` and `Array.isArray` cannot throw.
 *
 * Cost: each operation dereferences once, on top of the cost of a plain `Proxy`. A
 * method call dereferences when the method is read. It then looks up an ephemeron
 * for the method's stand-in and another one for the method itself. Dereferencing
 * keeps the referent alive to the end of the turn.
 *
 * **Gotchas**
 *
 * - A function that is read from a proxy is a stand-in for the referent's function.
 *   It runs the function on the referent, does not keep the referent alive, and dies
 *   with the referent. `p.constructor`, the methods of `Object.prototype`, and
 *   `call`, `apply` and `bind` of functions are the functions themselves.
 * - Only the receiver and the results are converted between proxy and referent.
 *   Arguments are not: `p.indexOf(p)` is -1, and `p.equals(p)` throws if `equals`
 *   reads a private field of its argument. Getters and setters see the referent as
 *   `this`.
 * - JavaScript does not allow a proxy to report a non-configurable property or a
 *   non-extensible object without holding it. Properties are reported as
 *   configurable and objects as extensible. Freezing, sealing, preventing extensions
 *   and defining a non-configurable property through the proxy are refused and
 *   leave the referent unchanged.
 * - Code that reads internal slots without calling a method of the value sees the
 *   proxy: `Map.prototype.get.call(p, key)`, `structuredClone`, `util.types`,
 *   `ArrayBuffer.isView`, `Object.prototype.toString` of a `Date`.
 * - Methods can pass the referent on: an iterator, a view of its buffer, the last
 *   argument of a `forEach` callback. Whoever keeps such a value keeps the referent.
 * - A promise that resolves with a dead proxy rejects, because it reads `then`.
 * - A proxy has no hash: see {@link equals}. Effect reads the contents of a `Date`
 *   and a `RegExp` before it asks for a hash. So their proxies hash as they do.
 *
 * **Example** (A child that does not keep its parent)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakProxy } from "effect-weakref"
 *
 * class Folder {
 *   readonly #name: string
 *   readonly parent: Folder | undefined
 *   constructor(name: string, parent?: Folder) {
 *     this.#name = name
 *     this.parent = parent
 *   }
 *   path(): string {
 *     return `${this.parent?.path() ?? ""}/${this.#name}`
 *   }
 * }
 *
 * const program = Effect.gen(function*() {
 *   const home = new Folder("home")
 *   const ada = new Folder("ada", yield* WeakProxy.make(home))
 *   return [ada.path(), ada.parent instanceof Folder, ada.parent === home]
 * })
 *
 * Effect.runSync(program) // => ["/home/ada", true, false]
 * ```
 *
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.proxy | Python, weakref.proxy} for the source of the semantics
 * @see {@link https://tc39.es/ecma262/#sec-proxy-object-internal-methods-and-internal-slots | ECMAScript, Proxy object internal methods} for what a proxy may answer
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type WeakProxy<A extends object> = A & Brand

/**
 * Checks whether a value is a weak proxy, dead ones included.
 *
 * **When to use**
 *
 * Use before {@link deref}, {@link use} or {@link onCollect} if a value may be a
 * proxy or the object itself.
 *
 * **Details**
 *
 * Returns `false` for an object that inherits from a weak proxy, for another proxy
 * around one, for a function that was read from one, and for a weak proxy of
 * another copy of this package. Does not dereference, runs no trap of any proxy,
 * and never throws. Cost: O(1).
 *
 * **Example** (Recognizing a proxy)
 *
 * ```ts import.meta.vitest
 * import { WeakProxy } from "effect-weakref"
 *
 * const target = { id: 1 }
 * const proxy = WeakProxy.makeUnsafe(target)
 * WeakProxy.isWeakProxy(proxy) // => true
 * WeakProxy.isWeakProxy(target) // => false
 * WeakProxy.isWeakProxy(Object.create(proxy)) // => false
 * ```
 *
 * @see {@link isCallableWeakProxy} for proxies of functions only
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.ProxyTypes | Python, weakref.ProxyTypes} for the source of the semantics
 *
 * @category guards
 * @stability experimental
 * @since 0.1.0
 */
export const isWeakProxy = (u: unknown): u is WeakProxy<object> => trapsOf(u) !== undefined

/**
 * Checks whether a value is a weak proxy of a function or a class.
 *
 * **When to use**
 *
 * Use if a value may be any weak proxy and you want to call it.
 *
 * **Details**
 *
 * Like {@link isWeakProxy}, does not dereference and never throws. Cost: O(1).
 *
 * **Example** (Recognizing a proxy that can be called)
 *
 * ```ts import.meta.vitest
 * import { WeakProxy } from "effect-weakref"
 *
 * WeakProxy.isCallableWeakProxy(WeakProxy.makeUnsafe(() => 1)) // => true
 * WeakProxy.isCallableWeakProxy(WeakProxy.makeUnsafe({})) // => false
 * ```
 *
 * @see {@link isWeakProxy} for proxies of any object
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.CallableProxyType | Python, weakref.CallableProxyType} for the source of the semantics
 *
 * @category guards
 * @stability experimental
 * @since 0.1.0
 */
export const isCallableWeakProxy = (u: unknown): u is WeakProxy<(...args: ReadonlyArray<never>) => unknown> =>
  isFunction(u) && isWeakProxy(u)

/**
 * Creates a weak proxy, or returns the one that the program already holds.
 *
 * **When to use**
 *
 * Use inside an Effect program. {@link makeUnsafe} is the synchronous form.
 *
 * **Details**
 *
 * Two proxies of the same target on the same heap are the same object, as long as
 * the program holds that object. The target does not keep its proxy alive.
 *
 * The target may be a proxy. The proxy of a weak proxy dies when that weak proxy is
 * collected.
 *
 * Fails with `NotWeakReferenceableError` if the target is a primitive, a symbol
 * included, because a symbol has no operations to forward. Also fails if the target
 * is a revoked proxy, because every operation on it would throw. Cost: O(1).
 *
 * **Example** (Sharing a proxy)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakProxy } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = new Map([["a", 1]])
 *   const first = yield* WeakProxy.make(target)
 *   const second = yield* WeakProxy.make(target)
 *   return [first === second, first.get("a"), [...second.keys()]]
 * })
 *
 * Effect.runSync(program) // => [true, 1, ["a"]]
 * ```
 *
 * @see {@link makeUnsafe} for the synchronous form
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.proxy | Python, weakref.proxy} for the source of the semantics
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const make = <A extends object>(target: A): Effect.Effect<WeakProxy<A>, NotWeakReferenceableError> =>
  Effect.suspend(() => {
    const error = errorOf(target)
    return error === undefined ? Referent.make(target, makeUnsafe) : Effect.fail(error)
  })

/**
 * Creates a weak proxy synchronously, on the host's heap or on the heap that is
 * passed.
 *
 * **When to use**
 *
 * Use outside of an Effect program, for example in a constructor. {@link make} is
 * the effectful form and reads the heap from the context.
 *
 * **Details**
 *
 * Throws `NotWeakReferenceableError` if {@link make} fails with it. Cost: O(1).
 *
 * **Example** (Creating a proxy outside of Effect)
 *
 * ```ts import.meta.vitest
 * import { WeakProxy } from "effect-weakref"
 *
 * const target = [1, 2, 3]
 * const proxy = WeakProxy.makeUnsafe(target)
 * proxy.push(4)
 * target // => [1, 2, 3, 4]
 * Array.isArray(proxy) // => true
 * ```
 *
 * @see {@link make} for the effectful form
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const makeUnsafe = <A extends object>(target: A, heap: Heap = host): WeakProxy<A> => {
  const error = errorOf(target)
  if (error !== undefined) throw error
  const self = Referent.of(target, heap)
  let proxy: WeakKey | undefined = self.sharedProxy?.deref()
  if (proxy === undefined) {
    proxy = new ReferentTraps(self, target).proxy
    self.sharedProxy = new heap.WeakRef(proxy)
  }
  // `sharedProxy` refers to nothing but the proxy of this referent.
  return proxy as WeakProxy<A>
}

const errorOf = (target: unknown): NotWeakReferenceableError | undefined =>
  !isObjectKeyword(target)
    ? new NotWeakReferenceableError({ value: target })
    : isRevoked(target)
    ? new RevokedProxyError({ value: target })
    : undefined

/** The general message prints the value, and a revoked proxy cannot be printed. */
class RevokedProxyError extends NotWeakReferenceableError {
  override get message(): string {
    return "A revoked proxy cannot be the target of a weak proxy, because every operation on it throws: pass the object that it stood for"
  }
}

/**
 * Dereferences a proxy.
 *
 * **When to use**
 *
 * Use to get the referent itself, for example to compare it with `===` or to pass
 * it to `structuredClone`. Use {@link use} to hold the referent during an effect.
 *
 * **Details**
 *
 * Returns `Some` of the referent, or `None` if the referent has been collected.
 * Keeps the referent alive to the end of the turn. Whoever keeps the result keeps
 * the referent. Cost: O(1).
 *
 * **Example** (From proxy to referent)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakProxy } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const target = { id: 1 }
 *   const proxy = yield* WeakProxy.make(target)
 *   const before = Option.exists(WeakProxy.deref(proxy), (referent) => referent === target)
 *   yield* TestHeap.collect(target)
 *   return [before, Option.isNone(WeakProxy.deref(proxy))]
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [true, true]
 * ```
 *
 * @see {@link use} for holding the referent during an effect
 *
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const deref = <A extends object>(self: WeakProxy<A>): Option.Option<A> =>
  Option.fromUndefinedOr(trapsOfProxy(self).record.deref())

/**
 * Runs an effect with the referent, and keeps the referent alive until the effect
 * has ended.
 *
 * **When to use**
 *
 * Use if an effect takes several turns and must find the referent alive in each of
 * them. Use {@link deref} if one turn is enough.
 *
 * **Details**
 *
 * Fails with `DeadReferenceError` if the referent has been collected. Then `f` is
 * not called. Dereferences once. Cost: O(1).
 *
 * **Example** (Holding the referent across turns)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakProxy } from "effect-weakref"
 *
 * const target = { id: 1 }
 * const proxy = WeakProxy.makeUnsafe(target)
 * const program = WeakProxy.use(proxy, (target) => Effect.as(Effect.yieldNow, target.id))
 *
 * await Effect.runPromise(program) // => 1
 * ```
 *
 * @see {@link deref} for the referent in this turn
 *
 * @category combinators
 * @stability experimental
 * @since 0.1.0
 */
export const use: {
  <A extends object, B, E, R>(
    f: (referent: A) => Effect.Effect<B, E, R>
  ): (self: WeakProxy<A>) => Effect.Effect<B, E | DeadReferenceError, R>
  <A extends object, B, E, R>(
    self: WeakProxy<A>,
    f: (referent: A) => Effect.Effect<B, E, R>
  ): Effect.Effect<B, E | DeadReferenceError, R>
} = dual(2, <A extends object, B, E, R>(
  self: WeakProxy<A>,
  f: (referent: A) => Effect.Effect<B, E, R>
): Effect.Effect<B, E | DeadReferenceError, R> =>
  Effect.suspend((): Effect.Effect<B, E | DeadReferenceError, R> => {
    const traps = trapsOfProxy(self)
    const target = traps.record.deref()
    return target === undefined
      ? Effect.fail(traps.dead("use the referent of"))
      : holdDuring(f(target), target)
  }))

/**
 * Registers a callback that runs in the background after the referent has been
 * collected.
 *
 * **When to use**
 *
 * Use to learn of a collection if you hold a proxy. To release a resource of the
 * referent, use `Finalizer.make`, which also runs when the Scope closes.
 *
 * **Details**
 *
 * The callback receives the dead proxy. It stays registered until the Scope closes.
 * The callbacks of one referent, of its references and proxies alike, run one after
 * the other, the newest first. A callback runs with the services of the effect that
 * registered it. A callback that fails is reported and does not stop the next one.
 *
 * If the referent has been collected already, the callback starts at once.
 * Dereferences once. Cost: O(1).
 *
 * **Gotchas**
 *
 * A callback that refers to the referent keeps the referent alive until the Scope
 * closes, and never runs.
 *
 * **Example** (Learning of a collection)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakProxy } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const log: Array<string> = []
 *
 * const program = Effect.gen(function*() {
 *   const target = { id: 1 }
 *   const proxy = yield* WeakProxy.make(target)
 *   yield* WeakProxy.onCollect(proxy, (dead) => Effect.sync(() => log.push(String(dead === proxy))))
 *   yield* TestHeap.collectAndFinalize(target)
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program)
 * log // => ["true"]
 * ```
 *
 * @see {@link isWeakProxy} for a check that accepts the dead proxy
 *
 * @category combinators
 * @stability experimental
 * @since 0.1.0
 */
export const onCollect: {
  <Self extends WeakProxy<object>, X, E, R>(
    f: (proxy: Self) => Effect.Effect<X, E, R>
  ): (self: Self) => Effect.Effect<void, never, R | Scope.Scope>
  <Self extends WeakProxy<object>, X, E, R>(
    self: Self,
    f: (proxy: Self) => Effect.Effect<X, E, R>
  ): Effect.Effect<void, never, R | Scope.Scope>
} = dual(2, <Self extends WeakProxy<object>, X, E, R>(
  self: Self,
  f: (proxy: Self) => Effect.Effect<X, E, R>
): Effect.Effect<void, never, R | Scope.Scope> =>
  Callbacks.onCollect(Effect.suspend(() => f(self)), trapsOfProxy(self).record))

/**
 * Checks whether a proxy and another object, which may be a proxy too, are equal at
 * this moment.
 *
 * **When to use**
 *
 * Use instead of `Equal.equals`. `Equal.equals` hashes its arguments first, so it
 * throws `UnhashableError` for a proxy.
 *
 * **Details**
 *
 * Unwraps nested proxies completely. Returns `true` if both referents are alive and
 * equal by `Equal.equals`, or if both arguments are the same proxy. Returns `false`
 * for a dead proxy and another object. Dereferences each proxy once. Cost: that of
 * `Equal.equals`.
 *
 * **Example** (Comparing the referents of proxies)
 *
 * ```ts import.meta.vitest
 * import { WeakProxy } from "effect-weakref"
 *
 * const one = { id: 1 }
 * const other = { id: 1 }
 * const proxy = WeakProxy.makeUnsafe(one)
 * WeakProxy.equals(proxy, WeakProxy.makeUnsafe(other)) // => true
 * WeakProxy.equals(proxy, other) // => true
 * WeakProxy.equals(proxy, { id: 2 }) // => false
 * ```
 *
 * @see {@link deref} for a comparison of the referent with `===`
 *
 * @category predicates
 * @stability experimental
 * @since 0.1.0
 */
export const equals: {
  (that: object): (self: WeakProxy<object>) => boolean
  (self: WeakProxy<object>, that: object): boolean
} = dual(2, (self: WeakProxy<object>, that: object): boolean => {
  if (self === that) return true
  const target = unwrap(self)
  if (target === undefined) return false
  const thatTarget = unwrap(that)
  return thatTarget !== undefined && Equal.equals(target, thatTarget)
})

/** Unwraps nested proxies completely. Returns `undefined` if one of them is dead. */
const unwrap = (u: object): object | undefined => {
  if (!isWeakProxy(u)) return u
  const target = trapsOfProxy(u).record.deref()
  return target === undefined ? undefined : unwrap(target)
}

const trapsOfProxy = <A extends object>(self: WeakProxy<A>): ReferentTraps<A> => {
  const traps = trapsOf(self)
  if (traps === undefined) {
    throw new TypeError("Expected a weak proxy that WeakProxy.make or WeakProxy.makeUnsafe of this module created")
  }
  // The traps of a proxy of an A forward to an A.
  return traps as ReferentTraps<object> as ReferentTraps<A>
}
