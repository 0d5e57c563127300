/**
 * Performs every operation on every kind of referent and on its proxy. Both must
 * return the same result and leave the referent in the same state, or the operation
 * must be listed as a difference. Each difference has a separate test below and a
 * section in docs/proxies.md.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Hash, HashMap, Option, Pipeable } from "effect"
import { format } from "effect/Formatter"
import * as nodeAssert from "node:assert"
import * as fs from "node:fs"
import { Readable } from "node:stream"
import { inspect, types } from "node:util"
import { createContext, runInContext } from "node:vm"
import { WeakError, WeakProxy } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { isBun, skip } from "./support/host.ts"
import { kinds, missingKinds, Private } from "./support/referents.ts"

/** Makes the results of a referent and of its proxy comparable. Replaces the subject by "itself". */
const view = (value: unknown, subject: object, depth = 5): unknown => {
  if (value === subject) return "itself"
  if (typeof value === "function") return `function ${value.name}`
  if (typeof value !== "object" || value === null) return value
  if (depth === 0) return "…"
  const inner = (u: unknown) => view(u, subject, depth - 1)
  if (Array.isArray(value)) return value.map(inner)
  const descriptors = Object.getOwnPropertyDescriptors(value)
  return {
    class: typeof value.constructor === "function" ? value.constructor.name : undefined,
    contents: typeof Reflect.get(value, Symbol.iterator) === "function" && "size" in value
      ? Array.from(value as unknown as Iterable<unknown>, inner)
      : undefined,
    properties: Reflect.ownKeys(descriptors).filter((key) => key !== "stack" && typeof key === "string").map((key) => {
      const { value, ...rest } = descriptors[key as string]!
      return [key, inner(value), Object.entries(rest).map(([key, value]) => [key, inner(value)])]
    })
  }
}

const outcomeOf = async (f: (x: any, referent: any) => unknown, x: object, referent: object): Promise<unknown> => {
  try {
    return { gave: view(await f(x, referent), x) }
  } catch (error) {
    return { threw: error instanceof Error ? error.constructor.name : typeof error }
  }
}

const stateOf = (referent: object): unknown => [
  view({ ...Object.getOwnPropertyDescriptors(referent) }, referent),
  Reflect.isExtensible(referent),
  Reflect.getPrototypeOf(referent)?.constructor?.name
]

/** The first argument is the referent or its proxy. The second argument is always the referent. */
const operations: Readonly<Record<string, (x: any, referent: any) => unknown>> = {
  "Reflect.get": (x) => Reflect.ownKeys(x).filter((key) => key !== "stack").map((key) => Reflect.get(x, key)),
  "Reflect.get of a missing property": (x) => Reflect.get(x, "not there"),
  "Reflect.get with another receiver": (x) => Reflect.get(x, "a", { a: 7 }),
  "Reflect.set of a new property": (x) => Reflect.set(x, "fresh", 1),
  "Reflect.set of each property": (x) =>
    Reflect.ownKeys(x).filter((key) => key !== "length").map((key) => Reflect.set(x, key, 2)),
  "Reflect.set of a symbol": (x) => Reflect.set(x, Symbol.for("fresh"), 1),
  "Reflect.set with another receiver": (x) => {
    const receiver = {}
    return [Reflect.set(x, "a", 5, receiver), receiver]
  },
  "Reflect.set as the receiver of another": (x) => [Reflect.set({ a: 1 }, "a", 9, x), Reflect.set({}, "fresh", 9, x)],
  "Reflect.has": (x) =>
    ["a", "length", "constructor", Symbol.iterator, 0, "not there"].map((key) => Reflect.has(x, key)),
  "Reflect.deleteProperty": (x) =>
    Reflect.ownKeys(x).filter((key) => key !== "stack").map((key) => Reflect.deleteProperty(x, key)),
  "Reflect.ownKeys": (x) => Reflect.ownKeys(x),
  "Reflect.getOwnPropertyDescriptor": (x) =>
    Reflect.ownKeys(x).filter((key) => key !== "stack").map((key) => Reflect.getOwnPropertyDescriptor(x, key)),
  "Reflect.getOwnPropertyDescriptor of a missing property": (x) => Reflect.getOwnPropertyDescriptor(x, "not there"),
  "Reflect.defineProperty of a new property": (x) =>
    Reflect.defineProperty(x, "fresh", { value: 1, writable: true, enumerable: true, configurable: true }),
  "Reflect.defineProperty with defaults": (x) => [
    Reflect.defineProperty(x, "fresh", { value: 1 }),
    Reflect.defineProperty(x, "fresh", { value: 2 }),
    Reflect.defineProperty(x, "fresh", { value: 1 })
  ],
  "Reflect.defineProperty of an accessor": (x) => [
    Reflect.defineProperty(x, "fresh", { get: () => 3, configurable: true }),
    x.fresh
  ],
  "Reflect.defineProperty of the same value": (x) => Reflect.defineProperty(x, "a", { value: 1 }),
  "Reflect.defineProperty, explicitly non-configurable": (x) =>
    Reflect.defineProperty(x, "fresh", { value: 1, configurable: false }),
  "Reflect.getPrototypeOf": (x, referent) => Reflect.getPrototypeOf(x) === Reflect.getPrototypeOf(referent),
  "Reflect.setPrototypeOf": (x) => [
    Reflect.setPrototypeOf(x, Reflect.getPrototypeOf(x)),
    Reflect.setPrototypeOf(x, { inherited: 1 }),
    x.inherited
  ],
  "Reflect.setPrototypeOf to itself": (x) => [Reflect.setPrototypeOf(x, x), Reflect.setPrototypeOf(x, null)],
  "Reflect.isExtensible": (x) => Reflect.isExtensible(x),
  "Reflect.preventExtensions": (x) => Reflect.preventExtensions(x),
  "Reflect.apply": (x) => typeof x === "function" && Reflect.apply(x, undefined, [1, 2]),
  "Reflect.construct": (x) => typeof x === "function" && Reflect.construct(x, [1, 2]),
  "Reflect.construct with a new.target": (x) =>
    typeof x === "function" && Reflect.construct(x, [1, 2], Private) instanceof x,
  "Reflect.construct as the new.target": (x, referent) =>
    typeof x === "function" &&
    Reflect.getPrototypeOf(Reflect.construct(Private, [], x)) === (referent.prototype ?? Object.prototype),

  typeof: (x) => typeof x,
  "Array.isArray": (x) => Array.isArray(x),
  in: (x) => ["a" in x, "not there" in x, 0 in x, Symbol.iterator in x],
  "for in": (x) => {
    const keys: Array<string> = []
    for (const key in x) keys.push(key)
    return keys
  },
  "for of": (x) => {
    const items: Array<unknown> = []
    for (const item of x) items.push(item)
    return items
  },
  "for await of": async (x) => {
    const items: Array<unknown> = []
    for await (const item of x) items.push(item)
    return items
  },
  "spread in an object": (x) => ({ ...x }),
  "spread in an array": (x) => [...x],
  "spread in a call": (x) => Math.max(...x),
  "destructuring an object": (x) => {
    const { a, length, ...rest } = x
    return [a, length, rest]
  },
  "destructuring an array": (x) => {
    const [first, ...rest] = x
    return [first, rest]
  },
  "JSON.stringify": (x) => JSON.stringify(x),
  "JSON.stringify inside": (x) =>
    JSON.stringify({ x: [x] }, (_, value) => typeof value === "bigint" ? "bigint" : value),
  "template literal": (x) => `${x}`,
  "+ string": (x) => x + "",
  "unary +": (x) => +x,
  "== with primitives": (x) =>
    [undefined, null, true, 0, 3, NaN, "ab", "[object Object]", "1,2", 1n, Symbol.iterator].map((u) => x == u),
  "=== the referent": (x, referent) => x === referent,
  "==, ===, Object.is and includes of itself": (x) => [x == x, x === x, Object.is(x, x), [x].includes(x)],
  "< and >": (x) => [x < 2, x > 2, x <= "b"],
  "!": (x) => [!x, x ? 1 : 2, x && 3, x ?? 4],
  "optional chaining": (x) => [x?.a, x?.missing?.deeper, x.missing?.(), x?.[0]],
  void: (x) => void x,
  instanceof: (
    x,
    referent
  ) => [x instanceof Object, x instanceof referent.constructor, x instanceof x.constructor, x instanceof Promise],
  "instanceof it": (x, referent) => [{}, referent, new Private()].map((u) => u instanceof x),
  calling: (x) => x(1, 2),
  "calling with a receiver": (x) => [x.call({ a: 1 }, 1, 2), x.apply({ b: 1 }, [1, 2])],
  "calling a bound function": (x) => x.bind(null, 1)(2),
  "calling as a method": (x) => ({ x }).x(1, 2),
  new: (x) => new x(1, 2),
  "subclassing it": (x) => {
    const Sub = class Sub extends x {
      readonly own = 1
    }
    const made: any = Reflect.construct(Sub, [6])
    return [made instanceof x, made instanceof Sub, made.own, made.value, made.double?.(), Reflect.ownKeys(made)]
  },
  "inheriting from it": (x) => {
    const child = Object.create(x)
    return [child.a, "a" in child, Object.keys(child), child.valueOf() === child, Reflect.set(child, "a", 8), child]
  },
  "isPrototypeOf": (x) => Object.prototype.isPrototypeOf.call(x, Object.create(x)),
  "awaiting it": async (x) => await x,
  "Promise.resolve": (x) => Promise.resolve(x),
  "Promise.resolve returning the same object": (x) => Promise.resolve(x) === x,
  "Promise.all": (x) => Promise.all([x, 1]),
  structuredClone: (x) => structuredClone(x),
  "util.inspect": (x) => [inspect(x), inspect([x], { depth: 3, compact: false }), inspect({ x }, { showHidden: true })],
  "util.inspect.custom": (x) => typeof x[inspect.custom],
  "assert.deepStrictEqual": (x, referent) => nodeAssert.deepStrictEqual(x, referent),
  "Object.prototype.toString": (x) => Object.prototype.toString.call(x),
  "Symbol.toStringTag": (x) => x[Symbol.toStringTag],
  "Function.prototype.toString": (x) => typeof x === "function" && Function.prototype.toString.call(x),
  "own toString": (x) => x.toString(),
  valueOf: (x: any) => x.valueOf(),
  "hasOwnProperty, Object.hasOwn and propertyIsEnumerable": (
    x
  ) => [x.hasOwnProperty("a"), Object.hasOwn(x, "a"), x.propertyIsEnumerable("a")],
  "Object.keys, values, entries": (x) => [Object.keys(x), Object.values(x), Object.entries(x)],
  "Object.getOwnPropertyDescriptors": (x) => Object.keys(Object.getOwnPropertyDescriptors(x)),
  "Object.assign from it": (x) => Object.assign({ z: 1 }, x),
  "Object.assign to it": (x) => Object.assign(x, { fresh: 1, a: 2 }),
  "Object.defineProperties": (x) => Object.defineProperties(x, { fresh: { get: () => 1, configurable: true } }),
  "Object.isFrozen and isSealed": (x) => [Object.isFrozen(x), Object.isSealed(x)],
  "Object.freeze": (x) => Object.freeze(x),
  "Object.seal": (x) => Object.seal(x),
  ...("groupBy" in Object ? { "Object.groupBy": (x) => Object.groupBy(x, (u) => typeof u) } : {}),
  "Object.fromEntries": (x) => Object.fromEntries(x),
  "__proto__ by name": (x, referent) => [x.__proto__ === referent.__proto__, "__proto__" in x],
  "the class": (x, referent) => x.constructor === referent.constructor,
  "writing in strict mode": (x) => {
    x.fresh = 1
    x.a = 2
    return [x.fresh, x.a, delete x.fresh]
  },
  "update operators": (x) => {
    x.count ??= 1
    x.count++
    x.count += 2
    return x.count
  },
  "referring to itself": (x) => {
    x.fresh = x
    return [x.fresh === x, x.fresh.fresh === x, Reflect.getOwnPropertyDescriptor(x, "fresh")!.value === x]
  },
  "assigning a method that was read": (x) => {
    const { toString } = x
    x.fresh = toString
    return [
      x.fresh === toString,
      x.fresh === x.toString,
      Reflect.set(x, "toString", x.toString),
      x.toString === toString
    ]
  },
  "methods: identity": (x, referent) => methodsOf(referent).map((key) => x[key] === referent[key]),
  "methods: their callbacks": (x) => {
    const seen: Array<unknown> = []
    x.forEach((_value: unknown, _key: unknown, all: unknown) => seen.push(all))
    return seen
  },
  "methods: the same": (x) => [x.toString === x.toString, x[Symbol.iterator] === x[Symbol.iterator]],
  "methods: name, length, statics": (
    x
  ) => [x.toString.name, x.toString.length, "call" in x.toString, typeof x.toString],
  "methods: call, apply, bind": (x) => {
    const { hasOwnProperty, toString } = x
    return [
      toString.call(x),
      toString.apply(x, []),
      toString.bind(x)(),
      hasOwnProperty.call({ k: 1 }, "k"),
      Reflect.apply(hasOwnProperty, x, ["k"])
    ]
  },
  "Array.prototype methods on it": (x) => {
    const {
      concat,
      entries,
      every,
      filter,
      find,
      flat,
      includes,
      indexOf,
      join,
      map,
      reduce,
      slice,
      some,
      toSorted,
      with: withItem
    } = Array.prototype
    return [
      join.call(x, "-"),
      map.call(x, String),
      filter.call(x, Boolean),
      slice.call(x, 1),
      concat.call([], x).length,
      flat.call(x),
      includes.call(x, 1),
      indexOf.call(x, 1),
      every.call(x, Boolean),
      some.call(x, Boolean),
      find.call(x, (u) => u == 1),
      reduce.call(x, (sum, u) => `${sum}${u}`, ""),
      toSorted.call(x),
      Array.from(x.length === undefined ? [] : entries.call(x)),
      x.length > 0 && withItem.call(x, 0, 9)
    ]
  },
  "Array.prototype.push on it": (x) => Array.prototype.push.call(x, 1),
  "Array.prototype.pop on it": (x) => Array.prototype.pop.call(x),
  "Array.prototype.splice on it": (x) => Array.prototype.splice.call(x, 0, 1, 5, 6),
  "Array.prototype.reverse on it": (x) => Array.prototype.reverse.call(x),
  "Array.prototype.sort on it": (x) => Array.prototype.sort.call(x),
  "Array.from": (x) => Array.from(x),
  "setting length": (x) => {
    x.length = 1
    return [x.length, x[2]]
  },
  "defining length": (x) => [Reflect.defineProperty(x, "length", { value: 1 }), x.length],
  "new Map and new Set of it": (x) => [new Map(x), new Set(x)],
  "String and RegExp methods with it": (x) => ["abc".replace(x, "_"), "abc".split(x), "abc".search(x)],
  "new Date of it": (x) => new Date(x).getTime(),
  "new Uint8Array and new DataView of it": (x) => [new Uint8Array(x).length, new DataView(x).byteLength],
  "util.types": (x) => Object.entries(types).flatMap(([name, is]) => is(x) ? name : []),
  "ArrayBuffer.isView": (x) => ArrayBuffer.isView(x),
  "new URL of it": (x) => new URL(x).href,
  "as a key of a WeakMap": (x) => new WeakMap([[x, 1]]).get(x),
  "with Effect: yield*": (x) =>
    Effect.runPromise(Effect.gen(function*() {
      return yield* x as Effect.Effect<unknown>
    })),
  "with Effect: run": (x) => Effect.isEffect(x) && Effect.runPromise(x as unknown as Effect.Effect<number>),
  "with Effect: map and run": (x) =>
    Effect.isEffect(x) && Effect.runPromise(Effect.map(x as Effect.Effect<number>, (n) => n + 1)),
  "with Effect: Option": (x) => [Option.isOption(x), Option.isOption(x) && Option.map(x, String)],
  "with Effect: pipe": (x) => Pipeable.pipeArguments(x, [(u: object) => u] as any),
  "with Effect: format": (x) => format(x),
  "with Effect: Equal.equals": (x, referent) => Equal.equals(x, referent),
  "with Effect: Hash.hash": (x) => typeof Hash.hash(x)
}

/** The keys of the methods that are not common to all objects. */
const methodsOf = (referent: any): Array<PropertyKey> => {
  const keys = new Set<PropertyKey>()
  for (let o = referent; o !== null && o !== Object.prototype; o = Reflect.getPrototypeOf(o)) {
    for (const key of Reflect.ownKeys(o)) keys.add(key)
  }
  return [...keys].filter((key) =>
    !/^(stack|caller|callee|arguments|constructor)$/.test(String(key)) && typeof referent[key] === "function" &&
    !Object.values(Object.getOwnPropertyDescriptors(Object.prototype)).some(({ value }) => value === referent[key]) &&
    ![Function.prototype.apply, Function.prototype.bind, Function.prototype.call].includes(referent[key])
  )
}

const some = (referent: object, predicate: (descriptor: PropertyDescriptor, key: PropertyKey) => boolean): boolean =>
  Reflect.ownKeys(referent).some((key) => predicate(Reflect.getOwnPropertyDescriptor(referent, key)!, key))

const clones = (referent: object): boolean => {
  try {
    structuredClone(referent)
    return true
  } catch {
    return false
  }
}

const isWeak = WeakProxy.isWeakProxy
const isFunction = (referent: object): boolean => typeof referent === "function"
const isForeign = (referent: object): boolean => !(referent instanceof Object)
const isDated = (referent: object): boolean => types.isDate(referent) || types.isRegExp(referent)
const isBoxed = (referent: object): boolean => types.isBoxedPrimitive(referent)
const hasTag = (referent: object): boolean =>
  isDated(referent) || types.isNativeError(referent) || isBoxed(referent) || types.isArgumentsObject(referent)
const hasContents = (referent: object): boolean =>
  types.isMap(referent) || types.isSet(referent) || ArrayBuffer.isView(referent) || types.isAnyArrayBuffer(referent)
const yieldsItself = (referent: object): boolean => Effect.isEffect(referent) || Option.isOption(referent)

interface Difference {
  /** The operations that return a different result. Each has a predicate for the referents that it concerns. */
  readonly cells: Readonly<Record<string, (referent: any) => boolean>>
  readonly test: () => void | Promise<void>
}

const differences: Readonly<Record<string, Difference>> = {
  "A proxy is not identical to its referent": {
    cells: { "=== the referent": () => true },
    test: () => {
      const referent = {}
      const proxy = WeakProxy.makeUnsafe(referent)
      assert.isFalse(proxy === referent)
      assert.isFalse([referent].includes(proxy))
      assert.isTrue(WeakProxy.equals(proxy, referent))
    }
  },

  "A function that is read from a proxy is a stand-in": {
    cells: {
      "methods: identity": (referent) => methodsOf(referent).length > 0,
      "assert.deepStrictEqual": (referent) =>
        some(referent, (property) => property.enumerable! && typeof property.value === "function")
    },
    test: () => {
      const referent = { method: () => 1 }
      const proxy = WeakProxy.makeUnsafe(referent)
      assert.isFalse(proxy.method === referent.method)
      assert.isTrue(proxy.method === proxy.method)
      assert.isFalse(WeakProxy.isWeakProxy(proxy.method))
      assert.isTrue(proxy.constructor === Object)
      assert.isTrue(proxy.hasOwnProperty === Object.prototype.hasOwnProperty)
      const copy = { ...proxy }
      assert.isTrue(copy.method === proxy.method)
      const descriptor = Object.getOwnPropertyDescriptor(proxy, "method")!
      assert.isTrue(descriptor.value === proxy.method)
      assert.throws(() => nodeAssert.deepStrictEqual(proxy, referent))
    }
  },

  "Only direct references to the referent become the proxy": {
    cells: {
      "Reflect.get": (referent) =>
        isFunction(referent) && typeof referent.prototype === "object" &&
        Object.hasOwn(referent.prototype, "constructor")
    },
    test: () => {
      const Referent = Private
      const proxy = WeakProxy.makeUnsafe(Referent)
      assert.isTrue(proxy.prototype.constructor === Referent)
      assert.isTrue(new proxy().constructor === Referent)
      const parent: { child?: { parent: object } } = {}
      parent.child = { parent }
      assert.isTrue(WeakProxy.makeUnsafe(parent).child!.parent === parent)
    }
  },

  "Callbacks and iterators of methods receive the referent": {
    cells: {
      "methods: their callbacks": (referent) =>
        typeof referent.forEach === "function" && !(referent instanceof Readable || types.isGeneratorObject(referent)),
      "for of": yieldsItself,
      "for await of": yieldsItself,
      "spread in an array": yieldsItself,
      "destructuring an array": yieldsItself,
      "Object.groupBy": yieldsItself,
      "Array.from": yieldsItself,
      "new Map and new Set of it": yieldsItself
    },
    test: () => {
      const referent = [1]
      WeakProxy.makeUnsafe(referent).forEach((_value, _index, all) => assert.isTrue(all === referent))
      const option = Option.some(1)
      assert.isTrue([...WeakProxy.makeUnsafe(option)][0] as unknown === option)
    }
  },

  "Arguments are not converted": {
    cells: {},
    test: () => {
      const list: Array<unknown> = []
      const ofList = WeakProxy.makeUnsafe(list)
      ofList[0] = ofList
      assert.isTrue(list[0] === list && ofList[0] === ofList)
      assert.strictEqual(ofList.indexOf(ofList), -1)
      assert.strictEqual(ofList.indexOf(list), 0)

      class Account {
        readonly #id: number
        constructor(id: number) {
          this.#id = id
        }
        equals(that: Account): boolean {
          return this.#id === that.#id
        }
      }
      const account = WeakProxy.makeUnsafe(new Account(1))
      assert.throws(() => account.equals(account), TypeError)
      assert.isTrue(account.equals(new Account(1)))
    }
  },

  "Getters and setters see the referent": {
    cells: {},
    test: () => {
      const seen: Array<unknown> = []
      const referent = {
        get self() {
          seen.push(this)
          return this
        },
        set self(_value) {
          seen.push(this)
        }
      }
      const proxy = WeakProxy.makeUnsafe(referent)
      assert.isTrue(proxy.self === proxy)
      proxy.self = referent
      assert.isTrue(seen.length === 2 && seen.every((u) => u === referent))
      // In the getter of a plain proxy, `this` is the proxy.
      const plain = new Proxy(referent, {})
      void plain.self
      assert.isTrue(seen[2] === plain)
    }
  },

  "Every property is reported as configurable": {
    cells: {
      "Reflect.getOwnPropertyDescriptor": (referent) =>
        !isWeak(referent) &&
        some(referent, ({ configurable, writable }, key) =>
          !configurable && !(Array.isArray(referent) && key === "length" && writable))
    },
    test: () => {
      const referent = Object.freeze(["a"])
      const proxy = WeakProxy.makeUnsafe(referent)
      const element = { value: "a", writable: false, enumerable: true }
      assert.deepStrictEqual(Reflect.getOwnPropertyDescriptor(proxy, 0), { ...element, configurable: true })
      assert.deepStrictEqual(Reflect.getOwnPropertyDescriptor(referent, 0), { ...element, configurable: false })
      const length = { value: 1, enumerable: false, configurable: false }
      assert.deepStrictEqual(Reflect.getOwnPropertyDescriptor(proxy, "length"), { ...length, writable: true })
      assert.deepStrictEqual(Reflect.getOwnPropertyDescriptor(referent, "length"), { ...length, writable: false })
      assert.isFalse(Reflect.deleteProperty(proxy, 0))
      assert.isFalse(Reflect.defineProperty(proxy, 0, { value: "b" }))
      assert.isFalse(Reflect.set(proxy, "length", 0))
      assert.deepStrictEqual(referent, ["a"])

      const named = Object.freeze(function named() {})
      const ofStandIn = Reflect.getOwnPropertyDescriptor(WeakProxy.makeUnsafe({ named }).named, "name")
      assert.deepInclude(Reflect.getOwnPropertyDescriptor(named, "name"), { value: "named", configurable: false })
      assert.deepInclude(ofStandIn, { value: "named", configurable: true })
    }
  },

  "A non-configurable property cannot be defined": {
    cells: {
      "Reflect.defineProperty, explicitly non-configurable": (referent) =>
        !isWeak(referent) && Object.isExtensible(referent)
    },
    test: () => {
      const referent: { a?: number } = {}
      const proxy = WeakProxy.makeUnsafe(referent)
      assert.throws(() => Object.defineProperty(proxy, "a", { value: 1, configurable: false }), TypeError)
      assert.isFalse("a" in referent)
      Object.defineProperty(proxy, "a", { value: 1 })
      assert.isFalse(Object.getOwnPropertyDescriptor(referent, "a")!.configurable)
      const array = [1, 2]
      const ofArray = WeakProxy.makeUnsafe(array)
      assert.isTrue(Reflect.defineProperty(ofArray, "length", { value: 1, configurable: false }))
      assert.isFalse(Reflect.defineProperty(ofArray, "length", { value: 0, writable: false }))
      assert.deepStrictEqual(array, [1])
    }
  },

  "Every object is reported as extensible": {
    cells: {
      "Reflect.isExtensible": (referent) => !Object.isExtensible(referent),
      "Object.isFrozen and isSealed": (referent) => Object.isSealed(referent)
    },
    test: () => {
      const proxy: Record<string, unknown> = WeakProxy.makeUnsafe(Object.freeze({ a: 1 }))
      assert.isTrue(Object.isExtensible(proxy))
      assert.isFalse(Object.isFrozen(proxy))
      assert.isFalse(Reflect.set(proxy, "b", 2))
      assert.throws(() => {
        proxy.a = 2
      }, TypeError)
      assert.isFalse(Reflect.setPrototypeOf(proxy, {}))
    }
  },

  "Freezing, sealing and preventing extensions are refused": {
    cells: {
      "Reflect.preventExtensions": (referent) => !isWeak(referent),
      "Object.freeze": (referent) => !isWeak(referent),
      "Object.seal": (referent) => !isWeak(referent)
    },
    test: () => {
      const referent = { a: 1 }
      const proxy = WeakProxy.makeUnsafe(referent)
      for (const f of [Object.freeze, Object.seal, Object.preventExtensions]) {
        assert.throws(() => f(proxy), TypeError)
      }
      assert.isFalse(Reflect.preventExtensions(proxy))
      assert.isTrue(Object.isExtensible(referent))
      assert.deepStrictEqual(Object.getOwnPropertyDescriptor(referent, "a"), {
        value: 1,
        writable: true,
        enumerable: true,
        configurable: true
      })
    }
  },

  "Code that reads internal slots without a method sees the proxy": {
    cells: {
      "util.types": (referent) => !types.isProxy(referent),
      "ArrayBuffer.isView": ArrayBuffer.isView,
      "Object.prototype.toString": hasTag,
      "own toString": types.isArgumentsObject,
      "template literal": types.isArgumentsObject,
      "+ string": types.isArgumentsObject,
      "== with primitives": types.isArgumentsObject,
      "methods: call, apply, bind": types.isArgumentsObject,
      "Function.prototype.toString": (referent) => isFunction(referent) && !/native code/.test(referent),
      "JSON.stringify": isBoxed,
      "JSON.stringify inside": isBoxed,
      "assert.deepStrictEqual": (referent) => isFunction(referent) || hasTag(referent) || hasContents(referent),
      "Promise.resolve returning the same object": types.isPromise,
      "new Date of it": (referent) => types.isDate(referent) && referent.getMilliseconds() > 0,
      "new Uint8Array and new DataView of it": types.isAnyArrayBuffer,
      "with Effect: format": (referent) => types.isTypedArray(referent) && !Buffer.isBuffer(referent)
    },
    test: () => {
      const map = WeakProxy.makeUnsafe(new Map([["a", 1]]))
      assert.strictEqual(map.get("a"), 1)
      assert.throws(() => Map.prototype.get.call(map, "a"), TypeError)
      assert.strictEqual(new Map(map).get("a"), 1)

      const hidden = WeakProxy.makeUnsafe(new Private())
      assert.strictEqual(hidden.increment().count, 1)
      assert.isFalse(Private.is(hidden))

      const date = WeakProxy.makeUnsafe(new Date(1001))
      assert.strictEqual(new Date(date.getTime()).getTime(), 1001)
      assert.strictEqual(new Date(date).getTime(), 1000)
      assert.strictEqual(Object.prototype.toString.call(date), "[object Object]")

      const buffer = WeakProxy.makeUnsafe(new ArrayBuffer(8))
      assert.strictEqual(buffer.byteLength, 8)
      assert.strictEqual(buffer.slice(4).byteLength, 4)
      assert.strictEqual(new Uint8Array(buffer).length, 0)
      assert.strictEqual(new Uint8Array(WeakProxy.makeUnsafe(new Uint8Array(8))).length, 8)

      const add = (a: number, b: number) => a + b
      assert.strictEqual(WeakProxy.makeUnsafe(add).toString(), add.toString())
      assert.include(Function.prototype.toString.call(WeakProxy.makeUnsafe(add)), "native code")

      assert.strictEqual(JSON.stringify(WeakProxy.makeUnsafe(new String("ab"))), `{"0":"a","1":"b"}`)
    }
  },

  "A proxy cannot be cloned": {
    cells: { structuredClone: clones },
    test: () => {
      const proxy = WeakProxy.makeUnsafe({ a: 1 })
      assert.throws(() => structuredClone(proxy), DOMException)
      assert.strictEqual(structuredClone({ ...proxy }).a, 1)
    }
  },

  "A proxy has no hash": {
    cells: {
      "with Effect: Hash.hash": (referent) => !isWeak(referent) && !isDated(referent),
      "with Effect: Equal.equals": (referent) => !isDated(referent)
    },
    test: () => {
      for (const referent of [{}, [], () => {}, new Map(), kinds["Data.Class"]!(), Option.some(1), Effect.void]) {
        const proxy = WeakProxy.makeUnsafe(referent)
        assert.throws(() => Hash.hash(proxy), WeakError.UnhashableError)
        assert.throws(() => Hash.hash({ a: [proxy] }), WeakError.UnhashableError)
        assert.throws(() => Equal.equals(proxy, referent), WeakError.UnhashableError)
        assert.throws(() => HashMap.make([proxy, 1]), WeakError.UnhashableError)
        assert.isTrue(Equal.equals(proxy, proxy))
        assert.strictEqual(Hash.hash(referent), Hash.hash(WeakProxy.deref(proxy).pipe(Option.getOrThrow)))
      }
      const date = new Date(1001)
      assert.strictEqual(Hash.hash(WeakProxy.makeUnsafe(date)), Hash.hash(date))
      assert.isTrue(Equal.equals(WeakProxy.makeUnsafe(date), new Date(1001)))
      assert.strictEqual(Hash.hash(WeakProxy.makeUnsafe(/a/g)), Hash.hash(/a/g))
      assert.throws(
        () => (WeakProxy.makeUnsafe(date) as unknown as Hash.Hash)[Hash.symbol](),
        WeakError.UnhashableError
      )
      assert.throws(() => Hash.hash(Object.create(WeakProxy.makeUnsafe({}))), WeakError.UnhashableError)
    }
  },

  "Functions of another realm have stand-ins for call, apply and bind": {
    cells: { "methods: call, apply, bind": (referent) => isFunction(referent) && isForeign(referent) },
    test: () => {
      const referent = kinds["class of another realm"]!()
      const proxy: any = WeakProxy.makeUnsafe(referent)
      assert.isFalse(proxy.call === (referent as any).call)
      assert.include(proxy.toString(), "class Foreign")
      const { toString } = proxy
      assert.include(toString.call(referent), "class Foreign")
      assert.include(toString.call(proxy), "native code")
    }
  },

  "The proxy as the new.target of another class is asked for its prototype": {
    cells: {},
    test: () => {
      const prototypeWith = (newTarget: Function): object | null =>
        Reflect.getPrototypeOf(Reflect.construct(Private, [], newTarget))

      const functionPrototype = Object.assign(function() {}, { prototype: () => {} })
      const ofFunction = WeakProxy.makeUnsafe(functionPrototype)
      assert.isTrue(prototypeWith(functionPrototype) === functionPrototype.prototype)
      assert.isTrue(prototypeWith(ofFunction) === ofFunction.prototype)
      assert.isFalse(ofFunction.prototype === functionPrototype.prototype)

      const self = Object.assign(function() {}, { prototype: {} })
      self.prototype = self
      assert.isTrue(prototypeWith(self) === self)
      assert.isTrue(prototypeWith(WeakProxy.makeUnsafe(self)) === WeakProxy.makeUnsafe(self))

      const realm = createContext({})
      for (const prototype of ["undefined", "null", "1", "'text'"]) {
        const foreign = runInContext(`Object.assign(function() {}, { prototype: ${prototype} })`, realm)
        assert.isTrue(prototypeWith(foreign) === runInContext("Object.prototype", realm), prototype)
        assert.isTrue(prototypeWith(WeakProxy.makeUnsafe(foreign)) === Object.prototype, prototype)
        const made = new (WeakProxy.makeUnsafe(foreign) as any)()
        assert.isTrue(Reflect.getPrototypeOf(made) === runInContext("Object.prototype", realm), prototype)
      }
    }
  },

  "A promise that resolves with a dead proxy rejects": {
    cells: {},
    test: async () => {
      const { collect, heap } = TestHeap.makeUnsafe()
      const referent = { a: 1 }
      const proxy = WeakProxy.makeUnsafe(referent, heap)
      assert.isTrue(await Promise.resolve(proxy) === proxy)
      collect(referent)
      const error = await Promise.resolve(proxy).catch((error) => error)
      assert.instanceOf(error, WeakError.DeadReferenceError)
      assert.include(error.message, `read property "then"`)
    }
  }
}

/** The other engines have their own words for native functions, and Bun its own `node:assert`. */
const compared = Object.entries(operations).filter(([operation]) =>
  !isBun || !["assert.deepStrictEqual", "Function.prototype.toString"].includes(operation)
)

describe("WeakProxy, transparency", () => {
  describe("every operation returns the same result as on the referent, or is listed as a difference", () => {
    it.each(Object.keys(kinds))("%s", async (kind) => {
      const make = kinds[kind]!
      const found: Array<string> = []
      for (const [operation, f] of compared) {
        const model = make()
        const referent = make()
        const expected = await outcomeOf(f, model, model)
        const answer = await outcomeOf(f, WeakProxy.makeUnsafe(referent), referent)
        try {
          nodeAssert.deepStrictEqual([answer, stateOf(referent)], [expected, stateOf(model)])
        } catch {
          found.push(operation)
        }
      }
      const documented = compared.map(([operation]) => operation).filter((operation) =>
        Object.values(differences).some(({ cells }) => Object.hasOwn(cells, operation) && cells[operation]!(make()))
      )
      assert.deepStrictEqual(found, documented)
    })

    it.for([...missingKinds, ..."groupBy" in Object ? [] : ["Object.groupBy"]])(
      "%s: skipped if the engine does not have it",
      (name) => skip(`the engine has no ${name}`)
    )
  })

  describe("the differences", () => {
    it.each(Object.keys(differences))("%s", (name) => differences[name]!.test())

    it("docs/proxies.md has one section for each difference, in the same order", () => {
      const text = fs.readFileSync(new URL("../docs/proxies.md", import.meta.url), "utf8")
      const [, section] = text.split("## Differences\n")
      const headings = section!.split("\n## ")[0]!.match(/(?<=^### ).*/gm)!.map((heading) =>
        heading.replaceAll("`", "")
      )
      assert.deepStrictEqual(headings, Object.keys(differences))
    })
  })
})
