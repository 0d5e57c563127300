import { assert } from "@effect/vitest"
import { Effect, Equal, Hash, Option } from "effect"
import { Heap, WeakError, WeakKeyMap, WeakRef, WeakValueMap } from "../../src/index.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { collectUntil, tolerated } from "../support/realHeap.ts"
import type { World } from "../support/worlds.ts"
import { eagerHeap, effect, nextTurn, Obj, onBothHeapsOf, Plain, sync, type Table } from "./entry.ts"

/** Python compares keys and elements with `==`. */
const structural = { compare: "structural" } as const

const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
const onBothHeaps = onBothHeapsOf((name) => new Obj({ arg: name }))

/** A common interface of both maps. The weak side of an entry is an object, and the strong side is its name. */
interface Kind {
  readonly make: (heap?: Heap.Heap) => Instance
}

interface Instance {
  readonly set: (object: Obj) => void
  readonly remove: (object: Obj) => void
  readonly pop: (object: Obj) => boolean
  readonly has: (object: Obj) => boolean
  readonly getOrSet: (object: Obj) => void
  readonly setAllOfCopy: () => void
  readonly popEntry: () => boolean
  readonly clear: () => void
  readonly copy: () => Instance
  /** Copies the map, and copies each strong side with `f`. */
  readonly deepCopy: (f: (strong: unknown) => unknown) => Instance
  readonly size: () => number
  readonly count: () => number
  /** Iterators of the names, one for each way to iterate. */
  readonly iterators: Readonly<Record<string, () => IterableIterator<string>>>
  readonly equals: (that: Instance) => boolean
  readonly map: object
}

/** Maps an iterator. Node 20 has no `Iterator.prototype.map`, and a paused generator would hold the last referent. */
const mapped = <A, B>(iterator: Iterator<A>, f: (a: A) => B): IterableIterator<B> => ({
  next: () => {
    const step = iterator.next()
    return step.done === true ? step : { done: false, value: f(step.value) }
  },
  [Symbol.iterator]() {
    return this
  }
})
const nameOf = (object: Obj): string => String(object.arg)
const nameOfRef = (ref: WeakRef.WeakRef<Obj>): string => nameOf(Option.getOrThrow(WeakRef.deref(ref)))

const keyed = (map: WeakKeyMap.WeakKeyMap<Obj, string>): Instance => ({
  set: (object) => void WeakKeyMap.set(map, object, nameOf(object)),
  remove: (object) => void WeakKeyMap.remove(map, object),
  pop: (object) => Option.isSome(WeakKeyMap.pop(map, object)),
  has: (object) => WeakKeyMap.has(map, object),
  getOrSet: (object) => void WeakKeyMap.getOrSet(map, object, () => nameOf(object)),
  setAllOfCopy: () => void WeakKeyMap.setAll(map, WeakKeyMap.copy(map)),
  popEntry: () => Option.isSome(WeakKeyMap.popEntry(map)),
  clear: () => void WeakKeyMap.clear(map),
  copy: () => keyed(WeakKeyMap.copy(map)),
  deepCopy: (f) => keyed(WeakKeyMap.copyWith(map, (value) => String(f(value)))),
  size: () => WeakKeyMap.size(map),
  count: () => WeakKeyMap.count(map),
  iterators: {
    keys: () => mapped(WeakKeyMap.keys(map), nameOf),
    values: () => mapped(WeakKeyMap.values(map), String),
    entries: () => mapped(WeakKeyMap.entries(map), ([, value]) => value),
    itself: () => mapped(map[Symbol.iterator](), ([key]) => nameOf(key)),
    keyRefs: () => mapped(WeakKeyMap.keyRefs(map), nameOfRef)
  },
  equals: (that) => WeakKeyMap.equals(map, that.map as typeof map),
  map
})

const valued = (map: WeakValueMap.WeakValueMap<string, Obj>): Instance => ({
  set: (object) => void WeakValueMap.set(map, nameOf(object), object),
  remove: (object) => void WeakValueMap.remove(map, nameOf(object)),
  pop: (object) => Option.isSome(WeakValueMap.pop(map, nameOf(object))),
  has: (object) => WeakValueMap.has(map, nameOf(object)),
  getOrSet: (object) => void WeakValueMap.getOrSet(map, nameOf(object), () => object),
  setAllOfCopy: () => void WeakValueMap.setAll(map, WeakValueMap.copy(map)),
  popEntry: () => Option.isSome(WeakValueMap.popEntry(map)),
  clear: () => void WeakValueMap.clear(map),
  copy: () => valued(WeakValueMap.copy(map)),
  deepCopy: (f) => valued(WeakValueMap.copyWith(map, (key) => String(f(key)))),
  size: () => WeakValueMap.size(map),
  count: () => WeakValueMap.count(map),
  iterators: {
    keys: () => mapped(WeakValueMap.keys(map), String),
    values: () => mapped(WeakValueMap.values(map), nameOf),
    entries: () => mapped(WeakValueMap.entries(map), ([key]) => key),
    itself: () => mapped(map[Symbol.iterator](), ([, value]) => nameOf(value)),
    valueRefs: () => mapped(WeakValueMap.valueRefs(map), nameOfRef)
  },
  equals: (that) => WeakValueMap.equals(map, that.map as typeof map),
  map
})

const Keyed: Kind = { make: (heap) => keyed(WeakKeyMap.makeUnsafe(structural, heap)) }
const Valued: Kind = { make: (heap) => valued(WeakValueMap.makeUnsafe(undefined, heap)) }

const namesIn = (map: Instance): string => Array.from(map.iterators.itself!()).join("")

/** Creates a map with an entry for each name. */
const filled = (kind: Kind, world: World<Obj>) =>
  Effect.gen(function*() {
    const map = kind.make(yield* Heap.Heap)
    for (const name of names) yield* world.sync(name, map.set)
    return map
  })

const lenCycles = (kind: Kind) =>
  effect(() =>
    Effect.gen(function*() {
      const make = () => {
        const map = kind.make()
        for (let n = 0; n < 20; n++) {
          const cyclic: Record<string, unknown> = { n }
          cyclic.cycle = cyclic
          map.set(new Obj({ arg: cyclic }))
        }
        const iterator = map.iterators.itself!()
        iterator.next()
        return { map, iterator }
      }
      const { iterator, map } = make()
      // A paused iterator keeps no entry alive.
      assert.isTrue(yield* collectUntil(() => map.size() === 0))
      assert.isTrue(iterator.next().done)
    })
  )

const lenRace = (kind: Kind) =>
  effect(() =>
    Effect.gen(function*() {
      const make = () => {
        const map = kind.make()
        for (let n = 0; n < 20; n++) map.set(new Obj({ arg: n }))
        return map
      }
      for (let round = 0; round < 10; round++) {
        const map = make()
        yield* nextTurn
        // The entries are dead, but not reclaimed yet.
        globalThis.gc!()
        const before = map.size()
        assert.isAtMost(map.count(), tolerated)
        yield* nextTurn
        const after = map.size()
        assert.isTrue(0 <= after && after <= before && before <= 20)
      }
    })
  )

/** Tests look-ups, a copy, and entries that end when their objects die. */
const weakEntries = (kind: Kind) =>
  onBothHeaps((world) =>
    Effect.gen(function*() {
      const map = yield* filled(kind, world)
      for (const name of names) {
        // The entry of a map does not count as a weak reference of the program.
        assert.strictEqual(yield* world.with(name, WeakRef.count), 0)
        assert.isTrue(yield* world.sync(name, map.has))
      }
      assert.strictEqual(namesIn(map.copy()), namesIn(map))
      assert.strictEqual(map.size(), names.length)
      yield* world.die("a")
      assert.strictEqual(map.size(), names.length - 1)
      yield* world.die(...names.slice(1))
      assert.strictEqual(map.size(), 0)
      yield* world.sync("again", map.set)
      assert.isTrue(yield* world.sync("again", map.has))
      assert.isFalse(map.has(new Obj({ arg: 34 })))
    })
  )

const iterates = (kind: Kind) =>
  onBothHeaps((world) =>
    Effect.gen(function*() {
      const map = yield* filled(kind, world)
      for (const [how, iterate] of Object.entries(map.iterators)) {
        assert.deepStrictEqual(yield* Effect.sync(() => Array.from(iterate())), names, how)
      }
    })
  )

const destroysWhileIterating = (kind: Kind) =>
  onBothHeaps((world) =>
    Effect.gen(function*() {
      const map = yield* filled(kind, world)
      const left = [...names]

      for (const [how, iterate] of Object.entries(map.iterators)) {
        const iterator = iterate()
        yield* Effect.sync(() => void iterator.next())
        yield* world.die(left.pop()!)
        assert.deepStrictEqual(Array.from(iterator), left.slice(1), how)
        assert.strictEqual(map.size(), left.length, how)
      }

      // Starts an iterator, collects the object of an entry, and returns another object with the same name.
      const iterators: Array<IterableIterator<string>> = []
      const context = Effect.fnUntraced(function*() {
        const name = left.pop()!
        const iterator = map.iterators.itself!()
        iterators.push(iterator)
        yield* Effect.sync(() => void iterator.next())
        yield* world.die(name)
        return new Obj({ arg: name })
      })
      assert.isFalse(map.has(yield* context()))
      const removed = yield* context()
      map.remove(removed)
      assert.isFalse(map.pop(removed))
      assert.isFalse(map.has(removed))
      const again = yield* context()
      map.set(again)
      assert.isTrue(map.has(again))
      assert.strictEqual(map.size(), left.length + 1)
      assert.isTrue(map.popEntry())
      assert.strictEqual(map.size(), left.length)
      map.setAllOfCopy()
      assert.strictEqual(map.size(), left.length)
      yield* Effect.asVoid(context())
      map.clear()
      assert.strictEqual(map.size(), 0)
      for (const iterator of iterators) assert.isTrue(iterator.next().done)
    })
  )

/** Replaces the threads of CPython's test with a heap that forces collections while the library creates references. */
const roundsOnEagerHeap = (kind: Kind, round: (map: Instance, n: number) => void) =>
  effect(() =>
    Effect.gen(function*() {
      const map = kind.make(eagerHeap(5))
      for (let n = 0; n < 100; n++) {
        round(map, n)
        if (n % 10 === 0) yield* nextTurn
      }
    })
  )

/** Copies a map while half of its entries are collected. */
const copiesWhileCollecting = (kind: Kind, copy: (map: Instance) => Instance) =>
  effect(() =>
    Effect.gen(function*() {
      const kept: Array<Obj> = []
      const map = kind.make(eagerHeap(25))
      const fill = () => {
        for (let n = 0; n < 100; n++) {
          const object = new Obj({ arg: n })
          if (n % 2 === 1) kept.push(object)
          map.set(object)
        }
      }
      fill()
      yield* nextTurn
      const copied = copy(map)
      for (const object of kept) assert.isTrue(copied.has(object))
      assert.isAtMost(copied.count(), 100)
      assert.isTrue(yield* collectUntil(() => copied.count() === 50 && map.count() === 50))
      assert.isTrue(copied.equals(map))
    })
  )

/** Tests that clean-ups hold neither the map nor its strong sides. */
const cleanUpsHoldNoMap = effect(() =>
  Effect.gen(function*() {
    const objects = [new Plain(), new Plain()]
    const make = () => {
      const strong = [new Plain(), new Plain()]
      const byKey = WeakKeyMap.makeUnsafe<Plain, Plain>(structural)
      const byValue = WeakValueMap.makeUnsafe<Plain, Plain>()
      for (const [i, object] of objects.entries()) {
        WeakKeyMap.set(byKey, object, strong[i]!)
        WeakValueMap.set(byValue, strong[i]!, object)
      }
      WeakKeyMap.remove(byKey, objects[0]!)
      WeakValueMap.remove(byValue, strong[0]!)
      return [byKey, byValue, ...strong].map((held) => WeakRef.makeUnsafe(held))
    }
    const refs = make()
    assert.isTrue(yield* collectUntil(() => !refs.some(WeakRef.isAlive)))
    assert.lengthOf(objects, 2)
  })
)

export const MappingTestCase: Table<"MappingTestCase"> = {
  test_weak_keyed_len_cycles: lenCycles(Keyed),
  test_weak_valued_len_cycles: lenCycles(Valued),
  test_weak_keyed_len_race: lenRace(Keyed),
  test_weak_valued_len_race: lenRace(Valued),
  test_weak_values: weakEntries(Valued),
  test_weak_keys: weakEntries(Keyed),
  test_weak_keyed_iters: iterates(Keyed),
  test_weak_valued_iters: iterates(Valued),
  test_weak_keys_destroy_while_iterating: destroysWhileIterating(Keyed),
  test_weak_values_destroy_while_iterating: destroysWhileIterating(Valued),

  test_make_weak_keyed_dict_from_dict: sync(() => {
    const object = new Obj({ arg: 3 })
    const map = Effect.runSync(WeakKeyMap.fromIterable(new Map([[object, 364]]), structural))
    assert.deepStrictEqual(WeakKeyMap.get(map, object), Option.some(364))
  }),
  test_make_weak_keyed_dict_from_weak_keyed_dict: sync(() => {
    const object = new Obj({ arg: 3 })
    const map = Effect.runSync(WeakKeyMap.fromIterable([[object, 364]], structural))
    const copy = Effect.runSync(WeakKeyMap.fromIterable(map, structural))
    WeakKeyMap.clear(map)
    assert.deepStrictEqual(WeakKeyMap.get(copy, object), Option.some(364))
  }),
  test_make_weak_keyed_dict_repr: sync(() => {
    const map = WeakKeyMap.makeUnsafe<Obj, number>(structural)
    assert.strictEqual(String(map), "WeakKeyMap([])")
  }),
  test_make_weak_valued_dict_from_dict: sync(() => {
    const object = new Obj({ arg: 3 })
    const map = Effect.runSync(WeakValueMap.fromIterable(new Map([[364, object]])))
    assert.deepStrictEqual(WeakValueMap.get(map, 364), Option.some(object))
  }),
  test_make_weak_valued_dict_from_weak_valued_dict: sync(() => {
    const object = new Obj({ arg: 3 })
    const map = Effect.runSync(WeakValueMap.fromIterable([[364, object]]))
    const copy = Effect.runSync(WeakValueMap.fromIterable(map))
    WeakValueMap.clear(map)
    assert.deepStrictEqual(WeakValueMap.get(copy, 364), Option.some(object))
  }),
  test_make_weak_valued_dict_misc: sync(() => {
    const object = new Obj({ arg: 3 })
    for (const entries of [1, {}, [1], [null]]) {
      const make = WeakValueMap.fromIterable(entries as unknown as Iterable<readonly [string, Obj]>)
      assert.throws(() => Effect.runSync(make), TypeError)
    }
    // No key has a special meaning.
    for (const key of ["self", "dict", "other", "iterable", "__proto__", "constructor", undefined, Number.NaN, 0]) {
      const map = Effect.runSync(WeakValueMap.fromIterable([[key, object]]))
      assert.deepStrictEqual([...WeakValueMap.keys(map)], [key])
      assert.deepStrictEqual(WeakValueMap.get(map, key), Option.some(object))
    }
  }),
  test_make_weak_valued_dict_repr: sync(() => {
    const map = WeakValueMap.makeUnsafe<string, Obj>()
    assert.strictEqual(String(map), "WeakValueMap([])")
  }),

  test_weak_valued_dict_popitem: sync(() => {
    const [first, second] = [new Plain(), new Plain()]
    const map = WeakValueMap.makeUnsafe<string, Plain>()
    WeakValueMap.setAll(map, [["key1", first], ["key2", second]])
    for (const expected of [["key1", first], ["key2", second]] as const) {
      const [key, value] = Option.getOrThrow(WeakValueMap.popEntry(map))
      assert.isTrue(key === expected[0] && value === expected[1])
    }
    assert.strictEqual(WeakValueMap.size(map), 0)
  }),
  test_weak_keyed_dict_popitem: sync(() => {
    const [first, second] = [new Plain(), new Plain()]
    const map = WeakKeyMap.makeUnsafe<Plain, string>(structural)
    WeakKeyMap.setAll(map, [[first, "value 1"], [second, "value 2"]])
    for (const expected of [[first, "value 1"], [second, "value 2"]] as const) {
      const [key, value] = Option.getOrThrow(WeakKeyMap.popEntry(map))
      assert.isTrue(key === expected[0] && value === expected[1])
    }
    assert.strictEqual(WeakKeyMap.size(map), 0)
  }),

  test_weak_valued_dict_setdefault: sync(() => {
    const [first, second] = [new Plain(), new Plain()]
    const map = WeakValueMap.makeUnsafe<string, Plain>()
    for (const value of [first, second]) {
      assert.strictEqual(WeakValueMap.getOrSet(map, "key", () => value), first)
      assert.strictEqual(Option.getOrThrow(WeakValueMap.get(map, "key")), first)
    }
  }),
  test_weak_keyed_dict_setdefault: sync(() => {
    const key = new Plain()
    const map = WeakKeyMap.makeUnsafe<Plain, string>(structural)
    for (const value of ["value 1", "value 2"]) {
      assert.strictEqual(WeakKeyMap.getOrSet(map, key, () => value), "value 1")
      assert.deepStrictEqual(WeakKeyMap.get(map, key), Option.some("value 1"))
    }
  }),

  test_weak_valued_dict_update: sync(() => {
    const entries = new Map<unknown, Plain>([[1, new Plain()], ["a", new Plain()], [new Plain(), new Plain()]])
    const map = WeakValueMap.setAll(WeakValueMap.makeUnsafe<unknown, Plain>(), entries)
    assert.strictEqual(WeakValueMap.size(map), 3)
    for (const [key, value] of entries) assert.strictEqual(Option.getOrThrow(WeakValueMap.get(map, key)), value)
    assert.throws(() => WeakValueMap.setAll(map, {} as unknown as []), TypeError)
    assert.strictEqual(WeakValueMap.size(map), 3)
  }),
  test_weak_keyed_dict_update: sync(() => {
    const entries = new Map([[new Plain(), 1], [new Plain(), 2], [new Plain(), 3]])
    const map = WeakKeyMap.setAll(WeakKeyMap.makeUnsafe<Plain, number>(structural), entries)
    assert.strictEqual(WeakKeyMap.size(map), 3)
    for (const [key, value] of entries) assert.deepStrictEqual(WeakKeyMap.get(map, key), Option.some(value))
  }),

  test_weak_valued_union_operators: onBothHeaps((world) =>
    Effect.gen(function*() {
      const [b, c] = [new Obj({ arg: "b" }), new Obj({ arg: "c" })]
      const first = yield* world.with("a", (a) => WeakValueMap.fromIterable<number, Obj>([[1, a]]))
      const second = yield* world.with("a", (a) => WeakValueMap.fromIterable<number, Obj>([[1, b], [2, a]]))
      const plain = new Map([[1, c], [3, b]])
      const union = WeakValueMap.union(first, second)
      const text = (map: WeakValueMap.WeakValueMap<number, Obj>) =>
        Array.from(map, ([key, { arg }]) => `${key}${arg}`).join()
      assert.strictEqual(text(union), "1b,2a")
      assert.strictEqual(text(first), "1a")
      const updated = WeakValueMap.setAll(WeakValueMap.copy(first), second)
      assert.isTrue(WeakValueMap.equals(updated, union))
      assert.strictEqual(text(WeakValueMap.setAll(second, plain)), "1c,2a,3b")
      const reversed = WeakValueMap.union(yield* WeakValueMap.fromIterable(plain), first)
      assert.strictEqual(text(reversed), "1a,3b")
      yield* world.die("a")
      assert.deepStrictEqual([union, updated, second, reversed, first].map(text), ["1b", "1b", "1c,3b", "3b", ""])
    })
  ),
  test_weak_keyed_union_operators: onBothHeaps((world) =>
    Effect.gen(function*() {
      const [o2, o3] = [new Obj({ arg: "o2" }), new Obj({ arg: "o3" })]
      const first = yield* world.with(
        "o1",
        (o1) => WeakKeyMap.fromIterable<Obj, number>([[o1, 1], [o2, 2]], structural)
      )
      const second = yield* world.with(
        "o1",
        (o1) => WeakKeyMap.fromIterable<Obj, number>([[o3, 3], [o1, 4]], structural)
      )
      const plain = new Map([[o2, 5], [o3, 6]])
      const union = WeakKeyMap.union(first, second)
      const text = (map: WeakKeyMap.WeakKeyMap<Obj, number>) =>
        Array.from(map, ([{ arg }, value]) => `${arg}=${value}`).join()
      assert.strictEqual(text(union), "o1=4,o2=2,o3=3")
      assert.strictEqual(text(first), "o1=1,o2=2")
      const updated = WeakKeyMap.setAll(WeakKeyMap.copy(first), second)
      assert.isTrue(WeakKeyMap.equals(updated, union))
      assert.strictEqual(text(WeakKeyMap.setAll(second, plain)), "o3=6,o1=4,o2=5")
      const reversed = WeakKeyMap.union(yield* WeakKeyMap.fromIterable(plain, structural), first)
      assert.strictEqual(text(reversed), "o2=2,o3=6,o1=1")
      yield* world.die("o1")
      assert.deepStrictEqual(
        [union, updated, second, reversed, first].map(text),
        ["o2=2,o3=3", "o2=2,o3=3", "o3=6,o2=5", "o2=2,o3=6", "o2=2"]
      )
    })
  ),

  test_weak_keyed_delitem: sync(() => {
    const [o1, o2] = [new Obj({ arg: "1" }), new Obj({ arg: "2" })]
    const map = WeakKeyMap.setAll(WeakKeyMap.makeUnsafe<Obj, string>(structural), [[o1, "something"], [
      o2,
      "something"
    ]])
    assert.strictEqual(WeakKeyMap.size(map), 2)
    assert.deepStrictEqual([...WeakKeyMap.keys(WeakKeyMap.remove(map, o1))], [o2])
    assert.strictEqual(WeakKeyMap.size(map), 1)
  }),
  test_weak_valued_delitem: sync(() => {
    const [o1, o2] = [new Obj({ arg: "1" }), new Obj({ arg: "2" })]
    const map = WeakValueMap.setAll(WeakValueMap.makeUnsafe<string, Obj>(), [["something", o1], ["else", o2]])
    assert.strictEqual(WeakValueMap.size(map), 2)
    assert.deepStrictEqual([...WeakValueMap.remove(map, "something")], [["else", o2]])
    assert.strictEqual(WeakValueMap.size(map), 1)
  }),
  test_weak_keyed_bad_delitem: sync(() => {
    for (const compare of ["structural", "reference"] as const) {
      const map = WeakKeyMap.makeUnsafe<WeakKey, number>({ compare })
      // Looking up or removing a missing key, or a value that cannot be a key, returns None or does nothing.
      for (const key of [new Obj({ arg: "1" }), 13 as unknown as WeakKey]) {
        assert.deepStrictEqual(WeakKeyMap.get(map, key), Option.none())
        assert.strictEqual(WeakKeyMap.remove(map, key), map)
        assert.deepStrictEqual(WeakKeyMap.pop(map, key), Option.none())
      }
      assert.throws(() => WeakKeyMap.set(map, 13 as unknown as WeakKey, 13), WeakError.NotWeakReferenceableError)
      assert.strictEqual(WeakKeyMap.size(map), 0)
    }
  }),

  test_weak_keyed_cascading_deletes: sync(() => {
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    let mutating = false
    const live: Array<Key> = []
    class Key {
      readonly value: number
      constructor(value: number) {
        this.value = value
      }
      [Equal.symbol](that: unknown): boolean {
        // Each comparison collects the last key, and runs its clean-up.
        if (mutating && live.length > 0) {
          collect(live.pop()!)
          finalize()
        }
        return that instanceof Key && that.value === this.value
      }
      [Hash.symbol](): number {
        return 1
      }
    }
    const map = WeakKeyMap.makeUnsafe<Key, number>(structural, heap)
    for (const value of [1, 2, 3, 4]) {
      const key = new Key(value)
      live.push(key)
      WeakKeyMap.set(map, key, value)
    }
    mutating = true
    for (const value of [4, 3, 2, 1]) WeakKeyMap.remove(map, new Key(value))
    assert.strictEqual(WeakKeyMap.count(map), 0)
    assert.strictEqual(WeakKeyMap.size(map), 0)
  }),

  test_weak_valued_consistency: sync(() => {
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    const map = WeakValueMap.makeUnsafe<number | undefined, Plain>(undefined, heap)
    const [old, current, other] = [new Plain(), new Plain(), new Plain()]
    WeakValueMap.set(map, 10, old)
    WeakValueMap.set(map, undefined, other)
    collect(old)
    WeakValueMap.set(map, 10, current)
    // The clean-up of the old value must remove neither the new entry nor another entry.
    finalize()
    assert.strictEqual(WeakValueMap.size(map), 2)
    assert.strictEqual(Option.getOrThrow(WeakValueMap.get(map, 10)), current)
    assert.strictEqual(Option.getOrThrow(WeakValueMap.get(map, undefined)), other)
  }),

  test_threaded_weak_valued_setdefault: roundsOnEagerHeap(Valued, (map) => {
    map.getOrSet(new Obj({ arg: 10 }))
    assert.isAtMost(map.size(), 1)
  }),
  test_threaded_weak_valued_pop: roundsOnEagerHeap(Valued, (map) => {
    const object = new Obj({ arg: 10 })
    map.set(object)
    assert.isTrue(map.pop(object))
    assert.strictEqual(map.size(), 0)
  }),
  test_threaded_weak_valued_consistency: effect(() =>
    Effect.gen(function*() {
      const map = Valued.make()
      const replace = () => {
        const object = new Obj({ arg: 10 })
        map.set(object)
        return object
      }
      for (let n = 0; n < 10; n++) {
        const current = replace()
        yield* Heap.collectGarbage
        assert.isTrue(map.has(current))
        assert.strictEqual(map.size(), 1)
      }
    })
  ),
  test_threaded_weak_key_dict_copy: copiesWhileCollecting(Keyed, (map) => map.copy()),
  test_threaded_weak_value_dict_copy: copiesWhileCollecting(Valued, (map) => map.copy()),
  test_threaded_weak_key_dict_deepcopy: copiesWhileCollecting(Keyed, (map) => map.deepCopy((value) => value)),
  test_threaded_weak_value_dict_deepcopy: copiesWhileCollecting(Valued, (map) => map.deepCopy((key) => key)),

  test_remove_closure: cleanUpsHoldNoMap
}
