import { describe, it } from "vitest"
import { all, modulePath } from "./examples.ts"

for (const example of all()) {
  const name = `${example.file}:${example.line}`
  const load = () => import(modulePath(example))
  // An example that makes tests cannot run inside a test.
  if (/^import .*\b(it|EffectVitest)\b.* from /m.test(example.source)) describe(name, load)
  else it(name, load)
}
