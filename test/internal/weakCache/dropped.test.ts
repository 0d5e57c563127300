import { assert, describe, it } from "@effect/vitest"
import { whenDropped } from "../../../src/internal/weakCache/dropped.ts"
import { countingHeap } from "../../support/countingHeap.ts"

describe("whenDropped", () => {
  it("ends what belongs to a collected cache, in one registry for each heap", () => {
    const { collect, finalize, heap, made } = countingHeap()
    const ended: Array<string> = []
    const [one, two, three] = [{}, {}, {}]
    whenDropped(heap, one, () => ended.push("one"))
    const cancel = whenDropped(heap, two, () => ended.push("two"))
    whenDropped(heap, three, () => ended.push("three"))
    assert.deepStrictEqual(made, [3])
    cancel()
    collect(one, two)
    finalize()
    assert.deepStrictEqual(ended, ["one"])
    collect(three)
    finalize()
    assert.deepStrictEqual(ended, ["one", "three"])
  })
})
