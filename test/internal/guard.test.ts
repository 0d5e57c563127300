import { assert, describe, it } from "@effect/vitest"
import * as Library from "../../src/index.ts"
import { TestHeap } from "../../src/testing/index.ts"

const { WeakProxy } = Library

const guards = Object.values(Library).flatMap((module) => Object.entries(module))
  .filter((entry): entry is [string, (u: unknown) => boolean] => /^is(?:Callable)?(?:Weak|Fin|Int)/.test(entry[0]))
  .filter(([name]) => name !== "isWeakReferenceable")

/** A weak proxy whose referent has been collected. */
const deadProxy = (referent: object): object => {
  const { collect, heap } = TestHeap.makeUnsafe()
  const proxy = WeakProxy.makeUnsafe(referent, heap)
  collect(referent)
  return proxy
}

const revokedProxy = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe("guard", () => {
  // The first test, because it is about a program that has no proxy yet.
  it("a value is of no other copy of the package if nobody has made a proxy", () => {
    const value = {} as Library.WeakProxy.WeakProxy<object>
    assert.throws(() => WeakProxy.deref(value), TypeError, /^Expected a WeakProxy, but got /)
  })

  it("there is one for each type", () => assert.isAtLeast(guards.length, 9))

  it.each(guards)("%s does not throw for proxies that are dead or revoked", (name, guard) => {
    assert.strictEqual(guard(deadProxy({})), name === "isWeakProxy")
    assert.strictEqual(guard(deadProxy(() => {})), /WeakProxy/.test(name))
    assert.isFalse(guard(revokedProxy()))
  })
})
