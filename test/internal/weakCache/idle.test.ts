import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type Idle, IdleQueue } from "../../../src/internal/weakCache/idle.ts"

class Item {
  idle: Idle<Item> | undefined = undefined
  usedAt = -1
}

describe("IdleQueue", () => {
  it("wakes up for an entry only when it has been idle for too long", () => {
    const queue = new IdleQueue<Item>(10)
    queue.add(new Item(), 5)
    assert.strictEqual(queue.wakesAt, 15)
  })

  it("returns exactly the entries that have been idle for too long, under every script", () => {
    const step = fc.tuple(fc.constantFrom("add", "use", "use", "remove", "wait"), fc.nat({ max: 9 }))
    fc.assert(fc.property(fc.array(step, { size: "large" }), (script) => {
      const queue = new IdleQueue<Item>(10)
      const items = Array.from({ length: 10 }, () => new Item())
      let now = 0
      for (const [operation, n] of script) {
        const item = items[n]!
        if (operation === "wait") {
          now += n
          const due: Array<Item> = []
          for (let first = queue.due(now); first !== undefined; first = queue.due(now)) {
            queue.remove(first)
            due.push(first)
          }
          assert.sameMembers(due, items.filter((item) => item.usedAt !== -1 && now >= item.usedAt + 10))
          for (const item of due) item.usedAt = -1
        } else if (operation === "remove") {
          queue.remove(item)
          item.usedAt = -1
        } else if (operation === "add" && item.usedAt === -1) {
          queue.add(item, now)
          item.usedAt = now
        } else if (operation === "use" && item.idle !== undefined) {
          item.idle.usedAt = item.usedAt = now
        }
        const waiting = items.filter((item) => item.usedAt !== -1)
        assert.isAtMost(queue.wakesAt, Math.min(Infinity, ...waiting.map((item) => item.usedAt + 10)))
        assert.strictEqual(queue.wakesAt === Infinity, waiting.length === 0)
      }
    }))
  })
})
