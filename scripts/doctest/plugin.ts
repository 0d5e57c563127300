import type { Plugin } from "vitest/config"
import { all, compile, directory, modulePath } from "./examples.ts"

/**
 * Serves every example as a module of its own, and compiles its `// =>` comments to assertions.
 */
export const doctest = (): Plugin => {
  const find = (id: string) =>
    id.startsWith(directory) ? all().find((example) => modulePath(example) === id) : undefined
  return {
    name: "doctest",
    enforce: "pre",
    resolveId: (id) => find(id) && id,
    load: (id) => {
      const example = find(id)
      return example && compile(example)
    }
  }
}
