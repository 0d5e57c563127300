/** The maps from keys to entries and lookups. */
import * as Hash from "effect/Hash"
import { equals, hash, hashOf } from "../equality.ts"

/** What a table holds for a key. */
export interface Keyed<Key> {
  readonly key: Key
  /** What `hashOf` returned for the key. */
  hash: number | undefined
}

/**
 * A map from keys to values. Only `get` and `hashOf` run code of the user, which may throw. The other methods are for
 * the changes that follow, which must be done as a whole.
 */
export interface Table<Key, V extends Keyed<Key>> {
  readonly size: number
  get(key: Key): V | undefined
  /** Returns the hash that a value needs before it is added, or `undefined` if its key is only equal to itself. */
  hashOf(key: Key): number | undefined
  /** Adds a value. No other key of the table may be equal to its key. */
  add(value: V): void
  /** Removes a value, unless it is not in the table. */
  delete(value: V): void
  clear(): void
  values(): Iterable<V>
}

/** Returns a hash of the key, for counting how often keys are used. Runs no code of the user. */
export const sketchHash = ({ hash: known, key }: Keyed<unknown>): number =>
  known ?? (hasParts(key) ? Hash.random(key) : hash(key))

/** Compares keys by reference. */
export class ReferenceTable<Key, V extends Keyed<Key>> implements Table<Key, V> {
  protected readonly map = new Map<Key, V>()

  get size(): number {
    return this.map.size
  }

  get(key: Key): V | undefined {
    return this.map.get(key)
  }

  hashOf(_key: Key): number | undefined {
    return undefined
  }

  add(value: V): void {
    this.map.set(value.key, value)
  }

  delete(value: V): void {
    if (this.map.get(value.key) === value) this.map.delete(value.key)
  }

  clear(): void {
    this.map.clear()
  }

  values(): Iterable<V> {
    return this.map.values()
  }
}

/**
 * Compares keys by content, with an index by hash of the keys that may be equal to another key. A look-up first finds
 * the key itself, which needs no hash. Cost of every operation: O(1) with at most one hash, and one comparison for each
 * key with the same hash.
 */
export class StructuralTable<Key, V extends Keyed<Key>> extends ReferenceTable<Key, V> {
  private readonly buckets = new Map<number, Array<V>>()

  override get(key: Key): V | undefined {
    const value = this.map.get(key)
    if (value !== undefined || !hasParts(key)) return value
    const hash = hashOf(key)
    const bucket = hash === undefined ? undefined : this.buckets.get(hash)
    // A copy, because `equals` runs user code that may change the bucket.
    return bucket?.slice().find((stored) => equals(stored.key, key) && this.map.get(stored.key) === stored)
  }

  override hashOf(key: Key): number | undefined {
    return hasParts(key) ? hashOf(key) : undefined
  }

  override add(value: V): void {
    // The code that hashed the key may have added the key.
    const same = this.map.get(value.key)
    if (same !== undefined) this.delete(same)
    this.map.set(value.key, value)
    if (value.hash === undefined) return
    const bucket = this.buckets.get(value.hash)
    if (bucket === undefined) this.buckets.set(value.hash, [value])
    else bucket.push(value)
  }

  override delete(value: V): void {
    super.delete(value)
    const bucket = value.hash === undefined ? undefined : this.buckets.get(value.hash)
    const i = bucket === undefined ? -1 : bucket.indexOf(value)
    if (i < 0) return
    if (bucket!.length === 1) this.buckets.delete(value.hash!)
    else bucket!.splice(i, 1)
  }

  override clear(): void {
    super.clear()
    this.buckets.clear()
  }
}

const hasParts = (key: unknown): key is object => typeof key === "object" ? key !== null : typeof key === "function"

/** Iterates over selected entries. Not a generator, because a suspended generator holds its last value. */
export class LiveEntries<Key, V extends Keyed<Key>, B> implements Iterable<B> {
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
