/** Snapshots made by hand, because a real heap cannot show every case. `test/testing/LeakDetector.test.ts` uses real ones. */
import { assert, describe, it } from "@effect/vitest"
import { type HeapSnapshot, Parser } from "../../../src/internal/testing/heapSnapshot.ts"
import * as RetainingPath from "../../../src/internal/testing/retainingPath.ts"
import {
  closure,
  element,
  heapOf,
  hidden,
  internal,
  type Node,
  node,
  object,
  property,
  root,
  snapshotOf,
  variable
} from "../../support/heapGraph.ts"

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

  it("follows a hidden edge by its index, and tells a missing type or name from others", () => {
    const snapshot = parse(snapshotText({
      root: [["hidden", 1, "a"], ["hidden", 12, "b"], ["weak", "x", "a"], ["property", "x", "b"], [
        "property",
        "x",
        "a"
      ]],
      a: [],
      b: []
    }))
    assert.strictEqual(snapshot.follow(0, "hidden", "12"), 2)
    assert.strictEqual(snapshot.follow(0, "hidden", "2"), undefined)
    assert.strictEqual(snapshot.follow(0, "property", "x"), 2)
    assert.strictEqual(snapshot.edgeWith(0, "property", "x"), 3)
    assert.strictEqual(snapshot.edgeWith(0, "property", "nowhere"), undefined)
    assert.strictEqual(snapshot.edgeWith(0, "nothing", "x"), undefined)
    assert.strictEqual(snapshot.edgeType("nothing"), -1)
    assert.strictEqual(snapshot.nodeType("nothing"), -1)
    assert.strictEqual(snapshot.edgeNameOf(1), "12")
  })

  it("throws if the snapshot ends early", () => {
    const text = snapshotText(graph)
    for (const key of ["\"nodes\"", "\"edges\"", "\"locations\"", "\"strings\""]) {
      for (const end of [text.indexOf(key), text.indexOf(key) + key.length]) {
        const parser = new Parser()
        parser.push(text.slice(0, end))
        assert.throws(() => parser.end(), "The heap snapshot ended early")
      }
    }
    assert.throws(() => new Parser().end(), "The heap snapshot ended early")
  })

  const meta = {
    node_fields: ["type", "name", "id", "edge_count"],
    node_types: [nodeTypes],
    edge_fields: ["type", "name_or_index", "to_node"],
    edge_types: [edgeTypes],
    location_fields: ["object_index", "script_id", "line", "column"] as ReadonlyArray<string> | undefined
  }
  /** Two nodes. The first has an edge to the second, which is a function. */
  const described = (
    change: Partial<typeof meta>,
    nodes: ReadonlyArray<number>,
    edges: ReadonlyArray<number>
  ): string =>
    JSON.stringify({
      snapshot: { meta: { ...meta, ...change }, node_count: 2, edge_count: 1 },
      nodes,
      edges,
      locations: [nodes.length / 2, 7, 41, 3],
      strings: ["root", "a", "next"]
    })

  it("reads the fields in the order that the snapshot describes, and skips those that it does not know", () => {
    const snapshot = parse(described(
      {
        node_fields: ["id", "new", "edge_count", "name", "type"],
        edge_fields: ["to_node", "new", "name_or_index", "type"]
      },
      [1, 98, 1, 0, nodeTypes.indexOf("synthetic"), 3, 98, 0, 1, nodeTypes.indexOf("closure")],
      [5, 99, 2, edgeTypes.indexOf("property")]
    ))
    assert.deepStrictEqual([0, 1].map((node) => snapshot.nameOf(node)), ["root", "a"])
    assert.deepStrictEqual([0, 1].map((node) => snapshot.typeOf(node)), ["synthetic", "closure"])
    assert.deepStrictEqual([0, 1].map((node) => snapshot.idOf(node)), [1, 3])
    assert.deepStrictEqual([0, 1].map((node) => snapshot.nameIndexOf(node)), [0, 1])
    assert.strictEqual(snapshot.follow(0, "property", "next"), 1)
    assert.deepStrictEqual(snapshot.locationOf(1), { line: 41, column: 3 })
  })

  it("reads the places of functions from a snapshot that does not describe them", () => {
    const snapshot = parse(described({ location_fields: undefined }, [9, 0, 1, 1, 5, 1, 3, 0], [2, 2, 4]))
    assert.deepStrictEqual(snapshot.locationOf(1), { line: 41, column: 3 })
    assert.strictEqual(snapshot.locationOf(0), undefined)
  })

  for (const section of ["node_fields", "edge_fields", "location_fields"] as const) {
    for (const field of meta[section]!.filter((field) => field !== "script_id")) {
      it(`says that a snapshot lacks the field ${field} in ${section}`, () =>
        assert.throws(
          () => parse(described({ [section]: meta[section]!.filter((other) => other !== field) }, [], [])),
          `The heap snapshot has no field "${field}"`
        ))
    }
  }

  it("reads many strings, and long ones up to a limit", () => {
    const names = Array.from({ length: 5000 }, (_, index) => `name ${index} of a long list`)
    const lengths = [1023, 1024, 1025, 1026]
    const end = object("end")
    const snapshot = snapshotOf(heapOf(root(
      ...names.map((name) => property(name, end)),
      ...lengths.map((length) => property("y".repeat(length), end))
    )))
    assert.deepStrictEqual(names.map((_, edge) => snapshot.edgeNameOf(edge)), names)
    assert.deepStrictEqual(
      lengths.map((_, edge) => snapshot.edgeNameOf(names.length + edge)),
      ["y".repeat(1023), "y".repeat(1024), `${"y".repeat(1024)}…`, `${"y".repeat(1024)}…`]
    )
    assert.strictEqual(snapshot.indexOfString("name 4999 of a long list"), snapshot.edgeIndexOf(4999))
    assert.strictEqual(snapshot.indexOfString("name 4999 of a long list"), snapshot.edgeIndexOf(4999))
  })

  it("reads the first string as it reads the others", () => {
    const text = described({}, [9, 0, 1, 1, 5, 1, 3, 0], [2, 2, 4])
    const snapshot = parse(text)
    assert.strictEqual(snapshot.indexOfString("root"), 0)
    assert.strictEqual(snapshot.indexOfString("next"), 2)
    assert.deepStrictEqual([...snapshot.stringsThat(() => true, "ran")], [0, 1, 2])
    assert.strictEqual(parse(text.replace("root", "z".repeat(1025))).string(0), `${"z".repeat(1024)}…`)
    assert.strictEqual(parse(text.replace("root", "z".repeat(1024))).string(0), "z".repeat(1024))
    // An empty string begins with no character.
    assert.deepStrictEqual([...parse(text.replace("root", "")).stringsThat(() => true, "an")], [1, 2])
  })

  it("reads a snapshot with spaces between its numbers", () => {
    const text = JSON.stringify(JSON.parse(described({}, [9, 0, 1, 1, 5, 1, 3, 0], [2, 2, 4])), null, 1)
    for (const size of [1, 7, text.length]) {
      const snapshot = parse(text, size)
      assert.deepStrictEqual([0, 1].map((node) => snapshot.nameOf(node)), ["root", "a"])
      assert.strictEqual(snapshot.follow(0, "property", "next"), 1)
      assert.deepStrictEqual(snapshot.edgesOf(0), [0])
      assert.deepStrictEqual(snapshot.edgesOf(1), [])
      assert.deepStrictEqual(snapshot.locationOf(1), { line: 41, column: 3 })
    }
  })

  it("reads every escape of JSON", () => {
    const escapes = "\"\\/\b\f\n\r\t\u0000\u001f\ud83d\ude00"
    const text = snapshotText({ root: [["property", "KEY", "root"], ["property", "after", "root"]] })
    const snapshot = parse(text.replace("KEY", `${JSON.stringify(escapes).slice(1, -1)}\\/\\u00e9`))
    assert.strictEqual(snapshot.edgeNameOf(0), `${escapes}/é`)
    assert.strictEqual(snapshot.edgeNameOf(1), "after")
  })

  it("finds strings by their first character", () => {
    const snapshot = parse(
      snapshotText({ root: ["b", "ab", "ba", "cb"].map((name): Edge => ["property", name, "root"]) })
    )
    const found = (first: string) =>
      [...snapshot.stringsThat((string) => string.includes("b"), first)].map((index) => snapshot.string(index))
    assert.deepStrictEqual(found("a"), ["ab"])
    assert.deepStrictEqual(found("bc"), ["b", "ba", "cb"])
    assert.deepStrictEqual(found(""), [])
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

  describe("prefers an edge to a longer path of properties, if the path has at least this length:", () => {
    const value = object("Session")
    const src = new URL("../../../src", import.meta.url).pathname
    const through = (place: string) => (to: Node) => object("A", property("f", closure("f", place, property("a", to))))
    const rows: ReadonlyArray<readonly [name: string, length: number, holder: (to: Node) => Node, target?: Node]> = [
      ["a property", 1, (to) => object("A", property("a", to))],
      ["an element", 1, (to) => object("A", element(1, to))],
      ["a variable", 1, (to) => object("A", variable("a", to))],
      ["a hidden field", 2, (to) => object("A", hidden(1, to))],
      ["a part of the engine", 2, (to) => object("A", internal("a", to))],
      ["a prototype", 6, (to) => object("A", property("__proto__", to))],
      ["a global of a test runner", 100, (to) => object("A", property("__jest_a", to))],
      ["a list of properties", 200, (to) => object("A", internal("properties", to))],
      ...["map", "feedback_cell", "code", "shared", "native_context", "initial_map"].map((name) =>
        [`metadata: ${name}`, 40, (to: Node) => object("A", internal(name, to))] as const
      ),
      ["a root of the engine", 20, (to) => node("synthetic", "A", element(1, to))],
      ...["(Stack roots)", "(Handle scope)", "(Micro tasks)"].map((name) =>
        [
          `the root ${name}`,
          400,
          (to: Node) => node("synthetic", "A", element(1, to)),
          node("synthetic", name)
        ] as const
      ),
      ["a function of the program", 2, through("file:///app/main.ts:1:1")],
      ["a function of a library", 32, through("node:timers:1:1")],
      ["a function of the engine", 32, through("")],
      ["a function of the detector", 402, through(`file://${src}/internal/testing/scripts.ts:1:1`)]
    ]
    /** Whether the search takes the edge, and not a path of `length` properties from the same holder. */
    const takes = (holder: Node, target: Node, length: number): boolean => {
      let path = property("path", target)
      for (let left = length; left > 1; left--) path = property("path", object("B", path))
      const heap = heapOf(root(element(1, { ...holder, edges: [...holder.edges, path] })))
      const snapshot = snapshotOf(heap)
      const [found] = RetainingPath.findAll(snapshot, [heap.nodes.indexOf(target)])
      return snapshot.edgeNameOf(found![1]!.edge) !== "path"
    }
    for (const [name, length, holder, target = value] of rows) {
      it(`${name}: ${length}`, () => {
        assert.isTrue(takes(holder(target), target, length))
        if (length > 1) assert.isFalse(takes(holder(target), target, length - 1))
      })
    }

    it("follows the shortcuts of the root, and no others", () => {
      assert.strictEqual(pathIn({ root: [["shortcut", "a", "a"]], a: [["shortcut", "b", "b"]], b: [] }, "a"), "root.a")
      assert.isUndefined(pathIn({ root: [["shortcut", "a", "a"]], a: [["shortcut", "b", "b"]], b: [] }, "b"))
    })
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

    it("from each of several keys that are reached before the map", () => {
      const pair = (key: number, value: number) =>
        `1 / part of key (Object @${key}) -> value (Object @${value}) pair in WeakMap (table @13)`
      const [first, second] = [pair(3, 5), pair(7, 9)]
      const graph = {
        root: [["element", 1, "a"], ["element", 2, "b"], ["element", 3, "map"]],
        a: [["internal", first, "of a"]],
        "of a": [],
        b: [["internal", second, "of b"]],
        "of b": [],
        map: [["property", "table", "table"]],
        table: []
      } satisfies Record<string, ReadonlyArray<Edge>>
      assert.strictEqual(pathIn(graph, "of a"), `root.1 a.${first}`)
      assert.strictEqual(pathIn(graph, "of b"), `root.2 b.${second}`)
    })

    it("and takes no element for such an entry, even if its index is that of the string", () => {
      const list = Array.from({ length: 20 }, (_, index): Edge => ["element", index + 15, `value ${index}`])
      const graph: Record<string, ReadonlyArray<Edge>> = {
        root: [["element", 1, "list"]],
        list,
        ...Object.fromEntries(list.map(([, , name]) => [name, []])),
        unreachable: [["internal", entry.replace("@5", "@999"), "unreachable"]]
      }
      for (const [, index, name] of list) assert.strictEqual(pathIn(graph, name), `root.1 list.${index}`)
    })

    it("not if the map is unreachable", () => {
      assert.strictEqual(pathIn(graph([["element", 1, "key"]]), "value"), undefined)
    })

    it("not if the key is unreachable", () => {
      assert.strictEqual(pathIn(graph([["element", 1, "map"]]), "value"), undefined)
    })
  })
})
