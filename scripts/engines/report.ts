/** What a run of the tests on one engine returns. */
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "./install.ts"

export interface Request {
  /** The arguments for vitest: files, or options. */
  readonly filters: ReadonlyArray<string>
  /** The path of vitest's JSON report. */
  readonly report: string
  /** The path of an earlier report, in which the results of this run replace those of the same files. */
  readonly into?: string | undefined
  /** Stops the engine after this time. */
  readonly milliseconds: number
}

export interface Skipped {
  readonly name: string
  readonly reason: string
}

export interface Outcome {
  readonly version: string
  readonly passed: number
  readonly failed: number
  /** The names of the tests that failed. */
  readonly failures: ReadonlyArray<string>
  readonly skipped: ReadonlyArray<Skipped>
}

/** Returns how often each reason occurs, the most frequent first. The use of one function of a module is the use of the module. */
export const perReason = (skipped: ReadonlyArray<Skipped>): ReadonlyArray<readonly [reason: string, number: number]> =>
  [...Map.groupBy(skipped, ({ reason }) => reason.replace(/^(uses node:\w+).*/, "$1"))]
    .map(([reason, all]) => [reason, all.length] as const)
    .toSorted(([, a], [, b]) => b - a)

/** The part of vitest's JSON report that `readReport` reads. */
interface Report {
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly assertionResults: ReadonlyArray<{
      readonly status: string
      readonly fullName: string
      readonly meta?: { readonly skipped?: string }
    }>
  }>
}

const read = (file: string): Report => JSON.parse(fs.readFileSync(file, "utf8"))

/** Returns the files with failures. A file that cannot be loaded fails without a failed test. */
export const failedFiles = (file: string): ReadonlyArray<string> =>
  read(file).testResults.filter(({ status }) => status === "failed").map(({ name }) => path.relative(root, name))

const merge = (into: string, file: string, files: ReadonlyArray<string>): Report => {
  const replaced = read(file).testResults
  // A file that was to run may no longer belong to the suite.
  const names = new Set(files.map((name) => path.join(root, name)))
  const report = { testResults: read(into).testResults.filter(({ name }) => !names.has(name)).concat(replaced) }
  fs.writeFileSync(into, JSON.stringify(report))
  return report
}

/** Counts the tests of a report. Judges by the report, because Deno and browsers can exit with an error after a good run. */
export const readReport = (
  { filters, into, report: file }: Request,
  version: string,
  reasonOf: (file: string, name: string) => string,
  filesOfSuite: ReadonlyArray<Skipped> = []
): Outcome => {
  // A run of some files leaves out the others for no reason of the engine.
  const skippedFiles = filters.length === 0 || into !== undefined ? filesOfSuite : []
  if (!fs.existsSync(file)) {
    return { version, passed: 0, failed: 1, failures: ["the run, which did not finish"], skipped: skippedFiles }
  }
  const { testResults } = into === undefined ? read(file) : merge(into, file, filters)
  const failedTests = testResults.flatMap(({ assertionResults, name, status }) => {
    const names = assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName)
    return status === "failed" && names.length === 0 ? [path.relative(root, name)] : names
  })
  const passed = testResults.flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "passed").length
  const failures = passed === 0 && failedTests.length === 0 ? ["the run, which had no tests"] : failedTests
  return {
    version,
    passed,
    failed: failures.length,
    failures,
    skipped: skippedFiles.concat(
      testResults.flatMap(({ assertionResults, name }) =>
        assertionResults
          .filter(({ status }) => status !== "passed" && status !== "failed")
          .map(({ fullName, meta }) => ({ name: fullName, reason: meta?.skipped ?? reasonOf(name, fullName) }))
      )
    )
  }
}
