/** Installs engines from the registry in a folder that git ignores. Delete `.engines` to install them again. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

export const root = path.resolve(import.meta.dirname, "../..")

const folder = path.join(root, ".engines")

export const versionOf = (file: string, ...args: ReadonlyArray<string>): string | undefined => {
  const { status, stdout } = childProcess.spawnSync(file, args.length === 0 ? ["--version"] : args, {
    encoding: "utf8",
    timeout: 30_000
  })
  return status === 0 ? /\d+(\.\d+)+/.exec(stdout)?.[0] : undefined
}

/** Returns the path of a file of a package. Installs this version of the package first if it is not there. */
export const fromRegistry = (name: string, version: string, file: string): string => {
  const place = path.join(folder, `${name.replace("/", "+")}@${version}`)
  const binary = path.join(place, "node_modules", name, file)
  if (fs.existsSync(binary)) return binary
  console.log(`Installing ${name}@${version} in ${path.relative(root, place)}`)
  const partial = `${place}.partial`
  for (const stale of [place, partial]) fs.rmSync(stale, { recursive: true, force: true })
  fs.mkdirSync(partial, { recursive: true })
  // Without its own package.json, npm would install into the project that contains this folder.
  fs.writeFileSync(path.join(partial, "package.json"), JSON.stringify({ private: true }))
  const { error, status } = childProcess.spawnSync(
    process.platform === "win32" ? "npm.cmd" : "npm",
    ["install", "--no-audit", "--no-fund", "--no-package-lock", `${name}@${version}`],
    { cwd: partial, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32", timeout: 5 * 60_000 }
  )
  if (status !== 0) throw new Missing(`${name}@${version} cannot be installed${error ? `: ${error.message}` : ""}`)
  fs.renameSync(partial, place)
  return binary
}

/** Returns the path of a program. Installs Debian's package first if the program is missing and the machine allows it. */
export const fromDebian = (program: string, packageName: string): string => {
  const find = () => childProcess.spawnSync("which", [program], { encoding: "utf8" }).stdout?.trim() || undefined
  const install = () => {
    if (process.platform !== "linux" || process.getuid?.() !== 0) return
    console.log(`Installing Debian's ${packageName}`)
    const options = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const
    childProcess.spawnSync("apt-get", ["update"], options)
    childProcess.spawnSync("apt-get", ["install", "-y", "--no-install-recommends", packageName], options)
  }
  let file = find()
  if (file === undefined) {
    install()
    file = find()
  }
  if (file === undefined) throw new Missing(`${program} is not installed (Debian: ${packageName})`)
  return file
}

/** Says that an engine is not on this machine and cannot be installed. This is no failure. */
export class Missing extends Error {}
