/** `iterable-weak`. Its map holds the values strongly, so a value that reaches its key keeps the entry alive. */
import iterableWeak from "iterable-weak"
import type { Collection } from "../contenders.ts"

const { IterableWeakMap, IterableWeakSet } = iterableWeak

export const keyMap: Collection<InstanceType<typeof IterableWeakMap<object, unknown>>, object, unknown> = {
  make: () => new IterableWeakMap([]),
  get: (self, key) => self.get(key),
  set: (self, key, value) => self.set(key, value),
  remove: (self, key) => self.delete(key),
  iterate: (self) => self.entries(),
  size: (self) => self.size
}

export const set: Collection<InstanceType<typeof IterableWeakSet<object>>, object> = {
  make: () => new IterableWeakSet([]),
  get: (self, element) => self.has(element),
  set: (self, element) => self.add(element),
  remove: (self, element) => self.delete(element),
  iterate: (self) => self.values(),
  size: (self) => self.size
}
