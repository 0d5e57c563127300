/**
 * Runs all tests and documentation examples on every Node version that the library
 * supports, and prints a table.
 *
 *     npm run test:engines                 all engines
 *     npm run test:engines -- 20 24        some engines
 *     npm run test:engines -- 20 -- test/WeakRef.test.ts      the arguments after the second -- are vitest's
 *
 * Vitest runs on the Node that started this script, because vitest does not support
 * Node 20. Its workers run the library and the tests on the engine under test.
 */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { formatTable } from "../../benchmark/report/table.ts"
import { type Engine, engines } from "./engines.ts"

const root = path.resolve(import.meta.dirname, "../..")
const reports = path.join(root, "coverage", "engines")

/** If the finalizers of an engine stop, each test waits for its own time limit. This limits the whole run. */
const timeLimit = 15 * 60_000

interface Row {
  readonly engine: string
  readonly version: string
  readonly v8: string
  readonly passed: number
  readonly failed: number
  readonly skipped: ReadonlyArray<string>
}

/** The part of vitest's JSON report that this script reads. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: ReadonlyArray<{
    readonly status: string
    readonly assertionResults: ReadonlyArray<{ readonly status: string; readonly fullName: string }>
  }>
}

const run = (engine: Engine, filters: ReadonlyArray<string>): Row => {
  const file = engine.install()
  const [version, v8] = childProcess.execFileSync(file, ["-p", "process.versions.node + ' ' + process.versions.v8"], {
    encoding: "utf8"
  }).trim().split(" ") as [string, string]
  console.log(`\n=== ${engine.name}: ${version}, V8 ${v8}`)
  const output = path.join(reports, `${version}.json`)
  const { status } = childProcess.spawnSync(
    process.execPath,
    [
      path.join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      ...filters
    ],
    {
      cwd: root,
      env: { ...process.env, TEST_ENGINE: file, TEST_REPORT: output },
      stdio: ["ignore", "inherit", "inherit"],
      timeout: timeLimit
    }
  )
  return { engine: engine.name, version, v8, ...count(output, status) }
}

const count = (output: string, status: number | null): Pick<Row, "passed" | "failed" | "skipped"> => {
  if (!fs.existsSync(output)) return { passed: 0, failed: 1, skipped: [] }
  const report: Report = JSON.parse(fs.readFileSync(output, "utf8"))
  // A test file that cannot be loaded fails, but has no failed test.
  const failedFiles = report.testResults.filter(({ assertionResults, status }) =>
    status === "failed" && assertionResults.every(({ status }) => status !== "failed")
  )
  const failed = report.numFailedTests + failedFiles.length
  const passed = report.numPassedTests
  return {
    passed,
    // An error outside of any test is a failure. So is a run without tests.
    failed: failed === 0 && (status !== 0 || passed === 0) ? 1 : failed,
    skipped: report.testResults.flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status !== "passed" && status !== "failed").map(({ fullName }) => fullName)
  }
}

const attempt = (engine: Engine, filters: ReadonlyArray<string>): Row => {
  try {
    return run(engine, filters)
  } catch (error) {
    console.error(error)
    return { engine: engine.name, version: "", v8: "", passed: 0, failed: 1, skipped: [] }
  }
}

const args = process.argv.slice(2)
const separator = args.includes("--") ? args.indexOf("--") : args.length
const names = args.slice(0, separator).map((name) => `Node ${name}`)
const unknown = names.find((name) => engines.every((engine) => engine.name !== name))
if (unknown !== undefined) {
  throw new Error(`Unknown engine ${unknown}. The engines are ${engines.map(({ name }) => name).join(", ")}`)
}

fs.rmSync(reports, { recursive: true, force: true })
fs.mkdirSync(reports, { recursive: true })
const rows = engines.filter(({ name }) => names.length === 0 || names.includes(name))
  .map((engine) => attempt(engine, args.slice(separator + 1)))
fs.writeFileSync(path.join(root, "coverage", "engines.json"), `${JSON.stringify(rows, undefined, 2)}\n`)

console.log(`\n${
  formatTable(
    ["engine", "version", "V8", "passed", "failed", "skipped"],
    rows.map(({ engine, failed, passed, skipped, v8, version }) => [
      engine,
      version,
      v8,
      ...[passed, failed, skipped.length].map(String)
    ])
  )
}`)
for (const { engine, skipped } of rows) {
  // The last word of a test name is the feature that the engine does not have.
  for (const name of skipped) console.log(`Skipped on ${engine}: ${name}`)
}
if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1
