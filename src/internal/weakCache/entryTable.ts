/** The maps from keys to entries and lookups. */
import * as Hash from "effect/Hash"
import { equals, hash, hashOf } from "../equality.ts"

/** What a table holds for a key. */
export interface Keyed<Key> {
  readonly key: Key
  /** What `hashOf` returned for the key. */
  readonly hash: number | undefined
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
  /** Puts another value of the same key and hash in the place of a value of the table. */
  replace(value: V, by: V): void
  /** Returns the value of this very key. */
  at(key: Key): V | undefined
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

  replace(value: V, by: V): void {
    this.map.set(value.key, by)
  }

  at(key: Key): V | undefined {
    return this.map.get(key)
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
  readonly #buckets = new Map<number, Array<Key>>()

  override get(key: Key): V | undefined {
    const value = this.map.get(key)
    if (value !== undefined || !hasParts(key)) return value
    const hash = hashOf(key)
    const bucket = hash === undefined ? undefined : this.#buckets.get(hash)
    // A copy, because `equals` runs user code that may change the bucket.
    const found = bucket?.slice().find((stored) => equals(stored, key) && this.map.has(stored))
    return found === undefined ? undefined : this.map.get(found)
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
    const bucket = this.#buckets.get(value.hash)
    if (bucket === undefined) this.#buckets.set(value.hash, [value.key])
    else bucket.push(value.key)
  }

  override delete(value: V): void {
    const { hash, key } = value
    if (this.map.get(key) !== value) return
    this.map.delete(key)
    const bucket = hash === undefined ? undefined : this.#buckets.get(hash)
    if (bucket === undefined) return
    if (bucket.length === 1) this.#buckets.delete(hash!)
    else bucket.splice(bucket.indexOf(key), 1)
  }

  override clear(): void {
    super.clear()
    this.#buckets.clear()
  }
}

const hasParts = (key: unknown): key is object => typeof key === "object" ? key !== null : typeof key === "function"

/** Iterates over selected entries. Not a generator, because a suspended generator holds its last value. */
export class LiveEntries<Key, V extends Keyed<Key>, B> implements Iterable<B> {
  readonly #entries: Table<Key, V>
  readonly #select: (entry: V) => { readonly item: B } | undefined

  constructor(entries: Table<Key, V>, select: (entry: V) => { readonly item: B } | undefined) {
    this.#entries = entries
    this.#select = select
  }

  [Symbol.iterator](): Iterator<B> {
    const entries = this.#entries.values()[Symbol.iterator]()
    return {
      next: () => {
        for (;;) {
          const step = entries.next()
          if (step.done === true) return { done: true, value: undefined }
          const selected = this.#select(step.value)
          if (selected !== undefined) return { done: false, value: selected.item }
        }
      }
    }
  }
}
