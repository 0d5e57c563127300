import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { growthPerRun } from "./realHeap.ts"

const objects = 20_000
// An object takes at least 24 bytes.
const limit = objects * 16

describe("growthPerRun", () => {
  it.effect("sees objects that stay", () =>
    Effect.gen(function*() {
      const kept: Array<object> = []
      const leak = Effect.sync(() => {
        for (let i = 0; i < objects; i++) kept.push({ i })
      })
      assert.isAtLeast(yield* growthPerRun(leak, limit), limit)
      assert.isAbove(kept.length, 0)
    }))

  it.effect("sees a table that grows only now and then", () =>
    Effect.gen(function*() {
      const kept: Array<number> = []
      // The engine enlarges an array by half, so that some runs leave its memory as it was.
      const leak = Effect.sync(() => {
        for (let i = 0; i < objects; i++) kept.push(i)
      })
      const perRun = objects * 4
      assert.isAtLeast(yield* growthPerRun(leak, perRun), perRun)
      assert.isAbove(kept.length, 0)
    }))

  it.effect("ignores what grows once", () =>
    Effect.gen(function*() {
      let runs = 0
      let kept: Array<number> | undefined
      const once = Effect.sync(() => {
        if (++runs === 2) kept = Array.from({ length: 150_000 }, (_, i) => i)
      })
      assert.isBelow(yield* growthPerRun(once, limit), limit)
      assert.isDefined(kept)
    }))
})
