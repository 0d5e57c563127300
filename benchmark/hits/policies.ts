/** Counts how many reads of a trace a policy finds, if only the policy keeps values alive. */
import { Cache, Effect, Hash } from "effect"
import { LRUCache } from "lru-cache"
import { type Link, StrongFront } from "../../src/internal/weakCache/strongFront.ts"

/** Returns the number of hits. */
export type Policy = (keys: Int32Array, capacity: number) => number

export const lru: Policy = (keys, capacity) => {
  const map = new Map<number, true>()
  let hits = 0
  for (const key of keys) {
    if (map.delete(key)) hits++
    else if (map.size >= capacity) map.delete(map.keys().next().value!)
    map.set(key, true)
  }
  return hits
}

/** Belady's optimum: evicts the key whose next use is farthest, and does not keep a key that is used later than all others. */
export const optimum: Policy = (keys, capacity) => {
  const { length } = keys
  const next = new Int32Array(length)
  const seen = new Map<number, number>()
  for (let n = length - 1; n >= 0; n--) {
    next[n] = seen.get(keys[n]!) ?? length
    seen.set(keys[n]!, n)
  }
  // A heap of the places of next uses, the farthest first. Places that are out of date are skipped.
  const heap: Array<number> = []
  const cached = new Map<number, number>()
  const push = (place: number) => {
    let n = heap.push(place) - 1
    while (n > 0 && heap[(n - 1) >> 1]! < place) {
      heap[n] = heap[(n - 1) >> 1]!
      n = (n - 1) >> 1
    }
    heap[n] = place
  }
  const pop = () => {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let n = 0
    for (;;) {
      let child = 2 * n + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]! > heap[child]!) child++
      if (heap[child]! <= last) break
      heap[n] = heap[child]!
      n = child
    }
    heap[n] = last
    return first
  }
  let hits = 0
  for (let n = 0; n < length; n++) {
    const key = keys[n]!
    if (cached.has(key)) hits++
    // Never used again, so it is not kept. All such keys have the same place, which would not identify one.
    if (next[n] === length) {
      cached.delete(key)
      continue
    }
    cached.set(key, next[n]!)
    push(next[n]!)
    while (cached.size > capacity) {
      const place = pop()
      const victim = keys[place]!
      if (cached.get(victim) === place) cached.delete(victim)
    }
  }
  return hits
}

class Item implements Link {
  readonly key: number
  newer: Item | undefined = undefined
  older: Item | undefined = undefined
  weight = 1
  mark = 0
  constructor(key: number) {
    this.key = key
  }
}

/** The strong front of this library, on a heap that collects a value as soon as it leaves the front. */
export const strongFront: Policy = (keys, capacity) => {
  const front = new StrongFront<Item>(capacity, Infinity, (item) => Hash.hash(item.key))
  const items = new Map<number, Item>()
  let hits = 0
  for (const key of keys) {
    let item = items.get(key)
    if (item !== undefined) {
      hits++
      front.use(item)
      continue
    }
    item = new Item(key)
    items.set(key, item)
    front.add(item)
    while (front.isOver()) {
      const victim = front.victim()
      front.remove(victim)
      items.delete(victim.key)
    }
  }
  return hits
}

export const lruCache: Policy = (keys, capacity) => {
  const cache = new LRUCache<number, object>({ max: capacity })
  let hits = 0
  for (const key of keys) {
    if (cache.get(key) === undefined) cache.set(key, {})
    else hits++
  }
  return hits
}

export const effectCache: Policy = (keys, capacity) =>
  Effect.runSync(Effect.gen(function*() {
    let misses = 0
    const cache = yield* Cache.make({ lookup: (_: number) => Effect.sync(() => void misses++), capacity })
    for (const key of keys) yield* Cache.get(cache, key)
    return keys.length - misses
  }))
