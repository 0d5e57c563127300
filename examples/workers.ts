/**
 * Shows workers that several callers share, and that end when nobody has their handle any more. A worker is a thread
 * with a heap of its own: a program that forgets to end its workers keeps tens of megabytes for each.
 *
 *     node examples/workers.ts
 *
 * This program imports the library from its sources. Import it from "effect-weakref"
 * in your own program.
 */
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import { Console, Context, Data, Effect, Layer } from "effect"
import { once } from "node:events"
import { Worker } from "node:worker_threads"
import { Heap, WeakCache, WeakRef } from "../src/index.ts"

export class WorkerError extends Data.TaggedError("WorkerError")<{ readonly cause: unknown }> {}

/** The program of a worker: it answers each text with the text in the case that it was started with. */
const source = `
  const { parentPort, workerData } = require("node:worker_threads")
  parentPort.on("message", ({ id, text }) => parentPort.postMessage({
    id, text: workerData === "upper" ? text.toUpperCase() : text.toLowerCase()
  }))
`

export type Kind = "upper" | "lower"

/** The resource: the thread, and the questions that it has not answered. It knows nothing of its handle. */
class Thread {
  private readonly worker: Worker
  private readonly waiting = new Map<number, (text: string) => void>()
  private asked = 0

  constructor(kind: Kind) {
    this.worker = new Worker(source, { eval: true, workerData: kind })
    // A worker that nobody asks does not keep the process alive.
    this.worker.unref()
    this.worker.on("message", ({ id, text }: { readonly id: number; readonly text: string }) => {
      this.waiting.get(id)?.(text)
      this.waiting.delete(id)
      if (this.waiting.size === 0) this.worker.unref()
    })
  }

  readonly started: Effect.Effect<void, WorkerError> = Effect.tryPromise({
    try: () => once(this.worker, "online"),
    catch: (cause) => new WorkerError({ cause })
  })

  readonly ask = (text: string): Effect.Effect<string> =>
    Effect.callback<string>((resume) => {
      const id = ++this.asked
      this.waiting.set(id, (text) => resume(Effect.succeed(text)))
      this.worker.ref()
      this.worker.postMessage({ id, text }, [])
      return Effect.sync(() => this.waiting.delete(id))
    })

  readonly end: Effect.Effect<void> = Effect.promise(() => this.worker.terminate())
}

/** The handle, which callers share. Its collection ends the thread. */
export class Handle {
  private readonly thread: Thread
  constructor(thread: Thread) {
    this.thread = thread
  }

  /**
   * Asks the worker. The handle is held until the answer is there: without this, the caller could lose its last reference
   * while it waits, and the worker would be ended under the question.
   */
  ask(text: string): Effect.Effect<string> {
    return WeakRef.holdWhile(this.thread.ask(text), this)
  }
}

export class Workers extends Context.Service<Workers, {
  /** Starts a worker, or returns the one that runs. */
  readonly get: (kind: Kind) => Effect.Effect<Handle, WorkerError>
  /** Asks a worker, and holds it meanwhile. */
  readonly ask: (kind: Kind, text: string) => Effect.Effect<string, WorkerError>
  /** The number of threads that run. */
  readonly running: Effect.Effect<number>
}>()("examples/Workers") {
  /** Keeps no worker alive by itself. A capacity would keep the most recently used ones. */
  static readonly layer = Layer.effect(
    Workers,
    Effect.gen(function*() {
      let running = 0
      const start = (kind: Kind) =>
        Effect.tap(
          Effect.acquireRelease(
            Effect.sync(() => {
              running++
              return new Thread(kind)
            }),
            (thread) => Effect.andThen(thread.end, Effect.sync(() => void running--))
          ),
          (thread) => thread.started
        )
      const cache = yield* WeakCache.makeScoped({ lookup: start, handle: (thread) => new Handle(thread) })
      return Workers.of({
        get: (kind) => WeakCache.get(cache, kind),
        ask: (kind, text) => WeakCache.use(cache, kind, (worker) => worker.ask(text)),
        running: Effect.sync(() => running)
      })
    })
  )
}

const main = Effect.gen(function*() {
  const { ask, get, running } = yield* Workers
  const kept = yield* get("lower")
  yield* Console.log(yield* Effect.all([ask("upper", "one"), ask("upper", "Two")], { concurrency: 2 }))
  yield* Console.log("Workers:", yield* running)
  // Nobody has the worker "upper" any more. The collector ends it.
  for (let n = 0; n < 100 && (yield* running) > 1; n++) yield* Heap.collectGarbage
  yield* Console.log("After a garbage collection:", yield* running)
  yield* Console.log(yield* kept.ask("Still HERE"))
})

if (import.meta.main) {
  main.pipe(Effect.provide(Workers.layer), NodeRuntime.runMain)
}
