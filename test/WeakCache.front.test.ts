/** What a `WeakCache` with a large capacity keeps alive by itself. `strongFront.test.ts` tests the policy. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { WeakCache } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

const effect = <E>(name: string, test: () => Effect.Effect<void, E, Scope.Scope | TestHeap.TestHeap>): void => {
  it.effect(name, () => Effect.suspend(test).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
}

/** Returns a lookup that counts its calls, and keeps what it returned for the test heap. */
const documents = () => {
  const values: Array<{ readonly id: number }> = []
  const lookup = (id: number) =>
    Effect.sync(() => {
      const value = { id }
      values.push(value)
      return value
    })
  return { lookup, values, collectAll: Effect.suspend(() => TestHeap.collectAndFinalize(...values)) }
}

const readAll = <A extends WeakKey>(cache: WeakCache.WeakCache<number, A>, from: number, to: number) =>
  Effect.gen(function*() {
    for (let id = from; id < to; id++) yield* WeakCache.get(cache, id)
  })

describe("a large strong front", () => {
  for (const compare of ["structural", "reference"] as const) {
    effect(
      `keeps values that are read often during a scan, with keys compared by ${compare}`,
      () =>
        Effect.gen(function*() {
          const { collectAll, lookup, values } = documents()
          const cache = yield* WeakCache.make({ lookup, capacity: 100, compare })
          for (let n = 0; n < 10; n++) yield* readAll(cache, 0, 80)
          yield* readAll(cache, 1000, 1500)
          yield* collectAll
          const before = values.length
          yield* readAll(cache, 0, 80)
          assert.isBelow(values.length - before, 8)
        })
    )
  }

  effect("returns a value that the program holds, whatever the front keeps", () =>
    Effect.gen(function*() {
      const { lookup, values } = documents()
      const cache = yield* WeakCache.make({ lookup, capacity: 50 })
      yield* readAll(cache, 0, 500)
      yield* readAll(cache, 0, 500)
      assert.strictEqual(values.length, 500)
      assert.strictEqual((yield* WeakCache.stats(cache)).hits, 500)
    }))

  effect("hashes no key by structure if keys are compared by reference", () =>
    Effect.gen(function*() {
      let reads = 0
      const keys = Array.from({ length: 100 }, (_, id) => ({
        get id() {
          reads++
          return id
        }
      }))
      const cache = yield* WeakCache.make({
        lookup: (_: { readonly id: number }) => Effect.sync(() => ({})),
        capacity: 50,
        compare: "reference"
      })
      for (const key of [...keys, ...keys]) yield* WeakCache.get(cache, key)
      assert.strictEqual(reads, 0)
    }))

  effect("demotes idle values at their time, in whatever part of the front they are", () =>
    Effect.gen(function*() {
      const { lookup } = documents()
      const cache = yield* WeakCache.make({ lookup, capacity: 200, idleTimeToLive: "100 millis" })
      const usedAt = new Map<number, number>()
      for (let now = 0; now < 400; now++) {
        const id = now % 3 === 0 ? (now * 7) % 20 : now
        yield* WeakCache.get(cache, id)
        usedAt.set(id, now)
        const strong = [...usedAt.values()].filter((at) => now < at + 100).length
        assert.strictEqual((yield* WeakCache.stats(cache)).strong, strong)
        yield* TestClock.adjust("1 millis")
      }
      yield* TestClock.adjust("99 millis")
      assert.strictEqual((yield* WeakCache.stats(cache)).strong, 0)
    }))

  effect("can be trimmed, made smaller and made larger", () =>
    Effect.gen(function*() {
      const { lookup } = documents()
      const cache = yield* WeakCache.make({ lookup, capacity: 300 })
      const strong = Effect.map(WeakCache.stats(cache), (stats) => stats.strong)
      yield* readAll(cache, 0, 400)
      assert.strictEqual(yield* strong, 300)
      yield* WeakCache.trim(cache, 70)
      assert.strictEqual(yield* strong, 70)
      yield* readAll(cache, 0, 400)
      assert.strictEqual(yield* strong, 300)
      yield* WeakCache.setCapacity(cache, 10)
      yield* readAll(cache, 0, 400)
      assert.strictEqual(yield* strong, 10)
      yield* WeakCache.setCapacity(cache, 500)
      yield* readAll(cache, 0, 400)
      assert.strictEqual(yield* strong, 400)
      yield* WeakCache.trim(cache, 0)
      assert.strictEqual(yield* strong, 0)
    }))
})
