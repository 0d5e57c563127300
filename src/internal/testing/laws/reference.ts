/** The laws of weak references. */
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as fc from "fast-check"
import type { Heap } from "../../../Heap.ts"
import * as Arbitraries from "../../../testing/Arbitraries.ts"
import { equals, hash } from "./equality.ts"
import { keepsNothingAlive } from "./hostHeap.ts"
import { type Check, check, type Trace } from "./law.ts"
import { makeCollector, seeds } from "./tracedHeap.ts"

interface Reference<A> {
  deref(): A | undefined | Option.Option<A>
}

type Make<A extends WeakKey> = (heap: Heap) => (referent: A) => Reference<A>

const distinct = <A extends WeakKey>(trace: Trace, referents: ReadonlyArray<A>): ReadonlyArray<A> => {
  const unique = Array.from(new Set(referents))
  unique.forEach((referent, index) => trace.declare(referent, `referent${index}`))
  return unique
}

const dereference = <A>(reference: Reference<A>): A | undefined => {
  const value = reference.deref()
  return Option.isOption(value) ? Option.getOrUndefined(value) : value
}

export const laws = <A extends WeakKey>(make: Make<A>, referents: fc.Arbitrary<A>): ReadonlyArray<Check> => {
  const pool = fc.array(referents, { minLength: 1, maxLength: 3 })
  const setUp = (trace: Trace, seed: number, values: ReadonlyArray<A>) => {
    const collector = makeCollector(seed)
    const targets = distinct(trace, values)
    const construct = trace.step("const refer = make(heap)", () => make(collector.heap))
    const refer = (referent: A, name: string): Reference<A> =>
      trace.name(trace.step(`const ${name} = refer(${trace.show(referent)})`, () => construct(referent)), name)
    return {
      collector,
      refer,
      read: (reference: Reference<A>) => trace.step(`${trace.show(reference)}.deref()`, () => dereference(reference)),
      expect: (reference: Reference<A>, expected: A | undefined) =>
        trace.expect(`${trace.show(reference)}.deref()`, () => dereference(reference), expected),
      targets
    }
  }

  return [
    check(
      "reference: dereferences to its referent while it is alive",
      fc.tuple(seeds, pool, Arbitraries.scripts({ deref: [fc.nat({ max: 2 })] }, { targets: 3, maxLength: 8 })),
      async (trace, [seed, values, script]) => {
        const { collector, expect, refer, targets } = setUp(trace, seed, values)
        const references = targets.map((target, index) => refer(target, `reference${index}`))
        const alive = new Set(targets)
        const expectAlive = (target: A, index: number) => alive.has(target) && expect(references[index]!, target)
        for (const { args, name } of script) {
          const indices: ReadonlyArray<number> = args
          const chosen = targets.filter((target, index) => indices.includes(index) && alive.has(target))
          if (name === "finalize") await collector.finalize(trace)
          else if (name === "deref") chosen.forEach((target) => expectAlive(target, targets.indexOf(target)))
          else if (chosen.length > 0) {
            collector.collect(trace, chosen)
            chosen.forEach((target) => alive.delete(target))
          }
        }
        targets.forEach(expectAlive)
      }
    ),
    check(
      "reference: dereferences to nothing after collection",
      fc.tuple(seeds, pool, fc.boolean(), fc.boolean()),
      async (trace, [seed, values, readBefore, finalize]) => {
        const { collector, expect, read, refer, targets } = setUp(trace, seed, values)
        const references = targets.map((target, index) => refer(target, `reference${index}`))
        if (readBefore) references.forEach(read)
        collector.collect(trace, targets)
        if (finalize) await collector.finalize(trace)
        references.forEach((reference) => expect(reference, undefined))
      }
    ),
    check(
      "reference: stays dead",
      fc.tuple(seeds, pool, Arbitraries.scripts({ deref: [] }, { targets: 2, maxLength: 8 })),
      async (trace, [seed, values, script]) => {
        const { collector, expect, read, refer, targets } = setUp(trace, seed, values)
        // The death of another referent must not revive the first one.
        const reference = targets.map((target, index) => refer(target, `reference${index}`))[0]!
        collector.collect(trace, [targets[0]!])
        // Another law checks that the first read returns nothing.
        if (read(reference) !== undefined) return
        for (const { args, name } of script) {
          const indices: ReadonlyArray<number> = args
          const others = targets.slice(1).filter((_, index) => indices.includes(index))
          if (name === "finalize") await collector.finalize(trace)
          else if (name === "deref") expect(reference, undefined)
          else if (others.length > 0) collector.collect(trace, others)
        }
        expect(reference, undefined)
      }
    ),
    check(
      "reference: a new reference does not revive an old one",
      fc.tuple(seeds, referents),
      async (trace, [seed, value]) => {
        const { collector, expect, refer, targets } = setUp(trace, seed, [value])
        const target = targets[0]!
        const old = refer(target, "old")
        collector.collect(trace, [target])
        // Runs the clean-ups, because another law checks that the reference is dead without them.
        await collector.finalize(trace)
        trace.note(`// ${trace.show(target)} is used again, as a new object`)
        const young = refer(target, "young")
        expect(young, target)
        expect(old, undefined)
      }
    ),
    check(
      "reference: equal references have equal referents and hashes",
      fc.tuple(seeds, pool),
      (trace, [seed, values]) => {
        const { refer, targets } = setUp(trace, seed, values)
        // Makes a second reference to the first referent, so that equal references occur.
        const referred = [targets[0]!, ...targets]
        const references = referred.map((target, index) => refer(target, `reference${index}`))
        references.forEach((a, i) =>
          references.forEach((b, j) => {
            if (!Equal.isEqual(a)) return
            const step = `equals(${trace.show(a)}, ${trace.show(b)})`
            if (!trace.quietly(step, () => equals(a, b))) return
            const hashes = [a, b].map((c) => trace.quietly(`hash(${trace.show(c)})`, () => hash(c)))
            if (equals(referred[i], referred[j]) && hashes[0] === hashes[1]) return
            trace.note(step)
            throw trace.violation(
              `returned true, the referents are ${
                equals(referred[i], referred[j]) ? "equal" : "not equal"
              } and the hashes ${hashes[0]} and ${hashes[1]}`
            )
          })
        )
      }
    ),
    keepsNothingAlive("reference: does not keep its referent alive", "referent", (heap, count, seed) => {
      const construct = make(heap)
      const dropped = fc.sample(referents, { numRuns: count, seed })
      const references = dropped.map((referent) => construct(referent))
      // A structure can keep what it has returned last.
      references.forEach(dereference)
      return { subject: [construct, references], dropped }
    })
  ]
}
