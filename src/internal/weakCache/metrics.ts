/**
 * Publishes the counters and sizes of the caches that have a name. The caches of one name in one
 * registry are a group: their metrics are sums, and disappear with the last cache of the group.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Metric from "effect/Metric"
import type { Heap } from "../../Heap.ts"
import type { Stats } from "../../WeakCache.ts"
import { whenDropped } from "./dropped.ts"

const counters = {
  hits: "Reads that found a value or a cached failure",
  misses: "Reads that started a lookup, waited for a lookup, or found nothing",
  sets: "Values that were set",
  loads: "Lookups that succeeded",
  failures: "Lookups that failed",
  interrupted: "Lookups that were interrupted",
  collected: "Values that were collected",
  expired: "Values whose time to live ended",
  replaced: "Values that another value replaced",
  invalidated: "Values that were invalidated",
  unstored: "Values that were not stored",
  demoted: "Entries that left the strong front"
} as const satisfies Partial<Record<keyof Stats, string>>

const gauges = {
  size: "Values in the cache, including collected values that have not been cleaned up yet",
  strong: "Entries in the strong front",
  weight: "Total weight of the strong front"
} as const satisfies Partial<Record<keyof Stats, string>>

type Counter = keyof typeof counters
type Gauge = keyof typeof gauges

const counterIds = Object.keys(counters) as Array<Counter>
const gaugeIds = Object.keys(gauges) as Array<Gauge>

/** What publishes its numbers. */
export interface Source {
  stats(): Stats
}

/** A cache of a group. */
interface Member {
  /** Weak, because the registry of the metrics must not keep a cache alive. */
  readonly source: WeakRef<Source>
  /** The counters when the metrics were last read, in case the cache is collected. */
  last: Stats | undefined
}

/** All groups, by the registry of their metrics and their key. */
const registries = /*#__PURE__*/ new WeakMap<Metric.MetricRegistry, Map<string, Group>>()

class Group {
  readonly members = new Set<Member>()
  readonly #context: Context.Context<never>
  readonly #loadTime: Metric.Histogram<Duration.Duration>
  readonly #registrations: Array<Metric.Registration> = []
  /** What closed caches have counted. Keeps a counter from falling while other caches of the name are open. */
  readonly #past: Record<string, number> = {}

  constructor(name: string, context: Context.Context<never>) {
    this.#context = context
    const attributes = { cache: name }
    for (const id of counterIds) {
      const metric = Metric.counter(`weak_cache_${id}`, { description: counters[id], attributes, incremental: true })
      this.#register(metric, () => ({ count: this.#sum(id), incremental: true }))
    }
    for (const id of gaugeIds) {
      const metric = Metric.gauge(`weak_cache_${id}`, { description: gauges[id], attributes })
      this.#register(metric, () => ({ value: this.#sum(id) }))
    }
    this.#loadTime = Metric.timer("weak_cache_load_time", { description: "Duration of a lookup", attributes })
  }

  #register<Input, State>(metric: Metric.Metric<Input, State>, get: () => State): void {
    this.#registrations.push(Metric.registerUnsafe(metric, this.#context, { get, update: ignore, modify: ignore }))
  }

  #sum(id: Counter | Gauge): number {
    let sum = this.#past[id] ?? 0
    for (const member of this.members) {
      const stats = member.source.deref()?.stats()
      if (stats !== undefined) member.last = stats
      // A dead cache has no entries.
      if (stats !== undefined || id in counters) sum += member.last?.[id] ?? 0
    }
    return sum
  }

  recordLoad(nanos: bigint): void {
    this.#loadTime.updateUnsafe(Duration.nanos(nanos), this.#context)
  }

  leave(member: Member): void {
    const last = member.source.deref()?.stats() ?? member.last
    this.members.delete(member)
    if (last === undefined) return
    for (const id of counterIds) this.#past[id] = (this.#past[id] ?? 0) + last[id]
  }

  remove(): void {
    for (const registration of this.#registrations) registration.remove()
    Metric.removeUnsafe(this.#loadTime, this.#context)
  }
}

const ignore = (): void => {}

/** The metrics of one cache. */
export interface Metrics {
  /** Records the duration of a lookup, unless the cache has been removed. */
  readonly recordLoad: (nanos: bigint) => void
  /** Adds the cache to the metrics of its name. They read the cache's `stats` only when they are read, so they add no cost to a hit. */
  readonly publish: (heap: Heap, source: Source) => void
  /** Removes the cache from the metrics of its name. */
  readonly remove: () => void
}

/** Creates the metrics of a cache, in the registry of the context and with the context's attributes. */
export const make = (name: string, context: Context.Context<never>): Metrics => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const attributes = Context.get(context, Metric.CurrentMetricAttributes)
  // Holds nothing else of the context, because a Scope in the context holds the cache.
  const own = Context.make(Metric.MetricRegistry, registry).pipe(
    Context.add(Metric.CurrentMetricAttributes, attributes)
  )
  const key = JSON.stringify([name, Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1)])
  let group: Group | undefined
  let leave = ignore
  return {
    recordLoad: (nanos) => group?.recordLoad(nanos),
    publish: (heap, source) => {
      group = groupOf(registry, key, name, own)
      leave = join(heap, source, registry, key, group)
    },
    remove: () => {
      group = undefined
      leave()
    }
  }
}

const groupOf = (
  registry: Metric.MetricRegistry,
  key: string,
  name: string,
  context: Context.Context<never>
): Group => {
  let groups = registries.get(registry)
  if (groups === undefined) registries.set(registry, groups = new Map())
  let group = groups.get(key)
  if (group === undefined) groups.set(key, group = new Group(name, context))
  return group
}

/** Adds a cache to a group. Returns a function that removes the cache. This function does not hold the cache. */
const join = (heap: Heap, source: Source, registry: Metric.MetricRegistry, key: string, group: Group): () => void => {
  const member: Member = { source: new heap.WeakRef(source), last: undefined }
  group.members.add(member)
  const leave = leaving(registry, key, group, member)
  const cancel = whenDropped(heap, source, leave)
  return () => {
    cancel()
    leave()
  }
}

// Outside of `join`, so that the function cannot hold `source`.
const leaving = (registry: Metric.MetricRegistry, key: string, group: Group, member: Member) => () => {
  if (!group.members.has(member)) return
  group.leave(member)
  if (group.members.size > 0) return
  group.remove()
  registries.get(registry)?.delete(key)
}
