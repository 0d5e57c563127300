import { it as effectIt } from "@effect/vitest"
import { Arbitrary, Effect } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "tstyche"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"

describe("referents, objects and keys", () => {
  it("have the types of what they generate", () => {
    expect(Arbitraries.referents()).type.toBe<Arbitraries.Arbitrary<WeakKey>>()
    expect(Arbitraries.objects()).type.toBe<Arbitraries.Arbitrary<object>>()
    expect(Arbitraries.keys({ ids: 2 })).type.toBe<Arbitraries.Arbitrary<Arbitraries.Key>>()
  })
})

describe("an arbitrary of both libraries", () => {
  it("is accepted by both, with the type of its values", () => {
    expect(Arbitraries.keys()).type.toBeAssignableTo<fc.Arbitrary<Arbitraries.Key>>()
    expect(Arbitraries.keys()).type.toBeAssignableTo<Arbitrary.Arbitrary<Arbitraries.Key>>()
    expect(Arbitraries.fromFastCheck(fc.string())).type.toBe<Arbitraries.Arbitrary<string>>()
    expect(Arbitrary.map(Arbitraries.keys(), ({ id }) => id)).type.toBe<Arbitrary.Arbitrary<number>>()
    expect(Arbitraries.keys().map(({ id }) => id)).type.toBe<fc.Arbitrary<number>>()
    effectIt.effect.prop("", [Arbitraries.keys(), Arbitraries.objects()], (values) => {
      expect(values).type.toBe<[Arbitraries.Key, object]>()
      return Effect.void
    })
  })
})

describe("schedules", () => {
  it("need the number of targets", () => {
    expect(Arbitraries.schedules({ targets: 2 })).type.toBe<Arbitraries.Arbitrary<Arbitraries.Schedule>>()
    expect(Arbitraries.schedules).type.not.toBeCallableWith({ length: 2 })
  })
})

describe("scripts", () => {
  it("tell the arguments of an operation by its name", () => {
    const scripts = Arbitraries.scripts({ set: [fc.nat(), fc.string()], clear: [] }, { targets: 2 })
    fc.property(scripts, (script) => {
      for (const operation of script) {
        switch (operation.name) {
          case "set":
            expect(operation.args).type.toBe<readonly [number, string]>()
            break
          case "clear":
          case "finalize":
            expect(operation.args).type.toBe<readonly []>()
            break
          case "collect":
            expect(operation.args).type.toBe<ReadonlyArray<number>>()
            break
          default:
            expect(operation).type.toBe<never>()
        }
      }
    })
  })
})
