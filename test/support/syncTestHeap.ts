import { Effect } from "effect"
import { TestHeap } from "../../src/testing/index.ts"

/** A test heap for tests without effects. */
export const syncTestHeap = () => {
  const { collect, finalize, heap, pending } = TestHeap.makeUnsafe()
  return {
    heap,
    collect: (...targets: ReadonlyArray<WeakKey>): void => Effect.runSync(collect(targets)),
    finalize: (): void => Effect.runSync(finalize),
    pending: (): number => Effect.runSync(pending)
  }
}
