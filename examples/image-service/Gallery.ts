/**
 * A gallery of an application. It shows a few images at a time, and pages forth and back
 * through all images. It holds only the images that it shows.
 */
import { Array, Context, Effect, Layer, Ref } from "effect"
import type { Image } from "./Image.ts"
import { ImageService } from "./ImageService.ts"

export class Gallery extends Context.Service<Gallery, {
  /** The number of pages. */
  readonly pages: number
  /** Returns how many pages have been shown. */
  readonly seen: () => number
  /** Shows all pages. The images of the last page stay on the screen until the gallery is closed. */
  readonly browse: Effect.Effect<void>
}>()("image-service/Gallery") {
  static readonly layer = (names: ReadonlyArray<string>) => Layer.effect(Gallery, make(names))
}

const make = Effect.fnUntraced(function*(names: ReadonlyArray<string>) {
  const images = yield* ImageService
  // The only strong references to images.
  const screen = yield* Effect.acquireRelease(
    Ref.make<ReadonlyArray<Image>>([]),
    (screen) => Ref.set(screen, [])
  )
  const size = Math.max(1, Math.min(4, Math.floor(names.length / 4)))
  const pages = route(names.length, size).map((start) => names.slice(start, start + size))
  let seen = 0

  const open = (page: ReadonlyArray<string>) =>
    Effect.forEach(page, (name) => Effect.option(images.get(name)), { concurrency: "unbounded" }).pipe(
      Effect.map(Array.getSomes)
    )

  const show = (page: ReadonlyArray<string>) =>
    // A film strip requests the same images at the same time, in reverse order.
    Effect.all([open(page), open(Array.reverse(page))], { concurrency: 2 }).pipe(
      Effect.flatMap(([picture]) => Ref.set(screen, picture)),
      Effect.andThen(Effect.sleep("40 millis")),
      Effect.andThen(Effect.sync(() => seen++))
    )

  return Gallery.of({
    pages: pages.length,
    seen: () => seen,
    browse: Effect.forEach(pages, show, { discard: true })
  })
})

/** Returns the index of each page's first image: two half pages forth, one back, to the last image and back to the first. */
const route = (length: number, size: number): ReadonlyArray<number> => {
  const step = Math.ceil(size / 2)
  const stops = Array.makeBy(1 + Math.ceil((length - size) / step), (i) => Math.min(i * step, length - size))
  const forth = stops.flatMap((stop, i) => i === 0 ? [stop] : [stop, stops[i - 1]!, stop])
  return [...forth, ...Array.reverse(forth)]
}
