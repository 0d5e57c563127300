/**
 * The base class of `WeakKeyMap`, `WeakValueMap` and `WeakSet`. It has equality
 * and hash by identity, JSON, and printing.
 *
 * The hot functions of those modules (`get`, `has`, `set`, `remove`, `add`) do not use
 * `dual`. All functions that `dual` makes share one call site, which engines cannot
 * inline.
 */
import * as Equal from "effect/Equal"
import { format } from "effect/Formatter"
import * as Hash from "effect/Hash"
import { Base } from "./base.ts"
import { isComplete } from "./host.ts"
import { outlineParts } from "./outline.ts"

/**
 * The property that holds the table of a collection. Each copy of this package has its
 * own symbol, so a collection of another copy has no table.
 */
export const table: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/table")

/** The property that holds the module name of a collection, for JSON and printing. */
export const name: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/name")

export abstract class Collection<T, Table extends { readonly size: number }> extends Base implements Iterable<T> {
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

  /** Has the first entries only, and how many more there are, entries of collected objects included. */
  toJSON(): unknown {
    return { _id: this[name], ...this.#outline() }
  }

  override toString(): string {
    const { more, values } = this.#outline()
    return `${this[name]}(${format(values)}${more === undefined ? "" : ` and ${more} more`})`
  }

  #outline() {
    return outlineParts(this, this, () => this[table].size)
  }
}

/**
 * Returns the data-last form of a call. A function that makes this closure itself allocates a
 * context in each call, even in its data-first form.
 */
export const later = (f: (self: any, a: any, b: any) => unknown, a: unknown, b?: unknown) => (self: unknown): unknown =>
  f(self, a, b)

const kept = /*#__PURE__*/ new Map<string, unknown>()

/**
 * Keeps one empty collection per type id alive forever, with its `hotInstances`.
 * `WeakTable.hotInstances` has the reason.
 */
export const keepHot = <Table extends { hotInstances(): ReadonlyArray<unknown> }>(
  typeId: string,
  make: () => { readonly [table]: Table }
): void => {
  if (kept.has(typeId) || !isComplete) return
  const self = make()
  kept.set(typeId, [self, self[table].hotInstances()])
}
