/** Compares hubs and targets with a simple, strong model, with collections in the middle. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { EventEmitter, getEventListeners, setMaxListeners } from "node:events"
import { WeakListeners } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"

const names = [0, 1, 2, 3]
const functions = [0, 1, 2]

type Step =
  | { readonly type: "add" | "addMethod" | "stop"; readonly name: number; readonly f: number }
  | { readonly type: "remove" | "collect"; readonly name: number }
  | { readonly type: "finalize" }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constantFrom("add" as const, "add" as const, "addMethod" as const, "stop" as const),
    name: fc.constantFrom(...names),
    f: fc.constantFrom(...functions)
  }),
  fc.record({ type: fc.constantFrom("remove" as const, "collect" as const), name: fc.constantFrom(...names) }),
  fc.record({ type: fc.constant("finalize" as const) })
)

/** A publication, and what its listeners do during the call with this number. */
interface Publication {
  readonly type: "publish"
  readonly during: ReadonlyArray<ReadonlyArray<Step>>
  readonly isEffect: boolean
}

const publication: fc.Arbitrary<Publication> = fc.record({
  type: fc.constant("publish" as const),
  during: fc.array(fc.array(step, { maxLength: 3 }), { maxLength: 4 }),
  isEffect: fc.boolean()
})

const script = fc.array(fc.oneof({ weight: 3, arbitrary: step }, { weight: 1, arbitrary: publication }), {
  maxLength: 40
})

interface Entry {
  readonly name: number
  readonly id: number
  readonly key: string
  readonly serial: number
}

interface World {
  readonly run: (step: Step) => void
  readonly publish: (during: ReadonlyArray<ReadonlyArray<Step>>, isEffect: boolean) => Array<string>
  readonly size: () => number
}

/** Every receiver has an id, because another receiver of the same name follows a collected one. */
const model = (): World => {
  let entries: Array<Entry> = []
  let serial = 0
  const ids = new Map(names.map((name) => [name, 0]))
  const has = (entry: Entry) => entries.includes(entry)
  const isAlive = (entry: Entry) => ids.get(entry.name) === entry.id
  const keyOf = (type: string, f: number) => `${type === "addMethod" ? "m" : "f"}${f}`
  const run = (step: Step): void => {
    switch (step.type) {
      case "add":
      case "addMethod": {
        const { f, name } = step
        const id = ids.get(name)!
        const key = keyOf(step.type, f)
        if (entries.some((entry) => entry.name === name && entry.id === id && entry.key === key)) return
        entries = [...entries, { name, id, key, serial: ++serial }]
        return
      }
      case "stop": {
        entries = entries.filter((entry) =>
          !(entry.name === step.name && isAlive(entry) && entry.key === keyOf("add", step.f))
        )
        return
      }
      case "remove": {
        entries = entries.filter((entry) => !(entry.name === step.name && isAlive(entry)))
        return
      }
      case "collect": {
        ids.set(step.name, ids.get(step.name)! + 1)
        return
      }
      case "finalize": {
        entries = entries.filter(isAlive)
      }
    }
  }
  return {
    run,
    publish: (during) => {
      const log: Array<string> = []
      const last = serial
      for (const entry of entries.slice()) {
        if (entry.serial > last || !has(entry) || !isAlive(entry)) continue
        const steps = during[log.length] ?? []
        log.push(`${entry.name} ${entry.id} ${entry.key}`)
        steps.forEach(run)
      }
      return log
    },
    size: () => entries.length
  }
}

interface Publish {
  readonly log: Array<string>
  readonly during: ReadonlyArray<ReadonlyArray<Step>>
  readonly isEffect: boolean
}

const subject = (): World => {
  const { collect, finalize, heap } = TestHeap.makeUnsafe()
  const listeners = WeakListeners.makeUnsafe<Publish>(heap)
  class Receiver {
    readonly name: number
    readonly id: number
    constructor(name: number, id: number) {
      this.name = name
      this.id = id
    }
    m0(event: Publish) {
      return handle(this, "m0", event)
    }
    m1(event: Publish) {
      return handle(this, "m1", event)
    }
    m2(event: Publish) {
      return handle(this, "m2", event)
    }
  }
  const handle = ({ id, name }: Receiver, key: string, { during, isEffect, log }: Publish) => {
    const steps = during[log.length] ?? []
    log.push(`${name} ${id} ${key}`)
    const act = () => steps.forEach(run)
    return isEffect ? Effect.andThen(Effect.yieldNow, Effect.sync(act)) : act()
  }
  const methods = ["m0", "m1", "m2"] as const
  const fs = functions.map((f) => (receiver: Receiver, event: Publish) => handle(receiver, `f${f}`, event))
  const receivers = names.map((name) => new Receiver(name, 0))
  const handles = new Map<string, WeakListeners.Listener>()
  const run = (step: Step): void => {
    switch (step.type) {
      case "add": {
        const receiver = receivers[step.name]!
        handles.set(`${step.name} ${receiver.id} ${step.f}`, WeakListeners.addUnsafe(listeners, receiver, fs[step.f]!))
        return
      }
      case "addMethod": {
        WeakListeners.addMethodUnsafe(listeners, receivers[step.name]!, methods[step.f]!)
        return
      }
      case "stop": {
        const handle = handles.get(`${step.name} ${receivers[step.name]!.id} ${step.f}`)
        if (handle !== undefined) WeakListeners.stop(handle)
        return
      }
      case "remove": {
        WeakListeners.remove(listeners, receivers[step.name]!)
        return
      }
      case "collect": {
        const receiver = receivers[step.name]!
        collect(receiver)
        receivers[step.name] = new Receiver(receiver.name, receiver.id + 1)
        return
      }
      case "finalize": {
        finalize()
      }
    }
  }
  return {
    run,
    publish: (during, isEffect) => {
      const log: Array<string> = []
      Effect.runSync(WeakListeners.publish(listeners, { log, during, isEffect }))
      return log
    },
    size: () => WeakListeners.size(listeners)
  }
}

describe("WeakListeners", () => {
  it("a hub agrees with its model on every script", () => {
    fc.assert(
      fc.property(script, (steps) => {
        const [expected, actual] = [model(), subject()]
        for (const step of steps) {
          if (step.type === "publish") {
            assert.deepStrictEqual(
              actual.publish(step.during, step.isEffect),
              expected.publish(step.during, step.isEffect)
            )
          } else {
            expected.run(step)
            actual.run(step)
          }
          assert.strictEqual(actual.size(), expected.size())
        }
      }),
      { numRuns: 500 }
    )
  })

  it.each(["EventTarget", "EventEmitter"])("the listeners of an %s agree with their model on every script", (kind) => {
    const command = fc.oneof(
      fc.record({ type: fc.constantFrom("listen", "listen", "collect"), name: fc.constantFrom(...names) }),
      fc.record({ type: fc.constant("stop"), name: fc.nat({ max: 9 }) }),
      fc.record({ type: fc.constantFrom("emit", "finalize"), name: fc.constant(0) })
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const { collect, finalize, heap } = TestHeap.makeUnsafe()
        const eventTarget = new EventTarget()
        setMaxListeners(0, eventTarget)
        const emitter = new EventEmitter().setMaxListeners(0)
        const isTarget = kind === "EventTarget"
        const emit = () => isTarget ? eventTarget.dispatchEvent(new Event("data")) : emitter.emit("data")
        const count = () => isTarget ? getEventListeners(eventTarget, "data").length : emitter.listenerCount("data")
        const log: Array<number> = []
        const receivers = names.map((name) => ({ name }))
        const handles: Array<WeakListeners.Listener> = []
        let expected: Array<{ readonly receiver: { readonly name: number }; readonly handle: number }> = []
        const dead = new Set<object>()
        const drop = () => {
          expected = expected.filter(({ receiver }) => !dead.has(receiver))
        }
        for (const { name, type } of commands) {
          switch (type) {
            case "listen": {
              const receiver = receivers[name]!
              expected.push({ receiver, handle: handles.length })
              handles.push(
                WeakListeners.listenUnsafe(
                  isTarget ? eventTarget : emitter,
                  "data",
                  receiver,
                  (self) => void log.push(self.name),
                  { heap }
                )
              )
              break
            }
            case "collect": {
              collect(receivers[name]!)
              dead.add(receivers[name]!)
              receivers[name] = { name }
              break
            }
            case "stop": {
              const handle = handles[name]
              if (handle === undefined) break
              const isThere = expected.some((entry) => entry.handle === name)
              assert.strictEqual(WeakListeners.stop(handle), isThere)
              expected = expected.filter((entry) => entry.handle !== name)
              break
            }
            case "finalize": {
              finalize()
              drop()
              break
            }
            case "emit": {
              emit()
              // A dead receiver's listener removes itself when it is called.
              drop()
              assert.deepStrictEqual(log.splice(0), expected.map(({ receiver }) => receiver.name))
            }
          }
          assert.strictEqual(count(), expected.length)
        }
      }),
      { numRuns: 200 }
    )
  })

  it.effect("a receiver may die at any moment of a program", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const listeners = yield* WeakListeners.make<number>()
        const target = new EventEmitter()
        const log: Array<string> = []
        const [a, b] = [{ name: "a" }, { name: "b" }]
        for (const receiver of [a, b]) {
          yield* WeakListeners.add(listeners, receiver, (self, event) =>
            Effect.andThen(
              TestHeap.turn,
              Effect.sync(() => void log.push(`${self.name}${event}`))
            ))
          yield* WeakListeners.listen(target, "data", receiver, (self) => void log.push(`${self.name}!`))
        }
        yield* TestHeap.mayCollect(a, b)
        for (const event of [1, 2]) {
          yield* TestHeap.turn
          yield* WeakListeners.publish(listeners, event)
          target.emit("data")
        }
        // Whoever has missed one event misses all later ones, and the order never changes.
        for (const name of ["a", "b"]) {
          const own = log.filter((entry) => entry.startsWith(name)).join()
          assert.isTrue(`${name}1,${name}!,${name}2,${name}!`.startsWith(own), log.join())
        }
        const first = log.indexOf("b1")
        assert.isTrue(first === -1 || log.indexOf("a1") <= first, log.join())
        assert.isAtLeast(WeakListeners.size(listeners), 0)
      })
      const { exhaustive, schedules } = yield* TestHeap.explore(program)
      assert.isTrue(exhaustive)
      assert.isAbove(schedules, 20)
    }))
})
