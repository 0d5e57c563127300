import type { Heap } from "../../src/index.ts"
import { TestHeap } from "../../src/testing/index.ts"

/** Creates a test heap that counts the registrations of each registry, in the order in which the registries were made. */
export const countingHeap = () => {
  const { heap, ...control } = TestHeap.makeUnsafe()
  const made: Array<number> = []
  const counting: Heap.Heap = {
    ...heap,
    FinalizationRegistry: class<T> extends heap.FinalizationRegistry<T> {
      private readonly index = made.push(0) - 1

      override register(target: WeakKey, held: T, token?: WeakKey): void {
        made[this.index]!++
        super.register(target, held, token)
      }
    }
  }
  return { ...control, heap: counting, made }
}
