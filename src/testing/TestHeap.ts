/**
 * A heap that a test collects by hand.
 *
 * On a real heap nobody can say when a value is collected. On a `TestHeap` the
 * test does: {@link collect} kills all references to its targets at once,
 * {@link finalize} runs what waits for it, and nothing is collected otherwise.
 * The two are apart because engines keep them apart: reachable, collected,
 * finalized. The code under test is not changed: every effectful constructor
 * reads its weak primitives from the `Heap` service, which {@link layer}
 * replaces together with this one.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isPromiseLike } from "effect/Predicate"
import * as Random from "effect/Random"
import { Heap, isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"

/**
 * The service: a heap, and the two steps of a collection.
 *
 * @category models
 * @since 0.1.0
 */
export class TestHeap extends Context.Service<TestHeap, {
  readonly heap: Heap
  readonly collect: (targets: ReadonlyArray<WeakKey>) => Effect.Effect<void>
  readonly finalize: Effect.Effect<void>
  readonly pending: Effect.Effect<number>
}>()("effect-weakref/testing/TestHeap") {}

/**
 * Creates a test heap. The seed decides in which order the queued clean-ups run.
 *
 * **Example** (A heap for synchronous code)
 *
 * ```ts import.meta.vitest
 * import { Effect, Option } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const { collect, heap } = TestHeap.makeUnsafe()
 * const target = {}
 * const ref = WeakRef.makeUnsafe(target, heap)
 * Effect.runSync(collect([target]))
 * WeakRef.deref(ref) // => Option.none()
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = (options?: { readonly seed?: string | number | undefined }): TestHeap["Service"] => {
  /** How often a value was collected: whatever refers to an earlier life of it is dead. */
  const lives = new WeakMap<WeakKey, number>()
  const lifeOf = (target: WeakKey): number => lives.get(target) ?? 0
  const registrations = new WeakMap<WeakKey, Set<Registration>>()
  const queue = new Set<Registration>()

  class TestWeakRef<A extends WeakKey> {
    readonly [Symbol.toStringTag] = "WeakRef"
    readonly #target: A
    readonly #life: number
    constructor(target: A) {
      this.#target = check(target)
      this.#life = lifeOf(target)
    }
    deref(): A | undefined {
      return this.#life === lifeOf(this.#target) ? this.#target : undefined
    }
  }

  class TestWeakMap<K extends WeakKey, V> {
    readonly [Symbol.toStringTag] = "WeakMap"
    readonly #entries = new WeakMap<K, { readonly life: number; readonly value: V }>()
    constructor(entries?: Iterable<readonly [K, V]> | null) {
      for (const [key, value] of entries ?? []) this.set(key, value)
    }
    get(key: K): V | undefined {
      return this.has(key) ? this.#entries.get(key)!.value : undefined
    }
    has(key: K): boolean {
      return this.#entries.get(key)?.life === lifeOf(key)
    }
    set(key: K, value: V): this {
      this.#entries.set(key, { life: lifeOf(key), value })
      return this
    }
    delete(key: K): boolean {
      return this.has(key) && this.#entries.delete(key)
    }
    getOrInsert(key: K, value: V): V {
      return this.getOrInsertComputed(key, () => value)
    }
    getOrInsertComputed(key: K, value: (key: K) => V): V {
      if (!this.has(key)) this.set(key, value(key))
      return this.#entries.get(key)!.value
    }
  }

  class TestFinalizationRegistry<T> {
    readonly [Symbol.toStringTag] = "FinalizationRegistry"
    readonly #cleanup: (held: T) => unknown
    readonly #byToken = new WeakMap<WeakKey, Set<Registration>>()
    constructor(cleanup: (held: T) => unknown) {
      this.#cleanup = cleanup
    }
    register(target: WeakKey, held: T, token?: WeakKey): void {
      const registration: Registration = { target: check(target), cleanup: () => this.#cleanup(held) }
      getOrSet(registrations, target).add(registration)
      if (token !== undefined) getOrSet(this.#byToken, token).add(registration)
    }
    unregister(token: WeakKey): boolean {
      let found = false
      for (const registration of this.#byToken.get(token) ?? []) {
        found = registrations.get(registration.target)?.delete(registration) || found
        found = queue.delete(registration) || found
      }
      this.#byToken.delete(token)
      return found
    }
  }

  const collect = (targets: ReadonlyArray<WeakKey>): Effect.Effect<void> =>
    Effect.sync(() => {
      for (const target of targets) {
        if (!isWeakReferenceable(target)) throw new NotWeakReferenceableError({ value: target })
      }
      for (const target of new Set(targets)) {
        lives.set(target, lifeOf(target) + 1)
        for (const registration of registrations.get(target) ?? []) queue.add(registration)
        registrations.delete(target)
      }
    })

  const seed = options?.seed ?? 0
  let round = 0

  const finalize: Effect.Effect<void> = Effect.gen(function*() {
    const failures: Array<unknown> = []
    while (queue.size > 0) {
      const shuffled = yield* Random.withSeed(Random.shuffle(queue), `${seed}/${round++}`)
      const started: Array<PromiseLike<unknown>> = []
      for (const registration of shuffled) {
        // A clean-up may have unregistered this one, or throw: neither stops the next.
        if (!queue.delete(registration)) continue
        try {
          const result = registration.cleanup()
          if (isPromiseLike(result)) started.push(result)
        } catch (error) {
          failures.push(error)
        }
      }
      if (started.length > 0) yield* Effect.promise(() => Promise.all(started))
    }
    if (failures.length > 0) return yield* Effect.die(failures[0])
  })

  return {
    heap: { WeakRef: TestWeakRef, WeakMap: TestWeakMap, FinalizationRegistry: TestFinalizationRegistry },
    collect,
    finalize,
    pending: Effect.sync(() => queue.size)
  }
}

interface Registration {
  readonly target: WeakKey
  readonly cleanup: () => unknown
}

/** What the engine's constructors refuse, in the way they do. */
const check = <A extends WeakKey>(target: A): A => {
  if (!isWeakReferenceable(target)) throw new TypeError("Invalid weak reference target")
  return target
}

const getOrSet = (map: WeakMap<WeakKey, Set<Registration>>, key: WeakKey): Set<Registration> => {
  let set = map.get(key)
  if (set === undefined) map.set(key, set = new Set())
  return set
}

/**
 * A test heap in the place of the host's: provides {@link TestHeap} and replaces
 * `Heap`, with a seed that you choose.
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
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (options: { readonly seed: string | number }): Layer.Layer<TestHeap> =>
  Layer.effectContext(Effect.sync(() => {
    const testHeap = makeUnsafe(options)
    return Context.make(TestHeap, testHeap).pipe(Context.add(Heap, testHeap.heap))
  }))

/**
 * A test heap in the place of the host's: provides {@link TestHeap} and replaces
 * `Heap`.
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
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<TestHeap> = /*#__PURE__*/ layerWith({ seed: 0 })

/**
 * Collects the targets: all references to all of them are dead at once, weak
 * table entries keyed by them are gone, and their clean-ups wait for
 * {@link finalize}.
 *
 * **Details**
 *
 * Whether the program still holds a target makes no difference: the test says
 * that it does not. A target that is used again afterwards is like a new object
 * at the same place. Dies with `NotWeakReferenceableError` where a target could
 * not be a referent.
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
 * @category operations
 * @since 0.1.0
 */
export const collect = (...targets: ReadonlyArray<WeakKey>): Effect.Effect<void, never, TestHeap> =>
  Effect.flatMap(TestHeap, (testHeap) => testHeap.collect(targets))

/**
 * Runs the queued clean-ups, in an order that the seed decides, and waits until
 * what they started has ended: callbacks, finalizers, and the promises that a
 * clean-up of your own returned. Those queued meanwhile run too. A clean-up that
 * throws does not stop the next; its error is a defect at the end.
 *
 * @category operations
 * @since 0.1.0
 */
export const finalize: Effect.Effect<void, never, TestHeap> = /*#__PURE__*/ Effect.flatMap(
  TestHeap,
  (testHeap) => testHeap.finalize
)

/**
 * {@link collect}, then {@link finalize}.
 *
 * @category operations
 * @since 0.1.0
 */
export const collectAndFinalize = (...targets: ReadonlyArray<WeakKey>): Effect.Effect<void, never, TestHeap> =>
  Effect.andThen(collect(...targets), finalize)

/**
 * How many clean-ups wait for {@link finalize}.
 *
 * @category getters
 * @since 0.1.0
 */
export const pending: Effect.Effect<number, never, TestHeap> = /*#__PURE__*/ Effect.flatMap(
  TestHeap,
  (testHeap) => testHeap.pending
)
