/**
 * `weakref`. Its maps compare by identity. They return `undefined` both for a missing key and for the value
 * `undefined`.
 */
import { IterableWeakMap, IterableWeakSet, WeakValueMap } from "weakref"
import type { Collection } from "../contenders.ts"

export const valueMap: Collection<WeakValueMap<unknown, object>, unknown, object> = {
  make: () => new WeakValueMap([]),
  get: (self, key) => self.get(key),
  set: (self, key, value) => self.set(key, value),
  remove: (self, key) => self.delete(key),
  iterate: (self) => self.entries(),
  size: (self) => self.size
}

export const keyMap: Collection<IterableWeakMap<object, unknown>, object, unknown> = {
  make: () => new IterableWeakMap([]),
  get: (self, key) => self.get(key),
  set: (self, key, value) => self.set(key, value),
  remove: (self, key) => self.delete(key),
  iterate: (self) => self.entries(),
  size: (self) => self.size
}

export const set: Collection<IterableWeakSet<object>, object> = {
  make: () => new IterableWeakSet([]),
  get: (self, element) => self.has(element),
  set: (self, element) => self.add(element),
  remove: (self, element) => self.delete(element),
  iterate: (self) => self.values(),
  size: (self) => self.size
}
