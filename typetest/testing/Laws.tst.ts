import { Effect, type Option } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "tstyche"
import type { Heap, WeakRef } from "../../src/index.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import * as Laws from "../../src/testing/Laws.ts"

const strings = fc.string()
const users = fc.string().map((name) => ({ name }))

describe("Law", () => {
  it("is checked by an effect that needs nothing", () => {
    const [law] = Laws.reference((heap) => (referent) => new heap.WeakRef(referent))
    expect(law!.check()).type.toBe<Effect.Effect<void, Laws.LawError>>()
    expect(law!.check).type.toBeCallableWith({ numRuns: 10, seed: 1, path: "0:1" })
    expect(law!.check).type.not.toBeCallableWith({ runs: 10 })
    expect(Effect.flip(law!.check())).type.toBe<Effect.Effect<Laws.LawError, void>>()
  })
})

describe("equality", () => {
  it("makes values of what the arbitrary generates", () => {
    Laws.equality((heap) => (input) => {
      expect(heap).type.toBe<Heap.Heap>()
      expect(input).type.toBe<string>()
      return input
    }, strings)
    expect(Laws.equality).type.not.toBeCallableWith(() => (input: number) => input, strings)
  })
})

describe("reference", () => {
  it("takes objects by default, and what an arbitrary generates", () => {
    Laws.reference((heap) => (referent) => {
      expect(referent).type.toBe<object>()
      return new heap.WeakRef(referent)
    })
    Laws.reference((heap) => (referent) => {
      expect(referent).type.toBe<{ name: string }>()
      return new heap.WeakRef(referent)
    }, { referents: users })
    expect(Laws.reference).type.not.toBeCallableWith((heap: Heap.Heap) => (referent: { name: string }) =>
      new heap.WeakRef(referent)
    )
  })

  it("takes the native reference and this library's", () => {
    expect<WeakRef.WeakRef<{ name: string }>>().type.toBeAssignableTo<Laws.ReferenceLike<{ name: string }>>()
    expect<globalThis.WeakRef<{ name: string }>>().type.toBeAssignableTo<Laws.ReferenceLike<{ name: string }>>()
    expect<{ deref(): Option.Option<string> }>().type.not.toBeAssignableTo<Laws.ReferenceLike<{ name: string }>>()
  })
})

describe("proxy", () => {
  it("takes a generic constructor", () => {
    expect(Laws.proxy(() => <A extends object>(target: A): A => target)).type.toBe<ReadonlyArray<Laws.Law>>()
    expect(Laws.proxy).type.toBeCallableWith(() => (target: object) => target, {
      isDeadError: (error: unknown) => error instanceof Error
    })
  })
})

describe("finalizer", () => {
  it("takes a function that registers a callback", () => {
    Laws.finalizer(() => (target, callback) => {
      expect(target).type.toBe<object>()
      expect(callback).type.toBe<() => void>()
      return () => {}
    })
    expect(Laws.finalizer).type.toBeCallableWith(() => (_target: WeakKey, _callback: () => void) => () => {}, {
      referents: Arbitraries.referents()
    })
  })
})

describe("weakKeyMap, weakValueMap and weakSet", () => {
  it("take native collections", () => {
    expect<Map<string, object>>().type.toBeAssignableTo<Laws.MapLike<string, object>>()
    expect<WeakMap<object, object>>().type.toBeAssignableTo<Laws.MapLike<object, object>>()
    expect<Set<object>>().type.toBeAssignableTo<Laws.SetLike<object>>()
    expect<WeakSet<object>>().type.toBeAssignableTo<Laws.SetLike<object>>()
  })

  it("ask for keys that the map takes", () => {
    expect(Laws.weakValueMap).type.toBeCallableWith(() => new Map<string, object>())
    expect(Laws.weakValueMap).type.not.toBeCallableWith(() => new Map<number, object>())
    expect(Laws.weakValueMap).type.toBeCallableWith(() => new Map<number, object>(), { keys: fc.nat() })
    expect(Laws.weakValueMap).type.not.toBeCallableWith(() => new Map<number, object>(), { keys: strings })
    expect(Laws.weakKeyMap).type.toBeCallableWith(() => new Map<{ name: string }, object>(), { keys: users })
    expect(Laws.weakKeyMap).type.not.toBeCallableWith(() => new Map<string, object>(), { keys: strings })
    expect(Laws.weakSet).type.toBeCallableWith(() => new Set<object>(), { compare: "structural", ordered: true })
    expect(Laws.weakSet).type.not.toBeCallableWith(() => new Set<object>(), { compare: "deep" })
  })
})
