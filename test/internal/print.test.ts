import { assert, describe, it } from "@effect/vitest"
import { printed } from "../../src/internal/print.ts"

describe("printed", () => {
  it("prints a primitive as a program would write it, and an object as its tag", () => {
    const values = ["a\"b", 5, -0, 1n, true, null, undefined, Symbol("s"), {}, [1], new Map()]
    assert.deepStrictEqual(values.map(printed), [
      "\"a\\\"b\"",
      "5",
      "0",
      "1n",
      "true",
      "null",
      "undefined",
      "Symbol(s)",
      "[object Object]",
      "[object Array]",
      "[object Map]"
    ])
  })

  it("prints the first 100 characters", () => {
    assert.strictEqual(printed("x".repeat(100)), `"${"x".repeat(100)}"`)
    assert.strictEqual(printed("x".repeat(101)), `"${"x".repeat(100)}"… (101 characters)`)
    assert.strictEqual(printed(10n ** 99n), `1${"0".repeat(99)}… (101 characters)`)
    assert.strictEqual(printed(10n ** 98n), `1${"0".repeat(98)}n`)
  })

  it("says so if a value cannot be printed", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    assert.strictEqual(printed(proxy), "A value that cannot be printed")
  })
})
