/**
 * The base class of the tables that the three collections use. `valueTable.ts` has the
 * table with weak values. `keyTable.ts` has the tables with weak keys and with weak
 * elements.
 *
 * The *weak side* of an entry is the side that the table does not keep alive. In a
 * value table this is the value, and in a key table the key or the element. The other
 * side is the *strong side*. A *slot* is the object that represents an entry: a weak
 * reference to the weak side, with a property for the strong side. `order` is a native
 * `Map` of the slots in insertion order, because its iterators tolerate insertion and
 * deletion during iteration. The *place* of a slot is its key in `order`.
 *
 * Four words are used throughout:
 *
 * - *find*: look up the slot of a key. With structural comparison this runs user code
 *   (`Equal`, `Hash`, getters), which may change the table.
 * - *insert*: put a new slot into the table.
 * - *remove*: take a slot out of the table because the user asks for it.
 * - *reclaim*: take a slot out of the table because its weak side is dead.
 *
 * No user code runs between a `find` and the change that uses its result.
 */
import * as Option from "effect/Option"
import type { Heap } from "../Heap.ts"
import { equals } from "./equality.ts"
import { printed } from "./print.ts"
import { inSlices, makeRegistry } from "./registry.ts"

export type Compare = "structural" | "reference"

export interface Slot<A extends WeakKey> extends globalThis.WeakRef<A> {
  /**
   * The strong side. It is `undefined` after the slot has been removed, reclaimed or
   * replaced, because a stale registration holds the slot.
   */
  strong: unknown
  /** The hash of the key, or `undefined` if the key is compared by identity. */
  readonly hash: number | undefined
}

interface SlotClass {
  new<A extends WeakKey>(referent: A, strong: unknown, hash: number | undefined): Slot<A>
}

const slotClasses = /*#__PURE__*/ new WeakMap<Heap, SlotClass>()

/**
 * Returns the slot class of a heap. It extends `WeakRef`, so that the strong side and
 * the hash need no second object.
 */
const slotClass = (heap: Heap): SlotClass => {
  let Slot = slotClasses.get(heap)
  if (Slot === undefined) {
    Slot = class<A extends WeakKey> extends heap.WeakRef<A> {
      declare strong: unknown
      declare readonly hash: number | undefined
      constructor(referent: A, strong: unknown, hash: number | undefined) {
        super(referent)
        this.strong = strong
        this.hash = hash
      }
    }
    slotClasses.set(heap, Slot)
  }
  return Slot
}

/** Returned by `valueOf` and `entryOf` for a slot whose weak side is dead. No key or value can equal it. */
export const Dead: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/Dead")
export type Dead = typeof Dead

/** Returned by `placeOf` for a slot that has left the table. */
export const Absent: unique symbol = /*#__PURE__*/ Symbol("effect-weakref/Absent")

/** A look-up whose user code changes the table starts again. It throws after this many attempts. */
const maxAttempts = 100

/**
 * How many slots are reclaimed in the turn in which the engine calls the clean-up. With
 * this number, the turn takes little longer than with an empty callback.
 */
const reclaimedAtOnce = 2048

/** How many slots are reclaimed in each later turn. Keeps these turns under 10 ms. */
const reclaimedPerTurn = 8192

/** Where the last `popEntry` or `isEmpty` stopped: an iterator of `order`, and the slot that it yielded last. */
interface Cursor<A extends WeakKey> {
  readonly slots: Iterator<Slot<A>>
  slot: Slot<A> | undefined
}

export abstract class WeakTable<K, V, A extends WeakKey> {
  declare readonly heap: Heap
  declare readonly compare: Compare
  declare protected readonly structural: boolean
  declare protected readonly Slot: SlotClass
  declare protected readonly order: Map<unknown, Slot<A>>
  /** Maps a hash to the slots with this hash. Has no slot whose place in `order` is its hash. */
  declare protected readonly buckets: Map<number, Slot<A> | Array<Slot<A>>>
  /**
   * Increases when a slot enters or leaves the table. A look-up compares the number
   * before and after user code, to detect that the user code has changed the table.
   */
  declare protected changes: number
  declare private registry: FinalizationRegistry<Slot<A>>
  /** Live and stale registrations in `registry`. */
  declare private registered: number
  /**
   * Held weakly, because a paused native iterator keeps every old backing store of
   * `order` alive.
   */
  declare private cursor: globalThis.WeakRef<Cursor<A>> | undefined

  constructor(heap: Heap, compare: Compare) {
    if (compare !== "structural" && compare !== "reference") {
      throw new TypeError(`The option compare must be "structural" or "reference", but it is ${printed(compare)}`)
    }
    this.heap = heap
    this.compare = compare
    this.structural = compare === "structural"
    this.Slot = slotClass(heap)
    this.order = new Map()
    this.buckets = new Map()
    this.changes = 0
    this.registry = this.newRegistry()
    this.cursor = undefined
  }

  abstract get(key: K): Option.Option<V>
  abstract has(key: K): boolean
  abstract set(key: K, value: V): void
  abstract remove(key: K): boolean
  abstract forEach(f: (value: V, key: K) => void): void
  abstract keys(): MapIterator<K>
  abstract values(): MapIterator<V>
  abstract entries(): MapIterator<[K, V]>

  abstract valueOf(slot: Slot<A>): V | Dead
  abstract entryOf(slot: Slot<A>): [K, V] | Dead

  /** Finds the slot of this key by identity. Runs no user code. */
  protected abstract findExact(key: K): Slot<A> | undefined
  /** Checks whether the slot is in the table and has an equal key. Runs user code. */
  protected abstract isEqual(slot: Slot<A>, key: K): boolean
  /** Returns the place of a slot in `order`, or `Absent` if the slot has left the table. */
  protected abstract placeOf(slot: Slot<A>): unknown
  /** Returns the hash of a key, or `undefined` if the key is only equal to itself. Runs user code. */
  protected abstract hashOf(key: K): number | undefined
  /** Throws if `set` rejects this key, whatever the value. Runs no user code. */
  protected abstract checkKey(key: K): void
  /** Throws if `set` rejects this key or value. Runs no user code. */
  protected abstract check(key: K, value: V): void
  /** Sets the value of this key. No other key of the table may be equal to it. Runs no user code. */
  protected abstract setExact(key: K, value: V, hash: number | undefined): void
  /** Returns the key of a slot that `find` has just returned. */
  protected abstract foundKey(slot: Slot<A>): K

  pop(key: K): Option.Option<V> {
    const slot = this.find(key)
    if (slot === undefined) return Option.none()
    const value = this.valueOf(slot)
    this.removeFound(slot)
    return value === Dead ? Option.none() : Option.some(value)
  }

  popEntry(): Option.Option<[K, V]> {
    const slot = this.oldest(true)
    if (slot === undefined) return Option.none()
    const entry = this.entryOf(slot)
    this.removeFound(slot)
    // `oldest` returns a live slot, and no user code has run since.
    return Option.some(entry as [K, V])
  }

  /** If `make` itself sets a value of this key, the first value stays, and every caller receives this value. */
  getOrSet(key: K, make: () => V): V {
    const value = this.get(key)
    if (Option.isSome(value)) return value.value
    this.checkKey(key)
    const { changes } = this
    const made = make()
    const first = changes === this.changes ? Option.none() : this.get(key)
    if (Option.isSome(first)) return first.value
    this.set(key, made)
    return made
  }

  modify(key: K, f: (value: V) => V): void {
    const value = this.get(key)
    if (Option.isSome(value)) this.set(key, f(value.value))
  }

  modifyAt(key: K, f: (value: Option.Option<V>) => Option.Option<V>): void {
    const value = f(this.get(key))
    if (Option.isSome(value)) this.set(key, value.value)
    else this.remove(key)
  }

  /** Sets all entries, or throws and sets none. */
  setAll(entries: Iterable<readonly [K, V]>): void {
    const [keys, values] = this.readEntries(entries)
    this.setEach(keys, values)
  }

  /**
   * Sets all entries of a new table. If this throws, the caller must drop the table,
   * which may have some of the entries.
   */
  fill(entries: Iterable<readonly [K, V]>): void {
    const [keys, values] = this.readEntries(entries)
    this.checkEach(keys, values)
    // Hashes all keys first, so that no registration is left behind if a hash throws.
    keys.forEach((key) => this.hashOf(key))
    keys.forEach((key, i) => this.set(key, values[i]!))
  }

  /** Reads each pair at once, because an iterable may reuse one pair for all entries. */
  private readEntries(entries: Iterable<readonly [K, V]>): [Array<K>, Array<V>] {
    const keys: Array<K> = []
    const values: Array<V> = []
    for (const [key, value] of entries) {
      keys.push(key)
      values.push(value)
    }
    return [keys, values]
  }

  private checkEach(keys: ReadonlyArray<K>, values: ReadonlyArray<V>): void {
    keys.forEach((key, i) => this.check(key, values[i]!))
  }

  /**
   * Sets all entries, or throws and sets none. Runs all user code before the first
   * change, because user code may throw.
   */
  protected setEach(keys: ReadonlyArray<K>, values: ReadonlyArray<V>): void {
    this.checkEach(keys, values)
    if (!this.structural) return keys.forEach((key, i) => this.set(key, values[i]!))
    const resolved = this.resolve(keys)
    resolved.keys.forEach((key, i) => this.setExact(key, values[i]!, resolved.hashes[i]))
  }

  /**
   * Finds the key that the table will use for each key of the list. This is an equal
   * key of the table, or else the first equal key of the list. Runs all user code that
   * setting these keys needs. Sets nothing, but reclaims dead slots.
   */
  protected resolve(keys: ReadonlyArray<K>): Resolved<K, A> {
    return this.untilUnchanged(() => {
      const resolved: Resolved<K, A> = { keys: [], hashes: [], slots: [] }
      const newByHash = new Map<number | undefined, Array<K>>()
      for (const key of keys) {
        let slot = this.findExact(key)
        let hash: number | undefined
        if (slot === undefined) {
          hash = this.hashOf(key)
          slot = this.findEqual(key, hash)
        }
        resolved.slots.push(slot)
        if (slot !== undefined) {
          resolved.keys.push(this.foundKey(slot))
          resolved.hashes.push(slot.hash)
          continue
        }
        resolved.hashes.push(hash)
        const newKeys = newByHash.get(hash)
        const equal = newKeys?.find((newKey) => equals(newKey, key))
        resolved.keys.push(equal ?? key)
        if (equal !== undefined || hash === undefined) continue
        if (newKeys === undefined) newByHash.set(hash, [key])
        else newKeys.push(key)
      }
      // A reclaimed slot makes `untilUnchanged` repeat. On a test heap, user code can collect a weak side in between.
      for (const slot of resolved.slots) if (slot !== undefined && slot.deref() === undefined) this.reclaim(slot)
      return resolved
    })
  }

  /** Calls `f` until its user code does not change the table, and returns the last result. */
  protected untilUnchanged<B>(f: () => B): B {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { changes } = this
      const result = f()
      if (changes === this.changes) return result
    }
    throw tooManyChanges()
  }

  clear(): void {
    this.changes++
    this.order.clear()
    this.buckets.clear()
    this.registry = this.newRegistry()
  }

  get size(): number {
    return this.order.size
  }

  isEmpty(): boolean {
    return this.oldest(false) === undefined
  }

  count(): number {
    let count = 0
    for (const slot of this.order.values()) if (slot.deref() !== undefined) count++
    return count
  }

  /**
   * Looks up the entries of the other table with this table's comparison. Several keys
   * of the other table may be equal to one key of this table.
   */
  equals(that: WeakTable<K, V, A>): boolean {
    const found = new Set<Slot<A>>()
    for (const [key, value] of that.entries()) {
      const slot = this.find(key)
      if (slot === undefined) return false
      const own = this.valueOf(slot)
      if (this.structural ? !equals(own, value) : own !== value && !Object.is(own, value)) return false
      found.add(slot)
    }
    return found.size === this.count()
  }

  /**
   * Returns one instance of every class that this kind of table uses. If the last
   * object of a hidden class dies, V8 discards the optimized code that depends on the
   * hidden class. Then every loop is slow again after each full collection. `keepHot`
   * keeps these instances alive to prevent that.
   */
  hotInstances(): ReadonlyArray<unknown> {
    return [
      new this.Slot({}, undefined, undefined),
      this.keys(),
      this.values(),
      this.entries(),
      this.map(() => undefined),
      { slots: this.order.values(), slot: undefined } satisfies Cursor<A>
    ]
  }

  map<T>(f: (key: K, value: V) => T): MapIterator<T> {
    return new MappedIterator(this, this.order.values(), f)
  }

  /** Finds the slot of a key, even if the weak side of the slot is dead. */
  protected find(key: K): Slot<A> | undefined {
    return this.findExact(key) ?? (this.structural ? this.findEqual(key) : undefined)
  }

  /**
   * Finds the slot of an equal key. Begins with the key itself, because the user code
   * that hashed the key may have inserted it, and begins again if user code that
   * compares keys has changed the table.
   */
  protected findEqual(key: K, hash = this.hashOf(key)): Slot<A> | undefined {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const own = this.findExact(key)
      if (hash === undefined || own?.hash === hash) return own
      const { changes } = this
      const slot = this.findAt(hash, key)
      if (slot === undefined && changes !== this.changes) continue
      return own === undefined || this.placeOf(own) === Absent ? slot : this.rehash(own, slot, key, hash)
    }
    throw tooManyChanges()
  }

  private findAt(hash: number, key: K): Slot<A> | undefined {
    const slots = this.slotsAt(hash)
    if (slots === undefined) return undefined
    // A copy, because `isEqual` runs user code that may change the bucket.
    if (Array.isArray(slots)) return slots.slice().find((slot) => this.isEqual(slot, key))
    return this.isEqual(slots, key) ? slots : undefined
  }

  /** Returns the slots with this hash. */
  protected slotsAt(hash: number): Slot<A> | Array<Slot<A>> | undefined {
    return this.buckets.get(hash)
  }

  /**
   * Moves an entry to the right hash. User code inserted the key while Effect was
   * hashing it. For this insertion, Effect returned the hash that it uses for cycles.
   * Therefore the slot `own` has a wrong hash. If `slot` is set, it has an equal key and
   * the right hash.
   */
  private rehash(own: Slot<A>, slot: Slot<A> | undefined, key: K, hash: number): Slot<A> | undefined {
    const value = this.valueOf(own)
    const target = slot === undefined ? key : this.foundKey(slot)
    this.removeFound(own)
    if (value !== Dead) this.setExact(target, value, hash)
    return this.findExact(target)
  }

  /** Finds the oldest live slot. Reclaims the dead slots before it only if `reclaims` is set. */
  private oldest(reclaims: boolean): Slot<A> | undefined {
    let cursor = this.cursor?.deref()
    let isNew = false
    for (;;) {
      // Creates an iterator only if the last iterator is gone, because a new iterator steps over
      // all entries that were removed at the front.
      if (cursor === undefined) {
        cursor = { slots: this.order.values(), slot: undefined }
        this.cursor = new this.heap.WeakRef(cursor)
        isNew = true
      }
      const { slot } = cursor
      if (slot !== undefined && this.placeOf(slot) !== Absent) {
        if (slot.deref() !== undefined) return slot
        if (reclaims) {
          this.reclaim(slot)
          this.renewIfStale()
        }
      }
      const step = cursor.slots.next()
      if (step.done !== true) cursor.slot = step.value
      else if (isNew || this.order.size === 0) return undefined
      // A finished iterator yields no slot that was inserted later. A new iterator does.
      else cursor = undefined
    }
  }

  protected insert(slot: Slot<A>, place: unknown, referent: A): void {
    this.changes++
    this.order.set(place, slot)
    if (slot.hash !== undefined && slot.hash !== place) {
      const bucket = this.buckets.get(slot.hash)
      if (bucket === undefined) this.buckets.set(slot.hash, slot)
      else if (Array.isArray(bucket)) bucket.push(slot)
      else this.buckets.set(slot.hash, [bucket, slot])
    }
    this.register(slot, referent)
  }

  /** Replaces a slot with another slot that has the same key, at the same place. */
  protected replace(slot: Slot<A>, by: Slot<A>, place: unknown, referent: A): void {
    const { hash } = slot
    this.changes++
    this.order.set(place, by)
    if (hash !== undefined) {
      const bucket = this.buckets.get(hash)
      if (Array.isArray(bucket)) bucket[bucket.indexOf(slot)] = by
      else this.buckets.set(hash, by)
    }
    const cursor = this.cursor?.deref()
    if (cursor?.slot === slot) cursor.slot = by
    slot.strong = undefined
    this.register(by, referent)
    this.renewIfStale()
  }

  /** Removes a slot that `find` or an iterator of `order` has returned. */
  protected removeFound(slot: Slot<A>): void {
    const place = this.placeOf(slot)
    if (place === Absent) return
    this.takeOut(slot, place, slot.deref())
    this.renewIfStale()
  }

  /** Reclaims a slot whose weak side is dead. Does nothing if the slot has left the table before its clean-up. */
  protected reclaim(slot: Slot<A>): void {
    const place = this.placeOf(slot)
    if (place !== Absent) this.takeOut(slot, place, undefined)
  }

  /**
   * Takes a slot out of the table, for `remove` and `reclaim`. The registration of the
   * slot stays in the registry as a stale registration, unless its clean-up has run.
   */
  protected takeOut(slot: Slot<A>, place: unknown, _referent: A | undefined): void {
    this.changes++
    slot.strong = undefined
    this.order.delete(place)
    const { hash } = slot
    if (hash === undefined || hash === place) return
    const bucket = this.buckets.get(hash)
    if (!Array.isArray(bucket)) {
      this.buckets.delete(hash)
    } else {
      bucket.splice(bucket.indexOf(slot), 1)
      if (bucket.length === 1) this.buckets.set(hash, bucket[0]!)
    }
  }

  /**
   * Replaces the registry if most of its registrations are stale. A registration
   * without a token is cheap, but cannot be cancelled. Therefore each removal or
   * replacement leaves a stale registration. This method bounds their number. Cost:
   * O(1), amortized.
   */
  protected renewIfStale(): void {
    if (this.registered <= 2 * this.order.size + 8) return
    this.registry = this.newRegistry()
    for (const slot of this.order.values()) {
      const referent = slot.deref()
      if (referent === undefined) this.reclaim(slot)
      else this.register(slot, referent)
    }
  }

  private register(slot: Slot<A>, referent: A): void {
    this.registry.register(referent, slot)
    this.registered++
  }

  private newRegistry(): FinalizationRegistry<Slot<A>> {
    this.registered = 0
    const registry: FinalizationRegistry<Slot<A>> = makeRegistry(
      this.heap,
      inSlices<Slot<A>>(
        reclaimedPerTurn,
        (slot) => {
          // A replaced registry may still run clean-ups, which must not count for the new registry.
          if (this.registry === registry) this.registered--
          this.reclaim(slot)
        },
        reclaimedAtOnce
      )
    )
    return registry
  }
}

/**
 * The result of `resolve`: for each key, at its index, the key to use, its hash, and
 * its slot if it is in the table.
 */
export interface Resolved<K, A extends WeakKey> {
  readonly keys: Array<K>
  readonly hashes: Array<number | undefined>
  readonly slots: Array<Slot<A> | undefined>
}

const tooManyChanges = () =>
  new Error(
    `Gave up a look-up after ${maxAttempts} attempts, because the Equal or Hash implementation of a key changed the collection each time`
  )

/**
 * Returns a class with the prototype of all native iterators. This prototype has
 * `map`, `filter` and the other helpers if the host has them, and makes
 * `instanceof Iterator` true. Older engines have no `globalThis.Iterator` to extend.
 */
const nativeIterator = (): typeof Iterator => {
  function NativeIterator() {}
  NativeIterator.prototype = Object.getPrototypeOf(Object.getPrototypeOf([].values()))
  // TypeScript does not know that a function is a constructor.
  return NativeIterator as unknown as typeof Iterator
}

const NativeIterator = /*#__PURE__*/ nativeIterator()

/**
 * The base class of the iterators, which yield live entries only. A paused iterator
 * holds no referent, unlike a suspended generator.
 *
 * Each subclass repeats the loop of `next`. A shared loop would call all loop bodies
 * through one call site, which V8 cannot inline.
 */
export abstract class SlotIterator<A extends WeakKey, T> extends NativeIterator<T, undefined> {
  declare protected readonly slots: Iterator<Slot<A>>

  constructor(slots: Iterator<Slot<A>>) {
    super()
    this.slots = slots
  }

  abstract override next(): IteratorResult<T, undefined>

  override [Symbol.iterator](): this {
    return this
  }
}

class MappedIterator<K, V, A extends WeakKey, T> extends SlotIterator<A, T> {
  declare private readonly table: WeakTable<K, V, A>
  declare private readonly f: (key: K, value: V) => T

  constructor(table: WeakTable<K, V, A>, slots: Iterator<Slot<A>>, f: (key: K, value: V) => T) {
    super(slots)
    this.table = table
    this.f = f
  }

  override next(): IteratorResult<T, undefined> {
    for (;;) {
      const step = this.slots.next()
      if (step.done === true) return { done: true, value: undefined }
      const entry = this.table.entryOf(step.value)
      if (entry !== Dead) return { done: false, value: this.f(entry[0], entry[1]) }
    }
  }
}
