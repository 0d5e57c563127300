import { Effect } from "effect"
import { WeakCache } from "effect-weakref"
import type { Painter } from "./Painter.ts"

/** An object URL. The URL is revoked after its thumbnail has been collected. */
export class Thumbnail {
  readonly url: string
  /** Keeps the worker alive for as long as any of its pictures is in use. */
  readonly painter: Painter

  constructor({ painter, url }: { readonly url: string; readonly painter: Painter }) {
    this.url = url
    this.painter = painter
  }
}

export const open = { urls: 0 }

const create = (blob: Blob): string => {
  open.urls++
  return URL.createObjectURL(blob)
}

const revoke = (url: string): void => {
  URL.revokeObjectURL(url)
  open.urls--
}

/** Shares the object URLs of the pictures that are on the page. */
export const thumbnails = (painters: WeakCache.WeakCache<"svg", Painter>) =>
  WeakCache.makeScoped({
    lookup: (id: number) =>
      Effect.gen(function*() {
        const painter = yield* WeakCache.get(painters, "svg")
        const blob = yield* Effect.promise(() => painter.paint(id))
        const url = yield* Effect.acquireRelease(
          Effect.sync(() => create(blob)),
          (url) => Effect.sync(() => revoke(url))
        )
        return { url, painter }
      }),
    handle: (resource) => new Thumbnail(resource)
  })
