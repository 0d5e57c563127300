import { Context, Effect, type Option, pipe, type Scope } from "effect"
import { describe, expect, it } from "tstyche"
import { Heap, type WeakError, WeakProxy, WeakRef } from "../src/index.ts"

interface Animal {
  readonly name: string
}
interface Dog extends Animal {
  age: number
  bark(times: number): string
}
class Account {
  #balance = 0
  deposit(amount: number): this {
    this.#balance += amount
    return this
  }
  balance(): number {
    return this.#balance
  }
}
class Service extends Context.Service<Service, string>()("Service") {}

declare const animal: Animal
declare const dog: Dog
declare const u: unknown
declare const proxy: WeakProxy.WeakProxy<Dog>
declare const failing: Effect.Effect<number, "error", Service>

describe("WeakProxy", () => {
  it("is usable wherever its referent is, without any", () => {
    expect(proxy).type.toBeAssignableTo<Dog>()
    expect(proxy.name).type.toBe<string>()
    expect(proxy.bark(1)).type.toBe<string>()
    expect(proxy.bark).type.not.toBeCallableWith("once")
    expect(proxy).type.not.toHaveProperty("meow")
    expect<WeakProxy.WeakProxy<Account>>().type.toBeAssignableTo<Account>()
    expect(WeakProxy.makeUnsafe(new Account()).deposit(1)).type.toBeAssignableTo<Account>()
  })

  it("reads and writes as its referent does", () => {
    proxy.age = 1
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    proxy.age = "one"
    // @ts-expect-error Cannot assign to 'name' because it is a read-only property
    proxy.name = "Rex"
  })

  it("is callable, constructable and iterable where its referent is", () => {
    expect(WeakProxy.makeUnsafe((n: number) => String(n))(1)).type.toBe<string>()
    const Proxied = WeakProxy.makeUnsafe(Account)
    expect(new Proxied()).type.toBe<Account>()
    expect([...WeakProxy.makeUnsafe([1, 2])]).type.toBe<Array<number>>()
    expect(WeakProxy.makeUnsafe(new Map([["a", 1]])).get("a")).type.toBe<number | undefined>()
    expect(WeakProxy.makeUnsafe({})).type.not.toBeAssignableTo<() => unknown>()
  })

  it("is not the type of an object that is not a proxy", () => {
    expect(dog).type.not.toBeAssignableTo<WeakProxy.WeakProxy<Dog>>()
    expect(WeakProxy.deref).type.not.toBeCallableWith(dog)
    expect(WeakProxy.use).type.not.toBeCallableWith(dog, () => Effect.void)
    expect(WeakProxy.onCollect).type.not.toBeCallableWith(dog, () => Effect.void)
    expect(WeakRef.deref).type.not.toBeCallableWith(proxy)
  })

  it("is not the type of a spread copy", () => {
    const copy = { ...proxy }
    expect(copy).type.toBeAssignableTo<Dog>()
    expect(copy.age).type.toBe<number>()
    expect(copy).type.not.toBeAssignableTo<WeakProxy.WeakProxy<Dog>>()
    expect(WeakProxy.deref).type.not.toBeCallableWith(copy)
    expect(WeakProxy.deref).type.not.toBeCallableWith({ ...proxy, age: 2 })
    const { age: _, ...rest } = proxy
    expect(WeakProxy.deref).type.not.toBeCallableWith(rest)
    expect(WeakProxy.deref).type.not.toBeCallableWith({ ...WeakProxy.makeUnsafe({ a: 1 }) })
  })

  it("is assignable to a Record if its referent is", () => {
    expect(WeakProxy.makeUnsafe({ a: 1 })).type.toBeAssignableTo<Record<string, number>>()
    expect(WeakProxy.makeUnsafe({ a: 1 })).type.not.toBeAssignableTo<Record<string, string>>()
    expect(WeakProxy.makeUnsafe(Object.freeze({ a: 1 }))).type.toBeAssignableTo<Record<string, unknown>>()
  })

  it("is listed among the references of its referent", () => {
    expect(WeakRef.all(dog)).type.toBe<
      Effect.Effect<ReadonlyArray<WeakRef.WeakRef<Dog> | WeakProxy.WeakProxy<Dog>>>
    >()
  })

  it("is covariant", () => {
    expect<WeakProxy.WeakProxy<Dog>>().type.toBeAssignableTo<WeakProxy.WeakProxy<Animal>>()
    expect<WeakProxy.WeakProxy<Animal>>().type.not.toBeAssignableTo<WeakProxy.WeakProxy<Dog>>()
  })
})

describe("make", () => {
  it("infers the referent, and can fail", () => {
    expect(WeakProxy.make(dog)).type.toBe<
      Effect.Effect<WeakProxy.WeakProxy<Dog>, WeakError.NotWeakReferenceableError>
    >()
    expect(pipe(dog, WeakProxy.make)).type.toBe<
      Effect.Effect<WeakProxy.WeakProxy<Dog>, WeakError.NotWeakReferenceableError>
    >()
    expect(WeakProxy.makeUnsafe(dog)).type.toBe<WeakProxy.WeakProxy<Dog>>()
  })

  it("accepts objects and functions only", () => {
    expect(WeakProxy.make).type.toBeCallableWith({})
    expect(WeakProxy.make).type.toBeCallableWith([])
    expect(WeakProxy.make).type.toBeCallableWith(() => 1)
    expect(WeakProxy.make).type.toBeCallableWith(Account)
    expect(WeakProxy.make).type.toBeCallableWith(proxy)
    expect(WeakProxy.make).type.not.toBeCallableWith("text")
    expect(WeakProxy.make).type.not.toBeCallableWith(1)
    expect(WeakProxy.make).type.not.toBeCallableWith(Symbol("mine"))
    expect(WeakProxy.make).type.not.toBeCallableWith(undefined)
    expect(WeakProxy.make).type.not.toBeCallableWith(null)
    expect(WeakProxy.make).type.not.toBeCallableWith(u)
    expect(WeakProxy.makeUnsafe).type.not.toBeCallableWith("text")
    expect(WeakProxy.makeUnsafe).type.not.toBeCallableWith(Symbol("mine"))
    expect(WeakProxy.makeUnsafe).type.toBeCallableWith(dog, Heap.Heap.defaultValue())
    expect(WeakProxy.makeUnsafe).type.not.toBeCallableWith(dog, { WeakMap })
  })
})

describe("isWeakProxy and isCallableWeakProxy", () => {
  it("narrow a value to a proxy", () => {
    if (WeakProxy.isWeakProxy(u)) expect(u).type.toBe<WeakProxy.WeakProxy<object>>()
    if (WeakProxy.isCallableWeakProxy(u)) {
      expect(u).type.toBe<WeakProxy.WeakProxy<(...args: ReadonlyArray<never>) => unknown>>()
    }
    const value = u as Dog | string
    if (WeakProxy.isWeakProxy(value)) {
      expect(value.bark(1)).type.toBe<string>()
      expect(WeakProxy.deref(value)).type.toBeAssignableTo<Option.Option<Dog>>()
    }
  })
})

describe("deref and use", () => {
  it("return the referent itself, not a proxy", () => {
    expect(WeakProxy.deref(proxy)).type.toBe<Option.Option<Dog>>()
    expect(WeakProxy.deref(WeakProxy.makeUnsafe([1]))).type.toBe<Option.Option<Array<number>>>()
    expect(pipe(proxy, WeakProxy.deref)).type.toBe<Option.Option<Dog>>()
    WeakProxy.use(proxy, (dog) => Effect.succeed(expect(dog).type.toBe<Dog>()))
    pipe(proxy, WeakProxy.use((dog) => Effect.succeed(expect(dog).type.toBe<Dog>())))
  })

  it("use keeps the errors and requirements of the effect, data first and last", () => {
    type Used = Effect.Effect<number, "error" | WeakError.DeadReferenceError, Service>
    expect(WeakProxy.use(proxy, () => failing)).type.toBe<Used>()
    expect(pipe(proxy, WeakProxy.use(() => failing))).type.toBe<Used>()
    expect(WeakProxy.use).type.not.toBeCallableWith(proxy, (dog: Dog) => dog.bark(1))
  })
})

describe("onCollect", () => {
  it("never fails, and requires a Scope and the callback's services", () => {
    type Registered = Effect.Effect<WeakRef.Callback, never, Service | Scope.Scope>
    expect(WeakProxy.onCollect(proxy, () => failing)).type.toBe<Registered>()
    expect(pipe(proxy, WeakProxy.onCollect(() => failing))).type.toBe<Registered>()
    WeakProxy.onCollect(proxy, (dead) => Effect.succeed(expect(dead).type.toBe<WeakProxy.WeakProxy<Dog>>()))
    expect(WeakProxy.onCollect).type.not.toBeCallableWith(proxy, () => 1)
  })
})

describe("equals", () => {
  it("compares a proxy with any object", () => {
    expect(WeakProxy.equals(proxy, proxy)).type.toBe<boolean>()
    expect(WeakProxy.equals(proxy, animal)).type.toBe<boolean>()
    expect(pipe(proxy, WeakProxy.equals(animal))).type.toBe<boolean>()
    expect(WeakProxy.equals).type.not.toBeCallableWith(animal, proxy)
    expect(WeakProxy.equals).type.not.toBeCallableWith(proxy, "text")
  })
})
