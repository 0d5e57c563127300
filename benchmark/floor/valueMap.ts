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

/** A dead reference may go, whoever put it there: one look-up tells whether the entry is still the one that died. */
const makeRegistry = <K, V extends WeakKey>(entries: Map<K, WeakRef<V>>): FinalizationRegistry<K> =>
  new FinalizationRegistry((key) => {
    const ref = entries.get(key)
    if (ref !== undefined && ref.deref() === undefined) entries.delete(key)
  })

/** One look-up, one dereference, and an Option for the two answers. */
export const get = <K, V extends WeakKey>(self: ValueMap<K, V>, key: K): Option.Option<V> => {
  const value = self.entries.get(key)?.deref()
  return value === undefined ? Option.none() : Option.some(value)
}

/**
 * A look-up tells what is there: an entry whose value has died is over, also where the clean-up is yet to come, and the
 * new one stands at the end. Then one entry, one reference, one registration without a token.
 */
export const set = <K, V extends WeakKey>(self: ValueMap<K, V>, key: K, value: V): void => {
  const ref = self.entries.get(key)
  if (ref !== undefined && ref.deref() === undefined) self.entries.delete(key)
  self.entries.set(key, new WeakRef(value))
  self.registry.register(value, key)
  self.registered++
  if (areStale(self.registered, self.entries.size)) renew(self)
}

/** The entry must go, and some time the registration. */
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

/** One step of the native iterator, one dereference, and the pair. */
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

/** One dereference and the pair for each entry, in one loop. */
export const loop = <K, V extends WeakKey>(self: ValueMap<K, V>, kept: { value: unknown }): void => {
  for (const [key, ref] of self.entries) {
    const value = ref.deref()
    if (value !== undefined) kept.value = [key, value]
  }
}

/** One dereference and the call for each entry. */
export const forEach = <K, V extends WeakKey>(self: ValueMap<K, V>, f: (value: V, key: K) => void): void => {
  for (const [key, ref] of self.entries) {
    const value = ref.deref()
    if (value !== undefined) f(value, key)
  }
}

export const size = (self: ValueMap<never, never>): number => self.entries.size
