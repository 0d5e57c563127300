/**
 * Runs the same probes on the constructors of a test heap and on the host's, and compares the outcomes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Heap } from "../../src/index.ts"
import { host } from "../../src/internal/host.ts"
import { TestHeap } from "../../src/testing/index.ts"
import { skip } from "../support/host.ts"

/** Untyped, because most probes misuse the constructors. */
interface Constructors {
  readonly WeakRef: new(...args: any) => any
  readonly WeakMap: new(...args: any) => any
  readonly FinalizationRegistry: new(...args: any) => any
}

type Probe = (heap: Constructors) => unknown

/** Returns the result of a probe, or the class of its error. For the probe's own `Error`, returns the message. */
const outcome = (probe: Probe, heap: Constructors): unknown => {
  try {
    return { returned: probe(heap) }
  } catch (error) {
    return error instanceof Error && error.constructor === Error
      ? { threw: error.message }
      : { threw: String(error?.constructor?.name) }
  }
}

const attributes = (object: object, key: PropertyKey) => {
  const { configurable, enumerable, value, writable } = Object.getOwnPropertyDescriptor(object, key) ?? {}
  return { configurable, enumerable, writable, type: typeof value, text: typeof value === "string" ? value : undefined }
}

/** Returns the attributes of all properties of an object. */
const shape = (object: object) =>
  Reflect.ownKeys(object)
    .filter((key) => key !== "caller" && key !== "arguments")
    .map((key) => [String(key), attributes(object, key)] as const)
    .toSorted(([a], [b]) => a < b ? -1 : 1)

const names = ["WeakRef", "WeakMap", "FinalizationRegistry"] as const
const args: Record<typeof names[number], ReadonlyArray<unknown>> = {
  WeakRef: [{}],
  WeakMap: [],
  FinalizationRegistry: [() => {}]
}
const notHeldWeakly = [undefined, null, 1, "text", true, 1n, Symbol.for("registered")]
const notCallable = [undefined, null, 1, "text", {}, Symbol("mine")]

const ofEach: Record<string, (name: typeof names[number]) => Probe> = {
  "has the name and the length": (name) => (heap) => [heap[name].name, heap[name].length],
  "has the properties and attributes": (name) => (heap) => shape(heap[name]),
  "has a prototype with the properties and attributes": (name) => (heap) => shape(heap[name].prototype),
  "has methods with the names, lengths and attributes": (name) => (heap) =>
    Reflect.ownKeys(heap[name].prototype).map((key) => [key, heap[name].prototype[key]] as const)
      .filter(([key, value]) => typeof value === "function" && key !== "constructor")
      .map(([key, value]) => [String(key), shape(value), value.name, value.length])
      .toSorted(([a], [b]) => String(a) < String(b) ? -1 : 1),
  "has methods that are not constructors": (name) => (heap) =>
    Reflect.ownKeys(heap[name].prototype).filter((key) => typeof key === "string" && key !== "constructor").toSorted()
      .map((key) => outcome(() => new heap[name].prototype[key](), heap)),
  "inherits from Function.prototype, and its prototype from Object.prototype": (name) => (heap) => [
    Object.getPrototypeOf(heap[name]) === Function.prototype,
    Object.getPrototypeOf(heap[name].prototype) === Object.prototype,
    heap[name].prototype.constructor === heap[name]
  ],
  "throws when it is called without new": (name) => (heap) => (heap[name] as any)(...args[name]),
  "makes instances without own properties": (name) => (heap) => {
    const made = new heap[name](...args[name])
    return [
      Reflect.ownKeys(made),
      Object.isExtensible(made),
      Object.prototype.toString.call(made),
      made instanceof heap[name]
    ]
  },
  "has instances whose tag comes from the prototype": (name) => (heap) => {
    const made = Object.setPrototypeOf(new heap[name](...args[name]), null)
    return Object.prototype.toString.call(made)
  },
  "can be subclassed": (name) => (heap) => {
    class Sub extends heap[name] {
      readonly own = 1
    }
    const made: any = new Sub(...args[name])
    return [made instanceof Sub, made instanceof heap[name], made.own, Object.getPrototypeOf(made) === Sub.prototype]
  },
  "uses the prototype of newTarget": (name) => (heap) => {
    const prototype = {}
    const newTarget = Object.assign(function() {}, { prototype })
    return Object.getPrototypeOf(Reflect.construct(heap[name], args[name], newTarget)) === prototype
  },
  "uses its own prototype if the prototype of newTarget is not an object": (name) => (heap) =>
    [undefined, null, 1, "text", Symbol("mine"), true].map((prototype) => {
      const newTarget = Object.assign(function() {}, { prototype })
      return Object.getPrototypeOf(Reflect.construct(heap[name], args[name], newTarget)) === heap[name].prototype
    }),
  "reads the prototype of newTarget once, and throws its error": (name) => (heap) => {
    let reads = 0
    const newTarget = new Proxy(function() {}, {
      get: (target, key) => {
        if (key === "prototype") reads++
        return Reflect.get(target, key)
      }
    })
    Reflect.construct(heap[name], args[name], newTarget)
    const throwing = new Proxy(function() {}, {
      get: () => {
        throw new Error("from the getter")
      }
    })
    return [reads, outcome(() => Reflect.construct(heap[name], args[name], throwing), heap)]
  },
  "has methods that check their receiver": (name) => (heap) => {
    const { prototype } = heap[name]
    const receivers = [undefined, null, 1, "text", {}, [], prototype, new Map(), new Set(), new WeakSet(), () => {}]
    const others = names.filter((other) => other !== name).map((other) => new heap[other](...args[other]))
    return ["deref", "get", "has", "set", "delete", "register", "unregister"].filter((key) => key in prototype)
      .map((key) =>
        [...receivers, ...others, Object.create(new heap[name](...args[name]))].map((receiver) =>
          outcome(() => prototype[key].call(receiver, {}, 1), heap)
        )
      )
  },
  "accepts an instance of a subclass that hides the methods": (name) => (heap) => {
    const made = new heap[name](...args[name])
    for (const key of ["deref", "get", "has", "set", "delete"]) {
      made[key] = () => assert.fail("went through the instance")
    }
    const { prototype } = heap[name]
    const key = {}
    return ["set", "has", "get", "delete", "deref"].filter((method) => method in prototype)
      .map((method) => typeof prototype[method].call(made, key, 1))
  }
}

const probes: Record<string, Probe> = {
  "WeakRef refuses targets that cannot be held weakly": (heap) =>
    notHeldWeakly.map((value) => outcome(() => new heap.WeakRef(value), heap)),
  "WeakRef checks its target before it reads the prototype": (heap) => {
    const newTarget = new Proxy(function() {}, {
      get: () => {
        throw new Error("read the prototype")
      }
    })
    return Reflect.construct(heap.WeakRef, [1], newTarget)
  },
  "WeakRef accepts objects, functions and symbols": (heap) =>
    [{}, () => {}, Symbol("mine"), Symbol.iterator].map((target) => new heap.WeakRef(target).deref() === target),
  "WeakMap accepts entries, null and undefined": (heap) => {
    const key = {}
    return [
      new heap.WeakMap([[key, 1]]).get(key),
      new heap.WeakMap(null).has(key),
      new heap.WeakMap(undefined).has(key)
    ]
  },
  "WeakMap refuses keys that cannot be held weakly": (heap) => {
    const map = new heap.WeakMap()
    return notHeldWeakly.map((key) => [
      outcome(() => map.set(key, 1), heap),
      map.get(key),
      map.has(key),
      map.delete(key),
      outcome(() => new heap.WeakMap([[key, 1]]), heap)
    ])
  },
  "WeakMap refuses values that are not iterable, and entries that are not objects": (heap) =>
    [1, {}, [1], ["ab"], [undefined], [null]].map((entries) => outcome(() => new heap.WeakMap(entries), heap)),
  "WeakMap reads entries as [0] and [1], in this order": (heap) => {
    const log: Array<string> = []
    const key = {}
    const entry = {
      get 0() {
        log.push("0")
        return key
      },
      get 1() {
        log.push("1")
        return "value"
      },
      [Symbol.iterator]: () => assert.fail("iterated over an entry")
    }
    return [new heap.WeakMap([entry]).get(key), log]
  },
  "WeakMap closes the iterator if an entry is not an object": (heap) =>
    [1, [1], {
      get 0(): never {
        throw new Error("key")
      }
    }, {
      0: {},
      get 1(): never {
        throw new Error("value")
      }
    }].map((entry) => {
      let closed = 0
      const entries = {
        [Symbol.iterator]: () => ({
          next: () => ({ done: false, value: entry }),
          return: () => {
            closed++
            return {}
          }
        })
      }
      return [outcome(() => new heap.WeakMap(entries), heap), closed]
    }),
  "WeakMap does not close an iterator that fails": (heap) => {
    let closed = 0
    const entries = {
      [Symbol.iterator]: () => ({
        next: () => {
          throw new Error("from next")
        },
        return: () => void closed++
      })
    }
    return [outcome(() => new heap.WeakMap(entries), heap), closed]
  },
  "WeakMap adds entries with the `set` of the instance, read once": (heap) => {
    const log: Array<string> = []
    class Sub extends heap.WeakMap {
      get set() {
        log.push("read")
        return (_key: unknown, value: unknown) => log.push(String(value))
      }
    }
    const made = [new Sub([[{}, 1], [{}, 2]]), new Sub()]
    return [made.length, log]
  },
  "WeakMap refuses a `set` that cannot be called, before it iterates": (heap) => {
    class Sub extends heap.WeakMap {}
    Object.defineProperty(Sub.prototype, "set", { value: 1 })
    const entries = { [Symbol.iterator]: () => assert.fail("iterated") }
    return [outcome(() => new Sub(entries), heap), outcome(() => typeof new Sub(), heap)]
  },
  "WeakMap sets, replaces and deletes": (heap) => {
    const map = new heap.WeakMap()
    const [key, symbol] = [{}, Symbol("mine")]
    return [
      map.set(key, 1) === map,
      map.set(symbol, undefined) === map,
      map.get(key),
      map.has(symbol),
      map.get(symbol),
      map.set(key, 2).get(key),
      map.delete(key),
      map.delete(key),
      map.has(key)
    ]
  },
  "FinalizationRegistry refuses a clean-up that cannot be called": (heap) =>
    notCallable.map((cleanup) => outcome(() => new heap.FinalizationRegistry(cleanup), heap)),
  "FinalizationRegistry refuses targets that cannot be held weakly": (heap) => {
    const registry = new heap.FinalizationRegistry(() => {})
    return notHeldWeakly.map((target) => outcome(() => registry.register(target, 0), heap))
  },
  "FinalizationRegistry refuses the target as the held value": (heap) => {
    const registry = new heap.FinalizationRegistry(() => {})
    const [object, symbol] = [{}, Symbol("mine")]
    return [
      outcome(() => registry.register(object, object), heap),
      outcome(() => registry.register(symbol, symbol), heap)
    ]
  },
  "FinalizationRegistry registers, and returns nothing": (heap) => {
    const registry = new heap.FinalizationRegistry(() => {})
    const target = {}
    return [
      registry.register(target, 0),
      registry.register(target, 0, undefined),
      registry.register(target, 0, target),
      registry.register(Symbol("mine"), target, Symbol("token")),
      registry.register(registry, 0, registry)
    ]
  },
  "FinalizationRegistry refuses tokens that cannot be held weakly": (heap) => {
    const registry = new heap.FinalizationRegistry(() => {})
    return notHeldWeakly.map((token) => [
      outcome(() => registry.register({}, 0, token), heap),
      outcome(() => registry.unregister(token), heap)
    ])
  },
  "FinalizationRegistry unregisters all registrations of a token at once": (heap) => {
    const registry = new heap.FinalizationRegistry(() => {})
    const token = {}
    registry.register({}, 1, token)
    registry.register({}, 2, token)
    return [registry.unregister({}), registry.unregister(token), registry.unregister(token)]
  },
  "FinalizationRegistry registers nothing if an argument is wrong": (heap) => {
    const registry = new heap.FinalizationRegistry(() => {})
    const token = {}
    return [
      outcome(() => registry.register(token, token, token), heap),
      outcome(() => registry.register(1, 0, token), heap),
      registry.unregister(token)
    ]
  }
}

const upsert: Record<string, Probe> = {
  "getOrInsert and getOrInsertComputed check the key": (heap) => {
    const map = new heap.WeakMap()
    return notHeldWeakly.map((key) => [
      outcome(() => map.getOrInsert(key, 1), heap),
      outcome(() => map.getOrInsertComputed(key, () => assert.fail("computed")), heap)
    ])
  },
  "getOrInsertComputed checks the callback, even if the map has the key": (heap) => {
    const [key, other] = [{}, {}]
    const map = new heap.WeakMap([[key, 1]])
    return notCallable.map((callback) => [
      outcome(() => map.getOrInsertComputed(key, callback), heap),
      outcome(() => map.getOrInsertComputed(other, callback), heap)
    ])
  },
  "getOrInsertComputed calls the callback with the key and without a this": (heap) => {
    const key = {}
    const log: Array<unknown> = []
    const map = new heap.WeakMap()
    const value = map.getOrInsertComputed(key, function(this: unknown, ...args: Array<unknown>) {
      log.push(this, args.length, args[0] === key, map.has(key))
      map.set(key, "meanwhile")
      return "computed"
    })
    return [value, map.get(key), log, map.getOrInsertComputed(key, () => "again"), map.getOrInsert(key, "again")]
  },
  "getOrInsertComputed inserts nothing if the callback throws": (heap) => {
    const key = {}
    const map = new heap.WeakMap()
    const threw = outcome(() =>
      map.getOrInsertComputed(key, () => {
        throw new Error("from the callback")
      }), heap)
    return [threw, map.has(key)]
  },
  "getOrInsert finds values that are undefined": (heap) => {
    const key = {}
    return new heap.WeakMap([[key, undefined]]).getOrInsert(key, 1)
  },
  "getOrInsert and getOrInsertComputed check their receiver": (heap) => {
    const { getOrInsert, getOrInsertComputed } = heap.WeakMap.prototype
    return [undefined, 1, {}, new Map(), new Set(), heap.WeakMap.prototype].map((receiver) => [
      outcome(() => getOrInsert.call(receiver, {}, 1), heap),
      outcome(() => getOrInsertComputed.call(receiver, {}, () => 1), heap)
    ])
  }
}

describe("TestHeap's constructors compared with the host's", () => {
  const hostHasUpsert = "getOrInsertComputed" in host.WeakMap.prototype
  const hostHasSymbols = Heap.isWeakReferenceable(Symbol("mine"))

  const compare = (name: string, probe: Probe, hasUpsert = true) => {
    it(`${name}`, () => {
      if (!hostHasSymbols) return skip("the engine has no symbols as weak keys")
      if (!hasUpsert) return skip("the engine has no WeakMap.getOrInsert")
      const expected = outcome(probe, host)
      assert.deepStrictEqual(outcome(probe, TestHeap.makeUnsafe().heap), expected)
    })
  }

  for (const name of names) {
    for (const [what, probe] of Object.entries(ofEach)) {
      // A host without the newest methods has other methods than the test heap.
      compare(`${name} ${what}`, probe(name), name !== "WeakMap" || hostHasUpsert)
    }
  }
  for (const [name, probe] of Object.entries(probes)) compare(name, probe)
  for (const [name, probe] of Object.entries(upsert)) compare(name, probe, hostHasUpsert)

  it("the probes detect a constructor that differs from the host's", () => {
    class Sloppy {
      readonly [Symbol.toStringTag] = "WeakRef"
      deref() {}
    }
    const differ = Object.values(ofEach).filter((probe) => {
      const sloppy = { ...host, WeakRef: Sloppy }
      return JSON.stringify(outcome(probe("WeakRef"), sloppy)) !== JSON.stringify(outcome(probe("WeakRef"), host))
    })
    assert.isAtLeast(differ.length, 6)
  })
})

describe("TestHeap's constructors after a collection", () => {
  const register = (registry: FinalizationRegistry<string>, held: string, token?: object) => {
    const target = {}
    registry.register(target, held, token)
    return target
  }

  it("call a clean-up with only the held value, and without a this", () => {
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    const calls: Array<unknown> = []
    const registry = new heap.FinalizationRegistry<string>(function(this: unknown, ...args) {
      calls.push([this, args])
    })
    collect(register(registry, "held"))
    finalize()
    assert.deepStrictEqual(calls, [[undefined, ["held"]]])
  })

  it("unregister nothing with a token that was collected", () => {
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    const log: Array<string> = []
    const registry = new heap.FinalizationRegistry<string>((held) => log.push(held))
    const token = {}
    const target = register(registry, "first", token)
    collect(token)
    assert.isFalse(registry.unregister(token))
    const second = register(registry, "second", token)
    assert.isTrue(registry.unregister(token))
    collect(target, second)
    finalize()
    assert.deepStrictEqual(log, ["first"])
  })

  it("accept the instances of another test heap, which keep their state", () => {
    const [a, b] = [TestHeap.makeUnsafe(), TestHeap.makeUnsafe()]
    const target = {}
    const ref = new a.heap.WeakRef(target)
    b.collect(target)
    assert.strictEqual(b.heap.WeakRef.prototype.deref.call(ref), target)
    a.collect(target)
    assert.isUndefined(b.heap.WeakRef.prototype.deref.call(ref))
    assert.isFalse(ref instanceof b.heap.WeakRef)
  })

  it("are new for each heap", () => {
    const [a, b] = [TestHeap.makeUnsafe().heap, TestHeap.makeUnsafe().heap]
    assert.notStrictEqual(a.WeakRef.prototype.deref, b.WeakRef.prototype.deref)
    assert.notStrictEqual(a.WeakMap.prototype.get, b.WeakMap.prototype.get)
    assert.notStrictEqual(a.FinalizationRegistry.prototype.register, b.FinalizationRegistry.prototype.register)
  })
})
