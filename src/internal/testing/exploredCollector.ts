/**
 * A collector whose decisions are choices of a schedule.
 *
 * A target that the program has released is *undecided*: alive or collected,
 * nobody can tell. Two places tell, and only they are choices:
 *
 * - the first `deref` of an undecided target in a turn: alive or collected. A target that is
 *   found alive stays so to the end of the turn;
 * - between two turns: no clean-up, or any one of those that wait. The clean-up of an undecided target
 *   decides that the target was collected. Each clean-up is a turn of its own, so that others may follow it.
 *
 * `finalize` and `finalizeOne` run clean-ups at once, and `pending` tells for every
 * undecided target whether its clean-ups wait.
 */
import { isPromiseLike } from "effect/Predicate"
import { Collector, type Registration } from "./collector.ts"

/** Something that the collector did because the schedule said so. */
export interface Event {
  readonly turn: number
  readonly kind: "collected" | "collected and cleaned up" | "cleaned up" | "cleaned up late"
  readonly target: WeakKey
  /** What would have told that the target was collected. */
  readonly before: string | undefined
  readonly registration: Registration | undefined
}

/** Takes one of the options. The first is what happens if the collector does nothing. */
export type Choose = (options: ReadonlyArray<string>) => number

export class ExploredCollector extends Collector {
  readonly events: Array<Event> = []
  /** Counts from 1. */
  turn = 1

  private readonly choose: Choose
  private readonly onError: (error: unknown) => void
  private readonly onTurn: (turn: number) => void
  private readonly lateUnregister: boolean
  /** Every target that was released, with the number by which schedules name it. */
  private readonly numbers = new Map<WeakKey, number>()
  private readonly undecided = new Set<WeakKey>()
  private readonly kept = new Set<WeakKey>()
  /** Whether the program has run since the last turn ended. */
  private inTurn = false
  private ending = false
  private over = false

  constructor(options: {
    readonly choose: Choose
    /** Hears what a clean-up throws. */
    readonly onError: (error: unknown) => void
    /** Hears of every turn that begins after another. */
    readonly onTurn: (turn: number) => void
    readonly lateUnregister: boolean
  }) {
    super(0)
    this.choose = options.choose
    this.onError = options.onError
    this.onTurn = options.onTurn
    this.lateUnregister = options.lateUnregister
  }

  get targets(): ReadonlyArray<WeakKey> {
    return [...this.numbers.keys()]
  }

  /** From here on nothing is chosen and nothing is cleaned up. */
  stop(): void {
    this.over = true
  }

  /**
   * Says that the program runs. The turn that this may begin ends with the
   * synchronous code that runs now: the microtask comes right behind it.
   */
  enter(): void {
    if (this.over) return
    this.inTurn = true
    if (this.ending) return
    this.ending = true
    void Promise.resolve().then(this.endOfTurn)
  }

  private readonly endOfTurn = (): void => {
    this.ending = false
    if (this.over) return
    this.leave()
    const waiting = this.waiting()
    if (this.over || waiting.length === 0) return
    const choice = this.choose(["", ...waiting.map(({ id }) => `cleanup#${id}`)])
    if (choice > 0) this.cleanUp(waiting[choice - 1]!)
  }

  private leave(): void {
    this.kept.clear()
    if (!this.inTurn) return
    this.inTurn = false
    this.onTurn(++this.turn)
  }

  mayCollect(target: WeakKey): void {
    this.enter()
    if (!this.numbers.has(target)) this.numbers.set(target, this.numbers.size + 1)
    this.undecided.add(target)
  }

  hold(target: WeakKey): void {
    this.enter()
    this.undecided.delete(target)
    this.see(target)
  }

  override read(target: WeakKey, life: number): boolean {
    this.enter()
    if (!super.read(target, life)) return false
    if (this.kept.has(target)) return true
    if (this.undecided.has(target) && this.choose(["", `deref#${this.numbers.get(target)}`]) === 1) {
      this.tell("collected", target, "deref")
      this.collect(target)
      return false
    }
    this.keep(target)
    return true
  }

  override keep(target: WeakKey): void {
    this.kept.add(target)
    this.see(target)
  }

  /** A value that lives now was not collected before: none of its clean-ups is on its way. */
  override see(value: WeakKey): void {
    this.enter()
    const registrations = this.registrations.get(value)
    if (registrations === undefined) return
    for (const registration of registrations) if (registration.late) registrations.delete(registration)
  }

  override unregister(registration: Registration): boolean {
    this.enter()
    if (this.lateUnregister && !registration.late && this.mayBeCollected(registration)) {
      registration.late = true
      return true
    }
    return super.unregister(registration)
  }

  override collect(target: WeakKey): void {
    this.undecided.delete(target)
    super.collect(target)
  }

  /** Whether the engine may have posted the registration's clean-up. */
  private mayBeCollected(registration: Registration): boolean {
    const { target } = registration
    if (this.queue.has(registration)) return true
    return this.undecided.has(target) && !this.kept.has(target) &&
      this.registrations.get(target)?.has(registration) === true
  }

  /** The clean-ups that may run now, and of those that do the same to the same target only the first. */
  private waiting(): ReadonlyArray<Registration> {
    const waiting = [...this.queue]
    for (const target of this.undecided) waiting.push(...this.registrations.get(target) ?? [])
    return waiting.length < 2 ?
      waiting :
      waiting.filter((registration, index) =>
        waiting.findIndex((other) =>
          other.target === registration.target && other.cleanup === registration.cleanup &&
          other.late === registration.late && Object.is(other.held, registration.held)
        ) === index
      )
  }

  private cleanUp(registration: Registration): void {
    this.tellOf(registration)
    this.take(registration)
    try {
      const result = this.run(registration)
      if (isPromiseLike(result)) result.then(undefined, this.onError)
    } catch (error) {
      this.onError(error)
    }
  }

  override run(registration: Registration): unknown {
    this.leave()
    this.enter()
    try {
      return super.run(registration)
    } finally {
      // Another job may come before the microtask that ends this turn.
      this.leave()
    }
  }

  override pending(): number {
    this.enter()
    this.settle("pending")
    return super.pending()
  }

  /** The program runs what is queued: it ends when nothing has to run, and may end before what has not. */
  override next(): Registration | undefined {
    this.enter()
    this.leave()
    const waiting = this.waiting()
    const mayEnd = waiting.every((registration) => registration.late || !this.queue.has(registration))
    if (waiting.length === 0) return undefined
    const options = waiting.map(({ id }) => `cleanup#${id}`)
    const choice = this.choose(mayEnd ? ["", ...options] : options)
    const registration = waiting[mayEnd ? choice - 1 : choice]
    if (registration === undefined) return undefined
    if (choice > 0) this.tellOf(registration)
    this.take(registration)
    return registration
  }

  /** Decides about the targets whose clean-ups the program is about to count. */
  private settle(before: string): void {
    for (const target of this.undecided) {
      const registrations = this.registrations.get(target)
      if (registrations === undefined || registrations.size === 0 || this.kept.has(target)) continue
      if (this.choose(["", `collect#${this.numbers.get(target)}`]) === 0) continue
      this.tell("collected", target, before)
      this.collect(target)
    }
  }

  /** Takes a clean-up out of the queue. That of an undecided target shows that the target was collected. */
  private take(registration: Registration): void {
    if (!this.queue.has(registration)) this.collect(registration.target)
    this.queue.delete(registration)
  }

  private tellOf(registration: Registration): void {
    const { late, target } = registration
    const decided = this.queue.has(registration)
    const kind = late ? "cleaned up late" : decided ? "cleaned up" : "collected and cleaned up"
    this.tell(kind, target, undefined, registration)
  }

  private tell(kind: Event["kind"], target: WeakKey, before?: string, registration?: Registration): void {
    this.events.push({ turn: this.turn, kind, target, before, registration })
  }
}
