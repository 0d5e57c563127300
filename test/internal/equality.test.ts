import { assert, describe, it } from "@effect/vitest"
import { DOMImplementation } from "@xmldom/xmldom"
import { Data, Equal, Hash, Option, Result } from "effect"
import * as fc from "fast-check"
import { EventEmitter } from "node:events"
import { PassThrough } from "node:stream"
import { createContext, runInContext } from "node:vm"
import { equals, equalsStrictly, hash, hashOf, isByReference, isOpaque, isShort } from "../../src/internal/equality.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { DeadReferenceError } from "../../src/WeakError.ts"
import * as WeakProxy from "../../src/WeakProxy.ts"
import { comparesStacks, hasNode, skip } from "../support/host.ts"

class Celsius {
  readonly degrees: number
  constructor(degrees: number) {
    this.degrees = degrees
  }
}
class Fahrenheit {
  readonly degrees: number
  constructor(degrees: number) {
    this.degrees = degrees
  }
}
class Point extends Data.Class<{ readonly x: number }> {}
class Stack extends Array<number> {}
class Registry extends Map<number, number> {
  override get [Symbol.toStringTag]() {
    return "Registry"
  }
}
class Jobs extends Promise<void> {}
class Channel extends EventTarget {
  readonly name = "channel"
}
class Hub extends EventEmitter {}
class Holder {
  readonly #value: object
  constructor(value: object) {
    this.#value = value
  }
  get value(): object {
    return this.#value
  }
}
class Tagged {
  get [Symbol.toStringTag]() {
    return "Tagged"
  }
}
class Failure extends Error {
  readonly code = 1
}
class Comparable extends EventTarget {
  [Equal.symbol](that: unknown): boolean {
    return that instanceof Comparable
  }
  [Hash.symbol](): number {
    return 1
  }
}

class Ticket {
  readonly id: number
  readonly failure: object
  constructor(id: number, failure: object) {
    this.id = id
    this.failure = failure
  }
  [Equal.symbol](that: unknown): boolean {
    return that instanceof Ticket && that.id === this.id
  }
  [Hash.symbol](): number {
    return this.id
  }
}

/** An event target and a node as libraries write them that run without a browser: no native class, no tag. */
class TargetByHand {
  readonly listeners: Array<unknown> = []
  addEventListener(): void {}
}
class NodeByHand {
  readonly childNodes: Array<unknown> = []
  appendChild(): void {}
}

const lying = { constructor: Promise }

const realm = createContext({})

/** Evaluates code in another realm. */
const foreign = (code: string): object => runInContext(code, realm) as object

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const opaque: Readonly<Record<string, () => object>> = {
  promise: () => Promise.resolve(1),
  "subclass of Promise": () => Jobs.resolve(),
  thenable: () =>
    new (class Thenable {
      // oxlint-disable-next-line unicorn/no-thenable -- The test needs a class that is awaited.
      then() {}
    })(),
  generator: () =>
    (function*() {
      yield 1
    })(),
  "asynchronous generator": () =>
    (async function*() {
      yield 1
    })(),
  "iterator of an array": () => [1].values(),
  "boxed number": () => Object(1),
  "boxed string": () => Object("a"),
  "boxed symbol": () => Object(Symbol()),
  Blob: () => new Blob(["a"]),
  Headers: () => new Headers(),
  URL: () => new URL("https://example.org"),
  AbortController: () => new AbortController(),
  AbortSignal: () => new AbortController().signal,
  EventTarget: () => new EventTarget(),
  "subclass of EventTarget": () => new Channel(),
  Event: () => new Event("a"),
  MessageChannel: () => new MessageChannel(),
  MessagePort: () => new MessageChannel().port1,
  ReadableStream: () => new ReadableStream(),
  ...hasNode ? { "stream of Node": () => new PassThrough() } : {},
  "subclass of EventEmitter": () => new Hub(),
  // A timer of a page is a number.
  timer: () => {
    const timer = setTimeout(() => {}, 0)
    clearTimeout(timer)
    return typeof timer === "object" ? timer : new Channel()
  },
  WeakMap: () => new WeakMap(),
  WeakRef: () => new WeakRef({}),
  "Intl object": () => new Intl.NumberFormat(),
  DOMException: () => new DOMException("a"),
  "class with a tag": () => new Tagged(),
  "event target by hand": () => new TargetByHand(),
  "node by hand": () => new NodeByHand(),
  "node of a library": () => new DOMImplementation().createDocument(null, "a").createElement("b"),
  "object without the state of its prototype": () => Object.create(Map.prototype),
  "proxy of a map": () => new Proxy(new Map(), {}),
  "proxy of a Blob": () => new Proxy(new Blob([]), {}),
  "revoked proxy": revoked,
  "promise of another realm": () => foreign("Promise.resolve(1)"),
  "map of another realm": () => foreign("new Map([[1, 2]])")
}

const structural: Readonly<Record<string, () => object>> = {
  object: () => ({ a: 1, b: { c: [1] } }),
  "object without a prototype": () => Object.assign(Object.create(null), { a: 1 }),
  "object with a tag of its own": () => ({ [Symbol.toStringTag]: "a", b: 1 }),
  "object with a false constructor": () => Object.create(lying),
  array: () => [1, [2]],
  "subclass of Array": () => Stack.of(1, 2),
  map: () => new Map([[1, { a: 1 }]]),
  "subclass of Map with a tag": () => new Registry([[1, 2]]),
  set: () => new Set([1, 2]),
  date: () => new Date(5),
  "regular expression": () => /a+/g,
  bytes: () => new Uint8Array([1]),
  ...hasNode ? { buffer: () => Buffer.from("a") } : {},
  ArrayBuffer: () => new Uint8Array([1]).buffer,
  DataView: () => new DataView(new ArrayBuffer(2)),
  error: () => new Error("a"),
  "subclass of Error": () => new Failure("a"),
  instance: () => new Celsius(1),
  "instance of Data.Class": () => new Point({ x: 1 }),
  "object of another realm": () => foreign("({ a: 1 })"),
  "array of another realm": () => foreign("[1, 2]"),
  "bytes of another realm": () => foreign("new Uint8Array([1, 2])"),
  "opaque class with its own Equal": () => new Comparable(),
  "object with Equal": () => Option.some(1)
}

/** Structures around a value. */
const around: Readonly<Record<string, (value: object) => object>> = {
  object: (value) => ({ id: 1, value }),
  "nested object": (value) => ({ a: { b: { value } } }),
  array: (value) => [1, value],
  "map value": (value) => new Map([["a", value]]),
  "map key": (value) => new Map([[value, "a"]]),
  set: (value) => new Set<unknown>([1, value]),
  instance: (value) => Object.assign(new Celsius(1), { value }),
  "inherited getter": (value) => new Holder(value),
  option: (value) => Option.some(value),
  "option in an array": (value) => [Option.some([value])],
  success: (value) => Result.succeed(value),
  failure: (value) => Result.fail(value),
  error: (value) => Object.assign(new Error("a"), { value, stack: comparesStacks ? "" : Math.random() }),
  cycle: (value) => {
    const self: { value: object; self?: unknown } = { value }
    self.self = self
    return self
  },
  "large object": (value) => ({ numbers: Array.from({ length: 1000 }, (_, i) => ({ i })), value })
}

describe("equality", () => {
  it.each(Object.entries(opaque))("%s is opaque", (_, make) => {
    const [self, that] = [make(), make()]
    assert.isTrue(isOpaque(self))
    assert.isTrue(equals(self, self))
    assert.isFalse(equals(self, that))
    assert.strictEqual(hash(self), hash(self))
    assert.notStrictEqual(hash(self), hash(that))
    assert.isUndefined(hashOf(self))
    for (const [name, wrap] of Object.entries(around)) {
      assert.isTrue(equals(wrap(self), wrap(self)), name)
      assert.isTrue(equalsStrictly(wrap(self), wrap(self)), name)
      assert.isFalse(equals(wrap(self), wrap(that)), name)
      assert.isFalse(equals(wrap(self), wrap({})), name)
      assert.strictEqual(hash(wrap(self)), hash(wrap(self)), name)
    }
  })

  it.each(Object.entries(structural))("%s is compared by its contents", (_, make) => {
    const [self, that] = [make(), make()]
    if (comparesStacks && self instanceof Error) skip("Effect compares errors with their stacks")
    assert.isFalse(isOpaque(self))
    assert.isTrue(equals(self, that))
    assert.strictEqual(hash(self), hash(that))
    assert.isTrue(equalsStrictly(self, that))
    assert.isFalse(equals(self, 1))
    assert.isFalse(equals(self, {}))
  })

  it("namespaces are opaque, and are not read", () => {
    for (const value of [Math, JSON, Reflect, globalThis, Map.prototype, Promise.prototype]) {
      assert.isTrue(isOpaque(value))
      assert.isFalse(equals({ value }, { value: {} }))
    }
  })

  it("runs no getter of an opaque object", () => {
    class Widget extends EventTarget {
      get size(): number {
        throw new Error("was read")
      }
    }
    const widget = new Widget()
    Object.defineProperty(widget, "own", {
      enumerable: true,
      get() {
        throw new Error("was read")
      }
    })
    hash(widget)
    hash([widget])
    assert.isFalse(equals(widget, new Widget()))
    assert.isFalse(equals({ widget }, { widget: new Widget() }))
    assert.isTrue(equals(new Map([[widget, 1]]), new Map([[widget, 1]])))
  })

  it("compares sets and maps around opaque objects without their order, one partner for each item", () => {
    const [a, b] = [new Blob([]), new Blob([])]
    assert.isTrue(equals(new Set<object>([a, { b }]), new Set<object>([{ b }, a])))
    assert.strictEqual(hash(new Set<object>([a, { b }])), hash(new Set<object>([{ b }, a])))
    assert.isFalse(equals(new Set([{ a }, { a }, { b }]), new Set([{ a }, { b }, { b }])))
    assert.isTrue(equals(new Map([[a, 1], [b, 2]]), new Map([[b, 2], [a, 1]])))
    assert.isFalse(equals(new Map([[a, 1], [b, 2]]), new Map([[b, 1], [a, 2]])))
    assert.isFalse(equals([a], new Set([a])))
    assert.isFalse(equals([a], new Map([[0, a]])))
    assert.isFalse(equals(new Proxy(new Map(), {}), new Map([[1, a]])))
    assert.isFalse(equals(new Map([[1, a]]), new Proxy(new Map(), {})))
    assert.isFalse(equals({ 0: a, length: 1 }, [a]))
    assert.isFalse(equals({ a }, { a, b: undefined }))
    assert.isFalse(equals({ a, stack: 1 }, { a, stack: 2 }))
    assert.isTrue(equals(Object.assign(new Date(1), { a }), Object.assign(new Date(1), { a: b })))
    assert.isFalse(equals(Object.assign(new Date(1), { a }), Object.assign(new Date(2), { a })))
  })

  it("distinguishes the kinds of options and results around an opaque object", () => {
    const blob = new Blob([])
    const kinds = [Option.some(blob), Result.succeed(blob), Result.fail(blob), { value: blob }, {
      _tag: "Some",
      value: blob
    }]
    kinds.forEach((self, i) => kinds.forEach((that, j) => assert.strictEqual(equals(self, that), i === j)))
    assert.isFalse(equals(Option.some({ blob }), Option.none()))
    assert.isFalse(equals({ _tag: "Some" }, Option.some({ blob })))
    assert.isTrue(equals(Object.assign(Option.some(blob), { note: 1 }), Option.some(blob)))
  })

  it("an object that the program marked by reference compares by identity and is not read", () => {
    const marked = Equal.byReferenceUnsafe({ blob: new Blob([]) })
    assert.isTrue(isByReference(marked))
    assert.isTrue(isByReference(Equal.byReference({ a: 1 })))
    assert.isFalse(isByReference({ a: 1 }))
    assert.isFalse(isByReference(new Blob([])))
    assert.isFalse(equals(marked, { ...marked }))
    assert.isTrue(equals({ marked }, { marked }))
    assert.isFalse(equals({ marked }, { marked: Equal.byReferenceUnsafe({ ...marked }) }))
    assert.strictEqual(hash({ marked }), hash({ marked }))
    class Costly {
      get contents(): unknown {
        throw new Error("was read")
      }
    }
    const costly = Equal.byReferenceUnsafe(new Costly())
    assert.isTrue(equals({ costly }, { costly }))
    assert.strictEqual(hash({ costly }), hash({ costly }))
  })

  it.each([1, 1000])("what a marked object holds changes no hash around it and %i other parts", (length) => {
    const owner: { blob?: Blob } = Equal.byReferenceUnsafe({})
    const part = Array.from({ length }, (_, i) => i)
    const before = hash({ owner, part })
    owner.blob = new Blob([])
    assert.strictEqual(hash({ owner, part }), before)
  })

  it("only Equal decides about an object that implements it, whatever its properties are", () => {
    const [one, two] = [new Ticket(1, new Blob([])), new Ticket(1, new Blob([]))]
    assert.isTrue(equals(one, two))
    assert.isTrue(equals([one], [two]))
    assert.strictEqual(hash([one]), Hash.hash([one]))
  })

  it("reads a prototype once", () => {
    let reads = 0
    const prototype = new Proxy({}, {
      ownKeys: () => {
        reads++
        return []
      }
    })
    for (let i = 0; i < 3; i++) assert.isFalse(isOpaque(Object.create(prototype)))
    assert.strictEqual(reads, 1)
  })

  it("a global class makes no object transparent", () => {
    Object.defineProperty(globalThis, "Opaque", { configurable: true, value: Promise })
    try {
      assert.isTrue(isOpaque(Promise.resolve()))
    } finally {
      Reflect.deleteProperty(globalThis, "Opaque")
    }
  })

  it("searches a small structure each time, and a large one once", () => {
    const make = (length: number) => ({ parts: Array.from({ length }, (): { blob?: Blob } => ({})) })
    const [small, other] = [make(1), make(1)]
    assert.isTrue(equals(small, other))
    small.parts[0]!.blob = new Blob([])
    assert.isFalse(equals(small, other))
    const large = make(1000)
    const before = hash(large)
    large.parts[0]!.blob = new Blob([])
    assert.strictEqual(hash(large), before)
  })

  it("a getter that hashes or compares its own object gets what Effect's functions return", () => {
    const hashing = (hashIt: (value: unknown) => number) => ({
      get self(): number {
        return hashIt(this)
      }
    })
    assert.strictEqual(hash(hashing(hash)), Hash.hash(hashing(Hash.hash)))
    const answers: Array<boolean> = []
    const other = { part: {}, same: true }
    const comparing = {
      part: {},
      get same(): boolean {
        answers.push(equals(this, other))
        return answers.at(-1)!
      }
    }
    assert.isTrue(equals(comparing, other))
    assert.notInclude(answers, false)
  })

  it("reads an object a few times if its getters hash and compare the object itself", () => {
    for (const prototype of [Object.prototype, Point.prototype]) {
      let reads = 0
      const make = (): object =>
        Object.defineProperty(Object.create(prototype), "self", {
          enumerable: true,
          get(this: object) {
            reads++
            const mine = hash(this)
            return mine === hash(other) && equals(this, other) && equals(other, this)
          }
        })
      const other = make()
      for (const operation of [hash, hashOf, (one: object) => equals(one, other), equals.bind(null, other)]) {
        reads = 0
        operation(make())
        assert.isBelow(reads, 100)
      }
    }
  })

  it("hashes and compares as before after a stack overflow", () => {
    const make = () => ({
      get deep() {
        return overflow()
      }
    })
    const overflow = (): number => ends ? 1 : hash(make()) + Number(equals(make(), make()))
    let ends = false
    const [one, two] = [make(), make()]
    // SpiderMonkey throws an InternalError.
    assert.throws(() => hash(one), /call stack|recursion/)
    assert.throws(() => equals(one, two), /call stack|recursion/)
    ends = true
    assert.strictEqual(hash(one), hash({ deep: 1 }))
    assert.isTrue(equals(one, two))
  })

  it("an object that only inherits from a built-in class is opaque", () => {
    // A page has shared memory only if it is isolated from other origins.
    const shared = typeof SharedArrayBuffer === "undefined" ? [] : [SharedArrayBuffer]
    for (
      const { prototype } of [Array, Map, Set, Date, RegExp, ArrayBuffer, ...shared, DataView, Uint8Array, Blob]
    ) {
      const [self, that]: [object, object] = [Object.create(prototype), Object.create(prototype)]
      assert.isTrue(isOpaque(self))
      assert.isFalse(equals(self, that))
      assert.isUndefined(hashOf(self))
    }
  })

  it("an object with Hash alone or with Equal alone compares itself", () => {
    class Hashing extends EventTarget {
      [Hash.symbol](): number {
        return 5
      }
    }
    class Comparing extends EventTarget {
      [Equal.symbol](): boolean {
        return true
      }
    }
    assert.deepStrictEqual([isOpaque(new Hashing()), isOpaque(new Comparing())], [false, false])
    assert.strictEqual(hashOf(new Hashing()), 5)
  })

  it("a function is only equal to itself, unless it implements Equal", () => {
    const f = () => 1
    assert.isUndefined(hashOf(f))
    assert.strictEqual(hash(f), hash(f))
    assert.isTrue(equals(f, f))
    assert.isFalse(equals(f, () => 1))
    assert.strictEqual(hashOf(Object.assign(() => 1, { [Hash.symbol]: () => 3, [Equal.symbol]: () => true })), 3)
    assert.deepStrictEqual([hashOf("a"), hashOf(1), hashOf(null)], [Hash.hash("a"), Hash.hash(1), Hash.hash(null)])
  })

  it("throws the error of a dead proxy", () => {
    const { collect, heap } = TestHeap.makeUnsafe()
    const referent = { a: 1 }
    const proxy = WeakProxy.makeUnsafe(referent, heap)
    collect(referent)
    for (const operation of [isOpaque, hash, hashOf, (u: unknown) => equals(u, {}), (u: unknown) => equals({}, u)]) {
      assert.throws(() => operation(proxy), DeadReferenceError)
    }
  })

  it("compares and hashes again after a result, and after an error", () => {
    const [a, b] = [new Blob([]), new Blob([])]
    const [one, two] = [{ a: [a], n: 1 }, { a: [b], n: 1 }]
    for (let round = 0; round < 3; round++) {
      assert.isFalse(equals(one, two))
      assert.isFalse(equals(two, one))
      assert.isTrue(equals(one, { a: [a], n: 1 }))
      assert.strictEqual(hash(one), hash({ a: [a], n: 1 }))
    }
    two.a = [a]
    assert.isTrue(equals(one, two))
  })

  it("compares a cycle with each partner that it meets", () => {
    interface Node {
      readonly blob: Blob
      next?: Node
    }
    const [a, b] = [new Blob([]), new Blob([])]
    const loop = (blob: Blob): Node => {
      const node: Node = { blob }
      node.next = node
      return node
    }
    assert.isTrue(equals(loop(a), loop(a)))
    assert.isTrue(equals(loop(a), { blob: a, next: loop(a) }))
    assert.isFalse(equals(loop(a), { blob: a, next: loop(b) }))
    assert.isFalse(equals({ blob: a, next: loop(b) }, loop(a)))
  })

  it("reads what an object inherits around an opaque object, but not its constructor", () => {
    const [a, b] = [new Blob([]), new Blob([])]
    assert.isTrue(equals(new Celsius(1), new Fahrenheit(1)))
    for (
      const make of [(part: object) => new Celsius(part as never), (part: object) => new Fahrenheit(part as never)]
    ) {
      assert.isTrue(equals(make(a), new Celsius(a as never)))
      assert.isFalse(equals(make(a), new Celsius(b as never)))
      assert.strictEqual(hash(make(a)), hash(new Celsius(a as never)))
    }
    const inherited: ReadonlyArray<(part: object) => object> = [
      (part) => Object.create({ part }),
      (part) => Object.create({ part: { part } }),
      (part) =>
        Object.create({
          get part() {
            return part
          }
        }),
      (part) => {
        class Owner {
          declare part: object
        }
        Owner.prototype.part = part
        return new Owner()
      }
    ]
    for (const make of inherited) {
      assert.isTrue(equals(make(a), make(a)))
      assert.isFalse(equals(make(a), make(b)))
      assert.strictEqual(hash(make(a)), hash(make(a)))
    }
  })

  it("does not remember the hash of a flat object", () => {
    const key = { a: 1 }
    const before = hash(key)
    assert.strictEqual(hash({ a: 1 }), before)
    key.a = 2
    assert.notStrictEqual(hash(key), before)
    assert.strictEqual(hash(key), hash({ a: 2 }))
  })

  it("hashes an instance as Effect does, flat or not", () => {
    const cycle: { self?: object } = {}
    cycle.self = cycle
    for (
      const value of [new Celsius(1), { a: 1 }, { a: { b: 1 } }, [1], { [Symbol.toStringTag]: "a", b: 1 }, cycle, [
        cycle
      ]]
    ) {
      assert.strictEqual(hash(value), Hash.hash(value))
    }
  })

  it("a value is short if it has fewer than 256 parts, 1,000 characters of JSON, and nothing opaque", () => {
    const zeros = (length: number) => Array.from({ length }, () => 0)
    assert.deepStrictEqual([isShort(zeros(255)), isShort(zeros(256))], [true, false])
    assert.deepStrictEqual([isShort([zeros(100), zeros(151)]), isShort([zeros(100), zeros(152)])], [true, false])
    assert.deepStrictEqual([isShort("x".repeat(998)), isShort("x".repeat(999))], [true, false])
    assert.deepStrictEqual([isShort({ blob: new Blob([]) }), isShort(new Blob([])), isShort(1n)], [false, false, false])
    assert.deepStrictEqual([isShort({ a: [1] }), isShort(null), isShort(zeros(1))], [true, true, true])
  })

  it("the parts of a value are the properties that its JSON may have, not methods of its class", () => {
    class Cell {
      one(): void {}
      two(): void {}
    }
    assert.isTrue(isShort(Array.from({ length: 100 }, () => new Cell())))
    const blob = new Blob([])
    for (const marked of [{ blob }, [blob], new Map([[1, blob]])]) {
      assert.isFalse(isShort(Equal.byReferenceUnsafe(marked)))
    }
  })

  it("throws the errors of getters and of Equal, as Effect does", () => {
    const fails = () => ({
      get a(): unknown {
        throw new Error("getter")
      }
    })
    assert.throws(() => hash(fails()), /getter/)
    assert.throws(() => hash([new Blob([]), fails()]), /getter/)
    class Fails {
      get a(): unknown {
        throw new Error("getter")
      }
      get b(): Blob {
        return new Blob([])
      }
    }
    assert.throws(() => equals(new Fails(), {}), /getter/)
  })

  it("the strict form separates prototypes at every depth", () => {
    const pairs: ReadonlyArray<readonly [object, object]> = [
      [new Celsius(20), new Fahrenheit(20)],
      [new Celsius(20), { degrees: 20 }],
      [{ x: 1 }, Object.assign(Object.create(null), { x: 1 })],
      [[1, 2], Stack.of(1, 2)],
      [new Map([[1, 2]]), new Registry([[1, 2]])],
      [new Uint8Array([1]), hasNode ? Buffer.from([1]) : new Uint8ClampedArray([1])]
    ]
    for (const [self, that] of pairs) {
      assert.isFalse(equalsStrictly(self, that))
      for (const wrap of Object.values(around)) {
        assert.isFalse(equalsStrictly(wrap(self), wrap(that)))
        assert.isTrue(equalsStrictly(wrap(self), wrap(self)))
      }
    }
    assert.isTrue(equalsStrictly(
      new Set<object>([new Celsius(1), new Fahrenheit(1)]),
      new Set<object>([new Fahrenheit(1), new Celsius(1)])
    ))
    assert.isTrue(equalsStrictly(new Set([null, {}]), new Set([{}, null])))
  })

  it("the strict form finds a partner that is equal, and not only of the same kind", () => {
    for (const make of [(n: number) => new Ticket(n, {}), (n: number) => new Date(n)]) {
      const self = new Set([[make(1), new Celsius(1)], [make(2), new Fahrenheit(1)]])
      const that = new Set([[make(1), new Fahrenheit(1)], [make(2), new Celsius(1)]])
      assert.isTrue(equals(self, that))
      assert.isFalse(equalsStrictly(self, that))
    }
  })

  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom<unknown>(0, -0, 1, NaN, "a", "b", null, undefined, true, 1n, Symbol.iterator, Math.max),
      fc.constantFrom<() => unknown>(
        () => new Date(1),
        () => /a/,
        () => new Uint8Array([1]),
        () => Option.some({ a: 1 }),
        () => Equal.byReferenceUnsafe({ a: 1 })
      ).map((make) => make()),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3 }),
      fc.array(tie("value"), { maxLength: 3 }).map((items) => new Set(items)),
      fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 2 }).map((items) => new Map(items)),
      tie("value").map((degrees) => new Celsius(degrees as number)),
      tie("value").map((degrees) => new Fahrenheit(degrees as number))
    )
  })).value

  it("is Effect's equality for values without opaque objects", () => {
    fc.assert(
      fc.property(value, value, (self, that) => {
        assert.strictEqual(equals(self, that), Equal.equals(self, that))
        assert.strictEqual(equals(self, self), Equal.equals(self, self))
        if (equals(self, that)) assert.strictEqual(hash(self), hash(that))
        if (equalsStrictly(self, that)) assert.isTrue(equals(self, that))
      }),
      { numRuns: 500 }
    )
  })

  it("compares a structure around an opaque object as Effect compares it around an equal primitive", () => {
    const blobs = [new Blob([]), new Blob([])]
    /** Puts a blob in place of each `"a"` and `"b"`. */
    const withBlobs = (u: unknown): unknown => {
      if (u === "a" || u === "b") return blobs[u === "a" ? 0 : 1]
      if (Array.isArray(u)) return u.map(withBlobs)
      if (u instanceof Set) return new Set([...u].map(withBlobs))
      if (u instanceof Map) return new Map([...u].map(([k, v]) => [withBlobs(k), withBlobs(v)]))
      if (u instanceof Celsius) return new Celsius(withBlobs(u.degrees) as number)
      if (u instanceof Fahrenheit) return new Fahrenheit(withBlobs(u.degrees) as number)
      if (typeof u === "object" && u !== null && Object.getPrototypeOf(u) === null) {
        return Object.assign(
          Object.create(null),
          Object.fromEntries(Object.entries(u).map(([k, v]) => [k, withBlobs(v)]))
        )
      }
      return u
    }
    fc.assert(
      fc.property(value, value, (self, that) => {
        for (const [a, b] of [[self, that], [self, self]]) {
          const [left, right] = [withBlobs(a), withBlobs(b)]
          assert.strictEqual(equals(left, right), Equal.equals(a, b))
          if (equals(left, right)) assert.strictEqual(hash(left), hash(right))
        }
      }),
      { numRuns: 500 }
    )
  })
})
