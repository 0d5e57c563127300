/**
 * Shows a tree of folders whose children refer weakly to their parents, and views that follow the changes of the tree
 * without being kept alive by it.
 *
 *     node examples/tree.ts
 *
 * This program imports the library from its sources. Import it from "effect-weakref"
 * in your own program.
 */
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import { Console, Effect, Option } from "effect"
import { Heap, WeakListeners, WeakRef } from "../src/index.ts"

/** What happened to a tree. The path is that of the folder that changed. */
export interface Change {
  readonly path: string
  readonly name: string
}

/** A folder holds its children strongly, and its parent weakly: who keeps a child does not keep the tree. */
export class Folder {
  readonly name: string
  readonly children = new Map<string, Folder>()
  /** All folders of a tree share it. It holds its listeners weakly. */
  readonly changes: WeakListeners.WeakListeners<Change>
  private readonly parent: Option.Option<WeakRef.WeakRef<Folder>>

  private constructor(
    name: string,
    changes: WeakListeners.WeakListeners<Change>,
    parent: Option.Option<WeakRef.WeakRef<Folder>>
  ) {
    this.name = name
    this.changes = changes
    this.parent = parent
  }

  static readonly root = (name: string): Effect.Effect<Folder> =>
    Effect.map(WeakListeners.make<Change>(), (changes) => new Folder(name, changes, Option.none()))

  /** Adds a folder to this one, and tells the views. */
  readonly add = Effect.fn("Folder.add")(function*(this: Folder, name: string) {
    const child = new Folder(name, this.changes, Option.some(yield* WeakRef.make(this)))
    this.children.set(name, child)
    yield* WeakListeners.publish(this.changes, { path: this.path, name })
    return child
  })

  /** Removes a folder from this one, and tells the views. */
  readonly remove = Effect.fn("Folder.remove")(function*(this: Folder, name: string) {
    if (this.children.delete(name)) yield* WeakListeners.publish(this.changes, { path: this.path, name })
  })

  /** The path from the root, or from `…` if a folder above has been collected. */
  get path(): string {
    return Option.match(this.parent, {
      onNone: () => this.name,
      onSome: (parent) =>
        `${Option.match(WeakRef.deref(parent), { onNone: () => "…", onSome: ({ path }) => path })}/${this.name}`
    })
  }
}

/** Follows a tree until it is collected. It never unsubscribes. */
export class View {
  readonly seen: Array<string> = []

  static readonly make = Effect.fn("View.make")(function*(tree: Folder) {
    const view = new View()
    // The function is handed the view, so it need not capture it.
    yield* WeakListeners.add(tree.changes, view, (self, { name, path }) => void self.seen.push(`${path}: ${name}`))
    return view
  })
}

/** Local variables of a generator stay alive until it ends, so what shall be forgotten is made in a function of its own. */
const openAndForget = (tree: Folder) => Effect.asVoid(View.make(tree))

/** Keeps a folder and forgets the tree above it. */
const detached = Effect.gen(function*() {
  const root = yield* Folder.root("backup")
  const photos = yield* root.add("photos")
  return yield* photos.add("2026")
})

const main = Effect.gen(function*() {
  const home = yield* Folder.root("home")
  const view = yield* View.make(home)
  yield* openAndForget(home)
  const ada = yield* home.add("ada")
  const notes = yield* ada.add("notes")
  yield* Console.log("The path is", notes.path)
  yield* Console.log("Views that follow the tree:", WeakListeners.size(home.changes))
  const photos = yield* detached
  yield* Console.log("Of another tree, one folder is kept:", photos.path)

  for (let n = 0; n < 3; n++) yield* Heap.collectGarbage
  yield* Console.log("After a garbage collection:")
  yield* Console.log("Views that follow the tree:", WeakListeners.size(home.changes))
  yield* Console.log("The kept folder is", photos.path)
  yield* ada.remove("notes")
  yield* Console.log("The view has seen", view.seen)
})

if (import.meta.main) NodeRuntime.runMain(main)
