const limit = 100

/** Prints the first 100 characters of a primitive, and the tag of an object, for a message. Never throws. */
export const printed = (value: unknown): string => {
  try {
    if (typeof value === "object" && value !== null) return Object.prototype.toString.call(value)
    const text = typeof value === "bigint" ? `${value}n` : String(value)
    // Cut a long string before printing it, so that the cost does not depend on its length.
    const start = text.slice(0, limit)
    return `${typeof value === "string" ? JSON.stringify(start) : start}${
      text.length > limit ? `… (${text.length} characters)` : ""
    }`
  } catch {
    return "A value that cannot be printed"
  }
}
