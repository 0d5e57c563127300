/**
 * The engine's own clean-up job with a callback that only counts. The clean-up of tables and of callbacks is compared
 * with it. Nothing can be looked up in it.
 */
import type { Collection, Finalizers } from "../contenders.ts"

class Registrations {
  waiting = 0
  readonly registry = new FinalizationRegistry<undefined>(() => {
    this.waiting--
  })
  register(target: WeakKey): void {
    this.waiting++
    this.registry.register(target, undefined)
  }
}

const collection = (weak: "keys" | "values"): Collection<Registrations> => ({
  make: () => new Registrations(),
  get: () => undefined,
  set: (self, key, value) => self.register(weak === "keys" ? key : value),
  remove: () => undefined,
  size: ({ waiting }) => waiting
})

export const keys = collection("keys")

export const values = collection("values")

export const callbacks: Finalizers<FinalizationRegistry<() => void>, undefined> = {
  open: () => new FinalizationRegistry((release) => release()),
  make: (registry, targets, release, _, from, to) => {
    for (let i = from; i < to; i++) registry.register(targets[i]!, release)
  },
  close: () => {}
}
