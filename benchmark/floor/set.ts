/** Weak elements that compare by identity. */
import { areStale } from "./registrations.ts"

interface WeakElements<A extends WeakKey> {
  readonly refs: WeakMap<A, WeakRef<A>>
  readonly order: Set<WeakRef<A>>
  registry: FinalizationRegistry<WeakRef<A>>
  registered: number
}

export const make = <A extends WeakKey>(): WeakElements<A> => {
  const order = new Set<WeakRef<A>>()
  return { refs: new WeakMap(), order, registry: makeRegistry(order), registered: 0 }
}

const makeRegistry = <A extends WeakKey>(order: Set<WeakRef<A>>): FinalizationRegistry<WeakRef<A>> =>
  new FinalizationRegistry((ref) => {
    order.delete(ref)
  })

/** Uses one ephemeron look-up. */
export const get = <A extends WeakKey>(self: WeakElements<A>, element: A): boolean => self.refs.has(element)

/** Uses a look-up. For a new element: an ephemeron, a reference, an entry in the order and a registration. */
export const set = <A extends WeakKey>(self: WeakElements<A>, element: A): void => {
  if (self.refs.has(element)) return
  const ref = new WeakRef(element)
  self.refs.set(element, ref)
  self.order.add(ref)
  self.registry.register(element, ref)
  self.registered++
}

/** Uses a look-up to find the entry in the order. Removes it and the ephemeron, and later the registration. */
export const remove = <A extends WeakKey>(self: WeakElements<A>, element: A): boolean => {
  const ref = self.refs.get(element)
  if (ref === undefined) return false
  self.refs.delete(element)
  self.order.delete(ref)
  if (areStale(self.registered, self.order.size)) renew(self)
  return true
}

const renew = <A extends WeakKey>(self: WeakElements<A>): void => {
  self.registry = makeRegistry(self.order)
  self.registered = 0
  for (const ref of self.order) {
    const element = ref.deref()
    if (element === undefined) {
      self.order.delete(ref)
    } else {
      self.registry.register(element, ref)
      self.registered++
    }
  }
}

/** Uses a step of the native iterator and a dereference. */
export const iterate = <A extends WeakKey>(self: WeakElements<A>): Iterator<A, undefined> => {
  const order = self.order.values()
  return {
    next: () => {
      for (;;) {
        const step = order.next()
        if (step.done === true) return { done: true, value: undefined }
        const element = step.value.deref()
        if (element !== undefined) return { done: false, value: element }
      }
    }
  }
}

/** Uses one dereference for each entry, in one loop. */
export const loop = <A extends WeakKey>(self: WeakElements<A>, kept: { value: unknown }): void => {
  for (const ref of self.order) {
    const element = ref.deref()
    if (element !== undefined) kept.value = element
  }
}

/** Uses one dereference and the call for each entry. */
export const forEach = <A extends WeakKey>(self: WeakElements<A>, f: (element: A) => void): void => {
  for (const ref of self.order) {
    const element = ref.deref()
    if (element !== undefined) f(element)
  }
}

export const size = (self: WeakElements<never>): number => self.order.size
