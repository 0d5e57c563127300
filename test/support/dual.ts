import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Scope } from "effect"
import {
  Finalizer,
  Interner,
  WeakCache,
  WeakKeyMap,
  WeakListeners,
  WeakMethod,
  WeakProxy,
  WeakRef,
  WeakSet,
  WeakValueMap
} from "../../src/index.ts"

/** A function, fresh arguments with the data first, and what it returns. */
type Case = readonly [
  f: (...args: any) => unknown,
  args: () => readonly [self: unknown, ...rest: ReadonlyArray<unknown>],
  expected: unknown
]

const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
const names = new Map<unknown, string>([[a, "a"], [b, "b"], [c, "c"]])

/** Runs an effect, opens an `Option`, lists a collection, and names the objects. */
const show = async (result: unknown): Promise<unknown> => {
  if (Effect.isEffect(result)) return await show(await Effect.runPromise(result as Effect.Effect<unknown>))
  if (Option.isOption(result)) return await show(Option.getOrUndefined(result))
  if (WeakSet.isWeakSet(result) || WeakKeyMap.isWeakKeyMap(result) || WeakValueMap.isWeakValueMap(result)) {
    return Array.from(result as Iterable<unknown>, (item) => Array.isArray(item) ? item.map(nameOf) : nameOf(item))
  }
  return nameOf(result)
}
const nameOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "~effect-weakref/Listener" in value
    ? "listener"
    : names.get(value) ?? value

const set = (...elements: ReadonlyArray<object>) => {
  const set = WeakSet.makeUnsafe<object>()
  for (const element of elements) WeakSet.add(set, element)
  return set
}

const keyMap = (...entries: ReadonlyArray<readonly [object, number]>) => {
  const map = WeakKeyMap.makeUnsafe<object, number>()
  for (const [key, value] of entries) WeakKeyMap.set(map, key, value)
  return map
}

const valueMap = (...entries: ReadonlyArray<readonly [number, object]>) => {
  const map = WeakValueMap.makeUnsafe<number, object>()
  for (const [key, value] of entries) WeakValueMap.set(map, key, value)
  return map
}

/** A cache of `a`, `b` and `c` in which `a` is loaded. */
const cache = () => {
  const values = new Map(Array.from(names, ([value, name]) => [name, value as object]))
  const make = WeakCache.make({ lookup: (name: string) => Effect.succeed(values.get(name)!), capacity: 2 })
  const cache = Effect.runSync(Effect.provideService(make, Scope.Scope, Scope.makeUnsafe()))
  Effect.runSync(WeakCache.get(cache, "a"))
  return cache
}

const counter = { count: 0, step: () => undefined, other: () => undefined }
const event = () => undefined

const interner = () => {
  const interner = Interner.makeUnsafe<object>()
  Interner.intern(interner, a)
  return interner
}

/** Every function that takes its data first or last. */
const cases: Record<string, Record<string, Case>> = {
  Finalizer: {
    setAtExit: [
      Finalizer.setAtExit,
      () => [Finalizer.makeUnsafe(a, Effect.void, { scope: Scope.makeUnsafe() }), false],
      undefined
    ]
  },
  Interner: {
    intern: [Interner.intern, () => [interner(), b], "b"],
    has: [Interner.has, () => [interner(), a], true]
  },
  WeakCache: {
    get: [WeakCache.get, () => [cache(), "b"], "b"],
    getOption: [WeakCache.getOption, () => [cache(), "a"], "a"],
    getSuccess: [WeakCache.getSuccess, () => [cache(), "a"], "a"],
    peek: [WeakCache.peek, () => [cache(), "a"], "a"],
    use: [WeakCache.use, () => [cache(), "a", (value: object) => Effect.succeed([nameOf(value)])], ["a"]],
    set: [WeakCache.set, () => [cache(), "a", b], undefined],
    has: [WeakCache.has, () => [cache(), "a"], true],
    refresh: [WeakCache.refresh, () => [cache(), "a"], "a"],
    invalidate: [WeakCache.invalidate, () => [cache(), "a"], undefined],
    invalidateWhen: [WeakCache.invalidateWhen, () => [cache(), "a", (value: object) => value === a], true],
    trim: [WeakCache.trim, () => [cache(), 1], undefined],
    setCapacity: [WeakCache.setCapacity, () => [cache(), 1], undefined]
  },
  WeakKeyMap: {
    get: [WeakKeyMap.get, () => [keyMap([a, 1]), a], 1],
    has: [WeakKeyMap.has, () => [keyMap([a, 1]), a], true],
    set: [WeakKeyMap.set, () => [keyMap([a, 1]), b, 2], [["a", 1], ["b", 2]]],
    remove: [WeakKeyMap.remove, () => [keyMap([a, 1], [b, 2]), a], [["b", 2]]],
    pop: [WeakKeyMap.pop, () => [keyMap([a, 1]), a], 1],
    getOrSet: [WeakKeyMap.getOrSet, () => [keyMap([a, 1]), b, () => 2], 2],
    modify: [WeakKeyMap.modify, () => [keyMap([a, 1]), a, (n: number) => n + 1], [["a", 2]]],
    modifyAt: [
      WeakKeyMap.modifyAt,
      () => [keyMap([a, 1]), a, Option.map((n: number) => n + 1)],
      [["a", 2]]
    ],
    setAll: [WeakKeyMap.setAll, () => [keyMap([a, 1]), [[b, 2]]], [["a", 1], ["b", 2]]],
    union: [WeakKeyMap.union, () => [keyMap([a, 1]), keyMap([a, 3], [b, 2])], [["a", 3], ["b", 2]]],
    copyWith: [WeakKeyMap.copyWith, () => [keyMap([a, 1]), (n: number) => n + 1], [["a", 2]]],
    forEach: [WeakKeyMap.forEach, () => [keyMap([a, 1]), event], undefined],
    equals: [WeakKeyMap.equals, () => [keyMap([a, 1]), keyMap([a, 1])], true]
  },
  WeakListeners: {
    add: [WeakListeners.add, () => [WeakListeners.makeUnsafe(), a, event], "listener"],
    addUnsafe: [WeakListeners.addUnsafe, () => [WeakListeners.makeUnsafe(), a, event], "listener"],
    addMethod: [WeakListeners.addMethod, () => [WeakListeners.makeUnsafe(), counter, "step"], "listener"],
    addMethodUnsafe: [WeakListeners.addMethodUnsafe, () => [WeakListeners.makeUnsafe(), counter, "step"], "listener"],
    remove: [
      WeakListeners.remove,
      () => {
        const listeners = WeakListeners.makeUnsafe()
        WeakListeners.addUnsafe(listeners, a, event)
        return [listeners, a]
      },
      true
    ],
    publish: [WeakListeners.publish, () => [WeakListeners.makeUnsafe<string>(), "event"], undefined],
    listen: [WeakListeners.listen, () => [new EventTarget(), "event", a, event], "listener"]
  },
  WeakMethod: {
    refersTo: [WeakMethod.refersTo, () => [WeakMethod.makeUnsafe(counter, "step"), counter, "step"], true],
    equals: [
      WeakMethod.equals,
      () => [WeakMethod.makeUnsafe(counter, "step"), WeakMethod.makeUnsafe(counter, "step")],
      true
    ]
  },
  WeakProxy: {
    use: [WeakProxy.use, () => [WeakProxy.makeUnsafe(a), (value: object) => Effect.succeed([nameOf(value)])], ["a"]],
    equals: [WeakProxy.equals, () => [WeakProxy.makeUnsafe(a), a], true]
  },
  WeakRef: {
    keepAlive: [WeakRef.keepAlive, () => [{}, b], undefined],
    use: [WeakRef.use, () => [WeakRef.makeUnsafe(a), (value: object) => Effect.succeed([nameOf(value)])], ["a"]],
    holdWhile: [WeakRef.holdWhile, () => [Effect.succeed(1), b], 1],
    refersTo: [WeakRef.refersTo, () => [WeakRef.makeUnsafe(a), a], true],
    equals: [WeakRef.equals, () => [WeakRef.makeUnsafe(a), WeakRef.makeUnsafe(a)], true]
  },
  WeakSet: {
    add: [WeakSet.add, () => [set(a), b], ["a", "b"]],
    has: [WeakSet.has, () => [set(a), a], true],
    remove: [WeakSet.remove, () => [set(a, b), a], ["b"]],
    addAll: [WeakSet.addAll, () => [set(a), [b]], ["a", "b"]],
    retainAll: [WeakSet.retainAll, () => [set(a, b), [b, c]], ["b"]],
    removeAll: [WeakSet.removeAll, () => [set(a, b), [b, c]], ["a"]],
    toggleAll: [WeakSet.toggleAll, () => [set(a, b), [b, c]], ["a", "c"]],
    union: [WeakSet.union, () => [set(a), [b]], ["a", "b"]],
    intersection: [WeakSet.intersection, () => [set(a, b), [b, c]], ["b"]],
    difference: [WeakSet.difference, () => [set(a, b), [b, c]], ["a"]],
    symmetricDifference: [WeakSet.symmetricDifference, () => [set(a, b), [b, c]], ["a", "c"]],
    isSubset: [WeakSet.isSubset, () => [set(a), [a, b]], true],
    isSuperset: [WeakSet.isSuperset, () => [set(a), [a, b]], false],
    isProperSubset: [WeakSet.isProperSubset, () => [set(a), [a, b]], true],
    isProperSuperset: [WeakSet.isProperSuperset, () => [set(a), [a, b]], false],
    isDisjoint: [WeakSet.isDisjoint, () => [set(a), [b, c]], true],
    equals: [WeakSet.equals, () => [set(a, b), [b, a]], true],
    forEach: [WeakSet.forEach, () => [set(a), event], undefined]
  },
  WeakValueMap: {
    get: [WeakValueMap.get, () => [valueMap([1, a]), 1], "a"],
    has: [WeakValueMap.has, () => [valueMap([1, a]), 1], true],
    set: [WeakValueMap.set, () => [valueMap([1, a]), 2, b], [[1, "a"], [2, "b"]]],
    remove: [WeakValueMap.remove, () => [valueMap([1, a], [2, b]), 1], [[2, "b"]]],
    pop: [WeakValueMap.pop, () => [valueMap([1, a]), 1], "a"],
    getOrSet: [WeakValueMap.getOrSet, () => [valueMap([1, a]), 2, () => b], "b"],
    modify: [WeakValueMap.modify, () => [valueMap([1, a]), 1, () => b], [[1, "b"]]],
    modifyAt: [WeakValueMap.modifyAt, () => [valueMap([1, a]), 1, () => Option.some(b)], [[1, "b"]]],
    setAll: [WeakValueMap.setAll, () => [valueMap([1, a]), [[2, b]]], [[1, "a"], [2, "b"]]],
    union: [WeakValueMap.union, () => [valueMap([1, a]), valueMap([1, c], [2, b])], [[1, "c"], [2, "b"]]],
    copyWith: [WeakValueMap.copyWith, () => [valueMap([1, a]), (n: number) => n + 1], [[2, "a"]]],
    forEach: [WeakValueMap.forEach, () => [valueMap([1, a]), event], undefined],
    equals: [WeakValueMap.equals, () => [valueMap([1, a]), valueMap([1, a])], true]
  }
}

/** Tests that the functions of a module take their data first, and last. */
export const testDual = (module: keyof typeof cases): void => {
  describe(`${module} takes its data first, and last`, () => {
    for (const [name, [f, args, expected]] of Object.entries(cases[module]!)) {
      const call = f as (...args: ReadonlyArray<unknown>) => unknown
      it(`${name}`, async () => {
        const first = await show(call(...args()))
        const [self, ...rest] = args()
        const later = call(...rest)
        assert.isFunction(later)
        const last = await show((later as (self: unknown) => unknown)(self))
        assert.deepStrictEqual([first, last], [expected, expected])
      })
    }
  })
}
