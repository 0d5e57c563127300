/**
 * Bounded copies of values for JSON and inspection. A value of a program
 * may reach a million others, for example a DOM node that React has rendered.
 */
import { format } from "effect/Formatter"
import { toJson } from "effect/Inspectable"
import { isOpaque, ownValue } from "./equality.ts"

/** How many characters of a text are printed. */
const maxLength = 100

/** How many parts of one value are printed. */
const maxParts = 20

/** How many values are printed inside a value, at all depths together. */
const maxValues = 200

const maxDepth = 8

/** The values that are being outlined, from the outermost on. A `toJSON` may begin the outline of another value. */
const path: Array<object> = []
let left = 0

/**
 * Returns a bounded copy of a value that consists of plain objects, arrays and
 * primitives. An opaque object becomes its tag. Never throws. Cost: O(1), apart from the
 * `toJSON` methods of the program.
 */
export const outline = (value: unknown): unknown => {
  if (path.length === 0) left = maxValues
  switch (typeof value) {
    case "string":
      return value.length > maxLength ? `${value.slice(0, maxLength)}… (${value.length} characters)` : value
    case "bigint":
      return outline(`${value}n`)
    case "function":
      return guarded(() => `[Function: ${String(value.name).slice(0, maxLength) || "anonymous"}]`, value)
    case "object":
      return value === null ? value : guarded(() => outlineObject(value), value)
    default:
      return value
  }
}

interface Outlined {
  readonly values: ReadonlyArray<unknown>
  /** How many parts are left out. */
  readonly more?: number
}

/** Outlines the first parts. If there are more, `size` is the number of all parts. */
export const outlineParts = <A>(
  self: object,
  parts: Iterable<A>,
  size: () => number,
  get: (part: A) => unknown = (part) => part
): Outlined => {
  if (path.length === 0) left = maxValues
  return within(self, () => {
    const values: Array<unknown> = []
    for (const part of parts) {
      if (values.length === maxParts || left-- <= 0) return { values, more: size() - values.length }
      values.push(guarded(() => outline(get(part)), undefined))
    }
    return { values }
  })
}

/** Calls `f` while a value is being outlined. */
const within = <A>(value: object, f: () => A): A => {
  const depth = path.push(value) - 1
  try {
    return f()
  } finally {
    // Not `pop`: a call fails if the stack has overflowed.
    path.length = depth
  }
}

const outlineObject = (value: object): unknown => {
  if (path.includes(value)) return "[Circular]"
  const tag = tagOf(value)
  if (path.length >= maxDepth || isOpaque(value)) return tag
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `${tag} (${value.byteLength} bytes)`
  if (Array.isArray(value)) {
    const { more, values } = outlineParts(value, value, () => value.length)
    return more === undefined ? values : [...values, `… ${more} more`]
  }
  const json = toJson(value)
  if (json !== value) return within(value, () => outline(json))
  if (value instanceof Date) return format(value)
  if (value instanceof RegExp || value instanceof Error) return outline(String(value))
  if (value instanceof Map || value instanceof Set) {
    return { _id: value instanceof Map ? "Map" : "Set", ...outlineParts(value, value, () => value.size) }
  }
  const keys = Object.keys(value)
  const { more, values } = outlineParts(value, keys, () => keys.length, (key) => Reflect.get(value, key))
  const entries = values.map((part, i): [string, unknown] => [keys[i]!.slice(0, maxLength), part])
  return Object.fromEntries(more === undefined ? entries : [...entries, ["…", `${more} more`]])
}

/** Returns the tag of an object, such as `[object Blob]`. Runs no getter. */
const tagOf = (value: object): string => {
  for (let current: object | null = value; current !== null; current = Object.getPrototypeOf(current)) {
    const tag = ownValue(current, Symbol.toStringTag) ?? ownValue(ownValue(current, "constructor") ?? {}, "name")
    if (typeof tag === "string" && tag !== "") return `[object ${tag.slice(0, maxLength)}]`
  }
  return "[object Object]"
}

/** Returns the result of `f`. If `f` throws, for example at a dead weak proxy, returns what the language prints. */
const guarded = (f: () => unknown, value: unknown): unknown => {
  try {
    return f()
  } catch {
    try {
      return Object.prototype.toString.call(value)
    } catch {
      return "[An object that cannot be printed]"
    }
  }
}
