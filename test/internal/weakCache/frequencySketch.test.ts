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

  it("estimates few absent keys above zero", () => {
    const sketch = new FrequencySketch()
    sketch.reserve(1000)
    for (let n = 0; n < 1000; n++) sketch.raise(n, 9)
    let wrong = 0
    for (let n = 1000; n < 11_000; n++) if (sketch.estimate(n) > 0) wrong++
    assert.isBelow(wrong / 10_000, 0.02)
  })
})
