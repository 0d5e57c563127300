/** Stands for what a page does not have. Part of the pages. */
import { skip } from "../../../test/support/host.ts"

/** Values that tests read while they are loaded. */
const values: Readonly<Record<string, unknown>> = {
  "node:util.inspect.custom": Symbol.for("nodejs.util.inspect.custom"),
  "node:process.env": {},
  "node:process.versions": {},
  "node:process.features": {}
}

/** Returns a function that skips the test that calls or constructs it, or a property that it does not have. */
export const absent = (name: string): any =>
  new Proxy(function() {}, {
    get: (target, key) => {
      if (typeof key === "symbol" || key === "prototype") return Reflect.get(target, key)
      const property = `${name}.${key}`
      return values[property] ?? absent(property)
    },
    set: (_, key) => skip(`sets ${name}.${String(key)}`),
    apply: () => skip(`uses ${name}`),
    construct: () => skip(`uses ${name}`)
  })
