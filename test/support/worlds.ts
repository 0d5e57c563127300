/**
 * Runs the same script on a test heap and on the real heap. A world holds the
 * referents of a script, so that no local variable of the script holds them. On a
 * test heap, the world collects a referent by hand. On the real heap, the world
 * releases the referent and forces collections.
 */
import { assert, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { host } from "../../src/internal/host.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { collectThoroughly, collectUntil } from "./realHeap.ts"

export interface Named {
  readonly name: string
}

export interface World<A extends WeakKey = Named> {
  /** Calls `f` with the referent of that name. Creates the referent at the first call. */
  readonly with: <B, E, R>(name: string, f: (referent: A) => Effect.Effect<B, E, R>) => Effect.Effect<B, E, R>
  readonly sync: <B>(name: string, f: (referent: A) => B) => Effect.Effect<B>
  readonly withAll: <B, E, R>(
    names: ReadonlyArray<string>,
    f: (referents: ReadonlyArray<A>) => Effect.Effect<B, E, R>
  ) => Effect.Effect<B, E, R>
  /** Collects the referents, and waits until their callbacks have run. */
  readonly die: (...names: ReadonlyArray<string>) => Effect.Effect<void>
}

class Referents<A extends WeakKey> {
  private readonly make: (name: string) => A
  private readonly byName = new Map<string, A>()
  private readonly probes = new Map<string, WeakRef<A>>()

  constructor(make: (name: string) => A) {
    this.make = make
  }

  get(name: string): A {
    let referent = this.byName.get(name)
    if (referent === undefined) {
      referent = this.make(name)
      this.byName.set(name, referent)
      this.probes.set(name, new host.WeakRef(referent))
    }
    return referent
  }

  take(names: ReadonlyArray<string>): Array<A> {
    return names.map((name) => {
      const referent = this.get(name)
      this.byName.delete(name)
      return referent
    })
  }

  areDead(names: ReadonlyArray<string>): boolean {
    return names.every((name) => this.probes.get(name)?.deref() === undefined)
  }
}

const access = <A extends WeakKey>(referents: Referents<A>): Omit<World<A>, "die"> => ({
  with: (name, f) => Effect.suspend(() => f(referents.get(name))),
  sync: (name, f) => Effect.sync(() => f(referents.get(name))),
  withAll: (names, f) => Effect.suspend(() => f(names.map((name) => referents.get(name))))
})

const testWorld = <A extends WeakKey>(make: (name: string) => A): Effect.Effect<World<A>, never, TestHeap.TestHeap> =>
  Effect.map(TestHeap.TestHeap, (testHeap) => {
    const referents = new Referents(make)
    return {
      ...access(referents),
      die: (...names) => Effect.andThen(testHeap.collect(...referents.take(names)), testHeap.finalize)
    }
  })

const realWorld = <A extends WeakKey>(make: (name: string) => A): World<A> => {
  const referents = new Referents(make)
  const drop = (names: ReadonlyArray<string>): void => void referents.take(names)
  return {
    ...access(referents),
    die: (...names) =>
      Effect.gen(function*() {
        drop(names)
        const died = yield* collectUntil(() => referents.areDead(names))
        if (!died) return yield* Effect.die(new Error(`Not collected: ${names.join(", ")}`))
        yield* collectThoroughly
      })
  }
}

/** Tests a script on both heaps. `make` creates the referents, and must not hold them. */
export const onBothHeapsWith =
  <A extends WeakKey>(make: (name: string) => A) =>
  <E>(name: string, script: (world: World<A>) => Effect.Effect<void, E, Scope.Scope>): void => {
    it.effect(`${name} (test heap)`, () =>
      Effect.flatMap(testWorld(make), script).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
    it.effect(`${name} (real heap)`, () => Effect.suspend(() => script(realWorld(make))).pipe(Effect.scoped))
  }

export const onBothHeaps = onBothHeapsWith((name): Named => ({ name }))

/** Runs a script on each heap, and compares the results. */
export const observeOnBothHeapsWith =
  <A extends WeakKey>(make: (name: string) => A) =>
  <B, E>(name: string, script: (world: World<A>) => Effect.Effect<B, E, Scope.Scope>): void => {
    it.effect(name, () =>
      Effect.gen(function*() {
        const onTestHeap = yield* Effect.flatMap(testWorld(make), script).pipe(
          Effect.scoped,
          Effect.provide(TestHeap.layer)
        )
        const onRealHeap = yield* Effect.suspend(() => script(realWorld(make))).pipe(Effect.scoped)
        assert.deepStrictEqual(onRealHeap, onTestHeap)
      }))
  }
