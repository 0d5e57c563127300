import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Equal, Exit, Hash, HashSet, Option, pipe } from "effect"
import { inspect } from "node:util"
import { vi } from "vitest"
import { WeakError, WeakMethod, WeakProxy, WeakRef } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { testDual } from "./support/dual.ts"
import { collectThoroughly, collectUntil } from "./support/realHeap.ts"
import { reportsOf } from "./support/reports.ts"

class Counter {
  #count: number
  readonly id: number

  constructor(count = 0, id = 0) {
    this.#count = count
    this.id = id
  }
  add(n: number): number {
    return this.#count += n
  }
  get count(): number {
    return this.#count
  }
  static of(count: number): Counter {
    return new this(count)
  }
  [Symbol.iterator](): Iterator<number> {
    return [this.#count][Symbol.iterator]()
  }
  fail(error: Error): never {
    throw error
  }
}

class SubCounter extends Counter {
  override add(n: number): number {
    return super.add(2 * n)
  }
}

/** Two entities are equal if their ids are equal. */
class Entity {
  readonly id: number
  constructor(id: number) {
    this.id = id
  }
  name(): string {
    return `entity ${this.id}`
  }
  [Equal.symbol](that: unknown): boolean {
    return that instanceof Entity && that.id === this.id
  }
  [Hash.symbol](): number {
    return Hash.number(this.id)
  }
}

const world = () => {
  const { collect, heap, service } = TestHeap.makeUnsafe()
  return { heap, collect, finalize: service.finalize }
}

describe("WeakMethod", () => {
  describe("make", () => {
    it.effect("finds own and inherited methods, accessors, symbols and statics by key", () =>
      Effect.gen(function*() {
        const counter = new SubCounter(1)
        assert.strictEqual(yield* WeakMethod.invoke(yield* WeakMethod.make(counter, "add"), 2), 5)
        const iterate = yield* WeakMethod.make(counter, Symbol.iterator)
        assert.strictEqual((yield* WeakMethod.invoke(iterate)).next().value, 5)
        const of = yield* WeakMethod.make(Counter, "of")
        assert.strictEqual((yield* WeakMethod.invoke(of, 7)).count, 7)
        const own = { n: 1, 0: () => "at 0", read: () => "own" }
        assert.strictEqual(yield* WeakMethod.invoke(yield* WeakMethod.make(own, "read")), "own")
        assert.strictEqual(yield* WeakMethod.invoke(yield* WeakMethod.make(own, 0)), "at 0")
        const triple = function(this: { readonly n: number }) {
          return 3 * this.n
        }
        const accessor = {
          n: 4,
          get triple() {
            return triple
          }
        }
        assert.strictEqual(yield* WeakMethod.invoke(yield* WeakMethod.make(accessor, "triple")), 12)
      }))

    it.effect("accepts a function, and calls it with the receiver as this", () =>
      Effect.gen(function*() {
        const counter = new SubCounter(1)
        const add = yield* WeakMethod.make(counter, Counter.prototype.add)
        assert.strictEqual(yield* WeakMethod.invoke(add, 2), 3)
        const has = yield* WeakMethod.make(new Set([1]), Set.prototype.has)
        assert.isTrue(WeakMethod.isWeakMethod(has))
      }))

    it.effect("reads the key once", () =>
      Effect.gen(function*() {
        let reads = 0
        const answer = () => 42
        const receiver = {
          get answer() {
            reads++
            return answer
          }
        }
        const method = yield* WeakMethod.make(receiver, "answer")
        yield* WeakMethod.invoke(method)
        yield* WeakMethod.invoke(method)
        assert.strictEqual(reads, 1)
        const replaced = { name: () => "first" }
        const first = replaced.name
        const ofReplaced = yield* WeakMethod.make(replaced, "name")
        replaced.name = () => "second"
        assert.strictEqual(yield* WeakMethod.invoke(ofReplaced), first())
      }))

    it.effect("returns a new method each time, and WeakRef.count does not count it", () =>
      Effect.gen(function*() {
        const counter = new Counter()
        const first = yield* WeakMethod.make(counter, "add")
        assert.notStrictEqual(first, yield* WeakMethod.make(counter, "add"))
        assert.strictEqual(yield* WeakRef.count(counter), 0)
        assert.strictEqual(yield* WeakRef.count(counter.add), 0)
      }))

    it.effect("fails with the value that is not a function or cannot be a receiver", () =>
      Effect.gen(function*() {
        const receiver = { text: "no function", object: { a: 1 }, missing: undefined as (() => void) | undefined }
        const cases: ReadonlyArray<readonly [unknown, unknown, unknown]> = [
          [receiver, "text", "no function"],
          [receiver, "object", receiver.object],
          [receiver, "missing", undefined],
          [receiver, "not there", undefined],
          [receiver, null, null],
          [receiver, receiver.object, receiver.object],
          ["text", "charAt", "text"],
          [null, "toString", null],
          [undefined, () => {}, undefined],
          [Symbol.for("registered"), "toString", Symbol.for("registered")]
        ]
        for (const [target, key, found] of cases as ReadonlyArray<readonly [object, never, unknown]>) {
          const error = yield* Effect.flip(WeakMethod.make(target, key))
          assert.instanceOf(error, WeakError.NotWeakReferenceableError)
          assert.strictEqual(error.value, found)
          assert.throws(() => WeakMethod.makeUnsafe(target, key), WeakError.NotWeakReferenceableError)
        }
      }))

    it("names the property that is not a function, and its value", () => {
      const messageOf = (f: () => unknown): string => {
        try {
          f()
        } catch (error) {
          return (error as Error).message
        }
        throw new Error("Nothing was thrown")
      }
      const make = (receiver: unknown, key: unknown) => () => WeakMethod.makeUnsafe(receiver as object, key as never)
      const advice = "pass the key of a method, or a function"
      assert.strictEqual(
        messageOf(make({}, "nope")),
        `The property "nope" of the receiver is undefined, which is not a function: ${advice}`
      )
      assert.strictEqual(
        messageOf(make({ x: { y: 1 } }, "x")),
        `The property "x" of the receiver is [object Object], which is not a function: ${advice}`
      )
      assert.include(messageOf(make({}, Symbol.iterator)), "The property Symbol(Symbol.iterator) of the receiver")
      assert.include(messageOf(make({}, null)), "null is not a method")
      assert.include(messageOf(make("text", "charAt")), "\"text\" cannot be weakly referenced")
    })

    it.effect("reads the heap and the key when the effect runs", () =>
      Effect.gen(function*() {
        const counter = new Counter()
        const method = yield* WeakMethod.make(counter, "add").pipe(Effect.provide(TestHeap.layer))
        assert.isTrue(WeakMethod.isAlive(method))
        const throwing = WeakMethod.make({
          get broken(): () => void {
            throw new Error("broken")
          }
        }, "broken")
        const exit = yield* Effect.exit(throwing)
        assert.isTrue(Exit.hasDies(exit))
      }))

    it.effect("works with symbols, functions and proxies as receivers", () =>
      Effect.gen(function*() {
        const symbol = Symbol("mine")
        assert.strictEqual(yield* WeakMethod.invoke(yield* WeakMethod.make(symbol, "toString")), "Symbol(mine)")
        const f = (a: number) => a + 1
        assert.strictEqual(yield* WeakMethod.invoke(yield* WeakMethod.make(f, f), 1), 2)
        const counter = new Counter(1)
        const proxy = yield* WeakProxy.make(counter)
        const add = yield* WeakMethod.make(proxy, "add")
        assert.strictEqual(yield* WeakMethod.invoke(add, 1), 2)
        assert.strictEqual(Option.getOrThrow(WeakMethod.deref(add))(1), 3)
      }))
  })

  it("isWeakMethod recognizes weak methods", () => {
    const set = new Set()
    assert.isTrue(WeakMethod.isWeakMethod(WeakMethod.makeUnsafe(set, "has")))
    for (const other of [null, undefined, {}, set.has, WeakRef.makeUnsafe(set)]) {
      assert.isFalse(WeakMethod.isWeakMethod(other))
    }
  })

  it("isWeakMethod returns false for methods of another copy of the library", async () => {
    const set = new Set()
    vi.resetModules()
    const other = await import("../src/index.ts")
    const method = WeakMethod.makeUnsafe(set, "has")
    const methodOfOther = other.WeakMethod.makeUnsafe(set, "has")
    assert.deepStrictEqual([method, methodOfOther].map(WeakMethod.isWeakMethod), [true, false])
    assert.deepStrictEqual([method, methodOfOther].map(other.WeakMethod.isWeakMethod), [false, true])
    assert.isFalse(Equal.equals(method, methodOfOther))
  })

  describe("deref and invoke", () => {
    it("bind the function to the receiver, even if it is called with another this", () => {
      const counter = new Counter(1)
      const add = Option.getOrThrow(WeakMethod.deref(WeakMethod.makeUnsafe(counter, "add")))
      assert.strictEqual(add(1), 2)
      assert.strictEqual(add.call(new Counter(100), 1), 3)
      assert.strictEqual(add.name, "bound add")
    })

    it.effect.each(["receiver", "function"])("fail after the %s has been collected", (which) =>
      Effect.gen(function*() {
        const { collect, heap } = world()
        const counter = new Counter()
        const method = WeakMethod.makeUnsafe(counter, "add", heap)
        assert.isTrue(WeakMethod.isAlive(method))
        collect(which === "receiver" ? counter : Counter.prototype.add)
        assert.isFalse(WeakMethod.isAlive(method))
        assert.deepStrictEqual(WeakMethod.deref(method), Option.none())
        const error = yield* Effect.flip(WeakMethod.invoke(method, 1))
        assert.instanceOf(error, WeakError.DeadReferenceError)
        assert.strictEqual(counter.count, 0)
      }))

    it.effect("invoke calls the method at each run, passes the arguments, and dies if the method throws", () =>
      Effect.gen(function*() {
        const counter = new Counter()
        const twice = WeakMethod.invoke(WeakMethod.makeUnsafe(counter, "add"), 2)
        assert.strictEqual(counter.count, 0)
        assert.deepStrictEqual([yield* twice, yield* twice], [2, 4])
        const collected: Array<unknown> = []
        const collect = WeakMethod.makeUnsafe(collected, Array.prototype.push)
        yield* WeakMethod.invoke(collect, 1, 2, undefined)
        assert.deepStrictEqual(collected, [1, 2, undefined])
        const error = new Error("thrown")
        const exit = yield* Effect.exit(WeakMethod.invoke(WeakMethod.makeUnsafe(counter, "fail"), error))
        assert.deepStrictEqual(exit, Exit.die(error))
      }))

    it.effect("invoke succeeds with the promise or the effect that the method returns", () =>
      Effect.gen(function*() {
        const service = { load: () => Effect.succeed(1), fetch: () => Promise.resolve(2) }
        const load = WeakMethod.invoke(WeakMethod.makeUnsafe(service, "load"))
        assert.strictEqual(yield* Effect.flatten(load), 1)
        const fetched = yield* WeakMethod.invoke(WeakMethod.makeUnsafe(service, "fetch"))
        assert.strictEqual(yield* Effect.promise(() => fetched), 2)
      }))
  })

  describe("onCollect", () => {
    it.effect.each(
      [
        ["the receiver", (counter: Counter) => [counter]],
        ["the function", () => [Counter.prototype.add]],
        ["both at once", (counter: Counter) => [counter, Counter.prototype.add]]
      ] as const
    )("runs once, with the dead method, after the collection of %s", ([, targets]) =>
      Effect.gen(function*() {
        class Name extends Context.Service<Name, string>()("test/Name") {}
        const log: Array<string> = []
        const counter = new Counter()
        const method = yield* WeakMethod.make(counter, "add")
        yield* WeakMethod.onCollect(method, (dead) =>
          Effect.map(Name, (name) => log.push(`${name}, ${dead === method}, ${WeakMethod.isAlive(dead)}`))).pipe(
            Effect.provideService(Name, "services")
          )
        yield* TestHeap.collectAndFinalize(...targets(counter))
        assert.deepStrictEqual(log, ["services, true, false"])
        yield* TestHeap.collectAndFinalize(counter, Counter.prototype.add)
        assert.strictEqual(log.length, 1)
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("runs once if receiver and function are the same", () =>
      Effect.gen(function*() {
        let runs = 0
        const f = () => 1
        const method = yield* WeakMethod.make(f, f)
        yield* pipe(method, WeakMethod.onCollect(() => Effect.sync(() => runs++)))
        yield* TestHeap.collectAndFinalize(f)
        assert.strictEqual(runs, 1)
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("runs in order with the other callbacks of the collected value, newest first", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const counter = new Counter()
        const say = (what: string) => () => Effect.sync(() => log.push(what))
        const ref = yield* WeakRef.make(counter)
        yield* WeakRef.onCollect(ref, say("first"))
        yield* WeakMethod.onCollect(yield* WeakMethod.make(counter, "add"), say("method"))
        yield* WeakRef.onCollect(ref, say("last"))
        yield* TestHeap.collectAndFinalize(counter)
        assert.deepStrictEqual(log, ["last", "method", "first"])
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("does not run after its Scope has closed, and runs at once if the method is dead", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const counter = new Counter()
        const method = yield* WeakMethod.make(counter, "add")
        yield* Effect.scoped(WeakMethod.onCollect(method, () => Effect.sync(() => log.push("closed"))))
        yield* TestHeap.collectAndFinalize(Counter.prototype.add)
        assert.deepStrictEqual(log, [])
        yield* WeakMethod.onCollect(method, () => Effect.sync(() => log.push("late")))
        yield* Effect.yieldNow
        yield* TestHeap.collectAndFinalize(counter)
        assert.deepStrictEqual(log, ["late"])
      }).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))

    it.effect("reports a callback that fails", () =>
      Effect.gen(function*() {
        const counter = new Counter()
        const reports = yield* reportsOf(Effect.scoped(Effect.gen(function*() {
          yield* WeakMethod.onCollect(yield* WeakMethod.make(counter, "add"), () => Effect.fail(new Error("failed")))
          yield* TestHeap.collectAndFinalize(counter)
        })))
        assert.deepStrictEqual(reports, ["Error: failed"])
      }).pipe(Effect.provide(TestHeap.layer)))
  })

  describe("equality and hash", () => {
    it("compare the receivers and require the same function", () => {
      const make = (id: number) => WeakMethod.makeUnsafe(receivers[id]!, "name")
      const receivers = [new Entity(1), new Entity(1), new Entity(2)]
      assert.isTrue(WeakMethod.equals(make(0), make(0)))
      assert.isTrue(WeakMethod.equals(make(0), make(1)))
      assert.isFalse(WeakMethod.equals(make(0), make(2)))
      assert.isTrue(pipe(make(0), WeakMethod.equals(make(1))))
      assert.isTrue(Equal.equals(make(0), make(1)))
      assert.isFalse(Equal.equals(make(0), make(2)))
      assert.strictEqual(Hash.hash(make(0)), Hash.hash(make(1)))
      assert.strictEqual(HashSet.size(HashSet.make(make(0), make(1), make(2))), 2)
      const other = WeakMethod.makeUnsafe(receivers[0]!, Entity.prototype.toString)
      assert.isFalse(WeakMethod.equals(make(0), other))
      assert.notStrictEqual(Hash.hash(make(0)), Hash.hash(other))
      const alike = () => 1
      const alike2 = () => 1
      assert.isFalse(
        WeakMethod.equals(WeakMethod.makeUnsafe(receivers, alike), WeakMethod.makeUnsafe(receivers, alike2))
      )
      assert.isFalse(Equal.equals(make(0), WeakRef.makeUnsafe(receivers[0]!)))
    })

    it.each(["receiver", "function"])(
      "compare by identity after the %s has been collected, and keep a computed hash",
      (which) => {
        const { collect, heap } = world()
        const one = new Entity(1)
        const other = new Entity(1)
        const method = WeakMethod.makeUnsafe(one, "name", heap)
        const that = WeakMethod.makeUnsafe(other, "name", heap)
        // Calls the method directly, because Effect caches the result of Hash.hash.
        const hash = method[Hash.symbol]()
        assert.isTrue(WeakMethod.equals(method, that))
        collect(which === "receiver" ? one : Entity.prototype.name)
        assert.isFalse(WeakMethod.equals(method, that))
        assert.isFalse(WeakMethod.equals(that, method))
        assert.isTrue(WeakMethod.equals(method, method))
        assert.isTrue(Equal.equals(method, method))
        assert.strictEqual(method[Hash.symbol](), hash)
      }
    )

    it.each(["receiver", "function"])(
      "throw UnhashableError if first computed after the %s has been collected",
      (which) => {
        const { collect, heap } = world()
        const entity = new Entity(1)
        const method = WeakMethod.makeUnsafe(entity, "name", heap)
        collect(which === "receiver" ? entity : Entity.prototype.name)
        assert.throws(() => Hash.hash(method), WeakError.UnhashableError)
        assert.throws(
          () => Equal.equals(method, WeakMethod.makeUnsafe(entity, "name", heap)),
          WeakError.UnhashableError
        )
      }
    )

    it("Equal.equals stays true after a receiver has been collected, unlike WeakMethod.equals", () => {
      const { collect, heap } = world()
      const one = new Entity(1)
      const method = WeakMethod.makeUnsafe(one, "name", heap)
      const that = WeakMethod.makeUnsafe(new Entity(1), "name", heap)
      assert.isTrue(Equal.equals(method, that))
      collect(one)
      assert.isTrue(Equal.equals(method, that))
      assert.isFalse(WeakMethod.equals(method, that))
    })
  })

  it("prints its receiver and the name of its function, or None", () => {
    const { collect, heap } = world()
    const receiver = { id: 1, read: () => 1 }
    const method = WeakMethod.makeUnsafe(receiver, "read", heap)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(method)), {
      _id: "WeakMethod",
      receiver: { _id: "Option", _tag: "Some", value: { id: 1, read: "[Function: read]" } },
      method: { _id: "Option", _tag: "Some", value: "read" }
    })
    assert.include(String(method), "read")
    assert.include(inspect(method), "WeakMethod")
    collect(receiver, receiver.read)
    assert.deepStrictEqual(method.toJSON(), {
      _id: "WeakMethod",
      receiver: { _id: "Option", _tag: "None" },
      method: { _id: "Option", _tag: "None" }
    })
  })

  describe("on the real heap", () => {
    it.effect("keeps neither its receiver nor its function alive, and runs its callback once", () =>
      Effect.scoped(Effect.gen(function*() {
        let runs = 0
        const make = () => {
          const counter = new Counter()
          return WeakMethod.makeUnsafe(counter, "add")
        }
        const method = make()
        yield* WeakMethod.onCollect(method, () => Effect.sync(() => runs++))
        assert.isTrue(yield* collectUntil(() => runs === 1))
        assert.isFalse(WeakMethod.isAlive(method))
        yield* collectThoroughly
        assert.strictEqual(runs, 1)
      })))

    it.effect("lives as long as its receiver if the class or the receiver holds the function", () =>
      Effect.gen(function*() {
        const receiver = { counter: new Counter(1), own: () => 2 }
        const inherited = WeakMethod.makeUnsafe(receiver.counter, "add")
        const own = WeakMethod.makeUnsafe(receiver, "own")
        yield* collectThoroughly
        assert.strictEqual(yield* WeakMethod.invoke(inherited, 1), 2)
        assert.strictEqual(yield* WeakMethod.invoke(own), 2)
        assert.isTrue(receiver !== undefined)
      }))

    it.effect("a property of the receiver that captures the receiver does not keep it alive", () =>
      Effect.gen(function*() {
        const make = () => {
          const receiver = { n: 1, read: () => receiver.n }
          return WeakMethod.makeUnsafe(receiver, "read")
        }
        const method = make()
        assert.isTrue(yield* collectUntil(() => !WeakMethod.isAlive(method)))
      }))

    it.effect("trap: a function that nobody else holds is collected while its receiver is alive", () =>
      Effect.gen(function*() {
        const counter = new Counter(1)
        const make = () => WeakMethod.makeUnsafe(counter, () => 1)
        const makeOfBound = () => WeakMethod.makeUnsafe(counter, counter.add.bind(counter))
        const makeOfGetter = () =>
          WeakMethod.makeUnsafe(
            Object.defineProperty(counter, "fresh", { get: () => () => 1 }) as Counter & { fresh: () => number },
            "fresh"
          )
        const methods = [make(), makeOfBound(), makeOfGetter()]
        assert.isTrue(yield* collectUntil(() => methods.every((method) => !WeakMethod.isAlive(method))))
        assert.strictEqual(counter.count, 1)
      }))

    it.effect("trap: a function that captures its receiver keeps it alive while somebody holds the function", () =>
      Effect.gen(function*() {
        const make = () => {
          const counter = new Counter(1)
          const listener = () => counter.add(1)
          const thisUsing = function(this: Counter) {
            return this.add(1)
          }
          return {
            listeners: [listener] as Array<unknown>,
            thisUsing,
            captures: WeakMethod.makeUnsafe(counter, listener),
            probe: new globalThis.WeakRef(counter)
          }
        }
        const { captures, listeners, probe } = make()
        yield* collectThoroughly
        assert.isTrue(WeakMethod.isAlive(captures))
        assert.isDefined(probe.deref())
        listeners.pop()
        assert.isTrue(yield* collectUntil(() => !WeakMethod.isAlive(captures) && probe.deref() === undefined))
      }))

    it.effect("the function that deref returns keeps both alive", () =>
      Effect.gen(function*() {
        const make = () => {
          const counter = new Counter(1)
          const method = WeakMethod.makeUnsafe(counter, (n: number) => n)
          return { method, bound: [Option.getOrThrow(WeakMethod.deref(method))] }
        }
        const { bound, method } = make()
        yield* collectThoroughly
        assert.isTrue(WeakMethod.isAlive(method))
        bound.pop()
        assert.isTrue(yield* collectUntil(() => !WeakMethod.isAlive(method)))
      }))
  })
})

testDual("WeakMethod")

describe("the error for a property that is not a method", () => {
  it("has the value, the property and what was expected", () => {
    const receiver = { count: 1 } as unknown as { readonly count: () => number }
    let error: unknown
    try {
      WeakMethod.makeUnsafe(receiver, "count")
    } catch (thrown) {
      error = thrown
    }
    assert.instanceOf(error, WeakError.NotWeakReferenceableError)
    const { expected, message, property, value } = error
    assert.deepStrictEqual([expected, property, value], ["function", "count", 1])
    assert.strictEqual(
      message,
      "The property \"count\" of the receiver is 1, which is not a function: pass the key of a method, or a function"
    )
  })
})
