/** The host: its three weak constructors, the end of a turn, and a forced collection. */
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

// The library has no DOM and no Node types: this lists the globals that it asks for.
const global = globalThis as unknown as Host

// Read once: a program that replaces the timers (fake timers of a test) must not stop the clean-up.
const { setTimeout } = global

/** Calls `f` in a later turn. */
export const nextTurn = (f: () => void): void => void setTimeout(f, 0)

/** Returns a function that forces a full collection, or `undefined` if the host has none. */
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
