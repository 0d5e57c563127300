/**
 * The entries for CPython's tests, and helpers that create them. `cpython.test.ts` runs
 * the entries. An entry is a counterpart, which is a test of the same behaviour in this
 * library, or the reason why no such test is possible in JavaScript.
 *
 * `python.test.ts` covers the statements of Python's documentation instead.
 */
import { it } from "@effect/vitest"
import { Data, Effect, Equal, Hash, type Scope } from "effect"
import { Heap } from "../../src/index.ts"
import { onBothHeapsWith, type World } from "../support/worlds.ts"
import type { names } from "./names.ts"

export type Entry = Counterpart | Reason

export interface Counterpart {
  readonly _tag: "Counterpart"
  /** Registers the test under the name that CPython's test has. */
  readonly test: (name: string) => void
}

export interface Reason {
  readonly _tag: "Reason"
  readonly reason: string
}

export type Table<Class extends keyof typeof names> = Readonly<Record<(typeof names)[Class][number], Entry>>

export const cannot = (reason: string): Entry => ({ _tag: "Reason", reason })

export const sync = (test: () => void): Entry => ({ _tag: "Counterpart", test: (name) => it(`${name}`, test) })

export const effect = (test: () => Effect.Effect<void, unknown, Scope.Scope>): Entry => ({
  _tag: "Counterpart",
  test: (name) => it.effect(name, () => Effect.scoped(Effect.suspend(test)))
})

export const onBothHeapsOf =
  <A extends WeakKey>(make: (name: string) => A) =>
  (script: (world: World<A>) => Effect.Effect<void, unknown, Scope.Scope>): Entry => ({
    _tag: "Counterpart",
    test: (name) => onBothHeapsWith(make)(name, script)
  })

/** The class of the same name in CPython's tests. Instances compare and hash by `arg`. */
export class Obj extends Data.Class<{ readonly arg: unknown }> {
  some_method(): number {
    return 4
  }
  other_method(): number {
    return 5
  }
}

/** Creates a test that runs on both heaps. Referents are equal if the first letters of their names are equal. */
export const onBothHeaps = onBothHeapsOf((name) => new Obj({ arg: name[0] }))

/** Equal only to itself. */
export class Plain {
  readonly arg: unknown

  constructor(arg?: unknown) {
    this.arg = arg
  }
  [Equal.symbol](that: unknown): boolean {
    return this === that
  }
  [Hash.symbol](): number {
    return Hash.random(this)
  }
}

export const log = () => {
  const lines: Array<string> = []
  return { lines, says: (line: string) => Effect.sync(() => void lines.push(line)) }
}

/** Creates a heap that forces a collection after every `period` weak references. */
export const eagerHeap = (period: number): Heap.Heap => {
  let made = 0
  return {
    ...Heap.Heap.defaultValue(),
    WeakRef: class<A extends WeakKey> extends WeakRef<A> {
      constructor(target: A) {
        if (++made % period === 0) globalThis.gc!()
        super(target)
      }
    }
  }
}

/** Waits for the next turn. Then objects that were created or dereferenced in this turn can be collected. */
export const nextTurn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
