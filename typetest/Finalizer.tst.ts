import { Context, Effect, type Option, pipe, type Scope } from "effect"
import { describe, expect, it } from "tstyche"
import { Finalizer, type WeakError } from "../src/index.ts"

interface Animal {
  readonly name: string
}
interface Dog extends Animal {
  bark(): string
}
class Service extends Context.Service<Service, string>()("Service") {}

declare const dog: Dog
declare const u: unknown
declare const effect: Effect.Effect<number, "error", Service>
declare const finalizer: Finalizer.Finalizer<Dog, number, "error">

type Content = Option.Option<{ readonly target: Dog; readonly effect: Effect.Effect<number, "error"> }>

describe("Finalizer", () => {
  it("is covariant in its target, its result and its error", () => {
    expect<Finalizer.Finalizer<Dog, 1, "error">>().type.toBeAssignableTo<Finalizer.Finalizer<Animal, number, string>>()
    expect<Finalizer.Finalizer<Animal, 1, "error">>().type.not.toBeAssignableTo<Finalizer.Finalizer<Dog, 1, "error">>()
    expect<Finalizer.Finalizer<Dog, number, "error">>().type.not.toBeAssignableTo<
      Finalizer.Finalizer<Dog, 1, "error">
    >()
    expect<Finalizer.Finalizer<Dog, 1, string>>().type.not.toBeAssignableTo<Finalizer.Finalizer<Dog, 1, "error">>()
  })

  it("of anything is one whose result and error are unknown", () => {
    expect<Finalizer.Finalizer<Dog>>().type.toBe<Finalizer.Finalizer<Dog, unknown, unknown>>()
    expect(finalizer).type.toBeAssignableTo<Finalizer.Finalizer<WeakKey>>()
  })
})

describe("make", () => {
  it("requires a Scope and what the effect requires; the effect's error is the finalizer's", () => {
    expect(Finalizer.make(dog, effect)).type.toBe<
      Effect.Effect<
        Finalizer.Finalizer<Dog, number, "error">,
        WeakError.NotWeakReferenceableError,
        Service | Scope.Scope
      >
    >()
    expect(Effect.scoped(Finalizer.make(dog, Effect.void))).type.toBe<
      Effect.Effect<Finalizer.Finalizer<Dog, void, never>, WeakError.NotWeakReferenceableError>
    >()
  })

  it("takes the option atExit, and no other", () => {
    expect(Finalizer.make).type.toBeCallableWith(dog, effect, {})
    expect(Finalizer.make).type.toBeCallableWith(dog, effect, { atExit: false })
    expect(Finalizer.make).type.toBeCallableWith(dog, effect, { atExit: undefined })
    expect(Finalizer.make).type.not.toBeCallableWith(dog, effect, { atExit: "false" })
    expect(Finalizer.make).type.not.toBeCallableWith(dog, effect, { atexit: false })
  })

  it("takes only what can be weakly referenced, and an effect", () => {
    expect(Finalizer.make).type.toBeCallableWith(Symbol("mine"), effect)
    expect(Finalizer.make).type.not.toBeCallableWith("text", effect)
    expect(Finalizer.make).type.not.toBeCallableWith(undefined, effect)
    expect(Finalizer.make).type.not.toBeCallableWith(u, effect)
    expect(Finalizer.make).type.not.toBeCallableWith(dog, () => effect)
    expect(Finalizer.make).type.not.toBeCallableWith(dog)
  })
})

describe("isFinalizer", () => {
  it("narrows", () => {
    if (Finalizer.isFinalizer(u)) expect(u).type.toBe<Finalizer.Finalizer<WeakKey>>()
    const value = u as string | Finalizer.Finalizer<Dog, number, never>
    if (Finalizer.isFinalizer(value)) expect(value).type.toBe<Finalizer.Finalizer<Dog, number, never>>()
    else expect(value).type.toBe<string>()
  })
})

describe("run", () => {
  it("gives an Option of the result, fails as the effect does, and requires nothing any more", () => {
    expect(Finalizer.run(finalizer)).type.toBe<Effect.Effect<Option.Option<number>, "error">>()
    expect(finalizer.pipe(Finalizer.run)).type.toBe<Effect.Effect<Option.Option<number>, "error">>()
    expect(Effect.flatMap(Finalizer.make(dog, effect), Finalizer.run)).type.toBe<
      Effect.Effect<
        Option.Option<number>,
        "error" | WeakError.NotWeakReferenceableError,
        Service | Scope.Scope
      >
    >()
  })
})

describe("detach and peek", () => {
  it("give target and effect, and never fail", () => {
    expect(Finalizer.detach(finalizer)).type.toBe<Effect.Effect<Content>>()
    expect(Finalizer.peek(finalizer)).type.toBe<Effect.Effect<Content>>()
    expect(finalizer.pipe(Finalizer.peek)).type.toBe<Effect.Effect<Content>>()
  })
})

describe("isAlive, atExit and setAtExit", () => {
  it("take any finalizer", () => {
    expect(Finalizer.isAlive(finalizer)).type.toBe<boolean>()
    expect(Finalizer.atExit(finalizer)).type.toBe<boolean>()
    expect(Finalizer.setAtExit(finalizer, false)).type.toBe<Effect.Effect<void>>()
    expect(pipe(finalizer, Finalizer.setAtExit(false))).type.toBe<Effect.Effect<void>>()
    expect(Finalizer.isAlive).type.not.toBeCallableWith(dog)
    expect(Finalizer.setAtExit).type.not.toBeCallableWith(finalizer, "false")
  })
})

describe("makeWith, makeUnsafe and cancel", () => {
  it("infer the effect from a function of what is held", () => {
    expect(Finalizer.makeWith(dog, 1, (held) => {
      expect(held).type.toBe<number>()
      return effect
    })).type.toBe<
      Effect.Effect<
        Finalizer.Finalizer<Dog, number, "error">,
        WeakError.NotWeakReferenceableError,
        Service | Scope.Scope
      >
    >()
    expect(Finalizer.makeWith).type.not.toBeCallableWith(dog, 1, (held: string) => Effect.succeed(held))
    expect(Finalizer.makeWith).type.not.toBeCallableWith("text", 1, () => Effect.void)
  })

  it("take no services in synchronous code", () => {
    expect(Finalizer.makeUnsafe(dog, Effect.succeed(1))).type.toBe<Finalizer.Finalizer<Dog, number, never>>()
    expect(Finalizer.makeUnsafe).type.toBeCallableWith(dog, Effect.void, { atExit: false })
    expect(Finalizer.makeUnsafe).type.not.toBeCallableWith(dog, effect)
    expect(Finalizer.cancel(finalizer)).type.toBe<Effect.Effect<boolean>>()
  })
})
