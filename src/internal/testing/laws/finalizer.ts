/** The laws of finalizers. */
import * as fc from "fast-check"
import type { Heap } from "../../../Heap.ts"
import * as Arbitraries from "../../../testing/Arbitraries.ts"
import { keepsNothingAlive, leavesNothingBehind } from "./hostHeap.ts"
import { type Check, check, type Trace } from "./law.ts"
import { makeCollector, seeds } from "./tracedHeap.ts"

type Register<A> = (target: A, callback: () => void) => () => void

interface Registration {
  readonly name: string
  readonly unregister: () => void
  readonly runs: () => number
}

export const laws = <A extends WeakKey>(
  make: (heap: Heap) => Register<A>,
  referents: fc.Arbitrary<A>
): ReadonlyArray<Check> => {
  const setUp = (trace: Trace, seed: number, values: ReadonlyArray<A>) => {
    const collector = makeCollector(seed)
    const targets = Array.from(new Set(values))
    targets.forEach((target, index) => trace.declare(target, `target${index}`))
    const register = trace.step("const register = make(heap)", () => make(collector.heap))
    return {
      collector,
      targets,
      /** Registers one callback several times. */
      registerAgain: (name: string) => {
        let runs = 0
        const callback = () => void runs++
        return {
          name,
          runs: () => runs,
          register: (target: A) =>
            void trace.step(`register(${trace.show(target)}, ${name})`, () => register(target, callback))
        }
      },
      register: (target: A, name: string): Registration => {
        let runs = 0
        const unregister = trace.step(
          `const unregister_${name} = register(${trace.show(target)}, ${name})`,
          () => register(target, () => void runs++)
        )
        return {
          name,
          unregister: () => trace.step(`unregister_${name}()`, unregister),
          runs: () => runs
        }
      },
      expectRuns: ({ name, runs }: Pick<Registration, "name" | "runs">, least: number, most: number) => {
        const expected = Math.max(least, Math.min(runs(), most))
        if (runs() !== expected) throw trace.violation(`${name} ${times(runs())}, expected that it ${times(expected)}`)
      }
    }
  }

  const pool = (minLength: number) => fc.array(referents, { minLength, maxLength: 3 })

  return [
    check("finalizer: runs after its target is collected", fc.tuple(seeds, pool(1)), async (trace, [seed, values]) => {
      const { collector, expectRuns, register, targets } = setUp(trace, seed, values)
      const registrations = targets.map((target, index) => register(target, `callback${index}`))
      // Collects in the order of registration, because another law checks other orders.
      for (const [index, target] of targets.entries()) {
        collector.collect(trace, [target])
        await collector.finalize(trace)
        expectRuns(registrations[index]!, 1, Infinity)
      }
    }),
    check(
      "finalizer: runs at most once",
      fc.tuple(seeds, pool(1), Arbitraries.scripts({ unregister: [fc.nat({ max: 2 })] }, { targets: 3, maxLength: 8 })),
      async (trace, [seed, values, script]) => {
        const { collector, expectRuns, register, targets } = setUp(trace, seed, values)
        const registrations = targets.map((target, index) => register(target, `callback${index}`))
        const expectOnce = (registration: Registration) => expectRuns(registration, 0, 1)
        const collected = new Set<number>()
        for (const { args, name } of script) {
          const indices = args.filter((index: number) => index < targets.length)
          if (name === "finalize") await collector.finalize(trace)
          else if (name === "collect") {
            indices.forEach((index) => collected.add(index))
            if (indices.length > 0) collector.collect(trace, indices.map((index) => targets[index]!))
          } else {
            // The callback may run after a registration that ended late, but only once.
            indices.forEach((index) => collected.has(index) && registrations[index]!.unregister())
          }
          registrations.forEach(expectOnce)
        }
        collector.collect(trace, targets)
        await collector.finalize(trace)
        registrations.forEach(expectOnce)
      }
    ),
    check(
      "finalizer: does not run before its target is collected",
      fc.tuple(seeds, pool(2), Arbitraries.scripts({}, { targets: 3, maxLength: 8 })),
      async (trace, [seed, values, script]) => {
        const { collector, expectRuns, register, targets } = setUp(trace, seed, values)
        const registrations = targets.map((target, index) => register(target, `callback${index}`))
        const collected = new Set<number>()
        for (const { args, name } of [...script, { name: "finalize", args: [] } as const]) {
          if (name === "finalize") await collector.finalize(trace)
          else {
            const indices = args.filter((index) => index < targets.length)
            indices.forEach((index) => collected.add(index))
            if (indices.length > 0) collector.collect(trace, indices.map((index) => targets[index]!))
          }
          registrations.forEach((registration, index) => collected.has(index) || expectRuns(registration, 0, 0))
        }
      }
    ),
    check(
      "finalizer: does not run after its registration ended",
      fc.tuple(seeds, referents, fc.boolean()),
      async (trace, [seed, value, twice]) => {
        const { collector, expectRuns, register, targets } = setUp(trace, seed, [value])
        const registration = register(targets[0]!, "callback")
        registration.unregister()
        if (twice) registration.unregister()
        collector.collect(trace, targets)
        await collector.finalize(trace)
        expectRuns(registration, 0, 0)
      }
    ),
    check(
      "finalizer: does not depend on the order of collection",
      fc.tuple(seeds, pool(2), fc.array(fc.nat({ max: 2 }), { maxLength: 3 })),
      async (trace, [seed, values, first]) => {
        const { collector, expectRuns, register, targets } = setUp(trace, seed, values)
        const registrations = targets.map((target, index) => register(target, `callback${index}`))
        const chosen = new Set(first.filter((index) => index < targets.length))
        const rest = [...targets.keys()].filter((index) => !chosen.has(index))
        for (const index of [...chosen, ...rest]) collector.collect(trace, [targets[index]!])
        await collector.finalize(trace)
        for (const registration of registrations) expectRuns(registration, 1, Infinity)
      }
    ),
    check(
      "finalizer: ending one registration leaves the others of its target",
      fc.tuple(
        seeds,
        referents,
        fc.integer({ min: 2, max: 4 }),
        fc.nat({ max: 3 }),
        fc.array(fc.nat({ max: 3 }), { maxLength: 3 })
      ),
      async (trace, [seed, value, count, chosen, again]) => {
        const { collector, expectRuns, register, targets } = setUp(trace, seed, [value])
        const registrations = Array.from({ length: count }, (_, index) => register(targets[0]!, `callback${index}`))
        const kept = registrations[chosen % count]!
        // Registrations can end twice.
        const ends = [...registrations, ...again.map((index) => registrations[index % count]!)]
        for (const registration of ends) if (registration !== kept) registration.unregister()
        collector.collect(trace, targets)
        await collector.finalize(trace)
        expectRuns(kept, 1, Infinity)
      }
    ),
    check(
      "finalizer: runs a callback once for each of its registrations",
      fc.tuple(seeds, referents, fc.integer({ min: 2, max: 3 })),
      async (trace, [seed, value, count]) => {
        const { collector, expectRuns, registerAgain, targets } = setUp(trace, seed, [value])
        const shared = registerAgain("callback")
        for (let left = count; left > 0; left--) shared.register(targets[0]!)
        collector.collect(trace, targets)
        await collector.finalize(trace)
        expectRuns(shared, count, Infinity)
      }
    ),
    keepsNothingAlive("finalizer: does not keep its target alive", "target", (heap, count, seed) => {
      const register = make(heap)
      const dropped = fc.sample(referents, { numRuns: count, seed })
      return { subject: [register, dropped.map((target) => register(target, callback))], dropped }
    }),
    leavesNothingBehind(
      "finalizer: leaves nothing behind",
      "registrations",
      ["dies", "is ended"],
      (heap, count, seed, ending) => {
        const register = make(heap)
        const targets = fc.sample(referents, { numRuns: count, seed })
        const callbacks = targets.map(makeCallback)
        const ends = targets.map((target, index) => register(target, callbacks[index]!))
        if (ending === "is ended") { for (const end of ends) end() }
        return {
          // The callbacks of ended registrations must leave even while their targets are alive.
          subject: ending === "dies" ? register : [register, targets],
          dropped: ending === "dies" ? targets : [],
          released: [...callbacks, ...ends],
          reusesReferences: true
        }
      }
    )
  ]
}

const times = (count: number): string => count === 0 ? "never ran" : count === 1 ? "ran once" : `ran ${count} times`

/** Is defined here so that it captures no target. */
const callback = (): void => {}

/** Creates a new callback, which captures no target. */
const makeCallback = () => () => {}
