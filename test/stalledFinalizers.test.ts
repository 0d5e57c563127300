/** Runs each program of `stalledFinalizers/scenarios.ts` in its own process. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { build } from "esbuild"
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { scenarios } from "./stalledFinalizers/scenarios.ts"

const run = promisify(execFile)

let folder: string
let program: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "effect-weakref-stalled-"))
  program = path.join(folder, "program.mjs")
  await build({
    entryPoints: [path.join(import.meta.dirname, "stalledFinalizers/main.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: program
  })
})

afterAll(() => rm(folder, { recursive: true }))

// Without the sentinel of `internal/registry.ts`, every scenario fails on Node 20, 22 and 24, and none fails on
// Node 26.
describe("finalizers of other registries still run", () => {
  for (const name of Object.keys(scenarios)) {
    it(`after the scenario: ${name}`, async () => {
      const { stdout } = await run(process.execPath, ["--expose-gc", program, name])
      assert.strictEqual(stdout.trim(), `100 of 100 finalizers ran after: ${name}`)
    })
  }
})
