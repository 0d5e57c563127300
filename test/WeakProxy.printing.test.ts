import { assert, describe, it } from "@effect/vitest"
import { Cause, Console, Effect, Exit, Formatter, Inspectable, Logger } from "effect"
import * as NodeConsole from "node:console"
import { Writable } from "node:stream"
import * as util from "node:util"
import { vi } from "vitest"
import { WeakError, WeakProxy } from "../src/index.ts"
import { TestHeap } from "../src/testing/index.ts"
import { hasNode, isBun, skip } from "./support/host.ts"

const kinds: Record<string, () => object> = {
  object: () => ({ a: 1 }),
  array: () => [1],
  function: () => () => 1,
  class: () =>
    class {
      a = 1
    },
  error: () => new Error("boom"),
  map: () => new Map(),
  "an effect": () => Effect.void
}

const dead = (make: () => object): any => {
  const { collect, heap } = TestHeap.makeUnsafe()
  const target = make()
  const proxy = WeakProxy.makeUnsafe(target, heap)
  collect(target)
  return proxy
}

const deadMethod = (): any => {
  const { collect, heap } = TestHeap.makeUnsafe()
  const target = { run() {} }
  const { run } = WeakProxy.makeUnsafe(target, heap)
  collect(target)
  return run
}

const proxies: Record<string, () => any> = {
  ...Object.fromEntries(Object.entries(kinds).map(([kind, make]) => [kind, () => dead(make)])),
  "a method": deadMethod
}

const places: Record<string, (proxy: any) => unknown> = {
  alone: (proxy) => proxy,
  "in an object": (proxy) => ({ proxy, other: 1 }),
  "in an array": (proxy) => [proxy],
  "in a Map": (proxy) => new Map([["key", proxy]]),
  "in a Set": (proxy) => new Set([proxy]),
  "as a cause": (proxy) => new Error("outer", { cause: proxy }),
  "in an AggregateError": (proxy) => new AggregateError([proxy], "outer"),
  "in a property of an error": (proxy) => Object.assign(new Error("outer"), { proxy }),
  deep: (proxy) => ({ a: [{ b: new Error("outer", { cause: { proxy } }) }] })
}

const loggers = {
  default: Logger.defaultLogger,
  pretty: Logger.consolePretty({ colors: true }),
  logfmt: Logger.consoleLogFmt,
  structured: Logger.consoleStructured,
  json: Logger.consoleJson
}

/** Runs an effect with a logger, and returns what was written. Throws if the effect fails. */
const written = (logger: Logger.Logger<unknown, any>, effect: Effect.Effect<unknown>): string => {
  let output = ""
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      output += String(chunk)
      done()
    }
  })
  const console = new NodeConsole.Console(stream)
  Effect.runSync(
    Effect.suspend(() => effect).pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(Console.Console, console)
    )
  )
  return output
}

const nodeConsole = (print: (console: NodeConsole.Console) => void): void => {
  print(new NodeConsole.Console(new Writable({ write: (_chunk, _encoding, done) => done() })))
}

const printers: Record<string, (value: any) => unknown> = {
  ...Object.fromEntries(
    Object.entries(loggers).flatMap(([name, logger]) => [
      [`Effect.log (${name})`, (value: any) => written(logger, Effect.suspend(() => Effect.log("text", value)))],
      [
        `Effect.log of the value alone (${name})`,
        (value: any) => written(logger, Effect.suspend(() => Effect.log(value)))
      ],
      [`annotateLogs (${name})`, (value: any) => written(logger, Effect.annotateLogs(Effect.log("text"), { value }))],
      [`a logged cause (${name})`, (value: any) => written(logger, Effect.logError("text", Cause.fail(value)))],
      [`a logged defect (${name})`, (value: any) => written(logger, Effect.logError("text", Cause.die(value)))]
    ])
  ),
  "Cause.pretty of a failure": (value) => Cause.pretty(Cause.fail(value)),
  "Cause.pretty of a defect": (value) => Cause.pretty(Cause.die(value)),
  "Cause.prettyErrors": (value) => Cause.prettyErrors(Cause.fail(value)),
  "String of a Cause": (value) => String(Cause.fail(value)),
  "String of an Exit": (value) => String(Exit.succeed(value)),
  "JSON of an Exit": (value) => JSON.stringify(Exit.fail(value)),
  "Formatter.format": (value) => Formatter.format(value),
  "Formatter.formatJson": (value) => Formatter.formatJson(value),
  "Inspectable.toJson": (value) => Inspectable.toJson(value),
  "Inspectable.toStringUnknown": (value) => Inspectable.toStringUnknown(value),
  "JSON.stringify": (value) => JSON.stringify(value),
  "console.log": (value) => nodeConsole((console) => console.log(value)),
  "console.table": (value) => nodeConsole((console) => console.table(value)),
  "console.table of a row": (value) => nodeConsole((console) => console.table([{ value }])),
  "console.table of an array": (value) => nodeConsole((console) => console.table([value, value])),
  "console.dir": (value) => nodeConsole((console) => console.dir(value)),
  "util.inspect": (value) => util.inspect(value),
  "util.inspect with all options": (value) =>
    util.inspect(value, { showHidden: true, getters: true, depth: 9, sorted: true, compact: false, colors: true }),
  "util.inspect with showProxy": (value) => util.inspect(value, { showProxy: true }),
  "util.format": (value) =>
    util.format("%s %o %O %j %d %i %f %c", value, value, value, value, value, value, value, value)
}

/** Why Bun cannot print a value so, or `undefined`. */
const reasonOnBun = (printer: string): string | undefined =>
  printer.startsWith("console.table")
    ? "the console of Bun prints no table with an object in a cell"
    : printer === "Effect.log of the value alone (pretty)"
    ? "the stack lacks a function whose last act was a call"
    : undefined

describe("WeakProxy, dead", () => {
  for (const [name, print] of Object.entries(printers)) {
    it(`can be printed by ${name}`, () => {
      const reason = isBun ? reasonOnBun(name) : undefined
      if (reason !== undefined) skip(reason)
      for (const [kind, make] of Object.entries(proxies)) {
        for (const [place, put] of Object.entries(places)) {
          try {
            print(put(make()))
          } catch (error) {
            assert.fail(`${kind}, ${place}: ${String(error)}`)
          }
        }
      }
    })
  }

  it("prints as collected", () => {
    const text = "[WeakProxy: collected]"
    for (const make of Object.values(proxies)) {
      assert.include(written(Logger.consolePretty(), Effect.suspend(() => Effect.log("text", make()))), text)
      assert.include(written(Logger.consoleJson, Effect.suspend(() => Effect.log("text", make()))), text)
      assert.strictEqual(JSON.stringify({ proxy: make() }), `{"proxy":"${text}"}`)
      assert.include(Cause.pretty(Cause.fail({ proxy: make() })), text)
    }
    assert.include(Cause.pretty(Cause.fail(proxies["object"]!())), text)
  })

  it("throws for the same operations in code that does not print", () => {
    const operations: Record<string, (x: any) => unknown> = {
      cause: (x) => x.cause,
      message: (x) => x.message,
      toString: (x: any) => x.toString,
      toPrimitive: (x) => x[Symbol.toPrimitive],
      keys: (x) => Object.keys(x),
      descriptors: (x) => Object.getOwnPropertyDescriptors(x),
      prototype: (x) => Object.getPrototypeOf(x),
      ...hasNode ? { "Buffer.isBuffer": (x: unknown) => Buffer.isBuffer(x) } : {},
      String: (x: any) => String(x)
    }
    for (const [kind, make] of Object.entries(proxies)) {
      for (const [name, operation] of Object.entries(operations)) {
        assert.throws(() => operation(make()), WeakError.DeadReferenceError, undefined, `${kind}, ${name}`)
      }
    }
  })

  it("has no properties for a printer but the text that it prints", () => {
    // A frame with the name of a printer of Effect is a printer.
    const toJson = (x: any): ReadonlyArray<unknown> => {
      const text = [x.toString(), x[Symbol.toPrimitive]()]
      return [...text, x.cause, x.name, "cause" in x, Reflect.ownKeys(x)]
    }
    const text = "[WeakProxy: collected]"
    assert.deepStrictEqual(toJson(dead(() => ({ a: 1 }))), [text, text, undefined, undefined, false, []])
    assert.deepStrictEqual(toJson(dead(() => [1])), [text, text, undefined, undefined, false, ["length"]])
    assert.deepStrictEqual(toJson(dead(() => () => 1)), [text, text, undefined, undefined, false, []])
  })

  it("is printed by Cause.pretty under any name, because the library learns where it uses a proxy", async () => {
    // Stands for `Cause.pretty` in a minified bundle.
    const a = (cause: Cause.Cause<unknown>): string => {
      const value = Cause.squash(cause) as Error
      return `printed ${value.message}`
    }
    vi.resetModules()
    vi.doMock("effect/Cause", async (original) => ({ ...await original<typeof Cause>(), pretty: a }))
    try {
      const copy = await import("../src/WeakProxy.ts")
      const { collect, heap } = TestHeap.makeUnsafe()
      const target = new Error("alive")
      const proxy = copy.makeUnsafe(target, heap)
      collect(target)
      for (let round = 0; round < 2; round++) {
        assert.throws(() => proxy.message, "it refers to has been collected")
        assert.strictEqual(a(Cause.die(proxy)), "printed undefined")
      }
    } finally {
      vi.doUnmock("effect/Cause")
    }
  })

  it("leaves the limit of stacks as it was", () => {
    const { stackTraceLimit } = Error
    for (const limit of [0, 1, 7, Infinity]) {
      Error.stackTraceLimit = limit
      try {
        util.inspect(new Error("outer", { cause: dead(() => ({})) }))
        assert.strictEqual(Error.stackTraceLimit, limit)
      } finally {
        Error.stackTraceLimit = stackTraceLimit
      }
    }
  })

  it("shows the referent while it is alive", () => {
    const proxy = WeakProxy.makeUnsafe({ id: 1, toJSON: () => ({ id: 2 }) })
    assert.strictEqual(JSON.stringify(proxy), `{"id":2}`)
    assert.strictEqual(JSON.stringify(WeakProxy.makeUnsafe({ id: 1 })), `{"id":1}`)
    assert.isFalse("toJSON" in WeakProxy.makeUnsafe({ id: 1 }))
  })
})
