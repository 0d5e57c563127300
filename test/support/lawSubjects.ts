/**
 * Hand-written weak data types, as an application would write them. Each correct type
 * obeys every law. Each of the `…Mistakes` breaks exactly one law. The `…Variants` are
 * further mistakes, grouped by a law that they break.
 */
import { Equal, Hash } from "effect"
import type { Heap } from "../../src/Heap.ts"
import type { Key } from "../../src/testing/Arbitraries.ts"
import type * as Laws from "../../src/testing/Laws.ts"

/** Mistakes by the law that they break, and by what is wrong. */
export type Variants<Subject> = Readonly<Record<string, Readonly<Record<string, Subject>>>>

/** Whether a law forces collections, which take their time. */
export const forcesCollections = ({ name }: Pick<Laws.Law, "name">): boolean =>
  /not keep .* alive$|leaves nothing behind$/.test(name)

// Values

/** Compares like the key that it wraps. */
export class Wrapped implements Equal.Equal {
  readonly ref: WeakRef<Key>
  readonly id: number

  constructor(key: Key, heap: Heap) {
    this.ref = new heap.WeakRef(key)
    this.id = key.id
  }

  [Equal.symbol](that: Wrapped): boolean {
    return this.id === that.id
  }

  [Hash.symbol](): number {
    return 7
  }
}

/** Is equal only to itself when it is dead, as a reference may be. */
export class WrappedWhileAlive extends Wrapped {
  override [Equal.symbol](that: Wrapped): boolean {
    return this === that ||
      this.ref.deref() !== undefined && that.ref.deref() !== undefined && super[Equal.symbol](that)
  }
}

export const equalityMistakes: Readonly<Record<string, typeof Wrapped>> = {
  "is reflexive": class extends Wrapped {
    override [Equal.symbol](that: Wrapped): boolean {
      return this !== that && super[Equal.symbol](that)
    }
  },
  "is symmetric": class extends Wrapped {
    override [Equal.symbol](that: Wrapped): boolean {
      return this.id <= that.id
    }
  },
  "is transitive": class extends Wrapped {
    override [Equal.symbol](that: Wrapped): boolean {
      return Math.abs(this.id - that.id) <= 1
    }
  },
  "equal values have equal hashes": class extends Wrapped {
    readonly own = nextHash++
    override [Hash.symbol](): number {
      return this.own
    }
  },
  "is stable after death": class extends Wrapped {
    override [Hash.symbol](): number {
      return this.ref.deref() === undefined ? 0 : 7
    }
  }
}

let nextHash = 0

export const equalityVariants: Variants<typeof Wrapped> = {
  "equal values have equal hashes": {
    "has another hash at each call": class extends Wrapped {
      override [Hash.symbol](): number {
        return nextHash++
      }
    }
  },
  "is stable after death": {
    "is no longer equal to itself": class extends Wrapped {
      override [Equal.symbol](that: Wrapped): boolean {
        return this.ref.deref() !== undefined && super[Equal.symbol](that)
      }
    },
    "is equal to all dead values": class extends Wrapped {
      override [Equal.symbol](that: Wrapped): boolean {
        return super[Equal.symbol](that) || this.ref.deref() === that.ref.deref()
      }
    }
  }
}

// References

type MakeReference = (heap: Heap) => (referent: object) => Laws.ReferenceLike<object>

export const makeReference: MakeReference = (heap) => (referent) => new heap.WeakRef(referent)

class EqualToAll implements Equal.Equal {
  readonly ref: WeakRef<object>

  constructor(ref: WeakRef<object>) {
    this.ref = ref
  }

  deref(): object | undefined {
    return this.ref.deref()
  }

  [Equal.symbol](): boolean {
    return true
  }

  [Hash.symbol](): number {
    return 7
  }
}

/** These use the host's `WeakRef` where they must not retain the referent: otherwise they would break two laws. */
export const referenceMistakes: Readonly<Record<string, MakeReference>> = {
  "dereferences to its referent while it is alive": (heap) => (referent) => {
    const ref = new heap.WeakRef(referent)
    let reads = 0
    return { deref: () => reads++ === 0 ? ref.deref() : undefined }
  },
  "dereferences to nothing after collection": (heap) => (referent) => {
    // Dies when the clean-up runs, not when the target is collected.
    const state = { ref: new WeakRef(referent), dead: false, registry: undefined as unknown }
    const registry = new heap.FinalizationRegistry<void>(() => void (state.dead = true))
    registry.register(referent)
    state.registry = registry
    return { deref: () => state.dead ? undefined : state.ref.deref() }
  },
  "stays dead": (heap) => (referent) => {
    const ref = new heap.WeakRef(referent)
    const fallback = new WeakRef(referent)
    let misses = 0
    return { deref: () => ref.deref() ?? (misses++ > 0 ? fallback.deref() : undefined) }
  },
  "a new reference does not revive an old one": (heap) => {
    const shared = new WeakMap<object, { ref: WeakRef<object> }>()
    return (referent) => {
      const ref = new heap.WeakRef(referent)
      const cell = shared.get(referent) ?? { ref }
      cell.ref = ref
      shared.set(referent, cell)
      return { deref: () => cell.ref.deref() }
    }
  },
  "equal references have equal referents and hashes": (heap) => (referent) =>
    new EqualToAll(new heap.WeakRef(referent)),
  "does not keep its referent alive": (heap) => {
    const kept: Array<object> = []
    return (referent) => {
      kept.push(referent)
      const ref = new heap.WeakRef(referent)
      return { deref: () => kept.length > 0 ? ref.deref() : undefined }
    }
  }
}

/** Compares referents by identity while they are alive, and itself afterwards. */
class Compared extends EqualToAll {
  override [Equal.symbol](that?: unknown): boolean {
    return that === this || that instanceof Compared && that.deref() !== undefined && that.deref() === this.deref()
  }
}

export const makeComparedReference: MakeReference = (heap) => (referent) => new Compared(new heap.WeakRef(referent))

class HashedApart extends EqualToAll {
  readonly own = nextHash++

  override [Equal.symbol](that?: unknown): boolean {
    return that instanceof HashedApart && that.deref() === this.deref()
  }

  override [Hash.symbol](): number {
    return this.own
  }
}

let missed = 0

export const referenceVariants: Variants<MakeReference> = {
  "dereferences to its referent while it is alive": {
    "returns another object": (heap) => (referent) => {
      const ref = new heap.WeakRef(referent)
      return { deref: () => ref.deref() && {} }
    },
    "refers to the newest referent": (heap) => {
      let newest: WeakRef<object>
      return (referent) => {
        const ref = newest = new heap.WeakRef(referent)
        return { deref: () => ref.deref() && newest.deref() }
      }
    },
    "dies with another referent": (heap) => {
      const refs: Array<WeakRef<object>> = []
      return (referent) => {
        const ref = new heap.WeakRef(referent)
        refs.push(ref)
        return { deref: () => refs.every((ref) => ref.deref() !== undefined) ? ref.deref() : undefined }
      }
    },
    "dies at the first clean-up": (heap) => {
      let over = false
      const registry = new heap.FinalizationRegistry<void>(() => void (over = true))
      return (referent) => {
        const ref = new heap.WeakRef(referent)
        registry.register(referent)
        return { deref: () => over ? undefined : ref.deref() }
      }
    },
    // The read between two collections fails, the read at the end does not.
    "dies for a moment": (heap) => (referent) => {
      const ref = new heap.WeakRef(referent)
      let reads = 0
      return { deref: () => reads++ === 0 ? undefined : ref.deref() }
    }
  },
  "dereferences to nothing after collection": {
    "remembers weakly what it has read": (heap) => (referent) => {
      const ref = new heap.WeakRef(referent)
      let read: WeakRef<object> | undefined
      return {
        deref: () => {
          const value = ref.deref() ?? read?.deref()
          if (value !== undefined) read = new WeakRef(value)
          return value
        }
      }
    },
    "is alive again after the clean-up": (heap) => (referent) => {
      const ref = new heap.WeakRef(referent)
      const state = { fallback: new WeakRef(referent), clean: false, registry: undefined as unknown }
      const registry = new heap.FinalizationRegistry<void>(() => void (state.clean = true))
      registry.register(referent)
      state.registry = registry
      return { deref: () => ref.deref() ?? (state.clean ? state.fallback.deref() : undefined) }
    },
    "only the first reference dies": (heap) => {
      let count = 0
      return (referent) => count++ === 0 ? new heap.WeakRef(referent) : new WeakRef(referent)
    }
  },
  "stays dead": {
    "is alive again after a clean-up": (heap) => (referent) => {
      const ref = new heap.WeakRef(referent)
      const state = { fallback: new WeakRef(referent), clean: false, registry: undefined as unknown }
      const registry = new heap.FinalizationRegistry<void>(() => void (state.clean = true))
      registry.register(referent)
      state.registry = registry
      return { deref: () => ref.deref() ?? (state.clean ? state.fallback.deref() : undefined) }
    },
    "is alive again when another has died": (heap) => {
      const refs: Array<WeakRef<object>> = []
      return (referent) => {
        const ref = new heap.WeakRef(referent)
        refs.push(ref)
        const fallback = new WeakRef(referent)
        return {
          deref: () =>
            ref.deref() ?? (refs.filter((ref) => ref.deref() === undefined).length > 1 ? fallback.deref() : undefined)
        }
      }
    }
  },
  "a new reference does not revive an old one": {
    "the new one is dead too": (heap) => {
      const shared = new WeakMap<object, WeakRef<object>>()
      return (referent) => {
        const ref = shared.get(referent) ?? new heap.WeakRef(referent)
        shared.set(referent, ref)
        return ref
      }
    }
  },
  "equal references have equal referents and hashes": {
    "has a hash of its own": (heap) => (referent) => new HashedApart(new heap.WeakRef(referent)),
    "cannot be compared": (heap) => (referent) =>
      Object.assign(new EqualToAll(new heap.WeakRef(referent)), {
        [Equal.symbol]: () => {
          throw new Error("not comparable")
        }
      })
  },
  "does not keep its referent alive": {
    "keeps the newest referent": (heap) => {
      let newest: object | undefined
      return (referent) => {
        newest = referent
        const ref = new heap.WeakRef(referent)
        return { deref: () => newest && ref.deref() }
      }
    },
    "keeps what was read last": (heap) => {
      let last: object | undefined
      return (referent) => {
        const ref = new heap.WeakRef(referent)
        return { deref: () => last = ref.deref() ?? (last === undefined ? undefined : void missed++) }
      }
    }
  }
}

// Proxies

type MakeProxy = (heap: Heap) => (target: object) => object

function shell() {}

/** Creates a constructor without a prototype property. Each proxy needs its own, because a mistake may change it. */
const makeCallable = (): object => shell.bind(undefined)

interface ProxyOptions {
  readonly handler?: (read: () => any) => ProxyHandler<object>
  readonly omit?: keyof ProxyHandler<object>
  readonly reference?: (heap: Heap) => (target: object) => { deref: () => object | undefined }
}

const proxyWith = ({ handler, omit, reference }: ProxyOptions = {}): MakeProxy => (heap) => {
  const refer = reference?.(heap) ?? ((target) => new heap.WeakRef(target))
  return (target) => {
    const ref = refer(target)
    const read = (): any => {
      const target = ref.deref()
      if (target === undefined) throw new ReferenceError("collected")
      return target
    }
    const handlers: ProxyHandler<object> = {
      get: (_, key) => {
        const value: unknown = Reflect.get(read(), key)
        if (value === read()) return proxy
        if (typeof value !== "function") return value
        return function(this: unknown, ...args: ReadonlyArray<unknown>) {
          return Reflect.apply(value, this === proxy ? read() : this, args)
        }
      },
      set: (_, key, value) => Reflect.set(read(), key, value === proxy ? read() : value),
      has: (_, key) => Reflect.has(read(), key),
      deleteProperty: (_, key) => Reflect.deleteProperty(read(), key),
      ownKeys: () => Reflect.ownKeys(read()),
      getOwnPropertyDescriptor: (shell, key) => {
        const descriptor = Reflect.getOwnPropertyDescriptor(read(), key)
        if (descriptor === undefined) return undefined
        // The engine compares the descriptor with that of the shell, so it must fit the shell.
        return Array.isArray(shell) && key === "length"
          ? { ...descriptor, writable: true }
          : { ...descriptor, configurable: true }
      },
      defineProperty: (_, key, { value, ...rest }) =>
        Reflect.defineProperty(read(), key, { ...rest, value: value === proxy ? read() : value }),
      getPrototypeOf: () => Reflect.getPrototypeOf(read()),
      setPrototypeOf: (_, prototype) => Reflect.setPrototypeOf(read(), prototype),
      isExtensible: () => Boolean(read()),
      preventExtensions: () => !read(),
      apply: (_, self, args) => Reflect.apply(read(), self, args),
      construct: (_, args) => Reflect.construct(read(), args),
      ...handler?.(read)
    }
    if (omit !== undefined) delete handlers[omit]
    const proxy = new Proxy(Array.isArray(target) ? [] : typeof target === "function" ? makeCallable() : {}, handlers)
    return proxy
  }
}

export const makeProxy: MakeProxy = proxyWith()

/** All traps except `construct` and `set`. Without these two, the engine calls another trap. */
export const trapNames = [
  "apply",
  "defineProperty",
  "deleteProperty",
  "get",
  "getOwnPropertyDescriptor",
  "getPrototypeOf",
  "has",
  "isExtensible",
  "ownKeys",
  "preventExtensions",
  "setPrototypeOf"
] as const

/** Omits one of the traps, so that its operations reach the shell. */
export const proxyWithout = (omit: typeof trapNames[number]): MakeProxy => proxyWith({ omit })

export const proxyMistakes: Readonly<Record<string, MakeProxy>> = {
  "reads like its target": proxyWith({ handler: (read) => ({ has: (_, key) => Object.hasOwn(read(), key) }) }),
  "writes like its target": proxyWith({ handler: (read) => ({ deleteProperty: () => Boolean(read()) }) }),
  "calls and constructs like its target": proxyWith({
    handler: (read) => ({ construct: () => Reflect.construct(read(), []) })
  }),
  "fails every operation after collection": proxyWith({ omit: "isExtensible" }),
  "a new proxy does not revive an old one": proxyWith({
    reference: (heap) => {
      const make = referenceMistakes["a new reference does not revive an old one"]!(heap)
      return (target) => make(target) as { deref: () => object | undefined }
    }
  }),
  "does not keep its target alive": proxyWith({
    reference: (heap) => {
      const make = referenceMistakes["does not keep its referent alive"]!(heap)
      return (target) => make(target) as { deref: () => object | undefined }
    }
  })
}

const proxyWithMethods = (
  call: (read: () => any, method: any, self: unknown, args: ReadonlyArray<unknown>) => unknown
): MakeProxy =>
  proxyWith({
    handler: (read) => ({
      get: (_, key, receiver) => {
        const value: unknown = Reflect.get(read(), key)
        if (value === read()) return receiver
        if (typeof value !== "function") return value
        return function(this: unknown, ...args: ReadonlyArray<unknown>) {
          return call(read, value, this === receiver ? read() : this, args)
        }
      }
    })
  })

export const proxyVariants: Variants<MakeProxy> = {
  "reads like its target": {
    "forgets the arguments of methods": proxyWithMethods((_, method, self) => Reflect.apply(method, self, [])),
    "forgets the receiver of methods": proxyWithMethods((_, method, __, args) =>
      Reflect.apply(method, undefined, args)
    ),
    "forgets the results of methods": proxyWithMethods((_, method, self, args) =>
      void Reflect.apply(method, self, args)
    ),
    "calls methods twice": proxyWithMethods((_, method, self, args) => {
      Reflect.apply(method, self, args)
      return Reflect.apply(method, self, args)
    }),
    "returns its target from methods": proxyWithMethods((read, method, self, args) => {
      const result = Reflect.apply(method, self, args)
      return result === read() ? {} : result
    }),
    "calls methods of a copy": proxyWithMethods((_, method, self, args) => {
      const copy: unknown = Array.isArray(self) ? [...self] : self instanceof Map ? new Map() : self
      return Reflect.apply(method, copy, args)
    }),
    "throws a text": proxyWith({
      handler: () => ({
        get: () => {
          throw "text"
        }
      })
    }),
    "has no values in descriptors": proxyWith({
      handler: (read) => ({
        getOwnPropertyDescriptor: (shell, key) => {
          const descriptor = Reflect.getOwnPropertyDescriptor(read(), key)
          if (descriptor === undefined || Array.isArray(shell) && key === "length") return descriptor
          return { configurable: true, enumerable: descriptor.enumerable ?? false, value: undefined, writable: true }
        }
      })
    }),
    "says that nothing is enumerable": proxyWith({
      handler: (read) => ({
        getOwnPropertyDescriptor: (shell, key) => {
          const descriptor = Reflect.getOwnPropertyDescriptor(read(), key)
          if (descriptor === undefined || Array.isArray(shell) && key === "length") return descriptor
          return { ...descriptor, configurable: true, enumerable: false }
        }
      })
    }),
    "has no prototype": proxyWith({ handler: (read) => ({ getPrototypeOf: () => read() && null }) }),
    "lists no symbols": proxyWith({
      handler: (read) => ({ ownKeys: () => Reflect.ownKeys(read()).filter((key) => typeof key === "string") })
    })
  },
  "writes like its target": {
    "writes to the shell": proxyWith({ handler: (read) => ({ set: () => Boolean(read()) }) }),
    "fails to write": proxyWith({ handler: (read) => ({ set: () => !read() }) }),
    "writes another value": proxyWith({ handler: (read) => ({ set: (_, key) => Reflect.set(read(), key, "other") }) }),
    "defines nothing": proxyWith({ handler: (read) => ({ defineProperty: () => Boolean(read()) }) }),
    "defines with other attributes": proxyWith({
      handler: (read) => ({
        defineProperty: (_, key, { value }) =>
          Reflect.defineProperty(read(), key, { value, configurable: true, enumerable: true, writable: true })
      })
    }),
    "deletes one property too many": proxyWith({
      handler: (read) => ({
        deleteProperty: (_, key) => Reflect.deleteProperty(read(), "b") && Reflect.deleteProperty(read(), key)
      })
    })
  },
  "calls and constructs like its target": {
    "forgets the arguments": proxyWith({
      handler: (read) => ({ apply: (_, self) => Reflect.apply(read(), self, []) })
    }),
    "passes one argument only": proxyWith({
      handler: (read) => ({ construct: (_, args) => Reflect.construct(read(), args.slice(0, 1)) })
    }),
    "returns nothing": proxyWith({
      handler: (read) => ({
        apply: (_, self, args) => void Reflect.apply(read(), self, args)
      })
    }),
    "constructs an object of no class": proxyWith({
      handler: (read) => ({ construct: (_, args) => ({ ...Reflect.construct(read(), args) }) })
    }),
    "cannot be constructed": proxyWith({
      handler: (read) => ({
        construct: () => {
          read()
          throw new RangeError("no constructor")
        }
      })
    })
  },
  "fails every operation after collection": {
    "returns undefined": proxyWith({
      reference: (heap) => (target) => {
        const ref = new heap.WeakRef(target)
        return { deref: () => ref.deref() ?? {} }
      }
    }),
    "fails only after the clean-up": proxyWith({
      reference: (heap) => {
        const make = referenceMistakes["dereferences to nothing after collection"]!(heap)
        return (target) => make(target) as { deref: () => object | undefined }
      }
    }),
    "fails only before the clean-up": proxyWith({
      reference: (heap) => {
        const make = referenceVariants["dereferences to nothing after collection"]![
          "is alive again after the clean-up"
        ]!(heap)
        return (target) => make(target) as { deref: () => object | undefined }
      }
    }),
    "can be called": proxyWith({ handler: () => ({ apply: () => 1 }) }),
    "can be constructed": proxyWith({ handler: () => ({ construct: () => ({}) }) })
  },
  "does not keep its target alive": {
    "keeps what was read last": proxyWith({
      reference: (heap) => {
        const make = referenceVariants["does not keep its referent alive"]!["keeps what was read last"]!(heap)
        return (target) => make(target) as { deref: () => object | undefined }
      }
    })
  }
}

// Finalizers

type MakeRegister = (heap: Heap) => Laws.Register<object>

type Callback = () => void

export const makeRegister: MakeRegister = (heap) => {
  const registry = new heap.FinalizationRegistry<Callback>((callback) => callback())
  return (target, callback) => {
    const token = {}
    registry.register(target, callback, token)
    return () => void registry.unregister(token)
  }
}

export const finalizerMistakes: Readonly<Record<string, MakeRegister>> = {
  "runs after its target is collected": (heap) => {
    const register = makeRegister(heap)
    let over = false
    return (target, callback) =>
      register(target, () => {
        if (over) return
        // After the first clean-up, no further callback runs.
        queueMicrotask(() => over = true)
        callback()
      })
  },
  "runs at most once": (heap) => {
    const register = makeRegister(heap)
    return (target, callback) =>
      register(target, () => {
        callback()
        callback()
      })
  },
  "does not run before its target is collected": (heap) => {
    const register = makeRegister(heap)
    const waiting = new Set<{ readonly callback: Callback }>()
    const runAll = () => {
      waiting.forEach((entry) => {
        waiting.delete(entry)
        entry.callback()
      })
    }
    return (target, callback) => {
      const entry = { callback }
      waiting.add(entry)
      const unregister = register(target, runAll)
      return () => {
        waiting.delete(entry)
        unregister()
      }
    }
  },
  "does not run after its registration ended": (heap) => {
    const registry = new heap.FinalizationRegistry<Callback>((callback) => callback())
    return (target, callback) => {
      const token = {}
      registry.register(target, callback, token)
      // Ends the registration in the next turn.
      return () => queueMicrotask(() => registry.unregister(token))
    }
  },
  "runs a callback once for each of its registrations": (heap) => {
    const registry = new heap.FinalizationRegistry<Callback>((callback) => callback())
    const known = new WeakSet<Callback>()
    return (target, callback) => {
      const token = {}
      if (!known.has(callback)) registry.register(target, callback, token)
      known.add(callback)
      return () => void registry.unregister(token)
    }
  },
  "leaves nothing behind": (heap) => {
    const register = makeRegister(heap)
    const kept: Array<Callback> = []
    return (target, callback) => {
      kept.push(callback)
      return register(target, callback)
    }
  },
  "does not depend on the order of collection": (heap) => {
    const register = makeRegister(heap)
    const ids = new WeakMap<object, number>()
    const waiting: Array<number> = []
    const leave = (id: number) => void waiting.splice(waiting.indexOf(id), 1)
    return (target, callback) => {
      const id = ids.get(target) ?? nextId++
      ids.set(target, id)
      waiting.push(id)
      let ended = false
      const unregister = register(target, () => {
        // Expects that the oldest target is collected first.
        if (Math.min(...waiting) === id) callback()
        leave(id)
        ended = true
      })
      return () => {
        if (!ended) leave(id)
        ended = true
        unregister()
      }
    }
  },
  "ending one registration leaves the others of its target": (heap) => {
    const registry = new heap.FinalizationRegistry<Callback>((callback) => callback())
    const tokens = new WeakMap<object, object>()
    return (target, callback) => {
      const token = tokens.get(target) ?? {}
      tokens.set(target, token)
      registry.register(target, callback, token)
      return () => void registry.unregister(token)
    }
  },
  "does not keep its target alive": (heap) => {
    const registry = new heap.FinalizationRegistry<{ readonly target: object; readonly callback: Callback }>(
      ({ callback }) => callback()
    )
    return (target, callback) => {
      const token = {}
      registry.register(target, { target, callback }, token)
      return () => void registry.unregister(token)
    }
  }
}

export const finalizerVariants: Variants<MakeRegister> = {
  "runs after its target is collected": {
    "never runs": () => () => () => {},
    "runs for the newest target only": (heap) => {
      const register = makeRegister(heap)
      let end = () => {}
      return (target, callback) => {
        end()
        return end = register(target, callback)
      }
    }
  },
  "runs at most once": {
    "runs again when its registration ends late": (heap) => {
      const register = makeRegister(heap)
      return (target, callback) => {
        let ran = false
        const end = register(target, () => {
          ran = true
          callback()
        })
        return () => {
          if (ran) callback()
          end()
        }
      }
    },
    "runs when its registration ends late, and afterwards": (heap) => {
      const register = makeRegister(heap)
      return (target, callback) => {
        const ref = new heap.WeakRef(target)
        register(target, callback)
        return () => {
          if (ref.deref() === undefined) callback()
        }
      }
    },
    "runs again when another target is cleaned up": (heap) => {
      const register = makeRegister(heap)
      const ran: Array<Callback> = []
      return (target, callback) =>
        register(target, () => {
          ran.forEach((callback) => callback())
          ran.push(callback)
          callback()
        })
    },
    "runs in two registries": (heap) => {
      const first = makeRegister(heap)
      const second = makeRegister(heap)
      return (target, callback) => {
        const ends = [first(target, callback), second(target, callback)]
        return () => ends.forEach((end) => end())
      }
    }
  },
  "does not run before its target is collected": {
    "runs at once": (heap) => {
      const register = makeRegister(heap)
      return (target, callback) => {
        callback()
        return register(target, callback)
      }
    },
    "runs when another target is cleaned up": (heap) => {
      const register = makeRegister(heap)
      const all: Array<Callback> = []
      return (target, callback) => {
        all.push(callback)
        return register(target, () => all.forEach((callback) => callback()))
      }
    }
  },
  "does not run after its registration ended": {
    "does not end": (heap) => {
      const register = makeRegister(heap)
      return (target, callback) => {
        register(target, callback)
        return () => {}
      }
    },
    "runs when it ends": (heap) => {
      const register = makeRegister(heap)
      return (target, callback) => {
        const end = register(target, callback)
        return () => {
          callback()
          end()
        }
      }
    },
    "registers again when it ends twice": (heap) => {
      const register = makeRegister(heap)
      return (target, callback) => {
        const ref = new WeakRef(target)
        const end = register(target, callback)
        let ended = false
        return () => {
          end()
          if (ended) register(ref.deref()!, callback)
          ended = true
        }
      }
    }
  },
  "does not depend on the order of collection": {
    "runs for the first clean-up only": (heap) => {
      let over = false
      const registry = new heap.FinalizationRegistry<Callback>((callback) => {
        if (!over) callback()
        over = true
      })
      return (target, callback) => {
        registry.register(target, callback)
        return () => {}
      }
    }
  },
  "ending one registration leaves the others of its target": {
    // `splice(-1, 1)` removes the last one.
    "ends another one if it ends twice": (heap) => {
      const lists = new WeakMap<object, Array<Callback>>()
      const registry = new heap.FinalizationRegistry<Array<Callback>>((list) => list.forEach((callback) => callback()))
      return (target, callback) => {
        const list = lists.get(target) ?? []
        if (list.length === 0) registry.register(target, list)
        lists.set(target, list)
        list.push(callback)
        return () => void list.splice(list.indexOf(callback), 1)
      }
    },
    "ends the oldest one": (heap) => {
      const register = makeRegister(heap)
      const ends: Array<() => void> = []
      return (target, callback) => {
        ends.push(register(target, callback))
        return () => ends.shift()?.()
      }
    }
  },
  "runs a callback once for each of its registrations": {
    "counts the targets, not the registrations": (heap) => {
      const register = makeRegister(heap)
      const known = new WeakMap<object, WeakSet<Callback>>()
      return (target, callback) => {
        const callbacks = known.get(target) ?? new WeakSet()
        known.set(target, callbacks)
        if (callbacks.has(callback)) return () => {}
        callbacks.add(callback)
        return register(target, callback)
      }
    }
  },
  "does not keep its target alive": {
    "keeps the newest target": (heap) => {
      const register = makeRegister(heap)
      let newest: object | undefined
      return (target, callback) => {
        newest = target
        return register(target, () => newest && callback())
      }
    }
  },
  "leaves nothing behind": {
    "keeps callbacks that have run": (heap) => {
      const callbacks = new Map<number, Callback>()
      const registry = new heap.FinalizationRegistry<number>((id) => callbacks.get(id)?.())
      return (target, callback) => {
        const id = nextId++
        callbacks.set(id, callback)
        registry.register(target, id)
        return () => void callbacks.delete(id)
      }
    },
    "keeps callbacks whose registration ended": (heap) => {
      const callbacks = new Map<number, Callback>()
      const registry = new heap.FinalizationRegistry<number>((id) => {
        const callback = callbacks.get(id)
        callbacks.delete(id)
        callback?.()
      })
      return (target, callback) => {
        const id = nextId++
        const token = {}
        callbacks.set(id, callback)
        registry.register(target, id, token)
        return () => void registry.unregister(token)
      }
    },
    "keeps tokens": (heap) => {
      const registry = new heap.FinalizationRegistry<Callback>((callback) => callback())
      const tokens: Array<object> = []
      return (target, callback) => {
        const token = {}
        tokens.push(token)
        registry.register(target, callback, token)
        return () => void registry.unregister(token)
      }
    },
    "keeps what it has returned": (heap) => {
      const register = makeRegister(heap)
      const ends: Array<() => void> = []
      return (target, callback) => {
        const end = register(target, callback)
        ends.push(end)
        return end
      }
    }
  }
}

// Maps and sets

interface Held<K> {
  readonly key: K
  readonly ref: WeakRef<object>
}

/** Maps strings to weak values. It is a correct version of a common cache. */
export class ValueMap implements Laws.MapLike<string, object> {
  readonly heap: Heap
  readonly refs = new Map<string, WeakRef<object>>()
  readonly registry: FinalizationRegistry<Held<string>>

  constructor(heap: Heap) {
    this.heap = heap
    this.registry = new heap.FinalizationRegistry((held) => this.cleanUp(held))
  }

  cleanUp({ key, ref }: Held<string>): void {
    if (this.refs.get(key) === ref) this.refs.delete(key)
  }

  register(value: object, held: Held<string>): void {
    this.registry.register(value, held, held.ref)
  }

  get(key: string): object | undefined {
    return this.refs.get(key)?.deref()
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: object): void {
    const old = this.refs.get(key)
    if (old !== undefined) this.registry.unregister(old)
    // The new entry must not take the position of a dead entry.
    if (old?.deref() === undefined) this.refs.delete(key)
    const ref = new this.heap.WeakRef(value)
    this.refs.set(key, ref)
    this.register(value, { key, ref })
  }

  delete(key: string): boolean {
    const ref = this.refs.get(key)
    if (ref !== undefined) this.registry.unregister(ref)
    this.refs.delete(key)
    return ref?.deref() !== undefined
  }

  *[Symbol.iterator](): Iterator<[string, object]> {
    for (const [key, ref] of this.refs) {
      const value = ref.deref()
      if (value !== undefined) yield [key, value]
    }
  }

  get size(): number {
    return this.refs.size
  }
}

/** Maps objects to values by identity. It is a correct `WeakMap` that iterates. */
export class KeyMap implements Laws.MapLike<object, object> {
  readonly heap: Heap
  readonly ids = new WeakMap<object, number>()
  readonly entries: WeakMap<object, object>
  readonly refs = new Map<number, WeakRef<object>>()
  readonly registry: FinalizationRegistry<Held<number>>

  constructor(heap: Heap) {
    this.heap = heap
    this.entries = new heap.WeakMap()
    this.registry = new heap.FinalizationRegistry((held) => this.cleanUp(held))
  }

  /** Returns the id of an object. Unlike here, applications often store the id on the object. */
  idOf(key: object): number {
    const id = this.ids.get(key) ?? nextId++
    this.ids.set(key, id)
    return id
  }

  cleanUp({ key, ref }: Held<number>): void {
    if (this.refs.get(key) === ref) this.refs.delete(key)
  }

  register(key: object, held: Held<number>): void {
    this.registry.register(key, held, held.ref)
  }

  get(key: object): object | undefined {
    return this.refs.has(this.idOf(key)) ? this.entries.get(key) : undefined
  }

  has(key: object): boolean {
    return this.get(key) !== undefined
  }

  set(key: object, value: object): void {
    const id = this.idOf(key)
    if (this.get(key) === undefined) {
      const ref = new this.heap.WeakRef(key)
      this.refs.delete(id)
      this.refs.set(id, ref)
      this.register(key, { key: id, ref })
    }
    this.entries.set(key, value)
  }

  delete(key: object): boolean {
    const alive = this.get(key) !== undefined
    const ref = this.refs.get(this.idOf(key))
    if (ref !== undefined) this.registry.unregister(ref)
    this.refs.delete(this.idOf(key))
    this.entries.delete(key)
    return alive
  }

  *[Symbol.iterator](): Iterator<[object, object]> {
    for (const ref of this.refs.values()) {
      const key = ref.deref()
      if (key !== undefined) yield [key, this.entries.get(key)!]
    }
  }

  get size(): number {
    return this.refs.size
  }
}

let nextId = 0

export const setOf = (map: KeyMap): Laws.SetLike<object> => ({
  add: (element) => map.set(element, element),
  has: (element) => map.has(element),
  delete: (element) => map.delete(element),
  *[Symbol.iterator]() {
    for (const [element] of map) yield element
  },
  get size() {
    return map.size
  }
})

export const laws = {
  apart: /^keeps keys apart that look alike$/,
  size: /^its size counts the live (entries|elements)$/,
  agrees: /^agrees with a strong (Map|Set) about live entries$/,
  forgets: /^forgets an (entry|element) when its (key|value|element) is collected$/,
  delete: /^delete returns false if the (entry|element) is dead$/,
  cleanUp: /^a clean-up does not remove an (entry|element) that was (set|added) later$/,
  iterates: /^iterates soundly during mutation and collection$/,
  keepsAlive:
    /^(does not keep its (values|elements) alive|a value that refers to its key does not keep the key alive)$/,
  leaves: /^leaves nothing behind$/,
  ordered: /^iterates in insertion order$/
}

export const valueMapMistakes: Readonly<Record<keyof typeof laws, typeof ValueMap>> = {
  apart: class extends ValueMap {
    override get(key: string): object | undefined {
      return super.get(key.toLowerCase())
    }
    override set(key: string, value: object): void {
      super.set(key.toLowerCase(), value)
    }
    override delete(key: string): boolean {
      return super.delete(key.toLowerCase())
    }
  },
  size: class extends ValueMap {
    override get size(): number {
      return 0
    }
  },
  agrees: class extends ValueMap {
    override delete(key: string): boolean {
      super.delete(key)
      return false
    }
  },
  forgets: class extends ValueMap {
    override has(key: string): boolean {
      return this.refs.has(key)
    }
  },
  delete: class extends ValueMap {
    override delete(key: string): boolean {
      const found = this.refs.has(key)
      super.delete(key)
      return found
    }
  },
  // The registration has only the key, and no token.
  cleanUp: class extends ValueMap {
    readonly byKey = new this.heap.FinalizationRegistry<string>((key) => void this.refs.delete(key))
    override register(value: object, { key }: Held<string>): void {
      this.byKey.register(value, key)
    }
  },
  iterates: class extends ValueMap {
    override [Symbol.iterator](): Iterator<[string, object]> {
      return [...{ [Symbol.iterator]: () => super[Symbol.iterator]() }].values()
    }
  },
  keepsAlive: class extends ValueMap {
    readonly kept: Array<object> = []
    override set(key: string, value: object): void {
      super.set(key, value)
      this.kept.push(value)
    }
  },
  leaves: class extends ValueMap {
    override register(): void {}
  },
  ordered: class extends ValueMap {
    override *[Symbol.iterator](): Iterator<[string, object]> {
      for (const key of [...this.refs.keys()].reverse()) {
        const value = this.get(key)
        if (value !== undefined) yield [key, value]
      }
    }
  }
}

export const keyMapMistakes: Readonly<Record<Exclude<keyof typeof laws, "apart">, typeof KeyMap>> = {
  size: class extends KeyMap {
    override get size(): number {
      return this.refs.size >> 1
    }
  },
  agrees: class extends KeyMap {
    override delete(key: object): boolean {
      super.delete(key)
      return false
    }
  },
  forgets: class extends KeyMap {
    override has(key: object): boolean {
      return this.refs.has(this.idOf(key))
    }
  },
  delete: class extends KeyMap {
    override delete(key: object): boolean {
      const found = this.refs.has(this.idOf(key))
      super.delete(key)
      return found
    }
  },
  cleanUp: class extends KeyMap {
    override cleanUp({ key }: Held<number>): void {
      this.refs.delete(key)
    }
  },
  iterates: class extends KeyMap {
    override [Symbol.iterator](): Iterator<[object, object]> {
      return [...{ [Symbol.iterator]: () => super[Symbol.iterator]() }].values()
    }
  },
  // A value that refers to its key keeps the key alive.
  keepsAlive: class extends KeyMap {
    readonly values = new Map<number, object>()
    override set(key: object, value: object): void {
      super.set(key, value)
      this.values.set(this.idOf(key), value)
    }
    override delete(key: object): boolean {
      this.values.delete(this.idOf(key))
      return super.delete(key)
    }
    override cleanUp(held: Held<number>): void {
      super.cleanUp(held)
      if (!this.refs.has(held.key)) this.values.delete(held.key)
    }
  },
  leaves: class extends KeyMap {
    override register(): void {}
  },
  ordered: class extends KeyMap {
    override *[Symbol.iterator](): Iterator<[object, object]> {
      for (const id of [...this.refs.keys()].reverse()) {
        const key = this.refs.get(id)?.deref()
        const value = key && this.entries.get(key)
        if (key !== undefined && value !== undefined) yield [key, value]
      }
    }
  }
}

/** Transforms each key before it is used. */
const withKeys = (change: (key: string) => string): typeof ValueMap =>
  class extends ValueMap {
    override get(key: string): object | undefined {
      return super.get(change(key))
    }
    override set(key: string, value: object): void {
      super.set(change(key), value)
    }
    override delete(key: string): boolean {
      return super.delete(change(key))
    }
  }

const number = (key: string): string => Number.isNaN(Number(key)) ? key : String(Number(key))

/** A map that stores its references in an object with the given prototype. */
const inObject = (makeObject: () => Record<string, WeakRef<object> | undefined>): typeof ValueMap =>
  class extends ValueMap {
    readonly object = makeObject()
    override cleanUp({ key, ref }: Held<string>): void {
      if (this.object[key] === ref) delete this.object[key]
    }
    override get(key: string): object | undefined {
      return this.object[key]?.deref?.()
    }
    override set(key: string, value: object): void {
      this.delete(key)
      const ref = new this.heap.WeakRef(value)
      this.object[key] = ref
      this.register(value, { key, ref })
    }
    override delete(key: string): boolean {
      const ref = this.object[key]
      if (ref?.deref !== undefined) this.registry.unregister(ref)
      delete this.object[key]
      return ref?.deref?.() !== undefined
    }
    override *[Symbol.iterator](): Iterator<[string, object]> {
      for (const key of Object.keys(this.object)) {
        const value = this.object[key]?.deref()
        if (value !== undefined) yield [key, value]
      }
    }
    override get size(): number {
      return Object.keys(this.object).length
    }
  }

/** A correct map. Its order is not that of insertion, so it obeys only the other laws. */
export const ObjectMap = inObject(() => Object.create(null))

/** Has the accessor `__proto__` of the language, which Deno takes away from `Object.prototype`. */
const plain: object = {
  get ["__proto__"]() {
    return Object.getPrototypeOf(this)
  },
  set ["__proto__"](prototype) {
    Object.setPrototypeOf(this, prototype)
  }
}

class Endless extends ValueMap {
  override *[Symbol.iterator](): Iterator<[string, object]> {
    while (this.refs.size > 0) {
      const [first] = { [Symbol.iterator]: () => super[Symbol.iterator]() }
      if (first === undefined) return
      yield first
    }
  }
}

export const valueMapVariants: Variants<typeof ValueMap> = {
  agrees: {
    "get does not find what has finds": class extends ValueMap {
      override has(key: string): boolean {
        return this.refs.get(key)?.deref() !== undefined
      }
      override get(): object | undefined {
        return undefined
      }
    },
    "has always returns true": class extends ValueMap {
      override has(): boolean {
        return true
      }
    },
    "delete does nothing": class extends ValueMap {
      override delete(key: string): boolean {
        return this.has(key)
      }
    },
    "set keeps the first value": class extends ValueMap {
      override set(key: string, value: object): void {
        if (!this.has(key)) super.set(key, value)
      }
    },
    "a value has one key only": class extends ValueMap {
      override set(key: string, value: object): void {
        for (const [other, ref] of this.refs) if (ref.deref() === value) this.refs.delete(other)
        super.set(key, value)
      }
    },
    "iteration skips the first entry": class extends ValueMap {
      override *[Symbol.iterator](): Iterator<[string, object]> {
        yield* [...{ [Symbol.iterator]: () => super[Symbol.iterator]() }].slice(1)
      }
    },
    "iteration yields the first entry twice": class extends ValueMap {
      override *[Symbol.iterator](): Iterator<[string, object]> {
        const entries = [...{ [Symbol.iterator]: () => super[Symbol.iterator]() }]
        yield* entries.slice(0, 1)
        yield* entries
      }
    },
    "iteration yields another value": class extends ValueMap {
      override *[Symbol.iterator](): Iterator<[string, object]> {
        for (const [key] of { [Symbol.iterator]: () => super[Symbol.iterator]() }) yield [key, {}]
      }
    },
    "iteration does not end": Endless
  },
  apart: {
    "trims its keys": withKeys((key) => key.trim()),
    "takes keys for numbers": withKeys(number),
    "normalizes its keys": withKeys((key) => key.normalize()),
    "cuts its keys": withKeys((key) => key.slice(0, 64)),
    "splits its keys": withKeys((key) => key.split(/[,:/. ]/)[0]!),
    "writes its keys as UTF-8": withKeys((key) => new TextDecoder().decode(new TextEncoder().encode(key))),
    "uses a hash of its keys": withKeys((key) => String(Hash.string(key))),
    "uses a plain object": inObject(() => Object.create(plain))
  },
  size: {
    "is negative": class extends ValueMap {
      override get size(): number {
        return -this.refs.size
      }
    },
    "counts what was set": class extends ValueMap {
      sets = 0
      override set(key: string, value: object): void {
        super.set(key, value)
        this.sets++
      }
      override get size(): number {
        return Math.max(this.sets, this.refs.size)
      }
    },
    "is one too large": class extends ValueMap {
      override get size(): number {
        return this.refs.size + 1
      }
    },
    "is not an integer": class extends ValueMap {
      override get size(): number {
        return this.refs.size === 0 ? 0 : NaN
      }
    },
    "counts what is dead twice": class extends ValueMap {
      override get size(): number {
        return this.refs.size + [...this.refs.values()].filter((ref) => ref.deref() === undefined).length
      }
    },
    "does not count what was collected together": class extends ValueMap {
      override get size(): number {
        const dead = [...this.refs.values()].filter((ref) => ref.deref() === undefined).length
        return Math.max(0, this.refs.size - 2 * dead)
      }
    }
  },
  forgets: {
    "get returns the last value read": class extends ValueMap {
      readonly last = new Map<string, WeakRef<object>>()
      override get(key: string): object | undefined {
        return super.get(key) ?? (this.refs.has(key) ? this.last.get(key)?.deref() : undefined)
      }
      override has(key: string): boolean {
        return super.get(key) !== undefined
      }
      override set(key: string, value: object): void {
        super.set(key, value)
        this.last.set(key, new WeakRef(value))
      }
    },
    "an entry is alive again after the clean-up": class extends ValueMap {
      readonly last = new Map<string, WeakRef<object>>()
      override get(key: string): object | undefined {
        return super.get(key) ?? (this.refs.has(key) ? undefined : this.last.get(key)?.deref())
      }
      override set(key: string, value: object): void {
        super.set(key, value)
        this.last.set(key, new WeakRef(value))
      }
      override delete(key: string): boolean {
        this.last.delete(key)
        return super.delete(key)
      }
    },
    "only one of the keys of a value forgets it": class extends ValueMap {
      readonly second = new Map<string, WeakRef<object>>()
      override set(key: string, value: object): void {
        const other = [...this.refs].find(([other, ref]) => other !== key && ref.deref() === value)
        super.set(key, value)
        if (other !== undefined) this.second.set(key, new WeakRef(value))
        else this.second.delete(key)
      }
      override get(key: string): object | undefined {
        return super.get(key) ?? this.second.get(key)?.deref()
      }
    }
  },
  delete: {
    "returns true until the clean-up": class extends ValueMap {
      override delete(key: string): boolean {
        const found = this.refs.has(key)
        super.delete(key)
        return found
      }
    },
    "returns true after the clean-up": class extends ValueMap {
      readonly keys = new Set<string>()
      override set(key: string, value: object): void {
        super.set(key, value)
        this.keys.add(key)
      }
      override delete(key: string): boolean {
        const waits = this.refs.has(key)
        const found = super.delete(key)
        return found || !waits && this.keys.delete(key)
      }
    }
  },
  cleanUp: {
    "removes the key if any value of it is dead": class extends ValueMap {
      override cleanUp({ key, ref }: Held<string>): void {
        if (ref.deref() === undefined) this.refs.delete(key)
      }
      override delete(key: string): boolean {
        const found = this.has(key)
        this.refs.delete(key)
        return found
      }
      override set(key: string, value: object): void {
        const ref = new this.heap.WeakRef(value)
        this.refs.delete(key)
        this.refs.set(key, ref)
        this.register(value, { key, ref })
      }
    },
    "iteration skips what was set later": class extends ValueMap {
      readonly later = new Set<string>()
      override set(key: string, value: object): void {
        if (this.refs.has(key) && !this.has(key)) this.later.add(key)
        super.set(key, value)
      }
      override *[Symbol.iterator](): Iterator<[string, object]> {
        for (const [key, value] of { [Symbol.iterator]: () => super[Symbol.iterator]() }) {
          if (!this.later.has(key)) yield [key, value]
        }
      }
    },
    "iteration does not end": Endless
  },
  ordered: {
    "moves what is set again to the end": class extends ValueMap {
      override set(key: string, value: object): void {
        this.delete(key)
        super.set(key, value)
      }
    },
    "iteration does not end": Endless
  },
  iterates: {
    "yields an entry again that was set again": class extends ValueMap {
      override set(key: string, value: object): void {
        const ref = this.refs.get(key)
        if (ref !== undefined) this.registry.unregister(ref)
        this.refs.delete(key)
        super.set(key, value)
      }
    },
    "ends when an entry is deleted": class extends ValueMap {
      changes = 0
      override delete(key: string): boolean {
        this.changes++
        return super.delete(key)
      }
      override *[Symbol.iterator](): Iterator<[string, object]> {
        const { changes } = this
        for (const entry of { [Symbol.iterator]: () => super[Symbol.iterator]() }) {
          if (changes !== this.changes) return
          yield entry
        }
      }
    },
    "yields dead entries": class extends ValueMap {
      override *[Symbol.iterator](): Iterator<[string, object]> {
        const entries = [...this.refs].map(([key, ref]) => [key, new WeakRef(ref.deref() ?? {})] as const)
        for (const [key, ref] of entries) {
          const value = ref.deref()
          if (value !== undefined) yield [key, value]
        }
      }
    }
  },
  keepsAlive: {
    "keeps what was read last": class extends ValueMap {
      last: object | undefined
      override get(key: string): object | undefined {
        return this.last = super.get(key)
      }
      override has(key: string): boolean {
        return this.refs.get(key)?.deref() !== undefined
      }
    },
    "keeps what was set last": class extends ValueMap {
      last: object | undefined
      override set(key: string, value: object): void {
        super.set(key, value)
        this.last = value
      }
    },
    "keeps what was yielded": class extends ValueMap {
      last: object | undefined
      override *[Symbol.iterator](): Iterator<[string, object]> {
        for (const entry of { [Symbol.iterator]: () => super[Symbol.iterator]() }) {
          this.last = entry
          yield entry
        }
      }
    },
    "keeps what was deleted": class extends ValueMap {
      last: object | undefined
      override delete(key: string): boolean {
        this.last = this.refs.get(key)?.deref()
        return super.delete(key)
      }
    }
  },
  leaves: {
    "keeps removed references": class extends ValueMap {
      readonly removed: Array<object> = []
      override delete(key: string): boolean {
        const ref = this.refs.get(key)
        if (ref !== undefined) this.removed.push(ref)
        return super.delete(key)
      }
    },
    "keeps overwritten references": class extends ValueMap {
      readonly removed: Array<object> = []
      override set(key: string, value: object): void {
        const ref = this.refs.get(key)
        if (ref !== undefined) this.removed.push(ref)
        super.set(key, value)
      }
    },
    "keeps what its registry has cleaned up": class extends ValueMap {
      readonly removed: Array<object> = []
      override cleanUp(held: Held<string>): void {
        super.cleanUp(held)
        this.removed.push(held)
      }
    }
  }
}

export const keyMapVariants: Variants<typeof KeyMap> = {
  agrees: {
    "set keeps the first value": class extends KeyMap {
      override set(key: object, value: object): void {
        if (!this.has(key)) super.set(key, value)
      }
    },
    "compares structurally": class extends KeyMap {
      override idOf(key: object): number {
        return Hash.hash(key)
      }
    }
  },
  size: {
    "is negative": class extends KeyMap {
      override get size(): number {
        return -this.refs.size
      }
    }
  },
  keepsAlive: {
    "keeps the key that was asked for last": class extends KeyMap {
      last: object | undefined
      override has(key: object): boolean {
        this.last = key
        return super.has(key)
      }
    },
    "keeps the value that was read last": class extends KeyMap {
      last: object | undefined
      override get(key: object): object | undefined {
        return this.last = super.get(key)
      }
    }
  },
  leaves: {
    "keeps the values of removed entries": class extends KeyMap {
      readonly removed: Array<unknown> = []
      override delete(key: object): boolean {
        this.removed.push(this.entries.get(key))
        return super.delete(key)
      }
    },
    "keeps overwritten values": class extends KeyMap {
      readonly removed: Array<unknown> = []
      override set(key: object, value: object): void {
        const old = this.entries.get(key)
        if (old !== value) this.removed.push(old)
        super.set(key, value)
      }
    },
    "keeps the values of dead keys": class extends KeyMap {
      readonly values = new Map<number, object>()
      override set(key: object, value: object): void {
        super.set(key, value)
        if (!("key" in value)) this.values.set(this.idOf(key), value)
      }
    }
  }
}
