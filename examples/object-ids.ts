/**
 * The example of Python's `weakref` documentation as a service: remember an
 * object and get an id, find the object by its id for as long as somebody else
 * keeps it.
 *
 *     node examples/object-ids.ts
 *
 * Here the library is imported from its sources; a program of yours imports it
 * from "effect-weakref".
 */
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import { Console, Context, Data, Effect, Layer, Option } from "effect"
import { Heap, WeakKeyMap, WeakValueMap } from "../src/index.ts"

export class NoObjectError extends Data.TaggedError("NoObjectError")<{
  readonly id: number
}> {
  override get message(): string {
    return `No object has the id ${this.id}: it was never given, or nobody kept the object`
  }
}

export class ObjectIds extends Context.Service<ObjectIds, {
  /** Gives the id of an object, the same one each time. No id is given twice, and none keeps its object. */
  readonly remember: (object: object) => Effect.Effect<number>
  /** Gives the object of an id. */
  readonly find: (id: number) => Effect.Effect<object, NoObjectError>
}>()("examples/ObjectIds") {
  static readonly layer = Layer.effect(
    ObjectIds,
    Effect.gen(function*() {
      // By reference: objects that are equal are still two objects.
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
