/**
 * Finds out whether a value is collectable on the real heap, and if not, what retains it.
 *
 * A `TestHeap` tests what happens after a collection. It cannot show that the program releases a value, because the test
 * itself says what is collected. This module forces collections of the host's heap: {@link expectCollected} fails if one
 * value stays alive and names the path that retains it, and {@link expectNoGrowth} fails if repeating an effect leaves
 * more and more instances of a class.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { collectGarbage, isWeakReferenceable } from "../Heap.ts"
import { host } from "../internal/heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"

/**
 * One step of a retaining path: `holder` holds the next step, or the value, by its `via`.
 *
 * **Details**
 *
 * `holder` is `"globalThis"`, the name of a class, or a phrase such as `suspended fiber of "loadUser"`. `via` is a
 * property, an element such as `[2]`, or a phrase such as `entry "key"`. The kind `"engine"` means that only the engine
 * itself is known to hold the value.
 *
 * **Example** (A property of a global object)
 *
 * ```ts import.meta.vitest
 * import { type LeakDetector } from "effect-weakref/testing"
 *
 * const retainer: LeakDetector.Retainer = { holder: "globalThis", via: "cache", kind: "property" }
 * retainer.via // => "cache"
 * ```
 *
 * @see {@link LeakError} for the error that carries the path
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Retainer {
  readonly holder: string
  readonly via: string
  readonly kind:
    | "property"
    | "element"
    | "entry"
    | "closure"
    | "function"
    | "listener"
    | "timer"
    | "promise"
    | "generator"
    | "fiber"
    | "scope"
    | "registry"
    | "engine"
}

/**
 * Fails {@link expectCollected}: the value was still reachable after all collections, or the host offers no way to ask
 * for a collection.
 *
 * **Details**
 *
 * `retainers` is the path from a root to the value, the root first. It is empty if the host offers no heap snapshot, if
 * the search was switched off, or if no path was found; `reason` then says which.
 *
 * **Example** (Reading the path)
 *
 * ```ts import.meta.vitest
 * import { LeakDetector } from "effect-weakref/testing"
 *
 * const error = new LeakDetector.LeakError({
 *   rounds: 20,
 *   retainers: [
 *     { holder: "globalThis", via: "cache", kind: "property" },
 *     { holder: "Map", via: "entry \"k\"", kind: "entry" }
 *   ]
 * })
 * error.message.split("\n")[1] // => "  globalThis.cache → Map → entry \"k\" → value"
 * ```
 *
 * @see {@link expectCollected} for the test that fails with it
 *
 * @category errors
 * @stability experimental
 * @since 0.1.0
 */
export class LeakError extends Data.TaggedError("LeakError")<{
  /** The number of collections that did not collect the value; 0 if the host makes none. */
  readonly rounds: number
  /** The path from a root to the value, the root first. */
  readonly retainers: ReadonlyArray<Retainer>
  /** Why `retainers` is empty. */
  readonly reason?: string | undefined
}> {
  override get message(): string {
    if (this.rounds === 0) return "This host offers no way to ask for a collection: run it with --expose-gc"
    const reachable = `The value is still reachable after ${this.rounds} collections`
    return this.retainers.length > 0
      ? `${reachable}. This path retains it:\n  ${render(this.retainers)}`
      : `${reachable}: look for closures, caches, listeners and suspended fibers that hold it. What retains it is unknown: ${
        this.reason ?? "the search was switched off"
      }`
  }
}

const identifier = /^[\p{ID_Start}$_#][\p{ID_Continue}$]*$/u

const render = (retainers: ReadonlyArray<Retainer>): string => {
  let path = ""
  for (const { holder, kind, via } of retainers) {
    const accessor = kind === "element" ? via : identifier.test(via) ? `.${via}` : `[${quote(via)}]`
    // `globalThis.app.cache` instead of `globalThis.app → Object.cache`.
    const continues = (kind === "property" && holder === "Object") || (kind === "element" && holder === "Array")
    const step = kind === "property" || kind === "element"
      ? `${holder}${accessor}`
      : kind === "closure"
      ? `${via} captured by ${holder}`
      : kind === "listener"
      ? `${via} of ${holder}`
      : kind === "promise" || (kind === "scope" && via !== "fiber")
      ? `${holder} ${via}`
      : kind === "fiber" || kind === "generator" || kind === "timer" || kind === "scope"
      ? via.startsWith("variable ") || via === "arguments" ? `${holder} → ${via}` : holder
      : `${holder} → ${via}`
    path = path === "" ? step : continues && /[\w\])]$/.test(path) ? path + accessor : `${path} → ${step}`
  }
  return `${path} → value`
}

const quote = (name: string): string => name.startsWith("Symbol(") ? name : JSON.stringify(name)

/**
 * Options of {@link expectCollected}.
 *
 * **Example** (A quick check)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { LeakDetector } from "effect-weakref/testing"
 *
 * const options: LeakDetector.Options = { rounds: 3, retainers: false }
 * await Effect.runPromise(LeakDetector.expectCollected(Effect.sync(() => ({})), options))
 * ```
 *
 * @see {@link expectCollected} for the test that takes them
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Options {
  /** How many collections to force before the value counts as leaked: an integer from 1. The default is 20. */
  readonly rounds?: number | undefined
  /** Whether to search for what retains a leaked value. The default is `true`. */
  readonly retainers?: boolean | undefined
}

const defaultRounds = 20

/**
 * Runs an effect that makes an object and releases it, and succeeds as soon as the object is collected.
 *
 * **When to use**
 *
 * Use in a test to show that nothing retains an object after use: that a cache is weak, that a listener is removed, that
 * a finalizer does not capture its target.
 *
 * **Details**
 *
 * The effect runs once. Its result is held weakly from then on. The host is then asked for full collections, each in a
 * turn of its own, `rounds` at most. An object that the effect's Scope holds is reachable while that Scope is open.
 *
 * If the object is still alive after the last round, the effect fails with {@link LeakError}. On V8 with `node:inspector`
 * (Node, Deno) the error names a strong path from a root to the object: `globalThis.cache → Map → entry "k" → value`. Of
 * several paths it takes a short one through the program's own objects. Weak references, weak edges, the stack of the
 * detector and the inspector's handles are no holders. An entry of a `WeakMap` counts if its key and its map are
 * reachable. On other hosts `retainers` is empty and `reason` says why.
 *
 * A result that cannot be weakly referenced, which only untyped code can return, is a defect: `NotWeakReferenceableError`.
 * So is a `rounds` that is not a positive integer: `RangeError`.
 *
 * Cost: at most `rounds` full collections. The search takes one heap snapshot, and V8 stops the program while it writes the
 * snapshot. Measured on Node 26, on a busy machine with two cores: 1 s of CPU time for a heap of 30 MB, and 8 s for 100 MB with
 * 2.3 million nodes, most of it V8's. V8 takes up to ten times the size of the heap as memory meanwhile. A test that
 * passes takes no snapshot and loads no code for it.
 *
 * **Gotchas**
 *
 * The closures of the effect are reachable as long as the effect is: an object made outside of the effect, and only
 * returned by it, counts as a leak. The locals of a suspended generator are reachable too. Positions are those of the
 * code that the engine runs, before source maps. In a bundle, Effect's own functions appear in the path like the
 * program's. A debugger's console can hold objects and make this test fail.
 *
 * **Example** (Naming what retains a value)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 * import { LeakDetector } from "effect-weakref/testing"
 *
 * const strong = new Map<string, object>()
 * const weak = WeakValueMap.makeUnsafe<string, object>()
 *
 * const cachedIn = (set: (key: string, value: object) => void) =>
 *   Effect.sync(() => {
 *     const value = {}
 *     set("key", value)
 *     return value
 *   })
 *
 * const held = LeakDetector.expectCollected(cachedIn((key, value) => strong.set(key, value)), { rounds: 3 })
 * const error = await Effect.runPromise(Effect.flip(held))
 * error.retainers.at(-1) // => { holder: "Map", via: "entry \"key\"", kind: "entry" }
 *
 * await Effect.runPromise(LeakDetector.expectCollected(cachedIn((key, value) => WeakValueMap.set(weak, key, value))))
 * ```
 *
 * @see {@link expectNoGrowth} for leaks that show only after many repetitions
 *
 * @category testing
 * @stability experimental
 * @since 0.1.0
 */
export const expectCollected = <A extends object, E, R>(
  make: Effect.Effect<A, E, R>,
  options?: Options
): Effect.Effect<void, LeakError | E, R> =>
  Effect.suspend(() => {
    const rounds = options?.rounds ?? defaultRounds
    requirePositiveInteger("rounds", rounds)
    return Effect.flatMap(
      Effect.map(make, weaken),
      (ref) => awaitCollection(ref, 1, rounds, options?.retainers ?? true)
    )
  })

const requirePositiveInteger = (name: string, value: number): void => {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${name} must be a positive integer, but it is ${String(value)}`)
  }
}

const weaken = <A extends object>(value: A): WeakRef<A> => {
  if (!isWeakReferenceable(value)) throw new NotWeakReferenceableError({ value })
  return new host.WeakRef(value)
}

const awaitCollection = (
  ref: WeakRef<object>,
  round: number,
  rounds: number,
  retainers: boolean
): Effect.Effect<void, LeakError> =>
  Effect.flatMap(collectGarbage, (collected) => {
    if (!collected) return Effect.fail(new LeakError({ rounds: 0, retainers: [] }))
    if (ref.deref() === undefined) return Effect.void
    if (round < rounds) return awaitCollection(ref, round + 1, rounds, retainers)
    return retainers ? failWithRetainers(ref, rounds) : Effect.fail(new LeakError({ rounds, retainers: [] }))
  })

/** The search is loaded here, because most tests pass. */
const failWithRetainers = (ref: WeakRef<object>, rounds: number): Effect.Effect<void, LeakError> =>
  Effect.flatMap(
    Effect.promise(async () => {
      const { find } = await import("../internal/testing/retainers.ts")
      return find(ref)
    }),
    (found) => {
      switch (found._tag) {
        // The collection that V8 makes before a snapshot is more thorough than `gc()`.
        case "Collected":
          return Effect.void
        case "Retained":
          return Effect.fail(new LeakError({ rounds, retainers: found.retainers }))
        case "Unknown":
          return Effect.fail(new LeakError({ rounds, retainers: [], reason: found.reason }))
      }
    }
  )

/**
 * Fails {@link expectNoGrowth}: there are more instances of a class after the repetitions than before, or the host
 * offers no way to count instances.
 *
 * **Details**
 *
 * `growth` lists the classes that grew, each with the number of its instances before and after. It is empty, and
 * `repeat` is 0, if the host cannot count.
 *
 * **Example** (Reading the counts)
 *
 * ```ts import.meta.vitest
 * import { LeakDetector } from "effect-weakref/testing"
 *
 * const error = new LeakDetector.GrowthError({ repeat: 10, growth: [{ name: "Session", before: 1, after: 11 }] })
 * error.message // => "After 10 repetitions more instances are alive: Session 1 → 11"
 * ```
 *
 * @see {@link expectNoGrowth} for the test that fails with it
 *
 * @category errors
 * @stability experimental
 * @since 0.1.0
 */
export class GrowthError extends Data.TaggedError("GrowthError")<{
  /** How often the effect ran between the two counts; 0 if the host cannot count. */
  readonly repeat: number
  readonly growth: ReadonlyArray<{ readonly name: string; readonly before: number; readonly after: number }>
}> {
  override get message(): string {
    return this.repeat === 0
      ? "This host offers no way to count the instances of a class after a collection: run it on Node with --expose-gc"
      : `After ${this.repeat} repetitions more instances are alive: ${
        this.growth.map(({ after, before, name }) => `${name} ${before} → ${after}`).join(", ")
      }`
  }
}

/**
 * Options of {@link expectNoGrowth}.
 *
 * **Example** (Two classes)
 *
 * ```ts import.meta.vitest
 * import { type LeakDetector } from "effect-weakref/testing"
 *
 * class Session {}
 * class Connection {}
 *
 * const options: LeakDetector.GrowthOptions = { classes: [Session, Connection], repeat: 100 }
 * options.classes.length // => 2
 * ```
 *
 * @see {@link expectNoGrowth} for the test that takes them
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface GrowthOptions {
  /** The classes whose instances are counted. */
  readonly classes: ReadonlyArray<{ readonly name: string; readonly prototype: object }>
  /** How often the effect runs between the two counts: an integer from 1. The default is 10. */
  readonly repeat?: number | undefined
}

const defaultRepeat = 10

/** Clean-ups release objects that a later collection takes. */
const roundsOfGrowth = 3

/**
 * Runs an effect again and again, and succeeds if no more instances of the classes are alive afterwards than before.
 *
 * **When to use**
 *
 * Use for leaks that no single value shows: a request handler, a connect and disconnect, a cache that is meant to be
 * bounded. Use {@link expectCollected} to learn what retains one value.
 *
 * **Details**
 *
 * The effect runs once before the first count, so that what it caches on its first run does not count. Then it runs
 * `repeat` times, one run after the other, and the instances are counted again, up to three times if there are too many,
 * each time after a full collection. Results are dropped. Fails with {@link GrowthError} if a class has more instances
 * than before, even one. A failure of the effect ends the test. What the effect's Scope holds counts as long as that
 * Scope is open.
 *
 * On Node, `queryObjects` of `node:v8` counts: exact, with the instances of subclasses. Node versions before 24 print a warning
 * that it is experimental. Deno (through a heap snapshot) and Bun (through its own) count by the *name* of the class:
 * without subclasses, and together with other classes of the same name. On other hosts the effect fails with a
 * `GrowthError` whose `repeat` is 0.
 *
 * An empty `classes`, and an element that is no class, are a defect: `TypeError`. So is a `repeat` that is not a positive
 * integer: `RangeError`. Cost: a walk over the heap for each class and count.
 *
 * **Gotchas**
 *
 * A fiber that the effect leaves in the background may hold instances for a while. Wait for it inside the effect.
 *
 * **Example** (A list that nobody empties)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { LeakDetector } from "effect-weakref/testing"
 *
 * class Session {}
 * const sessions: Array<Session> = []
 *
 * const login = Effect.sync(() => void sessions.push(new Session()))
 * const logout = Effect.sync(() => void sessions.pop())
 *
 * const options = { classes: [Session], repeat: 5 }
 * await Effect.runPromise(LeakDetector.expectNoGrowth(Effect.andThen(login, logout), options))
 *
 * const error = await Effect.runPromise(Effect.flip(LeakDetector.expectNoGrowth(login, options)))
 * error.message // => "After 5 repetitions more instances are alive: Session 1 → 6"
 * ```
 *
 * @see {@link expectCollected} for one value and the path that retains it
 *
 * @category testing
 * @stability experimental
 * @since 0.1.0
 */
export const expectNoGrowth = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: GrowthOptions
): Effect.Effect<void, GrowthError | E, R> =>
  Effect.suspend(() => {
    const { classes, repeat = defaultRepeat } = options
    requirePositiveInteger("repeat", repeat)
    requireClasses(classes)
    const run = Effect.asVoid(effect)
    const growthFrom = (before: ReadonlyArray<number>, round: number): Effect.Effect<void, GrowthError> =>
      Effect.flatMap(count(classes), (after) => {
        const growth = classes.flatMap(({ name }, index) =>
          after[index]! > before[index]! ? [{ name, before: before[index]!, after: after[index]! }] : []
        )
        if (growth.length === 0) return Effect.void
        return round < roundsOfGrowth ? growthFrom(before, round + 1) : Effect.fail(new GrowthError({ repeat, growth }))
      })
    return Effect.andThen(
      run,
      Effect.flatMap(count(classes), (before) => Effect.andThen(times(run, repeat), growthFrom(before, 1)))
    )
  })

const requireClasses = (classes: GrowthOptions["classes"]): void => {
  if (classes.length === 0) throw new TypeError("classes must name at least one class")
  // Untyped code can pass anything.
  for (const element of classes as ReadonlyArray<unknown>) {
    if (typeof element !== "function" || typeof element.prototype !== "object" || element.prototype === null) {
      throw new TypeError(`classes must hold classes only, but it holds ${String(element)}`)
    }
  }
}

const times = <E, R>(effect: Effect.Effect<void, E, R>, repeat: number): Effect.Effect<void, E, R> =>
  Effect.gen(function*() {
    for (let run = 0; run < repeat; run++) yield* effect
  })

/** Counts after a full collection, in a turn that has dereferenced nothing. */
const count = (classes: GrowthOptions["classes"]): Effect.Effect<ReadonlyArray<number>, GrowthError> =>
  Effect.flatMap(collectGarbage, (collected) => {
    if (!collected) return Effect.fail(new GrowthError({ repeat: 0, growth: [] }))
    return Effect.flatMap(
      Effect.promise(async () => {
        const instances = await import("../internal/testing/instances.ts")
        return instances.count(classes)
      }),
      (counts) =>
        counts === undefined ? Effect.fail(new GrowthError({ repeat: 0, growth: [] })) : Effect.succeed(counts)
    )
  })
