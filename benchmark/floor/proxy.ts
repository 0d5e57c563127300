/** A weak proxy whose methods are weak too. It has only the two traps that a method call needs. */
import type { Proxies } from "../contenders.ts"

/** The last dereferenced target. A method is read and then called, and the target stays alive until the turn ends. */
let recent: Target | undefined
let recentTarget: object | undefined

const remember = (of: Target, target: object) => {
  if (recent === undefined) queueMicrotask(forget)
  recent = of
  recentTarget = target
}

const forget = () => {
  recent = undefined
  recentTarget = undefined
}

class Target {
  readonly ref: WeakRef<object>
  constructor(target: object) {
    this.ref = new WeakRef(target)
  }
  dereference(): object {
    if (recent === this) return recentTarget!
    const target = this.ref.deref()
    if (target === undefined) throw new ReferenceError("collected")
    remember(this, target)
    return target
  }
}

/** Uses one dereference per method call. The wrapped methods are cached. */
class ObjectTraps extends Target implements ProxyHandler<object> {
  readonly methods = new WeakMap<Function, Function>()
  get(_: object, key: PropertyKey) {
    const value = (this.dereference() as Record<PropertyKey, unknown>)[key]
    return typeof value === "function" ? this.methods.get(value) ?? this.makeMethod(value) : value
  }
  makeMethod(method: Function): Function {
    const made = new Proxy(method, new MethodTraps(this))
    this.methods.set(method, made)
    return made
  }
}

class MethodTraps implements ProxyHandler<Function> {
  readonly owner: ObjectTraps
  constructor(owner: ObjectTraps) {
    this.owner = owner
  }
  apply(method: Function, _self: unknown, args: Array<unknown>) {
    return Reflect.apply(method, this.owner.dereference(), args)
  }
}

class FunctionTraps extends Target implements ProxyHandler<Function> {
  apply(_: Function, self: unknown, args: Array<unknown>) {
    return Reflect.apply(this.dereference() as Function, self, args)
  }
}

const make = <A extends object>(target: A): A => new Proxy({}, new ObjectTraps(target)) as A

const makeFunction = <F extends Function>(target: F): F =>
  new Proxy(() => {}, new FunctionTraps(target)) as unknown as F

export const proxies: Proxies = { make, makeFunction }
