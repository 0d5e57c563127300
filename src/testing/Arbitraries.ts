/**
 * Generates inputs for property tests of code that uses weak references.
 *
 * The module has fast-check arbitraries for referents, for keys whose hashes collide,
 * for schedules of collections, and for scripts of operations with collections between
 * them. Every arbitrary shrinks to a short counterexample and prints it as readable text.
 *
 * Every arbitrary of this module is an arbitrary of fast-check and of `effect/Arbitrary` in one, so it works in
 * `fc.property` and in the `it.effect.prop` of `@effect/vitest`.
 *
 * This module needs `fast-check`, an optional peer dependency. Import it as
 * `effect-weakref/testing/Arbitraries`. The index `effect-weakref/testing` does not
 * export it.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as EffectArbitrary from "effect/Arbitrary"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as fc from "fast-check"
import { isWeakReferenceable } from "../Heap.ts"

/**
 * Represents an arbitrary of fast-check that `effect/Arbitrary` accepts too.
 *
 * **Details**
 *
 * Its methods, such as `map` and `filter`, are those of fast-check, and return an arbitrary of fast-check only. The
 * functions of `effect/Arbitrary` return one of Effect only.
 *
 * **Example** (Checking a property with Effect)
 *
 * ```ts import.meta.vitest
 * import { Arbitrary, Effect } from "effect"
 * import { Heap } from "effect-weakref"
 * import * as Arbitraries from "effect-weakref/testing/Arbitraries"
 *
 * const arrays: Arbitrary.Arbitrary<Array<WeakKey>> = Arbitrary.array(Arbitraries.referents(), { maxLength: 3 })
 *
 * const result = await Effect.runPromise(
 *   Arbitrary.checkEffect(arrays, (values) => values.every(Heap.isWeakReferenceable))
 * )
 * result._tag // => "Passed"
 * ```
 *
 * @see {@link fromFastCheck} to make one of your own
 *
 * @category models
 * @stability experimental
 * @since 0.2.0
 */
export type Arbitrary<A> = fc.Arbitrary<A> & EffectArbitrary.Arbitrary<A>

/** A value that fast-check has generated, with what it needs to shrink the value. */
class Sample<out A> {
  readonly value: A
  readonly smaller: () => ReadonlyArray<Sample<A>>

  constructor(arbitrary: fc.Arbitrary<A>, generated: fc.Value<A>) {
    this.value = generated.value
    this.smaller = () =>
      Array.from(
        arbitrary.shrink(generated.value_, generated.context).take(maxShrinks),
        (value) => new Sample(arbitrary, value)
      )
  }
}

/** Effect wants a list of smaller values. A stream of fast-check could be endless. */
const maxShrinks = 1000

/** Generates what another arbitrary generates, before its value is taken out. */
class Unopened<A> extends fc.Arbitrary<fc.Value<A>> {
  readonly arbitrary: fc.Arbitrary<A>
  readonly isBiased: boolean

  constructor(arbitrary: fc.Arbitrary<A>, isBiased: boolean) {
    super()
    this.arbitrary = arbitrary
    this.isBiased = isBiased
  }

  override generate(random: fc.Random, bias: number | undefined): fc.Value<fc.Value<A>> {
    return new fc.Value(this.arbitrary.generate(random, this.isBiased ? bias : undefined), undefined)
  }

  override canShrinkWithoutContext(_: unknown): _ is fc.Value<A> {
    return false
  }

  override shrink(): fc.Stream<fc.Value<fc.Value<A>>> {
    return fc.Stream.nil()
  }
}

/**
 * Returns an arbitrary that works with fast-check and with Effect, from one of fast-check.
 *
 * **When to use**
 *
 * Use for an arbitrary that you have made with fast-check, in the `it.effect.prop` of `@effect/vitest`. The other
 * arbitraries of this module need no conversion.
 *
 * **Details**
 *
 * Adds Effect's properties to the given arbitrary, and returns it. In a property of Effect, the values come from
 * fast-check's generator, seeded by Effect's, and shrink as in fast-check. Cost: O(1), and for each value of an Effect
 * property one sample of fast-check.
 *
 * **Gotchas**
 *
 * Effect lists the smaller values of a value before it tries them, so shrinking a long value takes more memory than in
 * fast-check. The list has at most 1,000 values.
 *
 * **Example** (Using an arbitrary of fast-check with Effect)
 *
 * ```ts import.meta.vitest
 * import { Arbitrary, Effect } from "effect"
 * import * as Arbitraries from "effect-weakref/testing/Arbitraries"
 * import * as fc from "fast-check"
 *
 * const users = Arbitraries.fromFastCheck(fc.nat({ max: 100 }).map((id) => ({ id })))
 *
 * const result = await Effect.runPromise(Arbitrary.checkEffect(users, ({ id }) => id < 50, { seed: 1 }))
 * result._tag === "Falsified" && result.shrunkInput // => { id: 50 }
 * ```
 *
 * @see {@link Arbitrary} for the type
 *
 * @category constructors
 * @stability experimental
 * @since 0.2.0
 */
export const fromFastCheck = <A>(arbitrary: fc.Arbitrary<A>): Arbitrary<A> => {
  const generate = (seed: number): Sample<A> => {
    // Half of the values are biased towards small ones and bounds, as in fast-check's first runs.
    const unopened = new Unopened(arbitrary, seed % 2 === 0)
    return new Sample(arbitrary, fc.sample(unopened, { seed, numRuns: 1 })[0]!)
  }
  const generated = Schema.declare((value): value is Sample<A> => value instanceof Sample, {
    toCodecArbitrary: () =>
      Schema.link<Sample<A>>()(seeds, {
        decode: SchemaGetter.transform(generate),
        encode: SchemaGetter.forbidden(() => "a sample has no seed")
      })
  })
  const effect = EffectArbitrary.map(
    EffectArbitrary.schema(generated, { shrink: ({ smaller }) => smaller() }),
    ({ value }) => value
  )
  // Takes over what makes an arbitrary of Effect, whatever it is.
  for (const source of [Object.getPrototypeOf(effect) as object, effect]) {
    Object.defineProperties(arbitrary, Object.getOwnPropertyDescriptors(source))
  }
  // The properties of both have just been put together.
  return arbitrary as Arbitrary<A>
}

const seeds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))

class Instance {
  readonly id = 0
  method(): number {
    return this.id
  }
}

const objectKinds: Readonly<Record<string, () => object>> = {
  "plain object": () => ({}),
  "object with properties": () => ({ id: 1, nested: { list: [1, 2] } }),
  "object without a prototype": () => Object.create(null),
  "frozen object": () => Object.freeze({ id: 2 }),
  "object that refers to itself": () => {
    const self: { self?: object } = {}
    self.self = self
    return self
  },
  "class instance": () => new Instance(),
  array: () => [1, 2, 3],
  "empty array": () => [],
  function: () => function named() {},
  "arrow function": () => () => 1,
  class: () =>
    class Made {
      readonly id = 0
    },
  Map: () => new Map([["a", 1]]),
  Date: () => new Date(0)
}

const make = <A>(kinds: Readonly<Record<string, () => A>>): Arbitrary<A> =>
  fromFastCheck(fc.constantFrom(...Object.values(kinds)).map((makeReferent) => makeReferent()))

/**
 * Returns an arbitrary of objects that can be weakly referenced.
 *
 * **When to use**
 *
 * Use for code that accepts every object but no symbols, such as a proxy.
 *
 * **Details**
 *
 * Generates plain objects, frozen objects, objects without a prototype, cyclic
 * objects, class instances, arrays, functions, classes, maps, and dates. Every
 * generated object is new. Shrinks to an empty plain object.
 *
 * **Example** (Referring to any object)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import * as Arbitraries from "effect-weakref/testing/Arbitraries"
 * import * as fc from "fast-check"
 *
 * fc.assert(fc.property(Arbitraries.objects(), (object) => {
 *   const value = WeakRef.deref(WeakRef.makeUnsafe(object))
 *   return Option.getOrUndefined(value) === object
 * }))
 * ```
 *
 * @see {@link referents} to generate symbols too
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const objects = (): Arbitrary<object> => make(objectKinds)

/**
 * Returns an arbitrary of values that can be weakly referenced: objects of every kind
 * that {@link objects} generates, and symbols.
 *
 * **When to use**
 *
 * Use for code that accepts every value that a `WeakRef` accepts.
 *
 * **Details**
 *
 * Every generated value is new. On an engine that cannot refer to symbols weakly,
 * generates no symbols. Shrinks to an empty plain object.
 *
 * **Example** (Generating weakly referenceable values)
 *
 * ```ts import.meta.vitest
 * import { Heap } from "effect-weakref"
 * import * as Arbitraries from "effect-weakref/testing/Arbitraries"
 * import * as fc from "fast-check"
 *
 * fc.assert(fc.property(Arbitraries.referents(), Heap.isWeakReferenceable))
 * ```
 *
 * @see {@link objects} to generate no symbols
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const referents = (): Arbitrary<WeakKey> =>
  isWeakReferenceable(Symbol("probe"))
    ? make<WeakKey>({ ...objectKinds, symbol: () => Symbol("referent") })
    : objects()

/**
 * Represents a key that compares by its `id`. Two keys can be equal without being
 * identical, and unequal keys can have the same hash.
 *
 * **When to use**
 *
 * Use to test a structure that compares keys with `Equal.equals`, or to show that
 * a structure compares keys by reference.
 *
 * **Example** (Comparing equal and colliding keys)
 *
 * ```ts import.meta.vitest
 * import { Equal, Hash } from "effect"
 * import { Key } from "effect-weakref/testing/Arbitraries"
 *
 * Equal.equals(new Key(1), new Key(1)) // => true
 * Equal.equals(new Key(1), new Key(3)) // => false
 * Hash.hash(new Key(1)) === Hash.hash(new Key(3)) // => true
 * String(new Key(1)) // => "Key(1)"
 * ```
 *
 * @see {@link keys} to generate keys
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export class Key implements Equal.Equal {
  readonly id: number

  constructor(id: number) {
    this.id = id
  }

  [Equal.symbol](that: unknown): boolean {
    return that instanceof Key && that.id === this.id
  }

  /** Returns one of two values, so that many unequal keys collide. */
  [Hash.symbol](): number {
    return this.id % 2
  }

  toString(): string {
    return `Key(${this.id})`
  }

  /** Prints the key in a counterexample of fast-check. */
  [fc.toStringMethod](): string {
    return this.toString()
  }
}

/**
 * Returns an arbitrary of {@link Key}s. Generated keys are often equal, or unequal with
 * the same hash.
 *
 * **When to use**
 *
 * Use for the keys of a map or the elements of a set under test.
 *
 * **Details**
 *
 * `ids` is the number of different keys, 4 by default. Every generated key is a
 * new object. Shrinks to `Key(0)`.
 *
 * **Example** (Testing that equal keys share an entry)
 *
 * ```ts import.meta.vitest
 * import { Equal, MutableHashMap } from "effect"
 * import * as Arbitraries from "effect-weakref/testing/Arbitraries"
 * import * as fc from "fast-check"
 *
 * fc.assert(fc.property(Arbitraries.keys(), Arbitraries.keys(), (a, b) => {
 *   const map = MutableHashMap.make([a, 1], [b, 2])
 *   return MutableHashMap.size(map) === (Equal.equals(a, b) ? 1 : 2)
 * }))
 * ```
 *
 * @see {@link scripts} to generate operations on keys
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const keys = (options?: { readonly ids?: number | undefined }): Arbitrary<Key> =>
  fromFastCheck(fc.nat({ max: (options?.ids ?? 4) - 1 }).map((id) => new Key(id)))

/**
 * Describes one moment of a {@link Schedule}: the indices of the targets to collect, and
 * whether the queued clean-ups run afterwards.
 *
 * @see {@link schedules} to generate schedules
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Moment {
  readonly collect: ReadonlyArray<number>
  readonly finalize: boolean
}

/**
 * Describes what the collector does before each step of a test. After the last moment
 * of the schedule, the collector does nothing.
 *
 * @see {@link schedules} to generate schedules
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type Schedule = ReadonlyArray<Moment>

class MomentImpl implements Moment {
  readonly collect: ReadonlyArray<number>
  readonly finalize: boolean

  constructor(collect: ReadonlyArray<number>, finalize: boolean) {
    this.collect = collect
    this.finalize = finalize
  }

  toString(): string {
    const parts = [
      ...this.collect.length > 0 ? [`collect(${this.collect.join(", ")})`] : [],
      ...this.finalize ? ["finalize()"] : []
    ]
    return parts.length > 0 ? parts.join(" ") : "nothing"
  }

  [fc.toStringMethod](): string {
    return this.toString()
  }
}

/**
 * Returns an arbitrary of schedules: which targets are collected, and when their
 * clean-ups run.
 *
 * **When to use**
 *
 * Use to run one fixed program under many random schedules. To run a small program
 * under every schedule, use `TestHeap.explore`.
 *
 * **Details**
 *
 * `targets` is the number of targets. `length` is the largest number of moments, 10 by
 * default. A schedule collects each target at most once. Shrinks to fewer moments and
 * fewer collections.
 *
 * **Example** (Testing references under random schedules)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 * import * as Arbitraries from "effect-weakref/testing/Arbitraries"
 * import * as fc from "fast-check"
 *
 * fc.assert(fc.property(Arbitraries.schedules({ targets: 2, length: 5 }), (schedule) => {
 *   const program = Effect.gen(function*() {
 *     const targets = [{ id: 0 }, { id: 1 }]
 *     const refs = yield* Effect.forEach(targets, WeakRef.make)
 *     const dead = new Set<number>()
 *     for (const { collect, finalize } of schedule) {
 *       yield* TestHeap.collect(...targets.filter((_, index) => collect.includes(index)))
 *       collect.forEach((index) => dead.add(index))
 *       if (finalize) yield* TestHeap.finalize
 *     }
 *     return refs.every((ref, index) => WeakRef.isAlive(ref) !== dead.has(index))
 *   }).pipe(Effect.provide(TestHeap.layer))
 *   return Effect.runSync(program)
 * }))
 * ```
 *
 * @see {@link scripts} to generate the operations too
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const schedules = (options: {
  readonly targets: number
  readonly length?: number | undefined
}): Arbitrary<Schedule> => {
  const indices = Array.from({ length: options.targets }, (_, index) => index)
  const moments = fc.array(fc.tuple(fc.subarray(indices), fc.boolean()), { maxLength: options.length ?? 10 })
  return fromFastCheck(moments.map((moments) => {
    const collected = new Set<number>()
    return moments.map(([collect, finalize]) => {
      const first = collect.filter((index) => !collected.has(index))
      first.forEach((index) => collected.add(index))
      return new MomentImpl(first, finalize)
    })
  }))
}

/**
 * Describes one operation of a {@link Script}, with generated arguments.
 *
 * @see {@link scripts} to generate scripts
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Operation<out Name extends string, out Args extends ReadonlyArray<unknown>> {
  readonly name: Name
  readonly args: Args
}

/**
 * Describes a list of operations. `Arguments` maps the name of each operation to the
 * arbitraries of its arguments. The collector's operations are `collect` and `finalize`.
 * The arguments of `collect` are indices of targets.
 *
 * @see {@link scripts} to generate scripts
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type Script<Arguments extends Record<string, ReadonlyArray<fc.Arbitrary<unknown>>>> = ReadonlyArray<
  | { [Name in keyof Arguments & string]: Operation<Name, Generated<Arguments[Name]>> }[keyof Arguments & string]
  | Operation<"collect", ReadonlyArray<number>>
  | Operation<"finalize", readonly []>
>

/**
 * Computes the tuple of values that a tuple of arbitraries generates.
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export type Generated<Arbitraries extends ReadonlyArray<fc.Arbitrary<unknown>>> = {
  readonly [Index in keyof Arbitraries]: Arbitraries[Index] extends fc.Arbitrary<infer A> ? A : never
}

class OperationImpl implements Operation<string, ReadonlyArray<unknown>> {
  readonly name: string
  readonly args: ReadonlyArray<unknown>

  constructor(name: string, args: ReadonlyArray<unknown>) {
    this.name = name
    this.args = args
  }

  toString(): string {
    return `${this.name}(${this.args.map((arg) => fc.stringify(arg)).join(", ")})`
  }

  [fc.toStringMethod](): string {
    return this.toString()
  }
}

/**
 * Returns an arbitrary of scripts: lists of operations with generated arguments,
 * between which the collector collects targets and runs clean-ups.
 *
 * **When to use**
 *
 * Use to compare an implementation with a model that holds its values strongly: perform
 * each operation on both, and compare the results.
 *
 * **Details**
 *
 * `operations` maps the name of each operation to the arbitraries of its arguments.
 * `targets` is the number of targets that `collect` chooses from. With 0 targets a
 * script has neither `collect` nor `finalize`. A script has at most `maxLength`
 * operations, 20 by default. Shrinks to fewer operations, and each argument by its
 * own arbitrary.
 *
 * **Example** (Comparing a weak set with a model)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakSet } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 * import * as Arbitraries from "effect-weakref/testing/Arbitraries"
 * import * as fc from "fast-check"
 *
 * const targets = 3
 * const index = fc.nat({ max: targets - 1 })
 * const script = Arbitraries.scripts({ add: [index], remove: [index] }, { targets })
 *
 * fc.assert(fc.property(script, (operations) => {
 *   const program = Effect.gen(function*() {
 *     const elements = [{ id: 0 }, { id: 1 }, { id: 2 }]
 *     const set = yield* WeakSet.make<object>({ compare: "reference" })
 *     const model = new Set<object>()
 *     for (const { name, args } of operations) {
 *       const chosen = elements.filter((_, index) => args.some((arg) => arg === index))
 *       if (name === "add") chosen.forEach((element) => WeakSet.add(set, element) && model.add(element))
 *       if (name === "remove") chosen.forEach((element) => WeakSet.remove(set, element) && model.delete(element))
 *       if (name === "collect") {
 *         yield* TestHeap.collect(...chosen)
 *         chosen.forEach((element) => model.delete(element))
 *       }
 *       if (name === "finalize") yield* TestHeap.finalize
 *     }
 *     return elements.every((element) => WeakSet.has(set, element) === model.has(element))
 *   }).pipe(Effect.provide(TestHeap.layer))
 *   return Effect.runSync(program)
 * }))
 * ```
 *
 * @see {@link schedules} to generate only the collector's operations
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const scripts = <const Arguments extends Record<string, ReadonlyArray<fc.Arbitrary<unknown>>>>(
  operations: Arguments,
  options: { readonly targets: number; readonly maxLength?: number | undefined }
): Arbitrary<Script<Arguments>> => {
  const indices = Array.from({ length: options.targets }, (_, index) => index)
  const own = Object.entries(operations).map(([name, args]) =>
    fc.tuple(...args).map((args) => new OperationImpl(name, args))
  )
  const collector = options.targets === 0 ? [] : [
    fc.subarray(indices, { minLength: 1, maxLength: Math.min(2, indices.length) })
      .map((args) => new OperationImpl("collect", args)),
    fc.constant(new OperationImpl("finalize", []))
  ]
  const script: fc.Arbitrary<ReadonlyArray<Operation<string, ReadonlyArray<unknown>>>> = fc.array(
    fc.oneof(...own, ...collector),
    { maxLength: options.maxLength ?? 20 }
  )
  // Each operation has the name and the arguments of its entry in `operations`, or it is the collector's.
  return fromFastCheck(script as fc.Arbitrary<Script<Arguments>>)
}
