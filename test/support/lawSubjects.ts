/**
 * Hand-written weak data types, as an application would write them. Each correct type
 * obeys every law. Each subclass or variant has one mistake, and breaks one law.
 */
import { Equal, Hash } from "effect"
import type { Heap } from "../../src/Heap.ts"
import type { Key } from "../../src/testing/Arbitraries.ts"
import type * as Laws from "../../src/testing/Laws.ts"

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
    const waiting = new Set<Callback>()
    const runAll = () => {
      waiting.forEach((callback) => {
        waiting.delete(callback)
        callback()
      })
    }
    return (target, callback) => {
      waiting.add(callback)
      const unregister = register(target, runAll)
      return () => {
        waiting.delete(callback)
        unregister()
      }
    }
  },
  "does not run after its registration ended": (heap) => {
    const register = makeRegister(heap)
    return (target, callback) => {
      register(target, callback)
      return () => {}
    }
  },
  "does not depend on the order of collection": (heap) => {
    const register = makeRegister(heap)
    const waiting: Array<Callback> = []
    return (target, callback) => {
      waiting.push(callback)
      const unregister = register(target, () => {
        // Expects that the oldest target is collected first.
        if (waiting[0] === callback) waiting.shift()!()
      })
      return () => {
        const index = waiting.indexOf(callback)
        if (index >= 0) waiting.splice(index, 1)
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

export const keyMapMistakes: Readonly<Record<keyof typeof laws, typeof KeyMap>> = {
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
  keepsAlive: class extends KeyMap {
    readonly kept: Array<object> = []
    override set(key: object, value: object): void {
      super.set(key, value)
      this.kept.push(value)
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
