/**
 * Weak keys that compare by identity, with values that are objects. A value may reach its key, so only an ephemeron may
 * hold the value.
 */
import * as Option from "effect/Option"
import { areStale } from "./registrations.ts"

interface EphemeronMap<K extends WeakKey, V extends object> {
  readonly values: WeakMap<K, V>
  /** Not one object for both, because only an ephemeron would reach it, which makes collections slower. */
  readonly refs: WeakMap<K, WeakRef<K>>
  readonly order: Set<WeakRef<K>>
  registry: FinalizationRegistry<WeakRef<K>>
  registered: number
}

export const make = <K extends WeakKey, V extends object>(): EphemeronMap<K, V> => {
  const order = new Set<WeakRef<K>>()
  return { values: new WeakMap(), refs: new WeakMap(), order, registry: makeRegistry(order), registered: 0 }
}

const makeRegistry = <K extends WeakKey>(order: Set<WeakRef<K>>): FinalizationRegistry<WeakRef<K>> =>
  new FinalizationRegistry((ref) => {
    order.delete(ref)
  })

/** Uses one ephemeron look-up and an Option. */
export const get = <K extends WeakKey, V extends object>(self: EphemeronMap<K, V>, key: K): Option.Option<V> => {
  const value = self.values.get(key)
  return value === undefined ? Option.none() : Option.some(value)
}

/** Uses a look-up. For a new key: two ephemerons, a reference, an entry in the order and a registration. */
export const set = <K extends WeakKey, V extends object>(self: EphemeronMap<K, V>, key: K, value: V): void => {
  const isNew = !self.values.has(key)
  self.values.set(key, value)
  if (!isNew) return
  const ref = new WeakRef(key)
  self.refs.set(key, ref)
  self.order.add(ref)
  self.registry.register(key, ref)
  self.registered++
}

/** Uses a look-up to find the entry in the order. Removes it and both ephemerons, and later the registration. */
export const remove = <K extends WeakKey, V extends object>(self: EphemeronMap<K, V>, key: K): boolean => {
  const ref = self.refs.get(key)
  if (ref === undefined) return false
  self.refs.delete(key)
  self.values.delete(key)
  self.order.delete(ref)
  if (areStale(self.registered, self.order.size)) renew(self)
  return true
}

const renew = <K extends WeakKey, V extends object>(self: EphemeronMap<K, V>): void => {
  self.registry = makeRegistry(self.order)
  self.registered = 0
  for (const ref of self.order) {
    const key = ref.deref()
    if (key === undefined) {
      self.order.delete(ref)
    } else {
      self.registry.register(key, ref)
      self.registered++
    }
  }
}

/** Uses a step of the native iterator, a dereference, an ephemeron look-up and the pair. */
export const iterate = <K extends WeakKey, V extends object>(
  self: EphemeronMap<K, V>
): Iterator<[K, V], undefined> => {
  const order = self.order.values()
  return {
    next: () => {
      for (;;) {
        const step = order.next()
        if (step.done === true) return { done: true, value: undefined }
        const key = step.value.deref()
        if (key !== undefined) return { done: false, value: [key, self.values.get(key)!] }
      }
    }
  }
}

/** Uses one dereference and the pair for each entry, in one loop. */
export const loop = <K extends WeakKey, V extends object>(self: EphemeronMap<K, V>, kept: { value: unknown }): void => {
  for (const ref of self.order) {
    const key = ref.deref()
    if (key !== undefined) kept.value = [key, self.values.get(key)]
  }
}

/** Uses one dereference and the call for each entry. */
export const forEach = <K extends WeakKey, V extends object>(
  self: EphemeronMap<K, V>,
  f: (value: V, key: K) => void
): void => {
  for (const ref of self.order) {
    const key = ref.deref()
    if (key !== undefined) f(self.values.get(key)!, key)
  }
}

export const size = (self: EphemeronMap<never, never>): number => self.order.size
