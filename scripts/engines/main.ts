/**
 * Runs the tests on every engine that the library supports, and prints a table.
 *
 *     npm run test:engines                     all engines
 *     npm run test:engines -- Bun "Node 20"    some engines
 *     npm run test:engines -- --ci             fewer tests, and without the Node that runs this script
 *     npm run test:engines -- Bun --failed     only the files that failed in the last run of the engine
 *     npm run test:engines -- --write          also writes the tables of docs/engines.md and the README
 *     npm run test:engines -- --write --stored only writes the tables, from the last run of each engine
 *     npm run test:engines -- Bun -- test/WeakRef.test.ts      the arguments after the second -- are vitest's
 *
 * The last run of each engine is in `coverage/engines.json`, so that the engines can run one after the other.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { formatTable } from "../../benchmark/report/table.ts"
import { writeTables } from "./docs.ts"
import { type Engine, engines } from "./engines.ts"
import { Missing, root } from "./install.ts"
import { failedFiles, type Outcome, perReason } from "./report.ts"

const reports = path.join(root, "coverage", "engines")
const stored = path.join(root, "coverage", "engines.json")

export interface Row extends Outcome {
  readonly engine: string
  /** Which tests ran. */
  readonly tests: string
  readonly date: string
  /** Why the engine did not run. */
  readonly missing?: string
}

const args = process.argv.slice(2)
const separator = args.includes("--") ? args.indexOf("--") : args.length
const options = args.slice(0, separator).filter((name) => name.startsWith("--"))
const ci = options.includes("--ci")
const write = options.includes("--write")
const onlyStored = options.includes("--stored")
const onlyFailed = options.includes("--failed")
const filters = args.slice(separator + 1)
const names = args.slice(0, separator).filter((name) => !name.startsWith("--")).map((name) =>
  /^\d+$/.test(name) ? `Node ${name}` : name
)
if (write && filters.length > 0) throw new Error("--write needs a run of all tests")
const unknown = options.find((option) => !["--ci", "--write", "--stored", "--failed"].includes(option))
  ?? names.find((name) => engines.every((engine) => engine.name !== name))
if (unknown !== undefined) {
  throw new Error(`Unknown engine or option ${unknown}. The engines are ${engines.map(({ name }) => name).join(", ")}`)
}

/**
 * In CI, each engine runs the plain tests of the public modules, and the oldest Node
 * also what old engines got wrong. `docs/engines.md` says so too.
 */
const filtersOf = (name: string): ReadonlyArray<string> =>
  ci
    ? [
      ...fs.globSync(
        "test/{Finalizer,Heap,Interner,LeakMonitor,WeakError,WeakKeyMap,WeakListeners,WeakMemo,WeakMethod,WeakProxy,WeakRef,WeakSet,WeakValueMap}.test.ts",
        { cwd: root }
      ),
      ...name === "Node 20" ? ["test/stalledFinalizers.test.ts", "test/internal/"] : []
    ]
    : filters

const attempt = async ({ isCore = false, name, run }: Engine): Promise<Row> => {
  console.log(`\n=== ${name}`)
  const report = path.join(reports, `${name}.json`)
  const into = onlyFailed && fs.existsSync(report) ? report : undefined
  const row = {
    engine: name,
    tests: isCore
      ? "core"
      : into !== undefined
      ? last().find(({ engine }) => engine === name)?.tests ?? "whole"
      : filters.length > 0
      ? "some"
      : ci
      ? "short"
      : "whole",
    date: new Date().toISOString().slice(0, 10)
  }
  try {
    return {
      ...row,
      ...await run({
        filters: into === undefined ? filtersOf(name) : failedFiles(into),
        // A run of some files must not replace the report of all.
        report: filters.length > 0 || into !== undefined ? path.join(reports, `${name}.some.json`) : report,
        into,
        milliseconds: ci ? 10 * 60_000 : 40 * 60_000
      })
    }
  } catch (error) {
    const missing = error instanceof Missing ? error.message : undefined
    console.error(missing ?? error)
    return {
      ...row,
      version: "",
      passed: 0,
      failed: missing === undefined ? 1 : 0,
      failures: missing === undefined ? [String(error)] : [],
      skipped: [],
      ...missing === undefined ? {} : { missing }
    }
  }
}

const isWanted = ({ name }: Engine): boolean =>
  names.length > 0 ? names.includes(name) : !(ci && name === `Node ${process.versions.node.split(".")[0]}`)

const hasFailed = ({ isCore, name }: Engine): boolean => {
  const report = path.join(reports, `${name}.json`)
  return isCore === true || !fs.existsSync(report) || failedFiles(report).length > 0
}

// An exit ends the engines, too.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1))

fs.mkdirSync(reports, { recursive: true })
const rows: Array<Row> = []
/** Reads the file each time, because another run may have changed it. */
const last = (): ReadonlyArray<Row> => fs.existsSync(stored) ? JSON.parse(fs.readFileSync(stored, "utf8")) : []
const merged = (): ReadonlyArray<Row> => {
  const all = [...rows, ...last()]
  return engines.flatMap(({ name }) => all.find(({ engine }) => engine === name) ?? [])
}

for (const engine of onlyStored ? [] : engines.filter(isWanted)) {
  for (const kind of onlyFailed || filters.length > 0 ? [".some"] : ["", ".some"]) {
    fs.rmSync(path.join(reports, `${engine.name}${kind}.json`), { force: true })
  }
  if (onlyFailed && !hasFailed(engine)) continue
  rows.push(await attempt(engine))
  // A run of some files is no result of the engine.
  if (filters.length === 0) fs.writeFileSync(stored, `${JSON.stringify(merged(), undefined, 2)}\n`)
}

const shown = onlyStored ? merged() : rows
console.log(`\n${
  formatTable(
    ["engine", "version", "passed", "failed", "skipped"],
    shown.map(({ engine, failed, missing, passed, skipped, version }) =>
      [engine, missing ?? version].concat([passed, failed, skipped.length].map(String))
    )
  )
}`)
for (const { engine, failures, skipped } of shown) {
  for (const [reason, number] of perReason(skipped)) console.log(`Skipped on ${engine}: ${number}: ${reason}`)
  for (const name of failures) console.log(`Failed on ${engine}: ${name}`)
}
if (write) writeTables(merged())
if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1
