/** Writes the table of `docs/engines.md`. */
import * as fs from "node:fs"
import * as path from "node:path"
import { root } from "./install.ts"
import type { Row } from "./main.ts"
import { perReason } from "./report.ts"

const file = path.join(root, "docs/engines.md")
const [begin, end] = ["<!-- table: begin -->", "<!-- table: end -->"]

const cells = ({ engine, failed, missing, passed, skipped, version }: Row): string => {
  const reasons = perReason(skipped).map(([reason, number]) => `${number}: ${reason}`).join("; ")
  return missing === undefined
    ? `| ${engine} | ${version} | ${passed} | ${failed} | ${skipped.length} | ${reasons} |`
    : `| ${engine} | did not run: ${missing} | | | | |`
}

export const writeTable = (rows: ReadonlyArray<Row>): void => {
  const text = fs.readFileSync(file, "utf8")
  const table = `
Run on ${new Date().toISOString().slice(0, 10)}.

| engine | version | passed | failed | skipped | what is not there |
| --- | --- | --- | --- | --- | --- |
${rows.map(cells).join("\n")}

`
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)]
  fs.writeFileSync(file, text.slice(0, from) + table + text.slice(to))
}
