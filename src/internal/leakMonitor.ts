/**
 * The monitor behind `LeakMonitor`. A record of a tracked object is a `WeakRef` of that object, so that no record keeps
 * its object alive.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { Heap } from "../Heap.ts"
import type { Leak } from "../LeakMonitor.ts"
import { inBackground } from "./callbacks.ts"
import { makeRegistry } from "./registry.ts"

type HostWeakRef<A extends WeakKey> = globalThis.WeakRef<A>

/** A link of a circular list. One list per Scope has its records. Another list has the records of closed Scopes. */
interface Link {
  newer: Link
  older: Link
}

/** A held value of the registry. `collected` may return a promise, because a heap can wait for the reports. */
interface Registered {
  collected(): Promise<void> | undefined
}

interface Tracked extends HostWeakRef<WeakKey>, Link, Registered {
  readonly monitor: Monitor
  readonly name: string
  readonly stack: string
  /** The number of collections when the Scope closed. `open` while the Scope is open. */
  closedAt: number
  /** Whether the record has ended: its object was collected, or was checked after the grace period. */
  over: boolean
}

const open = -1

/** The object is a leak if it is still alive this many collections after its Scope closed. */
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
    declare over: boolean
    declare newer: Link
    declare older: Link

    constructor(target: WeakKey, monitor: Monitor, name: string, stack: string) {
      super(target)
      this.monitor = monitor
      this.name = name
      this.stack = stack
      this.closedAt = open
      this.over = false
      this.newer = this
      this.older = this
    }

    collected(): Promise<void> | undefined {
      return this.monitor.collected(this)
    }
  }

class Ring implements Link {
  newer: Link = this
  older: Link = this
}

const unlink = (link: Link): void => {
  link.newer.older = link.older
  link.older.newer = link.newer
  link.newer = link.older = link
}

const append = (ring: Link, link: Link): void => {
  link.newer = ring
  link.older = ring.older
  ring.older = ring.older.newer = link
}

/** The records of one Scope. They share one finalizer. */
class Group extends Ring {
  closed = false
}

/** Detects a collection of the heap: nothing holds the target, so every full collection collects it. */
class Sentinel implements Registered {
  readonly #monitor: Monitor
  readonly ref: HostWeakRef<WeakKey>

  constructor(monitor: Monitor, heap: Heap) {
    const target = {}
    this.#monitor = monitor
    this.ref = new heap.WeakRef(target)
    sharedOf(heap).registry.register(target, this)
  }

  collected(): Promise<void> | undefined {
    return this.#monitor.heapCollected()
  }
}

/** The state that a monitor releases when it stops. The records of live objects still hold the stopped monitor. */
interface Running {
  readonly heap: Heap
  readonly every: number
  readonly onLeak: (leak: Leak) => Effect.Effect<void>
  readonly context: Context.Context<never>
  readonly groups: WeakMap<Scope.Scope, Group>
  readonly stacks: Map<string, string>
  readonly reports: Set<Fiber.Fiber<unknown, unknown>>
  sentinel: Sentinel
}

let monitors = 0

/** Returns whether any monitor of the process runs. `track` checks this first, because it is cheap. */
export const isAnyRunning = (): boolean => monitors > 0

export class Monitor {
  #running: Running | undefined
  /** The records whose Scope has closed, in the order of closing. */
  readonly #released: Link = new Ring()
  #collections = 0
  #runs = 0

  constructor(options: Pick<Running, "heap" | "every" | "onLeak" | "context">) {
    this.#running = {
      ...options,
      groups: new WeakMap(),
      stacks: new Map(),
      reports: new Set(),
      sentinel: new Sentinel(this, options.heap)
    }
    monitors++
  }

  /** Stops the monitor and interrupts running reports. */
  readonly stop: Effect.Effect<void> = Effect.suspend(() => {
    if (this.#running === undefined) return Effect.void
    const { reports } = this.#running
    this.#running = undefined
    monitors--
    while (this.#released.newer !== this.#released) unlink(this.#released.newer)
    return Fiber.interruptAll(reports)
  })

  get sentinel(): Option.Option<WeakKey> {
    return Option.fromNullishOr(this.#running?.sentinel.ref.deref())
  }

  /** Returns whether the next run of `track` is a sample. */
  get samplesNext(): boolean {
    return this.#running !== undefined && this.#runs === 0
  }

  /** Counts a run of `track`. Returns `true` for the first of every `every` runs. */
  count(): boolean {
    if (this.#running === undefined) return false
    const sampled = this.#runs === 0
    this.#runs = (this.#runs + 1) % this.#running.every
    return sampled
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
    append(group, tracked)
    if (group.closed) this.#release(tracked)
  }

  #close(group: Group): void {
    group.closed = true
    while (group.newer !== group) {
      // Every link of a group except the group itself is a record.
      this.#release(group.newer as Tracked)
    }
  }

  /** Handles the closing of a Scope. An object that is dead by now was collected while the Scope was open. */
  #release(tracked: Tracked): void {
    if (this.#running === undefined || tracked.deref() === undefined) {
      void this.collected(tracked)
    } else {
      unlink(tracked)
      tracked.closedAt = this.#collections
      append(this.#released, tracked)
    }
  }

  collected(tracked: Tracked): Promise<void> | undefined {
    unlink(tracked)
    if (tracked.over) return
    tracked.over = true
    return tracked.closedAt === open ? this.#report(tracked, "NotClosed") : undefined
  }

  heapCollected(): Promise<void> | undefined {
    if (this.#running === undefined) return
    this.#running.sentinel = new Sentinel(this, this.#running.heap)
    this.#collections++
    const reports: Array<Promise<void>> = []
    while (this.#released.newer !== this.#released) {
      // Every link of the ring except the ring itself is a record.
      const tracked = this.#released.newer as Tracked
      if (tracked.closedAt + grace > this.#collections) break
      unlink(tracked)
      tracked.over = true
      if (tracked.deref() === undefined) continue
      const report = this.#report(tracked, "NotReleased")
      if (report !== undefined) reports.push(report)
    }
    return reports.length === 0 ? undefined : Promise.all(reports).then(() => {})
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
