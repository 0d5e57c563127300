/**
 * `WeakRef`, `WeakMap` and `FinalizationRegistry` as ECMAScript defines them. A
 * {@link Collector} decides which values are alive.
 *
 * The classes extend `null` and return an object that they create themselves. A base
 * class would read `newTarget.prototype` before it checks its arguments. A base class
 * would even use `Object.prototype` if `newTarget.prototype` is not an object.
 */
import { type Heap, isWeakReferenceable } from "../../Heap.ts"
import { type Collector, HostWeakMap, type Registration } from "./simulatedCollector.ts"

/**
 * Creates the three constructors. Their methods accept the instances of other test heaps,
 * as built-in methods accept the instances of other realms.
 */
export const makeHeap = (collector: Collector): Heap => ({
  // The type of a class that extends `null` does not include its instances.
  WeakRef: weakRef(collector) as unknown as WeakRefConstructor,
  WeakMap: weakMap(collector) as unknown as WeakMapConstructor,
  FinalizationRegistry: finalizationRegistry(collector) as unknown as FinalizationRegistryConstructor
})

const isObject = (u: unknown): u is object => typeof u === "object" ? u !== null : typeof u === "function"

const incompatible = (method: string, receiver: unknown): TypeError =>
  new TypeError(`Method ${method} called on incompatible receiver ${isObject(receiver) ? "object" : String(receiver)}`)

/** ECMAScript's OrdinaryCreateFromConstructor. */
const allocate = <A extends object>(newTarget: Function, own: { readonly prototype: A }): A => {
  const prototype: unknown = newTarget.prototype
  // `newTarget` is `own` or a subclass of it, so its prototype has the type of `own.prototype`.
  return Object.create(isObject(prototype) ? prototype : own.prototype) as A
}

/**
 * Sets the name of a class that extends `null`, and the parent and the tag of its prototype, as built-in
 * constructors have them. A bundler may have renamed the class.
 */
const complete = (name: keyof Heap, constructor: Function): Function => {
  const { prototype } = constructor
  Object.defineProperty(constructor, "name", { value: name, writable: false, enumerable: false, configurable: true })
  Object.setPrototypeOf(prototype, Object.prototype)
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, writable: false, configurable: true })
  return constructor
}

/** Lets a subclass add its private fields, which serve as internal slots, to an existing object. */
// oxlint-disable-next-line typescript/no-extraneous-class
class Existing {
  constructor(self: object) {
    // oxlint-disable-next-line eslint/no-constructor-return
    return self
  }
}

/** Returns `self`, to which the constructor of `_slots` has added the slots. */
const withSlots = <A extends object>(self: A, _slots: Existing): A => self

class ReferenceSlots extends Existing {
  #collector: Collector
  #target: WeakKey
  #life: number

  constructor(self: object, collector: Collector, target: WeakKey) {
    super(self)
    this.#collector = collector
    this.#target = target
    this.#life = collector.lifeOf(target)
  }

  static deref(self: unknown): WeakKey | undefined {
    if (!isObject(self) || !(#target in self)) throw incompatible("WeakRef.prototype.deref", self)
    return self.#collector.read(self.#target, self.#life) ? self.#target : undefined
  }
}

const weakRef = (collector: Collector): Function =>
  complete(
    "WeakRef",
    class WeakRef extends null {
      constructor(target: unknown) {
        if (!isWeakReferenceable(target)) throw new TypeError("WeakRef: invalid target")
        const self = allocate(new.target, WeakRef)
        collector.keep(target)
        // oxlint-disable-next-line eslint/no-constructor-return
        return withSlots(self, new ReferenceSlots(self, collector, target))
      }

      deref() {
        return ReferenceSlots.deref(this)
      }
    }
  )

interface Entry {
  readonly life: number
  readonly value: unknown
}

class MapSlots extends Existing {
  #collector: Collector
  #entries: WeakMap<WeakKey, Entry>

  constructor(self: object, collector: Collector) {
    super(self)
    this.#collector = collector
    this.#entries = new HostWeakMap()
  }

  get #receiver(): Collector {
    return this.#collector.receiver
  }

  static of(self: unknown, method: string): MapSlots {
    if (!isObject(self) || !(#entries in self)) throw incompatible(`WeakMap.prototype.${method}`, self)
    return self
  }

  static find(self: MapSlots, key: unknown): Entry | undefined {
    if (!isWeakReferenceable(key)) return undefined
    self.#receiver.see(key)
    const entry = self.#entries.get(key)
    return entry?.life === self.#receiver.lifeOf(key) ? entry : undefined
  }

  static set(self: MapSlots, key: WeakKey, value: unknown): void {
    self.#receiver.see(key)
    self.#entries.set(key, { life: self.#receiver.lifeOf(key), value })
  }

  static delete(self: MapSlots, key: unknown): boolean {
    return isWeakReferenceable(key) && MapSlots.find(self, key) !== undefined && self.#entries.delete(key)
  }
}

const checkKey: (key: unknown) => asserts key is WeakKey = (key) => {
  if (!isWeakReferenceable(key)) throw new TypeError("Invalid value used as weak map key")
}

const weakMap = (collector: Collector): Function =>
  complete(
    "WeakMap",
    class WeakMap extends null {
      // The default value makes `WeakMap.length` 0, as ECMAScript requires.
      constructor(entries: unknown = undefined) {
        const self = allocate(new.target, WeakMap)
        const map = withSlots(self, new MapSlots(self, collector))
        // The loop of `addEntries` throws if `entries` is not iterable.
        if (entries !== undefined && entries !== null) addEntries(map, entries as Iterable<unknown>)
        // oxlint-disable-next-line eslint/no-constructor-return
        return map
      }

      delete(key: unknown) {
        return MapSlots.delete(MapSlots.of(this, "delete"), key)
      }

      get(key: unknown) {
        return MapSlots.find(MapSlots.of(this, "get"), key)?.value
      }

      has(key: unknown) {
        return MapSlots.find(MapSlots.of(this, "has"), key) !== undefined
      }

      set(key: unknown, value: unknown) {
        const slots = MapSlots.of(this, "set")
        checkKey(key)
        MapSlots.set(slots, key, value)
        return this
      }

      getOrInsert(key: unknown, value: unknown) {
        const slots = MapSlots.of(this, "getOrInsert")
        checkKey(key)
        const found = MapSlots.find(slots, key)
        if (found !== undefined) return found.value
        MapSlots.set(slots, key, value)
        return value
      }

      getOrInsertComputed(key: unknown, callback: unknown) {
        const slots = MapSlots.of(this, "getOrInsertComputed")
        checkKey(key)
        if (typeof callback !== "function") {
          throw new TypeError("WeakMap.prototype.getOrInsertComputed: not a function")
        }
        const found = MapSlots.find(slots, key)
        if (found !== undefined) return found.value
        const value: unknown = Reflect.apply(callback, undefined, [key])
        // The callback may have inserted the key. The computed value replaces that value.
        MapSlots.set(slots, key, value)
        return value
      }
    }
  )

/** ECMAScript's AddEntriesFromIterable. `for … of` closes the iterator if an entry is not an object. */
const addEntries = (self: object, entries: Iterable<unknown>): void => {
  const set: unknown = Reflect.get(self, "set")
  if (typeof set !== "function") throw new TypeError("WeakMap: 'set' is not a function")
  for (const entry of entries) {
    if (!isObject(entry)) throw new TypeError("WeakMap: an entry is not an object")
    // Reads by index, because an entry need not be iterable.
    Reflect.apply(set, self, [Reflect.get(entry, 0), Reflect.get(entry, 1)])
  }
}

interface Token {
  readonly life: number
  readonly registrations: Array<Registration>
}

class RegistrySlots extends Existing {
  #collector: Collector
  #cleanup: (held: unknown) => unknown
  #byToken: WeakMap<WeakKey, Token>

  constructor(self: object, collector: Collector, cleanup: (held: unknown) => unknown) {
    super(self)
    this.#collector = collector
    this.#cleanup = cleanup
    this.#byToken = new HostWeakMap()
  }

  get #receiver(): Collector {
    return this.#collector.receiver
  }

  static of(self: unknown, method: string): RegistrySlots {
    if (!isObject(self) || !(#byToken in self)) throw incompatible(`FinalizationRegistry.prototype.${method}`, self)
    return self
  }

  static register(self: RegistrySlots, target: WeakKey, held: unknown, token: WeakKey | undefined): void {
    const registration = self.#receiver.register(target, self.#cleanup, held)
    if (token === undefined) return
    const known = RegistrySlots.#find(self, token)
    if (known !== undefined) known.registrations.push(registration)
    else self.#byToken.set(token, { life: self.#receiver.lifeOf(token), registrations: [registration] })
  }

  static unregister(self: RegistrySlots, token: WeakKey): boolean {
    let removed = false
    for (const registration of RegistrySlots.#find(self, token)?.registrations ?? []) {
      removed = self.#receiver.unregister(registration) || removed
    }
    self.#byToken.delete(token)
    return removed
  }

  /** Returns `undefined` if the token is unknown, or was collected after its registration. */
  static #find(self: RegistrySlots, token: WeakKey): Token | undefined {
    const known = self.#byToken.get(token)
    return known?.life === self.#receiver.lifeOf(token) ? known : undefined
  }
}

const finalizationRegistry = (collector: Collector): Function =>
  complete(
    "FinalizationRegistry",
    class FinalizationRegistry extends null {
      constructor(cleanup: unknown) {
        if (typeof cleanup !== "function") throw new TypeError("FinalizationRegistry: cleanup must be callable")
        const self = allocate(new.target, FinalizationRegistry)
        // `typeof` does not check the parameters and the result of the function.
        // oxlint-disable-next-line eslint/no-constructor-return
        return withSlots(self, new RegistrySlots(self, collector, cleanup as (held: unknown) => unknown))
      }

      register(target: unknown, held: unknown, token: unknown = undefined) {
        const slots = RegistrySlots.of(this, "register")
        if (!isWeakReferenceable(target)) {
          throw new TypeError("FinalizationRegistry.prototype.register: invalid target")
        }
        if (target === held) {
          throw new TypeError("FinalizationRegistry.prototype.register: target and holdings must not be same")
        }
        if (token !== undefined && !isWeakReferenceable(token)) throw invalidToken("register")
        RegistrySlots.register(slots, target, held, token)
      }

      unregister(token: unknown) {
        const slots = RegistrySlots.of(this, "unregister")
        if (!isWeakReferenceable(token)) throw invalidToken("unregister")
        return RegistrySlots.unregister(slots, token)
      }
    }
  )

const invalidToken = (method: string): TypeError =>
  new TypeError(`FinalizationRegistry.prototype.${method}: invalid unregister token`)
