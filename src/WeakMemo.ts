/**
 * Remembers results of functions for as long as their arguments live.
 *
 * A memoizing cache with objects as keys usually keeps its arguments alive, its
 * results, or both. Here {@link memoize} keeps a result exactly as long as all the
 * objects among its arguments live, and {@link family} keeps one instance per key
 * as long as somebody uses the instance. Use them for derived data: a parsed form
 * of a document, a selector over a state, one subscription per topic.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import { isObjectKeyword } from "effect/Predicate"
import type { Heap } from "./Heap.ts"
import { host } from "./internal/heap.ts"
import * as WeakValueMap from "./WeakValueMap.ts"

/**
 * Bounds the results that {@link memoize} remembers.
 *
 * **When to use**
 *
 * Use to remember more or fewer results than the default.
 *
 * **Details**
 *
 * `capacity` is the number of results that are kept for one combination of objects
 * and differ in their primitive arguments. The most recently used results are kept.
 * `capacity` also bounds the calls without any object. The default is 1000. The
 * calls with objects only are not bounded, because their results die with the objects.
 *
 * **Example** (Keeping two results)
 *
 * ```ts import.meta.vitest
 * import { WeakMemo } from "effect-weakref"
 *
 * let runs = 0
 * const options: WeakMemo.Options = { capacity: 2 }
 * const square = WeakMemo.memoize((n: number) => {
 *   runs++
 *   return n * n
 * }, options)
 *
 * for (const n of [1, 2, 1, 3, 1]) square(n)
 * runs // => 3
 * square(2) // => 4
 * runs // => 4
 * ```
 *
 * @see {@link memoize} for the function
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Options {
  readonly capacity?: number | undefined
}

/**
 * Creates a function that remembers the results of a function.
 *
 * **When to use**
 *
 * Use for a pure function of objects whose results are expensive, and whose
 * arguments come and go. Use {@link family} if equal keys must share one instance.
 * Use Effect's `Cache` or a `WeakCache` for effects that can fail or expire.
 *
 * **Details**
 *
 * Objects and functions among the arguments compare by identity. Primitives
 * compare with `Object.is`. The number and the order of the arguments count.
 *
 * A result lives as long as all the objects among its arguments, even if the result
 * refers to them. When one of these objects is collected, the entry ends. Results
 * that differ in primitive arguments only are bounded by `capacity`, for each
 * combination of objects. The least recently used result is evicted. Calls without
 * an object are bounded by `capacity` too. Symbols count as primitives.
 *
 * If the function throws, nothing is remembered. If the function calls the memoized
 * function with the same arguments, the result that is remembered first wins, and
 * every caller receives it. Own properties of the function, its name and its
 * `length` are copied.
 *
 * Throws `RangeError` if `capacity` is not an integer from 0, or `Infinity`.
 *
 * Cost: one ephemeron look-up for each object, and a `Map` look-up for each
 * primitive and one more if there is any.
 *
 * **Gotchas**
 *
 * - `this` is not an argument: the function runs with `this` undefined. Pass the
 *   object as an argument instead.
 * - A promise is remembered even if it rejects. An effect is remembered, but its
 *   result is not.
 * - Do not change an argument: the result would not follow.
 *
 * **Example** (Deriving data from an object)
 *
 * ```ts import.meta.vitest
 * import { WeakMemo } from "effect-weakref"
 *
 * let runs = 0
 * const wordsOf = WeakMemo.memoize((document: { readonly text: string }, separator: string) => {
 *   runs++
 *   return { document, words: document.text.split(separator) }
 * })
 *
 * const document = { text: "to be or not to be" }
 * wordsOf(document, " ").words.length // => 6
 * wordsOf(document, " ") === wordsOf(document, " ") // => true
 * runs // => 1
 * ```
 *
 * @see {@link family} for one instance per structural key
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const memoize = <F extends (...args: ReadonlyArray<never>) => unknown>(
  f: F,
  options?: Options,
  heap: Heap = host
): F => {
  const capacity = options?.capacity ?? 1000
  if (!(Number.isInteger(capacity) || capacity === Infinity) || capacity < 0) {
    throw new RangeError(`The capacity of a memoized function must be an integer from 0, or Infinity: ${capacity}`)
  }
  const root = new Node()
  const memoized = (...args: ReadonlyArray<unknown>): unknown => {
    let node = root
    let objects = 0
    // One bit for each argument, after a first one: enough for 29 arguments, and a small integer.
    let bits = 1
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]
      bits <<= 1
      if (isObjectKeyword(arg)) {
        node = node.child(arg, heap)
        objects++
        bits |= 1
      }
    }
    if (objects > 0 && objects === args.length) {
      if (node.called) return node.result
      const result = call(f, args)
      return node.called ? node.result : node.remember(result)
    }
    const shape = args.length > 29 ? longShapeOf(args) : bits
    const results = node.results ??= new Results(capacity)
    const entry = results.find(shape, args)
    if (entry !== undefined) return results.use(entry).result
    const result = call(f, args)
    // The call may have called the memoized function with the same arguments.
    return capacity === 0
      ? result
      : results.use(results.find(shape, args) ?? results.insert(shape, args, result)).result
  }
  for (const key of Reflect.ownKeys(f)) {
    if (key === "prototype" || key === "arguments" || key === "caller") continue
    Object.defineProperty(memoized, key, { ...Object.getOwnPropertyDescriptor(f, key), configurable: true })
  }
  // It takes the parameters of `F`, returns its results, and has its properties.
  return memoized as unknown as F
}

/** The caller passes the parameters of the function: the memoized function has the same type. */
const call = (f: (...args: ReadonlyArray<never>) => unknown, args: ReadonlyArray<unknown>): unknown =>
  f(...args as ReadonlyArray<never>)

/**
 * The results for one combination of objects. Each object leads to the nodes of the
 * combinations that it continues, by an ephemeron of its own. So a node is reachable
 * only while all its objects are, and what the node holds keeps none of them.
 */
class Node {
  declare private objects: WeakMap<object, Node> | undefined
  /** The result of the call with these objects and no primitives, if `called`. */
  declare result: unknown
  declare called: boolean
  /** The results of the calls with primitives. */
  declare results: Results | undefined

  constructor() {
    this.objects = undefined
    this.result = undefined
    this.called = false
    this.results = undefined
  }

  child(object: object, heap: Heap): Node {
    const objects = this.objects ??= new heap.WeakMap()
    let child = objects.get(object)
    if (child === undefined) {
      child = new Node()
      objects.set(object, child)
    }
    return child
  }

  remember(result: unknown): unknown {
    this.called = true
    return this.result = result
  }
}

/** A result, and its place in the order of use. */
class Entry {
  /** The keys that lead from the root of the trie to the entry. */
  declare readonly path: ReadonlyArray<unknown>
  declare readonly result: unknown
  declare newer: Entry
  declare older: Entry

  constructor(path: ReadonlyArray<unknown>, result: unknown) {
    this.path = path
    this.result = result
    this.newer = this
    this.older = this
  }
}

interface Level extends Map<unknown, Level | Entry> {}

/**
 * The results that differ in their primitives, bounded, as a trie of maps. The first
 * key of a path is the shape of the call: how many arguments it has, and which of
 * them are objects. The other keys are the primitives. So the paths of one shape are
 * equally long, and only their last keys lead to entries.
 */
class Results {
  declare private readonly capacity: number
  declare private readonly root: Level
  /** The start of a circular list from the newest entry to the oldest. */
  declare private readonly list: Entry
  declare private size: number

  constructor(capacity: number) {
    this.capacity = capacity
    this.root = new Map()
    this.list = new Entry([], undefined)
    this.size = 0
  }

  find(shape: number | string, args: ReadonlyArray<unknown>): Entry | undefined {
    let found = this.root.get(shape)
    for (let i = 0; i < args.length && found !== undefined; i++) {
      const arg = args[i]
      // Another key follows, so this is a level.
      if (!isObjectKeyword(arg)) found = (found as Level).get(keyOf(arg))
    }
    // The last key of a path leads to an entry.
    return found as Entry | undefined
  }

  insert(shape: number | string, args: ReadonlyArray<unknown>, result: unknown): Entry {
    const path = [shape, ...args.filter((arg) => !isObjectKeyword(arg)).map(keyOf)]
    const entry = new Entry(path, result)
    const last = path.length - 1
    let level = this.root
    for (let i = 0; i < last; i++) {
      // Another key follows, so this is a level.
      let next = level.get(path[i]) as Level | undefined
      if (next === undefined) level.set(path[i], next = new Map())
      level = next
    }
    level.set(path[last], entry)
    if (++this.size > this.capacity) this.evictOldest()
    return entry
  }

  /** Makes an entry the newest. */
  use(entry: Entry): Entry {
    const { list } = this
    if (list.older !== entry) {
      unlink(entry)
      entry.newer = list
      entry.older = list.older
      list.older = list.older.newer = entry
    }
    return entry
  }

  private evictOldest(): void {
    const oldest = this.list.newer
    unlink(oldest)
    removePath(this.root, oldest.path, 0)
    this.size--
  }
}

const unlink = (entry: Entry): void => {
  entry.newer.older = entry.older
  entry.older.newer = entry.newer
}

/** Removes a path, and the levels that become empty. */
const removePath = (level: Level, path: ReadonlyArray<unknown>, i: number): void => {
  if (i < path.length - 1) {
    // Another key follows, so this is a level.
    const next = level.get(path[i]) as Level
    removePath(next, path, i + 1)
    if (next.size > 0) return
  }
  level.delete(path[i])
}

const longShapeOf = (args: ReadonlyArray<unknown>): string => args.map((arg) => isObjectKeyword(arg) ? 1 : 0).join("")

/** A `Map` does not distinguish -0 from 0. */
const keyOf = (arg: unknown): unknown => arg === 0 && Object.is(arg, -0) ? minusZero : arg

const minusZero = /*#__PURE__*/ Symbol("-0")

/**
 * Creates a function that returns one live instance per key.
 *
 * **When to use**
 *
 * Use if equal keys must share one object while somebody uses the object, for
 * example a subscription per topic or an atom per record. Use {@link memoize} if the
 * result must live as long as its arguments.
 *
 * **Details**
 *
 * Keys compare with `Equal.equals`. Instances are held weakly: after an instance
 * has been collected, the next call creates another one. Keys are held strongly until the
 * instance has been cleaned up.
 *
 * If `f` throws, nothing is remembered. If `f` calls the family with an equal key,
 * the instance that is created first wins, and every caller receives it. Throws
 * `NotWeakReferenceableError` if `f` returns a primitive.
 *
 * Cost: O(1) and a hash of the key. Dereferences the instance.
 *
 * **Gotchas**
 *
 * - If a key refers to its instance, the instance is never collected.
 * - The hash and the equality of a key must not call the family.
 *
 * **Example** (Sharing an instance per key)
 *
 * ```ts import.meta.vitest
 * import { WeakMemo } from "effect-weakref"
 *
 * const topic = WeakMemo.family((key: { readonly name: string }) => ({ key, listeners: new Set<() => void>() }))
 *
 * const news = topic({ name: "news" })
 * topic({ name: "news" }) === news // => true
 * topic({ name: "sports" }) === news // => false
 * ```
 *
 * @see {@link memoize} for results that live as long as their arguments
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const family = <K, A extends WeakKey>(f: (key: K) => A, heap: Heap = host): (key: K) => A => {
  const instances = WeakValueMap.makeUnsafe<K, A>({ compare: "structural" }, heap)
  let created = 0
  return (key) => {
    const found = WeakValueMap.get(instances, key)
    if (Option.isSome(found)) return found.value
    const before = created
    const made = f(key)
    if (created !== before) {
      const first = WeakValueMap.get(instances, key)
      if (Option.isSome(first)) return first.value
    }
    WeakValueMap.set(instances, key, made)
    created++
    return made
  }
}
