import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { host } from "../../src/Heap.ts"
import { makeRegistry } from "../../src/internal/registry.ts"
import { collectUntil } from "../support/realHeap.ts"

describe("registry", () => {
  it.effect("trap: shards are held while referents wait in them, and no longer", () =>
    Effect.gen(function*() {
      const shards: Array<WeakRef<object>> = []
      class Watched<T> extends FinalizationRegistry<T> {
        constructor(cleanup: (held: T) => void) {
          super(cleanup)
          shards.push(new WeakRef(this))
        }
      }
      let cleaned = 0
      const registry = makeRegistry<number>({ ...host, FinalizationRegistry: Watched }, 10, () => cleaned++)
      const waiting = [{}, {}, {}]
      const register = () => {
        for (let i = 0; i < 97; i++) registry.register({}, i)
        for (const referent of waiting) registry.register(referent, 100)
      }
      register()
      assert.isTrue(yield* collectUntil(() => cleaned === 97))
      assert.strictEqual(registry.size, 3)
      assert.isTrue(yield* collectUntil(() => shards.filter((shard) => shard.deref() !== undefined).length === 1))
      waiting.length = 0
      assert.isTrue(yield* collectUntil(() => cleaned === 100))
      assert.isTrue(yield* collectUntil(() => shards.every((shard) => shard.deref() === undefined)))
      assert.strictEqual(registry.size, 0)
      assert.lengthOf(shards, 10)
    }))
})
