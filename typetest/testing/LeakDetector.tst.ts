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
