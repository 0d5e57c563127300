/** Starts the service, loads it from many clients, writes files meanwhile, and returns what both sides have counted. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import type { Settings } from "./Files.ts"
import type { Command, State } from "./server.ts"

export interface Report {
  readonly answers: number
  /** Answers 404, to requests for files that do not exist. */
  readonly missing: number
  readonly aborted: number
  readonly writes: number
  /** Answers that are neither a version nor an expected 404. The first ones. */
  readonly wrong: ReadonlyArray<string>
  /** Answers with a version that had been replaced half a second before the request. */
  readonly stale: number
  /** After a third of the time, at the end of the load, and after the service has closed the cache. */
  readonly first: State
  readonly last: State
  readonly closed: State
  /** How the process ended, by itself. */
  readonly exit: number | string
}

const fileCount = 300
const clients = 24

/** Without an answer, the service hangs. */
const patience = 30_000

const ask = async (service: ChildProcess, command?: Command): Promise<State> => {
  if (command !== undefined) service.send(command)
  const [state] = await once(service, "message", { signal: AbortSignal.timeout(patience) })
  return state
}

const sleep = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))

/** Popular ids are small. */
const someId = (): string => String(Math.floor(fileCount * Math.random() ** 3))

/** A slow machine goes on until it has so many answers. */
const fewestAnswers = 300

export const run = async (seconds: number): Promise<Report> => {
  const directory = await fs.mkdtemp(path.join(os.tmpdir(), "http-service-"))
  try {
    for (let id = 0; id < fileCount; id++) await fs.writeFile(path.join(directory, String(id)), "1".padEnd(16))
    return await load({ directory, capacity: 60, timeToLive: 1500 }, seconds)
  } finally {
    await fs.rm(directory, { recursive: true, force: true })
  }
}

const load = async (settings: Settings, seconds: number): Promise<Report> => {
  const service = fork(new URL("server.ts", import.meta.url), [JSON.stringify(settings)], {
    execArgv: ["--expose-gc"],
    execPath: process.execPath
  })
  const ended = once(service, "exit")
  try {
    const { port } = await ask(service)
    const url = (rest: string) => `http://127.0.0.1:${port}/${rest}`
    const until = performance.now() + seconds * 1000
    const written = new Map<string, { readonly version: number; readonly at: number }>()
    const wrong: Array<string> = []
    let reads = 0
    let answers = 0
    let missing = 0
    let aborted = 0
    let writes = 0
    let stale = 0

    const read = async () => {
      const n = reads++
      const id = n % 40 === 7 ? `missing-${n % 19}` : someId()
      const expected = written.get(id)
      const isSettled = expected !== undefined && performance.now() - expected.at > 500
      const signal = n % 30 === 11 ? AbortSignal.timeout(1 + Math.floor(4 * Math.random())) : undefined
      try {
        const response = await fetch(url(id), { ...signal && { signal } })
        const text = await response.text()
        if (response.status === 404 && id.startsWith("missing")) missing++
        else if (response.status !== 200 || !(Number(text) >= 1)) wrong.push(`${id}: ${response.status} ${text}`)
        else if (isSettled && Number(text) < expected.version) stale++
        answers++
      } catch (error) {
        if (signal?.aborted) aborted++
        else wrong.push(String(error))
      }
    }
    const write = async () => {
      const id = someId()
      const version = (written.get(id)?.version ?? 1) + 1
      const response = await fetch(url(`${id}/${version}`), { method: "PUT" })
      await response.text()
      if (response.status !== 200) wrong.push(`write: ${response.status}`)
      written.set(id, { version, at: performance.now() })
      writes++
    }
    const isOver = () => performance.now() >= until && answers >= fewestAnswers
    const reading = Array.from({ length: clients }, async () => {
      while (!isOver()) await read()
    })
    const writing = (async () => {
      while (!isOver()) {
        await write()
        await sleep(10)
      }
    })()
    await sleep(seconds * 1000 / 3)
    const first = await ask(service, "counts")
    await Promise.all([...reading, writing])
    const last = await ask(service, "counts")
    const closed = await ask(service, "end")
    const exit = await Promise.race([
      ended.then(([code, signal]) => code ?? signal),
      sleep(patience).then(() => "still running")
    ])
    return { answers, missing, aborted, writes, wrong: wrong.slice(0, 5), stale, first, last, closed, exit }
  } finally {
    service.kill("SIGKILL")
  }
}
