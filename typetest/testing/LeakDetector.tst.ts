import { Context, Effect, type Scope } from "effect"
import { describe, expect, it } from "tstyche"
import { Finalizer, type WeakError } from "../../src/index.ts"
import { LeakDetector } from "../../src/testing/index.ts"

class Service extends Context.Service<Service, string>()("Service") {}

declare const make: Effect.Effect<{ readonly id: number }, "error", Service>

describe("expectCollected", () => {
  it("keeps the errors and requirements of the effect, and fails where there is a leak", () => {
    expect(LeakDetector.expectCollected(make)).type.toBe<
      Effect.Effect<void, "error" | LeakDetector.LeakError, Service>
    >()
    expect(LeakDetector.expectCollected(Finalizer.make({}, Effect.void))).type.toBe<
      Effect.Effect<void, LeakDetector.LeakError | WeakError.NotWeakReferenceableError, Scope.Scope>
    >()
  })

  it("takes an effect that makes an object", () => {
    expect(LeakDetector.expectCollected).type.not.toBeCallableWith(Effect.succeed("text"))
    expect(LeakDetector.expectCollected).type.not.toBeCallableWith(Effect.void)
    expect(LeakDetector.expectCollected).type.not.toBeCallableWith({})
  })
})

describe("Options", () => {
  it("are optional", () => {
    expect(LeakDetector.expectCollected).type.toBeCallableWith(make)
    expect(LeakDetector.expectCollected).type.toBeCallableWith(make, { rounds: 3, retainers: false })
    expect(LeakDetector.expectCollected).type.not.toBeCallableWith(make, { rounds: "3" })
  })
})

describe("LeakError", () => {
  it("has the path as holders, edges and kinds", () => {
    expect<LeakDetector.LeakError["retainers"]>().type.toBe<ReadonlyArray<LeakDetector.Retainer>>()
    expect<LeakDetector.Retainer["holder"]>().type.toBe<string>()
    expect<LeakDetector.Retainer["via"]>().type.toBe<string>()
  })
})

describe("expectNoGrowth", () => {
  class Private {
    private constructor() {}
    static readonly only = new Private()
  }

  it("keeps the errors and requirements of the effect, and fails if a class grows", () => {
    expect(LeakDetector.expectNoGrowth(make, { classes: [Map] })).type.toBe<
      Effect.Effect<void, "error" | LeakDetector.GrowthError, Service>
    >()
  })

  it("takes classes, even with a private constructor", () => {
    expect(LeakDetector.expectNoGrowth).type.toBeCallableWith(make, { classes: [Private, Set], repeat: 3, warmup: 2 })
    expect(LeakDetector.expectNoGrowth).type.not.toBeCallableWith(make, { classes: ["Private"] })
    expect(LeakDetector.expectNoGrowth).type.not.toBeCallableWith(make, {})
    expect(LeakDetector.expectNoGrowth).type.not.toBeCallableWith(make)
  })
})
