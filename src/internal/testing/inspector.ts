/**
 * Types and functions for the part of V8's inspector that takes heap snapshots. Node and Deno provide the inspector as
 * `node:inspector`.
 */
import { type HeapSnapshot, Parser } from "./heapSnapshot.ts"

export interface RemoteObject {
  readonly type: string
  readonly description?: string
  readonly objectId?: string
  readonly value?: unknown
}

interface Property {
  readonly name: string
  readonly value?: RemoteObject
}

interface Methods {
  "HeapProfiler.takeHeapSnapshot": [undefined, unknown]
  "HeapProfiler.getObjectByHeapObjectId": [
    { readonly objectId: string; readonly objectGroup: string },
    { readonly result: RemoteObject }
  ]
  "HeapProfiler.disable": [undefined, unknown]
  "Runtime.callFunctionOn": [{
    readonly objectId: string
    readonly functionDeclaration: string
    readonly arguments: ReadonlyArray<{ readonly objectId: string }>
    readonly silent: true
  }, { readonly result: RemoteObject; readonly exceptionDetails?: unknown }]
  "Runtime.getProperties": [
    { readonly objectId: string; readonly ownProperties: true },
    { readonly result: ReadonlyArray<Property>; readonly internalProperties?: ReadonlyArray<Property> }
  ]
  "Runtime.releaseObjectGroup": [{ readonly objectGroup: string }, unknown]
}

export interface Session {
  connect(): void
  disconnect(): void
  post(method: string, params: unknown, callback: (error: unknown, result: unknown) => void): void
  on(
    event: "HeapProfiler.addHeapSnapshotChunk",
    listener: (message: { readonly params: { readonly chunk: string } }) => void
  ): void
}

/** The modules of Node that the detector uses, as far as it uses them. */
interface Builtins {
  readonly "node:inspector": { readonly Session: new() => Session }
  readonly "node:v8": { readonly queryObjects?: (element: { readonly prototype: object }) => unknown }
}

/** Returns a module of Node, or `undefined` on a host that does not have it. */
export const builtin = async <Name extends keyof Builtins>(name: Name): Promise<Builtins[Name] | undefined> => {
  // A Node that was built without the inspector throws when the module is loaded.
  try {
    if (host.process?.getBuiltinModule !== undefined) return host.process.getBuiltinModule(name) as Builtins[Name]
    // Node before 20.16, and contexts of `node:vm` without `process`. The type of a module with a variable name is unknown.
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ name) as Builtins[Name]
  } catch {
    return undefined
  }
}

/** Runs a function with a new session, which does not disturb a debugger of the user. Returns the reason if there is none. */
export const withSession = async <A extends object>(use: (session: Session) => Promise<A>): Promise<A | string> => {
  if (host.Bun !== undefined) return "Bun offers no heap snapshot of V8"
  const inspector = await builtin("node:inspector")
  if (inspector?.Session === undefined) {
    return host.process === undefined
      ? "there is no global `process`, through which the inspector is found"
      : "this host offers no heap snapshot"
  }
  let session: Session
  try {
    session = new inspector.Session()
    session.connect()
  } catch (error) {
    return `this host offers no inspector: ${error instanceof Error ? error.message : String(error)}`
  }
  // Deno exits if the program waits only for the inspector, so keep a timer active.
  const timer = host.setInterval(() => {}, 1000)
  try {
    return await use(session)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    host.clearInterval(timer)
    await post(session, "Runtime.releaseObjectGroup", { objectGroup }).catch(() => {})
    await post(session, "HeapProfiler.disable", undefined).catch(() => {})
    session.disconnect()
  }
}

/** The group of all objects that a session refers to. */
export const objectGroup = "effect-weakref/LeakDetector"

/** Calls a method of the inspector. */
export const post = <M extends keyof Methods>(
  session: Session,
  method: M,
  params: Methods[M][0]
): Promise<Methods[M][1]> =>
  new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => {
      // The inspector answers with the result of this method.
      if (error === null || error === undefined) resolve(result as Methods[M][1])
      else reject(error instanceof Error ? error : new Error(`${method}: ${JSON.stringify(error)}`))
    })
  })

/** Takes a heap snapshot. V8 first collects garbage, and stops the program until the snapshot is written. */
const takeSnapshot = async (session: Session): Promise<HeapSnapshot> => {
  const parser = new Parser()
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ params }) => parser.push(params.chunk))
  await post(session, "HeapProfiler.takeHeapSnapshot", undefined)
  return parser.end()
}

/** A snapshot, and the nodes of the objects that it was taken for. */
export interface Marked {
  readonly snapshot: HeapSnapshot
  /** `undefined` if the object was collected before. */
  readonly nodes: ReadonlyArray<number | undefined>
}

let marks = 0

/**
 * Takes a heap snapshot, and finds the referents of `refs` in it. Finds them through a property with a name that nobody else
 * uses. The ids of the heap profiler would lead to them as well, but any other session can renumber these.
 */
export const takeMarkedSnapshot = async (session: Session, refs: ReadonlyArray<WeakRef<object>>): Promise<Marked> => {
  const name = `effect-weakref:marked:${++marks}:${Math.random()}`
  const mark = { [name]: refs }
  const snapshot = await takeSnapshot(session)
  // Read after the snapshot, so that the mark is alive while V8 writes the snapshot.
  const list = listOf(snapshot, name)
  return {
    snapshot,
    nodes: mark[name]!.map((_, index) =>
      snapshot.follow(snapshot.follow(list, "element", String(index)), "weak", "target")
    )
  }
}

/** Returns the target of the property with a unique name. O(edges). */
const listOf = (snapshot: HeapSnapshot, name: string): number | undefined => {
  const index = snapshot.indexOfString(name)
  const property = snapshot.edgeType("property")
  const edges = snapshot.firstEdge(snapshot.nodeCount)
  for (let edge = 0; edge < edges; edge++) {
    if (snapshot.edgeIndexOf(edge) === index && snapshot.edgeTypeNumberOf(edge) === property) {
      return snapshot.targetOf(edge)
    }
  }
  return undefined
}

/** The globals that only some hosts have, or whose types differ between hosts. */
const host = globalThis as unknown as {
  readonly Bun?: unknown
  readonly process?: { getBuiltinModule?(name: string): object | undefined }
  readonly setInterval: (f: () => void, millis: number) => unknown
  readonly clearInterval: (timer: unknown) => void
}
