/**
 * Replaces the modules of Node in a page. A page has other realms, so `node:vm` works. Using
 * anything else of these modules skips the test that uses it, and says what was used.
 */
import { builtinModules } from "node:module"
import * as path from "node:path"
import type { Plugin } from "vite"

const prefix = "\0node:"
const host = path.resolve(import.meta.dirname, "../../../test/support/host.ts")

export const withoutNode = (): Plugin => ({
  name: "modules of Node in a page",
  enforce: "pre",
  resolveId: (id, importer) =>
    id === "node:vm"
      ? path.join(import.meta.dirname, "vm.ts")
      : id.startsWith("node:") && importer?.includes("/test/") === true
      ? `${prefix}${id.slice("node:".length)}`
      : undefined,
  load: async (id) => {
    if (!id.startsWith(prefix)) return
    const name = id.slice(prefix.length)
    if (!builtinModules.includes(name)) throw new Error(`Node has no module ${name}`)
    const exports = Object.keys(await import(`node:${name}`)).filter((key) => /^\w+$/.test(key) && key !== "default")
    return `import { absent } from ${JSON.stringify(path.join(import.meta.dirname, "absent.ts"))}
const module = absent("node:${name}")
export default module
${exports.map((key) => `const $${key} = module.${key}\nexport { $${key} as ${key} }`).join("\n")}
`
  },
  // The tests use the global `process`, which the library must not find in a page.
  transform: (code, id) =>
    /\/test\/.*\.ts$/.test(id) && id !== host && /\bprocess\./.test(code) && !/from "node:process"/.test(code)
      ? { code: `import process from "node:process";${code}`, map: null }
      : undefined
})
