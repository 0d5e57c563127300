/**
 * The laws about what an implementation retains. A `TestHeap` cannot check them,
 * because it collects a target even if the program still reaches the target. These
 * laws use the host's heap, and force full collections.
 */
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { collectGarbage, Heap } from "../../../Heap.ts"
import { type Check, check, type Trace } from "./law.ts"

/** One run shows a leak. More runs would be slow, because a collection takes milliseconds. */
const maxRuns = 1

const rounds = 10

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
    const { probes, subject } = probe(() => make(hostHeap(), several, seed))
    held.add(subject)
    try {
      if (!await collectUntil(trace, () => probes.every(isCollected))) {
        const alive = probes.filter((probe) => !isCollected(probe)).length
        throw trace.violation(`${alive} of ${probes.length} still alive after ${rounds} collections`)
      }
    } finally {
      held.delete(subject)
    }
  }, maxRuns)

/** Creates a host heap that counts the existing instances of its `WeakRef`. */
const makeTrackingHeap = (): { readonly heap: Heap; readonly alive: () => number } => {
  let references: Array<WeakRef<WeakKey>> = []
  class Tracked<A extends WeakKey> extends WeakRef<A> {
    constructor(target: A) {
      super(target)
      references.push(new WeakRef(this))
    }
  }
  return {
    heap: { ...hostHeap(), WeakRef: Tracked },
    alive: () => {
      references = references.filter((reference) => !isCollected(reference))
      return references.length
    }
  }
}

/** How many entries end, and how many of them may still wait for a clean-up. */
const many = 200
const few = many / 4

/** How an entry ends. */
export type Ending = "dies" | "is removed" | "is overwritten"

const endings: ReadonlyArray<Ending> = ["dies", "is removed", "is overwritten"]

interface Ended extends Dropped {
  readonly size: () => number | undefined
}

/**
 * Makes the law that a collection keeps nothing of ended entries. The law counts the
 * weak references that still exist, and reads the size if there is one. It passes for
 * an implementation that keeps the values alive, because this breaks another law.
 */
export const leavesNothingBehind = (
  name: string,
  entry: string,
  make: (heap: Heap, count: number, seed: number, ending: Ending) => Ended
): Check =>
  check(name, sampleSeeds, async (trace, seed) => {
    for (const ending of endings) {
      const { alive, heap } = makeTrackingHeap()
      let size!: () => number | undefined
      const { probes, subject } = probe(() => {
        const made = make(heap, many, seed, ending)
        size = made.size
        return made
      })
      held.add(subject)
      try {
        if (!await collectUntil(trace, () => probes.every(isCollected))) continue
        if (await collectUntil(trace, () => alive() <= few && (size() ?? 0) <= few)) continue
        trace.note(`create ${many} ${entry}, each of which ${ending}, on the host's heap`)
        throw trace.violation(
          (size() ?? 0) > few
            ? `size is still ${size()} after ${rounds} collections`
            : `${alive()} weak references still exist after ${rounds} collections`
        )
      } finally {
        held.delete(subject)
      }
    }
  }, maxRuns)
