/**
 * Property tests. They run scripts of random operations against a collection and a
 * strong model of it, and compare both after each operation.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, pipe } from "effect"
import * as fc from "fast-check"
import { inspect } from "node:util"
import { Heap, type WeakError, WeakKeyMap, WeakRef, WeakSet, WeakValueMap } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { countingHeap } from "./support/countingHeap.ts"
import { Colliding, cyclic } from "./support/keys.ts"
import { type Compare, compares, Model } from "./support/models.ts"

const numRuns = 1000
const maxCommands = 40

/** A collection and its model. */
interface Pair<S> {
  readonly real: S
  readonly model: Model<unknown, unknown>
}

interface LiveIterator<S> {
  readonly pair: Pair<S>
  readonly real: Iterator<unknown>
  readonly select: (key: unknown, value: unknown) => unknown
  readonly normalize: (yielded: unknown) => unknown
  at: number
  done: boolean
}

interface Subject<S> {
  readonly testHeap: TestHeap.SyncTestHeap
  readonly keys: Array<any>
  readonly values: Array<any>
  readonly pairs: [Pair<S>, Pair<S>]
  readonly iterators: Array<LiveIterator<S>>
}

/** What differs between `WeakKeyMap`, `WeakValueMap` and `WeakSet`. */
interface Kind<S> {
  readonly weakSide: "key" | "value"
  readonly keys: ReadonlyArray<() => unknown>
  readonly values: ReadonlyArray<() => unknown>
  readonly make: (compare: Compare, heap: TestHeap.SyncTestHeap["heap"]) => S
  readonly steps: ReadonlyArray<fc.Arbitrary<Step<S>>>
  readonly iterators: ReadonlyArray<
    readonly [open: (self: S) => Iterator<unknown>, LiveIterator<S>["select"], LiveIterator<S>["normalize"]]
  >
  readonly observe: (pair: Pair<S>, subject: Subject<S>) => void
  readonly size: (self: S) => number
  readonly count: (self: S) => number
}

type Step<S> = (subject: Subject<S>) => void

const show = (u: unknown): string => inspect(u, { depth: 3, breakLength: Infinity })

/** Compares by identity, even the elements of arrays and options, because another instance of an equal key is wrong. */
const identical = (a: unknown, b: unknown): boolean => {
  if (Array.isArray(a) && Array.isArray(b) && a !== b) {
    return a.length === b.length && a.every((element, i) => identical(element, b[i]))
  }
  if (Option.isOption(a) && Option.isOption(b)) return identical(Option.toArray(a), Option.toArray(b))
  return Object.is(a, b)
}

const expect = (what: string, actual: unknown, expected: unknown): void => {
  if (!identical(actual, expected)) throw new Error(`${what}: ${show(actual)} instead of ${show(expected)}`)
}

const expectRefused = (what: string, f: () => void, value: unknown): void => {
  try {
    f()
  } catch (error) {
    expect(`${what}: tag`, (error as WeakError.NotWeakReferenceableError)._tag, "NotWeakReferenceableError")
    expect(`${what}: value`, (error as WeakError.NotWeakReferenceableError).value, value)
    return
  }
  throw new Error(`${what}: not refused`)
}

const thrown = new Error("thrown by the caller")

const expectThrown = (what: string, f: () => void): void => {
  try {
    f()
  } catch (error) {
    return expect(what, error, thrown)
  }
  throw new Error(`${what}: not thrown`)
}

/** Creates a named step with arguments that fast-check shrinks and prints. */
const step = <S, Args extends {}>(
  name: string,
  args: { [P in keyof Args]: fc.Arbitrary<Args[P]> },
  run: (subject: Subject<S>, args: Args) => void
): fc.Arbitrary<Step<S>> =>
  fc.record(args).map((args) =>
    Object.assign((subject: Subject<S>) => run(subject, args as Args), {
      toString: () => `${name}(${Object.values(args as Args).map((arg) => JSON.stringify(arg)).join(", ")})`
    })
  )

const pick = (n: number): fc.Arbitrary<number> => fc.nat(n - 1)
const which = fc.constantFrom(0, 1)

const command = <S>(kind: Kind<S>, step: Step<S>): fc.Command<object, Subject<S>> => ({
  check: () => true,
  run: (_, subject) => {
    step(subject)
    for (const pair of subject.pairs) {
      expect("size is an upper bound", kind.size(pair.real) >= pair.model.keys().length, true)
      expect("count", kind.count(pair.real), pair.model.keys().length)
      kind.observe(pair, subject)
    }
  },
  toString: () => String(step)
})

const finalize = (subject: Subject<unknown>): void => subject.testHeap.finalize()

const collect = (subject: Subject<unknown>, targets: ReadonlyArray<any>): void => {
  subject.testHeap.collect(...targets)
  for (const pair of new Set([...subject.pairs, ...subject.iterators.map((iterator) => iterator.pair)])) {
    pair.model.collect(targets)
  }
}

const expectExactSize = <S>(kind: Kind<S>, subject: Subject<S>): void => {
  for (const pair of subject.pairs) expect("size once finalized", kind.size(pair.real), pair.model.keys().length)
}

/** Steps an iterator and its model. Returns `false` at the end. */
const stepIterator = <S>(iterator: LiveIterator<S>): boolean => {
  const entry = iterator.done ? undefined : iterator.pair.model.after(iterator.at)
  const { done, value } = iterator.real.next()
  expect("done", done, entry === undefined)
  if (entry === undefined) {
    iterator.done = true
    return false
  }
  iterator.at = entry.at
  expect("yielded", iterator.normalize(value), iterator.select(entry.key, entry.value))
  return true
}

const finishIterator = <S>(iterator: LiveIterator<S>): void => {
  while (stepIterator(iterator)) { /* to the end */ }
}

/** The steps that all three collections share. */
const commonSteps = <S>(kind: () => Kind<S>, pools: { readonly weak: number; readonly iterators: number }) => [
  step("collect", {
    targets: fc.array(pick(pools.weak), { minLength: 1, maxLength: 3 })
  }, (subject: Subject<S>, { targets }) => {
    const pool = kind().weakSide === "key" ? subject.keys : subject.values
    collect(subject, targets.map((i) => pool[i]))
  }),
  step("finalize", {}, (subject: Subject<S>) => {
    finalize(subject)
    expectExactSize(kind(), subject)
  }),
  step("forgetKey", { i: fc.nat() }, ({ keys }: Subject<S>, { i }) => {
    keys[i % keys.length] = kind().keys[i % keys.length]!()
  }),
  step("forgetValue", { i: fc.nat() }, ({ values }: Subject<S>, { i }) => {
    if (values.length > 0) values[i % values.length] = kind().values[i % values.length]!()
  }),
  step("forgetCollection", {
    on: which,
    compare: fc.constantFrom(...compares)
  }, ({ pairs, testHeap }: Subject<S>, { compare, on }) => {
    // The first collection keeps the comparison in the name of the test.
    const model = new Model<unknown, unknown>(kind().weakSide, on === 0 ? pairs[0].model.compare : compare)
    pairs[on] = { model, real: kind().make(model.compare, testHeap.heap) }
  }),
  step("open", { on: which, how: pick(pools.iterators) }, (subject: Subject<S>, { how, on }) => {
    const pair = subject.pairs[on]
    const [open, select, normalize] = kind().iterators[how]!
    subject.iterators.push({ pair, real: open(pair.real), select, normalize, at: 0, done: false })
  }),
  step("step", { i: fc.nat() }, ({ iterators }: Subject<S>, { i }) => {
    if (iterators.length > 0) stepIterator(iterators[i % iterators.length]!)
  }),
  step("finish", { i: fc.nat() }, ({ iterators }: Subject<S>, { i }) => {
    if (iterators.length > 0) finishIterator(iterators[i % iterators.length]!)
  }),
  step("forgetIterator", { i: fc.nat() }, ({ iterators }: Subject<S>, { i }) => {
    if (iterators.length > 0) iterators.splice(i % iterators.length, 1)
  })
]

const runScripts = <S>(kind: Kind<S>, compare: Compare): void =>
  fc.assert(
    fc.property(
      fc.integer(),
      fc.constantFrom(...compares),
      fc.commands(kind.steps.map((steps) => steps.map((step) => command(kind, step))), { maxCommands, size: "max" }),
      (seed, otherCompare, commands) => {
        const testHeap = TestHeap.makeUnsafe({ seed })
        const pair = (compare: Compare): Pair<S> => ({
          real: kind.make(compare, testHeap.heap),
          model: new Model(kind.weakSide, compare)
        })
        const subject: Subject<S> = {
          testHeap,
          keys: kind.keys.map((make) => make()),
          values: kind.values.map((make) => make()),
          pairs: [pair(compare), pair(otherCompare)],
          iterators: []
        }
        fc.modelRun(() => ({ model: {}, real: subject }), commands)
        subject.iterators.forEach(finishIterator)
        for (const { model } of subject.pairs) {
          collect(subject, kind.weakSide === "key" ? model.keys() : model.values())
        }
        finalize(subject)
        expectExactSize(kind, subject)
      }
    ),
    { numRuns }
  )

// The two maps.

type AnyMap = WeakKeyMap.WeakKeyMap<any, any>

/** The functions that both map modules have. Their bounds on keys and values do not matter here. */
type MapModule = Pick<
  typeof WeakKeyMap,
  | "clear"
  | "copy"
  | "copyWith"
  | "count"
  | "entries"
  | "equals"
  | "forEach"
  | "fromIterable"
  | "get"
  | "getOrSet"
  | "has"
  | "isEmpty"
  | "keys"
  | "makeUnsafe"
  | "modify"
  | "modifyAt"
  | "pop"
  | "popEntry"
  | "remove"
  | "set"
  | "setAll"
  | "size"
  | "union"
  | "values"
>

const mapKind = (options: {
  readonly module: MapModule
  readonly weakSide: "key" | "value"
  readonly keys: ReadonlyArray<() => unknown>
  readonly values: ReadonlyArray<() => unknown>
  readonly refs: (self: any) => Iterator<unknown>
  readonly deref: (ref: any) => unknown
}): Kind<AnyMap> => {
  const { deref, keys, module: M, refs, values, weakSide } = options
  const key = pick(keys.length)
  const value = pick(values.length)

  const fromIterable = (entries: Iterable<[any, any]>, compare: Compare, subject: Subject<AnyMap>): AnyMap =>
    Effect.runSync(
      Effect.provideService(M.fromIterable(entries, { compare }), Heap.Heap, subject.testHeap.heap)
    )

  const setWays: ReadonlyArray<(self: AnyMap, key: any, value: any) => AnyMap> = [
    (self, key, value) => M.set(self, key, value),
    (self, key, value) => pipe(self, M.set(key, value)),
    (self, key, value) => self.pipe(M.set(key, value)),
    (self, key, value) => M.setAll(self, [[key, value]]),
    (self, key, value) => pipe(self, M.setAll([[key, value]].values() as Iterable<[any, any]>)),
    (self, key, value) => M.modifyAt(self, key, () => Option.some(value)),
    (self, key, value) => pipe(self, M.modifyAt(key, () => Option.some(value))),
    (self, key, value) => {
      if (M.has(self, key)) return M.modify(self, key, () => value)
      M.getOrSet(self, key, () => value)
      return self
    },
    (self, key, value) => {
      if (M.has(self, key)) return pipe(self, M.modify(key, () => value))
      pipe(self, M.getOrSet(key, () => value))
      return self
    }
  ]

  const removeWays: ReadonlyArray<(self: AnyMap, key: any, expected: Option.Option<unknown>) => void> = [
    (self, key) => expect("self", M.remove(self, key), self),
    (self, key) => expect("self", pipe(self, M.remove(key)), self),
    (self, key, expected) => expect("popped", M.pop(self, key), expected),
    (self, key, expected) => expect("popped", pipe(self, M.pop(key)), expected),
    (self, key, expected) =>
      M.modifyAt(self, key, (value) => {
        expect("given", value, expected)
        return Option.none()
      }),
    (self, key) => pipe(self, M.modifyAt(key, () => Option.none()))
  ]

  const clearWays: ReadonlyArray<(self: AnyMap, model: Model<unknown, unknown>) => void> = [
    (self) => expect("self", M.clear(self), self),
    (self, model) => {
      for (const entry of model.entries()) expect("popped", M.popEntry(self), Option.some(entry))
      expect("popped", M.popEntry(self), Option.none())
    },
    (self) => {
      for (const [key] of self) M.remove(self, key)
    },
    (self) => M.forEach(self, (_, key) => M.remove(self, key))
  ]

  const steps = [
    step("set", { on: which, key, value, way: pick(setWays.length) }, (subject: Subject<AnyMap>, args) => {
      const { model, real } = subject.pairs[args.on]
      const [k, v] = [subject.keys[args.key], subject.values[args.value]]
      expect("self", setWays[args.way]!(real, k, v), real)
      model.set(k, v)
    }),
    step("remove", { on: which, key, way: pick(removeWays.length) }, (subject: Subject<AnyMap>, args) => {
      const { model, real } = subject.pairs[args.on]
      const k = subject.keys[args.key]
      removeWays[args.way]!(real, k, model.get(k))
      model.remove(k)
    }),
    step("getOrSet", { on: which, key, value, piped: fc.boolean() }, (subject: Subject<AnyMap>, args) => {
      const { model, real } = subject.pairs[args.on]
      const [k, v] = [subject.keys[args.key], subject.values[args.value]]
      let made = 0
      const make = () => {
        made++
        return v
      }
      const result = args.piped ? pipe(real, M.getOrSet(k, make)) : M.getOrSet(real, k, make)
      expect("calls of make", made, model.has(k) ? 0 : 1)
      if (!model.has(k)) model.set(k, v)
      expect("returns the value", Option.some(result), model.get(k))
    }),
    step("getOrSet with a throwing make", { on: which, key }, (subject: Subject<AnyMap>, args) => {
      const { model, real } = subject.pairs[args.on]
      const k = subject.keys[args.key]
      if (model.has(k)) return
      expectThrown("the error of make", () =>
        M.getOrSet(real, k, () => {
          throw thrown
        }))
    }),
    step(
      "getOrSet with a make that sets the same key",
      { on: which, key, value, inner: value },
      (subject: Subject<AnyMap>, args) => {
        const { model, real } = subject.pairs[args.on]
        const [k, v, inner] = [subject.keys[args.key], subject.values[args.value], subject.values[args.inner]]
        if (model.has(k)) return
        expect("the first value", M.getOrSet(real, k, () => (M.set(real, k, inner), v)), inner)
        model.set(k, inner)
      }
    ),
    step("modify", { on: which, key, value, piped: fc.boolean() }, (subject: Subject<AnyMap>, args) => {
      const { model, real } = subject.pairs[args.on]
      const [k, v] = [subject.keys[args.key], subject.values[args.value]]
      const f = (old: unknown) => {
        expect("given", Option.some(old), model.get(k))
        return v
      }
      expect("self", args.piped ? pipe(real, M.modify(k, f)) : M.modify(real, k, f), real)
      if (model.has(k)) model.set(k, v)
    }),
    step("popEntry", { on: which }, (subject: Subject<AnyMap>, { on }) => {
      const { model, real } = subject.pairs[on]
      const entry = model.entries()[0]
      expect("popped", M.popEntry(real), Option.fromUndefinedOr(entry))
      if (entry !== undefined) model.remove(entry[0])
    }),
    step("clear", { on: which, way: pick(clearWays.length) }, (subject: Subject<AnyMap>, { on, way }) => {
      const { model, real } = subject.pairs[on]
      clearWays[way]!(real, model)
      model.clear()
    }),
    step(
      "setAll",
      { on: which, entries: fc.array(fc.tuple(key, value), { maxLength: 6 }), fresh: fc.boolean() },
      (subject: Subject<AnyMap>, { entries, fresh, on }) => {
        const pair = subject.pairs[on]
        const all = entries.map(([k, v]): [any, any] => [subject.keys[k], subject.values[v]])
        if (fresh) {
          const real = fromIterable(all.values(), pair.model.compare, subject)
          subject.pairs[on] = { real, model: pair.model.empty().setAll(all) }
        } else {
          expect("self", M.setAll(pair.real, all.values()), pair.real)
          pair.model.setAll(all)
        }
      }
    ),
    step("setAll with an invalid entry", { on: which, key, value, at: fc.nat(2) }, (subject: Subject<AnyMap>, args) => {
      const { real } = subject.pairs[args.on]
      const all: Array<[any, any]> = [0, 1].map((i) => [
        subject.keys[(args.key + i) % keys.length],
        subject.values[(args.value + i) % values.length]
      ])
      all.splice(args.at, 0, weakSide === "key" ? ["bad", all[0]![1]] : [all[0]![0], "bad"])
      expectRefused("an invalid entry", () => M.setAll(real, all), "bad")
    }),
    step("setAll of a throwing iterable", { on: which, key, value }, (subject: Subject<AnyMap>, args) => {
      const { real } = subject.pairs[args.on]
      expectThrown("the error of the iterable", () =>
        M.setAll(
          real,
          (function*(): Generator<[any, any]> {
            yield [subject.keys[args.key], subject.values[args.value]]
            throw thrown
          })()
        ))
    }),
    step("setAll of a map", { on: which, from: which }, (subject: Subject<AnyMap>, { from, on }) => {
      const [pair, that] = [subject.pairs[on], subject.pairs[from]]
      M.setAll(pair.real, that.real)
      pair.model.setAll(that.model.entries())
    }),
    step("union", { on: which, from: which, piped: fc.boolean() }, (subject: Subject<AnyMap>, { from, on, piped }) => {
      const [pair, that] = [subject.pairs[on], subject.pairs[from]]
      const real = piped ? pipe(pair.real, M.union(that.real)) : M.union(pair.real, that.real)
      subject.pairs[on] = { real, model: pair.model.copy().setAll(that.model.entries()) }
    }),
    step("copy", { on: which }, (subject: Subject<AnyMap>, { on }) => {
      const { model, real } = subject.pairs[on]
      subject.pairs[on] = { real: M.copy(real), model: model.copy() }
    }),
    step("copyWith", { on: which, piped: fc.boolean() }, (subject: Subject<AnyMap>, { on, piped }) => {
      const { model, real } = subject.pairs[on]
      // `copyWith` maps the strong side.
      const pool: Array<unknown> = weakSide === "key" ? subject.values : subject.keys
      const f = (a: unknown) => pool[(pool.indexOf(a) + 2) % pool.length]
      const copied = model.empty().setAll(
        model.entries().map(([k, v]) => weakSide === "key" ? [k, f(v)] as const : [f(k), v] as const)
      )
      subject.pairs[on] = { real: piped ? pipe(real, M.copyWith(f)) : M.copyWith(real, f), model: copied }
    }),
    ...commonSteps(() => kind, { weak: (weakSide === "key" ? keys : values).length, iterators: 5 })
  ]

  const kind: Kind<AnyMap> = {
    weakSide,
    keys,
    values,
    steps,
    make: (compare, heap) => M.makeUnsafe({ compare }, heap),
    iterators: [
      [M.keys, (key) => key, (u) => u],
      [M.values, (_, value) => value, (u) => u],
      [M.entries, (key, value) => [key, value], (u) => u],
      [(self) => self[Symbol.iterator](), (key, value) => [key, value], (u) => u],
      [refs, (key, value) => weakSide === "key" ? Option.some(key) : [key, Option.some(value)], deref]
    ],
    size: M.size,
    count: M.count,
    observe: ({ model, real }, subject) => {
      expect("contents", Array.from(real), model.entries())
      expect("isEmpty", M.isEmpty(real), model.keys().length === 0)
      for (const key of subject.keys) {
        expect("get", M.get(real, key), model.get(key))
        expect("has", M.has(real, key), model.has(key))
      }
      for (const that of subject.pairs) expect("equals", M.equals(real, that.real), model.equals(that.model))
    }
  }
  return kind
}

const weakKeys: ReadonlyArray<() => unknown> = [
  () => ({ id: 1 }),
  () => ({ id: 1 }),
  () => ({ id: 2 }),
  () => new Colliding(1),
  () => new Colliding(1),
  () => new Colliding(2),
  () => new Colliding(3),
  () => Symbol("Effect hashes a symbol by its description"),
  () => Symbol("Effect hashes a symbol by its description"),
  () => cyclic(1),
  () => cyclic(1),
  () => () => {}
]

const weakKeyMap = mapKind({
  module: WeakKeyMap,
  weakSide: "key",
  keys: weakKeys,
  values: [() => undefined, () => NaN, () => 1, () => ({ v: 1 }), () => ({ v: 1 }), () => null],
  refs: WeakKeyMap.keyRefs,
  deref: WeakRef.deref
})

const weakValueMap = mapKind({
  // `WeakValueMap` has the same functions, with other bounds on keys and values.
  module: WeakValueMap as unknown as MapModule,
  weakSide: "value",
  keys: [
    () => undefined,
    () => NaN,
    () => 0,
    () => -0,
    () => "key",
    () => 1n,
    () => Symbol.for("registered"),
    () => ({ id: 1 }),
    () => ({ id: 1 }),
    () => new Colliding(1),
    () => new Colliding(1),
    () => new Colliding(2)
  ],
  values: [() => ({ v: 1 }), () => ({ v: 1 }), () => ({ v: 2 }), () => Symbol("v"), () => () => {}],
  refs: WeakValueMap.valueRefs,
  deref: (ref) => [ref.key, WeakRef.deref(ref)]
})

// The set.

type AnySet = WeakSet.WeakSet<any>

/** The second operand: a list of elements, one of the two sets, or an iterator of a set. */
type Operand = { readonly list: Array<number> } | { readonly set: 0 | 1; readonly iterator: boolean }

const operandOf = (subject: Subject<AnySet>, operand: Operand): { real: Iterable<any>; elements: Array<unknown> } => {
  if ("list" in operand) {
    const elements = operand.list.map((i) => subject.keys[i])
    return { real: elements.values(), elements }
  }
  const { model, real } = subject.pairs[operand.set]
  return { real: operand.iterator ? WeakSet.values(real) : real, elements: model.keys() }
}

const plainSet = (() => {
  const without = (model: Model<unknown, unknown>, others: Array<unknown>) =>
    model.keys().filter((a) => !others.some((b) => model.same(a, b)))
  return {
    union: (model: Model<unknown, unknown>, others: Array<unknown>) => [...model.keys(), ...others],
    intersection: (model: Model<unknown, unknown>, others: Array<unknown>) =>
      model.keys().filter((a) => others.some((b) => model.same(a, b))),
    difference: without,
    symmetricDifference: (model: Model<unknown, unknown>, others: Array<unknown>) => [
      ...without(model, others),
      ...others.filter((b) => !model.has(b))
    ]
  }
})()

const asEntries = (elements: Array<unknown>) => elements.map((element) => [element, element] as const)

const replaceElements = (model: Model<unknown, unknown>, elements: Array<unknown>): void => {
  for (const element of model.keys()) if (!elements.some((other) => model.same(element, other))) model.remove(element)
  for (const element of elements) if (!model.has(element)) model.set(element, element)
}

const algebra = [
  [WeakSet.addAll, WeakSet.union, plainSet.union],
  [WeakSet.retainAll, WeakSet.intersection, plainSet.intersection],
  [WeakSet.removeAll, WeakSet.difference, plainSet.difference],
  [WeakSet.toggleAll, WeakSet.symmetricDifference, plainSet.symmetricDifference]
] as const

const addWays: ReadonlyArray<(self: AnySet, element: any) => AnySet> = [
  (self, element) => WeakSet.add(self, element),
  (self, element) => pipe(self, WeakSet.add(element)),
  (self, element) => self.pipe(WeakSet.add(element)),
  (self, element) => WeakSet.addAll(self, [element]),
  (self, element) => pipe(self, WeakSet.addAll(new Set([element]))),
  (self, element) => WeakSet.has(self, element) ? self : WeakSet.toggleAll(self, [element, element])
]

const removeWays: ReadonlyArray<(self: AnySet, element: any) => AnySet> = [
  (self, element) => WeakSet.remove(self, element),
  (self, element) => pipe(self, WeakSet.remove(element)),
  (self, element) => WeakSet.removeAll(self, [element, element]),
  (self, element) => pipe(self, WeakSet.removeAll(new Set([element]))),
  (self, element) => WeakSet.has(self, element) ? WeakSet.toggleAll(self, [element]) : self
]

const clearWays: ReadonlyArray<(self: AnySet, model: Model<unknown, unknown>) => void> = [
  (self) => expect("self", WeakSet.clear(self), self),
  (self) => WeakSet.retainAll(self, []),
  (self) => WeakSet.removeAll(self, self),
  (self) => WeakSet.toggleAll(self, WeakSet.values(self)),
  (self, model) => {
    for (const element of model.keys()) expect("popped", WeakSet.pop(self), Option.some(element))
    expect("popped", WeakSet.pop(self), Option.none())
  },
  (self) => {
    for (const element of self) WeakSet.remove(self, element)
  }
]

const operand = (length: number): fc.Arbitrary<Operand> =>
  fc.oneof(
    fc.record({ list: fc.array(pick(length), { maxLength: 6 }) }),
    fc.record({ set: which, iterator: fc.boolean() })
  )

const element = pick(weakKeys.length)

const weakSet: Kind<AnySet> = {
  weakSide: "key",
  keys: weakKeys,
  values: [],
  make: (compare, heap) => WeakSet.makeUnsafe({ compare }, heap),
  iterators: [
    [WeakSet.values, (element) => element, (u) => u],
    [(self) => self[Symbol.iterator](), (element) => element, (u) => u],
    [WeakSet.refs, (element) => Option.some(element), (ref) => WeakRef.deref(ref as any)]
  ],
  size: WeakSet.size,
  count: WeakSet.count,
  observe: ({ model, real }, subject) => {
    expect("contents", Array.from(real), model.keys())
    expect("isEmpty", WeakSet.isEmpty(real), model.keys().length === 0)
    for (const element of subject.keys) expect("has", WeakSet.has(real, element), model.has(element))
    for (const that of subject.pairs) {
      const a = model.keys()
      const b = that.model.keys()
      const isSubset = a.every((element) => b.some((other) => model.same(element, other)))
      const isSuperset = b.every((other) => model.has(other))
      expect("equals", WeakSet.equals(real, that.real), isSubset && isSuperset)
      expect("isSubset", WeakSet.isSubset(real, that.real), isSubset)
      expect("isSuperset", WeakSet.isSuperset(real, that.real), isSuperset)
      expect("isProperSubset", WeakSet.isProperSubset(real, that.real), isSubset && !isSuperset)
      expect("isProperSuperset", WeakSet.isProperSuperset(real, that.real), isSuperset && !isSubset)
      expect("isDisjoint", WeakSet.isDisjoint(real, that.real), !b.some((other) => model.has(other)))
    }
  },
  steps: [
    step("add", { on: which, element, way: pick(addWays.length) }, (subject: Subject<AnySet>, args) => {
      const { model, real } = subject.pairs[args.on]
      const element = subject.keys[args.element]
      expect("self", addWays[args.way]!(real, element), real)
      if (!model.has(element)) model.set(element, element)
    }),
    step("remove", { on: which, element, way: pick(removeWays.length) }, (subject: Subject<AnySet>, args) => {
      const { model, real } = subject.pairs[args.on]
      const element = subject.keys[args.element]
      expect("self", removeWays[args.way]!(real, element), real)
      model.remove(element)
    }),
    step("pop", { on: which }, (subject: Subject<AnySet>, { on }) => {
      const { model, real } = subject.pairs[on]
      const element = model.keys()[0]
      expect("popped", WeakSet.pop(real), Option.fromUndefinedOr(element))
      if (element !== undefined) model.remove(element)
    }),
    step("clear", { on: which, way: pick(clearWays.length) }, (subject: Subject<AnySet>, { on, way }) => {
      const { model, real } = subject.pairs[on]
      clearWays[way]!(real, model)
      model.clear()
    }),
    step("algebra in place", {
      on: which,
      operation: pick(algebra.length),
      operand: operand(weakKeys.length),
      piped: fc.boolean()
    }, (subject: Subject<AnySet>, { on, operand, operation, piped }) => {
      const { model, real } = subject.pairs[on]
      const that = operandOf(subject, operand)
      const [inPlace, , plain] = algebra[operation]!
      expect("self", piped ? pipe(real, inPlace(that.real)) : inPlace(real, that.real), real)
      replaceElements(model, plain(model, that.elements))
    }),
    step("algebra", {
      on: which,
      operation: pick(algebra.length),
      operand: operand(weakKeys.length),
      piped: fc.boolean()
    }, (subject: Subject<AnySet>, { on, operand, operation, piped }) => {
      const { model, real } = subject.pairs[on]
      const that = operandOf(subject, operand)
      const [, toNew, plain] = algebra[operation]!
      subject.pairs[on] = {
        real: piped ? pipe(real, toNew(that.real)) : toNew(real, that.real),
        model: model.empty().setAll(asEntries(plain(model, that.elements)))
      }
    }),
    step("algebra with an invalid element", {
      on: which,
      toggle: fc.boolean(),
      list: fc.array(element, { maxLength: 3 }),
      at: fc.nat(3)
    }, (subject: Subject<AnySet>, { at, list, on, toggle }) => {
      const elements = list.map((i) => subject.keys[i])
      elements.splice(at, 0, "bad")
      const inPlace = toggle ? WeakSet.toggleAll : WeakSet.addAll
      expectRefused("an invalid element", () => inPlace(subject.pairs[on].real, elements), "bad")
    }),
    step("fromIterable", { on: which, list: fc.array(element, { maxLength: 6 }) }, (subject: Subject<AnySet>, args) => {
      const { model } = subject.pairs[args.on]
      const elements = args.list.map((i) => subject.keys[i])
      const make = WeakSet.fromIterable(elements.values(), { compare: model.compare })
      subject.pairs[args.on] = {
        real: Effect.runSync(Effect.provideService(make, Heap.Heap, subject.testHeap.heap)),
        model: model.empty().setAll(asEntries(elements))
      }
    }),
    step("copy", { on: which }, (subject: Subject<AnySet>, { on }) => {
      const { model, real } = subject.pairs[on]
      subject.pairs[on] = { real: WeakSet.copy(real), model: model.copy() }
    }),
    ...commonSteps(() => weakSet, { weak: weakKeys.length, iterators: 3 })
  ]
}

describe("collections", () => {
  for (const compare of compares) {
    it(`WeakKeyMap behaves like a strong map of its live entries (${compare})`, () => runScripts(weakKeyMap, compare))
    it(`WeakValueMap behaves like a strong map of its live entries (${compare})`, () =>
      runScripts(weakValueMap, compare))
    it(`WeakSet behaves like a strong set of its live elements (${compare})`, () => runScripts(weakSet, compare))
  }

  it("removals cause the replacement of a registry, and deaths do not", () => {
    const { collect, finalize, heap, made } = countingHeap()
    const set = WeakSet.makeUnsafe<object>({ compare: "reference" }, heap)
    for (let i = 0; i < 100; i++) {
      const elements = Array.from({ length: 10 }, () => ({}))
      WeakSet.addAll(set, elements)
      WeakSet.remove(set, elements[0]!)
      collect(...elements)
      finalize()
    }
    assert.deepStrictEqual(made, [1000])
  })

  it("the clean-ups of a replaced registry do not count for the new registry", () => {
    const { collect, finalize, heap, made } = countingHeap()
    const set = WeakSet.makeUnsafe<object>({ compare: "reference" }, heap)
    const toggle = (element: object) => {
      for (let i = 0; i < 1000; i++) WeakSet.remove(WeakSet.add(set, element), element)
    }
    const element = {}
    toggle(element)
    collect(element)
    finalize()
    toggle({})
    assert.isBelow(Math.max(...made), 20)
  })
})
