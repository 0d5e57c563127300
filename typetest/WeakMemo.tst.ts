import type { Effect } from "effect"
import { describe, expect, it } from "tstyche"
import { Heap, WeakMemo } from "../src/index.ts"

interface Animal {
  readonly name: string
}

declare const animal: Animal
declare const generic: <A extends object>(a: A, n: number) => { readonly a: A }
declare const overloaded: {
  (a: string): string
  (a: number): number
}
declare const withProperties: ((a: Animal) => string) & { readonly version: 1 }

describe("memoize", () => {
  it("returns the type of the function", () => {
    expect(WeakMemo.memoize((a: Animal, n?: number) => `${a.name}${n}`)).type.toBe<(a: Animal, n?: number) => string>()
    const memo = WeakMemo.memoize(generic)
    expect(memo).type.toBe<typeof generic>()
    expect(WeakMemo.memoize(generic)(animal, 1)).type.toBe<{ readonly a: Animal }>()
    expect(WeakMemo.memoize(overloaded)).type.toBe<typeof overloaded>()
    expect(WeakMemo.memoize(overloaded)("text")).type.toBe<string>()
    expect(WeakMemo.memoize(withProperties).version).type.toBe<1>()
  })

  it("accepts functions only, a capacity, and a heap", () => {
    const f = (a: Animal) => a.name
    expect(WeakMemo.memoize).type.toBeCallableWith(f, { capacity: 10 })
    expect(WeakMemo.memoize).type.toBeCallableWith(f, { capacity: undefined })
    expect(WeakMemo.memoize).type.toBeCallableWith(f, undefined, Heap.Heap.defaultValue())
    expect(WeakMemo.memoize).type.not.toBeCallableWith(f, { capacity: "10" })
    expect(WeakMemo.memoize).type.not.toBeCallableWith(f, { size: 10 })
    expect(WeakMemo.memoize).type.not.toBeCallableWith(animal)
    expect(WeakMemo.memoize).type.not.toBeCallableWith(Date.prototype)
  })

  it("rejects a function that needs this, and accepts one that accepts any", () => {
    expect(WeakMemo.memoize).type.not.toBeCallableWith(function(this: Animal) {
      return this.name
    })
    expect(WeakMemo.make).type.not.toBeCallableWith(function(this: Animal) {
      return this.name
    })
    expect(WeakMemo.memoize).type.toBeCallableWith(function(this: unknown, a: Animal) {
      return a.name
    })
  })
})

describe("make and makeFamily", () => {
  it("succeed with the function that the synchronous form returns", () => {
    expect(WeakMemo.make(generic, { capacity: 1 })).type.toBe<Effect.Effect<typeof generic>>()
    expect(WeakMemo.makeFamily((id: number) => ({ id }))).type.toBe<Effect.Effect<(key: number) => { id: number }>>()
  })
})

describe("clear and forget", () => {
  it("accept functions, and the arguments of the function", () => {
    const memo = WeakMemo.memoize((a: Animal, n: number) => `${a.name}${n}`)
    expect(WeakMemo.clear(memo)).type.toBe<void>()
    expect(WeakMemo.forget(memo, animal, 1)).type.toBe<boolean>()
    expect(WeakMemo.forget(WeakMemo.family((id: number) => ({ id })), 1)).type.toBe<boolean>()
    expect(WeakMemo.forget).type.not.toBeCallableWith(memo, animal)
    expect(WeakMemo.forget).type.not.toBeCallableWith(memo, 1, animal)
    expect(WeakMemo.clear).type.not.toBeCallableWith(animal)
  })
})

describe("family", () => {
  it("returns a function of the key to the instance", () => {
    expect(WeakMemo.family((id: number) => ({ id }))).type.toBe<(key: number) => { id: number }>()
    expect(WeakMemo.family((a: Animal) => [a])).type.toBe<(key: Animal) => Array<Animal>>()
    expect(WeakMemo.family((id: number) => ({ id }), Heap.Heap.defaultValue())).type.toBeCallableWith(1)
  })

  it("accepts functions of one key that return an object", () => {
    expect(WeakMemo.family).type.not.toBeCallableWith((id: number) => String(id))
    expect(WeakMemo.family).type.not.toBeCallableWith((_a: number, _b: number) => ({}))
  })
})
