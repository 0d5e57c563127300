/**
 * Compares `WeakCache` with a plain model on random scripts. A script has gets with fast, slow, failing and interrupted
 * lookups, set, refresh (shared, and in the background), invalidate, trim, time steps, collections and finalizations. After each step, the results of all
 * gets, the keys, the size, the statistics and the removals must agree.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { WeakCache } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

interface Value {
  readonly id: number
}

type Mode = "succeed" | "fail" | "interrupt" | "slow succeed" | "slow fail"

type Key = "a" | "b" | "c" | "d"

type Command =
  | { readonly type: "get" | "refresh"; readonly key: Key; readonly mode: Mode }
  | {
    readonly type: "getOption" | "getSuccess" | "peek" | "has" | "set" | "invalidate" | "invalidateWhen"
    readonly key: Key
  }
  | { readonly type: "trim" | "setCapacity"; readonly capacity: number }
  | { readonly type: "time"; readonly millis: number }
  /** Selects a running lookup, a waiting get or a created value. */
  | { readonly type: "release" | "interrupt" | "collect"; readonly which: number }
  | { readonly type: "invalidateAll" | "finalize" }

interface Settings {
  readonly capacity: number
  readonly maxWeight: number | undefined
  readonly timeToLive: number | undefined
  readonly failureTimeToLive: number | undefined
  readonly idleTimeToLive: number | undefined
  readonly refreshAfter: number | undefined
}

const weightOf = (id: number): number => id % 4

// the model

interface ModelEntry {
  readonly key: Key
  stored: "value" | "failure" | undefined
  id: number
  dead: boolean
  load: ModelLoad | undefined
  expiresAt: number
  refreshesAt: number
  usedAt: number
}

interface ModelLoad {
  readonly id: number
  readonly key: Key
  readonly fails: boolean
  readonly isRefresh: boolean
  /** Whether a refresh started the lookup, even of a key without an entry. */
  readonly isByRefresh: boolean
  readonly isBackground: boolean
  entry: ModelEntry | undefined
  outdated: boolean
  waiters: Array<Waiter>
}

interface Waiter {
  result: string
  readonly isOption: boolean
  load: ModelLoad | undefined
}

class Model {
  now = 0
  readonly entries = new Map<Key, ModelEntry>()
  /** In order of use, the least recently used first. */
  front: Array<ModelEntry> = []
  loads: Array<ModelLoad> = []
  waiters: Array<Waiter> = []
  removals: Array<string> = []
  /** Keys whose dead entry an operation has found. */
  found: Array<Key> = []
  /** Entries whose clean-up has not run yet. */
  queue: Array<ModelEntry> = []
  capacity: number
  hits = 0
  misses = 0
  succeeded = 0
  failed = 0
  collected = 0
  expired = 0
  demoted = 0
  sets = 0
  interrupted = 0
  replaced = 0
  invalidated = 0
  unstored = 0
  readonly settings: Settings

  constructor(settings: Settings) {
    this.settings = settings
    this.capacity = settings.capacity
  }

  isLive(entry: ModelEntry | undefined): entry is ModelEntry {
    return entry !== undefined && (entry.load !== undefined || !entry.dead)
  }

  current(key: Key): ModelEntry | undefined {
    const entry = this.entries.get(key)
    const isValue = entry?.stored === "value"
    if (entry === undefined || this.isLive(entry)) return entry
    this.collected++
    if (isValue) this.found.push(key)
    this.remove(entry, undefined)
    return undefined
  }

  remove(entry: ModelEntry, cause: string | undefined): void {
    if (this.entries.get(entry.key) === entry) this.entries.delete(entry.key)
    this.front = this.front.filter((other) => other !== entry)
    this.queue = this.queue.filter((other) => other !== entry)
    if (entry.stored === "value" && cause !== undefined) this.removals.push(`${entry.key} ${cause}`)
    if (entry.stored === "value" && cause === "replaced") this.replaced++
    if (entry.stored === "value" && cause === "invalidated") this.invalidated++
    entry.stored = undefined
  }

  detach(load: ModelLoad): void {
    load.outdated = true
    if (load.entry !== undefined) {
      if (this.entries.get(load.key) === load.entry) this.entries.delete(load.key)
      load.entry.load = undefined
      load.entry = undefined
    }
  }

  use(entry: ModelEntry): void {
    this.front = this.front.filter((other) => other !== entry)
    const weight = entry.stored === "failure" ? 1 : weightOf(entry.id)
    const fits = this.capacity > 0 && (this.settings.maxWeight === undefined || weight <= this.settings.maxWeight)
    if (!fits) {
      if (entry.stored === "failure") this.remove(entry, undefined)
      return
    }
    this.front.push(entry)
    entry.usedAt = this.now
    this.evict()
  }

  evict(): void {
    const weight = () =>
      this.front.reduce((sum, entry) => sum + (entry.stored === "failure" ? 1 : weightOf(entry.id)), 0)
    while (this.front.length > this.capacity || weight() > (this.settings.maxWeight ?? Infinity)) {
      this.release(this.front[0]!)
    }
  }

  release(entry: ModelEntry): void {
    this.front = this.front.filter((other) => other !== entry)
    this.demoted++
    if (entry.stored === "failure") this.remove(entry, undefined)
  }

  resultOf(entry: ModelEntry): string {
    return `${entry.stored} ${entry.id}`
  }

  get(key: Key, kind: "get" | "getOption" | "getSuccess", start: () => { id: number; mode: Mode }): Waiter {
    const waiter: Waiter = { result: "waiting", isOption: kind !== "get", load: undefined }
    this.waiters.push(waiter)
    const found = this.entries.get(key)
    if (this.isLive(found) && found.load === undefined) {
      this.hits++
      waiter.result = kind === "getSuccess" && found.stored === "failure" ? "none" : this.resultOf(found)
      this.use(found)
      if (kind === "get" && this.now >= found.refreshesAt) this.refreshLater(found, start)
      return waiter
    }
    this.misses++
    if (kind === "getSuccess") {
      waiter.result = "none"
      return waiter
    }
    const entry = this.current(key)
    const refresh = this.refreshOf(key)
    if (entry !== undefined) this.wait(waiter, entry.load!)
    else if (refresh !== undefined) this.wait(waiter, refresh)
    else if (kind === "getOption") waiter.result = "none"
    else this.startFor(key, waiter, start())
    return waiter
  }

  startFor(key: Key, waiter: Waiter, { id, mode }: { id: number; mode: Mode }, isByRefresh = false): void {
    const entry: ModelEntry = {
      key,
      stored: undefined,
      id,
      dead: false,
      load: undefined,
      expiresAt: Infinity,
      refreshesAt: Infinity,
      usedAt: 0
    }
    this.entries.set(key, entry)
    const fails = mode.endsWith("fail")
    this.run(
      { id, key, fails, isRefresh: false, isByRefresh, isBackground: false, entry, outdated: false, waiters: [] },
      waiter,
      mode
    )
  }

  /** The running refresh whose result is wanted. */
  refreshOf(key: Key): ModelLoad | undefined {
    return this.loads.find((load) => load.isRefresh && load.key === key && !load.outdated)
  }

  refresh(key: Key, start: () => { id: number; mode: Mode }): void {
    const waiter: Waiter = { result: "waiting", isOption: false, load: undefined }
    this.waiters.push(waiter)
    const entry = this.current(key)
    // A refresh shares the lookup of another refresh, but not the lookup of a get, which may have read something older.
    const running = entry?.load?.isByRefresh === true ? entry.load : this.refreshOf(key)
    if (running !== undefined) this.wait(waiter, running)
    else if (entry === undefined) this.startFor(key, waiter, start(), true)
    else this.startRefresh(key, waiter, start())
  }

  refreshLater(entry: ModelEntry, start: () => { id: number; mode: Mode }): void {
    entry.refreshesAt = this.now + this.settings.refreshAfter!
    if (this.refreshOf(entry.key) === undefined) this.startRefresh(entry.key, undefined, start())
  }

  startRefresh(key: Key, waiter: Waiter | undefined, { id, mode }: { id: number; mode: Mode }): void {
    const load: ModelLoad = {
      id,
      key,
      fails: mode.endsWith("fail"),
      isRefresh: true,
      isByRefresh: true,
      isBackground: waiter === undefined,
      entry: undefined,
      outdated: false,
      waiters: []
    }
    this.run(load, waiter, mode)
  }

  run(load: ModelLoad, waiter: Waiter | undefined, mode: Mode): void {
    this.loads.push(load)
    if (load.entry !== undefined) load.entry.load = load
    if (waiter !== undefined) this.wait(waiter, load)
    if (mode === "interrupt") this.interruptLoad(load)
    else if (!mode.startsWith("slow")) this.settle(load)
  }

  wait(waiter: Waiter, load: ModelLoad): void {
    waiter.load = load
    load.waiters.push(waiter)
  }

  end(load: ModelLoad, result: string): void {
    this.loads = this.loads.filter((other) => other !== load)
    for (const waiter of load.waiters) {
      waiter.result = result
      waiter.load = undefined
    }
  }

  interruptLoad(load: ModelLoad): void {
    this.interrupted++
    this.detach(load)
    this.end(load, "interrupted")
  }

  interruptWaiter(waiter: Waiter): void {
    const load = waiter.load!
    load.waiters = load.waiters.filter((other) => other !== waiter)
    waiter.result = "interrupted"
    waiter.load = undefined
    if (load.waiters.length === 0 && !load.isBackground) this.interruptLoad(load)
  }

  settle(load: ModelLoad): void {
    if (load.fails) this.failed++
    else this.succeeded++
    this.end(load, `${load.fails ? "failure" : "value"} ${load.id}`)
    const { entry } = load
    if (entry !== undefined) entry.load = undefined
    const isDetached = load.outdated || (!load.isRefresh && entry === undefined)
    if (load.fails && load.isRefresh && !isDetached) {
      const current = this.current(load.key)
      // A failed refresh leaves a value, and a lookup that is still running.
      if (current?.load !== undefined || current?.stored === "value") return
    }
    if (isDetached) this.unstored += load.fails ? 0 : 1
    else this.store(load.key, load.id, load.fails, entry)
  }

  set(key: Key, id: number): void {
    this.sets++
    const refresh = this.refreshOf(key)
    if (refresh !== undefined) refresh.outdated = true
    this.store(key, id, false, undefined)
  }

  store(key: Key, id: number, fails: boolean, pending: ModelEntry | undefined): void {
    if (pending === undefined) {
      const old = this.current(key)
      if (old?.load !== undefined) this.detach(old.load)
      else if (old !== undefined) this.remove(old, "replaced")
    }
    const timeToLive = fails ? this.settings.failureTimeToLive : this.settings.timeToLive
    if (timeToLive === 0) {
      if (!fails) this.unstored++
      if (pending !== undefined) this.remove(pending, undefined)
      return
    }
    const entry = pending ??
      {
        key,
        stored: undefined,
        id,
        dead: false,
        load: undefined,
        expiresAt: Infinity,
        refreshesAt: Infinity,
        usedAt: 0
      }
    this.entries.set(key, entry)
    entry.stored = fails ? "failure" : "value"
    entry.expiresAt = timeToLive === undefined ? Infinity : this.now + timeToLive
    entry.refreshesAt = fails ? Infinity : this.now + (this.settings.refreshAfter ?? Infinity)
    this.use(entry)
  }

  invalidate(key: Key): boolean {
    for (const load of this.loads) if (load.isRefresh && load.key === key) load.outdated = true
    const entry = this.current(key)
    if (entry === undefined) return false
    if (entry.load !== undefined) this.detach(entry.load)
    else this.remove(entry, "invalidated")
    return true
  }

  invalidateAll(): void {
    for (const load of this.loads) if (load.isRefresh) load.outdated = true
    for (const key of Array.from(this.entries.keys())) this.invalidate(key)
  }

  pass(millis: number): void {
    const end = this.now + millis
    for (;;) {
      const idleOf = (entry: ModelEntry) => entry.usedAt + (this.settings.idleTimeToLive ?? Infinity)
      const due = Math.min(
        ...[...this.entries.values()].map((entry) => entry.expiresAt),
        ...this.front.map(idleOf)
      )
      if (due > end) break
      this.now = Math.max(this.now, due)
      for (const entry of Array.from(this.entries.values())) {
        if (entry.expiresAt > this.now) continue
        if (entry.stored === "value") this.expired++
        this.remove(entry, "expired")
      }
      for (const entry of this.front.slice()) if (idleOf(entry) <= this.now) this.release(entry)
    }
    this.now = end
  }

  collect(id: number): void {
    for (const entry of this.entries.values()) {
      if (entry.stored !== "value" || entry.id !== id || entry.dead || this.front.includes(entry)) continue
      entry.dead = true
      this.queue.push(entry)
    }
  }

  finalize(): void {
    for (const entry of this.queue.slice()) {
      this.collected++
      this.remove(entry, "collected")
    }
  }

  observe() {
    // A key that has an entry again is not reported.
    for (const key of this.found) if (!this.entries.has(key)) this.removals.push(`${key} collected`)
    this.found = []
    return {
      results: this.waiters.map((waiter) => waiter.result),
      keys: [...this.entries.values()].filter((entry) => this.isLive(entry)).map((entry) => entry.key).sort(),
      size: this.entries.size,
      removals: [...this.removals].sort(),
      stats: {
        hits: this.hits,
        misses: this.misses,
        sets: this.sets,
        loads: this.succeeded,
        failures: this.failed,
        interrupted: this.interrupted,
        collected: this.collected,
        expired: this.expired,
        replaced: this.replaced,
        invalidated: this.invalidated,
        unstored: this.unstored,
        demoted: this.demoted,
        size: [...this.entries.values()].filter((entry) => entry.stored === "value").length,
        strong: this.front.length,
        weight: this.front.reduce((sum, entry) => sum + this.weightOf(entry), 0)
      }
    }
  }

  weightOf(entry: ModelEntry): number {
    return entry.stored === "failure" || this.settings.maxWeight === undefined ? 1 : weightOf(entry.id)
  }
}

// the cache

const show = (exit: Exit.Exit<Value | Option.Option<Value>, number>): string => {
  if (Exit.hasInterrupts(exit)) return "interrupted"
  if (Exit.isFailure(exit)) return `failure ${Option.getOrThrow(Exit.findErrorOption(exit))}`
  const value = Option.isOption(exit.value) ? Option.getOrUndefined(exit.value) : exit.value
  return value === undefined ? "none" : `value ${value.id}`
}

const settle = Effect.repeat(Effect.yieldNow, { times: 12 })

/** Lets an operation that waits for the end of the turn go on. Only a bound on the weight makes so short a script wait. */
const nextTurn = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 0)))

const runScript = (settings: Settings, script: ReadonlyArray<Command>) =>
  Effect.gen(function*() {
    const model = new Model(settings)
    const values: Array<Value> = []
    const removals: Array<string> = []
    const gates = new Map<number, Deferred.Deferred<void>>()
    const fibers: Array<Fiber.Fiber<Value | Option.Option<Value>, number>> = []
    let mode: Mode = "succeed"

    const make = (): Value => {
      const value = { id: values.length }
      values.push(value)
      return value
    }

    const lookup = (_: Key): Effect.Effect<Value, number> =>
      Effect.suspend(() => {
        const value = make()
        const isSlow = mode.startsWith("slow")
        const end = mode.endsWith("fail") ? Effect.fail(value.id) : Effect.succeed(value)
        if (mode === "interrupt") return Effect.interrupt
        if (!isSlow) return end
        const gate = Deferred.makeUnsafe<void>()
        gates.set(value.id, gate)
        return Effect.andThen(Deferred.await(gate), end)
      })

    const cache = yield* WeakCache.makeWith(lookup, {
      capacity: settings.capacity,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? settings.timeToLive : settings.failureTimeToLive) ?? Infinity,
      idleTimeToLive: settings.idleTimeToLive,
      refreshAfter: settings.refreshAfter,
      ...settings.maxWeight === undefined
        ? {}
        : { maxWeight: settings.maxWeight, weigh: (value: Value) => weightOf(value.id) },
      onRemoval: (key, cause) => Effect.sync(() => void removals.push(`${key} ${cause}`))
    })

    const fork = <A extends Value | Option.Option<Value>>(effect: Effect.Effect<A, number>) =>
      Effect.map(Effect.forkDetach(effect, { startImmediately: true }), (fiber) => void fibers.push(fiber))

    const step = (command: Command): Effect.Effect<void, never, TestHeap.TestHeap> =>
      Effect.gen(function*() {
        // The cache's side numbers lookups and values, and passes the next number to the model.
        const start = (mode: Mode) => () => ({ id: values.length, mode })
        switch (command.type) {
          case "get":
            mode = command.mode
            model.get(command.key, "get", start(command.mode))
            return yield* fork(WeakCache.get(cache, command.key))
          case "refresh":
            model.refresh(command.key, start(command.mode))
            mode = command.mode
            return yield* fork(WeakCache.refresh(cache, command.key))
          case "getOption":
          case "getSuccess": {
            model.get(command.key, command.type, start("succeed"))
            const read: Effect.Effect<Option.Option<Value>, number> = command.type === "getOption"
              ? WeakCache.getOption(cache, command.key)
              : WeakCache.getSuccess(cache, command.key)
            return yield* fork(read)
          }
          case "has":
            return assert.strictEqual(
              yield* WeakCache.has(cache, command.key),
              model.current(command.key) !== undefined
            )
          case "set":
            model.set(command.key, values.length)
            return yield* WeakCache.set(cache, command.key, make())
          case "invalidate":
            model.invalidate(command.key)
            return yield* WeakCache.invalidate(cache, command.key)
          case "invalidateWhen": {
            const entry = model.current(command.key)
            if (entry?.load !== undefined) return
            const isOdd = entry?.stored === "value" && entry.id % 2 === 1
            if (isOdd) model.invalidate(command.key)
            const removed = yield* WeakCache.invalidateWhen(cache, command.key, (value) => value.id % 2 === 1)
            return assert.strictEqual(removed, isOdd)
          }
          case "invalidateAll":
            model.invalidateAll()
            return yield* WeakCache.invalidateAll(cache)
          case "trim":
            while (model.front.length > command.capacity) model.release(model.front[0]!)
            return yield* WeakCache.trim(cache, command.capacity)
          case "setCapacity":
            model.capacity = command.capacity
            model.evict()
            return yield* WeakCache.setCapacity(cache, command.capacity)
          case "peek": {
            const entry = model.entries.get(command.key)
            const isValue = entry?.stored === "value" && !entry.dead
            const peeked = yield* WeakCache.peek(cache, command.key)
            return assert.strictEqual(show(Exit.succeed(peeked)), isValue ? `value ${entry.id}` : "none")
          }
          case "time":
            model.pass(command.millis)
            return yield* TestClock.adjust(command.millis)
          case "release": {
            const load = model.loads[command.which % model.loads.length]
            if (load === undefined) return
            model.settle(load)
            return yield* Effect.asVoid(Deferred.succeed(gates.get(load.id)!, undefined))
          }
          case "interrupt": {
            const waiting = model.waiters.filter((waiter) => waiter.load !== undefined)
            const waiter = waiting[command.which % waiting.length]
            if (waiter === undefined) return
            model.interruptWaiter(waiter)
            return yield* Fiber.interrupt(fibers[model.waiters.indexOf(waiter)]!)
          }
          case "collect": {
            const value = values[command.which % values.length]
            if (value === undefined) return
            model.collect(value.id)
            return yield* TestHeap.collect(value)
          }
          case "finalize":
            model.finalize()
            return yield* TestHeap.finalize
        }
      })

    for (const command of script) {
      yield* step(command)
      if (settings.maxWeight !== undefined) yield* nextTurn
      yield* settle
      const actual = {
        results: fibers.map((fiber) => {
          const exit = fiber.pollUnsafe()
          return exit === undefined ? "waiting" : show(exit)
        }),
        keys: [...yield* WeakCache.keys(cache)].sort(),
        size: yield* WeakCache.size(cache),
        removals: [...removals].sort(),
        stats: yield* WeakCache.stats(cache)
      }
      assert.deepStrictEqual(actual, model.observe(), `after ${JSON.stringify(command)}`)
    }
  }).pipe(Effect.scoped, Effect.provide([TestHeap.layer, TestClock.layer()]))

const key = fc.constantFrom<Key>("a", "b", "c", "d")
const mode = fc.constantFrom<Mode>(
  "succeed",
  "succeed",
  "fail",
  "interrupt",
  "slow succeed",
  "slow succeed",
  "slow fail"
)
const which = fc.nat({ max: 20 })

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("get"), key, mode }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("refresh"), key, mode }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom("getOption", "getSuccess", "peek", "has", "set", "invalidate", "invalidateWhen"),
      key
    })
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("trim", "setCapacity"), capacity: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("time"), millis: fc.nat({ max: 80 }) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constantFrom("release", "interrupt", "collect"), which }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom("invalidateAll", "finalize", "finalize") }) }
)

const settings: fc.Arbitrary<Settings> = fc.record({
  capacity: fc.constantFrom(0, 1, 2, 3, Infinity),
  maxWeight: fc.constantFrom(undefined, undefined, 3),
  timeToLive: fc.constantFrom(undefined, 0, 50, 100),
  failureTimeToLive: fc.constantFrom(undefined, 0, 30),
  idleTimeToLive: fc.constantFrom(undefined, 40),
  refreshAfter: fc.constantFrom(undefined, undefined, 20)
})

const agrees = (options: { readonly numRuns: number; readonly seed?: number }) =>
  fc.assert(
    fc.asyncProperty(
      settings,
      fc.array(command, { maxLength: 40, size: "max" }),
      (settings, script) => Effect.runPromise(runScript(settings, script))
    ),
    options
  )

describe("WeakCache against a model", () => {
  // Shows most mistakes in a second.
  it("agrees after every step of eight scripts, which are the same in each run", () => agrees({ numRuns: 8, seed: 1 }))

  it(
    "agrees after every step of every script",
    { timeout: 120_000 },
    () => agrees({ numRuns: Number(process.env["WEAK_CACHE_RUNS"] ?? 1500) })
  )
})
