/** A Redis server for one run of the example. */
import { Effect, type Scope } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { connect, createServer } from "node:net"

export interface RedisServer {
  readonly port: number
  readonly start: Effect.Effect<void>
  readonly stop: Effect.Effect<void>
}

export const isInstalled = (): boolean => {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** Starts `redis-server` on a free port of this machine, and stops it with the Scope. It writes nothing to disk. */
export const make: Effect.Effect<RedisServer, never, Scope.Scope> = Effect.gen(function*() {
  const port = yield* freePort
  let stop = async () => {}
  const start = Effect.promise(async () => {
    // `timeout` ends the server even if this process is killed.
    const options = ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--appendonly", "no"]
    const child = spawn("timeout", ["--kill-after=5", "120", "redis-server", ...options], { stdio: "ignore" })
    const kill = () => void child.kill("SIGTERM")
    process.once("exit", kill)
    stop = async () => {
      process.off("exit", kill)
      const exited = once(child, "exit")
      if (child.exitCode === null && child.kill("SIGTERM")) await exited
      stop = async () => {}
    }
    for (let attempt = 0; attempt < 200 && !await accepts(port); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  })
  yield* Effect.acquireRelease(start, () => Effect.promise(() => stop()))
  return { port, start, stop: Effect.promise(() => stop()) }
})

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })

export const freePort: Effect.Effect<number> = Effect.promise(async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : 0
})
