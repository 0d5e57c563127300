/**
 * The one table under the three collections.
 *
 * An entry is a slot: a weak reference of the heap to the entry's weak side, with
 * the strong side on it. The slots stand in a native `Map` in insertion order,
 * whose iterators already bear that entries come and go under them. There are
 * two kinds of table: where the value is weak, the key is the strong side
 * ({@link WeakValueTable}); where the key is weak, the value is, as far as it may
 * be held ({@link WeakKeyTable}).
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import { type Heap, isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"
import { host } from "./heap.ts"
import { inSlices, makeRegistry } from "./registry.ts"

export interface Options {
  /**
   * How keys (and elements) compare: `"structural"`, the default, by
   * `Equal.equals`; `"reference"` by identity, which never hashes.
   */
  readonly compare?: "structural" | "reference" | undefined
}

interface Slot<A extends WeakKey> extends globalThis.WeakRef<A> {
  /** Cleared when the slot leaves: a stale registration holds the slot, but through it nothing else. */
  strong: unknown
  readonly hash: number | undefined
}

type SlotClass = new<A extends WeakKey>(referent: A, strong: unknown, hash: number | undefined) => Slot<A>

const slotClasses = /*#__PURE__*/ new WeakMap<Heap, SlotClass>()

// One object an entry instead of two: what the entry must know besides its referent stands on the heap's own reference.
const slotClass = (heap: Heap): SlotClass => {
  let Slot = slotClasses.get(heap)
  if (Slot === undefined) {
    Slot = class<A extends WeakKey> extends heap.WeakRef<A> {
      declare strong: unknown
      declare readonly hash: number | undefined
      constructor(referent: A, strong: unknown, hash: number | undefined) {
        super(referent)
        this.strong = strong
        this.hash = hash
      }
    }
    slotClasses.set(heap, Slot)
  }
  return Slot
}

/** What `keyOf`, `valueOf` and `entryOf` give for a slot whose referent is dead: any other value may be a key. */
const Dead: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/Dead")
type Dead = typeof Dead

export abstract class WeakTable<K, V, A extends WeakKey> implements Iterable<[K, V]> {
  declare readonly heap: Heap
  declare readonly compare: "structural" | "reference"
  declare protected readonly structural: boolean
  declare protected readonly Slot: SlotClass
  declare protected readonly order: Map<unknown, Slot<A>>
  /** Slots by the hash of their key, where they have one and do not stand at it. */
  declare protected readonly buckets: Map<number, Slot<A> | Array<Slot<A>>>
  declare private registry: FinalizationRegistry<Slot<A>>
  /** One registration for each slot in the order, and the stale ones; none that has been cleaned up. */
  declare private registered: number
  /** Where `popEntry` goes on. An iterator holds every table that the order has outgrown, and what stood in it. */
  declare private oldest: globalThis.WeakRef<Iterator<Slot<A>>> | undefined

  constructor(heap: Heap, options: Options | undefined) {
    this.heap = heap
    this.compare = options?.compare ?? "structural"
    this.structural = this.compare === "structural"
    this.Slot = slotClass(heap)
    this.order = new Map()
    this.buckets = new Map()
    this.registry = this.makeRegistry()
    this.oldest = undefined
  }

  abstract get(key: K): Option.Option<V>
  abstract has(key: K): boolean
  abstract set(key: K, value: V): void
  protected abstract find(key: K): Slot<A> | undefined
  /** Where a slot stands in the order; the slot itself where it stands nowhere. */
  protected abstract placeOf(slot: Slot<A>): unknown
  /** Whether the slot, alive or dead, has an equal key. */
  protected abstract matches(slot: Slot<A>, key: K): boolean
  abstract keyOf(slot: Slot<A>): K | Dead
  abstract valueOf(slot: Slot<A>): V | Dead
  abstract entryOf(slot: Slot<A>): [K, V] | Dead
  /** Throws what `set` would throw, and does nothing else. */
  protected abstract check(key: K, value: V): void

  // ---------------------------------------------------------------------------
  // operations that need no more than those
  // ---------------------------------------------------------------------------

  remove(key: K): boolean {
    const slot = this.find(key)
    if (slot === undefined) return false
    this.discard(slot)
    return true
  }

  pop(key: K): Option.Option<V> {
    const value = this.get(key)
    this.remove(key)
    return value
  }

  popEntry(): Option.Option<[K, V]> {
    // A new iterator each time would step over all that was popped before.
    let slots = this.oldest?.deref()
    for (;;) {
      if (slots === undefined) this.oldest = new this.heap.WeakRef(slots = this.order.values())
      const step = slots.next()
      if (step.done === true) {
        if (this.order.size === 0) return Option.none()
        slots = undefined
        continue
      }
      const entry = this.entryOf(step.value)
      this.discard(step.value)
      if (entry !== Dead) return Option.some(entry)
    }
  }

  getOrSet(key: K, make: () => V): V {
    const value = this.get(key)
    if (Option.isSome(value)) return value.value
    const made = make()
    this.set(key, made)
    return made
  }

  modify(key: K, f: (value: V) => V): void {
    const value = this.get(key)
    if (Option.isSome(value)) this.set(key, f(value.value))
  }

  modifyAt(key: K, f: (value: Option.Option<V>) => Option.Option<V>): void {
    const value = f(this.get(key))
    if (Option.isSome(value)) this.set(key, value.value)
    else this.remove(key)
  }

  /** All or nothing: what is wrong with any entry is thrown before the first is set. */
  setAll(entries: Iterable<readonly [K, V]>): void {
    const checked = [...entries]
    for (const [key, value] of checked) this.check(key, value)
    for (const [key, value] of checked) this.set(key, value)
  }

  clear(): void {
    this.order.clear()
    this.buckets.clear()
    this.registry = this.makeRegistry()
  }

  get size(): number {
    return this.order.size
  }

  isEmpty(): boolean {
    return this.keys().next().done === true
  }

  count(): number {
    let count = 0
    for (const slot of this.order.values()) if (slot.deref() !== undefined) count++
    return count
  }

  /** By this table's comparison, so the other one's entries are looked up here; several may have their match in one. */
  equals(that: WeakTable<K, V, A>): boolean {
    const found = new Set<Slot<A>>()
    for (const [key, value] of that) {
      const slot = this.find(key)
      if (slot === undefined) return false
      const own = this.valueOf(slot)
      if (this.structural ? !Equal.equals(own, value) : own !== value && !Object.is(own, value)) return false
      found.add(slot)
    }
    return found.size === this.count()
  }

  keys(): IterableIterator<K> {
    return new Keys(this, this.order.values())
  }

  values(): IterableIterator<V> {
    return new Values(this, this.order.values())
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return new Entries(this, this.order.values())
  }

  map<T>(f: (key: K, value: V) => T): IterableIterator<T> {
    return new Mapped(this, this.order.values(), f)
  }

  // ---------------------------------------------------------------------------
  // slots
  // ---------------------------------------------------------------------------

  protected insert(slot: Slot<A>, place: unknown, referent: A): void {
    this.order.set(place, slot)
    if (slot.hash !== undefined && slot.hash !== place) {
      const bucket = this.buckets.get(slot.hash)
      if (bucket === undefined) this.buckets.set(slot.hash, slot)
      else if (Array.isArray(bucket)) bucket.push(slot)
      else this.buckets.set(slot.hash, [bucket, slot])
    }
    this.register(slot, referent)
  }

  /** Takes a slot out by request, and with it some time its registration. */
  protected discard(slot: Slot<A>): void {
    this.drop(slot)
    this.settle()
  }

  /**
   * Takes a slot out of the order and its bucket. Its registration stays behind,
   * stale. A slot may have left already, where foreign code ran since it was found.
   */
  protected drop(slot: Slot<A>): void {
    this.take(slot, this.placeOf(slot), slot.deref())
  }

  protected take(slot: Slot<A>, place: unknown, referent: A | undefined): void {
    if (!this.order.delete(place)) return
    this.leave(slot, referent)
    this.unbucket(slot, place)
  }

  protected unbucket(slot: Slot<A>, place: unknown): void {
    const { hash } = slot
    if (hash === undefined || hash === place) return
    const bucket = this.buckets.get(hash)
    if (!Array.isArray(bucket)) {
      this.buckets.delete(hash)
    } else {
      bucket.splice(bucket.indexOf(slot), 1)
      if (bucket.length === 1) this.buckets.set(hash, bucket[0]!)
    }
  }

  protected leave(slot: Slot<A>, _referent?: A): void {
    slot.strong = undefined
  }

  /** The slot of an equal key, alive or dead. */
  protected lookup(key: K, hash: number): Slot<A> | undefined {
    const bucket = this.buckets.get(hash)
    if (bucket === undefined) return undefined
    if (!Array.isArray(bucket)) return this.isFound(bucket, key) ? bucket : undefined
    return bucket.slice().find((slot) => this.isFound(slot, key))
  }

  /** To compare may run foreign code, which can take out any slot of a bucket, also the one that it compares. */
  protected isFound(slot: Slot<A>, key: K): boolean {
    return this.matches(slot, key) && this.order.get(this.placeOf(slot)) === slot
  }

  // ---------------------------------------------------------------------------
  // registrations
  // ---------------------------------------------------------------------------

  /**
   * A registration without a token is cheap but cannot be taken back. Where the
   * stale ones outnumber the others, a new registry takes the place of the old
   * and of all that is left in it: amortized constant time, and a bound on what
   * overwriting and removing leave behind.
   */
  protected settle(): void {
    if (this.registered > 2 * this.order.size + 8) this.renew()
  }

  private renew(): void {
    this.registry = this.makeRegistry()
    for (const slot of this.order.values()) {
      const referent = slot.deref()
      if (referent === undefined) this.drop(slot)
      else this.register(slot, referent)
    }
  }

  protected register(slot: Slot<A>, referent: A): void {
    this.registry.register(referent, slot)
    this.registered++
  }

  private makeRegistry(): FinalizationRegistry<Slot<A>> {
    this.registered = 0
    const drop = (slot: Slot<A>) => this.drop(slot)
    // Other heaps do all at once, so that a test can say when.
    const cleanup = this.heap === host ? inSlices(32768, drop) : drop
    const registry = makeRegistry<Slot<A>>(this.heap, (slot) => {
      // One that was replaced may have begun before.
      if (this.registry === registry) this.registered--
      cleanup(slot)
    })
    return registry
  }
}

/**
 * Yields what lives. It keeps no referent between two steps, as a generator's
 * suspended frame would.
 */
abstract class TableIterator<K, V, A extends WeakKey, T> implements IterableIterator<T> {
  declare protected readonly table: WeakTable<K, V, A>
  declare private readonly slots: Iterator<Slot<A>>

  constructor(table: WeakTable<K, V, A>, slots: Iterator<Slot<A>>) {
    this.table = table
    this.slots = slots
  }

  protected abstract select(slot: Slot<A>): T | Dead

  next(): IteratorResult<T> {
    for (;;) {
      const step = this.slots.next()
      if (step.done === true) return { done: true, value: undefined }
      const value = this.select(step.value)
      if (value !== Dead) return { done: false, value }
    }
  }

  [Symbol.iterator](): this {
    return this
  }
}

class Keys<K, V, A extends WeakKey> extends TableIterator<K, V, A, K> {
  protected override select(slot: Slot<A>): K | Dead {
    return this.table.keyOf(slot)
  }
}

class Values<K, V, A extends WeakKey> extends TableIterator<K, V, A, V> {
  protected override select(slot: Slot<A>): V | Dead {
    return this.table.valueOf(slot)
  }
}

class Entries<K, V, A extends WeakKey> extends TableIterator<K, V, A, [K, V]> {
  protected override select(slot: Slot<A>): [K, V] | Dead {
    return this.table.entryOf(slot)
  }
}

class Mapped<K, V, A extends WeakKey, T> extends TableIterator<K, V, A, T> {
  declare private readonly f: (key: K, value: V) => T

  constructor(table: WeakTable<K, V, A>, slots: Iterator<Slot<A>>, f: (key: K, value: V) => T) {
    super(table, slots)
    this.f = f
  }

  protected override select(slot: Slot<A>): T | Dead {
    const entry = this.table.entryOf(slot)
    return entry === Dead ? Dead : this.f(entry[0], entry[1])
  }
}

/** Fills a table in an effect: what cannot be a referent is a failure. */
export const fill = (setAll: () => void): Effect.Effect<void, NotWeakReferenceableError> =>
  Effect.suspend(() => {
    try {
      setAll()
      return Effect.void
    } catch (error) {
      if (error instanceof NotWeakReferenceableError) return Effect.fail(error)
      throw error
    }
  })

const isObject = (u: unknown): u is object => typeof u === "object" ? u !== null : typeof u === "function"

/** Strong keys of any type, weak values. A slot stands at its key. */
export class WeakValueTable<K, V extends WeakKey> extends WeakTable<K, V, V> {
  get(key: K): Option.Option<V> {
    const value = this.find(key)?.deref()
    return value === undefined ? Option.none() : Option.some(value)
  }

  has(key: K): boolean {
    return this.find(key)?.deref() !== undefined
  }

  set(key: K, value: V): void {
    if (!isWeakReferenceable(value)) throw new NotWeakReferenceableError({ value })
    let slot: Slot<V> | undefined = this.order.get(key)
    let hash: number | undefined
    if (slot === undefined) {
      hash = this.hashOf(key)
      if (hash !== undefined) slot = this.lookup(key, hash)
    }
    if (slot === undefined) return this.insert(new this.Slot(value, key, hash), key, value)
    const current = slot.deref()
    if (current === value) return
    if (current !== undefined) return this.replace(slot, value)
    // The entry ended with its value: what comes now is a new one, with this key and at the end.
    hash = slot.hash
    this.drop(slot)
    this.insert(new this.Slot(value, key, hash), key, value)
  }

  /** The entry keeps its key and its place. */
  private replace(slot: Slot<V>, value: V): void {
    const { hash, strong: key } = slot
    const by = new this.Slot(value, key, hash)
    this.order.set(key, by)
    if (hash !== undefined) {
      const bucket = this.buckets.get(hash)
      if (Array.isArray(bucket)) bucket[bucket.indexOf(slot)] = by
      else this.buckets.set(hash, by)
    }
    this.leave(slot)
    this.register(by, value)
    this.settle()
  }

  protected find(key: K): Slot<V> | undefined {
    const slot = this.order.get(key)
    if (slot !== undefined) return slot
    const hash = this.hashOf(key)
    return hash === undefined ? undefined : this.lookup(key, hash)
  }

  protected placeOf(slot: Slot<V>): unknown {
    return this.order.get(slot.strong) === slot ? slot.strong : slot
  }

  override remove(key: K): boolean {
    const slot = this.order.get(key)
    if (slot === undefined) return super.remove(key)
    this.take(slot, key, undefined)
    this.settle()
    return true
  }

  protected matches(slot: Slot<V>, key: K): boolean {
    return Equal.equals(slot.strong, key)
  }

  keyOf(slot: Slot<V>): K | Dead {
    return slot.deref() === undefined ? Dead : slot.strong as K
  }

  valueOf(slot: Slot<V>): V | Dead {
    return slot.deref() ?? Dead
  }

  entryOf(slot: Slot<V>): [K, V] | Dead {
    const value = slot.deref()
    return value === undefined ? Dead : [slot.strong as K, value]
  }

  protected check(key: K, value: V): void {
    if (!isWeakReferenceable(value)) throw new NotWeakReferenceableError({ value })
    this.hashOf(key)
  }

  /** Primitives need no hash: the order finds them. Most are strings, which is the quickest to tell. */
  private hashOf(key: K): number | undefined {
    return this.structural && typeof key !== "string" && isObject(key) ? Hash.hash(key) : undefined
  }
}

/** The strong side of a slot whose value is left to an ephemeron. */
const Elsewhere: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/Elsewhere")

/**
 * Weak keys, strong values that belong to them. A slot stands at the hash of its
 * key or, where it has none or another slot is there, at itself. A value that
 * could reach its own key is left to the heap's ephemerons, and others stand on
 * the slot: what only an ephemeron reaches is what costs at a collection.
 */
export class WeakKeyTable<K extends WeakKey, V> extends WeakTable<K, V, K> {
  declare protected slots: WeakMap<K, Slot<K>>
  declare private ephemerons: WeakMap<K, V> | undefined
  /** Whether a value was ever set that need not be left to an ephemeron. */
  declare private primitives: boolean

  constructor(heap: Heap, options: Options | undefined) {
    super(heap, options)
    this.slots = new heap.WeakMap()
    this.ephemerons = undefined
    this.primitives = false
  }

  get(key: K): Option.Option<V> {
    if (this.ephemerons !== undefined) {
      const value = this.ephemerons.get(key)
      if (value !== undefined) return Option.some(value)
      if (!this.primitives && !this.structural) return Option.none()
    }
    const slot = this.find(key)
    return slot === undefined ? Option.none() : Option.some(this.valueAt(slot))
  }

  has(key: K): boolean {
    return this.slots.has(key) || (this.structural && this.lookup(key, Hash.hash(key)) !== undefined)
  }

  set(key: K, value: V): void {
    this.primitives ||= !isWeakReferenceable(value)
    // What is left to an ephemeron stays there, also where a primitive takes its place.
    if (this.ephemerons?.has(key)) return void this.ephemerons.set(key, value)
    const slot = this.slots.get(key)
    if (slot === undefined) this.setOther(key, value)
    else this.put(slot, key, value)
  }

  /** At a key that is not in the table: an equal one may be. */
  protected setOther(key: K, value: V): void {
    if (!isWeakReferenceable(key)) throw new NotWeakReferenceableError({ value: key })
    const hash = this.structural ? Hash.hash(key) : undefined
    let slot = hash === undefined ? undefined : this.lookup(key, hash)
    if (slot !== undefined) return this.set(slot.deref()!, value)
    slot = new this.Slot(key, undefined, hash)
    this.slots.set(key, slot)
    this.put(slot, key, value)
    this.insert(slot, hash === undefined || this.order.has(hash) ? slot : hash, key)
  }

  private put(slot: Slot<K>, key: K, value: V): void {
    if (isWeakReferenceable(value)) {
      slot.strong = Elsewhere
      this.ephemerons ??= new this.heap.WeakMap()
      this.ephemerons.set(key, value)
    } else {
      slot.strong = value
    }
  }

  override clear(): void {
    super.clear()
    this.slots = new this.heap.WeakMap()
    this.ephemerons = undefined
  }

  protected find(key: K): Slot<K> | undefined {
    const slot = this.slots.get(key)
    return slot !== undefined || !this.structural ? slot : this.lookup(key, Hash.hash(key))
  }

  protected override lookup(key: K, hash: number): Slot<K> | undefined {
    const slot = this.order.get(hash)
    if (slot !== undefined && this.isFound(slot, key)) return slot
    return this.buckets.size === 0 ? undefined : super.lookup(key, hash)
  }

  protected placeOf(slot: Slot<K>): unknown {
    return slot.hash !== undefined && this.order.get(slot.hash) === slot ? slot.hash : slot
  }

  override remove(key: K): boolean {
    const slot = this.slots.get(key)
    if (slot === undefined) return super.remove(key)
    const place = this.buckets.size === 0 ? slot.hash ?? slot : this.placeOf(slot)
    // At once, while what the look-up has read is near.
    this.leave(slot, key)
    this.order.delete(place)
    this.unbucket(slot, place)
    this.settle()
    return true
  }

  protected override leave(slot: Slot<K>, key: K | undefined): void {
    if (key !== undefined) {
      this.slots.delete(key)
      this.ephemerons?.delete(key)
    }
    super.leave(slot)
  }

  protected matches(slot: Slot<K>, key: K): boolean {
    const stored = slot.deref()
    return stored !== undefined && Equal.equals(stored, key)
  }

  keyOf(slot: Slot<K>): K | Dead {
    return slot.deref() ?? Dead
  }

  valueOf(slot: Slot<K>): V | Dead {
    return slot.deref() === undefined ? Dead : this.valueAt(slot)
  }

  entryOf(slot: Slot<K>): [K, V] | Dead {
    const key = slot.deref()
    return key === undefined ? Dead : [key, this.valueAt(slot)]
  }

  /** Of a slot whose key lives. */
  private valueAt(slot: Slot<K>): V {
    return slot.strong === Elsewhere ? this.ephemerons!.get(slot.deref()!)! : slot.strong as V
  }

  protected check(key: K): void {
    if (!isWeakReferenceable(key)) throw new NotWeakReferenceableError({ value: key })
    if (this.structural) Hash.hash(key)
  }
}

/** How a table's elements and some others stand to each other. */
export interface Comparison<A> {
  /** How many of the table's elements are among the others. */
  readonly shared: number
  /** The others that the table does not have. */
  readonly missing: Array<A>
}

/** Weak keys without values. What is given to compare with may be any iterable, the table itself included. */
export class WeakElementTable<A extends WeakKey> extends WeakKeyTable<A, true> {
  add(element: A): void {
    if (!this.slots.has(element)) this.setOther(element, true)
  }

  addAll(elements: Iterable<A>): void {
    this.setAll([...elements].map((element) => [element, true] as const))
  }

  removeAll(elements: Iterable<A>): void {
    for (const slot of this.partition(elements).found) this.discard(slot)
  }

  retainAll(elements: Iterable<A>): void {
    const { found } = this.partition(elements)
    for (const slot of this.order.values()) if (!found.has(slot)) this.discard(slot)
  }

  toggleAll(elements: Iterable<A>): void {
    const { found, missing } = this.partition(elements)
    for (const element of missing) this.check(element)
    for (const slot of found) this.discard(slot)
    for (const element of missing) this.add(element)
  }

  compareWith(elements: Iterable<A>): Comparison<A> {
    const { found, missing } = this.partition(elements)
    return { shared: found.size, missing }
  }

  private partition(elements: Iterable<A>): { readonly found: Set<Slot<A>>; readonly missing: Array<A> } {
    const found = new Set<Slot<A>>()
    const missing: Array<A> = []
    for (const element of elements) {
      const slot = this.find(element)
      if (slot === undefined) missing.push(element)
      else found.add(slot)
    }
    return { found, missing }
  }
}
