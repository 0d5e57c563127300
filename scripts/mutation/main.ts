/**
 * Changes the sources a little, and counts the changes that no test notices.
 *
 *     npm run test:mutation -- [files or folders of src] [options]
 *
 *     --sample N      N mutants of each folder, chosen by the seed, instead of all
 *     --seed TEXT     another choice of the sample
 *     --minutes N     starts no test file after N minutes; what is not killed then has survived
 *     --tests REGEXP  only these test files, which shows a lower bound
 *     --slow N        leaves out tests that take more than N seconds without a mutant (10 by default)
 *     --budget N      runs no more tests of a mutant that has survived N seconds of them (20 by default)
 *     --alone N       runs each survivor alone, from the start of a process, with at most N test files (4 by default)
 *     --fresh         forgets what was killed in an earlier run
 *
 * All mutants are compiled into the sources, each behind a switch. A test runs once to find out which mutants it reaches,
 * and then once for each of them, in the same process. The fastest test files come first, and a mutant that was killed
 * does not run again. What was killed is remembered in `.mutation` as long as the source file stays the same, so a second
 * run tries the survivors only. `scripts/mutation/result.json` has the last result of each whole folder.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { equivalents } from "./equivalents.ts"
import { type Mutant, mutantsOf } from "./mutants.ts"
import { folder, root } from "./plan.ts"
import { startTests } from "./tests.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string" },
    seed: { type: "string", default: "0" },
    minutes: { type: "string", default: "600" },
    tests: { type: "string", default: "" },
    slow: { type: "string", default: "10" },
    budget: { type: "string", default: "20" },
    alone: { type: "string", default: "4" },
    fresh: { type: "boolean", default: false }
  }
})

const natural = (name: "sample" | "minutes" | "slow" | "budget" | "alone"): number => {
  const value = Number(values[name])
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`--${name} must be a natural number`)
  return value
}

const sample = values.sample === undefined ? Infinity : natural("sample")
const slow = natural("slow") * 1000
const alone = natural("alone")
const end = Date.now() + natural("minutes") * 60_000

interface Job {
  readonly id: number
  readonly file: string
  readonly text: string
  readonly mutant: Mutant
  readonly key: string
}

const hashOf = (...parts: ReadonlyArray<unknown>): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16)

const filesUnder = (name: string, ending: string): ReadonlyArray<string> =>
  fs.readdirSync(path.join(root, name), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending)).map((file) => path.join(name, file)).toSorted()

const read = <A>(file: string, otherwise: A): A =>
  fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) as A : otherwise

const isChosen = (file: string): boolean =>
  positionals.length === 0 || positionals.some((given) => file.startsWith(path.normalize(given)))

let nextId = 1
const all: ReadonlyArray<Job> = filesUnder("src", ".ts")
  .filter(isChosen)
  .flatMap((file) => {
    const text = fs.readFileSync(path.join(root, file), "utf8")
    return mutantsOf(file, text).map((mutant) => ({
      id: nextId++,
      file,
      text,
      mutant,
      key: hashOf(file, text, mutant)
    }))
  })
if (all.length === 0) throw new RangeError(`no source file begins with ${positionals.join(" or ")}`)

const folderOf = ({ file }: Job): string => path.dirname(file)
const folders = Map.groupBy(all, folderOf)
const lineOf = ({ mutant, text }: Job): string => text.split("\n")[mutant.line - 1]!.trim()
const isSame = (one: Job, other: Job): boolean =>
  one.file === other.file && lineOf(one) === lineOf(other) && one.mutant.original === other.mutant.original &&
  one.mutant.replacement === other.mutant.replacement
const isEquivalent = (job: Job): boolean =>
  equivalents.some(({ file, line, nth, original, replacement }) =>
    file === job.file && line === lineOf(job) && original === job.mutant.original &&
    replacement === job.mutant.replacement &&
    (nth === undefined || all.filter((other) => isSame(other, job)).indexOf(job) === nth)
  )
const describe = ({ file, mutant: { line, original, replacement } }: Job): string => {
  const short = (text: string) => text.replace(/\s+/g, " ").slice(0, 80)
  return `${file}:${line}: ${short(original)} → ${short(replacement)}`
}

// The choice of a mutant does not change if another file does.
const rank = ({ file, mutant: { code, start } }: Job): string => hashOf(values.seed, file, start, code)
const chosen = [...folders.values()].flatMap((jobs) =>
  jobs.map((job) => ({ job, rank: rank(job) })).toSorted((a, b) => a.rank < b.rank ? -1 : 1)
    .slice(0, sample).map(({ job }) => job)
)
const equivalent = new Set(chosen.filter(isEquivalent))

fs.mkdirSync(folder, { recursive: true })
const killedFile = path.join(folder, "killed.json")
const killed = new Map(Object.entries(values.fresh ? {} : read<Record<string, "killed" | "timeout">>(killedFile, {})))
const isOpen = (job: Job): boolean => !equivalent.has(job) && !killed.has(job.key)

const byId = new Map(chosen.map((job) => [job.id, job]))
const reachedBy = new Map<Job, Set<string>>()
const loadedBy = new Map<Job, Set<string>>()
const begun = Date.now()
const toRun = chosen.filter(isOpen)
console.log(`${chosen.length} of ${all.length} mutants, ${toRun.length} of them to run`)

const tests = await startTests(
  [...Map.groupBy(toRun, ({ file }) => file)].map(([file, jobs]) => ({
    file,
    mutants: jobs.map(({ id, mutant }) => [id, mutant] as const)
  })),
  natural("budget") * 1000
)

const run = async (
  file: string,
  jobs: ReadonlyArray<Job>,
  options: { readonly only?: number; readonly slow: number }
): Promise<void> => {
  const found = await tests.runFile(file, jobs.map(({ id }) => id), options)
  for (const [id, by] of found.killed) {
    killed.set(byId.get(id)!.key, "killed")
    console.log(`killed ${describe(byId.get(id)!)} (${by.replace(/\s+/g, " ")})`)
  }
  for (const id of found.timeouts) {
    killed.set(byId.get(id)!.key, "timeout")
    console.log(`timeout ${describe(byId.get(id)!)}`)
  }
  fs.writeFileSync(killedFile, JSON.stringify(Object.fromEntries(killed)))
  for (const [ids, map] of [[found.reached, reachedBy], [found.loaded, loadedBy]] as const) {
    for (const id of ids) map.set(byId.get(id)!, (map.get(byId.get(id)!) ?? new Set()).add(file))
  }
}

// A program in a process of its own has no mutants.
const startsPrograms = /^test\/(?:examples\/|stalledFinalizers\.|testing\/LeakDetector\.program\.)/
const testFiles = filesUnder("test", ".test.ts")
  .filter((file) => new RegExp(values.tests).test(file) && !startsPrograms.test(file))
const isSlow = /property|model|fuzz|realHeap|packages|cpython|enumeration|retainers/
// The fast tests of all files come before the slow ones of any: they kill most mutants.
for (const limit of [20, 200, 1000, slow]) {
  const ids = toRun.filter(isOpen).map(({ id }) => id)
  const costs = testFiles.map((file) => ({
    file,
    cost: tests.costOf(file, ids, limit) ?? (limit < 1000 && isSlow.test(file) ? 0 : 1)
  }))
  for (const { file } of costs.filter(({ cost }) => cost > 0).toSorted((a, b) => a.cost - b.cost)) {
    const open = toRun.filter(isOpen)
    if (Date.now() > end || open.length === 0) break
    const begin = Date.now()
    await run(file, open, { slow: limit })
    const seconds = Math.round((Date.now() - begin) / 1000)
    console.log(`${file} to ${limit} ms: ${seconds} s, ${toRun.filter(isOpen).length} mutants left`)
  }
}

// Some code runs once in a process: a mutant of it must be active before the modules are loaded.
for (const job of toRun.filter(isOpen)) {
  const name = path.basename(job.file, ".ts").toLowerCase()
  const nearness = (file: string) =>
    Number(file.toLowerCase().includes(name)) + Number(file.toLowerCase().endsWith(`/${name}.test.ts`))
  const files = [...reachedBy.get(job) ?? [], ...loadedBy.get(job) ?? []].toSorted((a, b) => nearness(b) - nearness(a))
  for (const file of new Set(files.slice(0, alone))) {
    if (Date.now() > end || !isOpen(job)) break
    await run(file, [job], { only: job.id, slow })
  }
}
await tests.close()

/** Returns the bounds in which the score of the whole folder is with a probability of 95 % (Wilson's interval). */
const intervalOf = (hits: number, of: number): readonly [number, number] => {
  const z = 1.96
  const share = hits / of
  const middle = share + z * z / (2 * of)
  const half = z * Math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
  const bound = (value: number) => Math.abs(Math.round(1000 * value / (1 + z * z / of))) / 10
  return [bound(middle - half), bound(middle + half)]
}

interface FolderResult {
  readonly command: string
  readonly date: string
  readonly mutants: number
  readonly sample: number
  readonly killed: number
  readonly timeout: number
  readonly survived: number
  readonly equivalent: number
  readonly score: number
  readonly interval: readonly [number, number]
  readonly survivors: ReadonlyArray<string>
}

const stored = path.join(import.meta.dirname, "result.json")
const results = read<Record<string, FolderResult>>(stored, {})
const quoted = (argument: string): string => /[^\w./=-]/.test(argument) ? `'${argument}'` : argument
const options = process.argv.slice(2).map(quoted).join(" ").replace(/ ?--(?:fresh|minutes[ =]\d+)/g, "").trim()
for (const [name, jobs] of Map.groupBy(chosen, folderOf)) {
  // A run of some files says nothing of their folder. An index has no mutants.
  const own = filesUnder("src", ".ts").filter((file) => path.dirname(file) === name && !file.endsWith("index.ts"))
  if (!own.every(isChosen)) continue
  const count = (status: "killed" | "timeout") => jobs.filter(({ key }) => killed.get(key) === status).length
  const survivors = jobs.filter(isOpen)
  const hits = count("killed") + count("timeout")
  const of = hits + survivors.length
  results[name] = {
    command: `npm run test:mutation${options === "" ? "" : ` -- ${options}`}`,
    date: new Date().toISOString().slice(0, 10),
    mutants: folders.get(name)!.length,
    sample: jobs.length,
    killed: count("killed"),
    timeout: count("timeout"),
    survived: survivors.length,
    equivalent: jobs.filter((job) => equivalent.has(job)).length,
    score: Math.round(1000 * hits / of) / 10,
    interval: intervalOf(hits, of),
    survivors: survivors.map(describe)
  }
}
const sorted = Object.entries(results).toSorted(([a], [b]) => a < b ? -1 : 1)
fs.writeFileSync(stored, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
console.table(Object.fromEntries(
  Object.entries(results).map(([name, { command: _, survivors: __, ...figures }]) => [name, figures])
))
console.log(`${((Date.now() - begun) / 1000 / Math.max(1, toRun.length)).toFixed(2)} seconds a mutant`)
