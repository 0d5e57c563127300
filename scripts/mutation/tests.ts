/** Runs test files with mutants, in processes of one vitest that stays. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { ViteUserConfig } from "vitest/config"
import { createVitest } from "vitest/node"
import config from "../../vitest.config.ts"
import { type Mutant, withSwitches } from "./mutants.ts"
import { folder, type Line, type Plan, planFile, root } from "./plan.ts"

export interface Source {
  readonly file: string
  readonly mutants: ReadonlyArray<readonly [id: number, mutant: Mutant]>
}

/** What a run of one file has shown. */
export interface Found {
  /** The mutants that a test noticed, with its name and the message of its failure. */
  readonly killed: Map<number, string>
  /** The mutants that ran into the limit of time. */
  readonly timeouts: Set<number>
  /** The mutants whose code ran in a test. */
  readonly reached: Set<number>
  /** The mutants whose code ran before the first test. */
  readonly loaded: Set<number>
}

/** Starts vitest. A mutant that has run for `budget` milliseconds without being noticed runs in no more tests. */
export const startTests = async (sources: ReadonlyArray<Source>, budget: number) => {
  fs.mkdirSync(folder, { recursive: true })
  const log = path.join(folder, "log")
  const { resolve, test: { projects: _, ...options } = {} } = config as ViteUserConfig
  const vitest = await createVitest("test", {
    ...options,
    config: false,
    root,
    include: ["test/**/*.test.ts"],
    watch: false,
    // It would return the code with the mutants of an earlier run.
    fsModuleCache: false,
    fileParallelism: false,
    reporters: [{}],
    execArgv: ["--expose-gc", "--max-old-space-size=2048"],
    runner: path.join(import.meta.dirname, "runner.ts")
  }, {
    ...resolve === undefined ? {} : { resolve },
    plugins: [{
      name: "mutants",
      enforce: "pre",
      transform: (text: string, id: string) => {
        const source = sources.find(({ file }) => path.join(root, file) === id.split("?")[0])
        return source === undefined ? undefined : { code: withSwitches(source.file, text, source.mutants), map: null }
      }
    }]
  })
  await vitest.standalone()

  /** Runs a file in one process, which may end before its time. Returns what it has written. */
  const runProcess = async (file: string, plan: Omit<Plan, "log">): Promise<ReadonlyArray<Line>> => {
    fs.writeFileSync(planFile, JSON.stringify({ log, ...plan } satisfies Plan))
    fs.writeFileSync(log, "")
    const lines = () => fs.readFileSync(log, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line) as Line)
    const watch = setInterval(() => {
      const last = lines().at(-1)
      if (last?.type !== "test" && last?.type !== "mutant") return
      if (Date.now() <= last.at + last.limit) return
      try {
        process.kill(last.pid, "SIGKILL")
      } catch {
        // The process has ended since it wrote the line.
      }
    }, 500)
    await vitest.runTestSpecifications([vitest.getRootProject().createSpecification(path.join(root, file))])
    clearInterval(watch)
    return lines()
  }

  const spent = new Map<number, number>()
  const tests = new Map<string, Map<string, { ids: ReadonlyArray<number>; millis: number }>>()
  const testsOf = (file: string) => {
    const found = tests.get(file) ?? new Map<string, { ids: ReadonlyArray<number>; millis: number }>()
    tests.set(file, found)
    return found
  }

  /** Returns how many milliseconds the tests of a file need for the mutants, or `undefined` if it has not run. */
  const costOf = (file: string, mutants: ReadonlyArray<number>, slow: number): number | undefined => {
    const open = new Set(mutants.filter((id) => (spent.get(id) ?? 0) < budget))
    return tests.get(file)?.values().filter(({ millis }) => millis <= slow)
      .reduce((sum, { ids, millis }) => sum + millis * ids.filter((id) => open.has(id)).length, 0)
  }

  /** Runs a file with the mutants, in as many processes as it takes. */
  const runFile = async (
    file: string,
    mutants: ReadonlyArray<number>,
    { only, slow }: { readonly only?: number; readonly slow: number }
  ): Promise<Found> => {
    const found: Found = { killed: new Map(), timeouts: new Set(), reached: new Set(), loaded: new Set() }
    const known = testsOf(file)
    const isOpen = (id: number) => !found.killed.has(id) && !found.timeouts.has(id)
    const leave = (test: string, change: (ids: ReadonlyArray<number>) => ReadonlyArray<number>): void => {
      const before = known.get(test)
      if (before !== undefined) before.ids = change(before.ids)
    }
    while (true) {
      const lines = await runProcess(file, {
        mutants: mutants.filter(isOpen),
        known: Object.fromEntries([...known].map(([test, { ids, millis }]) => [test, millis <= slow ? ids : []])),
        slow,
        spent: Object.fromEntries(spent),
        budget,
        ...only === undefined ? {} : { only }
      })
      for (const line of lines) {
        if (line.type === "reached") {
          known.set(line.test, { ids: line.ids, millis: line.millis })
          for (const id of line.ids) found.reached.add(id)
        } else if (line.type === "passed") {
          spent.set(line.id, (spent.get(line.id) ?? 0) + (known.get(line.test)?.millis ?? 0))
          leave(line.test, (ids) => ids.filter((id) => id !== line.id))
        } else if (line.type === "retry") {
          leave(line.test, (ids) => [line.id, ...ids.filter((id) => id !== line.id)])
        } else if (line.type === "killed") {
          found.killed.set(line.id, line.by)
        } else if (line.type === "end") {
          for (const id of line.loaded) found.loaded.add(id)
        }
      }
      const last = lines.at(-1)
      if (last?.type === "mutant") found.timeouts.add(last.id)
      // A test that ends the process without a mutant shows nothing.
      else if (last?.type === "test") known.set(last.test, { ids: [], millis: 0 })
      if (only !== undefined || last === undefined || last.type === "end") return found
    }
  }

  return { costOf, runFile, close: () => vitest.close() }
}
