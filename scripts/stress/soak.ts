/**
 * Runs `soakProgram.ts` on several engines: N objects are inserted into each collection and cache, or get a listener, a
 * callback or a finalizer, and die.
 *
 *     npm run soak -- [N] [engine]       a million by default
 *
 * Stores memory and counts in `docs/evidence/soak.json`. Fails if an object is left, or if the memory at the end is more
 * than 5 % above the memory after the warm-up.
 */
import { engines, type Run, run, store } from "./engines.ts"

const total = Number(process.argv[2] ?? 1_000_000)
if (!Number.isSafeInteger(total) || total < 1) {
  throw new RangeError(`N must be a positive integer, got ${process.argv[2]}`)
}
const runs: Array<Run> = []
for (const engine of engines.filter(({ name }) => process.argv[3] === undefined || process.argv[3] === name)) {
  const result = run(engine, [], "soakProgram.ts", [String(total)])
  console.log(`${result.engine}: ${result.ok ? "passed" : "FAILED"}`)
  console.log(JSON.stringify(result.result, undefined, 2))
  runs.push(result)
}
store("soak", `npm run soak -- ${process.argv.slice(2).join(" ")}`.trim(), runs)
if (runs.some(({ ok }) => !ok)) process.exitCode = 1
