/**
 * Provides the weak primitives of the host as a service.
 *
 * Use this module to replace the heap that the library runs on, for example with a heap
 * that a test collects by hand (`TestHeap` of `effect-weakref/testing`). Every weak
 * reference, ephemeron and finalizer of this library is made with the three constructors
 * of this service: `WeakRef`, `WeakMap` and `FinalizationRegistry`. The library uses
 * the host's own `WeakMap` and `WeakSet` only for its own bookkeeping: to find the
 * records of a heap, and to ask whether a symbol can be a referent.
 *
 * The words of this documentation have fixed meanings. The **referent** is the value that
 * a weak reference refers to. It is **reachable** as long as the program can get to it
 * without going through a weak reference. Afterwards it may be **collected**, at any time
 * or never. Then every weak reference to it is **dead**, and every ephemeron keyed by it
 * is gone. Its **finalizers** run some time later, or never. To **dereference** is to ask
 * a weak reference for its referent. Engines keep a dereferenced referent alive until the
 * end of the **turn** (the current job and its microtasks), so that no turn sees its
 * referent disappear.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { collector, host, nextTurn } from "./internal/heap.ts"
import { startSentinel } from "./internal/registry.ts"

/**
 * Three constructors with the meaning that ECMAScript gives to the globals of the same
 * names.
 *
 * **When to use**
 *
 * Use as the type of a heap that you pass to a `makeUnsafe` constructor, or provide
 * through the {@link Heap} service.
 *
 * **Details**
 *
 * The library never asks which heap it has. A clean-up of a `FinalizationRegistry` may
 * return a promise: it does the rest of its work in later turns. An engine ignores the
 * promise, and a heap for tests can await it.
 *
 * @see {@link https://tc39.es/ecma262/#sec-weakref-objects | ECMAScript, WeakRef objects} for the source of the semantics
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Heap {
  readonly WeakRef: WeakRefConstructor
  readonly WeakMap: WeakMapConstructor
  readonly FinalizationRegistry: FinalizationRegistryConstructor
}

/**
 * The service that effectful constructors read. The default is the host's own three
 * constructors, so a program need not provide it.
 *
 * **When to use**
 *
 * Use to run a program on another heap, or to pass the heap of the context to a
 * `makeUnsafe` constructor.
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
 * @see {@link isWeakReferenceable} for the values that a heap accepts
 *
 * @stability experimental
 * @category services
 * @since 0.1.0
 */
export const Heap: Context.Reference<Heap> = /*#__PURE__*/ Context.Reference<Heap>("effect-weakref/Heap", {
  defaultValue: () => host
})

/**
 * Checks whether a value can be the referent of a weak reference: an object, a function,
 * or a symbol that is not registered with `Symbol.for`.
 *
 * **When to use**
 *
 * Use to narrow an unknown value before you pass it to a constructor.
 *
 * **Details**
 *
 * Old engines refuse all symbols. On them the answer for every symbol is `false`. Never
 * throws. Cost: O(1).
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
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isWeakReferenceable = (u: unknown): u is WeakKey =>
  typeof u === "object" ? u !== null : typeof u === "function" || (typeof u === "symbol" && isWeakSymbol(u))

// Ask the host: old engines refuse all symbols.
const isWeakSymbol = (u: symbol): boolean => {
  try {
    return new WeakSet([u]).has(u)
  } catch {
    return false
  }
}

/**
 * Forces a full collection of the host's heap, in a turn of its own. Succeeds with
 * `false` if the host has no way to force one.
 *
 * **When to use**
 *
 * Use in tests, benchmarks and diagnostics. A program whose results depend on it is wrong
 * on some host.
 *
 * **Details**
 *
 * Uses `gc` if the host exposes it (`node --expose-gc`, `deno
 * --v8-flags=--expose-gc`, `chromium --js-flags=--expose-gc`) and `Bun.gc` on Bun. On Node
 * without the flag, it makes a `gc` through `node:v8`. Never fails. Cost: a full
 * collection, milliseconds to seconds. On Node 20, 22 and 24, it also keeps the engine's bug away
 * that stops all finalizers if a collection takes a `FinalizationRegistry` that still has work.
 *
 * **Gotchas**
 *
 * Finalizers run some turns after the collection. A value that the program still holds on
 * a stack, in a suspended generator or in a closure is not collected.
 *
 * **Example** (Forcing a collection)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Heap } from "effect-weakref"
 *
 * await Effect.runPromise(Heap.collectGarbage) // => true
 * ```
 *
 * @see {@link https://nodejs.org/api/cli.html#--expose-gc | Node, --expose-gc} for exposing `gc`
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const collectGarbage: Effect.Effect<boolean> = /*#__PURE__*/ Effect.callback<boolean>((resume) => {
  // A collection may drop a registry of the program, which stops old engines.
  startSentinel()
  // A referent that this turn dereferenced lives until its end: collect in the next turn.
  nextTurn(() => {
    const collect = collector()
    collect?.()
    // The engine posts its clean-up jobs as tasks: let the first of them run before the caller.
    nextTurn(() => resume(Effect.succeed(collect !== undefined)))
  })
})
