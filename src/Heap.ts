/**
 * Provides the weak primitives of the host as a service.
 *
 * Use this module to replace the heap that the library uses. For example, a test can
 * provide the `TestHeap` of `effect-weakref/testing` and decide when a value is
 * collected. The service consists of three constructors, `WeakRef`, `WeakMap` and
 * `FinalizationRegistry`. With these, the library creates everything that refers weakly
 * to a value of the program. It uses the host's own `WeakMap` and `WeakSet` only for
 * internal data.
 *
 * The documentation uses the following words, each with one meaning:
 *
 * - **Referent**: the value that a weak reference refers to.
 * - **Reachable**: the program can get to the value without a weak reference.
 * - **Collected**: the collector has removed a value that was not reachable. This may
 *   happen at any time, or never.
 * - **Dead**: describes a weak reference whose referent has been collected.
 * - **Ephemeron**: an entry that holds its value only while its key is alive, like an
 *   entry of a `WeakMap`.
 * - **Finalizer**: an effect that runs once, some time after its target has been
 *   collected, when the program runs it, or when its Scope closes.
 * - **Dereference**: to read the referent of a weak reference.
 * - **Turn**: the current job of the event loop and its microtasks, at whose end an
 *   engine lets go of the referents that were dereferenced in it.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { collector, host, nextTimer } from "./internal/host.ts"
import { preventStall } from "./internal/registry.ts"

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
 * host's heap throws a `ReferenceError` that names it. There, pass a heap of your own. A
 * clean-up callback that the library passes to `FinalizationRegistry` may return a
 * promise for work that it does in later turns, which an engine ignores, and for which a
 * heap for tests can wait.
 *
 * @see {@link https://tc39.es/ecma262/#sec-weakref-objects | ECMAScript, WeakRef objects} for the source of the semantics
 *
 * @category models
 * @stability stable
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
 * @category services
 * @stability stable
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
 * Costs O(1), and never throws for a value of any kind.
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
 * @category guards
 * @stability stable
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
 * Use in tests, benchmarks and diagnostics, but not where the result of a program depends
 * on it, because some hosts cannot force a collection.
 *
 * **Details**
 *
 * Calls the global `gc` if the host exposes it (`node --expose-gc`,
 * `deno --v8-flags=--expose-gc`, `chromium --js-flags=--expose-gc`). On Bun, calls
 * `Bun.gc`. On Node without the flag, obtains a `gc` function through `node:v8`. The
 * effect never fails, and costs a full collection, which takes milliseconds to seconds.
 *
 * Node 20, 22 and 24 may stop all clean-up of the process if a `FinalizationRegistry` is
 * collected while it has something to clean up, which this function prevents.
 *
 * **Gotchas**
 *
 * - The clean-up of a collected value, and with it a finalizer, may run in a later turn
 *   than the collection.
 * - A value is not collected while a stack or a closure holds it. On V8, even a suspended
 *   generator keeps all of its variables, whereas JavaScriptCore drops those that the
 *   generator does not read again.
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
 * @category running
 * @stability stable
 * @since 0.1.0
 */
export const collectGarbage: Effect.Effect<boolean> = /*#__PURE__*/ Effect.callback<boolean>((resume) => {
  // Old engines may stop all finalizers if a registry of the program is collected while its clean-up is due.
  preventStall()
  // Collect in the next turn, because a referent that this turn dereferenced stays alive until the end of the turn.
  nextTimer(() => {
    const collect = collector()
    collect?.()
    // The engine runs clean-up jobs as tasks. Resume the caller after the first task.
    nextTimer(() => resume(Effect.succeed(collect !== undefined)))
  })
})
