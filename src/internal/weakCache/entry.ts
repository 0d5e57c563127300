/**
 * The entries and the running lookups of a `WeakCache`.
 */
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Expiring } from "./expiry.ts"
import type { Link } from "./strongFront.ts"

export class Entry<Key, A extends WeakKey, E> implements Link, Expiring {
  readonly key: Key
  /** The value, or the cached failure, while the entry is in the strong front. */
  exit: Exit.Exit<A, E> | undefined
  /** Created when the cache first holds the value only weakly. */
  ref: WeakRef<A> | undefined
  load: Load<Key, A, E> | undefined
  scope: Scope.Closeable | undefined
  /** The kind of result that the entry stores while the entry is in the map. The value may have been collected. */
  stored: "value" | "failure" | undefined
  weight: number
  usedAt: number
  expiresAt: number
  /** The index in the `ExpiryQueue`, or -1. */
  place: number
  newer: Entry<Key, A, E> | undefined
  older: Entry<Key, A, E> | undefined

  constructor(key: Key) {
    this.key = key
    this.exit = undefined
    this.ref = undefined
    this.load = undefined
    this.scope = undefined
    this.stored = undefined
    this.weight = 0
    this.usedAt = 0
    this.expiresAt = Infinity
    this.place = -1
    this.newer = undefined
    this.older = undefined
  }
}

/** A running lookup. */
export class Load<Key, A extends WeakKey, E> {
  readonly key: Key
  /** The pending entry of this lookup. `undefined` for a refresh of an existing entry, and once the entry is not pending. */
  entry: Entry<Key, A, E> | undefined
  /** Whether the key was invalidated during this refresh. Then the result is not stored. */
  outdated: boolean
  fiber: Fiber.Fiber<A, E> | undefined
  waiters: number
  /** The lookup that the fiber of this lookup waits for. */
  waitsFor: Load<any, any, any> | undefined
  scope: Scope.Closeable | undefined

  constructor(key: Key) {
    this.key = key
    this.entry = undefined
    this.outdated = false
    this.fiber = undefined
    this.waiters = 0
    this.waitsFor = undefined
    this.scope = undefined
  }
}

/** Returns the live value of an entry, or `undefined`. May dereference. */
export const valueOf = <A extends WeakKey>(entry: Entry<any, A, any>): A | undefined => {
  const { exit } = entry
  if (exit === undefined) return entry.ref?.deref()
  return Exit.isSuccess(exit) ? exit.value : undefined
}

/** The running lookups of all caches, by their fibers. */
export const loads = /*#__PURE__*/ new WeakMap<Fiber.Fiber<any, any>, Load<any, any, any>>()
