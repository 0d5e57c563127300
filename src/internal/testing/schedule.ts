/** Prints schedules as strings that can be replayed, and as traces that a person reads. */
import { format } from "effect/Formatter"
import type { Event } from "./exploredCollector.ts"

/** A choice that did not take the first option. All other choices of the run took the first option. */
export interface Step {
  /** The index of the choice in the run, from 0. */
  readonly at: number
  readonly option: string
}

export interface Schedule {
  readonly lateUnregister: boolean
  readonly steps: ReadonlyArray<Step>
}

export const print = ({ lateUnregister, steps }: Schedule): string =>
  [...lateUnregister ? ["late"] : [], ...steps.map(({ at, option }) => `${at}:${option}`)].join(",")

const stepPattern = /^(\d+):((?:deref|cleanup|collect)#\d+)$/

/** Parses a schedule. Returns `undefined` if the text is not a schedule. */
export const parse = (text: string): Schedule | undefined => {
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "")
  const lateUnregister = parts[0] === "late"
  const steps: Array<Step> = []
  for (const part of lateUnregister ? parts.slice(1) : parts) {
    const match = stepPattern.exec(part)
    if (match === null) return undefined
    const at = Number(match[1])
    if (steps.length > 0 && at <= steps.at(-1)!.at) return undefined
    steps.push({ at, option: match[2]! })
  }
  return { lateUnregister, steps }
}

/** Describes what the collector did: `turn 2: {id: 1} is collected before "deref"; turn 3: its clean-up runs`. */
export const trace = (events: ReadonlyArray<Event>, targets: ReadonlyArray<WeakKey>): string => {
  if (events.length === 0) return "nothing is collected"
  const nameOf = names([...targets, ...events.map((event) => event.target)])
  let last: WeakKey | undefined
  let turn: number | undefined
  return events.map((event) => {
    const known = event.target === last
    const when = event.turn === turn ? "" : `turn ${event.turn}: `
    last = event.target
    turn = event.turn
    return when + sentence(event, known, nameOf(event.target), isAmbiguous(event, events))
  }).join("; ")
}

const sentence = (event: Event, known: boolean, name: string, ambiguous: boolean): string => {
  const cleanUp = (whose: string) =>
    `${whose} runs${ambiguous ? ` with ${shorten(format(event.registration!.held))}` : ""}`
  const its = known ? "its clean-up" : `the clean-up of ${name}`
  switch (event.kind) {
    case "collected":
      return `${name} is collected before "${event.before}"`
    case "collected and cleaned up":
      return `${name} is collected and ${cleanUp("its clean-up")}`
    case "cleaned up":
      return cleanUp(its)
    case "cleaned up late":
      return `${cleanUp(its)}, although it was unregistered`
  }
}

/** Whether the trace has another clean-up of the same target. */
const isAmbiguous = ({ registration, target }: Event, events: ReadonlyArray<Event>): boolean =>
  registration !== undefined &&
  events.some((other) =>
    other.target === target && other.registration !== undefined &&
    other.registration !== registration
  )

const names = (targets: ReadonlyArray<WeakKey>): (target: WeakKey) => string => {
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
  if (typeof target === "symbol") return target.toString()
  if (typeof target === "function") return target.name === "" ? "a function" : `function ${target.name}`
  if (Object.getPrototypeOf(target) !== Object.prototype) return format(target)
  const properties = Object.entries(Object.getOwnPropertyDescriptors(target))
    .map(([key, { value }]) => `${key}: ${typeof value === "object" && value !== null ? "…" : format(value)}`)
  return `{${properties.join(", ")}}`
}

const shorten = (text: string): string => text.length > 60 ? `${text.slice(0, 59)}…` : text
