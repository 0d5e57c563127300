import { WeakListeners } from "effect-weakref"
import type { Thumbnail } from "./Thumbnail.ts"

export type Theme = "light" | "dark"

/** A component that subscribes when it is made, and never unsubscribes. */
export class Card {
  readonly element = document.createElement("article")
  readonly #image = document.createElement("img")
  /** Keeps the object URL valid. */
  #thumbnail: Thumbnail | undefined
  resized = 0

  constructor(title: string, themes: WeakListeners.WeakListeners<Theme>) {
    this.element.append(this.#image, title)
    WeakListeners.addMethodUnsafe(themes, this, "setTheme")
    WeakListeners.listenUnsafe(window, "resize", this, (self) => {
      self.resized++
    })
  }

  setTheme(theme: Theme): void {
    this.element.dataset["theme"] = theme
  }

  show(thumbnail: Thumbnail): void {
    this.#thumbnail = thumbnail
    this.#image.src = this.#thumbnail.url
  }
}
