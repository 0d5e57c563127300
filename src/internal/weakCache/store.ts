/**
 * The entries of a `WeakCache`: the table of all entries, the strong front, the queue of those that
 * expire, and the registry of those that are held weakly. `entry.ts` lists the states of an entry;
 * only this module and the start of a lookup change them.
 *
 * No method runs code of the user, except for comparing keys, and none that changes the store does. A clean-up can run after its entry has
 * been replaced, so it reads the entry and never looks up the key.
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Heap } from "../../Heap.ts"
import type { RemovalCause } from "../../WeakCache.ts"
import { inSlices, makeRegistry } from "../registry.ts"
import type { Background, Removals } from "./background.ts"
import type { Counters } from "./counters.ts"
import {
  type Entry,
  Extra,
  isWeak,
  storesValue,
  StrongEntry,
  valueOf,
  type WeakEntry,
  weakEntryClass
} from "./entry.ts"
import { type Keyed, LiveEntries, ReferenceTable, sketchHash, StructuralTable, type Table } from "./entryTable.ts"
import { ExpiryQueue } from "./expiry.ts"
import { IdleQueue } from "./idle.ts"
import type { Resource, Resources } from "./resources.ts"
import { StrongFront } from "./strongFront.ts"
import { type Sleeper, timeOf, Timer } from "./timer.ts"
import { Turn } from "./turn.ts"

/** The maximum number of entries that one wake-up of the timer removes. */
const sliceOfTimer = 4096

/** The maximum number of clean-ups in one turn. */
const sliceOfCleanup = 8192

export interface StoreConfig {
  readonly heap: Heap
  readonly clock: Clock.Clock
  readonly context: Context.Context<never>
  readonly capacity: number
  readonly maxWeight: number
  readonly idleTimeToLive: number
  readonly refreshAfter: number
  readonly compare: "structural" | "reference" | undefined
}

/** The weight of a result, and its time to live in milliseconds. */
export interface Terms {
  readonly weight: number
  readonly timeToLive: number
}

/** Where a result will be stored: its key with the hash, and the pending or live entry of an equal key. */
export interface Place<Key, A extends WeakKey, E> {
  readonly key: Key
  readonly hash: number | undefined
  readonly entry: Entry<Key, A, E> | undefined
}

/** Creates an empty map from keys. */
export const makeTable = <Key, V extends Keyed<Key>>(compare: StoreConfig["compare"]): Table<Key, V> =>
  compare === "reference" ? new ReferenceTable<Key, V>() : new StructuralTable<Key, V>()

const isDue = (time: number | undefined, now: number): boolean => time !== undefined && now >= time

const weightOf = <A extends WeakKey, E>(entry: Entry<unknown, A, E>): number => entry.extra?.weight ?? 1

const weakOf = <Key, A extends WeakKey, E>(entry: Entry<Key, A, E>): WeakEntry<Key, A, E> | undefined =>
  isWeak(entry) ? entry : entry.weak

/** Moves the extra of one form of an entry to the other. */
const move = <Key, A extends WeakKey, E>(from: Entry<Key, A, E>, to: Entry<Key, A, E>): void => {
  const { extra } = from
  if (extra === undefined) return
  extra.entry = to
  to.extra = extra
  from.extra = undefined
}

const idleOf = (backgrounds: ReadonlyArray<Background>): Promise<unknown> | undefined => {
  const promises = backgrounds.flatMap((background) => background.idle ?? [])
  return promises.length === 0 ? undefined : Promise.all(promises)
}

export class Store<Key, A extends WeakKey, E> {
  readonly turn: Turn
  readonly front: StrongFront<StrongEntry<Key, A, E>>
  /** What a read has found due for a refresh. The reader resets it. */
  due: Extra<Key, A, E> | undefined = undefined
  readonly #clock: Clock.Clock
  readonly #heap: Heap
  readonly #WeakEntry: ReturnType<typeof weakEntryClass>
  readonly #idleTimeToLive: number
  readonly #refreshAfter: number
  /** Whether every entry has a time. Else only an entry with an expiry has one. */
  readonly #isTimed: boolean
  readonly #table: Table<Key, Entry<Key, A, E>>
  readonly #counters: Counters
  readonly #resources: Resources<Key, A, E>
  readonly #removals: Removals<Key>
  readonly #expiry = new ExpiryQueue<Extra<Key, A, E>>()
  readonly #idle: IdleQueue<Extra<Key, A, E>>
  readonly #backgrounds: ReadonlyArray<Background>
  #registry: FinalizationRegistry<WeakEntry<Key, A, E>>
  /** Live and stale registrations in `registry`. */
  #registered = 0
  readonly #timer: Timer
  /** The cache, which the timer holds weakly. */
  readonly #sleeper: Sleeper

  constructor(
    config: StoreConfig,
    table: Table<Key, Entry<Key, A, E>>,
    counters: Counters,
    resources: Resources<Key, A, E>,
    removals: Removals<Key>,
    backgrounds: ReadonlyArray<Background>,
    sleeper: Sleeper
  ) {
    this.#sleeper = sleeper
    this.#clock = config.clock
    this.#heap = config.heap
    this.#WeakEntry = weakEntryClass(config.heap)
    this.#backgrounds = backgrounds
    this.#idleTimeToLive = config.idleTimeToLive
    this.#refreshAfter = config.refreshAfter
    this.#isTimed = config.idleTimeToLive !== Infinity || config.refreshAfter !== Infinity
    this.#table = table
    this.#counters = counters
    this.#resources = resources
    this.#removals = removals
    this.turn = new Turn(config.maxWeight)
    this.front = new StrongFront<StrongEntry<Key, A, E>>(
      config.idleTimeToLive > 0 ? config.capacity : 0,
      config.maxWeight,
      sketchHash
    )
    this.#idle = new IdleQueue(config.idleTimeToLive)
    // Without the Scope, because the Scope holds the cache.
    this.#timer = new Timer(config.heap, config.clock, Context.omit(Scope.Scope)(config.context))
    this.#registry = this.#newRegistry()
  }

  get size(): number {
    return this.#table.size
  }

  now(): number {
    return timeOf(this.#clock)
  }

  // Reading

  /** Returns the stored result of a key, and marks the entry as used. The hot path: O(1), dereferences a weak value. */
  read(key: Key): Exit.Exit<A, E> | undefined {
    const entry = this.#table.get(key)
    if (entry === undefined) return undefined
    const { exit, extra } = entry
    if (extra !== undefined || this.#isTimed) return this.#readTimed(entry, extra)
    if (exit === undefined) return this.#readWeak(entry, 0)
    this.front.use(entry)
    this.#counters.hits++
    return exit
  }

  #readTimed(entry: Entry<Key, A, E>, extra: Extra<Key, A, E> | undefined): Exit.Exit<A, E> | undefined {
    const now = this.#isTimed || extra?.expiresAt !== undefined ? this.now() : 0
    if (isDue(extra?.expiresAt, now)) return undefined
    const exit = this.#readPresent(entry, now)
    if (exit !== undefined && isDue(extra?.refreshesAt, now)) this.due = extra
    return exit
  }

  #readPresent(entry: Entry<Key, A, E>, now: number): Exit.Exit<A, E> | undefined {
    const { exit } = entry
    if (exit === undefined) return this.#readWeak(entry, now)
    if (entry.extra?.idle !== undefined) entry.extra.idle.usedAt = now
    this.front.use(entry)
    this.#counters.hits++
    return exit
  }

  #readWeak(entry: Entry<Key, A, E>, now: number): Exit.Exit<A, E> | undefined {
    const value = valueOf(entry)
    if (value === undefined) return undefined
    this.#counters.hits++
    const exit = Exit.succeed(value)
    if (this.front.admits(weightOf(entry))) this.#promote(entry, exit, now)
    return exit
  }

  /** As `read`, for an entry that `current` has just returned and that is not pending. */
  readCurrent(entry: Entry<Key, A, E>): Exit.Exit<A, E> {
    return this.#readPresent(entry, this.now())!
  }

  /** Returns the pending or live entry of a key. Removes an expired or dead entry. Dereferences. */
  current(key: Key): Entry<Key, A, E> | undefined {
    const entry = this.#table.get(key)
    if (entry === undefined) return undefined
    if (this.#hasExpired(entry)) this.#expire(entry)
    else if (this.#isPresent(entry)) return entry
    else this.#reclaim(entry)
    return undefined
  }

  /** Returns the live value of a key, without marking it as used. Dereferences. */
  peek(key: Key): A | undefined {
    const entry = this.#table.get(key)
    return entry === undefined || this.#hasExpired(entry) ? undefined : valueOf(entry)
  }

  keys(): Iterable<Key> {
    return new LiveEntries(
      this.#table,
      (entry) => !this.#hasExpired(entry) && this.#isPresent(entry) ? { item: entry.key } : undefined
    )
  }

  pairs(): Iterable<[Key, A]> {
    return new LiveEntries(this.#table, (entry) => {
      const value = this.#hasExpired(entry) ? undefined : valueOf(entry)
      return value === undefined ? undefined : { item: [entry.key, value] }
    })
  }

  #hasExpired(entry: Entry<Key, A, E>): boolean {
    const expiresAt = entry.extra?.expiresAt
    return expiresAt !== undefined && this.now() >= expiresAt
  }

  #isPresent(entry: Entry<Key, A, E>): boolean {
    return !isWeak(entry) || entry.deref() !== undefined
  }

  /** Returns the entry of the table that has the same result as an earlier entry, or `undefined` if that was removed. O(1). */
  presentOf(entry: Entry<Key, A, E>): Entry<Key, A, E> | undefined {
    const present = this.#table.at(entry.key)
    if (present === undefined || present === entry) return present
    const weak = weakOf(present)
    return weak !== undefined && weak === weakOf(entry) ? present : undefined
  }

  /** Restarts the time after which a read refreshes an entry. Returns the key, or nothing if the entry has been removed. */
  refreshed(due: Extra<Key, A, E>): { readonly key: Key } | undefined {
    const { entry } = due
    if (this.#table.at(entry.key) !== entry) return undefined
    due.refreshesAt = this.now() + this.#refreshAfter
    return entry
  }

  // Pending entries

  /** Adds a new entry. Replaces the entry of its key, if there is one. */
  begin(entry: StrongEntry<Key, A, E>): void {
    // The code of the user that hashed or compared the key may have added the key.
    const same = this.#table.at(entry.key)
    if (same?.lookup !== undefined) this.detach(same)
    else if (same !== undefined) this.#replace(same)
    this.#table.add(entry)
  }

  /** Removes a pending entry. Its lookup goes on, and does not store its result. */
  detach(entry: StrongEntry<Key, A, E>): void {
    // First, because the stack may be full: an entry of the table without its lookup would be broken for good.
    this.#table.delete(entry)
    const { lookup } = entry
    if (lookup !== undefined) {
      lookup.isWanted = false
      lookup.entry = undefined
    }
    entry.lookup = undefined
  }

  // Storing

  /** Returns the hash of a key for a new entry. Runs code of the user, which may throw. */
  hashOf(key: Key): number | undefined {
    return this.#table.hashOf(key)
  }

  /** Finds the place for a result that has no pending entry. Runs code of the user, which may throw. */
  placeOf(key: Key): Place<Key, A, E> {
    const hash = this.hashOf(key)
    return { key, hash, entry: this.current(key) }
  }

  /**
   * Stores a result. Replaces the entry of the key, unless it is the pending entry of this result. Returns `false` if
   * the time to live is zero; then the key has no entry. O(1), or O(log n) with a time to live.
   */
  insert(
    { entry: known, hash, key }: Place<Key, A, E>,
    exit: Exit.Exit<A, E>,
    { timeToLive, weight }: Terms,
    resource: Resource | undefined,
    pending: StrongEntry<Key, A, E> | undefined
  ): boolean {
    const isStored = timeToLive > 0
    let entry = known
    if (entry?.lookup !== undefined && entry !== pending) {
      this.detach(entry)
      entry = undefined
    }
    if (entry !== undefined && entry !== pending) {
      const isSame = isStored && resource === undefined && Exit.isSuccess(exit) && valueOf(entry) === exit.value
      if (isSame) {
        // The same object stays, but the sums of the counters count it again.
        this.#takeOut(entry)
        this.#counters.removed("replaced")
      } else {
        this.#replace(entry)
        entry = undefined
      }
    }
    if (!isStored) {
      if (pending !== undefined) this.detach(pending)
      return false
    }
    if (entry === undefined) {
      entry = new StrongEntry<Key, A, E>(key, hash)
      this.begin(entry)
    }
    if (!isWeak(entry)) entry.lookup = undefined
    if (Exit.isSuccess(exit)) this.#counters.size++
    const now = timeToLive !== Infinity || this.#isTimed ? this.now() : 0
    this.#setExtra(
      entry,
      weight,
      resource,
      timeToLive === Infinity ? undefined : now + timeToLive,
      Exit.isSuccess(exit) && this.#refreshAfter !== Infinity ? now + this.#refreshAfter : undefined
    )
    if (this.front.admits(weight)) this.#promote(entry, exit, now)
    else if (Exit.isSuccess(exit)) this.#weaken(entry, exit.value)
    else this.#remove(entry, undefined)
    return true
  }

  /** Sets what few entries have. An entry of the same value keeps its resource. */
  #setExtra(
    entry: Entry<Key, A, E>,
    weight: number,
    resource: Resource | undefined,
    expiresAt: number | undefined,
    refreshesAt: number | undefined
  ): void {
    if (!isWeak(entry)) entry.weight = weight
    const isPlain = weight === 1 && resource === undefined && expiresAt === undefined && refreshesAt === undefined
    if (isPlain && entry.extra === undefined) return
    const extra = entry.extra ??= new Extra<Key, A, E>(entry)
    extra.weight = weight
    extra.expiresAt = expiresAt
    extra.refreshesAt = refreshesAt
    if (resource !== undefined) this.#resources.add(extra, resource)
    if (expiresAt === undefined) return
    this.#expiry.add(extra)
    this.#timer.wakeAt(expiresAt, this.#sleeper)
  }

  /** Inserts an entry into the strong front, which must admit the entry. */
  #promote(entry: Entry<Key, A, E>, exit: Exit.Exit<A, E>, now: number): void {
    const strong = isWeak(entry) ? this.#strengthen(entry) : entry
    strong.exit = exit
    this.front.add(strong)
    if (this.#idleTimeToLive !== Infinity) {
      this.#idle.add(strong.extra ??= new Extra<Key, A, E>(strong), now)
      this.#timer.wakeAt(this.#idle.wakesAt, this.#sleeper)
    }
    this.#demoteExcess()
  }

  #strengthen(weak: WeakEntry<Key, A, E>): StrongEntry<Key, A, E> {
    const strong = new StrongEntry<Key, A, E>(weak.key, weak.hash)
    strong.weak = weak
    strong.weight = weightOf(weak)
    move(weak, strong)
    this.#table.replace(weak, strong)
    return strong
  }

  #demoteExcess(): void {
    while (this.front.isOver()) this.#demote(this.front.victim())
  }

  /** Moves an entry out of the strong front. A value stays in the table until it is collected. A failure is removed. */
  #demote(entry: StrongEntry<Key, A, E>): void {
    const exit = entry.exit!
    this.#counters.demoted++
    if (Exit.isFailure(exit)) return this.#remove(entry, undefined)
    this.front.remove(entry)
    this.#idle.remove(entry.extra)
    entry.exit = undefined
    this.#weaken(entry, exit.value)
  }

  /** Holds the value of an entry of the table weakly. */
  #weaken(entry: Entry<Key, A, E>, value: A): void {
    const weak = this.#watch(entry, value)
    if (weak !== entry) this.#table.replace(entry, weak)
  }

  /** Returns the weak form of an entry, whose clean-up is registered. */
  #watch(entry: Entry<Key, A, E>, value: A): WeakEntry<Key, A, E> {
    this.turn.add(weightOf(entry), entry.extra?.resource !== undefined)
    const known = weakOf(entry)
    // On a `TestHeap`, the old reference can be dead although the value is live. The test decides what is collected.
    const isKnown = known?.deref() === value
    const weak = isKnown ? known! : new this.#WeakEntry<Key, A, E>(value, entry.key, entry.hash)
    if (weak !== entry) {
      move(entry, weak)
      if (!isWeak(entry)) entry.weak = weak
    }
    if (!isKnown) this.#register(value, weak)
    return weak
  }

  /** Keeps a resource open until its handle is collected, without an entry in the table. */
  watchUnstored(key: Key, handle: A, resource: Resource): void {
    const entry = new StrongEntry<Key, A, E>(key, undefined)
    this.#resources.add(entry.extra = new Extra<Key, A, E>(entry), resource)
    this.#watch(entry, handle)
  }

  /** Sets the capacity for good, and demotes entries above it. O(number of demoted entries). */
  setCapacity(capacity: number): void {
    this.front.capacity = this.#idleTimeToLive > 0 ? capacity : 0
    this.#demoteExcess()
    this.#stopTimerIfDone()
  }

  /** Demotes entries until `capacity` are left, once. O(number of demoted entries). */
  trim(capacity: number): void {
    while (this.front.size > capacity) this.#demote(this.front.victim())
    this.#stopTimerIfDone()
  }

  // Removing

  /** Returns all pending and live entries. Removes the others. O(n). */
  presentEntries(): ReadonlyArray<Entry<Key, A, E>> {
    const entries: Array<Entry<Key, A, E>> = []
    for (const entry of this.#table.values()) {
      if (this.#hasExpired(entry)) this.#expire(entry)
      else if (this.#isPresent(entry)) entries.push(entry)
      else this.#reclaim(entry)
    }
    return entries
  }

  /** Removes an entry that is not pending. Returns its resource, which the caller must close. O(log n) or O(1). */
  invalidate(entry: Entry<Key, A, E>): Resource | undefined {
    const resource = this.#resources.take(entry.extra)
    this.#remove(entry, "invalidated")
    return resource
  }

  /** The resource of a replaced handle stays open until the handle is collected. */
  #replace(entry: Entry<Key, A, E>): void {
    this.#remove(entry, "replaced")
  }

  #expire(entry: Entry<Key, A, E>): void {
    const resource = this.#resources.take(entry.extra)
    this.#remove(entry, "expired")
    if (resource !== undefined) this.#resources.closeLater(resource)
  }

  /** Removes an entry whose value has been collected. If the handle has a resource, the clean-up closes it. */
  #reclaim(entry: Entry<Key, A, E>): void {
    this.#remove(entry, "collected")
  }

  /**
   * Removes an entry that stores a result. A value has a cause, a failure has none. Does not close the resource: if
   * the entry still has one, the clean-up of the handle closes it.
   */
  #remove(entry: Entry<Key, A, E>, cause: RemovalCause | undefined): void {
    const isValue = storesValue(entry)
    this.#table.delete(entry)
    const exit = this.#takeOut(entry)
    if (isValue && cause !== undefined) {
      this.#counters.removed(cause)
      this.#removals.report(entry.key, cause)
    }
    if (entry.extra?.resource === undefined) this.#unregister(entry)
    else if (exit !== undefined && Exit.isSuccess(exit)) this.#watch(entry, exit.value)
    this.#stopTimerIfDone()
  }

  /** Takes an entry out of the queue and of the strong front. Returns its exit if it was in the front. */
  #takeOut(entry: Entry<Key, A, E>): Exit.Exit<A, E> | undefined {
    if (entry.extra !== undefined) this.#expiry.remove(entry.extra)
    const { exit } = entry
    if (exit === undefined) return undefined
    this.front.remove(entry)
    this.#idle.remove(entry.extra)
    entry.exit = undefined
    return exit
  }

  // Registrations

  #newRegistry(): FinalizationRegistry<WeakEntry<Key, A, E>> {
    this.#registered = 0
    const finalize = inSlices<WeakEntry<Key, A, E>>(sliceOfCleanup, (entry) => {
      // A replaced registry may still run clean-ups, which must not count for the new registry.
      if (this.#registry === registry) this.#registered--
      this.#finalize(entry)
    })
    const registry = makeRegistry<WeakEntry<Key, A, E>>(
      this.#heap,
      (entry) => finalize(entry) ?? idleOf(this.#backgrounds)
    )
    return registry
  }

  #register(value: A, weak: WeakEntry<Key, A, E>): void {
    this.#registry.register(value, weak)
    this.#registered++
  }

  /** Releases what a registration holds. A registration without a token takes 42 bytes less, but it cannot be cancelled. */
  #unregister(entry: Entry<Key, A, E>): void {
    const weak = weakOf(entry)
    if (weak === undefined) return
    // The cast is safe: a removed entry is only compared.
    weak.key = undefined as Key
    weak.extra = undefined
    this.#renewIfStale()
  }

  /** Replaces the registry if most of its registrations are stale. O(1), amortized. */
  #renewIfStale(): void {
    if (this.#registered <= 2 * (this.#table.size + this.#resources.size) + 8) return
    this.#registry = this.#newRegistry()
    for (const extra of this.#resources.extras()) {
      if (this.#table.at(extra.entry.key) !== extra.entry) this.#renew(extra.entry)
    }
    for (const entry of this.#table.values()) this.#renew(entry)
  }

  #renew(entry: Entry<Key, A, E>): void {
    const weak = weakOf(entry)
    if (weak === undefined) return
    const value = weak.deref()
    if (value === undefined) this.#finalize(weak)
    else this.#register(value, weak)
  }

  /** Runs as the heap's clean-up after the value of a weak entry has been collected. */
  #finalize(weak: WeakEntry<Key, A, E>): void {
    // A clean-up can run late. By then the entry may have the strong form, or it has been removed.
    if (weak.deref() !== undefined) return
    const resource = this.#resources.take(weak.extra)
    if (this.#table.at(weak.key) === weak) this.#reclaim(weak)
    if (resource !== undefined) this.#resources.closeLater(resource)
  }

  /** Removes all entries without reporting them. Returns all open resources, which the caller must close. O(n). */
  clear(): ReadonlyArray<Resource> {
    this.#timer.stop()
    for (const entry of this.#table.values()) {
      if (storesValue(entry)) this.#counters.removed("invalidated")
      this.#takeOut(entry)
    }
    this.#table.clear()
    // Drops all registrations.
    this.#registry = this.#newRegistry()
    return this.#resources.extras().map((extra) => this.#resources.take(extra)!)
  }

  // Time

  /**
   * Expires and demotes one slice of the entries that are due. Returns the next wake-up time of the timer: now or
   * earlier if more are due, and `Infinity` if nothing waits.
   */
  removeExpired(): number {
    const now = this.now()
    for (let left = sliceOfTimer; left > 0; left--) {
      const { first } = this.#expiry
      if (first !== undefined && isDue(first.expiresAt, now)) {
        this.#expire(first.entry)
        continue
      }
      const idle = this.#idle.due(now)
      if (idle === undefined) break
      // Only entries in the strong front are idle.
      this.#demote(idle.entry as StrongEntry<Key, A, E>)
    }
    return Math.min(this.#expiry.first?.expiresAt ?? Infinity, this.#idle.wakesAt)
  }

  #stopTimerIfDone(): void {
    if (this.#expiry.first !== undefined) return
    if (this.#idle.wakesAt === Infinity) this.#timer.stop()
  }
}
