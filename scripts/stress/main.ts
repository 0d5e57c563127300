/**
 * Runs `program.ts` on several engines, with the flags of V8 that collect at random moments and move objects.
 *
 *     npm run stress -- [minutes] [engine]       minutes for each engine, 2 by default
 *
 * Stores the counts in `docs/evidence/stress.json`, and fails if a check failed.
 */
import * as esbuild from "esbuild"
import * as path from "node:path"
import { root } from "../engines/install.ts"
import { engines, run, store } from "./engines.ts"

const variants: ReadonlyArray<ReadonlyArray<string>> = [
  ["--stress-compaction", "--stress-incremental-marking"],
  ["--stress-scavenge=50", "--stress-compaction-random"],
  ["--random-gc-interval=500", "--gc-interval=500", "--semi-space-growth-factor=2"],
  ["--stress-marking=50", "--stress-concurrent-allocation"]
]

const minutes = Number(process.argv[2] ?? 2)
if (!(minutes > 0)) throw new RangeError(`minutes must be positive, got ${process.argv[2]}`)
const wanted = engines.filter(({ name }) => process.argv[3] === undefined || process.argv[3] === name)
// One file without types, because an engine that collects all the time needs minutes to load many modules.
const program = path.join(root, "coverage", "stress.mjs")
esbuild.buildSync({
  entryPoints: [path.join(import.meta.dirname, "program.ts")],
  outfile: program,
  bundle: true,
  format: "esm",
  target: "esnext",
  platform: "node"
})
for (const engine of wanted) {
  const flags = engine.name === "Bun" ? [[]] : variants
  for (const [i, own] of flags.entries()) {
    const seconds = Math.ceil(minutes * 60 / flags.length)
    const result = run(engine, own, program, [String(seconds), String(i + 1)])
    console.log(
      `${result.engine} ${own.join(" ")}: ${result.ok ? "passed" : "FAILED"} ${JSON.stringify(result.result)}`
    )
    store("stress", result)
    if (!result.ok) process.exitCode = 1
  }
}
