import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import * as fc from "fast-check"
import type { Heap } from "../../src/Heap.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import * as Laws from "../../src/testing/Laws.ts"
import { hasMessageInStack, hasNode, isBun, skip } from "../support/host.ts"
import {
  equalityMistakes,
  equalityVariants,
  finalizerMistakes,
  finalizerVariants,
  forcesCollections,
  KeyMap,
  keyMapMistakes,
  keyMapVariants,
  laws as tableLaws,
  makeComparedReference,
  makeProxy,
  makeReference,
  makeRegister,
  ObjectMap,
  proxyMistakes,
  proxyVariants,
  proxyWithout,
  referenceMistakes,
  referenceVariants,
  setOf,
  trapNames,
  ValueMap,
  valueMapMistakes,
  valueMapVariants,
  type Variants,
  Wrapped,
  WrappedWhileAlive
} from "../support/lawSubjects.ts"

/** More programs than the default, so that no mistake can hide. A law must find its own mistake with the default number. */
const numRuns = 150

/** Asserts that a counterexample introduces no name that it does not use, and collects nothing that it has not used. */
const expectNames = ({ trace }: Laws.LawError): void => {
  const others = (line: string) => trace.filter((other) => other !== line)
  for (const line of trace) {
    const [, declared] = /^const ((?:input|referent|target|key|element)\d+) = /.exec(line) ?? []
    const collected = /^collect\((.*?)\)/.exec(line)?.[1]?.split(", ") ?? []
    for (const name of [...declared === undefined ? [] : [declared], ...collected]) {
      assert.isTrue(others(line).some((other) => new RegExp(`\\b${name}\\b`).test(other)), trace.join("\n"))
    }
  }
}

/** Returns the names of the broken laws, without the first word. */
const broken = (
  laws: ReadonlyArray<Laws.Law>,
  options: Parameters<Laws.Law["check"]>[0] = { numRuns }
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    Effect.forEach(laws, (law) => Effect.result(law.check(options)), { concurrency: "unbounded" }),
    (results) =>
      results.flatMap((result) => {
        if (result._tag === "Success") return []
        expectNames(result.failure)
        return [result.failure.law.replace(/^\w+: /, "")]
      })
  )

/** Returns the names of the broken laws among those that force no collections. */
const brokenQuickly = (laws: ReadonlyArray<Laws.Law>): Effect.Effect<ReadonlyArray<string>> =>
  broken(laws.filter((law) => !forcesCollections(law)))

/**
 * Tests that each mistake breaks its law and no other, and that each law has a mistake that breaks it. Tests that each variant
 * breaks the law of its group with the default number of runs, under several seeds.
 */
const matrix = <Subject>(options: {
  readonly laws: (subject: Subject) => ReadonlyArray<Laws.Law>
  readonly correct: Readonly<Record<string, Subject>>
  readonly mistakes: Readonly<Record<string, Subject>>
  readonly variants: Variants<Subject>
  /** Returns a pattern for the law that a mistake breaks. */
  readonly lawOf?: (mistake: string) => RegExp
}): void => {
  const { correct, laws, lawOf = (mistake) => new RegExp(`^${mistake}$`), mistakes, variants } = options
  const shortName = ({ name }: Laws.Law) => name.replace(/^\w+: /, "")
  const quick = (subject: Subject) => laws(subject).filter((law) => !forcesCollections(law))
  const slow = (subject: Subject) => laws(subject).filter(forcesCollections)
  for (const [name, subject] of Object.entries(correct)) {
    it.effect(`holds for ${name}`, () =>
      Effect.map(broken(quick(subject)), (names) => assert.deepStrictEqual(names, [])))
    if (slow(subject).length === 0) continue
    it.effect(`holds for ${name}, with forced collections`, () =>
      Effect.map(broken(slow(subject)), (names) => assert.deepStrictEqual(names, [])))
  }
  for (const [mistake, subject] of Object.entries(mistakes)) {
    const isBroken = (law: Laws.Law) => lawOf(mistake).test(shortName(law))
    const expect = (laws: ReadonlyArray<Laws.Law>) =>
      Effect.gen(function*() {
        const [others, own] = [laws.filter((law) => !isBroken(law)), laws.filter(isBroken)]
        assert.deepStrictEqual(yield* broken(others), [])
        assert.deepStrictEqual(yield* broken(own, { seed: 1 }), own.map(shortName))
      })
    it.effect(`breaks its law and no other: ${mistake}`, () => expect(quick(subject)))
    if (slow(subject).length === 0) continue
    it.effect(`breaks its law and no other, with forced collections: ${mistake}`, () => expect(slow(subject)))
  }
  for (const [group, subjects] of Object.entries(variants)) {
    for (const [variant, subject] of Object.entries(subjects)) {
      it.effect(`finds by its law ${group}: ${variant}`, () =>
        Effect.gen(function*() {
          const found = laws(subject).filter((law) => lawOf(group).test(law.name.replace(/^\w+: /, "")))
          assert.strictEqual(found.length, 1)
          for (const seed of [1, 2]) expectNames(yield* Effect.flip(found[0]!.check({ seed })))
        }))
    }
  }
  it("has a mistake for each law", () => {
    const names = laws(Object.values(correct)[0]!).map((law) => law.name.replace(/^\w+: /, ""))
    const found = Object.keys(mistakes).map((mistake) => names.filter((name) => lawOf(mistake).test(name)))
    assert.deepStrictEqual(found.map((names) => names.length), found.map(() => 1))
    assert.sameMembers(found.flat(), names)
  })
}

const makersOf = (subjects: Readonly<Record<string, typeof KeyMap>>) =>
  Object.fromEntries(Object.entries(subjects).map(([mistake, Subject]) => [mistake, (heap: Heap) => new Subject(heap)]))

const lawOf = (mistake: string): RegExp => tableLaws[mistake as keyof typeof tableLaws]

const lawNamed = (laws: ReadonlyArray<Laws.Law>, name: string): Laws.Law => {
  const law = laws.find((law) => law.name === name)
  assert.isDefined(law, `no law ${name}`)
  return law
}

const cleanUpLaw = lawNamed(
  Laws.weakValueMap((heap) => new valueMapMistakes.cleanUp(heap)),
  "weakValueMap: a clean-up does not remove an entry that was set later"
)

describe("Law", () => {
  it("has a unique name", () => {
    const names = [
      ...Laws.equality(() => (n: number) => n, fc.nat()),
      ...Laws.reference(makeReference),
      ...Laws.proxy(makeProxy),
      ...Laws.finalizer(makeRegister),
      ...Laws.weakKeyMap((heap) => new KeyMap(heap), { ordered: true }),
      ...Laws.weakValueMap((heap) => new ValueMap(heap), { ordered: true }),
      ...Laws.weakSet((heap) => setOf(new KeyMap(heap)), { ordered: true })
    ].map((law) => law.name)
    assert.deepStrictEqual(names, Array.from(new Set(names)))
  })

  it.effect("shrinks a counterexample to a short program, and prints it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(cleanUpLaw.check({ numRuns: 1000, seed: 1 }))
      assert.strictEqual(error._tag, "LawError")
      assert.strictEqual(error.law, cleanUpLaw.name)
      assert.strictEqual(error.seed, 1)
      assert.isDefined(error.counterexample)
      assert.deepStrictEqual(error.trace.slice(0, 2), ["const subject = make(heap)", "set(\"key0\", value0)"])
      assert.isAtMost(error.trace.length, 6)
      if (hasMessageInStack) assert.match(error.stack!, /LawError: The law ".*" does not hold[^]*collect\(value0\)/)
      assert.isTrue(Object.hasOwn(error, "message"))
      assert.match(error.trace.at(-1)!, /^get\("key0"\) \/\/ returned undefined, expected value\d$/)
      assert.strictEqual(
        error.message,
        [
          `The law "${cleanUpLaw.name}" does not hold. Counterexample:`,
          "",
          ...error.trace.map((line) => `  ${line}`),
          "",
          `Replay it with check({ seed: 1, path: "${error.path}" }).`
        ].join("\n")
      )
    }))

  it.effect("replays a counterexample from its seed and path in one run", () =>
    Effect.gen(function*() {
      const { path, seed, trace } = yield* Effect.flip(cleanUpLaw.check({ numRuns: 1000 }))
      const replayed = yield* Effect.flip(cleanUpLaw.check({ numRuns: 1, seed, path }))
      assert.deepStrictEqual(replayed.trace, trace)
    }))

  it.effect("reports the step in which the implementation throws, and its error", () =>
    Effect.gen(function*() {
      const thrown = new RangeError("too many")
      const laws = Laws.weakValueMap((heap) =>
        Object.assign(new ValueMap(heap), {
          get: () => {
            throw thrown
          }
        })
      )
      const error = yield* Effect.flip(laws[0]!.check())
      assert.match(error.trace.at(-1)!, /^get\("key0"\) \/\/ threw RangeError: too many/)
      assert.strictEqual(error.cause, thrown)
    }))

  it.effect("reports a constructor that throws", () =>
    Effect.gen(function*() {
      const laws = Laws.reference(() => {
        throw new Error("no heap")
      })
      const error = yield* Effect.flip(laws[0]!.check())
      assert.match(error.trace.at(-1)!, /^const refer = make\(heap\) \/\/ threw Error: no heap/)
    }))

  it.effect("reports a clean-up that throws", () =>
    Effect.gen(function*() {
      const laws = Laws.finalizer((heap) => {
        const registry = new heap.FinalizationRegistry<() => void>(() => {
          throw new Error("no clean-up")
        })
        return (target, callback) => {
          registry.register(target, callback)
          return () => {}
        }
      })
      const error = yield* Effect.flip(laws[0]!.check())
      assert.match(error.trace.at(-1)!, /^finalize\(\) \/\/ threw Error: no clean-up/)
    }))

  it.effect("runs as many programs as numRuns says", () =>
    Effect.gen(function*() {
      let programs = 0
      const law = Laws.reference((heap) => {
        programs++
        return makeReference(heap)
      })[0]!
      yield* law.check({ numRuns: 7 })
      assert.strictEqual(programs, 7)
      yield* law.check()
      assert.strictEqual(programs, 107)
    }))

  it.effect("forces collections in one program only", () =>
    Effect.gen(function*() {
      let programs = 0
      const laws = Laws.reference((heap) => {
        programs++
        return makeReference(heap)
      })
      yield* lawNamed(laws, "reference: does not keep its referent alive").check({ numRuns: 50 })
      assert.strictEqual(programs, 1)
    }))

  it.effect("fails if the host cannot force a collection", () =>
    Effect.gen(function*() {
      if (isBun || !hasNode) return skip("takes the collector away")
      const { gc } = globalThis
      const { getBuiltinModule } = process
      globalThis.gc = undefined
      process.getBuiltinModule = () => {
        throw new Error("not on this host")
      }
      const law = lawNamed(Laws.reference(makeReference), "reference: does not keep its referent alive")
      const error = yield* Effect.ensuring(
        Effect.flip(law.check()),
        Effect.sync(() => {
          globalThis.gc = gc
          process.getBuiltinModule = getBuiltinModule
        })
      )
      assert.match(error.trace.at(-1)!, /cannot be checked: this host offers no way to ask for a collection/)
    }))

  it.effect("stops running programs when it is interrupted", () =>
    Effect.gen(function*() {
      let programs = 0
      const law = Laws.reference((heap) => {
        programs++
        return makeReference(heap)
      })[0]!
      const fiber = yield* Effect.forkChild(law.check({ numRuns: 10_000 }))
      // fast-check waits for a microtask between two programs.
      yield* Effect.promise(() => Promise.resolve())
      yield* Fiber.interrupt(fiber)
      const before = programs
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.isBelow(before, 10_000)
      assert.isAtMost(programs, before + 1)
    }))

  it.effect("waits for the promise that a clean-up returns", () =>
    Effect.map(
      brokenQuickly(Laws.finalizer((heap) => {
        const registry = new heap.FinalizationRegistry<() => void>((callback) => Promise.resolve().then(callback))
        return (target, callback) => {
          const token = {}
          registry.register(target, callback, token)
          return () => void registry.unregister(token)
        }
      })),
      (names) => assert.deepStrictEqual(names, [])
    ))
})

describe("equality", () => {
  matrix({
    laws: (Subject: typeof Wrapped) =>
      Laws.equality((heap) => (key: Arbitraries.Key) => new Subject(key, heap), Arbitraries.keys()),
    correct: { "a correct class": Wrapped, "a class that compares live values": WrappedWhileAlive },
    variants: equalityVariants,
    mistakes: equalityMistakes
  })

  it.effect("compares values that do not implement Equal structurally", () =>
    Effect.map(
      broken(Laws.equality(() => (n: number) => ({ n }), fc.nat({ max: 3 }))),
      (names) => assert.deepStrictEqual(names, [])
    ))
})

describe("reference", () => {
  matrix({
    laws: (make: typeof makeReference) => Laws.reference(make),
    correct: {
      "the native WeakRef": makeReference,
      "a class that implements Equal": makeComparedReference,
      "a class whose deref returns an Option": (heap) => (referent) => {
        const ref = new heap.WeakRef(referent)
        return { deref: () => Option.fromUndefinedOr(ref.deref()) }
      }
    },
    variants: referenceVariants,
    mistakes: referenceMistakes
  })

  it.effect("says what is wrong with equal references", () =>
    Effect.gen(function*() {
      const name = "equal references have equal referents and hashes"
      const reasonOf = (make: typeof makeReference) =>
        Effect.map(Effect.flip(lawNamed(Laws.reference(make), `reference: ${name}`).check()), ({ trace }) =>
          trace.at(-1)!)
      assert.match(
        yield* reasonOf(referenceMistakes[name]!),
        /^equals\(reference\d, reference\d\) \/\/ returned true, the referents are not equal and the hashes 7 and 7$/
      )
      assert.match(
        yield* reasonOf(referenceVariants[name]!["has a hash of its own"]!),
        /returned true, the referents are equal and the hashes (\d+) and (?!\1$)\d+$/
      )
    }))

  it.effect("finds references that do not use the given heap", () =>
    Effect.map(
      brokenQuickly(Laws.reference(() => (referent) => new WeakRef(referent))),
      (names) =>
        assert.deepStrictEqual(names, [
          "dereferences to nothing after collection",
          "a new reference does not revive an old one"
        ])
    ))
})

describe("proxy", () => {
  matrix({
    laws: (make: typeof makeProxy) => Laws.proxy(make),
    correct: { "a hand-written proxy": makeProxy },
    variants: proxyVariants,
    mistakes: proxyMistakes
  })

  for (const trap of trapNames) {
    it.effect(`finds a proxy without the trap ${trap}`, () =>
      Effect.gen(function*() {
        const law = lawNamed(Laws.proxy(proxyWithout(trap)), "proxy: fails every operation after collection")
        assert.strictEqual((yield* Effect.flip(law.check())).law, law.name)
      }))
  }

  it.effect("accepts only errors for which isDeadError returns true", () =>
    Effect.gen(function*() {
      const accepts = Laws.proxy(makeProxy, { isDeadError: (error) => error instanceof ReferenceError })
      assert.deepStrictEqual(yield* brokenQuickly(accepts), [])
      const refuses = Laws.proxy(makeProxy, { isDeadError: (error) => error instanceof RangeError })
      assert.deepStrictEqual(yield* brokenQuickly(refuses), [
        "fails every operation after collection",
        "a new proxy does not revive an old one"
      ])
    }))
})

describe("finalizer", () => {
  matrix({
    laws: (make: typeof makeRegister) => Laws.finalizer(make),
    correct: { "a FinalizationRegistry": makeRegister },
    variants: finalizerVariants,
    mistakes: finalizerMistakes
  })
})

describe("weakValueMap", () => {
  matrix({
    laws: (Subject: typeof ValueMap) => Laws.weakValueMap((heap) => new Subject(heap), { ordered: true }),
    correct: { "a hand-written map": ValueMap },
    variants: valueMapVariants,
    mistakes: valueMapMistakes,
    lawOf
  })

  it.effect("holds for a map in an object without a prototype", () =>
    Effect.map(
      broken(Laws.weakValueMap((heap) => new ObjectMap(heap))),
      (names) => assert.deepStrictEqual(names, [])
    ))

  it.effect("compares numbers as keys like the native Map", () =>
    Effect.gen(function*() {
      class Numbers extends ValueMap {
        override *[Symbol.iterator](): Iterator<[never, object]> {
          for (const [key, value] of { [Symbol.iterator]: () => super[Symbol.iterator]() }) yield [key as never, value]
        }
      }
      const keys = fc.constantFrom(0, -0, 1, NaN)
      // The references are in a native Map, whose keys can be numbers.
      const make = (heap: Heap) => new Numbers(heap) as unknown as Laws.MapLike<number, object>
      assert.deepStrictEqual(yield* brokenQuickly(Laws.weakValueMap(make, { keys, ordered: true })), [])
    }))

  it.effect("blames only the laws of iteration if an iteration yields dead entries, or too few", () =>
    Effect.gen(function*() {
      const brokenOf = (Subject: typeof ValueMap) =>
        brokenQuickly(Laws.weakValueMap((heap) => new Subject(heap), { ordered: true }))
      class Dead extends ValueMap {
        readonly values = new Map<string, object>()
        override set(key: string, value: object): void {
          super.set(key, value)
          this.values.set(key, value)
        }
        override *[Symbol.iterator](): Iterator<[string, object]> {
          for (const key of this.refs.keys()) yield [key, this.values.get(key)!]
        }
      }
      assert.deepStrictEqual(yield* brokenOf(Dead), ["iterates soundly during mutation and collection"])
      assert.notInclude(
        yield* brokenOf(valueMapVariants["agrees"]!["iteration skips the first entry"]!),
        "iterates in insertion order"
      )
    }))

  it.effect("finds a size that does not shrink", () =>
    Effect.gen(function*() {
      class Growing extends ValueMap {
        sets = 0
        override set(key: string, value: object): void {
          super.set(key, value)
          this.sets++
        }
        override get size(): number {
          return this.sets
        }
      }
      const law = lawNamed(Laws.weakValueMap((heap) => new Growing(heap)), "weakValueMap: leaves nothing behind")
      const error = yield* Effect.flip(law.check())
      assert.match(error.trace.at(-1)!, /each of which dies.* size is still 200 after 10 collections$/)
    }))

  it.effect("finds registrations of removed entries", () =>
    Effect.gen(function*() {
      class Registering extends ValueMap {
        override register(value: object, held: { readonly key: string; readonly ref: WeakRef<object> }): void {
          // Without a token, the registration holds the reference as long as the value is alive.
          this.registry.register(value, held)
        }
      }
      const laws = Laws.weakValueMap((heap) => new Registering(heap), { ordered: true })
      assert.deepStrictEqual(yield* broken(laws), ["leaves nothing behind"])
      const error = yield* Effect.flip(lawNamed(laws, "weakValueMap: leaves nothing behind").check())
      assert.match(error.trace.at(-1)!, /each of which is removed.* 200 weak references still exist/)
    }))
})

describe("weakKeyMap", () => {
  matrix({
    laws: (make: (heap: Heap) => Laws.MapLike<object, object>) => Laws.weakKeyMap(make, { ordered: true }),
    correct: {
      "a hand-written map": (heap) => new KeyMap(heap),
      "the native WeakMap, which does not iterate": (heap) => new heap.WeakMap<object, object>()
    },
    mistakes: makersOf(keyMapMistakes),
    variants: Object.fromEntries(
      Object.entries(keyMapVariants).map(([group, subjects]) => [group, makersOf(subjects)])
    ),
    lawOf
  })

  it.effect("finds a map that does not compare as its options say", () =>
    Effect.map(
      brokenQuickly(Laws.weakKeyMap((heap) => new KeyMap(heap), { compare: "structural" })),
      (names) => assert.include(names, "agrees with a strong Map about live entries")
    ))
})

describe("weakSet", () => {
  matrix({
    laws: (Subject: typeof KeyMap) => Laws.weakSet((heap) => setOf(new Subject(heap)), { ordered: true }),
    correct: { "a hand-written set": KeyMap },
    mistakes: keyMapMistakes,
    // A set has no values.
    variants: { size: keyMapVariants["size"]! },
    lawOf
  })
})
