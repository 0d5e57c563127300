/** A large document: its source is plain text, and rendering it takes time and memory. */
import { Schema } from "effect"
import { Persistable } from "effect/persistence"

export const Section = Schema.Struct({
  heading: Schema.String,
  html: Schema.String,
  words: Schema.Number
})

export const Document = Schema.Struct({
  id: Schema.String,
  version: Schema.Number,
  sections: Schema.Array(Section)
})

export type Document = typeof Document.Type

/** The key of a rendered version. A version never changes, so what is stored under this key is never out of date. */
export class Rendering extends Persistable.Class<{ payload: { readonly id: string; readonly version: number } }>()(
  "Rendering",
  { primaryKey: ({ id, version }) => `${id}@${version}`, success: Document }
) {}

/** Parses headings ("# …") and paragraphs. */
export const render = (id: string, version: number, source: string): Document => ({
  id,
  version,
  sections: source.split(/^# /m).filter((text) => text !== "").map((text) => {
    const [heading = "", ...paragraphs] = text.split("\n")
    return {
      heading,
      html: paragraphs.filter((line) => line !== "").map((line) => `<p>${escape(line)}</p>`).join("\n"),
      words: text.split(/\s+/).length
    }
  })
})

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

/** The text of a version. Every paragraph names the version, so that a reader can tell a wrong answer. */
export const sourceOf = (id: string, version: number): string =>
  Array.from({ length: 40 }, (_, n) => {
    const paragraph = `This is <${id}@${version}>. ${
      "Lorem ipsum dolor sit amet, consectetur adipisici elit. ".repeat(6)
    }`
    return `# Section ${n}\n${`${paragraph}\n`.repeat(5)}`
  }).join("")
