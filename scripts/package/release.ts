/** Refuses a release while the package has no home, or while the version has no changelog. Runs before `npm publish`. */
import * as fs from "node:fs"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "../..")
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8")

const manifest = JSON.parse(read("package.json"))
const missing: ReadonlyArray<string> = [
  ...["repository", "homepage", "bugs"].filter((field) => manifest[field] === undefined)
    .map((field) => `package.json has no "${field}". Provenance and the links on npm need it`),
  ...manifest.publishConfig?.provenance === true ? [] : ["package.json does not ask for provenance"],
  ...read("CHANGELOG.md").includes(`## ${manifest.version}`)
    ? []
    : [`CHANGELOG.md has no section for ${manifest.version}`]
]
for (const text of missing) console.error(text)
if (missing.length > 0) process.exitCode = 1
else console.log(`${manifest.name} ${manifest.version} can be released`)
