import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { WeakError, WeakMethod, WeakProxy, WeakRef } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { hasMessageInStack } from "./support/host.ts"

const { DeadReferenceError, NotWeakReferenceableError, UnhashableError } = WeakError

describe("WeakError", () => {
  it("are errors with a tag, a name and a stack", () => {
    const errors = [
      new NotWeakReferenceableError({ value: 7 }),
      new DeadReferenceError(),
      new UnhashableError()
    ]
    assert.deepStrictEqual(errors.map(({ _tag }) => _tag), [
      "NotWeakReferenceableError",
      "DeadReferenceError",
      "UnhashableError"
    ])
    for (const error of errors) {
      assert.instanceOf(error, Error)
      assert.strictEqual(error.name, error._tag)
      assert.include(error.stack, "WeakError.test.ts")
    }
  })

  it("have these messages", () => {
    const rejected = (fields: { readonly expected?: "function"; readonly message?: string }) =>
      new NotWeakReferenceableError({ value: 1, ...fields }).message
    assert.deepStrictEqual([rejected({}), rejected({ expected: "function" }), rejected({ message: "mine" })], [
      "1 cannot be weakly referenced here: pass an object, a function, or a symbol that was not made by Symbol.for",
      "1 is not a method: pass the key of a method, or a function",
      "mine"
    ])
    assert.strictEqual(
      new NotWeakReferenceableError({ value: Symbol("s") }).message,
      "Symbol(s) cannot be weakly referenced here: pass an object or a function"
    )
    const dead = (...fields: ConstructorParameters<typeof DeadReferenceError>) =>
      new DeadReferenceError(...fields).message
    assert.deepStrictEqual(
      [
        dead({ kind: "WeakRef", property: "a" }),
        dead({ kind: "WeakMethod" }),
        dead({ kind: "WeakProxy" }),
        dead({ kind: "WeakProxy", property: "a" }),
        dead({}),
        dead()
      ],
      [
        "The referent of this WeakRef has been collected: hold it with WeakRef.use or WeakRef.pin, or call WeakRef.deref, which returns an Option",
        "The receiver or the function of this WeakMethod has been collected: hold both for as long as you use the method, or call WeakMethod.deref, which returns an Option",
        "Cannot use this WeakProxy: the referent of the WeakProxy has been collected. Hold it with WeakProxy.use, or call WeakProxy.deref, which returns an Option",
        "Cannot access \"a\": the referent of the WeakProxy has been collected. Hold it with WeakProxy.use, or call WeakProxy.deref, which returns an Option",
        "The referent of a weak reference has been collected: hold the referent for as long as you use the weak reference",
        "The referent of a weak reference has been collected: hold the referent for as long as you use the weak reference"
      ]
    )
    assert.strictEqual(
      new UnhashableError().message,
      "No hash: hash a weak reference before its referent is collected, and never hash a weak proxy"
    )
  })

  describe("NotWeakReferenceableError", () => {
    const messageOf = (value: unknown) => new NotWeakReferenceableError({ value }).message

    it("shows the value, and says which values to pass", () => {
      const advice = "pass an object, a function, or a symbol that was not made by Symbol.for"
      assert.strictEqual(messageOf(7), `7 cannot be weakly referenced here: ${advice}`)
      assert.strictEqual(messageOf("text"), `"text" cannot be weakly referenced here: ${advice}`)
      assert.strictEqual(messageOf(undefined), `undefined cannot be weakly referenced here: ${advice}`)
      assert.strictEqual(messageOf(Symbol.for("x")), `Symbol(x) cannot be weakly referenced here: ${advice}`)
    })

    it("does not recommend a symbol if a symbol was rejected", () =>
      assert.throws(
        () => WeakProxy.makeUnsafe(Symbol("mine") as unknown as object),
        "Symbol(mine) cannot be weakly referenced here: pass an object or a function"
      ))

    it("shows the first characters of a large value", () => {
      const text = messageOf("x".repeat(5_000_000))
      assert.isBelow(text.length, 300)
      assert.include(text, "xxx\"… (5000000 characters)")
      assert.isBelow(messageOf(10n ** 1000n).length, 300)
      const array = Array.from({ length: 10_000 }, (_, i) => i)
      const error = new NotWeakReferenceableError({ value: array, expected: "function", property: "list" })
      assert.isBelow(error.message.length, 300)
      assert.strictEqual(error.value, array)
    })

    it("has a message for a value that throws when it is printed", () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      assert.include(new NotWeakReferenceableError({ value: proxy, expected: "function" }).message, "is not a method")
    })
  })

  describe("DeadReferenceError", () => {
    it("names the kind of reference, and recommends only functions of this kind", () => {
      const messageOf = (kind?: WeakError.ReferenceKind) => new DeadReferenceError({ kind }).message
      assert.include(messageOf("WeakRef"), "WeakRef.use or WeakRef.pin")
      assert.include(messageOf("WeakProxy"), "WeakProxy.use")
      assert.include(messageOf("WeakMethod"), "WeakMethod.deref")
      for (const message of [messageOf(), messageOf("WeakProxy"), messageOf("WeakMethod")]) {
        assert.notInclude(message, "pin")
      }
      for (const message of [messageOf(), messageOf("WeakMethod")]) assert.notMatch(message, /\.use\b/)
      for (const kind of ["WeakRef", "WeakProxy", "WeakMethod", undefined] as const) {
        assert.include(messageOf(kind), "has been collected")
      }
    })

    it("names the property", () => {
      const error = new DeadReferenceError({ kind: "WeakProxy", property: "name" })
      assert.include(error.message, "Cannot access \"name\"")
      assert.strictEqual(error.property, "name")
      assert.include(
        new DeadReferenceError({ kind: "WeakProxy", property: Symbol.iterator }).message,
        "Cannot access Symbol(Symbol.iterator)"
      )
    })

    it("can be created without arguments", () => {
      const error = new DeadReferenceError()
      assert.isUndefined(error.kind)
      assert.isUndefined(error.property)
      assert.include(error.message, "has been collected")
    })

    it("accepts another message", () => {
      const error = new DeadReferenceError({ kind: "WeakProxy", message: "mine" })
      assert.strictEqual(error.message, "mine")
      if (hasMessageInStack) assert.include(error.stack, "mine")
      assert.include(new DeadReferenceError({ message: undefined }).message, "has been collected")
    })

    it.effect("has the kind of the reference or the method that failed", () =>
      Effect.gen(function*() {
        const target = { run: () => 1 }
        const ref = yield* WeakRef.make(target)
        const method = yield* WeakMethod.make(target, "run")
        yield* TestHeap.collect(target)
        assert.strictEqual((yield* Effect.flip(WeakRef.get(ref))).kind, "WeakRef")
        assert.strictEqual((yield* Effect.flip(WeakRef.use(ref, () => Effect.void))).kind, "WeakRef")
        assert.strictEqual((yield* Effect.flip(Effect.scoped(WeakRef.pin(ref)))).kind, "WeakRef")
        assert.strictEqual((yield* Effect.flip(WeakMethod.invoke(method))).kind, "WeakMethod")
      }).pipe(Effect.provide(TestHeap.layer)))
  })

  it("UnhashableError says when a hash can be computed", () =>
    assert.include(new UnhashableError().message, "before its referent is collected"))
})
