/**
 * The finalizers that a careful Effect user writes by hand: a registry that runs effects in the background, and one
 * finalizer in the Scope that runs the remaining effects.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Finalizers } from "../contenders.ts"
import { runProgram } from "../program.ts"
import { runInOneTurn } from "../runInOneTurn.ts"

runProgram()

class Cleanups {
  readonly live = new Set<Cleanup>()
  readonly registry = new FinalizationRegistry<Cleanup>((cleanup) => {
    Effect.runForkWith(cleanup.context)(Effect.ignoreCause(this.run(cleanup), { log: "Unhandled" }))
  })
  readonly all = Effect.suspend(() => Effect.forEach(this.live, (cleanup) => this.run(cleanup), { discard: true }))

  add(target: object, effect: Effect.Effect<void>): Effect.Effect<Cleanup> {
    return Effect.contextWith((context) => {
      const cleanup = { effect, context }
      this.live.add(cleanup)
      this.registry.register(target, cleanup, cleanup)
      return Effect.succeed(cleanup)
    })
  }

  run(cleanup: Cleanup): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.registry.unregister(cleanup)
      return this.live.delete(cleanup) ? Effect.uninterruptible(cleanup.effect) : Effect.void
    })
  }
}

interface Cleanup {
  readonly effect: Effect.Effect<void>
  readonly context: Context.Context<never>
}

interface Owner {
  readonly scope: Scope.Closeable
  readonly cleanups: Cleanups
}

export const finalizers: Finalizers<Owner, Cleanup> = {
  open: () => {
    const scope = Scope.makeUnsafe()
    const cleanups = new Cleanups()
    Effect.runSync(Scope.addFinalizer(scope, cleanups.all))
    return { scope, cleanups }
  },
  make: ({ cleanups }, targets, release, handles, from, to) => {
    const effect = Effect.sync(release)
    runInOneTurn(Effect.gen(function*() {
      for (let i = from; i < to; i++) handles[i] = yield* cleanups.add(targets[i]!, effect)
    }))
  },
  run: ({ cleanups }, handles, from, to) => {
    runInOneTurn(Effect.gen(function*() {
      for (let i = from; i < to; i++) yield* cleanups.run(handles[i]!)
    }))
  },
  close: ({ scope }) => runInOneTurn(Scope.close(scope, Exit.void))
}
