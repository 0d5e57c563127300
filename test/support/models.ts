/**
 * A simple, strong and slow model of the weak collections. Property tests compare each
 * collection with its model. `Model.collect` removes the entries of collected targets.
 */
import { Equal, Option } from "effect"

export type Compare = "structural" | "reference"

export const compares = ["structural", "reference"] as const

interface Entry<K, V> {
  readonly key: K
  value: V
  /** The number of the insertion. An iterator continues after the number of the entry that it yielded last. */
  readonly at: number
}

export class Model<K, V> {
  readonly compare: Compare
  readonly weakSide: "key" | "value"
  private list: Array<Entry<K, V>> = []
  private now = 0

  constructor(weakSide: "key" | "value", compare: Compare) {
    this.weakSide = weakSide
    this.compare = compare
  }

  same(a: unknown, b: unknown): boolean {
    return this.compare === "structural" ? Equal.equals(a, b) : a === b || Object.is(a, b)
  }

  private find(key: K): Entry<K, V> | undefined {
    return this.list.find((entry) => this.same(entry.key, key))
  }

  get(key: K): Option.Option<V> {
    return Option.map(Option.fromUndefinedOr(this.find(key)), (entry) => entry.value)
  }

  has(key: K): boolean {
    return this.find(key) !== undefined
  }

  set(key: K, value: V): void {
    const entry = this.find(key)
    // -0 becomes 0, as in a native `Map`.
    if (entry === undefined) this.list.push({ key: Object.is(key, -0) ? 0 as K : key, value, at: ++this.now })
    else entry.value = value
  }

  remove(key: K): void {
    this.list = this.list.filter((entry) => !this.same(entry.key, key))
  }

  clear(): void {
    this.list = []
  }

  collect(targets: ReadonlyArray<unknown>): void {
    this.list = this.list.filter((entry) => !targets.includes(entry[this.weakSide]))
  }

  entries(): Array<[K, V]> {
    return this.list.map((entry) => [entry.key, entry.value])
  }

  keys(): Array<K> {
    return this.list.map((entry) => entry.key)
  }

  values(): Array<V> {
    return this.list.map((entry) => entry.value)
  }

  after(at: number): Entry<K, V> | undefined {
    return this.list.find((entry) => entry.at > at)
  }

  empty<K2 = K>(): Model<K2, V> {
    return new Model(this.weakSide, this.compare)
  }

  copy(): Model<K, V> {
    return this.empty().setAll(this.entries())
  }

  setAll(entries: Iterable<readonly [K, V]>): this {
    for (const [key, value] of entries) this.set(key, value)
    return this
  }

  /** Checks whether each entry has an equal entry in the other model, with the comparison of this model. */
  equals(that: Model<K, V>): boolean {
    const match = ([k, v]: [K, V], [k2, v2]: [K, V]) => this.same(k, k2) && this.same(v, v2)
    const these = this.entries()
    const those = that.entries()
    return these.every((a) => those.some((b) => match(a, b))) && those.every((b) => these.some((a) => match(a, b)))
  }
}
