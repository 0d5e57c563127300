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
 * once, and `pending` decides how many are queued. The program does not see *which* are queued,
 * so this stays open: the collector keeps a list of *worlds*, which agree with everything that the program
 * has seen, and each later decision keeps the worlds that it agrees with. So no two schedules
 * show the same.
 */
import { isPromiseLike } from "effect/Predicate"
import { Collector, type Registration } from "./simulatedCollector.ts"
import { afterJob, afterMicrotasks, currentObserver, observe, type Observer, unobserve } from "./turns.ts"

/** One action of the collector that the schedule asked for. */
export interface Event {
  /** The turn, or `undefined` after the end of the program. */
  readonly turn: number | undefined
  readonly kind: "collected" | "collected and cleaned up" | "cleaned up" | "cleaned up late" | "counted"
  readonly target: WeakKey
  /** The operation that reads the target next: `deref` or `pending`. */
  readonly before: string | undefined
  readonly registration: Registration | undefined
  /** Whether the target has other clean-ups. */
  readonly isAmbiguous: boolean
  /** For `counted`: what `pending` returns. */
  readonly count: number | undefined
}

/** Chooses one of the options, by index. If the collector may do nothing, the first option is to do nothing. */
export type Choose = (options: ReadonlyArray<string>) => number

/** When a turn ends: after all microtasks of a task, or after each job. */
export type Turns = "task" | "job"

/** A possible answer to the question what was queued when the program last called `pending`. */
interface World {
  /** The undecided targets that were collected. */
  readonly dead: ReadonlySet<WeakKey>
  /** The unregistered clean-ups that were queued nevertheless. */
  readonly late: ReadonlySet<Registration>
}

interface Owner {
  readonly owner: WeakKey
  readonly life: number
  readonly dependentLife: number
}

/** Nothing is dead, and nothing is queued. */
const nothing: World = { dead: new Set(), late: new Set() }

/** With more undecided targets and late clean-ups, `pending` decides which of them are queued, at once. */
const maxItems = 12

export class ExploredCollector extends Collector implements Observer {
  readonly events: Array<Event> = []
  /** Counts from 1. */
  turn = 1
  /** Why there may be behaviours that no schedule shows. */
  readonly gaps = new Set<"turn" | "pending" | "earlier WeakRef">()
  /** Whether the program has used another test heap. */
  usesOtherHeap = false
  /** Whether the program has used a constructor's instance that an earlier run has made. */
  usesEarlier = false

  private readonly choose: Choose
  private readonly onError: (error: unknown) => void
  private readonly onTurn: (turn: number) => void
  private readonly lateUnregister: boolean
  private readonly atEnd: (f: () => void) => void
  private readonly turns: Turns
  /** Every released target, with its number in schedules. */
  private readonly numbers = new Map<WeakKey, number>()
  /** Every target of a reference or of a clean-up. */
  private readonly weakTargets = new Set<WeakKey>()
  /** Every target whose death the program could have noticed. */
  private readonly observed = new Set<WeakKey>()
  private readonly collectedByProgram = new Set<WeakKey>()
  private readonly undecided = new Set<WeakKey>()
  private readonly kept = new Set<WeakKey>()
  private readonly owners = new Map<WeakKey, Array<Owner>>()
  private readonly dependents = new Map<WeakKey, Set<WeakKey>>()
  /** At least one. A single world has nothing to add to the state. */
  private worlds: ReadonlyArray<World> = [nothing]
  /** Late clean-ups that the last `pending` has decided. */
  private readonly asked = new Set<Registration>()
  /** Late clean-ups that are known to be queued. */
  private readonly certain = new Set<Registration>()
  private readonly usedOnHost = new WeakMap<WeakKey, "WeakRef" | "FinalizationRegistry">()
  /** Whether the program has run since the last turn ended. */
  private inTurn = false
  /** Whether the program has done nothing in this turn. */
  private isNew = false
  private ending = false
  private over = false
  /** Whether clean-ups were waiting when the last turn ended. */
  private open = false
  /** Whether the program has ended, and only clean-ups run. */
  private finishing = false

  constructor(options: {
    readonly choose: Choose
    /** Receives the error that a clean-up throws. */
    readonly onError: (error: unknown) => void
    /** Is called when a new turn begins, except for the first. */
    readonly onTurn: (turn: number) => void
    readonly lateUnregister: boolean
    readonly turns: Turns
  }) {
    super(0)
    this.choose = options.choose
    this.onError = options.onError
    this.onTurn = options.onTurn
    this.lateUnregister = options.lateUnregister
    this.turns = options.turns
    this.atEnd = options.turns === "job" ? afterJob : afterMicrotasks
    observe(this)
  }

  get targets(): ReadonlyArray<WeakKey> {
    return [...this.numbers.keys()]
  }

  /**
   * The targets that were never released, although the program could have noticed their death: it has read a
   * reference to the target in another turn, or has registered a clean-up. These may be targets that
   * the code under test has made for itself.
   */
  get unreleased(): ReadonlyArray<WeakKey> {
    return [...this.observed].filter((target) => !this.numbers.has(target) && !this.collectedByProgram.has(target))
  }

  /** The released targets that the program refers to on the host's heap. */
  get onHost(): ReadonlyArray<readonly [WeakKey, "WeakRef" | "FinalizationRegistry"]> {
    return this.targets.flatMap((target) => {
      const kind = this.usedOnHost.get(target)
      return kind === undefined ? [] : [[target, kind] as const]
    })
  }

  /** The released targets to which nothing on this heap refers. */
  get unused(): ReadonlyArray<WeakKey> {
    return this.targets.filter((target) => !this.weakTargets.has(target))
  }

  /** A registry that an earlier run made, for example at the level of a module, serves the present run. */
  override get receiver(): Collector {
    if (!this.over) return this
    const current = currentRun()
    if (current === undefined) return this
    current.usesEarlier = true
    return current
  }

  /** Ends the run: from here on, turns do not end, and no clean-up runs between turns. */
  stop(): void {
    this.over = true
    unobserve(this)
  }

  /** Whether a clean-up may run. */
  get isWaiting(): boolean {
    return this.waiting().length > 0
  }

  get isRunning(): boolean {
    return this.inTurn && !this.over
  }

  beginTask(): void {
    this.enter(true)
  }

  usesHost(kind: "WeakRef" | "FinalizationRegistry", target: WeakKey): void {
    this.usedOnHost.set(target, kind)
  }

  /**
   * Notes that the program runs, and so begins a turn if no turn is running. If nothing announced
   * the turn, others may have passed unnoticed before it.
   */
  enter(announced = false): void {
    if (this.over) return
    this.isNew = false
    if (this.open && !announced) this.gaps.add("turn")
    this.open = false
    this.inTurn = true
    if (this.ending) return
    this.ending = true
    this.atEnd(this.endOfTurn)
  }

  private readonly endOfTurn = (): void => {
    this.ending = false
    if (this.over) return
    const { inTurn } = this
    this.leave()
    // After a clean-up that was a job, nothing has run since the last choice.
    if (!inTurn || this.over || this.finishing) return
    let registration: Registration | undefined
    do {
      registration = this.chooseCleanUp()
      if (registration !== undefined) this.cleanUp(registration)
      // A clean-up that is a task ends with its microtasks, and then this method runs again.
    } while (registration !== undefined && !this.over && this.turns === "job")
  }

  private chooseCleanUp(): Registration | undefined {
    const waiting = this.waiting()
    if (waiting.length === 0) return undefined
    const choice = this.choose(["", ...waiting.map(({ id }) => `cleanup#${id}`)])
    this.open = choice === 0
    return waiting[choice - 1]
  }

  private leave(): void {
    this.kept.clear()
    if (!this.inTurn) return
    this.inTurn = false
    this.onTurn(++this.turn)
  }

  /** Runs the clean-ups that are left when the program has ended. They are no choices, because nobody sees when they run. */
  finish(done: () => void): void {
    this.finishing = true
    const next = () => {
      if (this.over) return
      const [first] = this.waiting().toSorted((a, b) => a.id - b.id)
      if (first === undefined) return done()
      this.cleanUp(first)
      afterMicrotasks(next)
    }
    // The targets that the last turn keeps can die when it has ended.
    const mayWait = this.queue.size > 0 || [...this.undecided].some((target) => this.registrations.has(target))
    if (this.over || !mayWait) done()
    else afterMicrotasks(next)
  }

  mayCollect(target: WeakKey): void {
    this.enter()
    if (!this.numbers.has(target)) this.numbers.set(target, this.numbers.size + 1)
    this.undecided.add(target)
  }

  hold(target: WeakKey): void {
    this.enter()
    this.isAlive(target)
    this.undecided.delete(target)
  }

  retains(owner: WeakKey, dependent: WeakKey): void {
    this.enter()
    this.isAlive(owner)
    this.isAlive(dependent)
    const owners = this.owners.get(dependent) ?? []
    owners.push({ owner, life: this.lifeOf(owner), dependentLife: this.lifeOf(dependent) })
    this.owners.set(dependent, owners)
    this.dependents.set(owner, (this.dependents.get(owner) ?? new Set()).add(dependent))
  }

  override read(target: WeakKey, life: number): boolean {
    if (this.over) {
      currentRun()?.readsEarlier()
      return super.read(target, life)
    }
    this.enter()
    if (!super.read(target, life)) return false
    if (this.kept.has(target)) return true
    this.observed.add(target)
    // When the program has ended, nothing holds the targets any more.
    const isDead = this.isCollectable(target) &&
      (this.finishing || this.choose(["", `deref#${this.numbers.get(target)}`]) === 1)
    if (isDead) {
      this.die(target, "deref")
      return false
    }
    this.keep(target)
    return true
  }

  private readsEarlier(): void {
    this.enter()
    this.usesEarlier = true
    this.gaps.add("earlier WeakRef")
  }

  override keep(target: WeakKey): void {
    if (!this.over) this.weakTargets.add(target)
    this.kept.add(target)
    this.see(target)
  }

  override see(value: WeakKey): void {
    this.enter()
    this.isAlive(value)
  }

  override register(target: WeakKey, cleanup: (held: unknown) => unknown, held: unknown): Registration {
    this.weakTargets.add(target)
    this.observed.add(target)
    return super.register(target, cleanup, held)
  }

  override unregister(registration: Registration): boolean {
    this.enter()
    if (!this.over && this.lateUnregister && !registration.late && this.mayBeCollected(registration)) {
      registration.late = true
      return true
    }
    return super.unregister(registration)
  }

  override collect(target: WeakKey): void {
    this.undecided.delete(target)
    this.collectedByProgram.add(target)
    super.collect(target)
    this.reduceWorlds()
  }

  /**
   * Notes that a value is alive now, and everything that it retains. It was not collected before, so none of
   * its unregistered clean-ups can run.
   */
  private isAlive(value: WeakKey): void {
    this.keepWorlds(({ dead }) => !dead.has(value))
    const registrations = this.registrations.get(value)
    if (registrations !== undefined) {
      for (const registration of registrations) if (registration.late) registrations.delete(registration)
    }
    const dependents = this.dependents.get(value)
    if (dependents === undefined) return
    // Removes them first, so that values which retain each other end.
    this.dependents.delete(value)
    for (const dependent of dependents) if (this.isRetained(value, dependent)) this.isAlive(dependent)
    this.dependents.set(value, dependents)
  }

  private isRetained(owner: WeakKey, dependent: WeakKey): boolean {
    return this.liveOwners(dependent).includes(owner)
  }

  private liveOwners(dependent: WeakKey): ReadonlyArray<WeakKey> {
    const owners = this.owners.get(dependent)
    if (owners === undefined) return []
    const present = this.lifeOf(dependent)
    return owners
      .filter(({ dependentLife, life, owner }) => dependentLife === present && life === this.lifeOf(owner))
      .map(({ owner }) => owner)
  }

  /** Whether the target may have been collected. If so, everything that retains it may have been collected too. */
  private isCollectable(target: WeakKey, visited: Set<WeakKey> = new Set()): boolean {
    if (!this.undecided.has(target) || this.kept.has(target)) return false
    visited.add(target)
    return this.liveOwners(target).every((owner) => visited.has(owner) || this.isCollectable(owner, visited))
  }

  /** Adds the live values that retain a target, and so are dead if it is dead. */
  private addOwners(target: WeakKey, to: Set<WeakKey>): void {
    for (const owner of this.liveOwners(target)) {
      if (to.has(owner)) continue
      to.add(owner)
      this.addOwners(owner, to)
    }
  }

  /** Decides that an undecided target was collected, after everything that retains it. */
  private die(target: WeakKey, before?: string): void {
    const owners = new Set<WeakKey>()
    this.addOwners(target, owners)
    owners.delete(target)
    for (const owner of owners) {
      this.tell("collected", owner, before)
      this.end(owner)
    }
    if (before !== undefined) this.tell("collected", target, before)
    this.end(target)
    this.reduceWorlds()
  }

  private end(target: WeakKey): void {
    this.undecided.delete(target)
    super.collect(target)
  }

  /** Whether an engine may have queued the clean-up of the registration. */
  private mayBeCollected(registration: Registration): boolean {
    const { target } = registration
    if (this.queue.has(registration)) return true
    return this.registrations.get(target)?.has(registration) === true && this.isCollectable(target)
  }

  /** Returns the clean-ups that may run now. If a target has several identical clean-ups, returns only the first. */
  private waiting(): ReadonlyArray<Registration> {
    const waiting = [...this.queue]
    for (const target of this.undecided) {
      const registrations = this.registrations.get(target)
      if (registrations !== undefined && this.isCollectable(target)) waiting.push(...registrations)
    }
    return waiting.filter((registration, index) =>
      waiting.findIndex((other) =>
        other.target === registration.target && other.cleanup === registration.cleanup &&
        other.late === registration.late && Object.is(other.held, registration.held) &&
        this.asked.has(other) === this.asked.has(registration)
      ) === index
    )
  }

  /** Whether the clean-up is queued for certain. */
  private isDue(registration: Registration): boolean {
    return this.queue.has(registration) && (!registration.late || this.certain.has(registration))
  }

  /** Runs a clean-up in a turn of its own. */
  private cleanUp(registration: Registration): void {
    this.tellOf(registration)
    this.take(registration)
    this.enter()
    try {
      const result = super.run(registration)
      if (isPromiseLike(result)) result.then(undefined, this.onError)
    } catch (error) {
      this.onError(error)
    }
    // A task ends with its microtasks, in `endOfTurn`.
    if (this.turns === "job") this.leave()
  }

  /** Runs a clean-up for the program, in a turn of its own, and begins the next turn of the program. */
  override run(registration: Registration): unknown {
    this.isNew = false
    try {
      return super.run(registration)
    } finally {
      this.beginTurn()
    }
  }

  private beginTurn(): void {
    if (this.over || this.isNew) return
    this.leave()
    this.enter()
    this.isNew = true
  }

  /**
   * Chooses the next clean-up for `finalize`. May choose none if it is possible that no clean-up is queued.
   * If `finalize` looks again, chooses among the clean-ups that are queued for certain.
   */
  override next(again: boolean): Registration | undefined {
    if (this.over) return super.next(again)
    this.beginTurn()
    const waiting = again ? this.waiting().filter((registration) => this.isDue(registration)) : this.waiting()
    if (waiting.length === 0) return undefined
    const mayEnd = !again && this.mayBeDone()
    const options = waiting.map(({ id }) => `cleanup#${id}`)
    const choice = this.choose(mayEnd ? ["", ...options] : options)
    const registration = waiting[mayEnd ? choice - 1 : choice]
    if (registration === undefined) {
      this.isDone()
      return undefined
    }
    if (choice > 0) this.tellOf(registration)
    this.take(registration)
    return registration
  }

  /** Whether it is possible that no clean-up is queued. */
  private mayBeDone(): boolean {
    for (const registration of this.queue) if (this.isDue(registration)) return false
    return this.worlds.some(this.isEmpty)
  }

  private readonly isEmpty = ({ dead, late }: World): boolean =>
    late.size === 0 && [...dead].every((target) => this.countOf(target) === 0)

  /** Notes that no clean-up is queued. So the unregistered clean-ups were not queued. */
  private isDone(): void {
    this.keepWorlds(this.isEmpty)
    for (const registration of this.possiblyLate()) this.forget(registration)
  }

  /** The number of clean-ups of an undecided target that are queued for certain if the target is dead. */
  private countOf(target: WeakKey): number {
    let count = 0
    for (const { late } of this.registrations.get(target) ?? []) if (!late) count++
    return count
  }

  private possiblyLate(): ReadonlyArray<Registration> {
    const open = new Set(this.queue)
    for (const target of this.undecided) {
      for (const registration of this.registrations.get(target) ?? []) open.add(registration)
    }
    return [...open].filter((registration) => registration.late && !this.certain.has(registration))
  }

  private forget(registration: Registration): void {
    this.queue.delete(registration)
    this.registrations.get(registration.target)?.delete(registration)
  }

  override pending(): number {
    if (this.over) return super.pending()
    this.enter()
    let due = 0
    for (const registration of this.queue) if (this.isDue(registration)) due++
    const targets = [...this.undecided].filter((target) => this.countOf(target) > 0 && this.isCollectable(target))
    const late = this.possiblyLate()
    if (targets.length + late.length > maxItems) return this.pendingAtOnce(targets, late)
    const byCount = new Map<number, Array<World>>()
    for (const world of this.worldsOf(targets, late)) {
      const count = due + this.sizeOf(world)
      const same = byCount.get(count)
      if (same === undefined) byCount.set(count, [world])
      else same.push(world)
    }
    const counts = [...byCount.keys()].toSorted((a, b) => a - b)
    const choice = counts.length === 1
      ? 0
      : this.choose(counts.map((count, index) => index === 0 ? "" : `count#${count}`))
    const count = counts[choice]!
    for (const registration of late) this.asked.add(registration)
    this.worlds = byCount.get(count)!
    if (choice > 0) this.tellOfCount(count)
    this.reduceWorlds()
    return count
  }

  private sizeOf({ dead, late }: World): number {
    let size = late.size
    for (const target of dead) size += this.countOf(target)
    return size
  }

  /** Every world that follows one of the present worlds, if the given targets may be dead, and the given clean-ups late. */
  private worldsOf(targets: ReadonlyArray<WeakKey>, late: ReadonlyArray<Registration>): ReadonlyArray<World> {
    const found = new Map<string, World>()
    const number = new Map<WeakKey | Registration, number>()
    const idOf = (item: WeakKey | Registration) => {
      if (!number.has(item)) number.set(item, number.size)
      return number.get(item)!
    }
    for (const world of this.worlds) {
      // A clean-up about which the program has asked before is still queued in the same worlds.
      const open = late.filter((registration) => !this.asked.has(registration))
      const items: ReadonlyArray<WeakKey | Registration> = [
        ...targets.filter((target) => !world.dead.has(target)),
        ...open
      ]
      for (let subset = 0; subset < 2 ** items.length; subset++) {
        const dead = new Set(world.dead)
        const queued = new Set(world.late)
        items.forEach((item, index) => {
          if ((subset & (1 << index)) === 0) return
          if (index < items.length - open.length) dead.add(item as WeakKey)
          else queued.add(item as Registration)
        })
        for (const { target } of queued) if (this.undecided.has(target)) dead.add(target)
        for (const target of dead) this.addOwners(target, dead)
        const key = [
          ...[...dead].map(idOf).toSorted((a, b) => a - b),
          "",
          ...[...queued].map(({ id }) => id)
        ].join()
        found.set(key, { dead, late: queued })
      }
    }
    return [...found.values()]
  }

  /** Decides at once which clean-ups are queued. Unregistered clean-ups are not. */
  private pendingAtOnce(targets: ReadonlyArray<WeakKey>, late: ReadonlyArray<Registration>): number {
    this.gaps.add("pending")
    for (const registration of late) this.forget(registration)
    this.worlds = [nothing]
    for (const target of targets) {
      if (this.isCollectable(target) && this.choose(["", `collect#${this.numbers.get(target)}`]) === 1) {
        this.die(target, "pending")
      }
    }
    return super.pending()
  }

  private keepWorlds(predicate: (world: World) => boolean): void {
    this.worlds = this.worlds.filter(predicate)
    this.reduceWorlds()
  }

  /** Moves what all worlds agree on to the state. */
  private reduceWorlds(): void {
    const { worlds } = this
    for (const target of worlds[0]!.dead) {
      if (this.undecided.has(target) && worlds.every(({ dead }) => dead.has(target))) this.end(target)
    }
    for (const registration of this.asked) {
      const agreeing = worlds.filter(({ late }) => late.has(registration)).length
      if (agreeing === worlds.length) {
        this.asked.delete(registration)
        this.certain.add(registration)
      } else if (agreeing === 0) {
        this.forget(registration)
      }
    }
    const left = new Map<string, World>()
    for (const world of worlds) {
      const dead = new Set([...world.dead].filter((target) => this.undecided.has(target)))
      const late = new Set([...world.late].filter((registration) => this.asked.has(registration)))
      const key = [
        ...[...dead].map((target) => this.numbers.get(target)).toSorted(),
        "",
        ...[...late].map(({ id }) => id).toSorted()
      ]
      left.set(key.join(), { dead, late })
    }
    this.worlds = [...left.values()]
  }

  /** Removes a clean-up from the queue. Collects the target first if it was undecided. */
  private take(registration: Registration): void {
    if (!this.queue.has(registration)) this.die(registration.target)
    if (this.asked.has(registration)) this.keepWorlds(({ late }) => late.has(registration))
    this.forget(registration)
  }

  private tellOf(registration: Registration): void {
    const { late, target } = registration
    const decided = this.queue.has(registration)
    const kind = late ? "cleaned up late" : decided ? "cleaned up" : "collected and cleaned up"
    this.tell(kind, target, undefined, registration)
  }

  /** Tells which targets are collected, or only what is counted if the program cannot know which. */
  private tellOfCount(count: number): void {
    const { worlds } = this
    const first = worlds[0]!
    if (worlds.length === 1) {
      for (const target of this.numbers.keys()) if (first.dead.has(target)) this.tell("collected", target, "pending")
      if (first.dead.size > 0) return
    }
    this.tell("counted", [...first.dead][0] ?? [...first.late][0]!.target, "pending", undefined, count)
  }

  private tell(
    kind: Event["kind"],
    target: WeakKey,
    before?: string,
    registration?: Registration,
    count?: number
  ): void {
    const turn = this.finishing ? undefined : this.turn
    const isAmbiguous = registration !== undefined && this.hasOther(registration)
    this.events.push({ turn, kind, target, before, registration, isAmbiguous, count })
  }

  private hasOther(registration: Registration): boolean {
    const { target } = registration
    const others = [...this.queue, ...this.registrations.get(target) ?? []]
    return others.some((other) => other.target === target && other !== registration)
  }
}

/** Returns the collector of the run that is in progress. */
export const currentRun = (): ExploredCollector | undefined => {
  const current = currentObserver()
  return current instanceof ExploredCollector ? current : undefined
}
