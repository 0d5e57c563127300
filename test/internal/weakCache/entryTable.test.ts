import { assert, describe, it, vi } from "@effect/vitest"
import { Hash } from "effect"
import * as fc from "fast-check"
import {
  type Keyed,
  LiveEntries,
  ReferenceTable,
  sketchHash,
  StructuralTable,
  type Table
} from "../../../src/internal/weakCache/entryTable.ts"
import { Key } from "../../../src/testing/Arbitraries.ts"

type Value = Keyed<unknown> & { readonly n: number }

const valueOf = (table: Table<unknown, Value>, key: unknown, n = 0): Value => ({ key, hash: table.hashOf(key), n })

const tables = {
  reference: () => new ReferenceTable<unknown, Value>(),
  structural: () => new StructuralTable<unknown, Value>()
}

for (const [compare, make] of Object.entries(tables)) {
  describe(`a table that compares by ${compare}`, () => {
    it("agrees with a list, under every script", () => {
      // Keys of equal ids are equal, and keys of equal parity collide.
      const keys = [0, 1, 2, 3, 0, 1, 2, 3].map((id) => new Key(id))
      const isEqual = (a: Key, b: Key) => a === b || (compare === "structural" && a.id === b.id)
      const step = fc.tuple(fc.constantFrom("set", "set", "replace", "delete", "delete other", "clear"), fc.nat(7))
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (script) => {
          const table = make()
          let model: Array<Value & { readonly key: Key }> = []
          for (const [n, [operation, index]] of script.entries()) {
            const key = keys[index]!
            const found = model.find((value) => isEqual(value.key, key))
            if (operation === "set") {
              if (found !== undefined) table.delete(found)
              const value = { key, hash: table.hashOf(key), n }
              table.add(value)
              model = [...model.filter((value) => value !== found), value]
            } else if (operation === "clear") {
              table.clear()
              model = []
            } else if (found !== undefined && operation === "replace") {
              const by = { ...found, n }
              table.replace(found, by)
              model = model.map((value) => value === found ? by : value)
            } else if (found !== undefined && operation === "delete") {
              table.delete(found)
              model = model.filter((value) => value !== found)
            } else if (found !== undefined) {
              // Another value of the same key, which is not in the table.
              table.delete({ ...found })
            }
            assert.strictEqual(table.size, model.length)
            assert.deepStrictEqual([...table.values()], model)
            for (const key of keys) {
              assert.strictEqual(table.get(key), model.find((value) => isEqual(value.key, key)))
              assert.strictEqual(table.at(key), model.find((value) => value.key === key))
            }
          }
        }),
        { numRuns: 40 }
      )
    })

    it("has values of primitive keys, functions and null", () => {
      const table = make()
      const keys = [1, "a", undefined, null, NaN, Symbol("s"), 1n, true, () => {}]
      const values = keys.map((key) => valueOf(table, key))
      for (const value of values) table.add(value)
      for (const [index, key] of keys.entries()) assert.strictEqual(table.get(key), values[index])
      assert.isUndefined(table.get("b"))
      assert.isUndefined(table.get(new Key(0)))
      for (const value of values) table.delete(value)
      assert.strictEqual(table.size, 0)
    })

    it("leaves nothing behind", () => {
      const maps: Array<Map<unknown, unknown>> = []
      vi.stubGlobal(
        "Map",
        class<K, V> extends Map<K, V> {
          constructor() {
            super()
            maps.push(this)
          }
        }
      )
      const table = make()
      vi.unstubAllGlobals()
      for (const clear of [false, true]) {
        const values = [new Key(1), new Key(2), new Key(3), new WeakMap()].map((key) => valueOf(table, key))
        // Twice, because the code that hashed a key may have added the key.
        for (const value of [...values, ...values]) table.add(value)
        if (clear) table.clear()
        else for (const value of values) table.delete(value)
        assert.deepStrictEqual(maps.map(({ size }) => size), maps.map(() => 0))
      }
      assert.strictEqual(maps.length, compare === "structural" ? 2 : 1)
    })
  })
}

describe("a structural table", () => {
  it("hashes what has parts, and no other key", () => {
    const table = tables.structural()
    assert.deepStrictEqual([1, "a", null, undefined, Symbol("s")].map((key) => table.hashOf(key)), [
      undefined,
      undefined,
      undefined,
      undefined,
      undefined
    ])
    assert.strictEqual(table.hashOf(new Key(3)), 1)
    assert.strictEqual(table.hashOf(Object.assign(() => {}, { [Hash.symbol]: () => 7 })), 7)
    // An opaque object is only equal to itself.
    assert.isUndefined(table.hashOf(new WeakMap()))
    assert.isUndefined(tables.reference().hashOf(new Key(3)))
  })

  it("finds the key itself without hashing", () => {
    const table = tables.structural()
    let hashed = 0
    const key = { [Hash.symbol]: () => ++hashed && 5 }
    table.add(valueOf(table, key, 1))
    hashed = 0
    assert.strictEqual(table.get(key)?.n, 1)
    assert.strictEqual(table.at(key)?.n, 1)
    assert.strictEqual(hashed, 0)
  })

  it("replaces the value of a key that was added while the key was hashed", () => {
    const table = tables.structural()
    const key = new Key(1)
    table.add(valueOf(table, key, 1))
    const second = valueOf(table, key, 2)
    table.add(second)
    assert.deepStrictEqual([...table.values()], [second])
    table.delete(second)
    assert.isUndefined(table.get(new Key(1)))
    assert.strictEqual(table.size, 0)
  })

  it("finds nothing that the comparison has removed", () => {
    const table = tables.structural()
    const [one, three] = [new Key(1), new Key(3)]
    table.add(valueOf(table, one))
    table.add(valueOf(table, three, 3))
    const key = new Key(3)
    // Removes every key when it is compared.
    Object.defineProperty(key, "id", {
      get: () => {
        table.clear()
        return 3
      }
    })
    assert.isUndefined(table.get(key))
  })
})

describe("sketchHash", () => {
  it("is the known hash, or one that needs no code of the user", () => {
    const key = { [Hash.symbol]: () => assert.fail("hashed") }
    assert.strictEqual(sketchHash({ key, hash: 5 }), 5)
    assert.strictEqual(sketchHash({ key, hash: undefined }), sketchHash({ key, hash: undefined }))
    assert.strictEqual(sketchHash({ key: "a", hash: undefined }), Hash.hash("a"))
    assert.strictEqual(sketchHash({ key: null, hash: undefined }), Hash.hash(null))
  })
})

describe("LiveEntries", () => {
  it("iterates over what is selected, and ends", () => {
    const table = tables.reference()
    for (let n = 0; n < 6; n++) table.add(valueOf(table, n, n))
    const odd = new LiveEntries(table, ({ n }) => n % 2 === 1 ? { item: n === 3 ? undefined : n } : undefined)
    assert.deepStrictEqual([...odd], [1, undefined, 5])
    const iterator = odd[Symbol.iterator]()
    const steps = [1, 2, 3, 4, 5].map(() => iterator.next())
    assert.deepStrictEqual(steps.map(({ done }) => done), [false, false, false, true, true])
    assert.deepStrictEqual(steps.slice(3).map(({ value }) => value), [undefined, undefined])
  })
})
