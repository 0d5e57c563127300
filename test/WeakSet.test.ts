import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Exit, Hash, MutableHashMap, Option, pipe } from "effect"
import { inspect } from "node:util"
import { WeakError, WeakRef, WeakSet } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { Colliding, cyclic, foreign, HashSpy, hostile, Unhashable } from "./support/keys.ts"
import { compares } from "./support/models.ts"

interface Id {
  readonly id: number
}

const structural = { compare: "structural" } as const

/** A set of these elements on a test heap. Elements compare by structure, unless the options say otherwise. */
const setup = <A extends WeakKey = Id>(
  elements: Iterable<A> = [],
  options: { readonly compare: "structural" | "reference" } = structural
) => {
  const testHeap = TestHeap.makeUnsafe()
  const set = WeakSet.makeUnsafe<A>(options, testHeap.heap)
  return { ...testHeap, set: WeakSet.addAll(set, elements) }
}

const [a, b, c, d] = [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]
/** Equal to `a`, and another object. */
const a2 = { id: 1 }

const ids = (elements: Iterable<Id>): Array<number> => Array.from(elements, (element) => element.id)

/** By identity, and without looking into what may be hostile. */
const sameElements = (actual: Iterable<unknown>, expected: ReadonlyArray<unknown>): boolean => {
  const elements = Array.from(actual)
  return elements.length === expected.length && elements.every((element, i) => element === expected[i])
}

const refused = (f: () => unknown): unknown => {
  try {
    f()
  } catch (error) {
    assert.instanceOf(error, WeakError.NotWeakReferenceableError)
    return error.value
  }
  assert.fail("not refused")
}

const thrown = new Error("thrown by the caller")

const throwsMidway = function*(): Generator<Id> {
  yield a
  yield b
  throw thrown
}

const predicates = {
  equals: WeakSet.equals,
  isSubset: WeakSet.isSubset,
  isSuperset: WeakSet.isSuperset,
  isProperSubset: WeakSet.isProperSubset,
  isProperSuperset: WeakSet.isProperSuperset,
  isDisjoint: WeakSet.isDisjoint
}

/** The names of the predicates that hold. */
const holding = <A extends WeakKey>(set: WeakSet.WeakSet<A>, that: () => Iterable<A>): Array<string> =>
  Object.entries(predicates).flatMap(([name, predicate]) => {
    const holds = predicate(set, that())
    assert.strictEqual(pipe(set, predicate(that())), holds)
    return holds ? [name] : []
  })

describe("WeakSet", () => {
  describe("constructors", () => {
    it.effect("make returns an empty set on the heap of the context", () =>
      Effect.gen(function*() {
        const set = yield* WeakSet.make<Id>()
        assert.isTrue(WeakSet.isEmpty(set))
        WeakSet.add(set, a)
        yield* TestHeap.collect(a)
        assert.isTrue(WeakSet.isEmpty(set))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("make takes the comparison", () =>
      Effect.gen(function*() {
        const set = yield* WeakSet.make<Id>({ compare: "reference" })
        assert.isFalse(WeakSet.has(WeakSet.add(set, a), a2))
      }))

    it.effect("makeUnsafe returns a set on the host's heap", () =>
      Effect.gen(function*() {
        const set = WeakSet.add(WeakSet.makeUnsafe<Id>(), a)
        yield* TestHeap.collect(a)
        assert.isTrue(WeakSet.has(set, a))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("fromIterable keeps the order of the elements, and the first of equal ones", () =>
      Effect.gen(function*() {
        const set = yield* WeakSet.fromIterable([b, a, a2, b], structural)
        assert.isTrue(sameElements(set, [b, a]))
      }))

    it.effect("fromIterable takes the comparison and the heap of the context", () =>
      Effect.gen(function*() {
        const set = yield* WeakSet.fromIterable([a, a2, a], { compare: "reference" })
        assert.isTrue(sameElements(set, [a, a2]))
        yield* TestHeap.collect(a)
        assert.isTrue(sameElements(set, [a2]))
      }).pipe(Effect.provide(TestHeap.layer)))

    for (const compare of compares) {
      it.effect(`fromIterable with one bad element fails, names it, and leaves nothing behind (${compare})`, () =>
        Effect.gen(function*() {
          for (const bad of ["text", 1, null, undefined, Symbol.for("registered")]) {
            const error = yield* Effect.flip(WeakSet.fromIterable([a, bad as unknown as Id, b], { compare }))
            assert.instanceOf(error, WeakError.NotWeakReferenceableError)
            assert.strictEqual(error.value, bad)
          }
          yield* TestHeap.collect(a, b)
          assert.strictEqual(yield* TestHeap.pending, 0)
        }).pipe(Effect.provide(TestHeap.layer)))
    }

    it.effect("fromIterable does not take the iterable's own error for a failure", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(WeakSet.fromIterable(throwsMidway()))
        assert.deepStrictEqual(exit, Exit.die(thrown))
        yield* TestHeap.collect(a, b)
        assert.strictEqual(yield* TestHeap.pending, 0)
      }).pipe(Effect.provide(TestHeap.layer)))

    it("isWeakSet tells a set of this library from other values", () => {
      assert.isTrue(WeakSet.isWeakSet(setup().set))
      for (const other of [new globalThis.WeakSet(), new Set(), {}, null, undefined, "WeakSet"]) {
        assert.isFalse(WeakSet.isWeakSet(other))
      }
    })
  })

  describe("add, has and remove", () => {
    it("add adds once and returns the set, data first and piped", () => {
      const { set } = setup()
      assert.strictEqual(WeakSet.add(set, a), set)
      assert.strictEqual(pipe(set, WeakSet.add(b)), set)
      assert.strictEqual(set.pipe(WeakSet.add(a)), set)
      assert.isTrue(sameElements(set, [a, b]))
    })

    it("add of an equal element keeps the first one and its place", () => {
      const { collect, set } = setup([a, b])
      WeakSet.add(set, a2)
      assert.isTrue(sameElements(set, [a, b]))
      collect(a2)
      assert.isTrue(WeakSet.has(set, a2))
      collect(a)
      assert.isFalse(WeakSet.has(set, a2))
    })

    it("add of an element that is equal to a dead one adds it at the end", () => {
      for (const finalizeFirst of [true, false]) {
        const { collect, finalize, set } = setup([a, b])
        collect(a)
        if (finalizeFirst) finalize()
        WeakSet.add(set, a2)
        // The late clean-up of the dead element leaves the new one alone.
        finalize()
        assert.isTrue(sameElements(set, [b, a2]))
        assert.strictEqual(WeakSet.size(set), 2)
      }
    })

    it("add refuses a value that cannot be an element, names it, and adds nothing", () => {
      for (const compare of compares) {
        const { set } = setup<any>([], { compare })
        for (const bad of ["text", 1, null, undefined, NaN, Symbol.for("registered")]) {
          assert.deepStrictEqual(refused(() => WeakSet.add(set, bad)), bad)
        }
        assert.strictEqual(WeakSet.size(set), 0)
      }
    })

    it("add adds nothing if the hash of the element throws", () => {
      const { collect, pending, set } = setup<object>()
      const element = new Unhashable()
      assert.throws(() => WeakSet.add(set, element), "hashed")
      assert.throws(() => WeakSet.addAll(set, [a, element]), "hashed")
      assert.strictEqual(WeakSet.size(set), 0)
      collect(element, a)
      assert.strictEqual(pending(), 0)
    })

    it("has finds an equal element by structure, but not by reference, data first and piped", () => {
      const byStructure = setup([a]).set
      const byReference = setup([a], { compare: "reference" }).set
      assert.isTrue(WeakSet.has(byStructure, a2))
      assert.isTrue(pipe(byStructure, WeakSet.has(a2)))
      assert.isFalse(pipe(byReference, WeakSet.has(a2)))
      assert.isTrue(WeakSet.has(byReference, a))
    })

    it("has finds nothing of a value that cannot be an element", () => {
      for (const compare of compares) {
        const { set } = setup<any>([a], { compare })
        for (const element of ["text", 1, null, undefined, NaN, Symbol.for("registered")]) {
          assert.isFalse(WeakSet.has(set, element))
          assert.strictEqual(WeakSet.remove(set, element), set)
        }
        assert.strictEqual(WeakSet.count(set), 1)
      }
    })

    it("remove removes an element and returns the set, data first and piped", () => {
      const { set } = setup([a, b, c])
      assert.strictEqual(WeakSet.remove(set, a2), set)
      assert.strictEqual(pipe(set, WeakSet.remove(b)), set)
      assert.strictEqual(set.pipe(WeakSet.remove(b)), set)
      assert.isTrue(sameElements(set, [c]))
    })

    it("an element comes last again after a removal", () => {
      for (const compare of compares) {
        const { set } = setup([a, b], { compare })
        WeakSet.add(WeakSet.remove(set, a), a)
        assert.isTrue(sameElements(set, [b, a]))
      }
    })
  })

  describe("pop and clear", () => {
    it("pop removes the elements in insertion order", () => {
      const { set } = setup([a, b])
      assert.deepStrictEqual(WeakSet.pop(set), Option.some(a))
      WeakSet.addAll(set, [c, a])
      assert.deepStrictEqual(WeakSet.pop(set), Option.some(b))
      assert.deepStrictEqual(WeakSet.pop(set), Option.some(c))
      assert.deepStrictEqual(WeakSet.pop(set), Option.some(a))
      assert.deepStrictEqual(WeakSet.pop(set), Option.none())
      assert.deepStrictEqual(WeakSet.pop(WeakSet.add(set, b)), Option.some(b))
    })

    it("pop steps over dead entries, and reclaims them", () => {
      const { collect, set } = setup([a, b, c])
      collect(a, c)
      assert.deepStrictEqual(WeakSet.pop(set), Option.some(b))
      assert.deepStrictEqual(WeakSet.pop(set), Option.none())
      assert.strictEqual(WeakSet.size(set), 0)
    })

    it("clear removes everything, and returns the set, which can be used like a new one", () => {
      for (const compare of compares) {
        const { collect, finalize, set } = setup([a, b], { compare })
        assert.strictEqual(WeakSet.clear(set), set)
        assert.strictEqual(WeakSet.size(set), 0)
        WeakSet.add(set, b)
        // The clean-up that was registered before the clear leaves the new element alone.
        collect(a)
        finalize()
        assert.isTrue(sameElements(set, [b]))
      }
    })
  })

  describe("set algebra", () => {
    const operations = [
      { name: "addAll and union", inPlace: WeakSet.addAll, toNew: WeakSet.union, result: [1, 2, 3, 4] },
      { name: "retainAll and intersection", inPlace: WeakSet.retainAll, toNew: WeakSet.intersection, result: [2, 3] },
      { name: "removeAll and difference", inPlace: WeakSet.removeAll, toNew: WeakSet.difference, result: [1] },
      {
        name: "toggleAll and symmetricDifference",
        inPlace: WeakSet.toggleAll,
        toNew: WeakSet.symmetricDifference,
        result: [1, 4]
      }
    ] as const

    for (const { inPlace, name, result, toNew } of operations) {
      it(`${name} return their result, data first and piped`, () => {
        for (const compare of compares) {
          const others = [d, c, b, c]
          const { set } = setup([a, b, c], { compare })
          assert.deepStrictEqual(ids(toNew(set, others)), [...result])
          assert.deepStrictEqual(ids(pipe(set, toNew(others))), [...result])
          assert.deepStrictEqual(ids(set), [1, 2, 3])
          const copy = WeakSet.copy(set)
          assert.strictEqual(inPlace(set, others), set)
          assert.strictEqual(pipe(copy, inPlace(others)), copy)
          assert.deepStrictEqual(ids(set), [...result])
          assert.deepStrictEqual(ids(copy), [...result])
        }
      })

      it(`${name} take any iterable`, () => {
        const others = [d, c, b]
        const generator = function*() {
          yield* others
        }
        for (const that of [others, new Set(others), setup(others).set, others.values(), generator()]) {
          assert.deepStrictEqual(ids(inPlace(setup([a, b, c]).set, that)).sort(), [...result])
        }
        assert.deepStrictEqual(ids(toNew(setup([a, b, c]).set, setup(others).set)).sort(), [...result])
      })

      it(`${name} stay on the heap of the first set, and compare as it does`, () => {
        const { collect, set } = setup([a], { compare: "reference" })
        const made = toNew(set, setup([a2]).set)
        WeakSet.addAll(made, [a, a2])
        assert.strictEqual(WeakSet.count(made), 2)
        collect(a, a2)
        assert.isTrue(WeakSet.isEmpty(made))
      })

      it(`${name} look the others up as the first set compares`, () => {
        const { set } = setup([a, b, c])
        assert.deepStrictEqual(ids(inPlace(set, [d, { id: 3 }, { id: 2 }, { id: 2 }])), [...result])
        assert.isTrue(Array.from(set).every((element) => [a, b, c, d].includes(element)))
      })

      it(`${name} change nothing if the other iterable throws midway`, () => {
        const { set } = setup([a])
        assert.throws(() => inPlace(set, throwsMidway()), thrown.message)
        assert.throws(() => toNew(set, throwsMidway()), thrown.message)
        assert.isTrue(sameElements(set, [a]))
      })

      it(`${name} leave dead entries behind`, () => {
        const { collect, finalize, set } = setup([a, b])
        collect(b)
        assert.deepStrictEqual(ids(toNew(set, set)).includes(2), false)
        inPlace(set, set)
        finalize()
        assert.isFalse(ids(set).includes(2))
      })

      it(`${name} tolerate another iterable that removes, clears and adds while it is read`, () => {
        const one = new Colliding(1)
        const [two, three, four] = [new Colliding(2), new Colliding(3), new Colliding(4)]
        const { set } = setup<Colliding>([one, two])
        inPlace(
          set,
          (function*() {
            yield one
            WeakSet.remove(set, one)
            yield two
            WeakSet.addAll(WeakSet.clear(set), [three])
            yield four
          })()
        )
        // Whatever came of it, each element that is there is there once, and can be found and removed.
        for (const element of [three, new Colliding(3), four, one, two]) WeakSet.add(set, element)
        assert.deepStrictEqual(Array.from(set, ({ id }) => id).sort(), [1, 2, 3, 4])
        for (const element of [1, 2, 3, 4]) WeakSet.remove(set, new Colliding(element))
        assert.strictEqual(WeakSet.size(set), 0)
      })
    }

    it("the set itself is a second operand", () => {
      for (const compare of compares) {
        const full = () => setup([a, b], { compare }).set
        const of = (f: (self: WeakSet.WeakSet<Id>, that: Iterable<Id>) => WeakSet.WeakSet<Id>) => {
          const set = full()
          return [ids(f(set, set)), ids(f(WeakSet.addAll(set, [a, b]), WeakSet.values(set)))]
        }
        for (const f of [WeakSet.addAll, WeakSet.union, WeakSet.retainAll, WeakSet.intersection]) {
          assert.deepStrictEqual(of(f), [[1, 2], [1, 2]])
        }
        for (const f of [WeakSet.removeAll, WeakSet.difference, WeakSet.toggleAll, WeakSet.symmetricDifference]) {
          assert.deepStrictEqual(of(f), [[], []])
        }
      }
    })

    it("addAll and toggleAll with one bad element change nothing, and name it", () => {
      for (const compare of compares) {
        for (const inPlace of [WeakSet.addAll<any>, WeakSet.toggleAll<any>]) {
          const { collect, pending, set } = setup<any>([a], { compare })
          const bad = Symbol.for("registered")
          assert.strictEqual(refused(() => inPlace(set, [a, b, bad, c])), bad)
          assert.isTrue(sameElements(set, [a]))
          collect(b, c)
          assert.strictEqual(pending(), 0)
        }
      }
    })

    it("removeAll and retainAll take a value that cannot be an element for what is not there", () => {
      for (const compare of compares) {
        const { set } = setup<any>([a, b], { compare })
        WeakSet.removeAll(set, ["text", 1, a])
        WeakSet.retainAll(set, [null, undefined, b])
        assert.isTrue(sameElements(set, [b]))
      }
    })

    it("toggleAll of an element given twice toggles it once", () => {
      const { set } = setup([a])
      WeakSet.toggleAll(set, [a, b, a2, { id: 2 }])
      assert.isTrue(sameElements(set, [b]))
    })
  })

  describe("predicates", () => {
    const same = ["equals", "isSubset", "isSuperset"]
    const rows = [
      { name: "the same", self: [a, b], that: [b, a2], expected: same },
      { name: "the same, repeatedly", self: [a], that: [a, a2, a], expected: same },
      { name: "more", self: [a], that: [a2, b], expected: ["isSubset", "isProperSubset"] },
      { name: "less", self: [a, b], that: [a2], expected: ["isSuperset", "isProperSuperset"] },
      { name: "overlapping ones", self: [a, b], that: [b, c], expected: [] },
      { name: "others", self: [a], that: [b, c], expected: ["isDisjoint"] },
      { name: "nothing", self: [a], that: [], expected: ["isSuperset", "isProperSuperset", "isDisjoint"] },
      {
        name: "something in an empty set",
        self: [],
        that: [a],
        expected: ["isSubset", "isProperSubset", "isDisjoint"]
      },
      { name: "nothing in an empty set", self: [], that: [], expected: [...same, "isDisjoint"] }
    ]
    for (const { expected, name, self, that } of rows) {
      it(`compare with ${name}, data first and piped`, () => {
        const { set } = setup(self)
        assert.deepStrictEqual(holding(set, () => that), expected)
        assert.deepStrictEqual(holding(set, () => new Set(that)), expected)
        assert.deepStrictEqual(holding(set, () => that.values()), expected)
        assert.deepStrictEqual(holding(set, () => setup(that, { compare: "reference" }).set), expected)
      })
    }

    it("count live elements only", () => {
      const { collect, set } = setup([a, b])
      collect(b)
      assert.deepStrictEqual(holding(set, () => [a]), same)
      assert.deepStrictEqual(holding(set, () => set), same)
    })

    it("compare by reference if the set does", () => {
      const { set } = setup([a], { compare: "reference" })
      assert.deepStrictEqual(holding(set, () => [a2]), ["isDisjoint"])
      assert.deepStrictEqual(holding(set, () => [a]), same)
    })

    it("are independent of Equal and Hash, which compare a set by identity", () => {
      const { set } = setup([a])
      assert.isTrue(Equal.equals(set, set))
      assert.isFalse(Equal.equals(set, WeakSet.copy(set)))
      const names = MutableHashMap.make([set, "set"])
      WeakSet.add(set, b)
      assert.deepStrictEqual(MutableHashMap.get(names, set), Option.some("set"))
      assert.strictEqual(Hash.hash(set), Hash.hash(set))
    })
  })

  describe("copy", () => {
    it("has the same elements, and a life of its own", () => {
      for (const compare of compares) {
        const { collect, set } = setup([a, b], { compare })
        const copy = WeakSet.copy(set)
        WeakSet.add(WeakSet.remove(set, a), c)
        assert.isTrue(sameElements(copy, [a, b]))
        assert.isTrue(sameElements(set, [b, c]))
        assert.strictEqual(WeakSet.has(copy, a2), compare === "structural")
        collect(b)
        assert.isTrue(sameElements(copy, [a]))
      }
    })
  })

  describe("iteration", () => {
    it("values, the set itself and forEach yield the elements in insertion order", () => {
      const { set } = setup([b, a])
      const seen: Array<Id> = []
      WeakSet.forEach(set, (element) => seen.push(element))
      pipe(set, WeakSet.forEach((element) => seen.push(element)))
      assert.deepStrictEqual(seen, [b, a, b, a])
      assert.isTrue(sameElements(WeakSet.values(set), [b, a]))
      assert.isTrue(sameElements(set, [b, a]))
    })

    it("yields no dead element, even before the clean-up", () => {
      const { collect, set } = setup([a, b, c])
      collect(b)
      assert.isTrue(sameElements(set, [a, c]))
      assert.strictEqual(Array.from(WeakSet.refs(set)).length, 2)
    })

    it("goes on while elements are collected, removed and added between its steps", () => {
      const { collect, finalize, set } = setup([a, b, c])
      const iterator = WeakSet.values(set)
      assert.strictEqual(iterator.next().value, a)
      WeakSet.remove(set, a)
      collect(b)
      finalize()
      WeakSet.add(set, d)
      assert.isTrue(sameElements(iterator, [c, d]))
      WeakSet.add(set, a)
      assert.deepStrictEqual(iterator.next(), { done: true, value: undefined })
    })

    it("refs returns the shared references to the elements on the heap of the set", () => {
      const { collect, heap, set } = setup([a, b])
      const refs = Array.from(WeakSet.refs(set))
      assert.strictEqual(refs[0], WeakRef.makeUnsafe(a, heap))
      collect(a)
      assert.deepStrictEqual(refs.map((ref) => WeakRef.deref(ref)), [Option.none(), Option.some(b)])
    })
  })

  describe("size, count and isEmpty", () => {
    it("size is an upper bound until the clean-up, count and isEmpty are exact", () => {
      const { collect, finalize, set } = setup([a, b])
      const all = () => [WeakSet.size(set), WeakSet.count(set), WeakSet.isEmpty(set)]
      assert.deepStrictEqual(all(), [2, 2, false])
      collect(a)
      assert.deepStrictEqual(all(), [2, 1, false])
      collect(b)
      assert.deepStrictEqual(all(), [2, 0, true])
      finalize()
      assert.deepStrictEqual(all(), [0, 0, true])
    })
  })

  describe("printing", () => {
    it("shows the live elements as text, as JSON and to the inspector", () => {
      const { collect, set } = setup([a, b])
      collect(a)
      assert.strictEqual(String(set), `WeakSet([{"id":2}])`)
      assert.strictEqual(JSON.stringify(set), `{"_id":"WeakSet","values":[{"id":2}]}`)
      assert.strictEqual(inspect(set, { breakLength: Infinity }), `{ _id: 'WeakSet', values: [ { id: 2 } ] }`)
    })
  })

  describe("kinds of element", () => {
    it("symbols are told apart, though they hash alike", () => {
      for (const compare of compares) {
        const [one, two, three] = [Symbol("same"), Symbol("same"), Symbol("same")]
        const { collect, finalize, set } = setup([one, two, three], { compare })
        WeakSet.remove(set, two)
        collect(one)
        finalize()
        assert.isTrue(sameElements(set, [three]))
      }
    })

    it("functions, frozen objects, and objects that reach themselves or come from another realm are elements", () => {
      for (const compare of compares) {
        const elements = [() => 1, () => 1, Object.freeze({ id: 1 }), cyclic(1), ...foreign("[{ id: 1 }, () => {}]")]
        const { collect, set } = setup<object>(elements, { compare })
        assert.isTrue(sameElements(set, elements))
        assert.isTrue(elements.every((element) => WeakSet.has(set, element)))
        collect(...elements)
        assert.isTrue(WeakSet.isEmpty(set))
      }
    })

    it("elements that collide share a bucket and nothing else", () => {
      const elements = [1, 2, 3, 4].map((id) => new Colliding(id))
      const { collect, finalize, set } = setup(elements)
      const has = () => [1, 2, 3, 4].map((id) => WeakSet.has(set, new Colliding(id)))
      assert.deepStrictEqual(has(), [true, true, true, true])
      WeakSet.remove(set, new Colliding(2))
      collect(elements[0]!)
      finalize()
      assert.deepStrictEqual(has(), [false, false, true, true])
      WeakSet.removeAll(set, [new Colliding(4), new Colliding(3)])
      assert.deepStrictEqual(has(), [false, false, false, false])
    })

    it("a dead reference is an element like any other where its hash was taken before", () => {
      const { collect, heap, set } = setup<object>()
      const [ref, unhashed] = [WeakRef.makeUnsafe(a, heap), WeakRef.makeUnsafe(b, heap)]
      WeakSet.add(set, ref)
      collect(a, b)
      assert.isTrue(WeakSet.has(set, ref))
      assert.throws(() => WeakSet.add(set, unhashed), WeakError.UnhashableError)
      assert.isTrue(sameElements(set, [ref]))
    })

    it("a lookup by the very element does not hash", () => {
      const element = new HashSpy(0)
      const { set } = setup<object>([element])
      element.hashes = 0
      WeakSet.has(set, element)
      WeakSet.add(set, element)
      assert.strictEqual(element.hashes, 0)
      assert.isTrue(WeakSet.has(set, new Date(0)))
    })

    it("by reference no operation hashes an element or looks into it", () => {
      const [one, two, three] = [hostile(), hostile(), hostile()]
      const { collect, finalize, set } = setup<object>([one], { compare: "reference" })
      WeakSet.add(set, one)
      pipe(set, WeakSet.add(two))
      assert.isTrue(WeakSet.has(set, one) && WeakSet.has(set, two) && !WeakSet.has(set, three))
      assert.isTrue(sameElements(WeakSet.union(set, [three]), [one, two, three]))
      assert.isTrue(sameElements(WeakSet.intersection(set, [three, two]), [two]))
      assert.isTrue(sameElements(WeakSet.difference(set, [three, two]), [one]))
      assert.isTrue(sameElements(WeakSet.symmetricDifference(set, [three, two]), [one, three]))
      assert.deepStrictEqual(holding(set, () => [two, one]), ["equals", "isSubset", "isSuperset"])
      const copy = WeakSet.copy(set)
      WeakSet.retainAll(WeakSet.addAll(copy, [three]), set)
      WeakSet.toggleAll(WeakSet.removeAll(copy, [one]), [three])
      assert.isTrue(sameElements(copy, [two, three]))
      assert.isTrue(WeakSet.equals(Effect.runSync(WeakSet.fromIterable([one, two], { compare: "reference" })), set))
      assert.isTrue(Option.getOrThrow(WeakRef.deref(Array.from(WeakSet.refs(set))[0]!)) === one)
      WeakSet.forEach(set, (element) => WeakSet.add(copy, element))
      assert.isTrue(Option.getOrThrow(WeakSet.pop(copy)) === two)
      WeakSet.remove(copy, three)
      assert.strictEqual(WeakSet.count(copy), 1)
      collect(one, two)
      finalize()
      assert.strictEqual(WeakSet.size(set), 0)
      WeakSet.clear(set)
    })
  })

  describe("registrations", () => {
    it("if a registry is renewed, the dead do not wait for a clean-up that will not come", () => {
      for (const compare of compares) {
        const { collect, set } = setup([a, b], { compare })
        collect(a)
        assert.strictEqual(WeakSet.size(set), 2)
        for (let i = 0; i < 100; i++) WeakSet.add(WeakSet.remove(set, c), c)
        assert.strictEqual(WeakSet.size(set), 2)
        assert.strictEqual(WeakSet.count(set), 2)
      }
    })

    it("an element that was removed and added again dies once", () => {
      for (const compare of compares) {
        const { collect, finalize, set } = setup([a, b], { compare })
        for (let i = 0; i < 100; i++) WeakSet.add(WeakSet.remove(set, a), a)
        collect(a)
        finalize()
        assert.isTrue(sameElements(set, [b]))
        assert.strictEqual(WeakSet.size(set), 1)
      }
    })
  })
})
