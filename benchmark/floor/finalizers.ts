/** Runs a callback once for each target: when it is collected, by hand, or at `close`. */
import type { Finalizers } from "../contenders.ts"

interface Finalizer {
  effect: (() => void) | undefined
}

interface Owner {
  readonly live: Set<Finalizer>
  readonly registry: FinalizationRegistry<Finalizer>
}

/** The first caller takes the callback from the record, and runs it. */
const run = (self: Finalizer, live: Set<Finalizer>): void => {
  const { effect } = self
  self.effect = undefined
  live.delete(self)
  effect?.()
}

export const finalizers: Finalizers<Owner, Finalizer> = {
  open: () => {
    const live = new Set<Finalizer>()
    return { live, registry: new FinalizationRegistry((finalizer) => run(finalizer, live)) }
  },
  /** Uses a record that runs once, an entry among those that `close` runs, and a registration. */
  make: ({ live, registry }, targets, release, handles, from, to) => {
    for (let i = from; i < to; i++) {
      const finalizer = { effect: release }
      handles[i] = finalizer
      live.add(finalizer)
      registry.register(targets[i]!, finalizer)
    }
  },
  run: ({ live }, handles, from, to) => {
    for (let i = from; i < to; i++) run(handles[i]!, live)
  },
  close: ({ live }) => {
    for (const finalizer of live) run(finalizer, live)
  }
}
