/**
 * Tests of the collections with forced collections on the real heap: which entries end,
 * and which memory the collections retain. The last tests run the same script on the
 * real heap and on a test heap.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import { Effect, Equal, Hash, Option } from "effect"
import * as fc from "fast-check"
import { Heap, WeakKeyMap, WeakSet, WeakValueMap } from "../src/index.ts"
import { type Compare, compares } from "./support/models.ts"
import { collectThoroughly, collectUntil } from "./support/realHeap.ts"
import { observeOnBothHeapsWith } from "./support/worlds.ts"

/** A common interface of the three collections. The collector can remove an entry when its argument `weak` dies. */
interface Subject<S> {
  readonly name: string
  readonly make: (compare: Compare, heap?: Heap.Heap) => S
  /** Sets an entry of two objects. A set uses only the first object. */
  readonly set: (self: S, weak: object, other: object) => void
  readonly remove: (self: S, weak: object, other: object) => void
  readonly popEntry: (self: S) => boolean
  readonly clear: (self: S) => void
  readonly size: (self: S) => number
  readonly count: (self: S) => number
  readonly iterators: ReadonlyArray<(self: S) => Iterator<unknown>>
}

const weakKeyMap: Subject<WeakKeyMap.WeakKeyMap<object, object>> = {
  name: "WeakKeyMap",
  make: (compare, heap) => WeakKeyMap.makeUnsafe({ compare }, heap),
  set: WeakKeyMap.set,
  remove: WeakKeyMap.remove,
  popEntry: (self) => Option.isSome(WeakKeyMap.popEntry(self)),
  clear: WeakKeyMap.clear,
  size: WeakKeyMap.size,
  count: WeakKeyMap.count,
  iterators: [WeakKeyMap.keys, WeakKeyMap.values, WeakKeyMap.entries, WeakKeyMap.keyRefs]
}

const weakValueMap: Subject<WeakValueMap.WeakValueMap<object, object>> = {
  name: "WeakValueMap",
  make: (compare, heap) => WeakValueMap.makeUnsafe({ compare }, heap),
  set: (self, weak, other) => WeakValueMap.set(self, other, weak),
  remove: (self, _, other) => WeakValueMap.remove(self, other),
  popEntry: (self) => Option.isSome(WeakValueMap.popEntry(self)),
  clear: WeakValueMap.clear,
  size: WeakValueMap.size,
  count: WeakValueMap.count,
  iterators: [WeakValueMap.keys, WeakValueMap.values, WeakValueMap.entries, WeakValueMap.valueRefs]
}

const weakSet: Subject<WeakSet.WeakSet<object>> = {
  name: "WeakSet",
  make: (compare, heap) => WeakSet.makeUnsafe({ compare }, heap),
  set: (self, weak) => WeakSet.add(self, weak),
  remove: (self, weak) => WeakSet.remove(self, weak),
  popEntry: (self) => Option.isSome(WeakSet.pop(self)),
  clear: WeakSet.clear,
  size: WeakSet.size,
  count: WeakSet.count,
  iterators: [WeakSet.values, WeakSet.refs]
}

const forEachSubject = (tests: <S>(subject: Subject<S>, compare: Compare) => void): void => {
  for (const compare of compares) {
    describe(`WeakKeyMap (${compare})`, () => void tests(weakKeyMap, compare))
    describe(`WeakValueMap (${compare})`, () => void tests(weakValueMap, compare))
    describe(`WeakSet (${compare})`, () => void tests(weakSet, compare))
  }
}

// The objects below live as long as this module.

const thousand = (name: string) => Array.from({ length: 1000 }, (_, id) => ({ name, id }))

const weaks = thousand("weak")
/** Other objects that are equal to `weaks`. */
const twins = thousand("weak")
const others = thousand("other")
const otherTwins = thousand("other")

const million = 1_000_000

/** The heap in use after three collections. The later ones collect what the first one could not. */
const inUse = Effect.map(collectUntil(() => false, 3), () => process.memoryUsage().heapUsed)

/**
 * Returns how many bytes of the heap each operation retains. What an operation retains, it retains each time,
 * so the least of three readings is the least wrong. JavaScriptCore can keep a block of dead objects in one of them.
 */
const bytesLeft = (
  operations: number,
  script: (operations: number) => void,
  { warmUp = operations / 20 } = {}
): Effect.Effect<number> =>
  Effect.gen(function*() {
    script(warmUp)
    let least = Infinity
    for (let reading = 0; reading < 3 && least >= nothing; reading++) {
      const before = yield* inUse
      script(operations)
      const after = yield* inUse
      least = Math.min(least, (after - before) / operations)
    }
    return least
  })

/** A limit in bytes. A retained registration, a slot or a place in the order takes at least 30 bytes. */
const nothing = 4

/** Equal only to itself. Several instances can have the same hash. */
class Hashed {
  readonly hash: number

  constructor(hash: number) {
    this.hash = hash
  }

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return this.hash
  }
}

/** Creates a copy of the host's heap that counts the calls of the library. */
const countingHeap = () => {
  const counts = { derefs: 0, registrations: 0, registries: 0 }
  const heap: Heap.Heap = {
    WeakMap,
    WeakRef: class<A extends WeakKey> extends WeakRef<A> {
      override deref(): A | undefined {
        counts.derefs++
        return super.deref()
      }
    },
    FinalizationRegistry: class<T> extends FinalizationRegistry<T> {
      constructor(cleanup: (held: T) => void) {
        super(cleanup)
        counts.registries++
      }
      override register(target: WeakKey, held: T): void {
        counts.registrations++
        super.register(target, held)
      }
    }
  }
  return { counts, heap }
}

/** Creates objects that only the test subject holds, and counts how many of them are alive. */
const garbage = () => {
  const probes: Array<WeakRef<object>> = []
  const track = <A extends object>(object: A): A => {
    probes.push(new WeakRef(object))
    return object
  }
  return {
    track,
    make: (id: number): object => track({ garbage: id }),
    left: (): number => probes.filter((probe) => probe.deref() !== undefined).length
  }
}

describe("on the real heap", () => {
  forEachSubject((subject, compare) => {
    it.effect("entries end when their weak sides die, and other entries stay", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const { left, make } = garbage()
        for (let i = 0; i < 100; i++) {
          subject.set(self, make(i), others[i]!)
          subject.set(self, weaks[i]!, otherTwins[500 + i]!)
        }
        assert.strictEqual(subject.size(self), 200)
        assert.isTrue(yield* collectUntil(() => subject.size(self) === 100))
        assert.strictEqual(left(), 0)
        assert.strictEqual(subject.count(self), 100)
      }))

    it.effect("entries end even if removals have renewed the registry", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const { left, make } = garbage()
        for (let i = 0; i < 30; i++) {
          subject.set(self, make(i), others[i]!)
          subject.set(self, weaks[i]!, otherTwins[500 + i]!)
        }
        for (let i = 0; i < 1000; i++) {
          subject.set(self, weaks[i % 30]!, otherTwins[500 + i % 30]!)
          subject.remove(self, weaks[i % 30]!, otherTwins[500 + i % 30]!)
        }
        assert.strictEqual(left(), 30)
        assert.isTrue(yield* collectUntil(() => subject.size(self) === 0))
      }))

    it.effect("setting and removing the same objects a million times retains no memory", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const bytes = yield* bytesLeft(million, (operations) => {
          for (let i = 0; i < operations; i++) {
            const [weak, other] = [weaks[i % 1000]!, others[i % 1000]!]
            subject.set(self, weak, other)
            subject.remove(self, weak, other)
            subject.set(self, weak, other)
          }
        })
        assert.isBelow(bytes, nothing)
        assert.strictEqual(subject.size(self), 1000)
      }))

    it.effect("replacing entries a million times retains no memory", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const bytes = yield* bytesLeft(million, (operations) => {
          for (let i = 0; i < operations; i++) {
            // Alternates between equal weak sides, and between equal strong sides.
            const weak = (i / 1000 & 1) === 0 ? weaks[i % 1000]! : twins[i % 1000]!
            const other = (i / 1000 & 2) === 0 ? others[i % 1000]! : otherTwins[i % 1000]!
            subject.set(self, weak, other)
          }
        })
        assert.isBelow(bytes, nothing)
      }))

    it.effect("a queue of a hundred thousand entries retains no memory", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const bytes = yield* bytesLeft(million / 10, (operations) => {
          for (let i = 0; i < operations; i++) {
            subject.set(self, weaks[i % 1000]!, others[i % 1000]!)
            if (i % 1000 > 100) subject.popEntry(self)
          }
        })
        assert.isBelow(bytes, nothing)
      }))

    it.effect("the position that popEntry remembers retains no entries that are set and removed later", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        for (let i = 0; i < 1000; i++) subject.set(self, weaks[i]!, others[i]!)
        subject.popEntry(self)
        const bytes = yield* bytesLeft(million / 10, (operations) => {
          for (let i = 0; i < operations; i++) {
            subject.remove(self, weaks[i % 1000]!, others[i % 1000]!)
            subject.set(self, weaks[i % 1000]!, others[i % 1000]!)
          }
        })
        assert.isBelow(bytes, nothing)
        assert.strictEqual(subject.size(self), 1000)
      }))

    it.effect("four thousand dropped collections retain no memory while their entries live", () =>
      Effect.gen(function*() {
        const bytes = yield* bytesLeft(400_000, (operations) => {
          for (let i = 0; i < operations; i += 100) {
            const self = subject.make(compare)
            for (let j = 0; j < 100; j++) subject.set(self, weaks[j]!, others[j]!)
          }
        })
        assert.isBelow(bytes, nothing)
      }))

    it.effect("clearing retains no memory", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const bytes = yield* bytesLeft(million / 10, (operations) => {
          for (let i = 0; i < operations; i++) {
            if (i % 100 === 0) subject.clear(self)
            subject.set(self, weaks[i % 1000]!, others[i % 1000]!)
          }
        })
        assert.isBelow(bytes, nothing)
      }))

    it.effect("removing all entries retains no memory, even if nothing is set afterwards", () =>
      Effect.gen(function*() {
        const emptied: Array<unknown> = []
        const bytes = yield* bytesLeft(100_000, (operations) => {
          // Fills each table four times, so that the size of an empty table does not matter.
          for (let i = 0; i < operations; i += 4000) {
            const self = subject.make(compare)
            for (let round = 0; round < 4; round++) {
              for (let j = 0; j < 1000; j++) subject.set(self, weaks[j]!, others[j]!)
              for (let j = 0; j < 1000; j++) {
                if (j % 2 === 0) subject.popEntry(self)
                else subject.remove(self, weaks[j]!, others[j]!)
              }
              for (let j = 0; j < 1000; j++) subject.remove(self, weaks[j]!, others[j]!)
            }
            emptied.push(self)
          }
        })
        assert.isBelow(bytes, nothing)
        assert.isAbove(emptied.length, 24)
      }))

    it.effect("removing keys with the same hash retains no memory", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        let hash = 0
        // Enough that 200,000 bytes here or there, as on Node 20 after each collection, do not count.
        const bytes = yield* bytesLeft(100_000, (operations) => {
          for (let i = 0; i < operations; i++) {
            const [one, two] = [new Hashed(++hash), new Hashed(hash)]
            subject.set(self, one, one)
            subject.set(self, two, two)
            subject.remove(self, one, one)
            subject.remove(self, two, two)
          }
          // The tables in which Effect remembers hashes and comparisons grow during the warm-up.
        }, { warmUp: 100_000 })
        assert.isBelow(bytes, nothing)
        assert.strictEqual(subject.size(self), 0)
      }))

    it.effect("iterators that are dropped midway retain no memory", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        for (let i = 0; i < 10; i++) subject.set(self, weaks[i]!, others[i]!)
        const bytes = yield* bytesLeft(million / 10, (operations) => {
          for (let i = 0; i < operations; i++) subject.iterators[i % subject.iterators.length]!(self).next()
        })
        assert.isBelow(bytes, nothing)
      }))

    it.effect("dead entries retain no memory", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        let before = 0
        for (let round = 0; round < 6; round++) {
          for (let i = 0; i < 20_000; i++) subject.set(self, { i }, { i })
          assert.isTrue(yield* collectUntil(() => subject.size(self) === 0))
          if (round === 0) before = yield* inUse
        }
        const after = yield* inUse
        assert.isBelow((after - before) / 100_000, nothing)
      }))

    it.effect("a removed weak side is collected, even if the strong side and the collection live", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const { left, make } = garbage()
        const fill = (i: number): void => {
          const weak = make(i)
          subject.set(self, weak, others[i]!)
          subject.remove(self, weak, others[i]!)
          subject.set(self, weak, others[i]!)
        }
        for (let i = 0; i < 10; i++) fill(i)
        subject.set(self, weaks[0]!, others[0]!)
        for (let i = 1; i < 10; i++) subject.popEntry(self)
        assert.isTrue(yield* collectUntil(() => left() === 0))
        assert.isTrue(yield* collectUntil(() => subject.size(self) === subject.count(self)))
      }))

    for (
      const [how, remove] of Object.entries<(self: any, weak: object, other: object) => void>({
        "has been removed": subject.remove,
        "has been replaced and removed": (self, weak, other) => {
          subject.set(self, weaks[999]!, other)
          subject.remove(self, weaks[999]!, other)
          subject.remove(self, weak, other)
        },
        "has been popped": (self) => subject.popEntry(self),
        "has been cleared": subject.clear
      })
    ) {
      // A set has no strong sides.
      if (subject.name === "WeakSet") break
      it.effect(`a strong side is collected after its entry ${how}, even if the weak side lives`, () =>
        Effect.gen(function*() {
          const self = subject.make(compare)
          const { left, make } = garbage()
          const entries = (then: (self: any, weak: object, other: object) => void): void => {
            const made = Array.from({ length: 60 }, (_, i) => make(i))
            made.forEach((other, i) => subject.set(self, weaks[i]!, other))
            made.forEach((other, i) => then(self, weaks[i]!, other))
          }
          entries(remove)
          assert.isTrue(yield* collectUntil(() => left() === 0))
          assert.strictEqual(subject.size(self), 0)
        }))
    }

    it.effect("a strong side is collected after its entry has been removed, even if popEntry was called before", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const { left, make } = garbage()
        // `popEntry` remembers its position. That must not retain the old storage of `order`, which has grown since.
        const removed = (): void => {
          const made = Array.from({ length: 60 }, (_, i) => make(i))
          made.forEach((other, i) => subject.set(self, weaks[i]!, other))
          subject.popEntry(self)
          for (let i = 100; i < 300; i++) subject.set(self, weaks[i]!, others[i]!)
          made.forEach((other, i) => subject.remove(self, weaks[i]!, other))
        }
        removed()
        assert.isTrue(yield* collectUntil(() => left() === 0))
        assert.strictEqual(subject.size(self), 200)
      }))

    it.effect("an unreachable collection is collected, even if its entries live", () =>
      Effect.gen(function*() {
        const drop = (): WeakRef<object> => {
          const self = subject.make(compare)
          for (let i = 0; i < 100; i++) subject.set(self, weaks[i]!, others[i]!)
          for (let i = 0; i < 50; i++) subject.remove(self, weaks[i]!, others[i]!)
          subject.popEntry(self)
          return new WeakRef(self as object)
        }
        const probe = drop()
        assert.isTrue(yield* collectUntil(() => probe.deref() === undefined))
      }))

    it.effect("a paused iterator holds no referent", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const { left, make } = garbage()
        for (let i = 0; i < 10; i++) subject.set(self, make(i), others[i]!)
        const iterators = subject.iterators.map((open) => open(self))
        const step = (): void => iterators.forEach((iterator) => iterator.next())
        step()
        step()
        assert.isTrue(yield* collectUntil(() => left() === 0))
        assert.isTrue(iterators.every((iterator) => iterator.next().done === true))
      }))

    it.effect("an iteration over several turns yields each live entry once, even if other entries are collected between turns", () =>
      Effect.gen(function*() {
        const self = subject.make(compare)
        const { left, make } = garbage()
        // The strong sides of garbage have ids from 500 on, so that each yielded value identifies its entry.
        for (let i = 0; i < 50; i++) {
          subject.set(self, weaks[i]!, others[i]!)
          subject.set(self, make(i), otherTwins[500 + i]!)
        }
        const iterator = subject.iterators[0]!(self)
        const seen: Array<number> = []
        const step = (): boolean => {
          const { done, value } = iterator.next()
          if (done === true) return false
          const { garbage, id } = value as { readonly garbage?: number; readonly id: number }
          if (garbage === undefined && id < 500) seen.push(id)
          return true
        }
        while (step()) if (seen.length % 10 === 5) yield* Heap.collectGarbage
        assert.deepStrictEqual(seen, weaks.slice(0, 50).map(({ id }) => id))
        assert.isTrue(yield* collectUntil(() => left() === 0))
      }))

    it("renewing registries costs a bounded number of registrations per operation", () => {
      const { counts, heap } = countingHeap()
      const self = subject.make(compare, heap)
      for (let i = 0; i < 10_000; i++) {
        subject.set(self, weaks[i % 1000]!, others[i % 1000]!)
        subject.remove(self, weaks[i % 500]!, others[i % 500]!)
        subject.set(self, twins[i % 1000]!, others[i % 1000]!)
      }
      assert.isBelow(counts.registrations / 30_000, 3)
      assert.isBelow(counts.registries, 300)
    })

    it("popEntry takes a bounded number of steps on average", () => {
      const { counts, heap } = countingHeap()
      const self = subject.make(compare, heap)
      for (let i = 0; i < 100_000; i++) subject.set(self, { i }, { i })
      counts.derefs = 0
      // A new iterator of a Map steps over all entries that were removed at the front.
      const iterators = vi.spyOn(Map.prototype, "values")
      let popped = 0
      while (subject.popEntry(self)) popped++
      const started = iterators.mock.calls.length
      iterators.mockRestore()
      assert.strictEqual(popped, 100_000)
      assert.isBelow(counts.derefs / 100_000, 8)
      assert.isBelow(started, 100)
    })
  })

  it.effect("a value that refers to its own key does not keep the key alive, even through other entries and maps", () =>
    Effect.gen(function*() {
      for (const compare of compares) {
        const self = WeakKeyMap.makeUnsafe<object, unknown>({ compare })
        const that = WeakKeyMap.makeUnsafe<object, unknown>({ compare })
        const { left, make } = garbage()
        const fill = (): void => {
          const [itself, inside] = [make(0), make(1)]
          WeakKeyMap.set(self, itself, itself)
          WeakKeyMap.set(self, inside, { nested: [() => inside] })
          const [first, second] = [make(2), make(3)]
          WeakKeyMap.set(self, first, { second })
          WeakKeyMap.set(self, second, { first })
          const [here, there] = [make(4), make(5)]
          WeakKeyMap.set(self, here, { there })
          WeakKeyMap.set(that, there, { here })
        }
        fill()
        assert.isTrue(yield* collectUntil(() => left() === 0))
        assert.isTrue(yield* collectUntil(() => WeakKeyMap.size(self) + WeakKeyMap.size(that) === 0))
      }
    }))

  it.effect("a key that is the value of another entry lives as long as the key of that entry", () =>
    Effect.gen(function*() {
      const self = WeakKeyMap.makeUnsafe<object, object>()
      const { left, make } = garbage()
      const holder: { current: object | undefined } = { current: {} }
      WeakKeyMap.set(self, make(0), weaks[0]!)
      const chain = (): void => {
        const key = make(1)
        WeakKeyMap.set(self, holder.current!, key)
        WeakKeyMap.set(self, key, make(2))
      }
      chain()
      assert.isTrue(yield* collectUntil(() => left() === 2))
      yield* collectThoroughly
      assert.strictEqual(left(), 2)
      holder.current = undefined
      assert.isTrue(yield* collectUntil(() => left() === 0))
    }))

  it.effect("a key that was used only for look-ups is collected", () =>
    Effect.gen(function*() {
      const self = WeakKeyMap.set(WeakKeyMap.makeUnsafe<object, number>({ compare: "structural" }), weaks[0]!, 0)
      const that = WeakValueMap.set(WeakValueMap.makeUnsafe<object, object>(), others[0]!, weaks[0]!)
      const { left, track } = garbage()
      const look = (): void => {
        const [weak, strong, other] = [track({ ...weaks[0]! }), track({ ...others[0]! }), track({ another: 1 })]
        assert.isTrue(WeakKeyMap.has(self, weak) && WeakValueMap.has(that, strong))
        WeakKeyMap.set(self, weak, 1)
        WeakValueMap.set(that, strong, weaks[1]!)
        assert.isFalse(WeakKeyMap.has(self, other) || WeakValueMap.has(that, other))
        WeakKeyMap.remove(self, other)
        WeakValueMap.remove(that, other)
      }
      look()
      assert.isTrue(yield* collectUntil(() => left() === 0))
      assert.strictEqual(WeakKeyMap.count(self) + WeakValueMap.count(that), 2)
    }))

  it.effect("WeakValueMap keeps an entry whose key refers to its value", () =>
    Effect.gen(function*() {
      const self = WeakValueMap.makeUnsafe<object, object>()
      const { left, make } = garbage()
      const fill = (): void => {
        const value = make(0)
        WeakValueMap.set(self, { value }, value)
      }
      fill()
      yield* collectThoroughly
      assert.strictEqual(left(), 1)
      WeakValueMap.clear(self)
      assert.isTrue(yield* collectUntil(() => left() === 0))
    }))
})

// The tests below run the same script on both heaps.

/** Equal if the first letters of the names are equal, for example "a1" and "a2". */
class Twin {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  [Equal.symbol](that: unknown): boolean {
    return that instanceof Twin && that.name[0] === this.name[0]
  }

  [Hash.symbol](): number {
    return Hash.string(this.name[0]!)
  }
}

const names = ["a1", "a2", "b1", "b2", "c1"]

type Instruction =
  | { readonly do: "set" | "remove" | "die"; readonly name: string; readonly other: string }
  | { readonly do: "open" | "step" }
  | { readonly do: "pop" | "clear" | "copy" }

const name = fc.constantFrom(...names)

const instruction: fc.Arbitrary<Instruction> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("set" as const), name, other: name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), name, other: name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("die" as const), name, other: name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("open" as const, "step" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("pop" as const, "clear" as const, "copy" as const) }) }
)

/** Creates six collections: three kinds with two comparisons. They run a script together to share forced collections. */
const makeAll = Effect.gen(function*() {
  const all: Array<{
    readonly set: (name: string, referent: Twin) => void
    readonly remove: (name: string, referent: Twin) => void
    readonly pop: () => string
    readonly clear: () => void
    readonly copy: () => void
    readonly open: () => Iterator<Twin>
    readonly show: () => string
  }> = []
  for (const compare of compares) {
    let keyMap = yield* WeakKeyMap.make<Twin, string>({ compare })
    let valueMap = yield* WeakValueMap.make<string, Twin>({ compare })
    let set = yield* WeakSet.make<Twin>({ compare })
    all.push({
      set: (name, referent) => WeakKeyMap.set(keyMap, referent, name),
      remove: (_, referent) => WeakKeyMap.remove(keyMap, referent),
      pop: () =>
        Option.match(WeakKeyMap.popEntry(keyMap), { onNone: () => "none", onSome: ([key, v]) => key.name + v }),
      clear: () => WeakKeyMap.clear(keyMap),
      copy: () => void (keyMap = WeakKeyMap.union(keyMap, keyMap)),
      open: () => WeakKeyMap.keys(keyMap),
      show: () =>
        `${WeakKeyMap.size(keyMap)} ${WeakKeyMap.count(keyMap)} ${WeakKeyMap.isEmpty(keyMap)} ${
          Array.from(keyMap, ([key, value]) => key.name + value).join()
        }`
    }, {
      set: (name, referent) => WeakValueMap.set(valueMap, name, referent),
      remove: (name) => WeakValueMap.remove(valueMap, name),
      pop: () =>
        Option.match(WeakValueMap.popEntry(valueMap), { onNone: () => "none", onSome: ([key, v]) => key + v.name }),
      clear: () => WeakValueMap.clear(valueMap),
      copy: () => void (valueMap = WeakValueMap.union(valueMap, valueMap)),
      open: () => WeakValueMap.values(valueMap),
      show: () =>
        `${WeakValueMap.size(valueMap)} ${WeakValueMap.count(valueMap)} ${WeakValueMap.isEmpty(valueMap)} ${
          Array.from(valueMap, ([key, value]) => key + value.name).join()
        }`
    }, {
      set: (_, referent) => WeakSet.add(set, referent),
      remove: (_, referent) => WeakSet.remove(set, referent),
      pop: () => Option.match(WeakSet.pop(set), { onNone: () => "none", onSome: (element) => element.name }),
      clear: () => WeakSet.clear(set),
      copy: () => void (set = WeakSet.union(set, set)),
      open: () => WeakSet.values(set),
      show: () =>
        `${WeakSet.size(set)} ${WeakSet.count(set)} ${WeakSet.isEmpty(set)} ${
          Array.from(set, (element) => element.name).join()
        }`
    })
  }
  return all
})

const scripts = fc.sample(fc.array(instruction, { minLength: 25, maxLength: 40, size: "max" }), {
  seed: 4,
  numRuns: 3
})

describe("on both heaps", () => {
  const observe = observeOnBothHeapsWith((name) => new Twin(name))

  scripts.forEach((script, i) => {
    observe(`script ${i} has the same observations`, (world) =>
      Effect.gen(function*() {
        const all = yield* makeAll
        const observations: Array<string> = []
        let iterators: Array<Iterator<Twin | undefined>> = []
        for (const instruction of script) {
          switch (instruction.do) {
            case "set":
            case "remove": {
              const { do: operation, name, other } = instruction
              yield* world.sync(name, (referent) => all.forEach((self) => self[operation](other, referent)))
              break
            }
            case "die": {
              yield* world.die(instruction.name)
              break
            }
            case "pop": {
              observations.push(...all.map((self) => self.pop()))
              break
            }
            case "open": {
              iterators = all.map((self) => self.open())
              break
            }
            case "step": {
              observations.push(...iterators.map((iterator) => String(iterator.next().value?.name)))
              break
            }
            case "clear":
            case "copy": {
              for (const self of all) self[instruction.do]()
            }
          }
          observations.push(`${JSON.stringify(instruction)}: ${all.map((self) => self.show()).join(" | ")}`)
        }
        return observations
      }))
  })
})
