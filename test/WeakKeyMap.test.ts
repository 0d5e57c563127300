import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Exit, Hash, MutableHashMap, Option, pipe } from "effect"
import { inspect } from "node:util"
import { WeakError, WeakKeyMap, WeakRef } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { testDual } from "./support/dual.ts"
import { Colliding, cyclic, foreign, HashSpy, hostile, Meddling, Unhashable } from "./support/keys.ts"
import { compares } from "./support/models.ts"

interface Id {
  readonly id: number
}

const structural = { compare: "structural" } as const

/** Creates a map with these entries on a test heap. Keys compare by structure by default. */
const setup = <K extends WeakKey = Id, V = string>(
  entries: Iterable<readonly [K, V]> = [],
  options: { readonly compare: "structural" | "reference" } = structural
) => {
  const testHeap = TestHeap.makeUnsafe()
  const map = WeakKeyMap.makeUnsafe<K, V>(options, testHeap.heap)
  return { ...testHeap, map: WeakKeyMap.setAll(map, entries) }
}

const [a, b, c] = [{ id: 1 }, { id: 2 }, { id: 3 }]
/** Another object that is equal to `a`. */
const a2 = { id: 1 }

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

const throwsMidway = function*(): Generator<[Id, string]> {
  yield [a, "a"]
  throw thrown
}

describe("WeakKeyMap", () => {
  describe("constructors", () => {
    it.effect("make creates an empty map on the heap of the context", () =>
      Effect.gen(function*() {
        const map = yield* WeakKeyMap.make<Id, string>()
        assert.isTrue(WeakKeyMap.isEmpty(map))
        WeakKeyMap.set(map, a, "a")
        yield* TestHeap.collect(a)
        assert.isTrue(WeakKeyMap.isEmpty(map))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("make uses the given comparison", () =>
      Effect.gen(function*() {
        const map = yield* WeakKeyMap.make<Id, string>({ compare: "reference" })
        assert.isFalse(WeakKeyMap.has(WeakKeyMap.set(map, a, "a"), a2))
      }))

    it.effect("makeUnsafe creates a map on the host's heap", () =>
      Effect.gen(function*() {
        const map = WeakKeyMap.set(WeakKeyMap.makeUnsafe<Id, string>(), a, "a")
        yield* TestHeap.collect(a)
        assert.isTrue(WeakKeyMap.has(map, a))
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("fromIterable keeps the order of the entries, the first of equal keys and the last value", () =>
      Effect.gen(function*() {
        const map = yield* WeakKeyMap.fromIterable([[a, "a"], [b, "b"], [a2, "a2"]], structural)
        assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["a2", "b"])
        assert.strictEqual(Array.from(WeakKeyMap.keys(map))[0], a)
      }))

    it.effect("fromIterable uses the given comparison and the heap of the context", () =>
      Effect.gen(function*() {
        const map = yield* WeakKeyMap.fromIterable([[a, "a"], [a2, "a2"]], { compare: "reference" })
        assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["a", "a2"])
        yield* TestHeap.collect(a)
        assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["a2"])
      }).pipe(Effect.provide(TestHeap.layer)))

    for (const compare of compares) {
      it.effect(`fromIterable with one invalid entry fails with the invalid value, and registers nothing (${compare})`, () =>
        Effect.gen(function*() {
          for (const bad of ["text", 1, null, undefined, Symbol.for("registered")]) {
            const entries = [[a, 1], [bad as unknown as Id, 2], [b, 3]] as const
            const error = yield* Effect.flip(WeakKeyMap.fromIterable(entries, { compare }))
            assert.instanceOf(error, WeakError.NotWeakReferenceableError)
            assert.strictEqual(error.value, bad)
          }
          yield* TestHeap.collect(a, b)
          assert.strictEqual(yield* TestHeap.pending, 0)
        }).pipe(Effect.provide(TestHeap.layer)))
    }

    it.effect("fromIterable dies with the error of its iterable", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(WeakKeyMap.fromIterable(throwsMidway()))
        assert.deepStrictEqual(exit, Exit.die(thrown))
        yield* TestHeap.collect(a)
        assert.strictEqual(yield* TestHeap.pending, 0)
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("fromIterable reads its iterable again at each run", () =>
      Effect.gen(function*() {
        const entries: Array<[Id, string]> = [[a, "a"]]
        const make = WeakKeyMap.fromIterable(entries)
        const first = yield* make
        entries.push([b, "b"])
        const second = yield* make
        assert.deepStrictEqual([WeakKeyMap.count(first), WeakKeyMap.count(second)], [1, 2])
      }))

    it("isWeakKeyMap accepts maps and rejects other values", () => {
      assert.isTrue(WeakKeyMap.isWeakKeyMap(setup().map))
      for (const other of [new WeakMap(), new Map(), MutableHashMap.empty(), {}, null, undefined, "WeakKeyMap"]) {
        assert.isFalse(WeakKeyMap.isWeakKeyMap(other))
      }
    })
  })

  describe("get and has", () => {
    it("find the entry of a key, data first and piped", () => {
      const { map } = setup([[a, "a"], [b, "b"]])
      assert.deepStrictEqual(WeakKeyMap.get(map, a), Option.some("a"))
      assert.deepStrictEqual(pipe(map, WeakKeyMap.get(b)), Option.some("b"))
      assert.deepStrictEqual(map.pipe(WeakKeyMap.get(c)), Option.none())
      assert.isTrue(WeakKeyMap.has(map, a))
      assert.isTrue(pipe(map, WeakKeyMap.has(b)))
      assert.isFalse(map.pipe(WeakKeyMap.has(c)))
    })

    it("distinguish an undefined value from a missing entry", () => {
      const { map } = setup<Id, undefined>([[a, undefined]])
      assert.deepStrictEqual(WeakKeyMap.get(map, a), Option.some(undefined))
      assert.deepStrictEqual(WeakKeyMap.get(map, a2), Option.some(undefined))
      assert.isTrue(WeakKeyMap.has(map, a))
      assert.deepStrictEqual(WeakKeyMap.get(map, b), Option.none())
    })

    it("find an equal key only with structural comparison", () => {
      const byStructure = setup([[a, "a"]]).map
      const byReference = setup([[a, "a"]], { compare: "reference" }).map
      assert.deepStrictEqual(WeakKeyMap.get(byStructure, a2), Option.some("a"))
      assert.deepStrictEqual(WeakKeyMap.get(byReference, a2), Option.none())
      assert.isTrue(WeakKeyMap.has(byStructure, a2))
      assert.isFalse(WeakKeyMap.has(byReference, a2))
    })

    it("find no entry for a dead key, or for a key that is equal to a dead key", () => {
      for (const compare of compares) {
        const { collect, map } = setup([[a, "a"]], { compare })
        collect(a)
        assert.deepStrictEqual(WeakKeyMap.get(map, a), Option.none())
        assert.deepStrictEqual(WeakKeyMap.get(map, a2), Option.none())
        assert.isFalse(WeakKeyMap.has(map, a2))
      }
    })

    it("find no entry for a value that cannot be a key", () => {
      for (const compare of compares) {
        const { map } = setup<any>([[a, "a"]], { compare })
        for (const key of ["text", 1, null, undefined, NaN, 1n, true, Symbol.for("registered")]) {
          assert.deepStrictEqual(WeakKeyMap.get(map, key), Option.none())
          assert.isFalse(WeakKeyMap.has(map, key))
          assert.strictEqual(WeakKeyMap.remove(map, key), map)
          assert.deepStrictEqual(WeakKeyMap.pop(map, key), Option.none())
        }
        assert.strictEqual(WeakKeyMap.count(map), 1)
      }
    })
  })

  describe("set", () => {
    it("inserts or replaces, and returns the map, data first and piped", () => {
      const { map } = setup()
      assert.strictEqual(WeakKeyMap.set(map, a, "a"), map)
      assert.strictEqual(pipe(map, WeakKeyMap.set(b, "b")), map)
      assert.strictEqual(map.pipe(WeakKeyMap.set(a, "again")), map)
      assert.deepStrictEqual(Array.from(map), [[a, "again"], [b, "b"]])
    })

    it("with an equal key keeps the first key and its position, and replaces the value", () => {
      const { map } = setup([[a, "a"], [b, "b"]])
      WeakKeyMap.set(map, a2, "a2")
      assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["a2", "b"])
      assert.strictEqual(Array.from(WeakKeyMap.keys(map))[0], a)
    })

    it("with an equal key does not change the key on which the life of the entry depends", () => {
      const { collect, map } = setup([[a, "a"]])
      WeakKeyMap.set(map, a2, "a2")
      collect(a2)
      assert.deepStrictEqual(WeakKeyMap.get(map, a), Option.some("a2"))
      collect(a)
      assert.isTrue(WeakKeyMap.isEmpty(map))
    })

    it("inserts a removed key at the end", () => {
      for (const compare of compares) {
        const { map } = setup([[a, "a"], [b, "b"]], { compare })
        WeakKeyMap.set(WeakKeyMap.remove(map, a), a, "again")
        assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["b", "again"])
      }
    })

    it("inserts a new entry at the end if the equal key in the map is dead", () => {
      for (const finalizeFirst of [true, false]) {
        const { collect, finalize, map } = setup([[a, "a"], [b, "b"]])
        collect(a)
        if (finalizeFirst) finalize()
        WeakKeyMap.set(map, a2, "a2")
        // The late clean-up of the dead entry must not remove the new entry.
        finalize()
        assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["b", "a2"])
        assert.strictEqual(Array.from(WeakKeyMap.keys(map))[1], a2)
        assert.strictEqual(WeakKeyMap.size(map), 2)
      }
    })

    it("rejects a value that cannot be a key with an error that has this value, and inserts nothing", () => {
      for (const compare of compares) {
        const { map } = setup<any>([], { compare })
        for (const bad of ["text", 1, null, undefined, NaN, Symbol.for("registered")]) {
          assert.deepStrictEqual(refused(() => WeakKeyMap.set(map, bad, "bad")), bad)
          assert.deepStrictEqual(refused(() => WeakKeyMap.getOrSet(map, bad, () => "bad")), bad)
          assert.deepStrictEqual(refused(() => WeakKeyMap.modifyAt(map, bad, () => Option.some("bad"))), bad)
        }
        assert.strictEqual(WeakKeyMap.size(map), 0)
      }
    })

    it("inserts nothing if hashing the key throws", () => {
      const { collect, map, pending } = setup<object, string>()
      const key = new Unhashable()
      assert.throws(() => WeakKeyMap.set(map, key, "unhashable"), "hashed")
      assert.throws(() => WeakKeyMap.setAll(map, [[a, "a"], [key, "unhashable"]]), "hashed")
      assert.throws(() => WeakKeyMap.getOrSet(map, key, () => "unhashable"), "hashed")
      assert.strictEqual(WeakKeyMap.size(map), 0)
      collect(key, a)
      assert.strictEqual(pending(), 0)
    })
  })

  describe("remove, pop, popEntry and clear", () => {
    it("remove removes the entry and returns the map, data first and piped", () => {
      const { map } = setup([[a, "a"], [b, "b"], [c, "c"]])
      assert.strictEqual(WeakKeyMap.remove(map, a), map)
      assert.strictEqual(pipe(map, WeakKeyMap.remove({ id: 2 })), map)
      assert.strictEqual(map.pipe(WeakKeyMap.remove(a)), map)
      assert.deepStrictEqual(Array.from(map), [[c, "c"]])
    })

    it("with comparison by reference, remove does not remove an equal key", () => {
      const { map } = setup([[a, "a"]], { compare: "reference" })
      WeakKeyMap.remove(map, a2)
      assert.isTrue(WeakKeyMap.has(map, a))
    })

    it("pop removes the entry and returns its value, data first and piped", () => {
      const { map } = setup([[a, "a"], [b, "b"]])
      assert.deepStrictEqual(WeakKeyMap.pop(map, a2), Option.some("a"))
      assert.deepStrictEqual(WeakKeyMap.pop(map, a), Option.none())
      assert.deepStrictEqual(pipe(map, WeakKeyMap.pop(b)), Option.some("b"))
      assert.strictEqual(WeakKeyMap.size(map), 0)
    })

    it("popEntry removes the entries in insertion order", () => {
      const { map } = setup([[a, "a"], [b, "b"]])
      assert.deepStrictEqual(WeakKeyMap.popEntry(map), Option.some([a, "a"]))
      WeakKeyMap.set(map, c, "c")
      WeakKeyMap.set(map, a, "again")
      assert.deepStrictEqual(WeakKeyMap.popEntry(map), Option.some([b, "b"]))
      assert.deepStrictEqual(WeakKeyMap.popEntry(map), Option.some([c, "c"]))
      assert.deepStrictEqual(WeakKeyMap.popEntry(map), Option.some([a, "again"]))
      assert.deepStrictEqual(WeakKeyMap.popEntry(map), Option.none())
      WeakKeyMap.set(map, b, "new")
      assert.deepStrictEqual(WeakKeyMap.popEntry(map), Option.some([b, "new"]))
    })

    it("popEntry skips dead entries and reclaims them", () => {
      const { collect, map } = setup([[a, "a"], [b, "b"], [c, "c"]])
      collect(a, c)
      assert.deepStrictEqual(WeakKeyMap.popEntry(map), Option.some([b, "b"]))
      assert.deepStrictEqual(WeakKeyMap.popEntry(map), Option.none())
      assert.strictEqual(WeakKeyMap.size(map), 0)
    })

    it("popEntry works after a clear", () => {
      const { map } = setup([[a, "a"], [b, "b"]])
      WeakKeyMap.popEntry(map)
      WeakKeyMap.setAll(WeakKeyMap.clear(map), [[c, "c"], [a, "a"]])
      assert.deepStrictEqual(WeakKeyMap.popEntry(map), Option.some([c, "c"]))
    })

    it("clear removes everything and returns the map, which stays usable", () => {
      for (const compare of compares) {
        const { collect, finalize, map } = setup([[a, "a"], [b, "b"]], { compare })
        assert.strictEqual(WeakKeyMap.clear(map), map)
        assert.strictEqual(WeakKeyMap.size(map), 0)
        assert.isFalse(WeakKeyMap.has(map, a))
        WeakKeyMap.set(map, b, "again")
        // A clean-up that was registered before the clear must not remove the new entry.
        collect(a)
        finalize()
        assert.deepStrictEqual(Array.from(map), [[b, "again"]])
      }
    })
  })

  describe("getOrSet, modify and modifyAt", () => {
    it("getOrSet calls make only if there is no entry, data first and piped", () => {
      const { map } = setup([[a, "a"]])
      assert.strictEqual(WeakKeyMap.getOrSet(map, a2, throwing), "a")
      assert.strictEqual(WeakKeyMap.getOrSet(map, b, () => "b"), "b")
      assert.strictEqual(pipe(map, WeakKeyMap.getOrSet(c, () => "c")), "c")
      assert.deepStrictEqual(Array.from(map), [[a, "a"], [b, "b"], [c, "c"]])
    })

    it("getOrSet does not call make if the key cannot be a referent", () => {
      const map = WeakKeyMap.makeUnsafe<any, string>()
      assert.throws(() => WeakKeyMap.getOrSet(map, 1, throwing), WeakError.NotWeakReferenceableError)
    })

    it("getOrSet does not call make if the value is undefined", () => {
      const { map } = setup<Id, unknown>([[a, undefined]])
      assert.strictEqual(WeakKeyMap.getOrSet(map, a, throwing), undefined)
    })

    it("getOrSet inserts nothing if make throws", () => {
      const { map } = setup()
      assert.throws(() => WeakKeyMap.getOrSet(map, a, throwing), thrown.message)
      assert.strictEqual(WeakKeyMap.size(map), 0)
    })

    it("getOrSet keeps the first value, even if make sets the same key", () => {
      const { map } = setup()
      const value = WeakKeyMap.getOrSet(map, a, () => {
        WeakKeyMap.set(map, a2, "inner")
        return "outer"
      })
      assert.strictEqual(value, "inner")
      assert.deepStrictEqual(Array.from(map), [[a2, "inner"]])
    })

    it("modify replaces an existing value, data first and piped", () => {
      const { map } = setup([[a, "a"]])
      assert.strictEqual(WeakKeyMap.modify(map, a2, (value) => `${value}!`), map)
      assert.strictEqual(pipe(map, WeakKeyMap.modify(a, (value) => `${value}?`)), map)
      assert.strictEqual(WeakKeyMap.modify(map, b, throwing), map)
      assert.deepStrictEqual(Array.from(map), [[a, "a!?"]])
    })

    it("modify and modifyAt change nothing if the function throws", () => {
      const { map } = setup([[a, "a"]])
      assert.throws(() => WeakKeyMap.modify(map, a, throwing), thrown.message)
      assert.throws(() => WeakKeyMap.modifyAt(map, a, throwing), thrown.message)
      assert.deepStrictEqual(Array.from(map), [[a, "a"]])
    })

    it("modifyAt sets, replaces and removes, data first and piped", () => {
      const { map } = setup()
      const given: Array<Option.Option<string>> = []
      const give = (value: Option.Option<string>) => (old: Option.Option<string>) => {
        given.push(old)
        return value
      }
      assert.strictEqual(WeakKeyMap.modifyAt(map, a, give(Option.some("a"))), map)
      assert.strictEqual(pipe(map, WeakKeyMap.modifyAt(a2, give(Option.some("a2")))), map)
      assert.deepStrictEqual(Array.from(map), [[a, "a2"]])
      WeakKeyMap.modifyAt(map, a, give(Option.none()))
      WeakKeyMap.modifyAt(map, a, give(Option.none()))
      assert.strictEqual(WeakKeyMap.size(map), 0)
      assert.deepStrictEqual(given, [Option.none(), Option.some("a"), Option.some("a2"), Option.none()])
    })
  })

  describe("setAll and union", () => {
    it("setAll sets the entries in order, so the last value wins, data first and piped", () => {
      const { map } = setup([[a, "a"]])
      assert.strictEqual(WeakKeyMap.setAll(map, [[b, "b"], [a2, "a2"]]), map)
      assert.strictEqual(pipe(map, WeakKeyMap.setAll<Id, string>([[c, "c"], [b, "b2"]])), map)
      assert.deepStrictEqual(Array.from(map), [[a, "a2"], [b, "b2"], [c, "c"]])
    })

    it("setAll accepts the map itself, another weak map, a native map and an iterator", () => {
      const { map } = setup([[a, "a"]])
      WeakKeyMap.setAll(map, map)
      WeakKeyMap.setAll(map, setup([[b, "b"]]).map)
      WeakKeyMap.setAll(map, new Map([[c, "c"]]))
      WeakKeyMap.setAll(map, new Map([[a, "again"]]).entries())
      assert.deepStrictEqual(Array.from(map), [[a, "again"], [b, "b"], [c, "c"]])
    })

    it("setAll with one invalid entry throws an error with the invalid value, and sets nothing", () => {
      for (const compare of compares) {
        const { collect, map, pending } = setup<any>([[a, "a"]], { compare })
        const bad = Symbol.for("registered")
        assert.strictEqual(refused(() => WeakKeyMap.setAll(map, [[a, "new"], [b, "b"], [bad, "bad"], [c, "c"]])), bad)
        assert.deepStrictEqual(Array.from(map), [[a, "a"]])
        collect(b, c)
        assert.strictEqual(pending(), 0)
      }
    })

    it("setAll sets nothing if the iterable throws midway", () => {
      const { map } = setup()
      assert.throws(() => WeakKeyMap.setAll(map, throwsMidway()), thrown.message)
      assert.strictEqual(WeakKeyMap.size(map), 0)
    })

    it("union creates a new map in which the values of the second map win, data first and piped", () => {
      const { map } = setup([[a, "a"], [b, "b"]])
      const that = setup([[c, "c"], [a2, "a2"]]).map
      for (const union of [WeakKeyMap.union(map, that), pipe(map, WeakKeyMap.union(that))]) {
        assert.deepStrictEqual(Array.from(union), [[a, "a2"], [b, "b"], [c, "c"]])
        assert.strictEqual(Array.from(WeakKeyMap.keys(union))[0], a)
      }
      assert.deepStrictEqual(Array.from(map), [[a, "a"], [b, "b"]])
      assert.deepStrictEqual(Array.from(that), [[c, "c"], [a2, "a2"]])
    })

    it("union has the heap and the comparison of the first map", () => {
      const { collect, map } = setup([[a, "a"]], { compare: "reference" })
      const union = WeakKeyMap.union(map, setup([[a2, "a2"]]).map)
      assert.deepStrictEqual(Array.from(WeakKeyMap.values(union)), ["a", "a2"])
      collect(a2)
      assert.deepStrictEqual(Array.from(WeakKeyMap.values(union)), ["a"])
    })

    it("union does not copy dead entries", () => {
      const { collect, map } = setup([[a, "a"], [b, "b"]])
      collect(a)
      assert.strictEqual(WeakKeyMap.size(WeakKeyMap.union(map, map)), 1)
    })
  })

  describe("copy and copyWith", () => {
    it("copy has the same entries, and changes independently of the map", () => {
      for (const compare of compares) {
        const { map } = setup([[a, "a"], [b, "b"]], { compare })
        const copy = WeakKeyMap.copy(map)
        WeakKeyMap.set(WeakKeyMap.remove(map, a), c, "c")
        WeakKeyMap.set(copy, b, "copied")
        assert.deepStrictEqual(Array.from(copy), [[a, "a"], [b, "copied"]])
        assert.deepStrictEqual(Array.from(map), [[b, "b"], [c, "c"]])
        assert.strictEqual(WeakKeyMap.has(copy, a2), compare === "structural")
      }
    })

    it("copy uses the heap of its map", () => {
      const { collect, map } = setup([[a, "a"]])
      const copy = WeakKeyMap.copy(map)
      collect(a)
      assert.isTrue(WeakKeyMap.isEmpty(copy))
    })

    it("copyWith maps the values and shares the keys, data first and piped", () => {
      const { map } = setup([[a, "a"], [b, "b"]])
      const length = (value: string) => value.length
      for (const copy of [WeakKeyMap.copyWith(map, length), pipe(map, WeakKeyMap.copyWith(length))]) {
        assert.deepStrictEqual(Array.from(copy), [[a, 1], [b, 1]])
        assert.strictEqual(Array.from(WeakKeyMap.keys(copy))[0], a)
      }
    })
  })

  describe("iteration", () => {
    it("keys, values, entries, the map itself and forEach yield the entries in insertion order", () => {
      const { map } = setup([[b, "b"], [a, "a"]])
      const seen: Array<unknown> = []
      WeakKeyMap.forEach(map, (value, key) => seen.push([key, value]))
      pipe(map, WeakKeyMap.forEach((value, key) => seen.push([key, value])))
      assert.deepStrictEqual(seen, [[b, "b"], [a, "a"], [b, "b"], [a, "a"]])
      assert.deepStrictEqual(Array.from(WeakKeyMap.keys(map)), [b, a])
      assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["b", "a"])
      assert.deepStrictEqual(Array.from(WeakKeyMap.entries(map)), [[b, "b"], [a, "a"]])
      assert.deepStrictEqual(Array.from(map), [[b, "b"], [a, "a"]])
    })

    it("skips dead entries even before their clean-up", () => {
      const { collect, map } = setup([[a, "a"], [b, "b"], [c, "c"]])
      collect(b)
      assert.deepStrictEqual(Array.from(WeakKeyMap.keys(map)), [a, c])
      assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["a", "c"])
      assert.deepStrictEqual(Array.from(map), [[a, "a"], [c, "c"]])
      assert.strictEqual(Array.from(WeakKeyMap.keyRefs(map)).length, 2)
    })

    it("continues while entries are collected, removed, inserted and replaced between steps", () => {
      const d = { id: 4 }
      const { collect, finalize, map } = setup([[a, "a"], [b, "b"], [c, "c"]])
      const iterator = WeakKeyMap.entries(map)
      assert.deepStrictEqual(iterator.next().value, [a, "a"])
      WeakKeyMap.remove(map, a)
      collect(b)
      finalize()
      WeakKeyMap.set(map, c, "new")
      WeakKeyMap.set(map, d, "d")
      assert.deepStrictEqual(Array.from(iterator), [[c, "new"], [d, "d"]])
      assert.deepStrictEqual(iterator.next(), { done: true, value: undefined })
      WeakKeyMap.set(map, a, "late")
      assert.deepStrictEqual(iterator.next(), { done: true, value: undefined })
    })

    it("continues after the map was cleared and filled again", () => {
      const { map } = setup([[a, "a"], [b, "b"], [c, "c"]])
      const iterators = [WeakKeyMap.values(map), WeakKeyMap.values(map)] as const
      iterators[0].next()
      WeakKeyMap.setAll(WeakKeyMap.clear(map), [[b, "new"], [c, "newer"]])
      assert.deepStrictEqual(iterators.map((iterator) => Array.from(iterator)), [["new", "newer"], ["new", "newer"]])
    })

    it("tolerates a loop that removes each yielded entry", () => {
      for (const compare of compares) {
        const keys = Array.from({ length: 100 }, (_, id) => ({ id }))
        const { map } = setup(keys.map((key) => [key, ""] as const), { compare })
        let seen = 0
        for (const [key] of map) {
          WeakKeyMap.remove(map, key)
          seen++
        }
        assert.deepStrictEqual([seen, WeakKeyMap.size(map)], [100, 0])
      }
    })

    it("keyRefs yields the shared references of the keys, on the heap of the map", () => {
      const { collect, heap, map } = setup([[a, "a"], [b, "b"]])
      const refs = Array.from(WeakKeyMap.keyRefs(map))
      assert.strictEqual(refs[0], WeakRef.makeUnsafe(a, heap))
      collect(a)
      assert.deepStrictEqual(refs.map((ref) => WeakRef.deref(ref)), [Option.none(), Option.some(b)])
    })
  })

  describe("size, count and isEmpty", () => {
    it("size is an upper bound until the clean-up; count and isEmpty are exact", () => {
      const { collect, finalize, map } = setup([[a, "a"], [b, "b"]])
      const all = () => [WeakKeyMap.size(map), WeakKeyMap.count(map), WeakKeyMap.isEmpty(map)]
      assert.deepStrictEqual(all(), [2, 2, false])
      collect(a)
      assert.deepStrictEqual(all(), [2, 1, false])
      collect(b)
      assert.deepStrictEqual(all(), [2, 0, true])
      finalize()
      assert.deepStrictEqual(all(), [0, 0, true])
    })
  })

  describe("equals", () => {
    it("compares the entries in any order, data first and piped", () => {
      const { map } = setup([[a, "a"], [b, "b"]])
      const same = setup([[b, "b"], [a2, "a"]]).map
      assert.isTrue(WeakKeyMap.equals(map, same))
      assert.isTrue(pipe(map, WeakKeyMap.equals(same)))
      assert.isTrue(WeakKeyMap.equals(map, map))
      assert.isFalse(WeakKeyMap.equals(map, setup([[a, "a"]]).map))
      assert.isFalse(WeakKeyMap.equals(setup([[a, "a"]]).map, map))
      assert.isFalse(pipe(map, WeakKeyMap.equals(setup([[a, "a"], [b, "c"]]).map)))
    })

    it("compares values with the comparison of the keys", () => {
      const entries = () => [[a, { v: NaN }]] as const
      assert.isTrue(WeakKeyMap.equals(setup<Id, object>(entries()).map, setup<Id, object>(entries()).map))
      const map = setup<Id, object>(entries(), { compare: "reference" }).map
      assert.isFalse(WeakKeyMap.equals(map, setup<Id, object>(entries()).map))
      assert.isTrue(WeakKeyMap.equals(map, WeakKeyMap.copy(map)))
    })

    it("is true for a map and itself, even if a value is NaN", () => {
      for (const compare of compares) {
        const { map } = setup<Id, number>([[a, NaN]], { compare })
        assert.isTrue(WeakKeyMap.equals(map, map))
      }
    })

    it("ignores dead entries", () => {
      const { collect, map } = setup([[a, "a"], [b, "b"]])
      const that = setup([[a, "a"]]).map
      collect(b)
      assert.isTrue(WeakKeyMap.equals(map, that))
      assert.isTrue(WeakKeyMap.equals(that, map))
    })

    it("counts two keys of the other map once if the first map treats them as equal", () => {
      const map = setup([[a, "same"], [b, "same"]]).map
      const that = setup([[a, "same"], [a2, "same"]], { compare: "reference" }).map
      assert.isFalse(WeakKeyMap.equals(map, that))
      assert.isTrue(WeakKeyMap.equals(WeakKeyMap.remove(map, b), that))
    })

    it("differs from Equal and Hash, which use the identity of the map", () => {
      const { map } = setup([[a, "a"]])
      assert.isTrue(Equal.equals(map, map))
      assert.isFalse(Equal.equals(map, WeakKeyMap.copy(map)))
      assert.strictEqual(Hash.hash(map), Hash.hash(map))
      const names = MutableHashMap.make([map, "map"])
      WeakKeyMap.set(map, b, "b")
      assert.deepStrictEqual(MutableHashMap.get(names, map), Option.some("map"))
    })
  })

  describe("printing", () => {
    it("prints the live entries as text, as JSON and in the inspector", () => {
      const { collect, map } = setup([[a, "a"], [b, "b"]])
      collect(a)
      assert.strictEqual(String(map), `WeakKeyMap([[{"id":2},"b"]])`)
      assert.strictEqual(JSON.stringify(map), `{"_id":"WeakKeyMap","values":[[{"id":2},"b"]]}`)
      assert.strictEqual(
        inspect(map, { depth: 4, breakLength: Infinity, compact: 10 }),
        `{ _id: 'WeakKeyMap', values: [ [ { id: 2 }, 'b' ] ] }`
      )
    })
  })

  describe("kinds of key", () => {
    it("symbols with the same description are different keys", () => {
      for (const compare of compares) {
        const symbols = [Symbol("same"), Symbol("same"), Symbol("same")]
        const { collect, finalize, map } = setup(symbols.map((symbol, i) => [symbol, i] as const), { compare })
        assert.deepStrictEqual(symbols.map((symbol) => WeakKeyMap.get(map, symbol)), [0, 1, 2].map(Option.some))
        WeakKeyMap.remove(map, symbols[1]!)
        collect(symbols[0]!)
        finalize()
        assert.deepStrictEqual(Array.from(map), [[symbols[2]!, 2]])
      }
    })

    it("well-known symbols, functions, classes and frozen objects are keys", () => {
      for (const compare of compares) {
        const keys = [Symbol.iterator, () => 1, () => 1, Date, Object.freeze({ id: 1 }), Object.freeze([1])]
        const { map } = setup<WeakKey, number>(keys.map((key, i) => [key, i]), { compare })
        assert.deepStrictEqual(keys.map((key) => WeakKeyMap.get(map, key)), [0, 1, 2, 3, 4, 5].map(Option.some))
      }
    })

    it("objects without a prototype are keys", () => {
      const { map } = setup<object, string>([[Object.assign(Object.create(null), { id: 1 }), "bare"]])
      assert.deepStrictEqual(WeakKeyMap.get(map, a), Option.some("bare"))
    })

    it("objects, functions and symbols from another realm are keys", () => {
      for (const compare of compares) {
        const keys: Array<WeakKey> = foreign("[{ id: 1 }, [1], () => {}, class {}, Symbol('s')]")
        const { collect, finalize, map } = setup<WeakKey, number>(keys.map((key, i) => [key, i]), { compare })
        assert.deepStrictEqual(keys.map((key) => WeakKeyMap.get(map, key)), keys.map((_, i) => Option.some(i)))
        collect(...keys)
        finalize()
        assert.strictEqual(WeakKeyMap.size(map), 0)
      }
    })

    it("objects of another realm compare by structure", () => {
      const [one, other, another] = foreign("[{ id: 1 }, { id: 1 }, { id: 2 }]")
      const { map } = setup([[one, "one"]])
      assert.deepStrictEqual(WeakKeyMap.get(map, other), Option.some("one"))
      assert.deepStrictEqual(WeakKeyMap.get(map, another), Option.none())
    })

    it("keys with the same hash have separate entries", () => {
      const keys = [1, 2, 3, 4].map((id) => new Colliding(id))
      const { collect, finalize, map } = setup(keys.map((key) => [key, key.id] as const))
      const get = () => [1, 2, 3, 4].map((id) => Option.getOrNull(WeakKeyMap.get(map, new Colliding(id))))
      assert.deepStrictEqual(get(), [1, 2, 3, 4])
      WeakKeyMap.remove(map, new Colliding(2))
      collect(keys[0]!)
      finalize()
      assert.deepStrictEqual(get(), [null, null, 3, 4])
      WeakKeyMap.remove(map, keys[3]!)
      WeakKeyMap.set(map, new Colliding(3), 33)
      assert.deepStrictEqual(Array.from(map), [[keys[2]!, 33]])
      WeakKeyMap.remove(map, keys[2]!)
      assert.isFalse(WeakKeyMap.has(map, new Colliding(3)))
    })

    it("a comparison that removes an entry does not hide another entry with the same hash", () => {
      const [first, second, third] = [new Meddling(1), new Colliding(2), new Colliding(3)]
      const { map } = setup<Colliding>([[first, "first"], [second, "second"], [third, "third"]])
      first.meddle = () => WeakKeyMap.remove(map, first)
      assert.deepStrictEqual(WeakKeyMap.get(map, new Colliding(2)), Option.some("second"))
      assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["second", "third"])
    })

    it("a comparison that removes the compared entry does not find this entry", () => {
      for (const clears of [false, true]) {
        const key = new Meddling(1)
        const { map } = setup<Colliding>([[key, "old"]])
        key.meddle = () => clears ? WeakKeyMap.clear(map) : WeakKeyMap.remove(map, key)
        assert.deepStrictEqual(WeakKeyMap.get(map, new Colliding(1)), Option.none())
        WeakKeyMap.set(map, key, "old")
        WeakKeyMap.set(map, new Colliding(1), "new")
        assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["new"])
        assert.deepStrictEqual(WeakKeyMap.pop(map, new Colliding(1)), Option.some("new"))
        assert.strictEqual(WeakKeyMap.size(map), 0)
      }
    })

    it("cyclic keys compare by structure", () => {
      const { map } = setup<object, string>([[cyclic(1), "one"], [cyclic(2), "two"]])
      assert.deepStrictEqual(WeakKeyMap.get(map, cyclic(2)), Option.some("two"))
    })

    it("a dead reference that was hashed before its death is found as a key", () => {
      const { collect, heap, map } = setup<object, string>()
      const ref = WeakRef.makeUnsafe(a, heap)
      WeakKeyMap.set(map, ref, "ref")
      collect(a)
      assert.deepStrictEqual(WeakKeyMap.get(map, ref), Option.some("ref"))
      assert.deepStrictEqual(WeakKeyMap.pop(map, ref), Option.some("ref"))
    })

    it("a dead reference without a hash is rejected by structural comparison, and nothing is inserted", () => {
      const { collect, heap, map } = setup<object, string>()
      const ref = WeakRef.makeUnsafe(a, heap)
      collect(a)
      assert.throws(() => WeakKeyMap.set(map, ref, "ref"), WeakError.UnhashableError)
      assert.strictEqual(WeakKeyMap.size(map), 0)
      const byReference = WeakKeyMap.makeUnsafe<object, string>({ compare: "reference" }, heap)
      assert.isTrue(WeakKeyMap.has(WeakKeyMap.set(byReference, ref, "ref"), ref))
    })

    it("a proxy as a value is never accessed", () => {
      const value = hostile()
      const { map } = setup<Id, unknown>([[a, value]])
      assert.isTrue(Option.getOrThrow(WeakKeyMap.get(map, a)) === value)
      assert.isTrue(WeakKeyMap.getOrSet(map, a, throwing) === value)
      assert.isTrue(Array.from(WeakKeyMap.values(map))[0] === value)
      assert.isTrue(Option.getOrThrow(WeakKeyMap.pop(map, a2)) === value)
    })

    it("looking up the key object itself does not hash it", () => {
      const key = new HashSpy(0)
      const { map } = setup<object, string>([[key, "key"]])
      key.hashes = 0
      WeakKeyMap.get(map, key)
      WeakKeyMap.has(map, key)
      WeakKeyMap.set(map, key, "new")
      WeakKeyMap.getOrSet(map, key, throwing)
      WeakKeyMap.modify(map, key, (value) => value)
      WeakKeyMap.modifyAt(map, key, () => Option.some("newer"))
      assert.strictEqual(key.hashes, 0)
      WeakKeyMap.get(map, new Date(0))
      WeakKeyMap.get(map, { ...a })
      assert.isTrue(WeakKeyMap.has(map, new Date(0)))
    })

    it("a changed key is found and removed by identity", () => {
      const [first, second] = [new Date(1), new Date(2)]
      const { map } = setup([[first, "first"], [second, "second"]])
      second.setTime(1)
      assert.deepStrictEqual(WeakKeyMap.get(map, second), Option.some("second"))
      assert.deepStrictEqual(WeakKeyMap.pop(map, second), Option.some("second"))
      assert.deepStrictEqual(Array.from(map), [[first, "first"]])
      first.setTime(3)
      assert.deepStrictEqual(WeakKeyMap.pop(map, first), Option.some("first"))
      assert.strictEqual(WeakKeyMap.size(map), 0)
    })

    it("with comparison by reference, no operation hashes a key or reads its properties", () => {
      const key = hostile()
      const other = hostile()
      const { collect, finalize, map } = setup<object, string>([[key, "key"]], { compare: "reference" })
      WeakKeyMap.set(map, key, "again")
      pipe(map, WeakKeyMap.set(other, "other"))
      assert.isTrue(WeakKeyMap.has(map, key) && WeakKeyMap.has(map, other))
      assert.deepStrictEqual(WeakKeyMap.get(map, key), Option.some("again"))
      WeakKeyMap.getOrSet(map, key, throwing)
      WeakKeyMap.modify(map, key, (value) => `${value}!`)
      WeakKeyMap.modifyAt(map, key, (value) => value)
      WeakKeyMap.setAll(map, [[key, "all"], [other, "all"]])
      WeakKeyMap.setAll(map, map)
      const copy = WeakKeyMap.copyWith(WeakKeyMap.copy(map), (value) => value)
      assert.isTrue(WeakKeyMap.equals(map, copy))
      assert.isTrue(WeakKeyMap.equals(WeakKeyMap.union(map, copy), map))
      const made = Effect.runSync(WeakKeyMap.fromIterable([[key, "all"], [other, "all"]], { compare: "reference" }))
      assert.isTrue(WeakKeyMap.equals(map, made))
      assert.isTrue(Array.from(WeakKeyMap.keys(map))[0] === key)
      assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["all", "all"])
      assert.isTrue(Option.getOrThrow(WeakRef.deref(Array.from(WeakKeyMap.keyRefs(map))[0]!)) === key)
      WeakKeyMap.forEach(map, (value, key) => WeakKeyMap.set(copy, key, value))
      assert.strictEqual(WeakKeyMap.count(map), 2)
      assert.isTrue(Option.getOrThrow(WeakKeyMap.popEntry(copy))[0] === key)
      assert.deepStrictEqual(WeakKeyMap.pop(map, key), Option.some("all"))
      WeakKeyMap.remove(copy, other)
      collect(other)
      finalize()
      assert.isTrue(WeakKeyMap.isEmpty(map))
      WeakKeyMap.clear(map)
    })
  })

  describe("registrations", () => {
    it("renewing a registry reclaims dead entries at once", () => {
      for (const compare of compares) {
        const { collect, map } = setup([[a, "a"], [b, "b"]], { compare })
        collect(a)
        assert.strictEqual(WeakKeyMap.size(map), 2)
        for (let i = 0; i < 100; i++) WeakKeyMap.set(WeakKeyMap.remove(map, c), c, "c")
        assert.strictEqual(WeakKeyMap.size(map), 2)
        assert.strictEqual(WeakKeyMap.count(map), 2)
      }
    })

    it("an entry that was removed and set again ends when its key dies", () => {
      for (const compare of compares) {
        const { collect, finalize, map } = setup([[a, "a"], [b, "b"]], { compare })
        WeakKeyMap.set(WeakKeyMap.remove(map, a), a, "again")
        collect(a)
        finalize()
        assert.deepStrictEqual(Array.from(map), [[b, "b"]])
        assert.strictEqual(WeakKeyMap.size(map), 1)
      }
    })

    it("a renewed registry reclaims all entries that die later", () => {
      for (const compare of compares) {
        const { collect, finalize, map } = setup([[a, "a"], [b, "b"]], { compare })
        for (let i = 0; i < 100; i++) WeakKeyMap.set(WeakKeyMap.remove(map, c), c, "c")
        collect(a, c)
        finalize()
        assert.strictEqual(WeakKeyMap.size(map), 1)
        collect(b)
        finalize()
        assert.strictEqual(WeakKeyMap.size(map), 0)
      }
    })
  })
})

describe("a map with structural keys", () => {
  it("finds the value of an equal key, whatever kinds of values it has", () => {
    for (const values of [[{ id: 1 }, { id: 2 }], [1, 2], [{ id: 1 }, 2], [1, { id: 2 }], [undefined, { id: 2 }]]) {
      const map = WeakKeyMap.makeUnsafe<object, unknown>({ compare: "structural" })
      const keys = values.map((_, id) => ({ id }))
      values.forEach((value, id) => WeakKeyMap.set(map, keys[id]!, value))
      values.forEach((value, id) => {
        assert.deepStrictEqual(WeakKeyMap.get(map, keys[id]!), Option.some(value))
        assert.deepStrictEqual(WeakKeyMap.get(map, { id }), Option.some(value))
      })
      assert.deepStrictEqual(WeakKeyMap.get(map, { id: 2 }), Option.none())
    }
  })
})

testDual("WeakKeyMap")
