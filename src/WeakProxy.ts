/**
 * A weak proxy: a stand-in that does whatever its referent does, without keeping
 * it alive.
 *
 * Where a `WeakRef` has to be asked for its referent, a `WeakProxy<A>` is used as
 * if it were the `A`: reads, writes, calls, `new`, iteration, `instanceof`, spread
 * and conversions go to the referent, and throw `DeadReferenceError` once that has
 * been collected. Use one to hand an object to code that expects the object itself
 * and must not own it: a child's way to its parent, a listener's to its source.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Option from "effect/Option"
import { isFunction, isObjectKeyword } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Heap } from "./Heap.ts"
import * as Callbacks from "./internal/callbacks.ts"
import { host } from "./internal/heap.ts"
import { holdDuring } from "./internal/hold.ts"
import * as Referent from "./internal/referent.ts"
import { DeadReferenceError, NotWeakReferenceableError, UnhashableError } from "./WeakError.ts"

/** In the types alone: no such property can be read. */
declare const TypeId: unique symbol

/**
 * A stand-in for an `A` that does not keep it alive.
 *
 * **Details**
 *
 * Every operation of the language forwards to the referent. Methods run on the
 * referent itself, so that built-ins with internal slots and classes with private
 * fields work, and a method is the same function each time that it is read. Where
 * the referent itself would come out (a property that refers back, a method that
 * returns `this`), the proxy comes out in its place, and put in by assignment it
 * goes in as the referent.
 *
 * Once the referent has been collected, every operation throws
 * `DeadReferenceError`, except printing: `util.inspect` and the string tag say that
 * it has been collected. `typeof` and `Array.isArray` cannot throw.
 *
 * Cost: each operation is one `deref` of the engine above a plain `Proxy`, which
 * keeps the referent to the end of the turn.
 *
 * **Gotchas**
 *
 * - A function read from a proxy is not the referent's own function but stands for
 *   it: it runs it on the referent, does not keep it, and dies with the referent.
 *   `p.constructor`, what every object has from `Object.prototype`, and `call`,
 *   `apply` and `bind` of functions are the functions themselves.
 * - JavaScript does not let a proxy call a property non-configurable, or an object
 *   non-extensible, without holding it. Such properties are reported as
 *   configurable, such objects as extensible; to freeze or seal through the proxy,
 *   to prevent extensions, and to define a property as explicitly
 *   non-configurable is refused, and the referent left as it is.
 * - What looks at internal slots without calling a method of the value sees the
 *   proxy: `Map.prototype.get.call(p, key)`, `structuredClone`, `util.types`,
 *   `ArrayBuffer.isView`, `Object.prototype.toString` of a `Date`.
 * - Methods see the referent and hand out what they like of it: an iterator, a view
 *   of its buffer, the last argument of a `forEach`. Whoever keeps such a thing
 *   keeps what it refers to.
 * - A promise that resolves with a dead proxy rejects, because it looks for `then`.
 * - No proxy has a hash: see {@link equals}. Effect hashes a `Date` and a `RegExp`
 *   by their methods before it asks whether they have a hash of their own, so
 *   proxies of these two hash as their referents while they live.
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
 * @since 0.1.0
 */
export type WeakProxy<A extends object> = A & { readonly [TypeId]: "WeakProxy" }

/**
 * Checks whether a value is a weak proxy of this library, dead ones included. It
 * does not dereference, does not run a trap of any proxy, and never throws.
 *
 * **Details**
 *
 * An object that inherits from a weak proxy is none, and neither is another
 * proxy around one, nor a function that was read from one.
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
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.ProxyTypes | Python, weakref.ProxyTypes} for the source of the semantics
 *
 * @category guards
 * @since 0.1.0
 */
export const isWeakProxy = (u: unknown): u is WeakProxy<object> => Proxied.trapsOf(u) instanceof ReferentTraps

/**
 * Checks whether a value is a weak proxy whose referent is a function or a class.
 * Like {@link isWeakProxy} it never throws.
 *
 * **Example** (Telling proxies that can be called)
 *
 * ```ts import.meta.vitest
 * import { WeakProxy } from "effect-weakref"
 *
 * WeakProxy.isCallableWeakProxy(WeakProxy.makeUnsafe(() => 1)) // => true
 * WeakProxy.isCallableWeakProxy(WeakProxy.makeUnsafe({})) // => false
 * ```
 *
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.CallableProxyType | Python, weakref.CallableProxyType} for the source of the semantics
 *
 * @category guards
 * @since 0.1.0
 */
export const isCallableWeakProxy = (u: unknown): u is WeakProxy<(...args: ReadonlyArray<never>) => unknown> =>
  isFunction(u) && isWeakProxy(u)

/**
 * Creates a weak proxy, or gives the one that the program already holds.
 *
 * **When to use**
 *
 * Use inside an Effect program. {@link makeUnsafe} is the synchronous form.
 *
 * **Details**
 *
 * Two proxies made of the same target on the same heap are the same object for as
 * long as the program holds it. It is itself held weakly. Fails with
 * `NotWeakReferenceableError` where the target is a primitive; also a symbol,
 * which a `WeakRef` could refer to, has nothing to forward. The target may be a
 * proxy, weak or not; of a weak proxy it is that proxy's life that counts.
 *
 * **Example** (Proxies are shared)
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
 * @category constructors
 * @since 0.1.0
 */
export const make = <A extends object>(target: A): Effect.Effect<WeakProxy<A>, NotWeakReferenceableError> =>
  isObjectKeyword(target)
    ? Referent.make(target, makeUnsafe)
    : Effect.fail(new NotWeakReferenceableError({ value: target }))

/**
 * Creates a weak proxy synchronously, on the host's heap unless another is given.
 * Throws `NotWeakReferenceableError` where {@link make} fails with it.
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
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = <A extends object>(target: A, heap: Heap = host): WeakProxy<A> => {
  if (!isObjectKeyword(target)) throw new NotWeakReferenceableError({ value: target })
  const self = Referent.of(target, heap)
  let proxy: WeakKey | undefined = self.sharedProxy?.deref()
  if (proxy === undefined) {
    proxy = new ReferentTraps(self, target).proxy
    self.sharedProxy = new heap.WeakRef(proxy)
  }
  // Only the proxy of this very referent is put there.
  return proxy as WeakProxy<A>
}

/**
 * Dereferences: `Some` of the referent, or `None` once it has been collected.
 *
 * **Details**
 *
 * Cost: O(1), one `deref` of the engine. It keeps the referent to the end of the
 * turn, and whoever uses the result keeps it from then on.
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
 * @category getters
 * @since 0.1.0
 */
export const deref = <A extends object>(self: WeakProxy<A>): Option.Option<A> =>
  Option.fromUndefinedOr(recordOf(self).deref())

/**
 * Runs an effect with the referent itself, which stays alive until that effect has
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
 * import { WeakProxy } from "effect-weakref"
 *
 * const target = { id: 1 }
 * const proxy = WeakProxy.makeUnsafe(target)
 * const program = WeakProxy.use(proxy, (target) => Effect.as(Effect.yieldNow, target.id))
 *
 * await Effect.runPromise(program) // => 1
 * ```
 *
 * @category operations
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
    const target = recordOf(self).deref()
    return target === undefined
      ? Effect.fail(new DeadReferenceError({ kind: "WeakProxy" }))
      : holdDuring(f(target), target)
  }))

/**
 * Registers a callback for the life of the Scope: an effect that runs in the
 * background when the referent has been collected, with the dead proxy.
 *
 * **Details**
 *
 * What is said of `WeakRef.onCollect` holds here too: all callbacks of a referent,
 * through references and proxies alike, run from the newest to the oldest.
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
 * @category operations
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
): Effect.Effect<void, never, R | Scope.Scope> => Callbacks.onCollect(Effect.suspend(() => f(self)), recordOf(self)))

/**
 * Whether a proxy and another object, which may be a proxy too, are equal at this
 * moment: what is behind them alive and equal by `Equal.equals`, or both the same
 * proxy.
 *
 * **When to use**
 *
 * Use instead of `Equal.equals`, which hashes first and so throws
 * `UnhashableError` for a proxy.
 *
 * **Details**
 *
 * Behind a proxy of a proxy is what is behind the last. Dereferences, and never
 * throws for a dead proxy.
 *
 * **Example** (Comparing what is behind proxies)
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
 * @category equality
 * @since 0.1.0
 */
export const equals: {
  (that: object): (self: WeakProxy<object>) => boolean
  (self: WeakProxy<object>, that: object): boolean
} = dual(2, (self: WeakProxy<object>, that: object): boolean => {
  if (self === that) return true
  const target = behind(self)
  if (target === undefined) return false
  const thatTarget = behind(that)
  return thatTarget !== undefined && Equal.equals(target, thatTarget)
})

const behind = (u: object): object | undefined => {
  if (!isWeakProxy(u)) return u
  const target = recordOf(u).deref()
  return target === undefined ? undefined : behind(target)
}

/**
 * Constructing gives back the proxy itself, so that the private field is put on
 * that: past its traps, beyond forgery, and never inherited.
 */
class Proxied extends (function(proxy: object) {
  return proxy
} as unknown as new(proxy: object) => object) {
  readonly #traps: Traps

  constructor(proxy: object, traps: Traps) {
    super(proxy)
    this.#traps = traps
  }

  static trapsOf(u: unknown): Traps | undefined {
    return isObjectKeyword(u) && #traps in u ? u.#traps : undefined
  }
}

const recordOf = <A extends object>(self: WeakProxy<A>): Referent.Referent<A> =>
  // No other traps are behind what is typed as a weak proxy, and those of an A hold the record of an A.
  (Proxied.trapsOf(self) as ReferentTraps<A>).record

// -----------------------------------------------------------------------------
// traps
// -----------------------------------------------------------------------------

type AnyFunction = (this: unknown, ...args: ReadonlyArray<never>) => unknown

/**
 * What a proxy does: everything goes to the target, which is dereferenced for it
 * unless it just was. The target that the engine knows is an empty shell.
 */
abstract class Traps implements ProxyHandler<object> {
  declare readonly heap: Heap
  declare readonly proxy: object
  /** What stands for the functions among the properties. */
  declare forwarders: WeakMap<AnyFunction, object> | undefined

  constructor(target: object, heap: Heap) {
    this.heap = heap
    this.proxy = new Proxied(new Proxy(shellOf(target), this), this)
    this.forwarders = undefined
  }

  abstract peek(): object | undefined

  target(): object {
    const target = this.peek()
    if (target === undefined) throw new DeadReferenceError()
    return target
  }

  /** A property's value on its way out: where the target itself or a strong function would come, what stands for it. */
  outward(value: unknown, key: PropertyKey, target: object): unknown {
    if (value === target) return this.proxy
    return typeof value === "function" ? this.forwarder(value as AnyFunction, key, target) : value
  }

  /** The reverse: what was read from the proxy and is put back arrives as it was. */
  inward(value: unknown, target: object): unknown {
    if (value === this.proxy) return target
    if (typeof value !== "function") return value
    const traps = Proxied.trapsOf(value)
    return traps instanceof FunctionTraps && traps.owner === this ? traps.target() : value
  }

  forwarder(value: AnyFunction, key: PropertyKey, target: object): object {
    let forwarder = this.forwarders?.get(value)
    if (forwarder === undefined) {
      if (key === "constructor" || key === "__proto__" || generic.has(value) || isWeakProxy(value)) return value
      forwarder = new FunctionTraps(this, target, value).proxy
      this.forwarders ??= new this.heap.WeakMap()
      this.forwarders.set(value, forwarder)
    }
    return forwarder
  }

  getPrototypeOf(): object | null {
    return Reflect.getPrototypeOf(this.target())
  }

  setPrototypeOf(_shell: object, prototype: object | null): boolean {
    const target = this.target()
    return Reflect.setPrototypeOf(target, prototype === this.proxy ? target : prototype)
  }

  isExtensible(): boolean {
    this.target()
    return true
  }

  preventExtensions(): boolean {
    this.target()
    return false
  }

  getOwnPropertyDescriptor(shell: object, key: PropertyKey): PropertyDescriptor | undefined {
    const target = this.target()
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key)
    if (descriptor === undefined) return undefined
    for (const part of ["value", "get", "set"] as const) {
      if (part in descriptor) descriptor[part] = this.outward(descriptor[part], key, target) as undefined
    }
    // What the shell does not have as well cannot be called non-configurable, nor its length non-writable.
    if (isLengthOf(shell, key)) descriptor.writable = true
    else descriptor.configurable = true
    return descriptor
  }

  defineProperty(shell: object, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    const target = this.target()
    if (isLengthOf(shell, key) ? descriptor.writable === false : descriptor.configurable === false) return false
    for (const part of ["value", "get", "set"] as const) {
      if (part in descriptor) descriptor[part] = this.inward(descriptor[part], target) as undefined
    }
    return Reflect.defineProperty(target, key, descriptor)
  }

  has(_shell: object, key: PropertyKey): boolean {
    return Reflect.has(this.target(), key)
  }

  get(_shell: object, key: PropertyKey, receiver: unknown): unknown {
    const target = this.peek()
    if (target === undefined) {
      if (key === Symbol.toStringTag) return collected
      throw new DeadReferenceError()
    }
    // Almost always the receiver is the proxy, and an engine reads faster than it reflects.
    const value: unknown = receiver === this.proxy
      ? (target as { readonly [key: PropertyKey]: unknown })[key]
      : Reflect.get(target, key, receiver)
    return this.outward(value, key, target)
  }

  set(_shell: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    const target = this.target()
    return receiver === this.proxy
      ? Reflect.set(target, key, this.inward(value, target), target)
      : Reflect.set(target, key, value, receiver)
  }

  deleteProperty(_shell: object, key: PropertyKey): boolean {
    return Reflect.deleteProperty(this.target(), key)
  }

  ownKeys(): Array<string | symbol> {
    return Reflect.ownKeys(this.target())
  }

  apply(_shell: object, self: unknown, args: ReadonlyArray<unknown>): unknown {
    const target = this.target()
    const result: unknown = Reflect.apply(target as AnyFunction, self === this.proxy ? target : self, args)
    return result === target ? this.proxy : result
  }

  construct(_shell: object, args: ReadonlyArray<unknown>, newTarget: object): object {
    const target = this.target()
    const made: object = Reflect.construct(
      target as AnyFunction,
      args,
      (newTarget === this.proxy ? target : newTarget) as AnyFunction
    )
    return made === target ? this.proxy : made
  }

  /** The view of `util.inspect` with `showProxy`. */
  [NodeInspectSymbol](): string {
    return `[${this.constructor.name}]`
  }
}

class ReferentTraps<A extends object> extends Traps {
  declare readonly record: Referent.Referent<A>

  constructor(record: Referent.Referent<A>, target: A) {
    super(target, record.records.heap)
    this.record = record
  }

  peek(): A | undefined {
    // Only the target of these very traps is put there.
    if (recent.traps === this) return recent.target as A
    const target = this.record.deref()
    // A heap that is not the host's may collect within a turn.
    if (this.heap === host) remember(this, target)
    return target
  }

  override has(shell: object, key: PropertyKey): boolean {
    return super.has(shell, key) || key === Hash.symbol
  }

  override get(shell: object, key: PropertyKey, receiver: unknown): unknown {
    const value = super.get(shell, key, receiver)
    return key === Hash.symbol ? unhashable : value
  }
}

/**
 * What was dereferenced last, and through which proxy: to read a method and to call it take one dereference. The
 * engine keeps it to the end of the turn as well.
 */
const recent: { traps: Traps | undefined; target: object | undefined } = { traps: undefined, target: undefined }

const remember = (traps: Traps, target: object | undefined): void => {
  // A microtask is still of this turn.
  if (recent.traps === undefined) void Promise.resolve().then(forget)
  recent.traps = traps
  recent.target = target
}

const forget = (): void => {
  recent.traps = undefined
  recent.target = undefined
}

const unhashable = (): never => {
  throw new UnhashableError()
}

/**
 * What stands for a function-valued property. A function may capture its object:
 * kept with an ephemeron, it lives for whoever has its forwarder, and no longer
 * than its object.
 */
class FunctionTraps extends Traps {
  declare readonly owner: Traps
  declare readonly functions: WeakMap<object, AnyFunction>

  constructor(owner: Traps, ownerTarget: object, target: AnyFunction) {
    super(target, owner.heap)
    this.owner = owner
    this.functions = new owner.heap.WeakMap()
    this.functions.set(ownerTarget, target)
  }

  peek(): AnyFunction | undefined {
    const ownerTarget = this.owner.peek()
    return ownerTarget && this.functions.get(ownerTarget)
  }

  override apply(_shell: object, self: unknown, args: ReadonlyArray<unknown>): unknown {
    const { owner } = this
    const ownerTarget = owner.target()
    const target = this.functions.get(ownerTarget)!
    const result: unknown = Reflect.apply(target, self === owner.proxy ? ownerTarget : self, args)
    return result === ownerTarget ? owner.proxy : result === target ? this.proxy : result
  }
}

/**
 * These do the same on the proxy as on the referent, and `bind` does better: what it
 * makes of a proxy is weak.
 */
const generic: ReadonlySet<unknown> = /*#__PURE__*/ new Set([
  ...Object.values(Object.getOwnPropertyDescriptors(Object.prototype)).map((descriptor) => descriptor.value),
  Function.prototype.apply,
  Function.prototype.bind,
  Function.prototype.call
])

/**
 * What the engine believes to be behind the proxy: of the same kind, as far as
 * `typeof`, `Array.isArray` and `new` ask. Apart from the length of an array it
 * has no property that an engine would want to see in the answers of a trap.
 */
const shellOf = (target: object): object =>
  Object.assign(
    Array.isArray(target)
      ? []
      : !isFunction(target)
      ? {}
      : isConstructor(target)
      ? constructible.bind(undefined)
      : () => {},
    { [NodeInspectSymbol]: inspect }
  )

// An arrow function would be no constructor.
function constructible() {}

const isLengthOf = (shell: object, key: PropertyKey): boolean => key === "length" && Array.isArray(shell)

/** Whether `new` would be allowed, found without calling and without an exception: `Array.of` constructs if it can. */
const isConstructor = (target: object): boolean =>
  !Array.isArray(Array.of.call(new Proxy(target, { construct: () => ({}) })))

const collected = "WeakProxy: collected"

/** Node looks at the shell and not at the traps, and calls what it finds there with the proxy. */
function inspect(this: unknown): unknown {
  const traps = Proxied.trapsOf(this)
  return traps === undefined ? "[shell]" : traps.peek() ?? `[${collected}]`
}
