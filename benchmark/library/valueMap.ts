import * as WeakValueMap from "../../src/WeakValueMap.ts"
import type { Collection } from "../contenders.ts"
import { runProgram } from "../program.ts"

runProgram()

type Compare = "structural" | "reference"

const collection = (compare: Compare): Collection => ({
  make: () => WeakValueMap.makeUnsafe({ compare }),
  get: WeakValueMap.get,
  set: WeakValueMap.set,
  remove: WeakValueMap.remove,
  iterate: WeakValueMap.entries,
  loop: (self, kept) => {
    for (const entry of WeakValueMap.entries(self)) kept.value = entry
  },
  forEach: (self, f) => void WeakValueMap.forEach(self, f),
  size: WeakValueMap.size
})

export const structural = collection("structural")

export const byReference = collection("reference")
