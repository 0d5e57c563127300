/** Runs a minified program, in which Effect's functions have other names, in its own process. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as path from "node:path"

let folder: string
let program: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "effect-weakref-minified-"))
  program = path.join(folder, "program.mjs")
  await build({
    entryPoints: [path.join(import.meta.dirname, "minified/program.ts")],
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    outfile: program
  })
})

afterAll(() => rm(folder, { recursive: true }))

it("prints dead proxies in a minified program", () => {
  const results: unknown = JSON.parse(execFileSync(process.execPath, [program], { encoding: "utf8" }))
  const expected = [
    "Error: [WeakProxy: collected]",
    "Error: [WeakProxy: collected]",
    "Error: outer",
    "Error: [WeakProxy: collected]",
    true
  ]
  assert.deepStrictEqual(results, {
    object: expected,
    array: expected,
    error: expected,
    function: [
      "Error: \"[WeakProxy: collected]\"",
      "Error: \"[WeakProxy: collected]\"",
      "Error: outer",
      "Error: \"[WeakProxy: collected]\"",
      true
    ]
  })
})
