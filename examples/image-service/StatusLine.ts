/**
 * One line on standard error that says how far the program is, below what it
 * logs. Where standard error is no terminal, a line every second instead.
 */
import { Cause, Effect, type Layer, Logger, Schedule, type Scope } from "effect"
import * as readline from "node:readline"

const stream = process.stderr

/** What the terminal shows in its last line at the moment. */
let shown = ""

const draw = (text: string): void => {
  shown = text
  if (!stream.isTTY) return
  readline.cursorTo(stream, 0)
  stream.write(text.slice(0, stream.columns - 1))
  readline.clearLine(stream, 1)
}

const print = (text: string): void => {
  if (!stream.isTTY) return console.error(text)
  const status = shown
  draw("")
  stream.write(`${text}\n`)
  draw(status)
}

/** Shows a status until the `Scope` closes, and its last state for good. */
export const watch = (status: () => string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const update = Effect.sync(() => stream.isTTY ? draw(status()) : print(status()))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        draw("")
        print(status())
      })
    )
    yield* update.pipe(
      Effect.schedule(Schedule.spaced(stream.isTTY ? "100 millis" : "1 second")),
      Effect.forkScoped
    )
  })

/** Logs above the status line. */
export const logger: Layer.Layer<never> = Logger.layer([
  Logger.make<unknown, void>(({ cause, message }) => {
    const text = Array.isArray(message) ? message.join(" ") : String(message)
    print(cause.reasons.length === 0 ? text : `${text}\n${Cause.pretty(cause)}`)
  })
])
