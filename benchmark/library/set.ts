import * as Effect from "effect/Effect"
import * as WeakSet from "../../src/WeakSet.ts"
import type { Collection } from "../collection.ts"
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
  fromEntries: (entries) => Effect.runSync(WeakSet.fromIterable(entries.map(([element]) => element), { compare })),
  size: WeakSet.size
})

export const structural = collection("structural")

export const byReference = collection("reference")
