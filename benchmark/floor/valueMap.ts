/** Weak values at keys that compare by identity, or are primitives. */
import * as Option from "effect/Option"
import { areStale } from "./registrations.ts"

interface ValueMap<K, V extends WeakKey> {
  readonly entries: Map<K, WeakRef<V>>
  registry: FinalizationRegistry<K>
  registered: number
}

export const make = <K, V extends WeakKey>(): ValueMap<K, V> => {
  const entries = new Map<K, WeakRef<V>>()
  return { entries, registry: makeRegistry(entries), registered: 0 }
}

/** The clean-up uses a look-up and a dereference. It may remove any dead reference. */
const makeRegistry = <K, V extends WeakKey>(entries: Map<K, WeakRef<V>>): FinalizationRegistry<K> =>
  new FinalizationRegistry((key) => {
    const ref = entries.get(key)
    if (ref !== undefined && ref.deref() === undefined) entries.delete(key)
  })

/** Uses a look-up, a dereference and an Option. */
export const get = <K, V extends WeakKey>(self: ValueMap<K, V>, key: K): Option.Option<V> => {
  const value = self.entries.get(key)?.deref()
  return value === undefined ? Option.none() : Option.some(value)
}

/**
 * Uses a look-up, an entry, a reference, and a registration without a token. A dead entry is removed first, so that the
 * new entry comes last in the order.
 */
export const set = <K, V extends WeakKey>(self: ValueMap<K, V>, key: K, value: V): void => {
  const ref = self.entries.get(key)
  if (ref !== undefined && ref.deref() === undefined) self.entries.delete(key)
  self.entries.set(key, new WeakRef(value))
  self.registry.register(value, key)
  self.registered++
  if (areStale(self.registered, self.entries.size)) renew(self)
}

/** Removes the entry, and later the registration. */
export const remove = <K, V extends WeakKey>(self: ValueMap<K, V>, key: K): boolean => {
  const removed = self.entries.delete(key)
  if (areStale(self.registered, self.entries.size)) renew(self)
  return removed
}

const renew = <K, V extends WeakKey>(self: ValueMap<K, V>): void => {
  self.registry = makeRegistry(self.entries)
  self.registered = 0
  for (const [key, ref] of self.entries) {
    const value = ref.deref()
    if (value === undefined) {
      self.entries.delete(key)
    } else {
      self.registry.register(value, key)
      self.registered++
    }
  }
}

/** Uses a step of the native iterator, a dereference and the pair. */
export const iterate = <K, V extends WeakKey>(self: ValueMap<K, V>): Iterator<[K, V], undefined> => {
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

/** Uses one dereference and the pair for each entry, in one loop. */
export const loop = <K, V extends WeakKey>(self: ValueMap<K, V>, kept: { value: unknown }): void => {
  for (const [key, ref] of self.entries) {
    const value = ref.deref()
    if (value !== undefined) kept.value = [key, value]
  }
}

/** Uses one dereference and the call for each entry. */
export const forEach = <K, V extends WeakKey>(self: ValueMap<K, V>, f: (value: V, key: K) => void): void => {
  for (const [key, ref] of self.entries) {
    const value = ref.deref()
    if (value !== undefined) f(value, key)
  }
}

export const size = (self: ValueMap<never, never>): number => self.entries.size
