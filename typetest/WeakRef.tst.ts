import { Context, Effect, type Equal, type Hash, Option, pipe, type Pipeable, type Scope } from "effect"
import { describe, expect, it } from "tstyche"
import { Heap, type WeakError, WeakRef } from "../src/index.ts"
import type { WeakProxy } from "../src/WeakProxy.ts"

interface Animal {
  readonly name: string
}
interface Dog extends Animal {
  bark(): string
}
class Service extends Context.Service<Service, string>()("Service") {}

declare const animal: Animal
declare const heap: Heap.Heap
declare const dog: Dog
declare const u: unknown
declare const ref: WeakRef.WeakRef<Animal>
declare const dogRef: WeakRef.WeakRef<Dog>
declare const keyed: WeakRef.KeyedRef<string, Dog>
declare const extended: WeakRef.WeakRef<Dog, readonly [Dog, number]>
declare const failing: Effect.Effect<number, "error", Service>

describe("WeakRef", () => {
  it("is covariant in its referent and in what it gives", () => {
    expect<WeakRef.WeakRef<Dog>>().type.toBeAssignableTo<WeakRef.WeakRef<Animal>>()
    expect<WeakRef.WeakRef<Animal>>().type.not.toBeAssignableTo<WeakRef.WeakRef<Dog>>()
    expect<WeakRef.WeakRef<Dog, 1>>().type.toBeAssignableTo<WeakRef.WeakRef<Animal, number>>()
    expect<WeakRef.WeakRef<Dog, number>>().type.not.toBeAssignableTo<WeakRef.WeakRef<Dog, 1>>()
    expect<WeakRef.WeakRef<Dog>>().type.toBe<WeakRef.WeakRef<Dog, Dog>>()
  })

  it("is nothing but what it says", () => {
    expect(ref).type.toBeAssignableTo<Equal.Equal & Hash.Hash & Pipeable.Pipeable>()
    expect(ref).type.not.toBeAssignableTo<globalThis.WeakRef<Animal>>()
    expect<globalThis.WeakRef<Animal>>().type.not.toBeAssignableTo<WeakRef.WeakRef<Animal>>()
  })

  it("has only objects, functions and symbols as referents", () => {
    expect<WeakRef.WeakRef<symbol>>().type.toBeAssignableTo<WeakRef.WeakRef<WeakKey>>()
    expect<WeakRef.WeakRef<() => void>>().type.toBeAssignableTo<WeakRef.WeakRef<WeakKey>>()
  })
})

describe("make", () => {
  it("infers the referent, and can fail", () => {
    expect(WeakRef.make(dog)).type.toBe<Effect.Effect<WeakRef.WeakRef<Dog>, WeakError.NotWeakReferenceableError>>()
    expect(pipe(dog, WeakRef.make)).type.toBe<
      Effect.Effect<WeakRef.WeakRef<Dog>, WeakError.NotWeakReferenceableError>
    >()
    expect(WeakRef.makeUnsafe(dog)).type.toBe<WeakRef.WeakRef<Dog>>()
  })

  it("takes what can be weakly referenced", () => {
    for (const make of [WeakRef.make, WeakRef.makeUnsafe]) {
      expect(make).type.toBeCallableWith({})
      expect(make).type.toBeCallableWith([1])
      expect(make).type.toBeCallableWith(() => 1)
      expect(make).type.toBeCallableWith(class extends Map {})
      expect(make).type.toBeCallableWith(Symbol("mine"))
      // A type cannot tell that a symbol is registered: that is found when it runs.
      expect(make).type.toBeCallableWith(Symbol.for("everybody's"))
    }
  })

  it("takes nothing else", () => {
    for (const make of [WeakRef.make, WeakRef.makeUnsafe]) {
      expect(make).type.not.toBeCallableWith("text")
      expect(make).type.not.toBeCallableWith(1)
      expect(make).type.not.toBeCallableWith(1n)
      expect(make).type.not.toBeCallableWith(true)
      expect(make).type.not.toBeCallableWith(null)
      expect(make).type.not.toBeCallableWith(undefined)
      expect(make).type.not.toBeCallableWith(u)
      expect(make).type.not.toBeCallableWith(dog as Dog | string)
      expect(make).type.not.toBeCallableWith(dog as Dog | undefined)
    }
  })

  it("takes a heap where it is synchronous", () => {
    expect(WeakRef.makeUnsafe).type.toBeCallableWith(dog, Heap.Heap.defaultValue())
    expect(WeakRef.makeUnsafe).type.not.toBeCallableWith(dog, { WeakMap })
    expect(WeakRef.make).type.not.toBeCallableWith(dog, Heap.Heap.defaultValue())
  })
})

describe("isWeakRef", () => {
  it("narrows", () => {
    if (WeakRef.isWeakRef(u)) expect(u).type.toBe<WeakRef.WeakRef<WeakKey, unknown>>()
    const value = u as string | WeakRef.WeakRef<Dog>
    if (WeakRef.isWeakRef(value)) expect(value).type.toBe<WeakRef.WeakRef<Dog>>()
    else expect(value).type.toBe<string>()
  })
})

describe("getters", () => {
  it("deref gives an Option", () => {
    expect(WeakRef.deref(dogRef)).type.toBe<Option.Option<Dog>>()
    expect(dogRef.pipe(WeakRef.deref)).type.toBe<Option.Option<Dog>>()
    expect([dogRef].map(WeakRef.deref)).type.toBe<Array<Option.Option<Dog>>>()
    expect(WeakRef.deref(extended)).type.toBe<Option.Option<readonly [Dog, number]>>()
    expect(WeakRef.deref(keyed)).type.toBe<Option.Option<Dog>>()
  })

  it("isAlive takes any reference", () => {
    expect(WeakRef.isAlive(extended)).type.toBe<boolean>()
    expect([dogRef, extended, keyed].map(WeakRef.isAlive)).type.toBe<Array<boolean>>()
    expect(WeakRef.isAlive).type.not.toBeCallableWith(dog)
    expect(WeakRef.isAlive).type.not.toBeCallableWith(new globalThis.WeakRef(dog))
  })

  it("get fails where the referent is dead", () => {
    expect(WeakRef.get(dogRef)).type.toBe<Effect.Effect<Dog, WeakError.DeadReferenceError>>()
    expect(keyed.pipe(WeakRef.get)).type.toBe<Effect.Effect<Dog, WeakError.DeadReferenceError>>()
    expect(WeakRef.get(extended)).type.toBe<Effect.Effect<readonly [Dog, number], WeakError.DeadReferenceError>>()
  })
})

describe("use", () => {
  it("keeps the errors and requirements of the effect, data first and last", () => {
    type Used = Effect.Effect<number, "error" | WeakError.DeadReferenceError, Service>
    expect(WeakRef.use(dogRef, () => failing)).type.toBe<Used>()
    expect(dogRef.pipe(WeakRef.use(() => failing))).type.toBe<Used>()
    expect(pipe(keyed, WeakRef.use(() => failing))).type.toBe<Used>()
    expect(keyed.pipe(WeakRef.use(() => failing))).type.toBe<Used>()
  })

  it("infers the referent", () => {
    WeakRef.use(dogRef, (dog) => Effect.succeed(expect(dog).type.toBe<Dog>()))
    pipe(dogRef, WeakRef.use((dog) => Effect.succeed(expect(dog).type.toBe<Dog>())))
    pipe(extended, WeakRef.use((pair) => Effect.succeed(expect(pair).type.toBe<readonly [Dog, number]>())))
    Effect.flatMap(WeakRef.make(dog), WeakRef.use((dog) => Effect.succeed(expect(dog).type.toBe<Dog>())))
  })

  it("takes a function of the referent that gives an effect", () => {
    expect(WeakRef.use).type.toBeCallableWith(dogRef, (animal: Animal) => Effect.succeed(animal.name))
    expect(WeakRef.use).type.not.toBeCallableWith(ref, (dog: Dog) => Effect.succeed(dog.bark()))
    expect(WeakRef.use).type.not.toBeCallableWith(ref, (animal: Animal) => animal.name)
  })
})

describe("pin", () => {
  it("requires a Scope", () => {
    expect(WeakRef.pin(dogRef)).type.toBe<Effect.Effect<Dog, WeakError.DeadReferenceError, Scope.Scope>>()
    expect(dogRef.pipe(WeakRef.pin)).type.toBe<Effect.Effect<Dog, WeakError.DeadReferenceError, Scope.Scope>>()
    expect(Effect.scoped(WeakRef.pin(dogRef))).type.toBe<Effect.Effect<Dog, WeakError.DeadReferenceError>>()
  })
})

describe("onCollect with an owner", () => {
  it("passes the owner, and then the reference", () => {
    const owner = { name: "owner" }
    const registered = WeakRef.onCollect(dogRef, (owner, ref) => {
      expect(owner).type.toBe<{ name: string }>()
      expect(ref).type.toBe<WeakRef.WeakRef<Dog>>()
      return failing
    }, { owner })
    expect(registered).type.toBe<Effect.Effect<WeakRef.Callback, never, Service | Scope.Scope>>()
    expect(WeakRef.onCollect).type.not.toBeCallableWith(dogRef, () => Effect.void, { owner: "text" })
    expect(WeakRef.onCollect).type.not.toBeCallableWith(dogRef, (owner: Dog) => Effect.succeed(owner), { owner })
  })
})

describe("cancel, refersTo and holdWhile", () => {
  it("infer their results in both forms", () => {
    expect(WeakRef.cancel).type.toBeCallableWith({} as WeakRef.Callback)
    expect(WeakRef.cancel).type.not.toBeCallableWith(dogRef)
    expect(WeakRef.cancel({} as WeakRef.Callback)).type.toBe<Effect.Effect<boolean>>()
    expect(WeakRef.refersTo(dogRef, u)).type.toBe<boolean>()
    expect(dogRef.pipe(WeakRef.refersTo(dog))).type.toBe<boolean>()
    expect(WeakRef.holdWhile(failing, dog)).type.toBe<typeof failing>()
    expect(failing.pipe(WeakRef.holdWhile(dog))).type.toBe<typeof failing>()
    expect(WeakRef.holdWhile).type.not.toBeCallableWith(dog, failing)
  })
})

describe("onCollect", () => {
  it("never fails, and requires a Scope and what the callback requires", () => {
    type Registered = Effect.Effect<WeakRef.Callback, never, Service | Scope.Scope>
    expect(WeakRef.onCollect(dogRef, () => failing)).type.toBe<Registered>()
    expect(dogRef.pipe(WeakRef.onCollect(() => failing))).type.toBe<Registered>()
    expect(WeakRef.onCollect(dogRef, () => Effect.void)).type.toBe<
      Effect.Effect<WeakRef.Callback, never, Scope.Scope>
    >()
  })

  it("gives the callback the very reference, subclass and all", () => {
    WeakRef.onCollect(dogRef, (ref) => Effect.succeed(expect(ref).type.toBe<WeakRef.WeakRef<Dog>>()))
    WeakRef.onCollect(keyed, ({ key }) => Effect.succeed(expect(key).type.toBe<string>()))
    keyed.pipe(WeakRef.onCollect(({ key }) => Effect.succeed(expect(key).type.toBe<string>())))
    Effect.flatMap(
      WeakRef.make(dog),
      WeakRef.onCollect((ref) => Effect.succeed(expect(ref).type.toBe<WeakRef.WeakRef<Dog>>()))
    )
  })

  it("takes a callback that gives an effect", () => {
    expect(WeakRef.onCollect).type.not.toBeCallableWith(dogRef, () => 1)
    expect(WeakRef.onCollect).type.not.toBeCallableWith(dogRef, Effect.void)
    expect(WeakRef.onCollect).type.not.toBeCallableWith(dog, () => Effect.void)
  })
})

describe("equals", () => {
  it("compares any two references", () => {
    expect(WeakRef.equals(dogRef, extended)).type.toBe<boolean>()
    expect(dogRef.pipe(WeakRef.equals(ref))).type.toBe<boolean>()
    expect(WeakRef.equals).type.not.toBeCallableWith(dogRef, dog)
  })
})

describe("count and all", () => {
  it("neither fail nor require anything", () => {
    expect(WeakRef.count(dog)).type.toBe<Effect.Effect<number>>()
    expect(WeakRef.all(dog)).type.toBe<
      Effect.Effect<ReadonlyArray<WeakRef.WeakRef<Dog> | WeakProxy<Dog>>>
    >()
    expect(WeakRef.count).type.not.toBeCallableWith("text")
    expect(WeakRef.all).type.not.toBeCallableWith("text")
  })

  it("a symbol has no proxies", () => {
    expect(WeakRef.all(Symbol("mine"))).type.toBeAssignableTo<
      Effect.Effect<ReadonlyArray<WeakRef.WeakRef<symbol> | WeakProxy<never>>>
    >()
  })
})

describe("Class", () => {
  class ExtendedRef<A extends WeakKey> extends WeakRef.Class<A, readonly [A, number]> {
    private counter = 0
    override deref() {
      return Option.map(this.referent(), (referent) => [referent, ++this.counter] as const)
    }
  }

  class Annotated<A extends WeakKey> extends WeakRef.Class<A> {
    readonly note: string
    constructor(target: A, note: string, heap?: Heap.Heap) {
      super(target, heap)
      this.note = note
    }
  }

  it("makes subclasses that are references", () => {
    const ref = new ExtendedRef(dog)
    expect(ref).type.toBe<ExtendedRef<Dog>>()
    expect(ref).type.toBeAssignableTo<WeakRef.WeakRef<Dog, readonly [Dog, number]>>()
    expect(ref).type.not.toBeAssignableTo<WeakRef.WeakRef<Dog>>()
    expect(ref.deref()).type.toBe<Option.Option<readonly [Dog, number]>>()
    expect(WeakRef.deref(ref)).type.toBe<Option.Option<readonly [Dog, number]>>()
    expect(ref.pipe(WeakRef.deref)).type.toBe<Option.Option<readonly [Dog, number]>>()
    expect(WeakRef.get(ref)).type.toBe<Effect.Effect<readonly [Dog, number], WeakError.DeadReferenceError>>()
    expect(WeakRef.onCollect(new Annotated(dog, "note"), ({ note }) => Effect.succeed(note))).type.toBe<
      Effect.Effect<WeakRef.Callback, never, Scope.Scope>
    >()
  })

  it("gives the referent itself where no second type says otherwise", () => {
    expect(new Annotated(dog, "note").deref()).type.toBe<Option.Option<Dog>>()
    expect(new WeakRef.Class(dog)).type.toBeAssignableTo<WeakRef.WeakRef<Dog>>()
  })

  it("takes only what can be weakly referenced", () => {
    expect(WeakRef.Class).type.not.toBeConstructableWith("text")
    expect(WeakRef.Class).type.not.toBeConstructableWith(undefined)
    expect(Annotated).type.not.toBeConstructableWith(1, "note")
  })

  it("does not let a subclass give something else than it says", () => {
    class Wrong extends WeakRef.Class<Dog, number> {
      // @ts-expect-error Property 'deref' in type 'Wrong' is not assignable to the same property in base type
      override deref() {
        return Option.some("text")
      }
    }
    expect(Wrong).type.toBeConstructableWith(dog)
  })

  it("demands a deref of a subclass that dereferences to something else", () => {
    // @ts-expect-error Non-abstract class 'Bad<A>' does not implement inherited abstract member deref
    class Bad<A extends WeakKey> extends WeakRef.Class<A, string> {}
    // @ts-expect-error Non-abstract class 'BadOfDog' does not implement inherited abstract member deref
    class BadOfDog extends WeakRef.Class<Dog, string> {}
    abstract class Later<A extends WeakKey> extends WeakRef.Class<A, string> {}
    class Done<A extends WeakKey> extends Later<A> {
      override deref() {
        return Option.some("text")
      }
    }
    class Plain<A extends WeakKey> extends WeakRef.Class<A> {}
    class PlainOfDog extends WeakRef.Class<Dog> {}

    expect(new Bad(dog).deref()).type.toBe<Option.Option<string>>()
    expect(BadOfDog).type.toBeConstructableWith(dog)
    expect(new Done(dog)).type.toBeAssignableTo<WeakRef.WeakRef<Dog, string>>()
    expect(new Plain(dog).deref()).type.toBe<Option.Option<Dog>>()
    expect(new PlainOfDog(dog).deref()).type.toBe<Option.Option<Dog>>()
  })

  it("is a type too", () => {
    expect(new ExtendedRef(dog)).type.toBeAssignableTo<WeakRef.Class<Dog, readonly [Dog, number]>>()
    expect(new Annotated(dog, "note")).type.toBeAssignableTo<WeakRef.Class<Dog>>()
    expect(new WeakRef.Class(dog)).type.toBeAssignableTo<WeakRef.Class<Animal>>()
  })

  it("keeps the referent to its subclasses", () => {
    expect<keyof ExtendedRef<Dog>>().type.not.toBeAssignableFrom<"referent">()
  })
})

describe("KeyedRef", () => {
  it("infers key and referent", () => {
    const ref = new WeakRef.KeyedRef({ id: 1 }, dog)
    expect(ref).type.toBe<WeakRef.KeyedRef<{ id: number }, Dog>>()
    expect(ref.key).type.toBe<{ id: number }>()
    expect(WeakRef.deref(ref)).type.toBe<Option.Option<Dog>>()
  })

  it("is covariant in both", () => {
    expect<WeakRef.KeyedRef<"key", Dog>>().type.toBeAssignableTo<WeakRef.KeyedRef<string, Animal>>()
    expect<WeakRef.KeyedRef<string, Dog>>().type.not.toBeAssignableTo<WeakRef.KeyedRef<"key", Dog>>()
    expect<WeakRef.KeyedRef<"key", Animal>>().type.not.toBeAssignableTo<WeakRef.KeyedRef<"key", Dog>>()
    expect<WeakRef.KeyedRef<"key", Dog>>().type.toBeAssignableTo<WeakRef.WeakRef<Animal>>()
  })

  it("does not let its key be changed", () => {
    // @ts-expect-error Cannot assign to 'key' because it is a read-only property.
    keyed.key = "other"
  })

  it("takes only what can be weakly referenced", () => {
    expect(WeakRef.KeyedRef).type.toBeConstructableWith("key", animal)
    expect(WeakRef.KeyedRef).type.not.toBeConstructableWith("key", "text")
    expect(WeakRef.KeyedRef).type.not.toBeConstructableWith("key")
  })
})

describe("keepAlive", () => {
  type Kept = Effect.Effect<void, WeakError.NotWeakReferenceableError>

  it("takes an owner and anything, data first and last", () => {
    expect(WeakRef.keepAlive(dog, animal)).type.toBe<Kept>()
    expect(pipe(dog, WeakRef.keepAlive(animal))).type.toBe<Kept>()
    expect(WeakRef.keepAlive).type.toBeCallableWith(Symbol("mine"), 1)
    expect(WeakRef.keepAlive).type.not.toBeCallableWith("text", dog)
  })

  it("has a synchronous form", () => {
    expect(WeakRef.keepAliveUnsafe(dog, animal)).type.toBe<void>()
    expect(WeakRef.keepAliveUnsafe).type.toBeCallableWith(dog, animal, heap)
    expect(WeakRef.keepAliveUnsafe).type.not.toBeCallableWith("text", dog)
  })
})
