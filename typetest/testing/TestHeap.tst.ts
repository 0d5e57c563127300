import { type Cause, Context, Effect, type Layer, type Scope } from "effect"
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
    expect(testHeap).type.toBe<TestHeap.SyncTestHeap>()
    expect(testHeap.heap).type.toBe<Heap.Heap>()
    expect(testHeap.collect({}, [])).type.toBe<void>()
    expect(testHeap.finalize()).type.toBe<void>()
    expect(testHeap.finalizeOne()).type.toBe<boolean>()
    expect(testHeap.pending()).type.toBe<number>()
    expect(testHeap.collect).type.not.toBeCallableWith("text")
    expect(TestHeap.makeUnsafe).type.toBeCallableWith({ seed: 1 })
    expect(TestHeap.makeUnsafe).type.not.toBeCallableWith({ seed: {} })
    expect(Effect.provideService(Effect.void, Heap.Heap, testHeap.heap)).type.toBe<Effect.Effect<void>>()
    expect(Effect.provideService(TestHeap.finalize, TestHeap.TestHeap, testHeap.service)).type.toBe<
      Effect.Effect<void>
    >()
  })

  it("has a service with the same signatures as the module", () => {
    const { service } = TestHeap.makeUnsafe()
    expect(service).type.toBe<TestHeap.TestHeap["Service"]>()
    expect(service.collect({}, [])).type.toBe<Effect.Effect<void>>()
    expect(service.mayCollect({}, [])).type.toBe<Effect.Effect<void>>()
    expect(service.hold({}, [])).type.toBe<Effect.Effect<void>>()
    expect(service.retains({}, [])).type.toBe<Effect.Effect<void>>()
    expect(service.finalize).type.toBe<Effect.Effect<void>>()
    expect(service.finalizeOne).type.toBe<Effect.Effect<boolean>>()
    expect(service.pending).type.toBe<Effect.Effect<number>>()
  })

  describe("explore", () => {
    class Database extends Context.Service<Database, { readonly url: string }>()("Database") {}
    const program = Effect.gen(function*() {
      yield* TestHeap.mayCollect({})
      yield* Effect.addFinalizer(() => Effect.void)
      const { url } = yield* Database
      return url === "" ? yield* Effect.fail(1) : url
    })

    it("provides the heap and the Scope of each run, and nothing else", () => {
      expect(TestHeap.explore(program)).type.toBe<
        Effect.Effect<TestHeap.Explored, TestHeap.ScheduleError, Database>
      >()
      expect(TestHeap.explore(Effect.succeed(1))).type.toBe<
        Effect.Effect<TestHeap.Explored, TestHeap.ScheduleError>
      >()
    })

    it("replays with the program's own result", () => {
      expect(TestHeap.replay(program, "")).type.toBe<
        Effect.Effect<string, number | TestHeap.ScheduleError, Database>
      >()
    })

    it("checks its options", () => {
      expect(TestHeap.explore).type.toBeCallableWith(program, {
        maxSchedules: 1,
        seed: "a",
        lateUnregister: true,
        turns: "job",
        timeout: "1 second"
      })
      expect(TestHeap.explore).type.not.toBeCallableWith(program, { turns: "microtask" })
      expect(TestHeap.explore).type.not.toBeCallableWith(program, { maxSchedules: "1" })
      expect(TestHeap.explore).type.not.toBeCallableWith(program, { depth: 1 })
      expect(TestHeap.replay).type.not.toBeCallableWith(program)
    })

    it("can tell why a schedule failed", () => {
      expect<TestHeap.ScheduleError["reason"]>().type.toBe<
        "Failure" | "Endless" | "NoChoice" | "NonDeterminism" | "Malformed"
      >()
      expect<TestHeap.ScheduleError["unreleased"]>().type.toBe<ReadonlyArray<string>>()
      expect<TestHeap.Explored["choices"]>().type.toBe<number>()
      expect<TestHeap.Explored["gaps"]>().type.toBe<ReadonlyArray<string>>()
      expect<TestHeap.Explored["unreleased"]>().type.toBe<ReadonlyArray<string>>()
      expect<TestHeap.ScheduleError["cause"]>().type.toBe<Cause.Cause<unknown>>()
    })

    it("has statements that need the heap, and turns that need nothing", () => {
      for (const state of [TestHeap.mayCollect, TestHeap.hold]) {
        expect(state({}, [])).type.toBe<Effect.Effect<void, never, TestHeap.TestHeap>>()
        expect(state).type.not.toBeCallableWith("text")
      }
      expect(TestHeap.retains({}, [])).type.toBe<Effect.Effect<void, never, TestHeap.TestHeap>>()
      expect(TestHeap.retains).type.not.toBeCallableWith({}, "text")
      expect(TestHeap.retains).type.not.toBeCallableWith({})
      expect(TestHeap.turn).type.toBe<Effect.Effect<void>>()
      expect(TestHeap.finalizeOne).type.toBe<Effect.Effect<boolean, never, TestHeap.TestHeap>>()
      expect(TestHeap.install()).type.toBe<Effect.Effect<void, never, TestHeap.TestHeap | Scope.Scope>>()
      expect(TestHeap.install).type.not.toBeCallableWith(1)
    })
  })
})
