/** The Node versions that the library supports, and the paths of their binaries. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "../..")

/** Git ignores this folder. Delete it to install the engines again. */
const folder = path.join(root, ".engines")

export interface Engine {
  readonly name: string
  /** Returns the path of the binary. Installs the engine first if it is not there. */
  readonly install: () => string
}

const binary = (...folder: ReadonlyArray<string>): string =>
  path.join(...folder, "bin", process.platform === "win32" ? "node.exe" : "node")

const versionOf = (file: string): string | undefined =>
  fs.existsSync(file) ? childProcess.execFileSync(file, ["--version"], { encoding: "utf8" }).trim() : undefined

/** Installs the package of this platform, which contains the binary and runs no install script. */
const fromRegistry = (version: string): Engine => ({
  name: `Node ${version.split(".")[0]}`,
  install: () => {
    const packageName = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`
    const place = path.join(folder, version)
    const file = binary(place, "node_modules", packageName)
    if (versionOf(file) === `v${version}`) return file
    console.log(`Installing ${packageName}@${version} in ${path.relative(root, place)}`)
    const partial = `${place}.partial`
    for (const stale of [place, partial]) fs.rmSync(stale, { recursive: true, force: true })
    fs.mkdirSync(partial, { recursive: true })
    // Without its own package.json, npm would install into the project that contains this folder.
    fs.writeFileSync(path.join(partial, "package.json"), JSON.stringify({ private: true }))
    childProcess.execFileSync(
      process.platform === "win32" ? "npm.cmd" : "npm",
      ["install", "--no-audit", "--no-fund", "--no-package-lock", `${packageName}@${version}`],
      { cwd: partial, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" }
    )
    fs.renameSync(partial, place)
    const installed = versionOf(file)
    if (installed !== `v${version}`) throw new Error(`${file} is ${installed ?? "missing"} instead of v${version}`)
    return file
  }
})

export const engines: ReadonlyArray<Engine> = [
  fromRegistry("20.20.2"),
  fromRegistry("22.23.3"),
  fromRegistry("24.21.0"),
  { name: "Node 26", install: () => binary(root, "node_modules", "node") }
]
