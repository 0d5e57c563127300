/** Names the guides by their headings, and puts the examples under one entry of the navigation. */
import * as fs from "node:fs"
import * as path from "node:path"
import { MinimalSourceFile } from "typedoc"

const examples = path.resolve(import.meta.dirname, "../ai-docs")

/** @param {import("typedoc").Application} app */
export const load = (app) => {
  /** @type {Array<import("typedoc").DocumentReflection>} */
  const documents = []

  app.converter.on("createDocument", (_, document) => {
    documents.push(document)
    const source = document.project.files.getReflectionPath(document) ?? ""
    document.name = path.parse(source).name
    if (source !== path.join(examples, "README.md")) return
    document.name = "examples"
    for (const name of fs.readdirSync(examples).toSorted()) {
      if (!name.endsWith(".md") || name === "README.md") continue
      const file = path.join(examples, name)
      app.converter.addDocument(document, new MinimalSourceFile(fs.readFileSync(file, "utf8"), file), path.parse(name).name)
    }
  })

  // Now the pages have their addresses, which are made of the names of the files.
  app.renderer.on("beginRender", () => {
    for (const document of documents) {
      const [first] = document.content
      const heading = first?.kind === "text" ? /^# (.*)$/m.exec(first.text)?.[1] : undefined
      if (heading !== undefined) document.name = heading.replaceAll("`", "")
    }
  })
}
