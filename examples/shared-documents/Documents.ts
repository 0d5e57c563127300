/**
 * Documents by id: one object per document in each process, for as long as somebody uses it.
 *
 * A get asks three tiers: the process's `WeakCache`, then the `PersistedCache` that all processes share, then the renderer.
 */
import { Context, Effect, Layer } from "effect"
import { PersistedCache } from "effect/persistence"
import { WeakCache } from "../../src/index.ts"
import { Changes } from "./Changes.ts"
import { type Document, render, Rendering } from "./Document.ts"
import { DocumentSource } from "./DocumentSource.ts"

export interface Counts {
  readonly requests: number
  /** Requests that the `WeakCache` answered, or that waited for another request's lookup. */
  readonly fromMemory: number
  /** Lookups of the `WeakCache`. */
  readonly lookups: number
  /** Lookups that the `PersistedCache` answered. */
  readonly fromStore: number
  readonly renders: number
  /** Lookups that rendered because the store was down. */
  readonly withoutStore: number
  /** Documents in memory. */
  readonly alive: number
}

export class Documents extends Context.Service<Documents, {
  readonly get: (id: string) => Effect.Effect<Document>
  /** Writes the next version, tells the others, and returns the version. */
  readonly change: (id: string) => Effect.Effect<number>
  readonly counts: Effect.Effect<Counts>
  /**
   * Milliseconds from the last change that this process has noticed until it served the new version. It includes the time
   * in which nobody asked for the document.
   */
  readonly staleness: Effect.Effect<number | undefined>
}>()("shared-documents/Documents") {
  static readonly layer = (options: { readonly capacity: number; readonly timeToLive: number }) =>
    Layer.effect(Documents, make(options))
}

const make = Effect.fnUntraced(function*(options: { readonly capacity: number; readonly timeToLive: number }) {
  const source = yield* DocumentSource
  const changes = yield* Changes
  let requests = 0
  let lookups = 0
  let fromStore = 0
  let renders = 0
  let withoutStore = 0
  let staleness: number | undefined

  /** The version that this process has served last. One number for each document, which is small. */
  const served = new Map<string, number>()
  const note = Effect.fnUntraced(function*(id: string, version: number) {
    const last = served.get(id)
    served.set(id, version)
    if (last !== undefined && last !== version) staleness = Date.now() - (yield* source.changedAt(id))
  })

  const rendered = new WeakSet<Rendering>()

  const renderVersion = (key: Rendering) =>
    Effect.map(source.read(key.id, key.version), (text) => {
      const { id, version } = key
      rendered.add(key)
      renders++
      return render(id, version, text)
    })

  const store = yield* PersistedCache.make(renderVersion, {
    storeId: "renderings",
    timeToLive: () => "10 minutes",
    // The `WeakCache` is the memory of this process, and shares its lookups.
    inMemoryCapacity: 0
  })

  const lookup = (id: string): Effect.Effect<Document> =>
    Effect.gen(function*() {
      lookups++
      const key = new Rendering({ id, version: yield* source.version(id) })
      const document = yield* store.get(key).pipe(
        Effect.catchCause(() => {
          withoutStore++
          return renderVersion(key)
        })
      )
      if (!rendered.has(key)) fromStore++
      yield* note(id, key.version)
      return document
    })

  const cache = yield* WeakCache.make({
    lookup,
    capacity: options.capacity,
    timeToLive: options.timeToLive,
    invalidations: changes.subscribe,
    name: "documents"
  })

  return Documents.of({
    get: (id) => {
      requests++
      return WeakCache.get(cache, id)
    },
    change: (id) =>
      source.write(id).pipe(
        Effect.tap(WeakCache.invalidate(cache, id)),
        Effect.tap(changes.publish(id))
      ),
    staleness: Effect.sync(() => staleness),
    counts: Effect.map(WeakCache.stats(cache), ({ size }) => ({
      requests,
      fromMemory: requests - lookups,
      lookups,
      fromStore,
      renders,
      withoutStore,
      alive: size
    }))
  })
})
