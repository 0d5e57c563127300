/** What a run of the tests on one engine returns. */
import * as fs from "node:fs"

export interface Request {
  /** The arguments for vitest: files, or options. */
  readonly filters: ReadonlyArray<string>
  /** The path of vitest's JSON report. */
  readonly report: string
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
