/** Bundles a program with the bundlers that `check:size` does not run, and runs each bundle. */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

const program = `
import { Effect } from "effect"
import { WeakCache, WeakRef } from "effect-weakref"

const value = {}
if (WeakRef.deref(WeakRef.makeUnsafe(value)).value !== value) throw new Error("dead")
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const cache = yield* WeakCache.make({ lookup: (key) => Effect.succeed({ key }), capacity: 10 })
  if ((yield* WeakCache.get(cache, 1)) !== (yield* WeakCache.get(cache, 1))) throw new Error("not shared")
})))
`

/** The arguments with which each bundler writes `bundle.js` into a folder. */
const bundlers: Readonly<Record<string, (folder: string) => ReadonlyArray<string>>> = {
  bun: (folder) => ["build", "bundle.js", "--minify", "--target", "node", "--outdir", folder],
  parcel: (folder) => ["build", "bundle.js", "--no-cache", "--no-source-maps", "--dist-dir", folder]
}

export const bundle = async (
  project: string,
  check: (name: string, f: () => unknown) => Promise<void>
): Promise<void> => {
  fs.writeFileSync(path.join(project, "bundle.js"), program)
  for (const [bundler, args] of Object.entries(bundlers)) {
    await check(`a bundle of ${bundler} runs`, () => {
      const env = { ...process.env, NODE_ENV: "production" }
      const options = { cwd: project, env, encoding: "utf8", stdio: "pipe" } as const
      childProcess.execFileSync(path.join(project, "node_modules", ".bin", bundler), args(`with-${bundler}`), options)
      childProcess.execFileSync("node", [path.join(`with-${bundler}`, "bundle.js")], options)
    })
  }
}
