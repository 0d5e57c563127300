import { format } from "effect/Formatter"

const limit = 100

/** Prints the first 100 characters of a value for a message. Never throws. */
export const printed = (value: unknown): string => {
  try {
    // Cut a long string before formatting it, so that the cost does not depend on its length.
    if (typeof value === "string" && value.length > limit) {
      return `${format(value.slice(0, limit))}… (${value.length} characters)`
    }
    const text = format(value)
    return text.length > limit ? `${text.slice(0, limit)}…` : text
  } catch {
    return typeof value === "function" ? "A function that cannot be printed" : "An object that cannot be printed"
  }
}
