/**
 * The implementation of `WeakCache`: each operation of the public module, in terms of the store, the
 * lookups and the resources. Operations change the cache in one step and then run code of the user.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { format } from "effect/Formatter"
import { identity } from "effect/Function"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import type { RemovalCause, Stats, WeakCache } from "../../WeakCache.ts"
import { Base } from "../base.ts"
import { isSynchronous } from "../effectInternals.ts"
import { Background, patience, Removals } from "./background.ts"
import { Counters } from "./counters.ts"
import { type Entry, type Extra, valueOf } from "./entry.ts"
import { Lookups, type LookupsConfig } from "./lookups.ts"
import { type Resource, Resources } from "./resources.ts"
import { makeTable, Store, type StoreConfig } from "./store.ts"
import type { Sleeper } from "./timer.ts"
import { endTurn } from "./turn.ts"
import { isWithin, type Work, workOf } from "./work.ts"

/** The checked options, with defaults. */
export interface Config<Key, A extends WeakKey, E> extends StoreConfig, LookupsConfig<Key, A, E> {
  readonly clock: Clock.Clock
  readonly context: Context.Context<never>
  readonly onRemoval: ((key: Key, cause: RemovalCause) => Effect.Effect<void>) | undefined
}

const variance = {
  _Key: identity,
  _A: identity,
  _E: identity,
  _R: identity
}

/** How often a closing cache closes what finalizers have loaded again. */
const roundsOfClosing = 8

/** `R` are the services that operations which run the lookup require. */
export class WeakCacheImpl<Key, A extends WeakKey, E, R> extends Base implements WeakCache<Key, A, E, R>, Sleeper {
  readonly #store: Store<Key, A, E>
  readonly #lookups: Lookups<Key, A, E>
  readonly #counters = new Counters()
  readonly #resources: Resources<Key, A, E>
  readonly #closings: Background
  readonly #reports: Background
  readonly #removals: Removals<Key>
  /** A closing cache is open for its finalizers only. */
  #phase: "open" | "closing" | "closed" = "open"

  constructor(config: Config<Key, A, E>) {
    super()
    const table = makeTable<Key, Entry<Key, A, E>>(config.compare)
    this.#closings = new Background(config.context)
    this.#reports = new Background(config.context)
    this.#removals = new Removals(this.#reports, config.onRemoval, (key) => table.get(key) !== undefined)
    this.#resources = new Resources(this.#closings)
    this.#store = new Store(config, table, this.#counters, this.#resources, this.#removals, [
      this.#closings,
      this.#reports
    ], this)
    this.#lookups = new Lookups(config, this.#store, this.#counters, makeTable(config.compare))
  }

  get ["~effect-weakref/WeakCache"]() {
    return variance
  }

  override toJSON(): unknown {
    const { front, size } = this.#store
    return { _id: "WeakCache", capacity: front.capacity, size, strong: front.size }
  }

  override toString(): string {
    return format(this.toJSON())
  }

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }

  // Reading

  get(key: Key): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const exit = this.#store.read(key)
      if (exit === undefined) return this.#inTurn(() => this.#getOrLoad(key))
      const { due } = this.#store
      return due === undefined ? exit : this.#refreshDue(due, exit)
    })
  }

  getOption(key: Key): Effect.Effect<Option.Option<A>, E> {
    return Effect.suspend(() => {
      const exit = this.#read(key)
      return exit === undefined ? this.#joinOption(key) : Effect.asSome(exit)
    })
  }

  getSuccess(key: Key): Effect.Effect<Option.Option<A>> {
    return this.#whileOpen(() => {
      const exit = this.#read(key)
      if (exit === undefined) this.#counters.misses++
      return Effect.succeed(exit !== undefined && Exit.isSuccess(exit) ? Option.some(exit.value) : Option.none())
    })
  }

  peek(key: Key): Effect.Effect<Option.Option<A>> {
    return this.#whileOpen(() => Effect.succeed(Option.fromUndefinedOr(this.#store.peek(key))))
  }

  has(key: Key): Effect.Effect<boolean> {
    return this.#whileOpen(() => Effect.succeed(this.#store.current(key) !== undefined))
  }

  size(): number {
    this.#lookups.failLost()
    return this.#store.size
  }

  keys(): Iterable<Key> {
    return this.#store.keys()
  }

  pairs(): Iterable<[Key, A]> {
    return this.#store.pairs()
  }

  stats(): Stats {
    const { front } = this.#store
    return { ...this.#counters, strong: front.size, weight: front.weight }
  }

  /** Reads without starting a refresh, because the reader may not have the services of the lookup. */
  #read(key: Key): Exit.Exit<A, E> | undefined {
    const exit = this.#store.read(key)
    this.#store.due = undefined
    return exit
  }

  /** Starts the refresh that the last read has found due. */
  #refreshDue(due: Extra<Key, A, E>, exit: Exit.Exit<A, E>): Effect.Effect<A, E> {
    this.#store.due = undefined
    return this.#inTurn(() =>
      Effect.withFiber((fiber) => {
        const entry = this.#phase === "open" ? this.#store.refreshed(due) : undefined
        if (entry !== undefined) this.#lookups.refreshLater(entry.key, fiber)
        return exit
      })
    )
  }

  // Loading

  #getOrLoad(key: Key): Effect.Effect<A, E> {
    return this.#uninterruptible((fiber, restore) => {
      const entry = this.#store.current(key)
      if (entry !== undefined && entry.lookup === undefined) return this.#store.readCurrent(entry)
      this.#counters.misses++
      const lookup = this.#lookups.find(key, entry)
      return lookup === undefined
        ? this.#lookups.load(key, fiber, restore, false)
        : this.#lookups.join(lookup, fiber, restore)
    })
  }

  #joinOption(key: Key): Effect.Effect<Option.Option<A>, E> {
    return this.#uninterruptible((fiber, restore) => {
      const entry = this.#store.current(key)
      if (entry !== undefined && entry.lookup === undefined) return Effect.asSome(this.#store.readCurrent(entry))
      this.#counters.misses++
      const lookup = this.#lookups.find(key, entry)
      return lookup === undefined ? Effect.succeedNone : Effect.asSome(this.#lookups.join(lookup, fiber, restore))
    })
  }

  refresh(key: Key): Effect.Effect<A, E> {
    return this.#inTurn(() =>
      this.#uninterruptible((fiber, restore) => {
        const entry = this.#store.current(key)
        const lookup = this.#lookups.find(key, entry)
        if (lookup?.isRefresh === true) return this.#lookups.join(lookup, fiber, restore)
        // What a running lookup of a `get` reads may be older than this refresh.
        return entry === undefined
          ? this.#lookups.load(key, fiber, restore, true)
          : this.#lookups.refresh(key, fiber, restore)
      })
    )
  }

  // Storing

  set(key: Key, value: A): Effect.Effect<void> {
    return this.#inTurn(() =>
      this.#whileOpen(() => {
        const exit = Exit.succeed(value)
        const terms = this.#lookups.termsOf(exit, key)
        // `weigh` may have closed the cache.
        if (this.#phase === "closed") return Effect.interrupt
        // Both compare keys, so they are done before any change.
        const refresh = this.#lookups.refreshOf(key)
        const place = this.#store.placeOf(key)
        if (refresh !== undefined) this.#lookups.detach(refresh)
        this.#counters.sets++
        if (!this.#store.insert(place, exit, terms, undefined, undefined)) this.#counters.unstored++
        return Effect.void
      })
    )
  }

  setCapacity(capacity: number): Effect.Effect<void> {
    return this.#whileOpen(() => {
      checkCapacity(capacity)
      this.#store.setCapacity(capacity)
      return Effect.void
    })
  }

  trim(capacity: number): Effect.Effect<void> {
    return this.#whileOpen(() => {
      checkCapacity(capacity)
      this.#store.trim(capacity)
      return Effect.void
    })
  }

  /**
   * Runs an operation that stores a value in a new turn, if this turn keeps too much alive that the cache holds only
   * weakly. A fiber of `Effect.runSync` cannot wait for another turn.
   */
  #inTurn<B, E2>(operation: () => Effect.Effect<B, E2>): Effect.Effect<B, E2> {
    const { turn } = this.#store
    return Effect.withFiber((fiber) =>
      !turn.isFull || isSynchronous(fiber.context)
        ? operation()
        : Effect.flatMap(endTurn, () => this.#inTurn(operation))
    )
  }

  // Removing

  invalidate(key: Key): Effect.Effect<void> {
    return this.#uninterruptible((fiber) => {
      const refresh = this.#lookups.refreshOf(key)
      const entry = this.#store.current(key)
      if (refresh !== undefined) this.#lookups.detach(refresh)
      return entry === undefined ? Effect.void : this.#invalidateEntries([entry], fiber)
    })
  }

  invalidateWhen(key: Key, f: (value: A) => boolean): Effect.Effect<boolean> {
    return this.#uninterruptible((fiber, restore) => {
      const entry = this.#store.current(key)
      if (entry === undefined) return Effect.succeed(false)
      const lookup = this.#lookups.find(key, entry)
      const exit = lookup === undefined ? this.#exitOf(entry) : this.#lookups.join(lookup, fiber, restore)
      return exit.pipe(
        Effect.map(f),
        // As in `Cache`, a failed lookup or a predicate that throws does not match.
        Effect.catchCause(() => Effect.succeed(false)),
        Effect.flatMap((matches) => {
          const present = matches ? this.#store.presentOf(entry) : undefined
          if (present === undefined || present.lookup !== undefined) return Effect.succeed(false)
          const refresh = this.#lookups.refreshOf(key)
          if (refresh !== undefined) this.#lookups.detach(refresh)
          return Effect.as(this.#invalidateEntries([present], fiber), true)
        })
      )
    })
  }

  /** Returns the result of an entry that `current` has just returned and that is not pending. */
  #exitOf(entry: Entry<Key, A, E>): Exit.Exit<A, E> {
    return entry.exit ?? Exit.succeed(valueOf(entry)!)
  }

  get invalidateAll(): Effect.Effect<void> {
    return this.#uninterruptible((fiber) => {
      this.#lookups.outdateAll()
      return this.#invalidateEntries(this.#store.presentEntries(), fiber)
    })
  }

  /** Removes pending and live entries, and waits until their resources are closed. */
  #invalidateEntries(
    entries: ReadonlyArray<Entry<Key, A, E>>,
    fiber: Fiber.Fiber<unknown, unknown>
  ): Effect.Effect<void> {
    const resources: Array<Resource> = []
    for (const entry of entries) {
      if (entry.lookup !== undefined) {
        this.#lookups.detach(entry.lookup)
      } else {
        const resource = this.#store.invalidate(entry)
        if (resource !== undefined) resources.push(resource)
      }
    }
    if (resources.length === 0) return Effect.void
    // Finalizers may call the cache, so all entries are removed before the first finalizer runs.
    const work = workOf(fiber)
    const closing = resources.map((resource) => this.#resources.close(resource, Exit.void, work))
    return Effect.flatMap(Fiber.awaitAll(closing), Exit.asVoidAll)
  }

  /** Called by the timer. */
  removeExpired(): number {
    return this.#store.removeExpired()
  }

  // Closing

  /** Closes the cache. Waits for everything that does not wait for the caller itself. */
  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      this.#phase = "closing"
      return Effect.flatMap(
        this.#closeRounds(fiber, exit, 1),
        (failures) => Effect.andThen(this.#removals.end(workOf(fiber)), Exit.asVoidAll(failures))
      )
    })
  }

  /** Ends all lookups and resources, and then those that finalizers have started meanwhile. Returns all results. */
  #closeRounds(
    fiber: Fiber.Fiber<unknown, unknown>,
    exit: Exit.Exit<unknown, unknown>,
    round: number
  ): Effect.Effect<ReadonlyArray<Exit.Exit<void>>> {
    return Effect.suspend(() => {
      if (round === roundsOfClosing) this.#phase = "closed"
      const work = workOf(fiber)
      const lookups = this.#lookups.detachAll()
      const resources = this.#store.clear()
      const ending: Array<Fiber.Fiber<void>> = []
      for (const lookup of lookups) {
        const isOwn = isWithin(work, lookup.work)
        const ended = this.#lookups.interrupt(lookup, fiber)
        if (ended !== undefined && !isOwn) ending.push(ended)
      }
      return Effect.flatMap(Fiber.awaitAll(ending), () => {
        const closing = resources.map((resource) => this.#resources.close(resource, exit, work))
        const ended = Effect.flatMap(Fiber.awaitAll(this.#closings.others(work)), () => Fiber.awaitAll(closing))
        return Effect.flatMap(this.#untilStuck(ended, fiber), (exits) => {
          const isDone = this.#store.size === 0 && this.#resources.size === 0 && this.#lookups.areDetached
          if (!isDone && this.#phase === "closing") {
            return Effect.map(this.#closeRounds(fiber, exit, round + 1), (later) => [...exits, ...later])
          }
          this.#phase = "closed"
          return Effect.map(this.#closeRest(exit, work), (rest) => [...exits, ...rest])
        })
      })
    })
  }

  /** Waits for finalizers. After a second, interrupts the lookups that finalizers have started and may wait for. */
  #untilStuck<B>(ended: Effect.Effect<B>, fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<B> {
    return Effect.flatMap(Effect.timeoutOption(ended, patience), (exits) => {
      if (Option.isSome(exits)) return Effect.succeed(exits.value)
      this.#phase = "closed"
      for (const lookup of this.#lookups.detachAll()) this.#lookups.interrupt(lookup, fiber)
      return ended
    })
  }

  /** Closes what finalizers have loaded before the cache was closed under them. */
  #closeRest(
    exit: Exit.Exit<unknown, unknown>,
    work: Work | undefined
  ): Effect.Effect<ReadonlyArray<Exit.Exit<void>>> {
    return Fiber.awaitAll(this.#store.clear().map((resource) => this.#resources.close(resource, exit, work)))
  }

  #whileOpen<B, E2>(operation: () => Effect.Effect<B, E2>): Effect.Effect<B, E2> {
    return Effect.suspend(() =>
      this.#phase === "open"
        ? operation()
        : Effect.withFiber((fiber) => this.#isOpenFor(fiber) ? operation() : Effect.interrupt)
    )
  }

  #uninterruptible<B, E2>(
    operation: (
      fiber: Fiber.Fiber<unknown, unknown>,
      restore: <B2, E3, R3>(effect: Effect.Effect<B2, E3, R3>) => Effect.Effect<B2, E3, R3>
    ) => Effect.Effect<B, E2>
  ): Effect.Effect<B, E2> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber) => this.#isOpenFor(fiber) ? operation(fiber, restore) : Effect.interrupt)
    )
  }

  /** A finalizer that calls the cache while the cache closes is not cut off. */
  #isOpenFor(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return this.#phase === "open" || (this.#phase === "closing" && workOf(fiber) !== undefined)
  }
}

/** Throws if a capacity is invalid. */
export const checkCapacity = (capacity: number): void => {
  if (capacity === Infinity || (Number.isInteger(capacity) && capacity >= 0)) return
  throw new RangeError(`capacity must be a non-negative integer or Infinity, got ${format(capacity)}`)
}
