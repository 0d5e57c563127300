/**
 * The open resources of a cache of `makeScoped`. The Scope of a resource is open as long as its entry
 * is in `open`, and is closed exactly once, because whoever closes it takes it out of `open` first.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { Background } from "./background.ts"
import type { Extra } from "./entry.ts"
import type { Work } from "./work.ts"

export interface Resource {
  readonly scope: Scope.Closeable
  /** The work of the lookup. The finalizers of the Scope have it in their contexts. */
  readonly work: Work
}

export class Resources<Key, A extends WeakKey, E> {
  readonly #background: Background
  readonly #open = new Set<Extra<Key, A, E>>()

  constructor(background: Background) {
    this.#background = background
  }

  /** O(1). */
  get size(): number {
    return this.#open.size
  }

  /** Gives an entry a resource. O(1). */
  add(extra: Extra<Key, A, E>, resource: Resource): void {
    extra.resource = resource
    this.#open.add(extra)
  }

  /** Takes the resource of an entry. The caller must close it. O(1). */
  take(extra: Extra<Key, A, E> | undefined): Resource | undefined {
    const resource = extra?.resource
    if (resource === undefined) return undefined
    extra!.resource = undefined
    this.#open.delete(extra!)
    return resource
  }

  /** Returns the extras of the entries with an open resource, including removed entries. O(n). */
  extras(): ReadonlyArray<Extra<Key, A, E>> {
    return Array.from(this.#open)
  }

  /** Closes a resource in a fiber that the caller waits for. Finalizers run in this turn. */
  close({ scope, work }: Resource, exit: Exit.Exit<unknown, unknown>, parent: Work | undefined): Fiber.Fiber<void> {
    return this.#background.run(Scope.close(scope, exit), { work, parent })
  }

  /** Closes a resource in the background. Yields first, so that no finalizer runs in the middle of an operation. */
  closeLater({ scope, work }: Resource): void {
    this.#background.run(
      Effect.ignoreCause(Effect.andThen(Effect.yieldNow, Scope.close(scope, Exit.void)), {
        log: "Unhandled",
        message: "Unhandled error in a finalizer of a WeakCache's resource"
      }),
      { work }
    )
  }
}
