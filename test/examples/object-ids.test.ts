import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { NoObjectError, ObjectIds } from "../../examples/object-ids.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { onBothHeaps } from "../support/worlds.ts"

describe("object-ids", () => {
  onBothHeaps("finds an object by its id for as long as somebody keeps it", (world) =>
    Effect.gen(function*() {
      const { find, remember } = yield* ObjectIds
      const a = yield* world.with("a", remember)
      const b = yield* world.with("b", remember)
      for (const [name, id] of [["a", a], ["b", b]] as const) {
        assert.isTrue(yield* world.with(name, (object) => Effect.map(find(id), (found) => found === object)))
      }
      yield* world.die("a")
      const error = yield* Effect.flip(find(a))
      assert.instanceOf(error, NoObjectError)
      assert.strictEqual(error.id, a)
      assert.include(error.message, `the id ${a}`)
      assert.isTrue(yield* world.with("b", (object) => Effect.map(find(b), (found) => found === object)))
    }).pipe(Effect.provide(ObjectIds.layer)))

  onBothHeaps("gives an object one id, and no id twice", (world) =>
    Effect.gen(function*() {
      const { remember } = yield* ObjectIds
      const first = yield* world.with("a", remember)
      assert.strictEqual(yield* world.with("a", remember), first)
      yield* world.die("a")
      const ids = new Set([first, yield* world.with("a", remember), yield* world.with("b", remember)])
      assert.strictEqual(ids.size, 3)
    }).pipe(Effect.provide(ObjectIds.layer)))

  it.effect("assigns different ids to equal objects", () =>
    Effect.gen(function*() {
      const { find, remember } = yield* ObjectIds
      const [one, other] = [{ id: 1 }, { id: 1 }]
      const ids = [yield* remember(one), yield* remember(other)] as const
      assert.strictEqual(yield* find(ids[0]), one)
      assert.strictEqual(yield* find(ids[1]), other)
    }).pipe(Effect.provide(ObjectIds.layer)))

  it.effect("fails for an id that was never assigned", () =>
    Effect.gen(function*() {
      const { find } = yield* ObjectIds
      assert.instanceOf(yield* Effect.flip(find(1)), NoObjectError)
    }).pipe(Effect.provide(ObjectIds.layer)))

  it.effect("uses the heap of the layer that provides it", () =>
    Effect.gen(function*() {
      const { find, remember } = yield* ObjectIds
      const object = {}
      const id = yield* remember(object)
      yield* TestHeap.collect(object)
      assert.instanceOf(yield* Effect.flip(find(id)), NoObjectError)
    }).pipe(Effect.provide(Layer.provideMerge(ObjectIds.layer, TestHeap.layer))))

  it("prints its results when it is run", async () => {
    const program = path.join(import.meta.dirname, "../../examples/object-ids.ts")
    const { stderr, stdout } = await promisify(execFile)(process.execPath, [program])
    assert.deepStrictEqual(stdout.trimEnd().split("\n"), [
      "Two objects have been remembered:",
      "1 is { title: 'The Starry Night' }",
      "2 is { title: 'The Just Judges' }",
      "After a garbage collection:",
      "1 is { title: 'The Starry Night' }",
      "No object has the id 2: the id was never used, or the object has been collected",
      "The program has kept { title: 'The Starry Night' }"
    ])
    assert.strictEqual(stderr, "")
  })
})
