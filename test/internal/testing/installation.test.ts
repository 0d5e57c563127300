import { assert, describe, it } from "@effect/vitest"
import { makeHeap } from "../../../src/internal/testing/constructors.ts"
import { endInstallations, install } from "../../../src/internal/testing/installation.ts"
import { Collector } from "../../../src/internal/testing/simulatedCollector.ts"

const heap = () => makeHeap(new Collector(0))
const names = ["WeakRef", "WeakMap", "FinalizationRegistry"] as const
const descriptors = (target: object) => names.map((name) => Object.getOwnPropertyDescriptor(target, name))
const values = (target: object) => descriptors(target).map((descriptor) => descriptor?.value as unknown)
const constructorsOf = (of: ReturnType<typeof heap>) => names.map((name) => of[name])

describe("install", () => {
  it("replaces the three constructors by properties like those of a global object, and restores them", () => {
    const target: Record<string, unknown> = { WeakRef: 1 }
    const get = () => 2
    Object.defineProperty(target, "WeakMap", { get, enumerable: false, configurable: true })
    const before = descriptors(target)
    const made = heap()
    const end = install(made, target)
    assert.deepStrictEqual(
      descriptors(target),
      constructorsOf(made).map((value) => ({ value, writable: true, enumerable: false, configurable: true }))
    )
    end()
    assert.deepStrictEqual(descriptors(target), before)
    assert.deepStrictEqual(Object.keys(target), ["WeakRef"])
    end()
    assert.deepStrictEqual(descriptors(target), before)
  })

  it("restores what the object had before the installation, and not before an earlier one", () => {
    const target: Record<string, unknown> = { WeakRef: 1 }
    install(heap(), target)()
    target["WeakRef"] = 2
    install(heap(), target)()
    assert.deepStrictEqual(values(target), [2, undefined, undefined])
  })

  it("gives the object the newest heap whose installation has not ended", () => {
    const target = {}
    const [a, b] = [heap(), heap()]
    const ends = [a, b, a].map((of) => install(of, target))
    assert.deepStrictEqual(values(target), constructorsOf(a))
    ends[0]!()
    assert.deepStrictEqual(values(target), constructorsOf(b))
    ends[2]!()
    assert.deepStrictEqual(values(target), constructorsOf(b))
    ends[1]!()
    assert.deepStrictEqual(descriptors(target), [undefined, undefined, undefined])
  })

  it("keeps the installations on several objects apart", () => {
    const [first, second] = [{}, {}]
    const made = heap()
    const end = install(made, first)
    install(made, second)
    end()
    assert.deepStrictEqual(values(first), [undefined, undefined, undefined])
    assert.deepStrictEqual(values(second), constructorsOf(made))
  })

  it("refuses what is no object, and an object whose properties it cannot replace", () => {
    for (const target of [undefined, null, "text", 5]) {
      assert.throws(
        () => install(heap(), target as unknown as object),
        TypeError,
        "TestHeap.install: the target must be an object"
      )
    }
    const f = () => {}
    install(heap(), f)()
    const refusal = (name: string) => `TestHeap.install: cannot replace the property ${name} of the object`
    assert.throws(() => install(heap(), Object.preventExtensions({})), TypeError, refusal("WeakRef"))
    const fixed = Object.defineProperty({}, "WeakMap", { value: 1, configurable: false })
    assert.throws(() => install(heap(), fixed), TypeError, refusal("WeakMap"))
    assert.deepStrictEqual(values(fixed), [undefined, 1, undefined])
    // An object that has all three needs no new properties.
    const full = Object.preventExtensions({ WeakRef: 1, WeakMap: 2, FinalizationRegistry: 3 })
    const end = install(heap(), full)
    assert.notDeepEqual(values(full), [1, 2, 3])
    end()
    assert.deepStrictEqual(values(full), [1, 2, 3])
  })
})

describe("endInstallations", () => {
  it("ends every installation of the heap that is left, and refuses new ones", () => {
    const [first, second] = [{}, {}]
    const [made, other] = [heap(), heap()]
    install(made, first)()
    install(made, first)
    install(other, second)
    install(made, second)
    endInstallations(made)
    assert.deepStrictEqual(values(first), [undefined, undefined, undefined])
    assert.deepStrictEqual(values(second), constructorsOf(other))
    assert.throws(
      () => install(made, first),
      Error,
      "TestHeap.install: the run to which this test heap belongs is over"
    )
    assert.deepStrictEqual(values(first), [undefined, undefined, undefined])
    install(other, first)
    assert.deepStrictEqual(values(first), constructorsOf(other))
    endInstallations(made)
    assert.deepStrictEqual(values(first), constructorsOf(other))
  })

  it("refuses installations of a heap that was never installed", () => {
    const made = heap()
    endInstallations(made)
    assert.throws(() => install(made, {}), "is over")
  })
})
