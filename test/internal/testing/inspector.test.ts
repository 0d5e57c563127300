/** The inspector, and what uses it, on hosts that are made up. Real ones are in `test/testing/LeakDetector.test.ts`. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import * as Inspector from "../../../src/internal/testing/inspector.ts"
import * as Instances from "../../../src/internal/testing/instances.ts"
import * as Retainers from "../../../src/internal/testing/retainers.ts"
import {
  element,
  global,
  type Heap,
  heapOf,
  internal,
  type Node,
  object,
  property,
  root,
  sessionOf,
  weak
} from "../../support/heapGraph.ts"

const host = globalThis as { Bun?: unknown }

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5)
})

afterEach(() => {
  delete host.Bun
  vi.restoreAllMocks()
})

/** Provides modules of Node. */
const withModules = (modules: Record<string, object>): ReadonlyArray<string> => {
  const asked: Array<string> = []
  vi.spyOn(process, "getBuiltinModule").mockImplementation(
    ((name: string) => {
      asked.push(name)
      return modules[name]
    }) as typeof process.getBuiltinModule
  )
  return asked
}

/** How many snapshots were taken. Each has a mark with its number. */
let taken = 0
const markOf = () => `effect-weakref:marked:${taken}:0.5`

/** Returns a session that takes one snapshot. */
const session = (make: () => Heap): Inspector.Session => {
  let heap: Heap | undefined
  return sessionOf(() => {
    if (heap === undefined) {
      taken++
      heap = make()
    }
    return heap
  })
}

/** Provides an inspector whose sessions answer for the next of some heaps. Returns the calls of the sessions. */
const withInspector = (heaps: ReadonlyArray<() => Heap>, fail: (method: string) => unknown = () => undefined) => {
  const calls: Array<string> = []
  let next = 0
  // A constructor may return another object than the one that it has created.
  const Session = function(): Inspector.Session {
    const taking = session(() => heaps[next++]!())
    return {
      ...taking,
      connect: () => void calls.push("connect"),
      disconnect: () => void calls.push("disconnect"),
      post: (method, params, callback) => {
        calls.push(method)
        const error = fail(method)
        if (error === undefined) taking.post(method, params, callback)
        else queueMicrotask(() => callback(error, undefined))
      }
    }
  }
  withModules({ "node:inspector": { Session } })
  return calls
}

/** Adds the list that the search finds its values by. Nothing strong leads to a value through it. */
const marking = (root: Node, targets: ReadonlyArray<Node | undefined>) => (): Heap => {
  const list = object(
    "Array",
    ...targets.map((target, index) =>
      element(index, object("WeakRef", ...target === undefined ? [] : [weak("target", target)]))
    )
  )
  return heapOf({ ...root, edges: [...root.edges, element(9, object("Mark", property(markOf(), list)))] })
}

const refTo = (value: object | undefined) => ({ deref: () => value }) as WeakRef<object>
const alive = refTo({})
const [first, second] = [object("First"), object("Second")]

const wholeSession = [
  "connect",
  "HeapProfiler.takeHeapSnapshot",
  "Runtime.releaseObjectGroup",
  "HeapProfiler.disable",
  "disconnect"
]

describe("find", () => {
  const retained = (name: string): Retainers.Found => ({
    _tag: "Retained",
    retainers: [{ holder: "globalThis", via: name, kind: "property" }]
  })

  it("finds the values of searches that begin together in one snapshot", async () => {
    const unreachable = object("Unreachable")
    const heap = global(property("b", second), property("a", first))
    const calls = withInspector([marking(heap, [undefined, first, unreachable, second, first])])
    const found = await Promise.all([alive, alive, alive, alive, refTo(undefined)].map(Retainers.find))
    assert.deepStrictEqual(found, [
      { _tag: "Unknown", reason: "the heap snapshot does not show it" },
      retained("a"),
      { _tag: "Unknown", reason: "no strong path leads to it in the heap snapshot" },
      retained("b"),
      { _tag: "Collected" }
    ])
    assert.deepStrictEqual(calls, wholeSession)
  })

  it("takes another snapshot for searches that begin during a search, and shares this one", async () => {
    const later: Array<Promise<Retainers.Found>> = []
    const calls = withInspector([
      () => {
        later.push(Retainers.find(alive), Retainers.find(alive))
        return marking(global(property("a", first)), [first])()
      },
      marking(global(property("b", first), property("c", second)), [first, second])
    ])
    assert.deepStrictEqual(await Retainers.find(alive), retained("a"))
    assert.deepStrictEqual(await Promise.all(later), [retained("b"), retained("c")])
    // One session ends before the next one begins.
    assert.deepStrictEqual(calls, [...wholeSession, ...wholeSession])
    const again = withInspector([marking(global(property("d", first)), [first])])
    assert.deepStrictEqual(await Retainers.find(alive), retained("d"))
    assert.lengthOf(again.filter((call) => call === "connect"), 1)
  })

  it("says for each value why it finds nothing", async () => {
    withModules({})
    const unknown: Retainers.Found = { _tag: "Unknown", reason: "this host offers no heap snapshot" }
    assert.deepStrictEqual(await Promise.all([Retainers.find(alive), Retainers.find(refTo(undefined))]), [
      unknown,
      unknown
    ])
  })

  it("finds no value if the snapshot does not have the mark", async () => {
    withInspector([() => heapOf(global(property("a", first)))])
    assert.deepStrictEqual(await Retainers.find(alive), {
      _tag: "Unknown",
      reason: "the heap snapshot does not show it"
    })
  })

  it("looks for the mark among properties only", async () => {
    const list = object("Array", element(0, object("WeakRef", weak("target", first))))
    withInspector([
      () => heapOf(global(property("a", first), property("other", object("Mark", internal(markOf(), list)))))
    ])
    assert.strictEqual((await Retainers.find(alive))._tag, "Unknown")
  })
})

describe("withSession", () => {
  const nothing = () => Promise.resolve({ done: true })

  it("gives the reason if the host has no inspector", async () => {
    withModules({})
    assert.strictEqual(await Inspector.withSession(nothing), "this host offers no heap snapshot")
    withModules({ "node:inspector": {} })
    assert.strictEqual(await Inspector.withSession(nothing), "this host offers no heap snapshot")
    vi.mocked(process.getBuiltinModule).mockImplementation(() => {
      throw new Error("built without the inspector")
    })
    assert.strictEqual(await Inspector.withSession(nothing), "this host offers no heap snapshot")
  })

  it("gives another reason on Bun", async () => {
    withInspector([])
    host.Bun = {}
    assert.strictEqual(await Inspector.withSession(nothing), "Bun offers no heap snapshot of V8")
  })

  it("gives another reason without the global process", async () => {
    const { process } = globalThis
    const real = await Inspector.builtin("node:inspector")
    try {
      Reflect.deleteProperty(globalThis, "process")
      const imported = await Inspector.builtin("node:inspector")
      assert.strictEqual(imported?.Session, real?.Session)
      vi.doMock("node:inspector", () => ({ Session: undefined }))
      assert.strictEqual(
        await Inspector.withSession(nothing),
        "there is no global `process`, through which the inspector is found"
      )
    } finally {
      vi.doUnmock("node:inspector")
      globalThis.process = process
    }
  })

  it("gives the message of the error if there can be no session", async () => {
    for (const [error, message] of [[new Error("no connection"), "no connection"], ["busy", "busy"]] as const) {
      class Session {
        connect() {
          throw error
        }
      }
      withModules({ "node:inspector": { Session } })
      assert.strictEqual(await Inspector.withSession(nothing), `this host offers no inspector: ${message}`)
    }
  })

  it("gives the message of an error, and ends the session even if the inspector does not answer", async () => {
    const calls = withInspector([], () => new Error("no answer"))
    for (const [error, message] of [[new Error("failed"), "failed"], ["odd", "odd"]] as const) {
      const found = await Inspector.withSession(() => Promise.reject(error))
      assert.strictEqual(found, message)
    }
    const session = ["connect", "Runtime.releaseObjectGroup", "HeapProfiler.disable", "disconnect"]
    assert.deepStrictEqual(calls, [...session, ...session])
  })

  it("keeps a timer active for as long as the session", async () => {
    withInspector([])
    const made = vi.spyOn(globalThis, "setInterval").mockReturnValue(42 as never)
    const cleared = vi.spyOn(globalThis, "clearInterval").mockReturnValue(undefined)
    await Inspector.withSession(async () => {
      assert.deepStrictEqual(made.mock.calls.map(([, millis]) => millis), [1000])
      assert.lengthOf(cleared.mock.calls, 0)
      return {}
    })
    assert.deepStrictEqual(cleared.mock.calls, [[42]])
  })
})

describe("post", () => {
  it("rejects with the inspector's error", async () => {
    const answering = (error: unknown): Inspector.Session => ({
      connect: () => {},
      disconnect: () => {},
      on: () => {},
      post: (_method, params, callback) => callback(error, params)
    })
    const messageOf = async (error: unknown) => {
      try {
        return await Inspector.post(answering(error), "Runtime.releaseObjectGroup", { objectGroup: "group" })
      } catch (thrown) {
        return thrown
      }
    }
    assert.deepStrictEqual(await messageOf(null), { objectGroup: "group" })
    assert.deepStrictEqual(await messageOf(undefined), { objectGroup: "group" })
    const error = new Error("mine")
    assert.strictEqual(await messageOf(error), error)
    const made = await messageOf({ code: 5 })
    assert.instanceOf(made, Error)
    assert.strictEqual(made.message, "Runtime.releaseObjectGroup: {\"code\":5}")
  })
})

describe("count", () => {
  class Base {
    readonly name = "base"
  }
  class Special extends Base {}

  it("asks the host if it can count by the prototype", async () => {
    const counted: Array<unknown> = []
    const queryObjects = (element: unknown) => counted.push(element) + 6
    const asked = withModules({ "node:v8": { queryObjects } })
    assert.deepStrictEqual(await Instances.count([Base, Special]), [7, 8])
    assert.deepStrictEqual(counted, [Base, Special])
    assert.deepStrictEqual(asked, ["node:v8"])
  })

  const heap = (targets: ReadonlyArray<Node | undefined>) => {
    const [base, special, others] = targets
    const instance = (name: string, prototype: Node | undefined) =>
      object(name, property("first", first), property("__proto__", prototype!))
    return marking(
      root(
        element(1, instance("Session", base)),
        element(2, instance("Session", special)),
        element(3, instance("Session", special)),
        // A namesake, an object without a prototype before one with it, and objects that only mention the prototype.
        element(4, instance("Session", others)),
        element(5, object("Session")),
        element(6, object("Session", property("__proto__", base!))),
        element(7, object("Session", property("__proto__", first), property("__proto__", base!))),
        element(8, object("Session", internal("__proto__", base!), property("prototype", base!)))
      ),
      targets.slice(0, 2)
    )
  }
  const prototypes = () => {
    const base = object("Session")
    const special = object("Special", property("constructor", first), property("__proto__", base))
    return [base, special, object("Namesake")]
  }

  it("counts in a heap snapshot if the host cannot, with subclasses and without namesakes", async () => {
    // Deno's function returns an empty array.
    const queryObjects = () => []
    const Session = function(): Inspector.Session {
      return session(heap(prototypes()))
    }
    const onlySome = (element: unknown) => element === Base ? 1 : []
    for (const v8 of [{}, { queryObjects }, { queryObjects: onlySome }]) {
      withModules({ "node:v8": v8, "node:inspector": { Session } })
      // The prototype of the subclass inherits from that of the class too.
      assert.deepStrictEqual(await Instances.count([Base, Special]), [5, 2])
    }
  })

  it("counts in a heap snapshot if a class belongs to another context", async () => {
    const queryObjects = () => 1
    withInspector([heap(prototypes())])
    const modules = vi.mocked(process.getBuiltinModule)
    const implementation = modules.getMockImplementation()!
    modules.mockImplementation(
      ((name: string) =>
        name === "node:v8" ? { queryObjects } : implementation(name)) as typeof process.getBuiltinModule
    )
    // The functions of another context inherit from another prototype.
    const Foreign = Object.setPrototypeOf(function() {}, Object.create(Object.create(null)))
    assert.deepStrictEqual(await Instances.count([Base, Foreign]), [5, 2])
  })

  it("cannot count without a heap snapshot", async () => {
    withModules({})
    assert.isUndefined(await Instances.count([Base]))
  })

  it("counts by the name in a heap snapshot of Bun", async () => {
    withModules({})
    host.Bun = {
      generateHeapSnapshot: () => ({
        nodeClassNames: ["Other", "Base"],
        // Each node has four numbers, of which the third is the class.
        nodes: [1, 1, 1, 1, 1, 1, 0, 1, 2, 2, 1, 2, 1, 1, 2, 1]
      })
    }
    assert.deepStrictEqual(await Instances.count([Base, Special]), [2, 0])
  })
})
