/**
 * Starts the processes, loads them with `autocannon`, changes documents, kills a process, stops Redis, and checks every answer.
 *
 * Everything listens on 127.0.0.1. The number of processes, the rate and the time are bounded, and all processes end with this one.
 */
import autocannon from "autocannon"
import { Effect, Fiber, type Scope } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { sourceOf } from "./Document.ts"
import type { Counts } from "./Documents.ts"
import * as RedisServer from "./RedisServer.ts"
import type { Settings } from "./server.ts"

export interface Options {
  readonly redis: boolean
  /** Without Redis, the processes share their renderings in a file of SQLite. */
  readonly sqlite?: boolean
  /** How long the load lasts. The process is killed, and Redis stopped, in the middle. */
  readonly seconds: number
  readonly processes?: number
  readonly documents?: number
}

export interface Report {
  readonly redis: boolean
  readonly requests: number
  /** Failed requests of the processes that live, the restarted one included. */
  readonly failed: number
  readonly counts: Counts
  readonly memory: ReadonlyArray<number>
  readonly changes: number
  /** Milliseconds from the answer to a change until a process serves the new version. */
  readonly staleness: { readonly median: number; readonly p99: number; readonly samples: number }
  /** The same while Redis was down, and until the processes listened again. */
  readonly stalenessInOutage: { readonly max: number; readonly samples: number }
  /** Milliseconds from the start of Redis until all processes listened again. */
  readonly resumedAfter: number | undefined
  /** The longest that an answer may be out of date, in milliseconds. */
  readonly bound: number
  readonly staleAfterBound: number
  readonly wrong: number
}

const timeToLive = 1500

/** A value can be as old as its time to live, and its lookup can have begun before the change. */
const bound = timeToLive + 1500

const ratePerProcess = 150

interface Answer {
  readonly id: string
  readonly version: number
  readonly section: { readonly html: string }
}

export const run = (options: Options): Effect.Effect<Report> => Effect.scoped(drive(options))

const drive = Effect.fnUntraced(function*(options: Options) {
  const { processes = 3, documents = 60, seconds } = options
  const directory = yield* temporaryDirectory
  const ids = Array.from({ length: documents }, (_, n) => `doc${n}`)
  for (const id of ids) {
    fs.writeFileSync(path.join(directory, `${id}@1.txt`), sourceOf(id, 1))
    fs.writeFileSync(path.join(directory, `${id}.version`), "1")
  }
  const redis = options.redis ? yield* RedisServer.make : undefined

  const services: Array<Service> = []
  for (let n = 0; n < processes; n++) {
    services.push(
      yield* makeService({
        port: yield* RedisServer.freePort,
        directory,
        redis: redis?.port,
        sqlite: options.sqlite ? path.join(directory, "renderings.sqlite") : undefined,
        capacity: 20,
        timeToLive
      })
    )
  }
  const victim = services.at(-1)!

  // What the driver knows of the truth: when the answer to the change to each version arrived.
  const history = new Map(ids.map((id) => [id, [{ version: 1, at: 0 }]]))
  let wrong = 0
  let staleAfterBound = 0
  const check = (id: string, startedAt: number, answer: Answer): void => {
    if (answer.id !== id || !answer.section.html.includes(`${id}@${answer.version}&gt;`)) wrong++
    const isLate = history.get(id)!.some(({ at, version }) => version > answer.version && at + bound < startedAt)
    if (isLate) staleAfterBound++
  }

  // The load

  const endsAt = performance.now() + seconds * 1000
  const loadOn = (service: Service) => {
    const context: { id: string; startedAt: number } = { id: "", startedAt: 0 }
    const clients: Array<autocannon.Client> = []
    const result = autocannon({
      url: service.url,
      connections: 4,
      duration: Math.max(1, (endsAt - performance.now()) / 1000),
      overallRate: ratePerProcess,
      timeout: 10,
      initialContext: context,
      setupClient: (client) => void clients.push(client),
      requests: [{
        setupRequest: (request, context) => {
          const id = pick(ids)
          Object.assign(context, { id, startedAt: performance.now() })
          return { ...request, path: `/documents/${id}?section=${Math.floor(Math.random() * 40)}` }
        },
        onResponse: (status, body, context) => {
          // The context is what `setupRequest` made of it.
          const { id, startedAt } = context as typeof context & { id: string; startedAt: number }
          if (status === 200) check(id, startedAt, JSON.parse(body) as Answer)
        }
      }]
    })
    // A client whose server is gone would connect again without a pause. The types lack `destroy`.
    const stop = () => clients.forEach((client) => (client as autocannon.Client & { destroy(): void }).destroy())
    return { result, stop }
  }
  const onOthers = services.filter((service) => service !== victim).map(loadOn)
  const onVictim = [loadOn(victim)]

  // Changes, one at a time

  const staleness: Array<number> = []
  const inOutage: Array<number> = []
  let isOutage = false
  let changes = 0

  /** Asks until the new version is there. Returns how long the old one was served, or `undefined` if the process was killed. */
  const probe = async (
    service: Service,
    id: string,
    version: number,
    changedAt: number
  ): Promise<number | undefined> => {
    for (;;) {
      const startedAt = performance.now()
      const answer = await service.get(id)
      if (answer === undefined) return undefined
      check(id, startedAt, answer)
      const staleFor = Math.max(0, startedAt - changedAt)
      if (answer.version >= version || staleFor > 2 * bound) return staleFor
      await sleep(2)
    }
  }

  const change = async (): Promise<void> => {
    const id = pick(ids)
    const alive = services.filter((service) => service.isUp)
    const changer = alive[changes % alive.length]!
    const beganInOutage = isOutage
    const version = await changer.put(id)
    if (version === undefined) return
    const changedAt = performance.now()
    history.get(id)!.push({ version, at: changedAt })
    changes++
    const samples = (await Promise.all(alive.map((service) => probe(service, id, version, changedAt))))
      .filter((sample) => sample !== undefined)
    ;(beganInOutage || isOutage ? inOutage : staleness).push(...samples)
  }

  const changing = yield* Effect.forkChild(Effect.promise(async () => {
    while (performance.now() < endsAt - 300) {
      await change()
      await sleep(40)
    }
  }))

  // The accidents

  const lost: Array<Counts> = []
  yield* Effect.sleep(seconds * 250)
  const last = yield* Effect.promise(() => victim.counts())
  if (last !== undefined) lost.push(last)
  // The load stops with the process, in the middle of requests.
  yield* Effect.all([victim.kill, Effect.sync(onVictim[0]!.stop)], { concurrency: 2 })
  yield* Effect.sleep(seconds * 80)
  yield* victim.start
  onVictim.push(loadOn(victim))

  let resumedAfter: number | undefined
  if (redis !== undefined) {
    yield* Effect.sleep(seconds * 100)
    isOutage = true
    yield* redis.stop
    yield* Effect.sleep(seconds * 150)
    yield* redis.start
    const startedAt = performance.now()
    yield* Effect.promise(async () => {
      while (performance.now() < startedAt + 12_000) {
        const counts = await Promise.all(services.map((service) => service.counts()))
        if (counts.every((counts) => counts?.isListening)) break
        await sleep(20)
      }
    })
    resumedAfter = performance.now() - startedAt
    isOutage = false
  }

  // The results

  const results = yield* Effect.promise(() => Promise.all(onOthers.map(({ result }) => result)))
  const resultsOfVictim = yield* Effect.promise(() => Promise.all(onVictim.map(({ result }) => result)))
  yield* Fiber.join(changing)
  const counts = (yield* Effect.promise(() => Promise.all(services.map((service) => service.counts()))))
    .filter((counts) => counts !== undefined)
  const failuresOf = (results: ReadonlyArray<autocannon.Result>) =>
    results.reduce((sum, result) => sum + result.errors + result.timeouts + result.non2xx, 0)
  const sorted = staleness.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
  return {
    redis: options.redis,
    requests: [...results, ...resultsOfVictim].reduce((sum, result) => sum + result.requests.total, 0),
    failed: failuresOf([...results, ...resultsOfVictim.slice(1)]),
    counts: [...counts, ...lost].reduce<Counts>(add, none),
    memory: counts.map(({ memory }) => memory),
    changes,
    staleness: { median: at(0.5), p99: at(0.99), samples: sorted.length },
    stalenessInOutage: { max: Math.max(0, ...inOutage), samples: inOutage.length },
    resumedAfter,
    bound,
    staleAfterBound,
    wrong
  }
})

const none: Counts = { requests: 0, fromMemory: 0, lookups: 0, fromStore: 0, renders: 0, withoutStore: 0, alive: 0 }

const add = (a: Counts, b: Counts): Counts => ({
  requests: a.requests + b.requests,
  fromMemory: a.fromMemory + b.fromMemory,
  lookups: a.lookups + b.lookups,
  fromStore: a.fromStore + b.fromStore,
  renders: a.renders + b.renders,
  withoutStore: a.withoutStore + b.withoutStore,
  alive: a.alive + b.alive
})

/** Few documents are asked for often, and many seldom. */
const pick = (ids: ReadonlyArray<string>): string => ids[Math.floor(ids.length * Math.random() ** 3)]!

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "shared-documents-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true }))
)

interface Service {
  readonly url: string
  readonly isUp: boolean
  readonly get: (id: string) => Promise<Answer | undefined>
  readonly put: (id: string) => Promise<number | undefined>
  readonly counts: () => Promise<(Counts & { readonly memory: number; readonly isListening: boolean }) | undefined>
  readonly start: Effect.Effect<void>
  readonly kill: Effect.Effect<void>
}

const makeService = Effect.fnUntraced(function*(settings: Settings): Effect.fn.Return<Service, never, Scope.Scope> {
  let child: ChildProcess | undefined
  const url = `http://127.0.0.1:${settings.port}`
  const request = async <A>(path: string, method = "GET"): Promise<A | undefined> => {
    try {
      const response = await fetch(`${url}${path}`, { method, signal: AbortSignal.timeout(10_000) })
      return response.ok ? await response.json() as A : undefined
    } catch {
      // The process was killed.
      return undefined
    }
  }
  const service = {
    url,
    isUp: false,
    get: (id: string) => request<Answer>(`/documents/${id}`),
    put: (id: string) =>
      request<{ readonly version: number }>(`/documents/${id}`, "PUT").then((answer) => answer?.version),
    counts: () => request<Counts & { readonly memory: number; readonly isListening: boolean }>("/counts"),
    start: Effect.promise(async () => {
      child = fork(path.join(import.meta.dirname, "server.ts"), [JSON.stringify(settings)], {
        stdio: ["ignore", "inherit", "inherit", "ipc"]
      })
      await Promise.race([once(child, "message"), once(child, "exit")])
      if (child.exitCode !== null) throw new Error(`A process of the service ended with ${child.exitCode}`)
      service.isUp = true
    }),
    kill: Effect.promise(async () => {
      service.isUp = false
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, "exit")
      child.kill("SIGKILL")
      await exited
    })
  }
  yield* Effect.acquireRelease(service.start, () => service.kill)
  return service
})
