/**
 * Reads and writes the state of Effect's Scopes, fibers and schedulers that no function of
 * Effect's API reads or writes in this way. Effect does not promise that this state stays
 * as it is: `test/internal/effectInternals.test.ts` fails if a version of Effect changes it.
 */
import * as Context from "effect/Context"
import type { Effect } from "effect/Effect"
import type { Exit } from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type { Scope } from "effect/Scope"

export type Finalizer = (exit: Exit<any, any>) => Effect<void>

/** Checks whether a Scope is closed, or has begun to close. */
export const isClosed = (scope: Scope): boolean => scope.state._tag === "Closed"

/**
 * Adds a finalizer to a Scope under a key, if the Scope is not closed. Runs synchronously, so that no interruption can separate this step from the
 * steps before and after it.
 *
 * Changes the public state of the Scope in the same way as `Scope.addFinalizer`. Does
 * not call that function, because it returns an effect, and no function removes its
 * finalizer. A child Scope can be removed, but needs 350 bytes more.
 */
export const addToScope = (scope: Scope, key: object, finalizer: Finalizer): void => {
  const { state } = scope
  if (state._tag === "Closed") return
  if (state._tag === "Empty") {
    scope.state = { _tag: "Open", finalizerKey: key, finalizer, finalizers: undefined }
    return
  }
  if (state.finalizers === undefined) {
    state.finalizers = new Map([[state.finalizerKey!, state.finalizer!]])
    state.finalizerKey = undefined
    state.finalizer = undefined
  }
  state.finalizers.set(key, finalizer)
}

/** Removes the finalizer with this key from a Scope, if the Scope is open. */
export const removeFromScope = (scope: Scope, key: object): void => {
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
 * Sets the number of steps that a fiber has made since it last yielded. A fiber that
 * has used its budget of steps yields before the next step. With a count of -1, the fiber
 * makes its next step without yielding, so that no interruption can come before that step.
 */
export const setOpCount = (fiber: Fiber<unknown, unknown>, count: number): void => {
  // Effect declares the count as read-only. Its scheduler reads only this count.
  const counting = fiber as { currentOpCount: number }
  counting.currentOpCount = count
}

/** Checks whether the scheduler of a context is that of `Effect.runSync`, which yields in microtasks. */
export const isSynchronous = (context: Context.Context<never>): boolean =>
  Context.get(context, Scheduler.Scheduler).executionMode === "sync"

/** Replaces the scheduler of a context with the scheduler of another context. */
export const withSchedulerOf = <R>(context: Context.Context<R>, other: Context.Context<never>): Context.Context<R> =>
  Context.add(context, Scheduler.Scheduler, Context.get(other, Scheduler.Scheduler))
