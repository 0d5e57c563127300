/** Snapshots made by hand, because a real heap cannot show every case. `test/testing/LeakDetector.test.ts` uses real ones. */
import { assert, describe, it } from "@effect/vitest"
import { type HeapSnapshot, Parser } from "../../../src/internal/testing/heapSnapshot.ts"
import * as RetainingPath from "../../../src/internal/testing/retainingPath.ts"

const nodeTypes = ["hidden", "array", "string", "object", "code", "closure", "synthetic"]
const edgeTypes = ["context", "element", "property", "internal", "hidden", "shortcut", "weak"]

type Edge = readonly [type: string, name: string | number, to: string]

/** The nodes by name, each with its edges. The first node is the root, and the number of a node is its place times 2 plus 1. */
const snapshotText = (graph: Record<string, ReadonlyArray<Edge>>): string => {
  const names = Object.keys(graph)
  const strings = ["", ...names]
  const indexOf = (string: string): number => {
    if (!strings.includes(string)) strings.push(string)
    return strings.indexOf(string)
  }
  const nodeSize = 6
  const nodes = names.flatMap((name, index) => {
    const type = index === 0 || name.startsWith("(") ? "synthetic" : "object"
    return [nodeTypes.indexOf(type), indexOf(name), index * 2 + 1, 16, graph[name]!.length, 0]
  })
  const edges = names.flatMap((name) =>
    graph[name]!.flatMap(([type, edge, to]) => [
      edgeTypes.indexOf(type),
      typeof edge === "number" ? edge : indexOf(edge),
      names.indexOf(to) * nodeSize
    ])
  )
  const meta = {
    node_fields: ["type", "name", "id", "self_size", "edge_count", "detachedness"],
    node_types: [nodeTypes, "string", "number", "number", "number", "number"],
    edge_fields: ["type", "name_or_index", "to_node"],
    edge_types: [edgeTypes, "string_or_number", "node"],
    location_fields: ["object_index", "script_id", "line", "column"]
  }
  const snapshot = { meta, node_count: names.length, edge_count: edges.length / 3, trace_function_count: 0 }
  const list = (numbers: ReadonlyArray<number>) => `[${numbers.join(",")}]`
  return `{"snapshot":${JSON.stringify(snapshot)},\n"nodes":${list(nodes)},\n"edges":${list(edges)},\n` +
    `"trace_function_infos":[],\n"trace_tree":[1,[2]],\n"samples":[],\n"locations":[${nodeSize},7,41,3],\n` +
    `"strings":${JSON.stringify(strings)}}`
}

const parse = (text: string, chunkSize = text.length): HeapSnapshot => {
  const parser = new Parser()
  for (let at = 0; at < text.length; at += chunkSize) parser.push(text.slice(at, at + chunkSize))
  return parser.end()
}

const pathIn = (graph: Record<string, ReadonlyArray<Edge>>, target: string): string | undefined => {
  const snapshot = parse(snapshotText(graph))
  const [path] = RetainingPath.findAll(snapshot, [Object.keys(graph).indexOf(target)])
  return path?.map(({ edge, from }) => `${snapshot.nameOf(from)}.${snapshot.edgeNameOf(edge)}`).join(" ")
}

describe("Parser", () => {
  const graph = {
    root: [["element", 1, "first"], ["shortcut", "\"nodes\":[ \\ é", "second"]],
    first: [["property", "next", "second"], ["element", 12345, "root"]],
    second: []
  } satisfies Record<string, ReadonlyArray<Edge>>

  it("reads the same snapshot from chunks of every size", () => {
    const text = snapshotText(graph)
    for (let size = 1; size <= text.length; size++) {
      const snapshot = parse(text, size)
      assert.strictEqual(snapshot.nodeCount, 3)
      assert.deepStrictEqual([0, 1, 2].map((node) => snapshot.nameOf(node)), ["root", "first", "second"])
      assert.deepStrictEqual([0, 1, 2].map((node) => snapshot.typeOf(node)), ["synthetic", "object", "object"])
      assert.deepStrictEqual([0, 1, 2, 3].map((node) => snapshot.firstEdge(node)), [0, 2, 4, 4])
      assert.deepStrictEqual([0, 1, 2, 3].map((edge) => snapshot.targetOf(edge)), [1, 2, 2, 0])
      assert.deepStrictEqual(
        [0, 1, 2, 3].map((edge) => snapshot.edgeNameOf(edge)),
        ["1", "\"nodes\":[ \\ é", "next", "12345"]
      )
      assert.deepStrictEqual(snapshot.locationOf(1), { line: 41, column: 3 })
      assert.strictEqual(snapshot.locationOf(2), undefined)
      assert.strictEqual(snapshot.idOf(2), 5)
    }
  })

  it("cuts a long string, and reads the ones after it", () => {
    const long = "x".repeat(3000)
    const snapshot = parse(snapshotText({ root: [["property", long, "é\n\"\\"]], "é\n\"\\": [] }), 100)
    assert.strictEqual(snapshot.edgeNameOf(0), `${"x".repeat(1024)}…`)
    assert.strictEqual(snapshot.nameOf(1), "é\n\"\\")
    assert.strictEqual(snapshot.indexOfString("é\n\"\\"), 2)
    assert.strictEqual(snapshot.indexOfString("nowhere"), -1)
    assert.deepStrictEqual(snapshot.stringsThat((string) => string.length > 100, "x").size, 1)
  })

  it("follows the edge with a type and a name", () => {
    const snapshot = parse(snapshotText(graph))
    assert.strictEqual(snapshot.follow(1, "property", "next"), 2)
    assert.strictEqual(snapshot.follow(1, "element", "12345"), 0)
    assert.strictEqual(snapshot.follow(1, "internal", "next"), undefined)
    assert.strictEqual(snapshot.follow(2, "property", "next"), undefined)
  })

  it("throws if the snapshot ends early", () => {
    const text = snapshotText(graph)
    const parser = new Parser()
    parser.push(text.slice(0, text.indexOf("\"edges\"")))
    assert.throws(() => parser.end(), /ended early/)
  })
})

describe("RetainingPath", () => {
  it("follows strong edges, and no weak edge", () => {
    const graph = {
      root: [["element", 1, "weak holder"], ["element", 2, "a"]],
      "weak holder": [["weak", "target", "value"]],
      a: [["property", "b", "b"]],
      b: [["property", "c", "value"]],
      value: []
    } satisfies Record<string, ReadonlyArray<Edge>>
    assert.strictEqual(pathIn(graph, "value"), "root.2 a.b b.c")
  })

  it("finds no path if all are weak", () => {
    assert.strictEqual(
      pathIn({ root: [["element", 1, "ref"]], ref: [["weak", "target", "value"]], value: [] }, "value"),
      undefined
    )
  })

  it("takes the short path", () => {
    const graph = {
      root: [["element", 1, "a"], ["element", 2, "c"]],
      a: [["property", "b", "b"]],
      b: [["property", "value", "value"]],
      c: [["property", "value", "value"]],
      value: []
    } satisfies Record<string, ReadonlyArray<Edge>>
    assert.strictEqual(pathIn(graph, "value"), "root.2 c.value")
  })

  it("prefers a longer path through the program's objects to one through the stack", () => {
    const graph = {
      root: [["element", 1, "(Stack roots)"], ["element", 2, "a"]],
      "(Stack roots)": [["element", 1, "value"]],
      a: [["property", "b", "b"]],
      b: [["property", "value", "value"]],
      value: []
    } satisfies Record<string, ReadonlyArray<Edge>>
    assert.strictEqual(pathIn(graph, "value"), "root.2 a.b b.value")
  })

  it("finds the paths to several values at once", () => {
    const graph = {
      root: [["element", 1, "a"]],
      a: [["property", "b", "b"], ["property", "c", "c"]],
      b: [],
      c: [],
      unreachable: []
    } satisfies Record<string, ReadonlyArray<Edge>>
    const paths = RetainingPath.findAll(parse(snapshotText(graph)), [3, 4, 2])
    assert.deepStrictEqual(paths.map((path) => path?.map(({ to }) => to)), [[1, 3], undefined, [1, 2]])
  })

  it("prefers a longer path to one through a prototype, metadata, or a global of a test runner", () => {
    for (const edge of [["property", "__proto__"], ["internal", "map"], ["property", "__vitest_worker__"]] as const) {
      const graph = {
        root: [["element", 1, "a"]],
        a: [[...edge, "value"], ["property", "b", "b"]],
        b: [["property", "c", "c"]],
        c: [["property", "value", "value"]],
        value: []
      } satisfies Record<string, ReadonlyArray<Edge>>
      assert.strictEqual(pathIn(graph, "value"), "root.1 a.b b.c c.value")
    }
  })

  describe("follows an entry of a WeakMap", () => {
    // The numbers are those that `snapshotText` assigns: root 1, map 3, table 5, key 7, value 9.
    const entry = "1 / part of key (Object @7) -> value (Object @9) pair in WeakMap (table @5)"
    const graph = (roots: ReadonlyArray<Edge>): Record<string, ReadonlyArray<Edge>> => ({
      root: roots,
      map: [["internal", "table", "table"]],
      table: [["internal", entry, "value"], ["weak", "key", "key"]],
      key: [["internal", entry, "value"]],
      value: []
    })

    it("from the key, if the map is reached first", () => {
      const roots: ReadonlyArray<Edge> = [["element", 1, "map"], ["internal", "2", "key"]]
      assert.strictEqual(pathIn(graph(roots), "value"), `root.2 key.${entry}`)
    })

    it("from the key, if the key is reached first", () => {
      const roots: ReadonlyArray<Edge> = [["element", 1, "key"], ["internal", "2", "map"]]
      assert.strictEqual(pathIn(graph(roots), "value"), `root.1 key.${entry}`)
    })

    it("not if the map is unreachable", () => {
      assert.strictEqual(pathIn(graph([["element", 1, "key"]]), "value"), undefined)
    })

    it("not if the key is unreachable", () => {
      assert.strictEqual(pathIn(graph([["element", 1, "map"]]), "value"), undefined)
    })
  })
})
