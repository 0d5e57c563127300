/**
 * The laws about what an implementation retains. A `TestHeap` cannot check them,
 * because it collects a target even if the program still reaches the target. These
 * laws use the host's heap, and force full collections.
 */
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { collectGarbage, Heap, isWeakReferenceable } from "../../../Heap.ts"
import { type Check, check, type Trace } from "./law.ts"

/** One run shows a leak. More runs would be slow, because a collection takes milliseconds. */
const maxRuns = 1

const rounds = 10

/**
 * How often a law is tried before it is violated. JavaScriptCore keeps whatever looks like a pointer on
 * its stack, which is another value each time. What an implementation keeps, it keeps each time.
 */
const attempts = "Bun" in globalThis ? 5 : 1

/** How many of `many` values may survive for the same reason. */
const tolerated = attempts === 1 ? 0 : 5

/** Returns the last violation if every attempt finds one. An attempt returns its violation, or `undefined`. */
const violationOfAll = async (attempt: () => Promise<string | undefined>): Promise<string | undefined> => {
  let violation: string | undefined
  for (let i = 0; i < attempts; i++) {
    violation = await attempt()
    if (violation === undefined) return undefined
  }
  return violation
}

/** How many values a run creates. It is likely to include every kind of referent. */
const several = 20

/** Generates the seed of a sample. Seeds do not shrink, because a smaller seed is not a simpler sample. */
const sampleSeeds: fc.Arbitrary<number> = fc.noShrink(fc.nat())

/** Returns the default of the service, which is the host's heap. */
const hostHeap = (): Heap => Effect.runSync(Heap)

/** Forces collections until the condition holds. Returns `false` if it does not hold after the last round. */
const collectUntil = async (trace: Trace, holds: () => boolean): Promise<boolean> => {
  for (let round = 0; round < rounds; round++) {
    if (!await Effect.runPromise(collectGarbage)) {
      throw trace.violation(
        "cannot be checked: this host offers no way to ask for a collection, run it with --expose-gc"
      )
    }
    if (holds()) return true
  }
  return false
}

/** Returns the references whose targets have not been collected. */
const alive = (references: Iterable<WeakRef<WeakKey>>): ReadonlyArray<WeakRef<WeakKey>> =>
  Array.from(references).filter((reference) => !isCollected(reference))

const isCollected = (probe: WeakRef<WeakKey>): boolean => probe.deref() === undefined

/** Keeps the implementations under test reachable while the host collects. */
const held = new Set<unknown>()

interface Dropped {
  /** The implementation under test. It stays reachable. */
  readonly subject: unknown
  /** Values that only the implementation can retain. */
  readonly dropped: ReadonlyArray<WeakKey>
}

/** Is a function of its own, because the frame of an async function would retain the values. */
const probe = (
  make: () => Dropped
): { readonly subject: unknown; readonly probes: ReadonlyArray<WeakRef<WeakKey>> } => {
  const { dropped, subject } = make()
  return { subject, probes: dropped.map((value) => new WeakRef(value)) }
}

/** Makes the law that a value is collected if only the implementation under test refers to it. */
export const keepsNothingAlive = (
  name: string,
  what: string,
  make: (heap: Heap, count: number, seed: number) => Dropped
): Check =>
  check(name, sampleSeeds, async (trace, seed) => {
    trace.note(`create and drop ${several} ${what}s, on the host's heap`)
    const violation = await violationOfAll(async () => {
      const { probes, subject } = probe(() => make(hostHeap(), several, seed))
      held.add(subject)
      try {
        if (await collectUntil(trace, () => probes.every(isCollected))) return undefined
        return `${alive(probes).length} of ${probes.length} still alive after ${rounds} collections`
      } finally {
        held.delete(subject)
      }
    })
    if (violation !== undefined) throw trace.violation(violation)
  }, maxRuns)

interface TrackingHeap {
  readonly heap: Heap
  /** Counts the instances of the heap's `WeakRef` that exist. */
  readonly references: () => number
  /** Counts the different tokens and held values that exist, of registrations with the heap's registries. */
  readonly registered: () => number
}

/** Creates a host heap that remembers weakly what an implementation makes of it. */
const makeTrackingHeap = (): TrackingHeap => {
  const references = new Set<WeakRef<WeakKey>>()
  const registered = new Set<WeakRef<WeakKey>>()
  const known = new WeakSet<WeakKey>()
  class TrackedRef<A extends WeakKey> extends WeakRef<A> {
    constructor(target: A) {
      super(target)
      references.add(new WeakRef(this))
    }
  }
  class TrackedRegistry<A> extends FinalizationRegistry<A> {
    override register(target: WeakKey, held: A, token?: WeakKey): void {
      super.register(target, held, token)
      for (const value of [held, token]) {
        // An implementation can register one value for all its targets.
        if (!isWeakReferenceable(value) || known.has(value)) continue
        known.add(value)
        registered.add(new WeakRef(value))
      }
    }
  }
  return {
    heap: { ...hostHeap(), WeakRef: TrackedRef, FinalizationRegistry: TrackedRegistry },
    references: () => alive(references).length,
    registered: () => alive(registered).length
  }
}

/** How many entries end, and how many of them may still wait for a clean-up. */
const many = 200
const few = many / 4

const nothing = (): undefined => undefined

interface Ended extends Dropped {
  /** Values that the implementation may retain until the clean-up has run, but no longer. */
  readonly released: ReadonlyArray<WeakKey>
  /** Whether weak references may stay as long as their targets are alive, for the next registration of a target. */
  readonly reusesReferences: boolean
  readonly size?: (() => number | undefined) | undefined
}

/**
 * Makes the law that a structure keeps nothing of what has ended. The law counts the
 * weak references and the registrations that still exist, and reads the size if there is
 * one. It passes for an implementation that keeps its targets alive, because this
 * breaks another law.
 */
export const leavesNothingBehind = <Ending extends string>(
  name: string,
  what: string,
  endings: ReadonlyArray<Ending>,
  make: (heap: Heap, count: number, seed: number, ending: Ending) => Ended
): Check =>
  check(name, sampleSeeds, async (trace, seed) => {
    for (const ending of endings) {
      const violation = await violationOfAll(() => remains(trace, make, seed, ending))
      if (violation === undefined) continue
      trace.note(`create ${many} ${what}, each of which ${ending}, on the host's heap`)
      throw trace.violation(violation)
    }
  }, maxRuns)

/** Returns what a structure keeps of entries that have ended, or `undefined`. */
const remains = async <Ending extends string>(
  trace: Trace,
  make: (heap: Heap, count: number, seed: number, ending: Ending) => Ended,
  seed: number,
  ending: Ending
): Promise<string | undefined> => {
  const { heap, references, registered } = makeTrackingHeap()
  let size!: () => number | undefined
  let countsReferences!: boolean
  let released!: ReadonlyArray<WeakRef<WeakKey>>
  const { probes, subject } = probe(() => {
    const made = make(heap, many, seed, ending)
    // A closure over `made` would retain its values.
    size = made.size ?? nothing
    countsReferences = ending === "dies" || !made.reusesReferences
    released = Array.from(new Set(made.released), (value) => new WeakRef(value))
    return made
  })
  held.add(subject)
  try {
    const areCollected = () => alive(probes).length <= tolerated
    if (!await collectUntil(trace, areCollected)) return undefined
    const kept = (): string | undefined => {
      const counts = [
        [size(), (count: number) => `size is still ${count}`],
        [countsReferences ? references() : undefined, (count: number) => `${count} weak references still exist`],
        // While a target is alive, an implementation can keep one registration for the next entry.
        [
          ending === "dies" ? registered() : undefined,
          (count: number) => `${count} held values and tokens of registrations still exist`
        ],
        [
          alive(released).length,
          (count: number) => `${count} values still exist`
        ]
      ] as const
      for (const [count, describe] of counts) if (count !== undefined && count > few) return describe(count)
      return undefined
    }
    if (await collectUntil(trace, () => kept() === undefined)) return undefined
    return `${kept()} after ${rounds} collections`
  } finally {
    held.delete(subject)
  }
}
