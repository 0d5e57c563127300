/** The leak detector on a host whose collections the tests decide about. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { afterEach, vi } from "vitest"
import { isNode, skip } from "../support/host.ts"

let events: Array<string> = []
/** The collection that frees the value, if one does. */
let death = Infinity

const collections = () => events.filter((event) => event === "collect").length

class HostRef {
  readonly target: object
  constructor(target: object) {
    this.target = target
  }
  deref(): object | undefined {
    return collections() >= death ? undefined : this.target
  }
}

const { gc } = globalThis

/** Makes a new host, and imports the module anew, with another search for retainers and another count of instances. */
const load = async (host: {
  readonly find?: () => unknown
  readonly count?: () => ReadonlyArray<number> | undefined
} = {}) => {
  if (!isNode) return skip("replaces modules")
  events = []
  death = Infinity
  // `stubGlobal` cannot replace what Node defines for `--expose-gc`.
  globalThis.gc = (() => void events.push("collect")) as typeof gc
  vi.unstubAllGlobals()
  vi.stubGlobal("WeakRef", HostRef)
  const notCalled = () => {
    throw new Error("not expected")
  }
  vi.resetModules()
  vi.doMock("../../src/internal/testing/retainers.ts", () => ({ find: host.find ?? notCalled }))
  vi.doMock("../../src/internal/testing/instances.ts", () => ({ count: host.count ?? notCalled }))
  return await import("../../src/testing/LeakDetector.ts")
}

afterEach(() => {
  if (!isNode) return
  globalThis.gc = gc
  vi.unstubAllGlobals()
  vi.doUnmock("../../src/internal/testing/retainers.ts")
  vi.doUnmock("../../src/internal/testing/instances.ts")
  vi.resetModules()
})

const make = Effect.sync(() => ({}))

describe("expectCollected", () => {
  it("collects up to 20 times by default", async () => {
    const { expectCollected } = await load()
    for (const last of [1, 20]) {
      events = []
      death = last
      await Effect.runPromise(expectCollected(make))
      assert.strictEqual(collections(), last)
    }
    events = []
    death = 21
    const error = await Effect.runPromise(Effect.flip(expectCollected(make, { retainers: false })))
    assert.deepStrictEqual([error.rounds, error.retainers, collections()], [20, [], 20])
  })

  it("collects as often as it is told", async () => {
    const { expectCollected } = await load()
    death = 2
    await Effect.runPromise(expectCollected(make, { rounds: 2, retainers: false }))
    assert.strictEqual(collections(), 2)
    events = []
    const error = await Effect.runPromise(Effect.flip(expectCollected(make, { rounds: 1, retainers: false })))
    assert.deepStrictEqual([error.rounds, collections()], [1, 1])
  })

  it("searches for the retainers after the last collection", async () => {
    const retainers = [{ holder: "Map", via: "0", kind: "entry" }]
    let found: unknown
    const { expectCollected } = await load({
      find: () => {
        assert.strictEqual(collections(), 3)
        return found
      }
    })
    const run = (options?: { readonly retainers?: boolean }) => {
      events = []
      return expectCollected(make, { rounds: 3, ...options })
    }
    found = { _tag: "Collected" }
    await Effect.runPromise(run())
    found = { _tag: "Retained", retainers }
    for (const options of [{}, { retainers: true }]) {
      const error = await Effect.runPromise(Effect.flip(run(options)))
      assert.deepStrictEqual([error.rounds, error.retainers, error.reason], [3, retainers, undefined])
    }
    found = { _tag: "Unknown", reason: "there is no snapshot" }
    const error = await Effect.runPromise(Effect.flip(run()))
    assert.deepStrictEqual([error.rounds, error.retainers, error.reason], [3, [], "there is no snapshot"])
  })
})

describe("expectNoGrowth", () => {
  class First {
    readonly id = 0
  }
  class Second {
    readonly id = 0
  }
  class Third {
    readonly id = 0
  }
  const classes = [First, Second, Third]
  const run = Effect.sync(() => events.push("run"))

  /** A host that counts these instances, one after the other. */
  const counting = (...counts: Array<ReadonlyArray<number> | undefined>) =>
    load({
      count: () => {
        events.push("count")
        return counts.shift()
      }
    })

  it("runs once, counts, runs ten times and counts again by default", async () => {
    const { expectNoGrowth } = await counting([3, 0, 1], [3, 0, 0])
    await Effect.runPromise(expectNoGrowth(run, { classes }))
    const repeated = Array.from({ length: 10 }, () => "run")
    const collected = ["collect", "collect", "collect"]
    assert.deepStrictEqual(events, ["run", "collect", "count", ...repeated, ...collected, "count"])
  })

  it("names the classes with more instances", async () => {
    const { expectNoGrowth } = await counting([3, 0, 1], [3, 2, 2])
    const error = await Effect.runPromise(Effect.flip(expectNoGrowth(run, { classes, repeat: 1, warmup: 2 })))
    assert.strictEqual(error.repeat, 1)
    assert.deepStrictEqual(error.growth, [
      { name: "Second", before: 0, after: 2 },
      { name: "Third", before: 1, after: 2 }
    ])
    assert.deepStrictEqual(events.filter((event) => event !== "collect"), ["run", "run", "count", "run", "count"])
  })

  it("fails if the host cannot count or cannot collect", async () => {
    const { expectNoGrowth } = await counting(undefined)
    const check = () => Effect.runPromise(Effect.flip(expectNoGrowth(run, { classes })))
    const first = await check()
    assert.deepStrictEqual([first.repeat, first.growth], [0, []])
    globalThis.gc = undefined
    vi.stubGlobal("process", undefined)
    const second = await check().finally(() => vi.unstubAllGlobals())
    assert.deepStrictEqual([second.repeat, second.growth], [0, []])
    assert.deepStrictEqual(events, ["run", "collect", "count", "run"])
  })
})
