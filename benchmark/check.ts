/**
 * Runs the quick benchmark, and fails if a figure misses its goal and the section "What we miss"
 * of docs/performance.md does not say why. Measures what misses again, up to four times and with three
 * rounds instead of one, because a busy machine disturbs single figures, and fails only on what
 * misses each time. Ends after about four minutes, even if something is left.
 *
 *     npm run bench:check
 */
import { quick } from "./plan.ts"
import { run } from "./processes.ts"
import { judge } from "./report/goals.ts"
import { type Miss, readReasons, unexplained } from "./report/reasons.ts"
import type { Result } from "./report/results.ts"
import { formatNumber, goalTable } from "./report/tables.ts"

const attempts = 5
const until = performance.now() + 225_000
const reasons = readReasons()

/** The results of the last attempt of each comparison. */
let results: ReadonlyArray<Result> = []
const failures: Array<string> = []
let comparisons = quick().map(({ jobs }) => ({ jobs, rounds: 1 }))
let skipped = 0

const measure = async (): Promise<void> => {
  const measured = await run(comparisons, () => {}, until)
  skipped += measured.skipped
  failures.push(...measured.failures)
  const again = new Set(measured.results.map(({ subject }) => subject))
  results = [...results.filter(({ subject }) => !again.has(subject)), ...measured.results]
}

/** What missed its goal in every attempt so far. */
let missed: ReadonlyArray<Miss> | undefined

for (let attempt = 0; attempt < attempts && comparisons.length > 0; attempt++) {
  await measure()
  const before = missed
  missed = unexplained(judge(results), reasons).filter(({ figure, goal }) =>
    before === undefined || before.some((miss) => miss.goal.name === goal.name && miss.figure.of === figure.of)
  )
  const subjects = missed.map(({ figure }) => figure.of)
  comparisons = comparisons
    .filter(({ jobs: [job] }) => subjects.some((of) => of === job!.subject || of.startsWith(`${job!.subject},`)))
    .map(({ jobs }) => ({ jobs, rounds: 3 }))
}

const goals = judge(results)
console.log(goalTable(goals))
for (const failure of failures) console.log(`Failed: ${failure}`)
if (skipped > 0) console.log(`Time is up: ${skipped} measurements were not made`)
for (const { figure, goal } of missed ?? []) {
  console.log(
    `Missed: ${goal.name}, ${goal.limit}, but ${figure.of} has ${formatNumber(figure.value)}. ` +
      `Make it faster, or say why in "What we miss" of docs/performance.md`
  )
}
if ((missed ?? []).length > 0 || failures.length > 0) process.exitCode = 1
