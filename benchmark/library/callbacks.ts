import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as WeakRef from "../../src/WeakRef.ts"
import type { Finalizers } from "../contenders.ts"
import { runProgram } from "../program.ts"
import { runInOneTurn } from "../runInOneTurn.ts"

runProgram()

/** Is a function that does not have the targets in a variable, because a closure would keep them alive. */
const callbackOf = (release: () => void) => {
  const effect = Effect.sync(release)
  return () => effect
}

export const callbacks: Finalizers<Scope.Closeable, unknown> = {
  open: () => Scope.makeUnsafe(),
  make: (scope, targets, release, handles, from, to) => {
    const callback = callbackOf(release)
    runInOneTurn(Effect.provideService(
      Effect.gen(function*() {
        for (let i = from; i < to; i++) {
          const ref = WeakRef.makeUnsafe(targets[i]!)
          handles[i] = ref
          yield* WeakRef.onCollect(ref, callback)
        }
      }),
      Scope.Scope,
      scope
    ))
  },
  close: (scope) => runInOneTurn(Scope.close(scope, Exit.void))
}
