/**
 * Returns images by name. Decodes an image only if the store does not have it.
 */
import { Context, Effect, Layer, Option, Path, Scope, Semaphore } from "effect"
import * as os from "node:os"
import { Finalizer, WeakValueMap } from "../../src/index.ts"
import { decode, type Image, type ImageError } from "./Image.ts"
import { ImageStore } from "./ImageStore.ts"

export interface Statistics {
  /** The number of images decoded. An image that is decoded again counts again. */
  readonly decoded: number
  /** The number of requests that returned an image from the store. */
  readonly hits: number
  /** The number of files that cannot be decoded. */
  readonly broken: number
  /** The number of images that were collected while the service was open. */
  readonly reclaimed: number
  /** The number of images that were finalized after the service was closed. */
  readonly finalizedAtExit: number
}

export class ImageService extends Context.Service<ImageService, {
  /** Returns an image. Simultaneous requests for one name decode it once and receive the same image. */
  readonly get: (name: string) => Effect.Effect<Image, ImageError>
  readonly statistics: () => Statistics
  /** Counts later finalizations as `finalizedAtExit`. */
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

  // Runs after the finalizers of all images, because a Scope closes in reverse order.
  yield* Effect.addFinalizer(() =>
    Effect.logInfo(`${statistics.reclaimed} images reclaimed, ${statistics.finalizedAtExit} finalized at exit`)
  )

  // Refers only to the statistics. A finalizer that refers to its image keeps the image alive.
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
        // The decoder runs in separate threads that cannot be interrupted.
        Effect.uninterruptible
      )
  )

  const get = (name: string) =>
    // A lock stays alive as long as a request holds it or waits for it.
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
