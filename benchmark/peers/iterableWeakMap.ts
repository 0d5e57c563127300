/**
 * The iterable weak map from the README of the proposal for `WeakRef`, which many programs copy
 * (https://github.com/tc39/proposal-weakrefs#iterable-weakmaps).
 */
import type { Collection } from "../contenders.ts"

class IterableWeakMap<K extends WeakKey, V> {
  #weakMap = new WeakMap<K, { value: V; readonly ref: WeakRef<K> }>()
  #refSet = new Set<WeakRef<K>>()
  #finalizationGroup = new FinalizationRegistry(IterableWeakMap.#cleanup)

  static #cleanup({ ref, set }: { readonly ref: WeakRef<WeakKey>; readonly set: Set<WeakRef<WeakKey>> }) {
    set.delete(ref)
  }

  set(key: K, value: V): void {
    const entry = this.#weakMap.get(key)
    if (entry !== undefined) {
      entry.value = value
      return
    }
    const ref = new WeakRef(key)
    this.#weakMap.set(key, { value, ref })
    this.#refSet.add(ref)
    this.#finalizationGroup.register(key, { set: this.#refSet, ref }, ref)
  }

  get(key: K): V | undefined {
    return this.#weakMap.get(key)?.value
  }

  delete(key: K): boolean {
    const entry = this.#weakMap.get(key)
    if (entry === undefined) return false
    this.#weakMap.delete(key)
    this.#refSet.delete(entry.ref)
    this.#finalizationGroup.unregister(entry.ref)
    return true
  }

  *[Symbol.iterator](): Generator<[K, V]> {
    for (const ref of this.#refSet) {
      const key = ref.deref()
      if (key === undefined) continue
      const { value } = this.#weakMap.get(key)!
      yield [key, value]
    }
  }

  get size(): number {
    return this.#refSet.size
  }
}

export const keyMap: Collection<IterableWeakMap<object, unknown>, object, unknown> = {
  make: () => new IterableWeakMap(),
  get: (self, key) => self.get(key),
  set: (self, key, value) => self.set(key, value),
  remove: (self, key) => self.delete(key),
  iterate: (self) => self[Symbol.iterator](),
  size: (self) => self.size
}
