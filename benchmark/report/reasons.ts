/** Reads the section "What we miss" of docs/performance.md: one row for each goal that is missed for a known reason. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { Figure, Goal } from "./goals.ts"

const file = path.resolve(import.meta.dirname, "../../docs/performance.md")

interface Reason {
  readonly goal: string
  /** The beginning of the names of the figures, or `everywhere`. */
  readonly where: string
  /** The largest figure that the reason explains. */
  readonly most: number
}

export const readReasons = (): ReadonlyArray<Reason> => {
  const section = fs.readFileSync(file, "utf8").split(/^## /m).find((text) => text.startsWith("What we miss"))
  if (section === undefined) throw new Error(`${file} has no section "What we miss"`)
  return section.split("\n").filter((line) => line.startsWith("|")).flatMap((line) => {
    const [, goal, where, , most, why] = line.split("|").map((cell) => cell.trim())
    return Number(most) > 0 && why !== "" ? [{ goal: goal!, where: where!, most: Number(most) }] : []
  })
}

/** A figure that misses its goal, and that no reason explains. */
export interface Miss {
  readonly goal: Goal
  readonly figure: Figure
}

export const unexplained = (goals: ReadonlyArray<Goal>, reasons: ReadonlyArray<Reason>): ReadonlyArray<Miss> =>
  goals.filter(({ met }) => met === false).flatMap((goal) =>
    goal.figures
      .filter(({ of, value }) =>
        (goal.most === undefined || value > goal.most) &&
        !reasons.some(({ most, where, ...reason }) =>
          reason.goal === goal.name && (where === "everywhere" || of.startsWith(where)) &&
          (goal.most === undefined || value <= most)
        )
      )
      .map((figure) => ({ goal, figure }))
  )
