/** What the parent tells a worker before it runs a test file, and what the worker writes into its log. */
import * as path from "node:path"

export const root = path.resolve(import.meta.dirname, "../..")

/** Holds the plan, the log, and what earlier runs have found. */
export const folder = path.join(root, ".mutation")

export const planFile = path.join(folder, "plan.json")

export interface Plan {
  readonly log: string
  /** The mutants that no test has noticed yet. */
  readonly mutants: ReadonlyArray<number>
  /** The mutants that are left for each test that has run before. */
  readonly known: Readonly<Record<string, ReadonlyArray<number>>>
  /** Tests that take more milliseconds run without mutants, and wait for a later round. */
  readonly slow: number
  /** The milliseconds for which each mutant has run, and after which it runs in no more tests. */
  readonly spent: Readonly<Record<number, number>>
  readonly budget: number
  /** The mutant that is active from the start. */
  readonly only?: number
}

interface Begin {
  readonly test: string
  readonly pid: number
  readonly at: number
  /** The parent ends the process if nothing else is written for this many milliseconds. */
  readonly limit: number
}

export type Line =
  | Begin & { readonly type: "test" }
  | Begin & { readonly type: "mutant"; readonly id: number }
  | {
    readonly type: "reached"
    readonly test: string
    readonly ids: ReadonlyArray<number>
    readonly millis: number
  }
  | { readonly type: "passed" | "retry"; readonly test: string; readonly id: number }
  | { readonly type: "again"; readonly test: string }
  | { readonly type: "killed"; readonly id: number; readonly by: string }
  | { readonly type: "end"; readonly loaded: ReadonlyArray<number> }
