/** Runs the core suite in the shell of JavaScriptCore. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Outcome } from "../report.ts"
import { bundle, outcome, workFolder } from "./bundle.ts"

/** The globals that Effect needs and the shell of JavaScriptCore does not have. */
const prologue = `
{
  const { setTimeout } = globalThis
  const cancelled = new Set()
  let last = 0
  globalThis.setTimeout = (f, delay, ...args) => {
    const id = ++last
    setTimeout(() => cancelled.delete(id) || f(...args), delay)
    return id
  }
  globalThis.clearTimeout = (id) => void cancelled.add(id)
  globalThis.setInterval = (f, delay) => {
    const id = globalThis.setTimeout(function again() { f(); setTimeout(() => cancelled.delete(id) || again(), delay) }, delay)
    return id
  }
  globalThis.clearInterval = globalThis.clearTimeout
  globalThis.queueMicrotask = (f) => void Promise.resolve().then(f)
  globalThis.console = { log: print, error: print, warn: print, info: print, debug: print }
  globalThis.TextEncoder = class { encode(text) { return Uint8Array.from(unescape(encodeURIComponent(text)), (c) => c.charCodeAt(0)) } }
  globalThis.TextDecoder = class { decode(bytes) { return decodeURIComponent(escape(String.fromCharCode(...bytes))) } }
  globalThis.gc = fullGC
}
`

const epilogue = "runAll(tests).then((results) => { print(JSON.stringify(results)); quit() })"

export const onJsc = async (file: string, version: string): Promise<Outcome> => {
  const suite = await bundle({ prologue, epilogue, missing: ["EventTarget", "Event", "AbortController"] })
  const program = path.join(workFolder("jsc"), "suite.mjs")
  fs.writeFileSync(program, suite.code)
  const { stderr, stdout } = childProcess.spawnSync(file, ["-m", program], {
    encoding: "utf8",
    timeout: 5 * 60_000,
    maxBuffer: 2 ** 28
  })
  // Before the results, the shell prints what the examples log.
  const last = stdout.trimEnd().split("\n").at(-1)!
  if (!last.startsWith("[")) throw new Error(`The shell printed no results:\n${last}\n${stderr}`)
  return outcome(version, JSON.parse(last), suite)
}
