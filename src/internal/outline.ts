/**
 * Bounded copies of values for JSON and inspection. A value of a program
 * may reach a million others, for example a DOM node that React has rendered.
 */
import { toJson } from "effect/Inspectable"
import { isOpaque } from "./equality.ts"

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

/** Outlines the first parts. If there are more, `size` is the number of all parts. */
export const outlineParts = (
  self: object,
  parts: Iterable<unknown>,
  size: () => number
): { readonly values: ReadonlyArray<unknown>; readonly more?: number } => {
  if (path.length === 0) left = maxValues
  path.push(self)
  try {
    const values: Array<unknown> = []
    for (const part of parts) {
      if (values.length === maxParts || left <= 0) return { values, more: size() - values.length }
      left--
      values.push(outline(part))
    }
    return { values }
  } finally {
    path.pop()
  }
}

const outlineObject = (value: object): unknown => {
  if (path.includes(value)) return "[Circular]"
  if (path.length >= maxDepth || isOpaque(value)) return tagOf(value)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `${tagOf(value)} (${value.byteLength} bytes)`
  if (Array.isArray(value)) return withMore(outlineParts(value, value, () => value.length))
  const json = toJson(value)
  if (json !== value) {
    path.push(value)
    try {
      return outline(json)
    } finally {
      path.pop()
    }
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
  if (value instanceof RegExp || value instanceof Error) return outline(String(value))
  if (value instanceof Map || value instanceof Set) {
    return { _id: value instanceof Map ? "Map" : "Set", ...outlineParts(value, value, () => value.size) }
  }
  const keys = Object.keys(value)
  const get = (key: string) => (value as Readonly<Record<string, unknown>>)[key]
  const { more, values } = outlineParts(value, lazily(keys, get), () => keys.length)
  const entries = values.map((part, i): [string, unknown] => [keys[i]!.slice(0, maxLength), part])
  return Object.fromEntries(more === undefined ? entries : [...entries, ["…", `${more} more`]])
}

/** Not a generator, because an abandoned generator holds its last value. */
const lazily = (keys: ReadonlyArray<string>, get: (key: string) => unknown): Iterable<unknown> => ({
  [Symbol.iterator]: () => {
    let i = 0
    return {
      next: () => {
        if (i === keys.length) return { done: true, value: undefined }
        const key = keys[i++]!
        return { done: false, value: guarded(() => get(key), undefined) }
      }
    }
  }
})

const withMore = ({ more, values }: { readonly values: ReadonlyArray<unknown>; readonly more?: number }) =>
  more === undefined ? values : [...values, `… ${more} more`]

/** Returns the tag of an object, such as `[object Blob]`. Runs no getter. */
const tagOf = (value: object): string => {
  for (let current: object | null = value; current !== null; current = Object.getPrototypeOf(current)) {
    const tag: unknown = Object.getOwnPropertyDescriptor(current, Symbol.toStringTag)?.value
    if (typeof tag === "string") return `[object ${tag.slice(0, maxLength)}]`
    const constructor: unknown = Object.getOwnPropertyDescriptor(current, "constructor")?.value
    const name: unknown = typeof constructor === "function"
      ? Object.getOwnPropertyDescriptor(constructor, "name")?.value
      : undefined
    if (typeof name === "string" && name !== "") return `[object ${name.slice(0, maxLength)}]`
  }
  return "[object Object]"
}

/** Returns the result of `f`. If `f` throws, for example at a dead weak proxy, returns what the language prints. */
const guarded = (f: () => unknown, value: unknown): unknown => {
  const depth = path.length
  try {
    return f()
  } catch {
    path.length = depth
    try {
      return Object.prototype.toString.call(value)
    } catch {
      return "[An object that cannot be printed]"
    }
  }
}
