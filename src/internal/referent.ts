/**
 * One record per (heap, referent): the reference and the proxy that all callers
 * share, and the callbacks that wait for the referent's collection.
 *
 * A record holds its referent weakly and everything else strongly. It is held
 * by the references and proxies made from it, by its referent (as an
 * ephemeron), and, once it has callbacks, by the heap's registry.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Scope from "effect/Scope"
import { Heap, isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"

type HostWeakRef<A extends WeakKey> = globalThis.WeakRef<A>

/** What one heap needs once. */
interface Records {
  readonly heap: Heap
  readonly byReferent: WeakMap<WeakKey, Referent<any>>
  readonly registry: FinalizationRegistry<Referent<any>>
  readonly owned: FinalizationRegistry<{
    readonly refs: Set<HostWeakRef<WeakKey>>
    readonly weak: HostWeakRef<WeakKey>
  }>
}

const recordsByHeap = /*#__PURE__*/ new WeakMap<Heap, Records>()

const recordsOf = (heap: Heap): Records => {
  let records = recordsByHeap.get(heap)
  if (records === undefined) {
    records = {
      heap,
      byReferent: new heap.WeakMap(),
      // What the drain returns is for heaps that wait for it; engines ignore it.
      registry: new heap.FinalizationRegistry(drain),
      owned: new heap.FinalizationRegistry(({ refs, weak }) => void refs.delete(weak))
    }
    recordsByHeap.set(heap, records)
  }
  return records
}

export class Referent<A extends WeakKey> {
  readonly records: Records
  readonly target: HostWeakRef<A>
  sharedRef: HostWeakRef<WeakKey> | undefined
  sharedProxy: HostWeakRef<WeakKey> | undefined
  /** References that are nobody's but their maker's: instances of subclasses. */
  ownRefs: Set<HostWeakRef<WeakKey>> | undefined
  newest: Callback | undefined
  registered: boolean

  constructor(records: Records, target: A) {
    this.records = records
    this.target = new records.heap.WeakRef(target)
    this.sharedRef = undefined
    this.sharedProxy = undefined
    this.ownRefs = undefined
    this.newest = undefined
    this.registered = false
  }
}

/** The record of a referent, if it has one. */
export const find = <A extends WeakKey>(target: A, heap: Heap): Referent<A> | undefined =>
  recordsOf(heap).byReferent.get(target)

/** The record of a referent. Throws where the value cannot be one. */
export const of = <A extends WeakKey>(target: A, heap: Heap): Referent<A> => {
  const records = recordsOf(heap)
  let self = records.byReferent.get(target)
  if (self === undefined) {
    if (!isWeakReferenceable(target)) throw new NotWeakReferenceableError({ value: target })
    self = new Referent(records, target)
    records.byReferent.set(target, self)
  }
  return self
}

/**
 * Makes something of a referent on the heap of the context, or fails where the
 * value cannot be one.
 */
export const make = <A, B>(
  target: A,
  f: (target: A & WeakKey, heap: Heap) => B
): Effect.Effect<B, NotWeakReferenceableError> =>
  Effect.flatMap(
    Heap,
    (heap) =>
      isWeakReferenceable(target)
        ? Effect.succeed(f(target, heap))
        : Effect.fail(new NotWeakReferenceableError({ value: target }))
  )

/** Lists a reference that is not shared, for as long as it lives. */
export const own = (self: Referent<WeakKey>, ref: WeakKey): void => {
  const { heap, owned } = self.records
  const refs = self.ownRefs ??= new Set()
  const weak = new heap.WeakRef(ref)
  refs.add(weak)
  owned.register(ref, { refs, weak })
}

/** The references and proxies that the program still holds. Dereferences them all. */
export const held = (self: Referent<WeakKey>): Array<WeakKey> =>
  [self.sharedRef, self.sharedProxy, ...self.ownRefs ?? []].flatMap((ref) => ref?.deref() ?? [])

// -----------------------------------------------------------------------------
// callbacks
// -----------------------------------------------------------------------------

/** An effect that waits for a collection: a node in the list of its referent, newest first. */
export class Callback {
  readonly effect: Effect.Effect<unknown, unknown, any>
  /** The services that the effect was registered with, and all that it needs. */
  readonly context: Context.Context<any>
  referent: Referent<WeakKey> | undefined
  newer: Callback | undefined
  older: Callback | undefined
  /** The same callback in another referent's list: whichever comes first takes both out. */
  twin: Callback | undefined

  constructor(effect: Effect.Effect<unknown, unknown, any>, context: Context.Context<any>) {
    this.effect = effect
    this.context = context
    this.referent = undefined
    this.newer = undefined
    this.older = undefined
    this.twin = undefined
  }
}

/**
 * Puts a callback in the list, or starts it where the referent is dead already.
 * However many callbacks come and go, a referent is registered once.
 */
export const listen = (self: Referent<WeakKey>, callback: Callback): void => {
  const target = self.target.deref()
  if (target === undefined) {
    run(callback)
    return
  }
  if (!self.registered) {
    self.registered = true
    self.records.registry.register(target, self)
  }
  callback.referent = self
  callback.older = self.newest
  if (self.newest !== undefined) self.newest.newer = callback
  self.newest = callback
}

/** Takes a callback out. O(1), and nothing where it is out already. */
export const unlisten = (callback: Callback): void => {
  const { newer, older, referent, twin } = callback
  // A node that is out must not hold its old neighbours, nor they it.
  callback.referent =
    callback.newer =
    callback.older =
    callback.twin =
      undefined
  if (referent !== undefined) {
    if (newer === undefined) referent.newest = older
    else newer.older = older
    if (older !== undefined) older.newer = newer
  }
  if (twin !== undefined) unlisten(twin)
}

const run = (callback: Callback): Fiber<void> => {
  unlisten(callback)
  return Effect.runForkWith(callback.context)(Effect.ignoreCause(callback.effect, { log: "Unhandled" }))
}

/**
 * Runs the callbacks of a dead referent from the newest to the oldest, each in
 * a fiber of its own, so that none can stop the next. One at a time is taken
 * from the list, because a callback may unregister the ones after it.
 */
const drain = (self: Referent<WeakKey>): Promise<void> | undefined => {
  while (self.newest !== undefined) {
    const fiber = run(self.newest)
    if (fiber.pollUnsafe() === undefined) {
      return new Promise((resolve) => fiber.addObserver(() => resolve(drain(self))))
    }
  }
}

/**
 * Registers an effect for the life of the Scope, to run once, when the first of
 * the referents is collected. No referent is in sight here: what an effect's
 * closures see, the registration would keep alive.
 */
export const onCollect = <R>(
  effect: Effect.Effect<unknown, unknown, R>,
  self: Referent<WeakKey>,
  other?: Referent<WeakKey>
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.contextWith((context: Context.Context<R | Scope.Scope>) => {
    const scope = forkScope(context)
    if (scope.state._tag === "Closed") return Effect.void
    const callback = new Callback(releasing(scope, effect), context)
    return Effect.map(Scope.addFinalizer(scope, Effect.sync(() => unlisten(callback))), () => {
      if (other !== undefined) {
        const twin = new Callback(callback.effect, context)
        twin.twin = callback
        callback.twin = twin
        listen(other, twin)
        // The other referent was dead, so the callback has run.
        if (callback.twin === undefined) return
      }
      listen(self, callback)
    })
  })

/**
 * A child of the Scope in the context. A Scope has no way to take a finalizer
 * back, but it forgets a child that has closed: one child a registration, and a
 * long-lived Scope keeps nothing of what is over, nor does the order of its
 * finalizers change.
 */
export const forkScope = (context: Context.Context<Scope.Scope>): Scope.Closeable =>
  Scope.forkUnsafe(Context.get(context, Scope.Scope))

const releasing = <R>(scope: Scope.Closeable, effect: Effect.Effect<unknown, unknown, R>) =>
  Effect.suspend(() => {
    Scope.closeUnsafe(scope, Exit.void)
    return effect
  })
