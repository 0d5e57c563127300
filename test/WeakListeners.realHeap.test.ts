import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { EventEmitter, getEventListeners, setMaxListeners } from "node:events"
import { WeakListeners } from "../src/index.ts"
import { LeakDetector } from "../src/testing/index.ts"
import { hasNode, skip } from "./support/host.ts"
import { collectUntil, heapInUse } from "./support/realHeap.ts"

/** Big enough to see in a reading of the heap. */
class View {
  readonly content = new Array<number>(1_000).fill(0)
  seen = 0
}

/** JavaScriptCore keeps single objects alive through its stack, so the tests use many. */
const many = 100

/** Creates views in a plain function, and returns weak references to them. */
const views = (use: (view: View) => void): Array<WeakRef<View>> =>
  Array.from({ length: many }, () => {
    const view = new View()
    use(view)
    return new WeakRef(view)
  })

const areGone = (refs: ReadonlyArray<WeakRef<object>>): boolean => refs.every((ref) => ref.deref() === undefined)

const isOnV8 = process.versions["bun"] === undefined

// Forced collections and a heap snapshot take long on a busy machine.
describe("WeakListeners on the real heap", { timeout: 180_000 }, () => {
  it.effect("a hub forgets receivers that only its functions hold", () =>
    Effect.gen(function*() {
      const listeners = WeakListeners.makeUnsafe<number>()
      const kept = new View()
      WeakListeners.addUnsafe(listeners, kept, (view) => void view.seen++)
      const refs = views((view) => {
        WeakListeners.addUnsafe(listeners, view, () => void view.seen++)
        WeakListeners.addUnsafe(listeners, view, () => Effect.sync(() => view.seen++))
      })
      yield* WeakListeners.publish(listeners, 1)
      assert.isTrue(yield* collectUntil(() => areGone(refs) && WeakListeners.size(listeners) === 1))
      yield* WeakListeners.publish(listeners, 2)
      assert.strictEqual(kept.seen, 2)
    }))

  it.effect("publish does not keep a receiver after its call, while a later listener runs", () =>
    Effect.gen(function*() {
      const listeners = WeakListeners.makeUnsafe<number>()
      const refs = views((view) => WeakListeners.addUnsafe(listeners, view, (self) => void self.seen++))
      const last = new View()
      let gone = false
      WeakListeners.addUnsafe(
        listeners,
        last,
        () => Effect.map(collectUntil(() => areGone(refs)), (collected) => void (gone = collected))
      )
      yield* WeakListeners.publish(listeners, 1)
      assert.isTrue(gone)
    }))

  it.effect("an EventTarget loses the listeners of dead receivers only", () =>
    Effect.gen(function*() {
      const target = new EventTarget()
      setMaxListeners(0, target)
      const kept = new View()
      const count = () => getEventListeners(target, "data").length
      WeakListeners.listenUnsafe(target, "data", kept, (view) => void view.seen++)
      const refs = views((view) => WeakListeners.listenUnsafe(target, "data", view, () => void view.seen++))
      target.dispatchEvent(new Event("data"))
      assert.isTrue(yield* collectUntil(() => areGone(refs) && count() === 1))
      target.dispatchEvent(new Event("data"))
      assert.strictEqual(kept.seen, 2)
    }))

  it.effect("an EventEmitter loses the listeners of dead receivers only", () =>
    Effect.gen(function*() {
      const target = new EventEmitter().setMaxListeners(0)
      const kept = new View()
      WeakListeners.listenUnsafe(target, "data", kept, (view) => void view.seen++)
      const refs = views((view) => WeakListeners.listenUnsafe(target, "data", view, () => void view.seen++))
      target.emit("data")
      assert.isTrue(yield* collectUntil(() => areGone(refs) && target.listenerCount("data") === 1))
      target.emit("data")
      assert.strictEqual(kept.seen, 2)
    }))

  it.effect("ten thousand dead listeners leave an EventEmitter in slices", () =>
    Effect.gen(function*() {
      const target = new EventEmitter().setMaxListeners(0)
      let removed = 0
      let inTurn = 0
      let most = 0
      target.on("removeListener", () => {
        removed++
        if (inTurn++ === 0) setTimeout(() => (inTurn = 0), 0)
        most = Math.max(most, inTurn)
      })
      const fill = () => {
        for (let i = 0; i < 10_000; i++) WeakListeners.listenUnsafe(target, "data", {}, () => {})
      }
      fill()
      assert.isTrue(yield* collectUntil(() => removed === 10_000, 200))
      assert.isBelow(most, 2_000)
    }))

  it.effect("neither a receiver nor its handle keeps a target alive, and a dropped target leaves nothing", () =>
    Effect.gen(function*() {
      const receiver = { seen: 0, handles: [] as Array<WeakListeners.Listener> }
      const targets = () =>
        Array.from({ length: many }, () => {
          const target = Object.assign(new EventTarget(), { content: new Array(1_000).fill(0) })
          receiver.handles.push(WeakListeners.listenUnsafe(target, "data", receiver, (self) => void self.seen++))
          target.dispatchEvent(new Event("data"))
          return new WeakRef(target)
        })
      const refs = targets()
      assert.isTrue(yield* collectUntil(() => areGone(refs)))
      assert.strictEqual(receiver.seen, many)
      assert.isFalse(receiver.handles.some(WeakListeners.stop))
      receiver.handles = []
      const round = () => {
        for (let i = 0; i < 2_000; i++) {
          WeakListeners.listenUnsafe(new EventEmitter(), "data", receiver, (self) => void self.seen++)
        }
      }
      round()
      const before = yield* heapInUse
      for (let i = 0; i < 3; i++) {
        round()
        yield* heapInUse
      }
      // 6,000 listeners that stay take more than 1 MB.
      assert.isBelow((yield* heapInUse) - before, 400_000)
    }))

  it.effect("a dropped hub leaves nothing with receivers that live on", () =>
    Effect.gen(function*() {
      const receiver = new View()
      const round = () => {
        for (let i = 0; i < 2_000; i++) {
          WeakListeners.addUnsafe(WeakListeners.makeUnsafe<number>(), receiver, (self) => void self.seen++)
        }
      }
      round()
      const before = yield* heapInUse
      for (let i = 0; i < 3; i++) {
        round()
        yield* heapInUse
      }
      assert.isBelow((yield* heapInUse) - before, 400_000)
    }))

  it.effect("adding and removing in a loop leaves nothing behind", () =>
    Effect.gen(function*() {
      const listeners = WeakListeners.makeUnsafe<number>()
      const target = new EventTarget()
      const receiver = new View()
      const round = () => {
        for (let i = 0; i < 4_000; i++) {
          const f = (self: View) => void self.seen++
          WeakListeners.addUnsafe(listeners, receiver, f)
          WeakListeners.remove(listeners, receiver)
          WeakListeners.stop(WeakListeners.addUnsafe(listeners, receiver, f))
          WeakListeners.stop(WeakListeners.listenUnsafe(target, "data", receiver, f))
        }
      }
      round()
      const before = yield* heapInUse
      for (let i = 0; i < 3; i++) {
        round()
        yield* heapInUse
      }
      assert.isBelow((yield* heapInUse) - before, 400_000)
    }))

  describe("written by hand", () => {
    /** Refers weakly to the view, and still leaks: all closures of a generator share its variables. */
    const byHand = (target: EventTarget) =>
      Effect.gen(function* mount() {
        const view = new View()
        const ref = new WeakRef(view)
        // Uses the view, and is dropped at once. It shares its variables with the listener.
        const draw = () => view.seen++
        draw()
        target.addEventListener("data", () => {
          const receiver = ref.deref()
          if (receiver !== undefined) receiver.seen++
        })
        return view
      })

    it.effect.skipIf(!isOnV8)(
      "a weak reference inside a listener leaks, and LeakDetector shows why",
      () =>
        Effect.gen(function*() {
          if (!hasNode) return skip("needs a path of retainers")
          const target = new EventTarget()
          const error = yield* Effect.flip(LeakDetector.expectCollected(byHand(target), { rounds: 2 }))
          assert(error._tag === "LeakError")
          const path = error.retainers.map(({ via }) => via).join(" ")
          assert.match(path, /view/)
          assert.strictEqual(getEventListeners(target, "data").length, 1)
        })
    )

    it.effect("listen does not, even if its function captures the view", () =>
      Effect.gen(function*() {
        const target = new EventTarget()
        const mount = Effect.gen(function* mount() {
          const view = new View()
          const draw = () => view.seen++
          draw()
          yield* WeakListeners.listen(target, "data", view, () => void draw())
          return view
        })
        yield* LeakDetector.expectCollected(mount)
        assert.isTrue(yield* collectUntil(() => getEventListeners(target, "data").length === 0))
      }))
  })
})
