/** The laws that weak maps and weak sets share. */
import * as Equal from "effect/Equal"
import * as fc from "fast-check"
import { type Heap, isWeakReferenceable } from "../../../Heap.ts"
import * as Arbitraries from "../../../testing/Arbitraries.ts"
import { keepsNothingAlive, leavesNothingBehind } from "./hostHeap.ts"
import { type Check, check, type Trace } from "./law.ts"
import { type Collector, makeCollector, seeds } from "./tracedHeap.ts"

/** A map under test, or a set under test whose elements are both key and value. */
export interface Table<K> {
  get(key: K): unknown
  has(key: K): boolean
  set(key: K, value: object): unknown
  delete(key: K): boolean
  readonly entries: (() => Iterator<readonly [K, unknown]>) | undefined
  readonly size: () => number | undefined
}

interface AnyMap<K> {
  get(key: K): unknown
  has(key: K): boolean
  set(key: K, value: object): unknown
  delete(key: K): boolean
  [Symbol.iterator]?(): Iterator<readonly [K, unknown]>
  readonly size?: number | undefined
}

interface AnySet<A> {
  add(element: A): unknown
  has(element: A): boolean
  delete(element: A): boolean
  [Symbol.iterator]?(): Iterator<A>
  readonly size?: number | undefined
}

export const ofMap = <K>(map: AnyMap<K>): Table<K> => ({
  get: (key) => map.get(key),
  has: (key) => map.has(key),
  set: (key, value) => map.set(key, value),
  delete: (key) => map.delete(key),
  entries: map[Symbol.iterator]?.bind(map),
  size: () => map.size
})

export const ofSet = <A>(set: AnySet<A>): Table<A> => {
  const elements = set[Symbol.iterator]?.bind(set)
  return {
    get: (element) => set.has(element),
    has: (element) => set.has(element),
    set: (element) => set.add(element),
    delete: (element) => set.delete(element),
    entries: elements && (() => {
      const iterator = elements()
      return {
        next: () => {
          const { done, value } = iterator.next()
          return done === true ? { done, value: undefined } : { done: false, value: [value, value] }
        }
      }
    }),
    size: () => set.size
  }
}

/** Keys for maps that take strings. */
export const strings: fc.Arbitrary<string> = fc.nat({ max: 999 }).map((id) => `key${id}`)

const long = "k".repeat(64)

/** Strings that a map confuses if it changes its keys, or if it stores them in a plain object. */
const lookAlikes: ReadonlyArray<ReadonlyArray<string>> = [
  ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "prototype", "length", "size"],
  ["key", "KEY", "Key", "ß", "SS", "ss"],
  ["1", "01", "1.0", "+1", "1e0", "0x1"],
  ["0", "-0", "", " ", "00"],
  ["key ", " key", "key", "key\n", "\tkey"],
  ["null", "undefined", "NaN", "true", "false", "[object Object]"],
  ["é", "e\u0301", "e"],
  [`${long}a`, `${long}b`, long],
  ["a,b", "a:b", "a/b", "a.b", "a b", "ab", "a"],
  // Equal hashes: the first two in Java's function of strings, the last two in Effect's.
  ["Aa", "BB", "afF", "aAA"],
  ["\u0000", "\ud800", "\udc00", "\ufffd", "?"]
]

/** Generates strings that look alike. */
export const strangeStrings: fc.Arbitrary<ReadonlyArray<string>> = fc.oneof(
  ...lookAlikes.map((strings) => fc.shuffledSubarray([...strings], { minLength: 2 }))
)

export interface Kind<K> {
  /** The first word of each law's name. */
  readonly name: string
  /** Which part of an entry is weak. Law names use this word. */
  readonly weak: "key" | "value" | "element"
  readonly make: (heap: Heap) => Table<K>
  readonly keys: fc.Arbitrary<K>
  /** Several keys that a map could take for one another, for one more law. */
  readonly strangeKeys?: fc.Arbitrary<ReadonlyArray<K>> | undefined
  readonly compare: "reference" | "structural" | undefined
  readonly ordered: boolean | undefined
}

/** Compares like the native `Map`, to which `0` and `-0` are the same key. */
const identical = (a: unknown, b: unknown): boolean => a === b || Object.is(a, b)

interface Entry<K> {
  readonly key: K
  value: unknown
  /** Distinguishes an entry from an earlier entry of the same key. */
  readonly id: number
}

/** The table under test, and its model: a list of live entries. A collection removes entries from the list. */
class Pair<K> {
  readonly kind: Kind<K>
  readonly trace: Trace
  readonly collector: Collector
  readonly keys: ReadonlyArray<K>
  private readonly table: Table<K>
  private entries: Array<Entry<K>> = []
  /** Keys whose entry was collected. Some laws do not use these keys again. */
  private readonly retired = new Set<K>()
  private made = 0
  /** How many entries were collected. A size may count them until their clean-up has run. */
  private dead = 0

  constructor(kind: Kind<K>, trace: Trace, seed: number, keys: ReadonlyArray<K>) {
    this.kind = kind
    this.trace = trace
    this.collector = makeCollector(seed)
    this.keys = Array.from(new Set(keys))
    const name = kind.weak === "element" ? "element" : "key"
    this.keys.forEach((key, index) => isWeakReferenceable(key) && trace.declare(key, `${name}${index}`))
    this.table = trace.step("const subject = make(heap)", () => kind.make(this.collector.heap))
  }

  key(index: number): K {
    return this.keys[index % this.keys.length]!
  }

  same(a: K, b: K): boolean {
    return this.kind.compare === "structural" ? Equal.equals(a, b) : identical(a, b)
  }

  find(key: K): Entry<K> | undefined {
    return this.entries.find((entry) => this.same(entry.key, key))
  }

  isRetired(key: K): boolean {
    return Array.from(this.retired).some((retired) => this.same(retired, key))
  }

  get live(): ReadonlyArray<Entry<K>> {
    return this.entries
  }

  /** Makes a new value. Returns `undefined` for a set, which has no values. */
  makeValue(): object | undefined {
    return this.kind.weak === "element" ? undefined : this.trace.name({ id: this.made }, `value${this.made++}`)
  }

  set(key: K, value: unknown = this.makeValue()): void {
    const { trace } = this
    const entry = this.find(key)
    // Only sets have no value. Their elements are weak, and therefore objects or symbols.
    const stored = (value ?? key) as object
    if (entry === undefined) this.entries.push({ key, value: stored, id: this.made++ })
    else if (value !== undefined) entry.value = value
    trace.step(
      value === undefined ? `add(${trace.show(key)})` : `set(${trace.show(key)}, ${trace.show(value)})`,
      () => this.table.set(key, stored)
    )
  }

  expectGet(key: K): void {
    if (this.kind.weak === "element") return this.expectHas(key)
    this.trace.expect(`get(${this.trace.show(key)})`, () => this.table.get(key), this.find(key)?.value)
  }

  expectHas(key: K): void {
    this.trace.expect(`has(${this.trace.show(key)})`, () => this.table.has(key), this.find(key) !== undefined)
  }

  expectDelete(key: K): void {
    const expected = this.remove(key)
    this.trace.expect(`delete(${this.trace.show(key)})`, () => this.table.delete(key), expected)
  }

  /** Expects a size that counts each live entry, and no entry that was removed. */
  expectSize(): void {
    const { dead, entries: { length }, trace } = this
    const size = trace.step("size", () => this.table.size())
    if (size === undefined || Number.isInteger(size) && size >= length && size <= length + dead) return
    const expected = dead === 0 ? `${length}` : `at least ${length} and at most ${length + dead}`
    throw trace.violation(`returned ${trace.show(size)}, expected ${expected}`)
  }

  /** Deletes a key, for laws that do not check the result of `delete`. */
  delete(key: K): void {
    this.remove(key)
    this.trace.step(`delete(${this.trace.show(key)})`, () => this.table.delete(key))
  }

  private remove(key: K): boolean {
    const before = this.entries.length
    this.entries = this.entries.filter((entry) => !this.same(entry.key, key))
    return this.entries.length < before
  }

  collect(targets: ReadonlyArray<unknown>): void {
    const { weak } = this.kind
    const before = this.entries.length
    this.entries = this.entries.filter((entry) => !targets.includes(weak === "value" ? entry.value : entry.key))
    this.dead += before - this.entries.length
    // `weak` selects the collectable part of an entry.
    this.collector.collect(this.trace, targets as ReadonlyArray<WeakKey>)
  }

  /** Collects the weak part of the entry of a key. From then on, the law does not use the keys of dead entries. */
  retire(key: K): void {
    const entry = this.find(key)
    if (entry === undefined) return
    const before = this.entries
    this.collect([this.kind.weak === "value" ? entry.value : entry.key])
    for (const entry of before) if (!this.entries.includes(entry)) this.retired.add(entry.key)
  }

  finalize(): Promise<void> {
    return this.collector.finalize(this.trace)
  }

  /** Opens an iterator, or returns `undefined` if the table has none. */
  iterate(): Iterator<readonly [K, unknown]> | undefined {
    return this.table.entries && this.trace.step("const iterator = iterate()", this.table.entries)
  }

  /** Advances an iterator. The step names the entry that the iterator yields. */
  next(iterator: Iterator<readonly [K, unknown]>): readonly [K, unknown] | undefined {
    const { trace } = this
    const result = trace.step("iterator.next()", () => iterator.next())
    if (result.done === true) return undefined
    const [key, value] = trace.step(`const [key, value] = ${trace.show(result.value)}`, () => result.value)
    return [key, value]
  }

  /** Visits each entry that an iterator yields, and returns whether the table has an iterator. */
  visit(visitor: (entry: readonly [K, unknown]) => void): boolean {
    const iterator = this.iterate()
    if (iterator === undefined) return false
    // The limit stops a broken iterator that never ends: each key may occur once.
    for (let left = this.keys.length; left >= 0; left--) {
      const entry = this.next(iterator)
      if (entry === undefined) return true
      visitor(entry)
    }
    throw this.trace.violation("does not end")
  }

  /** Returns the keys of all entries, or `undefined` if the table has no iterator. */
  list(): ReadonlyArray<K> | undefined {
    const keys: Array<K> = []
    return this.visit(([key]) => keys.push(key)) ? keys : undefined
  }

  /** Expects that each live entry can be read, and is listed. Ignores other listed entries. */
  expectLive(): void {
    for (const { key } of this.entries) this.expectGet(key)
    const listed = this.entries.length === 0 ? undefined : this.list()
    const missed = listed && this.entries.find(({ key }) => !listed.some((other) => identical(other, key)))
    if (missed !== undefined) throw this.trace.violation(`did not yield ${this.trace.show(missed.key)}`)
  }

  /** Expects that a yielded entry is a live entry of the model that was not yielded before. */
  expectYielded([key, value]: readonly [K, unknown], seen: Set<Entry<K>>): void {
    const { trace } = this
    const entry = this.entries.find((entry) => identical(entry.key, key))
    if (entry === undefined) throw trace.violation("there is no such entry")
    if (!Object.is(entry.value, value)) throw trace.violation(`expected ${trace.show(entry.value)}`)
    if (seen.has(entry)) throw trace.violation(`${trace.show(entry.key)} was already yielded`)
    seen.add(entry)
  }

  /** Expects that an iteration has yielded these entries. */
  expectSeen(seen: ReadonlySet<Entry<K>>, due: ReadonlyArray<Entry<K>>): void {
    const missed = due.find((entry) => !seen.has(entry))
    if (missed !== undefined) throw this.trace.violation(`did not yield ${this.trace.show(missed.key)}`)
  }
}

/** Returns the weak part of each entry. */
const weakSides = <K>(
  { weak }: Kind<K>,
  entries: ReadonlyArray<{ readonly key: K; readonly value: object }>
): ReadonlyArray<WeakKey> =>
  // If the values are not weak, then the keys are.
  entries.map(({ key, value }) => weak === "value" ? value : key as WeakKey)

/** Uses each operation that reads. */
const read = <K>(subject: Table<K>, keys: ReadonlyArray<K>): void => {
  for (const key of keys) {
    subject.has(key)
    subject.get(key)
  }
  const iterator = subject.entries?.()
  for (let left = keys.length; left > 0 && iterator?.next().done === false; left--) { /* to the end */ }
}

export const laws = <K>(kind: Kind<K>): ReadonlyArray<Check> => {
  const { keys, name, weak } = kind
  const index = fc.nat({ max: 3 })
  const pool = fc.array(keys, { minLength: 1, maxLength: 4 })
  const entry = weak === "element" ? "element" : "entry"
  const put = weak === "element" ? "added" : "set"

  /** Runs an operation that edits the table. Skips retired keys, because other laws check their clean-ups. */
  const editing = async (
    pair: Pair<K>,
    { args, name }: {
      readonly name: "set" | "delete" | "collect" | "finalize"
      readonly args: ReadonlyArray<number>
    }
  ): Promise<void> => {
    if (name === "finalize") return pair.finalize()
    for (const key of args.map((index) => pair.key(index)).filter((key) => !pair.isRetired(key))) {
      if (name === "set") pair.set(key)
      else if (name === "delete") pair.delete(key)
      else pair.retire(key)
    }
  }

  /** Expects that an iteration yields each live entry once, and nothing else but entries of retired keys. */
  const expectListed = (pair: Pair<K>): void => {
    const seen = new Set<Entry<K>>()
    const iterates = pair.visit((yielded) => {
      if (!pair.isRetired(yielded[0])) pair.expectYielded(yielded, seen)
    })
    if (iterates) pair.expectSeen(seen, pair.live)
  }

  const all: Array<Check> = [
    check(
      `${name}: agrees with a strong ${weak === "element" ? "Set" : "Map"} about live entries`,
      fc.tuple(
        seeds,
        pool,
        Arbitraries.scripts(
          // A set either makes a new value, or takes the value of another entry.
          { set: [index, fc.nat({ max: 5 })], get: [index], has: [index], delete: [index], iterate: [] },
          { targets: 4 }
        )
      ),
      async (trace, [seed, keys, script]) => {
        const pair = new Pair(kind, trace, seed, keys)
        for (const operation of script) {
          switch (operation.name) {
            case "iterate":
              expectListed(pair)
              break
            case "set": {
              const [index, other] = operation.args
              const key = pair.key(index)
              if (!pair.isRetired(key)) pair.set(key, weak === "element" ? undefined : pair.live[other]?.value)
              break
            }
            case "get":
            case "has":
            case "delete": {
              const key = pair.key(operation.args[0])
              if (pair.isRetired(key)) break
              if (operation.name === "get") pair.expectGet(key)
              else if (operation.name === "has") pair.expectHas(key)
              else pair.expectDelete(key)
              break
            }
            default:
              await editing(pair, operation)
          }
        }
        for (const key of pair.keys.filter((key) => !pair.isRetired(key))) pair.expectGet(key)
        expectListed(pair)
      }
    ),
    check(
      `${name}: its size counts the live ${weak === "element" ? "elements" : "entries"}`,
      fc.tuple(seeds, pool, Arbitraries.scripts({ set: [index], delete: [index], size: [] }, { targets: 4 })),
      async (trace, [seed, keys, script]) => {
        const pair = new Pair(kind, trace, seed, keys)
        for (const operation of script) {
          if (operation.name === "size") pair.expectSize()
          else await editing(pair, operation)
        }
        pair.expectSize()
      }
    ),
    check(
      `${name}: forgets an ${entry} when its ${weak} is collected`,
      fc.tuple(seeds, pool, fc.array(fc.tuple(index, index), { minLength: 1, maxLength: 4 }), index, fc.boolean()),
      async (trace, [seed, keys, sets, victim, finalize]) => {
        const pair = new Pair(kind, trace, seed, keys)
        // Several keys can share a value.
        const values = Array.from({ length: 4 }, () => pair.makeValue())
        for (const [key, value] of sets) pair.set(pair.key(key), values[value])
        const entry = pair.live[victim % pair.live.length]!
        const target = weak === "value" ? entry.value : entry.key
        const before = pair.live
        pair.collect([target])
        if (finalize) await pair.finalize()
        for (const { key } of before.filter((entry) => !pair.live.includes(entry))) {
          pair.expectHas(key)
          pair.expectGet(key)
        }
      }
    ),
    check(
      `${name}: delete returns false if the ${entry} is dead`,
      fc.tuple(seeds, keys, fc.boolean()),
      async (trace, [seed, key, finalize]) => {
        const pair = new Pair(kind, trace, seed, [key])
        pair.set(key)
        pair.collect(pair.live.map((entry) => weak === "value" ? entry.value : entry.key))
        if (finalize) await pair.finalize()
        pair.expectDelete(key)
      }
    ),
    check(
      `${name}: a clean-up does not remove an ${entry} that was ${put} later`,
      fc.tuple(
        seeds,
        pool,
        Arbitraries.scripts(
          { set: [fc.nat({ max: 1 }), fc.nat({ max: 1 })], delete: [fc.nat({ max: 1 })] },
          { targets: 2 }
        )
      ),
      async (trace, [seed, keys, script]) => {
        const first = keys[0]!
        // All keys are keys of the same entry. There are several only if keys compare structurally.
        const equal = kind.compare === "structural" ? keys.filter((key) => Equal.equals(key, first)) : [first]
        const pair = new Pair(kind, trace, seed, equal)
        const values = [pair.makeValue(), pair.makeValue()]
        /** The weak parts that were set and not yet collected. Only these are collected. */
        const used = new Set<unknown>()
        for (const { args, name } of script) {
          if (name === "set") {
            const [key, value] = [pair.key(args[0]), values[args[1]]]
            used.add(weak === "value" ? value : key)
            pair.set(key, value)
          } else if (name === "delete") pair.delete(pair.key(args[0]))
          else if (name === "finalize") {
            await pair.finalize()
            pair.expectLive()
          } else {
            const targets = new Set(args.map((index) => weak === "value" ? values[index] : pair.key(index)))
            const collected = [...targets].filter((target) => used.delete(target))
            if (collected.length > 0) pair.collect(collected)
            // A collected value does not come back. A collected key does, because the law needs a later entry of it.
            values.forEach((value, index) => {
              if (collected.includes(value)) values[index] = pair.makeValue()
            })
          }
        }
        await pair.finalize()
        pair.expectLive()
      }
    ),
    check(
      `${name}: iterates soundly during mutation and collection`,
      fc.tuple(
        seeds,
        pool,
        fc.array(index, { maxLength: 3 }),
        Arbitraries.scripts({ next: [], set: [index], delete: [index] }, { targets: 4 })
      ),
      async (trace, [seed, keys, initial, script]) => {
        const pair = new Pair(kind, trace, seed, keys)
        for (const key of [...pair.keys, ...initial.map((index) => pair.key(index))]) pair.set(key)
        const iterator = pair.iterate()
        if (iterator === undefined) return
        const due = [...pair.live]
        const seen = new Set<Entry<K>>()
        /** Advances the iterator. Returns whether it has ended. */
        const next = (): boolean => {
          const yielded = pair.next(iterator)
          if (yielded === undefined) return true
          pair.expectYielded(yielded, seen)
          return false
        }
        for (const operation of script) {
          if (operation.name !== "next") await editing(pair, operation)
          else if (next()) break
        }
        // The loop ends, because `next` throws if an entry is yielded twice.
        while (!next()) { /* to the end */ }
        // The iterator need not yield an entry that was removed before it ended.
        pair.expectSeen(seen, due.filter((entry) => pair.live.includes(entry)))
      }
    ),
    keepsNothingAlive(
      weak === "key"
        ? `${name}: a value that refers to its key does not keep the key alive`
        : `${name}: does not keep its ${weak}s alive`,
      weak,
      (heap, count, seed) => {
        const subject = kind.make(heap)
        const entries = fc.sample(keys, { numRuns: count, seed }).map((key) => ({
          key,
          value: weak === "value" ? {} : { key }
        }))
        for (const { key, value } of entries) subject.set(key, value)
        // A structure can keep what it was asked for last, and what it has returned.
        read(subject, entries.map(({ key }) => key))
        for (const { key } of entries.filter((_, index) => index % 4 === 0)) subject.delete(key)
        return { subject, dropped: weakSides(kind, entries) }
      }
    ),
    leavesNothingBehind(
      `${name}: leaves nothing behind`,
      weak === "element" ? "elements" : "entries",
      ["dies", "is removed", "is overwritten"],
      (heap, count, seed, ending) => {
        const subject = kind.make(heap)
        const sampled = fc.sample(keys, { numRuns: count, seed })
        const entries = sampled.map((key) => ({ key: ending === "is overwritten" ? sampled[0]! : key, value: {} }))
        for (const { key, value } of entries) subject.set(key, value)
        if (ending === "is removed") { for (const { key } of entries) subject.delete(key) }
        const weakly = weakSides(kind, entries)
        const others = weak === "element" ? [] : entries.map(({ key, value }) => weak === "value" ? key : value)
        return {
          // The rest of a removed or overwritten entry must leave even while its weak part is alive.
          subject: ending === "dies" ? subject : [subject, weakly],
          dropped: ending === "dies" ? weakly : [],
          released: others.filter(isWeakReferenceable),
          reusesReferences: false,
          size: subject.size
        }
      }
    )
  ]
  if (kind.strangeKeys !== undefined) {
    all.push(check(
      `${name}: keeps keys apart that look alike`,
      fc.tuple(seeds, kind.strangeKeys, fc.array(index, { minLength: 1, maxLength: 3 })),
      (trace, [seed, keys, removed]) => {
        const pair = new Pair(kind, trace, seed, keys)
        const expectAll = () => {
          for (const key of pair.keys) {
            pair.expectHas(key)
            pair.expectGet(key)
          }
        }
        // Reads each key before it is set, because a plain object has inherited properties.
        for (const key of pair.keys) {
          pair.expectGet(key)
          pair.set(key)
        }
        expectAll()
        expectListed(pair)
        for (const index of removed) pair.delete(pair.key(index))
        expectAll()
        expectListed(pair)
      }
    ))
  }
  if (kind.ordered === true) {
    all.push(check(
      `${name}: iterates in insertion order`,
      fc.tuple(
        seeds,
        pool,
        fc.array(index, { maxLength: 3 }),
        Arbitraries.scripts({ set: [index], delete: [index] }, { targets: 4 })
      ),
      async (trace, [seed, keys, again, script]) => {
        const pair = new Pair(kind, trace, seed, keys)
        // An entry that is set again keeps its position.
        for (const key of [...pair.keys, ...again.map((index) => pair.key(index))]) pair.set(key)
        for (const operation of script) await editing(pair, operation)
        const listed = pair.list()
        if (listed === undefined) return
        const live = pair.live.map((entry) => entry.key)
        // Other laws check that all live entries are yielded, and nothing else.
        const yielded = listed.filter((key) => live.includes(key))
        const expected = live.filter((key) => listed.includes(key))
        if (yielded.some((key, i) => !identical(key, expected[i]))) {
          throw trace.violation(`yielded ${trace.show(yielded)}, expected ${trace.show(expected)}`)
        }
      }
    ))
  }
  return all
}
