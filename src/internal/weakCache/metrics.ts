import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Metric from "effect/Metric"
import type { Stats } from "../../WeakCache.ts"

const counters = {
  hits: "Gets that a finished lookup answered",
  misses: "Gets that started a lookup or waited for one",
  loads: "Lookups that succeeded",
  failures: "Lookups that failed",
  collected: "Values that the garbage collector took",
  expired: "Values whose time to live was over",
  evicted: "Entries that left the strong front"
} as const

const gauges = {
  alive: "Values in the cache that are not known to be collected",
  strong: "Entries that the cache keeps alive"
} as const

/** The metrics are read from `stats` when somebody asks for them, so that a hit costs the same with or without a name. */
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

/** Records how long lookups take. */
export const loadTime = (name: string, context: Context.Context<never>): (nanos: bigint) => void => {
  const metric = Metric.timer(`${name}_load_time`, { description: "Time that a lookup took" })
  return (nanos) => metric.updateUnsafe(Duration.nanos(nanos), context)
}
