/**
 * Describes the result of one variant, and prints the results of both variants.
 */
import { Schema } from "effect"

export class Report extends Schema.Class<Report>("Report")({
  decoded: Schema.Int,
  hits: Schema.Int,
  broken: Schema.Int,
  live: Schema.Int,
  reclaimed: Schema.Int,
  reclaimedUnasked: Schema.Int,
  finalizedAtExit: Schema.Int,
  peakMemory: Schema.Int,
  finalMemory: Schema.Int,
  /** The resident memory over time, until the gallery has shown all images. */
  memory: Schema.Array(Schema.Struct({ millis: Schema.Int, bytes: Schema.Int })),
  millis: Schema.Int
}) {}

export interface Reports {
  readonly weak: Report
  readonly strong: Report
}

const megabytes = (bytes: number): number => Math.round(bytes / 1_000_000)

const rows: ReadonlyArray<readonly [title: string, cell: (report: Report) => number]> = [
  ["images decoded", (_) => _.decoded],
  ["cache hits", (_) => _.hits],
  ["broken files", (_) => _.broken],
  ["live at the end", (_) => _.live],
  ["reclaimed by the collector", (_) => _.reclaimed],
  ["  of these, unasked", (_) => _.reclaimedUnasked],
  ["finalized at exit", (_) => _.finalizedAtExit],
  ["peak memory (MB)", (_) => megabytes(_.peakMemory)],
  ["final memory (MB)", (_) => megabytes(_.finalMemory)],
  ["time (s)", (_) => Math.round(_.millis / 100) / 10]
]

export const table = ({ strong, weak }: Reports): string =>
  [["", "weak values", "plain Map"], ...rows.map(([title, cell]) => [title, String(cell(weak)), String(cell(strong))])]
    .map(([title, ...cells]) => title!.padEnd(28) + cells.map((cell) => cell.padStart(12)).join(""))
    .join("\n")

export const summary = ({ strong, weak }: Reports): string =>
  `reclaimed ${weak.reclaimed} of ${weak.decoded} images; peak memory ` +
  `${megabytes(weak.peakMemory)} MB weak, ${megabytes(strong.peakMemory)} MB strong`
