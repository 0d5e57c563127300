/** A plain `Proxy` that holds its target, with the traps `get` and `apply`. It shows the cost of forwarding alone. */
import type { Proxies } from "../contenders.ts"

const make = <A extends object>(target: A): A => {
  const methods = new Map<Function, Function>()
  return new Proxy(target, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== "function") return value
      let method = methods.get(value)
      if (method === undefined) {
        method = new Proxy(value, { apply: (value, _self, args) => Reflect.apply(value, target, args) })
        methods.set(value, method)
      }
      return method
    }
  })
}

const makeFunction = <F extends Function>(target: F): F =>
  new Proxy(target, { apply: (target, self, args) => Reflect.apply(target, self, args) })

export const proxies: Proxies = { make, makeFunction }
