/** How the processes tell each other which documents changed. */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { Cause, Context, Effect, Layer, Queue, type Scope, Stream } from "effect"
import { Redis } from "effect/persistence"

const channel = "shared-documents"

export class Changes extends Context.Service<Changes, {
  readonly publish: (id: string) => Effect.Effect<void>
  /**
   * Subscribes, and returns the changes from now on. The stream fails if the connection is lost, because changes may
   * have been missed. `WeakCache` then subscribes again and removes all entries, so that what was loaded between the
   * failure and the new subscription does not stay.
   */
  readonly subscribe: Effect.Effect<Stream.Stream<string, unknown>, Cause.UnknownError, Scope.Scope>
  readonly isListening: () => boolean
}>()("shared-documents/Changes") {
  /** Without Redis, a process does not hear of the others' changes: its values are out of date for their time to live. */
  static readonly layerEmbedded = Layer.succeed(Changes, {
    publish: () => Effect.void,
    subscribe: Effect.succeed(Stream.never),
    isListening: () => false
  })

  static readonly layerRedis = Layer.effect(Changes, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const redis = yield* Redis.Redis
  const { client } = yield* NodeRedis.NodeRedis
  let listening = false

  // `Redis.subscribe` would connect again by itself, and nobody would know that messages were lost meanwhile.
  const subscribe = Effect.gen(function*() {
    const queue = yield* Queue.unbounded<string, unknown>()
    const lose = (error: unknown) => {
      listening = false
      Queue.failCauseUnsafe(queue, Cause.fail(error))
    }
    const subscriber = yield* Effect.acquireRelease(
      Effect.sync(() => client.duplicate({ socket: { ...client.options.socket, reconnectStrategy: false } })),
      (subscriber) =>
        Effect.sync(() => {
          listening = false
          if (subscriber.isOpen) subscriber.destroy()
        })
    )
    subscriber.on("error", lose)
    subscriber.on("end", () => lose(new Error("The connection to Redis ended")))
    yield* Effect.tryPromise(() => subscriber.connect())
    yield* Effect.tryPromise(() => subscriber.subscribe(channel, (id) => void Queue.offerUnsafe(queue, id)))
    listening = true
    return Stream.fromQueue(queue)
  })

  return Changes.of({
    // If Redis is down, the others see the change when their values expire.
    publish: (id) => Effect.ignore(redis.send("PUBLISH", channel, id)),
    subscribe,
    isListening: () => listening
  })
})
