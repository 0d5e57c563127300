/** Refers to each target, and runs a callback when it is collected, until `close`. */
import type { Finalizers } from "../contenders.ts"

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
  /** Uses a reference, a record with the callback, and a registration. `close` only drops the registry. */
  make: ({ registry }, targets, release, handles, from, to) => {
    for (let i = from; i < to; i++) {
      const ref = new WeakRef(targets[i]!)
      handles[i] = ref
      registry.register(targets[i]!, { ref, f: release })
    }
  },
  close: () => {}
}
