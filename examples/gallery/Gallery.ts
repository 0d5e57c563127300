/** Mounts and unmounts cards, and counts what is left of them. */
import { Array, Context, Effect, Layer } from "effect"
import { WeakCache, WeakKeyMap, WeakListeners, WeakSet } from "effect-weakref"
import { Card, type Theme } from "./Card.ts"
import type { Counts } from "./Counts.ts"
import { open as openWorkers, painters as makePainters } from "./Painter.ts"
import { open as openUrls, thumbnails as makeThumbnails } from "./Thumbnail.ts"

export class Gallery extends Context.Service<Gallery, {
  readonly mount: (count: number) => Effect.Effect<void>
  /** Removes all cards from the page. Nobody unsubscribes anything. */
  readonly unmount: Effect.Effect<void>
  readonly setTheme: (theme: Theme) => Effect.Effect<void>
  /** Finds the card of a node or of a node around it. */
  readonly cardOf: (node: Element) => Card | undefined
  readonly counts: Effect.Effect<Counts>
}>()("gallery/Gallery") {
  static readonly layer = (wall: HTMLElement, options: { readonly structural: boolean }) =>
    Layer.effect(Gallery, make(wall, options))
}

/** How many cards are made in one task. */
const perTask = 100

const make = Effect.fnUntraced(function*(wall: HTMLElement, { structural }: { readonly structural: boolean }) {
  const thumbnails = yield* makeThumbnails(yield* makePainters)
  const themes = yield* WeakListeners.make<Theme>()
  const cards = yield* WeakSet.make<Card>()
  // A card refers to its node. The map does not keep the node alive, because its values are ephemerons.
  const byNode = yield* WeakKeyMap.make<Element, Card>()
  const titles = yield* WeakKeyMap.make<Element, string>({ compare: "structural" })

  const mountOne = (index: number): Card => {
    const card = new Card(`Card ${index}`, themes)
    WeakSet.add(cards, card)
    WeakKeyMap.set(byNode, card.element, card)
    if (structural) WeakKeyMap.set(titles, card.element, `Card ${index}`)
    wall.append(card.element)
    return card
  }

  // Two cards show each picture.
  const load = (card: Card, index: number): Effect.Effect<void> =>
    Effect.map(WeakCache.get(thumbnails, index >> 1), (thumbnail) => card.show(thumbnail))

  return Gallery.of({
    mount: (count) =>
      Effect.forEach(
        Array.chunksOf(Array.range(0, count - 1), perTask),
        (indexes) =>
          Effect.suspend(() => {
            const mounted = indexes.map(mountOne)
            return Effect.forEach(indexes, (index, i) => load(mounted[i]!, index), {
              concurrency: "unbounded",
              discard: true
            })
          }).pipe(Effect.andThen(Effect.sleep(0))),
        { discard: true }
      ),
    unmount: Effect.sync(() => wall.replaceChildren()),
    setTheme: (theme) => WeakListeners.publish(themes, theme),
    cardOf: (node) => {
      for (let element: Element | null = node; element !== null; element = element.parentElement) {
        const card = WeakKeyMap.get(byNode, element)
        if (card._tag === "Some") return card.value
      }
      return undefined
    },
    counts: Effect.sync(() => ({
      cards: WeakSet.count(cards),
      nodes: WeakKeyMap.size(byNode),
      structuralNodes: WeakKeyMap.size(titles),
      themeListeners: WeakListeners.size(themes),
      urls: openUrls.urls,
      workers: openWorkers.workers
    }))
  })
})
