import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { FrequencySketch, mostUses } from "../../../src/internal/weakCache/frequencySketch.ts"

const hashes = fc.array(fc.tuple(fc.integer(), fc.integer({ min: 0, max: mostUses })), { maxLength: 300 })

describe("FrequencySketch", () => {
  it("never estimates too low, also after it has grown", () => {
    fc.assert(fc.property(hashes, fc.nat({ max: 5000 }), (script, keys) => {
      const sketch = new FrequencySketch()
      const counts = new Map<number, number>()
      for (const [hash, count] of script) {
        sketch.raise(hash, count)
        counts.set(hash, Math.max(count, counts.get(hash) ?? 0))
      }
      sketch.reserve(keys)
      for (const [hash, count] of counts) assert.isAtLeast(sketch.estimate(hash), count)
    }))
  })

  it("halves every count", () => {
    fc.assert(fc.property(hashes, (script) => {
      const sketch = new FrequencySketch()
      for (const [hash, count] of script) sketch.raise(hash, count)
      const before = script.map(([hash]) => sketch.estimate(hash))
      sketch.halve()
      assert.deepStrictEqual(script.map(([hash]) => sketch.estimate(hash)), before.map((count) => count >> 1))
    }))
  })

  it("estimates few absent keys above zero, however large it has to be", () => {
    for (const keys of [100, 1000, 5000]) {
      const sketch = new FrequencySketch()
      sketch.reserve(keys)
      for (let n = 0; n < keys; n++) sketch.raise(n, 9)
      let wrong = 0
      for (let n = keys; n < 20_000; n++) if (sketch.estimate(n) > 0) wrong++
      // With four counters for each key, of which a quarter are in use, one absent key in 250 shares all four.
      assert.isBelow(wrong / (20_000 - keys), 0.005, `${keys} keys`)
    }
  })

  it("has every count exactly while it has few keys, and never lowers one", () => {
    for (let count = 0; count <= mostUses; count++) {
      const sketch = new FrequencySketch()
      assert.strictEqual(sketch.estimate(7), 0)
      sketch.raise(7, count)
      sketch.raise(8, mostUses - count)
      for (const lower of [0, count - 1, count]) sketch.raise(7, Math.max(0, lower))
      assert.deepStrictEqual([sketch.estimate(7), sketch.estimate(8)], [count, mostUses - count])
      sketch.reserve(4000)
      assert.deepStrictEqual([sketch.estimate(7), sketch.estimate(8)], [count, mostUses - count])
      sketch.halve()
      assert.deepStrictEqual([sketch.estimate(7), sketch.estimate(8)], [count >> 1, (mostUses - count) >> 1])
    }
  })
})
