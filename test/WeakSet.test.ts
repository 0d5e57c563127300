import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Exit, Hash, MutableHashMap, Option, pipe } from "effect"
import { inspect } from "node:util"
import { WeakError, WeakRef, WeakSet } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { countingHeap } from "./support/countingHeap.ts"
import { testDual } from "./support/dual.ts"
import { Colliding, cyclic, foreign, HashSpy, hostile, Unhashable } from "./support/keys.ts"
import { compares } from "./support/models.ts"

interface Id {
  readonly id: number
}

const structural = { compare: "structural" } as const

/** Creates a set with these elements on a test heap. Elements compare by structure by default. */
const setup = <A extends WeakKey = Id>(
  elements: Iterable<A> = [],
  options: { readonly compare: "structural" | "reference" } = structural
) => {
  const testHeap = TestHeap.makeUnsafe()
  const set = WeakSet.makeUnsafe<A>(options, testHeap.heap)
  return { ...testHeap, set: WeakSet.addAll(set, elements) }
}

const [a, b, c, d] = [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]
/** Another object that is equal to `a`. */
const a2 = { id: 1 }

const ids = (elements: Iterable<Id>): Array<number> => Array.from(elements, (element) => element.id)

/** Compares by identity, because to read a property of a hostile element throws. */
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

/** Returns the names of the predicates that are true. */
const holding = <A extends WeakKey>(set: WeakSet.WeakSet<A>, that: () => Iterable<A>): Array<string> =>
  Object.entries(predicates).flatMap(([name, predicate]) => {
    const holds = predicate(set, that())
    assert.strictEqual(pipe(set, predicate(that())), holds)
    return holds ? [name] : []
  })

describe("WeakSet", () => {
  describe("constructors", () => {
    it.effect("make creates an empty set on the heap of the context", () =>
      Effect.gen(function*() {
        const set = yield* WeakSet.make<Id>()
        assert.isTrue(WeakSet.isEmpty(set))
        WeakSet.add(set, a)
        yield* TestHeap.collect(a)
        assert.isTrue(WeakSet.isEmpty(set))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("make uses the given comparison", () =>
      Effect.gen(function*() {
        const set = yield* WeakSet.make<Id>({ compare: "reference" })
        assert.isFalse(WeakSet.has(WeakSet.add(set, a), a2))
      }))

    it.effect("makeUnsafe creates a set on the host's heap", () =>
      Effect.gen(function*() {
        const set = WeakSet.add(WeakSet.makeUnsafe<Id>(), a)
        yield* TestHeap.collect(a)
        assert.isTrue(WeakSet.has(set, a))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("fromIterable keeps the order of the elements, and the first of equal elements", () =>
      Effect.gen(function*() {
        const set = yield* WeakSet.fromIterable([b, a, a2, b], structural)
        assert.isTrue(sameElements(set, [b, a]))
      }))

    it.effect("fromIterable uses the given comparison and the heap of the context", () =>
      Effect.gen(function*() {
        const set = yield* WeakSet.fromIterable([a, a2, a], { compare: "reference" })
        assert.isTrue(sameElements(set, [a, a2]))
        yield* TestHeap.collect(a)
        assert.isTrue(sameElements(set, [a2]))
      }).pipe(Effect.provide(TestHeap.layer)))

    for (const compare of compares) {
      it.effect(`fromIterable with one invalid element fails with this element, and registers nothing (${compare})`, () =>
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

    it.effect("fromIterable dies with the error of its iterable", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(WeakSet.fromIterable(throwsMidway()))
        assert.deepStrictEqual(exit, Exit.die(thrown))
        yield* TestHeap.collect(a, b)
        assert.strictEqual(yield* TestHeap.pending, 0)
      }).pipe(Effect.provide(TestHeap.layer)))

    it("isWeakSet accepts sets of this library and rejects other values", () => {
      assert.isTrue(WeakSet.isWeakSet(setup().set))
      for (const other of [new globalThis.WeakSet(), new Set(), {}, null, undefined, "WeakSet"]) {
        assert.isFalse(WeakSet.isWeakSet(other))
      }
    })
  })

  describe("add, has and remove", () => {
    it("add adds an element once and returns the set, data first and piped", () => {
      const { set } = setup()
      assert.strictEqual(WeakSet.add(set, a), set)
      assert.strictEqual(pipe(set, WeakSet.add(b)), set)
      assert.strictEqual(set.pipe(WeakSet.add(a)), set)
      assert.isTrue(sameElements(set, [a, b]))
    })

    it("add of an equal element keeps the first element and its position", () => {
      const { collect, set } = setup([a, b])
      WeakSet.add(set, a2)
      assert.isTrue(sameElements(set, [a, b]))
      collect(a2)
      assert.isTrue(WeakSet.has(set, a2))
      collect(a)
      assert.isFalse(WeakSet.has(set, a2))
    })

    it("add adds an element at the end if the equal element in the set is dead", () => {
      for (const finalizeFirst of [true, false]) {
        const { collect, finalize, set } = setup([a, b])
        collect(a)
        if (finalizeFirst) finalize()
        WeakSet.add(set, a2)
        // The late clean-up of the dead element must not remove the new element.
        finalize()
        assert.isTrue(sameElements(set, [b, a2]))
        assert.strictEqual(WeakSet.size(set), 2)
      }
    })

    it("add rejects an invalid element with an error that has this value, and adds nothing", () => {
      for (const compare of compares) {
        const { set } = setup<any>([], { compare })
        for (const bad of ["text", 1, null, undefined, NaN, Symbol.for("registered")]) {
          assert.deepStrictEqual(refused(() => WeakSet.add(set, bad)), bad)
        }
        assert.strictEqual(WeakSet.size(set), 0)
      }
    })

    it("add adds nothing if hashing the element throws", () => {
      const { collect, pending, set } = setup<object>()
      const element = new Unhashable()
      assert.throws(() => WeakSet.add(set, element), "hashed")
      assert.throws(() => WeakSet.addAll(set, [a, element]), "hashed")
      assert.strictEqual(WeakSet.size(set), 0)
      collect(element, a)
      assert.strictEqual(pending(), 0)
    })

    it("has finds an equal element only with structural comparison, data first and piped", () => {
      const byStructure = setup([a]).set
      const byReference = setup([a], { compare: "reference" }).set
      assert.isTrue(WeakSet.has(byStructure, a2))
      assert.isTrue(pipe(byStructure, WeakSet.has(a2)))
      assert.isFalse(pipe(byReference, WeakSet.has(a2)))
      assert.isTrue(WeakSet.has(byReference, a))
    })

    it("has returns false for a value that cannot be an element", () => {
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

    it("add adds a removed element at the end", () => {
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

    it("pop skips dead elements and reclaims them", () => {
      const { collect, set } = setup([a, b, c])
      collect(a, c)
      assert.deepStrictEqual(WeakSet.pop(set), Option.some(b))
      assert.deepStrictEqual(WeakSet.pop(set), Option.none())
      assert.strictEqual(WeakSet.size(set), 0)
    })

    it("clear removes everything and returns the set, which stays usable", () => {
      for (const compare of compares) {
        const { collect, finalize, set } = setup([a, b], { compare })
        assert.strictEqual(WeakSet.clear(set), set)
        assert.strictEqual(WeakSet.size(set), 0)
        WeakSet.add(set, b)
        // A clean-up that was registered before the clear must not remove the new element.
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
      it(`${name} compute the right elements, data first and piped`, () => {
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

      it(`${name} accept any iterable`, () => {
        const others = [d, c, b]
        const generator = function*() {
          yield* others
        }
        for (const that of [others, new Set(others), setup(others).set, others.values(), generator()]) {
          assert.deepStrictEqual(ids(inPlace(setup([a, b, c]).set, that)).sort(), [...result])
        }
        assert.deepStrictEqual(ids(toNew(setup([a, b, c]).set, setup(others).set)).sort(), [...result])
      })

      it(`${name} use the heap and the comparison of the first set`, () => {
        const { collect, set } = setup([a], { compare: "reference" })
        const made = toNew(set, setup([a2]).set)
        WeakSet.addAll(made, [a, a2])
        assert.strictEqual(WeakSet.count(made), 2)
        collect(a, a2)
        assert.isTrue(WeakSet.isEmpty(made))
      })

      it(`${name} find equal elements with the comparison of the first set`, () => {
        const { set } = setup([a, b, c])
        assert.deepStrictEqual(ids(inPlace(set, [d, { id: 3 }, { id: 2 }, { id: 2 }])), [...result])
        assert.isTrue(Array.from(set).every((element) => [a, b, c, d].includes(element)))
      })

      it(`${name} change nothing if the second operand throws midway`, () => {
        const { set } = setup([a])
        assert.throws(() => inPlace(set, throwsMidway()), thrown.message)
        assert.throws(() => toNew(set, throwsMidway()), thrown.message)
        assert.isTrue(sameElements(set, [a]))
      })

      it(`${name} do not copy dead elements`, () => {
        const { collect, finalize, set } = setup([a, b])
        collect(b)
        assert.deepStrictEqual(ids(toNew(set, set)).includes(2), false)
        inPlace(set, set)
        finalize()
        assert.isFalse(ids(set).includes(2))
      })

      it(`${name} tolerate a second operand that changes the set while it is read`, () => {
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
        // Whatever the result is, the set has each element at most once, finds it, and removes it.
        for (const element of [three, new Colliding(3), four, one, two]) WeakSet.add(set, element)
        assert.deepStrictEqual(Array.from(set, ({ id }) => id).sort(), [1, 2, 3, 4])
        for (const element of [1, 2, 3, 4]) WeakSet.remove(set, new Colliding(element))
        assert.strictEqual(WeakSet.size(set), 0)
      })
    }

    it("the set itself can be the second operand", () => {
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

    it("addAll and toggleAll with one invalid element throw an error with this element, and change nothing", () => {
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

    it("removeAll and retainAll ignore a value that cannot be an element", () => {
      for (const compare of compares) {
        const { set } = setup<any>([a, b], { compare })
        WeakSet.removeAll(set, ["text", 1, a])
        WeakSet.retainAll(set, [null, undefined, b])
        assert.isTrue(sameElements(set, [b]))
      }
    })

    it("toggleAll toggles a repeated element once", () => {
      const { set } = setup([a])
      WeakSet.toggleAll(set, [a, b, a2, { id: 2 }])
      assert.isTrue(sameElements(set, [b]))
    })
  })

  describe("predicates", () => {
    const same = ["equals", "isSubset", "isSuperset"]
    const rows = [
      { name: "the same elements", self: [a, b], that: [b, a2], expected: same },
      { name: "the same elements, repeated", self: [a], that: [a, a2, a], expected: same },
      { name: "more elements", self: [a], that: [a2, b], expected: ["isSubset", "isProperSubset"] },
      { name: "fewer elements", self: [a, b], that: [a2], expected: ["isSuperset", "isProperSuperset"] },
      { name: "overlapping elements", self: [a, b], that: [b, c], expected: [] },
      { name: "other elements", self: [a], that: [b, c], expected: ["isDisjoint"] },
      { name: "no elements", self: [a], that: [], expected: ["isSuperset", "isProperSuperset", "isDisjoint"] },
      {
        name: "an element, if the set is empty",
        self: [],
        that: [a],
        expected: ["isSubset", "isProperSubset", "isDisjoint"]
      },
      { name: "no elements, if the set is empty", self: [], that: [], expected: [...same, "isDisjoint"] }
    ]
    for (const { expected, name, self, that } of rows) {
      it(`compare a set with ${name}, data first and piped`, () => {
        const { set } = setup(self)
        assert.deepStrictEqual(holding(set, () => that), expected)
        assert.deepStrictEqual(holding(set, () => new Set(that)), expected)
        assert.deepStrictEqual(holding(set, () => that.values()), expected)
        assert.deepStrictEqual(holding(set, () => setup(that, { compare: "reference" }).set), expected)
      })
    }

    it("ignore dead elements", () => {
      const { collect, set } = setup([a, b])
      collect(b)
      assert.deepStrictEqual(holding(set, () => [a]), same)
      assert.deepStrictEqual(holding(set, () => set), same)
    })

    it("compare by reference if the set compares by reference", () => {
      const { set } = setup([a], { compare: "reference" })
      assert.deepStrictEqual(holding(set, () => [a2]), ["isDisjoint"])
      assert.deepStrictEqual(holding(set, () => [a]), same)
    })

    it("differ from Equal and Hash, which use the identity of the set", () => {
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
    it("has the same elements, and changes independently of the set", () => {
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

    it("skips dead elements even before their clean-up", () => {
      const { collect, set } = setup([a, b, c])
      collect(b)
      assert.isTrue(sameElements(set, [a, c]))
      assert.strictEqual(Array.from(WeakSet.refs(set)).length, 2)
    })

    it("continues while elements are collected, removed and added between steps", () => {
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

    it("refs yields the shared references of the elements, on the heap of the set", () => {
      const { collect, heap, set } = setup([a, b])
      const refs = Array.from(WeakSet.refs(set))
      assert.strictEqual(refs[0], WeakRef.makeUnsafe(a, heap))
      collect(a)
      assert.deepStrictEqual(refs.map((ref) => WeakRef.deref(ref)), [Option.none(), Option.some(b)])
    })
  })

  describe("size, count and isEmpty", () => {
    it("size is an upper bound until the clean-up; count and isEmpty are exact", () => {
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
    it("prints the live elements as text, as JSON and in the inspector", () => {
      const { collect, set } = setup([a, b])
      collect(a)
      assert.strictEqual(String(set), `WeakSet([{"id":2}])`)
      assert.strictEqual(JSON.stringify(set), `{"_id":"WeakSet","values":[{"id":2}]}`)
      assert.strictEqual(inspect(set, { breakLength: Infinity }), `{ _id: 'WeakSet', values: [ { id: 2 } ] }`)
    })
  })

  describe("kinds of element", () => {
    it("symbols with the same description are different elements", () => {
      for (const compare of compares) {
        const [one, two, three] = [Symbol("same"), Symbol("same"), Symbol("same")]
        const { collect, finalize, set } = setup([one, two, three], { compare })
        WeakSet.remove(set, two)
        collect(one)
        finalize()
        assert.isTrue(sameElements(set, [three]))
      }
    })

    it("functions, frozen objects, cyclic objects and objects of another realm are elements", () => {
      for (const compare of compares) {
        const elements = [() => 1, () => 1, Object.freeze({ id: 1 }), cyclic(1), ...foreign("[{ id: 1 }, () => {}]")]
        const { collect, set } = setup<object>(elements, { compare })
        assert.isTrue(sameElements(set, elements))
        assert.isTrue(elements.every((element) => WeakSet.has(set, element)))
        collect(...elements)
        assert.isTrue(WeakSet.isEmpty(set))
      }
    })

    it("elements with the same hash have separate entries", () => {
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

    it("a dead reference that was hashed before its death is found as an element", () => {
      const { collect, heap, set } = setup<object>()
      const [ref, unhashed] = [WeakRef.makeUnsafe(a, heap), WeakRef.makeUnsafe(b, heap)]
      WeakSet.add(set, ref)
      collect(a, b)
      assert.isTrue(WeakSet.has(set, ref))
      assert.throws(() => WeakSet.add(set, unhashed), WeakError.UnhashableError)
      assert.isTrue(sameElements(set, [ref]))
    })

    it("looking up the element itself does not hash it", () => {
      const element = new HashSpy(0)
      const { set } = setup<object>([element])
      element.hashes = 0
      WeakSet.has(set, element)
      WeakSet.add(set, element)
      assert.strictEqual(element.hashes, 0)
      assert.isTrue(WeakSet.has(set, new Date(0)))
    })

    it("with comparison by reference, no operation hashes an element or reads its properties", () => {
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
    it("renewing a registry reclaims dead entries at once", () => {
      for (const compare of compares) {
        const { collect, set } = setup([a, b], { compare })
        collect(a)
        assert.strictEqual(WeakSet.size(set), 2)
        for (let i = 0; i < 100; i++) WeakSet.add(WeakSet.remove(set, c), c)
        assert.strictEqual(WeakSet.size(set), 2)
        assert.strictEqual(WeakSet.count(set), 2)
      }
    })

    it("an element that was removed and added again leaves the set when it dies", () => {
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

describe("the registry of a set", () => {
  it("is replaced when most of its registrations are stale, and not before", () => {
    const { collect, finalize, heap, made } = countingHeap()
    const set = WeakSet.makeUnsafe<object>({ compare: "reference" }, heap)
    const elements = Array.from({ length: 100 }, () => ({}))
    WeakSet.addAll(set, elements)
    collect(...elements.splice(0, 50))
    finalize()
    assert.strictEqual(WeakSet.size(set), 50)
    // 50 registrations are left. Each removal makes one of them stale.
    for (let removed = 1; removed <= 29; removed++) WeakSet.remove(set, elements.pop()!)
    assert.deepStrictEqual(made, [100])
    WeakSet.remove(set, elements.pop()!)
    assert.deepStrictEqual(made, [100, 20])
    WeakSet.clear(set)
    WeakSet.add(set, elements[0]!)
    assert.deepStrictEqual(made, [100, 20, 1])
  })
})

testDual("WeakSet")

describe("a comparison with an iterable", () => {
  const [a, b, c, d] = [{}, {}, {}, {}]
  /** Elements that are counted as they are read. */
  const counted = (...elements: ReadonlyArray<object>) => {
    const state = { read: 0 }
    const iterable = (function*() {
      for (const element of elements) {
        state.read++
        yield element
      }
    })()
    return { state, iterable }
  }

  it("reads no more than it needs", () => {
    for (
      const [compare, elements, expected, read] of [
        [WeakSet.equals, [a, c, b, d], false, 2],
        [WeakSet.equals, [b, a, b, a], true, 4],
        [WeakSet.isProperSuperset, [c, a, b], false, 1],
        [WeakSet.isProperSuperset, [a, a], true, 2],
        [WeakSet.isSuperset, [a, d, b], false, 2],
        [WeakSet.isSuperset, [a, b, a], true, 3],
        [WeakSet.isDisjoint, [c, b, d], false, 2],
        [WeakSet.isDisjoint, [c, d], true, 2],
        [WeakSet.isSubset, [c, a, b, d], true, undefined],
        [WeakSet.isSubset, [a, c], false, 2],
        [WeakSet.isProperSubset, [a, b, c], true, 3],
        [WeakSet.isProperSubset, [a, b], false, 2]
      ] as const
    ) {
      const set = WeakSet.makeUnsafe<object>()
      WeakSet.addAll(set, [a, b])
      const { iterable, state } = counted(...elements)
      assert.strictEqual(compare(set, iterable), expected)
      if (read !== undefined) assert.strictEqual(state.read, read)
    }
  })
})
