/** Open files in a `WeakCache`: several requests share a handle, and it is closed when nothing needs it any more. */
import { Context, Data, Effect, Layer, PubSub, Stream } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { WeakCache } from "../../src/index.ts"

export class NoSuchFile extends Data.TaggedError("NoSuchFile")<{ readonly id: string }> {}

/** What requests use. It refers to the file; the file does not refer to it, so it can be collected. */
class OpenFile {
  readonly isClosed: () => boolean
  private readonly file: fs.FileHandle

  constructor({ file, state }: { readonly file: fs.FileHandle; readonly state: { isClosed: boolean } }) {
    this.file = file
    this.isClosed = () => state.isClosed
  }

  readonly version: Effect.Effect<number, unknown> = Effect.tryPromise(async () => {
    const { buffer, bytesRead } = await this.file.read(Buffer.alloc(16), 0, 16, 0)
    return Number(buffer.toString("utf8", 0, bytesRead).trim())
  })
}

/** What this module counts by itself, to be compared with the statistics of the cache. */
export interface Counts {
  gets: number
  succeeded: number
  failed: number
  interrupted: number
  opened: number
  closed: number
}

export class Files extends Context.Service<Files, {
  /** Reads the version of a file. */
  readonly read: (id: string) => Effect.Effect<number, unknown>
  /** Writes a new version of a file, so that the next read finds it. */
  readonly write: (id: string, version: number) => Effect.Effect<void, unknown>
  readonly counts: Counts
  readonly stats: Effect.Effect<WeakCache.Stats>
}>()("Files") {}

export interface Settings {
  readonly directory: string
  readonly capacity: number
  /** In milliseconds. */
  readonly timeToLive: number
}

const make = Effect.fnUntraced(function*({ capacity, directory, timeToLive }: Settings) {
  const counts: Counts = { gets: 0, succeeded: 0, failed: 0, interrupted: 0, opened: 0, closed: 0 }
  const changes = yield* PubSub.unbounded<string>()

  const open = (id: string) =>
    Effect.acquireRelease(
      Effect.tryPromise({
        try: async () => {
          const file = await fs.open(path.join(directory, id))
          counts.opened++
          return { file, state: { isClosed: false } }
        },
        catch: () => new NoSuchFile({ id })
      }),
      ({ file, state }) =>
        Effect.promise(async () => {
          state.isClosed = true
          // Waits for the reads that have begun.
          await file.close()
          counts.closed++
        })
    )

  const cache = yield* WeakCache.makeScoped({
    lookup: (id: string) =>
      // A slow file system gives requests the time to share a lookup, and to give up.
      Effect.andThen(Effect.sleep("3 millis"), open(id)).pipe(
        Effect.onInterrupt(() => Effect.sync(() => void counts.interrupted++)),
        Effect.tapErrorTag("NoSuchFile", () => Effect.sync(() => void counts.failed++)),
        Effect.tap(() => Effect.sync(() => void counts.succeeded++))
      ),
    handle: (resource) => new OpenFile(resource),
    capacity,
    timeToLive,
    idleTimeToLive: timeToLive / 2,
    invalidations: Effect.map(PubSub.subscribe(changes), Stream.fromSubscription),
    name: "files"
  })

  const readOnce = (id: string): Effect.Effect<number, unknown> =>
    Effect.suspend(() => {
      counts.gets++
      return WeakCache.use(cache, id, (file) =>
        // The file can expire between the lookup and the read. Then the next lookup opens it again.
        Effect.catch(file.version, (error) => file.isClosed() ? readOnce(id) : Effect.fail(error)))
    })

  return Files.of({
    read: readOnce,
    write: (id, version) =>
      Effect.tryPromise(async () => {
        const temporary = path.join(directory, `.${id}.${version}`)
        await fs.writeFile(temporary, String(version).padEnd(16))
        await fs.rename(temporary, path.join(directory, id))
      }).pipe(Effect.andThen(PubSub.publish(changes, id))),
    counts,
    stats: WeakCache.stats(cache)
  })
})

export const layer = (settings: Settings): Layer.Layer<Files> => Layer.effect(Files, make(settings))
