/** The tables with weak keys, and with weak elements. */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import { type Heap, isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"
import { Absent, type Compare, Dead, type Slot, SlotIterator, WeakTable } from "./table.ts"

/** The strong side of a slot whose value is in an ephemeron. */
const Elsewhere: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/Elsewhere")

/**
 * Weak keys, and strong values that belong to them. `order` has a slot under the
 * hash of its key if that is free, and otherwise under the slot itself.
 *
 * A value that can be a referent may reach its own key, so only an ephemeron may
 * hold it. Other values are the strong side of the slot, because an ephemeron
 * makes a collection slower.
 */
export class WeakKeyTable<K extends WeakKey, V> extends WeakTable<K, V, K> {
  declare protected slots: WeakMap<K, Slot<K>>
  declare private ephemerons: WeakMap<K, V> | undefined
  /** Whether any value was ever set that needs no ephemeron. */
  declare private primitives: boolean

  constructor(heap: Heap, compare: Compare) {
    super(heap, compare)
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
    const slot = this.slots.get(key)
    if (slot !== undefined) return Option.some(this.valueAt(slot, key))
    return this.structural ? this.getEqual(key) : Option.none()
  }

  private getEqual(key: K): Option.Option<V> {
    const slot = this.findOther(key)
    return slot === undefined ? Option.none() : Option.some(this.valueAt(slot, this.foundKey(slot)))
  }

  has(key: K): boolean {
    return this.slots.has(key) || (this.structural && this.findOther(key) !== undefined)
  }

  set(key: K, value: V): void {
    if (this.ephemerons?.has(key)) return this.setInEphemeron(key, value)
    const slot = this.slots.get(key)
    if (slot === undefined) this.setEqual(key, value)
    else this.put(slot, key, value)
  }

  /** Sets the value of a key that is not in the table by identity. An equal key may be. */
  protected setEqual(key: K, value: V): void {
    if (!isWeakReferenceable(key)) throw new NotWeakReferenceableError({ value: key })
    const { changes } = this
    const hash = this.hashOf(key)
    const slot = hash === undefined ? undefined : this.findEqual(key, hash, changes)
    if (slot === undefined) this.insertKey(key, value, hash)
    else this.put(slot, this.foundKey(slot), value)
  }

  protected setExact(key: K, value: V, hash: number | undefined): void {
    const slot = this.slots.get(key)
    if (slot === undefined) this.insertKey(key, value, hash)
    else this.put(slot, key, value)
  }

  private insertKey(key: K, value: V, hash: number | undefined): void {
    const slot = new this.Slot(key, undefined, hash)
    this.slots.set(key, slot)
    this.put(slot, key, value)
    this.insert(slot, hash === undefined || this.order.has(hash) ? slot : hash, key)
  }

  private put(slot: Slot<K>, key: K, value: V): void {
    // A value that is in an ephemeron stays there, even if a primitive replaces it.
    if (slot.strong === Elsewhere) return this.setInEphemeron(key, value)
    if (isWeakReferenceable(value)) {
      slot.strong = Elsewhere
      this.ephemerons ??= new this.heap.WeakMap()
      this.ephemerons.set(key, value)
    } else {
      this.primitives = true
      slot.strong = value
    }
  }

  private setInEphemeron(key: K, value: V): void {
    this.primitives ||= !isWeakReferenceable(value)
    this.ephemerons!.set(key, value)
  }

  remove(key: K): boolean {
    const slot = this.slots.get(key)
    if (slot === undefined) return this.structural && this.removeEqual(key)
    this.takeOut(slot, this.buckets.size === 0 ? slot.hash ?? slot : this.placeOf(slot), key)
    this.renewIfStale()
    return true
  }

  private removeEqual(key: K): boolean {
    const slot = this.findOther(key)
    if (slot === undefined) return false
    this.removeFound(slot)
    return true
  }

  override clear(): void {
    super.clear()
    this.slots = new this.heap.WeakMap()
    this.ephemerons = undefined
  }

  protected findExact(key: K): Slot<K> | undefined {
    return this.slots.get(key)
  }

  protected findHashed(key: K, hash: number): Slot<K> | undefined {
    const slot = this.order.get(hash)
    if (slot !== undefined && this.isEqual(slot, key)) return slot
    return this.buckets.size === 0 ? undefined : this.findInBucket(key, hash)
  }

  protected isEqual(slot: Slot<K>, key: K): boolean {
    const stored = slot.deref()
    // `Equal` may run user code that removes the slot, or collects its key on a test heap.
    return stored !== undefined && Equal.equals(stored, key) && this.slots.get(stored) === slot
  }

  protected placeOf(slot: Slot<K>): unknown {
    const { hash } = slot
    if (hash !== undefined && this.order.get(hash) === slot) return hash
    return this.order.has(slot) ? slot : Absent
  }

  /** Symbols compare by identity, so that `slots` finds them. Effect would hash them by their description. */
  protected hashOf(key: K): number | undefined {
    return this.structural && typeof key !== "symbol" ? Hash.hash(key) : undefined
  }

  protected check(key: K): void {
    if (!isWeakReferenceable(key)) throw new NotWeakReferenceableError({ value: key })
  }

  protected override takeOut(slot: Slot<K>, place: unknown, key: K | undefined): void {
    // A dead key has left both by itself. First, because the look-up has just read the same memory.
    if (key !== undefined) {
      this.slots.delete(key)
      this.ephemerons?.delete(key)
    }
    super.takeOut(slot, place, key)
  }

  /** `find` has seen the key alive, and no user code has run since. */
  protected foundKey(slot: Slot<K>): K {
    return slot.deref()!
  }

  keyOf(slot: Slot<K>): K | Dead {
    return slot.deref() ?? Dead
  }

  valueOf(slot: Slot<K>): V | Dead {
    const key = slot.deref()
    return key === undefined ? Dead : this.valueAt(slot, key)
  }

  entryOf(slot: Slot<K>): [K, V] | Dead {
    const key = slot.deref()
    return key === undefined ? Dead : [key, this.valueAt(slot, key)]
  }

  /** The value of a slot whose key is alive. */
  valueAt(slot: Slot<K>, key: K): V {
    return slot.strong === Elsewhere ? this.ephemerons!.get(key)! : slot.strong as V
  }

  forEach(f: (value: V, key: K) => void): void {
    for (const slot of this.order.values()) {
      const key = slot.deref()
      if (key !== undefined) f(this.valueAt(slot, key), key)
    }
  }

  keys(): MapIterator<K> {
    return new KeyIterator(this.order.values())
  }

  values(): MapIterator<V> {
    return new ValueIterator(this, this.order.values())
  }

  entries(): MapIterator<[K, V]> {
    return new EntryIterator(this, this.order.values())
  }
}

class KeyIterator<K extends WeakKey> extends SlotIterator<K, K> {
  override next(): IteratorResult<K, undefined> {
    for (;;) {
      const step = this.slots.next()
      if (step.done === true) return { done: true, value: undefined }
      const key = step.value.deref()
      if (key !== undefined) return { done: false, value: key }
    }
  }
}

class ValueIterator<K extends WeakKey, V> extends SlotIterator<K, V> {
  declare private readonly table: WeakKeyTable<K, V>

  constructor(table: WeakKeyTable<K, V>, slots: Iterator<Slot<K>>) {
    super(slots)
    this.table = table
  }

  override next(): IteratorResult<V, undefined> {
    for (;;) {
      const step = this.slots.next()
      if (step.done === true) return { done: true, value: undefined }
      const key = step.value.deref()
      if (key !== undefined) return { done: false, value: this.table.valueAt(step.value, key) }
    }
  }
}

class EntryIterator<K extends WeakKey, V> extends SlotIterator<K, [K, V]> {
  declare private readonly table: WeakKeyTable<K, V>

  constructor(table: WeakKeyTable<K, V>, slots: Iterator<Slot<K>>) {
    super(slots)
    this.table = table
  }

  override next(): IteratorResult<[K, V], undefined> {
    for (;;) {
      const step = this.slots.next()
      if (step.done === true) return { done: true, value: undefined }
      const key = step.value.deref()
      if (key !== undefined) return { done: false, value: [key, this.table.valueAt(step.value, key)] }
    }
  }
}

/** How the live elements of a table relate to some others. */
export interface Comparison {
  /** How many elements of the table are among the others. */
  readonly shared: number
  /** Whether the others have an element that is not in the table. */
  readonly hasMore: boolean
}

/** Weak keys without values. The other elements that a function takes may be any iterable, even this table. */
export class WeakElementTable<A extends WeakKey> extends WeakKeyTable<A, true> {
  add(element: A): void {
    if (!this.slots.has(element)) this.setEqual(element, true)
  }

  addAll(elements: Iterable<A>): void {
    const all = [...elements]
    this.setEach(all, all.map(() => true))
  }

  /** Like `fill`. */
  fillElements(elements: Iterable<A>): void {
    this.fill(Array.from(elements, (element) => [element, true]))
  }

  removeAll(elements: Iterable<A>): void {
    for (const slot of this.findAll(elements)) this.removeFound(slot)
  }

  retainAll(elements: Iterable<A>): void {
    const found = this.findAll(elements)
    for (const slot of this.order.values()) if (!found.has(slot)) this.removeFound(slot)
  }

  toggleAll(elements: Iterable<A>): void {
    const all = [...elements]
    // An element of the table passes this check too.
    all.forEach((element) => this.check(element))
    const { hashes, keys, slots } = this.resolve(all)
    slots.forEach((slot) => slot !== undefined && this.removeFound(slot))
    keys.forEach((element, i) => {
      if (slots[i] === undefined) this.setExact(element, true, hashes[i])
    })
  }

  /** Whether each of the others is in the table. Stops at the first that is not. */
  hasAll(elements: Iterable<A>): boolean {
    for (const element of elements) if (!this.has(element)) return false
    return true
  }

  /** Whether one of the others is in the table. Stops at the first that is. */
  hasAny(elements: Iterable<A>): boolean {
    for (const element of elements) if (this.has(element)) return true
    return false
  }

  /** Goes through all of the others, or stops at the first that is not in the table if `stopAtMore` is set. */
  compareWith(elements: Iterable<A>, stopAtMore = false): Comparison {
    const found = new Set<Slot<A>>()
    let hasMore = false
    for (const element of elements) {
      const slot = this.find(element)
      if (slot !== undefined) {
        found.add(slot)
      } else {
        hasMore = true
        if (stopAtMore) break
      }
    }
    return { shared: found.size, hasMore }
  }

  forEachElement(f: (element: A) => void): void {
    for (const slot of this.order.values()) {
      const element = slot.deref()
      if (element !== undefined) f(element)
    }
  }

  /** Finds the slots of the elements that are in the table, all of them before the first change. */
  private findAll(elements: Iterable<A>): Set<Slot<A>> {
    const all = [...elements]
    return this.untilUnchanged(() => {
      const found = new Set<Slot<A>>()
      for (const element of all) {
        const slot = this.find(element)
        if (slot !== undefined) found.add(slot)
      }
      return found
    })
  }
}
