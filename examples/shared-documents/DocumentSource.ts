/** Where the documents come from: a directory that all processes share. */
import { Context, Effect, Layer } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { sourceOf } from "./Document.ts"

export class DocumentSource extends Context.Service<DocumentSource, {
  readonly version: (id: string) => Effect.Effect<number>
  /** When the document got its version, in milliseconds since the epoch. */
  readonly changedAt: (id: string) => Effect.Effect<number>
  readonly read: (id: string, version: number) => Effect.Effect<string>
  /** Writes the next version, and returns its number. */
  readonly write: (id: string) => Effect.Effect<number>
}>()("shared-documents/DocumentSource") {
  static readonly layer = (directory: string) => Layer.succeed(DocumentSource, make(directory))
}

const make = (directory: string): DocumentSource["Service"] => {
  const versionFile = (id: string) => path.join(directory, `${id}.version`)
  const textFile = (id: string, version: number) => path.join(directory, `${id}@${version}.txt`)
  const version = (id: string) => Effect.promise(() => fs.readFile(versionFile(id), "utf8").then(Number, () => 0))
  return {
    version,
    changedAt: (id) => Effect.promise(() => fs.stat(versionFile(id)).then(({ mtimeMs }) => mtimeMs, () => Date.now())),
    read: (id, version) => Effect.promise(() => fs.readFile(textFile(id, version), "utf8")),
    write: (id) =>
      Effect.flatMap(version(id), (last) =>
        Effect.promise(async () => {
          const next = last + 1
          await fs.writeFile(textFile(id, next), sourceOf(id, next))
          // Renaming is atomic: a reader sees the old number or the new one.
          await fs.writeFile(`${versionFile(id)}.new`, String(next))
          await fs.rename(`${versionFile(id)}.new`, versionFile(id))
          return next
        }))
  }
}
