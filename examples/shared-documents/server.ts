/** One process of the service. The driver starts it, and it ends with the driver. */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { Effect, Layer, Logger } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Persistence, type Redis } from "effect/persistence"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { Changes } from "./Changes.ts"
import { Documents } from "./Documents.ts"
import { DocumentSource } from "./DocumentSource.ts"
import * as Sqlite from "./Sqlite.ts"

export interface Settings {
  readonly port: number
  readonly directory: string
  /** The port of Redis on this machine; without Redis, everything stays in this process. */
  readonly redis: number | undefined
  /** Without Redis: keep the renderings in this file, which other processes may share, and not in memory. */
  readonly sqlite?: string | undefined
  readonly capacity: number
  readonly timeToLive: number
}

const settings: Settings = JSON.parse(process.argv[2]!)

// However this process was started, it does not outlive the driver, nor two minutes.
process.on("disconnect", () => process.exit())
setTimeout(() => process.exit(1), 120_000).unref()

const routes: Layer.Layer<never, never, HttpRouter.HttpRouter | Documents | Changes> = HttpRouter.use((router) =>
  Effect.gen(function*() {
    const documents = yield* Documents
    const changes = yield* Changes
    const idOf = Effect.map(HttpRouter.params, ({ id }) => id ?? "")

    yield* router.add(
      "GET",
      "/documents/:id",
      Effect.gen(function*() {
        const { url } = yield* HttpServerRequest.HttpServerRequest
        const { id, sections, version } = yield* documents.get(yield* idOf)
        const n = Number(new URLSearchParams(url.split("?")[1]).get("section") ?? 0)
        return HttpServerResponse.jsonUnsafe({ id, version, section: sections[n % sections.length] })
      })
    )
    yield* router.add(
      "PUT",
      "/documents/:id",
      Effect.gen(function*() {
        return HttpServerResponse.jsonUnsafe({ version: yield* documents.change(yield* idOf) })
      })
    )
    // A page that draws the counts.
    yield* router.add(
      "GET",
      "/live",
      HttpServerResponse.html(readFileSync(new URL("live.html", import.meta.url), "utf8"))
    )
    yield* router.add(
      "GET",
      "/counts",
      Effect.map(
        Effect.all([documents.counts, documents.staleness]),
        ([counts, staleness]) =>
          HttpServerResponse.jsonUnsafe({
            ...counts,
            staleness,
            memory: process.memoryUsage().rss,
            isListening: changes.isListening()
          })
      )
    )
  })
)

const redis = NodeRedis.layer({
  socket: { host: "127.0.0.1", port: settings.redis ?? 0 },
  // A request must not wait until Redis is back.
  disableOfflineQueue: true
})

const shared: Layer.Layer<Changes | Persistence.Persistence, Redis.RedisError> = settings.redis === undefined
  ? Layer.mergeAll(
    Changes.layerEmbedded,
    settings.sqlite === undefined
      ? Persistence.layerMemory
      : Layer.provide(Persistence.layerSql, Sqlite.layer(settings.sqlite))
  )
  : Layer.provide(Layer.mergeAll(Changes.layerRedis, Persistence.layerRedis), redis)

const service = routes.pipe(
  Layer.provide(Documents.layer(settings)),
  Layer.provide(Layer.mergeAll(shared, DocumentSource.layer(settings.directory))),
  // Redis is stopped on purpose: its errors are no news.
  Layer.provide(Logger.layer([]))
)

const { handler } = HttpRouter.toWebHandler(service, { disableLogger: true })

const server = createServer(async (request, response) => {
  const answer = await handler(new Request(`http://127.0.0.1${request.url}`, { method: request.method ?? "GET" }))
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  response.end(Buffer.from(await answer.arrayBuffer()))
})

// The first request builds the service, and with it the connection to Redis. A process that does not listen
// to the others' changes yet must not answer.
for (;;) {
  const answer = await handler(new Request("http://127.0.0.1/counts"))
  const { isListening } = await answer.json() as { readonly isListening: boolean }
  if (isListening || settings.redis === undefined) break
  await new Promise((resolve) => setTimeout(resolve, 10))
}
server.listen(settings.port, "127.0.0.1", () => process.send?.("ready"))
