/**
 * Reports objects in production that the program does not release correctly.
 *
 * {@link track} registers an object that the current Scope should release. The monitor
 * reports two mistakes. `NotClosed` means that the program dropped the object without
 * closing the Scope: the object was collected, and the Scope was still open one minute
 * later. `NotReleased` means that something keeps the object after its Scope has closed:
 * it is still alive after three full collections that began after that. Without a
 * {@link layer}, `track` only returns the object.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { Heap, isWeakReferenceable } from "./Heap.ts"
import { isAnyRunning, Monitor, stackAbove } from "./internal/leakMonitor.ts"
import { NotWeakReferenceableError } from "./WeakError.ts"

/**
 * Selects how many objects a monitor tracks: none, a sample, or all.
 *
 * **When to use**
 *
 * Use as the type of a setting that chooses the level, whose costs {@link track}
 * describes.
 *
 * **Example** (Choosing a level)
 *
 * ```ts import.meta.vitest
 * import { type LeakMonitor } from "effect-weakref"
 *
 * const level = (production: boolean): LeakMonitor.Level => production ? "sampled" : "all"
 * level(true) // => "sampled"
 * ```
 *
 * @see {@link layer} to set the level
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type Level = "off" | "sampled" | "all"

/**
 * Describes a tracked object that was not released correctly.
 *
 * **When to use**
 *
 * Use as the type of the argument of `onLeak`, for example to count leaks by name.
 *
 * **Details**
 *
 * - `NotClosed`: the object was collected, and its Scope was still open when the patience
 *   of the monitor had passed.
 * - `NotReleased`: the object is still alive three full collections after its Scope
 *   closed.
 *
 * `name` is the name that was passed to `track`, and `stack` has the innermost frames of
 * the call of `track`: at most two on engines that have `Error.stackTraceLimit`. A leak
 * does not hold the object, and reading it costs nothing.
 *
 * **Example** (Formatting a line for a log)
 *
 * ```ts import.meta.vitest
 * import { type LeakMonitor } from "effect-weakref"
 *
 * const line = ({ kind, name }: LeakMonitor.Leak) => `${kind} ${name}`
 * line({ kind: "NotClosed", name: "connection", stack: "    at open (pool.ts:12:3)" }) // => "NotClosed connection"
 * ```
 *
 * @see {@link layer} for `onLeak`, which receives the leak
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Leak {
  readonly kind: "NotClosed" | "NotReleased"
  readonly name: string
  readonly stack: string
}

/**
 * Describes the monitor of the context, and whether it is switched on.
 *
 * **When to use**
 *
 * Use as the type of the service that {@link layer} provides, whose level costs O(1) to
 * read.
 *
 * **Example** (Reading the default level)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { LeakMonitor } from "effect-weakref"
 *
 * Effect.runSync(LeakMonitor.LeakMonitor).level // => "off"
 * ```
 *
 * @see {@link layer} to switch the monitor on
 *
 * @category references
 * @stability experimental
 * @since 0.1.0
 */
export interface LeakMonitor {
  readonly level: Level
}

/** Implements `LeakMonitor`. */
class LeakMonitorImpl implements LeakMonitor {
  readonly level: Level
  readonly monitor: Monitor | undefined
  constructor(level: Level, monitor: Monitor | undefined) {
    this.level = level
    this.monitor = monitor
  }
}

const off = /*#__PURE__*/ new LeakMonitorImpl("off", undefined)

/**
 * Provides the monitor that {@link track} uses, which is off by default.
 *
 * **When to use**
 *
 * Use to read the level at which the program runs, which costs O(1).
 *
 * **Example** (Reading the level of a layer)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { LeakMonitor } from "effect-weakref"
 *
 * const level = Effect.map(LeakMonitor.LeakMonitor, ({ level }) => level)
 *
 * Effect.runSync(Effect.provide(level, LeakMonitor.layer({ level: "all" }))) // => "all"
 * ```
 *
 * @see {@link layer} to switch the monitor on
 *
 * @category references
 * @stability experimental
 * @since 0.1.0
 */
export const LeakMonitor: Context.Reference<LeakMonitor> = /*#__PURE__*/ Context.Reference<LeakMonitor>(
  "effect-weakref/LeakMonitor",
  { defaultValue: () => off }
)

const monitorOf = (fiber: Fiber.Fiber<unknown, unknown>): Monitor | undefined => {
  const service = fiber.getRef(LeakMonitor)
  return service instanceof LeakMonitorImpl ? service.monitor : undefined
}

/**
 * Tracks an object that the current Scope should release, and returns the object.
 *
 * **When to use**
 *
 * Use after opening a resource, such as a connection, a subscription or a file. Track the
 * handle that the program passes around.
 *
 * **Details**
 *
 * `track` does not keep the object alive. At the level "all", every run tracks its
 * object. At the level "sampled", each run is a sample with the probability `1 / every`,
 * drawn from Effect's `Random` service of the layer, so that no call site escapes.
 * Without a {@link layer}, `track` does nothing but return the object.
 *
 * If the Scope is already closed, the monitor starts to count collections immediately. An
 * interrupted `track` tracks nothing, and if an object is tracked twice, its leak is
 * reported twice.
 *
 * If a fiber calls `track` and then runs the effect, as in `yield* track(…)`, the leak
 * has the stack of the call. Otherwise the leak has the stack of the run.
 *
 * Dies with `NotWeakReferenceableError` for a primitive and for a registered symbol, at
 * every level.
 *
 * Cost: O(1), and most of the time is spent on recording the stack. Neither `track` nor
 * closing the Scope dereferences. `benchmark/leakMonitor.ts` measures what a run of
 * `track` adds, here on Node 26 on a busy machine: 0.2 µs at the level "off", 5 µs and
 * 160 bytes at the level "all", and 0.6 µs and 2 bytes on average with one sample in 100
 * runs.
 *
 * **Gotchas**
 *
 * A Scope can hold the object in its finalizers, as with `Effect.acquireRelease`. Such an
 * object stays alive until the Scope closes, so it can be "NotReleased", but never
 * "NotClosed". Track the handle instead if it is a different object.
 *
 * Most programs drop a handle a little before its Scope closes, so the monitor is
 * patient. If your Scopes stay open for minutes after their last use, raise `patience` in
 * the options of {@link layer}.
 *
 * **Example** (Reporting a subscription that is never closed)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { LeakMonitor } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 * import { TestClock } from "effect/testing"
 *
 * const leaks: Array<string> = []
 *
 * const monitor = LeakMonitor.layer({
 *   level: "all",
 *   onLeak: (leak) => Effect.sync(() => leaks.push(`${leak.kind} ${leak.name}`))
 * })
 *
 * const program = Effect.gen(function*() {
 *   const subscription = yield* LeakMonitor.track({ topic: "news" }, { name: "subscription" })
 *   // The program drops the subscription without closing its Scope.
 *   yield* TestHeap.collectAndFinalize(subscription)
 *   yield* TestClock.adjust("1 minute")
 * }).pipe(Effect.scoped, Effect.provide(monitor), Effect.provide([TestHeap.layer, TestClock.layer()]))
 *
 * await Effect.runPromise(program)
 * leaks // => ["NotClosed subscription"]
 * ```
 *
 * @see {@link layer} to switch the monitor on
 *
 * @category resource management
 * @stability experimental
 * @since 0.1.0
 */
export const track = <A extends WeakKey>(
  value: A,
  options: { readonly name: string }
): Effect.Effect<A, never, Scope.Scope> => {
  if (!isWeakReferenceable(value)) return Effect.die(new NotWeakReferenceableError({ value }))
  const stack = isSampledNext() ? stackAbove(track) : undefined
  return Effect.withFiber((fiber) => {
    if (!isAnyRunning()) return Effect.succeed(value)
    const monitor = monitorOf(fiber)
    if (monitor?.count() !== true) return Effect.succeed(value)
    // The type of `track` requires a Scope, so the context has one.
    const scope = Context.get(fiber.context as Context.Context<Scope.Scope>, Scope.Scope)
    return monitor.track(value, options.name, stack ?? stackAbove(stackAbove), scope)
  })
}

/** Returns whether the next `track` of the current fiber is a sample. */
const isSampledNext = (): boolean => {
  if (!isAnyRunning()) return false
  const fiber = Fiber.getCurrent()
  return fiber !== undefined && monitorOf(fiber)?.samplesNext === true
}

/**
 * Configures what a {@link layer} tracks, how patient it is, and what happens to a leak.
 *
 * **When to use**
 *
 * Use as the type of options that are made elsewhere, for example from the configuration
 * of the program.
 *
 * **Example** (Tracking one object in a thousand)
 *
 * ```ts import.meta.vitest
 * import { type LeakMonitor } from "effect-weakref"
 *
 * const options: LeakMonitor.Options = { level: "sampled", every: 1000 }
 * options.every // => 1000
 * ```
 *
 * @see {@link layer} for the constructor that takes the options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Options {
  readonly level: Level
  /** At the level "sampled", one in `every` runs of `track` on average tracks its object. A positive integer, 100 by default. */
  readonly every?: number | undefined
  /** How long a Scope may stay open after its object was collected, before the object is "NotClosed". The default is one minute. */
  readonly patience?: Duration.Input | undefined
  /** Handles a leak. The default logs a warning with the name and the stack. */
  readonly onLeak?: ((leak: Leak) => Effect.Effect<void>) | undefined
}

const defaultEvery = 100
const defaultPatience = "1 minute"

const logLeak = ({ kind, name, stack }: Leak): Effect.Effect<void> =>
  Effect.logWarning(
    kind === "NotClosed"
      ? `"${name}" was collected, but the Scope that should have released it is still open. It was tracked at:\n${stack}`
      : `"${name}" is still alive three full collections after its Scope closed. It was tracked at:\n${stack}`
  )

/**
 * Creates a layer that switches the monitor on.
 *
 * **When to use**
 *
 * Use once, among the outermost layers of a program, with "sampled" in production, and
 * with "all" in tests and while you look for a leak.
 *
 * **Details**
 *
 * `onLeak` runs in the background, in one fiber per leak. It has the services that the
 * layer was built with, such as loggers and the tracer. A failure of `onLeak` is logged
 * as unhandled, and the monitor continues. Closing the Scope of the layer stops the
 * monitor and interrupts running `onLeak` effects.
 *
 * "NotClosed" is reported when the Scope is still open `patience` after the collection,
 * measured by the `Clock` of the layer, so a `TestClock` drives it. With the patience 0,
 * it is reported in the clean-up itself, and with an infinite patience never.
 *
 * "NotReleased" is reported after three full collections that began after the Scope had
 * closed. Some engines collect young objects more often than old ones, and V8 14 (Node
 * 26) even runs clean-ups after these minor collections. So the monitor counts the deaths
 * of its {@link sentinel}, which it lets go only when the sentinel is as old as any
 * object: a collection that takes the sentinel could have taken every unreachable object.
 *
 * The monitor reports in the host's clean-up jobs, which can run late, and which do not
 * run after the program has ended.
 *
 * Dies with a `TypeError` if `level` is unknown or `patience` is not a duration. Dies
 * with a `RangeError` if `every` is not a positive integer or if `patience` is negative.
 * At the level "off" the other options are not read.
 *
 * A collection costs O(1), and O(1) more for each object whose Scope closed three full
 * collections before. An object that is dropped before its Scope closes is remembered
 * until the Scope closes, or for the patience. One timer serves all such objects.
 *
 * **Example** (Logging one leak in ten)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { LeakMonitor } from "effect-weakref"
 *
 * const monitor = LeakMonitor.layer({ level: "sampled", every: 10 })
 *
 * const program = Effect.map(LeakMonitor.LeakMonitor, (monitor) => monitor.level)
 *
 * Effect.runSync(Effect.provide(program, monitor)) // => "sampled"
 * ```
 *
 * @see {@link track} to track an object
 *
 * @category layers
 * @stability experimental
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never> =>
  Layer.effectContext(Effect.map(make(options), (service) => Context.make(LeakMonitor, service)))

const make = (options: Options): Effect.Effect<LeakMonitorImpl, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { every = defaultEvery, level, onLeak = logLeak, patience = defaultPatience } = options
    if (level === "off") return off
    if (level !== "sampled" && level !== "all") {
      throw new TypeError(`level must be "off", "sampled" or "all", but it is ${JSON.stringify(level)}`)
    }
    if (!Number.isSafeInteger(every) || every < 1) {
      throw new RangeError(`every must be a positive integer, but it is ${String(every)}`)
    }
    const monitor = new Monitor({
      heap: yield* Heap,
      every: level === "all" ? 1 : every,
      patience: nanosOf(patience),
      onLeak,
      context: yield* Effect.context<never>()
    })
    yield* Effect.addFinalizer(() => monitor.stop)
    return new LeakMonitorImpl(level, monitor)
  })

/** Returns `undefined` for an infinite patience. */
const nanosOf = (patience: Duration.Input): bigint | undefined => {
  const duration = Duration.fromInput(patience)
  if (Option.isNone(duration)) throw new TypeError(`patience must be a duration, but it is ${JSON.stringify(patience)}`)
  if (Duration.isNegative(duration.value)) {
    throw new RangeError(`patience must not be negative, but it is ${Duration.format(duration.value)}`)
  }
  return Option.getOrUndefined(Duration.toNanos(duration.value))
}

/**
 * Returns the sentinel, an object that the monitor uses to count full collections.
 *
 * **When to use**
 *
 * Use in tests on a `TestHeap`: collect and finalize the sentinel to make the monitor
 * count one full collection, and then read the new sentinel for the next collection.
 *
 * **Details**
 *
 * The monitor holds the sentinel until it has survived two collections, and then lets it
 * go, so that the next full collection takes it. Returns `None` if the monitor is off,
 * and between a collection and its clean-up.
 *
 * Costs O(1), and dereferences, so that the sentinel stays alive until the end of the
 * turn.
 *
 * **Example** (Counting three collections)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { LeakMonitor } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const leaks: Array<string> = []
 *
 * const monitor = LeakMonitor.layer({
 *   level: "all",
 *   onLeak: (leak) => Effect.sync(() => leaks.push(`${leak.kind} ${leak.name}`))
 * })
 *
 * const collection = Effect.flatMap(
 *   LeakMonitor.sentinel,
 *   (sentinel) => TestHeap.collectAndFinalize(...Option.toArray(sentinel))
 * )
 *
 * const program = Effect.gen(function*() {
 *   yield* Effect.scoped(LeakMonitor.track({ id: 1 }, { name: "session" }))
 *   yield* Effect.repeat(collection, { times: 2 })
 * }).pipe(Effect.provide(monitor), Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program)
 * leaks // => ["NotReleased session"]
 * ```
 *
 * @see {@link layer} for how the monitor counts full collections
 *
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const sentinel: Effect.Effect<Option.Option<WeakKey>> = /*#__PURE__*/ Effect.withFiber((fiber) =>
  Effect.succeed(monitorOf(fiber)?.sentinel ?? Option.none())
)
