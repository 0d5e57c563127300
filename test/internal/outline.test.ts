import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import * as fc from "fast-check"
import { inspect } from "node:util"
import { Interner, WeakKeyMap, WeakProxy, WeakRef, WeakSet, WeakValueMap } from "../../src/index.ts"
import { outline } from "../../src/internal/outline.ts"
import { TestHeap } from "../../src/testing/index.ts"

const setOf = (elements: Iterable<object>): WeakSet.WeakSet<object> =>
  WeakSet.addAll(WeakSet.makeUnsafe<object>(), elements)

/** Every way in which a program prints a collection. */
const prints = (collection: { toJSON(): unknown; toString(): string }): ReadonlyArray<string> => [
  String(collection),
  JSON.stringify(collection),
  inspect(collection, { depth: Infinity })
]

/** Objects that refer to each other like the nodes and the fibers of React. */
const canvas = (size: number): object => {
  const nodes = Array.from({ length: size }, (_, i): Record<string, unknown> => ({ i, text: "x".repeat(1000) }))
  nodes.forEach((node, i) => {
    for (let j = 0; j < 30; j++) node[`link${j}`] = nodes[(i * 7 + j * 13) % size]
    node["all"] = nodes
  })
  return nodes[0]!
}

describe("outline", () => {
  it("returns a small value as it is", () => {
    const value = { a: 1, b: ["x", null, undefined, true], c: { d: {} } }
    assert.deepStrictEqual(outline(value), value)
    assert.deepStrictEqual(outline([1, 2]), [1, 2])
  })

  it("has the same bound each time", () => {
    const lists = Array.from({ length: 15 }, () => Array.from({ length: 15 }, (_, i) => i))
    const first = outline(lists)
    assert.deepStrictEqual((first as ReadonlyArray<unknown>)[0], lists[0])
    for (let round = 0; round < 20; round++) assert.deepStrictEqual(outline(lists), first)
    const sets = lists.map((list) => setOf(list.map((id) => ({ id }))))
    const printed = sets.map(String)
    assert.deepStrictEqual(sets.map(String), printed)
    // The second time after everything that the bound allows was used.
    for (const value of [Option.some([1, 2]), { toJSON: () => [1, 2] }, setOf([{ id: 1 }])]) {
      const before = JSON.stringify(outline(value))
      outline(lists)
      assert.strictEqual(JSON.stringify(outline(value)), before)
      outline(lists)
      assert.strictEqual(JSON.stringify(value), before)
    }
  })

  it("prints the first parts, and how many more there are", () => {
    const numbers = Array.from({ length: 1000 }, (_, i) => i)
    assert.deepStrictEqual(outline(numbers), [...numbers.slice(0, 20), "… 980 more"])
    assert.deepStrictEqual(outline(new Set(numbers)), { _id: "Set", values: numbers.slice(0, 20), more: 980 })
    assert.deepStrictEqual(outline(new Map([["a", 1n]])), { _id: "Map", values: [["a", "1n"]] })
    const wide = Object.fromEntries(numbers.map((i) => [`key${i}`, i]))
    assert.strictEqual((outline(wide) as Record<string, unknown>)["…"], "980 more")
    assert.strictEqual(outline("x".repeat(1000)), `${"x".repeat(100)}… (1000 characters)`)
  })

  it("cuts each text after 100 characters", () => {
    const [fits, long] = ["x".repeat(100), "x".repeat(101)]
    const named = (name: string) => Object.defineProperty(() => {}, "name", { value: name })
    assert.deepStrictEqual(outline([fits, long, 10n ** 98n, 10n ** 99n]), [
      fits,
      `${fits}… (101 characters)`,
      `1${"0".repeat(98)}n`,
      `1${"0".repeat(99)}… (101 characters)`
    ])
    assert.deepStrictEqual(outline([named(fits), named(long), named(""), named("f")]), [
      `[Function: ${fits}]`,
      `[Function: ${fits}]`,
      "[Function: anonymous]",
      "[Function: f]"
    ])
    assert.deepStrictEqual(outline({ [long]: 1 }), { [fits]: 1 })
    const tagged = (tag: string) => Object.defineProperty({}, Symbol.toStringTag, { value: tag })
    assert.deepStrictEqual(outline([tagged("Tag"), tagged(long)]), ["[object Tag]", `[object ${fits}]`])
    assert.strictEqual(outline(new Error(long)), `Error: ${"x".repeat(93)}… (108 characters)`)
  })

  it("prints 20 parts of a value, 200 values together, and eight objects inside each other", () => {
    const numbers = (length: number) => Array.from({ length }, (_, i) => i)
    assert.deepStrictEqual(outline(numbers(20)), numbers(20))
    assert.deepStrictEqual(outline(numbers(21)), [...numbers(20), "… 1 more"])
    const object = (length: number) => Object.fromEntries(numbers(length).map((i) => [`k${i}`, i]))
    assert.deepStrictEqual(outline(object(20)), object(20))
    assert.deepStrictEqual(outline(object(21)), { ...object(20), "…": "1 more" })
    assert.deepStrictEqual(outline(new Set(numbers(20))), { _id: "Set", values: numbers(20) })
    assert.deepStrictEqual(outline(new Map([[1, { a: [2] }]])), { _id: "Map", values: [[1, { a: [2] }]] })
    // Ten lists of 19 and the list of them are 200 values without the outermost.
    const lists = numbers(11).map(() => numbers(19))
    assert.deepStrictEqual(outline(lists.slice(0, 10)), lists.slice(0, 10))
    assert.deepStrictEqual(outline(lists), [...lists.slice(0, 10), "… 1 more"])
    const full = numbers(10).map(() => numbers(20))
    assert.deepStrictEqual(outline(full), [
      ...full.slice(0, 9),
      [...numbers(10), "… 10 more"]
    ])
    const nested = (depth: number): unknown => depth === 0 ? { end: 1 } : { a: nested(depth - 1) }
    assert.deepStrictEqual(outline(nested(7)), nested(7))
    assert.strictEqual(
      JSON.stringify(outline(nested(8))),
      JSON.stringify(nested(8)).replace(`{"end":1}`, `"[object Object]"`)
    )
  })

  it("prints the tag of the nearest class that has a name", () => {
    const nameless = (() => class extends EventTarget {})()
    Object.defineProperty(nameless, "name", { value: "" })
    assert.strictEqual(outline(new nameless()), "[object EventTarget]")
    assert.deepStrictEqual(outline([new ArrayBuffer(3), new DataView(new ArrayBuffer(2)), Math]), [
      "[object ArrayBuffer] (3 bytes)",
      "[object DataView] (2 bytes)",
      "[object Math]"
    ])
    const bare: object = Object.create(null)
    let deep: unknown = bare
    for (let n = 0; n < 8; n++) deep = [deep]
    assert.strictEqual(JSON.stringify(outline(deep)), `${"[".repeat(8)}"[object Object]"${"]".repeat(8)}`)
  })

  it("prints a part that throws as the language does, and the rest as usual", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const expected = [1, "[An object that cannot be printed]", { a: "[object Undefined]", b: 2 }]
    const value = [1, proxy, {
      get a() {
        return assert.fail("getter")
      },
      b: 2
    }]
    for (let round = 0; round < 3; round++) assert.deepStrictEqual(outline(value), expected)
  })

  it("prints an opaque object as its tag and runs no getter of it", () => {
    class Widget extends EventTarget {
      get size(): number {
        throw new Error("was read")
      }
    }
    assert.strictEqual(outline(new Blob([])), "[object Blob]")
    assert.strictEqual(outline(Promise.resolve()), "[object Promise]")
    assert.strictEqual(outline(new Widget()), "[object Widget]")
    assert.strictEqual(outline(Object.create(Blob.prototype)), "[object Blob]")
    assert.deepStrictEqual(outline({ blob: new Blob([]), bytes: new Uint8Array(9) }), {
      blob: "[object Blob]",
      bytes: "[object Uint8Array] (9 bytes)"
    })
  })

  it("respects toJSON and redaction, and marks cycles", () => {
    assert.deepStrictEqual(outline({ secret: Redacted.make("password"), some: Option.some(1) }), {
      secret: "<redacted>",
      some: { _id: "Option", _tag: "Some", value: 1 }
    })
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    assert.deepStrictEqual(outline(cycle), { self: "[Circular]" })
    const later = { part: { end: 1 }, self: cycle }
    cycle.self = later
    assert.deepStrictEqual(outline(later), { part: { end: 1 }, self: { self: "[Circular]" } })
    assert.deepStrictEqual(outline([{}, [later.part], later.part]), [{}, [{ end: 1 }], { end: 1 }])
    assert.deepStrictEqual(outline([new Date(0), /a/g, new Error("b")]), [
      "1970-01-01T00:00:00.000Z",
      "/a/g",
      "Error: b"
    ])
  })

  it("never throws", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const throwing = {
      get a(): unknown {
        throw new Error("getter")
      },
      b: {
        toJSON() {
          throw new Error("toJSON")
        }
      }
    }
    for (const value of [proxy, throwing, { proxy }, [throwing], Object.create(null), globalThis, inspect]) {
      assert.isString(JSON.stringify(outline({ value })))
    }
    fc.assert(fc.property(fc.anything({ withBigInt: true, withMap: true, withSparseArray: true }), (value) => {
      assert.isString(JSON.stringify(outline([value])))
    }))
  })
})

describe("printing a collection", () => {
  const big = canvas(1000)

  it("is bounded, whatever its entries reach", () => {
    const entries = [big, ...Array.from({ length: 30 }, () => canvas(100))]
    for (
      const collection of [
        setOf(entries),
        WeakKeyMap.setAll(WeakKeyMap.makeUnsafe<object, object>(), entries.map((entry) => [entry, entry] as const)),
        WeakValueMap.setAll(WeakValueMap.makeUnsafe<number, object>(), entries.map((entry, i) => [i, entry] as const)),
        setOf([setOf(entries), WeakRef.makeUnsafe(big)])
      ]
    ) {
      for (const text of prints(collection)) assert.isBelow(text.length, 40_000)
    }
  })

  it("says how many more entries there are", () => {
    const elements = Array.from({ length: 50 }, (_, i) => ({ i }))
    const set = setOf(elements)
    assert.include(String(set), `{"i":19}]`)
    assert.include(String(set), "and 30 more")
    assert.deepStrictEqual(set.toJSON(), { _id: "WeakSet", values: elements.slice(0, 20), more: 30 })
    const interner = Interner.makeUnsafe<object>()
    elements.forEach((element) => Interner.intern(interner, element))
    assert.deepStrictEqual(interner.toJSON(), { _id: "Interner", values: elements.slice(0, 20), more: 30 })
  })

  it("ends if a collection contains itself", () => {
    const set = WeakSet.makeUnsafe<object>()
    WeakSet.add(set, set)
    WeakSet.add(set, { set })
    for (const text of prints(set)) assert.include(text, "[Circular]")
  })

  it.effect("never fails at a dead proxy", () =>
    Effect.gen(function*() {
      const target = { a: 1 }
      const proxy = yield* WeakProxy.make(target)
      const set = setOf([proxy, { proxy }])
      yield* TestHeap.collect(target)
      for (const text of prints(set)) assert.include(text, "WeakProxy: collected")
    }).pipe(Effect.provide(TestHeap.layer)))
})
