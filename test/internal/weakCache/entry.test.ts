import { assert, describe, it } from "@effect/vitest"
import { Exit } from "effect"
import {
  type Entry,
  Extra,
  isWeak,
  storesValue,
  StrongEntry,
  valueOf,
  weakEntryClass
} from "../../../src/internal/weakCache/entry.ts"
import { TestHeap } from "../../../src/testing/index.ts"

describe("an entry", () => {
  it("tells its form, its value, and whether it stores one", () => {
    const { collect, heap } = TestHeap.makeUnsafe()
    const value = { id: 1 }
    const strong = (exit: Exit.Exit<object, string> | undefined) =>
      Object.assign(new StrongEntry<string, object, string>("key", 5), { exit })
    const weak = new (weakEntryClass(heap))<string, object, string>(value, "key", 5)
    const facts = (entry: Entry<string, object, string>) => [isWeak(entry), valueOf(entry), storesValue(entry)]
    assert.deepStrictEqual(facts(strong(undefined)), [false, undefined, false])
    assert.deepStrictEqual(facts(strong(Exit.fail("no"))), [false, undefined, false])
    assert.deepStrictEqual(facts(strong(Exit.succeed(value))), [false, value, true])
    assert.deepStrictEqual(facts(weak), [true, value, true])
    collect(value)
    assert.deepStrictEqual(facts(weak), [true, undefined, true])
  })

  it("begins with its key and hash, and with nothing else", () => {
    const { heap } = TestHeap.makeUnsafe()
    const strong = new StrongEntry<string, object, never>("key", 5)
    assert.deepStrictEqual({ ...strong }, {
      key: "key",
      hash: 5,
      extra: undefined,
      exit: undefined,
      lookup: undefined,
      weak: undefined,
      weight: 1,
      mark: 0,
      newer: undefined,
      older: undefined
    })
    const weak = new (weakEntryClass(heap))<string, object, never>({}, "key", 5)
    assert.deepStrictEqual(Object.entries(weak), [["key", "key"], ["hash", 5], ["extra", undefined]])
    assert.deepStrictEqual({ ...new Extra(strong) }, {
      entry: strong,
      weight: 1,
      resource: undefined,
      idle: undefined,
      expiresAt: undefined,
      refreshesAt: undefined,
      place: -1
    })
  })

  it("has one weak class for each heap", () => {
    const [one, other] = [TestHeap.makeUnsafe().heap, TestHeap.makeUnsafe().heap]
    assert.strictEqual(weakEntryClass(one), weakEntryClass(one))
    assert.notStrictEqual(weakEntryClass(one), weakEntryClass(other))
  })
})
