import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Finalizer from "../../src/Finalizer.ts"
import type { Finalizers } from "../contenders.ts"
import { runProgram } from "../program.ts"
import { runInOneTurn } from "../runInOneTurn.ts"

runProgram()

export const finalizers: Finalizers<Scope.Closeable, Finalizer.Finalizer<object>> = {
  open: () => Scope.makeUnsafe(),
  make: (scope, targets, release, handles, from, to) => {
    const effect = Effect.sync(release)
    runInOneTurn(Effect.provideService(
      Effect.gen(function*() {
        for (let i = from; i < to; i++) handles[i] = yield* Finalizer.make(targets[i]!, effect)
      }),
      Scope.Scope,
      scope
    ))
  },
  run: (_, handles, from, to) => {
    runInOneTurn(Effect.gen(function*() {
      for (let i = from; i < to; i++) yield* Finalizer.run(handles[i]!)
    }))
  },
  close: (scope) => runInOneTurn(Scope.close(scope, Exit.void))
}
