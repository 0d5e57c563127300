import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { Workers } from "../../examples/workers.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { collectThoroughly, collectUntil } from "../support/realHeap.ts"

describe("workers", () => {
  it.live("share a worker, and end it when its handle has been collected", () =>
    Effect.gen(function*() {
      const { ask, get, running } = yield* Workers
      const handle = yield* get("upper")
      assert.strictEqual(yield* get("upper"), handle)
      assert.strictEqual(yield* ask("upper", "a"), "A")
      assert.strictEqual(yield* ask("lower", "A"), "a")
      assert.strictEqual(yield* running, 2)
      yield* TestHeap.collectAndFinalize(handle)
      while ((yield* running) > 1) yield* Effect.sleep("1 millis")
      assert.notStrictEqual(yield* get("upper"), handle)
      assert.strictEqual(yield* running, 2)
    }).pipe(Effect.provide(Layer.provideMerge(Workers.layer, TestHeap.layer))))

  it.live("ends all workers with the Layer", () =>
    Effect.gen(function*() {
      const running = yield* Effect.gen(function*() {
        const { ask, running } = yield* Workers
        yield* Effect.all([ask("upper", "a"), ask("lower", "a")], { concurrency: 2 })
        return running
      }).pipe(Effect.provide(Workers.layer))
      assert.strictEqual(yield* running, 0)
    }))

  it.live("does not end a worker that has a question, on the real heap", () =>
    Effect.gen(function*() {
      const { ask, get, running } = yield* Workers
      const fiber = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 50 }, (_, n) => ask("upper", `a${n}`)), { concurrency: 5 })
      )
      // Each question of this loop has the handle in its own effect only.
      for (let n = 0; n < 5; n++) {
        const [answer] = yield* Effect.all([
          Effect.flatMap(get("upper"), (handle) => handle.ask(`b${n}`)),
          collectThoroughly
        ], { concurrency: 2 })
        assert.strictEqual(answer, `B${n}`)
      }
      assert.deepStrictEqual(yield* Fiber.join(fiber), Array.from({ length: 50 }, (_, n) => `A${n}`))
      let left = 1
      for (let round = 0; round < 50 && left > 0; round++) {
        yield* collectUntil(() => true)
        left = yield* running
      }
      assert.strictEqual(left, 0)
    }).pipe(Effect.provide(Workers.layer)))

  it("prints its results when it is run", async () => {
    const program = path.join(import.meta.dirname, "../../examples/workers.ts")
    const { stderr, stdout } = await promisify(execFile)(process.execPath, [program])
    assert.deepStrictEqual(stdout.trimEnd().split("\n"), [
      "[ 'ONE', 'TWO' ]",
      "Workers: 2",
      "After a garbage collection: 1",
      "still here"
    ])
    assert.strictEqual(stderr, "")
  })
})
