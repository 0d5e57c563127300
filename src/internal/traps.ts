/**
 * The traps of a weak proxy: each dereferences the referent and forwards the
 * operation to it.
 *
 * The engine believes that an empty object, the shell, is behind the proxy. The
 * traps hold the referent's record, which refers to the referent weakly. A
 * function that is read from the referent may capture the referent. A stand-in
 * takes its place, which holds the function by an ephemeron of the referent.
 */
import * as Hash from "effect/Hash"
import { NodeInspectSymbol } from "effect/Inspectable"
import { isFunction, isObjectKeyword } from "effect/Predicate"
import type { Heap } from "../Heap.ts"
import { DeadReferenceError, UnhashableError } from "../WeakError.ts"
import type * as Referent from "./referent.ts"

/** Any function. The traps pass arguments on without looking at them, so a cast to this type needs no more reason. */
type AnyFunction = (this: unknown, ...args: ReadonlyArray<never>) => unknown

/** Constructing returns the argument, so that a subclass adds its fields to that very object. */
const Given = function(given: object) {
  return given
  // A function that is called with `new` returns the object that it returns. TypeScript types only classes so.
} as unknown as new(given: object) => object

/** Adds a private field to a proxy. No trap sees the field, nobody can forge it, and nothing inherits it. */
class Proxied extends Given {
  readonly #traps: Traps

  constructor(proxy: object, traps: Traps) {
    super(proxy)
    this.#traps = traps
  }

  static trapsOf(u: unknown): Traps | undefined {
    return isObjectKeyword(u) && #traps in u ? u.#traps : undefined
  }
}

/** Adds to a shell the way back to its traps, and a method that prints it. Fields ignore accessors of prototypes. */
class Shell extends Given {
  readonly [NodeInspectSymbol] = inspect
  readonly #traps: Traps

  constructor(shell: object, traps: Traps) {
    super(shell)
    this.#traps = traps
  }

  static trapsOf(u: unknown): Traps | undefined {
    return isObjectKeyword(u) && #traps in u ? u.#traps : undefined
  }
}

/** Forwards every operation to the target. The engine takes a shell for the target. */
abstract class Traps implements ProxyHandler<object> {
  declare readonly heap: Heap
  declare readonly proxy: object
  /** The stand-ins of the functions that were read. */
  declare standIns: WeakMap<AnyFunction, object> | undefined

  constructor(target: object, heap: Heap) {
    this.heap = heap
    this.proxy = new Proxied(new Proxy(new Shell(shellOf(target), this), this), this)
    this.standIns = undefined
  }

  /** Dereferences. */
  abstract peek(): object | undefined

  /** What a message calls the proxy. */
  abstract describe(): string

  /** Dereferences, or throws an error that names the operation and its property. */
  target(operation: string, key?: PropertyKey): object {
    const target = this.peek()
    if (target === undefined) throw this.dead(operation, key)
    return target
  }

  dead(operation: string, key?: PropertyKey): DeadReferenceError {
    return new DeadReferenceError({
      message: `Cannot ${operation}${key === undefined ? "" : ` ${nameOf(key)} of`} ${this.describe()}: the ${
        kindOf(this.proxy)
      } behind it has been collected. Hold the referent with WeakProxy.use, or ask WeakProxy.deref first`,
      kind: "WeakProxy",
      ...key === undefined ? undefined : { property: key }
    })
  }

  /** Converts a value that leaves the target: the target becomes the proxy, a function becomes its stand-in. */
  outward(value: unknown, key: PropertyKey, target: object): unknown {
    if (value === target) return this.proxy
    return typeof value === "function" ? this.standIn(value as AnyFunction, key, target) : value
  }

  /** Converts a value that enters the target, the reverse of `outward`. */
  inward(value: unknown, target: object): unknown {
    if (value === this.proxy) return target
    if (typeof value !== "function") return value
    const traps = Proxied.trapsOf(value)
    return traps instanceof FunctionTraps && traps.owner === this ? traps.target("read") : value
  }

  standIn(value: AnyFunction, key: PropertyKey, target: object): object {
    if (recent.value === value && recent.traps === this) return recent.standIn!
    let standIn = this.standIns?.get(value)
    if (standIn === undefined) {
      if (key === "constructor" || key === "__proto__" || generic.has(value) || isWeakProxy(value)) return value
      standIn = new FunctionTraps(this, target, value, key).proxy
      this.standIns ??= new this.heap.WeakMap()
      this.standIns.set(value, standIn)
    }
    if (recent.traps === this) {
      recent.value = value
      recent.standIn = standIn
    }
    return standIn
  }

  getPrototypeOf(): object | null {
    const target = this.peek()
    if (target !== undefined) return Reflect.getPrototypeOf(target)
    const error = this.dead("read the prototype of")
    // Node and Bun ask whether the cause of an error that they print is an error too, and must not throw for it.
    if (isPrinted(error)) return null
    throw error
  }

  setPrototypeOf(_shell: object, prototype: object | null): boolean {
    const target = this.target("set the prototype of")
    return Reflect.setPrototypeOf(target, prototype === this.proxy ? target : prototype)
  }

  isExtensible(): boolean {
    this.target("read the extensibility of")
    return true
  }

  preventExtensions(): boolean {
    this.target("prevent extensions of")
    return false
  }

  getOwnPropertyDescriptor(shell: object, key: PropertyKey): PropertyDescriptor | undefined {
    const target = this.target("read the descriptor of property", key)
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key)
    if (descriptor === undefined) return undefined
    // The engine reads inherited parts too, and a program may have put one on Object.prototype.
    Object.setPrototypeOf(descriptor, null)
    for (const part of ["value", "get", "set"] as const) {
      // The parts have different types, and TypeScript allows only `undefined` for all of them.
      if (Object.hasOwn(descriptor, part)) descriptor[part] = this.outward(descriptor[part], key, target) as undefined
    }
    // The engine refuses "non-configurable", and for a length "read-only", unless the shell has such a property.
    if (isLengthOf(shell, key)) descriptor.writable = true
    else descriptor.configurable = true
    return descriptor
  }

  defineProperty(shell: object, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    const target = this.target("define property", key)
    const mustNotBeFalse = isLengthOf(shell, key) ? "writable" : "configurable"
    Object.setPrototypeOf(descriptor, null)
    if (descriptor[mustNotBeFalse] === false) return false
    for (const part of ["value", "get", "set"] as const) {
      // The same cast as above, for the same reason.
      if (Object.hasOwn(descriptor, part)) descriptor[part] = this.inward(descriptor[part], target) as undefined
    }
    return Reflect.defineProperty(target, key, descriptor)
  }

  has(_shell: object, key: PropertyKey): boolean {
    return Reflect.has(this.target("look up property", key), key)
  }

  get(_shell: object, key: PropertyKey, receiver: unknown): unknown {
    const target = this.peek()
    if (target === undefined) {
      if (key === Symbol.toStringTag) return collected
      throw this.dead("read property", key)
    }
    // The receiver is nearly always the proxy. Then an ordinary read is faster than Reflect. Every object can be read so.
    const value: unknown = receiver === this.proxy
      ? (target as { readonly [key: PropertyKey]: unknown })[key]
      : Reflect.get(target, key, receiver)
    return this.outward(value, key, target)
  }

  set(_shell: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    const target = this.target("write property", key)
    return receiver === this.proxy
      ? Reflect.set(target, key, this.inward(value, target), target)
      : Reflect.set(target, key, value, receiver)
  }

  deleteProperty(_shell: object, key: PropertyKey): boolean {
    return Reflect.deleteProperty(this.target("delete property", key), key)
  }

  ownKeys(): Array<string | symbol> {
    return Reflect.ownKeys(this.target("list the properties of"))
  }

  apply(_shell: object, self: unknown, args: ReadonlyArray<unknown>): unknown {
    const target = this.target("call")
    const result: unknown = Reflect.apply(target as AnyFunction, self === this.proxy ? target : self, args)
    return result === target ? this.proxy : result
  }

  construct(_shell: object, args: ReadonlyArray<unknown>, newTarget: object): object {
    const target = this.target("construct an instance of")
    const made: object = Reflect.construct(
      target as AnyFunction,
      args,
      (newTarget === this.proxy ? target : newTarget) as AnyFunction
    )
    return made === target ? this.proxy : made
  }

  /** What `util.inspect` shows with `showProxy`. */
  [NodeInspectSymbol](): string {
    return `[${this.constructor.name}]`
  }
}

/** The traps of a weak proxy. */
export class ReferentTraps<A extends object> extends Traps {
  declare readonly record: Referent.Referent<A>

  constructor(record: Referent.Referent<A>, target: A) {
    super(target, record.records.heap)
    this.record = record
  }

  peek(): A | undefined {
    const { record } = this
    if (recent.traps === this) {
      // `remember` stores the target together with its own traps.
      const target = recent.target as A
      // A heap may collect within a turn. Then its WeakMap has lost the entry.
      if (record.records.byReferent.get(target) === record) return target
    }
    const target = record.deref()
    if (target !== undefined) remember(this, target)
    return target
  }

  describe(): string {
    return "a weak proxy"
  }

  override has(shell: object, key: PropertyKey): boolean {
    return super.has(shell, key) || key === Hash.symbol
  }

  override get(shell: object, key: PropertyKey, receiver: unknown): unknown {
    const value = super.get(shell, key, receiver)
    return key === Hash.symbol ? unhashable : value
  }
}

/**
 * The last dereferenced target with its traps, and the last function that was read from the target with its stand-in.
 * With it, reading a method and calling the method dereference once.
 *
 * The engine keeps a dereferenced target to the end of the turn. All this is forgotten before that, by a microtask.
 * A heap other than the engine's may collect a target earlier. Therefore each use first looks up an ephemeron of the
 * target: when a target is collected, the WeakRef and the WeakMap of a heap lose it at the same moment.
 */
const recent: {
  traps: Traps | undefined
  target: object | undefined
  value: AnyFunction | undefined
  standIn: object | undefined
} = { traps: undefined, target: undefined, value: undefined, standIn: undefined }

const remember = (traps: Traps, target: object): void => {
  if (recent.traps === undefined) void forgetSoon()
  recent.traps = traps
  recent.target = target
  recent.value = undefined
}

/** An `await` is a microtask that a program can neither replace nor fake, unlike `then` or `queueMicrotask`. */
const forgetSoon = async (): Promise<void> => {
  await undefined
  recent.traps = undefined
  recent.target = undefined
  recent.value = undefined
  recent.standIn = undefined
}

const unhashable = (): never => {
  throw new UnhashableError()
}

/**
 * The traps of a stand-in for a function that was read from a proxy. The function
 * may capture its object. The ephemeron keeps the function for everyone who has
 * the stand-in, but no longer than the object lives.
 */
class FunctionTraps extends Traps {
  declare readonly owner: Traps
  declare readonly key: PropertyKey
  declare readonly functions: WeakMap<object, AnyFunction>

  constructor(owner: Traps, ownerTarget: object, target: AnyFunction, key: PropertyKey) {
    super(target, owner.heap)
    this.owner = owner
    this.key = key
    this.functions = new owner.heap.WeakMap()
    this.functions.set(ownerTarget, target)
  }

  peek(): AnyFunction | undefined {
    const ownerTarget = this.owner.peek()
    return ownerTarget && this.functions.get(ownerTarget)
  }

  describe(): string {
    return `${nameOf(this.key)} of ${this.owner.describe()}`
  }

  override apply(_shell: object, self: unknown, args: ReadonlyArray<unknown>): unknown {
    const { owner } = this
    // The ephemeron below confirms that the owner's target has not been collected.
    const ownerTarget = recent.traps === owner ? recent.target! : owner.target("call the function", this.key)
    const target = this.functions.get(ownerTarget)
    if (target === undefined) throw owner.dead("call the function", this.key)
    const result: unknown = Reflect.apply(target, self === owner.proxy ? ownerTarget : self, args)
    return result === ownerTarget ? owner.proxy : result === target ? this.proxy : result
  }
}

/** Returns the traps of a weak proxy of this copy of the library. Runs no trap and never throws. */
export const trapsOf = (u: unknown): ReferentTraps<object> | undefined => {
  const traps = Proxied.trapsOf(u)
  return traps instanceof ReferentTraps ? traps : undefined
}

const isWeakProxy = (u: unknown): boolean => trapsOf(u) !== undefined

/**
 * Functions that need no stand-in, because they do the same on the proxy as on
 * the referent. The result of `bind` on a proxy is weak too.
 */
const generic: ReadonlySet<unknown> = /*#__PURE__*/ new Set([
  ...Object.values(Object.getOwnPropertyDescriptors(Object.prototype)).map((descriptor) => descriptor.value),
  Function.prototype.apply,
  Function.prototype.bind,
  Function.prototype.call
])

/**
 * Creates the object that the engine believes to be behind the proxy. Its kind
 * answers `typeof`, `Array.isArray` and whether `new` is allowed. Apart from the
 * length of an array it has no property that an engine compares with the answers
 * of a trap.
 */
const shellOf = (target: object): object =>
  Array.isArray(target)
    ? []
    : !isFunction(target)
    ? {}
    : isConstructor(target)
    ? constructible.bind(undefined)
    : () => {}

// An arrow function would not be a constructor.
function constructible() {}

const isLengthOf = (shell: object, key: PropertyKey): boolean => key === "length" && Array.isArray(shell)

/**
 * Checks whether `new` is allowed, without calling the target and without an
 * exception: `Array.of` constructs if it can. The result has no prototype, because
 * `Array.of` sets its length, and a program may have put a setter on
 * `Object.prototype`.
 */
const isConstructor = (target: object): boolean =>
  !Array.isArray(Array.of.call(new Proxy(target, { construct: () => Object.create(null) })))

/**
 * Checks whether a proxy has been revoked, or stands before a proxy that has been. `Array.isArray` looks through
 * proxies without running a trap, and throws for this reason only.
 */
export const isRevoked = (target: object): boolean => {
  try {
    Array.isArray(target)
    return false
  } catch {
    return true
  }
}

const collected = "WeakProxy: collected"

/**
 * Prints a proxy. Printing looks at the shell instead of running traps. Node and Deno call this function on the
 * proxy, Bun's console calls it on the shell, and so does Node to show the shell itself with `showProxy`.
 */
function inspect(this: unknown, _depth?: unknown, options?: { readonly showProxy?: unknown }): unknown {
  const ofShell = Shell.trapsOf(this)
  if (ofShell !== undefined && options?.showProxy) return "[shell]"
  const traps = ofShell ?? Proxied.trapsOf(this)
  return traps?.peek() ?? `[${collected}]`
}

/** Whether an error was made while Node or Bun printed the stack of another error. */
const isPrinted = ({ stack }: Error): boolean =>
  typeof stack === "string" && /^\s*at (?:.*\.)?getStackFrames .*\binternal[:/]util\/inspect/m.test(stack)

const kindOf = (proxy: object): string =>
  typeof proxy === "function" ? "function" : Array.isArray(proxy) ? "array" : "object"

const nameOf = (key: PropertyKey): string => {
  const name = String(key)
  return `"${name.length > 80 ? `${name.slice(0, 80)}…` : name}"`
}
