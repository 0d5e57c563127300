import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { Folder, View } from "../../examples/tree.ts"
import { WeakListeners } from "../../src/index.ts"
import { LeakDetector, TestHeap } from "../../src/testing/index.ts"

describe("tree", () => {
  it.effect("has the path of a folder, as far as its parents live", () =>
    Effect.gen(function*() {
      const home = yield* Folder.root("home")
      const ada = yield* home.add("ada")
      const notes = yield* ada.add("notes")
      assert.deepStrictEqual([home.path, ada.path, notes.path], ["home", "home/ada", "home/ada/notes"])
      yield* TestHeap.collect(home)
      assert.strictEqual(notes.path, "…/ada/notes")
      yield* TestHeap.collect(ada)
      assert.strictEqual(notes.path, "…/notes")
    }).pipe(Effect.provide(TestHeap.layer)))

  it.effect("tells the views that live what was added and removed", () =>
    Effect.gen(function*() {
      const home = yield* Folder.root("home")
      const kept = yield* View.make(home)
      const forgotten = yield* View.make(home)
      const ada = yield* home.add("ada")
      yield* TestHeap.collectAndFinalize(forgotten)
      assert.strictEqual(WeakListeners.size(home.changes), 1)
      yield* ada.add("notes")
      yield* ada.remove("notes")
      yield* ada.remove("nothing")
      assert.deepStrictEqual(kept.seen, ["home: ada", "home/ada: notes", "home/ada: notes"])
      assert.deepStrictEqual(forgotten.seen, ["home: ada"])
    }).pipe(Effect.provide(TestHeap.layer)))

  it.live("keeps neither a parent nor a view alive", () =>
    Effect.gen(function*() {
      const kept: Array<Folder> = []
      const keep = (folder: Folder) => void kept.push(folder)
      yield* LeakDetector.expectCollected(Effect.gen(function*() {
        const root = yield* Folder.root("root")
        keep(yield* root.add("child"))
        return root
      }))
      assert.strictEqual(kept[0]!.path, "…/child")
      const tree = yield* Folder.root("tree")
      yield* LeakDetector.expectCollected(View.make(tree))
      assert.strictEqual(WeakListeners.size(tree.changes), 0)
    }))

  it("prints its results when it is run", async () => {
    const program = path.join(import.meta.dirname, "../../examples/tree.ts")
    const { stderr, stdout } = await promisify(execFile)(process.execPath, [program])
    assert.deepStrictEqual(stdout.trimEnd().split("\n"), [
      "The path is home/ada/notes",
      "Views that follow the tree: 2",
      "Of another tree, one folder is kept: backup/photos/2026",
      "After a garbage collection:",
      "Views that follow the tree: 1",
      "The kept folder is …/2026",
      "The view has seen [ 'home: ada', 'home/ada: notes', 'home/ada: notes' ]"
    ])
    assert.strictEqual(stderr, "")
  })
})
