/** The counterexample that each law prints for one mistake, line by line. Other tests check that each law finds its mistakes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as Arbitraries from "../../src/testing/Arbitraries.ts"
import { keys } from "../../src/testing/Arbitraries.ts"
import * as Laws from "../../src/testing/Laws.ts"
import {
  equalityMistakes,
  finalizerMistakes,
  type KeyMap,
  keyMapMistakes,
  proxyMistakes,
  referenceMistakes,
  setOf,
  type ValueMap,
  valueMapMistakes
} from "../support/lawSubjects.ts"

const ordered = true
const keyMaps: Readonly<Record<string, typeof KeyMap>> = keyMapMistakes
const valueMaps: Readonly<Record<string, typeof ValueMap>> = valueMapMistakes

/** Makes the laws of each group for the subject with a mistake. */
const lawsOf: Readonly<Record<string, (mistake: string) => ReadonlyArray<Laws.Law>>> = {
  equality: (mistake) =>
    Laws.equality((heap) => (key: Arbitraries.Key) => new equalityMistakes[mistake]!(key, heap), keys()),
  reference: (mistake) => Laws.reference(referenceMistakes[mistake]!),
  proxy: (mistake) => Laws.proxy(proxyMistakes[mistake]!),
  finalizer: (mistake) => Laws.finalizer(finalizerMistakes[mistake]!),
  weakValueMap: (mistake) => Laws.weakValueMap((heap) => new valueMaps[mistake]!(heap), { ordered }),
  weakKeyMap: (mistake) => Laws.weakKeyMap((heap) => new keyMaps[mistake]!(heap), { ordered }),
  weakSet: (mistake) => Laws.weakSet((heap) => setOf(new keyMaps[mistake]!(heap)), { ordered })
}

/** The name of the law, and the lines. In the reasons, numbers of several digits are written as `#`, because they vary. */
const counterexamples: Readonly<
  Record<string, Readonly<Record<string, readonly [law: string, ...trace: Array<string>]>>>
> = {
  equality: {
    "is reflexive": [
      "equality: is reflexive",
      "const input0 = Key(0)",
      "const construct = make(heap)",
      "const value0 = construct(input0)",
      "const value1 = construct(input0)",
      "equals(value0, value0) // returned false"
    ],
    "is symmetric": [
      "equality: is symmetric",
      "const input0 = Key(1)",
      "const input1 = Key(0)",
      "const construct = make(heap)",
      "const value0 = construct(input0)",
      "const value1 = construct(input0)",
      "const value2 = construct(input1)",
      "equals(value2, value0) // returned true",
      "equals(value0, value2) // returned false"
    ],
    "is transitive": [
      "equality: is transitive",
      "const input0 = Key(0)",
      "const input1 = Key(1)",
      "const input2 = Key(2)",
      "const construct = make(heap)",
      "const value0 = construct(input0)",
      "const value1 = construct(input0)",
      "const value2 = construct(input1)",
      "const value3 = construct(input2)",
      "equals(value0, value2) // returned true",
      "equals(value2, value3) // returned true",
      "equals(value0, value3) // returned false"
    ],
    "equal values have equal hashes": [
      "equality: equal values have equal hashes",
      "const input0 = Key(0)",
      "const construct = make(heap)",
      "const value0 = construct(input0)",
      "const value1 = construct(input0)",
      "equals(value0, value1) // returned true",
      "hash(value0) // returned #",
      "hash(value1) // returned #"
    ],
    "is stable after death": [
      "equality: is stable after death",
      "const input0 = Key(0)",
      "const construct = make(heap)",
      "const value0 = construct(input0)",
      "const value1 = construct(input0)",
      "collect(input0)",
      "hash(value0) // returned 0, before the collection 7"
    ]
  },
  reference: {
    "dereferences to its referent while it is alive": [
      "reference: dereferences to its referent while it is alive",
      "const referent0 = {}",
      "const refer = make(heap)",
      "const reference0 = refer(referent0)",
      "reference0.deref()",
      "reference0.deref() // returned undefined, expected referent0"
    ],
    "dereferences to nothing after collection": [
      "reference: dereferences to nothing after collection",
      "const referent0 = {}",
      "const refer = make(heap)",
      "const reference0 = refer(referent0)",
      "collect(referent0)",
      "reference0.deref() // returned referent0, expected undefined"
    ],
    "stays dead": [
      "reference: stays dead",
      "const referent0 = {}",
      "const refer = make(heap)",
      "const reference0 = refer(referent0)",
      "collect(referent0)",
      "reference0.deref()",
      "reference0.deref() // returned referent0, expected undefined"
    ],
    "a new reference does not revive an old one": [
      "reference: a new reference does not revive an old one",
      "const referent0 = {}",
      "const refer = make(heap)",
      "const old = refer(referent0)",
      "collect(referent0)",
      "finalize()",
      "// referent0 is used again, as a new object",
      "const young = refer(referent0)",
      "young.deref()",
      "old.deref() // returned referent0, expected undefined"
    ],
    "equal references have equal referents and hashes": [
      "reference: equal references have equal referents and hashes",
      "const referent0 = {}",
      "const referent1 = [1,2,3]",
      "const refer = make(heap)",
      "const reference0 = refer(referent0)",
      "const reference1 = refer(referent0)",
      "const reference2 = refer(referent1)",
      "equals(reference0, reference2) // returned true, the referents are not equal and the hashes 7 and 7"
    ],
    "does not keep its referent alive": [
      "reference: does not keep its referent alive",
      "create and drop 20 referents, on the host's heap // # of # still alive after # collections"
    ]
  },
  proxy: {
    "reads like its target": [
      "proxy: reads like its target",
      "const makeProxy = make(heap)",
      "const target = instance",
      "const proxy = makeProxy(target)",
      "\"count\" in proxy // returned false, the target returned true"
    ],
    "writes like its target": [
      "proxy: writes like its target",
      "const makeProxy = make(heap)",
      "const target = object",
      "const proxy = makeProxy(target)",
      "Reflect.deleteProperty(proxy, \"a\") // left the target as { a: 1, b: { c: [2] } }, expected { b: { c: [2] } }"
    ],
    "calls and constructs like its target": [
      "proxy: calls and constructs like its target",
      "const makeProxy = make(heap)",
      "const target = class",
      "const proxy = makeProxy(target)",
      "new proxy(1) // returned Given { given: [] }, the target returned Given { given: [1] }"
    ],
    "fails every operation after collection": [
      "proxy: fails every operation after collection",
      "const makeProxy = make(heap)",
      "const target = object",
      "const proxy = makeProxy(target)",
      "collect(target)",
      "Object.isExtensible(proxy) // returned true, expected an error"
    ],
    "a new proxy does not revive an old one": [
      "proxy: a new proxy does not revive an old one",
      "const makeProxy = make(heap)",
      "const target = object",
      "const proxy = makeProxy(target)",
      "collect(target)",
      "finalize()",
      "// target is used again, as a new object",
      "const young = makeProxy(target)",
      "young.a",
      "proxy.a // returned 1, expected an error"
    ]
  },
  finalizer: {
    "runs after its target is collected": [
      "finalizer: runs after its target is collected",
      "const target0 = {}",
      "const target1 = {}",
      "const register = make(heap)",
      "const unregister_callback0 = register(target0, callback0)",
      "const unregister_callback1 = register(target1, callback1)",
      "collect(target0)",
      "finalize()",
      "collect(target1)",
      "finalize() // callback1 never ran, expected that it ran once"
    ],
    "runs at most once": [
      "finalizer: runs at most once",
      "const target0 = {}",
      "const register = make(heap)",
      "const unregister_callback0 = register(target0, callback0)",
      "collect(target0)",
      "finalize() // callback0 ran 2 times, expected that it ran once"
    ],
    "does not run before its target is collected": [
      "finalizer: does not run before its target is collected",
      "const target0 = {}",
      "const target1 = {}",
      "const register = make(heap)",
      "const unregister_callback0 = register(target0, callback0)",
      "const unregister_callback1 = register(target1, callback1)",
      "collect(target1)",
      "finalize() // callback0 ran once, expected that it never ran"
    ],
    "does not run after its registration ended": [
      "finalizer: does not run after its registration ended",
      "const target0 = {}",
      "const register = make(heap)",
      "const unregister_callback = register(target0, callback)",
      "unregister_callback()",
      "collect(target0)",
      "finalize() // callback ran once, expected that it never ran"
    ],
    "runs a callback once for each of its registrations": [
      "finalizer: runs a callback once for each of its registrations",
      "const target0 = {}",
      "const register = make(heap)",
      "register(target0, callback)",
      "register(target0, callback)",
      "collect(target0)",
      "finalize() // callback ran once, expected that it ran 2 times"
    ],
    "leaves nothing behind": [
      "finalizer: leaves nothing behind",
      "create 200 registrations, each of which dies, on the host's heap // # held values and tokens of registrations still exist after # collections"
    ],
    "does not depend on the order of collection": [
      "finalizer: does not depend on the order of collection",
      "const target0 = {}",
      "const target1 = {}",
      "const register = make(heap)",
      "const unregister_callback0 = register(target0, callback0)",
      "const unregister_callback1 = register(target1, callback1)",
      "collect(target0)",
      "collect(target1)",
      "finalize() // callback1 never ran, expected that it ran once"
    ],
    "ending one registration leaves the others of its target": [
      "finalizer: ending one registration leaves the others of its target",
      "const target0 = {}",
      "const register = make(heap)",
      "const unregister_callback0 = register(target0, callback0)",
      "const unregister_callback1 = register(target0, callback1)",
      "unregister_callback1()",
      "collect(target0)",
      "finalize() // callback0 never ran, expected that it ran once"
    ]
  },
  weakValueMap: {
    apart: [
      "weakValueMap: keeps keys apart that look alike",
      "const subject = make(heap)",
      "get(\"hasOwnProperty\")",
      "set(\"hasOwnProperty\", value0)",
      "get(\"__proto__\")",
      "set(\"__proto__\", value2)",
      "get(\"size\")",
      "set(\"size\", value4)",
      "has(\"hasOwnProperty\")",
      "get(\"hasOwnProperty\")",
      "has(\"__proto__\")",
      "get(\"__proto__\")",
      "has(\"size\")",
      "get(\"size\")",
      "const iterator = iterate()",
      "iterator.next()",
      "const [key, value] = [\"hasownproperty\", value0]",
      "iterator.next()",
      "const [key, value] = [\"__proto__\", value2]",
      "iterator.next()",
      "const [key, value] = [\"size\", value4]",
      "iterator.next() // there is no such entry"
    ],
    size: [
      "weakValueMap: its size counts the live entries",
      "const subject = make(heap)",
      "set(\"key0\", value0)",
      "size // returned 0, expected 1"
    ],
    agrees: [
      "weakValueMap: agrees with a strong Map about live entries",
      "const subject = make(heap)",
      "set(\"key0\", value0)",
      "delete(\"key0\") // returned false, expected true"
    ],
    forgets: [
      "weakValueMap: forgets an entry when its value is collected",
      "const subject = make(heap)",
      "set(\"key0\", value0)",
      "collect(value0)",
      "has(\"key0\") // returned true, expected false"
    ],
    delete: [
      "weakValueMap: delete returns false if the entry is dead",
      "const subject = make(heap)",
      "set(\"key0\", value0)",
      "collect(value0)",
      "delete(\"key0\") // returned true, expected false"
    ],
    cleanUp: [
      "weakValueMap: a clean-up does not remove an entry that was set later",
      "const subject = make(heap)",
      "set(\"key0\", value0)",
      "collect(value0)",
      "set(\"key0\", value3)",
      "finalize()",
      "get(\"key0\") // returned undefined, expected value3"
    ],
    iterates: [
      "weakValueMap: iterates soundly during mutation and collection",
      "const subject = make(heap)",
      "set(\"key0\", value0)",
      "const iterator = iterate()",
      "set(\"key0\", value2)",
      "iterator.next()",
      "const [key, value] = [\"key0\", value0] // expected value2"
    ],
    ordered: [
      "weakValueMap: iterates in insertion order",
      "const subject = make(heap)",
      "set(\"key1\", value0)",
      "set(\"key0\", value2)",
      "const iterator = iterate()",
      "iterator.next()",
      "const [key, value] = [\"key0\", value2]",
      "iterator.next()",
      "const [key, value] = [\"key1\", value0]",
      "iterator.next() // yielded [\"key0\", \"key1\"], expected [\"key1\", \"key0\"]"
    ]
  },
  weakKeyMap: {
    size: [
      "weakKeyMap: its size counts the live entries",
      "const key0 = Key(0)",
      "const subject = make(heap)",
      "set(key0, value0)",
      "size // returned 0, expected 1"
    ],
    agrees: [
      "weakKeyMap: agrees with a strong Map about live entries",
      "const key0 = Key(0)",
      "const subject = make(heap)",
      "set(key0, value0)",
      "delete(key0) // returned false, expected true"
    ],
    forgets: [
      "weakKeyMap: forgets an entry when its key is collected",
      "const key0 = Key(0)",
      "const subject = make(heap)",
      "set(key0, value0)",
      "collect(key0)",
      "has(key0) // returned true, expected false"
    ],
    delete: [
      "weakKeyMap: delete returns false if the entry is dead",
      "const key0 = Key(0)",
      "const subject = make(heap)",
      "set(key0, value0)",
      "collect(key0)",
      "delete(key0) // returned true, expected false"
    ],
    cleanUp: [
      "weakKeyMap: a clean-up does not remove an entry that was set later",
      "const key0 = Key(0)",
      "const subject = make(heap)",
      "set(key0, value0)",
      "collect(key0)",
      "set(key0, value0)",
      "finalize()",
      "get(key0) // returned undefined, expected value0"
    ],
    iterates: [
      "weakKeyMap: iterates soundly during mutation and collection",
      "const key0 = Key(0)",
      "const subject = make(heap)",
      "set(key0, value0)",
      "const iterator = iterate()",
      "set(key0, value2)",
      "iterator.next()",
      "const [key, value] = [key0, value0] // expected value2"
    ],
    ordered: [
      "weakKeyMap: iterates in insertion order",
      "const key0 = Key(0)",
      "const key1 = Key(0)",
      "const subject = make(heap)",
      "set(key1, value0)",
      "set(key0, value2)",
      "const iterator = iterate()",
      "iterator.next()",
      "const [key, value] = [key0, value2]",
      "iterator.next()",
      "const [key, value] = [key1, value0]",
      "iterator.next() // yielded [key0, key1], expected [key1, key0]"
    ]
  },
  weakSet: {
    size: [
      "weakSet: its size counts the live elements",
      "const element0 = Key(0)",
      "const subject = make(heap)",
      "add(element0)",
      "size // returned 0, expected 1"
    ],
    agrees: [
      "weakSet: agrees with a strong Set about live entries",
      "const element0 = Key(0)",
      "const subject = make(heap)",
      "add(element0)",
      "delete(element0) // returned false, expected true"
    ],
    forgets: [
      "weakSet: forgets an element when its element is collected",
      "const element0 = Key(0)",
      "const subject = make(heap)",
      "add(element0)",
      "collect(element0)",
      "has(element0) // returned true, expected false"
    ],
    delete: [
      "weakSet: delete returns false if the element is dead",
      "const element0 = Key(0)",
      "const subject = make(heap)",
      "add(element0)",
      "collect(element0)",
      "delete(element0) // returned true, expected false"
    ],
    cleanUp: [
      "weakSet: a clean-up does not remove an element that was added later",
      "const element0 = Key(0)",
      "const subject = make(heap)",
      "add(element0)",
      "collect(element0)",
      "add(element0)",
      "finalize()",
      "has(element0) // returned false, expected true"
    ],
    iterates: [
      "weakSet: iterates soundly during mutation and collection",
      "const element0 = Key(0)",
      "const element1 = Key(0)",
      "const subject = make(heap)",
      "add(element0)",
      "add(element1)",
      "const iterator = iterate()",
      "iterator.next()",
      "const [key, value] = [element0, element0]",
      "collect(element1)",
      "iterator.next()",
      "const [key, value] = [element1, element1] // there is no such entry"
    ],
    ordered: [
      "weakSet: iterates in insertion order",
      "const element0 = Key(0)",
      "const element1 = Key(0)",
      "const subject = make(heap)",
      "add(element1)",
      "add(element0)",
      "const iterator = iterate()",
      "iterator.next()",
      "const [key, value] = [element0, element0]",
      "iterator.next()",
      "const [key, value] = [element1, element1]",
      "iterator.next() // yielded [element0, element1], expected [element1, element0]"
    ]
  }
}

for (const [group, byMistake] of Object.entries(counterexamples)) {
  describe(`${group}`, () => {
    for (const [mistake, [name, ...trace]] of Object.entries(byMistake)) {
      it.effect(`prints the counterexample of: ${name.replace(/^\w+: /, "")}`, () =>
        Effect.gen(function*() {
          const law = lawsOf[group]!(mistake).find((law) => law.name === name)
          const error = yield* Effect.flip(law!.check({ seed: 1 }))
          const lines = error.trace.map((line) => line.replace(/(?<=\/\/ .*)\d{2,}|(?<=^hash.*returned )\d+$/g, "#"))
          assert.deepStrictEqual(lines, trace)
        }))
    }
  })
}
