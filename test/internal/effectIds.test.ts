import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { isResult } from "../../src/internal/effectIds.ts"

describe("isResult", () => {
  it("recognizes the results of this version of Effect, and their fields", () => {
    const success: object = Result.succeed(1)
    const failure: object = Result.fail(2)
    expect(isResult(success) && "success" in success && success.success).toBe(1)
    expect(isResult(failure) && !("success" in failure) && failure.failure).toBe(2)
  })

  it("rejects other values", () => {
    for (const value of [{}, [], Option.some(1), { success: 1 }]) expect(isResult(value)).toBe(false)
  })
})
