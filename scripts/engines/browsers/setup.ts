/** Gives a page the globals of Node that the tests use. */
import { vi } from "vitest"
import { skip } from "../../../test/support/host.ts"

// Effect would otherwise yield with `setTimeout(0)`, which browsers clamp to 4 ms.
if (globalThis.setImmediate === undefined) {
  const waiting = new Map<number, () => void>()
  let id = 0
  const call = (id: number): void => {
    const f = waiting.get(id)
    waiting.delete(id)
    f?.()
  }
  const { port1, port2 } = new MessageChannel()
  port1.addEventListener("message", ({ data }) => call(data))
  port1.start()
  // Firefox sends a message to its own page through another process, which takes long.
  const { scheduler } = globalThis as { scheduler?: { postTask?: (f: () => void) => unknown } }
  const post = scheduler?.postTask === undefined
    ? (id: number) => port2.postMessage(id)
    : (id: number) => scheduler.postTask!(() => call(id))
  Object.assign(globalThis, {
    setImmediate: (f: (...args: Array<unknown>) => void, ...args: Array<unknown>) => {
      waiting.set(++id, () => f(...args))
      post(id)
      return id
    },
    clearImmediate: (id: number) => waiting.delete(id)
  })
}
Object.assign(globalThis, { global: globalThis })

// A page never loads a module twice.
vi.resetModules = () => skip("loads the library twice")
