/** How the values of the library are printed: the whole JSON of each kind. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Formatter, Layer, Scope } from "effect"
import { inspect } from "node:util"
import {
  Finalizer,
  Heap,
  Interner,
  LeakMonitor,
  WeakCache,
  WeakKeyMap,
  WeakListeners,
  WeakMethod,
  WeakRef,
  WeakSet,
  WeakValueMap
} from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

const key = { id: 1 }
const counter = { step: () => undefined }

class Extended extends WeakRef.Class<WeakKey> {}

const scope = Scope.makeUnsafe()

/** Each value on a test heap, what it holds weakly, and its JSON before and after that has been collected. */
const cases: Record<string, (heap: Heap.Heap) => readonly [value: unknown, before: unknown, after: unknown]> = {
  "a reference": (heap) => [
    WeakRef.makeUnsafe(key, heap),
    { _id: "WeakRef", value: { _id: "Option", _tag: "Some", value: { id: 1 } } },
    { _id: "WeakRef", value: { _id: "Option", _tag: "None" } }
  ],
  "a reference of a subclass": (heap) => [
    new Extended(key, heap),
    { _id: "WeakRef", value: { _id: "Option", _tag: "Some", value: { id: 1 } } },
    { _id: "WeakRef", value: { _id: "Option", _tag: "None" } }
  ],
  "a set": (heap) => [
    WeakSet.add(WeakSet.makeUnsafe<object>({}, heap), key),
    { _id: "WeakSet", values: [{ id: 1 }] },
    { _id: "WeakSet", values: [] }
  ],
  "a map with weak keys": (heap) => [
    WeakKeyMap.set(WeakKeyMap.makeUnsafe<object, number>({}, heap), key, 5),
    { _id: "WeakKeyMap", values: [[{ id: 1 }, 5]] },
    { _id: "WeakKeyMap", values: [] }
  ],
  "a map with weak values": (heap) => [
    WeakValueMap.set(WeakValueMap.makeUnsafe<number, object>({}, heap), 5, key),
    { _id: "WeakValueMap", values: [[5, { id: 1 }]] },
    { _id: "WeakValueMap", values: [] }
  ],
  "a finalizer": (heap) => [
    Finalizer.makeUnsafe(key, Effect.void, { heap, scope }),
    { _id: "Finalizer", status: "alive", atExit: true },
    { _id: "Finalizer", status: "dead", atExit: false }
  ],
  "a hub": (heap) => {
    const hub = WeakListeners.makeUnsafe<number>(heap)
    WeakListeners.addUnsafe(hub, key, () => undefined)
    return [hub, { _id: "WeakListeners", size: 1 }, { _id: "WeakListeners", size: 0 }]
  },
  "a listener": (heap) => [
    WeakListeners.addUnsafe(WeakListeners.makeUnsafe<number>(heap), key, () => undefined),
    { _id: "Listener" },
    { _id: "Listener" }
  ],
  "an interner": (heap) => {
    const interner = Interner.makeUnsafe<object>(heap)
    Interner.intern(interner, key)
    return [interner, { _id: "Interner", values: [{ id: 1 }] }, { _id: "Interner", values: [] }]
  },
  "a method": (heap) => [
    WeakMethod.makeUnsafe(counter, "step", heap),
    {
      _id: "WeakMethod",
      receiver: { _id: "Option", _tag: "Some", value: { step: "[Function: step]" } },
      method: { _id: "Option", _tag: "Some", value: "step" }
    },
    {
      _id: "WeakMethod",
      receiver: { _id: "Option", _tag: "None" },
      method: { _id: "Option", _tag: "Some", value: "step" }
    }
  ]
}

describe("the JSON", () => {
  for (const [name, make] of Object.entries(cases)) {
    it(`of ${name} says what it is, before and after a collection`, () => {
      const { collect, finalize, heap } = TestHeap.makeUnsafe()
      const [value, before, after] = make(heap)
      const jsonOf = () => JSON.parse(JSON.stringify(value))
      assert.deepStrictEqual(jsonOf(), before)
      const { _id, values } = before as { readonly _id: string; readonly values?: unknown }
      const text = !/Set$|Map$/.test(_id) ? JSON.stringify(before) : `${_id}(${JSON.stringify(values)})`
      assert.strictEqual(String(value), text)
      assert.strictEqual(inspect(value, { depth: 9 }), inspect(before, { depth: 9 }))
      collect(key, counter)
      finalize()
      assert.deepStrictEqual(jsonOf(), after)
    })
  }

  it("of a cache says its bound and its sizes", () => {
    const program = Effect.gen(function*() {
      const cache = yield* WeakCache.make({ lookup: (id: number) => Effect.succeed({ id }), capacity: 2 })
      yield* Effect.forEach([1, 2, 3], (id) => WeakCache.get(cache, id))
      const json = { _id: "WeakCache", capacity: 2, size: 3, strong: 2 }
      assert.deepStrictEqual(JSON.parse(JSON.stringify(cache)), json)
      assert.strictEqual(String(cache), Formatter.format(json))
    })
    Effect.runSync(Effect.scoped(program))
  })
})

describe("a service", () => {
  it("has a key that begins with the name of the package", () => {
    assert.deepStrictEqual([Heap.Heap.key, LeakMonitor.LeakMonitor.key], [
      "effect-weakref/Heap",
      "effect-weakref/LeakMonitor"
    ])
    const level = Effect.runSync(Effect.scoped(Effect.gen(function*() {
      const context = yield* Layer.build(LeakMonitor.layer({ level: "all" }))
      return Context.get(context, LeakMonitor.LeakMonitor).level
    })))
    assert.strictEqual(level, "all")
  })
})
