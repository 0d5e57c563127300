/** Provides the weak constructors of the host. Runs functions in later turns, and forces collections. */
import type { Heap } from "../Heap.ts"

/** The heap of the engine that runs the program. */
export const host: Heap = { WeakRef, WeakMap, FinalizationRegistry }

interface Host {
  readonly setTimeout: (f: () => void, millis: number) => unknown
  readonly gc?: () => void
  readonly Bun?: { readonly gc: (synchronously: boolean) => void }
  readonly process?: {
    getBuiltinModule(name: "node:v8"): { setFlagsFromString(flags: string): void }
    getBuiltinModule(name: "node:vm"): { runInNewContext(code: string): () => void }
  }
}

// The library is compiled without DOM and Node types. `Host` describes the globals that this file uses.
const global = globalThis as unknown as Host

// Read `setTimeout` once, because a test that installs fake timers must not stop the clean-up.
const { setTimeout } = global

/** Calls `f` in a later turn. */
export const nextTurn = (f: () => void): void => void setTimeout(f, 0)

/** Returns a function that forces a full collection, or `undefined` if the host cannot force one. */
export const collector = (): (() => void) | undefined => {
  if (typeof global.gc === "function") return global.gc
  const bun = global.Bun
  if (bun !== undefined) return () => bun.gc(true)
  try {
    const { process } = global
    process!.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc")
    return process!.getBuiltinModule("node:vm").runInNewContext("gc")
  } catch {
    return undefined
  }
}
