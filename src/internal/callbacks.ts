/** Runs callbacks of a collection as effects. Registers them in a Scope, starts their fibers, and reports failures. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Fiber } from "effect/Fiber"
import { dual } from "effect/Function"
import * as Scope from "effect/Scope"
import type { Callback } from "../WeakRef.ts"
import {
  addToScope,
  type Finalizer,
  isClosed,
  isSynchronous,
  removeFromScope,
  withSchedulerOf
} from "./effectInternals.ts"
import * as Referent from "./referent.ts"
import { refuse } from "./refuse.ts"
import * as Ring from "./ring.ts"

/**
 * Starts an effect in the background with the services of its registration, and
 * reports its failure.
 */
export const inBackground = <R>(
  effect: Effect.Effect<unknown, unknown, R>,
  context: Context.Context<R>
): Fiber<unknown> => Effect.runForkWith(inTurns(context))(reported(effect))

/**
 * Replaces the scheduler of `Effect.runSync` with the default scheduler. The scheduler
 * of `Effect.runSync` yields in microtasks. With it, a long effect in the background
 * would block the event loop.
 */
export const inTurns = <R>(context: Context.Context<R>): Context.Context<R> => {
  if (!isSynchronous(context)) return context
  // Effect computes what fibers cache of a context once per context, so many registrations must share the new one.
  let replaced = contexts.get(context)
  if (replaced === undefined) {
    replaced = withSchedulerOf(context, Context.empty())
    contexts.set(context, replaced)
  }
  // The cast is safe: the new context has all services of the old one.
  return replaced as Context.Context<R>
}

const contexts = /*#__PURE__*/ new WeakMap<object, object>()

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
  return isSynchronous(registered) ? withSchedulerOf(merged, current) : merged
}

/** Runs an effect and reports its failure as unhandled. Never fails. */
export const reported = <A, R>(effect: Effect.Effect<A, unknown, R>): Effect.Effect<A | void, never, R> =>
  Effect.catchCause(effect, report)

/**
 * Reports a failure without the values that cannot be printed, because a logger throws
 * if it prints a revoked proxy. If a logger still throws, reports the failure again with
 * all values replaced.
 */
const report = (cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Effect.catchCause(
    Effect.suspend(() => log(without(cause, (reason) => !isPrintable(reason)))),
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

/** The type id of the public interface. */
export const CallbackTypeId = "~effect-weakref/WeakRef/Callback"

/** The effect of a callback, and the services that it runs with. */
interface Job {
  readonly effect: Effect.Effect<unknown, unknown, any>
  readonly context: Context.Context<any>
}

/** The part of a callback that waits for one value: for a referent, which starts the callback, or for the owner. */
abstract class Part extends Referent.Callback {
  declare readonly callback: CallbackImpl
  /** The next part of the same callback. */
  declare next: Part | undefined

  constructor(callback: CallbackImpl | undefined) {
    super()
    // The first part is the callback itself.
    this.callback = callback ?? this as unknown as CallbackImpl
    this.next = undefined
  }

  override toJSON(): unknown {
    return { _id: "Callback", status: this.callback.status }
  }
}

class ReferentPart extends Part {
  override start(): Fiber<unknown> | undefined {
    const job = this.callback.end("started")
    return job && inBackground(job.effect, job.context)
  }
}

class OwnerPart extends Part {
  override start(): undefined {
    this.callback.end("ended")
  }
}

/**
 * A callback. It is the part of its first referent, and the key of its finalizer in the
 * Scope. The Scope and the referents hold it, so that the program does not have to.
 */
export class CallbackImpl extends ReferentPart implements Callback {
  declare status: "waiting" | "started" | "ended"
  declare private readonly scope: Scope.Scope
  /** Exists while the callback waits and has no owner. */
  declare private job: Job | undefined
  /** An ephemeron of the owner holds the job, because an effect usually refers to its owner. */
  declare private readonly owner: Referent.ReferentRecord<WeakKey> | undefined

  constructor(scope: Scope.Scope, owner: Referent.ReferentRecord<WeakKey> | undefined) {
    super(undefined)
    this.status = "waiting"
    this.scope = scope
    this.job = undefined
    this.owner = owner
  }

  get [CallbackTypeId](): typeof CallbackTypeId {
    return CallbackTypeId
  }

  /** Registers the callback completely. If the Scope is closed or a referent is dead, ends or starts it instead. */
  register(job: Job, referents: ReadonlyArray<Referent.ReferentRecord<WeakKey>>): void {
    if (isClosed(this.scope)) {
      this.status = "ended"
      return
    }
    // First, because it throws if the host has no registry.
    let areAlive = true
    for (const referent of referents) areAlive = Referent.watch(referent) && areAlive
    if (this.owner !== undefined) Referent.watch(this.owner)
    addToScope(this.scope, this, ending(this))
    if (this.owner === undefined) this.job = job
    else Referent.hold(this.owner, this, job)
    if (!areAlive) {
      this.start()
      return
    }
    let last: Part = this.callback
    for (let i = 0; i < referents.length; i++) {
      if (i > 0) last = last.next = new ReferentPart(this)
      Ring.insert(referents[i]!, last)
    }
    if (this.owner !== undefined) Ring.insert(this.owner, last.next = new OwnerPart(this))
  }

  /** Unregisters a callback that waits, and returns its job. Returns `undefined` if the owner is dead. */
  end(status: "started" | "ended"): Job | undefined {
    if (this.status !== "waiting") return undefined
    const job = this.owner === undefined ? this.job : Referent.release<Job>(this.owner, this)
    this.status = job === undefined ? "ended" : status
    this.job = undefined
    for (let part: Part | undefined = this.callback; part !== undefined; part = part.next) Ring.remove(part)
    removeFromScope(this.scope, this)
    return job
  }
}

// Keeps one instance alive. V8 discards the optimized code of a class after its last instance has been collected.
let kept: CallbackImpl | undefined

// A separate function, because the Scope holds every value that this closure captures.
const ending = (callback: CallbackImpl): Finalizer => () => Effect.sync(() => callback.end("ended"))

/**
 * Registers an effect that runs once, after the first of the referents has been
 * collected. The effect is unregistered when the Scope closes, or when its owner has been
 * collected.
 */
export const onCollect = <R>(
  effect: Effect.Effect<unknown, unknown, R>,
  owner: WeakKey | undefined,
  ...referents: readonly [Referent.ReferentRecord<WeakKey>, ...Array<Referent.ReferentRecord<WeakKey>>]
): Effect.Effect<Callback, never, R | Scope.Scope> =>
  Effect.contextWith((context: Context.Context<R | Scope.Scope>) => {
    // One step, so that an interruption leaves all registrations or none.
    kept ??= new CallbackImpl(Scope.makeUnsafe(), undefined)
    const callback = new CallbackImpl(
      Context.get(context, Scope.Scope),
      owner === undefined ? undefined : Referent.of(owner, referents[0].records.heap)
    )
    callback.register({ effect, context }, referents)
    return Effect.succeed(callback)
  })

/** Returns the public function `onCollect` of the module whose values have these referents. */
export const onCollectOf = <Self>(
  referentsOf: (self: Self) => readonly [Referent.ReferentRecord<WeakKey>, ...Array<Referent.ReferentRecord<WeakKey>>]
) =>
  // A value that has referents can be a function, so the second argument decides.
  dual<
    (f: OnCollect, options?: Options) => (self: Self) => Effect.Effect<Callback, never, any>,
    (self: Self, f: OnCollect, options?: Options) => Effect.Effect<Callback, never, any>
  >((args) => typeof args[1] === "function", (self, f, options) => {
    const owner = options?.owner
    return onCollect(
      // These closures must not hold `options`, because only an ephemeron may hold the owner.
      owner === undefined ? Effect.suspend(() => f(self)) : Effect.suspend(() => f(owner, self)),
      owner,
      ...referentsOf(self)
    )
  })

/** The public functions have the types. With an owner, a callback receives the owner and then the value. */
type OnCollect = (...args: Array<any>) => Effect.Effect<unknown, unknown, any>

interface Options {
  readonly owner?: WeakKey | undefined
}

/** Unregisters a callback. Returns `false` if it has started. */
export const cancel = (callback: Callback): boolean => {
  if (!(callback instanceof CallbackImpl)) return refuse(callback, CallbackTypeId)
  callback.end("ended")
  return callback.status !== "started"
}
