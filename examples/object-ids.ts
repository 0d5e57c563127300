/**
 * The example of Python's `weakref` documentation as a service. It assigns an id to
 * an object, and finds the object by its id as long as the program holds the object.
 *
 *     node examples/object-ids.ts
 *
 * This example imports the library from its sources. Your program imports it from
 * "effect-weakref".
 */
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import { Console, Context, Data, Effect, Layer, Option } from "effect"
import { Heap, WeakKeyMap, WeakValueMap } from "../src/index.ts"

export class NoObjectError extends Data.TaggedError("NoObjectError")<{
  readonly id: number
}> {
  override get message(): string {
    return `No object has the id ${this.id}: the id was never assigned, or the object was collected`
  }
}

export class ObjectIds extends Context.Service<ObjectIds, {
  /** Returns the id of an object, which is always the same. Ids are unique, and do not keep their objects alive. */
  readonly remember: (object: object) => Effect.Effect<number>
  /** Returns the object that has the id. */
  readonly find: (id: number) => Effect.Effect<object, NoObjectError>
}>()("examples/ObjectIds") {
  static readonly layer = Layer.effect(
    ObjectIds,
    Effect.gen(function*() {
      // Compares by reference, so that equal objects have different ids.
      const ids = yield* WeakKeyMap.make<object, number>({ compare: "reference" })
      const objects = yield* WeakValueMap.make<number, object>()
      let next = 1

      const remember = (object: object) =>
        Effect.sync(() => {
          const id = WeakKeyMap.getOrSet(ids, object, () => next++)
          WeakValueMap.set(objects, id, object)
          return id
        })

      const find = (id: number) =>
        Effect.suspend(() =>
          Option.match(WeakValueMap.get(objects, id), {
            onNone: () => Effect.fail(new NoObjectError({ id })),
            onSome: Effect.succeed
          })
        )

      return ObjectIds.of({ remember, find })
    })
  )
}

const main = Effect.gen(function*() {
  const { find, remember } = yield* ObjectIds
  const kept = { title: "The Starry Night" }
  const keptId = yield* remember(kept)
  const lostId = yield* remember({ title: "The Just Judges" })

  const show = (id: number) =>
    find(id).pipe(
      Effect.flatMap((object) => Console.log(id, "is", object)),
      Effect.catchTag("NoObjectError", (error) => Console.log(error.message))
    )

  yield* Console.log("Two objects have been remembered:")
  yield* show(keptId)
  yield* show(lostId)
  yield* Heap.collectGarbage
  yield* Console.log("After a garbage collection:")
  yield* show(keptId)
  yield* show(lostId)
  yield* Console.log("The program has kept", kept)
})

if (import.meta.main) {
  main.pipe(Effect.provide(ObjectIds.layer), NodeRuntime.runMain)
}
