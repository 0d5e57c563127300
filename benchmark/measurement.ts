/** What the main process asks of a process of its own, and what that answers. */

export interface Job {
  readonly subject: string
  readonly contender: string
  readonly measure: "operations" | "one long turn" | "cost" | "after collections"
  /** How many entries. */
  readonly n: number
}

export interface Measurement {
  readonly name: string
  readonly unit: "ns" | "ms" | "bytes" | "per second"
  readonly value: number
  /** Where `value` is the median of the turns. It includes what happens seldom: collections, growing, renewals. */
  readonly mean?: number
}
