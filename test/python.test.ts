/**
 * Tests of the statements in the documentation of Python's `weakref` module. Each
 * `describe` names the Python names that it covers, and each test covers one statement.
 * If this library differs from Python, the name of the test says so ("here ...").
 *
 * `cpython.test.ts` covers CPython's own test suite instead, one test for each test of
 * CPython.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Exit, Hash, HashSet, Option, Scope } from "effect"
import {
  Finalizer,
  Heap,
  WeakError,
  WeakKeyMap,
  WeakMethod,
  WeakProxy,
  WeakRef,
  WeakSet,
  WeakValueMap
} from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { collectThoroughly, collectUntil } from "./support/realHeap.ts"
import { reportsOf } from "./support/reports.ts"
import { onBothHeaps, onBothHeapsWith, type World } from "./support/worlds.ts"

/** Python compares keys and elements with `==`. */
const structural = { compare: "structural" } as const

const keyedRef = (world: World, name: string, key: string) =>
  Effect.flatMap(Heap.Heap, (heap) => world.sync(name, (referent) => new WeakRef.KeyedRef(key, referent, heap)))

const errorOf = <E, R>(effect: Effect.Effect<unknown, E, R>) => Effect.flip(Effect.asVoid(effect))

const log = () => {
  const lines: Array<string> = []
  return { lines, says: (line: string) => Effect.sync(() => void lines.push(line)) }
}

describe("ref(o), r()", () => {
  onBothHeaps(
    "dereferencing returns the object while it is alive, and None afterwards",
    (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        assert.isTrue(yield* world.sync("a", (a) => Option.contains(WeakRef.deref(ref), a)))
        yield* world.die("a")
        assert.deepStrictEqual(WeakRef.deref(ref), Option.none())
      })
  )

  onBothHeaps("one object can have many references", (world) =>
    Effect.gen(function*() {
      const refs = [
        yield* world.with("a", WeakRef.make),
        yield* keyedRef(world, "a", "one"),
        yield* keyedRef(world, "a", "two")
      ]
      assert.strictEqual(new Set(refs).size, 3)
      assert.deepStrictEqual(refs.map(WeakRef.isAlive), [true, true, true])
      yield* world.die("a")
      assert.deepStrictEqual(refs.map(WeakRef.isAlive), [false, false, false])
    }))

  onBothHeapsWith((name): object => referents[name]!())(
    "instances, functions, methods, sets, generators, classes, arrays and patterns can be referents",
    (world) =>
      Effect.gen(function*() {
        const names = Object.keys(referents)
        const refs = yield* Effect.forEach(names, (name) => world.with(name, WeakRef.make))
        for (const [i, name] of names.entries()) {
          assert.isTrue(yield* world.sync(name, (referent) => Option.getOrThrow(WeakRef.deref(refs[i]!)) === referent))
        }
        yield* world.die(...names)
        assert.isFalse(refs.some(WeakRef.isAlive))
      })
  )
})

const referents: Readonly<Record<string, () => object>> = {
  "class instance": () => new ExtendedRef({}, { foo: 1, bar: "" }),
  function: () => () => 1,
  "bound method": () => Object.assign(() => 1).bind({}),
  set: () => new Set([1]),
  generator: () => (function*() {})(),
  type: () => class extends Map {},
  array: () => Uint8Array.of(1),
  pattern: () => new RegExp("a"),
  "list, without subclassing": () => [1],
  "dictionary, without subclassing": () => ({ a: 1 })
}

describe("ref(o, callback), __callback__", () => {
  onBothHeaps(
    "the callback is called after the collection, with the dead reference as its only argument",
    (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        const calls: Array<readonly [boolean, boolean]> = []
        yield* WeakRef.onCollect(
          ref,
          (...args) => Effect.sync(() => void calls.push([args.length === 1 && args[0] === ref, WeakRef.isAlive(ref)]))
        )
        assert.deepStrictEqual(calls, [])
        yield* world.die("a")
        assert.deepStrictEqual(calls, [[true, false]])
      })
  )

  onBothHeaps(
    "callbacks are called from the newest to the oldest",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        const one = yield* keyedRef(world, "a", "one")
        const two = yield* keyedRef(world, "a", "two")
        yield* WeakRef.onCollect(one, ({ key }) => says(`${key}, first`))
        yield* WeakRef.onCollect(two, ({ key }) => says(`${key}, second`))
        yield* WeakRef.onCollect(one, ({ key }) => says(`${key}, third`))
        yield* world.die("a")
        assert.deepStrictEqual(lines, ["one, third", "two, second", "one, first"])
      })
  )

  onBothHeaps(
    "an error of a callback is reported, and does not stop other callbacks",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        const ref = yield* world.with("a", WeakRef.make)
        const reports = yield* reportsOf(Effect.gen(function*() {
          yield* WeakRef.onCollect(ref, () => says("next"))
          yield* WeakRef.onCollect(ref, () => Effect.fail(new Error("raised")))
          yield* world.die("a")
        }))
        assert.deepStrictEqual(reports, ["Error: raised"])
        assert.deepStrictEqual(lines, ["next"])
      })
  )

  onBothHeaps(
    "a callback ends with its reference; here a callback ends with its Scope",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        const ref = yield* world.with("a", WeakRef.make)
        const scope = yield* Scope.make()
        yield* Scope.provide(WeakRef.onCollect(ref, () => says("closed")), scope)
        yield* Effect.flatMap(world.with("a", WeakRef.make), WeakRef.onCollect(() => says("open")))
        yield* Scope.close(scope, Exit.void)
        yield* world.die("a")
        assert.deepStrictEqual(lines, ["open"])
      })
  )

  onBothHeaps(
    "a second callback of a reference does not replace the first",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        const ref = yield* world.with("a", WeakRef.make)
        yield* WeakRef.onCollect(ref, () => says("first"))
        yield* WeakRef.onCollect(ref, () => says("second"))
        yield* world.die("a")
        assert.deepStrictEqual(lines, ["second", "first"])
      })
  )

  onBothHeaps(
    "a dead reference has no callback; here a callback for a dead reference is called at once",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        const ref = yield* world.with("a", WeakRef.make)
        yield* WeakRef.onCollect(ref, () => says("in time"))
        yield* world.die("a")
        yield* WeakRef.onCollect(ref, () => says("too late"))
        yield* Effect.yieldNow
        assert.deepStrictEqual(lines, ["in time", "too late"])
      })
  )
})

class ExtendedRef<A extends WeakKey> extends WeakRef.Class<A, readonly [A, number]> {
  private counter = 0
  readonly foo: number
  readonly bar: string

  constructor(target: A, annotations: { readonly foo: number; readonly bar: string }, heap?: Heap.Heap) {
    super(target, heap)
    this.foo = annotations.foo
    this.bar = annotations.bar
  }

  override deref() {
    return Option.map(this.referent(), (target) => [target, ++this.counter] as const)
  }
}

describe("subclassing ref, KeyedRef", () => {
  onBothHeaps(
    "a subclass can have annotations, and can count how often it is dereferenced",
    (world) =>
      Effect.gen(function*() {
        const heap = yield* Heap.Heap
        const ref = yield* world.sync("a", (a) => new ExtendedRef(a, { foo: 1, bar: "baz" }, heap))
        assert.strictEqual(ref.foo, 1)
        assert.strictEqual(ref.bar, "baz")
        for (const expected of [1, 2, 3]) {
          assert.isTrue(
            yield* world.sync("a", (a) => {
              const [referent, count] = Option.getOrThrow(WeakRef.deref(ref))
              return referent === a && count === expected
            })
          )
        }
        yield* world.die("a")
        assert.deepStrictEqual(WeakRef.deref(ref), Option.none())
        assert.strictEqual(ref.bar, "baz")
      })
  )

  onBothHeaps("a keyed reference keeps its key after the death of its referent", (world) =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const map = yield* WeakValueMap.make<string, { readonly name: string }>()
      yield* world.sync("a", (a) => void WeakValueMap.set(map, "key", a))
      const [ref] = yield* Effect.sync(() => Array.from(WeakValueMap.valueRefs(map)))
      assert.instanceOf(ref, WeakRef.KeyedRef)
      yield* WeakRef.onCollect(ref!, ({ key }) => says(key))
      yield* world.die("a")
      assert.deepStrictEqual(lines, ["key"])
    }))
})

describe("hash and equality of ref", () => {
  onBothHeaps(
    "a reference has the hash of its referent, and keeps the hash after the death of the referent",
    (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        const hash = yield* world.sync("a", (a) => Hash.hash(a))
        assert.strictEqual(Hash.hash(ref), hash)
        yield* world.die("a")
        // Effect remembers hashes too, so this calls the method of the reference as well.
        assert.deepStrictEqual([Hash.hash(ref), ref[Hash.symbol]()], [hash, hash])
      })
  )

  onBothHeaps(
    "hashing a reference for the first time throws if the referent is dead",
    (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        yield* world.die("a")
        assert.throws(() => Hash.hash(ref), WeakError.UnhashableError)
        assert.throws(() => Hash.hash(ref), WeakError.UnhashableError)
      })
  )

  onBothHeapsWith((name) => ({ group: name[0] }))(
    "live references are equal if their referents are equal, and dead references only if they are the same object",
    (world) =>
      Effect.gen(function*() {
        const one = yield* world.with("x one", WeakRef.make)
        const equal = yield* world.with("x two", WeakRef.make)
        const other = yield* world.with("y", WeakRef.make)
        yield* WeakRef.onCollect(one, () => Effect.void)
        assert.isTrue(WeakRef.equals(one, equal))
        assert.isFalse(WeakRef.equals(one, other))
        yield* world.die("x one")
        assert.isFalse(WeakRef.equals(one, equal))
        assert.isFalse(WeakRef.equals(equal, one))
        assert.isTrue(WeakRef.equals(one, one))
        yield* world.die("x two")
        assert.isFalse(WeakRef.equals(one, equal))
      })
  )

  it("references have no order", () => {
    assert.isFalse(Object.keys(WeakRef).some((name) => /order|compare|lessThan|greaterThan/i.test(name)))
  })
})

describe("proxy, ProxyType, CallableProxyType, ProxyTypes", () => {
  onBothHeaps(
    "a proxy is used like its referent, and does not keep the referent alive",
    (world) =>
      Effect.gen(function*() {
        const proxy = yield* world.with("a", WeakProxy.make)
        assert.strictEqual(proxy.name, "a")
        assert.isTrue("name" in proxy)
        assert.deepStrictEqual({ ...proxy }, { name: "a" })
        assert.strictEqual(JSON.stringify(proxy), `{"name":"a"}`)
        yield* world.die("a")
        assert.deepStrictEqual(WeakProxy.deref(proxy), Option.none())
      })
  )

  it("callable and other proxies are two types, and isWeakProxy accepts both", () => {
    const f = (n: number) => n + 1
    const [callable, other] = [WeakProxy.makeUnsafe(f), WeakProxy.makeUnsafe({})]
    assert.deepStrictEqual([callable, other, f, {}].map(WeakProxy.isWeakProxy), [true, true, false, false])
    assert.deepStrictEqual([callable, other, f, {}].map(WeakProxy.isCallableWeakProxy), [true, false, false, false])
    assert.strictEqual(callable(1), 2)
    assert.deepStrictEqual([typeof callable, typeof other], ["function", "object"])
  })

  it("no proxy is hashable, so no proxy can be a structural key", () => {
    for (const target of [{}, [1], () => 1, new Map(), new WeakRef.Class({})]) {
      assert.isNumber(Hash.hash(target))
      const proxy = WeakProxy.makeUnsafe<object>(target)
      assert.throws(() => Hash.hash(proxy), WeakError.UnhashableError)
      assert.throws(() => HashSet.make(proxy), WeakError.UnhashableError)
      assert.throws(() => WeakKeyMap.set(WeakKeyMap.makeUnsafe(structural), proxy, 1), WeakError.UnhashableError)
    }
  })

  onBothHeaps(
    "callbacks of proxies and of references to one object are called in one order",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        const proxy = yield* world.with("a", WeakProxy.make)
        const ref = yield* world.with("a", WeakRef.make)
        yield* WeakProxy.onCollect(proxy, (given) => says(`proxy, given ${given === proxy}`))
        yield* WeakRef.onCollect(ref, () => says("reference"))
        yield* WeakProxy.onCollect(proxy, () => says("proxy again"))
        yield* world.die("a")
        assert.deepStrictEqual(lines, ["proxy again", "reference", "proxy, given true"])
      })
  )
})

describe("ReferenceError", () => {
  onBothHeaps(
    "operations on a reference that need the referent fail after its collection",
    (world) =>
      Effect.gen(function*() {
        const ref = yield* world.with("a", WeakRef.make)
        yield* world.die("a")
        for (
          const needing of [
            WeakRef.get(ref),
            WeakRef.use(ref, (a) => Effect.succeed(a.name)),
            Effect.scoped(WeakRef.pin(ref))
          ]
        ) {
          assert.instanceOf(yield* errorOf(needing), WeakError.DeadReferenceError)
        }
      })
  )

  onBothHeaps(
    "reading, writing and converting a proxy throws after the collection of its referent",
    (world) =>
      Effect.gen(function*() {
        const proxy: any = yield* world.with("a", WeakProxy.make)
        yield* world.die("a")
        for (
          const use of [
            () => proxy.name,
            () => (proxy.name = "b"),
            () => delete proxy.name,
            () => "name" in proxy,
            () => Object.keys(proxy),
            () => `${proxy}`,
            () => proxy + 1,
            () => proxy instanceof Object
          ]
        ) {
          assert.throws(use, WeakError.DeadReferenceError)
        }
        assert.instanceOf(yield* errorOf(WeakProxy.use(proxy, Effect.succeed)), WeakError.DeadReferenceError)
      })
  )
})

const notReferents = [undefined, null, 0, Number.NaN, "text", true, 1n, Symbol.for("registered")]

describe("TypeError", () => {
  it.effect("primitives such as numbers and strings cannot be weakly referenced", () =>
    Effect.gen(function*() {
      for (const value of notReferents) {
        const bad = value as unknown as WeakKey
        const failures = yield* Effect.forEach([
          WeakRef.make(bad),
          WeakProxy.make(bad as object),
          Finalizer.make(bad, Effect.void),
          WeakKeyMap.fromIterable([[bad, 1]]),
          WeakValueMap.fromIterable([[1, bad]]),
          WeakSet.fromIterable([bad])
        ], errorOf)
        for (const error of failures) {
          assert.instanceOf(error, WeakError.NotWeakReferenceableError)
          assert.isTrue(Object.is(error.value, value))
        }
        for (
          const insert of [
            () => WeakRef.makeUnsafe(bad),
            () => new WeakRef.KeyedRef("key", bad),
            () => WeakProxy.makeUnsafe(bad as object),
            () => WeakKeyMap.set(WeakKeyMap.makeUnsafe(structural), bad, 1),
            () => WeakValueMap.set(WeakValueMap.makeUnsafe(), 1, bad),
            () => WeakSet.add(WeakSet.makeUnsafe(structural), bad)
          ]
        ) {
          assert.throws(insert, WeakError.NotWeakReferenceableError)
        }
      }
    }).pipe(Effect.scoped))

  onBothHeaps("a dead reference without a hash is not hashable", (world) =>
    Effect.gen(function*() {
      const ref = yield* world.with("a", WeakRef.make)
      yield* world.die("a")
      const that = yield* world.with("b", WeakRef.make)
      assert.throws(() => Equal.equals(ref, that), WeakError.UnhashableError)
    }))
})

describe("getweakrefcount, getweakrefs", () => {
  onBothHeaps(
    "WeakRef.all returns the references and proxies of an object, and WeakRef.count their number",
    (world) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* world.with("a", WeakRef.count), 0)
        assert.deepStrictEqual(yield* world.with("a", WeakRef.all), [])
        const shared = yield* world.with("a", WeakRef.make)
        const own = yield* keyedRef(world, "a", "own")
        const proxy = yield* world.with("a", WeakProxy.make)
        yield* Effect.asVoid(world.with("b", WeakRef.make))
        assert.strictEqual(yield* world.with("a", WeakRef.count), 3)
        const all = yield* world.with("a", WeakRef.all)
        assert.isTrue(all[0] === shared && all[1] === proxy && all[2] === own)
      })
  )

  it.effect("WeakRef.count does not include dropped references and proxies (real heap)", () =>
    Effect.gen(function*() {
      const target = {}
      const dropped = () => {
        const all = new Set<object>([
          WeakRef.makeUnsafe(target),
          WeakProxy.makeUnsafe(target),
          new WeakRef.KeyedRef("dropped", target)
        ])
        return all.size
      }
      assert.strictEqual(dropped(), 3)
      let count = -1
      const none = collectUntil(() => {
        count = Effect.runSync(WeakRef.count(target))
        return count === 0
      })
      assert.isTrue(yield* none, `${count} left`)
    }))

  it.effect("a value that cannot be weakly referenced has no references", () =>
    Effect.gen(function*() {
      for (const value of notReferents) {
        assert.strictEqual(yield* WeakRef.count(value as unknown as WeakKey), 0)
        assert.deepStrictEqual(yield* WeakRef.all(value as unknown as WeakKey), [])
      }
    }))
})

describe("WeakKeyDictionary, keyrefs", () => {
  onBothHeaps("an entry ends when its key has been collected", (world) =>
    Effect.gen(function*() {
      const map = yield* WeakKeyMap.make<object, string>(structural)
      yield* world.sync("a", (a) => void WeakKeyMap.set(map, a, "of a"))
      yield* world.sync("b", (b) => void WeakKeyMap.set(map, b, "of b"))
      yield* world.die("a")
      assert.deepStrictEqual(Array.from(WeakKeyMap.values(map)), ["of b"])
      assert.strictEqual(WeakKeyMap.size(map), 1)
    }))

  it("a weak dictionary associates data with an object without adding properties to the object", () => {
    const map = WeakKeyMap.makeUnsafe<object, string>(structural)
    const theirs = Object.freeze({ id: 1 })
    WeakKeyMap.set(map, theirs, "ours")
    assert.deepStrictEqual(WeakKeyMap.get(map, theirs), Option.some("ours"))
    assert.deepStrictEqual(Reflect.ownKeys(theirs), ["id"])
  })

  it("a key may be an object that overrides the access to properties", () => {
    const refuse = (): never => {
      throw new Error("touched")
    }
    const touchy = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse })
    const map = WeakKeyMap.makeUnsafe<object, string>({ compare: "reference" })
    WeakKeyMap.set(map, touchy, "ours")
    assert.deepStrictEqual(WeakKeyMap.get(map, touchy), Option.some("ours"))
  })

  onBothHeaps(
    "inserting an equal key replaces the value and keeps the original key",
    (world) =>
      Effect.gen(function*() {
        const map = yield* WeakKeyMap.make<object, number>(structural)
        const equal = { name: "a" }
        yield* world.sync("a", (a) => void WeakKeyMap.set(map, a, 1))
        WeakKeyMap.set(map, equal, 2)
        assert.deepStrictEqual(WeakKeyMap.get(map, equal), Option.some(2))
        assert.isTrue(yield* world.sync("a", (a) => WeakKeyMap.keys(map).next().value === a))
        yield* world.die("a")
        assert.deepStrictEqual(WeakKeyMap.get(map, equal), Option.none())
      })
  )

  onBothHeaps(
    "an entry has the new key if the original key was removed first",
    (world) =>
      Effect.gen(function*() {
        const map = yield* WeakKeyMap.make<object, number>(structural)
        const equal = { name: "a" }
        yield* world.sync("a", (a) => void WeakKeyMap.set(map, a, 1))
        WeakKeyMap.set(WeakKeyMap.remove(map, equal), equal, 2)
        yield* world.die("a")
        assert.deepStrictEqual(WeakKeyMap.get(map, equal), Option.some(2))
      })
  )

  onBothHeaps(
    "keyrefs returns references that do not keep the keys alive",
    (world) =>
      Effect.gen(function*() {
        const map = yield* WeakKeyMap.make<{ readonly name: string }, number>(structural)
        yield* world.sync("a", (a) => void WeakKeyMap.set(map, a, 1))
        yield* world.sync("b", (b) => void WeakKeyMap.set(map, b, 2))
        const refs = Array.from(WeakKeyMap.keyRefs(map))
        yield* world.die("a")
        assert.deepStrictEqual(
          refs.map((ref) => Option.map(WeakRef.deref(ref), ({ name }) => name)),
          [Option.none(), Option.some("b")]
        )
      })
  )
})

describe("WeakValueDictionary, valuerefs, itervaluerefs", () => {
  onBothHeaps("an entry ends when its value has been collected", (world) =>
    Effect.gen(function*() {
      const map = yield* WeakValueMap.make<string, object>()
      yield* world.sync("a", (a) => void WeakValueMap.set(map, "key of a", a))
      yield* world.sync("b", (b) => void WeakValueMap.set(map, "key of b", b))
      yield* world.die("a")
      assert.deepStrictEqual(Array.from(WeakValueMap.keys(map)), ["key of b"])
      assert.strictEqual(WeakValueMap.size(map), 1)
    }))

  onBothHeaps(
    "valuerefs returns references that do not keep the values alive",
    (world) =>
      Effect.gen(function*() {
        const map = yield* WeakValueMap.make<number, { readonly name: string }>()
        yield* world.sync("a", (a) => void WeakValueMap.set(map, 1, a))
        yield* world.sync("b", (b) => void WeakValueMap.set(map, 2, b))
        const refs = Array.from(WeakValueMap.valueRefs(map))
        yield* world.die("a")
        assert.deepStrictEqual(
          refs.map((ref) => [ref.key, Option.map(WeakRef.deref(ref), ({ name }) => name)]),
          [[1, Option.none()], [2, Option.some("b")]]
        )
      })
  )

  onBothHeaps(
    "itervaluerefs yields references one by one, and skips a value that has been collected meanwhile",
    (world) =>
      Effect.gen(function*() {
        const map = yield* WeakValueMap.make<string, object>()
        for (const name of ["a", "b", "c"]) yield* world.sync(name, (value) => void WeakValueMap.set(map, name, value))
        const refs = WeakValueMap.valueRefs(map)
        assert.strictEqual(refs.next().value?.key, "a")
        yield* world.die("b")
        assert.strictEqual(refs.next().value?.key, "c")
        assert.isTrue(refs.next().done)
      })
  )
})

describe("weak dictionaries between collection and clean-up", () => {
  it.effect("no operation returns a dead entry; only size counts dead entries", () =>
    Effect.gen(function*() {
      const target = {}
      const byKey = yield* WeakKeyMap.fromIterable([[target, 1]])
      const byValue = yield* WeakValueMap.fromIterable([["key", target]])
      const set = yield* WeakSet.fromIterable([target])
      yield* TestHeap.collect(target)
      const iterators = [
        byKey,
        WeakKeyMap.keys(byKey),
        WeakKeyMap.values(byKey),
        WeakKeyMap.keyRefs(byKey),
        byValue,
        WeakValueMap.keys(byValue),
        WeakValueMap.values(byValue),
        WeakValueMap.valueRefs(byValue),
        set,
        WeakSet.refs(set)
      ]
      for (const iterator of iterators) assert.deepStrictEqual<ReadonlyArray<unknown>>([...iterator], [])
      assert.deepStrictEqual([WeakKeyMap.count(byKey), WeakValueMap.count(byValue), WeakSet.count(set)], [0, 0, 0])
      assert.isTrue(WeakKeyMap.isEmpty(byKey) && WeakValueMap.isEmpty(byValue) && WeakSet.isEmpty(set))
      assert.deepStrictEqual(WeakValueMap.get(byValue, "key"), Option.none())
      assert.deepStrictEqual(WeakValueMap.popEntry(byValue), Option.none())
      assert.deepStrictEqual([WeakKeyMap.size(byKey), WeakSet.size(set)], [1, 1])
      yield* TestHeap.finalize
      assert.deepStrictEqual([WeakKeyMap.size(byKey), WeakSet.size(set)], [0, 0])
    }).pipe(Effect.provide(TestHeap.layer)))
})

describe("mapping(dict, weakkeys) of Python 2.1", () => {
  onBothHeaps(
    "the new mapping has the items of the dictionary, with weak values or with weak keys",
    (world) =>
      Effect.gen(function*() {
        const byName = yield* world.with("a", (a) => WeakValueMap.fromIterable(new Map([["key", a]])))
        const byObject = yield* world.with("a", (a) => WeakKeyMap.fromIterable(new Map([[a, "value"]])))
        assert.deepStrictEqual(Array.from(WeakValueMap.keys(byName)), ["key"])
        assert.deepStrictEqual(Array.from(WeakKeyMap.values(byObject)), ["value"])
        yield* world.die("a")
        assert.deepStrictEqual(Array.from(byName), [])
        assert.deepStrictEqual(Array.from(byObject), [])
      })
  )

  it.effect("construction fails if an item cannot be weakly referenced, and registers nothing", () =>
    Effect.gen(function*() {
      const good = { name: "good" }
      const bad = "bad" as unknown as WeakKey
      const failures = yield* Effect.forEach([
        WeakValueMap.fromIterable([[1, good], [2, bad], [3, good]]),
        WeakKeyMap.fromIterable<WeakKey, number>([[good, 1], [bad, 2]]),
        WeakSet.fromIterable([good, bad])
      ], errorOf)
      assert.deepStrictEqual(failures.map(({ value }) => value), ["bad", "bad", "bad"])
      // Nothing was registered for the items before the invalid item.
      yield* TestHeap.collect(good)
      assert.strictEqual(yield* TestHeap.pending, 0)
    }).pipe(Effect.provide(TestHeap.layer)))
})

describe("setdefault, pop, popitem, update, |, |=, copy, deepcopy", () => {
  onBothHeaps(
    "setdefault returns the existing value, or inserts and returns a default",
    (world) =>
      Effect.gen(function*() {
        const byKey = yield* WeakKeyMap.make<object, string>(structural)
        const byValue = yield* WeakValueMap.make<string, object>()
        yield* world.sync("a", (a) => {
          assert.strictEqual(WeakKeyMap.getOrSet(byKey, a, () => "first"), "first")
          assert.strictEqual(WeakKeyMap.getOrSet(byKey, a, () => "second"), "first")
          assert.strictEqual(WeakValueMap.getOrSet(byValue, "key", () => a), a)
          assert.strictEqual(WeakValueMap.getOrSet(byValue, "key", () => ({})), a)
        })
        yield* world.die("a")
        yield* world.sync("b", (b) => assert.strictEqual(WeakValueMap.getOrSet(byValue, "key", () => b), b))
      })
  )

  it("pop removes an entry and returns its value; here it returns None if there is no entry", () => {
    const a = {}
    const byKey = WeakKeyMap.set(WeakKeyMap.makeUnsafe<object, string>(structural), a, "of a")
    const byValue = WeakValueMap.set(WeakValueMap.makeUnsafe<string, object>(), "key of a", a)
    assert.deepStrictEqual(WeakKeyMap.pop(byKey, a), Option.some("of a"))
    assert.deepStrictEqual(WeakKeyMap.pop(byKey, a), Option.none())
    assert.deepStrictEqual(WeakValueMap.pop(byValue, "key of a"), Option.some(a))
    assert.deepStrictEqual(WeakValueMap.pop(byValue, "key of a"), Option.none())
  })

  onBothHeaps(
    "popitem removes and returns a live entry; here the oldest entry, or None",
    (world) =>
      Effect.gen(function*() {
        const byKey = yield* WeakKeyMap.make<object, string>(structural)
        const byValue = yield* WeakValueMap.make<string, { readonly name: string }>()
        for (const name of ["a", "b", "c"]) {
          yield* world.sync(name, (referent) => {
            WeakKeyMap.set(byKey, referent, name)
            WeakValueMap.set(byValue, name, referent)
          })
        }
        yield* world.die("a")
        for (const name of ["b", "c"]) {
          yield* world.sync(name, (referent) => {
            assert.deepStrictEqual(WeakKeyMap.popEntry(byKey), Option.some<[object, string]>([referent, name]))
            assert.deepStrictEqual(
              WeakValueMap.popEntry(byValue),
              Option.some<[string, typeof referent]>([name, referent])
            )
          })
        }
        assert.deepStrictEqual(WeakKeyMap.popEntry(byKey), Option.none())
        assert.deepStrictEqual(WeakValueMap.popEntry(byValue), Option.none())
      })
  )

  it("update and |= insert in place, | creates a new map, and the later value wins", () => {
    const [a, b] = [{ name: "a" }, { name: "b" }]
    const byKey = () => WeakKeyMap.set(WeakKeyMap.makeUnsafe<object, number>(structural), a, 1)
    const byValue = () => WeakValueMap.set(WeakValueMap.makeUnsafe<number, object>(), 1, a)
    for (const more of [[[a, 2], [b, 3]] as const, new Map([[a, 2], [b, 3]])]) {
      const map = byKey()
      assert.strictEqual(WeakKeyMap.setAll(map, more), map)
      assert.deepStrictEqual(Array.from(map), [[a, 2], [b, 3]])
    }
    const thoseByKey = WeakKeyMap.setAll(WeakKeyMap.makeUnsafe<object, number>(structural), [[b, 3], [a, 2]])
    const theseByKey = byKey()
    assert.deepStrictEqual(Array.from(WeakKeyMap.union(theseByKey, thoseByKey)), [[a, 2], [b, 3]])
    assert.deepStrictEqual(Array.from(theseByKey), [[a, 1]])
    assert.deepStrictEqual(Array.from(thoseByKey), [[b, 3], [a, 2]])

    const map = byValue()
    assert.strictEqual(WeakValueMap.setAll(map, [[1, b], [2, a]]), map)
    assert.deepStrictEqual(Array.from(map), [[1, b], [2, a]])
    const thoseByValue = WeakValueMap.setAll(WeakValueMap.makeUnsafe<number, object>(), [[1, b], [2, a]])
    const theseByValue = byValue()
    assert.deepStrictEqual(Array.from(WeakValueMap.union(theseByValue, thoseByValue)), [[1, b], [2, a]])
    assert.deepStrictEqual(Array.from(theseByValue), [[1, a]])
  })

  onBothHeaps(
    "copy shares keys and values, deepcopy copies the strong side, and both copies are weak",
    (world) =>
      Effect.gen(function*() {
        const value = { deep: [1] }
        const byKey = yield* WeakKeyMap.make<object, typeof value>(structural)
        const byValue = yield* WeakValueMap.make<typeof value, object>()
        yield* world.sync("a", (a) => {
          WeakKeyMap.set(byKey, a, value)
          WeakValueMap.set(byValue, value, a)
        })
        const byKeyCopies = [WeakKeyMap.copy(byKey), WeakKeyMap.copyWith(byKey, (value) => structuredClone(value))]
        const byValueCopies = [
          WeakValueMap.copy(byValue),
          WeakValueMap.copyWith(byValue, (key) => structuredClone(key))
        ]
        yield* world.sync("a", (a) => {
          const values = byKeyCopies.map((copy) => Option.getOrThrow(WeakKeyMap.get(copy, a)))
          assert.deepStrictEqual(values.map((copied) => copied === value), [true, false])
          assert.deepStrictEqual(values, [value, value])
          const keys = byValueCopies.map((copy) => WeakValueMap.keys(copy).next().value)
          assert.deepStrictEqual(keys.map((copied) => copied === value), [true, false])
          assert.deepStrictEqual(byValueCopies.map((copy) => WeakValueMap.values(copy).next().value === a), [
            true,
            true
          ])
        })
        yield* world.die("a")
        assert.deepStrictEqual(byKeyCopies.map(WeakKeyMap.count), [0, 0])
        assert.deepStrictEqual(byValueCopies.map(WeakValueMap.count), [0, 0])
      })
  )
})

describe("WeakSet and its operators", () => {
  onBothHeaps("an element leaves the set when it has been collected", (world) =>
    Effect.gen(function*() {
      const set = yield* world.withAll(["a", "b"], (elements) => WeakSet.fromIterable(elements, structural))
      yield* world.die("a")
      assert.deepStrictEqual(Array.from(set, ({ name }) => name), ["b"])
      assert.strictEqual(WeakSet.size(set), 1)
    }))

  const [a, b, c, d] = [{ name: "a" }, { name: "b" }, { name: "c" }, { name: "d" }] as const
  const setOf = (...elements: ReadonlyArray<object | undefined>) =>
    Effect.runSync(WeakSet.fromIterable(elements as ReadonlyArray<object>, structural))
  const elements = (set: WeakSet.WeakSet<object>) => Array.from(set)

  it("|, &, - and ^ create new sets", () => {
    const set = setOf(a, b, c)
    for (const that of [setOf(b, c, d), new Set([b!, c!, d!]), [b!, c!, d!]]) {
      assert.deepStrictEqual(elements(WeakSet.union(set, that)), [a, b, c, d])
      assert.deepStrictEqual(elements(WeakSet.intersection(set, that)), [b, c])
      assert.deepStrictEqual(elements(WeakSet.difference(set, that)), [a])
      assert.deepStrictEqual(elements(WeakSet.symmetricDifference(set, that)), [a, d])
    }
    assert.deepStrictEqual(elements(set), [a, b, c])
  })

  it("|=, &=, -= and ^= change the set, even if both operands are the same set", () => {
    const that = [b!, c!, d!]
    const changes: ReadonlyArray<[typeof WeakSet.addAll, ReadonlyArray<unknown>, ReadonlyArray<unknown>]> = [
      [WeakSet.addAll, [a, b, c, d], [a, b, c]],
      [WeakSet.retainAll, [b, c], [a, b, c]],
      [WeakSet.removeAll, [a], []],
      [WeakSet.toggleAll, [a, d], []]
    ]
    for (const [change, expected, byItself] of changes) {
      const set = setOf(a, b, c)
      assert.strictEqual(change(set, that), set)
      assert.deepStrictEqual<unknown>(elements(set), expected)
      const self = setOf(a, b, c)
      assert.deepStrictEqual<unknown>(elements(change(self, self)), byItself)
    }
  })

  it("<=, <, >=, >, == and isdisjoint compare sets", () => {
    const comparisons = (self: WeakSet.WeakSet<object>, that: Iterable<object>) => [
      WeakSet.isSubset(self, that),
      WeakSet.isProperSubset(self, that),
      WeakSet.isSuperset(self, that),
      WeakSet.isProperSuperset(self, that),
      WeakSet.equals(self, that),
      WeakSet.isDisjoint(self, that)
    ]
    assert.deepStrictEqual(comparisons(setOf(a, b), setOf(a, b, c)), [true, true, false, false, false, false])
    assert.deepStrictEqual(comparisons(setOf(a, b, c), setOf(a, b)), [false, false, true, true, false, false])
    assert.deepStrictEqual(comparisons(setOf(a, b), setOf(b, a)), [true, false, true, false, true, false])
    assert.deepStrictEqual(comparisons(setOf(a, b), setOf(b, c)), [false, false, false, false, false, false])
    assert.deepStrictEqual(comparisons(setOf(a), setOf(b)), [false, false, false, false, false, true])
    assert.deepStrictEqual(comparisons(setOf(), []), [true, false, true, false, true, true])
  })
})

describe("WeakMethod", () => {
  class Greeter {
    readonly name: string
    constructor(name: string) {
      this.name = name
    }
    greet(greeting: string): string {
      return `${greeting}, ${this.name}`
    }
  }
  const onBothHeapsOfGreeters = onBothHeapsWith((name) => new Greeter(name))

  it.effect("a plain reference to a bound method dies, because nothing else holds the bound method (real heap)", () =>
    Effect.gen(function*() {
      const greeter = new Greeter("Ada")
      const make = () => WeakRef.makeUnsafe(greeter.greet.bind(greeter))
      const ref = make()
      const weak = WeakMethod.makeUnsafe(greeter, "greet")
      assert.isTrue(yield* collectUntil(() => !WeakRef.isAlive(ref)))
      assert.isTrue(WeakMethod.isAlive(weak))
    }))

  onBothHeapsOfGreeters(
    "dereferencing creates the bound method again until its object dies",
    (world) =>
      Effect.gen(function*() {
        const weak = yield* world.with("Ada", (ada) => WeakMethod.make(ada, "greet"))
        assert.deepStrictEqual(
          Option.map(WeakMethod.deref(weak), (greet) => greet("Hello")),
          Option.some("Hello, Ada")
        )
        assert.strictEqual(yield* WeakMethod.invoke(weak, "Goodbye"), "Goodbye, Ada")
        yield* world.die("Ada")
        assert.deepStrictEqual(WeakMethod.deref(weak), Option.none())
        assert.instanceOf(yield* Effect.flip(WeakMethod.invoke(weak, "Hello")), WeakError.DeadReferenceError)
      })
  )

  onBothHeapsWith((name) =>
    function(this: Greeter) {
      return `${name} of ${this.name}`
    }
  )("dereferencing creates the bound method again until its function dies", (world) =>
    Effect.gen(function*() {
      const greeter = new Greeter("Ada")
      const weak = yield* world.with("method", (method) => WeakMethod.make(greeter, method))
      assert.strictEqual(yield* WeakMethod.invoke(weak), "method of Ada")
      yield* world.die("method")
      assert.deepStrictEqual(WeakMethod.deref(weak), Option.none())
      assert.strictEqual(greeter.name, "Ada")
    }))

  onBothHeapsOfGreeters(
    "callbacks of a weak method and of references are called in one order, with the dead method",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        const weak = yield* world.with("Ada", (ada) => WeakMethod.make(ada, "greet"))
        const ref = yield* world.with("Ada", WeakRef.make)
        yield* WeakMethod.onCollect(weak, (given) => says(`${given === weak}, ${WeakMethod.isAlive(given)}`))
        yield* WeakRef.onCollect(ref, () => says("newer"))
        yield* world.die("Ada")
        assert.deepStrictEqual(lines, ["newer", "true, false"])
      })
  )
})

describe("finalize, alive, atexit, detach, peek", () => {
  onBothHeaps(
    "a finalizer that nothing holds runs when its object has been collected",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        yield* Effect.asVoid(world.with("a", (a) => Finalizer.make(a, says("called"))))
        yield* collectThoroughly
        assert.deepStrictEqual(lines, [])
        yield* world.die("a")
        assert.deepStrictEqual(lines, ["called"])
      })
  )

  onBothHeaps(
    "a finalizer is alive until it runs; running it again returns None",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        const make = (name: string) =>
          world.with(name, (referent) => Finalizer.make(referent, Effect.as(says(name), `result of ${name}`)))
        const a = yield* make("a")
        const b = yield* make("b")
        assert.deepStrictEqual([a, b].map(Finalizer.isAlive), [true, true])
        assert.deepStrictEqual(yield* Finalizer.run(a), Option.some("result of a"))
        yield* world.die("a", "b")
        assert.deepStrictEqual([a, b].map(Finalizer.isAlive), [false, false])
        assert.deepStrictEqual(yield* Effect.forEach([a, b], Finalizer.run), [Option.none(), Option.none()])
        assert.deepStrictEqual(lines, ["a", "b"])
      })
  )

  onBothHeaps(
    "an error of a finalizer that runs on collection is reported",
    (world) =>
      Effect.gen(function*() {
        const reports = yield* reportsOf(Effect.gen(function*() {
          yield* Effect.asVoid(world.with("a", (a) => Finalizer.make(a, Effect.fail(new Error("raised")))))
          yield* world.die("a")
        }))
        assert.deepStrictEqual(reports, ["Error: raised"])
      })
  )

  onBothHeaps(
    "peek and detach return the object and the effect, and detach prevents the finalizer from running",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        const effect = Effect.as(says("called"), 1)
        const finalizer = yield* world.with("a", (a) => Finalizer.make(a, effect))
        for (const [look, aliveAfter] of [[Finalizer.peek, true], [Finalizer.detach, false]] as const) {
          yield* world.with("a", (a) =>
            Effect.map(look(finalizer), (content) => {
              assert.strictEqual(Option.getOrThrow(content).target, a)
              assert.isTrue(Effect.isEffect(Option.getOrThrow(content).effect))
            }))
          assert.strictEqual(Finalizer.isAlive(finalizer), aliveAfter)
        }
        assert.deepStrictEqual(yield* Finalizer.peek(finalizer), Option.none())
        assert.deepStrictEqual(yield* Finalizer.detach(finalizer), Option.none())
        assert.deepStrictEqual(yield* Finalizer.run(finalizer), Option.none())
        yield* world.die("a")
        assert.deepStrictEqual(lines, [])
      })
  )

  onBothHeaps(
    "live finalizers run at exit (here of the Scope), newest first, unless atexit is false",
    (world) =>
      Effect.gen(function*() {
        const { lines, says } = log()
        yield* Effect.scoped(Effect.gen(function*() {
          const make = (name: string) => world.with(name, (referent) => Finalizer.make(referent, says(name)))
          const finalizers = yield* Effect.forEach(["a", "b", "c", "d"], make)
          assert.deepStrictEqual(finalizers.map(Finalizer.atExit), [true, true, true, true])
          yield* Finalizer.setAtExit(finalizers[1]!, false)
          assert.deepStrictEqual(finalizers.map(Finalizer.atExit), [true, false, true, true])
          yield* world.die("c")
          assert.deepStrictEqual(lines, ["c"])
        }))
        assert.deepStrictEqual(lines, ["c", "d", "a"])
      })
  )

  it.effect("a finalizer whose effect holds its object keeps the object alive (real heap)", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const holding = () => {
        const target = { name: "held by its own finalizer" }
        return Effect.as(Finalizer.make(target, Effect.sync(() => target.name)), WeakRef.makeUnsafe(target))
      }
      const ref = yield* Scope.provide(Effect.suspend(holding), scope)
      yield* collectThoroughly
      assert.isTrue(WeakRef.isAlive(ref))
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* collectUntil(() => !WeakRef.isAlive(ref)))
    }))
})
