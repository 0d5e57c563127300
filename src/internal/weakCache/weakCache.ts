/**
 * The implementation of `WeakCache`. The cache has one entry per key. An entry holds its
 * value strongly while the entry is in the strong front, and weakly otherwise.
 *
 * Hazards of the collector:
 *
 * - A fiber holds its exit, and the exit holds the value. So nothing that outlives a
 *   lookup may refer to the fiber of the lookup. An entry has a `Load` only until the
 *   lookup ends.
 * - The registry holds entries. So an entry must not refer to its own value, except
 *   while the entry is in the strong front.
 * - A clean-up callback can run after its entry has been replaced. So the callback
 *   reads the entry, and never looks up the key.
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { format } from "effect/Formatter"
import { identity } from "effect/Function"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { type Heap, isWeakReferenceable } from "../../Heap.ts"
import type { RemovalCause, Stats } from "../../WeakCache.ts"
import { NotWeakReferenceableError } from "../../WeakError.ts"
import { Base } from "../base.ts"
import { inSlices, makeRegistry } from "../registry.ts"
import { Background, Removals } from "./background.ts"
import { Entry, Load, loads, valueOf } from "./entry.ts"
import { LiveEntries, StructuralTable, type Table } from "./entryTable.ts"
import { ExpiryQueue } from "./expiry.ts"
import { StrongFront } from "./strongFront.ts"
import { timeOf, Timer } from "./timer.ts"

/** The checked options, with defaults. */
export interface Config<Key, A extends WeakKey, E> {
  readonly heap: Heap
  readonly clock: Clock.Clock
  readonly context: Context.Context<any>
  readonly lookup: (key: Key, load: Load<Key, A, E>) => Effect.Effect<A, E, any>
  readonly timeToLive: ((exit: Exit.Exit<A, E>, key: Key) => Duration.Input) | undefined
  readonly capacity: number
  readonly maxWeight: number
  readonly weigh: ((value: A, key: Key) => number) | undefined
  readonly idleTimeToLive: number
  readonly compare: "structural" | "reference"
  readonly onRemoval: ((key: Key, cause: RemovalCause) => Effect.Effect<void>) | undefined
  /** Called with the duration of every lookup that succeeded or failed. */
  readonly onLoad: ((nanos: bigint) => void) | undefined
}

const variance = {
  _Key: identity,
  _A: identity,
  _E: identity,
  _R: identity
}

/** The maximum number of entries that one wake-up of the timer releases. */
const sliceOfTimer = 4096

/** The maximum number of clean-ups in one turn. */
const sliceOfCleanup = 8192

const isDone = (fiber: Fiber.Fiber<any, any>): boolean => fiber.pollUnsafe() !== undefined

export class WeakCacheImpl<Key, A extends WeakKey, E> extends Base {
  readonly config: Config<Key, A, E>
  private readonly entries: Table<Key, Entry<Key, A, E>>
  private readonly front: StrongFront<Entry<Key, A, E>>
  private readonly expiry = new ExpiryQueue<Entry<Key, A, E>>()
  private readonly registry: FinalizationRegistry<Entry<Key, A, E>>
  private readonly running = new Set<Load<Key, A, E>>()
  private readonly refreshes = new Set<Load<Key, A, E>>()
  /** The entries with an open resource, including replaced entries. */
  private readonly open = new Set<Entry<Key, A, E>>()
  private readonly background: Background
  private readonly removals: Removals<Key>
  private readonly timer: Timer
  private closed = false

  private hits = 0
  private misses = 0
  private succeeded = 0
  private failed = 0
  private collected = 0
  private expired = 0
  private demoted = 0
  private sets = 0
  private interrupted = 0
  private replaced = 0
  private invalidated = 0
  private unstored = 0
  private alive = 0

  constructor(config: Config<Key, A, E>) {
    super()
    this.config = config
    this.entries = config.compare === "reference" ? new Map() : new StructuralTable()
    this.front = new StrongFront(config.idleTimeToLive > 0 ? config.capacity : 0, config.maxWeight)
    this.background = new Background(config.context)
    this.removals = new Removals(this.background, config.onRemoval, (key) => this.entries.get(key) !== undefined)
    // Without the Scope, because the Scope holds the cache.
    this.timer = new Timer(config.heap, config.clock, Context.omit(Scope.Scope)(config.context))
    const finalize = inSlices<Entry<Key, A, E>>(sliceOfCleanup, (entry) => this.finalize(entry))
    this.registry = makeRegistry(config.heap, (entry) => finalize(entry) ?? this.background.idle)
  }

  get ["~effect-weakref/WeakCache"]() {
    return variance
  }

  override toJSON(): unknown {
    return { _id: "WeakCache", capacity: this.front.capacity, size: this.size(), strong: this.front.size }
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

  // reading

  get(key: Key): Effect.Effect<A, E> {
    return Effect.suspend(() => this.read(key) ?? this.getOrLoad(key))
  }

  getOption(key: Key): Effect.Effect<Option.Option<A>, E> {
    return Effect.suspend(() => {
      const exit = this.read(key)
      return exit === undefined ? this.joinOption(key) : Effect.asSome(exit)
    })
  }

  getSuccess(key: Key): Effect.Effect<Option.Option<A>> {
    return Effect.suspend(() => {
      if (this.closed) return Effect.interrupt
      const exit = this.read(key)
      if (exit === undefined) this.misses++
      return Effect.succeed(exit !== undefined && Exit.isSuccess(exit) ? Option.some(exit.value) : Option.none())
    })
  }

  has(key: Key): Effect.Effect<boolean> {
    return this.whileOpen(() => this.current(key) !== undefined)
  }

  size(): number {
    return this.entries.size
  }

  keys(): Iterable<Key> {
    return new LiveEntries(this.entries, (entry) => this.isPresent(entry, this.now()) ? { item: entry.key } : undefined)
  }

  pairs(): Iterable<[Key, A]> {
    return new LiveEntries(this.entries, (entry) => {
      const value = this.isPast(entry, this.now()) ? undefined : valueOf(entry)
      return value === undefined ? undefined : { item: [entry.key, value] }
    })
  }

  stats(): Stats {
    return {
      hits: this.hits,
      misses: this.misses,
      sets: this.sets,
      loads: this.succeeded,
      failures: this.failed,
      interrupted: this.interrupted,
      collected: this.collected,
      expired: this.expired,
      replaced: this.replaced,
      invalidated: this.invalidated,
      unstored: this.unstored,
      demoted: this.demoted,
      size: this.alive,
      strong: this.front.size,
      weight: this.front.weight
    }
  }

  /** Returns the stored result of a key, and marks the entry as used. This is the hot path. */
  private read(key: Key): Exit.Exit<A, E> | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    if (this.isTimed(entry)) return this.readTimed(entry)
    let { exit } = entry
    if (exit === undefined) {
      exit = this.revive(entry)
      if (exit === undefined) return undefined
    } else {
      this.front.use(entry)
    }
    this.hits++
    return exit
  }

  private readTimed(entry: Entry<Key, A, E>): Exit.Exit<A, E> | undefined {
    const now = this.now()
    if (this.isPast(entry, now)) return undefined
    let { exit } = entry
    if (exit === undefined) {
      exit = this.revive(entry)
      if (exit === undefined) return undefined
    } else {
      entry.usedAt = now
      this.front.use(entry)
    }
    this.hits++
    return exit
  }

  /** Returns the exit of a live value outside the strong front. Inserts the entry there again if the bounds allow. */
  private revive(entry: Entry<Key, A, E>): Exit.Exit<A, E> | undefined {
    const value = entry.ref?.deref()
    if (value === undefined) return undefined
    const exit = Exit.succeed(value)
    if (this.front.admits(entry)) this.hold(entry, exit)
    return exit
  }

  private isTimed(entry: Entry<Key, A, E>): boolean {
    return entry.expiresAt !== Infinity || this.config.idleTimeToLive !== Infinity
  }

  private now(): number {
    return timeOf(this.config.clock)
  }

  private isPast(entry: Entry<Key, A, E>, now: number): boolean {
    return now >= entry.expiresAt
  }

  private isPresent(entry: Entry<Key, A, E>, now: number): boolean {
    return !this.isPast(entry, now) &&
      (entry.load !== undefined || entry.exit !== undefined || entry.ref?.deref() !== undefined)
  }

  /** Returns the pending or live entry of a key. Takes out an expired or dead entry. */
  private current(key: Key): Entry<Key, A, E> | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    const now = this.now()
    if (this.isPast(entry, now)) {
      this.expire(entry)
      return undefined
    }
    if (this.isPresent(entry, now)) return entry
    if (entry.stored) this.takeDead(entry)
    return undefined
  }

  // loading

  private getOrLoad(key: Key): Effect.Effect<A, E> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber) => {
        if (this.closed) return Effect.interrupt
        // The cache may have changed since `read`, because the fiber may have yielded.
        const entry = this.current(key)
        if (entry !== undefined && entry.load === undefined) return this.read(key)!
        this.misses++
        return this.join(entry?.load ?? this.startFor(key, fiber), fiber, restore)
      })
    )
  }

  private joinOption(key: Key): Effect.Effect<Option.Option<A>, E> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber) => {
        if (this.closed) return Effect.interrupt
        const entry = this.current(key)
        if (entry !== undefined && entry.load === undefined) return Effect.asSome(this.read(key)!)
        this.misses++
        return entry === undefined ? Effect.succeedNone : Effect.asSome(this.join(entry.load!, fiber, restore))
      })
    )
  }

  refresh(key: Key): Effect.Effect<A, E> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber) => {
        if (this.closed) return Effect.interrupt
        if (this.current(key) === undefined) return this.join(this.startFor(key, fiber), fiber, restore)
        const load = new Load<Key, A, E>(key)
        const lookup = this.config.lookup(key, load)
        this.refreshes.add(load)
        this.start(load, lookup, fiber)
        return this.join(load, fiber, restore)
      })
    )
  }

  /** Starts the lookup of a key that has no entry. Inserts a pending entry, so that concurrent `get`s share the lookup. */
  private startFor(key: Key, parent: Fiber.Fiber<any, any>): Load<Key, A, E> {
    const load = new Load<Key, A, E>(key)
    // The user's lookup may throw, so call it before any change to the cache.
    const lookup = this.config.lookup(key, load)
    const entry = new Entry<Key, A, E>(key)
    entry.load = load
    load.entry = entry
    this.entries.set(key, entry)
    this.start(load, lookup, parent)
    return load
  }

  /** Runs a lookup in its own fiber, because the first waiter can be interrupted while others wait. */
  private start(load: Load<Key, A, E>, lookup: Effect.Effect<A, E, any>, parent: Fiber.Fiber<any, any>): void {
    this.running.add(load)
    const { clock, onLoad } = this.config
    const startedAt = onLoad === undefined ? undefined : clock.monotonicTimeNanosUnsafe()
    const context = Context.merge(this.config.context, parent.context)
    load.fiber = Effect.runForkWith(context)(Effect.onExit(
      Effect.withFiber((fiber) => {
        load.fiber = fiber as Fiber.Fiber<A, E>
        loads.set(fiber, load)
        return lookup
      }),
      (exit) => {
        if (startedAt !== undefined && !Exit.hasInterrupts(exit)) onLoad!(clock.monotonicTimeNanosUnsafe() - startedAt)
        return this.settle(load, exit)
      }
    ))
  }

  /** Waits for a lookup. Interrupts the lookup if its last waiter is interrupted. */
  private join(
    load: Load<Key, A, E>,
    waiter: Fiber.Fiber<any, any>,
    restore: <B, E2, R>(effect: Effect.Effect<B, E2, R>) => Effect.Effect<B, E2, R>
  ): Effect.Effect<A, E> {
    const fiber = load.fiber!
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return exit
    const own = loads.get(waiter)
    if (own !== undefined) {
      for (let next: Load<any, any, any> | undefined = load; next !== undefined; next = next.waitsFor) {
        if (next === own) {
          return Effect.die(
            new Error(`The lookup of ${format(own.key)} waits for itself: it gets ${format(load.key)} from the cache`)
          )
        }
      }
      own.waitsFor = load
    }
    load.waiters++
    return Effect.onExit(restore(Fiber.join(fiber)), () => {
      load.waiters--
      if (own !== undefined) own.waitsFor = undefined
      if (load.waiters > 0 || isDone(fiber)) return Effect.void
      // Detach first, so that a `get` during the finalizers of the lookup starts a new lookup.
      this.detach(load)
      return Fiber.interrupt(fiber)
    })
  }

  /** Takes the pending entry of a lookup out of the map. The waiters receive the result. The cache does not store it. */
  private detach(load: Load<Key, A, E>): void {
    const { entry } = load
    this.refreshes.delete(load)
    if (entry === undefined) return
    load.entry = undefined
    entry.load = undefined
    this.entries.delete(entry.key)
  }

  /** Stores the result of a lookup. Runs in the fiber of the lookup, so that the waiters receive a defect of `weigh`. */
  private settle(load: Load<Key, A, E>, exit: Exit.Exit<A, E>): Effect.Effect<void> {
    this.running.delete(load)
    const { scope } = load
    if (Exit.hasInterrupts(exit)) {
      this.interrupted++
      this.detach(load)
      return scope === undefined ? Effect.void : Scope.close(scope, exit)
    }
    let terms: Terms
    try {
      terms = this.termsOf(exit, load.key)
    } catch (error) {
      this.failed++
      this.detach(load)
      return scope === undefined
        ? Effect.die(error)
        : Effect.andThen(Scope.close(scope, Exit.die(error)), Effect.die(error))
    }
    if (Exit.isSuccess(exit)) this.succeeded++
    else this.failed++
    const isRefresh = this.refreshes.delete(load)
    const { entry } = load
    load.entry = undefined
    if (entry !== undefined) entry.load = undefined
    const isWanted = !this.closed && (isRefresh || entry !== undefined) && !load.outdated
    if (Exit.isFailure(exit) || this.closed) {
      if (isWanted) this.replace(load.key, exit, terms, undefined, entry)
      return scope === undefined ? Effect.void : Scope.close(scope, exit)
    }
    const stored = isWanted && this.replace(load.key, exit, terms, scope, entry)
    if (!stored) this.unstored++
    // Keep the resource of an unstored handle open until the handle is collected.
    if (scope !== undefined && !stored) this.track(new Entry<Key, A, E>(load.key), exit.value, scope)
    return Effect.void
  }

  // storing

  set(key: Key, value: A): Effect.Effect<void> {
    return this.whileOpen(() => {
      const exit = Exit.succeed(value)
      const terms = this.termsOf(exit, key)
      // `weigh` may have closed the cache.
      if (this.closed) return
      this.sets++
      if (!this.replace(key, exit, terms, undefined, undefined)) this.unstored++
    })
  }

  /** Runs the user's `weigh` and `timeToLive`. Called before any change, because both may throw. */
  private termsOf(exit: Exit.Exit<A, E>, key: Key): Terms {
    const { timeToLive, weigh } = this.config
    let weight = 1
    if (Exit.isSuccess(exit)) {
      const { value } = exit
      if (!isWeakReferenceable(value)) throw new NotWeakReferenceableError({ value })
      if (weigh !== undefined) weight = weigh(value, key)
      if (!(weight >= 0)) {
        throw new RangeError(
          `weigh must return a non-negative number, got ${format(weight)} for ${format(key)}`
        )
      }
    }
    const millis = timeToLive === undefined
      ? Infinity
      : Duration.toMillis(Duration.fromInputUnsafe(timeToLive(exit, key)))
    return { weight, millis }
  }

  /** Replaces the stored result of a key. Returns `false` if the time to live of the new result is zero. */
  private replace(
    key: Key,
    exit: Exit.Exit<A, E>,
    { millis, weight }: Terms,
    scope: Scope.Closeable | undefined,
    pending: Entry<Key, A, E> | undefined
  ): boolean {
    let entry = pending ?? this.current(key)
    if (entry !== undefined && entry !== pending) {
      if (entry.load !== undefined) {
        this.detach(entry.load)
        entry = undefined
      } else if (
        millis > 0 && scope === undefined && Exit.isSuccess(exit) && entry.stored === "value" &&
        valueOf(entry) === exit.value
      ) {
        this.forget(entry)
        this.expiry.remove(entry)
      } else {
        this.take(entry, "replaced")
        entry = undefined
      }
    }
    if (!(millis > 0)) {
      if (entry !== undefined) this.take(entry, undefined)
      return false
    }
    if (entry === undefined) {
      entry = new Entry<Key, A, E>(key)
      this.entries.set(key, entry)
    }
    if (entry.stored === undefined && Exit.isSuccess(exit)) this.alive++
    entry.stored = Exit.isSuccess(exit) ? "value" : "failure"
    entry.weight = weight
    if (scope !== undefined) {
      entry.scope = scope
      this.open.add(entry)
    }
    entry.expiresAt = millis === Infinity ? Infinity : this.now() + millis
    if (entry.expiresAt !== Infinity) {
      this.expiry.add(entry)
      this.timer.wakeAt(entry.expiresAt, this)
    }
    this.hold(entry, exit)
    return true
  }

  /** Inserts an entry into the strong front if the bounds allow. Otherwise weakens a value, or takes out a failure. */
  private hold(entry: Entry<Key, A, E>, exit: Exit.Exit<A, E>): void {
    if (!this.front.admits(entry)) {
      if (Exit.isSuccess(exit)) this.weaken(entry, exit.value)
      else this.take(entry, undefined)
      return
    }
    const { idleTimeToLive } = this.config
    entry.exit = exit
    this.front.add(entry)
    if (idleTimeToLive !== Infinity) {
      entry.usedAt = this.now()
      this.timer.wakeAt(entry.usedAt + idleTimeToLive, this)
    }
    this.evict()
  }

  /** Removes an entry from the strong front and returns its exit. Returns `undefined` if the entry is not in the front. */
  private forget(entry: Entry<Key, A, E>): Exit.Exit<A, E> | undefined {
    const { exit } = entry
    if (exit === undefined) return undefined
    this.front.remove(entry)
    entry.exit = undefined
    return exit
  }

  private evict(): void {
    while (this.front.isOver()) this.release(this.front.oldest!)
  }

  /** Evicts an entry from the strong front. A value stays in the map until it is collected. A failure is taken out. */
  private release(entry: Entry<Key, A, E>): void {
    const exit = this.forget(entry)!
    this.demoted++
    if (Exit.isSuccess(exit)) this.weaken(entry, exit.value)
    else this.take(entry, undefined)
  }

  /** Holds a value weakly and registers its clean-up. */
  private weaken(entry: Entry<Key, A, E>, value: A): void {
    // On a `TestHeap`, the old reference can be dead although the value is alive. The test decides what is collected.
    if (entry.ref?.deref() === value) return
    entry.ref = new this.config.heap.WeakRef(value)
    this.registry.register(value, entry, entry)
  }

  trim(capacity: number): Effect.Effect<void> {
    return this.whileOpen(() => {
      checkCapacity(capacity)
      this.front.capacity = this.config.idleTimeToLive > 0 ? capacity : 0
      this.evict()
      this.stopTimerIfDone()
    })
  }

  // removing

  invalidate(key: Key): Effect.Effect<void> {
    return Effect.uninterruptible(this.suspendWhileOpen(() => {
      for (const load of this.refreshes) if (this.isSame(load.key, key)) load.outdated = true
      const entry = this.current(key)
      return entry === undefined ? Effect.void : this.takeInvalidated([entry])
    }))
  }

  invalidateWhen(key: Key, f: (value: A) => boolean): Effect.Effect<boolean> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber) => {
        if (this.closed) return Effect.interrupt
        const entry = this.current(key)
        if (entry === undefined) return Effect.succeed(false)
        // A live entry without an exit is not in the strong front, so its reference refers to the value.
        const value = entry.load === undefined
          ? entry.exit ?? Exit.succeed(valueOf(entry)!)
          : this.join(entry.load, fiber, restore)
        return value.pipe(
          Effect.map(f),
          // As in `Cache`, a failed lookup or a predicate that throws does not match.
          Effect.catchCause(() => Effect.succeed(false)),
          Effect.flatMap((matches) =>
            matches && entry.stored !== undefined
              ? Effect.as(this.takeInvalidated([entry]), true)
              : Effect.succeed(false)
          )
        )
      })
    )
  }

  get invalidateAll(): Effect.Effect<void> {
    return Effect.uninterruptible(this.suspendWhileOpen(() => {
      for (const load of this.refreshes) load.outdated = true
      const now = this.now()
      const entries: Array<Entry<Key, A, E>> = []
      for (const entry of this.entries.values()) {
        if (this.isPast(entry, now)) this.expire(entry)
        else if (this.isPresent(entry, now)) entries.push(entry)
        else this.takeDead(entry)
      }
      return this.takeInvalidated(entries)
    }))
  }

  /** Takes out pending and live entries, and waits until their resources are closed. */
  private takeInvalidated(entries: ReadonlyArray<Entry<Key, A, E>>): Effect.Effect<void> {
    const scopes: Array<Scope.Closeable> = []
    for (const entry of entries) {
      if (entry.load !== undefined) {
        this.detach(entry.load)
        continue
      }
      const scope = this.takeScope(entry)
      if (scope !== undefined) scopes.push(scope)
      this.take(entry, "invalidated")
    }
    if (scopes.length === 0) return Effect.void
    // Finalizers may call the cache, so take out all entries before the first finalizer runs.
    const closing = scopes.map((scope) => this.background.run(Scope.close(scope, Exit.void)))
    return Effect.flatMap(Fiber.awaitAll(closing), Exit.asVoidAll)
  }

  private expire(entry: Entry<Key, A, E>): void {
    if (entry.stored === "value") this.expired++
    const scope = this.takeScope(entry)
    this.take(entry, "expired")
    this.closeInBackground(scope)
  }

  /** Takes out an entry whose value has been collected, before the heap's clean-up runs. */
  private takeDead(entry: Entry<Key, A, E>): void {
    this.collected++
    this.take(entry, "collected")
  }

  /**
   * Takes an entry out of the map, the expiry queue and the strong front. Does not close the resource. Either the
   * caller or the clean-up of the handle must close the resource.
   */
  private take(entry: Entry<Key, A, E>, cause: RemovalCause | undefined): void {
    this.entries.delete(entry.key)
    this.expiry.remove(entry)
    const exit = this.forget(entry)
    if (entry.stored === "value") {
      this.alive--
      if (cause === "replaced") this.replaced++
      else if (cause === "invalidated") this.invalidated++
      if (cause !== undefined) this.removals.report(entry.key, cause)
    }
    entry.stored = undefined
    if (entry.scope === undefined) this.unregister(entry)
    else if (exit !== undefined && Exit.isSuccess(exit)) this.weaken(entry, exit.value)
    this.stopTimerIfDone()
  }

  private unregister(entry: Entry<Key, A, E>): void {
    if (entry.ref === undefined) return
    this.registry.unregister(entry)
    entry.ref = undefined
  }

  /** Runs as the heap's clean-up after the value of an entry has been collected. */
  private finalize(entry: Entry<Key, A, E>): void {
    // A clean-up can run late. By then the entry may have a live value again.
    if (entry.exit !== undefined || entry.ref?.deref() !== undefined) return
    const scope = this.takeScope(entry)
    if (entry.stored !== undefined) {
      this.collected++
      this.take(entry, "collected")
    }
    this.closeInBackground(scope)
  }

  // resources

  /** Keeps a resource open until its handle is collected. The entry of the handle is not in the map. */
  private track(entry: Entry<Key, A, E>, handle: A, scope: Scope.Closeable): void {
    entry.scope = scope
    this.open.add(entry)
    this.weaken(entry, handle)
  }

  /** Removes the Scope from an entry and returns the Scope. The caller must close the Scope. */
  private takeScope(entry: Entry<Key, A, E>): Scope.Closeable | undefined {
    const { scope } = entry
    if (scope === undefined) return undefined
    entry.scope = undefined
    this.open.delete(entry)
    this.unregister(entry)
    return scope
  }

  private closeInBackground(scope: Scope.Closeable | undefined): void {
    if (scope === undefined) return
    this.background.run(Effect.ignoreCause(Scope.close(scope, Exit.void), {
      log: "Unhandled",
      message: "Unhandled error in a finalizer of a WeakCache's resource"
    }))
  }

  // time

  /** Releases one slice of expired and idle entries. Called by the timer. */
  releaseExpired(): number {
    const now = this.now()
    const { idleTimeToLive } = this.config
    for (let left = sliceOfTimer; left > 0; left--) {
      const { first } = this.expiry
      const { oldest } = this.front
      if (first !== undefined && this.isPast(first, now)) this.expire(first)
      else if (oldest !== undefined && now >= oldest.usedAt + idleTimeToLive) this.release(oldest)
      else break
    }
    return Math.min(this.expiry.first?.expiresAt ?? Infinity, (this.front.oldest?.usedAt ?? Infinity) + idleTimeToLive)
  }

  private stopTimerIfDone(): void {
    if (this.expiry.first !== undefined) return
    if (this.config.idleTimeToLive === Infinity || this.front.oldest === undefined) this.timer.stop()
  }

  // closing

  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.withFiber((current) => {
      this.closed = true
      this.timer.stop()
      const lookups: Array<Fiber.Fiber<A, E>> = []
      for (const load of this.running) {
        this.detach(load)
        if (load.fiber !== undefined) lookups.push(load.fiber)
      }
      for (const entry of this.entries.values()) this.clear(entry)
      this.entries.clear()
      const scopes = Array.from(this.open, (entry) => this.takeScope(entry)!)
      for (const fiber of lookups) fiber.interruptUnsafe(current.id)
      return Effect.andThen(
        // Skip the current fiber, because a lookup may close the cache.
        Fiber.awaitAll(lookups.filter((fiber) => fiber !== current)),
        Effect.suspend(() => {
          const closing = scopes.map((scope) => this.background.run(Scope.close(scope, exit)))
          return Effect.andThen(this.background.wait, Effect.flatMap(Fiber.awaitAll(closing), Exit.asVoidAll))
        })
      )
    })
  }

  private clear(entry: Entry<Key, A, E>): void {
    this.expiry.remove(entry)
    this.forget(entry)
    if (entry.stored === "value") this.alive--
    entry.stored = undefined
    if (entry.scope === undefined) this.unregister(entry)
  }

  private isSame(self: Key, that: Key): boolean {
    return self === that || Object.is(self, that) || (this.config.compare === "structural" && Equal.equals(self, that))
  }

  private whileOpen<B>(f: () => B): Effect.Effect<B> {
    return this.suspendWhileOpen(() => Effect.succeed(f()))
  }

  private suspendWhileOpen<B>(f: () => Effect.Effect<B>): Effect.Effect<B> {
    return Effect.suspend(() => this.closed ? Effect.interrupt : f())
  }
}

/** The weight of a result, and its time to live in milliseconds. */
interface Terms {
  readonly weight: number
  readonly millis: number
}

/** Throws if a capacity is invalid. */
export const checkCapacity = (capacity: number): void => {
  if (capacity === Infinity || (Number.isInteger(capacity) && capacity >= 0)) return
  throw new RangeError(`capacity must be a non-negative integer or Infinity, got ${format(capacity)}`)
}
