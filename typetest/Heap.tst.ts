import { type Context, Effect } from "effect"
import { describe, expect, it } from "tstyche"
import { Heap } from "../src/index.ts"

declare const u: unknown

describe("Heap", () => {
  it("has the host's own constructors", () => {
    expect({ WeakRef, WeakMap, FinalizationRegistry }).type.toBeAssignableTo<Heap.Heap>()
    expect({ WeakRef, WeakMap }).type.not.toBeAssignableTo<Heap.Heap>()
  })

  it("is a service with a default: nothing is required to read it", () => {
    expect(Heap.Heap).type.toBe<Context.Reference<Heap.Heap>>()
    expect(Effect.map(Heap.Heap, (heap) => heap.WeakRef)).type.toBe<Effect.Effect<WeakRefConstructor>>()
  })
})

describe("isWeakReferenceable", () => {
  it("narrows", () => {
    if (Heap.isWeakReferenceable(u)) expect(u).type.toBe<WeakKey>()
    const value = u as string | { readonly id: number }
    if (Heap.isWeakReferenceable(value)) expect(value).type.toBe<{ readonly id: number }>()
    else expect(value).type.toBe<string>()
  })
})

describe("collectGarbage", () => {
  it("neither fails nor requires anything", () => {
    expect(Heap.collectGarbage).type.toBe<Effect.Effect<boolean>>()
  })
})
