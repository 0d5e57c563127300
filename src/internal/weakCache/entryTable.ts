/**
 * The map from keys to entries. `StructuralTable` compares keys by `Equal.equals`. To compare keys by reference, the cache
 * uses a native `Map`.
 */
import * as Hash from "effect/Hash"
import * as MutableHashMap from "effect/MutableHashMap"
import * as Option from "effect/Option"

/** The part of a native `Map` that the cache needs. */
export interface Table<Key, V> {
  readonly size: number
  get(key: Key): V | undefined
  set(key: Key, value: V): unknown
  delete(key: Key): unknown
  clear(): void
  values(): Iterable<V>
}

/** Returns the hash of a key that the tables of this comparison find equal keys by. By reference, an object is not read. */
export const hashOf = (compare: "structural" | "reference", key: unknown): number =>
  compare === "reference" && (typeof key === "object" || typeof key === "function") && key !== null
    ? Hash.random(key)
    : Hash.hash(key)

export class StructuralTable<Key, V> implements Table<Key, V> {
  private readonly map = MutableHashMap.empty<Key, V>()

  get size(): number {
    return MutableHashMap.size(this.map)
  }
  get(key: Key): V | undefined {
    // Usually the key is identical to the stored key. Then no hash is needed.
    const value = this.map.backing.get(key)
    if (value !== undefined || typeof key === "string") return value
    return Option.getOrUndefined(MutableHashMap.get(this.map, key))
  }
  set(key: Key, value: V): void {
    MutableHashMap.set(this.map, key, value)
  }
  delete(key: Key): void {
    MutableHashMap.remove(this.map, key)
  }
  clear(): void {
    MutableHashMap.clear(this.map)
  }
  values(): Iterable<V> {
    return MutableHashMap.values(this.map)
  }
}

/** Iterates over selected entries. Not a generator, because a suspended generator holds its last value. */
export class LiveEntries<Key, V, B> implements Iterable<B> {
  private readonly entries: Table<Key, V>
  private readonly select: (entry: V) => { readonly item: B } | undefined

  constructor(entries: Table<Key, V>, select: (entry: V) => { readonly item: B } | undefined) {
    this.entries = entries
    this.select = select
  }

  [Symbol.iterator](): Iterator<B> {
    const entries = this.entries.values()[Symbol.iterator]()
    return {
      next: () => {
        for (;;) {
          const step = entries.next()
          if (step.done === true) return { done: true, value: undefined }
          const selected = this.select(step.value)
          if (selected !== undefined) return { done: false, value: selected.item }
        }
      }
    }
  }
}
