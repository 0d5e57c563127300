import { it as effectIt } from "@effect/vitest"
import { Context, Effect, type Scope } from "effect"
import { describe, expect, it } from "tstyche"
import type { TestHeap } from "../../src/testing/index.ts"
import * as Laws from "../../src/testing/Laws.ts"
import * as Matchers from "../../src/testing/Matchers.ts"
import * as Vitest from "../../src/testing/Vitest.ts"

class Database extends Context.Service<Database, "database">()("Database") {}

const needsHeap: Effect.Effect<number, Error, TestHeap.TestHeap | Scope.Scope> = Effect.never
const needsDatabase: Effect.Effect<number, Error, TestHeap.TestHeap | Database> = Effect.never

describe("explore", () => {
  it("provides the heap and a Scope, and nothing else", () => {
    expect(Vitest.it.explore).type.toBeCallableWith("name", needsHeap)
    expect(Vitest.it.explore).type.toBeCallableWith("name", Effect.void, { timeout: "1 second", testTimeout: 2000 })
    expect(Vitest.it.explore).type.not.toBeCallableWith("name", needsDatabase)
    expect(Vitest.it.explore).type.not.toBeCallableWith("name", needsHeap, { maxSchedule: 1 })
    expect(Vitest.it.explore.skipIf(true)).type.toBe<Vitest.Explore>()
  })
})

describe("laws", () => {
  it("takes laws and the options of their checks", () => {
    const laws = Laws.reference((heap) => (referent) => new heap.WeakRef(referent))
    expect(Vitest.it.laws).type.toBeCallableWith(laws, { numRuns: 10, testTimeout: "1 minute" })
    expect(Vitest.it.laws).type.not.toBeCallableWith(laws[0])
    expect(Vitest.it.laws.only).type.toBe<Vitest.CheckLaws>()
  })
})

describe("makeMethods", () => {
  it("keeps the type of the given it", () => {
    const both = Vitest.makeMethods(effectIt)
    expect(both.effect).type.toBe<typeof effectIt.effect>()
    expect(both.explore).type.toBe<Vitest.Methods["explore"]>()
  })
})

describe("toBeCollected", () => {
  it("is an assertion of vitest, and returns a promise", () => {
    expect(Vitest.expect(() => ({})).toBeCollected()).type.toBe<Promise<void>>()
    expect(Vitest.expect(() => ({})).not.toBeCollected({ rounds: 3 })).type.toBe<Promise<void>>()
    expect(Vitest.expect(() => ({})).toBeCollected).type.not.toBeCallableWith({ round: 3 })
    expect(Vitest.expect.extend).type.toBeCallableWith({ ...Matchers.matchers })
  })
})
