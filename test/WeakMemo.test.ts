import { assert, describe, it } from "@effect/vitest"
import { Data, Effect } from "effect"
import * as fc from "fast-check"
import { Heap, WeakError, WeakMemo } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { skip } from "./support/host.ts"
import { collectThoroughly, collectUntil } from "./support/realHeap.ts"

/** Returns a function that returns a new object for each call, and counts its calls. */
const counting = (options?: WeakMemo.Options) => {
  let calls = 0
  const memo = WeakMemo.memoize((...args: ReadonlyArray<unknown>) => ({ call: ++calls, args }), options)
  return { memo, calls: () => calls }
}

/** Waits until every probe has been collected. */
const allDie = (probes: ReadonlyArray<WeakRef<WeakKey>>): Effect.Effect<boolean> =>
  collectUntil(() => probes.every((probe) => probe.deref() === undefined))

const alive = (probes: ReadonlyArray<WeakRef<object>>): Effect.Effect<boolean> =>
  Effect.map(collectThoroughly, () => probes.every((probe) => probe.deref() !== undefined))

describe("WeakMemo", () => {
  describe("memoize", () => {
    it("calls the function once for the same arguments", () => {
      const { calls, memo } = counting()
      const a = {}
      const b = () => 1
      const symbol = Symbol("s")
      const lists: Array<Array<unknown>> = [
        [],
        [undefined],
        [null],
        [0],
        [-0],
        [NaN],
        ["0"],
        [false],
        [""],
        [1n],
        [symbol],
        [Symbol("s")],
        [a],
        [b],
        [{}],
        [a, b],
        [b, a],
        [a, a],
        [a, undefined],
        [undefined, a],
        [a, 1],
        [1, a],
        [a, 1, b],
        [1, a, b],
        [a, b, 1],
        [a, 1, 2],
        [1, 2],
        [2, 1],
        [1, 1],
        [1, 2, undefined],
        ["1", "2"],
        ["1,2"],
        ...[28, 29, 30, 31, 32, 33, 60].flatMap((length) => [
          Array.from({ length }, (_, i) => i),
          Array.from({ length }, (_, i) => i === 0 ? a : i),
          Array.from({ length }, (_, i) => i === length - 1 ? a : i),
          Array.from({ length }, () => a)
        ]),
        Array.from({ length: 60 }, (_, i) => i === 3 ? a : i),
        Array.from({ length: 60 }, (_, i) => i === 4 ? a : i),
        // The same primitives and objects at other positions.
        Array.from({ length: 60 }, (_, i) => i === 3 ? a : 1),
        Array.from({ length: 60 }, (_, i) => i === 4 ? a : 1),
        Array.from({ length: 53 }, (_, i) => i % 2 === 0 ? a : 1),
        Array.from({ length: 54 }, (_, i) => i % 2 === 0 ? a : 1)
      ]
      const results = lists.map((args) => memo(...args))
      assert.strictEqual(new Set(results).size, lists.length)
      assert.isTrue(lists.every((args, i) => memo(...args) === results[i]))
      assert.isTrue(lists.every((args, i) => results[i]!.args.every((arg, j) => Object.is(arg, args[j]))))
      assert.strictEqual(calls(), lists.length)
    })

    it("distinguishes -0 from 0 among any other arguments", () => {
      const a = {}
      for (const before of [[], [1], [a], [a, a], [1, a]]) {
        for (const after of [[], [1], [a], [a, 1]]) {
          const { calls, memo } = counting()
          const zero = memo(...before, 0, ...after)
          const minusZero = memo(...before, -0, ...after)
          assert.isFalse(minusZero === zero)
          assert.isTrue(memo(...before, 0, ...after) === zero && memo(...before, -0, ...after) === minusZero)
          assert.strictEqual(calls(), 2)
        }
      }
    })

    it("finds a remembered result of up to 29 arguments without making an array of them", () => {
      const [a, b] = [{}, () => 1]
      const lists: ReadonlyArray<ReadonlyArray<unknown>> = [
        [],
        [a],
        [b],
        [1],
        [0],
        ["x"],
        [undefined],
        [a, b],
        [b, a],
        [a, 1],
        [1, a],
        [a, -0],
        [a, b, -0],
        [1, 2],
        [-0, 1],
        [1, -0],
        [1, a, 2],
        [a, 1, b],
        [a, 1, 2, b],
        [a, b, a, b],
        ...[5, 28, 29].flatMap((length) => [
          Array.from({ length }, () => a),
          Array.from({ length }, (_, i) => i),
          Array.from({ length }, (_, i) => i % 2 === 0 ? a : i),
          Array.from({ length }, (_, i) => i % 2 === 1 ? a : i),
          Array.from({ length }, (_, i) => i === length - 1 ? 0 : a)
        ])
      ]
      let uses = 0
      const methods = ["every", "some", "reduce", "map", "filter"] as const
      const originals = methods.map((name) => Object.getOwnPropertyDescriptor(Array.prototype, name)!)
      const unchanged = lists.map((args) => {
        const { calls, memo } = counting()
        const result = memo(...args)
        methods.forEach((name, index) => {
          const value = function(this: unknown, ...args: ReadonlyArray<unknown>) {
            uses++
            return Reflect.apply(originals[index]!.value, this, args)
          }
          // oxlint-disable-next-line eslint/no-extend-native -- Counts the calls.
          Object.defineProperty(Array.prototype, name, { ...originals[index], value })
        })
        const again = memo(...args)
        methods.forEach((name, index) => {
          // oxlint-disable-next-line eslint/no-extend-native
          Object.defineProperty(Array.prototype, name, originals[index]!)
        })
        return again === result && calls() === 1 && memo(...args, args[0]) !== result
      })
      assert.deepStrictEqual(unchanged, lists.map(() => true))
      assert.strictEqual(uses, 0)
    })

    it("evicts a result that was found without an array as late as any other", () => {
      const a = {}
      for (const objects of [[], [a], [a, a]]) {
        for (const primitives of [[1], [0], [1, 2], [-0, 1]]) {
          const { calls, memo } = counting({ capacity: 2 })
          const args = [...objects, ...primitives]
          const result = memo(...args)
          for (let n = 0; n < 5; n++) {
            // Of the same shape, so that both ways to find a result are used.
            memo(...objects, ...primitives.map(() => 100 + n))
            assert.isTrue(memo(...args) === result)
          }
          assert.strictEqual(calls(), 6)
        }
      }
    })

    it("copies no property of an old function that a new one does not have", () => {
      const memo = WeakMemo.memoize(new Function("a", "return a") as (a: number) => number)
      assert.sameMembers(Reflect.ownKeys(memo), ["length", "name", "prototype"])
      assert.strictEqual(memo(5), 5)
    })

    it("remembers every result, undefined included", () => {
      let calls = 0
      const memo = WeakMemo.memoize((_: object, _n?: number) => void calls++)
      const a = {}
      assert.deepStrictEqual([memo(a), memo(a), memo(a, 1), memo(a, 1)], [undefined, undefined, undefined, undefined])
      assert.strictEqual(calls, 2)
    })

    it("remembers nothing if the function throws", () => {
      let calls = 0
      const memo = WeakMemo.memoize((..._: ReadonlyArray<unknown>) => {
        if (++calls % 2 === 1) throw new Error("odd")
        return calls
      })
      const a = {}
      for (const args of [[a], [a, 1], [1], []]) {
        calls = 0
        assert.throws(() => memo(...args), /odd/)
        assert.deepStrictEqual([memo(...args), memo(...args), calls], [2, 2, 2])
      }
    })

    it("runs the function without this, and copies its name, length and properties", () => {
      const f = Object.assign(
        function named(this: unknown, _a: object, _b: number) {
          return this
        },
        { extra: 1 }
      )
      const memo = WeakMemo.memoize(f)
      assert.isUndefined(memo.call({ mine: true }, {}, 1))
      assert.deepStrictEqual([memo.name, memo.length, memo.extra], ["named", 2, 1])
      const frozen = WeakMemo.memoize(Object.freeze((_: object) => 1))
      assert.deepStrictEqual([frozen.name, frozen.length, frozen({})], ["", 1, 1])
      // A program may rename the memoized function, even if it may not rename the original.
      Object.defineProperty(frozen, "name", { value: "renamed" })
      assert.strictEqual(frozen.name, "renamed")
      // oxlint-disable-next-line typescript/no-extraneous-class -- A class has other own properties than a function.
      assert.strictEqual(WeakMemo.memoize(class Named {} as unknown as () => void).name, "Named")
    })

    it("every caller receives the result that a nested call remembered first", () => {
      for (const args of [[{}], [{}, 1], [1], [], [{}, 2, {}]]) {
        let depth = 0
        const results: Array<object> = []
        const memo: (...args: ReadonlyArray<unknown>) => object = WeakMemo.memoize((...args) => {
          if (depth++ < 3) results.push(memo(...args))
          return {}
        })
        const outer = memo(...args)
        assert.isTrue(results.length === 3 && results.every((result) => result === outer))
        assert.isTrue(memo(...args) === outer)
      }
    })

    it("a function can call itself with other arguments, within any capacity", () => {
      for (const capacity of [0, 1, 2, 5, Infinity]) {
        const fibonacci: (n: number) => number = WeakMemo.memoize(
          (n) => n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2),
          { capacity }
        )
        assert.strictEqual(fibonacci(15), 610)
      }
    })

    it("keeps the most recently used results that differ in primitives, for each combination of objects", () => {
      const { calls, memo } = counting({ capacity: 2 })
      const a = {}
      const b = {}
      for (const objects of [[], [a], [b], [a, b]]) {
        const call = (...primitives: ReadonlyArray<unknown>) => {
          const before = calls()
          memo(...objects, ...primitives)
          return calls() > before
        }
        assert.deepStrictEqual([call(1), call(2), call(1), call(3)], [true, true, false, true])
        // The result for 2 was the least recently used one.
        assert.deepStrictEqual([call(1), call(3), call(2), call(1)], [false, false, true, true])
        // Calls with a different number of arguments share the capacity.
        assert.deepStrictEqual([call(5, 6), call(5, 7), call(1)], [true, true, true])
        assert.deepStrictEqual([call(5, 7), call(5, 6)], [false, true])
      }
      // Calls with only objects do not count.
      const objects = Array.from({ length: 10 }, () => ({}))
      const results = objects.map((object) => memo(object))
      assert.isTrue(objects.every((object, i) => memo(object) === results[i]))
    })

    it("remembers no call with primitives if the capacity is 0, and every call if it is Infinity", () => {
      const none = counting({ capacity: 0 })
      const a = {}
      for (const args of [[], [1], [a, 1]]) assert.isFalse(none.memo(...args) === none.memo(...args))
      assert.isTrue(none.memo(a) === none.memo(a))
      const all = counting({ capacity: Infinity })
      const results = Array.from({ length: 5000 }, (_, i) => all.memo(i))
      assert.isTrue(results.every((result, i) => all.memo(i) === result))
    })

    it("keeps 1000 results by default", () => {
      const { calls, memo } = counting()
      for (let i = 0; i < 1001; i++) memo(i)
      memo(1)
      assert.strictEqual(calls(), 1001)
      memo(0)
      assert.strictEqual(calls(), 1002)
    })

    it("rejects an invalid capacity", () => {
      for (const capacity of [-1, 1.5, NaN, -Infinity, "10" as unknown as number]) {
        const message = `capacity must be a non-negative integer or Infinity, got ${capacity}`
        assert.throws(() => WeakMemo.memoize(() => 1, { capacity }), RangeError, message)
      }
    })

    it("agrees with a model on every script", () => {
      const argument = fc.constantFrom("a", "b", "c", 0, -0, 1, NaN, "x", undefined)
      const step = fc.oneof(
        { weight: 6, arbitrary: fc.record({ type: fc.constant("call"), args: fc.array(argument, { maxLength: 3 }) }) },
        {
          weight: 1,
          arbitrary: fc.record({ type: fc.constant("collect"), args: fc.array(argument, { maxLength: 1 }) })
        }
      )
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 4 }), (script, capacity) => {
          const { collect, heap } = TestHeap.makeUnsafe()
          const objects: Record<string, object> = { a: { a: 1 }, b: { b: 1 }, c: { c: 1 } }
          const isName = (u: unknown): u is string => typeof u === "string" && u in objects
          const print = (u: unknown) => isName(u) ? u : Object.is(u, -0) ? "-0" : JSON.stringify(u) ?? String(u)
          const memo = WeakMemo.memoize((...args: ReadonlyArray<unknown>) => ({ args }), { capacity }, heap)
          /** By objects, then by arguments: in the order of use. */
          const model = new Map<string, Map<string, object>>()
          const seen = new Set<object>()
          for (const { args, type } of script) {
            const names = args.filter(isName)
            if (type === "collect") {
              for (const name of names) {
                collect(objects[name]!)
                for (const key of model.keys()) if (key.includes(name)) model.delete(key)
              }
              continue
            }
            const result = memo(...args.map((arg) => isName(arg) ? objects[arg] : arg))
            const unbounded = names.length > 0 && names.length === args.length
            const group = `${names.join("")}${unbounded ? "!" : ""}`
            const key = `${args.length}: ${args.map((arg) => typeof arg === "number" ? print(arg) : `"${print(arg)}"`)}`
            const results = model.get(group) ?? new Map<string, object>()
            model.set(group, results)
            const expected = results.get(key)
            if (expected === undefined) assert.isFalse(seen.has(result), key)
            else assert.isTrue(result === expected, key)
            seen.add(result)
            results.delete(key)
            results.set(key, result)
            if (!unbounded && results.size > capacity) results.delete(results.keys().next().value!)
          }
        }),
        { numRuns: 1000 }
      )
    })
  })

  describe("memoize, on the real heap", () => {
    it.effect("a result lives as long as its arguments, and does not keep them although it refers to them", () =>
      Effect.gen(function*() {
        const memo = WeakMemo.memoize((...args: ReadonlyArray<unknown>) => ({ args, big: new Array(100) }))
        const kept = { a: {}, b: {} }
        const run = () => {
          const [a, b] = [{}, {}]
          const results = [memo(a), memo(a, b), memo(b, a), memo(a, 1), memo(1, a, 2, b), memo(a, a)]
          return {
            args: [new WeakRef(a), new WeakRef(b)],
            results: results.map((result) => new WeakRef(result)),
            kept: [memo(kept.a), memo(kept.a, kept.b), memo(kept.a, 1), memo(1, kept.b, 2, kept.a)].map((result) =>
              new WeakRef(result)
            )
          }
        }
        const probes = run()
        assert.isTrue(yield* allDie([...probes.args, ...probes.results]))
        assert.isTrue(yield* alive(probes.kept))
        assert.isTrue(memo(kept.a, kept.b) === probes.kept[1]!.deref())
      }))

    // Each refers to both arguments, or is held by the other argument's side.
    it.effect.each(["first", "second"])(
      "the death of the %s of two objects ends the entry",
      (which) =>
        Effect.gen(function*() {
          const memo = WeakMemo.memoize((...args: ReadonlyArray<unknown>) => ({ args, big: new Array(100) }))
          const live = {}
          const run = () => {
            const dying = {}
            const [a, b] = which === "first" ? [dying, live] : [live, dying]
            const results = [memo(a, b), memo(a, 1, b), memo("x", a, b, "y"), memo(a, b, live), memo(live, a, b)]
            return [dying, ...results].map((object) => new WeakRef(object))
          }
          const probes = run()
          assert.isTrue(yield* allDie(probes))
          const fresh = memo(live, live)
          assert.isTrue(memo(live, live) === fresh)
        })
    )

    it.effect("an argument that holds the result keeps the other argument alive until it drops the result", () =>
      Effect.gen(function*() {
        const memo = WeakMemo.memoize((a: object, b: { cache?: object | undefined }) => ({ a, b }))
        const b: { cache?: object | undefined } = {}
        const run = () => {
          const a = {}
          b.cache = memo(a, b)
          return [new WeakRef(a), new WeakRef(b.cache)]
        }
        const probes = run()
        assert.isTrue(yield* alive(probes))
        b.cache = undefined
        assert.isTrue(yield* allDie(probes))
      }))

    it.effect("results that refer to each other's arguments do not keep them", () =>
      Effect.gen(function*() {
        const memo = WeakMemo.memoize((a: object, others: () => ReadonlyArray<unknown>) => ({ a, others: others() }))
        const listOf = () => [] as ReadonlyArray<unknown>
        const run = () => {
          const objects = Array.from({ length: 10 }, () => ({}))
          const others = () => objects
          const results = objects.flatMap((object) => [memo(object, others), memo(object, listOf)])
          return [...objects, ...results, others].map((object) => new WeakRef<object>(object))
        }
        assert.isTrue(yield* allDie(run()))
      }))

    it.effect("a result that has been evicted is collected, and one within the capacity is kept", () =>
      Effect.gen(function*() {
        const memo = WeakMemo.memoize((_object: object | undefined, n: number) => ({ n }), { capacity: 10 })
        for (const object of [undefined, {}]) {
          const run = () => Array.from({ length: 100 }, (_, n) => new WeakRef(memo(object, n)))
          const probes = run()
          assert.isTrue(yield* allDie(probes.slice(0, 90)))
          assert.isTrue(yield* alive(probes.slice(90)))
          assert.isTrue(memo(object, 95) === probes[95]!.deref())
        }
      }))

    it.effect("a result that has been evicted does not keep its arguments", () =>
      Effect.gen(function*() {
        if (!Heap.isWeakReferenceable(Symbol("argument"))) return skip("the engine has no weak references to symbols")
        const memo = WeakMemo.memoize((symbol: symbol, n: number) => ({ symbol, n }), { capacity: 1 })
        const run = () =>
          Array.from({ length: 10 }, (_, n) => {
            const symbol = Symbol("argument")
            memo(symbol, n)
            return new WeakRef<WeakKey>(symbol)
          })
        const probes = run()
        assert.isTrue(yield* allDie(probes.slice(0, -1)))
        const last = probes.at(-1)!.deref() as symbol
        assert.strictEqual(memo(last, 9).symbol, last)
      }))

    it.effect("a call that throws, and a call with capacity 0, keep nothing", () =>
      Effect.gen(function*() {
        const throwing = WeakMemo.memoize((a: object, n: number): void => {
          throw Object.assign(new Error("thrown"), { a, n })
        })
        const none = WeakMemo.memoize((a: object, n: number) => ({ a, n }), { capacity: 0 })
        const run = () => {
          const a = {}
          assert.throws(() => throwing(a, 1))
          return [new WeakRef(a), new WeakRef(none(a, 1))]
        }
        assert.isTrue(yield* allDie(run()))
      }))

    it.effect("the function and its results are collected with the memoized function", () =>
      Effect.gen(function*() {
        const argument = {}
        const run = () => {
          const f = (a: object) => ({ a })
          const memo = WeakMemo.memoize(f)
          return [new WeakRef<object>(f), new WeakRef<object>(memo), new WeakRef<object>(memo(argument))]
        }
        assert.isTrue(yield* allDie(run()))
        assert.isTrue(argument !== undefined)
      }))
  })

  describe("family", () => {
    class Key extends Data.Class<{ readonly id: number }> {}

    it("returns one instance for structurally equal keys", () => {
      let calls = 0
      const family = WeakMemo.family((key: unknown) => ({ key, call: ++calls }))
      const instances = [1, "1", { id: 1 }, new Key({ id: 1 }), [1], undefined].map((key) => family(key))
      const again = [1, "1", { id: 1 }, new Key({ id: 1 }), [1], undefined].map((key) => family(key))
      assert.isTrue(instances.every((instance, i) => instance === again[i]))
      assert.strictEqual(calls, 6)
    })

    it("creates another instance after the first has been collected", () => {
      const { collect, finalize, heap } = TestHeap.makeUnsafe()
      const family = WeakMemo.family((id: number) => ({ id }), heap)
      const first = family(1)
      collect(first)
      const second = family(1)
      assert.isFalse(second === first)
      // The clean-up of the first instance must not remove the second one.
      finalize()
      assert.isTrue(family(1) === second)
    })

    it("remembers nothing if the function throws or returns a primitive", () => {
      let calls = 0
      const throwing = WeakMemo.family((id: number) => {
        if (++calls === 1) throw new Error("first")
        return { id }
      })
      assert.throws(() => throwing(1), /first/)
      assert.isTrue(throwing(1) === throwing(1))
      const primitive = WeakMemo.family((() => "text") as unknown as (key: number) => object)
      assert.throws(() => primitive(1), WeakError.NotWeakReferenceableError)
      assert.throws(() => primitive(1), WeakError.NotWeakReferenceableError)
      const clearing: (key: number) => object = WeakMemo.family((_: number) => {
        WeakMemo.clear(clearing)
        return "text" as unknown as object
      })
      assert.throws(() => clearing(1), WeakError.NotWeakReferenceableError)
    })

    it("every caller receives the instance that a nested call created first", () => {
      let depth = 0
      const nested: Array<object> = []
      const family: (key: unknown) => object = WeakMemo.family((key: unknown) => {
        if (depth++ < 3) nested.push(family({ ...key as object }))
        return { key }
      })
      const outer = family({ id: 1 })
      assert.isTrue(nested.length === 3 && nested.every((instance) => instance === outer))
      assert.isTrue(family({ id: 1 }) === outer)
    })

    it.effect("releases an unused instance and its key, and shares an instance that is in use", () =>
      Effect.gen(function*() {
        const family = WeakMemo.family((key: { readonly id: number }) => ({ key, big: new Array(100) }))
        const key = { id: -1 }
        const kept = family(key)
        const run = () =>
          Array.from({ length: 100 }, (_, id) => {
            const key = { id }
            return [new WeakRef<object>(key), new WeakRef<object>(family(key))]
          }).flat()
        const probes = run()
        assert.isTrue(yield* allDie(probes))
        assert.isTrue(family({ id: -1 }) === kept)
        const ofLivingKey = () => new WeakRef(family({ id: -2 }))
        assert.isTrue(yield* allDie([ofLivingKey()]))
        assert.isTrue(key !== undefined)
      }))

    it.effect("an instance keeps its family, and a family in a family keeps the outer one", () =>
      Effect.gen(function*() {
        let made = 0
        const counters = WeakMemo.family((group: string) =>
          WeakMemo.family((key: string) => ({ group, key, made: ++made }))
        )
        const first = counters("g")("k")
        const dropped = () => new WeakRef<object>(counters("other")("k"))
        assert.isTrue(yield* allDie([dropped()]))
        assert.isTrue(counters("g")("k") === first)
        assert.strictEqual(made, 2)
      }))

    it.effect("an instance of two families keeps both", () =>
      Effect.gen(function*() {
        const shared = {}
        const outer = WeakMemo.family((name: string) => WeakMemo.family((_: number) => name === "own" ? {} : shared))
        const probes = () => ["a", "b", "c"].map((name) => (outer(name)(1), new WeakRef<object>(outer(name))))
        assert.isTrue(yield* alive(probes()))
        assert.isTrue(outer("a")(1) === shared)
      }))

    it.effect("an instance does not keep its family after the instance is unreachable", () =>
      Effect.gen(function*() {
        const run = () => {
          const family = WeakMemo.family((id: number) => ({ id }))
          return [new WeakRef<object>(family), new WeakRef<object>(family(1))]
        }
        assert.isTrue(yield* allDie(run()))
      }))
  })

  describe("clear and forget", () => {
    const argumentLists = (a: object, b: object): ReadonlyArray<ReadonlyArray<unknown>> => [
      [],
      [1],
      [-0],
      [a],
      [a, 1],
      [1, a],
      [a, b],
      [a, "x", b],
      Array.from({ length: 40 }, (_, i) => i % 3 === 0 ? a : i),
      Array.from({ length: 40 }, () => b)
    ]

    it("clear forgets every result", () => {
      const [a, b] = [{}, {}]
      const { memo } = counting()
      const before = argumentLists(a, b).map((args) => memo(...args))
      WeakMemo.clear(memo)
      const after = argumentLists(a, b).map((args) => memo(...args))
      assert.isTrue(before.every((result, i) => result !== after[i]))
      assert.isTrue(argumentLists(a, b).every((args, i) => memo(...args) === after[i]))
    })

    it("forget forgets one result, and tells whether there was one", () => {
      const [a, b] = [{}, {}]
      const lists = argumentLists(a, b)
      lists.forEach((args, forgotten) => {
        const { memo } = counting()
        assert.isFalse(WeakMemo.forget(memo, ...args))
        const before = lists.map((list) => memo(...list))
        assert.isTrue(WeakMemo.forget(memo, ...args))
        assert.isFalse(WeakMemo.forget(memo, ...args))
        lists.forEach((list, i) => assert.strictEqual(memo(...list) === before[i], i !== forgotten))
      })
    })

    it("forget forgets the only result", () => {
      const [a, b] = [{}, {}]
      for (const args of argumentLists(a, b)) {
        const { calls, memo } = counting()
        const before = memo(...args)
        assert.isTrue(WeakMemo.forget(memo, ...args))
        const after = memo(...args)
        assert.isTrue(after !== before && memo(...args) === after)
        assert.strictEqual(calls(), 2)
        WeakMemo.clear(memo)
        assert.isFalse(WeakMemo.forget(memo, ...args))
      }
    })

    it("a result that was forgotten after others were evicted is not evicted again", () => {
      for (const forgotten of [0, 1, 2, 3, 4]) {
        const { calls, memo } = counting({ capacity: 5 })
        for (let n = 0; n < 6; n++) memo(n)
        // The first was evicted, so the order of the others is known.
        WeakMemo.forget(memo, forgotten + 1)
        const left = [1, 2, 3, 4, 5].filter((n) => n !== forgotten + 1)
        memo(10)
        const before = calls()
        for (const n of [...left, 10]) memo(n)
        assert.strictEqual(calls(), before)
        memo(11)
        // The least recently used one has been evicted, and no other.
        for (const n of [...left.slice(1), 10, 11]) memo(n)
        assert.strictEqual(calls(), before + 1)
        memo(left[0])
        assert.strictEqual(calls(), before + 2)
      }
    })

    it("a family remembers no instance that was made while it forgot", () => {
      for (const end of ["clear", "forget"] as const) {
        let running = true
        const family: (key: number) => object = WeakMemo.family((key: number) => {
          if (running) {
            running = false
            if (end === "clear") WeakMemo.clear(family)
            else WeakMemo.forget(family, key)
          }
          return {}
        })
        const outdated = family(1)
        const instance = family(1)
        assert.isFalse(instance === outdated)
        assert.isTrue(family(1) === instance)
      }
    })

    it("a forgotten result makes room within the capacity", () => {
      const { memo } = counting({ capacity: 2 })
      const [one, two] = [memo(1), memo(2)]
      assert.isTrue(WeakMemo.forget(memo, 1))
      const three = memo(3)
      assert.isTrue(memo(2) === two && memo(3) === three)
      assert.isFalse(memo(1) === one)
    })

    it("a call that runs meanwhile returns its result, which is not remembered", () => {
      for (const args of [[1], [{}], [{}, 1], []]) {
        for (const end of ["clear", "forget", "clear and forget"] as const) {
          let running = true
          const memo: (...args: ReadonlyArray<unknown>) => object = WeakMemo.memoize((..._: ReadonlyArray<unknown>) => {
            if (running) {
              running = false
              if (end !== "forget") WeakMemo.clear(memo)
              if (end !== "clear") WeakMemo.forget(memo, ...args)
            }
            return {}
          })
          const outdated = memo(...args)
          const result = memo(...args)
          assert.isFalse(result === outdated)
          assert.isTrue(memo(...args) === result)
        }
      }
      const family: (key: object) => object = WeakMemo.family((key: { readonly ends: boolean }) => {
        if (key.ends) {
          WeakMemo.clear(family)
          WeakMemo.forget(family, key)
        }
        return {}
      }) as (key: object) => object
      assert.isFalse(family({ ends: true }) === family({ ends: true }))
    })

    it("a family forgets an instance by an equal key, and all instances", () => {
      const family = WeakMemo.family((key: { readonly id: number }) => ({ key }))
      const [one, two] = [family({ id: 1 }), family({ id: 2 })]
      assert.isFalse(WeakMemo.forget(family, { id: 3 }))
      assert.isTrue(WeakMemo.forget(family, { id: 1 }))
      assert.isFalse(family({ id: 1 }) === one)
      assert.isTrue(family({ id: 2 }) === two)
      WeakMemo.clear(family)
      assert.isFalse(family({ id: 2 }) === two)
    })

    it("throw for a function that is not memoized", () => {
      assert.throws(() => WeakMemo.clear(() => 1), TypeError, /memoize/)
      assert.throws(() => WeakMemo.forget((_: number) => 1, 1), TypeError, /memoize/)
    })

    it.effect("a forgotten result is collected even after others were evicted", () =>
      Effect.gen(function*() {
        const results: Array<globalThis.WeakRef<object>> = []
        const memo = WeakMemo.memoize((n: number) => {
          const result = { n }
          results[n] = new globalThis.WeakRef(result)
          return result
        }, { capacity: 3 })
        // The fourth call sorts the results to evict the first.
        for (let n = 0; n < 4; n++) memo(n)
        assert.isTrue(WeakMemo.forget(memo, 1))
        assert.isTrue(yield* collectUntil(() => results[1]!.deref() === undefined))
        assert.isTrue(results[2]!.deref() !== undefined && results[3]!.deref() !== undefined)
        assert.strictEqual(memo(3).n, 3)
      }))

    it.effect("a forgotten result is collected", () =>
      Effect.gen(function*() {
        const argument = {}
        const lists = [[argument], [argument, 1], [1], []]
        for (const end of ["clear", "forget"] as const) {
          const { memo } = counting()
          const run = () => {
            const probes = lists.map((args) => new WeakRef<object>(memo(...args)))
            if (end === "clear") WeakMemo.clear(memo)
            else for (const args of lists) WeakMemo.forget(memo, ...args)
            return probes
          }
          assert.isTrue(yield* allDie(run()))
          assert.isFalse(WeakMemo.forget(memo, argument))
        }
      }))
  })

  describe("the heap of the context", () => {
    it.effect("makeFamily uses it", () =>
      Effect.gen(function*() {
        const family = yield* WeakMemo.makeFamily((id: number) => ({ id }))
        const first = family(1)
        assert.isTrue(family(1) === first)
        yield* TestHeap.collect(first)
        assert.isFalse(family(1) === first)
      }).pipe(Effect.provide(TestHeap.layer)))

    it.effect("make uses it", () =>
      Effect.gen(function*() {
        let runs = 0
        const memo = yield* WeakMemo.make((a: object, n: number) => ({ a, n, run: ++runs }), { capacity: 1 })
        const argument = {}
        assert.isTrue(memo(argument, 1) === memo(argument, 1))
        memo(argument, 2)
        memo(argument, 1)
        assert.strictEqual(runs, 3)
        yield* TestHeap.collect(argument)
        assert.strictEqual(memo(argument, 1).run, 4)
      }).pipe(Effect.provide(TestHeap.layer)))
  })
})
