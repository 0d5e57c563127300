/** Finds out when a turn of the host begins and ends. */

interface Host {
  readonly queueMicrotask: (f: () => void) => void
  readonly process?: { readonly nextTick?: (f: () => void) => void }
}

// The library compiles without the types of a host.
const { process, queueMicrotask } = globalThis as unknown as Host
const nextTick = process?.nextTick

/** On a host without `process.nextTick`, a turn ends if its microtasks take no more rounds than this. */
const rounds = 256

/** Calls `f` when all microtasks of the present task are done, and before the next task begins. */
export const afterMicrotasks: (f: () => void) => void = nextTick === undefined ?
  (f) => {
    let left = rounds
    const wait = () => left-- > 0 ? queueMicrotask(wait) : f()
    wait()
  } :
  // A tick runs when the queue of microtasks is empty. Ticks that run now have not emptied it yet.
  (f) => queueMicrotask(() => Reflect.apply(nextTick, process, [f]))

/** Calls `f` after the present job. */
export const afterJob = (f: () => void): void => queueMicrotask(f)

/** What the host's hooks report to. */
export interface Observer {
  /** Whether the program runs now. */
  readonly isRunning: boolean
  /** A task begins that the program has scheduled. */
  readonly beginTask: () => void
  /** The program uses a weak primitive of the host. */
  readonly usesHost: (kind: "WeakRef" | "FinalizationRegistry", target: WeakKey) => void
}

/** The observers of nested runs. The last one receives the reports. */
const observers: Array<Observer> = []

export const observe = (observer: Observer): void => void observers.push(observer)

export const unobserve = (observer: Observer): void => {
  const index = observers.indexOf(observer)
  if (index !== -1) observers.splice(index, 1)
}

/** Returns the observer of the run that is in progress. */
export const currentObserver = (): Observer | undefined => observers.at(-1)

let attached = 0

/** Attaches the hooks to the host, until `detachHooks` has been called as often. */
export const attachHooks = (): void => {
  if (attached++ === 0) { for (const hook of hooks) hook.attach() }
}

export const detachHooks = (): void => {
  if (--attached === 0) { for (const hook of hooks) hook.detach() }
}

interface Hook {
  readonly attach: () => void
  readonly detach: () => void
}

type Method = (this: unknown, ...args: Array<unknown>) => unknown

/** Replaces a method of an object, even an inherited one. Does nothing if there is no such method, or if it is frozen. */
const hook = (object: object | undefined, name: string, replace: (original: Method) => Method): Hook => {
  let before: PropertyDescriptor | undefined
  let hooked: Method | undefined
  return {
    attach: () => {
      if (object === undefined) return
      // The global timers of workerd are properties of a prototype.
      before = Reflect.getOwnPropertyDescriptor(object, name)
      if (before === undefined ? !Object.isExtensible(object) : before.configurable !== true) return
      // The property is an accessor in Deno.
      const original: unknown = Reflect.get(object, name)
      if (typeof original !== "function") return
      // A hooked function is called with the arguments of the original one.
      hooked = replace(original as Method)
      // Keeps the name, and what `util.promisify` reads.
      Object.defineProperties(hooked, Object.getOwnPropertyDescriptors(original))
      Object.defineProperty(object, name, {
        value: hooked,
        writable: true,
        enumerable: before?.enumerable ?? true,
        configurable: true
      })
    },
    detach: () => {
      // Leaves the property alone if the program has replaced it, for example with a fake timer.
      if (object === undefined || hooked === undefined) return
      if (Reflect.getOwnPropertyDescriptor(object, name)?.value === hooked) {
        if (before === undefined) Reflect.deleteProperty(object, name)
        else Object.defineProperty(object, name, before)
      }
      hooked = undefined
    }
  }
}

/** Reports the tasks that the program schedules. Ignores those of others, because the program runs now. */
const timer = (name: string): Hook =>
  hook(globalThis, name, (original) =>
    function(callback, ...rest) {
      const observer = observers.at(-1)
      if (observer === undefined || !observer.isRunning || typeof callback !== "function") {
        return Reflect.apply(original, this, [callback, ...rest])
      }
      const task = function(this: unknown, ...args: Array<unknown>): unknown {
        observer.beginTask()
        return Reflect.apply(callback, this, args)
      }
      return Reflect.apply(original, this, [task, ...rest])
    })

// An older engine may lack them.
const { FinalizationRegistry, WeakRef } = globalThis as Partial<typeof globalThis>

const hooks: ReadonlyArray<Hook> = [
  /*#__PURE__*/ timer("setTimeout"),
  /*#__PURE__*/ timer("setInterval"),
  /*#__PURE__*/ timer("setImmediate"),
  /*#__PURE__*/ hook(WeakRef?.prototype, "deref", (original) =>
    function() {
      const target = Reflect.apply(original, this, []) as WeakKey | undefined
      if (target !== undefined) observers.at(-1)?.usesHost("WeakRef", target)
      return target
    }),
  /*#__PURE__*/ hook(FinalizationRegistry?.prototype, "register", (original) =>
    function(...args) {
      const result = Reflect.apply(original, this, args)
      observers.at(-1)?.usesHost("FinalizationRegistry", args[0] as WeakKey)
      return result
    })
]
