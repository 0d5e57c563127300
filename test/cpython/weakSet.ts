import { assert } from "@effect/vitest"
import { Effect, Equal, Hash, HashSet, Option } from "effect"
import { WeakError, WeakRef, WeakSet } from "../../src/index.ts"
import { collectUntil, tolerated } from "../support/realHeap.ts"
import { cannot, effect, nextTurn, Obj, onBothHeaps, sync, type Table } from "./entry.ts"

/** Python compares keys and elements with `==`. */
const structural = { compare: "structural" } as const

/** Creates one element per letter. Elements are equal if their letters are equal. */
const letters = (text: string): Array<Obj> => Array.from(text, (arg) => new Obj({ arg }))
const setOf = (elements: Iterable<Obj>): WeakSet.WeakSet<Obj> =>
  Effect.runSync(WeakSet.fromIterable(elements, structural))
const textOf = (set: Iterable<Obj>): string => Array.from(set, ({ arg }) => arg).sort().join("")

const items = letters("abc")
const items2 = letters("xyz")
const alphabet = letters("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
const ab = letters("ab")
const abcde = letters("abcde")
const def = letters("def")

/** Returns several kinds of iterables of the same elements. */
const forms = (elements: ReadonlyArray<Obj>): Array<Iterable<Obj>> => [
  elements,
  new Set(elements),
  new Map(elements.map((element) => [element, 1])).keys(),
  HashSet.fromIterable(elements),
  setOf(elements)
]

const notAnElement = [[]] as unknown as Iterable<Obj>
const primitive = ["a"] as unknown as Iterable<Obj>

type Operation = (self: WeakSet.WeakSet<Obj>, that: Iterable<Obj>) => WeakSet.WeakSet<Obj>

/** Checks that an operation returns a new set and does not change the old set, for each kind of operand. */
const makesNew = (operation: Operation, that: ReadonlyArray<Obj>, expected: string) => {
  for (const form of forms(that)) {
    const set = setOf(items)
    const made = operation(set, form)
    assert.strictEqual(textOf(made), expected)
    assert.isTrue(WeakSet.isWeakSet(made))
    assert.strictEqual(textOf(set), "abc")
    for (const letter of alphabet) assert.strictEqual(WeakSet.has(made, letter), expected.includes(String(letter.arg)))
  }
}

/** Checks that an operation changes the set and returns it, for each kind of operand. */
const changes = (operation: Operation, that: ReadonlyArray<Obj>, expected: string) => {
  for (const form of forms(that)) {
    const set = setOf(items)
    assert.strictEqual(operation(set, form), set)
    assert.strictEqual(textOf(set), expected)
  }
}

const refuses = (operation: () => unknown) => assert.throws(operation, WeakError.NotWeakReferenceableError)

export const TestWeakSet: Table<"TestWeakSet"> = {
  test_methods: sync(() => {
    const methods = {
      add: WeakSet.add,
      clear: WeakSet.clear,
      copy: WeakSet.copy,
      difference: WeakSet.difference,
      difference_update: WeakSet.removeAll,
      discard: WeakSet.remove,
      intersection: WeakSet.intersection,
      intersection_update: WeakSet.retainAll,
      isdisjoint: WeakSet.isDisjoint,
      issubset: WeakSet.isSubset,
      issuperset: WeakSet.isSuperset,
      pop: WeakSet.pop,
      remove: WeakSet.remove,
      symmetric_difference: WeakSet.symmetricDifference,
      symmetric_difference_update: WeakSet.toggleAll,
      union: WeakSet.union,
      update: WeakSet.addAll
    }
    for (const [name, method] of Object.entries(methods)) assert.isFunction(method, name)
  }),

  test_new_or_init: cannot(
    "JavaScript functions ignore additional arguments, and the types reject them"
  ),

  test_len: onBothHeaps((world) =>
    Effect.gen(function*() {
      assert.strictEqual(WeakSet.size(setOf(items)), 3)
      const set = yield* world.with("F", (element) => WeakSet.fromIterable([element], structural))
      assert.strictEqual(WeakSet.size(set), 1)
      yield* world.die("F")
      assert.strictEqual(WeakSet.size(set), 0)
    })
  ),

  test_contains: onBothHeaps((world) =>
    Effect.gen(function*() {
      const abc = setOf(items)
      for (const letter of alphabet) assert.strictEqual(WeakSet.has(abc, letter), "abc".includes(String(letter.arg)))
      assert.isFalse(WeakSet.has(abc, 1 as unknown as Obj))
      const set = yield* world.with("F", (element) => WeakSet.fromIterable([element], structural))
      assert.isTrue(yield* world.sync("F", (element) => WeakSet.has(set, element)))
      yield* world.die("F")
      assert.isFalse(WeakSet.has(set, new Obj({ arg: "F" })))
    })
  ),

  test_union: onBothHeaps((world) =>
    Effect.gen(function*() {
      makesNew(WeakSet.union, items2, "abcxyz")
      refuses(() => WeakSet.union(setOf(items), primitive))
      assert.strictEqual(WeakSet.count(WeakSet.union(setOf(items), notAnElement)), 4)
      // The new set holds its elements weakly too.
      const abc = yield* WeakSet.fromIterable(items, structural)
      const union = yield* world.sync("z", (z) => WeakSet.union(abc, [z]))
      assert.strictEqual(textOf(union), "abcz")
      yield* world.die("z")
      assert.strictEqual(textOf(union), "abc")
    })
  ),
  test_or: sync(() => makesNew(WeakSet.union, items2, "abcxyz")),

  test_intersection: effect(() =>
    Effect.gen(function*() {
      makesNew(WeakSet.intersection, items2, "")
      makesNew(WeakSet.intersection, letters("bcd"), "bc")
      // The elements of the new set are those of the first set, and the new set holds them weakly.
      const make = () => WeakSet.intersection(setOf(items), [items[0]!, items[1]!])
      const own = () => WeakSet.intersection(setOf(letters("ab")), items)
      const [first] = make()
      assert.strictEqual(first, items[0])
      const ownOnly = own()
      assert.isTrue(yield* collectUntil(() => WeakSet.isEmpty(ownOnly)))
    })
  ),
  test_and: sync(() => makesNew(WeakSet.intersection, letters("cbz"), "bc")),

  test_isdisjoint: sync(() => {
    for (const form of forms(items2)) assert.isTrue(WeakSet.isDisjoint(setOf(items), form))
    for (const form of forms(alphabet)) assert.isFalse(WeakSet.isDisjoint(setOf(items), form))
  }),

  test_difference: sync(() => {
    makesNew(WeakSet.difference, items2, "abc")
    makesNew(WeakSet.difference, letters("bz"), "ac")
    // A value that cannot be an element is ignored.
    assert.strictEqual(textOf(WeakSet.difference(setOf(items), primitive)), "abc")
  }),
  test_sub: sync(() => makesNew(WeakSet.difference, letters("cba"), "")),

  test_symmetric_difference: effect(() =>
    Effect.gen(function*() {
      makesNew(WeakSet.symmetricDifference, items2, "abcxyz")
      makesNew(WeakSet.symmetricDifference, letters("bcd"), "ad")
      refuses(() => WeakSet.symmetricDifference(setOf(items), primitive))
      const make = () => WeakSet.symmetricDifference(setOf(items), letters("cd"))
      const weak = make()
      assert.isTrue(yield* collectUntil(() => textOf(weak) === "ab"))
    })
  ),
  test_xor: sync(() => makesNew(WeakSet.symmetricDifference, letters("abcd"), "d")),

  test_sub_and_super: sync(() => {
    assert.isTrue(WeakSet.isSubset(setOf(ab), setOf(abcde)))
    assert.isTrue(WeakSet.isSubset(setOf(abcde), setOf(abcde)))
    assert.isTrue(WeakSet.isSuperset(setOf(abcde), setOf(ab)))
    assert.isFalse(WeakSet.isSubset(setOf(abcde), setOf(def)))
    assert.isFalse(WeakSet.isSuperset(setOf(abcde), setOf(def)))
    assert.isTrue(WeakSet.isSubset(setOf(ab), abcde))
    assert.isTrue(WeakSet.isSuperset(setOf(abcde), ab))
  }),

  test_lt: sync(() => {
    assert.isTrue(WeakSet.isProperSubset(setOf(ab), setOf(abcde)))
    assert.isFalse(WeakSet.isProperSubset(setOf(abcde), setOf(def)))
    assert.isFalse(WeakSet.isProperSubset(setOf(ab), setOf(ab)))
    assert.isFalse(WeakSet.isProperSubset(setOf([]), setOf([])))
  }),

  test_gt: sync(() => {
    assert.isTrue(WeakSet.isProperSuperset(setOf(abcde), setOf(ab)))
    assert.isFalse(WeakSet.isProperSuperset(setOf(abcde), setOf(def)))
    assert.isFalse(WeakSet.isProperSuperset(setOf(ab), setOf(ab)))
    assert.isFalse(WeakSet.isProperSuperset(setOf([]), setOf([])))
  }),

  test_gc: effect(() =>
    Effect.gen(function*() {
      // Each element refers to its set, to itself, and to a set that contains only this element.
      const make = () => {
        const elements = Array.from({ length: 1000 }, (): Record<string, object> => ({}))
        const set = Effect.runSync(WeakSet.fromIterable(elements, { compare: "reference" }))
        for (const element of elements) {
          element.cycle = set
          element.sub = element
          element.set = Effect.runSync(WeakSet.fromIterable([element], { compare: "reference" }))
        }
        return [WeakRef.makeUnsafe(set), WeakRef.makeUnsafe(elements[0]!), WeakRef.makeUnsafe(elements[0]!.set!)]
      }
      const refs = make()
      assert.isTrue(yield* collectUntil(() => !refs.some(WeakRef.isAlive)))
    })
  ),

  test_subclass_with_custom_hash: sync(() => {
    // There is no class to extend, but a set already hashes by identity.
    const set = setOf(items)
    let sets = HashSet.make(set)
    assert.isTrue(HashSet.has(sets, set))
    sets = HashSet.add(HashSet.remove(sets, set), set)
    assert.isTrue(HashSet.has(sets, set))
    assert.isFalse(HashSet.has(sets, setOf(items)))
  }),

  test_init: cannot("Functions create a set, and no function initializes an existing set again"),

  test_constructor_identity: sync(() => {
    const set = setOf(items)
    assert.notStrictEqual(setOf(set), set)
  }),

  test_hash: sync(() => {
    // Python forbids hashing, because equal sets would have equal hashes and can change. Here sets are equal by
    // identity.
    const set = setOf(items)
    const hash = Hash.hash(set)
    assert.strictEqual(Hash.hash(WeakSet.add(set, items2[0]!)), hash)
    assert.isFalse(Equal.equals(set, WeakSet.copy(set)))
  }),

  test_clear: sync(() => {
    const set = WeakSet.clear(setOf(items))
    assert.isTrue(WeakSet.equals(set, []))
    assert.strictEqual(WeakSet.size(set), 0)
  }),

  test_copy: sync(() => {
    const set = setOf(items)
    const copy = WeakSet.copy(set)
    assert.isTrue(WeakSet.equals(set, copy))
    assert.notStrictEqual(set, copy)
  }),

  test_add: onBothHeaps((world) =>
    Effect.gen(function*() {
      const set = setOf(items)
      const [q] = letters("Q")
      assert.isTrue(WeakSet.has(WeakSet.add(set, q!), q!))
      const copy = WeakSet.copy(set)
      WeakSet.add(set, q!)
      assert.isTrue(WeakSet.equals(set, copy))
      refuses(() => WeakSet.add(set, "Q" as unknown as Obj))
      const weak = yield* WeakSet.make<Obj>(structural)
      yield* world.sync("x", (x) => void WeakSet.add(weak, x))
      yield* world.sync("y", (y) => void WeakSet.add(weak, y))
      yield* world.die("x")
      assert.strictEqual(WeakSet.size(weak), 1)
      yield* world.sync("y", (y) => void WeakSet.add(weak, y))
      assert.strictEqual(WeakSet.size(weak), 1)
    })
  ),

  test_remove: sync(() => {
    const set = setOf(items)
    const [a] = letters("a")
    assert.isFalse(WeakSet.has(WeakSet.remove(set, a!), a!))
    // Here `remove` is like Python's `discard`: it does nothing if the element is missing.
    assert.strictEqual(textOf(WeakSet.remove(set, a!)), "bc")
    assert.strictEqual(textOf(WeakSet.remove(set, "b" as unknown as Obj)), "bc")
  }),

  test_discard: sync(() => {
    const set = setOf(items)
    for (const letter of letters("aQ")) assert.isFalse(WeakSet.has(WeakSet.remove(set, letter), letter))
    assert.strictEqual(textOf(set), "bc")
  }),

  test_pop: sync(() => {
    const set = setOf(items)
    for (let i = 0; i < 3; i++) {
      const element = Option.getOrThrow(WeakSet.pop(set))
      assert.isFalse(WeakSet.has(set, element))
    }
    assert.deepStrictEqual(WeakSet.pop(set), Option.none())
  }),

  test_update: sync(() => {
    changes(WeakSet.addAll, items2, "abcxyz")
    const set = setOf(items)
    refuses(() => WeakSet.addAll(set, [...items2, ...primitive]))
    assert.strictEqual(textOf(set), "abc")
  }),
  test_update_set: sync(() => changes(WeakSet.addAll, letters("cxyz"), "abcxyz")),
  test_ior: sync(() => changes(WeakSet.addAll, letters("abc"), "abc")),

  test_intersection_update: sync(() => {
    changes(WeakSet.retainAll, items2, "")
    changes(WeakSet.retainAll, letters("zcb"), "bc")
  }),
  test_iand: sync(() => changes(WeakSet.retainAll, letters("abc"), "abc")),

  test_difference_update: sync(() => {
    changes(WeakSet.removeAll, items2, "abc")
    changes(WeakSet.removeAll, letters("zcb"), "a")
  }),
  test_isub: sync(() => changes(WeakSet.removeAll, letters("abc"), "")),

  test_symmetric_difference_update: sync(() => {
    changes(WeakSet.toggleAll, items2, "abcxyz")
    changes(WeakSet.toggleAll, letters("zcb"), "az")
    const set = setOf(items)
    refuses(() => WeakSet.toggleAll(set, [...letters("ax"), ...primitive]))
    assert.strictEqual(textOf(set), "abc")
  }),
  test_ixor: sync(() => changes(WeakSet.toggleAll, letters("abc"), "")),

  test_inplace_on_self: sync(() => {
    const set = setOf(items)
    assert.strictEqual(textOf(WeakSet.addAll(set, set)), "abc")
    assert.strictEqual(textOf(WeakSet.retainAll(set, set)), "abc")
    assert.strictEqual(textOf(WeakSet.removeAll(set, set)), "")
    const again = setOf(items)
    assert.strictEqual(textOf(WeakSet.toggleAll(again, again)), "")
  }),

  test_eq: sync(() => {
    const set = setOf(items)
    assert.isTrue(WeakSet.equals(set, set))
    assert.isTrue(WeakSet.equals(set, setOf(letters("cba"))))
    assert.isFalse(WeakSet.equals(set, setOf(ab)))
    assert.isFalse(WeakSet.equals(set, setOf(abcde)))
    for (const other of [new Set(items), items, HashSet.fromIterable(items), 1]) {
      assert.isFalse(Equal.equals(set, other))
    }
  }),

  test_ne: sync(() => {
    assert.isFalse(WeakSet.equals(setOf(items), items2))
    assert.isFalse(WeakSet.equals(setOf(items), []))
    assert.isTrue(WeakSet.equals(setOf([]), setOf([])))
  }),

  test_weak_destroy_while_iterating: onBothHeaps((world) =>
    Effect.gen(function*() {
      const set = yield* world.withAll(["a", "b", "c"], (elements) => WeakSet.fromIterable(elements, structural))
      const iterator = WeakSet.values(set)
      assert.isFalse(yield* Effect.sync(() => iterator.next().done))
      yield* world.die("c")
      assert.strictEqual(textOf({ [Symbol.iterator]: () => iterator }), "b")
      assert.strictEqual(WeakSet.size(set), 2)
    })
  ),

  test_weak_destroy_and_mutate_while_iterating: onBothHeaps((world) =>
    Effect.gen(function*() {
      const names = ["a", "b", "c", "d", "e", "f", "g"]
      const set = yield* world.withAll(names, (elements) => WeakSet.fromIterable(elements, structural))
      // Starts an iterator, collects an element, and returns another element that is equal to it.
      const context = Effect.fnUntraced(function*() {
        const name = names.pop()!
        const iterator = WeakSet.values(set)
        yield* Effect.sync(() => void iterator.next())
        yield* world.die(name)
        return { iterator, again: new Obj({ arg: name }) }
      })
      const first = yield* context()
      assert.isFalse(WeakSet.has(set, first.again))
      const second = yield* context()
      assert.strictEqual(textOf(WeakSet.remove(set, second.again)), "abcde")
      const third = yield* context()
      WeakSet.add(set, third.again)
      assert.isTrue(WeakSet.has(set, third.again))
      assert.strictEqual(textOf({ [Symbol.iterator]: () => third.iterator }), "bcde")
      const fourth = yield* context()
      WeakSet.addAll(set, WeakSet.copy(set))
      assert.strictEqual(WeakSet.size(set), 4)
      assert.isFalse(WeakSet.has(set, fourth.again))
      const fifth = yield* context()
      WeakSet.clear(set)
      assert.strictEqual(WeakSet.size(set), 0)
      for (const { iterator } of [first, second, fourth, fifth]) assert.isTrue(iterator.next().done)
    })
  ),

  test_len_cycles: effect(() =>
    Effect.gen(function*() {
      const make = () => {
        const elements = Array.from({ length: 20 }, () => {
          const element: Record<string, object> = {}
          element.cycle = element
          return element
        })
        const set = Effect.runSync(WeakSet.fromIterable<object>(elements, { compare: "reference" }))
        const iterator = WeakSet.values(set)
        iterator.next()
        return { set, iterator }
      }
      const { iterator, set } = make()
      // A paused iterator keeps no element alive.
      assert.isTrue(yield* collectUntil(() => WeakSet.size(set) === 0))
      assert.isTrue(iterator.next().done)
    })
  ),

  test_len_race: effect(() =>
    Effect.gen(function*() {
      const make = () => {
        const set = WeakSet.makeUnsafe<object>({ compare: "reference" })
        for (let n = 0; n < 20; n++) WeakSet.add(set, { n })
        return set
      }
      for (let round = 0; round < 10; round++) {
        const set = make()
        yield* nextTurn
        // The elements are dead, but not reclaimed yet.
        globalThis.gc!()
        const before = WeakSet.size(set)
        assert.isAtMost(WeakSet.count(set), tolerated)
        assert.strictEqual(WeakSet.isEmpty(set), WeakSet.count(set) === 0)
        yield* nextTurn
        const after = WeakSet.size(set)
        assert.isTrue(0 <= after && after <= before && before <= 20)
      }
    })
  ),

  test_repr: sync(() => {
    const set = setOf(letters("a"))
    assert.match(String(set), /^WeakSet\(.*"a".*\)$/s)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(set)), { _id: "WeakSet", values: [{ arg: "a" }] })
  }),

  test_abc: sync(() => {
    assert.isTrue(WeakSet.isWeakSet(setOf([])))
    assert.isFalse(WeakSet.isWeakSet(new Set()))
    assert.isFalse(WeakSet.isWeakSet(new globalThis.WeakSet()))
  }),

  test_copying: cannot(
    "CPython tests the attributes of instances and subclasses; a set has no attributes and no public class"
  )
}
