/**
 * What the constructors of a `TestHeap` ask: which value is alive, and what to
 * do with a registration.
 *
 * A collection ends a *life* of a value. References and entries remember the
 * life in which they were made, so that a value that is used again after its
 * collection is like a new object.
 */

import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

// `TestHeap.install` replaces the globals: the bookkeeping must not run on what it implements.
const { Set, WeakMap } = globalThis
export { WeakMap as HostWeakMap }

/** One `register` of a `FinalizationRegistry`. */
export class Registration {
  declare readonly target: WeakKey
  declare readonly cleanup: (held: unknown) => unknown
  declare readonly held: unknown
  /** In the order of `register`, from 1. */
  declare readonly id: number
  /** Unregistered, but on an engine that may run the clean-up nevertheless. */
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

/** A heap's state. Nothing is collected unless {@link collect} says so. */
export class Collector {
  private readonly lives = new WeakMap<WeakKey, number>()
  protected readonly registrations = new WeakMap<WeakKey, Set<Registration>>()
  protected readonly queue = new Set<Registration>()
  private readonly seed: string | number
  private readonly order: Array<Registration> = []
  private round = 0
  private registered = 0

  constructor(seed: string | number) {
    this.seed = seed
  }

  lifeOf(value: WeakKey): number {
    return this.lives.get(value) ?? 0
  }

  /** Whether a `deref` of a reference to that life of the target finds it. */
  read(target: WeakKey, life: number): boolean {
    return life === this.lifeOf(target)
  }

  /** Keeps a target to the end of the turn. Only an explored heap has turns. */
  keep(_target: WeakKey): void {}

  /** Hears that the program has a value in its hands. */
  see(_value: WeakKey): void {}

  register(target: WeakKey, cleanup: (held: unknown) => unknown, held: unknown): Registration {
    this.see(target)
    const registration = new Registration(target, cleanup, held, ++this.registered)
    let waiting = this.registrations.get(target)
    if (waiting === undefined) this.registrations.set(target, waiting = new Set())
    waiting.add(registration)
    return registration
  }

  /** Whether the registration was still there. */
  unregister(registration: Registration): boolean {
    const waited = this.registrations.get(registration.target)?.delete(registration) === true
    return this.queue.delete(registration) || waited
  }

  /** Ends the present life of a target, and queues its clean-ups. */
  collect(target: WeakKey): void {
    this.lives.set(target, this.lifeOf(target) + 1)
    for (const registration of this.registrations.get(target) ?? []) this.queue.add(registration)
    this.registrations.delete(target)
  }

  /** How many clean-ups are queued. */
  pending(): number {
    return this.queue.size
  }

  /**
   * Takes the next clean-up out of the queue. The seed orders what is queued;
   * clean-ups that are queued meanwhile come after those.
   */
  next(): Registration | undefined {
    for (;;) {
      const registration = this.order.pop()
      if (registration !== undefined) {
        // A clean-up may have unregistered it.
        if (this.queue.delete(registration)) return registration
      } else if (this.queue.size === 0) {
        return undefined
      } else {
        const seed = `${this.seed}/${this.round++}`
        this.order.push(...Effect.runSync(Random.withSeed(Random.shuffle(this.queue), seed)).reverse())
      }
    }
  }

  /** Runs a clean-up. */
  run(registration: Registration): unknown {
    return registration.run()
  }
}

/** Runs the next clean-up, with what it returned or threw. */
export const runNext = (collector: Collector): Ran | undefined => {
  const registration = collector.next()
  if (registration === undefined) return undefined
  try {
    return { result: collector.run(registration), thrown: undefined }
  } catch (error) {
    return { result: undefined, thrown: { error } }
  }
}

/** Runs all clean-ups, including those that are queued meanwhile. One that throws does not stop the next. */
export const runAll = (collector: Collector): ReadonlyArray<Ran> => {
  const all: Array<Ran> = []
  for (;;) {
    const ran = runNext(collector)
    if (ran === undefined) return all
    all.push(ran)
  }
}

interface Ran {
  readonly result: unknown
  readonly thrown: { readonly error: unknown } | undefined
}
