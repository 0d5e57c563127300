/**
 * A collector whose decisions are choices of a schedule.
 *
 * A target that the program has released is *undecided*: it may be alive or collected,
 * and the program has not seen which. The collector decides at two places:
 *
 * - At the first `deref` of an undecided target in a turn: alive or collected. A target that is
 *   alive stays alive until the end of the turn.
 * - Between two turns: no clean-up runs, or one of the waiting clean-ups runs. If a clean-up of an
 *   undecided target runs, then the target was collected. Each clean-up is a turn of its own, so
 *   that others may follow it.
 *
 * The program itself can ask for decisions: `finalize` and `finalizeOne` run clean-ups at
 * once. `pending` decides for every undecided target with a registration whether the
 * target is collected.
 */
import { isPromiseLike } from "effect/Predicate"
import { Collector, type Registration } from "./simulatedCollector.ts"

/** One action of the collector that the schedule asked for. */
export interface Event {
  readonly turn: number
  readonly kind: "collected" | "collected and cleaned up" | "cleaned up" | "cleaned up late"
  readonly target: WeakKey
  /** The operation that reads the target next: `deref` or `pending`. */
  readonly before: string | undefined
  readonly registration: Registration | undefined
}

/** Chooses one of the options, by index. If the collector may do nothing, the first option is to do nothing. */
export type Choose = (options: ReadonlyArray<string>) => number

export class ExploredCollector extends Collector {
  readonly events: Array<Event> = []
  /** Counts from 1. */
  turn = 1

  private readonly choose: Choose
  private readonly onError: (error: unknown) => void
  private readonly onTurn: (turn: number) => void
  private readonly lateUnregister: boolean
  /** Every released target, with its number in schedules. */
  private readonly numbers = new Map<WeakKey, number>()
  private readonly undecided = new Set<WeakKey>()
  private readonly kept = new Set<WeakKey>()
  /** Whether the program has run since the last turn ended. */
  private inTurn = false
  private ending = false
  private over = false

  constructor(options: {
    readonly choose: Choose
    /** Receives the error that a clean-up throws. */
    readonly onError: (error: unknown) => void
    /** Is called when a new turn begins, except for the first. */
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

  /** Ends the run: from here on, turns do not end, and no clean-up runs between turns. */
  stop(): void {
    this.over = true
  }

  /**
   * Notes that the program runs, and so begins a turn if no turn is running. A microtask ends the
   * turn directly after the current synchronous code.
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

  /** A value that is alive now was not collected before. So none of its unregistered clean-ups can run. */
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

  /** Whether an engine may have queued the clean-up of the registration. */
  private mayBeCollected(registration: Registration): boolean {
    const { target } = registration
    if (this.queue.has(registration)) return true
    return this.undecided.has(target) && !this.kept.has(target) &&
      this.registrations.get(target)?.has(registration) === true
  }

  /** Returns the clean-ups that may run now. If a target has several identical clean-ups, returns only the first. */
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
      // Ends this turn now, because another job may run before the microtask of `enter`.
      this.leave()
    }
  }

  override pending(): number {
    this.enter()
    this.settle("pending")
    return super.pending()
  }

  /**
   * Chooses the next clean-up for `finalize`. May choose none if every waiting clean-up is late or
   * has an undecided target.
   */
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

  /** Decides whether targets are collected, because the program is about to count their clean-ups. */
  private settle(before: string): void {
    for (const target of this.undecided) {
      const registrations = this.registrations.get(target)
      if (registrations === undefined || registrations.size === 0 || this.kept.has(target)) continue
      if (this.choose(["", `collect#${this.numbers.get(target)}`]) === 0) continue
      this.tell("collected", target, before)
      this.collect(target)
    }
  }

  /** Removes a clean-up from the queue. Collects the target first if it was undecided. */
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
