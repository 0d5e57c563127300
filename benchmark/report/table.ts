import { stripVTControlCharacters } from "node:util"

/** Prints a table. Aligns the first column to the left, and numbers to the right. */
export const formatTable = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => widthOf(row[i] ?? ""))))
  const line = (row: ReadonlyArray<string>) =>
    header.map((_, i) => {
      const cell = row[i] ?? ""
      const fill = " ".repeat(widths[i]! - widthOf(cell))
      return i === 0 || isText(rows, i) ? cell + fill : fill + cell
    }).join("  ").trimEnd()
  return [line(header), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n")
}

const widthOf = (cell: string) => stripVTControlCharacters(cell).length

const isText = (rows: ReadonlyArray<ReadonlyArray<string>>, i: number): boolean =>
  rows.some((row) => /^[a-z≤≥]/i.test(stripVTControlCharacters(row[i] ?? "")))
