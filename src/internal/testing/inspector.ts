/**
 * Types and functions for the part of V8's inspector that takes heap snapshots. Node and Deno provide the inspector as
 * `node:inspector`.
 */
import { type HeapSnapshot, Parser } from "./heapSnapshot.ts"

interface RemoteObject {
  readonly type: string
  readonly objectId?: string
  readonly value?: unknown
}

interface Methods {
  "HeapProfiler.startTrackingHeapObjects": [{ readonly trackAllocations: false }, unknown]
  "HeapProfiler.takeHeapSnapshot": [{ readonly reportProgress: false }, unknown]
  "HeapProfiler.getHeapObjectId": [{ readonly objectId: string }, { readonly heapSnapshotObjectId: string }]
  "HeapProfiler.getObjectByHeapObjectId": [
    { readonly objectId: string; readonly objectGroup: string },
    { readonly result: RemoteObject }
  ]
  "HeapProfiler.disable": [undefined, unknown]
  "Runtime.evaluate": [
    { readonly expression: string; readonly objectGroup: string; readonly silent: true },
    { readonly result: RemoteObject }
  ]
  "Runtime.callFunctionOn": [{
    readonly objectId: string
    readonly functionDeclaration: string
    readonly arguments: ReadonlyArray<{ readonly objectId: string }>
    readonly returnByValue: true
    readonly silent: true
  }, { readonly result: RemoteObject; readonly exceptionDetails?: unknown }]
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

export interface InspectorModule {
  readonly Session: new() => Session
}

/** Returns the host's inspector, or the reason why the host has none. */
export const inspectorModule = (): InspectorModule | string => {
  if (host.Bun !== undefined) return "Bun offers no heap snapshot of V8"
  if (host.process?.getBuiltinModule === undefined) return "this host offers no heap snapshot"
  // A Node that was built without the inspector throws when the module is loaded.
  try {
    return host.process.getBuiltinModule("node:inspector") ?? "this host offers no heap snapshot"
  } catch {
    return "this host was built without an inspector"
  }
}

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
export const takeSnapshot = async (session: Session): Promise<HeapSnapshot> => {
  const parser = new Parser()
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ params }) => parser.push(params.chunk))
  await post(session, "HeapProfiler.takeHeapSnapshot", { reportProgress: false })
  return parser.end()
}

/** The globals that only some hosts have. */
const host = globalThis as unknown as {
  readonly Bun?: unknown
  readonly process?: { getBuiltinModule?(name: "node:inspector"): InspectorModule | undefined }
}
