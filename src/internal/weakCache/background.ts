/**
 * The background fibers of a `WeakCache`.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { RemovalCause } from "../../WeakCache.ts"
import { isWithin, withWork, Work, workOf } from "./work.ts"

/** How long an `onRemoval` delays the next one and the end of the cache, and a lookup of a finalizer the end. */
export const patience = "1 second"

/** Runs background fibers. Closing the cache waits for these fibers. */
export class Background {
  readonly #context: Context.Context<never>
  readonly #fibers = new Map<Fiber.Fiber<void>, Work>()
  #ended: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined = undefined

  constructor(context: Context.Context<never>) {
    this.#context = context
  }

  /** Starts an effect. `parent` is the work that waits for it. */
  run(
    effect: Effect.Effect<void>,
    { parent, work = new Work() }: { readonly work?: Work; readonly parent?: Work | undefined } = {}
  ): Fiber.Fiber<void> {
    work.begin(parent)
    const fiber = Effect.runForkWith(withWork(this.#context, work))(effect)
    this.#fibers.set(fiber, work)
    // Called at once if the fiber has ended already.
    fiber.addObserver(() => this.#end(fiber, work))
    return fiber
  }

  #end(fiber: Fiber.Fiber<void>, work: Work): void {
    work.end()
    this.#fibers.delete(fiber)
    if (this.#fibers.size > 0) return
    this.#ended?.resolve()
    this.#ended = undefined
  }

  /** A promise that resolves when all fibers have ended, or `undefined` if no fiber runs. A heap can await the promise. */
  get idle(): Promise<void> | undefined {
    if (this.#fibers.size === 0) return undefined
    if (this.#ended === undefined) {
      let resolve = () => {}
      const promise = new Promise<void>((f) => resolve = f)
      this.#ended = { promise, resolve }
    }
    return this.#ended.promise
  }

  /** Returns the fibers that `work` can wait for: those that do not wait for `work` themselves. O(n · depth). */
  others(work: Work | undefined): ReadonlyArray<Fiber.Fiber<void>> {
    const fibers: Array<Fiber.Fiber<void>> = []
    for (const [fiber, other] of this.#fibers) if (!isWithin(work, other)) fibers.push(fiber)
    return fibers
  }
}

/** Runs `onRemoval` for one removal after the other. */
export class Removals<Key> {
  readonly #background: Background
  readonly #onRemoval: ((key: Key, cause: RemovalCause) => Effect.Effect<void>) | undefined
  readonly #hasEntry: (key: Key) => boolean
  #waiting: Array<readonly [key: Key, cause: RemovalCause]> = []
  #reporting = false

  constructor(
    background: Background,
    onRemoval: ((key: Key, cause: RemovalCause) => Effect.Effect<void>) | undefined,
    hasEntry: (key: Key) => boolean
  ) {
    this.#background = background
    this.#onRemoval = onRemoval
    this.#hasEntry = hasEntry
  }

  /** Reports a removal later, in another task, so that `onRemoval` may call the cache. O(1). */
  report(key: Key, cause: RemovalCause): void {
    if (this.#onRemoval === undefined) return
    this.#waiting.push([key, cause])
    if (this.#reporting) return
    this.#reporting = true
    this.#background.run(Effect.andThen(Effect.yieldNow, this.#reportAll))
  }

  /** Waits for the effects that `work` can wait for, and interrupts those that take too long. */
  end(work: Work | undefined): Effect.Effect<void> {
    return Effect.suspend(() => {
      const fibers = this.#background.others(work)
      return Effect.map(Effect.timeoutOption(Fiber.awaitAll(fibers), patience), () => {
        for (const fiber of fibers) fiber.interruptUnsafe()
      })
    })
  }

  readonly #reportAll: Effect.Effect<void> = Effect.suspend(() => {
    const waiting = this.#waiting
    if (waiting.length === 0) {
      this.#reporting = false
      return Effect.void
    }
    this.#waiting = []
    return Effect.andThen(
      Effect.forEach(waiting, ([key, cause]) => this.#reportOne(key, cause), { discard: true }),
      this.#reportAll
    )
  })

  /** Runs one effect in its own fiber, because an effect that hangs must not delay the others for ever. */
  #reportOne(key: Key, cause: RemovalCause): Effect.Effect<void> {
    return Effect.withFiber((current) => {
      // If the key has a new entry, "collected" would mislead the user.
      if (cause === "collected" && this.#hasEntry(key)) return Effect.void
      const fiber = this.#background.run(
        Effect.ignoreCause(Effect.suspend(() => this.#onRemoval!(key, cause)), {
          log: "Unhandled",
          message: "Unhandled error in the onRemoval of a WeakCache"
        }),
        { parent: workOf(current) }
      )
      return fiber.pollUnsafe() === undefined
        ? Effect.asVoid(Effect.timeoutOption(Fiber.await(fiber), patience))
        : Effect.void
    })
  }
}
