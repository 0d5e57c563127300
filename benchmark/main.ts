/**
 * Compares this library with the primitives that it uses, and with other packages.
 *
 *     npm run bench             measures everything, and writes benchmark/results.json
 *     npm run bench:quick       prints the ratios to the floor
 *     npm run bench -- --peers  measures the other packages only
 *     npm run bench:quick -- --write
 *     npm run bench -- --only WeakKeyMap --rounds 3
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { peers, quick, whole } from "./plan.ts"
import { hasPython, run } from "./processes.ts"
import { judge } from "./report/goals.ts"
import { describeMachine } from "./report/machine.ts"
import { formatResults } from "./report/results.ts"
import { goalTable, resultTables } from "./report/tables.ts"
import { cpython } from "./subjects.ts"

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    peers: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "99" }
  }
})

const withPython = hasPython()
const plan =
  (options.quick || options.peers ? [...options.quick ? quick() : [], ...options.peers ? peers() : []] : whole())
    .map(({ jobs, rounds }) => ({
      jobs: jobs.filter(({ contender, subject }) =>
        subject.includes(options.only) && (withPython || contender !== cpython)
      ),
      rounds: Math.min(rounds, Number(options.rounds))
    }))
    .filter(({ jobs }) => jobs.length > 0)

const machine = describeMachine()
console.log(Object.entries(machine).map(([key, value]) => `${key} ${value}`).join(", "))
if (!withPython) console.log("python3 is not installed: the rows of CPython are omitted")

const progress = (done: number, of: number) => {
  if (process.stderr.isTTY) process.stderr.write(done === of ? "\r\x1b[K" : `\r${done} of ${of}`)
}
const { failures, results } = await run(plan, progress)
const goals = judge(results)

console.log(`\n${resultTables(results)}\n`)
console.log(`\n${goalTable(goals)}`)
for (const failure of failures) console.log(`Failed: ${failure}`)

if (options.write || !options.quick && !options.peers && options.only === "") {
  const written = { machine: { ...machine, loadAfter: describeMachine().load }, goals, results, failures }
  fs.writeFileSync(path.join(import.meta.dirname, "results.json"), formatResults(written))
}
