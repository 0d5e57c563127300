/** Runs the core suite in workerd. Each test runs in the handler of a request of its own, because workerd cancels a request that hangs. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import type { Outcome } from "../report.ts"
import { bundle, outcome, workFolder } from "./bundle.ts"
import type { Result } from "./run.ts"

/** Answers `/` with the names of the tests, and `/0` with the result of the first test. */
const epilogue = `export default {
  fetch: async ({ url }) => {
    const [, index] = new URL(url).pathname.split("/")
    return Response.json(index === "" ? tests.map(([name]) => name) : await runOne(tests[index]))
  }
}`

const config = (port: number): string =>
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "suite.mjs", esModule = embed "suite.mjs")],
    compatibilityDate = "2026-01-01"
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
  v8Flags = ["--expose-gc"]
);
`

export const onWorkerd = async (file: string, version: string): Promise<Outcome> => {
  const suite = await bundle({ epilogue })
  const folder = workFolder("workerd")
  const port = await freePort()
  fs.writeFileSync(path.join(folder, "suite.mjs"), suite.code)
  fs.writeFileSync(path.join(folder, "config.capnp"), config(port))
  const server = childProcess.spawn(file, ["serve", "config.capnp"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"]
  })
  try {
    // The server answers with what the epilogue returns.
    const names = await request(port, "") as ReadonlyArray<string>
    const results: Array<Result> = []
    for (const [index, name] of names.entries()) {
      results.push(
        await request(port, index).then((result) => result as Result, (error) => ({ name, error: String(error) }))
      )
    }
    return outcome(version, results, suite)
  } finally {
    server.kill("SIGKILL")
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Tries for 30 seconds, because the server needs some time to start. */
const request = async (port: number, path: string | number): Promise<unknown> => {
  for (let attempt = 0;; attempt++) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/${path}`, { signal: AbortSignal.timeout(60_000) })
      if (!response.ok) throw new Error(await response.text())
      return await response.json()
    } catch (error) {
      if (attempt === 300 || !(error instanceof TypeError)) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
