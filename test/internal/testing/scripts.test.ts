import { assert, describe, it } from "@effect/vitest"
import * as path from "node:path"
import { originOfScript } from "../../../src/internal/testing/scripts.ts"

const src = path.join(import.meta.dirname, "../../../src").replaceAll("\\", "/")

describe("originOfScript", () => {
  const origins = {
    "/app/src/main.ts": "program",
    "/app/node_modules/lodash/lodash.js": "program",
    "/app/node_modules/effect/dist/Effect.js": "library",
    "/app/node_modules/@effect/vitest/dist/index.js": "library",
    "/app/node_modules/effect-weakref/dist/WeakCache.js": "library",
    "/app/node_modules/vitest/dist/runners.js": "library",
    "/app/node_modules/jest-circus/build/run.js": "library",
    "/app/node_modules/effective/index.js": "program",
    "node:internal/timers": "library",
    "ext:deno_web/02_timers.js": "library",
    "": "library",
    [`${src}/WeakCache.ts`]: "library",
    [`${src}/testing/LeakDetector.ts`]: "detector",
    [`${src}/internal/testing/retainers.ts`]: "detector",
    [`${src}/internal/testing/simulatedCollector.ts`]: "library"
  }

  for (const [script, origin] of Object.entries(origins)) {
    it(`${script.replace(src, "src") || "no script"}: ${origin}`, () =>
      assert.strictEqual(originOfScript(script), origin))
  }
})
