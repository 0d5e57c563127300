import { type Effect, Option, pipe } from "effect"
import { describe, expect, it } from "tstyche"
import { type WeakError, WeakKeyMap, type WeakRef } from "../src/index.ts"

interface Animal {
  readonly name: string
}
interface Dog extends Animal {
  bark(): string
}
type Animals = WeakKeyMap.WeakKeyMap<Animal, number>

declare const animal: Animal
declare const dog: Dog
declare const u: unknown
declare const map: Animals
declare const dogs: WeakKeyMap.WeakKeyMap<Dog, number>

describe("WeakKeyMap", () => {
  it("is invariant in keys and values: it can be written to", () => {
    expect<WeakKeyMap.WeakKeyMap<Dog, 1>>().type.not.toBeAssignableTo<WeakKeyMap.WeakKeyMap<Animal, 1>>()
    expect<WeakKeyMap.WeakKeyMap<Animal, 1>>().type.not.toBeAssignableTo<WeakKeyMap.WeakKeyMap<Dog, 1>>()
    expect<WeakKeyMap.WeakKeyMap<Dog, 1>>().type.not.toBeAssignableTo<WeakKeyMap.WeakKeyMap<Dog, number>>()
    expect<WeakKeyMap.WeakKeyMap<Dog, number>>().type.not.toBeAssignableTo<WeakKeyMap.WeakKeyMap<Dog, 1>>()
  })

  it("iterates over entries", () => {
    expect(map).type.toBeAssignableTo<Iterable<[Animal, number]>>()
    expect([...map]).type.toBe<Array<[Animal, number]>>()
    expect(map).type.not.toBeAssignableTo<WeakMap<Animal, number>>()
    expect<WeakMap<Animal, number>>().type.not.toBeAssignableTo<Animals>()
  })
})

describe("constructors", () => {
  it("make and makeUnsafe cannot fail", () => {
    expect(WeakKeyMap.make<Dog, number>()).type.toBe<Effect.Effect<WeakKeyMap.WeakKeyMap<Dog, number>>>()
    expect(WeakKeyMap.makeUnsafe<Dog, number>()).type.toBe<WeakKeyMap.WeakKeyMap<Dog, number>>()
    expect(WeakKeyMap.make()).type.toBe<Effect.Effect<WeakKeyMap.WeakKeyMap<WeakKey, unknown>>>()
    expect(WeakKeyMap.make<symbol, number>()).type.toBe<Effect.Effect<WeakKeyMap.WeakKeyMap<symbol, number>>>()
  })

  it("fromIterable infers from entries and maps, and can fail", () => {
    type Made<K extends WeakKey, V> = Effect.Effect<WeakKeyMap.WeakKeyMap<K, V>, WeakError.NotWeakReferenceableError>
    expect(WeakKeyMap.fromIterable([[dog, 1]])).type.toBe<Made<Dog, number>>()
    expect(WeakKeyMap.fromIterable([[dog, 1], [animal, 2]])).type.toBe<Made<Animal, number>>()
    expect(WeakKeyMap.fromIterable(new Map([[dog, "text"]]))).type.toBe<Made<Dog, string>>()
    expect(WeakKeyMap.fromIterable(dogs)).type.toBe<Made<Dog, number>>()
  })

  it("take no primitive keys", () => {
    expect(WeakKeyMap.fromIterable).type.not.toBeCallableWith([["text", 1]])
    expect(WeakKeyMap.fromIterable).type.not.toBeCallableWith([[dog, 1], [1, 1]])
    expect(WeakKeyMap.fromIterable).type.not.toBeCallableWith(new Map([["text", 1]]))
    expect(WeakKeyMap.fromIterable).type.not.toBeCallableWith([dog])
  })

  it("take one option", () => {
    for (const make of [WeakKeyMap.make<Dog, number>, WeakKeyMap.makeUnsafe<Dog, number>]) {
      expect(make).type.toBeCallableWith({})
      expect(make).type.toBeCallableWith({ compare: "reference" })
      expect(make).type.toBeCallableWith({ compare: "structural" })
      expect(make).type.not.toBeCallableWith({ compare: "identity" })
      expect(make).type.not.toBeCallableWith({ equal: () => true })
    }
    expect(WeakKeyMap.fromIterable).type.toBeCallableWith([[dog, 1] as const], { compare: "reference" })
    expect(WeakKeyMap.fromIterable).type.not.toBeCallableWith([[dog, 1] as const], { compare: "identity" })
  })
})

describe("isWeakKeyMap", () => {
  it("narrows", () => {
    if (WeakKeyMap.isWeakKeyMap(u)) expect(u).type.toBe<WeakKeyMap.WeakKeyMap<WeakKey, unknown>>()
  })
})

describe("lookups", () => {
  it("get and pop give an Option, has a boolean, remove the map", () => {
    expect(WeakKeyMap.get(map, animal)).type.toBe<Option.Option<number>>()
    expect(WeakKeyMap.pop(map, animal)).type.toBe<Option.Option<number>>()
    expect(WeakKeyMap.has(map, animal)).type.toBe<boolean>()
    expect(WeakKeyMap.remove(map, animal)).type.toBe<Animals>()
    expect(pipe(map, WeakKeyMap.get(animal))).type.toBe<Option.Option<number>>()
    expect(map.pipe(WeakKeyMap.pop(animal))).type.toBe<Option.Option<number>>()
    expect(map.pipe(WeakKeyMap.has(animal))).type.toBe<boolean>()
    expect(map.pipe(WeakKeyMap.remove(animal))).type.toBe<Animals>()
    expect(WeakKeyMap.popEntry(map)).type.toBe<Option.Option<[Animal, number]>>()
    expect(map.pipe(WeakKeyMap.popEntry)).type.toBe<Option.Option<[Animal, number]>>()
  })

  it("take a key of a narrower type, data first and last", () => {
    expect(WeakKeyMap.get(map, dog)).type.toBe<Option.Option<number>>()
    expect(pipe(map, WeakKeyMap.get(dog))).type.toBe<Option.Option<number>>()
    expect(map.pipe(WeakKeyMap.get({ name: "literal", more: 1 }))).type.toBe<Option.Option<number>>()
    expect(map.pipe(WeakKeyMap.has(dog))).type.toBe<boolean>()
    expect(map.pipe(WeakKeyMap.pop(dog))).type.toBe<Option.Option<number>>()
    expect(map.pipe(WeakKeyMap.remove(dog))).type.toBe<Animals>()
    expect([map].map(WeakKeyMap.get(dog))).type.toBe<Array<Option.Option<number>>>()
  })

  it("can be kept to be applied later", () => {
    const get = WeakKeyMap.get(dog)
    expect(get(dogs)).type.toBe<Option.Option<number>>()
    expect(get).type.not.toBeCallableWith(map)
  })

  it("take no other key", () => {
    expect(WeakKeyMap.get).type.not.toBeCallableWith(dogs, animal)
    expect(WeakKeyMap.get).type.not.toBeCallableWith(map, "text")
    expect(WeakKeyMap.get).type.not.toBeCallableWith("text")
    expect(WeakKeyMap.has).type.not.toBeCallableWith(dogs, animal)
    expect(WeakKeyMap.has).type.not.toBeCallableWith(map, "text")
    expect(WeakKeyMap.has).type.not.toBeCallableWith("text")
    expect(WeakKeyMap.pop).type.not.toBeCallableWith(dogs, animal)
    expect(WeakKeyMap.pop).type.not.toBeCallableWith(map, "text")
    expect(WeakKeyMap.pop).type.not.toBeCallableWith("text")
    expect(WeakKeyMap.remove).type.not.toBeCallableWith(dogs, animal)
    expect(WeakKeyMap.remove).type.not.toBeCallableWith(map, "text")
    expect(WeakKeyMap.remove).type.not.toBeCallableWith("text")
    // @ts-expect-error is not assignable to parameter of type 'Dog'
    pipe(dogs, WeakKeyMap.get(animal))
    // @ts-expect-error is not assignable to parameter of type 'Dog'
    dogs.pipe(WeakKeyMap.remove(animal))
    // @ts-expect-error is not assignable to parameter of type 'Animal'
    map.pipe(WeakKeyMap.has(Symbol("mine")))
  })
})

describe("set", () => {
  it("gives the map, whose types stay", () => {
    expect(WeakKeyMap.set(map, dog, 1)).type.toBe<Animals>()
    expect(map.pipe(WeakKeyMap.set(dog, 1))).type.toBe<Animals>()
    expect(pipe(map, WeakKeyMap.set(dog, 1), WeakKeyMap.set(animal, 2))).type.toBe<Animals>()
    expect(pipe(WeakKeyMap.makeUnsafe<Animal, number>(), WeakKeyMap.set(dog, 1))).type.toBe<Animals>()
    const set = WeakKeyMap.set(dog, 1)
    expect(set(dogs)).type.toBe<WeakKeyMap.WeakKeyMap<Dog, number>>()
  })

  it("takes no other key and no other value", () => {
    expect(WeakKeyMap.set).type.not.toBeCallableWith(dogs, animal, 1)
    expect(WeakKeyMap.set).type.not.toBeCallableWith(map, animal, "text")
    expect(WeakKeyMap.set).type.not.toBeCallableWith(map, "text", 1)
    expect(WeakKeyMap.set).type.not.toBeCallableWith("text", 1)
    // @ts-expect-error is not assignable to parameter of type 'Dog'
    dogs.pipe(WeakKeyMap.set(animal, 1))
    // @ts-expect-error Argument of type 'string' is not assignable to parameter of type 'number'
    map.pipe(WeakKeyMap.set(dog, "text"))
  })
})

describe("getOrSet, modify and modifyAt", () => {
  it("infer data first and last", () => {
    expect(WeakKeyMap.getOrSet(map, dog, () => 1)).type.toBe<number>()
    expect(map.pipe(WeakKeyMap.getOrSet(dog, () => 1))).type.toBe<number>()
    expect(WeakKeyMap.modify(map, dog, (n) => n + 1)).type.toBe<Animals>()
    expect(map.pipe(WeakKeyMap.modify(dog, (n) => n + 1))).type.toBe<Animals>()
    expect(WeakKeyMap.modifyAt(map, dog, Option.map((n) => n + 1))).type.toBe<Animals>()
    expect(map.pipe(WeakKeyMap.modifyAt(dog, (n) => Option.map(n, (n) => n + 1)))).type.toBe<Animals>()
    WeakKeyMap.modifyAt(map, dog, (value) => (expect(value).type.toBe<Option.Option<number>>(), value))
  })

  it("take no other key and no other value", () => {
    expect(WeakKeyMap.getOrSet).type.not.toBeCallableWith(map, dog, () => "text")
    expect(WeakKeyMap.getOrSet).type.not.toBeCallableWith(dogs, animal, () => 1)
    expect(WeakKeyMap.modify).type.not.toBeCallableWith(map, dog, () => "text")
    expect(WeakKeyMap.modifyAt).type.not.toBeCallableWith(map, dog, () => 1)
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    map.pipe(WeakKeyMap.getOrSet(dog, () => "text"))
  })
})

describe("setAll and union", () => {
  it("infer data first and last", () => {
    expect(WeakKeyMap.setAll(map, [[dog, 1]])).type.toBe<Animals>()
    expect(map.pipe(WeakKeyMap.setAll([[dog, 1]]))).type.toBe<Animals>()
    expect(map.pipe(WeakKeyMap.setAll(dogs))).type.toBe<Animals>()
    expect(WeakKeyMap.union(map, map)).type.toBe<Animals>()
    expect(map.pipe(WeakKeyMap.union(map))).type.toBe<Animals>()
  })

  it("take no other entries", () => {
    expect(WeakKeyMap.setAll).type.not.toBeCallableWith(dogs, [[animal, 1]])
    expect(WeakKeyMap.setAll).type.not.toBeCallableWith(map, [[dog, "text"]])
    expect(WeakKeyMap.union).type.not.toBeCallableWith(map, dogs)
    expect(WeakKeyMap.union).type.not.toBeCallableWith(map, new Map([[dog, 1]]))
  })
})

describe("copies", () => {
  it("have other values where copyWith makes them", () => {
    expect(WeakKeyMap.copy(map)).type.toBe<Animals>()
    expect(WeakKeyMap.copyWith(map, String)).type.toBe<WeakKeyMap.WeakKeyMap<Animal, string>>()
    expect(map.pipe(WeakKeyMap.copyWith((n) => [n]))).type.toBe<WeakKeyMap.WeakKeyMap<Animal, Array<number>>>()
    expect(WeakKeyMap.copyWith).type.not.toBeCallableWith(map, (s: string) => s)
  })
})

describe("iteration", () => {
  it("gives keys, values, entries and references", () => {
    expect(WeakKeyMap.keys(map)).type.toBe<MapIterator<Animal>>()
    expect(WeakKeyMap.values(map)).type.toBe<MapIterator<number>>()
    expect(WeakKeyMap.entries(map)).type.toBe<MapIterator<[Animal, number]>>()
    expect(WeakKeyMap.keyRefs(map)).type.toBe<MapIterator<WeakRef.WeakRef<Animal>>>()
    expect(map.pipe(WeakKeyMap.keyRefs)).type.toBe<MapIterator<WeakRef.WeakRef<Animal>>>()
    expect([...WeakKeyMap.keys(map)]).type.toBe<Array<Animal>>()
  })

  it("forEach gives value and key", () => {
    WeakKeyMap.forEach(map, (value, key) => {
      expect(value).type.toBe<number>()
      expect(key).type.toBe<Animal>()
    })
    map.pipe(WeakKeyMap.forEach((value, key) => {
      expect(value).type.toBe<number>()
      expect(key).type.toBe<Animal>()
    }))
    expect(WeakKeyMap.forEach(map, () => 1)).type.toBe<void>()
  })
})

describe("sizes, clear and equals", () => {
  it("infer data first and last", () => {
    expect(WeakKeyMap.size(map)).type.toBe<number>()
    expect(WeakKeyMap.count(map)).type.toBe<number>()
    expect(WeakKeyMap.isEmpty(map)).type.toBe<boolean>()
    expect(WeakKeyMap.clear(map)).type.toBe<Animals>()
    expect(WeakKeyMap.equals(map, map)).type.toBe<boolean>()
    expect(map.pipe(WeakKeyMap.equals(map))).type.toBe<boolean>()
    expect(WeakKeyMap.equals).type.not.toBeCallableWith(map, dogs)
  })

  it("exports the type of its options", () => {
    const options: WeakKeyMap.Options = { compare: "structural" }
    expect(WeakKeyMap.makeUnsafe<Animal, number>).type.toBeCallableWith(options)
    expect<WeakKeyMap.Options>().type.toBeAssignableFrom<{ compare: "reference" }>()
    expect<WeakKeyMap.Options>().type.not.toBeAssignableFrom<{ compare: "identity" }>()
  })
})
