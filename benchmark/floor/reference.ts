/** Weak references that all callers share, and that only the callers hold. */
import * as Option from "effect/Option"

class Ref<A extends WeakKey> extends WeakRef<A> {}

const shared = new WeakMap<WeakKey, WeakRef<Ref<WeakKey>>>()

/** Uses a look-up. For a new target: a reference, a weak reference to this reference, and an ephemeron. */
export const make = <A extends WeakKey>(target: A): Ref<A> => {
  const found = shared.get(target)?.deref()
  if (found !== undefined) return found as Ref<A>
  const made = new Ref(target)
  shared.set(target, new WeakRef(made))
  return made
}

/** Uses one dereference and an Option. */
export const deref = <A extends WeakKey>(self: Ref<A>): Option.Option<A> => {
  const target = self.deref()
  return target === undefined ? Option.none() : Option.some(target)
}
