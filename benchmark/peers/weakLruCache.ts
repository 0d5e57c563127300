/**
 * `weak-lru-cache`, without the strong part of the cache, which would keep the newest values alive. It iterates over
 * its own records, even over dead ones. Removing an entry leaves its registration behind.
 */
import { WeakLRUCache } from "weak-lru-cache"
import type { Collection } from "../contenders.ts"

export const valueMap: Collection<WeakLRUCache<unknown, object>, unknown, object> = {
  make: () => new WeakLRUCache({ expirer: false }),
  get: (self, key) => self.getValue(key),
  set: (self, key, value) => self.setValue(key, value),
  remove: (self, key) => self.delete(key),
  size: (self) => self.size
}
