/**
 * Finds the objects that retain a value. Takes a heap snapshot through the inspector, and finds the cheapest path from a
 * root to the value. Describes each step of the path in words that a programmer knows.
 */
import type { Retainer } from "../../testing/LeakDetector.ts"
import { nextTurn } from "../host.ts"
import type { HeapSnapshot } from "./heapSnapshot.ts"
import { objectGroup, post, type Session, takeMarkedSnapshot, withSession } from "./inspector.ts"
import * as RetainingPath from "./retainingPath.ts"
import { Scripts } from "./scripts.ts"

/** The result of a search. `Collected` means that the value was collected before the snapshot was complete. */
export type Found =
  | { readonly _tag: "Retained"; readonly retainers: ReadonlyArray<Retainer> }
  | { readonly _tag: "Collected" }
  | { readonly _tag: "Unknown"; readonly reason: string }

const unknown = (reason: string): Found => ({ _tag: "Unknown", reason })

interface Batch {
  readonly refs: Array<WeakRef<object>>
  readonly found: Promise<ReadonlyArray<Found>>
}

let last: Promise<unknown> = Promise.resolve()
/** The searches that wait for the next snapshot. */
let waiting: Batch | undefined

/**
 * Finds the path that retains the referent. Searches that begin while another one runs share the next snapshot.
 *
 * Cost: V8 stops the program while it writes the snapshot.
 */
export const find = async (ref: WeakRef<object>): Promise<Found> => {
  if (waiting === undefined) {
    const refs: Array<WeakRef<object>> = []
    const found = last.then(() => new Promise<void>(nextTurn)).then(() => {
      waiting = undefined
      return findTogether(refs)
    })
    last = found
    waiting = { refs, found }
  }
  const index = waiting.refs.push(ref) - 1
  return (await waiting.found)[index]!
}

const findTogether = async (refs: ReadonlyArray<WeakRef<object>>): Promise<ReadonlyArray<Found>> => {
  const found = await withSession(async (session) => {
    const { nodes, snapshot } = await takeMarkedSnapshot(session, refs)
    const scripts = new Scripts(snapshot)
    const paths = RetainingPath.findAll(snapshot, nodes.filter((node) => node !== undefined), scripts)
    const found: Array<Found> = []
    let next = 0
    for (const [index, node] of nodes.entries()) {
      const path = node === undefined ? undefined : paths[next++]
      if (refs[index]!.deref() === undefined) found.push({ _tag: "Collected" })
      else if (node === undefined) found.push(unknown("the heap snapshot does not show it"))
      else if (path === undefined) found.push(unknown("no strong path leads to it in the heap snapshot"))
      else found.push({ _tag: "Retained", retainers: await describe(snapshot, session, path, scripts) })
    }
    return found
  })
  return typeof found === "string" ? refs.map(() => unknown(found)) : found
}

/** Describes the steps of a path. Asks the session about objects that the snapshot does not show completely. */
export const describe = (
  snapshot: HeapSnapshot,
  session: Session,
  path: ReadonlyArray<RetainingPath.Step>,
  scripts = new Scripts(snapshot)
): Promise<ReadonlyArray<Retainer>> => new Names(snapshot, session, scripts, path).all()

interface Name extends Retainer {
  /** Whether the holder is a part of Effect, the host or the engine. The path omits these steps if it has other steps. */
  readonly internal?: boolean
  /** The index of the next step to describe. */
  readonly next: number
}

/** The variables that Vite adds to a module. */
const viteName = /^__vi(?:te_ssr)?_/
const contextName = /^system \/ \w*Context/
/** Node and browsers name the global object differently from Deno. */
const globalName = /^global |\[JSGlobal(?:Object|Proxy)\]/

const relative = (script: string): string => {
  const directory = global.process?.cwd?.()
  return directory !== undefined && script.startsWith(`${directory}/`) ? script.slice(directory.length + 1) : script
}

class Names {
  readonly #snapshot: HeapSnapshot
  readonly #session: Session
  readonly #scripts: Scripts
  readonly #path: ReadonlyArray<RetainingPath.Step>

  constructor(
    snapshot: HeapSnapshot,
    session: Session,
    scripts: Scripts,
    path: ReadonlyArray<RetainingPath.Step>
  ) {
    this.#snapshot = snapshot
    this.#session = session
    this.#scripts = scripts
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
    // A fiber and a chain of promises lead from the detector to the code that waits for it.
    while (
      known.length > 1 && (/^(?:promise|engine)$/.test(known[0]!.kind) ||
        (known[0]!.kind === "fiber" && known[1]!.kind === "promise"))
    ) known.shift()
    return (known.length > 0 ? known : names).map(({ holder, kind, via }) => ({ holder, via, kind }))
  }

  /**
   * Returns the first step to describe: the last one that programmers know as a root, and that is not a part of the
   * detector. Everything before it is a detail of the engine, or of the detector that waits for its answer.
   */
  #start(): number {
    const path = this.#path
    let start = path.findIndex(({ from }) => this.#snapshot.typeOf(from) !== "synthetic")
    if (start === -1) return path.length - 1
    const first = start
    for (let at = 0; at < path.length; at++) {
      // A port is a root only of the engine. Everything else is a root that programmers know.
      if (this.#isRoot(at) || (!this.#isRoot(start) && start === first && this.#from(at) === "MessagePort")) start = at
      else if (at < path.length - 1 && this.#isOfDetector(at)) start = at + 1
    }
    while (start < path.length - 1 && this.#isTimerQueue(start)) start++
    if (!this.#isOfRunner(start)) return start
    const ofProgram = path.findIndex((_, at) => at > start && this.#isOfProgram(at))
    if (ofProgram !== -1) return ofProgram
    // No function of the program is on the path: begin after the last module of the runner.
    const ofModule = path.findLastIndex((_, at) => this.#from(at).endsWith("ModuleWrap"))
    return ofModule === -1 || ofModule >= path.length - 2 ? start : ofModule + 2
  }

  /** Returns whether a root belongs to the test runner or to the loader of modules, and not to the program. */
  #isOfRunner(at: number): boolean {
    if (!this.#isRoot(at)) return !this.#isFiber(this.#path[at]!.from) && !this.#isOfProgram(at)
    if (!this.#isGlobal(at)) return false
    return /^<symbol node:|^<symbol \$\$jest|^<symbol vitest|^<symbol expect/.test(this.#edge(at)) ||
      RetainingPath.runnerName.test(this.#edge(at))
  }

  /** Returns whether a step leads out of a function of the program, or out of one of its suspended functions. */
  #isOfProgram(at: number): boolean {
    const { edge, from } = this.#path[at]!
    const closure = this.#closureOf(from)
    if (closure === undefined || this.#isLibrary(closure)) return false
    return /^(?:context|parameters_and_registers)$/.test(this.#edge(at)) ||
      (closure === from && this.#snapshot.edgeTypeOf(edge) === "property")
  }

  /** Returns a function, or the function of a generator. */
  #closureOf(node: number): number | undefined {
    return this.#snapshot.typeOf(node) === "closure" ? node : this.#snapshot.follow(node, "internal", "function")
  }

  #isRoot(at: number): boolean {
    const name = this.#from(at)
    return this.#isGlobal(at) || name === "TimersList" || this.#isActiveTimer(at) ||
      (name === "process" && this.#snapshot.typeOf(this.#path[at]!.from) === "object") || this.#isCommonJsModule(at) ||
      this.#exportAt(at) !== undefined || this.#moduleOfVariable(at) !== undefined ||
      (this.#edge(at) === "parameters_and_registers" && this.#isBodyOfModule(this.#path[at]!.from))
  }

  /** Returns whether a step leads out of a function of the detector, or out of one of its suspended functions. */
  #isOfDetector(at: number): boolean {
    const { from } = this.#path[at]!
    const closure = this.#closureOf(from) ?? this.#snapshot.follow(from, "property", "_onTimeout")
    if (closure !== undefined) return this.#scripts.originOf(closure) === "detector"
    // The step leaves the variables of such a function.
    return contextName.test(this.#from(at)) && this.#isOfDetector(at - 1)
  }

  #isGlobal(at: number): boolean {
    const step = this.#path[at]!
    const before = this.#path[at - 1]
    // The global object of a context of `node:vm`.
    if (
      (before !== undefined && this.#snapshot.edgeNameOf(before.edge) === "<symbol kContext>") ||
      this.#snapshot.edgeWith(step.from, "property", "<symbol node:contextify:context>") !== undefined
    ) return true
    return globalName.test(this.#snapshot.nameOf(step.from)) || (before !== undefined &&
      (this.#snapshot.edgeTypeOf(before.edge) === "shortcut" ||
        this.#snapshot.edgeNameOf(before.edge) === "global_object"))
  }

  /** Returns whether a step leads out of the object that Node's `require` keeps for a module. */
  #isCommonJsModule(at: number): boolean {
    const { from } = this.#path[at]!
    return this.#from(at) === "Module" && this.#edge(at) === "exports" && this.#fileOfModule(from) !== undefined
  }

  #fileOfModule(node: number): string | undefined {
    const file = this.#snapshot.follow(node, "property", "filename")
    return file === undefined ? undefined : relative(this.#snapshot.nameOf(file))
  }

  /** Returns the export of an ECMAScript module that holds the next object. The path passes two lists and a cell. */
  #exportAt(at: number): { readonly name: string; readonly file: string; readonly next: number } | undefined {
    if (!this.#from(at).endsWith("SourceTextModule")) return undefined
    const { from: module } = this.#path[at]!
    const cell = this.#path[at + 1]
    if (cell === undefined || !this.#snapshot.nameOf(cell.to).endsWith("Cell") || this.#edge(at + 2) !== "value") {
      return undefined
    }
    const file = this.#fileOfSourceText(module)
    return file === undefined ? undefined : { name: this.#exportName(module, cell.to), file, next: at + 3 }
  }

  /** Returns the key before a cell in a hash table of the module. Only one of the module's tables has the names. */
  #exportName(module: number, cell: number): string {
    const snapshot = this.#snapshot
    for (const table of snapshot.edgesOf(module).map((edge) => snapshot.targetOf(edge))) {
      for (const edge of snapshot.edgesOf(table)) {
        if (snapshot.targetOf(edge) !== cell || snapshot.edgeTypeOf(edge) !== "internal") continue
        const key = snapshot.follow(table, "internal", String(Number(snapshot.edgeNameOf(edge)) - 1))
        if (key !== undefined && snapshot.typeOf(key) === "string") return snapshot.nameOf(key)
      }
    }
    return "default"
  }

  /** Returns the file of a module of the program. */
  #fileOfSourceText(module: number): string | undefined {
    const closures = this.#snapshot.edgesOf(module).map((edge) => this.#closureOf(this.#snapshot.targetOf(edge)))
    return this.#fileOf(closures.find((closure) => closure !== undefined))
  }

  #fileOf(closure: number | undefined): string | undefined {
    return closure !== undefined && this.#scripts.originOf(closure) === "program"
      ? relative(this.#scripts.scriptOf(closure))
      : undefined
  }

  /** Returns whether a step leads through a variable. V8 writes the variables of a block as fields without a name. */
  #isVariable(at: number): boolean {
    return contextName.test(this.#from(at)) &&
      /^(?:context|hidden)$/.test(this.#snapshot.edgeTypeOf(this.#path[at]!.edge))
  }

  async #variableName(at: number): Promise<string> {
    const { edge, from, to } = this.#path[at]!
    if (this.#snapshot.edgeTypeOf(edge) === "context") return this.#edge(at)
    const holder = this.#holderBefore(at)
    const name = holder === undefined ? undefined : await this.#nameInScopes(holder, to)
    if (name !== undefined) return name
    const names = this.#namesOfBlock(from)
    const fields = this.#hiddenFieldsOf(from)
    // A field that holds a small number is left out, and then the places say nothing.
    if (names.length === fields.length) return names[fields.indexOf(edge)]!
    return names.length === 0 ? "of a block" : names.join(" or ")
  }

  /** Returns the name of a variable that holds `target`, and that a function or a suspended generator sees. */
  async #nameInScopes(holder: number, target: number): Promise<string | undefined> {
    try {
      const ownProperties = true
      const { internalProperties } = await post(this.#session, "Runtime.getProperties", {
        objectId: await this.#remote(holder),
        ownProperties
      })
      const list = internalProperties?.find(({ name }) => name === "[[Scopes]]")?.value?.objectId
      if (list === undefined) return undefined
      const scopes = await post(this.#session, "Runtime.getProperties", { objectId: list, ownProperties })
      const objectId = await this.#remote(target)
      for (const { value } of scopes.result) {
        // To read the global scope may call getters of the program.
        if (value?.objectId === undefined || (value.description ?? "Global").startsWith("Global")) continue
        const { result } = await post(this.#session, "Runtime.callFunctionOn", {
          objectId: value.objectId,
          functionDeclaration:
            "function(target) { return Object.keys(this.object).find((name) => this.object[name] === target) }",
          arguments: [{ objectId }],
          silent: true
        })
        if (typeof result.value === "string") return result.value
      }
    } catch {
      // The engine does not tell, or the value is a primitive.
    }
    return undefined
  }

  #namesOfBlock(context: number): ReadonlyArray<string> {
    const snapshot = this.#snapshot
    const scope = snapshot.follow(context, "internal", "scope_info")
    const names: Array<string> = []
    if (scope === undefined) return names
    for (const edge of this.#hiddenFieldsOf(scope)) {
      const to = snapshot.targetOf(edge)
      if (snapshot.typeOf(to) !== "string" || snapshot.nameOf(to) === "") break
      names.push(snapshot.nameOf(to))
    }
    return names
  }

  #hiddenFieldsOf(node: number): ReadonlyArray<number> {
    return this.#snapshot.edgesOf(node).filter((edge) => this.#snapshot.edgeTypeOf(edge) === "hidden")
  }

  /** Returns the file of the module whose variable a step leads through. */
  #moduleOfVariable(at: number): string | undefined {
    const { edge, from } = this.#path[at]!
    if (!this.#isVariable(at)) return undefined
    if (this.#edge(at - 1) === "context" && this.#isBodyOfModule(this.#path[at - 1]!.from)) {
      return this.#fileOf(this.#closureOf(this.#path[at - 1]!.from))
    }
    // The variables of a block may lie in a function as well as in a module.
    if (this.#snapshot.edgeTypeOf(edge) !== "context") {
      return this.#isBlockAroundModule(from) ? this.#fileOf(this.#closureBefore(at)) : undefined
    }
    const module = this.#snapshot.follow(from, "internal", "extension")
    if (module !== undefined && this.#snapshot.nameOf(module).endsWith("SourceTextModule")) {
      return this.#fileOfSourceText(module)
    }
    return this.#isAroundModule(from) ? this.#fileOf(this.#closureBefore(at)) : undefined
  }

  /**
   * Returns whether the variables belong to the function that a loader puts around a module. No variables lie around them,
   * and nothing refers to the function after the module has run.
   */
  #isAroundModule(context: number): boolean {
    const snapshot = this.#snapshot
    const scope = snapshot.follow(context, "internal", "scope_info")
    const previous = snapshot.follow(context, "internal", "previous")
    return scope !== undefined && previous !== undefined &&
      /NativeContext|ScriptContext/.test(snapshot.nameOf(previous)) &&
      !this.#scripts.isOfFunction(scope)
  }

  /** Returns whether the variables belong to the block that Vite puts around a module, in an async function. */
  #isBlockAroundModule(context: number): boolean {
    if (this.#namesOfBlock(context).some((name) => viteName.test(name))) return true
    const snapshot = this.#snapshot
    const previous = snapshot.follow(context, "internal", "previous")
    if (previous === undefined) return false
    if (/NativeContext|ScriptContext/.test(snapshot.nameOf(previous))) return true
    return snapshot.edgesOf(previous).some((edge) =>
      snapshot.edgeTypeOf(edge) === "context" && viteName.test(snapshot.edgeNameOf(edge))
    )
  }

  /** Returns whether a node is the suspended body of a module, which awaits something. */
  #isBodyOfModule(node: number): boolean {
    const closure = this.#snapshot.follow(node, "internal", "function")
    if (closure === undefined || !this.#isGenerator(node) || this.#generatorName(node) !== undefined) return false
    const location = this.#snapshot.locationOf(closure)
    return location?.line === 0 && location.column === 0 && this.#fileOf(closure) !== undefined
  }

  #closureBefore(at: number): number | undefined {
    const holder = this.#holderBefore(at)
    return holder === undefined ? undefined : this.#closureOf(holder)
  }

  /** Returns the function, or the suspended generator, that sees a variable. */
  #holderBefore(at: number): number | undefined {
    const { from } = this.#path.findLast(({ from }, index) =>
      index < at && !contextName.test(this.#snapshot.nameOf(from))
    )!
    return this.#closureOf(from) === undefined ? undefined : from
  }

  /** Returns whether a timer holds its callback. A cleared timer holds no callback. */
  #isActiveTimer(at: number): boolean {
    return /^(Timeout|Immediate)$/.test(this.#from(at)) &&
      /^_(on(Timeout|Immediate)|timerArgs|argv)$/.test(this.#edge(at))
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
    const module = this.#moduleOfVariable(at)
    if (module !== undefined) {
      return this.#step(at, `module ${module}`, `variable ${await this.#variableName(at)}`, "module")
    }
    const exported = this.#exportAt(at)
    if (exported !== undefined) {
      return this.#step(at, `module ${exported.file}`, `export ${exported.name}`, "module", exported.next)
    }
    if (this.#isCommonJsModule(at)) return this.#step(at, `module ${this.#fileOfModule(from)}`, "exports", "module")
    if (/^(?:Map|Set) ?Iterator$/.test(this.#from(at)) && edgeType === "hidden") {
      return this.#entry(at, this.#from(at))
    }
    if (this.#from(at) === "AsyncContextFrame" && edge === "table") {
      return { ...await this.#entry(at, "AsyncLocalStorage"), via: "store" }
    }
    if (/^(?:Array Iterator|Iterator(?: Helper)?)$/.test(this.#from(at)) && edgeType === "hidden") {
      const isCallback = this.#snapshot.typeOf(this.#path[at]!.to) === "closure"
      const isHelper = this.#from(at) !== "Array Iterator"
      return this.#step(
        at,
        isHelper ? "IteratorHelper" : "ArrayIterator",
        isCallback ? "callback" : isHelper ? "iterator" : "array",
        "entry"
      )
    }
    // The program has properties with these names too.
    if (edgeType === "internal" && /^(?:bindings|bound_this|bound_function)$/.test(edge)) return this.#bound(at)
    if (this.#isFiber(from)) return this.#fiber(at)
    if (edge === "parameters_and_registers") return this.#generator(at)
    if (edge === "table" && edgeType === "internal") return this.#entry(at, this.#from(at))
    if (edge === "reactions_or_result") return this.#promise(at)
    if (edge === "context" && edgeType === "internal") return this.#variable(at)
    if (edge === "_events") return this.#listener(at)
    if (/kEvents|kHandlers/.test(edge)) return this.#eventTargetListener(at)
    if (/^(Timeout|Immediate)$/.test(this.#from(at))) return this.#timer(at)
    if (this.#isScope(at)) return this.#scope(at)
    if (/pair in WeakMap/.test(edge)) return this.#step(at, "WeakMap", `value for the key ${this.#from(at)}`, "entry")
    if (this.#from(at) === "FinalizationRegistry") {
      return this.#step(at, "FinalizationRegistry", "held value", "registry")
    }
    if (edgeType === "property" && type !== "native") {
      return this.#property(at, type === "regexp" ? "RegExp" : this.#from(at) || "anonymous function")
    }
    if (edgeType === "element" && type === "object") return this.#step(at, this.#from(at), `[${edge}]`, "element")
    const internal = type === "hidden" || type === "array" || type === "code" || contextName.test(this.#from(at))
    const name = this.#from(at).replace(/^system \/ /, "") || type
    return { ...this.#step(at, `the engine's ${name}`, edge, "engine"), internal }
  }

  #step(at: number, holder: string, via: string, kind: Retainer["kind"], next = at + 1): Name {
    return { holder, via, kind, next }
  }

  #property(at: number, holder: string): Name {
    const name = this.#edge(at)
    // The engine's private symbol for the stack of an error has no name.
    const via = name === "<symbol>" && holder.endsWith("Error")
      ? "stack"
      : name.replace(/^<symbol (.*)>$/, "Symbol($1)")
    const internal = via.startsWith("~effect/") || via === "<symbol>" ||
      (holder === "Object" && /^(?:overlay|mapUnsafe)$/.test(via)) ||
      (/^(?:event|wrapped)Handler$/.test(holder) && via === "handler") ||
      // Node wraps the listeners of `once`.
      (via === "listener" && this.#snapshot.typeOf(this.#path[at]!.from) === "closure" &&
        this.#isLibrary(this.#path[at]!.from))
    return { ...this.#step(at, holder, via, "property"), internal }
  }

  /** Describes a bound function. The path passes the list of its arguments. */
  #bound(at: number): Name {
    const { from } = this.#path[at]!
    const target = this.#snapshot.follow(from, "internal", "bound_function")
    const name = target === undefined ? "" : this.#snapshot.nameOf(target)
    const holder = name === "" ? "bound function" : `bound function ${name}`
    if (this.#edge(at) !== "bindings") return this.#step(at, holder, this.#edge(at).slice("bound_".length), "function")
    return this.#step(at, holder, `argument ${Number(this.#edge(at + 1)) + 1}`, "function", at + 2)
  }

  /** Describes a fiber. Skips Effect's objects between the fiber and the code that it runs. */
  async #fiber(at: number): Promise<Name> {
    const { from } = this.#path[at]!
    const span = await this.#ask(from, "function() { return this.cache?.span?.name ?? this.cache?.stackFrame?.name }")
    const via = this.#edge(at)
    let next = at + 1
    const isPart = via === "context" ? this.#isContext : this.#isMachinery
    while (next < this.#path.length && isPart.call(this, next)) next++
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

  /** Returns whether a step leads through the services of a fiber. */
  #isContext(at: number): boolean {
    return /^(?:Object|Map|ContextImpl)?$/.test(this.#from(at)) && !this.#isScope(at)
  }

  #isScope(at: number): boolean {
    return this.#edge(at) === "state" &&
      this.#snapshot.follow(this.#path[at]!.from, "property", "strategy") !== undefined
  }

  #isMachinery(at: number): boolean {
    const { from } = this.#path[at]!
    const edge = this.#edge(at)
    if (this.#isFiber(from) || this.#isGenerator(from) || edge === "reactions_or_result") return false
    // An object has no script, as the functions of the engine.
    return this.#isLibrary(from)
  }

  #isGenerator(node: number): boolean {
    return this.#snapshot.follow(node, "internal", "parameters_and_registers") !== undefined
  }

  #generatorName(node: number): string | undefined {
    const closure = this.#snapshot.follow(node, "internal", "function")
    return closure === undefined ? undefined : this.#snapshot.nameOf(closure) || undefined
  }

  /** Describes a variable of a suspended generator. The path passes the list of the variables. */
  async #generator(at: number): Promise<Name> {
    const { from } = this.#path[at]!
    const held = this.#path[at + 1]?.to
    const name = held === undefined ? undefined : await this.#nameInScopes(from, held)
    const via = name === undefined ? "local variable" : `variable ${name}`
    const closure = this.#closureOf(from)
    if (name !== undefined && this.#isBodyOfModule(from)) {
      return this.#step(at, `module ${this.#fileOf(closure!)}`, via, "module", at + 2)
    }
    const internal = closure !== undefined && this.#isLibrary(closure)
    return { ...this.#step(at, await this.#generatorHolder(at), via, "generator", at + 2), internal }
  }

  async #generatorHolder(at: number): Promise<string> {
    const { from } = this.#path[at]!
    const name = this.#generatorName(from)
    const place = name === undefined ? this.#place(from) : undefined
    const isAsyncFunction = this.#edge(at - 1) === "extension"
    const prototype = this.#snapshot.follow(from, "property", "__proto__")
    const isAsync = prototype !== undefined && this.#snapshot.nameOf(prototype) === "AsyncGenerator"
    const state = isAsyncFunction ? "suspended" : await this.#stateOf(from)
    const kind = isAsyncFunction ? "async function" : isAsync ? "async generator" : "generator"
    return `${state} ${kind}${name === undefined ? "" : ` ${JSON.stringify(name)}`}${
      place === undefined ? "" : ` (${place})`
    }`
  }

  /** A finished generator still holds the variables around its function. */
  async #stateOf(generator: number): Promise<string> {
    try {
      const objectId = await this.#remote(generator)
      const { internalProperties } = await post(this.#session, "Runtime.getProperties", {
        objectId,
        ownProperties: true
      })
      const state = internalProperties?.find(({ name }) => name === "[[GeneratorState]]")?.value?.value
      return state === "closed" ? "finished" : "suspended"
    } catch {
      return "suspended"
    }
  }

  /** Describes an entry of a `Map` or `Set`. The path passes the table, and sometimes an older table, before the entry. */
  async #entry(at: number, holder: string): Promise<Name> {
    const collection = this.#path[at]!.from
    let next = at + 1
    while (next < this.#path.length && this.#snapshot.typeOf(this.#path[next]!.to) === "array") next++
    const entry = this.#path[next]?.to
    if (entry === undefined) return this.#step(at, holder, "table", "entry")
    const key = this.#stringKey(next) ?? await this.#ask(collection, describeEntry, entry)
    return this.#step(at, holder, typeof key === "string" ? key : "entry", "entry", next)
  }

  /** Describes an entry whose key is a string without asking the engine, which takes time in a large heap. */
  #stringKey(at: number): string | undefined {
    const { edge, from } = this.#path[at]!
    const key = this.#snapshot.follow(from, "internal", String(Number(this.#snapshot.edgeNameOf(edge)) - 1))
    if (key === undefined || this.#snapshot.typeOf(key) !== "string") return undefined
    const text = this.#snapshot.nameOf(key)
    return `entry ${JSON.stringify(text.length > maxKey ? `${text.slice(0, maxKey)}…` : text)}`
  }

  #promise(at: number): Name {
    const via = this.#from(at + 1) === "system / PromiseReaction" ? "reaction" : "result"
    return this.#step(at, "Promise", via, "promise")
  }

  /** Describes a variable of a closure or generator. Follows the contexts from the innermost outwards. */
  async #variable(at: number): Promise<Name> {
    const { from } = this.#path[at]!
    let last = at + 1
    while (this.#edge(last) === "previous") last++
    const step = this.#path[last]
    if (step === undefined) return this.#step(at, this.#functionLabel(from), "context", "closure")
    const generator = this.#snapshot.typeOf(from) !== "closure"
    const holder = generator ? await this.#generatorHolder(at) : `closure ${this.#functionLabel(from)}`
    if (!this.#isVariable(last)) {
      // The function belongs to the engine. For example, it continues an async function or resolves a promise.
      return { ...this.#step(at, holder, "context", "closure", last + 1), internal: true }
    }
    const internal = this.#isLibrary(this.#closureOf(from) ?? from)
    return {
      ...this.#step(
        at,
        holder,
        `variable ${await this.#variableName(last)}`,
        generator ? "generator" : "closure",
        last + 1
      ),
      internal
    }
  }

  #listener(at: number): Name {
    const event = this.#edge(at + 1).replace(/^<symbol (.*)>$/, "Symbol($1)")
    const next = this.#from(at + 2) === "Array" ? at + 3 : at + 2
    return this.#step(at, this.#from(at), `listener ${JSON.stringify(event)}`, "listener", next)
  }

  async #eventTargetListener(at: number): Promise<Name> {
    const entry = await this.#entry(at, this.#from(at))
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
    return this.#step(at, `timer (${name})`, via, "timer", via === "arguments" ? at + 2 : at + 1)
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
      for (const edge of snapshot.edgesOf(node)) {
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

  #functionLabel(closure: number): string {
    const place = this.#place(closure)
    const name = this.#snapshot.nameOf(closure) || "(anonymous)"
    return place === undefined ? name : `${name} (${place})`
  }

  /** Returns the position of a function, or of a generator's function, as `file:line:column`. */
  #place(node: number): string | undefined {
    const closure = this.#closureOf(node) ?? node
    const script = this.#scripts.scriptOf(closure)
    const location = this.#snapshot.locationOf(closure)
    if (script === "" || location === undefined) return undefined
    return `${relative(script)}:${location.line + 1}:${location.column + 1}`
  }

  /** Returns whether a function belongs to Effect, this package, the test runner, the host or the engine. */
  #isLibrary(closure: number): boolean {
    return this.#scripts.originOf(closure) !== "program"
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

const maxKey = 60

/** Describes the entry of a `Map` or `Set` that holds `target`. Calls the engine's methods, so that no user code runs. */
const describeEntry = `function(target) {
  const describe = (key) => typeof key === "string"
    ? JSON.stringify(key.length > ${maxKey} ? key.slice(0, ${maxKey}) + "…" : key)
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

/** The globals that only some hosts have. */
const global = globalThis as { readonly process?: { cwd?(): string } }
