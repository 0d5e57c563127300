/** A test of vitest that runs in a context of `node:vm`, in which the class of the test is. */
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
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

const pathOf = async (keep: (value: object) => unknown): Promise<string> => {
  const make = Effect.sync(() => {
    const value = {}
    keep(value)
    return value
  })
  const { message } = await Effect.runPromise(Effect.flip(LeakDetector.expectCollected(make, { rounds: 1 })))
  return message.split("\n")[1]!.trim()
}

const inModule: Array<object> = []

describe("expectCollected", { timeout: 120_000 }, () => {
  const inDescribe: Array<object> = []

  test("begins the path at a variable of the program, and not in vitest", async () => {
    const paths = await Promise.all([
      pathOf((value) => inModule.push(value)),
      pathOf((value) => inDescribe.push(value)),
      pathOf((value) => Reflect.set(globalThis, "held", value))
    ])
    expect(paths[0]).toMatch(/^variable inModule of module \S*vmThreads\.ts → Array\[0\] → value$/)
    expect(paths[1]).toMatch(
      /^variable inDescribe captured by closure \(anonymous\) \(\S*vmThreads\.ts:\d+:\d+\) → Array\[0\] → value$/
    )
    expect(paths[2]).toBe("globalThis.held → value")
  })
})
