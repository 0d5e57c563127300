/**
 * Runs `monitorProgram.ts` on several engines, two at a time: a correct service under allocation pressure beside planted
 * leaks. `LeakMonitor` must report every planted leak and nothing else.
 *
 *     npm run stress:monitor -- [minutes] [engine]       minutes for each engine, 2 by default
 *
 * Stores the counts in `docs/evidence/monitor.json`, where a run of one engine replaces the row of this engine, and fails if a report was false or missing.
 */
import * as childProcess from "node:child_process"
import * as path from "node:path"
import { fromRegistry } from "../engines/install.ts"
import { type Engine, engines as common, type Run, runOf, store } from "./engines.ts"

const platform = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`
const stripTypes = path.resolve(import.meta.dirname, "../engines/stripTypes.mjs")

const engines: ReadonlyArray<Engine> = [
  ...common,
  { name: "Node 22", command: () => [fromRegistry(`node-${platform}`, "22.23.3", "bin/node"), "--import", stripTypes] },
  { name: "Node 24", command: () => [fromRegistry(`node-${platform}`, "24.21.0", "bin/node")] },
  {
    name: "Deno",
    command: () => [
      fromRegistry(`@deno/${platform}${process.platform === "linux" ? "-glibc" : ""}`, "2.9.6", "deno"),
      "run",
      "--allow-all"
    ]
  }
]

const minutes = Number(process.argv[2] ?? 2)
if (!(minutes > 0)) throw new RangeError(`minutes must be positive, got ${process.argv[2]}`)
const wanted = engines.filter(({ name }) => process.argv[3] === undefined || process.argv[3] === name)

const run = (engine: Engine): Promise<Run> =>
  new Promise((resolve) => {
    // The program forces no collection, so that no engine needs a flag.
    const [file, ...own] = engine.command().filter((argument) => argument !== "--expose-gc")
    // A page is a program of Node, which says the version of its browser.
    const { stdout } = childProcess.spawnSync(file!, [...own, "--version"], { encoding: "utf8" })
    const version = /\d+(\.\d+)+/.exec(stdout)?.[0] ?? ""
    const start = performance.now()
    const program = path.join(import.meta.dirname, "monitorProgram.ts")
    childProcess.execFile(file!, [...own, program, String(minutes)], { maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve(runOf(engine, version, [], start, error === null, stdout, `${error?.message}: ${stderr.slice(-2000)}`))
    })
  })

const queue = wanted[Symbol.iterator]()
await Promise.all(Array.from({ length: 2 }, async () => {
  for (const engine of queue) {
    const result = await run(engine)
    console.log(`${result.engine}: ${result.ok ? "passed" : "FAILED"} ${JSON.stringify(result.result)}`)
    store("monitor", result)
    if (!result.ok) process.exitCode = 1
  }
}))
