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
