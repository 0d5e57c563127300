/** The jobs that the main process sends to other processes, and their results. */

export interface Job {
  readonly subject: string
  readonly contender: string
  readonly measure: "operations" | "cost" | "after collections"
  /** The number of entries. */
  readonly n: number
}

export interface Measurement {
  readonly name: string
  readonly unit: "ns" | "ms" | "bytes" | "per second"
  readonly value: number
  /** Present if `value` is the median of the turns. Unlike the median, it includes rare work such as collections. */
  readonly mean?: number
}
