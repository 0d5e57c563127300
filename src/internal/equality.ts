/**
 * The equality of this package. Exports:
 *
 * - `equals(a, b)`: `Equal.equals`, except that opaque objects compare by identity.
 * - `hash(a)`: the hash for `equals`. It is `Hash.hash`, except that opaque objects hash by identity.
 * - `hashOf(a)`: the same, or `undefined` for what is only equal to itself, so that a table needs no hash of it.
 * - `equalsStrictly(a, b)`: as `equals`, and the prototypes are the same.
 * - `isOpaque(a)`: whether a value is an opaque object.
 *
 * An *opaque* object has a state that cannot be read from its properties: a DOM node, a
 * `Blob`, a port, a signal, a stream, a promise, a boxed primitive. Effect reads the
 * getters of such an object, which can take seconds, and calls most of them equal.
 *
 * Effect compares everything that reaches no opaque object. Only a structure that
 * reaches one is hashed and compared here, by the same rules, because Effect has no hook
 * for the values inside a structure. `Equal.byReferenceUnsafe` is no such hook: it would
 * change the hash that the program's own collections have already stored.
 */
import * as Equal from "effect/Equal"
import type { Equivalence } from "effect/Equivalence"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import { isResult } from "./effectIds.ts"

const isObject = (u: unknown): u is object => typeof u === "object" && u !== null

/** What a prototype tells about the objects that inherit from it. */
interface Shape {
  /** The name of a built-in class whose contents Effect compares, `"Error"`, `"Opaque"`, or `""` for plain objects and other classes. */
  readonly kind: string
  /** The inherited keys. */
  readonly keys: ReadonlyArray<PropertyKey>
  /** The inherited keys whose value may be an object, usually because they have a getter. */
  readonly getters: ReadonlyArray<PropertyKey>
}

/** The built-in classes whose instances have no parts. */
const leaves: ReadonlySet<string> = /*#__PURE__*/ new Set([
  "Date",
  "RegExp",
  "ArrayBuffer",
  "SharedArrayBuffer",
  "DataView",
  "TypedArray"
])

const builtIns: ReadonlySet<string> = /*#__PURE__*/ new Set(["Array", "Map", "Set", ...leaves])

/**
 * The methods of promises, event targets, emitters, timers and nodes that are written in
 * JavaScript and may have no `Symbol.toStringTag`, such as the streams of Node.
 */
const opaqueMethods: ReadonlySet<PropertyKey> = /*#__PURE__*/ new Set([
  "then",
  "addEventListener",
  "removeListener",
  "hasRef",
  "appendChild"
])

const plain: Shape = { kind: "", keys: [], getters: [] }

/** Returns the name of the native class that has this prototype. A prototype of another realm counts, a false `constructor` does not. */
const nativeName = (prototype: object): string | undefined => {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value
  if (
    typeof constructor !== "function" || Object.getOwnPropertyDescriptor(constructor, "prototype")?.value !== prototype
  ) return undefined
  return /^function (\w+)\(\)\s*\{\s*\[native code\]\s*\}$/.exec(Function.prototype.toString.call(constructor))?.[1]
}

const readShape = (prototype: object): Shape => {
  const keys = new Set<PropertyKey>()
  const getters = new Set<PropertyKey>()
  let builtIn = ""
  let isError = false
  let isOpaque = false
  for (let current: object | null = prototype; current !== null; current = Object.getPrototypeOf(current)) {
    const name = nativeName(current)
    if (name === "Object") break
    if (name !== undefined && builtIns.has(name)) builtIn ||= name
    else if (name === "Error") isError = true
    else if (name !== undefined && !name.endsWith("Error")) isOpaque = true
    for (const key of Reflect.ownKeys(current)) {
      const descriptor = Object.getOwnPropertyDescriptor(current, key)!
      if (
        key === Symbol.toStringTag || (opaqueMethods.has(key) && typeof descriptor.value === "function")
      ) {
        isOpaque = true
      }
      if (key === "constructor") continue
      keys.add(key)
      if (descriptor.get !== undefined || isObject(descriptor.value)) getters.add(key)
    }
  }
  const kind = builtIn || (isOpaque ? "Opaque" : isError ? "Error" : "")
  return builtIn || isOpaque ? { ...plain, kind } : { kind, keys: [...keys], getters: [...getters] }
}

const shapes = /*#__PURE__*/ new WeakMap<object, Shape>()

const shapeOf = (value: object): Shape => {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return plain
  let shape = shapes.get(prototype)
  if (shape === undefined) shapes.set(prototype, shape = readShape(prototype))
  return shape
}

/** Checks whether an object is what its prototype says, and whether Effect, which uses `instanceof`, reads its contents. */
const isBuiltIn = (value: object, kind: string): boolean => {
  try {
    if (kind === "Array") return Array.isArray(value)
    if (kind === "TypedArray") return ArrayBuffer.isView(value)
    const builtIn: typeof Date = Reflect.get(globalThis, kind)
    if (!(value instanceof builtIn)) return false
    if (kind === "DataView") return ArrayBuffer.isView(value)
    const { prototype } = builtIn
    // Both throw if the object only inherits from the class.
    if (kind === "Date") prototype.getTime.call(value)
    else Reflect.get(prototype, kind === "RegExp" ? "source" : "size" in prototype ? "size" : "byteLength", value)
    return true
  } catch {
    return false
  }
}

const implementsEqual = (value: object): boolean => Equal.symbol in value || Hash.symbol in value

/** Returns the shape of an object, or `undefined` if the object is opaque. Runs no getter of the object. */
const transparentShape = (value: object): Shape | undefined => {
  let shape: Shape
  try {
    shape = shapeOf(value)
  } catch (error) {
    // A revoked proxy has only its identity. A dead `WeakProxy` throws its own error.
    if (error instanceof TypeError) return undefined
    throw error
  }
  switch (shape.kind) {
    case "":
      // Namespaces, such as `Math` or a module, have a tag of their own, and `globalThis` on most hosts. Reading them has no end.
      return value === globalThis || Object.hasOwn(value, Symbol.toStringTag) &&
          Object.getOwnPropertyDescriptor(value, Symbol.toStringTag)!.enumerable !== true
        ? undefined
        : shape
    case "Error":
      return shape
    case "Opaque":
      return implementsEqual(value) ? shape : undefined
    default:
      return isBuiltIn(value, shape.kind) || implementsEqual(value) ? shape : undefined
  }
}

/** Checks whether a value is an opaque object. Runs no getter of the value. Cost: O(1), once per prototype O(its keys). */
export const isOpaque = (value: unknown): boolean => isObject(value) && transparentShape(value) === undefined

/** Returns what an `Option` or a `Result` contains. They implement `Equal`, but only to compare their contents. */
const contentOf = (value: object): unknown => {
  if (Option.isOption(value)) return Option.getOrUndefined(value)
  return isResult(value) ? "success" in value ? value.success : value.failure : undefined
}

/** Checks whether only the object's own `Equal` and `Hash` know what it is equal to. */
const comparesItself = (value: object): boolean => implementsEqual(value) && !isObject(contentOf(value))

let asked = false

/** Effect asks for the hash of this object before it reads the object that it compares it with. */
const probe: Hash.Hash = {
  [Hash.symbol]() {
    asked = true
    throw probe
  }
}

/** Checks whether the program marked an object with `Equal.byReference`. Reads nothing of the object. */
export const isByReference = (value: object): boolean => {
  asked = false
  try {
    Equal.equals(probe, value)
  } catch {
    // Only the probe throws.
  }
  return !asked
}

/** The keys that Effect compares. */
const keysOf = (value: object): ReadonlyArray<PropertyKey> => {
  const { keys, kind } = shapeOf(value)
  const own = Reflect.ownKeys(value)
  if (keys.length === 0) return own
  const all = new Set([...own, ...keys])
  if (kind === "Error") all.delete("stack")
  return [...all]
}

const get = (value: object, key: PropertyKey): unknown => (value as Readonly<Record<PropertyKey, unknown>>)[key]

/** Checks that the values of these keys are no objects. */
const haveNoObjects = (self: object, keys: ReadonlyArray<PropertyKey>): boolean => {
  for (const key of keys) if (isObject(get(self, key)) || key === Symbol.toStringTag) return false
  return true
}

/** The objects that are being read. */
const reading: Array<object> = []

/**
 * Calls `f` with an object, or returns `again` if the object is being read already: a
 * getter may hash or compare its own object, which would read it without end.
 */
const read = <A>(value: object, f: (value: object) => A, again: A): A => {
  if (reading.includes(value)) return again
  const depth = reading.push(value) - 1
  try {
    return f(value)
  } finally {
    reading.length = depth
  }
}

const isFlatObject = (value: object): boolean => {
  try {
    return Object.getPrototypeOf(value) === Object.prototype && haveNoObjects(value, Reflect.ownKeys(value))
  } catch {
    return false
  }
}

/** Recognizes the most frequent objects that reach no opaque object: plain objects without objects in them. */
const isFlat = (value: object): boolean => read(value, isFlatObject, false)

/** How many values the quick search reads. */
const budget = 256
let left = 0

/**
 * Checks whether Effect would read an opaque object while it hashes a value. The quick
 * search has no `seen`: it reads few values, and returns `true` if these are not all.
 */
const reaches = (value: object, seen: Set<object> | undefined): boolean => {
  const shape = transparentShape(value)
  if (shape === undefined) return true
  if (implementsEqual(value)) {
    const content = contentOf(value)
    return isObject(content) && reaches(content, seen)
  }
  if (seen !== undefined) {
    if (seen.has(value)) return false
    seen.add(value)
  }
  if ((seen !== undefined || shape.getters.length > 0) && isByReference(value)) return false
  if (Array.isArray(value)) return anyReaches(value, seen)
  if (value instanceof Map) return anyReaches([...value.keys(), ...value.values()], seen)
  if (value instanceof Set) return anyReaches([...value], seen)
  if (shape.kind !== "" && shape.kind !== "Error") return false
  return anyKeyReaches(value, Reflect.ownKeys(value), seen) || anyKeyReaches(value, shape.getters, seen)
}

const anyReaches = (values: ReadonlyArray<unknown>, seen: Set<object> | undefined): boolean => {
  if (isOverBudget(values, seen)) return true
  for (const value of values) if (isObject(value) && reaches(value, seen)) return true
  return false
}

const anyKeyReaches = (self: object, keys: ReadonlyArray<PropertyKey>, seen: Set<object> | undefined): boolean => {
  if (isOverBudget(keys, seen)) return true
  for (const key of keys) {
    const value = get(self, key)
    if (isObject(value) && reaches(value, seen)) return true
  }
  return false
}

const isOverBudget = (parts: ReadonlyArray<unknown>, seen: Set<object> | undefined): boolean =>
  seen === undefined && (left -= parts.length + 1) < 0

/** The objects for which the quick search was not enough, and whether they reach an opaque object. */
const searched = /*#__PURE__*/ new WeakMap<object, boolean>()

const searchOpaque = (value: object): boolean => {
  try {
    left = budget
    if (!reaches(value, undefined)) return false
    let result = searched.get(value)
    if (result === undefined) searched.set(value, result = reaches(value, new Set()))
    return result
  } catch {
    // A getter or a proxy throws. Effect throws the same error, unless it does not read the object.
    return false
  }
}

/** Checks whether a structure reaches an opaque object. Remembers the answer of a long search, as Effect remembers a hash. */
const reachesOpaque = (value: object): boolean => read(value, searchOpaque, false)

/** Returns the hash of an object that Effect cannot hash, or for which Effect would remember the hash in an ephemeron. */
const ownHash = (value: object): number | undefined => {
  // The most frequent keys. Effect would hash them in the same way.
  if (shapeOf(value) === plain) {
    const keys = Reflect.ownKeys(value)
    if (haveNoObjects(value, keys)) return Hash.structureKeys(value, keys)
  }
  return searchOpaque(value) ? hashStructure(value) : undefined
}

/** The hash that Effect uses for an object inside itself. */
const circular = /*#__PURE__*/ Hash.string("[Circular]")

/**
 * Returns a hash that is equal for values that {@link equals} calls equal, or `undefined`
 * if the value is only equal to itself. Runs user code: getters, `Hash`, proxies.
 */
export const hashOf = (value: unknown): number | undefined => {
  if (!isObject(value)) {
    return typeof value === "function" && !implementsEqual(value) ? undefined : Hash.hash(value)
  }
  if (isOpaque(value)) return undefined
  if (comparesItself(value)) return Hash.hash(value)
  return read(value, ownHash, circular) ?? Hash.hash(value)
}

/** Returns a hash that is equal for values that {@link equals} calls equal. Runs user code: getters, `Hash`, proxies. */
export const hash = (value: unknown): number => hashOf(value) ?? Hash.random(value as object)

const hashStructure = (value: object): number => {
  if (implementsEqual(value)) return Hash.combine(Hash.hash(get(value, "_tag")), hash(contentOf(value)))
  let h = 6151
  if (Array.isArray(value)) {
    for (const element of value) h = Hash.combine(h, hash(element))
  } else if (value instanceof Map) {
    for (const [key, element] of value) h ^= Hash.combine(hash(key), hash(element))
  } else if (value instanceof Set) {
    for (const element of value) h ^= Hash.combine(7927, hash(element))
  } else {
    for (const key of keysOf(value)) h ^= Hash.combine(Hash.hash(key), hash(get(value, key)))
  }
  return Hash.optimize(h)
}

/** The pairs that are being compared. A pair that is reached again closes a cycle, and is equal if the rest is. */
const comparing: Array<readonly [object, object]> = []

/** Compares two values as `Equal.equals` does, except that an opaque object is only equal to itself. Runs user code. */
export const equals = (self: unknown, that: unknown): boolean => {
  if (self === that) return true
  if (!isObject(self) || !isObject(that)) return Equal.equals(self, that)
  if (isFlat(self) && isFlat(that)) return Equal.equals(self, that)
  if (isOpaque(self) || isOpaque(that)) return false
  const isOwn = reachesOpaque(self)
  if (isOwn !== reachesOpaque(that)) return false
  return isOwn ? equalOnPath(self, that, equals) : Equal.equals(self, that)
}

const equalOnPath = (self: object, that: object, equal: Equivalence<unknown>): boolean => {
  if (comparing.some((pair) => pair[0] === self && pair[1] === that)) return true
  comparing.push([self, that])
  try {
    return equalStructures(self, that, equal)
  } finally {
    comparing.pop()
  }
}

const equalStructures = (self: object, that: object, equal: Equivalence<unknown>): boolean => {
  if (implementsEqual(self) || implementsEqual(that)) {
    return get(self, "_tag") === get(that, "_tag") && equal(contentOf(self), contentOf(that))
  }
  if (Array.isArray(self)) {
    return Array.isArray(that) && self.length === that.length && self.every((element, i) => equal(element, that[i]))
  }
  if (self instanceof Map) {
    return that instanceof Map &&
      equalItems([...self], [...that], (self, that) => equal(self[0], that[0]) && equal(self[1], that[1]))
  }
  if (self instanceof Set) return that instanceof Set && equalItems([...self], [...that], equal)
  if (Array.isArray(that) || that instanceof Map || that instanceof Set) return false
  const keys = new Set(keysOf(that))
  for (const key of keysOf(self)) {
    if (!keys.delete(key) || !equal(get(self, key), get(that, key))) return false
  }
  return keys.size === 0
}

/** Finds a different equal partner for each item. */
const equalItems = <A>(self: ReadonlyArray<A>, that: Array<A>, equal: Equivalence<A>): boolean =>
  self.length === that.length && self.every((item) => {
    const i = that.findIndex((other) => equal(item, other))
    if (i >= 0) that.splice(i, 1)
    return i >= 0
  })

/** Compares two values as {@link equals}, and requires the same prototype for them and for their parts. */
export const equalsStrictly = (self: unknown, that: unknown): boolean => equals(self, that) && haveSameKinds(self, that)

/** Checks that the corresponding parts of two equal values have the same prototype. */
const haveSameKinds = (self: unknown, that: unknown): boolean => {
  if (self === that) return true
  if (!isObject(self) || !isObject(that)) return Equal.equals(self, that)
  if (Object.getPrototypeOf(self) !== Object.getPrototypeOf(that)) return false
  const shape = transparentShape(self)
  if (shape === undefined) return false
  if (comparesItself(self) || leaves.has(shape.kind)) return Equal.equals(self, that)
  return equalOnPath(self, that, haveSameKinds)
}
