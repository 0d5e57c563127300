/** The programs that the laws run: which they are, and whether they do what a counterexample says. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Hash } from "effect"
import * as fc from "fast-check"
import * as Collections from "../../src/internal/testing/laws/collections.ts"
import * as Equality from "../../src/internal/testing/laws/equality.ts"
import * as Finalizer from "../../src/internal/testing/laws/finalizer.ts"
import { type Check, Trace } from "../../src/internal/testing/laws/law.ts"
import * as ProxyLaws from "../../src/internal/testing/laws/proxy.ts"
import * as Reference from "../../src/internal/testing/laws/reference.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import * as Laws from "../../src/testing/Laws.ts"
import { skip } from "../support/host.ts"
import {
  forcesCollections,
  KeyMap,
  makeComparedReference,
  makeProxy,
  makeRegister,
  setOf,
  ValueMap,
  Wrapped
} from "../support/lawSubjects.ts"

/** Returns the steps of the programs that a law runs, in one list for each program. */
const programsOf = async (law: Check, numRuns: number): Promise<ReadonlyArray<ReadonlyArray<string>>> => {
  const programs = new Map<Trace, Array<string>>()
  const { note, quietly } = Trace.prototype
  const add = (trace: Trace, step: string) => {
    const steps = programs.get(trace) ?? []
    programs.set(trace, steps)
    steps.push(step)
  }
  Trace.prototype.note = function(step) {
    add(this, step)
    return note.call(this, step)
  }
  // A counterexample has these steps only if they matter, but each program runs them.
  Trace.prototype.quietly = function<A>(step: string, run: () => A): A {
    add(this, step)
    return quietly.call(this, step, run) as A
  }
  try {
    assert.isUndefined(await law.run({ seed: 1, numRuns }, { aborted: false }))
  } finally {
    Object.assign(Trace.prototype, { note, quietly })
  }
  return [...programs.values()]
}

const table = { compare: "reference", ordered: true } as const

/** Makes the laws of a group for a correct subject. */
const correct: Readonly<Record<string, () => ReadonlyArray<Check>>> = {
  equality: () => Equality.laws((heap) => (key: Arbitraries.Key) => new Wrapped(key, heap), Arbitraries.keys()),
  reference: () => Reference.laws<object>(makeComparedReference, Arbitraries.keys()),
  proxy: () => ProxyLaws.laws(makeProxy, () => true),
  finalizer: () => Finalizer.laws<object>(makeRegister, Arbitraries.keys()),
  weakValueMap: () =>
    Collections.laws({
      ...table,
      name: "weakValueMap",
      weak: "value",
      make: (heap) => Collections.ofMap(new ValueMap(heap)),
      keys: Collections.strings,
      strangeKeys: Collections.strangeStrings
    }),
  structural: () =>
    Collections.laws<Arbitraries.Key>({
      ...table,
      name: "structural",
      weak: "value",
      compare: "structural",
      make: (heap) => {
        // Equal keys have equal ids.
        const [map, keys] = [new ValueMap(heap), new Map<string, Arbitraries.Key>()]
        return Collections.ofMap<Arbitraries.Key>({
          get: ({ id }) => map.get(`${id}`),
          has: ({ id }) => map.has(`${id}`),
          set: (key, value) => {
            if (!map.has(`${key.id}`)) keys.set(`${key.id}`, key)
            map.set(`${key.id}`, value)
          },
          delete: ({ id }) => map.delete(`${id}`),
          *[Symbol.iterator]() {
            for (const [id, value] of map) yield [keys.get(id)!, value]
          },
          get size() {
            return map.size
          }
        })
      },
      keys: Arbitraries.keys()
    }),
  weakKeyMap: () =>
    Collections.laws<object>({
      ...table,
      name: "weakKeyMap",
      weak: "key",
      make: (heap) => Collections.ofMap(new KeyMap(heap)),
      keys: Arbitraries.keys()
    }),
  weakSet: () =>
    Collections.laws<object>({
      ...table,
      name: "weakSet",
      weak: "element",
      make: (heap) => Collections.ofSet(setOf(new KeyMap(heap))),
      keys: Arbitraries.keys()
    })
}

/** A hash of all steps of the first programs of seed 1. */
const hashes: Readonly<Record<string, number>> = {
  "equality: is reflexive": -824432123,
  "equality: is symmetric": 499634533,
  "equality: is transitive": 789834981,
  "equality: equal values have equal hashes": -733029563,
  "equality: is stable after death": 392806149,
  "reference: dereferences to its referent while it is alive": -775463427,
  "reference: dereferences to nothing after collection": 749260859,
  "reference: stays dead": 472824318,
  "reference: a new reference does not revive an old one": 563056421,
  "reference: equal references have equal referents and hashes": -996420347,
  "proxy: reads like its target": -481776112,
  "proxy: writes like its target": -784424347,
  "proxy: calls and constructs like its target": 57868544,
  "proxy: fails every operation after collection": 275837783,
  "proxy: a new proxy does not revive an old one": 514481591,
  "finalizer: runs after its target is collected": 83787660,
  "finalizer: runs at most once": -746519389,
  "finalizer: does not run before its target is collected": -691333428,
  "finalizer: does not run after its registration ended": -720297723,
  "finalizer: does not depend on the order of collection": 785343294,
  "finalizer: ending one registration leaves the others of its target": 527731363,
  "finalizer: runs a callback once for each of its registrations": -99604701,
  "weakValueMap: agrees with a strong Map about live entries": 960709318,
  "weakValueMap: its size counts the live entries": -376577374,
  "weakValueMap: forgets an entry when its value is collected": 376542291,
  "weakValueMap: delete returns false if the entry is dead": 297309573,
  "weakValueMap: a clean-up does not remove an entry that was set later": -964720194,
  "weakValueMap: iterates soundly during mutation and collection": 754471358,
  "weakValueMap: keeps keys apart that look alike": 268840093,
  "weakValueMap: iterates in insertion order": -230608114,
  "structural: agrees with a strong Map about live entries": 371721927,
  "structural: its size counts the live entries": 60799567,
  "structural: forgets an entry when its value is collected": 347501484,
  "structural: delete returns false if the entry is dead": -23954363,
  "structural: a clean-up does not remove an entry that was set later": -925451066,
  "structural: iterates soundly during mutation and collection": -468425356,
  "structural: iterates in insertion order": -937702070,
  "weakKeyMap: agrees with a strong Map about live entries": 566442651,
  "weakKeyMap: its size counts the live entries": 1045863440,
  "weakKeyMap: forgets an entry when its key is collected": -918878356,
  "weakKeyMap: delete returns false if the entry is dead": -854614779,
  "weakKeyMap: a clean-up does not remove an entry that was set later": 128581969,
  "weakKeyMap: iterates soundly during mutation and collection": 298357972,
  "weakKeyMap: iterates in insertion order": 833090371,
  "weakSet: agrees with a strong Set about live entries": -644625469,
  "weakSet: its size counts the live elements": 443456501,
  "weakSet: forgets an element when its element is collected": 921648689,
  "weakSet: delete returns false if the element is dead": -258525755,
  "weakSet: a clean-up does not remove an element that was added later": -586082135,
  "weakSet: iterates soundly during mutation and collection": 940877916,
  "weakSet: iterates in insertion order": -724622261
}

describe("seed", () => {
  // A user keeps the seed of a counterexample in a test, so the seed must lead to the same mistake in the next version too.
  // If these numbers change, such tests run other programs, and the changelog must say so.
  for (const [name, hash] of Object.entries(hashes)) {
    it(`runs the same programs as before: ${name}`, async () => {
      const law = correct[name.slice(0, name.indexOf(":"))]!().find((law) => law.name === name)!
      const programs = await programsOf(law, 40)
      assert.strictEqual(Hash.string(programs.map((steps) => steps.join("\n")).join("\n\n")), hash)
    })
  }

  it("is that of every law which forces no collections", () => {
    const names = Object.values(correct).flatMap((laws) => laws()).filter((law) => !forcesCollections(law))
    assert.deepStrictEqual(Object.keys(hashes), names.map(({ name }) => name))
  })
})

type Log = Array<string>

const print = (value: unknown, proxy: unknown): string =>
  value === proxy
    ? "itself"
    : typeof value === "function"
    ? "method"
    : typeof value === "symbol"
    ? "mark"
    : typeof value === "object" && value !== null
    ? "object"
    : Object.is(value, -0)
    ? "-0"
    : typeof value === "bigint"
    ? `${value}n`
    : JSON.stringify(value) ?? "undefined"

function shell() {}

/** A proxy whose traps do nothing but write a log. Each of its properties is a function that does the same. */
const makeLogging = (log: Log): object => {
  const add = (...words: ReadonlyArray<unknown>) => {
    const line = words.map((word) => typeof word === "string" ? word : print(word, proxy)).join(" ")
    // An operation may look at a property before it uses it.
    if (log.at(-1) !== line) log.push(line)
  }
  const name = (key: PropertyKey) => typeof key === "symbol" && key.description === "mark" ? "mark" : String(key)
  const proxy: object = new Proxy(shell.bind(undefined), {
    get: (_, key) => {
      add("get", name(key))
      return (...args: ReadonlyArray<unknown>) => add("call", name(key), ...args.map((arg) => print(arg, proxy)))
    },
    set: (_, key, value) => {
      add("set", name(key), print(value, proxy))
      return true
    },
    has: (_, key) => {
      add("has", name(key))
      return false
    },
    deleteProperty: (_, key) => {
      add("delete", name(key))
      return true
    },
    ownKeys: () => {
      add("ownKeys")
      return []
    },
    getOwnPropertyDescriptor: (_, key) => {
      add("describe", name(key))
      return undefined
    },
    defineProperty: (_, key, { configurable, value }) => {
      add("define", name(key), print(value, proxy), configurable === true ? "configurable" : "fixed")
      return true
    },
    getPrototypeOf: () => {
      add("getPrototypeOf")
      return null
    },
    setPrototypeOf: (_, prototype) => {
      add("setPrototypeOf", print(prototype, proxy))
      return true
    },
    isExtensible: () => {
      add("isExtensible")
      return true
    },
    preventExtensions: () => {
      add("preventExtensions")
      return false
    },
    apply: (_, __, args) => add("apply", ...args.map((arg: unknown) => print(arg, proxy))),
    construct: (_, args) => {
      add("construct", ...args.map((arg: unknown) => print(arg, proxy)))
      return {}
    }
  })
  return proxy
}

const logOf = (run: (proxy: object) => unknown): ReadonlyArray<string> => {
  const log: Log = []
  run(makeLogging(log))
  return log
}

/** Compiles an expression. Some hosts do not compile code. */
const evaluate = (parameters: ReadonlyArray<string>, code: string): (...args: ReadonlyArray<unknown>) => unknown => {
  try {
    return new Function(...parameters, `return ${code}`) as (...args: ReadonlyArray<unknown>) => unknown
  } catch (error) {
    if (error instanceof SyntaxError) throw error
    return skip("compiles code")
  }
}

const mark = Symbol("mark")

class Counter {
  #count = 1
  get count(): unknown {
    return this.#count
  }
  set count(value) {
    this.#count = value as number
  }
}

const inherited = "call the methods that proxy inherits"

const sampleOf = <A extends { readonly text: string }>(operations: fc.Arbitrary<A>): ReadonlyArray<A> =>
  [...new Map(fc.sample(operations, { numRuns: 3000, seed: 1 }).map((operation) => [operation.text, operation]))
    .values()]
    .filter(({ text }) => text !== inherited)

const operations = {
  read: sampleOf(ProxyLaws.read),
  write: sampleOf(ProxyLaws.write),
  call: sampleOf(ProxyLaws.call),
  traps: ProxyLaws.traps,
  callTraps: ProxyLaws.callTraps
}

describe("operations on a proxy", () => {
  for (const [name, all] of Object.entries(operations)) {
    it(`do what their texts say: ${name}`, () => {
      for (const { run, text } of all) {
        const code = text.replaceAll("Symbol(\"mark\")", "mark")
        const evaluated = evaluate(["proxy", "Counter", "mark", "object", "method", "itself"], code)
        assert.deepStrictEqual(
          logOf(run),
          logOf((proxy) => evaluated(proxy, Counter, mark, {}, () => {}, proxy)),
          text
        )
      }
    })
  }

  const keys = ["0", "a", "b", "count", "mark", "toString"]
  const values = ["\"text\"", "-0", "0", "1", "1n", "itself", "method", "null", "object", "true", "undefined"]
  const logs = (all: ReadonlyArray<{ readonly run: (proxy: object) => unknown }>) =>
    Array.from(new Set(all.flatMap(({ run }) => logOf(run)))).toSorted()

  it("read each key in each way", () => {
    const each = (trap: string) => keys.map((key) => `${trap} ${key}`)
    assert.deepStrictEqual(
      logs(operations.read),
      [
        ...keys.map((key) => `call ${key} 1`),
        ...each("describe"),
        ...each("get"),
        "getPrototypeOf",
        ...each("has"),
        "ownKeys"
      ].toSorted()
    )
    const texts = operations.read.map(({ text }) => text)
    assert.includeMembers(texts, ["typeof proxy", "Array.isArray(proxy)", "proxy instanceof Counter", "({ ...proxy })"])
  })

  it("write each value, and to each key", () => {
    const lines = logs(operations.write).map((line) => line.split(" "))
    const keysOf = (trap: string) =>
      Array.from(new Set(lines.filter(([first]) => first === trap).map(([, key]) => key)))
    const valuesOf = (trap: string) =>
      Array.from(new Set(lines.filter(([first]) => first === trap).map(([, , value]) => value))).toSorted()
    for (const trap of ["set", "define", "delete"]) assert.deepStrictEqual(keysOf(trap), keys)
    for (const trap of ["set", "define"]) assert.deepStrictEqual(valuesOf(trap), values)
    assert.isTrue(lines.every(([first, , , last]) => first !== "define" || last === "configurable"))
  })

  it("call only functions", () => {
    const { run } = operations.read.find(({ text }) => text === "proxy.a(1)")!
    assert.strictEqual(run({ a: 2 }), "no function")
    assert.strictEqual(run({ a: (argument: unknown) => argument }), 1)
  })

  it("call and construct with up to two arguments", () => {
    const lists = ["", " 1", " \"text\"", " 1 1", " 1 \"text\"", " \"text\" 1", " \"text\" \"text\""]
    assert.deepStrictEqual(
      logs(operations.call),
      ["apply", "construct"].flatMap((trap) => lists.map((list) => `${trap}${list}`)).toSorted()
    )
  })

  it("use each trap after the collection", () => {
    assert.deepStrictEqual([...operations.traps, ...operations.callTraps].map(({ run }) => logOf(run)), [
      ["get a"],
      ["has a"],
      ["set a 1"],
      ["delete a"],
      ["ownKeys"],
      ["describe a"],
      ["define a 1 configurable"],
      ["getPrototypeOf"],
      ["setPrototypeOf null"],
      ["isExtensible"],
      ["preventExtensions"],
      ["ownKeys"],
      ["ownKeys"],
      ["getPrototypeOf"],
      ["get Symbol(Symbol.toPrimitive)", "call Symbol(Symbol.toPrimitive) \"string\""],
      ["apply"],
      ["construct"]
    ])
  })
})

describe("targets of a proxy", () => {
  /** Objects that print like the ones of the laws. */
  const makers: Readonly<Record<string, () => object>> = {
    object: () => ({ a: 1, b: { c: [2] } }),
    "object without a prototype": () => Object.assign(Object.create(null), { a: 1 }),
    array: () => [3, 1, 2],
    instance: () => new Counter(),
    Map: () => new Map([["a", 1]]),
    function: () => function named() {},
    class: () =>
      class Given {
        readonly given: ReadonlyArray<unknown> = []
      }
  }
  const make = (base: ProxyLaws.Shape["base"], ...properties: ProxyLaws.Shape["properties"]): any =>
    ProxyLaws.build({ base, properties, frozen: false })

  it("are what the line says that introduces them", () => {
    const described = new Set<string>()
    for (const shape of fc.sample(ProxyLaws.anyShape, { numRuns: 300, seed: 1 })) {
      const text = ProxyLaws.describe(shape)
      const target = ProxyLaws.build(shape)
      const [, frozen, base, assigned] = /^(frozen )?([a-zA-Z ]+?)(?: with (.*))?$/.exec(text)!
      described.add(base!)
      const expected = makers[base!]!()
      // SpiderMonkey adds the properties of a function when they are first read.
      Reflect.ownKeys(expected)
      ;(assigned?.split(/, (?=[.[])/) ?? []).forEach((assignment, index) => {
        const code = `target${assignment.replace("Symbol(\"mark\")", "mark")}`
        const object = { nested: [shape.properties[index]![1].primitive] }
        evaluate(["target", "mark", "object", "method", "itself"], code)(expected, mark, object, () => {}, expected)
      })
      if (frozen !== undefined) Object.freeze(expected)
      const count = expected instanceof Counter ? ` with count ${ProxyLaws.view(expected.count, [expected])}` : ""
      assert.strictEqual(ProxyLaws.stateOf(target, target), `${ProxyLaws.stateOf(expected, expected)}${count}`, text)
    }
    assert.sameMembers([...described], Object.keys(makers))
  })

  it("tell how they were used", () => {
    assert.deepStrictEqual([make("function")(), make("function")(5)], ["no arguments", 5])
    assert.deepStrictEqual(new (make("class"))(1, 2).given, [1, 2])
    const counter = make("instance")
    assert.deepStrictEqual([counter.increment(2), counter.count, counter.chain() === counter], [3, 3, true])
    const { method } = make("object", ["method", { type: "method", primitive: 0 }])
    assert.deepStrictEqual([Reflect.apply(method, {}, [5]), Reflect.apply(method, undefined, [5])], [5, "no receiver"])
  })

  it("inherit methods that a law calls", () => {
    const { run } = fc.sample(ProxyLaws.read, { numRuns: 300, seed: 1 }).find(({ text }) => text === inherited)!
    assert.deepStrictEqual(run(make("array")), [[1, 2], 3, [3, 1, 2], "3,1,2"])
    assert.deepStrictEqual(run(make("Map")), [1, 1, [["a", 1]]])
    const counter = make("instance")
    assert.deepStrictEqual(run(counter), [3, 3, counter])
    assert.strictEqual(run(make("object")), "none")
  })

  it("print with all that an operation could change", () => {
    const target = make("instance")
    const proxy = {}
    const nested = { a: { b: { c: { d: { e: 1 } } } } }
    const fixed = Object.defineProperty(Object.defineProperty({}, "a", { value: 1 }), "b", {
      value: 2,
      enumerable: true
    })
    const hidden = Object.defineProperty({ c: 1 }, mark, { value: -0, configurable: true })
    const printed: ReadonlyArray<readonly [value: unknown, text: string]> = [
      [target, "itself"],
      [proxy, "itself"],
      [[target, [proxy]], "[itself, [itself]]"],
      [() => {}, "a function"],
      [undefined, "undefined"],
      [null, "null"],
      [-0, "-0"],
      ["text", "\"text\""],
      [{}, "{}"],
      [[], "[]"],
      [new Map([["a", target]]), "Map [[\"a\", itself]]"],
      [Object.assign(Object.create(null), { a: 1 }), "null { a: 1 }"],
      [new Counter(), "Counter {}"],
      [fixed, "{ fixed hidden a: 1, fixed b: 2 }"],
      [hidden, "{ c: 1, hidden Symbol(\"mark\"): -0 }"],
      [nested, "{ a: { b: { c: { d: … } } } }"],
      [[[[[[1]]]]], "[[[[…]]]]"],
      [new Map([[1, new Map([[2, 3]])]]), "Map [[1, Map …]]"]
    ]
    for (const [value, text] of printed) assert.strictEqual(ProxyLaws.view(value, [target, proxy]), text)
    target.count = proxy
    assert.strictEqual(ProxyLaws.stateOf(target, proxy), "{} with count itself")
    assert.strictEqual(
      ProxyLaws.stateOf(make("Map").set("b", proxy), proxy),
      "{} with entries [[\"a\", 1], [\"b\", itself]]"
    )
    assert.strictEqual(
      ProxyLaws.stateOf(Object.assign(make("object"), { a: proxy, b: 1 }), proxy),
      "{ a: itself, b: 1 }"
    )
    // The prototype of a function is an object of its own in the model.
    assert.notInclude(ProxyLaws.stateOf(function f() {}, proxy), "prototype")
  })
})

describe("strings that look alike", () => {
  const long = "k".repeat(64)
  /** Pairs that a map takes for one string, by the reason. */
  const pairs: Readonly<Record<string, ReadonlyArray<readonly [string, string]>>> = {
    "names of properties": [
      ["__proto__", "constructor"],
      ["toString", "hasOwnProperty"],
      ["valueOf", "prototype"],
      ["length", "size"]
    ],
    "upper and lower case": [["key", "KEY"], ["key", "Key"], ["ß", "SS"], ["SS", "ss"]],
    "formats of one": [["1", "01"], ["1.0", "+1"], ["1e0", "0x1"]],
    "formats of zero": [["0", "-0"], ["", " "], ["0", "00"]],
    "white space": [["key ", " key"], ["key", "key\n"], ["key", "\tkey"]],
    "values as strings": [["null", "undefined"], ["NaN", "true"], ["false", "[object Object]"]],
    "forms of Unicode": [["é", "e\u0301"], ["é", "e"]],
    "a long beginning": [[`${long}a`, `${long}b`], [`${long}a`, long]],
    "separators": [["a,b", "a:b"], ["a/b", "a.b"], ["a b", "ab"], ["ab", "a"]],
    "equal hashes": [["Aa", "BB"], ["afF", "aAA"]],
    "strings that are no text": [["\u0000", "\ud800"], ["\udc00", "\ufffd"], ["\ud800", "?"]]
  }
  for (const [reason, confused] of Object.entries(pairs)) {
    it.effect(`are found if a map confuses two of them: ${reason}`, () =>
      Effect.gen(function*() {
        for (const [a, b] of confused) {
          const change = (key: string) => key === a ? b : key
          const laws = Laws.weakValueMap((heap) => {
            const map = new ValueMap(heap)
            return {
              get: (key) => map.get(change(key)),
              has: (key) => map.has(change(key)),
              set: (key, value) => map.set(change(key), value),
              delete: (key) => map.delete(change(key))
            }
          })
          const law = laws.find(({ name }) => name === "weakValueMap: keeps keys apart that look alike")!
          const { trace } = yield* Effect.flip(law.check({ seed: 1, numRuns: 2000 }))
          for (const key of [a, b]) assert.include(trace.join("\n"), `get(${JSON.stringify(key)})`)
        }
      }))
  }
})
