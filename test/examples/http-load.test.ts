/** The HTTP service under load, for a few seconds, or for as many as HTTP_LOAD_SECONDS says. */
import { assert, describe, it } from "@effect/vitest"
import { run } from "../../examples/http-service/driver.ts"

const seconds = Number(process.env["HTTP_LOAD_SECONDS"] ?? 4)

describe("http-service", () => {
  it("answers rightly, closes what it opened, counts what happened, and ends by itself", {
    timeout: (seconds + 110) * 1000
  }, async () => {
    const report = await run(seconds)
    const { answers, closed, exit, first, last, missing, stale, writes, wrong } = report
    const printed = JSON.stringify(report, undefined, 1)

    assert.deepStrictEqual(wrong, [], printed)
    assert.strictEqual(stale, 0, printed)
    for (const count of [answers, missing, writes]) assert.isAbove(count, 0, printed)

    // The statistics agree with the counters of the service, while it runs idle and after it has closed the cache.
    for (const { counts, stats } of [last, closed]) {
      assert.strictEqual(stats.hits + stats.misses, counts.gets, printed)
      assert.strictEqual(stats.failures, counts.failed, printed)
      // A lookup that is interrupted after its file is open is interrupted for the cache.
      assert.strictEqual(
        stats.loads + stats.interrupted,
        counts.succeeded + counts.interrupted,
        printed
      )
      assert.strictEqual(
        stats.loads + stats.sets,
        stats.size + stats.collected + stats.expired + stats.replaced + stats.invalidated + stats.unstored,
        printed
      )
    }
    for (const name of ["hits", "failures", "demoted"] as const) assert.isAbove(last.stats[name], 0, printed)

    // A collection has closed what nobody uses, and closing the cache closes the rest.
    assert.isAtMost(first.counts.opened - first.counts.closed, 200, printed)
    assert.strictEqual(closed.counts.opened, closed.counts.closed, printed)
    assert.deepStrictEqual([closed.stats.size, closed.stats.strong, closed.metrics], [0, 0, 0], printed)
    assert.isAbove(last.metrics, 0, printed)

    // Memory is flat.
    assert.isBelow(last.heap - first.heap, 5_000_000, printed)
    assert.strictEqual(exit, 0, printed)
  })
})
