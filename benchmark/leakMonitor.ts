/**
 * Measures the time and the bytes per object that `LeakMonitor` tracks, at each level, and those without `LeakMonitor`.
 *
 *     node --expose-gc benchmark/leakMonitor.ts [--quick]
 *
 * Times are processor times, because other processes disturb a clock. The tables have the median, the minimum and the
 * maximum of several rounds. In each round, all levels run one after the other.
 */
import { type Context, Effect, Exit, Layer, Scope } from "effect"
import { LeakMonitor } from "../src/index.ts"

const quick = process.argv.includes("--quick")
const objects = quick ? 20_000 : 100_000
const rounds = quick ? 5 : 11

const collect = (): void => {
  if (globalThis.gc === undefined) throw new Error("Run with --expose-gc")
  globalThis.gc()
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) {
    collect()
    await nextTurn()
  }
}

const cpu = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) * 1000
}

interface Handle {
  readonly id: number
}

const make = (id: number): Handle => ({ id })

type Program = (id: number) => Effect.Effect<Handle, never, Scope.Scope>

const without: Program = (id) => Effect.succeed(make(id))
/** The cheapest effect that reads its input when it runs. */
const suspended: Program = (id) => {
  const handle = make(id)
  return Effect.suspend(() => Effect.succeed(handle))
}
const tracked: Program = (id) => LeakMonitor.track(make(id), { name: "handle" })

interface Subject {
  readonly name: string
  readonly program: Program
  readonly layer: Layer.Layer<never>
}

const silent = () => Effect.void

const subjects: ReadonlyArray<Subject> = [
  { name: "without track", program: without, layer: Layer.empty },
  { name: "Effect.suspend", program: suspended, layer: Layer.empty },
  { name: "no layer", program: tracked, layer: Layer.empty },
  { name: "off", program: tracked, layer: LeakMonitor.layer({ level: "off" }) },
  {
    name: "sampled, 1 in 100",
    program: tracked,
    layer: LeakMonitor.layer({ level: "sampled", every: 100, onLeak: silent })
  },
  { name: "all", program: tracked, layer: LeakMonitor.layer({ level: "all", onLeak: silent }) }
]

interface Sample {
  readonly nanoseconds: number
  readonly bytes: number
}

/** Keeps the handles and their Scope alive, so that the growth of the heap is due to tracking only. */
const measure = async (subject: Subject): Promise<Sample> => {
  const layerScope = Scope.makeUnsafe()
  const context: Context.Context<never> = await Effect.runPromise(Layer.buildWithScope(subject.layer, layerScope))
  const scope = Scope.makeUnsafe()
  const handles: Array<Handle> = new Array(objects)
  const all = Effect.gen(function*() {
    for (let id = 0; id < objects; id++) handles[id] = yield* subject.program(id)
  }).pipe(Scope.provide(scope), Effect.provideContext(context))
  await settle()
  const heapBefore = process.memoryUsage().heapUsed
  const before = cpu()
  Effect.runSync(all)
  const nanoseconds = (cpu() - before) / objects
  await settle()
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / objects
  if (handles.length !== objects) throw new Error("The handles are gone")
  await Effect.runPromise(Scope.close(scope, Exit.void))
  await Effect.runPromise(Scope.close(layerScope, Exit.void))
  return { nanoseconds, bytes }
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const samples = new Map<string, Array<Sample>>(subjects.map(({ name }) => [name, []]))
for (let round = -1; round < rounds; round++) {
  for (const subject of subjects) {
    const sample = await measure(subject)
    // The first round is not counted, because the code is not optimized yet.
    if (round >= 0) samples.get(subject.name)!.push(sample)
  }
}

console.log(`Node ${process.version}, ${objects} objects of one Scope, ${rounds} rounds`)
console.log(`${"level".padEnd(20)}${"ns an object (least–most)".padStart(32)}${"bytes an object".padStart(18)}`)
for (const [name, measured] of samples) {
  const times = measured.map(({ nanoseconds }) => nanoseconds)
  const time = `${median(times).toFixed(0)} (${Math.min(...times).toFixed(0)}–${Math.max(...times).toFixed(0)})`
  const bytes = median(measured.map(({ bytes }) => bytes)).toFixed(0)
  console.log(`${name.padEnd(20)}${time.padStart(32)}${bytes.padStart(18)}`)
}
