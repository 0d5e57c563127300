/** A reference to each target, and something to do when that is collected, for as long as all are open. */
import type { Finalizers } from "../measure/finalizers.ts"

interface Owner {
  readonly live: Set<() => void>
  readonly registry: FinalizationRegistry<Callback>
}

interface Callback {
  readonly ref: WeakRef<object>
  readonly f: () => void
}

export const callbacks: Finalizers<Owner, WeakRef<object>> = {
  open: () => {
    const live = new Set<() => void>()
    return { live, registry: new FinalizationRegistry(({ f }) => f()) }
  },
  /** A reference, the record that the callback is found in, and a registration. The end only has to let the registry go. */
  make: ({ registry }, targets, release, handles, from, to) => {
    for (let i = from; i < to; i++) {
      const ref = new WeakRef(targets[i]!)
      handles[i] = ref
      registry.register(targets[i]!, { ref, f: release })
    }
  },
  close: () => {}
}
