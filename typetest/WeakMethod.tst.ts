import { Context, Effect, type Option, pipe, type Scope } from "effect"
import { describe, expect, it } from "tstyche"
import { Heap, type WeakError, WeakMethod, type WeakRef } from "../src/index.ts"

interface Animal {
  readonly name: string
}
interface Dog extends Animal {
  bark(times: number, loud?: boolean): string
  readonly fetch: (what: string) => Promise<string>
  readonly maybe?: (n: number) => boolean
  readonly rest: (...names: ReadonlyArray<string>) => number
  over(x: number): string
  over(x: string): number
  same<T>(x: T): T
  readonly onSelf: (this: Dog) => Dog
  readonly onOther: (this: { readonly other: number }) => void
  readonly [Symbol.iterator]: () => Iterator<number>
}
class Account {
  #balance = 0
  deposit(amount: number): number {
    return this.#balance += amount
  }
}
class Service extends Context.Service<Service, string>()("Service") {}

type Failure = WeakError.NotWeakReferenceableError
type Method<Args extends ReadonlyArray<unknown>, B> = WeakMethod.WeakMethod<Dog, Args, B>

declare const dog: Dog
declare const u: unknown
declare const bark: Method<[times: number, loud?: boolean], string>
declare const failing: Effect.Effect<number, "error", Service>

function label(this: Animal, greeting: string): string {
  return `${greeting}, ${this.name}`
}

describe("WeakMethod", () => {
  it("is covariant in receiver and result, and contravariant in its arguments", () => {
    type OfAnimal<Args extends ReadonlyArray<unknown>, B> = WeakMethod.WeakMethod<Animal, Args, B>
    expect<Method<[], 1>>().type.toBeAssignableTo<OfAnimal<[], number>>()
    expect<OfAnimal<[], 1>>().type.not.toBeAssignableTo<Method<[], 1>>()
    expect<Method<[], number>>().type.not.toBeAssignableTo<Method<[], 1>>()
    expect<Method<[number], void>>().type.toBeAssignableTo<Method<[1], void>>()
    expect<Method<[1], void>>().type.not.toBeAssignableTo<Method<[number], void>>()
  })
})

describe("make by key", () => {
  it("infers receiver, arguments and result, and can fail", () => {
    expect(WeakMethod.make(dog, "bark")).type.toBe<
      Effect.Effect<Method<[times: number, loud?: boolean | undefined], string>, Failure>
    >()
    expect(WeakMethod.makeUnsafe(dog, "fetch")).type.toBe<Method<[what: string], Promise<string>>>()
    expect(WeakMethod.makeUnsafe(dog, "rest")).type.toBe<Method<ReadonlyArray<string>, number>>()
    expect(WeakMethod.makeUnsafe(dog, "onSelf")).type.toBe<Method<[], Dog>>()
    expect(WeakMethod.makeUnsafe(dog, Symbol.iterator)).type.toBe<Method<[], Iterator<number>>>()
    expect(WeakMethod.makeUnsafe(new Account(), "deposit")).type.toBe<
      WeakMethod.WeakMethod<Account, [amount: number], number>
    >()
    expect(WeakMethod.makeUnsafe(new Map([["a", 1]]), "get")).type.toBe<
      WeakMethod.WeakMethod<Map<string, number>, [key: string], number | undefined>
    >()
  })

  it("finds optional methods: that one is missing is found when it runs", () => {
    expect(WeakMethod.makeUnsafe(dog, "maybe")).type.toBe<Method<[n: number], boolean>>()
  })

  it("takes every signature of an overloaded method", () => {
    const over = WeakMethod.makeUnsafe(dog, "over")
    expect(WeakMethod.invoke(over, 1)).type.toBe<Effect.Effect<string | number, WeakError.DeadReferenceError>>()
    expect(WeakMethod.invoke(over, "text")).type.toBe<Effect.Effect<string | number, WeakError.DeadReferenceError>>()
    expect(WeakMethod.invoke).type.not.toBeCallableWith(over, true)
    expect(WeakMethod.invoke).type.not.toBeCallableWith(over)
  })

  it("makes of a generic method what TypeScript makes of it: no any", () => {
    expect(WeakMethod.makeUnsafe(dog, "same")).type.toBe<Method<[x: unknown], unknown>>()
  })

  it("finds the key of every method, optional ones included", () => {
    expect<WeakMethod.MethodKey<Dog>>().type.toBe<
      "bark" | "fetch" | "maybe" | "rest" | "over" | "same" | "onSelf" | typeof Symbol.iterator
    >()
  })

  it("keeps a result that is the receiver's own type", () => {
    interface Chained {
      self(): this
    }
    const chained = {} as Chained
    expect(WeakMethod.makeUnsafe(chained, "self")).type.toBe<WeakMethod.WeakMethod<Chained, [], Chained>>()
  })

  it("takes no other key", () => {
    expect(WeakMethod.make).type.not.toBeCallableWith(dog, "name")
    expect(WeakMethod.make).type.not.toBeCallableWith(dog, "meow")
    expect(WeakMethod.make).type.not.toBeCallableWith(dog, "onOther")
    expect(WeakMethod.make).type.not.toBeCallableWith({ name: "Ada" }, "name")
    expect(WeakMethod.make).type.not.toBeCallableWith(dog)
    expect(WeakMethod.makeUnsafe).type.not.toBeCallableWith(dog, "name")
  })

  it("takes only what can be weakly referenced", () => {
    expect(WeakMethod.make).type.not.toBeCallableWith("text", "trim")
    expect(WeakMethod.make).type.not.toBeCallableWith(1, "toFixed")
    expect(WeakMethod.make).type.not.toBeCallableWith(undefined, "bark")
    expect(WeakMethod.make).type.not.toBeCallableWith(u, "bark")
  })
})

describe("make by function", () => {
  it("infers receiver, arguments and result", () => {
    expect(WeakMethod.make(dog, label)).type.toBe<Effect.Effect<Method<[greeting: string], string>, Failure>>()
    expect(WeakMethod.makeUnsafe(dog, label)).type.toBe<Method<[greeting: string], string>>()
    expect(WeakMethod.makeUnsafe(dog, (n: number) => n)).type.toBe<Method<[n: number], number>>()
    expect(WeakMethod.makeUnsafe(dog, dog.bark)).type.toBe<
      Method<[times: number, loud?: boolean | undefined], string>
    >()
  })

  it("types this", () => {
    WeakMethod.makeUnsafe(dog, function() {
      expect(this).type.toBe<Dog>()
      return this.name
    })
    expect(WeakMethod.make).type.not.toBeCallableWith({ id: 1 }, label)
    expect(WeakMethod.make).type.not.toBeCallableWith(dog, dog.onOther)
    expect(WeakMethod.make).type.not.toBeCallableWith(dog, {})
  })

  it("refuses a function of another this", () => {
    expect(WeakMethod.makeUnsafe).type.not.toBeCallableWith(dog, function(this: Date) {})
  })

  it("takes a heap if it is synchronous", () => {
    expect(WeakMethod.makeUnsafe).type.toBeCallableWith(dog, "bark", Heap.Heap.defaultValue())
    expect(WeakMethod.makeUnsafe).type.toBeCallableWith(dog, label, Heap.Heap.defaultValue())
    expect(WeakMethod.makeUnsafe).type.not.toBeCallableWith(dog, "bark", { WeakMap })
    expect(WeakMethod.make).type.not.toBeCallableWith(dog, "bark", Heap.Heap.defaultValue())
  })
})

describe("isWeakMethod", () => {
  it("narrows", () => {
    if (WeakMethod.isWeakMethod(u)) expect(u).type.toBe<WeakMethod.WeakMethod<WeakKey, never, unknown>>()
    const value = u as string | typeof bark
    if (WeakMethod.isWeakMethod(value)) expect(value).type.toBe<typeof bark>()
    else expect(value).type.toBe<string>()
  })
})

describe("deref and invoke", () => {
  it("give the method without its receiver, and its result", () => {
    expect(WeakMethod.deref(bark)).type.toBe<Option.Option<(times: number, loud?: boolean) => string>>()
    expect(pipe(bark, WeakMethod.deref)).type.toBe<Option.Option<(times: number, loud?: boolean) => string>>()
    expect(WeakMethod.invoke(bark, 1)).type.toBe<Effect.Effect<string, WeakError.DeadReferenceError>>()
    expect(WeakMethod.invoke(bark, 1, true)).type.toBe<Effect.Effect<string, WeakError.DeadReferenceError>>()
    expect(WeakMethod.isAlive(bark)).type.toBe<boolean>()
  })

  it("invoke takes the method's arguments", () => {
    expect(WeakMethod.invoke).type.not.toBeCallableWith(bark)
    expect(WeakMethod.invoke).type.not.toBeCallableWith(bark, "once")
    expect(WeakMethod.invoke).type.not.toBeCallableWith(bark, 1, true, 2)
    expect(WeakMethod.invoke).type.not.toBeCallableWith(dog.bark, 1)
  })
})

describe("onCollect", () => {
  it("never fails, and requires a Scope and what the callback requires", () => {
    type Registered = Effect.Effect<WeakRef.Callback, never, Service | Scope.Scope>
    expect(WeakMethod.onCollect(bark, () => failing)).type.toBe<Registered>()
    expect(pipe(bark, WeakMethod.onCollect(() => failing))).type.toBe<Registered>()
    expect(bark.pipe(WeakMethod.onCollect(() => failing))).type.toBe<Registered>()
    WeakMethod.onCollect(bark, (dead) => Effect.succeed(expect(dead).type.toBe<typeof bark>()))
    expect(WeakMethod.onCollect).type.not.toBeCallableWith(bark, () => 1)
  })
})

describe("equals", () => {
  it("compares any two methods", () => {
    expect(WeakMethod.equals(bark, WeakMethod.makeUnsafe(dog, label))).type.toBe<boolean>()
    expect(bark.pipe(WeakMethod.equals(bark))).type.toBe<boolean>()
    expect(WeakMethod.equals).type.not.toBeCallableWith(bark, dog.bark)
  })
})
