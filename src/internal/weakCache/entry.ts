/**
 * An entry of a `WeakCache`: one key with its result, or with the lookup that loads the result.
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
 * The registry and the table hold entries, so an entry holds its own value only in the state `strong`.
 */
import * as Exit from "effect/Exit"
import type { Keyed } from "./entryTable.ts"
import type { Expiring } from "./expiry.ts"
import type { Idle } from "./idle.ts"
import type { Lookup } from "./lookups.ts"
import type { Resource } from "./resources.ts"
import type { Link } from "./strongFront.ts"

export class Entry<Key, A extends WeakKey, E> implements Link, Expiring, Keyed<Key> {
  readonly key: Key
  /** What the table needs to find the key, so that removing the entry runs no code of the user. */
  hash: number | undefined
  state: "pending" | "strong" | "weak" | "removed"
  exit: Exit.Exit<A, E> | undefined
  /** Created when the cache first holds the value only weakly. */
  ref: WeakRef<A> | undefined
  lookup: Lookup<Key, A, E> | undefined
  resource: Resource | undefined
  weight: number
  mark: number
  /** The last use of an entry in the strong front, if the cache has an idle time to live. */
  idle: Idle<Entry<Key, A, E>> | undefined
  /** `undefined` if the result does not expire, because V8 would box `Infinity` in every entry. */
  expiresAt: number | undefined
  /** When a read starts a refresh in the background, or `undefined`. */
  refreshesAt: number | undefined
  /** The index in the `ExpiryQueue`, or -1. */
  place: number
  newer: Entry<Key, A, E> | undefined
  older: Entry<Key, A, E> | undefined

  constructor(key: Key, hash: number | undefined) {
    this.key = key
    this.hash = hash
    this.state = "removed"
    this.exit = undefined
    this.ref = undefined
    this.lookup = undefined
    this.resource = undefined
    this.weight = 0
    this.mark = 0
    this.idle = undefined
    this.expiresAt = undefined
    this.refreshesAt = undefined
    this.place = -1
    this.newer = undefined
    this.older = undefined
  }
}

/** Returns the live value of an entry, or `undefined`. O(1). Dereferences in the state `weak`. */
export const valueOf = <A extends WeakKey, E>(entry: Entry<unknown, A, E>): A | undefined => {
  const { exit } = entry
  if (exit === undefined) return entry.state === "weak" ? entry.ref?.deref() : undefined
  return Exit.isSuccess(exit) ? exit.value : undefined
}

/** Returns whether an entry stores a value, even if the value is dead. O(1). */
export const storesValue = <A extends WeakKey, E>(entry: Entry<unknown, A, E>): boolean =>
  entry.state === "weak" || (entry.exit !== undefined && Exit.isSuccess(entry.exit))
