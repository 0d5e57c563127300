/**
 * Runs `soakProgram.ts` on an engine, in a process for each subject: N objects are inserted into a collection or cache,
 * or get a listener, a callback or a finalizer, and die.
 *
 *     npm run soak -- [N] [engine] [subject]       a million on all engines by default
 *
 * Stores memory and counts in `docs/evidence/soak.json`. Fails if an object is left, if the memory at the end is more
 * than 5 % above the memory after the warm-up, or if a subject needs more than half an hour.
 */
import { engines, run, store } from "./engines.ts"

const total = Number(process.argv[2] ?? 1_000_000)
if (!Number.isSafeInteger(total) || total < 1) {
  throw new RangeError(`N must be a positive integer, got ${process.argv[2]}`)
}
const [, , , onlyEngine, onlySubject] = process.argv
// A page cannot read its memory.
const hosts = engines.filter(({ name }) => name !== "Chromium" && (onlyEngine === undefined || onlyEngine === name))
for (const engine of hosts) {
  const subjects = run(engine, [], "soakProgram.ts", []).result as unknown as ReadonlyArray<string>
  for (const subject of subjects.filter((name) => onlySubject === undefined || onlySubject === name)) {
    const result = run(engine, [], "soakProgram.ts", [subject, String(total)])
    const { endKB, growth, left, objects, startKB } = result.result
    console.log(
      `${engine.name}, ${subject}: ${result.ok ? "passed" : "FAILED"}, ${objects} objects, ${left} left, ` +
        `${startKB} kB to ${endKB} kB, ${growth}, ${result.seconds} s`
    )
    if (!result.ok) {
      console.log(result.result.faults)
      process.exitCode = 1
    }
    store("soak", result, subject)
  }
}
