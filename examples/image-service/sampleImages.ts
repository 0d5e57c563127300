/**
 * Renders sample images, for a demo without a directory of photographs.
 */
import { Data, Effect, Path } from "effect"
import { CliError } from "effect/cli"
import sharp, { type Sharp } from "sharp"
import * as StatusLine from "./StatusLine.ts"

export class RenderError extends Data.TaggedError("RenderError")<{
  readonly directory: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `No images could be rendered into ${this.directory}: ${
      this.cause instanceof Error ? this.cause.message : String(this.cause)
    }`
  }
  override get [CliError.userMessage](): string {
    return this.message
  }
}

/** Renders PNG files of Julia sets into a directory. */
export const render = Effect.fnUntraced(
  function*(directory: string, options: { readonly images: number; readonly megapixels: number }) {
    const path = yield* Path.Path
    const height = Math.ceil(Math.sqrt(options.megapixels * 1_000_000 * 3 / 4))
    const width = Math.ceil(height * 4 / 3)
    let rendered = 0
    yield* StatusLine.watch({
      of: options.images,
      done: () => rendered,
      status: () => `rendered ${rendered} of ${options.images} images of ${width} × ${height} pixels`
    })
    yield* Effect.forEach(
      Array.from({ length: options.images }, (_, i) => i),
      (i) =>
        Effect.tryPromise({
          try: () =>
            juliaSet(2 * Math.PI * i / options.images)
              .resize(width, height, { kernel: "cubic" })
              .png({ compressionLevel: 1 })
              .toFile(path.join(directory, `julia-${String(i + 1).padStart(2, "0")}.png`)),
          catch: (cause) => new RenderError({ directory, cause })
        }).pipe(
          Effect.andThen(Effect.sync(() => rendered++)),
          // The directory must not be removed while a thread writes into it.
          Effect.uninterruptible
        ),
      { concurrency: 2, discard: true }
    )
  },
  Effect.scoped
)

/** Renders the Julia set of 0.7885 exp(i angle) at a small size, which the caller enlarges. */
const juliaSet = (angle: number): Sharp => {
  const width = 1000
  const height = 750
  const limit = 96
  const re = 0.7885 * Math.cos(angle)
  const im = 0.7885 * Math.sin(angle)
  const pixels = new Uint8Array(width * height * 3)
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let x = (column / width - 0.5) * 3.2
      let y = (row / height - 0.5) * 2.4
      let n = 0
      while (n < limit && x * x + y * y < 16) {
        const next = x * x - y * y + re
        y = 2 * x * y + im
        x = next
        n++
      }
      const hue = n === limit ? undefined : 0.12 * (n + 1 - Math.log2(Math.log2(x * x + y * y) / 2)) + 2 * angle
      for (let channel = 0; channel < 3; channel++) {
        pixels[i++] = hue === undefined ? 12 : 127 + 127 * Math.sin(hue + 2.1 * channel)
      }
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}
