/** The machinery of the laws: their traces, their runs, and what they ask of the host's heap. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal, Hash } from "effect"
import * as fc from "fast-check"
import { afterEach, vi } from "vitest"
import type { Heap } from "../../../src/Heap.ts"
import { equals, hash } from "../../../src/internal/testing/laws/equality.ts"
import { keepsNothingAlive, leavesNothingBehind } from "../../../src/internal/testing/laws/hostHeap.ts"
import { check, Trace } from "../../../src/internal/testing/laws/law.ts"
import { makeCollector } from "../../../src/internal/testing/laws/tracedHeap.ts"
import { isBun, isNode, skip } from "../../support/host.ts"
import { collectUntil } from "../../support/realHeap.ts"

interface Violation extends Error {
  readonly trace: ReadonlyArray<string>
}

/** Runs what must break a law, and returns the violation. */
const violationOf = (run: () => unknown): Violation => {
  try {
    run()
  } catch (error) {
    return error as Violation
  }
  throw new Error("the law holds")
}

const fail = (error: unknown) => () => {
  throw error
}

describe("Trace", () => {
  it("ends with the reason, which it adds to the last step", () => {
    const trace = new Trace()
    trace.note("first()")
    assert.strictEqual(trace.step("second()", () => 2), 2)
    const { cause, message, trace: lines } = trace.violation("is wrong", "the cause") as Violation
    assert.deepStrictEqual(lines, ["first()", "second() // is wrong"])
    assert.strictEqual(message, "first()\nsecond() // is wrong")
    assert.strictEqual(cause, "the cause")
  })

  it("is the reason alone if there is no step", () => {
    const trace = new Trace()
    assert.deepStrictEqual((trace.violation("is wrong") as Violation).trace, ["// is wrong"])
    trace.declare({}, "unused0")
    assert.deepStrictEqual((trace.violation("is wrong") as Violation).trace, ["// is wrong"])
  })

  it("introduces only the names that a step uses", () => {
    const trace = new Trace()
    const [used, unused, mentioned] = [{ a: 1 }, {}, {}]
    trace.declare(used, "value1")
    trace.declare(unused, "value2")
    trace.declare(mentioned, "value3")
    trace.declare("text", "value4")
    trace.note(`use(${trace.show(used)}, value22)`)
    assert.deepStrictEqual((trace.violation(`returned ${trace.show(mentioned)}, value4`) as Violation).trace, [
      "const value1 = {\"a\":1}",
      "const value3 = {}",
      "const value4 = \"text\"",
      "use(value1, value22) // returned value3, value4"
    ])
  })

  it("shows a value by its first name, or prints it", () => {
    const trace = new Trace()
    const [object, symbol] = [{}, Symbol("mine")]
    assert.strictEqual(trace.name(object, "first"), object)
    trace.name(object, "second")
    trace.declare(symbol, "symbol0")
    // Equal primitives would share a name.
    trace.declare("text", "text0")
    trace.declare(null, "null0")
    assert.strictEqual(trace.show(object), "first")
    assert.strictEqual(trace.show([object, [symbol, "text", null]]), "[first, [symbol0, \"text\", null]]")
    assert.strictEqual(trace.show({ a: 1 }), "{\"a\":1}")
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    assert.strictEqual(trace.show(proxy), "a value of type object")
  })

  it("blames the step that throws", () => {
    const error = new RangeError("too many")
    const trace = new Trace()
    const stepped = violationOf(() => trace.step("step()", fail(error)))
    assert.match(stepped.trace.join("\n"), /^step\(\) \/\/ threw RangeError: too many/)
    assert.strictEqual(stepped.cause, error)
  })

  it("mentions a quiet step only if it throws", () => {
    const error = new RangeError("too many")
    const trace = new Trace()
    assert.strictEqual(trace.quietly("quiet()", () => 1), 1)
    const { cause, trace: lines } = violationOf(() => trace.quietly("loud()", fail(error)))
    assert.match(lines.join("\n"), /^loud\(\) \/\/ threw RangeError: too many/)
    assert.strictEqual(cause, error)
  })

  it("expects the same value", () => {
    const trace = new Trace()
    trace.expect("nan()", () => NaN, NaN)
    const { trace: lines } = violationOf(() => trace.expect("zero()", () => -0, 0))
    assert.deepStrictEqual(lines, ["nan()", "zero() // returned 0, expected 0"])
  })
})

describe("check", () => {
  const running = { aborted: false }

  it("runs 100 programs, or as many as it is told, or at most its limit", async () => {
    let runs = 0
    const count = () => void runs++
    const runsOf = async (options: { readonly numRuns?: number }, limit?: number) => {
      runs = 0
      assert.isUndefined(await check("law", fc.nat(), count, limit).run(options, running))
      return runs
    }
    assert.strictEqual(await runsOf({}), 100)
    assert.strictEqual(await runsOf({ numRuns: 7 }), 7)
    assert.strictEqual(await runsOf({ numRuns: 7 }, 3), 3)
    assert.strictEqual(await runsOf({ numRuns: 2 }, 3), 2)
  })

  it("gives each program a trace of its own", async () => {
    const traces = new Set<Trace>()
    await check("law", fc.nat(), (trace) => void traces.add(trace)).run({ numRuns: 5 }, running)
    assert.strictEqual(traces.size, 5)
  })

  it("runs no program after it was told to stop", async () => {
    const signal = { aborted: false }
    let runs = 0
    const law = check("law", fc.nat(), () => {
      signal.aborted = ++runs === 3
    })
    assert.isUndefined(await law.run({}, signal))
    assert.strictEqual(runs, 3)
  })

  it("says how to find a failure again", async () => {
    const error = new RangeError("too many")
    const law = check("law", fc.nat({ max: 1000 }), (trace, value) => {
      trace.step(`use(${value})`, () => {
        if (value > 900) throw error
      })
    })
    const failure = (await law.run({ seed: 3 }, running))!
    assert.strictEqual(failure.seed, 3)
    assert.strictEqual(failure.counterexample, 901)
    assert.strictEqual(failure.cause, error)
    assert.match(failure.trace.join("\n"), /^use\(901\) \/\/ threw RangeError: too many/)
    // The first program of this seed does not fail, but the first one of the path does.
    assert.isUndefined(await law.run({ seed: 3, numRuns: 1 }, running))
    const replayed = (await law.run({ seed: 3, path: failure.path, numRuns: 1 }, running))!
    assert.deepStrictEqual([replayed.counterexample, replayed.path], [901, failure.path])
  })

  it("chooses a seed if it is given none", async () => {
    const law = check("law", fc.nat(), (trace) => {
      throw trace.violation("is wrong")
    })
    const seeds = new Set<number>()
    for (let i = 0; i < 3; i++) seeds.add((await law.run({}, running))!.seed)
    assert.isAbove(seeds.size, 1)
  })

  it("reports an error of the law itself", async () => {
    const error = new RangeError("a mistake in the law")
    const failure = (await check("law", fc.nat(), fail(error)).run({}, running))!
    assert.match(failure.trace.join("\n"), /^\/\/ threw RangeError: a mistake in the law/)
    assert.strictEqual(failure.cause, error)
  })
})

describe("equals and hash", () => {
  class Picky implements Equal.Equal {
    [Equal.symbol](that: Equal.Equal): boolean {
      if (!(that instanceof Picky)) throw new TypeError("compares only with its own kind")
      return true
    }
    [Hash.symbol](): number {
      return calls++
    }
  }
  let calls = 0

  it("call the methods of the values, whose results nothing has kept", () => {
    const [a, b] = [new Picky(), new Picky()]
    // `Equal.equals` compares the hashes first.
    assert.isFalse(Equal.equals(a, b))
    assert.isTrue(equals(a, b))
    assert.notStrictEqual(hash(a), hash(a))
  })

  it("compare other values as Effect does", () => {
    assert.isFalse(equals(new Picky(), {}))
    assert.isFalse(equals({}, new Picky()))
    assert.isTrue(equals({ n: 1 }, { n: 1 }))
    assert.strictEqual(hash({ n: 1 }), hash({ n: 1 }))
  })
})

describe("makeCollector", () => {
  it("collects, finalizes and writes it down", async () => {
    const { collect, finalize, heap } = makeCollector(1)
    const trace = new Trace()
    const [a, b] = [trace.name({}, "a"), trace.name({}, "b")]
    const ref = new heap.WeakRef(a)
    let cleaned = 0
    const registry = new heap.FinalizationRegistry<number>(async (held) => {
      await Promise.resolve()
      cleaned += held
    })
    registry.register(b, 3)
    collect(trace, [a, b])
    assert.isUndefined(ref.deref())
    assert.strictEqual(cleaned, 0)
    await finalize(trace)
    assert.strictEqual(cleaned, 3)
    assert.deepStrictEqual((trace.violation("end") as Violation).trace, ["collect(a, b)", "finalize() // end"])
  })
})

describe("a law on the real heap", () => {
  it.effect("lets its subject go when it has ended", () =>
    Effect.gen(function*() {
      if (isBun) return skip("JavaScriptCore keeps what looks like a pointer on its stack")
      const subjects: Array<WeakRef<object>> = []
      const make = () => {
        const subject = {}
        subjects.push(new WeakRef(subject))
        return subject
      }
      const laws = [
        keepsNothingAlive("law", "thing", () => ({ subject: make(), dropped: [] })),
        leavesNothingBehind("law", "things", ["dies"], () => ({
          subject: make(),
          dropped: [],
          released: [],
          reusesReferences: false
        }))
      ]
      for (const law of laws) assert.isUndefined(yield* Effect.promise(() => law.run({}, { aborted: false })))
      assert.lengthOf(subjects, 2)
      assert.isTrue(yield* collectUntil(() => subjects.every((subject) => subject.deref() === undefined)))
    }))
})

// A host whose collections the tests decide about.

let round = 0
/** The collection that frees a value. All others stay for ever. */
const deaths = new Map<unknown, number>()

const dying = <A>(value: A, at: number): A => {
  deaths.set(value, at)
  return value
}

/** The targets of all references, in the order of their creation. */
let referred: Array<unknown> = []

class HostRef {
  readonly target: WeakKey
  constructor(target: WeakKey) {
    this.target = target
    referred.push(target)
  }
  deref(): WeakKey | undefined {
    return round >= (deaths.get(this.target) ?? Infinity) ? undefined : this.target
  }
}

let registered: Array<ReadonlyArray<unknown>> = []

class HostRegistry {
  register(...args: ReadonlyArray<unknown>): void {
    registered.push(args)
  }
  unregister(): boolean {
    return false
  }
}

const objects = (count: number): ReadonlyArray<object> => Array.from({ length: count }, () => ({}))

const { gc } = globalThis

/** Makes a new host, and imports the laws as this host has them. `globals` are what it has besides. */
const importLaws = async (globals: Readonly<Record<string, unknown>> = {}) => {
  if (!isNode) return skip("makes a host of its own")
  round = 0
  referred = []
  registered = []
  deaths.clear()
  // `stubGlobal` cannot replace what Node defines for `--expose-gc`.
  globalThis.gc = (() => void round++) as typeof gc
  vi.unstubAllGlobals()
  vi.stubGlobal("WeakRef", HostRef)
  vi.stubGlobal("FinalizationRegistry", HostRegistry)
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
  vi.resetModules()
  return await import("../../../src/internal/testing/laws/hostHeap.ts")
}

const traceOf = async (law: ReturnType<typeof check>): Promise<string> =>
  (await law.run({ seed: 1 }, { aborted: false }))?.trace.join("\n") ?? "holds"

describe("laws on the host's heap", () => {
  afterEach(() => {
    if (!isNode) return
    globalThis.gc = gc
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  describe("keepsNothingAlive", () => {
    const subject = {}

    it("wait for ten collections", async () => {
      const { keepsNothingAlive } = await importLaws()
      const law = (at: number) =>
        keepsNothingAlive("law", "thing", (_, count) => ({
          subject,
          dropped: objects(count).map((value, index) => dying(value, index === 7 ? at : 1))
        }))
      assert.strictEqual(await traceOf(law(1)), "holds")
      assert.strictEqual(round, 1)
      round = 0
      assert.strictEqual(await traceOf(law(10)), "holds")
      assert.strictEqual(round, 10)
      round = 0
      assert.strictEqual(
        await traceOf(law(11)),
        "create and drop 20 things, on the host's heap // 1 of 20 still alive after 10 collections"
      )
      assert.strictEqual(round, 10)
    })

    it("run one program, with a seed that can be given again", async () => {
      const { keepsNothingAlive } = await importLaws()
      const seeds: Array<number> = []
      const law = keepsNothingAlive("law", "thing", (heap, _, seed) => {
        assert.strictEqual(heap.WeakRef, WeakRef)
        seeds.push(seed)
        return { subject, dropped: [] }
      })
      assert.isUndefined(await law.run({ seed: 1, numRuns: 50 }, { aborted: false }))
      await law.run({ seed: 1 }, { aborted: false })
      assert.strictEqual(seeds.length, 2)
      assert.strictEqual(seeds[0], seeds[1])
    })

    it("cannot be checked without a collector", async () => {
      const { keepsNothingAlive } = await importLaws({ process: undefined })
      globalThis.gc = undefined
      const law = keepsNothingAlive("law", "thing", () => ({ subject, dropped: [] }))
      assert.strictEqual(
        await traceOf(law).finally(() => vi.unstubAllGlobals()),
        "create and drop 20 things, on the host's heap // cannot be checked: this host offers no way to ask for a collection, run it with --expose-gc"
      )
    })
  })

  describe("leavesNothingBehind", () => {
    type Law = Awaited<ReturnType<typeof importLaws>>["leavesNothingBehind"]
    type Ended = ReturnType<Parameters<Law>[3]>
    const endings = ["dies", "is removed"]

    /** What a structure leaves, of which everything is collected at once that is not told otherwise. */
    const lawOf = (leave: Law, make: (heap: Heap, ending: string) => Partial<Ended>) =>
      leave("law", "things", endings, (heap, count, _, ending) => {
        assert.strictEqual(count, 200)
        return { subject: {}, dropped: [], released: [], reusesReferences: false, ...make(heap, ending) }
      })

    const reasonOf = (ending: string, reason: string) =>
      `create 200 things, each of which ${ending}, on the host's heap // ${reason} after 10 collections`

    it("hold if a quarter of the entries waits for a clean-up, and not if more do", async () => {
      const { leavesNothingBehind } = await importLaws()
      const left: Readonly<Record<string, (heap: Heap, count: number) => Partial<Ended>>> = {
        "size is still 51": (_, count) => ({ size: () => count }),
        "51 weak references still exist": (heap, count) => {
          objects(count).forEach((value) => new heap.WeakRef(value))
          return {}
        },
        "51 held values and tokens of registrations still exist": (heap, count) => {
          const registry = new heap.FinalizationRegistry<object>(() => {})
          // A token that is registered again, and primitives, count once or not at all.
          const token = {}
          for (const value of objects(count - 1)) registry.register({}, value, token)
          new heap.FinalizationRegistry<number>(() => {}).register({}, 1)
          return {}
        },
        "51 values still exist": (_, count) => {
          const released = objects(count)
          return { released: [...released, ...released] }
        }
      }
      for (const [reason, make] of Object.entries(left)) {
        assert.strictEqual(await traceOf(lawOf(leavesNothingBehind, (heap) => make(heap, 50))), "holds")
        assert.strictEqual(
          await traceOf(lawOf(leavesNothingBehind, (heap) => make(heap, 51))),
          reasonOf("dies", reason)
        )
      }
    })

    it("pass registrations on to the host", async () => {
      const { leavesNothingBehind } = await importLaws()
      const [target, held, token] = [{}, {}, {}]
      await traceOf(lawOf(leavesNothingBehind, (heap) => {
        new heap.FinalizationRegistry<object>(() => {}).register(target, held, token)
        return {}
      }))
      assert.deepStrictEqual(registered.filter(([value]) => value === target), endings.map(() => [target, held, token]))
    })

    it("check each ending, and name the one that leaves something", async () => {
      const { leavesNothingBehind } = await importLaws()
      const seen = new Set<string>()
      const law = lawOf(leavesNothingBehind, (_, ending) => {
        seen.add(ending)
        return { size: () => ending === "is removed" ? 200 : 0 }
      })
      assert.strictEqual(await traceOf(law), reasonOf("is removed", "size is still 200"))
      assert.deepStrictEqual([...seen], endings)
    })

    it("let a structure keep what the next entry of a live target can use", async () => {
      const { leavesNothingBehind } = await importLaws()
      const law = (onEnding: string, reusesReferences: boolean, use: (heap: Heap) => unknown) =>
        lawOf(leavesNothingBehind, (heap, ending) => {
          if (ending === onEnding) use(heap)
          return { reusesReferences }
        })
      const refer = (heap: Heap) => {
        return objects(60).map((value) => new heap.WeakRef(value))
      }
      const register = (heap: Heap) => {
        const registry = new heap.FinalizationRegistry<object>(() => {})
        for (const value of objects(60)) registry.register({}, value)
      }
      const references = "60 weak references still exist"
      assert.strictEqual(await traceOf(law("is removed", true, refer)), "holds")
      assert.strictEqual(await traceOf(law("is removed", false, refer)), reasonOf("is removed", references))
      assert.strictEqual(await traceOf(law("dies", true, refer)), reasonOf("dies", references))
      assert.strictEqual(await traceOf(law("is removed", false, register)), "holds")
    })

    it("wait ten collections for the targets, and ten more for what is left", async () => {
      const { leavesNothingBehind } = await importLaws()
      const law = (targetsAt: number, restAt: number) =>
        leavesNothingBehind("law", "things", ["dies"], () => ({
          subject: {},
          dropped: objects(200).map((value) => dying(value, targetsAt)),
          released: objects(200).map((value) => dying(value, restAt)),
          reusesReferences: false
        }))
      assert.strictEqual(await traceOf(law(1, 1)), "holds")
      assert.strictEqual(round, 2)
      round = 0
      assert.strictEqual(await traceOf(law(10, 20)), "holds")
      assert.strictEqual(round, 20)
      round = 0
      assert.strictEqual(await traceOf(law(10, 21)), reasonOf("dies", "200 values still exist"))
      // Whether a structure keeps its targets is another law.
      round = 0
      assert.strictEqual(await traceOf(law(11, 100)), "holds")
      assert.strictEqual(round, 10)
    })

    it("forget the references and registrations that were collected", async () => {
      const { leavesNothingBehind } = await importLaws()
      const law = lawOf(leavesNothingBehind, (heap) => {
        const registry = new heap.FinalizationRegistry<object>(() => {})
        for (const value of objects(100)) {
          dying(new heap.WeakRef(value), 3)
          registry.register({}, dying({}, 3), dying({}, 3))
        }
        return {}
      })
      assert.strictEqual(await traceOf(law), "holds")
    })
  })

  describe("the laws of maps and sets", () => {
    /** A table that writes down how it is used, and returns what it is told. */
    const makeSpy = (log: Array<readonly [name: string, key?: unknown, value?: unknown]>) => {
      const add = (name: string, key?: unknown, value?: unknown) => void log.push([name, key, value])
      return {
        get: (key: unknown) => add("get", key),
        has: (key: unknown) => {
          add("has", key)
          return false
        },
        set: (key: unknown, value: unknown) => add("set", key, value),
        delete: (key: unknown) => {
          add("delete", key)
          return false
        },
        entries: () => {
          add("iterate")
          return {
            next: () => {
              add("next")
              return { done: false as const, value: [{}, {}] as const }
            }
          }
        },
        size: () => undefined
      }
    }

    const run = async (
      weak: "key" | "value" | "element",
      law: RegExp,
      onSet: (table: number, key: unknown, value: unknown) => void = () => {}
    ) => {
      await importLaws()
      const { laws } = await import("../../../src/internal/testing/laws/collections.ts")
      const { keys } = await import("../../../src/testing/Arbitraries.ts")
      const logs: Array<Array<readonly [name: string, key?: unknown, value?: unknown]>> = []
      const found = laws<object>({
        name: "table",
        weak,
        compare: "reference",
        ordered: false,
        keys: keys(),
        make: () => {
          const log: Array<readonly [name: string, key?: unknown, value?: unknown]> = []
          const table = logs.push(log) - 1
          const spy = makeSpy(log)
          return {
            ...spy,
            set: (key, value) => {
              onSet(table, key, value)
              spy.set(key, value)
            }
          }
        }
      }).filter(({ name }) => law.test(name))
      assert.lengthOf(found, 1)
      const trace = await traceOf(found[0]!)
      const of = (name: string) => logs.map((log) => log.filter(([other]) => other === name))
      return { name: found[0]!.name, of, trace }
    }

    it("drop what is weak after each operation has used it", async () => {
      const names = {
        key: "table: a value that refers to its key does not keep the key alive",
        value: "table: does not keep its values alive",
        element: "table: does not keep its elements alive"
      }
      for (const weak of ["key", "value", "element"] as const) {
        referred = []
        const { name, of, trace } = await run(weak, /not keep .* alive/)
        assert.strictEqual(name, names[weak])
        assert.strictEqual(
          trace,
          `create and drop 20 ${weak}s, on the host's heap // 20 of 20 still alive after 10 collections`
        )
        const [set] = of("set")
        const keys = set!.map(([, key]) => key)
        const values = set!.map(([, , value]) => value)
        assert.lengthOf(set!, 20)
        assert.deepStrictEqual(referred, weak === "value" ? values : keys)
        assert.deepStrictEqual(values, keys.map((key) => weak === "value" ? {} : { key }))
        for (const name of ["has", "get"]) assert.deepStrictEqual(of(name)[0]!.map(([, key]) => key), keys)
        assert.deepStrictEqual(of("delete")[0]!.map(([, key]) => key), keys.filter((_, index) => index % 4 === 0))
        // As often as there are keys, because the iterator of a broken table may not end.
        assert.deepStrictEqual(["iterate", "next"].map((name) => of(name)[0]!.length), [1, 20])
      }
    })

    it("expect that the rest of an entry is released when it dies, is removed or is overwritten", async () => {
      const endings = ["dies", "is removed", "is overwritten"]
      for (const weak of ["key", "value", "element"] as const) {
        for (const [index, ending] of endings.entries()) {
          round = 0
          referred = []
          // Only the rest of the entries of one table stays.
          const { of, trace } = await run(weak, /leaves nothing behind/, (table, key, value) => {
            const [weakly, rest] = weak === "value" ? [value, key] : [key, value]
            dying(weakly, 0)
            if (table !== index || weak === "element") dying(rest, 0)
          })
          const reason =
            `create 200 entries, each of which ${ending}, on the host's heap // 200 values still exist after 10 collections`
          // All entries that are overwritten have one key.
          const holds = weak === "element" || weak === "value" && ending === "is overwritten"
          assert.strictEqual(trace, holds ? "holds" : reason)
          assert.deepStrictEqual(
            of("set").map((set) => set.length),
            endings.slice(0, holds ? 3 : index + 1).map(() => 200)
          )
          assert.deepStrictEqual(of("delete").map((set) => set.length), [0, 200, 0].slice(0, holds ? 3 : index + 1))
          const [died] = of("set")
          const keys = died!.map(([, key]) => key)
          const values = died!.map(([, , value]) => value)
          const [weakly, rest] = weak === "value" ? [values, keys] : [keys, values]
          const referredTo = weak === "element" ? weakly : [...rest, ...weakly]
          assert.deepStrictEqual(referred.slice(0, referredTo.length), referredTo)
          const overwritten = new Set(of("set")[2]?.map(([, key]) => key))
          if (index === 2) assert.strictEqual(overwritten.size, 1)
        }
      }
    })
  })

  it("drop the targets of finalizers, and expect that what has ended is released", async () => {
    await importLaws()
    const { laws } = await import("../../../src/internal/testing/laws/finalizer.ts")
    const { keys } = await import("../../../src/testing/Arbitraries.ts")
    let ended = 0
    let targets: Array<object> = []
    /** Only what the registrations of this one are made of stays. */
    const lawsOf = (staying: number) => {
      let registers = 0
      return laws<object>((heap) => {
        const isDying = registers++ !== staying
        targets = []
        return (target, callback) => {
          targets.push(dying(target, staying === Infinity ? Infinity : 0))
          const end = () => {
            ended++
            // A registration that has ended may leave a reference for the next one.
            referred.push(new heap.WeakRef(target))
          }
          if (isDying) [callback, end].forEach((value) => dying(value, 0))
          return end
        }
      }, keys())
    }
    const lawOf = (name: string, staying: number) => {
      round = 0
      ended = 0
      referred = []
      return traceOf(lawsOf(staying).find((law) => law.name === `finalizer: ${name}`)!)
    }
    assert.strictEqual(
      await lawOf("does not keep its target alive", Infinity),
      "create and drop 20 targets, on the host's heap // 20 of 20 still alive after 10 collections"
    )
    assert.deepStrictEqual(referred, targets)
    assert.lengthOf(targets, 20)
    for (const [index, ending] of ["dies", "is ended"].entries()) {
      assert.strictEqual(
        await lawOf("leaves nothing behind", index),
        `create 200 registrations, each of which ${ending}, on the host's heap // 400 values still exist after 10 collections`
      )
      assert.strictEqual(ended, index === 0 ? 0 : 200)
      assert.lengthOf(targets, 200)
    }
  })

  it("drop what references and proxies refer to, after it was read", async () => {
    await importLaws()
    const references = await import("../../../src/internal/testing/laws/reference.ts")
    const proxies = await import("../../../src/internal/testing/laws/proxy.ts")
    const { keys } = await import("../../../src/testing/Arbitraries.ts")
    const [targets, read] = [new Set<unknown>(), new Set<unknown>()]
    const all = [
      ...references.laws<object>(() => (referent) => {
        targets.add(referent)
        return {
          deref: () => {
            read.add(referent)
            return referent
          }
        }
      }, keys()),
      ...proxies.laws(() => (target) => {
        targets.add(target)
        return new Proxy(target, {
          ownKeys: () => {
            read.add(target)
            return Reflect.ownKeys(target)
          }
        })
      }, () => true)
    ]
    for (const [what, name] of [["referent", "reference"], ["target", "proxy"]]) {
      for (const set of [targets, read]) set.clear()
      round = 0
      referred = []
      assert.strictEqual(
        await traceOf(all.find((law) => law.name === `${name}: does not keep its ${what} alive`)!),
        `create and drop 20 ${what}s, on the host's heap // 20 of 20 still alive after 10 collections`
      )
      assert.lengthOf(referred, 20)
      for (const set of [targets, read]) assert.deepStrictEqual([...set], referred)
    }
  })

  describe("while the host collects", () => {
    /** Returns what a law adds to sets, among which is what it keeps reachable. */
    const keptBy = async (law: ReturnType<typeof check>): Promise<ReadonlyArray<unknown>> => {
      const { add } = Set.prototype
      const kept: Array<unknown> = []
      Reflect.set(Set.prototype, "add", function(this: Set<unknown>, value: unknown) {
        kept.push(value)
        return add.call(this, value)
      })
      try {
        await law.run({ seed: 1 }, { aborted: false })
      } finally {
        Reflect.set(Set.prototype, "add", add)
      }
      return kept
    }
    const isPair = (kept: unknown, first: unknown, second: ReadonlyArray<unknown>): boolean =>
      Array.isArray(kept) && kept.length === 2 && kept[0] === first && Array.isArray(kept[1]) &&
      kept[1].length === second.length && kept[1].every((value, index) => value === second[index])

    it("an implementation stays reachable with its references, proxies or registrations", async () => {
      await importLaws()
      const finalizers = await import("../../../src/internal/testing/laws/finalizer.ts")
      const references = await import("../../../src/internal/testing/laws/reference.ts")
      const proxies = await import("../../../src/internal/testing/laws/proxy.ts")
      const { keys } = await import("../../../src/testing/Arbitraries.ts")
      let made: Array<unknown> = []
      let construct: unknown
      const maker = <A>(create: (target: object) => A) => () => {
        made = []
        return construct = (target: object): A => {
          const value = create(target)
          made.push(value)
          return value
        }
      }
      const laws = [
        ...references.laws<object>(maker((referent) => ({ deref: () => referent })), keys()),
        ...proxies.laws(maker((target) => new Proxy(target, {})), () => true),
        ...finalizers.laws<object>(maker(() => () => {}), keys())
      ].filter(({ name }) => /not keep its .* alive$/.test(name))
      assert.lengthOf(laws, 3)
      for (const law of laws) {
        const kept = await keptBy(law)
        assert.lengthOf(made, 20)
        assert.isTrue(kept.some((value) => isPair(value, construct, made)), law.name)
      }
    })

    it("the targets of ended registrations stay reachable, and those that die do not", async () => {
      await importLaws()
      const { laws } = await import("../../../src/internal/testing/laws/finalizer.ts")
      const { keys } = await import("../../../src/testing/Arbitraries.ts")
      const made: Array<{ readonly register: unknown; readonly targets: Array<object> }> = []
      const law = laws<object>(() => {
        const targets: Array<object> = []
        const register = (target: object, callback: () => void) => {
          targets.push(target)
          const end = () => {}
          for (const value of [target, callback, end]) dying(value, 0)
          return end
        }
        made.push({ register, targets })
        return register
      }, keys()).find(({ name }) => name === "finalizer: leaves nothing behind")!
      const kept = await keptBy(law)
      const [died, ended] = made
      assert.include(kept, died!.register)
      assert.isFalse(kept.some((value) => isPair(value, died!.register, died!.targets)))
      assert.isTrue(kept.some((value) => isPair(value, ended!.register, ended!.targets)))
    })

    it("the weak parts of removed and overwritten entries stay reachable, and those that die do not", async () => {
      await importLaws()
      const { laws } = await import("../../../src/internal/testing/laws/collections.ts")
      const { keys } = await import("../../../src/testing/Arbitraries.ts")
      for (const weak of ["key", "value", "element"] as const) {
        const made: Array<{ readonly table: object; readonly weakly: Array<unknown> }> = []
        const law = laws<object>({
          name: "table",
          weak,
          compare: undefined,
          ordered: false,
          keys: keys(),
          make: () => {
            const weakly: Array<unknown> = []
            const table = {
              get: () => undefined,
              has: () => false,
              set: (key: object, value: object) => {
                weakly.push(weak === "value" ? value : key)
                for (const part of [key, value]) dying(part, 0)
              },
              delete: () => false,
              entries: undefined,
              size: () => 0
            }
            made.push({ table, weakly })
            return table
          }
        }).find(({ name }) => name === "table: leaves nothing behind")!
        const kept = await keptBy(law)
        const [died, ...others] = made
        assert.lengthOf(others, 2)
        assert.include(kept, died!.table)
        for (const { table, weakly } of others) assert.isTrue(kept.some((value) => isPair(value, table, weakly)))
      }
    })
  })

  it("try five times on a host that takes other values for pointers, and tolerate a few of them", async () => {
    const { keepsNothingAlive, leavesNothingBehind } = await importLaws({ Bun: {} })
    let attempts = 0
    const dies = (attempt: number) =>
      keepsNothingAlive("law", "thing", () => {
        attempts++
        return { subject: {}, dropped: [dying({}, attempts === attempt ? 0 : Infinity)] }
      })
    assert.strictEqual(await traceOf(dies(5)), "holds")
    assert.strictEqual(attempts, 5)
    attempts = 0
    assert.match(await traceOf(dies(6)), /1 of 1 still alive/)
    assert.strictEqual(attempts, 5)
    const kept = (count: number) =>
      leavesNothingBehind("law", "things", ["dies"], () => ({
        subject: {},
        dropped: objects(count),
        released: objects(60),
        reusesReferences: false
      }))
    assert.match(await traceOf(kept(5)), /60 values still exist/)
    assert.strictEqual(await traceOf(kept(6)), "holds")
  })
})
