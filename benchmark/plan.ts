/** Lists the processes to run, and how often to run them. */
import * as finalizers from "./measure/finalizers.ts"
import * as proxies from "./measure/proxies.ts"
import * as references from "./measure/references.ts"
import type { Job } from "./measurement.ts"
import { caches, cpython, engine, floor, library, pattern, several, subjects } from "./subjects.ts"

/** Jobs to compare with each other. They run one after the other, in a random order in each round. */
export interface Comparison {
  readonly jobs: ReadonlyArray<Job>
  readonly rounds: number
}

const contendersOf = (subject: string): Array<string> => [
  ...Object.keys(
    subjects[subject]?.contenders ?? finalizers.contenders[subject] ??
      (subject === "WeakRef" ? references.contenders : proxies.contenders)
  ),
  // CPython has no cache with lookups.
  ...subject === caches ? [] : [cpython]
]

const compare = (
  measure: Job["measure"],
  subject: string,
  n: number,
  rounds: number,
  contenders: ReadonlyArray<string>
): Comparison => ({ jobs: contenders.map((contender) => ({ subject, contender, measure, n })), rounds })

const ours = [library, floor]

/** Measures each subject at 100,000 entries with all its contenders. Some subjects have further numbers of entries. */
export const whole = (): Array<Comparison> => {
  const collections = Object.keys(subjects).filter((subject) => subject !== caches)
  const others = (subject: string) => contendersOf(subject).filter((contender) => !ours.includes(contender))
  return [
    compare("operations", caches, 100_000, 3, contendersOf(caches)),
    compare("cost", caches, 100_000, 1, contendersOf(caches)),
    ...[...collections, "WeakRef"].flatMap((subject) => [
      compare("operations", subject, 100_000, 7, ours),
      compare("operations", subject, 100_000, 3, others(subject))
    ]),
    compare("operations", "WeakProxy", 1000, 7, contendersOf("WeakProxy")),
    compare("after collections", several, 10_000, 7, ours),
    compare("cost", oneReferent, 500_000, 3, ours),
    ...["Finalizer", "WeakRef.onCollect"].flatMap((subject) => [
      compare("operations", subject, 100_000, 3, contendersOf(subject)),
      compare("cost", subject, 1_000_000, 3, ours),
      compare("cost", subject, 1_000_000, 1, others(subject))
    ]),
    ...collections.flatMap((subject) => [
      compare("cost", subject, 100_000, 3, ours),
      compare("cost", subject, 100_000, 1, others(subject))
    ]),
    ...growing.flatMap((subject) => [
      compare("operations", subject, 1000, 7, [...ours, ...native(subject)]),
      compare("operations", subject, 10_000, 3, ours),
      compare("operations", subject, 1_000_000, 4, [...ours, ...native(subject)]),
      compare("cost", subject, 1000, 1, ours),
      compare("cost", subject, 10_000, 1, ours),
      compare("cost", subject, 1_000_000, 3, [...ours, engine]),
      // `lru-cache` has room for 100,000.
      compare("cost", subject, 1_000_000, 1, others(subject).filter((contender) => contender !== "lru-cache"))
    ])
  ]
}

/** A native `WeakMap` grows slower too, so the growth of a map is measured beside it. */
const native = (subject: string): Array<string> => subject === "WeakKeyMap by reference" ? [nativeMap] : []

export const nativeMap = "native WeakMap"

export const oneReferent = "WeakRef.onCollect of one referent"

export const growing = ["WeakValueMap, string keys", "WeakKeyMap", "WeakKeyMap by reference", "WeakSet by reference"]

/** Measures the peers of docs/performance.md at 100,000 entries. */
export const peers = (): Array<Comparison> =>
  [caches, "WeakValueMap, string keys", "WeakKeyMap by reference"].flatMap((subject) => [
    compare("operations", subject, 100_000, 3, contendersOf(subject)),
    compare("cost", subject, 100_000, 1, contendersOf(subject))
  ])

/** Measures the ratios to the floor at 100,000 entries. */
export const quick = (): Array<Comparison> => [
  ...["WeakRef", "WeakValueMap, string keys", "WeakKeyMap", "WeakKeyMap by reference", "WeakSet"].map((subject) =>
    compare("operations", subject, 100_000, 3, ours)
  ),
  compare("operations", "WeakProxy", 1000, 3, contendersOf("WeakProxy")),
  compare("after collections", several, 10_000, 3, ours),
  compare("cost", "WeakValueMap, string keys", 100_000, 1, ours),
  compare("cost", "WeakKeyMap by reference", 100_000, 1, [...ours, pattern]),
  compare("cost", "Finalizer", 100_000, 1, ours)
]
