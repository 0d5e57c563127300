/**
 * The same script on both heaps. A world owns the referents of a script, so that
 * no local of the script does: on the test heap a referent dies because the world
 * says so, on the real heap because the world alone held it.
 */
import { it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { host } from "../../src/Heap.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { collectThoroughly, collectUntil } from "./realHeap.ts"

export interface Named {
  readonly name: string
}

export interface World {
  /** Gives the referent of that name to `f`, making it the first time. */
  readonly with: <A, E, R>(name: string, f: (referent: Named) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** The referents are collected and what waited for it has run. */
  readonly die: (...names: ReadonlyArray<string>) => Effect.Effect<void>
}

class Referents {
  private readonly byName = new Map<string, Named>()
  private readonly probes = new Map<string, WeakRef<Named>>()

  get(name: string): Named {
    let referent = this.byName.get(name)
    if (referent === undefined) {
      referent = { name }
      this.byName.set(name, referent)
      this.probes.set(name, new host.WeakRef(referent))
    }
    return referent
  }

  take(names: ReadonlyArray<string>): Array<Named> {
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

const testWorld = (): Effect.Effect<World, never, TestHeap.TestHeap> =>
  Effect.map(TestHeap.TestHeap, (testHeap) => {
    const referents = new Referents()
    return {
      with: (name, f) => Effect.suspend(() => f(referents.get(name))),
      die: (...names) => Effect.andThen(testHeap.collect(referents.take(names)), testHeap.finalize)
    }
  })

const realWorld = (): World => {
  const referents = new Referents()
  const drop = (names: ReadonlyArray<string>): void => void referents.take(names)
  return {
    with: (name, f) => Effect.suspend(() => f(referents.get(name))),
    die: (...names) =>
      Effect.gen(function*() {
        drop(names)
        const died = yield* collectUntil(() => referents.areDead(names))
        if (!died) return yield* Effect.die(new Error(`Not collected: ${names.join(", ")}`))
        yield* collectThoroughly
      })
  }
}

export const onBothHeaps = <E>(
  name: string,
  script: (world: World) => Effect.Effect<void, E, Scope.Scope>
): void => {
  it.effect(`${name} (test heap)`, () =>
    Effect.flatMap(testWorld(), script).pipe(Effect.scoped, Effect.provide(TestHeap.layer)))
  it.effect(`${name} (real heap)`, () => Effect.suspend(() => script(realWorld())).pipe(Effect.scoped))
}
