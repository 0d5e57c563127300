import * as Effect from "effect/Effect"
import * as WeakKeyMap from "../../src/WeakKeyMap.ts"
import type { Collection } from "../collection.ts"
import { runProgram } from "../program.ts"

runProgram()

type Compare = "structural" | "reference"

const collection = (compare: Compare): Collection => ({
  make: () => WeakKeyMap.makeUnsafe({ compare }),
  get: WeakKeyMap.get,
  set: WeakKeyMap.set,
  remove: WeakKeyMap.remove,
  iterate: WeakKeyMap.entries,
  fromEntries: (entries) => Effect.runSync(WeakKeyMap.fromIterable(entries, { compare })),
  size: WeakKeyMap.size
})

export const structural = collection("structural")

export const byReference = collection("reference")
