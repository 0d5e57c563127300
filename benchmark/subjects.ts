/** The collections under test, their keys and values, and the contenders for each. */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import type { Collection } from "./contenders.ts"

export interface Subject {
  /** The keys that are set. */
  readonly keys: (n: number) => Array<unknown>
  /** The keys to look up: the same objects, or equal objects. */
  readonly probes: (keys: Array<unknown>) => Array<unknown>
  readonly values: (n: number) => Array<unknown>
  /** Which part of an entry is held weakly. */
  readonly weak: "keys" | "values"
  readonly contenders: Readonly<Record<string, () => Promise<Collection>>>
}

const strings = (n: number) => Array.from({ length: n }, (_, i) => `key-${i}`)
const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)
const objects = (n: number) => Array.from({ length: n }, (_, i) => ({ i }))
const same = (keys: Array<unknown>) => keys

/** A key that compares by value. Its hash and its comparison are as cheap as possible. */
class Key implements Equal.Equal {
  readonly i: number
  constructor(i: number) {
    this.i = i
  }
  [Equal.symbol](that: unknown): boolean {
    return that instanceof Key && this.i === that.i
  }
  [Hash.symbol](): number {
    return this.i
  }
}

let made = 0
const byValue = (n: number) => Array.from({ length: n }, () => new Key(made++))
const equal = (keys: Array<unknown>) => (keys as Array<Key>).map(({ i }) => new Key(i))

const valueMaps = { values: objects, weak: "values" } as const
const keyMaps = { values: numbers, weak: "keys" } as const

export const library = "effect-weakref"
export const floor = "floor"
export const pattern = "iterable weak map"
export const cpython = "CPython"

/** The kinds of collection that one process uses for the measure "after collections". */
export const several = "several collections"
export const severalSubjects: ReadonlyArray<string> = [
  "WeakValueMap, string keys",
  "WeakKeyMap",
  "WeakKeyMap by reference",
  "WeakKeyMap by reference, object values",
  "WeakSet by reference"
]

/** The engine's clean-up job alone, for the measure "cost" only. */
export const engine = "empty callback"
export const engineJob = (weak: Subject["weak"]) => async (): Promise<Collection> =>
  (await import("./floor/emptyCallback.ts"))[weak]

export const caches = "caches, string keys"

const cache = (name: string) => async () => (await import("./peers/caches.ts")).caches[name]!

export const subjects: Readonly<Record<string, Subject>> = {
  [caches]: {
    ...valueMaps,
    keys: strings,
    probes: same,
    contenders: {
      [library]: cache(library),
      "Effect's Cache": cache("Effect's Cache"),
      "Effect's ScopedCache": cache("Effect's ScopedCache")
    }
  },
  "WeakValueMap, string keys": {
    ...valueMaps,
    keys: strings,
    probes: same,
    contenders: {
      [library]: async () => (await import("./library/valueMap.ts")).structural,
      [floor]: () => import("./floor/valueMap.ts"),
      "by hand": async () => (await import("./peers/byHand.ts")).valueMap,
      weakref: async () => (await import("./peers/weakref.ts")).valueMap,
      "weak-value": async () => (await import("./peers/weakValue.ts")).valueMap,
      "weak-lru-cache": async () => (await import("./peers/weakLruCache.ts")).valueMap,
      "lru-cache": async () => (await import("./peers/strong.ts")).lruCache
    }
  },
  "WeakValueMap, object keys": {
    ...valueMaps,
    keys: byValue,
    probes: same,
    contenders: {
      [library]: async () => (await import("./library/valueMap.ts")).structural,
      [floor]: () => import("./floor/structuralValueMap.ts"),
      "by hand": async () => (await import("./peers/byHand.ts")).valueMap
    }
  },
  "WeakValueMap, equal keys": {
    ...valueMaps,
    keys: byValue,
    probes: equal,
    contenders: {
      [library]: async () => (await import("./library/valueMap.ts")).structural,
      [floor]: () => import("./floor/structuralValueMap.ts"),
      "by hand": async () => (await import("./peers/byHand.ts")).valueMap
    }
  },
  "WeakValueMap by reference": {
    ...valueMaps,
    keys: objects,
    probes: same,
    contenders: {
      [library]: async () => (await import("./library/valueMap.ts")).byReference,
      [floor]: () => import("./floor/valueMap.ts"),
      weakref: async () => (await import("./peers/weakref.ts")).valueMap,
      "weak-value": async () => (await import("./peers/weakValue.ts")).valueMap,
      "weak-lru-cache": async () => (await import("./peers/weakLruCache.ts")).valueMap
    }
  },
  "WeakKeyMap": {
    ...keyMaps,
    keys: byValue,
    probes: same,
    contenders: {
      [library]: async () => (await import("./library/keyMap.ts")).structural,
      [floor]: () => import("./floor/structuralKeyMap.ts")
    }
  },
  "WeakKeyMap, equal keys": {
    ...keyMaps,
    keys: byValue,
    probes: equal,
    contenders: {
      [library]: async () => (await import("./library/keyMap.ts")).structural,
      [floor]: () => import("./floor/structuralKeyMap.ts")
    }
  },
  "WeakKeyMap by reference": {
    ...keyMaps,
    keys: objects,
    probes: same,
    contenders: {
      [library]: async () => (await import("./library/keyMap.ts")).byReference,
      [floor]: () => import("./floor/keyMap.ts"),
      [pattern]: async () => (await import("./peers/iterableWeakMap.ts")).keyMap,
      weakref: async () => (await import("./peers/weakref.ts")).keyMap,
      "iterable-weak": async () => (await import("./peers/iterableWeak.ts")).keyMap,
      "@wry/caches": async () => (await import("./peers/wryCaches.ts")).keyMap,
      "native WeakMap": async () => (await import("./peers/strong.ts")).weakMap
    }
  },
  "WeakKeyMap by reference, object values": {
    ...keyMaps,
    keys: objects,
    values: objects,
    probes: same,
    contenders: {
      [library]: async () => (await import("./library/keyMap.ts")).byReference,
      [floor]: () => import("./floor/ephemeronMap.ts"),
      [pattern]: async () => (await import("./peers/iterableWeakMap.ts")).keyMap,
      weakref: async () => (await import("./peers/weakref.ts")).keyMap
    }
  },
  "WeakSet": {
    ...keyMaps,
    keys: byValue,
    probes: same,
    contenders: {
      [library]: async () => (await import("./library/set.ts")).structural,
      [floor]: () => import("./floor/structuralSet.ts")
    }
  },
  "WeakSet by reference": {
    ...keyMaps,
    keys: objects,
    probes: same,
    contenders: {
      [library]: async () => (await import("./library/set.ts")).byReference,
      [floor]: () => import("./floor/set.ts"),
      weakref: async () => (await import("./peers/weakref.ts")).set,
      "iterable-weak": async () => (await import("./peers/iterableWeak.ts")).set
    }
  }
}
