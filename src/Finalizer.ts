/**
 * Runs an effect once: when its target is collected, when you run it by hand, or
 * when its Scope closes, whichever comes first.
 *
 * Use a `Finalizer` to clean up after an object that other code owns. It never
 * keeps its target alive. The registration lasts even if nobody holds the
 * finalizer. The Scope makes sure that the effect runs, because the collector may
 * come late or never. Unlike a callback of a `FinalizationRegistry`, the effect
 * runs exactly once, has services and typed errors, and its failures are reported.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type { Fiber } from "effect/Fiber"
import { format } from "effect/Formatter"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import { type Inspectable, NodeInspectSymbol } from "effect/Inspectable"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import * as Scope from "effect/Scope"
import type { Covariant } from "effect/Types"
import { addToScope, inBackground, removeFromScope, reported, withServices } from "./internal/callbacks.ts"
import * as Referent from "./internal/referent.ts"
import type { NotWeakReferenceableError } from "./WeakError.ts"

const TypeId = "~effect-weakref/Finalizer"

/**
 * The handle of a finalizer for a target `A`. Its effect succeeds with a `B` or
 * fails with an `E`.
 *
 * **When to use**
 *
 * Use to run the effect early with {@link run}, or to cancel it with
 * {@link detach}. A program that needs neither can drop the handle.
 *
 * **Example** (Running a finalizer early)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const log: Array<string> = []
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const finalizer = yield* Finalizer.make(target, Effect.sync(() => log.push("released")))
 *   yield* Finalizer.run(finalizer)
 *   log.push("after")
 * })
 *
 * Effect.runSync(Effect.scoped(program))
 * log // => ["released", "after"]
 * ```
 *
 * @see {@link make} for creating a finalizer
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.finalize | Python, weakref.finalize} for the source of the semantics
 *
 * @stability experimental
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
 * Checks whether a value is a `Finalizer` of this copy of the library.
 *
 * **When to use**
 *
 * Use to narrow an unknown value before you pass it to a function of this module.
 *
 * **Details**
 *
 * If a program loads this library twice, the guard of each copy returns `false` for
 * the finalizers of the other, because their functions cannot read each other's
 * finalizers. Never dereferences the target. Cost: O(1).
 *
 * **Example** (Recognizing a finalizer)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const program = Effect.map(Finalizer.make({}, Effect.void), Finalizer.isFinalizer)
 *
 * Effect.runSync(Effect.scoped(program)) // => true
 * Finalizer.isFinalizer({}) // => false
 * ```
 *
 * @see {@link isAlive} for asking whether the effect can still run
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isFinalizer = (u: unknown): u is Finalizer<WeakKey> => u instanceof State

const variance = {
  _A: (_: never) => _,
  _B: (_: never) => _,
  _E: (_: never) => _
}

/**
 * The only implementation. The referent's list of callbacks and the Scope hold
 * it, so that nobody has to hold the handle. It holds its target weakly.
 */
class State<A extends WeakKey, B, E> extends Referent.Callback implements Finalizer<A, B, E>, Equal.Equal {
  declare readonly target: Referent.Referent<A>
  /** The services of `make`, until the finalizer is dead. */
  declare context: Context.Context<Scope.Scope> | undefined
  /** Until the effect starts. */
  declare effect: Effect.Effect<B, E> | undefined
  declare atExit: boolean
  declare status: "alive" | "running" | "dead"
  /** Open once the run has ended, if somebody waits for it. */
  declare ended: Latch.Latch | undefined

  constructor(
    target: Referent.Referent<A>,
    effect: Effect.Effect<B, E>,
    context: Context.Context<Scope.Scope>,
    atExit: boolean
  ) {
    super()
    this.target = target
    this.context = context
    this.effect = effect
    this.atExit = atExit
    this.status = "alive"
    this.ended = undefined
  }

  /** Runs on collection, in a fiber of its own. */
  override start(): Fiber<unknown, unknown> {
    const run = new Run(this, undefined)
    const fiber = inBackground(claim(this), Context.add(this.context!, Runs, run))
    fiber.addObserver(() => run.end())
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

// There is no other implementation of the interface.
const stateOf = <A extends WeakKey, B, E>(self: Finalizer<A, B, E>): State<A, B, E> => self as State<A, B, E>

/** One run of a finalizer, inside of another one if the effect of that one started it. */
class Run {
  declare of: State<WeakKey, unknown, unknown> | undefined
  declare readonly outer: Run | undefined

  constructor(of: State<WeakKey, unknown, unknown>, outer: Run | undefined) {
    this.of = of
    // A run that has ended is left out, so that the list stays short.
    while (outer !== undefined && outer.of === undefined) outer = outer.outer
    this.outer = outer
  }

  end(): void {
    if (this.of !== undefined) die(this.of)
    // Contexts that were captured during the run hold it: let go of the finalizer.
    this.of = undefined
  }
}

/** The innermost run that a fiber is part of. Fibers inherit it, so that a run knows the fibers that its effect started. */
const Runs = /*#__PURE__*/ Context.Reference<Run | undefined>("effect-weakref/Finalizer/Runs", {
  defaultValue: () => undefined
})

/** Whether the fiber is part of the run of this finalizer. */
const isPartOf = (fiber: Fiber<unknown, unknown>, self: State<WeakKey, unknown, unknown>): boolean => {
  for (let run = Context.get(fiber.context, Runs); run !== undefined; run = run.outer) {
    if (run.of === self) return true
  }
  return false
}

/**
 * Creates a finalizer: `effect` runs once, when the target is collected, by
 * {@link run}, or when the Scope closes, whichever comes first, even if they race.
 *
 * **When to use**
 *
 * Use to release what belongs to an object when the object is collected, and at
 * the latest when the Scope closes. Use `WeakRef.onCollect` for a callback that
 * may be lost.
 *
 * **Details**
 *
 * On collection the effect runs in the background with the services of this call.
 * If it fails, the failure is reported as unhandled. The effect takes its turn
 * among the callbacks of the target (see `WeakRef.onCollect`), from the newest to
 * the oldest.
 *
 * When the Scope closes, finalizers that are alive run in reverse order of
 * creation, among the Scope's other finalizers. The Scope waits for them and
 * reports their failures. With `atExit: false` they die without having run. The
 * Scope waits for a run under way, and does not interrupt it. If the Scope is
 * closed already, the effect runs at once.
 *
 * Fails with `NotWeakReferenceableError` if the target cannot be weakly
 * referenced. Then nothing is registered. An interruption leaves a registered
 * finalizer or none. Cost: O(1). Once the finalizer is dead, neither the Scope nor
 * the target remembers it, and it holds neither its effect nor its services.
 *
 * **Gotchas**
 *
 * - An effect that captures the target keeps it alive until the Scope closes.
 *   Capture a part of the target (a handle, a path, a name) instead.
 * - An effect that never ends blocks the older callbacks of the same target, and
 *   the Scope waits for it for ever.
 * - The effect, and every fiber that it starts, may close the finalizer's own
 *   Scope: this close does not wait for the run. No other fiber is recognized. If
 *   the effect waits for a fiber that it did not start, and this fiber closes the
 *   Scope, both wait for ever. This includes `Effect.runPromise` inside the effect,
 *   and so `ManagedRuntime`'s `dispose()`: use its `disposeEffect`.
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
 * @see {@link run} for running the effect early
 * @see {@link detach} for cancelling the effect
 *
 * @stability experimental
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

// This function does not see the target: the registration would hold a target that a closure here captures.
const register = <A extends WeakKey, B, E, R>(
  target: Referent.Referent<A>,
  effect: Effect.Effect<B, E, R>,
  atExit: boolean
): Effect.Effect<Finalizer<A, B, E>, never, R | Scope.Scope> =>
  Effect.contextWith((context: Context.Context<R | Scope.Scope>) => {
    // All in one step: an interruption finds it registered, or not made. The effect never runs without this context.
    const self = new State(target, effect as Effect.Effect<B, E>, context, atExit)
    if (!addToScope(Context.get(context, Scope.Scope), self, closing(self))) {
      return Effect.uninterruptible(Effect.as(close(self), self))
    }
    Referent.listen(target, self)
    return Effect.succeed(self)
  })

// A function of its own: the Scope holds what this closure captures.
const closing = (self: State<WeakKey, unknown, unknown>) => () => close(self)

const claim = <B, E>(self: State<WeakKey, B, E>): Effect.Effect<B, E> => {
  const effect = self.effect!
  self.status = "running"
  self.effect = undefined
  Referent.unlisten(self)
  return effect
}

const die = (self: State<WeakKey, unknown, unknown>): void => {
  removeFromScope(Context.get(self.context!, Scope.Scope), self)
  self.status = "dead"
  self.effect = undefined
  self.context = undefined
  Referent.unlisten(self)
  self.ended?.openUnsafe()
}

/**
 * Claims the only run and performs it in this fiber, or succeeds with `None`.
 *
 * The claim is the last step before the effect, inside of all that surrounds it:
 * a fiber that is interrupted earlier has claimed nothing, and the finalizer is
 * still alive.
 */
const execute = <B, E>(self: State<WeakKey, B, E>): Effect.Effect<Option.Option<B>, E> =>
  Effect.suspend(() => {
    if (self.status !== "alive") return Effect.succeedNone
    const context = self.context!
    let run: Run | undefined
    let spent = 0
    const claiming = Effect.withFiber<B, E>((fiber) => {
      // Another fiber took the run in the meantime: nobody uses the result.
      if (self.status !== "alive") return Effect.undefined as Effect.Effect<never>
      run = Context.get(fiber.context, Runs)
      spent = fiber.currentOpCount
      setOpCount(fiber, -1)
      return claim(self)
    })
    const running = Effect.updateContext(
      claiming,
      (current: Context.Context<never>) =>
        Context.add(withServices(current, context), Runs, new Run(self, Context.get(current, Runs)))
    )
    const ended = Effect.onExit(running, () =>
      Effect.withFiber((fiber) => {
        if (run !== undefined) {
          setOpCount(fiber, fiber.currentOpCount + spent)
          run.end()
        }
        return Effect.void
      }))
    return Effect.map(ended, (result) => run === undefined ? Option.none() : Option.some(result))
  })

/**
 * A fiber that has used up its budget of steps yields between any two of them. An
 * interruption there would come after the claim and before the effect. Postpone
 * the yield until the effect has made its first step.
 */
const setOpCount = (fiber: Fiber<unknown, unknown>, count: number): void => {
  // Effect declares the count as read-only, and its scheduler reads nothing else.
  const counting = fiber as { currentOpCount: number }
  counting.currentOpCount = count
}

const close = (self: State<WeakKey, unknown, unknown>): Effect.Effect<void> =>
  self.status === "dead" ? Effect.void : Effect.andThen(
    Effect.suspend(() => {
      if (self.atExit) return reported(execute(self))
      if (self.status === "alive") die(self)
      return Effect.void
    }),
    // Wait for a run under way. But its effect may be what closes the Scope, and must not wait for itself.
    Effect.withFiber((fiber) =>
      self.status === "running" && !isPartOf(fiber, self)
        ? (self.ended ??= Latch.makeUnsafe()).await
        : Effect.void
    )
  )

/**
 * Runs the effect now, in this fiber, and succeeds with `Some` of its result.
 * Succeeds with `None` if the effect has run, is running, or was detached.
 *
 * **When to use**
 *
 * Use to release early what the finalizer would release later, for example in the
 * `close` method of the target.
 *
 * **Details**
 *
 * The effect has the services of {@link make}. If it fails, `run` fails with the
 * same error, and this was still the only run. If this fiber is interrupted before
 * the effect starts, the finalizer stays alive. If it is interrupted later, this
 * was the only run. A second `run` does not wait for the first. Never
 * dereferences. Cost: O(1) and the effect.
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
 * @see {@link detach} for ending the finalizer without running its effect
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const run = <A extends WeakKey, B, E>(self: Finalizer<A, B, E>): Effect.Effect<Option.Option<B>, E> =>
  execute(stateOf(self))

/**
 * Ends the finalizer without running its effect. Succeeds with the target and the
 * effect, or with `None` if the finalizer is not alive or its target has been
 * collected.
 *
 * **When to use**
 *
 * Use if the target was released in another way, or to move the effect elsewhere.
 *
 * **Details**
 *
 * If the target has been collected, the effect is about to run, and `detach` does
 * not stop it. The returned effect has the services of {@link make}. Dereferences:
 * the target lives until the end of the turn, and as long as the program holds the
 * result. Never fails. Cost: O(1).
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
 * @see {@link peek} for the same result without ending the finalizer
 *
 * @stability experimental
 * @category mutations
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
 * Returns the target and the effect of a finalizer that stays as it is, or `None`
 * if the finalizer is not alive or its target has been collected.
 *
 * **When to use**
 *
 * Use in diagnostics and tests.
 *
 * **Details**
 *
 * The returned effect has the services of {@link make}. To run it is not a run of
 * the finalizer. Dereferences: the target lives until the end of the turn, and as
 * long as the program holds the result. Never fails. Cost: O(1).
 *
 * **Example** (Looking at the target)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = { id: 1 }
 *   const finalizer = yield* Finalizer.make(target, Effect.void)
 *   const content = yield* Finalizer.peek(finalizer)
 *   return [Option.map(content, ({ target }) => target.id), Finalizer.isAlive(finalizer)]
 * })
 *
 * Effect.runSync(Effect.scoped(program)) // => [Option.some(1), true]
 * ```
 *
 * @see {@link detach} for ending the finalizer as well
 *
 * @stability experimental
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
  return effect === undefined || context === undefined || target === undefined
    ? Option.none()
    : Option.some({
      target,
      effect: Effect.updateContext(effect, (current: Context.Context<never>) => withServices(current, context))
    })
}

/**
 * Checks whether the effect has not run, is not running, and was not detached.
 *
 * **When to use**
 *
 * Use to ask whether {@link run} would run the effect.
 *
 * **Details**
 *
 * Never dereferences. The finalizer is still alive if its target has been
 * collected and the effect waits for its turn. Cost: O(1).
 *
 * **Example** (Before and after the run)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const finalizer = yield* Finalizer.make(target, Effect.void)
 *   const before = Finalizer.isAlive(finalizer)
 *   yield* Finalizer.run(finalizer)
 *   return [before, Finalizer.isAlive(finalizer)]
 * })
 *
 * Effect.runSync(Effect.scoped(program)) // => [true, false]
 * ```
 *
 * @see {@link peek} for the target and the effect
 *
 * @stability experimental
 * @category predicates
 * @since 0.1.0
 */
export const isAlive = (self: Finalizer<WeakKey>): boolean => stateOf(self).status === "alive"

/**
 * Checks whether the effect will run when the Scope closes. Returns `false` if the
 * finalizer is not alive.
 *
 * **When to use**
 *
 * Use in diagnostics and tests.
 *
 * **Details**
 *
 * Never dereferences. Cost: O(1).
 *
 * **Example** (Only on collection)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const always = yield* Finalizer.make(target, Effect.void)
 *   const onCollection = yield* Finalizer.make(target, Effect.void, { atExit: false })
 *   return [Finalizer.atExit(always), Finalizer.atExit(onCollection)]
 * })
 *
 * Effect.runSync(Effect.scoped(program)) // => [true, false]
 * ```
 *
 * @see {@link setAtExit} for changing it
 *
 * @stability experimental
 * @category predicates
 * @since 0.1.0
 */
export const atExit = (self: Finalizer<WeakKey>): boolean => isAlive(self) && stateOf(self).atExit

/**
 * Sets whether the effect runs when the Scope closes. If it does not, the
 * finalizer dies then without having run.
 *
 * **When to use**
 *
 * Use if there is nothing left to do at the end of the Scope, for example because
 * the process ends with it.
 *
 * **Details**
 *
 * Has no effect on a finalizer that is not alive. Never dereferences and never
 * fails. Cost: O(1).
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
 * @see {@link atExit} for reading it
 *
 * @stability experimental
 * @category mutations
 * @since 0.1.0
 */
export const setAtExit: {
  (atExit: boolean): (self: Finalizer<WeakKey>) => Effect.Effect<void>
  (self: Finalizer<WeakKey>, atExit: boolean): Effect.Effect<void>
} = dual(2, (self: Finalizer<WeakKey>, atExit: boolean): Effect.Effect<void> =>
  Effect.sync(() => {
    stateOf(self).atExit = atExit
  }))
