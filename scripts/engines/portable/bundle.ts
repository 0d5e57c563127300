/**
 * Bundles the core suite into one module, for hosts that run no test runner: every
 * example of the documentation, and the tests of `test/engines/core.ts`.
 */
import * as esbuild from "esbuild"
import * as fs from "node:fs"
import * as path from "node:path"
import { all, compile, modulePath, root } from "../../doctest/examples.ts"
import type { Outcome, Skipped } from "../report.ts"
import type { Result } from "./run.ts"

const entry = "core-suite"
const namespace = "example"
const assert = path.join(import.meta.dirname, "assert.ts")

/** Why an example cannot run without Node and these globals, or `undefined`. */
const reasonToSkip = (source: string, missing: ReadonlyArray<string>): string | undefined => {
  const [, name] = /from "(node:[^"]+|vitest|@effect\/vitest|fast-check)"/.exec(source) ?? []
  const global = missing.find((name) => new RegExp(`(new|extends) ${name}\\b|\\b${name}\\.`).test(source))
  return name !== undefined
    ? `imports ${name}`
    : /testing\/(Vitest|Laws|Arbitraries)"/.test(source)
    ? "needs vitest or fast-check"
    : /LeakDetector\./.test(source)
    ? "reads the heap of Node"
    : global !== undefined
    ? `the host has no ${global}`
    : undefined
}

export interface Suite {
  /** A module. */
  readonly code: string
  readonly skipped: ReadonlyArray<Skipped>
}

/**
 * Bundles the suite. The module begins with `prologue` and ends with `epilogue`, which can use
 * the functions of `run.ts` and `tests`. `missing` are globals that the host does not have.
 */
export const bundle = async (
  { epilogue, missing = [], prologue = "" }: {
    readonly prologue?: string
    readonly epilogue: string
    readonly missing?: ReadonlyArray<string>
  }
): Promise<Suite> => {
  const examples = all().map((example) => ({
    example,
    name: `${example.file}:${example.line}`,
    reason: reasonToSkip(example.source, missing)
  }))
  const imports = examples.filter(({ reason }) => reason === undefined)
    .map(({ example, name }) => `[${JSON.stringify(name)}, () => import(${JSON.stringify(modulePath(example))})]`)
  const { outputFiles: [file] } = await esbuild.build({
    stdin: {
      contents: `import { runAll, runOne } from ${JSON.stringify(path.join(import.meta.dirname, "run.ts"))}
import { core } from ${JSON.stringify(path.join(root, "test/engines/core.ts"))}
const tests = [...core, ${imports.join(", ")}]
${epilogue}`,
      loader: "ts",
      resolveDir: root,
      sourcefile: entry
    },
    alias: { "node:assert": assert, "node:assert/strict": assert },
    plugins: [{
      name: "examples",
      setup: ({ onLoad, onResolve }) => {
        onResolve({ filter: /^effect-weakref/ }, ({ path: id }) => ({
          path: path.join(root, "src", `${id.slice("effect-weakref/".length).replace(/^(testing)?$/, "$1/index")}.ts`)
        }))
        onResolve({ filter: /\.doctest/ }, ({ path: id }) => ({ path: id, namespace }))
        onLoad({ filter: /./, namespace }, ({ path: id }) => ({
          contents: compile(examples.find(({ example }) => modulePath(example) === id)!.example).code,
          loader: "ts",
          resolveDir: root
        }))
      }
    }],
    banner: { js: prologue },
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import"]
  })
  return {
    code: file!.text,
    skipped: examples.flatMap(({ name, reason }) => reason === undefined ? [] : [{ name, reason }])
  }
}

/** Counts the results of a suite, and prints its failures. */
export const outcome = (version: string, results: ReadonlyArray<Result>, { skipped }: Suite): Outcome => {
  const failures = results.filter(({ error }) => error !== undefined)
  for (const { error, name } of failures) console.log(`FAILED ${name}\n${error}`)
  return {
    version,
    passed: results.length - failures.length,
    failed: results.length === 0 ? 1 : failures.length,
    failures: results.length === 0 ? ["the run, which had no tests"] : failures.map(({ name }) => name),
    skipped
  }
}

/** A folder for the files of a run. Git ignores it. */
export const workFolder = (name: string): string => {
  const folder = path.join(root, "coverage", "engines", name)
  fs.mkdirSync(folder, { recursive: true })
  return folder
}
