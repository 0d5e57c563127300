/**
 * Finds the objects that retain a value. Takes a heap snapshot through the inspector, and finds the cheapest path from a
 * root to the value. Describes each step of the path in words that a programmer knows.
 */
import type { Retainer } from "../../testing/LeakDetector.ts"
import type { HeapSnapshot } from "./heapSnapshot.ts"
import { inspectorModule, post, type Session, takeSnapshot } from "./inspector.ts"
import * as RetainingPath from "./retainingPath.ts"

/** The result of a search. `Collected` means that the value was collected before the snapshot was complete. */
export type Found =
  | { readonly _tag: "Retained"; readonly retainers: ReadonlyArray<Retainer> }
  | { readonly _tag: "Collected" }
  | { readonly _tag: "Unknown"; readonly reason: string }

const unknown = (reason: string): Found => ({ _tag: "Unknown", reason })

let last: Promise<unknown> = Promise.resolve()

/**
 * Finds the path that retains the referent. Runs one search at a time, because the end of a search renumbers all objects.
 *
 * Cost: V8 stops the program while it writes the snapshot.
 */
export const find = (ref: WeakRef<object>): Promise<Found> => {
  const found = last.then(() => findAlone(ref))
  last = found
  return found
}

/** Runs one search in its own session, so that the search does not affect a debugger of the user. */
const findAlone = async (ref: WeakRef<object>): Promise<Found> => {
  const inspector = inspectorModule()
  if (typeof inspector === "string") return unknown(inspector)
  const session = new inspector.Session()
  session.connect()
  // Deno exits if the program waits only for the inspector, so keep a timer active.
  const timer = global.setInterval(() => {}, 1000)
  // All realms of the process share this module object. They do not share `globalThis`.
  Object.defineProperty(inspector, derefKey, { configurable: true, value: () => ref.deref() })
  try {
    // From now on, V8 gives each object a number. An object that V8 moves keeps its number.
    await post(session, "HeapProfiler.startTrackingHeapObjects", { trackAllocations: false })
    const id = await heapIdOf(session, ref)
    if (id === undefined) return { _tag: "Collected" }
    // Wait for the next turn, because a dereferenced value stays alive until the end of the turn.
    await nextTurn()
    const snapshot = await takeSnapshot(session)
    const target = snapshot.find(id)
    if (ref.deref() === undefined) return { _tag: "Collected" }
    if (target === undefined || !await isReferent(session, id)) {
      return unknown("the heap snapshot does not show it; another profiler may have renumbered the objects")
    }
    const path = RetainingPath.find(snapshot, target)
    if (path === undefined) return unknown("no strong path leads to it in the heap snapshot")
    return { _tag: "Retained", retainers: await new Names(snapshot, session, path).all() }
  } catch (error) {
    return unknown(error instanceof Error ? error.message : String(error))
  } finally {
    global.clearInterval(timer)
    Reflect.deleteProperty(inspector, derefKey)
    await post(session, "Runtime.releaseObjectGroup", { objectGroup }).catch(() => {})
    await post(session, "HeapProfiler.disable", undefined).catch(() => {})
    session.disconnect()
  }
}

const objectGroup = "effect-weakref/LeakDetector"
const derefKey = "__effect-weakref/LeakDetector/deref"
const deref = `process.getBuiltinModule("node:inspector")[${JSON.stringify(derefKey)}]()`

const nextTurn = (): Promise<void> => new Promise((resolve) => global.setTimeout(resolve, 0))

/** Returns the heap profiler's id of the referent. Releases the inspector's handle, because handles are roots. */
const heapIdOf = async (session: Session, ref: WeakRef<object>): Promise<number | undefined> => {
  try {
    const { result } = await post(session, "Runtime.evaluate", { expression: deref, objectGroup, silent: true })
    if (result.objectId === undefined) {
      if (ref.deref() === undefined) return undefined
      throw new Error("the inspector cannot see it")
    }
    const { heapSnapshotObjectId } = await post(session, "HeapProfiler.getHeapObjectId", { objectId: result.objectId })
    return Number(heapSnapshotObjectId)
  } finally {
    await post(session, "Runtime.releaseObjectGroup", { objectGroup })
  }
}

/** Checks that an id is still the id of the referent. Another session that stops profiling renumbers all objects. */
const isReferent = async (session: Session, id: number): Promise<boolean> => {
  const { result } = await post(session, "HeapProfiler.getObjectByHeapObjectId", { objectId: String(id), objectGroup })
  if (result.objectId === undefined) return false
  const answer = await post(session, "Runtime.callFunctionOn", {
    objectId: result.objectId,
    functionDeclaration: `function() { return this === ${deref} }`,
    arguments: [],
    returnByValue: true,
    silent: true
  })
  return answer.result.value === true
}

interface Name extends Retainer {
  /** Whether the holder is a part of Effect, the host or the engine. The path omits these steps if it has other steps. */
  readonly internal?: boolean
  /** The index of the next step to describe. */
  readonly next: number
}

const contextName = /^system \/ \w*Context/

/** Describes the steps of a path. */
class Names {
  readonly #snapshot: HeapSnapshot
  readonly #session: Session
  readonly #path: ReadonlyArray<RetainingPath.Step>

  constructor(
    snapshot: HeapSnapshot,
    session: Session,
    path: ReadonlyArray<RetainingPath.Step>
  ) {
    this.#snapshot = snapshot
    this.#session = session
    this.#path = path
  }

  async all(): Promise<ReadonlyArray<Retainer>> {
    const names: Array<Name> = []
    for (let at = this.#start(); at < this.#path.length;) {
      const name = await this.#name(at)
      if (name.holder !== "") names.push(name)
      at = name.next
    }
    const known = names.filter((name) => name.internal !== true)
    return (known.length > 0 ? known : names).map(({ holder, kind, via }) => ({ holder, via, kind }))
  }

  /** Returns the first step to describe. Starts at a global object or a timer, because programmers know these as roots. */
  #start(): number {
    const path = this.#path
    let start = path.findIndex(({ from }) => this.#snapshot.typeOf(from) !== "synthetic")
    if (start === -1) return path.length - 1
    for (let at = 0; at < path.length; at++) {
      if (this.#isGlobal(at) || this.#from(at) === "TimersList" || this.#isActiveTimer(at)) start = at
    }
    if (this.#isGlobal(start)) return start
    while (start < path.length - 1 && this.#isTimerQueue(start)) start++
    // If the path starts at the detector's frames, start at the fiber instead.
    if (path.some(({ to }) => /^\((Stack roots|Handle scope)\)$/.test(this.#snapshot.nameOf(to)))) {
      const fiber = path.findIndex(({ from }) => this.#isFiber(from))
      if (fiber > start) return fiber
    }
    return start
  }

  #isGlobal(at: number): boolean {
    const step = this.#path[at]!
    const before = this.#path[at - 1]
    return this.#snapshot.nameOf(step.from).startsWith("global ") || (before !== undefined &&
      (this.#snapshot.edgeTypeOf(before.edge) === "shortcut" ||
        this.#snapshot.edgeNameOf(before.edge) === "global_object"))
  }

  /** Returns whether a timer holds its callback. A cleared timer holds no callback. */
  #isActiveTimer(at: number): boolean {
    return /^(Timeout|Immediate)$/.test(this.#from(at)) && /^_on(Timeout|Immediate)$/.test(this.#edge(at))
  }

  #isTimerQueue(at: number): boolean {
    const name = this.#snapshot.nameOf(this.#path[at]!.from)
    const edge = this.#edge(at)
    return name === "TimersList" || ((name === "Timeout" || name === "Immediate") && /^_idle(Next|Prev)$/.test(edge))
  }

  #isFiber(node: number): boolean {
    return this.#snapshot.nameOf(node) === "FiberImpl"
  }

  #edge(at: number): string {
    const step = this.#path[at]
    return step === undefined ? "" : this.#snapshot.edgeNameOf(step.edge)
  }

  #from(at: number): string {
    const step = this.#path[at]
    return step === undefined ? "" : this.#snapshot.nameOf(step.from)
  }

  async #name(at: number): Promise<Name> {
    const { from } = this.#path[at]!
    const type = this.#snapshot.typeOf(from)
    const edgeType = this.#snapshot.edgeTypeOf(this.#path[at]!.edge)
    const edge = this.#edge(at)
    if (this.#isGlobal(at)) return this.#property(at, "globalThis")
    if (this.#isFiber(from)) return this.#fiber(at)
    if (edge === "parameters_and_registers") return this.#generator(at)
    if (edge === "table") return this.#entry(at, this.#from(at))
    if (edge === "reactions_or_result") return this.#promise(at)
    if (edge === "context" && edgeType === "internal") return this.#variable(at)
    if (edge === "_events") return this.#listener(at)
    if (/kEvents/.test(edge)) return this.#eventTargetListener(at)
    if (/^(Timeout|Immediate)$/.test(this.#from(at))) return this.#timer(at)
    if (edge === "state" && this.#snapshot.follow(from, "property", "strategy") !== undefined) return this.#scope(at)
    if (/pair in WeakMap/.test(edge)) return this.#step(at, "WeakMap", `value for the key ${this.#from(at)}`, "entry")
    if (this.#from(at) === "FinalizationRegistry") return this.#heldValue(at)
    if (edge.startsWith("bound_")) return this.#step(at, "bound function", edge.slice("bound_".length), "function")
    if (edgeType === "property" && type !== "native") return this.#property(at, this.#from(at) || "anonymous function")
    if (edgeType === "element" && type === "object") return this.#step(at, this.#from(at), `[${edge}]`, "element")
    const internal = type === "hidden" || type === "array" || type === "code" || contextName.test(this.#from(at))
    const name = this.#from(at).replace(/^system \/ /, "") || type
    return { ...this.#step(at, `the engine's ${name}`, edge, "engine"), internal }
  }

  #step(at: number, holder: string, via: string, kind: Retainer["kind"], next = at + 1): Name {
    return { holder, via, kind, next }
  }

  #property(at: number, holder: string): Name {
    const edge = this.#edge(at).replace(/^<symbol (.*)>$/, "Symbol($1)")
    return { ...this.#step(at, holder, edge, "property"), internal: edge.startsWith("~effect/") }
  }

  /** Describes a fiber. Skips Effect's objects between the fiber and the code that it runs. */
  async #fiber(at: number): Promise<Name> {
    const { from } = this.#path[at]!
    const span = await this.#ask(from, "function() { return this.cache?.span?.name ?? this.cache?.stackFrame?.name }")
    const via = this.#edge(at)
    let next = at + 1
    if (via !== "context") {
      while (next < this.#path.length && this.#isMachinery(next)) next++
    }
    const name = typeof span === "string" ? span : this.#generatorAfter(next)
    const holder = name === undefined ? "suspended fiber" : `suspended fiber of ${JSON.stringify(name)}`
    return this.#step(at, holder, via, "fiber", next)
  }

  /** Returns the name of the first generator at or after a step. Returns `undefined` if another fiber comes first. */
  #generatorAfter(at: number): string | undefined {
    const found = this.#path.findIndex((step, index) =>
      index >= at && (this.#isFiber(step.from) || this.#isGenerator(step.from))
    )
    return found === -1 || this.#isFiber(this.#path[found]!.from)
      ? undefined
      : this.#generatorName(this.#path[found]!.from)
  }

  #isMachinery(at: number): boolean {
    const { from } = this.#path[at]!
    const edge = this.#edge(at)
    if (this.#isFiber(from) || this.#isGenerator(from) || edge === "reactions_or_result") return false
    return this.#snapshot.typeOf(from) === "closure" ? this.#isLibrary(from) : true
  }

  #isGenerator(node: number): boolean {
    return this.#snapshot.follow(node, "internal", "parameters_and_registers") !== undefined
  }

  #generatorName(node: number): string | undefined {
    const closure = this.#snapshot.follow(node, "internal", "function")
    const name = closure === undefined ? "" : this.#snapshot.nameOf(closure)
    return name === "" ? undefined : name
  }

  #generator(at: number): Name {
    const { from } = this.#path[at]!
    const name = this.#generatorName(from)
    const asynchronous = this.#path[at - 1] !== undefined && this.#edge(at - 1) === "extension"
    const place = name === undefined ? this.#place(from) : undefined
    const holder = `suspended ${asynchronous ? "async function" : "generator"}${
      name === undefined ? "" : ` ${JSON.stringify(name)}`
    }${place === undefined ? "" : ` (${place})`}`
    return this.#step(at, holder, "local variable", "generator", at + 2)
  }

  /** Describes an entry of a `Map` or `Set`. The path passes the table, and sometimes an older table, before the entry. */
  async #entry(at: number, holder: string): Promise<Name> {
    const collection = this.#path[at]!.from
    let next = at + 1
    while (next < this.#path.length && this.#snapshot.typeOf(this.#path[next]!.to) === "array") next++
    const entry = this.#path[next]?.to
    if (entry === undefined) return this.#step(at, holder, "table", "entry")
    const key = await this.#ask(collection, describeEntry, entry)
    return this.#step(at, holder, typeof key === "string" ? key : "entry", "entry", next + 1)
  }

  #promise(at: number): Name {
    let next = at + 1
    while (this.#from(next) === "system / PromiseReaction") next++
    return this.#step(at, "Promise", next === at + 1 ? "result" : "reaction", "promise", next)
  }

  /** Describes a variable of a closure or generator. Follows the contexts from the innermost outwards. */
  #variable(at: number): Name {
    const { from } = this.#path[at]!
    let last = at + 1
    while (last < this.#path.length && this.#edge(last) === "previous") last++
    const step = this.#path[last]
    if (step === undefined) return this.#step(at, this.#functionLabel(from), "context", "closure")
    const generator = this.#snapshot.typeOf(from) !== "closure"
    const holder = generator ? this.#generator(at).holder : `closure ${this.#functionLabel(from)}`
    if (this.#snapshot.edgeTypeOf(step.edge) !== "context") {
      // The function belongs to the engine. For example, it continues an async function or resolves a promise.
      return { ...this.#step(at, holder, "context", "closure", last + 1), internal: true }
    }
    const internal = !generator && this.#isLibrary(from)
    return {
      ...this.#step(at, holder, `variable ${this.#edge(last)}`, generator ? "generator" : "closure", last + 1),
      internal
    }
  }

  #listener(at: number): Name {
    const event = this.#edge(at + 1).replace(/^<symbol (.*)>$/, "Symbol($1)")
    const isList = this.#snapshot.nameOf(this.#path[at + 1]?.to ?? 0) === "Array" && this.#path[at + 2] !== undefined
    return this.#step(at, this.#from(at), `listener ${JSON.stringify(event)}`, "listener", at + (isList ? 3 : 2))
  }

  async #eventTargetListener(at: number): Promise<Name> {
    const entry = await this.#entry(at + 1, this.#from(at))
    let next = entry.next
    while (next < this.#path.length && this.#snapshot.typeOf(this.#path[next]!.from) !== "closure") next++
    return this.#step(at, this.#from(at), entry.via.replace(/^entry /, "listener "), "listener", next)
  }

  async #timer(at: number): Promise<Name> {
    const { from } = this.#path[at]!
    const edge = this.#edge(at)
    const repeats = await this.#ask(from, "function() { return typeof this._repeat === 'number' }")
    const name = this.#from(at) === "Immediate" ? "setImmediate" : repeats === true ? "setInterval" : "setTimeout"
    const via = edge === "_timerArgs" || edge === "_argv" ? "arguments" : edge.startsWith("_on") ? "callback" : edge
    const isList = via === "arguments" && this.#path[at + 1] !== undefined
    return this.#step(at, `timer (${name})`, via, "timer", isList ? at + 2 : at + 1)
  }

  /** Describes a Scope. The state of the Scope holds a single finalizer directly, and several finalizers in a map. */
  #scope(at: number): Name {
    let next = at + 2
    if (this.#edge(at + 1) === "finalizers") {
      next++
      while (next < this.#path.length && this.#snapshot.typeOf(this.#path[next - 1]!.to) === "array") next++
    }
    const finalizer = this.#path[next - 1]?.to ?? 0
    if (this.#isFiber(finalizer)) return this.#step(at, "Scope", "fiber", "scope", next)
    if (this.#snapshot.typeOf(finalizer) !== "closure") {
      return { ...this.#step(at, "Scope", "child", "scope", next), internal: true }
    }
    const place = this.#placeOfFinalizer(finalizer)
    return this.#step(at, "Scope", `finalizer${place === undefined ? "" : ` registered at ${place}`}`, "scope", next)
  }

  /** Returns the place of the user function that is nearest to a finalizer. Effect wraps finalizers in closures. */
  #placeOfFinalizer(finalizer: number): string | undefined {
    const snapshot = this.#snapshot
    const seen = new Set([finalizer])
    for (const node of seen) {
      if (snapshot.typeOf(node) === "closure" && !this.#isLibrary(node)) return this.#place(node)
      if (seen.size > 200) return undefined
      for (let edge = snapshot.firstEdge(node); edge < snapshot.firstEdge(node + 1); edge++) {
        const type = snapshot.edgeTypeOf(edge)
        const name = snapshot.edgeNameOf(edge)
        if (
          type === "context" || (type === "internal" && (name === "context" || name === "previous")) ||
          (type === "property" && /^~effect\/Effect\/args$/.test(name))
        ) {
          seen.add(snapshot.targetOf(edge))
        }
      }
    }
    return undefined
  }

  #heldValue(at: number): Name {
    let next = at + 1
    while (this.#from(next) === "system / WeakCell") next++
    return this.#step(at, "FinalizationRegistry", "held value", "registry", next)
  }

  #functionLabel(closure: number): string {
    const place = this.#place(closure)
    const name = this.#snapshot.nameOf(closure) || "(anonymous)"
    return place === undefined ? name : `${name} (${place})`
  }

  #scriptOf(closure: number): string | undefined {
    const snapshot = this.#snapshot
    const shared = snapshot.follow(closure, "internal", "shared")
    if (shared === undefined) return undefined
    // Node 20 and 22 name the edge `script_or_debug_info`.
    const script = snapshot.follow(shared, "internal", "script") ??
      snapshot.follow(shared, "internal", "script_or_debug_info")
    return script === undefined ? undefined : snapshot.nameOf(script).replace(/^system \/ Script \/ /, "")
  }

  /** Returns the position of a function, or of a generator's function, as `file:line:column`. */
  #place(node: number): string | undefined {
    const closure = this.#snapshot.typeOf(node) === "closure"
      ? node
      : this.#snapshot.follow(node, "internal", "function") ?? node
    const script = this.#scriptOf(closure)
    const location = this.#snapshot.locationOf(closure)
    if (script === undefined || script === "" || location === undefined) return undefined
    const directory = `${global.process?.cwd() ?? ""}/`
    const path = script.replace(/^file:\/\//, "")
    const file = path.startsWith(directory) ? path.slice(directory.length) : path
    return `${file}:${location.line + 1}:${location.column + 1}`
  }

  /** Returns whether a function belongs to Effect, the host or the engine. Functions of the engine have no script. */
  #isLibrary(closure: number): boolean {
    const script = this.#scriptOf(closure)
    return script === undefined || script === "" || /^(node|ext):|[\\/]node_modules[\\/]effect[\\/]/.test(script)
  }

  /** Calls a function with the object of `node` as `this`. Passes the object of `argument` if there is one. */
  async #ask(node: number, functionDeclaration: string, argument?: number): Promise<unknown> {
    try {
      const objectId = await this.#remote(node)
      const args = argument === undefined ? [] : [{ objectId: await this.#remote(argument) }]
      const { exceptionDetails, result } = await post(this.#session, "Runtime.callFunctionOn", {
        objectId,
        functionDeclaration,
        arguments: args,
        returnByValue: true,
        silent: true
      })
      return exceptionDetails === undefined ? result.value : undefined
    } catch {
      // The object was collected, or the value is a primitive. The caller then uses a general description.
      return undefined
    }
  }

  async #remote(node: number): Promise<string> {
    const { result } = await post(this.#session, "HeapProfiler.getObjectByHeapObjectId", {
      objectId: String(this.#snapshot.idOf(node)),
      objectGroup
    })
    if (result.objectId === undefined) throw new Error("not an object")
    return result.objectId
  }
}

/** Describes the entry of a `Map` or `Set` that holds `target`. Calls the engine's methods, so that no user code runs. */
const describeEntry = `function(target) {
  const describe = (key) => typeof key === "string"
    ? JSON.stringify(key.length > 60 ? key.slice(0, 60) + "…" : key)
    : typeof key === "object" && key !== null ? "{…}" : typeof key === "function" ? "a function" : String(key)
  let found
  try {
    Map.prototype.forEach.call(this, (value, key) => {
      if (value === target) found = "entry " + describe(key)
      else if (key === target) found ??= "key"
    })
  } catch {
    found = "element"
  }
  return found
}`

/** The globals that only some hosts have, or whose types differ between hosts. */
const global = globalThis as unknown as {
  readonly setTimeout: (f: () => void, millis: number) => void
  readonly setInterval: (f: () => void, millis: number) => unknown
  readonly clearInterval: (timer: unknown) => void
  readonly process?: { cwd(): string }
}
