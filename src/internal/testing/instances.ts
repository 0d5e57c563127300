/**
 * Counts the live instances of classes.
 */
import { host as weak } from "../host.ts"
import { builtin, type Marked, takeMarkedSnapshot, withSession } from "./inspector.ts"

interface Class {
  readonly name: string
  readonly prototype: object
}

/** Returns one count for each class, or `undefined` if the host cannot count. */
export const count = async (classes: ReadonlyArray<Class>): Promise<ReadonlyArray<number> | undefined> =>
  await byQuery(classes) ?? inSnapshotOfBun(classes) ?? await inSnapshotOfV8(classes)

/**
 * Counts with Node's `queryObjects`, which sees only the objects of the context that Node started with. Deno's returns an
 * empty array instead of a number.
 */
const byQuery = async (classes: ReadonlyArray<Class>): Promise<ReadonlyArray<number> | undefined> => {
  const query = (await builtin("node:v8"))?.queryObjects
  if (query === undefined) return undefined
  const functions = functionPrototypeOf(query)
  if (!classes.every((element) => functionPrototypeOf(element) === functions)) return undefined
  const counts = classes.map((element) => query(element))
  return counts.every((count) => typeof count === "number") ? counts : undefined
}

/** Returns the `Function.prototype` that a function inherits from, which each context has for itself. */
const functionPrototypeOf = (f: object): object => {
  let prototype = f
  for (;;) {
    const next: object | null = Object.getPrototypeOf(prototype)
    if (next === null || Object.getPrototypeOf(next) === null) return prototype
    prototype = next
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

/** Counts the objects that inherit from the prototype of the class in a heap snapshot of V8, in every context. */
const inSnapshotOfV8 = async (classes: ReadonlyArray<Class>): Promise<ReadonlyArray<number> | undefined> => {
  const refs = classes.map(({ prototype }) => new weak.WeakRef(prototype))
  const counts = await withSession(async (session) => inheritors(await takeMarkedSnapshot(session, refs)))
  return typeof counts === "string" ? undefined : counts
}

const inheritors = ({ nodes, snapshot }: Marked): ReadonlyArray<number> => {
  const name = snapshot.indexOfString("__proto__")
  const property = snapshot.edgeType("property")
  const none = snapshot.nodeCount
  const prototypes = new Uint32Array(snapshot.nodeCount).fill(none)
  for (let node = 0; node < snapshot.nodeCount; node++) {
    for (let edge = snapshot.firstEdge(node); edge < snapshot.firstEdge(node + 1); edge++) {
      if (snapshot.edgeIndexOf(edge) === name && snapshot.edgeTypeNumberOf(edge) === property) {
        prototypes[node] = snapshot.targetOf(edge)
        break
      }
    }
  }
  return nodes.map((prototype) => {
    let count = 0
    for (let node = 0; node < snapshot.nodeCount; node++) {
      for (let at = prototypes[node]!; at !== none; at = prototypes[at]!) {
        if (at === prototype) count++
      }
    }
    return count
  })
}

/** The globals that only some hosts have. */
const host = globalThis as unknown as {
  readonly Bun?: {
    generateHeapSnapshot(): { readonly nodes: ReadonlyArray<number>; readonly nodeClassNames: ReadonlyArray<string> }
  }
}
