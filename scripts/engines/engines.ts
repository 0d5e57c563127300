/** The engines that the tests run on. */
import * as path from "node:path"
import { fromDebian, fromRegistry, root, versionOf } from "./install.ts"
import { onJsc } from "./portable/jsc.ts"
import { onWorkerd } from "./portable/workerd.ts"
import type { Outcome, Request } from "./report.ts"
import { onBrowser, onBun, onDeno, onNode } from "./vitest.ts"

export interface Engine {
  readonly name: string
  /** Whether the engine runs only the core suite. */
  readonly isCore?: boolean
  readonly run: (request: Request) => Outcome | Promise<Outcome>
}

const platform = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`
const exe = process.platform === "win32" ? ".exe" : ""

const node = (version: string): Engine => ({
  name: `Node ${version.split(".")[0]}`,
  // The package of this platform contains the binary, and runs no install script.
  run: (request) => onNode(fromRegistry(`node-${platform}`, version, `bin/node${exe}`), request)
})

export const engines: ReadonlyArray<Engine> = [
  node("20.20.2"),
  node("22.23.3"),
  node("24.21.0"),
  { name: "Node 26", run: (request) => onNode(path.join(root, "node_modules", "node", "bin", `node${exe}`), request) },
  { name: "Bun", run: (request) => onBun(fromRegistry(`@oven/bun-${platform}`, "1.4.5", `bin/bun${exe}`), request) },
  {
    name: "Deno",
    run: (request) => {
      const libc = process.platform === "linux" ? "-glibc" : ""
      return onDeno(fromRegistry(`@deno/${platform}${libc}`, "2.9.6", `deno${exe}`), request)
    }
  },
  { name: "Chromium", run: (request) => onBrowser("chromium", fromDebian("chromium", "chromium"), request) },
  { name: "Firefox", run: (request) => onBrowser("firefox", fromDebian("firefox-esr", "firefox-esr"), request) },
  {
    name: "workerd",
    isCore: true,
    run: () => {
      const name = `@cloudflare/workerd-${process.platform}-${process.arch === "x64" ? "64" : process.arch}`
      const version = "1.20261117.1"
      return onWorkerd(fromRegistry(name, version, `bin/workerd${exe}`), version)
    }
  },
  {
    name: "JavaScriptCore",
    isCore: true,
    run: () => {
      const file = fromDebian("jsc", "libjavascriptcoregtk-4.0-bin")
      return onJsc(file, versionOf("dpkg-query", "-W", "-f", "${Version}", "libjavascriptcoregtk-4.0-18") ?? "")
    }
  }
]
