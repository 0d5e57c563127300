/** Tests of the behaviour that `WeakKeyMap`, `WeakValueMap` and `WeakSet` share. */
import { assert, describe, it, vi } from "@effect/vitest"
import { Effect, Equal, Exit, Hash, Option } from "effect"
import { WeakKeyMap, WeakSet, WeakValueMap } from "../src/index.ts"
import { Key } from "../src/testing/Arbitraries.ts"
import { TestHeap } from "../src/testing/index.ts"

type Id = { readonly id: number }

const [a, b, c]: [Id, Id, Id] = [{ id: 1 }, { id: 2 }, { id: 3 }]

const structural = { compare: "structural" } as const

describe("compare", () => {
  it("WeakKeyMap and WeakSet compare by reference by default", () => {
    const map = WeakKeyMap.set(WeakKeyMap.makeUnsafe<Id, string>(), a, "a")
    assert.isFalse(WeakKeyMap.has(map, { ...a }))
    const set = WeakSet.add(WeakSet.makeUnsafe<Id>(), a)
    assert.isFalse(WeakSet.has(set, { ...a }))
    assert.isFalse(WeakKeyMap.has(Effect.runSync(WeakKeyMap.fromIterable([[a, "a"]])), { ...a }))
    assert.isFalse(WeakSet.has(Effect.runSync(WeakSet.fromIterable([a])), { ...a }))
    assert.isTrue(WeakKeyMap.has(WeakKeyMap.set(WeakKeyMap.makeUnsafe<Id, string>(structural), a, "a"), { ...a }))
  })

  it("WeakValueMap compares keys by structure by default", () => {
    const byStructure = WeakValueMap.set(WeakValueMap.makeUnsafe<Id, Id>(), a, b)
    assert.isTrue(WeakValueMap.has(byStructure, { ...a }))
    const byReference = WeakValueMap.set(WeakValueMap.makeUnsafe<Id, Id>({ compare: "reference" }), a, b)
    assert.isFalse(WeakValueMap.has(byReference, { ...a }))
  })

  it("WeakKeyMap and WeakSet do not read the properties of their members by default", () => {
    // Structural hashing reads a whole tree for each of its nodes, and took 11 seconds for 4,000 nodes.
    const node = Object.defineProperty({}, "parent", {
      enumerable: true,
      get: () => assert.fail("a property was read")
    })
    const map = WeakKeyMap.set(WeakKeyMap.makeUnsafe<object, number>(), node, 1)
    const set = WeakSet.add(WeakSet.makeUnsafe<object>(), node)
    assert.deepStrictEqual([WeakKeyMap.get(map, node), WeakSet.has(set, node)], [Option.some(1), true])
    assert.throws(() => WeakSet.add(WeakSet.makeUnsafe<object>(structural), node), "a property was read")
  })

  it("an unknown compare throws a TypeError, and is a defect of an effect", () => {
    // TypeScript rejects these values, but JavaScript can pass them.
    for (const compare of ["structure", "", 0, true] as Array<any>) {
      const message = `The option compare must be "structural" or "reference", but it is ${JSON.stringify(compare)}`
      assert.throws(() => WeakKeyMap.makeUnsafe({ compare }), TypeError, message)
      assert.throws(() => WeakValueMap.makeUnsafe({ compare }), TypeError, message)
      assert.throws(() => WeakSet.makeUnsafe({ compare }), TypeError, message)
      assert.isTrue(Exit.hasDies(Effect.runSyncExit(WeakSet.make({ compare }))))
    }
  })
})

describe("equality", () => {
  it("each collection equals itself only", () => {
    const pairs = [
      [WeakKeyMap.makeUnsafe(), WeakKeyMap.makeUnsafe()],
      [WeakValueMap.makeUnsafe(), WeakValueMap.makeUnsafe()],
      [WeakSet.makeUnsafe(), WeakSet.makeUnsafe()]
    ] as const
    const equal = (one: unknown, that: unknown) => (one as Equal.Equal)[Equal.symbol](that as Equal.Equal)
    for (const [one, another] of pairs) {
      assert.deepStrictEqual([Equal.equals(one, one), Equal.equals(one, another)], [true, false])
      // The hashes differ, so that Effect does not call the method.
      assert.deepStrictEqual([equal(one, one), equal(one, another)], [true, false])
    }
  })
})

describe("guards", () => {
  it("each guard rejects a collection of another copy of the package", async () => {
    vi.resetModules()
    const copy = await import("../src/index.ts")
    assert.notStrictEqual(copy.WeakKeyMap.makeUnsafe, WeakKeyMap.makeUnsafe)
    assert.isFalse(WeakKeyMap.isWeakKeyMap(copy.WeakKeyMap.makeUnsafe()))
    assert.isFalse(WeakValueMap.isWeakValueMap(copy.WeakValueMap.makeUnsafe()))
    assert.isFalse(WeakSet.isWeakSet(copy.WeakSet.makeUnsafe()))
    assert.isFalse(copy.WeakKeyMap.isWeakKeyMap(WeakKeyMap.makeUnsafe()))
    assert.isTrue(copy.WeakSet.isWeakSet(copy.WeakSet.makeUnsafe()))
  })

  it("each guard accepts only the collections of its own module", () => {
    const guards = [WeakKeyMap.isWeakKeyMap, WeakValueMap.isWeakValueMap, WeakSet.isWeakSet]
    const all = [WeakKeyMap.makeUnsafe(), WeakValueMap.makeUnsafe(), WeakSet.makeUnsafe()]
    guards.forEach((guard, i) => assert.deepStrictEqual(all.map(guard), all.map((_, j) => i === j)))
  })
})

describe("iterators", () => {
  const iterators = (): Array<MapIterator<unknown>> => {
    const map = WeakKeyMap.setAll(WeakKeyMap.makeUnsafe<Id, number>(), [[a, 1], [b, 2]])
    const values = WeakValueMap.setAll(WeakValueMap.makeUnsafe<number, Id>(), [[1, a], [2, b]])
    const set = WeakSet.addAll(WeakSet.makeUnsafe<Id>(), [a, b])
    return [
      WeakKeyMap.keys(map),
      WeakKeyMap.values(map),
      WeakKeyMap.entries(map),
      WeakKeyMap.keyRefs(map),
      WeakValueMap.keys(values),
      WeakValueMap.values(values),
      WeakValueMap.entries(values),
      WeakValueMap.valueRefs(values),
      WeakSet.values(set),
      WeakSet.refs(set),
      map[Symbol.iterator](),
      values[Symbol.iterator](),
      set[Symbol.iterator]()
    ]
  }

  it("have the native iterator prototype, and are iterable", () => {
    const native = Object.getPrototypeOf(Object.getPrototypeOf(new Map().keys()))
    for (const iterator of iterators()) {
      assert.isTrue(Object.prototype.isPrototypeOf.call(native, iterator))
      assert.strictEqual(iterator[Symbol.iterator](), iterator)
    }
  })

  it.skipIf(typeof globalThis.Iterator !== "function")(
    "are instances of Iterator and have its helpers (skipped if the host has no Iterator)",
    () => {
      for (const iterator of iterators()) {
        assert.isTrue(iterator instanceof Iterator)
        assert.deepStrictEqual(iterator.filter(() => true).map(() => 1).take(1).toArray(), [1])
      }
    }
  )
})

describe("keys", () => {
  it("the key -0 becomes 0, as in a native Map", () => {
    const map = WeakValueMap.makeUnsafe<number, Id>()
    WeakValueMap.set(map, -0, a)
    assert.isTrue(Object.is(Array.from(WeakValueMap.keys(map))[0], 0))
    assert.deepStrictEqual(WeakValueMap.get(map, 0), Option.some(a))
    WeakValueMap.setAll(WeakValueMap.clear(map), [[-0, b]])
    assert.isTrue(Object.is(Array.from(map)[0]![0], 0))
  })
})

describe("predicates", () => {
  const endless = function*(...elements: ReadonlyArray<Id>): Generator<Id> {
    for (;;) yield* elements
  }

  it("isSuperset, isProperSuperset and equals stop at the first element that the set lacks", () => {
    const set = WeakSet.addAll(WeakSet.makeUnsafe<Id>(), [a, b])
    assert.isFalse(WeakSet.isSuperset(set, endless(a, c)))
    assert.isFalse(WeakSet.isProperSuperset(set, endless(a, c)))
    assert.isFalse(WeakSet.equals(set, endless(a, c)))
  })

  it("isDisjoint stops at the first element that the set has", () => {
    const set = WeakSet.addAll(WeakSet.makeUnsafe<Id>(), [a, b])
    assert.isFalse(WeakSet.isDisjoint(set, endless(c, a)))
  })

  it("isSuperset and isDisjoint close the iterable when they stop", () => {
    const set = WeakSet.addAll(WeakSet.makeUnsafe<Id>(), [a, b])
    let closed = 0
    const closing = function*() {
      try {
        yield* endless(a, c)
      } finally {
        closed++
      }
    }
    WeakSet.isSuperset(set, closing())
    WeakSet.isDisjoint(set, closing())
    assert.strictEqual(closed, 2)
  })
})

describe("an element that the set lacks", () => {
  it("does not end the comparison of isSubset and isProperSubset", () => {
    const [a, b] = [{}, {}]
    const set = WeakSet.add(WeakSet.makeUnsafe<object>(), a)
    assert.deepStrictEqual([WeakSet.isSubset(set, [b, a]), WeakSet.isProperSubset(set, [b, a])], [true, true])
    assert.deepStrictEqual([WeakSet.isSubset(set, [b]), WeakSet.isProperSubset(set, [b, b])], [false, false])
  })
})

describe("setAll", () => {
  it("replaces a dead entry of the same key, at the end, and equal keys find the new one", () => {
    const { collect, heap } = TestHeap.makeUnsafe()
    const map = WeakValueMap.makeUnsafe<Key, object>({}, heap)
    const [dead, other, value] = [{}, {}, {}]
    const key = new Key(1)
    WeakValueMap.setAll(map, [[key, dead], [new Key(2), other]])
    collect(dead)
    WeakValueMap.setAll(map, [[key, value]])
    assert.deepStrictEqual(Array.from(WeakValueMap.keys(map), ({ id }) => id), [2, 1])
    assert.strictEqual(Option.getOrUndefined(WeakValueMap.get(map, new Key(1))), value)
    assert.strictEqual(WeakValueMap.size(map), 2)
  })

  it("sets all entries even if the hash of a key clears the map", () => {
    const map = WeakValueMap.makeUnsafe<Key, object>()
    const [before, first, second] = [{}, {}, {}]
    WeakValueMap.set(map, new Key(1), before)
    let cleared = false
    class Clearing extends Key {
      override [Hash.symbol](): number {
        if (!cleared) WeakValueMap.clear(map)
        cleared = true
        return super[Hash.symbol]()
      }
    }
    WeakValueMap.setAll(map, [[new Key(1), first], [new Clearing(3), second]])
    assert.deepStrictEqual(Array.from(map, ([key, value]) => [key.id, value]), [[1, first], [3, second]])
    assert.strictEqual(Option.getOrUndefined(WeakValueMap.get(map, new Key(1))), first)
  })
})

describe("a collection whose entries die", () => {
  it("keeps its registry, however many have died", () => {
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    let registries = 0
    const { FinalizationRegistry, WeakMap, WeakRef } = heap
    class Counted<T> extends FinalizationRegistry<T> {
      constructor(cleanup: (held: T) => void) {
        super(cleanup)
        registries++
      }
    }
    const map = WeakValueMap.makeUnsafe<number, object>({}, { WeakRef, WeakMap, FinalizationRegistry: Counted })
    const before = registries
    for (let round = 0; round < 20; round++) {
      const values = Array.from({ length: 10 }, () => ({}))
      values.forEach((value, key) => WeakValueMap.set(map, key, value))
      collect(...values)
      finalize()
    }
    assert.strictEqual(WeakValueMap.size(map), 0)
    assert.strictEqual(registries, before)
  })
})

describe("the oldest entry", () => {
  const n = 100_000

  it("emptying a collection with isEmpty and popEntry takes linear time", () => {
    const elements = Array.from({ length: n }, (_, id) => ({ id }))
    const set = WeakSet.addAll(WeakSet.makeUnsafe<Id>(), elements)
    const iterators = vi.spyOn(Map.prototype, "values")
    let popped = 0
    while (!WeakSet.isEmpty(set)) {
      assert.isTrue(Option.isSome(WeakSet.pop(set)))
      popped++
    }
    const started = iterators.mock.calls.length
    iterators.mockRestore()
    assert.strictEqual(popped, n)
    // Each new iterator steps over all entries that were removed at the front, so there must be few new iterators.
    assert.isBelow(started, 50)
  })

  it("isEmpty does not start at the front again after many removals at the front", () => {
    const elements = Array.from({ length: n }, (_, id) => ({ id }))
    const set = WeakSet.addAll(WeakSet.makeUnsafe<Id>(), elements)
    const iterators = vi.spyOn(Map.prototype, "values")
    for (const element of elements.slice(0, -1)) {
      WeakSet.remove(set, element)
      assert.isFalse(WeakSet.isEmpty(set))
    }
    const started = iterators.mock.calls.length
    iterators.mockRestore()
    assert.isBelow(started, 50)
  })

  it("is found after a replacement, after a death, and after the collection was empty", () => {
    const { collect, heap } = TestHeap.makeUnsafe()
    const map = WeakValueMap.setAll(WeakValueMap.makeUnsafe<number, Id>({}, heap), [[1, a], [2, b]])
    assert.isFalse(WeakValueMap.isEmpty(map))
    WeakValueMap.set(map, 1, c)
    assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.some([1, c]))
    assert.isFalse(WeakValueMap.isEmpty(map))
    collect(b)
    assert.isTrue(WeakValueMap.isEmpty(map))
    assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.none())
    WeakValueMap.set(map, 3, a)
    assert.isFalse(WeakValueMap.isEmpty(map))
    assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.some([3, a]))
  })

  it("isEmpty does not reclaim dead entries, so the size does not change", () => {
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    const set = WeakSet.addAll(WeakSet.makeUnsafe<Id>({}, heap), [a, b])
    collect(a, b)
    assert.isTrue(WeakSet.isEmpty(set))
    assert.strictEqual(WeakSet.size(set), 2)
    finalize()
    assert.strictEqual(WeakSet.size(set), 0)
  })
})

describe("two sets of elements", () => {
  it("have the relations, the union and the differences of their elements", () => {
    const subsets = Array.from({ length: 8 }, (_, bits) => [a, b, c].filter((_, i) => (bits >> i & 1) === 1))
    for (const one of subsets) {
      for (const two of subsets) {
        const [self, that] = [one, two].map((elements) => WeakSet.addAll(WeakSet.makeUnsafe<Id>(), elements)) as [
          WeakSet.WeakSet<Id>,
          WeakSet.WeakSet<Id>
        ]
        const [isSubset, isSuperset] = [one.every((id) => two.includes(id)), two.every((id) => one.includes(id))]
        const shared = one.filter((id) => two.includes(id))
        for (const other of [that, two]) {
          assert.deepStrictEqual(
            [
              WeakSet.isSubset(self, other),
              WeakSet.isSuperset(self, other),
              WeakSet.isProperSubset(self, other),
              WeakSet.isProperSuperset(self, other),
              WeakSet.isDisjoint(self, other),
              WeakSet.equals(self, other)
            ],
            [
              isSubset,
              isSuperset,
              isSubset && !isSuperset,
              isSuperset && !isSubset,
              shared.length === 0,
              isSubset && isSuperset
            ]
          )
          const listOf = (set: Iterable<Id>) => Array.from(set)
          const onlyOne = one.filter((id) => !two.includes(id))
          const onlyTwo = two.filter((id) => !one.includes(id))
          assert.deepStrictEqual(
            [
              WeakSet.union(self, other),
              WeakSet.intersection(self, other),
              WeakSet.difference(self, other),
              WeakSet.symmetricDifference(self, other)
            ].map(listOf),
            [[...one, ...onlyTwo], shared, onlyOne, [...onlyOne, ...onlyTwo]]
          )
          assert.deepStrictEqual([listOf(self), listOf(that)], [one, two])
        }
      }
    }
  })
})

describe("printing", () => {
  it("names the module of each collection", () => {
    const value = { id: 1 }
    const map = WeakKeyMap.set(WeakKeyMap.makeUnsafe<Id, number>(), value, 5)
    const values = WeakValueMap.set(WeakValueMap.makeUnsafe<number, Id>(), 5, value)
    const set = WeakSet.add(WeakSet.makeUnsafe<Id>(), value)
    assert.deepStrictEqual([map, values, set].map(String), [
      `WeakKeyMap([[{"id":1},5]])`,
      `WeakValueMap([[5,{"id":1}]])`,
      `WeakSet([{"id":1}])`
    ])
    assert.deepStrictEqual([map, values, set].map((collection) => collection.toJSON()), [
      { _id: "WeakKeyMap", values: [[{ id: 1 }, 5]] },
      { _id: "WeakValueMap", values: [[5, { id: 1 }]] },
      { _id: "WeakSet", values: [{ id: 1 }] }
    ])
  })
})
