import { Class as InspectableClass } from "effect/Inspectable"
import { Mixin } from "effect/Pipeable"

/** Pipeable and inspectable. A subclass overrides `toJSON`. The cast is needed because the mixin takes no abstract class. */
export const Base = /*#__PURE__*/ Mixin(InspectableClass as new() => InspectableClass)
