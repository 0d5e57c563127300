/** The map that a careful Effect user writes by hand: a `MutableHashMap` of references, and a registry with tokens. */
import * as MutableHashMap from "effect/MutableHashMap"
import * as Option from "effect/Option"
import type { Collection } from "../contenders.ts"
import { runProgram } from "../program.ts"

runProgram()

interface Entry<K> {
  readonly key: K
  readonly ref: WeakRef<object>
}

class Cache<K> {
  readonly refs = MutableHashMap.empty<K, WeakRef<object>>()
  readonly registry = new FinalizationRegistry<Entry<K>>(({ key, ref }) => {
    const current = MutableHashMap.get(this.refs, key)
    if (Option.isSome(current) && current.value === ref) MutableHashMap.remove(this.refs, key)
  })

  get(key: K): Option.Option<object> {
    return Option.flatMap(MutableHashMap.get(this.refs, key), (ref) => Option.fromUndefinedOr(ref.deref()))
  }

  set(key: K, value: object): void {
    this.forget(key)
    const ref = new WeakRef(value)
    MutableHashMap.set(this.refs, key, ref)
    this.registry.register(value, { key, ref }, ref)
  }

  remove(key: K): void {
    this.forget(key)
    MutableHashMap.remove(this.refs, key)
  }

  forget(key: K): void {
    const current = MutableHashMap.get(this.refs, key)
    if (Option.isSome(current)) this.registry.unregister(current.value)
  }

  *[Symbol.iterator](): Generator<[K, object]> {
    for (const [key, ref] of this.refs) {
      const value = ref.deref()
      if (value !== undefined) yield [key, value]
    }
  }
}

export const valueMap: Collection<Cache<unknown>, unknown, object> = {
  make: () => new Cache(),
  get: (self, key) => self.get(key),
  set: (self, key, value) => self.set(key, value),
  remove: (self, key) => self.remove(key),
  iterate: (self) => self[Symbol.iterator](),
  size: (self) => MutableHashMap.size(self.refs)
}
