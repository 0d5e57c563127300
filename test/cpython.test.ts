/**
 * Tests of the behaviour that CPython's own test suite tests. `cpython/` has one file per
 * group of CPython's test classes. For each test of CPython it has a test of the same
 * name, or a reason why no such test is possible in JavaScript. The first tests below
 * check that this list is complete.
 *
 * `python.test.ts` covers the statements of Python's documentation instead.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Table } from "./cpython/entry.ts"
import { FinalizeTestCase, ModuleTestCase } from "./cpython/finalize.ts"
import { MappingTestCase } from "./cpython/mapping.ts"
import { WeakKeyDictionaryTestCase, WeakValueDictionaryTestCase } from "./cpython/mappingProtocol.ts"
import { names } from "./cpython/names.ts"
import { ReferencesTestCase, SubclassableWeakrefTestCase } from "./cpython/references.ts"
import { WeakMethodTestCase } from "./cpython/weakMethod.ts"
import { TestWeakSet } from "./cpython/weakSet.ts"

const tables: { readonly [Class in keyof typeof names]: Table<Class> } = {
  ReferencesTestCase,
  SubclassableWeakrefTestCase,
  WeakMethodTestCase,
  MappingTestCase,
  WeakValueDictionaryTestCase,
  WeakKeyDictionaryTestCase,
  FinalizeTestCase,
  ModuleTestCase,
  TestWeakSet
}

describe("the list of CPython's tests", () => {
  it("has every class of CPython's tests", () => {
    assert.deepStrictEqual(Object.keys(tables), Object.keys(names))
  })

  for (const [className, table] of Object.entries(tables)) {
    it(`has every test of ${className}, with a counterpart or a reason`, () => {
      assert.deepStrictEqual(Object.keys(table).sort(), [...names[className as keyof typeof names]].sort())
      for (const [name, entry] of Object.entries(table)) {
        assert.isTrue(entry._tag === "Counterpart" || entry.reason.length > 20, name)
      }
    })
  }
})

for (const [className, table] of Object.entries(tables)) {
  describe(`CPython: ${className}`, () => {
    for (const [name, entry] of Object.entries(table)) {
      if (entry._tag === "Counterpart") entry.test(name)
    }
  })
}
