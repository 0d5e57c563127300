/**
 * Sends N objects through each structure, lets them die, and compares the memory afterwards with the memory after the
 * warm-up. Prints the result as JSON. `soak.ts` starts it.
 *
 *     node --expose-gc scripts/stress/soakProgram.ts [N]
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

const total = Number(process.argv[2] ?? 1_000_000)
const batch = 5000
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

const pump = async ({ insert, left }: Subject, from: number, n: number) => {
  for (let i = 0; i < n; i += batch) {
    for (let j = i; j < Math.min(i + batch, n); j++) insert(from + j)
    await turn()
  }
  const tolerated = host.Bun === undefined ? 0 : 100
  for (let round = 0; round < 100 && left() > tolerated; round++) {
    collect()
    await turn()
  }
}

/** The smallest of several readings, because what the engine itself still frees only adds to one. */
const memory = async (): Promise<number> => {
  let least = Infinity
  for (let round = 0; round < 10; round++) {
    collect()
    await turn()
    const { external, heapUsed } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
  }
  return least
}

const results: Record<string, unknown> = {}
const faults: Array<string> = []
// The code of every structure is compiled before the first reading.
for (const make of Object.values(subjects)) {
  const subject = make()
  await pump(subject, 2e9, 2 * batch)
  subject.close?.()
}
for (const [name, make] of Object.entries(subjects)) {
  const subject = make()
  await pump(subject, 0, Math.max(20_000, Math.round(total / 10)))
  const before = await memory()
  const start = performance.now()
  await pump(subject, 1e9, total)
  const after = await memory()
  const left = subject.left()
  const growth = after / before - 1
  results[name] = {
    objects: total,
    seconds: Math.round((performance.now() - start) / 1000),
    left,
    startKB: Math.round(before / 1024),
    endKB: Math.round(after / 1024),
    growth: `${(100 * growth).toFixed(2)} %`
  }
  console.error(name, JSON.stringify(results[name]))
  if (growth > 0.05) faults.push(`${name} grew by ${(100 * growth).toFixed(1)} %`)
  if (left > (host.Bun === undefined ? 0 : 100)) faults.push(`${name}: ${left} are left`)
  subject.close?.()
}
console.log(JSON.stringify({ ...results, faults }))
process.exit(faults.length === 0 ? 0 : 1)
