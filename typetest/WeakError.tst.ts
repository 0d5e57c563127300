import { Effect } from "effect"
import { describe, expect, it } from "tstyche"
import { WeakError, WeakRef } from "../src/index.ts"

const program = Effect.flatMap(WeakRef.make({ id: 1 }), WeakRef.get)

describe("errors", () => {
  it("are caught by tag, and gone then", () => {
    expect(program).type.toBe<
      Effect.Effect<{ id: number }, WeakError.NotWeakReferenceableError | WeakError.DeadReferenceError>
    >()
    expect(Effect.catchTag(program, "DeadReferenceError", () => Effect.succeed(undefined))).type.toBe<
      Effect.Effect<{ id: number } | undefined, WeakError.NotWeakReferenceableError>
    >()
    expect(Effect.catchTag(program, "NotWeakReferenceableError", ({ value }) => Effect.succeed(value))).type.toBe<
      Effect.Effect<unknown, WeakError.DeadReferenceError>
    >()
  })

  it("have the tags that the documentation names", () => {
    expect<WeakError.NotWeakReferenceableError["_tag"]>().type.toBe<"NotWeakReferenceableError">()
    expect<WeakError.DeadReferenceError["_tag"]>().type.toBe<"DeadReferenceError">()
    expect<WeakError.UnhashableError["_tag"]>().type.toBe<"UnhashableError">()
  })

  it("carry what they need, and no more", () => {
    expect(WeakError.NotWeakReferenceableError).type.toBeConstructableWith({ value: "text" })
    expect(WeakError.NotWeakReferenceableError).type.not.toBeConstructableWith()
    expect(WeakError.NotWeakReferenceableError).type.toBeConstructableWith({
      value: 1,
      expected: "function",
      property: "name"
    })
    expect(WeakError.DeadReferenceError).type.toBeConstructableWith()
    expect(WeakError.DeadReferenceError).type.toBeConstructableWith({ kind: "WeakProxy", property: "name" })
    expect(WeakError.DeadReferenceError).type.not.toBeConstructableWith({ kind: "Proxy" })
    expect<WeakError.DeadReferenceError["kind"]>().type.toBe<WeakError.ReferenceKind | undefined>()
    expect<WeakError.DeadReferenceError["property"]>().type.toBe<PropertyKey | undefined>()
    expect(WeakError.UnhashableError).type.toBeConstructableWith()
    expect<WeakError.NotWeakReferenceableError["value"]>().type.toBe<unknown>()
  })
})
