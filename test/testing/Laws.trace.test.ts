/**
 * What each law prints: for one mistake the whole counterexample, and for further mistakes its last line, which says what is
 * wrong. Other tests check that each law finds its mistakes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Hash } from "effect"
import type * as Arbitraries from "../../src/testing/Arbitraries.ts"
import { keys } from "../../src/testing/Arbitraries.ts"
import * as Laws from "../../src/testing/Laws.ts"
import {
  equalityMistakes,
  equalityVariants,
  finalizerMistakes,
  finalizerVariants,
  forcesCollections,
  type KeyMap,
  keyMapMistakes,
  keyMapVariants,
  laws as tableLaws,
  makeProxy,
  proxyMistakes,
  proxyVariants,
  referenceMistakes,
  referenceVariants,
  setOf,
  type ValueMap,
  valueMapMistakes,
  valueMapVariants,
  type Variants,
  Wrapped
} from "../support/lawSubjects.ts"

const ordered = true
const keyMaps: Readonly<Record<string, typeof KeyMap>> = keyMapMistakes
const valueMaps: Readonly<Record<string, typeof ValueMap>> = valueMapMistakes

/** The subjects with a mistake, and their laws. */
interface Group<Subject> {
  readonly laws: (subject: Subject) => ReadonlyArray<Laws.Law>
  readonly mistakes: Readonly<Record<string, Subject>>
  readonly variants: Variants<Subject>
}

interface AnyGroup {
  readonly lawsOf: (mistake: string) => ReadonlyArray<Laws.Law>
  readonly lawsOfVariant: (law: string, variant: string) => ReadonlyArray<Laws.Law>
  readonly variants: Variants<unknown>
}

const group = <Subject>({ laws, mistakes, variants }: Group<Subject>): AnyGroup => ({
  lawsOf: (mistake) => laws(mistakes[mistake]!),
  lawsOfVariant: (law, variant) => laws(variants[law]![variant]!),
  variants
})

const groups: Readonly<Record<string, AnyGroup>> = {
  equality: group({
    laws: (Subject) => Laws.equality((heap) => (key: Arbitraries.Key) => new Subject(key, heap), keys()),
    mistakes: equalityMistakes,
    variants: equalityVariants
  }),
  reference: group({ laws: (make) => Laws.reference(make), mistakes: referenceMistakes, variants: referenceVariants }),
  proxy: group({ laws: (make) => Laws.proxy(make), mistakes: proxyMistakes, variants: proxyVariants }),
  finalizer: group({ laws: (make) => Laws.finalizer(make), mistakes: finalizerMistakes, variants: finalizerVariants }),
  weakValueMap: group({
    laws: (Subject) => Laws.weakValueMap((heap) => new Subject(heap), { ordered }),
    mistakes: valueMaps,
    variants: valueMapVariants
  }),
  weakKeyMap: group({
    laws: (Subject) => Laws.weakKeyMap((heap) => new Subject(heap), { ordered }),
    mistakes: keyMaps,
    variants: keyMapVariants
  }),
  weakSet: group({
    laws: (Subject) => Laws.weakSet((heap) => setOf(new Subject(heap)), { ordered }),
    mistakes: keyMaps,
    // A set has no values.
    variants: { size: keyMapVariants["size"]! }
  })
}

/** In the lines, numbers that vary are written as `#`. */
const linesOf = ({ trace }: Laws.LawError): ReadonlyArray<string> =>
  trace.map((line) => line.replace(/(?<=\/\/ .*)\d{2,}|(?<=^hash.*returned )\d+$/g, "#"))

/** The name of the law, and the lines. */
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
      "const [key, value] = [\"hasownproperty\", value0] // there is no such entry"
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
      "set(\"key0\", value0)",
      "set(\"key1\", value2)",
      "const iterator = iterate()",
      "iterator.next()",
      "const [key, value] = [\"key1\", value2]",
      "iterator.next()",
      "const [key, value] = [\"key0\", value0]",
      "iterator.next() // yielded [\"key1\", \"key0\"], expected [\"key0\", \"key1\"]"
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
      "set(key0, value0)",
      "set(key1, value2)",
      "const iterator = iterate()",
      "iterator.next()",
      "const [key, value] = [key1, value2]",
      "iterator.next()",
      "const [key, value] = [key0, value0]",
      "iterator.next() // yielded [key1, key0], expected [key0, key1]"
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
      "add(element0)",
      "add(element1)",
      "const iterator = iterate()",
      "iterator.next()",
      "const [key, value] = [element1, element1]",
      "iterator.next()",
      "const [key, value] = [element0, element0]",
      "iterator.next() // yielded [element1, element0], expected [element0, element1]"
    ]
  }
}

for (const [name, byMistake] of Object.entries(counterexamples)) {
  describe(`${name}`, () => {
    for (const [mistake, [lawName, ...trace]] of Object.entries(byMistake)) {
      it.effect(`prints the counterexample of: ${lawName.replace(/^\w+: /, "")}`, () =>
        Effect.gen(function*() {
          const law = groups[name]!.lawsOf(mistake).find((law) => law.name === lawName)
          assert.deepStrictEqual(linesOf(yield* Effect.flip(law!.check({ seed: 1 }))), trace)
        }))
    }
  })
}

/** The last lines, by the group of laws, by the law, and by what is wrong. */
const reasons: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>> = {
  equality: {
    "equal values have equal hashes": {
      "has another hash at each call": "hash(value0) // returned #"
    },
    "is stable after death": {
      "is no longer equal to itself": "equals(value0, value0) // returned false, before the collection true",
      "is equal to all dead values": "equals(value0, value2) // returned true, before the collection false"
    }
  },
  reference: {
    "dereferences to its referent while it is alive": {
      "returns another object": "reference0.deref() // returned {}, expected referent0",
      "refers to the newest referent": "reference0.deref() // returned referent1, expected referent0",
      "dies with another referent": "reference1.deref() // returned undefined, expected referent1",
      "dies at the first clean-up": "reference1.deref() // returned undefined, expected referent1",
      "dies for a moment": "reference0.deref() // returned undefined, expected referent0"
    },
    "dereferences to nothing after collection": {
      "remembers weakly what it has read": "reference0.deref() // returned referent0, expected undefined",
      "is alive again after the clean-up": "reference0.deref() // returned referent0, expected undefined",
      "only the first reference dies": "reference1.deref() // returned referent1, expected undefined"
    },
    "stays dead": {
      "is alive again after a clean-up": "reference0.deref() // returned referent0, expected undefined",
      "is alive again when another has died": "reference0.deref() // returned referent0, expected undefined"
    },
    "a new reference does not revive an old one": {
      "the new one is dead too": "old.deref() // returned undefined, expected referent0"
    },
    "equal references have equal referents and hashes": {
      "has a hash of its own":
        "equals(reference0, reference1) // returned true, the referents are equal and the hashes # and #",
      "cannot be compared": "equals(reference0, reference0) // threw Error: not comparable"
    }
  },
  proxy: {
    "reads like its target": {
      "forgets the arguments of methods":
        "call the methods that proxy inherits // returned [[3, 1, 2], 3, [3, 1, 2], \"3,1,2\"], the target returned [[1, 2], 3, [3, 1, 2], \"3,1,2\"]",
      "forgets the receiver of methods":
        "call the methods that proxy inherits // threw a TypeError, the target returned [[1, 2], 3, [3, 1, 2], \"3,1,2\"]",
      "forgets the results of methods":
        "call the methods that proxy inherits // threw a TypeError, the target returned [[1, 2], 3, [3, 1, 2], \"3,1,2\"]",
      "calls methods twice":
        "call the methods that proxy inherits // returned [5, 5, itself], the target returned [3, 3, itself]",
      "returns its target from methods":
        "call the methods that proxy inherits // returned [3, 3, {}], the target returned [3, 3, itself]",
      "calls methods of a copy":
        "call the methods that proxy inherits // returned [undefined, 1, []], the target returned [1, 1, [[\"a\", 1]]]",
      "throws a text": "proxy.a(1) // threw a string, the target returned \"no function\"",
      "has no values in descriptors":
        "Object.getOwnPropertyDescriptor(proxy, \"a\") // returned { enumerable: true, value: undefined }, the target returned { enumerable: true, value: 1 }",
      "says that nothing is enumerable":
        "Object.getOwnPropertyDescriptor(proxy, \"a\") // returned { enumerable: false, value: 1 }, the target returned { enumerable: true, value: 1 }",
      "has no prototype": "Object.getPrototypeOf(proxy) // returned false, the target returned true",
      "lists no symbols":
        "Reflect.ownKeys(proxy) // returned [\"a\", \"b\"], the target returned [\"a\", \"b\", Symbol(\"mark\")]"
    },
    "writes like its target": {
      "writes to the shell":
        "Reflect.set(proxy, \"a\", 0) // left the target as { a: 1, b: { c: [2] } }, expected { a: 0, b: { c: [2] } }",
      "fails to write": "Reflect.set(proxy, \"a\", 0) // returned false, the target returned true",
      "writes another value":
        "Reflect.set(proxy, \"a\", 0) // left the target as { a: \"other\", b: { c: [2] } }, expected { a: 0, b: { c: [2] } }",
      "defines nothing":
        "Reflect.defineProperty(proxy, \"a\", { value: 0, configurable: true }) // left the target as { a: 1, b: { c: [2] } }, expected { a: 0, b: { c: [2] } }",
      "defines with other attributes":
        "Reflect.defineProperty(proxy, \"count\", { value: 0, configurable: true }) // left the target as { a: 1, b: { c: [2] }, count: 0 }, expected { a: 1, b: { c: [2] }, hidden count: 0 }",
      "deletes one property too many":
        "Reflect.deleteProperty(proxy, \"a\") // left the target as {}, expected { b: { c: [2] } }"
    },
    "calls and constructs like its target": {
      "forgets the arguments": "proxy(1) // returned \"no arguments\", the target returned 1",
      "passes one argument only":
        "new proxy(1, 1) // returned Given { given: [1] }, the target returned Given { given: [1, 1] }",
      "returns nothing": "proxy() // returned undefined, the target returned \"no arguments\"",
      "constructs an object of no class": "new proxy() // returned {}, the target returned named {}",
      "cannot be constructed": "new proxy() // threw a RangeError, the target returned named {}"
    },
    "fails every operation after collection": {
      "returns undefined": "proxy.a // returned undefined, expected an error",
      "fails only after the clean-up": "proxy.a // returned 1, expected an error",
      "fails only before the clean-up": "proxy.a // returned 1, expected an error",
      "can be called": "proxy() // returned 1, expected an error",
      "can be constructed": "new proxy() // returned {}, expected an error"
    }
  },
  finalizer: {
    "runs after its target is collected": {
      "never runs": "finalize() // callback0 never ran, expected that it ran once",
      "runs for the newest target only": "finalize() // callback0 never ran, expected that it ran once"
    },
    "runs at most once": {
      "runs again when its registration ends late":
        "unregister_callback0() // callback0 ran 2 times, expected that it ran once",
      "runs when its registration ends late, and afterwards":
        "finalize() // callback0 ran 2 times, expected that it ran once",
      "runs again when another target is cleaned up": "finalize() // callback1 ran 2 times, expected that it ran once",
      "runs in two registries": "finalize() // callback0 ran 2 times, expected that it ran once"
    },
    "does not run before its target is collected": {
      "runs at once": "finalize() // callback0 ran once, expected that it never ran",
      "runs when another target is cleaned up": "finalize() // callback0 ran once, expected that it never ran"
    },
    "does not run after its registration ended": {
      "does not end": "finalize() // callback ran once, expected that it never ran",
      "runs when it ends": "finalize() // callback ran once, expected that it never ran",
      "registers again when it ends twice": "finalize() // callback ran once, expected that it never ran"
    },
    "does not depend on the order of collection": {
      "runs for the first clean-up only": "finalize() // callback0 never ran, expected that it ran once"
    },
    "ending one registration leaves the others of its target": {
      "ends another one if it ends twice": "finalize() // callback0 never ran, expected that it ran once",
      "ends the oldest one": "finalize() // callback0 never ran, expected that it ran once"
    },
    "runs a callback once for each of its registrations": {
      "counts the targets, not the registrations": "finalize() // callback ran once, expected that it ran 2 times"
    }
  },
  weakValueMap: {
    agrees: {
      "get does not find what has finds": "get(\"key0\") // returned undefined, expected value0",
      "has always returns true": "has(\"key0\") // returned true, expected false",
      "delete does nothing": "get(\"key0\") // returned value0, expected undefined",
      "set keeps the first value": "get(\"key0\") // returned value0, expected value2",
      "a value has one key only": "get(\"key1\") // returned undefined, expected value0",
      "iteration skips the first entry": "iterator.next() // did not yield \"key0\"",
      "iteration yields the first entry twice":
        "const [key, value] = [\"key0\", value0] // \"key0\" was already yielded",
      "iteration yields another value": "const [key, value] = [\"key0\", {}] // expected value0",
      "iteration does not end": "const [key, value] = [\"key0\", value0] // \"key0\" was already yielded"
    },
    apart: {
      "trims its keys": "get(\"key\\n\") // returned value0, expected undefined",
      "takes keys for numbers": "get(\"01\") // returned value0, expected undefined",
      // SpiderMonkey also replaces a lone surrogate.
      "normalizes its keys": "\ud800".normalize() === "\ud800"
        ? "get(\"é\") // returned value0, expected undefined"
        : "const [key, value] = [\"\ufffd\", value2] // there is no such entry",
      "cuts its keys":
        "get(\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkb\") // returned value0, expected undefined",
      "splits its keys": "get(\"1\") // returned value0, expected undefined",
      "writes its keys as UTF-8": "const [key, value] = [\"�\", value2] // there is no such entry",
      "uses a hash of its keys": "const [key, value] = [\"177556\", value0] // there is no such entry",
      // Deno takes the accessor away from `Object.prototype`.
      "uses a plain object": Reflect.get({}, "__proto__") === Object.prototype
        ? "iterator.next() // did not yield \"__proto__\""
        : "has(\"__proto__\") // returned false, expected true"
    },
    size: {
      "is negative": "size // returned -1, expected 1",
      "counts what was set": "size // returned 1, expected 0",
      "is one too large": "size // returned 1, expected 0",
      "is not an integer": "size // returned NaN, expected 1",
      "counts what is dead twice": "size // returned 2, expected at least 0 and at most 1",
      "does not count what was collected together": "size // returned 0, expected at least 1 and at most 2"
    },
    forgets: {
      "get returns the last value read": "get(\"key0\") // returned value0, expected undefined",
      "an entry is alive again after the clean-up": "has(\"key0\") // returned true, expected false",
      "only one of the keys of a value forgets it": "has(\"key1\") // returned true, expected false"
    },
    delete: {
      "returns true until the clean-up": "delete(\"key0\") // returned true, expected false",
      "returns true after the clean-up": "delete(\"key0\") // returned true, expected false"
    },
    cleanUp: {
      "removes the key if any value of it is dead": "get(\"key0\") // returned undefined, expected value3",
      "iteration skips what was set later": "iterator.next() // did not yield \"key0\"",
      "iteration does not end": "const [key, value] = [\"key0\", value0] // does not end"
    },
    ordered: {
      "moves what is set again to the end":
        "iterator.next() // yielded [\"key1\", \"key0\"], expected [\"key0\", \"key1\"]",
      "iteration does not end": "const [key, value] = [\"key0\", value0] // does not end"
    },
    iterates: {
      "yields an entry again that was set again":
        "const [key, value] = [\"key0\", value2] // \"key0\" was already yielded",
      "ends when an entry is deleted": "iterator.next() // did not yield \"key1\"",
      "yields dead entries": "const [key, value] = [\"key0\", {}] // there is no such entry"
    }
  },
  weakKeyMap: {
    agrees: {
      "set keeps the first value": "get(key0) // returned value0, expected value2",
      "compares structurally": "get(key1) // returned undefined, expected value0"
    },
    size: {
      "is negative": "size // returned -1, expected 1"
    }
  },
  weakSet: {
    size: {
      "is negative": "size // returned -1, expected 1"
    }
  }
}

it.effect("says that a dead proxy throws another error", () =>
  Effect.gen(function*() {
    const laws = Laws.proxy(makeProxy, { isDeadError: (error) => error instanceof RangeError })
    const law = laws.find(({ name }) => name === "proxy: fails every operation after collection")!
    const { cause, trace } = yield* Effect.flip(law.check({ seed: 1 }))
    assert.match(
      trace.slice(-2).join("\n"),
      /^collect\(target\)\nproxy\.a \/\/ threw ReferenceError: collected[^]*, which is not the error of a dead proxy$/
    )
    assert.instanceOf(cause, ReferenceError)
  }))

it.effect("says which value has which hash", () =>
  Effect.gen(function*() {
    const laws = Laws.equality((heap) => {
      let made = 0
      return (key: Arbitraries.Key) => {
        const hash = made++
        return Object.assign(new Wrapped(key, heap), { [Hash.symbol]: () => hash })
      }
    }, keys())
    const law = laws.find(({ name }) => name === "equality: equal values have equal hashes")!
    const { trace } = yield* Effect.flip(law.check({ seed: 1 }))
    assert.deepStrictEqual(trace.slice(-3), [
      "equals(value0, value1) // returned true",
      "hash(value0) // returned 0",
      "hash(value1) // returned 1"
    ])
  }))

it.effect("gives up an iteration that yields more entries than there are keys", () =>
  Effect.gen(function*() {
    const make = valueMapVariants["ordered"]!["iteration does not end"]!
    const law = Laws.weakValueMap((heap) => new make(heap), { ordered }).find(({ name }) => /order/.test(name))!
    assert.deepStrictEqual(linesOf(yield* Effect.flip(law.check({ seed: 1 }))), [
      "const subject = make(heap)",
      "set(\"key0\", value0)",
      "const iterator = iterate()",
      "iterator.next()",
      "const [key, value] = [\"key0\", value0]",
      "iterator.next()",
      "const [key, value] = [\"key0\", value0] // does not end"
    ])
  }))

const patternOf = (law: string): RegExp =>
  Object.entries(tableLaws).find(([name]) => name === law)?.[1] ?? new RegExp(`^${law}$`)

for (const [name, { lawsOfVariant, variants }] of Object.entries(groups)) {
  describe(`${name}, further mistakes`, () => {
    for (const [law, byVariant] of Object.entries(variants)) {
      for (const variant of Object.keys(byVariant)) {
        const make = () =>
          lawsOfVariant(law, variant).find(({ name }) => patternOf(law).test(name.replace(/^\w+: /, "")))!
        if (forcesCollections(make())) continue
        it.effect(`says what is wrong: ${variant}`, () =>
          Effect.gen(function*() {
            const lines = linesOf(yield* Effect.flip(make().check({ seed: 1 })))
            assert.strictEqual(lines.at(-1), reasons[name]![law]![variant])
          }))
      }
    }
  })
}
