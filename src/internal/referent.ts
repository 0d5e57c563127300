/**
 * Keeps one record per heap and referent. A record has the shared reference, the
 * shared proxy, and a list of the callbacks that wait for the collection. The record is
 * the list itself, and its `older` link is the newest callback. A referent that has only a
 * shared reference has no record yet, because most referents never need one.
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
import { Base } from "./base.ts"
import { inShards, inSlices, type Register } from "./registry.ts"
import * as Ring from "./ring.ts"

type HostWeakRef<A extends WeakKey> = globalThis.WeakRef<A>

/** The record of a referent. Subclasses the heap's `WeakRef`, so that a record and its weak reference are one object. */
export interface ReferentRecord<out A extends WeakKey> extends HostWeakRef<A>, Ring.Link {
  readonly records: Records
  /** The hash of the referent, if it has been computed. */
  hash: number | undefined
  sharedRef: HostWeakRef<SharedReference> | undefined
  sharedProxy: HostWeakRef<WeakKey> | undefined
  /** The references that are not shared: instances of `WeakRef.Class` and its subclasses. */
  ownRefs: Set<HostWeakRef<WeakKey>> | undefined
  /** Whether the referent is registered with the heap's registry. */
  registered: boolean
}

/** The key of the record in a reference. A symbol, so that a subclass of a reference can use any field name. */
export const record: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/WeakRef/record")

/** The weak reference to the shared reference of a referent that has no record, or had none when the reference was made. */
export interface Entry extends HostWeakRef<SharedReference> {
  hash?: number | undefined
  /** The record that was made later. */
  record?: ReferentRecord<any>
}

/** A shared reference. The property never changes, because a program may freeze the reference. */
export interface SharedReference {
  [record]: ReferentRecord<any> | Entry
}

export type SharedClass = new() => SharedReference

/** The data that exists once per heap. */
interface Records {
  readonly heap: Heap
  /** The class of the records. Made by the first record. */
  Record?: RecordClass
  /** The class of the shared references. A shared reference is a `WeakRef` of the heap. Made by the first. */
  Shared?: SharedClass
  readonly byReferent: WeakMap<WeakKey, ReferentRecord<any> | Entry>
  /** Runs the callbacks of a dead referent. Made by the first callback, so that a bundle without callbacks has no registry. */
  register?: Register<ReferentRecord<any>>
  /** Removes a reference from the `ownRefs` of its referent after the reference has been collected. */
  registerOwn?: Register<OwnRef>
  /** The dependents of each owner. A record must not hold them, because references to the owner hold the record. */
  dependents?: WeakMap<WeakKey, Set<unknown>>
  /** The values that callbacks hold for as long as their owner is alive. An owner has one value per callback. */
  heldFor?: WeakMap<WeakKey, Map<object, unknown>>
  /**
   * One instance of each class of this heap. V8 discards the optimized code of a class
   * after its last instance has been collected.
   */
  readonly kept: Array<object>
}

type RecordClass = new<A extends WeakKey>(target: A, records: Records) => ReferentRecord<A>

interface OwnRef {
  readonly refs: Set<HostWeakRef<WeakKey>>
  readonly weak: HostWeakRef<WeakKey>
}

const recordsByHeap = /*#__PURE__*/ new WeakMap<Heap, Records>()

const recordsOf = (heap: Heap): Records => {
  let records = recordsByHeap.get(heap)
  if (records === undefined) {
    records = { heap, byReferent: new heap.WeakMap(), kept: [] }
    recordsByHeap.set(heap, records)
  }
  return records
}

const makeRecord = <A extends WeakKey>(target: A, records: Records): ReferentRecord<A> => {
  if (records.Record === undefined) {
    records.Record = recordClass(records.heap)
    records.kept.push(new records.Record({}, records))
  }
  return new records.Record(target, records)
}

const recordClass = (heap: Heap): RecordClass =>
  class<A extends WeakKey> extends heap.WeakRef<A> {
    declare readonly records: Records
    declare hash: number | undefined
    declare sharedRef: HostWeakRef<SharedReference> | undefined
    declare sharedProxy: HostWeakRef<WeakKey> | undefined
    declare ownRefs: Set<HostWeakRef<WeakKey>> | undefined
    declare registered: boolean
    declare newer: Ring.Link
    declare older: Ring.Link

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

/** Returns the references and the proxy of a referent that have not been collected. Dereferences each of them. */
export const all = (target: WeakKey, heap: Heap): Array<WeakKey> => {
  const found = recordsOf(heap).byReferent.get(target)
  const refs = isRecord(found) ? [found.sharedRef, found.sharedProxy, ...found.ownRefs ?? []] : [found]
  return refs.map((ref: HostWeakRef<any> | undefined): WeakKey | undefined => ref?.deref()).filter((ref) =>
    ref !== undefined
  )
}

/** Checks whether a record, or an entry with its heap, is that of this very value. Does not dereference. */
export const isOf = (self: ReferentRecord<WeakKey> | Entry, value: unknown, heap?: Heap): boolean =>
  // A WeakMap returns `undefined` for a value of any type that it cannot have as a key. An entry does not know its heap.
  (isRecord(self) ? self.records : recordsOf(heap!)).byReferent.get(value as WeakKey) === self

/** Returns the record of a reference's referent, or the entry of the reference if there is no record. */
export const stateOf = <A extends WeakKey>(ref: {
  readonly [record]: ReferentRecord<A> | Entry
}): ReferentRecord<A> | Entry => {
  const known = ref[record]
  // The cast is safe: a record has no property `record`.
  return (known as Entry).record ?? known
}

/** Checks whether a referent has a record, and not only an entry. */
export const isRecord = <A extends WeakKey>(found: ReferentRecord<A> | Entry | undefined): found is ReferentRecord<A> =>
  found !== undefined && "records" in found

/** Throws if the value cannot be a referent. */
const check = (target: WeakKey): void => {
  if (!isWeakReferenceable(target)) throw new NotWeakReferenceableError({ value: target })
}

/** Returns the record of a referent, or creates it. Throws if the value cannot be a referent. */
export const of = <A extends WeakKey>(target: A, heap: Heap): ReferentRecord<A> => {
  const records = recordsOf(heap)
  const found = records.byReferent.get(target)
  if (isRecord(found)) return found
  check(target)
  const self = makeRecord(target, records)
  records.byReferent.set(target, self)
  if (found !== undefined) {
    self.hash = found.hash
    self.sharedRef = found
    found.record = self
  }
  return self
}

/** Returns the shared reference of a referent, or creates it. Throws if the value cannot be a referent. */
export const shared = (target: WeakKey, heap: Heap, classOf: (heap: Heap) => SharedClass): SharedReference => {
  const records = recordsOf(heap)
  const found = records.byReferent.get(target)
  const known = isRecord(found) ? found.sharedRef?.deref() : found?.deref()
  if (known !== undefined) return known
  check(target)
  if (records.Shared === undefined) {
    records.Shared = classOf(heap)
    records.kept.push(shared({}, heap, classOf))
  }
  // The cast is safe: the type of `Reflect.construct` does not follow the new target.
  const made = Reflect.construct(heap.WeakRef, [target], records.Shared) as WeakKey as SharedReference
  // A constructor that returns another object ignores the new target.
  if (!(made instanceof records.Shared)) Object.setPrototypeOf(made, records.Shared.prototype)
  const entry: Entry = new heap.WeakRef(made)
  if (isRecord(found)) {
    made[record] = found
    found.sharedRef = entry
  } else {
    made[record] = entry
    if (found?.hash !== undefined) entry.hash = found.hash
    records.byReferent.set(target, entry)
  }
  return made
}

/** Returns the record of a reference without one. Its referent may be dead, and then the record is dead too. */
export const late = <A extends WeakKey>(target: A | undefined, heap: Heap): ReferentRecord<A> =>
  target === undefined
    // The cast is safe: a dead record has no referent of any type.
    ? Object.defineProperty(makeRecord({} as A, recordsOf(heap)), "deref", { value: () => undefined })
    : of(target, heap)

/** Calls `f` with the target and the heap of the context. Fails if `f` throws a `NotWeakReferenceableError`. */
export const make = <A, B>(
  target: A,
  f: (target: A & WeakKey, heap: Heap) => B
): Effect.Effect<B, NotWeakReferenceableError> =>
  // The cast is safe, because `f` checks the target and throws if it is not a `WeakKey`.
  Effect.flatMap(Heap, (heap) => attempt(() => f(target as A & WeakKey, heap)))

/** Adds a reference that is not shared to `ownRefs`. The registry removes it after it has been collected. */
export const own = (self: ReferentRecord<WeakKey>, ref: WeakKey): void => {
  const { records } = self
  const { heap } = records
  const register = records.registerOwn ??= inShards(heap, 32768, removeOwn)
  const refs = self.ownRefs ??= new Set()
  const weak = new heap.WeakRef(ref)
  refs.add(weak)
  register(ref, { refs, weak })
}

const removeOwn = ({ refs, weak }: OwnRef): void => void refs.delete(weak)

/** Holds a dependent for as long as its owner is alive. Throws if the owner cannot be weakly referenced. */
export const keepAlive = (owner: WeakKey, dependent: unknown, heap: Heap): void => {
  check(owner)
  if (!isWeakReferenceable(dependent)) return
  const dependents = recordsOf(heap).dependents ??= new heap.WeakMap()
  const held = dependents.get(owner)
  if (held === undefined) dependents.set(owner, new Set([dependent]))
  else held.add(dependent)
}

/** Holds a value under a key for as long as its owner is alive, or until it is released. Dereferences the owner. */
export const hold = (owner: ReferentRecord<WeakKey>, key: object, value: unknown): void => {
  const target = owner.deref()
  if (target === undefined) return
  const { records } = owner
  const heldFor = records.heldFor ??= new records.heap.WeakMap()
  const values = heldFor.get(target)
  if (values === undefined) heldFor.set(target, new Map([[key, value]]))
  else values.set(key, value)
}

/** Releases and returns the value under a key. Returns `undefined` if its owner is dead. Dereferences the owner. */
export const release = <T>(owner: ReferentRecord<WeakKey>, key: object): T | undefined => {
  const target = owner.deref()
  const { heldFor } = owner.records
  const values = target && heldFor?.get(target)
  if (values === undefined) return undefined
  // The caller knows the type of the value that it holds under this key.
  const value = values.get(key) as T | undefined
  values.delete(key)
  if (values.size === 0) heldFor!.delete(target!)
  return value
}

/** A callback that waits for a collection. It is in the list of its referent, or alone in its own list. */
export abstract class Callback extends Base implements Ring.Link {
  declare newer: Ring.Link
  declare older: Ring.Link

  constructor() {
    super()
    this.newer = this
    this.older = this
  }

  /**
   * Starts the callback. Called after the callback was removed from its list. Returns the
   * fiber that the next callback waits for, if there is one.
   */
  abstract start(): Fiber<unknown, unknown> | undefined
}

/**
 * Registers a live referent with the heap's registry. Registers each referent only once,
 * even if many callbacks are inserted and removed. Returns `false` if the referent is dead.
 * Throws if the host has no registry, so call it before a step that must not be half-done.
 */
export const watch = (self: ReferentRecord<WeakKey>): boolean => {
  const target = self.deref()
  if (target === undefined) return false
  if (!self.registered) {
    const { records } = self
    // Keeps one clean-up job of the engine under 10 ms.
    const register = records.register ??= inShards<ReferentRecord<any>>(
      records.heap,
      8192,
      inSlices(callbacksPerTurn, runNewest)
    )
    register(target, self)
    self.registered = true
  }
  return true
}

/** Inserts a callback into the list of the referent, or starts the callback if the referent is dead. */
export const listen = (self: ReferentRecord<WeakKey>, callback: Callback): void => {
  if (watch(self)) Ring.insert(self, callback)
  else callback.start()
}

/**
 * The maximum number of callbacks that start in one turn. Without a maximum, half a
 * million callbacks of one referent block the event loop for half a second.
 */
export const callbacksPerTurn = 2048

/**
 * Runs the newest callback of a dead referent. Each callback runs in its own fiber, so that
 * a failure does not stop the next callback. Removes one callback at a time, because a
 * callback may unregister other callbacks.
 */
const runNewest = (self: ReferentRecord<WeakKey>): boolean | Promise<void> => {
  if (Ring.isAlone(self)) return false
  // The cast is safe: all links except the record are callbacks.
  const callback = self.older as Callback
  Ring.remove(callback)
  const fiber = callback.start()
  return fiber === undefined || fiber.pollUnsafe() !== undefined
    ? !Ring.isAlone(self)
    : new Promise((resolve) => fiber.addObserver(() => resolve()))
}
