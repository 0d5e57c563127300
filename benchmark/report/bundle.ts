/** Measures the bytes that the library adds to a program without `effect`: bundled, minified and compressed. */
import { type Plugin, rollup } from "@rollup/wasm-node"
import * as esbuild from "esbuild"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { build } from "vite"

const src = path.resolve(import.meta.dirname, "../../src")
const external = /^effect\//

/** The programs to bundle. Each imports the library as an application does. */
export const programs = {
  "WeakRef.makeUnsafe": `import { WeakRef } from "effect-weakref"; export const make = WeakRef.makeUnsafe`,
  "WeakRef.makeUnsafe, by subpath":
    `import * as WeakRef from "effect-weakref/WeakRef"; export const make = WeakRef.makeUnsafe`,
  "import { WeakRef }": `export { WeakRef } from "effect-weakref"`,
  "import { WeakRef }, by subpath": `export * as WeakRef from "effect-weakref/WeakRef"`,
  "import *": `export * from "effect-weakref"`
}

export type Program = keyof typeof programs

export interface BundleSize {
  readonly bundler: string
  readonly program: Program
  readonly minified: number
  readonly gzip: number
  readonly brotli: number
}

const entry = "program.ts"

/** Resolves the package to its sources, and marks them as free of side effects, as package.json does. */
const sources = (code: string): Plugin => ({
  name: "sources",
  resolveId: (id, importer) => {
    const file = id === entry
      ? path.join(src, "..", entry)
      : id.startsWith("effect-weakref")
      ? path.join(src, `${id.slice("effect-weakref/".length) || "index"}.ts`)
      : id.startsWith(".")
      ? path.resolve(path.dirname(importer!), id)
      : undefined
    return file === undefined ? null : { id: file, moduleSideEffects: id === entry }
  },
  load: (id) => path.basename(id) === entry ? code : null
})

const typescript: Plugin = {
  name: "typescript",
  transform: async (code, id) =>
    id.endsWith(".ts") ? (await esbuild.transform(code, { loader: "ts", target: "esnext" })).code : null
}

type Bundler = (code: string) => Promise<string>

const bundlers: Readonly<Record<string, Bundler>> = {
  vite: async (code) => {
    const output = await build({
      configFile: false,
      logLevel: "silent",
      plugins: [{ ...sources(code), enforce: "pre" } as never],
      build: {
        write: false,
        target: "esnext",
        minify: true,
        rollupOptions: { input: entry, preserveEntrySignatures: "strict", external },
        modulePreload: false
      }
    })
    // One input without a watcher results in one bundle with one chunk.
    return (output as Extract<typeof output, { output: unknown }>).output[0].code
  },
  rollup: async (code) => {
    const bundle = await rollup({ input: entry, external, plugins: [sources(code), typescript], logLevel: "silent" })
    const { output: [chunk] } = await bundle.generate({ format: "es" })
    const minified = await esbuild.transform(chunk.code, { minify: true, format: "esm", target: "esnext" })
    return minified.code
  },
  esbuild: async (code) => {
    const { outputFiles: [file] } = await esbuild.build({
      stdin: { contents: code, loader: "ts", resolveDir: src, sourcefile: entry },
      alias: { "effect-weakref": path.join(src, "index.ts") },
      plugins: [{
        name: "sources",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^effect-weakref\// }, ({ path: id }) => ({
            path: path.join(src, `${id.slice("effect-weakref/".length)}.ts`),
            sideEffects: false
          }))
      }],
      external: ["effect/*"],
      bundle: true,
      write: false,
      minify: true,
      format: "esm",
      target: "esnext"
    })
    return file!.text
  }
}

export const measureBundles = async (): Promise<Array<BundleSize>> => {
  const sizes: Array<BundleSize> = []
  for (const [bundler, bundle] of Object.entries(bundlers)) {
    for (const [program, code] of Object.entries(programs)) {
      const output = Buffer.from(await bundle(code))
      sizes.push({
        bundler,
        program: program as Program,
        minified: output.length,
        gzip: zlib.gzipSync(output, { level: 9 }).length,
        brotli: zlib.brotliCompressSync(output).length
      })
    }
  }
  return sizes
}
