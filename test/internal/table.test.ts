import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Exit, Hash, Option } from "effect"
import { Heap } from "../../src/Heap.ts"
import { hashOf } from "../../src/internal/equality.ts"
import { nextTurn } from "../../src/internal/host.ts"
import { WeakElementTable, WeakKeyTable } from "../../src/internal/keyTable.ts"
import type { WeakTable } from "../../src/internal/table.ts"
import { WeakValueTable } from "../../src/internal/valueTable.ts"
import { NotWeakReferenceableError } from "../../src/WeakError.ts"
import * as WeakKeyMap from "../../src/WeakKeyMap.ts"
import { countingHeap } from "../support/countingHeap.ts"

/** Equal if the ids are equal. Counts how often it is hashed and compared, and runs hooks first. */
class Key {
  readonly id: number
  hashed = 0
  compared = 0
  onCompare: () => void = () => {}
  onHash: () => void = () => {}
  constructor(id: number) {
    this.id = id
  }
  [Equal.symbol](that: unknown): boolean {
    this.compared++
    this.onCompare()
    return that instanceof Key && that.id === this.id
  }
  /** All keys have the same hash, so that every bucket is shared. */
  [Hash.symbol](): number {
    this.hashed++
    this.onHash()
    return 7
  }
}

const tables = {
  "keys by reference": (heap: ReturnType<typeof countingHeap>["heap"]) => {
    const table = new WeakKeyTable<object, number>(heap, "reference")
    return { table, add: (key: object) => table.set(key, 1), remove: (key: object) => table.remove(key) }
  },
  "keys by structure": (heap: ReturnType<typeof countingHeap>["heap"]) => {
    const table = new WeakKeyTable<object, number>(heap, "structural")
    return { table, add: (key: object) => table.set(key, 1), remove: (key: object) => table.remove(key) }
  },
  values: (heap: ReturnType<typeof countingHeap>["heap"]) => {
    const table = new WeakValueTable<object, object>(heap, "reference")
    return { table, add: (key: object) => table.set(key, key), remove: (key: object) => table.remove(key) }
  },
  elements: (heap: ReturnType<typeof countingHeap>["heap"]) => {
    const table = new WeakElementTable<object>(heap, "reference")
    return { table, add: (key: object) => table.add(key), remove: (key: object) => table.removeAll([key]) }
  }
}

describe.each(Object.entries(tables))("the registrations of a table of %s", (_, make) => {
  it("are at most twice its entries and eight more, however many entries come and go", () => {
    const { heap, made } = countingHeap()
    const { add, remove, table } = make(heap)
    for (let n = 0; n < 20; n++) {
      const key = { n }
      add(key)
      remove(key)
    }
    assert.deepStrictEqual(made, [9, 9, 2])
    const held = Array.from({ length: 10 }, (_, n) => ({ n }))
    for (const key of held) add(key)
    for (let n = 10; n < 27; n++) {
      const key = { n }
      add(key)
      remove(key)
    }
    // The new registry has one registration for each entry.
    assert.deepStrictEqual(made, [9, 9, 29, 10])
    assert.strictEqual(table.size, 10)
  })

  it("are counted without those of a registry that was replaced", () => {
    const { collect, finalize, heap, made } = countingHeap()
    const { add, remove } = make(heap)
    const removed = Array.from({ length: 9 }, (_, n) => ({ n }))
    for (const key of removed) {
      add(key)
      remove(key)
    }
    assert.deepStrictEqual(made, [9, 0])
    collect(...removed)
    finalize()
    for (let n = 0; n < 9; n++) {
      const key = { n }
      add(key)
      remove(key)
    }
    assert.deepStrictEqual(made, [9, 9, 0])
  })

  it("end with the entries that popEntry finds dead", () => {
    const { collect, heap, made } = countingHeap()
    const { add, table } = make(heap)
    const keys = Array.from({ length: 20 }, (_, n) => ({ n }))
    for (const key of keys) add(key)
    collect(...keys)
    assert.deepStrictEqual(table.popEntry(), Option.none())
    assert.deepStrictEqual([table.size, made], [0, [20, 0]])
  })

  it("are cleaned up 2,048 at once, and then 8,192 in a turn", async () => {
    const { collect, finalize, heap } = countingHeap()
    const { add, table } = make(heap)
    const keys = Array.from({ length: 10_245 }, (_, n) => ({ n }))
    for (const key of keys) add(key)
    collect(...keys)
    finalize()
    const sizes: Array<number> = []
    for (let turn = 0; turn < 3; turn++) {
      sizes.push(table.size)
      await new Promise<void>((resolve) => nextTurn(resolve))
    }
    assert.deepStrictEqual(sizes, [8197, 5, 0])
  })
})

describe("the registrations of a map of values", () => {
  it("stay as they are if a key gets the value that it has", () => {
    const { heap, made } = countingHeap()
    const table = new WeakValueTable<number, object>(heap, "structural")
    const [value, other] = [{}, {}]
    for (let n = 0; n < 3; n++) table.set(1, value)
    assert.deepStrictEqual(made, [1])
    for (let n = 0; n < 4; n++) {
      table.set(1, other)
      table.set(1, value)
    }
    assert.deepStrictEqual(made, [9])
    table.set(1, other)
    table.set(1, value)
    assert.deepStrictEqual(made, [11, 1])
  })

  it("are not made if the hash of a key throws", () => {
    const { heap, made } = countingHeap()
    const failing = new Key(2)
    failing.onHash = () => {
      throw new Error("no hash")
    }
    const make = WeakKeyMap.fromIterable([[new Key(1), 1], [failing, 2]], { compare: "structural" })
    const exit = Effect.runSyncExit(Effect.provideService(make, Heap, heap))
    assert.isTrue(Exit.hasDies(exit))
    assert.deepStrictEqual(made, [0])
  })
})

describe("a bucket of keys with the same hash", () => {
  it("is gone with its last key, in any order of removal", () => {
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]]) {
      const { heap } = countingHeap()
      for (
        const table of [
          new WeakKeyTable<Key, Key>(heap, "structural"),
          new WeakValueTable<Key, Key>(heap, "structural")
        ]
      ) {
        const keys = [0, 1, 2, 3].map((id) => new Key(id))
        for (const key of keys) table.set(key, key)
        // A key that only equals itself is in no bucket, even after its value was replaced.
        const symbol = Symbol("a") as unknown as Key
        for (const value of keys) table.set(symbol, value)
        assert.isTrue(table.remove(symbol))
        const left = new Set(order)
        for (const index of order) {
          assert.isTrue(table.remove(new Key(index)))
          left.delete(index)
          assert.isFalse(table.remove(new Key(index)))
          for (const { id } of keys) assert.strictEqual(table.has(new Key(id)), left.has(id))
        }
        assert.deepStrictEqual([table.size, table["order"].size, table["buckets"].size], [0, 0, 0])
      }
    }
  })

  it("takes new keys after some were removed, and keeps the order of insertion", () => {
    const { heap } = countingHeap()
    const table = new WeakKeyTable<Key, number>(heap, "structural")
    const keys = [0, 1, 2].map((id) => new Key(id))
    keys.forEach((key, n) => table.set(key, n))
    table.remove(new Key(0))
    const again = new Key(0)
    table.set(again, 3)
    table.set(new Key(2), 4)
    assert.deepStrictEqual(Array.from(table.entries(), ([{ id }, n]) => [id, n]), [[1, 1], [2, 4], [0, 3]])
    assert.deepStrictEqual([table.get(new Key(0)), table.get(new Key(1))], [Option.some(3), Option.some(1)])
  })

  it("finds the new slot of a value that was replaced", () => {
    const { heap } = countingHeap()
    const table = new WeakValueTable<Key, object>(heap, "structural")
    const [first, second, third] = [{ n: 1 }, { n: 2 }, { n: 3 }]
    for (const [id, value] of [[1, first], [1, second], [2, first], [1, third], [2, second]] as const) {
      table.set(new Key(id), value)
      assert.deepStrictEqual(table.get(new Key(id)), Option.some(value))
    }
    assert.deepStrictEqual(Array.from(table.entries(), ([{ id }, value]) => [id, value]), [[1, third], [2, second]])
  })

  it.each(["remove", "clear", "collect"] as const)(
    "is resolved again after the %s of a key that was found",
    (change) => {
      for (const inserts of [false, true]) {
        const { collect, finalize, heap } = countingHeap()
        const table = new WeakKeyTable<Key, number>(heap, "structural")
        const [stored, equal, changing, other] = [new Key(1), new Key(1), new Key(2), new Key(3)]
        table.set(stored, 0)
        changing.onHash = () => {
          if (change === "collect") collect(stored)
          else table[change](stored)
          if (inserts) table.set(other, 0)
        }
        table.setAll([[equal, 1], [changing, 2]])
        const entries = Array.from(table.entries())
        assert.deepStrictEqual(entries.map(([, value]) => value), inserts ? [0, 1, 2] : [1, 2])
        assert.isTrue(entries.at(-2)![0] === equal && entries.at(-1)![0] === changing)
        finalize()
        assert.strictEqual(table.size, entries.length)
      }
    }
  )

  it("merges equal keys of one list, in the table or not, among keys with other hashes", () => {
    const keyOf = (id: number): object => id % 2 === 0 ? { id } : new Key(id)
    for (const stored of [[], [1], [2], [3, 1]]) {
      const { heap } = countingHeap()
      const table = new WeakValueTable<object, object>(heap, "structural")
      for (const id of stored) table.set(keyOf(id), {})
      const ids = [1, 2, 3, 4, 1, 2, 3, 4]
      const values = ids.map(() => ({}))
      table.setAll(ids.map((id, i) => [keyOf(id), values[i]!]))
      assert.strictEqual(table.size, 4)
      for (let i = 4; i < 8; i++) assert.strictEqual(Option.getOrUndefined(table.get(keyOf(ids[i]!))), values[i])
    }
  })

  it("keeps each other key if a list toggles an element twice", () => {
    const { heap } = countingHeap()
    const set = new WeakElementTable<Key>(heap, "structural")
    const elements = [1, 2, 3].map((id) => new Key(id))
    for (const first of elements) {
      set.addAll(elements)
      set.toggleAll([new Key(first.id), new Key(first.id)])
      for (const { id } of elements) assert.strictEqual(set.has(new Key(id)), id !== first.id)
      set.clear()
    }
  })

  it.each([false, true])(
    "is searched again if a comparison replaces the value that is looked up, and inserts another: %s",
    (inserts) => {
      const { heap } = countingHeap()
      const table = new WeakValueTable<Key | string, object>(heap, "structural")
      const [first, second] = [new Key(1), new Key(2)]
      const [before, after] = [{}, {}]
      table.set(first, before)
      table.set(second, before)
      first.onCompare = () => {
        if (inserts) table.set("other", before)
        table.set(second, after)
      }
      assert.strictEqual(Option.getOrUndefined(table.get(new Key(2))), after)
      table.set(second, before)
      table.set(new Key(2), before)
      assert.deepStrictEqual(Array.from(table.keys()).slice(0, 2), [first, second])
    }
  )

  it("finds a key that a comparison inserts, and leaves it in its place", () => {
    const { heap } = countingHeap()
    const table = new WeakKeyTable<Key, number>(heap, "structural")
    const [stored, key, last] = [new Key(1), new Key(2), new Key(3)]
    table.set(stored, 1)
    stored.onCompare = () => {
      table.clear()
      table.set(key, 2)
      table.set(last, 3)
    }
    assert.strictEqual(table.has(key), true)
    assert.deepStrictEqual(Array.from(table.values()), [2, 3])
  })
})

describe("a look-up", () => {
  it("gives up after 100 attempts in which user code has changed the table", () => {
    const { heap } = countingHeap()
    const table = new WeakValueTable<Key, object>(heap, "structural")
    const value = {}
    let changes = 0
    // Effect remembers a comparison, so each attempt must find another key.
    const insert = () => {
      const stored = new Key(1)
      table.set(stored, value)
      stored.onCompare = () => {
        changes++
        table.clear()
        insert()
      }
    }
    insert()
    const message =
      "Gave up a look-up after 100 attempts, because the Equal or Hash implementation of a key changed the collection each time"
    assert.throws(() => table.has(new Key(2)), Error, message)
    assert.strictEqual(changes, 100)

    const objects = new WeakValueTable<object, object>(heap, "structural")
    let reads = 0
    const changing = {
      get a() {
        objects.set({ n: reads++ }, value)
        return 1
      }
    }
    hashOf(changing)
    const perHash = reads
    objects.clear()
    reads = 0
    assert.throws(() => objects.setAll([[changing, value]]), Error, message)
    assert.strictEqual(reads, 100 * perHash)
  })

  it("of a key that is in the table itself runs no user code", () => {
    const { heap } = countingHeap()
    const map = new WeakKeyTable<Key, number>(heap, "structural")
    const values = new WeakValueTable<Key, Key>(heap, "structural")
    const set = new WeakElementTable<Key>(heap, "structural")
    const key = new Key(1)
    map.set(key, 1)
    values.set(key, key)
    set.add(key)
    key.hashed = key.compared = 0
    map.set(key, 2)
    map.setAll([[key, 3]])
    assert.isTrue(map.has(key) && values.has(key) && set.has(key))
    values.set(key, {} as Key)
    values.setAll([[key, key]])
    set.add(key)
    set.addAll([key])
    assert.strictEqual(set.intern(key), key)
    assert.deepStrictEqual(map.pop(key), Option.some(3))
    assert.deepStrictEqual([key.hashed, key.compared], [0, 0])
  })

  it("never hashes a symbol, a string or a number, and hashes nothing by reference", () => {
    const { heap } = countingHeap()
    const hashesOf = <K, V, A extends WeakKey>(table: WeakTable<K, V, A>) =>
      Array.from(table["order"].values(), ({ hash }) => hash)
    const byStructure = new WeakKeyTable<WeakKey, number>(heap, "structural")
    const symbol = Symbol("a")
    byStructure.set(symbol, 1)
    byStructure.set(new Key(1), 1)
    assert.deepStrictEqual(hashesOf(byStructure), [undefined, 7])
    const values = new WeakValueTable<unknown, object>(heap, "structural")
    for (const key of ["a", 1, null, undefined, symbol, () => 1, new Key(1)]) values.set(key, {})
    assert.deepStrictEqual(hashesOf(values), [...Array<undefined>(6).fill(undefined), 7])
    const byReference = new WeakValueTable<unknown, object>(heap, "reference")
    byReference.set(new Key(1), {})
    assert.deepStrictEqual(hashesOf(byReference), [undefined])
  })
})

describe("an entry whose weak side is dead and not cleaned up yet", () => {
  it("makes place for the new entry of an equal key, which has the same hash", () => {
    for (const again of [(key: { id: number }) => key, (key: { id: number }) => ({ ...key })]) {
      const { collect, heap } = countingHeap()
      const table = new WeakValueTable<object, object>(heap, "structural")
      const [key, before, after] = [{ id: 1 }, {}, {}]
      table.set(key, before)
      collect(before)
      const newKey = again(key)
      table.setAll([[newKey, after]])
      assert.strictEqual(Option.getOrUndefined(table.get({ id: 1 })), after)
      assert.strictEqual(table.keys().next().value, newKey)
      assert.strictEqual(table.size, 1)
    }
  })

  it("ends if user code inserted it while it was looked up", () => {
    const { collect, heap } = countingHeap()
    const table = new WeakValueTable<Key, object>(heap, "structural")
    const [key, value] = [new Key(1), {}]
    key.onHash = () => {
      table.set(key, value)
      collect(value)
    }
    assert.isFalse(table.has(key))
    assert.strictEqual(table.size, 0)

    const keys = new WeakKeyTable<Key, number>(heap, "structural")
    const [stored, dying] = [new Key(1), new Key(2)]
    keys.set(stored, 1)
    dying.onHash = () => keys.set(dying, 2)
    stored.onCompare = () => collect(dying)
    assert.isFalse(keys.has(dying))
    assert.strictEqual(keys.size, 1)
  })
})

describe("a key whose hash has changed since it was inserted", () => {
  it("keeps its place if the key itself is set again", () => {
    const { heap } = countingHeap()
    const [map, set] = [new WeakKeyTable<object, number>(heap, "structural"), new WeakElementTable(heap, "structural")]
    const [key, other] = [{ id: 1 }, { id: 2 }]
    map.setAll([[key, 1], [other, 2]])
    set.addAll([key, other])
    key.id = 3
    map.setAll([[key, 3]])
    assert.strictEqual(set.intern(key), key)
    assert.deepStrictEqual([Array.from(map.values()), Array.from(set.keys())], [[3, 2], [key, other]])
  })
})

describe("the tables of one heap", () => {
  it("have one class of slots", () => {
    const { heap } = countingHeap()
    const tables = [new WeakKeyTable(heap, "reference"), new WeakValueTable(heap, "structural")]
    assert.strictEqual(tables[0]!["Slot"], tables[1]!["Slot"])
  })
})

describe("a table of keys", () => {
  it("finds a value that refers to no key, before and after one that may", () => {
    for (const value of [5, undefined]) {
      const { heap } = countingHeap()
      const table = new WeakKeyTable<object, unknown>(heap, "reference")
      const [key, other] = [{}, {}]
      table.set(key, value)
      assert.deepStrictEqual(table.get(key), Option.some(value))
      table.set(other, { other })
      assert.deepStrictEqual(table.get(key), Option.some(value))
      assert.isTrue(table.remove(key))
      assert.isFalse(table.remove(key))
    }
  })

  it("replaces the value of an equal key, whatever the old value and the new one are", () => {
    const { heap } = countingHeap()
    const table = new WeakKeyTable<object, unknown>(heap, "structural")
    const key = { id: 1 }
    table.set(key, 1)
    for (const value of [{}, 5, {}, undefined]) {
      table.set({ id: 1 }, value)
      for (const equal of [key, { id: 1 }]) assert.deepStrictEqual(table.get(equal), Option.some(value))
    }
  })

  it("shows no dead key to forEach", () => {
    const { collect, heap } = countingHeap()
    const set = new WeakElementTable<object>(heap, "reference")
    const [dead, alive] = [{}, {}]
    set.addAll([dead, alive])
    collect(dead)
    const seen: Array<unknown> = []
    set.forEach((_, key) => seen.push(key))
    set.forEachElement((element) => seen.push(element))
    assert.deepStrictEqual(seen, [alive, alive])
  })

  it("tells an undefined value from a missing one, before and after a value that refers to its key", () => {
    for (const compare of ["reference", "structural"] as const) {
      const { heap } = countingHeap()
      const table = new WeakKeyTable<object, unknown>(heap, compare)
      const [key, other] = [{ id: 1 }, { id: 2 }]
      table.set(key, { key })
      assert.deepStrictEqual([table.get(key), table.get(other)], [Option.some({ key }), Option.none()])
      table.set(key, undefined)
      assert.deepStrictEqual([table.get(key), table.get(other)], [Option.some(undefined), Option.none()])
      table.set(other, undefined)
      assert.deepStrictEqual(table.get(other), Option.some(undefined))
      table.clear()
      assert.deepStrictEqual([table.get(key), table.has(key), table.get(other)], [Option.none(), false, Option.none()])
      table.set(key, 5)
      assert.deepStrictEqual(Array.from(table.entries()), [[key, 5]])
    }
  })

  it("checks every element before toggleAll changes one", () => {
    for (const compare of ["reference", "structural"] as const) {
      const { heap, made } = countingHeap()
      const set = new WeakElementTable<WeakKey>(heap, compare)
      const element = { id: 1 }
      set.add(element)
      const invalid = 1 as unknown as WeakKey
      assert.throws(() => set.toggleAll([element, {}, invalid]), NotWeakReferenceableError)
      assert.throws(() => set.intern(invalid), NotWeakReferenceableError)
      assert.deepStrictEqual([Array.from(set.keys()), made], [[element], [1]])
    }
  })

  it("compares 0 with -0, and NaN with NaN, as equal values by reference", () => {
    const { heap } = countingHeap()
    const key = {}
    const of = (value: unknown) => {
      const table = new WeakKeyTable<object, unknown>(heap, "reference")
      table.set(key, value)
      return table
    }
    assert.deepStrictEqual(
      [of(0).equals(of(-0)), of(NaN).equals(of(NaN)), of(0).equals(of(NaN)), of("1").equals(of(1))],
      [true, true, false, false]
    )
  })
})
