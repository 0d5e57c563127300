import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import * as Example from "../../examples/explore-package.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { it } from "../../src/testing/Vitest.ts"

/** A map whose clean-up looks whose entry it removes. */
class CarefulMap implements Example.SessionMap {
  private readonly refs = new Map<string, WeakRef<object>>()
  private readonly registry = new FinalizationRegistry<{ readonly key: string; readonly ref: WeakRef<object> }>(
    ({ key, ref }) => {
      if (this.refs.get(key) === ref) this.refs.delete(key)
    }
  )
  get(key: string) {
    return this.refs.get(key)?.deref()
  }
  set(key: string, value: object) {
    const ref = new WeakRef(value)
    this.refs.set(key, ref)
    this.registry.register(value, { key, ref })
  }
  delete(key: string) {
    this.refs.delete(key)
  }
  clear() {
    this.refs.clear()
  }
}

const careful = Effect.sync(() => new CarefulMap())

describe("explore-package", () => {
  it.explore("delete of the package unregisters the clean-up", Example.logInTwice(Example.makePackageMap, "delete"))

  it("clear of the package leaves a clean-up that removes a new entry", async () => {
    const error = await Effect.runPromise(
      Effect.flip(TestHeap.explore(Example.logInTwice(Example.makePackageMap, "clear")))
    )
    assert.strictEqual(error.trace, "turn 3: {user: \"Ada\"} is collected and its clean-up runs")
    assert.include(error.message, "the new session \"session\" is not in the map")
    // The same schedule shows the same failure.
    const again = await Effect.runPromiseExit(
      TestHeap.replay(Example.logInTwice(Example.makePackageMap, "clear"), error.schedule)
    )
    assert.strictEqual(again._tag, "Failure")
  })

  for (const forgetting of ["delete", "clear"] as const) {
    it.explore(`a map with a careful clean-up survives ${forgetting}`, Example.logInTwice(careful, forgetting))
  }

  it("prints its results when it is run", async () => {
    const program = path.join(import.meta.dirname, "../../examples/explore-package.ts")
    const { stderr, stdout } = await promisify(execFile)(process.execPath, [program])
    assert.deepStrictEqual(stdout.trimEnd().split("\n"), [
      "delete: holds in 3 schedules, which are all",
      "clear: the new session \"session\" is not in the map",
      "  turn 3: {user: \"Ada\"} is collected and its clean-up runs",
      "  schedule 1:cleanup#1"
    ])
    assert.strictEqual(stderr, "")
  })
})
