/** Starts a program on an engine, and stores results with their command, date and version. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fromRegistry, root } from "../engines/install.ts"

export interface Engine {
  readonly name: string
  readonly command: () => ReadonlyArray<string>
}

const platform = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`
const stripTypes = path.join(root, "scripts", "engines", "stripTypes.mjs")
const node = path.join(root, "node_modules", "node", "bin", "node")

/** Node 20 may be the `node` of the machine. */
const node20 = (): string => {
  const { stdout } = childProcess.spawnSync("/usr/bin/node", ["--version"], { encoding: "utf8" })
  return stdout?.startsWith("v20.") === true ? "/usr/bin/node" : fromRegistry(`node-${platform}`, "20.20.2", "bin/node")
}

export const engines: ReadonlyArray<Engine> = [
  { name: "Node 26", command: () => [node, "--expose-gc"] },
  { name: "Node 20", command: () => [node20(), "--expose-gc", "--import", stripTypes] },
  { name: "Bun", command: () => [fromRegistry(`@oven/bun-${platform}`, "1.4.5", "bin/bun")] },
  { name: "Chromium", command: () => [node, path.join(import.meta.dirname, "page.ts")] }
]

export interface Run {
  readonly engine: string
  readonly version: string
  readonly command: string
  readonly date: string
  readonly flags: ReadonlyArray<string>
  readonly seconds: number
  readonly ok: boolean
  readonly result: Readonly<Record<string, unknown>>
}

/** Runs a program that prints its result as the last line, in JSON. */
export const run = (
  engine: Engine,
  flags: ReadonlyArray<string>,
  program: string,
  args: ReadonlyArray<string>
): Run => {
  const [file, ...own] = engine.command()
  const version = childProcess.spawnSync(file!, [...own, "--version"], { encoding: "utf8" }).stdout.trim()
  const start = performance.now()
  const { signal, status, stderr, stdout } = childProcess.spawnSync(
    file!,
    [...own, ...flags, path.resolve(import.meta.dirname, program), ...args],
    { encoding: "utf8", maxBuffer: 1e8 }
  )
  return runOf(engine, version, flags, start, status === 0, stdout, `${signal ?? status}: ${stderr.slice(-2000)}`)
}

/** Describes a run that has ended. Its last line is its result, or else the fault is. */
export const runOf = (
  engine: Engine,
  version: string,
  flags: ReadonlyArray<string>,
  start: number,
  ok: boolean,
  stdout: string,
  fault: string
): Run => {
  const line = stdout.trim().split("\n").at(-1) ?? ""
  return {
    engine: engine.name,
    version: version.replace(/^v/, ""),
    command: `npm run ${process.env.npm_lifecycle_event} -- ${process.argv.slice(2).join(" ")}`.trim(),
    date: new Date().toISOString().slice(0, 10),
    flags,
    seconds: Math.round((performance.now() - start) / 1000),
    ok,
    result: /^[[{]/.test(line) ? JSON.parse(line) as Record<string, unknown> : { faults: [fault] }
  }
}

/** Stores a run. Replaces the last run of the same engine with the same flags and subject. */
export const store = (name: string, run: Run, subject?: string): void => {
  const file = path.join(root, "docs", "evidence", `${name}.json`)
  const isOther = ({ engine, flags, result }: Run): boolean =>
    engine !== run.engine || flags.join(" ") !== run.flags.join(" ") || result.subject !== subject
  const others = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as Array<Run>).filter(isOther) : []
  fs.writeFileSync(file, `${JSON.stringify([...others, run], undefined, 2)}\n`)
}
