/**
 * Compares `WeakCache` with Effect's `Cache` and `weak-lru-cache`: the time of a get, bytes per entry, and many new keys.
 *
 *     node --expose-gc benchmark/cache.ts [--quick]
 */
import { Cache, Data, Effect, Exit, Scope } from "effect"
import { WeakLRUCache } from "weak-lru-cache"
import { WeakCache } from "../src/index.ts"
import { collect, drain, heapInUse, turn } from "./measure/heap.ts"
import { runProgram } from "./program.ts"
import { median, spread } from "./report/statistics.ts"
import { formatTable } from "./report/table.ts"
import { runInOneTurn } from "./runInOneTurn.ts"

const quick = process.argv.includes("--quick")
const rounds = quick ? 11 : 45
const held = 10_000
/** Repeats make a measurement long enough, because the thread's time is counted in steps of up to four milliseconds. */
const repeats = quick ? 5 : 20

interface Value {
  readonly key: unknown
}

const lookup = (key: unknown): Effect.Effect<Value> => Effect.sync(() => ({ key }))
const scope = Effect.runSync(Scope.make())
const runSync = <A>(effect: Effect.Effect<A, never, Scope.Scope>): A => Effect.runSync(Scope.provide(effect, scope))

class Id extends Data.Class<{ readonly id: number }> {}

// A get of a held value

/** Gets every key several times, in one fiber. */
const getAll = (keys: ReadonlyArray<unknown>, get: (key: unknown) => Effect.Effect<Value>): Effect.Effect<void> =>
  Effect.suspend(() => {
    let i = 0
    return Effect.whileLoop({
      while: () => i < repeats * keys.length,
      body: () => get(keys[i++ % keys.length]),
      step: () => {}
    })
  })

/** Returns the thread's processor time per get, in nanoseconds. Unlike a clock, it does not count other programs. */
const time = (effect: Effect.Effect<void>): number => {
  const start = process.threadCpuUsage()
  runInOneTurn(effect)
  const { system, user } = process.threadCpuUsage(start)
  return (user + system) * 1000 / (repeats * held)
}

const compareGets = async (
  name: string,
  keys: ReadonlyArray<unknown>,
  options: { readonly timeToLive?: "1 hour"; readonly isWeak?: boolean; readonly collects: boolean }
): Promise<Array<string>> => {
  const { timeToLive } = options
  const values: Array<Value> = []
  const cache = runSync(Cache.make({ lookup, capacity: held, timeToLive }))
  const weak = runSync(WeakCache.make({ lookup, capacity: options.isWeak === true ? 0 : held, timeToLive }))
  for (const key of keys) {
    values.push(Effect.runSync(WeakCache.get(weak, key)))
    Effect.runSync(Cache.get(cache, key))
  }
  const ofCache = getAll(keys, (key) => Cache.get(cache, key))
  const ofWeak = getAll(keys, (key) => WeakCache.get(weak, key))
  const times = { cache: [] as Array<number>, weak: [] as Array<number>, ratios: [] as Array<number> }
  for (let round = 0; round < rounds; round++) {
    if (options.collects) await collect()
    await turn()
    // The two caches take turns at going first.
    const first = round % 2 === 0 ? time(ofCache) : time(ofWeak)
    const second = round % 2 === 0 ? time(ofWeak) : time(ofCache)
    const [a, b] = round % 2 === 0 ? [first, second] : [second, first]
    if (round < 5) continue
    times.cache.push(a)
    times.weak.push(b)
    times.ratios.push(b / a)
  }
  if (values.length !== held) throw new Error("Values were not held")
  return [
    name,
    median(times.cache).toFixed(0),
    median(times.weak).toFixed(0),
    `${median(times.ratios).toFixed(2)} ± ${spread(times.ratios).toFixed(2)}`
  ]
}

// Bytes per entry

const bytesAnEntry = async (n: number, fill: (keys: ReadonlyArray<string>) => unknown): Promise<number> => {
  const keys = Array.from({ length: n }, (_, i) => `key ${i}`)
  const before = await heapInUse()
  const filled = fill(keys)
  const after = await heapInUse()
  if (filled === undefined || keys.length !== n) throw new Error("Nothing was filled")
  return (after - before) / n
}

const memory = async (): Promise<ReadonlyArray<ReadonlyArray<string>>> => {
  const n = 100_000
  const fills: Record<string, (keys: ReadonlyArray<string>) => unknown> = {
    "the values alone, in an array": (keys) => keys.map((key) => ({ key })),
    "Map": (keys) => new Map(keys.map((key) => [key, { key }])),
    "Effect's Cache": (keys) => {
      const cache = runSync(Cache.make({ lookup, capacity: Infinity }))
      for (const key of keys) Effect.runSync(Cache.get(cache, key))
      return cache
    },
    "WeakCache, in the strong front": (keys) => {
      const cache = runSync(WeakCache.make({ lookup, capacity: Infinity }))
      for (const key of keys) Effect.runSync(WeakCache.get(cache, key))
      return cache
    },
    "WeakCache, weak, values held by the program": (keys) => {
      const cache = runSync(WeakCache.make({ lookup }))
      return [cache, keys.map((key) => Effect.runSync(WeakCache.get(cache, key)))]
    },
    "weak-lru-cache, values held by the program": (keys) => {
      const cache = new WeakLRUCache<string, Value>({ expirer: false })
      const values = keys.map((key) => ({ key }))
      values.forEach((value) => cache.setValue(value.key, value))
      return [cache, values]
    }
  }
  const rows: Array<ReadonlyArray<string>> = []
  for (const [name, fill] of Object.entries(fills)) {
    const rounds: Array<number> = []
    for (let round = 0; round < 3; round++) rounds.push(await bytesAnEntry(n, fill))
    rows.push([name, median(rounds).toFixed(0), `± ${(spread(rounds) * median(rounds)).toFixed(0)}`])
  }
  return rows
}

// Many new keys

const flood = async (): Promise<ReadonlyArray<ReadonlyArray<string>>> => {
  const keys = quick ? 200_000 : 1_000_000
  const cacheScope = Effect.runSync(Scope.make())
  const cache = Effect.runSync(Scope.provide(WeakCache.make({ lookup, capacity: 10_000 }), cacheScope))
  const empty = await heapInUse()
  const rows: Array<ReadonlyArray<string>> = []
  let longest = 0
  let last = performance.now()
  for (let key = 0; key < keys; key++) {
    Effect.runSync(WeakCache.get(cache, key))
    // A turn has a hundred requests, as in a busy server.
    if (key % 100 === 99) {
      await turn()
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
    if ((key + 1) % (keys / 5) === 0) {
      const inUse = process.memoryUsage().heapUsed
      await heapInUse()
      // Clean-ups run in slices, one a turn.
      await drain(() => Effect.runSync(WeakCache.size(cache)) <= 10_000)
      const bytes = await heapInUse()
      rows.push([
        (key + 1).toLocaleString("en"),
        `${((inUse - empty) / 1e6).toFixed(1)} MB`,
        `${((bytes - empty) / 1e6).toFixed(1)} MB`,
        Effect.runSync(WeakCache.size(cache)).toLocaleString("en"),
        `${longest.toFixed(1)} ms`
      ])
      longest = 0
      last = performance.now()
    }
  }
  await Effect.runPromise(Scope.close(cacheScope, Exit.void))
  return rows
}

runProgram()
const strings = Array.from({ length: held }, (_, i) => `key ${i}`)
const data = Array.from({ length: held }, (_, i) => new Id({ id: i }))
const gets: Array<Array<string>> = []
for (const collects of [false, true]) {
  const after = collects ? ", after full collections" : ""
  gets.push(
    await compareGets(`strings${after}`, strings, { collects }),
    await compareGets(`strings, with a time to live${after}`, strings, { collects, timeToLive: "1 hour" }),
    await compareGets(`structural keys, the same objects${after}`, data, { collects }),
    await compareGets(`strings, no strong front${after}`, strings, { collects, isWeak: true })
  )
}
console.log(
  `\nA get of a held value, ${
    held.toLocaleString("en")
  } keys, ${rounds} rounds (ns; ratio: median ± half the quartiles' distance)\n`
)
console.log(formatTable(["keys", "Cache", "WeakCache", "ratio"], gets))
console.log("\nBytes per entry, with its value, for 100,000 entries\n")
console.log(formatTable(["", "bytes", "spread"], await memory()))
console.log("\nMany new keys, capacity 10,000\n")
console.log(formatTable(["keys", "in use", "after a collection", "entries", "longest turn"], await flood()))
