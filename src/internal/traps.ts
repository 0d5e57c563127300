/**
 * Implements the traps of a weak proxy. Each trap dereferences the referent and
 * forwards the operation to it.
 *
 * The `Proxy` of the language wraps an empty object, the shell. The traps hold the
 * referent's record, which refers to the referent weakly. A function that is read from
 * the referent may capture the referent. Therefore reading a function returns a
 * stand-in, which is a proxy of the function. The stand-in holds the function in an
 * ephemeron whose key is the referent.
 */
import { die, pretty } from "effect/Cause"
import * as Hash from "effect/Hash"
import { NodeInspectSymbol } from "effect/Inspectable"
import { isFunction, isObjectKeyword } from "effect/Predicate"
import { symbolRedactable } from "effect/Redactable"
import type { Heap } from "../Heap.ts"
import { DeadReferenceError, UnhashableError } from "../WeakError.ts"
import { host } from "./host.ts"
import type * as Referent from "./referent.ts"

/** Any function. A cast to this type is safe, because the traps forward arguments without reading them. */
type AnyFunction = (this: unknown, ...args: ReadonlyArray<never>) => unknown

/** Returns its argument from the constructor, so that a subclass adds its fields to the argument. */
const Given = function(given: object) {
  return given
  // A function that is called with `new` may return an object. TypeScript has this type only for classes.
} as unknown as new(given: object) => object

/** Adds a private field to a proxy. The field runs no trap, is not inherited, and cannot be forged. */
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

/** Adds the traps and a printing method to a shell. Uses class fields, because they ignore accessors of prototypes. */
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

/** Forwards every operation to the target. The `Proxy` itself wraps a shell. */
abstract class Traps implements ProxyHandler<object> {
  declare readonly heap: Heap
  declare readonly proxy: object
  /** The stand-in of each function that was read from the target. */
  declare standIns: WeakMap<AnyFunction, object> | undefined
  /** Whether the proxy has a method for `Hash.hash` that throws. */
  declare readonly isUnhashable: boolean

  constructor(target: object, heap: Heap, isUnhashable: boolean) {
    this.heap = heap
    this.isUnhashable = isUnhashable
    this.proxy = new Proxied(new Proxy(new Shell(shellOf(target), this), this), this)
    this.standIns = undefined
  }

  /** Returns the target, or `undefined` if it has been collected. Dereferences. */
  abstract peek(): object | undefined

  /** Returns the description of the proxy for an error message. */
  abstract describe(): string

  /** Returns the target, or throws an error that names the operation and the property. Dereferences. */
  target(operation: string, key?: PropertyKey): object {
    const target = this.peek()
    if (target === undefined) throw this.dead(operation, key)
    return target
  }

  dead(operation: string, key?: PropertyKey): DeadReferenceError {
    return new DeadReferenceError({
      message: `Cannot ${operation}${key === undefined ? "" : ` ${nameOf(key)} of`} ${this.describe()}: the ${
        kindOf(this.proxy)
      } that it refers to has been collected. Hold the referent with WeakProxy.use, or call WeakProxy.deref, which returns an Option`,
      kind: "WeakProxy",
      ...key === undefined ? undefined : { property: key }
    })
  }

  /** Converts a value that is read from the target: the target to the proxy, and a function to its stand-in. */
  outward(value: unknown, key: PropertyKey, target: object): unknown {
    if (value === target) return this.proxy
    return typeof value === "function" ? this.standIn(value as AnyFunction, key, target) : value
  }

  /** Converts a value that is stored in the target. Reverses `outward`. */
  inward(value: unknown, target: object): unknown {
    if (value === this.proxy) return target
    const traps = Proxied.trapsOf(value)
    // The target is alive, and holds the function.
    return traps instanceof FunctionTraps && traps.owner === this ? traps.peek() : value
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
    // Deno's `util.format` looks for a prototype that has `toString`.
    if (isPrinting()) return Object.prototype
    throw this.dead("read the prototype of")
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
    const target = this.peek()
    if (target === undefined) {
      // A printer gets the properties of the shell, because the engine rejects other answers.
      if (isPrinting()) return Reflect.getOwnPropertyDescriptor(shell, key)
      throw this.dead("read the descriptor of property", key)
    }
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key)
    if (descriptor === undefined) return undefined
    // The engine reads inherited parts of a descriptor, too. A program may have added a part to Object.prototype.
    Object.setPrototypeOf(descriptor, null)
    for (const part of ["value", "get", "set"] as const) {
      // The parts have different types, and TypeScript allows only `undefined` for all of them.
      if (Object.hasOwn(descriptor, part)) descriptor[part] = this.outward(descriptor[part], key, target) as undefined
    }
    // The engine rejects a non-configurable property that the shell does not have, and a read-only length of an array.
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
    const target = this.peek()
    if (target === undefined) {
      if (key === "toJSON") return true
      if (isAskedByPrinters(key) || isPrinting()) return false
      throw this.dead("look up property", key)
    }
    return Reflect.has(target, key) || (key === Hash.symbol && this.isUnhashable)
  }

  get(_shell: object, key: PropertyKey, receiver: unknown): unknown {
    const target = this.peek()
    if (target === undefined) {
      if (key === Symbol.toStringTag) return collected
      if (key === "toJSON") return printCollected
      if (isPrinting()) return key === "toString" || key === Symbol.toPrimitive ? printCollected : undefined
      throw this.dead("read property", key)
    }
    if (key === Hash.symbol && this.isUnhashable) return unhashable
    // The receiver is usually the proxy. For this case an ordinary read is faster than Reflect.get.
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

  ownKeys(shell: object): Array<string | symbol> {
    const target = this.peek()
    if (target !== undefined) return Reflect.ownKeys(target)
    // The engine requires the length of an array.
    if (isPrinting()) return Array.isArray(shell) ? ["length"] : []
    throw this.dead("list the properties of")
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

  /** Returns the text that `util.inspect` shows with the option `showProxy`. */
  [NodeInspectSymbol](): string {
    return `[${this.constructor.name}]`
  }
}

/** Implements the traps of a weak proxy. */
export class ReferentTraps<A extends object> extends Traps {
  declare readonly record: Referent.ReferentRecord<A>

  constructor(record: Referent.ReferentRecord<A>, target: A) {
    super(target, record.records.heap, true)
    this.record = record
    if (!isAnnounced) announce()
  }

  peek(): A | undefined {
    const { record } = this
    if (recent.traps === this) {
      // The cast is safe: `remember` stores a target only together with its traps.
      const target = recent.target as A
      // A heap may have collected the target within this turn. Then its WeakMap no longer has the entry.
      if (record.records.byReferent.get(target) === record) return target
    }
    const target = record.deref()
    if (target !== undefined) remember(this, target)
    return target
  }

  describe(): string {
    return "a weak proxy"
  }
}

/**
 * Caches the last dereferenced target and its traps. Also caches the last function that was read from this target, and
 * the function's stand-in. With this cache, reading a method and calling it dereferences only once.
 *
 * A microtask clears the cache before the turn ends. Until then the engine keeps a dereferenced target alive anyway.
 * Another heap may collect the target earlier. Therefore each use of the cache first looks up an ephemeron of the
 * target. A heap removes a collected target from its WeakRefs and WeakMaps at the same time.
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

/** Clears the cache in a microtask. Uses `await`, because a program can replace `then` and `queueMicrotask`. */
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
 * Implements the traps of a stand-in for a function that was read from a proxy. The
 * function may capture the target of its owner, which is the object that it was read
 * from. The ephemeron holds the function while the stand-in and the owner's target are
 * alive.
 */
class FunctionTraps extends Traps {
  declare readonly owner: Traps
  declare readonly key: PropertyKey
  declare readonly functions: WeakMap<object, AnyFunction>

  constructor(owner: Traps, ownerTarget: object, target: AnyFunction, key: PropertyKey) {
    super(target, owner.heap, false)
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
    // The lookup below confirms that the owner's target has not been collected.
    const ownerTarget = recent.traps === owner ? recent.target! : owner.target("call the function", this.key)
    const target = this.functions.get(ownerTarget)
    if (target === undefined) throw owner.dead("call the function", this.key)
    const result: unknown = Reflect.apply(target, self === owner.proxy ? ownerTarget : self, args)
    return result === ownerTarget ? owner.proxy : result === target ? this.proxy : result
  }
}

/** Implements the traps of a proxy that behaves as if its target had been collected. */
class NoTraps extends Traps {
  peek(): undefined {
    return undefined
  }

  describe(): string {
    return "a weak proxy"
  }
}

/** Returns the traps of a weak proxy that this copy of the library created. Runs no trap and never throws. */
export const trapsOf = (u: unknown): ReferentTraps<object> | undefined => {
  const traps = Proxied.trapsOf(u)
  return traps instanceof ReferentTraps ? traps : undefined
}

const isWeakProxy = (u: unknown): boolean => trapsOf(u) !== undefined

/** The guards of all copies of the package that have created a weak proxy. A proxy has no other mark from outside. */
const guards = /*#__PURE__*/ Symbol.for("effect-weakref/WeakProxy/guards")

// Only this package uses the property.
const shared = globalThis as { [guards]?: Array<(u: unknown) => boolean> }

let isAnnounced = false

/** Tells other copies of the package how to recognize the proxies of this copy. */
const announce = (): void => {
  isAnnounced = true
  try {
    if (shared[guards] === undefined) Object.defineProperty(shared, guards, { value: [] })
    shared[guards]!.push(isWeakProxy)
  } catch {
    // A host can forbid new globals. Then other copies refuse the proxies without the reason.
  }
}

/** Checks whether a value is a weak proxy that another copy of the package created. Runs no trap and never throws. */
export const isOfAnotherCopy = (u: unknown): boolean =>
  shared[guards]?.some((guard) => guard !== isWeakProxy && guard(u)) ?? false

/**
 * The functions that are returned without a stand-in, because they behave the same
 * on the proxy as on the referent. The result of `bind` on a stand-in does not keep
 * the referent alive.
 */
const generic: ReadonlySet<unknown> = /*#__PURE__*/ new Set([
  ...Object.values(Object.getOwnPropertyDescriptors(Object.prototype)).map((descriptor) => descriptor.value),
  Function.prototype.apply,
  Function.prototype.bind,
  Function.prototype.call
])

/**
 * Creates the object that the `Proxy` wraps. Its kind determines the result of `typeof`
 * and `Array.isArray`, and whether the proxy can be called or constructed. The engine
 * compares the answers of a trap with the properties of this object. Therefore all
 * properties of this object are configurable, except for the length of an array.
 */
const shellOf = (target: object): object =>
  Array.isArray(target)
    ? []
    : !isFunction(target)
    ? {}
    : isConstructor(target)
    ? constructible.bind(undefined)
    : () => {}

// A function declaration, because an arrow function is not a constructor.
function constructible() {}

const isLengthOf = (shell: object, key: PropertyKey): boolean => key === "length" && Array.isArray(shell)

/**
 * Checks whether the target can be called with `new`, without calling it. `Array.of`
 * constructs its result with `this` if `this` is a constructor, and returns an array
 * otherwise. `Array.of` then sets the `length` of the constructed object. This object
 * has no prototype, because a program may have added a setter to `Object.prototype`.
 */
const isConstructor = (target: object): boolean =>
  !Array.isArray(Array.of.call(new Proxy(target, { construct: () => Object.create(null) })))

/**
 * Checks whether the target is a revoked proxy, or a proxy that wraps a revoked proxy. `Array.isArray` unwraps proxies
 * without running a trap, and throws only for a revoked proxy.
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
 * Prints a proxy. Printers read this method from the shell, and run no traps. Node and Deno call the method on the
 * proxy. Bun's console calls it on the shell. Node also calls it on the shell if the option `showProxy` is set.
 */
function inspect(this: unknown, _depth?: unknown, options?: { readonly showProxy?: unknown }): unknown {
  const ofShell = Shell.trapsOf(this)
  if (ofShell !== undefined && options?.showProxy) return "[shell]"
  const traps = ofShell ?? Proxied.trapsOf(this)
  return traps?.peek() ?? `[${collected}]`
}

/** Returns the text that printers show for a dead proxy. */
const printCollected = (): string => `[${collected}]`

/**
 * The keys that Effect's loggers look up in each value that they print. Other code has no
 * reason to look them up.
 */
const isAskedByPrinters = (key: PropertyKey): boolean => key === "~effect/Cause" || key === symbolRedactable

/**
 * Checks whether a printer has called the trap that calls this function. Reads the stack,
 * because printers use the same operations as other code, and must not throw. The stack has
 * this function first, then the trap, and then the function that used the proxy.
 *
 * A printer is Node's `util.inspect` and `console`, or a function of Effect that prints
 * errors and log messages. JavaScriptCore leaves out a function that returns the result of
 * a call, so a file of Effect counts, too.
 */
const isPrinting = (): boolean => {
  const { stackTraceLimit } = Error as { stackTraceLimit?: number }
  try {
    // Effect lowers the limit to 1 while it prints a cause. A limit of 0 is the choice of the program.
    if (stackTraceLimit !== 0) Object.assign(Error, { stackTraceLimit: 10 })
    const { stack } = new Error()
    if (typeof stack !== "string") return false
    const frames = stack.split("\n").filter((line) => frame.test(line)).slice(2)
    const user = frames.find((line) => !between.test(line)) ?? ""
    return printer.test(user) || isInPretty(user)
  } catch {
    return false
  } finally {
    if (stackTraceLimit !== 0) Reflect.set(Error, "stackTraceLimit", stackTraceLimit)
  }
}

/** A line of a stack that is a frame, in V8 or in other engines. */
const frame = /^\s+at |@/

/**
 * A frame between a trap and the code that used the proxy: a function of the engine, or of Node that checks errors.
 * Bun shows no place for the functions of its engine, nor for `console.table`, which is a printer.
 */
const between =
  /<anonymous>\)?$|\[native code\]|(?<!\btable )\((?:unknown|native)\)$|\binternal[:/]util(?::|\.js)|\bisBuffer .*\bbuffer\b/

const printer =
  /\binternal[:/](?:util\/inspect|console\/|cli_table)|\btable \((?:unknown|native)\b|\beffect\/(?:dist|src)\/Logger\.|\b(?:causePretty\w*|structuredMessage|formatJson|toStringUnknown|toJson|redact)\b/

/** The places in `Cause.pretty` that use what they print. */
let places: Set<string> | undefined
let isLearning = false

/**
 * Checks whether a frame is in `Cause.pretty`, which has another name in a minified bundle. The first call learns the
 * places: it prints a proxy that has never had a target, and remembers which places use the proxy.
 */
const isInPretty = (frame: string): boolean => {
  const place = /[^\s(@]+:\d+:\d+/.exec(frame)?.[0]
  if (place === undefined) return false
  if (places === undefined) {
    places = new Set()
    isLearning = true
    try {
      pretty(die(new NoTraps({}, host, false).proxy))
    } finally {
      isLearning = false
    }
  }
  if (isLearning) places.add(place)
  return places.has(place)
}

const kindOf = (proxy: object): string =>
  typeof proxy === "function" ? "function" : Array.isArray(proxy) ? "array" : "object"

const nameOf = (key: PropertyKey): string => {
  const name = String(key)
  return `"${name.length > 80 ? `${name.slice(0, 80)}…` : name}"`
}
