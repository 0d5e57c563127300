import { type Effect, Option, pipe } from "effect"
import { describe, expect, it } from "tstyche"
import { type WeakError, type WeakRef, WeakValueMap } from "../src/index.ts"

interface Animal {
  readonly name: string
}
interface Dog extends Animal {
  bark(): string
}
type Animals = WeakValueMap.WeakValueMap<string, Animal>

declare const animal: Animal
declare const dog: Dog
declare const u: unknown
declare const map: Animals
declare const dogs: WeakValueMap.WeakValueMap<string, Dog>
declare const byLetter: WeakValueMap.WeakValueMap<"a" | "b", Animal>

describe("WeakValueMap", () => {
  it("is invariant in keys and values: it can be written to", () => {
    expect<WeakValueMap.WeakValueMap<1, Dog>>().type.not.toBeAssignableTo<WeakValueMap.WeakValueMap<1, Animal>>()
    expect<WeakValueMap.WeakValueMap<1, Animal>>().type.not.toBeAssignableTo<WeakValueMap.WeakValueMap<1, Dog>>()
    expect<WeakValueMap.WeakValueMap<1, Dog>>().type.not.toBeAssignableTo<WeakValueMap.WeakValueMap<number, Dog>>()
    expect<WeakValueMap.WeakValueMap<number, Dog>>().type.not.toBeAssignableTo<WeakValueMap.WeakValueMap<1, Dog>>()
  })

  it("iterates over entries", () => {
    expect(map).type.toBeAssignableTo<Iterable<[string, Animal]>>()
    expect([...map]).type.toBe<Array<[string, Animal]>>()
    expect(map).type.not.toBeAssignableTo<Map<string, Animal>>()
    expect<Map<string, Animal>>().type.not.toBeAssignableTo<Animals>()
  })
})

describe("constructors", () => {
  it("make and makeUnsafe cannot fail", () => {
    expect(WeakValueMap.make<string, Dog>()).type.toBe<Effect.Effect<WeakValueMap.WeakValueMap<string, Dog>>>()
    expect(WeakValueMap.makeUnsafe<string, Dog>()).type.toBe<WeakValueMap.WeakValueMap<string, Dog>>()
    expect(WeakValueMap.make()).type.toBe<Effect.Effect<WeakValueMap.WeakValueMap<unknown, WeakKey>>>()
    expect(WeakValueMap.make<undefined, symbol>()).type.toBe<
      Effect.Effect<WeakValueMap.WeakValueMap<undefined, symbol>>
    >()
  })

  it("fromIterable infers from entries and maps, and can fail", () => {
    type Made<K, V extends WeakKey> = Effect.Effect<
      WeakValueMap.WeakValueMap<K, V>,
      WeakError.NotWeakReferenceableError
    >
    expect(WeakValueMap.fromIterable([["key", dog]])).type.toBe<Made<string, Dog>>()
    expect(WeakValueMap.fromIterable([[1, dog], [2, animal]])).type.toBe<Made<number, Animal>>()
    expect(WeakValueMap.fromIterable(new Map([["key", dog]]))).type.toBe<Made<string, Dog>>()
    expect(WeakValueMap.fromIterable(dogs)).type.toBe<Made<string, Dog>>()
  })

  it("take no primitive values", () => {
    expect(WeakValueMap.fromIterable).type.not.toBeCallableWith([["key", "text"]])
    expect(WeakValueMap.fromIterable).type.not.toBeCallableWith([[1, dog], [1, 1]])
    expect(WeakValueMap.fromIterable).type.not.toBeCallableWith(new Map([[dog, 1]]))
    expect(WeakValueMap.fromIterable).type.not.toBeCallableWith([dog])
  })

  it("take one option", () => {
    for (const make of [WeakValueMap.make<string, Dog>, WeakValueMap.makeUnsafe<string, Dog>]) {
      expect(make).type.toBeCallableWith({})
      expect(make).type.toBeCallableWith({ compare: "reference" })
      expect(make).type.toBeCallableWith({ compare: "structural" })
      expect(make).type.not.toBeCallableWith({ compare: "identity" })
      expect(make).type.not.toBeCallableWith({ equal: () => true })
    }
    expect(WeakValueMap.fromIterable).type.toBeCallableWith([["key", dog] as const], { compare: "reference" })
    expect(WeakValueMap.fromIterable).type.not.toBeCallableWith([["key", dog] as const], { compare: "identity" })
  })
})

describe("isWeakValueMap", () => {
  it("narrows", () => {
    if (WeakValueMap.isWeakValueMap(u)) expect(u).type.toBe<WeakValueMap.WeakValueMap<unknown, WeakKey>>()
  })
})

describe("lookups", () => {
  it("get and pop give an Option, has a boolean, remove the map", () => {
    expect(WeakValueMap.get(map, "key")).type.toBe<Option.Option<Animal>>()
    expect(WeakValueMap.pop(map, "key")).type.toBe<Option.Option<Animal>>()
    expect(WeakValueMap.has(map, "key")).type.toBe<boolean>()
    expect(WeakValueMap.remove(map, "key")).type.toBe<Animals>()
    expect(pipe(map, WeakValueMap.get("key"))).type.toBe<Option.Option<Animal>>()
    expect(map.pipe(WeakValueMap.pop("key"))).type.toBe<Option.Option<Animal>>()
    expect(map.pipe(WeakValueMap.has("key"))).type.toBe<boolean>()
    expect(map.pipe(WeakValueMap.remove("key"))).type.toBe<Animals>()
    expect(WeakValueMap.popEntry(map)).type.toBe<Option.Option<[string, Animal]>>()
    expect(map.pipe(WeakValueMap.popEntry)).type.toBe<Option.Option<[string, Animal]>>()
  })

  it("take a key of a narrower type, data first and last", () => {
    expect(WeakValueMap.get(byLetter, "a")).type.toBe<Option.Option<Animal>>()
    expect(pipe(byLetter, WeakValueMap.get("a"))).type.toBe<Option.Option<Animal>>()
    expect(byLetter.pipe(WeakValueMap.has("a"))).type.toBe<boolean>()
    expect(byLetter.pipe(WeakValueMap.pop("a"))).type.toBe<Option.Option<Animal>>()
    expect(byLetter.pipe(WeakValueMap.remove("a"))).type.toBe<WeakValueMap.WeakValueMap<"a" | "b", Animal>>()
    expect([byLetter].map(WeakValueMap.get("a"))).type.toBe<Array<Option.Option<Animal>>>()
  })

  it("can be kept to be applied later", () => {
    const get = WeakValueMap.get("key")
    expect(get(map)).type.toBe<Option.Option<Animal>>()
    expect(get(dogs)).type.toBe<Option.Option<Dog>>()
  })

  it("take no other key", () => {
    expect(WeakValueMap.get).type.not.toBeCallableWith(map, 1)
    expect(WeakValueMap.get).type.not.toBeCallableWith(byLetter, "c")
    expect(WeakValueMap.has).type.not.toBeCallableWith(map, 1)
    expect(WeakValueMap.has).type.not.toBeCallableWith(byLetter, "c")
    expect(WeakValueMap.pop).type.not.toBeCallableWith(map, 1)
    expect(WeakValueMap.pop).type.not.toBeCallableWith(byLetter, "c")
    expect(WeakValueMap.remove).type.not.toBeCallableWith(map, 1)
    expect(WeakValueMap.remove).type.not.toBeCallableWith(byLetter, "c")
    // @ts-expect-error Argument of type '"c"' is not assignable to parameter of type '"a" | "b"'
    pipe(byLetter, WeakValueMap.get("c"))
    // @ts-expect-error Argument of type 'number' is not assignable to parameter of type 'string'
    map.pipe(WeakValueMap.remove(1))
  })
})

describe("set", () => {
  it("gives the map, whose types stay", () => {
    expect(WeakValueMap.set(map, "key", dog)).type.toBe<Animals>()
    expect(map.pipe(WeakValueMap.set("key", dog))).type.toBe<Animals>()
    expect(pipe(map, WeakValueMap.set("key", dog), WeakValueMap.set("key", animal))).type.toBe<Animals>()
    expect(pipe(byLetter, WeakValueMap.set("a", dog))).type.toBe<WeakValueMap.WeakValueMap<"a" | "b", Animal>>()
    const set = WeakValueMap.set("key", dog)
    expect(set(dogs)).type.toBe<WeakValueMap.WeakValueMap<string, Dog>>()
  })

  it("takes no other key and no other value", () => {
    expect(WeakValueMap.set).type.not.toBeCallableWith(dogs, "key", animal)
    expect(WeakValueMap.set).type.not.toBeCallableWith(map, 1, animal)
    expect(WeakValueMap.set).type.not.toBeCallableWith(map, "key", "text")
    expect(WeakValueMap.set).type.not.toBeCallableWith("key", "text")
    // @ts-expect-error is not assignable to parameter of type 'Dog'
    dogs.pipe(WeakValueMap.set("key", animal))
    // @ts-expect-error Argument of type 'number' is not assignable to parameter of type 'string'
    map.pipe(WeakValueMap.set(1, dog))
  })
})

describe("getOrSet, modify and modifyAt", () => {
  it("infer data first and last", () => {
    expect(WeakValueMap.getOrSet(map, "key", () => dog)).type.toBe<Animal>()
    expect(map.pipe(WeakValueMap.getOrSet("key", () => dog))).type.toBe<Animal>()
    expect(WeakValueMap.modify(map, "key", ({ name }) => ({ name }))).type.toBe<Animals>()
    expect(map.pipe(WeakValueMap.modify("key", ({ name }) => ({ name })))).type.toBe<Animals>()
    expect(WeakValueMap.modifyAt(map, "key", Option.map(({ name }) => ({ name })))).type.toBe<Animals>()
    expect(map.pipe(WeakValueMap.modifyAt("key", (value) => value))).type.toBe<Animals>()
    WeakValueMap.modifyAt(map, "key", (value) => (expect(value).type.toBe<Option.Option<Animal>>(), value))
  })

  it("take no other key and no other value", () => {
    expect(WeakValueMap.getOrSet).type.not.toBeCallableWith(map, "key", () => "text")
    expect(WeakValueMap.getOrSet).type.not.toBeCallableWith(dogs, "key", () => animal)
    expect(WeakValueMap.modify).type.not.toBeCallableWith(dogs, "key", () => animal)
    expect(WeakValueMap.modifyAt).type.not.toBeCallableWith(map, "key", () => animal)
    // @ts-expect-error Type 'string' is not assignable to type 'Animal'
    map.pipe(WeakValueMap.getOrSet("key", () => "text"))
  })
})

describe("setAll and union", () => {
  it("infer data first and last", () => {
    expect(WeakValueMap.setAll(map, [["key", dog]])).type.toBe<Animals>()
    expect(map.pipe(WeakValueMap.setAll([["key", dog]]))).type.toBe<Animals>()
    expect(map.pipe(WeakValueMap.setAll(dogs))).type.toBe<Animals>()
    expect(WeakValueMap.union(map, map)).type.toBe<Animals>()
    expect(map.pipe(WeakValueMap.union(map))).type.toBe<Animals>()
  })

  it("take no other entries", () => {
    expect(WeakValueMap.setAll).type.not.toBeCallableWith(dogs, [["key", animal]])
    expect(WeakValueMap.setAll).type.not.toBeCallableWith(map, [["key", "text"]])
    expect(WeakValueMap.union).type.not.toBeCallableWith(map, dogs)
    expect(WeakValueMap.union).type.not.toBeCallableWith(map, new Map([["key", dog]]))
  })
})

describe("copies", () => {
  it("have other keys where copyWith makes them", () => {
    expect(WeakValueMap.copy(map)).type.toBe<Animals>()
    expect(WeakValueMap.copyWith(map, (key) => key.length)).type.toBe<WeakValueMap.WeakValueMap<number, Animal>>()
    expect(map.pipe(WeakValueMap.copyWith((key) => [key]))).type.toBe<
      WeakValueMap.WeakValueMap<Array<string>, Animal>
    >()
    expect(WeakValueMap.copyWith).type.not.toBeCallableWith(map, (key: number) => key)
  })
})

describe("iteration", () => {
  it("gives keys, values, entries and references", () => {
    expect(WeakValueMap.keys(map)).type.toBe<MapIterator<string>>()
    expect(WeakValueMap.values(map)).type.toBe<MapIterator<Animal>>()
    expect(WeakValueMap.entries(map)).type.toBe<MapIterator<[string, Animal]>>()
    expect(WeakValueMap.valueRefs(map)).type.toBe<MapIterator<WeakRef.KeyedRef<string, Animal>>>()
    expect(map.pipe(WeakValueMap.valueRefs)).type.toBe<MapIterator<WeakRef.KeyedRef<string, Animal>>>()
    expect([...WeakValueMap.values(map)]).type.toBe<Array<Animal>>()
  })

  it("forEach gives value and key", () => {
    WeakValueMap.forEach(map, (value, key) => {
      expect(value).type.toBe<Animal>()
      expect(key).type.toBe<string>()
    })
    map.pipe(WeakValueMap.forEach((value, key) => {
      expect(value).type.toBe<Animal>()
      expect(key).type.toBe<string>()
    }))
    expect(WeakValueMap.forEach(map, () => 1)).type.toBe<void>()
  })
})

describe("sizes, clear and equals", () => {
  it("infer data first and last", () => {
    expect(WeakValueMap.size(map)).type.toBe<number>()
    expect(WeakValueMap.count(map)).type.toBe<number>()
    expect(WeakValueMap.isEmpty(map)).type.toBe<boolean>()
    expect(WeakValueMap.clear(map)).type.toBe<Animals>()
    expect(WeakValueMap.equals(map, map)).type.toBe<boolean>()
    expect(map.pipe(WeakValueMap.equals(map))).type.toBe<boolean>()
    expect(WeakValueMap.equals).type.not.toBeCallableWith(map, dogs)
  })

  it("exports the type of its options", () => {
    const options: WeakValueMap.Options = { compare: "structural" }
    expect(WeakValueMap.makeUnsafe<string, Animal>).type.toBeCallableWith(options)
    expect<WeakValueMap.Options>().type.toBeAssignableFrom<{ compare: "reference" }>()
    expect<WeakValueMap.Options>().type.not.toBeAssignableFrom<{ compare: "identity" }>()
  })
})
