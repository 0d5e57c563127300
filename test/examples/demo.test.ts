import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Stream } from "effect"
import { ChildProcess } from "effect/process"
import * as path from "node:path"
import sharp from "sharp"

const services = Layer.provideMerge(
  NodeChildProcessSpawner.layer,
  Layer.merge(NodeFileSystem.layer, NodePath.layer)
)

/** Runs the demo; with `interruptAt`, sends it a SIGINT as soon as it has said that on standard error. */
const demo = Effect.fnUntraced(
  function*(args: ReadonlyArray<string>, options?: { readonly interruptAt?: RegExp; readonly temp?: string }) {
    const handle = yield* ChildProcess.make(
      process.execPath,
      [path.join(import.meta.dirname, "../../examples/demo.ts"), ...args],
      { stdin: "ignore", extendEnv: true, env: options?.temp === undefined ? {} : { TMPDIR: options.temp } }
    )
    let stderr = ""
    let interrupted = false
    const [stdout] = yield* Effect.all([
      Stream.mkString(Stream.decodeText(handle.stdout)),
      Stream.runForEach(Stream.decodeText(handle.stderr), (text) =>
        Effect.sync(() => {
          stderr += text
          if (!interrupted && options?.interruptAt?.test(stderr) === true) {
            interrupted = true
            process.kill(handle.pid, "SIGINT")
          }
        }))
    ], { concurrency: "unbounded" })
    return { code: yield* handle.exitCode, stdout, stderr }
  },
  Effect.scoped
)

const tempDirectory = FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped())

const gradient = (side: number) =>
  sharp(Uint8Array.from({ length: side * side * 3 }, (_, i) => i / side), {
    raw: { width: side, height: side, channels: 3 }
  })

const addImages = (directory: string) =>
  Effect.promise(() =>
    Promise.all([
      ...["a.png", "b.png"].map((name) => gradient(200).png().toFile(path.join(directory, name))),
      ...["c.jpg", "d.jpeg", "E.JPG"].map((name) => gradient(200).jpeg().toFile(path.join(directory, name)))
    ])
  )

/** An empty file, one that is no image, and one that ends in the middle. */
const addBrokenImages = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const png = yield* Effect.promise(() => gradient(200).png().toBuffer())
  yield* fs.writeFile(path.join(directory, "empty.jpg"), new Uint8Array())
  yield* fs.writeFileString(path.join(directory, "text.jpeg"), "I am not an image")
  yield* fs.writeFile(path.join(directory, "cut.png"), png.subarray(0, png.length / 2))
})

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1)!

/** How many images each variant reclaimed, and how many it finalized at exit. */
const finalized = (stderr: string): ReadonlyArray<readonly [reclaimed: number, atExit: number]> =>
  [...stderr.matchAll(/^(\d+) images reclaimed, (\d+) finalized at exit$/gm)]
    .map(([, reclaimed, atExit]) => [Number(reclaimed), Number(atExit)])

describe("demo", () => {
  it.live("serves PNG and JPEG files, and ends with the summary", () =>
    Effect.gen(function*() {
      const directory = yield* tempDirectory
      yield* addImages(directory)
      const { code, stderr, stdout } = yield* demo([directory])
      const summary = /^reclaimed (\d+) of (\d+) images; peak memory \d+ MB weak, \d+ MB strong$/.exec(lastLine(stdout))
      assert.isNotNull(summary, stdout)
      const [reclaimed, decoded] = summary.slice(1).map(Number) as [number, number]
      assert.isAbove(reclaimed, decoded / 2)
      // What the collector left of the weak variant, and all five images of the strong one.
      assert.deepStrictEqual(finalized(stderr), [[reclaimed, decoded - reclaimed], [0, 5]])
      // Two requests at a time for one name, one decoding.
      assert.match(stdout, /images decoded\D+\d+\D+5\D/)
      assert.match(stdout, /cache hits.*\n.*broken files\D+0\D+0\D/)
      assert.strictEqual(code, 0)
    }).pipe(Effect.scoped, Effect.provide(services)))

  it.live("serves the other images if some images are broken", () =>
    Effect.gen(function*() {
      const directory = yield* tempDirectory
      yield* addImages(directory)
      yield* addBrokenImages(directory)
      const { code, stderr, stdout } = yield* demo([directory])
      for (const name of ["cut.png", "empty.jpg", "text.jpeg"]) {
        assert.include(stderr, `${name} cannot be decoded: `)
      }
      assert.match(stdout, /broken files\D+3\D+3\D/)
      assert.match(lastLine(stdout), /^reclaimed \d+ of \d+ images;/)
      assert.strictEqual(code, 0)
    }).pipe(Effect.scoped, Effect.provide(services)))

  it.live("fails if no image can be decoded", () =>
    Effect.gen(function*() {
      const directory = yield* tempDirectory
      yield* addBrokenImages(directory)
      const { code, stderr, stdout } = yield* demo([directory])
      assert.include(stderr, `${directory} holds no image that can be decoded`)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    }).pipe(Effect.scoped, Effect.provide(services)))

  it.live("fails if there is no image", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* tempDirectory
      yield* fs.makeDirectory(path.join(directory, "directory.png"))
      yield* fs.writeFileString(path.join(directory, "notes.txt"), "")
      const { code, stderr } = yield* demo([directory])
      assert.include(stderr, `${directory} holds no PNG or JPEG file`)
      assert.strictEqual(code, 1)
    }).pipe(Effect.scoped, Effect.provide(services)))

  it.live("fails if the directory does not exist", () =>
    Effect.gen(function*() {
      const directory = path.join(yield* tempDirectory, "none")
      const { code, stderr } = yield* demo([directory])
      assert.include(stderr, `${directory} does not exist`)
      assert.strictEqual(code, 1)
    }).pipe(Effect.scoped, Effect.provide(services)))

  it.live("leaves no temporary file when it is interrupted while it renders", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const temp = yield* tempDirectory
      const { code, stderr } = yield* demo([], { temp, interruptAt: /rendered [1-9]/ })
      assert.notMatch(stderr, /rendered 24/)
      assert.deepStrictEqual(yield* fs.readDirectory(temp), [])
      assert.strictEqual(code, 130)
    }).pipe(Effect.scoped, Effect.provide(services)))

  it.live("runs the remaining finalizers when it is interrupted while it serves", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const temp = yield* tempDirectory
      const { code, stderr } = yield* demo(["--images", "8", "--megapixels", "1"], { temp, interruptAt: /^weak: /m })
      const decoded = Number([...stderr.matchAll(/(\d+) decoded/g)].at(-1)![1])
      assert.isAbove(decoded, 0)
      assert.deepStrictEqual(finalized(stderr).map(([reclaimed, atExit]) => reclaimed + atExit), [decoded])
      assert.notMatch(stderr, /^strong: /m)
      assert.deepStrictEqual(yield* fs.readDirectory(temp), [])
      assert.strictEqual(code, 130)
    }).pipe(Effect.scoped, Effect.provide(services)))
})
