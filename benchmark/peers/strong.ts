/** A native `WeakMap`, which cannot iterate, and `lru-cache`, which holds its values. */
import { LRUCache } from "lru-cache"
import type { Collection } from "../contenders.ts"

/** Has no size and no iteration. */
export const weakMap: Collection<WeakMap<object, unknown>, object, unknown> = {
  make: () => new WeakMap(),
  get: (self, key) => self.get(key),
  set: (self, key, value) => self.set(key, value),
  remove: (self, key) => self.delete(key),
  size: () => 0
}

/** With room for all entries, which it allocates at once. */
export const lruCache: Collection<LRUCache<{}, object>, {}, object> = {
  make: () => new LRUCache({ max: 101_000 }),
  get: (self, key) => self.get(key),
  set: (self, key, value) => self.set(key, value),
  remove: (self, key) => self.delete(key),
  size: (self) => self.size,
  holds: true
}
