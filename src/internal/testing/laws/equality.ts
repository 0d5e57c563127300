/** The laws of equality and hashing. */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as fc from "fast-check"
import { type Heap, isWeakReferenceable } from "../../../Heap.ts"
import { makeCollector, seeds } from "./collector.ts"
import { type Check, check, type Trace } from "./law.ts"

/** `Equal.equals` remembers answers and compares hashes first, which would hide what the laws look for. */
export const equals = (a: unknown, b: unknown): boolean =>
  Equal.isEqual(a) && Equal.isEqual(b) ? a[Equal.symbol](b) : Equal.equals(a, b)

/** `Hash.hash` can remember an answer too. */
export const hash = (a: unknown): number => Hash.isHash(a) ? a[Hash.symbol]() : Hash.hash(a)

export const laws = <A>(
  make: (heap: Heap) => (input: A) => unknown,
  arbitrary: fc.Arbitrary<A>
): ReadonlyArray<Check> => {
  /** Makes a value of each input, and two of the first, so that equal values occur. */
  const law = (
    name: string,
    holds: (context: {
      readonly trace: Trace
      readonly values: ReadonlyArray<unknown>
      readonly collect: () => void
      readonly same: (a: unknown, b: unknown) => boolean
      readonly hashOf: (a: unknown) => number
    }) => void
  ) =>
    check(name, fc.tuple(fc.array(arbitrary, { minLength: 1, maxLength: 3 }), seeds), (trace, [inputs, seed]) => {
      const collector = makeCollector(seed)
      const construct = trace.step("make(heap)", () => make(collector.heap))
      inputs.forEach((input, index) => isWeakReferenceable(input) && trace.name(input, `input${index}`))
      const values = [0, ...inputs.keys()].map((input, index) =>
        trace.name(
          trace.step(
            `const value${index} = make(heap)(input${input}) where input${input} = ${fc.stringify(inputs[input])}`,
            () => construct(inputs[input]!)
          ),
          `value${index}`
        )
      )
      holds({
        trace,
        values,
        collect: () => collector.collect(trace, (inputs as ReadonlyArray<unknown>).filter(isWeakReferenceable)),
        same: (a, b) => trace.step(`equals(${trace.show(a)}, ${trace.show(b)})`, () => equals(a, b)),
        hashOf: (a) => trace.step(`hash(${trace.show(a)})`, () => hash(a))
      })
    })

  return [
    law("equality: is reflexive", ({ same, trace, values }) => {
      for (const a of values) if (!same(a, a)) throw trace.violation("returned false")
    }),
    law("equality: is symmetric", ({ same, trace, values }) => {
      for (const a of values) {
        for (const b of values) {
          const expected = same(a, b)
          if (same(b, a) !== expected) throw trace.violation(`returned ${!expected}, the reverse ${expected}`)
        }
      }
    }),
    law("equality: is transitive", ({ same, trace, values }) => {
      for (const a of values) {
        for (const b of values) {
          if (a === b || !same(a, b)) continue
          for (const c of values) {
            // Identical values are the matter of reflexivity.
            if (c !== a && c !== b && same(b, c) && !same(a, c)) throw trace.violation("returned false")
          }
        }
      }
    }),
    law("equality: equal values have equal hashes", ({ hashOf, same, trace, values }) => {
      for (const a of values) {
        for (const b of values) {
          if (!same(a, b)) continue
          const expected = hashOf(a)
          const actual = hashOf(b)
          if (actual !== expected) throw trace.violation(`returned ${actual}, expected ${expected}`)
        }
      }
    }),
    law("equality: is stable after death", ({ collect, hashOf, same, trace, values }) => {
      const hashes = values.map(hashOf)
      const equalities = values.map((a) => values.map((b) => same(a, b)))
      const reflexive = values.map((a, i) => equalities[i]![values.indexOf(a)])
      collect()
      values.forEach((a, i) => {
        const actual = hashOf(a)
        if (actual !== hashes[i]) throw trace.violation(`returned ${actual}, before the collection ${hashes[i]}`)
        values.forEach((b, j) => {
          const actual = same(a, b)
          if (actual && !equalities[i]![j]) throw trace.violation("returned true, before the collection false")
          if (!actual && a === b && reflexive[i]) throw trace.violation("returned false, before the collection true")
        })
      })
    })
  ]
}
