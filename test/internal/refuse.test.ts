import { assert, describe, it, vi } from "@effect/vitest"
import { Cause, Effect, Exit, Option, Scope } from "effect"
import * as Library from "../../src/index.ts"
import { refuse } from "../../src/internal/refuse.ts"

const { Finalizer, WeakMethod, WeakProxy, WeakRef } = Library

type Copy = typeof Library

/** The modules by their names. */
const modules: Copy = { ...Library }

const target = { id: 1, on() {} }

/** Returns a value of each type of a copy of the package. */
const valuesOf = async (copy: Copy) => {
  const scope = Scope.makeUnsafe()
  const open = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) => Effect.runPromise(Scope.provide(effect, scope))
  const WeakRef = copy.WeakRef.makeUnsafe(target)
  const WeakListeners = copy.WeakListeners.makeUnsafe<string>()
  return {
    WeakRef,
    Callback: await open(copy.WeakRef.onCollect(WeakRef, () => Effect.void)),
    WeakMethod: copy.WeakMethod.makeUnsafe(target, "on"),
    WeakProxy: copy.WeakProxy.makeUnsafe(target),
    Finalizer: copy.Finalizer.makeUnsafe(target, Effect.void),
    Interner: copy.Interner.makeUnsafe<object>(),
    WeakCache: await open(copy.WeakCache.make({ lookup: (key: string) => Effect.succeed({ key }), capacity: 1 })),
    WeakKeyMap: copy.WeakKeyMap.set(copy.WeakKeyMap.makeUnsafe<object, number>(), target, 1),
    WeakListeners,
    Listener: copy.WeakListeners.addUnsafe(WeakListeners, target, () => {}),
    WeakSet: copy.WeakSet.add(copy.WeakSet.makeUnsafe<object>(), target),
    WeakValueMap: copy.WeakValueMap.set(copy.WeakValueMap.makeUnsafe<string, object>(), "a", target)
  }
}

type Values = Awaited<ReturnType<typeof valuesOf>>

type Arguments = ReadonlyArray<unknown>

const effect = () => Effect.void
const constant = () => 0

/** What the functions take after the value. Those with arguments have a data-last form. */
const functions: { readonly [K in keyof Values]?: Record<string, Arguments> } = {
  WeakRef: {
    isAlive: [],
    deref: [],
    get: [],
    pin: [],
    use: [effect],
    onCollect: [effect],
    refersTo: [target]
  },
  WeakMethod: {
    isAlive: [],
    deref: [],
    invoke: [],
    onCollect: [effect],
    refersTo: [target, "on"]
  },
  WeakProxy: { deref: [], use: [effect], onCollect: [effect] },
  Finalizer: {
    atExit: [],
    cancel: [],
    detach: [],
    isAlive: [],
    peek: [],
    run: [],
    setAtExit: [false]
  },
  Interner: { has: [target], intern: [target], size: [] },
  WeakCache: {
    entries: [],
    get: ["a"],
    getOption: ["a"],
    getSuccess: ["a"],
    has: ["a"],
    invalidate: ["a"],
    invalidateAll: [],
    invalidateWhen: ["a", constant],
    keys: [],
    peek: ["a"],
    refresh: ["a"],
    set: ["a", target],
    setCapacity: [1],
    size: [],
    stats: [],
    trim: [1],
    use: ["a", effect],
    values: []
  },
  WeakKeyMap: {
    copy: [],
    copyWith: [constant],
    count: [],
    entries: [],
    forEach: [constant],
    get: [target],
    getOrSet: [target, constant],
    has: [target],
    isEmpty: [],
    keyRefs: [],
    keys: [],
    modify: [target, constant],
    modifyAt: [target, () => Option.none()],
    pop: [target],
    popEntry: [],
    remove: [target],
    set: [target, 1],
    setAll: [[]],
    size: [],
    union: [[]],
    values: [],
    clear: []
  },
  WeakValueMap: {
    copy: [],
    copyWith: [String],
    count: [],
    entries: [],
    forEach: [constant],
    get: ["a"],
    getOrSet: ["a", () => target],
    has: ["a"],
    isEmpty: [],
    keys: [],
    modify: ["a", () => target],
    modifyAt: ["a", () => Option.none()],
    pop: ["a"],
    popEntry: [],
    remove: ["a"],
    set: ["a", target],
    setAll: [[]],
    size: [],
    union: [[]],
    valueRefs: [],
    values: [],
    clear: []
  },
  WeakSet: {
    add: [target],
    addAll: [[]],
    copy: [],
    count: [],
    difference: [[]],
    equals: [[]],
    forEach: [constant],
    has: [target],
    intersection: [[]],
    isDisjoint: [[]],
    isEmpty: [],
    isProperSubset: [[]],
    isProperSuperset: [[]],
    isSubset: [[]],
    isSuperset: [[]],
    pop: [],
    refs: [],
    remove: [target],
    removeAll: [[]],
    retainAll: [[]],
    size: [],
    symmetricDifference: [[]],
    toggleAll: [[]],
    union: [[]],
    values: [],
    clear: []
  },
  WeakListeners: {
    add: [target, constant],
    addMethod: [target, "on"],
    addMethodUnsafe: [target, "on"],
    addUnsafe: [target, constant],
    publish: ["event"],
    remove: [target],
    size: []
  }
}

/** The functions whose first argument is not a value of their module, or which are called below. */
const others = /^(?:make|makeUnsafe|makeWith|makeScoped|fromIterable|is[A-Z].*|[A-Z].*|equals)$/
const othersOf: Partial<Record<keyof Copy, RegExp>> = {
  WeakRef: /^(?:all|cancel|count|holdWhile|keepAlive|keepAliveUnsafe)$/,
  WeakListeners: /^(?:listen|listenUnsafe|stop)$/
}

/** The operations with values of another copy, or with the same values of this copy. */
const operations: Record<string, (foreign: Values, own: Values) => unknown> = {
  "WeakRef.cancel": ({ Callback }) => WeakRef.cancel(Callback),
  "WeakListeners.stop": ({ Listener }) => Library.WeakListeners.stop(Listener)
}
for (const [module, withArguments] of Object.entries(functions)) {
  // The tables above have the arguments that the functions take.
  const exported = modules[module as keyof Copy] as unknown as Record<string, (...args: Arguments) => any>
  const of = (values: Values) => values[module as keyof Values]
  for (const [name, args] of Object.entries(withArguments)) {
    operations[`${module}.${name}`] = (foreign) => exported[name]!(of(foreign), ...args)
    if (args.length === 0) continue
    operations[`${module}.${name}, data-last`] = (foreign) => exported[name]!(...args)(of(foreign))
  }
  const { equals } = exported
  // The other argument of `WeakSet.equals` can be any iterable.
  if (equals === undefined || module === "WeakSet") continue
  operations[`${module}.equals of this copy's`] = (foreign, own) => equals(of(own), of(foreign))
  operations[`${module}.equals of the other copy's`] = (foreign, own) => equals(of(foreign), of(own))
  operations[`${module}.equals, data-last`] = (foreign, own) => equals(of(own))(of(foreign))
}

/** Returns what an operation throws, or what its effect dies with. */
const errorOf = (operation: () => unknown): unknown => {
  try {
    const result = operation()
    if (!Effect.isEffect(result)) return undefined
    const exit = Effect.runSyncExit(Effect.scoped(result as Effect.Effect<unknown>))
    return Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
  } catch (error) {
    return error
  }
}

describe("refuse", () => {
  it.for(Object.keys(functions))("the tests call each function of %s", (module) => {
    const names = Object.keys(modules[module as keyof Copy])
      .filter((name) => !others.test(name) && !othersOf[module as keyof Copy]?.test(name))
    assert.sameMembers(names, Object.keys(functions[module as keyof Values]!).filter((name) => !others.test(name)))
  })

  describe("values of another copy", async () => {
    const own = await valuesOf(Library)
    vi.resetModules()
    const foreign = await valuesOf(await import("../../src/index.ts"))

    it.for(Object.entries(operations))("%s", ([, operation]) => {
      const error = errorOf(() => operation(foreign, own))
      assert.instanceOf(error, TypeError)
      assert.match(error.message, /^This \w+ was created by another copy of effect-weakref, /)
      assert.isUndefined(errorOf(() => operation(own, own)))
    })

    it("no guard accepts them", () => {
      const guards = Object.values(Library).flatMap((module) => Object.entries(module))
        .filter((entry): entry is [string, (u: unknown) => boolean] => /^is[A-Z].*/.test(entry[0]))
        .filter(([name]) => !/^is(?:WeakReferenceable|Alive|Empty|Subset|Superset|Proper|Disjoint)/.test(name))
      const accepted = (values: Values) =>
        guards.filter(([, guard]) => Object.values(values).some(guard)).map(([name]) => name)
      assert.deepStrictEqual(accepted(foreign), [])
      assert.deepStrictEqual(accepted(own).length, Object.keys(own).length - 1)
    })
  })

  it("names the expected type for a value of another kind", () => {
    const wrong: any = { name: "Ada" }
    assert.throws(() => WeakRef.isAlive(wrong), TypeError, /^Expected a WeakRef, but got \[object Object\]$/)
    assert.throws(() => WeakMethod.isAlive(wrong), TypeError, /^Expected a WeakMethod, but got /)
    assert.throws(() => WeakProxy.deref(wrong), TypeError, /^Expected a WeakProxy, but got /)
    for (const nothing of [undefined, null] as Array<any>) {
      assert.throws(() => WeakRef.isAlive(nothing), TypeError, "Expected a WeakRef, but got")
      assert.throws(() => Library.WeakSet.size(nothing), TypeError, "Expected a WeakSet, but got")
      assert.throws(() => Library.WeakKeyMap.size(nothing), TypeError, "Expected a WeakKeyMap, but got")
      assert.throws(() => Library.WeakValueMap.size(nothing), TypeError, "Expected a WeakValueMap, but got")
    }
    assert.throws(() => Finalizer.isAlive(wrong), TypeError, /^Expected a Finalizer, but got /)
    assert.throws(
      () => refuse(undefined, "~effect-weakref/WeakRef/Callback"),
      /^Expected a Callback, but got undefined$/
    )
    // A getter that throws does not hide the error.
    assert.throws(() => refuse(Proxy.revocable({}, {}).proxy, "~effect-weakref/WeakRef"), /^Expected a WeakRef/)
  })
})
