/** Uses every module on the real heap, after the globals were changed as the first argument says. Prints "done". */
import { Item } from "../support/item.ts"

const kind = process.argv[2]

const freezeIntrinsics = (): void => {
  const seen = new Set<unknown>()
  const freeze = (value: unknown): void => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return
    seen.add(value)
    for (const descriptor of Object.values(Object.getOwnPropertyDescriptors(value))) {
      for (const part of [descriptor.value, descriptor.get, descriptor.set] as Array<unknown>) freeze(part)
    }
    freeze(Object.getPrototypeOf(value))
    Object.freeze(value)
  }
  // What SES freezes: the globals of the language, and what they lead to.
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!/^[A-Z]/.test(name) || name === "Buffer") continue
    const value: unknown = Object.getOwnPropertyDescriptor(globalThis, name)?.value
    const isNative = typeof value === "function" && Function.prototype.toString.call(value).includes("[native code]")
    if (isNative || name === "Math" || name === "JSON" || name === "Reflect" || name === "Atomics") freeze(value)
  }
  for (const f of [function*() {}, async function*() {}, async function() {}]) freeze(Object.getPrototypeOf(f))
  freeze(Object.getPrototypeOf(Object.getPrototypeOf([].values())))
}

const { setTimeout: later } = globalThis

const patch = (): void => {
  const fail = () => {
    throw new Error("a patched global was called")
  }
  Object.assign(Object.prototype, { inheritedFunction: fail, inherited: 1 })
  Object.assign(Array.prototype, { each: fail, last: fail })
  // Effect's own scheduler needs `Promise.resolve`. This one is a zone's: its promises run callbacks a task later.
  const original = Promise.resolve.bind(Promise)
  Promise.resolve = ((value: unknown) => {
    const promise = original(value)
    return Object.assign(Object.create(Promise.prototype), {
      // oxlint-disable-next-line unicorn/no-thenable
      then: (f: (value: unknown) => unknown) => promise.then((value) => void later(() => f(value), 0))
    })
  }) as typeof Promise.resolve
  Promise.all = fail
  globalThis.setTimeout = fail as unknown as typeof setTimeout
  globalThis.setImmediate = fail as unknown as typeof setImmediate
  globalThis.queueMicrotask = fail
  globalThis.MessageChannel = fail as unknown as typeof MessageChannel
  globalThis.WeakRef = fail as unknown as typeof globalThis.WeakRef
  globalThis.FinalizationRegistry = fail as unknown as typeof globalThis.FinalizationRegistry
  // oxlint-disable-next-line no-extend-native
  Array.prototype.includes = fail
}

const { Effect } = await import("effect")
const {
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
} = await import("../../src/index.ts")
// Effect itself needs to be loaded before: it assigns to `name` of its errors, which a frozen `Error.prototype` refuses.
if (kind === "frozen") freezeIntrinsics()
if (kind === "patched") patch()

const { gc } = globalThis as unknown as { readonly gc: () => void }

const count = 100
let left = 0
const ran = Effect.sync(() => void left--)
const keys = WeakKeyMap.makeUnsafe<Item, number>({ compare: "structural" })
const values = WeakValueMap.makeUnsafe<number, Item>()
const set = WeakSet.makeUnsafe<Item>()
const interner = Interner.makeUnsafe<Item>()
const listeners = WeakListeners.makeUnsafe<number>()
const family = WeakMemo.family((id: number) => new Item(id))
const memoized = WeakMemo.memoize((item: Item, n: number) => item.id + n)

/** Uses an item with every module. A function of its own, so that no frame keeps the item. */
const use = (id: number) =>
  Effect.gen(function*() {
    const item = new Item(id)
    WeakKeyMap.setAll(keys, [[item, id]])
    WeakValueMap.set(values, id, item)
    WeakSet.addAll(set, [item])
    Interner.intern(interner, item)
    WeakListeners.addUnsafe(listeners, item, () => {})
    family(id)
    if (memoized(item, 1) !== id + 1 || memoized(item, 1) !== id + 1) throw new Error("memoize")
    const ref = yield* WeakRef.make(item)
    left += 3
    yield* WeakRef.onCollect(ref, () => ran)
    yield* Finalizer.make(item, ran)
    const method = yield* WeakMethod.make(item, "read")
    yield* WeakMethod.onCollect(method, () => ran)
    const proxy = yield* WeakProxy.make(item)
    if (proxy.read() !== id) throw new Error("proxy")
    yield* WeakMethod.invoke(method)
    return `${ref} ${method}`
  })

const program = Effect.gen(function*() {
  const cache = yield* WeakCache.make({
    lookup: (key: { readonly id: number }) => Effect.sync(() => new Item(key.id)),
    capacity: 20
  })
  for (let id = 0; id < count; id++) {
    yield* use(id)
    yield* WeakCache.get(cache, { id })
    yield* WeakCache.refresh(cache, { id })
  }
  yield* WeakListeners.publish(listeners, 1)
  yield* WeakCache.invalidateAll(cache)
  for (const self of [keys, values, set, interner, listeners, cache]) void `${self} ${JSON.stringify(self)}`
  const rest = () =>
    left + WeakKeyMap.size(keys) + WeakValueMap.size(values) + WeakSet.size(set) + Interner.size(interner)
  for (let round = 0; round < 200 && rest() > 0; round++) {
    gc()
    yield* Effect.callback<void>((resume) => void later(() => resume(Effect.void), 1))
  }
  if (rest() > 0) throw new Error(`${left} callbacks did not run, and ${rest() - left} entries are left`)
}).pipe(Effect.scoped)

Effect.runFork(program).addObserver((exit) => {
  if (exit._tag === "Success") console.log("done")
  else {
    const failure = exit.cause.reasons[0] as { readonly defect?: Error } | undefined
    process.stderr.write(`${failure?.defect?.stack}\n`)
    process.exitCode = 1
  }
})
