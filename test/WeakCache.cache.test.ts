/** Runs the same scripts on Effect's `Cache` and on `WeakCache`. While values are held, both behave the same. */
import { assert, describe, it } from "@effect/vitest"
import { Cache, Data, Deferred, Effect, Exit, Fiber, type Option, type Scope } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { WeakCache } from "../src/index.ts"
import { hasNode } from "./support/host.ts"

class Key extends Data.Class<{ readonly name: string }> {}

interface Value {
  readonly id: number
}

/** The functions of both modules. */
interface Subject {
  readonly get: (key: Key) => Effect.Effect<Value, string>
  readonly getOption: (key: Key) => Effect.Effect<Option.Option<Value>, string>
  readonly getSuccess: (key: Key) => Effect.Effect<Option.Option<Value>>
  readonly set: (key: Key, value: Value) => Effect.Effect<void>
  readonly has: (key: Key) => Effect.Effect<boolean>
  readonly refresh: (key: Key) => Effect.Effect<Value, string>
  readonly invalidate: (key: Key) => Effect.Effect<void>
  readonly invalidateWhen: (key: Key, f: (value: Value) => boolean) => Effect.Effect<boolean>
  readonly invalidateAll: Effect.Effect<void>
  readonly keys: Effect.Effect<Iterable<Key>>
  readonly values: Effect.Effect<Iterable<Value>>
  readonly entries: Effect.Effect<Iterable<[Key, Value]>>
}

interface Options {
  readonly capacity: number
  readonly timeToLive: (exit: Exit.Exit<Value, string>, key: Key) => number
}

type Lookup = (key: Key) => Effect.Effect<Value, string>

type Make = (lookup: Lookup, options: Options) => Effect.Effect<Subject, never, Scope.Scope>

const ofEffect: Make = (lookup, options) =>
  Effect.map(Cache.makeWith(lookup, options), (cache) => ({
    get: (key) => Cache.get(cache, key),
    getOption: (key) => Cache.getOption(cache, key),
    getSuccess: (key) => Cache.getSuccess(cache, key),
    set: (key, value) => Cache.set(cache, key, value),
    has: (key) => Cache.has(cache, key),
    refresh: (key) => Cache.refresh(cache, key),
    invalidate: (key) => Cache.invalidate(cache, key),
    invalidateWhen: (key, f) => Cache.invalidateWhen(cache, key, f),
    invalidateAll: Cache.invalidateAll(cache),
    keys: Cache.keys(cache),
    values: Cache.values(cache),
    entries: Cache.entries(cache)
  }))

const weak: Make = (lookup, options) =>
  Effect.map(WeakCache.makeWith(lookup, options), (cache) => ({
    get: (key) => WeakCache.get(cache, key),
    getOption: (key) => WeakCache.getOption(cache, key),
    getSuccess: (key) => WeakCache.getSuccess(cache, key),
    set: (key, value) => WeakCache.set(cache, key, value),
    has: (key) => WeakCache.has(cache, key),
    refresh: (key) => WeakCache.refresh(cache, key),
    invalidate: (key) => WeakCache.invalidate(cache, key),
    invalidateWhen: (key, f) => WeakCache.invalidateWhen(cache, key, f),
    invalidateAll: WeakCache.invalidateAll(cache),
    keys: WeakCache.keys(cache),
    values: WeakCache.values(cache),
    entries: WeakCache.entries(cache)
  }))

type Mode = "succeed" | "fail" | "die" | "interrupt" | "slow succeed" | "slow fail"

type Command =
  | { readonly type: "get" | "refresh"; readonly name: string; readonly mode: Mode }
  | {
    readonly type: "getOption" | "getSuccess" | "set" | "has" | "invalidate" | "invalidateWhen" | "invalidateWhenThrows"
    readonly name: string
  }
  | { readonly type: "invalidateAll" }
  | { readonly type: "release" | "interrupt"; readonly which: number }
  | { readonly type: "time"; readonly millis: number }

const settle = Effect.repeat(Effect.yieldNow, { times: 12 })

const show = (exit: Exit.Exit<unknown, string> | undefined): unknown => {
  if (exit === undefined) return "waiting"
  if (Exit.isSuccess(exit)) return exit.value
  return Exit.hasInterrupts(exit) ? "interrupted" : exit.cause.reasons.map((reason) => reason._tag)
}

/** Everything that a program can observe while the script runs. */
const observe = (make: Make, options: Options, script: ReadonlyArray<Command>) =>
  Effect.gen(function*() {
    const log: Array<unknown> = []
    const held: Array<Value> = []
    const gates: Array<Deferred.Deferred<void>> = []
    const fibers: Array<Fiber.Fiber<unknown, string>> = []
    let mode: Mode = "succeed"
    const lookup: Lookup = (key) =>
      Effect.suspend(() => {
        const value = { id: held.length }
        // Keep every value alive.
        held.push(value)
        log.push(`lookup ${key.name} ${value.id}`)
        const end: Effect.Effect<Value, string> = mode.endsWith("fail")
          ? Effect.fail(`failure ${value.id}`)
          : mode === "die"
          ? Effect.die(value.id)
          : Effect.succeed(value)
        if (mode === "interrupt") return Effect.interrupt
        if (!mode.startsWith("slow")) return end
        const gate = Deferred.makeUnsafe<void>()
        gates.push(gate)
        return Effect.andThen(Deferred.await(gate), end).pipe(
          Effect.onInterrupt(() => Effect.sync(() => void log.push(`interrupted ${value.id}`)))
        )
      })
    const subject = yield* make(lookup, options)
    const fork = (effect: Effect.Effect<unknown, string>) =>
      Effect.map(Effect.forkDetach(effect, { startImmediately: true }), (fiber) => void fibers.push(fiber))

    for (const command of script) {
      log.push(command)
      switch (command.type) {
        case "get":
        case "refresh":
          mode = command.mode
          yield* fork(subject[command.type](new Key({ name: command.name })))
          break
        case "getOption":
        case "getSuccess":
        case "has":
        case "invalidate":
          yield* fork(subject[command.type](new Key({ name: command.name })))
          break
        case "set": {
          const value = { id: held.length }
          held.push(value)
          yield* subject.set(new Key({ name: command.name }), value)
          break
        }
        case "invalidateWhen":
          yield* fork(subject.invalidateWhen(new Key({ name: command.name }), (value) => value.id % 2 === 0))
          break
        case "invalidateWhenThrows":
          yield* fork(subject.invalidateWhen(new Key({ name: command.name }), () => {
            throw new Error("predicate")
          }))
          break
        case "invalidateAll":
          yield* subject.invalidateAll
          break
        case "release":
          if (gates.length > 0) yield* Deferred.succeed(gates[command.which % gates.length]!, undefined)
          break
        case "interrupt":
          if (fibers.length > 0) yield* Fiber.interrupt(fibers[command.which % fibers.length]!)
          break
        case "time":
          yield* TestClock.adjust(command.millis)
      }
      yield* settle
      log.push({
        results: fibers.map((fiber) => show(fiber.pollUnsafe())),
        keys: Array.from(yield* subject.keys, (key) => key.name).sort(),
        values: Array.from(yield* subject.values, (value) => value.id).sort(),
        entries: Array.from(yield* subject.entries, ([key, value]) => `${key.name} ${value.id}`).sort()
      })
    }
    return [...log]
  }).pipe(Effect.scoped, Effect.provide(TestClock.layer()))

const name = fc.constantFrom("a", "b", "c")
const mode = fc.constantFrom<Mode>("succeed", "succeed", "fail", "die", "interrupt", "slow succeed", "slow fail")

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant("get"), name, mode }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constantFrom(
        "getOption",
        "getSuccess",
        "set",
        "has",
        "invalidate",
        "invalidateWhen",
        "invalidateWhenThrows"
      ),
      name
    })
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("refresh"), name, mode }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("invalidateAll") }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom("release", "interrupt"), which: fc.nat({ max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("time"), millis: fc.nat({ max: 80 }) }) }
)

const compare = (script: ReadonlyArray<Command>, options: Options) =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* observe(weak, options, script), yield* observe(ofEffect, options, script))
  })

describe("WeakCache and Effect's Cache", () => {
  const agree = (options: { readonly numRuns: number; readonly seed?: number }) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(command, { maxLength: 30, size: "max" }),
        fc.constantFrom(0, 50, Infinity),
        fc.constantFrom(0, 30, Infinity),
        (script, timeToLive, failureTimeToLive) =>
          Effect.runPromise(compare(comparable(script, timeToLive, failureTimeToLive), {
            capacity: 100,
            timeToLive: (exit) => Exit.isSuccess(exit) ? timeToLive : failureTimeToLive
          }))
      ),
      options
    )

  // Shows most mistakes in a second.
  it("agree on eight scripts, which are the same in each run", () => agree({ numRuns: 8, seed: 1 }))

  // A page is slower than a process.
  it(
    "agree on random scripts while values are held",
    { timeout: 120_000 },
    () => agree({ numRuns: hasNode ? 1000 : 300 })
  )

  it.effect("agree on a script that calls every function", () =>
    compare([
      { type: "get", name: "a", mode: "slow succeed" },
      { type: "getOption", name: "a" },
      { type: "interrupt", which: 0 },
      { type: "release", which: 0 },
      { type: "getSuccess", name: "a" },
      { type: "refresh", name: "a", mode: "succeed" },
      { type: "get", name: "a", mode: "succeed" },
      { type: "time", millis: 30 },
      { type: "get", name: "a", mode: "succeed" },
      { type: "set", name: "b" },
      { type: "has", name: "b" },
      { type: "invalidateWhen", name: "b" },
      { type: "invalidate", name: "a" },
      { type: "get", name: "c", mode: "die" },
      { type: "get", name: "c", mode: "succeed" },
      { type: "invalidateAll" },
      { type: "has", name: "c" }
    ], { capacity: 100, timeToLive: (exit) => Exit.isSuccess(exit) ? Infinity : 30 }))

  it.effect("differ for a key that is invalidated during its refresh: only Cache stores the result", () =>
    Effect.gen(function*() {
      const script: ReadonlyArray<Command> = [
        { type: "set", name: "a" },
        { type: "refresh", name: "a", mode: "slow succeed" },
        { type: "invalidate", name: "a" },
        { type: "release", which: 0 }
      ]
      const options: Options = { capacity: 100, timeToLive: () => Infinity }
      const keysOf = (log: ReadonlyArray<unknown>) => (log.at(-1) as { readonly keys: ReadonlyArray<string> }).keys
      assert.deepStrictEqual(keysOf(yield* observe(ofEffect, options, script)), ["a"])
      assert.deepStrictEqual(keysOf(yield* observe(weak, options, script)), [])
    }))

  it.effect("differ for a refresh that fails: only WeakCache keeps the value", () =>
    Effect.gen(function*() {
      const script: ReadonlyArray<Command> = [
        { type: "set", name: "a" },
        { type: "refresh", name: "a", mode: "fail" }
      ]
      const options: Options = { capacity: 100, timeToLive: () => Infinity }
      const valuesOf = (log: ReadonlyArray<unknown>) =>
        (log.at(-1) as { readonly values: ReadonlyArray<number> }).values
      assert.deepStrictEqual(valuesOf(yield* observe(ofEffect, options, script)), [])
      assert.deepStrictEqual(valuesOf(yield* observe(weak, options, script)), [0])
    }))
})

/**
 * Avoids the cases in which the modules differ. Refreshes end at once, because `Cache` stores a result that was
 * invalidated during its refresh, and they succeed, because `Cache` replaces a value by the failure of its refresh. If
 * results expire, scripts interrupt nothing: `Cache` (Effect 4.1) reads the clock of the fiber that started a lookup, and
 * an interrupted fiber no longer has a clock.
 */
const comparable = (script: ReadonlyArray<Command>, ...timesToLive: ReadonlyArray<number>): ReadonlyArray<Command> => {
  const expires = timesToLive.some((timeToLive) => timeToLive > 0 && timeToLive < Infinity)
  return script
    .filter((command) => !expires || command.type !== "interrupt")
    .map(succeeding)
}

const succeeding = (command: Command): Command =>
  command.type === "refresh" && command.mode !== "interrupt"
    ? { type: "refresh", name: command.name, mode: "succeed" }
    : command
