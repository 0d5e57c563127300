/** Runs each job in a process of its own. */
import * as childProcess from "node:child_process"
import * as path from "node:path"
import * as util from "node:util"
import type { Job, Measurement } from "./measurement.ts"
import type { Comparison } from "./plan.ts"
import type { Result, Results } from "./report/results.ts"
import { cpython } from "./subjects.ts"

const execFile = util.promisify(childProcess.execFile)

const child = path.join(import.meta.dirname, "child.ts")
const python = path.join(import.meta.dirname, "peers", "cpython.py")

export const hasPython = (): boolean => childProcess.spawnSync("python3", ["--version"]).status === 0

const perform = async (job: Job): Promise<Array<Measurement>> => {
  const [file, args] = job.contender === cpython
    ? ["python3", [python]]
    : [process.execPath, ["--expose-gc", "--max-old-space-size=8192", child]]
  const { stdout } = await execFile(file, [...args, JSON.stringify(job)], { timeout: 300_000 })
  return JSON.parse(stdout)
}

/**
 * Runs one round after the other, so that other programs disturb all jobs equally. Each round has a random order.
 * Starts no job after the time `until`.
 */
export const run = async (
  comparisons: ReadonlyArray<Comparison>,
  report: (done: number, of: number) => void,
  until = Infinity
) => {
  const results = new Map<string, Result>()
  const failures: Array<string> = []
  const total = comparisons.reduce((sum, { jobs, rounds }) => sum + jobs.length * rounds, 0)
  let done = 0
  let skipped = 0
  for (let round = 0; round < Math.max(...comparisons.map(({ rounds }) => rounds)); round++) {
    for (const { jobs } of shuffled(comparisons.filter(({ rounds }) => round < rounds))) {
      for (const job of shuffled(jobs)) {
        if (performance.now() > until) {
          skipped++
          continue
        }
        try {
          for (const { mean, name, unit, value } of await perform(job)) {
            const key = JSON.stringify([job, name])
            const result = results.get(key) ?? { ...job, name, unit, samples: [] }
            result.samples.push(mean === undefined ? { round, value } : { round, value, mean })
            results.set(key, result)
          }
        } catch (error) {
          failures.push(`${job.contender}, ${job.subject}, ${job.measure}, ${job.n}: ${error}`)
        }
        report(++done, total)
      }
    }
  }
  return { results: Array.from(results.values()) as Results, failures, skipped }
}

const shuffled = <A>(values: ReadonlyArray<A>): Array<A> =>
  values.map((value) => ({ value, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ value }) => value)
