/**
 * Tests on the real heap whether values are collected, and names what retains them.
 *
 * A `TestHeap` shows what a program does after a collection. A `TestHeap` cannot show
 * that the program releases a value, because the test decides what is collected. This
 * module forces collections of the host's heap. {@link expectCollected} fails if a value
 * stays alive, and names the path that retains the value. {@link expectNoGrowth} fails if
 * repeating an effect increases the number of instances of a class.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { collectGarbage, isWeakReferenceable } from "../Heap.ts"
import { host } from "../internal/host.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"

/**
 * Describes one step of a retaining path, from a holder to what it refers to.
 *
 * **When to use**
 *
 * Use to examine the `retainers` of a {@link LeakError} in a test, which costs nothing.
 *
 * **Details**
 *
 * Each holder refers to the holder of the next step, and the last holder refers to the
 * value. `holder` is `"globalThis"`, the name of a class, or a phrase such as
 * `suspended fiber of "loadUser"`. `via` names the reference: a property, an element such
 * as `[2]`, or a phrase such as `entry "key"`. The kind `"module"` marks a variable or an
 * export of a module, and `"engine"` marks a holder that is a part of the JavaScript
 * engine.
 *
 * **Example** (Describing a property of a global object)
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
    | "module"
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
 * Reports that {@link expectCollected} failed, because a value stayed reachable or no
 * collection could be forced.
 *
 * **When to use**
 *
 * Use to recognize the failure, with `Effect.catchTag("LeakError", …)`, and to read the
 * path, which `message` prints in O(path).
 *
 * **Details**
 *
 * Either the value was still reachable after all collections, or the host cannot force a
 * collection, in which case `rounds` is 0.
 *
 * `retainers` is the path from a root to the value, starting at the root. `retainers` is
 * empty if there was no search, or if the search found no path. If a search found no
 * path, `reason` says why.
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
 * @see {@link expectCollected} for the test that fails with this error
 *
 * @category errors
 * @stability experimental
 * @since 0.1.0
 */
export class LeakError extends Data.TaggedError("LeakError")<{
  /** The number of collections that did not collect the value. 0 if the host cannot force a collection. */
  readonly rounds: number
  /** The path from a root to the value, starting at the root. */
  readonly retainers: ReadonlyArray<Retainer>
  /** Why the search found no path. `undefined` if there was no search, or if it found a path. */
  readonly reason?: string | undefined
  readonly message: string
}> {
  constructor(fields: {
    readonly rounds: number
    readonly retainers: ReadonlyArray<Retainer>
    readonly reason?: string | undefined
  }) {
    // An own property, because engines copy the message to the stack when they make the error.
    super({ ...fields, message: leaked(fields) })
  }
}

const leaked = ({ reason, retainers, rounds }: Pick<LeakError, "reason" | "retainers" | "rounds">): string => {
  if (rounds === 0) return "This host cannot force a collection. Run it with --expose-gc"
  const reachable = `The value is still reachable after ${rounds} collections`
  return retainers.length > 0
    ? `${reachable}. This path retains it:\n  ${render(retainers)}`
    : `${reachable}. Look for closures, caches, listeners and suspended fibers that hold it. No path is known: ${
      reason ?? "the search was switched off"
    }`
}

const identifier = /^[\p{ID_Start}$_#][\p{ID_Continue}$]*$/u

const render = (retainers: ReadonlyArray<Retainer>): string => {
  let path = ""
  let before: Retainer["kind"] | undefined
  for (const { holder, kind, via } of retainers) {
    const accessor = kind === "element" ? via : identifier.test(via) ? `.${via}` : `[${quote(via)}]`
    // Join plain objects and arrays: `globalThis.app.cache` instead of `globalThis.app → Object.cache`.
    const continues = (kind === "property" && holder === "Object") ||
      (kind === "element" && (holder === "Array" || holder === "Object"))
    const step = kind === "property" || kind === "element"
      ? `${holder}${accessor}`
      : kind === "closure"
      ? `${via} captured by ${holder}`
      : kind === "listener" || kind === "module"
      ? `${via} of ${holder}`
      : kind === "promise" || (kind === "scope" && via !== "fiber")
      ? `${holder} ${via}`
      : kind === "fiber" || kind === "generator" || kind === "timer" || kind === "scope"
      ? via.startsWith("variable ") || via === "arguments" ? `${holder} → ${via}` : holder
      : `${holder} → ${via}`
    const joins = continues && (before === "property" || before === "element")
    path = path === "" ? step : joins ? path + accessor : `${path} → ${step}`
    before = kind
  }
  return `${path} → value`
}

const quote = (name: string): string => name.startsWith("Symbol(") ? name : JSON.stringify(name)

/**
 * Configures how often {@link expectCollected} tries, and whether it searches a path.
 *
 * **When to use**
 *
 * Use as the type of options that several tests share, in which more rounds cost more
 * collections.
 *
 * **Example** (Checking quickly)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { LeakDetector } from "effect-weakref/testing"
 *
 * const options: LeakDetector.Options = { rounds: 3, retainers: false }
 * await Effect.runPromise(LeakDetector.expectCollected(Effect.sync(() => ({})), options))
 * ```
 *
 * @see {@link expectCollected} for the test that takes the options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Options {
  /** The maximum number of collections to force. A positive integer, 20 by default. */
  readonly rounds?: number | undefined
  /** Whether to search for the path that retains a leaked value. The default is `true`. */
  readonly retainers?: boolean | undefined
}

const defaultRounds = 20

/**
 * Runs an effect that creates an object, and succeeds as soon as the object is collected.
 *
 * **When to use**
 *
 * Use in a test to show that nothing retains an object after use. For example, show that
 * a cache is weak, that a listener is removed, or that a finalizer does not capture its
 * target.
 *
 * **Details**
 *
 * The effect runs once. Afterwards `expectCollected` holds the result only weakly, and
 * forces up to `rounds` full collections, each in its own turn. If the object is alive
 * after the last round, `expectCollected` fails with {@link LeakError}. If the effect
 * leaves a Scope open, the objects of this Scope stay alive.
 *
 * On V8 with `node:inspector` (Node, Deno), the error names a strong path from a root to
 * the object, such as `globalThis.cache → Map → entry "k" → value` or
 * `variable cache of module app.ts → Array[0] → value`. If there are several paths, the
 * search prefers short paths through objects of the program, and leaves out the objects
 * of Effect, of the test runner and of the detector if the path has other steps. The
 * search ignores weak references, and follows an entry of a `WeakMap` if the key and the
 * map are reachable. If the snapshot itself collects the object, the test succeeds. On
 * other hosts, `retainers` is empty, and `reason` says why.
 *
 * Dies with a `RangeError` if `rounds` is not a positive integer. Dies with
 * `NotWeakReferenceableError` if untyped code returns a value that cannot be weakly
 * referenced.
 *
 * Cost: a test that passes takes at most `rounds` full collections, and no snapshot. A
 * failing test takes one heap snapshot, which the checks that fail at the same time
 * share. V8 stops the program meanwhile, for about 3.5 µs for each object, and needs 300
 * to 500 bytes for each: 5 s and 0.7 GB for a heap of 50 MB with 1.3 million objects, on
 * Node 26 on a busy machine. The search itself adds a smaller part to the time and about
 * the size of the heap to the memory. `docs/leaks.md` says which time limit to set in a
 * test runner.
 *
 * **Gotchas**
 *
 * - Create the object inside the effect, because an object that the effect captures from
 *   outside stays reachable, and counts as a leak.
 * - The local variables of a suspended generator are reachable on V8, even those that it
 *   does not read again.
 * - Positions in the path do not use source maps.
 * - In a bundle, functions of Effect appear in the path like functions of the program.
 * - The console of a debugger can hold the object, which makes the test fail.
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
 * @see {@link expectNoGrowth} to find leaks by repetition
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

/** Searches for the retainers and fails. Imports the search only here, because most tests pass. */
const failWithRetainers = (ref: WeakRef<object>, rounds: number): Effect.Effect<void, LeakError> =>
  Effect.flatMap(
    Effect.promise(async () => {
      const { find } = await import("../internal/testing/retainers.ts")
      return find(ref)
    }),
    (found) => {
      switch (found._tag) {
        // V8 collects before a snapshot, and more thoroughly than `gc()`.
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
 * Reports that {@link expectNoGrowth} failed, because a class has more instances or the
 * host cannot count them.
 *
 * **When to use**
 *
 * Use to recognize the failure, with `Effect.catchTag("GrowthError", …)`, and to read the
 * counts, which `message` prints in O(classes).
 *
 * **Details**
 *
 * `growth` lists each class that has more instances after the repetitions than before,
 * with both numbers. If the host cannot count instances, `growth` is empty and `repeat`
 * is 0.
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
 * @see {@link expectNoGrowth} for the test that fails with this error
 *
 * @category errors
 * @stability experimental
 * @since 0.1.0
 */
export class GrowthError extends Data.TaggedError("GrowthError")<{
  /** How often the effect ran between the two counts. 0 if the host cannot count. */
  readonly repeat: number
  readonly growth: ReadonlyArray<{ readonly name: string; readonly before: number; readonly after: number }>
  readonly message: string
}> {
  constructor(fields: Pick<GrowthError, "growth" | "repeat">) {
    super({ ...fields, message: grown(fields) })
  }
}

const grown = ({ growth, repeat }: Pick<GrowthError, "growth" | "repeat">): string =>
  repeat === 0
    ? "This host cannot count the instances of a class after a collection. Run the test on Node"
    : `After ${repeat} repetitions more instances are alive: ${
      growth.map(({ after, before, name }) => `${name} ${before} → ${after}`).join(", ")
    }`

/**
 * Configures which classes {@link expectNoGrowth} counts, and how often it runs the
 * effect.
 *
 * **When to use**
 *
 * Use as the type of options that several tests share. Each repetition costs one run of
 * the effect.
 *
 * **Example** (Counting two classes)
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
 * @see {@link expectNoGrowth} for the test that takes the options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface GrowthOptions {
  /** The classes whose instances are counted. At least one. */
  readonly classes: ReadonlyArray<{ readonly name: string; readonly prototype: object }>
  /** How often the effect runs between the two counts. A positive integer, 10 by default. */
  readonly repeat?: number | undefined
  /** How often the effect runs before the first count, for example to fill a cache. A positive integer, 1 by default. */
  readonly warmup?: number | undefined
}

const defaultRepeat = 10
const defaultWarmup = 1

/** The number of collections before the second count. More than one, because a clean-up can release more objects. */
const roundsOfGrowth = 3

/**
 * Runs an effect repeatedly, and fails if the number of live instances of a class grows.
 *
 * **When to use**
 *
 * Use for code that runs often, such as a request handler, a reconnect, or a cache that
 * should be bounded. Use {@link expectCollected} to find the path that retains a value.
 *
 * **Details**
 *
 * The effect first runs `warmup` times, because these runs may fill caches. Then the
 * instances are counted, the effect runs `repeat` times, and the instances are counted
 * again after three full collections, because clean-ups can release more of them. If a
 * class has more instances than before, even a single one, `expectNoGrowth` fails with
 * {@link GrowthError}.
 *
 * A failure of the effect ends the test. `expectNoGrowth` does not keep the results of
 * the effect. If the effect leaves a Scope open, the instances of this Scope stay alive.
 *
 * Node 20.13 and later versions count with `queryObjects` of `node:v8`, which prints a
 * warning that it is experimental. This function sees only one context, so classes of a
 * context of `node:vm` (jest, and the pools `vmThreads` and `vmForks` of vitest) are
 * counted in a heap snapshot, as on Deno and on older versions of Node. Both counts
 * include the instances of subclasses. Bun counts by the *name* of the class, which
 * excludes subclasses and includes other classes of the same name. On other hosts,
 * `expectNoGrowth` fails with a `GrowthError` whose `repeat` is 0.
 *
 * Dies with a `TypeError` if `classes` is empty or an element is not a class. Dies with a
 * `RangeError` if `repeat` or `warmup` is not a positive integer.
 *
 * A test costs four full collections and two counts, which visit the whole heap: in some
 * milliseconds for each class with `queryObjects`, and in seconds in a snapshot, as
 * {@link expectCollected} says.
 *
 * **Gotchas**
 *
 * A background fiber that the effect starts may hold instances, so wait for this fiber
 * inside the effect.
 *
 * **Example** (Finding a list that is never emptied)
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
 * @see {@link expectCollected} to find the path that retains a value
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
    const { classes, repeat = defaultRepeat, warmup = defaultWarmup } = options
    requirePositiveInteger("repeat", repeat)
    requirePositiveInteger("warmup", warmup)
    requireClasses(classes)
    const run = Effect.asVoid(effect)
    return Effect.gen(function*() {
      yield* times(run, warmup)
      const before = yield* count(classes, 1)
      yield* times(run, repeat)
      const after = yield* count(classes, roundsOfGrowth)
      const growth = classes.flatMap(({ name }, index) =>
        after[index]! > before[index]! ? [{ name, before: before[index]!, after: after[index]! }] : []
      )
      if (growth.length > 0) return yield* new GrowthError({ repeat, growth })
    })
  })

const requireClasses = (classes: GrowthOptions["classes"]): void => {
  if (classes.length === 0) throw new TypeError("classes must name at least one class")
  // Untyped code can pass any value.
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

/** Counts instances after some full collections, in a turn that has not dereferenced any reference. */
const count = (
  classes: GrowthOptions["classes"],
  collections: number
): Effect.Effect<ReadonlyArray<number>, GrowthError> =>
  Effect.gen(function*() {
    for (let round = 0; round < collections; round++) {
      if (!(yield* collectGarbage)) return yield* new GrowthError({ repeat: 0, growth: [] })
    }
    const counts = yield* Effect.promise(async () => {
      const instances = await import("../internal/testing/instances.ts")
      return instances.count(classes)
    })
    return counts ?? (yield* new GrowthError({ repeat: 0, growth: [] }))
  })
