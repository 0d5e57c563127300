/** Small heaps, written by hand as V8 writes a heap snapshot, with an inspector that answers for them. */
import { type HeapSnapshot, Parser } from "../../src/internal/testing/heapSnapshot.ts"
import type { Session } from "../../src/internal/testing/inspector.ts"

export interface Edge {
  readonly type: string
  readonly name: string | number
  readonly to: Node
}

export interface Node {
  readonly type: string
  readonly name: string
  readonly edges: Array<Edge>
  /** Where a function begins. */
  readonly location?: readonly [line: number, column: number]
  /** The object that the inspector returns for the node. It returns none for a node without one. */
  readonly object?: unknown
  /** What the inspector shows as internal properties: the state of a generator, and the variables of each scope. */
  readonly state?: string
  readonly scopes?: ReadonlyArray<readonly [description: string | undefined, variables: Record<string, unknown>]>
}

const nodeTypes = [
  "hidden",
  "array",
  "string",
  "object",
  "code",
  "closure",
  "regexp",
  "number",
  "native",
  "synthetic",
  "symbol"
]
const edgeTypes = ["context", "element", "property", "internal", "hidden", "shortcut", "weak"]

const edgeOf = (type: string) => (name: string | number, to: Node): Edge => ({ type, name, to })
export const variable = edgeOf("context")
export const element = edgeOf("element")
export const property = edgeOf("property")
export const internal = edgeOf("internal")
export const hidden = edgeOf("hidden")
export const shortcut = edgeOf("shortcut")
export const weak = edgeOf("weak")

export const node = (type: string, name: string, ...edges: Array<Edge>): Node => ({ type, name, edges })
export const object = (name: string, ...edges: Array<Edge>): Node => node("object", name, ...edges)
export const array = (...edges: Array<Edge>): Node => node("array", "", ...edges)
export const string = (text: string): Node => node("string", text)

/** Returns a node with what the inspector shows for it. */
export const shown = (of: Node, as: Pick<Node, "object" | "state" | "scopes">): Node => ({ object: {}, ...of, ...as })

/** Returns a function at `script:line:column`. Without a place it belongs to the engine. */
export const closure = (name: string, place: string, ...edges: Array<Edge>): Node => {
  if (place === "") return node("closure", name, ...edges)
  const [, script, line, column] = /^(.*):(\d+):(\d+)$/.exec(place)!
  const shared = node("code", name, internal("script", node("code", `system / Script / ${script}`)))
  return {
    ...node("closure", name, ...edges, internal("shared", shared)),
    location: [Number(line) - 1, Number(column) - 1]
  }
}

/** Returns the variables of a call of a function. */
export const context = (...edges: Array<Edge>): Node => object("system / Context", ...edges)

/** Returns a root with the properties of the global object. */
export const global = (...properties: Array<Edge>): Node =>
  root(shortcut(
    2,
    node("hidden", "system / NativeContext / ", internal("global_object", object("global (global*) / ", ...properties)))
  ))

export const root = (...edges: Array<Edge>): Node => node("synthetic", "", ...edges)

export interface Heap {
  readonly text: string
  /** The nodes by their numbers. */
  readonly nodes: ReadonlyArray<Node>
}

/** Returns what can be reached from a root. The first node is the root, and the id of a node is its number times 2 plus 1. */
export const heapOf = (root: Node): Heap => {
  const nodes = [...new Set([root])]
  const numbers = new Map(nodes.map((node) => [node, 0]))
  for (const { edges } of nodes) {
    for (const { to } of edges) {
      if (!numbers.has(to)) numbers.set(to, nodes.push(to) - 1)
    }
  }
  const strings = new Map<string, number>()
  const indexOf = (string: string): number => {
    if (!strings.has(string)) strings.set(string, strings.size)
    return strings.get(string)!
  }
  indexOf("")
  const size = 6
  const known = (types: ReadonlyArray<string>, type: string): number => {
    if (!types.includes(type)) throw new TypeError(`a snapshot has no type ${type}`)
    return types.indexOf(type)
  }
  const edges = nodes.flatMap(({ edges }) => edges)
  const columns = {
    nodes: nodes.flatMap(({ edges, name, type }, number) => [
      known(nodeTypes, type),
      indexOf(name),
      2 * number + 1,
      16,
      edges.length,
      0
    ]),
    edges: edges.flatMap(({ name, to, type }) => [
      known(edgeTypes, type),
      type === "element" || type === "hidden" ? Number(name) : indexOf(String(name)),
      size * numbers.get(to)!
    ]),
    locations: nodes.flatMap(({ location }, number) => location === undefined ? [] : [size * number, 7, ...location])
  }
  const snapshot = {
    meta: {
      node_fields: ["type", "name", "id", "self_size", "edge_count", "detachedness"],
      node_types: [nodeTypes, "string", "number", "number", "number", "number"],
      edge_fields: ["type", "name_or_index", "to_node"],
      edge_types: [edgeTypes, "string_or_number", "node"],
      location_fields: ["object_index", "script_id", "line", "column"]
    },
    node_count: nodes.length,
    edge_count: edges.length
  }
  return { nodes, text: JSON.stringify({ snapshot, ...columns, strings: [...strings.keys()] }) }
}

export const snapshotOf = ({ text }: Heap): HeapSnapshot => {
  const parser = new Parser()
  parser.push(text)
  return parser.end()
}

/** Returns a session of an inspector that knows the objects of a heap. */
export const sessionOf = (heap: () => Heap): Session => {
  /** What the remote objects refer to. */
  const remote: Array<unknown> = []
  const send = (value: unknown) => ({ objectId: String(remote.push(value) - 1) })
  const nodes = new Map<unknown, Node>()
  let listener: ((message: { readonly params: { readonly chunk: string } }) => void) | undefined

  const methods: Record<string, (params: never) => unknown> = {
    "HeapProfiler.takeHeapSnapshot": () => listener!({ params: { chunk: heap().text } }),
    "HeapProfiler.disable": () => ({}),
    "HeapProfiler.getObjectByHeapObjectId": ({ objectId }: { readonly objectId: string }) => {
      const node = heap().nodes[(Number(objectId) - 1) / 2]!
      if (!("object" in node)) throw new Error("the object was collected")
      if (Object(node.object) !== node.object) return { result: { value: node.object } }
      const sent = send(node.object)
      nodes.set(sent.objectId, node)
      return { result: sent }
    },
    "Runtime.callFunctionOn": (params: {
      readonly objectId: string
      readonly functionDeclaration: string
      readonly arguments: ReadonlyArray<{ readonly objectId: string }>
      readonly silent: boolean
    }) => {
      if (!params.silent) throw new Error("a debugger of the user would pause")
      const args = params.arguments.map(({ objectId }) => remote[Number(objectId)])
      try {
        // The declaration is that of a function, as the inspector demands.
        const f = new Function(`return ${params.functionDeclaration}`)() as (...args: ReadonlyArray<unknown>) => unknown
        return { result: { value: Reflect.apply(f, remote[Number(params.objectId)], args) } }
      } catch (error) {
        return { result: { value: error }, exceptionDetails: { text: String(error) } }
      }
    },
    "Runtime.getProperties": (
      { objectId, ownProperties }: { readonly objectId: string; readonly ownProperties: boolean }
    ) => {
      if (!ownProperties) throw new Error("the properties of the prototypes tell nothing")
      const found = remote[Number(objectId)]
      if (found instanceof Scopes) {
        return {
          result: found.scopes.map(([description, object]) => ({
            name: "scope",
            value: { ...description === undefined ? {} : { description }, ...send({ object }) }
          }))
        }
      }
      const { scopes, state } = nodes.get(objectId)!
      return {
        result: [],
        internalProperties: [
          { name: "[[Prototype]]", value: send({}) },
          ...state === undefined ? [] : [{ name: "[[GeneratorState]]", value: { value: state } }],
          ...scopes === undefined ? [] : [{ name: "[[Scopes]]", value: send(new Scopes(scopes)) }]
        ]
      }
    },
    "Runtime.releaseObjectGroup": () => ({})
  }
  return {
    connect: () => {},
    disconnect: () => {},
    on: (event: string, f) => {
      if (event === "HeapProfiler.addHeapSnapshotChunk") listener = f
    },
    post: (method, params, callback) => {
      queueMicrotask(() => {
        let result: unknown
        try {
          // Each method gets the parameters that the inspector defines for it.
          result = methods[method]!(params as never)
        } catch (error) {
          return callback({ message: String(error) }, undefined)
        }
        callback(null, result)
      })
    }
  }
}

class Scopes {
  readonly scopes: NonNullable<Node["scopes"]>
  constructor(scopes: NonNullable<Node["scopes"]>) {
    this.scopes = scopes
  }
}
