/**
 * Packs the built library once, and checks the tarball as its users meet it: the entry
 * points, the types with several compilers, and bundles that run.
 */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { bundle } from "./bundlers.ts"
import { typeCheck } from "./compilers.ts"

const root = path.resolve(import.meta.dirname, "../..")
const project = fs.mkdtempSync(path.join(os.tmpdir(), "effect-weakref-"))

const run = (cwd: string, file: string, ...args: ReadonlyArray<string>): string => {
  const { error, status, stderr, stdout } = childProcess.spawnSync(file, args, { cwd, encoding: "utf8" })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${file} ${args.join(" ")}:\n${stdout}${stderr}`)
  return stdout
}

const modules = fs.globSync(["*.ts", "testing/*.ts"], { cwd: path.join(root, "src") })
  .map((file) => file.replace(/\.ts$/, "").replace(/(^|\/)index$/, ""))
  .map((name) => name === "" ? "effect-weakref" : `effect-weakref/${name}`)
  .toSorted()

const programOf = (modules: ReadonlyArray<string>): string => `
import * as assert from "node:assert/strict"
${modules.map((name, index) => `import * as module${index} from "${name}"`).join("\n")}

const modules: ReadonlyArray<object> = [${modules.map((_, index) => `module${index}`).join(", ")}]
for (const module of modules) assert.notEqual(Object.keys(module).length, 0)

// @ts-expect-error: not for consumers
await assert.rejects(() => import("effect-weakref/internal/referent"), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" })
`

const failures: Array<string> = []
const check = async (name: string, f: () => unknown): Promise<void> => {
  try {
    await f()
    console.log(`ok      ${name}`)
  } catch (error) {
    failures.push(name)
    console.log(`FAILED  ${name}\n${error instanceof Error ? error.message : error}`)
  }
}

try {
  // The scripts of the package would build it again.
  const [{ filename, files }] = JSON.parse(
    run(root, "npm", "pack", "--ignore-scripts", "--json", "--silent", "--pack-destination", project)
  )
  const tarball = path.join(project, filename)
  const names: ReadonlyArray<string> = files.map(({ path }: { readonly path: string }) => path)
  await check("publint", () => run(root, "npx", "publint", "--strict", tarball))
  await check("attw, every entry point", () => run(root, "npx", "attw", tarball, "--profile", "esm-only"))
  await check("the links of the tarball", () => checkLinks(names))
  await check("the lock is complete", checkLock)

  const { devDependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))
  const shared = ["effect", "fast-check", "vitest", "@types/node"].map((name) => `${name}@${devDependencies[name]}`)
  const compilers = ["5.7", "5.9", "6.0", "7.0"].map((version) => `typescript-${version}@npm:typescript@~${version}.0`)
  fs.writeFileSync(
    path.join(project, "package.json"),
    JSON.stringify({
      type: "module",
      private: true,
      "@parcel/resolver-default": { packageExports: true },
      targets: { default: { context: "node", outputFormat: "esmodule", includeNodeModules: true, optimize: true } }
    })
  )
  fs.writeFileSync(path.join(project, "main.ts"), programOf(modules))
  run(
    project,
    "npm",
    "install",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    `./${filename}`,
    ...shared,
    ...compilers,
    "bun",
    "parcel"
  )
  await check("every module runs on Node", () => run(project, "node", "main.ts"))
  await typeCheck(project, check)
  await bundle(project, check)
  const core = modules.filter((name) => !/\/(Arbitraries|Laws|Vitest)$/.test(name))
  fs.writeFileSync(path.join(project, "main.ts"), programOf(core))
  for (const peer of ["fast-check", "vitest"]) fs.rmSync(path.join(project, "node_modules", peer), { recursive: true })
  await check("the other modules run without the optional peers", () => run(project, "node", "main.ts"))
  await typeCheck(project, check, [{ compiler: "7.0", resolution: "nodenext", dom: true }])
} finally {
  fs.rmSync(project, { recursive: true, force: true })
}
if (failures.length > 0) process.exitCode = 1

/** Throws if a Markdown file of the package links to a file that is not in the package. */
function checkLinks(files: ReadonlyArray<string>): void {
  const broken: Array<string> = []
  for (const file of files.filter((file) => file.endsWith(".md"))) {
    const text = fs.readFileSync(path.join(root, file), "utf8")
    for (const [, link] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)|src(?:set)?="([^"]+)"/g)) {
      if (link === undefined || /^[a-z]+:/.test(link)) continue
      const target = path.posix.join(path.posix.dirname(file), link)
      if (!files.some((name) => name === target || name.startsWith(`${target}/`))) broken.push(`${file}: ${link}`)
    }
  }
  if (broken.length > 0) throw new Error(`not in the package: ${broken.join(", ")}`)
}

/** Throws if an entry of the lock has no integrity, or if it lacks the package of some platform. */
function checkLock(): void {
  const { packages } = JSON.parse(fs.readFileSync(path.join(root, "package-lock.json"), "utf8"))
  const names = new Set(Object.keys(packages).map((key) => key.replace(/^.*node_modules\//, "")))
  const entries = Object.entries<Record<string, object>>(packages)
  const incomplete = [
    ...entries.filter(([key, entry]) => key !== "" && !("integrity" in entry)).map(([key]) => key),
    ...entries.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies))
      .filter((name) => !names.has(name))
  ]
  if (incomplete.length > 0) throw new Error(`incomplete in package-lock.json: ${incomplete.join(", ")}`)
}
