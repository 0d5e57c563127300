const limit = 100

/** Prints the first 100 characters of a primitive, and the tag of an object, for a message. Never throws. */
export const printed = (value: unknown): string => {
  try {
    if (typeof value === "string") {
      // Cut a long string before printing it, so that the cost does not depend on its length.
      return value.length > limit
        ? `${JSON.stringify(value.slice(0, limit))}… (${value.length} characters)`
        : JSON.stringify(value)
    }
    if (typeof value === "object" && value !== null) return Object.prototype.toString.call(value)
    const text = `${String(value)}${typeof value === "bigint" ? "n" : ""}`
    return text.length > limit ? `${text.slice(0, limit)}…` : text
  } catch {
    return typeof value === "function" ? "A function that cannot be printed" : "An object that cannot be printed"
  }
}
