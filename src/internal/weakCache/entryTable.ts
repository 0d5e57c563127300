/**
 * The map from keys to entries. `StructuralTable` compares keys by content. To compare keys by reference, the cache
 * uses a native `Map`.
 */
import * as Hash from "effect/Hash"
import { equals, hash, hashOf } from "../equality.ts"

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
export const sketchHash = (compare: "structural" | "reference", key: unknown): number =>
  compare === "reference" && (typeof key === "object" || typeof key === "function") && key !== null
    ? Hash.random(key)
    : hash(key)

/**
 * A native `Map`, and an index by hash of the keys that may be equal to another key. A look-up first finds the key
 * itself, which needs no hash. Cost of every operation: O(1) with at most one hash, and one comparison for each key with
 * the same hash.
 */
export class StructuralTable<Key, V> implements Table<Key, V> {
  private readonly map = new Map<Key, V>()
  private readonly buckets = new Map<number, Array<Key>>()

  get size(): number {
    return this.map.size
  }

  get(key: Key): V | undefined {
    const value = this.map.get(key)
    if (value !== undefined || !hasParts(key)) return value
    const found = this.findEqual(key, hashOf(key))
    return found === undefined ? undefined : this.map.get(found)
  }

  set(key: Key, value: V): void {
    if (!hasParts(key) || this.map.has(key)) return void this.map.set(key, value)
    const hash = hashOf(key)
    // `Hash` and `Equal` may run user code that inserts the key.
    const stored = this.findEqual(key, hash) ?? key
    if (hash !== undefined && !this.map.has(stored)) {
      const bucket = this.buckets.get(hash)
      if (bucket === undefined) this.buckets.set(hash, [stored])
      else bucket.push(stored)
    }
    this.map.set(stored, value)
  }

  delete(key: Key): void {
    if (!hasParts(key)) return void this.map.delete(key)
    const hash = hashOf(key)
    const stored = this.map.has(key) ? key : this.findEqual(key, hash)
    if (stored === undefined || !this.map.delete(stored) || this.removeFromBucket(stored, hash)) return
    // The hash of the key has changed.
    for (const other of this.buckets.keys()) if (this.removeFromBucket(stored, other)) return
  }

  clear(): void {
    this.map.clear()
    this.buckets.clear()
  }

  values(): Iterable<V> {
    return this.map.values()
  }

  private findEqual(key: Key, hash: number | undefined): Key | undefined {
    const bucket = hash === undefined ? undefined : this.buckets.get(hash)
    // A copy, because `equals` runs user code that may change the bucket.
    return bucket?.slice().find((stored) => equals(stored, key) && this.map.has(stored))
  }

  private removeFromBucket(key: Key, hash: number | undefined): boolean {
    const bucket = hash === undefined ? undefined : this.buckets.get(hash)
    const i = bucket === undefined ? -1 : bucket.indexOf(key)
    if (i < 0) return false
    if (bucket!.length === 1) this.buckets.delete(hash!)
    else bucket!.splice(i, 1)
    return true
  }
}

const hasParts = (key: unknown): boolean => typeof key === "object" ? key !== null : typeof key === "function"

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
