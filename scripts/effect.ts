/**
 * Runs the tests with the lowest and with the latest version of Effect that
 * `peerDependencies` allows. Fails if a test fails with one of them.
 *
 *     npm run test:effect                                             all tests
 *     npm run test:effect -- test/internal/effectInternals.test.ts    the arguments are vitest's
 *
 * Each version is installed in a temporary copy of the files that Git knows, so that the
 * checkout stays as it is. Needs the npm registry, or a filled cache.
 */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")
const minutes = 60_000

const execute = (cwd: string, timeout: number, file: string, ...args: ReadonlyArray<string>): string =>
  childProcess.execFileSync(file, args, { cwd, timeout, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })

const isNewer = (a: string, b: string): boolean => a.localeCompare(b, "en", { numeric: true }) > 0

/** Returns the lowest and the latest released version in the peer range. */
const versions = (): ReadonlyArray<string> => {
  const { peerDependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))
  const printed = execute(root, minutes, "npm", "view", `effect@${peerDependencies.effect}`, "version", "--json")
  // npm prints one string instead of an array if only one version matches.
  const all = [JSON.parse(printed) as string | ReadonlyArray<string>].flat()
    .filter((version) => !version.includes("-"))
    .toSorted((a, b) => isNewer(a, b) ? 1 : -1)
  return [...new Set([all[0]!, all.at(-1)!])]
}

const copyTo = (folder: string): void => {
  const files = execute(root, minutes, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
  for (const file of files.split("\0")) {
    const source = path.join(root, file)
    if (file !== "" && fs.existsSync(source)) fs.cpSync(source, path.join(folder, file))
  }
}

/** Tests with one version. Returns whether all tests passed. */
const test = (version: string, filters: ReadonlyArray<string>): boolean => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "effect-weakref-effect-"))
  try {
    copyTo(folder)
    const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    execute(folder, 10 * minutes, "npm", "ci", ...quiet)
    execute(folder, 10 * minutes, "npm", "install", "--no-save", ...quiet, `effect@${version}`)
    const installed = JSON.parse(fs.readFileSync(path.join(folder, "node_modules/effect/package.json"), "utf8")).version
    if (installed !== version) throw new Error(`npm installed Effect ${installed} instead of ${version}`)
    console.log(`\n=== Effect ${version}`)
    const { status } = childProcess.spawnSync(
      process.execPath,
      [path.join(folder, "node_modules/vitest/vitest.mjs"), "run", "--project", "unit", ...filters],
      { cwd: folder, timeout: 20 * minutes, stdio: ["ignore", "inherit", "inherit"] }
    )
    return status === 0
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const tested = versions()
const failed = tested.filter((version) => !test(version, process.argv.slice(2)))
console.log(
  `\nTested with Effect ${tested.join(" and ")}${failed.length === 0 ? "" : `; failed with ${failed.join(" and ")}`}`
)
process.exitCode = failed.length === 0 ? 0 : 1
