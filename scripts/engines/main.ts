/**
 * Runs the tests on every engine that the library supports, and prints a table.
 *
 *     npm run test:engines                     all engines
 *     npm run test:engines -- Bun "Node 20"    some engines
 *     npm run test:engines -- --ci             fewer tests, and without the Node that runs this script
 *     npm run test:engines -- --write          all engines, and writes the table of docs/engines.md
 *     npm run test:engines -- Bun -- test/WeakRef.test.ts      the arguments after the second -- are vitest's
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { formatTable } from "../../benchmark/report/table.ts"
import { writeTable } from "./docs.ts"
import { type Engine, engines } from "./engines.ts"
import { Missing, root } from "./install.ts"
import { type Outcome, perReason } from "./report.ts"

const reports = path.join(root, "coverage", "engines")

export interface Row extends Outcome {
  readonly engine: string
  /** Why the engine did not run. */
  readonly missing?: string
}

const attempt = async ({ name, run }: Engine, filters: ReadonlyArray<string>): Promise<Row> => {
  console.log(`\n=== ${name}`)
  try {
    return {
      engine: name,
      ...await run({
        filters,
        report: path.join(reports, `${name}.json`),
        milliseconds: ci ? 10 * 60_000 : 30 * 60_000
      })
    }
  } catch (error) {
    const missing = error instanceof Missing ? error.message : undefined
    console.error(missing ?? error)
    return {
      engine: name,
      version: "",
      passed: 0,
      failed: missing === undefined ? 1 : 0,
      skipped: [],
      ...missing === undefined ? {} : { missing }
    }
  }
}

const args = process.argv.slice(2)
const separator = args.includes("--") ? args.indexOf("--") : args.length
const ci = args.slice(0, separator).includes("--ci")
const write = args.slice(0, separator).includes("--write")
const names = args.slice(0, separator).filter((name) => !name.startsWith("--")).map((name) =>
  /^\d+$/.test(name) ? `Node ${name}` : name
)
if (write && (ci || args.length > 1)) throw new Error("--write needs a run of all tests on all engines")
const unknown = names.find((name) => engines.every((engine) => engine.name !== name))
if (unknown !== undefined) {
  throw new Error(`Unknown engine ${unknown}. The engines are ${engines.map(({ name }) => name).join(", ")}`)
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
    : args.slice(separator + 1)

fs.rmSync(reports, { recursive: true, force: true })
fs.mkdirSync(reports, { recursive: true })
const rows: Array<Row> = []
for (const engine of engines) {
  const isWanted = names.length > 0
    ? names.includes(engine.name)
    : !(ci && engine.name === `Node ${process.versions.node.split(".")[0]}`)
  if (isWanted) rows.push(await attempt(engine, filtersOf(engine.name)))
}
fs.writeFileSync(path.join(root, "coverage", "engines.json"), `${JSON.stringify(rows, undefined, 2)}\n`)

console.log(`\n${
  formatTable(
    ["engine", "version", "passed", "failed", "skipped"],
    rows.map(({ engine, failed, missing, passed, skipped, version }) =>
      [engine, missing ?? version].concat([passed, failed, skipped.length].map(String))
    )
  )
}`)
for (const { engine, skipped } of rows) {
  for (const [reason, number] of perReason(skipped)) console.log(`Skipped on ${engine}: ${number}: ${reason}`)
}
if (write) writeTable(rows)
if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1
