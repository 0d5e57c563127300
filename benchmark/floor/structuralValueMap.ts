/** Weak values at object keys that compare by `Equal.equals`. */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import { areStale } from "./registrations.ts"

/** Subclasses `WeakRef`, so that the data of the clean-up need no second object. */
class Entry<K, V extends WeakKey> extends WeakRef<V> {
  readonly key: K
  readonly hash: number
  constructor(value: V, key: K, hash: number) {
    super(value)
    this.key = key
    this.hash = hash
  }
}

interface ValueMap<K extends object, V extends WeakKey> {
  /** The entries by identity, in insertion order. A look-up of the same object needs no hash. */
  readonly entries: Map<K, Entry<K, V>>
  readonly buckets: Map<number, Entry<K, V> | Array<Entry<K, V>>>
  registry: FinalizationRegistry<Entry<K, V>>
  registered: number
}

export const make = <K extends object, V extends WeakKey>(): ValueMap<K, V> => {
  const self: ValueMap<K, V> = { entries: new Map(), buckets: new Map(), registry: undefined!, registered: 0 }
  self.registry = makeRegistry(self)
  return self
}

const makeRegistry = <K extends object, V extends WeakKey>(self: ValueMap<K, V>): FinalizationRegistry<Entry<K, V>> =>
  new FinalizationRegistry((entry) => {
    if (self.entries.get(entry.key) === entry) drop(self, entry)
  })

/** Uses a look-up, a dereference and an Option. For an equal object: another look-up, a hash and a comparison. */
export const get = <K extends object, V extends WeakKey>(self: ValueMap<K, V>, key: K): Option.Option<V> => {
  const value = (self.entries.get(key) ?? lookup(self, key, Hash.hash(key)))?.deref()
  return value === undefined ? Option.none() : Option.some(value)
}

const lookup = <K extends object, V extends WeakKey>(
  self: ValueMap<K, V>,
  key: K,
  hash: number
): Entry<K, V> | undefined => {
  const bucket = self.buckets.get(hash)
  if (bucket === undefined) return undefined
  if (Array.isArray(bucket)) return bucket.find((entry) => Equal.equals(entry.key, key))
  return Equal.equals(bucket.key, key) ? bucket : undefined
}

/**
 * Uses two look-ups and a hash, and for a known key a dereference. Then an entry by identity, an entry by hash, a
 * reference and a registration.
 */
export const set = <K extends object, V extends WeakKey>(self: ValueMap<K, V>, key: K, value: V): void => {
  const same = self.entries.get(key)
  const hash = same === undefined ? Hash.hash(key) : same.hash
  const found = same ?? lookup(self, key, hash)
  if (found !== undefined && found.deref() === undefined) self.entries.delete(found.key)
  const entry = new Entry(value, found === undefined ? key : found.key, hash)
  self.entries.set(entry.key, entry)
  const bucket = self.buckets.get(hash)
  if (bucket === undefined || bucket === found) self.buckets.set(hash, entry)
  else if (!Array.isArray(bucket)) self.buckets.set(hash, [bucket, entry])
  else if (found === undefined) bucket.push(entry)
  else bucket[bucket.indexOf(found)] = entry
  self.registry.register(value, entry)
  self.registered++
  if (areStale(self.registered, self.entries.size)) renew(self)
}

/** Removes the entry from both indexes, and later the registration. */
export const remove = <K extends object, V extends WeakKey>(self: ValueMap<K, V>, key: K): boolean => {
  const entry = self.entries.get(key) ?? lookup(self, key, Hash.hash(key))
  if (entry === undefined) return false
  drop(self, entry)
  if (areStale(self.registered, self.entries.size)) renew(self)
  return true
}

const drop = <K extends object, V extends WeakKey>(self: ValueMap<K, V>, entry: Entry<K, V>): void => {
  self.entries.delete(entry.key)
  const bucket = self.buckets.get(entry.hash)
  if (bucket === entry) {
    self.buckets.delete(entry.hash)
  } else if (Array.isArray(bucket)) {
    bucket.splice(bucket.indexOf(entry), 1)
    if (bucket.length === 0) self.buckets.delete(entry.hash)
  }
}

const renew = <K extends object, V extends WeakKey>(self: ValueMap<K, V>): void => {
  self.registry = makeRegistry(self)
  self.registered = 0
  for (const entry of self.entries.values()) {
    const value = entry.deref()
    if (value === undefined) {
      drop(self, entry)
    } else {
      self.registry.register(value, entry)
      self.registered++
    }
  }
}

/** Uses a step of the native iterator, a dereference and the pair. */
export const iterate = <K extends object, V extends WeakKey>(self: ValueMap<K, V>): Iterator<[K, V], undefined> => {
  const entries = self.entries.entries()
  return {
    next: () => {
      for (;;) {
        const step = entries.next()
        if (step.done === true) return { done: true, value: undefined }
        const value = step.value[1].deref()
        if (value !== undefined) return { done: false, value: [step.value[0], value] }
      }
    }
  }
}

export const size = (self: ValueMap<never, never>): number => self.entries.size
