/** The table of `WeakValueMap`: strong keys of any type, and weak values. */
import * as Option from "effect/Option"
import { isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"
import { equals, hashOf } from "./equality.ts"
import { Absent, Dead, type Slot, SlotIterator, WeakTable } from "./table.ts"

const isObject = (u: unknown): u is object => typeof u === "object" ? u !== null : typeof u === "function"

/**
 * The table with strong keys and weak values. The key is the strong side of a slot, and
 * the place of the slot in `order`.
 */
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
      if (hash !== undefined) slot = this.findEqual(key, hash)
    }
    this.setFound(slot, key, value, hash)
  }

  protected setExact(key: K, value: V, hash: number | undefined): void {
    this.setFound(this.order.get(key), key, value, hash)
  }

  private setFound(slot: Slot<V> | undefined, key: K, value: V, hash: number | undefined): void {
    if (slot !== undefined) {
      const current = slot.deref()
      if (current === value) return
      if (current !== undefined) {
        const { strong } = slot
        return this.replace(slot, new this.Slot(value, strong, slot.hash), strong, value)
      }
      // The entry ended with its value. Inserts a new entry with the new key, at the end.
      hash = slot.hash
      this.reclaim(slot)
    }
    // -0 becomes 0, as in a native `Map`.
    const stored = typeof key === "number" ? key + 0 : key
    this.insert(new this.Slot(value, stored, hash), stored, value)
  }

  remove(key: K): boolean {
    const slot = this.find(key)
    if (slot === undefined) return false
    this.takeOut(slot, slot.strong, undefined)
    this.renewIfStale()
    return true
  }

  protected findExact(key: K): Slot<V> | undefined {
    return this.order.get(key)
  }

  protected isEqual(slot: Slot<V>, key: K): boolean {
    return equals(slot.strong, key) && this.placeOf(slot) !== Absent
  }

  protected placeOf(slot: Slot<V>): unknown {
    return this.order.get(slot.strong) === slot ? slot.strong : Absent
  }

  /**
   * Hashes objects only, because `order` finds primitives without a hash. Checks for
   * strings first, because most keys are strings.
   */
  protected hashOf(key: K): number | undefined {
    return this.structural && typeof key !== "string" && isObject(key) ? hashOf(key) : undefined
  }

  /** Accepts every key. */
  protected checkKey(): void {}

  protected check(_key: K, value: V): void {
    if (!isWeakReferenceable(value)) throw new NotWeakReferenceableError({ value })
  }

  protected foundKey(slot: Slot<V>): K {
    return slot.strong as K
  }

  valueOf(slot: Slot<V>): V | Dead {
    return slot.deref() ?? Dead
  }

  entryOf(slot: Slot<V>): [K, V] | Dead {
    const value = slot.deref()
    return value === undefined ? Dead : [slot.strong as K, value]
  }

  forEach(f: (value: V, key: K) => void): void {
    for (const slot of this.order.values()) {
      const value = slot.deref()
      if (value !== undefined) f(value, slot.strong as K)
    }
  }

  keys(): MapIterator<K> {
    return new KeyIterator(this.order.values())
  }

  values(): MapIterator<V> {
    return new ValueIterator(this.order.values())
  }

  entries(): MapIterator<[K, V]> {
    return new EntryIterator(this.order.values())
  }
}

class KeyIterator<K, V extends WeakKey> extends SlotIterator<V, K> {
  override next(): IteratorResult<K, undefined> {
    for (;;) {
      const step = this.slots.next()
      if (step.done === true) return { done: true, value: undefined }
      if (step.value.deref() !== undefined) return { done: false, value: step.value.strong as K }
    }
  }
}

class ValueIterator<V extends WeakKey> extends SlotIterator<V, V> {
  override next(): IteratorResult<V, undefined> {
    for (;;) {
      const step = this.slots.next()
      if (step.done === true) return { done: true, value: undefined }
      const value = step.value.deref()
      if (value !== undefined) return { done: false, value }
    }
  }
}

class EntryIterator<K, V extends WeakKey> extends SlotIterator<V, [K, V]> {
  override next(): IteratorResult<[K, V], undefined> {
    for (;;) {
      const step = this.slots.next()
      if (step.done === true) return { done: true, value: undefined }
      const value = step.value.deref()
      if (value !== undefined) return { done: false, value: [step.value.strong as K, value] }
    }
  }
}
