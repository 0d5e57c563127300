/** Runs callbacks of a collection as effects. Registers them in a Scope, starts their fibers, and reports failures. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Exit } from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import { Callback, listen, type ReferentRecord, unlisten } from "./referent.ts"

type Finalizer = (exit: Exit<any, any>) => Effect.Effect<void>

/**
 * Adds a finalizer to a Scope under a key. Returns `false` if the Scope is closed.
 * Runs synchronously, so that no interruption can separate this step from the
 * steps before and after it.
 *
 * Changes the public state of the Scope in the same way as `Scope.addFinalizer`. Does
 * not call that function, because it returns an effect, and no function removes its
 * finalizer. A child Scope can be removed, but needs 350 bytes more.
 */
export const addToScope = (scope: Scope.Scope, key: object, finalizer: Finalizer): boolean => {
  const { state } = scope
  if (state._tag === "Closed") return false
  if (state._tag === "Empty") {
    scope.state = { _tag: "Open", finalizerKey: key, finalizer, finalizers: undefined }
    return true
  }
  if (state.finalizers === undefined) {
    state.finalizers = new Map([[state.finalizerKey!, state.finalizer!]])
    state.finalizerKey = undefined
    state.finalizer = undefined
  }
  state.finalizers.set(key, finalizer)
  return true
}

/** Removes the finalizer with this key from a Scope, if the Scope is open. */
export const removeFromScope = (scope: Scope.Scope, key: object): void => {
  const { state } = scope
  if (state._tag !== "Open") return
  if (state.finalizers === undefined) {
    if (state.finalizerKey === key) scope.state = { _tag: "Empty" }
  } else {
    state.finalizers.delete(key)
    if (state.finalizers.size === 0) scope.state = { _tag: "Empty" }
  }
}

/**
 * Starts an effect in the background with the services of its registration, and
 * reports its failure.
 */
export const inBackground = (
  effect: Effect.Effect<unknown, unknown, any>,
  context: Context.Context<any>
): Fiber<unknown> => Effect.runForkWith(inTurns(context))(reported(effect))

/**
 * Replaces the scheduler of `Effect.runSync` with the default scheduler. The scheduler
 * of `Effect.runSync` yields in microtasks. With it, a long effect in the background
 * would block the event loop.
 */
const inTurns = (context: Context.Context<any>): Context.Context<any> =>
  isSynchronous(context)
    ? Context.add(context, Scheduler.Scheduler, Context.get(Context.empty(), Scheduler.Scheduler))
    : context

const isSynchronous = (context: Context.Context<never>): boolean =>
  Context.get(context, Scheduler.Scheduler).executionMode === "sync"

/**
 * Adds the services of a registration to the services of the fiber that runs its
 * effect. The fiber keeps its own scheduler if the registration has the scheduler of
 * `Effect.runSync`.
 */
export const withServices = (
  current: Context.Context<never>,
  registered: Context.Context<never>
): Context.Context<never> => {
  const merged = Context.merge(current, registered)
  return isSynchronous(registered)
    ? Context.add(merged, Scheduler.Scheduler, Context.get(current, Scheduler.Scheduler))
    : merged
}

/** Runs an effect and reports its failure as unhandled. Never fails. */
export const reported = <A, R>(effect: Effect.Effect<A, unknown, R>): Effect.Effect<A | void, never, R> =>
  Effect.catchCause(effect, report)

/**
 * Reports a failure without the values that cannot be printed, because a logger throws
 * if it prints a dead proxy. If a logger still throws, reports the failure again with
 * all values replaced.
 */
const report = (cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Effect.catchCause(
    Effect.suspend(() => log(isPrintable(cause) ? cause : without(cause, (reason) => !isPrintable(reason)))),
    () => Effect.catchCause(Effect.suspend(() => log(without(cause, () => true))), () => Effect.void)
  )

const log = (cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Effect.ignoreCause(Effect.failCause(cause), { log: "Unhandled" })

const isPrintable = (cause: Cause.Cause<unknown>): boolean => {
  try {
    Cause.pretty(cause)
    return true
  } catch {
    return false
  }
}

/** Replaces the error or defect of each reason with an error that can be printed, if `isLeftOut` returns `true`. */
const without = (
  cause: Cause.Cause<unknown>,
  isLeftOut: (reason: Cause.Cause<unknown>) => boolean
): Cause.Cause<unknown> =>
  Cause.fromReasons(
    cause.reasons.map((reason) =>
      Cause.isInterruptReason(reason) || !isLeftOut(Cause.fromReasons([reason]))
        ? reason
        : Cause.makeDieReason(new Error(`A callback failed with a value that cannot be printed: ${whyOf(reason)}`))
    )
  )

const whyOf = (reason: Cause.Fail<unknown> | Cause.Die): string => {
  try {
    const value = Cause.isFailReason(reason) ? reason.error : reason.defect
    return value instanceof Error ? String(value.message) : Cause.pretty(Cause.fromReasons([reason]))
  } catch (error) {
    return error instanceof Error ? error.message : "it throws"
  }
}

/** The registration of one effect with one referent. An effect with several referents has one registration for each. */
class Registration extends Callback {
  declare readonly effect: Effect.Effect<unknown, unknown, any>
  declare readonly context: Context.Context<any>
  /** The first registration of the effect. It is also the key of the finalizer in the Scope. */
  declare readonly first: Registration
  /** The next registration of the effect, if it has several. */
  declare next: Registration | undefined

  constructor(effect: Effect.Effect<unknown, unknown, any>, context: Context.Context<any>, first?: Registration) {
    super()
    this.effect = effect
    this.context = context
    this.first = first ?? this
    this.next = undefined
  }

  override start(): Fiber<unknown> {
    end(this.first)
    return inBackground(this.effect, this.context)
  }
}

/** Unregisters an effect from its referents and its Scope. */
const end = (first: Registration): void => {
  for (
    let registration: Registration | undefined = first;
    registration !== undefined;
    registration = registration.next
  ) {
    unlisten(registration)
  }
  removeFromScope(Context.get(first.context, Scope.Scope), first)
}

// Keeps one instance alive. V8 discards the optimized code of a class after its last instance has been collected.
let kept: Registration | undefined

// A separate function, because the Scope holds every value that this closure captures.
const ending = (first: Registration): Finalizer => () => Effect.sync(() => end(first))

/**
 * Registers an effect that runs once, after the first of the referents has been
 * collected. The effect is unregistered when the Scope closes.
 */
export const onCollect = <R>(
  effect: Effect.Effect<unknown, unknown, R>,
  ...referents: readonly [ReferentRecord<WeakKey>, ...Array<ReferentRecord<WeakKey>>]
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.contextWith((context: Context.Context<R | Scope.Scope>) => {
    // One step, so that an interruption leaves all registrations or none.
    kept ??= new Registration(Effect.void, Context.empty() as Context.Context<any>)
    const first = new Registration(effect, context)
    if (!addToScope(Context.get(context, Scope.Scope), first, ending(first))) return Effect.void
    let registration = first
    for (let i = 0; i < referents.length; i++) {
      if (i > 0) registration = registration.next = new Registration(effect, context, first)
      listen(referents[i]!, registration)
      // If the callback is in no list, the referent is dead, and `listen` has started the effect.
      if (registration.newer === registration) break
    }
    return Effect.void
  })
