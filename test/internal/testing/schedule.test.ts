import { assert, describe, it } from "@effect/vitest"
import { Cause } from "effect"
import type { Event } from "../../../src/internal/testing/exploredCollector.ts"
import * as Schedule from "../../../src/internal/testing/schedule.ts"
import { Registration } from "../../../src/internal/testing/simulatedCollector.ts"

const a = { id: "a" }
const b = { id: "b" }
const cleanUp = (target: object, held: unknown, id = 1) => new Registration(target, () => {}, held, id)

/** An event in turn 1, with the fields that a test names. */
const event = (fields: Partial<Event> & Pick<Event, "kind">): Event =>
  ({ target: a, turn: 1, isAmbiguous: false, ...fields }) as Event

describe("trace", () => {
  const rows: ReadonlyArray<readonly [expected: string, ...events: ReadonlyArray<Event>]> = [
    ["nothing is collected"],
    [`turn 1: {id: "a"} is collected`, event({ kind: "collected" })],
    [`turn 1: {id: "a"} is collected before "deref"`, event({ kind: "collected", before: "deref" })],
    [
      `turn 1: {id: "a"} is collected and its clean-up runs`,
      event({ kind: "collected and cleaned up", registration: cleanUp(a, "x") })
    ],
    [
      `turn 1: the clean-up of {id: "a"} runs`,
      event({ kind: "cleaned up", registration: cleanUp(a, "x") })
    ],
    [
      `turn 1: the clean-up of {id: "a"} runs, although it was unregistered`,
      event({ kind: "cleaned up late", registration: cleanUp(a, "x") })
    ],
    [`turn 1: "pending" counts 1 clean-up`, event({ kind: "counted", before: "pending", count: 1 })],
    [`turn 1: "pending" counts 2 clean-ups`, event({ kind: "counted", before: "pending", count: 2 })],
    [
      `turn 1: {id: "a"} is collected; its clean-up runs; {id: "b"} is collected; turn 2: the clean-up of {id: "a"} runs`,
      event({ kind: "collected" }),
      event({ kind: "cleaned up" }),
      event({ kind: "collected", target: b }),
      event({ kind: "cleaned up", turn: 2 })
    ],
    [
      `turn 1: {id: "a"} is collected; "pending" counts 1 clean-up; the clean-up of {id: "a"} runs`,
      event({ kind: "collected" }),
      event({ kind: "counted", before: "pending", count: 1 }),
      event({ kind: "cleaned up" })
    ],
    [`after the end: {id: "a"} is collected`, event({ kind: "collected", turn: undefined as never })],
    [
      `turn 1: {id: "a"} is collected and its clean-up runs with "x"`,
      event({ kind: "collected and cleaned up", registration: cleanUp(a, "x"), isAmbiguous: true })
    ],
    [
      `turn 1: the clean-up of {id: "a"} runs with "x"; its clean-up runs with "y"`,
      ...["x", "y"].map((held, id) => event({ kind: "cleaned up", registration: cleanUp(a, held, id) }))
    ]
  ]
  for (const [expected, ...events] of rows) {
    it(`prints: ${expected}`, () => assert.strictEqual(Schedule.trace(events, []), expected))
  }
})

describe("names", () => {
  it("numbers the targets that print the same, and shortens long names", () => {
    const twin = { id: "a" }
    const long = { text: "x".repeat(100) }
    function named() {}
    const targets = [a, twin, b, Symbol("s"), named, () => {}, new Map([[1, 2]]), long, { nested: {} }]
    const nameOf = Schedule.names(targets)
    assert.deepStrictEqual(targets.map(nameOf), [
      `{id: "a"} (number 1)`,
      `{id: "a"} (number 2)`,
      `{id: "b"}`,
      "Symbol(s)",
      "function named",
      "a function",
      "Map([[1,2]])",
      `{text: "${"x".repeat(51)}…`,
      "{nested: …}"
    ])
  })

  it("cuts a name that is longer than 60 characters", () => {
    const [fits, long] = [60, 61].map((length) => Symbol("x".repeat(length - 8)))
    const nameOf = Schedule.names([fits!, long!])
    assert.strictEqual(nameOf(fits!), `Symbol(${"x".repeat(52)})`)
    assert.strictEqual(nameOf(long!), `Symbol(${"x".repeat(52)}…`)
  })

  it("names what cannot be printed", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    const callable = Proxy.revocable(() => {}, {})
    revoke()
    callable.revoke()
    const nameOf = Schedule.names([proxy, callable.proxy])
    assert.strictEqual(nameOf(proxy), "an object that cannot be printed")
    assert.strictEqual(nameOf(callable.proxy), "a function that cannot be printed")
  })
})

describe("summary", () => {
  const rows: ReadonlyArray<readonly [Cause.Cause<unknown>, string]> = [
    [Cause.fromReasons([]), "it is interrupted"],
    [Cause.interrupt(1), "it is interrupted"],
    [Cause.fail("text"), "text"],
    [Cause.fail(new Error("message")), "message"],
    [Cause.die(new RangeError("")), "RangeError"],
    [Cause.die({ id: 1 }), `{"id":1}`],
    [Cause.fromReasons([...Cause.fail("a").reasons, ...Cause.die("b").reasons, ...Cause.fail("a").reasons]), "a; b"]
  ]
  for (const [cause, expected] of rows) {
    it(`prints: ${expected}`, () => assert.strictEqual(Schedule.summary(cause), expected))
  }
})

describe("parse", () => {
  it("reads what print writes", () => {
    const schedules: ReadonlyArray<readonly [string, Schedule.Schedule]> = [
      ["", { lateUnregister: false, turns: "task", steps: [] }],
      ["late", { lateUnregister: true, turns: "task", steps: [] }],
      ["job,0:deref#1", { lateUnregister: false, turns: "job", steps: [{ at: 0, option: "deref#1" }] }],
      ["late,job,0:collect#1,12:cleanup#2,13:count#10", {
        lateUnregister: true,
        turns: "job",
        steps: [{ at: 0, option: "collect#1" }, { at: 12, option: "cleanup#2" }, { at: 13, option: "count#10" }]
      }]
    ]
    for (const [text, schedule] of schedules) {
      assert.strictEqual(Schedule.print(schedule), text)
      assert.deepStrictEqual(Schedule.parse(text), schedule)
    }
    assert.deepStrictEqual(Schedule.parse(" late , 0:deref#1 ,"), Schedule.parse("late,0:deref#1"))
  })

  it("returns undefined for a text that is no schedule", () => {
    for (
      const text of [
        "job,late",
        "0:other#1",
        "0:deref",
        "1:deref#1,1:deref#2",
        "2:deref#1,1:deref#2",
        "1:deref#1,3:deref#2,2:deref#3",
        "0 :deref#1"
      ]
    ) {
      assert.isUndefined(Schedule.parse(text), text)
    }
  })
})
