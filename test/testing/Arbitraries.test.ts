import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Equal, Formatter, Hash } from "effect"
import * as fc from "fast-check"
import { isWeakReferenceable } from "../../src/Heap.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"

const seed = 1

/** Returns the value to which fast-check shrinks. A value is a counterexample if `fails` returns true. */
const shrunk = <A>(arbitrary: fc.Arbitrary<A>, fails: (value: A) => boolean): A => {
  const details = fc.check(fc.property(arbitrary, (value) => !fails(value)), { numRuns: 1000, seed })
  assert.isTrue(details.failed, "no counterexample was generated")
  return details.counterexample![0]
}

const kindOf = (value: WeakKey): string =>
  typeof value !== "object"
    ? typeof value
    : Object.getPrototypeOf(value) === null
    ? "without a prototype"
    : Object.isFrozen(value)
    ? "frozen"
    : value.constructor.name

describe("referents and objects", () => {
  const sample = () => fc.sample(Arbitraries.referents(), { numRuns: 500, seed })

  it("are weakly referenceable", () => {
    for (const value of sample()) assert.isTrue(isWeakReferenceable(value))
  })

  it("have every kind", () => {
    const objects = ["Array", "Date", "Instance", "Map", "Object", "frozen", "function", "without a prototype"]
    assert.deepStrictEqual(
      Array.from(new Set(sample().map(kindOf))).sort(),
      [
        ...objects,
        ...isWeakReferenceable(Symbol("probe")) ? ["symbol"] : []
      ].sort()
    )
    const onlyObjects = fc.sample(Arbitraries.objects(), { numRuns: 500, seed })
    assert.deepStrictEqual(Array.from(new Set(onlyObjects.map(kindOf))).sort(), objects.sort())
  })

  it("have the contents of every kind", () => {
    const contents = new Set(
      sample().filter((value) => typeof value !== "function")
        .map((value) => Formatter.format(value).replaceAll(/\s+/g, " "))
    )
    assert.sameMembers([...contents], [
      "{}",
      `{"id":1,"nested":{"list":[1,2]}}`,
      `{"id":2}`,
      `{"self":[Circular]}`,
      `Instance({"id":0})`,
      "[1,2,3]",
      "[]",
      `Map([["a",1]])`,
      "1970-01-01T00:00:00.000Z",
      ...isWeakReferenceable(Symbol("probe")) ? ["Symbol(referent)"] : []
    ])
  })

  it("have functions and classes", () => {
    const functions = sample().filter((value) => typeof value === "function")
    const names = new Set(functions.map((value) => Formatter.format(value).replaceAll(/\s+/g, " ")))
    assert.includeMembers([...names], ["function named() {}", "() => 1"])
    const others = [...names].filter((text) => text !== "function named() {}" && text !== "() => 1")
    assert.lengthOf(others, 1)
    assert.match(others[0]!, /^class Made \{.*\bid = 0/)
  })

  it("include symbols only on a host that has weak references to them", () => {
    const { WeakSet } = globalThis
    const types = () => new Set(fc.sample(Arbitraries.referents(), { numRuns: 500, seed }).map((value) => typeof value))
    assert.strictEqual(types().has("symbol"), isWeakReferenceable(Symbol("probe")))
    globalThis.WeakSet = class<A extends WeakKey> extends WeakSet<A> {
      constructor(values: Iterable<A>) {
        if ([...values].some((value) => typeof value === "symbol")) throw new TypeError("no symbols")
        super(values)
      }
    } as WeakSetConstructor
    try {
      assert.isFalse(types().has("symbol"))
    } finally {
      globalThis.WeakSet = WeakSet
    }
  })

  it("are new objects each time", () => {
    const values = sample()
    assert.strictEqual(new Set(values).size, values.length)
  })

  it("shrink to an empty object", () => {
    const value = shrunk(Arbitraries.referents(), () => true)
    assert.deepStrictEqual(value, {})
    assert.strictEqual(Object.getPrototypeOf(value), Object.prototype)
  })
})

describe("keys", () => {
  const pairs = () => fc.sample(fc.tuple(Arbitraries.keys(), Arbitraries.keys()), { numRuns: 200, seed })

  it("are often equal without being identical", () => {
    const equal = pairs().filter(([a, b]) => Equal.equals(a, b))
    assert.isAbove(equal.length, 20)
    for (const [a, b] of equal) {
      assert.notStrictEqual(a, b)
      assert.strictEqual(Hash.hash(a), Hash.hash(b))
    }
  })

  it("often have the same hash without being equal", () => {
    assert.isAbove(pairs().filter(([a, b]) => Hash.hash(a) === Hash.hash(b) && !Equal.equals(a, b)).length, 20)
  })

  it("have as many ids as requested", () => {
    const ids = (keys: ReadonlyArray<Arbitraries.Key>) => Array.from(new Set(keys.map((key) => key.id))).sort()
    assert.deepStrictEqual(ids(pairs().flat()), [0, 1, 2, 3])
    assert.deepStrictEqual(ids(fc.sample(Arbitraries.keys({ ids: 2 }), { numRuns: 100, seed })), [0, 1])
  })

  it("have one hash if their ids are both even or both odd", () => {
    const [zero, one, two, three] = [0, 1, 2, 3].map((id) => Hash.hash(new Arbitraries.Key(id)))
    assert.deepStrictEqual([two, three, zero === one], [zero, one, false])
  })

  it("shrink to the smallest id, and print it", () => {
    const key = shrunk(Arbitraries.keys(), (key) => key.id >= 2)
    assert.strictEqual(key.id, 2)
    assert.strictEqual(fc.stringify(key), "Key(2)")
  })
})

describe("schedules", () => {
  const schedules = Arbitraries.schedules({ targets: 3, length: 5 })

  it("collect each target at most once, and have at most length moments", () => {
    fc.assert(fc.property(schedules, (schedule) => {
      const collected = schedule.flatMap((moment) => moment.collect)
      assert.isAtMost(schedule.length, 5)
      assert.strictEqual(new Set(collected).size, collected.length)
      assert.isTrue(collected.every((index) => index >= 0 && index < 3))
    }))
  })

  it("collect together and apart, and finalize early and late", () => {
    const sample = fc.sample(schedules, { numRuns: 300, seed })
    assert.isTrue(sample.some((schedule) => schedule.some((moment) => moment.collect.length === 3)))
    assert.isTrue(sample.some((schedule) => schedule.filter((moment) => moment.collect.length === 1).length === 3))
    assert.isTrue(sample.some((schedule) => schedule[0]?.finalize === true))
    assert.isTrue(sample.some((schedule) => schedule.length > 0 && schedule.every((moment) => !moment.finalize)))
  })

  it("shrink to the moments that matter, and print them", () => {
    const schedule = shrunk(schedules, (schedule) => {
      const first = schedule.findIndex((moment) => moment.collect.includes(2))
      return first >= 0 && schedule.slice(first + 1).some((moment) => moment.finalize)
    })
    assert.strictEqual(fc.stringify(schedule), "[collect(2),finalize()]")
  })

  it("print each moment, and collect a target in its first moment", () => {
    const printed = new Set<string>()
    for (const schedule of fc.sample(Arbitraries.schedules({ targets: 2 }), { numRuns: 200, seed })) {
      for (const moment of schedule) {
        printed.add(String(moment))
        const collect = moment.collect.length === 0 ? "" : `collect(${moment.collect.join(", ")})`
        const expected = `${collect} ${moment.finalize ? "finalize()" : ""}`.trim()
        assert.strictEqual(String(moment), expected === "" ? "nothing" : expected)
      }
    }
    const collects = ["collect(0)", "collect(1)", "collect(0, 1)"]
    assert.sameMembers(
      [...printed],
      ["nothing", "finalize()", ...collects, ...collects.map((collect) => `${collect} finalize()`)]
    )
  })

  it("have at most 10 moments by default", () => {
    const lengths = fc.sample(Arbitraries.schedules({ targets: 1 }), { numRuns: 500, seed }).map(({ length }) => length)
    assert.strictEqual(Math.max(...lengths), 10)
    assert.strictEqual(Math.min(...lengths), 0)
  })

  it("print a moment in which nothing happens", () => {
    const [moment] = shrunk(schedules, (schedule) => schedule.length > 0)
    assert.strictEqual(String(moment), "nothing")
  })
})

describe("scripts", () => {
  const index = fc.nat({ max: 2 })
  const scripts = Arbitraries.scripts({ set: [index, fc.constantFrom("a", "b")], clear: [] }, {
    targets: 3,
    maxLength: 6
  })

  it("have the given operations, with their arguments", () => {
    fc.assert(fc.property(scripts, (script) => {
      assert.isAtMost(script.length, 6)
      for (const operation of script) {
        switch (operation.name) {
          case "set": {
            const [key, value] = operation.args
            assert.include([0, 1, 2], key)
            assert.include(["a", "b"], value)
            break
          }
          case "collect":
            assert.isTrue(operation.args.length > 0 && operation.args.every((target) => target < 3))
            break
          default:
            assert.deepStrictEqual(operation.args, [])
        }
      }
    }))
  })

  it("have every given operation, collect and finalize", () => {
    const names = fc.sample(scripts, { numRuns: 100, seed }).flat().map((operation) => operation.name)
    assert.sameMembers(Array.from(new Set(names)), ["set", "clear", "collect", "finalize"])
  })

  it("have neither collect nor finalize without targets", () => {
    const script = Arbitraries.scripts({ clear: [] }, { targets: 0 })
    const names = fc.sample(script, { numRuns: 100, seed }).flat().map((operation) => operation.name)
    assert.deepStrictEqual(Array.from(new Set(names)), ["clear"])
  })

  it("shrink to the operations that matter, and print them", () => {
    const script = shrunk(scripts, (script) => {
      const names = script.map((operation) => operation.name)
      const collected = names.indexOf("collect")
      return names.includes("set") && collected > names.indexOf("set") && names.indexOf("finalize", collected) > 0
    })
    assert.strictEqual(fc.stringify(script), "[set(0, \"a\"),collect(0),finalize()]")
  })
})

describe("with effect/Arbitrary", () => {
  const collections = [Arbitraries.objects(), Arbitraries.referents(), Arbitraries.keys()]

  it.effect.prop("are arbitraries of it.effect.prop", collections, ([object, referent, key]) =>
    Effect.sync(() => {
      assert.isTrue(isWeakReferenceable(object))
      assert.isTrue(isWeakReferenceable(referent))
      assert.instanceOf(key, Arbitraries.Key)
    }))

  it.prop(
    "are arbitraries of it.prop",
    {
      schedule: Arbitraries.schedules({ targets: 2 }),
      script: Arbitraries.scripts({ get: [fc.nat()] }, { targets: 1 })
    },
    ({ schedule, script }) => Array.isArray(schedule) && Array.isArray(script)
  )

  it.effect("generate every kind of value", () =>
    Effect.gen(function*() {
      const values = yield* Arbitrary.sampleEffect(Arbitraries.objects(), { count: 300, seed })
      const kinds = new Set(values.map(kindOf))
      assert.deepStrictEqual(kinds, new Set(fc.sample(Arbitraries.objects(), { numRuns: 500, seed }).map(kindOf)))
      assert.strictEqual(new Set(values).size, values.length)
    }))

  it.effect("generate values of the whole range, and often bounds", () =>
    Effect.gen(function*() {
      const values = yield* Arbitrary.sampleEffect(Arbitraries.fromFastCheck(fc.nat()), { count: 200, seed })
      assert.isAbove(values.filter((value) => value < 50 || value > 2 ** 31 - 50).length, 20)
      assert.isAbove(values.filter((value) => value > 2 ** 20).length, 50)
    }))

  it.effect("shrink as fast-check does, and print", () =>
    Effect.gen(function*() {
      const script = Arbitraries.scripts({ set: [fc.nat({ max: 2 })] }, { targets: 3, maxLength: 8 })
      const fails = (operations: ReadonlyArray<{ readonly name: string }>) => {
        const names = operations.map(({ name }) => name)
        return names.includes("collect") && names.lastIndexOf("set") > names.indexOf("collect")
      }
      const result = yield* Arbitrary.checkEffect(script, (operations) => !fails(operations), { runs: 1000, seed })
      assert.strictEqual(result._tag, "Falsified")
      if (result._tag !== "Falsified") return
      assert.strictEqual(result.shrunkInput.join(" "), "collect(0) set(0)")
      assert.include(Arbitrary.formatCheckFailure(result)!, "set(0)")
      const again = yield* Arbitrary.checkEffect(script, (operations) => !fails(operations), { replay: result.replay })
      assert.strictEqual(again._tag, "Falsified")
      if (again._tag === "Falsified") assert.strictEqual(again.shrunkInput.join(" "), "collect(0) set(0)")
    }))

  it.effect("can be mapped by both libraries", () =>
    Effect.gen(function*() {
      const doubled = Arbitraries.keys().pipe(Arbitrary.map(({ id }) => id * 2))
      for (const value of yield* Arbitrary.sampleEffect(doubled, { seed })) assert.include([0, 2, 4, 6], value)
      fc.assert(fc.property(Arbitraries.keys().map(({ id }) => id * 2), (value) => value % 2 === 0))
    }))

  it.effect("limit the smaller values that a stream offers", () =>
    Effect.gen(function*() {
      let offered = 0
      const endless = fc.nat().filter(() => true)
      const shrink = endless.shrink.bind(endless)
      endless.shrink = (value, context) => {
        const values = shrink(value, context)
        function* repeat() {
          yield* values
          while (offered++ < 100_000) yield new fc.Value(value, context)
        }
        return new fc.Stream(repeat())
      }
      const options = { runs: 1, maxShrinks: 3, seed }
      yield* Arbitrary.checkEffect(Arbitraries.fromFastCheck(endless), () => false, options)
      assert.isAtMost(offered, 4000)
    }))
})
