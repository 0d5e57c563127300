/**
 * Writes the examples to disk, for the type checker.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { all, directory, modulePath } from "./examples.ts"

fs.rmSync(directory, { recursive: true, force: true })
for (const example of all()) {
  const file = modulePath(example)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, example.source)
}
