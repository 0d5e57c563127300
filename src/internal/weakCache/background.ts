/**
 * The background fibers of a `WeakCache`.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { RemovalCause } from "../../WeakCache.ts"

/** Runs background fibers. Closing the cache waits for these fibers. */
export class Background {
  private readonly context: Context.Context<never>
  private readonly fibers = new Set<Fiber.Fiber<void>>()
  private ended: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined = undefined

  constructor(context: Context.Context<never>) {
    this.context = context
  }

  run(effect: Effect.Effect<void>): Fiber.Fiber<void> {
    const fiber = Effect.runForkWith(this.context)(effect)
    if (fiber.pollUnsafe() === undefined) {
      this.fibers.add(fiber)
      fiber.addObserver(() => this.end(fiber))
    }
    return fiber
  }

  private end(fiber: Fiber.Fiber<void>): void {
    this.fibers.delete(fiber)
    if (this.fibers.size > 0) return
    this.ended?.resolve()
    this.ended = undefined
  }

  /** A promise that resolves when all fibers have ended, or `undefined` if no fiber runs. A heap can await the promise. */
  get idle(): Promise<void> | undefined {
    if (this.fibers.size === 0) return undefined
    if (this.ended === undefined) {
      let resolve = () => {}
      const promise = new Promise<void>((f) => resolve = f)
      this.ended = { promise, resolve }
    }
    return this.ended.promise
  }

  /** Waits for all other fibers. Skips the current fiber, because an `onRemoval` may close the cache. */
  readonly wait: Effect.Effect<void> = Effect.withFiber((current) =>
    Effect.asVoid(Fiber.awaitAll(Array.from(this.fibers).filter((fiber) => fiber !== current)))
  )
}

/** Runs `onRemoval` for one removal after the other. */
export class Removals<Key> {
  private readonly background: Background
  private readonly onRemoval: ((key: Key, cause: RemovalCause) => Effect.Effect<void>) | undefined
  private readonly hasEntry: (key: Key) => boolean
  private waiting: Array<readonly [key: Key, cause: RemovalCause]> = []
  private reporting = false

  constructor(
    background: Background,
    onRemoval: ((key: Key, cause: RemovalCause) => Effect.Effect<void>) | undefined,
    hasEntry: (key: Key) => boolean
  ) {
    this.background = background
    this.onRemoval = onRemoval
    this.hasEntry = hasEntry
  }

  report(key: Key, cause: RemovalCause): void {
    if (this.onRemoval === undefined) return
    this.waiting.push([key, cause])
    if (this.reporting) return
    this.reporting = true
    // Yield first, so that an `onRemoval` that calls the cache does not run in the middle of an operation.
    this.background.run(Effect.andThen(Effect.yieldNow, this.reportAll))
  }

  private readonly reportAll: Effect.Effect<void> = Effect.suspend(() => {
    const { waiting } = this
    if (waiting.length === 0) {
      this.reporting = false
      return Effect.void
    }
    this.waiting = []
    return Effect.andThen(
      Effect.forEach(waiting, ([key, cause]) => this.reportOne(key, cause), { discard: true }),
      this.reportAll
    )
  })

  private reportOne(key: Key, cause: RemovalCause): Effect.Effect<void> {
    return Effect.ignoreCause(
      Effect.suspend(() =>
        // If the key has a new entry, "collected" would mislead the user.
        cause === "collected" && this.hasEntry(key) ? Effect.void : this.onRemoval!(key, cause)
      ),
      { log: "Unhandled", message: "Unhandled error in the onRemoval of a WeakCache" }
    )
  }
}
