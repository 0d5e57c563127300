/**
 * Invalidates the keys of a stream in the background, for as long as the cache is open.
 *
 * Between two messages, nothing here holds the cache: the fiber that waits for the next key has a
 * weak reference, and a context without the cache's Scope, because that Scope holds the cache. So a
 * cache that the program dropped together with its Scope can be collected, and its fiber ends. The
 * cache stays alive while an invalidation waits for the finalizers of its resources, or if the
 * stream itself refers to the cache.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { format } from "effect/Formatter"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Heap } from "../../Heap.ts"
import { whenDropped } from "./dropped.ts"

type Keys<Key> = Stream.Stream<Key, unknown>

/** A stream of keys, or an effect that subscribes to one. */
export type Invalidations<Key, E, R> = Keys<Key> | Effect.Effect<Keys<Key>, E, R | Scope.Scope>

/** The part of a cache that is invalidated. */
interface Invalidated<Key> {
  invalidate(key: Key): Effect.Effect<void>
  readonly invalidateAll: Effect.Effect<void>
}

/** A stream whose keys are waiting, and the Scope that ends its subscription. */
export interface Subscription<Key> {
  readonly keys: Keys<Key>
  readonly scope: Scope.Closeable
}

/** Throws if the option is neither a stream nor an effect. */
export const check = (invalidations: unknown): void => {
  if (invalidations === undefined || Stream.isStream(invalidations) || Effect.isEffect(invalidations)) return
  throw new TypeError(`invalidations must be a Stream, or an Effect that returns one, got ${format(invalidations)}`)
}

/** Subscribes. A plain stream subscribes only when it runs. Leaves no Scope open if it fails or is interrupted. */
export const subscribe = <Key, E, R>(
  invalidations: Invalidations<Key, E, R>,
  restore: <B, E2, R2>(effect: Effect.Effect<B, E2, R2>) => Effect.Effect<B, E2, R2>
): Effect.Effect<Subscription<Key>, E, Exclude<R, Scope.Scope>> => {
  const scope = Scope.makeUnsafe()
  if (Stream.isStream(invalidations)) return Effect.succeed({ keys: invalidations, scope })
  // Replaces the outer Scope instead of hiding it: what the effect leaves behind holds its context, and the outer Scope holds the cache.
  const subscribing = Effect.updateContext(
    invalidations,
    // The outer context has all services except the Scope.
    (outer: Context.Context<any>) => Context.add(Context.omit(Scope.Scope)(outer), Scope.Scope, scope)
  )
  return restore(subscribing).pipe(
    Effect.map((keys) => {
      checkKeys(keys)
      return { keys, scope }
    }),
    Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit))
  )
}

const checkKeys = (keys: unknown): void => {
  if (!Stream.isStream(keys)) throw new TypeError(`invalidations must return a Stream, got ${format(keys)}`)
}

/** Set in the fibers of a stream, so that a stream that closes the cache does not wait for itself. */
const Within: Context.Reference<unknown> = /*#__PURE__*/ Context.Reference<unknown>("effect-weakref/WeakCache/Within", {
  defaultValue: () => undefined
})

/**
 * Starts to invalidate keys. Returns an effect that stops, and waits for the end of the subscription.
 * The context must not hold the cache.
 */
export const start = <Key, E, R>(
  heap: Heap,
  cache: Invalidated<Key>,
  invalidations: Invalidations<Key, E, R>,
  subscription: Subscription<Key>,
  context: Context.Context<any>
): { readonly stop: (after: Effect.Effect<void>) => Effect.Effect<void> } => {
  const id = {}
  const own = Context.add(context, Within, id)
  const fiber = Effect.runForkWith(own)(follow(new heap.WeakRef(cache), invalidations, subscription, own))
  return stopping(id, fiber, whenDropped(heap, cache, interrupting(fiber)))
}

// The next two functions are separate, so that what they return cannot hold the cache.
const interrupting = (fiber: Fiber.Fiber<void>) => () => fiber.interruptUnsafe()

const stopping = (id: unknown, fiber: Fiber.Fiber<void>, cancel: () => void) => ({
  stop: (after: Effect.Effect<void>) =>
    Effect.contextWith((context: Context.Context<never>) => {
      cancel()
      fiber.interruptUnsafe()
      return Context.get(context, Within) === id ? after : Effect.ensuring(after, Fiber.await(fiber))
    })
})

/** Runs until the stream ends, the cache has been collected or the fiber is interrupted. */
const follow = <Key, E, R>(
  cache: WeakRef<Invalidated<Key>>,
  invalidations: Invalidations<Key, E, R>,
  subscription: Subscription<Key>,
  context: Context.Context<any>
): Effect.Effect<void> => {
  const fork = Effect.runForkWith(context)
  /** Starts an invalidation without waiting for the finalizers of resources. Returns `false` if the cache is gone. */
  const invalidate = (select: (cache: Invalidated<Key>) => Effect.Effect<void>): boolean => {
    const self = cache.deref()
    if (self === undefined) return false
    fork(quietly(select(self), "Unhandled error in a finalizer of a WeakCache's resource"))
    return true
  }
  const removeAll = () => invalidate((cache) => cache.invalidateAll)
  let delay = firstDelay

  const consume = (keys: Keys<Key>): Effect.Effect<void, unknown> =>
    Stream.runForEach(keys, (key) => {
      delay = firstDelay
      return invalidate((cache) => cache.invalidate(key)) ? Effect.void : Effect.interrupt
    })

  /** Subscribes again. Then removes all entries, because keys may have been lost before. */
  const consumeAgain = (scope: Scope.Scope): Effect.Effect<void, unknown> =>
    Stream.isStream(invalidations)
      ? consume(invalidations)
      // This fiber has the context of `make`, and so the services of the effect.
      : Effect.flatMap(Scope.provide(invalidations as Effect.Effect<Keys<Key>, E, Scope.Scope>, scope), (keys) => {
        checkKeys(keys)
        removeAll()
        return consume(keys)
      })

  return Effect.uninterruptibleMask((restore) => {
    const run = (
      consuming: Effect.Effect<void, unknown>,
      scope: Scope.Closeable,
      onStart?: () => void
    ): Effect.Effect<void> =>
      // The stream has its own fiber, so that an interruption from within it does not interrupt this fiber.
      Effect.flatMap(Effect.forkChild(consuming, { startImmediately: true }), (fiber) => {
        onStart?.()
        return restore(Fiber.await(fiber)).pipe(
          Effect.onInterrupt(() => Fiber.interrupt(fiber)),
          Effect.onExit((exit) => closeSubscription(scope, exit)),
          Effect.flatMap(afterwards)
        )
      })

    const runAgain = Effect.suspend(() => {
      const scope = Scope.makeUnsafe()
      // When the fiber of a plain stream first waits, the stream has subscribed if it can do that at once.
      return run(consumeAgain(scope), scope, Stream.isStream(invalidations) ? removeAll : undefined)
    })

    const afterwards = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
      if (cache.deref() === undefined) return Effect.void
      if (Exit.isSuccess(exit)) {
        return Effect.logWarning("The invalidations of a WeakCache ended. No more keys will be invalidated")
      }
      const wait = Effect.sleep(delay)
      delay = Math.min(2 * delay, lastDelay)
      return Effect.logError(
        "The invalidations of a WeakCache failed. They run again, and then all entries are removed",
        exit.cause
      ).pipe(Effect.andThen(restore(wait)), Effect.andThen(runAgain))
    }

    return run(consume(subscription.keys), subscription.scope)
  })
}

/** Runs an effect and logs its failure. An interruption means that the cache has been closed. */
const quietly = (effect: Effect.Effect<void>, message: string): Effect.Effect<void> =>
  Effect.catchCause(
    effect,
    (cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.void
        : Effect.ignoreCause(Effect.failCause(cause), { log: "Unhandled", message })
  )

/** Closes the Scope of a subscription. Logs a failure, because it must not end the invalidations. */
const closeSubscription = (scope: Scope.Closeable, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
  quietly(Scope.close(scope, exit), "Unhandled error in a finalizer of a WeakCache's invalidations")

const firstDelay = 100
const lastDelay = 10_000
