/**
 * Writes the figures of `results.json` into docs/performance.md and the README, and draws the charts of that page.
 *
 *     npm run bench:docs
 */
import * as Plot from "@observablehq/plot"
import * as fs from "node:fs"
import * as path from "node:path"
import { formatFiles, replaceBetween, table } from "../scripts/markdown.ts"
import type { Job } from "./measurement.ts"
import type { Goal } from "./report/goals.ts"
import { find, ratioOf, ratioToFloor, type Results, valueOf } from "./report/results.ts"
import { renderSvg } from "./report/svg.ts"
import { formatNumber } from "./report/tables.ts"
import { caches, floor, library, several, severalSubjects } from "./subjects.ts"

const stored = path.join(import.meta.dirname, "results.json")
const { goals, machine, results } = JSON.parse(fs.readFileSync(stored, "utf8")) as {
  readonly goals: ReadonlyArray<Goal>
  readonly machine: Readonly<Record<string, string>>
  readonly results: Results
}
const page = "docs/performance.md"
const n = 100_000

type Row = Partial<Job> & { readonly name: string }

const figure = (row: Row): string => {
  const result = find(results, row)
  return result === undefined ? "-" : formatNumber(valueOf(result))
}

const withRatio = (row: Row): string => {
  const ratio = ratioToFloor(results, row)
  return `${figure({ ...row, contender: library })}${ratio === undefined ? "" : ` (${ratio.toFixed(2)})`}`
}

const operations = ["set new", "get hit", "get miss", "iterate", "overwrite", "remove"]
const subjects: Readonly<Record<string, string>> = {
  "WeakValueMap, string keys": "`WeakValueMap`, string keys",
  "WeakValueMap, object keys": "`WeakValueMap`, object keys",
  "WeakKeyMap by reference": "`WeakKeyMap` by reference",
  "WeakKeyMap by reference, object values": "the same, object values",
  "WeakKeyMap": "`WeakKeyMap` by structure",
  "WeakSet by reference": "`WeakSet` by reference",
  "WeakSet": "`WeakSet` by structure"
}

const operationTable = table(
  ["collection", ...operations],
  Object.entries(subjects).map(([subject, text]) =>
    [text].concat(operations.map((name) => withRatio({ measure: "operations", n, subject, name })))
  )
)

const referenceTable = table(
  ["reference or proxy", "ns", "compared with"],
  [
    ...["make", "make again", "deref"].map((name) => {
      const row = { measure: "operations", n, subject: "WeakRef", name } as const
      return [
        `\`WeakRef\`, ${name}`,
        figure({ ...row, contender: library }),
        `${ratioToFloor(results, row)?.toFixed(2)} × floor`
      ]
    }),
    ...["read", "call", "call a method"].map((name) => {
      const row = { measure: "operations", subject: "WeakProxy", name } as const
      const [own, plain] = [library, "plain Proxy"].map((contender) => find(results, { ...row, contender }))
      const ratio = ratioOf(own, plain)?.toFixed(2)
      return [`\`WeakProxy\`, ${name}`, figure({ ...row, contender: library }), `${ratio} × a plain \`Proxy\``]
    })
  ]
)

const afterCollections = ["set new", "get hit", "iterate", "forEach"]

const severalTable = table(
  ["ratio to the floor", ...afterCollections],
  severalSubjects.map((subject) =>
    [subjects[subject] ?? subject].concat(
      afterCollections.map((name) =>
        ratioToFloor(results, { measure: "after collections", subject: several, name: `${subject}: ${name}` })
          ?.toFixed(2) ?? "-"
      )
    )
  )
)

const costs: Readonly<Record<string, string>> = {
  "bytes an entry": "bytes per entry",
  "full collection, all alive": "full collection, all alive, ms",
  "full collection, all dying": "full collection, all dying, ms",
  "longest turn of the clean-up": "longest turn of the clean-up, ms",
  "death and clean-up": "until the last entry is removed, ms"
}

const costTable = (n: number): string => {
  const columns = ["WeakValueMap, string keys", "WeakKeyMap by reference"].flatMap((subject) =>
    [library, floor].map((contender) => ({ measure: "cost", n, subject, contender } as const))
  )
  return table(
    [`${n.toLocaleString("en")} entries`, "`WeakValueMap`", "floor", "`WeakKeyMap`", "floor"],
    Object.entries(costs).map(([name, text]) => [text].concat(columns.map((row) => figure({ ...row, name }))))
  )
}

/** What the contenders of a subject lack. */
const lacks = {
  "WeakValueMap, string keys": {
    "weakref": "structural keys, `Option`, clean-up in slices",
    "weak-value": "structural keys, `Option`; iterates over dead references",
    "weak-lru-cache": "structural keys, `Option`; leaves registrations behind",
    "lru-cache": "weak values: it keeps its values alive",
    "CPython": "`Option`; counts references, so that most objects die at once"
  },
  "WeakKeyMap by reference": {
    "weakref": "structural keys, `Option`, clean-up in slices",
    "iterable-weak": "ephemerons: a value that reaches its key is never collected",
    "@wry/caches": "iteration and ephemerons; registers in a microtask after `set`",
    "iterable weak map": "a short pause when many entries die; the pattern of the TC39 proposal",
    "native WeakMap": "iteration, size, structural keys",
    "CPython": "ephemerons: a value that reaches its key is never collected"
  },
  [caches]: {
    "Effect's Cache": "weak values: it forgets a value that is still used",
    "Effect's ScopedCache": "weak values: it closes a value that is still used"
  }
} as const

type Peers = keyof typeof lacks

const peerRows = (subject: Peers): ReadonlyArray<ReadonlyArray<string>> =>
  [[library, ""], ...Object.entries(lacks[subject])].map(([contender, lack]) => {
    const operation = { measure: "operations", n, subject, contender: contender! } as const
    const cost = { measure: "cost", n, subject, contender: contender! } as const
    return [
      `\`${contender}\``,
      figure({ ...operation, name: "set new" }),
      figure({ ...operation, name: "get hit" }),
      figure({ ...cost, name: "bytes an entry" }),
      figure({ ...cost, name: "full collection, all dying" }),
      lack!
    ]
  })

const peerTable = (subject: Peers, title: string): string =>
  table([title, "set, ns", "get, ns", "bytes", "pause, ms", "what it lacks"], peerRows(subject))

/** The packages of the README, which has room for a few. */
const short: Readonly<Record<Peers, readonly [kind: string, ReadonlyArray<string>]>> = {
  "WeakValueMap, string keys": ["weak values", ["weakref", "weak-value", "weak-lru-cache", "lru-cache"]],
  "WeakKeyMap by reference": ["weak keys", ["iterable-weak", "native WeakMap"]],
  [caches]: ["cache", ["Effect's Cache"]]
}

const shortTable = table(
  ["package", "kind", "set, ns", "get, ns", "bytes", "pause, ms", "what it lacks"],
  // The cast is safe: the keys of `short` are peers.
  (Object.keys(short) as ReadonlyArray<Peers>).flatMap((subject) => {
    const [kind, names] = short[subject]
    return peerRows(subject)
      .filter(([name]) => [library, ...names].some((other) => name === `\`${other}\``))
      .map(([name, ...cells]) => [name!, kind].concat(cells))
  })
)

const goalTable = table(
  ["goal", "limit", "worst figure", ""],
  goals.map(({ figures: [worst], limit, met, name }) => [
    name,
    limit,
    worst === undefined ? "-" : formatNumber(worst.value),
    met === true ? "met" : `missed: ${worst?.of}`
  ])
)

/** The ratio of each operation to the floor. A point at 1 takes as long as the floor. */
const ratioChart = (): string => {
  const points = Object.keys(subjects).flatMap((subject) =>
    operations.flatMap((operation) => {
      const ratio = ratioToFloor(results, { measure: "operations", n, subject, name: operation })
      return ratio === undefined ? [] : [{ subject, operation, ratio }]
    })
  )
  return renderSvg("Time of each operation, as a ratio to hand-written code that uses the same primitives", {
    width: 760,
    height: 300,
    marginLeft: 250,
    marginRight: 20,
    style: "font-size: 13px; background: none",
    x: {
      label: "ratio to the floor",
      labelArrow: "none",
      grid: true,
      domain: [0, Math.max(2, ...points.map(({ ratio }) => ratio))],
      ticks: [1, 2, 3]
    },
    y: { label: null, domain: Object.keys(subjects) },
    fx: { label: null, domain: operations },
    marks: [
      Plot.ruleX([1]),
      Plot.dot(points, { fx: "operation", x: "ratio", y: "subject", fill: "#2f7ed8", r: 5 })
    ]
  })
}

/** Memory and pause of the peers, beside this library. */
const peerChart = (): string => {
  const names = { "bytes an entry": "bytes per entry", "full collection, all dying": "pause when all die, ms" }
  const bars = Object.entries(names).flatMap(([name, measure]) =>
    (["WeakValueMap, string keys", "WeakKeyMap by reference"] as const).flatMap((subject) =>
      [library, ...Object.keys(lacks[subject])].flatMap((contender) => {
        const result = find(results, { measure: "cost", n, subject, contender, name })
        const kind = subject.startsWith("WeakValueMap") ? "weak values" : "weak keys"
        return result === undefined ? [] : [{ measure, name: `${contender}, ${kind}`, value: valueOf(result) }]
      })
    )
  )
  return renderSvg("Memory per entry, and pause when all entries die, beside other packages", {
    width: 760,
    height: 340,
    marginLeft: 210,
    marginRight: 40,
    style: "font-size: 13px; background: none",
    x: { axis: null },
    y: { label: null, domain: [...new Set(bars.map(({ name }) => name))] },
    fx: { label: null },
    marks: Object.values(names).flatMap((measure) => {
      const own = bars.filter((bar) => bar.measure === measure)
      const most = Math.max(...own.map(({ value }) => value))
      return [
        Plot.barX(own, {
          fx: "measure",
          x: ({ value }: { value: number }) => value / most,
          y: "name",
          fill: ({ name }: { name: string }) => name.startsWith(library) ? "#2f7ed8" : "#8b949e"
        }),
        Plot.text(own, {
          fx: "measure",
          x: ({ value }: { value: number }) => value / most,
          y: "name",
          text: ({ value }: { value: number }) => String(Math.round(value)),
          textAnchor: "start",
          dx: 4
        })
      ]
    })
  })
}

const machineText = `Measured on Node ${machine["node"]} (V8 ${machine["v8"]}), ${machine["platform"]}, ${
  machine["cpu"]
}, ${machine["memory"]}.`

replaceBetween(page, "bench machine", machineText)
replaceBetween(page, "bench operations", operationTable)
replaceBetween(page, "bench references", referenceTable)
replaceBetween(page, "bench several", severalTable)
replaceBetween(page, "bench cost", costTable(n))
replaceBetween(page, "bench million", costTable(1_000_000))
replaceBetween(page, "bench values", peerTable("WeakValueMap, string keys", "string keys and weak values"))
replaceBetween(page, "bench keys", peerTable("WeakKeyMap by reference", "weak keys"))
replaceBetween(page, "bench caches", peerTable(caches, "caches, string keys"))
replaceBetween(page, "bench goals", goalTable)
replaceBetween("README.md", "bench peers", shortTable)
fs.writeFileSync(path.join(import.meta.dirname, "../docs/operations.svg"), ratioChart())
fs.writeFileSync(path.join(import.meta.dirname, "../docs/peers.svg"), peerChart())
formatFiles(page, "README.md")
