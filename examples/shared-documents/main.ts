/**
 * An HTTP service that parses and serves large documents, as three processes on one Redis server, under load.
 *
 *     npm run example:documents [seconds]
 *
 * Here the library is imported from its sources; a program of yours imports it from "effect-weakref".
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { run } from "./driver.ts"
import * as RedisServer from "./RedisServer.ts"
import { table } from "./Report.ts"

const introduction = `
Three processes serve the same documents. Each has a WeakCache; its lookup reads a PersistedCache that all
processes share; the lookup of that one renders the document. A change on one process reaches the others through
Redis pub/sub. In the middle, one process is killed and started again, then Redis is stopped and started again.
"embedded" is the same program without Redis: processes see the others' changes when their values expire.
`

const seconds = Math.min(60, Math.max(4, Number(process.argv[2] ?? 12)))

const program = Effect.gen(function*() {
  yield* Console.log(introduction)
  const hasRedis = RedisServer.isInstalled()
  if (!hasRedis) {
    yield* Console.log(
      "redis-server is not installed: only the embedded run follows. On Debian: apt-get install redis-server\n"
    )
  }
  const reports = []
  for (const redis of hasRedis ? [true, false] : [false]) {
    yield* Console.log(`${redis ? "With Redis" : "Embedded"}: ${seconds} seconds …`)
    reports.push(yield* run({ redis, seconds }))
  }
  yield* Console.log(`\n${table(reports)}`)
  if (reports.some(({ failed, staleAfterBound, wrong }) => failed + staleAfterBound + wrong > 0)) {
    return yield* Effect.die(new Error("Requests failed, or answers were wrong"))
  }
})

NodeRuntime.runMain(program)
