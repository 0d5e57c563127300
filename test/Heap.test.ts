import { assert, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { runInNewContext } from "node:vm"
import { Heap } from "../src/index.ts"
import { hasNode, isBun } from "./support/host.ts"
import { collectUntil } from "./support/realHeap.ts"

describe("Heap", () => {
  it("exports only public values", () =>
    assert.hasAllKeys({ ...Heap }, ["Heap", "collectGarbage", "isWeakReferenceable"]))

  it("recognizes the values that can be weakly referenced", () => {
    const yes = [{}, [], () => 1, Heap.Heap, Symbol("mine"), Symbol.iterator, new Proxy({}, {}), Object.create(null)]
    const no = [undefined, null, 0, Number.NaN, "text", true, 1n, Symbol.for("registered")]
    for (const value of yes) {
      assert.isTrue(Heap.isWeakReferenceable(value))
      assert.doesNotThrow(() => new WeakRef(value))
    }
    for (const value of no) {
      assert.isFalse(Heap.isWeakReferenceable(value))
      assert.throws(() => new WeakRef(value as unknown as WeakKey))
    }
    assert.isTrue(Heap.isWeakReferenceable(runInNewContext("({})")))
  })

  it.effect("is the host's heap unless another heap is provided", () =>
    Effect.gen(function*() {
      const heap = yield* Heap.Heap
      assert.deepStrictEqual(heap, { WeakRef, WeakMap, FinalizationRegistry })
      const other = { ...heap }
      assert.strictEqual(yield* Effect.provideService(Heap.Heap, Heap.Heap, other), other)
    }))

  it("has the key of every copy and version of the library", () =>
    assert.strictEqual(Heap.Heap.key, "effect-weakref/Heap"))

  it("collectGarbage starts the sentinel that protects the clean-ups of old engines", async () => {
    // Skips the test in a page, so it comes before the spy.
    vi.resetModules()
    const register = vi.spyOn(FinalizationRegistry.prototype, "register")
    const { collectGarbage } = await import("../src/Heap.ts")
    const before = register.mock.calls.length
    await Effect.runPromise(collectGarbage)
    const after = register.mock.calls.length
    register.mockRestore()
    assert.isAbove(after, before)
  })

  it.effect("collectGarbage collects in a separate turn", () =>
    Effect.gen(function*() {
      const refs: Array<WeakRef<object>> = []
      const make = () => void refs.push(new WeakRef({}))
      make()
      assert.isTrue(yield* Heap.collectGarbage)
      assert.isTrue(yield* collectUntil(() => refs[0]!.deref() === undefined))
    }))

  it.effect("collectGarbage uses the collector of each host, or succeeds with false", () =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      const globals = globalThis as { gc?: unknown; Bun?: unknown; process?: unknown }
      const collectIn = (hostGlobals: typeof globals) => {
        const before = Object.entries({ gc: undefined, ...hostGlobals }).map(([name]) =>
          [name, name in globals, Reflect.get(globals, name)] as const
        )
        return Effect.acquireUseRelease(
          Effect.sync(() => Object.assign(globals, { gc: undefined }, hostGlobals)),
          () => Heap.collectGarbage,
          () =>
            Effect.sync(() => {
              for (const [name, existed, value] of before) {
                if (existed) Reflect.set(globals, name, value)
                else Reflect.deleteProperty(globals, name)
              }
            })
        )
      }
      assert.isTrue(yield* collectIn({ gc: () => calls.push("gc") }))
      assert.strictEqual(yield* collectIn({}), hasNode)
      if (isBun) {
        // Bun's own global cannot be replaced.
        assert.deepStrictEqual(calls, ["gc"])
        return
      }
      assert.isTrue(yield* collectIn({ Bun: { gc: (sync: boolean) => calls.push(`Bun.gc ${sync}`) } }))
      assert.isFalse(yield* collectIn({ process: undefined }))
      assert.deepStrictEqual(calls, ["gc", "Bun.gc true"])
    }))
})
