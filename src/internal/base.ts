import { type Inspectable, NodeInspectSymbol } from "effect/Inspectable"
import { Mixin } from "effect/Pipeable"

abstract class Inspected implements Inspectable {
  abstract toJSON(): unknown

  toString(): string {
    return JSON.stringify(this.toJSON())
  }

  [NodeInspectSymbol](): unknown {
    return this.toJSON()
  }
}

/**
 * The base class of pipeable and inspectable values. A subclass must override `toJSON`, which returns plain data:
 * `outline` makes it of other values.
 * The cast is needed because `Mixin` takes no abstract class.
 */
export const Base = /*#__PURE__*/ Mixin(Inspected as new() => Inspected)
