/**
 * Hostile users. Each test runs an operation again and again, and lets another call of user code throw each time:
 * `Hash`, `Equal`, a getter, an iterable, a callback, a constructor of the heap. A throw leaves the structure as it was.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Hash, Option, Scope } from "effect"
import * as childProcess from "node:child_process"
import * as path from "node:path"
import { Interner, WeakCache, WeakKeyMap, WeakListeners, WeakMemo, WeakSet, WeakValueMap } from "../src/index.ts"

const boom = new Error("boom")

/** How many more calls of user code return. */
let left = Infinity

/** Every call of user code. */
const userCode = (): void => {
  if (left-- === 0) throw boom
}

/** Equal if the ids are equal. Two ids have one hash. */
class Key {
  readonly id: number
  constructor(id: number) {
    this.id = id
  }
  [Equal.symbol](that: unknown): boolean {
    userCode()
    return that instanceof Key && that.id === this.id
  }
  [Hash.symbol](): number {
    userCode()
    return this.id >> 1
  }
}

/** A plain object, which Effect compares by reading its getter. */
const plain = (id: number): { readonly id: number } => ({
  get id() {
    userCode()
    return id
  }
})

function* lazily<A>(items: ReadonlyArray<A>): Generator<A> {
  for (const item of items) {
    userCode()
    yield item
  }
  userCode()
}

interface Subject {
  /** Everything that a program can see. Runs while no user code throws. */
  readonly look: () => unknown
  readonly operations: Readonly<Record<string, () => unknown>>
}

/** Runs each operation with each of its calls of user code throwing. Returns how many threw. */
const sweep = (make: () => Subject): Record<string, number> => {
  const throws: Record<string, number> = {}
  for (const name of Object.keys(make().operations)) {
    for (let late = 0;; late++) {
      assert.isBelow(late, 500, name)
      left = Infinity
      // Effect remembers hashes and comparisons, so that reading the structure would spare the operation user code.
      const before = make().look()
      const { look, operations } = make()
      left = late
      let thrown: unknown
      try {
        operations[name]!()
      } catch (error) {
        thrown = error
      } finally {
        left = Infinity
      }
      if (thrown === undefined) break
      assert.strictEqual(thrown, boom)
      throws[name] = late + 1
      assert.deepStrictEqual(look(), before, `${name}, call ${late}`)
      operations[name]!()
    }
  }
  return throws
}

const compares = ["structural", "reference"] as const

/** Replaces the keys by their numbers, so that two subjects can be compared. */
const numbered = (keys: ReadonlyArray<object>, value: unknown): unknown =>
  Option.isOption(value)
    ? numbered(keys, Option.getOrUndefined(value))
    : Array.isArray(value)
    ? value.map((part) => numbered(keys, part))
    : typeof value === "object"
    ? keys.indexOf(value as object)
    : value

/** Four objects, and four others that are equal to them. */
const makeKeys = (kind: "class" | "plain"): ReadonlyArray<object> =>
  Array.from({ length: 8 }, (_, i) => kind === "class" ? new Key(i % 4) : plain(i % 4))

const makeWeakKeyMap = (compare: typeof compares[number], keys: ReadonlyArray<object>): Subject => {
  const [a, b, c, d, a2, b2, c2, d2] = keys as [object, object, object, object, object, object, object, object]
  const self = WeakKeyMap.setAll(WeakKeyMap.makeUnsafe<object, unknown>({ compare }), [[a, 1], [b, a], [c, 3]])
  const other = WeakKeyMap.setAll(WeakKeyMap.makeUnsafe<object, unknown>({ compare }), [[a2, 1], [b, a]])
  return {
    look: () =>
      numbered(keys, [
        Array.from(self),
        WeakKeyMap.size(self),
        WeakKeyMap.count(self),
        keys.map((key) => WeakKeyMap.get(self, key)),
        Array.from(other)
      ]),
    operations: {
      get: () => WeakKeyMap.get(self, b2),
      has: () => WeakKeyMap.has(self, d),
      set: () => WeakKeyMap.set(self, d, 4),
      "set an equal key": () => WeakKeyMap.set(self, b2, 5),
      remove: () => WeakKeyMap.remove(self, c2),
      pop: () => WeakKeyMap.pop(self, a2),
      getOrSet: () => WeakKeyMap.getOrSet(self, d2, () => (userCode(), 4)),
      modify: () => WeakKeyMap.modify(self, b2, () => (userCode(), 4)),
      modifyAt: () => WeakKeyMap.modifyAt(self, a2, () => (userCode(), Option.none())),
      setAll: () => WeakKeyMap.setAll(self, lazily([[d, 4], [a2, 5], [d2, 6]] as const)),
      fromIterable: () => Effect.runSync(WeakKeyMap.fromIterable(lazily([[d, 4], [d2, 6]] as const), { compare })),
      union: () => WeakKeyMap.union(self, other),
      copyWith: () => WeakKeyMap.copyWith(self, (value) => (userCode(), value)),
      forEach: () => WeakKeyMap.forEach(self, userCode),
      equals: () => WeakKeyMap.equals(self, other)
    }
  }
}

const makeWeakValueMap = (compare: typeof compares[number], keys: ReadonlyArray<object>): Subject => {
  const [a, b, c, d, a2, b2, c2, d2] = keys as [object, object, object, object, object, object, object, object]
  const self = WeakValueMap.setAll(WeakValueMap.makeUnsafe<unknown, object>({ compare }), [[a, b], ["b", a], [c, c], [
    b,
    d
  ]])
  const other = WeakValueMap.setAll(WeakValueMap.makeUnsafe<unknown, object>({ compare }), [[a2, b], ["b", a2]])
  return {
    look: () =>
      numbered(keys, [
        Array.from(self),
        WeakValueMap.size(self),
        WeakValueMap.count(self),
        keys.map((key) => WeakValueMap.get(self, key)),
        Array.from(other)
      ]),
    operations: {
      get: () => WeakValueMap.get(self, b2),
      has: () => WeakValueMap.has(self, d),
      set: () => WeakValueMap.set(self, d, a),
      "set an equal key": () => WeakValueMap.set(self, b2, a),
      remove: () => WeakValueMap.remove(self, c2),
      pop: () => WeakValueMap.pop(self, a2),
      getOrSet: () => WeakValueMap.getOrSet(self, d2, () => (userCode(), a)),
      modify: () => WeakValueMap.modify(self, b2, () => (userCode(), a)),
      modifyAt: () => WeakValueMap.modifyAt(self, a2, () => (userCode(), Option.none())),
      setAll: () => WeakValueMap.setAll(self, lazily([[d, a], [a2, b], [d2, c]] as const)),
      fromIterable: () => Effect.runSync(WeakValueMap.fromIterable(lazily([[d, a], [d2, b]] as const), { compare })),
      union: () => WeakValueMap.union(self, other),
      copyWith: () => WeakValueMap.copyWith(self, (value) => (userCode(), value)),
      forEach: () => WeakValueMap.forEach(self, userCode),
      equals: () => WeakValueMap.equals(self, other)
    }
  }
}

const makeWeakSet = (compare: typeof compares[number], keys: ReadonlyArray<object>): Subject => {
  const [a, b, c, d, a2, b2, c2, d2] = keys as [object, object, object, object, object, object, object, object]
  const self = WeakSet.addAll(WeakSet.makeUnsafe<object>({ compare }), [a, b, c])
  const some = () => lazily([a2, d, c, d2])
  return {
    look: () =>
      numbered(keys, [
        Array.from(self),
        WeakSet.size(self),
        WeakSet.count(self),
        keys.map((key) => WeakSet.has(self, key))
      ]),
    operations: {
      has: () => WeakSet.has(self, b2),
      add: () => WeakSet.add(self, d),
      remove: () => WeakSet.remove(self, c2),
      addAll: () => WeakSet.addAll(self, some()),
      removeAll: () => WeakSet.removeAll(self, some()),
      retainAll: () => WeakSet.retainAll(self, some()),
      toggleAll: () => WeakSet.toggleAll(self, some()),
      fromIterable: () => Effect.runSync(WeakSet.fromIterable(some(), { compare })),
      union: () => WeakSet.union(self, some()),
      intersection: () => WeakSet.intersection(self, some()),
      difference: () => WeakSet.difference(self, some()),
      symmetricDifference: () => WeakSet.symmetricDifference(self, some()),
      isSubset: () => WeakSet.isSubset(self, some()),
      isSuperset: () => WeakSet.isSuperset(self, lazily([a2, b2, c2])),
      isDisjoint: () => WeakSet.isDisjoint(self, lazily([d, d2])),
      forEach: () => WeakSet.forEach(self, userCode)
    }
  }
}

describe("a throw leaves the structure as it was", () => {
  for (const compare of compares) {
    for (const [name, make] of Object.entries({ makeWeakKeyMap, makeWeakValueMap, makeWeakSet })) {
      it(`${name.slice(4)} (${compare})`, () => {
        for (const kind of ["class", "plain"] as const) {
          const throws = sweep(() => make(compare, makeKeys(kind)))
          // By reference, only iterables and callbacks are user code.
          if (compare === "structural") {
            assert.strictEqual(Object.keys(throws).length, Object.keys(make(compare, makeKeys(kind)).operations).length)
          }
        }
      })
    }
  }

  it("Interner", () => {
    for (const kind of ["class", "plain"] as const) {
      sweep(() => {
        const [a, b, c, d, a2] = makeKeys(kind) as [object, object, object, object, object]
        const self = Interner.makeUnsafe<object>()
        for (const element of [a, b, c]) Interner.intern(self, element)
        return {
          look: () => [Interner.size(self), [a, b, c, d, a2].map((element) => Interner.has(self, element))],
          operations: {
            intern: () => Interner.intern(self, d),
            "intern an equal object": () => assert.strictEqual(Interner.intern(self, a2), a),
            has: () => Interner.has(self, a2)
          }
        }
      })
    }
  })

  it("WeakMemo", () => {
    sweep(() => {
      const [a, b, a2] = [new Key(1), new Key(2), new Key(1)]
      const calls: Array<unknown> = []
      const square = WeakMemo.memoize((...args: ReadonlyArray<unknown>) => {
        userCode()
        return { args }
      }, { capacity: 2 })
      const family = WeakMemo.family((key: Key) => {
        userCode()
        return { key }
      })
      const first = [square(a), square(a, 1), square(2), family(a)]
      return {
        look: () => [
          first[0] === square(a),
          first[1] === square(a, 1),
          first[2] === square(2),
          first[3] === family(a2),
          calls
        ],
        operations: {
          "a new object": () => square(b),
          "a new primitive": () =>
            assert.throws(() => {
              square(a, 2)
              throw boom
            }, boom.message),
          family: () => family(b),
          "an equal key": () => assert.strictEqual(family(a2), first[3])
        }
      }
    })
  })

  for (const capacity of [2, 100]) {
    it(`WeakCache with the capacity ${capacity}`, () => {
      // Uses only synchronous effects, so a key that stays pending fails the test instead of hanging it.
      const run = Effect.runSync<unknown, unknown>
      for (const kind of ["class", "plain"] as const) {
        sweep(() => {
          const keys = makeKeys(kind)
          const [a, b, c, d, a2, b2, c2, d2] = keys as [object, object, object, object, object, object, object, object]
          const values = new Map<number, object>()
          const self = Effect.runSync(Effect.scoped(Scope.provide(
            WeakCache.make({
              lookup: (key: object) => Effect.sync(() => ({ key })),
              capacity,
              maxWeight: 1000,
              weigh: () => (userCode(), 1)
            }),
            Scope.makeUnsafe()
          )))
          for (const key of [a, b, c]) values.set(keys.indexOf(key), run(WeakCache.get(self, key)) as object)
          return {
            look: () => {
              const stats = Effect.runSync(WeakCache.stats(self))
              const { collected, expired, invalidated, loads, replaced, sets, size, unstored } = stats
              assert.strictEqual(sets + loads, size + collected + expired + replaced + invalidated + unstored)
              return [
                numbered(keys, Array.from(Effect.runSync(WeakCache.keys(self)))),
                size,
                keys.map((key, i) =>
                  Option.getOrUndefined(Effect.runSync(WeakCache.peek(self, key))) === values.get(i % 4)
                ),
                numbered(
                  keys,
                  keys.map((key) => Option.map(Effect.runSync(WeakCache.peek(self, key)), ({ key }) => key))
                )
              ]
            },
            operations: {
              get: () => run(WeakCache.get(self, a2)),
              "get a missing key": () => run(WeakCache.get(self, d)),
              getOption: () => run(WeakCache.getOption(self, b2)),
              use: () => run(WeakCache.use(self, d2, () => Effect.void)),
              peek: () => run(WeakCache.peek(self, c2)),
              has: () => run(WeakCache.has(self, d)),
              set: () => run(WeakCache.set(self, d, { key: d })),
              "set an equal key": () => run(WeakCache.set(self, b2, { key: b2 })),
              refresh: () => run(WeakCache.refresh(self, a2)),
              "refresh a missing key": () => run(WeakCache.refresh(self, d)),
              invalidate: () => run(WeakCache.invalidate(self, c2)),
              "invalidate the key itself": () => run(WeakCache.invalidate(self, c)),
              invalidateWhen: () => run(WeakCache.invalidateWhen(self, b2, () => (userCode(), true))),
              trim: () => run(WeakCache.trim(self, 1)),
              setCapacity: () => run(WeakCache.setCapacity(self, 1)),
              invalidateAll: () => run(WeakCache.invalidateAll(self))
            }
          }
        })
      }
    })
  }

  it("WeakListeners", () => {
    sweep(() => {
      const self = WeakListeners.makeUnsafe<number>()
      const seen: Array<number> = []
      class Receiver {
        get listen() {
          userCode()
          return (event: number) => void seen.push(event)
        }
      }
      const [a, b] = [new Receiver(), new Receiver()]
      WeakListeners.addUnsafe(self, a, (_, event) => void seen.push(event))
      const target = {
        added: 0,
        get on() {
          userCode()
          return () => {
            userCode()
            this.added++
          }
        },
        off: () => {}
      }
      return {
        look: () => {
          seen.length = 0
          Effect.runSync(WeakListeners.publish(self, 1))
          return [WeakListeners.size(self), seen.length, target.added]
        },
        operations: {
          addMethod: () => WeakListeners.addMethodUnsafe(self, b, "listen"),
          listen: () => WeakListeners.listenUnsafe(target as never, "type", b, () => {})
        }
      }
    })
  })
})

describe("hostile objects", () => {
  /** Throws whatever is done with it. */
  const untouchable = (): object => new Proxy({}, new Proxy({}, { get: () => userCode() }) as ProxyHandler<object>)

  it("are compared by reference without being touched", () => {
    left = 0
    const [a, b] = [untouchable(), untouchable()]
    const map = WeakKeyMap.makeUnsafe<object, object>()
    WeakKeyMap.setAll(map, [[a, b], [b, a]])
    assert.isTrue(WeakKeyMap.has(map, a))
    assert.strictEqual(WeakKeyMap.size(WeakKeyMap.remove(map, a)), 1)
    const values = WeakValueMap.makeUnsafe<unknown, object>({ compare: "reference" })
    WeakValueMap.setAll(values, [[a, b], [1, a]])
    assert.isTrue(WeakValueMap.has(values, a))
    const set = WeakSet.toggleAll(WeakSet.makeUnsafe<object>(), [a, b])
    assert.isTrue(WeakSet.isSubset(set, [a, b]))
    const listeners = WeakListeners.makeUnsafe<number>()
    let heard = 0
    WeakListeners.addUnsafe(listeners, a, () => void heard++)
    Effect.runSync(WeakListeners.publish(listeners, 1))
    assert.strictEqual(heard, 1)
    const memoized = WeakMemo.memoize((_: object) => ++heard)
    assert.strictEqual(memoized(a), memoized(a))
    assert.strictEqual(left, 0)
    left = Infinity
  })

  it("are printed without an error", () => {
    left = Infinity
    const values = WeakValueMap.makeUnsafe<unknown, object>({ compare: "reference" })
    const all = [
      WeakKeyMap.set(WeakKeyMap.makeUnsafe<object, unknown>(), untouchable(), untouchable()),
      WeakValueMap.set(values, untouchable(), untouchable()),
      WeakSet.add(WeakSet.makeUnsafe<object>(), untouchable())
    ]
    for (const self of all) {
      left = 0
      assert.isString(String(self))
      assert.isString(JSON.stringify(self))
    }
    left = Infinity
  })

  it("a key whose hash changes is found by itself, and leaves nothing behind", () => {
    class Moving {
      at: number
      constructor() {
        this.at = 1
      }
      [Equal.symbol](that: unknown): boolean {
        return this === that
      }
      [Hash.symbol](): number {
        return this.at
      }
    }
    const run = <A>(effect: Effect.Effect<A>) => Effect.runSync(effect)
    const map = WeakKeyMap.makeUnsafe<object, number>({ compare: "structural" })
    const values = WeakValueMap.makeUnsafe<object, object>()
    const cache = Effect.runSync(Scope.provide(
      WeakCache.make({ lookup: (key: object) => Effect.succeed({ key }), capacity: 100 }),
      Scope.makeUnsafe()
    ))
    // Effect remembers the hash of an object with `Hash`, but not of a plain one.
    const keys = [...Array.from({ length: 20 }, () => new Moving()), ...Array.from({ length: 20 }, (_, at) => ({ at }))]
    for (const key of keys) {
      WeakKeyMap.set(map, key, 1)
      WeakValueMap.set(values, key, key)
      run(WeakCache.get(cache, key))
    }
    for (const key of keys) key.at += 100
    for (const key of keys) {
      assert.isTrue(WeakKeyMap.has(map, key) && WeakValueMap.has(values, key) && run(WeakCache.has(cache, key)))
      WeakKeyMap.remove(map, key)
      WeakValueMap.remove(values, key)
      run(WeakCache.invalidate(cache, key))
    }
    assert.deepStrictEqual([WeakKeyMap.size(map), WeakValueMap.size(values), run(WeakCache.size(cache))], [0, 0, 0])
  })
})

describe("an iterable that changes the collection", () => {
  const [a, b, c] = [{ id: 1 }, { id: 2 }, { id: 3 }]
  const cases: Record<
    string,
    readonly [(self: WeakSet.WeakSet<object>, meddle: Iterable<object>) => unknown, ReadonlyArray<object>]
  > = {
    addAll: [WeakSet.addAll, [c, a, b]],
    removeAll: [WeakSet.removeAll, [c]],
    retainAll: [WeakSet.retainAll, []],
    toggleAll: [WeakSet.toggleAll, [c, a, b]]
  }
  for (const [name, [operation, expected]] of Object.entries(cases)) {
    it(`${name} reads it to its end first`, () => {
      for (const compare of compares) {
        const self = WeakSet.addAll(WeakSet.makeUnsafe<object>({ compare }), [a, b])
        const meddle = function*() {
          yield a
          WeakSet.clear(self)
          yield b
          WeakSet.add(self, c)
        }
        operation(self, meddle())
        assert.deepStrictEqual(Array.from(self), expected)
      }
    })
  }

  it("setAll reads it to its end first", () => {
    const keys = WeakKeyMap.set(WeakKeyMap.makeUnsafe<object, number>(), a, 1)
    const values = WeakValueMap.set(WeakValueMap.makeUnsafe<number, object>(), 1, a)
    WeakKeyMap.setAll(
      keys,
      (function*() {
        yield [b, 2] as const
        WeakKeyMap.clear(keys)
      })()
    )
    WeakValueMap.setAll(
      values,
      (function*() {
        yield [2, b] as const
        WeakValueMap.clear(values)
      })()
    )
    assert.deepStrictEqual([Array.from(keys), Array.from(values)], [[[b, 2]], [[2, b]]])
  })
})

describe("changed globals", { timeout: 120_000 }, () => {
  const run = (...args: ReadonlyArray<string>) =>
    childProcess.spawnSync(process.execPath, ["--expose-gc", ...args], { encoding: "utf8" })

  it.runIf("node" in process.versions && !("Bun" in globalThis || "Deno" in globalThis)).each([
    ["--frozen-intrinsics", "the flag"],
    ["--no-warnings", "frozen"],
    ["--no-warnings", "patched"]
  ])("every module works with %s, %s", (flag, kind) => {
    const { stderr, stdout } = run(flag, path.join(import.meta.dirname, "hostile", "program.ts"), kind)
    assert.strictEqual(stdout, "done\n", stderr)
  })
})
