/** Drives a headless Chromium through its debugging pipe. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { Readable, Writable } from "node:stream"
import { chromiumArguments } from "../../scripts/engines/browsers/chromium.ts"

/** Returns the path of a Chromium, or `undefined` if the machine has none. */
export const findChromium = (): string | undefined => {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("which", [name], { encoding: "utf8" }).trim()
    } catch {
      // Tries the next name.
    }
  }
  return undefined
}

interface Reply {
  readonly id?: number
  readonly result?: any
  readonly error?: { readonly message: string }
}

export class Chromium {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #sent = 0
  #session: string | undefined

  private constructor(executable: string) {
    this.#profile = fs.mkdtempSync(path.join(os.tmpdir(), "chromium-"))
    this.#process = spawn(executable, [
      ...chromiumArguments(this.#profile),
      "--remote-debugging-pipe"
    ], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], detached: true })
    let rest = ""
    const output = this.#process.stdio[4] as Readable
    output.setEncoding("utf8").on("data", (chunk: string) => {
      const messages = (rest + chunk).split("\0")
      rest = messages.pop()!
      for (const message of messages) {
        const reply = JSON.parse(message) as Reply
        if (reply.id === undefined) continue
        this.#waiting.get(reply.id)?.(reply)
        this.#waiting.delete(reply.id)
      }
    })
    this.#process.on("exit", () => {
      for (const [id, settle] of this.#waiting) settle({ id, error: { message: "Chromium has ended" } })
    })
  }

  static async open(executable: string, url: string): Promise<Chromium> {
    const chromium = new Chromium(executable)
    try {
      const { targetId } = await chromium.send("Target.createTarget", { url: "about:blank" })
      const { sessionId } = await chromium.send("Target.attachToTarget", { targetId, flatten: true })
      chromium.#session = sessionId
      await chromium.send("Page.navigate", { url })
      return chromium
    } catch (error) {
      chromium.close()
      throw error
    }
  }

  /** Sends a command of the protocol to the page, such as `Emulation.setDeviceMetricsOverride`. */
  send(method: string, params: object): Promise<any> {
    const id = ++this.#sent
    const message = { id, method, params, ...(this.#session === undefined ? {} : { sessionId: this.#session }) }
    return new Promise((resolve, reject) => {
      this.#waiting.set(
        id,
        ({ error, result }) => error === undefined ? resolve(result) : reject(new Error(`${method}: ${error.message}`))
      )
      ;(this.#process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`)
    })
  }

  /** Evaluates an expression in the page, and waits for its promise. The console's functions are available. */
  async evaluate(expression: string): Promise<any> {
    const { exceptionDetails, result } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
      includeCommandLineAPI: true
    })
    if (exceptionDetails !== undefined) {
      throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
    }
    return result.value
  }

  close(): void {
    // The group, because the browser starts processes of its own.
    if (this.#process.pid !== undefined && this.#process.exitCode === null) process.kill(-this.#process.pid, "SIGKILL")
    fs.rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 })
  }
}
