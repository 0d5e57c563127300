import { Effect, type Layer } from "effect"
import { describe, expect, it } from "tstyche"
import { Heap } from "../../src/index.ts"
import { TestHeap } from "../../src/testing/index.ts"

describe("TestHeap", () => {
  it("is required by what uses it, and provided by its layers, which need nothing", () => {
    expect(TestHeap.layer).type.toBe<Layer.Layer<TestHeap.TestHeap>>()
    expect(TestHeap.layerWith({ seed: "a seed" })).type.toBe<Layer.Layer<TestHeap.TestHeap>>()
    expect(TestHeap.collect({})).type.toBe<Effect.Effect<void, never, TestHeap.TestHeap>>()
    expect(TestHeap.finalize).type.toBe<Effect.Effect<void, never, TestHeap.TestHeap>>()
    expect(TestHeap.collectAndFinalize({})).type.toBe<Effect.Effect<void, never, TestHeap.TestHeap>>()
    expect(TestHeap.pending).type.toBe<Effect.Effect<number, never, TestHeap.TestHeap>>()
    expect(Effect.provide(TestHeap.collect({}), TestHeap.layer)).type.toBe<Effect.Effect<void>>()
  })

  it("collects any number of things that can be weakly referenced", () => {
    for (const collect of [TestHeap.collect, TestHeap.collectAndFinalize]) {
      expect(collect).type.toBeCallableWith()
      expect(collect).type.toBeCallableWith({}, [], () => 1, Symbol("mine"))
      expect(collect).type.not.toBeCallableWith("text")
      expect(collect).type.not.toBeCallableWith({}, undefined)
    }
  })

  it("can be used without Effect's context", () => {
    const testHeap = TestHeap.makeUnsafe()
    expect(testHeap.heap).type.toBe<Heap.Heap>()
    expect(testHeap.collect([{}])).type.toBe<Effect.Effect<void>>()
    expect(testHeap.finalize).type.toBe<Effect.Effect<void>>()
    expect(testHeap.pending).type.toBe<Effect.Effect<number>>()
    expect(TestHeap.makeUnsafe).type.toBeCallableWith({ seed: 1 })
    expect(TestHeap.makeUnsafe).type.not.toBeCallableWith({ seed: {} })
    expect(Effect.provideService(Effect.void, Heap.Heap, testHeap.heap)).type.toBe<Effect.Effect<void>>()
  })
})
