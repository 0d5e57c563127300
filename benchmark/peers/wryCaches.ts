/**
 * `@wry/caches`, without a limit. It has no iteration, makes its references and registrations in a microtask after
 * `set`, and holds the values strongly. So a value that reaches its key keeps the entry alive.
 */
import { WeakCache } from "@wry/caches"
import type { Collection } from "../contenders.ts"

export const keyMap: Collection<WeakCache<object, unknown>, object, unknown> = {
  make: () => new WeakCache(),
  get: (self, key) => self.get(key),
  set: (self, key, value) => self.set(key, value),
  remove: (self, key) => self.delete(key),
  size: (self) => self.size
}
