/**
 * Opens a page in Firefox through its own protocol, Marionette, because only privileged
 * code can force a collection. https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
 */
import * as net from "node:net"

/**
 * Runs in every process of a page, and defines a synchronous `gc` in each new window. An `EventTarget` with a property is
 * a cycle of an object of the page and an object of Firefox, which only the cycle collector frees.
 */
const frameScript = `
addEventListener("DOMWindowCreated", ({ target }) => {
  const window = target.defaultView
  Cu.exportFunction(() => { Cu.forceGC(); Cu.forceCC(); Cu.forceGC() }, window, { defineAs: "gc" })
}, true)
`

export const navigateWithGc = async (url: string): Promise<void> => {
  const send = await connect(2828)
  await send("WebDriver:NewSession", { capabilities: { alwaysMatch: { pageLoadStrategy: "none" } } })
  await send("Marionette:SetContext", { value: "chrome" })
  await send("WebDriver:ExecuteScript", {
    script: "Services.mm.loadFrameScript(arguments[0], true)",
    args: [`data:,${encodeURIComponent(frameScript)}`]
  })
  await send("Marionette:SetContext", { value: "content" })
  await send("WebDriver:Navigate", { url })
}

type Send = (command: string, parameters: object) => Promise<unknown>

const connect = async (port: number): Promise<Send> => {
  const socket = await open(port)
  const waiting = new Map<number, (message: ReadonlyArray<unknown>) => void>()
  let received: Buffer = Buffer.alloc(0)
  // A message is its length in bytes, a colon and JSON.
  socket.on("data", (data: Buffer) => {
    received = Buffer.concat([received, data])
    for (;;) {
      const colon = received.indexOf(":")
      const end = colon + 1 + Number(received.subarray(0, colon).toString())
      if (colon === -1 || received.length < end) break
      const message = JSON.parse(received.subarray(colon + 1, end).toString())
      received = received.subarray(end)
      if (Array.isArray(message)) waiting.get(message[1])?.(message)
    }
  })
  let id = 0
  return (command, parameters) =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify([0, ++id, command, parameters])
      waiting.set(id, ([, , error, result]) =>
        error === null ? resolve(result) : reject(new Error(JSON.stringify(error))))
      socket.write(`${Buffer.byteLength(text)}:${text}`)
    })
}

/** Tries for 30 seconds, because a browser needs some time to start. */
const open = async (port: number): Promise<net.Socket> => {
  for (let attempt = 0;; attempt++) {
    const socket = net.connect(port, "127.0.0.1")
    const error = await new Promise<Error | undefined>((resolve) => {
      socket.once("connect", () => resolve(undefined))
      socket.once("error", resolve)
    })
    if (error === undefined) return socket
    if (attempt === 300) throw error
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
