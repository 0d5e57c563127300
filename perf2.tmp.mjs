import { Effect, Scope } from "effect"
import { Finalizer } from "/work/wt/callbacks/dist/index.js"
const n = 50000
const mode = process.argv[2]
const cpu = () => { const c = process.threadCpuUsage(); return (c.user + c.system) * 1000 }
const res = []
for (let r = 0; r < 8; r++) {
  const scope = Scope.makeUnsafe()
  const ts = Array.from({ length: n }, () => ({}))
  const effect = Effect.void
  const t = cpu()
  if (mode === "make") Effect.runSync(Scope.provide(Effect.gen(function*() { for (const t of ts) yield* Finalizer.make(t, effect) }), scope))
  else if (mode === "nothing") Effect.runSync(Scope.provide(Effect.gen(function*() { for (const t of ts) yield* Effect.contextWith(() => Effect.succeed(t)) }), scope))
  else if (mode === "unsafe") for (const x of ts) Finalizer.makeUnsafe(x, effect, { scope })
  res.push((cpu() - t) / n | 0)
  if (mode !== "nothing") Effect.runSync(Scope.close(scope, { _tag: "Success" }))
}
console.log(mode, res.join(" "))
