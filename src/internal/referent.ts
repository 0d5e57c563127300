/**
 * Keeps one record per heap and referent. A record has the shared reference, the
 * shared proxy, and a linked list of the callbacks that wait for the collection.
 *
 * A record refers weakly to its referent, its references and its proxy, and strongly to
 * its callbacks. References, proxies, methods and finalizers hold the record of their
 * referent. The referent holds its record through an ephemeron. After the first
 * callback has been inserted, the heap's registry also holds the record.
 */
import * as Effect from "effect/Effect"
import type { Fiber } from "effect/Fiber"
import { Heap, isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"
import { attempt } from "./attempt.ts"
import { nextTurn } from "./host.ts"
import { inShards, type Register } from "./registry.ts"

type HostWeakRef<A extends WeakKey> = globalThis.WeakRef<A>

/** The record of a referent. Subclasses the heap's `WeakRef`, so that a record and its weak reference are one object. */
export interface ReferentRecord<out A extends WeakKey> extends HostWeakRef<A>, Link {
  readonly records: Records
  /** The hash of the referent, if it has been computed. */
  hash: number | undefined
  sharedRef: HostWeakRef<WeakKey> | undefined
  sharedProxy: HostWeakRef<WeakKey> | undefined
  /** The references that are not shared: instances of `WeakRef.Class` and its subclasses. */
  ownRefs: Set<HostWeakRef<WeakKey>> | undefined
  /** Whether the referent is registered with the heap's registry. */
  registered: boolean
}

/**
 * A link of a circular list. The record of the referent is the first link. The `older`
 * link of the record is the newest callback.
 */
interface Link {
  newer: Link
  older: Link
}

/** The data that exists once per heap. */
interface Records {
  readonly heap: Heap
  readonly Record: new<A extends WeakKey>(target: A, records: Records) => ReferentRecord<A>
  /** The class of the shared references, if one has been created. */
  Shared: Function | undefined
  readonly byReferent: WeakMap<WeakKey, ReferentRecord<any>>
  readonly register: Register<ReferentRecord<any>>
  /** Removes a reference from the `ownRefs` of its referent after the reference has been collected. */
  readonly registerOwn: Register<OwnRef>
  /** The dependents of each owner. A record must not hold them, because references to the owner hold the record. */
  readonly dependents: WeakMap<WeakKey, Set<unknown>>
  /**
   * One instance of each class of this heap. V8 discards the optimized code of a class
   * after its last instance has been collected.
   */
  readonly kept: Array<object>
  /** How many more callbacks may start in this turn. */
  left: number
  /** Resolves in the next turn. Exists only while callbacks wait for that turn. */
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
    const Record = recordClass(heap)
    records = {
      heap,
      Record,
      Shared: undefined,
      byReferent: new heap.WeakMap(),
      // Keeps one clean-up job of the engine under 30 ms.
      register: inShards<ReferentRecord<any>>(heap, 2048, drain),
      registerOwn: inShards<OwnRef>(heap, 32768, ({ refs, weak }) => void refs.delete(weak)),
      dependents: new heap.WeakMap(),
      kept: [],
      left: callbacksPerTurn,
      next: undefined
    }
    records.kept.push(new Record({}, records))
    recordsByHeap.set(heap, records)
  }
  return records
}

const recordClass = (heap: Heap): Records["Record"] =>
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
export const find = <A extends WeakKey>(target: A, heap: Heap): ReferentRecord<A> | undefined =>
  recordsOf(heap).byReferent.get(target)

/** Returns the record of a referent, or creates it. Throws if the value cannot be a referent. */
export const of = <A extends WeakKey>(target: A, heap: Heap): ReferentRecord<A> => {
  const records = recordsOf(heap)
  let self = records.byReferent.get(target)
  if (self === undefined) {
    if (!isWeakReferenceable(target)) throw new NotWeakReferenceableError({ value: target })
    self = new records.Record(target, records)
    records.byReferent.set(target, self)
  }
  return self
}

/** Calls `f` with the target and the heap of the context. Fails if `f` throws a `NotWeakReferenceableError`. */
export const make = <A, B>(
  target: A,
  f: (target: A & WeakKey, heap: Heap) => B
): Effect.Effect<B, NotWeakReferenceableError> =>
  // The cast is safe, because `f` checks the target and throws if it is not a `WeakKey`.
  Effect.flatMap(Heap, (heap) => attempt(() => f(target as A & WeakKey, heap)))

/** Adds a reference that is not shared to `ownRefs`. The registry removes it after it has been collected. */
export const own = (self: ReferentRecord<WeakKey>, ref: WeakKey): void => {
  const { heap, registerOwn } = self.records
  const refs = self.ownRefs ??= new Set()
  const weak = new heap.WeakRef(ref)
  refs.add(weak)
  registerOwn(ref, { refs, weak })
}

/** Holds a dependent for as long as its owner is alive. Throws if the owner cannot be weakly referenced. */
export const keepAlive = (owner: WeakKey, dependent: unknown, heap: Heap): void => {
  if (!isWeakReferenceable(owner)) throw new NotWeakReferenceableError({ value: owner })
  if (!isWeakReferenceable(dependent)) return
  const { dependents } = recordsOf(heap)
  const held = dependents.get(owner)
  if (held === undefined) dependents.set(owner, new Set([dependent]))
  else held.add(dependent)
}

/** Returns the references and the proxy that have not been collected. Dereferences each of them. */
export const held = (self: ReferentRecord<WeakKey> | undefined): Array<WeakKey> =>
  [self?.sharedRef, self?.sharedProxy, ...self?.ownRefs ?? []]
    .map((ref) => ref?.deref())
    .filter((ref) => ref !== undefined)

/** A callback that waits for a collection. It is in the list of its referent, or alone in its own list. */
export abstract class Callback implements Link {
  declare newer: Link
  declare older: Link

  constructor() {
    this.newer = this
    this.older = this
  }

  /** Starts the callback in the background. Called after the callback was removed from its list. */
  abstract start(): Fiber<unknown, unknown>
}

/**
 * Inserts a callback into the list of the referent, or starts the callback if the
 * referent is dead. Registers each referent with the heap's registry only once, even if
 * many callbacks are inserted and removed.
 */
export const listen = (self: ReferentRecord<WeakKey>, callback: Callback): void => {
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

/** Removes a callback from the list of its referent. Does nothing if the list has no such callback. Cost: O(1). */
export const unlisten = (callback: Callback): void => {
  callback.newer.older = callback.older
  callback.older.newer = callback.newer
  // A removed callback must not hold its former neighbours.
  callback.newer = callback.older = callback
}

/**
 * The maximum number of callbacks that start in one turn. Without a maximum, half a
 * million callbacks of one referent block the event loop for half a second.
 */
export const callbacksPerTurn = 4096

/**
 * Runs the callbacks of a dead referent from the newest to the oldest. Each callback
 * runs in its own fiber, so that a failure does not stop the next callback. Removes
 * one callback at a time, because a callback may unregister other callbacks.
 */
const drain = (self: ReferentRecord<WeakKey>): Promise<void> | undefined => {
  while (self.older !== self) {
    const next = spend(self.records)
    if (next !== undefined) return next.then(() => drain(self))
    // The cast is safe: all links except the record are callbacks.
    const callback = self.older as Callback
    unlisten(callback)
    const fiber = callback.start()
    if (fiber.pollUnsafe() === undefined) {
      return new Promise((resolve) => fiber.addObserver(() => resolve(drain(self))))
    }
  }
}

/** Counts one callback for this turn. If this turn has reached the maximum, returns a promise of the next turn. */
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

// Restores the maximum in a microtask, which runs after the clean-up job of the engine.
// Uses `await`, which works even if the program replaces `Promise`.
const refill = async (records: Records): Promise<void> => {
  await undefined
  if (records.next === undefined) records.left = callbacksPerTurn
}
