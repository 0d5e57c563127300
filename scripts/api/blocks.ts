/** Reads and formats the doc blocks of a source, and the prose of a guide. */

/** The width of a line of a doc block, with its indentation and its star. */
export const width = 90

/** The order of the tags of a doc block. Tags that are not listed come first. */
const tagOrder = ["see", "category", "stability", "since", "internal"]

const multiline = /^( *)\/\*\*\n((?:\1 \*.*\n)+?)\1 \*\/$/gm

/** Formats the doc blocks of several lines: one width, and one order of tags. Changes no word. */
export const format = (source: string): string =>
  source.replace(multiline, (_, indent: string, body: string) => {
    const lines = body.trimEnd().split("\n").map((line) => line.slice(indent.length + 2).replace(/^ /, ""))
    const { tags, text } = split(lines)
    const formatted = [...wrap(text, width - indent.length - 3), ...order(tags)]
    return [`${indent}/**`, ...formatted.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`].join("\n")
  })

const split = (lines: ReadonlyArray<string>): { readonly text: Array<string>; readonly tags: Array<string> } => {
  let fenced = false
  const first = lines.findIndex((line) => {
    if (line.startsWith("```")) fenced = !fenced
    return !fenced && line.startsWith("@")
  })
  return first === -1
    ? { text: [...lines], tags: [] }
    : { text: lines.slice(0, first), tags: lines.slice(first) }
}

const order = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const tags: Array<string> = []
  for (const line of lines) {
    if (line.startsWith("@")) tags.push(line)
    else if (line !== "") tags.push(`${tags.pop()} ${line.trim()}`)
  }
  const place = (tag: string): number => tagOrder.indexOf(/^@(\w+)/.exec(tag)![1]!)
  const sorted = tags.toSorted((a, b) => place(a) - place(b))
  const see = sorted.filter((tag) => place(tag) <= 0)
  const rest = sorted.filter((tag) => place(tag) > 0)
  return see.length > 0 && rest.length > 0 ? [...see, "", ...rest] : sorted
}

/** A code span, a link or a word: a line does not break inside. */
const atoms = (text: string): ReadonlyArray<string> => text.match(/(?:`[^`]*`|\{@link [^}]*\}|\S)+/g) ?? []

/** Wraps the paragraphs and the list items. Leaves code, tables and headings as they are. */
const wrap = (lines: ReadonlyArray<string>, columns: number): ReadonlyArray<string> => {
  const wrapped: Array<string> = []
  let paragraph: Array<string> = []
  let fenced = false
  const flush = (): void => {
    if (paragraph.length === 0) return
    const [, bullet = ""] = /^((?:-|\d+\.) )/.exec(paragraph[0]!) ?? []
    let line = bullet.trimEnd()
    for (const atom of atoms(paragraph.join(" ").slice(bullet.length))) {
      const longer = line === "" ? atom : `${line} ${atom}`
      if (longer.length <= columns || line.trim() === "" || line === bullet.trimEnd()) line = longer
      else {
        wrapped.push(line)
        line = " ".repeat(bullet.length) + atom
      }
    }
    wrapped.push(line)
    paragraph = []
  }
  for (const line of lines) {
    if (line.startsWith("```")) {
      flush()
      fenced = !fenced
      wrapped.push(line)
    } else if (fenced || line === "" || /^(\*\*[\w ]+\*\*( \(.*\))?$|\||#)/.test(line)) {
      flush()
      wrapped.push(line)
    } else {
      if (/^(-|\d+\.) /.test(line)) flush()
      paragraph.push(line.trim())
    }
  }
  flush()
  return wrapped
}

/** Returns the text of all doc blocks of a source, one after the other. */
const textOf = (source: string): ReadonlyArray<string> => {
  const text: Array<string> = []
  for (const [block, body] of source.matchAll(/^ *\/\*\*([\s\S]*?)\*\/$/gm)) {
    if (block.includes("@internal")) continue
    const lines = body!.trim().split("\n").map((line) => line.trim().replace(/^\* ?/, ""))
    text.push("", ...split(lines).text, "")
  }
  return text
}

/** Returns the sentences of the prose of a source or a guide, without code, headings and tables. */
export const sentences = (content: string, isSource: boolean): ReadonlyArray<string> => {
  const lines = isSource ? textOf(content) : content.replace(/^---\n[\s\S]*?\n---\n/, "").split("\n")
  const paragraphs: Array<string> = [""]
  let fenced = false
  for (const line of lines) {
    if (line.startsWith("```")) fenced = !fenced
    if (fenced || /^(```|$|\||#|<|\*\*[\w ]+\*\*( \(.*\))?$)/.test(line.trim())) paragraphs.push("")
    else if (/^ *(-|\d+\.) /.test(line)) paragraphs.push(line.trim().replace(/^(-|\d+\.) /, ""))
    else paragraphs.push(`${paragraphs.pop()} ${line.trim()}`)
  }
  return paragraphs.flatMap((paragraph) =>
    paragraph
      // A code span and a link count as one word, and end no sentence.
      .replace(/`[^`]*`/g, "code").replace(/\{@link [^}]*\}/g, "link").replace(/\]\([^)]*\)/g, "]")
      .split(/(?<=[.!?]["')*_\]]*)\s+/)
  ).map((sentence) => sentence.trim()).filter((sentence) => /\w/.test(sentence))
}

export const words = (sentence: string): number => sentence.split(/\s+/).filter((word) => /\w/.test(word)).length
