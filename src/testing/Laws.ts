/**
 * Checks the laws that weak data types must obey, with property tests.
 *
 * Each function takes an implementation and returns its laws, and costs O(1) without ever
 * failing. Checking a law runs generated programs on the implementation, in which targets
 * are collected at many different moments. The check of a broken law fails with a
 * `LawError`, which has a short program that shows what goes wrong.
 *
 * The implementation can come from this library, from another library, or from your own
 * code. It must get its weak primitives from the `Heap` that the law passes.
 *
 * Most laws use a `TestHeap`. The laws about what stays alive use the host's heap and
 * force full collections, so they need a host that can force a collection, such as Node.
 *
 * This module needs `fast-check`, an optional peer dependency, so the index
 * `effect-weakref/testing` does not export it. Import it as
 * `effect-weakref/testing/Laws`.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as fc from "fast-check"
import type { Heap } from "../Heap.ts"
import * as Table from "../internal/testing/laws/collections.ts"
import * as Equality from "../internal/testing/laws/equality.ts"
import * as Finalizer from "../internal/testing/laws/finalizer.ts"
import type { Check } from "../internal/testing/laws/law.ts"
import * as Proxy from "../internal/testing/laws/proxy.ts"
import * as Reference from "../internal/testing/laws/reference.ts"
import * as Arbitraries from "./Arbitraries.ts"

/**
 * Describes a law of one implementation, and the effect that checks it.
 *
 * **When to use**
 *
 * Use to run the laws in a test runner for which `effect-weakref/testing/Vitest` has no
 * function.
 *
 * **Details**
 *
 * `name` says in one sentence what must hold. `check` searches for a counterexample, and
 * fails with `LawError` if it finds one. If `check` is interrupted, it stops after the
 * current program.
 *
 * @see {@link LawError} for the report of a broken law
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Law {
  readonly name: string
  readonly check: (options?: CheckOptions) => Effect.Effect<void, LawError>
}

/**
 * Describes the options of a check, which have the names and meanings of fast-check.
 *
 * **When to use**
 *
 * Use to run more programs than by default, or to replay a counterexample.
 *
 * **Details**
 *
 * `numRuns` is the number of generated programs, 100 by default, although laws that force
 * collections run one program. `seed` and `path` replay a counterexample: copy both from
 * a `LawError`.
 *
 * @see {@link Law} for the function that takes these options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface CheckOptions {
  readonly numRuns?: number | undefined
  readonly seed?: number | undefined
  readonly path?: string | undefined
}

/**
 * Reports a law that does not hold, with a program that breaks it.
 *
 * **When to use**
 *
 * Use to read the counterexample of a broken law in code, because its message already
 * prints it.
 *
 * **Details**
 *
 * - `law`: the name of the law, which says in one sentence what must hold
 * - `counterexample`: the generated input that breaks the law, shrunk by fast-check
 * - `trace`: the lines of the program that ran with this input, the last of which says
 *   what went wrong
 * - `seed` and `path`: the options that replay the counterexample
 * - `cause`: the error that the implementation threw, if it threw one
 *
 * The message prints the law, the program, and the options.
 *
 * **Example** (Reading a counterexample)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import * as Laws from "effect-weakref/testing/Laws"
 *
 * // The callback never runs.
 * const laws = Laws.finalizer(() => () => () => {})
 * const law = laws.find((law) => law.name === "finalizer: runs after its target is collected")!
 *
 * const error = await Effect.runPromise(Effect.flip(law.check()))
 * error.trace.at(-1) // => "finalize() // callback0 never ran, expected that it ran once"
 *
 * const again = await Effect.runPromise(Effect.flip(law.check({ seed: error.seed, path: error.path })))
 * again.message === error.message // => true
 * ```
 *
 * @see {@link Law} for the check that fails with this error
 *
 * @category errors
 * @stability experimental
 * @since 0.1.0
 */
export class LawError extends Data.TaggedError("LawError")<{
  readonly law: string
  readonly counterexample: unknown
  readonly trace: ReadonlyArray<string>
  readonly seed: number
  readonly path: string
  readonly cause: unknown
  readonly message: string
}> {
  constructor(fields: {
    readonly law: string
    readonly counterexample: unknown
    readonly trace: ReadonlyArray<string>
    readonly seed: number
    readonly path: string
    readonly cause: unknown
  }) {
    // The message is there when the error is made, so that every engine prints it in `stack`.
    super({ ...fields, message: messageOf(fields) })
  }
}

const messageOf = (
  { law, path, seed, trace }: {
    readonly law: string
    readonly trace: ReadonlyArray<string>
    readonly seed: number
    readonly path: string
  }
): string =>
  [
    `The law "${law}" does not hold. Counterexample:`,
    "",
    ...trace.map((line) => `  ${line}`),
    "",
    `Replay it with check({ seed: ${seed}, path: ${JSON.stringify(path)} }).`
  ].join("\n")

const toLaws = (checks: ReadonlyArray<Check>): ReadonlyArray<Law> =>
  checks.map(({ name, run }) => ({
    name,
    check: (options = {}) =>
      Effect.flatMap(
        Effect.promise((signal) => run(options, signal)),
        (failure) => failure === undefined ? Effect.void : Effect.fail(new LawError({ law: name, ...failure }))
      )
  }))

/**
 * Returns the laws that equality and hashing must obey.
 *
 * **When to use**
 *
 * Use for values that implement Effect's `Equal` and refer to something weakly.
 *
 * **Details**
 *
 * `make(heap)` returns a function that makes a value from a generated input. The laws
 * compare such values, including two values made from the same input:
 *
 * - equality is reflexive, symmetric, and transitive, whatever the inputs are
 * - equal values have equal hashes, as the interface `Hash` demands
 * - equality is stable after death: collecting the inputs changes no hash, leaves each
 *   value equal to itself, and makes no two values equal
 *
 * The laws call the methods `Equal.symbol` and `Hash.symbol` directly, because
 * `Equal.equals` remembers earlier answers. Inputs that cannot be weakly referenced are
 * not collected.
 *
 * A check costs `numRuns` programs for each law, and fails with `LawError` if the law is
 * broken.
 *
 * **Gotchas**
 *
 * The implementation must use the constructors of `heap`. If it uses the global
 * constructors, the `TestHeap` cannot collect its values.
 *
 * **Example** (Checking that references compare like their referents)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import * as Arbitraries from "effect-weakref/testing/Arbitraries"
 * import * as Laws from "effect-weakref/testing/Laws"
 *
 * const laws = Laws.equality((heap) => (key: Arbitraries.Key) => WeakRef.makeUnsafe(key, heap), Arbitraries.keys())
 *
 * await Effect.runPromise(Effect.forEach(laws, (law) => law.check(), { discard: true }))
 * ```
 *
 * @see {@link reference} for the other laws of references
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const equality = <A>(
  make: (heap: Heap) => (input: A) => unknown,
  arbitrary: fc.Arbitrary<A>
): ReadonlyArray<Law> => toLaws(Equality.laws(make, arbitrary))

/**
 * Describes the part of a weak reference that the laws use. The native `WeakRef` and this
 * library's `WeakRef` both have it.
 *
 * **When to use**
 *
 * Use to see what a reference must have to be checked by {@link reference}.
 *
 * @see {@link reference} for the laws
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface ReferenceLike<out A> {
  deref(): A | undefined | Option.Option<A>
}

/**
 * Returns the laws that weak references must obey.
 *
 * **When to use**
 *
 * Use for types that refer to a value weakly and return the value on request.
 *
 * **Details**
 *
 * `make(heap)` returns a function that makes a reference to a referent. `deref` returns
 * the referent if it is alive, and otherwise `undefined` or `Option.none()`. The laws say
 * that a reference:
 *
 * - dereferences to its referent while it is alive
 * - dereferences to nothing after collection, before and after the clean-ups
 * - stays dead, once it has dereferenced to nothing
 * - is not revived by a new reference to the same object
 * - does not keep its referent alive, even if the program holds the reference
 * - has the same hash as every equal reference. The referents of equal references must be
 *   equal too. References that do not implement `Equal` obey this law.
 *
 * `referents` generates the referents, and is `Arbitraries.objects()` by default.
 *
 * A check costs `numRuns` programs for each law, and one program for a law that forces
 * collections, and fails with `LawError` if the law is broken.
 *
 * **Gotchas**
 *
 * The implementation must use the constructors of `heap`. If it uses the global
 * constructors, the `TestHeap` cannot collect its values.
 *
 * **Example** (Checking the native `WeakRef`)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import * as Laws from "effect-weakref/testing/Laws"
 *
 * const laws = Laws.reference((heap) => (referent: object) => new heap.WeakRef(referent))
 *
 * await Effect.runPromise(Effect.forEach(laws, (law) => law.check(), { discard: true }))
 * ```
 *
 * @see {@link equality} for more laws of references that implement `Equal`
 * @see {@link proxy} for proxies, which forward operations to the target
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export function reference(make: (heap: Heap) => (referent: object) => ReferenceLike<object>): ReadonlyArray<Law>
export function reference<A extends WeakKey>(
  make: (heap: Heap) => (referent: A) => ReferenceLike<A>,
  options: { readonly referents: fc.Arbitrary<A> }
): ReadonlyArray<Law>
export function reference(
  make: (heap: Heap) => (referent: object) => ReferenceLike<object>,
  // The second signature ensures that `make` and `referents` have the same type.
  options?: { readonly referents: fc.Arbitrary<object> }
): ReadonlyArray<Law> {
  return toLaws(Reference.laws(make, options?.referents ?? Arbitraries.objects()))
}

/**
 * Returns the laws that weak proxies must obey.
 *
 * **When to use**
 *
 * Use for proxies that forward every operation to a target that they hold weakly.
 *
 * **Details**
 *
 * `make(heap)` returns a function that makes a proxy of a target. The targets are
 * generated: plain and frozen objects, arrays, functions, classes, maps, and instances
 * with private fields. The laws say that a proxy:
 *
 * - reads like its target, including methods that need the target as `this`
 * - writes like its target, with the same result and the same effect
 * - calls and constructs like its target, if the target is a function or a class
 * - fails every operation after collection, for which the law tries all thirteen traps
 * - is not revived by a new proxy of the same target
 * - does not keep its target alive, even if the program holds the proxy
 *
 * `isDeadError` returns whether a dead proxy may throw the given error. By default, it
 * returns `true` for every `Error`.
 *
 * Two differences do not break a law, because no proxy can hide them. A proxy may report
 * a property as configurable. An operation may return the proxy if the same operation on
 * the target returns the target.
 *
 * A check costs `numRuns` programs for each law, and one program for a law that forces
 * collections, and fails with `LawError` if the law is broken.
 *
 * **Gotchas**
 *
 * The implementation must use the constructors of `heap`. If it uses the global
 * constructors, the `TestHeap` cannot collect its values.
 *
 * **Example** (Checking the proxies of this library)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakError, WeakProxy } from "effect-weakref"
 * import * as Laws from "effect-weakref/testing/Laws"
 *
 * const laws = Laws.proxy((heap) => (target) => WeakProxy.makeUnsafe(target, heap), {
 *   isDeadError: (error) => error instanceof WeakError.DeadReferenceError
 * })
 *
 * await Effect.runPromise(Effect.forEach(laws, (law) => law.check(), { discard: true }))
 * ```
 *
 * @see {@link reference} for references, which return the referent
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const proxy = (
  make: (heap: Heap) => (target: object) => object,
  options?: { readonly isDeadError?: ((error: unknown) => boolean) | undefined }
): ReadonlyArray<Law> => toLaws(Proxy.laws(make, options?.isDeadError ?? ((error) => error instanceof Error)))

/**
 * Describes a function that registers a callback for the collection of a target, and
 * returns a function that ends the registration.
 *
 * **When to use**
 *
 * Use to see what a finalizer must have to be checked by {@link finalizer}.
 *
 * **Details**
 *
 * A `FinalizationRegistry` and a `Finalizer` can both be wrapped in such a function: see
 * the examples of {@link finalizer}.
 *
 * @see {@link finalizer} for the laws
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type Register<in A extends WeakKey> = (target: A, callback: () => void) => () => void

/**
 * Returns the laws that finalizers must obey.
 *
 * **When to use**
 *
 * Use for types that run a callback after a target was collected.
 *
 * **Details**
 *
 * `make(heap)` returns a function that registers a callback for a target, and returns
 * another function, which ends the registration. The laws say that a callback:
 *
 * - runs after its target is collected, once the clean-up is due
 * - runs at most once, however often clean-ups run
 * - does not run before its target is collected
 * - does not run after its registration ended, if the target was alive until then
 * - does not depend on the order in which targets are collected and cleaned up
 * - still runs if another registration of its target ends, even if that one ends twice
 * - runs once for each registration, if one callback is registered several times
 *
 * Two more laws force collections: a registration does not keep its target alive, and
 * leaves nothing behind. After the callback has run, or after the registration has ended,
 * the callback, the returned function and the token must be collectable. A callback may
 * run if its registration ends after the target was collected, because an engine may have
 * queued the callback before. `referents` generates the targets, and is
 * `Arbitraries.objects()` by default.
 *
 * A check costs `numRuns` programs for each law, and one program for a law that forces
 * collections, and fails with `LawError` if the law is broken.
 *
 * **Gotchas**
 *
 * The implementation must use the constructors of `heap`. If it uses the global
 * constructors, the `TestHeap` cannot collect its values.
 *
 * **Example** (Checking a `FinalizationRegistry`)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import * as Laws from "effect-weakref/testing/Laws"
 *
 * const laws = Laws.finalizer((heap) => {
 *   const registry = new heap.FinalizationRegistry<() => void>((callback) => callback())
 *   return (target, callback) => {
 *     const token = {}
 *     registry.register(target, callback, token)
 *     return () => registry.unregister(token)
 *   }
 * })
 *
 * await Effect.runPromise(Effect.forEach(laws, (law) => law.check(), { discard: true }))
 * ```
 *
 * **Example** (Checking a `Finalizer`)
 *
 * ```ts import.meta.vitest
 * import { Effect, Scope } from "effect"
 * import { Finalizer, Heap } from "effect-weakref"
 * import * as Laws from "effect-weakref/testing/Laws"
 *
 * const laws = Laws.finalizer((heap) => {
 *   const scope = Scope.makeUnsafe()
 *   return (target, callback) => {
 *     const finalizer = Effect.runSync(Finalizer.make(target, Effect.sync(callback)).pipe(
 *       Effect.provideService(Scope.Scope, scope),
 *       Effect.provideService(Heap.Heap, heap)
 *     ))
 *     return () => Effect.runSync(Finalizer.detach(finalizer))
 *   }
 * })
 *
 * await Effect.runPromise(Effect.forEach(laws, (law) => law.check(), { discard: true }))
 * ```
 *
 * @see {@link weakValueMap} for maps, which remove dead entries in finalizers
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export function finalizer(make: (heap: Heap) => Register<object>): ReadonlyArray<Law>
export function finalizer<A extends WeakKey>(
  make: (heap: Heap) => Register<A>,
  options: { readonly referents: fc.Arbitrary<A> }
): ReadonlyArray<Law>
export function finalizer(
  make: (heap: Heap) => Register<object>,
  // The second signature ensures that `make` and `referents` have the same type.
  options?: { readonly referents: fc.Arbitrary<object> }
): ReadonlyArray<Law> {
  return toLaws(Finalizer.laws(make, options?.referents ?? Arbitraries.objects()))
}

/**
 * Describes the part of a map that the laws use. It is a part of the native `Map`.
 *
 * **When to use**
 *
 * Use to see what a map must have to be checked by {@link weakKeyMap} or
 * {@link weakValueMap}.
 *
 * **Details**
 *
 * Iteration and `size` are optional: a map without iteration, such as a native `WeakMap`,
 * obeys the laws of iteration, and `size` may count entries whose clean-up has not run.
 *
 * @see {@link weakKeyMap} and {@link weakValueMap} for the laws
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface MapLike<K, V> {
  get(key: K): V | undefined
  has(key: K): boolean
  set(key: K, value: V): unknown
  delete(key: K): boolean
  [Symbol.iterator]?(): Iterator<readonly [K, V]>
  readonly size?: number | undefined
}

/**
 * Describes the part of a set that the laws use. It is a part of the native `Set`.
 *
 * **When to use**
 *
 * Use to see what a set must have to be checked by {@link weakSet}.
 *
 * **Details**
 *
 * Iteration and `size` are optional: a set without iteration, such as a native `WeakSet`,
 * obeys the laws of iteration, and `size` may count elements whose clean-up has not run.
 *
 * @see {@link weakSet} for the laws
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface SetLike<A> {
  add(element: A): unknown
  has(element: A): boolean
  delete(element: A): boolean
  [Symbol.iterator]?(): Iterator<A>
  readonly size?: number | undefined
}

/**
 * Describes the properties that a map or a set should have.
 *
 * **When to use**
 *
 * Use if the map or the set compares keys by structure, iterates in insertion order, or
 * takes only some keys.
 *
 * **Details**
 *
 * - `compare`: how keys compare. `"reference"`, the default, compares keys like the
 *   native `Map`, and `"structural"` compares keys with `Equal.equals`. An entry then
 *   keeps the key that it was created with, and dies with this key if keys are weak.
 * - `ordered`: whether iteration follows the order of insertion, which adds a law. It is
 *   `false` by default, so that any order is accepted.
 * - `keys`: generates the keys of a map, or the elements of a set
 *
 * @see {@link weakKeyMap}, {@link weakValueMap}, and {@link weakSet} for the functions that take these options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface TableOptions<K> {
  readonly compare?: "reference" | "structural" | undefined
  readonly ordered?: boolean | undefined
  readonly keys?: fc.Arbitrary<K> | undefined
}

/**
 * Returns the laws of maps whose keys are weak.
 *
 * **When to use**
 *
 * Use for a map that stores data about objects for as long as these objects live.
 *
 * **Details**
 *
 * `make(heap)` returns an empty map, and the laws say that such a map:
 *
 * - agrees with a strong `Map` about live entries, under scripts of `set`, `get`, `has`,
 *   `delete`, iteration, collections, and clean-ups
 * - forgets an entry when its key is collected, even before the clean-up
 * - returns `false` from `delete` if the entry is dead
 * - keeps the new entry of a key when the clean-up of an earlier entry of the key runs
 * - iterates soundly during mutation and collection: it yields no dead entry, no entry
 *   twice, and every entry that stays
 * - does not keep a key alive, even if the value refers to the key
 * - leaves nothing behind: when entries die, are removed or are overwritten, it releases
 *   their values, weak references and registrations
 * - has a `size` that counts every live entry, and no entry that was removed
 * - iterates in insertion order, if `ordered` is `true`
 *
 * `keys` is `Arbitraries.keys()` by default, which generates keys whose hashes collide.
 *
 * A check costs `numRuns` programs for each law, and one program for a law that forces
 * collections, and fails with `LawError` if the law is broken.
 *
 * **Gotchas**
 *
 * The implementation must use the constructors of `heap`. If it uses the global
 * constructors, the `TestHeap` cannot collect its values.
 *
 * **Example** (Checking the native `WeakMap`)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import * as Laws from "effect-weakref/testing/Laws"
 *
 * const laws = Laws.weakKeyMap((heap) => new heap.WeakMap<object, object>())
 *
 * await Effect.runPromise(Effect.forEach(laws, (law) => law.check(), { discard: true }))
 * ```
 *
 * @see {@link weakValueMap} for maps whose values are weak
 * @see {@link weakSet} for sets
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export function weakKeyMap(
  make: (heap: Heap) => MapLike<object, object>,
  options?: Omit<TableOptions<object>, "keys">
): ReadonlyArray<Law>
export function weakKeyMap<K extends WeakKey>(
  make: (heap: Heap) => MapLike<K, object>,
  options: TableOptions<K> & { readonly keys: fc.Arbitrary<K> }
): ReadonlyArray<Law>
export function weakKeyMap(
  make: (heap: Heap) => MapLike<object, object>,
  // The second signature ensures that `make` and `keys` have the same type.
  options?: TableOptions<object>
): ReadonlyArray<Law> {
  return toLaws(Table.laws({
    name: "weakKeyMap",
    weak: "key",
    make: (heap) => Table.ofMap(make(heap)),
    keys: options?.keys ?? Arbitraries.keys(),
    compare: options?.compare,
    ordered: options?.ordered
  }))
}

/**
 * Returns the laws of maps whose values are weak.
 *
 * **When to use**
 *
 * Use for a cache or a registry that must not keep its values alive.
 *
 * **Details**
 *
 * `make(heap)` returns an empty map, and the laws say that such a map:
 *
 * - agrees with a strong `Map` about live entries, under scripts of `set`, `get`, `has`,
 *   `delete`, iteration, collections, and clean-ups
 * - forgets an entry when its value is collected, even before the clean-up
 * - returns `false` from `delete` if the entry is dead
 * - keeps the new entry of a key when the clean-up of an earlier entry of the key runs, a
 *   law that weak caches often break
 * - iterates soundly during mutation and collection: it yields no dead entry, no entry
 *   twice, and every entry that stays
 * - does not keep its values alive, even if they were read, yielded or deleted
 * - leaves nothing behind: when entries die, are removed or are overwritten, it releases
 *   their keys, weak references and registrations
 * - has a `size` that counts every live entry, and no entry that was removed
 * - keeps strings apart that look alike: in upper and lower case, numbers in several
 *   formats, strings with equal hashes, and names such as `__proto__`
 * - iterates in insertion order, if `ordered` is `true`
 *
 * `keys` generates strings by default, and with `keys` of your own, the law about strings
 * that look alike is left out.
 *
 * A check costs `numRuns` programs for each law, and one program for a law that forces
 * collections, and fails with `LawError` if the law is broken.
 *
 * **Gotchas**
 *
 * The implementation must use the constructors of `heap`. If it uses the global
 * constructors, the `TestHeap` cannot collect its values.
 *
 * **Example** (Finding the bug in a hand-written cache)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import type { Heap } from "effect-weakref"
 * import * as Laws from "effect-weakref/testing/Laws"
 *
 * class Cache {
 *   readonly #heap: Heap.Heap
 *   readonly #refs = new Map<string, WeakRef<object>>()
 *   readonly #registry: FinalizationRegistry<string>
 *   constructor(heap: Heap.Heap) {
 *     this.#heap = heap
 *     // The mistake: the key can have a new value by now.
 *     this.#registry = new heap.FinalizationRegistry((key) => this.#refs.delete(key))
 *   }
 *   get(key: string): object | undefined {
 *     return this.#refs.get(key)?.deref()
 *   }
 *   has(key: string): boolean {
 *     return this.get(key) !== undefined
 *   }
 *   set(key: string, value: object): void {
 *     this.#refs.set(key, new this.#heap.WeakRef(value))
 *     this.#registry.register(value, key)
 *   }
 *   delete(key: string): boolean {
 *     return this.has(key) && this.#refs.delete(key)
 *   }
 * }
 *
 * const broken: Array<string> = []
 * for (const law of Laws.weakValueMap((heap) => new Cache(heap))) {
 *   await Effect.runPromise(Effect.catch(law.check(), (error) => Effect.sync(() => broken.push(error.law))))
 * }
 * broken // => ["weakValueMap: a clean-up does not remove an entry that was set later"]
 * ```
 *
 * @see {@link weakKeyMap} for maps whose keys are weak
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export function weakValueMap(
  make: (heap: Heap) => MapLike<string, object>,
  options?: Omit<TableOptions<string>, "keys">
): ReadonlyArray<Law>
export function weakValueMap<K>(
  make: (heap: Heap) => MapLike<K, object>,
  options: TableOptions<K> & { readonly keys: fc.Arbitrary<K> }
): ReadonlyArray<Law>
export function weakValueMap(
  make: (heap: Heap) => MapLike<unknown, object>,
  options?: TableOptions<unknown>
): ReadonlyArray<Law> {
  return toLaws(Table.laws({
    name: "weakValueMap",
    weak: "value",
    make: (heap) => Table.ofMap(make(heap)),
    keys: options?.keys ?? Table.strings,
    strangeKeys: options?.keys === undefined ? Table.strangeStrings : undefined,
    compare: options?.compare,
    ordered: options?.ordered
  }))
}

/**
 * Returns the laws that weak sets must obey.
 *
 * **When to use**
 *
 * Use for a set that must not keep its elements alive.
 *
 * **Details**
 *
 * `make(heap)` returns an empty set. The laws are those of {@link weakKeyMap}, but for
 * elements instead of keys. `keys` generates the elements, and is `Arbitraries.keys()` by
 * default.
 *
 * A check costs `numRuns` programs for each law, and one program for a law that forces
 * collections, and fails with `LawError` if the law is broken.
 *
 * **Gotchas**
 *
 * The implementation must use the constructors of `heap`. If it uses the global
 * constructors, the `TestHeap` cannot collect its values.
 *
 * **Example** (Checking a weak set of this library)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakSet } from "effect-weakref"
 * import * as Laws from "effect-weakref/testing/Laws"
 *
 * const laws = Laws.weakSet((heap) => {
 *   const set = WeakSet.makeUnsafe<object>({ compare: "structural" }, heap)
 *   return {
 *     add: (element) => WeakSet.add(set, element),
 *     has: (element) => WeakSet.has(set, element),
 *     delete: (element) => {
 *       const found = WeakSet.has(set, element)
 *       WeakSet.remove(set, element)
 *       return found
 *     },
 *     [Symbol.iterator]: () => WeakSet.values(set)
 *   }
 * }, { compare: "structural", ordered: true })
 *
 * await Effect.runPromise(Effect.forEach(laws, (law) => law.check(), { discard: true }))
 * ```
 *
 * @see {@link weakKeyMap} for maps
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export function weakSet(
  make: (heap: Heap) => SetLike<object>,
  options?: Omit<TableOptions<object>, "keys">
): ReadonlyArray<Law>
export function weakSet<A extends WeakKey>(
  make: (heap: Heap) => SetLike<A>,
  options: TableOptions<A> & { readonly keys: fc.Arbitrary<A> }
): ReadonlyArray<Law>
export function weakSet(
  make: (heap: Heap) => SetLike<object>,
  // The second signature ensures that `make` and `keys` have the same type.
  options?: TableOptions<object>
): ReadonlyArray<Law> {
  return toLaws(Table.laws({
    name: "weakSet",
    weak: "element",
    make: (heap) => Table.ofSet(make(heap)),
    keys: options?.keys ?? Arbitraries.keys(),
    compare: options?.compare,
    ordered: options?.ordered
  }))
}
