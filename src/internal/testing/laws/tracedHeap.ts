/** The `TestHeap` of a law. Each collection and clean-up adds a step to the trace. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fc from "fast-check"
import { Heap } from "../../../Heap.ts"
import * as TestHeap from "../../../testing/TestHeap.ts"
import type { Trace } from "./law.ts"

export interface Collector {
  readonly heap: Heap
  readonly collect: (trace: Trace, targets: ReadonlyArray<WeakKey>) => void
  /** Waits for the promises that clean-ups return. A clean-up that throws breaks the law. */
  readonly finalize: (trace: Trace) => Promise<void>
}

/** Creates a new heap. The functions of `TestHeap` run with the context that its layer provides. */
export const makeCollector = (seed: number): Collector => {
  const context = Effect.runSync(Effect.scoped(Layer.build(TestHeap.layerWith({ seed }))))
  return {
    heap: Context.get(context, Heap),
    collect: (trace, targets) =>
      trace.step(
        `collect(${targets.map((target) => trace.show(target)).join(", ")})`,
        () => Effect.runSyncWith(context)(TestHeap.collect(...targets))
      ),
    finalize: async (trace) => {
      trace.note("finalize()")
      try {
        await Effect.runPromiseWith(context)(TestHeap.finalize)
      } catch (error) {
        throw trace.violation(`threw ${trace.show(error)}`, error)
      }
    }
  }
}

/** Generates the seed that orders the clean-ups. It is a part of the input, so that a failure can be replayed. */
export const seeds: fc.Arbitrary<number> = fc.nat({ max: 999 })
