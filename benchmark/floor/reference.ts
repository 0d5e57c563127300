/** Weak references that all callers share, and that nobody but the callers holds. */
import * as Option from "effect/Option"

class Ref<A extends WeakKey> extends WeakRef<A> {}

const shared = new WeakMap<WeakKey, WeakRef<Ref<WeakKey>>>()

/** A look-up tells whether there is one. If not: the reference, one to it, so that it is not held, and an ephemeron. */
export const make = <A extends WeakKey>(target: A): Ref<A> => {
  const found = shared.get(target)?.deref()
  if (found !== undefined) return found as Ref<A>
  const made = new Ref(target)
  shared.set(target, new WeakRef(made))
  return made
}

/** One dereference, and an Option for the two answers. */
export const deref = <A extends WeakKey>(self: Ref<A>): Option.Option<A> => {
  const target = self.deref()
  return target === undefined ? Option.none() : Option.some(target)
}
