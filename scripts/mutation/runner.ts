/**
 * Runs each test as it is, and then once for each mutant that it reached, in the same process. The log is written line by
 * line, because the parent ends a process that hangs.
 *
 * A mutant counts as noticed only if the test fails twice with it, and passes again afterwards. Otherwise an earlier mutant
 * may have left something behind, and this one runs again as the first of a new process.
 */
import * as fs from "node:fs"
import { type RunnerTestCase, TestRunner } from "vitest"
import { type Line, type Plan, planFile } from "./plan.ts"

const { budget, known, log, mutants, only, slow, ...plan } = JSON.parse(fs.readFileSync(planFile, "utf8")) as Plan
const { appendFileSync } = fs
const write = (line: Line): void => appendFileSync(log, `${JSON.stringify(line)}\n`)

const open = new Set(mutants)
const spent = new Map(Object.entries(plan.spent).map(([id, millis]) => [Number(id), millis]))
let active = only
const loaded = new Set<number>()
let reached = loaded
Object.assign(globalThis, {
  $mutant: (id: number): boolean => {
    reached.add(id)
    return id === active
  }
})

/** Runs a test, and returns the message of its failure. */
const failureOf = async (run: () => unknown): Promise<string | undefined> => {
  try {
    await run()
    return undefined
  } catch (error) {
    return String(error instanceof Error ? error.message : error).slice(0, 200)
  }
}

const end = (): void => void process.kill(process.pid, "SIGKILL")

export default class extends TestRunner {
  #ran = 0
  /** What a test noticed as the first of the process, which nothing can have disturbed. */
  #first: number | undefined
  /** What the test has noticed since it last passed. */
  #noticed: Array<Line & { readonly type: "killed" }> = []

  async runTask(test: RunnerTestCase): Promise<void> {
    const run = TestRunner.getTestFn(test)
    if (only !== undefined) return await this.#runOnly(only, test, run)
    const left = known[test.id]
    if (left?.every((id) => !open.has(id))) return
    write({ type: "test", test: test.id, limit: 300_000, pid: process.pid, at: Date.now() })
    const begin = performance.now()
    reached = new Set()
    const failure = await failureOf(run)
    const millis = performance.now() - begin
    if (failure !== undefined && this.#ran > 0) {
      // An earlier mutant has left something behind. The test runs again as the first of a new process.
      write({ type: "again", test: test.id })
      return end()
    }
    const ids = failure === undefined ? left ?? [...reached] : []
    write({ type: "reached", test: test.id, ids, millis })
    if (left === undefined && millis > slow) return
    for (const id of ids.filter((id) => open.has(id) && (spent.get(id) ?? 0) < budget)) {
      const limit = Math.round(5 * millis + 3000)
      write({ type: "mutant", test: test.id, id, limit, pid: process.pid, at: Date.now() })
      this.#ran++
      active = id
      // Twice, because a test may fail by chance, or when it runs for the second time in a process.
      let noticed = await failureOf(run)
      if (noticed !== undefined) noticed = await failureOf(run)
      active = undefined
      spent.set(id, (spent.get(id) ?? 0) + millis)
      if (noticed === undefined) {
        this.#confirm()
        write({ type: "passed", test: test.id, id })
      } else {
        open.delete(id)
        if (this.#ran === 1) this.#first = id
        this.#noticed.push({ type: "killed", id, by: `${test.name}: ${noticed}` })
        if (this.#noticed.length === 8) await this.#check(test, run)
      }
    }
    await this.#check(test, run)
  }

  #confirm(): void {
    for (const line of this.#noticed.splice(0)) write(line)
  }

  async #check({ id: test }: RunnerTestCase, run: () => unknown): Promise<void> {
    if (this.#noticed.length === 0) return
    if (await failureOf(run) === undefined) return this.#confirm()
    // The parent puts each of them in front of the others.
    for (const line of this.#noticed.toReversed()) {
      write(line.id === this.#first ? line : { type: "retry", test, id: line.id })
    }
    end()
  }

  async #runOnly(id: number, { id: test, name }: RunnerTestCase, run: () => unknown): Promise<void> {
    write({ type: "mutant", test, id, limit: 60_000, pid: process.pid, at: Date.now() })
    const noticed = await failureOf(run)
    if (noticed === undefined) return write({ type: "passed", test, id })
    write({ type: "killed", id, by: `${name}: ${noticed}` })
    end()
  }

  onCollected(files: ReadonlyArray<{ readonly result?: { readonly state: string } }>): void {
    if (only === undefined || !files.some(({ result }) => result?.state === "fail")) return
    write({ type: "killed", id: only, by: "the modules do not load" })
    end()
  }

  override onAfterRunFiles(files: Parameters<TestRunner["onAfterRunFiles"]>[0]): void {
    if (only === undefined) write({ type: "end", loaded: [...loaded] })
    super.onAfterRunFiles(files)
  }
}
