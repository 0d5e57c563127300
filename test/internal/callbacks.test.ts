import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Logger, Scheduler, Scope } from "effect"
import { WeakMethod, WeakRef } from "../../src/index.ts"
import { inBackground, inTurns, reported, withServices } from "../../src/internal/callbacks.ts"
import { isSynchronous } from "../../src/internal/effectInternals.ts"
import * as Referent from "../../src/internal/referent.ts"
import * as Ring from "../../src/internal/ring.ts"
import { TestHeap } from "../../src/testing/index.ts"

/** Runs an effect with a logger. Returns what the logger has received before it threw. */
const causesOf = <A>(
  effect: Effect.Effect<A>,
  failures: (n: number) => boolean = () => false
): ReadonlyArray<Cause.Cause<unknown>> => {
  const causes: Array<Cause.Cause<unknown>> = []
  const logger = Logger.make<unknown, void>(({ cause }) => {
    causes.push(cause)
    if (failures(causes.length)) throw new Error("no logs")
  })
  Effect.runSync(Effect.provide(effect, Logger.layer([logger])))
  return causes
}

const valuesOf = (cause: Cause.Cause<unknown>): ReadonlyArray<unknown> =>
  cause.reasons.map((reason) =>
    Cause.isFailReason(reason)
      ? ["fail", reason.error]
      : Cause.isDieReason(reason)
      ? ["die", reason.defect instanceof Error ? reason.defect.message : reason.defect]
      : ["interrupt", reason.fiberId]
  )

/** An error whose message cannot be read. */
const hostile = (reason: unknown) =>
  Object.defineProperty(new Error(), "message", {
    get: () => {
      throw reason
    }
  })

const replaced = (why: string) => `A callback failed with a value that cannot be printed: ${why}`

const causeOf = (...values: ReadonlyArray<unknown>) =>
  Cause.fromReasons([
    Cause.makeFailReason("plain"),
    ...values.map((value) => Cause.makeDieReason(value)),
    Cause.makeInterruptReason(7)
  ])

describe("reported", () => {
  it("succeeds with the value, and reports nothing", () => {
    const results: Array<unknown> = []
    const causes = causesOf(Effect.map(reported(Effect.succeed(5)), (result) => results.push(result)))
    assert.deepStrictEqual([results, causes], [[5], []])
  })

  it("reports a cause that can be printed as it is", () => {
    const cause = causeOf(new Error("boom"))
    const causes = causesOf(reported(Effect.failCause(cause)))
    assert.deepStrictEqual(causes.map(valuesOf), [[["fail", "plain"], ["die", "boom"], ["interrupt", 7]]])
  })

  it("replaces only the values that cannot be printed, and says why each cannot", () => {
    const causes = causesOf(reported(Effect.failCause(causeOf(hostile(new Error("no message")), hostile("text"), "d"))))
    assert.deepStrictEqual(causes.map(valuesOf), [[
      ["fail", "plain"],
      ["die", replaced("no message")],
      ["die", replaced("it throws")],
      ["die", "d"],
      ["interrupt", 7]
    ]])
  })

  it("reports again with all values replaced if the logger throws, and then gives up", () => {
    for (const failures of [1, 2]) {
      const causes = causesOf(
        reported(Effect.failCause(causeOf(new Error("boom")))),
        (n) => n <= failures
      )
      assert.lengthOf(causes, 2)
      assert.deepStrictEqual(valuesOf(causes[0]!), [["fail", "plain"], ["die", "boom"], ["interrupt", 7]])
      const [fail, die, interrupt] = valuesOf(causes[1]!) as ReadonlyArray<readonly [string, string]>
      assert.deepStrictEqual([fail![0], die, interrupt], ["die", ["die", replaced("boom")], ["interrupt", 7]])
      assert.include(fail![1], replaced(""))
      assert.include(fail![1], "plain")
    }
  })
})

describe("inTurns", () => {
  it("replaces the scheduler of runSync once per context, and no other", () => {
    const asynchronous = Context.make(Scheduler.MaxOpsBeforeYield, 5)
    assert.strictEqual(inTurns(asynchronous), asynchronous)
    const synchronous = Effect.runSync(Effect.provideService(Effect.context<never>(), Scheduler.MaxOpsBeforeYield, 5))
    assert.isTrue(isSynchronous(synchronous))
    const replaced = inTurns(synchronous)
    assert.isFalse(isSynchronous(replaced))
    assert.strictEqual(inTurns(synchronous), replaced)
    assert.strictEqual(Context.get(replaced, Scheduler.MaxOpsBeforeYield), 5)
  })

  it("lets a long effect of the background yield to the event loop", async () => {
    const context = Effect.runSync(Effect.context<never>())
    let isOver = false
    const fiber = inBackground(
      Effect.sync(() => isOver).pipe(Effect.tap(Effect.yieldNow), Effect.repeat({ until: (isOver) => isOver })),
      context
    )
    await new Promise((resolve) => void setTimeout(resolve, 1))
    isOver = true
    await Effect.runPromise(Effect.callback<void>((resume) => void fiber.addObserver(() => resume(Effect.void))))
  })
})

describe("withServices", () => {
  it("prefers the registered services, but never the scheduler of runSync", () => {
    const current = Context.make(Scheduler.MaxOpsBeforeYield, 5).pipe(
      Context.add(Scheduler.Scheduler, new Scheduler.MixedScheduler())
    )
    const registered = Effect.runSync(Effect.provideService(Effect.context<never>(), Scheduler.MaxOpsBeforeYield, 6))
    const merged = withServices(current, registered)
    assert.strictEqual(Context.get(merged, Scheduler.MaxOpsBeforeYield), 6)
    assert.isFalse(isSynchronous(merged))
    assert.strictEqual(Context.get(merged, Scheduler.Scheduler), Context.get(current, Scheduler.Scheduler))
    const own = Context.make(Scheduler.Scheduler, new Scheduler.MixedScheduler())
    assert.strictEqual(
      Context.get(withServices(current, own), Scheduler.Scheduler),
      Context.get(own, Scheduler.Scheduler)
    )
  })
})

describe("a callback", () => {
  it("prints whether it waits, has started or has ended", () => {
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    const statusOf = (act: (referent: object, owner: object, callback: WeakRef.Callback) => void) => {
      const [referent, owner] = [{}, {}]
      const started: Array<unknown> = []
      const register = WeakRef.onCollect(WeakRef.makeUnsafe(referent, heap), () => Effect.sync(() => started.push(1)), {
        owner
      })
      const callback = Effect.runSync(Effect.provideService(register, Scope.Scope, Scope.makeUnsafe()))
      assert.deepStrictEqual(JSON.parse(JSON.stringify(callback)), { _id: "Callback", status: "waiting" })
      assert.isDefined(callback["~effect-weakref/WeakRef/Callback"])
      act(referent, owner, callback)
      finalize()
      return [JSON.parse(JSON.stringify(callback)).status, Effect.runSync(WeakRef.cancel(callback)), started.length]
    }
    assert.deepStrictEqual(statusOf((referent) => collect(referent)), ["started", false, 1])
    assert.deepStrictEqual(statusOf((_, owner) => collect(owner)), ["ended", true, 0])
    // The order of the two clean-ups is random.
    for (let n = 0; n < 8; n++) {
      assert.deepStrictEqual(statusOf((referent, owner) => collect(referent, owner)), ["ended", true, 0])
    }
    assert.deepStrictEqual(statusOf((_, __, callback) => Effect.runSync(WeakRef.cancel(callback))), ["ended", true, 0])
    assert.deepStrictEqual(statusOf(() => {}), ["waiting", true, 0])
  })

  it("does not run if its owner was collected before its referent", () => {
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    const [referent, owner] = [{}, {}]
    let runs = 0
    const register = WeakRef.onCollect(WeakRef.makeUnsafe(referent, heap), () => Effect.sync(() => runs++), { owner })
    const scope = Scope.makeUnsafe()
    Effect.runSync(Effect.provideService(register, Scope.Scope, scope))
    assert.strictEqual(scope.state._tag, "Open")
    collect(owner)
    finalize()
    assert.strictEqual(scope.state._tag, "Empty")
    collect(referent)
    finalize()
    assert.strictEqual(runs, 0)
  })

  it("is in no list after it has started, ended or found its Scope closed", () => {
    const { collect, finalize, heap } = TestHeap.makeUnsafe()
    const register = (receiver: object, method: () => void, scope: Scope.Scope, owner?: object) => {
      const made = WeakMethod.makeUnsafe(receiver, method, heap)
      const run = () => Effect.sync(() => runs++)
      const registering = owner === undefined
        ? WeakMethod.onCollect(made, run)
        : WeakMethod.onCollect(made, run, { owner })
      return () => Effect.runSync(Effect.provideService(registering, Scope.Scope, scope))
    }
    let runs = 0
    const areAlone = (...values: ReadonlyArray<object>) => values.map((value) => Ring.isAlone(Referent.of(value, heap)))
    const statusOf = (callback: WeakRef.Callback) => (callback.toJSON() as { readonly status: string }).status
    const [receiver, method, owner] = [{}, () => {}, {}]

    const closed = Scope.makeUnsafe()
    Effect.runSync(Scope.close(closed, Exit.void))
    assert.strictEqual(statusOf(register(receiver, method, closed, owner)()), "ended")
    assert.deepStrictEqual(areAlone(receiver, method, owner), [true, true, true])

    const scope = Scope.makeUnsafe()
    const callback = register(receiver, method, scope, owner)()
    assert.deepStrictEqual(areAlone(receiver, method, owner), [false, false, false])
    // The callback is its own part for the first referent.
    assert.isTrue(Referent.of(receiver, heap).older as unknown === callback)
    assert.isTrue(Effect.runSync(WeakRef.cancel(callback)))
    assert.deepStrictEqual([...areAlone(receiver, method, owner), scope.state._tag], [true, true, true, "Empty"])

    const late = register(receiver, method, scope)
    collect(method)
    assert.strictEqual(statusOf(late()), "started")
    assert.deepStrictEqual([...areAlone(receiver), scope.state._tag, runs], [true, "Empty", 1])

    const again = () => {}
    const first = register(receiver, again, scope, owner)()
    const second = register({}, again, scope)()
    Effect.runSync(Scope.close(scope, Exit.void))
    assert.deepStrictEqual([first, second].map(statusOf), ["ended", "ended"])
    collect(receiver, again)
    finalize()
    assert.strictEqual(runs, 1)
  })
})
