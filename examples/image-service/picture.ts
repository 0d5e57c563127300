/** Draws the memory of both variants over time. */
import * as Plot from "@observablehq/plot"
import { renderSvg } from "../../benchmark/report/svg.ts"
import type { Reports } from "./Report.ts"

const colors = { "weak values": "#2f7ed8", "plain Map": "#c94f4f" }

export const picture = ({ strong, weak }: Reports): string => {
  const points = [["weak values", weak], ["plain Map", strong]] as const
  const samples = points.flatMap(([variant, { memory }]) =>
    memory.map(({ bytes, millis }) => ({ variant, megabytes: bytes / 1e6, seconds: millis / 1000 }))
  )
  return renderSvg("Memory of the image service: with weak values it stays flat, with a plain Map it grows", {
    width: 720,
    height: 300,
    marginLeft: 50,
    marginRight: 100,
    style: "font-size: 13px; background: none",
    x: { label: "seconds", labelArrow: "none" },
    y: {
      label: "resident memory (MB)",
      labelArrow: "none",
      grid: true,
      domain: [0, Math.max(...samples.map(({ megabytes }) => megabytes))]
    },
    color: { domain: Object.keys(colors), range: Object.values(colors) },
    marks: [
      Plot.ruleY([0]),
      Plot.line(samples, { x: "seconds", y: "megabytes", stroke: "variant", strokeWidth: 2 }),
      Plot.text(
        samples,
        Plot.selectLast({
          x: "seconds",
          y: "megabytes",
          z: "variant",
          text: "variant",
          fill: "variant",
          textAnchor: "start",
          dx: 6
        })
      )
    ]
  })
}
