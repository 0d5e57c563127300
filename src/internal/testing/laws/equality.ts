/** The laws of equality and hashing. */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as fc from "fast-check"
import { type Heap, isWeakReferenceable } from "../../../Heap.ts"
import { type Check, check, type Trace } from "./law.ts"
import { makeCollector, seeds } from "./tracedHeap.ts"

/** Calls the method directly. `Equal.equals` caches results and compares hashes first, and both hide broken laws. */
export const equals = (a: unknown, b: unknown): boolean =>
  Equal.isEqual(a) && Equal.isEqual(b) ? a[Equal.symbol](b) : Equal.equals(a, b)

/** Calls the method directly, because `Hash.hash` can cache a result. */
export const hash = (a: unknown): number => Hash.isHash(a) ? a[Hash.symbol]() : Hash.hash(a)

interface Context {
  readonly trace: Trace
  readonly values: ReadonlyArray<unknown>
  readonly collect: () => void
  readonly same: (a: unknown, b: unknown) => boolean
  readonly hashOf: (a: unknown) => number
  /** Returns the error of a broken law. The last step broke the law. The earlier steps led to it. */
  readonly violation: (steps: ReadonlyArray<readonly [step: string, result: unknown]>) => Error
  readonly equalsStep: (a: unknown, b: unknown) => string
  readonly hashStep: (a: unknown) => string
}

export const laws = <A>(
  make: (heap: Heap) => (input: A) => unknown,
  arbitrary: fc.Arbitrary<A>
): ReadonlyArray<Check> => {
  /** Makes a value from each input, and two from the first input, so that equal values occur. */
  const law = (name: string, holds: (context: Context) => void) =>
    check(name, fc.tuple(fc.array(arbitrary, { minLength: 1, maxLength: 3 }), seeds), (trace, [inputs, seed]) => {
      const collector = makeCollector(seed)
      inputs.forEach((input, index) => trace.declare(input, `input${index}`))
      const construct = trace.step("const construct = make(heap)", () => make(collector.heap))
      const values = [0, ...inputs.keys()].map((input, index) =>
        trace.name(
          trace.step(`const value${index} = construct(input${input})`, () => construct(inputs[input]!)),
          `value${index}`
        )
      )
      const equalsStep = (a: unknown, b: unknown) => `equals(${trace.show(a)}, ${trace.show(b)})`
      const hashStep = (a: unknown) => `hash(${trace.show(a)})`
      holds({
        trace,
        values,
        equalsStep,
        hashStep,
        collect: () => collector.collect(trace, Array.from<unknown>(inputs).filter(isWeakReferenceable)),
        same: (a, b) => trace.quietly(equalsStep(a, b), () => equals(a, b)),
        hashOf: (a) => trace.quietly(hashStep(a), () => hash(a)),
        violation: (steps) => {
          const last = steps.at(-1)!
          steps.slice(0, -1).forEach(([step, result]) => trace.note(`${step} // returned ${result}`))
          trace.note(last[0])
          return trace.violation(`returned ${last[1]}`)
        }
      })
    })

  return [
    law("equality: is reflexive", ({ equalsStep, same, values, violation }) => {
      for (const a of values) if (!same(a, a)) throw violation([[equalsStep(a, a), false]])
    }),
    law("equality: is symmetric", ({ equalsStep, same, values, violation }) => {
      for (const a of values) {
        for (const b of values) {
          if (same(a, b) && !same(b, a)) throw violation([[equalsStep(a, b), true], [equalsStep(b, a), false]])
        }
      }
    }),
    law("equality: is transitive", ({ equalsStep, same, values, violation }) => {
      for (const a of values) {
        for (const b of values) {
          if (a === b || !same(a, b)) continue
          for (const c of values) {
            // The law of reflexivity checks identical values.
            if (c === a || c === b || !same(b, c) || same(a, c)) continue
            throw violation([[equalsStep(a, b), true], [equalsStep(b, c), true], [equalsStep(a, c), false]])
          }
        }
      }
    }),
    law("equality: equal values have equal hashes", ({ equalsStep, hashOf, hashStep, same, values, violation }) => {
      for (const a of values) {
        for (const b of values) {
          if (!same(a, b)) continue
          const hashes = [hashOf(a), hashOf(b)]
          if (hashes[0] !== hashes[1]) {
            throw violation([[equalsStep(a, b), true], [hashStep(a), hashes[0]], [hashStep(b), hashes[1]]])
          }
        }
      }
    }),
    law("equality: is stable after death", ({ collect, equalsStep, hashOf, hashStep, same, trace, values }) => {
      const hashes = values.map(hashOf)
      const equalities = values.map((a) => values.map((b) => same(a, b)))
      collect()
      const expectSame = (step: string, actual: unknown, before: unknown) => {
        if (actual === before) return
        trace.note(step)
        throw trace.violation(`returned ${actual}, before the collection ${before}`)
      }
      values.forEach((a, i) => {
        expectSame(hashStep(a), hashOf(a), hashes[i])
        values.forEach((b, j) => {
          const actual = same(a, b)
          const before = equalities[i]![j]
          // Two values may become unequal, because a dead reference may be equal only to itself.
          if (actual || a === b) expectSame(equalsStep(a, b), actual, before)
        })
      })
    })
  ]
}
