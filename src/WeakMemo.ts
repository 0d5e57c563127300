/**
 * Memoizes functions without keeping their arguments alive.
 *
 * {@link memoize} keeps a result until one of the objects among its arguments is collected.
 * {@link family} shares one instance per key as long as the program uses the instance.
 * Use `memoize` for data that is derived from objects, such as the parsed form of a
 * document. Use `family` for shared objects, such as one subscription per topic.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import { isObjectKeyword } from "effect/Predicate"
import type { Heap } from "./Heap.ts"
import { host } from "./internal/host.ts"
import * as WeakValueMap from "./WeakValueMap.ts"

/**
 * Configures {@link memoize}.
 *
 * **When to use**
 *
 * Use to remember more or fewer results than the default.
 *
 * **Details**
 *
 * If calls have objects and primitives as arguments, `capacity` bounds the results for
 * each combination of objects. `capacity` also bounds the results of all calls without
 * objects. The most recently used results are kept. The default is 1000. `capacity` does
 * not bound the results of calls with only objects, because these results are collected
 * with the objects.
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
 * @see {@link memoize} for the function that takes the options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Options {
  readonly capacity?: number | undefined
}

/**
 * Returns a memoized form of a function.
 *
 * **When to use**
 *
 * Use for a pure and expensive function of objects. Use {@link family} if equal keys
 * must share one instance. Use Effect's `Cache` or a `WeakCache` for results that come
 * from effects or expire.
 *
 * **Details**
 *
 * Two calls are the same if they have the same arguments in the same order. Objects and
 * functions are compared by identity. Primitives, including symbols, are compared with
 * `Object.is`.
 *
 * A result is kept until one of the objects among its arguments is collected. The result
 * does not keep its arguments alive, even if it refers to them. `capacity` bounds the
 * results of calls with primitive arguments, separately for each combination of objects.
 * `capacity` also bounds the results of calls without arguments. The least recently used
 * result is evicted.
 *
 * If the function throws, nothing is remembered. The function may call the memoized
 * function with the same arguments. Then the first remembered result stays, and every
 * caller receives this result. The memoized function has copies of the function's own
 * properties, including `name` and `length`, but not of `prototype`.
 *
 * Throws a `RangeError` unless `capacity` is a non-negative integer or `Infinity`.
 *
 * Cost: one ephemeron look-up for each object, and one `Map` look-up for each
 * primitive. A call with primitives or without arguments needs one more `Map` look-up.
 *
 * **Gotchas**
 *
 * - The function runs with `this` undefined. Pass the object as an argument instead.
 * - A promise is remembered even if it rejects.
 * - An effect is remembered, but its result is not.
 * - Do not change an argument, because the remembered result does not change.
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
    throw new RangeError(`capacity must be a non-negative integer or Infinity, got ${capacity}`)
  }
  const root = new Node()
  const memoized = (...args: ReadonlyArray<unknown>): unknown => {
    let node = root
    let objects = 0
    // A leading 1, then one bit for each argument. Up to 29 arguments fit into a small integer.
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
  // The memoized function has the parameters, the results and the properties of `F`.
  return memoized as unknown as F
}

/** Calls the function. The cast is sound because the memoized function has the same parameters as the function. */
const call = (f: (...args: ReadonlyArray<never>) => unknown, args: ReadonlyArray<unknown>): unknown =>
  f(...args as ReadonlyArray<never>)

/**
 * The results for one combination of objects. Nodes form a trie. The path to a node has
 * one ephemeron for each object of the combination. So a node is reachable only while
 * all its objects are reachable. The results of the node keep none of these objects alive.
 */
class Node {
  declare private objects: WeakMap<object, Node> | undefined
  /** If `called`, the result of the call with these objects and no primitives. */
  declare result: unknown
  declare called: boolean
  /** The results of the calls with primitives or without arguments. */
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

/** A remembered result. The entries form a linked list in order of use. */
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
 * The bounded results of the calls with primitives or without arguments, in a trie of
 * maps. The first key of a path is the shape of the call: the number of arguments, and
 * the positions of the objects. The other keys are the primitives. All paths of one shape
 * have the same length, so only the last key of a path leads to an entry.
 */
class Results {
  declare private readonly capacity: number
  declare private readonly root: Level
  /** The head of a circular list. `list.older` is the newest entry, and `list.newer` is the oldest. */
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

  /** Marks an entry as the most recently used. Inserts a new entry into the list. */
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

/** Removes a path and the levels that become empty. */
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

/** Replaces -0 by a symbol, because a `Map` does not distinguish -0 from 0. */
const keyOf = (arg: unknown): unknown => arg === 0 && Object.is(arg, -0) ? minusZero : arg

const minusZero = /*#__PURE__*/ Symbol("-0")

/**
 * Creates a function that returns one shared live instance per key.
 *
 * **When to use**
 *
 * Use if equal keys must share one object while the program uses the object, for
 * example a subscription per topic. Use {@link memoize} if the result must live as long
 * as its arguments.
 *
 * **Details**
 *
 * `Equal.equals` compares the keys. Instances are held weakly. After an instance has
 * been collected, the next call creates another instance. A key is held strongly until
 * its instance has been cleaned up.
 *
 * If `f` throws, nothing is remembered. `f` may call the family with an equal key. Then
 * the first remembered instance stays, and every caller receives this instance.
 * Throws `NotWeakReferenceableError` if `f` returns a primitive or a registered symbol.
 *
 * Cost: O(1) with one hash of the key. Dereferences the instance.
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
