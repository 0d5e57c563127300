/**
 * Stores the decoded images by name. The weak variant does not keep the images alive. The
 * strong variant is a plain `Map`.
 */
import { Context, Effect, Layer, Option } from "effect"
import { WeakValueMap } from "../../src/index.ts"
import type { Image } from "./Image.ts"

export class ImageStore extends Context.Service<ImageStore, {
  readonly get: (name: string) => Option.Option<Image>
  readonly set: (name: string, image: Image) => void
  readonly count: () => number
}>()("image-service/ImageStore") {
  static readonly weak = Layer.effect(
    ImageStore,
    Effect.gen(function*() {
      const images = yield* WeakValueMap.make<string, Image>()
      return {
        get: (name) => WeakValueMap.get(images, name),
        set: (name, image) => WeakValueMap.set(images, name, image),
        count: () => WeakValueMap.count(images)
      }
    })
  )

  static readonly strong = Layer.sync(ImageStore, () => {
    const images = new Map<string, Image>()
    return {
      get: (name) => Option.fromUndefinedOr(images.get(name)),
      set: (name, image) => images.set(name, image),
      count: () => images.size
    }
  })
}
