/** CPython's tests of the mapping protocol, for both maps. */
import { assert } from "@effect/vitest"
import { Effect, Option } from "effect"
import { WeakKeyMap, WeakValueMap } from "../../src/index.ts"
import { Obj, sync, type Table } from "./entry.ts"

/** The functions of one map module, and entries for its tests. */
interface Protocol<Self, K, V> {
  readonly entries: ReadonlyArray<readonly [K, V]>
  readonly other: readonly [K, V]
  readonly make: () => Self
  readonly fromIterable: (entries: Iterable<readonly [K, V]>) => Effect.Effect<Self, unknown>
  readonly get: (self: Self, key: K) => Option.Option<V>
  readonly has: (self: Self, key: K) => boolean
  readonly set: (self: Self, key: K, value: V) => Self
  readonly remove: (self: Self, key: K) => Self
  readonly pop: (self: Self, key: K) => Option.Option<V>
  readonly popEntry: (self: Self) => Option.Option<[K, V]>
  readonly getOrSet: (self: Self, key: K, make: () => V) => V
  readonly setAll: (self: Self, entries: Iterable<readonly [K, V]>) => Self
  readonly clear: (self: Self) => Self
  readonly keys: (self: Self) => Iterable<K>
  readonly values: (self: Self) => Iterable<V>
  readonly size: (self: Self) => number
  readonly isEmpty: (self: Self) => boolean
  readonly equals: (self: Self, that: Self) => boolean
}

class Boom extends Error {}

const protocol = <Self extends Iterable<[K, V]>, K, V>(
  { entries, other: [otherKey, otherValue], ...map }: Protocol<Self, K, V>
): Table<"WeakKeyDictionaryTestCase"> & Table<"WeakValueDictionaryTestCase"> => {
  const full = () => map.setAll(map.make(), entries)
  const keys = entries.map(([key]) => key)
  const values = entries.map(([, value]) => value)
  const [key, value] = entries[0]!

  return {
    test_read: sync(() => {
      const empty = map.make()
      const self = full()
      for (const [key, value] of entries) {
        assert.deepStrictEqual(map.get(self, key), Option.some(value))
        assert.isTrue(map.has(self, key))
      }
      assert.deepStrictEqual(map.get(self, otherKey), Option.none())
      assert.isFalse(map.has(self, otherKey))
      assert.deepStrictEqual([map.size(empty), map.size(self)], [0, entries.length])
      assert.deepStrictEqual(
        [[empty, empty], [self, self], [empty, self], [self, empty]].map(([a, b]) => map.equals(a!, b!)),
        [true, true, false, false]
      )
      assert.deepStrictEqual([...map.keys(self)], keys)
      assert.deepStrictEqual([...map.values(self)], values)
      assert.deepStrictEqual([...self], entries.map(([key, value]) => [key, value]))
    }),

    test_write: sync(() => {
      const self = map.make()
      for (const [key, value] of entries) {
        map.set(self, key, value)
        assert.deepStrictEqual(map.get(self, key), Option.some(value))
      }
      for (const key of keys) {
        map.remove(self, key)
        assert.deepStrictEqual(map.get(self, key), Option.none())
      }
      assert.deepStrictEqual([...map.setAll(map.make(), full())], [...full()])
      map.setAll(self, entries)
      assert.strictEqual(map.getOrSet(self, key, () => otherValue), value)
      assert.strictEqual(map.getOrSet(self, otherKey, () => otherValue), otherValue)
      assert.deepStrictEqual(map.get(self, otherKey), Option.some(otherValue))
      assert.deepStrictEqual(map.pop(self, otherKey), Option.some(otherValue))
      assert.deepStrictEqual(map.pop(self, otherKey), Option.none())
      const [popped] = Option.getOrThrow(map.popEntry(self))
      assert.isFalse(map.has(self, popped))
      assert.deepStrictEqual(map.popEntry(map.make()), Option.none())
    }),

    test_constructor: sync(() => {
      assert.isTrue(map.equals(map.make(), map.make()))
      assert.isTrue(map.equals(Effect.runSync(map.fromIterable(entries)), full()))
    }),

    test_bool: sync(() => {
      assert.isTrue(map.isEmpty(map.make()))
      assert.isFalse(map.isEmpty(full()))
    }),

    test_keys: sync(() => {
      assert.deepStrictEqual([...map.keys(map.make())], [])
      assert.deepStrictEqual([...map.keys(full())], keys)
    }),

    test_values: sync(() => {
      assert.deepStrictEqual([...map.values(map.make())], [])
      assert.deepStrictEqual([...map.values(full())], values)
    }),

    test_items: sync(() => {
      assert.deepStrictEqual([...map.make()], [])
      assert.deepStrictEqual([...full()], entries.map(([key, value]) => [key, value]))
    }),

    test_len: sync(() => {
      assert.strictEqual(map.size(map.make()), 0)
      assert.strictEqual(map.size(full()), entries.length)
    }),

    test_getitem: sync(() => assert.deepStrictEqual(map.get(full(), key), Option.some(value))),

    test_update: sync(() => {
      const self = map.make()
      for (const more of [[[otherKey, otherValue] as const], new Map([[otherKey, otherValue]]).entries()]) {
        assert.deepStrictEqual([...map.setAll(map.clear(self), more)], [[otherKey, otherValue]])
      }
      assert.deepStrictEqual([...map.setAll(map.clear(self), [])], [])
      assert.throws(() => map.setAll(self, 42 as unknown as []), TypeError)
      assert.throws(() => map.setAll(self, [42] as unknown as []), TypeError)
      // Sets nothing if the iterable throws midway.
      const failing = (function*() {
        yield entries[0]!
        throw new Boom()
      })()
      assert.throws(() => map.setAll(self, failing), Boom)
      assert.deepStrictEqual([...self], [])
    }),

    test_get: sync(() => {
      assert.deepStrictEqual(map.get(map.make(), key), Option.none())
      assert.strictEqual(Option.getOrElse(map.get(map.make(), key), () => otherValue), otherValue)
      assert.strictEqual(Option.getOrElse(map.get(full(), key), () => otherValue), value)
    }),

    test_setdefault: sync(() => {
      const self = map.make()
      assert.strictEqual(map.getOrSet(self, key, () => value), value)
      assert.strictEqual(map.getOrSet(self, key, () => otherValue), value)
      assert.throws(() =>
        map.getOrSet(self, otherKey, () => {
          throw new Boom()
        }), Boom)
      assert.isFalse(map.has(self, otherKey))
    }),

    test_popitem: sync(() => {
      const self = full()
      for (const [key, value] of entries) {
        assert.deepStrictEqual(map.popEntry(self), Option.some<[K, V]>([key, value]))
      }
      assert.deepStrictEqual(map.popEntry(self), Option.none())
    }),

    test_pop: sync(() => {
      const self = full()
      assert.deepStrictEqual(map.pop(self, otherKey), Option.none())
      assert.deepStrictEqual(map.pop(self, key), Option.some(value))
      assert.deepStrictEqual(map.pop(self, key), Option.none())
      assert.strictEqual(map.size(self), entries.length - 1)
    })
  }
}

const objects = [1, 2, 3, 4].map((arg) => new Obj({ arg }))

export const WeakValueDictionaryTestCase: Table<"WeakValueDictionaryTestCase"> = protocol<
  WeakValueMap.WeakValueMap<string, Obj>,
  string,
  Obj
>({
  ...WeakValueMap,
  make: WeakValueMap.makeUnsafe,
  entries: objects.slice(1).map((object, i) => [`key${i}`, object]),
  other: ["other", objects[0]!]
})

export const WeakKeyDictionaryTestCase: Table<"WeakKeyDictionaryTestCase"> = protocol<
  WeakKeyMap.WeakKeyMap<Obj, number>,
  Obj,
  number
>({
  ...WeakKeyMap,
  make: WeakKeyMap.makeUnsafe,
  entries: objects.slice(1).map((object, i) => [object, i]),
  other: [objects[0]!, -1]
})
