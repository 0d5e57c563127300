/**
 * The entries whose values a `WeakCache` holds strongly.
 *
 * A front of at most `exact` entries is a list in the order of use, so it is exactly LRU. A larger front admits by
 * frequency and keeps by recency, because LRU loses everything in a scan or in a loop that is longer than the front:
 * W-TinyLFU, with a window that adapts.
 *
 * - A new entry enters the **window**, a list in the order of use.
 * - An entry that the window pushes out is a **candidate** for the main part. If the front is full, the candidate stays
 *   only if it was used more often than the oldest entry on probation. Otherwise the candidate leaves.
 * - The main part has two lists: entries on **probation**, and **guarded** entries, which were used again there.
 * - A live entry counts its own uses, so a hit hashes nothing. A sketch remembers the counts of the keys that left, and
 *   all counts are halved from time to time, so that old popularity fades.
 * - A **shadow**, an LRU list of the hashes of some keys, shows what exact LRU would have found. If LRU finds more, the
 *   window grows until the front is LRU. If LRU finds less, the window shrinks. Otherwise a hill climber moves the border.
 *
 * Sources: Einziger, Friedman, Manes: TinyLFU (ACM Transactions on Storage, 2017). Einziger, Eytan, Friedman, Manes:
 * Adaptive Software Cache Management (Middleware, 2018). The library Caffeine.
 */
import { FrequencySketch, mostUses } from "./frequencySketch.ts"

/** An entry of the front. The cache holds the value of an entry strongly only while the entry is in the front. */
export interface Link {
  newer: Link | undefined
  older: Link | undefined
  /** The part of `maxWeight` that the entry uses. */
  weight: number
  /** The list of the entry in 2 bits, whether its key is sampled, its uses in 4 bits, then the age of this count. 0 for a new entry. */
  mark: number
}

/** A front of so many entries is exactly LRU. */
export const exact = 16

const inWindow = 1
const onProbation = 2
const isGuarded = 3
const listBits = 3
const sampledBit = 4
const usesShift = 3
const ageShift = 7

/** The part of the weight that the window has at first, and its bounds. */
const firstShare = 0.01
const smallestShare = 0.005
const largestShare = 0.995
/** The part of the main part that is guarded. */
const guardedShare = 0.8

/** The border moves after so many reads, or as many as there are entries. */
const readsPerStep = 2000
/** The difference between the hit ratios of LRU and of the front that counts. */
const difference = 0.01
/** How much the window grows for a difference, and at most. */
const growth = 8
const largestGrowth = 0.3
/** How much of the window remains if LRU finds less. */
const shrinkage = 0.9
/** The first step of the climber, and how much of it remains in each further step. A larger change starts the climber anew. */
const firstStep = 0.0625
const stepDecay = 0.98
const restart = 0.02
const longestRest = 63

/** Counts are halved after so many reads, or after so many per entry. */
const readsPerAge = 20_000
const readsPerEntry = 10

/** A candidate with so many uses is admitted once in `admissions`, even if it was used less often. */
const warm = 6
const admissions = 128

const mix = (hash: number): number => {
  const h = Math.imul(hash, 0x9e3779b1)
  return h ^ (h >>> 16)
}

class List<L extends Link> {
  readonly id: number
  newest: L | undefined = undefined
  oldest: L | undefined = undefined
  weight = 0

  constructor(id: number) {
    this.id = id
  }

  add(link: L): void {
    link.mark = (link.mark & ~listBits) | this.id
    link.older = this.newest
    if (this.newest === undefined) this.oldest = link
    else this.newest.newer = link
    this.newest = link
    this.weight += link.weight
  }

  remove(link: L): void {
    // Only this class sets the links, and all linked entries are `L`.
    const newer = link.newer as L | undefined
    const older = link.older as L | undefined
    if (newer === undefined) this.newest = older
    else newer.older = older
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    // A removed entry must not hold its former neighbours.
    link.newer = link.older = undefined
    // Reset the sum in an empty list, because sums of fractions are inexact.
    this.weight = this.newest === undefined ? 0 : this.weight - link.weight
  }

  /** Moves an entry of the list to its new end. */
  use(link: L): void {
    const { newer } = link
    if (newer === undefined) return
    const older = link.older as L | undefined
    newer.older = older
    if (older === undefined) this.oldest = newer as L
    else older.newer = newer
    link.newer = undefined
    link.older = this.newest
    this.newest!.newer = link
    this.newest = link
  }

  /** Moves all entries of a list to the old end of this list. Does not change their marks. */
  takeOlder(list: List<L>): void {
    const { newest, oldest, weight } = list
    if (newest === undefined) return
    if (this.oldest === undefined) this.newest = newest
    else {
      this.oldest.older = newest
      newest.newer = this.oldest
    }
    this.oldest = oldest
    this.weight += weight
    list.newest = list.oldest = undefined
    list.weight = 0
  }
}

export class StrongFront<L extends Link> {
  capacity: number
  readonly maxWeight: number
  size = 0
  readonly #hash: (link: L) => number
  /** Holds all entries while the front is exactly LRU. */
  readonly #window = new List<L>(inWindow)
  readonly #probation = new List<L>(onProbation)
  readonly #guarded = new List<L>(isGuarded)
  /** `undefined` while the front is exactly LRU. */
  #frequency: Frequency<L> | undefined = undefined

  /** `hash` returns the hash of an entry's key. It is called when an entry enters the front, and when it leaves. */
  constructor(capacity: number, maxWeight: number, hash: (link: L) => number) {
    this.capacity = capacity
    this.maxWeight = maxWeight
    this.#hash = hash
  }

  /** The total weight of the entries. O(1). */
  get weight(): number {
    return this.#window.weight + this.#probation.weight + this.#guarded.weight
  }

  /** Returns `false` if an entry alone exceeds a bound. This entry must not demote other entries. O(1). */
  admits(weight: number): boolean {
    return this.capacity > 0 && weight <= this.maxWeight
  }

  /** O(1). */
  isOver(): boolean {
    return this.size > this.capacity || this.weight > this.maxWeight
  }

  /** Adds an entry as the most recently used. O(1) on average. */
  add(link: L): void {
    this.size++
    this.#window.add(link)
    const frequency = this.#frequency
    if (frequency !== undefined) {
      frequency.enter(link, this.#hash(link), this.size)
      this.#fillMain(frequency)
    } else if (this.size > exact && this.capacity > exact) {
      this.#frequency = new Frequency<L>(this.capacity)
      this.#fillMain(this.#frequency)
    }
  }

  /** Removes an entry of the front. O(1). */
  remove(link: L): void {
    this.#listOf(link).remove(link)
    this.size--
    const frequency = this.#frequency
    if (frequency === undefined) return
    frequency.leave(link, this.#hash(link))
    // Starts again as LRU.
    if (this.size === 0 || this.capacity <= exact) this.#forgetFrequency()
  }

  /** Marks an entry of the front as the most recently used. O(1), hashes nothing, and allocates nothing. */
  use(link: L): void {
    const frequency = this.#frequency
    if (frequency === undefined) {
      this.#window.use(link)
      return
    }
    const list = this.#listOf(link)
    // Before the front is full, nothing needs a guard.
    if (list === this.#probation && frequency.isFull) {
      list.remove(link)
      this.#guarded.add(link)
      if (frequency.candidate === link) frequency.candidate = undefined
      this.#boundGuarded()
    } else {
      list.use(link)
    }
    frequency.use(link, this.size)
  }

  /** Returns the entry that must leave first. The front must not be empty. O(1). */
  victim(): L {
    const oldest = this.#probation.oldest ?? this.#guarded.oldest
    if (this.#frequency === undefined || oldest === undefined) return this.#window.oldest!
    return this.#frequency.worse(oldest)
  }

  #listOf(link: L): List<L> {
    const id = link.mark & listBits
    return id === inWindow ? this.#window : id === onProbation ? this.#probation : this.#guarded
  }

  /** Moves what the window cannot hold to the main part. Each entry moves once, except when the window shrinks. */
  #fillMain(frequency: Frequency<L>): void {
    const window = this.#window
    const bound = frequency.share * this.weight
    while (window.weight > bound && window.oldest !== window.newest) {
      const link = window.oldest!
      window.remove(link)
      this.#probation.add(link)
      frequency.candidate = link
    }
  }

  #boundGuarded(): void {
    const guarded = this.#guarded
    const probation = this.#probation
    const bound = guardedShare * (guarded.weight + probation.weight)
    while (guarded.weight > bound && guarded.oldest !== guarded.newest) {
      const link = guarded.oldest!
      guarded.remove(link)
      probation.add(link)
    }
  }

  #forgetFrequency(): void {
    this.#frequency = undefined
    this.#window.takeOlder(this.#guarded)
    this.#window.takeOlder(this.#probation)
    for (let link = this.#window.oldest; link !== undefined; link = link.newer as L | undefined) link.mark = inWindow
  }
}

/** How often keys are used, and how large the window should be. */
class Frequency<L extends Link> {
  /** The part of the weight that the window may have. */
  share = firstShare
  /** The entry that the window pushed out last, unless it has been used again since. */
  candidate: L | undefined = undefined
  readonly #sketch = new FrequencySketch()
  #age = 0
  #readsOfAge = 0

  /** Whether the front has been full, so that its hits tell something. Until then, a hit only moves and counts the entry. */
  isFull = false
  #step = -firstStep
  /** How often the climber still waits, and how often it waited last: longer each time that LRU found more. */
  #rests = 0
  #rest = 0
  #reads = 0
  #hits = 0
  #lastRatio = 0

  /** A key is sampled if its mixed hash has none of these bits. */
  readonly #sampleMask: number
  /** The sampled entries, with the hashes of their keys. */
  readonly #sampled = new Map<L, number>()
  /** The hashes of sampled keys, in the order of use: what an LRU front of this size would hold. */
  readonly #shadow = new Set<number>()
  #sampledReads = 0
  /** Sampled reads that only LRU finds, less those that only the front finds. */
  #advantage = 0
  #draws = 1

  constructor(capacity: number) {
    this.#sampleMask = capacity >= 2048 ? 15 : capacity >= 1024 ? 7 : capacity >= 512 ? 3 : 0
  }

  /** An entry enters the window. */
  enter(link: L, hash: number, size: number): void {
    this.#sketch.reserve(size)
    this.candidate = undefined
    this.#count(link, Math.max(this.#usesOf(link), this.#sketch.estimate(hash)))
    if ((mix(hash) & this.#sampleMask) === 0) {
      this.#sampled.set(link, hash)
      link.mark |= sampledBit
      if (this.isFull) this.#compare(hash, false, size)
    }
    this.#read(false, size)
  }

  use(link: L, size: number): void {
    this.#count(link, this.#usesOf(link))
    if (this.isFull && (link.mark & sampledBit) !== 0) this.#compare(this.#sampled.get(link)!, true, size)
    this.#read(true, size)
  }

  leave(link: L, hash: number): void {
    this.#sketch.raise(hash, this.#usesOf(link))
    if ((link.mark & sampledBit) !== 0) {
      link.mark &= ~sampledBit
      this.#sampled.delete(link)
    }
    if (this.candidate === link) this.candidate = undefined
  }

  /** Returns the candidate or the oldest entry of the main part, whichever must leave. */
  worse(oldest: L): L {
    if (!this.isFull) this.#begin()
    const { candidate } = this
    if (candidate === undefined || candidate === oldest) return oldest
    const uses = this.#usesOf(candidate)
    // The candidate has counted its present use. In a loop, the oldest entry has that use still before it.
    if (uses > this.#usesOf(oldest) + 1) return oldest
    // Keeps keys with colliding hashes, or that were popular once, from filling the main part for good.
    if (uses >= warm && this.#draw() % admissions === 0) return oldest
    return candidate
  }

  /** Starts the shadow when the front is full for the first time: so far, LRU would hold the same entries. */
  #begin(): void {
    this.isFull = true
    for (const hash of this.#sampled.values()) this.#shadow.add(hash)
  }

  #draw(): number {
    this.#draws = (Math.imul(this.#draws, 1_664_525) + 1_013_904_223) | 0
    return this.#draws >>> 16
  }

  #usesOf(link: L): number {
    // Negative if the front was exactly LRU in between. Then the count says nothing.
    const halvings = this.#age - (link.mark >> ageShift)
    return halvings < 0 || halvings > 4 ? 0 : ((link.mark >> usesShift) & mostUses) >> halvings
  }

  #count(link: L, before: number): void {
    link.mark = (this.#age << ageShift) | (Math.min(before + 1, mostUses) << usesShift) |
      (link.mark & (listBits | sampledBit))
  }

  #compare(hash: number, isHit: boolean, size: number): void {
    const shadow = this.#shadow
    const isHitOfLru = shadow.delete(hash)
    shadow.add(hash)
    if (shadow.size > size / (this.#sampleMask + 1)) {
      for (const oldest of shadow) {
        shadow.delete(oldest)
        break
      }
    }
    this.#sampledReads++
    if (isHitOfLru) this.#advantage++
    if (isHit) this.#advantage--
  }

  #read(isHit: boolean, size: number): void {
    if (++this.#readsOfAge >= Math.max(readsPerAge, readsPerEntry * size)) {
      this.#readsOfAge = 0
      this.#age++
      this.#sketch.halve()
    }
    if (!this.isFull) return
    if (isHit) this.#hits++
    if (++this.#reads < Math.max(readsPerStep, size)) return
    // The advantage is NaN if no read was sampled, which is no difference.
    this.#moveBorder(this.#hits / this.#reads, this.#advantage / this.#sampledReads)
    this.#reads =
      this.#hits =
      this.#sampledReads =
      this.#advantage =
        0
  }

  #moveBorder(ratio: number, advantage: number): void {
    const change = ratio - this.#lastRatio
    this.#lastRatio = ratio
    if (advantage > difference) {
      this.share += Math.min(growth * advantage, largestGrowth)
      this.#step = firstStep
      this.#rests = this.#rest = Math.min(2 * this.#rest + 1, longestRest)
    } else if (advantage < -difference) {
      this.share *= shrinkage
      this.#rests = this.#rest = 0
    } else if (this.#rests > 0) {
      this.#rests--
    } else {
      const amount = change >= 0 ? this.#step : -this.#step
      this.share += amount
      this.#step = Math.abs(change) < restart ? stepDecay * amount : amount >= 0 ? firstStep : -firstStep
    }
    this.share = Math.min(Math.max(this.share, smallestShare), largestShare)
  }
}
