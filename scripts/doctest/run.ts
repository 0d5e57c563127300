import { describe, it } from "vitest"
import { all, modulePath } from "./examples.ts"

// An example that makes tests cannot run inside a test.
const makesTests = ({ source }: { readonly source: string }) => /^\s*it[.(]/m.test(source)

const [suites, tests] = [all().filter(makesTests), all().filter((example) => !makesTests(example))]

for (const example of tests) it(`${example.file}:${example.line}`, () => import(modulePath(example)))

for (const example of suites) {
  describe(`${example.file}:${example.line}`, async () => {
    await import(modulePath(example))
  })
}
