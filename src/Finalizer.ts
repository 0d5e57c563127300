/**
 * Runs an effect once: after its target has been collected, when you call {@link run}, or
 * when its Scope closes, whichever comes first.
 *
 * Use a `Finalizer` to clean up after an object that other code owns. The finalizer never
 * keeps its target alive, and stays registered even if nobody holds it. Because the
 * collector may run late or never, the effect also runs when the Scope closes, but never
 * twice. Unlike a callback of a `FinalizationRegistry`, the effect has services and typed
 * errors, and the library reports its failures.
 *
 * Two rules decide whether a finalizer runs too late or too early:
 *
 * - **What the effect captures stays alive.** Functions that are created in the same call
 *   share the variables of that call, and functions nested inside them share these
 *   variables too. If one of them uses the target, all of them keep it alive, even one
 *   that names only a part of it. So use {@link makeWith} with a function at the top
 *   level of a module.
 * - **An object is reachable until its last use, not until the end of the block.** While
 *   `file.read()` runs, nothing may refer to `file` any more, so its finalizer may run.
 *   Use `WeakRef.holdWhile` around an effect that needs what the finalizer releases.
 *
 * After a collection, a clean-up of the engine starts the finalizers, at most 2,048 in
 * each turn of the event loop, or a 32nd of those that wait if this is more. Some hosts,
 * such as workerd, run clean-ups outside of a request, where timers and I/O are
 * forbidden, so that an effect that sleeps, fetches or writes fails with the error of the
 * host.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type { Fiber } from "effect/Fiber"
import { dual } from "effect/Function"
import * as Hash from "effect/Hash"
import type { Inspectable } from "effect/Inspectable"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import type { Pipeable } from "effect/Pipeable"
import * as Scope from "effect/Scope"
import type { Covariant } from "effect/Types"
import { Heap, isWeakReferenceable } from "./Heap.ts"
import { inTurns, reported, withServices } from "./internal/callbacks.ts"
import { addToScope, isClosed, removeFromScope, setOpCount } from "./internal/effectInternals.ts"
import { guard } from "./internal/guard.ts"
import { host } from "./internal/host.ts"
import * as Referent from "./internal/referent.ts"
import { refuse } from "./internal/refuse.ts"
import * as Ring from "./internal/ring.ts"
import { NotWeakReferenceableError } from "./WeakError.ts"

const TypeId = "~effect-weakref/Finalizer"

/**
 * Represents a finalizer of a target `A`, whose effect succeeds with a `B` or fails with
 * an `E`.
 *
 * **When to use**
 *
 * Use to run the effect early with {@link run}, or to cancel it with {@link cancel} or
 * {@link detach}. A program that needs none of them does not have to hold the finalizer.
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
 * @category models
 * @stability stable
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
 * Checks whether a value is a `Finalizer` that this copy of the library created.
 *
 * **When to use**
 *
 * Use to narrow an unknown value before you pass it to a function of this module.
 *
 * **Details**
 *
 * If a program loads this library twice, the guard of each copy returns `false` for
 * finalizers that the other copy created, and the functions of one copy refuse finalizers
 * of the other with a `TypeError` that says so. Costs O(1), and never dereferences the
 * target.
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
 * @see {@link isAlive} for checking whether the effect can still run
 *
 * @category guards
 * @stability stable
 * @since 0.1.0
 */
export const isFinalizer = (u: unknown): u is Finalizer<WeakKey> => guard(() => u instanceof FinalizerImpl)

const variance = {
  _A: (_: never) => _,
  _B: (_: never) => _,
  _E: (_: never) => _
}

/**
 * The only implementation of `Finalizer`, which holds its target weakly. The referent's
 * list of callbacks and the Scope hold the finalizer, so that the program does not have
 * to hold it.
 */
class FinalizerImpl<A extends WeakKey, B, E> extends Referent.Callback implements Finalizer<A, B, E>, Equal.Equal {
  declare readonly target: Referent.ReferentRecord<A>
  /** The services of `make`, until the finalizer is dead. */
  declare context: Context.Context<never> | undefined
  /** The effect, until it starts. */
  declare effect: Effect.Effect<B, E> | undefined
  /** The Scope that holds the finalizer, until the finalizer is dead. */
  declare scope: Scope.Scope | undefined
  declare atExit: boolean
  declare status: "alive" | "running" | "dead"
  /** Opens when the run ends. Exists only if a closing Scope waits for the run. */
  declare ended: Latch.Latch | undefined

  constructor(
    target: Referent.ReferentRecord<A>,
    effect: Effect.Effect<B, E>,
    context: Context.Context<never>,
    scope: Scope.Scope | undefined,
    atExit: boolean
  ) {
    super()
    this.target = target
    this.context = context
    this.effect = effect
    this.scope = scope
    this.atExit = atExit
    this.status = "alive"
    this.ended = undefined
  }

  /** Registers the finalizer completely. Returns `false` if the Scope is closed. Throws if the host has no registry. */
  register(): boolean {
    const { scope } = this
    if (scope !== undefined && isClosed(scope)) return false
    // One step, so that an interruption leaves a registered finalizer or none.
    const isAlive = Referent.watch(this.target)
    // A bound function takes half the bytes of a closure and its variables.
    if (scope !== undefined) addToScope(scope, this, close.bind(undefined, this))
    if (isAlive) Ring.insert(this.target, this)
    else this.start()
    return true
  }

  /** Starts the effect after a collection, in its own fiber. */
  override start(): Fiber<unknown, unknown> {
    const run = new Run(this, undefined)
    const fiber = Effect.runForkWith(Context.add(inTurns(this.context!), Runs, run))(reported(claim(this)))
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

  override toJSON(): unknown {
    return { _id: "Finalizer", status: this.status, atExit: atExit(this) }
  }
}

const implOf = <A extends WeakKey, B, E>(self: Finalizer<A, B, E>): FinalizerImpl<A, B, E> =>
  // The cast is safe: `FinalizerImpl` is the only implementation of the interface in this copy of the package.
  self instanceof FinalizerImpl ? self as FinalizerImpl<A, B, E> : refuse(self, TypeId)

/** One run of a finalizer. `outer` is the run whose effect started this run. */
class Run {
  declare of: FinalizerImpl<WeakKey, unknown, unknown> | undefined
  declare readonly outer: Run | undefined

  constructor(of: FinalizerImpl<WeakKey, unknown, unknown>, outer: Run | undefined) {
    this.of = of
    // Skip outer runs that have ended, so that the linked list of runs stays short.
    while (outer !== undefined && outer.of === undefined) outer = outer.outer
    this.outer = outer
  }

  end(): void {
    die(this.of!)
    // Release the finalizer, because contexts that were captured during the run hold this object.
    this.of = undefined
  }
}

/** The innermost run that a fiber is part of. A fiber inherits the run of the fiber that started it. */
const Runs = /*#__PURE__*/ Context.Reference<Run | undefined>("effect-weakref/Finalizer/Runs", {
  defaultValue: () => undefined
})

/** Checks whether the fiber is part of a run of this finalizer. */
const isPartOf = (fiber: Fiber<unknown, unknown>, self: FinalizerImpl<WeakKey, unknown, unknown>): boolean => {
  for (let run = Context.get(fiber.context, Runs); run !== undefined; run = run.outer) {
    if (run.of === self) return true
  }
  return false
}

/**
 * Creates a finalizer whose effect is a function of a value that the finalizer holds. The
 * effect of `f(held)` runs once, when that of {@link make} would run.
 *
 * **When to use**
 *
 * Use in preference to {@link make}, with a function `f` at the top level of a module.
 * Such a function captures nothing, so the finalizer holds `held` and no other value of
 * your program, and cannot keep the target alive by mistake, as with Python's
 * `finalize(object, function, *arguments)`.
 *
 * **Details**
 *
 * The finalizer holds `held` and `f` until it ends, and calls `f` when the effect starts,
 * which dies if `f` throws. Dies with a `TypeError` if `held` is the target itself,
 * because the target would never be collected. Costs O(1), and all else is as for
 * {@link make}.
 *
 * **Gotchas**
 *
 * If `held` refers to the target, even indirectly, the target stays alive until the Scope
 * closes. Hold a part of the target, such as a handle, a path or a name.
 *
 * **Example** (Closing a port with the card that it belongs to)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * interface Port {
 *   isOpen: boolean
 * }
 *
 * const close = (port: Port) => Effect.sync(() => port.isOpen = false)
 *
 * const program = Effect.gen(function*() {
 *   const port: Port = { isOpen: true }
 *   const card = { title: "Weather", port }
 *   yield* Finalizer.makeWith(card, port, close)
 *   yield* TestHeap.collectAndFinalize(card)
 *   return port.isOpen
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program) // => false
 * ```
 *
 * @see {@link make} for an effect that captures what it needs
 * @see {@link https://docs.python.org/3/library/weakref.html#weakref.finalize | Python, weakref.finalize} for the source of the semantics
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const makeWith = <A extends WeakKey, H, B, E, R>(
  target: A,
  held: H,
  f: (held: H) => Effect.Effect<B, E, R>,
  options?: { readonly atExit?: boolean | undefined }
): Effect.Effect<Finalizer<A, B, E>, NotWeakReferenceableError, R | Scope.Scope> =>
  Effect.suspend(() => {
    if (Object.is(held, target)) {
      throw new TypeError("Finalizer.makeWith holds its second argument, so it must not be the target")
    }
    return make(target, applied(held, f), options)
  })

// A separate function, because the finalizer holds every value that this closure captures.
const applied = <H, B, E, R>(held: H, f: (held: H) => Effect.Effect<B, E, R>): Effect.Effect<B, E, R> =>
  Effect.suspend(() => f(held))

/**
 * Creates a finalizer, whose effect runs once: after the target has been collected, when
 * you call {@link run}, or when the Scope closes.
 *
 * **When to use**
 *
 * Use to release a resource after the object that owns it has been collected, or when the
 * Scope closes, if the effect was built where the target is not visible, and
 * {@link makeWith} otherwise. Use `WeakRef.onCollect` for a callback that does not have
 * to run when the Scope closes.
 *
 * **Details**
 *
 * The effect never runs twice, even if a collection, `run` and the closing Scope race.
 * The Scope must outlive the target, or the effect runs while the target is in use. In a
 * request, use `Scope.provide` with a Scope of a Layer.
 *
 * After a collection, the effect runs in the background with the services of this call,
 * in sequence with the other callbacks of the target, the newest first (see
 * `WeakRef.onCollect`). A failure is reported as unhandled.
 *
 * When the Scope closes, it runs live finalizers and its other finalizers in reverse
 * order of creation, and waits for each effect. A failure is reported as unhandled, and
 * does not fail the close. A finalizer with `atExit: false` ends without running its
 * effect. The Scope waits for a run that has started, and does not interrupt it. If the
 * Scope is closed already, `make` ends the finalizer at once, and first runs the effect,
 * unless `atExit` is `false`.
 *
 * Fails with `NotWeakReferenceableError` if the target cannot be weakly referenced, and
 * registers nothing. If this effect is interrupted, the finalizer is either registered
 * completely or not at all. Costs O(1), and one registration with the engine for the
 * first callback of a target.
 *
 * A finalizer ends after its run, when you detach it, or when its Scope closes. Then the
 * Scope and the target no longer hold the finalizer. The finalizer no longer holds its
 * effect and its services.
 *
 * **Gotchas**
 *
 * - An effect that captures the target keeps the target alive until the Scope closes. So
 *   does an effect that names only a part of the target, if it is written in a function
 *   in which any other function uses the target. Use {@link makeWith} to avoid this.
 * - An effect that never ends blocks the older callbacks of the same target, and the
 *   closing Scope waits for ever.
 * - The effect and the fibers that it starts may close the finalizer's own Scope, and
 *   such a close does not wait for the run. A close in any other fiber waits for the run,
 *   and if the effect in turn waits for that fiber, both wait for ever. For example,
 *   `Effect.runPromise` inside the effect starts an unrelated fiber, and so does
 *   `dispose()` of a `ManagedRuntime`, instead of which you can use `disposeEffect`.
 *
 * **Example** (Closing a handle with its owner or with the Scope)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const closed: Array<number> = []
 *
 * // Built here, where no file is visible.
 * const close = (descriptor: number) => Effect.sync(() => closed.push(descriptor))
 *
 * const open = Effect.fnUntraced(function*(descriptor: number) {
 *   const file = { descriptor }
 *   yield* Finalizer.make(file, close(descriptor))
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
 * @see {@link makeWith} for a function of a value that the finalizer holds
 * @see {@link run} for running the effect early
 * @see {@link detach} for cancelling the effect
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const make = <A extends WeakKey, B, E, R>(
  target: A,
  effect: Effect.Effect<B, E, R>,
  options?: { readonly atExit?: boolean | undefined }
): Effect.Effect<Finalizer<A, B, E>, NotWeakReferenceableError, R | Scope.Scope> =>
  Effect.contextWith((context: Context.Context<R | Scope.Scope>) =>
    isWeakReferenceable(target)
      ? made(Referent.of(target, Context.get(context, Heap)), effect, context, options?.atExit ?? true)
      : Effect.fail(new NotWeakReferenceableError({ value: target }))
  )

// This function receives the record of the target. It never receives the target itself, because the registration holds
// every value that a closure here captures.
const made = <A extends WeakKey, B, E, R>(
  target: Referent.ReferentRecord<A>,
  effect: Effect.Effect<B, E, R>,
  context: Context.Context<R | Scope.Scope>,
  atExit: boolean
): Effect.Effect<Finalizer<A, B, E>> => {
  // The casts are safe, because the effect always runs with this context.
  const self = new FinalizerImpl(
    target,
    effect as Effect.Effect<B, E>,
    context as Context.Context<never>,
    Context.get(context, Scope.Scope),
    atExit
  )
  return self.register() ? Effect.succeed(self) : Effect.uninterruptible(Effect.as(close(self), self))
}

/**
 * Creates a finalizer synchronously, on the host's heap unless you pass another heap.
 *
 * **When to use**
 *
 * Use in synchronous code, for example in a constructor. Use {@link makeWith} or
 * {@link make} inside an Effect program, so that the Scope and the heap come from the
 * program, and so that the effect can have services.
 *
 * **Details**
 *
 * Without a `scope`, the effect runs only after a collection or by {@link run}, and
 * {@link atExit} is `false`. If the Scope is closed already, ends the finalizer, and
 * first starts the effect in the background, unless `atExit` is `false`. The effect has
 * no services, and a failure in the background is reported as unhandled.
 *
 * Throws `NotWeakReferenceableError` if the target cannot be weakly referenced, and
 * registers nothing. Costs O(1), and one registration with the engine for the first
 * callback of a target.
 *
 * **Gotchas**
 *
 * An effect that is written inside the constructor captures `this` if any function there
 * uses `this`, and then the object is never collected. Build the effect in a function at
 * the top level of the module, as in the example.
 *
 * **Example** (Registering in a constructor)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 *
 * const closed: Array<number> = []
 *
 * const close = (descriptor: number) => Effect.sync(() => closed.push(descriptor))
 *
 * class File {
 *   readonly finalizer: Finalizer.Finalizer<this>
 *
 *   constructor(descriptor: number) {
 *     this.finalizer = Finalizer.makeUnsafe(this, close(descriptor))
 *   }
 * }
 *
 * Effect.runSync(Finalizer.run(new File(3).finalizer))
 * closed // => [3]
 * ```
 *
 * @see {@link makeWith} for the effectful form
 *
 * @category constructors
 * @stability stable
 * @since 0.1.0
 */
export const makeUnsafe = <A extends WeakKey, B, E>(
  target: A,
  effect: Effect.Effect<B, E>,
  options?: {
    readonly scope?: Scope.Scope | undefined
    readonly heap?: Heap | undefined
    readonly atExit?: boolean | undefined
  }
): Finalizer<A, B, E> => {
  const record = Referent.of(target, options?.heap ?? host)
  const self = new FinalizerImpl(record, effect, Context.empty(), options?.scope, options?.atExit ?? true)
  if (!self.register()) {
    if (self.atExit) self.start()
    else die(self)
  }
  return self
}

const claim = <B, E>(self: FinalizerImpl<WeakKey, B, E>): Effect.Effect<B, E> => {
  const effect = self.effect!
  self.status = "running"
  self.effect = undefined
  Ring.remove(self)
  return effect
}

const die = (self: FinalizerImpl<WeakKey, unknown, unknown>): void => {
  if (self.scope !== undefined) removeFromScope(self.scope, self)
  self.status = "dead"
  self.effect = undefined
  self.context = undefined
  self.scope = undefined
  Ring.remove(self)
  self.ended?.openUnsafe()
}

/**
 * Claims the only run and performs it in this fiber, or succeeds with `None`.
 *
 * The claim is the last step before the effect. If the fiber is interrupted before this
 * step, the finalizer stays alive.
 */
const execute = <B, E>(self: FinalizerImpl<WeakKey, B, E>): Effect.Effect<Option.Option<B>, E> =>
  Effect.suspend(() => {
    if (self.status !== "alive") return Effect.succeedNone
    const context = self.context!
    let run: Run | undefined
    let spent = 0
    const claiming = Effect.withFiber<B, E>((fiber) => {
      // Another fiber has claimed the run in the meantime. The result of this step is not used.
      if (self.status !== "alive") return Effect.undefined as Effect.Effect<never>
      run = Context.get(fiber.context, Runs)
      spent = fiber.currentOpCount
      // If the fiber yielded after the claim and before the effect, an interruption could skip the effect.
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

const close = (self: FinalizerImpl<WeakKey, unknown, unknown>): Effect.Effect<void> =>
  Effect.andThen(
    Effect.suspend(() => {
      if (self.atExit) return reported(execute(self))
      if (self.status === "alive") die(self)
      return Effect.void
    }),
    // Wait for a run that has started, unless its own effect closes the Scope. An effect must not wait for itself.
    Effect.withFiber((fiber) =>
      self.status === "running" && !isPartOf(fiber, self)
        ? (self.ended = Latch.makeUnsafe()).await
        : Effect.void
    )
  )

/**
 * Runs the effect now, in this fiber, and succeeds with `Some` of its result, or with
 * `None` if the finalizer is not alive.
 *
 * **When to use**
 *
 * Use to release a resource early, for example in the `close` method of the target.
 *
 * **Details**
 *
 * The effect has the services of {@link make}. If the effect fails, `run` fails with the
 * same error, and the effect never runs again. If this fiber is interrupted before the
 * effect starts, the finalizer stays alive, and otherwise the effect never runs again. A
 * second `run` does not wait for the first one. Costs O(1) and what the effect costs, and
 * never dereferences.
 *
 * **Example** (Running the effect early)
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
 * @category combinators
 * @stability stable
 * @since 0.1.0
 */
export const run = <A extends WeakKey, B, E>(self: Finalizer<A, B, E>): Effect.Effect<Option.Option<B>, E> =>
  execute(implOf(self))

/**
 * Ends the finalizer without running its effect, and succeeds with `Some` of the target
 * and the effect, or with `None` if the finalizer is not alive or its target has been
 * collected.
 *
 * **When to use**
 *
 * Use if the target was released in another way, or if other code will run the effect.
 *
 * **Details**
 *
 * If the target has been collected, `detach` does not end the finalizer, because there is
 * no target to return, so use {@link cancel} in that case. The returned effect has the
 * services of {@link make}. Dereferences, so the target stays alive until the end of the
 * turn, and for as long as the program holds the result. Costs O(1), and never fails.
 *
 * **Example** (Detaching a finalizer)
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
 * @see {@link cancel} for ending the finalizer even between the collection and the run
 * @see {@link peek} for the same result without ending the finalizer
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const detach = <A extends WeakKey, B, E>(
  self: Finalizer<A, B, E>
): Effect.Effect<Option.Option<{ readonly target: A; readonly effect: Effect.Effect<B, E> }>> =>
  Effect.sync(() => {
    const content = contentOf(self)
    if (Option.isSome(content)) die(implOf(self))
    return content
  })

/**
 * Ends the finalizer without running its effect, even if its target has been collected,
 * and succeeds with `true` if this call has prevented the effect from running.
 *
 * **When to use**
 *
 * Use if the target was released in another way. Use {@link detach} if you need the
 * target or the effect.
 *
 * **Details**
 *
 * Succeeds with `false` if the finalizer is not alive, that is, if its effect has
 * started, or if it was cancelled, detached or ended before. Unlike {@link detach}, also
 * works between the collection of the target and the run of the effect. Does not
 * interrupt an effect that has started. Costs O(1), and never dereferences and never
 * fails.
 *
 * **Example** (Cancelling after a collection)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const finalizer = yield* Finalizer.make(target, Effect.die("never run"))
 *   yield* TestHeap.collect(target)
 *   const first = yield* Finalizer.cancel(finalizer)
 *   yield* TestHeap.finalize
 *   return [first, yield* Finalizer.cancel(finalizer)]
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program) // => [true, false]
 * ```
 *
 * @see {@link detach} for the target and the effect
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const cancel = (self: Finalizer<WeakKey>): Effect.Effect<boolean> =>
  Effect.sync(() => {
    const impl = implOf(self)
    if (impl.status !== "alive") return false
    die(impl)
    return true
  })

/**
 * Returns `Some` of the target and the effect, or `None` if the finalizer is not alive or
 * its target has been collected, and changes nothing.
 *
 * **When to use**
 *
 * Use in diagnostics and tests, for example to name the target of a finalizer that is
 * still alive.
 *
 * **Details**
 *
 * The returned effect has the services of {@link make}, and running it leaves the
 * finalizer alive. Dereferences, so the target stays alive until the end of the turn, and
 * for as long as the program holds the result. Costs O(1), and never fails.
 *
 * **Example** (Reading the target)
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
 * @see {@link detach} for the same result and ending the finalizer
 *
 * @category getters
 * @stability stable
 * @since 0.1.0
 */
export const peek = <A extends WeakKey, B, E>(
  self: Finalizer<A, B, E>
): Effect.Effect<Option.Option<{ readonly target: A; readonly effect: Effect.Effect<B, E> }>> =>
  Effect.sync(() => contentOf(self))

const contentOf = <A extends WeakKey, B, E>(
  self: Finalizer<A, B, E>
): Option.Option<{ readonly target: A; readonly effect: Effect.Effect<B, E> }> => {
  const { context, effect, target: referent } = implOf(self)
  const target = referent.deref()
  return effect === undefined || context === undefined || target === undefined
    ? Option.none()
    : Option.some({
      target,
      effect: Effect.updateContext(effect, (current: Context.Context<never>) => withServices(current, context))
    })
}

/**
 * Checks whether the effect can still run, that is, whether it has not started, was not
 * detached or cancelled, and has not ended with its Scope.
 *
 * **When to use**
 *
 * Use to check whether {@link run} would run the effect.
 *
 * **Details**
 *
 * Returns `true` if the target has been collected but the effect has not started. Costs
 * O(1), and never dereferences the target.
 *
 * **Example** (Checking before and after a run)
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
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const isAlive = (self: Finalizer<WeakKey>): boolean => implOf(self).status === "alive"

/**
 * Checks whether the effect will run when the Scope closes. Returns `false` if the
 * finalizer is not alive, or if {@link makeUnsafe} created it without a Scope.
 *
 * **When to use**
 *
 * Use in diagnostics and tests, for example to name the target of a finalizer that is
 * still alive.
 *
 * **Details**
 *
 * Costs O(1), and never dereferences the target.
 *
 * **Example** (Creating a finalizer that runs on collection only)
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
 * @see {@link setAtExit} for changing whether the effect runs
 *
 * @category predicates
 * @stability stable
 * @since 0.1.0
 */
export const atExit = (self: Finalizer<WeakKey>): boolean => {
  const { atExit, scope, status } = implOf(self)
  return status === "alive" && scope !== undefined && atExit
}

/**
 * Sets whether the effect runs when the Scope closes. If you pass `false`, the closing
 * Scope ends the finalizer without running its effect.
 *
 * **When to use**
 *
 * Use if the effect is not necessary when the Scope closes, for example because the
 * process ends at the same time.
 *
 * **Details**
 *
 * Does nothing if the finalizer is not alive. Costs O(1), never dereferences the target,
 * and never fails.
 *
 * **Example** (Skipping the effect when the Scope closes)
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
 * @see {@link atExit} for checking whether the effect runs
 *
 * @category mutations
 * @stability stable
 * @since 0.1.0
 */
export const setAtExit: {
  (atExit: boolean): (self: Finalizer<WeakKey>) => Effect.Effect<void>
  (self: Finalizer<WeakKey>, atExit: boolean): Effect.Effect<void>
} = dual(2, (self: Finalizer<WeakKey>, atExit: boolean): Effect.Effect<void> =>
  Effect.sync(() => {
    implOf(self).atExit = atExit
  }))
