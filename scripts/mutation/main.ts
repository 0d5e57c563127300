/**
 * Changes the sources a little, and counts the changes that no test notices.
 *
 *     npm run test:mutation -- [files or folders of src] [options]
 *
 *     --sample N      at most N mutants of each file, chosen by the seed
 *     --seed TEXT     another choice of the sample
 *     --minutes N     starts no mutant after N minutes
 *     --parallel N    how many mutants run at once (2 by default)
 *     --tests REGEXP  only these test files
 *     --name REGEXP   only tests with these names, for a quick look: the result is not stored
 *     --fresh         runs mutants again whose result is known
 *
 * Each mutant runs the test files that cover its line. Results are remembered in `.mutation` as long as the source file
 * and the covering test files stay the same, so a run that was stopped goes on. `scripts/mutation/result.json` has the
 * last result of each file, with the mutants that survived, and the score of each folder.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { coverageOf, hashOf, type TestFile } from "./coverage.ts"
import { equivalents } from "./equivalents.ts"
import { type Mutant, mutantsOf } from "./mutants.ts"
import { copyTo, defaultSlots, folder, forEachParallel, root, runTests } from "./project.ts"

type Status = "killed" | "timeout" | "survived" | "uncovered" | "equivalent"

interface FileResult {
  readonly date: string
  readonly hash: string
  /** How many mutants the file has. Those that have not run are not counted below. */
  readonly mutants: number
  readonly killed: number
  readonly timeout: number
  readonly survived: number
  readonly uncovered: number
  readonly equivalent: number
  readonly survivors: ReadonlyArray<string>
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string" },
    seed: { type: "string", default: "0" },
    minutes: { type: "string", default: "600" },
    parallel: { type: "string", default: String(defaultSlots) },
    tests: { type: "string" },
    name: { type: "string" },
    fresh: { type: "boolean", default: false }
  }
})

const positive = (name: string, text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name} must be a positive integer`)
  return value
}

const slots = positive("parallel", values.parallel)
const end = Date.now() + positive("minutes", values.minutes) * 60_000
const sample = values.sample === undefined ? Infinity : positive("sample", values.sample)

const sources = fs.readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts")).map((file) => path.join("src", file))
  .filter((file) => positionals.length === 0 || positionals.some((given) => file.startsWith(path.normalize(given))))
  .toSorted()
if (sources.length === 0) throw new RangeError(`no source file begins with ${positionals.join(" or ")}`)

const tests = await coverageOf(values.tests === undefined ? undefined : new RegExp(values.tests), slots)

interface Job {
  readonly file: string
  readonly text: string
  readonly mutant: Mutant
  readonly covering: ReadonlyArray<TestFile>
  readonly key: string
}

const equivalentOf = ({ file, mutant, text }: Job) => {
  const line = text.split("\n")[mutant.line - 1]!.trim()
  return equivalents.find((known) =>
    known.file === file && known.line === line && known.original === mutant.original &&
    known.replacement === mutant.replacement
  )
}

const jobs: ReadonlyArray<Job> = sources.flatMap((file) => {
  const text = fs.readFileSync(path.join(root, file), "utf8")
  return mutantsOf(file, text)
    .map((mutant) => ({ mutant, order: hashOf(`${values.seed} ${mutant.start} ${mutant.replacement}`) }))
    .toSorted((a, b) => a.order < b.order ? -1 : 1)
    .slice(0, sample)
    .toSorted((a, b) => a.mutant.start - b.mutant.start)
    .map(({ mutant }) => {
      const covering = tests.filter(({ lines }) => lines[file]?.includes(mutant.line) ?? false)
        .toSorted((a, b) => a.millis - b.millis)
      const { end, replacement, start } = mutant
      const key = hashOf(JSON.stringify([
        text,
        start,
        end,
        replacement,
        covering.map(({ hash }) => hash).toSorted(),
        ...values.name === undefined ? [] : [values.name]
      ]))
      return { file, text, mutant, covering, key }
    })
})

fs.mkdirSync(path.join(folder, "mutants"), { recursive: true })
const cacheOf = ({ key }: Job): string => path.join(folder, "mutants", key)
const known = (job: Job): Status | undefined => {
  if (equivalentOf(job) !== undefined) return "equivalent"
  if (job.covering.length === 0) return "uncovered"
  return fs.existsSync(cacheOf(job)) ? fs.readFileSync(cacheOf(job), "utf8") as Status : undefined
}

const open = jobs.filter((job) => known(job) === undefined || (values.fresh && job.covering.length > 0))
console.log(`${jobs.length} mutants of ${sources.length} files, ${open.length} of them to run`)

const args = values.name === undefined ? [] : ["--testNamePattern", values.name]
const copies = open.length === 0 ? [] : Array.from({ length: slots }, (_, slot) => copyTo(`mutant-${slot}`))
let ran = 0
await forEachParallel(open, slots, async (job, slot) => {
  if (Date.now() > end) return
  const { covering, file, mutant, text } = job
  const copy = copies[slot]!
  const target = path.join(copy, file)
  fs.writeFileSync(target, text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end))
  const timeout = 30_000 + 4 * covering.reduce((sum, { millis }) => sum + millis, 0)
  // Most mutants die in the fastest file, so the others wait.
  let outcome: "passed" | "failed" | "timeout" = "passed"
  for (const files of [covering.slice(0, 1), covering.slice(1)]) {
    if (files.length === 0 || outcome !== "passed") continue
    outcome = (await runTests(copy, files.map(({ file }) => file), { args, timeout })).outcome
  }
  fs.writeFileSync(target, text)
  const status: Status = outcome === "passed" ? "survived" : outcome === "failed" ? "killed" : "timeout"
  fs.writeFileSync(cacheOf(job), status)
  ran++
  console.log(`${ran}/${open.length} ${status} ${describe(job)}`)
})

function describe({ file, mutant: { line, original, replacement } }: Job): string {
  const short = (text: string) => text.replace(/\s+/g, " ").slice(0, 60)
  return `${file}:${line}: ${short(original)} → ${short(replacement)}`
}

const stored = path.join(import.meta.dirname, "result.json")
const earlier = fs.existsSync(stored)
  ? JSON.parse(fs.readFileSync(stored, "utf8")) as { readonly files: Record<string, FileResult> }
  : { files: {} }
const files: Record<string, FileResult> = { ...earlier.files }
for (const file of sources) {
  const text = fs.readFileSync(path.join(root, file), "utf8")
  const all = mutantsOf(file, text).length
  const results = jobs.filter((job) => job.file === file).flatMap((job) => {
    const status = known(job)
    return status === undefined ? [] : [{ status, job }]
  })
  if (results.length === 0) continue
  const count = (status: Status) => results.filter((result) => result.status === status).length
  files[file] = {
    date: new Date().toISOString().slice(0, 10),
    hash: hashOf(text),
    mutants: all,
    killed: count("killed"),
    timeout: count("timeout"),
    survived: count("survived"),
    uncovered: count("uncovered"),
    equivalent: count("equivalent"),
    survivors: results.filter(({ status }) => status === "survived" || status === "uncovered")
      .map(({ job, status }) => `${status === "uncovered" ? "uncovered " : ""}${describe(job)}`)
  }
}

const folders: Record<string, { killed: number; of: number; score: number }> = {}
for (const [file, { killed, survived, timeout, uncovered }] of Object.entries(files)) {
  const name = path.dirname(file)
  const total = folders[name] ??= { killed: 0, of: 0, score: 0 }
  total.killed += killed + timeout
  total.of += killed + timeout + survived + uncovered
}
for (const total of Object.values(folders)) {
  total.score = total.of === 0 ? 0 : Math.round(1000 * total.killed / total.of) / 10
}

const sorted = <A>(record: Record<string, A>): Record<string, A> =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => a < b ? -1 : 1))
if (values.name === undefined) {
  fs.writeFileSync(stored, `${JSON.stringify({ folders: sorted(folders), files: sorted(files) }, null, 2)}\n`)
}
console.table(sorted(folders))
