import { Class as InspectableClass } from "effect/Inspectable"
import { Mixin } from "effect/Pipeable"

/** Pipeable and inspectable: a subclass says what its JSON is. The mixin would not take what is abstract. */
export const Base = /*#__PURE__*/ Mixin(InspectableClass as new() => InspectableClass)
