/**
 * Leaks one value in each of many ways, and prints the retaining path of each as JSON. Runs in a process of its own, because
 * the heap of a test runner is large and a snapshot of it slow.
 */
import { Cache, Context, Deferred, Effect, Layer, ManagedRuntime, PubSub, Queue, Ref, Scope } from "effect"
import { EventEmitter } from "node:events"
import { createRequire } from "node:module"
import { LeakDetector } from "../../../src/testing/index.ts"
import * as cache from "./cache.ts"

interface Legacy {
  remember(value: object): void
  readonly config: { value?: object }
}
const require = createRequire(import.meta.url)
const legacy = (): Legacy => require("./legacy.cjs")

class Session {
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
const leaks: Record<string, (value: object) => unknown> = {
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
    port1.onmessage = () => value
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

const pathOf = (keep: (value: object) => unknown) =>
  LeakDetector.expectCollected(
    Effect.sync(() => {
      const value = new Session()
      keep(value)
      return value
    }),
    { rounds: 1 }
  ).pipe(Effect.match({
    onFailure: ({ message, retainers }) => ({ path: message.split("\n")[1]?.trim() ?? message, retainers }),
    onSuccess: () => ({ path: "collected", retainers: [] })
  }))

// The searches run at once, so they share one snapshot.
const found = await Effect.runPromise(Effect.all(
  Object.entries(leaks).map(([name, keep]) => Effect.map(pathOf(keep), (found) => [name, found] as const)),
  { concurrency: "unbounded" }
))
console.log(JSON.stringify(Object.fromEntries(found)))
process.exit()
