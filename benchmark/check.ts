/**
 * Runs the quick benchmark, and fails if a figure misses its goal and the section "What we miss"
 * of docs/performance.md does not say why. Measures what misses again, twice, because a busy
 * machine disturbs single figures. Ends after about four minutes, even if something is left.
 *
 *     npm run bench:check
 */
import { quick } from "./plan.ts"
import { run } from "./processes.ts"
import { judge } from "./report/goals.ts"
import { readReasons, unexplained } from "./report/reasons.ts"
import type { Result } from "./report/results.ts"
import { formatNumber, goalTable } from "./report/tables.ts"

const attempts = 3
const until = performance.now() + 225_000
const reasons = readReasons()

const results: Array<Result> = []
const failures: Array<string> = []
let comparisons = quick().map(({ jobs }) => ({ jobs, rounds: 1 }))
let skipped = 0

const measure = async (attempt: number): Promise<void> => {
  const measured = await run(comparisons, () => {}, until)
  skipped += measured.skipped
  failures.push(...measured.failures)
  for (const { samples, ...row } of measured.results) {
    const known = results.find((result) =>
      result.subject === row.subject && result.contender === row.contender && result.measure === row.measure &&
      result.n === row.n && result.name === row.name
    )
    const numbered = samples.map(({ mean, value }) =>
      mean === undefined ? { round: attempt, value } : { round: attempt, value, mean }
    )
    if (known === undefined) results.push({ ...row, samples: numbered })
    else known.samples.push(...numbered)
  }
}

for (let attempt = 0; attempt < attempts && comparisons.length > 0; attempt++) {
  await measure(attempt)
  const missed = unexplained(judge(results), reasons)
  comparisons = comparisons.filter(({ jobs: [job] }) =>
    missed.some(({ figure: { of } }) => of === job!.subject || of.startsWith(`${job!.subject},`))
  )
}

const goals = judge(results)
const missed = unexplained(goals, reasons)
console.log(goalTable(goals))
for (const failure of failures) console.log(`Failed: ${failure}`)
if (skipped > 0) console.log(`Time is up: ${skipped} measurements were not made`)
for (const { figure, goal } of missed) {
  console.log(
    `Missed: ${goal.name}, ${goal.limit}, but ${figure.of} has ${formatNumber(figure.value)}. ` +
      `Make it faster, or say why in "What we miss" of docs/performance.md`
  )
}
if (missed.length > 0 || failures.length > 0) process.exitCode = 1
