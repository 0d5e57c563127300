/**
 * Memoizes functions, and shares one instance per key, without keeping arguments or
 * instances alive.
 *
 * {@link memoize} keeps a result until one of the objects among its arguments is
 * collected. {@link family} shares one instance per key as long as the program uses the
 * instance. Use `memoize` for data that is derived from objects, such as the parsed form
 * of a document. Use `family` for shared objects, such as one subscription per topic.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isObjectKeyword } from "effect/Predicate"
import { Heap, isWeakReferenceable } from "./Heap.ts"
import { host } from "./internal/host.ts"
import { NotWeakReferenceableError } from "./WeakError.ts"
import * as WeakValueMap from "./WeakValueMap.ts"

/**
 * Configures how many results {@link memoize} remembers for calls with primitive
 * arguments.
 *
 * **When to use**
 *
 * Use to remember more or fewer results than the default.
 *
 * **Details**
 *
 * `capacity`, which is 1000 by default, bounds the results of the calls without objects,
 * and separately the results with primitives for each combination of objects, and keeps
 * the most recently used ones. It does not bound the results of calls with only objects,
 * because these results are collected with the objects.
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
 * Returns a function that remembers the results of another function.
 *
 * **When to use**
 *
 * Use for a pure and expensive function of objects. Use {@link family} if equal keys must
 * share one instance. Use Effect's `Cache` or a `WeakCache` for results that come from
 * effects or expire.
 *
 * **Details**
 *
 * Two calls are the same if they have the same arguments in the same order, where objects
 * and functions are compared by identity, and primitives, including symbols, with
 * `Object.is`.
 *
 * A result is kept until one of the objects among its arguments is collected, and does
 * not keep its arguments alive, even if it refers to them. `capacity` bounds the results
 * of calls with primitive arguments, separately for each combination of objects, and the
 * results of calls without arguments. If there are more, the least recently used result
 * is evicted.
 *
 * If the function throws, no result is remembered. The function may call the memoized
 * function with the same arguments: the result that is remembered first stays, and every
 * caller receives it. The memoized function has copies of the function's own properties,
 * including `name` and `length`, but not of `prototype`.
 *
 * Throws a `RangeError` unless `capacity` is a non-negative integer or `Infinity`. The
 * parameter `heap` is for tests: without it, the function uses the host's heap.
 *
 * A call costs one ephemeron look-up for each object, and one `Map` look-up for each
 * primitive, and dereferences nothing.
 *
 * **Gotchas**
 *
 * - The function runs with `this` undefined, so a function that declares another `this`
 *   does not compile, and receives its object as an argument instead.
 * - A promise is remembered even if it rejects, so {@link forget} it in that case.
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
 * @see {@link make} for the effectful form
 * @see {@link forget} to forget a result
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const memoize = <F extends (this: void, ...args: ReadonlyArray<never>) => unknown>(
  f: F,
  options?: Options,
  heap: Heap = host
): F => {
  const capacity = options?.capacity ?? 1000
  if (!(Number.isInteger(capacity) || capacity === Infinity) || capacity < 0) {
    throw new RangeError(`capacity must be a non-negative integer or Infinity, got ${capacity}`)
  }
  const memo = new Memo(f, capacity, heap)
  /** Finds a remembered result. Every use of `arguments` is one for which the engine needs no array. */
  const memoized = function(): unknown {
    const { length } = arguments
    let node: Node | undefined = memo.root
    // The most frequent calls, without the loop.
    if (length === 1) {
      const arg: unknown = arguments[0]
      if (isObjectKeyword(arg)) {
        node = node.objects?.get(arg)
        if (node !== undefined && node.called) return node.result
      } else if (arg !== 0 || !Object.is(arg, -0)) {
        const { results } = node
        // The argument itself, because the engine looks up a small integer without calling a hash function.
        const entry = results?.single?.get(arg) as Entry | undefined
        if (entry !== undefined) {
          entry.used = ++results!.uses
          return entry.result
        }
      }
      return memo.run(arg)
    }
    let bits = 1
    for (let i = 0; i < length; i++) {
      const arg: unknown = arguments[i]
      bits <<= 1
      if (isObjectKeyword(arg)) {
        node = node.objects?.get(arg)
        if (node === undefined) return memo.run.apply(memo, arguments as unknown as Array<unknown>)
        bits |= 1
      } else if (i === length - 1 && length <= maxBits) {
        // The next most frequent calls: the last argument is a primitive, and the only one.
        const { results }: Node = node
        if (results === undefined || results.shape !== bits || (bits + 2 & bits) !== 0) break
        // The shape has one key, so the level has entries.
        const entry = (results.level as Level | undefined)?.get(arg === 0 ? keyOf(arg) : arg) as Entry | undefined
        if (entry === undefined) break
        entry.used = ++results.uses
        return entry.result
      }
    }
    if (node.called && (bits & (bits + 1)) === 0 && length <= maxBits) return node.result
    const { results } = node
    if (results !== undefined && results.shape === bits && length <= maxBits) {
      let found: Level | Entry | undefined = results.level
      for (let i = 0; i < length && found !== undefined; i++) {
        const arg: unknown = arguments[i]
        // Another key follows, so this is a level.
        if (!isObjectKeyword(arg)) found = (found as Level).get(arg === 0 ? keyOf(arg) : arg)
      }
      // The last key of a path leads to an entry.
      if (found !== undefined) return results.use(found as Entry).result
    }
    return memo.run.apply(memo, arguments as unknown as Array<unknown>)
  }
  for (const key of Reflect.ownKeys(f)) {
    if (key === "prototype" || key === "arguments" || key === "caller") continue
    Object.defineProperty(memoized, key, { ...Object.getOwnPropertyDescriptor(f, key), configurable: true })
  }
  memos.set(memoized, memo)
  // The memoized function has the parameters, the results and the properties of `F`.
  return memoized as unknown as F
}

/** What {@link clear} and {@link forget} need of a memoized function or a family. */
interface Forgetful {
  clear(): void
  forget(args: ReadonlyArray<unknown>): boolean
}

/** The memoized functions and families of this copy of the package. */
const memos = /*#__PURE__*/ new WeakMap<(...args: ReadonlyArray<never>) => unknown, Forgetful>()

/** How many arguments have a bit in a shape that is a small integer. */
const maxBits = 29

/** The shape of a call with one primitive. */
const onePrimitive = 2

class Memo implements Forgetful {
  declare root: Node
  /** Increases when a result is forgotten. A call that was running then is not remembered. */
  declare private generation: number
  declare private readonly f: (...args: ReadonlyArray<never>) => unknown
  declare private readonly capacity: number
  declare private readonly heap: Heap

  constructor(f: (...args: ReadonlyArray<never>) => unknown, capacity: number, heap: Heap) {
    this.root = new Node()
    this.generation = 0
    this.f = f
    this.capacity = capacity
    this.heap = heap
  }

  /** Returns the remembered result, or calls the function and remembers its result. */
  run(...args: ReadonlyArray<unknown>): unknown {
    let node = this.root
    for (const arg of args) if (isObjectKeyword(arg)) node = node.child(arg, this.heap)
    const { generation } = this
    const hasOnlyObjects = args.length > 0 && args.every(isObjectKeyword)
    if (hasOnlyObjects) {
      if (node.called) return node.result
      const result = call(this.f, args)
      return node.called ? node.result : generation === this.generation ? node.remember(result) : result
    }
    const shape = shapeOf(args)
    const results = node.results ??= new Results(this.capacity)
    const entry = results.find(shape, args)
    if (entry !== undefined) return results.use(entry).result
    const result = call(this.f, args)
    // The call may have called the memoized function with the same arguments.
    const first = results.find(shape, args)
    if (first !== undefined) return results.use(first).result
    if (this.capacity === 0 || generation !== this.generation) return result
    return results.insert(shape, args, result).result
  }

  clear(): void {
    // A call that is running remembers its result in the old trie.
    this.root = new Node()
  }

  forget(args: ReadonlyArray<unknown>): boolean {
    this.generation++
    let node: Node | undefined = this.root
    for (const arg of args) if (isObjectKeyword(arg)) node = node?.objects?.get(arg)
    if (args.length > 0 && args.every(isObjectKeyword)) return node?.forget() ?? false
    const entry = node?.results?.find(shapeOf(args), args)
    if (entry === undefined) return false
    node!.results!.remove(entry)
    return true
  }
}

/** Returns the number of arguments and the positions of the objects: bits after a leading 1, or a list if there are many. */
const shapeOf = (args: ReadonlyArray<unknown>): number | string =>
  args.length > maxBits
    ? args.map(isObjectKeyword).join()
    : args.reduce<number>((bits, arg) => bits << 1 | (isObjectKeyword(arg) ? 1 : 0), 1)

/** Calls the function. The cast is sound because the memoized function has the same parameters as the function. */
const call = (f: (...args: ReadonlyArray<never>) => unknown, args: ReadonlyArray<unknown>): unknown =>
  f(...args as ReadonlyArray<never>)

/**
 * The results for one combination of objects. Nodes form a trie. The path to a node has
 * one ephemeron for each object of the combination. So a node is reachable only while all
 * its objects are reachable. The results of the node keep none of these objects alive.
 */
class Node {
  declare objects: WeakMap<object, Node> | undefined
  /** If `called`, the result of the call with these objects and no primitives. */
  declare result: unknown
  declare called: boolean
  /** The results of the calls with primitives or without arguments. */
  declare results: Results | undefined

  constructor() {
    this.objects = undefined
    this.results = undefined
    this.reset()
  }

  private reset(): void {
    this.result = undefined
    this.called = false
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

  forget(): boolean {
    const { called } = this
    this.reset()
    return called
  }
}

/** A remembered result. */
class Entry {
  /** The keys that lead from the root of the trie to the entry. */
  declare readonly path: ReadonlyArray<unknown>
  declare result: unknown
  /** The number of the last use, or 0 if the entry has been removed. */
  declare used: number

  constructor(path: ReadonlyArray<unknown>, result: unknown) {
    this.path = path
    this.result = result
    this.used = 0
  }
}

interface Level extends Map<unknown, Level | Entry> {}

/**
 * The bounded results of the calls with primitives or without arguments, in a trie of
 * maps. The first key of a path is the shape of the call: the number of arguments, and
 * the positions of the objects. The other keys are the primitives. All paths of one shape
 * have the same length, so only the last key of a path leads to an entry.
 *
 * A use only stores a number in the entry, because relinking a list in order of use took
 * longer than the rest of a hit. An eviction takes the next entry of `sorted` that has
 * not been used since the sorting. When `sorted` ends, all entries are sorted again,
 * which costs O(log n) per use or eviction since the last sorting.
 */
class Results {
  declare private readonly capacity: number
  declare private readonly root: Level
  declare private size: number
  /** How many uses there have been. */
  declare uses: number
  /** The entries in order of their uses at the last sorting, reversed, and `uses` at that time. */
  declare private sorted: Array<Entry>
  declare private sortedAt: number
  /** The shape of the newest path, and what it leads to. Most functions are called with one shape. */
  declare shape: number | string | undefined
  declare level: Level | Entry | undefined
  /** What the shape of one primitive leads to: a level of entries. */
  declare single: Level | undefined

  constructor(capacity: number) {
    this.shape = undefined
    this.level = undefined
    this.single = undefined
    this.capacity = capacity
    this.root = new Map()
    this.size = 0
    this.uses = 0
    this.sorted = []
    this.sortedAt = 0
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
    this.shape = shape
    this.level = this.root.get(shape)
    // The shape has one key, so a level follows.
    this.single = this.root.get(onePrimitive) as Level | undefined
    this.use(entry)
    if (++this.size > this.capacity) this.remove(this.leastRecentlyUsed())
    return entry
  }

  /** Marks an entry as the most recently used. */
  use(entry: Entry): Entry {
    entry.used = ++this.uses
    return entry
  }

  private leastRecentlyUsed(): Entry {
    for (;;) {
      const entry = this.sorted.pop()
      if (entry === undefined) {
        this.sorted = entriesOf(this.root).sort((a, b) => b.used - a.used)
        this.sortedAt = this.uses
      } else if (entry.used !== 0 && entry.used <= this.sortedAt) {
        return entry
      }
    }
  }

  remove(entry: Entry): void {
    removePath(this.root, entry.path, 0)
    this.size--
    // `sorted` may still have the entry.
    entry.used = 0
    entry.result = undefined
    this.level = this.root.get(this.shape)
  }
}

const entriesOf = (level: Level): Array<Entry> =>
  Array.from(level.values(), (next) => next instanceof Entry ? next : entriesOf(next)).flat()

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

/** Replaces -0 by a symbol, because a `Map` does not distinguish -0 from 0. */
const keyOf = (arg: unknown): unknown => Object.is(arg, -0) ? minusZero : arg

const minusZero = /*#__PURE__*/ Symbol("-0")

/**
 * Creates a function that returns one shared live instance per key.
 *
 * **When to use**
 *
 * Use if equal keys must share one object while the program uses the object, for example
 * a subscription per topic. Use {@link memoize} if the result must live as long as its
 * arguments.
 *
 * **Details**
 *
 * Keys are compared by their contents, as in a `WeakValueMap`: opaque objects, such as
 * DOM nodes, are only equal to themselves. Instances are held weakly, so after an
 * instance has been collected, the next call creates another one. A key is held strongly
 * until the clean-up of its instance.
 *
 * An instance keeps its family alive, so a family may be an instance of another family:
 * while the program holds an instance of the inner family, the outer family returns the
 * same inner family.
 *
 * If `f` throws, no instance is remembered. `f` may call the family with an equal key:
 * the instance that is remembered first stays, and every caller receives it. Throws
 * `NotWeakReferenceableError` if `f` returns a primitive or a registered symbol. The
 * parameter `heap` is for tests: without it, the family uses the host's heap.
 *
 * A call costs O(1) with one hash of the key, and dereferences the instance.
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
 * @see {@link makeFamily} for the effectful form
 * @see {@link forget} to forget an instance
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const family = <K, A extends WeakKey>(f: (key: K) => A, heap: Heap = host): (key: K) => A => {
  const instances = WeakValueMap.makeUnsafe<K, A>({ compare: "structural" }, heap)
  let generation = 0
  const get = (key: K): A => {
    const found = WeakValueMap.get(instances, key)
    if (Option.isSome(found)) return found.value
    const before = generation
    const made = f(key)
    if (!isWeakReferenceable(made)) throw new NotWeakReferenceableError({ value: made })
    if (before !== generation) return made
    const first = WeakValueMap.getOrSet(instances, key, () => made)
    keepFamily(first, get, heap)
    return first
  }
  memos.set(get, {
    clear() {
      generation++
      WeakValueMap.clear(instances)
    },
    forget([key]) {
      generation++
      // The type of `forget` allows only the parameters of the family.
      const isRemembered = WeakValueMap.has(instances, key as K)
      WeakValueMap.remove(instances, key as K)
      return isRemembered
    }
  })
  return get
}

/** The family of each instance, or its families. A family may itself be the instance of another family, which holds it weakly. */
const families = /*#__PURE__*/ new WeakMap<Heap, WeakMap<WeakKey, unknown>>()

const keepFamily = (instance: WeakKey, family: (key: never) => unknown, heap: Heap): void => {
  let byInstance = families.get(heap)
  if (byInstance === undefined) families.set(heap, byInstance = new heap.WeakMap())
  const kept = byInstance.get(instance)
  if (kept === undefined) byInstance.set(instance, family)
  else if (kept instanceof Set) kept.add(family)
  else byInstance.set(instance, new Set([kept, family]))
}

/**
 * Creates a memoized function that uses the heap of the context.
 *
 * **When to use**
 *
 * Use inside an Effect program, so that a test can run the program on a `TestHeap`.
 * {@link memoize} is the synchronous form, which takes the heap as an argument.
 *
 * **Details**
 *
 * Dies with a `RangeError` unless `capacity` is a non-negative integer or `Infinity`.
 * Costs O(1), and does not dereference anything.
 *
 * **Example** (Memoizing in a program)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakMemo } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const sizeOf = yield* WeakMemo.make((list: ReadonlyArray<number>) => ({ size: list.length }))
 *   const list = [1, 2, 3]
 *   return sizeOf(list) === sizeOf(list)
 * })
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @see {@link memoize} for the synchronous form
 * @see {@link makeFamily} for one instance per structural key
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const make = <F extends (this: void, ...args: ReadonlyArray<never>) => unknown>(
  f: F,
  options?: Options
): Effect.Effect<F> => Effect.map(Heap, (heap) => memoize(f, options, heap))

/**
 * Creates a family that uses the heap of the context.
 *
 * **When to use**
 *
 * Use inside an Effect program, so that a test can run the program on a `TestHeap`.
 * {@link family} is the synchronous form, which takes the heap as an argument.
 *
 * **Details**
 *
 * Costs O(1), and does not dereference anything until the first call.
 *
 * **Example** (Sharing instances in a program)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakMemo } from "effect-weakref"
 *
 * const program = Effect.gen(function*() {
 *   const topic = yield* WeakMemo.makeFamily((name: string) => ({ name }))
 *   return topic("news") === topic("news")
 * })
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @see {@link family} for the synchronous form
 * @see {@link make} for a memoized function
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const makeFamily = <K, A extends WeakKey>(f: (key: K) => A): Effect.Effect<(key: K) => A> =>
  Effect.map(Heap, (heap) => family(f, heap))

/**
 * Forgets every result of a memoized function, or every instance of a family.
 *
 * **When to use**
 *
 * Use after a change that makes all results wrong, for example of a setting that the
 * function reads, or between two tests, but use {@link forget} if only one result is
 * wrong.
 *
 * **Details**
 *
 * An instance that the program still holds is no longer shared: the next call creates
 * another one. A call that is running returns its result, but the result is not
 * remembered. Throws a `TypeError` if the function is neither memoized nor a family, or
 * if it is one of another copy of this package.
 *
 * Costs O(1) for a memoized function and O(n) for a family with n instances, and does not
 * dereference anything.
 *
 * **Example** (Forgetting after a change)
 *
 * ```ts import.meta.vitest
 * import { WeakMemo } from "effect-weakref"
 *
 * let rate = 2
 * const price = WeakMemo.memoize((item: { readonly net: number }) => item.net * rate)
 *
 * const item = { net: 10 }
 * price(item) // => 20
 * rate = 3
 * price(item) // => 20
 * WeakMemo.clear(price)
 * price(item) // => 30
 * ```
 *
 * @see {@link forget} to forget one result
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const clear = (memoized: (...args: ReadonlyArray<never>) => unknown): void => memoOf(memoized).clear()

/**
 * Forgets the result of one call of a memoized function, or one instance of a family.
 *
 * **When to use**
 *
 * Use if the result of one call is wrong or no longer needed, for example a promise that
 * has rejected.
 *
 * **Details**
 *
 * Returns `true` if a result was remembered. The arguments are compared as in a call, so
 * an equal key is enough for a family. A call that is running returns its result, but the
 * result is not remembered, even if it has other arguments. Throws a `TypeError` if the
 * function is neither memoized nor a family, or if it is one of another copy of this
 * package.
 *
 * Costs as much as a call whose result is remembered, and dereferences the instance of a
 * family.
 *
 * **Example** (Forgetting a failure)
 *
 * ```ts import.meta.vitest
 * import { WeakMemo } from "effect-weakref"
 *
 * let runs = 0
 * const load = WeakMemo.memoize((document: { readonly path: string }, page: number) => `${document.path}#${page}, ${++runs}`)
 *
 * const document = { path: "a.txt" }
 * load(document, 1) // => "a.txt#1, 1"
 * WeakMemo.forget(load, document, 1) // => true
 * load(document, 1) // => "a.txt#1, 2"
 * WeakMemo.forget(load, document, 7) // => false
 * ```
 *
 * @see {@link clear} to forget everything
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const forget = <Args extends ReadonlyArray<unknown>>(
  memoized: (...args: Args) => unknown,
  ...args: Args
): boolean => memoOf(memoized).forget(args)

const memoOf = (memoized: (...args: ReadonlyArray<never>) => unknown): Forgetful => {
  const memo = memos.get(memoized)
  if (memo === undefined) {
    throw new TypeError(
      "Expected a function that WeakMemo.memoize or WeakMemo.family of this copy of effect-weakref made"
    )
  }
  return memo
}
