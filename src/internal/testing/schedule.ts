/** Prints schedules as strings that can be replayed, and as traces that a person reads. */
import type * as Cause from "effect/Cause"
import { format } from "effect/Formatter"
import type { Event, Turns } from "./exploredCollector.ts"

/** A choice that did not take the first option. All other choices of the run took the first option. */
export interface Step {
  /** The index of the choice in the run, from 0. */
  readonly at: number
  readonly option: string
}

export interface Schedule {
  readonly lateUnregister: boolean
  readonly turns: Turns
  readonly steps: ReadonlyArray<Step>
}

export const print = ({ lateUnregister, steps, turns }: Schedule): string =>
  [
    ...lateUnregister ? ["late"] : [],
    ...turns === "job" ? ["job"] : [],
    ...steps.map(({ at, option }) => `${at}:${option}`)
  ].join(",")

const stepPattern = /^(\d+):((?:deref|cleanup|collect|count)#\d+)$/

/** Parses a schedule. Returns `undefined` if the text is not a schedule. */
export const parse = (text: string): Schedule | undefined => {
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "")
  const flag = (name: string): boolean => {
    if (parts[0] !== name) return false
    parts.shift()
    return true
  }
  const lateUnregister = flag("late")
  const turns = flag("job") ? "job" : "task"
  const steps: Array<Step> = []
  for (const part of parts) {
    const match = stepPattern.exec(part)
    if (match === null) return undefined
    const at = Number(match[1])
    if (steps.length > 0 && at <= steps.at(-1)!.at) return undefined
    steps.push({ at, option: match[2]! })
  }
  return { lateUnregister, turns, steps }
}

/** Describes what the collector did: `turn 2: {id: 1} is collected before "deref"; turn 3: its clean-up runs`. */
export const trace = (events: ReadonlyArray<Event>, targets: ReadonlyArray<WeakKey>): string => {
  if (events.length === 0) return "nothing is collected"
  const nameOf = names([...targets, ...events.map((event) => event.target)])
  let last: WeakKey | undefined
  let turn: number | undefined | "none" = "none"
  return events.map((event) => {
    const known = event.target === last
    const when = event.turn === turn ? "" : event.turn === undefined ? "after the end: " : `turn ${event.turn}: `
    last = event.kind === "counted" ? undefined : event.target
    turn = event.turn
    return when + sentence(event, known, nameOf(event.target), isAmbiguous(event, events))
  }).join("; ")
}

const sentence = (event: Event, known: boolean, name: string, ambiguous: boolean): string => {
  const cleanUp = (whose: string) =>
    `${whose} runs${ambiguous ? ` with ${shorten(printed(event.registration!.held))}` : ""}`
  const its = known ? "its clean-up" : `the clean-up of ${name}`
  switch (event.kind) {
    case "collected":
      return `${name} is collected${event.before === undefined ? "" : ` before "${event.before}"`}`
    case "collected and cleaned up":
      return `${name} is collected and ${cleanUp("its clean-up")}`
    case "cleaned up":
      return cleanUp(its)
    case "cleaned up late":
      return `${cleanUp(its)}, although it was unregistered`
    case "counted":
      return `"${event.before}" counts ${event.count} ${event.count === 1 ? "clean-up" : "clean-ups"}`
  }
}

/** Whether the target has several clean-ups. */
const isAmbiguous = (event: Event, events: ReadonlyArray<Event>): boolean =>
  event.isAmbiguous ||
  (event.registration !== undefined &&
    events.some((other) =>
      other.target === event.target && other.registration !== undefined &&
      other.registration !== event.registration
    ))

/** Returns a function that names targets. Numbers the targets that print the same. */
export const names = (targets: ReadonlyArray<WeakKey>): (target: WeakKey) => string => {
  const distinct = [...new Set(targets)]
  const plain = distinct.map((target) => shorten(nameOf(target)))
  return (target) => {
    const index = distinct.indexOf(target)
    const name = plain[index]!
    const same = distinct.filter((_, other) => plain[other] === name)
    return same.length === 1 ? name : `${name} (number ${same.indexOf(target) + 1})`
  }
}

const nameOf = (target: WeakKey): string => {
  try {
    if (typeof target === "function") return target.name === "" ? "a function" : `function ${String(target.name)}`
    if (Object.getPrototypeOf(target) !== Object.prototype) return format(target)
    const properties = Object.entries(Object.getOwnPropertyDescriptors(target))
      .map(([key, { value }]) => `${key}: ${typeof value === "object" && value !== null ? "…" : format(value)}`)
    return `{${properties.join(", ")}}`
  } catch {
    // For example a revoked proxy.
    return unprintable(target)
  }
}

/** Prints any value. Never throws. */
export const printed = (value: unknown): string => {
  try {
    return format(value)
  } catch {
    return unprintable(value)
  }
}

/** Describes every reason of a failure in a few words. Never throws. */
export const summary = (cause: Cause.Cause<unknown>): string =>
  cause.reasons.length === 0
    ? "it is interrupted"
    : [...new Set(cause.reasons.map(describe))].join("; ")

const describe = (reason: Cause.Reason<unknown>): string => {
  switch (reason._tag) {
    case "Fail":
      return describeError(reason.error)
    case "Die":
      return describeError(reason.defect)
    case "Interrupt":
      return "it is interrupted"
  }
}

const describeError = (error: unknown): string => {
  try {
    if (typeof error === "string") return error
    if (error instanceof Error) return error.message === "" ? error.name : error.message
  } catch {
    // Reading the error runs its code, which may throw.
  }
  return printed(error)
}

const unprintable = (value: unknown): string =>
  `${typeof value === "function" ? "a function" : "an object"} that cannot be printed`

const shorten = (text: string): string => text.length > 60 ? `${text.slice(0, 59)}…` : text
