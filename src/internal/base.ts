import { Class as InspectableClass } from "effect/Inspectable"
import { Mixin } from "effect/Pipeable"

/**
 * The base class of pipeable and inspectable values. A subclass must override `toJSON`.
 * The cast is needed because `Mixin` takes no abstract class.
 */
export const Base = /*#__PURE__*/ Mixin(InspectableClass as new() => InspectableClass)
