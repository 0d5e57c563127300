/**
 * The host's weak primitives, as a service.
 *
 * Everything in this library that is weak stands on three constructors:
 * `WeakRef`, `WeakMap` and `FinalizationRegistry`. They are read from this
 * service and from nowhere else, so that a test can put a heap that it collects
 * by hand (`effect-weakref/testing`, `TestHeap`) in the place of the engine's.
 *
 * The words used in this documentation have fixed meanings. The **referent** is
 * the value that a weak reference refers to. It is **reachable** as long as the
 * program can get to it without going through a weak reference; after that it
 * may be **collected**, at any time or never: from then on every weak reference
 * to it is **dead** and every ephemeron keyed by it is gone. Some time later, or
 * never, its **finalizers** run. To **dereference** is to ask a weak reference
 * for its referent; engines keep a dereferenced referent alive to the end of
 * the turn (the current job and its microtasks), so that one turn never sees it
 * come and go.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Three constructors with the meaning that ECMAScript gives to the globals of
 * the same names.
 *
 * **When to use**
 *
 * Use as the type of a heap that you pass to a `makeUnsafe` constructor or
 * provide through the {@link Heap} service.
 *
 * @see {@link https://tc39.es/ecma262/#sec-weakref-objects | ECMAScript, WeakRef objects} for the source of the semantics
 *
 * @category models
 * @since 0.1.0
 */
export interface Heap {
  readonly WeakRef: WeakRefConstructor
  readonly WeakMap: WeakMapConstructor
  readonly FinalizationRegistry: FinalizationRegistryConstructor
}

/**
 * The service that effectful constructors read. Its default is the host's own
 * three constructors, so that a program need not provide it.
 *
 * **Example** (Reading the default heap)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Heap } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const heap = yield* Heap.Heap
 *   return heap.WeakRef === globalThis.WeakRef
 * })
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Heap: Context.Reference<Heap> = /*#__PURE__*/ Context.Reference<Heap>("effect-weakref/Heap", {
  defaultValue: () => host
})

/** @internal */
export const host: Heap = { WeakRef, WeakMap, FinalizationRegistry }

/**
 * Checks whether a value can be the referent of a weak reference: an object, a
 * function, or a symbol that is not registered with `Symbol.for`.
 *
 * **Details**
 *
 * Cost: O(1). Engines from before symbols could be weakly held refuse symbols;
 * there the answer is `false` for every symbol.
 *
 * **Example** (Telling referents from other values)
 *
 * ```ts import.meta.vitest
 * import { Heap } from "effect-weakref"
 *
 * Heap.isWeakReferenceable({}) // => true
 * Heap.isWeakReferenceable(Symbol("mine")) // => true
 * Heap.isWeakReferenceable(Symbol.for("everybody's")) // => false
 * Heap.isWeakReferenceable("text") // => false
 * ```
 *
 * @see {@link https://tc39.es/ecma262/#sec-canbeheldweakly | ECMAScript, CanBeHeldWeakly} for the source of the semantics
 *
 * @category guards
 * @since 0.1.0
 */
export const isWeakReferenceable = (u: unknown): u is WeakKey =>
  typeof u === "object" ? u !== null : typeof u === "function" || (typeof u === "symbol" && isWeakSymbol(u))

// The host knows: some refuse all symbols, all refuse registered ones.
const isWeakSymbol = (u: symbol): boolean => {
  try {
    return new WeakSet([u]).has(u)
  } catch {
    return false
  }
}

/**
 * Asks the host for a full collection, in a turn of its own. Succeeds with
 * `false` where the host offers no way to ask.
 *
 * **When to use**
 *
 * Use in tests, benchmarks and diagnostics. A program whose results depend on
 * it is wrong on some host.
 *
 * **Details**
 *
 * Uses `gc` where the host exposes it (`node --expose-gc`, `deno
 * --v8-flags=--expose-gc`, `chromium --js-flags=--expose-gc`), `Bun.gc` on Bun,
 * and on Node without the flag a `gc` made through `node:v8`. Cost: a full
 * collection, milliseconds to seconds.
 *
 * **Gotchas**
 *
 * Finalizers run some turns after the collection. What the program still holds
 * on a stack, in a suspended generator or in a closure is not collected.
 *
 * **Example** (Asking for a collection)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Heap } from "effect-weakref"
 *
 * await Effect.runPromise(Heap.collectGarbage) // => true
 * ```
 *
 * @category garbage collection
 * @since 0.1.0
 */
export const collectGarbage: Effect.Effect<boolean> = /*#__PURE__*/ Effect.callback<boolean>((resume) => {
  // A referent dereferenced in this turn lives to its end: collect in the next one.
  nextTurn(() => {
    const collect = collector()
    collect?.()
    // The engine posts its finalization jobs as tasks: let the first of them go ahead of the caller.
    nextTurn(() => resume(Effect.succeed(collect !== undefined)))
  })
})

/** @internal */
export const nextTurn = (f: () => void): void => global.setTimeout(f, 0)

const collector = (): (() => void) | undefined => {
  if (typeof global.gc === "function") return global.gc
  const bun = global.Bun
  if (bun !== undefined) return () => bun.gc(true)
  try {
    const { process } = global
    process!.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc")
    return process!.getBuiltinModule("node:vm").runInNewContext("gc")
  } catch {
    return undefined
  }
}

const global = globalThis as unknown as {
  readonly setTimeout: (f: () => void, millis: number) => void
  readonly gc?: () => void
  readonly Bun?: { readonly gc: (synchronously: boolean) => void }
  readonly process?: {
    getBuiltinModule(name: "node:v8"): { setFlagsFromString(flags: string): void }
    getBuiltinModule(name: "node:vm"): { runInNewContext(code: string): () => void }
  }
}
