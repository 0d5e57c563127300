/** The table with weak keys and strong values, and the table with weak elements. */
import * as Option from "effect/Option"
import { type Heap, isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"
import { equals, hashOf } from "./equality.ts"
import { Absent, type Compare, Dead, type Slot, SlotIterator, WeakTable } from "./table.ts"

/** The strong side of a slot whose value is in `ephemerons`. */
const Elsewhere: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/Elsewhere")

/**
 * The table with weak keys and strong values. The place of a slot in `order` is the
 * hash of its key, if that place is free. Otherwise its place is the slot itself.
 *
 * A value that can be a referent may reach its own key. Therefore `ephemerons` holds
 * such values. The slot itself holds all other values, because an ephemeron makes a
 * collection slower.
 */
export class WeakKeyTable<K extends WeakKey, V> extends WeakTable<K, V, K> {
  declare protected slots: WeakMap<K, Slot<K>>
  declare private ephemerons: WeakMap<K, V> | undefined
  /** Whether a value that needs no ephemeron has ever been set. */
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
    const slot = this.findEqual(key)
    return slot === undefined ? Option.none() : Option.some(this.valueAt(slot, this.foundKey(slot)))
  }

  has(key: K): boolean {
    return this.slots.has(key) || (this.structural && this.findEqual(key) !== undefined)
  }

  set(key: K, value: V): void {
    if (this.ephemerons?.has(key)) return this.setInEphemeron(key, value)
    const slot = this.slots.get(key)
    if (slot === undefined) this.setEqual(key, value)
    else this.put(slot, key, value)
  }

  /** Sets the value of a key that is not itself in the table. An equal key may be in the table. */
  protected setEqual(key: K, value: V): void {
    if (!isWeakReferenceable(key)) throw new NotWeakReferenceableError({ value: key })
    const hash = this.hashOf(key)
    const slot = this.structural ? this.findEqual(key, hash) : undefined
    if (slot === undefined) this.insertKey(key, value, hash)
    else this.put(slot, this.foundKey(slot), value)
  }

  protected setExact(key: K, value: V, hash: number | undefined): void {
    const slot = this.slots.get(key)
    if (slot === undefined) this.insertKey(key, value, hash)
    else this.put(slot, key, value)
  }

  protected insertKey(key: K, value: V, hash: number | undefined): void {
    const slot = new this.Slot(key, undefined, hash)
    this.slots.set(key, slot)
    this.put(slot, key, value)
    this.insert(slot, hash === undefined || this.order.has(hash) ? slot : hash, key)
  }

  private put(slot: Slot<K>, key: K, value: V): void {
    // Once the value of a slot is in `ephemerons`, all later values of the slot are too, even primitives.
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
    const slot = this.findEqual(key)
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

  protected override slotsAt(hash: number): Slot<K> | Array<Slot<K>> | undefined {
    const first = this.order.get(hash)
    const others = this.buckets.size === 0 ? undefined : super.slotsAt(hash)
    return first === undefined ? others : others === undefined ? first : [first].concat(others)
  }

  protected isEqual(slot: Slot<K>, key: K): boolean {
    const stored = slot.deref()
    // `Equal` may run user code that removes the slot, or collects its key on a test heap.
    return stored !== undefined && this.areEqual(stored, key) && this.slots.get(stored) === slot
  }

  protected areEqual(self: K, that: K): boolean {
    return equals(self, that)
  }

  protected placeOf(slot: Slot<K>): unknown {
    const { hash } = slot
    if (hash !== undefined && this.order.get(hash) === slot) return hash
    return this.order.has(slot) ? slot : Absent
  }

  /** Does not hash symbols, because they compare by identity. Effect would hash a symbol by its description. */
  protected hashOf(key: K): number | undefined {
    return this.structural && typeof key !== "symbol" ? hashOf(key) : undefined
  }

  protected checkKey(key: K): void {
    if (!isWeakReferenceable(key)) throw new NotWeakReferenceableError({ value: key })
  }

  protected check(key: K): void {
    this.checkKey(key)
  }

  protected override takeOut(slot: Slot<K>, place: unknown, key: K | undefined): void {
    // The WeakMaps have already dropped a dead key. Deletes a live key first, because the look-up has just read the same memory.
    if (key !== undefined) {
      this.slots.delete(key)
      this.ephemerons?.delete(key)
    }
    super.takeOut(slot, place, key)
  }

  /** Returns the key, which `find` has just seen alive. No user code has run since. */
  protected foundKey(slot: Slot<K>): K {
    return slot.deref()!
  }

  valueOf(slot: Slot<K>): V | Dead {
    const key = slot.deref()
    return key === undefined ? Dead : this.valueAt(slot, key)
  }

  entryOf(slot: Slot<K>): [K, V] | Dead {
    const key = slot.deref()
    return key === undefined ? Dead : [key, this.valueAt(slot, key)]
  }

  /** Returns the value of a slot whose key is alive. */
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

/** The result of `compareWith`: how the elements of a table relate to other elements. */
export interface Comparison {
  /** The number of elements of the table that are among the others. */
  readonly shared: number
  /** Whether the others have an element that is not in the table. */
  readonly hasMore: boolean
}

/**
 * The table with weak elements: a key table in which every value is `true`. Each
 * parameter `elements` may be any iterable, even an iterator of this table.
 */
export class WeakElementTable<A extends WeakKey> extends WeakKeyTable<A, true> {
  add(element: A): void {
    if (!this.slots.has(element)) this.setEqual(element, true)
  }

  /** Returns the element that is equal to this one, or adds this one and returns it. */
  intern(element: A): A {
    if (this.slots.has(element)) return element
    this.checkKey(element)
    const hash = this.hashOf(element)
    const slot = this.findEqual(element, hash)
    if (slot !== undefined) return this.foundKey(slot)
    this.insertKey(element, true, hash)
    return element
  }

  addAll(elements: Iterable<A>): void {
    const all = [...elements]
    this.setEach(all, all.map(() => true))
  }

  /** Adds all elements to a new table. If this throws, the caller must drop the table. */
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
    // Checks even the elements that will be removed. They always pass, because each is equal to an element of the table.
    all.forEach((element) => this.check(element))
    const { hashes, keys, slots } = this.resolve(all)
    slots.forEach((slot) => slot !== undefined && this.removeFound(slot))
    keys.forEach((element, i) => {
      if (slots[i] === undefined) this.setExact(element, true, hashes[i])
    })
  }

  /** Checks whether every element is in the table. Stops at the first element that is not. */
  hasAll(elements: Iterable<A>): boolean {
    for (const element of elements) if (!this.has(element)) return false
    return true
  }

  /** Checks whether any element is in the table. Stops at the first element that is. */
  hasAny(elements: Iterable<A>): boolean {
    for (const element of elements) if (this.has(element)) return true
    return false
  }

  /**
   * Compares the table with other elements. If `stopAtMore` is set, stops at the first
   * element that is not in the table.
   */
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

  /** Finds the slots of the elements that are in the table. Runs all user code before the caller changes the table. */
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
