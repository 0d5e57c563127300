/** Gives a page the globals of Node that the tests use. */
import { vi } from "vitest"
import { skip } from "../../../test/support/host.ts"

// Effect would otherwise yield with `setTimeout(0)`, which browsers clamp to 4 ms.
if (globalThis.setImmediate === undefined) {
  const { port1, port2 } = new MessageChannel()
  const waiting = new Map<number, () => void>()
  let id = 0
  port1.addEventListener("message", ({ data }) => {
    const f = waiting.get(data)
    waiting.delete(data)
    f?.()
  })
  port1.start()
  Object.assign(globalThis, {
    setImmediate: (f: (...args: Array<unknown>) => void, ...args: Array<unknown>) => {
      waiting.set(++id, () => f(...args))
      port2.postMessage(id)
      return id
    },
    clearImmediate: (id: number) => waiting.delete(id)
  })
}
Object.assign(globalThis, { global: globalThis })

// A page never loads a module twice.
vi.resetModules = () => skip("loads the library twice")
