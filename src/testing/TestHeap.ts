/**
 * A heap that a test collects by hand, or whose every collection it explores.
 *
 * On a real heap nobody can say when a value is collected. On a `TestHeap` the
 * test says it: {@link collect} kills all references to its targets at once, and
 * {@link finalize} runs the clean-ups that wait. Nothing is collected otherwise.
 * The two steps are separate because engines separate them: reachable, collected,
 * finalized. The code under test is not changed. Every effectful constructor
 * reads its weak primitives from the `Heap` service, which {@link layer} replaces.
 *
 * {@link explore} asks a larger question: is there *any* moment at which a
 * collection breaks the program? It runs the program once for every way in which
 * its targets could die.
 *
 * The heap's three constructors behave as ECMAScript defines them. Of the 217 files
 * about them in test262, 214 pass. The other three need the prototypes of
 * another realm.
 *
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
import { Collector, runAll, runNext } from "../internal/testing/collector.ts"
import { makeHeap } from "../internal/testing/constructors.ts"
import type { ExploredCollector } from "../internal/testing/exploredCollector.ts"
import * as Explorer from "../internal/testing/explorer.ts"
import * as Schedule from "../internal/testing/schedule.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"

/**
 * Provides a heap, the two steps of a collection, and the statements that an
 * exploration needs.
 *
 * **When to use**
 *
 * Use to get the heap itself, for constructors that take it as an argument. For
 * the operations, use the functions of this module.
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
}>()("effect-weakref/testing/TestHeap") {}

/**
 * Describes a test heap for code without effects.
 *
 * **Details**
 *
 * The functions are those of this module, except that they do not wait: `finalize`
 * starts clean-ups that return a promise, and does not wait for the promise. The first
 * error that a clean-up throws is thrown after all have run. `service` is the same
 * heap for effects.
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
 * Creates a test heap for synchronous code. The seed decides in which order the
 * queued clean-ups run.
 *
 * **When to use**
 *
 * Use for code that takes a heap as an argument, and in property tests without
 * effects. In an effect, use {@link layer}.
 *
 * **Details**
 *
 * Cost: O(1). Each heap has constructors of its own.
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
    for (;;) {
      const all = runAll(collector)
      for (const { thrown } of all) if (thrown !== undefined) failures.push(thrown.error)
      const started = all.map(({ result }) => result).filter(isPromiseLike)
      if (started.length === 0) break
      // More may have been queued when these have ended.
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
  hold: (...targets) => Effect.sync(() => checkAll(targets))
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
 * Provides a test heap with a seed that you choose, and replaces `Heap` with it.
 *
 * **When to use**
 *
 * Use to try several orders of clean-ups, or to repeat one.
 *
 * **Details**
 *
 * Each build of the layer has a new heap. The same seed and the same clean-ups
 * have the same order.
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
 * Each build of the layer has a new heap. Everything that reads `Heap` uses it:
 * every effectful constructor of this library does.
 *
 * **Gotchas**
 *
 * A `makeUnsafe` constructor does not read the service: pass the heap to it.
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
 * Collects the targets: all references to all of them are dead at once, weak
 * table entries keyed by them are gone, and their clean-ups wait for
 * {@link finalize}.
 *
 * **When to use**
 *
 * Use to say that the targets die here, and their clean-ups run later.
 *
 * **Details**
 *
 * It does not matter whether the program still holds a target: the test says that
 * it does not. A target that is used again afterwards is like a new object at the
 * same place. Dies with `NotWeakReferenceableError` if a target cannot be a
 * referent, and then collects none. Cost: O(1) for each target and for each of its
 * registrations. It does not dereference.
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
 * Runs the queued clean-ups, in an order that the seed decides, and waits until
 * what they started has ended.
 *
 * **When to use**
 *
 * Use after {@link collect}, to let everything happen that the collection causes.
 *
 * **Details**
 *
 * Callbacks and finalizers are awaited, and the promises that a clean-up of your
 * own returns. Clean-ups that are queued meanwhile run too. A clean-up that throws
 * does not stop the next; its error is a defect at the end. Ends the turn. Cost:
 * O(1) for each clean-up, and what the clean-ups do.
 *
 * **Example** (Running what waits)
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
 * @see {@link pending} for how many wait
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
 * Runs one queued clean-up, and waits until what it started has ended. Returns
 * `false` if none is queued.
 *
 * **When to use**
 *
 * Use to look at the program between two clean-ups: engines do not promise to run
 * them together.
 *
 * **Details**
 *
 * The seed decides which clean-up runs. The error of one that throws is a defect.
 * Ends the turn. Cost: O(1) amortized, and what the clean-up does.
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
 * @see {@link finalize} for all of them
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
 * Use if nothing between the two steps of a collection matters.
 *
 * **Details**
 *
 * Runs all clean-ups that are queued, even those of an earlier {@link collect}.
 * Errors and cost are those of the two steps.
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
 * Returns how many clean-ups wait for {@link finalize}.
 *
 * **When to use**
 *
 * Use to show that code leaves no registration behind, or leaves one.
 *
 * **Details**
 *
 * A clean-up waits from the collection of its target until it runs or is
 * unregistered. Cost: O(1). In {@link explore}, this is a choice for each released
 * target with a registration: collected or not. It does not dereference.
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
 * @see {@link finalizeOne} to run one of them
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
 * Says that the program has let go of the targets: from here on the collector may
 * take them.
 *
 * **When to use**
 *
 * Use in a program for {@link explore}, at the place at which the program drops
 * its last strong reference.
 *
 * **Details**
 *
 * The collector may take each target at any time, or never, together with others or
 * alone. A target that this turn has dereferenced, or has made a weak reference to,
 * lives to the end of the turn. Outside of `explore` nothing happens. Dies with
 * `NotWeakReferenceableError` if a target cannot be a referent. Cost: O(1) for each
 * target. It does not dereference.
 *
 * **Gotchas**
 *
 * The exploration believes this statement. If the program gets a target back from a
 * weak reference and keeps it beyond the turn, say so with {@link hold}. If one
 * target holds another, release them in different programs.
 *
 * **Example** (Letting go of a target)
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
 * @see {@link collect} for a collection at this very place
 *
 * @category mutations
 * @stability experimental
 * @since 0.1.0
 */
export const mayCollect = (...targets: ReadonlyArray<WeakKey>): Effect.Effect<void, never, TestHeap> =>
  Effect.flatMap(TestHeap, (testHeap) => testHeap.mayCollect(...targets))

/**
 * Says that the program holds the targets again: from here on the collector may
 * not take them.
 *
 * **When to use**
 *
 * Use in a program for {@link explore} that dereferences a target and keeps it
 * beyond the turn. {@link mayCollect} releases the target again.
 *
 * **Details**
 *
 * A target that was collected before stays collected. Outside of `explore` nothing
 * happens. Dies with `NotWeakReferenceableError` if a target cannot be a referent.
 * Cost: O(1) for each target. It does not dereference.
 *
 * **Example** (Keeping what was found)
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
 * Ends the turn: yields, as `Effect.yieldNow` does.
 *
 * **When to use**
 *
 * Use in a program for {@link explore}, between two steps that a real program
 * does in different turns.
 *
 * **Details**
 *
 * Other fibers run as they do at `Effect.yieldNow`. Needs no heap, so code can use
 * it outside of a test.
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
 * **Details**
 *
 * `schedules` counts the different schedules under which the program ran.
 * `exhaustive` says whether these were all that exist.
 *
 * @see {@link explore} for how to get one
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface Explored {
  readonly schedules: number
  readonly exhaustive: boolean
}

/**
 * Describes what {@link explore} and {@link replay} raise about a schedule.
 *
 * **Details**
 *
 * The `reason` is one of these:
 *
 * - `"Failure"`: under this schedule the program fails, or dies. `cause` says how.
 * - `"Endless"`: under this schedule the program does not end. For example, it waits for a
 *   clean-up that never runs.
 * - `"NonDeterminism"`: the program makes other choices when it runs again under the same schedule, because it
 *   depends on something else: a random number, a real clock, or what an earlier run left in a variable. For
 *   {@link replay}, the program may have changed since the schedule was found.
 * - `"Malformed"`: the text is no schedule.
 *
 * `schedule` is for {@link replay}, and `trace` is for people. `schedules` counts the
 * schedules that ran.
 *
 * @see {@link explore} for an example
 *
 * @category errors
 * @stability experimental
 * @since 0.1.0
 */
export class ScheduleError extends Data.TaggedError("ScheduleError")<{
  readonly reason: "Failure" | "Endless" | "NonDeterminism" | "Malformed"
  readonly schedule: string
  readonly trace: string
  readonly schedules: number
  readonly cause: Cause.Cause<unknown>
}> {
  override get message(): string {
    const { cause, reason, schedule, trace } = this
    const replay = `TestHeap.replay(program, ${JSON.stringify(schedule)})`
    switch (reason) {
      case "Malformed":
        return `${JSON.stringify(schedule)} is not a schedule: take the one that explore reports`
      case "NonDeterminism":
        return `The program is not deterministic. Under the schedule ${JSON.stringify(schedule)}, ${summary(cause)}. ` +
          "Look for random numbers, real clocks, and variables that outlive a run"
      default:
        return `${trace}: ${summary(cause)}\nRepeat it with ${replay}`
    }
  }
}

const summary = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : Cause.pretty(cause)
}

/**
 * Describes the options of {@link explore}.
 *
 * **Details**
 *
 * - `maxSchedules`: how many schedules to run at most. The default is 10,000.
 * - `seed`: decides which schedules run if there are more. The default is 0.
 * - `lateUnregister`: whether the clean-up of a collected target may run even after
 *   `unregister`, as some engines do. The default is `false`.
 * - `timeout`: how long a run may wait in real time without any progress. The default
 *   is 5 seconds.
 *
 * @see {@link explore} for how to use them
 *
 * @category models
 * @stability experimental
 * @since 0.1.0
 */
export interface ExploreOptions {
  readonly maxSchedules?: number | undefined
  readonly seed?: string | number | undefined
  readonly lateUnregister?: boolean | undefined
  readonly timeout?: Duration.Input | undefined
}

/**
 * Runs a program once for every way in which the targets it named with
 * {@link mayCollect} could die, and fails if it fails under any of them.
 *
 * **When to use**
 *
 * Use to find the moment at which a collection breaks a program, or to show that
 * there is none.
 *
 * **Details**
 *
 * A schedule says which targets die, before which read, and which clean-ups run
 * after which turn: early, late, in any order, one at a time, or never. Choices
 * exist only if the program can tell them apart: at the first `deref` of a released
 * target in a turn, and between two turns if a clean-up waits. A turn ends when the
 * program yields (`Effect.yieldNow`, {@link turn}), and at any asynchronous step.
 * What a turn has dereferenced lives to its end. Fibers interleave as Effect
 * schedules them. The error of a clean-up that throws fails the run.
 *
 * Each run has a new heap and a new Scope. Schedules with fewer events run first, so
 * the schedule in the error is a shortest one. If there are more than `maxSchedules`
 * schedules, about half of the runs are a random sample, and `exhaustive` is `false`.
 * Cost: a run of the program for each schedule, and 0.1 to 0.8 ms.
 *
 * Fails with {@link ScheduleError}, never with the program's own error. Dies with a
 * `TypeError` if an option is wrong.
 *
 * **Gotchas**
 *
 * The program must do the same in each run, apart from what the heap does. Create
 * what it changes inside of it. In code that does not use Effect, a new turn is
 * noticed when the code first uses a weak primitive. A key in the program's hands is
 * alive: to look it up in a `WeakMap` is no choice.
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
 * **Example** (Showing that there is none)
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
 * explored // => { schedules: 2, exhaustive: true }
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
      const { exhaustive, schedules } = result
      return Effect.succeed({ schedules, exhaustive })
    })
  )

/**
 * Runs a program under the schedule that {@link explore} reported, with the
 * program's own result.
 *
 * **When to use**
 *
 * Use to debug a failure that `explore` has found, and as a test that it stays
 * fixed for as long as the program makes the same choices.
 *
 * **Details**
 *
 * Fails with `ScheduleError` if the text is no schedule, if the program does not end,
 * or if it does not come to the choices that the schedule names. The schedule says
 * itself whether it needs `lateUnregister`. Cost: one run of the program.
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
 * @see {@link explore} for how to find the schedule
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
    const parsed = Schedule.parse(schedule)
    if (parsed === undefined) {
      const cause = Cause.die(new Error("malformed schedule"))
      return Effect.fail(new ScheduleError({ reason: "Malformed", schedule, trace: "", schedules: 0, cause }))
    }
    const { lateUnregister } = parsed
    return Effect.flatMap(
      Explorer.replay(ofRun(program), parsed, settingsOf({ lateUnregister })),
      (result): Effect.Effect<A, E | ScheduleError> =>
        Exit.isExit(result) ? result : Effect.fail(errorOf({ ...result, schedule }))
    )
  })

// Each run provides its own heap and its own Scope.
const ofRun = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  program as Effect.Effect<A, E, Exclude<R, TestHeap | Scope.Scope>>

const errorOf = ({ cause, reason, schedule, schedules, trace }: Explorer.Failed): ScheduleError =>
  new ScheduleError({ reason, schedule, trace, schedules, cause })

const settingsOf = (options: ExploreOptions | undefined): Explorer.Settings => {
  const { lateUnregister = false, maxSchedules = 10_000, seed = 0, timeout = "5 seconds" } = options ?? {}
  const refuse = (option: string, wanted: string, value: unknown): never => {
    throw new TypeError(`TestHeap.explore: ${option} must be ${wanted}, but it is ${String(value)}`)
  }
  if (!Number.isSafeInteger(maxSchedules) || maxSchedules < 1) {
    refuse("maxSchedules", "a positive integer", maxSchedules)
  }
  if (typeof seed !== "string" && typeof seed !== "number") refuse("seed", "a string or a number", seed)
  if (typeof lateUnregister !== "boolean") refuse("lateUnregister", "a boolean", lateUnregister)
  const millis = Option.match(Duration.fromInput(timeout), { onNone: () => 0, onSome: Duration.toMillis })
  // Timers take no more than 31 bits.
  if (!(millis > 0 && millis < 2 ** 31)) refuse("timeout", "a positive duration of less than 24 days", timeout)
  return {
    maxSchedules,
    seed,
    lateUnregister,
    timeout: millis,
    services: (collector) => contextOf(makeExploredService(collector))
  }
}

/**
 * Puts the heap's constructors in place of `WeakRef`, `WeakMap` and
 * `FinalizationRegistry` of an object, until the Scope closes.
 *
 * **When to use**
 *
 * Use for code that does not use Effect and reads the globals. The default object
 * is `globalThis`.
 *
 * **Details**
 *
 * When the Scope closes, the object's own properties are exactly what they were,
 * with their attributes. Dies with a `TypeError` if a property cannot be replaced,
 * and then replaces none. Cost: O(1).
 *
 * **Gotchas**
 *
 * Code that has read a global before, for example when its module was loaded, keeps
 * what it has read: load the module after `install`. All code of the process sees
 * the replaced globals, so nothing else should run at the same time. `WeakSet` stays
 * the host's.
 *
 * **Example** (Collecting what plain code refers to)
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
      Effect.sync(() => {
        if (Object(target) !== target) throw new TypeError("TestHeap.install: the target must be an object")
        const saved = installed.map((name) => [name, Reflect.getOwnPropertyDescriptor(target, name)] as const)
        for (const [name, descriptor] of saved) {
          if (descriptor === undefined ? !Object.isExtensible(target) : !descriptor.configurable) {
            throw new TypeError(`TestHeap.install: cannot replace the property ${name} of the object`)
          }
        }
        for (const name of installed) {
          const value = heap[name]
          Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true })
        }
        return saved
      }),
      (saved) =>
        Effect.sync(() => {
          for (const [name, descriptor] of saved) {
            if (descriptor === undefined) Reflect.deleteProperty(target, name)
            else Object.defineProperty(target, name, descriptor)
          }
        })
    )))

const installed = ["WeakRef", "WeakMap", "FinalizationRegistry"] as const
