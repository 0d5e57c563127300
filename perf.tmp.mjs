import { Effect, Scope, Context } from "effect"
import { performance } from "node:perf_hooks"
const dir = process.argv[2]
const { Finalizer, WeakRef: Refs } = await import(dir)
const cpu = () => { const c = process.threadCpuUsage(); return (c.user + c.system) * 1000 }
const n = 50000
const median = (a) => a.sort((x, y) => x - y)[a.length >> 1]
const floor = () => {
  const wm = new WeakMap(), map = new Map(), reg = new FinalizationRegistry(() => {})
  const ts = Array.from({ length: n }, () => ({}))
  const t = cpu()
  for (const target of ts) { const r = new WeakRef(target); wm.set(target, r); reg.register(target, r); map.set(r, target === 1) }
  return [(cpu() - t) / n, wm, map, reg, ts]
}
const ours = () => {
  const scope = Scope.makeUnsafe()
  const ctx = Context.make(Scope.Scope, scope)
  const ts = Array.from({ length: n }, () => ({}))
  const effect = Effect.void
  const run = Effect.runSyncWith ? Effect.runSyncWith(ctx) : (e) => Effect.runSync(Effect.provide(e, ctx))
  const all = Effect.gen(function*() { for (const t of ts) yield* Finalizer.make(t, effect) })
  const t = cpu()
  run(all)
  return [(cpu() - t) / n, scope, ts]
}
const unsafe = () => {
  if (!Finalizer.makeUnsafe) return [NaN]
  const scope = Scope.makeUnsafe()
  const ts = Array.from({ length: n }, () => ({}))
  const effect = Effect.void
  const t = cpu()
  for (const x of ts) Finalizer.makeUnsafe(x, effect, { scope })
  return [(cpu() - t) / n, scope, ts]
}
const wait = () => new Promise((r) => setTimeout(r, 20))
const f = [], o = [], u = []
for (let i = 0; i < 9; i++) { f.push(floor()[0]); gc(); await wait(); o.push(ours()[0]); gc(); await wait(); u.push(unsafe()[0]); gc(); await wait() }
console.log("floor", median(f) | 0, "make", median(o) | 0, "ratio", (median(o) / median(f)).toFixed(2), "unsafe", median(u) | 0)
// run after collection
const runs = async (make, count) => {
  let ran = 0
  make(() => ran++)
  await wait()
  gc()
  const t = cpu()
  let longest = 0, last = cpu()
  while (ran < count) { await new Promise((r) => setImmediate(r)); const now = cpu(); longest = Math.max(longest, now - last); last = now }
  return [(cpu() - t) / count, longest / 1e6]
}
const N = 200000
for (let i = 0; i < 3; i++) {
  const reg = { r: undefined }
  const fl = await runs((f) => { reg.r = new FinalizationRegistry(f); for (let i = 0; i < N; i++) reg.r.register({}, i) }, N)
  const scope = Scope.makeUnsafe()
  const us = await runs((f) => { const e = Effect.sync(f); Effect.runSync(Scope.provide(Effect.gen(function*() { for (let i = 0; i < N; i++) yield* Finalizer.make({}, e) }), scope)) }, N)
  console.log("run floor ns", fl[0] | 0, "longest ms", fl[1].toFixed(1), " ours ns", us[0] | 0, "longest ms", us[1].toFixed(1))
}
