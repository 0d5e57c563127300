/**
 * An entry of a `WeakCache`: one key with its result, or with the lookup that loads the result. An entry has two forms,
 * because most entries of a large cache are held weakly: a `StrongEntry`, and a `WeakEntry`, which is itself the weak
 * reference and takes half the bytes. What few caches use is in an object that exists only if it is used, `Extra`.
 *
 * | state     | in the table | in the strong front | holds                                              |
 * | --------- | ------------ | ------------------- | -------------------------------------------------- |
 * | `pending` | yes          | no                  | the running lookup                                 |
 * | `strong`  | yes          | yes                 | the exit: a value or a failure                     |
 * | `weak`    | yes          | no                  | a weak reference to the value                      |
 * | `removed` | no           | no                  | a weak reference, while the handle's resource is open |
 *
 * | from                | act       | to                | when                                                     |
 * | ------------------- | --------- | ----------------- | -------------------------------------------------------- |
 * | new                 | `begin`   | `pending`         | a lookup starts for a key without an entry               |
 * | new, `pending`      | `insert`  | `strong`, `weak`  | a result is stored; it is weak if it exceeds a bound     |
 * | `strong`            | `demote`  | `weak`            | the front is over a bound, the value is idle, or `trim`  |
 * | `strong`            | `demote`  | `removed`         | the same, for a cached failure                           |
 * | `weak`              | `promote` | `strong`          | a read finds the value live                              |
 * | `strong`, `weak`    | `expire`, `invalidate`, `replace` | `removed` | the reason that the name says           |
 * | `weak`              | `reclaim` | `removed`         | the value is dead                                        |
 * | `pending`           | `detach`  | `removed`         | its lookup failed, was interrupted, or is out of date    |
 *
 * The registry and the table hold entries, so an entry holds its own value only in the state `strong`. In the states `new`,
 * `pending` and `strong` it has the strong form, and in the state `weak` the weak form. A strong entry that was weak keeps
 * its weak form, so that a value is registered only once.
 */
import * as Exit from "effect/Exit"
import type { Heap } from "../../Heap.ts"
import type { Keyed } from "./entryTable.ts"
import type { Expiring } from "./expiry.ts"
import type { Idle } from "./idle.ts"
import type { Lookup } from "./lookups.ts"
import type { Resource } from "./resources.ts"
import type { Link } from "./strongFront.ts"

export type Entry<Key, A extends WeakKey, E> = StrongEntry<Key, A, E> | WeakEntry<Key, A, E>

/** The weight, the times and the resource of an entry. */
export class Extra<Key, A extends WeakKey, E> implements Expiring {
  /** The present form of the entry. */
  entry: Entry<Key, A, E>
  weight = 1
  resource: Resource | undefined = undefined
  /** The last use of an entry in the strong front, if the cache has an idle time to live. */
  idle: Idle<Extra<Key, A, E>> | undefined = undefined
  /** `undefined` if the result does not expire. */
  expiresAt: number | undefined = undefined
  /** When a read starts a refresh in the background, or `undefined`. */
  refreshesAt: number | undefined = undefined
  /** The index in the `ExpiryQueue`, or -1. */
  place = -1

  constructor(entry: Entry<Key, A, E>) {
    this.entry = entry
  }
}

export class StrongEntry<Key, A extends WeakKey, E> implements Link, Keyed<Key> {
  readonly key: Key
  /** What the table needs to find the key, so that removing the entry runs no code of the user. */
  readonly hash: number | undefined
  extra: Extra<Key, A, E> | undefined = undefined
  exit: Exit.Exit<A, E> | undefined = undefined
  lookup: Lookup<Key, A, E> | undefined = undefined
  /** The weak form, after the value was held only weakly for the first time. */
  weak: WeakEntry<Key, A, E> | undefined = undefined
  weight = 1
  mark = 0
  newer: StrongEntry<Key, A, E> | undefined = undefined
  older: StrongEntry<Key, A, E> | undefined = undefined

  constructor(key: Key, hash: number | undefined) {
    this.key = key
    this.hash = hash
  }
}

export interface WeakEntry<Key, A extends WeakKey, E> extends WeakRef<A>, Keyed<Key> {
  key: Key
  /** `undefined` while the entry has the strong form. */
  extra: Extra<Key, A, E> | undefined
  /** Never set. They tell the two forms apart. */
  readonly exit: undefined
  readonly lookup: undefined
}

interface WeakEntryClass {
  new<Key, A extends WeakKey, E>(value: A, key: Key, hash: number | undefined): WeakEntry<Key, A, E>
}

const weakEntryClasses = /*#__PURE__*/ new WeakMap<Heap, WeakEntryClass>()

/** Returns the class of the weak entries of a heap. */
export const weakEntryClass = (heap: Heap): WeakEntryClass => {
  let WeakEntry = weakEntryClasses.get(heap)
  if (WeakEntry === undefined) {
    WeakEntry = class<Key, A extends WeakKey, E> extends heap.WeakRef<A> {
      declare key: Key
      declare readonly hash: number | undefined
      declare extra: Extra<Key, A, E> | undefined
      declare readonly exit: undefined
      declare readonly lookup: undefined
      constructor(value: A, key: Key, hash: number | undefined) {
        super(value)
        this.key = key
        this.hash = hash
        this.extra = undefined
      }
    }
    weakEntryClasses.set(heap, WeakEntry)
  }
  return WeakEntry
}

export const isWeak = <Key, A extends WeakKey, E>(entry: Entry<Key, A, E>): entry is WeakEntry<Key, A, E> =>
  !(entry instanceof StrongEntry)

/** Returns the live value of an entry of the table, or `undefined`. O(1). Dereferences an entry of the weak form. */
export const valueOf = <A extends WeakKey, E>(entry: Entry<unknown, A, E>): A | undefined => {
  if (isWeak(entry)) return entry.deref()
  const { exit } = entry
  return exit !== undefined && Exit.isSuccess(exit) ? exit.value : undefined
}

/** Returns whether an entry of the table stores a value, even if the value is dead. O(1). */
export const storesValue = <A extends WeakKey, E>(entry: Entry<unknown, A, E>): boolean =>
  isWeak(entry) || (entry.exit !== undefined && Exit.isSuccess(entry.exit))
