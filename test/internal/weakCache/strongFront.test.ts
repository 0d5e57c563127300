import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type Link, StrongFront } from "../../../src/internal/weakCache/strongFront.ts"

class Item implements Link {
  newer: Item | undefined = undefined
  older: Item | undefined = undefined
  weight: number
  constructor(weight = 1) {
    this.weight = weight
  }
}

const oldestFirst = (front: StrongFront<Item>): Array<Item> => {
  const items: Array<Item> = []
  for (let item = front.oldest; item !== undefined; item = item.newer) items.push(item)
  return items
}

describe("StrongFront", () => {
  it("is a list in the order of use, under every script", () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom("add", "use", "remove"), fc.nat({ max: 9 }))), (script) => {
      const front = new StrongFront<Item>(Infinity, 5)
      const items = Array.from({ length: 10 }, (_, n) => new Item(n % 3))
      let model: Array<Item> = []
      for (const [operation, n] of script) {
        const item = items[n]!
        const isIn = model.includes(item)
        if (operation === "add" ? isIn : !isIn) continue
        front[operation as "add"](item)
        model = model.filter((other) => other !== item)
        if (operation !== "remove") model.push(item)
        assert.deepStrictEqual(
          oldestFirst(front).map((item) => items.indexOf(item)),
          model.map((item) => items.indexOf(item))
        )
        assert.strictEqual(front.size, model.length)
        assert.strictEqual(front.isOver(), model.reduce((sum, item) => sum + item.weight, 0) > 5)
      }
    }))
  })

  it("an item that left holds no neighbours", () => {
    const front = new StrongFront<Item>(3, Infinity)
    const [a, b, c] = [new Item(), new Item(), new Item()]
    for (const item of [a, b, c]) front.add(item)
    front.remove(b)
    assert.deepStrictEqual([b.older, b.newer], [undefined, undefined])
    front.remove(c)
    assert.deepStrictEqual([c.older, c.newer], [undefined, undefined])
  })

  it("weighs nothing when it is empty, whatever the rounding", () => {
    const front = new StrongFront<Item>(3, 0)
    const items = [new Item(0.1), new Item(0.2), new Item(0.3)]
    items.forEach((item) => front.add(item))
    items.forEach((item) => front.remove(item))
    assert.isFalse(front.isOver())
  })
})
