/**
 * One record per (heap, referent): the reference and the proxy that all callers
 * share, and the linked list of the callbacks that wait for the collection.
 *
 * A record refers to its referent weakly and to everything else strongly. The
 * references and proxies made from it hold it, and so does its referent (as an
 * ephemeron). Once it has callbacks, the heap's registry holds it too.
 */
import * as Effect from "effect/Effect"
import type { Fiber } from "effect/Fiber"
import { Heap, isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"
import { attempt } from "./attempt.ts"
import { nextTurn } from "./heap.ts"
import { inShards, type Register } from "./registry.ts"

type HostWeakRef<A extends WeakKey> = globalThis.WeakRef<A>

/** The record is itself the weak reference that all others share: one object, and one step to the referent. */
export interface Referent<out A extends WeakKey> extends HostWeakRef<A>, Link {
  readonly records: Records
  /** The hash of the referent, once it was computed. */
  hash: number | undefined
  sharedRef: HostWeakRef<WeakKey> | undefined
  sharedProxy: HostWeakRef<WeakKey> | undefined
  /** References that are not shared: instances of subclasses. */
  ownRefs: Set<HostWeakRef<WeakKey>> | undefined
  /** Whether the heap's registry knows the referent. */
  registered: boolean
}

/**
 * A link of a circular list. The list of a referent starts at its record, whose
 * `older` is the newest callback.
 */
interface Link {
  newer: Link
  older: Link
}

/** What each heap has once. */
interface Records {
  readonly heap: Heap
  readonly Referent: new<A extends WeakKey>(target: A, records: Records) => Referent<A>
  /** The class of the shared references, once there is one. */
  Shared: Function | undefined
  readonly byReferent: WeakMap<WeakKey, Referent<any>>
  readonly register: Register<Referent<any>>
  /** Takes references out of the `ownRefs` of their referent when they are collected. */
  readonly registerOwn: Register<OwnRef>
  /** The dependents of each owner. A record must not hold them: a reference to the owner would hold them too. */
  readonly dependents: WeakMap<WeakKey, Set<unknown>>
  /**
   * One instance of each class of this heap. If the last instance is collected, V8
   * throws away the code that it optimized for the class.
   */
  readonly kept: Array<object>
  /** How many more callbacks may start in this turn. */
  left: number
  /** The next turn, if callbacks wait for it. */
  next: Promise<void> | undefined
}

interface OwnRef {
  readonly refs: Set<HostWeakRef<WeakKey>>
  readonly weak: HostWeakRef<WeakKey>
}

const recordsByHeap = /*#__PURE__*/ new WeakMap<Heap, Records>()

const recordsOf = (heap: Heap): Records => {
  let records = recordsByHeap.get(heap)
  if (records === undefined) {
    const Referent = referentClass(heap)
    records = {
      heap,
      Referent,
      Shared: undefined,
      byReferent: new heap.WeakMap(),
      // Keeps one clean-up job of the engine under 30 ms.
      register: inShards<Referent<any>>(heap, 2048, drain),
      registerOwn: inShards<OwnRef>(heap, 32768, ({ refs, weak }) => void refs.delete(weak)),
      dependents: new heap.WeakMap(),
      kept: [],
      left: callbacksPerTurn,
      next: undefined
    }
    records.kept.push(new Referent({}, records))
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

/** Returns the record of a referent, if it has one. */
export const find = <A extends WeakKey>(target: A, heap: Heap): Referent<A> | undefined =>
  recordsOf(heap).byReferent.get(target)

/** Returns the record of a referent. Throws if the value cannot be a referent. */
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

/** Calls `f` with the heap of the context. Fails if `f` throws because a value cannot be a referent. */
export const make = <A, B>(
  target: A,
  f: (target: A & WeakKey, heap: Heap) => B
): Effect.Effect<B, NotWeakReferenceableError> =>
  // `f` refuses a target that is no `WeakKey`.
  Effect.flatMap(Heap, (heap) => attempt(() => f(target as A & WeakKey, heap)))

/** Lists a reference that is not shared, until it is collected. */
export const own = (self: Referent<WeakKey>, ref: WeakKey): void => {
  const { heap, registerOwn } = self.records
  const refs = self.ownRefs ??= new Set()
  const weak = new heap.WeakRef(ref)
  refs.add(weak)
  registerOwn(ref, { refs, weak })
}

/** Holds a dependent for as long as its owner lives. Throws if the owner cannot be weakly referenced. */
export const keepAlive = (owner: WeakKey, dependent: unknown, heap: Heap): void => {
  if (!isWeakReferenceable(owner)) throw new NotWeakReferenceableError({ value: owner })
  if (!isWeakReferenceable(dependent)) return
  const { dependents } = recordsOf(heap)
  const held = dependents.get(owner)
  if (held === undefined) dependents.set(owner, new Set([dependent]))
  else held.add(dependent)
}

/** Returns the references and proxies that the program still holds. Dereferences each of them. */
export const held = (self: Referent<WeakKey> | undefined): Array<WeakKey> =>
  [self?.sharedRef, self?.sharedProxy, ...self?.ownRefs ?? []]
    .map((ref) => ref?.deref())
    .filter((ref) => ref !== undefined)

/** A callback that waits for a collection: in the list of its referent, newest first, or in a list of its own. */
export abstract class Callback implements Link {
  declare newer: Link
  declare older: Link

  constructor() {
    this.newer = this
    this.older = this
  }

  /** Starts the callback in the background. It is in no list any more. */
  abstract start(): Fiber<unknown, unknown>
}

/**
 * Inserts a callback into the list, or starts it if the referent is dead already.
 * A referent is registered once, however many callbacks come and go.
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

/** Removes a callback from its list, if it is in one. Cost: O(1). */
export const unlisten = (callback: Callback): void => {
  callback.newer.older = callback.older
  callback.older.newer = callback.newer
  // A removed callback must not hold its old neighbours.
  callback.newer = callback.older = callback
}

/**
 * How many callbacks start in one turn: half a million callbacks of one referent
 * would stop the event loop for half a second.
 */
export const callbacksPerTurn = 4096

/**
 * Runs the callbacks of a dead referent from the newest to the oldest. Each runs
 * in its own fiber, so that none can stop the next. A callback may unregister
 * those after it: remove one callback at a time.
 */
const drain = (self: Referent<WeakKey>): Promise<void> | undefined => {
  while (self.older !== self) {
    const next = spend(self.records)
    if (next !== undefined) return next.then(() => drain(self))
    // Every link of the list but the record is a callback.
    const callback = self.older as Callback
    unlisten(callback)
    const fiber = callback.start()
    if (fiber.pollUnsafe() === undefined) {
      return new Promise((resolve) => fiber.addObserver(() => resolve(drain(self))))
    }
  }
}

/** Counts one callback against this turn, or returns the next turn if this one is full. */
const spend = (records: Records): Promise<void> | undefined => {
  if (records.left > 0) {
    if (records.left === callbacksPerTurn) void refill(records)
    records.left--
    return
  }
  return records.next ??= new Promise((resolve) =>
    nextTurn(() => {
      records.next = undefined
      records.left = callbacksPerTurn
      resolve()
    })
  )
}

// An engine runs microtasks after its clean-up job. The `await` of the language does not use the program's `Promise`.
const refill = async (records: Records): Promise<void> => {
  await undefined
  if (records.next === undefined) records.left = callbacksPerTurn
}
