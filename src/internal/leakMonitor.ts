/**
 * The monitor behind `LeakMonitor`. A record of a tracked object is a `WeakRef` of that object, so that no record keeps
 * its object alive.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type { Heap } from "../Heap.ts"
import type { Leak } from "../LeakMonitor.ts"
import { inBackground } from "./callbacks.ts"
import { makeRegistry } from "./registry.ts"
import * as Ring from "./ring.ts"

type HostWeakRef<A extends WeakKey> = globalThis.WeakRef<A>

/** A held value of the registry. `collected` may return a promise, because a heap can wait for the reports. */
interface Registered {
  collected(): Promise<void> | undefined
}

interface Tracked extends HostWeakRef<WeakKey>, Ring.Link, Registered {
  readonly monitor: Monitor
  readonly name: string
  readonly stack: string
  /** The number of full collections that the object did not have to survive. `open` while the Scope is open. */
  closedAt: number
}

const open = -1

/** The object is a leak if it is still alive this many full collections after its Scope closed. */
const grace = 3

/** Bounds the strings that `share` remembers. Further strings are not shared. */
const maxSharedStacks = 1024

interface Shared {
  readonly Tracked: new(target: WeakKey, monitor: Monitor, name: string, stack: string) => Tracked
  readonly registry: FinalizationRegistry<Registered>
}

/** Each heap has one registry, which lives as long as the heap. */
const sharedByHeap = /*#__PURE__*/ new WeakMap<Heap, Shared>()

const sharedOf = (heap: Heap): Shared => {
  let shared = sharedByHeap.get(heap)
  if (shared === undefined) {
    shared = {
      Tracked: trackedClass(heap),
      registry: makeRegistry<Registered>(heap, (registered) => registered.collected())
    }
    sharedByHeap.set(heap, shared)
  }
  return shared
}

const trackedClass = (heap: Heap): Shared["Tracked"] =>
  class extends heap.WeakRef<WeakKey> implements Tracked {
    declare readonly monitor: Monitor
    declare readonly name: string
    declare readonly stack: string
    declare closedAt: number
    declare newer: Ring.Link
    declare older: Ring.Link

    constructor(target: WeakKey, monitor: Monitor, name: string, stack: string) {
      super(target)
      this.monitor = monitor
      this.name = name
      this.stack = stack
      this.closedAt = open
      this.newer = this
      this.older = this
    }

    collected(): Promise<void> | undefined {
      return this.monitor.collected(this)
    }
  }

/** The records of one Scope. They share one finalizer. */
class Group extends Ring.Ring {
  closed = false
}

/**
 * Detects a full collection of the heap, because its target is collected only in a full one.
 *
 * Some engines collect young objects more often than old ones, and V8 14 cleans up after both kinds of collection. So the
 * monitor holds the target until it has survived `oldAge` collections, and then lets it go. From then on, the target is as
 * old as any object of the program: a collection that takes the target can take every unreachable object.
 */
class Sentinel implements Registered {
  readonly #monitor: Monitor
  readonly ref: HostWeakRef<WeakKey>
  #held: WeakKey | undefined
  #age = 0

  constructor(monitor: Monitor, heap: Heap) {
    const target = {}
    this.#monitor = monitor
    this.#held = target
    this.ref = new heap.WeakRef(target)
    sharedOf(heap).registry.register(target, this)
  }

  get isOld(): boolean {
    return this.#age >= oldAge
  }

  get isReleased(): boolean {
    return this.#held === undefined
  }

  grow(): void {
    this.#age++
  }

  release(): void {
    this.#held = undefined
  }

  collected(): Promise<void> | undefined {
    return this.#monitor.heapCollected(this)
  }
}

/** V8 moves an object to the old generation in its second minor collection or in its first full one. */
const oldAge = 2

/** While one sentinel is released, the next ones grow old. */
const maxSentinels = 3

/** Detects a collection of any kind, because nothing ever holds its target. */
class Probe implements Registered {
  readonly #monitor: Monitor

  constructor(monitor: Monitor) {
    this.#monitor = monitor
  }

  collected(): undefined {
    this.#monitor.grow()
  }
}

export interface Settings {
  readonly heap: Heap
  readonly every: number
  /** In nanoseconds. `undefined` if the monitor never reports "NotClosed". */
  readonly patience: bigint | undefined
  readonly onLeak: (leak: Leak) => Effect.Effect<void>
  readonly context: Context.Context<never>
}

/** The state that a monitor releases when it stops. The records of live objects still hold the stopped monitor. */
interface Running extends Settings {
  readonly clock: Clock.Clock
  readonly random: Random.Random
  readonly groups: WeakMap<Scope.Scope, Group>
  readonly stacks: Map<string, string>
  readonly reports: Set<Fiber.Fiber<unknown, unknown>>
  /** The records whose object was collected while its Scope was open, with the time of the report, in this order. */
  readonly dropped: Map<Tracked, bigint>
  /** From the oldest to the youngest. Only the first one can be released. */
  readonly sentinels: Array<Sentinel>
  hasProbe: boolean
  timer: Fiber.Fiber<unknown, unknown> | undefined
}

let monitors = 0

/** Returns whether any monitor of the process runs. `track` checks this first, because it is cheap. */
export const isAnyRunning = (): boolean => monitors > 0

export class Monitor {
  #running: Running | undefined
  /** The records whose Scope has closed, in the order of closing. */
  readonly #released: Ring.Link = new Ring.Ring()
  /** The full collections that a sentinel has detected. */
  #collections = 0
  /** The runs of `track` before the next sample. */
  #skip: number

  constructor(settings: Settings) {
    this.#running = {
      ...settings,
      clock: Context.get(settings.context, Clock.Clock),
      random: Context.get(settings.context, Random.Random),
      groups: new WeakMap(),
      stacks: new Map(),
      reports: new Set(),
      dropped: new Map(),
      sentinels: [],
      hasProbe: false,
      timer: undefined
    }
    this.#skip = gap(this.#running)
    this.#replenish(this.#running)
    monitors++
  }

  /** Stops the monitor, its timer and its running reports. Runs once, when the Scope of the layer closes. */
  readonly stop: Effect.Effect<void> = Effect.suspend(() => {
    const { reports, timer } = this.#running!
    this.#running = undefined
    monitors--
    return Fiber.interruptAll(timer === undefined ? reports : [timer, ...reports])
  })

  get sentinel(): Option.Option<WeakKey> {
    return Option.fromNullishOr(this.#running?.sentinels[0]?.ref.deref())
  }

  /** Returns whether the next run of `track` is a sample. */
  get samplesNext(): boolean {
    return this.#skip === 0
  }

  /** Counts a run of `track`. Returns whether the run is a sample. */
  count(): boolean {
    if (this.#running === undefined) return false
    if (this.#skip > 0) {
      this.#skip--
      return false
    }
    this.#skip = gap(this.#running)
    return true
  }

  /** Tracks an object. An interruption tracks nothing, because only the last step, which is synchronous, registers. */
  track<A extends WeakKey>(value: A, name: string, stack: string, scope: Scope.Scope): Effect.Effect<A> {
    const known = this.#running?.groups.get(scope)
    if (known !== undefined) {
      this.#register(known, value, name, stack)
      return Effect.succeed(value)
    }
    const group = new Group()
    return Effect.map(this.#watch(group, scope), () => {
      this.#running?.groups.set(scope, group)
      this.#register(group, value, name, stack)
      return value
    })
  }

  // A method of its own, because the Scope holds this closure, and the closure must not capture the value.
  #watch(group: Group, scope: Scope.Scope): Effect.Effect<void> {
    return Scope.addFinalizer(scope, Effect.sync(() => this.#close(group)))
  }

  #register(group: Group, value: WeakKey, name: string, stack: string): void {
    if (this.#running === undefined) return
    const { Tracked, registry } = sharedOf(this.#running.heap)
    const tracked = new Tracked(value, this, name, share(this.#running.stacks, stack))
    registry.register(value, tracked)
    Ring.insert(group, tracked)
    if (group.closed) this.#release(tracked)
  }

  #close(group: Group): void {
    group.closed = true
    while (group.newer !== group) {
      // Every link of a group except the group itself is a record.
      this.#release(group.newer as Tracked)
    }
  }

  /** Handles the closing of a Scope. */
  #release(tracked: Tracked): void {
    Ring.remove(tracked)
    const running = this.#running
    // A dropped object was collected less than `patience` ago.
    if (running === undefined || running.dropped.delete(tracked)) return
    // A sentinel that was released before the Scope closed may die in a collection that ended before, too.
    tracked.closedAt = this.#collections + (running.sentinels[0]?.isReleased === true ? 1 : 0)
    Ring.insert(this.#released, tracked)
  }

  /** Handles the collection of an object. While its Scope is open, the record stays in the group of the Scope. */
  collected(tracked: Tracked): Promise<void> | undefined {
    const running = this.#running
    if (running === undefined || running.patience === undefined || tracked.closedAt !== open) {
      Ring.remove(tracked)
      return
    }
    if (running.patience === 0n) return this.#end(tracked, "NotClosed")
    running.dropped.set(tracked, running.clock.monotonicTimeNanosUnsafe() + running.patience)
    if (running.timer === undefined) this.#startTimer(running)
  }

  #startTimer(running: Running): void {
    const timer = inBackground(this.#reportDropped(running), running.context as Context.Context<any>)
    if (timer.pollUnsafe() === undefined) running.timer = timer
  }

  /** Reports each dropped object when its patience is over, and ends when there is none. */
  #reportDropped(running: Running): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (const [tracked, time] of running.dropped) {
        const left = time - running.clock.monotonicTimeNanosUnsafe()
        if (left > 0n) return Effect.andThen(Effect.sleep(Duration.nanos(left)), this.#reportDropped(running))
        running.dropped.delete(tracked)
        void this.#end(tracked, "NotClosed")
      }
      running.timer = undefined
      return Effect.void
    })
  }

  /** Counts a full collection, and reports every object that has survived `grace` of them. */
  heapCollected(sentinel: Sentinel): Promise<void> | undefined {
    const running = this.#running
    if (running === undefined) return
    running.sentinels.splice(running.sentinels.indexOf(sentinel), 1)
    this.#replenish(running)
    this.#collections++
    const reports: Array<Promise<void>> = []
    while (!Ring.isAlone(this.#released)) {
      // Every link of the ring except the ring itself is a record.
      const tracked = this.#released.newer as Tracked
      if (tracked.closedAt + grace > this.#collections) break
      const isAlive = tracked.deref() !== undefined
      const report = isAlive ? this.#end(tracked, "NotReleased") : Ring.remove(tracked)
      if (report !== undefined) reports.push(report)
    }
    return reports.length === 0 ? undefined : Promise.all(reports).then(() => {})
  }

  /** Counts a collection of any kind for the sentinels that are still too young. */
  grow(): void {
    const running = this.#running
    if (running === undefined) return
    running.hasProbe = false
    for (const sentinel of running.sentinels) sentinel.grow()
    this.#replenish(running)
  }

  /** Releases the first sentinel as soon as it is old, and makes younger ones. Needs a probe only while one is young. */
  #replenish(running: Running): void {
    const { heap, sentinels } = running
    if (sentinels[0]?.isOld === true) sentinels[0].release()
    while (sentinels.length < maxSentinels) sentinels.push(new Sentinel(this, heap))
    if (running.hasProbe || sentinels.every((sentinel) => sentinel.isOld)) return
    running.hasProbe = true
    sharedOf(heap).registry.register({}, new Probe(this))
  }

  #end(tracked: Tracked, kind: Leak["kind"]): Promise<void> | undefined {
    Ring.remove(tracked)
    return this.#report(tracked, kind)
  }

  /** Reports a leak in its own fiber, so that a failing report does not stop the next one. */
  #report({ name, stack }: Tracked, kind: Leak["kind"]): Promise<void> | undefined {
    if (this.#running === undefined) return
    const { context, onLeak, reports } = this.#running
    // Add the fiber in the first step, because the report may stop the monitor before `inBackground` returns.
    const report = Effect.withFiber((fiber) => {
      reports.add(fiber)
      fiber.addObserver(() => reports.delete(fiber))
      return onLeak({ kind, name, stack })
    })
    const fiber = inBackground(report, context as Context.Context<any>)
    if (fiber.pollUnsafe() !== undefined) return
    return new Promise((resolve) => fiber.addObserver(() => resolve()))
  }
}

/** Returns one shared string for equal stacks, because many objects are tracked at one place. */
const share = (stacks: Map<string, string>, stack: string): string => {
  const shared = stacks.get(stack)
  if (shared !== undefined) return shared
  if (stacks.size < maxSharedStacks) stacks.set(stack, stack)
  return stack
}

/** Returns the number of runs before the next sample if each run is a sample with the probability `1 / every`. */
const gap = ({ every, random }: Running): number =>
  every === 1 ? 0 : Math.floor(Math.log1p(-random.nextDoubleUnsafe()) / Math.log1p(-1 / every))

const maxFrames = 2

/** Returns the frames above `below`. Reads the stack at once, because an unread stack of V8 holds functions and receivers. */
export const stackAbove = (below: Function): string => {
  const { stackTraceLimit } = errors
  const captured: { stack?: string | undefined } = {}
  // `Reflect.set` does not throw if `Error` is frozen.
  Reflect.set(errors, "stackTraceLimit", maxFrames)
  if (errors.captureStackTrace === undefined) captured.stack = new Error().stack
  else errors.captureStackTrace(captured, below)
  const stack = captured.stack ?? ""
  Reflect.set(errors, "stackTraceLimit", stackTraceLimit)
  return stack.slice(Math.max(0, stack.indexOf("    at ")))
}

/** V8 and some other engines have both properties. */
const errors = Error as {
  readonly stackTraceLimit?: number | undefined
  readonly captureStackTrace?: (target: object, below: Function) => void
}
