/**
 * Creates finalization registries, and spreads their clean-ups over turns. An engine
 * runs all clean-ups of one registry in one turn, even a million. That would block
 * the event loop.
 */
import type { Heap } from "../Heap.ts"
import { host, isComplete, nextTurn } from "./host.ts"

/** The registry that `preventStall` creates. This variable keeps it alive. */
let anchor: FinalizationRegistry<undefined> | undefined

/**
 * Works around a bug of V8 before version 14 (Node 20, 22 and 24). If a registry
 * is collected while only its clean-up is due, V8 never runs a clean-up again. This
 * includes the clean-ups of other libraries.
 *
 * The anchor is a registry that is never collected. It registers a new object each
 * time its last object has been collected, so its own clean-up is due after every full
 * collection. Then no other registry is the only one with a due clean-up. The bug
 * stops the whole engine, so one anchor on the host's heap protects custom heaps too.
 */
export const preventStall = (): void => {
  if (anchor !== undefined || !isComplete) return
  const registry = new host.FinalizationRegistry<undefined>(() => registry.register({}, undefined))
  registry.register({}, undefined)
  anchor = registry
}

/**
 * Creates a finalization registry, and makes the anchor if there is none. Use this
 * function for every registry that can be collected, because such a registry is safe
 * only while the anchor exists.
 */
export const makeRegistry = <T>(heap: Heap, cleanup: (held: T) => unknown): FinalizationRegistry<T> => {
  preventStall()
  return new heap.FinalizationRegistry<T>(cleanup)
}

interface Shard<T> {
  readonly registry: FinalizationRegistry<T>
  /** How many more registrations the registry takes. */
  room: number
  /** Registrations whose clean-up has not run yet. */
  waiting: number
}

/** Registers a referent. A registration cannot be cancelled. */
export type Register<in T> = (referent: WeakKey, held: T) => void

/**
 * Returns a function that spreads its registrations over many registries. Use it for
 * long clean-ups, because an engine cleans up one registry per turn. Each registry takes
 * `room` registrations. Do not use it for millions of long-lived referents, because
 * many registries make a collection slower.
 *
 * `cleanup` must not hold a referent. If it returns a promise, a heap can await it.
 */
export const inShards = <T>(heap: Heap, room: number, cleanup: (held: T) => unknown): Register<T> => {
  let open: Shard<T> | undefined
  // Keeps full shards alive until their clean-ups have run. An engine never cleans up a registry that has been collected.
  let full: Set<Shard<T>> | undefined

  // Defined outside the function below, so that the clean-up cannot capture `referent` and keep it alive.
  const makeShard = (): Shard<T> => {
    const shard: Shard<T> = {
      registry: makeRegistry<T>(heap, (held) => {
        shard.waiting--
        if (shard.waiting === 0) full?.delete(shard)
        return cleanup(held)
      }),
      room,
      waiting: 0
    }
    return shard
  }

  return (referent, held) => {
    open ??= makeShard()
    open.registry.register(referent, held)
    open.waiting++
    if (--open.room > 0) return
    full ??= new Set()
    full.add(open)
    open = undefined
  }
}

/**
 * Cleans up one step of the work for a value. Returns `true` if another step is left, or a
 * promise if the next step must wait. Must not throw.
 */
export type Step<in T> = (held: T) => boolean | void | Promise<void>

/** A first-in, first-out queue in parts of a fixed length, because an array that grows copies its elements. */
class Queue<T> {
  private static readonly length = 1024
  private readonly parts: Array<Array<T | undefined>> = []
  private first = 0
  private end: number = Queue.length

  get size(): number {
    return (this.parts.length - 1) * Queue.length + this.end - this.first
  }

  isEmpty(): boolean {
    return this.parts.length === 0
  }

  push(value: T): void {
    if (this.end === Queue.length) {
      this.parts.push(new Array(Queue.length))
      this.end = 0
    }
    this.parts.at(-1)![this.end++] = value
  }

  /** Removes and returns the oldest value. The queue must not be empty. */
  shift(): T {
    const part = this.parts[0]!
    // The cast is safe: all places from `first` to the end have a value.
    const value = part[this.first] as T
    part[this.first++] = undefined
    const isLast = this.parts.length === 1
    if (this.first === (isLast ? this.end : Queue.length)) {
      this.parts.shift()
      this.first = 0
      if (isLast) this.end = Queue.length
    }
    return value
  }
}

/**
 * Returns a clean-up that spreads its steps over turns: the calls of one turn run at most
 * `atOnce` steps, and each later turn runs at most `perTurn`, or `leastPart` of what waits
 * if this is more. So the queue has a bound even if a program always makes more work than
 * `perTurn`. A value whose steps are not done waits in the queue. Its call returns a
 * promise, so that a heap can await the steps.
 *
 * Each engine job that calls the clean-up runs steps itself and asks for another turn
 * again. So a host that refuses or forgets a turn delays the queue only until the next
 * collection.
 */
export const inSlices = <T>(
  perTurn: number,
  step: Step<T>,
  atOnce = perTurn,
  leastPart = 1 / 32
): (held: T) => Promise<void> | undefined => {
  const queue = new Queue<T>()
  /** How many more steps may run in this turn, and whether none has run. */
  let left = atOnce
  let isFresh = true
  /** The last turn that was asked for. An earlier turn does nothing, so that there is never more than one chain. */
  let asked = 0
  let isAsked = false
  /** Resolves when the queue is empty and `paused` have ended. Exists only while values wait in the queue. */
  let emptied: Promise<void> | undefined
  let resolve: ((value: Promise<void>) => void) | undefined
  let paused: Array<Promise<void>> = []

  const mayRun = (): boolean => left > 0

  const run = (held: T): Promise<void> | undefined => {
    while (mayRun()) {
      if (isFresh) void refill()
      left--
      const more = step(held)
      if (more === true) continue
      return typeof more === "object" ? resume(held, more) : undefined
    }
    return wait(held)
  }

  // A microtask runs after the engine has called the clean-up for all dead referents of the registry. Uses `await`,
  // which works even if the program replaces `Promise`.
  const refill = async (): Promise<void> => {
    isFresh = false
    await undefined
    left = atOnce
    isFresh = true
  }

  const resume = async (held: T, promise: Promise<void>): Promise<void> => {
    await promise
    const rest = run(held)
    if (!queue.isEmpty() && !isAsked) ask()
    await rest
  }

  const wait = (held: T): Promise<void> => {
    queue.push(held)
    return emptied ??= new Promise((onEmptied) => resolve = onEmptied)
  }

  const work = (): void => {
    try {
      while (mayRun() && !queue.isEmpty()) {
        const rest = run(queue.shift())
        if (rest !== undefined && rest !== emptied) paused.push(rest)
      }
    } finally {
      // Even if a step throws, because the host may report nothing.
      if (queue.isEmpty()) {
        resolve?.(allOf(paused))
        emptied = resolve = undefined
        paused = []
      }
    }
  }

  const ask = (): void => {
    const turn = ++asked
    isAsked = true
    nextTurn(() => {
      if (turn !== asked) return
      isAsked = false
      left = Math.max(perTurn, Math.ceil(queue.size * leastPart))
      try {
        work()
      } finally {
        if (!queue.isEmpty()) ask()
      }
    })
  }

  return (held) => {
    const isNewJob = isFresh
    let rest: Promise<void> | undefined
    if (queue.isEmpty()) {
      rest = run(held)
    } else {
      rest = wait(held)
      work()
    }
    if (!queue.isEmpty() && (isNewJob || !isAsked)) ask()
    return rest
  }
}

const allOf = async (promises: ReadonlyArray<Promise<void>>): Promise<void> => {
  for (const promise of promises) await promise
}
