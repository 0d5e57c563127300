/**
 * Leaks one value in each of many ways, and prints the retaining path of each as JSON. Runs in a process of its own, because
 * the heap of a test runner is large and a snapshot of it slow.
 */
import { Cache, Context, Deferred, Effect, Layer, ManagedRuntime, PubSub, Queue, Ref, Scope } from "effect"
import { AsyncLocalStorage } from "node:async_hooks"
import { EventEmitter } from "node:events"
import { createRequire } from "node:module"
import { WeakRef } from "../../../src/index.ts"
import { LeakDetector } from "../../../src/testing/index.ts"
import * as cache from "./cache.ts"

interface Legacy {
  remember(value: object): void
  readonly config: { value?: object }
}
const require = createRequire(import.meta.url)
const legacy = (): Legacy => require("./legacy.cjs")

export class Session {
  readonly user = "Ada"
}

/** Holds a value in a global variable. */
const global = (name: string, holder: unknown): void => void Reflect.set(globalThis, name, holder)

const never = Deferred.makeUnsafe<void>()
global("gate", never)

class Bus extends EventEmitter {}

class Vault {
  readonly #secret: object
  constructor(secret: object) {
    this.#secret = secret
  }
  open() {
    return this.#secret
  }
}

class Connection {
  readonly session: object
  constructor(session: object) {
    this.session = session
  }
  fail() {
    return new Error("failed")
  }
}

function* walk(value: object): Generator<object> {
  yield value
  yield value
}

const load = async (value: object, gate: Promise<void>): Promise<object> => {
  await gate
  return value
}

const runners: Array<() => unknown> = []
global("runners", runners)

/** Each of these holds the value beyond the end of the effect. */
export const leaks: Record<string, (value: object) => unknown> = {
  "closure": (value) =>
    global("onSave", function saveLater() {
      return value
    }),
  "Map": (value) => global("cache", new Map([["k", value]])),
  "listener": (value) => global("bus", new Bus().on("data", () => value)),
  "timer": (value) =>
    setTimeout(function onTime() {
      return value
    }, 1_000_000),
  "Promise": (value) => {
    const request = new Promise<void>(() => {})
    void request.then(function respond() {
      return value
    })
    global("request", request)
  },
  "suspended generator": (value) => {
    const steps = walk(value)
    steps.next()
    global("steps", steps)
  },
  "fiber": (value) => {
    const loadUser = Effect.fn("loadUser")(function*(session: object) {
      yield* Deferred.await(never)
      return session
    })
    Effect.runFork(loadUser(value))
  },
  "Scope": (value) => {
    const scope = Scope.makeUnsafe()
    Effect.runSync(Scope.provide(Effect.acquireRelease(Effect.succeed(value), () => Effect.void), scope))
    global("scope", scope)
  },
  "module variable": (value) => cache.remember(value),
  "module export": (value) => void (cache.exported.value = value),
  "static property": (value) => cache.Registry.all.add(value),
  "CommonJS variable": (value) => legacy().remember(value),
  "CommonJS exports": (value) => void (legacy().config.value = value),
  "Set": (value) => global("online", new Set([value])),
  "object": (value) => global("app", { users: [{}, { session: value }] }),
  "private field": (value) => global("vault", new Vault(value)),
  "symbol": (value) => global("request2", { [Symbol("user")]: value }),
  "bound argument": (value) =>
    global(
      "handler",
      function handle() {}.bind(null, ...([1, value] as unknown as []))
    ),
  "map iterator": (value) => global("iterator", new Map([["k", value]]).values()),
  "message port": (value) => {
    const { port1 } = new MessageChannel()
    port1.addEventListener("message", () => value)
    port1.unref?.()
    global("port", port1)
  },
  "process": (value) => process.on("SIGUSR2", () => value),
  "EventTarget": (value) => {
    const target = new EventTarget()
    target.addEventListener("click", () => value)
    global("button", target)
  },
  "AbortSignal": (value) => {
    const controller = new AbortController()
    controller.signal.addEventListener("abort", () => value)
    global("controller", controller)
  },
  "interval": (value) => setInterval(() => value, 1_000_000),
  "argument of a timer": (value) => setTimeout((argument: object) => argument, 1_000_000, value),
  "result of a Promise": (value) => global("result", Promise.resolve(value)),
  "async function": (value) => {
    const gate = new Promise<void>(() => {})
    void load(value, gate)
    global("loading", gate)
  },
  "finished generator": (value) => {
    function* read() {
      yield typeof value
    }
    const reading = read()
    reading.next()
    reading.return(undefined)
    global("reading", reading)
  },
  "WeakMap": (value) => {
    const key = new Connection({})
    global("connection", key)
    global("sessions", new WeakMap([[key, value]]))
  },
  "FinalizationRegistry": (value) => {
    const registry = new FinalizationRegistry(() => {})
    const target = {}
    registry.register(target, value)
    global("registry", [registry, target])
  },
  "stack of an error": (value) => global("lastError", new Connection(value).fail()),
  "cause of an error": (value) => global("failure", new Error("failed", { cause: value })),
  "getter": (value) =>
    global("settings", {
      get session() {
        return value
      }
    }),
  "test function": (value) => {
    const kept: Array<object> = []
    runners.push(() => kept)
    kept.push(value)
  },
  "Deferred": (value) => {
    const deferred = Deferred.makeUnsafe<object>()
    Effect.runSync(Deferred.succeed(deferred, value))
    global("deferred", deferred)
  },
  "Ref": (value) => global("ref", Ref.makeUnsafe(value)),
  "Queue": (value) => {
    const queue = Effect.runSync(Queue.unbounded<object>())
    Queue.offerUnsafe(queue, value)
    global("queue", queue)
  },
  "Cache": (value) => {
    const made = Effect.runSync(Cache.make({ capacity: 10, lookup: (_: string) => Effect.succeed(value) }))
    Effect.runSync(Cache.get(made, "k"))
    global("users", made)
  },
  "service": (value) => {
    const Tag = Context.Service<object>("Session")
    const runtime = ManagedRuntime.make(Layer.succeed(Tag, value))
    runtime.runSync(Effect.asVoid(Tag))
    global("runtime", runtime)
  },
  "PubSub": (value) => {
    const pubsub = Effect.runSync(PubSub.unbounded<object>({ replay: 1 }))
    Effect.runSync(PubSub.publish(pubsub, value))
    global("pubsub", pubsub)
  }
}

/** More ways, which show how the search chooses and names, and which the documentation does not list. */
export const details: Record<string, (value: object) => unknown> = {
  "array iterator": (value) => global("items", [value].values()),
  // Node 20 has no iterator helpers.
  "iterator helper": (value) => "Iterator" in globalThis && global("mapped", [1].values().map(() => value)),
  "listener of once": (value) => process.once("SIGUSR2", () => value),
  "store of an AsyncLocalStorage": (value) =>
    new AsyncLocalStorage().run(value, () => void global("later", setTimeout(() => {}, 3_600_000))),
  "variable of a module that awaits": async (value) => {
    global("handedOver", value)
    void import("./awaiting.ts")
    // The module reads the value when it has been loaded.
    while (Reflect.get(globalThis, "handedOver") !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  },
  "Map with a numeric key": (value) => global("byNumber", new Map<number, object>([[1, {}], [42, value]])),
  "key of a Map": (value) => global("byKey", new Map([[value, 1]])),
  "Map with a long key": (value) => global("byLongKey", new Map([["x".repeat(100), value]])),
  "second listener": (value) => global("emitter", new EventEmitter().on("data", () => {}).on("data", () => value)),
  "fiber in a span": (value) => {
    Effect.runFork(Effect.withSpan(Effect.as(Deferred.await(never), value), "saveUser"))
  },
  "fiber of a named generator": (value) => {
    Effect.runFork(Effect.gen(function* deleteUser() {
      const local = value
      yield* Deferred.await(never)
      return local
    }))
  },
  "second finalizer of a Scope": (value) => {
    const scope = Scope.makeUnsafe()
    Effect.runSync(Scope.addFinalizer(scope, Effect.void))
    Effect.runSync(Scope.addFinalizer(scope, Effect.sync(() => value)))
    global("outer", scope)
  },
  // Each weak reference on its own would be a shorter path.
  "weak references": (value) => {
    const registry = new FinalizationRegistry(() => {})
    registry.register(value, "held", value)
    global("weakly", [
      new globalThis.WeakRef(value),
      new WeakSet([value]),
      new WeakMap<object, unknown>([[value, 1], [{}, value]]),
      registry,
      WeakRef.makeUnsafe(value)
    ])
    global("strongly", { one: { two: { three: { four: { five: { six: [value] } } } } } })
  },
  "one of many instances": (value) =>
    global("instances", { others: Array.from({ length: 100 }, () => new Session()), value }),
  "variable of a block": (value) => {
    {
      const first = { other: true }
      const second = [value]
      global("block", () => [first, second])
    }
  },
  "finished async generator": async (value) => {
    async function* items() {
      yield typeof value
    }
    const finished = items()
    global("finished", finished)
    await finished.next()
    await finished.return(undefined)
  }
}

const pathOf = (keep: (value: object) => unknown) =>
  LeakDetector.expectCollected(
    Effect.promise(async () => {
      const value = new Session()
      await keep(value)
      return value
    }),
    { rounds: 1 }
  ).pipe(Effect.match({
    onFailure: ({ message }) => message.split("\n")[1]?.trim() ?? message,
    onSuccess: () => "collected"
  }))

const pathsOf = (leaks: Record<string, (value: object) => unknown>) =>
  Effect.map(
    // The searches run at once, so they share one snapshot.
    Effect.all(
      Object.entries(leaks).map(([name, keep]) => Effect.map(pathOf(keep), (path) => [name, path] as const)),
      { concurrency: "unbounded" }
    ),
    (paths) => Object.fromEntries(paths)
  )

/** As a test does: only a variable of the function that waits for the detector holds the values. */
const test = async (): Promise<Record<string, Record<string, string>>> => {
  const mine: Array<object> = []
  const inTest = await Effect.runPromise(pathsOf({ "array of the test": (value) => mine.push(value) }))
  const paths = await Effect.runPromise(
    Effect.all([pathsOf(leaks), pathsOf(details)], { concurrency: "unbounded" })
  )
  const held = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const resource = Effect.acquireRelease(Effect.sync(() => new Session()), () => Effect.void)
    return yield* Effect.match(LeakDetector.expectCollected(resource, { rounds: 1 }), {
      onFailure: ({ message }) => message,
      onSuccess: () => "collected"
    })
  })))
  // By now only the detector could hold the value.
  let probe: globalThis.WeakRef<object> | undefined
  await Effect.runPromise(pathOf((value) => {
    probe = new globalThis.WeakRef(value)
    global("released", value)
  }))
  global("released", undefined)
  await Effect.runPromise(LeakDetector.expectCollected(Effect.sync(() => probe!.deref() ?? {})))
  return {
    leaks: paths[0],
    details: { ...paths[1], ...inTest, "resource of an outer Scope": held, "released": "collected" }
  }
}

if (process.argv[1] === import.meta.filename) {
  console.log(JSON.stringify(await test()))
  process.exit()
}
