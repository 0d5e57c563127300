/**
 * Prints the bytes of whole bundles, Effect included, and the bytes that the library adds
 * to an application with Effect's runtime. Fails if a figure is more than 2 % above the
 * stored figure, or above its goal. Runs each bundle once, because a bundler may drop code
 * that the program needs.
 *
 *     npm run check:size               compares with sizes.json
 *     npm run check:size -- --store    stores the figures
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import * as zlib from "node:zlib"
import { formatTable } from "../../benchmark/report/table.ts"
import { bundlers, write } from "./bundlers.ts"

const stored = path.join(import.meta.dirname, "sizes.json")

/** A service with a logger, a Scope and a failure: the parts of Effect that nearly every application has. */
const application = `import { Effect } from "effect"
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  yield* Effect.addFinalizer(() => Effect.void)
  yield* Effect.forkScoped(Effect.sleep("1 millis"))
  yield* Effect.ignore(Effect.fail("expected"))
  yield* Effect.logDebug("started")
})))
`

interface Program {
  readonly code: string
  /** Whether the figure is what the program adds to the application. */
  readonly added?: true
  /** The maximum with esbuild, in bytes after gzip. */
  readonly goal?: number
}

const weakRef = `import * as WeakRef from "effect-weakref/WeakRef"
if (WeakRef.deref(WeakRef.makeUnsafe(globalThis))._tag !== "Some") throw new Error("dead")
`

const programs: Readonly<Record<string, Program>> = {
  "WeakRef.makeUnsafe and deref": { code: weakRef, goal: 6000 },
  "WeakValueMap get and set": {
    code: `import * as WeakValueMap from "effect-weakref/WeakValueMap"
const map = WeakValueMap.makeUnsafe()
WeakValueMap.set(map, "key", globalThis)
if (WeakValueMap.get(map, "key")._tag !== "Some") throw new Error("dead")
`,
    goal: 8000
  },
  "all of WeakKeyMap": {
    code: `import * as WeakKeyMap from "effect-weakref/WeakKeyMap"
globalThis.used = Object.values(WeakKeyMap)
`,
    goal: 11_000
  },
  "an application with Effect": { code: application },
  "WeakRef, added to it": { code: application + weakRef, added: true, goal: 1500 },
  "WeakCache, added to it": {
    code: `${application}import * as WeakCache from "effect-weakref/WeakCache"
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const cache = yield* WeakCache.make({ lookup: (key) => Effect.succeed({ key }), capacity: 10 })
  if ((yield* WeakCache.get(cache, 1)) !== (yield* WeakCache.get(cache, 1))) throw new Error("not shared")
})))
`,
    added: true,
    goal: 7000
  },
  "everything, added to it": {
    code: `${application}import * as all from "effect-weakref"
globalThis.used = Object.values(all).map(Object.values)
`,
    added: true,
    goal: 18_000
  }
}

type Sizes = Record<string, Record<string, number>>

const sizes: Sizes = {}
for (const [bundler, bundle] of Object.entries(bundlers)) {
  const row: Record<string, number> = sizes[bundler] = {}
  let base = 0
  for (const [index, [name, { added, code }]] of Object.entries(programs).entries()) {
    const output = await bundle(write(`program${index}`, code))
    await import(pathToFileURL(write(`bundle-${bundler}-${index}`, output)).href)
    const bytes = zlib.gzipSync(output, { level: 9 }).length
    if (code === application) base = bytes
    row[name] = added === true ? bytes - base : bytes
  }
}

const before: Sizes = fs.existsSync(stored) ? JSON.parse(fs.readFileSync(stored, "utf8")) : {}
const failures: Array<string> = []
const missed: Array<string> = []
for (const [bundler, row] of Object.entries(sizes)) {
  for (const [name, bytes] of Object.entries(row)) {
    const limit = (before[bundler]?.[name] ?? 0) * 1.02
    if (bytes > limit) {
      failures.push(`${bundler}: "${name}" takes ${bytes} bytes, the stored figure is ${before[bundler]?.[name]}`)
    }
  }
}
for (const [name, { goal }] of Object.entries(programs)) {
  const bytes = sizes["esbuild"]![name]!
  if (goal !== undefined && bytes > goal) {
    missed.push(`"${name}" takes ${bytes} bytes with esbuild, the goal is ${goal}`)
  }
}

console.log("Bytes after minification and gzip:")
console.log(formatTable(
  ["program", ...Object.keys(sizes), "goal (esbuild)"],
  Object.entries(programs).map(([name, { goal }]) =>
    [name].concat(Object.values(sizes).map((row) => row[name]!.toLocaleString("en")), goal?.toLocaleString("en") ?? "")
  )
))
for (const text of missed) console.log(`Goal missed: ${text}`)
if (process.argv.includes("--store")) {
  fs.writeFileSync(stored, `${JSON.stringify(sizes, undefined, 2)}\n`)
} else if (failures.length > 0) {
  for (const failure of failures) console.log(failure)
  console.log("If the growth is intended, run npm run check:size -- --store")
  process.exitCode = 1
}
