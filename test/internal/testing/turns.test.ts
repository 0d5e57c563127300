import { afterEach, assert, describe, it } from "@effect/vitest"
import { promisify } from "node:util"
import { vi } from "vitest"
import * as Turns from "../../../src/internal/testing/turns.ts"
import { hasNode } from "../../support/host.ts"

/** An observer that notes what it receives. */
const noting = (isRunning = true) => {
  const reports: Array<unknown> = []
  const observer: Turns.Observer = {
    isRunning,
    beginTask: () => void reports.push("task"),
    usesHost: (kind, target) => void reports.push([kind, target])
  }
  return { observer, reports }
}

const observers: Array<Turns.Observer> = []
const observing = (isRunning = true) => {
  const made = noting(isRunning)
  observers.push(made.observer)
  Turns.observe(made.observer)
  return made
}

/** Detaches the hooks, once for each time that they were attached. */
const attachments: Array<() => void> = []
const attach = () => {
  Turns.attachHooks()
  attachments.push(Turns.detachHooks)
}
const detach = () => attachments.pop()!()
const detachAll = () => {
  for (const detach of attachments.splice(0)) detach()
}

afterEach(() => {
  detachAll()
  for (const observer of observers.splice(0)) Turns.unobserve(observer)
  vi.restoreAllMocks()
})

const nextTask = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

/** Notes the order of a chain of jobs, of `f`, and of the next task. */
const orderOf = async (schedule: (f: () => void) => void, jobs: number): Promise<ReadonlyArray<string>> => {
  const order: Array<string> = []
  const ended = nextTask().then(() => order.push("task"))
  schedule(() => order.push("end"))
  for (let job = 0; job < jobs; job++) await Promise.resolve()
  order.push("job")
  await ended
  return order
}

/** Loads the module again, on a host that is changed for as long as the module loads. */
const onHost = async (change: Record<string, unknown>): Promise<typeof Turns> => {
  const before = Object.entries(change).map(([name]) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const
  )
  vi.resetModules()
  try {
    for (const [name, value] of Object.entries(change)) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
    }
    return await import("../../../src/internal/testing/turns.ts")
  } finally {
    for (const [name, descriptor] of before) Object.defineProperty(globalThis, name, descriptor)
  }
}

describe("The end of a turn", () => {
  it("comes after all microtasks of the task, and before the next task", async () => {
    assert.deepStrictEqual(await orderOf(Turns.afterMicrotasks, 1000), ["job", "end", "task"])
  })

  it("comes after the job if each job is a turn", async () => {
    assert.deepStrictEqual(await orderOf(Turns.afterJob, 2), ["end", "job", "task"])
    assert.deepStrictEqual(await orderOf(Turns.afterJob, 0), ["job", "end", "task"])
  })

  it("comes after a number of rounds on a host without ticks, and before the next task", async () => {
    if (!hasNode) return
    for (const process of [undefined, Object.create(globalThis.process, { nextTick: { value: undefined } })]) {
      const { afterMicrotasks } = await onHost({ process })
      assert.deepStrictEqual(await orderOf(afterMicrotasks, 250), ["job", "end", "task"])
      assert.deepStrictEqual(await orderOf(afterMicrotasks, 260), ["end", "job", "task"])
    }
  })
})

describe("The observers", () => {
  it("of nested runs receive the reports in turn, the newest first", () => {
    assert.isUndefined(Turns.currentObserver())
    const [outer, inner] = [observing().observer, observing().observer]
    assert.strictEqual(Turns.currentObserver(), inner)
    Turns.unobserve(noting().observer)
    assert.strictEqual(Turns.currentObserver(), inner)
    Turns.unobserve(outer)
    assert.strictEqual(Turns.currentObserver(), inner)
    Turns.unobserve(inner)
    assert.isUndefined(Turns.currentObserver())
  })
})

describe("The hooks", () => {
  const timers = ["setTimeout", "setInterval", "setImmediate"] as const
  type Timer = (f: unknown, ...rest: ReadonlyArray<unknown>) => unknown
  const call = (name: string, ...args: Parameters<Timer>): unknown =>
    (globalThis as unknown as Record<string, Timer>)[name]!(...args)
  const clear = (timer: unknown) => {
    clearInterval(timer as NodeJS.Timeout)
    clearImmediate(timer as NodeJS.Immediate)
  }

  for (const name of timers) {
    it(`report the tasks that a running program schedules with ${name}`, async () => {
      const { reports } = observing()
      attach()
      const received: Array<unknown> = []
      const timer = await new Promise((resolve) => {
        const timer: unknown = call(
          name,
          function(this: unknown, ...args: Array<unknown>) {
            received.push(this === timer, ...args)
            clear(timer)
            resolve(timer)
          },
          ...name === "setImmediate" ? [] : [1],
          "a",
          "b"
        )
      })
      assert.isDefined(timer)
      assert.deepStrictEqual(reports, ["task"])
      // The host calls an immediate without a `this`.
      assert.deepStrictEqual(received.slice(1), ["a", "b"])
      if (hasNode && name !== "setImmediate") assert.isTrue(received[0])
    })
  }

  it("do not report the tasks of others", async () => {
    const idle = observing(false)
    attach()
    await nextTask()
    assert.deepStrictEqual(idle.reports, [])
    Turns.unobserve(idle.observer)
    await nextTask()
    assert.deepStrictEqual(idle.reports, [])
  })

  it("report a task to the observer that scheduled it, and no other", async () => {
    const { observer, reports } = observing()
    attach()
    const ended = nextTask()
    Turns.unobserve(observer)
    const other = observing()
    await ended
    assert.deepStrictEqual(reports, ["task"])
    assert.deepStrictEqual(other.reports, [])
  })

  it("leave it to the host to refuse what is no function", () => {
    observing()
    const refusal = (() => {
      try {
        return call("setTimeout", 5)
      } catch (error) {
        return (error as Error).message
      }
    })()
    attach()
    if (typeof refusal === "string") assert.throws(() => call("setTimeout", 5), refusal)
  })

  it("report the weak primitives of the host that the program uses", () => {
    const { reports } = observing()
    attach()
    const target = {}
    const ref = new WeakRef(target)
    const registry = new FinalizationRegistry(() => {})
    assert.strictEqual(ref.deref(), target)
    assert.isUndefined(registry.register(target, 1))
    assert.deepStrictEqual(reports, [["WeakRef", target], ["FinalizationRegistry", target]])
    assert.throws(() => registry.register(5 as never, 1), TypeError)
    assert.throws(() => Reflect.apply(WeakRef.prototype.deref, {}, []), TypeError)
    assert.lengthOf(reports, 2)
  })

  it("report no reference whose target is dead", () => {
    vi.spyOn(WeakRef.prototype, "deref").mockReturnValue(undefined)
    const { reports } = observing()
    attach()
    assert.isUndefined(new WeakRef({}).deref())
    assert.deepStrictEqual(reports, [])
  })

  it("do nothing for a program without a run", () => {
    attach()
    const ref = new WeakRef({})
    assert.isObject(ref.deref())
    new FinalizationRegistry(() => {}).register({}, 1)
  })

  /** The methods that are hooked, with what a program can see of them. */
  const methods = (): ReadonlyArray<PropertyDescriptor | undefined> => [
    ...timers.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)),
    Object.getOwnPropertyDescriptor(WeakRef.prototype, "deref"),
    Object.getOwnPropertyDescriptor(FinalizationRegistry.prototype, "register")
  ]
  const valuesOf = (descriptors: ReturnType<typeof methods>) =>
    descriptors.map((descriptor) => (descriptor?.value ?? descriptor?.get?.()) as Function)

  it("are attached once, and detached with the last of those who attached them", () => {
    const before = methods()
    attach()
    const hooked = methods()
    valuesOf(hooked).forEach((method, index) => {
      const original = valuesOf(before)[index]!
      assert.notStrictEqual(method, original)
      assert.deepStrictEqual([method.name, method.length], [original.name, original.length])
      assert.isTrue(hooked[index]!.configurable)
      assert.isTrue(hooked[index]!.writable)
      assert.strictEqual(hooked[index]!.enumerable, before[index]!.enumerable)
    })
    attach()
    assert.deepStrictEqual(methods(), hooked)
    detach()
    assert.deepStrictEqual(methods(), hooked)
    detach()
    assert.deepStrictEqual(methods(), before)
    attach()
    assert.notDeepEqual(methods(), before)
    detach()
    assert.deepStrictEqual(methods(), before)
  })

  it("keep what the host's promisify reads", async () => {
    attach()
    if (hasNode) assert.strictEqual(await promisify(setTimeout)(1, "done"), "done")
  })

  /** Changes a property of the global object for as long as `use` runs. */
  const withProperty = (name: string, descriptor: PropertyDescriptor | undefined, use: () => void): void => {
    const before = Object.getOwnPropertyDescriptor(globalThis, name)!
    Reflect.deleteProperty(globalThis, name)
    if (descriptor !== undefined) Object.defineProperty(globalThis, name, { configurable: true, ...descriptor })
    try {
      use()
    } finally {
      detachAll()
      Object.defineProperty(globalThis, name, before)
    }
  }
  const own = (name: string) => Object.getOwnPropertyDescriptor(globalThis, name)

  it("leave a method alone that the program has replaced since", () => {
    const fake = () => {}
    withProperty("setImmediate", { value: setImmediate, writable: true }, () => {
      attach()
      Object.defineProperty(globalThis, "setImmediate", { value: fake, configurable: true })
      detach()
      assert.strictEqual(own("setImmediate")?.value, fake)
      // They do not restore it later either.
      attach()
      const again = own("setImmediate")?.value
      assert.notStrictEqual(again, fake)
      detach()
      assert.strictEqual(own("setImmediate")?.value, fake)
    })
  })

  it("ignore a method that the host does not have, and one that is no function", () => {
    for (const descriptor of [undefined, { value: 5, writable: true, enumerable: true }]) {
      withProperty("setImmediate", descriptor, () => {
        const before = own("setImmediate")
        attach()
        assert.deepStrictEqual(own("setImmediate"), before)
        detach()
        assert.deepStrictEqual(own("setImmediate"), before)
      })
    }
  })

  it("replace an accessor, and restore it", () => {
    const get = () => fake
    const fake = () => "fake"
    withProperty("setImmediate", { get, enumerable: false }, () => {
      attach()
      assert.notStrictEqual(own("setImmediate")?.value, fake)
      assert.isFalse(own("setImmediate")?.enumerable)
      assert.strictEqual(call("setImmediate", () => {}), "fake")
      detach()
      assert.strictEqual(own("setImmediate")?.get, get)
    })
  })

  it("replace an inherited method by an own one, and delete it again", () => {
    const inherited = () => "inherited"
    const prototype = Object.getPrototypeOf(globalThis) as object
    withProperty("setImmediate", undefined, () => {
      Object.defineProperty(prototype, "setImmediate", { value: inherited, configurable: true })
      try {
        attach()
        assert.isTrue(own("setImmediate")?.enumerable)
        assert.strictEqual(call("setImmediate", () => {}), "inherited")
        detach()
        assert.isUndefined(own("setImmediate"))
      } finally {
        Reflect.deleteProperty(prototype, "setImmediate")
      }
    })
  })

  it("ignore a method that is frozen", () => {
    const real = Reflect.getOwnPropertyDescriptor
    vi.spyOn(Reflect, "getOwnPropertyDescriptor").mockImplementation((object, name) => {
      const descriptor = real(object, name)
      return name === "setImmediate" ? { ...descriptor, configurable: false } : descriptor
    })
    const { setImmediate, setTimeout } = globalThis
    attach()
    assert.strictEqual(globalThis.setImmediate, setImmediate)
    assert.notStrictEqual(globalThis.setTimeout, setTimeout)
  })

  it("ignore an inherited method if the object is frozen", () => {
    const real = Reflect.getOwnPropertyDescriptor
    const extensible = vi.spyOn(Object, "isExtensible").mockReturnValue(false)
    vi.spyOn(Reflect, "getOwnPropertyDescriptor").mockImplementation((object, name) =>
      name === "setImmediate" ? undefined : real(object, name)
    )
    const { setImmediate } = globalThis
    attach()
    assert.strictEqual(globalThis.setImmediate, setImmediate)
    extensible.mockRestore()
  })

  it("do without weak primitives on a host that has none", async () => {
    const turns = await onHost({ WeakRef: undefined, FinalizationRegistry: undefined })
    const before = methods()
    turns.attachHooks()
    assert.strictEqual(methods()[3]?.value, before[3]?.value)
    assert.strictEqual(methods()[4]?.value, before[4]?.value)
    assert.notStrictEqual(valuesOf(methods())[0], valuesOf(before)[0])
    turns.detachHooks()
    assert.deepStrictEqual(methods(), before)
  })
})
