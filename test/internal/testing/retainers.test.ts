/** The paths of the program of `testing/leaks` in a test runner. Its own process is in `testing/LeakDetector.program.test.ts`. */
import { assert, describe, it } from "@effect/vitest"
import * as Retainers from "../../../src/internal/testing/retainers.ts"
import { LeakDetector } from "../../../src/testing/index.ts"
import { isNode, skip } from "../../support/host.ts"
import { details, leaks, Session } from "../../testing/leaks/program.ts"

// Older versions have other names for a few objects.
const isKnown = isNode && Number(process.versions.node.split(".")[0]) >= 26

const refs = new Map<string, WeakRef<object>>()

/** Leaks a value in each of these ways, once. */
const leak = async (names: ReadonlyArray<string>): Promise<void> => {
  for (const name of names) {
    if (refs.has(name)) continue
    const value = new Session()
    refs.set(name, new WeakRef(value))
    await ({ ...leaks, ...details })[name]!(value)
  }
}

/** Each place in the program is written as `@`. */
const expected: Readonly<Record<string, string>> = {
  "closure": "globalThis.onSave → variable value captured by closure saveLater (@) → value",
  "Map": "globalThis.cache → Map → entry \"k\" → value",
  "listener": "globalThis.bus → listener \"data\" of Bus → variable value captured by closure (anonymous) (@) → value",
  "timer": "timer (setTimeout) → variable value captured by closure onTime (@) → value",
  "Promise": "globalThis.request → Promise reaction → variable value captured by closure respond (@) → value",
  "suspended generator": "globalThis.steps → suspended generator \"walk\" → variable value → value",
  "fiber":
    "globalThis.gate → DeferredImpl.resumes[0] → suspended fiber of \"loadUser\" → suspended generator (@) → variable session → value",
  "Scope": "globalThis.scope → Scope finalizer registered at @ → value",
  "module variable": "variable cache of module test/testing/leaks/cache.ts → Array[0] → value",
  "module export": "variable exported of module test/testing/leaks/cache.ts → Object.value → value",
  "static property": "variable Registry of module test/testing/leaks/cache.ts → Registry.all → Set → element → value",
  "CommonJS variable": "variable recent of module test/testing/leaks/legacy.cjs → Array[0] → value",
  "CommonJS exports": "exports of module test/testing/leaks/legacy.cjs → Object.config.value → value",
  "Set": "globalThis.online → Set → element → value",
  "object": "globalThis.app.users[1].session → value",
  "private field": "globalThis.vault → Vault.#secret → value",
  "symbol": "globalThis.request2[Symbol(user)] → value",
  "bound argument": "globalThis.handler → bound function handle → argument 2 → value",
  "map iterator": "globalThis.iterator → MapIterator → entry \"k\" → value",
  "message port":
    "globalThis.port → listener \"message\" of MessagePort → variable value captured by closure (anonymous) (@) → value",
  "process": "listener \"SIGUSR2\" of process → variable value captured by closure (anonymous) (@) → value",
  "EventTarget":
    "globalThis.button → listener \"click\" of EventTarget → variable value captured by closure (anonymous) (@) → value",
  "AbortSignal":
    "globalThis.controller → AbortController.#signal → listener \"abort\" of AbortSignal → variable value captured by closure (anonymous) (@) → value",
  "interval": "timer (setInterval) → variable value captured by closure (anonymous) (@) → value",
  "argument of a timer": "timer (setTimeout) → arguments → value",
  "result of a Promise": "globalThis.result → Promise result → value",
  "async function":
    "globalThis.loading → Promise reaction → suspended async function \"load\" → variable value → value",
  "finished generator": "globalThis.reading → finished generator \"read\" → variable value → value",
  "WeakMap": "globalThis.connection → WeakMap → value for the key Connection → value",
  "FinalizationRegistry": "globalThis.registry[0] → FinalizationRegistry → held value → value",
  "stack of an error": "globalThis.lastError → Error.stack → Connection.session → value",
  "cause of an error": "globalThis.failure → Error.cause → value",
  "getter": "globalThis.settings[\"get session\"] → variable value captured by closure get session (@) → value",
  "test function": "globalThis.runners[0] → variable kept captured by closure (anonymous) (@) → Array[0] → value",
  "Deferred": "globalThis.deferred → DeferredImpl.effect → value",
  "Ref": "globalThis.ref.ref.current → value",
  "Queue": "globalThis.queue.messages.head.array[0] → value",
  "Cache": "globalThis.users.map.backing → Map → entry \"k\" → EntryImpl.fiber → suspended fiber → value",
  "service": "globalThis.runtime.cachedContext.base → Map → entry \"Session\" → value",
  "PubSub": "globalThis.pubsub → PubSubImpl.pubsub → UnboundedPubSub.replayBuffer → ReplayBuffer.head.value → value",
  "array iterator": "globalThis.items → ArrayIterator → array → Array[0] → value",
  "iterator helper":
    "globalThis.mapped → IteratorHelper → callback → variable value captured by closure (anonymous) (@) → value",
  "listener of once": "listener \"SIGUSR2\" of process → variable value captured by closure (anonymous) (@) → value",
  "store of an AsyncLocalStorage": "globalThis.later → timer (setTimeout) → AsyncLocalStorage → store → value",
  "Map with a numeric key": "globalThis.byNumber → Map → entry 42 → value",
  "key of a Map": "globalThis.byKey → Map → key → value",
  "Map with a long key":
    "globalThis.byLongKey → Map → entry \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" → value",
  "second listener":
    "globalThis.emitter → listener \"data\" of EventEmitter → variable value captured by closure (anonymous) (@) → value",
  "fiber in a span": "globalThis.gate → DeferredImpl.resumes[1] → suspended fiber of \"saveUser\" → value",
  "fiber of a named generator":
    "globalThis.gate → DeferredImpl.resumes[2] → suspended fiber of \"deleteUser\" → suspended generator \"deleteUser\" → variable value → value",
  "second finalizer of a Scope":
    "globalThis.outer → Scope finalizer registered at @ → variable value captured by closure (anonymous) (@) → value",
  "weak references": "globalThis.strongly.one.two.three.four.five.six[0] → value",
  "one of many instances": "globalThis.instances.value → value",
  "variable of a block": "globalThis.block → variable second captured by closure (anonymous) (@) → Array[0] → value",
  "finished async generator": "globalThis.finished → finished async generator \"items\" → variable value → value"
}

describe("find", { timeout: 300_000 }, () => {
  it("knows all ways but one, whose module waits for ever", () => {
    const names = Object.keys({ ...leaks, ...details }).filter((name) => name !== "variable of a module that awaits")
    assert.sameMembers(Object.keys(expected), names)
  })

  const entries = Object.entries(expected)
  // The values of one test share a snapshot.
  for (let at = 0; at < entries.length; at += 6) {
    const group = entries.slice(at, at + 6)
    it(`names the path to a value: ${group.map(([name]) => name).join(", ")}`, async () => {
      if (!isKnown) return skip("knows the names of Node 26")
      await leak(group.map(([name]) => name))
      const found = await Promise.all(group.map(([name]) => Retainers.find(refs.get(name)!)))
      const paths = found.map((result) => {
        if (result._tag !== "Retained") return result._tag
        const [, path] = new LeakDetector.LeakError({ rounds: 1, retainers: result.retainers }).message.split("\n")
        return path!.trim().replaceAll(/test\/testing\/leaks\/program\.ts:\d+:\d+/g, "@")
      })
      assert.deepStrictEqual(
        Object.fromEntries(group.map(([name], index) => [name, paths[index]])),
        Object.fromEntries(group)
      )
    })
  }
})
