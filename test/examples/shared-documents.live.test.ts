/** The live page of a process, in a real browser. LIVE_SCREENSHOT names a file for a picture of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fork } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { sourceOf } from "../../examples/shared-documents/Document.ts"
import * as RedisServer from "../../examples/shared-documents/RedisServer.ts"
import type { Settings } from "../../examples/shared-documents/server.ts"
import { Chromium, findChromium } from "../support/chromium.ts"

const executable = findChromium()
if (executable === undefined) console.error("\n*** THE LIVE PAGE IS NOT TESTED: there is no chromium ***\n")

const ids = ["a", "b", "c", "d"]

const serve = Effect.gen(function*() {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "live-"))),
    (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true }))
  )
  for (const id of ids) {
    fs.writeFileSync(path.join(directory, `${id}@1.txt`), sourceOf(id, 1))
    fs.writeFileSync(path.join(directory, `${id}.version`), "1")
  }
  const port = yield* RedisServer.freePort
  const settings: Settings = { port, directory, redis: undefined, capacity: 20, timeToLive: 60_000 }
  const program = path.join(import.meta.dirname, "../../examples/shared-documents/server.ts")
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => fork(program, [JSON.stringify(settings)], { stdio: ["ignore", "inherit", "inherit", "ipc"] })),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )
  yield* Effect.promise(() => once(child, "message"))
  return `http://127.0.0.1:${port}`
})

describe("shared-documents", () => {
  it.live.skipIf(executable === undefined)(
    "draws its hit rate, its live values and the staleness",
    () =>
      Effect.gen(function*() {
        const url = yield* serve
        const chromium = yield* Effect.acquireRelease(
          Effect.promise(() => Chromium.open(executable!, `${url}/live`)),
          (chromium) => Effect.sync(() => chromium.close())
        )
        yield* Effect.promise(() =>
          chromium.send("Emulation.setDeviceMetricsOverride", {
            width: 390,
            height: 844,
            deviceScaleFactor: 1,
            mobile: true
          })
        )
        const figures = Effect.promise((): Promise<ReadonlyArray<{ name: string; value: string; points: number }>> =>
          chromium.evaluate(`Array.from(document.querySelectorAll("figure"), (figure) => ({
          name: figure.querySelector("figcaption").textContent,
          value: figure.querySelector("output").value,
          points: (figure.querySelector("path").getAttribute("d") ?? "").split("L").length
        }))`)
        )
        const ask = (id: string, method = "GET") =>
          Effect.promise(async () => {
            const response = await fetch(`${url}/documents/${id}`, { method })
            assert.strictEqual(response.status, 200)
            await response.text()
          })
        // The page reads twice a second. A busy machine takes longer.
        let drawn = yield* figures
        for (let round = 0; round < 200; round++) {
          for (const id of ids) yield* ask(id)
          if (round % 10 === 5) yield* ask(ids[round % ids.length]!, "PUT")
          yield* Effect.sleep("100 millis")
          drawn = yield* figures
          if (round > 20 && drawn.length === 3 && drawn.every(({ points, value }) => points > 3 && value !== "–")) break
        }
        assert.deepStrictEqual(drawn.map(({ name }) => name), [
          "Answered from memory",
          "Documents in memory",
          "A change was served after"
        ])
        for (const { name, points, value } of drawn) {
          assert.isAbove(points, 3, name)
          assert.match(value, /^\d+(\.\d+)?( %| ms)?$/, name)
        }
        assert.strictEqual(drawn[1]!.value, String(ids.length))
        const overflow = yield* Effect.promise(() =>
          chromium.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        )
        assert.strictEqual(overflow, 0, "on a phone")
        const picture = process.env["LIVE_SCREENSHOT"]
        if (picture !== undefined) {
          const { data } = yield* Effect.promise(() => chromium.send("Page.captureScreenshot", { format: "png" }))
          fs.writeFileSync(picture, Buffer.from(data, "base64"))
        }
      }).pipe(Effect.scoped),
    120_000
  )
})
