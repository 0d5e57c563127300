/** Draws the results as charts. */
import * as Plot from "@observablehq/plot"
import { cpython, engine, floor, library, pattern } from "../subjects.ts"
import { findAll, type Results, valueOf } from "./results.ts"
import { renderSvg } from "./svg.ts"

/** Colors of medium brightness, which are visible on white and on black. */
const colors: Readonly<Record<string, string>> = {
  [library]: "#2f7ed8",
  [floor]: "#8b949e",
  "by hand": "#9a6ddb",
  weakref: "#d9822b",
  "iterable-weak": "#c9577b",
  [pattern]: "#c94f4f",
  "weak-value": "#b59a2d",
  "weak-lru-cache": "#8f7b5c",
  "@wry/caches": "#4aa36c",
  [cpython]: "#3b9fa8",
  [engine]: "#6b7785"
}

interface Bar {
  readonly subject: string
  readonly name: string
  readonly contender: string
  readonly value: number
}

const barsOf = (results: Results): Array<Bar> => results.map((result) => ({ ...result, value: valueOf(result) }))

const ranks = Object.keys(colors)

const color = { domain: ranks, range: Object.values(colors) }

/** Draws bars, with one facet for each operation. */
const barChart = (title: string, bars: Array<Bar>): string => {
  const contenders = ranks.filter((contender) => bars.some((bar) => bar.contender === contender))
  const names = Array.from(new Set(bars.map(({ name }) => name)))
  const limit = Math.max(...bars.filter(({ contender }) => contender === library).map(({ value }) => value)) * 3
  return renderSvg(title, {
    width: 900,
    height: 60 + names.length * contenders.length * 17,
    marginLeft: 130,
    marginRight: 190,
    marginTop: 40,
    style: "font-size: 12px",
    x: {
      label: title,
      labelAnchor: "left",
      labelArrow: "none",
      domain: [0, limit],
      clamp: true,
      grid: true,
      axis: "top"
    },
    y: { domain: contenders, label: null, tickSize: 0 },
    fy: { domain: names, label: null, padding: 0.15 },
    color,
    marks: [
      Plot.barX(bars, { x: "value", y: "contender", fy: "name", fill: "contender", insetTop: 1, insetBottom: 1 }),
      Plot.text(bars, {
        x: (bar: Bar) => Math.min(bar.value, limit * 0.93),
        y: "contender",
        fy: "name",
        text: (bar: Bar) => bar.value.toLocaleString("en", { maximumSignificantDigits: 3 }),
        textAnchor: "start",
        dx: 4
      }),
      Plot.ruleX([0])
    ]
  })
}

/** Draws how the cost of an operation grows with the number of entries. */
const growthChart = (title: string, results: Results): string => {
  const points = results.map((result) => ({ ...result, value: valueOf(result) })).sort((a, b) => a.n - b.n)
  return renderSvg(title, {
    width: 900,
    height: 620,
    marginLeft: 50,
    marginRight: 180,
    marginTop: 50,
    style: "font-size: 12px",
    x: { type: "log", label: "entries", labelArrow: "none", tickFormat: "~s", ticks: [1000, 1_000_000] },
    y: { type: "log", label: title, labelArrow: "none", grid: true, tickFormat: "~s", ticks: 4 },
    fx: { label: null },
    fy: { label: null },
    color,
    marks: [
      Plot.line(points, {
        x: "n",
        y: "value",
        fx: "name",
        fy: "subject",
        stroke: "contender",
        strokeWidth: 2,
        marker: "dot"
      }),
      Plot.frame({ strokeOpacity: 0.2 })
    ]
  })
}

export const drawCharts = (results: Results): ReadonlyArray<readonly [file: string, svg: string]> => {
  const charts: Array<readonly [string, string]> = []
  const subjects = { "value-map": "WeakValueMap, string keys", "key-map": "WeakKeyMap by reference" }
  for (const [file, subject] of Object.entries(subjects)) {
    const operations = findAll(results, { measure: "operations", subject, n: 100_000 })
    if (operations.length > 0) {
      charts.push([
        `benchmark-${file}.svg`,
        barChart(`${subject}, 100,000 entries: nanoseconds an operation`, barsOf(operations))
      ])
    }
    const cost = findAll(results, { measure: "cost", subject, n: 1_000_000 })
      .filter(({ unit }) => unit === "ms")
    if (cost.length > 0) {
      charts.push([
        `benchmark-${file}-pauses.svg`,
        barChart(`${subject}, 1,000,000 entries: milliseconds of the collector and the clean-up`, barsOf(cost))
      ])
    }
  }
  const growth = results.filter(({ contender, measure, subject }) =>
    measure === "operations" && (contender === library || contender === floor) &&
    results.some((other) => other.subject === subject && other.measure === "operations" && other.n === 1_000_000)
  )
  if (growth.length > 0) {
    charts.push([
      "benchmark-growth.svg",
      growthChart(
        `Nanoseconds an operation, by the number of entries: ${library} in blue, the ${floor} in grey`,
        growth
      )
    ])
  }
  return charts
}
