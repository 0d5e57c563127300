/** A test of vitest that runs in a context of `node:vm`, in which the class of the test is. */
import { Effect } from "effect"
import { expect, test } from "vitest"
import { LeakDetector } from "../../../src/testing/index.ts"

class Session {
  readonly user = "Ada"
}
const sessions: Array<Session> = []

test("finds a leak", { timeout: 120_000 }, async () => {
  const open = Effect.sync(() => void sessions.push(new Session()))
  const error = await Effect.runPromise(
    Effect.flip(LeakDetector.expectNoGrowth(open, { classes: [Session], repeat: 5 }))
  )
  expect(error.growth.map(({ after, before, name }) => [name, after - before])).toEqual([["Session", 5]])
})
