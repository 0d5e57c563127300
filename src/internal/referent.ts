/**
 * One record per (heap, referent): the reference and the proxy that all callers
 * share, and the callbacks that wait for the referent's collection.
 *
 * A record refers to its referent weakly and holds everything else strongly. It
 * is held by the references and proxies made from it, by its referent (as an
 * ephemeron), and, once it has callbacks, by the heap's registry.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Scope from "effect/Scope"
import { Heap, isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"
import { inShards, type Register } from "./registry.ts"

type HostWeakRef<A extends WeakKey> = globalThis.WeakRef<A>

/** The record itself is the weak reference that all others share: one object, and one step to the referent. */
export interface Referent<out A extends WeakKey> extends HostWeakRef<A>, Link {
  readonly records: Records
  /** Of the referent, once it was taken. */
  hash: number | undefined
  sharedRef: HostWeakRef<WeakKey> | undefined
  sharedProxy: HostWeakRef<WeakKey> | undefined
  /** References that are nobody's but their maker's: instances of subclasses. */
  ownRefs: Set<HostWeakRef<WeakKey>> | undefined
  registered: boolean
}

/** A place in a ring: of a referent, whose older neighbour is its newest callback, and of its callbacks. */
interface Link {
  newer: Link
  older: Link
}

/** What one heap needs once. */
interface Records {
  readonly heap: Heap
  readonly Referent: new<A extends WeakKey>(target: A, records: Records) => Referent<A>
  /** What the shared references are, once there are any. */
  Shared: Function | undefined
  readonly byReferent: WeakMap<WeakKey, Referent<any>>
  readonly register: Register<Referent<any>>
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
      Referent: referentClass(heap),
      Shared: undefined,
      byReferent: new heap.WeakMap(),
      // Few enough for a turn, as finalizers go.
      register: inShards<Referent<any>>(heap, 2048, drain),
      owned: new heap.FinalizationRegistry(({ refs, weak }) => void refs.delete(weak))
    }
    recordsByHeap.set(heap, records)
  }
  return records
}

const referentClass = (heap: Heap): Records["Referent"] =>
  class<A extends WeakKey> extends heap.WeakRef<A> {
    declare readonly records: Records
    declare hash: number | undefined
    declare sharedRef: HostWeakRef<WeakKey> | undefined
    declare sharedProxy: HostWeakRef<WeakKey> | undefined
    declare ownRefs: Set<HostWeakRef<WeakKey>> | undefined
    declare registered: boolean
    declare newer: Link
    declare older: Link

    constructor(target: A, records: Records) {
      super(target)
      this.records = records
      this.hash = undefined
      this.sharedRef = undefined
      this.sharedProxy = undefined
      this.ownRefs = undefined
      this.registered = false
      this.newer = this
      this.older = this
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
    self = new records.Referent(target, records)
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
export const held = (self: Referent<WeakKey> | undefined): Array<WeakKey> =>
  [self?.sharedRef, self?.sharedProxy, ...self?.ownRefs ?? []]
    .map((ref) => ref?.deref())
    .filter((ref) => ref !== undefined)

// -----------------------------------------------------------------------------
// callbacks
// -----------------------------------------------------------------------------

/** What waits for a collection: in the ring of its referent, newest first, or in one of its own. */
export abstract class Callback implements Link {
  declare newer: Link
  declare older: Link

  constructor() {
    this.newer = this
    this.older = this
  }

  /** Starts in the background, out of the ring. */
  abstract start(): Fiber<unknown, unknown>
}

/**
 * Puts a callback in the ring, or starts it where the referent is dead already.
 * However many callbacks come and go, a referent is registered once.
 */
export const listen = (self: Referent<WeakKey>, callback: Callback): void => {
  const target = self.deref()
  if (target === undefined) {
    callback.start()
    return
  }
  if (!self.registered) {
    self.registered = true
    self.records.register(target, self)
  }
  callback.newer = self
  callback.older = self.older
  self.older = self.older.newer = callback
}

/** Takes a callback out. O(1), and nothing where it is out already. */
export const unlisten = (callback: Callback): void => {
  callback.newer.older = callback.older
  callback.older.newer = callback.newer
  // One that is out must not hold its old neighbours.
  callback.newer = callback.older = callback
}

/**
 * Runs the callbacks of a dead referent from the newest to the oldest, each in
 * a fiber of its own, so that none can stop the next. One at a time is taken
 * from the ring, because a callback may unregister the ones after it.
 */
const drain = (self: Referent<WeakKey>): Promise<void> | undefined => {
  while (self.older !== self) {
    // All in the ring but the referent are callbacks.
    const callback = self.older as Callback
    unlisten(callback)
    const fiber = callback.start()
    if (fiber.pollUnsafe() === undefined) {
      return new Promise((resolve) => fiber.addObserver(() => resolve(drain(self))))
    }
  }
}

/** Runs an effect in the background with the services that it was registered with; its failure is reported. */
export const inBackground = (
  effect: Effect.Effect<unknown, unknown, any>,
  context: Context.Context<any>
): Fiber<void> => Effect.runForkWith(context)(Effect.ignoreCause(effect, { log: "Unhandled" }))

/**
 * A child of the Scope in the context. A Scope has no way to take a finalizer
 * back, but it forgets a child that has closed: one child a registration, and a
 * long-lived Scope keeps nothing of what is over, nor does the order of its
 * finalizers change.
 */
export const forkScope = (context: Context.Context<Scope.Scope>): Scope.Closeable =>
  Scope.forkUnsafe(Context.get(context, Scope.Scope))

class Registration extends Callback {
  declare readonly effect: Effect.Effect<unknown, unknown, any>
  declare readonly context: Context.Context<any>
  declare readonly end: () => void

  constructor(effect: Effect.Effect<unknown, unknown, any>, context: Context.Context<any>, end: () => void) {
    super()
    this.effect = effect
    this.context = context
    this.end = end
  }

  override start(): Fiber<void> {
    this.end()
    return inBackground(this.effect, this.context)
  }
}

/**
 * Registers an effect for the life of the Scope, to run once, when the first of
 * the referents is collected.
 */
export const onCollect = <R>(
  effect: Effect.Effect<unknown, unknown, R>,
  ...referents: ReadonlyArray<Referent<WeakKey>>
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.contextWith((context: Context.Context<R | Scope.Scope>) => {
    const scope = forkScope(context)
    const registrations: Array<Registration> = []
    const end = () => {
      registrations.forEach(unlisten)
      Scope.closeUnsafe(scope, Exit.void)
    }
    return Effect.map(Scope.addFinalizer(scope, Effect.sync(end)), () => {
      for (const referent of referents) {
        // The Scope was closed, or a referent was dead and that was it.
        if (scope.state._tag === "Closed") return
        const registration = new Registration(effect, context, end)
        registrations.push(registration)
        listen(referent, registration)
      }
    })
  })
