/** Runs the tests with vitest, whose workers or pages run on the engine under test. */
import * as childProcess from "node:child_process"
import * as path from "node:path"
import type { Browser } from "./browsers/provider.ts"
import { root, versionOf } from "./install.ts"
import { type Outcome, readReport, type Request } from "./report.ts"
import { filesSkippedOn, type Host, reasonOf } from "./skipped.ts"

const vitest = path.join(root, "node_modules/vitest/vitest.mjs")

const run = (
  command: readonly [string, ...Array<string>],
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  { filters, milliseconds, report }: Request
): void => {
  const [file, ...first] = command
  childProcess.spawnSync(file, [...first, vitest, "run", ...args, ...filters], {
    cwd: root,
    env: { ...process.env, ...env, TEST_REPORT: report },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: milliseconds
  })
}

/** Vitest itself runs on the Node that started this script, because it does not support Node 20. */
export const onNode = (file: string, request: Request): Outcome => {
  run([process.execPath], [], { TEST_ENGINE: file }, request)
  return readReport(request, versionOf(file) ?? "", reasonOf)
}

const without = (host: Host): ReadonlyArray<string> =>
  filesSkippedOn(host).flatMap(({ name }) => ["--exclude", name.endsWith("/") ? `${name}**` : name])

export const onBun = (file: string, request: Request): Outcome => {
  run([file, "--bun"], ["--project", "unit", "--pool", "threads", ...without("bun")], { TEST_HOST: "bun" }, request)
  return readReport(request, versionOf(file) ?? "", reasonOf, filesSkippedOn("bun"))
}

export const onDeno = (file: string, request: Request): Outcome => {
  run(
    [file, "run", "-A", "--v8-flags=--expose-gc"],
    ["--project", "unit", ...without("deno")],
    { TEST_HOST: "deno" },
    request
  )
  return readReport(request, versionOf(file) ?? "", reasonOf, filesSkippedOn("deno"))
}

export const onBrowser = (browser: Browser, file: string, request: Request): Outcome => {
  const config = path.join(import.meta.dirname, "browsers", "config.ts")
  run([process.execPath], ["--config", config], { TEST_HOST: browser, TEST_BROWSER_FILE: file }, request)
  return readReport(request, versionOf(file) ?? "", reasonOf, filesSkippedOn("browser"))
}
