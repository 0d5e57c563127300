/**
 * Random scripts in which lookups, finalizers and `onRemoval` call the cache themselves, the connection of the
 * invalidations is lost, and busy loops load many values. After each step the invariants of the cache hold, and closing
 * the cache ends and closes every resource once.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, type Fiber, Option, Queue, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { WeakCache } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

type Key = string

interface Handle {
  readonly id: number
}

type Cache = WeakCache.WeakCache<Key, Handle, string>

type Act =
  | "nothing"
  | "get"
  | "getOption"
  | "set"
  | "refresh"
  | "invalidate"
  | "invalidateAll"
  | "trim"
  | "die"
  | "hang"

type Step =
  | { readonly type: Act; readonly key: Key }
  | { readonly type: "use" | "message" | "peek"; readonly key: Key }
  | { readonly type: "time"; readonly millis: number }
  | { readonly type: "interrupt" | "collect"; readonly which: number }
  | { readonly type: "loop"; readonly length: number }
  | { readonly type: "connection lost" }

interface Settings {
  readonly capacity: number
  readonly maxWeight: number | undefined
  readonly timeToLive: number | undefined
  readonly idleTimeToLive: number | undefined
  readonly refreshAfter: number | undefined
  /** What the lookup, the finalizer and `onRemoval` do, one after the other. */
  readonly inLookup: ReadonlyArray<Act>
  readonly inFinalizer: ReadonlyArray<Act>
  readonly inRemoval: ReadonlyArray<Act>
}

const keys = ["a", "b", "c"]

const settle = Effect.repeat(Effect.yieldNow, { times: 12 })
const nextTurn = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 0)))

const act = (cache: Cache, type: Act, key: Key): Effect.Effect<unknown, string> => {
  switch (type) {
    case "nothing":
      return Effect.void
    case "get":
      return WeakCache.get(cache, key)
    case "getOption":
      return WeakCache.getOption(cache, key)
    case "set":
      return Effect.suspend(() => WeakCache.set(cache, key, { id: -1 }))
    case "refresh":
      return WeakCache.refresh(cache, key)
    case "invalidate":
      return WeakCache.invalidate(cache, key)
    case "invalidateAll":
      return WeakCache.invalidateAll(cache)
    case "trim":
      return WeakCache.trim(cache, 0)
    case "die":
      return Effect.die("on purpose")
    case "hang":
      return Effect.never
  }
}

/** Returns the acts one after the other, and then nothing. */
const sequence = (acts: ReadonlyArray<Act>) => {
  let n = 0
  return (): Act => acts[n++] ?? "nothing"
}

const runScript = (settings: Settings, script: ReadonlyArray<Step>) =>
  Effect.gen(function*() {
    const open = new Map<number, Key>()
    const closed: Array<number> = []
    let opened = 0
    const handles: Array<WeakRef<Handle>> = []
    const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
    const scope = yield* Scope.make()
    let messages = yield* Queue.make<Key, string>()
    const nextInLookup = sequence(settings.inLookup)
    const nextInFinalizer = sequence(settings.inFinalizer)
    const nextInRemoval = sequence(settings.inRemoval)

    const weights: WeakCache.Weights<Key, Handle> = settings.maxWeight === undefined
      ? {}
      : { maxWeight: settings.maxWeight, weigh: ({ id }) => Math.abs(id) % 3 }
    const cache: Cache = yield* WeakCache.makeScoped({
      lookup: (key: Key) =>
        Effect.gen(function*() {
          const type = nextInLookup()
          // A lookup that waits for itself dies, and one that waits for a finalizer that waits for it is a cycle of the program.
          if (type === "set" || type === "trim") yield* act(cache, type, key)
          if (type === "die" || type === "hang") yield* act(cache, type, key)
          const id = opened++
          open.set(id, key)
          yield* Effect.addFinalizer(() =>
            Effect.suspend(() => {
              assert.isTrue(open.delete(id), "closed twice")
              closed.push(id)
              const type = nextInFinalizer()
              return type === "hang"
                ? Effect.exit(Effect.timeoutOption(Effect.never, "10 millis"))
                : Effect.orDie(Effect.exit(act(cache, type, keys[id % keys.length]!)))
            })
          )
          if (id % 7 === 6) yield* Effect.yieldNow
          return id % 11 === 10 ? yield* Effect.fail("failed") : id
        }),
      handle: (id: number): Handle => {
        const handle = { id }
        handles.push(new WeakRef(handle))
        return handle
      },
      capacity: settings.capacity,
      timeToLive: settings.timeToLive,
      idleTimeToLive: settings.idleTimeToLive,
      refreshAfter: settings.refreshAfter,
      onRemoval: (key) => Effect.ignore(act(cache, nextInRemoval(), key)),
      invalidations: Effect.sync(() => Stream.fromQueue(messages)),
      ...weights
    }).pipe(Scope.provide(scope))

    const fork = (effect: Effect.Effect<unknown, unknown>) =>
      Effect.map(Effect.forkDetach(effect, { startImmediately: true }), (fiber) => void fibers.push(fiber))

    const check = Effect.gen(function*() {
      const stats = yield* WeakCache.stats(cache)
      const { collected, expired, invalidated, loads, replaced, sets, size, strong, unstored, weight } = stats
      assert.strictEqual(sets + loads, size + collected + expired + replaced + invalidated + unstored)
      assert.isAtMost(strong, settings.capacity)
      assert.isAtMost(weight, settings.maxWeight ?? Infinity)
      assert.isAtLeast(size, 0)
      for (const [key, value] of yield* WeakCache.entries(cache)) {
        const peeked = yield* WeakCache.peek(cache, key)
        assert.isTrue(Option.contains(peeked, value), "one value per key")
        assert.isTrue(value.id === -1 || open.has(value.id), "a cached resource is open")
      }
    })

    const step = (command: Step): Effect.Effect<void, never, TestHeap.TestHeap> =>
      Effect.gen(function*() {
        switch (command.type) {
          case "time":
            return yield* TestClock.adjust(command.millis)
          case "interrupt": {
            const fiber = fibers[command.which % fibers.length]
            fiber?.interruptUnsafe()
            return
          }
          case "collect": {
            const handle = handles[command.which % handles.length]?.deref()
            // Forked, because the heap waits for finalizers, and some of them wait for the clock.
            if (handle !== undefined) yield* Effect.forkDetach(TestHeap.collectAndFinalize(handle))
            return
          }
          case "loop":
            return yield* fork(
              Effect.forEach(
                Array.from({ length: command.length }, (_, n) => `loop ${n}`),
                (key) => Effect.exit(WeakCache.get(cache, key)),
                { discard: true }
              )
            )
          case "connection lost": {
            const lost = messages
            messages = yield* Queue.make<Key, string>()
            yield* Queue.fail(lost, "connection lost")
            return
          }
          case "message":
            return yield* Effect.asVoid(Queue.offer(messages, command.key))
          case "use":
            return yield* fork(WeakCache.use(cache, command.key, () => Effect.yieldNow))
          case "peek":
            return yield* Effect.asVoid(WeakCache.peek(cache, command.key))
          default:
            return yield* fork(act(cache, command.type, command.key))
        }
      })

    for (const command of script) {
      yield* step(command)
      if (command.type === "loop") yield* nextTurn
      yield* settle
      yield* check
    }
    const closing = yield* Effect.forkDetach(Effect.exit(Scope.close(scope, Exit.void)), { startImmediately: true })
    // Finalizers and an `onRemoval` that hang.
    for (let n = 0; n < 20 && closing.pollUnsafe() === undefined; n++) {
      yield* settle
      yield* TestClock.adjust("1 second")
    }
    assert.isDefined(closing.pollUnsafe(), "closing ends")
    yield* check
    assert.deepStrictEqual([...open.keys()], [], "all resources are closed")
    assert.strictEqual(new Set(closed).size, closed.length)
    const { size, strong } = yield* WeakCache.stats(cache)
    assert.deepStrictEqual([size, strong], [0, 0])
    for (const fiber of fibers) fiber.interruptUnsafe()
  }).pipe(Effect.provide([TestHeap.layer, TestClock.layer()]))

const key = fc.constantFrom(...keys)
const acts = (...types: ReadonlyArray<Act>) => fc.array(fc.constantFrom<Act>(...types), { maxLength: 8 })

const command: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom("get", "get", "get", "set", "refresh", "invalidate", "use", "getOption", "peek", "message"),
      key
    })
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("invalidateAll", "trim"), key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("time"), millis: fc.nat({ max: 80 }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom("interrupt", "collect", "collect"), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("loop"), length: fc.integer({ min: 50, max: 150 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("connection lost") }) }
)

const settings: fc.Arbitrary<Settings> = fc.record({
  capacity: fc.constantFrom(0, 1, 2, 10, Infinity),
  maxWeight: fc.constantFrom(undefined, undefined, 0, 3),
  timeToLive: fc.constantFrom(undefined, undefined, 0, 50),
  idleTimeToLive: fc.constantFrom(undefined, 40),
  refreshAfter: fc.constantFrom(undefined, 20),
  inLookup: acts("nothing", "nothing", "set", "trim", "die", "hang"),
  inFinalizer: acts("nothing", "get", "set", "refresh", "invalidate", "invalidateAll", "trim", "die", "hang"),
  inRemoval: acts("nothing", "get", "set", "refresh", "invalidate", "invalidateAll", "trim", "die", "hang")
})

const keepsInvariants = (options: { readonly numRuns: number; readonly seed?: number }) =>
  fc.assert(
    fc.asyncProperty(
      settings,
      fc.array(command, { maxLength: 25, size: "max" }),
      (settings, script) => Effect.runPromise(runScript(settings, script))
    ),
    options
  )

describe("WeakCache with code of the user in the middle", () => {
  // Shows most mistakes in a second.
  it("keeps its invariants after every step of ten scripts, which are the same in each run", () =>
    keepsInvariants({ numRuns: 10, seed: 1 }))

  it(
    "keeps its invariants after every step of every script",
    { timeout: 240_000 },
    () => keepsInvariants({ numRuns: Number(process.env["WEAK_CACHE_RUNS"] ?? 400) })
  )
})
