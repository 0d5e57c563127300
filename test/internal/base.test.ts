import { assert, describe, it } from "@effect/vitest"
import { WeakMethod, WeakRef } from "../../src/index.ts"

describe("Base", () => {
  it("prints a large or cyclic referent in a bounded way, and the tag of one that reaches an opaque object", () => {
    const referent: { self?: unknown; items: Array<object>; read: () => number } = {
      items: Array.from({ length: 100_000 }, (_, id) => ({ id })),
      read: () => 1
    }
    referent.self = referent
    for (const value of [WeakRef.makeUnsafe(referent), WeakMethod.makeUnsafe(referent, "read")]) {
      assert.isBelow(String(value).length, 2000)
      assert.isBelow(JSON.stringify(value).length, 2000)
    }
    const blob = new Blob(["text"])
    assert.include(String(WeakRef.makeUnsafe(blob)), "[object Blob]")
    assert.include(String(WeakRef.makeUnsafe({ blob })), "[object Object]")
    const { proxy, revoke } = Proxy.revocable({}, {})
    const revoked = WeakRef.makeUnsafe(proxy)
    revoke()
    for (
      const value of [
        revoked,
        ...[{ text: "a".repeat(100_000) }, new Uint8Array(100_000), { n: 1n }, () => 1, Symbol("s")].map((referent) =>
          WeakRef.makeUnsafe(referent)
        )
      ]
    ) {
      assert.isBelow(String(value).length, 2000)
      assert.isBelow(JSON.stringify(value).length, 2000)
    }
  })
})
