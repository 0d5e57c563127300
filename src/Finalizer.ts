/**
 * An effect to run once: when its target has been collected, when it is run by
 * hand, or when its Scope closes, whichever comes first.
 *
 * A `Finalizer` is how one cleans up after an object that somebody else owns: it
 * never keeps its target alive, the registration lasts without anybody holding
 * the finalizer, and the Scope makes up for the collector's freedom to be late
 * or never to come. Compared with a `FinalizationRegistry` it runs exactly once,
 * has services and typed errors, and reports what fails.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import { format } from "effect/Formatter"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import { type Inspectable, NodeInspectSymbol } from "effect/Inspectable"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import * as Scope from "effect/Scope"
import type { Covariant } from "effect/Types"
import * as Referent from "./internal/referent.ts"
import type { NotWeakReferenceableError } from "./WeakError.ts"

const TypeId = "~effect-weakref/Finalizer"

/**
 * The handle of a finalizer for a target `A`, whose effect succeeds with a `B`
 * or fails with an `E`.
 *
 * **When to use**
 *
 * Use to run the effect early with {@link run}, or to give it up with
 * {@link detach}. A program that wants neither can drop the handle.
 *
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.finalize | Python, weakref.finalize} for the source of the semantics
 *
 * @category models
 * @since 0.1.0
 */
export interface Finalizer<out A extends WeakKey, out B = unknown, out E = unknown> extends Pipeable, Inspectable {
  readonly [TypeId]: {
    readonly _A: Covariant<A>
    readonly _B: Covariant<B>
    readonly _E: Covariant<E>
  }
}

/**
 * Checks whether a value is a `Finalizer`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isFinalizer = (u: unknown): u is Finalizer<WeakKey> => hasProperty(u, TypeId)

const variance = {
  _A: (_: never) => _,
  _B: (_: never) => _,
  _E: (_: never) => _
}

/**
 * What is behind every handle. It is held by its referent's list of callbacks
 * and by the Scope, so the state is here and not with whoever has the handle;
 * it holds its target weakly.
 */
class State<A extends WeakKey, B, E> extends Referent.Callback implements Finalizer<A, B, E>, Equal.Equal {
  declare readonly target: Referent.Referent<A>
  declare readonly scope: Scope.Closeable
  /** The services of `make`: all that the effect needs. */
  declare readonly context: Context.Context<Scope.Scope>
  /** Until the effect is done with. */
  declare effect: Effect.Effect<B, E> | undefined
  declare atExit: boolean
  declare status: "alive" | "running" | "dead"
  declare runner: Fiber<unknown, unknown> | undefined
  declare ended: Latch.Latch | undefined

  constructor(
    target: Referent.Referent<A>,
    effect: Effect.Effect<B, E>,
    context: Context.Context<Scope.Scope>,
    atExit: boolean
  ) {
    super()
    this.target = target
    this.scope = Referent.forkScope(context)
    this.context = context
    this.effect = effect
    this.atExit = atExit
    this.status = "alive"
    this.runner = undefined
    this.ended = undefined
  }

  /** On collection, in a fiber of its own. */
  override start(): Fiber<unknown, unknown> {
    const effect = claim(this)
    const fiber = Referent.inBackground(
      Effect.withFiber((fiber) => {
        this.runner = fiber
        return effect
      }),
      this.context
    )
    fiber.addObserver(() => die(this))
    return fiber
  }

  get [TypeId]() {
    return variance
  }

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }

  toJSON(): unknown {
    return { _id: "Finalizer", status: this.status, atExit: atExit(this) }
  }

  override toString(): string {
    return format(this.toJSON())
  }

  [NodeInspectSymbol](): unknown {
    return this.toJSON()
  }

  pipe() {
    return pipeArguments(this, arguments)
  }
}

/** There is no other implementation of the interface. */
const stateOf = <A extends WeakKey, B, E>(self: Finalizer<A, B, E>): State<A, B, E> => self as State<A, B, E>

/**
 * Creates a finalizer: `effect` runs once, when the target has been collected, by
 * {@link run}, or when the Scope closes, whichever comes first, also when they
 * race.
 *
 * **Details**
 *
 * On collection the effect runs in the background with the services of this
 * call; a failure is reported as unhandled. It takes its turn among the
 * callbacks of the target (`WeakRef.onCollect`), from the newest to the oldest.
 * When the Scope closes, finalizers that are alive run in reverse order of
 * creation, among the Scope's other finalizers, and are awaited; failures are
 * reported. With `atExit: false` they die unrun instead. A run already under way
 * is awaited, not interrupted. Made in a Scope that is closed, it runs at once.
 *
 * Fails with `NotWeakReferenceableError` where the target cannot be a referent.
 * Cost: O(1); once it is over, neither the Scope nor the target remembers it.
 *
 * **Gotchas**
 *
 * An effect that captures the target keeps it alive until the Scope closes: give
 * it what it needs (a handle, a path, a name) instead of the target.
 *
 * **Example** (Closing a handle with its owner, or with the Scope)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const closed: Array<number> = []
 *
 * const open = Effect.fnUntraced(function*(descriptor: number) {
 *   const file = { descriptor }
 *   yield* Finalizer.make(file, Effect.sync(() => closed.push(descriptor)))
 *   return file
 * })
 *
 * const program = Effect.gen(function*() {
 *   yield* open(3)
 *   yield* open(4)
 * })
 *
 * Effect.runSync(Effect.scoped(program))
 * closed // => [4, 3]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A extends WeakKey, B, E, R>(
  target: A,
  effect: Effect.Effect<B, E, R>,
  options?: { readonly atExit?: boolean | undefined }
): Effect.Effect<Finalizer<A, B, E>, NotWeakReferenceableError, R | Scope.Scope> =>
  Effect.flatMap(
    Referent.make(target, Referent.of<A>),
    (referent) => register(referent, effect, options?.atExit ?? true)
  )

// The target is not in sight here: what a closure sees, the registration would keep alive.
const register = <A extends WeakKey, B, E, R>(
  target: Referent.Referent<A>,
  effect: Effect.Effect<B, E, R>,
  atExit: boolean
): Effect.Effect<Finalizer<A, B, E>, never, R | Scope.Scope> =>
  Effect.uninterruptible(Effect.contextWith((context: Context.Context<R | Scope.Scope>) => {
    // The effect runs nowhere without this context.
    const self = new State(target, effect as Effect.Effect<B, E>, context, atExit)
    return Effect.map(Scope.addFinalizerExit(self.scope, () => close(self)), () => {
      if (self.status === "alive") Referent.listen(target, self)
      return self
    })
  }))

const claim = <B, E>(self: State<WeakKey, B, E>): Effect.Effect<B, E> => {
  const effect = self.effect!
  self.status = "running"
  self.effect = undefined
  Referent.unlisten(self)
  return effect
}

const die = (self: State<WeakKey, unknown, unknown>): void => {
  self.status = "dead"
  self.runner = undefined
  self.effect = undefined
  Referent.unlisten(self)
  Scope.closeUnsafe(self.scope, Exit.void)
  self.ended?.openUnsafe()
}

/**
 * Claims the only run and performs it in this fiber, or gives `None`. The claim
 * and what ends it are one step: no two fibers get the run, and an interruption
 * cannot come between them.
 */
const execute = <B, E>(self: State<WeakKey, B, E>): Effect.Effect<Option.Option<B>, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiber((fiber) => {
      if (self.status !== "alive") return Effect.succeedNone
      self.runner = fiber
      const effect = restore(Effect.provideContext(claim(self), self.context))
      return Effect.asSome(Effect.onExit(effect, () => Effect.sync(() => die(self))))
    })
  )

const close = (self: State<WeakKey, unknown, unknown>): Effect.Effect<void> =>
  self.status === "dead" ? Effect.void : Effect.andThen(
    Effect.suspend(() => {
      if (self.atExit) return Effect.ignoreCause(execute(self), { log: "Unhandled" })
      if (self.status === "alive") die(self)
      return Effect.void
    }),
    // A run under way is awaited, but not by itself: its effect may be what closes the Scope.
    Effect.withFiber((fiber) =>
      self.status === "running" && self.runner !== fiber
        ? (self.ended ??= Latch.makeUnsafe()).await
        : Effect.void
    )
  )

/**
 * Runs the effect now, in this fiber, and gives its result; `None` ever after,
 * and where it has run, is running or was detached already.
 *
 * **Details**
 *
 * The effect has the services of {@link make}. Its failure is this effect's
 * failure; it counts as the only run all the same.
 *
 * **Example** (Running early)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const finalizer = yield* Finalizer.make(target, Effect.succeed("released"))
 *   return [yield* Finalizer.run(finalizer), yield* Finalizer.run(finalizer)]
 * })
 *
 * Effect.runSync(Effect.scoped(program)) // => [Option.some("released"), Option.none()]
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const run = <A extends WeakKey, B, E>(self: Finalizer<A, B, E>): Effect.Effect<Option.Option<B>, E> =>
  execute(stateOf(self))

/**
 * Gives the finalizer up: it is dead without having run. Gives its target and its
 * effect, or `None` where it was not alive, or the target has been collected and
 * the effect is about to run.
 *
 * **Details**
 *
 * Dereferences: the target is kept to the end of the turn, and then by whoever
 * uses the result.
 *
 * **Example** (Detaching)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = { id: 1 }
 *   const finalizer = yield* Finalizer.make(target, Effect.die("never run"))
 *   const detached = yield* Finalizer.detach(finalizer)
 *   return [Option.map(detached, ({ target }) => target.id), Finalizer.isAlive(finalizer)]
 * })
 *
 * Effect.runSync(Effect.scoped(program)) // => [Option.some(1), false]
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const detach = <A extends WeakKey, B, E>(
  self: Finalizer<A, B, E>
): Effect.Effect<Option.Option<{ readonly target: A; readonly effect: Effect.Effect<B, E> }>> =>
  Effect.sync(() => {
    const content = contentOf(self)
    if (Option.isSome(content)) die(stateOf(self))
    return content
  })

/**
 * The target and the effect, as {@link detach} gives them, leaving the finalizer
 * as it is. Dereferences.
 *
 * @category getters
 * @since 0.1.0
 */
export const peek = <A extends WeakKey, B, E>(
  self: Finalizer<A, B, E>
): Effect.Effect<Option.Option<{ readonly target: A; readonly effect: Effect.Effect<B, E> }>> =>
  Effect.sync(() => contentOf(self))

const contentOf = <A extends WeakKey, B, E>(
  self: Finalizer<A, B, E>
): Option.Option<{ readonly target: A; readonly effect: Effect.Effect<B, E> }> => {
  const { context, effect, target: referent } = stateOf(self)
  const target = referent.deref()
  return effect === undefined || target === undefined
    ? Option.none()
    : Option.some({ target, effect: Effect.provideContext(effect, context) })
}

/**
 * Whether the effect has neither run, nor is running, nor was given up. It does
 * not dereference: where the target has been collected and the effect waits for
 * its turn, the finalizer is still alive.
 *
 * @category getters
 * @since 0.1.0
 */
export const isAlive = (self: Finalizer<WeakKey>): boolean => stateOf(self).status === "alive"

/**
 * Whether the closing of the Scope will run the effect; `false` where the
 * finalizer is not alive.
 *
 * @category getters
 * @since 0.1.0
 */
export const atExit = (self: Finalizer<WeakKey>): boolean => isAlive(self) && stateOf(self).atExit

/**
 * Decides whether the closing of the Scope runs the effect or lets it die unrun.
 *
 * **Example** (Nothing left to do at the end)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const finalizer = yield* Finalizer.make(target, Effect.die("never run"))
 *   yield* Finalizer.setAtExit(finalizer, false)
 *   return Finalizer.atExit(finalizer)
 * })
 *
 * Effect.runSync(Effect.scoped(program)) // => false
 * ```
 *
 * @category operations
 * @since 0.1.0
 */
export const setAtExit: {
  (atExit: boolean): (self: Finalizer<WeakKey>) => Effect.Effect<void>
  (self: Finalizer<WeakKey>, atExit: boolean): Effect.Effect<void>
} = dual(2, (self: Finalizer<WeakKey>, atExit: boolean): Effect.Effect<void> =>
  Effect.sync(() => {
    stateOf(self).atExit = atExit
  }))
