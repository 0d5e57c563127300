/**
 * The running lookups of a `WeakCache`. A lookup runs in its own fiber, because the first waiter can
 * be interrupted while others wait.
 *
 * Hazards:
 *
 * - An ended fiber keeps its exit, and much can keep the fiber: a listener that captured the `resume`
 *   of `Effect.callback`, a child fiber, a scoped log annotation. So the fiber of a lookup returns
 *   nothing. The exit is handed over in the `Lookup`, which forgets it when the last waiter has it.
 * - A stack overflow can end a lookup between any two steps. `isBroken` finds such a lookup when its key is read, and
 *   `failLost` when the stack is shallow again.
 * - A waiter that belongs to a lookup itself never waits for the end of another lookup's fiber,
 *   because lookups that wait for each other through child fibers would then wait for ever.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { format } from "effect/Formatter"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { isWeakReferenceable } from "../../Heap.ts"
import { NotWeakReferenceableError } from "../../WeakError.ts"
import { isSynchronous } from "../effectInternals.ts"
import type { Counters } from "./counters.ts"
import { type Entry, StrongEntry } from "./entry.ts"
import type { Table } from "./entryTable.ts"
import type { Place, Store, Terms } from "./store.ts"
import { endTurn } from "./turn.ts"
import { withWork, Work, workOf } from "./work.ts"

/** The lookup of the user. A lookup of `makeScoped` acquires its resource in the Scope that it receives. */
export type LookupFunction<Key, A, E> =
  | { readonly isScoped: false; readonly run: (key: Key) => Effect.Effect<A, E, unknown> }
  | { readonly isScoped: true; readonly run: (key: Key, scope: Scope.Scope) => Effect.Effect<A, E, unknown> }

export interface LookupsConfig<Key, A extends WeakKey, E> {
  readonly clock: { monotonicTimeNanosUnsafe(): bigint }
  readonly context: Context.Context<never>
  readonly lookup: LookupFunction<Key, A, E>
  /** Whether lookups need services of the operation that starts them. */
  readonly requiresServices: boolean
  readonly timeToLive: ((exit: Exit.Exit<A, E>, key: Key) => Duration.Input) | undefined
  readonly weigh: ((value: A, key: Key) => number) | undefined
  /** Called with the duration of every lookup that succeeded or failed. */
  readonly onLoad: ((nanos: bigint) => void) | undefined
}

export class Lookup<Key, A extends WeakKey, E> {
  readonly key: Key
  readonly work = new Work()
  /** The pending entry of this lookup. `undefined` for a refresh of an existing entry, and once the entry is not pending. */
  entry: StrongEntry<Key, A, E> | undefined = undefined
  /** Whether the result is to be stored. Something newer has happened to the key if not. */
  isWanted = true
  /** Whether a refresh started the lookup. */
  readonly isRefresh: boolean
  /** Whether the lookup goes on without waiters. */
  readonly isBackground: boolean
  /** Whether `Lookups.start` is on the stack. */
  isStarting = false
  /** Whether the waiters have the exit. */
  hasEnded = false
  /** Whether the cache was closed during the lookup. */
  isCancelled = false
  fiber: Fiber.Fiber<void> | undefined = undefined
  exit: Exit.Exit<A, E> | undefined = undefined
  /** The number of waiters, including those whose fibers have not begun to wait or have not received the exit. */
  waiters = 0
  readonly resumes = new Set<(exit: Effect.Effect<A, E>) => void>()
  /** What the table of the refreshes needs to find the key. */
  readonly hash: number | undefined
  /** The next in the list of the lost lookups. */
  nextLost: Lookup<Key, A, E> | undefined = undefined

  constructor(key: Key, hash: number | undefined, isRefresh: boolean, isBackground: boolean) {
    this.key = key
    this.hash = hash
    this.isRefresh = isRefresh
    this.isBackground = isBackground
  }
}

/** How deep lookups start or end in one another before the next one does so from a shallow stack. */
const deepest = 32

/** How many calls of `Lookups.start` are on the stack, and how many were since the stack was last empty of them. */
let depth = 0
let reached = 0

/** How much stack a lookup must have left: this many frames, some 50 kB. */
const framesLeft = 1000

/**
 * The same for a result that is stored, because an overflow in the middle would leave an entry without a result for good.
 * At least four times what storing needs, for less than a tenth of the time of a load.
 */
const framesToStore = 64

const descend = (frames: number): number => frames === 0 ? 0 : descend(frames - 1) + 1

/**
 * Throws a `RangeError` if the stack is nearly full. An overflow at this place, before any change, can be handled,
 * whereas one inside a fiber leaves the fiber without an end, and its parent waits for it for ever. Costs O(1).
 */
const checkStack = (): void => {
  if (depth > deepest) descend(framesLeft)
}

/** How many calls of `wake` are on the stack, and the acts that wait for the outermost one. */
let waking = 0
let waiting: Array<() => void> = []

/**
 * Resumes the waiters of a lookup, or interrupts a lookup. Each can end the next lookup at once, so a chain of lookups
 * must not use up the stack.
 */
const wake = (act: () => void): void => {
  if (waking >= deepest) return void waiting.push(act)
  waking++
  try {
    act()
    if (waking > 1) return
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      for (const next of batch) next()
    }
  } finally {
    waking--
  }
}

type Restore = <B, E2, R2>(effect: Effect.Effect<B, E2, R2>) => Effect.Effect<B, E2, R2>

export class Lookups<Key, A extends WeakKey, E> {
  readonly #config: LookupsConfig<Key, A, E>
  readonly #store: Store<Key, A, E>
  readonly #counters: Counters
  readonly #running = new Set<Lookup<Key, A, E>>()
  /** The refreshes whose results are wanted. */
  readonly #refreshes: Table<Key, Lookup<Key, A, E>>
  /** The first in the list of the lookups that could not be started, because the stack overflowed. */
  #lost: Lookup<Key, A, E> | undefined = undefined

  constructor(
    config: LookupsConfig<Key, A, E>,
    store: Store<Key, A, E>,
    counters: Counters,
    refreshes: Table<Key, Lookup<Key, A, E>>
  ) {
    this.#config = config
    this.#store = store
    this.#counters = counters
    this.#refreshes = refreshes
  }

  /** Returns whether no lookup runs that `detachAll` has not seen. */
  get areDetached(): boolean {
    return Array.from(this.#running).every((lookup) => lookup.isCancelled)
  }

  /** Returns the running lookup of a key that will store its result: of a pending entry, or a refresh. */
  find(key: Key, entry: Entry<Key, A, E> | undefined): Lookup<Key, A, E> | undefined {
    const { lookup } = entry ?? {}
    if (lookup !== undefined) {
      if (!this.#isBroken(lookup)) return lookup
      this.#fail(lookup)
      return undefined
    }
    return entry === undefined ? this.#findRefresh(key) : undefined
  }

  #findRefresh(key: Key): Lookup<Key, A, E> | undefined {
    const lookup = this.#refreshes.size === 0 ? undefined : this.#refreshes.get(key)
    if (lookup === undefined || !this.#isBroken(lookup)) return lookup
    this.#fail(lookup)
    return undefined
  }

  /** Runs the lookup of a key that has no entry and no running lookup, and waits for it. */
  load(
    key: Key,
    waiter: Fiber.Fiber<unknown, unknown>,
    restore: Restore,
    isRefresh: boolean
  ): Effect.Effect<A, E> {
    checkStack()
    const hash = this.#store.hashOf(key)
    const lookup = new Lookup<Key, A, E>(key, hash, isRefresh, false)
    const entry = new StrongEntry<Key, A, E>(key, hash)
    entry.lookup = lookup
    lookup.entry = entry
    this.#store.begin(entry)
    return this.#startAndJoin(lookup, waiter, restore)
  }

  /** Waits for the refresh of a key, or starts one. The key must have an entry. */
  refresh(key: Key, waiter: Fiber.Fiber<unknown, unknown>, restore: Restore): Effect.Effect<A, E> {
    const running = this.#findRefresh(key)
    if (running !== undefined) return this.join(running, waiter, restore)
    checkStack()
    const lookup = new Lookup<Key, A, E>(key, this.#store.hashOf(key), true, false)
    this.#refreshes.add(lookup)
    return this.#startAndJoin(lookup, waiter, restore)
  }

  /** Starts the refresh of a key in the background, unless one is running. The key must have an entry. */
  refreshLater(key: Key, parent: Fiber.Fiber<unknown, unknown>): void {
    if (this.#findRefresh(key) !== undefined) return
    checkStack()
    const lookup = new Lookup<Key, A, E>(key, this.#store.hashOf(key), true, true)
    this.#refreshes.add(lookup)
    this.#start(lookup, parent)
  }

  #startAndJoin(
    lookup: Lookup<Key, A, E>,
    waiter: Fiber.Fiber<unknown, unknown>,
    restore: Restore
  ): Effect.Effect<A, E> {
    lookup.waiters++
    this.#start(lookup, waiter)
    if (!lookup.hasEnded) return this.#wait(lookup, waiter, restore)
    const exit = lookup.exit!
    this.#leave(lookup)
    return exit
  }

  #start(lookup: Lookup<Key, A, E>, parent: Fiber.Fiber<unknown, unknown>): void {
    const { work } = lookup
    work.begin(workOf(parent))
    work.key = lookup.key
    this.#running.add(lookup)
    let fiber: Fiber.Fiber<void> | undefined
    let isStarted = false
    lookup.isStarting = true
    depth++
    if (depth > reached) reached = depth
    try {
      fiber = Effect.runForkWith(this.#contextOf(work, parent))(
        this.#run(lookup, depth > deepest && !isSynchronous(parent.context))
      )
      lookup.fiber = fiber
      fiber.addObserver((exit) => this.#deliver(lookup, exit))
      isStarted = true
    } finally {
      // Only assignments, because the stack may have overflowed.
      depth--
      lookup.isStarting = false
      if (!isStarted) {
        lookup.fiber = fiber
        lookup.nextLost = this.#lost
        this.#lost = lookup
      }
      if (depth === 0) reached = 0
    }
    if (depth === 0) this.failLost()
  }

  /** Fails the lookups that a stack overflow has stopped. O(1) if there are none. */
  failLost(): void {
    while (this.#lost !== undefined) {
      const lookup = this.#lost
      this.#lost = lookup.nextLost
      if (!lookup.hasEnded) this.#fail(lookup)
    }
  }

  /** The services of the cache, and those of the operation that the lookup needs. */
  #contextOf(work: Work, parent: Fiber.Fiber<unknown, unknown>): Context.Context<unknown> {
    const { context, lookup, requiresServices } = this.#config
    // The finalizers of a resource hold the context of its lookup for as long as the resource is open.
    const own = lookup.isScoped && !requiresServices ? observing(parent.context) : parent.context
    // The types of `make` require the services of the lookup either there or in each operation.
    return withWork(Context.merge(context, own), work) as Context.Context<unknown>
  }

  #run(lookup: Lookup<Key, A, E>, isDeep: boolean): Effect.Effect<void, never, unknown> {
    const { clock, lookup: { isScoped }, onLoad } = this.#config
    const scope = isScoped ? Scope.makeUnsafe() : undefined
    const startedAt = onLoad === undefined ? undefined : clock.monotonicTimeNanosUnsafe()
    const acquired = Effect.suspend(() => this.#acquire(lookup, scope))
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber) => {
        lookup.work.fiber = fiber
        lookup.fiber = fiber as Fiber.Fiber<void>
        return Effect.flatMap(
          Effect.exit(restore(isDeep ? Effect.andThen(Effect.yieldNow, acquired) : acquired)),
          (exit) => {
            if (startedAt !== undefined && !Exit.hasInterrupts(exit)) {
              onLoad!(clock.monotonicTimeNanosUnsafe() - startedAt)
            }
            // Lookups that wait for each other can all end in one turn.
            return this.#store.turn.isFull && !isSynchronous(fiber.context)
              ? Effect.flatMap(endTurn, () => this.#settle(lookup, exit, scope))
              : this.#settle(lookup, exit, scope)
          }
        )
      })
    )
  }

  #acquire(lookup: Lookup<Key, A, E>, scope: Scope.Scope | undefined): Effect.Effect<A, E, unknown> {
    const user = this.#config.lookup
    try {
      return user.isScoped ? user.run(lookup.key, scope!) : user.run(lookup.key)
    } catch (error) {
      // A lookup that does not even return an effect is a mistake of the program, which is not cached.
      this.detach(lookup)
      throw error
    }
  }

  /** Stores the result of a lookup, at the end of its fiber. */
  #settle(
    lookup: Lookup<Key, A, E>,
    exit: Exit.Exit<A, E>,
    scope: Scope.Closeable | undefined
  ): Effect.Effect<void> {
    const counters = this.#counters
    const store = this.#store
    let terms: Terms | undefined
    let place: Place<Key, A, E> | undefined
    let result = exit
    try {
      if (!Exit.hasInterrupts(exit)) {
        terms = this.termsOf(exit, lookup.key)
        // Compares keys, so it is done before any change.
        if (lookup.isWanted && lookup.entry === undefined) place = store.placeOf(lookup.key)
      }
    } catch (error) {
      terms = undefined
      result = Exit.die(error)
    }
    if (!lookup.hasEnded) lookup.exit = result
    const { entry } = lookup
    if (entry !== undefined) place = { key: entry.key, hash: entry.hash, entry }
    // A stack overflow is not cached, because it says nothing about the key.
    const isStored = terms !== undefined && lookup.isWanted && (Exit.isSuccess(result) || !mayBeOverflow(result)) &&
      (entry !== undefined || this.#isKept(place!, result))
    if (Exit.isSuccess(result)) counters.loads++
    else if (Exit.hasInterrupts(result)) counters.interrupted++
    else counters.failures++
    if (!isStored) this.detach(lookup)
    this.#forget(lookup)
    const resource = scope !== undefined && Exit.isSuccess(result) ? { scope, work: lookup.work } : undefined
    const wasStored = isStored && store.insert(place!, result, terms!, resource, entry)
    if (Exit.isSuccess(result) && !wasStored) {
      counters.unstored++
      // Keeps the resource of an unstored handle open until the handle is collected.
      if (resource !== undefined && !lookup.isCancelled) store.watchUnstored(lookup.key, result.value, resource)
    }
    if (scope === undefined || (resource !== undefined && !lookup.isCancelled)) return Effect.void
    return Effect.flatMap(Effect.exit(Scope.close(scope, result)), (closed) =>
      Effect.sync(() => {
        // A lookup that succeeds here has been cancelled, so its waiters have left.
        if (lookup.hasEnded || Exit.isSuccess(result) || Exit.isSuccess(closed)) return
        lookup.exit = Exit.failCause(Cause.combine(result.cause, closed.cause))
      }))
  }

  /** A refresh that fails leaves a live value, and the lookup of a pending entry. */
  #isKept({ entry }: Place<Key, A, E>, exit: Exit.Exit<A, E>): boolean {
    return Exit.isSuccess(exit) || entry === undefined || (entry.exit !== undefined && Exit.isFailure(entry.exit))
  }

  /** Forgets a lookup that has been settled. */
  #forget(lookup: Lookup<Key, A, E>): void {
    this.#running.delete(lookup)
    this.#refreshes.delete(lookup)
    lookup.entry = undefined
  }

  /**
   * Runs the user's `weigh` and `timeToLive`. Called before any change, because both may throw or call the cache, and
   * because this throws if the stack is nearly full.
   */
  termsOf(exit: Exit.Exit<A, E>, key: Key): Terms {
    descend(framesToStore)
    const { timeToLive, weigh } = this.#config
    let weight = 1
    if (Exit.isSuccess(exit)) {
      const { value } = exit
      if (!isWeakReferenceable(value)) throw new NotWeakReferenceableError({ value })
      if (weigh !== undefined) weight = weigh(value, key)
      if (!(weight >= 0)) {
        throw new RangeError(`weigh must return a non-negative number, got ${format(weight)} for ${format(key)}`)
      }
    }
    return {
      weight,
      timeToLive: timeToLive === undefined
        ? Infinity
        : Duration.toMillis(Duration.fromInputUnsafe(timeToLive(exit, key)))
    }
  }

  /** Hands the exit of a lookup to its waiters, after its fiber has ended. */
  #deliver(lookup: Lookup<Key, A, E>, exit: Exit.Exit<void>): void {
    lookup.work.end()
    if (lookup.hasEnded) return
    if (lookup.exit === undefined) {
      // The fiber has ended without `settle`, for example because the stack overflowed.
      if (this.#running.delete(lookup)) this.#counters.failures++
      this.detach(lookup)
      this.#forget(lookup)
      // A fiber that succeeds has settled its lookup, so this one has failed.
      lookup.exit = exit as Exit.Failure<A, never>
    }
    this.#handOver(lookup, lookup.exit)
  }

  #handOver(lookup: Lookup<Key, A, E>, exit: Exit.Exit<A, E>): void {
    lookup.hasEnded = true
    lookup.fiber = undefined
    lookup.exit = lookup.waiters === 0 ? undefined : exit
    const resumes = Array.from(lookup.resumes)
    lookup.resumes.clear()
    wake(() => {
      for (const resume of resumes) resume(exit)
    })
  }

  /** Returns whether a lookup that is still found will never settle, because an error of the engine stopped it. */
  #isBroken(lookup: Lookup<Key, A, E>): boolean {
    return lookup.hasEnded ||
      (!lookup.isStarting && (lookup.fiber === undefined || lookup.fiber.pollUnsafe() !== undefined))
  }

  #fail(lookup: Lookup<Key, A, E>): void {
    this.#deliver(lookup, lookup.fiber?.pollUnsafe() ?? Exit.die(new Error("The lookup could not be started")))
  }

  /** Waits for a running lookup. Interrupts it if its last waiter is interrupted. */
  join(lookup: Lookup<Key, A, E>, waiter: Fiber.Fiber<unknown, unknown>, restore: Restore): Effect.Effect<A, E> {
    lookup.waiters++
    return this.#wait(lookup, waiter, restore)
  }

  #wait(
    lookup: Lookup<Key, A, E>,
    waiter: Fiber.Fiber<unknown, unknown>,
    restore: Restore
  ): Effect.Effect<A, E> {
    const work = workOf(waiter)
    const own = work?.fiber === waiter ? work : undefined
    if (own !== undefined) {
      for (let next: Work | undefined = lookup.work; next !== undefined; next = next.waitsFor) {
        if (next !== own) continue
        lookup.waiters--
        return Effect.die(
          new Error(`The lookup of ${format(own.key)} waits for itself: it gets ${format(lookup.key)} from the cache`)
        )
      }
      own.waitsFor = lookup.work
    }
    return Effect.onExit(
      restore(Effect.callback<A, E>((resume) => {
        if (lookup.hasEnded) return resume(lookup.exit!)
        lookup.resumes.add(resume)
        return Effect.sync(() => void lookup.resumes.delete(resume))
      })),
      () => {
        if (own !== undefined) own.waitsFor = undefined
        const fiber = this.#leave(lookup)
        // A closing cache waits for the fiber itself.
        return fiber === undefined || work !== undefined || lookup.isCancelled
          ? Effect.void
          : Effect.asVoid(Fiber.await(fiber))
      }
    )
  }

  /** Counts a waiter that has left. If it was the last, interrupts the lookup and returns the fiber. */
  #leave(lookup: Lookup<Key, A, E>): Fiber.Fiber<void> | undefined {
    lookup.waiters--
    if (lookup.waiters > 0) return undefined
    if (lookup.hasEnded) {
      lookup.exit = undefined
      return undefined
    }
    const { fiber } = lookup
    if (lookup.isBackground || fiber === undefined) return undefined
    // Detach first, so that a `get` during the finalizers of the lookup starts a new lookup.
    this.detach(lookup)
    wake(() => fiber.interruptUnsafe())
    return fiber
  }

  /** Removes the pending entry of a lookup. The waiters receive the result, but it is not stored. */
  detach(lookup: Lookup<Key, A, E>): void {
    lookup.isWanted = false
    this.#refreshes.delete(lookup)
    if (lookup.entry !== undefined) this.#store.detach(lookup.entry)
  }

  /** Returns the running refresh of a key, which must be detached if something newer happens to the key. O(1). */
  refreshOf(key: Key): Lookup<Key, A, E> | undefined {
    return this.#refreshes.size === 0 ? undefined : this.#refreshes.get(key)
  }

  /** Detaches all refreshes, because something newer has happened to their keys. */
  outdateAll(): void {
    for (const lookup of Array.from(this.#refreshes.values())) this.detach(lookup)
  }

  /** Detaches all lookups, so that none of them stores its result. Returns them. O(n). */
  detachAll(): ReadonlyArray<Lookup<Key, A, E>> {
    const lookups = Array.from(this.#running)
    for (const lookup of lookups) {
      lookup.isCancelled = true
      this.detach(lookup)
    }
    return lookups
  }

  /**
   * Interrupts a detached lookup. Its waiters do not wait for its end, because they may be what it waits for. Returns
   * the fiber, unless it has ended.
   */
  interrupt(lookup: Lookup<Key, A, E>, closer: Fiber.Fiber<unknown, unknown>): Fiber.Fiber<void> | undefined {
    const { fiber } = lookup
    if (fiber === undefined || lookup.hasEnded) return undefined
    wake(() => fiber.interruptUnsafe(closer.id))
    if (!lookup.hasEnded) this.#handOver(lookup, Exit.failCause(Cause.interrupt(closer.id)))
    return fiber
  }
}

const isOverflow = (defect: unknown): boolean =>
  defect instanceof Error && (defect.name === "RangeError" || defect.name === "InternalError") &&
  /call stack|recursion/i.test(defect.message)

/**
 * Whether a lookup may have died because the stack was full, and not because of its key. An overflow in the middle of
 * Effect's own code can cause any defect, so under many lookups on the stack each defect counts.
 */
const mayBeOverflow = (exit: Exit.Failure<unknown, unknown>): boolean =>
  exit.cause.reasons.some((reason) => Cause.isDieReason(reason) && (reached > deepest || isOverflow(reason.defect)))

/** Selects what a fiber needs for running, logging and tracing. */
const observing = /*#__PURE__*/ Context.pick(
  Scheduler.Scheduler,
  Scheduler.MaxOpsBeforeYield,
  Scheduler.PreventSchedulerYield,
  References.CurrentLogAnnotations,
  References.CurrentLogLevel,
  References.CurrentLoggers,
  References.CurrentLogSpans,
  References.MinimumLogLevel,
  References.TracerEnabled,
  Tracer.ParentSpan,
  Tracer.Tracer
)
