/** Finds out which test files run each line of the sources. Remembers it until a test file changes. */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { copyTo, folder, forEachParallel, root, runTests } from "./project.ts"

export interface TestFile {
  readonly file: string
  readonly hash: string
  readonly millis: number
  /** The lines that run, by source file. */
  readonly lines: Readonly<Record<string, ReadonlyArray<number>>>
}

/** The part of Istanbul's report that is used here. */
interface Report {
  readonly [file: string]: {
    readonly statementMap: Readonly<Record<string, { readonly start: Position; readonly end: Position }>>
    readonly s: Readonly<Record<string, number>>
  }
}

interface Position {
  readonly line: number
}

export const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16)

const testFiles = (): ReadonlyArray<string> =>
  fs.readdirSync(path.join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts")).map((file) => path.join("test", file)).toSorted()

/** Measures the given test files, or all. Prints those that fail without a mutant, because they can show nothing. */
export const coverageOf = async (only: RegExp | undefined, slots: number): Promise<ReadonlyArray<TestFile>> => {
  const stored = path.join(folder, "coverage")
  fs.mkdirSync(stored, { recursive: true })
  const found: Array<TestFile> = []
  const missing: Array<readonly [file: string, hash: string, cache: string]> = []
  for (const file of testFiles().filter((file) => only === undefined || only.test(file))) {
    const hash = hashOf(fs.readFileSync(path.join(root, file), "utf8"))
    const cache = path.join(stored, `${file.replaceAll(path.sep, "+")}.json`)
    const known = fs.existsSync(cache) ? JSON.parse(fs.readFileSync(cache, "utf8")) as TestFile : undefined
    if (known?.hash === hash) found.push(known)
    else missing.push([file, hash, cache])
  }
  if (missing.length === 0) return found
  const copies = Array.from({ length: slots }, (_, slot) => copyTo(`coverage-${slot}`))
  await forEachParallel(missing, slots, async ([file, hash, cache], slot) => {
    const copy = copies[slot]!
    const directory = path.join(copy, "coverage-report")
    const { millis, outcome, output } = await runTests(copy, [file], {
      args: [
        "--coverage.enabled",
        "--coverage.provider=v8",
        "--coverage.reporter=json",
        "--coverage.include=src/**",
        `--coverage.reportsDirectory=${directory}`
      ],
      timeout: 600_000
    })
    if (outcome !== "passed") {
      console.log(`${file} ${outcome} without a mutant, so it is not used:\n${output.slice(-1500)}`)
      return
    }
    const report = JSON.parse(fs.readFileSync(path.join(directory, "coverage-final.json"), "utf8")) as Report
    const lines = Object.fromEntries(
      Object.entries(report).map(([source, { s, statementMap }]) => {
        const run = Object.entries(statementMap).filter(([id]) => s[id]! > 0)
        const covered = new Set(
          run.flatMap(([, { end, start }]) =>
            Array.from({ length: end.line - start.line + 1 }, (_, index) => start.line + index)
          )
        )
        return [path.relative(copy, source), [...covered].toSorted((a, b) => a - b)] as const
      }).filter(([, lines]) => lines.length > 0)
    )
    const measured: TestFile = { file, hash, millis, lines }
    fs.writeFileSync(cache, JSON.stringify(measured))
    found.push(measured)
    console.log(`measured ${file} (${Math.round(millis / 1000)} s)`)
  })
  return found
}
