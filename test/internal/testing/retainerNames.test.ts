/** How the steps of a path are named, in small heaps that are written as V8 writes them. `retainers.test.ts` uses real ones. */
import { assert, describe, it } from "@effect/vitest"
import * as Retainers from "../../../src/internal/testing/retainers.ts"
import * as RetainingPath from "../../../src/internal/testing/retainingPath.ts"
import {
  array,
  closure,
  context,
  type Edge,
  element,
  global,
  heapOf,
  hidden,
  internal,
  type Node,
  node,
  object,
  property,
  root,
  sessionOf,
  shortcut,
  shown,
  snapshotOf,
  string,
  variable,
  weak
} from "../../support/heapGraph.ts"

type Names = readonly [holder: string, via: string, kind: string]
type Row = readonly [name: string, heap: Node, ...retainers: ReadonlyArray<Names>]

const value: Node = shown(object("Session"), { object: {} })

const retainersIn = async (root: Node, target = value): Promise<ReadonlyArray<Names>> => {
  const heap = heapOf(root)
  const snapshot = snapshotOf(heap)
  const [path] = RetainingPath.findAll(snapshot, [heap.nodes.indexOf(target)])
  return (await Retainers.describe(snapshot, sessionOf(() => heap), path!))
    .map(({ holder, kind, via }) => [holder, via, kind])
}

const cwd = typeof process === "undefined" ? "" : process.cwd().replaceAll("\\", "/")
const src = new URL("../../../src", import.meta.url).pathname
/** Places in the program, in a library, and in the detector. */
const program = `file://${cwd}/app/main.ts:3:7`
const library = "file:///elsewhere/node_modules/effect/dist/Effect.js:1:1"
const detector = `file://${src}/internal/testing/retainers.ts:1:1`
const engine = ""

const rows = (cases: ReadonlyArray<Row>) => {
  for (const [name, heap, ...retainers] of cases) {
    it(`${name}`, async () => assert.deepStrictEqual(await retainersIn(heap), retainers))
  }
}

const cache = (holder: Node) => global(property("cache", holder))
const byCache = ["globalThis", "cache", "property"] as const

describe("A property", () => {
  rows([
    ["of the global object", cache(value), byCache],
    ["of an object", cache(object("Vault", property("#secret", value))), byCache, ["Vault", "#secret", "property"]],
    [
      "of a regular expression",
      cache(node("regexp", "/a+/", property("lastIndex", value))),
      byCache,
      ["RegExp", "lastIndex", "property"]
    ],
    [
      "of a function",
      cache(closure("Registry", program, property("all", value))),
      byCache,
      ["Registry", "all", "property"]
    ],
    [
      "of a function without a name",
      cache(closure("", program, property("all", value))),
      byCache,
      ["anonymous function", "all", "property"]
    ],
    [
      "with a symbol as its key",
      cache(object("Object", property("<symbol the user>", value))),
      byCache,
      ["Object", "Symbol(the user)", "property"]
    ],
    [
      "for the stack of an error",
      cache(object("TypeError", property("<symbol>", array(internal(1, value))))),
      byCache,
      ["TypeError", "stack", "property"]
    ],
    [
      "with a symbol without a name, which only the engine uses",
      cache(object("Object", property("<symbol>", value))),
      byCache
    ],
    [
      "of an operation of Effect",
      cache(object("ExitPrimitive", property("~effect/Effect/args", value))),
      byCache
    ],
    [
      "of Effect's contexts",
      cache(object("Object", property("overlay", object("Object", property("mapUnsafe", value))))),
      byCache
    ],
    [
      "with the name of a part of Effect's contexts, but of another class",
      cache(object("Layer", property("overlay", object("Layer", property("mapUnsafe", value))))),
      byCache,
      ["Layer", "overlay", "property"],
      ["Layer", "mapUnsafe", "property"]
    ],
    [
      "of the functions that a host puts around a handler",
      cache(
        closure(
          "eventHandler",
          program,
          property("handler", closure("wrappedHandler", program, property("handler", value)))
        )
      ),
      byCache
    ],
    [
      "named handler of another object",
      cache(object("Route", property("handler", object("eventHandler", property("other", value))))),
      byCache,
      ["Route", "handler", "property"],
      ["eventHandler", "other", "property"]
    ],
    [
      "of the function that Node puts around a listener of once",
      cache(closure("wrapper", "node:events:1:1", property("listener", value))),
      byCache
    ],
    [
      "named listener of a function of the program, and of an object",
      cache(closure("wrapper", program, property("listener", object("Bus", property("listener", value))))),
      byCache,
      ["wrapper", "listener", "property"],
      ["Bus", "listener", "property"]
    ],
    [
      "of an object of the host",
      cache(node("native", "Node / Process", property("wrapped", value))),
      byCache,
      ["the engine's Node / Process", "wrapped", "engine"]
    ],
    ...["table", "bindings", "bound_this", "bound_function", "context", "_idleNext", "state"].map((name): Row => [
      `of an object of the program that is called ${name}`,
      cache(object("Page", property(name, object("Table", property("rows", value))))),
      byCache,
      ["Page", name, "property"],
      ["Table", "rows", "property"]
    ]),
    [
      "of an object without a name, which says nothing",
      cache(object("", property("a", object("", element(0, value))))),
      byCache,
      ["anonymous function", "a", "property"]
    ]
  ])
})

describe("An element", () => {
  rows([
    ["of an array", cache(object("Array", element(3, value))), byCache, ["Array", "[3]", "element"]],
    [
      "of an object of the host",
      cache(node("native", "Node / List", element(3, value))),
      byCache,
      ["the engine's Node / List", "3", "engine"]
    ]
  ])
})

describe("A part of the engine", () => {
  rows([
    [
      "is left out if the path has other steps",
      cache(
        node("hidden", "system / Cell", internal("value", array(internal(1, node("code", "c", internal("d", value))))))
      ),
      byCache
    ],
    ["is named if the path has no other", root(element(1, node("hidden", "system / Cell", internal("value", value)))), [
      "the engine's Cell",
      "value",
      "engine"
    ]],
    ["has the name of its type if it has no other", root(element(1, node("code", "", internal("constants", value)))), [
      "the engine's code",
      "constants",
      "engine"
    ]],
    ["has the variables of a function that is unknown", root(element(1, context(variable("x", value)))), [
      "the engine's Context",
      "x",
      "engine"
    ]],
    [
      "is named if it is an object of the host",
      root(element(1, node("native", "Blob", internal("data", value)))),
      ["the engine's Blob", "data", "engine"]
    ],
    ["is a root without a holder", root(element(1, node("synthetic", "(Global handles)", element(7, value)))), [
      "the engine's (Global handles)",
      "7",
      "engine"
    ]],
    ["is the root itself", root(element(1, value)), ["the engine's synthetic", "1", "engine"]]
  ])
})

/** A hash table of V8 lists each key before its value. */
const table = (key: Node, to: Node) => array(internal(5, key), internal(6, to))
const anObject = shown(object("Object"), { object: {} })
const mapOf = (object: unknown, ...edges: Array<[string | number, Node]>) =>
  shown(node("object", "Map", internal("table", array(...edges.map(([name, to]) => internal(name, to))))), { object })

describe("An entry", () => {
  rows([
    ["with a string as its key", cache(object("Map", internal("table", table(string("k"), value)))), byCache, [
      "Map",
      "entry \"k\"",
      "entry"
    ]],
    [
      "with a key of 60 characters",
      cache(object("Map", internal("table", table(string("x".repeat(60)), value)))),
      byCache,
      ["Map", `entry "${"x".repeat(60)}"`, "entry"]
    ],
    [
      "with a longer key",
      cache(object("Map", internal("table", table(string("x".repeat(61)), value)))),
      byCache,
      ["Map", `entry "${"x".repeat(60)}…"`, "entry"]
    ],
    ["with a number as its key", cache(mapOf(new Map([[42, value.object]]), [6, value])), byCache, [
      "Map",
      "entry 42",
      "entry"
    ]],
    [
      "with an object as its key",
      cache(mapOf(new Map([[{}, value.object]]), [5, anObject], [6, value])),
      byCache,
      ["Map", "entry {…}", "entry"]
    ],
    [
      "with a function as its key",
      cache(mapOf(new Map([[() => {}, value.object]]), [6, value])),
      byCache,
      ["Map", "entry a function", "entry"]
    ],
    ["with null as its key", cache(mapOf(new Map([[null, value.object]]), [6, value])), byCache, [
      "Map",
      "entry null",
      "entry"
    ]],
    [
      "with a long string that the snapshot does not show as its key",
      cache(mapOf(new Map([["y".repeat(61), value.object]]), [6, value])),
      byCache,
      ["Map", `entry "${"y".repeat(60)}…"`, "entry"]
    ],
    ["whose key is the value", cache(mapOf(new Map([[value.object, 1]]), [5, value])), byCache, [
      "Map",
      "key",
      "entry"
    ]],
    ["that the map does not have any more", cache(mapOf(new Map(), [6, value])), byCache, ["Map", "entry", "entry"]],
    [
      "of a set",
      cache(shown(object("Set", internal("table", array(internal(5, value)))), { object: new Set([value.object]) })),
      byCache,
      ["Set", "element", "entry"]
    ],
    [
      "of a map that the inspector does not show",
      cache(object("Map", internal("table", array(internal(6, value))))),
      byCache,
      ["Map", "entry", "entry"]
    ],
    [
      "of an older table, while the map grows",
      cache(object("Map", internal("table", array(internal(0, array(internal(2, table(string("k"), value)))))))),
      byCache,
      ["Map", "entry \"k\"", "entry"]
    ],
    [
      "whose value holds the next object",
      cache(object("Map", internal("table", table(string("k"), object("Box", property("content", value)))))),
      byCache,
      ["Map", "entry \"k\"", "entry"],
      ["Box", "content", "property"]
    ],
    [
      "of an iterator of a map",
      cache(object("MapIterator", hidden(2, table(string("k"), value)))),
      byCache,
      ["MapIterator", "entry \"k\"", "entry"]
    ],
    [
      "of an iterator of a set, as Node 20 names it",
      cache(object("Set Iterator", hidden(2, array(internal(5, value))))),
      byCache,
      ["Set Iterator", "entry", "entry"]
    ],
    [
      "of an iterator of a map, followed by another object",
      cache(object("Map Iterator", hidden(2, table(string("k"), object("Box", property("content", value)))))),
      byCache,
      ["Map Iterator", "entry \"k\"", "entry"],
      ["Box", "content", "property"]
    ],
    [
      "of a WeakMap, through its key",
      (() => {
        const pair = "4 / part of key (Connection @13) -> value (Session @3) pair in WeakMap (table @11)"
        const table = node("array", "", internal(pair, value), weak("key", object("Connection")))
        return global(
          property("map", object("WeakMap", internal("table", table))),
          property("cache", object("Connection", internal(pair, value)))
        )
      })(),
      byCache,
      ["WeakMap", "value for the key Connection", "entry"]
    ],
    [
      "of an AsyncLocalStorage",
      cache(object("AsyncContextFrame", internal("table", table(object("AsyncLocalStorage"), value)))),
      byCache,
      ["AsyncLocalStorage", "store", "entry"]
    ],
    [
      "of an AsyncLocalStorage that holds the next object",
      cache(
        object(
          "AsyncContextFrame",
          internal("table", table(object("AsyncLocalStorage"), object("Box", property("content", value))))
        )
      ),
      byCache,
      ["AsyncLocalStorage", "store", "entry"],
      ["Box", "content", "property"]
    ]
  ])
})

it("An entry that is the table of a map is called so", async () => {
  const target = table(string("k"), value)
  assert.deepStrictEqual(await retainersIn(cache(object("Map", internal("table", target))), target), [
    byCache,
    ["Map", "table", "entry"]
  ])
})

describe("An iterator", () => {
  rows([
    ["of an array", cache(object("Array Iterator", hidden(2, value))), byCache, ["ArrayIterator", "array", "entry"]],
    ["that Node 20 calls a helper", cache(object("Iterator Helper", hidden(2, value))), byCache, [
      "IteratorHelper",
      "iterator",
      "entry"
    ]],
    [
      "that calls a function",
      cache(object("Iterator", hidden(4, closure("double", program, property("kept", value))))),
      byCache,
      ["IteratorHelper", "callback", "entry"],
      ["double", "kept", "property"]
    ],
    [
      "with a property",
      cache(object("Iterator", property("kept", object("Array Iterator", property("kept", value))))),
      byCache,
      ["Iterator", "kept", "property"],
      ["Array Iterator", "kept", "property"]
    ]
  ])
})

describe("A bound function", () => {
  rows([
    [
      "holds an argument",
      cache(
        closure(
          "native_bind",
          engine,
          internal("bindings", node("array", "(bound arguments)", internal(1, value))),
          internal("bound_function", closure("handle", program))
        )
      ),
      byCache,
      ["bound function handle", "argument 2", "function"]
    ],
    [
      "holds its argument, which holds the next object",
      cache(
        closure(
          "native_bind",
          engine,
          internal("bindings", array(internal(0, object("Box", property("content", value)))))
        )
      ),
      byCache,
      ["bound function", "argument 1", "function"],
      ["Box", "content", "property"]
    ],
    [
      "holds what it passes as this",
      cache(
        closure("native_bind", engine, internal("bound_this", value), internal("bound_function", closure("", program)))
      ),
      byCache,
      ["bound function", "this", "function"]
    ],
    [
      "holds the function",
      cache(
        closure("native_bind", engine, internal("bound_function", closure("handle", program, property("kept", value))))
      ),
      byCache,
      ["bound function handle", "function", "function"],
      ["handle", "kept", "property"]
    ]
  ])
})

describe("A promise", () => {
  rows([
    ["holds its result", cache(object("Promise", internal("reactions_or_result", value))), byCache, [
      "Promise",
      "result",
      "promise"
    ]],
    [
      "holds its reactions",
      cache(
        object(
          "Promise",
          internal(
            "reactions_or_result",
            node(
              "hidden",
              "system / PromiseReaction",
              hidden(
                1,
                node("hidden", "system / PromiseReaction", hidden(2, object("Box", property("content", value))))
              )
            )
          )
        )
      ),
      byCache,
      ["Promise", "reaction", "promise"],
      ["Box", "content", "property"]
    ]
  ])
})

describe("A registry", () => {
  rows([
    [
      "holds a value for the clean-up",
      cache(
        object(
          "FinalizationRegistry",
          hidden(
            4,
            node("hidden", "system / WeakCell", hidden(3, node("hidden", "system / WeakCell", hidden(1, value))))
          )
        )
      ),
      byCache,
      ["FinalizationRegistry", "held value", "registry"]
    ],
    [
      "holds its clean-up",
      cache(object("FinalizationRegistry", hidden(3, closure("close", program, property("kept", value))))),
      byCache,
      ["FinalizationRegistry", "held value", "registry"],
      ["close", "kept", "property"]
    ]
  ])
})

const onData = closure("onData", program, internal("context", context(variable("session", value))))
const byOnData = ["closure onData (app/main.ts:3:7)", "variable session", "closure"] as const

describe("A listener", () => {
  rows([
    ["alone", cache(object("Bus", property("_events", object("Object", property("data", onData))))), byCache, [
      "Bus",
      "listener \"data\"",
      "listener"
    ], byOnData],
    [
      "of several",
      cache(
        object(
          "Bus",
          property("_events", object("Object", property("data", object("Array", element(1, onData)))))
        )
      ),
      byCache,
      ["Bus", "listener \"data\"", "listener"],
      byOnData
    ],
    [
      "of an event that is a symbol",
      cache(object("Bus", property("_events", object("Object", property("<symbol end>", onData))))),
      byCache,
      ["Bus", "listener \"Symbol(end)\"", "listener"],
      byOnData
    ],
    [
      "of the process",
      root(
        element(
          5,
          node(
            "synthetic",
            "Node / Environment",
            internal(
              "process_object",
              object("process", property("_events", object("Object", property("SIGUSR2", onData))))
            )
          )
        )
      ),
      ["process", "listener \"SIGUSR2\"", "listener"],
      byOnData
    ],
    [
      "that is itself the value, in a list",
      cache(object("Bus", property("_events", object("Object", property("data", object("Array", element(0, value))))))),
      byCache,
      ["Bus", "listener \"data\"", "listener"]
    ],
    ...["<symbol kEvents>", "<symbol kHandlers>"].map((symbol): Row => [
      `of an EventTarget, in its ${symbol}`,
      cache(
        object(
          "EventTarget",
          property(
            symbol,
            object(
              "Map",
              internal(
                "table",
                table(
                  string("click"),
                  object("Object", property("next", object("Listener", property("listener", onData))))
                )
              )
            )
          )
        )
      ),
      byCache,
      ["EventTarget", "listener \"click\"", "listener"],
      byOnData
    ]),
    [
      "of an EventTarget, which is no function",
      cache(
        object(
          "EventTarget",
          property(
            "<symbol kEvents>",
            object("Map", internal("table", table(string("click"), object("Object", property("next", value)))))
          )
        )
      ),
      byCache,
      ["EventTarget", "listener \"click\"", "listener"]
    ]
  ])
})

it("names the list of an event if it is the value", async () => {
  const list = object("Array")
  const bus = object("Bus", property("_events", object("Object", property("data", list))))
  assert.deepStrictEqual(await retainersIn(cache(bus), list), [byCache, ["Bus", "listener \"data\"", "listener"]])
  const events = object("Object")
  assert.deepStrictEqual(await retainersIn(cache(object("Bus", property("_events", events))), events), [
    byCache,
    ["Bus", "listener \"\"", "listener"]
  ])
})

const timer = (name: string, edge: string, to: Node, object?: object) => {
  const made = node("object", name, property(edge, to))
  return object === undefined ? made : shown(made, { object })
}

describe("A timer", () => {
  rows([
    ["holds its function", cache(timer("Timeout", "_onTimeout", onData, { _repeat: null })), [
      "timer (setTimeout)",
      "callback",
      "timer"
    ], byOnData],
    ["repeats", cache(timer("Timeout", "_onTimeout", onData, { _repeat: 5 })), [
      "timer (setInterval)",
      "callback",
      "timer"
    ], byOnData],
    ["is unknown to the inspector", cache(timer("Timeout", "_onTimeout", onData)), [
      "timer (setTimeout)",
      "callback",
      "timer"
    ], byOnData],
    ["holds an argument", cache(timer("Timeout", "_timerArgs", object("Array", element(0, value)))), [
      "timer (setTimeout)",
      "arguments",
      "timer"
    ]],
    ["runs soon", cache(timer("Immediate", "_onImmediate", onData)), [
      "timer (setImmediate)",
      "callback",
      "timer"
    ], byOnData],
    ["runs soon with an argument", cache(timer("Immediate", "_argv", object("Array", element(0, value)))), [
      "timer (setImmediate)",
      "arguments",
      "timer"
    ]],
    [
      "holds an argument that holds the next object",
      cache(timer("Timeout", "_timerArgs", object("Array", element(0, object("Box", property("content", value)))))),
      [
        "timer (setTimeout)",
        "arguments",
        "timer"
      ],
      ["Box", "content", "property"]
    ],
    ["has no other root", cache(timer("Timeout", "extra", value)), byCache, ["timer (setTimeout)", "extra", "timer"]],
    [
      "waits in the queue of Node",
      global(
        property(
          "setTimeout",
          closure(
            "setTimeout",
            "node:timers:1:1",
            internal(
              "context",
              context(variable(
                "timerListMap",
                object(
                  "Object",
                  element(
                    1000,
                    object(
                      "TimersList",
                      property(
                        "_idleNext",
                        object("Timeout", property("_idleNext", object("Timeout", property("_onTimeout", onData))))
                      )
                    )
                  )
                )
              ))
            )
          )
        )
      ),
      ["timer (setTimeout)", "callback", "timer"],
      byOnData
    ],
    [
      "waits in the queue of immediates",
      global(
        property(
          "setImmediate",
          object(
            "Immediate",
            property("_idleNext", object("Immediate", property("_idlePrev", object("Box", property("content", value)))))
          )
        )
      ),
      ["globalThis", "setImmediate", "property"],
      ["timer (setImmediate)", "_idleNext", "timer"],
      ["timer (setImmediate)", "_idlePrev", "timer"],
      ["Box", "content", "property"]
    ]
  ])
})

it("names the arguments of a timer if they are the value", async () => {
  const list = object("Array")
  assert.deepStrictEqual(await retainersIn(cache(timer("Timeout", "_timerArgs", list)), list), [
    ["timer (setTimeout)", "arguments", "timer"]
  ])
})

describe("A variable of a function", () => {
  rows([
    ["is captured", cache(onData), byCache, byOnData],
    [
      "of an outer function is captured",
      cache(
        closure(
          "inner",
          program,
          internal(
            "context",
            context(internal("previous", context(internal("previous", context(variable("outer", value))))))
          )
        )
      ),
      byCache,
      ["closure inner (app/main.ts:3:7)", "variable outer", "closure"]
    ],
    [
      "without a name is captured",
      cache(closure("", program, internal("context", context(variable("session", value))))),
      byCache,
      ["closure (anonymous) (app/main.ts:3:7)", "variable session", "closure"]
    ],
    [
      "around a block of Vite is captured",
      cache(closure(
        "f",
        program,
        internal(
          "context",
          context(
            internal("scope_info", node("code", "system / ScopeInfo", hidden(1, string("__vite_ssr_import_0__")))),
            internal("previous", context(variable("outer", value)))
          )
        )
      )),
      byCache,
      ["closure f (app/main.ts:3:7)", "variable outer", "closure"]
    ],
    [
      "of a library is left out",
      cache(closure("wait", library, internal("context", context(variable("session", value))))),
      byCache
    ],
    [
      "of the engine is left out",
      cache(closure("", engine, internal("context", context(variable("session", value))))),
      byCache
    ],
    [
      "of a script whose name is unknown is left out",
      cache(node(
        "closure",
        "f",
        internal("context", context(variable("session", value))),
        internal("shared", node("code", "f"))
      )),
      byCache
    ],
    [
      "is captured, as Node 20 writes it",
      cache({
        ...node(
          "closure",
          "f",
          internal("context", context(variable("session", value))),
          internal(
            "shared",
            node("code", "f", internal("script_or_debug_info", node("code", "system / Script / C:\\app\\main.cjs")))
          )
        ),
        location: [0, 4]
      }),
      byCache,
      ["closure f (C:/app/main.cjs:1:5)", "variable session", "closure"]
    ],
    [
      "is captured on Windows",
      cache(closure("f", "file:///C:/app/main.ts:3:7", internal("context", context(variable("session", value))))),
      byCache,
      ["closure f (C:/app/main.ts:3:7)", "variable session", "closure"]
    ],
    [
      "of a library is named if the path has no other step",
      root(element(1, closure("wait", library, internal("context", context(variable("session", value)))))),
      ["closure wait (/elsewhere/node_modules/effect/dist/Effect.js:1:1)", "variable session", "closure"]
    ],
    [
      "is captured by a function whose place is unknown",
      (() => {
        const { location: _, ...unknown } = closure(
          "f",
          program,
          internal("context", context(variable("session", value)))
        )
        return cache(unknown)
      })(),
      byCache,
      ["closure f", "variable session", "closure"]
    ],
    [
      "is captured by a function whose script is unknown",
      root(
        element(1, {
          ...closure("f", engine, internal("context", context(variable("session", value)))),
          location: [2, 6]
        })
      ),
      ["closure f", "variable session", "closure"]
    ],
    [
      "of the engine is named if the path has no other step",
      root(element(1, closure("", engine, internal("context", context(variable("session", value)))))),
      ["closure (anonymous)", "variable session", "closure"]
    ],
    [
      "is the function of a promise",
      cache(
        closure(
          "",
          engine,
          internal("context", context(internal("extension", object("Box", property("content", value)))))
        )
      ),
      byCache,
      ["Box", "content", "property"]
    ],
    [
      "is the function of a promise, and the path has no other step",
      root(element(1, closure("resolve", engine, internal("context", context(internal("extension", value)))))),
      ["closure resolve", "context", "closure"]
    ],
    [
      "is no variable if what the function holds are no variables",
      cache(
        closure(
          "f",
          program,
          internal("context", node("hidden", "system / Cell", variable("x", object("Box", property("content", value)))))
        )
      ),
      byCache,
      ["Box", "content", "property"]
    ],
    [
      "is no variable if the function belongs to the engine",
      cache(
        closure(
          "resolve",
          engine,
          internal("context", node("hidden", "system / Cell", variable("x", object("Box", property("content", value)))))
        )
      ),
      byCache,
      ["Box", "content", "property"]
    ]
  ])
})

it("names the variables of a function if they are the value", async () => {
  const variables = context()
  const path: ReadonlyArray<Names> = [byCache, ["onData (app/main.ts:3:7)", "context", "closure"]]
  const onData = (to: Node) => cache(closure("onData", program, internal("context", to)))
  assert.deepStrictEqual(await retainersIn(onData(variables), variables), path)
  assert.deepStrictEqual(await retainersIn(onData(context(internal("previous", variables))), variables), path)
  assert.deepStrictEqual(
    await retainersIn(cache(closure("", engine, internal("context", variables))), variables),
    [byCache, ["(anonymous)", "context", "closure"]]
  )
})

/** The names of variables, as V8 lists them behind a number of fields. */
const scopeInfo = (...names: ReadonlyArray<string>) =>
  node("code", "system / ScopeInfo", ...names.map((name, index) => hidden(index + 3, string(name))))

const other = object("Other")
const withScopes = (...scopes: NonNullable<Node["scopes"]>) => ({ scopes })
const inBlock = (block: Node, shows: Pick<Node, "scopes"> = {}) =>
  cache(shown(closure("onData", program, internal("context", block)), shows))
const ofOnData = (name: string) => ["closure onData (app/main.ts:3:7)", `variable ${name}`, "closure"] as const

describe("A variable of a block", () => {
  rows([
    [
      "has the name that the inspector shows",
      inBlock(context(hidden(0, other), hidden(1, value)), withScopes(["Block", { first: 1, second: value.object }])),
      byCache,
      ofOnData("second")
    ],
    [
      "has a name in a scope further out, and not one of the global scope",
      inBlock(
        context(hidden(1, value)),
        withScopes(["Global", { wrong: value.object }], [undefined, { wrong: value.object }], ["Block", {}], [
          "Closure (f)",
          { right: value.object }
        ])
      ),
      byCache,
      ofOnData("right")
    ],
    [
      "of an outer function has the name that the inspector shows",
      inBlock(
        context(internal("previous", context(internal("previous", context(hidden(1, value)))))),
        withScopes(["Block", { outer: value.object }])
      ),
      byCache,
      ofOnData("outer")
    ],
    [
      "has the name in its place if the inspector shows none",
      inBlock(
        context(internal("scope_info", scopeInfo("first", "second")), hidden(0, other), hidden(1, value)),
        withScopes(["Block", { second: "a copy" }])
      ),
      byCache,
      ofOnData("second")
    ],
    [
      "has the name in its place if the inspector does not know scopes",
      inBlock(context(internal("scope_info", scopeInfo("first", "second")), hidden(0, value), hidden(1, other))),
      byCache,
      ofOnData("first")
    ],
    [
      "has one of several names if the place says nothing",
      inBlock(context(internal("scope_info", scopeInfo("count", "second")), hidden(1, value))),
      byCache,
      ofOnData("count or second")
    ],
    [
      "has no name if the snapshot shows none",
      inBlock(context(hidden(1, value))),
      byCache,
      ofOnData("of a block")
    ],
    [
      "has a name before the first field that is none",
      inBlock(
        context(
          internal(
            "scope_info",
            node(
              "code",
              "system / ScopeInfo",
              internal("map", string("wrong")),
              hidden(2, string("right")),
              hidden(3, object("Object")),
              hidden(4, string("wrong"))
            )
          ),
          hidden(1, value)
        )
      ),
      byCache,
      ofOnData("right")
    ],
    [
      "has a name before an empty one",
      inBlock(context(internal("scope_info", scopeInfo("right", "", "wrong")), hidden(1, value))),
      byCache,
      ofOnData("right")
    ],
    [
      "that holds a primitive has a place",
      inBlock(
        context(internal("scope_info", scopeInfo("first")), hidden(1, value)),
        withScopes()
      ),
      byCache,
      ofOnData("first")
    ]
  ])
})

/** A generator, which holds its function and the variables of its body. */
const generator = (of: Node, ...edges: Array<Edge>) =>
  object(of.name === "" ? "Generator" : of.name, internal("function", of), ...edges)
const registers = (...edges: Array<Edge>) => internal("parameters_and_registers", array(...edges))
const walk = closure("walk", program)

describe("A generator", () => {
  rows([
    [
      "holds a variable whose name the inspector shows",
      cache(
        shown(generator(walk, registers(internal(0, value))), {
          scopes: [["Local (walk)", { session: value.object }]],
          state: "suspended"
        })
      ),
      byCache,
      ["suspended generator \"walk\"", "variable session", "generator"]
    ],
    [
      "holds a variable whose name the inspector does not show",
      cache(generator(walk, registers(internal(0, object("Box", property("content", value)))))),
      byCache,
      ["suspended generator \"walk\"", "local variable", "generator"],
      ["Box", "content", "property"]
    ],
    [
      "without a name has a place",
      cache(generator(closure("", program), registers(internal(0, value)))),
      byCache,
      ["suspended generator (app/main.ts:3:7)", "local variable", "generator"]
    ],
    [
      "of a library without a name is left out",
      cache(generator(closure("", library), registers(internal(0, value)))),
      byCache
    ],
    [
      "of the engine is named if the path has no other step",
      root(element(1, generator(closure("", engine), registers(internal(0, value))))),
      ["suspended generator", "local variable", "generator"]
    ],
    [
      "without a function is named",
      cache(object("Generator", registers(internal(0, value)))),
      byCache,
      ["suspended generator", "local variable", "generator"]
    ],
    [
      "is asynchronous",
      cache(
        generator(walk, registers(internal(0, value)), property("__proto__", object("AsyncGenerator")))
      ),
      byCache,
      ["suspended async generator \"walk\"", "local variable", "generator"]
    ],
    [
      "is not asynchronous if its prototype is not",
      cache(generator(walk, registers(internal(0, value)), property("__proto__", object("Generator")))),
      byCache,
      ["suspended generator \"walk\"", "local variable", "generator"]
    ],
    [
      "that is finished holds the variables around its function",
      cache(shown(
        generator(walk, internal("context", context(variable("session", value))), registers()),
        { state: "closed" }
      )),
      byCache,
      ["finished generator \"walk\"", "variable session", "generator"]
    ],
    [
      "that runs holds the variables around its function",
      cache(shown(generator(walk, internal("context", context(variable("session", value)))), { state: "running" })),
      byCache,
      ["suspended generator \"walk\"", "variable session", "generator"]
    ],
    [
      "of a library holds the variables around its function, and is left out",
      cache(generator(closure("walk", library), internal("context", context(variable("session", value))))),
      byCache
    ],
    [
      "of an async function",
      cache(
        object(
          "Promise",
          internal(
            "reactions_or_result",
            node(
              "hidden",
              "system / PromiseReaction",
              hidden(
                1,
                closure(
                  "",
                  engine,
                  internal(
                    "context",
                    context(
                      internal(
                        "extension",
                        shown(generator(closure("load", program), registers(internal(0, value))), { state: "closed" })
                      )
                    )
                  )
                )
              )
            )
          )
        )
      ),
      byCache,
      ["Promise", "reaction", "promise"],
      ["suspended async function \"load\"", "local variable", "generator"]
    ]
  ])
})

it("names the registers of a generator if they are the value", async () => {
  const list = array()
  const steps = generator(walk, internal("parameters_and_registers", list))
  assert.deepStrictEqual(await retainersIn(cache(steps), list), [
    byCache,
    ["suspended generator \"walk\"", "local variable", "generator"]
  ])
})

const fiber = (...edges: Array<Edge>) => object("FiberImpl", ...edges)
const stack = (...edges: Array<Edge>) => property("_stack", object("Array", ...edges))
const inStack = (of: Node) => stack(element(0, object("IteratorImpl", property("iterator", of))))

describe("A fiber", () => {
  rows([
    [
      "has the name of its span",
      cache(shown(fiber(inStack(generator(walk, registers(internal(0, value))))), {
        object: { cache: { span: { name: "saveUser" } } }
      })),
      byCache,
      ["suspended fiber of \"saveUser\"", "_stack", "fiber"],
      ["suspended generator \"walk\"", "local variable", "generator"]
    ],
    [
      "has the name of its stack frame",
      cache(shown(fiber(inStack(generator(walk, registers(internal(0, value))))), {
        object: { cache: { stackFrame: { name: "loadUser" } } }
      })),
      byCache,
      ["suspended fiber of \"loadUser\"", "_stack", "fiber"],
      ["suspended generator \"walk\"", "local variable", "generator"]
    ],
    [
      "has the name of the generator that it runs",
      cache(shown(fiber(inStack(generator(walk, registers(internal(0, value))))), { object: {} })),
      byCache,
      ["suspended fiber of \"walk\"", "_stack", "fiber"],
      ["suspended generator \"walk\"", "local variable", "generator"]
    ],
    [
      "has no name if the getter of its span throws",
      cache(shown(fiber(inStack(generator(closure("", program), registers(internal(0, value))))), {
        object: {
          get cache() {
            throw new Error("no cache")
          }
        }
      })),
      byCache,
      ["suspended fiber", "_stack", "fiber"],
      ["suspended generator (app/main.ts:3:7)", "local variable", "generator"]
    ],
    [
      "has no name if the getter of its span throws a text",
      cache(shown(fiber(stack(element(0, object("ContImpl", property("payload", value))))), {
        object: {
          get cache() {
            // oxlint-disable-next-line typescript/only-throw-error
            throw "no cache"
          }
        }
      })),
      byCache,
      ["suspended fiber", "_stack", "fiber"]
    ],
    [
      "has no name if it runs no generator",
      cache(fiber(stack(element(0, object("ContImpl", property("payload", value)))))),
      byCache,
      ["suspended fiber", "_stack", "fiber"]
    ],
    [
      "does not have the name of a generator of another fiber",
      cache(fiber(stack(element(0, fiber(inStack(generator(walk, registers(internal(0, value))))))))),
      byCache,
      ["suspended fiber", "_stack", "fiber"],
      ["suspended fiber of \"walk\"", "_stack", "fiber"],
      ["suspended generator \"walk\"", "local variable", "generator"]
    ],
    [
      "does not have the name of a generator before it",
      cache(generator(walk, registers(internal(0, fiber(stack(element(0, value))))))),
      byCache,
      ["suspended generator \"walk\"", "local variable", "generator"],
      ["suspended fiber", "_stack", "fiber"]
    ],
    [
      "runs a function of the program, through functions of Effect",
      cache(fiber(stack(element(0, closure("cont", library, internal("context", context(variable("f", onData)))))))),
      byCache,
      ["suspended fiber", "_stack", "fiber"],
      byOnData
    ],
    [
      "waits for a promise, through objects of Effect",
      cache(
        fiber(
          stack(
            element(0, object("Async", property("promise", object("Promise", internal("reactions_or_result", value)))))
          )
        )
      ),
      byCache,
      ["suspended fiber", "_stack", "fiber"],
      ["Promise", "result", "promise"]
    ],
    [
      "has a service",
      cache(
        fiber(property(
          "context",
          object(
            "ContextImpl",
            property(
              "mapUnsafe",
              object("Map", internal("table", table(string("Session"), object("Service", property("content", value)))))
            )
          )
        ))
      ),
      byCache,
      ["suspended fiber", "context", "fiber"],
      ["Service", "content", "property"]
    ],
    [
      "has a Scope among its services",
      cache(
        fiber(property(
          "context",
          object(
            "Object",
            property(
              "scope",
              object(
                "Object",
                property("state", object("Object", property("finalizer", onData))),
                property("strategy", string("sequential"))
              )
            )
          )
        ))
      ),
      byCache,
      ["suspended fiber", "context", "fiber"],
      ["Scope", "finalizer registered at app/main.ts:3:7", "scope"],
      byOnData
    ]
  ])
})

const scope = (...state: Array<Edge>) =>
  object("Object", property("state", object("Object", ...state)), property("strategy", string("sequential")))
const finalizers = (...list: ReadonlyArray<Node>) =>
  property(
    "finalizers",
    object("Map", internal("table", array(...list.map((to, index) => internal(3 * index + 6, to)))))
  )
const ofScope = (via: string) => ["Scope", via, "scope"] as const
/** A finalizer that Effect has wrapped: the function of the program is a variable, or the argument of an operation. */
const wrapped = (...edges: Array<Edge>) => closure("", library, internal("context", context(...edges)))

describe("A Scope", () => {
  rows([
    [
      "holds one finalizer",
      cache(scope(property("finalizer", onData))),
      byCache,
      ofScope("finalizer registered at app/main.ts:3:7"),
      byOnData
    ],
    [
      "holds several finalizers",
      cache(scope(finalizers(onData))),
      byCache,
      ofScope("finalizer registered at app/main.ts:3:7"),
      byOnData
    ],
    [
      "holds a finalizer behind an operation of Effect",
      cache(scope(property(
        "finalizer",
        wrapped(
          variable(
            "effect",
            object("PrimitiveImpl", property("~effect/Effect/args", closure("", "file:///lib/own.ts:9:9")))
          ),
          variable("held", value)
        )
      ))),
      byCache,
      ofScope("finalizer registered at /lib/own.ts:9:9")
    ],
    [
      "holds a finalizer behind the variables of an outer function",
      cache(scope(property(
        "finalizer",
        wrapped(internal("previous", context(variable("f", onData))), variable("held", value))
      ))),
      byCache,
      ofScope("finalizer registered at app/main.ts:3:7")
    ],
    [
      "holds a finalizer that no function of the program has made",
      cache(scope(property(
        "finalizer",
        closure(
          "",
          library,
          internal("context", context(variable("held", value))),
          property("f", onData),
          internal("g", onData)
        )
      ))),
      byCache,
      ofScope("finalizer")
    ],
    [
      "holds a finalizer that is a function of the engine",
      cache(scope(property("finalizer", closure("", engine, property("held", value))))),
      byCache,
      ofScope("finalizer"),
      ["anonymous function", "held", "property"]
    ],
    [
      "holds a finalizer that is far from the function of the program",
      (() => {
        let far = context(variable("f", onData))
        for (let depth = 0; depth < 300; depth++) far = context(internal("previous", far))
        return cache(scope(property("finalizer", wrapped(internal("previous", far), variable("held", value)))))
      })(),
      byCache,
      ofScope("finalizer")
    ],
    ["holds a fiber", cache(scope(property("finalizer", fiber(stack(element(0, value)))))), byCache, ofScope("fiber"), [
      "suspended fiber",
      "_stack",
      "fiber"
    ]],
    [
      "holds another Scope, which is left out",
      cache(scope(finalizers(scope(property("finalizer", onData))))),
      byCache,
      ofScope("finalizer registered at app/main.ts:3:7"),
      byOnData
    ],
    [
      "is only a child, and the path has no other step",
      root(element(1, scope(property("finalizer", value)))),
      ofScope("child")
    ],
    [
      "is no object that has a state but no strategy",
      cache(object("Machine", property("state", object("Idle", property("by", value))))),
      byCache,
      ["Machine", "state", "property"],
      ["Idle", "by", "property"]
    ]
  ])
})

it("names a Scope if its state, or its map of finalizers, is the value", async () => {
  const state = object("Object")
  const holder = object("Object", property("state", state), property("strategy", string("sequential")))
  const map = object("Map")
  assert.deepStrictEqual(await retainersIn(root(element(1, holder)), state), [ofScope("child")])
  assert.deepStrictEqual(await retainersIn(root(element(1, scope(property("finalizers", map)))), map), [[
    ...ofScope("child")
  ]])
})

const box = (to: Node) => object("Box", property("content", to))
const byBox = ["Box", "content", "property"] as const
const native = node("hidden", "system / NativeContext / ")
const promiseOf = (to: Node) => object("Promise", internal("reactions_or_result", to))

describe("The path begins", () => {
  rows([
    ["at the last root", cache(object("process", property("env", value))), ["process", "env", "property"]],
    [
      "at a root of the program, and not at a function that is only called process",
      cache(closure("process", program, property("env", value))),
      byCache,
      ["process", "env", "property"]
    ],
    [
      "at the global object of a context of node:vm",
      cache(object("Context", property("<symbol kContext>", object("Object", property("app", value))))),
      ["globalThis", "app", "property"]
    ],
    [
      "at the object that node:vm makes a global object",
      cache(object(
        "Object",
        property("app", value),
        property("<symbol node:contextify:context>", object("Foreign"))
      )),
      ["globalThis", "app", "property"]
    ],
    [
      "at a global object, as Deno names it",
      root(
        element(1, object("Window", property("frame", object("Object / [JSGlobalObject]", property("app", value)))))
      ),
      ["globalThis", "app", "property"]
    ],
    [
      "at a global proxy, as Deno names it",
      root(element(1, object("Window", property("frame", object("Object / [JSGlobalProxy]", property("app", value)))))),
      ["globalThis", "app", "property"]
    ],
    [
      "at a global object that only a shortcut shows",
      root(shortcut(1, object("Window", property("app", value)))),
      ["globalThis", "app", "property"]
    ],
    [
      "at a global object that only a context shows",
      root(element(1, node("hidden", "Other", internal("global_object", object("Window", property("app", value)))))),
      ["globalThis", "app", "property"]
    ],
    [
      "at a port that only the engine holds",
      root(
        element(
          1,
          node(
            "native",
            "Node / MessagePort",
            internal("wrapped", object("MessagePort", property("tag", object("MessagePort", property("next", value)))))
          )
        )
      ),
      ["MessagePort", "tag", "property"],
      ["MessagePort", "next", "property"]
    ],
    [
      "before a port that the program holds",
      cache(object("MessagePort", property("tag", value))),
      byCache,
      ["MessagePort", "tag", "property"]
    ],
    [
      "before a port that the program holds, on Node 24, whose root refers to the global object itself",
      root(shortcut(2, object("global / ", property("cache", object("MessagePort", property("tag", value)))))),
      byCache,
      ["MessagePort", "tag", "property"]
    ],
    [
      "behind a function of the detector",
      cache(closure("find", detector, property("kept", box(value)))),
      byBox
    ],
    [
      "behind a function of the detector, but not behind what it holds",
      cache(closure("find", detector, property("kept", box(box(value))))),
      byBox,
      byBox
    ],
    [
      "behind the variables of a function of the detector",
      cache(
        closure(
          "find",
          detector,
          internal("context", context(internal("previous", context(variable("kept", box(value))))))
        )
      ),
      byBox
    ],
    [
      "behind the variables of a function of the detector, even if only the engine follows",
      root(
        element(1, closure("find", detector, internal("context", context(variable("kept", array(internal(0, value)))))))
      ),
      ["the engine's array", "0", "engine"]
    ],
    [
      "behind a suspended function of the detector",
      cache(generator(closure("find", detector), internal("context", context(variable("kept", box(value)))))),
      byBox
    ],
    [
      "behind a timer of the detector",
      cache(object("Timeout", property("_idleNext", box(value)), property("_onTimeout", closure("poll", detector)))),
      byBox
    ],
    [
      "at a function of the detector if this is the last step",
      cache(closure("find", detector, property("kept", value))),
      byCache,
      ["find", "kept", "property"]
    ],
    [
      "at the variables of the program, which lie behind no function of the detector",
      cache(object("Other", internal("context", context(variable("kept", box(value)))))),
      byCache,
      byBox
    ],
    [
      "behind the queue of timers",
      root(
        element(
          1,
          object(
            "TimersList",
            property(
              "_idleNext",
              object("Timeout", property("_idleNext", object("Immediate", property("_idlePrev", box(value)))))
            )
          )
        )
      ),
      byBox
    ],
    [
      "at the queue of timers if this is all",
      root(element(1, object("TimersList", property("_idleNext", value)))),
      ["TimersList", "_idleNext", "property"]
    ],
    [
      "behind a promise that leads to the code that waits",
      root(element(1, promiseOf(box(value)))),
      byBox
    ],
    [
      "at a promise if only the engine follows",
      root(element(1, promiseOf(array(internal(0, value))))),
      ["Promise", "result", "promise"]
    ],
    ["at a promise if this is all", root(element(1, promiseOf(value))), ["Promise", "result", "promise"]],
    [
      "behind an object of the host",
      root(element(1, node("native", "Blob", internal("data", box(value))))),
      byBox
    ],
    [
      "behind a fiber that waits for a promise",
      root(element(1, fiber(stack(element(0, promiseOf(box(value))))))),
      byBox
    ],
    [
      "at a fiber that waits for something else",
      root(element(1, fiber(stack(element(0, box(onData)))))),
      ["suspended fiber", "_stack", "fiber"],
      byOnData
    ],
    [
      "at a fiber that waits for a suspended generator",
      root(element(1, fiber(inStack(generator(walk, registers(internal(0, promiseOf(value)))))))),
      ["suspended fiber of \"walk\"", "_stack", "fiber"],
      ["suspended generator \"walk\"", "local variable", "generator"],
      ["Promise", "result", "promise"]
    ],
    [
      "at a global variable, before a promise",
      cache(promiseOf(box(value))),
      byCache,
      ["Promise", "result", "promise"],
      byBox
    ]
  ])
})

describe("In a test runner, the path begins", () => {
  rows([
    ...[
      "__vitest_worker__",
      "__vite_ssr_x__",
      "__jest_x__",
      "__tinypool__",
      "<symbol node:x>",
      "<symbol $$jest-matchers-object>",
      "<symbol vitest:x>",
      "<symbol expect-x>"
    ].map((name): Row => [
      `at the first function of the program, behind ${name}`,
      global(property(name, object("Runner", property("task", onData)))),
      byOnData
    ]),
    [
      "at the global object for every other name",
      global(property("<symbol my vitest>", object("Runner", property("task", onData)))),
      ["globalThis", "Symbol(my vitest)", "property"],
      ["Runner", "task", "property"],
      byOnData
    ],
    [
      "at another root, even if its property has such a name",
      root(element(1, object("process", property("__jest_x", object("Runner", property("task", onData)))))),
      ["process", "__jest_x", "property"],
      ["Runner", "task", "property"],
      byOnData
    ],
    [
      "at the first function of the program that is not the first step",
      root(element(1, object("Runner", property("task", onData)))),
      byOnData
    ],
    [
      "at a property of a function of the program",
      root(element(1, object("Runner", property("task", closure("onData", program, property("kept", value)))))),
      ["onData", "kept", "property"]
    ],
    [
      "at a suspended function of the program",
      root(element(1, object("Runner", property("task", generator(walk, registers(internal(0, value))))))),
      ["suspended generator \"walk\"", "local variable", "generator"]
    ],
    [
      "not at a function of a library, nor at a property of a generator",
      root(
        element(
          1,
          object(
            "Runner",
            property("task", closure("run", library, property("a", generator(walk, property("b", box(value))))))
          )
        )
      ),
      ["Runner", "task", "property"],
      ["run", "a", "property"],
      ["walk", "b", "property"],
      byBox
    ],
    [
      "not at a function of the program that the path leaves through its code",
      root(element(1, object("Runner", property("task", closure("f", program, internal("feedback", box(value))))))),
      ["Runner", "task", "property"],
      ["the engine's f", "feedback", "engine"],
      byBox
    ],
    [
      "behind the last module of the runner if there is no function of the program",
      root(
        element(
          1,
          object(
            "Runner",
            property("a", object("ModuleWrap", property("b", object("Namespace", property("c", box(value))))))
          )
        )
      ),
      byBox
    ],
    [
      "at the runner if its module is the last step but one",
      root(element(1, object("Runner", property("a", object("ModuleWrap", property("b", box(value))))))),
      ["Runner", "a", "property"],
      ["ModuleWrap", "b", "property"],
      byBox
    ],
    [
      "behind the last of several modules",
      root(
        element(
          1,
          object(
            "ModuleWrap",
            property("a", object("ModuleWrap", property("b", object("Namespace", property("c", box(value))))))
          )
        )
      ),
      byBox
    ]
  ])
})

const inApp = (file: string, place = "1:1") => `file://${cwd}/app/${file}:${place}`
const sourceText = (of: Node, ...edges: Array<Edge>) =>
  node("hidden", "system / SourceTextModule", hidden(1, object("Cell")), hidden(5, generator(of)), ...edges)
const f = (variables: Node) => closure("f", program, internal("context", variables))
const byF = (name: string) => ["closure f (app/main.ts:3:7)", `variable ${name}`, "closure"] as const

describe("A variable of a module", () => {
  rows([
    [
      "is found through the module",
      cache(f(context(internal("extension", sourceText(closure("", inApp("cache.ts")))), variable("cache", value)))),
      ["module app/cache.ts", "variable cache", "module"]
    ],
    [
      "of a library is a variable of a function",
      cache(f(context(internal("extension", sourceText(closure("", library))), variable("cache", value)))),
      byCache,
      byF("cache")
    ],
    [
      "is not found through a module without a function",
      cache(f(context(internal("extension", node("hidden", "system / SourceTextModule")), variable("cache", value)))),
      byCache,
      byF("cache")
    ],
    [
      "is not found through something that is no module",
      cache(f(context(internal("extension", node("hidden", "Other", hidden(5, walk))), variable("cache", value)))),
      byCache,
      byF("cache")
    ],
    ...["system / NativeContext / ", "system / ScriptContextTable"].map((name): Row => [
      `is found through the function that a loader puts around the module, in ${name}`,
      cache(f(context(
        internal("scope_info", scopeInfo()),
        internal("previous", node("hidden", name)),
        variable("recent", value)
      ))),
      ["module app/main.ts", "variable recent", "module"]
    ]),
    [
      "is a variable of a function that still exists",
      (() => {
        const scope = scopeInfo()
        return global(
          property(
            "cache",
            f(context(internal("scope_info", scope), internal("previous", native), variable("recent", value)))
          ),
          property(
            "other",
            closure("g", engine, internal("shared", node("code", "g", internal("name_or_scope_info", scope))))
          )
        )
      })(),
      byCache,
      byF("recent")
    ],
    [
      "is a variable of a function if other variables lie around it",
      cache(
        f(context(internal("scope_info", scopeInfo()), internal("previous", context()), variable("recent", value)))
      ),
      byCache,
      byF("recent")
    ],
    [
      "is a variable of a function if nothing is known of its scope",
      cache(f(context(internal("previous", native), variable("recent", value)))),
      byCache,
      byF("recent")
    ],
    [
      "is a variable of a function if nothing is known of what lies around it",
      cache(f(context(internal("scope_info", scopeInfo()), variable("recent", value)))),
      byCache,
      byF("recent")
    ],
    [
      "of a library with such a function is left out",
      cache(closure(
        "f",
        library,
        internal(
          "context",
          context(internal("scope_info", scopeInfo()), internal("previous", native), variable("recent", value))
        )
      )),
      byCache
    ],
    [
      "that no function holds is a part of the engine",
      cache(
        object(
          "Other",
          internal(
            "held",
            context(internal("scope_info", scopeInfo()), internal("previous", native), variable("recent", box(value)))
          )
        )
      ),
      byCache,
      ["the engine's Other", "held", "engine"],
      byBox
    ],
    [
      "of a module that waits is found through its body",
      cache(
        generator(
          closure("", inApp("awaiting.ts")),
          registers(),
          internal("context", context(variable("taken", value)))
        )
      ),
      ["module app/awaiting.ts", "variable taken", "module"]
    ],
    ...[
      [
        "has a name",
        generator(
          closure("body", inApp("awaiting.ts")),
          registers(),
          internal("context", context(variable("taken", value)))
        ),
        "generator \"body\""
      ],
      [
        "begins in another column",
        generator(
          closure("", inApp("awaiting.ts", "1:2")),
          registers(),
          internal("context", context(variable("taken", value)))
        ),
        "generator (app/awaiting.ts:1:2)"
      ],
      [
        "begins in another line",
        generator(
          closure("", inApp("awaiting.ts", "2:1")),
          registers(),
          internal("context", context(variable("taken", value)))
        ),
        "generator (app/awaiting.ts:2:1)"
      ],
      [
        "does not wait",
        generator(closure("", inApp("awaiting.ts")), internal("context", context(variable("taken", value)))),
        "generator (app/awaiting.ts:1:1)"
      ]
    ].map(([name, body, holder]): Row => [
      `is not found through a generator that ${name as string}`,
      cache(body as Node),
      byCache,
      [`suspended ${holder as string}`, "variable taken", "generator"]
    ]),
    [
      "is not found through a body that holds the variables in another way",
      cache(
        generator(
          closure("", inApp("awaiting.ts")),
          registers(),
          property("kept", context(variable("taken", box(value))))
        )
      ),
      byCache,
      ["Generator", "kept", "property"],
      byBox
    ],
    [
      "in a block of an outer function is found through the inner one",
      cache(f(context(internal("previous", context(internal("previous", native), hidden(1, value)))))),
      ["module app/main.ts", "variable of a block", "module"]
    ],
    [
      "of a module that waits, which only its body holds",
      cache(
        shown(generator(closure("", inApp("awaiting.ts")), registers(internal(0, value))), {
          scopes: [["Local", { taken: value.object }]]
        })
      ),
      ["module app/awaiting.ts", "variable taken", "module"]
    ],
    [
      "of a module that waits holds the next object",
      (() => {
        const held = shown(box(value), {})
        return cache(shown(generator(closure("", inApp("awaiting.ts")), registers(internal(0, held))), {
          scopes: [["Local", { taken: held.object }]]
        }))
      })(),
      ["module app/awaiting.ts", "variable taken", "module"],
      byBox
    ],
    [
      "of a module that waits, whose name is not known",
      cache(generator(closure("", inApp("awaiting.ts")), registers(internal(0, value)))),
      ["suspended generator (app/awaiting.ts:1:1)", "local variable", "generator"]
    ],
    [
      "of a library that waits",
      cache(shown(generator(closure("", library), registers(internal(0, box(value)))), { scopes: [] })),
      byCache,
      byBox
    ],
    [
      "in a block of Vite is found through its other variables",
      cache(
        f(context(
          internal("scope_info", scopeInfo("__vite_ssr_import_0__", "cache")),
          hidden(0, other),
          hidden(1, value)
        ))
      ),
      ["module app/main.ts", "variable cache", "module"]
    ],
    [
      "in a block of Vite is found through the variables around it",
      cache(f(context(
        internal("previous", context(variable("a", other), variable("__vi_import_0__", other))),
        internal("scope_info", scopeInfo("cache")),
        hidden(1, value)
      ))),
      ["module app/main.ts", "variable cache", "module"]
    ],
    [
      "in a block is found if no variables lie around the block",
      cache(f(context(internal("previous", native), internal("scope_info", scopeInfo("cache")), hidden(1, value)))),
      ["module app/main.ts", "variable cache", "module"]
    ],
    [
      "in a block is a variable of a function if other variables lie around the block",
      cache(f(context(
        internal("previous", context(variable("vite", other), internal("__vite_x", other))),
        internal("scope_info", scopeInfo("cache", "vi")),
        hidden(0, other),
        hidden(1, value)
      ))),
      byCache,
      byF("vi")
    ],
    [
      "in a block of a library is a variable of a function, which is left out",
      cache(closure("f", library, internal("context", context(internal("previous", native), hidden(1, box(value)))))),
      byCache,
      byBox
    ],
    [
      "in a block that no function holds is a part of the engine",
      cache(object("Other", internal("held", context(internal("previous", native), hidden(1, box(value)))))),
      byCache,
      ["the engine's Other", "held", "engine"],
      byBox
    ]
  ])
})

const cell = (to: Node) => node("hidden", "system / Cell", internal("value", to))

describe("An export of a module", () => {
  rows([
    [
      "has the name before its cell",
      (() => {
        const exported = cell(value)
        const exports = array(
          internal("map", native),
          internal(3, string("other")),
          internal(4, cell(other)),
          internal(7, string("cache")),
          internal(8, exported)
        )
        return cache(sourceText(closure("", inApp("cache.ts")), hidden(0, exports)))
      })(),
      ["module app/cache.ts", "export cache", "module"]
    ],
    [
      "has the name in another list of the module",
      (() => {
        const exported = cell(value)
        return cache(sourceText(
          closure("", inApp("cache.ts")),
          hidden(0, array(element(0, exported))),
          hidden(6, array(weak("target", exported), internal(2, object("Object")), internal(3, exported))),
          hidden(7, array(internal(7, string("cache")), weak(8, exported), internal(8, exported)))
        ))
      })(),
      ["module app/cache.ts", "export cache", "module"]
    ],
    [
      "is the default if no list has a name",
      cache(sourceText(closure("", inApp("cache.ts")), hidden(0, array(internal(0, cell(box(value))))))),
      ["module app/cache.ts", "export default", "module"],
      byBox
    ],
    [
      "of a library is a part of the engine",
      cache(sourceText(closure("", library), hidden(0, array(internal(0, cell(box(value))))))),
      byCache,
      byBox
    ],
    [
      "is no other list of the module",
      cache(sourceText(closure("", inApp("cache.ts")), hidden(0, array(internal(0, box(value)))))),
      byCache,
      byBox
    ],
    [
      "is no cell that the path leaves in another way",
      cache(
        sourceText(
          closure("", inApp("cache.ts")),
          hidden(0, array(internal(0, node("hidden", "system / Cell", internal("map", box(value))))))
        )
      ),
      byCache,
      byBox
    ],
    [
      "is no object of the program in such a list",
      cache(
        sourceText(
          closure("", inApp("cache.ts")),
          hidden(0, array(internal(0, object("Box", property("value", value)))))
        )
      ),
      byCache,
      ["Box", "value", "property"]
    ],
    [
      "is no export of an object that is no module",
      cache(
        node("hidden", "system / SyntheticModule", hidden(5, walk), hidden(0, array(internal(0, cell(box(value))))))
      ),
      byCache,
      byBox
    ]
  ])
})

it("names a module by its parts if its list, or a cell, is the value", async () => {
  const last = cell(other)
  const list = array(internal(0, last))
  const module = cache(sourceText(closure("", inApp("cache.ts")), hidden(0, list)))
  assert.deepStrictEqual(await retainersIn(module, list), [byCache])
  assert.deepStrictEqual(await retainersIn(module, last), [byCache])
})

describe("The object that Node's require keeps", () => {
  rows([
    [
      "is a module, which holds its exports",
      cache(object("Module", property("filename", string(`${cwd}/app/legacy.cjs`)), property("exports", box(value)))),
      ["module app/legacy.cjs", "exports", "module"],
      byBox
    ],
    [
      "is a module outside of the folder",
      cache(object("Module", property("filename", string("/elsewhere/legacy.cjs")), property("exports", value))),
      ["module /elsewhere/legacy.cjs", "exports", "module"]
    ],
    [
      "is an object if it has no file",
      cache(object("Module", property("exports", value))),
      byCache,
      ["Module", "exports", "property"]
    ],
    [
      "is an object if the path leaves it in another way",
      cache(object("Module", property("filename", string("/elsewhere/legacy.cjs")), property("parent", value))),
      byCache,
      ["Module", "parent", "property"]
    ],
    [
      "is an object if it has another class",
      cache(object("Library", property("filename", string("/elsewhere/legacy.cjs")), property("exports", value))),
      byCache,
      ["Library", "exports", "property"]
    ]
  ])
})

it("names whole paths on a host without a process", async () => {
  const { process } = globalThis
  try {
    Reflect.deleteProperty(globalThis, "process")
    const [, names] = await retainersIn(
      cache(closure("f", "file:///app/main.ts:1:1", internal("context", context(variable("x", value)))))
    )
    assert.deepStrictEqual(names, ["closure f (/app/main.ts:1:1)", "variable x", "closure"])
  } finally {
    globalThis.process = process
  }
})
