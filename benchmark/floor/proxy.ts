/** A weak stand-in for an object whose methods stay weak as well, with the two traps that calling a method needs. */
import type { Proxies } from "../measure/proxies.ts"

/** A dereference a trap; methods are looked up in what was made for them before. */
const make = <A extends object>(target: A): A => {
  const ref = new WeakRef(target)
  const methods = new WeakMap<Function, Function>()
  return new Proxy({} as A, {
    get: (_, key) => {
      const value: unknown = Reflect.get(dereference(ref), key)
      return typeof value === "function" ? methods.get(value) ?? makeMethod(ref, methods, value) : value
    }
  })
}

const dereference = <A extends object>(ref: WeakRef<A>): A => {
  const target = ref.deref()
  if (target === undefined) throw new ReferenceError("collected")
  return target
}

const makeMethod = (ref: WeakRef<object>, methods: WeakMap<Function, Function>, method: Function): Function => {
  const made = new Proxy(method, {
    apply: (_, _self, args) => Reflect.apply(method, dereference(ref), args)
  })
  methods.set(method, made)
  return made
}

/** A dereference a call. */
const makeFunction = <F extends Function>(target: F): F => {
  const ref = new WeakRef(target)
  return new Proxy((() => {}) as unknown as F, {
    apply: (_, self, args) => Reflect.apply(dereference(ref), self, args)
  })
}

export const proxies: Proxies = { make, makeFunction }
