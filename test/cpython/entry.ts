/** What the checklist has for a test method of CPython: its counterpart here, or the reason why there is none. */
import { it } from "@effect/vitest"
import { Data, Effect, Equal, Hash, type Scope } from "effect"
import { Heap } from "../../src/index.ts"
import { onBothHeapsWith, type World } from "../support/worlds.ts"
import type { names } from "./names.ts"

export type Entry = Counterpart | Reason

export interface Counterpart {
  readonly _tag: "Counterpart"
  /** Registers the test. */
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

/** CPython's tests have a class of objects that compare and hash by one argument, and two methods. */
export class Obj extends Data.Class<{ readonly arg: unknown }> {
  some_method(): number {
    return 4
  }
  other_method(): number {
    return 5
  }
}

/** The referents are equal where the first letters of their names are. */
export const onBothHeaps = onBothHeapsOf((name) => new Obj({ arg: name[0] }))

/** Equal to none but itself. */
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

/** A heap that collects in the middle of things: each time that so many weak references have been made. */
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

/** What was made or dereferenced in this turn can be collected from then on. */
export const nextTurn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
