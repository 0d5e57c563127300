import { hasProperty } from "effect/Predicate"
import { guard } from "./guard.ts"
import { printed } from "./print.ts"

/**
 * Throws a `TypeError` for a value that does not have the state of this copy of the package.
 * Two copies of the package have the same type ids, but neither can read the state of the other.
 *
 * Call it only after the state was read and is missing, so that the check costs nothing.
 */
export const refuse = (value: unknown, typeId: string): never => {
  const name = typeId.slice(typeId.lastIndexOf("/") + 1)
  throw new TypeError(
    guard(() => hasProperty(value, typeId)) ? anotherCopy(name) : `Expected a ${name}, but got ${printed(value)}`
  )
}

/** Returns the message for a value that another copy of the package created. */
export const anotherCopy = (name: string): string =>
  `This ${name} was created by another copy of effect-weakref, which this copy cannot read: install one version, and load it in one way`
