/** Loads the modules on hosts that lack something, or that refuse to schedule a turn. */
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import { Cause, Effect, Exit, Scope } from "effect"
import { TestHeap } from "../../src/testing/index.ts"
import { isBun, skip } from "../support/host.ts"

const names = ["setImmediate", "setTimeout", "MessageChannel"] as const
const real = { setImmediate, setTimeout }

const refuse = () => {
  throw new Error("Disallowed operation called within global scope")
}

const RefusingChannel = function() {
  refuse()
}

const hosts: Record<string, Partial<Record<typeof names[number], unknown>>> = {
  "with all functions": {},
  "whose setTimeout throws": { setTimeout: refuse },
  "with messages only": { setImmediate: undefined, setTimeout: undefined },
  "with messages, whose timer throws": { setImmediate: undefined, setTimeout: refuse },
  "with a timer only": { setImmediate: undefined, MessageChannel: undefined },
  "with a timer, whose messages throw": { setImmediate: refuse, MessageChannel: RefusingChannel },
  "that drops the messages of a channel that an earlier job made": {
    setImmediate: undefined,
    setTimeout: refuse,
    MessageChannel: class {
      readonly port1: { onmessage: () => void; close: () => void } = { onmessage: () => {}, close: () => {} }
      readonly port2 = { postMessage: () => this.isOpen && void real.setImmediate(() => this.port1.onmessage()) }
      private isOpen = true
      constructor() {
        real.setImmediate(() => this.isOpen = false)
      }
    }
  },
  "that refuses everything": { setImmediate: refuse, setTimeout: refuse, MessageChannel: RefusingChannel },
  "that has nothing": { setImmediate: undefined, setTimeout: undefined, MessageChannel: undefined },
  "that returns nothing and forgets": { setImmediate: () => {}, setTimeout: () => {}, MessageChannel: undefined },
  "that returns nothing and calls": {
    setImmediate: (f: () => void) => void real.setImmediate(f),
    setTimeout: (f: () => void) => void real.setTimeout(f, 0),
    MessageChannel: undefined
  }
}

/** Loads a module on a host. The globals are the real ones again afterwards, because the library reads them once. */
const load = async <A>(host: Partial<Record<string, unknown>>, module: () => Promise<A>): Promise<A> => {
  vi.resetModules()
  for (const [name, value] of Object.entries(host)) vi.stubGlobal(name, value)
  return module()
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => void real.setTimeout(resolve, 1))
}

afterEach(() => void vi.unstubAllGlobals())

describe.each(Object.entries(hosts))("a host %s", (_, host) => {
  it("calls a function once", async () => {
    const { nextTimer, nextTurn } = await load(host, () => import("../../src/internal/host.ts"))
    for (const schedule of [nextTurn, nextTimer]) {
      let calls = 0
      schedule(() => calls++)
      assert.strictEqual(calls, 0)
      await turns(5)
      assert.strictEqual(calls, 1)
    }
  })

  it("cleans up more than one turn takes, and later values too", async () => {
    const { inSlices } = await load(host, () => import("../../src/internal/registry.ts"))
    const cleaned: Array<number> = []
    const cleanup = inSlices<number>(10, (held) => void cleaned.push(held))
    const numbers = Array.from({ length: 95 }, (_, i) => i)
    for (const i of numbers) cleanup(i)
    await turns(20)
    assert.deepStrictEqual(cleaned, numbers)
    for (const i of numbers) cleanup(i)
    await turns(20)
    assert.deepStrictEqual(cleaned, [...numbers, ...numbers])
  })
})

describe("inSlices", () => {
  it("goes on in the next job if the host has forgotten a turn without telling", async () => {
    const forget = { setImmediate: () => ({}) }
    const { inSlices } = await load(forget, () => import("../../src/internal/registry.ts"))
    const cleaned: Array<number> = []
    const cleanup = inSlices<number>(10, (held) => void cleaned.push(held))
    for (let i = 0; i < 25; i++) cleanup(i)
    await turns(3)
    assert.lengthOf(cleaned, 10)
    for (let job = 1; job < 3; job++) {
      cleanup(24 + job)
      await turns(1)
    }
    assert.deepStrictEqual(cleaned, Array.from({ length: 27 }, (_, i) => i))
  })

  it("goes on after a step that throws, and resolves its promises", async () => {
    let scheduled: Array<() => void> = []
    const manual = { setImmediate: (f: () => void) => scheduled.push(f) }
    const { inSlices } = await load(manual, () => import("../../src/internal/registry.ts"))
    const cleaned: Array<number> = []
    const cleanup = inSlices<number>(2, (held) => {
      if (held % 3 === 0) throw new Error(`step ${held}`)
      cleaned.push(held)
    })
    const results = [1, 2, 3, 4, 5, 6, 7, 8].map(cleanup)
    await undefined
    let errors = 0
    while (scheduled.length > 0) {
      const turn = scheduled
      scheduled = []
      for (const f of turn) {
        try {
          f()
        } catch {
          errors++
        }
      }
      await undefined
    }
    await Promise.all(results)
    assert.deepStrictEqual(cleaned, [1, 2, 4, 5, 7, 8])
    assert.strictEqual(errors, 2)
  })

  /** Loads the module on a host whose turns the test runs. */
  const manual = async () => {
    const asked: Array<() => void> = []
    const { inSlices } = await load(
      { setImmediate: (f: () => void) => asked.push(f) },
      () => import("../../src/internal/registry.ts")
    )
    const turn = async () => {
      for (const f of asked.splice(0)) f()
      await microtasks()
    }
    return { asked, inSlices, turn }
  }

  const microtasks = async () => {
    for (let i = 0; i < 20; i++) await undefined
  }

  it("asks for a turn once in each job that leaves values", async () => {
    const { asked, inSlices, turn } = await manual()
    let cleaned = 0
    const cleanup = inSlices<number>(2, () => void cleaned++)
    const job = async (values: number) => {
      for (let i = 0; i < values; i++) void cleanup(i)
      await microtasks()
      return [cleaned, asked.length]
    }
    assert.deepStrictEqual(await job(2), [2, 0])
    assert.deepStrictEqual(await job(5), [4, 1])
    assert.deepStrictEqual(await job(3), [6, 2])
    await turn()
    assert.deepStrictEqual([cleaned, asked.length], [8, 1])
    await turn()
    assert.deepStrictEqual([cleaned, asked.length], [10, 0])
  })

  it("shares the limit among values that resume together", async () => {
    const { asked, inSlices, turn } = await manual()
    const log: Array<string> = []
    const cleanup = inSlices<string>(2, (held) => {
      log.push(held)
      const steps = log.filter((name) => name === held).length
      return steps === 1 ? Promise.resolve() : steps < 4
    })
    let ended = 0
    for (const name of ["a", "b"]) void cleanup(name)!.then(() => ended++)
    await microtasks()
    assert.deepStrictEqual([log.join(""), asked.length, ended], ["abaa", 1, 0])
    for (let i = 0; i < 2; i++) await turn()
    assert.deepStrictEqual([log.join(""), asked.length, ended], ["abaaabbb", 0, 2])
  })

  it("waits for the values that wait now, and not for earlier ones", async () => {
    const { inSlices, turn } = await manual()
    const cleanup = inSlices<string>(1, (held) => held === "never" ? new Promise<void>(() => {}) : undefined)
    const ended: Array<string> = []
    for (const name of ["never", "later"]) {
      void cleanup("first")
      void cleanup(name)!.then(() => ended.push(name))
      await microtasks()
      assert.deepStrictEqual(ended, [])
      await turn()
    }
    assert.deepStrictEqual(ended, ["later"])
  })

  it("keeps the steps of a value that waits for a promise in sequence, without delaying other values", async () => {
    const { inSlices } = await load({}, () => import("../../src/internal/registry.ts"))
    const log: Array<string> = []
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const left = new Map([["slow", 3], ["fast", 2]])
    const cleanup = inSlices<string>(2, (name) => {
      const rest = left.get(name)! - 1
      left.set(name, rest)
      log.push(`${name} ${rest}`)
      return name === "slow" && rest === 2 ? gate : rest > 0
    })
    const results = [cleanup("slow"), cleanup("fast")]
    await turns(5)
    assert.deepStrictEqual(log, ["slow 2", "fast 1", "fast 0"])
    open()
    await Promise.all(results)
    assert.deepStrictEqual(log, ["slow 2", "fast 1", "fast 0", "slow 1", "slow 0"])
  })
})

describe.each(["WeakRef", "FinalizationRegistry"] as const)("a host without %s", (name) => {
  // TestHeap and Effect keep the real constructors, because they are loaded before.
  const library = () => load({ [name]: undefined }, () => import("../../src/index.ts"))

  it("loads every module, and the first use that needs it fails with an error that names it", async () => {
    const { Finalizer, WeakRef } = await library()
    const scope = Scope.makeUnsafe()
    const exit = Effect.runSyncExit(Scope.provide(Finalizer.make({}, Effect.void), scope))
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    assert.instanceOf(error, ReferenceError)
    assert.match(error.message, new RegExp(`^This host has no ${name}: `))
    assert.strictEqual(scope.state._tag, "Empty")
    if (name !== "FinalizationRegistry") assert.throws(() => WeakRef.makeUnsafe({}), `This host has no ${name}`)
    else assert.isTrue(WeakRef.isAlive(WeakRef.makeUnsafe({})))
  })

  it("works with another heap, which can be the host's heap and what it lacks", async () => {
    const { Finalizer, Heap, WeakRef, WeakSet } = await library()
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    const target = {}
    let runs = 0
    Finalizer.makeUnsafe(target, Effect.sync(() => runs++), { heap })
    const ref = WeakRef.makeUnsafe(target, heap)
    const set = WeakSet.makeUnsafe<object>({}, heap)
    WeakSet.add(set, target)
    collect(target)
    finalize()
    assert.deepStrictEqual([runs, WeakRef.isAlive(ref), WeakSet.size(set)], [1, false, 0])
    const host = Effect.runSync(Effect.service(Heap.Heap))
    assert.isTrue(WeakRef.isAlive(WeakRef.makeUnsafe({}, { ...host, [name]: heap[name] })))
  })
})

describe("a turn", () => {
  /** Loads the module on a host that records which of its functions are used. `refused` returns nothing. */
  const recording = async (missing: ReadonlyArray<string>, refused: ReadonlyArray<string> = []) => {
    const used: Array<string> = []
    const recorded = (name: "setImmediate" | "setTimeout") => (f: () => void, millis?: number) => {
      used.push(millis === undefined ? name : `${name} ${millis}`)
      if (refused.includes(name)) return undefined
      return name === "setImmediate" ? real.setImmediate(f) : real.setTimeout(f, millis)
    }
    const host: Record<string, unknown> = {
      setImmediate: recorded("setImmediate"),
      setTimeout: recorded("setTimeout"),
      MessageChannel: class extends MessageChannel {
        constructor() {
          super()
          used.push("MessageChannel")
        }
      }
    }
    for (const name of missing) host[name] = undefined
    const module = await load(host, () => import("../../src/internal/host.ts"))
    return { ...module, used }
  }

  it("is scheduled with the first function that the host has, and does not refuse", async () => {
    for (
      const [missing, refused, ofTurn, ofTimer] of [
        [[], [], ["setImmediate"], ["setTimeout 0"]],
        [["setImmediate"], [], ["MessageChannel"], ["setTimeout 0"]],
        [["setTimeout"], [], ["setImmediate"], ["MessageChannel"]],
        [["setImmediate", "MessageChannel"], [], ["setTimeout 0"], ["setTimeout 0"]],
        [["setTimeout", "MessageChannel"], [], ["setImmediate"], ["setImmediate"]],
        [[], ["setImmediate"], ["setImmediate", "MessageChannel"], ["setTimeout 0"]],
        [[], ["setTimeout"], ["setImmediate"], ["setTimeout 0", "MessageChannel"]]
      ] as const
    ) {
      const { nextTimer, nextTurn, used } = await recording(missing, refused)
      for (const [schedule, expected] of [[nextTurn, ofTurn], [nextTimer, ofTimer]] as const) {
        let calls = 0
        schedule(() => calls++)
        assert.deepStrictEqual(used.splice(0), [...expected])
        await turns(3)
        assert.strictEqual(calls, 1)
      }
      vi.unstubAllGlobals()
    }
  })

  it("closes its channel, because an open port keeps Node running", async () => {
    let closed = 0
    const { nextTurn } = await load({
      setImmediate: undefined,
      MessageChannel: class {
        readonly port1 = { onmessage: () => {}, close: () => void closed++ }
        readonly port2 = { postMessage: () => void real.setTimeout(() => this.port1.onmessage(), 0) }
      }
    }, () => import("../../src/internal/host.ts"))
    for (let i = 0; i < 2; i++) nextTurn(() => {})
    await turns(3)
    assert.strictEqual(closed, 2)
  })
})

describe("collector", () => {
  it("uses the gc of the host, or of Bun, or of a flag of V8", async () => {
    if (isBun) skip("makes a host of its own")
    const { collector } = await load({}, () => import("../../src/internal/host.ts"))
    // A host may define `gc` so that it can be set, but not defined again.
    const own = Reflect.get(globalThis, "gc")
    const gc = () => {}
    Reflect.set(globalThis, "gc", gc)
    const given = collector()
    Reflect.set(globalThis, "gc", undefined)
    const calls: Array<unknown> = []
    vi.stubGlobal("Bun", { gc: (...args: ReadonlyArray<unknown>) => calls.push(...args) })
    collector()!()
    assert.deepStrictEqual(calls, [true])
    vi.stubGlobal("Bun", undefined)
    const getBuiltinModule = (name: string) =>
      name === "node:v8"
        ? { setFlagsFromString: (flag: string) => calls.push(flag) }
        : { runInNewContext: (code: string) => calls.push(name, code) && gc }
    vi.stubGlobal("process", { getBuiltinModule })
    const found = collector()
    vi.stubGlobal("process", undefined)
    const none = collector()
    vi.unstubAllGlobals()
    Reflect.set(globalThis, "gc", own)
    assert.deepStrictEqual([given, found, none], [gc, gc, undefined])
    assert.deepStrictEqual(calls, [true, "--expose-gc", "node:vm", "gc"])
  })
})
