/**
 * Runs random scripts of operations on random objects. Each script runs on a proxy and
 * on an equal object without a proxy. Both runs return the same results, and leave
 * equal objects.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { WeakProxy } from "../src/index.ts"
import { collectUntil } from "./support/realHeap.ts"

const mark = Symbol("mark")

const keys: ReadonlyArray<PropertyKey> = ["a", "b", "c", "0", "1", "length", "name", "prototype", "toString", mark]

type Value = { readonly type: "primitive"; readonly value: unknown } | {
  readonly type: "self" | "nested" | "arrow" | "method" | "class"
}

interface Property {
  readonly type: "data" | "accessor"
  readonly value: Value
  readonly configurable?: boolean
  readonly enumerable?: boolean
  readonly writable?: boolean
}

interface Shape {
  readonly base: "object" | "array" | "function" | "class" | "arrow" | "null prototype" | "instance" | "Map"
  readonly properties: ReadonlyArray<readonly [PropertyKey, Property]>
  readonly integrity: "none" | "preventExtensions" | "seal" | "freeze"
}

type Operation =
  | { readonly type: "get" | "has" | "deleteProperty" | "getOwnPropertyDescriptor"; readonly key: PropertyKey }
  | { readonly type: "getFromChild" | "call"; readonly key: PropertyKey }
  | {
    readonly type:
      | "ownKeys"
      | "getPrototypeOf"
      | "isExtensible"
      | "preventExtensions"
      | "apply"
      | "construct"
      | "spread"
  }
  | { readonly type: "set" | "setOnChild" | "setAsReceiver"; readonly key: PropertyKey; readonly value: Value }
  | { readonly type: "defineProperty"; readonly key: PropertyKey; readonly property: Property }
  | { readonly type: "setPrototypeOf"; readonly prototype: "null" | "self" | "other" }
  | { readonly type: "move" | "redefine"; readonly from: PropertyKey; readonly to: PropertyKey }

const key = fc.constantFrom(...keys)

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.record({
    type: fc.constant("primitive" as const),
    value: fc.constantFrom<unknown>(undefined, null, 0, 1, 2, -0, "text", true, 1n, mark)
  }),
  fc.record({ type: fc.constantFrom("self", "nested", "arrow", "method", "class") })
)

const property: fc.Arbitrary<Property> = fc.record({
  type: fc.constantFrom("data", "data", "accessor"),
  value,
  configurable: fc.boolean(),
  enumerable: fc.boolean(),
  writable: fc.boolean()
}, { requiredKeys: ["type", "value"] })

const shape: fc.Arbitrary<Shape> = fc.record({
  base: fc.constantFrom("object", "array", "function", "class", "arrow", "null prototype", "instance", "Map"),
  properties: fc.array(fc.tuple(key, property), { maxLength: 6 }),
  integrity: fc.constantFrom("none", "none", "preventExtensions", "seal", "freeze")
})

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    type: fc.constantFrom("get", "has", "deleteProperty", "getOwnPropertyDescriptor", "getFromChild", "call"),
    key
  }),
  fc.record({
    type: fc.constantFrom(
      "ownKeys",
      "getPrototypeOf",
      "isExtensible",
      "preventExtensions",
      "apply",
      "construct",
      "spread"
    )
  }),
  fc.record({ type: fc.constantFrom("set", "setOnChild", "setAsReceiver"), key, value }),
  fc.record({ type: fc.constant("defineProperty" as const), key, property }),
  fc.record({ type: fc.constant("setPrototypeOf" as const), prototype: fc.constantFrom("null", "self", "other") }),
  fc.record({ type: fc.constantFrom("move", "redefine"), from: key, to: key })
)

const script = fc.record({ shape, operations: fc.array(operation, { maxLength: 12 }) })

class Counter {
  #count = 0
  readonly list = [1]
  increment(): number {
    return ++this.#count
  }
  get count(): number {
    return this.#count
  }
  set count(value: unknown) {
    this.#count = Number(value === undefined)
  }
}

const other = {
  get inherited(): unknown {
    return typeof this
  }
}

const valueOf = (value: Value, self: object): unknown => {
  switch (value.type) {
    case "primitive":
      return value.value
    case "self":
      return self
    case "nested":
      return { nested: [1], back: self }
    case "arrow":
      return () => self
    case "method":
      return function method(this: unknown) {
        return this
      }
    case "class":
      return class Inner {
        readonly self = self
      }
  }
}

const descriptorOf = ({ type, value, writable, ...rest }: Property, self: object): PropertyDescriptor =>
  type === "data"
    ? { ...rest, value: valueOf(value, self), ...(writable === undefined ? {} : { writable }) }
    : {
      ...rest,
      get: function get(this: unknown) {
        return value.type === "method" ? this : valueOf(value, self)
      },
      ...(writable && {
        set: function set(this: object) {
          Reflect.defineProperty(this, "was set", { value: 1, configurable: true })
        }
      })
    }

const bases: Record<Shape["base"], () => object> = {
  object: () => ({ a: 1, b: [2] }),
  array: () => [1, 2, 3],
  function: () =>
    function named(this: unknown, ...args: ReadonlyArray<unknown>) {
      return args.length === 0 ? this : args[0]
    },
  class: () =>
    class Named {
      static a = 1
      readonly given: ReadonlyArray<unknown>
      constructor(...args: ReadonlyArray<unknown>) {
        this.given = args
      }
    },
  arrow: () => (a: unknown) => [a],
  "null prototype": () => Object.assign(Object.create(null), { a: 1 }),
  instance: () => new Counter(),
  Map: () => new Map([["a", 1]])
}

const build = ({ base, integrity, properties }: Shape): object => {
  const self = bases[base]()
  // SpiderMonkey creates the name and the length of a function when they are first read, in the order of the reads.
  Reflect.ownKeys(self)
  for (const [key, property] of properties) {
    // The length of an array must be a number.
    if (
      Array.isArray(self) && key === "length" && property.type === "data" &&
      typeof valueOf(property.value, self) !== "number"
    ) continue
    Reflect.defineProperty(self, key, descriptorOf(property, self))
  }
  const protect = integrity === "none" ? (u: object) => u : Object[integrity] as (u: object) => object
  return protect(self)
}

/** Selects the operations that a proxy refuses. They are not performed on the model. */
const refused = (operation: Operation, model: object): boolean =>
  operation.type === "preventExtensions" ||
  (operation.type === "defineProperty" &&
    (Array.isArray(model) && operation.key === "length"
      ? operation.property.type === "data" && operation.property.writable === false
      : operation.property.configurable === false))

/** Selects writes to a length that is read-only. The proxy reports a writable length, so the engine throws another error. */
const believesLengthWritable = (operation: Operation, model: object): boolean =>
  operation.type === "setAsReceiver" && operation.key === "length" && Array.isArray(model)

/** V8 sometimes makes the elements of a sealed array configurable when one of them becomes read-only. */
const forgetsSeal = (operation: Operation, model: object): boolean =>
  Array.isArray(model) && !Object.isExtensible(model) &&
  ((operation.type === "defineProperty" && /[01]/.test(String(operation.key))) ||
    (operation.type === "redefine" && /[01]/.test(String(operation.to))))

/** Returns the descriptor that a proxy reports for a property of the model. */
const reported = (descriptor: PropertyDescriptor | undefined, key: PropertyKey, model: object) =>
  descriptor === undefined
    ? undefined
    : Array.isArray(model) && key === "length"
    ? { ...descriptor, writable: true }
    : { ...descriptor, configurable: true }

const run = (operation: Operation, x: any, isModel: boolean): unknown => {
  if (isModel && refused(operation, x)) return false
  switch (operation.type) {
    case "get":
    case "has":
    case "deleteProperty":
      return Reflect[operation.type](x, operation.key)
    case "getOwnPropertyDescriptor": {
      const descriptor = Reflect.getOwnPropertyDescriptor(x, operation.key)
      return isModel ? reported(descriptor, operation.key, x) : descriptor
    }
    case "getFromChild":
      return Object.create(x)[operation.key]
    case "call":
      return x[operation.key]?.()
    case "ownKeys":
    case "getPrototypeOf":
    case "preventExtensions":
      return Reflect[operation.type](x)
    case "isExtensible":
      return isModel || Reflect.isExtensible(x)
    case "spread":
      return { ...x }
    case "apply":
      return [Reflect.apply(x, x, []), Reflect.apply(x, undefined, [1])].map((result) =>
        result === x ? "itself" : result
      )
    case "construct":
      return Reflect.construct(x, [1])
    case "set":
      return Reflect.set(x, operation.key, valueOf(operation.value, x))
    case "setOnChild": {
      const child = Object.create(x)
      return [Reflect.set(child, operation.key, valueOf(operation.value, x)), Reflect.ownKeys(child)]
    }
    case "setAsReceiver":
      return Reflect.set({ a: 1 }, operation.key, valueOf(operation.value, x), x)
    case "defineProperty":
      return Reflect.defineProperty(x, operation.key, descriptorOf(operation.property, x))
    case "setPrototypeOf":
      return Reflect.setPrototypeOf(x, { null: null, self: x, other }[operation.prototype])
    case "move":
      x[operation.to] = x[operation.from]
      return x[operation.to] === x[operation.from]
    case "redefine": {
      const descriptor = Reflect.getOwnPropertyDescriptor(x, operation.from)
      if (descriptor === undefined) return undefined
      delete descriptor.configurable
      if (Array.isArray(x) && [operation.from, operation.to].includes("length")) descriptor.writable = true
      return Reflect.defineProperty(x, operation.to, descriptor)
    }
  }
}

/** Makes results comparable. Replaces the subject by "itself" and, below the first level, the referent too. */
const view = (value: unknown, x: object, referent: object, depth = 0): unknown => {
  if (value === x || (depth > 0 && value === referent)) return "itself"
  if (typeof value === "function") return ["function", value.name]
  if (typeof value !== "object" || value === null) return value
  if (depth > 3) return "…"
  if (value === Object.prototype || value === other) return ["prototype", Object.keys(value)]
  return [
    Array.isArray(value),
    Reflect.ownKeys(value).filter((key) => key !== "constructor").map((key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(value, key)!
      return [key, Object.entries(descriptor).map(([part, value]) => [part, view(value, x, referent, depth + 1)])]
    })
  ]
}

const answer = (operation: Operation, x: object, referent: object): unknown => {
  try {
    return ["gave", view(run(operation, x, x === referent), x, referent)]
  } catch (error) {
    return ["threw", error instanceof Error ? error.constructor.name : error]
  }
}

const state = (x: object, proxy = x): unknown => [
  view({ ...Object.getOwnPropertyDescriptors(x) }, proxy, x),
  Object.isExtensible(x),
  typeof x,
  x instanceof Map && [...x],
  x instanceof Counter && x.count
]

describe("WeakProxy, properties", () => {
  it("returns the same results as its referent for every script", () => {
    fc.assert(
      fc.property(script, ({ operations, shape }) => {
        const model = build(shape)
        const referent = build(shape)
        const proxy = WeakProxy.makeUnsafe(referent)
        for (const operation of operations) {
          if (believesLengthWritable(operation, model) || forgetsSeal(operation, model)) continue
          assert.deepStrictEqual(answer(operation, proxy, referent), answer(operation, model, model))
        }
        assert.deepStrictEqual(state(referent, proxy), state(model))
      }),
      { numRuns: 3000 }
    )
  })

  it("keeps no referent alive after any script, even if the program holds the functions that it read", () =>
    fc.assert(
      fc.asyncProperty(fc.array(script, { minLength: 20, maxLength: 40 }), async (scripts) => {
        const kept: Array<unknown> = []
        const suspects = await survivors(scripts, kept, 10)
        // V8 keeps single objects of some shapes even without a proxy, and JavaScriptCore keeps what lies on its stack. What
        // the library kept, it would keep each time.
        for (const script of suspects) {
          const again = await survivors(new Array<Script>(times).fill(script), kept, 10)
          assert.isBelow(again.length, times / 2, fc.stringify(script))
        }
        assert.isAtLeast(kept.length, scripts.length)
      }),
      { numRuns: 20 }
    ), 60_000)
})

interface Script {
  readonly shape: Shape
  readonly operations: ReadonlyArray<Operation>
}

/** How often a suspect script runs. */
const times = 10

/** Runs scripts, collects, and returns the scripts whose referents are still alive. */
const survivors = async (scripts: ReadonlyArray<Script>, kept: Array<unknown>, rounds: number) => {
  const probes = scripts.map((script) => perform(script, kept))
  const isDead = (probe: WeakRef<object>) => probe.deref() === undefined
  await Effect.runPromise(collectUntil(() => probes.every(isDead), rounds))
  return scripts.filter((_, i) => !isDead(probes[i]!))
}

/** Runs a script on a referent that only this function sees. Keeps the proxy and every function that was read. */
const perform = (
  { operations, shape }: Script,
  kept: Array<unknown>
) => {
  const referent = build(shape)
  const proxy = WeakProxy.makeUnsafe(referent)
  kept.push(proxy)
  for (const operation of operations) {
    try {
      const given = run(operation, proxy, false)
      if (typeof given === "function") kept.push(given, given.bind(proxy))
      if (operation.type === "getOwnPropertyDescriptor" && given !== undefined) {
        const { get, set, value } = given as PropertyDescriptor
        kept.push(get, set, ...typeof value === "function" || value === proxy ? [value] : [])
      }
    } catch {
      // An operation that throws must not keep the referent either.
    }
  }
  return new globalThis.WeakRef(referent)
}
