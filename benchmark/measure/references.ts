/** Measures making references, making them again, and dereferencing them. */
import type { References } from "../contenders.ts"
import { kept } from "./collections.ts"
import type { Operation } from "./operations.ts"

export const contenders: Readonly<Record<string, () => Promise<References>>> = {
  "effect-weakref": () => import("../library/reference.ts"),
  floor: () => import("../floor/reference.ts")
}

export const operationsOf = ({ deref, make }: References, n: number): ReadonlyArray<Operation> => {
  let targets: Array<object> = []
  const refs: Array<unknown> = Array.from({ length: n })
  const fill = () => {
    targets = Array.from({ length: n }, (_, i) => ({ i }))
  }
  return [{
    name: "make",
    start: fill,
    run: (from, to) => {
      for (let i = from; i < to; i++) refs[i] = make(targets[i]!)
    }
  }, {
    name: "make again",
    run: (from, to) => {
      for (let i = from; i < to; i++) refs[i] = make(targets[i]!)
    }
  }, {
    name: "deref",
    run: (from, to) => {
      for (let i = from; i < to; i++) kept.value = deref(refs[i])
    }
  }]
}
