import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Exit, Hash, MutableHashMap, Option, pipe } from "effect"
import { inspect } from "node:util"
import { WeakError, WeakKeyMap, WeakRef, WeakValueMap } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { testDual } from "./support/dual.ts"
import { Colliding, cyclic, foreign, HashSpy, hostile, Meddling, Unhashable } from "./support/keys.ts"
import { compares } from "./support/models.ts"

interface Id {
  readonly id: number
}

/** Creates a map with these entries on a test heap. */
const setup = <K = string, V extends WeakKey = Id>(
  entries: Iterable<readonly [K, V]> = [],
  options?: { readonly compare: "structural" | "reference" }
) => {
  const testHeap = TestHeap.makeUnsafe()
  const map = WeakValueMap.makeUnsafe<K, V>(options, testHeap.heap)
  return { ...testHeap, map: WeakValueMap.setAll(map, entries) }
}

const [one, two, three] = [{ id: 1 }, { id: 2 }, { id: 3 }]

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

const throwing = (): never => {
  throw thrown
}

const throwsMidway = function*(): Generator<[string, Id]> {
  yield ["a", one]
  throw thrown
}

/** Compares by identity, because to read a property of a hostile value throws. */
const gives = (option: Option.Option<unknown>, value: unknown): boolean =>
  Option.isSome(option) && Object.is(option.value, value)

describe("WeakValueMap", () => {
  describe("constructors", () => {
    it.effect("make creates an empty map on the heap of the context", () =>
      Effect.gen(function*() {
        const map = yield* WeakValueMap.make<string, Id>()
        assert.isTrue(WeakValueMap.isEmpty(map))
        WeakValueMap.set(map, "a", one)
        yield* TestHeap.collect(one)
        assert.isTrue(WeakValueMap.isEmpty(map))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("make uses the given comparison", () =>
      Effect.gen(function*() {
        const map = yield* WeakValueMap.make<Id, Id>({ compare: "reference" })
        assert.isFalse(WeakValueMap.has(WeakValueMap.set(map, { id: 1 }, one), { id: 1 }))
      }))

    it.effect("makeUnsafe creates a map on the host's heap", () =>
      Effect.gen(function*() {
        const map = WeakValueMap.set(WeakValueMap.makeUnsafe<string, Id>(), "a", one)
        yield* TestHeap.collect(one)
        assert.isTrue(WeakValueMap.has(map, "a"))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("fromIterable keeps the order of the entries, the first of equal keys and the last value", () =>
      Effect.gen(function*() {
        const key = { id: 0 }
        const map = yield* WeakValueMap.fromIterable([[key, one], [{ id: 9 }, two], [{ id: 0 }, three]])
        assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [three, two])
        assert.strictEqual(Array.from(WeakValueMap.keys(map))[0], key)
      }))

    it.effect("fromIterable uses the given comparison and the heap of the context", () =>
      Effect.gen(function*() {
        const map = yield* WeakValueMap.fromIterable([[{ id: 0 }, one], [{ id: 0 }, two]], { compare: "reference" })
        assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [one, two])
        yield* TestHeap.collect(one)
        assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [two])
      }).pipe(Effect.provide(TestHeap.layer)))

    for (const compare of compares) {
      it.effect(`fromIterable with one invalid entry fails with the invalid value, and registers nothing (${compare})`, () =>
        Effect.gen(function*() {
          for (const bad of ["text", 1, null, undefined, Symbol.for("registered")]) {
            const entries = [["a", one], ["b", bad as unknown as Id], ["c", two]] as const
            const error = yield* Effect.flip(WeakValueMap.fromIterable(entries, { compare }))
            assert.instanceOf(error, WeakError.NotWeakReferenceableError)
            assert.strictEqual(error.value, bad)
          }
          yield* TestHeap.collect(one, two)
          assert.strictEqual(yield* TestHeap.pending, 0)
        }).pipe(Effect.provide(TestHeap.layer)))
    }

    it.effect("fromIterable dies with the error of its iterable", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(WeakValueMap.fromIterable(throwsMidway()))
        assert.deepStrictEqual(exit, Exit.die(thrown))
        yield* TestHeap.collect(one)
        assert.strictEqual(yield* TestHeap.pending, 0)
      }).pipe(Effect.provide(TestHeap.layer)))

    it("isWeakValueMap accepts maps and rejects other values", () => {
      assert.isTrue(WeakValueMap.isWeakValueMap(setup().map))
      for (const other of [WeakKeyMap.makeUnsafe(), new Map(), MutableHashMap.empty(), {}, null, undefined, 1]) {
        assert.isFalse(WeakValueMap.isWeakValueMap(other))
      }
    })
  })

  describe("get and has", () => {
    it("find the value of a key only while it is alive, data first and piped", () => {
      const { collect, map } = setup([["a", one], ["b", two]])
      assert.deepStrictEqual(WeakValueMap.get(map, "a"), Option.some(one))
      assert.deepStrictEqual(pipe(map, WeakValueMap.get("b")), Option.some(two))
      assert.deepStrictEqual(map.pipe(WeakValueMap.get("c")), Option.none())
      assert.isTrue(WeakValueMap.has(map, "a"))
      assert.isTrue(pipe(map, WeakValueMap.has("b")))
      assert.isFalse(map.pipe(WeakValueMap.has("c")))
      collect(one)
      assert.deepStrictEqual(WeakValueMap.get(map, "a"), Option.none())
      assert.isFalse(WeakValueMap.has(map, "a"))
    })

    it("find an equal key only with structural comparison", () => {
      const byStructure = setup([[{ id: 0 }, one]]).map
      const byReference = setup([[{ id: 0 }, one]], { compare: "reference" }).map
      assert.deepStrictEqual(WeakValueMap.get(byStructure, { id: 0 }), Option.some(one))
      assert.deepStrictEqual(WeakValueMap.get(byReference, { id: 0 }), Option.none())
      assert.isTrue(WeakValueMap.has(byStructure, { id: 0 }))
      assert.isFalse(WeakValueMap.has(byReference, { id: 0 }))
    })
  })

  describe("set", () => {
    it("inserts or replaces, and returns the map, data first and piped", () => {
      const { map } = setup()
      assert.strictEqual(WeakValueMap.set(map, "a", one), map)
      assert.strictEqual(pipe(map, WeakValueMap.set("b", two)), map)
      assert.strictEqual(map.pipe(WeakValueMap.set("a", three)), map)
      assert.deepStrictEqual(Array.from(map), [["a", three], ["b", two]])
    })

    it("with an equal key keeps the first key and its position, and replaces the value", () => {
      const key = { id: 0 }
      const { collect, finalize, map } = setup<unknown>([[key, one], ["b", two]])
      WeakValueMap.set(map, { id: 0 }, three)
      assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [three, two])
      assert.strictEqual(Array.from(WeakValueMap.keys(map))[0], key)
      // The clean-up of the replaced value must not remove the entry.
      collect(one)
      finalize()
      assert.deepStrictEqual(WeakValueMap.get(map, key), Option.some(three))
    })

    it("compares functions that implement Equal by structure", () => {
      const keyOf = (id: number) =>
        Object.assign(() => id, {
          [Equal.symbol]: (that: () => number) => that() === id,
          [Hash.symbol]: () => id
        })
      const { map } = setup<unknown>([[keyOf(1), one], [keyOf(2), two]])
      WeakValueMap.set(map, keyOf(1), three)
      assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [three, two])
    })

    it("inserts a removed key at the end", () => {
      for (const compare of compares) {
        const { map } = setup([["a", one], ["b", two]], { compare })
        WeakValueMap.set(WeakValueMap.remove(map, "a"), "a", three)
        assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [two, three])
      }
    })

    it("inserts a new entry with the new key at the end if the value of the equal key is dead", () => {
      const key = { id: 0 }
      for (const [finalizeFirst, old] of [[true, { id: 0 }], [false, { id: 0 }], [false, key]] as const) {
        const { collect, finalize, map } = setup<unknown>([[old, one], ["b", two]])
        collect(one)
        if (finalizeFirst) finalize()
        WeakValueMap.set(map, key, three)
        // The late clean-up of the dead entry must not remove the new entry.
        finalize()
        assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [two, three])
        assert.strictEqual(Array.from(WeakValueMap.keys(map))[1], key)
        assert.deepStrictEqual(WeakValueMap.get(map, { id: 0 }), Option.some(three))
        assert.strictEqual(WeakValueMap.size(map), 2)
      }
    })

    it("all entries of a value end when the value dies", () => {
      const { collect, finalize, map } = setup([["a", one], ["b", one], ["c", two]])
      collect(one)
      assert.deepStrictEqual(Array.from(map), [["c", two]])
      finalize()
      assert.strictEqual(WeakValueMap.size(map), 1)
    })

    it("rejects an invalid value with an error that has this value, and changes nothing", () => {
      for (const compare of compares) {
        const { map } = setup<string, any>([["a", one]], { compare })
        for (const bad of ["text", 1, null, undefined, NaN, Symbol.for("registered")]) {
          for (const key of ["a", "b"]) {
            assert.deepStrictEqual(refused(() => WeakValueMap.set(map, key, bad)), bad)
            assert.deepStrictEqual(refused(() => WeakValueMap.modifyAt(map, key, () => Option.some(bad))), bad)
          }
          assert.deepStrictEqual(refused(() => WeakValueMap.getOrSet(map, "b", () => bad)), bad)
          assert.deepStrictEqual(refused(() => WeakValueMap.modify(map, "a", () => bad)), bad)
        }
        assert.deepStrictEqual(Array.from(map), [["a", one]])
      }
    })

    it("inserts nothing if hashing the key throws", () => {
      const { collect, map, pending } = setup<unknown>()
      const key = new Unhashable()
      assert.throws(() => WeakValueMap.set(map, key, one), "hashed")
      assert.throws(() => WeakValueMap.setAll(map, [["a", one], [key, two]]), "hashed")
      assert.throws(() => WeakValueMap.getOrSet(map, key, () => one), "hashed")
      assert.strictEqual(WeakValueMap.size(map), 0)
      collect(one, two)
      assert.strictEqual(pending(), 0)
    })
  })

  describe("remove, pop, popEntry and clear", () => {
    it("remove removes the entry and returns the map, data first and piped", () => {
      const { map } = setup<unknown>([["a", one], [{ id: 0 }, two], ["c", three]])
      assert.strictEqual(WeakValueMap.remove(map, "a"), map)
      assert.strictEqual(pipe(map, WeakValueMap.remove({ id: 0 })), map)
      assert.strictEqual(map.pipe(WeakValueMap.remove("a")), map)
      assert.deepStrictEqual(Array.from(map), [["c", three]])
    })

    it("remove reclaims a dead entry", () => {
      const { collect, map } = setup([["a", one]])
      collect(one)
      WeakValueMap.remove(map, "a")
      assert.strictEqual(WeakValueMap.size(map), 0)
    })

    it("pop removes the entry and returns its value, data first and piped", () => {
      const { collect, map } = setup([["a", one], ["b", two], ["c", three]])
      assert.deepStrictEqual(WeakValueMap.pop(map, "a"), Option.some(one))
      assert.deepStrictEqual(WeakValueMap.pop(map, "a"), Option.none())
      assert.deepStrictEqual(pipe(map, WeakValueMap.pop("b")), Option.some(two))
      collect(three)
      assert.deepStrictEqual(WeakValueMap.pop(map, "c"), Option.none())
      assert.strictEqual(WeakValueMap.size(map), 0)
    })

    it("popEntry removes the entries in insertion order", () => {
      const { map } = setup([["a", one], ["b", two]])
      assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.some(["a", one]))
      WeakValueMap.set(map, "c", three)
      WeakValueMap.set(map, "a", one)
      // An entry whose value is replaced keeps its position.
      WeakValueMap.set(map, "b", one)
      assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.some(["b", one]))
      assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.some(["c", three]))
      assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.some(["a", one]))
      assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.none())
      WeakValueMap.set(map, "b", two)
      assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.some(["b", two]))
    })

    it("popEntry skips dead entries and reclaims them", () => {
      const { collect, map } = setup([["a", one], ["b", two], ["c", three]])
      collect(one, three)
      assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.some(["b", two]))
      assert.deepStrictEqual(WeakValueMap.popEntry(map), Option.none())
      assert.strictEqual(WeakValueMap.size(map), 0)
    })

    it("clear removes everything and returns the map, which stays usable", () => {
      for (const compare of compares) {
        const { collect, finalize, map } = setup([["a", one], ["b", two]], { compare })
        assert.strictEqual(WeakValueMap.clear(map), map)
        assert.strictEqual(WeakValueMap.size(map), 0)
        assert.isFalse(WeakValueMap.has(map, "a"))
        WeakValueMap.set(map, "a", three)
        // A clean-up that was registered before the clear must not remove the new entry.
        collect(one)
        finalize()
        assert.deepStrictEqual(Array.from(map), [["a", three]])
      }
    })
  })

  describe("getOrSet, modify and modifyAt", () => {
    it("getOrSet calls make only if there is no live value, data first and piped", () => {
      const { collect, map } = setup([["a", one]])
      assert.strictEqual(WeakValueMap.getOrSet(map, "a", throwing), one)
      assert.strictEqual(WeakValueMap.getOrSet(map, "b", () => two), two)
      collect(one)
      assert.strictEqual(pipe(map, WeakValueMap.getOrSet("a", () => three)), three)
      assert.deepStrictEqual(Array.from(map), [["b", two], ["a", three]])
    })

    it("getOrSet inserts nothing if make throws", () => {
      const { map } = setup()
      assert.throws(() => WeakValueMap.getOrSet(map, "a", throwing), thrown.message)
      assert.strictEqual(WeakValueMap.size(map), 0)
    })

    it("getOrSet keeps the first value, even if make sets the same key", () => {
      const { map } = setup()
      const value = WeakValueMap.getOrSet(map, "a", () => {
        WeakValueMap.set(map, "a", one)
        return two
      })
      assert.strictEqual(value, one)
      assert.deepStrictEqual(Array.from(map), [["a", one]])
    })

    it("modify replaces a live value, data first and piped", () => {
      const { collect, map } = setup([["a", one]])
      assert.strictEqual(WeakValueMap.modify(map, "a", (value) => value === one ? two : three), map)
      assert.strictEqual(pipe(map, WeakValueMap.modify("a", (value) => value === two ? three : one)), map)
      assert.deepStrictEqual(Array.from(map), [["a", three]])
      assert.strictEqual(WeakValueMap.modify(map, "b", throwing), map)
      collect(three)
      assert.strictEqual(WeakValueMap.modify(map, "a", throwing), map)
    })

    it("modify and modifyAt change nothing if the function throws", () => {
      const { map } = setup([["a", one]])
      assert.throws(() => WeakValueMap.modify(map, "a", throwing), thrown.message)
      assert.throws(() => WeakValueMap.modifyAt(map, "a", throwing), thrown.message)
      assert.deepStrictEqual(Array.from(map), [["a", one]])
    })

    it("modifyAt sets, replaces and removes, data first and piped", () => {
      const { collect, map } = setup()
      const given: Array<Option.Option<Id>> = []
      const give = (value: Option.Option<Id>) => (old: Option.Option<Id>) => {
        given.push(old)
        return value
      }
      assert.strictEqual(WeakValueMap.modifyAt(map, "a", give(Option.some(one))), map)
      assert.strictEqual(pipe(map, WeakValueMap.modifyAt("a", give(Option.some(two)))), map)
      assert.deepStrictEqual(Array.from(map), [["a", two]])
      collect(two)
      WeakValueMap.modifyAt(map, "a", give(Option.none()))
      assert.strictEqual(WeakValueMap.size(map), 0)
      assert.deepStrictEqual(given, [Option.none(), Option.some(one), Option.none()])
    })
  })

  describe("setAll and union", () => {
    it("setAll sets the entries in order, so the last value wins, data first and piped", () => {
      const { map } = setup([["a", one]])
      assert.strictEqual(WeakValueMap.setAll(map, [["b", two], ["a", three]]), map)
      assert.strictEqual(pipe(map, WeakValueMap.setAll([["c", one], ["b", three]])), map)
      assert.deepStrictEqual(Array.from(map), [["a", three], ["b", three], ["c", one]])
    })

    it("setAll accepts the map itself, another weak map, a native map and an iterator", () => {
      const { map } = setup([["a", one]])
      WeakValueMap.setAll(map, map)
      WeakValueMap.setAll(map, setup([["b", two]]).map)
      WeakValueMap.setAll(map, new Map([["c", three]]))
      WeakValueMap.setAll(map, new Map([["a", two]]).entries())
      assert.deepStrictEqual(Array.from(map), [["a", two], ["b", two], ["c", three]])
    })

    it("setAll with one invalid entry throws an error with the invalid value, and sets nothing", () => {
      for (const compare of compares) {
        const { collect, map, pending } = setup<string, any>([["a", one]], { compare })
        const bad = Symbol.for("registered")
        assert.strictEqual(refused(() => WeakValueMap.setAll(map, [["a", two], ["b", bad], ["c", three]])), bad)
        assert.deepStrictEqual(Array.from(map), [["a", one]])
        collect(two, three)
        assert.strictEqual(pending(), 0)
      }
    })

    it("setAll sets nothing if the iterable throws midway", () => {
      const { map } = setup()
      assert.throws(() => WeakValueMap.setAll(map, throwsMidway()), thrown.message)
      assert.strictEqual(WeakValueMap.size(map), 0)
    })

    it("union creates a new map in which the values of the second map win, data first and piped", () => {
      const key = { id: 0 }
      const { map } = setup<unknown>([[key, one], ["b", two]])
      const that = setup<unknown>([["c", one], [{ id: 0 }, three]]).map
      for (const union of [WeakValueMap.union(map, that), pipe(map, WeakValueMap.union(that))]) {
        assert.deepStrictEqual(Array.from(union), [[key, three], ["b", two], ["c", one]])
        assert.strictEqual(Array.from(WeakValueMap.keys(union))[0], key)
      }
      assert.strictEqual(WeakValueMap.count(map), 2)
      assert.strictEqual(WeakValueMap.count(that), 2)
    })

    it("union has the heap and the comparison of the first map", () => {
      const { collect, map } = setup<unknown>([[{ id: 0 }, one]], { compare: "reference" })
      const union = WeakValueMap.union(map, setup<unknown>([[{ id: 0 }, two]]).map)
      assert.deepStrictEqual(Array.from(WeakValueMap.values(union)), [one, two])
      collect(two)
      assert.deepStrictEqual(Array.from(WeakValueMap.values(union)), [one])
    })

    it("union does not copy dead entries", () => {
      const { collect, map } = setup([["a", one], ["b", two]])
      collect(one)
      assert.strictEqual(WeakValueMap.size(WeakValueMap.union(map, map)), 1)
    })
  })

  describe("copy and copyWith", () => {
    it("copy has the same entries, and changes independently of the map", () => {
      for (const compare of compares) {
        const { collect, map } = setup<unknown>([["a", one], [{ id: 0 }, two]], { compare })
        const copy = WeakValueMap.copy(map)
        WeakValueMap.set(WeakValueMap.remove(map, "a"), "c", three)
        WeakValueMap.set(copy, "a", three)
        assert.deepStrictEqual(Array.from(copy), [["a", three], [{ id: 0 }, two]])
        assert.deepStrictEqual(Array.from(map), [[{ id: 0 }, two], ["c", three]])
        assert.strictEqual(WeakValueMap.has(copy, { id: 0 }), compare === "structural")
        collect(two)
        assert.strictEqual(WeakValueMap.count(copy), 1)
      }
    })

    it("copyWith maps the keys and shares the values, data first and piped", () => {
      const { map } = setup([["a", one], ["bc", two], ["d", three]])
      const length = (key: string) => key.length
      for (const copy of [WeakValueMap.copyWith(map, length), pipe(map, WeakValueMap.copyWith(length))]) {
        assert.deepStrictEqual(Array.from(copy), [[1, three], [2, two]])
        assert.strictEqual(Array.from(WeakValueMap.values(copy))[1], two)
      }
    })
  })

  describe("iteration", () => {
    it("keys, values, entries, the map itself and forEach yield the entries in insertion order", () => {
      const { map } = setup([["b", two], ["a", one]])
      const seen: Array<unknown> = []
      WeakValueMap.forEach(map, (value, key) => seen.push([key, value]))
      pipe(map, WeakValueMap.forEach((value, key) => seen.push([key, value])))
      assert.deepStrictEqual(seen, [["b", two], ["a", one], ["b", two], ["a", one]])
      assert.deepStrictEqual(Array.from(WeakValueMap.keys(map)), ["b", "a"])
      assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [two, one])
      assert.deepStrictEqual(Array.from(WeakValueMap.entries(map)), [["b", two], ["a", one]])
      assert.deepStrictEqual(Array.from(map), [["b", two], ["a", one]])
    })

    it("skips dead entries and their keys even before their clean-up", () => {
      const { collect, map } = setup([["a", one], ["b", two], ["c", three]])
      collect(two)
      assert.deepStrictEqual(Array.from(WeakValueMap.keys(map)), ["a", "c"])
      assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [one, three])
      assert.deepStrictEqual(Array.from(map), [["a", one], ["c", three]])
      const seen: Array<unknown> = []
      WeakValueMap.forEach(map, (value, key) => seen.push([key, value]))
      assert.deepStrictEqual(seen, [["a", one], ["c", three]])
      assert.deepStrictEqual(Array.from(WeakValueMap.valueRefs(map), (ref) => ref.key), ["a", "c"])
    })

    it("continues while entries are collected, removed, inserted and replaced between steps", () => {
      const { collect, finalize, map } = setup([["a", one], ["b", two], ["c", three]])
      const iterator = WeakValueMap.entries(map)
      assert.deepStrictEqual(iterator.next().value, ["a", one])
      WeakValueMap.remove(map, "a")
      collect(two)
      finalize()
      WeakValueMap.set(map, "c", one)
      WeakValueMap.set(map, "d", three)
      assert.deepStrictEqual(Array.from(iterator), [["c", one], ["d", three]])
      WeakValueMap.set(map, "e", one)
      assert.deepStrictEqual(iterator.next(), { done: true, value: undefined })
    })

    it("yields an entry only once if its value is replaced between steps", () => {
      const { map } = setup([["a", one], ["b", two]])
      const iterator = WeakValueMap.entries(map)
      iterator.next()
      WeakValueMap.set(map, "a", three)
      assert.deepStrictEqual(Array.from(iterator), [["b", two]])
    })

    it("continues after the map was cleared and filled again", () => {
      const { map } = setup([["a", one], ["b", two], ["c", three]])
      const iterators = [WeakValueMap.keys(map), WeakValueMap.keys(map)] as const
      iterators[0].next()
      WeakValueMap.setAll(WeakValueMap.clear(map), [["b", one], ["d", two]])
      assert.deepStrictEqual(iterators.map((iterator) => Array.from(iterator)), [["b", "d"], ["b", "d"]])
    })

    it("valueRefs yields references with their keys, on the heap of the map", () => {
      const { collect, map } = setup([["a", one], ["b", two]])
      const refs = Array.from(WeakValueMap.valueRefs(map))
      collect(one)
      assert.isTrue(refs.every((ref) => ref instanceof WeakRef.KeyedRef))
      assert.deepStrictEqual(refs.map((ref) => [ref.key, WeakRef.deref(ref)]), [
        ["a", Option.none()],
        ["b", Option.some(two)]
      ])
    })
  })

  describe("size, count and isEmpty", () => {
    it("size is an upper bound until the clean-up; count and isEmpty are exact", () => {
      const { collect, finalize, map } = setup([["a", one], ["b", two]])
      const all = () => [WeakValueMap.size(map), WeakValueMap.count(map), WeakValueMap.isEmpty(map)]
      assert.deepStrictEqual(all(), [2, 2, false])
      collect(one)
      assert.deepStrictEqual(all(), [2, 1, false])
      collect(two)
      assert.deepStrictEqual(all(), [2, 0, true])
      finalize()
      assert.deepStrictEqual(all(), [0, 0, true])
    })
  })

  describe("equals", () => {
    it("compares the entries in any order, data first and piped", () => {
      const { map } = setup([["a", one], ["b", two]])
      const same = setup([["b", { id: 2 }], ["a", { id: 1 }]]).map
      assert.isTrue(WeakValueMap.equals(map, same))
      assert.isTrue(pipe(map, WeakValueMap.equals(same)))
      assert.isTrue(WeakValueMap.equals(map, map))
      assert.isFalse(WeakValueMap.equals(map, setup([["a", one]]).map))
      assert.isFalse(WeakValueMap.equals(setup([["a", one]]).map, map))
      assert.isFalse(pipe(map, WeakValueMap.equals(setup([["a", one], ["b", three]]).map)))
    })

    it("compares values by reference if the first map compares its keys by reference", () => {
      const { map } = setup([["a", one]], { compare: "reference" })
      const that = setup([["a", { id: 1 }]]).map
      assert.isFalse(WeakValueMap.equals(map, that))
      assert.isTrue(WeakValueMap.equals(that, map))
      assert.isTrue(WeakValueMap.equals(map, WeakValueMap.copy(map)))
    })

    it("ignores dead entries", () => {
      const { collect, map } = setup([["a", one], ["b", two]])
      const that = setup([["a", one]]).map
      collect(two)
      assert.isTrue(WeakValueMap.equals(map, that))
      assert.isTrue(WeakValueMap.equals(that, map))
    })

    it("counts two keys of the other map once if the first map treats them as equal", () => {
      const map = setup<unknown>([[{ id: 0 }, one], ["b", one]]).map
      const that = setup<unknown>([[{ id: 0 }, one], [{ id: 0 }, one]], { compare: "reference" }).map
      assert.isFalse(WeakValueMap.equals(map, that))
      assert.isTrue(WeakValueMap.equals(WeakValueMap.remove(map, "b"), that))
    })

    it("differs from Equal and Hash, which use the identity of the map", () => {
      const { map } = setup([["a", one]])
      assert.isTrue(Equal.equals(map, map))
      assert.isFalse(Equal.equals(map, WeakValueMap.copy(map)))
      assert.strictEqual(Hash.hash(map), Hash.hash(map))
      const names = MutableHashMap.make([map, "map"])
      WeakValueMap.set(map, "b", two)
      assert.deepStrictEqual(MutableHashMap.get(names, map), Option.some("map"))
    })
  })

  describe("printing", () => {
    it("prints the live entries as text, as JSON and in the inspector", () => {
      const { collect, map } = setup([["a", one], ["b", two]])
      collect(one)
      assert.strictEqual(String(map), `WeakValueMap([["b",{"id":2}]])`)
      assert.strictEqual(JSON.stringify(map), `{"_id":"WeakValueMap","values":[["b",{"id":2}]]}`)
      assert.strictEqual(
        inspect(map, { depth: 4, breakLength: Infinity, compact: 10 }),
        `{ _id: 'WeakValueMap', values: [ [ 'b', { id: 2 } ] ] }`
      )
    })
  })

  describe("kinds of key", () => {
    const primitives = [NaN, 0, 1.5, "", "text", undefined, null, true, 1n, Symbol.for("registered"), Symbol("mine")]

    it("every primitive is a key, and differs from primitives of other types", () => {
      for (const compare of compares) {
        const values = primitives.map((_, id) => ({ id }))
        const { collect, finalize, map } = setup<unknown>(primitives.map((key, i) => [key, values[i]!]), { compare })
        primitives.forEach((key, i) => assert.deepStrictEqual(WeakValueMap.get(map, key), Option.some(values[i]!)))
        for (const other of ["0", "1", 1, false, "null", "undefined", Symbol("mine")]) {
          assert.isFalse(WeakValueMap.has(map, other))
        }
        collect(...values)
        finalize()
        assert.strictEqual(WeakValueMap.size(map), 0)
      }
    })

    it("NaN is one key, and 0 and -0 are the same key", () => {
      for (const compare of compares) {
        const { map } = setup<number>([[NaN, one], [0, two]], { compare })
        WeakValueMap.setAll(map, [[0 / 0, three], [-0, three]])
        assert.strictEqual(WeakValueMap.size(map), 2)
        assert.deepStrictEqual(WeakValueMap.pop(map, NaN), Option.some(three))
        assert.deepStrictEqual(WeakValueMap.pop(map, -0), Option.some(three))
      }
    })

    it("the clean-up of a removed entry does not remove the entry of the key undefined", () => {
      for (const compare of compares) {
        const { collect, finalize, map } = setup<unknown>([[undefined, one], ["a", two]], { compare })
        WeakValueMap.set(map, "a", three)
        WeakValueMap.remove(map, "a")
        collect(two, three)
        finalize()
        assert.deepStrictEqual(Array.from(map), [[undefined, one]])
      }
    })

    it("keys with the same hash have separate entries", () => {
      const values = [1, 2, 3, 4].map((id) => ({ id }))
      const { collect, finalize, map } = setup(values.map((value) => [new Colliding(value.id), value] as const))
      const has = () => values.map(({ id }) => WeakValueMap.has(map, new Colliding(id)))
      assert.deepStrictEqual(has(), [true, true, true, true])
      WeakValueMap.set(map, new Colliding(3), one)
      WeakValueMap.remove(map, new Colliding(2))
      collect(values[0]!, values[2]!)
      finalize()
      assert.deepStrictEqual(has(), [false, false, true, true])
      assert.deepStrictEqual(WeakValueMap.get(map, new Colliding(3)), Option.some(one))
      WeakValueMap.remove(map, new Colliding(4))
      WeakValueMap.set(map, new Colliding(3), two)
      assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [two])
      WeakValueMap.remove(map, new Colliding(3))
      assert.deepStrictEqual(has(), [false, false, false, false])
    })

    it("a comparison that removes an entry does not hide another entry with the same hash", () => {
      const first = new Meddling(1)
      const { map } = setup<Colliding>([[first, one], [new Colliding(2), two], [new Colliding(3), three]])
      first.meddle = () => WeakValueMap.remove(map, first)
      assert.deepStrictEqual(WeakValueMap.get(map, new Colliding(2)), Option.some(two))
      assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [two, three])
    })

    it("a comparison that removes the compared entry does not find this entry", () => {
      for (const clears of [false, true]) {
        const key = new Meddling(1)
        const { map } = setup<unknown>([[key, one]])
        key.meddle = () => clears ? WeakValueMap.clear(map) : WeakValueMap.remove(map, key)
        assert.deepStrictEqual(WeakValueMap.get(map, new Colliding(1)), Option.none())
        WeakValueMap.set(map, key, one)
        const newcomer = new Colliding(1)
        WeakValueMap.set(map, newcomer, two)
        assert.strictEqual(Array.from(WeakValueMap.keys(map))[0], newcomer)
        assert.deepStrictEqual(WeakValueMap.pop(map, new Colliding(1)), Option.some(two))
        assert.strictEqual(WeakValueMap.size(map), 0)
      }
    })

    it("frozen keys, functions, cyclic keys and keys of another realm are found", () => {
      const f = () => {}
      const [theirs, equal] = foreign("[{ id: 1 }, { id: 1 }]")
      const { map } = setup<unknown>([[Object.freeze({ id: 1 }), one], [f, two], [cyclic(1), three], [theirs, one]])
      assert.isTrue(WeakValueMap.has(map, { id: 1 }))
      assert.isTrue(WeakValueMap.has(map, f))
      assert.isFalse(WeakValueMap.has(map, () => {}))
      assert.isTrue(WeakValueMap.has(map, cyclic(1)))
      assert.isTrue(WeakValueMap.has(map, equal))
    })

    it("a dead reference that was hashed before its death is found as a key", () => {
      const { collect, heap, map } = setup<unknown>()
      const ref = WeakRef.makeUnsafe(one, heap)
      WeakValueMap.set(map, ref, two)
      collect(one)
      assert.deepStrictEqual(WeakValueMap.get(map, ref), Option.some(two))
      assert.deepStrictEqual(WeakValueMap.pop(map, ref), Option.some(two))
    })

    it("a dead reference without a hash is rejected by structural comparison, and nothing is inserted", () => {
      const { collect, heap, map } = setup<unknown>()
      const ref = WeakRef.makeUnsafe(one, heap)
      collect(one)
      assert.throws(() => WeakValueMap.set(map, ref, two), WeakError.UnhashableError)
      assert.strictEqual(WeakValueMap.size(map), 0)
      const byReference = WeakValueMap.makeUnsafe<unknown, Id>({ compare: "reference" }, heap)
      assert.isTrue(WeakValueMap.has(WeakValueMap.set(byReference, ref, two), ref))
    })

    it("symbols, functions and proxies are values, and are never accessed", () => {
      for (const compare of compares) {
        const values = [Symbol("mine"), () => {}, hostile(), hostile()]
        const { collect, map } = setup<number, any>(values.map((value, key) => [key, value]), { compare })
        values.forEach((value, key) => {
          assert.isTrue(gives(WeakValueMap.get(map, key), value))
          assert.isTrue(WeakValueMap.getOrSet(map, key, throwing) === value)
        })
        WeakValueMap.set(map, 0, values[3])
        WeakValueMap.set(map, 0, values[2])
        assert.isTrue(Array.from(WeakValueMap.values(map))[0] === values[2])
        assert.isTrue(gives(WeakValueMap.pop(map, 0), values[2]))
        collect(...values)
        assert.isTrue(WeakValueMap.isEmpty(map))
      }
    })

    it("looking up the key object itself, or a primitive, does not hash", () => {
      const key = new HashSpy(0)
      const { map } = setup<unknown>([[key, one]])
      key.hashes = 0
      WeakValueMap.get(map, key)
      WeakValueMap.has(map, key)
      WeakValueMap.set(map, key, two)
      WeakValueMap.getOrSet(map, key, throwing)
      WeakValueMap.modify(map, key, (value) => value)
      WeakValueMap.modifyAt(map, key, Option.map(() => three))
      WeakValueMap.get(map, "primitive")
      WeakValueMap.pop(map, key)
      assert.strictEqual(key.hashes, 0)
      assert.isTrue(WeakValueMap.has(WeakValueMap.set(map, key, one), new Date(0)))
    })

    it("a changed key is found and removed by identity", () => {
      const [first, second] = [new Date(1), new Date(2)]
      const { map } = setup([[first, one], [second, two]])
      second.setTime(1)
      assert.deepStrictEqual(WeakValueMap.get(map, second), Option.some(two))
      assert.deepStrictEqual(WeakValueMap.pop(map, second), Option.some(two))
      assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [one])
    })

    it("with comparison by reference, no operation hashes a key or reads its properties", () => {
      const key = hostile()
      const other = hostile()
      const { collect, finalize, map } = setup<unknown>([[key, one]], { compare: "reference" })
      WeakValueMap.set(map, key, two)
      pipe(map, WeakValueMap.set(other, one))
      assert.isTrue(WeakValueMap.has(map, key) && WeakValueMap.has(map, other))
      assert.deepStrictEqual(WeakValueMap.get(map, key), Option.some(two))
      WeakValueMap.getOrSet(map, key, throwing)
      WeakValueMap.modify(map, key, () => three)
      WeakValueMap.modifyAt(map, key, (value) => value)
      WeakValueMap.setAll(map, [[key, one], [other, two]])
      WeakValueMap.setAll(map, map)
      const copy = WeakValueMap.copyWith(WeakValueMap.copy(map), (key) => key)
      assert.isTrue(WeakValueMap.equals(map, copy))
      assert.isTrue(WeakValueMap.equals(WeakValueMap.union(map, copy), map))
      const made = Effect.runSync(WeakValueMap.fromIterable([[key, one], [other, two]], { compare: "reference" }))
      assert.isTrue(WeakValueMap.equals(map, made))
      assert.isTrue(Array.from(WeakValueMap.keys(map))[0] === key)
      assert.deepStrictEqual(Array.from(WeakValueMap.values(map)), [one, two])
      assert.isTrue(Array.from(WeakValueMap.valueRefs(map))[0]!.key === key)
      WeakValueMap.forEach(map, (value, key) => WeakValueMap.set(copy, key, value))
      assert.isTrue(Option.getOrThrow(WeakValueMap.popEntry(copy))[0] === key)
      assert.deepStrictEqual(WeakValueMap.pop(map, key), Option.some(one))
      WeakValueMap.remove(copy, other)
      collect(two)
      finalize()
      assert.isTrue(WeakValueMap.isEmpty(map))
      WeakValueMap.clear(map)
    })
  })

  describe("registrations", () => {
    it("renewing a registry reclaims dead entries at once", () => {
      for (const compare of compares) {
        const { collect, map } = setup([["a", one], ["b", two]], { compare })
        collect(one)
        assert.strictEqual(WeakValueMap.size(map), 2)
        for (let i = 0; i < 100; i++) WeakValueMap.set(WeakValueMap.remove(map, "c"), "c", three)
        assert.strictEqual(WeakValueMap.size(map), 2)
        assert.strictEqual(WeakValueMap.count(map), 2)
      }
    })

    it("an entry that was removed and set again ends when its value dies", () => {
      for (const compare of compares) {
        const { collect, finalize, map } = setup([["a", one], ["b", two]], { compare })
        WeakValueMap.set(WeakValueMap.remove(map, "a"), "a", one)
        collect(one)
        finalize()
        assert.deepStrictEqual(Array.from(map), [["b", two]])
        assert.strictEqual(WeakValueMap.size(map), 1)
      }
    })

    it("a renewed registry reclaims all entries that die later", () => {
      for (const compare of compares) {
        const { collect, finalize, map } = setup([["a", one], ["b", two]], { compare })
        for (let i = 0; i < 100; i++) WeakValueMap.set(map, "c", i % 2 === 0 ? three : two)
        collect(one)
        finalize()
        assert.strictEqual(WeakValueMap.size(map), 2)
        collect(two)
        finalize()
        assert.strictEqual(WeakValueMap.size(map), 0)
      }
    })
  })
})

testDual("WeakValueMap")
