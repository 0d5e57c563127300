/**
 * Creates weak proxies, which forward every operation to a referent without keeping the
 * referent alive.
 *
 * Use a weak proxy to pass an object to code that expects the object itself and must not
 * own it. For example, pass a parent to its child, or an event source to its listener. A
 * program uses a `WeakProxy<A>` like an `A`, and does not have to dereference it. Reads,
 * writes, calls, `new`, iteration, `instanceof`, spread and conversions are forwarded to
 * the referent. After the referent has been collected, they throw `DeadReferenceError`.
 *
 * `docs/proxies.md` lists the differences between a proxy and its referent.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import { isFunction, isObjectKeyword } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Heap } from "./Heap.ts"
import * as Callbacks from "./internal/callbacks.ts"
import * as Equality from "./internal/equality.ts"
import { holdDuring } from "./internal/hold.ts"
import { host } from "./internal/host.ts"
import { printed } from "./internal/print.ts"
import * as Referent from "./internal/referent.ts"
import { anotherCopy } from "./internal/refuse.ts"
import { isOfAnotherCopy, isRevoked, ReferentTraps, trapsOf } from "./internal/traps.ts"
import { type DeadReferenceError, NotWeakReferenceableError } from "./WeakError.ts"
import type { Callback } from "./WeakRef.ts"

/** Exists only as a type. */
declare const TypeId: unique symbol

/**
 * Marks a type as a weak proxy. In the type of a spread copy, a property that has only a
 * setter is `undefined`, so the type of `{ ...proxy }` has no mark. A private member of a
 * class cannot be the mark, because no class type is assignable to a `Record`.
 */
type Brand = { set [TypeId](brand: "WeakProxy") }

/**
 * Forwards every operation to an `A` without keeping the `A` alive.
 *
 * **When to use**
 *
 * Use as the type of a property or parameter whose value is an object that other code
 * owns.
 *
 * **Details**
 *
 * Methods run on the referent itself, so built-in classes with internal slots and classes
 * with private fields work. Each read of a method returns the same function.
 *
 * If a property of the referent holds the referent, reading this property through the
 * proxy returns the proxy. A method that returns `this` also returns the proxy. If you
 * assign the proxy to one of its own properties, the property stores the referent.
 *
 * After the referent has been collected, every operation throws a `DeadReferenceError`,
 * whose message names the operation and the property. Only printing and logging do not
 * throw, so that a log never fails because of a dead proxy: `console`, `util.inspect`,
 * `JSON.stringify`, `Effect.log`, `Cause.pretty` and `Object.prototype.toString` show
 * that the referent has been collected, wherever the proxy is in the printed value.
 * `typeof` and `Array.isArray` do not throw, either, but `String(proxy)` does.
 *
 * An operation costs as much as one of a plain `Proxy`, and at most one dereference,
 * which keeps the referent alive until the end of the turn. A method call dereferences
 * when the method is read, and then looks up two ephemerons, one for the stand-in for the
 * method (see below), and one for the method.
 *
 * **Gotchas**
 *
 * - A function that is read from a proxy is a stand-in for the referent's function. The
 *   stand-in runs the function on the referent. It does not keep the referent alive, and
 *   throws after the referent has been collected. `p.constructor`, the methods of
 *   `Object.prototype`, and `call`, `apply` and `bind` of functions are returned without
 *   a stand-in.
 * - Only receivers, results and assigned values are converted between proxy and referent,
 *   but no arguments: for a proxy `p`, `p.indexOf(p)` is -1, and `p.equals(p)` throws if
 *   `equals` reads a private field of its argument. In getters and setters, `this` is the
 *   referent.
 * - A proxy reports the referent as extensible, and each property as configurable, except
 *   for the `length` of an array. JavaScript allows another answer only if the object
 *   that the `Proxy` wraps gives the same answer, and a weak proxy wraps an empty object.
 * - A proxy cannot freeze or seal its referent, or prevent its extension, and does not
 *   accept a property descriptor with `configurable: false`. An attempt leaves the
 *   referent unchanged.
 * - Some code reads internal slots without calling a method of the value. Such code reads
 *   the proxy, not the referent. Examples are `Map.prototype.get.call(p, key)`,
 *   `structuredClone`, `util.types`, `ArrayBuffer.isView`, and
 *   `Object.prototype.toString` of a `Date`.
 * - Methods can return values that hold the referent, for example an iterator or a view
 *   of a buffer. They can also pass the referent to a callback, as `forEach` does.
 *   Holding such a value keeps the referent alive.
 * - If you resolve a promise with a dead proxy, the promise rejects, because reading
 *   `then` of the proxy throws.
 * - In a minified bundle, the loggers that write JSON throw if they log the dead proxy of
 *   a function, because the proxy recognizes them by the names of their functions.
 * - A proxy has no hash (see {@link equals}), except for the proxy of a `Date` or of a
 *   `RegExp`, because Effect reads the contents of these before it asks for a hash.
 *
 * **Example** (Referring to a parent without keeping it alive)
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
 * @stability stable
 * @since 0.1.0
 */
export type WeakProxy<A extends object> = A & Brand

/**
 * Checks whether a value is a weak proxy, which may be dead.
 *
 * **When to use**
 *
 * Use before {@link deref}, {@link use} or {@link onCollect} if a value may be a proxy or
 * the object itself.
 *
 * **Details**
 *
 * Costs O(1), never dereferences, runs no trap of any proxy, and never throws. Returns
 * `false` for these values, although they may look like a weak proxy:
 *
 * - an object that inherits from a weak proxy;
 * - another `Proxy` that wraps a weak proxy, even one without traps;
 * - a function that was read from a weak proxy, which is only a stand-in;
 * - a weak proxy that another copy of this library created.
 *
 * Never dereferences, runs no trap of any proxy, and never throws. Cost: O(1).
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
 * @stability stable
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
 * Costs O(1), and never dereferences and never throws, like {@link isWeakProxy}.
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
 * @stability stable
 * @since 0.1.0
 */
export const isCallableWeakProxy = (u: unknown): u is WeakProxy<(...args: ReadonlyArray<never>) => unknown> =>
  isFunction(u) && isWeakProxy(u)

/**
 * Creates a weak proxy of a target, or returns the shared proxy if the program holds it
 * already.
 *
 * **When to use**
 *
 * Use inside an Effect program, so that a test can replace the heap, or use
 * {@link makeUnsafe} in synchronous code.
 *
 * **Details**
 *
 * While the program holds a proxy, a second call with the same target and heap returns
 * the same object. The target does not keep its proxy alive.
 *
 * The target may be a proxy, and a proxy of a weak proxy is dead if the inner proxy has
 * been collected.
 *
 * Fails with `NotWeakReferenceableError` if the target is a primitive, even if it is a
 * symbol, because a symbol has no operations to forward. Also fails if the target is a
 * revoked proxy, because every operation on a revoked proxy throws. Costs O(1), with one
 * weak reference and one native `Proxy` for each target.
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
 * @stability stable
 * @since 0.1.0
 */
export const make = <A extends object>(target: A): Effect.Effect<WeakProxy<A>, NotWeakReferenceableError> =>
  Referent.make(target, makeUnsafe)

/**
 * Creates a weak proxy synchronously, on the host's heap unless you pass another heap.
 *
 * **When to use**
 *
 * Use in synchronous code, for example in a constructor. Use {@link make} inside an
 * Effect program, so that a test can replace the heap.
 *
 * **Details**
 *
 * Throws `NotWeakReferenceableError` in the cases in which {@link make} fails with this
 * error. Costs O(1), with one weak reference and one native `Proxy` for each target.
 *
 * **Example** (Creating a proxy in synchronous code)
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
 * @stability stable
 * @since 0.1.0
 */
export const makeUnsafe = <A extends object>(target: A, heap: Heap = host): WeakProxy<A> => {
  check(target)
  const self = Referent.of(target, heap)
  let proxy: WeakKey | undefined = self.sharedProxy?.deref()
  if (proxy === undefined) {
    proxy = new ReferentTraps(self, target).proxy
    self.sharedProxy = new heap.WeakRef(proxy)
  }
  // The cast is safe: `sharedProxy` refers only to the proxy of this referent.
  return proxy as WeakProxy<A>
}

const check = (target: unknown): void => {
  if (!isObjectKeyword(target)) throw new NotWeakReferenceableError({ value: target })
  if (!isRevoked(target)) return
  // Has its own message, because the general message prints the value, and a revoked proxy cannot be printed.
  throw new NotWeakReferenceableError({
    value: target,
    message:
      "A revoked proxy cannot be the target of a weak proxy, because every operation on it throws: pass an object or a function"
  })
}

/**
 * Returns `Some` of the referent, or `None` if the referent has been collected.
 *
 * **When to use**
 *
 * Use to get the referent itself, for example to compare it with `===` or to pass it to
 * `structuredClone`. Use {@link use} to hold the referent during an effect.
 *
 * **Details**
 *
 * Dereferences, so the referent stays alive until the end of the turn, and for as long as
 * the program holds the result. Throws a `TypeError` if the argument is not a weak proxy.
 * Costs O(1), with one `deref` of the engine.
 *
 * **Example** (Getting the referent of a proxy)
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
 * @stability stable
 * @since 0.1.0
 */
export const deref = <A extends object>(self: WeakProxy<A>): Option.Option<A> =>
  Option.fromUndefinedOr(trapsOfProxy(self).record.deref())

/**
 * Runs an effect with the referent, and keeps the referent alive until the effect has
 * ended.
 *
 * **When to use**
 *
 * Use if the effect needs the referent for several turns, or use {@link deref} if one
 * turn is enough.
 *
 * **Details**
 *
 * If the referent has been collected, fails with `DeadReferenceError` and does not call
 * `f`, and otherwise fails if the effect of `f` fails. Costs O(1), and dereferences once,
 * when the effect starts.
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
 * @stability stable
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
 * Registers a callback that runs in the background after the referent has been collected.
 * The callback is unregistered when the Scope closes.
 *
 * **When to use**
 *
 * Use to react to a collection if you hold a proxy. To release a resource of the
 * referent, use a `Finalizer`, because it also runs when the Scope closes.
 *
 * **Details**
 *
 * The callback receives the dead proxy, and before it the owner if there is one. All
 * callbacks of one referent run one after the other, the newest first, including those of
 * references, methods and finalizers. The owner, services, failures, interruption and
 * cost are as for `WeakRef.onCollect`, and `WeakRef.cancel` cancels the callback.
 *
 * If the referent has been collected already, the callback starts at once in the
 * background. Never fails, costs O(1), and dereferences once.
 *
 * **Gotchas**
 *
 * A callback that captures the referent keeps the referent alive until the Scope closes,
 * and never runs.
 *
 * **Example** (Running a callback after a collection)
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
 * @stability stable
 * @since 0.1.0
 */
export const onCollect: {
  <O extends WeakKey, Self extends WeakProxy<object>, X, E, R>(
    f: (owner: O, proxy: Self) => Effect.Effect<X, E, R>,
    options: { readonly owner: O }
  ): (self: Self) => Effect.Effect<Callback, never, R | Scope.Scope>
  <Self extends WeakProxy<object>, X, E, R>(
    f: (proxy: Self) => Effect.Effect<X, E, R>
  ): (self: Self) => Effect.Effect<Callback, never, R | Scope.Scope>
  <Self extends WeakProxy<object>, O extends WeakKey, X, E, R>(
    self: Self,
    f: (owner: O, proxy: Self) => Effect.Effect<X, E, R>,
    options: { readonly owner: O }
  ): Effect.Effect<Callback, never, R | Scope.Scope>
  <Self extends WeakProxy<object>, X, E, R>(
    self: Self,
    f: (proxy: Self) => Effect.Effect<X, E, R>
  ): Effect.Effect<Callback, never, R | Scope.Scope>
} = /*#__PURE__*/ Callbacks.onCollectOf((self: WeakProxy<object>) => [trapsOfProxy(self).record])

/**
 * Checks whether the referent of a proxy equals another object. If the other object is a
 * proxy, compares its referent.
 *
 * **When to use**
 *
 * Use instead of `Equal.equals`, which hashes its arguments first, and so throws
 * `UnhashableError` for a proxy.
 *
 * **Details**
 *
 * Unwraps nested proxies completely. Returns `true` if both arguments are the same proxy,
 * or if both referents are alive and equal by `Equal.equals`. Returns `false` if the
 * arguments are different and one of them is a dead proxy. Costs as much as
 * `Equal.equals` of the referents, and dereferences each proxy once.
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
 * @stability stable
 * @since 0.1.0
 */
export const equals: {
  (that: object): (self: WeakProxy<object>) => boolean
  (self: WeakProxy<object>, that: object): boolean
} = dual(2, (self: WeakProxy<object>, that: object): boolean => {
  if (self === that) return true
  const target = unwrap(self)
  const thatTarget = unwrap(that)
  return thatTarget !== undefined && Equality.equals(target, thatTarget)
})

/** Unwraps nested proxies completely. Returns `undefined` if one of them is dead. */
const unwrap = (u: object | undefined): object | undefined => {
  if (isWeakProxy(u)) return unwrap(trapsOfProxy(u).record.deref())
  if (isOfAnotherCopy(u)) throw new TypeError(anotherCopy("WeakProxy"))
  return u
}

const trapsOfProxy = <A extends object>(self: WeakProxy<A>): ReferentTraps<A> => {
  const traps = trapsOf(self)
  if (traps === undefined) {
    throw new TypeError(
      isOfAnotherCopy(self)
        ? anotherCopy("WeakProxy")
        : `Expected a WeakProxy, but got ${printed(self)}`
    )
  }
  // The cast is safe: the traps of a `WeakProxy<A>` forward to an `A`.
  return traps as ReferentTraps<object> as ReferentTraps<A>
}
