import { assert, describe, it } from "@effect/vitest"
import { WeakMethod, WeakRef } from "../../src/index.ts"

describe("Base", () => {
  it("prints a bounded outline of a large or cyclic referent, and the tag of an opaque one", () => {
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
    assert.include(String(WeakRef.makeUnsafe({ blob })), "[object Blob]")
  })
})
