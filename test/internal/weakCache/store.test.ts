/** What the store of a `WeakCache` does if the stack overflows in the middle of it. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Exit } from "effect"
import { host } from "../../../src/internal/host.ts"
import { Background, Removals } from "../../../src/internal/weakCache/background.ts"
import { Counters } from "../../../src/internal/weakCache/counters.ts"
import { StrongEntry } from "../../../src/internal/weakCache/entry.ts"
import type { Entry } from "../../../src/internal/weakCache/entry.ts"
import { ReferenceTable } from "../../../src/internal/weakCache/entryTable.ts"
import { Lookup, Lookups } from "../../../src/internal/weakCache/lookups.ts"
import { Resources } from "../../../src/internal/weakCache/resources.ts"
import { Store } from "../../../src/internal/weakCache/store.ts"

interface Doc {
  readonly key: number
}

const config = Effect.runSync(Effect.map(Clock.Clock, (clock) => ({
  clock,
  heap: host,
  context: Context.empty(),
  capacity: 100_000,
  maxWeight: Infinity,
  idleTimeToLive: Infinity,
  refreshAfter: Infinity,
  compare: undefined,
  lookup: { isScoped: false as const, run: (key: number) => Effect.succeed<Doc>({ key }) },
  requiresServices: false,
  timeToLive: undefined,
  weigh: undefined,
  onLoad: undefined
})))

const make = (table: ReferenceTable<number, Entry<number, Doc, never>>) => {
  const counters = new Counters()
  const background = new Background(config.context)
  const removals = new Removals<number>(background, undefined, () => false)
  const store = new Store(config, table, counters, new Resources(background), removals, [background], {
    removeExpired: () => Infinity
  })
  return {
    store,
    lookups: new Lookups(config, store, counters, new ReferenceTable<number, Lookup<number, Doc, never>>())
  }
}

/** Overflows the stack, and calls `f` in each of the last frames, from the deepest on. */
const nearTheEnd = (frames: number, f: () => void): void => {
  let left = frames
  const dive = (): void => {
    try {
      dive()
    } catch {
      // The stack is full here.
    }
    if (left <= 0) return
    left--
    try {
      f()
    } catch {
      // It is still full.
    }
  }
  dive()
}

describe("a stack that is nearly full", () => {
  it("stores a result as a whole or not at all", () => {
    const { lookups, store } = make(new ReferenceTable())
    const entries = Array.from({ length: 20_000 }, (_, key) => {
      const entry = new StrongEntry<number, Doc, never>(key, undefined)
      entry.lookup = new Lookup<number, Doc, never>(key, undefined, false, false)
      store.begin(entry)
      return entry
    })
    let keys = 0
    const insertNext = () => {
      const entry = entries[keys++]!
      const exit = Exit.succeed({ key: entry.key })
      const terms = lookups.termsOf(exit, entry.key)
      store.insert({ key: entry.key, hash: undefined, entry }, exit, terms, undefined, entry)
    }
    // Each argument moves the frames by some bytes.
    const moved = (..._: ReadonlyArray<unknown>) => nearTheEnd(entries.length / 20, insertNext)
    for (let by = 0; by < 20; by++) moved(...new Array<undefined>(by))
    assert.isAbove(keys, entries.length / 2)
    const stored = entries.filter(({ lookup }) => lookup === undefined)
    assert.isAbove(stored.length, 100)
    for (const { exit, key } of stored) assert.deepStrictEqual(exit, Exit.succeed({ key }))
  })

  it("leaves no pending entry without its lookup", () => {
    let isFull = true
    const { store } = make(
      new (class extends ReferenceTable<number, Entry<number, Doc, never>> {
        override delete(entry: Entry<number, Doc, never>): void {
          if (isFull) throw new RangeError("Maximum call stack size exceeded")
          super.delete(entry)
        }
      })()
    )
    const entry = new StrongEntry<number, Doc, never>(1, undefined)
    const lookup = new Lookup<number, Doc, never>(1, undefined, false, false)
    entry.lookup = lookup
    lookup.entry = entry
    store.begin(entry)
    assert.throws(() => store.detach(entry), RangeError)
    assert.strictEqual(store.current(1)?.lookup, lookup)
    isFull = false
    store.detach(entry)
    assert.isUndefined(store.current(1))
    assert.isFalse(lookup.isWanted)
  })
})
