/**
 * Compares `explore` with an enumeration of everything that a collector may do. The enumeration tries every
 * possible step of the collector before every operation, even if the program cannot see the difference.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { TestHeap } from "../../src/testing/index.ts"

type Operation =
  | { readonly kind: "make" | "deref" | "mayCollect" | "hold" | "register" | "unregister"; readonly target: number }
  | { readonly kind: "turn" }

type Script = ReadonlyArray<Operation>

/** The results that the program sees, in order. Each clean-up is logged with the name of its registration. */
type Log = ReadonlyArray<string>

const explored = (script: Script, lateUnregister: boolean, targets: number) => {
  const logs: Array<Log> = []
  const program = Effect.gen(function*() {
    const { heap } = yield* TestHeap.TestHeap
    const log: Array<string> = []
    const values = Array.from({ length: targets }, (_, id) => ({ id }))
    const tokens = values.map(() => ({}))
    const refs: Array<WeakRef<object> | undefined> = values.map(() => undefined)
    const registry = new heap.FinalizationRegistry<string>((held) => log.push(`clean up ${held}`))
    for (const [index, operation] of script.entries()) {
      if (operation.kind === "turn") {
        yield* TestHeap.turn
        log.push("turn")
        continue
      }
      const { kind, target } = operation
      if (kind === "make") refs[target] ??= new heap.WeakRef(values[target]!)
      else if (kind === "deref") log.push(`${target}: ${refs[target]?.deref() === undefined ? "dead" : "alive"}`)
      else if (kind === "mayCollect") yield* TestHeap.mayCollect(values[target]!)
      else if (kind === "hold") yield* TestHeap.hold(values[target]!)
      else if (kind === "register") registry.register(values[target]!, `${target}/${index}`, tokens[target])
      else registry.unregister(tokens[target]!)
    }
    logs.push(log)
  })
  return Effect.map(TestHeap.explore(program, { lateUnregister }), (explored) => ({ ...explored, logs }))
}

interface Value {
  readonly mayBeCollected: boolean
  readonly kept: boolean
  /** Whether there is a reference, and whether it was made in the present life, in the life before it, or earlier. */
  readonly reference: "none" | "present" | "lost" | "older"
  /** Whether the program has not seen yet that the last life has ended. */
  readonly diedUnseen: boolean
  /** Each was made in the present life, in the life before it, or earlier. */
  readonly registrations: ReadonlyArray<{ readonly name: string; readonly of: "present" | "lost" | "older" }>
}

const die = (value: Value): Value => ({
  ...value,
  mayBeCollected: false,
  diedUnseen: true,
  reference: value.reference === "none" ? "none" : older(value.reference),
  registrations: value.registrations.map(({ name, of }) => ({ name, of: older(of) }))
})

const older = (life: "present" | "lost" | "older") => life === "present" ? "lost" : "older"

/** Returns the new state of a target, and the result that the program sees, or `undefined` if that is impossible. */
const operate = (
  kind: Exclude<Operation["kind"], "turn">,
  value: Value,
  name: string,
  lateUnregister: boolean
): readonly [Value, shown?: string] | undefined => {
  switch (kind) {
    case "deref":
      if (value.reference === "present") return [{ ...value, kept: true }, "alive"]
      return [value.reference === "lost" ? { ...value, diedUnseen: false } : value, "dead"]
    case "unregister":
      return [{ ...value, registrations: value.registrations.filter(({ of }) => of !== "present" && lateUnregister) }]
    case "mayCollect":
      return [value.diedUnseen ? value : { ...value, mayBeCollected: true }]
  }
  // The reference is made only once.
  if (kind === "make" && value.reference !== "none") return [value]
  // The program passes the target, so it is alive. If it died, the program has seen this, and uses it as a new object.
  if (value.diedUnseen) return undefined
  switch (kind) {
    case "hold":
      return [{ ...value, mayBeCollected: false }]
    case "make":
      return [{ ...value, reference: "present", kept: true }]
    case "register":
      return [{ ...value, registrations: [...value.registrations, { name, of: "present" }] }]
  }
}

const everything = (script: Script, lateUnregister: boolean, targets: number): ReadonlySet<string> => {
  const logs = new Set<string>()
  const seen = new Set<string>()
  const isNew = (...state: ReadonlyArray<unknown>): boolean => seen.size < seen.add(JSON.stringify(state)).size

  const step = (at: number, values: ReadonlyArray<Value>, log: Log): void => {
    if (!isNew("step", at, values, log)) return
    for (const [target, value] of values.entries()) {
      if (value.mayBeCollected && !value.kept) step(at, values.with(target, die(value)), log)
    }
    const operation = script[at]
    if (operation === undefined) {
      logs.add(JSON.stringify(log))
    } else if (operation.kind === "turn") {
      between(at, values.map((value) => ({ ...value, kept: false })), log)
    } else {
      const { kind, target } = operation
      const result = operate(kind, values[target]!, `${target}/${at}`, lateUnregister)
      if (result === undefined) return
      const [value, shown] = result
      step(at + 1, values.with(target, value), shown === undefined ? log : [...log, `${target}: ${shown}`])
    }
  }

  const between = (at: number, values: ReadonlyArray<Value>, log: Log): void => {
    if (!isNew("between", at, values, log)) return
    for (const [target, value] of values.entries()) {
      if (value.mayBeCollected) between(at, values.with(target, die(value)), log)
      for (const registration of value.registrations) {
        if (registration.of === "present") continue
        const registrations = value.registrations.filter((other) => other !== registration)
        const after = { ...value, registrations, diedUnseen: value.diedUnseen && registration.of === "older" }
        between(at, values.with(target, after), [...log, `clean up ${registration.name}`])
      }
    }
    step(at + 1, values, [...log, "turn"])
  }

  const unused: Value = {
    mayBeCollected: false,
    kept: false,
    reference: "none",
    diedUnseen: false,
    registrations: []
  }
  step(0, Array.from({ length: targets }, () => unused), [])
  return logs
}

/** Generates scripts. Most begin with operations without which the others have no effect. */
const scripts = (targets: number, kinds: ReadonlyArray<Operation["kind"]>, maxLength: number) => {
  const operation = fc.record({ kind: fc.constantFrom(...kinds), target: fc.nat({ max: targets - 1 }) })
  const beginning = fc.tuple(
    ...Array.from(
      { length: targets },
      (_, target) =>
        fc.subarray(["make", "register", "register", "mayCollect"] as const, { minLength: 1 }).map((begun) =>
          begun.filter((kind) => kinds.includes(kind)).map((kind) => ({ kind, target }))
        )
    )
  )
  return fc.tuple(beginning, fc.array(operation, { maxLength })).map((parts): Script => parts.flat(2))
}

const agree = async (script: Script, lateUnregister: boolean, targets: number) => {
  const expected = everything(script, lateUnregister, targets)
  fc.pre(expected.size < 2_000)
  const { exhaustive, logs, schedules } = await Effect.runPromise(explored(script, lateUnregister, targets))
  const actual = logs.map((log) => JSON.stringify(log))
  assert.isTrue(exhaustive)
  assert.deepStrictEqual(actual.toSorted(), [...expected].toSorted())
  assert.strictEqual(schedules, expected.size)
}

describe("TestHeap.explore", () => {
  const reads = ["make", "deref", "deref", "deref", "mayCollect", "turn", "turn"] as const
  const all = [...reads, "hold", "register", "register", "unregister", "turn", "mayCollect"] as const

  it("shows exactly the behaviours of the enumeration: reads", () =>
    fc.assert(
      fc.asyncProperty(scripts(3, reads, 14), (script) => agree(script, false, 3)),
      { numRuns: 300 }
    ))

  it("shows exactly the behaviours of the enumeration: reads and clean-ups", () =>
    fc.assert(
      fc.asyncProperty(scripts(2, all, 12), (script) => agree(script, false, 2)),
      { numRuns: 400 }
    ))

  it("shows exactly the behaviours of the enumeration: late clean-ups", () =>
    fc.assert(
      fc.asyncProperty(scripts(2, all, 12), (script) => agree(script, true, 2)),
      { numRuns: 400 }
    ))
})
