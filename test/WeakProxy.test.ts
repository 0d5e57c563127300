import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Equal, Hash, Option, pipe } from "effect"
import { format } from "effect/Formatter"
import { symbolRedactable } from "effect/Redactable"
import { inspect } from "node:util"
import { vi } from "vitest"
import { Heap, WeakError, WeakProxy, WeakRef } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { testDual } from "./support/dual.ts"
import { hasMessageInStack, isNode, skip } from "./support/host.ts"
import { collectThoroughly, collectUntil } from "./support/realHeap.ts"
import { kinds, missingKinds, Private } from "./support/referents.ts"
import { reportsOf } from "./support/reports.ts"
import { onBothHeaps } from "./support/worlds.ts"

/** Creates a proxy on a test heap, and a function that collects the referent. */
const onTestHeap = <A extends object>(referent: A) => {
  const { collect, heap } = TestHeap.makeUnsafe()
  return {
    proxy: WeakProxy.makeUnsafe(referent, heap),
    die: () => collect(referent)
  }
}

const dead = <A extends object>(referent: A): WeakProxy.WeakProxy<A> => {
  const { die, proxy } = onTestHeap(referent)
  die()
  return proxy
}

/** Creates a referent that only this function sees. Returns its proxy and what `keep` returns. */
const forget = <A extends object, B>(
  make: () => A,
  keep: (proxy: A) => B
): { readonly kept: B; readonly probe: globalThis.WeakRef<A>; readonly proxy: WeakProxy.WeakProxy<A> } => {
  const referent = make()
  const proxy = WeakProxy.makeUnsafe(referent)
  return { kept: keep(proxy), probe: new globalThis.WeakRef(referent), proxy }
}

const errorOf = (f: () => unknown): WeakError.DeadReferenceError => {
  try {
    f()
  } catch (error) {
    assert.instanceOf(error, WeakError.DeadReferenceError)
    return error
  }
  return assert.fail("did not throw")
}

const throwsDead = (f: () => unknown) => assert.throws(f, WeakError.DeadReferenceError)

describe("the error of a dead proxy", () => {
  it("shows 80 characters of the name of a property", () => {
    const { collect, heap } = TestHeap.makeUnsafe()
    const target: Record<string, unknown> = {}
    const proxy = WeakProxy.makeUnsafe(target, heap)
    collect(target)
    const name = "x".repeat(80)
    assert.throws(() => proxy[name], `"${name}"`)
    assert.throws(() => proxy[`${name}x`], `"${name}…"`)
  })
})

describe("WeakProxy", () => {
  describe("make", () => {
    onBothHeaps("forwards to its referent until the referent is collected", (world) =>
      Effect.gen(function*() {
        const proxy = yield* world.with("a", WeakProxy.make)
        assert.strictEqual(proxy.name, "a")
        yield* world.die("a")
        throwsDead(() => proxy.name)
      }))

    onBothHeaps("shares one proxy per referent", (world) =>
      Effect.gen(function*() {
        const first = yield* world.with("a", WeakProxy.make)
        const second = yield* world.with("a", WeakProxy.make)
        const other = yield* world.with("b", WeakProxy.make)
        assert.isTrue(first === second)
        assert.isFalse(first === other)
      }))

    it.effect("makes two proxies of one referent on two heaps", () =>
      Effect.gen(function*() {
        const target = { id: 1 }
        const ofTestHeap = yield* WeakProxy.make(target)
        const ofHost = WeakProxy.makeUnsafe(target)
        yield* TestHeap.collect(target)
        throwsDead(() => ofTestHeap.id)
        assert.strictEqual(ofHost.id, 1)
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("fails for every primitive, including symbols, and creates no proxy", () =>
      Effect.gen(function*() {
        const values = [undefined, null, 0, "text", true, 1n, Symbol.for("registered"), Symbol("mine")]
        for (const value of values as ReadonlyArray<unknown> as ReadonlyArray<object>) {
          const error = yield* Effect.flip(WeakProxy.make(value))
          assert.instanceOf(error, WeakError.NotWeakReferenceableError)
          assert.strictEqual(error.value, value)
          assert.throws(() => WeakProxy.makeUnsafe(value), WeakError.NotWeakReferenceableError)
          assert.strictEqual(yield* WeakRef.count(value), 0)
        }
      }))

    it.effect("fails with a specific message if the target is a revoked proxy, and creates no proxy", () =>
      Effect.gen(function*() {
        for (const target of [{}, [], () => {}]) {
          const { proxy, revoke } = Proxy.revocable<object>(target, {})
          revoke()
          for (const revoked of [proxy, new Proxy(proxy, {})]) {
            const error = yield* Effect.flip(WeakProxy.make(revoked))
            assert.instanceOf(error, WeakError.NotWeakReferenceableError)
            assert.isTrue(error.value === revoked)
            assert.include(error.message, "A revoked proxy cannot be the target of a weak proxy")
            if (hasMessageInStack) assert.include(error.stack, "A revoked proxy")
            assert.throws(() => WeakProxy.makeUnsafe(revoked), WeakError.NotWeakReferenceableError)
            assert.strictEqual(yield* WeakRef.count(revoked), 0)
          }
        }
      }))

    it("throws the error of its target if the target is revoked later", () => {
      const { proxy, revoke } = Proxy.revocable({ a: 1 }, {})
      const weak = WeakProxy.makeUnsafe(proxy)
      assert.strictEqual(weak.a, 1)
      revoke()
      assert.throws(() => weak.a, TypeError, /revoked/)
    })

    it.effect("is counted and listed once among the references of its referent", () =>
      Effect.gen(function*() {
        for (const target of [{}, [1, 2, 3], () => {}, new Set([1])]) {
          assert.strictEqual(yield* WeakRef.count(target), 0)
          const proxy = yield* WeakProxy.make(target)
          const ref = yield* WeakRef.make(target)
          const all = yield* WeakRef.all(target)
          assert.strictEqual(all.length, 2)
          assert.isTrue(all[0] === ref && all[1] === proxy)
        }
      }))

    it.effect("is held weakly by the library", () =>
      Effect.gen(function*() {
        const target = { id: 1 }
        const make = () => void WeakProxy.makeUnsafe(target).id
        make()
        for (let round = 0; round < 50 && (yield* WeakRef.count(target)) > 0; round++) yield* collectThoroughly
        assert.strictEqual(yield* WeakRef.count(target), 0)
      }))

    it("makes a proxy of a proxy, which is dead after the inner proxy has been collected", () => {
      const { collect, heap } = TestHeap.makeUnsafe()
      const target = new Private()
      const inner = WeakProxy.makeUnsafe(target, heap)
      const outer = WeakProxy.makeUnsafe(inner, heap)
      assert.isFalse(outer === inner)
      assert.isTrue(outer.increment() === outer)
      assert.strictEqual(target.count, 1)
      assert.isTrue(Option.getOrThrow(WeakProxy.deref(outer)) === inner)
      collect(inner)
      throwsDead(() => outer.count)
      assert.strictEqual(inner.count, 1)
    })
  })

  describe("isWeakProxy and isCallableWeakProxy", () => {
    it("recognize live and dead proxies", () => {
      for (const [kind, make] of Object.entries(kinds)) {
        const referent = make()
        const callable = typeof referent === "function"
        const { die, proxy } = onTestHeap(referent)
        for (const when of ["alive", "dead"]) {
          assert.isTrue(WeakProxy.isWeakProxy(proxy), `${kind}, ${when}`)
          assert.strictEqual(WeakProxy.isCallableWeakProxy(proxy), callable, `${kind}, ${when}`)
          die()
        }
        if (kind !== "weak proxy") assert.isFalse(WeakProxy.isWeakProxy(referent), kind)
      }
    })

    it("return false for values that resemble a proxy, and run no trap", () => {
      const proxy = WeakProxy.makeUnsafe(() => 1)
      const trapping = new Proxy(proxy, {
        get: (target, key) => Reflect.get(target, key),
        getPrototypeOf: () => assert.fail("a trap ran")
      })
      const chameleon: unknown = new Proxy(() => {}, { get: () => chameleon, has: () => true })
      const revoked = Proxy.revocable({}, {})
      revoked.revoke()
      const others = [
        new Proxy(proxy, {}),
        trapping,
        chameleon,
        revoked.proxy,
        Object.create(proxy),
        proxy.call,
        WeakProxy.makeUnsafe(new Map()).get,
        proxy.bind(null),
        null,
        undefined,
        "text",
        1,
        Symbol()
      ]
      for (const other of others) {
        assert.isFalse(WeakProxy.isWeakProxy(other))
        assert.isFalse(WeakProxy.isCallableWeakProxy(other))
      }
    })
  })

  describe("deref, use and equals", () => {
    onBothHeaps("return the referent, and fail after it has been collected", (world) =>
      Effect.gen(function*() {
        const proxy = yield* world.with("a", WeakProxy.make)
        assert.isTrue(
          yield* world.with("a", (a) =>
            WeakProxy.use(proxy, (used) =>
              Effect.succeed(used === a && Option.contains(WeakProxy.deref(proxy), a))))
        )
        yield* world.die("a")
        assert.isTrue(Option.isNone(WeakProxy.deref(proxy)))
        const error = yield* Effect.flip(WeakProxy.use(proxy, () =>
          Effect.die("called")))
        assert.instanceOf(error, WeakError.DeadReferenceError)
      }))

    it.effect("use holds the referent until the effect has ended", () =>
      Effect.gen(function*() {
        const { probe, proxy } = forget(() => ({ id: 1 }), () => undefined)
        const alive = yield* WeakProxy.use(
          proxy,
          () => Effect.map(collectThoroughly, () => probe.deref() !== undefined)
        )
        assert.isTrue(alive)
        assert.isTrue(yield* collectUntil(() => probe.deref() === undefined))
      }))

    it("equals compares referents, whichever argument is a proxy", () => {
      const { collect, heap } = TestHeap.makeUnsafe()
      const one = { id: 1 }
      const other = { id: 1 }
      const proxy = WeakProxy.makeUnsafe(one, heap)
      const that = WeakProxy.makeUnsafe(other, heap)
      assert.isTrue(WeakProxy.equals(proxy, that))
      assert.isTrue(WeakProxy.equals(proxy, other))
      assert.isTrue(WeakProxy.equals(other)(proxy))
      assert.isTrue(WeakProxy.equals(WeakProxy.makeUnsafe(proxy, heap), that))
      assert.isFalse(WeakProxy.equals(proxy, { id: 2 }))
      collect(one)
      assert.isFalse(WeakProxy.equals(proxy, that))
      assert.isFalse(WeakProxy.equals(that, proxy))
      assert.isFalse(WeakProxy.equals(WeakProxy.makeUnsafe(proxy, heap), that))
      assert.isTrue(WeakProxy.equals(proxy, proxy))
    })
  })

  describe("onCollect", () => {
    onBothHeaps(
      "runs among the callbacks of the referent, newest first, with the dead proxy",
      (world) =>
        Effect.gen(function*() {
          class Name extends Context.Service<Name, string>()("test/Name") {}
          const log: Array<string> = []
          const proxy = yield* world.with("a", WeakProxy.make)
          const ref = yield* world.with("a", WeakRef.make)
          yield* WeakProxy.onCollect(proxy, (dead) =>
            Effect.map(Name, (name) =>
              log.push(`${name}, ${dead === proxy}, ${Option.isNone(WeakProxy.deref(dead))}`)))
            .pipe(
              Effect.provideService(Name, "services of onCollect")
            )
          yield* WeakRef.onCollect(ref, () =>
            Effect.sync(() => log.push("ref")))
          yield* pipe(proxy, WeakProxy.onCollect(() => Effect.sync(() => log.push("last"))))
          yield* Effect.scoped(WeakProxy.onCollect(proxy, () => Effect.sync(() => log.push("unregistered"))))
          yield* world.die("a")
          assert.deepStrictEqual(log, ["last", "ref", "services of onCollect, true, true"])
          yield* WeakProxy.onCollect(proxy, () => Effect.sync(() => log.push("late")))
          yield* Effect.yieldNow
          assert.strictEqual(log[3], "late")
        })
    )

    it.effect("reports a callback that uses the dead proxy", () =>
      Effect.gen(function*() {
        const target = { id: 1 }
        const reports = yield* reportsOf(Effect.scoped(Effect.gen(function*() {
          const proxy = yield* WeakProxy.make(target)
          yield* WeakProxy.onCollect(proxy, (dead) => Effect.sync(() => dead.id))
          yield* TestHeap.collectAndFinalize(target)
        })))
        assert.strictEqual(reports.length, 1)
        assert.include(reports[0], "DeadReferenceError")
      }).pipe(Effect.provide(TestHeap.layer)))
  })

  describe("methods", () => {
    it("run on the referent", () => {
      const referent = new Private()
      const proxy = WeakProxy.makeUnsafe(referent)
      proxy.increment(2)
      proxy.count += 3
      assert.strictEqual(proxy.count, 5)
      const { increment } = proxy
      assert.isTrue(increment.call(proxy) === proxy)
      assert.isTrue(increment.bind(proxy)() === proxy)
      assert.isTrue(Reflect.apply(increment, referent, []) === proxy)
      assert.strictEqual(referent.count, 8)
    })

    it("run on another receiver if they are called on it", () => {
      const proxy = WeakProxy.makeUnsafe(new Private())
      const other = new Private()
      assert.isTrue(proxy.increment.call(other) === other)
      assert.strictEqual(other.count, 1)
      assert.throws(() => proxy.increment.call({} as Private), TypeError)
      assert.throws(() => Object.create(proxy).increment(), TypeError)
    })

    it("are the same function each time, even if they are read through an inheriting object", () => {
      const proxy = WeakProxy.makeUnsafe(new Private())
      assert.isTrue(proxy.increment === proxy.increment)
      assert.isTrue(proxy.increment === Object.create(proxy).increment)
      assert.isFalse(proxy.increment === WeakProxy.makeUnsafe(new Private()).increment)
      assert.strictEqual(proxy.increment.name, "increment")
      assert.strictEqual(proxy.increment.length, 0)
      assert.isTrue(proxy.constructor === Private)
    })

    it("that a getter creates are new each time, and stay alive while somebody holds their stand-ins", async () => {
      let made = 0
      const referent = {
        get fresh() {
          const id = ++made
          return () => id
        }
      }
      const proxy = WeakProxy.makeUnsafe(referent)
      const first = proxy.fresh
      assert.isFalse(first === proxy.fresh)
      await Effect.runPromise(collectThoroughly)
      assert.strictEqual(first(), 1)
      assert.isTrue(referent !== undefined)
    })

    it("stay callable after the property was overwritten, and throw after the referent was collected", () => {
      const { die, proxy } = onTestHeap({ method: (): number => 1 })
      const { method } = proxy
      proxy.method = () => 2
      assert.deepStrictEqual([method(), proxy.method()], [1, 2])
      die()
      throwsDead(() => method())
      throwsDead(() => method.name)
    })

    it("are stored as the original functions if they are assigned through the proxy", () => {
      const method = () => 1
      const referent: { method: () => number; other?: () => number; get computed(): unknown } = {
        method,
        get computed() {
          return 1
        }
      }
      const proxy = WeakProxy.makeUnsafe(referent)
      proxy.other = proxy.method
      assert.isTrue(referent.other === method)
      const descriptor = Object.getOwnPropertyDescriptor(proxy, "computed")!
      assert.strictEqual(descriptor.get!.call(proxy), 1)
      Object.defineProperty(proxy, "computed", descriptor)
      assert.isTrue(Object.getOwnPropertyDescriptor(referent, "computed")!.get !== descriptor.get)
      Object.defineProperty(proxy, "other", { value: proxy.method })
      assert.isTrue(referent.other === method)
    })

    it("of other proxies are stored unchanged, and a callable proxy in a property is read unchanged", () => {
      const other = WeakProxy.makeUnsafe(new Private())
      const child = WeakProxy.makeUnsafe(() => 1)
      const referent: Record<string, unknown> = {}
      const proxy = WeakProxy.makeUnsafe(referent)
      proxy.method = other.increment
      proxy.child = child
      assert.isTrue(referent.method === other.increment && proxy.method === proxy.method)
      assert.isTrue(proxy.child === child && WeakProxy.isWeakProxy(proxy.child))
    })

    it("that are classes construct instances, can be extended, and recognize their instances", () => {
      const referent = { Private, Map, text: () => "" }
      const proxy = WeakProxy.makeUnsafe(referent)
      const made = new proxy.Private()
      assert.instanceOf(made, Private)
      assert.isTrue(made instanceof proxy.Private)
      assert.isTrue(proxy.Private.is(made))
      const Extended = class Extended extends proxy.Map<string, number> {}
      assert.strictEqual(new Extended([["a", 1]]).get("a"), 1)
      assert.instanceOf(new Extended(), Map)
      assert.throws(() => Reflect.construct(proxy.text, []), TypeError)
      assert.throws(() => Reflect.construct(Private, [], proxy.text), TypeError)
    })

    it("that the language calls run on the referent", async () => {
      const log: Array<string> = []
      class Resource {
        #open = true
        // oxlint-disable-next-line unicorn/no-thenable -- Awaiting it is the test.
        then(resolve: (value: unknown) => void) {
          resolve(this.#open)
        }
        [Symbol.dispose]() {
          this.#open = false
          log.push("disposed")
        }
        *[Symbol.iterator]() {
          yield this.#open
        }
        async *[Symbol.asyncIterator]() {
          yield this.#open
        }
        [Symbol.toPrimitive](hint: string) {
          return this.#open ? hint : ""
        }
      }
      const referent = new Resource()
      const proxy = WeakProxy.makeUnsafe(referent)
      assert.deepStrictEqual([...proxy], [true])
      for await (const open of proxy) assert.isTrue(open)
      assert.strictEqual(`${proxy}`, "string")
      assert.strictEqual(await proxy, true)
      {
        using resource = proxy
        assert.isTrue(resource === proxy)
      }
      assert.deepStrictEqual(log, ["disposed"])
    })

    it("of generators, promises and effects work", async () => {
      const generator = (function*(): Generator<number, string, number> {
        const received = yield 1
        return `received ${received}`
      })()
      const ofGenerator = WeakProxy.makeUnsafe(generator)
      assert.isTrue(ofGenerator[Symbol.iterator]() === ofGenerator)
      assert.deepStrictEqual(ofGenerator.next(), { done: false, value: 1 })
      assert.deepStrictEqual(ofGenerator.next(2), { done: true, value: "received 2" })

      const promise = Promise.resolve(1)
      assert.strictEqual(await WeakProxy.makeUnsafe(promise).then((n) => n + 1), 2)

      const effect = Effect.gen(function*() {
        yield* Effect.yieldNow
        return 1
      })
      const proxy = WeakProxy.makeUnsafe(effect)
      assert.strictEqual(await Effect.runPromise(Effect.flatMap(proxy, (n) => Effect.map(proxy, (m) => n + m))), 2)
    })
  })

  describe("the referent", () => {
    it("becomes the proxy when it is read or returned", () => {
      const referent: { self?: object; me(): object } = {
        me() {
          return this
        }
      }
      referent.self = referent
      const proxy = WeakProxy.makeUnsafe(referent)
      assert.isTrue(proxy.self === proxy)
      assert.isTrue(proxy.me() === proxy)
      assert.isTrue(proxy.valueOf() === proxy)
      assert.isTrue(Object.getOwnPropertyDescriptor(proxy, "self")!.value === proxy)
      assert.isTrue(Object.values(proxy)[1] === proxy)
      const map = WeakProxy.makeUnsafe(new Map<string, number>())
      assert.isTrue(map.set("a", 1).set("b", 2) === map)
      const chain: () => unknown = () => chain
      const ofChain = WeakProxy.makeUnsafe(chain)
      assert.isTrue(ofChain() === ofChain)
      assert.isFalse(WeakProxy.makeUnsafe({ chain }).chain() === chain)
      const Singleton = function() {
        return Singleton
      } as unknown as new() => unknown
      const ofSingleton = WeakProxy.makeUnsafe(Singleton)
      assert.isTrue(new ofSingleton() === ofSingleton)
    })

    it("is stored when the proxy is assigned", () => {
      const referent: Record<string, unknown> = {}
      const proxy = WeakProxy.makeUnsafe(referent)
      proxy.self = proxy
      Object.defineProperty(proxy, "defined", { value: proxy })
      assert.isTrue(referent.self === referent && referent.defined === referent)
      assert.isFalse(Reflect.setPrototypeOf(proxy, proxy))
      const isItself = function(this: unknown) {
        return this === isItself
      }
      const ofFunction = WeakProxy.makeUnsafe(isItself)
      assert.isTrue(ofFunction.call(ofFunction))
      const child = Object.create(proxy)
      child.parent = proxy
      assert.isTrue(child.parent === proxy)
      assert.isTrue(Object.hasOwn(child, "parent"))
    })
  })

  describe("dead", () => {
    const operations: Readonly<Record<string, (x: any) => unknown>> = {
      "Reflect.apply": (x) => Reflect.apply(x, undefined, []),
      "Reflect.construct": (x) => Reflect.construct(x, []),
      "Reflect.construct as the new.target": (x) => Reflect.construct(Object, [], x),
      "Reflect.defineProperty": (x) => Reflect.defineProperty(x, "a", { value: 1 }),
      "Reflect.deleteProperty": (x) => Reflect.deleteProperty(x, "a"),
      "Reflect.get": (x) => Reflect.get(x, "a"),
      "Reflect.getOwnPropertyDescriptor": (x) => Reflect.getOwnPropertyDescriptor(x, "a"),
      "Reflect.getPrototypeOf": (x) => Reflect.getPrototypeOf(x),
      "Reflect.has": (x) => Reflect.has(x, "a"),
      "Reflect.isExtensible": (x) => Reflect.isExtensible(x),
      "Reflect.ownKeys": (x) => Reflect.ownKeys(x),
      "Reflect.preventExtensions": (x) => Reflect.preventExtensions(x),
      "Reflect.set": (x) => Reflect.set(x, "a", 1),
      "Reflect.setPrototypeOf": (x) => Reflect.setPrototypeOf(x, null),
      ".": (x) => x.a,
      "?.": (x) => x?.a,
      "[]": (x) => x[0],
      "=": (x) => (x.a = 1),
      "+=": (x) => (x.a += 1),
      delete: (x) => delete x.a,
      in: (x) => "a" in x,
      instanceof: (x) => x instanceof Object,
      "instanceof it": (x) => ({}) instanceof x,
      "for in": (x) => {
        for (const _ in x) assert.fail()
      },
      "for of": (x) => {
        for (const _ of x) assert.fail()
      },
      "...": (x) => ({ ...x }),
      "[...]": (x) => [...x],
      destructuring: ({ a }) => a,
      calling: (x) => x(),
      new: (x) => new x(),
      extends: (x) => class extends x {},
      "+": (x) => x + "",
      "==": (x) => x == "a",
      "<": (x) => x < 1,
      "unary -": (x) => -x,
      "template literal": (x) => `${x}`,
      String: (x) => String(x),
      "JSON.parse": (x) => JSON.parse(x),
      "Object.keys": (x) => Object.keys(x),
      "Object.freeze": (x) => Object.freeze(x),
      "Object.assign": (x) => Object.assign({}, x),
      "inheriting from it": (x) => Object.create(x).a,
      "Array.prototype.slice": (x) => Array.prototype.slice.call(x),
      "Hash.hash": (x) => Hash.hash(x),
      "Hash.symbol": (x) => x[Hash.symbol],
      "Equal.equals": (x) => Equal.equals(x, typeof x === "function" ? () => {} : {}),
      pipe: (x) => x.pipe()
    }
    const onlyOfCallables = /construct|instanceof it|apply|calling|new|extends/

    it.each(Object.keys(kinds))("%s: every operation throws DeadReferenceError", (kind) => {
      for (const [operation, f] of Object.entries(operations)) {
        const proxy = dead(kinds[kind]!())
        if (typeof proxy !== "function" && onlyOfCallables.test(operation)) continue
        // An engine checks whether the proxy is a constructor before it calls a trap.
        if (/construct|new|extends/.test(operation) && !/class|^(frozen )?function$/.test(kind)) continue
        assert.throws(() => f(proxy), WeakError.DeadReferenceError, undefined, operation)
      }
    })

    it.for(missingKinds)(
      "%s: skipped if the engine does not have it",
      (kind) => skip(`the engine has no ${kind}`)
    )

    it.each<[operation: string, property: PropertyKey | undefined, message: string]>([
      [".", "a", `Cannot read property "a" of`],
      ["[]", "0", `Cannot read property "0" of`],
      ["=", "a", `Cannot write property "a" of`],
      ["delete", "a", `Cannot delete property "a" of`],
      ["in", "a", `Cannot look up property "a" of`],
      ["Reflect.getOwnPropertyDescriptor", "a", `Cannot read the descriptor of property "a" of`],
      ["Reflect.defineProperty", "a", `Cannot define property "a" of`],
      ["Hash.symbol", Hash.symbol, `Cannot read property "${String(Hash.symbol)}" of`],
      ["Object.keys", undefined, "Cannot list the properties of"],
      ["Reflect.getPrototypeOf", undefined, "Cannot read the prototype of"],
      ["Reflect.setPrototypeOf", undefined, "Cannot set the prototype of"],
      ["Reflect.isExtensible", undefined, "Cannot read the extensibility of"],
      ["Reflect.preventExtensions", undefined, "Cannot prevent extensions of"],
      ["calling", undefined, "Cannot call"],
      ["new", undefined, "Cannot construct an instance of"]
    ])("the error of %s names the operation, the property and the kind of referent", (name, property, message) => {
      for (const [kind, referent] of Object.entries({ object: {}, array: [1], function: function f() {} })) {
        if (onlyOfCallables.test(name) && kind !== "function") continue
        const error = errorOf(() => operations[name]!(dead<object>(referent)))
        assert.include(error.message, `${message} a weak proxy: the ${kind} that it refers to has been collected`)
        if (hasMessageInStack) assert.include(error.stack, message)
        const { kind: type, property: named } = error as { readonly kind?: string; readonly property?: PropertyKey }
        assert.deepStrictEqual([type, named], ["WeakProxy", property])
      }
    })

    it.effect("the error of use names the kind of referent", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(WeakProxy.use(dead([1]), () => Effect.void))
        assert.include(error.message, "Cannot use the referent of a weak proxy: the array that it refers to")
      }))

    it("the error of a function that was read names the function", () => {
      const { die, proxy } = onTestHeap({ method: () => 1, ["x".repeat(5_000_000)]: () => 1 })
      const { method } = proxy
      const long = proxy["x".repeat(5_000_000)]!
      die()
      assert.include(
        errorOf(method).message,
        `Cannot call the function "method" of a weak proxy: the object that it refers to`
      )
      assert.include(
        errorOf(() => method.name).message,
        `Cannot read property "name" of "method" of a weak proxy: the function that it refers to`
      )
      assert.isBelow(errorOf(long).message.length, 300)
    })

    it("typeof, Array.isArray and === return the same results as before", () => {
      assert.strictEqual(typeof dead(() => {}), "function")
      assert.strictEqual(typeof dead({}), "object")
      assert.isTrue(Array.isArray(dead([])))
      const proxy = dead({})
      assert.isTrue(proxy === proxy && Boolean(proxy))
    })

    it("is printed as collected", () => {
      if (!isNode) return skip("compares with the words of Node's printer")
      for (const make of Object.values(kinds)) {
        const proxy = dead(make())
        assert.strictEqual(inspect(proxy), "[WeakProxy: collected]")
        assert.strictEqual(inspect([{ proxy }]), "[ { proxy: [WeakProxy: collected] } ]")
        assert.strictEqual(inspect(proxy, { showProxy: true }), "Proxy [ [shell], [ReferentTraps] ]")
        if (!Array.isArray(proxy)) {
          assert.strictEqual(Object.prototype.toString.call(proxy), "[object WeakProxy: collected]")
        }
      }
    })

    it("can be printed as part of an error", () => {
      for (const [kind, make] of Object.entries(kinds)) {
        const proxy = dead(make())
        assert.include(inspect(new Error("outer", { cause: proxy })), "[cause]: [WeakProxy: collected]", kind)
        assert.include(inspect(new AggregateError([proxy])), "[errors]: [ [WeakProxy: collected] ]", kind)
        assert.include(inspect(Object.assign(new Error("outer"), { proxy })), "proxy: [WeakProxy: collected]", kind)
        throwsDead(() => proxy instanceof Error)
      }
    })

    it("throws for instanceof even if the program changes or removes stacks", () => {
      const { prepareStackTrace, stackTraceLimit } = Error
      try {
        for (const prepare of [() => [], () => undefined]) {
          Error.prepareStackTrace = prepare
          throwsDead(() => dead({}) instanceof Error)
        }
        Error.prepareStackTrace = prepareStackTrace
        Error.stackTraceLimit = 0
        throwsDead(() => dead({}) instanceof Error)
        assert.strictEqual(Error.stackTraceLimit, 0)
        Error.stackTraceLimit = 7
        throwsDead(() => dead({}) instanceof Error)
        assert.strictEqual(Error.stackTraceLimit, 7)
      } finally {
        Object.assign(Error, { prepareStackTrace, stackTraceLimit })
      }
    })

    it("throws for instanceof even if the program has made the limit of stacks read-only", () => {
      const descriptor = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")
      const proxy = dead({})
      Object.defineProperty(Error, "stackTraceLimit", { value: 5, writable: false, configurable: true })
      try {
        throwsDead(() => proxy instanceof Error)
      } finally {
        if (descriptor === undefined) Reflect.deleteProperty(Error, "stackTraceLimit")
        else Object.defineProperty(Error, "stackTraceLimit", descriptor)
      }
    })

    it("rejects if it is awaited", async () => {
      const proxy = dead({})
      const error = await Promise.resolve(proxy).catch((error) => error)
      assert.instanceOf(error, WeakError.DeadReferenceError)
    })

    it("makes the functions that were read from it throw", () => {
      const { die, proxy } = onTestHeap(new Map([["a", 1]]))
      const { get } = proxy
      const bound = proxy.get.bind(proxy)
      const { call } = proxy.get
      const { toString } = proxy.get
      assert.strictEqual(bound("a"), 1)
      die()
      throwsDead(() => get.call(new Map(), "a"))
      throwsDead(() => bound("a"))
      throwsDead(() => call.call(get, new Map(), "a"))
      throwsDead(() => toString.call(get))
      assert.strictEqual(inspect(get), "[WeakProxy: collected]")
    })
  })

  describe("alive, printed", () => {
    it("is printed as its referent", () => {
      if (!isNode) return skip("compares with the words of Node's printer")
      for (const [kind, make] of Object.entries(kinds)) {
        const referent = make()
        const proxy = WeakProxy.makeUnsafe(referent)
        for (const options of [{}, { depth: 0 }, { showHidden: true }, { compact: false, colors: true }]) {
          assert.strictEqual(inspect(proxy, options), inspect(referent, options), kind)
          assert.strictEqual(inspect({ in: [proxy] }, options), inspect({ in: [referent] }, options), kind)
        }
        assert.strictEqual(inspect(proxy, { showProxy: true }), "Proxy [ [shell], [ReferentTraps] ]")
      }
    })

    it("is printed as its referent by a printer that calls the shell's method on the shell, like Bun's console", () => {
      if (!isNode) return skip("compares with the words of Node's printer")
      const asBun = (proxy: object): string => {
        let reads = 0
        return inspect(proxy, {
          "makes Node pass these options on": true,
          // Node reads this option twice: once itself, and once for the shell's method.
          get showProxy() {
            return reads++ === 0
          }
        } as object)
      }
      assert.include(asBun(WeakProxy.makeUnsafe({ a: 1 })), "Proxy [ { a: 1 },")
      assert.include(asBun(WeakProxy.makeUnsafe([1, 2])), "Proxy [ [ 1, 2 ],")
      assert.include(asBun(WeakProxy.makeUnsafe(function f() {})), "Proxy [ [Function: f],")
      assert.include(asBun(dead({ a: 1 })), "Proxy [ [WeakProxy: collected],")
    })

    it("prints circular references and methods", () => {
      const referent: Record<string, unknown> = { method() {} }
      const proxy = WeakProxy.makeUnsafe(referent)
      referent.proxy = proxy
      assert.strictEqual(inspect(proxy), "<ref *1> { method: [Function: method], proxy: [Circular *1] }")
      assert.strictEqual(inspect(proxy.method), "[Function: method]")
      assert.strictEqual(format(WeakProxy.makeUnsafe({ a: 1 })), `{"a":1}`)
    })
  })

  describe("in one turn", () => {
    it("throws immediately after a heap collects the referent within the turn", () => {
      const log: Array<string> = []
      const { die, proxy } = onTestHeap({
        plain: 1,
        get read() {
          log.push("read")
          return 1
        },
        method(..._: ReadonlyArray<unknown>) {
          log.push("method")
          return proxy.plain
        }
      })
      const { method } = proxy
      assert.deepStrictEqual([proxy.plain, proxy.read, proxy.method(), method()], [1, 1, 1, 1])
      assert.deepStrictEqual(log.splice(0), ["read", "method", "method"])
      // The referent is collected after the method was read, and before the method is called.
      throwsDead(() => proxy.method(die()))
      throwsDead(() => method())
      throwsDead(() => proxy.read)
      throwsDead(() => proxy.plain)
      assert.deepStrictEqual(log, [])
    })

    it("a new proxy of a collected target does not revive the earlier proxy", () => {
      const target = { id: 1, method: () => 2 }
      const { collect, heap } = TestHeap.makeUnsafe()
      const earlier = WeakProxy.makeUnsafe(target, heap)
      const { method } = earlier
      assert.strictEqual(earlier.id, 1)
      collect(target)
      const later = WeakProxy.makeUnsafe(target, heap)
      assert.deepStrictEqual([later.id, later.method()], [1, 2])
      throwsDead(() => earlier.id)
      throwsDead(() => method())
      assert.deepStrictEqual([later.id, later.method()], [1, 2])
    })

    it("dereferences once for several operations in one turn, and once more in the next turn", async () => {
      let dereferenced = 0
      const heap = {
        ...Heap.Heap.defaultValue(),
        WeakRef: class<A extends WeakKey> extends globalThis.WeakRef<A> {
          override deref(): A | undefined {
            dereferenced++
            return super.deref()
          }
        }
      }
      const proxy = WeakProxy.makeUnsafe(new Private(), heap)
      const held = Option.getOrThrow(WeakProxy.deref(proxy))
      dereferenced = 0
      proxy.increment()
      proxy.increment(proxy.count)
      proxy.count += 1
      assert.strictEqual(dereferenced, 1)
      await new Promise((resolve) => setTimeout(resolve, 0))
      proxy.increment()
      assert.strictEqual(dereferenced, 2)
      assert.strictEqual(held.count, 4)
    })

    it("uses different stand-ins for the same function of two objects", () => {
      const shared = function(this: unknown) {
        return this
      }
      const owner = Object.assign(() => {}, { shared })
      const proxy = WeakProxy.makeUnsafe({ owner, shared })
      const ofOwner = proxy.owner
      assert.isFalse(proxy.shared === ofOwner.shared as unknown)
      assert.isTrue(ofOwner.shared() === ofOwner)
      assert.isTrue(proxy.shared() === proxy)
    })

    it("uses different stand-ins even if a getter reads the other object before it returns the function", () => {
      const shared = function(this: unknown) {
        return this
      }
      const other = WeakProxy.makeUnsafe({ id: 1, shared })
      const proxy = WeakProxy.makeUnsafe({
        get shared() {
          return other.id === 1 ? shared : undefined!
        }
      })
      const own = proxy.shared
      assert.isFalse(other.shared === own)
      assert.isTrue(other.shared() === other)
      assert.isTrue(own.call(proxy) === proxy)
    })

    it("calls a method on its own target even if another proxy is used before the call", () => {
      const one = WeakProxy.makeUnsafe(new Private())
      const other = WeakProxy.makeUnsafe(new Private())
      const held = [WeakProxy.deref(one), WeakProxy.deref(other)]
      one.increment(other.increment(one.increment(1).count + 1).count)
      assert.deepStrictEqual([one.count, other.count, held.length], [3, 2, 2])
    })
  })

  describe("in a program that changes globals", () => {
    it("works with replaced promises, microtasks and timers, and releases the referent", async () => {
      // Vitest's pages use these globals.
      if (!isNode) return skip("replaces the globals that vitest uses")
      let held: object | undefined
      const { proxy, probe } = forget(() => {
        const referent = { id: 1, method: () => 2 }
        held = referent
        return referent
      }, () => undefined)
      await new Promise((resolve) => setTimeout(resolve, 0))
      const fail = () => assert.fail("a replaced global was used")
      const spies = [
        vi.spyOn(Promise, "resolve").mockImplementation(fail),
        vi.spyOn(Promise.prototype, "then").mockImplementation(fail),
        vi.spyOn(globalThis, "queueMicrotask").mockImplementation(fail),
        vi.spyOn(globalThis, "setTimeout").mockImplementation(fail),
        vi.spyOn(globalThis, "setImmediate").mockImplementation(fail),
        vi.spyOn(process, "nextTick").mockImplementation(fail)
      ]
      try {
        assert.deepStrictEqual([proxy.id, proxy.method(), held !== undefined], [1, 2, true])
      } finally {
        for (const spy of spies) spy.mockRestore()
      }
      held = undefined
      assert.isTrue(await Effect.runPromise(collectUntil(() => probe.deref() === undefined)))
    })

    it.each([
      "length",
      "name",
      "prototype",
      "0",
      "value",
      "get",
      "set",
      "writable",
      "configurable",
      "enumerable",
      "construct",
      "apply",
      inspect.custom
    ])("works with an accessor %s on Object.prototype", (key) => {
      const fail = () => {
        throw new Error(`${String(key)} of Object.prototype was used`)
      }
      const script = () => {
        const referents = [{ a: 1, m: () => 1 }, [1, 2], () => 1, Private, new Map([[1, 2]]), new Private()]
        return referents.map((referent) => {
          const proxy = WeakProxy.makeUnsafe<object>(referent) as Record<PropertyKey, any>
          proxy.fresh = 1
          return [
            Object.keys(proxy),
            "fresh" in proxy,
            proxy.fresh,
            Reflect.defineProperty(proxy, "fresh", Object.assign(Object.create(null), { value: 2 })),
            proxy.fresh,
            delete proxy.fresh,
            proxy.toString(),
            referent === Private && new (proxy as any)() instanceof Private
          ]
        })
      }
      const expected = script()
      const prototype: any = Object.prototype
      Object.defineProperty(prototype, key, { get: fail, set: fail, configurable: true })
      let actual: unknown
      try {
        actual = script()
      } finally {
        delete prototype[key]
      }
      assert.deepStrictEqual(actual, expected)
    })
  })

  describe("weakness, on the real heap", () => {
    const collects = <A extends object, B>(make: () => A, keep: (proxy: A) => B) =>
      Effect.gen(function*() {
        const { kept, probe, proxy } = forget(make, keep)
        assert.isTrue(yield* collectUntil(() => probe.deref() === undefined))
        throwsDead(() => Reflect.ownKeys(proxy))
        return kept
      })

    /** Reads every property, and keeps the functions. */
    const methodsOf = (proxy: object): Array<unknown> => {
      const kept: Array<unknown> = []
      for (let o: object | null = proxy; o !== null; o = Reflect.getPrototypeOf(o)) {
        for (const key of Reflect.ownKeys(o)) {
          if (/caller|callee|arguments|constructor/.test(String(key))) continue
          try {
            const value = Reflect.get(proxy, key)
            if (typeof value === "function") kept.push(value, value.bind(proxy), value.name)
          } catch {
            // Some accessors throw unless they are called on an instance.
          }
        }
      }
      return kept
    }

    it.effect.each(Object.keys(kinds))(
      "%s: the proxy and its methods do not keep the referent alive",
      (kind) => Effect.asVoid(collects(kinds[kind]!, (proxy) => [proxy, methodsOf(proxy)]))
    )

    it.effect("a method that captures its object does not keep it alive", () =>
      Effect.gen(function*() {
        const kept = yield* collects(() => {
          const self = { big: new Array(1000).fill(0), me: () => self }
          return Object.freeze(self)
        }, (proxy) => [proxy.me, proxy.me.bind(proxy), Object.getOwnPropertyDescriptors(proxy), { ...proxy }.me])
        throwsDead(() => (kept[0] as () => unknown)())
        throwsDead(() => (kept[3] as () => unknown)())
      }))

    it.effect("an accessor that captures its object does not keep it alive", () =>
      collects(() => {
        const self: object = Object.defineProperty({}, "me", { get: () => self, configurable: true })
        return self
      }, (proxy) => [Reflect.getOwnPropertyDescriptor(proxy, "me"), Reflect.get(proxy, "me")]))

    it.effect("a function that a getter creates does not keep the object that it captures alive", () =>
      collects(() => {
        const self = {
          get me() {
            return () => self
          }
        }
        return self
      }, (proxy) => [proxy.me, proxy.me(), proxy.me.toString]))

    it.effect("a proxy that was read from a property, or returned by a method, does not keep the referent alive", () =>
      collects(
        () => {
          const self: Record<string, unknown> = {}
          self.self = self
          return Object.assign(self, { chain: () => self })
        },
        (proxy) => [proxy.self, proxy.chain(), Object.values(proxy), Object.entries(proxy), proxy.valueOf()]
      ))

    it.effect("a subclass of a class that was read from a proxy does not keep the referent alive", () =>
      collects(() => ({ Base: Private }), (proxy) => [class extends proxy.Base {}]))

    it.effect("a WeakMap entry of the proxy, a failed hash and a comparison do not keep the referent alive", () =>
      collects(() => ({ a: 1 }), (proxy) => {
        assert.throws(() => Hash.hash(proxy), WeakError.UnhashableError)
        assert.throws(() => Equal.equals(proxy, {}), WeakError.UnhashableError)
        assert.isTrue(WeakProxy.equals(WeakProxy.makeUnsafe(proxy), { a: 1 }))
        return new WeakMap([[proxy, proxy]])
      }))

    it.effect("a stand-in keeps its function alive as long as the object is alive", () =>
      Effect.gen(function*() {
        const object: { method?: () => number } = {}
        const setUp = () => {
          const method = () => 1
          object.method = method
          const kept = WeakProxy.makeUnsafe(object).method
          delete object.method
          return { kept, probe: new globalThis.WeakRef(method) }
        }
        const { kept, probe } = setUp()
        yield* collectThoroughly
        assert.isDefined(probe.deref())
        assert.strictEqual(kept!(), 1)
        assert.isTrue(object !== undefined)
      }))

    it.effect("a function is collected while its object is alive if nobody holds its stand-in", () =>
      Effect.gen(function*() {
        const object: { method?: (() => number) | undefined } = {}
        const proxy = WeakProxy.makeUnsafe(object)
        const setUp = () => {
          const method = () => 1
          object.method = method
          assert.strictEqual(proxy.method!(), 1)
          object.method = undefined
          return new globalThis.WeakRef(method)
        }
        const probe = setUp()
        assert.isTrue(yield* collectUntil(() => probe.deref() === undefined))
        assert.isTrue(object !== undefined && proxy !== undefined)
      }))
  })

  it("deref, use and onCollect throw a TypeError for a value that is not a weak proxy", () => {
    const notProxy = { id: 1 } as unknown as WeakProxy.WeakProxy<{ id: number }>
    const expected = /Expected a WeakProxy/
    assert.throws(() => WeakProxy.deref(notProxy), TypeError, expected)
    assert.throws(() => Effect.runSync(WeakProxy.use(notProxy, () => Effect.void)), TypeError, expected)
    assert.throws(() => WeakProxy.onCollect(notProxy, () => Effect.void), TypeError, expected)
  })

  it("two copies of the module do not recognize each other's proxies", async () => {
    vi.resetModules()
    const copy = await import("../src/WeakProxy.ts")
    assert.isFalse(copy.makeUnsafe === WeakProxy.makeUnsafe)
    const target = new Private()
    const ours = WeakProxy.makeUnsafe(target)
    const theirs = copy.makeUnsafe(target)
    assert.deepStrictEqual([WeakProxy.isWeakProxy(ours), copy.isWeakProxy(ours)], [true, false])
    assert.deepStrictEqual([WeakProxy.isWeakProxy(theirs), copy.isWeakProxy(theirs)], [false, true])
    // To the other copy, a proxy is an object like any other.
    const ofTheirs = WeakProxy.makeUnsafe(theirs)
    assert.strictEqual(ofTheirs.increment().count, 1)
    assert.isTrue(Option.getOrThrow(WeakProxy.deref(ofTheirs)) === theirs)
    assert.isTrue(WeakProxy.equals(ours, target))
  })
})

describe("a function that is read from a proxy", () => {
  it("is called on the live referent in a later turn", async () => {
    const target = { n: 1, method: (m: number) => target.n + m, self: () => target }
    const proxy = WeakProxy.makeUnsafe(target)
    const { method, self } = proxy
    await new Promise((resolve) => setTimeout(resolve, 0))
    assert.strictEqual(method(1), 2)
    const other = WeakProxy.makeUnsafe({ n: 5 })
    assert.strictEqual(other.n, 5)
    assert.strictEqual(method(other.n), 6)
    assert.isTrue(self() as unknown === proxy)
  })

  it("is itself if it behaves the same on the proxy, and otherwise has one stand-in for each object", () => {
    class Parent {
      readonly name = "parent"
    }
    const shared = () => 1
    const inner = Object.assign(() => {}, { shared })
    const target = Object.assign(new Parent(), {
      shared,
      inner,
      other: () => 2,
      callable: WeakProxy.makeUnsafe(shared)
    })
    const proxy = WeakProxy.makeUnsafe(target)
    const second = WeakProxy.makeUnsafe({ shared })
    assert.isTrue(proxy.constructor === Parent)
    // Deno takes this accessor away.
    if (Reflect.get({}, "__proto__") === Object.prototype) {
      assert.isTrue(Reflect.get(WeakProxy.makeUnsafe(Object.create(Parent)), "__proto__") === Parent)
    }
    for (const key of ["hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toString", "valueOf"] as const) {
      assert.isTrue(proxy[key] === Object.prototype[key])
    }
    for (const key of ["apply", "bind", "call"] as const) assert.isTrue(proxy.shared[key] === Function.prototype[key])
    assert.isTrue(proxy.callable === target.callable)
    const standIns = [proxy.shared, proxy.inner.shared, second.shared, proxy.other]
    assert.strictEqual(new Set([...standIns, shared]).size, 5)
    const again = () => [proxy.shared, proxy.inner.shared, second.shared, proxy.other]
    for (let round = 0; round < 3; round++) {
      again().forEach((standIn, i) => assert.isTrue(standIn === standIns[i]))
      again().toReversed().forEach((standIn, i) => assert.isTrue(standIn === standIns[3 - i]))
      for (const i of [2, 0, 1, 3]) assert.isTrue(again()[i] === standIns[i])
    }
  })

  it("can be hashed, but the proxy cannot, and both say so", () => {
    const proxy = WeakProxy.makeUnsafe({ method: () => 1 })
    assert.isNumber(Hash.hash(proxy.method))
    assert.strictEqual(Hash.hash(proxy.method), Hash.hash(proxy.method))
    assert.isFalse(Hash.symbol in proxy.method)
    assert.isTrue(Hash.symbol in proxy)
    assert.isFalse(Equal.symbol in proxy)
    assert.throws(() => Hash.hash(proxy), WeakError.UnhashableError)
  })

  it("is read as the value, the getter and the setter of a descriptor, and defined as the original", () => {
    const value = () => 1
    const getter = () => value
    const setter = (_: unknown) => {}
    const target: Record<string, unknown> = { value, getter, setter }
    Object.defineProperty(target, "accessor", { get: getter, set: setter, configurable: true })
    const proxy = WeakProxy.makeUnsafe(target)
    const accessor = Object.getOwnPropertyDescriptor(proxy, "accessor")!
    assert.isTrue(accessor.get === proxy.getter && accessor.set === proxy.setter)
    assert.isFalse(accessor.get === getter || accessor.set === setter)
    assert.isTrue(Object.getOwnPropertyDescriptor(proxy, "value")!.value === proxy.value)
    Object.defineProperty(proxy, "copy", { ...accessor, enumerable: true })
    Object.defineProperty(proxy, "again", { value: proxy.value, writable: true, configurable: true })
    const copy = Object.getOwnPropertyDescriptor(target, "copy")!
    assert.deepStrictEqual([copy.get === getter, copy.set === setter, copy.enumerable], [true, true, true])
    assert.isTrue(target.again === value)
    assert.isUndefined(Object.getOwnPropertyDescriptor(proxy, "missing"))
    assert.deepStrictEqual(
      [
        Reflect.defineProperty(proxy, "fixed", { value: 1, configurable: false }),
        Reflect.defineProperty(WeakProxy.makeUnsafe([1]), "length", { writable: false }),
        Reflect.defineProperty(WeakProxy.makeUnsafe([1]), "length", { value: 0 }),
        Reflect.preventExtensions(proxy),
        Reflect.isExtensible(proxy)
      ],
      [false, false, true, false, true]
    )
  })

  it("gets the receiver of the call, and the receiver that an object has which inherits from the proxy", () => {
    const target = {
      n: 1,
      get double(): number {
        return this.n * 2
      },
      set half(n: number) {
        this.n = n / 2
      }
    }
    const proxy = WeakProxy.makeUnsafe(target)
    const self = WeakProxy.makeUnsafe(function(this: unknown) {
      return this
    })
    assert.isTrue(Reflect.apply(self, target, []) === target)
    const child = Object.assign(Object.create(proxy) as typeof target, { n: 10 })
    assert.deepStrictEqual([proxy.double, child.double], [2, 20])
    child.half = 8
    assert.deepStrictEqual([target.n, child.n], [1, 4])
    proxy.half = 6
    assert.deepStrictEqual([target.n, child.n], [3, 4])
  })
})

describe("a dead proxy", () => {
  it("has none of the properties that printers look up, and throws for others", () => {
    const proxy = dead({ a: 1 })
    assert.deepStrictEqual(["~effect/Cause" in proxy, symbolRedactable in proxy, "toJSON" in proxy], [
      false,
      false,
      true
    ])
    for (const key of ["", "a", "toString", Symbol.toStringTag, Hash.symbol]) throwsDead(() => key in proxy)
    assert.strictEqual(Reflect.get(proxy, Symbol.toStringTag), "WeakProxy: collected")
    assert.strictEqual(JSON.stringify({ proxy }), `{"proxy":"[WeakProxy: collected]"}`)
    for (const key of ["", "toString", Symbol.toPrimitive]) throwsDead(() => Reflect.get(proxy, key))
  })
})

testDual("WeakProxy")

describe("the guard for other copies of the package", () => {
  it("is announced once, however many proxies there are", () => {
    const guards = () =>
      Reflect.get(globalThis, Symbol.for("effect-weakref/WeakProxy/guards")) as ReadonlyArray<unknown>
    const proxy = WeakProxy.makeUnsafe({})
    const before = [...guards()]
    assert.isTrue(before.some((guard) => (guard as (u: unknown) => boolean)(proxy)))
    assert.isFalse(before.some((guard) => (guard as (u: unknown) => boolean)({})))
    for (let n = 0; n < 3; n++) WeakProxy.makeUnsafe({ n })
    assert.deepStrictEqual(guards(), before)
  })
})
