/** The constructors of a test heap, one operation at a time. `test/testing/TestHeap.conformance.test.ts` compares them with the host's. */
import { assert, describe, it } from "@effect/vitest"
import { makeHeap } from "../../../src/internal/testing/constructors.ts"
import { ExploredCollector } from "../../../src/internal/testing/exploredCollector.ts"
import { Collector, runAll, runNext } from "../../../src/internal/testing/simulatedCollector.ts"

const make = (seed: string | number = 0) => {
  const collector = new Collector(seed)
  return { collector, ...makeHeap(collector) }
}

const messageOf = (f: () => unknown): string => {
  try {
    f()
  } catch (error) {
    assert.instanceOf(error, TypeError)
    return error.message
  }
  return "no error"
}

describe("A method on a wrong receiver", () => {
  const { FinalizationRegistry, WeakMap, WeakRef } = make()
  const methods = [
    ["WeakRef.prototype.deref", WeakRef.prototype.deref],
    ...(["delete", "get", "has", "set", "getOrInsert", "getOrInsertComputed"] as const).map((name) =>
      [`WeakMap.prototype.${name}`, (WeakMap.prototype as unknown as Record<string, Function>)[name]!] as const
    ),
    ["FinalizationRegistry.prototype.register", FinalizationRegistry.prototype.register],
    ["FinalizationRegistry.prototype.unregister", FinalizationRegistry.prototype.unregister]
  ] as const
  for (const [name, method] of methods) {
    it(`throws: ${name}`, () => {
      const receivers = [[undefined, "undefined"], [null, "null"], ["text", "text"], [Symbol("s"), "Symbol(s)"], [
        {},
        "object"
      ], [() => {}, "object"]] as const
      for (const [receiver, shown] of receivers) {
        assert.strictEqual(
          messageOf(() => Reflect.apply(method, receiver, [{}, 1])),
          `Method ${name} called on incompatible receiver ${shown}`
        )
      }
    })
  }
})

describe("WeakRef", () => {
  it("refers to its target until the target is collected, and a new one to the target's next life", () => {
    const { WeakRef, collector } = make()
    const target = {}
    const ref = new WeakRef(target)
    assert.strictEqual(ref.deref(), target)
    collector.collect(target)
    assert.isUndefined(ref.deref())
    assert.strictEqual(new WeakRef(target).deref(), target)
    assert.isUndefined(ref.deref())
    assert.strictEqual(messageOf(() => new WeakRef(5 as never)), "WeakRef: invalid target")
  })
})

describe("WeakMap", () => {
  it("has an entry until its key is collected", () => {
    const { WeakMap, collector } = make()
    const [a, b] = [{}, {}]
    const map = new WeakMap([[a, 1], [b, 2]])
    assert.deepStrictEqual([map.get(a), map.has(a), map.get(b)], [1, true, 2])
    collector.collect(a)
    assert.deepStrictEqual([map.get(a), map.has(a), map.delete(a)], [undefined, false, false])
    assert.strictEqual(map.set(a, 3), map)
    assert.strictEqual(map.get(a), 3)
    assert.isTrue(map.delete(b))
    assert.isFalse(map.delete(b))
    assert.isFalse(map.has(b))
  })

  it("has no entry whose key is a primitive, and refuses to insert one", () => {
    const { WeakMap } = make()
    const map = new WeakMap<WeakKey, unknown>()
    for (const key of [5, "text", undefined, Symbol.for("registered")] as ReadonlyArray<unknown>) {
      assert.deepStrictEqual([map.get(key as never), map.has(key as never), map.delete(key as never)], [
        undefined,
        false,
        false
      ])
      for (const insert of ["set", "getOrInsert", "getOrInsertComputed"] as const) {
        assert.strictEqual(messageOf(() => map[insert](key as never, () => 1)), "Invalid value used as weak map key")
      }
    }
  })

  it("inserts what it does not have", () => {
    const { WeakMap } = make()
    const key = {}
    const map = new WeakMap<WeakKey, unknown>()
    assert.strictEqual(map.getOrInsert(key, 1), 1)
    assert.strictEqual(map.getOrInsert(key, 2), 1)
    assert.strictEqual(map.getOrInsertComputed(key, () => 3), 1)
    map.delete(key)
    const computed = map.getOrInsertComputed(key, (given) => {
      assert.strictEqual(given, key)
      map.set(key, "from the callback")
      return "computed"
    })
    assert.deepStrictEqual([computed, map.get(key)], ["computed", "computed"])
    assert.strictEqual(
      messageOf(() => map.getOrInsertComputed({}, 5 as never)),
      "WeakMap.prototype.getOrInsertComputed: not a function"
    )
  })

  it("refuses entries that are no objects, or that it cannot insert", () => {
    const { WeakMap } = make()
    for (const entry of [5, null, undefined, "ab"]) {
      assert.strictEqual(messageOf(() => new WeakMap([entry as never])), "WeakMap: an entry is not an object")
    }
    class Fixed extends WeakMap<WeakKey, unknown> {}
    Object.defineProperty(Fixed.prototype, "set", { value: 5 })
    assert.strictEqual(messageOf(() => new Fixed([])), "WeakMap: 'set' is not a function")
    for (const nothing of [undefined, null]) assert.instanceOf(new Fixed(nothing as never), Fixed)
  })

  it("shows the collector that a key is alive", async () => {
    const asked: Array<string> = []
    const explored = new ExploredCollector({
      choose: (options) => {
        asked.push(options.join())
        return 0
      },
      onError: () => {},
      onTurn: () => {},
      lateUnregister: true,
      turns: "task"
    })
    try {
      const { FinalizationRegistry, WeakMap } = makeHeap(explored)
      const map = new WeakMap<WeakKey, unknown>()
      const registry = new FinalizationRegistry(() => {})
      const uses = [(key: object) => map.get(key), (key: object) => map.set(key, 1), (key: object) => map.delete(key)]
      for (const use of uses) {
        const key = {}
        registry.register(key, 1, key)
        explored.mayCollect(key)
        registry.unregister(key)
        use(key)
      }
      await new Promise((resolve) => setTimeout(resolve, 0))
      assert.deepStrictEqual(asked, [])
    } finally {
      explored.stop()
    }
  })
})

describe("FinalizationRegistry", () => {
  it("runs the clean-up of each registration once, with the held value", () => {
    const { FinalizationRegistry, collector } = make()
    const held: Array<unknown> = []
    const registry = new FinalizationRegistry<unknown>(function(this: unknown, value) {
      held.push(this, value)
      return "result"
    })
    const target = {}
    registry.register(target, "a")
    collector.collect(target)
    assert.deepStrictEqual(runAll(collector), [{ result: "result", thrown: undefined }])
    assert.deepStrictEqual(held, [undefined, "a"])
    collector.collect(target)
    assert.strictEqual(collector.pending(), 0)
    assert.deepStrictEqual(runAll(collector), [])
  })

  it("forgets every registration with a token", () => {
    const { FinalizationRegistry, collector } = make()
    const held: Array<string> = []
    const registry = new FinalizationRegistry<string>((value) => held.push(value))
    const [a, b, token] = [{}, {}, {}]
    registry.register(a, "a", token)
    registry.register(b, "b", token)
    registry.register(b, "kept")
    assert.isTrue(registry.unregister(token))
    assert.isFalse(registry.unregister(token))
    registry.register(a, "again", token)
    collector.collect(a)
    assert.strictEqual(collector.pending(), 1)
    assert.isTrue(registry.unregister(token))
    collector.collect(b)
    runAll(collector)
    assert.deepStrictEqual(held, ["kept"])
    assert.isFalse(registry.unregister({}))
  })

  it("does not know a token that was collected after its registration", () => {
    const { FinalizationRegistry, collector } = make()
    const registry = new FinalizationRegistry(() => {})
    const [target, token] = [{}, {}]
    registry.register(target, 1, token)
    collector.collect(token)
    assert.isFalse(registry.unregister(token))
    registry.register(target, 2, token)
    assert.isTrue(registry.unregister(token))
    collector.collect(target)
    assert.strictEqual(collector.pending(), 1)
  })

  it("refuses wrong arguments", () => {
    const { FinalizationRegistry } = make()
    const registry = new FinalizationRegistry<unknown>(() => {})
    const target = {}
    const prefix = "FinalizationRegistry.prototype"
    assert.strictEqual(
      messageOf(() => new FinalizationRegistry(5 as never)),
      "FinalizationRegistry: cleanup must be callable"
    )
    assert.strictEqual(messageOf(() => registry.register(5 as never, 1)), `${prefix}.register: invalid target`)
    assert.strictEqual(
      messageOf(() => registry.register(target, target)),
      `${prefix}.register: target and holdings must not be same`
    )
    for (const token of [5, null, "text"] as ReadonlyArray<unknown>) {
      assert.strictEqual(
        messageOf(() => registry.register(target, 1, token as never)),
        `${prefix}.register: invalid unregister token`
      )
      assert.strictEqual(
        messageOf(() => registry.unregister(token as never)),
        `${prefix}.unregister: invalid unregister token`
      )
    }
    assert.isUndefined(registry.register(target, 1, undefined))
    assert.strictEqual(
      messageOf(() => registry.unregister(undefined as never)),
      `${prefix}.unregister: invalid unregister token`
    )
  })
})

describe("The queue", () => {
  const queued = (seed: string | number, count: number) => {
    const { FinalizationRegistry, collector } = make(seed)
    const held: Array<number> = []
    const token = {}
    const target = {}
    const registry = new FinalizationRegistry<number>((value) => held.push(value))
    for (let value = 0; value < count; value++) registry.register(target, value, token)
    collector.collect(target)
    return { FinalizationRegistry, collector, held, registry, target, token }
  }

  it("has an order that depends on the seed, and each round has its own", () => {
    const orderOf = (seed: string | number) => {
      const { collector, held, registry, target } = queued(seed, 6)
      runAll(collector)
      for (let value = 0; value < 6; value++) registry.register(target, value)
      collector.collect(target)
      runAll(collector)
      return held.join("")
    }
    assert.strictEqual(orderOf(0), orderOf(0))
    assert.notStrictEqual(orderOf(0), orderOf("another"))
    // This depends on the random numbers of Effect.
    assert.strictEqual(orderOf(0), "512340501243")
  })

  it("runs one clean-up at a time, and those that are queued in the meantime afterwards", () => {
    const { FinalizationRegistry, collector, held } = queued(0, 3)
    const later = {}
    new FinalizationRegistry<number>((value) => held.push(value)).register(later, 9)
    assert.isDefined(runNext(collector))
    collector.collect(later)
    assert.strictEqual(collector.pending(), 3)
    assert.lengthOf(runAll(collector), 3)
    assert.strictEqual(held.at(-1), 9)
    assert.isUndefined(runNext(collector))
  })

  it("does not run a clean-up that an earlier one has unregistered", () => {
    const { collector, held, registry, token } = queued(0, 3)
    runNext(collector)
    assert.isTrue(registry.unregister(token))
    assert.deepStrictEqual(runAll(collector), [])
    assert.lengthOf(held, 1)
  })

  it("continues after a clean-up that throws", () => {
    const { FinalizationRegistry, collector } = make()
    const target = {}
    const registry = new FinalizationRegistry<number>((value) => {
      if (value === 1) throw new Error("thrown")
      return value
    })
    for (let value = 0; value < 3; value++) registry.register(target, value)
    collector.collect(target)
    const ran = runAll(collector)
    assert.sameDeepMembers(
      ran.map(({ result, thrown }) => thrown === undefined ? result : (thrown.error as Error).message),
      [0, "thrown", 2]
    )
    assert.deepStrictEqual(ran.filter(({ thrown }) => thrown !== undefined).map(({ result }) => result), [undefined])
  })

  it("may hold more than what is queued for certain, unless finalize looks again", () => {
    const start = () => {
      const asked: Array<string> = []
      const explored = new ExploredCollector({
        choose: (options) => {
          asked.push(options.join())
          return 0
        },
        onError: () => {},
        onTurn: () => {},
        lateUnregister: false,
        turns: "task"
      })
      explored.register({}, () => {}, 1)
      const target = {}
      explored.register(target, () => {}, 2)
      explored.mayCollect(target)
      return { asked, explored }
    }
    for (const run of [runNext, runAll]) {
      const { asked, explored } = start()
      run(explored)
      assert.deepStrictEqual(asked, [",cleanup#2"])
      run(explored, true)
      assert.lengthOf(asked, 1)
      explored.stop()
    }
  })
})
