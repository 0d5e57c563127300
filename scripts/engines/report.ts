/** What a run of the tests on one engine returns. */
import * as fs from "node:fs"

export interface Request {
  /** The arguments for vitest: files, or options. */
  readonly filters: ReadonlyArray<string>
  /** The path of vitest's JSON report. */
  readonly report: string
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
  readonly skipped: ReadonlyArray<Skipped>
}

/** Returns how often each reason occurs, the most frequent first. The use of one function of a module is the use of the module. */
export const perReason = (skipped: ReadonlyArray<Skipped>): ReadonlyArray<readonly [reason: string, number: number]> =>
  [...Map.groupBy(skipped, ({ reason }) => reason.replace(/^(uses node:\w+).*/, "$1"))]
    .map(([reason, all]) => [reason, all.length] as const)
    .toSorted(([, a], [, b]) => b - a)

/** The part of vitest's JSON report that `readReport` reads. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
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

/** Counts the tests of a report. Judges by the report, because Deno and browsers can exit with an error after a good run. */
export const readReport = (
  { report: file }: Request,
  version: string,
  reasonOf: (file: string, name: string) => string,
  skippedFiles: ReadonlyArray<Skipped> = []
): Outcome => {
  if (!fs.existsSync(file)) return { version, passed: 0, failed: 1, skipped: skippedFiles }
  const report: Report = JSON.parse(fs.readFileSync(file, "utf8"))
  // A test file that cannot be loaded fails, but has no failed test.
  const failedFiles = report.testResults.filter(({ assertionResults, status }) =>
    status === "failed" && assertionResults.every(({ status }) => status !== "failed")
  )
  const failed = report.numFailedTests + failedFiles.length
  return {
    version,
    passed: report.numPassedTests,
    // A run without tests is a failure.
    failed: failed === 0 && report.numPassedTests === 0 ? 1 : failed,
    skipped: skippedFiles.concat(
      report.testResults.flatMap(({ assertionResults, name }) =>
        assertionResults
          .filter(({ status }) => status !== "passed" && status !== "failed")
          .map(({ fullName, meta }) => ({ name: fullName, reason: meta?.skipped ?? reasonOf(name, fullName) }))
      )
    )
  }
}
