/**
 * Reports, in production, objects that are not released as they should be.
 *
 * {@link track} ties an object to the Scope that should release it. The monitor then reports two mistakes: the object was
 * collected while that Scope was still open ("NotClosed": somebody forgot to close it), or the object is still alive three
 * collections after that Scope closed ("NotReleased": something retains it). Without a {@link layer} nothing is tracked.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { Heap, isWeakReferenceable } from "./Heap.ts"
import { isAnyRunning, Monitor, stackAbove } from "./internal/leakMonitor.ts"
import { NotWeakReferenceableError } from "./WeakError.ts"

/**
 * How many objects a monitor tracks: none, one in every few, or all.
 *
 * **Example** (A level from the environment)
 *
 * ```ts import.meta.vitest
 * import { type LeakMonitor } from "effect-weakref"
 *
 * const level = (production: boolean): LeakMonitor.Level => production ? "sampled" : "all"
 * level(true) // => "sampled"
 * ```
 *
 * @see {@link layer} for the option that takes it
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export type Level = "off" | "sampled" | "all"

/**
 * A mistake in the release of a tracked object.
 *
 * **Details**
 *
 * `NotClosed`: the object was collected while its Scope was open. `NotReleased`: the object is still alive three
 * collections after its Scope closed. `name` is the name that `track` was called with. `stack` has the frames of
 * that call, the innermost first, at most two.
 *
 * **Example** (A line for a log)
 *
 * ```ts import.meta.vitest
 * import { type LeakMonitor } from "effect-weakref"
 *
 * const line = ({ kind, name }: LeakMonitor.Leak) => `${kind} ${name}`
 * line({ kind: "NotClosed", name: "connection", stack: "    at open (pool.ts:12:3)" }) // => "NotClosed connection"
 * ```
 *
 * @see {@link layer} for the callback that receives it
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Leak {
  readonly kind: "NotClosed" | "NotReleased"
  readonly name: string
  readonly stack: string
}

/**
 * The monitor of the context, whose default is off.
 *
 * **When to use**
 *
 * Use to find out at which level the program runs. {@link layer} provides it.
 *
 * **Example** (The default)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { LeakMonitor } from "effect-weakref"
 *
 * Effect.runSync(LeakMonitor.LeakMonitor).level // => "off"
 * ```
 *
 * @see {@link layer} for switching it on
 *
 * @category references
 * @stability unstable
 * @since 0.1.0
 */
export interface LeakMonitor {
  readonly level: Level
}

/** The only implementation of the interface. */
class Service implements LeakMonitor {
  readonly level: Level
  readonly monitor: Monitor | undefined
  constructor(level: Level, monitor: Monitor | undefined) {
    this.level = level
    this.monitor = monitor
  }
}

const off = /*#__PURE__*/ new Service("off", undefined)

/**
 * The service that {@link track} reads. The default is off.
 *
 * **When to use**
 *
 * Use to find out at which level the program runs.
 *
 * **Example** (The level under a layer)
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
 * @see {@link layer} for switching it on
 *
 * @category references
 * @stability unstable
 * @since 0.1.0
 */
export const LeakMonitor: Context.Reference<LeakMonitor> = /*#__PURE__*/ Context.Reference<LeakMonitor>(
  "effect-weakref/LeakMonitor",
  { defaultValue: () => off }
)

const monitorOf = (fiber: Fiber.Fiber<unknown, unknown>): Monitor | undefined => {
  const service = fiber.getRef(LeakMonitor)
  return service instanceof Service ? service.monitor : undefined
}

/**
 * Tracks an object that the Scope should release, and returns the object.
 *
 * **When to use**
 *
 * Use where a resource gets its handle: after opening a connection, a subscription, a file. Track the object that the
 * program passes around.
 *
 * **Details**
 *
 * The object is held weakly, and the Scope holds nothing of it. The monitor of the context decides at each run whether
 * to track the object: never without a {@link layer}, always at the level "all", and in the first of every `every` runs
 * at the level "sampled". A Scope that is closed already counts as closed now. An interrupted `track` tracks nothing.
 * An object that is tracked twice is reported twice.
 *
 * The stack of the leak is that of the call of `track` if a fiber makes the call and runs the effect next, as
 * `yield*` does. Otherwise it is the stack of the run.
 *
 * A primitive or a registered symbol is a defect at every level: `NotWeakReferenceableError`.
 *
 * Cost: O(1). Off adds no bytes, and about as much time as `Effect.suspend`. `benchmark/leakMonitor.ts` measured on Node 26, on a busy
 * machine, beside a program without `track`: 0.2 µs at the level off, 0.6 µs and 2 bytes at 1 in 100, 5 µs and 160 bytes at
 * the level "all". The stack takes most of the time. `track` never dereferences; closing the Scope dereferences each object.
 *
 * **Gotchas**
 *
 * A Scope whose finalizers hold the object, as with `Effect.acquireRelease`, keeps the object alive until it closes. Such an
 * object can be "NotReleased", but never "NotClosed". Track the handle instead, if the handle is another object.
 *
 * An object that nobody uses any longer while its Scope is rightly open is reported as "NotClosed" too, because
 * the collector cannot know that the Scope will close. Track only what the program holds for as long as it needs the resource.
 *
 * **Example** (A subscription that is never closed)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
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
 * const program = Effect.gen(function*() {
 *   const subscription = yield* LeakMonitor.track({ topic: "news" }, { name: "subscription" })
 *   // The program drops the subscription without closing its Scope.
 *   yield* TestHeap.collectAndFinalize(subscription)
 * }).pipe(Effect.scoped, Effect.provide(monitor), Effect.provide(TestHeap.layer))
 *
 * await Effect.runPromise(program)
 * leaks // => ["NotClosed subscription"]
 * ```
 *
 * @see {@link layer} for switching the monitor on
 *
 * @category resource management
 * @stability unstable
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
    // The type of `track` asks for a Scope.
    const scope = Context.get(fiber.context as Context.Context<Scope.Scope>, Scope.Scope)
    return monitor.track(value, options.name, stack ?? stackAbove(stackAbove), scope)
  })
}

/** Whether the fiber that calls `track` is about to track. */
const isSampledNext = (): boolean => {
  if (!isAnyRunning()) return false
  const fiber = Fiber.getCurrent()
  return fiber !== undefined && monitorOf(fiber)?.samplesNext === true
}

/**
 * Options of {@link layer}.
 *
 * **Example** (One in a thousand)
 *
 * ```ts import.meta.vitest
 * import { type LeakMonitor } from "effect-weakref"
 *
 * const options: LeakMonitor.Options = { level: "sampled", every: 1000 }
 * options.every // => 1000
 * ```
 *
 * @see {@link layer} for the constructor that takes them
 *
 * @category models
 * @stability unstable
 * @since 0.1.0
 */
export interface Options {
  readonly level: Level
  /** At the level "sampled": the first of every so many runs of `track` is tracked. An integer from 1; the default is 100. */
  readonly every?: number | undefined
  /** What to do with a leak. The default logs a warning with its name and stack. */
  readonly onLeak?: ((leak: Leak) => Effect.Effect<void>) | undefined
}

const defaultEvery = 100

const logLeak = ({ kind, name, stack }: Leak): Effect.Effect<void> =>
  Effect.logWarning(
    kind === "NotClosed"
      ? `"${name}" was collected, but the Scope that should have released it is still open. It was tracked at:\n${stack}`
      : `"${name}" is still alive three collections after its Scope closed. It was tracked at:\n${stack}`
  )

/**
 * Creates a layer that switches the monitor on.
 *
 * **When to use**
 *
 * Use once, among the outermost layers of a program: "sampled" in production, "all" in tests and while you look for a leak.
 *
 * **Details**
 *
 * `onLeak` runs in the background with the services that the layer was built with: its loggers, its tracer. Each leak has
 * a fiber of its own. A failure of `onLeak` is reported as unhandled and stops nothing. When the layer's Scope closes, the
 * monitor stops, and an `onLeak` under way is interrupted.
 *
 * The monitor knows of a collection when the host cleans up an object that nobody holds (see {@link sentinel}). A young
 * generation's collection does not count. A leak is reported when the host's clean-up job runs: late, or never in a program that
 * ends before.
 *
 * An unknown `level` is a defect: `TypeError`. So is an `every` that is not a positive integer: `RangeError`. Cost: at each
 * collection, O(1), and O(1) for each object whose Scope closed three collections before.
 *
 * **Example** (Logging what is not released)
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
 * @see {@link track} for the objects to watch
 *
 * @category layers
 * @stability unstable
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never> =>
  Layer.effectContext(Effect.map(make(options), (service) => Context.make(LeakMonitor, service)))

const make = (options: Options): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { every = defaultEvery, level, onLeak = logLeak } = options
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
      onLeak,
      context: yield* Effect.context<never>()
    })
    yield* Effect.addFinalizer(() => monitor.stop)
    return new Service(level, monitor)
  })

/**
 * Returns the object whose collection tells the monitor of a collection of the heap.
 *
 * **When to use**
 *
 * Use in tests on a `TestHeap`: collect the sentinel, and the monitor counts one collection. There is a new sentinel
 * afterwards.
 *
 * **Details**
 *
 * Returns `None` if the monitor is off, and between a collection and its clean-up. It dereferences the monitor's weak reference,
 * so that the sentinel stays alive to the end of the turn.
 *
 * **Example** (Three collections after the Scope closed)
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
 * @see {@link layer} for how the monitor counts collections
 *
 * @category getters
 * @stability unstable
 * @since 0.1.0
 */
export const sentinel: Effect.Effect<Option.Option<WeakKey>> = /*#__PURE__*/ Effect.withFiber((fiber) =>
  Effect.succeed(monitorOf(fiber)?.sentinel ?? Option.none())
)
