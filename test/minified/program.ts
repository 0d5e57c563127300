/** Prints dead proxies with `Cause.pretty` and with loggers, and what other code gets from the proxies. `WeakProxy.minified.test.ts` bundles it. */
import { Cause, Effect, Logger } from "effect"
import { WeakError, WeakProxy } from "../../src/index.ts"
import { TestHeap } from "../../src/testing/index.ts"

const dead = (target: object): any => {
  const { collect, heap } = TestHeap.makeUnsafe()
  const proxy = WeakProxy.makeUnsafe(target, heap)
  collect(target)
  return proxy
}

const firstLine = (print: () => string): string => {
  try {
    return print().split("\n")[0]!
  } catch (error) {
    return `${(error as Error).name} was thrown`
  }
}

const logged = (cause: Cause.Cause<unknown>): string => {
  let text = ""
  const logger = Logger.make<unknown, void>((options) => void (text = Logger.formatJson.log(options)))
  Effect.runSync(Effect.provide(Effect.logError("failed", cause), Logger.layer([logger])))
  return (JSON.parse(text) as { readonly cause: string }).cause
}

const throws = (use: () => unknown): boolean => {
  try {
    use()
    return false
  } catch (error) {
    return error instanceof WeakError.DeadReferenceError
  }
}

const results: Record<string, ReadonlyArray<unknown>> = {}
for (
  const [kind, target] of Object.entries({
    object: { a: 1 },
    array: [1],
    error: new Error("boom"),
    function: () => 1
  })
) {
  const proxy = dead(target)
  results[kind] = [
    firstLine(() => Cause.pretty(Cause.die(proxy))),
    firstLine(() => Cause.pretty(Cause.fail(proxy))),
    firstLine(() => Cause.pretty(Cause.die(new Error("outer", { cause: proxy })))),
    firstLine(() => logged(Cause.die(proxy))),
    // Other code must notice that the referent has been collected.
    [() => proxy.cause, () => proxy.message, () => Object.keys(proxy), () => `${proxy}`, () => "a" in proxy].every(
      throws
    )
  ]
}
console.log(JSON.stringify(results))
