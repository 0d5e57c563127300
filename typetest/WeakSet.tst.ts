import { type Effect, type Option, pipe } from "effect"
import { describe, expect, it } from "tstyche"
import { type WeakError, type WeakRef, WeakSet } from "../src/index.ts"

interface Animal {
  readonly name: string
}
interface Dog extends Animal {
  bark(): string
}
type Animals = WeakSet.WeakSet<Animal>

declare const animal: Animal
declare const dog: Dog
declare const u: unknown
declare const set: Animals
declare const dogs: WeakSet.WeakSet<Dog>

describe("WeakSet", () => {
  it("is invariant in its elements: it can be written to", () => {
    expect<WeakSet.WeakSet<Dog>>().type.not.toBeAssignableTo<WeakSet.WeakSet<Animal>>()
    expect<WeakSet.WeakSet<Animal>>().type.not.toBeAssignableTo<WeakSet.WeakSet<Dog>>()
  })

  it("iterates over elements", () => {
    expect(set).type.toBeAssignableTo<Iterable<Animal>>()
    expect([...set]).type.toBe<Array<Animal>>()
    expect(set).type.not.toBeAssignableTo<globalThis.WeakSet<Animal>>()
    expect<globalThis.WeakSet<Animal>>().type.not.toBeAssignableTo<Animals>()
  })
})

describe("constructors", () => {
  it("make and makeUnsafe cannot fail, fromIterable can", () => {
    expect(WeakSet.make<Dog>()).type.toBe<Effect.Effect<WeakSet.WeakSet<Dog>>>()
    expect(WeakSet.make()).type.toBe<Effect.Effect<WeakSet.WeakSet<WeakKey>>>()
    expect(WeakSet.makeUnsafe<Dog>()).type.toBe<WeakSet.WeakSet<Dog>>()
    expect(WeakSet.fromIterable([dog, animal])).type.toBe<
      Effect.Effect<Animals, WeakError.NotWeakReferenceableError>
    >()
    expect(WeakSet.fromIterable(dogs)).type.toBe<
      Effect.Effect<WeakSet.WeakSet<Dog>, WeakError.NotWeakReferenceableError>
    >()
  })

  it("take no primitive elements", () => {
    expect(WeakSet.fromIterable).type.not.toBeCallableWith(["text"])
    expect(WeakSet.fromIterable).type.not.toBeCallableWith([dog, 1])
    expect(WeakSet.fromIterable).type.not.toBeCallableWith("text")
    expect(WeakSet.fromIterable).type.not.toBeCallableWith(dog)
  })

  it("take one option", () => {
    for (const make of [WeakSet.make<Dog>, WeakSet.makeUnsafe<Dog>]) {
      expect(make).type.toBeCallableWith({ compare: "reference" })
      expect(make).type.not.toBeCallableWith({ compare: "identity" })
    }
    expect(WeakSet.fromIterable).type.toBeCallableWith([dog], { compare: "structural" })
    expect(WeakSet.fromIterable).type.not.toBeCallableWith([dog], { compare: "identity" })
  })
})

describe("isWeakSet", () => {
  it("narrows", () => {
    if (WeakSet.isWeakSet(u)) expect(u).type.toBe<WeakSet.WeakSet<WeakKey>>()
  })
})

describe("elements", () => {
  it("add and remove give the set, has a boolean, pop an Option", () => {
    expect(WeakSet.add(set, dog)).type.toBe<Animals>()
    expect(set.pipe(WeakSet.add(dog))).type.toBe<Animals>()
    expect(pipe(set, WeakSet.add(dog), WeakSet.add(animal))).type.toBe<Animals>()
    expect(WeakSet.remove(set, dog)).type.toBe<Animals>()
    expect(set.pipe(WeakSet.remove(dog))).type.toBe<Animals>()
    expect(WeakSet.has(set, dog)).type.toBe<boolean>()
    expect(set.pipe(WeakSet.has(dog))).type.toBe<boolean>()
    expect(WeakSet.pop(set)).type.toBe<Option.Option<Animal>>()
    expect(WeakSet.clear(set)).type.toBe<Animals>()
    expect([dogs].map(WeakSet.add(dog))).type.toBe<Array<WeakSet.WeakSet<Dog>>>()
    const add = WeakSet.add(dog)
    expect(add(dogs)).type.toBe<WeakSet.WeakSet<Dog>>()
  })

  it("are of the set's type", () => {
    expect(WeakSet.add).type.not.toBeCallableWith(dogs, animal)
    expect(WeakSet.add).type.not.toBeCallableWith(set, "text")
    expect(WeakSet.add).type.not.toBeCallableWith("text")
    expect(WeakSet.remove).type.not.toBeCallableWith(dogs, animal)
    expect(WeakSet.remove).type.not.toBeCallableWith(set, "text")
    expect(WeakSet.remove).type.not.toBeCallableWith("text")
    expect(WeakSet.has).type.not.toBeCallableWith(dogs, animal)
    expect(WeakSet.has).type.not.toBeCallableWith(set, "text")
    expect(WeakSet.has).type.not.toBeCallableWith("text")
    // @ts-expect-error is not assignable to parameter of type 'Dog'
    dogs.pipe(WeakSet.add(animal))
    // @ts-expect-error is not assignable to parameter of type 'Dog'
    dogs.pipe(WeakSet.has(animal))
  })
})

describe("operators", () => {
  it("take any iterable of the set's elements, and give a set", () => {
    for (
      const operator of [
        WeakSet.addAll,
        WeakSet.retainAll,
        WeakSet.removeAll,
        WeakSet.toggleAll,
        WeakSet.union,
        WeakSet.intersection,
        WeakSet.difference,
        WeakSet.symmetricDifference
      ]
    ) {
      expect(operator(set, [dog])).type.toBe<Animals>()
      expect(operator(set, dogs)).type.toBe<Animals>()
      expect(set.pipe(operator([dog]))).type.toBe<Animals>()
      expect(set.pipe(operator(new Set([animal, dog])))).type.toBe<Animals>()
      expect(operator).type.not.toBeCallableWith(dogs, [animal])
      expect(operator).type.not.toBeCallableWith(set, ["text"])
      expect(operator).type.not.toBeCallableWith(set, dog)
      expect(operator).type.not.toBeCallableWith(["text"])
    }
  })

  it("compare with any iterable of the set's elements", () => {
    for (
      const comparison of [
        WeakSet.isSubset,
        WeakSet.isSuperset,
        WeakSet.isProperSubset,
        WeakSet.isProperSuperset,
        WeakSet.isDisjoint,
        WeakSet.equals
      ]
    ) {
      expect(comparison(set, [dog])).type.toBe<boolean>()
      expect(comparison(set, dogs)).type.toBe<boolean>()
      expect(set.pipe(comparison([dog]))).type.toBe<boolean>()
      expect(comparison).type.not.toBeCallableWith(set, ["text"])
      expect(comparison).type.not.toBeCallableWith(set, dog)
    }
  })
})

describe("iteration, sizes and copy", () => {
  it("infer the elements", () => {
    expect(WeakSet.values(set)).type.toBe<MapIterator<Animal>>()
    expect(WeakSet.refs(set)).type.toBe<MapIterator<WeakRef.WeakRef<Animal>>>()
    expect(WeakSet.copy(set)).type.toBe<Animals>()
    expect(WeakSet.size(set)).type.toBe<number>()
    expect(WeakSet.count(set)).type.toBe<number>()
    expect(WeakSet.isEmpty(set)).type.toBe<boolean>()
    WeakSet.forEach(set, (element) => expect(element).type.toBe<Animal>())
    set.pipe(WeakSet.forEach((element) => expect(element).type.toBe<Animal>()))
  })

  it("exports the type of its options", () => {
    const options: WeakSet.Options = { compare: "structural" }
    expect(WeakSet.makeUnsafe<Animal>).type.toBeCallableWith(options)
    expect<WeakSet.Options>().type.toBeAssignableFrom<{ compare: "reference" }>()
    expect<WeakSet.Options>().type.not.toBeAssignableFrom<{ compare: "identity" }>()
  })
})
