/**
 * Tests with user code (`Equal`, `Hash`, getters, callbacks, iterables) that changes a
 * collection while an operation runs.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Hash, Option } from "effect"
import * as fc from "fast-check"
import { WeakKeyMap, WeakSet, WeakValueMap } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

const structural = { compare: "structural" } as const

/** The keys that are being hashed. Effect returns another hash for a key that is hashed during its own hashing. */
const hashing = new Set<Key>()

/** Equal if the ids are equal. Runs its hooks when it is compared or hashed, but not while one of its hooks runs. */
class Key {
  readonly id: number
  readonly bucket: number
  onCompare: (() => void) | undefined
  readonly onHash: (() => void) | undefined
  private running = false

  constructor(id: number, bucket = 1, onCompare?: () => void, onHash?: () => void) {
    this.id = id
    this.bucket = bucket
    this.onCompare = onCompare
    this.onHash = onHash
  }

  private run(hook: (() => void) | undefined): void {
    if (this.running) return
    this.running = true
    try {
      hook?.()
    } finally {
      this.running = false
    }
  }

  [Equal.symbol](that: unknown): boolean {
    this.run(this.onCompare)
    return that instanceof Key && that.id === this.id
  }

  [Hash.symbol](): number {
    hashing.add(this)
    this.run(this.onHash)
    hashing.delete(this)
    return this.bucket
  }
}

const ids = <V>(map: WeakKeyMap.WeakKeyMap<Key, V>): Array<number> => Array.from(WeakKeyMap.keys(map), ({ id }) => id)

describe("user code that changes the collection during an operation", () => {
  it("a getter that inserts its object while the object is hashed leaves one entry", () => {
    const map = WeakKeyMap.makeUnsafe<Doc, number>(structural)
    class Doc {
      readonly text: string
      constructor(text: string) {
        this.text = text
      }
      // `make` adds an enumerable own property with this value, because structural hashing reads own properties.
      get ownWords(): number {
        return WeakKeyMap.getOrSet(map, this, () => 1)
      }
    }
    const make = () => {
      const doc = new Doc("text")
      return Object.defineProperty(doc, "words", { enumerable: true, get: () => doc.ownWords })
    }
    const doc = make()
    WeakKeyMap.set(map, doc, 2)
    assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), [2])
    WeakKeyMap.remove(map, doc)
    assert.deepStrictEqual(Array.from(map), [])
    assert.strictEqual(WeakKeyMap.size(map), 0)
  })

  it("a key that inserts itself while it is hashed is found by an equal key", () => {
    for (const before of [[], [new Key(1)]]) {
      for (const operation of ["get", "set"] as const) {
        const map = WeakKeyMap.makeUnsafe<Key, string>(structural)
        for (const key of before) WeakKeyMap.set(map, key, "before")
        let hashed = 0
        const key: Key = new Key(1, 1, undefined, () => {
          if (hashed++ === 0) WeakKeyMap.set(map, key, "inner")
        })
        const expected = operation === "get" ? "inner" : "outer"
        if (operation === "get") assert.deepStrictEqual(WeakKeyMap.get(map, key), Option.some("inner"))
        else WeakKeyMap.set(map, key, "outer")
        assert.deepStrictEqual(WeakKeyMap.get(map, new Key(1)), Option.some(expected))
        assert.deepStrictEqual(Array.from(map), [[before[0] ?? key, expected]])
        WeakKeyMap.remove(map, new Key(1))
        assert.isFalse(WeakKeyMap.has(map, key))
      }
    }
  })

  it("a comparison that inserts an equal key leaves one entry", () => {
    const map = WeakKeyMap.makeUnsafe<Key, string>(structural)
    const old = new Key(1)
    WeakKeyMap.set(map, old, "old")
    const inner = new Key(2)
    old.onCompare = () => void WeakKeyMap.set(map, inner, "inner")
    const outer = new Key(2)
    WeakKeyMap.set(map, outer, "outer")
    assert.deepStrictEqual(ids(map), [1, 2])
    assert.strictEqual(Array.from(WeakKeyMap.keys(map))[1], inner)
    assert.deepStrictEqual(WeakKeyMap.get(map, inner), Option.some("outer"))

    const values = WeakValueMap.makeUnsafe<Key, Key>()
    const first = new Key(1)
    WeakValueMap.set(values, first, first)
    first.onCompare = () => void WeakValueMap.set(values, inner, inner)
    WeakValueMap.set(values, outer, outer)
    assert.deepStrictEqual(Array.from(values), [[first, first], [inner, outer]])
  })

  it("a comparison that clears the map and sets a key leaves one entry, which can be removed", () => {
    const map = WeakKeyMap.makeUnsafe<Key, string>(structural)
    const old = new Key(1)
    WeakKeyMap.set(WeakKeyMap.set(map, old, "old"), new Key(2), "other")
    old.onCompare = () => {
      old.onCompare = undefined
      WeakKeyMap.set(WeakKeyMap.clear(map), new Key(3), "new")
    }
    WeakKeyMap.set(map, new Key(3), "outer")
    assert.deepStrictEqual(ids(map), [3])
    WeakKeyMap.remove(map, new Key(3))
    assert.strictEqual(WeakKeyMap.size(map), 0)
    assert.isFalse(WeakKeyMap.has(map, new Key(3)))
  })

  it("a comparison that changes the collection every time makes the operation throw", () => {
    for (const insert of [true, false]) {
      const map = WeakValueMap.makeUnsafe<Key, object>()
      const value = {}
      const meddler = () =>
        new Key(1, 1, () => {
          WeakValueMap.clear(map)
          WeakValueMap.set(map, meddler(), value)
        })
      WeakValueMap.set(map, meddler(), value)
      const operation = () =>
        insert ? WeakValueMap.set(map, new Key(2), value) : WeakValueMap.setAll(map, [[new Key(2), value]])
      assert.throws(operation, "changed the collection each time")
      assert.strictEqual(WeakValueMap.size(map), 1)
    }
  })

  it("if a comparison collects the stored key, look-ups find nothing and set inserts a new entry", () => {
    const { collect, heap } = TestHeap.makeUnsafe()
    const setup = () => {
      const map = WeakKeyMap.makeUnsafe<Key, unknown>(structural, heap)
      const stored = new Key(1, 1)
      WeakKeyMap.set(map, stored, { v: 1 })
      const probe = new Key(1, 1)
      stored.onCompare = () => collect(stored)
      return { map, probe }
    }
    const first = setup()
    assert.deepStrictEqual(WeakKeyMap.get(first.map, first.probe), Option.none())
    const second = setup()
    WeakKeyMap.set(second.map, second.probe, "new")
    assert.deepStrictEqual(Array.from(second.map), [[second.probe, "new"]])
    const third = setup()
    assert.deepStrictEqual(WeakKeyMap.pop(third.map, third.probe), Option.none())
    const fourth = setup()
    assert.isFalse(WeakKeyMap.has(fourth.map, fourth.probe))
  })

  it("setAll and the set operations in place change nothing if any comparison throws", () => {
    const boom = new Error("compared")
    let left = 0
    const throwing = (id: number) =>
      new Key(id, 1, () => {
        if (left-- === 0) throw boom
      })
    const elements = () => [new Key(10, 2), throwing(11), throwing(12), new Key(13, 2)]
    const [one, two] = [new Key(1), throwing(2)]
    const map = WeakKeyMap.makeUnsafe<Key, number>(structural)
    const set = WeakSet.makeUnsafe<Key>(structural)
    const values = WeakValueMap.makeUnsafe<Key, object>()
    for (
      const operation of [
        () => WeakKeyMap.setAll(map, elements().map((key) => [key, 0])),
        () => WeakSet.addAll(set, elements()),
        () => WeakSet.toggleAll(set, elements()),
        () => WeakSet.removeAll(set, [one, ...elements()]),
        () => WeakSet.retainAll(set, elements()),
        () => WeakValueMap.setAll(values, elements().map((key) => [key, key]))
      ]
    ) {
      let throws = 0
      for (let late = 0; throws === late; late++) {
        left = Infinity
        WeakKeyMap.setAll(WeakKeyMap.clear(map), [[one, 1], [two, 2]])
        WeakSet.addAll(WeakSet.clear(set), [one, two])
        WeakValueMap.setAll(WeakValueMap.clear(values), [[one, one], [two, two]])
        left = late
        try {
          operation()
        } catch (error) {
          assert.strictEqual(error, boom)
          throws++
          assert.deepStrictEqual(Array.from(map), [[one, 1], [two, 2]])
          assert.deepStrictEqual(Array.from(set), [one, two])
          assert.deepStrictEqual(Array.from(WeakValueMap.keys(values)), [one, two])
        }
      }
      assert.isAbove(throws, 1)
    }
  })

  it("setAll and fromIterable accept an iterable that reuses one pair", () => {
    const keys = [{ id: 1 }, { id: 2 }, { id: 3 }]
    const reusing = function*<A, B>(entries: ReadonlyArray<readonly [A, B]>): Generator<readonly [A, B]> {
      const pair: [A, B] = [...entries[0]!]
      for ([pair[0], pair[1]] of entries) yield pair
    }
    const byKey = keys.map((key) => [key, key.id] as const)
    const byValue = keys.map((key) => [key.id, key] as const)
    assert.deepStrictEqual(
      Array.from(WeakKeyMap.setAll(WeakKeyMap.makeUnsafe<{ readonly id: number }, number>(), reusing(byKey))),
      byKey
    )
    assert.deepStrictEqual(
      Array.from(WeakValueMap.setAll(WeakValueMap.makeUnsafe<number, { readonly id: number }>(), reusing(byValue))),
      byValue
    )
    assert.deepStrictEqual(Array.from(Effect.runSync(WeakKeyMap.fromIterable(reusing(byKey)))), byKey)
    assert.deepStrictEqual(Array.from(Effect.runSync(WeakValueMap.fromIterable(reusing(byValue)))), byValue)
  })

  it("adding 64,000 symbols with one description does not compare them with each other", () => {
    const symbols = Array.from({ length: 64_000 }, () => Symbol("session"))
    // Hashing them by their description would take more than a minute, and the test would time out.
    const set = WeakSet.addAll(WeakSet.makeUnsafe<symbol>(structural), symbols)
    assert.strictEqual(WeakSet.size(set), 64_000)
    assert.isTrue(symbols.every((symbol) => WeakSet.has(set, symbol)))
  })
})

// The scripts below run random operations, and run other random operations during each operation.

/** A common interface of the three collections. All keys, values and elements are instances of `Key`. */
interface Subject {
  readonly set: (a: Key, b: Key) => void
  readonly getOrSet: (a: Key, make: () => Key) => void
  readonly modify: (a: Key, f: (b: Key | undefined) => Key | undefined) => void
  readonly setAll: (keys: Iterable<Key>) => void
  readonly remove: (a: Key) => void
  readonly pop: (a: Key) => void
  readonly popOldest: () => void
  readonly clear: () => void
  readonly has: (a: Key) => boolean
  readonly keys: () => Array<Key>
  readonly size: () => number
  readonly count: () => number
  readonly isEmpty: () => boolean
}

const pairs = function*(keys: Iterable<Key>): Generator<[Key, Key]> {
  for (const key of keys) yield [key, key]
}

const subjects: Record<string, (heap: TestHeap.TestHeap["Service"]["heap"]) => Subject> = {
  WeakKeyMap: (heap) => {
    const self = WeakKeyMap.makeUnsafe<Key, Key>(structural, heap)
    return {
      set: (a, b) => WeakKeyMap.set(self, a, b),
      getOrSet: (a, make) => WeakKeyMap.getOrSet(self, a, make),
      modify: (a, f) => WeakKeyMap.modifyAt(self, a, (b) => Option.fromUndefinedOr(f(Option.getOrUndefined(b)))),
      setAll: (keys) => WeakKeyMap.setAll(self, pairs(keys)),
      remove: (a) => WeakKeyMap.remove(self, a),
      pop: (a) => WeakKeyMap.pop(self, a),
      popOldest: () => WeakKeyMap.popEntry(self),
      clear: () => WeakKeyMap.clear(self),
      has: (a) => WeakKeyMap.has(self, a),
      keys: () =>
        Array.from(WeakKeyMap.entries(self), ([key, value]) => {
          assert.instanceOf(value, Key)
          return key
        }),
      size: () => WeakKeyMap.size(self),
      count: () => WeakKeyMap.count(self),
      isEmpty: () => WeakKeyMap.isEmpty(self)
    }
  },
  WeakValueMap: (heap) => {
    const self = WeakValueMap.makeUnsafe<Key, Key>(structural, heap)
    return {
      set: (a, b) => WeakValueMap.set(self, a, b),
      getOrSet: (a, make) => WeakValueMap.getOrSet(self, a, make),
      modify: (a, f) => WeakValueMap.modifyAt(self, a, (b) => Option.fromUndefinedOr(f(Option.getOrUndefined(b)))),
      setAll: (keys) => WeakValueMap.setAll(self, pairs(keys)),
      remove: (a) => WeakValueMap.remove(self, a),
      pop: (a) => WeakValueMap.pop(self, a),
      popOldest: () => WeakValueMap.popEntry(self),
      clear: () => WeakValueMap.clear(self),
      has: (a) => WeakValueMap.has(self, a),
      keys: () =>
        Array.from(WeakValueMap.entries(self), ([key, value]) => {
          assert.instanceOf(value, Key)
          return key
        }),
      size: () => WeakValueMap.size(self),
      count: () => WeakValueMap.count(self),
      isEmpty: () => WeakValueMap.isEmpty(self)
    }
  },
  WeakSet: (heap) => {
    const self = WeakSet.makeUnsafe<Key>(structural, heap)
    return {
      set: (a) => WeakSet.add(self, a),
      getOrSet: (a, make) => WeakSet.toggleAll(self, [a, make()]),
      modify: (a, f) => WeakSet.retainAll(self, [a, f(a) ?? a, ...self]),
      setAll: (keys) => WeakSet.addAll(self, keys),
      remove: (a) => WeakSet.remove(self, a),
      pop: (a) => WeakSet.removeAll(self, [a]),
      popOldest: () => WeakSet.pop(self),
      clear: () => WeakSet.clear(self),
      has: (a) => WeakSet.has(self, a),
      keys: () => Array.from(self),
      size: () => WeakSet.size(self),
      count: () => WeakSet.count(self),
      isEmpty: () => WeakSet.isEmpty(self)
    }
  }
}

const kinds = [
  "set",
  "getOrSet",
  "modify",
  "setAll",
  "remove",
  "pop",
  "popOldest",
  "clear",
  "collect",
  "collectAndFinalize",
  "iterate",
  "isEmpty"
] as const

interface Action {
  readonly kind: typeof kinds[number]
  readonly a: number
  readonly b: number
}

const action: fc.Arbitrary<Action> = fc.record({ kind: fc.constantFrom(...kinds), a: fc.nat(9), b: fc.nat(9) })

const runScript = (
  make: typeof subjects[string],
  script: ReadonlyArray<Action>,
  inner: ReadonlyArray<Action>
): void => {
  const testHeap = TestHeap.makeUnsafe()
  const subject = make!(testHeap.heap)
  let budget = 60
  let next = 0
  let depth = 0
  /** The user code. Each call runs the next action of `inner`, at most two levels deep. */
  const reenter = () => {
    if (depth > 1 || inner.length === 0 || budget === 0) return
    budget--
    run(inner[next++ % inner.length]!)
  }
  // Five pairs of equal keys, with two different hashes.
  const keys = Array.from({ length: 10 }, (_, i) => new Key(i >> 1, i % 4 >> 1, reenter, reenter))
  const lazily = function*(...list: ReadonlyArray<Key>): Generator<Key> {
    for (const key of list) {
      reenter()
      yield key
    }
  }
  const run = ({ a: i, b: j, kind }: Action): void => {
    const [a, b, c] = [keys[i]!, keys[j]!, keys[(i + j) % 10]!]
    if ([a, b, c].some((key) => hashing.has(key))) return
    depth++
    try {
      switch (kind) {
        case "set":
          return subject.set(a, b)
        case "getOrSet":
          return subject.getOrSet(a, () => (reenter(), b))
        case "modify":
          return subject.modify(a, (old) => (reenter(), i % 2 === 0 ? b : old))
        case "setAll":
          return subject.setAll(lazily(a, b, c))
        case "remove":
          return subject.remove(a)
        case "pop":
          return subject.pop(a)
        case "popOldest":
          return subject.popOldest()
        case "clear":
          return subject.clear()
        case "collect":
          return testHeap.collect(a)
        case "collectAndFinalize":
          testHeap.collect(a, b)
          return testHeap.finalize()
        case "iterate": {
          for (const key of subject.keys()) if (key.id === a.id) reenter()
          return
        }
        case "isEmpty":
          return void subject.isEmpty()
      }
    } finally {
      depth--
    }
  }
  /** Checks the invariants that hold after every operation, whatever the user code did. */
  const expectSound = () => {
    const saved = budget
    budget = 0
    const present = subject.keys()
    assert.strictEqual(new Set(present.map(({ id }) => id)).size, present.length, "no key occurs twice")
    assert.strictEqual(subject.count(), present.length)
    assert.isAtLeast(subject.size(), present.length)
    assert.strictEqual(subject.isEmpty(), present.length === 0)
    for (const key of keys) {
      assert.strictEqual(
        subject.has(key),
        present.some(({ id }) => id === key.id),
        "the keys of the collection are found"
      )
    }
    budget = saved
  }
  for (const action of script) {
    run(action)
    expectSound()
  }
  budget = 0
  // No entry is orphaned: each remaining key can be removed.
  testHeap.finalize()
  assert.strictEqual(subject.size(), subject.count())
  for (const key of keys) {
    subject.remove(key)
    assert.isFalse(subject.has(key), "a removed key is not found")
  }
  assert.strictEqual(subject.size(), 0)
}

/** A script that once inserted a key twice. `setAll` found the entry of the key, and then user code collected the stored key. */
const collectedInTheMiddle: [Array<Action>, Array<Action>] = [
  [{ kind: "setAll", a: 1, b: 0 }, { kind: "set", a: 0, b: 0 }],
  [
    { kind: "set", a: 1, b: 0 },
    { kind: "set", a: 1, b: 0 },
    { kind: "set", a: 1, b: 0 },
    { kind: "collect", a: 1, b: 1 },
    { kind: "collect", a: 0, b: 0 }
  ]
]

describe("scripts of operations that run other operations during each operation", () => {
  for (const [name, make] of Object.entries(subjects)) {
    it(`${name} keeps its invariants`, () => {
      fc.assert(
        fc.property(
          fc.array(action, { minLength: 1, maxLength: 20 }),
          fc.array(action, { maxLength: 12 }),
          (script, inner) => runScript(make, script, inner)
        ),
        { numRuns: 1000, examples: [collectedInTheMiddle] }
      )
    })
  }
})
