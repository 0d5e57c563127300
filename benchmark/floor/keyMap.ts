/**
 * Weak keys that compare by identity, with values that are primitives. Such a value reaches no key, so the reference
 * can hold it, and one ephemeron per key is enough.
 */
import * as Option from "effect/Option"
import { areStale } from "./registrations.ts"

class Entry<K extends WeakKey, V> extends WeakRef<K> {
  value: V
  constructor(key: K, value: V) {
    super(key)
    this.value = value
  }
}

interface KeyMap<K extends WeakKey, V> {
  readonly entries: WeakMap<K, Entry<K, V>>
  readonly order: Set<Entry<K, V>>
  registry: FinalizationRegistry<Entry<K, V>>
  registered: number
}

export const make = <K extends WeakKey, V>(): KeyMap<K, V> => {
  const order = new Set<Entry<K, V>>()
  return { entries: new WeakMap(), order, registry: makeRegistry(order), registered: 0 }
}

const makeRegistry = <K extends WeakKey, V>(order: Set<Entry<K, V>>): FinalizationRegistry<Entry<K, V>> =>
  new FinalizationRegistry((entry) => {
    order.delete(entry)
  })

/**
 * Uses one ephemeron look-up and an Option. The ephemeron could hold the value itself, but then iteration and removal
 * would need another look-up.
 */
export const get = <K extends WeakKey, V>(self: KeyMap<K, V>, key: K): Option.Option<V> => {
  const entry = self.entries.get(key)
  return entry === undefined ? Option.none() : Option.some(entry.value)
}

/** Uses a look-up. For a new key: an ephemeron, a reference, an entry in the order and a registration. */
export const set = <K extends WeakKey, V>(self: KeyMap<K, V>, key: K, value: V): void => {
  const found = self.entries.get(key)
  if (found !== undefined) {
    found.value = value
    return
  }
  const entry = new Entry(key, value)
  self.entries.set(key, entry)
  self.order.add(entry)
  self.registry.register(key, entry)
  self.registered++
}

/** Uses a look-up to find the entry in the order. Removes it and the ephemeron, and later the registration. */
export const remove = <K extends WeakKey, V>(self: KeyMap<K, V>, key: K): boolean => {
  const entry = self.entries.get(key)
  if (entry === undefined) return false
  self.entries.delete(key)
  self.order.delete(entry)
  if (areStale(self.registered, self.order.size)) renew(self)
  return true
}

const renew = <K extends WeakKey, V>(self: KeyMap<K, V>): void => {
  self.registry = makeRegistry(self.order)
  self.registered = 0
  for (const entry of self.order) {
    const key = entry.deref()
    if (key === undefined) {
      self.order.delete(entry)
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
        const key = step.value.deref()
        if (key !== undefined) return { done: false, value: [key, step.value.value] }
      }
    }
  }
}

/** Uses one dereference and the pair for each entry, in one loop. */
export const loop = <K extends WeakKey, V>(self: KeyMap<K, V>, kept: { value: unknown }): void => {
  for (const entry of self.order) {
    const key = entry.deref()
    if (key !== undefined) kept.value = [key, entry.value]
  }
}

/** Uses one dereference and the call for each entry. */
export const forEach = <K extends WeakKey, V>(self: KeyMap<K, V>, f: (value: V, key: K) => void): void => {
  for (const entry of self.order) {
    const key = entry.deref()
    if (key !== undefined) f(entry.value, key)
  }
}

export const size = (self: KeyMap<never, never>): number => self.order.size
