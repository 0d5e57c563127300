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
 * Effect hashes and compares everything that reaches no opaque object. Only a
 * structure that reaches one is hashed and compared here, by the same rules, because Effect
 * has no hook for the values inside a structure. `Equal.byReferenceUnsafe` is no such hook:
 * it would change the hash that the program's own collections have already stored.
 */
import * as Equal from "effect/Equal"
import type { Equivalence } from "effect/Equivalence"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import { isResult } from "./effectIds.ts"

const isObject = (u: unknown): u is object => typeof u === "object" && u !== null

/** What a prototype tells about the objects that inherit from it. */
interface Shape {
  /** The name of a built-in class whose contents Effect compares, `"Opaque"`, or `""` for plain objects and other classes. */
  readonly kind: string
  /** The inherited keys. */
  readonly keys: ReadonlyArray<PropertyKey>
  /** Whether the value of an inherited key may be an object, usually because the key has a getter. */
  readonly inheritsObjects: boolean
}

/**
 * The built-in classes whose instances have no parts, each with a member of its prototype
 * that throws for an object that only inherits from the class.
 */
const leaves: Readonly<Record<string, string>> = {
  Date: "getTime",
  RegExp: "source",
  ArrayBuffer: "byteLength",
  SharedArrayBuffer: "byteLength",
  DataView: "byteLength",
  TypedArray: ""
}

/** The built-in classes whose contents Effect compares. */
const builtIns: Readonly<Record<string, string>> = { Array: "", Map: "size", Set: "size", ...leaves }

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

const plain: Shape = { kind: "", keys: [], inheritsObjects: false }

/** Returns the value of an own property without running a getter. */
export const ownValue = (value: object, key: PropertyKey): unknown => Object.getOwnPropertyDescriptor(value, key)?.value

/** Returns the name of the native class that has this prototype. A prototype of another realm counts, a false `constructor` does not. */
const nativeName = (prototype: object): string | undefined => {
  const constructor = ownValue(prototype, "constructor")
  return typeof constructor === "function" && ownValue(constructor, "prototype") === prototype
    ? /^function (\w+)\(\)\s*\{\s*\[native code\]\s*\}$/.exec(Function.prototype.toString.call(constructor))?.[1]
    : undefined
}

const readShape = (prototype: object): Shape => {
  const keys: Array<PropertyKey> = []
  let builtIn = ""
  let isOpaque = false
  let inheritsObjects = false
  for (let current: object | null = prototype; current !== null; current = Object.getPrototypeOf(current)) {
    const name = nativeName(current)
    if (name === "Object") break
    if (name !== undefined && Object.hasOwn(builtIns, name)) builtIn ||= name
    else if (name !== undefined && !name.endsWith("Error")) isOpaque = true
    for (const key of Reflect.ownKeys(current)) {
      const { get, value } = Object.getOwnPropertyDescriptor(current, key)!
      if (key === Symbol.toStringTag || (typeof value === "function" && opaqueMethods.has(key))) isOpaque = true
      if (key !== "constructor") keys.push(key)
      if (get !== undefined || isObject(value)) inheritsObjects = true
    }
  }
  const kind = builtIn || (isOpaque ? "Opaque" : "")
  return kind === "" ? { kind, keys, inheritsObjects } : { ...plain, kind }
}

const shapes = /*#__PURE__*/ new WeakMap<object, Shape>()

const shapeOf = (value: object): Shape => {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return plain
  let shape = shapes.get(prototype)
  if (shape === undefined) shapes.set(prototype, shape = readShape(prototype))
  return shape
}

/** Checks whether Effect reads the contents of an object of this kind. Throws for some objects that only inherit from it. */
const isTransparent = (value: object, kind: string): boolean => {
  switch (kind) {
    case "":
      // Namespaces, such as `Math` or a module, have a tag of their own, and `globalThis` on most hosts. Reading them has no end.
      return value !== globalThis && (!Object.hasOwn(value, Symbol.toStringTag) ||
        Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag))
    case "Opaque":
      return false
    case "Array":
      return Array.isArray(value)
    case "TypedArray":
      return ArrayBuffer.isView(value)
  }
  // Effect uses `instanceof`.
  const builtIn: typeof Date = Reflect.get(globalThis, kind)
  const member: unknown = Reflect.get(builtIn.prototype, builtIns[kind]!, value)
  if (typeof member === "function") member.call(value)
  return value instanceof builtIn
}

const implementsEqual = (value: object): boolean => Equal.symbol in value || Hash.symbol in value

/** Returns the shape of an object, or `undefined` if the object is opaque. Runs no getter of the object. */
const transparentShape = (value: object): Shape | undefined => {
  try {
    if (implementsEqual(value)) return plain
    const shape = shapeOf(value)
    return isTransparent(value, shape.kind) ? shape : undefined
  } catch (error) {
    // A revoked proxy has only its identity. A dead `WeakProxy` throws its own error.
    if (!(error instanceof TypeError)) throw error
    return undefined
  }
}

/** Checks whether a value is an opaque object. Runs no getter of the value. Cost: O(1), once per prototype O(its keys). */
export const isOpaque = (value: unknown): boolean => isObject(value) && transparentShape(value) === undefined

/** Returns what an `Option` or a `Result` contains. They implement `Equal`, but only to compare their contents. */
const contentOf = (value: object): unknown => {
  if (Option.isOption(value)) return value.valueOrUndefined
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

const get = (value: object, key: PropertyKey): unknown => (value as Readonly<Record<PropertyKey, unknown>>)[key]

/** The objects that are being read. */
const reading: Array<object> = []

/**
 * Calls `f` with an object, or returns `again` if the object is being read already: a
 * getter may hash or compare its own object, which would read it without end.
 */
const read = <A>(value: object, f: (value: object) => A, again: A): A => {
  // Not `includes`, which some programs replace.
  for (const other of reading) if (other === value) return again
  const depth = reading.push(value) - 1
  try {
    return f(value)
  } finally {
    // Not `pop`: a call fails if the stack has overflowed.
    reading.length = depth
  }
}

/** The keys that Effect compares. */
const keysOf = (value: object): ReadonlyArray<PropertyKey> => {
  const keys = new Set([...Reflect.ownKeys(value), ...shapeOf(value).keys])
  if (value instanceof Error) keys.delete("stack")
  return [...keys]
}

/** Returns the keys of a plain object without objects in it. Most keys of collections are such objects. */
const flatKeys = (value: object): ReadonlyArray<PropertyKey> | undefined => {
  if (shapeOf(value) !== plain) return undefined
  const keys = Reflect.ownKeys(value)
  for (const key of keys) if (isObject(get(value, key))) return undefined
  return keys
}

/** How many parts the quick search reads. */
const budget = 256
let left = 0

/**
 * Checks whether Effect would read an opaque object while it hashes a value. The quick
 * search has no `seen`: it reads few parts, and returns `true` if these are not all.
 */
const reaches = (value: unknown, seen: Set<object> | undefined): boolean => {
  if (!isObject(value)) return false
  const shape = transparentShape(value)
  if (shape === undefined) return true
  if (implementsEqual(value)) return reaches(contentOf(value), seen)
  if (seen?.has(value)) return false
  seen?.add(value)
  if ((seen !== undefined || shape.inheritsObjects) && isByReference(value)) return false
  const elements = Array.isArray(value)
    ? value
    : value instanceof Map
    ? [...value.keys(), ...value.values()]
    : value instanceof Set
    ? [...value]
    : undefined
  const parts = elements ?? (shape.kind !== "" ? [] : shape.inheritsObjects ? keysOf(value) : Reflect.ownKeys(value))
  if (seen === undefined && (left -= parts.length + 1) < 0) return true
  for (const part of parts) if (reaches(elements === undefined ? get(value, part) : part, seen)) return true
  return false
}

/** Checks whether a value has few parts, no opaque one, and a short JSON. Runs user code. */
export const isShort = (value: unknown): boolean => {
  try {
    left = budget
    return !reaches(value, undefined) && JSON.stringify(value).length <= 1000
  } catch {
    return false
  }
}

/** The objects for which the quick search was not enough, and whether they reach an opaque object. */
const searched = /*#__PURE__*/ new WeakMap<object, boolean>()

const searchOpaque = (value: object): boolean => {
  try {
    left = budget
    if (flatKeys(value) !== undefined || !reaches(value, undefined)) return false
    let result = searched.get(value)
    if (result === undefined) searched.set(value, result = reaches(value, new Set()))
    return result
  } catch {
    // A getter or a proxy throws. Effect throws the same error, unless it does not read the object.
    return false
  }
}

/** Checks whether a structure reaches an opaque object. Remembers the answer of a long search, as Effect remembers a hash. */
const reachesOpaque = (value: object): boolean => !comparesItself(value) && read(value, searchOpaque, false)

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

/** Returns the hash of an object that Effect cannot hash, or for which Effect would remember the hash in an ephemeron. */
const ownHash = (value: object): number | undefined => {
  const keys = flatKeys(value)
  // Effect would hash a flat object in the same way.
  if (keys !== undefined) return Hash.structureKeys(value, keys)
  if (!searchOpaque(value)) return undefined
  let h = Hash.hash(kindOf(value))
  for (const [key, part] of partsOf(value)) h ^= Hash.combine(hash(key), hash(part))
  return Hash.optimize(h)
}

/** Returns a hash that is equal for values that {@link equals} calls equal. Runs user code: getters, `Hash`, proxies. */
export const hash = (value: unknown): number => hashOf(value) ?? Hash.random(value as object)

/** An element, an entry or a property, with its key. */
type Part = readonly [key: unknown, part: unknown]

/** Returns what Effect compares of a structure. */
const partsOf = (value: object): Array<Part> => {
  if (implementsEqual(value)) return [["", contentOf(value)]]
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return [...value.entries()]
  return keysOf(value).map((key) => [key, get(value, key)])
}

/** Distinguishes arrays, maps, sets, the two kinds of `Option` and of `Result`, and other objects. */
const kindOf = (value: object): unknown => implementsEqual(value) ? get(value, "_tag") : shapeOf(value).kind

/** Compares two values as `Equal.equals` does, except that an opaque object is only equal to itself. Runs user code. */
export const equals = (self: unknown, that: unknown): boolean => {
  if (self === that) return true
  if (!isObject(self) || !isObject(that)) return Equal.equals(self, that)
  if (isOpaque(self) || isOpaque(that)) return false
  const isOwn = reachesOpaque(self)
  return isOwn === reachesOpaque(that) && (isOwn ? haveEqualParts(self, that, equals) : Equal.equals(self, that))
}

/** The pairs that are being compared. A pair that is reached again closes a cycle, and is equal if the rest is. */
const comparing: Array<readonly [object, object]> = []

/** Finds a different equal partner for each part. */
const haveEqualParts = (self: object, that: object, equal: Equivalence<unknown>): boolean => {
  if (comparing.some((pair) => pair[0] === self && pair[1] === that)) return true
  const depth = comparing.push([self, that]) - 1
  try {
    const rest = partsOf(that)
    // Backwards, because the last part of an array is removed fast.
    return kindOf(self) === kindOf(that) && partsOf(self).reverse().every(([key, part]) => {
      const i = rest.findLastIndex((other) => equal(key, other[0]) && equal(part, other[1]))
      return i >= 0 && rest.splice(i, 1)
    }) && rest.length === 0
  } finally {
    comparing.length = depth
  }
}

/** Compares two values as {@link equals}, and requires the same prototype for them and for their parts. */
export const equalsStrictly = (self: unknown, that: unknown): boolean => equals(self, that) && haveSameKinds(self, that)

/** Checks that the corresponding parts of two equal values have the same prototype. */
const haveSameKinds = (self: unknown, that: unknown): boolean => {
  if (self === that) return true
  if (!isObject(self) || !isObject(that)) return Equal.equals(self, that)
  if (Object.getPrototypeOf(self) !== Object.getPrototypeOf(that) || isOpaque(self)) return false
  return comparesItself(self) || shapeOf(self).kind in leaves
    ? Equal.equals(self, that)
    : haveEqualParts(self, that, haveSameKinds)
}
