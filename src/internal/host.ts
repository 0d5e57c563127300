/** Provides the weak constructors of the host. Runs functions in later turns, and forces collections. */
import type { Heap } from "../Heap.ts"

interface Host extends Partial<Heap> {
  readonly setImmediate?: (f: () => void) => unknown
  readonly setTimeout?: (f: () => void, millis: number) => unknown
  readonly MessageChannel?: new() => { readonly port1: Port; readonly port2: Port }
  readonly gc?: () => void
  readonly Bun?: { readonly gc: (synchronously: boolean) => void }
  readonly process?: {
    getBuiltinModule(name: "node:v8"): { setFlagsFromString(flags: string): void }
    getBuiltinModule(name: "node:vm"): { runInNewContext(code: string): () => void }
  }
}

interface Port {
  onmessage: (() => void) | null
  postMessage(message: undefined): void
  close(): void
}

// The library is compiled without DOM and Node types. `Host` describes the globals that this file uses.
const global = globalThis as unknown as Host

/** Reads a global. Returns `undefined` if the host does not have it, or refuses to return it. */
const read = <K extends keyof Host>(name: K): Host[K] | undefined => {
  try {
    return global[name]
  } catch {
    return undefined
  }
}

// Effect itself needs the host's WeakMap.
const names = ["WeakRef", "FinalizationRegistry"] as const

const makeHost = (): Heap => {
  const heap = { WeakRef: read("WeakRef"), WeakMap, FinalizationRegistry: read("FinalizationRegistry") }
  for (const name of names) {
    if (heap[name] !== undefined) continue
    // Not enumerable, so that a program can spread the host's heap and add what is missing.
    Object.defineProperty(heap, name, {
      enumerable: false,
      get: () => {
        throw new ReferenceError(
          `This host has no ${name}: use a newer engine, load a polyfill first, or provide a Heap.Heap`
        )
      }
    })
  }
  // The cast is safe: each property that was missing throws instead of returning `undefined`.
  return heap as Heap
}

/** Whether the host has all constructors of a heap. */
export const isComplete = /*#__PURE__*/ names.every((name) => read(name) !== undefined)

/** The heap of the engine that runs the program. Reading a constructor that the engine does not have throws. */
export const host: Heap = /*#__PURE__*/ makeHost()

// Read once, because a test that installs fake timers must not stop the clean-up.
const setImmediate = /*#__PURE__*/ read("setImmediate")
const setTimeout = /*#__PURE__*/ read("setTimeout")

/** Schedules a function. Returns `false` or throws if the host refuses. */
type Schedule = (f: () => void) => boolean

const byImmediate: Schedule = (f) => setImmediate?.(f) !== undefined

const byTimer: Schedule = (f) => setTimeout?.(f, 0) !== undefined

// Browsers delay nested timers by 4 ms, but not messages. Each message has a channel of its own, because workerd silently
// drops the messages of a channel that a request created after that request has ended.
const byMessage: Schedule = (f) => {
  const Channel = read("MessageChannel")
  if (Channel === undefined) return false
  const { port1, port2 } = new Channel()
  // `addEventListener` would need `start`, and the ports of all hosts have `onmessage`.
  // oxlint-disable-next-line unicorn/prefer-add-event-listener
  port1.onmessage = () => {
    port1.close()
    f()
  }
  // A port has no target origin, unlike a window.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  port2.postMessage(undefined)
  return true
}

const schedule = (f: () => void, ...schedules: ReadonlyArray<Schedule>): void => {
  let called = false
  // A host that returns nothing may have scheduled the function anyway.
  const once = () => {
    if (called) return
    called = true
    f()
  }
  for (const schedule of schedules) {
    try {
      if (schedule(once)) return
    } catch {
      // For example, workerd refuses outside of a request.
    }
  }
  void afterMicrotasks(once)
}

// A turn of its own is impossible here. Uses `await`, because a program can replace `then` and `queueMicrotask`.
const afterMicrotasks = async (f: () => void): Promise<void> => {
  await undefined
  f()
}

/**
 * Calls `f` once, in a later turn if the host has a way to schedule one, and otherwise in a
 * microtask. Never throws. `f` must not throw, because some hosts report nothing.
 */
export const nextTurn = (f: () => void): void => schedule(f, byImmediate, byMessage, byTimer)

/** Calls `f` after a timer, which fires after the clean-ups of a collection that has ended. Otherwise like `nextTurn`. */
export const nextTimer = (f: () => void): void => schedule(f, byTimer, byMessage, byImmediate)

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
