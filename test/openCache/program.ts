/** Leaves a cache with entries that expire later, and ends. `WeakCache.time.test.ts` starts it. */
import { Effect, Scope } from "effect"
import { WeakCache } from "../../src/index.ts"

const make = WeakCache.make({
  lookup: (id: number) => Effect.succeed({ id }),
  capacity: 5,
  timeToLive: "1 hour",
  idleTimeToLive: "30 minutes"
})
const cache = await Effect.runPromise(Effect.provideService(make, Scope.Scope, Scope.makeUnsafe()))
await Effect.runPromise(WeakCache.get(cache, 1))
