/**
 * Provides the weak primitives of the host as a service.
 *
 * Use this module to replace the heap that the library uses. For example, a test can
 * provide the `TestHeap` of `effect-weakref/testing` and decide when a value is
 * collected. The service consists of three constructors: `WeakRef`, `WeakMap` and
 * `FinalizationRegistry`. With these constructors, the library creates every weak
 * reference, ephemeron and finalizer for a value of the program. The library uses the
 * host's own `WeakMap` and `WeakSet` only for internal data.
 *
 * The documentation uses these words:
 *
 * - **Referent**: the value that a weak reference refers to.
 * - **Reachable**: the program can get to the value without a weak reference.
 * - **Collected**: the collector has removed a value that was not reachable. This may
 *   happen at any time, or never.
 * - **Dead**: describes a weak reference whose referent has been collected.
 * - **Ephemeron**: an entry that holds its value only while its key is alive, like an
 *   entry of a `WeakMap`.
 * - **Finalizer**: an effect that runs once, some time after its target has been collected,
 *   when the program runs it, or when its Scope closes.
 * - **Dereference**: to read the referent of a weak reference.
 * - **Turn**: the current job of the event loop and its microtasks. Engines keep a
 *   dereferenced referent alive until the end of the turn.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { collector, host, nextTimer } from "./internal/host.ts"
import { startSentinel } from "./internal/registry.ts"

/**
 * Contains three constructors that behave as ECMAScript specifies for the globals of the
 * same names.
 *
 * **When to use**
 *
 * Use as the type of a heap that you pass to a `makeUnsafe` constructor, or provide
 * through the {@link Heap} service.
 *
 * **Details**
 *
 * The library never checks which heap it uses. On a host without `WeakRef` or
 * `FinalizationRegistry`, every module loads, and reading the missing constructor of the
 * host's heap throws a `ReferenceError` that names it. There, pass a heap of your own. A clean-up callback that the library
 * passes to `FinalizationRegistry` may return a promise for work that it does in later
 * turns. An engine ignores the promise. A heap for tests can wait for it.
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
 * Provides the heap to effectful constructors. The default is the host's heap, so a
 * program does not have to provide this service.
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
 * Checks whether a value can be the referent of a weak reference. Returns `true` for an
 * object, a function, and a symbol that was not created by `Symbol.for`.
 *
 * **When to use**
 *
 * Use to narrow an unknown value before you pass it to a constructor.
 *
 * **Details**
 *
 * Returns `false` for every symbol if the engine does not support symbols as referents.
 * Never throws. Cost: O(1).
 *
 * **Example** (Checking values)
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

// Older engines accept no symbol as a referent, so ask the host.
const isWeakSymbol = (u: symbol): boolean => {
  try {
    return new WeakSet([u]).has(u)
  } catch {
    return false
  }
}

/**
 * Forces a full collection of the host's heap in a separate turn. Succeeds with `true`,
 * or with `false` if the host cannot force a collection.
 *
 * **When to use**
 *
 * Use in tests, benchmarks and diagnostics. The result of a program must not depend on a
 * forced collection, because some hosts cannot force one.
 *
 * **Details**
 *
 * Calls the global `gc` if the host exposes it (`node --expose-gc`, `deno
 * --v8-flags=--expose-gc`, `chromium --js-flags=--expose-gc`). On Bun, calls `Bun.gc`. On
 * Node without the flag, obtains a `gc` function through `node:v8`. Never fails. Cost: a
 * full collection, which takes milliseconds to seconds.
 *
 * Node 20, 22 and 24 may stop all finalizers of the process if a `FinalizationRegistry`
 * is collected while its clean-up is due. This function prevents that.
 *
 * **Gotchas**
 *
 * - Finalizers may run several turns after the collection.
 * - A value is not collected while a stack, a suspended generator or a closure holds it.
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
  // Old engines may stop all finalizers if a registry of the program is collected while its clean-up is due.
  startSentinel()
  // Collect in the next turn, because a referent that this turn dereferenced stays alive until the end of the turn.
  nextTimer(() => {
    const collect = collector()
    collect?.()
    // The engine runs clean-up jobs as tasks. Resume the caller after the first task.
    nextTimer(() => resume(Effect.succeed(collect !== undefined)))
  })
})
