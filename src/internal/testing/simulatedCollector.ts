/**
 * The state of a `TestHeap`: which values are alive, and which clean-ups are registered
 * or queued.
 *
 * A program may use a value again after its collection. The value is then treated as a
 * new object. For this, each value has a number, its *life*, which a collection
 * increments. References and entries store the life in which they were made.
 */

import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

// `TestHeap.install` replaces the globals. The state must use the host's constructors, not those of the test heap.
const { Set, WeakMap } = globalThis
export { WeakMap as HostWeakMap }

/** One call of `register` on a `FinalizationRegistry`. */
export class Registration {
  declare readonly target: WeakKey
  declare readonly cleanup: (held: unknown) => unknown
  declare readonly held: unknown
  /** Counts the calls of `register`, from 1. */
  declare readonly id: number
  /** Whether it was unregistered so late that an engine may still run its clean-up. */
  declare late: boolean

  constructor(target: WeakKey, cleanup: (held: unknown) => unknown, held: unknown, id: number) {
    this.target = target
    this.cleanup = cleanup
    this.held = held
    this.id = id
    this.late = false
  }

  /** Runs the clean-up without a `this`, as an engine does. */
  run(): unknown {
    const { cleanup, held } = this
    return cleanup(held)
  }
}

/** The state of one heap. Only {@link collect} collects. */
export class Collector {
  private readonly lives = new WeakMap<WeakKey, number>()
  protected readonly registrations = new WeakMap<WeakKey, Set<Registration>>()
  protected readonly queue = new Set<Registration>()
  private readonly seed: string | number
  private order: Array<Registration> = []
  private round = 0
  private registered = 0

  constructor(seed: string | number) {
    this.seed = seed
  }

  lifeOf(value: WeakKey): number {
    return this.lives.get(value) ?? 0
  }

  /** Returns whether `deref` finds the target, for a reference made in the given life. */
  read(target: WeakKey, life: number): boolean {
    return life === this.lifeOf(target)
  }

  /** The collector that receives new registrations. Only an explored heap may forward them to another. */
  get receiver(): Collector {
    return this
  }

  /** Keeps a target alive until the end of the turn. Only an explored heap has turns. */
  keep(_target: WeakKey): void {}

  /** Is called when the program passes a value to the heap. The value is therefore alive. */
  see(_value: WeakKey): void {}

  register(target: WeakKey, cleanup: (held: unknown) => unknown, held: unknown): Registration {
    this.see(target)
    const registration = new Registration(target, cleanup, held, ++this.registered)
    let waiting = this.registrations.get(target)
    if (waiting === undefined) this.registrations.set(target, waiting = new Set())
    waiting.add(registration)
    return registration
  }

  /** Removes a registration. Returns `false` if it was removed before, or if its clean-up has run. */
  unregister(registration: Registration): boolean {
    const waited = this.registrations.get(registration.target)?.delete(registration) === true
    return this.queue.delete(registration) || waited
  }

  /** Ends the current life of a target, and queues its clean-ups. */
  collect(target: WeakKey): void {
    this.lives.set(target, this.lifeOf(target) + 1)
    for (const registration of this.registrations.get(target) ?? []) this.queue.add(registration)
    this.registrations.delete(target)
  }

  /** Returns the number of queued clean-ups. */
  pending(): number {
    return this.queue.size
  }

  /**
   * Removes the next clean-up from the queue, and returns it. The seed decides the order.
   * Clean-ups that are queued in the meantime come later. `_again` says that `finalize` has already
   * run the clean-ups that were due, and looks for those that were queued in the meantime.
   */
  next(_again: boolean): Registration | undefined {
    for (;;) {
      const registration = this.order.pop()
      if (registration !== undefined) {
        // An earlier clean-up may have unregistered this one.
        if (this.queue.delete(registration)) return registration
      } else if (this.queue.size === 0) {
        return undefined
      } else {
        const seed = `${this.seed}/${this.round++}`
        this.order = Effect.runSync(Random.withSeed(Random.shuffle(this.queue), seed)).toReversed()
      }
    }
  }

  /** Runs a clean-up. */
  run(registration: Registration): unknown {
    return registration.run()
  }
}

/** Runs the next clean-up. Returns its result or its error, or `undefined` if the queue is empty. */
export const runNext = (collector: Collector, again = false): Ran | undefined => {
  const registration = collector.next(again)
  if (registration === undefined) return undefined
  try {
    return { result: collector.run(registration), thrown: undefined }
  } catch (error) {
    return { result: undefined, thrown: { error } }
  }
}

/** Runs all clean-ups, even those that are queued in the meantime. A clean-up that throws does not stop the next. */
export const runAll = (collector: Collector, again = false): ReadonlyArray<Ran> => {
  const all: Array<Ran> = []
  for (;;) {
    const ran = runNext(collector, again)
    if (ran === undefined) return all
    all.push(ran)
  }
}

interface Ran {
  readonly result: unknown
  readonly thrown: { readonly error: unknown } | undefined
}
