import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Equal, Hash, pipe } from "effect"
import * as fc from "fast-check"
import { vi } from "vitest"
import { Interner, WeakError, WeakProxy } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { testDual } from "./support/dual.ts"
import { collectUntil } from "./support/realHeap.ts"

class Point extends Data.Class<{ readonly x: number; readonly y: number }> {}

describe("Interner", () => {
  describe("intern", () => {
    it("returns the first instance for equal objects", () => {
      const interner = Interner.makeUnsafe<object>()
      for (
        const make of [
          () => ({ a: 1, b: [2] }),
          () => [1, 2, 3],
          () => new Point({ x: 1, y: 2 }),
          () => new Map([["a", 1]]),
          () => new Date(5)
        ]
      ) {
        const first = make()
        assert.isTrue(Interner.intern(interner, first) === first)
        assert.isTrue(Interner.intern(interner, make()) === first)
        assert.isTrue(pipe(interner, Interner.intern(make())) === first)
        assert.isTrue(Interner.intern(interner, first) === first)
      }
      assert.strictEqual(Interner.size(interner), 5)
    })

    it("unites no values with different prototypes, at any depth", () => {
      class Celsius {
        readonly degrees = 20
      }
      class Fahrenheit {
        readonly degrees = 20
      }
      const interner = Interner.makeUnsafe<object>()
      const values: ReadonlyArray<() => object> = [
        () => new Celsius(),
        () => new Fahrenheit(),
        () => ({ degrees: 20 }),
        () => Object.assign(Object.create(null), { degrees: 20 }),
        () => [new Celsius()],
        () => [new Fahrenheit()],
        () => new Map([[1, new Celsius()]]),
        () => new Map([[1, new Fahrenheit()]]),
        () => new Set([new Celsius()]),
        () => new Set([new Fahrenheit()])
      ]
      const first = values.map((make) => Interner.intern(interner, make()))
      assert.strictEqual(new Set(first).size, values.length)
      assert.isTrue(values.every((make, i) => Interner.intern(interner, make()) === first[i]))
      assert.strictEqual(Interner.size(interner), values.length)
    })

    it("unites opaque objects only with themselves", () => {
      const interner = Interner.makeUnsafe<object>()
      for (
        const make of [() => new Blob([]), () => Promise.resolve(), () => new WeakMap(), () => Object(1) as object]
      ) {
        const [one, two] = [make(), make()]
        assert.isTrue(Interner.intern(interner, one) === one)
        assert.isTrue(Interner.intern(interner, two) === two)
        const around = Interner.intern(interner, { one })
        assert.isTrue(Interner.intern(interner, { one }) === around)
        assert.isFalse(Interner.intern(interner, { one: two }) === around)
      }
    })

    it("distinguishes unequal objects with the same hash", () => {
      class Collision implements Equal.Equal {
        readonly id: number
        constructor(id: number) {
          this.id = id
        }
        [Equal.symbol](that: unknown): boolean {
          return that instanceof Collision && this.id === that.id
        }
        [Hash.symbol](): number {
          return 7
        }
      }
      const interner = Interner.makeUnsafe<Collision>()
      const elements = [1, 2, 3].map((id) => Interner.intern(interner, new Collision(id)))
      assert.deepStrictEqual(elements.map(({ id }) => id), [1, 2, 3])
      assert.isTrue([1, 2, 3].every((id, i) => Interner.intern(interner, new Collision(id)) === elements[i]))
    })

    it("throws for a value that cannot be weakly referenced, and inserts nothing", () => {
      const interner = Interner.makeUnsafe<WeakKey>()
      for (const value of ["text", 1, null, undefined, true, 1n, Symbol.for("registered")] as Array<unknown>) {
        assert.throws(() => Interner.intern(interner, value as object), WeakError.NotWeakReferenceableError)
      }
      const target = {}
      assert.throws(() => Interner.intern(interner, WeakProxy.makeUnsafe(target)), WeakError.UnhashableError)
      assert.strictEqual(Interner.size(interner), 0)
    })

    it("throws the error of an object's hash or equality, and inserts nothing", () => {
      class Failing implements Equal.Equal {
        readonly fails: "hash" | "equals"
        constructor(fails: "hash" | "equals") {
          this.fails = fails
        }
        [Equal.symbol](): boolean {
          throw new Error("equals")
        }
        [Hash.symbol](): number {
          if (this.fails === "hash") throw new Error("hash")
          return 1
        }
      }
      const interner = Interner.makeUnsafe<object>()
      assert.throws(() => Interner.intern(interner, new Failing("hash")), /hash/)
      assert.strictEqual(Interner.size(interner), 0)
      const first = Interner.intern(interner, new Failing("equals"))
      assert.throws(() => Interner.intern(interner, new Failing("equals")), /equals/)
      assert.strictEqual(Interner.size(interner), 1)
      assert.isTrue(Interner.intern(interner, first) === first)
    })

    it("an equal object replaces an element that has been collected", () => {
      const { collect, finalize, heap } = TestHeap.makeUnsafe()
      const interner = Interner.makeUnsafe<object>(heap)
      const first = Interner.intern(interner, { a: 1 })
      collect(first)
      assert.isFalse(Interner.has(interner, { a: 1 }))
      const second = Interner.intern(interner, { a: 1 })
      assert.isFalse(second === first)
      // The clean-up of the first element must not remove the second one.
      finalize()
      assert.isTrue(Interner.intern(interner, { a: 1 }) === second)
      assert.strictEqual(Interner.size(interner), 1)
    })
  })

  describe("intern, called again by the equality of an object", () => {
    /** Creates elements with the same hash. The first call of the method `during` runs the callback. */
    const scripted = () => {
      const state: { during: "hash" | "equals" | undefined; skip: number; run: () => void } = {
        during: undefined,
        skip: 0,
        run: () => {}
      }
      const reenter = (at: "hash" | "equals") => {
        if (state.during !== at || state.skip-- > 0) return
        state.during = undefined
        state.run()
      }
      class Element implements Equal.Equal {
        readonly id: number
        constructor(id: number) {
          this.id = id
        }
        [Equal.symbol](that: unknown): boolean {
          reenter("equals")
          return that instanceof Element && this.id === that.id
        }
        [Hash.symbol](): number {
          reenter("hash")
          return 1
        }
      }
      return { state, Element }
    }

    it.each(["hash", "equals"] as const)("returns one instance to all callers during %s", (during) => {
      for (let skip = 0; skip < 12; skip++) {
        const { Element, state } = scripted()
        const { heap } = TestHeap.makeUnsafe()
        const interner = Interner.makeUnsafe<InstanceType<typeof Element>>(heap)
        const others = [1, 2, 3].map((id) => Interner.intern(interner, new Element(id)))
        let nested: object | undefined
        Object.assign(state, {
          during,
          skip,
          run: () => {
            nested = Interner.intern(interner, new Element(9))
          }
        })
        const outer = Interner.intern(interner, new Element(9))
        state.during = undefined
        if (nested !== undefined) assert.isTrue(outer === nested, `${during}, after ${skip}`)
        assert.isTrue(Interner.intern(interner, new Element(9)) === outer, `${during}, after ${skip}`)
        assert.isTrue(others.every((other) => Interner.intern(interner, new Element(other.id)) === other))
        assert.strictEqual(Interner.size(interner), 4)
      }
    })

    it("does not return a collected instance that a nested call inserted", () => {
      for (let skip = 0; skip < 12; skip++) {
        const { Element, state } = scripted()
        const { collect, finalize, heap } = TestHeap.makeUnsafe()
        const interner = Interner.makeUnsafe<InstanceType<typeof Element>>(heap)
        Interner.intern(interner, new Element(1))
        let nested: InstanceType<typeof Element> | undefined
        Object.assign(state, {
          during: "equals",
          skip,
          run: () => {
            nested = Interner.intern(interner, new Element(9))
            collect(nested)
          }
        })
        const outer = Interner.intern(interner, new Element(9))
        state.during = undefined
        assert.isFalse(outer === nested)
        finalize()
        assert.isTrue(Interner.intern(interner, new Element(9)) === outer)
      }
    })
  })

  it("agrees with a model on every script", () => {
    const command = fc.record({
      type: fc.constantFrom("intern", "intern", "has", "collect", "finalize"),
      id: fc.integer({ min: 0, max: 5 }),
      hash: fc.constant(0)
    })
    class Element implements Equal.Equal {
      readonly id: number
      constructor(id: number) {
        this.id = id
      }
      [Equal.symbol](that: unknown): boolean {
        return that instanceof Element && this.id === that.id
      }
      [Hash.symbol](): number {
        return this.id % 2
      }
    }
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (script) => {
        const { collect, finalize, heap } = TestHeap.makeUnsafe()
        const interner = Interner.makeUnsafe<Element>(heap)
        const model = new Map<number, Element>()
        for (const { id, type } of script) {
          const element = new Element(id)
          switch (type) {
            case "intern": {
              if (!model.has(id)) model.set(id, element)
              assert.isTrue(Interner.intern(interner, element) === model.get(id))
              break
            }
            case "has": {
              assert.strictEqual(Interner.has(interner, element), model.has(id))
              break
            }
            case "collect": {
              const alive = model.get(id)
              if (alive !== undefined) collect(alive)
              model.delete(id)
              break
            }
            case "finalize": {
              finalize()
              assert.strictEqual(Interner.size(interner), model.size)
            }
          }
          assert.isAtLeast(Interner.size(interner), model.size)
        }
      }),
      { numRuns: 500 }
    )
  })

  it.effect("make uses the heap of the context", () =>
    Effect.gen(function*() {
      const interner = yield* Interner.make<{ readonly a: number }>()
      const element = Interner.intern(interner, { a: 1 })
      yield* TestHeap.collectAndFinalize(element)
      assert.isFalse(Interner.has(interner, { a: 1 }))
      assert.strictEqual(Interner.size(interner), 0)
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("does not keep its elements alive, and then accepts equal ones", () =>
    Effect.gen(function*() {
      const interner = Interner.makeUnsafe<{ readonly id: number; self?: object }>()
      const fill = () =>
        Array.from({ length: 100 }, (_, id) => {
          const element: { id: number; self?: object } = Interner.intern(interner, { id })
          return new WeakRef(element)
        })
      const probes = fill()
      assert.isTrue(yield* collectUntil(() => probes.every((probe) => probe.deref() === undefined)))
      assert.isTrue(yield* collectUntil(() => Interner.size(interner) === 0))
      const again = Interner.intern(interner, { id: 1 })
      assert.isTrue(Interner.intern(interner, { id: 1 }) === again)
    }))

  it("is inspectable and pipeable, and equal to itself only", () => {
    const interner = Interner.makeUnsafe<object>()
    const element = Interner.intern(interner, { a: 1 })
    assert.deepStrictEqual(interner.toJSON(), { _id: "Interner", values: [element] })
    assert.strictEqual(pipe(interner, Interner.has({ a: 1 })), true)
    assert.strictEqual(interner.pipe(Interner.size), 1)
    assert.isFalse(Equal.equals(interner, Interner.makeUnsafe()))
    assert.isTrue(Equal.equals(interner, interner))
  })

  it("isInterner recognizes the interners of this copy of the module only", async () => {
    const interner = Interner.makeUnsafe()
    assert.isTrue(Interner.isInterner(interner))
    for (const other of [null, undefined, 1, {}, new Set()]) {
      assert.isFalse(Interner.isInterner(other))
    }
    vi.resetModules()
    const copy = await import("../src/Interner.ts")
    assert.isFalse(copy.isInterner(interner))
    assert.isFalse(Interner.isInterner(copy.makeUnsafe()))
  })
})

testDual("Interner")
