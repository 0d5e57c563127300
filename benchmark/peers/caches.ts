/**
 * Caches of Effect, and `WeakCache`. Setting a key runs a lookup, and getting one runs `get` again, both in a fiber of
 * their own. The values are those of the caller, which holds them.
 */
import * as Cache from "effect/Cache"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as ScopedCache from "effect/ScopedCache"
import * as WeakCache from "../../src/WeakCache.ts"
import type { Collection } from "../contenders.ts"

/** The value that the next lookup returns. */
let next: object = {}
const lookup = (): Effect.Effect<object> => Effect.sync(() => next)

/** Room for all keys, also those that a test of misses adds. */
const capacity = 110_000

interface Made {
  readonly get: (key: unknown) => Effect.Effect<unknown>
  readonly invalidate: (key: unknown) => Effect.Effect<unknown>
  readonly size: Effect.Effect<number>
}

const cache = (make: Effect.Effect<Made, never, Scope.Scope>, holds: boolean): Collection<Made, unknown, object> => ({
  make: () => Effect.runSync(Scope.provide(make, Scope.makeUnsafe())),
  get: (self, key) => Effect.runSync(self.get(key)),
  set: (self, key, value) => {
    next = value
    const got = Effect.runSync(self.get(key))
    // This module must not hold the last value.
    next = {}
    return got
  },
  remove: (self, key) => Effect.runSync(self.invalidate(key)),
  size: (self) => Effect.runSync(self.size),
  holds
})

export const caches: Readonly<Record<string, Collection>> = {
  "effect-weakref": cache(
    Effect.map(WeakCache.make({ lookup }), (self) => ({
      get: (key) => WeakCache.get(self, key),
      invalidate: (key) => WeakCache.invalidate(self, key),
      size: WeakCache.size(self)
    })),
    false
  ),
  "Effect's Cache": cache(
    Effect.map(Cache.make({ lookup, capacity }), (self) => ({
      get: (key) => Cache.get(self, key),
      invalidate: (key) => Cache.invalidate(self, key),
      size: Cache.size(self)
    })),
    true
  ),
  "Effect's ScopedCache": cache(
    Effect.map(ScopedCache.make({ lookup, capacity }), (self) => ({
      get: (key) => ScopedCache.get(self, key),
      invalidate: (key) => ScopedCache.invalidate(self, key),
      size: ScopedCache.size(self)
    })),
    true
  )
}
