/** Bundles a program that imports the built package, Effect included, as an application does. */
import { nodeResolve } from "@rollup/plugin-node-resolve"
import { rollup } from "@rollup/wasm-node"
import { rspack } from "@rspack/core"
import * as esbuild from "esbuild"
import * as fs from "node:fs"
import * as path from "node:path"
import { build } from "vite"
import webpack from "webpack"

const root = path.resolve(import.meta.dirname, "../..")

/** A project in which `effect-weakref` resolves to the built package. Git ignores this folder. */
const project = path.join(root, "coverage", "bundles")

const installed = path.join(project, "node_modules", "effect-weakref")
fs.rmSync(project, { recursive: true, force: true })
fs.mkdirSync(path.dirname(installed), { recursive: true })
fs.symlinkSync(root, installed, "junction")
fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ private: true, type: "module" }))

/** Bundles and minifies the program in a file, and returns its code. */
type Bundler = (entry: string) => Promise<string>

/** Runs webpack or a bundler with its interface, which write their output to a folder. */
const packing = (run: typeof webpack, name: string): Bundler => async (entry) => {
  const output = { path: path.join(project, name), filename: path.basename(entry), module: true }
  await new Promise<void>((done, fail) =>
    run(
      { mode: "production", target: "web", entry, context: project, output, experiments: { outputModule: true } },
      (error, stats) =>
        error !== null && error !== undefined || stats === undefined || stats.hasErrors()
          ? fail(error ?? new Error(stats?.toString("errors-only")))
          : done()
    )
  )
  return fs.readFileSync(path.join(output.path, output.filename), "utf8")
}

export const bundlers: Readonly<Record<string, Bundler>> = {
  esbuild: async (entry) => {
    const { outputFiles: [file] } = await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      minify: true,
      format: "esm",
      target: "esnext"
    })
    return file!.text
  },
  rollup: async (entry) => {
    const bundle = await rollup({ input: entry, plugins: [nodeResolve({ browser: true })], logLevel: "silent" })
    const { output: [chunk] } = await bundle.generate({ format: "es", inlineDynamicImports: true })
    const minified = await esbuild.transform(chunk.code, { minify: true, format: "esm", target: "esnext" })
    return minified.code
  },
  vite: async (entry) => {
    const output = await build({
      configFile: false,
      logLevel: "silent",
      root: project,
      build: {
        write: false,
        target: "esnext",
        minify: true,
        modulePreload: false,
        rollupOptions: { input: entry, preserveEntrySignatures: "strict" }
      }
    })
    // One input without a watcher results in one bundle with one chunk.
    return (output as Extract<typeof output, { output: unknown }>).output[0].code
  },
  webpack: packing(webpack, "webpack"),
  // Rspack has webpack's interface, but its own types.
  rspack: packing(rspack as unknown as typeof webpack, "rspack")
}

/** Writes a program into the project, and returns its path. */
export const write = (name: string, code: string): string => {
  const entry = path.join(project, `${name}.mjs`)
  fs.writeFileSync(entry, code)
  return entry
}
