import { assert, describe, it } from "@effect/vitest"
import { Effect, Hash } from "effect"
import * as fc from "fast-check"
import { exact, type Link, StrongFront } from "../../../src/internal/weakCache/strongFront.ts"
import { LeakDetector } from "../../../src/testing/index.ts"

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

/** Asserts that these items are all the items of one list, the oldest first. */
const isLinked = (items: ReadonlyArray<Item>): void => {
  for (const [index, item] of items.entries()) {
    assert.strictEqual(item.older, items[index - 1])
    assert.strictEqual(item.newer, items[index + 1])
  }
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
          isLinked(left)
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
            assert.deepStrictEqual([victim.older, victim.newer], [undefined, undefined])
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

  it("becomes LRU in the order of its lists, and can grow again", () => {
    for (const hasWindow of [true, false]) {
      const { front } = frontOf(30)
      const items = range(0, 30).map((key) => new Item(key, 1 + key % 3))
      items.forEach((item) => front.add(item))
      front.victim()
      for (const item of items.slice(0, 8)) front.use(item)
      // The newest item is the only one in the window.
      if (!hasWindow) front.remove(items.pop()!)
      front.capacity = exact
      const left = new Set(items)
      while (front.isOver()) {
        const victim = front.victim()
        front.remove(victim)
        left.delete(victim)
      }
      const expected = items.filter((item) => left.has(item)).toSorted((a, b) =>
        Number(a.key < 8) - Number(b.key < 8) || a.key - b.key
      )
      // The item of the window is newer than the others.
      if (hasWindow) expected.push(expected.splice(expected.indexOf(items[29]!), 1)[0]!)
      assert.strictEqual(front.size, exact)
      assert.strictEqual(front.weight, expected.reduce((sum, { weight }) => sum + weight, 0))
      isLinked(expected)
      front.capacity = 40
      const more = range(100, 120).map((key) => new Item(key))
      more.forEach((item) => front.add(item))
      assert.strictEqual(front.weight, [...expected, ...more].reduce((sum, { weight }) => sum + weight, 0))
      front.capacity = exact
      for (const item of more) front.remove(item)
      isLinked(expected)
      assert.deepStrictEqual(drain(front).map(({ key }) => key), expected.map(({ key }) => key))
    }
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

/** Pseudorandom numbers from 0 to 1, the same ones in every run. */
const draw = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0
  return (seed >>> 8) / 2 ** 24
}

/** Keys of which few are read often, as in most programs. */
const popular = (keys: number, reads: number, next: () => number) =>
  range(0, reads).map(() => {
    // Not a power, because engines round powers differently.
    const [a, b, c] = [next(), next(), next()]
    return Math.floor(keys * a * b * c)
  })

/** Each key is read again soon after it was new, and never later. */
const recent = (from: number, to: number, distance: number) =>
  range(from, to).flatMap((n) => [n, Math.max(from, n - distance), Math.max(from, n - 2 * distance)])

/** Steps of a workload besides the keys that are read. */
const evictOne = -1
const remove = (key: number) => -key - 2

interface Workload {
  readonly name: string
  readonly capacity: number
  readonly maxWeight?: number
  readonly weigh?: (key: number) => number
  readonly steps: () => ReadonlyArray<number>
  readonly hits: number
  /** Of the keys in the order in which they left the front. */
  readonly checksum: number
}

/** Runs a workload, and then empties the front. */
const record = ({ capacity, maxWeight = Infinity, steps, weigh = () => 1 }: Workload) => {
  const { front } = frontOf(capacity, maxWeight)
  const items = new Map<number, Item>()
  let hits = 0
  let checksum = 0
  const evict = (): void => {
    const victim = front.victim()
    front.remove(victim)
    items.delete(victim.key)
    checksum = (Math.imul(checksum, 31) + victim.key) | 0
  }
  for (const step of steps()) {
    const item = items.get(step < 0 ? remove(step) : step)
    if (step === evictOne) evict()
    else if (step < 0) {
      if (item === undefined) continue
      front.remove(item)
      items.delete(item.key)
    } else if (item !== undefined) {
      hits++
      front.use(item)
    } else {
      const added = new Item(step, weigh(step))
      items.set(step, added)
      front.add(added)
      while (front.isOver()) evict()
    }
  }
  while (front.size > 0) evict()
  return { hits, checksum }
}

/** Popular keys, recent keys, removals and loops in turn. */
const changing = (size: number, rounds: number) =>
  range(0, rounds).flatMap((round) => {
    const next = draw(round + 1)
    const first = 100_000 * round + 50_000
    return [
      popular(20 * size, 10 * size, next),
      recent(first, first + 2 * size, Math.floor(size / 3)),
      popular(20 * size, 5 * size, next).map((key) => next() < 0.02 ? remove(key) : key),
      loop(2 * size, 3)
    ].flat()
  })

/** Mostly new keys, of which few are read again, or mostly a few popular keys: LRU finds as many in both cases. */
const climbing = (rounds: number) => {
  const next = draw(6)
  let newest = 100
  return range(0, rounds).flatMap((round) => {
    const share = [0, 1, 0.01, 0, 0, 0.5, 0.51, 0.49, 0.9, 0.02][round % 10]!
    return range(0, 2000).map(() => {
      const kind = next()
      if (kind < 0.004) return newest - Math.floor(40 * next())
      return next() < share ? Math.floor(15 * next()) : newest++
    })
  })
}

const ofCapacity = (capacity: number, hits: number, checksum: number): Workload => ({
  name: `${capacity} of popular and recent keys`,
  capacity,
  steps: () => [
    ...popular(8 * capacity, 5 * capacity, draw(5)),
    ...recent(100_000, 100_000 + 2 * capacity, Math.floor(capacity / 3))
  ],
  hits,
  checksum
})

/**
 * The policy decides the same in every run, so its figures are exact. Whoever changes the policy compares them with
 * the new ones: more hits are better.
 */
const workloads: ReadonlyArray<Workload> = [
  {
    name: "popular keys",
    capacity: 100,
    steps: () => popular(2000, 6000, draw(1)),
    hits: 2278,
    checksum: -200_812_752
  },
  {
    name: "recent keys",
    capacity: 100,
    steps: () => recent(0, 4000, 30),
    hits: 4080,
    checksum: -1_817_403_551
  },
  {
    name: "a loop",
    capacity: 100,
    steps: () => loop(300, 20),
    hits: 1861,
    checksum: 238_790_318
  },
  {
    name: "changing keys",
    capacity: 60,
    steps: () => changing(60, 15),
    hits: 6072,
    checksum: 39_285_676
  },
  {
    name: "changing keys of different weights",
    capacity: Infinity,
    maxWeight: 200,
    weigh: (key) => key % 7,
    steps: () => changing(60, 5),
    hits: 2649,
    checksum: 1_894_423_061
  },
  {
    name: "keys that LRU finds as often",
    capacity: 40,
    steps: () => climbing(30),
    hits: 20_436,
    checksum: -1_157_929_274
  },
  {
    name: "recent keys, a loop and popular keys in turn",
    capacity: 40,
    steps: () =>
      range(0, 4).flatMap((n) =>
        [
          recent(1000 * n, 1000 * n + 900, 10),
          loop(100, 50),
          climbing(2 * n)
        ].flat()
      ),
    hits: 12_294,
    checksum: -499_454_152
  },
  {
    name: "the smallest large front",
    capacity: exact + 1,
    steps: () => [...popular(100, 3000, draw(2)), ...recent(1000, 2000, 5)],
    hits: 2061,
    checksum: 454_513_025
  },
  {
    name: "removals before the front is full",
    capacity: 200,
    steps: () => [
      ...range(0, 190),
      ...range(20, 80).map(remove),
      ...range(1000, 1080),
      ...range(20, 80),
      ...popular(900, 5000, draw(3))
    ],
    hits: 3795,
    checksum: -1_240_004_199
  },
  {
    name: "the removal of nearly all",
    capacity: 50,
    steps: () => [
      ...popular(200, 1500, draw(7)),
      ...range(1, 200).map(remove),
      ...recent(300, 400, 10),
      ...popular(200, 1500, draw(8))
    ],
    hits: 2252,
    checksum: 1_777_015_635
  },
  {
    name: "evictions that make no room for a key",
    capacity: 50,
    steps: () => {
      const next = draw(9)
      return popular(200, 3000, next).flatMap((key) => next() < 0.1 ? [key, key, evictOne] : [key])
    },
    hits: 2634,
    checksum: 65_283_973
  },
  {
    name: "nothing but hits, and then other keys",
    capacity: 100,
    steps: () => [...range(0, 130), ...loop(80, 80).map((key) => key + 10), ...popular(700, 3000, draw(4))],
    hits: 8453,
    checksum: -1_913_233_726
  },
  ofCapacity(511, 1672, 1_738_796_275),
  ofCapacity(512, 1677, 1_186_782_149),
  ofCapacity(1023, 3398, -1_597_127_670),
  ofCapacity(1024, 3424, -727_788_253),
  ofCapacity(2047, 6693, 453_639_345),
  ofCapacity(2048, 6627, 476_503_030),
  ofCapacity(4096, 13_385, -1_505_875_748)
]

describe("the decisions of a large front", () => {
  it.each(workloads)("find as many keys as ever: $name", (workload) => {
    const { checksum, hits } = workload
    assert.deepStrictEqual(record(workload), { hits, checksum })
  })

  const use = (front: StrongFront<Item>, item: Item, times: number) => {
    for (let n = 0; n < times; n++) front.use(item)
  }

  for (const halvings of [4, 32]) {
    it(`count no use that is ${halvings} halvings ago`, () => {
      const { front } = frontOf(20)
      const [old, ...others] = range(0, 20).map((key) => new Item(key)) as [Item, ...Array<Item>]
      for (const item of [old, ...others]) front.add(item)
      use(front, old, 20)
      use(front, others[0]!, halvings * 20_000)
      for (const item of others) use(front, item, 2)
      const added = new Item(100)
      front.add(added)
      front.use(added)
      assert.strictEqual(front.victim(), old)
    })
  }

  it("begin to count again after the front was empty", () => {
    const { front } = frontOf(20)
    const [busy, ...others] = range(0, 20).map((key) => new Item(key)) as [Item, ...Array<Item>]
    for (const item of [busy, ...others]) front.add(item)
    use(front, busy, 32 * 20_000)
    drain(front)
    const [next, last] = [new Item(101), new Item(102)]
    for (const item of [busy, ...others.slice(1), next]) front.add(item)
    use(front, next, 3)
    front.add(last)
    assert.strictEqual(front.victim(), busy)
  })
})

describe("StrongFront.admits", () => {
  it("refuses what alone exceeds a bound, and everything without capacity", () => {
    for (
      const [capacity, maxWeight, weight, expected] of [
        [0, Infinity, 0, false],
        [0, 5, 1, false],
        [1, 5, 0, true],
        [1, 5, 5, true],
        [1, 5, 6, false],
        [Infinity, 0, 0, true],
        [Infinity, 0, 1, false]
      ] as const
    ) {
      assert.strictEqual(frontOf(capacity, maxWeight).front.admits(weight), expected)
    }
  })
})

describe("an item that left", () => {
  it.live("is not held by a large front", () => {
    const { front } = frontOf(40)
    for (let key = 0; key < 30; key++) front.add(new Item(key))
    return LeakDetector.expectCollected(Effect.sync(() => {
      const item = new Item(100)
      front.add(item)
      front.use(item)
      front.remove(item)
      return item
    })).pipe(Effect.andThen(Effect.sync(() => assert.strictEqual(front.size, 30))))
  })

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
