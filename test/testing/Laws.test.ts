import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import type { Heap } from "../../src/Heap.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import * as Laws from "../../src/testing/Laws.ts"
import {
  equalityMistakes,
  finalizerMistakes,
  KeyMap,
  keyMapMistakes,
  laws as tableLaws,
  makeProxy,
  makeReference,
  makeRegister,
  proxyMistakes,
  referenceMistakes,
  setOf,
  ValueMap,
  valueMapMistakes,
  Wrapped
} from "../support/lawSubjects.ts"

/** More runs than the default, so that no mistake can hide. */
const numRuns = 500

/** The names of the laws that do not hold, without the first word. */
const broken = (laws: ReadonlyArray<Laws.Law>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    Effect.forEach(laws, (law) => Effect.result(law.check({ numRuns })), { concurrency: "unbounded" }),
    (results) =>
      results.flatMap((result) => result._tag === "Failure" ? [result.failure.law.replace(/^\w+: /, "")] : [])
  )

/** Every mistake breaks one law and no other, and every law has its mistake. */
const matrix = <Subject>(options: {
  readonly laws: (subject: Subject) => ReadonlyArray<Laws.Law>
  readonly correct: Readonly<Record<string, Subject>>
  readonly mistakes: Readonly<Record<string, Subject>>
  /** The law that a mistake breaks. */
  readonly lawOf?: (mistake: string) => RegExp
}): void => {
  const { correct, laws, lawOf = (mistake) => new RegExp(`^${mistake}$`), mistakes } = options
  for (const [name, subject] of Object.entries(correct)) {
    it.effect(`holds of ${name}`, () => Effect.map(broken(laws(subject)), (names) => assert.deepStrictEqual(names, [])))
  }
  for (const [mistake, subject] of Object.entries(mistakes)) {
    it.effect(`finds one broken law: ${mistake}`, () =>
      Effect.map(broken(laws(subject)), (names) => {
        assert.strictEqual(names.length, 1, names.join("; "))
        assert.match(names[0]!, lawOf(mistake))
      }))
  }
  it("has a mistake for each law", () => {
    const names = laws(Object.values(correct)[0]!).map((law) => law.name.replace(/^\w+: /, ""))
    const found = Object.keys(mistakes).map((mistake) => names.filter((name) => lawOf(mistake).test(name)))
    assert.deepStrictEqual(found.map((names) => names.length), found.map(() => 1))
    assert.sameMembers(found.flat(), names)
  })
}

describe("equality", () => {
  matrix({
    laws: (Subject: typeof Wrapped) =>
      Laws.equality((heap) => (key: Arbitraries.Key) => new Subject(key, heap), Arbitraries.keys()),
    correct: { "a correct class": Wrapped },
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
    correct: { "the native WeakRef": makeReference },
    mistakes: referenceMistakes
  })
})

describe("proxy", () => {
  matrix({
    laws: (make: typeof makeProxy) => Laws.proxy(make),
    correct: { "a hand-written proxy": makeProxy },
    mistakes: proxyMistakes
  })

  it.effect("asks for the error that isDeadError accepts", () =>
    Effect.gen(function*() {
      const accepts = Laws.proxy(makeProxy, { isDeadError: (error) => error instanceof ReferenceError })
      assert.deepStrictEqual(yield* broken(accepts), [])
      const refuses = Laws.proxy(makeProxy, { isDeadError: (error) => error instanceof RangeError })
      assert.deepStrictEqual(yield* broken(refuses), [
        "fails every operation after collection",
        "a new proxy does not revive an old one"
      ])
    }))
})

describe("finalizer", () => {
  matrix({
    laws: (make: typeof makeRegister) => Laws.finalizer(make),
    correct: { "a FinalizationRegistry": makeRegister },
    mistakes: finalizerMistakes
  })
})

const lawOf = (mistake: string): RegExp => tableLaws[mistake as keyof typeof tableLaws]

describe("weakValueMap", () => {
  matrix({
    laws: (Subject: typeof ValueMap) => Laws.weakValueMap((heap) => new Subject(heap), { ordered: true }),
    correct: { "a hand-written map": ValueMap },
    mistakes: valueMapMistakes,
    lawOf
  })
})

describe("weakKeyMap", () => {
  matrix({
    laws: (make: (heap: Heap) => Laws.MapLike<object, object>) => Laws.weakKeyMap(make, { ordered: true }),
    correct: {
      "a hand-written map": (heap) => new KeyMap(heap),
      "the native WeakMap, which does not iterate": (heap) => new heap.WeakMap<object, object>()
    },
    mistakes: Object.fromEntries(
      Object.entries(keyMapMistakes).map(([mistake, Subject]) => [mistake, (heap: Heap) => new Subject(heap)])
    ),
    lawOf
  })

  it.effect("finds a map that compares differently than it claims", () =>
    Effect.map(
      broken(Laws.weakKeyMap((heap) => new KeyMap(heap), { compare: "structural" })),
      (names) => assert.include(names, "agrees with a strong Map about live entries")
    ))
})

describe("weakSet", () => {
  matrix({
    laws: (Subject: typeof KeyMap) => Laws.weakSet((heap) => setOf(new Subject(heap)), { ordered: true }),
    correct: { "a hand-written set": KeyMap },
    mistakes: keyMapMistakes,
    lawOf
  })
})
