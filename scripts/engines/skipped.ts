/** Why some test files and tests do not run on some hosts. `skip` in `test/support/host.ts` gives the reason itself. */
import type { Skipped } from "./report.ts"

export type Host = "browser" | "bun" | "deno"

interface Rule extends Skipped {
  readonly hosts: ReadonlyArray<Host>
}

/** Names of test files, or of folders that end with a slash. */
const files: ReadonlyArray<Rule> = [
  { name: "test/examples/", hosts: ["browser", "bun", "deno"], reason: "starts Node" },
  { name: "test/stalledFinalizers.test.ts", hosts: ["browser", "bun", "deno"], reason: "starts Node" },
  { name: "test/testing/LeakDetector.program.test.ts", hosts: ["browser", "bun", "deno"], reason: "starts Node" },
  { name: "test/WeakProxy.minified.test.ts", hosts: ["browser"], reason: "bundles a program" },
  { name: "test/internal/refuse.test.ts", hosts: ["browser"], reason: "loads the library twice" },
  { name: "test/internal/testing/heapSnapshot.test.ts", hosts: ["browser"], reason: "reads the heap of Node" },
  {
    name: "test/internal/testing/inspector.test.ts",
    hosts: ["browser", "bun", "deno"],
    reason: "reads the heap of Node"
  },
  { name: "test/internal/testing/retainerNames.test.ts", hosts: ["browser"], reason: "reads the heap of Node" },
  {
    name: "test/internal/testing/retainers.test.ts",
    hosts: ["browser", "bun", "deno"],
    reason: "reads the heap of Node"
  },
  { name: "test/internal/testing/scripts.test.ts", hosts: ["browser"], reason: "reads files" },
  { name: "test/internal/testing/turns.test.ts", hosts: ["browser", "deno"], reason: "replaces timers of Node" },
  { name: "test/testing/LeakDetector.test.ts", hosts: ["browser"], reason: "reads the heap of Node" },
  { name: "test/testing/TestHeap.packages.test.ts", hosts: ["browser"], reason: "loads CommonJS packages" }
]

export const filesSkippedOn = (host: Host): ReadonlyArray<Skipped> => files.filter(({ hosts }) => hosts.includes(host))

/** Tests that `it.skipIf` skips. */
const tests: ReadonlyArray<readonly [file: string, name: RegExp, reason: string]> = [
  ["test/testing/Vitest.test.ts", /explore (skips a test|does not run a test|c|d)$/, "tests skipping itself"],
  ["test/hostile.test.ts", /every module works with/, "starts Node"],
  ["test/collections.test.ts", /./, "the engine has no Iterator"],
  ["test/WeakListeners.realHeap.test.ts", /./, "measures memory"]
]

export const reasonOf = (file: string, name: string): string => {
  const found = tests.find(([end, pattern]) => file.endsWith(end) && pattern.test(name))
  return found?.[2] ?? /\(needs (.+)\)$/.exec(name)?.[1]?.replace(/^/, "needs ") ?? "no reason is recorded"
}
