import { assert, describe, it, vi } from "@effect/vitest"
import { Cause, Effect, Exit, type Scope } from "effect"
import * as Library from "../../src/index.ts"
import { refuse } from "../../src/internal/refuse.ts"

const { Finalizer, Interner, WeakCache, WeakMethod, WeakProxy, WeakRef } = Library

type Copy = typeof Library

const target = { id: 1, on() {} }

/** Returns the values of a copy of the package. */
const valuesOf = async (copy: Copy) => {
  const ref = copy.WeakRef.makeUnsafe(target)
  const scoped = <A>(effect: Effect.Effect<A, unknown, Scope.Scope>) => Effect.runPromise(Effect.scoped(effect))
  return {
    ref,
    method: copy.WeakMethod.makeUnsafe(target, "on"),
    proxy: copy.WeakProxy.makeUnsafe(target),
    callback: await scoped(copy.WeakRef.onCollect(ref, () => Effect.void)),
    finalizer: copy.Finalizer.makeUnsafe(target, Effect.void),
    interner: copy.Interner.makeUnsafe<object>(),
    cache: await scoped(copy.WeakCache.make({ lookup: (key: string) => Effect.succeed({ key }), capacity: 1 }))
  }
}

type Values = Awaited<ReturnType<typeof valuesOf>>

/** The operations with values of another copy, and with the same values of this copy. */
const operations: Record<string, (foreign: Values, own: Values) => unknown> = {
  "WeakRef.isAlive": ({ ref }) => WeakRef.isAlive(ref),
  "WeakRef.deref": ({ ref }) => WeakRef.deref(ref),
  "WeakRef.get": ({ ref }) => WeakRef.get(ref),
  "WeakRef.use": ({ ref }) => WeakRef.use(ref, Effect.succeed),
  "WeakRef.pin": ({ ref }) => WeakRef.pin(ref),
  "WeakRef.onCollect": ({ ref }) => WeakRef.onCollect(ref, () => Effect.void),
  "WeakRef.cancel": ({ callback }) => WeakRef.cancel(callback),
  "WeakRef.refersTo": ({ ref }) => WeakRef.refersTo(ref, target),
  "WeakRef.equals": ({ ref }, own) => WeakRef.equals(own.ref, ref),
  "WeakRef.equals, data-last": ({ ref }, own) => WeakRef.equals(own.ref)(ref),
  "WeakMethod.isAlive": ({ method }) => WeakMethod.isAlive(method),
  "WeakMethod.deref": ({ method }) => WeakMethod.deref(method),
  "WeakMethod.invoke": ({ method }) => WeakMethod.invoke(method),
  "WeakMethod.onCollect": ({ method }) => WeakMethod.onCollect(method, () => Effect.void),
  "WeakMethod.refersTo": ({ method }) => WeakMethod.refersTo(method, target, "on"),
  "WeakMethod.equals": ({ method }, own) => WeakMethod.equals(own.method, method),
  "WeakProxy.deref": ({ proxy }) => WeakProxy.deref(proxy),
  "WeakProxy.use": ({ proxy }) => WeakProxy.use(proxy, Effect.succeed),
  "WeakProxy.onCollect": ({ proxy }) => WeakProxy.onCollect(proxy, () => Effect.void),
  "WeakProxy.equals": ({ proxy }, own) => WeakProxy.equals(own.proxy, proxy),
  "WeakProxy.equals, data-last": ({ proxy }, own) => WeakProxy.equals(own.proxy)(proxy),
  "Finalizer.run": ({ finalizer }) => Finalizer.run(finalizer),
  "Finalizer.detach": ({ finalizer }) => Finalizer.detach(finalizer),
  "Finalizer.cancel": ({ finalizer }) => Finalizer.cancel(finalizer),
  "Finalizer.peek": ({ finalizer }) => Finalizer.peek(finalizer),
  "Finalizer.isAlive": ({ finalizer }) => Finalizer.isAlive(finalizer),
  "Finalizer.atExit": ({ finalizer }) => Finalizer.atExit(finalizer),
  "Finalizer.setAtExit": ({ finalizer }) => Finalizer.setAtExit(finalizer, false),
  "Interner.intern": ({ interner }) => Interner.intern(interner, target),
  "Interner.size": ({ interner }) => Interner.size(interner),
  "WeakCache.keys": ({ cache }) => WeakCache.keys(cache),
  "WeakCache.size": ({ cache }) => WeakCache.size(cache)
}

/** Returns what an operation throws, or what its effect dies with. */
const errorOf = (operation: () => unknown): unknown => {
  try {
    const result = operation()
    if (!Effect.isEffect(result)) return undefined
    const exit = Effect.runSyncExit(Effect.scoped(result as Effect.Effect<unknown>))
    return Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
  } catch (error) {
    return error
  }
}

describe("refuse", () => {
  it.each(Object.entries(operations))("%s says that a value belongs to another copy", async (_, operation) => {
    const own = await valuesOf(Library)
    assert.isUndefined(errorOf(() => operation(own, own)))
    vi.resetModules()
    const foreign = await valuesOf(await import("../../src/index.ts"))
    const error = errorOf(() => operation(foreign, own))
    assert.instanceOf(error, TypeError)
    assert.match(error.message, /^This \w+ was created by another copy of effect-weakref, /)
  })

  it("the guards of a copy return false for values of another copy", async () => {
    vi.resetModules()
    const { callback, finalizer, method, proxy, ref } = await valuesOf(await import("../../src/index.ts"))
    assert.isFalse(WeakRef.isWeakRef(ref))
    assert.isFalse(WeakRef.isCallback(callback))
    assert.isFalse(WeakMethod.isWeakMethod(method))
    assert.isFalse(WeakProxy.isWeakProxy(proxy))
    assert.isFalse(Finalizer.isFinalizer(finalizer))
  })

  it("names the expected type for a value of another kind", () => {
    const wrong: any = { name: "Ada" }
    assert.throws(() => WeakRef.isAlive(wrong), TypeError, /^Expected a WeakRef, but got \{"name":"Ada"\}$/)
    assert.throws(() => WeakMethod.isAlive(wrong), TypeError, /^Expected a WeakMethod, but got /)
    assert.throws(() => WeakProxy.deref(wrong), TypeError, /^Expected a WeakProxy, but got /)
    assert.throws(() => Finalizer.isAlive(wrong), TypeError, /^Expected a Finalizer, but got /)
    assert.throws(
      () => refuse(undefined, "~effect-weakref/WeakRef/Callback"),
      /^Expected a Callback, but got undefined$/
    )
    // A getter that throws does not hide the error.
    assert.throws(() => refuse(Proxy.revocable({}, {}).proxy, "~effect-weakref/WeakRef"), /^Expected a WeakRef/)
  })
})
