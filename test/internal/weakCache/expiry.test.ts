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

  it("gives up many entries in the order of their times, whichever were removed before", () => {
    for (const count of [1, 2, 3, 7, 8, 100]) {
      const queue = new ExpiryQueue<Expiring>()
      // A prime step visits every time once, in no simple order.
      const items = Array.from({ length: count }, (_, n): Expiring => ({ expiresAt: (n * 67) % 101, place: -1 }))
      for (const item of items) queue.add(item)
      for (const item of items.filter((_, n) => n % 5 === 3)) queue.remove(item)
      const left = items.filter((_, n) => n % 5 !== 3)
      const times: Array<number> = []
      for (let { first } = queue; first !== undefined; { first } = queue) {
        times.push(first.expiresAt!)
        queue.remove(first)
        queue.remove(first)
        assert.strictEqual(first.place, -1)
      }
      assert.deepStrictEqual(times, left.map((item) => item.expiresAt!).toSorted((a, b) => a - b))
    }
  })
})
