/**
 * Tests of every module on the real heap that need no test runner, for hosts without
 * Node. Each uses a hundred referents or more, because JavaScriptCore keeps single
 * objects alive through its stack.
 */
import { Effect, Exit, Scope } from "effect"
import {
  Finalizer,
  Heap,
  Interner,
  LeakMonitor,
  WeakCache,
  WeakError,
  WeakKeyMap,
  WeakListeners,
  WeakMemo,
  WeakMethod,
  WeakProxy,
  WeakRef,
  WeakSet,
  WeakValueMap
} from "../../src/index.ts"
import { Item } from "../support/item.ts"

const count = 100

/** The number of referents that JavaScriptCore may keep alive. */
const tolerated = 10

/** Calls `f` with new objects that nothing else holds. A function of its own, so that no frame keeps them. */
const withItems = <A>(n: number, f: (item: Item, id: number) => A): Array<A> =>
  Array.from({ length: n }, (_, id) => f(new Item(id), id))

/** Collects until the number is small enough. */
const settle = (left: () => number, limit = tolerated): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let round = 0; round < 50; round++) {
      yield* Heap.collectGarbage
      if (left() <= limit) return
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
    }
    yield* Effect.die(new Error(`${left()} are left`))
  })

type Test = readonly [name: string, run: () => Promise<unknown>]

const test = (name: string, program: Effect.Effect<unknown, unknown, Scope.Scope>): Test => [
  `core: ${name}`,
  () => Effect.runPromise(Effect.scoped(program))
]

export const core: ReadonlyArray<Test> = [
  test(
    "a reference does not keep its referent alive",
    Effect.suspend(() => {
      const refs = withItems(count, (item) => WeakRef.makeUnsafe(item))
      return settle(() => refs.filter(WeakRef.isAlive).length)
    })
  ),
  test(
    "a proxy and a method do not keep their referents alive",
    Effect.suspend(() => {
      const proxies = withItems(count, (item) => WeakProxy.makeUnsafe(item))
      const methods = withItems(count, (item) => WeakMethod.makeUnsafe(item, "read"))
      return settle(() =>
        proxies.filter((proxy) => WeakProxy.deref(proxy)._tag === "Some").length +
        methods.filter(WeakMethod.isAlive).length
      )
    })
  ),
  test(
    "callbacks run after the collection",
    Effect.gen(function*() {
      let left = count
      const callback = Effect.sync(() => left--)
      yield* Effect.all(withItems(count, (item) => WeakRef.onCollect(WeakRef.makeUnsafe(item), () => callback)))
      yield* settle(() => left)
    })
  ),
  test(
    "more callbacks of one referent than a turn runs",
    Effect.gen(function*() {
      // Of several referents, of which an engine may keep one.
      const many = 5000
      let left = 10 * many
      const callback = Effect.sync(() => left--)
      for (const ref of withItems(10, (item) => WeakRef.makeUnsafe(item))) {
        for (let i = 0; i < many; i++) yield* WeakRef.onCollect(ref, () => callback)
      }
      yield* settle(() => left, 5 * many)
      let more = count
      const again = Effect.sync(() => more--)
      yield* Effect.all(withItems(count, (item) => WeakRef.onCollect(WeakRef.makeUnsafe(item), () => again)))
      yield* settle(() => more)
    })
  ),
  test(
    "finalizers run after the collection, or when their Scope closes",
    Effect.gen(function*() {
      let left = count
      const effect = Effect.sync(() => left--)
      yield* Effect.all(withItems(count, (item) => Finalizer.make(item, effect)))
      yield* settle(() => left)
      const scope = yield* Scope.make()
      let open = count
      const items = withItems(count, (item) => item)
      yield* Scope.provide(
        Effect.all(items.map((item) => Finalizer.make(item, Effect.sync(() => open--)))),
        scope
      )
      yield* Scope.close(scope, Exit.void)
      if (open !== 0) yield* Effect.die(new Error(`${open} finalizers did not run`))
    })
  ),
  test(
    "maps and sets remove what was collected, more than one turn removes",
    Effect.gen(function*() {
      const many = 50_000
      const keys = yield* WeakKeyMap.make<Item, number>()
      const values = yield* WeakValueMap.make<number, Item>()
      const set = yield* WeakSet.make<Item>()
      withItems(many, (item, id) => {
        WeakKeyMap.set(keys, item, id)
        WeakValueMap.set(values, id, item)
        WeakSet.add(set, item)
      })
      yield* settle(() => WeakKeyMap.size(keys) + WeakValueMap.size(values) + WeakSet.size(set))
    })
  ),
  test(
    "a cache finds what the program holds, and closes what it forgot",
    Effect.gen(function*() {
      let open = 0
      const cache = yield* WeakCache.make({ lookup: (id: number) => Effect.sync(() => new Item(id)), capacity: 0 })
      const held = yield* WeakCache.get(cache, 1)
      yield* Heap.collectGarbage
      if ((yield* WeakCache.get(cache, 1)) !== held) yield* Effect.die(new Error("the held value was not found"))
      const scoped = yield* WeakCache.makeScoped({
        lookup: (id: number) => Effect.acquireRelease(Effect.sync(() => (open++, id)), () => Effect.sync(() => open--)),
        handle: (id: number) => new Item(id),
        capacity: 0
      })
      for (let id = 0; id < count; id++) yield* WeakCache.get(scoped, id)
      yield* settle(() => open)
    })
  ),
  test(
    "an interner and a family keep nothing alive",
    Effect.gen(function*() {
      const interner = yield* Interner.make<Item>()
      withItems(count, (item) => Interner.intern(interner, item))
      const family = WeakMemo.family((id: number) => new Item(id))
      const refs = Array.from({ length: count }, (_, id) => WeakRef.makeUnsafe(family(id)))
      yield* settle(() => Interner.size(interner) + refs.filter(WeakRef.isAlive).length, 2 * tolerated)
    })
  ),
  test(
    "listeners end with their receivers",
    Effect.suspend(() => {
      const hub = WeakListeners.makeUnsafe<number>()
      withItems(count, (item) => WeakListeners.addUnsafe(hub, item, () => {}))
      return settle(() => WeakListeners.size(hub))
    })
  ),
  test(
    "a monitor reports objects that were dropped without closing their Scope",
    Effect.gen(function*() {
      let left = count
      const monitor = LeakMonitor.layer({ level: "all", patience: 0, onLeak: () => Effect.sync(() => left--) })
      const track = Effect.forEach(
        Array.from({ length: count }, (_, id) => id),
        (id) => Effect.asVoid(LeakMonitor.track(new Item(id), { name: "item" })),
        { discard: true }
      )
      yield* Effect.provide(Effect.andThen(track, Effect.suspend(() => settle(() => left))), monitor)
    })
  ),
  test(
    "a dead reference fails with its error",
    Effect.gen(function*() {
      const refs = withItems(count, (item) => WeakRef.makeUnsafe(item))
      yield* settle(() => refs.filter(WeakRef.isAlive).length)
      const dead = refs.find((ref) => !WeakRef.isAlive(ref))!
      const error = yield* Effect.flip(WeakRef.get(dead))
      if (!(error instanceof WeakError.DeadReferenceError)) yield* Effect.die(error)
    })
  )
]
