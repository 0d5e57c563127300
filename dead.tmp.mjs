import { Cause, Effect, Formatter, Inspectable, Logger, Exit, References } from "effect"
import { WeakProxy, WeakRef } from "effect-weakref"
import { TestHeap } from "effect-weakref/testing"
import util from "node:util"
const { collect, heap } = TestHeap.makeUnsafe()
const mk = (v) => { const p = WeakProxy.makeUnsafe(v, heap); collect(v); return p }
const kinds = { object: mk({ a: 1 }), fn: mk(() => 1), cls: mk(class A {}), array: mk([1]), err: mk(new Error("boom")), map: mk(new Map()) }
const live = { id: 1 }
const lp = WeakProxy.makeUnsafe({ run() {} }, heap)
const quiet = (f) => { const log = console.log, err = console.error, tab = console.table; return f() }
const loggers = { default: Logger.defaultLogger, pretty: Logger.consolePretty({ colors: true }), logfmt: Logger.consoleLogFmt, structured: Logger.consoleStructured, json: Logger.consoleJson }
const wraps = { bare: (p) => p, inObject: (p) => ({ p, x: 1 }), inArray: (p) => [p], inError: (p) => new Error("outer", { cause: p }), inAgg: (p) => new AggregateError([p], "agg"), inErrorProp: (p) => Object.assign(new Error("e"), { p }), inMap: (p) => new Map([["k", p]]), inSet: p => new Set([p]), deep: (p) => ({ a: [{ b: new Error("x", { cause: { p } }) }] }) }
const printers = {
  ...Object.fromEntries(Object.entries(loggers).flatMap(([n, logger]) => [
    ["log:" + n, (v) => Effect.runSyncExit(Effect.suspend(() => Effect.log("m", v)).pipe(Effect.provide(Logger.layer([logger]))))],
    ["log1:" + n, (v) => Effect.runSyncExit(Effect.suspend(() => Effect.log(v)).pipe(Effect.provide(Logger.layer([logger]))))],
    ["annotate:" + n, (v) => Effect.runSyncExit(Effect.suspend(() => Effect.log("m").pipe(Effect.annotateLogs("k", v))).pipe(Effect.provide(Logger.layer([logger]))))],
    ["logCause:" + n, (v) => Effect.runSyncExit(Effect.suspend(() => Effect.logError("m", Cause.fail(v))).pipe(Effect.provide(Logger.layer([logger]))))],
  ])),
  "annotateSpan": (v) => Effect.runSyncExit(Effect.suspend(() => Effect.annotateCurrentSpan("k", v)).pipe(Effect.withSpan("s"))),
  prettyFail: (v) => Cause.pretty(Cause.fail(v)), prettyDie: (v) => Cause.pretty(Cause.die(v)), prettyErrors: v => Cause.prettyErrors(Cause.fail(v)),
  squash: v => Cause.squash(Cause.fail(v)),
  causeString: (v) => String(Cause.fail(v)), exitString: v => String(Exit.fail(v)), exitJson: v => JSON.stringify(Exit.fail(v)), succeedString: v => String(Exit.succeed(v)),
  table: (v) => console.table(v), tableRow: (v) => console.table([{ v }]), tableArr: v => console.table([v]),
  log: (v) => console.log(v), dir: (v) => console.dir(v), error: v => console.error(v),
  fmt: (v) => util.format("%s %o %O %j", v, v, v, v), fmtd: v => util.format("%d %i %f %c", v, v, v, v),
  inspect: (v) => util.inspect(v), hidden: (v) => util.inspect(v, { showHidden: true, getters: true, depth: 5 }), showProxy: (v) => util.inspect(v, { showProxy: true }), sorted: v => util.inspect(v, { sorted: true, compact: false }),
  json: (v) => JSON.stringify(v) , format: (v) => Formatter.format(v), formatJson: (v) => Formatter.formatJson?.(v), toJson: (v) => Inspectable.toJson(v), toStringUnknown: v => Inspectable.toStringUnknown?.(v), redact: v => Inspectable.redact?.(v), formatSpace: v => Formatter.format(v, { space: 2 }),
}
const out = []
const origWrite = process.stdout.write.bind(process.stdout); 
process.stdout.write = () => true; process.stderr.write = () => true
for (const [pn, print] of Object.entries(printers)) for (const [wn, wrap] of Object.entries(wraps)) for (const [kn, p] of Object.entries(kinds)) {
  try { const r = print(wrap(p)); if (r && r._tag === "Failure") throw Cause.squash(r.cause) } catch (e) { let m; try { m = String(e?.message).slice(0, 90) } catch { m = "?" } out.push([pn, wn, kn, m]) }
}
process.stdout.write = origWrite
const g = {}
for (const [pn, wn, kn, m] of out) (g[m.replace(/: the .*/, "")] ??= []).push(pn + "/" + wn + "/" + kn)
for (const [m, l] of Object.entries(g)) console.log(l.length, m, "\n    ", [...new Set(l.map(x => x.split("/").slice(0, 2).join("/")))].slice(0, 60).join(" "))
console.log("total failures", out.length)
