import { assert, describe, it } from "@effect/vitest"
import { Context, Effect } from "effect"
import { isWithin, withWork, Work, workOf } from "../../../src/internal/weakCache/work.ts"

/** Returns the work that a fiber with this work in its context belongs to. */
const seen = (work: Work) =>
  Effect.runSync(Effect.provideContext(
    Effect.withFiber((fiber) => Effect.succeed(workOf(fiber))),
    withWork(
      Context.empty(),
      work
    )
  ))

describe("Work", () => {
  it("belongs to the fibers that have it in their contexts, while it runs", () => {
    const work = new Work()
    assert.isUndefined(seen(work))
    work.begin(undefined)
    assert.strictEqual(seen(work), work)
    work.end()
    assert.isUndefined(seen(work))
    assert.isUndefined(Effect.runSync(Effect.withFiber((fiber) => Effect.succeed(workOf(fiber)))))
  })

  it("has a key in the context that begins with the name of this package", () => {
    const keys = withWork(Context.empty(), new Work()).mapUnsafe.keys()
    assert.match([...keys].join(), /^effect-weakref\/WeakCache\/\w+$/)
  })

  it("refers to nothing before it begins and after it has ended", () => {
    const work = new Work()
    const empty = { isRunning: false, fiber: undefined, parent: undefined, waitsFor: undefined, key: undefined }
    assert.deepStrictEqual({ ...work }, empty)
    work.begin(new Work())
    assert.isTrue(work.isRunning)
    assert.isDefined(work.parent)
    work.waitsFor = new Work()
    work.key = "key"
    work.fiber = Effect.runFork(Effect.void)
    work.end()
    assert.deepStrictEqual({ ...work }, empty)
  })

  it("is within itself and the work that waits for it", () => {
    const [outer, middle, inner, other] = [new Work(), new Work(), new Work(), new Work()]
    outer.begin(undefined)
    middle.begin(outer)
    inner.begin(middle)
    assert.deepStrictEqual([outer, middle, inner, other].map((work) => isWithin(inner, work)), [
      true,
      true,
      true,
      false
    ])
    assert.isFalse(isWithin(outer, inner))
    assert.isFalse(isWithin(undefined, outer))
  })
})
