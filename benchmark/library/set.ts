import * as WeakSet from "../../src/WeakSet.ts"
import type { Collection } from "../contenders.ts"
import { runProgram } from "../program.ts"

runProgram()

type Compare = "structural" | "reference"

const collection = (compare: Compare): Collection => ({
  make: () => WeakSet.makeUnsafe({ compare }),
  get: WeakSet.has,
  set: (self, element) => WeakSet.add(self, element),
  remove: WeakSet.remove,
  iterate: WeakSet.values,
  loop: (self, kept) => {
    for (const entry of WeakSet.values(self)) kept.value = entry
  },
  forEach: (self, f) => void WeakSet.forEach(self, f),
  size: WeakSet.size
})

export const structural = collection("structural")

export const byReference = collection("reference")
