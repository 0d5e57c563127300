import { assert, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { collectGarbage } from "../../src/Heap.ts"
import { WeakSet } from "../../src/index.ts"
import { host, nextTurn } from "../../src/internal/host.ts"
import { inShards, inSlices } from "../../src/internal/registry.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { countingHeap } from "../support/countingHeap.ts"
import { collectUntil } from "../support/realHeap.ts"

describe("registry", () => {
  it.effect("inShards keeps a registry alive until all its clean-ups have run", () =>
    Effect.gen(function*() {
      const shards: Array<WeakRef<object>> = []
      class Watched<T> extends FinalizationRegistry<T> {
        constructor(cleanup: (held: T) => void) {
          super(cleanup)
          shards.push(new WeakRef(this))
        }
      }
      let cleaned = 0
      const register = inShards<number>({ ...host, FinalizationRegistry: Watched }, 10, () => cleaned++)
      const waiting = [{}]
      const fill = () => {
        for (let i = 0; i < 99; i++) register({}, i)
        for (const referent of waiting) register(referent, 100)
      }
      fill()
      assert.isTrue(yield* collectUntil(() => cleaned === 99))
      assert.isTrue(yield* collectUntil(() => shards.filter((shard) => shard.deref() !== undefined).length === 1))
      waiting.length = 0
      assert.isTrue(yield* collectUntil(() => cleaned === 100))
      assert.isTrue(yield* collectUntil(() => shards.every((shard) => shard.deref() === undefined)))
      assert.lengthOf(shards, 10)
    }))

  it.effect("inSlices runs a limited number of clean-ups per turn, and each clean-up once", () =>
    Effect.gen(function*() {
      let cleaned: Array<number> = []
      const cleanup = inSlices<number>(10, (held) => void cleaned.push(held))
      const turns: Array<number> = []
      const turn = Effect.promise(() => new Promise<void>((resolve) => nextTurn(resolve)))
      for (let i = 0; i < 35; i++) cleanup(i)
      assert.deepStrictEqual(cleaned, Array.from({ length: 10 }, (_, i) => i))
      yield* Effect.promise(() => Promise.resolve())
      cleanup(35)
      assert.deepStrictEqual(cleaned, Array.from({ length: 20 }, (_, i) => i))
      for (let i = 0; i < 4; i++) {
        turns.push(cleaned.length)
        yield* turn
      }
      assert.deepStrictEqual(turns, [20, 30, 36, 36])
      assert.deepStrictEqual(cleaned, Array.from({ length: 36 }, (_, i) => i))
      cleaned = []
      for (let i = 0; i < 11; i++) cleanup(i)
      yield* turn
      yield* turn
      assert.lengthOf(cleaned, 11)
    }))

  it.effect("inSlices returns a promise only for a clean-up that waits", () =>
    Effect.gen(function*() {
      let cleaned = 0
      const cleanup = inSlices<number>(10, () => void cleaned++)
      const results = Array.from({ length: 25 }, (_, i) => cleanup(i))
      assert.isTrue(results.slice(0, 10).every((result) => result === undefined))
      assert.isTrue(results.slice(10).every((result) => result instanceof Promise))
      yield* Effect.promise(() => results[24]!)
      assert.strictEqual(cleaned, 25)
    }))

  it.effect("finalize of a test heap awaits the slices of a large clean-up", () =>
    Effect.gen(function*() {
      const set = yield* WeakSet.make<object>()
      const elements = Array.from({ length: 10_000 }, (_, id) => ({ id }))
      WeakSet.addAll(set, elements)
      yield* TestHeap.collectAndFinalize(...elements)
      assert.strictEqual(WeakSet.size(set), 0)
    }).pipe(Effect.provide(TestHeap.layer)))

  it("makeRegistry starts one sentinel, together with the first registry", () => {
    // Skips the test in a page, so it comes before the spy.
    vi.resetModules()
    const registered: Array<WeakKey> = []
    const spy = vi.spyOn(FinalizationRegistry.prototype, "register").mockImplementation((target) => {
      registered.push(target)
    })
    return import("../../src/internal/registry.ts").then(({ makeRegistry }) => {
      const { heap } = TestHeap.makeUnsafe()
      assert.lengthOf(registered, 0)
      makeRegistry(heap, () => {})
      makeRegistry(heap, () => {})
      spy.mockRestore()
      assert.lengthOf(registered, 1)
    })
  })

  it.effect("other code runs between the slices of a large clean-up", () =>
    Effect.gen(function*() {
      const set = WeakSet.makeUnsafe<object>({ compare: "reference" })
      const fill = () => {
        // Enough elements for many slices, so that the condition below runs between some of them.
        for (let i = 0; i < 327_680; i++) WeakSet.add(set, {})
      }
      fill()
      const sizes = new Set<number>()
      const nextTask = Effect.promise(() => new Promise((resolve) => void setTimeout(resolve, 0)))
      // A collection of so many objects takes long, and a page cleans up for many tasks after it.
      for (let round = 0; round < 10 && WeakSet.size(set) > 0; round++) {
        yield* collectGarbage
        for (let task = 0; task < 200 && WeakSet.size(set) > 0; task++) {
          sizes.add(WeakSet.size(set))
          yield* nextTask
        }
      }
      assert.strictEqual(WeakSet.size(set), 0)
      assert.isAbove(sizes.size, 2)
    }), 120_000)
})

describe("inShards", () => {
  it("opens the next registry when one is full, and cleans up what each registration holds", () => {
    const { collect, finalize, heap, made } = countingHeap()
    const cleaned: Array<number> = []
    const register = inShards<number>(heap, 10, (held) => void cleaned.push(held))
    assert.deepStrictEqual(made, [])
    const referents = Array.from({ length: 25 }, () => ({}))
    referents.forEach((referent, index) => register(referent, index))
    assert.deepStrictEqual(made, [10, 10, 5])
    collect(...referents)
    finalize()
    assert.sameMembers(cleaned, referents.map((_, index) => index))
    // Clean-ups make no room, because an engine takes registrations back only with the registry.
    for (let n = 0; n < 6; n++) register({}, 100)
    assert.deepStrictEqual(made, [10, 10, 10, 1])
  })
})

describe("inSlices", () => {
  it("does further steps of one value in its turn, and waits for the promise of a step", async () => {
    const turn = () => new Promise<void>((resolve) => nextTurn(resolve))
    const steps: Array<string> = []
    let open = () => {}
    const cleanup = inSlices<string>(3, (held) => {
      steps.push(held)
      if (held === "long") return steps.length < 5
      if (held === "pause" && steps.length === 6) return new Promise<void>((resolve) => open = resolve)
      return undefined
    })
    const long = cleanup("long")
    assert.deepStrictEqual(steps, ["long", "long", "long"])
    assert.instanceOf(long, Promise)
    await turn()
    assert.deepStrictEqual(steps, ["long", "long", "long", "long", "long"])
    await long
    const paused = cleanup("pause")
    assert.instanceOf(paused, Promise)
    assert.deepStrictEqual(steps.slice(5), ["pause"])
    assert.isUndefined(cleanup("short"))
    let isOver = false
    void paused!.then(() => isOver = true)
    await turn()
    assert.deepStrictEqual([steps.slice(6), isOver], [["short"], false])
    open()
    await paused
    assert.deepStrictEqual(steps.slice(6), ["short", "pause"])
  })

  it("keeps up with a program that always makes more work than a turn does", async () => {
    let cleaned = 0
    const cleanup = inSlices<number>(10, () => void cleaned++)
    const turn = () => new Promise<void>((resolve) => nextTurn(resolve))
    let made = 0
    let most = 0
    while (made < 20_000) {
      for (let i = 0; i < 50; i++) cleanup(made++)
      most = Math.max(most, made - cleaned)
      await turn()
    }
    // What waits is at most what 32 turns make.
    assert.isAtMost(most, 32 * 50)
    for (let turns = 0; turns < 100; turns++) await turn()
    assert.strictEqual(cleaned, made)
  })

  it("runs a thirty-second part of what waits in a turn, if this is more", async () => {
    let cleaned = 0
    const cleanup = inSlices<number>(1, () => void cleaned++)
    const turns: Array<number> = []
    for (let n = 0; n < 66; n++) void cleanup(n)
    for (let n = 0; n < 3; n++) {
      turns.push(cleaned)
      await new Promise<void>((resolve) => nextTurn(resolve))
    }
    assert.deepStrictEqual(turns, [1, 4, 6])
  })

  it("runs fewer clean-ups in the turn of the engine than in later turns, if it is told so", async () => {
    const cleaned: Array<number> = []
    const cleanup = inSlices<number>(5, (held) => void cleaned.push(held), 2)
    const turns: Array<number> = []
    for (let n = 0; n < 13; n++) void cleanup(n)
    for (let n = 0; n < 5; n++) {
      turns.push(cleaned.length)
      await new Promise<void>((resolve) => nextTurn(resolve))
    }
    assert.deepStrictEqual(turns, [2, 7, 12, 13, 13])
    assert.deepStrictEqual(cleaned, Array.from({ length: 13 }, (_, n) => n))
  })

  it("keeps the order of many values, in parts", async () => {
    const cleaned: Array<number> = []
    const cleanup = inSlices<number>(700, (held) => void cleaned.push(held), 1)
    const count = 4000
    let last: Promise<void> | undefined
    for (let n = 0; n < count; n++) last = cleanup(n)
    await last
    assert.deepStrictEqual(cleaned, Array.from({ length: count }, (_, n) => n))
    assert.isUndefined(cleanup(count))
    assert.strictEqual(cleaned.length, count + 1)
  })

  it("waits for the promise of a step that waited in the queue", async () => {
    const turn = () => new Promise<void>((resolve) => nextTurn(resolve))
    let open = () => {}
    const steps: Array<string> = []
    const cleanup = inSlices<string>(1, (held) => {
      steps.push(held)
      return held === "pause" && steps.length === 2 ? new Promise<void>((resolve) => open = resolve) : undefined
    })
    assert.isUndefined(cleanup("first"))
    let isOver = false
    const queued = cleanup("pause")!.then(() => isOver = true)
    for (let n = 0; n < 3; n++) await turn()
    assert.deepStrictEqual([steps, isOver], [["first", "pause"], false])
    open()
    await queued
    assert.deepStrictEqual(steps, ["first", "pause", "pause"])
  })
})
