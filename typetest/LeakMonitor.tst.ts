import { Duration, Effect, type Layer, type Option, type Scope } from "effect"
import { describe, expect, it } from "tstyche"
import { LeakMonitor } from "../src/index.ts"

declare const connection: { readonly id: number }
declare const report: (leak: LeakMonitor.Leak) => Effect.Effect<void>

describe("track", () => {
  it("returns the value, needs a Scope, and does not fail", () => {
    expect(LeakMonitor.track(connection, { name: "connection" })).type.toBe<
      Effect.Effect<{ readonly id: number }, never, Scope.Scope>
    >()
  })

  it("takes only what can be weakly referenced", () => {
    expect(LeakMonitor.track).type.toBeCallableWith(Symbol("mine"), { name: "symbol" })
    expect(LeakMonitor.track).type.toBeCallableWith(() => 1, { name: "function" })
    expect(LeakMonitor.track).type.not.toBeCallableWith("text", { name: "text" })
    expect(LeakMonitor.track).type.not.toBeCallableWith(1, { name: "number" })
    expect(LeakMonitor.track).type.not.toBeCallableWith(undefined, { name: "undefined" })
  })

  it("needs a name", () => {
    expect(LeakMonitor.track).type.not.toBeCallableWith(connection)
    expect(LeakMonitor.track).type.not.toBeCallableWith(connection, {})
  })
})

describe("layer", () => {
  it("needs a level, and provides a reference", () => {
    expect(LeakMonitor.layer({ level: "all" })).type.toBe<Layer.Layer<never>>()
    expect(LeakMonitor.layer).type.toBeCallableWith({ level: "sampled", every: 10, onLeak: report })
    expect(LeakMonitor.layer).type.not.toBeCallableWith({})
    expect(LeakMonitor.layer).type.not.toBeCallableWith({ level: "some" })
  })

  it("takes a patience in any form that Effect takes", () => {
    expect(LeakMonitor.layer).type.toBeCallableWith({ level: "all", patience: "30 seconds" })
    expect(LeakMonitor.layer).type.toBeCallableWith({ level: "all", patience: Duration.minutes(5) })
    expect(LeakMonitor.layer).type.not.toBeCallableWith({ level: "all", patience: {} as Date })
  })

  it("takes a callback that neither fails nor needs services", () => {
    expect(LeakMonitor.layer).type.not.toBeCallableWith({ level: "all", onLeak: () => Effect.fail("error") })
  })
})

describe("sentinel", () => {
  it("is optional", () => {
    expect(LeakMonitor.sentinel).type.toBe<Effect.Effect<Option.Option<WeakKey>>>()
  })
})

describe("Leak", () => {
  it("has one of two kinds", () => {
    expect<LeakMonitor.Leak["kind"]>().type.toBe<"NotClosed" | "NotReleased">()
  })
})
