/**
 * Parses V8's heap snapshot into typed arrays. The snapshot of a heap of 100 MB is about 150 MB of JSON, so `Parser` reads
 * each chunk as V8 emits it and keeps only the fields that a search needs: 13 bytes for a node and 9 for an edge.
 */

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
  readonly #nodeTypes: ReadonlyArray<string>
  readonly #edgeTypes: ReadonlyArray<string>
  readonly #columns: Columns
  readonly #strings: Strings
  readonly #indexes = new Map<string, number>()

  constructor(header: Header, columns: Columns, strings: Strings) {
    const { meta, node_count } = header.snapshot
    this.nodeCount = node_count
    this.#nodeTypes = meta.node_types[0]
    this.#edgeTypes = meta.edge_types[0]
    this.#columns = columns
    this.#strings = strings
  }

  typeOf(node: number): string {
    return this.#nodeTypes[this.#columns.nodeType[node]!]!
  }

  /** Returns the number of a node type, or -1 if the snapshot does not have the type. */
  nodeType(name: string): number {
    return this.#nodeTypes.indexOf(name)
  }

  /** Returns the node type as a number. Faster than `typeOf`, for loops over all nodes. */
  nodeTypeNumberOf(node: number): number {
    return this.#columns.nodeType[node]!
  }

  nameOf(node: number): string {
    return this.string(this.#columns.nodeName[node]!)
  }

  /** Returns the name of a node as the index of a string. */
  nameIndexOf(node: number): number {
    return this.#columns.nodeName[node]!
  }

  /** Returns the id of the object in V8's heap profiler. */
  idOf(node: number): number {
    return this.#columns.nodeId[node]!
  }

  /** Returns the first edge of a node. The last edge of the node is `firstEdge(node + 1) - 1`. */
  firstEdge(node: number): number {
    return this.#columns.firstEdge[node]!
  }

  edgeTypeOf(edge: number): string {
    return this.#edgeTypes[this.#columns.edgeType[edge]!]!
  }

  /** Returns the number of an edge type, or -1 if the snapshot does not have the type. */
  edgeType(name: string): number {
    return this.#edgeTypes.indexOf(name)
  }

  /** Returns the edge type as a number. Faster than `edgeTypeOf`, for loops over all edges. */
  edgeTypeNumberOf(edge: number): number {
    return this.#columns.edgeType[edge]!
  }

  /** Returns an index: of an element, of a hidden field, or of the name of the edge, for `string`. */
  edgeIndexOf(edge: number): number {
    return this.#columns.edgeName[edge]!
  }

  edgeNameOf(edge: number): string {
    const type = this.edgeTypeOf(edge)
    const index = this.edgeIndexOf(edge)
    return type === "element" || type === "hidden" ? String(index) : this.string(index)
  }

  targetOf(edge: number): number {
    return this.#columns.edgeTo[edge]!
  }

  /** Returns the string with an index. A long string ends with an ellipsis. */
  string(index: number): string {
    return this.#strings.get(index)
  }

  /** Returns the index of a string, or -1. O(strings) for the first call with a string. */
  indexOfString(string: string): number {
    let index = this.#indexes.get(string)
    if (index === undefined) this.#indexes.set(string, index = this.#strings.indexOf(string))
    return index
  }

  /** Returns the indexes of the strings that satisfy a predicate and begin with one of some characters. */
  stringsThat(predicate: (string: string) => boolean, first: string): Set<number> {
    return this.#strings.that(predicate, first)
  }

  /** Returns the edges of a node. `firstEdge` is faster, for loops over all nodes. */
  edgesOf(node: number): ReadonlyArray<number> {
    const first = this.firstEdge(node)
    return Array.from({ length: this.firstEdge(node + 1) - first }, (_, index) => first + index)
  }

  /** Returns the target of the first edge with a type and a name. There is none without a node. */
  follow(node: number | undefined, type: string, name: string): number | undefined {
    const edge = node === undefined ? undefined : this.edgeWith(node, type, name)
    return edge === undefined ? undefined : this.targetOf(edge)
  }

  /** Returns the first edge with a type and a name. */
  edgeWith(node: number, type: string, name: string): number | undefined {
    const typeNumber = this.edgeType(type)
    const index = type === "element" || type === "hidden" ? Number(name) : this.indexOfString(name)
    const { edgeName, edgeType, firstEdge } = this.#columns
    for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++) {
      if (edgeName[edge] === index && edgeType[edge] === typeNumber) return edge
    }
    return undefined
  }

  /** Returns the start of a function, or of a generator's function. O(locations). */
  locationOf(node: number): Location | undefined {
    const { locations } = this.#columns
    for (let at = 0; at < locations.length; at += 3) {
      if (locations[at] === node) return { line: locations[at + 1]!, column: locations[at + 2]! }
    }
    return undefined
  }
}

/** The fields of nodes and edges, one array for each field. */
interface Columns {
  readonly nodeType: Uint8Array
  readonly nodeName: Uint32Array
  readonly nodeId: Uint32Array
  readonly firstEdge: Uint32Array
  readonly edgeType: Uint8Array
  readonly edgeName: Uint32Array
  readonly edgeTo: Uint32Array
  /** Three numbers for each function: its node, line and column. */
  readonly locations: Array<number>
}

/** Longer strings are cut, because a heap can hold more text than a string of the engine can. */
const maxLength = 1024

/** Reads a list of JSON strings from chunks, into one buffer of character codes. */
class Strings {
  #codes = new Uint16Array(1 << 16)
  #ends = new Uint32Array(1 << 12)
  #length = 0
  #count = 0
  #start = 0
  #inString = false
  #escape = ""

  push(chunk: string): void {
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at)
      if (!this.#inString) this.#inString = code === quote
      else if (this.#escape !== "") this.#pushEscaped(chunk[at]!)
      else if (code === backslash) this.#escape = "\\"
      else if (code === quote) this.#end()
      else this.#add(code)
    }
  }

  get(index: number): string {
    return String.fromCharCode(...this.#codes.subarray(this.#startOf(index), this.#ends[index]))
  }

  indexOf(string: string): number {
    for (let index = 0; index < this.#count; index++) {
      if (this.#ends[index]! - this.#startOf(index) === string.length && this.get(index) === string) return index
    }
    return -1
  }

  that(predicate: (string: string) => boolean, first: string): Set<number> {
    const indexes = new Set<number>()
    const codes = new Set(Array.from(first, (character) => character.charCodeAt(0)))
    for (let index = 0; index < this.#count; index++) {
      const start = this.#startOf(index)
      if (start < this.#ends[index]! && codes.has(this.#codes[start]!) && predicate(this.get(index))) indexes.add(index)
    }
    return indexes
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!
  }

  #pushEscaped(character: string): void {
    this.#escape += character
    if (this.#escape[1] === "u" && this.#escape.length < 6) return
    this.#add((JSON.parse(`"${this.#escape}"`) as string).charCodeAt(0))
    this.#escape = ""
  }

  #add(code: number): void {
    const length = this.#length - this.#start
    if (length > maxLength) return
    if (this.#length === this.#codes.length) {
      const codes = new Uint16Array(this.#codes.length * 2)
      codes.set(this.#codes)
      this.#codes = codes
    }
    this.#codes[this.#length++] = length === maxLength ? ellipsis : code
  }

  #end(): void {
    if (this.#count === this.#ends.length) {
      const ends = new Uint32Array(this.#ends.length * 2)
      ends.set(this.#ends)
      this.#ends = ends
    }
    this.#ends[this.#count++] = this.#start = this.#length
    this.#inString = false
  }
}

const zero = 48
const nine = 57
const closingBracket = 93
const quote = 34
const backslash = 92
const ellipsis = 0x2026
/** Longer than every key that `Parser` looks for, so that `Parser` finds a key that spans two chunks. */
const overlap = 32

type Section = "nodes" | "edges" | "locations"

/** Builds a `HeapSnapshot` from the chunks of a snapshot, in order. */
export class Parser {
  #reading: "header" | "numbers" | "key" | "strings" = "header"
  #text = ""
  #header: Header | undefined
  #columns: Columns | undefined
  readonly #strings = new Strings()
  /** The column of each field in the section that is read. A field without a column is skipped. */
  #fields: ReadonlyArray<keyof Columns | undefined> = []
  #field = 0
  #row = 0
  #number = 0
  #inNumber = false

  push(chunk: string): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#reading === "numbers") {
        rest = this.#pushNumbers(rest)
      } else if (this.#reading === "strings") {
        this.#strings.push(rest)
        return
      } else {
        rest = this.#pushText(rest)
      }
    }
  }

  end(): HeapSnapshot {
    if (this.#reading !== "strings") throw new Error("The heap snapshot ended early")
    // Both were made before the strings.
    const [header, columns] = [this.#header!, this.#columns!]
    const { firstEdge } = columns
    // Until now, each element is the number of edges of the node before.
    for (let node = 0; node < header.snapshot.node_count; node++) firstEdge[node + 1]! += firstEdge[node]!
    return new HeapSnapshot(header, columns, this.#strings)
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
    const header = this.#header ?? this.#readHeader(this.#text.slice(0, match.index))
    this.#text = ""
    if (match[1] === "strings") {
      this.#reading = "strings"
      return rest
    }
    this.#reading = "numbers"
    this.#fields = fieldsOf(header, match[1] as Section)
    this.#row = 0
    return rest
  }

  #readHeader(text: string): Header {
    const header: Header = JSON.parse(`${text.slice(0, text.lastIndexOf(","))}}`)
    const { edge_count, node_count } = header.snapshot
    this.#header = header
    this.#columns = {
      nodeType: new Uint8Array(node_count),
      nodeName: new Uint32Array(node_count),
      nodeId: new Uint32Array(node_count),
      firstEdge: new Uint32Array(node_count + 1),
      edgeType: new Uint8Array(edge_count),
      edgeName: new Uint32Array(edge_count),
      edgeTo: new Uint32Array(edge_count),
      locations: []
    }
    return header
  }

  /** Reads numbers up to the closing bracket. Returns the text after the bracket. A number can span two chunks. */
  #pushNumbers(chunk: string): string {
    const fields = this.#fields
    const columns = this.#columns!
    const nodeSize = this.#header!.snapshot.meta.node_fields.length
    let field = this.#field
    let row = this.#row
    let number = this.#number
    let inNumber = this.#inNumber
    let at = 0
    for (; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at)
      if (code >= zero && code <= nine) {
        number = number * 10 + code - zero
        inNumber = true
        continue
      }
      if (inNumber) {
        switch (fields[field]) {
          case undefined:
            break
          // A node is referred to by the place of its first field.
          case "edgeTo":
            columns.edgeTo[row] = number / nodeSize
            break
          case "firstEdge":
            columns.firstEdge[row + 1] = number
            break
          case "locations":
            columns.locations.push(field === 0 ? number / nodeSize : number)
            break
          default:
            columns[fields[field]!][row] = number
        }
        if (++field === fields.length) {
          field = 0
          row++
        }
        number = 0
        inNumber = false
      }
      if (code === closingBracket) {
        this.#reading = "key"
        break
      }
    }
    this.#field = field
    this.#row = row
    this.#number = number
    this.#inNumber = inNumber
    return chunk.slice(at)
  }
}

const columnsOfFields: Record<Section, Record<string, keyof Columns>> = {
  nodes: { type: "nodeType", name: "nodeName", id: "nodeId", edge_count: "firstEdge" },
  edges: { type: "edgeType", name_or_index: "edgeName", to_node: "edgeTo" },
  locations: { object_index: "locations", line: "locations", column: "locations" }
}

const fieldsOf = ({ snapshot: { meta } }: Header, section: Section): ReadonlyArray<keyof Columns | undefined> => {
  const fields = section === "nodes"
    ? meta.node_fields
    : section === "edges"
    ? meta.edge_fields
    : meta.location_fields ?? ["object_index", "script_id", "line", "column"]
  const columns = columnsOfFields[section]
  for (const field of Object.keys(columns)) {
    if (!fields.includes(field)) throw new Error(`The heap snapshot has no field "${field}"`)
  }
  return fields.map((field) => columns[field])
}
