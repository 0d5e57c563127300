/** Lets Node 20 run TypeScript, for programs that tests start. Newer engines strip types by themselves. */
import { transform } from "esbuild"
import * as fs from "node:fs/promises"
import { register } from "node:module"
import { pathToFileURL } from "node:url"
import { isMainThread } from "node:worker_threads"

if (isMainThread) register(import.meta.url, { data: pathToFileURL(process.argv[1] ?? "").href })

let main

export const initialize = (url) => {
  main = url
}

export const load = async (url, context, nextLoad) => {
  if (!/^file:.*\.ts$/.test(url)) return nextLoad(url, context)
  const { code } = await transform(await fs.readFile(new URL(url), "utf8"), {
    loader: "ts",
    target: "node20",
    // Node 20 has none.
    define: { "import.meta.main": String(url === main) }
  })
  return { format: "module", shortCircuit: true, source: code }
}
