import { format } from "effect/Formatter"

const limit = 100

/** Prints a value for a message: at most 100 characters of it, and never throws. */
export const printed = (value: unknown): string => {
  try {
    // A long string is cut before it is quoted, so that a message of a large value costs little.
    if (typeof value === "string" && value.length > limit) {
      return `${format(value.slice(0, limit))}… (${value.length} characters)`
    }
    const text = format(value)
    return text.length > limit ? `${text.slice(0, limit)}…` : text
  } catch {
    return typeof value === "function" ? "A function that cannot be printed" : "An object that cannot be printed"
  }
}
