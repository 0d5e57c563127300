/**
 * Runs one variant of the image service in a separate process, so that its memory can
 * be measured: `node variant.ts weak|strong directory`. Shows its progress on standard
 * error, and prints a report in JSON on standard output.
 */
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import { Clock, Console, Effect, Layer, Schedule, Schema } from "effect"
import { Heap } from "../../src/index.ts"
import { Gallery } from "./Gallery.ts"
import { imageNames } from "./ImageDirectory.ts"
import { ImageService } from "./ImageService.ts"
import { ImageStore } from "./ImageStore.ts"
import { Report } from "./Report.ts"
import * as StatusLine from "./StatusLine.ts"

// The cast is safe, because only demo.ts starts this program.
const [kind, directory] = process.argv.slice(2) as ["weak" | "strong", string]

/** Measures the resident memory of this process, and samples it. */
const memory = Effect.gen(function*() {
  const start = yield* Clock.currentTimeMillis
  const samples: Array<{ readonly millis: number; readonly bytes: number }> = []
  let peak = 0
  const now = () => {
    const rss = process.memoryUsage.rss()
    peak = Math.max(peak, rss)
    return rss
  }
  yield* Effect.sync(now).pipe(Effect.schedule(Schedule.spaced("10 millis")), Effect.forkScoped)
  yield* Clock.currentTimeMillis.pipe(
    Effect.map((time) => samples.push({ millis: time - start, bytes: now() })),
    Effect.schedule(Schedule.spaced("100 millis")),
    Effect.forkScoped
  )
  return { now, peak: () => peak, samples }
})

const program = Effect.gen(function*() {
  const start = yield* Clock.currentTimeMillis
  const { now, peak, samples } = yield* memory
  const gallery = yield* Gallery
  const images = yield* ImageService
  const store = yield* ImageStore

  yield* StatusLine.watch({
    of: gallery.pages,
    done: gallery.seen,
    status: () => {
      const { decoded, hits, reclaimed } = images.statistics()
      return `${kind}: ${gallery.seen()} of ${gallery.pages} pages · ${decoded} decoded · ${hits} cache hits · ` +
        `${reclaimed} reclaimed · ${Math.round(now() / 1_000_000)} MB`
    }
  }).pipe(Effect.andThen(gallery.browse), Effect.scoped)
  const millis = (yield* Clock.currentTimeMillis) - start
  const reclaimedUnasked = images.statistics().reclaimed
  const measured = samples.slice()

  // Until here the engine decided when to collect. Now force collections in both variants, for the final numbers.
  yield* Heap.collectGarbage.pipe(
    Effect.andThen(Effect.sleep("50 millis")),
    Effect.repeat({
      until: () => images.statistics().decoded - images.statistics().reclaimed === store.count(),
      times: 20
    })
  )
  const finalMemory = now()
  const live = store.count()
  // Called after the services have been closed, because the remaining finalizers run then.
  return () =>
    Report.make({
      ...images.statistics(),
      live,
      reclaimedUnasked,
      peakMemory: peak(),
      finalMemory,
      memory: measured,
      millis
    })
}).pipe(
  Effect.ensuring(ImageService.use((images) => images.close)),
  Effect.scoped
)

const services = Effect.gen(function*() {
  const names = yield* imageNames(directory)
  return Gallery.layer(names).pipe(
    Layer.provideMerge(ImageService.layer(directory)),
    Layer.provideMerge(ImageStore[kind])
  )
})

program.pipe(
  Effect.provide(Layer.unwrap(services)),
  Effect.flatMap((report) => Schema.encodeEffect(Schema.fromJsonString(Report))(report())),
  Effect.flatMap((json) => Console.log(json)),
  Effect.provide([NodeFileSystem.layer, NodePath.layer, StatusLine.logger]),
  NodeRuntime.runMain
)
