/** The gallery in a real browser: 2,000 components, a forced collection, and the counts. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { build, preview } from "vite"
import type { Release, Round } from "../../examples/gallery/Counts.ts"
import { WeakKeyMap } from "../../src/index.ts"
import { Chromium, findChromium } from "../support/chromium.ts"

const root = path.resolve(import.meta.dirname, "../../examples/gallery")
const cards = 2_000

const executable = findChromium()
if (executable === undefined) {
  console.error("\n*** THE GALLERY IS NOT TESTED: there is no chromium on this machine ***\n")
}

/** Builds the page, and serves it until the Scope closes. */
const serve = Effect.gen(function*() {
  const outDir = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "gallery-"))),
    (dir) => Effect.sync(() => fs.rmSync(dir, { recursive: true }))
  )
  const config = { root, configFile: path.join(root, "vite.config.ts"), logLevel: "error" as const }
  yield* Effect.promise(() => build({ ...config, build: { outDir } }))
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => preview({ ...config, build: { outDir }, preview: { port: 0, host: "127.0.0.1" } })),
    (server) => Effect.promise(() => server.close())
  )
  return server.resolvedUrls!.local[0]!
})

const open = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(() => Chromium.open(executable!, url)),
    (chromium) => Effect.sync(() => chromium.close())
  ).pipe(
    // The module of the page has run when it has set `page`.
    Effect.tap((chromium) =>
      Effect.promise(() =>
        chromium.evaluate(
          "new Promise((resolve) => { const poll = () => window.page ? resolve() : setTimeout(poll, 20); poll() })"
        )
      )
    )
  )

const nothing = { cards: 0, nodes: 0, structuralNodes: 0, themeListeners: 0, urls: 0, workers: 0 }

/** Mounts, unmounts and collects, and succeeds with what was seen of the release. */
const visit = (url: string, structuralNodes: number) =>
  Effect.gen(function*() {
    const chromium = yield* open(url)
    const evaluate = <A>(expression: string) => Effect.promise<A>(() => chromium.evaluate(expression))
    const windowListeners = evaluate<number>("(getEventListeners(window).resize ?? []).length")

    const round = yield* evaluate<Round>(`page.round(${cards})`)
    assert.deepStrictEqual(round, {
      mounted: {
        cards,
        nodes: cards,
        structuralNodes,
        themeListeners: cards,
        urls: cards / 2,
        workers: 1
      },
      dark: cards,
      resized: cards,
      found: cards
    })
    assert.strictEqual(yield* windowListeners, cards)

    const release = yield* evaluate<Release>("page.release()")
    assert.deepStrictEqual(release.counts, nothing)
    assert.strictEqual(yield* windowListeners, 0)
    return release
  }).pipe(Effect.scoped)

/** Whether a structural map tells two nodes apart. Node's targets are as opaque as a browser's nodes. */
const comparesNodesByIdentity = (): boolean => {
  const map = WeakKeyMap.makeUnsafe<EventTarget, number>({ compare: "structural" })
  WeakKeyMap.set(map, new EventTarget(), 1)
  return !WeakKeyMap.has(map, new EventTarget())
}

describe("gallery", () => {
  it.live.skipIf(executable === undefined)(
    "releases everything of 2,000 components that never unsubscribe, without a long task",
    () =>
      Effect.gen(function*() {
        const structural = comparesNodesByIdentity()
        if (!structural) console.error("\n*** The gallery has no structural map of nodes: they would be hashed ***\n")
        const url = `${yield* serve}${structural ? "?structural" : ""}`
        // Everything is released in each visit. But a busy machine makes any task long, so one quiet visit is enough.
        const seen: Array<Release> = []
        for (let visits = 0; visits < 3; visits++) {
          const release = yield* visit(url, structural ? cards : 0)
          if (release.longTasks.length === 0) return
          seen.push(release)
        }
        const durations = JSON.stringify(
          seen.map(({ longTasks, longTasksAfterwards }) => [longTasks, longTasksAfterwards])
        )
        assert(
          seen.some(({ longTasksAfterwards }) => longTasksAfterwards.length > 0),
          `each visit had a long task, and only while it cleaned up: ${durations}`
        )
        console.error(`\n*** THE MACHINE IS TOO BUSY TO MEASURE THE GALLERY'S TASKS: ${durations} ***\n`)
      }).pipe(Effect.scoped),
    600_000
  )
})
