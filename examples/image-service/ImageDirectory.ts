/**
 * The directory whose images the service serves.
 */
import { Data, Effect, FileSystem, Path } from "effect"
import { CliError } from "effect/cli"

export class DirectoryError extends Data.TaggedError("DirectoryError")<{
  readonly directory: string
  readonly problem: string
}> {
  override get message(): string {
    return `${this.directory} ${this.problem}`
  }
  override get [CliError.userMessage](): string {
    return this.message
  }
}

/** Returns the names of all PNG and JPEG files in a directory, sorted. Fails if there are none. */
export const imageNames = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fs.readDirectory(directory).pipe(
    Effect.mapError(({ reason }) =>
      new DirectoryError({
        directory,
        problem: reason._tag === "NotFound"
          ? "does not exist"
          : `is not a directory that can be read (${reason.message})`
      })
    )
  )
  const images = yield* Effect.filter(
    names.filter((name) => /\.(?:png|jpe?g)$/i.test(name)).sort(),
    (name) =>
      fs.stat(path.join(directory, name)).pipe(
        Effect.map((info) => info.type !== "Directory"),
        Effect.orElseSucceed(() => true)
      )
  )
  if (images.length === 0) {
    return yield* new DirectoryError({ directory, problem: "holds no PNG or JPEG file" })
  }
  return images
})
