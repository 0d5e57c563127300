/**
 * Installs the packed library in a new project. Then type-checks and runs a program that imports every module.
 */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")
const project = fs.mkdtempSync(path.join(os.tmpdir(), "effect-weakref-"))
const run = (cwd: string, file: string, ...args: ReadonlyArray<string>): string =>
  childProcess.execFileSync(file, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })

const modules = fs.globSync(["*.ts", "testing/*.ts"], { cwd: path.join(root, "src") })
  .map((file) => file.replace(/\.ts$/, "").replace(/(^|\/)index$/, ""))
  .map((name) => name === "" ? "effect-weakref" : `effect-weakref/${name}`)
  .toSorted()

const program = `
import * as assert from "node:assert/strict"
${modules.map((name, index) => `import * as module${index} from "${name}"`).join("\n")}

const modules: ReadonlyArray<object> = [${modules.map((_, index) => `module${index}`).join(", ")}]
for (const module of modules) assert.notEqual(Object.keys(module).length, 0)

// @ts-expect-error: not for consumers
await assert.rejects(() => import("effect-weakref/internal/referent"), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" })
`

try {
  const [{ filename }] = JSON.parse(run(root, "npm", "pack", "--json", "--silent", "--pack-destination", project))
  const { devDependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))
  const versions = ["effect", "fast-check", "typescript", "@types/node"].map((name) =>
    `${name}@${devDependencies[name]}`
  )

  fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ type: "module", private: true }))
  fs.writeFileSync(path.join(project, "main.ts"), program)
  run(project, "npm", "install", "--prefer-offline", "--no-audit", "--no-fund", `./${filename}`, ...versions)
  run(
    project,
    "npx",
    "tsc",
    "--noEmit",
    "--strict",
    "--module",
    "nodenext",
    "--types",
    "node",
    "main.ts"
  )
  run(project, "node", "main.ts")
  console.log(`A consumer of ${filename} can use ${modules.join(", ")}`)
} finally {
  fs.rmSync(project, { recursive: true, force: true })
}
