/** The part of `node:assert/strict` that the examples use, for hosts that do not have it. */
import { Equal } from "effect"
import { format } from "effect/Formatter"

export const equal = (actual: unknown, expected: unknown): void => {
  if (!Object.is(actual, expected)) throw new Error(`expected ${format(expected)}, got ${format(actual)}`)
}

export const deepEqual = (actual: unknown, expected: unknown): void => {
  if (!Equal.equals(actual, expected) && JSON.stringify(actual) !== JSON.stringify(expected)) equal(actual, expected)
}

const checked = (error: unknown, check: (error: unknown) => boolean): void => {
  if (!check(error)) throw error
}

export const throws = (f: () => unknown, check: (error: unknown) => boolean): void => {
  try {
    f()
  } catch (error) {
    return checked(error, check)
  }
  throw new Error("expected an error")
}

export const rejects = async (f: () => Promise<unknown>, check: (error: unknown) => boolean): Promise<void> => {
  try {
    await f()
  } catch (error) {
    return checked(error, check)
  }
  throw new Error("expected a rejection")
}
