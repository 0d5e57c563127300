/**
 * Opens the pages of vitest's browser mode in a browser of this machine. Does not drive
 * the page, because the tests need no more than a page and a function that forces a collection.
 */
import { defineBrowserProvider } from "@vitest/browser"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { BrowserProvider } from "vitest/node"
import { chromiumArguments } from "./chromium.ts"
import { navigateWithGc } from "./marionette.ts"

export type Browser = "chromium" | "firefox"

/** Returns the provider of a browser, for `test.browser.provider`. */
export const installed = (browser: Browser, file: string) =>
  defineBrowserProvider({ name: "installed", providerFactory: () => new InstalledBrowser(browser, file) })

class InstalledBrowser implements BrowserProvider {
  readonly name = "installed"
  readonly supportsParallelism = false
  private readonly browser: Browser
  private readonly file: string
  private readonly profile = fs.mkdtempSync(path.join(os.tmpdir(), "browser-"))
  private process: childProcess.ChildProcess | undefined

  constructor(browser: Browser, file: string) {
    this.browser = browser
    this.file = file
  }

  getCommandsContext() {
    return {}
  }

  async openPage(_session: string, url: string): Promise<void> {
    await this.stop()
    const args = this.browser === "chromium" ? [...chromiumArguments(this.profile), url] : this.firefox()
    this.process = childProcess.spawn(this.file, args, { stdio: "ignore" })
    if (this.browser === "firefox") await navigateWithGc(url)
  }

  private firefox(): ReadonlyArray<string> {
    return ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", this.profile]
  }

  private async stop(): Promise<void> {
    const { process } = this
    this.process = undefined
    if (process === undefined || process.exitCode !== null) return
    process.kill("SIGKILL")
    await new Promise((resolve) => process.once("exit", resolve))
  }

  async close(): Promise<void> {
    await this.stop()
    fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
