import { it } from "vitest"
import { all, modulePath } from "./examples.ts"

for (const example of all()) {
  it(`${example.file}:${example.line}`, () => import(modulePath(example)))
}
