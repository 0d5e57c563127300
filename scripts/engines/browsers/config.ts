import * as path from "node:path"
import { defineConfig } from "vitest/config"
import base from "../../../vitest.config.ts"
import { filesSkippedOn } from "../skipped.ts"
import { withoutNode } from "./node.ts"
import { type Browser, installed } from "./provider.ts"

const browser = process.env["TEST_HOST"] as Browser
const file = process.env["TEST_BROWSER_FILE"]!
const root = path.resolve(import.meta.dirname, "../../..")

export default defineConfig({
  ...base,
  root,
  plugins: [withoutNode()],
  test: {
    testTimeout: 120_000,
    include: ["test/**/*.test.ts"],
    exclude: filesSkippedOn("browser").map(({ name }) => name.endsWith("/") ? `${name}**` : name),
    setupFiles: [path.join(import.meta.dirname, "setup.ts")],
    reporters: ["default", ["json", { outputFile: process.env["TEST_REPORT"] ?? "coverage/browser.json" }]],
    browser: {
      enabled: true,
      provider: installed(browser, file),
      instances: [{ browser }],
      // Vitest resizes the frame of each test file with this command of its own providers.
      commands: { __vitest_viewport: () => undefined },
      ui: false,
      screenshotFailures: false,
      headless: false
    }
  }
})
