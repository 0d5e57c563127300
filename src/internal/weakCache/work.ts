/**
 * What the cache runs for the program, a lookup or a finalizer, and which work started which. User
 * code in the middle of work can call the cache from any child fiber, so the work is in the context.
 */
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"

/**
 * A lookup, or the finalizers of its resource. Both use one object, because a finalizer runs with
 * the context that its lookup captured. Work that has ended refers to nothing: a captured context
 * lives as long as its resource.
 */
export class Work {
  isRunning = false
  /** The fiber that runs the work. Its child fibers have the same work in their context. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** The work that waits for this work. */
  parent: Work | undefined = undefined
  /** The lookup that the fiber of this lookup waits for. */
  waitsFor: Work | undefined = undefined

  /** The key of the running lookup, for messages. */
  key: unknown = undefined

  /** O(1). */
  begin(parent: Work | undefined): void {
    this.isRunning = true
    this.parent = parent
  }

  /** O(1). */
  end(): void {
    this.isRunning = false
    this.fiber = undefined
    this.parent = undefined
    this.waitsFor = undefined
    this.key = undefined
  }
}

const CurrentWork: Context.Reference<Work | undefined> = /*#__PURE__*/ Context.Reference<Work | undefined>(
  "effect-weakref/WeakCache/Work",
  { defaultValue: () => undefined }
)

/** Returns the running work that a fiber belongs to. O(1). */
export const workOf = (fiber: Fiber.Fiber<unknown, unknown>): Work | undefined => {
  const work = Context.get(fiber.context, CurrentWork)
  return work?.isRunning === true ? work : undefined
}

/** Adds work to a context. O(1). */
export const withWork = (context: Context.Context<never>, work: Work): Context.Context<never> =>
  Context.add(context, CurrentWork, work)

/** Returns whether `work` is `inner`, or waits for it through other work. O(depth). */
export const isWithin = (inner: Work | undefined, work: Work): boolean => {
  for (let next = inner; next !== undefined; next = next.parent) if (next === work) return true
  return false
}
