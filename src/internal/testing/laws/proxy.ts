/** The laws of weak proxies. */
import * as fc from "fast-check"
import type { Heap } from "../../../Heap.ts"
import { keepsNothingAlive } from "./hostHeap.ts"
import { type Check, check, type Trace } from "./law.ts"
import { makeCollector, seeds } from "./tracedHeap.ts"

/** Describes an object, which is built twice: as the target and as a model. */
export interface Shape {
  readonly base: keyof typeof bases
  readonly properties: ReadonlyArray<readonly [PropertyKey, Value]>
  readonly frozen: boolean
}

interface Value {
  readonly type: "primitive" | "object" | "itself" | "method"
  readonly primitive: unknown
}

class Counter {
  #count = 1
  get count(): number {
    return this.#count
  }
  set count(value: number) {
    this.#count = value
  }
  increment(by: number): number {
    this.#count += by
    return this.#count
  }
  chain(): this {
    return this
  }
}

const bases = {
  object: (): object => ({ a: 1, b: { c: [2] } }),
  "object without a prototype": (): object => Object.assign(Object.create(null), { a: 1 }),
  array: (): object => [3, 1, 2],
  instance: (): object => new Counter(),
  Map: (): object => new Map([["a", 1]]),
  function: (): object =>
    function named(this: unknown, ...args: ReadonlyArray<unknown>) {
      return args.length === 0 ? "no arguments" : args[0]
    },
  class: (): object =>
    class Given {
      readonly given: ReadonlyArray<unknown>
      constructor(...given: ReadonlyArray<unknown>) {
        this.given = given
      }
    }
}

const mark = Symbol("mark")
const key = fc.constantFrom<PropertyKey>("a", "b", "count", "0", "toString", mark)

const value: fc.Arbitrary<Value> = fc.record({
  type: fc.constantFrom("primitive", "object", "itself", "method"),
  primitive: fc.constantFrom<unknown>(0, 1, "text", true, null, undefined, -0, 1n)
})

const shapes = (...names: ReadonlyArray<Shape["base"]>): fc.Arbitrary<Shape> =>
  fc.record({
    base: fc.constantFrom(...names),
    properties: fc.array(fc.tuple(key, value), { maxLength: 3 }),
    frozen: fc.boolean()
  })

export const anyShape = shapes("object", "object without a prototype", "array", "instance", "Map", "function", "class")

const valueOf = ({ primitive, type }: Value, self: object): unknown => {
  switch (type) {
    case "primitive":
      return primitive
    case "object":
      return { nested: [primitive] }
    case "itself":
      return self
    case "method":
      return function method(this: unknown, argument: unknown) {
        return this === undefined ? "no receiver" : argument
      }
  }
}

export const build = ({ base, frozen, properties }: Shape): object => {
  const self = bases[base]()
  // SpiderMonkey adds the `length` and the `name` of a function when they are first read, in the order of these reads.
  Reflect.ownKeys(self)
  // Even an array gets properties such as "count".
  for (const [key, value] of properties) Reflect.set(self, key, valueOf(value, self))
  return frozen ? Object.freeze(self) : self
}

/** Prints the access to a property, as it is written after an object. */
const member = (key: PropertyKey): string =>
  typeof key === "string" && /^[a-zA-Z]+$/.test(key) ? `.${key}` : `[${fc.stringify(key)}]`

const describeValue = ({ primitive, type }: Value): string => type === "primitive" ? fc.stringify(primitive) : type

export const describe = ({ base, frozen, properties }: Shape): string => {
  const parts = properties.map(([key, value]) => `${member(key)} = ${describeValue(value)}`)
  const described = frozen ? `frozen ${base}` : base
  return parts.length === 0 ? described : `${described} with ${parts.join(", ")}`
}

/** An operation on a proxy, and its text in a counterexample. */
interface Operation {
  readonly text: string
  readonly run: (x: any) => unknown
}

const operation = (text: string, run: (x: any) => unknown): Operation => ({ text, run })

const withKey = (make: (key: PropertyKey, name: string) => Operation): fc.Arbitrary<Operation> =>
  key.map((key) => make(key, fc.stringify(key)))

export const read = fc.oneof(
  withKey((key) => operation(`proxy${member(key)}`, (x) => x[key])),
  withKey((key, name) => operation(`${name} in proxy`, (x) => key in x)),
  withKey((key, name) => operation(`Object.hasOwn(proxy, ${name})`, (x) => Object.hasOwn(x, key))),
  withKey((key) =>
    operation(`proxy${member(key)}(1)`, (x) => typeof x[key] === "function" ? x[key](1) : "no function")
  ),
  withKey((key, name) =>
    operation(`Object.getOwnPropertyDescriptor(proxy, ${name})`, (x) => {
      const descriptor = Object.getOwnPropertyDescriptor(x, key)
      // A proxy that hides its target must report each property as configurable.
      return descriptor && { enumerable: descriptor.enumerable, value: descriptor.value }
    })
  ),
  fc.constant(
    operation("call the methods that proxy inherits", (x) => {
      if (x instanceof Counter) return [x.increment(2), x.count, x.chain()]
      if (x instanceof Map) return [x.get("a"), x.size, [...x]]
      if (Array.isArray(x)) return [x.slice(1), x.length, [...x], x.toString()]
      return "none"
    })
  ),
  fc.constantFrom(
    operation("typeof proxy", (x) => typeof x),
    operation("Array.isArray(proxy)", (x) => Array.isArray(x)),
    operation("Reflect.ownKeys(proxy)", (x) => Reflect.ownKeys(x).filter((key) => key !== "prototype")),
    operation("Object.keys(proxy)", (x) => Object.keys(x)),
    operation("({ ...proxy })", (x) => ({ ...x })),
    operation("Object.getPrototypeOf(proxy)", (x) => Object.getPrototypeOf(x) === Object.getPrototypeOf({})),
    operation("proxy instanceof Counter", (x) => x instanceof Counter)
  )
)

export const write = fc.oneof(
  fc.tuple(key, value).map(([key, value]) =>
    operation(
      `Reflect.set(proxy, ${fc.stringify(key)}, ${describeValue(value)})`,
      (x) => Reflect.set(x, key, valueOf(value, x))
    )
  ),
  withKey((key, name) => operation(`Reflect.deleteProperty(proxy, ${name})`, (x) => Reflect.deleteProperty(x, key))),
  fc.tuple(key, value).map(([key, value]) =>
    operation(
      `Reflect.defineProperty(proxy, ${fc.stringify(key)}, { value: ${describeValue(value)}, configurable: true })`,
      (x) => Reflect.defineProperty(x, key, { value: valueOf(value, x), configurable: true })
    )
  )
)

const args = fc.array(fc.constantFrom(1, "text"), { maxLength: 2 })

export const call = fc.oneof(
  args.map((args) => operation(`proxy(${args.map((arg) => fc.stringify(arg)).join(", ")})`, (x) => x(...args))),
  args.map((args) => operation(`new proxy(${args.map((arg) => fc.stringify(arg)).join(", ")})`, (x) => new x(...args)))
)

/** Operations on a proxy: at least one for each trap except `apply` and `construct`. */
export const traps: ReadonlyArray<Operation> = [
  operation("proxy.a", (x) => x.a),
  operation("\"a\" in proxy", (x) => "a" in x),
  operation("Reflect.set(proxy, \"a\", 1)", (x) => Reflect.set(x, "a", 1)),
  operation("delete proxy.a", (x) => Reflect.deleteProperty(x, "a")),
  operation("Reflect.ownKeys(proxy)", (x) => Reflect.ownKeys(x)),
  operation("Object.getOwnPropertyDescriptor(proxy, \"a\")", (x) => Object.getOwnPropertyDescriptor(x, "a")),
  operation(
    "Reflect.defineProperty(proxy, \"a\", { value: 1, configurable: true })",
    (x) => Reflect.defineProperty(x, "a", { value: 1, configurable: true })
  ),
  operation("Object.getPrototypeOf(proxy)", (x) => Object.getPrototypeOf(x)),
  operation("Reflect.setPrototypeOf(proxy, null)", (x) => Reflect.setPrototypeOf(x, null)),
  operation("Object.isExtensible(proxy)", (x) => Object.isExtensible(x)),
  operation("Reflect.preventExtensions(proxy)", (x) => Reflect.preventExtensions(x)),
  operation("Object.keys(proxy)", (x) => Object.keys(x)),
  operation("({ ...proxy })", (x) => ({ ...x })),
  operation("proxy instanceof Object", (x) => x instanceof Object),
  operation("`${proxy}`", (x) => `${x}`)
]

export const callTraps: ReadonlyArray<Operation> = [
  operation("proxy()", (x) => x()),
  operation("new proxy()", (x) => new x())
]

/** Prints the result of an operation. The target and its proxy print as the same text. */
export const view = (answer: unknown, itself: ReadonlyArray<unknown>, depth = 0): string => {
  if (itself.includes(answer)) return "itself"
  if (typeof answer === "function") return "a function"
  if (typeof answer !== "object" || answer === null) return fc.stringify(answer)
  if (depth > 3) return "…"
  if (answer instanceof Map) return `Map ${view([...answer], itself, depth + 1)}`
  if (Array.isArray(answer)) return `[${answer.map((element) => view(element, itself, depth + 1)).join(", ")}]`
  return `${classOf(answer)}${propertiesOf(answer, (value) => view(value, itself, depth + 1))}`
}

/** Prints the class of an object that is not a plain one. */
const classOf = (object: object): string => {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === Object.prototype ? "" : prototype === null ? "null " : `${object.constructor.name} `
}

/** Prints the properties of an object. Marks those that a plain assignment would not create: `fixed` and `hidden`. */
const propertiesOf = (object: object, describe: (value: unknown) => string): string => {
  const properties = Reflect.ownKeys(object).filter((key) => key !== "prototype").map((key) => {
    const { configurable, enumerable, value } = Reflect.getOwnPropertyDescriptor(object, key)!
    const attributes = [...configurable ? [] : ["fixed"], ...enumerable ? [] : ["hidden"]].join(" ")
    const name = typeof key === "string" ? key : fc.stringify(key)
    return `${attributes === "" ? name : `${attributes} ${name}`}: ${describe(value)}`
  })
  return properties.length === 0 ? "{}" : `{ ${properties.join(", ")} }`
}

const answerOf = ({ run }: Operation, x: object, target: object): string => {
  try {
    return `returned ${view(run(x), [x, target])}`
  } catch (error) {
    return `threw a ${error instanceof Error ? error.constructor.name : typeof error}`
  }
}

export const stateOf = (target: object, proxy: object): string => {
  const properties = propertiesOf(target, (value) => view(value, [target, proxy]))
  return target instanceof Counter
    ? `${properties} with count ${view(target.count, [target, proxy])}`
    : target instanceof Map
    ? `${properties} with entries ${view([...target], [target, proxy])}`
    : properties
}

export const laws = (
  make: (heap: Heap) => (target: object) => object,
  isDeadError: (error: unknown) => boolean
): ReadonlyArray<Check> => {
  const setUp = (trace: Trace, seed: number, shape: Shape) => {
    const collector = makeCollector(seed)
    const construct = trace.step("const makeProxy = make(heap)", () => make(collector.heap))
    trace.note(`const target = ${describe(shape)}`)
    const target = trace.name(build(shape), "target")
    return {
      collector,
      target,
      makeProxy: (name: string) => trace.step(`const ${name} = makeProxy(target)`, () => construct(target))
    }
  }

  /** Makes a law that runs the same operations on a proxy and on a model, and compares results and states. */
  const transparent = (name: string, shape: fc.Arbitrary<Shape>, operations: fc.Arbitrary<Operation>) =>
    check(
      name,
      fc.tuple(seeds, shape, fc.array(operations, { minLength: 1 })),
      (trace, [seed, shape, operations]) => {
        const { makeProxy, target } = setUp(trace, seed, shape)
        const model = build(shape)
        const proxy = makeProxy("proxy")
        for (const operation of operations) {
          trace.note(operation.text)
          const actual = answerOf(operation, proxy, target)
          const expected = answerOf(operation, model, model)
          if (actual !== expected) throw trace.violation(`${actual}, the target ${expected}`)
          const state = stateOf(target, proxy)
          const expectedState = stateOf(model, model)
          if (state !== expectedState) throw trace.violation(`left the target as ${state}, expected ${expectedState}`)
        }
      }
    )

  /** Expects an operation to fail. Adds it to the trace only if it breaks the law. */
  const expectDead = (trace: Trace, proxy: object, { run, text }: Operation): void => {
    let reason: string
    let cause: unknown
    try {
      reason = `returned ${trace.show(run(proxy))}, expected an error`
    } catch (error) {
      if (isDeadError(error)) return
      reason = `threw ${trace.show(error)}, which is not the error of a dead proxy`
      cause = error
    }
    trace.note(text)
    throw trace.violation(reason, cause)
  }

  return [
    transparent("proxy: reads like its target", anyShape, read),
    transparent("proxy: writes like its target", anyShape, write),
    transparent("proxy: calls and constructs like its target", shapes("function", "class"), call),
    check(
      "proxy: fails every operation after collection",
      fc.tuple(seeds, anyShape, fc.boolean()),
      async (trace, [seed, shape, finalize]) => {
        const { collector, makeProxy, target } = setUp(trace, seed, shape)
        const proxy = makeProxy("proxy")
        collector.collect(trace, [target])
        if (finalize) await collector.finalize(trace)
        for (const operation of typeof target === "function" ? [...traps, ...callTraps] : traps) {
          expectDead(trace, proxy, operation)
        }
      }
    ),
    check(
      "proxy: a new proxy does not revive an old one",
      fc.tuple(seeds, anyShape),
      async (trace, [seed, shape]) => {
        const { collector, makeProxy, target } = setUp(trace, seed, shape)
        const old = makeProxy("proxy")
        collector.collect(trace, [target])
        // Runs the clean-ups, because another law checks that the proxy is dead without them.
        await collector.finalize(trace)
        trace.note("// target is used again, as a new object")
        const young = makeProxy("young")
        trace.step("young.a", () => Reflect.get(young, "a"))
        expectDead(trace, old, traps[0]!)
      }
    ),
    keepsNothingAlive("proxy: does not keep its target alive", "target", (heap, count, seed) => {
      const construct = make(heap)
      const dropped = fc.sample(anyShape, { numRuns: count, seed }).map(build)
      const proxies = dropped.map((target) => construct(target))
      // A structure can keep the target that it has used last.
      for (const proxy of proxies) Reflect.ownKeys(proxy)
      return { subject: [construct, proxies], dropped }
    })
  ]
}
