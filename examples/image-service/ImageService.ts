/**
 * Gives images by name: the one that is alive, or else one decoded anew.
 */
import { Context, Effect, Layer, Option, Path, Scope, Semaphore } from "effect"
import * as os from "node:os"
import { Finalizer, WeakValueMap } from "../../src/index.ts"
import { decode, type Image, type ImageError } from "./Image.ts"
import { ImageStore } from "./ImageStore.ts"

export interface Statistics {
  /** Images made: a name that is asked for again after its image was reclaimed counts again. */
  readonly decoded: number
  /** Requests answered with an image that was alive already. */
  readonly hits: number
  /** Names of files that no image can be made of. */
  readonly broken: number
  /** Images that the collector took while the service was open. */
  readonly reclaimed: number
  /** Images that were left when the service was closed. */
  readonly finalizedAtExit: number
}

export class ImageService extends Context.Service<ImageService, {
  /** Requests for one name at one time share one decoding, and get the same image. */
  readonly get: (name: string) => Effect.Effect<Image, ImageError>
  readonly statistics: () => Statistics
  /** From here on, an image that is finalized was not reclaimed by the collector. */
  readonly close: Effect.Effect<void>
}>()("image-service/ImageService") {
  static readonly layer = (directory: string) => Layer.effect(ImageService, make(directory))
}

const make = Effect.fnUntraced(function*(directory: string) {
  const path = yield* Path.Path
  const scope = yield* Effect.scope
  const store = yield* ImageStore
  const decoders = yield* Semaphore.make(Math.min(4, Math.max(2, os.availableParallelism())))
  const locks = yield* WeakValueMap.make<string, Semaphore.Semaphore>()
  const broken = new Map<string, ImageError>()
  const statistics = { decoded: 0, hits: 0, reclaimed: 0, finalizedAtExit: 0 }
  let closed = false

  // A Scope closes in reverse order: this runs after the finalizers of all images.
  yield* Effect.addFinalizer(() =>
    Effect.logInfo(`${statistics.reclaimed} images reclaimed, ${statistics.finalizedAtExit} finalized at exit`)
  )

  // A finalizer that refers to its image keeps the image alive for ever: this one refers to the statistics only.
  const onFinalize = Effect.sync(() => {
    if (closed) statistics.finalizedAtExit++
    else statistics.reclaimed++
  })

  const load = Effect.fnUntraced(
    function*(name: string) {
      const image = yield* decoders.withPermit(decode(name, path.join(directory, name)))
      statistics.decoded++
      yield* Finalizer.make(image, onFinalize).pipe(Effect.orDie, Scope.provide(scope))
      store.set(name, image)
      return image
    },
    (effect, name) =>
      effect.pipe(
        Effect.tapError((error) => {
          broken.set(name, error)
          return Effect.logWarning(error.message)
        }),
        // The decoder works in threads of its own that cannot be told to stop.
        Effect.uninterruptible
      )
  )

  const get = (name: string) =>
    // A lock lives as long as somebody holds it or waits for it.
    WeakValueMap.getOrSet(locks, name, () => Semaphore.makeUnsafe(1)).withPermit(Effect.suspend(() => {
      const error = broken.get(name)
      if (error !== undefined) return Effect.fail(error)
      const image = store.get(name)
      if (Option.isNone(image)) return load(name)
      statistics.hits++
      return Effect.succeed(image.value)
    }))

  return ImageService.of({
    get: (name) => Effect.suspend(() => get(name)),
    statistics: () => ({ ...statistics, broken: broken.size }),
    close: Effect.sync(() => {
      closed = true
    })
  })
})
