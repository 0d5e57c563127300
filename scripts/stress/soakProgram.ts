/**
 * Sends N objects through one structure, lets them die, and compares the memory afterwards with the memory after the
 * warm-up. Prints the result as JSON. `soak.ts` starts it.
 *
 *     node --expose-gc scripts/stress/soakProgram.ts SUBJECT [N] [minutes]
 *
 * V8 does not shrink the table of a native `WeakMap` when its keys die, so a map keeps the table for the most entries
 * that it ever had at one time. This number would depend on the moments at which V8 collects, and one doubling of the
 * table is more than 5 % of this small heap. So the program collects after every `live` objects, and the warm-up
 * lasts until the memory no longer changes. What grows afterwards grows with the number of the objects.
 */
import { Effect, Exit, Scope } from "effect"
import {
  Finalizer,
  Interner,
  WeakCache,
  WeakKeyMap,
  WeakListeners,
  WeakMemo,
  WeakRef,
  WeakSet,
  WeakValueMap
} from "../../src/index.ts"

const name = process.argv[2] ?? ""
const total = Number(process.argv[3] ?? 1_000_000)
const minutes = Number(process.argv[4] ?? 30)
/** Objects between two collections. */
const live = 25_000
/** Objects of one turn. */
const batch = 5000
const phases = 10
const host = globalThis as unknown as {
  readonly gc?: () => void
  readonly Bun?: { readonly gc: (synchronously: boolean) => void }
}
const collect = () => host.Bun === undefined ? host.gc!() : host.Bun.gc(true)
const turn = () => new Promise<void>((resolve) => void setTimeout(resolve, 1))
const run = Effect.runSync

let ran = 0
const count = Effect.sync(() => void ran++)
const countLater = () => count

interface Subject {
  /** Inserts a new object, which nothing else holds. */
  readonly insert: (n: number) => void
  /** What is left of the dead objects. */
  readonly left: () => number
  readonly close?: () => void
}

const subjects: Record<string, () => Subject> = {
  // For comparison: what the engine itself keeps.
  "native WeakMap": () => {
    const self = new WeakMap<object, number>()
    return { insert: (n) => void self.set({ n }, n), left: () => 0 }
  },
  WeakKeyMap: () => {
    const self = WeakKeyMap.makeUnsafe<object, unknown>()
    return { insert: (n) => void WeakKeyMap.set(self, { n }, { n }), left: () => WeakKeyMap.size(self) }
  },
  "WeakKeyMap, structural": () => {
    const self = WeakKeyMap.makeUnsafe<object, unknown>({ compare: "structural" })
    return { insert: (n) => void WeakKeyMap.set(self, { n }, n), left: () => WeakKeyMap.size(self) }
  },
  WeakValueMap: () => {
    const self = WeakValueMap.makeUnsafe<unknown, object>()
    return {
      insert: (n) => void WeakValueMap.set(self, n % 2 === 0 ? n : { n }, { n }),
      left: () => WeakValueMap.size(self)
    }
  },
  WeakSet: () => {
    const self = WeakSet.makeUnsafe<object>()
    return { insert: (n) => void WeakSet.add(self, { n }), left: () => WeakSet.size(self) }
  },
  Interner: () => {
    const self = Interner.makeUnsafe<object>()
    return { insert: (n) => void Interner.intern(self, { n }), left: () => Interner.size(self) }
  },
  WeakMemo: () => {
    const family = WeakMemo.family((n: number) => ({ n }))
    const memoized = WeakMemo.memoize((object: object, n: number) => ({ object, n }))
    return { insert: (n) => void memoized(family(n), n), left: () => 0 }
  },
  WeakCache: () => {
    const scope = Scope.makeUnsafe()
    const self = run(Scope.provide(
      WeakCache.make({ lookup: (n: number) => Effect.succeed({ n }), capacity: 100, timeToLive: "1 hour" }),
      scope
    ))
    return {
      insert: (n) => void run(WeakCache.get(self, n)),
      left: () => run(WeakCache.size(self)) - 100,
      close: () => Effect.runFork(Scope.close(scope, Exit.void))
    }
  },
  WeakListeners: () => {
    const self = WeakListeners.makeUnsafe<number>()
    return { insert: (n) => void WeakListeners.addUnsafe(self, { n }, () => {}), left: () => WeakListeners.size(self) }
  },
  Finalizer: () => {
    let made = 0
    ran = 0
    const scope = Scope.makeUnsafe()
    return {
      insert: (n) => {
        made++
        run(Scope.provide(Finalizer.make({ n }, count), scope))
      },
      left: () => made - ran
    }
  },
  "WeakRef.onCollect": () => {
    let made = 0
    ran = 0
    const scope = Scope.makeUnsafe()
    return {
      insert: (n) => {
        made++
        run(Scope.provide(WeakRef.onCollect(WeakRef.makeUnsafe({ n }), countLater), scope))
      },
      left: () => made - ran
    }
  }
}

const make = subjects[name]
if (make === undefined) {
  console.log(JSON.stringify(Object.keys(subjects)))
  process.exit(0)
}
const subject = make()
const tolerated = host.Bun === undefined ? 0 : 100
let inserted = 0

const pump = async (n: number): Promise<void> => {
  for (const end = inserted + n; inserted < end;) {
    for (let i = 0; i < batch; i++) subject.insert(inserted++)
    await turn()
    if (inserted % live === 0) collect()
  }
  for (let round = 0; round < 100 && subject.left() > tolerated; round++) {
    collect()
    await turn()
  }
}

/** The smallest of several readings, because what the engine itself still frees only adds to one. */
const memory = async (): Promise<number> => {
  let least = Infinity
  for (let round = 0; round < 8; round++) {
    collect()
    await turn()
    const { external, heapUsed } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
  }
  return least
}

const kB = (bytes: number): number => Math.round(bytes / 1024)
const percent = (ratio: number): string => `${(100 * ratio).toFixed(2)} %`

const start = performance.now()
let before = await memory()
const warmUp = [before]
for (let round = 0; round < 20; round++) {
  await pump(4 * live)
  before = await memory()
  warmUp.push(before)
  if (warmUp.length > 3 && warmUp.slice(-3).every((bytes) => Math.abs(bytes / before - 1) < 0.002)) break
}
const warmedUp = inserted
const phase = Math.ceil(total / phases / live) * live
const readings: Array<number> = []
while (performance.now() - start < minutes * 60_000) {
  await pump(phase)
  readings.push(await memory())
  if (readings.length === phases) break
}
const after = readings.at(-1) ?? before
const objects = inserted - warmedUp
const left = subject.left()
subject.close?.()
const growth = after / before - 1
const faults: Array<string> = []
if (objects < total) faults.push(`only ${objects} objects in ${minutes} minutes`)
if (growth > 0.05) faults.push(`grew by ${percent(growth)}`)
if (left > tolerated) faults.push(`${left} are left`)
console.log(JSON.stringify({
  subject: name,
  warmUpObjects: warmedUp,
  warmUpKB: warmUp.map(kB).join(" "),
  objects,
  left,
  startKB: kB(before),
  readingsKB: readings.map(kB).join(" "),
  endKB: kB(after),
  growth: percent(growth),
  bytesPerObject: Number(((after - before) / objects).toFixed(3)),
  faults
}))
process.exit(faults.length === 0 ? 0 : 1)
