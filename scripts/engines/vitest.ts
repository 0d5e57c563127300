/** Runs the tests with vitest, whose workers or pages run on the engine under test. */
import * as childProcess from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import type { Browser } from "./browsers/provider.ts"
import { root, versionOf } from "./install.ts"
import { type Outcome, readReport, type Request } from "./report.ts"
import { filesSkippedOn, type Host, reasonOf } from "./skipped.ts"

const vitest = path.join(root, "node_modules/vitest/vitest.mjs")

const run = async (
  command: readonly [string, ...Array<string>],
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  { filters, milliseconds, report }: Request
): Promise<void> => {
  const [file, ...first] = command
  // A group of its own, because an engine in a loop ends only with its whole group.
  const child = childProcess.spawn(file, [...first, vitest, "run", ...args, ...filters], {
    cwd: root,
    env: { ...process.env, ...env, TEST_REPORT: report },
    stdio: ["ignore", "inherit", "inherit"],
    detached: process.platform !== "win32"
  })
  const stop = () => {
    try {
      process.kill(process.platform === "win32" ? child.pid! : -child.pid!, "SIGKILL")
    } catch {
      // Everything has ended.
    }
  }
  process.once("exit", stop)
  const timer = setTimeout(() => {
    console.error(`Stopped after ${milliseconds / 60_000} minutes`)
    stop()
  }, milliseconds)
  try {
    await once(child, "exit")
  } finally {
    clearTimeout(timer)
    process.off("exit", stop)
    stop()
  }
}

/** Vitest itself runs on the Node that started this script, because it does not support Node 20. */
export const onNode = async (file: string, request: Request): Promise<Outcome> => {
  await run([process.execPath], [], { TEST_ENGINE: file }, request)
  return readReport(request, versionOf(file) ?? "", reasonOf)
}

const without = (host: Host): ReadonlyArray<string> =>
  filesSkippedOn(host).flatMap(({ name }) => ["--exclude", name.endsWith("/") ? `${name}**` : name])

export const onBun = async (file: string, request: Request): Promise<Outcome> => {
  await run(
    [file, "--bun"],
    ["--project", "unit", "--pool", "threads", ...without("bun")],
    { TEST_HOST: "bun" },
    request
  )
  return readReport(request, versionOf(file) ?? "", reasonOf, filesSkippedOn("bun"))
}

export const onDeno = async (file: string, request: Request): Promise<Outcome> => {
  await run(
    [file, "run", "-A"],
    ["--project", "unit", ...without("deno")],
    // Unlike an argument, the variable reaches the workers too.
    { TEST_HOST: "deno", DENO_V8_FLAGS: "--expose-gc" },
    request
  )
  return readReport(request, versionOf(file) ?? "", reasonOf, filesSkippedOn("deno"))
}

export const onBrowser = async (browser: Browser, file: string, request: Request): Promise<Outcome> => {
  const config = path.join(import.meta.dirname, "browsers", "config.ts")
  await run([process.execPath], ["--config", config], { TEST_HOST: browser, TEST_BROWSER_FILE: file }, request)
  return readReport(request, versionOf(file) ?? "", reasonOf, filesSkippedOn("browser"))
}
