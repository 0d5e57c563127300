/**
 * Creates referents of every kind that a proxy can have. Each call creates a new one.
 */
import { Data, Effect, Option } from "effect"
import { Readable } from "node:stream"
import { createContext, runInContext } from "node:vm"
import { WeakProxy } from "../../src/index.ts"
import { hasNode } from "./host.ts"

export class Private {
  #count = 0
  readonly label = "private"
  get count(): number {
    return this.#count
  }
  set count(value: number) {
    this.#count = value
  }
  increment(by = 1): this {
    this.#count += by
    return this
  }
  static is(u: object): boolean {
    return #count in u
  }
}

class Stack extends Array<number> {
  peek(): number | undefined {
    return this[this.length - 1]
  }
}

class Registry extends Map<string, number> {
  #reads = 0
  override get(key: string): number | undefined {
    this.#reads++
    return super.get(key)
  }
  get reads(): number {
    return this.#reads
  }
}

class Person extends Data.Class<{ readonly name: string }> {}

const realm = createContext({})

const plain = () => ({ a: 1, b: "two", nested: { c: [3] }, 1: "index", [Symbol.for("key")]: 4 })

const accessors = () => {
  let hidden = 1
  return {
    get a() {
      return hidden
    },
    set a(value: number) {
      hidden = value
    },
    get b() {
      return this.a + 1
    },
    set c(_value: number) {},
    method() {
      return this.a
    }
  }
}

const fixed = () =>
  Object.defineProperties({ a: 1 } as Record<string, unknown>, {
    writable: { value: 2, writable: true, configurable: false, enumerable: true },
    constant: { value: { deep: 1 }, writable: false, configurable: false, enumerable: true },
    hidden: { value: 3, writable: false, configurable: false, enumerable: false },
    method: { value: () => 1, writable: false, configurable: false },
    getter: { get: () => 4, configurable: false, enumerable: true },
    setter: { set: () => {}, configurable: false }
  })

const selfReferring = () => {
  const self: Record<string, unknown> = { name: "self", list: [1] }
  self.self = self
  self.me = () => self
  Object.defineProperty(self, "constant", { value: self, writable: false, configurable: false })
  return self
}

const classOf = () =>
  class Base {
    static #made = 0
    static get made(): number {
      return Base.#made
    }
    static make(value: number): Base {
      return new this(value)
    }
    readonly value: number
    constructor(value: number) {
      this.value = value
      Base.#made++
    }
    double(): number {
      return this.value * 2
    }
  }

const loud = () =>
  new Proxy({ a: 1 } as Record<PropertyKey, unknown>, {
    get: (target, key, receiver) => (key === "asked" ? true : Reflect.get(target, key, receiver)),
    has: (target, key) => key === "asked" || Reflect.has(target, key)
  })

/** Keeps the targets of the weak proxies below alive. */
const behind = new WeakMap<object, object>()

const weakProxy = () => {
  const target = { a: 1, method: () => 2 }
  const proxy = WeakProxy.makeUnsafe(target)
  behind.set(proxy, target)
  return proxy
}

const numbers = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  ...("Float16Array" in globalThis ? { Float16Array } : {})
}

/** The kinds that this engine does not have. */
export const missingKinds: ReadonlyArray<string> = "Float16Array" in globalThis ? [] : ["Float16Array"]

const bigints = { BigInt64Array, BigUint64Array }

export const kinds: Readonly<Record<string, () => object>> = {
  plain,
  "null prototype": () => Object.assign(Object.create(null), { a: 1 }),
  frozen: () => Object.freeze({ ...plain(), method: () => 1 }),
  sealed: () => Object.seal(plain()),
  "non-extensible": () => Object.preventExtensions(plain()),
  accessors,
  "frozen accessors": () => Object.freeze(accessors()),
  "non-configurable properties": fixed,
  "self-referring": selfReferring,
  "frozen self-referring": () => Object.freeze(selfReferring()),
  array: () => [3, 1, 2],
  "sparse array": () => Object.assign(new Array<number>(1), { 2: 3, extra: true }),
  "frozen array": () => Object.freeze([3, 1, 2]),
  "array subclass": () => Stack.from([3, 1, 2]),
  function: () =>
    function add(this: unknown, a: number, b: number) {
      return a + b
    },
  "frozen function": () => Object.freeze(function constant() {}),
  arrow: () => (a: number) => a,
  "bound function": () =>
    function add(a: number, b: number) {
      return a + b
    }.bind(undefined, 1),
  "async function": () => async (a: number) => a,
  "generator function": () =>
    function* count() {
      yield 1
      yield 2
    },
  "async generator function": () =>
    async function* count() {
      yield 1
    },
  class: classOf,
  "derived class": () => class Derived extends classOf() {},
  "class instance": () => new (classOf())(5),
  "#private": () => new Private(),
  "built-in subclass": () => new Registry([["a", 1]]),
  Map: () => new Map([["a", 1], ["b", 2]]),
  Set: () => new Set([1, "two"]),
  WeakMap: () => new WeakMap(),
  WeakSet: () => new WeakSet(),
  WeakRef: () => new WeakRef(Private),
  Date: () => new Date(1234567890123),
  "invalid Date": () => new Date(NaN),
  RegExp: () => /b(?<letter>.)/g,
  Promise: () => Promise.resolve(7),
  ...Object.fromEntries(Object.entries(numbers).map(([name, Type]) => [name, () => Type.of(3, 1, 2)])),
  ...Object.fromEntries(Object.entries(bigints).map(([name, Type]) => [name, () => Type.of(3n, 1n, 2n)])),
  ...hasNode ? { Buffer: () => Buffer.from("text") } : {},
  ArrayBuffer: () => new ArrayBuffer(8),
  // A page has none unless it is isolated.
  ...typeof SharedArrayBuffer === "undefined" ? {} : { SharedArrayBuffer: () => new SharedArrayBuffer(8) },
  DataView: () => new DataView(new ArrayBuffer(8)),
  Error: () => Object.assign(new RangeError("out", { cause: 1 }), { stack: "RangeError: out" }),
  URL: () => new URL("https://user@example.org/path?q=1#hash"),
  URLSearchParams: () => new URLSearchParams("a=1&b=2"),
  ...hasNode ? { Readable: () => Readable.from(["a", "b"]) } : {},
  EventTarget: () => new EventTarget(),
  "boxed string": () => new String("ab"),
  "boxed number": () => new Number(3),
  arguments: () =>
    (function(..._: ReadonlyArray<number>) {
      return arguments
    })(1, 2),
  "generator object": () =>
    (function*() {
      yield 1
      yield 2
    })(),
  Effect: () => Effect.succeed(1),
  Option: () => Option.some(1),
  "Data.Class": () => new Person({ name: "Ada" }),
  proxy: loud,
  "weak proxy": weakProxy,
  "of another realm": () => runInContext("({ a: 1, list: [1], method() { return this.a } })", realm),
  "array of another realm": () => runInContext("[1, 2]", realm),
  "class of another realm": () => runInContext("(class Foreign { constructor() { this.a = 1 } })", realm)
}
