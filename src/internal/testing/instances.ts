/**
 * Counts the live instances of classes.
 */
import { inspectorModule, post, takeSnapshot } from "./inspector.ts"

interface Class {
  readonly name: string
  readonly prototype: object
}

/** Returns one count for each class, or `undefined` if the host cannot count. */
export const count = async (classes: ReadonlyArray<Class>): Promise<ReadonlyArray<number> | undefined> =>
  byQuery(classes) ?? inSnapshotOfBun(classes) ?? await inSnapshotOfV8(classes)

/** Counts exactly on Node, including subclasses. Deno's `queryObjects` returns an empty array instead of a number. */
const byQuery = (classes: ReadonlyArray<Class>): ReadonlyArray<number> | undefined => {
  const query = v8()?.queryObjects
  if (query === undefined) return undefined
  const counts = classes.map((element) => query(element))
  return counts.every((count) => typeof count === "number") ? counts : undefined
}

/** Returns `node:v8`. A host without this module has no `getBuiltinModule`, or throws. */
const v8 = (): V8 | undefined => {
  try {
    return host.process?.getBuiltinModule?.("node:v8")
  } catch {
    return undefined
  }
}

/** Counts by the name of the class in a heap snapshot of Bun. A node is four numbers: id, size, class, flags. */
const inSnapshotOfBun = (classes: ReadonlyArray<Class>): ReadonlyArray<number> | undefined => {
  if (host.Bun === undefined) return undefined
  const { nodeClassNames, nodes } = host.Bun.generateHeapSnapshot()
  return classes.map(({ name }) => {
    const index = nodeClassNames.indexOf(name)
    return nodes.filter((field, at) => at % 4 === 2 && field === index).length
  })
}

/** Counts by the name of the class in a heap snapshot of V8. Used on Deno and on versions of Node without `queryObjects`. */
const inSnapshotOfV8 = async (classes: ReadonlyArray<Class>): Promise<ReadonlyArray<number> | undefined> => {
  const inspector = inspectorModule()
  if (typeof inspector === "string") return undefined
  const session = new inspector.Session()
  session.connect()
  try {
    const snapshot = await takeSnapshot(session)
    const counts = new Map(classes.map(({ name }) => [name, 0]))
    for (let node = 0; node < snapshot.nodeCount; node++) {
      if (snapshot.typeOf(node) !== "object") continue
      const name = snapshot.nameOf(node)
      const count = counts.get(name)
      if (count !== undefined) counts.set(name, count + 1)
    }
    return classes.map(({ name }) => counts.get(name)!)
  } catch {
    return undefined
  } finally {
    await post(session, "HeapProfiler.disable", undefined).catch(() => {})
    session.disconnect()
  }
}

interface V8 {
  readonly queryObjects?: (element: Class) => unknown
}

/** The globals that only some hosts have. */
const host = globalThis as unknown as {
  readonly process?: { getBuiltinModule?(name: "node:v8"): V8 | undefined }
  readonly Bun?: {
    generateHeapSnapshot(): { readonly nodes: ReadonlyArray<number>; readonly nodeClassNames: ReadonlyArray<string> }
  }
}
