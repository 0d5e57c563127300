import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type Expiring, ExpiryQueue } from "../../../src/internal/weakCache/expiry.ts"

describe("ExpiryQueue", () => {
  it("knows what expires first, under every script", () => {
    const step = fc.tuple(fc.boolean(), fc.nat({ max: 30 }), fc.nat({ max: 20 }))
    fc.assert(fc.property(fc.array(step, { size: "large" }), (script) => {
      const queue = new ExpiryQueue<Expiring>()
      const items = Array.from({ length: 31 }, (): Expiring => ({ expiresAt: 0, place: -1 }))
      // The model does not read `place`, so that a queue that forgets an item cannot hide it.
      const waiting = new Set<Expiring>()
      for (const [adds, n, expiresAt] of script) {
        const item = items[n]!
        if (!adds) {
          queue.remove(item)
          waiting.delete(item)
        } else if (!waiting.has(item)) {
          item.expiresAt = expiresAt
          queue.add(item)
          waiting.add(item)
        }
        assert.isTrue(items.every((item) => (item.place !== -1) === waiting.has(item)))
        const first = waiting.size === 0 ? undefined : Math.min(...[...waiting].map((item) => item.expiresAt!))
        assert.strictEqual(queue.first?.expiresAt, first)
      }
    }))
  })
})
