/**
 * Weak elements that compare by `Equal.equals`. One native `Map` is both the index by hash and the insertion order. The
 * key of an entry in this map is its hash or, after a collision, the entry itself.
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import { areStale } from "./registrations.ts"

class Entry<A extends WeakKey> extends WeakRef<A> {
  readonly hash: number
  constructor(element: A, hash: number) {
    super(element)
    this.hash = hash
  }
}

interface WeakElements<A extends WeakKey> {
  readonly entries: WeakMap<A, Entry<A>>
  /** An empty slot at a hash stays as long as other entries have this hash. */
  readonly order: Map<number | Entry<A>, Entry<A> | undefined>
  /** The entries whose hash another entry has. */
  readonly collided: Map<number, Array<Entry<A>>>
  registry: FinalizationRegistry<Entry<A>>
  registered: number
}

export const make = <A extends WeakKey>(): WeakElements<A> => {
  const self: WeakElements<A> = {
    entries: new WeakMap(),
    order: new Map(),
    collided: new Map(),
    registry: undefined!,
    registered: 0
  }
  self.registry = makeRegistry(self)
  return self
}

const makeRegistry = <A extends WeakKey>(self: WeakElements<A>): FinalizationRegistry<Entry<A>> =>
  new FinalizationRegistry((entry) => drop(self, entry))

/** Uses an ephemeron look-up. For an equal object: another look-up, a hash, a dereference and a comparison. */
export const get = <A extends WeakKey>(self: WeakElements<A>, element: A): boolean =>
  self.entries.has(element) || lookup(self, element, Hash.hash(element)) !== undefined

const lookup = <A extends WeakKey>(self: WeakElements<A>, element: A, hash: number): Entry<A> | undefined => {
  const first = self.order.get(hash)
  if (first !== undefined && isAt(first, element)) return first
  return self.collided.size === 0 ? undefined : self.collided.get(hash)?.find((entry) => isAt(entry, element))
}

const isAt = <A extends WeakKey>(entry: Entry<A>, element: A): boolean => {
  const own = entry.deref()
  return own !== undefined && Equal.equals(own, element)
}

/** Uses two look-ups and a hash. For a new element: an ephemeron, a reference, an entry and a registration. */
export const set = <A extends WeakKey>(self: WeakElements<A>, element: A): void => {
  if (self.entries.has(element)) return
  const hash = Hash.hash(element)
  const first = self.order.get(hash)
  const isFree = first === undefined && (self.collided.size === 0 || !self.collided.has(hash))
  if (!isFree && lookup(self, element, hash) !== undefined) return
  const entry = new Entry(element, hash)
  self.entries.set(element, entry)
  if (isFree) self.order.set(hash, entry)
  else collide(self, entry)
  self.registry.register(element, entry)
  self.registered++
}

const collide = <A extends WeakKey>(self: WeakElements<A>, entry: Entry<A>): void => {
  const others = self.collided.get(entry.hash)
  if (others === undefined) self.collided.set(entry.hash, [entry])
  else others.push(entry)
  self.order.set(entry, entry)
}

/** Uses a look-up to find the entry. Removes the entry and the ephemeron, and later the registration. */
export const remove = <A extends WeakKey>(self: WeakElements<A>, element: A): boolean => {
  const entry = self.entries.get(element) ?? lookup(self, element, Hash.hash(element))
  if (entry === undefined) return false
  self.entries.delete(entry.deref()!)
  drop(self, entry)
  if (areStale(self.registered, self.order.size)) renew(self)
  return true
}

const drop = <A extends WeakKey>(self: WeakElements<A>, entry: Entry<A>): void => {
  const others = self.collided.size === 0 ? undefined : self.collided.get(entry.hash)
  if (self.order.get(entry.hash) === entry) {
    if (others === undefined) self.order.delete(entry.hash)
    else self.order.set(entry.hash, undefined)
  } else if (others !== undefined && self.order.delete(entry)) {
    others.splice(others.indexOf(entry), 1)
    if (others.length > 0) return
    self.collided.delete(entry.hash)
    if (self.order.get(entry.hash) === undefined) self.order.delete(entry.hash)
  }
}

const renew = <A extends WeakKey>(self: WeakElements<A>): void => {
  self.registry = makeRegistry(self)
  self.registered = 0
  for (const entry of self.order.values()) {
    if (entry === undefined) continue
    const element = entry.deref()
    if (element === undefined) {
      drop(self, entry)
    } else {
      self.registry.register(element, entry)
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
        const element = step.value?.deref()
        if (element !== undefined) return { done: false, value: element }
      }
    }
  }
}

export const size = (self: WeakElements<never>): number => self.order.size
