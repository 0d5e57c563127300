import { assert, describe, it } from "@effect/vitest"
import { Hash } from "effect"
import * as fc from "fast-check"
import { exact, type Link, StrongFront } from "../../../src/internal/weakCache/strongFront.ts"

class Item implements Link {
  readonly key: number
  newer: Item | undefined = undefined
  older: Item | undefined = undefined
  weight: number
  mark = 0
  constructor(key: number, weight = 1) {
    this.key = key
    this.weight = weight
  }
}

const frontOf = (capacity: number, maxWeight = Infinity) => {
  const state = { hashes: 0 }
  const front = new StrongFront<Item>(capacity, maxWeight, (item) => {
    state.hashes++
    return Hash.hash(item.key)
  })
  return { front, state }
}

/** Removes all items in the order in which the front gives them up. */
const drain = (front: StrongFront<Item>): Array<Item> => {
  const items: Array<Item> = []
  while (front.size > 0) {
    const item = front.victim()
    front.remove(item)
    items.push(item)
  }
  return items
}

/** Reads keys as a cache does whose values die as soon as they leave the front. Returns the keys that were found. */
const simulate = (front: StrongFront<Item>, keys: Iterable<number>, items = new Map<number, Item>()): Array<number> => {
  const found: Array<number> = []
  for (const key of keys) {
    const item = items.get(key)
    if (item !== undefined) {
      found.push(key)
      front.use(item)
      continue
    }
    const added = new Item(key)
    items.set(key, added)
    front.add(added)
    while (front.isOver()) {
      const victim = front.victim()
      front.remove(victim)
      items.delete(victim.key)
    }
  }
  return found
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
const loop = (keys: number, rounds: number) => range(0, rounds).flatMap(() => range(0, keys))

describe("a small front", () => {
  it("is exactly LRU, under every script", () => {
    const operation = fc.constantFrom("add", "use", "remove")
    const script = fc.array(fc.tuple(operation, fc.nat({ max: exact - 1 })), { size: "large" })
    fc.assert(fc.property(script, (script) => {
      const { front, state } = frontOf(exact, 5)
      const items = range(0, exact).map((key) => new Item(key, key % 3))
      let model: Array<Item> = []
      for (const [operation, n] of script) {
        const item = items[n]!
        const isIn = model.includes(item)
        if (operation === "add" ? isIn : !isIn) continue
        front[operation as "add"](item)
        model = model.filter((other) => other !== item)
        if (operation !== "remove") model.push(item)
        assert.strictEqual(front.size, model.length)
        assert.strictEqual(front.weight, model.reduce((sum, item) => sum + item.weight, 0))
        assert.strictEqual(front.isOver(), front.weight > 5)
      }
      assert.deepStrictEqual(drain(front), model)
      assert.strictEqual(state.hashes, 0)
    }))
  })

  it("keeps its order if an item leaves that was used", () => {
    for (const size of [1, 2, 3, 4]) {
      for (const used of range(0, size)) {
        for (const removed of range(0, size)) {
          const { front } = frontOf(exact)
          const items = range(0, size).map((key) => new Item(key))
          items.forEach((item) => front.add(item))
          front.use(items[used]!)
          front.remove(items[removed]!)
          const left = [...items.filter((item) => item.key !== used), items[used]!].filter((item) =>
            item.key !== removed
          )
          left.forEach((item, index) => {
            assert.strictEqual(item.older, left[index - 1])
            assert.strictEqual(item.newer, left[index + 1])
          })
          // A new item shows that the front knows its newest item.
          const added = new Item(size)
          front.add(added)
          assert.deepStrictEqual(drain(front), [...left, added])
        }
      }
    }
  })

  it("stays LRU at the bound, whatever the keys", () => {
    const { front } = frontOf(exact)
    simulate(front, [...loop(5 * exact, 3), ...range(1000, 1000 + exact)])
    assert.deepStrictEqual(drain(front).map((item) => item.key), range(1000, 1000 + exact))
  })
})

describe("a large front", () => {
  it("keeps part of a loop that is longer than the front", () => {
    const { front } = frontOf(200)
    const found = simulate(front, loop(1000, 40))
    // LRU finds nothing. The optimum is 199 of 1,000 keys in each round.
    assert.isAbove(found.length, 0.7 * 0.2 * 40 * 1000)
  })

  it("keeps popular keys during a scan of keys that nobody reads again", () => {
    const { front } = frontOf(200)
    const items = new Map<number, Item>()
    simulate(front, loop(150, 20), items)
    simulate(front, range(10_000, 12_000), items)
    assert.isAbove(simulate(front, range(0, 150), items).length, 140)
  })

  it("becomes LRU if that finds more", () => {
    const { front } = frontOf(200)
    // Each key is read a few times soon after it was new, and never again.
    const keys = range(0, 20_000).flatMap((n) => [n, Math.max(0, n - 60), Math.max(0, n - 120)])
    const found = simulate(front, keys)
    assert.isAbove(found.slice(-6000).length / 6000, 0.6)
    const late = found.filter((key) => key > 15_000).length
    assert.isAbove(late / (2 * 5000), 0.95)
  })

  it("learns that other keys have become popular", () => {
    const { front } = frontOf(200)
    const items = new Map<number, Item>()
    simulate(front, loop(150, 100), items)
    simulate(front, loop(150, 100).map((key) => key + 1000), items)
    assert.isAbove(simulate(front, range(1000, 1150), items).length, 140)
  })

  it("has the bounds and the sums of its items, under every script", () => {
    const step = fc.tuple(fc.constantFrom("read", "read", "read", "remove", "capacity"), fc.nat({ max: 200 }))
    const script = fc.array(step, { minLength: 200, maxLength: 600 })
    fc.assert(
      fc.property(script, fc.constantFrom(40, 80, 120, Infinity), (script, maxWeight) => {
        const { front } = frontOf(100, maxWeight)
        const items = new Map<number, Item>()
        const shrink = () => {
          while (front.isOver()) {
            const victim = front.victim()
            assert.strictEqual(items.get(victim.key), victim)
            front.remove(victim)
            items.delete(victim.key)
            assert.deepStrictEqual([victim.older, victim.newer, victim.mark & 3], [undefined, undefined, 0])
          }
        }
        for (const [operation, n] of script) {
          const item = items.get(n)
          if (operation === "capacity") front.capacity = n
          else if (item === undefined) {
            const added = new Item(n, n % 4)
            if (!front.admits(added.weight)) continue
            items.set(n, added)
            front.add(added)
          } else if (operation === "read") front.use(item)
          else {
            front.remove(item)
            items.delete(n)
          }
          shrink()
          assert.strictEqual(front.size, items.size)
          assert.isAtMost(front.size, front.capacity)
          assert.strictEqual(front.weight, Array.from(items.values()).reduce((sum, { weight }) => sum + weight, 0))
        }
        assert.sameMembers(drain(front), [...items.values()])
      }),
      { numRuns: 50 }
    )
  })

  it("hashes a key when it enters and leaves, and nothing for a hit", () => {
    const { front, state } = frontOf(1000)
    const items = new Map<number, Item>()
    simulate(front, loop(500, 1), items)
    const before = state.hashes
    simulate(front, loop(500, 50), items)
    assert.strictEqual(state.hashes, before)
    simulate(front, range(500, 600), items)
    assert.strictEqual(state.hashes, before + 100)
  })

  it("is LRU again after its capacity became small", () => {
    const { front } = frontOf(200)
    const items = new Map<number, Item>()
    simulate(front, loop(300, 10), items)
    front.capacity = exact
    simulate(front, range(1000, 1000 + 2 * exact), items)
    assert.deepStrictEqual(drain(front).map((item) => item.key), range(1000 + exact, 1000 + 2 * exact))
  })

  it("gives up all its items one by one", () => {
    const { front } = frontOf(200)
    const items = new Map<number, Item>()
    simulate(front, loop(250, 5), items)
    assert.sameMembers(drain(front), [...items.values()])
    assert.deepStrictEqual([front.size, front.weight], [0, 0])
  })

  it("with a weight alone holds many light items", () => {
    const { front } = frontOf(Infinity, 500)
    const items = new Map<number, Item>()
    simulate(front, loop(2000, 20), items)
    assert.strictEqual(front.size, 500)
    assert.isAbove(simulate(front, loop(2000, 1), items).length, 300)
  })
})

describe("an item that left", () => {
  it("holds no neighbours", () => {
    const { front } = frontOf(3)
    const [a, b, c] = [new Item(1), new Item(2), new Item(3)]
    for (const item of [a, b, c]) front.add(item)
    front.remove(b)
    assert.deepStrictEqual([b.older, b.newer], [undefined, undefined])
    front.remove(c)
    assert.deepStrictEqual([c.older, c.newer], [undefined, undefined])
  })

  it("weighs nothing when it was the last, whatever the rounding", () => {
    const { front } = frontOf(3, 0)
    const items = [0.1, 0.2, 0.3].map((weight, key) => new Item(key, weight))
    items.forEach((item) => front.add(item))
    items.forEach((item) => front.remove(item))
    assert.isFalse(front.isOver())
  })
})
