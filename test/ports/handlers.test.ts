/** `logging`: handlers are found by name and closed at shutdown, newest first, and the module keeps none of them alive. */
import { assert, describe } from "@effect/vitest"
import { Effect, Option } from "effect"
import { WeakSet, WeakValueMap } from "../../src/index.ts"
import { onBothHeapsWith } from "../support/worlds.ts"

class Handler {
  readonly name: string
  isOpen = true
  constructor(name: string) {
    this.name = name
  }
}

class Logging {
  private readonly byName: WeakValueMap.WeakValueMap<string, Handler>
  /** Iterates in insertion order. */
  private readonly all: WeakSet.WeakSet<Handler>

  constructor(byName: WeakValueMap.WeakValueMap<string, Handler>, all: WeakSet.WeakSet<Handler>) {
    this.byName = byName
    this.all = all
  }

  static make: Effect.Effect<Logging> = Effect.zipWith(
    WeakValueMap.make<string, Handler>(),
    WeakSet.make<Handler>(),
    (byName, all) => new Logging(byName, all)
  )

  add(handler: Handler): void {
    WeakValueMap.set(this.byName, handler.name, handler)
    WeakSet.add(this.all, handler)
  }

  find(name: string): Option.Option<Handler> {
    return WeakValueMap.get(this.byName, name)
  }

  shutdown(): Array<string> {
    const handlers = Array.from(this.all).reverse()
    for (const handler of handlers) handler.isOpen = false
    return handlers.map(({ name }) => name)
  }

  get size(): readonly [number, number] {
    return [WeakValueMap.size(this.byName), WeakSet.size(this.all)]
  }
}

const onBothHeaps = onBothHeapsWith((name) => new Handler(name))

describe("logging handlers", () => {
  onBothHeaps("are found by name while they are in use", (world) =>
    Effect.gen(function*() {
      const logging = yield* Logging.make
      for (const name of ["file", "console"]) yield* world.sync(name, (handler) => logging.add(handler))
      assert.isTrue(Option.isSome(logging.find("file")))
      yield* world.die("console")
      assert.isTrue(Option.isNone(logging.find("console")))
      assert.deepStrictEqual(logging.size, [1, 1])
    }))

  onBothHeaps("are closed at shutdown, newest first", (world) =>
    Effect.gen(function*() {
      const logging = yield* Logging.make
      for (const name of ["a", "b", "c"]) yield* world.sync(name, (handler) => logging.add(handler))
      yield* world.die("b")
      assert.deepStrictEqual(logging.shutdown(), ["c", "a"])
      assert.isFalse(yield* world.sync("a", ({ isOpen }) => isOpen))
    }))

  onBothHeaps(
    "of the same name: the newest is found, and the older one is still closed",
    (world) =>
      Effect.gen(function*() {
        const logging = yield* Logging.make
        const newest = new Handler("file")
        yield* world.sync("file", (handler) => logging.add(handler))
        logging.add(newest)
        assert.deepStrictEqual(logging.find("file"), Option.some(newest))
        assert.deepStrictEqual(logging.shutdown(), ["file", "file"])
        yield* world.die("file")
        assert.deepStrictEqual(logging.find("file"), Option.some(newest))
        assert.deepStrictEqual(logging.size, [1, 1])
      })
  )
})
