/** What the detector finds in whole programs. Each runs in a process of its own, whose heap is small. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"

const root = path.join(import.meta.dirname, "../..")
// Node before 22.18 does not run TypeScript.
const stripTypes = process.features.typescript
  ? []
  : ["--import", pathToFileURL(path.join(root, "scripts/engines/stripTypes.mjs")).href]

const run = async <A>(program: string): Promise<A> => {
  const args = [
    "--expose-gc",
    "--no-warnings",
    ...stripTypes,
    path.join(import.meta.dirname, "leaks", program)
  ]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  return JSON.parse(stdout)
}

describe("expectCollected", { timeout: 600_000 }, () => {
  let leaks: Record<string, string> = {}
  let details: Record<string, string> = {}

  beforeAll(async () => {
    const paths = await run<Record<"leaks" | "details", Record<string, string>>>("program.ts")
    leaks = paths.leaks
    details = paths.details
  }, 600_000)

  const inProgram =
    /^(?:globalThis\b|(?:variable|export) \w+ of module test\/|exports of module test\/|timer \(|listener "\w+" of process )/

  it("begins each path in the program, and leads through no other code", () => {
    assert.isAtLeast(Object.keys(leaks).length, 28)
    for (const [name, path] of Object.entries(leaks)) {
      assert.match(path, inProgram, name)
      assert.match(path, / → value$/, name)
      assert.notMatch(path, /the engine's|node:|node_modules|\bsrc\/|Module(?:Job|Wrap)|native_bind|<symbol>/, name)
    }
  })

  it("prints the paths that the documentation shows", async () => {
    // Other engines have other positions of functions, and call a few objects by other names.
    if (Number(process.versions.node.split(".")[0]) < 26) return
    const page = (await fs.readFile(path.join(root, "docs/leaks.md"), "utf8")).replace(/ +/g, " ")
    for (const [name, path] of Object.entries(leaks)) {
      const row = `| ${name} | \`${path.replaceAll("test/testing/leaks/", "")}\` |`
      assert.include(page, row, `docs/leaks.md does not have the row\n${row}\n`)
    }
  })

  const place = String.raw`\(test/testing/leaks/program\.ts:\d+:\d+\)`
  const expected: Record<string, RegExp> = {
    "Map with a numeric key": /^globalThis\.byNumber → Map → entry 42 → value$/,
    "key of a Map": /^globalThis\.byKey → Map → key → value$/,
    "Map with a long key": /^globalThis\.byLongKey → Map → entry "x{60}…" → value$/,
    "second listener": /^globalThis\.emitter → listener "data" of EventEmitter → variable value captured by closure /,
    "fiber in a span": /suspended fiber of "saveUser" → value$/,
    "fiber of a named generator": /suspended fiber of "deleteUser" → suspended generator "deleteUser"/,
    "second finalizer of a Scope":
      /^globalThis\.outer → Scope finalizer registered at .* → variable value captured by /,
    "weak references": /^globalThis\.strongly\.one\.two\.three\.four\.five\.six\[0\] → value$/,
    "one of many instances": /^globalThis\.instances\.value → value$/,
    "variable of a block": new RegExp(
      String.raw`^globalThis\.block → variable second captured by closure \(anonymous\) ${place} → Array\[0\] → value$`
    ),
    "finished async generator": /^globalThis\.finished → finished async generator "items" → variable value → value$/,
    "array iterator": /^globalThis\.items → ArrayIterator → array → Array\[0\] → value$/,
    "iterator helper":
      /^globalThis\.mapped → IteratorHelper → callback → variable value captured by closure |^collected$/,
    "listener of once": /^listener "SIGUSR2" of process → variable value captured by closure /,
    "variable of a module that awaits":
      /^variable taken of module test\/testing\/leaks\/awaiting\.ts → Array\[0\] → value$/,
    "array of the test": new RegExp(
      String.raw`→ variable mine captured by closure array of the test ${place} → Array\[0\] → value$`
    ),
    "resource of an outer Scope": /\n {2}suspended fiber → Scope finalizer registered at test\/testing\/\S+ → value$/,
    "released": /^collected$/
  }

  for (const [name, path] of Object.entries(expected)) {
    it(`names the path: ${name}`, () => assert.match(details[name] ?? "", path))
  }
})

describe("expectNoGrowth", { timeout: 600_000 }, () => {
  it("counts the instances of a class of another context, with subclasses and without namesakes", async () => {
    const { closing, leaking } = await run<Record<"leaking" | "closing", ReadonlyArray<Record<string, unknown>>>>(
      "growth.ts"
    )
    const changes = leaking.map(({ after, before, name }) => [name, Number(after) - Number(before)])
    assert.deepStrictEqual(changes, [["Session", 3], ["Special", 3]])
    assert.deepStrictEqual(closing, [])
  })

  it("finds leaks in the pool vmThreads of vitest, and names variables of its modules", async () => {
    const vitest = path.join(root, "node_modules/vitest/vitest.mjs")
    const config = path.join(import.meta.dirname, "leaks/vitest.config.ts")
    const args = [vitest, "run", "--root", path.join(import.meta.dirname, "leaks"), "--config", config]
    await promisify(execFile)(process.execPath, args, { cwd: root, env: { ...process.env, NO_COLOR: "1" } })
  })
})
