/**
 * Runs an image service that names large images without keeping them alive. Then runs
 * the same service on a plain `Map`, and compares the memory of both.
 *
 *     npm run demo [directory]
 *
 * This program imports the library from its sources. Import it from "effect-weakref"
 * in your own program.
 */
import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import * as NodeStdio from "@effect/platform-node-shared/NodeStdio"
import * as NodeTerminal from "@effect/platform-node-shared/NodeTerminal"
import { Console, Data, Effect, FileSystem, Layer, Option, Schema, Stream } from "effect"
import { Argument, CliConfig, CliError, Command, Flag, GlobalFlag } from "effect/cli"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import { DirectoryError, imageNames } from "./image-service/ImageDirectory.ts"
import { picture } from "./image-service/picture.ts"
import { Report, summary, table } from "./image-service/Report.ts"
import * as SampleImages from "./image-service/sampleImages.ts"
import * as StatusLine from "./image-service/StatusLine.ts"

const introduction = `
An image service returns images by name. Two callers with the same name receive the same image.
A gallery shows a few large images at a time. It shows all images, from the first to the last and back.

The variant "weak" stores the images in a WeakValueMap. An image that nobody shows can be collected,
and a Finalizer counts it. The variant "strong" uses a plain Map, so every image stays in memory.
`

class VariantError extends Data.TaggedError("VariantError")<{
  readonly kind: "weak" | "strong"
  readonly problem: string
}> {
  override get message(): string {
    return `The ${this.kind} variant ${this.problem}`
  }
  override get [CliError.userMessage](): string {
    return this.message
  }
}

/** Runs one variant in a separate process, so that the memory of one variant is not counted for the other. */
const runVariant = Effect.fnUntraced(
  function*(kind: "weak" | "strong", directory: string) {
    const variant = fileURLToPath(new URL("image-service/variant.ts", import.meta.url))
    const handle = yield* ChildProcess.make(process.execPath, [...process.execArgv, variant, kind, directory], {
      stdin: "ignore",
      stderr: "inherit",
      // The child belongs to this process's group, so that Ctrl-C in a terminal stops both.
      detached: false
    })
    const output = yield* Stream.mkString(Stream.decodeText(handle.stdout))
    const code = yield* handle.exitCode
    if (code !== 0) {
      return yield* new VariantError({ kind, problem: `ended with exit code ${code}` })
    }
    return yield* Schema.decodeEffect(Schema.fromJsonString(Report))(output)
  },
  Effect.scoped,
  (effect, kind) =>
    Effect.catchTags(effect, {
      PlatformError: (error) => new VariantError({ kind, problem: `failed: ${error.message}` }),
      SchemaError: (error) => new VariantError({ kind, problem: `returned no valid report: ${error.message}` })
    })
)

const renderSamples = Effect.fnUntraced(function*(options: { readonly images: number; readonly megapixels: number }) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "effect-weakref-demo-" })
  yield* SampleImages.render(directory, options)
  return directory
})

const demo = Effect.fnUntraced(
  function*(options: {
    readonly directory: Option.Option<string>
    readonly images: number
    readonly megapixels: number
    readonly picture: Option.Option<string>
  }) {
    yield* Effect.logInfo(introduction)
    const directory = Option.isSome(options.directory) ? options.directory.value : yield* renderSamples(options)
    yield* imageNames(directory)
    const weak = yield* runVariant("weak", directory)
    if (weak.decoded === 0) {
      return yield* new DirectoryError({ directory, problem: "holds no image that can be decoded" })
    }
    const strong = yield* runVariant("strong", directory)
    yield* Console.log(`\n${table({ weak, strong })}\n`)
    yield* Console.log(summary({ weak, strong }))
    if (Option.isSome(options.picture)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(options.picture.value, picture({ weak, strong }))
    }
  },
  Effect.scoped
)

const directory = Argument.String("directory").pipe(
  Argument.withDescription(
    "A directory of large PNG and JPEG files. The default is a directory of rendered sample images"
  ),
  Argument.optional
)
const images = Flag.Int("images").pipe(
  Flag.withDescription("The number of images to render (24)"),
  Flag.withSchema(Schema.Int.check(Schema.isGreaterThan(0))),
  Flag.withDefault(24)
)
const megapixels = Flag.Finite("megapixels").pipe(
  Flag.withDescription("The size of a rendered image in megapixels (12)"),
  Flag.withSchema(Schema.Finite.check(Schema.isGreaterThan(0))),
  Flag.withDefault(12)
)

const picturePath = Flag.String("picture").pipe(
  Flag.withDescription("A file for a picture of the memory over time"),
  Flag.optional
)

Command.make("demo", { directory, images, megapixels, picture: picturePath }, demo).pipe(
  Command.withDescription("An image service that finds large images by name without keeping them alive."),
  Command.run({ version: "0.1.0" }),
  Effect.onInterrupt(() =>
    Effect.logInfo("Interrupted. The finalizers have run, and the temporary files have been removed")
  ),
  Effect.provide(CliConfig.layer({ builtIns: [GlobalFlag.Help] })),
  Effect.provide(Layer.provideMerge(
    NodeChildProcessSpawner.layer,
    Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeStdio.layer, NodeTerminal.layer, StatusLine.logger)
  )),
  NodeRuntime.runMain
)
