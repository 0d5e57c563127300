import * as WeakKeyMap from "../../src/WeakKeyMap.ts"
import type { Collection } from "../contenders.ts"
import { runProgram } from "../program.ts"

runProgram()

type Compare = "structural" | "reference"

const collection = (compare: Compare): Collection => ({
  make: () => WeakKeyMap.makeUnsafe({ compare }),
  get: WeakKeyMap.get,
  set: WeakKeyMap.set,
  remove: WeakKeyMap.remove,
  iterate: WeakKeyMap.entries,
  loop: (self, kept) => {
    for (const entry of WeakKeyMap.entries(self)) kept.value = entry
  },
  forEach: (self, f) => void WeakKeyMap.forEach(self, f),
  size: WeakKeyMap.size
})

export const structural = collection("structural")

export const byReference = collection("reference")
