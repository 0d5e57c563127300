/**
 * Finds the cheapest strong path from the root of a heap snapshot to one node.
 */
import type { HeapSnapshot } from "./heapSnapshot.ts"
import { Scripts } from "./scripts.ts"

/** One edge of a path: `from` holds `to`. */
export interface Step {
  readonly from: number
  readonly edge: number
  readonly to: number
}

/*
 * The costs of edges. A path through objects of the program costs less than a shorter path through parts of the engine,
 * of libraries, or of the detector.
 */
const ordinary = 1
const enginePart = 2
const prototype = 6
const engineRoot = 20
const engineMetadata = 40
const library = 30
const runnerGlobal = 100
/** An object's list of its properties, each of which has an edge of its own with its name. */
const backingStore = 200
/** While the snapshot is taken, the stack has only the detector's frames. */
const ownFrames = 400

/** The names of edges to the engine's data about functions and classes, which rarely hold a value of the program. */
const metadataNames = new Set(["map", "feedback_cell", "code", "shared", "native_context", "initial_map"])

const ephemeron = /pair in WeakMap \(table @(\d+)\)$/

/**
 * Runs Dijkstra's algorithm once for all targets, with one bucket for each cost. Does not follow weak edges. Follows an entry
 * of a `WeakMap` from its key after the search has also reached the table. Returns `undefined` for a target that it does not
 * reach.
 *
 * Cost: O(nodes + edges), and 9 bytes for each node.
 */
export const findAll = (
  snapshot: HeapSnapshot,
  targets: ReadonlyArray<number>,
  scripts = new Scripts(snapshot)
): ReadonlyArray<ReadonlyArray<Step> | undefined> => {
  const left = new Set(targets)
  const { nodeCount } = snapshot
  const costs = new Uint32Array(nodeCount).fill(0xffffffff)
  /** The edge before, plus one. */
  const incoming = new Uint32Array(nodeCount)
  const settled = new Uint8Array(nodeCount)
  const buckets: Array<Array<number> | undefined> = [[0]]

  const weak = snapshot.edgeType("weak")
  const internal = snapshot.edgeType("internal")
  const priceOf = prices(snapshot, scripts)
  /** The string indexes of the names of ephemeron edges, and the id of the table in each name. */
  const ephemerons = snapshot.stringsThat((string) => ephemeron.test(string), "0123456789")
  const tables = new Map([...ephemerons].map((index) => [index, Number(ephemeron.exec(snapshot.string(index))![1])]))
  const settledTables = new Set<number>()
  /** By the id of a table that has not been reached: its ephemeron edges whose keys have been reached. */
  const waiting = new Map<number, Array<number>>()

  const relax = (edge: number, cost: number): void => {
    const to = snapshot.targetOf(edge)
    if (cost >= costs[to]!) return
    costs[to] = cost
    incoming[to] = edge + 1
    const bucket = buckets[cost]
    if (bucket === undefined) buckets[cost] = [to]
    else bucket.push(to)
  }

  for (let cost = 0; cost < buckets.length && left.size > 0; cost++) {
    const bucket = buckets[cost]
    if (bucket === undefined) continue
    for (let at = 0; at < bucket.length; at++) {
      const node = bucket[at]!
      if (settled[node] === 1) continue
      settled[node] = 1
      left.delete(node)
      const id = snapshot.idOf(node)
      const released = waiting.get(id)
      settledTables.add(id)
      if (released !== undefined) {
        waiting.delete(id)
        for (const edge of released) relax(edge, cost + ordinary)
      }
      for (let edge = snapshot.firstEdge(node); edge < snapshot.firstEdge(node + 1); edge++) {
        const type = snapshot.edgeTypeNumberOf(edge)
        if (type === weak) continue
        const table = type === internal ? tables.get(snapshot.edgeIndexOf(edge)) : undefined
        if (table === undefined) {
          const price = priceOf(node, edge, type)
          if (price > 0) relax(edge, cost + price)
        } else if (table !== id) {
          if (settledTables.has(table)) {
            relax(edge, cost + ordinary)
          } else {
            const edges = waiting.get(table)
            if (edges === undefined) waiting.set(table, [edge])
            else edges.push(edge)
          }
        }
      }
    }
    buckets[cost] = undefined
  }
  return targets.map((target) => settled[target] === 1 ? pathTo(snapshot, target, incoming) : undefined)
}

/**
 * Returns a function that returns the cost of an edge, or 0 if the search must not follow the edge. The function compares
 * numbers instead of names, because a heap has millions of edges.
 */
const prices = (
  snapshot: HeapSnapshot,
  scripts: Scripts
): (node: number, edge: number, type: number) => number => {
  const shortcut = snapshot.edgeType("shortcut")
  const property = snapshot.edgeType("property")
  const internal = snapshot.edgeType("internal")
  const hidden = snapshot.edgeType("hidden")
  const element = snapshot.edgeType("element")
  const closure = snapshot.nodeType("closure")
  const synthetic = snapshot.nodeType("synthetic")
  const prototypes = snapshot.stringsThat((string) => string === "__proto__", "_")
  const runners = snapshot.stringsThat((string) => runnerName.test(string), "_")
  const backingStores = snapshot.stringsThat((string) => string === "properties", "p")
  const metadata = snapshot.stringsThat((string) => metadataNames.has(string), "mfcsni")

  const priceOfEdge = (node: number, edge: number, type: number): number => {
    switch (type) {
      // A shortcut edge duplicates another edge, except that the shortcuts of the root lead to the global objects.
      case shortcut:
        return node === 0 ? ordinary : 0
      case property:
        return prototypes.has(snapshot.edgeIndexOf(edge))
          ? prototype
          : runners.has(snapshot.edgeIndexOf(edge))
          ? runnerGlobal
          : ordinary
      case internal:
        return metadata.has(snapshot.edgeIndexOf(edge))
          ? engineMetadata
          : backingStores.has(snapshot.edgeIndexOf(edge))
          ? backingStore
          : enginePart
      case hidden:
        return enginePart
      case element:
        return snapshot.nodeTypeNumberOf(node) === synthetic
          ? priceOfRoot(snapshot.nameOf(snapshot.targetOf(edge)))
          : ordinary
      default:
        return ordinary
    }
  }

  return (node, edge, type) => {
    const price = priceOfEdge(node, edge, type)
    const to = snapshot.targetOf(edge)
    if (price === 0 || snapshot.nodeTypeNumberOf(to) !== closure) return price
    const origin = scripts.originOf(to)
    return origin === "program" ? price : price + (origin === "library" ? library : ownFrames)
  }
}

/** The names of properties that test runners add to the global object. */
export const runnerName = /^__(?:vitest|vite|jest|tinypool)/

const priceOfRoot = (name: string): number =>
  name === "(Stack roots)" || name === "(Handle scope)" || name === "(Micro tasks)" ? ownFrames : engineRoot

const pathTo = (snapshot: HeapSnapshot, target: number, incoming: Uint32Array): ReadonlyArray<Step> => {
  const path: Array<Step> = []
  for (let to = target; to !== 0;) {
    const edge = incoming[to]! - 1
    const from = nodeOf(snapshot, edge)
    path.push({ from, edge, to })
    to = from
  }
  return path.reverse()
}

/** Returns the node that has an edge. O(log nodes). */
const nodeOf = (snapshot: HeapSnapshot, edge: number): number => {
  let low = 0
  let high = snapshot.nodeCount
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (snapshot.firstEdge(middle) <= edge) low = middle
    else high = middle - 1
  }
  return low
}
