import { Effect, pipe } from "effect"
import { describe, expect, it } from "tstyche"
import { Heap, Interner } from "../src/index.ts"

interface Animal {
  readonly name: string
}
interface Dog extends Animal {
  bark(): string
}

declare const animal: Animal
declare const dog: Dog
declare const u: unknown
declare const animals: Interner.Interner<Animal>

describe("Interner", () => {
  it("is invariant in its elements, because it accepts and returns them", () => {
    expect<Interner.Interner<Dog>>().type.not.toBeAssignableTo<Interner.Interner<Animal>>()
    expect<Interner.Interner<Animal>>().type.not.toBeAssignableTo<Interner.Interner<Dog>>()
  })

  it("accepts objects, functions and symbols only", () => {
    expect(Interner.intern(Interner.makeUnsafe<WeakKey>(), Symbol("mine"))).type.toBe<WeakKey>()
    expect(Interner.intern).type.not.toBeCallableWith(animals, "text")
    // @ts-expect-error Type 'string' does not satisfy the constraint 'WeakKey'
    expect<Interner.Interner<string>>().type.not.toBeAssignableTo<string>()
  })
})

describe("make and makeUnsafe", () => {
  it("never fail, and need no services", () => {
    expect(Interner.make<Animal>()).type.toBe<Effect.Effect<Interner.Interner<Animal>>>()
    expect(Interner.makeUnsafe<Animal>()).type.toBe<Interner.Interner<Animal>>()
    expect(Interner.makeUnsafe<Animal>(Heap.Heap.defaultValue())).type.toBe<Interner.Interner<Animal>>()
    expect(Interner.makeUnsafe).type.not.toBeCallableWith({ WeakMap })
  })
})

describe("isInterner", () => {
  it("narrows a value to an interner", () => {
    if (Interner.isInterner(u)) expect(u).type.toBe<Interner.Interner<WeakKey>>()
  })
})

describe("intern, has and size", () => {
  it("intern returns the element type, data first and data last", () => {
    expect(Interner.intern(animals, animal)).type.toBe<Animal>()
    expect(Interner.intern(animals, dog)).type.toBe<Animal>()
    expect(pipe(animals, Interner.intern(animal))).type.toBe<Animal>()
    expect(pipe(animals, Interner.intern(dog))).type.toBe<Animal>()
    expect(Interner.intern).type.not.toBeCallableWith(animals, { age: 1 })
  })

  it("has returns a boolean, size a number", () => {
    expect(Interner.has(animals, dog)).type.toBe<boolean>()
    expect(pipe(animals, Interner.has(dog))).type.toBe<boolean>()
    expect(Interner.size(animals)).type.toBe<number>()
    expect(pipe(animals, Interner.size)).type.toBe<number>()
    expect(Interner.has).type.not.toBeCallableWith(animals, { age: 1 })
    expect(Effect.succeed(Interner.size(animals))).type.toBe<Effect.Effect<number>>()
  })
})
