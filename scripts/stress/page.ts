/**
 * Runs a program in a page of Chromium, with the flags of V8 that come before it. Prints what the program prints. The
 * page has no `setImmediate`, as in a browser that a user opens.
 *
 *     node scripts/stress/page.ts [flags] PROGRAM [arguments]
 */
import * as esbuild from "esbuild"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { chromiumArguments } from "../engines/browsers/chromium.ts"
import { fromDebian, versionOf } from "../engines/install.ts"

const chromium = fromDebian("chromium", "chromium")
const args = process.argv.slice(2)
if (args[0] === "--version") {
  console.log(versionOf(chromium))
  process.exit()
}
const first = args.findIndex((argument) => !argument.startsWith("--"))

const { outputFiles: [file] } = await esbuild.build({
  entryPoints: [args[first]!],
  bundle: true,
  write: false,
  format: "esm",
  target: "esnext",
  platform: "browser",
  define: { "process.argv": JSON.stringify(["", ...args.slice(first)]), "process.exit": "exitPage" }
})

const html = `<script>
const lines = []
console.log = (line) => void lines.push(line)
const exitPage = (code) => void fetch("/", { method: "POST", body: JSON.stringify({ code, lines }) })
const onError = ({ error, reason }) => {
  const { message, stack } = Object(error ?? reason)
  lines.push(JSON.stringify({ faults: [message + "\\n" + stack] }))
  exitPage(1)
}
addEventListener("error", onError)
addEventListener("unhandledrejection", onError)
</script>
<script type="module" src="/program.js"></script>`

const profile = fs.mkdtempSync(path.join(os.tmpdir(), "chromium-"))
const server = http.createServer((request, response) => {
  if (request.method === "POST") {
    let body = ""
    request.on("data", (data) => body += data).on("end", () => {
      const { code, lines } = JSON.parse(body) as { readonly code: number; readonly lines: ReadonlyArray<string> }
      for (const line of lines) console.log(line)
      close(code)
    })
  } else {
    const isPage = request.url === "/"
    response.setHeader("content-type", isPage ? "text/html" : "text/javascript; charset=utf-8")
    response.end(isPage ? html : file!.text)
  }
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
// The cast is safe: the server listens on a port.
const { port } = server.address() as AddressInfo
const page = childProcess.spawn(
  chromium,
  [...chromiumArguments(profile, ...args.slice(0, first)), `http://127.0.0.1:${port}/`],
  { stdio: "ignore" }
)

const close = (code: number): void => {
  page.removeAllListeners("exit").once("exit", () => {
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    process.exit(code)
  }).kill("SIGKILL")
}
page.once("exit", (code) => {
  console.error(`The browser exited with ${code}`)
  process.exit(1)
})
