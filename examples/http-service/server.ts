/** The process of the service. The driver starts it, asks it for its counts, and tells it to end. */
import { Context, Effect, Exit, Fiber, Layer, Metric, Scope } from "effect"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { collectGarbage } from "../../src/Heap.ts"
import type { WeakCache } from "../../src/index.ts"
import { type Counts, Files, layer, type Settings } from "./Files.ts"

/** What the driver sends. */
export type Command = "counts" | "end"

/** What the driver receives. */
export interface State {
  readonly port: number
  readonly counts: Counts
  readonly stats: WeakCache.Stats
  /** The metrics of the cache in the registry. */
  readonly metrics: number
  /** Bytes on the heap after a collection. */
  readonly heap: number
}

// However this process was started, it does not outlive the driver by more than two minutes.
setTimeout(() => process.exit(1), 120_000).unref()

const scope = Scope.makeUnsafe()
const settings: Settings = JSON.parse(process.argv[2]!)
const context = await Effect.runPromise(Layer.buildWithScope(layer(settings), scope))
const files = Context.get(context, Files)

const requests = new Set<Fiber.Fiber<unknown>>()

const server = http.createServer((request, response) => {
  const [, id = "", version] = request.url!.split("/")
  const answer: Effect.Effect<unknown, unknown> = request.method === "PUT"
    ? files.write(id, Number(version))
    : files.read(id)
  const fiber = Effect.runFork(Effect.match(answer, {
    onSuccess: (answer) => void response.end(String(answer)),
    onFailure: (error) => {
      const isMissing = typeof error === "object" && error !== null && "_tag" in error && error._tag === "NoSuchFile"
      response.writeHead(isMissing ? 404 : 500).end(String(error))
    }
  }))
  requests.add(fiber)
  fiber.addObserver(() => requests.delete(fiber))
  // A client that gives up interrupts its request, and the lookup if nobody else waits for it.
  response.on("close", () => fiber.interruptUnsafe())
})

const stateOf = Effect.gen(function*() {
  for (let n = 0; n < 6; n++) yield* collectGarbage
  const { port } = (server.address() ?? { port: 0 }) as AddressInfo
  const metrics = (yield* Metric.snapshot).filter(({ id }) => id.startsWith("weak_cache_")).length
  const state: State = {
    port,
    counts: files.counts,
    stats: yield* files.stats,
    metrics,
    heap: process.memoryUsage().heapUsed
  }
  return state
})

const end = Effect.gen(function*() {
  yield* Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
  yield* Fiber.awaitAll(Array.from(requests))
  yield* Scope.close(scope, Exit.void)
})

const send = (state: State) => new Promise((resolve) => process.send!(state, resolve))

process.on("message", (command: Command) => {
  void Effect.runPromise(command === "end" ? Effect.andThen(end, stateOf) : stateOf).then(async (state) => {
    await send(state)
    // Nothing else keeps this process alive: it must end by itself now.
    if (command === "end") process.disconnect!()
  })
})
process.on("disconnect", () => server.listening && process.exit(1))

server.listen(0, "127.0.0.1", () => void Effect.runPromise(stateOf).then(send))
