/**
 * The assertions that replace the `// =>` comments of an example.
 */
import { Equal, Predicate } from "effect"
import * as assert from "node:assert/strict"

export const equals = (actual: unknown, expected: unknown): void => {
  if (!Equal.equals(actual, expected)) assert.deepEqual(actual, expected)
}

export const throws = (evaluate: () => unknown, errorName: string): void => assert.throws(evaluate, hasName(errorName))

export const rejects = (evaluate: () => Promise<unknown>, errorName: string): Promise<void> =>
  assert.rejects(evaluate, hasName(errorName))

const hasName = (name: string) => (error: unknown): boolean => {
  const actual = Predicate.isTagged(error, name) ? name : error instanceof Error ? error.name : String(error)
  assert.equal(actual, name)
  return true
}
