/** `ThreadPoolExecutor`: its workers stop after the executor has been collected, because they hold only its queue. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Queue, Scope } from "effect"
import { Finalizer } from "../../src/index.ts"
import { onBothHeapsWith } from "../support/worlds.ts"

type Task = Effect.Effect<void>

class Executor {
  private queue: Queue.Queue<Task> | undefined

  start(queue: Queue.Queue<Task>): void {
    this.queue = queue
  }

  submit<A, E>(task: Effect.Effect<A, E>): Effect.Effect<Deferred.Deferred<A, E>> {
    return Effect.suspend(() => submitTo(this.queue!, task))
  }
}

// Functions of the module, which cannot capture an executor.

const submitTo = <A, E>(queue: Queue.Queue<Task>, task: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const result = yield* Deferred.make<A, E>()
    yield* Queue.offer(queue, Effect.asVoid(Deferred.into(task, result)))
    return result
  })

const work = (queue: Queue.Queue<Task>): Effect.Effect<void> =>
  Effect.ignore(Effect.forever(Effect.flatten(Queue.take(queue)), { disableYield: true }))

const shutdown = (queue: Queue.Queue<Task>): Effect.Effect<boolean> => Queue.shutdown(queue)

const start = (executor: Executor, workers: number) =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<Task>()
    executor.start(queue)
    yield* Finalizer.makeWith(executor, queue, shutdown)
    return yield* Effect.forEach(Array.from({ length: workers }), () => Effect.forkDetach(work(queue)))
  })

const onBothHeaps = onBothHeapsWith(() => new Executor())

describe("executor", () => {
  onBothHeaps("runs tasks, and stops its workers after it has been collected", (world) =>
    Effect.gen(function*() {
      const workers = yield* world.with("pool", (pool) => start(pool, 2))
      const results = yield* world.with("pool", (pool) =>
        Effect.forEach([1, 2, 3], (n) => pool.submit(Effect.succeed(n * n))))
      assert.deepStrictEqual(yield* Effect.forEach(results, Deferred.await), [1, 4, 9])
      assert.isTrue(workers.every((worker) =>
        worker.pollUnsafe() === undefined
      ))
      yield* world.die("pool")
      const exits = yield* Effect.forEach(workers, Fiber.await)
      assert.strictEqual(exits.length, 2)
    }))

  onBothHeaps("a task that fails stops no worker", (world) =>
    Effect.gen(function*() {
      yield* world.with("pool", (pool) => start(pool, 1))
      const [failed, ok] = yield* world.with("pool", (pool) =>
        Effect.all([pool.submit(Effect.fail("failed")), pool.submit(Effect.succeed("ok"))]))
      assert.deepStrictEqual(yield* Effect.exit(Deferred.await(failed)), Exit.fail("failed"))
      assert.strictEqual(yield* Deferred.await(ok), "ok")
      yield* world.die("pool")
    }))

  onBothHeaps("the end of the Scope stops the workers of a live executor", (world) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const workers = yield* world.with("pool", (pool) => Scope.provide(start(pool, 1), scope))
      yield* Scope.close(scope, Exit.void)
      yield* Effect.forEach(workers, Fiber.await)
      yield* world.die("pool")
    }))
})
