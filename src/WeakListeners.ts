/**
 * Calls listeners without keeping alive the objects that they belong to.
 *
 * Use this module if objects listen to something that lives longer than they do, and
 * nothing tells them when to unsubscribe: views that listen to a store, documents that
 * listen to settings, components that listen to `window`. A {@link WeakListeners} is a
 * hub of your own that publishes events to its receivers. {@link listen} adds a listener
 * to an `EventTarget` or `EventEmitter` and removes it after the receiver has been
 * collected.
 *
 * A listener consists of a *receiver* and a function, and the function gets the receiver
 * as its first argument. The function lives as long as the receiver, so it can be written
 * in place, and it may even capture the receiver. But whatever it captures stays alive as
 * long as the receiver does.
 *
 * Unsubscribe where you can, with {@link stop} or {@link remove}: a receiver that the
 * program has dropped still gets events until a collection.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Equal from "effect/Equal"
import { dual } from "effect/Function"
import type { Inspectable } from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import { isFunction } from "effect/Predicate"
import * as Struct from "effect/Struct"
import { Heap } from "./Heap.ts"
import { attempt } from "./internal/attempt.ts"
import { guard } from "./internal/guard.ts"
import { host } from "./internal/host.ts"
import * as Listeners from "./internal/listeners.ts"
import type { NotWeakReferenceableError } from "./WeakError.ts"

/** Exists only as a type. */
declare const TypeId: "~effect-weakref/WeakListeners"

/**
 * Represents a hub: a mutable list of listeners whose receivers are held weakly.
 *
 * **When to use**
 *
 * Use for the events of an object whose listeners belong to objects with a shorter life,
 * such as components of a page.
 *
 * **Details**
 *
 * A hub that the program drops leaves nothing behind, even if its receivers live on. It
 * is equal only to itself, and prints only how many listeners it has.
 *
 * **Example** (Publishing to objects that never unsubscribe)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakListeners } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const shown: Array<string> = []
 *
 * class Label {
 *   readonly name: string
 *   constructor(name: string) {
 *     this.name = name
 *   }
 *   show(text: string): void {
 *     shown.push(`${this.name}: ${text}`)
 *   }
 * }
 *
 * const program = Effect.gen(function*() {
 *   const texts = yield* WeakListeners.make<string>()
 *   const [title, footer] = [new Label("title"), new Label("footer")]
 *   yield* WeakListeners.addMethod(texts, title, "show")
 *   yield* WeakListeners.addMethod(texts, footer, "show")
 *   yield* WeakListeners.publish(texts, "one")
 *   yield* TestHeap.collect(title)
 *   yield* WeakListeners.publish(texts, "two")
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program)
 * shown // => ["title: one", "footer: one", "footer: two"]
 * ```
 *
 * @see {@link add} and {@link addMethod} to add a listener
 * @see {@link publish} to call the listeners
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface WeakListeners<in out Event> extends Equal.Equal, Pipeable, Inspectable {
  readonly [TypeId]: { readonly _Event: (_: Event) => Event }
}

/**
 * Represents one listener of a hub or of a target, as a handle for {@link stop}.
 *
 * **When to use**
 *
 * Use to remove a single listener before its receiver is collected.
 *
 * **Details**
 *
 * A handle keeps its hub alive, but neither the receiver nor a target, so the receiver
 * may hold the handle. You can ignore the handle, because dropping it does not remove the
 * listener, and a handle is equal only to itself.
 *
 * @see {@link stop} to remove the listener
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Listener extends Equal.Equal, Pipeable, Inspectable {
  readonly "~effect-weakref/Listener": true
}

/**
 * Describes an object that has a method for an `Event` under the key `K`, possibly an
 * optional one.
 *
 * **When to use**
 *
 * Use to constrain a receiver that you pass on to {@link addMethod}.
 *
 * @see {@link addMethod} for the function that takes such a receiver
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type WithMethod<K extends PropertyKey, Event, B = unknown> = {
  readonly [P in K]?: ((event: Event) => B) | undefined
}

/**
 * Extracts the services of the effects that a method returns.
 *
 * **When to use**
 *
 * Use to write the type of a function that calls {@link addMethod}.
 *
 * @see {@link addMethod} for the function that returns this type
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type MethodServices<F> = F extends (...args: never) => infer B
  ? B extends Effect.Effect<infer _A, infer _E, infer R> ? R : never
  : never

/**
 * Contains what a method may return that {@link addMethodUnsafe} accepts: an effect that
 * needs no services, or any value that is not an effect.
 *
 * **When to use**
 *
 * Use to constrain a receiver that you pass on to {@link addMethodUnsafe}.
 *
 * @see {@link addMethodUnsafe} for the function that takes such methods
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type WithoutServices =
  | Effect.Effect<unknown, unknown>
  | (object & { readonly [Effect.TypeId]?: undefined })
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | void

/**
 * Describes an event target, such as a DOM node, an `AbortSignal` or a `WebSocket`.
 *
 * **When to use**
 *
 * Use as the type of a target that you pass on to {@link listen}.
 *
 * @see {@link EmitterLike} for the other kind of target
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface EventTargetLike {
  readonly addEventListener: (...args: never) => unknown
  readonly removeEventListener: (...args: never) => unknown
}

/**
 * Describes an event emitter, such as an `EventEmitter` or a stream of Node, or any
 * object with the methods `on` and `off`.
 *
 * **When to use**
 *
 * Use as the type of a target that you pass on to {@link listen}.
 *
 * @see {@link EventTargetLike} for the other kind of target
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type EmitterLike =
  & { readonly on: (...args: never) => unknown }
  & ({ readonly off: (...args: never) => unknown } | { readonly removeListener: (...args: never) => unknown })

/**
 * Contains the options that {@link listen} passes on to `addEventListener` and
 * `removeEventListener`.
 *
 * **When to use**
 *
 * Use as the type of options that you pass on to {@link listen}.
 *
 * **Details**
 *
 * There is no `once` and no `signal`, because the target would then remove the listener
 * itself, so call {@link stop} instead.
 *
 * @see {@link listen} for the function that takes these options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface TargetOptions {
  readonly capture?: boolean
  readonly passive?: boolean
}

/**
 * Computes the arguments that a target passes to a listener.
 *
 * **When to use**
 *
 * Use to declare a function that is passed on to {@link listen} as a listener.
 *
 * **Details**
 *
 * The type of a DOM event is that of the property `on…` of the target, such as `onclick`
 * for `"click"`, and otherwise what the target's `addEventListener` declares. The
 * arguments of an emitter are `unknown`. If you annotate the parameters of the listener,
 * your types take precedence.
 *
 * @see {@link listen} for the function that uses this type
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type EventArgs<Target, Type> = Target extends { addEventListener: (...args: infer Args) => unknown }
  ? `on${Type & string}` extends keyof Target
    ? Target[`on${Type & string}`] extends infer F
      ? Extract<F, (...args: never) => unknown> extends (...args: infer Args) => unknown ? Args : never
    : never
  : Args extends readonly [unknown, infer F, ...ReadonlyArray<unknown>]
    ? Extract<F, (...args: never) => unknown> extends (...args: infer Args) => unknown ? Args : never
  : ReadonlyArray<unknown>
  : ReadonlyArray<unknown>

/**
 * Checks whether a value is a `WeakListeners` of this library.
 *
 * **When to use**
 *
 * Use to narrow an unknown value to a hub, for example in an options object.
 *
 * **Details**
 *
 * Returns `false` for a hub of another copy of this package, which the functions of this
 * copy refuse with a `TypeError`. Never throws, whatever the value is, and costs O(1).
 *
 * **Example** (Recognizing a hub)
 *
 * ```ts import.meta.vitest
 * import { WeakListeners } from "effect-weakref"
 *
 * WeakListeners.isWeakListeners(WeakListeners.makeUnsafe()) // => true
 * WeakListeners.isWeakListeners(new EventTarget()) // => false
 * ```
 *
 * @see {@link makeUnsafe} to create a hub
 *
 * @category guards
 * @stability experimental
 * @since 0.1.0
 */
export const isWeakListeners = (u: unknown): u is WeakListeners<unknown> => guard(() => u instanceof Listeners.Hub)

/**
 * Creates a hub without listeners that uses the heap of the context.
 *
 * **When to use**
 *
 * Use inside an Effect program, so that a test can replace the heap, or use
 * {@link makeUnsafe} in synchronous code.
 *
 * **Details**
 *
 * Costs O(1), and nothing is registered with the engine before the first listener.
 *
 * **Example** (Creating a hub)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakListeners } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const saves = yield* WeakListeners.make<{ readonly path: string }>()
 *   return WeakListeners.size(saves)
 * })
 *
 * Effect.runSync(program) // => 0
 * ```
 *
 * @see {@link makeUnsafe} for the synchronous form
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const make = <Event>(): Effect.Effect<WeakListeners<Event>> =>
  Effect.map(Heap, (heap) => makeUnsafe<Event>(heap))

/**
 * Creates a hub without listeners synchronously, on the host's heap unless you pass
 * another heap.
 *
 * **When to use**
 *
 * Use outside of an Effect program, for example for a constant of a module. {@link make}
 * is the effectful form and reads the heap from the context.
 *
 * **Details**
 *
 * Costs O(1), and nothing is registered with the engine before the first listener.
 *
 * **Example** (Creating a hub for a module)
 *
 * ```ts import.meta.vitest
 * import { WeakListeners } from "effect-weakref"
 *
 * const themeChanges = WeakListeners.makeUnsafe<"dark" | "light">()
 * WeakListeners.size(themeChanges) // => 0
 * ```
 *
 * @see {@link make} for the effectful form
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const makeUnsafe = <Event>(heap: Heap = host): WeakListeners<Event> => new Listeners.Hub<Event>(heap)

/**
 * Adds a listener, a function that the hub calls with the receiver and each event that it
 * publishes, for as long as the receiver is alive.
 *
 * **When to use**
 *
 * Use inside an Effect program. {@link addUnsafe} is the synchronous form, and
 * {@link addMethod} adds a method of the receiver.
 *
 * **Details**
 *
 * `f` may return an effect, which {@link publish} runs with the services of `add`. The
 * hub keeps these services only as long as the receiver.
 *
 * A receiver can have several functions, and adding the same function for the same
 * receiver again changes nothing and succeeds with the handle of the first time. Both are
 * compared by identity.
 *
 * Fails with `NotWeakReferenceableError` if the receiver cannot be weakly referenced, and
 * dies with a `TypeError` if `f` is not a function. Dereferences nothing, and costs O(1)
 * and one step for each function that the receiver already has.
 *
 * **Example** (Adding a listener that returns an effect)
 *
 * ```ts import.meta.vitest
 * import { Effect, Ref } from "effect"
 * import { WeakListeners } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const deposits = yield* WeakListeners.make<number>()
 *   const account = { balance: yield* Ref.make(0) }
 *   yield* WeakListeners.add(deposits, account, ({ balance }, amount) => Ref.update(balance, (n) => n + amount))
 *   yield* WeakListeners.publish(deposits, 5)
 *   yield* WeakListeners.publish(deposits, 2)
 *   return yield* Ref.get(account.balance)
 * })
 *
 * Effect.runSync(program) // => 7
 * ```
 *
 * @see {@link remove} and {@link stop} to remove the listener
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const add: {
  <A extends WeakKey, Event, R = never>(
    receiver: A,
    f: (receiver: A, event: Event) => Effect.Effect<unknown, unknown, R> | void
  ): (self: WeakListeners<Event>) => Effect.Effect<Listener, NotWeakReferenceableError, R>
  <Event, A extends WeakKey, R = never>(
    self: WeakListeners<Event>,
    receiver: A,
    f: (receiver: A, event: NoInfer<Event>) => Effect.Effect<unknown, unknown, R> | void
  ): Effect.Effect<Listener, NotWeakReferenceableError, R>
} = /*#__PURE__*/ dual(3, <Event, A extends WeakKey, R>(
  self: WeakListeners<Event>,
  receiver: A,
  f: (receiver: A, event: Event) => Effect.Effect<unknown, unknown, R> | void
): Effect.Effect<Listener, NotWeakReferenceableError, R> =>
  Effect.contextWith((context: Context.Context<R>) =>
    attempt(() => Listeners.Hub.of(self).add(receiver, Listeners.reactionOf(f, context)))
  ))

/**
 * Adds a listener synchronously, as {@link add} does in an effect.
 *
 * **When to use**
 *
 * Use in synchronous code, for example in the constructor of the receiver. {@link add} is
 * the effectful form.
 *
 * **Details**
 *
 * Does the same as {@link add}, but an effect that `f` returns can only use the services
 * of the fiber that publishes. Throws `NotWeakReferenceableError` if the receiver cannot
 * be weakly referenced, and a `TypeError` if `f` is not a function. Costs as much as
 * {@link add}, and does not dereference either.
 *
 * **Example** (Adding a listener in a constructor)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakListeners } from "effect-weakref"
 *
 * const ticks = WeakListeners.makeUnsafe<number>()
 *
 * class Clock {
 *   time = 0
 *   constructor() {
 *     WeakListeners.addUnsafe(ticks, this, (self, time) => {
 *       self.time = time
 *     })
 *   }
 * }
 *
 * const clock = new Clock()
 * Effect.runSync(WeakListeners.publish(ticks, 12))
 * clock.time // => 12
 * ```
 *
 * @see {@link add} for the effectful form
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const addUnsafe: {
  <A extends WeakKey, Event>(
    receiver: A,
    f: (receiver: A, event: Event) => Effect.Effect<unknown, unknown> | void
  ): (self: WeakListeners<Event>) => Listener
  <Event, A extends WeakKey>(
    self: WeakListeners<Event>,
    receiver: A,
    f: (receiver: A, event: NoInfer<Event>) => Effect.Effect<unknown, unknown> | void
  ): Listener
} = /*#__PURE__*/ dual(3, <Event, A extends WeakKey>(
  self: WeakListeners<Event>,
  receiver: A,
  f: (receiver: A, event: Event) => Effect.Effect<unknown, unknown> | void
): Listener => Listeners.Hub.of(self).add(receiver, Listeners.reactionOf(f, Context.empty())))

/**
 * Adds a method of the receiver as a listener. The hub calls the method with each event
 * that it publishes, for as long as the receiver is alive.
 *
 * **When to use**
 *
 * Use instead of {@link add} if the receiver has a method that takes the event.
 *
 * **Details**
 *
 * Reads the key once, when the effect runs, so a method that replaces this one later is
 * not called. Finds inherited methods and accessors, and keeps the function alive as long
 * as the receiver. If the method returns an effect, this effect runs as for {@link add}.
 *
 * Fails with `NotWeakReferenceableError` if the receiver cannot be weakly referenced, or
 * if the property is not a function. If an accessor throws, the effect dies with the
 * thrown value. Costs as much as {@link add}.
 *
 * **Example** (Adding a method)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakListeners } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const names = yield* WeakListeners.make<string>()
 *   const seen = new Set<string>()
 *   yield* WeakListeners.addMethod(names, seen, "add")
 *   yield* WeakListeners.publish(names, "Ada")
 *   return Array.from(seen)
 * })
 *
 * Effect.runSync(program) // => ["Ada"]
 * ```
 *
 * @see {@link add} for a function that takes the receiver as its first argument
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const addMethod: {
  <A extends WeakKey, Event, K extends keyof A>(
    receiver: A & WithMethod<K, NoInfer<Event>>,
    key: K
  ): (self: WeakListeners<Event>) => Effect.Effect<Listener, NotWeakReferenceableError, MethodServices<A[K]>>
  <Event, A extends WeakKey, K extends keyof A>(
    self: WeakListeners<Event>,
    receiver: A & WithMethod<K, NoInfer<Event>>,
    key: K
  ): Effect.Effect<Listener, NotWeakReferenceableError, MethodServices<A[K]>>
} = /*#__PURE__*/ dual(3, <Event, A extends WeakKey, K extends keyof A>(
  self: WeakListeners<Event>,
  receiver: A,
  key: K
): Effect.Effect<Listener, NotWeakReferenceableError, MethodServices<A[K]>> =>
  Effect.contextWith((context: Context.Context<MethodServices<A[K]>>) =>
    attempt(() => Listeners.Hub.of(self).add(receiver, Listeners.methodOf(receiver, key, context)))
  ))

/**
 * Adds a method of the receiver as a listener synchronously.
 *
 * **When to use**
 *
 * Use in synchronous code, for example in the constructor of the receiver.
 * {@link addMethod} is the effectful form.
 *
 * **Details**
 *
 * Does the same as {@link addMethod}, but an effect that the method returns can only use
 * the services of the fiber that publishes. Throws `NotWeakReferenceableError` in the
 * cases in which {@link addMethod} fails with this error. If an accessor throws, rethrows
 * the same value. Costs as much as {@link add}.
 *
 * **Example** (Adding a method in a constructor)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakListeners } from "effect-weakref"
 *
 * const ticks = WeakListeners.makeUnsafe<number>()
 *
 * class Clock {
 *   time = 0
 *   constructor() {
 *     WeakListeners.addMethodUnsafe(ticks, this, "set")
 *   }
 *   set(time: number): void {
 *     this.time = time
 *   }
 * }
 *
 * const clock = new Clock()
 * Effect.runSync(WeakListeners.publish(ticks, 12))
 * clock.time // => 12
 * ```
 *
 * @see {@link addMethod} for the effectful form
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const addMethodUnsafe: {
  <A extends WeakKey, Event, K extends keyof A>(
    receiver: A & WithMethod<K, NoInfer<Event>, WithoutServices>,
    key: K
  ): (self: WeakListeners<Event>) => Listener
  <Event, A extends WeakKey, K extends keyof A>(
    self: WeakListeners<Event>,
    receiver: A & WithMethod<K, NoInfer<Event>, WithoutServices>,
    key: K
  ): Listener
} = /*#__PURE__*/ dual(
  3,
  <Event, A extends WeakKey>(self: WeakListeners<Event>, receiver: A, key: PropertyKey): Listener =>
    Listeners.Hub.of(self).add(receiver, Listeners.methodOf(receiver, key, Context.empty()))
)

/**
 * Removes all listeners of a receiver from the hub, and returns whether there were any.
 *
 * **When to use**
 *
 * Use when the receiver is done, for example when a component unmounts. Use {@link stop}
 * to remove one of its listeners.
 *
 * **Details**
 *
 * A running {@link publish} does not call the removed listeners any more, and nothing of
 * them is left behind. Dereferences nothing, and costs O(1) for each listener of the
 * receiver.
 *
 * **Example** (Removing a receiver)
 *
 * ```ts import.meta.vitest
 * import { pipe } from "effect"
 * import { WeakListeners } from "effect-weakref"
 *
 * const names = WeakListeners.makeUnsafe<string>()
 * const seen = new Set<string>()
 * WeakListeners.addMethodUnsafe(names, seen, "add")
 * WeakListeners.remove(names, seen) // => true
 * pipe(names, WeakListeners.remove(seen)) // => false
 * ```
 *
 * @see {@link stop} to remove one listener
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const remove: {
  (receiver: WeakKey): <Event>(self: WeakListeners<Event>) => boolean
  <Event>(self: WeakListeners<Event>, receiver: WeakKey): boolean
} = /*#__PURE__*/ dual(
  2,
  <Event>(self: WeakListeners<Event>, receiver: WeakKey): boolean => Listeners.Hub.of(self).remove(receiver)
)

/**
 * Removes one listener from its hub or target, and returns whether the listener was still
 * there.
 *
 * **When to use**
 *
 * Use with the handle that {@link add}, {@link listen} and their variants return. Use
 * {@link remove} to remove all listeners that a receiver has in a hub.
 *
 * **Details**
 *
 * A running {@link publish} does not call the listener any more, and nothing of it is
 * left behind. Dereferences the receiver or the target, and throws only if the target
 * throws while it removes the listener. Costs one step for each listener that the
 * receiver has in the hub, or what the target needs.
 *
 * **Example** (Stopping a listener)
 *
 * ```ts import.meta.vitest
 * import { WeakListeners } from "effect-weakref"
 *
 * const names = WeakListeners.makeUnsafe<string>()
 * const seen = new Set<string>()
 * const listener = WeakListeners.addMethodUnsafe(names, seen, "add")
 * WeakListeners.stop(listener) // => true
 * WeakListeners.stop(listener) // => false
 * ```
 *
 * @see {@link remove} to remove all listeners of a receiver
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const stop = (listener: Listener): boolean => Listeners.ListenerImpl.of(listener).stop()

/**
 * Calls the listeners of every live receiver with an event, one after the other, in the
 * order in which they were added.
 *
 * **When to use**
 *
 * Use to send an event to all listeners and to wait until they have handled it.
 *
 * **Details**
 *
 * If a listener returns an effect, the next listener waits until the effect has ended.
 * The effect runs in the publishing fiber with the services of its {@link add}. If a
 * listener throws, or if its effect fails or dies, the failure is reported as unhandled
 * and the next listener is called. Interrupting the publisher interrupts the running
 * effect, and the remaining listeners are not called.
 *
 * A listener that is added during `publish` does not get this event, and a listener that
 * is removed before its turn does not get it either. A receiver that is collected during
 * `publish` is skipped. A listener may publish again: the inner event reaches all
 * listeners before the outer one goes on.
 *
 * Dereferences each receiver just before its call, and does not keep it alive after the
 * call has returned and its effect has ended. Never fails, and costs O(1) for each
 * listener in addition to the calls.
 *
 * **Gotchas**
 *
 * - A receiver that the program has dropped still gets events until it is collected.
 * - A listener whose effect never ends blocks the listeners after it, so fork such an
 *   effect.
 * - A promise that a listener returns is not awaited, so return `Effect.promise(…)`.
 *
 * **Example** (A listener that fails stops nobody)
 *
 * ```ts import.meta.vitest
 * import { Effect, pipe } from "effect"
 * import { WeakListeners } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const names = yield* WeakListeners.make<string>()
 *   const seen = new Set<string>()
 *   yield* WeakListeners.add(names, seen, (_, name) => Effect.fail(`I do not know ${name}`))
 *   yield* WeakListeners.addMethod(names, seen, "add")
 *   yield* pipe(names, WeakListeners.publish("Ada"))
 *   return seen.has("Ada")
 * })
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @see {@link add} to add a listener
 *
 * @category running
 * @stability experimental
 * @since 0.1.0
 */
export const publish: {
  <Event>(event: Event): (self: WeakListeners<Event>) => Effect.Effect<void>
  <Event>(self: WeakListeners<Event>, event: NoInfer<Event>): Effect.Effect<void>
} = /*#__PURE__*/ dual(
  2,
  <Event>(self: WeakListeners<Event>, event: Event): Effect.Effect<void> =>
    Effect.suspend(() => Listeners.Hub.of<Event>(self).publish(event))
)

/**
 * Adds a listener to an `EventTarget` or `EventEmitter` that does not keep its receiver
 * alive, and that is removed from the target after the receiver has been collected.
 *
 * **When to use**
 *
 * Use inside an Effect program, if the target lives longer than the receiver.
 * {@link listenUnsafe} is the synchronous form.
 *
 * **Details**
 *
 * Uses `addEventListener` and `removeEventListener` if the target has both, and otherwise
 * `on` with `off` or `removeListener`. The target calls `f` with the receiver and its own
 * arguments, and each call of `listen` adds one listener, even for the same function.
 *
 * What `f` throws reaches the target, as from any listener. If `f` returns an effect, the
 * effect runs in the background with the services of `listen`, and its failure is
 * reported as unhandled.
 *
 * The listener on the target holds the receiver weakly. The receiver does not keep the
 * target alive, and a target that is dropped leaves nothing behind. Removal is part of
 * the clean-up, some turns after the collection, and is spread over turns.
 *
 * Fails with `NotWeakReferenceableError` if the receiver cannot be weakly referenced.
 * Dies with a `TypeError` if the target has no such methods or if `f` is not a function,
 * and with whatever the target throws. Dereferences nothing, and costs O(1) and what the
 * target needs to add a listener.
 *
 * **Gotchas**
 *
 * - A receiver that the program has dropped still gets events until it is collected.
 * - `f` and what it captures stay alive as long as the receiver. If `f` captures the
 *   target, the receiver keeps the target alive.
 * - If the target has both kinds of methods, as the sockets of `ws`, `f` gets event
 *   objects.
 *
 * **Example** (Listening to a signal)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakListeners } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const controller = new AbortController()
 *   const download = { state: "running" }
 *   yield* WeakListeners.listen(controller.signal, "abort", download, (self) => {
 *     self.state = "aborted"
 *   })
 *   controller.abort()
 *   return download.state
 * })
 *
 * Effect.runSync(program) // => "aborted"
 * ```
 *
 * **Example** (Listening to an emitter)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakListeners } from "effect-weakref"
 * import { EventEmitter } from "node:events"
 *
 * const program = Effect.gen(function*() {
 *   const sensor = new EventEmitter()
 *   const chart = { points: [] as Array<number> }
 *   const listener = yield* WeakListeners.listen(sensor, "point", chart, (self, x: number) => {
 *     self.points.push(x)
 *   })
 *   sensor.emit("point", 1)
 *   WeakListeners.stop(listener)
 *   sensor.emit("point", 2)
 *   return chart.points
 * })
 *
 * Effect.runSync(program) // => [1]
 * ```
 *
 * @see {@link stop} to remove the listener by hand
 * @see {@link https://github.com/whatwg/dom/issues/1396 | whatwg/dom, weak event listeners} for the wish
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const listen: {
  <
    Target extends EventTargetLike | EmitterLike,
    Type extends string | symbol,
    A extends WeakKey,
    Args extends ReadonlyArray<unknown> = EventArgs<Target, Type>,
    R = never
  >(
    target: Target,
    type: Type,
    receiver: A,
    f: (receiver: A, ...args: Args) => Effect.Effect<unknown, unknown, R> | void,
    options?: TargetOptions
  ): Effect.Effect<Listener, NotWeakReferenceableError, R>
  <A extends WeakKey, Args extends ReadonlyArray<unknown>, R = never>(
    type: string | symbol,
    receiver: A,
    f: (receiver: A, ...args: Args) => Effect.Effect<unknown, unknown, R> | void,
    options?: TargetOptions
  ): (target: EventTargetLike | EmitterLike) => Effect.Effect<Listener, NotWeakReferenceableError, R>
} = /*#__PURE__*/ dual(
  // With the target, the function is the fourth argument. A receiver can be a function too.
  (args) => isFunction(args[3]) || !isFunction(args[2]),
  <A extends WeakKey, Args extends ReadonlyArray<unknown>, R>(
    target: EventTargetLike | EmitterLike,
    type: string | symbol,
    receiver: A,
    f: (receiver: A, ...args: Args) => Effect.Effect<unknown, unknown, R> | void,
    options?: TargetOptions
  ): Effect.Effect<Listener, NotWeakReferenceableError, R> =>
    Effect.contextWith((context: Context.Context<R>) =>
      Effect.flatMap(
        Heap,
        (heap) =>
          attempt(() =>
            Listeners.listen(target, type, optionsOf(options), receiver, Listeners.reactionOf(f, context), heap)
          )
      )
    )
)

// Leaves out `once` and `signal`, which a program without types may pass.
const optionsOf = (options: TargetOptions | undefined): TargetOptions | undefined =>
  options === undefined ? undefined : Struct.pick(options, ["capture", "passive"])

/**
 * Adds a listener to an `EventTarget` or `EventEmitter` synchronously. The listener does
 * not keep its receiver alive, and is removed from the target after the receiver has been
 * collected.
 *
 * **When to use**
 *
 * Use in synchronous code, for example in a component. {@link listen} is the effectful
 * form.
 *
 * **Details**
 *
 * Does the same as {@link listen}, but on the host's heap unless you pass another heap in
 * the options. Throws `NotWeakReferenceableError` if the receiver cannot be weakly
 * referenced, and a `TypeError` if the target has no such methods or if `f` is not a
 * function. Costs as much as {@link listen}, and does not dereference either.
 *
 * **Example** (Listening in a constructor)
 *
 * ```ts import.meta.vitest
 * import { WeakListeners } from "effect-weakref"
 *
 * const settings = new EventTarget()
 *
 * class View {
 *   drawn = 0
 *   constructor() {
 *     WeakListeners.listenUnsafe(settings, "change", this, (self) => {
 *       self.drawn++
 *     })
 *   }
 * }
 *
 * const view = new View()
 * settings.dispatchEvent(new Event("change"))
 * view.drawn // => 1
 * ```
 *
 * @see {@link listen} for the effectful form
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const listenUnsafe = <
  Target extends EventTargetLike | EmitterLike,
  Type extends string | symbol,
  A extends WeakKey,
  Args extends ReadonlyArray<unknown> = EventArgs<Target, Type>
>(
  target: Target,
  type: Type,
  receiver: A,
  f: (receiver: A, ...args: Args) => Effect.Effect<unknown, unknown> | void,
  options?: TargetOptions & { readonly heap?: Heap }
): Listener =>
  Listeners.listen(
    target,
    type,
    optionsOf(options),
    receiver,
    Listeners.reactionOf(f, Context.empty()),
    options?.heap ?? host
  )

/**
 * Returns the number of listeners in a hub.
 *
 * **When to use**
 *
 * Use for statistics, or to skip the preparation of an event that nobody receives.
 *
 * **Details**
 *
 * Counts each function of a receiver, and also the listeners of collected receivers that
 * have not been cleaned up yet. Dereferences nothing, and costs O(1).
 *
 * **Example** (Counting listeners)
 *
 * ```ts import.meta.vitest
 * import { WeakListeners } from "effect-weakref"
 *
 * const names = WeakListeners.makeUnsafe<string>()
 * const seen = new Set<string>()
 * WeakListeners.addMethodUnsafe(names, seen, "add")
 * WeakListeners.addMethodUnsafe(names, seen, "delete")
 * WeakListeners.size(names) // => 2
 * ```
 *
 * @see {@link publish} to call the listeners
 *
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const size = <Event>(self: WeakListeners<Event>): number => Listeners.Hub.of(self).size
