/** `weak-value`. Its iterators are those of a native `Map` and yield the references, even dead ones. */
import WeakValue from "weak-value"
import type { Collection } from "../contenders.ts"

export const valueMap: Collection<WeakValue<unknown, object>, unknown, object> = {
  make: () => new WeakValue(),
  get: (self, key) => self.get(key),
  set: (self, key, value) => self.set(key, value),
  remove: (self, key) => self.delete(key),
  size: (self) => self.size
}
