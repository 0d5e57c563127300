import { NotWeakReferenceableError } from "../WeakError.ts"
import { printed } from "./print.ts"

/** Returns the error for the property of a receiver that is not a method. */
export const notMethod = (value: unknown, property: PropertyKey): NotWeakReferenceableError =>
  new NotWeakReferenceableError({
    value,
    expected: "function",
    property,
    message: `The property ${printed(property)} of the receiver is ${
      printed(value)
    }, which is not a function: pass the key of a method, or a function`
  })
