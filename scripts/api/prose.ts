/**
 * Prints how long the sentences of the public text are. Fails if they are too short on
 * average, or if too many of them are short. `-- --short` lists the short sentences.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { sentences, words } from "./blocks.ts"
import { modules, root } from "./modules.ts"

/** A sentence with so few words is short. */
const short = 7
const goal = { average: 13, short: 0.15 }

const guides = ["README.md", "CONTRIBUTING.md", "AGENTS.md"].concat(
  fs.readdirSync(path.join(root, "docs")).filter((file) => file.endsWith(".md")).map((file) => `docs/${file}`)
)
const files = [...guides, ...modules.map(({ source }) => path.relative(root, source))]

const row = (name: string, all: ReadonlyArray<string>): string => {
  const { average, share } = measure(all)
  return `${name.padEnd(32)}${String(all.length).padStart(10)}${average.toFixed(1).padStart(9)}${
    `${(100 * share).toFixed(0)} %`.padStart(8)
  }`
}

const measure = (all: ReadonlyArray<string>): { readonly average: number; readonly share: number } => {
  const lengths = all.map(words)
  return {
    average: lengths.reduce((sum, length) => sum + length, 0) / lengths.length,
    share: lengths.filter((length) => length <= short).length / lengths.length
  }
}

const total: Array<string> = []
console.log(`${"file".padEnd(32)}${"sentences".padStart(10)}${"words".padStart(9)}${"short".padStart(8)}`)
for (const file of files) {
  const found = sentences(fs.readFileSync(path.join(root, file), "utf8"), file.endsWith(".ts"))
  if (found.length === 0) continue
  total.push(...found)
  console.log(row(file, found))
  if (process.argv.includes("--short")) {
    for (const sentence of found) if (words(sentence) <= short) console.log(`    ${sentence}`)
  }
}
console.log(row("all", total))
const { average, share } = measure(total)
if (average < goal.average || share > goal.short) {
  console.log(
    `The goal is an average of ${goal.average} words, and at most ${100 * goal.short} % with ${short} or fewer.`
  )
  process.exitCode = 1
}
