/**
 * Shows the progress of the program in one line on standard error, below the lines that
 * it logs. If standard error is not a terminal, prints a line for each quarter of the work.
 */
import { Cause, Effect, type Layer, Logger, Schedule, type Scope } from "effect"
import * as readline from "node:readline"

const stream = process.stderr

/** The text that the last line of the terminal shows now. */
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

export interface Work {
  readonly of: number
  readonly done: () => number
  readonly status: () => string
}

/** Shows a status until the `Scope` closes, and then prints it one last time. */
export const watch = ({ done, of, status }: Work): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    let printed = -1
    const update = Effect.sync(() => {
      if (stream.isTTY) return draw(status())
      const quarter = Math.floor(4 * done() / of)
      // The last quarter is printed at the end.
      if (quarter === printed || quarter === 4) return
      printed = quarter
      print(status())
    })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        draw("")
        print(status())
      })
    )
    yield* update.pipe(
      Effect.schedule(Schedule.spaced("100 millis")),
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
