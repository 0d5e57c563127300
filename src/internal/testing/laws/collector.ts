/** The heap that a law collects by hand. */
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

/** Uses the module's functions, because `TestHeap.layer` provides both the heap and its collector. */
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

/** The order of clean-ups, drawn with the rest of the input so that a failure can be replayed. */
export const seeds: fc.Arbitrary<number> = fc.nat({ max: 999 })
