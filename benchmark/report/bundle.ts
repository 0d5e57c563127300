/** What the library adds to a program: bundled and minified without `effect`, and compressed. */
import * as path from "node:path"
import * as zlib from "node:zlib"
import { build } from "vite"

const programs = { "import { WeakRef }": "weakRef.ts", "import *": "everything.ts" }

export interface BundleSize {
  readonly program: string
  readonly minified: number
  readonly gzip: number
  readonly brotli: number
}

export const measureBundles = (): Promise<Array<BundleSize>> =>
  Promise.all(
    Object.entries(programs).map(async ([program, file]) => {
      const output = await build({
        configFile: false,
        logLevel: "silent",
        build: {
          write: false,
          target: "esnext",
          minify: true,
          rollupOptions: {
            input: path.resolve(import.meta.dirname, "../bundle", file),
            preserveEntrySignatures: "strict",
            external: /^effect\//
          },
          modulePreload: false
        }
      })
      // With one input and no watcher there is one bundle of one chunk.
      const { output: [chunk] } = output as Extract<typeof output, { output: unknown }>
      const code = Buffer.from(chunk.code)
      return {
        program,
        minified: code.length,
        gzip: zlib.gzipSync(code, { level: 9 }).length,
        brotli: zlib.brotliCompressSync(code).length
      }
    })
  )
