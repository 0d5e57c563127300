/**
 * Checks that the modules of this library obey the laws of `testing/Laws`. The tests of
 * each module check its other behaviour.
 */
import { describe, it } from "@effect/vitest"
import { Effect, Exit, Option, Scope } from "effect"
import { Finalizer, Heap, WeakKeyMap, WeakMethod, WeakProxy, WeakRef, WeakSet, WeakValueMap } from "../src/index.ts"
import * as Arbitraries from "../src/testing/Arbitraries.ts"
import * as Laws from "../src/testing/Laws.ts"
import { DeadReferenceError } from "../src/WeakError.ts"

const obeys = (name: string, laws: ReadonlyArray<Laws.Law>): void => {
  describe(`${name}`, () => {
    for (const law of laws) it.effect(law.name, () => law.check())
  })
}

const referents = Arbitraries.referents()

/** Runs an effect on the given heap, in a Scope that the result closes. */
const inScope = <A, E>(
  heap: Heap.Heap,
  effect: Effect.Effect<A, E, Scope.Scope>
): readonly [result: A, close: () => void] => {
  const scope = Scope.makeUnsafe()
  const result = Effect.runSync(effect.pipe(
    Effect.provideService(Scope.Scope, scope),
    Effect.provideService(Heap.Heap, heap)
  ))
  return [result, () => Effect.runSync(Scope.close(scope, Exit.void))]
}

describe("WeakRef", () => {
  obeys("make", Laws.reference((heap) => (referent: WeakKey) => WeakRef.makeUnsafe(referent, heap), { referents }))
  obeys(
    "Class",
    Laws.reference((heap) => (referent: WeakKey) => new WeakRef.Class(referent, heap), { referents })
  )
  obeys(
    "KeyedRef",
    Laws.reference((heap) => (referent: WeakKey) => new WeakRef.KeyedRef("key", referent, heap), { referents })
  )
  obeys(
    "make, of equal keys",
    Laws.reference((heap) => (key: Arbitraries.Key) => WeakRef.makeUnsafe(key, heap), { referents: Arbitraries.keys() })
  )
  obeys(
    "Equal and Hash",
    Laws.equality((heap) => (key: Arbitraries.Key) => WeakRef.makeUnsafe(key, heap), Arbitraries.keys())
  )
  obeys(
    "Equal and Hash of Class",
    Laws.equality((heap) => (key: Arbitraries.Key) => new WeakRef.Class(key, heap), Arbitraries.keys())
  )
  obeys(
    "onCollect",
    Laws.finalizer((heap) => (target: WeakKey, callback) => {
      const ref = WeakRef.makeUnsafe(target, heap)
      return inScope(heap, WeakRef.onCollect(ref, () => Effect.sync(callback)))[1]
    }, { referents })
  )
})

/** An object whose method returns the object. */
class Host extends Arbitraries.Key {
  self(): this {
    return this
  }
}

const hosts = Arbitraries.keys().map(({ id }) => new Host(id))

describe("WeakMethod", () => {
  obeys(
    "make",
    Laws.reference((heap) => (host: Host) => {
      const method = WeakMethod.makeUnsafe(host, "self", heap)
      return { deref: () => Option.map(WeakMethod.deref(method), (self) => self()) }
    }, { referents: hosts })
  )
  obeys("Equal and Hash", Laws.equality((heap) => (host: Host) => WeakMethod.makeUnsafe(host, "self", heap), hosts))
  obeys(
    "onCollect",
    Laws.finalizer((heap) => (host: Host, callback) => {
      const method = WeakMethod.makeUnsafe(host, "self", heap)
      return inScope(heap, WeakMethod.onCollect(method, () => Effect.sync(callback)))[1]
    }, { referents: hosts })
  )
})

describe("WeakProxy", () => {
  obeys(
    "make",
    Laws.proxy((heap) => (target) => WeakProxy.makeUnsafe(target, heap), {
      isDeadError: (error) => error instanceof DeadReferenceError
    })
  )
  obeys(
    "deref",
    Laws.reference((heap) => (target) => {
      const proxy = WeakProxy.makeUnsafe(target, heap)
      return { deref: () => WeakProxy.deref(proxy) }
    })
  )
  obeys(
    "onCollect",
    Laws.finalizer((heap) => (target, callback) => {
      const proxy = WeakProxy.makeUnsafe(target, heap)
      return inScope(heap, WeakProxy.onCollect(proxy, () => Effect.sync(callback)))[1]
    })
  )
})

describe("Finalizer", () => {
  obeys(
    "detach",
    Laws.finalizer((heap) => (target: WeakKey, callback) => {
      const [finalizer] = inScope(heap, Finalizer.make(target, Effect.sync(callback)))
      return () => Effect.runSync(Finalizer.detach(finalizer))
    }, { referents })
  )
  obeys(
    "atExit: false, and the Scope closes",
    Laws.finalizer(
      (heap) => (target: WeakKey, callback) =>
        inScope(heap, Finalizer.make(target, Effect.sync(callback), { atExit: false }))[1],
      { referents }
    )
  )
})

for (const compare of ["structural", "reference"] as const) {
  const ordered = true

  describe(`WeakKeyMap, ${compare}`, () => {
    const make = (heap: Heap.Heap): Laws.MapLike<WeakKey, object> => {
      const map = WeakKeyMap.makeUnsafe<WeakKey, object>({ compare }, heap)
      return {
        get: (key) => Option.getOrUndefined(WeakKeyMap.get(map, key)),
        has: (key) => WeakKeyMap.has(map, key),
        set: (key, value) => WeakKeyMap.set(map, key, value),
        delete: (key) => Option.isSome(WeakKeyMap.pop(map, key)),
        [Symbol.iterator]: () => WeakKeyMap.entries(map),
        get size() {
          return WeakKeyMap.size(map)
        }
      }
    }
    obeys("with colliding keys", Laws.weakKeyMap<WeakKey>(make, { compare, ordered, keys: Arbitraries.keys() }))
    if (compare === "reference") {
      obeys("with keys of every kind", Laws.weakKeyMap(make, { compare, ordered, keys: referents }))
    }
  })

  describe(`WeakValueMap, ${compare}`, () => {
    const make = <K>(heap: Heap.Heap): Laws.MapLike<K, object> => {
      const map = WeakValueMap.makeUnsafe<K, object>({ compare }, heap)
      return {
        get: (key) => Option.getOrUndefined(WeakValueMap.get(map, key)),
        has: (key) => WeakValueMap.has(map, key),
        set: (key, value) => WeakValueMap.set(map, key, value),
        delete: (key) => Option.isSome(WeakValueMap.pop(map, key)),
        [Symbol.iterator]: () => WeakValueMap.entries(map),
        get size() {
          return WeakValueMap.size(map)
        }
      }
    }
    obeys("with strings as keys", Laws.weakValueMap(make, { compare, ordered }))
    obeys(
      "with colliding keys",
      Laws.weakValueMap<Arbitraries.Key>(make, { compare, ordered, keys: Arbitraries.keys() })
    )
  })

  describe(`WeakSet, ${compare}`, () => {
    const make = (heap: Heap.Heap): Laws.SetLike<WeakKey> => {
      const set = WeakSet.makeUnsafe<WeakKey>({ compare }, heap)
      return {
        add: (element) => WeakSet.add(set, element),
        has: (element) => WeakSet.has(set, element),
        delete: (element) => {
          const found = WeakSet.has(set, element)
          WeakSet.remove(set, element)
          return found
        },
        [Symbol.iterator]: () => WeakSet.values(set),
        get size() {
          return WeakSet.size(set)
        }
      }
    }
    obeys("with colliding elements", Laws.weakSet<WeakKey>(make, { compare, ordered, keys: Arbitraries.keys() }))
    if (compare === "reference") {
      obeys("with elements of every kind", Laws.weakSet(make, { compare, ordered, keys: referents }))
    }
  })
}

describe("TestHeap", () => {
  obeys("WeakRef", Laws.reference((heap) => (referent: WeakKey) => new heap.WeakRef(referent), { referents }))
  obeys("WeakMap", Laws.weakKeyMap((heap) => new heap.WeakMap<WeakKey, object>(), { keys: referents }))
  obeys(
    "FinalizationRegistry",
    Laws.finalizer((heap) => {
      const registry = new heap.FinalizationRegistry<() => void>((callback) => callback())
      return (target: WeakKey, callback) => {
        const token = {}
        registry.register(target, callback, token)
        return () => void registry.unregister(token)
      }
    }, { referents })
  )
})
