import * as path from "node:path"
import { defineConfig } from "vitest/config"
import { doctest } from "./scripts/doctest/plugin.ts"

const src = path.join(import.meta.dirname, "src")

// Workers run on the engine that `npm run test:engines` names: vitest forks what this path leads to.
process.execPath = process.env["TEST_ENGINE"] ?? process.execPath

// `npm run test:engines` names one report for each engine. A reporter on the command line would not replace this one.
const report = process.env["TEST_REPORT"] ?? (process.env["CI"] ? "coverage/tests.json" : undefined)

export default defineConfig({
  resolve: {
    alias: [
      { find: /^effect-weakref$/, replacement: `${src}/index.ts` },
      { find: /^effect-weakref\/testing$/, replacement: `${src}/testing/index.ts` },
      { find: /^effect-weakref\/(.+)$/, replacement: `${src}/$1.ts` }
    ]
  },
  test: {
    pool: "forks",
    maxWorkers: 2,
    // The tests of the real heap force collections.
    execArgv: process.env["TEST_HOST"] === undefined ? ["--expose-gc"] : [],
    // A test that ends within seconds may take a minute on a busy machine.
    testTimeout: 120_000,
    setupFiles: ["scripts/engines/setup.ts"],
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    projects: [{
      extends: true,
      test: { name: "unit", include: ["test/**/*.test.ts"] }
    }, {
      extends: true,
      plugins: [doctest()],
      test: { name: "doctest", include: ["scripts/doctest/run.ts"] }
    }]
  }
})
