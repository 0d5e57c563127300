/**
 * What `WeakKeyMap`, `WeakValueMap` and `WeakSet` share: equality and hash by
 * identity, JSON, printing, and the guard.
 *
 * The hot functions of those modules (`get`, `has`, `set`, `remove`, `add`) are
 * written out by hand instead of with `dual`. All functions that `dual` makes share
 * one call site, which engines cannot inline.
 */
import * as Equal from "effect/Equal"
import { format } from "effect/Formatter"
import * as Hash from "effect/Hash"
import { toJson } from "effect/Inspectable"
import { hasProperty } from "effect/Predicate"
import { Base } from "./base.ts"

/** The table of a collection. A second copy of this package has another symbol, and so its collections are not ours. */
export const table: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/table")

/** The name of the kind of a collection, for JSON and printing. */
export const name: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/name")

/** Whether a value is a collection of this copy of the package, and of the kind that the type id names. */
export const isCollection = (u: unknown, typeId: string): boolean => hasProperty(u, table) && hasProperty(u, typeId)

export abstract class Collection<T, Table> extends Base implements Iterable<T> {
  /** @internal */
  declare readonly [table]: Table

  constructor(entries: Table) {
    super()
    this[table] = entries
  }

  abstract get [name](): string

  abstract [Symbol.iterator](): MapIterator<T>

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }

  toJSON(): unknown {
    return { _id: this[name], values: toJson(Array.from(this)) }
  }

  override toString(): string {
    return `${this[name]}(${format(Array.from(this))})`
  }
}

const kept = /*#__PURE__*/ new Map<string, unknown>()

/** Keeps an empty collection of a kind alive for as long as the module, with its `hotInstances`. */
export const keepHot = <Table extends { hotInstances(): ReadonlyArray<unknown> }>(
  typeId: string,
  make: () => { readonly [table]: Table }
): void => {
  if (kept.has(typeId)) return
  const self = make()
  kept.set(typeId, [self, self[table].hotInstances()])
}
