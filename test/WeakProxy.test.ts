import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Equal, Hash, Option, pipe } from "effect"
import { format } from "effect/Formatter"
import { inspect } from "node:util"
import { expectTypeOf } from "vitest"
import { WeakError, WeakProxy, WeakRef } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { collectThoroughly, collectUntil } from "./support/realHeap.ts"
import { kinds, missingKinds, Private } from "./support/referents.ts"
import { reportsOf } from "./support/reports.ts"
import { onBothHeaps } from "./support/worlds.ts"

/** A value with its proxy on a test heap, and a way to collect it. */
const onTestHeap = <A extends object>(referent: A) => {
  const { collect, heap } = TestHeap.makeUnsafe()
  return {
    proxy: WeakProxy.makeUnsafe(referent, heap),
    die: () => Effect.runSync(collect([referent]))
  }
}

const dead = <A extends object>(referent: A): WeakProxy.WeakProxy<A> => {
  const { die, proxy } = onTestHeap(referent)
  die()
  return proxy
}

/** A referent on the real heap that only this function has ever seen, and what `keep` got of its proxy. */
const forget = <A extends object, B>(
  make: () => A,
  keep: (proxy: A) => B
): { readonly kept: B; readonly probe: globalThis.WeakRef<A>; readonly proxy: WeakProxy.WeakProxy<A> } => {
  const referent = make()
  const proxy = WeakProxy.makeUnsafe(referent)
  return { kept: keep(proxy), probe: new globalThis.WeakRef(referent), proxy }
}

const throwsDead = (f: () => unknown) => assert.throws(f, WeakError.DeadReferenceError)

describe("WeakProxy", () => {
  describe("make", () => {
    onBothHeaps("forwards to its referent until that is collected", (world) =>
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

    it.effect("fails with the value that cannot be proxied, symbols included, and makes nothing", () =>
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

    it.effect("is counted and listed among the references of its referent, as the one thing that it is", () =>
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

    it.effect("is itself held weakly", () =>
      Effect.gen(function*() {
        const target = { id: 1 }
        const make = () => void WeakProxy.makeUnsafe(target).id
        make()
        for (let round = 0; round < 50 && (yield* WeakRef.count(target)) > 0; round++) yield* collectThoroughly
        assert.strictEqual(yield* WeakRef.count(target), 0)
      }))

    it("makes a proxy of a proxy, which lives as long as the inner proxy", () => {
      const { collect, heap } = TestHeap.makeUnsafe()
      const target = new Private()
      const inner = WeakProxy.makeUnsafe(target, heap)
      const outer = WeakProxy.makeUnsafe(inner, heap)
      assert.isFalse(outer === inner)
      assert.isTrue(outer.increment() === outer)
      assert.strictEqual(target.count, 1)
      assert.isTrue(Option.getOrThrow(WeakProxy.deref(outer)) === inner)
      Effect.runSync(collect([inner]))
      throwsDead(() => outer.count)
      assert.strictEqual(inner.count, 1)
    })
  })

  describe("isWeakProxy and isCallableWeakProxy", () => {
    it("recognize proxies, dead ones included", () => {
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

    it("do not recognize what only looks like one, and run no trap of it", () => {
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
    onBothHeaps("give the referent, and fail once it has been collected", (world) =>
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

    it.effect("use holds the referent for all of the effect", () =>
      Effect.gen(function*() {
        const { probe, proxy } = forget(() => ({ id: 1 }), () => undefined)
        const alive = yield* WeakProxy.use(
          proxy,
          () => Effect.map(collectThoroughly, () => probe.deref() !== undefined)
        )
        assert.isTrue(alive)
        assert.isTrue(yield* collectUntil(() => probe.deref() === undefined))
      }))

    it("equals compares what is behind proxies, whatever is a proxy", () => {
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
      Effect.runSync(collect([one]))
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

    it("run on another receiver where they are called with one", () => {
      const proxy = WeakProxy.makeUnsafe(new Private())
      const other = new Private()
      assert.isTrue(proxy.increment.call(other) === other)
      assert.strictEqual(other.count, 1)
      assert.throws(() => proxy.increment.call({} as Private), TypeError)
      assert.throws(() => Object.create(proxy).increment(), TypeError)
    })

    it("are the same function each time, from wherever they are read", () => {
      const proxy = WeakProxy.makeUnsafe(new Private())
      assert.isTrue(proxy.increment === proxy.increment)
      assert.isTrue(proxy.increment === Object.create(proxy).increment)
      assert.isFalse(proxy.increment === WeakProxy.makeUnsafe(new Private()).increment)
      assert.strictEqual(proxy.increment.name, "increment")
      assert.strictEqual(proxy.increment.length, 0)
      assert.isTrue(proxy.constructor === Private)
    })

    it("that a getter makes anew are new each time, and live for whoever keeps them", async () => {
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

    it("live for whoever keeps them after the property has been overwritten, and die with the referent", () => {
      const { die, proxy } = onTestHeap({ method: (): number => 1 })
      const { method } = proxy
      proxy.method = () => 2
      assert.deepStrictEqual([method(), proxy.method()], [1, 2])
      die()
      throwsDead(() => method())
      throwsDead(() => method.name)
    })

    it("go in as they came out", () => {
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

    it("of other proxies go in as they are, and callable proxies come out so", () => {
      const other = WeakProxy.makeUnsafe(new Private())
      const child = WeakProxy.makeUnsafe(() => 1)
      const referent: Record<string, unknown> = {}
      const proxy = WeakProxy.makeUnsafe(referent)
      proxy.method = other.increment
      proxy.child = child
      assert.isTrue(referent.method === other.increment && proxy.method === proxy.method)
      assert.isTrue(proxy.child === child && WeakProxy.isWeakProxy(proxy.child))
    })

    it("that are classes construct, are extended, and recognize their instances", () => {
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

    it("of generators, promises and effects work on", async () => {
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

  describe("the referent, where it would come out", () => {
    it("is the proxy", () => {
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

    it("is the referent again where the proxy is put into it", () => {
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
      "JSON.stringify": (x) => JSON.stringify(x),
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
        // An engine asks whether it can construct before it asks the proxy.
        if (/construct|new|extends/.test(operation) && !/class|^(frozen )?function$/.test(kind)) continue
        assert.throws(() => f(proxy), WeakError.DeadReferenceError, undefined, operation)
      }
    })

    it.for(missingKinds)("%s", (kind, { skip }) => skip(`this engine has no ${kind}`))

    it("what cannot throw says what it said", () => {
      assert.strictEqual(typeof dead(() => {}), "function")
      assert.strictEqual(typeof dead({}), "object")
      assert.isTrue(Array.isArray(dead([])))
      const proxy = dead({})
      assert.isTrue(proxy === proxy && Boolean(proxy))
    })

    it("printing says that it is dead", () => {
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

    it("awaiting it rejects", async () => {
      const proxy = dead({})
      const error = await Promise.resolve(proxy).catch((error) => error)
      assert.instanceOf(error, WeakError.DeadReferenceError)
    })

    it("functions read from it are dead too", () => {
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

    it("prints circles and methods", () => {
      const referent: Record<string, unknown> = { method() {} }
      const proxy = WeakProxy.makeUnsafe(referent)
      referent.proxy = proxy
      assert.strictEqual(inspect(proxy), "<ref *1> { method: [Function: method], proxy: [Circular *1] }")
      assert.strictEqual(inspect(proxy.method), "[Function: method]")
      assert.strictEqual(format(WeakProxy.makeUnsafe({ a: 1 })), `{"a":1}`)
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

    /** Reads all that there is to read, and keeps the functions. */
    const methodsOf = (proxy: object): Array<unknown> => {
      const kept: Array<unknown> = []
      for (let o: object | null = proxy; o !== null; o = Reflect.getPrototypeOf(o)) {
        for (const key of Reflect.ownKeys(o)) {
          if (/caller|callee|arguments|constructor/.test(String(key))) continue
          try {
            const value = Reflect.get(proxy, key)
            if (typeof value === "function") kept.push(value, value.bind(proxy), value.name)
          } catch {
            // Some accessors want an instance.
          }
        }
      }
      return kept
    }

    it.effect.each(Object.keys(kinds))(
      "%s: proxy and methods do not keep the referent",
      (kind) => Effect.asVoid(collects(kinds[kind]!, (proxy) => [proxy, methodsOf(proxy)]))
    )

    it.effect("a method that captures its object does not keep it", () =>
      Effect.gen(function*() {
        const kept = yield* collects(() => {
          const self = { big: new Array(1000).fill(0), me: () => self }
          return Object.freeze(self)
        }, (proxy) => [proxy.me, proxy.me.bind(proxy), Object.getOwnPropertyDescriptors(proxy), { ...proxy }.me])
        throwsDead(() => (kept[0] as () => unknown)())
        throwsDead(() => (kept[3] as () => unknown)())
      }))

    it.effect("an accessor that captures its object does not keep it", () =>
      collects(() => {
        const self: object = Object.defineProperty({}, "me", { get: () => self, configurable: true })
        return self
      }, (proxy) => [Reflect.getOwnPropertyDescriptor(proxy, "me"), Reflect.get(proxy, "me")]))

    it.effect("a fresh function that captures its object does not keep it", () =>
      collects(() => {
        const self = {
          get me() {
            return () => self
          }
        }
        return self
      }, (proxy) => [proxy.me, proxy.me(), proxy.me.toString]))

    it.effect("what refers back to itself, and is chained, does not keep it", () =>
      collects(
        () => {
          const self: Record<string, unknown> = {}
          self.self = self
          return Object.assign(self, { chain: () => self })
        },
        (proxy) => [proxy.self, proxy.chain(), Object.values(proxy), Object.entries(proxy), proxy.valueOf()]
      ))

    it.effect("a subclass does not keep what the proxied object held", () =>
      collects(() => ({ Base: Private }), (proxy) => [class extends proxy.Base {}]))

    it.effect("a proxy in a WeakMap, a hash that was refused, and an equality that was asked do not keep it", () =>
      collects(() => ({ a: 1 }), (proxy) => {
        assert.throws(() => Hash.hash(proxy), WeakError.UnhashableError)
        assert.throws(() => Equal.equals(proxy, {}), WeakError.UnhashableError)
        assert.isTrue(WeakProxy.equals(WeakProxy.makeUnsafe(proxy), { a: 1 }))
        return new WeakMap([[proxy, proxy]])
      }))

    it.effect("a function is collected although its forwarder is kept, but not before its object", () =>
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

    it.effect("a function whose forwarder nobody keeps is collected while its object lives", () =>
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

  it("types", () => {
    interface Foo {
      readonly a: number
      me(): this
    }
    const foo: Foo = {
      a: 1,
      me() {
        return this
      }
    }
    const proxy = WeakProxy.makeUnsafe(foo)
    expectTypeOf(proxy).toExtend<Foo>()
    expectTypeOf(foo).not.toExtend<WeakProxy.WeakProxy<Foo>>()
    expectTypeOf(WeakProxy.deref(proxy)).toEqualTypeOf<Option.Option<Foo>>()
    expectTypeOf(WeakProxy.make(foo))
      .toEqualTypeOf<Effect.Effect<WeakProxy.WeakProxy<Foo>, WeakError.NotWeakReferenceableError>>()
    expectTypeOf(WeakProxy.use(proxy, (foo) => Effect.succeed(foo)))
      .toEqualTypeOf<Effect.Effect<Foo, WeakError.DeadReferenceError>>()
    expectTypeOf(pipe(proxy, WeakProxy.deref)).toEqualTypeOf<Option.Option<Foo>>()
    expectTypeOf(WeakRef.all(foo))
      .toEqualTypeOf<Effect.Effect<ReadonlyArray<WeakRef.WeakRef<Foo> | WeakProxy.WeakProxy<Foo>>>>()
    expectTypeOf(WeakProxy.makeUnsafe({ a: 1 })).toExtend<Record<string, number>>()
    expectTypeOf(WeakProxy.makeUnsafe((a: number) => String(a))(1)).toEqualTypeOf<string>()
    expectTypeOf(WeakProxy.deref(WeakProxy.makeUnsafe([1]))).toEqualTypeOf<Option.Option<Array<number>>>()
    expectTypeOf(new (WeakProxy.makeUnsafe(Private))()).toEqualTypeOf<Private>()
    const either = foo as Foo | WeakProxy.WeakProxy<Foo>
    if (WeakProxy.isWeakProxy(either)) expectTypeOf(WeakProxy.deref(either)).toExtend<Option.Option<Foo>>()
    // @ts-expect-error: not a proxy
    const deref = () => WeakProxy.deref(foo)
    // @ts-expect-error: a symbol cannot be proxied
    const make = () => WeakProxy.makeUnsafe(Symbol("mine"))
    assert.throws(deref)
    assert.throws(make)
  })
})
