import * as path from "node:path"
import { defineConfig } from "vite"

const src = path.join(import.meta.dirname, "../../src")

export default defineConfig({
  root: import.meta.dirname,
  resolve: {
    alias: [
      { find: /^effect-weakref$/, replacement: `${src}/index.ts` },
      { find: /^effect-weakref\/(.+)$/, replacement: `${src}/$1.ts` }
    ]
  },
  worker: { format: "es" }
})
