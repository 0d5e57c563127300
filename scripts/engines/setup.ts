/** Runs in every worker before its tests. */
import * as fs from "node:fs"
import { pathToFileURL } from "node:url"

const engine = process.env["TEST_ENGINE"]

if (engine !== undefined) {
  if (fs.realpathSync(process.execPath) !== fs.realpathSync(engine)) {
    throw new Error(`This worker runs on ${process.execPath} instead of ${engine}`)
  }
  // Tests start programs on the same engine. Node 20 cannot run TypeScript without this loader.
  if (!("typescript" in process.features)) {
    process.env["NODE_OPTIONS"] = `--import ${pathToFileURL(`${import.meta.dirname}/stripTypes.mjs`)}`
  }
}

// Bun has no flag for it.
const { Bun } = globalThis as { readonly Bun?: { readonly gc: (synchronously: boolean) => void } }
if (Bun !== undefined) Object.assign(globalThis, { gc: () => Bun.gc(true) })
