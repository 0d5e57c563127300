/** The decisions of the collector, one at a time. `test/testing/TestHeap.explore.test.ts` explores whole programs. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { currentRun, ExploredCollector } from "../../../src/internal/testing/exploredCollector.ts"
import { trace } from "../../../src/internal/testing/schedule.ts"
import { Collector } from "../../../src/internal/testing/simulatedCollector.ts"

type Settings = Partial<ConstructorParameters<typeof ExploredCollector>[0]>

const collectors: Array<ExploredCollector> = []

afterEach(() => {
  for (const collector of collectors.splice(0)) collector.stop()
})

/** Starts a run that takes the given options, and then always the first. Notes what the collector asks and reports. */
const start = (answers: ReadonlyArray<string> = [], settings: Settings = {}) => {
  const left = [...answers]
  const asked: Array<string> = []
  const errors: Array<unknown> = []
  const turns: Array<number> = []
  const collector = new ExploredCollector({
    choose: (options) => {
      asked.push(options.map((option) => option === "" ? "nothing" : option).join(", "))
      const choice = options.indexOf(left[0]!)
      if (choice === -1) return 0
      left.shift()
      return choice
    },
    onError: (error) => errors.push(error),
    onTurn: (turn) => turns.push(turn),
    lateUnregister: false,
    turns: "task",
    ...settings
  })
  collectors.push(collector)
  return {
    collector,
    asked,
    errors,
    turns,
    told: () => trace(collector.events, collector.targets),
    /** Whether every answer was to a question. */
    isDone: () => left.length === 0
  }
}

const nextTask = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

/** Ends the turn. The next one begins as an announced task. */
const nextTurn = async (collector: ExploredCollector): Promise<void> => {
  await nextTask()
  collector.beginTask()
}

const [a, b, c] = [{ id: "a" }, { id: "b" }, { id: "c" }]
/** A clean-up that notes what it receives. */
const noting = () => {
  const held: Array<unknown> = []
  return { held, cleanUp: (value: unknown): unknown => void held.push(value) }
}

describe("A turn", () => {
  it("begins when the program runs, and ends with the microtasks of its task", async () => {
    const { collector, turns } = start()
    assert.isFalse(collector.isRunning)
    collector.enter()
    collector.enter()
    assert.isTrue(collector.isRunning)
    for (let job = 0; job < 5; job++) await Promise.resolve()
    assert.isTrue(collector.isRunning)
    assert.strictEqual(collector.turn, 1)
    await nextTask()
    assert.isFalse(collector.isRunning)
    assert.strictEqual(collector.turn, 2)
    assert.deepStrictEqual(turns, [2])
    await nextTask()
    collector.enter()
    await nextTask()
    assert.deepStrictEqual(turns, [2, 3])
  })

  it("ends with its job if each job is a turn", async () => {
    const { collector, turns } = start([], { turns: "job" })
    collector.enter()
    await Promise.resolve()
    assert.isFalse(collector.isRunning)
    collector.enter()
    await Promise.resolve()
    assert.deepStrictEqual(turns, [2, 3])
    assert.strictEqual(collector.turn, 3)
  })

  it("does not end, and none begins, when the run is over", async () => {
    const { collector, turns } = start()
    collector.enter()
    collector.stop()
    assert.isFalse(collector.isRunning)
    await nextTask()
    collector.enter()
    await nextTask()
    assert.deepStrictEqual(turns, [])
    assert.strictEqual(collector.turn, 1)
  })

  it("that nothing announced is a gap if clean-ups were waiting before it", async () => {
    const { cleanUp } = noting()
    for (const announced of [true, false]) {
      const gaps: ReadonlyArray<string> = announced ? [] : ["turn"]
      const { asked, collector } = start()
      collector.register(a, cleanUp, 1)
      await nextTask()
      collector.enter()
      assert.deepStrictEqual([...collector.gaps], [])
      collector.mayCollect(a)
      await nextTask()
      assert.deepStrictEqual(asked, ["nothing, cleanup#1"])
      if (announced) collector.beginTask()
      else collector.enter()
      assert.deepStrictEqual([...collector.gaps], gaps)
      collector.enter()
      assert.deepStrictEqual([...collector.gaps], gaps)
      collector.hold(a)
      await nextTask()
      // Nothing waits any more.
      collector.enter()
      assert.deepStrictEqual([...collector.gaps], gaps)
    }
  })

  it("is no gap when the run is over", async () => {
    const { collector } = start()
    collector.register(a, () => {}, 1)
    collector.mayCollect(a)
    await nextTask()
    collector.stop()
    collector.enter()
    assert.deepStrictEqual([...collector.gaps], [])
  })

  it("belongs to the newest run that has not stopped", () => {
    const outer = start().collector
    assert.strictEqual(currentRun(), outer)
    const inner = start().collector
    assert.strictEqual(currentRun(), inner)
    inner.stop()
    inner.stop()
    assert.strictEqual(currentRun(), outer)
    outer.stop()
    assert.isUndefined(currentRun())
  })
})

describe("A read", () => {
  it("of a target that was never released finds it, and notes it from the second turn on", async () => {
    const { asked, collector } = start()
    collector.keep(a)
    assert.isTrue(collector.read(a, 0))
    assert.deepStrictEqual(collector.unreleased, [])
    await nextTurn(collector)
    assert.isTrue(collector.read(a, 0))
    assert.deepStrictEqual(collector.unreleased, [a])
    assert.deepStrictEqual(asked, [])
    assert.deepStrictEqual(collector.targets, [])
    collector.mayCollect(a)
    assert.deepStrictEqual(collector.unreleased, [])
  })

  it("of a released target decides, and the target stays alive until the turn ends", async () => {
    const { asked, collector, told } = start()
    collector.keep(a)
    collector.mayCollect(a)
    // A new reference keeps its target.
    assert.isTrue(collector.read(a, 0))
    assert.deepStrictEqual(asked, [])
    await nextTurn(collector)
    assert.isTrue(collector.read(a, 0))
    assert.isTrue(collector.read(a, 0))
    assert.deepStrictEqual(asked, ["nothing, deref#1"])
    await nextTurn(collector)
    assert.isTrue(collector.read(a, 0))
    assert.deepStrictEqual(asked, ["nothing, deref#1", "nothing, deref#1"])
    assert.strictEqual(told(), "nothing is collected")
  })

  it("finds no target that has died, and tells when", async () => {
    const { asked, collector, isDone, told } = start(["deref#2"])
    for (const target of [a, b, a]) collector.mayCollect(target)
    assert.deepStrictEqual(collector.targets, [a, b])
    assert.isFalse(collector.read(b, 0))
    assert.isFalse(collector.read(b, 0))
    assert.strictEqual(collector.lifeOf(b), 1)
    assert.isTrue(collector.read(b, 1))
    assert.deepStrictEqual(asked, ["nothing, deref#2"])
    assert.strictEqual(told(), `turn 1: {id: "b"} is collected before "deref"`)
    assert.isTrue(collector.read(a, 0))
    assert.isTrue(isDone())
  })

  it("of a target that is held again, or that the program has collected, decides nothing", async () => {
    const { asked, collector } = start()
    collector.mayCollect(a)
    collector.hold(a)
    collector.mayCollect(b)
    collector.collect(b)
    collector.register(c, () => {}, 1)
    collector.collect(c)
    await nextTurn(collector)
    assert.isTrue(collector.read(a, 0))
    assert.isFalse(collector.read(b, 0))
    assert.isTrue(collector.read(b, 1))
    assert.isFalse(collector.read(c, 0))
    assert.deepStrictEqual(asked, ["nothing, cleanup#1"])
    assert.deepStrictEqual(collector.unreleased, [])
  })

  it("begins a turn, and so does each other operation", async () => {
    const registration = new Collector(0).register(a, () => {}, 1)
    const operations: Record<string, (collector: ExploredCollector) => unknown> = {
      read: (collector) => collector.read(a, 0),
      "read of the dead": (collector) => collector.read(a, 5),
      keep: (collector) => collector.keep(a),
      see: (collector) => collector.see(a),
      register: (collector) => collector.register(a, () => {}, 1),
      unregister: (collector) => collector.unregister(registration),
      mayCollect: (collector) => collector.mayCollect(a),
      hold: (collector) => collector.hold(a),
      retains: (collector) => collector.retains(a, b),
      pending: (collector) => collector.pending()
    }
    for (const [name, operation] of Object.entries(operations)) {
      const { collector, turns } = start()
      operation(collector)
      assert.isTrue(collector.isRunning, name)
      await nextTask()
      assert.deepStrictEqual(turns, [2], name)
    }
  })

  it("after the end of the run asks nothing, and marks the run that reads", () => {
    const earlier = start(["deref#1"])
    earlier.collector.mayCollect(a)
    earlier.collector.stop()
    assert.isTrue(earlier.collector.read(a, 0))
    assert.deepStrictEqual(earlier.asked, [])
    const { collector } = start()
    assert.isTrue(earlier.collector.read(a, 0))
    assert.isFalse(earlier.collector.read(a, 1))
    assert.isTrue(collector.usesEarlier)
    assert.deepStrictEqual([...collector.gaps], ["earlier WeakRef"])
    assert.isTrue(collector.isRunning)
    assert.isFalse(earlier.collector.usesEarlier)
  })
})

describe("The collector", () => {
  it("lists the targets that the host's heap refers to, and those to which nothing refers", () => {
    const { collector } = start()
    collector.usesHost("WeakRef", a)
    collector.usesHost("FinalizationRegistry", b)
    collector.usesHost("WeakRef", c)
    const unknown = { id: "unknown to the host" }
    for (const target of [b, a, unknown]) collector.mayCollect(target)
    assert.deepStrictEqual(collector.onHost, [[b, "FinalizationRegistry"], [a, "WeakRef"]])
    assert.deepStrictEqual(collector.unused, [b, a, unknown])
    collector.register(b, () => {}, 1)
    assert.deepStrictEqual(collector.unused, [a, unknown])
    collector.keep(a)
    collector.keep(unknown)
    assert.deepStrictEqual(collector.unused, [])
    assert.deepStrictEqual(collector.unreleased, [])
    collector.register(c, () => {}, 1)
    assert.deepStrictEqual(collector.unreleased, [c])
  })

  it("does not count what keeps a target after the end of the run", () => {
    const { collector } = start()
    collector.mayCollect(a)
    collector.stop()
    collector.keep(a)
    assert.deepStrictEqual(collector.unused, [a])
  })

  it("receives what it is asked to do, or the run that is in progress does if its own is over", () => {
    const earlier = start().collector
    assert.strictEqual(earlier.receiver, earlier)
    earlier.stop()
    assert.strictEqual(earlier.receiver, earlier)
    const { collector } = start()
    assert.isFalse(collector.usesEarlier)
    assert.strictEqual(earlier.receiver, collector)
    assert.isTrue(collector.usesEarlier)
    assert.strictEqual(collector.receiver, collector)
  })
})

describe("An owner", () => {
  /** Releases all three. `a` retains `b`, and `b` retains `c`. */
  const chain = (answers: ReadonlyArray<string> = []) => {
    const run = start(answers)
    run.collector.retains(a, b)
    run.collector.retains(b, c)
    return run
  }

  it("that was not released keeps what it retains", async () => {
    const { asked, collector } = chain()
    collector.mayCollect(c)
    collector.mayCollect(b)
    await nextTurn(collector)
    assert.isTrue(collector.read(c, 0))
    assert.deepStrictEqual(asked, [])
    collector.mayCollect(a)
    await nextTurn(collector)
    assert.isTrue(collector.read(c, 0))
    assert.deepStrictEqual(asked, ["nothing, deref#1"])
  })

  it("that is kept in this turn keeps what it retains", async () => {
    const { asked, collector } = chain()
    for (const target of [a, b, c]) collector.mayCollect(target)
    await nextTurn(collector)
    collector.keep(a)
    assert.isTrue(collector.read(c, 0))
    assert.deepStrictEqual(asked, [])
  })

  it("dies before what it retains", async () => {
    const { collector, told } = chain(["deref#3"])
    for (const target of [a, b, c]) collector.mayCollect(target)
    await nextTurn(collector)
    assert.isFalse(collector.read(c, 0))
    assert.isFalse(collector.read(a, 0))
    assert.isFalse(collector.read(b, 0))
    assert.strictEqual(
      told(),
      `turn 2: {id: "b"} is collected before "deref"; {id: "a"} is collected before "deref"; {id: "c"} is collected before "deref"`
    )
  })

  it("does not die with what it retains", async () => {
    const { collector } = chain(["deref#1"])
    for (const target of [a, b, c]) collector.mayCollect(target)
    await nextTurn(collector)
    assert.isFalse(collector.read(a, 0))
    assert.isTrue(collector.read(b, 0))
    assert.isTrue(collector.read(c, 0))
  })

  it("retains in its life only, and what has died is not retained", async () => {
    const { asked, collector } = start()
    collector.retains(a, c)
    collector.retains(b, c)
    collector.collect(a)
    collector.mayCollect(b)
    collector.mayCollect(c)
    await nextTurn(collector)
    assert.isTrue(collector.read(c, 0))
    // The new life of `a` does not retain `c`.
    assert.deepStrictEqual(asked, ["nothing, deref#2"])
    collector.hold(b)
    collector.collect(c)
    collector.mayCollect(c)
    await nextTurn(collector)
    assert.isTrue(collector.read(c, 1))
    assert.deepStrictEqual(asked, ["nothing, deref#2", "nothing, deref#2"])
  })

  it("may be retained by what it retains", async () => {
    const { asked, collector, told } = start(["deref#1"])
    collector.retains(a, b)
    collector.retains(b, a)
    collector.mayCollect(a)
    await nextTurn(collector)
    assert.isTrue(collector.read(a, 0))
    assert.deepStrictEqual(asked, [])
    collector.mayCollect(b)
    await nextTurn(collector)
    assert.isFalse(collector.read(a, 0))
    assert.isFalse(collector.read(b, 0))
    assert.strictEqual(
      told(),
      `turn 3: {id: "b"} is collected before "deref"; {id: "a"} is collected before "deref"`
    )
  })

  it("of two dies in their order, before what they retain", async () => {
    const { collector, told } = start(["deref#3"])
    collector.retains(a, c)
    collector.retains(b, c)
    for (const target of [a, b, c]) collector.mayCollect(target)
    await nextTurn(collector)
    assert.isFalse(collector.read(c, 0))
    assert.strictEqual(
      told(),
      `turn 2: {id: "a"} is collected before "deref"; {id: "b"} is collected before "deref"; {id: "c"} is collected before "deref"`
    )
  })

  it("keeps what is retained whenever it is seen, and only in the life in which it retained", async () => {
    const { asked, collector } = start([], { lateUnregister: true })
    const late = (held: number) => {
      const registration = collector.register(b, () => {}, held)
      collector.mayCollect(b)
      collector.unregister(registration)
    }
    collector.retains(a, b)
    collector.mayCollect(a)
    for (const held of [1, 2]) {
      late(held)
      collector.see(a)
    }
    await nextTask()
    assert.deepStrictEqual(asked, [])
    collector.collect(a)
    late(3)
    collector.see(a)
    await nextTask()
    assert.deepStrictEqual(asked, ["nothing, cleanup#3"])
  })

  it("of two keeps what the other one retains too", async () => {
    const { asked, collector } = start()
    collector.retains(a, c)
    collector.retains(b, c)
    collector.mayCollect(a)
    collector.mayCollect(c)
    await nextTurn(collector)
    assert.isTrue(collector.read(c, 0))
    assert.deepStrictEqual(asked, [])
  })
})

describe("A clean-up", () => {
  it("of a target that may be dead runs between two turns, in a turn of its own", async () => {
    const { asked, collector, isDone, told, turns } = start(["cleanup#2", "cleanup#1"])
    const { held, cleanUp } = noting()
    const turnsOfCleanUps: Array<number> = []
    const noted = (value: unknown) => {
      turnsOfCleanUps.push(collector.turn)
      return cleanUp(value)
    }
    collector.register(a, noted, "a")
    collector.register(b, noted, "b")
    collector.mayCollect(a)
    collector.mayCollect(b)
    assert.isTrue(collector.isWaiting)
    await nextTask()
    assert.deepStrictEqual(held, ["b", "a"])
    assert.deepStrictEqual(turnsOfCleanUps, [2, 3])
    assert.deepStrictEqual(turns, [2, 3, 4])
    assert.deepStrictEqual(asked, ["nothing, cleanup#1, cleanup#2", "nothing, cleanup#1"])
    assert.isFalse(collector.isWaiting)
    assert.isTrue(isDone())
    assert.strictEqual(
      told(),
      `turn 2: {id: "b"} is collected and its clean-up runs; turn 3: {id: "a"} is collected and its clean-up runs`
    )
    assert.isFalse(collector.read(a, 0))
  })

  it("runs at once after another one if each job is a turn", async () => {
    const { asked, collector, told, turns } = start(["cleanup#1", "cleanup#2"], { turns: "job" })
    const { held, cleanUp } = noting()
    collector.register(a, cleanUp, "a")
    collector.register(a, cleanUp, "A")
    collector.mayCollect(a)
    await Promise.resolve()
    assert.deepStrictEqual(held, ["a", "A"])
    assert.deepStrictEqual(asked, ["nothing, cleanup#1, cleanup#2", "nothing, cleanup#2"])
    assert.strictEqual(
      told(),
      `turn 2: {id: "a"} is collected and its clean-up runs with "a"; turn 3: its clean-up runs with "A"`
    )
    await nextTask()
    // The program's turn, and that of each clean-up.
    assert.deepStrictEqual(turns, [2, 3, 4])
  })

  it("may wait for as long as the collector likes", async () => {
    const { asked, collector } = start()
    const { held, cleanUp } = noting()
    collector.register(a, cleanUp, "a")
    collector.mayCollect(a)
    for (let turn = 0; turn < 3; turn++) await nextTurn(collector)
    assert.deepStrictEqual(asked, Array.from({ length: 3 }, () => "nothing, cleanup#1"))
    assert.deepStrictEqual(held, [])
    assert.isTrue(collector.isWaiting)
  })

  it("does not run while its target is alive for certain", async () => {
    const { asked, collector } = start()
    const { cleanUp } = noting()
    collector.register(a, cleanUp, "a")
    collector.retains(b, a)
    collector.mayCollect(a)
    await nextTask()
    assert.deepStrictEqual(asked, [])
    assert.isFalse(collector.isWaiting)
    collector.keep(c)
    collector.mayCollect(b)
    await nextTask()
    assert.deepStrictEqual(asked, ["nothing, cleanup#1"])
  })

  it("is asked for once if each job is a turn and none runs", async () => {
    const { asked, collector } = start(["cleanup#1"], { turns: "job" })
    const { cleanUp } = noting()
    collector.register(a, cleanUp, 1)
    collector.register(a, cleanUp, 2)
    collector.mayCollect(a)
    await nextTask()
    assert.deepStrictEqual(asked, ["nothing, cleanup#1, cleanup#2", "nothing, cleanup#2"])
  })

  it("has a turn that ends with its microtasks", async () => {
    const { collector } = start(["cleanup#1"])
    const seen: Array<unknown> = []
    collector.register(a, async () => {
      for (let job = 0; job < 5; job++) await Promise.resolve()
      seen.push(collector.turn, collector.isRunning)
    }, 1)
    collector.mayCollect(a)
    await nextTask()
    assert.deepStrictEqual(seen, [2, true])
    assert.strictEqual(collector.turn, 3)
  })

  it("that is identical with another one is no choice of its own", async () => {
    const { asked, collector } = start()
    const { cleanUp } = noting()
    const other = (held: unknown) => held
    for (const held of [NaN, NaN, 0, -0]) collector.register(a, cleanUp, held)
    collector.register(a, other, NaN)
    collector.register(b, cleanUp, NaN)
    collector.mayCollect(a)
    collector.mayCollect(b)
    await nextTask()
    assert.deepStrictEqual(asked, ["nothing, cleanup#1, cleanup#3, cleanup#4, cleanup#5, cleanup#6"])
  })

  it("that throws, or whose promise rejects, is reported, and the next one runs", async () => {
    const { collector, errors } = start(["cleanup#1", "cleanup#2", "cleanup#3"])
    const { held, cleanUp } = noting()
    collector.register(a, () => {
      throw new Error("thrown")
    }, 1)
    collector.register(a, () => Promise.reject(new Error("rejected")), 2)
    collector.register(a, cleanUp, 3)
    collector.mayCollect(a)
    await nextTask()
    assert.deepStrictEqual(errors.map((error) => (error as Error).message), ["thrown", "rejected"])
    assert.deepStrictEqual(held, [3])
  })

  it("that ends the run is the last", async () => {
    for (const turns of ["task", "job"] as const) {
      const { asked, collector } = start(["cleanup#1"], { turns })
      const { held, cleanUp } = noting()
      collector.register(a, () => collector.stop(), 1)
      collector.register(a, cleanUp, 2)
      collector.mayCollect(a)
      await nextTask()
      assert.deepStrictEqual(asked, ["nothing, cleanup#1, cleanup#2"])
      assert.deepStrictEqual(held, [])
    }
  })

  it("is told with what it receives if its target has others", async () => {
    const { collector, told } = start(["cleanup#1"])
    const { cleanUp } = noting()
    collector.register(a, cleanUp, "first")
    collector.register(a, cleanUp, "second")
    collector.register(b, cleanUp, "third")
    collector.collect(a)
    await nextTask()
    assert.strictEqual(told(), `turn 2: the clean-up of {id: "a"} runs with "first"`)
  })

  it("that is unregistered does not run, unless it may be queued and lateUnregister is true", async () => {
    for (const lateUnregister of [false, true]) {
      const { asked, collector, told } = start(["cleanup#1"], { lateUnregister })
      const { cleanUp } = noting()
      const [undecided, queued, alive] = [a, b, c].map((target) => collector.register(target, cleanUp, 0))
      collector.mayCollect(a)
      collector.collect(b)
      for (const registration of [undecided!, queued!, alive!]) {
        assert.isTrue(collector.unregister(registration))
      }
      // The second time it is removed for certain, if it is still there.
      assert.strictEqual(collector.unregister(alive!), false)
      await nextTask()
      assert.deepStrictEqual(asked, lateUnregister ? ["nothing, cleanup#2, cleanup#1", "nothing, cleanup#2"] : [])
      assert.strictEqual(
        told(),
        lateUnregister
          ? `turn 2: the clean-up of {id: "a"} runs, although it was unregistered`
          : "nothing is collected"
      )
    }
  })

  it("that was unregistered late is gone if its target turns out to be alive", async () => {
    const { asked, collector } = start([], { lateUnregister: true })
    const { cleanUp } = noting()
    const registration = collector.register(a, cleanUp, 0)
    collector.register(a, cleanUp, 1)
    collector.retains(b, a)
    collector.mayCollect(a)
    collector.mayCollect(b)
    assert.isTrue(collector.unregister(registration))
    collector.see(b)
    await nextTask()
    assert.deepStrictEqual(asked, ["nothing, cleanup#2"])
  })

  it("that was unregistered late is gone if its target is held, retains, or is retained", async () => {
    const operations: ReadonlyArray<(collector: ExploredCollector) => void> = [
      (collector) => collector.hold(a),
      (collector) => collector.retains(a, c),
      (collector) => collector.retains(c, a)
    ]
    for (const operation of operations) {
      const { asked, collector } = start([], { lateUnregister: true })
      const registration = collector.register(a, () => {}, 0)
      collector.mayCollect(a)
      collector.unregister(registration)
      operation(collector)
      collector.mayCollect(a)
      collector.mayCollect(c)
      await nextTask()
      assert.deepStrictEqual(asked, [])
    }
  })

  it("that is unregistered twice is gone", async () => {
    const { asked, collector } = start([], { lateUnregister: true })
    const registration = collector.register(a, () => {}, 0)
    collector.mayCollect(a)
    assert.isTrue(collector.unregister(registration))
    assert.isTrue(collector.unregister(registration))
    assert.isFalse(collector.unregister(registration))
    await nextTask()
    assert.deepStrictEqual(asked, [])
  })

  it("is removed for certain when the run is over", () => {
    const { collector } = start([], { lateUnregister: true })
    const registration = collector.register(a, () => {}, 0)
    collector.mayCollect(a)
    collector.stop()
    assert.isTrue(collector.unregister(registration))
    assert.isFalse(collector.unregister(registration))
  })
})

describe("At the end", () => {
  it("nothing more happens if no clean-up is left", () => {
    const { asked, collector } = start()
    collector.register(a, () => {}, 0)
    let done = 0
    collector.finish(() => done++)
    assert.strictEqual(done, 1)
    assert.deepStrictEqual(asked, [])
  })

  it("the clean-ups that are left run in the order of their registration, without a choice", async () => {
    const { asked, collector, errors, told } = start()
    const { held, cleanUp } = noting()
    collector.register(b, cleanUp, "b")
    collector.register(a, (value) => {
      cleanUp(value)
      // The rest is dead, and a new target has a clean-up too.
      cleanUp(collector.read(c, 0))
      throw new Error("thrown")
    }, "a")
    collector.register(c, cleanUp, "c")
    for (const target of [a, b, c]) collector.mayCollect(target)
    await new Promise<void>((resolve) => collector.finish(resolve))
    assert.deepStrictEqual(held, ["b", "a", false, "c"])
    assert.deepStrictEqual(asked, [])
    assert.lengthOf(errors, 1)
    assert.strictEqual(
      told(),
      `after the end: {id: "b"} is collected and its clean-up runs; {id: "a"} is collected and its clean-up runs; ` +
        `{id: "c"} is collected before "deref"; its clean-up runs`
    )
  })

  it("the clean-up of a target runs that the program has collected", async () => {
    const { collector } = start()
    const { held, cleanUp } = noting()
    collector.register(a, cleanUp, "a")
    collector.collect(a)
    await new Promise<void>((resolve) => collector.finish(resolve))
    assert.deepStrictEqual(held, ["a"])
  })

  it("the clean-ups of targets run that the last turn has kept", async () => {
    const { collector } = start()
    const { held, cleanUp } = noting()
    collector.register(a, cleanUp, "a")
    collector.keep(a)
    collector.mayCollect(a)
    await new Promise<void>((resolve) => collector.finish(resolve))
    assert.deepStrictEqual(held, ["a"])
  })

  it("nothing more happens when the run was stopped", async () => {
    const { collector } = start()
    const { held, cleanUp } = noting()
    collector.register(a, cleanUp, "a")
    collector.mayCollect(a)
    let done = 0
    collector.finish(() => done++)
    collector.stop()
    await nextTask()
    assert.strictEqual(done, 0)
    collector.finish(() => done++)
    assert.strictEqual(done, 1)
    assert.deepStrictEqual(held, [])
  })
})

describe("finalize", () => {
  it("may find no clean-up if none is queued for certain", () => {
    const { asked, collector } = start()
    collector.register(a, () => {}, "a")
    collector.mayCollect(a)
    assert.isUndefined(collector.next(false))
    assert.deepStrictEqual(asked, ["nothing, cleanup#1"])
    // The target may still die later.
    assert.isTrue(collector.isWaiting)
    assert.isUndefined(collector.next(true))
    assert.deepStrictEqual(asked, ["nothing, cleanup#1"])
  })

  it("takes one of the clean-ups, and tells which", () => {
    const { asked, collector, told } = start(["cleanup#2"])
    const { held, cleanUp } = noting()
    collector.register(a, cleanUp, "a")
    collector.register(b, cleanUp, "b")
    collector.mayCollect(a)
    collector.mayCollect(b)
    const registration = collector.next(false)
    assert.strictEqual(registration?.held, "b")
    collector.run(registration!)
    assert.deepStrictEqual(held, ["b"])
    assert.deepStrictEqual(asked, ["nothing, cleanup#1, cleanup#2"])
    assert.strictEqual(told(), `turn 2: {id: "b"} is collected and its clean-up runs`)
    assert.strictEqual(collector.turn, 3)
    assert.isFalse(collector.read(b, 0))
    assert.isTrue(collector.isWaiting)
  })

  it("takes a clean-up if one is queued for certain, and only such ones when it looks again", () => {
    const { asked, collector, told } = start(["cleanup#3"])
    const { cleanUp } = noting()
    collector.register(a, cleanUp, "a")
    collector.register(b, cleanUp, "b")
    collector.register(b, cleanUp, "B")
    collector.mayCollect(a)
    collector.collect(b)
    assert.isTrue(collector.read(b, 1))
    assert.strictEqual(collector.next(true)?.held, "B")
    // The target was used again, and this life has not ended.
    assert.strictEqual(collector.lifeOf(b), 1)
    assert.deepStrictEqual(asked, ["cleanup#2, cleanup#3"])
    assert.strictEqual(collector.next(false)?.held, "b")
    assert.deepStrictEqual(asked, ["cleanup#2, cleanup#3", "cleanup#2, cleanup#1"])
    assert.isUndefined(collector.next(true))
    assert.lengthOf(asked, 2)
    assert.strictEqual(told(), `turn 2: the clean-up of {id: "b"} runs with "B"`)
  })

  it("begins a turn of its own, and another one after each clean-up", () => {
    const { collector, turns } = start()
    collector.enter()
    assert.isUndefined(collector.next(false))
    assert.deepStrictEqual(turns, [2])
    // The program has done nothing in this turn.
    assert.isUndefined(collector.next(false))
    assert.deepStrictEqual(turns, [2])
    collector.register(a, () => {}, "a")
    collector.collect(a)
    const registration = collector.next(false)!
    assert.deepStrictEqual(turns, [2, 3])
    collector.run(registration)
    assert.deepStrictEqual(turns, [2, 3, 4])
    assert.isUndefined(collector.next(true))
    assert.deepStrictEqual(turns, [2, 3, 4])
  })

  it("begins the next turn even if the clean-up throws", () => {
    const { collector, turns } = start()
    const registration = collector.register(a, () => {
      throw new Error("thrown")
    }, "a")
    assert.throws(() => collector.run(registration), "thrown")
    assert.deepStrictEqual(turns, [2])
  })

  it("asks nothing when the run is over", () => {
    const { asked, collector, turns } = start()
    const registration = collector.register(a, () => {}, "a")
    collector.collect(a)
    collector.stop()
    assert.strictEqual(collector.pending(), 1)
    assert.strictEqual(collector.next(false), registration)
    assert.isUndefined(collector.next(false))
    collector.run(registration)
    assert.deepStrictEqual([asked, turns], [[], []])
  })

  it("that finds nothing shows that the clean-ups which were unregistered late were not queued", async () => {
    const { asked, collector } = start([], { lateUnregister: true })
    const { cleanUp } = noting()
    const [first, second] = [collector.register(a, cleanUp, "a"), collector.register(b, cleanUp, "b")]
    collector.register(a, cleanUp, "A")
    collector.mayCollect(a)
    collector.collect(b)
    collector.unregister(first)
    collector.unregister(second)
    assert.isUndefined(collector.next(false))
    await nextTask()
    assert.deepStrictEqual(asked, ["nothing, cleanup#2, cleanup#1, cleanup#3", "nothing, cleanup#3"])
  })
})

describe("pending", () => {
  it("counts what is queued for certain, without a choice", () => {
    const { asked, collector } = start()
    assert.strictEqual(collector.pending(), 0)
    collector.register(a, () => {}, 1)
    collector.register(a, () => {}, 2)
    collector.mayCollect(b)
    collector.collect(a)
    assert.strictEqual(collector.pending(), 2)
    assert.deepStrictEqual(asked, [])
  })

  it("decides how many are queued, and so what the target is", () => {
    const { asked, collector, told } = start(["count#2"])
    collector.register(a, () => {}, 1)
    collector.register(a, () => {}, 2)
    collector.mayCollect(a)
    assert.strictEqual(collector.pending(), 2)
    assert.deepStrictEqual(asked, ["nothing, count#2"])
    assert.strictEqual(told(), `turn 1: {id: "a"} is collected before "pending"`)
    assert.isFalse(collector.read(a, 0))
    assert.strictEqual(collector.pending(), 2)
    assert.lengthOf(asked, 1)
  })

  it("counts none first, and may count more later", () => {
    const { asked, collector, told } = start(["", "count#1"])
    collector.register(a, () => {}, 1)
    collector.mayCollect(a)
    assert.strictEqual(collector.pending(), 0)
    assert.strictEqual(collector.pending(), 1)
    assert.deepStrictEqual(asked, ["nothing, count#1", "nothing, count#1"])
    assert.strictEqual(told(), `turn 1: {id: "a"} is collected before "pending"`)
  })

  it("leaves open which of several targets is dead", async () => {
    const { asked, collector, told } = start(["count#1", "deref#1"])
    for (const target of [a, b]) {
      collector.register(target, () => {}, 1)
      collector.mayCollect(target)
    }
    assert.strictEqual(collector.pending(), 1)
    assert.deepStrictEqual(asked, ["nothing, count#1, count#2"])
    assert.strictEqual(told(), `turn 1: "pending" counts 1 clean-up`)
    await nextTurn(collector)
    assert.isFalse(collector.read(a, 0))
    assert.strictEqual(
      told(),
      `turn 1: "pending" counts 1 clean-up; turn 2: {id: "a"} is collected before "deref"`
    )
  })

  it("shows that a target is dead if the others are alive", async () => {
    const { collector } = start(["count#1"])
    for (const target of [a, b]) {
      collector.register(target, () => {}, 1)
      collector.mayCollect(target)
    }
    assert.strictEqual(collector.pending(), 1)
    collector.see(a)
    assert.strictEqual(collector.lifeOf(b), 1)
    assert.strictEqual(collector.lifeOf(a), 0)
    assert.isFalse(collector.read(b, 0))
  })

  it("shows that all are dead, or that all are alive", () => {
    const all = start(["count#2"])
    for (const target of [a, b]) {
      all.collector.register(target, () => {}, 1)
      all.collector.mayCollect(target)
    }
    assert.strictEqual(all.collector.pending(), 2)
    assert.deepStrictEqual([a, b].map((target) => all.collector.lifeOf(target)), [1, 1])
    assert.strictEqual(
      all.told(),
      `turn 1: {id: "a"} is collected before "pending"; {id: "b"} is collected before "pending"`
    )
  })

  it("counts the clean-ups of what an owner retains only with those of the owner", () => {
    const { asked, collector, told } = start(["count#3"])
    collector.retains(a, b)
    collector.register(a, () => {}, 1)
    collector.register(b, () => {}, 1)
    collector.register(b, () => {}, 2)
    collector.mayCollect(a)
    collector.mayCollect(b)
    assert.strictEqual(collector.pending(), 3)
    assert.deepStrictEqual(asked, ["nothing, count#1, count#3"])
    assert.strictEqual(
      told(),
      `turn 1: {id: "a"} is collected before "pending"; {id: "b"} is collected before "pending"`
    )
  })

  it("asks for the counts in their order, and tells which targets are dead", () => {
    const { asked, collector, told } = start(["count#2"])
    for (const [target, cleanUps] of [[c, 0], [a, 2], [b, 1]] as const) {
      for (let held = 0; held < cleanUps; held++) collector.register(target, () => {}, held)
      collector.mayCollect(target)
    }
    assert.strictEqual(collector.pending(), 2)
    assert.deepStrictEqual(asked, ["nothing, count#1, count#2, count#3"])
    assert.strictEqual(told(), `turn 1: {id: "a"} is collected before "pending"`)
    assert.deepStrictEqual([a, b, c].map((target) => collector.lifeOf(target)), [1, 0, 0])
  })

  it("does not count a target that is kept in this turn", () => {
    const { asked, collector } = start()
    collector.register(a, () => {}, 1)
    collector.keep(a)
    collector.mayCollect(a)
    assert.strictEqual(collector.pending(), 0)
    assert.deepStrictEqual(asked, [])
  })

  it("counts at least what it has counted before", () => {
    const { asked, collector, told } = start(["count#1", "count#2"])
    for (const target of [a, b]) {
      collector.register(target, () => {}, 1)
      collector.mayCollect(target)
    }
    assert.strictEqual(collector.pending(), 1)
    assert.strictEqual(collector.pending(), 2)
    assert.deepStrictEqual(asked, ["nothing, count#1, count#2", "nothing, count#2"])
    assert.strictEqual(
      told(),
      `turn 1: "pending" counts 1 clean-up; {id: "a"} is collected before "pending"; {id: "b"} is collected before "pending"`
    )
  })

  it("knows which target is dead when the death of the other one no longer matters", async () => {
    const endings: ReadonlyArray<
      readonly [answer: ReadonlyArray<string>, end: (collector: ExploredCollector) => void]
    > = [
      [["deref#1"], (collector) => assert.isFalse(collector.read(a, 0))],
      [[], (collector) => collector.collect(a)]
    ]
    for (const [answer, end] of endings) {
      const { asked, collector, told } = start(["count#1", ...answer, "count#2"])
      for (const target of [a, b]) {
        collector.register(target, () => {}, 1)
        collector.mayCollect(target)
      }
      assert.strictEqual(collector.pending(), 1)
      await nextTurn(collector)
      end(collector)
      assert.strictEqual(collector.pending(), 2)
      assert.strictEqual(asked.at(-1), "nothing, count#2")
      assert.match(told(), /\{id: "b"\} is collected before "pending"$/)
    }
  })

  it("adds what is queued for certain to each count", () => {
    const { asked, collector } = start(["count#3"])
    collector.register(a, () => {}, 1)
    collector.register(b, () => {}, 1)
    collector.register(b, () => {}, 2)
    collector.collect(b)
    collector.mayCollect(a)
    assert.strictEqual(collector.pending(), 3)
    assert.deepStrictEqual(asked, ["nothing, count#3"])
  })

  it("agrees with finalize, which runs at least as many", () => {
    const { asked, collector } = start(["count#1"])
    for (const target of [a, b]) {
      collector.register(target, () => {}, 1)
      collector.mayCollect(target)
    }
    assert.strictEqual(collector.pending(), 1)
    const first = collector.next(false)
    assert.strictEqual(first?.id, 1)
    assert.deepStrictEqual(asked, ["nothing, count#1, count#2", "cleanup#1, cleanup#2"])
    // The count agrees with the first clean-up alone.
    assert.isUndefined(collector.next(false))
    assert.strictEqual(asked[2], "nothing, cleanup#2")
  })

  it("counts a clean-up that was unregistered late, or does not", async () => {
    for (const answer of ["count#1", ""]) {
      const { asked, collector, told } = start([answer], { lateUnregister: true })
      const registration = collector.register(a, () => {}, 1)
      collector.collect(a)
      collector.unregister(registration)
      assert.strictEqual(collector.pending(), answer === "" ? 0 : 1)
      assert.deepStrictEqual(asked, ["nothing, count#1"])
      assert.strictEqual(told(), answer === "" ? "nothing is collected" : `turn 1: "pending" counts 1 clean-up`)
      assert.strictEqual(collector.pending(), answer === "" ? 0 : 1)
      assert.lengthOf(asked, 1)
      collector.next(false)
      assert.deepStrictEqual(asked.slice(1), answer === "" ? [] : ["cleanup#1"])
    }
  })

  it("counts a late clean-up of a target that may be dead, which then is dead", () => {
    const { asked, collector, told } = start(["count#2"], { lateUnregister: true })
    collector.register(a, () => {}, 1)
    const registration = collector.register(a, () => {}, 2)
    collector.mayCollect(a)
    collector.unregister(registration)
    assert.strictEqual(collector.pending(), 2)
    assert.deepStrictEqual(asked, ["nothing, count#1, count#2"])
    assert.strictEqual(told(), `turn 1: {id: "a"} is collected before "pending"`)
    assert.isFalse(collector.read(a, 0))
    const alone = start(["count#1"], { lateUnregister: true })
    const only = alone.collector.register(b, () => {}, 1)
    alone.collector.mayCollect(b)
    alone.collector.unregister(only)
    assert.strictEqual(alone.collector.pending(), 1)
    assert.deepStrictEqual(alone.asked, ["nothing, count#1"])
    assert.strictEqual(alone.told(), `turn 1: {id: "b"} is collected before "pending"`)
    assert.isFalse(alone.collector.read(b, 0))
  })

  /** `a` is dead and has a late clean-up. `b` and `c` may be dead. */
  const withLate = (answers: ReadonlyArray<string>) => {
    const run = start(answers, { lateUnregister: true })
    const registration = run.collector.register(a, () => {}, "a")
    run.collector.collect(a)
    run.collector.unregister(registration)
    for (const target of [b, c]) {
      run.collector.register(target, () => {}, target.id)
      run.collector.mayCollect(target)
    }
    return run
  }

  it("leaves open whether a late clean-up or another one is queued", () => {
    const { asked, collector, told } = withLate(["count#1"])
    assert.strictEqual(collector.pending(), 1)
    assert.deepStrictEqual(asked, ["nothing, count#1, count#2, count#3"])
    assert.strictEqual(told(), `turn 1: "pending" counts 1 clean-up`)
    assert.strictEqual(collector.next(false)?.held, "a")
    assert.strictEqual(asked[1], "cleanup#1, cleanup#2, cleanup#3")
    // The late clean-up was the one that is counted.
    assert.strictEqual(collector.pending(), 0)
    assert.strictEqual(asked[2], "nothing, count#1, count#2")
  })

  it("does not count a late clean-up that has run", () => {
    const { asked, collector } = withLate(["count#2", "cleanup#1"])
    assert.strictEqual(collector.pending(), 2)
    assert.strictEqual(collector.next(false)?.held, "a")
    assert.strictEqual(collector.pending(), 1)
    assert.deepStrictEqual(asked, [
      "nothing, count#1, count#2, count#3",
      "cleanup#1, cleanup#2, cleanup#3",
      "nothing, count#2"
    ])
  })

  it("knows that a late clean-up was not queued if finalize finds nothing after the other one", () => {
    const { asked, collector } = withLate(["count#1", "cleanup#2", ""])
    assert.strictEqual(collector.pending(), 1)
    assert.strictEqual(collector.next(false)?.held, "b")
    assert.isUndefined(collector.next(false))
    assert.strictEqual(asked[2], "nothing, cleanup#1, cleanup#3")
    assert.strictEqual(collector.pending(), 0)
    assert.strictEqual(asked[3], "nothing, count#1")
  })

  it("leaves open which of two late clean-ups is queued", () => {
    const { asked, collector } = start(["count#1"], { lateUnregister: true })
    const registrations = [a, b].map((target) => collector.register(target, () => {}, target.id))
    for (const target of [a, b]) collector.collect(target)
    for (const registration of registrations) collector.unregister(registration)
    assert.strictEqual(collector.pending(), 1)
    assert.strictEqual(collector.pending(), 1)
    assert.strictEqual(collector.next(false)?.held, "a")
    assert.isUndefined(collector.next(false))
    assert.strictEqual(collector.pending(), 0)
    assert.deepStrictEqual(asked, ["nothing, count#1, count#2", "cleanup#1, cleanup#2"])
  })

  it("asks nothing when the run is over", () => {
    const { asked, collector } = start(["count#1"])
    collector.register(a, () => {}, 1)
    collector.mayCollect(a)
    collector.register(b, () => {}, 1)
    collector.collect(b)
    collector.stop()
    assert.strictEqual(collector.pending(), 1)
    assert.deepStrictEqual(asked, [])
  })

  it("counts late clean-ups to decide whether there are too many, and then takes them as not queued", async () => {
    const { asked, collector } = start([], { lateUnregister: true })
    const targets = Array.from({ length: 13 }, (_, id) => ({ id }))
    const registrations = targets.map((target) => collector.register(target, () => {}, target.id))
    for (const target of targets) collector.mayCollect(target)
    for (const registration of registrations.slice(0, 6)) collector.unregister(registration)
    assert.strictEqual(collector.pending(), 0)
    assert.deepStrictEqual([...collector.gaps], ["pending"])
    assert.deepStrictEqual(asked, targets.slice(6).map(({ id }) => `nothing, collect#${id + 1}`))
    await nextTask()
    assert.strictEqual(
      asked.at(-1),
      `nothing, ${targets.slice(6).map(({ id }) => `cleanup#${id + 1}`).join(", ")}`
    )
  })

  it("does not count targets without a clean-up to decide whether there are too many", () => {
    const { collector } = start()
    const targets = Array.from({ length: 14 }, (_, id) => ({ id }))
    for (const target of targets.slice(2)) collector.register(target, () => {}, 1)
    for (const target of targets) collector.mayCollect(target)
    assert.strictEqual(collector.pending(), 0)
    assert.deepStrictEqual([...collector.gaps], [])
  })

  it("forgets what it has counted if there are too many later", () => {
    const { asked, collector } = start(["count#1"])
    const targets = Array.from({ length: 13 }, (_, id) => ({ id }))
    targets.forEach((target, index) => {
      if (index === 2) assert.strictEqual(collector.pending(), 1)
      collector.register(target, () => {}, 1)
      collector.mayCollect(target)
    })
    assert.strictEqual(collector.pending(), 0)
    assert.isUndefined(collector.next(false))
    assert.match(asked.at(-1)!, /^nothing, cleanup#1, /)
  })

  it("decides for each target if there are too many to count", () => {
    const targets = Array.from({ length: 13 }, (_, id) => ({ id }))
    for (const count of [12, 13]) {
      const { asked, collector, told } = start([count === 12 ? "count#2" : "collect#3"])
      for (const target of targets.slice(0, count)) {
        collector.register(target, () => {}, 1)
        collector.mayCollect(target)
      }
      if (count === 12) {
        assert.strictEqual(collector.pending(), 2)
        assert.deepStrictEqual(asked, [`nothing, ${targets.slice(1).map(({ id }) => `count#${id}`).join(", ")}`])
        assert.deepStrictEqual([...collector.gaps], [])
      } else {
        assert.strictEqual(collector.pending(), 1)
        assert.deepStrictEqual(asked, targets.map(({ id }) => `nothing, collect#${id + 1}`))
        assert.deepStrictEqual([...collector.gaps], ["pending"])
        assert.strictEqual(told(), "turn 1: {id: 2} is collected before \"pending\"")
      }
    }
  })
})
