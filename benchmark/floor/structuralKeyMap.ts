/**
 * Weak keys that compare by `Equal.equals`, with values that are primitives. One native `Map` is both the index by hash
 * and the insertion order. The key of an entry in this map is its hash or, after a collision, the entry itself.
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import { areStale } from "./registrations.ts"

class Entry<K extends WeakKey, V> extends WeakRef<K> {
  readonly hash: number
  value: V
  constructor(key: K, hash: number, value: V) {
    super(key)
    this.hash = hash
    this.value = value
  }
}

interface KeyMap<K extends WeakKey, V> {
  readonly entries: WeakMap<K, Entry<K, V>>
  /** An empty slot at a hash stays as long as other entries have this hash. */
  readonly order: Map<number | Entry<K, V>, Entry<K, V> | undefined>
  /** The entries whose hash another entry has. */
  readonly collided: Map<number, Array<Entry<K, V>>>
  registry: FinalizationRegistry<Entry<K, V>>
  registered: number
}

export const make = <K extends WeakKey, V>(): KeyMap<K, V> => {
  const self: KeyMap<K, V> = {
    entries: new WeakMap(),
    order: new Map(),
    collided: new Map(),
    registry: undefined!,
    registered: 0
  }
  self.registry = makeRegistry(self)
  return self
}

const makeRegistry = <K extends WeakKey, V>(self: KeyMap<K, V>): FinalizationRegistry<Entry<K, V>> =>
  new FinalizationRegistry((entry) => drop(self, entry))

/** Uses an ephemeron look-up. For an equal object: another look-up, a hash, a dereference and a comparison. */
export const get = <K extends WeakKey, V>(self: KeyMap<K, V>, key: K): Option.Option<V> => {
  const entry = self.entries.get(key) ?? lookup(self, key, Hash.hash(key))
  return entry === undefined ? Option.none() : Option.some(entry.value)
}

const lookup = <K extends WeakKey, V>(self: KeyMap<K, V>, key: K, hash: number): Entry<K, V> | undefined => {
  const first = self.order.get(hash)
  if (first !== undefined && isAt(first, key)) return first
  return self.collided.size === 0 ? undefined : self.collided.get(hash)?.find((entry) => isAt(entry, key))
}

const isAt = <K extends WeakKey, V>(entry: Entry<K, V>, key: K): boolean => {
  const own = entry.deref()
  return own !== undefined && Equal.equals(own, key)
}

/** Uses two look-ups and a hash. For a new key: an ephemeron, a reference, an entry and a registration. */
export const set = <K extends WeakKey, V>(self: KeyMap<K, V>, key: K, value: V): void => {
  let entry = self.entries.get(key)
  if (entry !== undefined) {
    entry.value = value
    return
  }
  const hash = Hash.hash(key)
  const first = self.order.get(hash)
  const isFree = first === undefined && (self.collided.size === 0 || !self.collided.has(hash))
  if (!isFree && (entry = lookup(self, key, hash)) !== undefined) {
    entry.value = value
    return
  }
  entry = new Entry(key, hash, value)
  self.entries.set(key, entry)
  if (isFree) self.order.set(hash, entry)
  else collide(self, entry)
  self.registry.register(key, entry)
  self.registered++
}

const collide = <K extends WeakKey, V>(self: KeyMap<K, V>, entry: Entry<K, V>): void => {
  const others = self.collided.get(entry.hash)
  if (others === undefined) self.collided.set(entry.hash, [entry])
  else others.push(entry)
  self.order.set(entry, entry)
}

/** Uses a look-up to find the entry. Removes the entry and the ephemeron, and later the registration. */
export const remove = <K extends WeakKey, V>(self: KeyMap<K, V>, key: K): boolean => {
  const entry = self.entries.get(key) ?? lookup(self, key, Hash.hash(key))
  if (entry === undefined) return false
  self.entries.delete(entry.deref()!)
  drop(self, entry)
  if (areStale(self.registered, self.order.size)) renew(self)
  return true
}

const drop = <K extends WeakKey, V>(self: KeyMap<K, V>, entry: Entry<K, V>): void => {
  const others = self.collided.size === 0 ? undefined : self.collided.get(entry.hash)
  if (self.order.get(entry.hash) === entry) {
    if (others === undefined) self.order.delete(entry.hash)
    else self.order.set(entry.hash, undefined)
  } else if (others !== undefined && self.order.delete(entry)) {
    others.splice(others.indexOf(entry), 1)
    if (others.length > 0) return
    self.collided.delete(entry.hash)
    if (self.order.get(entry.hash) === undefined) self.order.delete(entry.hash)
  }
}

const renew = <K extends WeakKey, V>(self: KeyMap<K, V>): void => {
  self.registry = makeRegistry(self)
  self.registered = 0
  for (const entry of self.order.values()) {
    if (entry === undefined) continue
    const key = entry.deref()
    if (key === undefined) {
      drop(self, entry)
    } else {
      self.registry.register(key, entry)
      self.registered++
    }
  }
}

/** Uses a step of the native iterator, a dereference and the pair. */
export const iterate = <K extends WeakKey, V>(self: KeyMap<K, V>): Iterator<[K, V], undefined> => {
  const order = self.order.values()
  return {
    next: () => {
      for (;;) {
        const step = order.next()
        if (step.done === true) return { done: true, value: undefined }
        const key = step.value?.deref()
        if (key !== undefined) return { done: false, value: [key, step.value!.value] }
      }
    }
  }
}

/** Uses one dereference and the pair for each entry, in one loop. */
export const loop = <K extends WeakKey, V>(self: KeyMap<K, V>, kept: { value: unknown }): void => {
  for (const entry of self.order.values()) {
    const key = entry?.deref()
    if (key !== undefined) kept.value = [key, entry!.value]
  }
}

/** Uses one dereference and the call for each entry. */
export const forEach = <K extends WeakKey, V>(self: KeyMap<K, V>, f: (value: V, key: K) => void): void => {
  for (const entry of self.order.values()) {
    const key = entry?.deref()
    if (key !== undefined) f(entry!.value, key)
  }
}

export const size = (self: KeyMap<never, never>): number => self.order.size
