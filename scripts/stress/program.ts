/**
 * Runs random scripts on the real heap for some seconds, and counts by itself what must happen. Prints its counts as
 * JSON. `main.ts` starts it on several engines.
 *
 *     node --expose-gc scripts/stress/program.ts [seconds] [seed]
 */
import { Cause, Effect, Exit, Fiber, Logger, Scope } from "effect"
import {
  Finalizer,
  Interner,
  WeakCache,
  WeakKeyMap,
  WeakListeners,
  WeakMemo,
  WeakMethod,
  WeakProxy,
  WeakRef,
  WeakSet,
  WeakValueMap
} from "../../src/index.ts"
import { Item } from "../../test/support/item.ts"

const seconds = Number(process.argv[2] ?? 30)
const seed = Number(process.argv[3] ?? 1)
const deadline = performance.now() + seconds * 1000
const workers = 1000

const host = globalThis as unknown as {
  readonly gc?: (options?: { readonly type: "minor" }) => void
  readonly Bun?: { readonly gc: (synchronously: boolean) => void }
}
// With `{ type: "major" }`, Node 20 collects nothing.
const collect = (minor: boolean): void => {
  if (host.Bun !== undefined) host.Bun.gc(true)
  else if (minor) host.gc?.({ type: "minor" })
  else host.gc?.()
}

let state = seed | 0
/** Returns a random integer below n. */
const below = (n: number): number => {
  state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
  let x = Math.imul(state ^ (state >>> 12), 0x297a2d39)
  x = (x ^ (x >>> 15)) >>> 0
  return x % n
}
const isOneIn = (n: number): boolean => below(n) === 0

const faults: Array<string> = []
const check = (holds: boolean, message: string): void => {
  if (!holds && faults.length < 50) faults.push(message)
}

const counts = {
  items: 0,
  collected: 0,
  finalizers: 0,
  callbacks: 0,
  scopes: 0,
  loads: 0,
  interrupted: 0,
  collections: 0
}

const watch = new FinalizationRegistry<undefined>(() => void counts.collected++)
const makeItem = (): Item => {
  const item = new Item(counts.items++)
  watch.register(item, undefined)
  return item
}

/** What the program knows of one registration. */
interface Registration {
  readonly what: string
  started: number
  /** How often it must have started in the end. */
  expected: "once" | "never" | "once or never"
}
const registrations: Array<Registration> = []
const register = (what: string, expected: Registration["expected"]): Registration => {
  const registration: Registration = { what, started: 0, expected }
  registrations.push(registration)
  return registration
}

// A function of the module, so that no effect captures an item.
const run = (registration: Registration, way: number): Effect.Effect<void, string> =>
  Effect.suspend(() => {
    check(++registration.started === 1, `${registration.what} ran twice`)
    switch (way) {
      case 0:
        return Effect.fail("on purpose")
      case 1:
        return Effect.die("on purpose")
      case 2:
        return Effect.interrupt
      case 3:
        return Effect.sleep(way)
      case 4:
        return Effect.yieldNow
      default:
        return Effect.void
    }
  })
const hang = (registration: Registration): Effect.Effect<never> =>
  Effect.suspend(() => {
    check(++registration.started === 1, `${registration.what} ran twice`)
    return Effect.never
  })

const keys = WeakKeyMap.makeUnsafe<Item, unknown>()
const contents = WeakKeyMap.makeUnsafe<{ readonly id: number }, number>({ compare: "structural" })
const values = WeakValueMap.makeUnsafe<number, Item>()
const set = WeakSet.makeUnsafe<Item>()
const interner = Interner.makeUnsafe<{ readonly n: number }>()
const family = WeakMemo.family((n: number) => ({ n }))
const listeners = WeakListeners.makeUnsafe<Set<number>>()
const outer = Scope.makeUnsafe()
/** The resources of the scoped cache: 1 is open, 0 is closed. */
const resources: Array<number> = []

// Closures that are written beside a use of an item would keep the item alive.
const running = (registration: Registration, way: number) => () => run(registration, way)
const hanging = (registration: Registration) => () => hang(registration)

const ignoring = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.asVoid(Effect.exit(effect))

/** Registers in a random way. If `dies` is set, the item dies while the Scope of the registrations is open. */
const registerAll = (item: Item, dies: boolean): Effect.Effect<void, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const ref = yield* WeakRef.make(item)
    const expected = dies ? "once" : "once or never"
    if (isOneIn(4)) {
      // The oldest, because it blocks the older callbacks of its referent.
      counts.callbacks++
      const callback = register("a hanging callback", expected)
      yield* WeakRef.onCollect(ref, hanging(callback))
    }
    for (let n = 1 + below(3); n > 0; n--) {
      const way = below(8)
      if (isOneIn(2)) {
        counts.finalizers++
        const registration = register("a finalizer", "once")
        const finalizer = yield* Finalizer.make(item, run(registration, way))
        switch (below(6)) {
          case 0:
            yield* ignoring(Finalizer.run(finalizer))
            check(registration.started === 1, "a finalizer that was run by hand has not run")
            break
          case 1:
            if ((yield* Finalizer.detach(finalizer))._tag === "Some") registration.expected = "never"
            break
          case 2:
            if (yield* Finalizer.cancel(finalizer)) registration.expected = "never"
            break
          case 3: {
            // Races with each other, and with the collection.
            const fibers = [
              yield* Effect.forkChild(Finalizer.run(finalizer)),
              yield* Effect.forkChild(Finalizer.run(finalizer))
            ]
            for (const fiber of fibers) yield* Fiber.await(fiber)
          }
        }
      } else {
        counts.callbacks++
        const registration = register("a callback", expected)
        const kind = below(3)
        if (kind === 0) yield* WeakMethod.onCollect(yield* WeakMethod.make(item, "read"), running(registration, way))
        else if (kind === 1) yield* WeakProxy.onCollect(yield* WeakProxy.make(item), running(registration, way))
        else {
          const callback = yield* WeakRef.onCollect(ref, running(registration, way))
          if (isOneIn(4) && (yield* WeakRef.cancel(callback))) registration.expected = "never"
        }
      }
    }
  })

/** Puts an item into every collection, and returns a check that it is still there. */
const insert = (item: Item) => {
  const key = { id: item.id }
  const interned = Interner.intern(interner, { n: item.id % 50 })
  const made = family(item.id % 50)
  WeakKeyMap.set(keys, item, isOneIn(2) ? { item } : item.id)
  WeakKeyMap.set(contents, key, item.id)
  WeakValueMap.set(values, item.id, item)
  WeakSet.add(set, item)
  WeakListeners.addUnsafe(listeners, item, (item, heard) => void heard.add(item.id))
  return () => {
    check(WeakKeyMap.has(keys, item), "a key was lost")
    check(WeakKeyMap.has(contents, { id: key.id }), "a structural key was lost")
    const value = WeakValueMap.get(values, item.id)
    check(value._tag === "Some" && value.value === item, "a value was lost")
    check(WeakSet.has(set, item), "an element was lost")
    check(Interner.intern(interner, { n: interned.n }) === interned, "an interned object was lost")
    check(family(made.n) === made, "an instance of a family was lost")
  }
}

const remove = (item: Item): void => {
  if (isOneIn(2)) WeakKeyMap.remove(keys, item)
  if (isOneIn(2)) WeakValueMap.remove(values, item.id)
  if (isOneIn(2)) WeakSet.remove(set, item)
  if (isOneIn(2)) WeakListeners.remove(listeners, item)
}

type Cache = WeakCache.WeakCache<number, Item, string>
type ScopedCache = WeakCache.WeakCache<number, { readonly resource: number }, string>

const useCaches = (cache: Cache, scoped: ScopedCache) =>
  Effect.gen(function*() {
    const key = below(300)
    const exit = yield* Effect.exit(WeakCache.get(cache, key))
    if (Exit.isSuccess(exit)) {
      yield* pause
      check((yield* WeakCache.get(cache, key)) === exit.value, "a cached value was lost")
    }
    const fiber = yield* Effect.forkChild(WeakCache.use(scoped, key, ({ resource }) =>
      Effect.andThen(
        pause,
        Effect.sync(() => check(resources[resource] === 1, "a resource was closed while it was used"))
      )))
    if (isOneIn(3)) {
      counts.interrupted++
      yield* Fiber.interrupt(fiber)
    } else yield* Fiber.await(fiber)
    const act = below(6)
    if (act === 0) {
      yield* ignoring(WeakCache.refresh(scoped, key))
    }
    if (act === 1) yield* ignoring(WeakCache.trim(scoped, below(20)))
  })

const pause = Effect.suspend(() => isOneIn(8) ? Effect.sleep(below(10)) : isOneIn(2) ? Effect.yieldNow : Effect.void)

/** Registers for an item that is dropped before its outer Scope closes. */
const dropped = () => Scope.provide(Effect.suspend(() => registerAll(makeItem(), true)), outer)

const script = (cache: Cache, scoped: ScopedCache): Effect.Effect<void, unknown> =>
  Effect.gen(function*() {
    const scope = Scope.makeUnsafe()
    counts.scopes++
    const item = makeItem()
    const isThere = insert(item)
    yield* Scope.provide(registerAll(item, false), scope)
    yield* pause
    if (isOneIn(3)) yield* dropped()
    yield* pause
    isThere()
    yield* useCaches(cache, scoped)
    isThere()
    if (isOneIn(20)) {
      const heard = new Set<number>()
      yield* WeakListeners.publish(listeners, heard)
      check(heard.has(item.id), "a listener was lost")
    }
    if (isOneIn(2)) remove(item)
    // Meanwhile other items of the Scope may die.
    for (let n = below(3); n > 0; n--) yield* Scope.provide(Effect.suspend(() => registerAll(makeItem(), false)), scope)
    yield* pause
    yield* ignoring(Scope.close(scope, Exit.void))
  })

const worker = (cache: Cache, scoped: ScopedCache) =>
  Effect.gen(function*() {
    while (performance.now() < deadline) {
      yield* script(cache, scoped)
      yield* Effect.sleep(below(40))
    }
  })

const collector = Effect.gen(function*() {
  while (performance.now() < deadline) {
    yield* Effect.sleep(below(60))
    counts.collections++
    collect(!isOneIn(10))
  }
})

/** Engines may keep single objects alive. */
const tolerated = host.Bun === undefined ? 0 : 200

const settle = (isDone: () => boolean) =>
  Effect.gen(function*() {
    for (let round = 0; round < 500 && !isDone(); round++) {
      collect(false)
      yield* Effect.sleep(20)
    }
  })

const program = Effect.gen(function*() {
  const caches = Scope.makeUnsafe()
  const [cache, scoped]: [Cache, ScopedCache] = yield* Scope.provide(
    Effect.all([
      WeakCache.make({
        lookup: (key: number): Effect.Effect<Item, string> =>
          Effect.suspend(() => {
            counts.loads++
            return key % 17 === 0 ? Effect.fail("on purpose") : Effect.andThen(pause, Effect.sync(makeItem))
          }),
        capacity: 20
      }),
      WeakCache.makeScoped({
        lookup: (key: number): Effect.Effect<number, string, Scope.Scope> =>
          Effect.gen(function*() {
            counts.loads++
            const resource = yield* Effect.acquireRelease(
              Effect.sync(() => resources.push(1) - 1),
              (resource) => Effect.sync(() => check(resources[resource]!-- === 1, "a resource was closed twice"))
            )
            yield* pause
            if (key % 13 === 0) yield* Effect.die("on purpose")
            return resource
          }),
        handle: (resource: number) => ({ resource }),
        capacity: 20
      })
    ]),
    caches
  )
  const fibers: Array<Fiber.Fiber<void, unknown>> = [yield* Effect.forkChild(collector)]
  for (let n = 0; n < workers; n++) fibers.push(yield* Effect.forkChild(worker(cache, scoped)))
  for (const fiber of fibers) {
    const exit = yield* Fiber.await(fiber)
    if (Exit.isFailure(exit)) check(false, Cause.pretty(exit.cause))
  }
  fibers.length = 0
  yield* Scope.close(caches, Exit.void)
  const pending = () => registrations.filter(({ expected, started }) => expected === "once" && started === 0).length
  const left = () =>
    WeakKeyMap.size(keys) + WeakKeyMap.size(contents) + WeakValueMap.size(values) + WeakSet.size(set) +
    WeakListeners.size(listeners) + Interner.size(interner)
  yield* settle(() => pending() <= tolerated && left() <= tolerated && counts.items - counts.collected <= tolerated)
  check(pending() <= tolerated, `${pending()} callbacks were lost`)
  check(left() <= tolerated, `${left()} entries are left`)
  check(counts.items - counts.collected <= tolerated, `${counts.items - counts.collected} items leaked`)
  const open = resources.filter((open) => open !== 0).length
  check(open === 0, `${open} resources are open`)
  yield* ignoring(Scope.close(outer, Exit.void))
  yield* settle(() => false).pipe(Effect.timeoutOption(500))
  for (const { expected, started, what } of registrations) {
    check(expected !== "never" || started === 0, `${what} ran after it was cancelled`)
    check(started <= 1, `${what} ran ${started} times`)
  }
})

const exit = await Effect.runPromiseExit(
  // All services are provided. Inference loses that in the generator.
  (program as Effect.Effect<void, unknown>).pipe(Effect.provide(Logger.layer([])))
)
if (Exit.isFailure(exit)) check(false, Cause.pretty(exit.cause))
console.log(
  JSON.stringify({
    ...counts,
    resources: resources.length,
    started: registrations.filter(({ started }) => started > 0).length,
    faults
  })
)
process.exit(faults.length === 0 ? 0 : 1)
