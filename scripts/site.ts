/**
 * Builds the documentation site in `coverage/site`: the API of every module, the guides,
 * the README as its home, and `llms.txt`.
 */
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import ts from "typescript6"
import { modules, root } from "./api/modules.ts"

const site = path.join(root, "site")
const sources = path.join(root, "coverage", "site-sources")
const output = path.join(root, "coverage", "site")

/**
 * Marks the comment of the module, which the site would leave out, and the constants that have call signatures, which
 * the site would list as variables.
 */
const marked = (file: string): string => {
  const text = fs.readFileSync(file, "utf8")
  const ends: Array<number> = []
  for (const statement of ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).statements) {
    if (!ts.isVariableStatement(statement)) continue
    const type = statement.declarationList.declarations[0]?.type
    const block = ts.getJSDocCommentsAndTags(statement).findLast(ts.isJSDoc)
    if (
      block !== undefined && type !== undefined && ts.isTypeLiteralNode(type) &&
      type.members.every(ts.isCallSignatureDeclaration)
    ) {
      ends.push(block.getEnd())
    }
  }
  const tagged = ends.reduceRight((text, end) => `${text.slice(0, end - 2)}* @function\n ${text.slice(end - 2)}`, text)
  return tagged.replace(/^\/\*\*.*?(?=\*\/)/s, "$&* @module\n ")
}

fs.rmSync(sources, { recursive: true, force: true })
fs.cpSync(path.join(root, "src"), sources, { recursive: true })
for (const { source } of modules) {
  fs.writeFileSync(path.join(sources, path.relative(path.join(root, "src"), source)), marked(source))
}

const npm = process.platform === "win32" ? "npm.cmd" : "npm"
const run = (file: string, ...args: ReadonlyArray<string>): void => {
  childProcess.execFileSync(file, args, { cwd: site, stdio: "inherit", shell: process.platform === "win32" })
}
if (!fs.existsSync(path.join(site, "node_modules", "typedoc"))) {
  run(npm, "ci", "--no-audit", "--no-fund", "--prefer-offline")
}
run(process.execPath, path.join(site, "node_modules", "typedoc", "bin", "typedoc"), "--treatWarningsAsErrors")

const script = path.join(output, "assets", "main.js")
let searching = fs.readFileSync(script, "utf8")
const change = (from: string, to: string) => {
  if (!searching.includes(from)) throw new Error(`The search of the site has changed: it has no ${from}`)
  searching = searching.replace(from, to)
}
// The search shows ten results, and eleven modules have a `make`.
change("Math.min(10,", "Math.min(40,")
// lunr writes the label and the number of an edge without a separator, so it confuses the nodes of digits. Then it looks
// up words that no page has, and throws. Issue 503 of olivernn/lunr.js describes it.
change("e=e+s+o.id", "e=e+s+o.id+','")
fs.writeFileSync(script, searching)

/** The first sentence of a module's comment, or the heading and the first sentence of a guide. */
const firstSentence = (text: string): string => {
  const prose = text.replace(/^(\/\*\*|#.*$)/m, "").replaceAll(/^ ?\*+ ?/gm, "").trim()
  return /^.*?[.:](?=\s|$)/s.exec(prose)?.[0].replaceAll(/\s+/g, " ").replace(/:$/, ".") ?? ""
}

/** A list of the links to the pages of a folder's Markdown files. */
const documents = (folder: string, prefix: string): string =>
  fs.readdirSync(path.join(root, folder)).filter((file) => file.endsWith(".md") && file !== "README.md").toSorted()
    .map((file) => {
      const text = fs.readFileSync(path.join(root, folder, file), "utf8")
      const page = `documents/${prefix}${file.replace(/\.md$/, ".html")}`
      return `- [${/^# (.*)$/m.exec(text)?.[1]}](${page}): ${firstSentence(text)}`
    }).join("\n")

fs.writeFileSync(
  path.join(output, "llms.txt"),
  `# effect-weakref

> ${
    /^effect-weakref .*?\.(?=\s)/ms.exec(fs.readFileSync(path.join(root, "README.md"), "utf8"))![0].replaceAll(
      /\s+/g,
      " "
    )
  }

Rules for programs that use it: AGENTS.md of the package.

## Modules

${
    modules.filter(({ specifier }) => !/^effect-weakref(\/index|\/testing)?$/.test(specifier)).map(
      ({ source, specifier }) => {
        const name = specifier.replace("effect-weakref/", "")
        return `- [${name}](modules/${name.replaceAll("/", "_")}.html): ${
          firstSentence(fs.readFileSync(source, "utf8"))
        }`
      }
    ).join("\n")
  }

## Guides

${documents("docs", "")}

## One example for each task

${documents("ai-docs", "examples.")}
`
)
console.log(`The site is in ${path.relative(root, output)}`)
