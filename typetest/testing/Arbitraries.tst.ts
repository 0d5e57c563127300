import * as fc from "fast-check"
import { describe, expect, it } from "tstyche"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"

describe("referents, objects and keys", () => {
  it("have the types of what they generate", () => {
    expect(Arbitraries.referents()).type.toBe<fc.Arbitrary<WeakKey>>()
    expect(Arbitraries.objects()).type.toBe<fc.Arbitrary<object>>()
    expect(Arbitraries.keys({ ids: 2 })).type.toBe<fc.Arbitrary<Arbitraries.Key>>()
  })
})

describe("schedules", () => {
  it("need the number of targets", () => {
    expect(Arbitraries.schedules({ targets: 2 })).type.toBe<fc.Arbitrary<Arbitraries.Schedule>>()
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
