/**
 * A decoded image at full size, with every pixel in memory.
 */
import { Data, Effect } from "effect"
import sharp from "sharp"

export interface Image {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

export class ImageError extends Data.TaggedError("ImageError")<{
  readonly name: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `${this.name} cannot be decoded: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
}

// Only the program may hold an image, not a cache of the decoder.
sharp.cache(false)

/** Decodes a PNG or JPEG file. A photograph of 12 megapixels takes 36 MB. */
export const decode = (name: string, path: string): Effect.Effect<Image, ImageError> =>
  Effect.tryPromise({
    try: () =>
      sharp(path, { failOn: "error" }).toColourspace("srgb").raw({ depth: "uchar" }).toBuffer({
        resolveWithObject: true
      }),
    catch: (cause) => new ImageError({ name, cause })
  }).pipe(
    Effect.map(({ data, info }) => ({ name, width: info.width, height: info.height, pixels: data }))
  )
