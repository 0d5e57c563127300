/**
 * Tells the functions of the program from those of libraries in a heap snapshot, by the scripts that define them.
 */
import type { HeapSnapshot } from "./heapSnapshot.ts"

/**
 * `program`: the user's code and the libraries that a leak can concern. `library`: Effect, this package, the test runner, the
 * host and the engine. `detector`: the part of this package that searches.
 */
export type Origin = "program" | "library" | "detector"

export class Scripts {
  readonly #snapshot: HeapSnapshot
  readonly #origins = new Map<number | undefined, Origin>()

  constructor(snapshot: HeapSnapshot) {
    this.#snapshot = snapshot
  }

  /** Returns the origin of a function. Functions of the engine have no script. */
  originOf(closure: number): Origin {
    const shared = this.#snapshot.follow(closure, "internal", "shared")
    let origin = this.#origins.get(shared)
    if (origin === undefined) this.#origins.set(shared, origin = originOfScript(this.scriptOf(closure)))
    return origin
  }

  /** Returns the path of the script that defines a function, or "". */
  scriptOf(closure: number): string {
    const shared = this.#snapshot.follow(closure, "internal", "shared")
    // Node 20 and 22 name the edge `script_or_debug_info`.
    const script = this.#snapshot.follow(shared, "internal", "script") ??
      this.#snapshot.follow(shared, "internal", "script_or_debug_info")
    return script === undefined ? "" : pathOf(this.#snapshot.nameOf(script).replace(/^system \/ Script(?: \/ )?/, ""))
  }

  /** Returns whether a function that still exists has these variables. O(edges) for the first call. */
  isOfFunction(scope: number): boolean {
    this.#scopes ??= this.#scopesOfFunctions()
    return this.#scopes.has(scope)
  }

  #scopes: Set<number> | undefined

  #scopesOfFunctions(): Set<number> {
    const snapshot = this.#snapshot
    const name = snapshot.indexOfString("name_or_scope_info")
    const internal = snapshot.edgeType("internal")
    const scopes = new Set<number>()
    const edges = snapshot.firstEdge(snapshot.nodeCount)
    for (let edge = 0; edge < edges; edge++) {
      if (snapshot.edgeIndexOf(edge) === name && snapshot.edgeTypeNumberOf(edge) === internal) {
        scopes.add(snapshot.targetOf(edge))
      }
    }
    return scopes
  }
}

const pathOf = (script: string): string =>
  script.replace(/^file:\/\/(?=\/)/, "").replace(/^\/(?=[A-Za-z]:)/, "").replaceAll("\\", "/")

const libraries =
  "effect|@effect|effect-weakref|vitest|@vitest|vite|vite-node|tinypool|jest(?:-[^/]+)?|@jest|mocha|ava|tap|chai"
const libraryScript = new RegExp(
  `^(?:node|ext|deno|checkin|native|internal|evalmachine)[:/]|/node_modules/(?:${libraries})/`
)

// The library is compiled without the types of a host. A bundler that makes a script of this module leaves no address.
const address = (import.meta as { readonly url?: string }).url

/** The folder of this package, or `undefined` in a bundle, which has no such file. */
const own = /^(.*\/)internal\/testing\/scripts\.[jt]s(?:\?.*)?$/.exec(pathOf(address ?? ""))?.[1]
const detector =
  /^(?:internal\/testing\/(?:scripts|retainers|retainingPath|inspector|instances|heapSnapshot)|testing\/LeakDetector)\./

export const originOfScript = (script: string): Origin => {
  if (own !== undefined && script.startsWith(own)) {
    return detector.test(script.slice(own.length))
      ? "detector"
      : "library"
  }
  return script === "" || libraryScript.test(script) ? "library" : "program"
}
