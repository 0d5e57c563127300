/**
 * A correct service under allocation pressure beside planted leaks of twelve kinds, for some minutes. No collection is
 * forced. Prints as JSON what `LeakMonitor` reported, and fails if it is not exactly the planted leaks.
 *
 *     node scripts/stress/monitorProgram.ts [minutes]
 */
import { Deferred, Effect, Exit, Fiber, Random, Scope } from "effect"
import { Finalizer, LeakMonitor, WeakRef } from "../../src/index.ts"

const minutes = Number(process.argv[2] ?? 2)
const deadline = performance.now() + minutes * 60_000
/** Longer than any Scope of the service stays open, even on a machine that is busy with other work. */
const patience = 20
/** How long to wait for the reports of the last leaks. */
const waitMillis = 240_000
const workers = 64

const reported = new Map<string, number>()
const planted = new Map<string, number>()
let requests = 0
let tracked = 0
let longest = 0

const onLeak = ({ kind, name }: LeakMonitor.Leak) =>
  Effect.sync(() => void reported.set(`${kind} ${name}`, (reported.get(`${kind} ${name}`) ?? 0) + 1))

const track = <A extends WeakKey>(value: A, name: string) => {
  tracked++
  return LeakMonitor.track(value, { name })
}

class Session {
  readonly id: number
  readonly data: Array<object>
  constructor(id: number) {
    this.id = id
    this.data = Array.from({ length: 50 }, (_, index) => ({ index, id }))
  }
}

/** Allocates garbage of all ages: some of it stays for a while in a ring of old objects. */
const old: Array<unknown> = new Array(20_000)
let next = 0
const allocate = (): number => {
  let sum = 0
  for (let i = 0; i < 40; i++) {
    const block = Array.from({ length: 32 }, (_, index) => ({ index }))
    sum += block.length
    old[next] = block
    next = (next + 1) % old.length
  }
  return sum
}

const sessions = new Map<number, Session>()

/** Session handle and connection live until the Scope closes, or are dropped before it does. */
const request = Effect.gen(function*() {
  const id = requests++
  const session = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const session = new Session(id)
      sessions.set(id, session)
      return session
    }),
    (session) => Effect.sync(() => void sessions.delete(session.id))
  )
  yield* track(session, "session")
  yield* query(id)
  allocate()
  const long = yield* Random.nextBoolean
  yield* Effect.sleep(long ? yield* Random.nextIntBetween(0, 50) : 0)
  if (id % 10 === 0) yield* Effect.forkScoped(Effect.andThen(track(new Session(-id), "in a child"), Effect.never))
  if (id % 500 === 0) yield* Effect.sleep(3000)
  return session.data.length
}).pipe(Effect.scoped)

/** The program drops this handle long before its Scope closes. */
const query = (id: number) =>
  Effect.gen(function*() {
    const connection = yield* track({ run: () => id }, "connection")
    yield* WeakRef.make(connection)
    yield* Finalizer.make(connection, Effect.void)
    return connection.run()
  })

const service = Effect.gen(function*() {
  while (performance.now() < deadline || !isComplete()) {
    if (performance.now() > deadline + waitMillis) return
    const start = performance.now()
    yield* request
    longest = Math.max(longest, performance.now() - start)
  }
})

interface Kind {
  readonly name: string
  readonly leak: "NotReleased" | "NotClosed"
  readonly plant: (value: object) => Effect.Effect<void>
}

const kept: Array<unknown> = []
const map = new Map<object, object>()
const target = new EventTarget()
const keys: Array<object> = []
const values = new WeakMap<object, object>()
const outer = Scope.makeUnsafe()
const never = new Promise<void>(() => {})

const retain = (name: string, keep: (value: object) => void): Kind => ({
  name,
  leak: "NotReleased",
  plant: (value) =>
    Effect.scoped(Effect.andThen(Effect.sync(() => keep(value)), Effect.asVoid(track(value, `planted: ${name}`))))
})

const forget = (name: string, plant: (value: object) => Effect.Effect<void>): Kind => ({
  name,
  leak: "NotClosed",
  plant
})

function* walk(value: object): Generator<object> {
  yield value
  yield value
}

const kinds: ReadonlyArray<Kind> = [
  retain("an array", (value) => void kept.push(value)),
  retain("a map", (value) => void map.set({}, value)),
  retain("a listener", (value) => target.addEventListener("event", () => value)),
  retain("a timer", (value) => void kept.push(setTimeout((argument: object) => argument, 3_600_000, value))),
  retain("a bound argument", (value) => void kept.push(((argument: object) => argument).bind(null, value))),
  retain("a suspended generator", (value) => {
    const steps = walk(value)
    steps.next()
    kept.push(steps)
  }),
  retain("a promise reaction", (value) => void never.then(() => value)),
  retain("a value of a WeakMap", (value) => {
    const key = {}
    keys.push(key)
    values.set(key, value)
  }),
  retain("a suspended fiber", (value) => {
    kept.push(Effect.runFork(Effect.andThen(Effect.never, Effect.sync(() => value))))
  }),
  retain("a finalizer of an outer Scope", (value) => {
    Effect.runSync(Scope.addFinalizer(outer, Effect.sync(() => value)))
  }),
  forget("a Scope that nothing closes", (value) =>
    Effect.suspend(() => {
      const scope = Scope.makeUnsafe()
      kept.push(scope)
      return Effect.asVoid(Scope.provide(track(value, "planted: a Scope that nothing closes"), scope))
    })),
  forget("a fiber that waits in its Scope", (value) =>
    Effect.asVoid(Effect.forkDetach(Effect.scoped(
      Effect.andThen(track(value, "planted: a fiber that waits in its Scope"), Effect.never)
    ))))
]

const isComplete = (): boolean => {
  for (const [leak, count] of planted) if (reported.get(leak) !== count) return false
  return true
}

/** Plants one leak of each kind every five seconds. */
const planter = Effect.gen(function*() {
  let plantedAny = false
  while (!plantedAny || performance.now() < deadline - 10_000) {
    for (const { leak, name, plant } of kinds) {
      yield* Effect.suspend(() => plant({ planted: name }))
      const key = `${leak} planted: ${name}`
      planted.set(key, (planted.get(key) ?? 0) + 1)
    }
    plantedAny = true
    yield* Effect.sleep(5000)
  }
})

const program = Effect.gen(function*() {
  const start = yield* Deferred.make<void>()
  const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
  for (let worker = 0; worker < workers; worker++) {
    fibers.push(yield* Effect.forkChild(Effect.andThen(Deferred.await(start), service)))
  }
  yield* Deferred.succeed(start, undefined)
  yield* planter
  yield* Effect.forEach(fibers, Fiber.join)
}).pipe(Effect.provide(LeakMonitor.layer({ level: "all", patience: `${patience} seconds`, onLeak })))

const exit = await Effect.runPromiseExit(program)
const falseReports = [...reported].filter(([leak]) => !planted.has(leak)).map(([leak, count]) => ({ leak, count }))
const missing = [...planted].filter(([leak, count]) => reported.get(leak) !== count)
console.log(JSON.stringify({
  minutes,
  patience,
  longestSeconds: Math.round(longest / 100) / 10,
  requests,
  tracked,
  planted: [...planted.values()].reduce((sum, count) => sum + count, 0),
  kinds: kinds.length,
  falseReports,
  missing: missing.map(([leak, count]) => ({ leak, planted: count, reported: reported.get(leak) ?? 0 }))
}))
if (Exit.isFailure(exit)) console.error(exit.cause)
process.exit(Exit.isSuccess(exit) && falseReports.length === 0 && missing.length === 0 ? 0 : 1)
