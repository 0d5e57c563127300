/**
 * Provides a heap on which the test decides when a value is collected.
 *
 * On a real heap, a program cannot know when a value is collected. On a `TestHeap`,
 * {@link collect} collects its targets, so that all references to them are dead at once,
 * {@link finalize} runs the queued clean-ups, and nothing else is collected. The two
 * steps are separate because engines separate them: a value is reachable, then collected,
 * then finalized.
 *
 * The code under test stays the same. Every effectful constructor reads its weak
 * primitives from the `Heap` service, which {@link layer} replaces.
 *
 * {@link explore} finds out whether a collection can break the program at *any* moment.
 * It runs the program once for every way in which its targets could die, and fails if
 * this shows nothing, because the program forgot to say what it no longer holds.
 *
 * The heap's three constructors behave as ECMAScript defines them. Of the 217 files about
 * them in test262, 214 pass. The other three need the prototypes of another realm.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { isPromiseLike } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { Heap, isWeakReferenceable } from "../Heap.ts"
import { printed } from "../internal/print.ts"
import { makeHeap } from "../internal/testing/constructors.ts"
import { currentRun, type ExploredCollector } from "../internal/testing/exploredCollector.ts"
import * as Explorer from "../internal/testing/explorer.ts"
import * as Installation from "../internal/testing/installation.ts"
import * as Schedule from "../internal/testing/schedule.ts"
import { Collector, runAll, runNext } from "../internal/testing/simulatedCollector.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"
import { isWeakMethod } from "../WeakMethod.ts"
import { isWeakProxy } from "../WeakProxy.ts"
import { isWeakRef } from "../WeakRef.ts"

/**
 * Provides a heap, and the operations that collect its values.
 *
 * **When to use**
 *
 * Use to get the heap itself, for constructors that take it as an argument. For the
 * operations, use the functions of this module.
 *
 * **Example** (Getting the heap)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Heap } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const { heap } = yield* TestHeap.TestHeap
 *   return heap === (yield* Heap.Heap)
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => true
 * ```
 *
 * @see {@link layer} for a heap to provide
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export class TestHeap extends Context.Service<TestHeap, {
  readonly heap: Heap
  readonly collect: (...targets: ReadonlyArray<WeakKey>) => Effect.Effect<void>
  readonly finalize: Effect.Effect<void>
  readonly finalizeOne: Effect.Effect<boolean>
  readonly pending: Effect.Effect<number>
  readonly mayCollect: (...targets: ReadonlyArray<WeakKey>) => Effect.Effect<void>
  readonly hold: (...targets: ReadonlyArray<WeakKey>) => Effect.Effect<void>
  readonly retains: (owner: WeakKey, dependent: WeakKey) => Effect.Effect<void>
}>()("effect-weakref/testing/TestHeap") {}

/**
 * Describes a test heap for code without effects.
 *
 * **When to use**
 *
 * Use in property tests and in tests of code that takes a heap as an argument.
 *
 * **Details**
 *
 * The functions do the same as those of this module, but are synchronous, so `finalize`
 * and `finalizeOne` do not wait for the promises that clean-ups return. `finalize` runs
 * all clean-ups, and then throws the first error that a clean-up has thrown. `service` is
 * the same heap for effects, and each function costs what that of the module does.
 *
 * @see {@link makeUnsafe} for the constructor
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface SyncTestHeap {
  readonly heap: Heap
  readonly collect: (...targets: ReadonlyArray<WeakKey>) => void
  readonly finalize: () => void
  readonly finalizeOne: () => boolean
  readonly pending: () => number
  readonly service: TestHeap["Service"]
}

/**
 * Creates a test heap for synchronous code, whose seed decides in which order the queued
 * clean-ups run.
 *
 * **When to use**
 *
 * Use for code that takes a heap as an argument, and in property tests without effects,
 * but use {@link layer} in an effect.
 *
 * **Details**
 *
 * Costs O(1), and each heap has its own constructors.
 *
 * **Example** (Collecting without effects)
 *
 * ```ts import.meta.vitest
 * import { Option } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const { collect, heap } = TestHeap.makeUnsafe()
 * const target = {}
 * const ref = WeakRef.makeUnsafe(target, heap)
 * collect(target)
 * WeakRef.deref(ref) // => Option.none()
 * ```
 *
 * **Example** (Using the same heap in an effect)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const testHeap = TestHeap.makeUnsafe()
 * const target = {}
 * new testHeap.heap.FinalizationRegistry(() => {}).register(target, undefined)
 * testHeap.collect(target)
 *
 * const program = Effect.provideService(TestHeap.pending, TestHeap.TestHeap, testHeap.service)
 * Effect.runSync(program) // => 1
 * ```
 *
 * @see {@link layerWith} for a heap with a seed in an effect
 *
 * @category constructors
 * @stability experimental
 * @since 0.1.0
 */
export const makeUnsafe = (options?: { readonly seed?: string | number | undefined }): SyncTestHeap => {
  const collector = new Collector(options?.seed ?? 0)
  const service = makeService(collector)
  const run = currentRun()
  if (run !== undefined) run.usesOtherHeap = true
  return {
    heap: service.heap,
    collect: (...targets) => collectAll(collector, targets),
    finalize: () => {
      const failed = runAll(collector).find(({ thrown }) => thrown !== undefined)
      if (failed !== undefined) throw failed.thrown!.error
    },
    finalizeOne: () => {
      const ran = runNext(collector)
      if (ran?.thrown !== undefined) throw ran.thrown.error
      return ran !== undefined
    },
    pending: () => collector.pending(),
    service
  }
}

const makeService = (collector: Collector): TestHeap["Service"] => ({
  heap: makeHeap(collector),
  collect: (...targets) => Effect.sync(() => collectAll(collector, targets)),
  finalize: Effect.gen(function*() {
    const failures: Array<unknown> = []
    for (let again = false;; again = true) {
      const all = runAll(collector, again)
      for (const { thrown } of all) if (thrown !== undefined) failures.push(thrown.error)
      const started = all.map(({ result }) => result).filter(isPromiseLike)
      if (started.length === 0) break
      // Further clean-ups may be queued when these promises settle.
      yield* Effect.promise(() => Promise.all(started))
    }
    if (failures.length > 0) return yield* Effect.die(failures[0])
  }),
  finalizeOne: Effect.suspend(() => {
    const ran = runNext(collector)
    if (ran === undefined) return Effect.succeed(false)
    const { result, thrown } = ran
    if (thrown !== undefined) return Effect.die(thrown.error)
    return isPromiseLike(result) ? Effect.as(Effect.promise(() => Promise.resolve(result)), true) : Effect.succeed(true)
  }),
  pending: Effect.sync(() => collector.pending()),
  mayCollect: (...targets) => Effect.sync(() => checkAll(targets)),
  hold: (...targets) => Effect.sync(() => checkAll(targets)),
  retains: (owner, dependent) => Effect.sync(() => checkAll([owner, dependent]))
})

const makeExploredService = (collector: ExploredCollector): TestHeap["Service"] => ({
  ...makeService(collector),
  mayCollect: (...targets) =>
    Effect.sync(() => {
      checkAll(targets)
      for (const target of targets) collector.mayCollect(target)
    }),
  hold: (...targets) =>
    Effect.sync(() => {
      checkAll(targets)
      for (const target of targets) collector.hold(target)
    }),
  retains: (owner, dependent) =>
    Effect.sync(() => {
      checkAll([owner, dependent])
      collector.retains(owner, dependent)
    })
})

const checkAll = (targets: ReadonlyArray<unknown>): void => {
  for (const target of targets) {
    if (!isWeakReferenceable(target)) throw new NotWeakReferenceableError({ value: target })
  }
}

const collectAll = (collector: Collector, targets: ReadonlyArray<WeakKey>): void => {
  checkAll(targets)
  for (const target of new Set(targets)) collector.collect(target)
}

const contextOf = (service: TestHeap["Service"]): Context.Context<TestHeap> =>
  Context.make(TestHeap, service).pipe(Context.add(Heap, service.heap))

/**
 * Provides a test heap with the given seed, and replaces `Heap` with it.
 *
 * **When to use**
 *
 * Use to try several orders of clean-ups, or to repeat an order.
 *
 * **Details**
 *
 * Each build of the layer creates a new heap. With the same seed, the same clean-ups run
 * in the same order. Building the layer costs O(1), however large the program is.
 *
 * **Example** (Replaying an order of clean-ups)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const order = (seed: string) =>
 *   Effect.gen(function*() {
 *     const log: Array<number> = []
 *     const targets = [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]
 *     for (const target of targets) {
 *       const { id } = target
 *       const ref = yield* WeakRef.make(target)
 *       yield* WeakRef.onCollect(ref, () => Effect.sync(() => log.push(id)))
 *     }
 *     yield* TestHeap.collectAndFinalize(...targets)
 *     return log
 *   }).pipe(Effect.scoped, Effect.provide(TestHeap.layerWith({ seed })))
 *
 * const first = await Effect.runPromise(order("a seed"))
 * const again = await Effect.runPromise(order("a seed"))
 * first.join() === again.join() // => true
 * ```
 *
 * @see {@link layer} for a heap with the default seed
 * @see {@link explore} for all orders
 *
 * @category layers
 * @stability experimental
 * @since 0.1.0
 */
export const layerWith = (options: { readonly seed: string | number }): Layer.Layer<TestHeap> =>
  Layer.effectContext(Effect.sync(() => contextOf(makeUnsafe(options).service)))

/**
 * Provides a test heap, and replaces `Heap` with it.
 *
 * **When to use**
 *
 * Use in most tests of code that uses weak references.
 *
 * **Details**
 *
 * Each build of the layer creates a new heap. Every effectful constructor of this library
 * reads `Heap`, and so uses the test heap.
 *
 * **Gotchas**
 *
 * A `makeUnsafe` constructor does not read the service, so pass the heap to it.
 *
 * **Example** (Deciding when a referent is collected)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const ref = yield* WeakRef.make(target)
 *   yield* TestHeap.collect(target)
 *   return WeakRef.isAlive(ref)
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => false
 * ```
 *
 * @see {@link layerWith} for a heap with a seed
 *
 * @category layers
 * @stability experimental
 * @since 0.1.0
 */
export const layer: Layer.Layer<TestHeap> = /*#__PURE__*/ layerWith({ seed: 0 })

/**
 * Collects the targets, even if the program still holds them.
 *
 * **When to use**
 *
 * Use to let the targets die now, and to run their clean-ups later.
 *
 * **Details**
 *
 * All references to the targets are dead at once. Entries of a `WeakMap` are gone if a
 * target is their key. The clean-ups of the targets are queued for {@link finalize}.
 *
 * The test heap collects a target even if the program still holds it. If the program uses
 * the target again afterwards, the heap treats it as a new object.
 *
 * Dies with `NotWeakReferenceableError` and collects no target if a target cannot be a
 * referent. Costs O(1) for each target and for each of its registrations, and does not
 * dereference.
 *
 * **Example** (Collected, not yet finalized)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   let released = false
 *   const target = {}
 *   yield* Finalizer.make(target, Effect.sync(() => released = true))
 *   yield* TestHeap.collect(target)
 *   const collected = released
 *   yield* TestHeap.finalize
 *   return [collected, released]
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [false, true]
 * ```
 *
 * @see {@link collectAndFinalize} for both steps
 * @see {@link mayCollect} for a collection whose moment is explored
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const collect = (...targets: ReadonlyArray<WeakKey>): Effect.Effect<void, never, TestHeap> =>
  Effect.flatMap(TestHeap, (testHeap) => testHeap.collect(...targets))

/**
 * Runs the queued clean-ups, in an order that the seed decides, and waits until they have
 * ended.
 *
 * **When to use**
 *
 * Use after {@link collect}, to run everything that the collection causes.
 *
 * **Details**
 *
 * Waits for callbacks, for finalizers, and for the promises that clean-ups return, and
 * also runs clean-ups that are queued in the meantime. A clean-up that throws does not
 * stop the next one, but after all have run, the effect dies with the first error. Ends
 * the turn. Costs O(1) for each clean-up, and what the clean-ups cost.
 *
 * **Example** (Running the queued clean-ups)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakValueMap } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const value = {}
 *   const map = yield* WeakValueMap.fromIterable([["key", value]])
 *   yield* TestHeap.collect(value)
 *   const before = WeakValueMap.size(map)
 *   yield* TestHeap.finalize
 *   return [before, WeakValueMap.size(map)]
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [1, 0]
 * ```
 *
 * @see {@link finalizeOne} for one clean-up at a time
 * @see {@link pending} for the number of queued clean-ups
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const finalize: Effect.Effect<void, never, TestHeap> = /*#__PURE__*/ Effect.flatMap(
  TestHeap,
  (testHeap) => testHeap.finalize
)

/**
 * Runs one queued clean-up, waits until it has ended, and returns whether a clean-up was
 * queued.
 *
 * **When to use**
 *
 * Use to inspect the program between two clean-ups, because an engine may run them at
 * different times.
 *
 * **Details**
 *
 * The seed decides which clean-up runs. Waits for the promise that the clean-up returns,
 * ends the turn, and dies with the error that the clean-up throws. Costs O(1), amortized,
 * and what the clean-up costs.
 *
 * **Example** (Looking between two clean-ups)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakSet } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const [a, b] = [{ id: 1 }, { id: 2 }]
 *   const set = yield* WeakSet.fromIterable([a, b])
 *   yield* TestHeap.collect(a, b)
 *   const sizes: Array<number> = []
 *   while (yield* TestHeap.finalizeOne) sizes.push(WeakSet.size(set))
 *   return sizes
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [1, 0]
 * ```
 *
 * @see {@link finalize} to run all queued clean-ups
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const finalizeOne: Effect.Effect<boolean, never, TestHeap> = /*#__PURE__*/ Effect.flatMap(
  TestHeap,
  (testHeap) => testHeap.finalizeOne
)

/**
 * Collects the targets, and runs the queued clean-ups.
 *
 * **When to use**
 *
 * Use if the state between the two steps does not matter.
 *
 * **Details**
 *
 * Runs all queued clean-ups, even those of an earlier {@link collect}. Errors and cost
 * are those of the two steps.
 *
 * **Example** (Both steps)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakSet } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const element = {}
 *   const set = yield* WeakSet.fromIterable([element])
 *   yield* TestHeap.collectAndFinalize(element)
 *   return WeakSet.size(set)
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => 0
 * ```
 *
 * @see {@link collect} for the first step
 * @see {@link finalize} for the second step
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const collectAndFinalize = (...targets: ReadonlyArray<WeakKey>): Effect.Effect<void, never, TestHeap> =>
  Effect.andThen(collect(...targets), finalize)

/**
 * Returns the number of queued clean-ups, and dereferences nothing.
 *
 * **When to use**
 *
 * Use to test whether code leaves a registration behind.
 *
 * **Details**
 *
 * A clean-up is queued from the collection of its target until it runs or is
 * unregistered. In {@link explore}, there is a schedule for each number that is possible.
 * Which of the targets are collected stays open until the program can see it, but
 * everything that follows agrees with the number. Costs O(1), and in `explore` O(2ⁿ) for
 * n released targets with registrations, up to 12.
 *
 * **Example** (Counting clean-ups)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { Finalizer } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   yield* Finalizer.make(target, Effect.void)
 *   const before = yield* TestHeap.pending
 *   yield* TestHeap.collect(target)
 *   return [before, yield* TestHeap.pending]
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program) // => [0, 1]
 * ```
 *
 * @see {@link finalizeOne} to run one queued clean-up
 *
 * @category getters
 * @stability experimental
 * @since 0.1.0
 */
export const pending: Effect.Effect<number, never, TestHeap> = /*#__PURE__*/ Effect.flatMap(
  TestHeap,
  (testHeap) => testHeap.pending
)

/**
 * States that the program no longer holds the targets. From here on, the collector may
 * collect them.
 *
 * **When to use**
 *
 * Use in a program for {@link explore}, after the program has dropped its last strong
 * reference.
 *
 * **Details**
 *
 * The collector may collect each target at any time, or never, alone or together with
 * others. A target stays alive until the end of the turn if this turn has dereferenced it
 * or has made a weak reference to it. Outside of `explore`, `mayCollect` only checks the
 * targets. Dies with `NotWeakReferenceableError` if a target cannot be a referent. Costs
 * O(1) for each target, and does not dereference.
 *
 * **Gotchas**
 *
 * `explore` relies on this statement, so call {@link hold} if the program dereferences a
 * target and keeps it beyond the turn. If one target holds another, say so with
 * {@link retains}, because `explore` would otherwise collect the held target alone.
 *
 * **Example** (Releasing a target)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakSet } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const sizes = new Set<number>()
 *
 * const program = Effect.gen(function*() {
 *   const element = {}
 *   const set = yield* WeakSet.fromIterable([element])
 *   yield* TestHeap.mayCollect(element)
 *   yield* TestHeap.turn
 *   sizes.add(WeakSet.size(set))
 * })
 *
 * await Effect.runPromise(TestHeap.explore(program))
 * sizes // => new Set([1, 0])
 * ```
 *
 * @see {@link hold} for the opposite
 * @see {@link retains} for a target that holds another
 * @see {@link collect} for a collection that happens now
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const mayCollect = (...targets: ReadonlyArray<WeakKey>): Effect.Effect<void, never, TestHeap> =>
  Effect.flatMap(TestHeap, (testHeap) => testHeap.mayCollect(...targets))

/**
 * States that the program holds the targets again. From here on, the collector may not
 * collect them.
 *
 * **When to use**
 *
 * Use in a program for {@link explore} that dereferences a target and keeps it beyond the
 * turn, until {@link mayCollect} releases the target again.
 *
 * **Details**
 *
 * References to a target stay dead if the target was collected before. Outside of
 * `explore`, `hold` only checks the targets. Dies with `NotWeakReferenceableError` if a
 * target cannot be a referent. Costs O(1) for each target, and does not dereference.
 *
 * **Example** (Keeping a dereferenced target)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const ref = yield* WeakRef.make(target)
 *   yield* TestHeap.mayCollect(target)
 *   yield* TestHeap.turn
 *   if (!WeakRef.isAlive(ref)) return
 *   yield* TestHeap.hold(target)
 *   yield* TestHeap.turn
 *   if (!WeakRef.isAlive(ref)) return yield* Effect.fail("it was held")
 * })
 *
 * const { exhaustive, schedules } = await Effect.runPromise(TestHeap.explore(program))
 * exhaustive // => true
 * schedules // => 2
 * ```
 *
 * @see {@link mayCollect} for the opposite
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const hold = (...targets: ReadonlyArray<WeakKey>): Effect.Effect<void, never, TestHeap> =>
  Effect.flatMap(TestHeap, (testHeap) => testHeap.hold(...targets))

/**
 * States that one target holds another strongly. As long as the owner is alive, the
 * dependent is not collected.
 *
 * **When to use**
 *
 * Use in a program for {@link explore} that releases both targets, for example an object
 * and a part of it, because the test heap does not see strong references.
 *
 * **Details**
 *
 * If the dependent is found dead, then the owner is dead too. The statement ends when
 * either is collected, and it holds for chains and cycles of targets. An owner that is
 * never released keeps its dependents alive for ever. Outside of `explore`, `retains`
 * only checks its arguments. Dies with `NotWeakReferenceableError` if one of them cannot
 * be a referent. Costs O(1), and O(owners) at each decision about the dependent, and does
 * not dereference.
 *
 * **Gotchas**
 *
 * The statement cannot be taken back while both are alive. If the program lets the owner
 * drop the dependent, write a program of its own for the time after.
 *
 * **Example** (A part outlives the whole, but not the other way round)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const seen = new Set<string>()
 *
 * const program = Effect.gen(function*() {
 *   const wheel = { part: "wheel" }
 *   const car = { wheel }
 *   const refs = { car: yield* WeakRef.make(car), wheel: yield* WeakRef.make(wheel) }
 *   yield* TestHeap.retains(car, wheel)
 *   yield* TestHeap.mayCollect(car, wheel)
 *   yield* TestHeap.turn
 *   seen.add(`car ${WeakRef.isAlive(refs.car)}, wheel ${WeakRef.isAlive(refs.wheel)}`)
 * })
 *
 * await Effect.runPromise(TestHeap.explore(program))
 * seen // => new Set(["car true, wheel true", "car false, wheel true", "car false, wheel false"])
 * ```
 *
 * @see {@link mayCollect} to release both
 * @see {@link hold} for a target that the program itself holds
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const retains = (owner: WeakKey, dependent: WeakKey): Effect.Effect<void, never, TestHeap> =>
  Effect.flatMap(TestHeap, (testHeap) => testHeap.retains(owner, dependent))

/**
 * Ends the turn, which is what `Effect.yieldNow` does.
 *
 * **When to use**
 *
 * Use in a program for {@link explore}, between two steps that a real program does in
 * different turns.
 *
 * **Details**
 *
 * Is the same effect as `Effect.yieldNow`, so other fibers may run, at the cost of one
 * job of the event loop. Needs no heap, so code can use it outside of a test.
 *
 * **Example** (A target dies between two turns)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const seen = new Set<string>()
 *
 * const program = Effect.gen(function*() {
 *   const target = {}
 *   const ref = yield* WeakRef.make(target)
 *   yield* TestHeap.mayCollect(target)
 *   const first = WeakRef.isAlive(ref)
 *   yield* TestHeap.turn
 *   seen.add(`${first}, then ${WeakRef.isAlive(ref)}`)
 * })
 *
 * await Effect.runPromise(TestHeap.explore(program))
 * seen // => new Set(["true, then true", "true, then false"])
 * ```
 *
 * @see {@link explore} for what else ends a turn
 *
 * @category combinators
 * @stability experimental
 * @since 0.1.0
 */
export const turn: Effect.Effect<void> = Effect.yieldNow

/**
 * Describes an exploration in which no schedule failed.
 *
 * **When to use**
 *
 * Use to assert that an exploration was exhaustive, and that it left no target out.
 *
 * **Details**
 *
 * - `schedules`: the number of different schedules under which the program ran.
 * - `choices`: how many choices the collector had in the run with the most choices.
 * - `exhaustive`: whether no other behaviours exist, which is so if `gaps` is empty.
 * - `gaps`: why other behaviours may exist: there are more than `maxSchedules` schedules,
 *   clean-ups were due while plain code waited for something other than a timer, or the
 *   host's heap refers to a target.
 * - `unreleased`: the weak targets that no run has released, although the program could
 *   have noticed their death. These are targets that the program holds, and targets that
 *   the code under test makes for itself. Such a target is alive in every schedule, so
 *   make sure that something does hold it.
 *
 * @see {@link explore} for the function that returns it
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Explored {
  readonly schedules: number
  readonly choices: number
  readonly exhaustive: boolean
  readonly gaps: ReadonlyArray<string>
  readonly unreleased: ReadonlyArray<string>
}

/**
 * Describes why {@link explore} or {@link replay} failed, and under which schedule.
 *
 * **When to use**
 *
 * Use to read the failing schedule in a test, for example to pass it to {@link replay}.
 *
 * **Details**
 *
 * The `reason` says which of these cases it is:
 *
 * - `"Failure"`: under this schedule the program fails, dies, or is interrupted, and
 *   `cause` is the cause of its failure.
 * - `"Endless"`: under this schedule the program does not end. For example, it waits for
 *   a clean-up that never runs.
 * - `"NoChoice"`: the collector had no choice, so the exploration shows nothing. The
 *   message names the likely mistake: no {@link mayCollect}, no {@link turn}, no
 *   {@link install}, a `makeUnsafe` without the heap, or `Effect.provide(TestHeap.layer)`
 *   inside the program.
 * - `"NonDeterminism"`: the program behaves differently when it runs again under the same
 *   schedule. It depends on a random number, on a real clock, or on a variable that an
 *   earlier run has changed. For {@link replay}, the program may have changed since the
 *   schedule was found.
 * - `"Malformed"`: the text that was passed to {@link replay} is not a schedule.
 *
 * `schedule` is the argument for {@link replay}, and `trace` describes the same events in
 * words. `schedules` is the number of schedules that ran, and `unreleased` names the same
 * targets as in {@link Explored}. The message says what failed, and then shows the
 * schedule, the trace, and how to repeat the run.
 *
 * @see {@link explore} for an example
 *
 * @category errors
 * @stability experimental
 * @since 0.1.0
 */
export class ScheduleError extends Data.TaggedError("ScheduleError")<ScheduleErrorFields> {
  constructor(fields: Omit<ScheduleErrorFields, "message">) {
    // An own property, because engines copy the message to the stack when they make the error.
    super({ ...fields, message: messageOf(fields) })
  }
}

interface ScheduleErrorFields {
  readonly reason: "Failure" | "Endless" | "NoChoice" | "NonDeterminism" | "Malformed"
  readonly schedule: string
  readonly trace: string
  readonly schedules: number
  readonly unreleased: ReadonlyArray<string>
  readonly cause: Cause.Cause<unknown>
  readonly message: string
}

const messageOf = (
  { cause, reason, schedule, trace, unreleased }: Omit<ScheduleErrorFields, "message">
): string => {
  if (reason === "Malformed") {
    return `${printed(schedule)} is not a schedule. Use the schedule that TestHeap.explore reports`
  }
  if (reason === "NoChoice") return Schedule.summary(cause)
  return [
    Schedule.summary(cause),
    `Schedule: ${JSON.stringify(schedule)}`,
    `Trace: ${trace}`,
    `Replay: TestHeap.replay(program, ${JSON.stringify(schedule)})`,
    ...unreleased.length === 0 ? [] : [`Never released, so never collected: ${unreleased.join(", ")}`]
  ].join("\n")
}

/**
 * Describes how many schedules {@link explore} runs, and which hosts they imitate.
 *
 * **When to use**
 *
 * Use as the type of options that several explorations share.
 *
 * **Details**
 *
 * - `maxSchedules`: the largest number of schedules to run, 10,000 by default.
 * - `seed`: decides which schedules run if more than `maxSchedules` exist, and is 0 by
 *   default.
 * - `lateUnregister`: whether the clean-up of a collected target may run even after
 *   `unregister`, because an engine may have queued it before. It is `false` by default,
 *   which is what programs usually assume.
 * - `turns`: when a turn ends. With `"task"`, the default, it ends when the microtasks
 *   are done, as in every host. With `"job"`, each `await` ends it, which the
 *   specification allows.
 * - `timeout`: how long a run may take, in real time. The default is 4 seconds, which is
 *   less than the time that test runners allow for a test.
 *
 * @see {@link explore} for the function that takes these options
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface ExploreOptions {
  readonly maxSchedules?: number | undefined
  readonly seed?: string | number | undefined
  readonly lateUnregister?: boolean | undefined
  readonly turns?: "task" | "job" | undefined
  readonly timeout?: Duration.Input | undefined
}

/**
 * Runs a program once for every way in which its targets could die, and fails if the
 * program fails in one of these runs.
 *
 * **When to use**
 *
 * Use to find the moment at which a collection breaks a program, or to show that no such
 * moment exists.
 *
 * **Details**
 *
 * The program names its targets with {@link mayCollect}. A schedule states which targets
 * die, and before which read, and after which turn each clean-up runs, or that the
 * clean-up never runs.
 *
 * The collector has a choice only if the program can see the difference:
 *
 * - at the first `deref` of a released target in a turn
 * - between two turns, if a clean-up may run
 * - at {@link pending}, {@link finalize} and {@link finalizeOne}, which show the queue
 *
 * A turn ends when the microtasks of a task are done: when the program yields
 * (`Effect.yieldNow`, {@link turn}), sleeps, or waits for I/O. After an `await` of
 * something that is there already, the turn goes on. The option `turns: "job"` ends a
 * turn even there. A target that a turn has dereferenced stays alive until the end of the
 * turn. Effect decides the order of fibers, as it does outside of `explore`. A clean-up
 * that throws makes the run fail. The clean-ups that are left at the end of the program
 * run then, in the order of their registration, and are no choices.
 *
 * Each run has a new heap and a new Scope. Schedules with fewer events run first, so the
 * error has a shortest schedule. If there are more than `maxSchedules` schedules, about
 * half of the runs are a random sample, and `exhaustive` is `false`. If a sampled
 * schedule fails, `explore` removes events from it as long as it still fails. Runs follow
 * one another, even those of different explorations. Each schedule costs one run of the
 * program and 0.1 to 0.8 ms.
 *
 * Fails with {@link ScheduleError}, never with the program's own error. Dies with a
 * `TypeError` if an option is wrong.
 *
 * **Gotchas**
 *
 * Apart from the heap, the program must do the same in each run. Create every object that
 * the program changes inside the program. A registry that a module makes when it is
 * loaded serves every run, but a `WeakRef` belongs to one run. In code without Effect,
 * `explore` notices the turns of timers, and other turns when the code first uses a weak
 * primitive; if it may have missed one while clean-ups were due, `exhaustive` is `false`.
 * For this, it replaces the global timers while it runs. A key that the program passes to
 * a `WeakMap` is alive, so a lookup in a `WeakMap` is not a choice.
 *
 * **Example** (Finding a moment that breaks a program)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const user = { id: 1 }
 *   const ref = yield* WeakRef.make(user)
 *   yield* TestHeap.mayCollect(user)
 *   yield* TestHeap.turn
 *   if (!WeakRef.isAlive(ref)) return
 *   yield* TestHeap.turn
 *   return Option.getOrThrow(WeakRef.deref(ref)).id
 * })
 *
 * const error = await Effect.runPromise(Effect.flip(TestHeap.explore(program)))
 * error.trace // => "turn 3: {id: 1} is collected before \"deref\""
 * error.schedule // => "1:deref#1"
 * ```
 *
 * **Example** (Showing that no moment breaks a program)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const user = { id: 1 }
 *   const ref = yield* WeakRef.make(user)
 *   yield* TestHeap.mayCollect(user)
 *   yield* TestHeap.turn
 *   return Option.match(WeakRef.deref(ref), { onNone: () => 0, onSome: ({ id }) => id })
 * })
 *
 * const explored = await Effect.runPromise(TestHeap.explore(program))
 * explored // => { schedules: 2, choices: 1, exhaustive: true, gaps: [], unreleased: [] }
 * ```
 *
 * @see {@link replay} to run the schedule that failed
 * @see {@link install} for code that does not use Effect
 *
 * @category combinators
 * @stability experimental
 * @since 0.1.0
 */
export const explore = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  options?: ExploreOptions
): Effect.Effect<Explored, ScheduleError, Exclude<R, TestHeap | Scope.Scope>> =>
  Effect.suspend(() =>
    Effect.flatMap(Explorer.explore(ofRun(program), settingsOf(options)), (result) => {
      if (result._tag === "Failed") return Effect.fail(errorOf(result))
      const { choices, gaps, schedules, unreleased } = result
      return Effect.succeed({ schedules, choices, exhaustive: gaps.length === 0, gaps, unreleased })
    })
  )

/**
 * Runs a program under the schedule that {@link explore} reported, and returns the
 * program's own result.
 *
 * **When to use**
 *
 * Use to debug a failure that `explore` has found. Use it even as a regression test, as
 * long as the program makes the same choices.
 *
 * **Details**
 *
 * Fails with `ScheduleError` if the text is not a schedule, if the program does not end,
 * or if the program does not reach the choices of the schedule. The schedule records
 * whether it needs `lateUnregister` or `turns: "job"`. Costs one run of the program.
 *
 * **Example** (Replaying a failure)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const user = { id: 1 }
 *   const ref = yield* WeakRef.make(user)
 *   yield* TestHeap.mayCollect(user)
 *   yield* TestHeap.turn
 *   return yield* WeakRef.get(ref)
 * })
 *
 * const { schedule } = await Effect.runPromise(Effect.flip(TestHeap.explore(program)))
 * const error = await Effect.runPromise(Effect.flip(TestHeap.replay(program, schedule)))
 * error._tag // => "DeadReferenceError"
 * ```
 *
 * @see {@link explore} to find the schedule
 *
 * @category combinators
 * @stability experimental
 * @since 0.1.0
 */
export const replay = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  schedule: string
): Effect.Effect<A, E | ScheduleError, Exclude<R, TestHeap | Scope.Scope>> =>
  Effect.suspend((): Effect.Effect<A, E | ScheduleError, Exclude<R, TestHeap | Scope.Scope>> => {
    // A program without types can pass anything.
    const parsed = typeof schedule === "string" ? Schedule.parse(schedule) : undefined
    if (parsed === undefined) {
      const cause = Cause.die(new Error("malformed schedule"))
      return Effect.fail(
        new ScheduleError({ reason: "Malformed", schedule, trace: "", schedules: 0, unreleased: [], cause })
      )
    }
    const { lateUnregister, turns } = parsed
    return Effect.flatMap(
      Explorer.replay(ofRun(program), parsed, settingsOf({ lateUnregister, turns })),
      (result): Effect.Effect<A, E | ScheduleError> =>
        Exit.isExit(result) ? result : Effect.fail(errorOf({ ...result, schedule }))
    )
  })

// Each run provides its own heap and its own Scope.
const ofRun = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  program as Effect.Effect<A, E, Exclude<R, TestHeap | Scope.Scope>>

const errorOf = ({ cause, reason, schedule, schedules, trace, unreleased }: Explorer.Failed): ScheduleError =>
  new ScheduleError({ reason, schedule, trace, schedules, cause, unreleased })

const settingsOf = (options: ExploreOptions | undefined): Explorer.Settings => {
  const { lateUnregister = false, maxSchedules = 10_000, seed = 0, timeout = "4 seconds", turns = "task" } = options ??
    {}
  const refuse = (option: string, wanted: string, value: unknown): never => {
    throw new TypeError(`TestHeap.explore: ${option} must be ${wanted}, but it is ${Schedule.printed(value)}`)
  }
  if (!Number.isSafeInteger(maxSchedules) || maxSchedules < 1) {
    refuse("maxSchedules", "a positive integer", maxSchedules)
  }
  if (typeof seed !== "string" && typeof seed !== "number") refuse("seed", "a string or a number", seed)
  if (typeof lateUnregister !== "boolean") refuse("lateUnregister", "a boolean", lateUnregister)
  if (turns !== "task" && turns !== "job") refuse("turns", `"task" or "job"`, turns)
  const millis = Option.match(Duration.fromInput(timeout), { onNone: () => 0, onSome: Duration.toMillis })
  // Timers take no more than 31 bits.
  if (!(millis > 0 && millis < 2 ** 31)) refuse("timeout", "a positive duration of less than 24 days", timeout)
  return {
    maxSchedules,
    seed,
    lateUnregister,
    turns,
    timeout: millis,
    isInternal: (target) => isWeakRef(target) || isWeakProxy(target) || isWeakMethod(target),
    services: (collector) => {
      const service = makeExploredService(collector)
      return { context: contextOf(service), release: () => Installation.endInstallations(service.heap) }
    }
  }
}

/**
 * Replaces the properties `WeakRef`, `WeakMap` and `FinalizationRegistry` of an object
 * with the heap's constructors, until the Scope closes.
 *
 * **When to use**
 *
 * Use for code that does not use Effect and reads the globals, because the default object
 * is `globalThis`.
 *
 * **Details**
 *
 * When the Scope closes, the three properties have their earlier values and attributes
 * again. Installations may overlap and end in any order; the newest that has not ended
 * decides. In {@link explore}, an installation ends at the latest with its run, even if
 * the program does not end. Dies with a `TypeError` and replaces nothing if the target is
 * not an object, or if a property cannot be replaced. Costs O(1).
 *
 * **Gotchas**
 *
 * Code that read a global before `install` keeps the host's constructor, so load modules
 * that read the globals when they are loaded after `install`. All code of the process
 * sees the replaced globals, so run nothing else at the same time. The global `WeakSet`
 * is not replaced.
 *
 * **Example** (Collecting a target of code without Effect)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   yield* TestHeap.install()
 *   const target = {}
 *   const ref = new WeakRef(target)
 *   yield* TestHeap.collect(target)
 *   return ref.deref()
 * }).pipe(Effect.scoped, Effect.provide(TestHeap.layer))
 *
 * const host = WeakRef
 * Effect.runSync(program) // => undefined
 * WeakRef === host // => true
 * ```
 *
 * @see {@link explore} to run such code under every schedule
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const install = (target: object = globalThis): Effect.Effect<void, never, TestHeap | Scope.Scope> =>
  Effect.flatMap(TestHeap, ({ heap }) =>
    Effect.asVoid(Effect.acquireRelease(
      Effect.sync(() => Installation.install(heap, target)),
      (end) => Effect.sync(end)
    )))
