/**
 * Writes the examples to disk, for the type checker. Not to the paths of the modules that
 * vitest runs, because vitest caches a module by the file at its path.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { all, directory, modulePath } from "./examples.ts"

fs.rmSync(directory, { recursive: true, force: true })
for (const example of all()) {
  const file = path.join(directory, "types", path.relative(directory, modulePath(example)))
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, example.source)
}
