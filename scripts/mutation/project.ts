/** Runs vitest on copies of this project, whose sources can be changed. */
import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

export const root = path.resolve(import.meta.dirname, "../..")

/** Holds the copies and what earlier runs have found. */
export const folder = path.join(root, ".mutation")

/** Copies every file that git knows, or would know. */
export const copyTo = (name: string): string => {
  const copy = path.join(folder, name)
  fs.rmSync(copy, { recursive: true, force: true })
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  for (const file of files.split("\n").filter((file) => fs.existsSync(path.join(root, file)) && file !== "")) {
    fs.mkdirSync(path.dirname(path.join(copy, file)), { recursive: true })
    fs.copyFileSync(path.join(root, file), path.join(copy, file))
  }
  fs.symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"), "dir")
  return copy
}

/** The groups of processes that run. A run that is stopped must not leave them behind. */
const groups = new Set<number>()
process.on("exit", () => groups.forEach((group) => process.kill(-group, "SIGKILL")))
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

export interface Run {
  readonly outcome: "passed" | "failed" | "timeout"
  readonly millis: number
  readonly output: string
}

/** Runs test files of a copy, one after the other, until the first failure. */
export const runTests = (
  copy: string,
  files: ReadonlyArray<string>,
  { args = [], timeout }: { readonly args?: ReadonlyArray<string>; readonly timeout: number }
): Promise<Run> =>
  new Promise((resolve) => {
    const begin = Date.now()
    const vitest = path.join(root, "node_modules/vitest/vitest.mjs")
    const common = ["run", "--project", "unit", "--bail", "1", "--no-file-parallelism", "--reporter", "dot"]
    // A group of its own, so that the workers of an endless test end too.
    const child = spawn(process.execPath, [vitest, ...common, ...args, ...files], {
      cwd: copy,
      detached: true,
      env: { ...process.env, NO_COLOR: "1", CI: "" }
    })
    const group = child.pid!
    groups.add(group)
    let output = ""
    let timedOut = false
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => output += String(data))
    const timer = setTimeout(() => {
      timedOut = true
      process.kill(-group, "SIGKILL")
    }, timeout)
    child.on("close", (code) => {
      clearTimeout(timer)
      groups.delete(group)
      resolve({
        outcome: timedOut ? "timeout" : code === 0 ? "passed" : "failed",
        millis: Date.now() - begin,
        output
      })
    })
  })

/** Calls a function for each element, a few at a time. Each call gets the number of its slot. */
export const forEachParallel = async <A>(
  elements: Iterable<A>,
  slots: number,
  f: (element: A, slot: number) => Promise<void>
): Promise<void> => {
  const iterator = elements[Symbol.iterator]()
  await Promise.all(Array.from({ length: slots }, async (_, slot) => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await f(next.value, slot)
  }))
}

export const defaultSlots = Math.max(1, Math.min(2, os.availableParallelism()))
