/** Why some tests do not run on some engines. */
import type { Skipped } from "./report.ts"

/** The last word of a test name in brackets is the feature that the engine does not have. */
export const reasonOf = (name: string): string => /\(needs (.+)\)$/.exec(name)?.[1] ?? `needs ${name.split(" ").at(-1)}`

/** Test files that cannot run in a page. */
export const withoutNode: ReadonlyArray<Skipped> = [
  { name: "test/examples/", reason: "starts programs" },
  { name: "test/wedge.test.ts", reason: "starts programs" },
  { name: "test/internal/testing/heapSnapshot.test.ts", reason: "reads heap snapshots of Node" },
  { name: "test/testing/LeakDetector.test.ts", reason: "reads heap snapshots of Node" },
  { name: "test/testing/TestHeap.packages.test.ts", reason: "loads packages with Node" }
]
