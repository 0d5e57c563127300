import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Metric from "effect/Metric"
import type { Stats } from "../../WeakCache.ts"

const counters = {
  hits: "Reads that found a value or a cached failure",
  misses: "Reads that started a lookup, waited for a lookup, or found nothing",
  loads: "Lookups that succeeded",
  failures: "Lookups that failed",
  collected: "Values that were collected",
  expired: "Values whose time to live ended",
  demoted: "Entries that left the strong front"
} as const

const gauges = {
  size: "Values in the cache, including collected values that have not been cleaned up yet",
  strong: "Entries in the strong front"
} as const

/** Registers metrics that call `stats` only when they are read. So the metrics add no cost to a hit. */
export const publish = (
  name: string,
  context: Context.Context<never>,
  stats: () => Stats
): { readonly remove: () => void } => {
  const registrations: Array<Metric.Registration> = []
  for (const id of Object.keys(counters) as Array<keyof typeof counters>) {
    const metric = Metric.counter(`${name}_${id}`, { description: counters[id], incremental: true })
    registrations.push(Metric.registerUnsafe(metric, context, hooks(() => ({ count: stats()[id], incremental: true }))))
  }
  for (const id of Object.keys(gauges) as Array<keyof typeof gauges>) {
    const metric = Metric.gauge(`${name}_${id}`, { description: gauges[id] })
    registrations.push(Metric.registerUnsafe(metric, context, hooks(() => ({ value: stats()[id] }))))
  }
  return { remove: () => registrations.forEach((registration) => registration.remove()) }
}

const hooks = <State>(get: () => State) => ({ get, update: ignore, modify: ignore })

const ignore = (): void => {}

/** Returns a function that records the duration of a lookup. */
export const loadTime = (name: string, context: Context.Context<never>): (nanos: bigint) => void => {
  const metric = Metric.timer(`${name}_load_time`, { description: "Duration of a lookup" })
  return (nanos) => metric.updateUnsafe(Duration.nanos(nanos), context)
}
