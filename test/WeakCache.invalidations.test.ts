/** The `invalidations` of a `WeakCache`, on the test heap and the test clock. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Context, Deferred, Effect, Exit, Fiber, Logger, PubSub, Queue, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { WeakCache } from "../src/index.ts"
import { LeakDetector, TestHeap } from "../src/testing/index.ts"

/** Returns a lookup that creates a new document for each call. */
const documents = () => {
  let version = 0
  return { lookup: (name: string) => Effect.sync(() => ({ name, version: ++version })), capacity: 10 }
}

const settle = Effect.repeat(Effect.yieldNow, { times: 20 })

/** Runs a test with a log: the first line of each message, and of each logged cause. */
const effect = <E>(
  name: string,
  test: (log: Array<string>) => Effect.Effect<void, E, Scope.Scope | TestHeap.TestHeap>
): void => {
  it.effect(name, () =>
    Effect.suspend(() => {
      const log: Array<string> = []
      const logger = Logger.make<unknown, void>(({ cause, message }) => {
        const lines = [message, Cause.pretty(cause)].flat().map(String).filter((text) => text !== "")
        log.push(lines.map((text) => text.split("\n")[0]).join(": "))
      })
      return test(log).pipe(Effect.scoped, Effect.provide([TestHeap.layer, Logger.layer([logger])]))
    }))
}

const failedMessage = "The invalidations of a WeakCache failed. They run again, and then all entries are removed"

/** An effect that subscribes to `bus`, and counts its attempts. It fails while `isDown`. */
const subscriber = <K>(bus: PubSub.PubSub<K>) => {
  const state = { attempts: 0, isDown: false, open: 0 }
  const subscribe = Effect.gen(function*() {
    state.attempts++
    if (state.isDown) return yield* Effect.fail("refused" as const)
    yield* Effect.acquireRelease(Effect.sync(() => state.open++), () => Effect.sync(() => state.open--))
    return Stream.fromSubscription(yield* PubSub.subscribe(bus))
  })
  return { state, subscribe }
}

/** A connection that the test can break. */
const connection = () => {
  const state = { subscriptions: 0, broken: Deferred.makeUnsafe<never, string>() }
  const subscribe = Effect.sync(() => {
    state.subscriptions++
    state.broken = Deferred.makeUnsafe()
    return Stream.fromEffect(Deferred.await(state.broken)) as Stream.Stream<string, string>
  })
  return { state, subscribe, breaks: Effect.suspend(() => Deferred.fail(state.broken, "connection lost")) }
}

describe("a stream", () => {
  effect("invalidates its keys", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<string>()
      const cache = yield* WeakCache.make({ ...documents(), invalidations: Stream.fromQueue(queue) })
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "b")
      yield* Queue.offer(queue, "a")
      yield* settle
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["b"])
    }))

  effect(
    "that fails is logged and runs again after a growing delay, and then all entries are removed",
    (log) =>
      Effect.gen(function*() {
        let runs = 0
        const invalidations = Stream.suspend(() => ++runs < 4 ? Stream.fail("connection lost") : Stream.never)
        const cache = yield* WeakCache.make({ ...documents(), invalidations })
        yield* settle
        assert.strictEqual(runs, 1)
        for (const delay of [100, 200, 400]) {
          yield* WeakCache.get(cache, "a")
          const before = runs
          yield* TestClock.adjust(delay - 1)
          assert.deepStrictEqual([runs, yield* WeakCache.has(cache, "a")], [before, true])
          yield* TestClock.adjust(1)
          assert.deepStrictEqual([runs, yield* WeakCache.has(cache, "a")], [before + 1, false])
        }
        assert.deepStrictEqual(log, Array(3).fill(`${failedMessage}: Error: connection lost`))
      })
  )

  effect("that sent a key before it fails runs again after the first delay", () =>
    Effect.gen(function*() {
      let runs = 0
      const invalidations = Stream.suspend(() => {
        runs++
        return runs === 2 ? Stream.concat(Stream.make("a"), Stream.fail("lost")) : Stream.fail("lost")
      })
      yield* WeakCache.make({ ...documents(), invalidations })
      yield* settle
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(runs, 2)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(runs, 3)
    }))

  for (
    const [what, broken] of [
      ["dies", Stream.die("defect")],
      ["is interrupted from within", Stream.fromEffect(Effect.interrupt)],
      [
        "throws",
        Stream.suspend((): Stream.Stream<string> => {
          throw new Error("defect")
        })
      ]
    ] as ReadonlyArray<readonly [string, Stream.Stream<string>]>
  ) {
    effect(`that ${what} is logged and runs again`, (log) =>
      Effect.gen(function*() {
        let runs = 0
        const invalidations = Stream.suspend(() => ++runs === 1 ? broken : Stream.never)
        const cache = yield* WeakCache.make({ ...documents(), invalidations })
        yield* settle
        yield* WeakCache.get(cache, "a")
        yield* TestClock.adjust("100 millis")
        assert.deepStrictEqual([runs, yield* WeakCache.has(cache, "a")], [2, false])
        assert.strictEqual(log.length, 1)
        assert.include(log[0], failedMessage)
      }))
  }

  effect("that ends is logged, and is not run again", (log) =>
    Effect.gen(function*() {
      let runs = 0
      const cache = yield* WeakCache.make({
        ...documents(),
        invalidations: Stream.suspend(() => {
          runs++
          return Stream.make("a")
        })
      })
      yield* settle
      yield* WeakCache.get(cache, "a")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual([runs, yield* WeakCache.has(cache, "a")], [1, true])
      assert.deepStrictEqual(log, ["The invalidations of a WeakCache ended. No more keys will be invalidated"])
    }))

  effect("stops when the cache closes, before closing has ended", (log) =>
    Effect.gen(function*() {
      let stopped = false
      const scope = yield* Scope.make()
      yield* WeakCache.make({
        ...documents(),
        invalidations: Stream.ensuring(
          Stream.never,
          Effect.andThen(Effect.yieldNow, Effect.sync(() => void (stopped = true)))
        )
      }).pipe(Scope.provide(scope))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(stopped)
      assert.deepStrictEqual(log, [])
    }))

  for (
    const [where, close] of [
      ["itself", (close: Effect.Effect<void>) => close],
      ["a child fiber", (close: Effect.Effect<void>) => Effect.flatMap(Effect.forkChild(close), Fiber.join)]
    ] as const
  ) {
    effect(`can close the cache from ${where}`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const go = yield* Deferred.make<void>()
        const closed = yield* Deferred.make<void>()
        const closing = Effect.andThen(
          Deferred.await(go),
          Effect.ensuring(Effect.uninterruptible(Scope.close(scope, Exit.void)), Deferred.succeed(closed, undefined))
        )
        yield* WeakCache.make({
          ...documents(),
          invalidations: Stream.drain(Stream.fromEffect(close(closing)))
        }).pipe(Scope.provide(scope))
        yield* Deferred.succeed(go, undefined)
        yield* Deferred.await(closed)
      }))
  }
})

describe("an effect that subscribes", () => {
  effect("has subscribed when make returns, so that no key is lost", () =>
    Effect.gen(function*() {
      const bus = yield* PubSub.unbounded<string>()
      const { subscribe } = subscriber(bus)
      const cache = yield* WeakCache.make({ ...documents(), invalidations: subscribe })
      yield* WeakCache.get(cache, "a")
      yield* WeakCache.get(cache, "b")
      yield* PubSub.publish(bus, "a")
      yield* settle
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["b"])
    }))

  effect(
    "has one more service in its context, whose key begins with the name of this package",
    () =>
      Effect.gen(function*() {
        const outer = yield* Effect.context<never>()
        let inner = outer
        const stream = Stream.fromEffect(Effect.map(Effect.context<never>(), (context) => {
          inner = context
          return "a"
        }))
        yield* WeakCache.make({ ...documents(), invalidations: stream })
        yield* settle
        const keys = [...inner.mapUnsafe.keys()].filter((key) =>
          !outer.mapUnsafe.has(key) && !key.startsWith("effect/")
        )
        assert.match(keys.join(), /^effect-weakref\/WeakCache\/\w+$/)
      })
  )

  effect("gets the services of make", () =>
    Effect.gen(function*() {
      class Bus extends Context.Service<Bus, PubSub.PubSub<string>>()("Bus") {}
      const bus = yield* PubSub.unbounded<string>()
      const invalidations = Effect.gen(function*() {
        return Stream.fromSubscription(yield* PubSub.subscribe(yield* Bus))
      })
      const cache = yield* WeakCache.make({ ...documents(), invalidations }).pipe(Effect.provideService(Bus, bus))
      yield* WeakCache.get(cache, "a")
      yield* PubSub.publish(bus, "a")
      yield* settle
      assert.isFalse(yield* WeakCache.has(cache, "a"))
    }))

  effect("that fails at first fails make, and leaves nothing in the Scope", () =>
    Effect.gen(function*() {
      const { state, subscribe } = subscriber(yield* PubSub.unbounded<string>())
      state.isDown = true
      let released = false
      const scope = yield* Scope.make()
      const invalidations = Effect.andThen(
        Effect.addFinalizer(() => Effect.sync(() => void (released = true))),
        subscribe
      )
      const make = WeakCache.make({ ...documents(), invalidations }).pipe(Scope.provide(scope))
      assert.strictEqual(yield* Effect.flip(make), "refused")
      assert.isTrue(released)
      assert.strictEqual(state.attempts, 1)
      yield* Scope.close(scope, Exit.void)
    }))

  effect("that returns no stream makes make die with an error that names the option", () =>
    Effect.gen(function*() {
      // A program in JavaScript can pass anything.
      for (
        const invalidations of [Effect.succeed(1), 1, () => Stream.never] as unknown as Array<Stream.Stream<string>>
      ) {
        const exit = yield* Effect.exit(WeakCache.make({ ...documents(), invalidations }))
        assert.isTrue(Exit.isFailure(exit))
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.instanceOf(error, TypeError)
        assert.include(String(error), "invalidations must")
      }
    }))

  effect(
    "subscribes again after a failure, and then removes what was loaded in between",
    (log) =>
      Effect.gen(function*() {
        const { breaks, state, subscribe } = connection()
        const cache = yield* WeakCache.make({ ...documents(), invalidations: subscribe })
        yield* WeakCache.get(cache, "old")
        yield* breaks
        yield* settle
        yield* WeakCache.get(cache, "between")
        assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["old", "between"])
        yield* TestClock.adjust("100 millis")
        assert.strictEqual(state.subscriptions, 2)
        assert.deepStrictEqual([...yield* WeakCache.keys(cache)], [])
        assert.deepStrictEqual(log, [`${failedMessage}: Error: connection lost`])
      })
  )

  effect("removes everything only after it has subscribed", () =>
    Effect.gen(function*() {
      const bus = yield* PubSub.unbounded<string>()
      const broken = yield* Deferred.make<never, string>()
      const gate = yield* Deferred.make<void>()
      let attempts = 0
      const invalidations = Effect.gen(function*() {
        if (++attempts === 1) return Stream.fromEffect(Deferred.await(broken))
        yield* Deferred.await(gate)
        return Stream.fromSubscription(yield* PubSub.subscribe(bus))
      })
      const cache = yield* WeakCache.make({ ...documents(), invalidations })
      yield* WeakCache.get(cache, "a")
      yield* Deferred.fail(broken, "lost")
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual([attempts, yield* WeakCache.has(cache, "a")], [2, true])
      yield* Deferred.succeed(gate, undefined)
      yield* settle
      assert.isFalse(yield* WeakCache.has(cache, "a"))
      yield* WeakCache.get(cache, "a")
      yield* PubSub.publish(bus, "a")
      yield* settle
      assert.isFalse(yield* WeakCache.has(cache, "a"))
    }))

  effect(
    "that fails later is tried again after growing delays, and keeps the entries until then",
    (log) =>
      Effect.gen(function*() {
        const { breaks, subscribe } = connection()
        let attempts = 0
        const invalidations = Effect.suspend(() => {
          attempts++
          // The third attempt returns no stream, as only a program without types can.
          if (attempts === 3) return Effect.succeed(1 as never)
          return attempts === 2 ? Effect.fail("refused") : subscribe
        })
        const cache = yield* WeakCache.make({ ...documents(), invalidations })
        yield* WeakCache.get(cache, "a")
        yield* breaks
        for (const [delay, count] of [[100, 2], [200, 3], [399, 3]] as const) {
          yield* TestClock.adjust(delay)
          assert.deepStrictEqual([attempts, yield* WeakCache.has(cache, "a")], [count, true])
        }
        yield* TestClock.adjust(1)
        assert.deepStrictEqual([attempts, yield* WeakCache.has(cache, "a")], [4, false])
        assert.strictEqual(log.length, 3)
      })
  )

  effect("ends its subscription before it subscribes again, and when the cache closes", () =>
    Effect.gen(function*() {
      const bus = yield* PubSub.unbounded<string>()
      const { state, subscribe } = subscriber(bus)
      const scope = yield* Scope.make()
      let fails = Deferred.makeUnsafe<never, string>()
      const invalidations = Effect.map(subscribe, (keys) => {
        fails = Deferred.makeUnsafe()
        return Stream.merge(keys, Stream.fromEffect(Deferred.await(fails)))
      })
      yield* WeakCache.make({ ...documents(), invalidations }).pipe(Scope.provide(scope))
      yield* settle
      assert.strictEqual(state.open, 1)
      yield* Deferred.fail(fails, "lost")
      yield* settle
      assert.strictEqual(state.open, 0)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual([state.attempts, state.open], [2, 1])
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(state.open, 0)
    }))

  effect("that hangs during a new attempt does not keep the cache from closing", () =>
    Effect.gen(function*() {
      const { breaks, state, subscribe } = connection()
      const scope = yield* Scope.make()
      const invalidations = Effect.suspend(() => state.subscriptions === 0 ? subscribe : Effect.never)
      yield* WeakCache.make({ ...documents(), invalidations }).pipe(Scope.provide(scope))
      yield* settle
      yield* breaks
      yield* TestClock.adjust("100 millis")
      yield* Scope.close(scope, Exit.void)
    }))

  effect("whose make is interrupted releases what it has acquired", () =>
    Effect.gen(function*() {
      let released = false
      const invalidations = Effect.andThen(
        Effect.addFinalizer(() => Effect.sync(() => void (released = true))),
        Effect.never
      )
      const fiber = yield* Effect.forkChild(WeakCache.make({ ...documents(), invalidations }))
      yield* settle
      yield* Fiber.interrupt(fiber)
      assert.isTrue(released)
    }))
})

describe("finalizers of resources", () => {
  const resources = (finalizer: (key: string) => Effect.Effect<void>) => ({
    lookup: (key: string) => Effect.acquireRelease(Effect.succeed({ key }), () => finalizer(key)),
    handle: (resource: { readonly key: string }) => ({ resource }),
    capacity: 10
  })

  effect("that die do not stop the invalidations, and remove no other entry", (log) =>
    Effect.gen(function*() {
      const queue = yield* Queue.make<string>()
      const cache = yield* WeakCache.makeScoped({
        ...resources((key) =>
          key === "good" ? Effect.void : key === "stopped" ? Effect.interrupt : Effect.die(`finalizer of ${key}`)
        ),
        invalidations: Stream.fromQueue(queue)
      })
      for (const key of ["bad", "stopped", "worse", "good"]) yield* WeakCache.get(cache, key)
      for (const key of ["bad", "stopped", "worse"]) yield* Queue.offer(queue, key)
      yield* settle
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["good"])
      yield* Queue.offer(queue, "good")
      yield* settle
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], [])
      const message = "Unhandled error in a finalizer of a WeakCache's resource"
      assert.deepStrictEqual(log, [
        `${message}: Error: finalizer of bad`,
        `${message}: Error: finalizer of worse`
      ])
    }))

  effect("that die while a new subscription clears the cache do not stop it", () =>
    Effect.gen(function*() {
      const { breaks, state, subscribe } = connection()
      const queue = yield* Queue.make<string>()
      const cache = yield* WeakCache.makeScoped({
        ...resources(() => Effect.die("socket is gone")),
        invalidations: Effect.map(subscribe, (keys) => Stream.merge(keys, Stream.fromQueue(queue)))
      }).pipe(Effect.provideService(Scope.Scope, Scope.makeUnsafe()))
      yield* WeakCache.get(cache, "a")
      yield* settle
      yield* breaks
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual([state.subscriptions, yield* WeakCache.has(cache, "a")], [2, false])
      yield* WeakCache.get(cache, "a")
      yield* Queue.offer(queue, "a")
      yield* settle
      assert.isFalse(yield* WeakCache.has(cache, "a"))
    }))

  effect("that hang do not delay later keys, nor a new subscription", () =>
    Effect.gen(function*() {
      const { breaks, state, subscribe } = connection()
      const queue = yield* Queue.make<string>()
      const cache = yield* WeakCache.makeScoped({
        ...resources((key) => key.startsWith("slow") ? Effect.never : Effect.void),
        invalidations: Effect.map(subscribe, (keys) => Stream.merge(keys, Stream.fromQueue(queue)))
      }).pipe(Effect.provideService(Scope.Scope, Scope.makeUnsafe()))
      for (const key of ["slow", "slower", "good", "other"]) yield* WeakCache.get(cache, key)
      yield* Queue.offer(queue, "slow")
      yield* Queue.offer(queue, "good")
      yield* settle
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], ["slower", "other"])
      yield* breaks
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(state.subscriptions, 2)
      assert.deepStrictEqual([...yield* WeakCache.keys(cache)], [])
    }))
})

describe("a cache that was dropped without being closed", () => {
  effect("ends its subscription after it has been collected", () =>
    Effect.gen(function*() {
      const bus = yield* PubSub.unbounded<string>()
      const { state, subscribe } = subscriber(bus)
      const cache = yield* WeakCache.make({ ...documents(), invalidations: subscribe }).pipe(
        Effect.provideService(Scope.Scope, Scope.makeUnsafe())
      )
      yield* settle
      assert.strictEqual(state.open, 1)
      yield* TestHeap.collectAndFinalize(cache)
      yield* settle
      assert.strictEqual(state.open, 0)
    }))

  effect(
    "ends its stream with the next key, if its clean-up has not run, even if a finalizer of the stream dies",
    (log) =>
      Effect.gen(function*() {
        const queue = yield* Queue.make<string>()
        let ended = 0
        const finalizer = Effect.suspend(() => {
          ended++
          return Effect.die("finalizer")
        })
        const cache = yield* WeakCache.make({
          ...documents(),
          invalidations: Stream.ensuring(Stream.fromQueue(queue), finalizer)
        }).pipe(Effect.provideService(Scope.Scope, Scope.makeUnsafe()))
        yield* settle
        yield* TestHeap.collect(cache)
        for (let n = 0; n < 2; n++) {
          yield* Queue.offer(queue, "a")
          yield* TestClock.adjust("1 hour")
        }
        assert.strictEqual(ended, 1)
        assert.deepStrictEqual(log, [])
      })
  )

  effect("is not registered any more after it has been closed", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const cache = yield* WeakCache.make({ ...documents(), invalidations: Stream.never, name: "closed" }).pipe(
        Scope.provide(scope)
      )
      yield* Scope.close(scope, Exit.void)
      yield* TestHeap.collect(cache)
      assert.strictEqual(yield* TestHeap.pending, 0)
    }))

  for (const form of ["stream", "effect"] as const) {
    it.live(`can be collected while the source of its ${form} is held`, () =>
      Effect.gen(function*() {
        const bus = yield* PubSub.unbounded<string>()
        const { subscribe } = subscriber(bus)
        yield* LeakDetector.expectCollected(Effect.gen(function*() {
          const cache = yield* WeakCache.make({
            ...documents(),
            invalidations: form === "stream" ? Stream.fromPubSub(bus) : subscribe
          }).pipe(Effect.provideService(Scope.Scope, Scope.makeUnsafe()))
          yield* WeakCache.get(cache, "a")
          yield* PubSub.publish(bus, "b")
          yield* settle
          return cache
        }))
        assert.isFalse(yield* PubSub.isShutdown(bus))
      }))
  }
})

it.effect("the wait before the next subscription doubles up to ten seconds, and is short again after a message", () =>
  Effect.gen(function*() {
    const times: Array<number> = []
    const clock = yield* Clock.Clock
    const invalidations: Effect.Effect<Stream.Stream<string, string>> = Effect.sync(() => {
      times.push(clock.currentTimeMillisUnsafe())
      return times.length === 4 ? Stream.concat(Stream.make("key"), Stream.fail("lost")) : Stream.fail("lost")
    })
    yield* WeakCache.make({ lookup: (id: string) => Effect.succeed({ id }), invalidations })
    yield* Effect.repeat(TestClock.adjust(100), { times: 334 })
    const waits = times.slice(1).map((time, index) => time - times[index]!)
    assert.deepStrictEqual(waits, [100, 200, 400, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  }).pipe(Effect.scoped, Effect.provide([TestHeap.layer, Logger.layer([])])))
