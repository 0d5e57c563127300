/**
 * Explores a cache of another package, `weak-ref-collections` 1.2.4, which knows nothing of Effect or of this library:
 * runs a program once for each moment at which the collector could run, and prints the moment that breaks it.
 *
 *     node examples/explore-package.ts
 *
 * This program imports the library from its sources. Import it from "effect-weakref"
 * in your own program.
 */
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import { Console, Data, Effect } from "effect"
import { createRequire } from "node:module"
import { TestHeap } from "../src/testing/index.ts"

/** The part of the package's map that a cache uses. */
export interface SessionMap {
  readonly get: (key: string) => object | undefined
  readonly set: (key: string, value: object) => unknown
  readonly delete: (key: string) => unknown
  readonly clear: () => void
}

export class LostSession extends Data.TaggedError("LostSession")<{ readonly key: string }> {
  override get message(): string {
    return `the new session "${this.key}" is not in the map`
  }
}

const require = createRequire(import.meta.url)

/** Loads the package. It makes its registry in the constructor, so the heap of the exploration serves it. */
export const makePackageMap: Effect.Effect<SessionMap> = Effect.sync(() => {
  // The types of the package do not say that it is a Map.
  const { WeakRefMap } = require("weak-ref-collections") as { readonly WeakRefMap: new() => SessionMap }
  return new WeakRefMap()
})

/** How a program forgets the sessions that it has: one by one, or all at once. */
export type Forgetting = "delete" | "clear"

/** Two users log in, one after the other, and all sessions are forgotten in between. */
export const logInTwice = Effect.fn("logInTwice")(function*(make: Effect.Effect<SessionMap>, forgetting: Forgetting) {
  yield* TestHeap.install()
  const sessions = yield* make
  const first = { user: "Ada" }
  sessions.set("session", first)
  // The program drops the first session. From here on, the collector may take it at any moment.
  yield* TestHeap.mayCollect(first)
  yield* TestHeap.turn
  if (forgetting === "clear") sessions.clear()
  else sessions.delete("session")
  const second = { user: "Grace" }
  sessions.set("session", second)
  yield* TestHeap.turn
  if (sessions.get("session") !== second) return yield* new LostSession({ key: "session" })
})

/** Says what the exploration finds. */
export const describe = (make: Effect.Effect<SessionMap>, forgetting: Forgetting): Effect.Effect<string> =>
  TestHeap.explore(logInTwice(make, forgetting)).pipe(
    Effect.map(({ exhaustive, schedules }) =>
      `${forgetting}: holds in ${schedules} schedules${exhaustive ? ", which are all" : ""}`
    ),
    Effect.catchTag(
      "ScheduleError",
      (error) =>
        Effect.succeed(`${forgetting}: ${error.message.split("\n")[0]}\n  ${error.trace}\n  schedule ${error.schedule}`)
    )
  )

const main = Effect.forEach(
  ["delete", "clear"] as const,
  (forgetting) => Effect.flatMap(describe(makePackageMap, forgetting), Console.log),
  { discard: true }
)

if (import.meta.main) NodeRuntime.runMain(main)
