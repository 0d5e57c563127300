/** The example runs, briefly: with real Redis, and with the embedded default. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { isBuiltin } from "node:module"
import { type Report, run } from "../../examples/shared-documents/driver.ts"
import * as RedisServer from "../../examples/shared-documents/RedisServer.ts"
import { table } from "../../examples/shared-documents/Report.ts"

/** Installs Redis from Debian's packages if it is missing, which needs root. Returns why there is none. */
const installRedis = (): string | undefined => {
  if (RedisServer.isInstalled()) return undefined
  if (process.getuid?.() !== 0) return "redis-server is not installed, and only root may install it"
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    execFileSync("apt-get", ["update"], { stdio: "ignore", timeout: 120_000, env })
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "redis-server"], {
      stdio: "ignore",
      timeout: 180_000,
      env
    })
  } catch (error) {
    return `redis-server cannot be installed: ${String(error)}`
  }
  return RedisServer.isInstalled() ? undefined : "redis-server is not there after its installation"
}

const holds = (report: Report): void => {
  const printed = `\n${table([report])}`
  assert.strictEqual(report.wrong, 0, printed)
  assert.strictEqual(report.staleAfterBound, 0, printed)
  assert.strictEqual(report.failed, 0, printed)
  assert.isAbove(report.requests, 100, printed)
  assert.isAbove(report.changes, 0, printed)
  assert.isAbove(report.counts.fromMemory, 0, printed)
  assert.isBelow(report.counts.renders, report.counts.requests / 2, printed)
}

describe("shared-documents", () => {
  const missing = installRedis()
  if (missing !== undefined) console.error(`\n*** NOT TESTED WITH REAL REDIS: ${missing} ***\n`)

  it.live.skipIf(missing !== undefined)(
    "with Redis: processes hear of changes, and outlive a killed one and Redis",
    () =>
      Effect.gen(function*() {
        const report = yield* run({ redis: true, seconds: 8 })
        holds(report)
        assert.isAbove(report.counts.fromStore, 0)
        assert.isAbove(report.counts.withoutStore, 0, "lookups while Redis was down")
        assert.isBelow(report.resumedAfter!, 12_000)
        // Far less than without messages.
        assert.isBelow(report.staleness.median, 500)
      }),
    120_000
  )

  it.live("embedded: values are out of date for their time to live at most", () =>
    Effect.gen(function*() {
      holds(yield* run({ redis: false, seconds: 6 }))
    }), 120_000)

  it.live.skipIf(!isBuiltin("node:sqlite"))(
    "embedded, on SQLite: processes share what one of them has rendered (needs node:sqlite)",
    () =>
      Effect.gen(function*() {
        const report = yield* run({ redis: false, sqlite: true, seconds: 6 })
        holds(report)
        assert.isAbove(report.counts.fromStore, 0)
        assert.strictEqual(report.counts.withoutStore, 0, "lookups that the database did not answer")
      }),
    120_000
  )
})
