/**
 * Parses V8's heap snapshot into typed arrays. The snapshot of a heap of 100 MB is about
 * 100 MB of JSON. So `Parser` reads the numbers from each chunk that V8 emits, and never
 * holds the whole text.
 */

/** The offsets of fields in a node, an edge or a location. The header of the snapshot declares them. */
interface Layout {
  readonly nodeSize: number
  readonly nodeType: number
  readonly nodeName: number
  readonly nodeId: number
  readonly nodeEdgeCount: number
  readonly edgeSize: number
  readonly edgeType: number
  readonly edgeName: number
  readonly edgeTo: number
  readonly locationSize: number
  readonly locationLine: number
  readonly locationColumn: number
}

interface Header {
  readonly snapshot: {
    readonly node_count: number
    readonly edge_count: number
    readonly meta: {
      readonly node_fields: ReadonlyArray<string>
      readonly node_types: readonly [ReadonlyArray<string>, ...ReadonlyArray<unknown>]
      readonly edge_fields: ReadonlyArray<string>
      readonly edge_types: readonly [ReadonlyArray<string>, ...ReadonlyArray<unknown>]
      readonly location_fields?: ReadonlyArray<string>
    }
  }
}

/** A position in a script. Line and column count from 0. */
export interface Location {
  readonly line: number
  readonly column: number
}

/** Nodes and edges are numbered from 0. The root of the graph is node 0. */
export class HeapSnapshot {
  readonly nodeCount: number
  readonly #layout: Layout
  readonly #nodeTypes: ReadonlyArray<string>
  readonly #edgeTypes: ReadonlyArray<string>
  readonly #nodes: Uint32Array
  readonly #edges: Uint32Array
  readonly #firstEdge: Uint32Array
  readonly #locations: ReadonlyArray<number>
  readonly #strings: ReadonlyArray<string>

  constructor(
    header: Header,
    nodes: Uint32Array,
    edges: Uint32Array,
    locations: ReadonlyArray<number>,
    strings: ReadonlyArray<string>
  ) {
    const { meta, node_count } = header.snapshot
    this.nodeCount = node_count
    this.#layout = layoutOf(meta)
    this.#nodeTypes = meta.node_types[0]
    this.#edgeTypes = meta.edge_types[0]
    this.#nodes = nodes
    this.#edges = edges
    this.#locations = locations
    this.#strings = strings
    this.#firstEdge = new Uint32Array(node_count + 1)
    const { nodeEdgeCount, nodeSize } = this.#layout
    for (let node = 0; node < node_count; node++) {
      this.#firstEdge[node + 1] = this.#firstEdge[node]! + nodes[node * nodeSize + nodeEdgeCount]!
    }
  }

  typeOf(node: number): string {
    return this.#nodeTypes[this.#nodes[node * this.#layout.nodeSize + this.#layout.nodeType]!]!
  }

  nameOf(node: number): string {
    return this.#strings[this.#nodes[node * this.#layout.nodeSize + this.#layout.nodeName]!]!
  }

  /** Returns the id of the object in V8's heap profiler. */
  idOf(node: number): number {
    return this.#nodes[node * this.#layout.nodeSize + this.#layout.nodeId]!
  }

  /** Returns the node with an id. O(nodes). */
  find(id: number): number | undefined {
    for (let node = 0; node < this.nodeCount; node++) {
      if (this.idOf(node) === id) return node
    }
    return undefined
  }

  /** Returns the first edge of a node. The last edge of the node is `firstEdge(node + 1) - 1`. */
  firstEdge(node: number): number {
    return this.#firstEdge[node]!
  }

  edgeTypeOf(edge: number): string {
    return this.#edgeTypes[this.#edges[edge * this.#layout.edgeSize + this.#layout.edgeType]!]!
  }

  /** Returns the number of an edge type, or -1 if the snapshot does not have the type. */
  edgeType(name: string): number {
    return this.#edgeTypes.indexOf(name)
  }

  /** Returns the edge type as a number. Faster than `edgeTypeOf`, for loops over all edges. */
  edgeTypeNumberOf(edge: number): number {
    return this.#edges[edge * this.#layout.edgeSize + this.#layout.edgeType]!
  }

  /** Returns the indexes of the strings that satisfy a predicate. */
  stringsThat(predicate: (string: string) => boolean): Set<number> {
    const indexes = new Set<number>()
    this.#strings.forEach((string, index) => {
      if (predicate(string)) indexes.add(index)
    })
    return indexes
  }

  /** Returns an index: of an element, of a hidden field, or of the name of the edge, for `string`. */
  edgeIndexOf(edge: number): number {
    return this.#edges[edge * this.#layout.edgeSize + this.#layout.edgeName]!
  }

  edgeNameOf(edge: number): string {
    const type = this.edgeTypeOf(edge)
    const index = this.edgeIndexOf(edge)
    return type === "element" || type === "hidden" ? String(index) : this.string(index)
  }

  targetOf(edge: number): number {
    return this.#edges[edge * this.#layout.edgeSize + this.#layout.edgeTo]! / this.#layout.nodeSize
  }

  string(index: number): string {
    return this.#strings[index]!
  }

  /** Returns the target of the first edge with a type and a name. */
  follow(node: number, type: string, name: string): number | undefined {
    for (let edge = this.firstEdge(node); edge < this.firstEdge(node + 1); edge++) {
      if (this.edgeTypeOf(edge) === type && this.edgeNameOf(edge) === name) return this.targetOf(edge)
    }
    return undefined
  }

  /** Returns the start of a function, or of a generator's function. O(locations). */
  locationOf(node: number): Location | undefined {
    const index = node * this.#layout.nodeSize
    for (let at = 0; at < this.#locations.length; at += this.#layout.locationSize) {
      if (this.#locations[at] === index) {
        const { locationColumn, locationLine } = this.#layout
        return { line: this.#locations[at + locationLine]!, column: this.#locations[at + locationColumn]! }
      }
    }
    return undefined
  }
}

const layoutOf = (meta: Header["snapshot"]["meta"]): Layout => {
  const at = (fields: ReadonlyArray<string>, name: string): number => {
    const index = fields.indexOf(name)
    if (index === -1) throw new Error(`The heap snapshot has no field "${name}"`)
    return index
  }
  const locationFields = meta.location_fields ?? ["object_index", "script_id", "line", "column"]
  return {
    nodeSize: meta.node_fields.length,
    nodeType: at(meta.node_fields, "type"),
    nodeName: at(meta.node_fields, "name"),
    nodeId: at(meta.node_fields, "id"),
    nodeEdgeCount: at(meta.node_fields, "edge_count"),
    edgeSize: meta.edge_fields.length,
    edgeType: at(meta.edge_fields, "type"),
    edgeName: at(meta.edge_fields, "name_or_index"),
    edgeTo: at(meta.edge_fields, "to_node"),
    locationSize: locationFields.length,
    locationLine: at(locationFields, "line"),
    locationColumn: at(locationFields, "column")
  }
}

const zero = 48
const nine = 57
const closingBracket = 93
/** Longer than every key that `Parser` looks for, so that `Parser` finds a key that spans two chunks. */
const overlap = 32

/** Builds a `HeapSnapshot` from the chunks of a snapshot, in order. */
export class Parser {
  #reading: "header" | "numbers" | "key" | "strings" = "header"
  #text = ""
  #stringChunks: Array<string> = []
  #header: Header | undefined
  #nodes = new Uint32Array(0)
  #edges = new Uint32Array(0)
  readonly #locations: Array<number> = []
  #numbers: Uint32Array | Array<number> = this.#nodes
  #count = 0
  #number = 0
  #inNumber = false

  push(chunk: string): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#reading === "numbers") {
        rest = this.#pushNumbers(rest)
      } else if (this.#reading === "strings") {
        this.#stringChunks.push(rest)
        return
      } else {
        rest = this.#pushText(rest)
      }
    }
  }

  end(): HeapSnapshot {
    if (this.#header === undefined || this.#reading !== "strings") {
      throw new Error("The heap snapshot ended early")
    }
    const text = this.#stringChunks.join("")
    const strings: ReadonlyArray<string> = JSON.parse(`[${text.slice(0, text.lastIndexOf("}"))}`)
    return new HeapSnapshot(this.#header, this.#nodes, this.#edges, this.#locations, strings)
  }

  /** Looks for the next key. Returns the text after the opening bracket of the key's array. */
  #pushText(chunk: string): string {
    this.#text += chunk
    const match = /"(nodes|edges|locations|strings)":\s*\[/.exec(this.#text)
    if (match === null) {
      // Keep the whole header. Between two arrays, keep only as much as a key needs.
      if (this.#reading === "key") this.#text = this.#text.slice(-overlap)
      return ""
    }
    const rest = this.#text.slice(match.index + match[0].length)
    if (match[1] === "nodes") this.#readHeader(this.#text.slice(0, match.index))
    this.#text = ""
    this.#reading = match[1] === "strings" ? "strings" : "numbers"
    this.#numbers = match[1] === "nodes" ? this.#nodes : match[1] === "edges" ? this.#edges : this.#locations
    this.#count = 0
    return rest
  }

  #readHeader(text: string): void {
    const header: Header = JSON.parse(`${text.slice(0, text.lastIndexOf(","))}}`)
    const { edge_count, meta, node_count } = header.snapshot
    this.#header = header
    this.#nodes = new Uint32Array(node_count * meta.node_fields.length)
    this.#edges = new Uint32Array(edge_count * meta.edge_fields.length)
  }

  /** Reads numbers up to the closing bracket. Returns the text after the bracket. A number can span two chunks. */
  #pushNumbers(chunk: string): string {
    const numbers = this.#numbers
    let count = this.#count
    let number = this.#number
    let inNumber = this.#inNumber
    let at = 0
    let code = 0
    for (; at < chunk.length; at++) {
      code = chunk.charCodeAt(at)
      if (code >= zero && code <= nine) {
        number = number * 10 + code - zero
        inNumber = true
      } else {
        if (inNumber) {
          numbers[count++] = number
          number = 0
          inNumber = false
        }
        if (code === closingBracket) {
          this.#reading = "key"
          at++
          break
        }
      }
    }
    this.#count = count
    this.#number = number
    this.#inNumber = inNumber
    return chunk.slice(at)
  }
}
