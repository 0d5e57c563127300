import { assert } from "@effect/vitest"
import { Effect, Exit, Hash, Option, Scope } from "effect"
import { inspect } from "node:util"
import { Heap, WeakError, WeakKeyMap, WeakProxy, WeakRef } from "../../src/index.ts"
import { collectThoroughly, collectUntil, many, tolerated } from "../support/realHeap.ts"
import { cannot, eagerHeap, effect, log, Obj, onBothHeaps, onBothHeapsOf, Plain, sync, type Table } from "./entry.ts"

const noOperators = "JavaScript has no operator methods, because an operator first converts its operands to primitives"

/** Creates referents of several kinds, by name. */
const kinds: Readonly<Record<string, () => object>> = {
  instance: () => new Plain(),
  function: () => () => 1,
  "bound method": () => Obj.prototype.some_method.bind(new Obj({ arg: 1 }))
}
const onBothHeapsOfKinds = onBothHeapsOf((name) => kinds[name]!())

const refOf = <A extends object>(
  world: { readonly sync: <B>(name: string, f: (referent: A) => B) => Effect.Effect<B> },
  name: string,
  key: string
) => Effect.flatMap(Heap.Heap, (heap) => world.sync(name, (referent) => new WeakRef.KeyedRef(key, referent, heap)))

/** Checks that changes through the proxy are visible in the object, and changes of the object through the proxy. */
const checkProxy = (object: any, proxy: any) => {
  object.foo = 1
  assert.strictEqual(proxy.foo, 1)
  object.foo = 2
  assert.strictEqual(proxy.foo, 2)
  delete object.foo
  assert.notProperty(proxy, "foo")
  proxy.foo = 1
  assert.strictEqual(object.foo, 1)
  proxy.foo = 2
  assert.strictEqual(object.foo, 2)
  delete proxy.foo
  assert.notProperty(object, "foo")
}

/** Creates two objects that refer to each other. The callback of each object captures the other object. */
const cycleWithCallbacks = (callback: (other: Plain) => Effect.Effect<void>) => {
  const first: { other?: object } = {}
  const second = { other: first }
  first.other = second
  const refs = [WeakRef.makeUnsafe<object>(first), WeakRef.makeUnsafe<object>(second)] as const
  return {
    refs,
    register: Effect.all([
      WeakRef.onCollect(refs[0], () => callback(new Plain(second))),
      WeakRef.onCollect(refs[1], () => callback(new Plain(first)))
    ])
  }
}

/**
 * Tests that objects which only a callback holds are collected after its Scope has
 * closed, and that the callback never runs.
 */
const collectedWithItsCallbacks = (
  build: (called: Effect.Effect<void>) => {
    readonly refs: ReadonlyArray<WeakRef.WeakRef<object>>
    readonly register: Effect.Effect<unknown, never, Scope.Scope>
  }
) =>
  effect(() =>
    Effect.gen(function*() {
      let calls = 0
      const scope = yield* Scope.make()
      const start = () => {
        const { refs, register } = build(Effect.sync(() => void calls++))
        return Effect.as(register, refs)
      }
      const refs = (yield* Scope.provide(Effect.replicateEffect(Effect.suspend(start), many), scope)).flat()
      yield* collectThoroughly
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* collectUntil(() => refs.filter(WeakRef.isAlive).length <= tolerated))
      yield* collectThoroughly
      assert.strictEqual(calls, 0)
    })
  )

const createdWhileCollecting = (make: (target: object) => Effect.Effect<object, unknown>) =>
  effect(() =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const target = new Plain()
      const ref = yield* WeakRef.make(target)
      yield* WeakRef.onCollect(ref, () => says("of the target"))
      for (let i = 0; i < 10; i++) {
        const garbage = () => {
          const garbage = new Plain(make(target))
          return Effect.flatMap(WeakRef.make(garbage), WeakRef.onCollect(() => says("of garbage")))
        }
        yield* Effect.suspend(garbage)
        assert.strictEqual(yield* make(target), yield* make(target))
      }
      assert.isTrue(yield* collectUntil(() => lines.length === 10))
      assert.notInclude(lines, "of the target")
      assert.strictEqual(Option.getOrThrow(WeakRef.deref(ref)), target)
    }).pipe(Effect.provideService(Heap.Heap, eagerHeap(5)))
  )

/** Tests that `make` returns the same shared instance before and after callbacks are registered. */
const sharedWithAndWithoutCallback = <Shared extends object>(
  make: (target: object) => Effect.Effect<Shared, unknown>,
  onCollect: (shared: Shared) => Effect.Effect<void, never, Scope.Scope>
) =>
  effect(() =>
    Effect.gen(function*() {
      const target = new Obj({ arg: 1 })
      const without = [yield* make(target), yield* make(target)]
      yield* onCollect(without[0]!)
      const withOne = yield* make(target)
      yield* onCollect(withOne)
      assert.strictEqual(new Set([...without, withOne, yield* make(target)]).size, 1)
    })
  )

export const ReferencesTestCase: Table<"ReferencesTestCase"> = {
  test_basic_ref: onBothHeapsOfKinds((world) =>
    Effect.gen(function*() {
      for (const name of Object.keys(kinds)) {
        const ref = yield* world.with(name, WeakRef.make)
        assert.isTrue(yield* world.sync(name, (referent) => Option.getOrThrow(WeakRef.deref(ref)) === referent))
        assert.include(String(ref), "WeakRef")
        yield* world.die(name)
        assert.include(String(ref), "WeakRef")
      }
    })
  ),

  test_ref_repr: onBothHeaps((world) =>
    Effect.gen(function*() {
      const ref = yield* world.with("alive", WeakRef.make)
      assert.match(inspect(ref), /WeakRef.*Some.*'a'/s)
      assert.match(String(ref), /WeakRef.*Some.*"a"/s)
      yield* world.die("alive")
      assert.match(inspect(ref), /WeakRef.*None/s)
      assert.match(String(ref), /WeakRef.*None/s)
    })
  ),

  test_repr_failure_gh99184: sync(() => {
    const refuse = (): never => {
      throw new Error("no such attribute")
    }
    for (
      const target of [new Proxy({ offset: 5 }, { get: refuse, has: refuse }), {
        get toJSON() {
          return refuse()
        }
      }]
    ) {
      const ref = WeakRef.makeUnsafe(target)
      assert.include(String(ref), "WeakRef")
      assert.include(inspect(ref), "WeakRef")
    }
  }),

  test_basic_callback: onBothHeapsOfKinds((world) =>
    Effect.gen(function*() {
      for (const name of Object.keys(kinds)) {
        let calls = 0
        const ref = yield* world.with(name, WeakRef.make)
        yield* WeakRef.onCollect(ref, () => Effect.sync(() => void calls++))
        yield* world.die(name)
        assert.strictEqual(calls, 1)
        assert.isFalse(WeakRef.isAlive(ref))
      }
    })
  ),

  test_cfunction: cannot(
    "CPython tests functions of its C API; built-in functions of JavaScript are plain functions"
  ),

  test_multiple_callbacks: onBothHeaps((world) =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const refs = [yield* refOf(world, "a", "one"), yield* refOf(world, "a", "two")]
      yield* Effect.forEach(refs, WeakRef.onCollect(({ key }) => says(key)))
      yield* world.die("a")
      assert.deepStrictEqual(refs.map(WeakRef.isAlive), [false, false])
      assert.deepStrictEqual(lines, ["two", "one"])
    })
  ),

  test_multiple_selfref_callbacks: onBothHeaps((world) =>
    Effect.gen(function*() {
      const first = yield* refOf(world, "a", "first")
      const second = yield* refOf(world, "a", "second")
      const seen: Array<boolean> = []
      const callback = () => Effect.sync(() => void seen.push(WeakRef.isAlive(first)))
      yield* WeakRef.onCollect(first, callback)
      yield* WeakRef.onCollect(second, callback)
      yield* world.die("a")
      assert.deepStrictEqual(seen, [false, false])
    })
  ),

  test_constructor_kwargs: cannot("JavaScript has no keyword arguments, and the types reject additional arguments"),

  test_proxy_ref: onBothHeaps((world) =>
    Effect.gen(function*() {
      let calls = 0
      const proxy = yield* world.with("a", WeakProxy.make)
      const same = yield* world.with("a", WeakProxy.make)
      yield* WeakProxy.onCollect(proxy, () => Effect.sync(() => void calls++))
      yield* WeakProxy.onCollect(same, () => Effect.sync(() => void calls++))
      const another = yield* world.with("b", WeakProxy.make)
      assert.strictEqual(proxy.arg, "a")
      yield* world.die("a", "b")
      for (const dead of [proxy, same, another]) {
        assert.throws(() => dead.arg, WeakError.DeadReferenceError)
        assert.throws(() => String(dead), WeakError.DeadReferenceError)
      }
      assert.strictEqual(calls, 2)
    })
  ),

  test_proxy_repr: onBothHeaps((world) =>
    Effect.gen(function*() {
      const proxy = yield* world.with("a", WeakProxy.make)
      assert.include(inspect(proxy), "arg: 'a'")
      yield* world.die("a")
      assert.match(inspect(proxy), /WeakProxy.*(?:dead|collected)/i)
    })
  ),

  test_ref_reuse: effect(() =>
    Effect.gen(function*() {
      const target = new Plain()
      const ref = yield* WeakRef.make(target)
      const withProxy = () => {
        const proxy = WeakProxy.makeUnsafe(target)
        assert.strictEqual(WeakRef.makeUnsafe(target), ref)
        const count = Effect.runSync(WeakRef.count(target))
        assert.isTrue(WeakProxy.isWeakProxy(proxy))
        return count
      }
      assert.strictEqual(withProxy(), 2)
      assert.isTrue(yield* collectUntil(() => Effect.runSync(WeakRef.count(target)) === 1))
      assert.strictEqual(yield* WeakRef.make(target), ref)
    })
  ),

  test_proxy_reuse: sync(() => {
    const target = new Plain()
    const first = WeakProxy.makeUnsafe(target)
    const ref = WeakRef.makeUnsafe(target)
    assert.strictEqual(WeakProxy.makeUnsafe(target), first)
    assert.isTrue(WeakRef.isAlive(ref))
  }),

  test_basic_proxy: sync(() => {
    const object = new Plain()
    checkProxy(object, WeakProxy.makeUnsafe(object))

    const list: Array<number> = []
    const proxy = WeakProxy.makeUnsafe(list)
    assert.isEmpty(proxy)
    proxy.push(12)
    assert.lengthOf(list, 1)
    assert.isNotEmpty(proxy)
    proxy.splice(0, 1, 2, 3)
    assert.deepStrictEqual([list.length, proxy.length], [2, 2])
    assert.isTrue(proxy.includes(3))
    proxy[1] = 5
    assert.deepStrictEqual([list[1], proxy[1]], [5, 5])
    const copy = [...list]
    assert.isTrue(WeakProxy.equals(proxy, WeakProxy.makeUnsafe(copy)))
    const digits = Array.from({ length: 10 }, (_, i) => i)
    const ofDigits = WeakProxy.makeUnsafe(digits)
    for (const slice of [[], [5], [0, 5], [2, 5]] as const) {
      assert.deepStrictEqual(ofDigits.slice(...slice), digits.slice(...slice))
    }
  }),

  test_proxy_unicode: sync(() => {
    class C {
      toString() {
        return "string"
      }
      bytes() {
        return Uint8Array.of(1)
      }
    }
    const instance = new C()
    const proxy = WeakProxy.makeUnsafe(instance)
    assert.strictEqual(String(proxy), "string")
    assert.strictEqual(`${proxy}`, "string")
    assert.isTrue("bytes" in proxy)
    assert.deepStrictEqual(proxy.bytes(), Uint8Array.of(1))
  }),

  test_proxy_index: sync(() => {
    const index = { [Symbol.toPrimitive]: () => 2 }
    const proxy: any = WeakProxy.makeUnsafe(index)
    assert.strictEqual("abc"[proxy], "c")
    assert.strictEqual(["a", "b", "c"].at(proxy), "c")
  }),

  test_proxy_div: cannot(noOperators),
  test_proxy_matmul: cannot(noOperators),

  test_shared_ref_without_callback: sharedWithAndWithoutCallback(
    WeakRef.make,
    WeakRef.onCollect(() => Effect.void)
  ),
  test_shared_proxy_without_callback: sharedWithAndWithoutCallback(
    WeakProxy.make,
    WeakProxy.onCollect(() => Effect.void)
  ),

  test_callable_proxy: sync(() => {
    const callable = Object.assign(
      (x: string) => {
        callable.bar = x
      },
      { bar: "" }
    )
    const proxy = WeakProxy.makeUnsafe(callable)
    checkProxy(callable, proxy)
    assert.isTrue(WeakProxy.isCallableWeakProxy(proxy))
    assert.isFalse(WeakProxy.isCallableWeakProxy(WeakProxy.makeUnsafe({})))
    proxy("twinkies!")
    assert.strictEqual(callable.bar, "twinkies!")
    Reflect.apply(proxy, undefined, ["Splat."])
    assert.strictEqual(callable.bar, "Splat.")
    assert.throws(() => (WeakProxy.makeUnsafe({}) as any)(), TypeError)
  }),

  test_proxy_deletion: sync(() => {
    const object: Record<string, number> = { a: 1, b: 2 }
    const deleted: Array<PropertyKey> = []
    const watched = new Proxy(object, {
      deleteProperty: (target, key) => {
        deleted.push(key)
        return Reflect.deleteProperty(target, key)
      }
    })
    const proxy = WeakProxy.makeUnsafe(watched)
    delete proxy.a
    assert.deepStrictEqual(deleted, ["a"])
    assert.deepStrictEqual(object, { b: 2 })
  }),

  test_proxy_bool: sync(() => {
    const list: Array<number> = []
    assert.strictEqual(Boolean(WeakProxy.makeUnsafe(list)), Boolean(list))
  }),

  test_proxy_iter: effect(() =>
    Effect.gen(function*() {
      const kept = new Set<object>()
      const make = () => {
        // Drops the last reference to itself during a call, and forces a collection.
        const object = {
          *[Symbol.iterator]() {
            kept.clear()
            globalThis.gc!()
            yield* [1, 2, 3]
          }
        }
        kept.add(object)
        return WeakProxy.makeUnsafe(object)
      }
      const proxy = make()
      const iterate = () => [...proxy]
      assert.deepStrictEqual(iterate(), [1, 2, 3])
      assert.isTrue(yield* collectUntil(() => Option.isNone(WeakProxy.deref(proxy))))
      assert.throws(iterate, WeakError.DeadReferenceError)
    })
  ),

  test_proxy_next: sync(() => {
    const iterator = [4, 5, 6].values()
    const iteratesWeakly = { [Symbol.iterator]: () => WeakProxy.makeUnsafe(iterator) }
    assert.deepStrictEqual([...iteratesWeakly], [4, 5, 6])
    const generator = (function*() {
      yield* [4, 5, 6]
    })()
    assert.deepStrictEqual([...{ [Symbol.iterator]: () => WeakProxy.makeUnsafe(generator) }], [4, 5, 6])
  }),

  test_proxy_bad_next: sync(() => {
    const notAnIterator = () => 0
    const iterates = { [Symbol.iterator]: () => WeakProxy.makeUnsafe(notAnIterator) }
    assert.throws(() => [...iterates as unknown as Iterable<unknown>], TypeError)
  }),

  test_proxy_reversed: sync(() => {
    const list = ["a", "b", "c"]
    const proxy = WeakProxy.makeUnsafe(list)
    assert.deepStrictEqual(proxy.toReversed(), ["c", "b", "a"])
    assert.deepStrictEqual(Array.prototype.toReversed.call(proxy), ["c", "b", "a"])
  }),

  test_proxy_hash: sync(() => {
    for (const target of [new Obj({ arg: 42 }), new Plain(), {}, () => 1]) {
      assert.isNumber(Hash.hash(target))
      assert.throws(() => Hash.hash(WeakProxy.makeUnsafe(target)), WeakError.UnhashableError)
    }
  }),

  test_getweakrefcount: effect(() =>
    Effect.gen(function*() {
      const target = new Plain()
      const some = () => {
        const ref = WeakRef.makeUnsafe(target)
        const keyed = new WeakRef.KeyedRef("key", target)
        assert.strictEqual(Effect.runSync(WeakRef.count(target)), 2)
        const proxy = WeakProxy.makeUnsafe(target)
        const another = new WeakRef.KeyedRef("another", target)
        assert.strictEqual(Effect.runSync(WeakRef.count(target)), 4)
        return WeakRef.isAlive(ref) && WeakProxy.isWeakProxy(proxy) && keyed.key !== another.key
      }
      assert.isTrue(some())
      assert.isTrue(yield* collectUntil(() => Effect.runSync(WeakRef.count(target)) === 0))
      assert.strictEqual(yield* WeakRef.count(1 as unknown as WeakKey), 0)
    })
  ),

  test_getweakrefs: effect(() =>
    Effect.gen(function*() {
      const held = new Map<string, WeakRef.KeyedRef<string, Plain>>()
      const targets = [new Plain(), new Plain()]
      const make = (target: Plain, ...keys: ReadonlyArray<string>) => {
        for (const key of keys) held.set(key, new WeakRef.KeyedRef(key, target))
      }
      const keysOf = (target: Plain) =>
        Effect.runSync(WeakRef.all(target)).map((ref) => (ref as WeakRef.KeyedRef<string, Plain>).key)
      const comeTo = (expected: ReadonlyArray<ReadonlyArray<string>>) =>
        Effect.map(
          collectUntil(() => targets.map(keysOf).join(";") === expected.join(";")),
          (come) => assert.isTrue(come, expected.join(";"))
        )
      make(targets[0]!, "first", "second")
      make(targets[1]!, "third", "fourth")
      yield* comeTo([["first", "second"], ["third", "fourth"]])
      held.delete("first")
      held.delete("fourth")
      yield* comeTo([["second"], ["third"]])
      held.clear()
      yield* comeTo([[], []])
      assert.deepStrictEqual(yield* WeakRef.all(1 as unknown as WeakKey), [])
    })
  ),

  test_newstyle_number_ops: sync(() => {
    class F extends Number {}
    const f = new F(2)
    const proxy: any = WeakProxy.makeUnsafe(f)
    assert.strictEqual(proxy + 1, 3)
    assert.strictEqual(1 + proxy, 3)
  }),

  test_callbacks_protected: onBothHeaps((world) =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const scope = yield* Effect.scope
      for (const round of ["1", "2"]) {
        const failing = world.with(round, WeakRef.make).pipe(
          Effect.flatMap(WeakRef.onCollect(() => says(round))),
          Scope.provide(scope),
          Effect.andThen(Effect.fail("bogus"))
        )
        assert.strictEqual(yield* Effect.flip(failing), "bogus")
      }
      yield* world.die("1")
      yield* world.die("2")
      assert.deepStrictEqual(lines, ["1", "2"])
    })
  ),

  test_sf_bug_840829: effect(() =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const collects = (name: string) => () => Effect.andThen(Heap.collectGarbage, says(name))
      const make = () => {
        const inner = new Plain()
        const middle = new Plain(inner)
        const outer = new Plain(middle)
        return Effect.all([
          WeakRef.onCollect(WeakRef.makeUnsafe(inner), collects("inner")),
          WeakRef.onCollect(WeakRef.makeUnsafe(outer), collects("outer"))
        ], { discard: true })
      }
      yield* Effect.suspend(make)
      assert.isTrue(yield* collectUntil(() => lines.length === 2))
      assert.sameMembers(lines, ["inner", "outer"])
    })
  ),

  test_callback_in_cycle: collectedWithItsCallbacks((called) => cycleWithCallbacks(() => called)),

  test_callback_reachable_one_way: collectedWithItsCallbacks((called) => {
    const target = new Plain()
    const owner = new Plain(target)
    const ref = WeakRef.makeUnsafe<object>(target)
    const callback = () => Effect.andThen(Effect.sync(() => owner.arg), called)
    return { refs: [ref, WeakRef.makeUnsafe<object>(owner)], register: WeakRef.onCollect(ref, callback) }
  }),

  test_callback_different_classes: cannot(
    "CPython tests a class that is destroyed before its instances; in JavaScript, instances keep their class alive"
  ),

  test_callback_in_cycle_resurrection: onBothHeaps((world) =>
    Effect.gen(function*() {
      const resurrected: Array<Option.Option<Obj>> = []
      const first = yield* world.with("a", WeakRef.make)
      const second = yield* world.with("b", WeakRef.make)
      yield* WeakRef.onCollect(first, () => Effect.sync(() => void resurrected.push(WeakRef.deref(second))))
      yield* WeakRef.onCollect(second, () => Effect.sync(() => void resurrected.push(WeakRef.deref(first))))
      yield* world.die("a", "b")
      assert.deepStrictEqual(resurrected, [Option.none(), Option.none()])
    })
  ),

  test_callbacks_on_callback: effect(() =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const target = new Plain()
      const scope = yield* Scope.make()
      const register = () => {
        const callback = () => says("callback of the target")
        const onCallback = WeakRef.onCollect(WeakRef.makeUnsafe(callback), () => says("callback of the callback"))
        return Effect.andThen(onCallback, Scope.provide(WeakRef.onCollect(WeakRef.makeUnsafe(target), callback), scope))
      }
      yield* Effect.replicateEffect(Effect.suspend(register), many, { discard: true })
      yield* collectThoroughly
      assert.deepStrictEqual(lines, [])
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* collectUntil(() => lines.length >= many - tolerated))
      assert.deepStrictEqual([...new Set(lines)], ["callback of the callback"])
      assert.instanceOf(target, Plain)
    })
  ),

  test_gc_during_ref_creation: createdWhileCollecting(WeakRef.make),
  test_gc_during_proxy_creation: createdWhileCollecting(WeakProxy.make),

  test_ref_created_during_del: cannot(
    "JavaScript runs no code that can access a dying object"
  ),

  test_init: cannot("A JavaScript constructor cannot be called again on an existing instance"),

  test_classes: onBothHeapsOf(() => class extends Obj {})((world) =>
    Effect.gen(function*() {
      const dead: Array<unknown> = []
      assert.isTrue(WeakRef.isAlive(WeakRef.makeUnsafe(Number)))
      const ref = yield* world.with("A", WeakRef.make)
      yield* WeakRef.onCollect(ref, (ref) => Effect.sync(() => void dead.push(ref)))
      yield* world.die("A")
      assert.isFalse(WeakRef.isAlive(ref))
      assert.strictEqual(dead.length, 1)
      assert.strictEqual(dead[0], ref)
    })
  ),

  test_equality: onBothHeaps((world) =>
    Effect.gen(function*() {
      const a = yield* world.with("1, x", WeakRef.make)
      const b = yield* world.with("1, y", WeakRef.make)
      const c = yield* world.with("2, z", WeakRef.make)
      const d = yield* refOf(world, "1, x", "another of x")
      assert.isTrue(WeakRef.equals(a, b))
      assert.isFalse(WeakRef.equals(a, c))
      assert.isTrue(WeakRef.equals(a, d))
      yield* world.die("1, x", "1, y", "2, z")
      for (const [self, that] of [[a, b], [a, c], [a, d], [d, a]] as const) {
        assert.isFalse(WeakRef.equals(self, that))
      }
      for (const self of [a, b, c, d]) assert.isTrue(WeakRef.equals(self, self))
    })
  ),

  test_ordering: cannot(
    "JavaScript compares any objects with `<`, by their text; an Effect program uses an Order, and references have no Order"
  ),

  test_hashing: onBothHeaps((world) =>
    Effect.gen(function*() {
      const a = yield* world.with("4, x", WeakRef.make)
      const b = yield* world.with("4, y", WeakRef.make)
      const hash = Hash.hash(new Obj({ arg: "4" }))
      assert.strictEqual(Hash.hash(a), hash)
      yield* world.die("4, x", "4, y")
      assert.deepStrictEqual([Hash.hash(a), a[Hash.symbol]()], [hash, hash])
      assert.throws(() => Hash.hash(b), WeakError.UnhashableError)
    })
  ),

  test_trashcan_16602: effect(() =>
    Effect.gen(function*() {
      const seen: Array<boolean> = []
      const map = WeakKeyMap.makeUnsafe<Plain, Plain>({ compare: "reference" })
      // Each object is held by its child, and has a callback that dereferences the child.
      const chain = () => {
        let parent = new Plain()
        const registrations: Array<Effect.Effect<void, never, Scope.Scope>> = []
        for (let n = 0; n < 100; n++) {
          const child = new Plain(parent)
          const childRef = WeakRef.makeUnsafe(child)
          const looks = () => Effect.sync(() => void seen.push(WeakRef.isAlive(childRef)))
          registrations.push(WeakRef.onCollect(WeakRef.makeUnsafe(parent), looks))
          WeakKeyMap.set(map, child, parent)
          parent = child
        }
        return Effect.all(registrations, { discard: true })
      }
      yield* Effect.suspend(chain)
      assert.isTrue(yield* collectUntil(() => seen.length === 100))
      assert.notInclude(seen, true)
      assert.isTrue(WeakKeyMap.isEmpty(map))
    })
  ),

  test_callback_attribute: onBothHeaps((world) =>
    Effect.gen(function*() {
      const calls: Array<unknown> = []
      const callback = (ref: unknown) => Effect.sync(() => void calls.push(ref))
      const one = yield* refOf(world, "a", "has the callback")
      yield* WeakRef.onCollect(one, callback)
      const two = yield* refOf(world, "a", "has none")
      yield* world.die("a")
      assert.strictEqual(calls.length, 1)
      assert.strictEqual(calls[0], one)
      assert.isFalse(WeakRef.isAlive(two))
    })
  ),

  test_callback_attribute_after_deletion: effect(() =>
    Effect.gen(function*() {
      let calls = 0
      const kept = new Set<Plain>()
      const register = () => {
        const target = new Plain()
        kept.add(target)
        const callback = () => Effect.sync(() => void calls++)
        const callbackRef = WeakRef.makeUnsafe(callback)
        return Effect.as(WeakRef.onCollect(WeakRef.makeUnsafe(target), callback), callbackRef)
      }
      const callbackRef = yield* Effect.suspend(register)
      yield* collectThoroughly
      assert.isTrue(WeakRef.isAlive(callbackRef))
      kept.clear()
      // The callback has run and is collected, although its Scope is open.
      assert.isTrue(yield* collectUntil(() => calls === 1 && !WeakRef.isAlive(callbackRef)))
    })
  ),

  test_set_callback_attribute: onBothHeaps((world) =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const ref = yield* world.with("a", WeakRef.make)
      yield* WeakRef.onCollect(ref, () => says("first"))
      yield* WeakRef.onCollect(ref, () => says("second"))
      yield* world.die("a")
      assert.deepStrictEqual(lines, ["second", "first"])
    })
  ),

  test_callback_gcs: onBothHeaps((world) =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const ref = yield* world.with("a", WeakRef.make)
      yield* WeakRef.onCollect(ref, () => says("next"))
      yield* WeakRef.onCollect(ref, () => Effect.andThen(Heap.collectGarbage, says("collected")))
      yield* world.die("a")
      assert.deepStrictEqual(lines, ["collected", "next"])
    })
  ),

  test_no_memory_when_clearing: cannot(
    "A failing allocation ends a JavaScript process, so a program cannot recover from it"
  )
}

class MyRef<A extends WeakKey> extends WeakRef.Class<A> {
  readonly value: number
  called = false

  constructor(target: A, value = 42, heap?: Heap.Heap) {
    super(target, heap)
    this.value = value
  }

  override deref() {
    this.called = true
    return super.deref()
  }
}

export const SubclassableWeakrefTestCase: Table<"SubclassableWeakrefTestCase"> = {
  test_subclass_refs: onBothHeaps((world) =>
    Effect.gen(function*() {
      const heap = yield* Heap.Heap
      const ref = yield* world.sync("foo", (foo) => new MyRef(foo, 24, heap))
      assert.isTrue(yield* world.sync("foo", (foo) => Option.getOrThrow(WeakRef.deref(ref)) === foo))
      assert.isTrue(ref.called)
      assert.strictEqual(ref.value, 24)
      ref.called = false
      yield* world.die("foo")
      assert.deepStrictEqual(WeakRef.deref(ref), Option.none())
      assert.isTrue(ref.called)
    })
  ),

  test_subclass_refs_dont_replace_standard_refs: effect(() =>
    Effect.gen(function*() {
      const target = new Obj({ arg: 42 })
      const first = new MyRef(target)
      const standard = yield* WeakRef.make(target)
      assert.notStrictEqual<unknown>(first, standard)
      assert.isTrue((yield* WeakRef.all(target))[0] === standard)
      assert.strictEqual(yield* WeakRef.count(target), 2)
      const second = new MyRef(target)
      assert.strictEqual(yield* WeakRef.count(target), 3)
      assert.strictEqual(yield* WeakRef.make(target), standard)
      const all = yield* WeakRef.all(target)
      assert.deepStrictEqual(all.map((ref) => [standard, first, second].indexOf(ref as typeof standard)), [0, 1, 2])
    })
  ),

  test_subclass_refs_dont_conflate_callbacks: onBothHeaps((world) =>
    Effect.gen(function*() {
      const { lines, says } = log()
      const heap = yield* Heap.Heap
      const first = yield* world.sync("a", (a) => new MyRef(a, 1, heap))
      const second = yield* world.sync("a", (a) => new MyRef(a, 2, heap))
      assert.notStrictEqual(first, second)
      yield* WeakRef.onCollect(first, ({ value }) => says(`id ${value}`))
      yield* WeakRef.onCollect(second, ({ value }) => says(`str ${value}`))
      assert.strictEqual(yield* world.with("a", WeakRef.count), 2)
      yield* world.die("a")
      assert.deepStrictEqual(lines, ["str 2", "id 1"])
    })
  ),

  test_subclass_refs_with_slots: cannot("JavaScript has no `__slots__`"),

  test_subclass_refs_with_cycle: collectedWithItsCallbacks((called) => {
    class Cyclic extends WeakRef.Class<Plain> {
      readonly holds: Array<object> = []
    }
    const target = new Plain()
    const first = new Cyclic(target)
    const second = new Cyclic(target)
    first.holds.push(second)
    second.holds.push(target)
    return {
      refs: [WeakRef.makeUnsafe(target), WeakRef.makeUnsafe(first), WeakRef.makeUnsafe(second)],
      register: Effect.all([WeakRef.onCollect(first, () => called), WeakRef.onCollect(second, () => called)])
    }
  })
}
